"""The exact effective Hamiltonian of a sequence, and whether its logarithm can be trusted."""

from __future__ import annotations

import numpy as np
from scipy.linalg import schur

from nmrqb.operators import Complex, dagger

MAX_CYCLES = 24
_CLOSED = 1e-9


def cycles_to_close(U_rf: Complex, limit: int = MAX_CYCLES) -> int | None:
    """Return the smallest m ≤ limit with U_rf^m = 1 up to a phase, or None.

    Parameters
    ----------
    U_rf
        Rotation that the pulses of one pass make without any drift, shape (d, d).
    limit
        Largest number of passes tried.
    """
    d = U_rf.shape[-1]
    power = np.eye(d, dtype=complex)
    for m in range(1, limit + 1):
        power = U_rf @ power
        phase = np.trace(power) / d
        if np.linalg.norm(power - phase * np.eye(d)) < _CLOSED:
            return m
    return None


def unitary_logarithm(U: Complex) -> Complex:
    """Return the Hermitian A with U = exp(−iA), eigenvalues in [−π, π): shape (d, d)."""
    T, Z = schur(U, output="complex")
    A = (Z * -np.angle(np.diag(T))) @ dagger(Z)
    return np.asarray((A + dagger(A)) / 2)


def effective_hamiltonian(U: Complex, U_rf: Complex, period: float) -> Complex:
    """Return the exact (i/T) log[U_rf†(T) U(T)] in rad/s, made traceless: shape (d, d).

    Parameters
    ----------
    U, U_rf
        Propagators of the whole period with and without the drift.
    period
        T in s.
    """
    A = unitary_logarithm(dagger(U_rf) @ U)
    d = A.shape[-1]
    return np.asarray((A - np.trace(A) / d * np.eye(d)) / period)


def branch_safe(exact: Complex, truncated: Complex, drift: Complex, period: float) -> bool:
    """Tell whether the principal logarithm is the Hamiltonian that acted.

    It is if T‖H_drift‖ < π; otherwise the Magnus series has to confirm it, with
    T‖Σ H⁽ᵏ⁾‖ < π and T‖H_exact − Σ H⁽ᵏ⁾‖ < 1/2 (spectral norms).

    Parameters
    ----------
    exact, truncated
        H from the logarithm and the truncated series, rad/s, shape (d, d).
    drift
        The sample's own Hamiltonian, rad/s, shape (d, d).
    period
        T in s.
    """
    drift_norm, series_norm, gap = (
        period * float(np.linalg.norm(H, 2)) for H in (drift, truncated, exact - truncated)
    )
    return drift_norm < np.pi or (series_norm < np.pi and gap < 0.5)
