"""The analytic solution of rosen-zener-battery, sec. III and appendix B, as printed.

ħ = 1; energies and rates in the unit of Δ, times in its inverse.  λ = η/Δ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import j0, j1

from nmrqb.battery.checks import finite_numbers
from nmrqb.battery.power import average_power
from nmrqb.battery.rosen_zener import pulse_angle
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real


@dataclass(frozen=True)
class Coefficients:
    """B_2, B_3, B_8 = B_9, B_11 and B_12 of eq. B2, all at t = T."""

    B2: float
    B3: float
    B8: float
    B11: float
    B12: float


def coefficients(
    *, spins: int, v0: float, period: float, interaction: float = 0.0, Delta: float = 1.0
) -> Coefficients:
    """Return the coefficients of eq. B2.

    As printed they are 0/0 at v0T = 2π and 4π, two of the four cases of the paper's fig. 2; here
    sin y/(π² − y²) takes its limit.

    Parameters
    ----------
    spins, v0, period, interaction, Delta
        N, v0, T, λ and Δ; v0 and T are positive.

    Raises
    ------
    ArgumentError
        If v0 or T is not positive.
    """
    N = checked_count(spins, "spins")
    if not (v0 > 0 and period > 0):
        raise ArgumentError(f"Arguments `v0` and `period` must be positive, but are {v0}, {period}")
    x = v0 * period
    # K(x) sin(x/4) and K₂(x) sin(x/2), the brackets of eq. B2 with the factor that lifts the pole
    quarter = j0(x / (4 * np.pi)) / v0 * np.sin(x / 4)
    quarter -= np.pi * period / 2 * j1(x / (4 * np.pi)) * _lifted(x / 4)
    half = j0(x / (2 * np.pi)) / v0 * np.sin(x / 2)
    half -= np.pi * period * j1(x / (2 * np.pi)) * _lifted(x / 2)
    swing = 2 * half * np.cos(x / 2)
    return Coefficients(
        B2=4 * Delta * quarter * np.sin(x / 4),
        B3=-4 * Delta * quarter * np.cos(x / 4),
        B8=2 * interaction / N * half * np.sin(x / 2),
        B11=interaction / N * (period - swing),
        B12=interaction / N * (period + swing),
    )


def _lifted(y: float) -> float:
    """Return sin y/(π² − y²) for y ≥ 0, 1/2π at y = π."""
    return float(np.sinc(1 - y / np.pi) / (np.pi + y))


@dataclass(frozen=True, eq=False)
class RosenZenerFormulae:
    """Eqs. 17 to 27 at given times.

    Attributes
    ----------
    spins, v0, period, interaction, Delta
        N, v0, T, λ and Δ.
    times
        t from 0 to T, shape (n,).
    """

    spins: int
    v0: float
    period: float
    times: Real
    interaction: float = 0.0
    Delta: float = 1.0

    @property
    def mu(self) -> Real:
        """μ(t) = π − v0t/2 + (v0T/4π) sin(2πt/T), eq. 14: (n,)."""
        return np.asarray(np.pi - pulse_angle(self.times / self.period, self.v0, self.period))

    @property
    def B(self) -> Coefficients:
        """Coefficients of eq. B2."""
        return coefficients(
            spins=self.spins,
            v0=self.v0,
            period=self.period,
            interaction=self.interaction,
            Delta=self.Delta,
        )

    def stored_energy(self, *, correction: bool = False) -> Real:
        """Return (NΔ/2)(1 + cos μ), eq. 22, or with the second term of eq. 17: (n,).

        The second term does not vanish at t = 0, for B_n are taken at T, and is farther from the
        exact solution than eq. 22 at the parameters of the paper's fig. 2 with v0 = 10.
        """
        leading = self.spins * self.Delta / 2 * (1 + np.cos(self.mu))
        return np.asarray(leading + self._second(np.cos, np.sin) if correction else leading)

    def _second(self, of_B2: Callable[[Real], Real], of_B3: Callable[[Real], Real]) -> Real:
        B = self.B
        square = B.B2**2 + B.B3**2
        turned = B.B2 * of_B2(self.mu) + B.B3 * of_B3(self.mu)
        factor = self.spins**2 * 2 * B.B8 / 4 * (np.cos(np.sqrt(square)) - 1) / square
        return np.asarray(factor * turned)

    def average_power(self, *, correction: bool = False) -> Real:
        """Return E(t)/t, eq. 18, 0 at t = 0: (n,)."""
        return average_power(self.stored_energy(correction=correction), self.times)

    def instantaneous_power(self, *, correction: bool = False) -> Real:
        """Return (NΔv0/2) sin²(πt/T) sin μ, the derivative of eq. 22, or all of eq. 19: (n,)."""
        drive = self.v0 * np.sin(np.pi * self.times / self.period) ** 2
        leading = self.spins * self.Delta / 2 * drive * np.sin(self.mu)
        if not correction:
            return np.asarray(leading)
        return np.asarray(leading - drive * self._second(lambda mu: -np.sin(mu), np.cos))

    def fluctuations(self) -> Real:
        """Return Σ = √(NΔ²/4 − (E − NΔ/2)²/N), eq. 20 with its unit mended: (n,)."""
        N, Delta = self.spins, self.Delta
        square = N * Delta**2 / 4 - (self.stored_energy() - N * Delta / 2) ** 2 / N
        return np.asarray(np.sqrt(np.clip(square, 0, None)))

    def diagonal_entropy(self) -> Real:
        """Return |sin μ| log₂{√((N−1)e^{π/2}) [1 − B_8B_9(B_2 cos μ − B_3 sin μ)]}, eq. 21: (n,).

        In bits.  For one spin it is −∞ in place of 1 bit: the formula needs N ≥ 2.

        Raises
        ------
        ArgumentError
            If there is one spin only.
        """
        if self.spins < 2:
            raise ArgumentError(f"Argument `spins` must be 2 or more, but is {self.spins}")
        B, mu = self.B, self.mu
        inner = 1 - B.B8**2 * (B.B2 * np.cos(mu) - B.B3 * np.sin(mu))
        width = np.sqrt((self.spins - 1) * np.exp(np.pi / 2))
        return np.asarray(np.abs(np.sin(mu)) * np.log2(width * inner))


def final_energy(spins: int, v0: ArrayLike, period: ArrayLike, Delta: float = 1.0) -> Real:
    """Return E(τ) = (NΔ/2)[1 − cos(v0T/2)], eq. 25: full charge at v0T = (4n + 2)π.

    Shapes of v0 and T, (...), broadcast.
    """
    area = np.multiply(finite_numbers(v0, "v0"), finite_numbers(period, "period"))
    return np.asarray(checked_count(spins, "spins") * Delta / 2 * (1 - np.cos(area / 2)))


def largest_energy(spins: int, v0: ArrayLike, period: ArrayLike, Delta: float = 1.0) -> Real:
    """Return E_max, eq. 23: that of eq. 25 up to v0T = 2π and NΔ from there.

    Shapes of v0 and T, (...), broadcast.
    """
    area = np.multiply(finite_numbers(v0, "v0"), finite_numbers(period, "period"))
    return final_energy(spins, np.minimum(area, 2 * np.pi), 1.0, Delta)
