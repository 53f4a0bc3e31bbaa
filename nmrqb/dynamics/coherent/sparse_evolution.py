"""Coherent evolution of many spins: every segment by the cheapest exact or bounded means.

What a segment's generator A = Θ + HT + evolution is decides how exp(−iA) is applied: a diagonal
one element by element, a sum of rotations of single spins by 2 × 2 matrices, both exactly, and
anything else by a Chebyshev series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
from scipy.sparse import csr_array, issparse

from nmrqb.dynamics.coherent.chebyshev import hermitian, matrix_series
from nmrqb.dynamics.coherent.exponentials import exp_hermitian
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, dagger, kron
from nmrqb.sparse_operators import Sparse, pattern_sum, sparse_matrix, vector_terms

_UNIT = float(np.finfo(float).eps)
_GROUP = 4  # spins that are turned by one matrix
_SPINS = np.array([PAULI[a] for a in "XYZ"]) / 2


@dataclass(frozen=True, eq=False)
class Step:
    """exp(−iA) of a segment.

    Attributes
    ----------
    act
        Applies it to states of shape (d, k).
    error
        Bound on the 2-norm of the difference from exp(−iA).
    """

    act: Callable[[Complex], Complex]
    error: float


def step(A: Complex | Sparse, tolerance: float = 1e-12) -> Step:
    """Return exp(−iA) of a Hermitian generator by the cheapest means.

    Parameters
    ----------
    A
        In rad, shape (d, d) with d = 2ⁿ: a dense one is diagonalised, a sparse one is not.
    tolerance
        Bound on the truncation of a series.

    Raises
    ------
    ArgumentError
        As for `nmrqb.dynamics.coherent.chebyshev.series`.
    """
    if not issparse(A):
        return _dense(np.asarray(A))
    matrix = hermitian(A)
    diagonal = matrix.diagonal().real
    if not matrix.nnz or np.array_equal(matrix.indices, np.flatnonzero(np.diff(matrix.indptr))):
        return _diagonal(diagonal)
    vectors = single_spin_vectors(matrix)
    if vectors is not None:
        turns = exp_hermitian(np.einsum("ka,aij->kij", vectors, _SPINS))
        return Step(partial(turn, turns), 16 * _UNIT * len(turns) * (1 + np.abs(vectors).max()))
    exponential = matrix_series(matrix, tolerance)
    return Step(exponential, exponential.error)


def _diagonal(phases: Real) -> Step:
    factors = np.exp(-1j * phases)[:, None]
    return Step(lambda states: factors * states, _UNIT * (2 + float(np.abs(phases).max())))


def _dense(A: Complex) -> Step:
    U = exp_hermitian(A)
    size = float(np.linalg.norm(A))
    return Step(lambda states: U @ states, 4 * _UNIT * (len(A) + size))


def single_spin_vectors(A: csr_array) -> Real | None:
    """Return v of A = Σ_k v_k·I_k, shape (n, 3), or None if A is not such a sum."""
    d = A.shape[0]
    n = d.bit_length() - 1
    if d != 2**n or A.nnz > d * (n + 1):
        return None
    bits = 1 << np.arange(n)[::-1]
    top = A[[0], :].toarray()[0]
    diagonal = A.diagonal().real
    z = diagonal[0] - diagonal[bits]
    vectors = np.stack([2 * top[bits].real, -2 * top[bits].imag, z], axis=-1)
    again = sparse_matrix(pattern_sum(vector_terms(vectors), n), n)
    off = abs(A - again).max()
    return vectors if off <= n * _UNIT * np.abs(vectors).max() else None


def turn(turns: Complex, states: Complex) -> Complex:
    """Return ⊗_k U_k applied to states: (n, 2, 2), (2ⁿ, k) → (2ⁿ, k).

    A few spins at a time stand in front, are turned together and go to the back.
    """
    d, columns = states.shape
    for first in range(0, len(turns), _GROUP):
        U = kron(turns[first : first + _GROUP])
        states = (U @ states.reshape(len(U), -1)).T
    return np.ascontiguousarray(states.reshape(columns, d).T)


def prepared(segments: Sequence[Segment], drift: Complex | Sparse, tolerance: float) -> list[Step]:
    """Return the step of every segment; equal segments share one.

    Parameters
    ----------
    segments, drift
        As for `evolve_sparse`.
    tolerance
        Bound on the truncation of all steps together.
    """
    keys = {id(segment): segment.content for segment in {id(s): s for s in segments}.values()}
    distinct = {keys[id(segment)]: segment for segment in segments}
    share = tolerance / max(len(segments), 1)
    steps = {key: step(segment.generator(drift), share) for key, segment in distinct.items()}
    return [steps[keys[id(segment)]] for segment in segments]


def evolve_sparse(
    segments: Sequence[Segment],
    drift: Complex | Sparse,
    state: Complex,
    *,
    tolerance: float = 1e-9,
) -> tuple[Complex, float]:
    """Return a state after segments without ever making a propagator.

    Parameters
    ----------
    segments
        Piecewise-constant controls in the order of time, of one value of every parameter; equal
        ones are prepared once.
    drift
        H in rad/s, shape (d, d), sparse or dense (it is made sparse).
    state
        ψ of shape (d,), or ρ of shape (d, d), which is acted on from both sides.
    tolerance
        Bound on the truncation, relative to the 2-norm of the state.

    Returns
    -------
    state, error
        The bound on the 2-norm of the error (Frobenius norm for ρ) includes rounding; see
        `nmrqb.dynamics.coherent.chebyshev.Series`.

    Raises
    ------
    ArgumentError
        If the state does not fit the drift or is not finite, or as for
        `nmrqb.dynamics.coherent.chebyshev.series`.
    """
    psi = check_state(state, drift.shape[0])
    mixed = psi.ndim == 2
    steps = prepared(segments, csr_array(drift), tolerance / 2 if mixed else tolerance)
    error = sum(s.error for s in steps)
    columns = reduce(lambda states, s: s.act(states), steps, psi.reshape(len(psi), -1))
    if mixed:
        columns = dagger(reduce(lambda states, s: s.act(states), steps, dagger(columns)))
        error *= 2 + error
    return columns.reshape(psi.shape), float(error * np.linalg.norm(psi))


def check_state(state: Complex, d: int) -> Complex:
    """Return a state vector or a density operator of dimension d as an array.

    Raises
    ------
    ArgumentError
        If it has another shape or holds numbers that are not finite.
    """
    psi = np.asarray(state, dtype=complex)
    if psi.shape not in {(d,), (d, d)}:
        raise ArgumentError(
            f"Argument `state` must have shape ({d},) or ({d}, {d}), but has shape {psi.shape}"
        )
    if not np.all(np.isfinite(psi)):
        raise ArgumentError(
            f"Argument `state` must be finite, but holds "
            f"{np.count_nonzero(~np.isfinite(psi))} entries that are not"
        )
    return psi
