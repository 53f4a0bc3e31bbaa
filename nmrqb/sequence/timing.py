"""Where events stand in time: centre-to-centre delays, the raster, and frames carried along."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from nmrqb.errors import Fault, Position
from nmrqb.sequence.model import (
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    Timing,
)
from nmrqb.units import Number, Value, at_least, is_batch, least, written

_ON_RASTER = 1e-4  # of a step: the rounding of a time written in decimal


def seconds(time: float) -> str:
    """Return a time as messages show it, with a fitting unit."""
    return written(Value.of(time, "time"))


class Raster:
    """Holds times to whole multiples of a spectrometer's step."""

    def __init__(self, step: float | None, timing: Timing, faults: list[Fault]) -> None:
        self._step, self._rounded, self._faults = step, timing.rounded, faults

    @property
    def holds(self) -> bool:
        """Whether there is a raster at all."""
        return self._step is not None

    def held(self, time: Number, what: str, at: Position) -> Number:
        """Return a time that the spectrometer can play; a fault names the nearest valid one."""
        if self._step is None or least(time) <= 0:
            return time
        if is_batch(time):
            return np.array([self.held(one, what, at) for one in time.ravel()]).reshape(time.shape)
        count = time / self._step
        whole = max(round(count), 1)
        if abs(count - whole) <= _ON_RASTER:
            return time
        nearest = whole * self._step
        if self._rounded:
            return nearest
        message = f"{what} is {seconds(time)}, off the spectrometer's raster of"
        hint = f"{seconds(self._step)}; the nearest valid value is {seconds(nearest)}"
        self._faults.append(Fault(at, f"{message} {hint}"))
        return nearest


@dataclass(frozen=True)
class CentredDelay:
    """A delay that counts from the centres of the pulses beside it."""

    time: Number
    text: str
    raster: Raster
    at: Position


@dataclass(frozen=True)
class PulseTrain:
    """The elements of one composite pulse."""

    pulses: tuple[TimedPulse, ...]

    @property
    def duration(self) -> Number:
        """Length of all elements in s."""
        return sum(pulse.duration for pulse in self.pulses)


@dataclass(frozen=True)
class Frame:
    """Virtual z rotations by tensor position in rad."""

    angles: Mapping[int, Number]


Draft = TimedEvent | CentredDelay | PulseTrain | Frame


def placed(drafts: Sequence[Draft], faults: list[Fault]) -> list[TimedEvent | Frame]:
    """Turn centre-to-centre delays into delays between edges.

    A delay loses half of the pulse on either side of it; one beside a gradient, a delay or an end
    of the sequence loses nothing there.  Frames and receivers take no time and do not count.
    """
    timed = [draft for draft in drafts if not isinstance(draft, Frame | TimedAcquisition)]
    sides = iter(zip([None, *timed], [*timed[1:], None], strict=False))
    events: list[TimedEvent | Frame] = []
    for draft in drafts:
        match draft:
            case Frame() | TimedAcquisition():
                events.append(draft)
                continue
            case CentredDelay():
                events.append(TimedDelay(_between(draft, next(sides), faults)))
                continue
            case PulseTrain():
                events += draft.pulses
            case _:
                events.append(draft)
        next(sides)
    return events


def _between(
    delay: CentredDelay, sides: tuple[Draft | None, Draft | None], faults: list[Fault]
) -> Number:
    pulses = [side for side in sides if isinstance(side, TimedPulse | PulseTrain)]
    taken = sum(pulse.duration for pulse in pulses) / 2
    left = delay.time - taken
    if least(left + 1e-12 * taken) >= 0:
        return delay.raster.held(at_least(left, 0.0), f"the delay left of `{delay.text}`", delay.at)
    message = (
        f"the delay between the centres of its pulses must be at least {seconds(least(taken))}, "
        f"half of their lengths, but `{delay.text}` is {seconds(least(delay.time))}"
    )
    faults.append(Fault(delay.at, message))
    return 0.0


def carried(
    events: Iterable[TimedEvent | Frame],
) -> tuple[list[TimedEvent], Mapping[int, Number]]:
    """Carry virtual z rotations to the end: R_z(θ) then P(φ) is P(φ − θ) then R_z(θ).

    Returns
    -------
    list
        The events, the phases of later pulses and receivers shifted by −θ.
    mapping
        Tensor position to the angle θ in rad that is left at the end, in (−π, π].
    """
    frame: dict[int, Number] = {}
    played: list[TimedEvent] = []
    for event in events:
        if isinstance(event, Frame):
            for spin, angle in event.angles.items():
                frame[spin] = _principal(frame.get(spin, 0.0) + angle)
        else:
            played.append(_turned(event, frame) if frame else event)
    left = {spin: angle for spin, angle in frame.items() if is_batch(angle) or angle}
    return played, MappingProxyType(left)


def _principal(angle: Number) -> Number:
    return math.pi - (math.pi - angle) % (2 * math.pi)


def _turned(event: TimedEvent, frame: Mapping[int, Number]) -> TimedEvent:
    match event:
        case TimedPulse():
            key = tuple(frame.items())
            several = any(map(is_batch, frame.values())) or event.is_batch
            return _turned_pulse.__wrapped__(event, key) if several else _turned_pulse(event, key)
        case TimedAcquisition(phases=phases):
            return TimedAcquisition(
                MappingProxyType({spin: p - frame.get(spin, 0.0) for spin, p in phases.items()})
            )
        case TimedDelay() | TimedGradient():
            return event


@lru_cache(maxsize=4096)
def _turned_pulse(pulse: TimedPulse, frame: tuple[tuple[int, Number], ...]) -> TimedPulse:
    angles = dict(frame)
    return TimedPulse(
        tuple(replace(r, phase=r.phase - angles.get(r.spin, 0.0)) for r in pulse.rotations)
    )
