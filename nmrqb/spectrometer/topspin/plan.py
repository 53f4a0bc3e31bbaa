"""From rounded timelines, one per scan, to what each channel plays: the model of a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.sample import Sample
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
)
from nmrqb.spectrometer.topspin.rounding import Hardware, frame_phases, hard_90

_EQUAL = 1e-9
_RECTANGLE = 100  # points of a hard pulse that is played as a shape


@dataclass(frozen=True)
class ChannelPulse:
    """What one channel plays in a pulse.

    Attributes
    ----------
    channel
        Number from 1.
    length_s, angle_deg
        Length in s, and flip angle in degrees of a hard pulse.
    phases
        Whole steps of a turn, one per scan.
    shape
        Number of the shape, or None for a hard pulse.
    """

    channel: int
    length_s: float
    angle_deg: float
    phases: tuple[int, ...]
    shape: int | None = None


@dataclass(frozen=True)
class PulseStep:
    """Pulses of several channels, centred on each other."""

    pulses: tuple[ChannelPulse, ...]


@dataclass(frozen=True)
class DelayStep:
    """Free evolution for ``length_s``, the first ``recovery_s`` of it after a gradient."""

    length_s: float
    recovery_s: float = 0.0


@dataclass(frozen=True)
class GradientStep:
    """A gradient: 1H frequency difference over the sample in Hz, None for a crusher."""

    length_s: float
    strength_hz: float | None


Step = PulseStep | DelayStep | GradientStep


@dataclass(frozen=True, eq=False)
class ShapeUse:
    """A shape, and the power at which it is played.

    Attributes
    ----------
    channel
        Number from 1.
    samples
        Steps relative to the peak, shape (N,).
    length_s, peak_hz, rotation_deg
        Length in s, nutation frequency of the peak in Hz, flip angle on resonance in degrees.
    """

    channel: int
    samples: Complex
    length_s: float
    peak_hz: float
    rotation_deg: float


@dataclass(frozen=True, eq=False)
class Plan:
    """What a program plays.

    Attributes
    ----------
    name
        Name of the sequence.
    nuclei
        Nucleus of every channel, the observed one first.
    hard_90_s
        Length of a hard 90° pulse of every channel in s.
    steps
        What is played before the receiver is opened.
    shapes
        Shapes by number from 1.
    receiver
        Phase of the receiver by scan, in whole steps of a turn.
    turn
        Steps of a turn.
    raster_s
        Step of all times in s.
    """

    name: str
    nuclei: tuple[str, ...]
    hard_90_s: tuple[float, ...]
    steps: tuple[Step, ...]
    shapes: tuple[ShapeUse, ...]
    receiver: tuple[int, ...]
    turn: int
    raster_s: float


def make_plan(
    scans: Sequence[Timeline], sample: Sample, hardware: Hardware, *, observe: str | None = None
) -> Plan:
    """Return what a program plays.

    Parameters
    ----------
    scans
        Rounded timelines, one per scan of the phase cycle; they differ in phases only.
    sample
        The spins; every nucleus is a channel.
    hardware
        The steps.
    observe
        Nucleus that is observed; by default that of the sequence's acquisition, or the first.

    Raises
    ------
    ArgumentError
        If scans differ in more than phases, or the receiver is opened before the end.
    """
    played, opened = _split(scans)
    observed = observe or _observed(opened, sample)
    if observed not in sample.nuclei:
        raise ArgumentError(
            f"Argument `observe` must be one of {sample.nuclei}, but is {observed!r}"
        )
    nuclei = (observed, *(nucleus for nucleus in sample.nuclei if nucleus != observed))
    maker = _Maker(sample, nuclei, hardware)
    steps = [maker.step(events) for events in zip(*played, strict=True)]
    receiver = tuple(
        _receiver(scan, end, observed, sample, hardware)
        for scan, end in zip(scans, opened, strict=True)
    )
    hard = tuple(hard_90(sample, nucleus) for nucleus in nuclei)
    return Plan(
        scans[0].name,
        nuclei,
        hard,
        maker.powered(_recovering(steps, hardware)),
        tuple(maker.shapes),
        receiver,
        hardware.phases,
        hardware.raster_s,
    )


def _recovering(steps: Sequence[Step], hardware: Hardware) -> list[Step]:
    """Return the steps, what a delay after a gradient begins with told apart as its recovery."""
    recovery = hardware.whole(hardware.recovery_s)
    result: list[Step] = []
    for before, step in zip([None, *steps], steps, strict=False):
        if isinstance(before, GradientStep) and isinstance(step, DelayStep) and recovery:
            rest = hardware.whole(step.length_s - recovery)
            fits = rest == 0 or rest >= hardware.shortest_s
            result.append(replace(step, recovery_s=recovery) if fits else step)
        else:
            result.append(step)
    return result


def _split(
    scans: Sequence[Timeline],
) -> tuple[list[list[object]], list[TimedAcquisition | None]]:
    """Part the acquisition at the end from the events before it, scan by scan."""
    played, opened = [], []
    for scan in scans:
        events: list[object] = list(scan.events)
        last = events.pop() if events and isinstance(events[-1], TimedAcquisition) else None
        if any(isinstance(event, TimedAcquisition) for event in events):
            at = next(k for k, e in enumerate(events) if isinstance(e, TimedAcquisition))
            raise ArgumentError(
                "Argument `scans` must open the receiver once, at the end, but do at event "
                f"{at + 1}"
            )
        played.append(events)
        opened.append(last if isinstance(last, TimedAcquisition) else None)
    if len({len(events) for events in played}) > 1:
        raise ArgumentError(
            "Argument `scans` must differ in phases only, but have "
            f"{sorted({len(events) for events in played})} events"
        )
    return played, opened


def _observed(opened: Sequence[TimedAcquisition | None], sample: Sample) -> str:
    spins = [k for end in opened if end is not None for k in end.phases]
    return sample.spins[spins[0]].nucleus if spins else sample.nuclei[0]


def _receiver(
    scan: Timeline,
    end: TimedAcquisition | None,
    observed: str,
    sample: Sample,
    hardware: Hardware,
) -> int:
    """Return the phase of the receiver; virtual z rotations turn it where nothing else says it."""
    if end is not None:
        for k, phase in end.phases.items():
            if sample.spins[k].nucleus == observed:
                return hardware.phase_steps(float(np.asarray(phase)))
    return hardware.phase_steps(-frame_phases(scan, sample)[observed])


class _Maker:
    """Turns the same event of all scans into one step, and gathers the shapes."""

    def __init__(self, sample: Sample, nuclei: tuple[str, ...], hardware: Hardware) -> None:
        self.sample, self.nuclei, self.hardware = sample, nuclei, hardware
        self.shapes: list[ShapeUse] = []

    def step(self, events: tuple[object, ...]) -> Step:
        """Return the step of an event, one per scan."""
        first = events[0]
        if len({type(event) for event in events}) > 1 or not self._same_lengths(events):
            raise ArgumentError(
                f"Argument `scans` must differ in phases only, but differ in {first!r:.80}"
            )
        match first:
            case TimedDelay(duration=duration):
                return DelayStep(float(np.asarray(duration)))
            case TimedGradient(duration=duration, strength_hz=strength):
                size = None if strength is None else float(np.asarray(strength))
                return GradientStep(float(np.asarray(duration)), size)
            case TimedPulse():
                return self._pulse([event for event in events if isinstance(event, TimedPulse)])
        raise ArgumentError(f"Argument `scans` must hold events to play, but hold {first!r:.80}")

    @staticmethod
    def _same_lengths(events: tuple[object, ...]) -> bool:
        lengths = [float(np.asarray(getattr(event, "duration", 0.0))) for event in events]
        return max(lengths) - min(lengths) < 1e-12

    def powered(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """Return the steps, hard pulses as shapes where no delay lets their power be set again."""
        lost: set[int] = set()
        result: list[Step] = []
        for step in steps:
            if isinstance(step, PulseStep):
                turned = tuple(self._as_shape(p) if p.channel in lost else p for p in step.pulses)
                lost |= {pulse.channel for pulse in turned if pulse.shape is not None}
                result.append(PulseStep(turned))
            else:
                lost = set()
                result.append(step)
        return tuple(result)

    def _as_shape(self, pulse: ChannelPulse) -> ChannelPulse:
        """Return a hard pulse as a rectangle of full power."""
        if pulse.shape is not None:
            return pulse
        peak = 1 / (4 * hard_90(self.sample, self.nuclei[pulse.channel - 1]))
        flat = np.ones(_RECTANGLE, dtype=complex)
        use = ShapeUse(pulse.channel, flat, pulse.length_s, peak, pulse.angle_deg)
        return replace(pulse, shape=self._number(use))

    def _pulse(self, pulses: list[TimedPulse]) -> PulseStep:
        found: dict[int, ChannelPulse] = {}
        for k, rotation in enumerate(pulses[0].rotations):
            nucleus = self.sample.spins[rotation.spin].nucleus
            channel = self.nuclei.index(nucleus) + 1
            if channel not in found:
                scans = [pulse.rotations[k] for pulse in pulses]
                found[channel] = self._on_channel(channel, rotation, scans)
        return PulseStep(tuple(found[channel] for channel in sorted(found)))

    def _on_channel(
        self, channel: int, rotation: TimedRotation, scans: list[TimedRotation]
    ) -> ChannelPulse:
        length, angle = (float(np.asarray(x)) for x in (rotation.duration, rotation.angle))
        phases = tuple(self.hardware.phase_steps(float(np.asarray(r.phase))) for r in scans)
        hard = hard_90(self.sample, self.nuclei[channel - 1])
        is_hard = tuple(np.ravel(rotation.steps)) == (1,) and math.isclose(
            angle / length, math.pi / 2 / hard, rel_tol=_EQUAL
        )
        shape = None if is_hard else self._shape(channel, rotation, length, angle)
        return ChannelPulse(channel, length, math.degrees(angle), phases, shape)

    def _shape(self, channel: int, rotation: TimedRotation, length: float, angle: float) -> int:
        """Return the number of the shape of a rotation."""
        if rotation.edges is not None:
            raise ArgumentError(
                "Argument `scans` must have shapes of equal steps, but one has edges "
                f"{rotation.edges!r:.60}"
            )
        shares = np.asarray(rotation.steps, dtype=complex).ravel()
        field = np.asarray(shares * (angle * len(shares) / length), dtype=complex)  # rad/s
        peak = float(np.abs(field).max())
        samples = np.asarray(field / peak, dtype=complex)
        use = ShapeUse(
            channel,
            samples,
            length,
            peak / (2 * math.pi),
            math.degrees(abs(shares.sum()) * angle),
        )
        return self._number(use)

    def _number(self, use: ShapeUse) -> int:
        """Return the number of a shape, a new one where there is none like it."""
        for number, known in enumerate(self.shapes, 1):
            if _alike(known, use):
                return number
        self.shapes.append(use)
        return len(self.shapes)


def _alike(first: ShapeUse, second: ShapeUse) -> bool:
    return (
        first.channel == second.channel
        and len(first.samples) == len(second.samples)
        and math.isclose(first.length_s, second.length_s, rel_tol=1e-12)
        and math.isclose(first.peak_hz, second.peak_hz, rel_tol=1e-12)
        and np.allclose(first.samples, second.samples, rtol=0, atol=1e-13)
    )
