"""dipolar-battery-dm-ksea-nmr: resources under Pauli-X noise (fig. 3) and at equilibrium (fig. 4).

Coherence is that of the product basis: in the energy basis a Gibbs state has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nmrqb.battery import coherence_l1
from nmrqb.battery.dipolar import (
    dephase,
    magnetic_dipolar_hamiltonian,
    pauli_x_dephasing,
    x_state_concurrence,
)
from nmrqb.dynamics import gibbs
from nmrqb.operators import Real
from nmrqb.papers.rows import Quantity
from nmrqb.papers.trends import figure_of, least_step, spread


class Resources(NamedTuple):
    """Resources along one axis, each of shape (n,): time in 1/ω or temperature in ω."""

    x: Real
    coherence: Real
    concurrence: Real


def _cutoff(found: Resources) -> float:
    """Return the highest x at which the state is entangled."""
    entangled = np.flatnonzero(found.concurrence > 1e-12)
    return float(found.x[entangled[-1]]) if entangled.size else 0.0


_FIGURES: Mapping[str, Callable[[Resources], float]] = {
    "coherence": lambda found: float(found.coherence.max()),
    "concurrence": lambda found: float(found.concurrence.max()),
    "cold concurrence": lambda found: float(found.concurrence[0]),
    "cutoff": _cutoff,
}


# ------------------------------------------------------------------------- Pauli-X noise, fig. 3
_TIMES = np.linspace(0, 10, 2001)


@lru_cache(maxsize=64)
def noisy_resources(
    *,
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    gamma: float = 0.2,
    tilt: float = 0.0,
) -> Resources:
    """Return the resources against time from cos|00⟩ + sin|01⟩, tilted in rad."""
    ket = np.array([np.cos(tilt), np.sin(tilt), 0, 0], dtype=complex)
    H = magnetic_dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, G=G, B=B)
    rho = dephase(H, np.outer(ket, ket), _TIMES, pauli_x_dephasing(gamma))
    tangled = abs(np.sin(2 * tilt)) < 1e-9  # only then the states keep the form of an X
    concurrence = x_state_concurrence(rho) if tangled else np.zeros(_TIMES.size)
    return Resources(_TIMES, coherence_l1(rho), concurrence)


noisy = figure_of(noisy_resources, _FIGURES, "coherence")


# --------------------------------------------------------------------------- Gibbs states, fig. 4
@lru_cache(maxsize=64)
def thermal_resources(
    *,
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    coldest: float = 0.02,
    hottest: float = 40.0,
    points: int = 4000,
) -> Resources:
    """Return the resources of the Gibbs states against temperature in units of ω."""
    T = np.linspace(coldest, hottest, points)
    rho = gibbs(magnetic_dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, G=G, B=B), T)
    return Resources(T, coherence_l1(rho), x_state_concurrence(rho))


thermal = figure_of(thermal_resources, _FIGURES, "cutoff")

QUANTITIES: Mapping[str, Quantity] = {
    "noisy_rise": least_step(noisy, along="epsilon", values=(0.1, 0.5, 10)),
    "noisy_effect": spread(noisy_resources, along="D", values=(0.1, 1, 10)),
    "thermal_rise": least_step(thermal, along="epsilon", values=(0.1, 1, 10)),
    "thermal_spread": spread(
        thermal, figure="cold concurrence", along="D", values=(0.1, 0.3, 0.5, 1, 10)
    ),
}
