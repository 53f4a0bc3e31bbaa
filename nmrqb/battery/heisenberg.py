"""The battery of heisenberg-chain-dm-battery: a spin chain charged by a transverse field.

H = Ω Σ σ^x_n + Σ_bonds {J[(1+γ)σ^xσ^x + (1−γ)σ^yσ^y + Δσ^zσ^z] + D(σ^xσ^y − σ^yσ^x)}, from all
spins down, with the battery Hamiltonian ω0 Σ σ^z_n.  ħ = 1; energies in one unit, times in its
inverse.  With J = D = 0 every spin charges by itself ("parallel").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.battery.checks import checked_times, finite_numbers
from nmrqb.battery.power import average_power
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, pauli, spin_projections

MOST_SPINS = 8


def heisenberg_hamiltonian(
    *,
    J: ArrayLike = 0.0,
    gamma: ArrayLike = 0.0,
    Delta: ArrayLike = 0.0,
    D: ArrayLike = 0.0,
    Omega: ArrayLike = 1.0,
    spins: int = 2,
) -> Complex:
    """Return the charging Hamiltonian, eqs. 1 to 3, of an open chain: (..., 2ᴺ, 2ᴺ).

    Parameters
    ----------
    J, gamma, Delta, D, Omega
        J, γ, Δ, D and Ω, each of shape (...): γ = 1 and Δ = D = 0 is the Ising model, γ = D = 0
        the XXZ model.
    spins
        N from 1 to 8; the paper has 2.

    Raises
    ------
    ArgumentError
        If a constant is not finite or there are too many spins.
    """
    N = checked_count(spins, "spins")
    if N > MOST_SPINS:
        raise ArgumentError(f"Argument `spins` must be at most {MOST_SPINS}, but is {spins}")
    j, g, z, d, omega = (
        finite_numbers(value, name)[..., None, None]
        for value, name in (
            (J, "J"), (gamma, "gamma"), (Delta, "Delta"), (D, "D"), (Omega, "Omega"),
        )
    )  # fmt: skip
    field = sum(pauli("I" * k + "X" + "I" * (N - k - 1)) for k in range(N))
    return np.asarray(
        omega * field
        + j * (1 + g) * _bonds("XX", N)
        + j * (1 - g) * _bonds("YY", N)
        + j * z * _bonds("ZZ", N)
        + d * (_bonds("XY", N) - _bonds("YX", N))
    )


def _bonds(axes: str, N: int) -> Complex:
    """Return Σ_n of a product on neighbours n, n + 1."""
    total = np.zeros((2**N, 2**N), dtype=complex)
    for k in range(N - 1):
        total += pauli("I" * k + axes + "I" * (N - k - 2))
    return total


@dataclass(frozen=True, eq=False)
class ChainCharging:
    """Pure states of a chain while it charges.

    Attributes
    ----------
    times
        t, shape (n,).
    states
        Amplitudes in the product basis, shape (..., n, 2ᴺ).
    hamiltonian
        Charging Hamiltonian, shape (..., 2ᴺ, 2ᴺ).
    omega0
        ω0 of the battery Hamiltonian ω0 Σ σ^z_n.
    """

    times: Real
    states: Complex
    hamiltonian: Complex
    omega0: float

    @property
    def _levels(self) -> Real:
        """Energies of the product states."""
        N = self.states.shape[-1].bit_length() - 1
        return np.asarray(2 * self.omega0 * spin_projections(N).sum(axis=0))

    def ergotropy(self) -> Real:
        """Return ζ(t), for pure states the energy above the ground state: (..., n).

        Eq. 6 subtracts the *largest* energy that unitaries reach; the least is meant.
        """
        return np.asarray(np.abs(self.states) ** 2 @ self._levels - self._levels.min())

    def average_power(self) -> Real:
        """Return ζ(t)/t, eq. 7, 0 at t = 0: (..., n)."""
        return average_power(self.ergotropy(), self.times)

    def instantaneous_power(self) -> Real:
        """Return dζ/dt = i⟨[H, H_0]⟩ = 2 Im⟨H_0ψ|Hψ⟩: (..., n)."""
        moved = self.states @ self.hamiltonian.swapaxes(-1, -2)
        overlap = (self.states.conj() * self._levels * moved).sum(axis=-1)
        return np.asarray(2 * overlap.imag)

    def concurrence(self) -> Real:
        """Return C = 2|ψ_00 ψ_11 − ψ_01 ψ_10| of two spins: (..., n).

        Raises
        ------
        ArgumentError
            If there are not two spins.
        """
        if self.states.shape[-1] != 4:
            raise ArgumentError(
                f"Argument `states` must be of two spins, but has shape {self.states.shape}"
            )
        a, b, c, d = np.moveaxis(self.states, -1, 0)
        return np.asarray(np.minimum(2 * np.abs(a * d - b * c), 1.0))

    def first_order_coherence(self) -> Real:
        """Return Q = √((Q_A² + Q_B²)/2), eq. 12, which is √(1 − C²) of a pure state: (..., n)."""
        return np.asarray(np.sqrt(1 - self.concurrence() ** 2))

    def steering(self) -> Real:
        """Return S, eq. 10, which is √(1 + 2C²) = √(3 − 2Q²) of a pure state: (..., n).

        S > 1 is steerable.  Of two spins that stay pure S says nothing that Q does not.
        """
        return np.asarray(np.sqrt(1 + 2 * self.concurrence() ** 2))


def charge_chain(
    times: ArrayLike,
    *,
    J: ArrayLike = 0.0,
    gamma: ArrayLike = 0.0,
    Delta: ArrayLike = 0.0,
    D: ArrayLike = 0.0,
    Omega: ArrayLike = 1.0,
    omega0: float = 1.0,
    spins: int = 2,
) -> ChainCharging:
    """Charge a chain from |↓…↓⟩ (heisenberg-chain-dm-battery, eqs. 1 to 5).

    Parameters
    ----------
    times
        t ≥ 0, shape (n,).
    J, gamma, Delta, D, Omega, spins
        As for `heisenberg_hamiltonian`; shapes (...).
    omega0
        ω0 of the battery Hamiltonian ω0 Σ σ^z_n, off while it charges.

    Raises
    ------
    ArgumentError
        As `heisenberg_hamiltonian`, or if a time is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> parallel = charge_chain(np.array([0.0, np.pi / 2]))
    >>> np.round(parallel.ergotropy(), 9)  # 4 ω0 sin² Ωt
    array([0., 4.])
    """
    t = np.atleast_1d(checked_times(times))
    constants = {"J": J, "gamma": gamma, "Delta": Delta, "D": D, "Omega": Omega}
    H = heisenberg_hamiltonian(**constants, spins=spins)
    e, V = np.linalg.eigh(H)
    phases = np.exp(-1j * t[:, None] * e[..., None, :])
    states = (phases * V[..., None, -1, :].conj()) @ V.swapaxes(-1, -2)
    return ChainCharging(t, states, H, float(omega0))
