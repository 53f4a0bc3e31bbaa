"""Quantum speed limits: the least time in which a constant Hamiltonian makes such a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.battery.arguments import ESTIMATED, check_size, pair
from nmrqb.battery.energies import energy, energy_spread
from nmrqb.battery.entropies import fidelity
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real, as_unit_trace

_GRID = 65
_GOLDEN = (5**0.5 - 1) / 2
_ITERATIONS = 50
_ROUNDING = 1e-13  # an infidelity below it is none


@dataclass(frozen=True, eq=False)
class SpeedLimit:
    """Least times of a change, each of shape (...), in s for H in rad/s.

    Attributes
    ----------
    mandelstam_tamm
        L/ΔE, L = arccos √F and ΔE the standard deviation of the energy.
    margolus_levitin
        With the mean energy above the ground state.
    dual
        With the mean energy below the highest state.
    """

    mandelstam_tamm: Real
    margolus_levitin: Real
    dual: Real

    @property
    def time(self) -> Real:
        """The largest of the three: no constant H of this energy does it sooner."""
        largest = np.maximum(self.mandelstam_tamm, self.margolus_levitin)
        return np.asarray(np.maximum(largest, self.dual))

    def ratio(self, t: ArrayLike) -> Real:
        """Return t/`time` ≥ 1 of a charge that took t; infinite where nothing changed.

        Parameters
        ----------
        t
            Times in s, shape (...).

        Raises
        ------
        ArgumentError
            If a time is negative.
        """
        times = as_real(t, "t")
        if np.any(times < 0):
            raise ArgumentError(f"Argument `t` must be ≥ 0, but holds {times.min():.6g}")
        moved = self.time > 0
        return np.asarray(np.where(moved, times / np.where(moved, self.time, 1), np.inf))


def speed_limit(start: Any, rho: Any, H: Any) -> SpeedLimit:  # noqa: ANN401
    """Return the least times in which a constant H takes one state as far as another.

    Mandelstam & Tamm: t ≥ L/ΔE.  Margolus & Levitin, for any fidelity F:
    t ≥ min_z (1 + z) arcsin √((1 − F)/(1 − z²)) / (E − e_min), |z| ≤ √F, which two-level states
    reach; π/2(E − e_min) at F = 0.  Both hold for mixed states, through their purifications.

    Parameters
    ----------
    start, rho
        States before and after, shape (..., d, d), of trace 1.
    H
        What drives the change, constant in time, in rad/s (ħ = 1), shape (..., d, d); during a
        charge it is the charging Hamiltonian, not the battery's.

    Returns
    -------
    SpeedLimit
        Infinite where the states differ but the energy allows no change.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, a trace is not 1 within 1e-6, or they differ in size.

    Notes
    -----
    Giovannetti, Lloyd & Maccone (2003) for any fidelity, closed by Hörnedal & Sönnerborn (2023);
    the dual bound is that of Ness, Alberti & Sagi (2022).

    Examples
    --------
    >>> from nmrqb.operators import pauli
    >>> up, down = np.diag([1, 0]), np.diag([0, 1])
    >>> limit = speed_limit(up, down, pauli("X"))  # a flip takes π/2
    >>> round(float(limit.ratio(np.pi / 2)), 12)
    1.0
    """
    before = as_unit_trace(start, "start", ESTIMATED)
    after, hamiltonian = pair(as_unit_trace(rho, "rho", ESTIMATED), H)
    check_size(after, before, "start")
    lost = np.clip(1 - fidelity(before, after), 0, 1)
    lost = np.where(lost < _ROUNDING, 0, lost)
    spread, mean = energy_spread(before, hamiltonian), energy(before, hamiltonian)
    e = np.linalg.eigvalsh(hamiltonian)
    least = _least_action(lost)
    return SpeedLimit(
        _over(np.arcsin(np.sqrt(lost)), spread),
        _over(least, mean - e[..., 0]),
        _over(least, e[..., -1] - mean),
    )


def _over(action: Real, energy: Real) -> Real:
    """Return action/energy, 0 where nothing changes, infinite where no energy changes it."""
    able = energy > 0
    time = np.where(able, action / np.where(able, energy, 1), np.inf)
    return np.asarray(np.where(action > 0, time, 0.0))


def _least_action(lost: Real) -> Real:
    """Return min_z (1 + z) arcsin √(lost/(1 − z²)) over |z| ≤ √(1 − lost): (...) → (...).

    The minimum is at z ≤ 0: a net first, then a golden section round its lowest point.
    """
    root = np.sqrt(1 - lost)

    def action(u: Real) -> Real:
        z = -root * u
        inside = np.clip(lost / np.maximum(1 - z**2, 1e-300), 0, 1)
        return np.asarray((1 + z) * np.arcsin(np.sqrt(inside)))

    net = np.linspace(0, 1, _GRID).reshape(-1, *(1,) * np.ndim(lost))
    lowest = np.argmin(action(net), axis=0)
    low, high = ((lowest + k).clip(0, _GRID - 1) / (_GRID - 1) for k in (-1, 1))
    for _ in range(_ITERATIONS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        to_left = action(left) < action(right)
        low, high = np.where(to_left, low, left), np.where(to_left, right, high)
    return np.minimum(action((low + high) / 2), np.minimum(action(low), action(high)))
