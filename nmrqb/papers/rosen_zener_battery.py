"""Quantities and figures of rosen-zener-battery, in its units (ħ = Δ = ω0 = 1).

λ multiplies 2Δ/N J_z², as its eq. 4 and appendix A have it; with ``pairs = 0.5`` it multiplies
Δ/N J_z², a sum over pairs, of which what it says of its figs. 6a, 7a and 7c is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from scipy.stats import binom

from nmrqb.battery.rosen_zener import (
    RosenZenerCharging,
    charge_rosen_zener,
    interacting_levels,
)
from nmrqb.battery.rosen_zener_formulae import (
    RosenZenerFormulae,
    final_energy,
    largest_energy,
)
from nmrqb.operators import Real
from nmrqb.papers.picture import Curves, Density, Panel
from nmrqb.papers.rows import Drawing, Quantity, named
from nmrqb.papers.trends import figure_of, least_step

POINTS = 401
_FRACTIONS = np.linspace(0, 1, POINTS)
_SHORT = 0.1 * np.pi


@lru_cache(maxsize=64)
def _charging(
    *,
    v0: float = 20.0,
    period: float = _SHORT,
    interaction: float = 2.0,
    pairs: float = 1.0,
    spins: float = 10.0,
    Delta: float = 1.0,
    points: int = POINTS,
) -> RosenZenerCharging:
    return charge_rosen_zener(
        np.linspace(0, 1, points),
        spins=round(spins),
        v0=v0,
        period=period,
        interaction=pairs * interaction,
        Delta=Delta,
        tolerance=1e-6,
    )


def _spins(run: RosenZenerCharging) -> int:
    return int(run.states.shape[-1] - 1)


_FIGURES: Mapping[str, Callable[[RosenZenerCharging], float]] = {
    "energy": lambda run: float(run.stored_energy().max()),
    "final energy": lambda run: float(run.stored_energy()[-1]),
    "power": lambda run: float(run.average_power().max()),
    "fluctuations": lambda run: float(run.fluctuations().max()),
    "final fluctuations": lambda run: float(run.fluctuations()[-1]),
    "entropy": lambda run: float(run.diagonal_entropy().max()),
    "energy per spin": lambda run: float(run.stored_energy().max() / _spins(run)),
    "final energy per spin": lambda run: float(run.stored_energy()[-1] / _spins(run)),
}


charged = figure_of(_charging, _FIGURES, "energy")


def formula(*, figure: str = "final", v0: float = 20.0, period: float = _SHORT) -> float:
    """Return E(τ) of eq. 25 or E_max of eq. 23 for ten spins."""
    return float((final_energy if figure == "final" else largest_energy)(10, v0, period))


def _formulae(v0: float, interaction: float) -> tuple[RosenZenerFormulae, RosenZenerCharging]:
    run = _charging(v0=v0, interaction=interaction)
    return RosenZenerFormulae(10, v0, _SHORT, run.times, interaction), run


def energy_error(*, v0: float = 20.0, interaction: float = 2.0) -> float:
    """Return the largest |E of eq. 22 − E| over the pulse, of ten spins, over NΔ."""
    formulae, run = _formulae(v0, interaction)
    return float(np.abs(formulae.stored_energy() - run.stored_energy()).max() / 10)


def gain_of_second_term(*, v0: float = 10.0, interaction: float = 2.0) -> float:
    """Return by how much the second term of eq. 17 lowers the largest error of the energy."""
    formulae, run = _formulae(v0, interaction)
    errors = [
        np.abs(formulae.stored_energy(correction=correction) - run.stored_energy()).max()
        for correction in (False, True)
    ]
    return float(errors[0] - errors[1])


def energy_at_start(*, v0: float = 10.0, interaction: float = 2.0) -> float:
    """Return E(0) of eq. 17 for ten spins."""
    formulae = RosenZenerFormulae(10, v0, _SHORT, np.zeros(1), interaction)
    return float(formulae.stored_energy(correction=True)[0])


def equator_fluctuations(*, Delta: float = 2.0, v0: float = 1e5) -> float:
    """Return Σ²/(NΔ/4) after half a turn by a short pulse, 1 by eq. 20."""
    run = _charging(v0=v0, period=np.pi / v0, interaction=0.0, spins=4, Delta=Delta, points=2)
    return float(run.fluctuations()[-1] ** 2 / Delta)


def equator_entropy(*, spins: float = 2.0, up: float = 0.5) -> float:
    """Return the diagonal entropy of spins that are all up with one probability, in bits."""
    return float(binom(round(spins), up).entropy() / np.log(2))


def transition(*, spins: float = 100.0, pairs: float = 1.0) -> float:
    """Return the λ above which |N/2, −N/2⟩ is not the ground state of H_0 + H_a−a."""
    N = round(spins)
    level = interacting_levels(N, [0.0, pairs])  # linear in λ
    gap = level[:, N - 1] - level[:, N]
    return float(gap[0] / (gap[0] - gap[1]))


def best_interaction(*, v0: float = 20.0, pairs: float = 1.0, period: float = _SHORT) -> float:
    """Return the λ at which E_max of a hundred spins is largest, by a parabola through the top."""
    lam = np.array([0.5, 1.0, 1.5]) / pairs
    run = charge_rosen_zener(
        np.linspace(0.8, 1, 81),
        spins=100,
        v0=v0,
        period=period,
        interaction=pairs * lam,
        tolerance=1e-6,
    )
    tops = [_top(run.times[k], E)[1] for k, E in enumerate(run.stored_energy())]
    return _top(lam, np.array(tops))[0]


def offset_of_extremes(
    *, figure: str = "fluctuations", near: float = 20.0, interaction: float = 2.0
) -> float:
    """Return |v0 of the largest E(τ) − v0 of the smallest Σ(τ) or S(τ)|/v0 near full charge."""
    v0 = near * np.linspace(0.9, 1.1, 401)
    run = charge_rosen_zener(
        [1.0], spins=10, v0=v0, period=_SHORT, interaction=interaction, tolerance=1e-7
    )
    spread = run.fluctuations() if figure == "fluctuations" else run.diagonal_entropy()
    apart = _top(v0, run.stored_energy()[:, 0])[0] - _top(v0, -spread[:, 0])[0]
    return abs(apart) / near


def _top(x: Real, y: Real) -> tuple[float, float]:
    """Return where a curve is largest, and how large, by a parabola through three points."""
    k = int(np.clip(np.argmax(y), 1, len(y) - 2))
    a, b, c = np.polyfit(x[k - 1 : k + 2] - x[k], y[k - 1 : k + 2], 2)
    return float(x[k] - b / (2 * a)), float(c - b**2 / (4 * a))


QUANTITIES: Mapping[str, Quantity] = named(
    formula,
    energy_error,
    gain_of_second_term,
    energy_at_start,
    equator_fluctuations,
    equator_entropy,
    transition,
    best_interaction,
    offset_of_extremes,
    charged=charged,
    rise=least_step(
        charged,
        along="spins",
        values=(1, 2, 3, 5, 10, 20, 40),
        interaction=30.0,
        spins=100.0,
        points=101,
    ),
)


# ------------------------------------------------------------------------------------- the figures
_CURVES: Mapping[str, tuple[str, Callable[[RosenZenerCharging], Real]]] = {
    "(a) stored energy": ("E (ħω0)", RosenZenerCharging.stored_energy),
    "(b) average power": ("P (ħω0²)", RosenZenerCharging.average_power),
    "(c) fluctuations": ("Σ (ħω0)", RosenZenerCharging.fluctuations),
    "(d) diagonal entropy": ("S (bit)", RosenZenerCharging.diagonal_entropy),
}
_PRINTED: Mapping[str, Callable[[RosenZenerFormulae], Real]] = {
    "(a) stored energy": RosenZenerFormulae.stored_energy,
    "(b) average power": RosenZenerFormulae.average_power,
    "(c) fluctuations": RosenZenerFormulae.fluctuations,
    "(d) diagonal entropy": RosenZenerFormulae.diagonal_entropy,
}


def _fig_2() -> list[Panel]:
    pairs = {v0: _formulae(v0, 2.0) for v0 in (10, 20, 40, 60)}
    panels: list[Panel] = []
    for title, (unit, curve) in _CURVES.items():
        curves = {f"v0 = {v0:g}": curve(run) for v0, (_, run) in pairs.items()}
        curves |= {f"_v0 = {v0:g}": _PRINTED[title](f) for v0, (f, _) in pairs.items()}
        note = f"{title}, dotted: formula"
        panels.append(Curves(note, "ω0t", unit, _FRACTIONS * _SHORT, curves))
    return panels


_GRID_V0, _GRID_T = np.linspace(1, 60, 40), np.linspace(0.02, 0.3, 29) * np.pi


@lru_cache(maxsize=1)
def _grid() -> RosenZenerCharging:
    return charge_rosen_zener(
        np.linspace(0, 1, 26),
        spins=10,
        v0=_GRID_V0,
        period=_GRID_T[:, None],
        interaction=2.0,
        tolerance=1e-3,
    )


def _plane(title: str, unit: str, values: Real) -> Density:
    return Density(title, "v0/Δ", "ω0T/π", unit, _GRID_V0, _GRID_T / np.pi, values)


def _fig_3() -> list[Panel]:
    E = _grid().stored_energy()
    return [
        _plane("(a) largest energy", "E_max (ħω0)", E.max(axis=-1)),
        _plane("(b) final energy", "E(τ) (ħω0)", E[..., -1]),
    ]


def _fig_4() -> list[Panel]:
    v0, T = np.linspace(0.5, 60, 120), np.linspace(0.005, 0.6, 120) * np.pi
    cuts: list[tuple[str, float | Real, float | Real]] = [
        ("(a) ω0T = 0.1π", v0, 0.1 * np.pi),
        ("(b) ω0T = 0.2π", v0, 0.2 * np.pi),
    ]
    cuts += [("(c) v0/Δ = 10", 10.0, T), ("(d) v0/Δ = 20", 20.0, T)]
    panels: list[Panel] = []
    for title, drive, period in cuts:
        along_v0 = np.ndim(drive) == 1
        run = charge_rosen_zener(
            [1.0], spins=10, v0=drive, period=period, interaction=2.0, tolerance=1e-4
        )
        curves = {
            "E(τ)": run.stored_energy()[:, 0],
            "Σ(τ)": run.fluctuations()[:, 0],
            "S(τ)": run.diagonal_entropy()[:, 0],
        }
        x, label = (v0, "v0/Δ") if along_v0 else (T / np.pi, "ω0T/π")
        panels.append(Curves(title, label, "E, Σ (ħω0), S (bit)", x, curves))
    return panels


def _fig_5() -> list[Panel]:
    return [
        _plane("(a) final fluctuations", "Σ(τ) (ħω0)", _grid().fluctuations()[..., -1]),
        _plane("(b) final diagonal entropy", "S(τ) (bit)", _grid().diagonal_entropy()[..., -1]),
    ]


def _fig_6() -> list[Panel]:
    lam = np.linspace(0, 3, 301)
    levels = np.sort(interacting_levels(100, lam), axis=-1)[:, :2] / 50
    m = 50 - interacting_levels(100, lam).argmin(axis=-1)
    some = np.linspace(-30, 30, 61)
    run = charge_rosen_zener(
        np.linspace(0, 1, 101), spins=100, v0=20, period=_SHORT, interaction=some, tolerance=1e-3
    )
    return [
        Curves("(a) levels", "λ", "ε/(N/2)", lam, {"|g⟩": levels[:, 0], "|e⟩": levels[:, 1]}),
        Curves("(a) inset", "λ", "⟨S_z⟩/(N/2)", lam, {"": m / 50}),
        Curves(
            "(b) largest energy, N = 100",
            "λ",
            "E_max (Nħω0)",
            some,
            {"": run.stored_energy().max(axis=-1) / 100},
        ),
    ]


def _fig_7() -> list[Panel]:
    numbers = np.array([1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 55, 70, 85, 100])
    chosen = np.array([-30.0, -15.0, 1.0, 15.0, 30.0])
    runs = [
        charge_rosen_zener(
            np.linspace(0, 1, 81),
            spins=int(N),
            v0=20,
            period=_SHORT,
            interaction=chosen,
            tolerance=1e-3,
        )
        for N in numbers
    ]
    return [
        Curves(
            title.replace(")", ") largest", 1),
            "N",
            unit,
            numbers,
            {
                f"λ = {lam:g}": np.array([curve(run)[k].max() for run in runs])
                for k, lam in enumerate(chosen)
            },
        )
        for title, (unit, curve) in _CURVES.items()
    ]


DRAWINGS: Mapping[str, Drawing] = {
    "fig 2": _fig_2,
    "fig 3": _fig_3,
    "fig 4": _fig_4,
    "fig 5": _fig_5,
    "fig 6": _fig_6,
    "fig 7": _fig_7,
}
