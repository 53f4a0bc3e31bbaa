"""Coherence of a state in a basis, between levels of a battery, and of each spin alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmrqb.battery.arguments import as_dims, positive, reduced
from nmrqb.battery.entropies import (
    as_basis,
    diagonal_entropy,
    purity,
    von_neumann_entropy,
)
from nmrqb.battery.levels import dephased
from nmrqb.operators import Real, as_hermitian, dagger


def coherence_l1(rho: Any, basis: Any = None) -> Real:  # noqa: ANN401
    """Return the l1 coherence Σ_{i≠j} |ρ_ij| in a basis: (..., d, d) → (...), dimensionless.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    basis
        Basis vectors as columns, shape (d, d), say `energy_basis`; None is the computational one.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, or the basis is not orthonormal or of another size.

    Notes
    -----
    dipolar-battery-dm divides by 3 in the computational basis; dipolar-battery-dm-ksea-nmr uses
    the energy eigenbasis.  Neither factor nor basis is implied here.  Where levels of a battery are
    degenerate (`is_degenerate`) the number depends on the basis inside them, see `energy_basis`.
    """
    state = as_hermitian(rho, "rho")
    if basis is not None:
        V = as_basis(basis, state)
        state = dagger(V) @ state @ V
    diagonal = np.abs(np.einsum("...ii->...i", state)).sum(axis=-1)
    return np.asarray(np.abs(state).sum(axis=(-2, -1)) - diagonal)


def coherence_relative_entropy(rho: Any, basis: Any = None) -> Real:  # noqa: ANN401
    """Return the relative entropy of coherence S(diag ρ) − S(ρ) in a basis, in bits: (...).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    basis
        Basis vectors as columns, shape (d, d); None is the computational one.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6, or the basis is not
        orthonormal or of another size.

    Notes
    -----
    Baumgratz, Cramer & Plenio (2014).
    """
    return np.maximum(diagonal_entropy(rho, basis) - von_neumann_entropy(rho), 0.0)


def energy_coherence(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return S(Σ_E Π_E ρ Π_E) − S(ρ) in bits, the coherence between levels of a battery: (...).

    Unlike figures in an energy basis it does not depend on a choice inside degenerate levels;
    without such levels it is `coherence_relative_entropy` in the energy basis.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, the trace of ρ is not 1 within 1e-6, or the two differ in
        size.
    """
    state = positive(rho)
    return np.maximum(von_neumann_entropy(dephased(state, H)) - von_neumann_entropy(state), 0.0)


def first_order_coherence(rho: Any) -> Real:  # noqa: ANN401
    """Return √(½(Q_A² + Q_B²)) with Q_k² = 2 tr ρ_k² − 1 of each spin: (..., 4, 4) → (...).

    Of n spins it is the root of the mean of Q_k², the mean square length of their Bloch vectors.

    Parameters
    ----------
    rho
        State(s) of n spins, shape (..., 2ⁿ, 2ⁿ).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6, or it is not of spins ½.

    Notes
    -----
    heisenberg-chain-dm-battery, eqs. 11 and 12.
    """
    state = positive(rho)
    dims = as_dims(state.shape[-1], None)
    squares = [2 * purity(reduced(state, (k,), dims)) - 1 for k in range(len(dims))]
    return np.asarray(np.sqrt(np.maximum(np.mean(squares, axis=0), 0.0)))
