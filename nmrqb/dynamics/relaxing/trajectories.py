"""Open dynamics of many spins by quantum trajectories.

K state vectors are followed instead of ρ.  In a step h they evolve coherently for h/2, then take
one random operator of every part of the dissipation (see `nmrqb.dynamics.relaxing.unravelling`),
and evolve for h/2 again.  The average over the draws is Strang's splitting of the master equation,
of second order in h, and what is left is of statistical nature: it falls as 1/√K.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from nmrqb.arguments import as_seed
from nmrqb.dynamics.coherent.sparse_evolution import Step, check_state, step
from nmrqb.dynamics.relaxing.dissipation import Dissipation
from nmrqb.dynamics.relaxing.unravelling import Channel
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sparse_operators import Sparse

MAX_DENSITY = 1024  # dimension up to which the mean density operator is made
_TOLERANCE = 1e-12  # of one coherent step
_HERMITIAN = 1e-12
_FEW = 10.0  # jumps, below which their scatter is not seen


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Averages over trajectories.

    Attributes
    ----------
    mean
        ⟨O_m⟩ of the observables, shape (m,), or ρ, shape (d, d).
    standard_error
        Standard error of the mean, of the shape of ``mean``.  Where fewer than ten jumps can be
        expected among all trajectories they may all be missed: then it is at least s√(q/K), with
        q the jumps of one trajectory and s the widest change that one can make.
    step_error
        Estimate of what the finite step adds, of the shape of ``mean``: a third of the
        difference from a run with steps of twice the length and the same noise, plus two
        standard errors of that third.
    count, steps, seed
        Number of trajectories, of steps in every segment, and what the draws began with.
    """

    mean: Complex
    standard_error: Real
    step_error: Real
    count: int
    steps: int
    seed: int


def trajectories(
    segments: Sequence[Segment],
    drift: Complex | Sparse,
    state: Complex,
    dissipation: Dissipation,
    *,
    observables: Sequence[Complex | Sparse] | None = None,
    count: int = 200,
    steps: int = 4,
    seed: int | None = None,
) -> Trajectories:
    """Return expectation values, or ρ, after segments under H and dissipation.

    Parameters
    ----------
    segments, drift
        As for `nmrqb.dynamics.coherent.sparse_evolution.evolve_sparse`.
    state
        ψ of shape (d,), or a Hermitian ρ or deviation of shape (d, d), whose eigenvectors are
        sampled evenly, |λ| being their share and the sign of λ their weight.
    dissipation
        Acts during every segment that lasts.
    observables
        O_m, each (d, d), dense or sparse; by default ρ itself is averaged.
    count
        Number K ≥ 2 of trajectories.
    steps
        Number ≥ 1 of steps in every segment that lasts; a second run takes half as long ones,
        and is what is returned.
    seed
        Of the generator of random numbers; by default one that the system gives.

    Raises
    ------
    ArgumentError
        If an argument does not fit the others, ρ is not Hermitian, ρ is asked for above ten
        spins, or a part of the dissipation cannot be drawn.
    """
    d = int(drift.shape[-1])
    _check(d, dissipation, count, steps)
    measured = _checked_observables(observables, d)
    seed = _new_seed() if seed is None else seed
    rng = np.random.default_rng(as_seed(seed))
    start, weights = _sampled(check_state(state, d), count, rng)
    fine, coarse, jumps = _followed(segments, drift, start, dissipation, steps, rng)
    if measured is None:
        mean, error, step_error = _density(fine, coarse, weights)
    else:
        mean, error, step_error = _expectations(measured, fine, coarse, weights)
    if jumps * count < _FEW:
        widest = np.abs(weights).max() * _widths(measured)
        error = np.maximum(error, widest * np.sqrt(jumps / count))
    return Trajectories(mean, error, step_error, count=count, steps=2 * steps, seed=seed)


