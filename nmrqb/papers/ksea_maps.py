"""dipolar-battery-dm-ksea-nmr: extremes over one charging period as maps, figs. 10 to 12."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from nmrqb.battery.dipolar import charge_from_gibbs, magnetic_dipolar_hamiltonian
from nmrqb.operators import Real
from nmrqb.papers.rows import Quantity, named

_MAP_ANGLES = np.linspace(0, np.pi, 101)


def _extremes(T: float | Real, **constants: float | Real) -> dict[str, Real]:
    """Return the extremes over one period, each of the broadcast shape of the constants."""
    run = charge_from_gibbs(magnetic_dipolar_hamiltonian(**constants), T, _MAP_ANGLES)
    return {
        "ergotropy": run.ergotropy().max(axis=-1),
        "anti-ergotropy": run.anti_ergotropy().min(axis=-1),
        "capacity": run.capacity(),
        "coherence": run.coherence().max(axis=-1),
    }


def axis(half_width: float, points: int) -> Real:
    """Return equally spaced values from −half_width to half_width: (points,)."""
    return np.linspace(-half_width, half_width, points)


@lru_cache(maxsize=8)
def anisotropies(side: float, T: float, points: int) -> dict[str, Real]:
    """Return the extremes over Δ (columns) and ε (rows)."""
    x = axis(side, points)
    return _extremes(T, Delta=x, epsilon=x[:, None])


@lru_cache(maxsize=8)
def exchanges(side: float, T: float, points: int, **constants: float) -> dict[str, Real]:
    """Return the extremes over D (columns) and G (rows)."""
    x = axis(side, points)
    return _extremes(T, D=x, G=x[:, None], **constants)


@lru_cache(maxsize=8)
def fields(field: float, coldest: float, points: int, **constants: float) -> dict[str, Real]:
    """Return the extremes over T (columns) and B (rows)."""
    T, B = np.linspace(coldest, 5, points), np.linspace(0, field, points)
    return _extremes(T, B=B[:, None], **constants)


def anisotropy_map(
    *, figure: str = "ergotropy", side: float = 9.0, T: float = 1.0, points: int = 31
) -> float:
    """Return the extreme of a figure over |Δ|, |ε| ≤ side (fig. 10)."""
    values = anisotropies(side, T, points)[figure]
    return float(values.min() if figure == "anti-ergotropy" else values.max())


def best_anisotropy(*, side: float = 9.0, T: float = 1.0, points: int = 31) -> float:
    """Return |Δ| at the largest ergotropy over |Δ|, |ε| ≤ side (fig. 10)."""
    x, values = axis(side, points), anisotropies(side, T, points)["ergotropy"]
    return float(np.abs(x[np.unravel_index(values.argmax(), values.shape)[1]]))


def sign_advantage(*, Delta: float = 5.0, epsilon: float = 3.0, T: float = 1.0) -> float:
    """Return the least of ξ_max(±Δ, ±ε) − ξ_max(±Δ, ∓ε), of both signs of Δ (fig. 10)."""
    Deltas = np.array([Delta, -Delta])
    same = _extremes(T, Delta=Deltas, epsilon=np.sign(Deltas) * epsilon)["ergotropy"]
    opposite = _extremes(T, Delta=Deltas, epsilon=-np.sign(Deltas) * epsilon)["ergotropy"]
    return float((same - opposite).min())


def axial_asymmetry(*, Delta: float = 5.0, epsilon: float = 3.0, T: float = 1.0) -> float:
    """Return |ξ_max(Δ, ε) − ξ_max(−Δ, ε)| (fig. 10)."""
    xi = _extremes(T, Delta=np.array([Delta, -Delta]), epsilon=epsilon)["ergotropy"]
    return float(abs(xi[0] - xi[1]))


def exchange_map(
    *,
    figure: str = "ergotropy",
    extreme: str = "largest",
    side: float = 20.0,
    Delta: float = -1.0,
    epsilon: float = 0.5,
    T: float = 1.0,
    points: int = 31,
) -> float:
    """Return the largest or smallest value of a figure over |D|, |G| ≤ side (fig. 11)."""
    values = exchanges(side, T, points, Delta=Delta, epsilon=epsilon)[figure]
    return float(values.max() if extreme == "largest" else values.min())


def exchange_edge(*, side: float = 20.0, Delta: float = -1.0, epsilon: float = 0.5) -> float:
    """Return ξ_max at D = side and G = 0 over that at D = G = side, T = 1 (fig. 11)."""
    G = np.array([0.0, side])
    xi = _extremes(1.0, Delta=Delta, epsilon=epsilon, D=side, G=G)["ergotropy"]
    return float(xi[0] / xi[1])


def field_map(
    *,
    figure: str = "ergotropy",
    field: float = 1.05,
    coldest: float = 0.05,
    Delta: float = 0.1,
    epsilon: float = 0.1,
    points: int = 31,
) -> float:
    """Return the extreme of a figure over 0 ≤ B ≤ field, coldest ≤ T ≤ 5 (fig. 12)."""
    values = fields(field, coldest, points, Delta=Delta, epsilon=epsilon)[figure]
    return float(values.min() if figure == "anti-ergotropy" else values.max())


def capacity_less_injection(
    *, field: float = 1.05, coldest: float = 0.05, first: float = 0.0, points: int = 31
) -> float:
    """Return the largest capacity minus the largest |anti-ergotropy| of fig. 12's plane.

    ``first`` is the angle ωt in rad from which on the times are looked at.
    """
    B, T = np.linspace(0, field, points), np.linspace(coldest, 5, points)
    H = magnetic_dipolar_hamiltonian(Delta=0.1, epsilon=0.1, B=B)
    run = charge_from_gibbs(H, T[:, None], first + np.linspace(0, np.pi / 4, 21))
    return float(run.capacity().max() + run.anti_ergotropy().min())


def cooling_gain(
    *, hot: float = 4.0, cold: float = 0.5, B: float = 1.0, Delta: float = 0.1
) -> float:
    """Return ξ_max at the cold minus that at the hot temperature (fig. 12)."""
    xi = _extremes(np.array([cold, hot]), Delta=Delta, epsilon=0.1, B=B)["ergotropy"]
    return float(xi[0] - xi[1])


def field_gain(
    *, weak: float = 1.0, strong: float = 2.0, T: float = 0.5, Delta: float = 0.1
) -> float:
    """Return ξ_max in the strong field minus that in the weak one (fig. 12)."""
    xi = _extremes(T, Delta=Delta, epsilon=0.1, B=np.array([weak, strong]))["ergotropy"]
    return float(xi[1] - xi[0])


QUANTITIES: Mapping[str, Quantity] = named(
    anisotropy_map,
    best_anisotropy,
    sign_advantage,
    axial_asymmetry,
    exchange_map,
    exchange_edge,
    field_map,
    capacity_less_injection,
    cooling_gain,
    field_gain,
)
