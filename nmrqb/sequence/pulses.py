"""From a pulse as written to what is played: flip angle, length, envelope and carrier."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.sample import PulseModel, pulse_duration
from nmrqb.sequence.composite import composite_frame, composite_pulse
from nmrqb.sequence.model import Pulse, Rotation, TimedPulse, TimedRotation
from nmrqb.sequence.scope import Scope
from nmrqb.sequence.shapes import Shape, shape_samples
from nmrqb.units import Dimension, Number, Value, is_batch, least, written

RECTANGLE: tuple[complex, ...] = (1,)
MAX_STEPS = 20_000  # of one pulse with an offset
MAX_ALL_STEPS = 1_000_000  # of all pulses of a sequence
_TURNS_PER_STEP = 0.02  # how far the phase of an offset pulse may turn within a step
_LEAST_STEPS = 200  # of one pulse with an offset, for the rf turns a spin within a step as well
_NO_AREA = 1e-3  # a mean below this share of the peak gives no flip angle


@dataclass(frozen=True)
class Envelope:
    """The steps of a shape: ``samples`` relative to the peak, ``area`` the size of their mean."""

    samples: tuple[complex, ...] = RECTANGLE
    area: float = 1.0


@lru_cache(maxsize=256)
def envelope(shape: Shape | None) -> Envelope:
    """Return the envelope of a shape, None being a rectangle."""
    if shape is None or shape.kind == "rectangle":
        return Envelope()
    samples = shape_samples(shape)
    return Envelope(tuple(samples.tolist()), float(abs(samples.mean())))


def timed_pulses(
    pulse: Pulse, scope: Scope, pulses: PulseModel
) -> tuple[list[TimedPulse], dict[int, float]]:
    """Return a pulse as played, several in a row if it is a composite one.

    Parameters
    ----------
    pulse
        As written; its rotations are centred on each other.
    scope
        Evaluates it, and collects its faults.
    pulses
        Whether hard pulses are ideal or as long as the sample's 90° times make them.

    Returns
    -------
    list of TimedPulse
        The elements in the order of time.
    dict
        Tensor position to the virtual z rotation in rad that composite pulses need after them.
    """
    rows: list[list[TimedRotation]] = []
    frame: dict[int, float] = {}
    turned: dict[int, str] = {}
    for target, rotation in pulse.rotations.items():
        at = pulse.places.get(target, pulse.at)
        resolved = _Resolution(rotation, scope, pulses)
        for spin in scope.spins(target, at):
            if spin in turned:
                label = scope.sample.labels[spin]
                message = f"spin `{label}` is turned twice in one pulse, by `{turned[spin]}` and"
                scope.fault(at, f"{message} `{target}`; write two pulses")
            turned[spin] = target
            rows.append(resolved.rotations(spin))
            frame[spin] = resolved.frame
        resolved.rotations(None)  # tells the faults of a role that plays no spin
    needed = {spin: angle for spin, angle in frame.items() if angle}
    return _aligned(rows), needed


def hard_rotation(
    scope: Scope, pulses: PulseModel, spin: int, turn: tuple[float, float]
) -> TimedRotation:
    """Return a rotation by (angle, phase) in rad at the sample's power."""
    angle, phase = turn
    return TimedRotation(spin, angle, phase, _hard_length(scope, spin, angle, pulses))


def _hard_length(scope: Scope, spin: int, angle: Number, pulses: PulseModel) -> Number:
    if pulses == "ideal":
        return 0.0
    length = pulse_duration(scope.sample, spin, angle, pulses)
    return length if is_batch(angle) else float(length)


