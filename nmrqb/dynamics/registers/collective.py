"""Collective spins: N spins 1/2 that are always addressed alike, by their total spin.

The 2ᴺ states of N spins fall into sectors of total spin J = N/2, N/2 − 1, …, 0 or 1/2.  Every
sector holds 2J + 1 levels |J, m⟩ and occurs `multiplicity` times; collective operators act in all
its copies alike.  Levels run from m = +J down, so that the first is all up.  Operators are sparse:
a register of 10⁴ spins in the symmetric sector is one of 10⁴ + 1 levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.sparse import csr_array

from nmrqb.arguments import check_finite
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sparse_operators import Sparse

_LADDER = {"x": (0.5, 0.5), "y": (-0.5j, 0.5j), "+": (1, 0), "-": (0, 1)}  # of J_+, of J_-


def checked_total_spin(J: float, name: str = "J") -> int:
    """Return 2J, refusing what is no total spin 0, 1/2, 1, ….

    Raises
    ------
    ArgumentError
        If it is negative, not finite or no multiple of one half.
    """
    if not (math.isfinite(J) and J >= 0 and float(2 * J).is_integer()):
        raise ArgumentError(f"Argument `{name}` must be a total spin 0, 1/2, 1, …, but is {J}")
    return int(2 * J)


def checked_count(n: int, name: str = "satellites", least: int = 1) -> int:
    """Return a number of spins unchanged.

    Raises
    ------
    ArgumentError
        If it is no whole number or below the least.
    """
    whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if not whole or n < least:
        raise ArgumentError(f"Argument `{name}` must be a whole number ≥ {least}, but is {n!r}")
    return int(n)


# ------------------------------------------------------------------------------------ the sectors
def total_spins(n: int) -> Real:
    """Return the total spins J = n/2, n/2 − 1, …, 0 or 1/2 of n spins 1/2, the largest first.

    Examples
    --------
    >>> total_spins(3)
    array([1.5, 0.5])
    """
    n = checked_count(n, "n")
    return np.asarray(np.arange(n, -1, -2) / 2)


def multiplicity(n: int, J: float) -> int:
    """Return how often total spin J occurs among n spins 1/2, exactly.

    d = n! (2J + 1) / ((n/2 + J + 1)! (n/2 − J)!); Σ_J d (2J + 1) = 2ⁿ.

    Raises
    ------
    ArgumentError
        If n spins have no such total spin.

    Examples
    --------
    >>> [multiplicity(4, J) for J in (2, 1, 0)]
    [1, 3, 2]
    """
    n, twice = checked_count(n, "n"), checked_total_spin(J)
    if twice > n or (n - twice) % 2:
        raise ArgumentError(f"Argument `J` must be a total spin of {n} spins, but is {J}")
    fewer = (n - twice) // 2
    return math.comb(n, fewer) * (twice + 1) // (n - fewer + 1)


def levels(J: float) -> Real:
    """Return m = J, J − 1, …, −J: shape (2J + 1,).

    Examples
    --------
    >>> levels(1)
    array([ 1.,  0., -1.])
    """
    return np.asarray(J - np.arange(checked_total_spin(J) + 1.0))


def ladder(J: float) -> Real:
    """Return ⟨m+1|J_+|m⟩ = √((J − m)(J + m + 1)) for m = J − 1, …, −J: shape (2J,).

    Examples
    --------
    >>> ladder(0.5)
    array([1.])
    """
    twice = checked_total_spin(J)
    below = np.arange(1.0, twice + 1)
    return np.asarray(np.sqrt(below * (twice + 1 - below)))


# --------------------------------------------------------------------------- operators and states
def collective_operator(axis: str, J: float) -> Sparse:
    """Return J_x, J_y, J_z, J_+ or J_- of total spin J, dimensionless and sparse: (2J+1, 2J+1).

    Parameters
    ----------
    axis
        ``x``, ``y``, ``z``, ``+`` or ``-``.
    J
        Total spin; N/2 is the symmetric sector of N spins.

    Raises
    ------
    ArgumentError
        If there is no such axis or total spin.

    Examples
    --------
    >>> collective_operator("x", 0.5).toarray().real
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    if axis == "z":
        return _bands({0: levels(J)})
    if axis not in _LADDER:
        raise ArgumentError(f"Argument `axis` must be x, y, z, + or -, but is {axis!r}")
    raised, (up, down) = ladder(J), _LADDER[axis]
    return _bands({1: up * raised, -1: down * raised})


def _bands(bands: Mapping[int, NDArray[np.inexact[Any]]]) -> Sparse:
    """Return the sparse square matrix with the given diagonals, by their offsets."""
    size = max(values.size + abs(k) for k, values in bands.items())
    rows = [np.arange(values.size) + max(-k, 0) for k, values in bands.items()]
    columns = [row + k for row, k in zip(rows, bands, strict=True)]
    values = np.concatenate(list(bands.values())).astype(complex)
    stored = values != 0
    places = np.concatenate(rows)[stored], np.concatenate(columns)[stored]
    return csr_array((values[stored], places), shape=(size, size))


def dicke_state(J: float, m: float) -> Complex:
    """Return |J, m⟩ as a vector of shape (2J + 1,).

    Raises
    ------
    ArgumentError
        If total spin J has no level m.

    Examples
    --------
    >>> dicke_state(1, 0).real
    array([0., 1., 0.])
    """
    found = levels(J) == m
    if not np.any(found):
        raise ArgumentError(f"Argument `m` must be a level of J = {J}, but is {m}")
    return np.asarray(found, dtype=complex)


