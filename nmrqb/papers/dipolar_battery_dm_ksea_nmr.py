"""Quantities and figures of dipolar-battery-dm-ksea-nmr, in units of ω (ħ = k_B = 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmrqb.battery import coherence_l1
from nmrqb.battery.dipolar import (
    charge_from_gibbs,
    magnetic_dipolar_hamiltonian,
    x_state_concurrence,
)
from nmrqb.dynamics import gibbs
from nmrqb.operators import Real
from nmrqb.papers import ksea_charging, ksea_maps, ksea_resources
from nmrqb.papers.ksea_charging import POINTS
from nmrqb.papers.ksea_maps import anisotropies, axis, exchanges, fields
from nmrqb.papers.ksea_resources import TIMES, entanglement_cutoff, noisy_resources
from nmrqb.papers.picture import Curves, Density, Panel
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
_KINDS = ("l1 coherence", "concurrence")


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
    xi = {label: run.ergotropy() for label, run in runs.items()}
    P = {label: run.anti_ergotropy() for label, run in runs.items()}
    Q = {label: np.full(POINTS, run.capacity()) for label, run in runs.items()}
    C = {label: run.coherence() for label, run in runs.items()}
    return [
        Curves("(a) ergotropy", _TIME, "ξ (ω)", _SHOWN, xi),
        Curves("(b) anti-ergotropy", _TIME, "P (ω)", _SHOWN, P),
        Curves("(c) capacity", _TIME, "Q (ω)", _SHOWN, Q),
        Curves("(d) l1 coherence, energy basis", _TIME, "C", _SHOWN, C),
    ]


_RESOURCES: Sequence[tuple[str, str, Sequence[float], Mapping[str, float]]] = (
    ("ε", "epsilon", (0.1, 0.5, 10.0), {"Delta": 0.0}),
    ("B", "B", (0.1, 1.0, 10.0), {}),
    ("D", "D", (0.1, 1.0, 10.0), {}),
    ("G", "G", (0.1, 1.0, 10.0), {}),
    ("Δ", "Delta", (0.1, 1.0, 10.0), {"epsilon": 0.1}),
)


def _noise_panels() -> list[Panel]:
    """Return the fifteen panels of fig. 3, from |00⟩ with γ = 0.2."""
    panels: list[Panel] = []
    for symbol, along, values, changes in _RESOURCES:
        for value in values:
            own = {"Delta": 1.0, "epsilon": 0.5, "D": 0.0, "G": 0.0, "B": 0.0}
            C, E = noisy_resources(**{**own, **changes, along: value, "gamma": 0.2, "tilt": 0.0})
            title = f"({chr(97 + len(panels))}) {symbol} = {value:g}"
            panels.append(
                Curves(title, "t (1/ω)", "l1, E", TIMES, dict(zip(_KINDS, (C, E), strict=True)))
            )
    return panels


def _thermal_panels() -> list[Panel]:
    """Return the fifteen panels of fig. 4: product-basis coherence and concurrence against T."""
    panels: list[Panel] = []
    for symbol, along, values, changes in _RESOURCES:
        for value in values:
            value = 1.0 if (along, value) == ("epsilon", 0.5) else value
            own = {"Delta": 1.0, "epsilon": 0.5, "D": 0.0, "G": 0.0, "B": 0.0, **changes}
            own |= {"epsilon": 0.5} if along == "Delta" else {}
            own[along] = value
            T = np.linspace(
                0.02, 4 * max(1.0, entanglement_cutoff(coldest=0.02, **own)) / 2, POINTS
            )
            rho = gibbs(magnetic_dipolar_hamiltonian(**own), T)
            curves = (coherence_l1(rho), x_state_concurrence(rho))
            title = f"({chr(97 + len(panels))}) {symbol} = {value:g}"
            panels.append(
                Curves(title, "T (ω)", "l1, E", T, dict(zip(_KINDS, curves, strict=True)))
            )
    return panels


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
    "fig 3": _noise_panels,
    "fig 4": _thermal_panels,
    "fig 5": lambda: _metrics("Δ", "Delta", (1, 2, 4, 6, 12), T=1.0),
    "fig 6": lambda: _metrics("B", "B", (0, 0.5, 1, 1.5, 2)),
    "fig 7": lambda: _metrics("T", "T", (0.5, 1, 1.5, 2, 4)),
    "fig 8": lambda: _metrics("G", "G", (0, 0.1, 0.5, 1, 2), epsilon=0.5),
    "fig 9": lambda: _metrics("D", "D", (0, 0.1, 0.5, 1, 2), epsilon=0.5),
    "fig 10": _anisotropy_panels,
    "fig 11": _exchange_panels,
    "fig 12": _field_panels,
}