def _aligned(rows: list[list[TimedRotation]]) -> list[TimedPulse]:
    """Play the k-th elements together, shorter rows in the middle of longer ones."""
    longest = max(map(len, rows), default=0)
    shifted = [((longest - len(row)) // 2, row) for row in rows]
    pulses = []
    for k in range(longest):
        playing = [row[k - shift] for shift, row in shifted if 0 <= k - shift < len(row)]
        pulses.append(TimedPulse(tuple(sorted(playing, key=lambda rotation: rotation.spin))))
    return pulses or [TimedPulse(())]


class _Resolution:
    """One rotation, evaluated once for all its spins."""

    def __init__(self, rotation: Rotation, scope: Scope, pulses: PulseModel) -> None:
        self.rotation, self.scope, self.pulses = rotation, scope, pulses
        degrees = rotation.degrees
        self.phase = scope.phase(rotation.phase, rotation.place("phase"), degrees=degrees)
        self.angle = (
            None
            if rotation.angle is None
            else scope.angle(rotation.angle, rotation.place("angle"), degrees=degrees)
        )
        self.amplitude = self._positive("amplitude", rotation.amplitude)
        self.duration = self._positive("duration", rotation.duration)
        self.frame = -composite_frame(rotation.composite) if rotation.composite else 0.0
        self.steps: tuple[complex, ...] = RECTANGLE
        if rotation.composite is None:
            self._shape()

    def rotations(self, spin: int | None) -> list[TimedRotation]:
        """Return the elements on one spin; None only tells what is wrong for every spin."""
        elements = list(self._elements())
        if spin is None:
            return []
        played = (
            TimedRotation(spin, angle, self.phase + phase, self._length(spin, angle), self.steps)
            for angle, phase in elements
        )
        return list(played)

    def _elements(self) -> Iterator[tuple[Number, float]]:
        angle: Number = 0.0 if self.angle is None else self.angle
        if self.rotation.composite is None:
            yield angle, 0.0
            return
        if is_batch(angle):
            message = "a composite pulse must have one angle, but this one has many at once"
            self.scope.fault(self.rotation.place("angle"), message)
            return
        try:
            yield from composite_pulse(self.rotation.composite, angle)
        except ArgumentError as error:
            self.scope.fault(self.rotation.place("angle"), str(error).removeprefix("Argument "))

    def _length(self, spin: int, angle: Number) -> Number:
        if self.duration is not None:
            return self.duration
        return _hard_length(self.scope, spin, angle, self.pulses)

    def _positive(self, key: str, text: str | None) -> Number | None:
        if text is None:
            return None
        at = self.rotation.place(key)
        dimension: Dimension = "time" if key == "duration" else "frequency"
        value = self.scope.value(text, dimension, at)
        if least(value) > 0:
            return value
        shown = f"`{text}` is {written(Value.of(least(value), dimension))}"
        self.scope.fault(at, f"the {key} of a pulse must be positive, but {shown}; leave it out")
        return 1.0

    # ------------------------------------------------------------------------- soft pulses
    def _shape(self) -> None:
        """Find the third of angle, duration and amplitude, and the steps of a soft pulse."""
        if self.duration is None and self.amplitude is None:
            return
        shape = envelope(self.rotation.shape)
        area = shape.area
        if area < _NO_AREA:
            if self.angle is not None:
                message = "a shape without area has no flip angle; give duration and amplitude"
                self.scope.fault(self.rotation.place("angle"), message)
            area = 1.0
        if self.amplitude is not None and self.duration is not None:  # two of the three are given
            self.angle = 2 * math.pi * self.amplitude * self.duration * area
        elif self.amplitude is not None and self.angle is not None:
            self.duration = abs(self.angle) / (2 * math.pi * self.amplitude * area)
        self.steps = self._modulated(shape.samples, area)

    def _modulated(self, samples: tuple[complex, ...], area: float) -> tuple[complex, ...]:
        """Return the shares of the angle, with the phase of a carrier off its channel."""
        text = self.rotation.offset
        count = len(samples)
        if text is None:
            return tuple(sample / (count * area) for sample in samples) if count > 1 else RECTANGLE
        at = self.rotation.place("offset")
        turns = self.scope.value(text, "frequency", at) * self.duration
        if is_batch(turns):
            message = f"the turns of `{text}` during the pulse must be one number, but are many"
            self.scope.fault(at, f"{message} at once")
            return RECTANGLE
        steps = max(_LEAST_STEPS, abs(turns) / _TURNS_PER_STEP) if turns else count
        finer = max(1, math.ceil(steps / count))
        if finer * count > MAX_STEPS:
            most = _TURNS_PER_STEP * MAX_STEPS
            message = f"`{text}` turns the phase {abs(turns):.3g} times during the pulse, but"
            self.scope.fault(at, f"{message} at most {most:g} turns are resolved")
            return RECTANGLE
        return _turning(samples, finer, turns, area)


@lru_cache(maxsize=256)
def _turning(
    samples: tuple[complex, ...], finer: int, turns: float, area: float
) -> tuple[complex, ...]:
    """Return samples, each cut in ``finer`` steps, times e^{2πi·turns·t/T}, t = 0 in the middle.

    A spin on the carrier turns on during a step, which would cost it a factor sinc(turns/N) of the
    angle; the steps are larger by as much.
    """
    fine = np.repeat(np.array(samples), finer)
    t = (np.arange(fine.size) + 0.5) / fine.size - 0.5
    carrier = np.exp(2j * np.pi * turns * t) / np.sinc(turns / fine.size)
    return tuple((fine * carrier / (fine.size * area)).tolist())
