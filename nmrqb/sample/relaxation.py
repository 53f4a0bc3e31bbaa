"""The mechanisms by which spins relax; each acts besides the others, their generators add up.

A mechanism is data: what it makes of a state is built by `nmrqb.dynamics.relaxation_of`, and
whether it fits a sample is told by `nmrqb.sample.relaxation_fit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from nmrqb.arguments import check_finite, check_positive
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.sample.relaxation_checks import (
    ROUNDING,
    check_angle,
    check_correlation,
    check_correlations,
    check_labels,
    check_pair,
    check_rates,
    no_correlations,
)

Pair = tuple[str, str]
LETTERS = "IXYZ+-"


@dataclass(frozen=True)
class T1T2:
    """T1 and T2 of every spin, as the sample gives them.

    Generalised amplitude damping towards ``polarization`` with Γ↑↓ = (1 ± p)/(2 T1), and σ_z
    dephasing with 1/T_φ = 1/T2 − 1/(2 T1).
    """

    word: ClassVar[str] = "T1T2"

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names: none, as it acts on all."""
        return ()


@dataclass(frozen=True)
class PauliNoise:
    """Random Pauli operators on single spins: ρ̇ = Σ γ_a (σ_a ρ σ_a − ρ), L_a = √γ_a σ_a.

    A rate γ_x flips σ_y and σ_z with 2γ_x.  The Pauli-X noise of dipolar-battery-dm-ksea-nmr,
    eq. 16 and 17, has L = √γ σ_x on each spin: its γ is the rate x here, without another factor.

    Attributes
    ----------
    rates_per_s
        Label of a spin to (γ_x, γ_y, γ_z) in 1/s.

    Raises
    ------
    ArgumentError
        If there is no spin, or a rate is negative or not finite.
    """

    word: ClassVar[str] = "pauli"
    rates_per_s: Mapping[str, tuple[float, float, float]]

    def __post_init__(self) -> None:
        if not self.rates_per_s:
            raise ArgumentError("Argument `rates_per_s` must name at least one spin, but is empty")
        for rates in self.rates_per_s.values():
            check_rates("rates_per_s", rates, 3)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names."""
        return tuple(self.rates_per_s)


@dataclass(frozen=True)
class Dephasing:
    """Correlated σ_z dephasing of several spins.

    ρ̇ = Σ_kl C_kl √(γ_k γ_l) (σ_z^k ρ σ_z^l − ½{σ_z^l σ_z^k, ρ}): the coherence of spin k alone
    decays with 2γ_k, double- and zero-quantum coherences of k and l with 2(γ_k + γ_l ±
    2C_kl √(γ_k γ_l)).  Independent noise, C = 1, is dipolar-battery-dm, eq. 18, with γ_B and γ_C.

    Attributes
    ----------
    spins
        Labels of the spins.
    rates_per_s
        γ_k of each in 1/s.
    correlation
        c of every pair of spins: 1 for common noise, −1 for opposite noise, 0 for independent
        noise; or the whole matrix C.

    Raises
    ------
    ArgumentError
        If a rate is negative, a spin stands twice, or C is not a correlation matrix: of n spins
        all can be correlated with c ≥ −1/(n − 1) only.
    """

    word: ClassVar[str] = "dephasing"
    spins: tuple[str, ...]
    rates_per_s: tuple[float, ...]
    correlation: float | tuple[tuple[float, ...], ...] = 0.0

    def __post_init__(self) -> None:
        check_labels("spins", self.spins)
        check_rates("rates_per_s", self.rates_per_s, len(self.spins))
        if isinstance(self.correlation, tuple):
            check_correlations(self.matrix, len(self.spins))
        else:
            check_correlation(self.correlation, len(self.spins))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names."""
        return self.spins

    @property
    def matrix(self) -> Real:
        """The correlation matrix C, shape (n, n)."""
        if isinstance(self.correlation, tuple):
            rows = {len(row) for row in self.correlation}
            if rows != {len(self.spins)}:
                raise no_correlations(f"has rows of {sorted(rows)} numbers", len(self.spins))
            return np.array(self.correlation, dtype=float)
        n = len(self.spins)
        return np.full((n, n), float(self.correlation)) + (1 - self.correlation) * np.eye(n)


