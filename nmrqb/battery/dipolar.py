"""The two-spin batteries with dipolar, DM and KSEA coupling, and how they are charged.

Everything takes stacks of constants and answers with stacks of states.  Energies and rates are in
the papers' own units (ħ = k_B = 1), times in their inverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.battery import active_energy, capacity, coherence_l1, energy, passive_energy
from nmrqb.battery.checks import finite_numbers
from nmrqb.dynamics import commutator_superoperator, dissipator, exp_matrix, gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    PAULI,
    Complex,
    Real,
    as_hermitian,
    check_two_spins,
    embed,
    kron,
    named_operator,
)

FieldConvention = Literal["matrix", "operators"]

_TERMS = {"D": "DM_z", "G": "KSEA_z", "Delta": "Delta", "epsilon": "epsilon", "B": "B"}
_SAME_LEVEL = 1e-9  # of the largest element of H
_PER_FIELD: dict[FieldConvention, float] = {"matrix": 4.0, "operators": 2.0}
_DRIVE = embed(PAULI["X"], 0, 2) + embed(PAULI["X"], 1, 2)


def magnetic_dipolar_hamiltonian(
    *,
    D: ArrayLike = 0.0,
    G: ArrayLike = 0.0,
    Delta: ArrayLike = 0.0,
    epsilon: ArrayLike = 0.0,
    B: ArrayLike = 0.0,
) -> Complex:
    """Return H = D(XY−YX) + G(XY+YX) − ⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2 + B(ZI+IZ).

    Parameters
    ----------
    D, G, Delta, epsilon, B
        Constants in one unit, each of shape (...); they broadcast.

    Returns
    -------
    array of shape (..., 4, 4), in that unit

    Raises
    ------
    ArgumentError
        If a constant is not finite.

    Notes
    -----
    dipolar-battery-dm-ksea-nmr, eq. 12; one set of constants makes `Battery.from_terms`.
    """
    values = {"D": D, "G": G, "Delta": Delta, "epsilon": epsilon, "B": B}
    parts = [
        finite_numbers(value, name)[..., None, None] * named_operator(_TERMS[name])
        for name, value in values.items()
    ]
    return sum(parts, start=np.zeros((4, 4), dtype=complex))


def dipolar_hamiltonian(
    *,
    Delta: ArrayLike = 0.0,
    epsilon: ArrayLike = 0.0,
    D: ArrayLike = 0.0,
    B: ArrayLike = 0.0,
    field: FieldConvention = "matrix",
) -> Complex:
    """Return H_B of dipolar-battery-dm for spins S = σ/2: (..., 4, 4) in the unit of the constants.

    −⅓ S1·diag(Δ−3ε, Δ+3ε, −2Δ)·S2 + D(S1×S2)_z and a field: `magnetic_dipolar_hamiltonian` with
    every two-spin constant divided by 4.

    Parameters
    ----------
    Delta, epsilon, D, B
        Constants, each of shape (...).
    field
        ``matrix``: ±B/2 on |00⟩ and |11⟩, as the paper's eqs. 11 to 14 and its figures have it;
        ``operators``: ±B, which its eq. 10 says, B(S1z + S2z).

    Raises
    ------
    ArgumentError
        If a constant is not finite, or the convention is neither of the two.
    """
    if field not in _PER_FIELD:
        raise ArgumentError(f"Argument `field` must be matrix or operators, but is {field!r}")
    return magnetic_dipolar_hamiltonian(
        Delta=np.divide(Delta, 4),
        epsilon=np.divide(epsilon, 4),
        D=np.divide(D, 4),
        B=np.divide(B, _PER_FIELD[field]),
    )


# --------------------------------------------------------------------------------- closed charging
def collective_drive(omega: ArrayLike = 1.0) -> Complex:
    """Return H_ch = ω(XI + IX), ω of shape (...): (..., 4, 4) (dipolar-battery-dm, eq. 2)."""
    return np.asarray(finite_numbers(omega, "omega")[..., None, None] * _DRIVE)


def collective_rotation(angle: ArrayLike) -> Complex:
    """Return exp[−iθ(XI + IX)], θ = ωt in rad of shape (...): (..., 4, 4).

    Diagonal cos²θ, corners −sin²θ, all else −(i/2) sin 2θ (dipolar-battery-dm-ksea-nmr, eq. 19;
    dipolar-battery-dm prints −½ sin 2θ in its eq. 4, which is not unitary).
    """
    theta = finite_numbers(angle, "angle")[..., None, None]
    one = np.cos(theta) * PAULI["I"] - 1j * np.sin(theta) * PAULI["X"]
    return kron([one, one])


@dataclass(frozen=True, eq=False)
class Charging:
    """States of a battery that starts in its Gibbs state and is charged by the collective x drive.

    Attributes
    ----------
    hamiltonian
        Battery Hamiltonian(s), shape (..., 4, 4).
    angles
        ωt in rad, shape (n,).
    states
        ρ(t), shape (..., n, 4, 4).
    """

    hamiltonian: Complex
    angles: Real
    states: Complex

    @property
    def _H(self) -> Complex:
        return self.hamiltonian[..., None, :, :]

    @property
    def _start(self) -> Complex:
        return self.states[..., :1, :, :]

    def energy(self) -> Real:
        """Return tr ρH in the unit of H: (..., n)."""
        return energy(self.states, self._H)

    def ergotropy(self) -> Real:
        """Return ξ(t) in the unit of H: (..., n).

        Charging is unitary, so that lowest and highest energy belong to the spectrum of the start.
        """
        return np.maximum(self.energy() - passive_energy(self._start, self._H), 0.0)

    def anti_ergotropy(self) -> Real:
        """Return the anti-ergotropy ≤ 0 in the unit of H: (..., n)."""
        return np.minimum(self.energy() - active_energy(self._start, self._H), 0.0)

    def capacity(self) -> Real:
        """Return the state capacity in the unit of H, the same at all times: (...)."""
        return capacity(self.states[..., 0, :, :], self.hamiltonian)

    def stored_energy(self) -> Real:
        """Return tr(ρ(t) − ρ(0))H in the unit of H, with ρ(0) at the first angle: (..., n)."""
        E = self.energy()
        return E - E[..., :1]

    def power(self, omega: ArrayLike = 1.0) -> Real:
        """Return dE/dt = tr(−i[H_ch, ρ]H), H_ch = ω(XI + IX); unit of H times that of ω: (..., n).

        In the closed battery it is dξ/dt, for the passive energy does not change.
        """
        drive = collective_drive(omega)
        slope = -1j * (drive @ self.states - self.states @ drive)
        return np.asarray(np.einsum("...ij,...ji->...", slope, self._H).real)

    def coherence(self) -> Real:
        """Return the l1 coherence in the energy basis: (..., n)."""
        return coherence_l1(self.states, block_energy_basis(self.hamiltonian)[..., None, :, :])

    def coherence_computational(self) -> Real:
        """Return the l1 coherence in the product basis, at most 3: (..., n)."""
        return coherence_l1(self.states)


def charge_from_gibbs(hamiltonian: Complex, temperature: ArrayLike, angles: ArrayLike) -> Charging:
    """Charge from the Gibbs state with H_ch = ω(XI + IX), the battery's own H off meanwhile.

    Parameters
    ----------
    hamiltonian
        Two-spin battery Hamiltonian(s), shape (..., 4, 4).
    temperature
        k_B T in the unit of H, > 0, shape (...).
    angles
        ωt in rad, shape (n,).

    Raises
    ------
    ArgumentError
        As `gibbs`, or if H is not of two spins or an angle is not finite.

    Notes
    -----
    dipolar-battery-dm, eqs. 2 to 6; dipolar-battery-dm-ksea-nmr, eqs. 18 to 21.
    """
    H = as_hermitian(hamiltonian, "hamiltonian")
    check_two_spins(H, "hamiltonian")
    theta = np.atleast_1d(finite_numbers(angles, "angles"))
    rho, U = gibbs(H, temperature), collective_rotation(theta)
    states = U @ rho[..., None, :, :] @ U.conj().swapaxes(-1, -2)
    return Charging(H, theta, states)


def block_energy_basis(hamiltonian: Complex) -> Complex:
    """Return eigenvectors as columns of stacks of two-spin H without 00–01-like elements.

    Diagonalises span{00, 11} and span{01, 10} apart.  Where levels coincide this is the basis that
    `energy_basis` fixes: product states within a block, blocks apart.

    Parameters
    ----------
    hamiltonian
        Shape (..., 4, 4).

    Returns
    -------
    array of shape (..., 4, 4), columns in the order of the blocks {00, 11}, {01, 10}

    Raises
    ------
    ArgumentError
        If H connects the two blocks.
    """
    H = _of_two_blocks(as_hermitian(hamiltonian, "hamiltonian"), "hamiltonian", most=0.0)
    outer, inner = [0, 3], [1, 2]
    V = np.zeros(H.shape, dtype=complex)
    same = _SAME_LEVEL * np.abs(H).max(axis=(-2, -1))
    for columns, block in (([0, 1], outer), ([2, 3], inner)):
        V[..., np.ix_(block, columns)[0], columns] = _block_vectors(
            H[..., block, :][..., block], same
        )
    return V


def _of_two_blocks(matrix: Complex, name: str, most: float) -> Complex:
    """Return matrices of two spins, refusing elements between the blocks larger than ``most``."""
    check_two_spins(matrix, name)
    between = np.abs(matrix[..., [0, 3], 1:3]).max(initial=0.0)
    if between > most:
        raise ArgumentError(
            f"Argument `{name}` must be of two spins without elements between {{00, 11}} and "
            f"{{01, 10}}, but has one of size {between:.3g}"
        )
    return matrix


def _block_vectors(block: Complex, same: Real) -> Complex:
    """Return the eigenvectors of 2×2 blocks, product states where levels are nearer than that."""
    vectors = np.linalg.eigh(block)[1]
    z = block[..., 0, 1]
    half = np.hypot(np.abs(z), np.abs(block[..., 0, 0] - block[..., 1, 1]) / 2)
    flat = (2 * half <= same)[..., None, None]
    return np.where(flat, np.eye(2), vectors)


# -------------------------------------------------------------------------------------- dephasing
def pauli_x_dephasing(gamma: float) -> list[Complex]:
    """Return √γ σ_x⊗1 and √γ 1⊗σ_x (dipolar-battery-dm-ksea-nmr, eq. 17); γ ≥ 0.

    In NMR transverse relaxation and gradients dephase along z; this noise has to be emulated.
    """
    if not 0 <= gamma < np.inf:
        raise ArgumentError(f"Argument `gamma` must be ≥ 0 and finite, but is {gamma}")
    return [np.sqrt(gamma) * embed(PAULI["X"], spin, 2) for spin in (0, 1)]


def dephase(
    hamiltonian: Complex,
    state: Any,  # noqa: ANN401 - arrays or Qobj
    times: ArrayLike,
    operators: list[Complex],
) -> Complex:
    """Return ρ(t) of ρ̇ = −i[H, ρ] + Σ LρL† − ½{L†L, ρ}.

    Parameters
    ----------
    hamiltonian
        H, shape (..., d, d).
    state
        ρ(0), shape (..., d, d).
    times
        Shape (n,), in the inverse unit of H.
    operators
        L, each of shape (d, d), say `pauli_x_dephasing`.

    Returns
    -------
    array of shape (..., n, d, d)

    Raises
    ------
    ArgumentError
        If H or the state is not Hermitian, or a time is not finite.
    """
    H, rho = as_hermitian(hamiltonian, "hamiltonian"), as_hermitian(state, "state")
    d = H.shape[-1]
    generator = commutator_superoperator(H) + dissipator(operators, d)
    t = np.atleast_1d(finite_numbers(times, "times"))
    maps = exp_matrix(np.asarray(generator[..., None, :, :] * t[:, None, None], dtype=complex))
    flat = rho.reshape(*rho.shape[:-2], 1, d * d, 1)
    found = maps @ flat
    return np.asarray(found.reshape(*found.shape[:-2], d, d))


def x_state_concurrence(rho: Any) -> Real:  # noqa: ANN401 - arrays or Qobj
    """Return the concurrence of two-spin states without 00–01-like elements: (..., 4, 4) → (...).

    2 max(0, |ρ_14| − √(ρ_22 ρ_33), |ρ_23| − √(ρ_11 ρ_44)); Gibbs states of
    `magnetic_dipolar_hamiltonian` and what Pauli-X noise makes of them are such states.

    Raises
    ------
    ArgumentError
        If a state has other elements.
    """
    state = _of_two_blocks(as_hermitian(rho, "rho"), "rho", most=1e-9)
    p = np.clip(np.diagonal(state, axis1=-2, axis2=-1).real, 0, None)
    outer = np.abs(state[..., 0, 3]) - np.sqrt(p[..., 1] * p[..., 2])
    inner = np.abs(state[..., 1, 2]) - np.sqrt(p[..., 0] * p[..., 3])
    return np.asarray(2 * np.maximum(np.maximum(outer, inner), 0.0))
