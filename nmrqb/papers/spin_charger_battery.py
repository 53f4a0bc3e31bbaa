"""Quantities and figures of spin-charger-battery, in its units: g = ħ = 1, g/ω0 = 0.1.

Energies are in units of ω0, powers of gω0.  The paper does not print the times over which E_max is
taken; where three cells or more make it depend on them, gt runs to 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from nmrqb.battery.cavity_charger import (
    infinite_charger_energy,
    one_thermal_charger_energy,
    tavis_cummings_energy,
    two_cell_energy,
)
from nmrqb.battery.collective_starts import Shares, dicke, mixture, one_turned, polarised
from nmrqb.battery.peaks import Peak, largest
from nmrqb.battery.power import average_power
from nmrqb.battery.spin_charger import (
    SpinCharger,
    collective_advantage,
    peak_power,
    scaling_exponent,
    stored_energy,
)
from nmrqb.operators import Real
from nmrqb.papers.picture import Curves, Panel
from nmrqb.papers.rows import Drawing, Quantity, named
from nmrqb.papers.trends import least_fall, least_step

WINDOW = 10.0
_PER_TIME = 200  # points per unit of gt in the search for E_max, per √N


def _model(cells: float, chargers: float, gamma: float, crosstalk: float) -> SpinCharger:
    return SpinCharger(round(cells), round(chargers), gamma=gamma, charger_crosstalk=crosstalk)


@lru_cache(maxsize=512)
def _largest_energy(model: SpinCharger, window: float, cell_up: float = 0.0) -> float:
    points = round(_PER_TIME * window * np.sqrt(max(1.0, model.chargers / 10))) + 1
    cells = polarised(model.cells, cell_up)
    return largest(lambda t: stored_energy(model, t, cells=cells), window, points=points).value


@lru_cache(maxsize=512)
def _peak(model: SpinCharger) -> Peak:
    return peak_power(model)


def energy(
    *,
    crosstalk: float = 0.0,
    cell_up: float = 0.0,
    gamma: float = 0.0,
    window: float = WINDOW,
    cells: float = 10.0,
    chargers: float = 10.0,
    per_cell: float = 0.0,
) -> float:
    """Return E_max/ω0 over gt from 0 to the window.

    Over M to the power ``per_cell``; crosstalk is g1/g; every cell is up at the start with a
    probability.
    """
    found = _largest_energy(_model(cells, chargers, gamma, crosstalk), window, cell_up)
    return float(found / cells**per_cell)


def power(
    *,
    crosstalk: float = 0.0,
    gamma: float = 0.0,
    cells: float = 10.0,
    chargers: float = 10.0,
    per_root: float = 1.0,
) -> float:
    """Return P_max/(gω0) over √N to a power."""
    found = _peak(_model(cells, chargers, gamma, crosstalk)).value
    return float(found / np.sqrt(chargers) ** per_root)


@lru_cache(maxsize=64)
def exponent(
    *, width: float = 0.1, gamma: float = 0.0, cells: float = 100.0, chargers_per_cell: float = 1.0
) -> float:
    """Return β = d ln η/d ln M, a difference over M(1 ± width)."""
    M = round(cells)
    model = SpinCharger(M, M * round(chargers_per_cell), gamma=gamma)
    return scaling_exponent(model, width=width)


def advantage_over_cavity(*, cells: float = 10.0, crosstalk: float = 0.0) -> float:
    """Return η of M = N spins over η of a cavity with as many photons."""
    spin = collective_advantage(_model(cells, cells, 0.0, crosstalk))
    return spin / (_cavity_power(round(cells)) / (cells * _cavity_power(1)))


# -------------------------------------------------------------------------------- the cavity
def _cavity_power(cells: int, reach: float = 3.0) -> float:
    def curve(t: Real) -> Real:
        return average_power(tavis_cummings_energy(cells, cells, t), t)

    return largest(curve, reach / np.sqrt(cells)).value


def cavity_exponent(*, width: float = 0.1, cells: float = 400.0) -> float:
    """Return β of a cavity with as many photons as cells, a difference over M(1 ± width)."""
    few, many = (round(cells * (1 + sign * width)) for sign in (-1, 1))
    ratio = _cavity_power(many) / many / (_cavity_power(few) / few)
    return float(np.log(ratio) / np.log(many / few))


def _cavity_energy(cells: int, window: float = WINDOW) -> float:
    """Return E_max/ω0 of a cavity with as many photons as cells, g̃t up to the window."""
    return largest(lambda t: tavis_cummings_energy(cells, cells, t), window, points=2001).value


def two_photon_energy(*, phase: float = np.pi) -> float:
    """Return E/ω0 of two cells and a cavity of two photons at √6 g̃t = π, or another phase."""
    return float(tavis_cummings_energy(2, 2, [phase / np.sqrt(6)])[0])


def power_over_cavity(
    *, crosstalk: float = 0.0, cells: float = 10.0, chargers: float = 1000.0
) -> float:
    """Return P_max/√N of spins over P_max of a cavity with as many photons as cells."""
    spins = power(crosstalk=crosstalk, cells=cells, chargers=chargers)
    return spins / _cavity_power(round(cells))


def energy_over_cavity(
    *, crosstalk: float = 0.0, cells: float = 10.0, chargers: float = 10.0
) -> float:
    """Return E_max of spins minus that of a cavity with as many photons as cells."""
    spins = energy(crosstalk=crosstalk, cells=cells, chargers=chargers)
    return spins - _cavity_energy(round(cells))


# ------------------------------------------------------------------------------- two cells
def two_cell_maximum(*, chargers: float = 4.0, phase: float = np.pi) -> float:
    """Return E/ω0 of eq. A6 at ξgt = π, eq. A7, or at another phase."""
    N = round(chargers)
    return float(two_cell_energy(N, [phase / np.sqrt(2 * (3 * N - 2))])[0])


def thermal_share(*, time: float = 0.3, up: float = 0.0) -> float:
    """Return E/(ω0 sin² 2gt) of two cells where one charger is up and the other is not."""
    return float(one_thermal_charger_energy(up, [time])[0] / np.sin(2 * time) ** 2)


def cell_crosstalk_energy(*, crosstalk: float = 10.0, window: float = 50.0) -> float:
    """Return E_max/ω0 of two cells with XY crosstalk g2/g and four chargers."""
    return _largest_energy(SpinCharger(2, 4, cell_crosstalk=crosstalk), window)


def _imperfect(which: str, ideal: float) -> dict[str, Shares]:
    """Return starts of eqs. 19 and 21 for M = 2, N = 4, what is not ideal in equal parts."""
    if which == "chargers":
        others = [((1 - ideal) / 4, dicke(4, up)) for up in range(4)]
        return {"chargers": mixture([(ideal, dicke(4, 4)), *others])}
    return {"cells": mixture([(ideal, dicke(2, 0)), (1 - ideal, one_turned(2, up=True))])}


def imperfect_ratio(
    *, figure: str = "energy", which: str = "chargers", ideal: float = 0.6, window: float = 5.0
) -> float:
    """Return E_max or P_max of two cells and four chargers over that of ideal starts."""
    model, given = SpinCharger(2, 4), _imperfect(which, ideal)

    def curve(t: Real, starts: Mapping[str, Shares]) -> Real:
        E = stored_energy(model, t, **starts)
        return E if figure == "energy" else average_power(E, t)

    changed, perfect = (
        largest(lambda t: curve(t, starts), window, points=1001).value  # noqa: B023 - used at once
        for starts in (given, {})
    )
    return changed / perfect


def parallel_spread(*, cell_up: float = 0.0, reach: float = 2.0) -> float:
    """Return how much P_max of one cell and one charger varies with γ = 0, 0.2, 0.6, 1.

    The cell is up at the start with a probability.
    """
    cells = polarised(1, cell_up)
    found = []
    for gamma in (0.0, 0.2, 0.6, 1.0):
        model = SpinCharger(1, 1, gamma=gamma)
        t = np.linspace(0, reach, 401)
        found.append(average_power(stored_energy(model, t, cells=cells), t).max())
    return float(np.ptp(found))


def power_slope(
    *, crosstalk: float = 0.0, window: float = WINDOW, chargers_per_cell: float = 1.0
) -> float:
    """Return the slope of P_max/(√N gω0) over E_max/ω0 along M = 1 … 10 at γ = 0, a line fit."""
    ratio = round(chargers_per_cell)
    sizes = [{"crosstalk": crosstalk, "cells": M, "chargers": ratio * M} for M in range(1, 11)]
    E = np.array([energy(window=window, **size) for size in sizes])
    P = np.array([power(**size) for size in sizes])
    return float(np.polyfit(E, P, 1)[0])


QUANTITIES: Mapping[str, Quantity] = named(
    energy,
    power,
    exponent,
    advantage_over_cavity,
    cavity_exponent,
    two_photon_energy,
    power_over_cavity,
    energy_over_cavity,
    two_cell_maximum,
    thermal_share,
    cell_crosstalk_energy,
    imperfect_ratio,
    parallel_spread,
    power_slope,
    power_rise=least_step(power, along="chargers", values=(10, 20, 100)),
    power_fall=least_fall(power, along="gamma", values=(0, 0.2, 0.6, 1)),
    energy_fall=least_fall(energy, along="gamma", values=(0, 0.2, 0.6, 1)),
)


# ------------------------------------------------------------------------------------- the figures
_CELLS = np.arange(1, 11)
_DRAWN = 2.0  # largest gt of what is drawn against M
_AXES = ("E_max (ω0)", "P_max (√N gω0)")


def _corner(model: SpinCharger) -> tuple[float, float]:
    """Return E_max and P_max/√N of a grid of times, as fine as the pictures need it."""
    t = np.linspace(0, _DRAWN, 1601)
    E = stored_energy(model, t)
    return float(E.max()), float(average_power(E, t).max() / np.sqrt(model.chargers))


def _landscape(title: str, models: Mapping[str, Sequence[SpinCharger]]) -> Curves:
    """Return a panel of P_max over E_max: the points of one curve side by side, else nothing."""
    found = {label: [_corner(model) for model in members] for label, members in models.items()}
    x = np.array([E for points in found.values() for E, _ in points])
    curves, start = {}, 0
    for label, points in found.items():
        curves[label] = np.full(len(x), np.nan)
        curves[label][start : start + len(points)] = [P for _, P in points]
        start += len(points)
    return Curves(title, *_AXES, x, curves)


def _fig_2() -> list[Panel]:
    models = {
        f"N/M = {ratio}": [SpinCharger(int(M), int(ratio * M)) for M in _CELLS]
        for ratio in (1, 2, 10, 100)
    }
    return [_landscape("landscape, γ = 0", models)]


def _fig_3() -> list[Panel]:
    return [
        _landscape(
            f"({letter}) N/M = {ratio}",
            {
                f"γ = {gamma:g}": [
                    SpinCharger(int(M), int(ratio * M), gamma=gamma) for M in _CELLS[:most]
                ]
                for gamma in (0, 0.2, 0.6, 1)
            },
        )
        for letter, ratio, most in zip("abcd", (1, 2, 3, 10), (10, 10, 8, 5), strict=True)
    ]


def _fig_4() -> list[Panel]:
    cells = np.arange(1.0, 16)
    E: dict[str, Real] = {}
    P: dict[str, Real] = {}
    for gamma in (0.0, 0.2, 0.6, 1.0):
        corners = [_corner(SpinCharger(int(M), int(M), gamma=gamma)) for M in cells]
        label = f"γ = {gamma:g}"
        E[label], P[label] = np.transpose(corners)
    E["cavity"] = np.array([_cavity_energy(int(M), 5.0) for M in cells])
    tau = np.linspace(0, 5, 2001)
    limits = [infinite_charger_energy(int(M), tau) for M in cells]
    E["N → ∞"] = np.array([limit.max() for limit in limits])
    P["N → ∞"] = np.array([average_power(limit, tau).max() for limit in limits])
    return [
        Curves("(a) largest energy, N = M", "M", _AXES[0], cells, E),
        Curves("(b) largest power, N = M", "M", _AXES[1], cells, P),
    ]


def _fig_5() -> list[Panel]:
    cells = np.array([1.0, 2, 3, 5, 7, 10, 14, 20, 28, 40])
    eta = {
        f"γ = {gamma:g}": np.array(
            [collective_advantage(SpinCharger(int(M), int(M), gamma=gamma)) for M in cells]
        )
        for gamma in (0.0, 0.2, 0.6, 1.0)
    }
    one = _cavity_power(1)
    eta["cavity"] = np.array([_cavity_power(int(M)) / (M * one) for M in cells])
    return [Curves("collective over parallel power, N = M", "M", "η", cells, eta)]


def _against_time(title: str, curves: Mapping[str, Real], t: Real) -> list[Panel]:
    powers = {label: average_power(E, t) for label, E in curves.items()}
    return [
        Curves(f"(a) {title}", "gt", "E (ω0)", t, curves),
        Curves("(b) average power", "gt", "P (gω0)", t, powers),
    ]


def _fig_6() -> list[Panel]:
    t = np.linspace(0, 4, 801)
    curves = {
        f"g1/g = {g1:g}": stored_energy(SpinCharger(2, 4, charger_crosstalk=g1), t)
        for g1 in (0.1, 1, 10)
    }
    return _against_time("stored energy, M = 2, N = 4", curves, t)


def _fig_7() -> list[Panel]:
    t = np.linspace(0, 4, 801)
    curves = {"ideal": stored_energy(SpinCharger(2, 4), t)}
    for which in ("chargers", "cells"):
        starts = _imperfect(which, 0.6)
        curves[f"non-ideal {which}"] = stored_energy(SpinCharger(2, 4), t, **starts)
    return _against_time("stored energy, M = 2, N = 4", curves, t)


def _two_cells() -> dict[str, Real]:
    t = np.linspace(0, 5, 501)
    curves = {f"N = {N}": two_cell_energy(N, t) for N in (2, 20, 200)}
    return curves | {"cavity, g̃t": tavis_cummings_energy(2, 2, t)}


def _fig_8() -> list[Panel]:
    t = np.linspace(0, 5, 501)
    return [Curves("stored energy, M = 2", "gt", "E (ω0)", t, _two_cells())]


def _fig_9() -> list[Panel]:
    t = np.linspace(0, 5, 501)
    roots = {"N = 2": 2**0.5, "N = 20": 20**0.5, "N = 200": 200**0.5}
    curves = {
        label: average_power(E, t) / roots.get(label, 1.0) for label, E in _two_cells().items()
    }
    return [Curves("average power, M = 2", "gt", _AXES[1], t, curves)]


DRAWINGS: Mapping[str, Drawing] = {
    "fig 2": _fig_2,
    "fig 3": _fig_3,
    "fig 4": _fig_4,
    "fig 5": _fig_5,
    "fig 6": _fig_6,
    "fig 7": _fig_7,
    "fig 8": _fig_8,
    "fig 9": _fig_9,
}
