"""What the hardware can play of a timeline: whole steps of time and phase, gradients that recover.

A hard pulse keeps its power, so that its angle changes with its length; a shaped pulse keeps its
peak.  What is left of the sequence is a `Timeline` again, and can be simulated as any other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.sample import Sample
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
)
from nmrqb.spectrometer.topspin.recovery import recovered

_SAME = 1e-9
_NO_ANGLE = 1e-12  # rad


@dataclass(frozen=True)
class Hardware:
    """Steps of a spectrometer.

    Attributes
    ----------
    raster_s
        Step of all times in s.
    phases
        Number of steps of a phase in one turn; a multiple of 360.
    shortest_s
        Shortest delay in s that is not 0; shorter ones are refused.
    crusher_s
        Length of a gradient for which the sequence gives none.
    recovery_s
        Time in s that the field needs after a gradient before a pulse or the receiver; 0 for none.
    digits
        Significant digits of amplitudes and phases of a shape.
    """

    raster_s: float = 12.5e-9
    phases: int = 36_000
    shortest_s: float = 50e-9
    crusher_s: float = 1e-3
    recovery_s: float = 200e-6
    digits: int = 12

    def __post_init__(self) -> None:
        for name in ("raster_s", "crusher_s"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ArgumentError(f"Argument `{name}` must be positive, but is {value}")
        if not (self.recovery_s == 0 or self.shortest_s <= self.recovery_s < math.inf):
            raise ArgumentError(
                f"Argument `recovery_s` must be 0 or at least the shortest delay, "
                f"{self.shortest_s:g} s, but is {self.recovery_s}"
            )
        if self.phases < 360 or self.phases % 360:
            raise ArgumentError(
                f"Argument `phases` must be a multiple of 360, but is {self.phases}"
            )

    def whole(self, time: float) -> float:
        """Return the nearest whole multiple of the raster in s."""
        return round(time / self.raster_s) * self.raster_s

    def phase_steps(self, phase: float) -> int:
        """Return a phase in rad as whole steps of a turn, from 0."""
        return round(phase / (2 * math.pi) * self.phases) % self.phases


def hard_90(sample: Sample, nucleus: str) -> float:
    """Return the length in s of a hard 90° pulse on a nucleus.

    Raises
    ------
    ArgumentError
        If no spin of the nucleus says it, or they differ.
    """
    times = {s.pulse_90_s for s in sample.spins if s.nucleus == nucleus}
    if len(times) != 1 or None in times:
        raise ArgumentError(
            f"Argument `sample` must say one pulse_90 for all {nucleus}, but says "
            f"{sorted(map(str, times))}"
        )
    (time,) = times
    return float(time or 0.0)


def rounded(timeline: Timeline, sample: Sample, hardware: Hardware) -> Timeline:
    """Return what the hardware plays of a timeline with finite pulses.

    The field recovers after every gradient: delays that follow it are that time where they are
    long enough, and otherwise become so long.

    Parameters
    ----------
    timeline
        Expanded with finite pulses, one member of a batch.
    sample
        Says the hard 90° pulses, whose lengths must be whole steps.
    hardware
        The steps.

    Raises
    ------
    ArgumentError
        If a pulse has no length, a delay is shorter than the hardware can play, or the spins of
        one nucleus are to be pulsed differently.
    """
    events = [_event(event, sample, hardware) for event in timeline.events]
    played = [event for event in events if event is not None]
    return replace(timeline, events=recovered(played, hardware.whole(hardware.recovery_s)))


def _event(event: TimedEvent, sample: Sample, hardware: Hardware) -> TimedEvent | None:
    """Return an event as it can be played, None where nothing is."""
    match event:
        case TimedPulse():
            return _pulse(event, sample, hardware)
        case TimedDelay(duration=duration):
            time = _delay(float(np.asarray(duration)), hardware)
            return TimedDelay(time) if time else None
        case TimedGradient(duration=duration, strength_hz=strength):
            length = float(np.asarray(duration)) or hardware.crusher_s
            return TimedGradient(hardware.whole(length), strength)
        case TimedAcquisition(phases=phases):
            turned = {k: _phase(float(np.asarray(p)), hardware) for k, p in phases.items()}
            return TimedAcquisition(turned)


def _delay(duration: float, hardware: Hardware) -> float:
    time = hardware.whole(duration)
    if 0 < duration < hardware.shortest_s * (1 - _SAME):
        raise ArgumentError(
            f"Argument `timeline` must have delays of 0 or at least {hardware.shortest_s * 1e9:g} "
            f"ns, but has one of {duration * 1e9:g} ns"
        )
    return time


def _phase(phase: float, hardware: Hardware) -> float:
    return hardware.phase_steps(phase) * 2 * math.pi / hardware.phases


def _pulse(pulse: TimedPulse, sample: Sample, hardware: Hardware) -> TimedPulse | None:
    by_nucleus: dict[str, list[TimedRotation]] = {}
    turning = [r for r in pulse.rotations if abs(float(np.asarray(r.angle))) > _NO_ANGLE]
    for rotation in turning:
        by_nucleus.setdefault(sample.spins[rotation.spin].nucleus, []).append(rotation)
    for nucleus, rotations in by_nucleus.items():
        _check_alike(nucleus, rotations, sample)
    turned = tuple(_rotation(rotation, hardware) for rotation in turning)
    return TimedPulse(turned) if turned else None


def _check_alike(nucleus: str, rotations: list[TimedRotation], sample: Sample) -> None:
    """Refuse what a channel cannot do: turn some spins of its nucleus and not the others."""
    spins = [k for k, spin in enumerate(sample.spins) if spin.nucleus == nucleus]
    first = rotations[0]
    alike = all(
        abs(float(np.asarray(a)) - float(np.asarray(b))) < _SAME
        for r in rotations
        for a, b in ((r.angle, first.angle), (r.phase, first.phase), (r.duration, first.duration))
    )
    if sorted(r.spin for r in rotations) != spins or not alike:
        turned = [sample.labels[r.spin] for r in rotations]
        raise ArgumentError(
            f"Argument `timeline` must pulse all {nucleus} alike, for they share a channel, but "
            f"turns {', '.join(turned)} of {', '.join(sample.labels[k] for k in spins)} by itself; "
            "write a shaped pulse that is selective by its frequency"
        )


def _rotation(rotation: TimedRotation, hardware: Hardware) -> TimedRotation:
    angle, duration = (float(np.asarray(x)) for x in (rotation.angle, rotation.duration))
    if duration <= 0:
        raise ArgumentError(
            f"Argument `timeline` must have pulses of finite length, but one of "
            f"{math.degrees(angle):g} degrees lasts {duration} s"
        )
    length = max(hardware.whole(duration), hardware.raster_s)
    phase = _phase(float(np.asarray(rotation.phase)) + (math.pi if angle < 0 else 0.0), hardware)
    return replace(rotation, angle=abs(angle) * length / duration, phase=phase, duration=length)


def frame_phases(timeline: Timeline, sample: Sample) -> Mapping[str, float]:
    """Return by nucleus the angle in rad by which virtual z rotations have turned it at the end.

    Raises
    ------
    ArgumentError
        If spins of one nucleus are turned differently.
    """
    turned: dict[str, set[float]] = {}
    for k, spin in enumerate(sample.spins):
        angle = float(np.asarray(timeline.frame.get(k, 0.0)))
        turned.setdefault(spin.nucleus, set()).add(round(angle, 9))
    for nucleus, angles in turned.items():
        if len(angles) > 1:
            raise ArgumentError(
                f"Argument `timeline` must turn all {nucleus} by one virtual z rotation, for they "
                f"share a receiver, but turns them by {sorted(angles)} rad"
            )
    return {nucleus: angles.pop() for nucleus, angles in turned.items()}
