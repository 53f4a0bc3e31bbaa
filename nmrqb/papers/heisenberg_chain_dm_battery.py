"""Quantities and figures of heisenberg-chain-dm-battery, in its units (ħ = 1, Ω = J = ω0 = 1).

Times run over [0, π/(2Ω)], the time in which parallel charging is complete, on 401 points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from nmrqb.battery import anti_ergotropy
from nmrqb.battery.heisenberg import ChainCharging, charge_chain
from nmrqb.operators import Real, spin_projections
from nmrqb.papers.picture import Curves, Density, Panel, panels_of
from nmrqb.papers.rows import Drawing, Quantity, named
from nmrqb.papers.trends import figure_of, least_step

POINTS = 401


@lru_cache(maxsize=128)
def _charging(
    *,
    J: float = 1.0,
    gamma: float = 0.0,
    Delta: float = 0.0,
    D: float = 0.0,
    Omega: float = 1.0,
    window: float = 1.0,
    spins: float = 2,
) -> ChainCharging:
    times = np.linspace(0, window * np.pi / 2, POINTS)
    return charge_chain(times, J=J, gamma=gamma, Delta=Delta, D=D, Omega=Omega, spins=round(spins))


def _per_cell(run: ChainCharging) -> float:
    cells = run.states.shape[-1].bit_length() - 1
    return float(run.ergotropy().max() / cells)


_FIGURES: Mapping[str, Callable[[ChainCharging], float]] = {
    "ergotropy": lambda run: float(run.ergotropy().max()),
    "ergotropy per cell": _per_cell,
    "power": lambda run: float(run.average_power().max()),
    "time of ergotropy": lambda run: float(run.times[run.ergotropy().argmax()]),
    "time of power": lambda run: float(run.times[run.average_power().argmax()]),
    "steering": lambda run: float(run.steering().max()),
    "coherence": lambda run: float(run.first_order_coherence().min()),
}


charged = figure_of(_charging, _FIGURES, "ergotropy")

_CURVES: Mapping[str, tuple[str, Callable[[ChainCharging], Real]]] = {
    "ergotropy": ("ζ (ω0)", ChainCharging.ergotropy),
    "power": ("ζ/t (ω0Ω)", ChainCharging.average_power),
    "coherence": ("Q", ChainCharging.first_order_coherence),
    "steering": ("S", ChainCharging.steering),
}


def least_gain(
    *,
    figure: str = "ergotropy",
    D: float = 1.7,
    over: float = 0.0,
    gamma: float = 0.0,
    Delta: float = 2.0,
    since: float = 0.1,
) -> float:
    """Return the smallest difference that a DM constant makes to a curve.

    Over since·π/2 ≤ t ≤ π/2, against the DM constant ``over``.
    """
    _, curve = _CURVES[figure]
    more, less = (curve(_charging(gamma=gamma, Delta=Delta, D=value)) for value in (D, over))
    return float((more - less)[round(since * (POINTS - 1)) :].min())


def least_collective_gain(*, J: float = 1.0, gamma: float = 1.0, until: float = 0.5) -> float:
    """Return the smallest P_collective − P_parallel over 0 < t < until·π/2 without DM coupling."""
    collective, parallel = (
        _charging(J=constant, gamma=gamma, window=until).average_power() for constant in (J, 0.0)
    )
    return float((collective - parallel)[1:-1].min())


def parallel_deviation(*, J: float = 0.0, gamma: float = 1.0, Omega: float = 1.0) -> float:
    """Return the largest |ζ − ζ_max sin² Ωt| of eq. 8."""
    run = _charging(J=J, gamma=gamma, Omega=Omega)
    return float(np.abs(run.ergotropy() - 4 * np.sin(Omega * run.times) ** 2).max())


def ergotropy_with_max(*, time: float = 0.8, Omega: float = 1.0) -> float:
    """Return eq. 6 as printed, energy minus the *largest* energy that unitaries reach."""
    psi = charge_chain([time], Omega=Omega).states
    rho = np.einsum("ti,tj->tij", psi, psi.conj())
    H = np.diag(2 * spin_projections(2).sum(axis=0)).astype(complex)
    return float(anti_ergotropy(rho, H)[0])


def steering_beyond_coherence(*, D: float = 0.8, Delta: float = 2.0, factor: float = 2.0) -> float:
    """Return the largest |S² − 3 + factor·Q²|, 0 with factor 2 while the state is pure."""
    run = _charging(Delta=Delta, D=D)
    return float(np.abs(run.steering() ** 2 - 3 + factor * run.first_order_coherence() ** 2).max())


QUANTITIES: Mapping[str, Quantity] = named(
    least_gain,
    least_collective_gain,
    parallel_deviation,
    ergotropy_with_max,
    steering_beyond_coherence,
    charged=charged,
    rise=least_step(charged, figure="power", along="D", values=(0, 3, 6, 9)),
)


# ------------------------------------------------------------------------------------- the figures
_TIME = "Ωt"


def _panels(names: Sequence[str], runs: Mapping[str, ChainCharging]) -> list[Curves]:
    shown = {f"({letter}) {name}": _CURVES[name] for letter, name in zip("ab", names, strict=True)}
    return panels_of(runs, next(iter(runs.values())).times, _TIME, shown)


def _fig_2() -> list[Curves]:
    runs = {"collective": _charging(gamma=1.0), "parallel": _charging(J=0.0)}
    return _panels(("ergotropy", "power"), runs)


def _fig_3() -> list[Panel]:
    runs = {f"D = {D:g}": _charging(gamma=1.0, D=D) for D in (0, 3, 6, 9)}
    times, D = np.linspace(0, np.pi / 2, 161), np.linspace(0, 20, 121)
    energy = charge_chain(times, J=1.0, gamma=1.0, D=D).ergotropy()
    density = Density("(c) ergotropy", _TIME, "D (Ω)", "ζ (ω0)", times, D, energy)
    return [*_panels(("ergotropy", "power"), runs), density]


def _fig_4() -> list[Curves]:
    runs = {f"D = {D:g}": _charging(Delta=2.0, D=D, window=4.0) for D in (0, 1.7)}
    return _panels(("ergotropy", "power"), runs)


def _fig_5() -> list[Curves]:
    runs = {f"D = {D:g}": _charging(Delta=2.0, D=D) for D in (0, 0.8, 1.2, 1.7)}
    return _panels(("coherence", "steering"), runs)


def _xyz(D: Sequence[float]) -> list[Panel]:
    """Return panels of the XYZ model with γ = −0.2: the paper prints no γ, this one fits it."""
    panels: list[Panel] = []
    for Delta in (2.5, 3):
        runs = {f"D = {d:g}": _charging(gamma=-0.2, Delta=Delta, D=d) for d in D}
        runs |= {"parallel": _charging(J=0.0)}
        panels += [
            replace(panel, title=f"Δ = {Delta:g}, γ = −0.2")
            for panel in _panels(("ergotropy", "power"), runs)
        ]
    return panels


DRAWINGS: Mapping[str, Drawing] = {
    "fig 2": _fig_2,
    "fig 3": _fig_3,
    "fig 4": _fig_4,
    "fig 5": _fig_5,
    "fig 6": lambda: _xyz((0,)),
    "fig 7": lambda: _xyz((0, 0.5, 1)),
}
