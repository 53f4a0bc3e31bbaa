"""Patterns of 180° pulses that keep one coupling and remove all others."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_PHASES = (0.0, math.pi)  # x and -x in turn, so that errors of the flip angle cancel


def walsh_rows(count: int) -> NDArray[np.int_]:
    """Return the first Walsh functions in the order of their sign changes, shape (count, N).

    N is the smallest power of two ≥ count; row k changes its sign k times, and the rows are
    orthogonal, so that spins that follow different rows do not couple on average.
    """
    size = 1
    while size < count:
        size *= 2
    rows = np.array([[1]])
    while len(rows) < size:
        rows = np.block([[rows, rows], [rows, -rows]])
    changes = np.count_nonzero(np.diff(rows, axis=1), axis=1)
    return np.asarray(rows[np.argsort(changes)][:count])


def refocused(n: int, pair: tuple[int, int], *, include_pair: bool) -> list[Mapping[int, float]]:
    """Return the 180° pulses that keep only the coupling of a pair.

    Every other spin follows a Walsh function of its own, so that its couplings and its offset
    average to zero; the pair follows one of its own together if its offsets are to go as well.

    Parameters
    ----------
    n
        Number of spins.
    pair
        Tensor positions of the two whose coupling is kept.
    include_pair
        Whether the pair is pulsed too.

    Returns
    -------
    list of mapping
        For each of N equal intervals the spins that are inverted after it, with the phase in rad
        of their pulse; every spin is turned an even number of times.
    """
    others = [spin for spin in range(n) if spin not in pair]
    first = 1 if include_pair else 0
    rows = walsh_rows(1 + first + len(others))
    followed = dict(zip(others, rows[1 + first :], strict=True))
    followed |= dict.fromkeys(pair, rows[first])
    turns: list[dict[int, float]] = [{} for _ in range(rows.shape[1])]
    for spin, row in sorted(followed.items()):
        changes = [k for k in range(len(row)) if row[k] != row[(k + 1) % len(row)]]
        for number, k in enumerate(changes):
            turns[k][spin] = _PHASES[number % 2]
    return list(turns)
