"""Timelines as piecewise-constant controls.

A `Segment` is a duration T and a rotation generator Θ (the time integral of the rf Hamiltonian),
so that an ideal pulse is simply a segment of zero duration and one formula serves all:
U = exp[−i(Θ + H_drift T)].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample import Sample
from nmrqb.sequence import TimedDelay, TimedPulse, Timeline

PulseModel = Literal["ideal", "finite"]


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of constant control.

    Attributes
    ----------
    duration
        T in s, shape (...); 0 is an ideal pulse.
    rotation
        Θ in rad, shape (..., d, d): the rf Hamiltonian times T.
    """

    duration: Real
    rotation: Complex

    def scaled(self, b1: float | Real) -> Segment:
        """Return the segment with all rf amplitudes multiplied by ``b1`` (shape (...))."""
        return Segment(self.duration, np.asarray(b1)[..., None, None] * self.rotation)


def rotation_generator(angle: float | Real, phase: float, spin: int, n: int) -> Complex:
    """Return Θ = θ(I_x cos φ + I_y sin φ) of one of n spins: angles (...) rad → (..., d, d)."""
    axis = np.cos(phase) * spin_operator("x", spin, n) + np.sin(phase) * spin_operator("y", spin, n)
    return np.asarray(np.asarray(angle, dtype=float)[..., None, None] * axis)


def pulse_segments(generators: Sequence[Complex], durations: Sequence[Real]) -> list[Segment]:
    """Return simultaneous rotations, centred on each other, as constant segments.

    Parameters
    ----------
    generators
        Θ of every rotation, each of shape (..., d, d), rad.
    durations
        Length of every rotation in s, each of shape (...); their order from short to long must
        be the same all over the batch.

    Returns
    -------
    list of Segment
        One ideal segment for the rotations of zero length, in the middle of the finite ones.
    """
    lengths = [np.asarray(d, dtype=float) for d in durations]
    order = sorted(range(len(lengths)), key=lambda k: float(np.max(lengths[k])))
    ideal = [generators[k] for k in order if not np.any(lengths[k] > 0)]
    finite = [k for k in order if np.any(lengths[k] > 0)]
    # Ideal rotations of different spins commute: their generators add up.
    core = [Segment(np.zeros(ideal[0].shape[:-2]), np.sum(ideal, axis=0))] if ideal else []
    inside = np.zeros(())
    for position, k in enumerate(finite):
        step = lengths[k] - inside
        if np.any(step > 0):
            shares = [(j, _share(step, lengths[j])[..., None, None]) for j in finite[position:]]
            playing: Complex = np.sum([generators[j] * share for j, share in shares], axis=0)
            half = Segment(step / 2, playing / 2)
            core = [half, *core, half]
            inside = lengths[k]
    return core


def _share(step: Real, whole: Real) -> Real:
    whole = np.asarray(whole, dtype=float)
    return np.divide(step, whole, out=np.zeros(np.broadcast(step, whole).shape), where=whole > 0)


def pulse_duration(sample: Sample, spin: int, angle: float | Real, pulses: PulseModel) -> Real:
    """Return the length in s of a rotation at the sample's calibrated power: (...) rad → (...) s.

    Raises
    ------
    ArgumentError
        If finite pulses are asked for and the spin has no 90° time.
    """
    if pulses == "ideal":
        return np.zeros(np.shape(angle))
    calibrated = sample.spins[spin].pulse_90_s
    if calibrated is None:
        raise ArgumentError(
            f"Argument `pulses` must be 'ideal', but is {pulses!r}: spin "
            f"{sample.labels[spin]!r} of sample {sample.name!r} has no `pulse_90`"
        )
    return np.asarray(np.abs(angle) * (calibrated / (np.pi / 2)))


def _segments_of(
    event: TimedPulse | TimedDelay, sample: Sample, pulses: PulseModel
) -> list[Segment]:
    n = len(sample.spins)
    if isinstance(event, TimedDelay):
        return [Segment(np.asarray(event.duration), np.zeros((2**n, 2**n), dtype=complex))]
    generators = [rotation_generator(r.angle, r.phase, r.spin, n) for r in event.rotations]
    durations = [
        pulse_duration(sample, r.spin, r.angle, pulses)
        if r.duration is None
        else np.asarray(r.duration)
        for r in event.rotations
    ]
    return pulse_segments(generators, durations)


def timeline_segments(
    timeline: Timeline, sample: Sample, *, pulses: PulseModel = "ideal"
) -> list[Segment]:
    """Return the segments of one pass of a timeline.

    Parameters
    ----------
    timeline
        The expanded sequence.
    sample
        The spins; gives the 90° times of finite pulses.
    pulses
        ``ideal`` makes every pulse without a written duration instantaneous; ``finite`` gives it
        the calibrated length.  Finite pulses add to the delays (edge to edge).

    Raises
    ------
    ArgumentError
        If ``pulses`` is neither, or a finite pulse has no calibration.
    """
    if pulses not in ("ideal", "finite"):
        raise ArgumentError(f"Argument `pulses` must be 'ideal' or 'finite', but is {pulses!r}")
    return [s for event in timeline.events for s in _segments_of(event, sample, pulses)]


def total_duration(segments: Sequence[Segment]) -> Real:
    """Return the summed duration of segments in s, shape (...)."""
    return np.asarray(sum((s.duration for s in segments), start=np.asarray(0.0)))
