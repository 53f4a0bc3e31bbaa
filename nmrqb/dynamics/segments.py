"""Timelines as piecewise-constant controls.

A `Segment` is a duration T and a rotation generator Θ (the time integral of the rf Hamiltonian),
so that an ideal pulse is simply a segment of zero duration and one formula serves all:
U = exp[−i(Θ + H_drift T)].

The rotations of a pulse are vectors, Θ = Σ_k v_k·I_k, until the pulse has been cut into segments.
Then they become matrices: arrays up to `nmrqb.sparse_operators.DENSE_SPINS` spins, above it a
``csr_array``, of one value of every parameter at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, bloch_vectors, spin_operator
from nmrqb.sample import Sample
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    Timeline,
)
from nmrqb.sparse_operators import (
    DENSE_SPINS,
    Sparse,
    dense_matrix,
    pattern_sum,
    sparse_matrix,
    vector_terms,
)

_EMPTY = 1e-12  # of the longest pulse: an interval that only rounding makes


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of constant control.

    Attributes
    ----------
    duration
        T in s, shape (...); 0 is an ideal pulse.
    rotation
        Θ in rad, shape (..., d, d): the control Hamiltonian times T.  A ``csr_array`` of shape
        (d, d) above eight spins.
    rf
        Whether the control is an rf field; a change of frame or a gradient is not.
    evolution
        A generator in rad, shape (..., d, d), that acts besides and counts as drift: a change of
        frame that goes on from pass to pass as a field would.  None is none.
    """

    duration: Real
    rotation: Complex
    rf: bool = True
    evolution: Complex | None = None

    @cached_property
    def vectors(self) -> Real | None:
        """The a_k in rad of Θ = Σ_k a_k·I_k, shape (n, 3); None if Θ is no such sum or a stack."""
        if issparse(self.rotation) or self.rotation.ndim > 2:
            return None
        return bloch_vectors(self.rotation)

    def drifted(self, drift: Complex | Sparse) -> Complex:
        """Return what is not control, H T and the evolution: shape (..., d, d), rad.

        With a sparse drift the product is sparse too, and the segment must have one duration.
        """
        free = _times(self.duration, drift, "duration")
        if self.evolution is not None:
            free = free + self.evolution
        return free if issparse(free) else np.asarray(free)

    def generator(self, drift: Complex | Sparse) -> Complex:
        """Return Θ + HT + evolution in rad, shape (..., d, d), sparse where the drift is."""
        control = csr_array(self.rotation) if issparse(drift) else self.rotation
        return cast("Complex", control + self.drifted(drift))

    def dense(self) -> Segment:
        """Return the segment with dense matrices, as it is where they are."""
        if not issparse(self.rotation):
            return self
        free = self.evolution
        return replace(
            self, rotation=_dense(self.rotation), evolution=None if free is None else _dense(free)
        )

    def scaled(self, b1: float | Real) -> Segment:
        """Return the segment with all rf amplitudes multiplied by ``b1`` (shape (...))."""
        if not self.rf:
            return self
        return replace(self, rotation=_times(b1, self.rotation, "b1"))

    @property
    def content(self) -> tuple[bytes, ...]:
        """What the segment does, as a key: equal segments have equal keys."""
        return (
            np.asarray(self.duration, dtype=float).tobytes(),
            *_entries(self.rotation),
            *(() if self.evolution is None else _entries(self.evolution)),
        )