def _new_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def _check(d: int, dissipation: Dissipation, count: int, steps: int) -> None:
    if d != 2**dissipation.n:
        raise ArgumentError(
            f"Argument `dissipation` must be of the spins of `drift` (dimension {d}), but is of "
            f"{dissipation.n} spins"
        )
    for name, value, least in (("count", count, 2), ("steps", steps, 1)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ArgumentError(f"Argument `{name}` must be a number ≥ {least}, but is {value!r}")


def _checked_observables(
    observables: Sequence[Complex | Sparse] | None, d: int
) -> list[Complex | Sparse] | None:
    if observables is None:
        if d > MAX_DENSITY:
            raise ArgumentError(
                f"Argument `observables` must be given above dimension {MAX_DENSITY}, but is None "
                f"for dimension {d}"
            )
        return None
    for operator in observables:
        if operator.shape != (d, d):
            raise ArgumentError(
                f"Argument `observables` must have shape ({d}, {d}) each, but one has shape "
                f"{operator.shape}"
            )
    return list(observables)


# --------------------------------------------------------------------------------- the start
def _sampled(state: Complex, count: int, rng: np.random.Generator) -> tuple[Complex, Real]:
    """Return vectors (d, K) and weights (K,) whose weighted mean is the state."""
    if state.ndim == 1:
        norm = float(np.linalg.norm(state))
        vectors = np.tile((state / (norm or 1.0))[:, None], (1, count))
        return vectors, np.full(count, norm**2)
    levels, vectors = _eigenvectors(state)
    sizes = np.abs(levels)
    total = float(sizes.sum())
    if total == 0:
        return np.tile(vectors[:, :1], (1, count)), np.zeros(count)
    places = (np.arange(count) + rng.random()) / count  # evenly spread over the shares
    chosen = np.searchsorted(np.cumsum(sizes) / total, places).clip(max=len(levels) - 1)
    return np.ascontiguousarray(vectors[:, chosen]), total * np.sign(levels[chosen])


def _eigenvectors(rho: Complex) -> tuple[Real, Complex]:
    skew = float(np.abs(rho - rho.conj().T).max())
    if skew > _HERMITIAN * float(np.abs(rho).max()):
        raise ArgumentError(
            f"Argument `state` must be Hermitian, but differs from its conjugate transpose by "
            f"{skew:.3g}"
        )
    diagonal = np.diagonal(rho).real
    if np.array_equal(np.diag(diagonal), rho):
        return diagonal, np.eye(len(rho), dtype=complex)
    levels, vectors = np.linalg.eigh(rho)
    return levels, vectors


# ------------------------------------------------------------------------------------ the way
@dataclass
class _Walk:
    """States on their way through a segment in equal steps: half, channel, half."""

    states: Complex
    half: Step
    whole: Step
    channel: Channel

    def begin(self, states: Complex) -> None:
        self.states = self.half.act(states)

    def go(self, draws: Sequence[Real], *, last: bool) -> None:
        moved = self.channel.act(self.states, draws)
        self.states = (self.half if last else self.whole).act(moved)


def _walks(
    A: Complex, duration: float, dissipation: Dissipation, steps: int
) -> tuple[_Walk, _Walk]:
    """Return the walk of twice as many steps and that of the given number."""
    nowhere = np.empty(0, dtype=complex)
    quarter, half, whole = (step(A / (m * steps), _TOLERANCE) for m in (4, 2, 1))
    short, long = (Channel(dissipation, duration / (m * steps)) for m in (2, 1))
    return _Walk(nowhere, quarter, half, short), _Walk(nowhere, half, whole, long)


def _followed(
    segments: Sequence[Segment],
    drift: Complex | Sparse,
    states: Complex,
    dissipation: Dissipation,
    steps: int,
    rng: np.random.Generator,
) -> tuple[Complex, Complex, float]:
    """Return the states at the end, by the finer and by the coarser steps, under one noise.

    The number bounds the mean number of jumps of one trajectory.
    """
    known: dict[tuple[bytes, ...], tuple[_Walk, _Walk] | Step] = {}
    fine, coarse, jumps = states, states, 0.0
    for segment in segments:
        key = segment.content
        if key not in known:
            known[key] = _prepared(segment, drift, dissipation, steps)
        way = known[key]
        if isinstance(way, Step):
            fine, coarse = way.act(fine), way.act(coarse)
        else:
            fine, coarse = _through(way, fine, coarse, steps, rng)
            jumps += 2 * steps * way[0].channel.jumps
    return fine, coarse, jumps


def _prepared(
    segment: Segment, drift: Complex | Sparse, dissipation: Dissipation, steps: int
) -> tuple[_Walk, _Walk] | Step:
    A = segment.generator(drift)
    if np.ndim(segment.duration) or A.ndim != 2:
        raise ArgumentError(
            f"Argument `segments` must have no batch axes, but one has a generator of shape "
            f"{A.shape} and a duration of shape {np.shape(segment.duration)}"
        )
    duration = float(segment.duration)
    if duration == 0 or not dissipation.parts:
        return step(A, _TOLERANCE)
    return _walks(A, duration, dissipation, steps)


def _through(
    way: tuple[_Walk, _Walk], fine: Complex, coarse: Complex, steps: int, rng: np.random.Generator
) -> tuple[Complex, Complex]:
    finer, coarser = way
    finer.begin(fine)
    coarser.begin(coarse)
    for j in range(steps):
        first, second = (finer.channel.draw(rng, fine.shape[-1]) for _ in range(2))
        last = j == steps - 1
        finer.go(first, last=False)
        finer.go(second, last=last)
        coarser.go(finer.channel.combined(first, second), last=last)
    return finer.states, coarser.states


# ------------------------------------------------------------------------------- the averages
def _third(difference: Complex, square: Real, count: int) -> Real:
    """Return a third of the mean difference and of two of its standard errors."""
    variance = (square - np.abs(difference) ** 2).clip(min=0) / (count - 1)
    return np.asarray((np.abs(difference) + 2 * np.sqrt(variance)) / 3)


def _widths(observables: Sequence[Complex | Sparse] | None) -> Real:
    """Return a bound on the change of every mean between two states."""
    if observables is None:
        return np.asarray(2.0)
    sizes: list[Real] = [abs(csr_array(operator)).sum(axis=1) for operator in observables]
    return np.array([2 * float(np.max(size)) for size in sizes])


def _expectations(
    observables: Sequence[Complex | Sparse], fine: Complex, coarse: Complex, weights: Real
) -> tuple[Complex, Real, Real]:
    def values(states: Complex) -> Complex:
        seen = [np.sum(states.conj() * np.asarray(o @ states), axis=0) for o in observables]
        table = np.array(seen, dtype=complex).reshape(len(seen), len(weights))
        return np.asarray(table * weights, dtype=complex)

    finer, coarser = values(fine), values(coarse)
    count = len(weights)
    squares = (np.abs(np.diff(finer, axis=-1)) ** 2).sum(axis=-1)
    gap = finer - coarser
    square = np.asarray((np.abs(gap) ** 2).mean(axis=-1))
    step_error = _third(gap.mean(axis=-1), square, count)
    return finer.mean(axis=-1), _error_of_neighbours(squares, count), step_error


def _error_of_neighbours(squares: Real, count: int) -> Real:
    """Return the standard error of a mean from the summed squares of neighbours' differences.

    Neighbours start from the same eigenvector: how the eigenvectors differ, which sampling them
    evenly takes care of, does not count as noise.
    """
    return np.asarray(np.sqrt(squares.clip(min=0) / (2 * (count - 1) * count)))


def _density(fine: Complex, coarse: Complex, weights: Real) -> tuple[Complex, Real, Real]:
    count = len(weights)

    def mean(states: Complex) -> Complex:
        return np.asarray((states * weights) @ states.conj().T / count)

    sizes = np.abs(fine) ** 2 * np.abs(weights)
    overlap = (fine[:, :-1] * fine[:, 1:].conj()) * np.sqrt(np.abs(weights[:-1] * weights[1:]))
    signs = np.sign(weights[:-1] * weights[1:])
    squares = sizes[:, :-1] @ sizes[:, :-1].T + sizes[:, 1:] @ sizes[:, 1:].T
    squares -= 2 * ((overlap * signs) @ overlap.conj().T).real
    finer = mean(fine)
    square = _square_gap(fine, coarse, weights) / count
    step_error = _third(finer - mean(coarse), square, count)
    return finer, _error_of_neighbours(squares, count), step_error


def _square_gap(fine: Complex, coarse: Complex, weights: Real) -> Real:
    """Return Σ |w|²|ψψ† − φφ†|² over the trajectories, element by element."""
    a, b = np.abs(fine) ** 2 * np.abs(weights), np.abs(coarse) ** 2 * np.abs(weights)
    mixed = fine * coarse.conj() * np.abs(weights)
    return np.asarray(a @ a.T + b @ b.T - 2 * (mixed @ mixed.conj().T).real)
