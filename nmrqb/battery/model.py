"""The battery as a noun: a Hamiltonian and the figures of merit with respect to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nmrqb.arguments import checked, checked_fields
from nmrqb.battery import coherence, energies, extraction, levels, origins, power
from nmrqb.battery.daemonic import DaemonicErgotropy, daemonic_ergotropy
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, as_hermitian, from_named


@checked_fields
@dataclass(frozen=True, eq=False)
class Battery:
    """A battery Hamiltonian; every energy is H/2π in Hz.

    Attributes
    ----------
    hamiltonian_hz
        H/2π in Hz, Hermitian, shape (d, d).
    spins
        Tensor positions of the spins that are the battery within a larger state, or None for
        the whole state.

    Raises
    ------
    ArgumentError
        If the matrix is not square, finite and Hermitian.

    Examples
    --------
    >>> import numpy as np
    >>> battery = Battery.from_terms(D=20, G=5)
    >>> round(float(battery.ergotropy(np.diag([0, 1, 0, 0]))), 9)  # |01⟩ holds half the width
    40.0
    """

    hamiltonian_hz: Complex
    spins: tuple[int, ...] | None = None
    energy_basis: Complex = field(init=False, repr=False)
    degenerate: bool = field(init=False)

    def __post_init__(self) -> None:
        H = as_hermitian(self.hamiltonian_hz, "hamiltonian_hz")
        if H.ndim != 2:
            raise ArgumentError(
                f"Argument `hamiltonian_hz` must be one matrix, but has shape {H.shape}"
            )
        spins = self.spins
        if spins is not None and (min(spins, default=-1) < 0 or len(set(spins)) < len(spins)):
            raise ArgumentError(
                f"Argument `spins` must be different tensor positions from 0, but is {spins}"
            )
        object.__setattr__(self, "hamiltonian_hz", H)
        object.__setattr__(self, "energy_basis", levels.energy_basis(H))
        object.__setattr__(self, "degenerate", levels.is_degenerate(H))

    @classmethod
    @checked
    def from_terms(
        cls,
        *,
        D: float = 0.0,
        G: float = 0.0,
        Delta: float = 0.0,
        epsilon: float = 0.0,
        B: float = 0.0,
    ) -> Battery:
        """Return the two-spin battery of dipolar-battery-dm-ksea-nmr, eq. 12, constants in Hz.

        H/2π = D(XY−YX) + G(XY+YX) − ⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2 + B(ZI+IZ).
        """
        terms = {"DM_z": D, "KSEA_z": G, "Delta": Delta, "epsilon": epsilon, "B": B}
        return cls(from_named(terms))

    @classmethod
    @checked
    def zeeman(cls, frequency: float, spin: int) -> Battery:
        """Return the one-spin battery H/2π = ν I_z of one spin of a register, ν in Hz."""
        return cls(frequency / 2 * PAULI["Z"], (spin,))

    def energy(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the mean energy in Hz: (..., d, d) → (...)."""
        return energies.energy(rho, self.hamiltonian_hz)

    def ergotropy(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the ergotropy in Hz, see `nmrqb.battery.ergotropy`: (..., d, d) → (...)."""
        return energies.ergotropy(rho, self.hamiltonian_hz)

    def incoherent_ergotropy(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the ergotropy in Hz without coherence between levels: (..., d, d) → (...)."""
        return origins.incoherent_ergotropy(rho, self.hamiltonian_hz)

    def coherent_ergotropy(self, rho: Any) -> Real:  # noqa: ANN401
        """Return what coherence between levels adds to the ergotropy, in Hz: (...)."""
        return origins.coherent_ergotropy(rho, self.hamiltonian_hz)

    def daemonic_ergotropy(self, rho: Any) -> DaemonicErgotropy:  # noqa: ANN401
        """Return the work in Hz from ``spins`` after the rest of the register is measured.

        Parameters
        ----------
        rho
            State(s) of the whole register, shape (..., 2ⁿ, 2ⁿ).

        Raises
        ------
        ArgumentError
            If the battery does not name its spins, or as for
            `nmrqb.battery.daemonic.daemonic_ergotropy`.
        """
        if self.spins is None:
            raise ArgumentError(
                "Argument `spins` of the battery must name its spins in the register for a "
                "measurement of the others, but is None"
            )
        return daemonic_ergotropy(rho, self.hamiltonian_hz, self.spins)

    def anti_ergotropy(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the anti-ergotropy in Hz (≤ 0): (..., d, d) → (...)."""
        return energies.anti_ergotropy(rho, self.hamiltonian_hz)

    def capacity(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the state capacity in Hz: (..., d, d) → (...)."""
        return energies.capacity(rho, self.hamiltonian_hz)

    def spectral_width(self) -> float:
        """Return the highest less the lowest level, in Hz: the capacity of pure states."""
        return float(energies.spectral_width(self.hamiltonian_hz))

    def energy_spread(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the standard deviation of energy readings in Hz: (..., d, d) → (...)."""
        return energies.energy_spread(rho, self.hamiltonian_hz)

    def energy_power(self, rho_dot: Any) -> Real:  # noqa: ANN401
        """Return dE/dt in Hz/s of ρ̇, see `nmrqb.battery.state_derivative`: (...)."""
        return power.energy_power(rho_dot, self.hamiltonian_hz)

    def ergotropy_power(self, rho: Any, rho_dot: Any) -> Real:  # noqa: ANN401
        """Return dW/dt of the ergotropy in Hz/s, see `nmrqb.battery.ergotropy_power`: (...)."""
        return power.ergotropy_power(rho, rho_dot, self.hamiltonian_hz)

    def energy_coherence(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the coherence between levels in bits, see `nmrqb.battery.energy_coherence`."""
        return coherence.energy_coherence(rho, self.hamiltonian_hz)

    def extraction_unitary(self, rho: Any) -> Complex:  # noqa: ANN401
        """Return the unitary that makes states passive: (..., d, d), see `extraction_unitary`."""
        return extraction.extraction_unitary(rho, self.hamiltonian_hz)

    def extracted_work(self, rho: Any, applied: Any) -> Real:  # noqa: ANN401
        """Return the work in Hz that a unitary or a map extracts, see `extracted_work`: (...)."""
        return extraction.extracted_work(rho, self.hamiltonian_hz, applied)

    def coherence_l1(self, rho: Any) -> Real:  # noqa: ANN401
        """Return the l1 coherence in the energy basis: (..., d, d) → (...).

        Where levels are degenerate (`degenerate`) the basis inside them is that of Σσ_z, ties in
        product order; the number depends on this choice.
        """
        return coherence.coherence_l1(rho, self.energy_basis)
