"""What a sequence can never make: selection rules computed from its controls and the drift."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from nmrqb.dynamics import Segment
from nmrqb.operators import Complex, spin_count, swap

_SYMMETRIC = 1e-12


def exchange_symmetric_pairs(segments: Sequence[Segment], drift: Complex) -> list[tuple[int, int]]:
    """Return the pairs of spins whose exchange commutes with every control and with the drift.

    For such a pair every Magnus term, and the exact effective Hamiltonian, is even under the
    exchange P_ij = ½ Σ σ_a⊗σ_a, so the odd D·(σ_i×σ_j) cannot appear at any order.

    Parameters
    ----------
    segments
        One pass of the sequence.
    drift
        The sample's Hamiltonian in rad/s, shape (d, d).

    Returns
    -------
    list of (i, j)
        Tensor positions, i < j.
    """
    n = spin_count(drift)
    controls = [s.rotation for s in segments if np.any(s.rotation)]
    generators = [drift, *controls]
    return [
        (i, j)
        for i, j in itertools.combinations(range(n), 2)
        if all(_commutes(swap(i, j, n), A) for A in generators)
    ]


def _commutes(P: Complex, A: Complex) -> bool:
    scale = max(float(np.linalg.norm(A)), 1e-300)
    return float(np.linalg.norm(P @ A - A @ P)) <= _SYMMETRIC * scale
