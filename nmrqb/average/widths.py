"""The width of pulses as an error: one channel finite, everything else ideal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nmrqb.average.perturbations import Perturbation, channels
from nmrqb.dynamics import Segment
from nmrqb.dynamics.segments import event_segments, frame_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.sample import Sample, pulse_duration
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline


def both_models(
    timeline: Timeline, sample: Sample, other: Timeline | None = None
) -> tuple[Timeline, Timeline | None]:
    """Return a timeline with its hard pulses ideal, and with the lengths the sample gives them.

    Parameters
    ----------
    timeline, sample
        As compiled, ideal or finite.
    other
        The same sequence expanded with the other pulse model; needed where delays count from the
        centres of pulses or times are rounded.  By default the hard pulses alone change.

    Returns
    -------
    ideal, finite
        ``finite`` is None where a pulsed spin has no 90° time.

    Raises
    ------
    ArgumentError
        If the other timeline does not play the same events.
    """
    if other is not None and _shape(other) != _shape(timeline):
        raise ArgumentError(
            f"Argument `other` must play the events of {timeline.name!r}, but {other.name!r} plays "
            "others"
        )
    if timeline.pulses == "finite":
        return other or _relength(timeline, lambda r: _ideal_length(r, sample), "ideal"), timeline
    if any(sample.spins[r.spin].pulse_90_s is None for r in _hard(timeline)):
        return timeline, None
    return timeline, other or _relength(timeline, lambda r: _finite_length(r, sample), "finite")


def _shape(timeline: Timeline) -> list[tuple[type, int]]:
    return [(type(e), len(e.rotations) if isinstance(e, TimedPulse) else 0)
            for e in timeline.events]  # fmt: skip


def _hard(timeline: Timeline) -> list[TimedRotation]:
    """Return the rotations of an ideal timeline that take no time."""
    pulses = (event for event in timeline.events if isinstance(event, TimedPulse))
    return [r for pulse in pulses for r in pulse.rotations if not r.duration]


def _calibrated(rotation: TimedRotation, sample: Sample) -> float | None:
    if sample.spins[rotation.spin].pulse_90_s is None:
        return None
    return float(pulse_duration(sample, rotation.spin, rotation.angle, "finite"))


def _finite_length(rotation: TimedRotation, sample: Sample) -> float:
    return float(rotation.duration or _calibrated(rotation, sample) or 0.0)


def _ideal_length(rotation: TimedRotation, sample: Sample) -> float:
    """Return 0 for a rectangle at the sample's power: it is no pulse with a length of its own."""
    calibrated = _calibrated(rotation, sample)
    if calibrated is None or len(rotation.steps) > 1:
        return float(rotation.duration)
    return 0.0 if math.isclose(rotation.duration, calibrated, rel_tol=1e-9) else rotation.duration


def _relength(timeline: Timeline, length: Callable[[TimedRotation], float], model: str) -> Timeline:
    events = tuple(
        TimedPulse(tuple(replace(r, duration=length(r)) for r in event.rotations))
        if isinstance(event, TimedPulse)
        else event
        for event in timeline.events
    )
    return replace(timeline, events=events, pulses="finite" if model == "finite" else "ideal")


def widened(ideal: Timeline, finite: Timeline, spins: Sequence[int]) -> Timeline:
    """Return the ideal timeline with the pulses of some spins as long as in the finite one.

    A delay that pulses have shortened is shortened by their share of the pulses beside it.
    """
    pairs = list(zip(ideal.events, finite.events, strict=True))
    events = [_widened_pulse(a, b, spins) if isinstance(a, TimedPulse) and isinstance(b, TimedPulse)
              else a for a, b in pairs]  # fmt: skip
    for k, (a, b) in enumerate(pairs):
        if isinstance(a, TimedDelay) and isinstance(b, TimedDelay) and a != b:
            full = _beside(finite.events, k) - _beside(ideal.events, k)
            share = (_beside(events, k) - _beside(ideal.events, k)) / full if full else 0.0
            events[k] = TimedDelay(a.duration + share * (b.duration - a.duration))
    return replace(ideal, events=tuple(events), pulses="finite")


def _widened_pulse(a: TimedPulse, b: TimedPulse, spins: Sequence[int]) -> TimedPulse:
    pairs = zip(a.rotations, b.rotations, strict=True)
    return TimedPulse(tuple(wide if wide.spin in spins else narrow for narrow, wide in pairs))


def _beside(events: Sequence[object], k: int) -> float:
    """Return the length of all pulses next to event k on either side, in s."""
    total = 0.0
    for step in (-1, 1):
        j = k + step
        while 0 <= j < len(events) and isinstance(pulse := events[j], TimedPulse):
            total, j = total + pulse.duration, j + step
    return total


def width_error(
    ideal: Timeline, wide: Timeline, sample: Sample, name: str, drift: Complex
) -> Perturbation | None:
    """Return the width of pulses as an error: A_j = Θ_j + s T_j H, s the share of the full width.

    The size is the longest 90° time of the channel, ε = s·t₉₀ in s.

    Parameters
    ----------
    ideal, wide
        The timeline with ideal pulses, and with those of the channel ``name`` finite.
    sample, name
        The spins; a nucleus.
    drift
        H in rad/s, shape (d, d).

    Returns
    -------
    Perturbation or None
        None where a hard pulse is played within a soft one: its edges do not move in proportion.
    """
    n, spins = len(sample.spins), channels(sample)[name]
    size = max(sample.spins[k].pulse_90_s or 0.0 for k in spins)
    segments: list[Segment] = []
    longer: list[float] = []
    for a, b in zip(ideal.events, wide.events, strict=True):
        if isinstance(a, TimedPulse) and a.duration and a != b:
            return None
        if not (isinstance(a, TimedPulse | TimedDelay) and isinstance(b, TimedPulse | TimedDelay)):
            continue
        parts = event_segments(b, n)
        # a soft pulse or a delay has its own length already, a hard pulse none
        kept = [a.duration if isinstance(a, TimedDelay) else p.duration if a.duration else 0.0
                for p in parts]  # fmt: skip
        longer += [float(p.duration) - float(T) for p, T in zip(parts, kept, strict=True)]
        segments += [replace(p, duration=np.asarray(T)) for p, T in zip(parts, kept, strict=True)]
    frames = frame_segments(ideal, n)
    times = np.array([*longer, *(0.0 for _ in frames)]) / (size or 1.0)
    direction = times[:, None, None] * drift
    return Perturbation(f"width {name}", size, "s", [*segments, *frames], direction)


def width_errors(
    ideal: Timeline, finite: Timeline, sample: Sample, drift: Complex
) -> Mapping[str, tuple[Timeline, Perturbation | None]]:
    """Return, by channel, the timeline with its pulses finite and that as a `Perturbation`."""
    found = {}
    for name, spins in channels(sample).items():
        wide = widened(ideal, finite, spins)
        if wide.events != ideal.events:
            found[name] = wide, width_error(ideal, wide, sample, name, drift)
    return found