def coherent_state(J: float, polar: float, azimuth: float = 0.0) -> Complex:
    """Return the state in which all 2J spins point along (θ, φ): shape (2J + 1,).

    ⟨m|θ, φ⟩ = √C(2J, J−m) cos^(J+m)(θ/2) sin^(J−m)(θ/2) e^{i(J−m)φ}, the product of
    cos(θ/2)|0⟩ + e^{iφ} sin(θ/2)|1⟩ in the symmetric sector.  The amplitudes are built outwards
    from the largest one, so that 10⁴ spins neither overflow nor lose digits.

    Parameters
    ----------
    J
        Total spin, N/2 for N spins.
    polar, azimuth
        θ and φ in rad.

    Raises
    ------
    ArgumentError
        If an angle is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> np.round(coherent_state(1, np.pi / 2).real ** 2, 6)
    array([0.25, 0.5 , 0.25])
    """
    check_finite("polar", polar)
    check_finite("azimuth", azimuth)
    twice = checked_total_spin(J)
    up, down = math.cos(polar / 2), math.sin(polar / 2)
    k = np.arange(twice + 1)
    peak = min(int((twice + 1) * down**2), twice)
    factor = np.sqrt((twice - k[:-1]) / (k[:-1] + 1.0))  # of one more spin down
    rising = np.cumprod(np.append(1.0, factor[peak:] * (down / up if up else 0.0)))
    falling = np.cumprod((up / down if down else 0.0) / factor[:peak][::-1])[::-1]
    amplitudes = np.concatenate([falling, rising])
    return np.asarray(amplitudes / np.linalg.norm(amplitudes) * np.exp(1j * azimuth * k))


# -------------------------------------------------------------------------- two collective spins
@dataclass(frozen=True, eq=False)
class Chain:
    """Two collective spins with exchange, at a fixed number of excitations: a tridiagonal matrix.

    Attributes
    ----------
    first, second
        m₁ (descending) and m₂ = M − m₁ (ascending) of the levels, each of shape (levels,).
    hopping
        ⟨m₁, m₂|J₁₊J₂₋ + J₁₋J₂₊|m₁ − 1, m₂ + 1⟩, shape (levels − 1,).
    """

    first: Real
    second: Real
    hopping: Real

    @property
    def matrix(self) -> Sparse:
        """J₁₊J₂₋ + J₁₋J₂₊ on the levels, sparse, shape (levels, levels)."""
        return _bands({1: self.hopping, -1: self.hopping})

    def evolve(
        self, psi: Complex, times: Real, rate: float = 1.0, energy: float | Real = 0
    ) -> Complex:
        """Return ψ(t) = exp(−iHt)ψ under H = rate·(J₁₊J₂₋ + J₁₋J₂₊) + diag(energy).

        Parameters
        ----------
        psi
            Amplitudes of the levels, shape (levels,).
        times
            t in s, shape (T,).
        rate
            g in rad/s.
        energy
            Diagonal of H in rad/s, of shape (levels,): offsets (functions of m₁ and m₂) or
            couplings inside one of the spins.

        Returns
        -------
        array of shape (T, levels)

        Raises
        ------
        ArgumentError
            If ``psi`` is not of the size of the chain.
        """
        psi = np.asarray(psi, dtype=complex)
        if psi.shape != self.first.shape:
            raise ArgumentError(
                f"Argument `psi` must have shape {self.first.shape}, but has shape {psi.shape}"
            )
        diagonal = np.broadcast_to(np.asarray(energy, dtype=float), self.first.shape)
        e, V = eigh_tridiagonal(diagonal, rate * self.hopping)
        phases = np.exp(-1j * np.multiply.outer(np.asarray(times, dtype=float), e))
        return np.asarray((phases * (V.T @ psi)) @ V.T)


def exchange_chain(J1: float, J2: float, excitations: int) -> Chain:
    """Return two collective spins under J₁₊J₂₋ + J₁₋J₂₊ with a fixed number of spins up.

    The exchange (equal to 2(J₁ₓJ₂ₓ + J₁ᵧJ₂ᵧ)) keeps m₁ + m₂ = excitations − J₁ − J₂, so the
    (2J₁+1)(2J₂+1) levels fall into chains of at most min(2J₁, 2J₂) + 1
    (spin-charger-battery, eq. 3 at γ = 0: M battery cells are J₁ = M/2, N chargers J₂ = N/2).

    Parameters
    ----------
    J1, J2
        Total spins.
    excitations
        Number of up spins of both, from 0 to 2J₁ + 2J₂.

    Raises
    ------
    ArgumentError
        If there are fewer or more excitations than the spins can hold.

    Examples
    --------
    >>> exchange_chain(0.5, 2, 4).hopping  # one cell, four chargers that are up: √4
    array([2.])
    """
    first, second = checked_total_spin(J1, "J1"), checked_total_spin(J2, "J2")
    if not 0 <= checked_count(excitations, "excitations", 0) <= first + second:
        raise ArgumentError(
            f"Argument `excitations` must be at most {first + second}, but is {excitations}"
        )
    up = np.arange(min(first, excitations), max(0, excitations - second) - 1, -1.0)
    other = excitations - up
    lowered = up[:-1] * (first - up[:-1] + 1)
    raised = (other[:-1] + 1) * (second - other[:-1])
    return Chain(up - first / 2, other - second / 2, np.sqrt(lowered * raised))
