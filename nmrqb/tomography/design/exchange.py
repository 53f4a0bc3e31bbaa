"""Searches among sets of readouts: all of them, an integer program, or exchanges."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from nmrqb.arguments import as_seed
from nmrqb.operators import Real
from nmrqb.tomography.design.sets import TIES, Indices, Pool

_EXHAUSTIVE_VALUES = 600_000_000  # numbers that are added up at most when all sets are visited
_EXHAUSTIVE_SETS = 2_000_000
_SWEEPS = 6
_STARTS = 4
_NODES = 200  # of the integer program
_BETTER = 1 - 1e-9


@dataclass(frozen=True, eq=False)
class Found:
    """A set, whether it is proven to be the best, and how that is known."""

    members: Indices
    proven: bool
    words: str


def smallest(pool: Pool, seed: int) -> Found:
    """Return the best set of the smallest size that sees everything."""
    if pool.cover is not None:
        return _smallest_cover(pool, pool.cover, seed)
    floor = _counted(pool)
    for size in range(floor, pool.size + 1):
        if not _can_visit_all(pool, size):
            return _shrunk(pool, size, floor, seed)
        found = best(pool, size, seed)
        if pool.sees_all(found.members):
            words = f"fewer than {size} never suffice (all were visited); {found.words}"
            return Found(found.members, True, words)
    return Found(np.arange(pool.size), True, f"all {pool.size} are needed")


def _counted(pool: Pool) -> int:
    """Return how many readouts there must be at least, by their ranks."""
    together = np.cumsum(np.sort(pool.ranks)[::-1])
    return int(np.searchsorted(together, pool.dimension)) + 1


def _smallest_cover(pool: Pool, cover: Real, seed: int) -> Found:
    """Return the best of the smallest sets that see every Pauli, by an integer program."""
    sees = (cover > 1e-9 * pool.largest).T.astype(float)
    solved = milp(
        np.ones(pool.size),
        constraints=LinearConstraint(sees, lb=1),
        integrality=np.ones(pool.size, dtype=int),
        bounds=Bounds(0, 1),
        options={"node_limit": _NODES},
    )
    bound = _counted(pool) if solved.mip_dual_bound is None else float(solved.mip_dual_bound)
    floor = math.ceil(bound - 1e-6)
    if solved.status != 0:
        return _shrunk(pool, floor, floor, seed)
    found = best(pool, floor, seed)
    words = f"fewer than {floor} never suffice (integer program); {found.words}"
    return Found(found.members, found.proven, words)


def _shrunk(pool: Pool, size: int, floor: int, seed: int) -> Found:
    """Return the smallest complete set that the exchange finds, from sizes that it reaches."""
    members = _greedy(pool, pool.size)
    while len(members) > floor:
        fewer = _exchanged(pool, len(members) - 1, seed)
        if not pool.sees_all(fewer):
            break
        members = fewer
    known = f"fewer than {size} never suffice"
    words = f"{len(members)} found by exchange (seed {seed}), not proven the fewest; {known}"
    return Found(members, False, words)


def best(pool: Pool, size: int, seed: int) -> Found:
    """Return the best set of a size; of the highest rank where none sees everything."""
    if _can_visit_all(pool, size):
        sets = np.array(list(itertools.combinations(range(pool.size), size)), dtype=np.intp)
        figures = pool.figures(sets, TIES)
        if np.any(np.isfinite(figures)):
            least = figures.min()
            alike = int(np.sum(figures <= least * (1 + 1e-9)))
            words = f"best of all {len(sets)} sets of {size}" + (
                f", {alike} of them alike" if alike > 1 else ""
            )
            return Found(sets[int(np.argmin(figures > least * (1 + 1e-9)))], True, words)
        members = _exchanged(pool, size, seed)
        return Found(members, False, f"no set of {size} sees as much as all candidates together")
    members = _exchanged(pool, size, seed)
    return Found(members, False, f"best of {size} that exchange found (seed {seed}), not proven")


def _can_visit_all(pool: Pool, size: int) -> bool:
    sets = math.comb(pool.size, size)
    cost = size * pool.dimension if pool.cover is not None else 8 * pool.dimension**3
    return sets <= _EXHAUSTIVE_SETS and sets * cost <= _EXHAUSTIVE_VALUES


def _greedy(pool: Pool, size: int) -> Indices:
    """Return candidates added one by one, up to a size or until everything is seen."""
    members: list[int] = []
    while len(members) < size:
        values = pool.with_each(members)
        values[members] = np.inf
        members.append(int(np.argmin(values)))
        if size == pool.size and pool.sees_all(np.array(members)):
            break
    return np.array(members)


def _exchanged(pool: Pool, size: int, seed: int) -> Indices:
    """Return the best set of a size that exchanging one member after the other finds."""
    rng = np.random.default_rng(as_seed(seed))
    starts = [_greedy(pool, size) if size < pool.size else np.arange(size)]
    cheap = pool.cover is not None or pool.dimension < 100
    starts += [rng.permutation(pool.size)[:size] for _ in range(_STARTS if cheap else 0)]
    improved = [_improved(pool, start) for start in starts]
    return min(improved, key=lambda pair: pair[0])[1]


def _improved(pool: Pool, start: Indices) -> tuple[float, Indices]:
    members = start.tolist()
    value = np.inf
    for _ in range(_SWEEPS):
        before = value
        for place in range(len(members)):
            others = members[:place] + members[place + 1 :]
            values = pool.with_each(others)
            values[others] = np.inf
            least = int(np.argmin(values))
            if values[least] < value * _BETTER:
                members[place], value = least, float(values[least])
        if value >= before * _BETTER:
            break
    return value, np.array(members)
