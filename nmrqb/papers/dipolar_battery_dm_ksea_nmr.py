"""Quantities and figures of dipolar-battery-dm-ksea-nmr, in units of ω (ħ = k_B = 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nmrqb.battery.dipolar import (
    Charging,
    charge_from_gibbs,
    magnetic_dipolar_hamiltonian,
)
from nmrqb.operators import Real
from nmrqb.papers import ksea_charging, ksea_maps, ksea_resources
from nmrqb.papers.ksea_charging import POINTS
from nmrqb.papers.ksea_maps import anisotropies, axis, exchanges, fields
from nmrqb.papers.ksea_resources import noisy_resources, thermal, thermal_resources
from nmrqb.papers.picture import Curves, Density, Panel, panels_of
from nmrqb.papers.rows import Drawing, Quantity

MAP_POINTS = 45  # of either axis of figs. 10 to 12

QUANTITIES: Mapping[str, Quantity] = {
    **ksea_charging.QUANTITIES,
    **ksea_resources.QUANTITIES,
    **ksea_maps.QUANTITIES,
}


# ------------------------------------------------------------------------------------- the figures
_SHOWN = np.linspace(0, np.pi, POINTS)
_TIME = "t (1/ω)"


def _metrics(
    symbol: str, along: str, values: Sequence[float], T: float = 0.5, **constants: float
) -> list[Panel]:
    """Return the four panels of figs. 5 to 9: ξ, P, Q and C against time."""
    runs = {}
    for value in values:
        own = {"Delta": 1.0, "epsilon": 0.1, **constants, "T": T, along: value}
        temperature = own.pop("T")
        H = magnetic_dipolar_hamiltonian(**own)
        runs[f"{symbol}/ω = {value:g}"] = charge_from_gibbs(H, temperature, _SHOWN)
    shown: Mapping[str, tuple[str, Callable[[Charging], Real]]] = {
        "(a) ergotropy": ("ξ (ω)", Charging.ergotropy),
        "(b) anti-ergotropy": ("P (ω)", Charging.anti_ergotropy),
        "(c) capacity": ("Q (ω)", lambda run: np.full(POINTS, run.capacity())),
        "(d) l1 coherence, energy basis": ("C", Charging.coherence),
    }
    return list(panels_of(runs, _SHOWN, _TIME, shown))


def _resources(
    xlabel: str,
    curves: Callable[..., tuple[Real, Real, Real]],
    epsilons: Sequence[float],
    beside_Delta: float,
) -> list[Panel]:
    """Return the fifteen panels of figs. 3 and 4: x, coherence and concurrence of constants.

    ``epsilons`` are the values of ε at Δ = 0, ``beside_Delta`` is its value where Δ is varied.
    """
    values = (0.1, 1.0, 10.0)
    rows: Sequence[tuple[str, str, Sequence[float], Mapping[str, float]]] = (
        ("ε", "epsilon", epsilons, {"Delta": 0.0}),
        ("B", "B", values, {}),
        ("D", "D", values, {}),
        ("G", "G", values, {}),
        ("Δ", "Delta", values, {"epsilon": beside_Delta}),
    )
    panels: list[Panel] = []
    for symbol, along, moved, others in rows:
        for value in moved:
            x, C, E = curves(**{**others, along: value})
            title = f"({chr(97 + len(panels))}) {symbol} = {value:g}"
            shown = {"l1 coherence": C, "concurrence": E}
            panels.append(Curves(title, xlabel, "l1, E", x, shown))
    return panels


def _thermal(**constants: float) -> tuple[Real, Real, Real]:
    """Return the resources of Gibbs states up to twice the temperature where E ends, at least 2."""
    hottest = 2 * max(1.0, thermal(figure="cutoff", **constants))
    return thermal_resources(hottest=hottest, points=POINTS, **constants)


def _densities(
    xlabel: str, ylabel: str, x: Real, y: Real, values: Mapping[str, Real]
) -> list[Panel]:
    """Return the four panels of figs. 10 to 12."""
    titles = {
        "ergotropy": ("(a) largest ergotropy", "ξ_max (ω)"),
        "anti-ergotropy": ("(b) lowest anti-ergotropy", "P_min (ω)"),
        "capacity": ("(c) capacity", "Q (ω)"),
        "coherence": ("(d) largest l1 coherence, energy basis", "C_max"),
    }
    return [
        Density(title, xlabel, ylabel, unit, x, y, values[name])
        for name, (title, unit) in titles.items()
    ]


def _anisotropy_panels() -> list[Panel]:
    x = axis(9, MAP_POINTS)
    return _densities("Δ/ω", "ε/ω", x, x, anisotropies(9, 1.0, MAP_POINTS))


def _exchange_panels() -> list[Panel]:
    x = axis(20, MAP_POINTS)
    values = exchanges(20, 1.0, MAP_POINTS, Delta=-1.0, epsilon=0.5)
    return _densities("D/ω", "G/ω", x, x, values)


def _field_panels() -> list[Panel]:
    T, B = np.linspace(0.05, 5, MAP_POINTS), np.linspace(0, 1.05, MAP_POINTS)
    values = fields(1.05, 0.05, MAP_POINTS, Delta=0.1, epsilon=0.1)
    return _densities("T/ω", "B/ω", T, B, values)


DRAWINGS: Mapping[str, Drawing] = {
    "fig 3": lambda: _resources("t (1/ω)", noisy_resources, (0.1, 0.5, 10.0), beside_Delta=0.1),
    "fig 4": lambda: _resources("T (ω)", _thermal, (0.1, 1.0, 10.0), beside_Delta=0.5),
    "fig 5": lambda: _metrics("Δ", "Delta", (1, 2, 4, 6, 12), T=1.0),
    "fig 6": lambda: _metrics("B", "B", (0, 0.5, 1, 1.5, 2)),
    "fig 7": lambda: _metrics("T", "T", (0.5, 1, 1.5, 2, 4)),
    "fig 8": lambda: _metrics("G", "G", (0, 0.1, 0.5, 1, 2), epsilon=0.5),
    "fig 9": lambda: _metrics("D", "D", (0, 0.1, 0.5, 1, 2), epsilon=0.5),
    "fig 10": _anisotropy_panels,
    "fig 11": _exchange_panels,
    "fig 12": _field_panels,
}
