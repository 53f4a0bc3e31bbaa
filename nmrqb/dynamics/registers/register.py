"""The noun of a star: a centre, n equivalent satellites, their couplings and their relaxation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nmrqb.arguments import check_finite, checked_fields
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.dynamics.registers.star import Blocks, star_deviation, star_hamiltonian
from nmrqb.dynamics.registers.star_dynamics import StarSegment
from nmrqb.dynamics.registers.star_liouville import StarDissipation, star_liouvillian
from nmrqb.dynamics.registers.symmetric import MAX_SATELLITES, SymmetricSpace
from nmrqb.dynamics.relaxing.relaxation import relaxation_of, spin_rates
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real
from nmrqb.sample import (
    Coupling,
    Dephasing,
    Mechanism,
    PauliNoise,
    PulseModel,
    Sample,
    Spin,
    Tensor,
)
from nmrqb.sample.calibration import pulse_duration
from nmrqb.sample.hamiltonian import coupling_tensor
from nmrqb.sample.nuclei import checked_nucleus, relative_gyromagnetic_ratio
from nmrqb.sparse_operators import Sparse

MAX_EXPLICIT = 9

_QUIET = (0.0, 0.0, 0.0)


@checked_fields
@dataclass(frozen=True)
class StarRegister:
    """A central spin-1/2 with n equivalent satellites.

    Attributes
    ----------
    satellites
        n, from 1 to 200.
    J_hz, dipolar_hz, tensor_hz
        Coupling of the centre with every satellite, as of `nmrqb.sample.Coupling`; it is secular
        according to the two nuclei.
    satellite_J_hz, satellite_dipolar_hz
        Coupling of every two satellites.
    central, satellite
        The two kinds of spin: nucleus, offset, T1, T2, 90° pulse, polarisation.
    central_noise_per_s, satellite_noise_per_s
        Rates (γ_x, γ_y, γ_z) in 1/s of random Pauli operators L = √γ_a σ_a on the centre, and on
        each satellite independently.
    common_dephasing_per_s
        Rates (γ_S, γ_I) in 1/s of a field that all spins feel: L = √γ_S σ_z^S + √γ_I Σ_k σ_z^k.

    Raises
    ------
    ArgumentError
        If a number is out of its range or a nucleus is not of spin 1/2.

    Examples
    --------
    >>> star = StarRegister(36, J_hz=3.0)
    >>> [len(star.hamiltonian()), star.hamiltonian()[0].shape]
    [19, (74, 74)]
    """

    satellites: int
    J_hz: float = 0.0
    dipolar_hz: float = 0.0
    tensor_hz: Tensor | None = None
    satellite_J_hz: float = 0.0
    satellite_dipolar_hz: float = 0.0
    central: Spin = field(default=Spin("S", "29Si"))
    satellite: Spin = field(default=Spin("I", "1H"))
    central_noise_per_s: tuple[float, float, float] = _QUIET
    satellite_noise_per_s: tuple[float, float, float] = _QUIET
    common_dephasing_per_s: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if checked_count(self.satellites) > MAX_SATELLITES:
            raise ArgumentError(
                f"Argument `satellites` must be at most {MAX_SATELLITES}, but is {self.satellites}"
            )
        for name in ("J_hz", "dipolar_hz", "satellite_J_hz", "satellite_dipolar_hz"):
            check_finite(name, getattr(self, name))
        if self.tensor_hz is not None and not _is_tensor(self.tensor_hz):
            raise ArgumentError(
                f"Argument `tensor_hz` must be a finite 3 × 3 tensor, but is {self.tensor_hz}"
            )
        for name, size in (("central_noise", 3), ("satellite_noise", 3), ("common_dephasing", 2)):
            _check_rates(f"{name}_per_s", getattr(self, f"{name}_per_s"), size)
        for name in ("central", "satellite"):
            _check_spin(name, getattr(self, name))
        if self.central.label == self.satellite.label:
            raise ArgumentError(
                f"Argument `satellite` must have another label than the centre, but both are "
                f"{self.satellite.label!r}"
            )

    # --------------------------------------------------------------------------- what it is made of
    @property
    def coupling_hz(self) -> Real:
        """Secular tensor C of H/2π = Σ C_ab S_a J_b in Hz, shape (3, 3)."""
        bond = Coupling(("S", "I"), self.J_hz, self.dipolar_hz, self.tensor_hz)
        return coupling_tensor(bond, like=self.central.nucleus == self.satellite.nucleus)

    @property
    def space(self) -> SymmetricSpace:
        """The Liouville space in which the satellites relax one by one."""
        return SymmetricSpace(self.satellites)

    def _pair(self) -> Sample:
        """Return the centre and one satellite, without what all spins have in common."""
        given = {self.central.label: self.central_noise_per_s}
        given[self.satellite.label] = self.satellite_noise_per_s
        noise = {label: rates for label, rates in given.items() if any(rates)}
        relaxation = (PauliNoise(noise),) if noise else ()
        return Sample("pair", (self.central, self.satellite), relaxation=relaxation)

    def sample(self) -> Sample:
        """Return the register spin by spin: the centre, then satellites I1, I2, ….

        Raises
        ------
        ArgumentError
            If there are more than 9 satellites.

        Examples
        --------
        >>> StarRegister(3, J_hz=10).sample().labels
        ('S', 'I1', 'I2', 'I3')
        """
        if self.satellites > MAX_EXPLICIT:
            raise ArgumentError(
                f"Argument `satellites` must be at most {MAX_EXPLICIT} for an explicit sample, but "
                f"is {self.satellites}"
            )
        base, centre = self.satellite, self.central.label
        labels = [f"{base.label}{k + 1}" for k in range(self.satellites)]
        alike = [
            Spin(label, base.nucleus, base.offset_hz, base.T1_s, base.T2_s, base.pulse_90_s,
                 base.polarization)
            for label in labels
        ]  # fmt: skip
        bonds = [Coupling((centre, i), self.J_hz, self.dipolar_hz, self.tensor_hz) for i in labels]
        bonds += [
            Coupling((i, j), self.satellite_J_hz, self.satellite_dipolar_hz)
            for k, i in enumerate(labels)
            for j in labels[k + 1 :]
        ]
        name = f"star of {self.satellites} satellites"
        relaxation = self._mechanisms(centre, labels)
        return Sample(name, (self.central, *alike), tuple(bonds), relaxation=relaxation)

    def _mechanisms(self, centre: str, labels: list[str]) -> tuple[Mechanism, ...]:
        noise = {
            centre: self.central_noise_per_s,
            **dict.fromkeys(labels, self.satellite_noise_per_s),
        }
        acting = {label: rates for label, rates in noise.items() if any(rates)}
        found: list[Mechanism] = [PauliNoise(acting)] if acting else []
        if any(self.common_dephasing_per_s):
            first, other = self.common_dephasing_per_s
            rates = (first, *[other] * len(labels))
            found.append(Dephasing((centre, *labels), rates, correlation=1.0))
        return tuple(found)

    # ----------------------------------------------------------------------------------- generators
    def hamiltonian(self) -> Blocks:
        """Return H in rad/s by the total spins of the satellites."""
        return star_hamiltonian(
            self.satellites,
            self.coupling_hz,
            central_hz=self.central.offset_hz,
            satellite_hz=self.satellite.offset_hz,
            satellite_J_hz=self.satellite_J_hz,
            satellite_dipolar_hz=self.satellite_dipolar_hz,
        )

    def dissipation(self) -> StarDissipation:
        """Return the Lindblad operators of T1, T2, Pauli noise and common dephasing."""
        parts = relaxation_of(self._pair()).parts
        by_spin = {
            spin: [L for p in parts if p.spins == (spin,) for L in p.operators] for spin in (0, 1)
        }
        roots = np.sqrt(self.common_dephasing_per_s)
        common = [[root * PAULI["Z"] for root in roots]] if np.any(roots) else []
        return StarDissipation(
            np.array(by_spin[0]).reshape(-1, 2, 2),
            np.array(by_spin[1]).reshape(-1, 2, 2),
            np.array(common).reshape(-1, 2, 2, 2),
        )

    def liouvillian(self) -> Sparse:
        """Return the generator of the open star in 1/s on `SymmetricSpace(satellites)`."""
        return star_liouvillian(
            self.satellites,
            self.coupling_hz,
            central_hz=self.central.offset_hz,
            satellite_hz=self.satellite.offset_hz,
            satellite_dipolar_hz=self.satellite_dipolar_hz,
            dissipation=self.dissipation(),
        )

    def thermal_deviation(self) -> Blocks:
        """Return the deviation of thermal equilibrium at high temperature, see `star_deviation`."""
        ratios = (relative_gyromagnetic_ratio(s.nucleus) for s in (self.central, self.satellite))
        return star_deviation(self.satellites, *ratios)

    def equilibrium(self) -> tuple[Complex, Complex]:
        """Return the states of the centre and of a satellite to which T1 leads, each (2, 2)."""
        first, other = (
            (PAULI["I"] + s.polarization * PAULI["Z"]) / 2 for s in (self.central, self.satellite)
        )
        return first, other

    def pulse(
        self,
        target: Literal["central", "satellites"],
        angle: float,
        phase: float = 0.0,
        pulses: PulseModel = "ideal",
    ) -> StarSegment:
        """Return a rotation by θ about cos φ x + sin φ y of the centre or of all satellites.

        Parameters
        ----------
        target
            ``central`` or ``satellites``.
        angle, phase
            θ and φ in rad.
        pulses
            ``ideal``, or ``finite`` at the calibrated 90° time.

        Raises
        ------
        ArgumentError
            If there is no such target, or a finite pulse has no 90° time.

        Examples
        --------
        >>> StarRegister(36).pulse("central", 1.5).central
        (1.5, 0.0, 0.0)
        """
        if target not in ("central", "satellites"):
            raise ArgumentError(
                f"Argument `target` must be 'central' or 'satellites', but is {target!r}"
            )
        axis = (angle * math.cos(phase), angle * math.sin(phase), 0.0)
        spin = 0 if target == "central" else 1
        duration = float(pulse_duration(self._pair(), spin, angle, pulses))
        if target == "central":
            return StarSegment(duration, central=axis)
        return StarSegment(duration, satellites=axis)


def _is_tensor(tensor: Tensor) -> bool:
    rows = [len(row) for row in tensor]
    return rows == [3, 3, 3] and all(math.isfinite(value) for row in tensor for value in row)


def _check_rates(name: str, rates: tuple[float, ...], size: int) -> None:
    if len(rates) != size or not all(math.isfinite(rate) and rate >= 0 for rate in rates):
        raise ArgumentError(f"Argument `{name}` must be {size} rates of 0 or more, but is {rates}")


def _check_spin(name: str, spin: Spin) -> None:
    try:
        checked_nucleus(spin.nucleus)
        spin_rates(spin.T1_s, spin.T2_s, spin.polarization)
    except ValueError as error:
        raise ArgumentError(f"Argument `{name}`: {error}") from None
    if not math.isfinite(spin.offset_hz):
        raise ArgumentError(
            f"Argument `{name}` must have a finite offset, but has {spin.offset_hz}"
        )
