"""dipolar-battery-dm-ksea-nmr: its equations, and charging from the Gibbs state, figs. 5 to 9.

Times run over one period of the drive, ωt from 0 to π, at 401 points; coherence is that of the
energy eigenbasis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from nmrqb.average import compile_sequence
from nmrqb.battery.dipolar import (
    Charging,
    charge_from_gibbs,
    collective_drive,
    collective_rotation,
    dephase,
    magnetic_dipolar_hamiltonian,
    pauli_x_dephasing,
)
from nmrqb.dynamics import dissipator, gibbs
from nmrqb.operators import PAULI, Complex, Real, dagger
from nmrqb.papers.rows import Quantity, named
from nmrqb.papers.trends import least_step
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

POINTS = 401
_ANGLES = np.linspace(0, np.pi, POINTS)


@lru_cache(maxsize=64)
def _charging(*, T: float, **constants: float) -> Charging:
    return charge_from_gibbs(magnetic_dipolar_hamiltonian(**constants), T, _ANGLES)


def _at_best(run: Charging, curve: Real) -> float:
    return float(curve[run.ergotropy().argmax()])


def _charge_at_top_coherence(run: Charging) -> float:
    xi = run.ergotropy()
    return float(xi[run.coherence().argmax()] / xi.max())


_FIGURES: Mapping[str, Callable[[Charging], float]] = {
    "ergotropy": lambda run: float(run.ergotropy().max()),
    "anti-ergotropy": lambda run: float(run.anti_ergotropy().min()),
    "capacity": lambda run: float(run.capacity()),
    "coherence": lambda run: float(run.coherence().max()),
    "best time": lambda run: _at_best(run, run.angles / np.pi),
    "power": lambda run: float(run.power().max()),
    "injection left": lambda run: _at_best(run, run.anti_ergotropy()),
    "coherence at half time": lambda run: float(run.coherence()[POINTS // 2]),
    "charge at top coherence": _charge_at_top_coherence,
}


def charged(
    *,
    figure: str = "ergotropy",
    Delta: float = 1.0,
    epsilon: float = 0.1,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    T: float = 1.0,
    omega: float = 1.0,
) -> float:
    """Return a figure of one charging period, one of `_FIGURES`; times and rates go with ω."""
    unit = {"best time": 1 / omega, "power": omega}.get(figure, 1.0)
    run = _charging(Delta=Delta, epsilon=epsilon, D=D, G=G, B=B, T=T)
    return unit * _FIGURES[figure](run)


def charged_ratio(
    *,
    figure: str = "ergotropy",
    Delta: float = 1.0,
    epsilon: float = 0.5,
    D: float = 0.0,
    G: float = 0.0,
    B: float = 0.0,
    T: float = 0.5,
) -> float:
    """Return a figure over what it is without D, G and B."""
    bare = charged(figure=figure, Delta=Delta, epsilon=epsilon, T=T)
    return charged(figure=figure, Delta=Delta, epsilon=epsilon, D=D, G=G, B=B, T=T) / bare


def linearity(
    *, low: float = 6.0, high: float = 12.0, epsilon: float = 0.1, T: float = 1.0
) -> float:
    """Return ξ_max at the higher Δ over that at the lower one."""
    top, bottom = (charged(Delta=Delta, epsilon=epsilon, T=T) for Delta in (high, low))
    return top / bottom


def capacity_over_2delta(*, Delta: float = 12.0, epsilon: float = 0.1, T: float = 1.0) -> float:
    """Return the capacity over 2Δ."""
    return charged(figure="capacity", Delta=Delta, epsilon=epsilon, T=T) / (2 * Delta)


def coherence_excess(
    *, strength: float = 2.0, Delta: float = 1.0, epsilon: float = 0.5, T: float = 0.5
) -> float:
    """Return the largest coherence with KSEA alone minus that with DM alone, of one strength."""
    with_G = charged(figure="coherence", Delta=Delta, epsilon=epsilon, G=strength, T=T)
    with_D = charged(figure="coherence", Delta=Delta, epsilon=epsilon, D=strength, T=T)
    return with_G - with_D


def passive_distance(
    *,
    Delta: float = 1.0,
    epsilon: float = 0.1,
    T: float = 1.0,
    angle: float = np.pi / 4,
    gamma: float = 0.0,
) -> float:
    """Return how far the passive state after charging is from the Gibbs state, in the 2-norm.

    Charging to ωt = ``angle``, with Pauli-X noise of a rate γ that shows what noise does.
    """
    H = magnetic_dipolar_hamiltonian(Delta=Delta, epsilon=epsilon)
    start = gibbs(H, T)
    charged_state = dephase(collective_drive(), start, [angle], pauli_x_dephasing(gamma))[0]
    r = np.linalg.eigvalsh(charged_state)[::-1]
    V = np.linalg.eigh(H)[1]
    return float(np.linalg.norm((V * r) @ dagger(V) - start))


# --------------------------------------------------------------------------- equations as printed
def rotation_element(*, angle: float = np.pi / 4) -> float:
    """Return the imaginary part of ⟨00|U|01⟩, the c of eq. 19, at an angle ωt in rad."""
    return float(collective_rotation(angle)[0, 1].imag)


def inner_splitting(*, Delta: float = 1.0, D: float = 2.0) -> float:
    """Return the splitting of span{01, 10}."""
    return _splitting(magnetic_dipolar_hamiltonian(Delta=Delta, D=D)[1:3, 1:3])


def outer_splitting(
    *, epsilon: float = 0.5, G: float = 1.0, B: float = 1.0, Delta: float = 1.0
) -> float:
    """Return the splitting of span{00, 11}."""
    H = magnetic_dipolar_hamiltonian(epsilon=epsilon, G=G, B=B, Delta=Delta)
    return _splitting(H[np.ix_([0, 3], [0, 3])])


def _splitting(block: Complex) -> float:
    return float(np.diff(np.linalg.eigvalsh(block))[0])


def eigenvector_ratio(*, Delta: float = 1.0, D: float = 1.0) -> float:
    """Return Im η of ψ2 = q(η|01⟩ + |10⟩), read off the numerical eigenvector."""
    V = np.linalg.eigh(magnetic_dipolar_hamiltonian(Delta=Delta, D=D)[1:3, 1:3])[1][:, 1]
    return float((V[0] / V[1]).imag)


def eigenvector_weight(*, epsilon: float = 0.5, G: float = 0.5, B: float = 1.0) -> float:
    """Return |⟨11|ψ3⟩|, the normalisation of the lower state of span{00, 11}."""
    H = magnetic_dipolar_hamiltonian(epsilon=epsilon, G=G, B=B)
    return float(np.abs(np.linalg.eigh(H[np.ix_([0, 3], [0, 3])])[1][1, 0]))


def transverse_decay_ratio(*, gamma: float = 0.2, along_z: float = 0.0) -> float:
    """Return the decay rate of ⟨σ_x⟩ over that of ⟨σ_y⟩ under Pauli-X noise of a rate γ.

    ``along_z`` is the rate of a z-dephasing beside it, which damps both.
    """
    loss = dissipator([np.sqrt(gamma) * PAULI["X"], np.sqrt(along_z) * PAULI["Z"]], 2)
    x, y = (_decay_rate(loss, PAULI[axis]) for axis in "XY")
    return x / y + 0.0  # never −0


def _decay_rate(loss: Complex, operator: Complex) -> float:
    return -float((operator.conj().ravel() @ loss @ operator.ravel()).real / 2)


def literature_sequence(*, term: str = "DM_z", J: float = 215.13, offset: float = 0.0) -> float:
    """Return a named term in Hz that the four-pulse sequence of sec. II makes of J in Hz.

    Ideal pulses on both spins; ``offset`` of the second spin in Hz breaks the symmetry.
    """
    sample = load_sample("chloroform", {"13C": {"offset": f"{offset} Hz"}})
    coupling = replace(sample.couplings[0], J_hz=J)
    average = compile_sequence(
        load_sequence("literature_dm"), replace(sample, couplings=(coupling,))
    )
    assert average.named is not None  # the sequence closes after three passes
    return float(average.named[term])


QUANTITIES: Mapping[str, Quantity] = named(
    charged,
    charged_ratio,
    linearity,
    capacity_over_2delta,
    coherence_excess,
    passive_distance,
    rotation_element,
    inner_splitting,
    outer_splitting,
    eigenvector_ratio,
    eigenvector_weight,
    transverse_decay_ratio,
    literature_sequence,
    rise=least_step(charged, along="D", values=(0, 0.1, 0.5, 1, 2)),
)
