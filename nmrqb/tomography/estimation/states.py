"""Density matrices as Pauli coefficients: c_P = tr(Pρ) belongs to ρ = (1 + Σ c_P P)/d."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nmrqb.operators import Complex, Real, dagger, pauli_basis


def to_state(coefficients: Real) -> Complex:
    """Return ρ = (1 + Σ c_P P)/d: (..., 4ⁿ − 1) → (..., d, d)."""
    rho = operator_of(coefficients) / _dimension(coefficients)
    levels = np.arange(rho.shape[-1])
    rho[..., levels, levels] += 1 / rho.shape[-1]
    return rho


def to_coefficients(rho: Complex) -> Real:
    """Return c_P = tr(Pρ) of states without the identity: (..., d, d) → (..., 4ⁿ − 1)."""
    d = rho.shape[-1]
    whole = np.ascontiguousarray(rho, dtype=complex).view(float)
    flat = whole.reshape(*rho.shape[:-2], 2 * d * d)
    return np.asarray(flat @ _rows(d).T)


def operator_of(coefficients: Real) -> Complex:
    """Return Σ a_P P: (..., 4ⁿ − 1) → (..., d, d)."""
    d = _dimension(coefficients)
    flat = coefficients @ _rows(d)
    return np.asarray(flat.view(complex).reshape(*coefficients.shape[:-1], d, d))


def nearest_state(coefficients: Real) -> Real:
    """Return the states nearest in the Euclidean metric: the spectrum is clipped on a simplex.

    tr(ρ − σ)² = Σ (c_P − s_P)²/d, so that the metric is that of matrices and of coefficients alike.
    """
    r, V = np.linalg.eigh(to_state(coefficients))
    descending = r[..., ::-1]
    k = np.arange(1, r.shape[-1] + 1)
    excess = (np.cumsum(descending, axis=-1) - 1) / k
    support = np.sum(descending > excess, axis=-1, keepdims=True)
    shift = np.take_along_axis(excess, support - 1, axis=-1)
    clipped = np.clip(r - shift, 0, None)
    return to_coefficients((V * clipped[..., None, :]) @ dagger(V))


def misfit(coefficients: Real, target: Real, precision: Real) -> Real:
    """Return (c − ĉ)ᵀ C⁻¹ (c − ĉ), what χ² of the data grows by: (..., P), (..., P) → (...)."""
    step = coefficients - target
    return np.asarray(((step @ precision) * step).sum(axis=-1))


def _dimension(coefficients: Real) -> int:
    return round(float(np.sqrt(coefficients.shape[-1] + 1)))


@lru_cache(maxsize=8)
def _rows(d: int) -> Real:
    """Return the Pauli strings without 1, real and imaginary parts in turn: (4ⁿ − 1, 2d²)."""
    paulis = pauli_basis(d.bit_length() - 1)[1:].reshape(-1, d * d)
    rows = np.ascontiguousarray(paulis).view(float)
    rows.setflags(write=False)
    return rows
