"""What segments make of a state, closed or open, by the method that suits the register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from scipy.sparse import issparse

from nmrqb.arguments import checked
from nmrqb.dynamics.coherent.costs import dense_cost, sparse_cost
from nmrqb.dynamics.coherent.propagators import apply, superoperator, unitary, with_trace
from nmrqb.dynamics.coherent.sparse_evolution import evolve_sparse
from nmrqb.dynamics.methods import CLOSED, Method, check_method, suited_method
from nmrqb.dynamics.relaxing.dissipation import Dissipation
from nmrqb.dynamics.relaxing.splitting import SplitEvolver
from nmrqb.dynamics.relaxing.trajectories import MAX_DENSITY, trajectories
from nmrqb.dynamics.segments import Segment, check_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, as_hermitian, as_matrix, dagger
from nmrqb.sparse_operators import DENSE_SPINS, Sparse

_UNIT = 2.0**-53


@dataclass(frozen=True, eq=False)
class Evolution:
    """A state after segments.

    Attributes
    ----------
    state
        ψ of shape (d,) or ρ of shape (..., d, d).
    error
        Estimate of the Frobenius norm of its error: truncation, splitting and rounding; for
        trajectories the largest standard error of an element and what the finite step adds.
    method
        How it was computed.
    """

    state: Complex
    error: float
    method: Method


class Evolver(Protocol):
    """A way to take states through segments, which keeps what it has computed.

    Attributes
    ----------
    method
        Its name.
    error
        The error that has come together so far, see `Evolution`.
    """

    method: Method
    error: float

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return the state after the segments."""


@dataclass(eq=False)
class UnitaryEvolver:
    """Dense propagators of a closed register."""

    drift: Complex
    method: Method = "unitary"
    error: float = 0.0

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return the state after the segments; their batch axes are the first ones of ρ."""
        dense = [segment.dense() for segment in segments]
        U = unitary(dense, self.drift)
        rounding = len(segments) * U.shape[-1] + _turns(dense, self.drift)
        self.error += _UNIT * rounding * _size(state)
        if state.ndim == 1:
            return U @ state
        U = _leading(U, state)
        return U @ state @ dagger(U)


@dataclass(eq=False)
class SuperoperatorEvolver:
    """Dense maps of an open register."""

    drift: Complex
    dissipation: Dissipation
    method: Method = "superoperator"
    error: float = 0.0

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return the state after the segments; their batch axes are the first ones of ρ."""
        loss = self.dissipation.generator
        maps = superoperator(segments, self.drift, loss)
        rounding = len(segments) * maps.shape[-1] + 2 * _turns(segments, self.drift)
        rounding += _column_sum(loss) * sum(float(np.max(s.duration)) for s in segments)
        self.error += _UNIT * rounding * _size(state)
        return with_trace(apply(_leading(maps, state), state), state)


@dataclass(eq=False)
class ChebyshevEvolver:
    """Series in the sparse Hamiltonian of a closed register; the tolerance is of one segment."""

    drift: Complex | Sparse
    tolerance: float
    method: Method = "chebyshev"
    error: float = 0.0

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return the state after the segments."""
        tolerance = self.tolerance * max(1, len(segments))
        state, error = evolve_sparse(segments, self.drift, state, tolerance=tolerance)
        self.error += error
        return state


@dataclass(eq=False)
class TrajectoryEvolver:
    """Averages over random vectors of an open register, over all segments at once."""

    drift: Complex | Sparse
    dissipation: Dissipation
    seed: int | None
    method: Method = "trajectories"
    error: float = field(default=0.0, init=False)

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return the mean of ρ over the trajectories.

        Raises
        ------
        ArgumentError
            If there are more than ten spins, or as for `trajectories`.
        """
        if self.drift.shape[-1] > MAX_DENSITY:
            raise ArgumentError(
                f"Argument `dissipation` must be of at most {MAX_DENSITY.bit_length() - 1} spins "
                f"for a density operator, but is of {self.dissipation.n}; "
                "`nmrqb.dynamics.relaxing.trajectories.trajectories` returns expectation values"
            )
        runs = trajectories(segments, self.drift, state, self.dissipation, seed=self.seed)
        self.error += float(np.max(runs.standard_error) + np.max(runs.step_error))
        return runs.mean


def _leading(maps: Complex, state: Complex) -> Complex:
    """Give maps of shape (*a, m, m) axes to act on states of shape (*a, *b, d, d)."""
    more = max(0, state.ndim - maps.ndim)
    return maps.reshape(*maps.shape[:-2], *(1,) * more, *maps.shape[-2:])


def _turns(segments: Sequence[Segment], drift: Complex) -> float:
    """Return a bound on the sum of the norms of all generators in rad, by which rounding grows."""
    size, total = _column_sum(drift), 0.0
    for segment in segments:
        total += size * float(np.max(segment.duration)) + _column_sum(segment.rotation)
        total += 0.0 if segment.evolution is None else _column_sum(segment.evolution)
    return total


def _column_sum(matrices: Complex) -> float:
    return float(np.abs(matrices).sum(axis=-2).max(initial=0.0))


def _size(state: Complex) -> float:
    axes = (-1,) if state.ndim == 1 else (-2, -1)
    return float(np.linalg.norm(state, axis=axes).max(initial=0.0))