@dataclass(frozen=True)
class PairCoherences:
    """Decay times of the zero- and double-quantum coherences of two spins.

    It completes T1 and T2 of the two spins, whose populations and single-quantum coherences
    decay as before; what it changes is the dephasing they have in common.  With
    r = 1/(2 T1) + 1/(2 T1′), κ = 1/T_φ and R = 1/T, and diagonal Lindblad operators
    √γ_k σ_z^k (correlation c) and √γ_zz σ_z σ_z′,

        R_DQ, R_ZQ = r + κ + κ′ − 4γ_zz ± 4c √(γγ′),   κ = 2(γ + γ_zz), κ′ = 2(γ′ + γ_zz).

    T1 and T2 alone give r + κ + κ′ for both.  No diagonal operator leaves the single spins alone
    and damps both coherences faster: σ_zσ_z′ commutes with them, so that it can only make their
    mean slower.  All that is possible is R_ZQ + R_DQ ≤ 2(r + κ + κ′) and
    (R_ZQ − r)(R_DQ − r) ≥ (κ − κ′)²; the rest is refused where the sample is known.

    Attributes
    ----------
    between
        Labels of the two spins.
    T_ZQ_s, T_DQ_s
        Total decay times of |01⟩⟨10| and of |00⟩⟨11| in s.

    Raises
    ------
    ArgumentError
        If a time is not positive, or the labels are not two.
    """

    word: ClassVar[str] = "pair_coherences"
    between: Pair
    T_ZQ_s: float
    T_DQ_s: float

    def __post_init__(self) -> None:
        check_pair(self.between)
        check_positive("T_ZQ_s", self.T_ZQ_s)
        check_positive("T_DQ_s", self.T_DQ_s)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names."""
        return self.between


@dataclass(frozen=True)
class ShieldingAnisotropy:
    """The axially symmetric shielding of one spin.

    Attributes
    ----------
    spin
        Its label.
    anisotropy
        Δσ = σ_∥ − σ_⊥ as a plain number (50 ppm is 50e-6); that of the chemical shift is −Δσ.
    angle_rad
        Angle in rad between its axis and the vector that joins the pair.

    Raises
    ------
    ArgumentError
        If a number is not finite, or the angle is not from 0 to π.
    """

    spin: str
    anisotropy: float
    angle_rad: float = 0.0

    def __post_init__(self) -> None:
        check_finite("anisotropy", self.anisotropy)
        check_angle("angle_rad", self.angle_rad)


@dataclass(frozen=True)
class DipolarCSA:
    """Dipolar relaxation and shielding anisotropy of a pair that tumbles isotropically.

    Redfield theory with C(t) = e^(−t/τ_c), see `nmrqb.dynamics.relaxing.redfield`;
    cross-correlation of all interactions included.  It adds to T1 and T2 of the spins: leave those
    out where it is all there is.  The sample must have a ``field``.

    Attributes
    ----------
    between
        Labels of the two spins.
    correlation_time_s
        τ_c of rank-2 functions in s.
    distance_m, dipolar_hz
        Distance in m, or b/2π = −μ₀γγ′ħ/(8π²r³) in Hz; none for no dipolar coupling.
    csa
        Shielding of either spin or of both.
    csa_angle_rad
        Angle in rad between the two axes; by default all lie in one plane on the same side of
        the vector that joins the pair, so that it is the difference of their angles.

    Raises
    ------
    ArgumentError
        If nothing acts, distance and constant are both given, a number is out of its range, a
        shielding is of another spin, or no axes have these angles.
    """

    word: ClassVar[str] = "dipolar_csa"
    between: Pair
    correlation_time_s: float
    distance_m: float | None = None
    dipolar_hz: float | None = None
    csa: tuple[ShieldingAnisotropy, ...] = ()
    csa_angle_rad: float | None = None

    def __post_init__(self) -> None:
        check_pair(self.between)
        check_positive("correlation_time_s", self.correlation_time_s)
        if self.distance_m is not None:
            check_positive("distance_m", self.distance_m)
        if self.dipolar_hz is not None:
            check_finite("dipolar_hz", self.dipolar_hz)
        self._check_interactions()
        if self.csa_angle_rad is not None:
            self._check_csa_angle(self.csa_angle_rad)

    def _check_interactions(self) -> None:
        given = [x is not None for x in (self.distance_m, self.dipolar_hz)]
        if all(given):
            raise ArgumentError(
                f"Argument `dipolar_hz` must be left out beside `distance_m`, but is "
                f"{self.dipolar_hz}"
            )
        if not any(given) and not self.csa:
            raise ArgumentError(
                "Argument `distance_m` must be given where there is neither `dipolar_hz` nor "
                "`csa`, but is None"
            )
        shielded = [one.spin for one in self.csa]
        if len(set(shielded)) < len(shielded) or set(shielded) - set(self.between):
            raise ArgumentError(
                f"Argument `csa` must be of the spins {', '.join(self.between)}, each once, but "
                f"is of {', '.join(shielded)}"
            )

    def _check_csa_angle(self, angle: float) -> None:
        if len(self.csa) < 2:
            raise ArgumentError(
                f"Argument `csa_angle_rad` must be left out where not both spins have a `csa`, "
                f"but is {math.degrees(angle):.4g}°"
            )
        first, second = (one.angle_rad for one in self.csa)
        low, high = abs(first - second), min(first + second, 2 * math.pi - first - second)
        if not low - ROUNDING <= angle <= high + ROUNDING:
            a, b, first_axis, second_axis, given = (
                f"{math.degrees(x):.4g}°" for x in (low, high, first, second, angle)
            )
            raise ArgumentError(
                f"Argument `csa_angle_rad` must be from {a} to {b} for axes at {first_axis} and "
                f"{second_axis} to the pair, but is {given}"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names."""
        return self.between


