"""In which order toggling frames are visited, and by which pulses: the fewest rotations.

After pulses that turn vectors by Q_1, Q_2, …, the frame is R = (… Q_2 Q_1)⁻¹, so that the way from
a frame R to R′ is Q = R′ᵀR.  Of the 24 rotations of a cube nine need one pulse in the xy plane of
90° or 180° or none, the others two or three.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from nmrqb.design.toggling.frames import FrameSet, cube_rotations
from nmrqb.design.toggling.program import FramePlan, Frames
from nmrqb.operators import Real

_EXACT = 9  # frames up to which all orders are looked through
PULSES: dict[str, tuple[str, int]] = {
    f"{angle} {sign}{axis}": (axis, (1 if sign == "" else -1) * angle)
    for angle, sign, axis in [
        (90, "", "x"), (90, "-", "x"), (90, "", "y"), (90, "-", "y"), (180, "", "x"),
        (180, "", "y"),
    ]
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Visit:
    """A stay in a toggling frame.

    Attributes
    ----------
    weight
        Time of the stay over the time of the target.
    pulses
        What leads into the frame: per group the rotations one after another, ``90 -y``.
    rotations
        R of every group, shape (groups, 3, 3).
    """

    weight: float
    pulses: tuple[tuple[str, ...], ...]
    rotations: Real


@lru_cache(maxsize=1)
def _words() -> tuple[dict[bytes, tuple[str, ...]], Real]:
    """Return the shortest pulses of every rotation of the cube, and the turns of single pulses."""
    turns = {name: _turn(*PULSES[name]) for name in PULSES}
    words: dict[bytes, tuple[str, ...]] = {}
    for length in range(4):
        for word in itertools.product(turns, repeat=length):
            total = np.eye(3)
            for name in word:
                total = turns[name] @ total
            words.setdefault(_key(total), word)
    return words, np.array([len(words[_key(Q)]) for Q in cube_rotations()])


def _turn(axis: str, degrees: int) -> Real:
    """Return how a pulse turns vectors: σ·v → U(σ·v)U†."""
    c, s = {90: (0.0, 1.0), -90: (0.0, -1.0)}.get(degrees, (-1.0, 0.0))
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _key(Q: Real) -> bytes:
    return np.rint(Q).astype(np.int8).tobytes()


def pulses_between(first: Real, second: Real) -> tuple[str, ...]:
    """Return the fewest pulses that lead from a frame R (3, 3) of one group to another."""
    return _words()[0][_key(second.T @ first)]


def ordered(plan: FramePlan, *, symmetric: bool = True) -> tuple[Visit, ...]:
    """Return a cycle through the frames of a plan that begins and ends in the laboratory's frame.

    Parameters
    ----------
    plan
        Frames and times.
    symmetric
        Whether the cycle is a palindrome, each time halved: then all odd orders of the average
        Hamiltonian vanish.

    Returns
    -------
    tuple of Visit
        Ends with a visit of no time, whose pulses close the cycle.
    """
    order = _order(plan, closed=not symmetric)
    choice = _representatives(plan.found_in, [plan.frames[k] for k in order], closed=not symmetric)
    weights = plan.weights[order]
    if symmetric:
        choice = [*choice, *choice[::-1]]
        weights = np.concatenate([weights, weights[::-1]]) / 2
    groups = len(plan.found_in.groups)
    home: Real = np.broadcast_to(np.eye(3), (groups, 3, 3))
    visits: list[Visit] = []
    last = home
    for weight, rotations in [*zip(weights, choice, strict=True), (0.0, home)]:
        pulses = tuple(pulses_between(a, b) for a, b in zip(last, rotations, strict=True))
        visits.append(Visit(float(weight), pulses, np.asarray(rotations)))
        last = rotations
    return _joined(visits)


def _joined(visits: list[Visit]) -> tuple[Visit, ...]:
    """Put together successive stays in one frame."""
    result: list[Visit] = []
    for visit in visits:
        if result and not any(visit.pulses) and visit.weight:
            last = result[-1]
            result[-1] = Visit(last.weight + visit.weight, last.pulses, last.rotations)
        else:
            result.append(visit)
    return tuple(result)


def _costs(found_in: FrameSet, frames: Frames) -> tuple[Real, Real]:
    """Return the fewest rotations between frames (K, K), and from the laboratory's frame (K,)."""
    lengths = _words()[1]
    table = {_key(Q): int(n) for Q, n in zip(cube_rotations(), lengths, strict=True)}
    between = np.zeros((len(frames), len(frames)))
    home = np.zeros(len(frames))
    for g, classes in enumerate(found_in.classes):
        for a, b in itertools.product(range(len(frames)), repeat=2):
            first, second = classes[frames[a, g]], classes[frames[b, g]]
            between[a, b] += min(table[_key(q.T @ p)] for p in first for q in second)
        home += [min(table[_key(p)] for p in classes[k]) for k in frames[:, g]]
    return between, home