@checked
def evolver(
    drift: Complex | Sparse,
    dissipation: Dissipation | None = None,
    *,
    method: Method | Literal["auto"] = "auto",
    tolerance: float = 1e-9,
    segments: int = 1,
    seed: int | None = None,
) -> Evolver:
    """Return the way to take states through segments under a drift and a dissipation.

    Parameters
    ----------
    drift
        H in rad/s, shape (..., d, d), or sparse of shape (d, d).
    dissipation
        Lindblad operators; None, or one without parts, is a closed register.
    method
        One of `METHODS`, or ``auto`` for `suited_method`.
    tolerance
        Largest error of a whole run where the method can choose it.
    segments
        Over how many segments the tolerance is to last.
    seed
        Of trajectories.

    Raises
    ------
    ArgumentError
        If the method is not one of them or does not suit the register, the tolerance is not
        positive, the drift is not Hermitian, or it and the dissipation are of different sizes.
    """
    drift = drift if issparse(drift) else as_hermitian(drift, "drift")  # series check a sparse one
    n = int(drift.shape[-1]).bit_length() - 1
    lost = dissipation if dissipation is not None and dissipation.parts else None
    _check(drift, dissipation, tolerance)
    chosen = suited_method(n, open_register=lost is not None) if method == "auto" else method
    check_method(chosen, open_register=lost is not None)
    if chosen in {"chebyshev", "trajectories"} and drift.ndim > 2:
        raise ArgumentError(
            f"Argument `drift` must have shape (d, d) for {chosen}, but has shape {drift.shape}"
        )
    share = tolerance / max(1, segments)
    if lost is None:
        dense = chosen == "unitary"
        return UnitaryEvolver(_dense(drift)) if dense else ChebyshevEvolver(drift, share)
    match chosen:
        case "superoperator":
            return SuperoperatorEvolver(_dense(drift), lost)
        case "splitting":
            return SplitEvolver(_dense(drift), lost, share)
        case _:
            return TrajectoryEvolver(drift, lost, seed)


def _dense(matrix: Complex | Sparse) -> Complex:
    return np.asarray(matrix.toarray() if issparse(matrix) else matrix)


def _check(drift: Complex | Sparse, dissipation: Dissipation | None, tolerance: float) -> None:
    if not tolerance > 0:
        raise ArgumentError(f"Argument `tolerance` must be positive, but is {tolerance}")
    d = int(drift.shape[-1])
    if dissipation is not None and 2**dissipation.n != d:
        raise ArgumentError(
            f"Argument `dissipation` must be of as many spins as the drift, which has dimension "
            f"{d}, but is of {dissipation.n}"
        )


@checked
def evolve(
    segments: Sequence[Segment],
    drift: Complex | Sparse,
    state: Complex,
    dissipation: Dissipation | None = None,
    *,
    method: Method | Literal["auto"] = "auto",
    tolerance: float = 1e-9,
    seed: int | None = None,
) -> Evolution:
    """Return a state after segments, ρ̇ = −i[H + Θ̇(t), ρ] + Σ D[L_m]ρ.

    Parameters
    ----------
    segments
        Piecewise-constant controls in the order of time.
    drift
        H in rad/s, shape (..., d, d), or sparse of shape (d, d).
    state
        ψ of shape (d,), or ρ or a deviation of shape (..., d, d), as an array or ``qutip.Qobj``;
        of an open register ψ becomes ρ, except by trajectories.
    dissipation
        Lindblad operators, which act during pulses as during delays; None is a closed register.
    method
        ``auto`` or one of `METHODS`.  ``auto`` is `suited_method`, and where ψ meets a sparse
        drift of few spins what `nmrqb.dynamics.coherent.costs` finds cheaper.
    tolerance
        Largest error of the final state in the Frobenius norm, where the method can choose it.
    seed
        Of trajectories.

    Raises
    ------
    ArgumentError
        If the state or a segment does not fit the drift or is not finite, or as for `evolver`.

    Examples
    --------
    >>> from nmrqb.dynamics import Segment, basis_state, rotation_generator
    >>> pulse = Segment(np.asarray(0.0), rotation_generator(np.pi, 0.0, 0, 1))
    >>> evolve([pulse], np.zeros((2, 2)), basis_state("0")).state.real.round(12)
    array([[0., 0.],
           [0., 1.]])
    """
    drift = drift if issparse(drift) else as_matrix(drift, "drift")
    d = int(drift.shape[-1])
    start = _state(state, d)
    check_segments(segments, d)
    closed = dissipation is None or not dissipation.parts
    if method == "auto" and closed and start.ndim == 1 and issparse(drift):
        method = _for_vector(segments, drift, tolerance)
    way = evolver(
        drift,
        dissipation,
        method=method,
        tolerance=tolerance,
        segments=len(segments),
        seed=seed,
    )
    if start.ndim == 1 and way.method not in {*CLOSED, "trajectories"}:
        start = np.outer(start, start.conj())
    return Evolution(way.advance(start, segments), way.error, way.method)


def _for_vector(
    segments: Sequence[Segment], drift: Sparse, tolerance: float
) -> Method | Literal["auto"]:
    """Return what costs less for ψ of few spins; finding it out pays where matrices are sparse."""
    batch = any(np.ndim(segment.duration) or segment.rotation.ndim > 2 for segment in segments)
    if batch or drift.shape[-1] > 2**DENSE_SPINS:
        return "auto"
    dense = dense_cost(segments, drift.shape[-1])
    return "chebyshev" if sparse_cost(segments, drift, tolerance=tolerance) < dense else "unitary"


def _state(state: Complex, d: int) -> Complex:
    vector = state[:, 0] if state.shape == (d, 1) else state  # a ket of QuTiP is a column
    if vector.ndim == 1:
        if vector.shape != (d,) or not np.all(np.isfinite(vector)):
            raise ArgumentError(
                f"Argument `state` must be {d} finite numbers or a matrix, but has shape "
                f"{vector.shape}"
            )
        return np.asarray(vector, dtype=complex)
    rho = as_matrix(state, "state")
    if rho.shape[-1] != d:
        raise ArgumentError(
            f"Argument `state` must be of dimension {d} like the drift, but is of dimension "
            f"{rho.shape[-1]}"
        )
    return rho
