"""Quantities and figures of dipolar-battery-dm, in its units (ħ = k_B = 1, Ω = 1).

Its matrix (eq. 11) has ±B/2 where its eq. 10 gives ±B; the matrix is what eqs. 12 to 14 follow, so
it is taken for the paper's convention.  Times run over one period of the drive, π/Ω.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from nmrqb.battery import capacity
from nmrqb.battery.dipolar import (
    Charging,
    charge_from_gibbs,
    collective_drive,
    collective_rotation,
    dephase,
    dipolar_hamiltonian,
)
from nmrqb.battery.published import (
    charger_battery_hamiltonian,
    dephased_exchange,
    dephased_exchange_ergotropy,
    dephasing_operators,
    exchange_coupling,
)
from nmrqb.dynamics import basis_state, commutator_superoperator, dissipator, gibbs
from nmrqb.operators import Real
from nmrqb.papers.picture import Curves, Panel, panels_of
from nmrqb.papers.rows import Drawing, Quantity, named
from nmrqb.papers.trends import figure_of, inputs_of, least_step, spread

POINTS = 401
_ANGLES = np.linspace(0, np.pi, POINTS)


# ---------------------------------------------------------------------------- the closed battery
@lru_cache(maxsize=64)
def _charging(
    Delta: float = 2.0, epsilon: float = 2.0, D: float = 1.0, B: float = 1.0, T: float = 0.5
) -> Charging:
    H = dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, B=B)
    return charge_from_gibbs(H, T, _ANGLES)


def _width(run: Charging) -> float:
    levels = np.linalg.eigvalsh(run.hamiltonian)
    return float(levels[-1] - levels[0])


def _polarised_capacity(run: Charging) -> float:
    return float((run.hamiltonian[3, 3] - run.hamiltonian[0, 0]).real)


_FIGURES: Mapping[str, Callable[[Charging], float]] = {
    "ergotropy": lambda run: float(run.ergotropy().max()),
    "power": lambda run: float(run.power().max()),
    "lowest power": lambda run: float(run.power().min()),
    "spectral width": _width,
    "state capacity": lambda run: float(run.capacity()),
    "eq 8": _polarised_capacity,
    "coherence": lambda run: float(run.coherence_computational().max() / 3),
    "lowest coherence": lambda run: float(run.coherence_computational().min() / 3),
}
charged = figure_of(_charging, _FIGURES, "ergotropy")


def coherence_period(
    *,
    T: float = 2.0,
    Delta: float = 2.0,
    epsilon: float = 2.0,
    D: float = 1.0,
    B: float = 1.0,
    Omega: float = 1.0,
) -> float:
    """Return the period of the l1 coherence in time: the shortest shift that changes nothing."""
    run = _charging(Delta=Delta, epsilon=epsilon, D=D, B=B, T=T)
    curve = run.coherence_computational()[:-1]  # the last point is the first one again
    shifts = np.arange(1, curve.size + 1)
    apart = np.abs(curve[(np.arange(curve.size) + shifts[:, None]) % curve.size] - curve).max(
        axis=1
    )
    return float(_ANGLES[shifts[np.flatnonzero(apart < 1e-9)[0]]] / Omega)


def capacity_swing(
    *,
    T: float = 0.5,
    Delta: float = 2.0,
    epsilon: float = 2.0,
    D: float = 1.0,
    B: float = 1.0,
    gamma: float = 0.0,
) -> float:
    """Return how much the state capacity changes over one period, with z-dephasing at a rate γ."""
    H = dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, B=B)
    operators = dephasing_operators(gamma, gamma)
    states = dephase(collective_drive(), gibbs(H, T), _ANGLES[::8], operators)
    return float(np.ptp(capacity(states, H)))


# --------------------------------------------------------------------------- equations as printed
def rotation_element(*, angle: float = np.pi / 4) -> float:
    """Return the imaginary part of ⟨00|U|01⟩, the s of eq. 4, at an angle Ωt in rad."""
    return float(collective_rotation(angle)[0, 1].imag)


def field_on_00(*, B: float = 1.0, Delta: float = 0.0) -> float:
    """Return ⟨00|H|00⟩ of eq. 10, the sum of spin operators, at Δ = 0 and B = 1."""
    return float(dipolar_hamiltonian(B=B, Delta=Delta, field="operators")[0, 0].real)


def eigenvector_ratio(*, Delta: float = 2.0, D: float = 1.0) -> float:
    """Return the imaginary part of ⟨01|φ₂⟩/⟨10|φ₂⟩, φ₂ the upper eigenvector of span{01, 10}."""
    V = np.linalg.eigh(dipolar_hamiltonian(Delta=Delta, D=D)[1:3, 1:3])[1][:, 1]
    return float((V[0] / V[1]).imag)


def coherence_decay(*, gamma_B: float = 0.2, gamma_C: float = 0.3) -> float:
    """Return the decay rate of the 01–10 coherence under eq. 18."""
    loss = dissipator(dephasing_operators(gamma_B, gamma_C), 4)
    place = 4 * 1 + 2  # of |01⟩⟨10| among the row-flattened elements
    return -float(loss[place, place].real)


def imbalance_curvature(*, Delta: float = 2.0, D: float = 1.0, gamma: float = 0.0) -> float:
    """Return z̈ at t = 0 under eq. 18 from |01⟩, z = ρ_01,01 − ρ_10,10, at γ_B = γ_C = γ."""
    H = charger_battery_hamiltonian(Delta, D)
    L = commutator_superoperator(H) + dissipator(dephasing_operators(gamma, gamma), 4)
    second = (L @ L @ basis_state("01").ravel()).reshape(4, 4)
    return float((second[1, 1] - second[2, 2]).real)


# --------------------------------------------------------------------------- under dephasing
_TIMES = np.linspace(0, 20, POINTS)


def closed_form_error(
    *,
    Delta: float = 2.0,
    D: float = 1.0,
    gamma_B: float = 0.25,
    gamma_C: float = 0.25,
    factor: float = 2.0,
) -> float:
    """Return the largest |eq. 23 with Γ = factor·(γ_B + γ_C) − eq. 18| over t from 0 to 20."""
    run = dephased_exchange(_TIMES, Delta=Delta, D=D, gamma_B=gamma_B, gamma_C=gamma_C)
    kappa = exchange_coupling(Delta, D)
    closed = dephased_exchange_ergotropy(_TIMES, kappa, factor * (gamma_B + gamma_C))
    return float(np.abs(closed - run.subspace).max())


def _eq_23(Delta: float, D: float, Gamma: float, t: Real) -> Real:
    return dephased_exchange_ergotropy(t, exchange_coupling(Delta, D), Gamma)


def largest_gain(*, Delta: float = 2.0, D: float = 0.0, Gamma: float = 0.5) -> float:
    """Return the largest dW/dt of eq. 23 over t from 0 to 20, by differences."""
    W = _eq_23(Delta, D, Gamma, _TIMES)
    return float((np.diff(W) / np.diff(_TIMES)).max())


def steepest_loss(*, Delta: float = 2.0, D: float = 0.0, Gamma: float = 0.5) -> float:
    """Return the lowest dW/dt of eq. 23 over t from 0 to 20, by differences."""
    W = _eq_23(Delta, D, Gamma, _TIMES)
    return float((np.diff(W) / np.diff(_TIMES)).min())


def left_over(
    *, Delta: float = 2.0, D: float = 0.0, Gamma: float = 1.0, time: float = 30.0
) -> float:
    """Return W(t)/W(0) of eq. 23 at a late time."""
    W = _eq_23(Delta, D, Gamma, np.array([0.0, time]))
    return float(W[1] / W[0])


def ergotropy_under_dephasing(
    *, Delta: float = 2.0, D: float = 1.0, Gamma: float = 0.5, time: float = 0.0
) -> float:
    """Return W(t) of eq. 23 at one time."""
    return float(_eq_23(Delta, D, Gamma, np.array(time)))


QUANTITIES: Mapping[str, Quantity] = named(
    coherence_period,
    capacity_swing,
    rotation_element,
    field_on_00,
    eigenvector_ratio,
    coherence_decay,
    imbalance_curvature,
    closed_form_error,
    largest_gain,
    steepest_loss,
    left_over,
    charged=charged,
    rise=least_step(charged, along="D", values=(0, 1, 2, 3)),
    variation=spread(charged, figure="spectral width", along="T", values=(0.5, 1, 1.5, 2)),
    rise_under_dephasing=least_step(ergotropy_under_dephasing, along="D", values=(1, 2, 3, 4)),
)


# ------------------------------------------------------------------------------------- the figures
_SHOWN = np.linspace(0, 2 * np.pi, POINTS)
_TIME = "t (1/Ω)"


def _symbols(along: str) -> str:
    """Return names of constants as the figures have them: ``epsilon+Delta`` is ε = Δ."""
    greek = {"epsilon": "ε", "Delta": "Δ", "Gamma": "Γ"}
    return " = ".join(greek.get(name, name) for name in along.split("+"))


def _closed(along: str, values: Sequence[float]) -> list[Panel]:
    """Return the four panels of figs. 2 to 5: W, P, K and l1 coherence against time."""
    runs = {}
    for value in values:
        constants = inputs_of(_charging) | dict.fromkeys(along.split("+"), value)
        T = constants.pop("T")
        run = charge_from_gibbs(dipolar_hamiltonian(**constants), T, _SHOWN)
        runs[f"{_symbols(along)} = {value:g}"] = run
    shown: Mapping[str, tuple[str, Callable[[Charging], Real]]] = {
        "(a) ergotropy": ("W (Ω)", Charging.ergotropy),
        "(b) power": ("dW/dt (Ω²)", Charging.power),
        "(c) spectral width, dotted: state capacity": ("K (Ω)", lambda run: _level(_width(run))),
        "(d) l1 coherence, product basis": ("C/3", lambda run: run.coherence_computational() / 3),
    }
    a, b, c, d = panels_of(runs, _SHOWN, _TIME, shown)
    dotted = {f"_{label}": _level(run.capacity()) for label, run in runs.items()}
    return [a, b, replace(c, curves={**c.curves, **dotted}), d]


def _level(value: float | Real) -> Real:
    return np.full(POINTS, value)


def _open(along: str, values: Sequence[float], **constants: float) -> list[Panel]:
    """Return the two panels of figs. 6 to 8: W and its slope under dephasing, by eq. 23."""
    W = {
        f"{_symbols(along)} = {value:g}": _eq_23(t=_TIMES, **{**constants, along: value})
        for value in values
    }
    P = {label: np.gradient(values, _TIMES) for label, values in W.items()}
    return [
        Curves("(a) ergotropy, eq. 23", "t (1/Ω)", "W (Ω)", _TIMES, W),
        Curves("(b) power", "t (1/Ω)", "dW/dt (Ω²)", _TIMES, P),
    ]


DRAWINGS: Mapping[str, Drawing] = {
    "fig 2": lambda: _closed("T", (0.5, 1, 1.5, 2)),
    "fig 3": lambda: _closed("D", (0, 1, 2, 3)),
    "fig 4": lambda: _closed("epsilon+Delta", (2, 3, 4, 5)),
    "fig 5": lambda: _closed("B", (0, 1, 2, 3)),
    "fig 6": lambda: _open("Gamma", (0.25, 0.5, 0.75, 1), Delta=2.0, D=0.0),
    "fig 7": lambda: _open("D", (1, 2, 3, 4), Delta=2.0, Gamma=0.5),
    "fig 8": lambda: _open("Delta", (2, 3, 4, 5), D=1.0, Gamma=0.5),
}