def check_segments(segments: Sequence[Segment], d: int) -> None:
    """Refuse segments that do not fit a drift of dimension d.

    Raises
    ------
    ArgumentError
        If a duration is negative or not finite, or a rotation of another size or not finite.
    """
    for segment in {id(segment): segment for segment in segments}.values():
        durations = np.asarray(segment.duration)
        if not np.all(np.isfinite(durations) & (durations >= 0)):
            raise ArgumentError(
                f"Argument `segments` must have finite durations ≥ 0, but one has "
                f"{durations.min()} s"
            )
        if segment.rotation.shape[-2:] != (d, d):
            raise ArgumentError(
                f"Argument `segments` must have rotations of dimension {d} like the drift, but one "
                f"has shape {segment.rotation.shape}"
            )
        rotation = segment.rotation.data if issparse(segment.rotation) else segment.rotation
        if not np.all(np.isfinite(rotation)):
            raise ArgumentError(
                f"Argument `segments` must have finite rotations, but one holds "
                f"{np.count_nonzero(~np.isfinite(rotation))} entries that are not"
            )


def _dense(matrix: Complex | Sparse) -> Complex:
    return np.asarray(matrix.toarray() if issparse(matrix) else matrix)


def _times(factor: float | Real, matrix: Complex | Sparse, name: str) -> Complex:
    """Return the product of numbers of shape (...) and a matrix, sparse if the matrix is."""
    if not issparse(matrix):
        return np.asarray(factor)[..., None, None] * matrix
    if np.ndim(factor):
        raise ArgumentError(
            f"Argument `{name}` must be one number where matrices are sparse (above {DENSE_SPINS} "
            f"spins), but has shape {np.shape(factor)}"
        )
    return cast("Complex", float(factor) * matrix)


def _entries(matrix: Complex) -> tuple[bytes, ...]:
    if not issparse(matrix):
        return (str(matrix.shape).encode(), matrix.tobytes())
    sparse = csr_array(matrix)
    return sparse.indptr.tobytes(), sparse.indices.tobytes(), sparse.data.tobytes()


def rotation_generator(angle: float | Real, phase: float, spin: int, n: int) -> Complex:
    """Return Θ = θ(I_x cos φ + I_y sin φ) of one of n spins: angles (...) rad → (..., d, d)."""
    return rotation_steps(angle, phase, spin, n)[..., 0, :, :]


def rotation_steps(
    angle: float | Real, phase: float | Real, spin: int, n: int, shares: ArrayLike = (1,)
) -> Complex:
    """Return Θ_j = θ|w_j|(I_x cos(φ + arg w_j) + I_y sin(φ + arg w_j)) of the steps of a pulse.

    Parameters
    ----------
    angle
        θ in rad, shape (...).
    phase
        φ in rad, shape (...).
    spin, n
        Tensor position of the spin among n.
    shares
        w_j, the complex share of the angle in each of N equal steps.

    Returns
    -------
    array of shape (..., N, d, d)
    """
    w = _shares(phase, shares)
    x, y = spin_operator("x", spin, n), spin_operator("y", spin, n)
    axes = w.real[..., None, None] * x + w.imag[..., None, None] * y
    return np.asarray(np.asarray(angle, dtype=float)[..., None, None, None] * axes)


def _shares(phase: float | Real, shares: ArrayLike) -> Complex:
    return np.asarray(shares, dtype=complex) * np.exp(1j * np.asarray(phase)[..., None])


def rotation_vectors(
    angle: float | Real, phase: float | Real, spin: int, n: int, shares: ArrayLike = (1,)
) -> Real:
    """Return v_j of the steps Θ_j = Σ_k v_jk·I_k of a pulse, shape (..., N, n, 3).

    Parameters
    ----------
    angle, phase, spin, n, shares
        As for `rotation_steps`.
    """
    w = _shares(phase, shares)
    turned = np.asarray(angle, dtype=float)[..., None] * w
    vectors = np.zeros((*turned.shape, n, 3))
    vectors[..., spin, 0], vectors[..., spin, 1] = turned.real, turned.imag
    return vectors


def rotation_matrix(vectors: Real) -> Complex:
    """Return Σ_k v_k·I_k in rad: (..., n, 3) → (..., 2ⁿ, 2ⁿ).

    Up to eight spins it is an array, above it a ``csr_array``.

    Raises
    ------
    ArgumentError
        If there are batch axes above eight spins.
    """
    n = vectors.shape[-2]
    if n > DENSE_SPINS:
        return cast("Complex", sparse_matrix(pattern_sum(vector_terms(vectors), n), n))
    matrix = dense_matrix(pattern_sum(vector_terms(vectors), n), n)
    shape = (*vectors.shape[:-2], 2**n, 2**n)
    return matrix if matrix.shape == shape else np.broadcast_to(matrix, shape).copy()


