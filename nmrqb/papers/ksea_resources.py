"""dipolar-battery-dm-ksea-nmr: resources under Pauli-X noise (fig. 3) and at equilibrium (fig. 4).

Coherence is that of the product basis: in the energy basis a Gibbs state has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

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
from nmrqb.papers.rows import Quantity, named
from nmrqb.papers.trends import least_step, spread

# ------------------------------------------------------------------------- Pauli-X noise, fig. 3
TIMES = np.linspace(0, 10, 2001)


@lru_cache(maxsize=64)
def noisy_resources(*, gamma: float, tilt: float, **constants: float) -> tuple[Real, Real]:
    """Return l1 coherence and concurrence against time from cos|00⟩ + sin|01⟩, tilted in rad."""
    ket = np.array([np.cos(tilt), np.sin(tilt), 0, 0], dtype=complex)
    H = magnetic_dipolar_hamiltonian(**constants)
    rho = dephase(H, np.outer(ket, ket), TIMES, pauli_x_dephasing(gamma))
    tangled = abs(np.sin(2 * tilt)) < 1e-9  # only then the states keep the form of an X
    return coherence_l1(rho), x_state_concurrence(rho) if tangled else np.zeros(TIMES.size)


_NOISY: Mapping[str, Callable[..., float]] = {
    "coherence": lambda **c: float(noisy_resources(**c)[0].max()),
    "concurrence": lambda **c: float(noisy_resources(**c)[1].max()),
}


def noisy_rise(  # noqa: PLR0913 - every constant is an input
    *,
    figure: str = "coherence",
    along: str = "epsilon",
    values: Sequence[float] = (0.1, 0.5, 10),
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    gamma: float = 0.2,
    tilt: float = 0.0,
) -> float:
    """Return the smallest step of a figure of the noisy evolution along a constant."""
    constants = {"Delta": Delta, "epsilon": epsilon, "D": D, "G": G, "B": B}
    constants |= {"gamma": gamma, "tilt": tilt}
    return least_step(_NOISY, figure, along, values, constants)


def noisy_effect(  # noqa: PLR0913 - every constant is an input
    *,
    along: str = "D",
    values: Sequence[float] = (0.1, 1, 10),
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    gamma: float = 0.2,
    tilt: float = 0.0,
) -> float:
    """Return the largest change of l1 coherence and concurrence, at any time, along a constant."""
    constants = {"Delta": Delta, "epsilon": epsilon, "D": D, "G": G, "B": B}
    constants |= {"gamma": gamma, "tilt": tilt}
    curves = np.array([noisy_resources(**{**constants, along: value}) for value in values])
    return float(np.ptp(curves, axis=0).max())


# --------------------------------------------------------------------------- Gibbs states, fig. 4
def _temperatures(coldest: float) -> Real:
    return np.linspace(coldest, 40, 4000)


@lru_cache(maxsize=64)
def _thermal(*, coldest: float, **constants: float) -> tuple[Real, Real]:
    rho = gibbs(magnetic_dipolar_hamiltonian(**constants), _temperatures(coldest))
    return coherence_l1(rho), x_state_concurrence(rho)


def entanglement_cutoff(*, coldest: float, **constants: float) -> float:
    """Return the highest temperature at which the Gibbs state is entangled, in units of ω."""
    entangled = np.flatnonzero(_thermal(coldest=coldest, **constants)[1] > 1e-12)
    return float(_temperatures(coldest)[entangled[-1]]) if entangled.size else 0.0


_THERMAL: Mapping[str, Callable[..., float]] = {
    "coherence": lambda **c: float(_thermal(**c)[0].max()),
    "concurrence": lambda **c: float(_thermal(**c)[1].max()),
    "cold concurrence": lambda **c: float(_thermal(**c)[1][0]),
    "cutoff": entanglement_cutoff,
}


def thermal_rise(  # noqa: PLR0913 - every constant is an input
    *,
    figure: str = "cutoff",
    along: str = "epsilon",
    values: Sequence[float] = (0.1, 1, 10),
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    coldest: float = 0.02,
) -> float:
    """Return the smallest step of a figure of the Gibbs state along a constant."""
    constants = {"Delta": Delta, "epsilon": epsilon, "D": D, "G": G, "B": B}
    constants["coldest"] = coldest
    return least_step(_THERMAL, figure, along, values, constants)


def thermal_spread(  # noqa: PLR0913 - every constant is an input
    *,
    figure: str = "cold concurrence",
    along: str = "D",
    values: Sequence[float] = (0.1, 0.3, 0.5, 1, 10),
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    coldest: float = 0.02,
) -> float:
    """Return largest minus smallest value of a figure of the Gibbs state along a constant."""
    constants = {"Delta": Delta, "epsilon": epsilon, "D": D, "G": G, "B": B}
    constants["coldest"] = coldest
    return spread(_THERMAL, figure, along, values, constants)


QUANTITIES: Mapping[str, Quantity] = named(
    noisy_rise,
    noisy_effect,
    thermal_rise,
    thermal_spread,
)
