"""What a sequence can never make: selection rules computed from its controls and the drift."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from nmrqb.dynamics import Segment, exp_hermitian
from nmrqb.operators import Complex, spin_count, swap

_SYMMETRIC = 1e-12
_MAX_PERMUTED = 6

Pair = tuple[int, int]


def exchange_symmetric_pairs(segments: Sequence[Segment], drift: Complex) -> list[tuple[int, int]]:
    """Return the pairs of spins whose exchange commutes with every control and with the drift.

    For such a pair every Magnus term, and the exact effective Hamiltonian, is even under the
    exchange P_ij = ½ Σ σ_a⊗σ_a, so the odd D·(σ_i×σ_j) cannot appear at any order.  Up to six
    spins, exchanges of several pairs at once are tried too (AA′XX′).

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
    operators = [drift, *_controls(segments)]
    return [
        pair
        for pair in itertools.combinations(range(n), 2)
        if any(_invariant(exchange, operators, n) for exchange in _exchanges(pair, n))
    ]


def _controls(segments: Sequence[Segment]) -> list[Complex]:
    """Return generators of finite segments, and the rotations that runs of ideal pulses make."""
    controls: list[Complex] = []
    for ideal, run in itertools.groupby(segments, key=lambda s: not np.any(s.duration)):
        if ideal:
            rotations = [exp_hermitian(s.rotation) for s in run]
            controls.append(functools.reduce(lambda earlier, later: later @ earlier, rotations))
        else:
            controls += [s.rotation for s in run if np.any(s.rotation)]
    return controls


def _exchanges(pair: Pair, n: int) -> Iterator[tuple[Pair, ...]]:
    """Yield sets of disjoint exchanges that hold a pair: (i j), (i j)(k l) and so on."""
    others = [k for k in range(n) if k not in pair] if n <= _MAX_PERMUTED else []
    for rest in _disjoint_pairs(others):
        yield (pair, *rest)


def _disjoint_pairs(spins: list[int]) -> Iterator[tuple[Pair, ...]]:
    yield ()
    for position, first in enumerate(spins):
        for second in spins[position + 1 :]:
            left = [k for k in spins[position + 1 :] if k != second]
            for rest in _disjoint_pairs(left):
                yield ((first, second), *rest)


def _invariant(exchange: tuple[Pair, ...], operators: Sequence[Complex], n: int) -> bool:
    P = functools.reduce(np.matmul, [swap(i, j, n) for i, j in exchange])
    return all(_commutes(P, A) for A in operators)


def _commutes(P: Complex, A: Complex) -> bool:
    scale = max(float(np.linalg.norm(A)), 1e-300)
    return float(np.linalg.norm(P @ A - A @ P)) <= _SYMMETRIC * scale