@dataclass(frozen=True)
class LindbladOperator:
    """One Lindblad operator of one's own: L = √γ Σ c_P P.

    Attributes
    ----------
    terms
        Word P to coefficient c_P: one letter per spin of I, X, Y, Z (Pauli operators), + and -
        (|0⟩⟨1| and |1⟩⟨0|).
    rate_per_s
        γ in 1/s.
    spins
        Labels of the spins that the letters are of; by default all of the sample, in its order.

    Raises
    ------
    ArgumentError
        If there are no terms, their words are of different lengths or hold other letters, a
        coefficient is not finite, the rate is negative, or L is a multiple of 1.
    """

    word: ClassVar[str] = "lindblad"
    terms: Mapping[str, complex]
    rate_per_s: float
    spins: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_rates("rate_per_s", (self.rate_per_s,), 1)
        if self.spins is not None:
            check_labels("spins", self.spins)
        for word in self.terms:
            if not word or set(word) - set(LETTERS):
                raise ArgumentError(
                    f"Argument `operator` must be of words of the letters {' '.join(LETTERS)}, "
                    f"but has {word!r}"
                )
        if not all(np.isfinite(value) for value in self.terms.values()):
            raise ArgumentError(
                f"Argument `operator` must have finite coefficients, but has {dict(self.terms)}"
            )
        if not any(set(word) - {"I"} for word, value in self.terms.items() if value):
            raise ArgumentError(
                f"Argument `operator` must act on a spin, but is {dict(self.terms)}"
            )
        self._check_lengths()

    def _check_lengths(self) -> None:
        lengths = {len(word) for word in self.terms}
        wanted = {len(self.spins)} if self.spins is not None else lengths
        if len(lengths) > 1 or lengths != wanted:
            letters = f"{min(wanted)} letters each" if self.spins is not None else "one length"
            raise ArgumentError(
                f"Argument `operator` must have words of {letters}, but has {', '.join(self.terms)}"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the spins that it names."""
        return self.spins or ()


Mechanism: TypeAlias = (
    T1T2 | PauliNoise | Dephasing | PairCoherences | DipolarCSA | LindbladOperator
)
