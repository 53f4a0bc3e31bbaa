"""Benchmarks of spin-charger-battery: a cavity as the charger, infinitely many chargers, two cells.

Energies are in units of ω0, times in the inverse of the unit of the coupling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh_tridiagonal

from nmrqb.battery.checks import checked_times
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real


def tavis_cummings_energy(cells: int, photons: int, times: ArrayLike) -> Real:
    """Return E/ω0 of M cells that a resonant mode of n photons charges: (T,).

    H = g̃(b S_+ + b†S_−) from |all down⟩|n⟩ (spin-charger-battery, eq. A3).

    Parameters
    ----------
    cells, photons
        M and n.
    times
        g̃t ≥ 0, shape (T,).

    Raises
    ------
    ArgumentError
        If there is no cell or photon, or a time is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(tavis_cummings_energy(2, 2, np.linspace(0, 3, 3001)).max()), 4)  # 16/9
    1.7778
    """
    M, n = checked_count(cells, "cells"), checked_count(photons, "photons")
    k = np.arange(min(M, n) + 1.0)
    return _climb(np.sqrt((k[:-1] + 1) * (M - k[:-1]) * (n - k[:-1])), times)


def infinite_charger_energy(cells: int, times: ArrayLike) -> Real:
    """Return E/ω0 of M cells charged by N → ∞ spins that are all up, at τ = √N g t: (T,).

    Round the state that is all up J_− is √N b†, so that H = √N g(b†S_+ + b S_−) starts from no
    boson.  With the cells turned over this is a mode that inverted cells fill, not the mode with
    M photons of `tavis_cummings_energy`: the steps are the same in the opposite order.  The
    two have the same largest energy for one and for two cells only.

    Parameters
    ----------
    cells
        M.
    times
        τ ≥ 0, shape (T,).

    Examples
    --------
    >>> import numpy as np
    >>> round(float(infinite_charger_energy(2, np.linspace(0, 3, 3001)).max()), 4)
    1.7778
    """
    M = checked_count(cells, "cells")
    k = np.arange(M + 1.0)
    return _climb((k[:-1] + 1) * np.sqrt(M - k[:-1]), times)


def _climb(hopping: Real, times: ArrayLike) -> Real:
    """Return the mean level of a walk up a ladder of levels 0, 1, … from the lowest."""
    t = np.atleast_1d(checked_times(times))
    e, V = eigh_tridiagonal(np.zeros(len(hopping) + 1), hopping)
    psi = (np.exp(-1j * np.multiply.outer(t, e)) * V[0]) @ V.T
    return np.asarray(np.abs(psi) ** 2 @ np.arange(len(hopping) + 1.0))


def two_cell_energy(chargers: int, times: ArrayLike) -> Real:
    """Return E/ω0 of two cells and N ≥ 2 chargers in closed form: (T,).

    E = (ξ² + 4)/(9ξ⁴) [(ξ² − 8) cos ξgt − (7ξ² − 8)](cos ξgt − 1), ξ² = 2(3N − 2); its largest
    value is 16N(N − 1)/(3N − 2)² (spin-charger-battery, eqs. A6 and A7).

    Parameters
    ----------
    chargers
        N.
    times
        gt ≥ 0, shape (T,).

    Examples
    --------
    >>> import numpy as np
    >>> round(float(two_cell_energy(4, [np.pi / 20**0.5])[0]), 6)
    1.92
    """
    square = 2.0 * (3 * checked_count(chargers, "chargers", 2) - 2)
    c = np.cos(np.sqrt(square) * np.atleast_1d(checked_times(times)))
    bracket = (square - 8) * c - (7 * square - 8)
    return np.asarray((square + 4) / (9 * square**2) * bracket * (c - 1))


def one_thermal_charger_energy(up: float, times: ArrayLike) -> Real:
    """Return E/ω0 of two cells and two chargers, one up and one up with a probability: (T,).

    2p sin²(√2 gt) + ½(1 − p) sin²(2gt).  spin-charger-battery, eq. 17, has (1 − p) sin²(2gt):
    |10⟩ of the chargers is half a singlet, which charges nothing.

    Parameters
    ----------
    up
        p, probability that the second charger is up.
    times
        gt ≥ 0, shape (T,).

    Raises
    ------
    ArgumentError
        If p is no probability, or a time is negative or not finite.
    """
    if not 0 <= up <= 1:
        raise ArgumentError(f"Argument `up` must be a probability, but is {up}")
    t = np.atleast_1d(checked_times(times))
    return np.asarray(2 * up * np.sin(np.sqrt(2) * t) ** 2 + (1 - up) / 2 * np.sin(2 * t) ** 2)
