"""The exact effective Hamiltonian of a sequence, and whether its logarithm can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.linalg import schur

from nmrqb.arguments import check_shape, checked
from nmrqb.dynamics import Segment, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger

MAX_CYCLES = 24
_CLOSED = 1e-9
_NEAR_BRANCH = 1e-3  # distance of an eigenvalue of U from −1
_PHASE_STEP, _MAX_STEPS = 0.1, 2000  # rad, and how many of them are tried


@checked
def cycles_to_close(U_rf: Complex, limit: int = MAX_CYCLES) -> int | None:
    """Return the smallest m ≤ limit with U_rf^m = 1 up to a phase, or None.

    Parameters
    ----------
    U_rf
        Rotation that the pulses of one pass make without any drift, shape (..., d, d); of a stack
        every member has to close.
    limit
        Largest number of passes tried.
    """
    one = np.eye(as_matrix(U_rf, "U_rf").shape[-1], dtype=complex)
    power = one
    for m in range(1, limit + 1):
        power = U_rf @ power
        phase = np.trace(power, axis1=-2, axis2=-1)[..., None, None] / len(one)
        if np.all(np.linalg.norm(power - phase * one, axis=(-2, -1)) < _CLOSED):
            return m
    return None


def unitary_logarithm(U: Complex) -> Complex:
    """Return the Hermitian A with U = exp(−iA), eigenvalues in [−π, π): shape (..., d, d).

    One matrix goes through its Schur form.  A stack goes through the Cayley transform
    tan(A/2) = −i(1 − U)(1 + U)⁻¹, which loses digits where an eigenvalue comes near π; such
    members go through their Schur form too.
    """
    if U.ndim == 2:
        return _schur_logarithm(U)
    flat = U.reshape(-1, *U.shape[-2:])
    one = np.eye(U.shape[-1])
    near = np.abs(np.linalg.eigvals(flat) + 1).min(axis=-1) < _NEAR_BRANCH
    safe = np.where(near[:, None, None], one, flat)
    tangent = np.asarray(-1j * np.linalg.solve(one + safe, one - safe), dtype=complex)
    hermitian = np.asarray((tangent + dagger(tangent)) / 2, dtype=complex)
    t, V = np.linalg.eigh(hermitian)
    A = (V * (2 * np.arctan(t))[..., None, :]) @ dagger(V)
    for k in np.flatnonzero(near):
        A[k] = _schur_logarithm(flat[k])
    return np.asarray(A.reshape(U.shape))


def _schur_logarithm(U: Complex) -> Complex:
    T, Z = schur(U, output="complex")
    A = (Z * -np.angle(np.diag(T))) @ dagger(Z)
    return np.asarray((A + dagger(A)) / 2)


@checked
def effective_hamiltonian(U: Complex, U_rf: Complex, period: float | Real) -> Complex:
    """Return the exact (i/T) log[U_rf†(T) U(T)] in rad/s, made traceless: shape (..., d, d).

    Parameters
    ----------
    U, U_rf
        Propagators of the whole period with and without the drift.
    period
        T in s, shape (...).

    Raises
    ------
    ArgumentError
        If a matrix is not square or not finite, the two differ in size, or T is not positive.
    """
    both, rf = as_matrix(U, "U"), as_matrix(U_rf, "U_rf")
    check_shape("U", both, rf.shape[-2:], stack=True)
    if not np.all(np.isfinite(period) & (np.asarray(period) > 0)):
        raise ArgumentError(f"Argument `period` must be a positive time in s, but is {period}")
    A = unitary_logarithm(dagger(rf) @ both)
    d = A.shape[-1]
    trace = np.trace(A, axis1=-2, axis2=-1)[..., None, None]
    return np.asarray((A - trace / d * np.eye(d)) / np.asarray(period)[..., None, None])


def branch_safe(
    segments: Sequence[Segment], drift: Complex, *, cycles: int = 1, period: float
) -> bool:
    """Tell whether the principal logarithm is the Hamiltonian that acted.

    With the drift, and what counts as drift, scaled by λ from 0 to 1, no eigenphase of
    U_rf†(T) U(T; λ) may reach π.  The phases move by at most T‖H‖ dλ, so that a grid of λ proves
    it: the largest phase on the grid plus half a step must stay below π.

    Parameters
    ----------
    segments
        One pass of the sequence.
    drift
        The sample's own Hamiltonian, rad/s, shape (d, d).
    cycles
        Number of passes that make the period.
    period
        T in s.

    Returns
    -------
    bool
        False also where the grid would need more than 2000 steps.
    """
    reach = period * float(np.linalg.norm(drift, 2)) + cycles * _extra(segments)
    if reach < np.pi:
        return True
    toggled = turned_on(segments, drift, reach, cycles)
    if toggled is None:
        return False
    phases = np.angle(np.linalg.eigvals(toggled))
    return bool(np.abs(phases).max() + reach / (2 * len(toggled) - 2) < np.pi)


def turned_on(
    segments: Sequence[Segment], drift: Complex, reach: float, cycles: int
) -> Complex | None:
    """Return U_rf†(T) U(T; λ) on a grid of λ from 0 to 1 that scales the drift: (..., d, d).

    Parameters
    ----------
    segments, drift, cycles
        As for `branch_safe`.
    reach
        By how much in rad a phase may move from λ = 0 to 1; the grid has steps of 0.1 rad.

    Returns
    -------
    array, or None where the grid would need more than 2000 steps
    """
    steps = int(np.ceil(reach / _PHASE_STEP))
    if steps > _MAX_STEPS:
        return None
    scales = np.linspace(0, 1, steps + 1)[:, None, None]
    weaker = [s if s.evolution is None else replace(s, evolution=scales * s.evolution)
              for s in segments]  # fmt: skip
    U = np.linalg.matrix_power(unitary(weaker, scales * drift), cycles)
    return np.asarray(dagger(U[0]) @ U)


def _extra(segments: Sequence[Segment]) -> float:
    """Return the largest phase in rad that evolution besides the drift makes in one pass."""
    extra = [segment.evolution for segment in segments if segment.evolution is not None]
    return float(sum(np.linalg.norm(generator, 2) for generator in extra))