def pulse_segments(
    generators: Sequence[Complex],
    durations: Sequence[Real],
    shares: Sequence[Real | None] | None = None,
) -> list[Segment]:
    """Return simultaneous rotations, centred on each other, as constant segments.

    Parameters
    ----------
    generators
        Θ of the N steps of every rotation, each of shape (..., N, d, d), rad; N may differ.
        They are only added and cut: the vectors of `rotation_vectors` will do as well.
    durations
        Length of every rotation in s, each of shape (...).
    shares
        Where the steps of every rotation begin and end, from 0 to 1 of its length, each of shape
        (..., N + 1), or None for equal steps; by default all are equal.

    Returns
    -------
    list of Segment
        The finite rotations, cut where a step of any of them ends; the rotations of zero length
        are one ideal segment in their middle.
    """
    lengths = [np.asarray(duration, dtype=float) for duration in durations]
    # ideal rotations of different spins commute: their generators add up
    ideal = [g.sum(axis=-3) for g, T in zip(generators, lengths, strict=True) if not np.any(T > 0)]
    core = [Segment(np.zeros(()), functools.reduce(np.add, ideal))] if ideal else []
    given = zip(generators, lengths, shares or [None] * len(lengths), strict=True)
    finite = [(g, T, edges) for g, T, edges in given if np.any(T > 0)]
    if not finite:
        return core
    cuts = [_edges(T, g.shape[-3], edges) for g, T, edges in finite]
    middle = [np.zeros(1)] if core else []
    every = np.concatenate(_alike([*cuts, *middle]), axis=-1)
    order = np.argsort(every, axis=-1, kind="stable")
    edges = np.take_along_axis(every, order, axis=-1)
    low, high = edges[..., :-1], edges[..., 1:]
    firsts = np.cumsum([0, *(cut.shape[-1] for cut in cuts)])
    playing = sum(
        _playing(high - low, _step_of(order, first, cut.shape[-1]), cut, g)
        for first, cut, (g, _, _) in zip(firsts[:-1], cuts, finite, strict=True)
    )
    longest = max(float(np.max(T)) for _, T, _ in finite)
    kept = [k for k in range(low.shape[-1]) if np.any((high - low)[..., k] > _EMPTY * longest)]
    segments = [Segment((high - low)[..., k], np.asarray(playing)[..., k, :, :]) for k in kept]
    before = sum(bool(np.all(high[..., k] <= _EMPTY * longest)) for k in kept)
    return [*segments[:before], *core, *segments[before:]] if core else segments


def _alike(arrays: Sequence[Real]) -> list[Real]:
    """Broadcast the batch axes of arrays whose last axes differ."""
    batch = np.broadcast_shapes(*(array.shape[:-1] for array in arrays))
    return [np.broadcast_to(array, (*batch, array.shape[-1])) for array in arrays]


def _edges(duration: Real, steps: int, shares: Real | None) -> Real:
    """Return where the steps begin and end, counted from the middle: (...) → (..., steps + 1)."""
    places = np.arange(steps + 1) / steps if shares is None else shares
    return np.asarray(duration[..., None] * (places - 0.5))


def _step_of(order: NDArray[np.intp], first: int, count: int) -> NDArray[np.intp]:
    """Return the step of a rotation that every interval between sorted edges is in.

    It is −1 before the rotation and its number of steps after it; the rotation's own edges are
    ``count`` from ``first`` on.
    """
    own = (order >= first) & (order < first + count)
    return np.asarray(np.cumsum(own, axis=-1)[..., :-1] - 1)


