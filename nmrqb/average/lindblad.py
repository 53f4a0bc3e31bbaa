"""Generators of open systems taken apart: real Pauli form, Hamiltonian, Kossakowski matrix.

Superoperators act on row-flattened states (vec(AρB) = (A ⊗ Bᵀ) vec(ρ)).  With the normalised
Pauli strings F_P = P/√d, F_0 = 1/√d, every generator that preserves Hermiticity and trace is, in
one way only (Gorini, Kossakowski and Sudarshan, J. Math. Phys. 17, 821 (1976)),

    𝓛(ρ) = −i[H, ρ] + Σ_PQ a_PQ (F_P ρ F_Q − ½{F_Q F_P, ρ}),  tr H = 0, P and Q ≠ 1, a† = a,

and it generates quantum channels at all times if and only if a ≥ 0.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nmrqb.operators import Complex, Real, from_pauli_coefficients, pauli_basis


def spins_of(superoperator: Complex | Real) -> int:
    """Return n of a superoperator of shape (..., 4ⁿ, 4ⁿ)."""
    return (int(superoperator.shape[-1]).bit_length() - 1) // 2


@lru_cache(maxsize=8)
def _flat_basis(n: int) -> Complex:
    """Return vec(P)/√d of all Pauli strings as the columns of a unitary matrix (4ⁿ, 4ⁿ)."""
    columns: Complex = np.asarray(pauli_basis(n).reshape(4**n, 4**n).T / np.sqrt(2**n))
    columns.setflags(write=False)
    return columns


def pauli_transfer(superoperator: Complex) -> Complex:
    """Return R_PQ = tr(P 𝓢(Q))/d: (..., d², d²) → (..., d², d²).

    R is real (to rounding) if 𝓢 preserves Hermiticity, and row 1 is 0 if a generator preserves
    the trace.
    """
    basis = _flat_basis(spins_of(superoperator))
    return np.asarray(basis.conj().T @ superoperator @ basis)


def from_pauli_transfer(transfer: Real | Complex) -> Complex:
    """Return the superoperator on row-flattened states, the inverse of `pauli_transfer`."""
    basis = _flat_basis(spins_of(transfer))
    return np.asarray(basis @ transfer @ basis.conj().T)


def kossakowski_form(generator: Complex) -> tuple[Complex, Complex]:
    """Return H in rad/s and the Kossakowski matrix a in 1/s of a generator.

    Parameters
    ----------
    generator
        𝓛 in 1/s, shape (..., d², d²), preserving Hermiticity and trace.

    Returns
    -------
    H of shape (..., d, d), traceless; a of shape (..., d² − 1, d² − 1), without the string 1
    """
    n = spins_of(generator)
    d = 2**n
    batch = generator.shape[:-2]
    choi = generator.reshape(*batch, d, d, d, d).swapaxes(-3, -2).reshape(*batch, d * d, d * d)
    basis = _flat_basis(n)
    chi = basis.conj().T @ choi @ basis  # 𝓛(ρ) = Σ χ_PQ F_P ρ F_Q
    c = np.zeros((*batch, d * d))
    c[..., 1:] = -chi[..., 1:, 0].imag / d
    return from_pauli_coefficients(c), np.asarray(chi[..., 1:, 1:])


def smallest_rate(kossakowski: Complex) -> Real:
    """Return the smallest eigenvalue of Kossakowski matrices in 1/s: (..., m, m) → (...)."""
    hermitian = (kossakowski + kossakowski.conj().swapaxes(-1, -2)) / 2
    return np.asarray(np.linalg.eigvalsh(hermitian)[..., 0])


def on_spins(generator: Complex, spins: tuple[int, ...]) -> Complex:
    """Return X ↦ tr_rest 𝓛(X ⊗ 1_rest)/d_rest: what a generator does to operators of some spins.

    Parameters
    ----------
    generator
        𝓛, shape (d², d²).
    spins
        Tensor positions of the k spins, in order.

    Returns
    -------
    array of shape (4ᵏ, 4ᵏ)
    """
    n = spins_of(generator)
    places = np.zeros(1, dtype=int)
    for spin in spins:
        letters = np.arange(4) * 4 ** (n - 1 - spin)
        places = (places[:, None] + letters).ravel()
    return from_pauli_transfer(pauli_transfer(generator)[np.ix_(places, places)])