_Paths: TypeAlias = dict[tuple[int, int], tuple[float, list[int]]]  # of (bits of frames, last)


def _order(plan: FramePlan, *, closed: bool) -> list[int]:
    """Return the order of fewest rotations; exact for few frames, else nearest neighbours."""
    between, home = _costs(plan.found_in, plan.frames)
    count = len(between)
    if count > _EXACT:
        order = _nearest(between, home)
        return _improved(order, between, home, closed=closed)
    best: _Paths = {(1 << k, k): (home[k], [k]) for k in range(count)}
    for _ in range(count - 1):
        best = _one_longer(best, between)
    ends = [
        (cost + (home[last] if closed else 0), path) for (_, last), (cost, path) in best.items()
    ]
    return min(ends)[1]


def _one_longer(best: _Paths, between: Real) -> _Paths:
    """Return the cheapest path to every set of frames of one more, and last of them."""
    longer: _Paths = {}
    for (seen, last), (cost, path) in best.items():
        for k in range(len(between)):
            state, total = (seen | 1 << k, k), cost + between[last, k]
            known = seen >> k & 1 or (state in longer and longer[state][0] <= total)
            if not known:
                longer[state] = (total, [*path, k])
    return longer


def _nearest(between: Real, home: Real) -> list[int]:
    order = [int(np.argmin(home))]
    left = set(range(len(home))) - set(order)
    while left:
        order.append(min(left, key=lambda k: (between[order[-1], k], k)))
        left.remove(order[-1])
    return order


def _improved(order: list[int], between: Real, home: Real, *, closed: bool) -> list[int]:
    """Turn round stretches of the order as long as that saves rotations."""

    def cost(path: list[int]) -> float:
        inner = float(between[path[:-1], path[1:]].sum())
        return inner + float(home[path[0]]) + (float(home[path[-1]]) if closed else 0.0)

    better = True
    while better:
        better, current = False, cost(order)
        for i, j in itertools.combinations(range(len(order) + 1), 2):
            other = [*order[:i], *order[i:j][::-1], *order[j:]]
            if cost(other) < current - 1e-9:
                order, current, better = other, cost(other), True
    return order


def _representatives(found_in: FrameSet, path: list[Real], *, closed: bool) -> list[Real]:
    """Choose a rotation out of every class on the path, group by group: a shortest path."""
    chosen = []
    table = {_key(Q): int(n) for Q, n in zip(cube_rotations(), _words()[1], strict=True)}
    for g, classes in enumerate(found_in.classes):
        costs: list[tuple[float, list[Real]]] = [(0.0, [np.eye(3)])]
        for frame in path:
            costs = [
                min(
                    ((cost + table[_key(q.T @ way[-1])], [*way, q]) for cost, way in costs),
                    key=lambda pair: pair[0],
                )
                for q in classes[int(frame[g])]
            ]
        ends = [(cost + (table[_key(way[-1])] if closed else 0), way) for cost, way in costs]
        chosen.append(min(ends, key=lambda pair: pair[0])[1][1:])
    return [np.array(rotations) for rotations in zip(*chosen, strict=True)]
