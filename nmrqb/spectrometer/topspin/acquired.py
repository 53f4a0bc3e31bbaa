"""How much of what a program makes its receiver can see."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmrqb.operators import Complex, spin_projections
from nmrqb.sample import Sample

_SAME = 1e-9


def visible_share(
    states: Sequence[Complex], phases: Sequence[float], start: Complex, sample: Sample, nucleus: str
) -> float:
    """Return what a receiver can see at any time, over what it sees of equilibrium after 90°.

    These are all coherences of order −1 of the observed nucleus and 0 of the others, in phase or
    not: √2‖Σ_s e^{−iφ_s} P(ρ_s)/S‖ / ‖P_z(ρ_0)‖, P the part of these coherences and P_z that of
    the observed spins' I_z.

    Parameters
    ----------
    states
        State of every scan s when the receiver is opened, of shape (d, d).
    phases
        Phase φ_s of the receiver in rad, by scan.
    start
        Equilibrium ρ_0, of which every spin has its I_z, shape (d, d).
    sample
        The spins.
    nucleus
        What is observed.

    Returns
    -------
    float
        1 for a 90° pulse on equilibrium, 0 where nothing will be seen.
    """
    seen = np.mean([rho * np.exp(-1j * phi) for rho, phi in zip(states, phases, strict=True)], 0)
    n = len(sample.spins)
    m = spin_projections(n)
    orders = {
        name: sum(m[k] for k, spin in enumerate(sample.spins) if spin.nucleus == name)
        for name in sample.nuclei
    }
    visible = np.ones_like(seen, dtype=bool)
    for name, order in orders.items():
        wanted = -1 if name == nucleus else 0
        visible &= np.abs(np.subtract.outer(order, order) - wanted) < _SAME
    levels = np.diag(start).real
    of_spins = [float(m[k] @ levels) for k, s in enumerate(sample.spins) if s.nucleus == nucleus]
    whole = math.hypot(*of_spins) / math.sqrt(len(levels) / 4)
    return float(math.sqrt(2) * np.linalg.norm(seen[visible]) / whole)