def _playing(width: Real, step: NDArray[np.intp], cut: Real, generators: Complex) -> Complex:
    """Return what each interval, of a width, holds of the step it is in: (..., intervals, d, d)."""
    at = step.clip(0, cut.shape[-1] - 2)
    lengths, places = _alike([np.diff(cut), at])
    length = np.take_along_axis(lengths, places.astype(np.intp), axis=-1)
    shares = np.divide(width, length, out=np.zeros(width.shape), where=(at == step) & (length > 0))
    batch = np.broadcast_shapes(at.shape[:-1], generators.shape[:-3])
    whole = np.broadcast_to(generators, (*batch, *generators.shape[-3:]))
    index = np.broadcast_to(at, (*batch, at.shape[-1]))[..., None, None]
    return np.asarray(shares[..., None, None] * np.take_along_axis(whole, index, axis=-3))


def event_segments(event: TimedPulse | TimedDelay, n: int) -> list[Segment]:
    """Return the segments of a pulse or a delay on n spins.

    Raises
    ------
    ArgumentError
        If the event has many values of a parameter and n is above eight.
    """
    if isinstance(event, TimedDelay):
        parts = [Segment(np.asarray(event.duration), cast("Complex", np.zeros((n, 3))))]
    else:
        steps = [rotation_vectors(r.angle, r.phase, r.spin, n, r.steps) for r in event.rotations]
        lengths = [np.asarray(r.duration) for r in event.rotations]
        edges = [r.edges for r in event.rotations]
        parts = pulse_segments(cast("list[Complex]", steps), lengths, edges)
    return [_on_spins(part, n) for part in parts]


def _on_spins(segment: Segment, n: int) -> Segment:
    """Return a segment with its vectors, shape (..., n, 3), made a matrix."""
    vectors = cast("Real", segment.rotation)
    batch = np.broadcast_shapes(np.shape(segment.duration), vectors.shape[:-2])
    if n > DENSE_SPINS and batch:
        raise ArgumentError(
            f"Argument `event` must have one value of every parameter above {DENSE_SPINS} spins, "
            f"but has values of shape {batch} on {n} spins"
        )
    return replace(segment, rotation=rotation_matrix(vectors))


def frame_segments(timeline: Timeline, n: int) -> list[Segment]:
    """Return the rotation exp(−iΣθI_z) that virtual z rotations leave to the end, if any."""
    if not timeline.frame:
        return []
    batch = np.broadcast_shapes(*(np.shape(angle) for angle in timeline.frame.values()))
    vectors = np.zeros((*batch, n, 3))
    for spin, angle in timeline.frame.items():
        vectors[..., spin, 2] = angle
    return [Segment(np.zeros(()), rotation_matrix(vectors), rf=False)]


def timeline_segments(timeline: Timeline, sample: Sample) -> list[Segment]:
    """Return the segments of one pass of a timeline, as one piecewise-constant control.

    Virtual z rotations end it as an ideal rotation; the receiver does not act on the spins.

    Parameters
    ----------
    timeline
        The expanded sequence, its pulses ideal or finite.
    sample
        The spins.

    Raises
    ------
    ArgumentError
        If the timeline has a gradient, which no single control describes.
    """
    n = len(sample.spins)
    segments = [s for event in timeline.events for s in _control(event, n, timeline.name)]
    return [*segments, *frame_segments(timeline, n)]


def _control(event: TimedEvent, n: int, name: str) -> list[Segment]:
    match event:
        case TimedPulse() | TimedDelay():
            return event_segments(event, n)
        case TimedAcquisition():
            return []
        case TimedGradient():
            raise ArgumentError(
                f"Argument `sequence` must be free of gradients to act as one Hamiltonian, but "
                f"{name!r} has some; they make different ones over the sample"
            )


def total_duration(segments: Sequence[Segment]) -> Real:
    """Return the summed duration of segments in s, shape (...)."""
    return np.asarray(sum((s.duration for s in segments), start=np.asarray(0.0)))
