"""Relaxation as Lindblad operators: T1 and T2 of every spin.

A relaxation model is anything that yields collapse operators; the propagators only see the
superoperator that `dissipator` makes of them.  Matrices are flattened row by row, so that
vec(AρB) = (A ⊗ Bᵀ) vec(ρ).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, dagger, embed
from nmrqb.sample import Sample

_RAISE = np.array([[0, 1], [0, 0]], dtype=complex)  # |0⟩⟨1|


def spin_rates(T1: float, T2: float, polarization: float = 0.0) -> tuple[float, float, float]:
    """Return the rates (|1⟩→|0⟩, |0⟩→|1⟩, pure dephasing) of one spin in 1/s.

    Γ↑ = (1 + p)/(2 T1), Γ↓ = (1 − p)/(2 T1), 1/T_φ = 1/T2 − 1/(2 T1): ⟨σ_z⟩ goes to p with T1,
    coherences decay with T2.

    Raises
    ------
    ArgumentError
        If a time is not positive, T2 > 2 T1, or |p| > 1.
    """
    if not (T1 > 0 and T2 > 0):
        raise ArgumentError(f"Arguments `T1` and `T2` must be positive, but are {T1} s and {T2} s")
    if T2 > 2 * T1 * (1 + 1e-12):
        raise ArgumentError(f"Argument `T2` must be at most 2 T1 = {2 * T1} s, but is {T2} s")
    if abs(polarization) > 1:
        raise ArgumentError(f"Argument `polarization` must be in [-1, 1], but is {polarization}")
    dephasing = max(0.0, 1 / T2 - 1 / (2 * T1))
    return (1 + polarization) / (2 * T1), (1 - polarization) / (2 * T1), dephasing


def collapse_operators(sample: Sample) -> list[Complex]:
    """Return the Lindblad operators of T1 and T2 of every spin, in s^(-1/2), each (2ⁿ, 2ⁿ)."""
    n = len(sample.spins)
    operators = []
    for k, spin in enumerate(sample.spins):
        up, down, dephasing = spin_rates(spin.T1_s, spin.T2_s, spin.polarization)
        one_spin = (up, _RAISE), (down, dagger(_RAISE)), (dephasing / 2, PAULI["Z"])
        operators += [np.sqrt(rate) * embed(op, k, n) for rate, op in one_spin if rate > 0]
    return operators


def commutator_superoperator(hamiltonian: Complex) -> Complex:
    """Return the matrix of ρ ↦ −i[H, ρ]: (..., d, d) rad/s → (..., d², d²)."""
    d = hamiltonian.shape[-1]
    one = np.eye(d)
    left = np.einsum("...ij,kl->...ikjl", hamiltonian, one)
    right = np.einsum("ij,...lk->...ikjl", one, hamiltonian)
    return np.asarray(-1j * (left - right).reshape(*hamiltonian.shape[:-2], d * d, d * d))


def dissipator(operators: Iterable[Complex], d: int) -> Complex:
    """Return the matrix of ρ ↦ Σ LρL† − ½{L†L, ρ}, shape (d², d²), 1/s."""
    one = np.eye(d)
    total = np.zeros((d * d, d * d), dtype=complex)
    for L in operators:
        rate = dagger(L) @ L
        total += np.kron(L, L.conj()) - (np.kron(rate, one) + np.kron(one, rate.T)) / 2
    return total
