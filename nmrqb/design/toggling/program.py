"""Which toggling frames, and for how long: a linear program with a proof of optimality.

A cycle that spends the time w_k in frame k has, at zeroth order, the average Σ w_k H̃_k / Σ w_k.
The shortest one for a target H_t over the time T = 1 solves

    min Σ w_k   subject to   Σ w_k H̃_k = H_t,  w_k ≥ 0.

As the drift cannot be switched off, 1/Σ w_k is the largest s such that s·H_t is an average.  By
duality Σ w_k is no less than y·H_t for every y with y·H̃_k ≤ 1 in all frames, and the optimum has a
y that attains it.  Frames are many (24 per group), but y·H̃_k is a sum over groups and pairs of
groups, so that the best of all is found exactly and columns are made as they are wanted.  If no
times will do, Farkas' lemma gives a y with y·H̃_k ≤ 0 in all frames and y·H_t > 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from nmrqb.design.toggling.certificates import Impossible, impossible
from nmrqb.design.toggling.frames import FrameSet
from nmrqb.design.toggling.terms import PairTerms
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

_WANTED = 64  # columns added per round
_ROUNDS = 500
_ZERO = 1e-9
_TIGHT = 1e-7  # how far below 1 the price of a frame of an optimal cycle may be
_MAX_TIGHT = 300  # frames among which the fewest are looked for
_SECONDS = 5.0  # that the search for the fewest frames may take

Frames = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FramePlan:
    """Frames and times of shortest total time.

    Attributes
    ----------
    frames
        A class of every group of the set, shape (K, groups).
    weights
        Time in each frame over the time of the target, shape (K,), all > 0.
    bound
        Lower bound of the total time over the time of the target, from the dual solution.
    prices
        The dual solution y over the rows of the set: y·H̃ ≤ 1 in every frame.
    target
        The average that is made.
    found_in
        The set.
    unproven
        Why a cycle of this time may have fewer frames; empty where none has.
    """

    frames: Frames
    weights: Real
    bound: float
    prices: Real
    target: PairTerms
    found_in: FrameSet
    unproven: str = ""

    @property
    def total(self) -> float:
        """Total time over the time of the target."""
        return float(self.weights.sum())

    @property
    def largest_scale(self) -> float:
        """Largest factor of the target that is an average Hamiltonian; 1 makes it in real time."""
        return 1 / self.bound


def plan_frames(frames: FrameSet, target: PairTerms) -> FramePlan | Impossible:
    """Return the shortest cycle of toggling frames whose average is a target, or why none exists.

    Among cycles of this time one with the fewest frames is taken, where few enough frames can
    take part; else ``unproven`` of the plan says so.

    Parameters
    ----------
    frames
        What the control reaches.
    target
        The wanted average at zeroth order, H/2π in Hz; the fields are part of it: 0 asks for
        refocused offsets.

    Raises
    ------
    ArgumentError
        If the target is 0 and the drift too (nothing is to be done), or of another size.
    """
    _check(frames, target)
    wanted = np.zeros(frames.rows)
    wanted[: len(target.vector)] = target.vector
    scale = float(np.abs(frames.drift.vector).max())
    columns = _Columns(frames, scale)
    if not np.any(wanted):
        return _decoupled(columns, target)
    missed, y = columns.feasible(wanted / scale)
    if missed > _ZERO * float(np.abs(wanted).max()) / scale:
        return impossible(frames, target, y)
    weights, y = columns.shortest(wanted / scale)
    return _plan(columns, weights, y * columns.unit, target, wanted)


def _check(frames: FrameSet, target: PairTerms) -> None:
    if target.spins != frames.drift.spins:
        raise ArgumentError(
            f"Argument `target` must be of {frames.drift.spins} spins, but is of {target.spins}"
        )
    if not np.any(frames.drift.vector):
        raise ArgumentError("Argument `frames` must toggle a drift, but its drift is 0")


class _Columns:
    """The columns of a linear program that have been wanted so far, over the drift's largest."""

    def __init__(self, frames: FrameSet, scale: float) -> None:
        self.frames, self.scale = frames, scale
        self.unit = np.ones(frames.rows)
        self.unit[: len(frames.drift.vector)] = 1 / scale
        start = np.zeros((1, len(frames.groups)), dtype=np.intp)
        self.chosen: Frames = start
        self.matrix = frames.columns(start) * self.unit

    def add(self, y: Real, limit: float) -> bool:
        """Add the frames of the highest prices above a limit; False if there is none."""
        prices = self.frames.prices(y * self.unit).ravel()
        count = min(_WANTED, len(prices))
        best = np.argpartition(prices, -count)[-count:]
        best = best[prices[best] > limit + _ZERO]
        new = np.array(np.unravel_index(best, self.frames.shape)).T
        known = {tuple(frame) for frame in self.chosen}
        new = np.array([frame for frame in new if tuple(frame) not in known], dtype=np.intp)
        if not len(new):
            return False
        self.chosen = np.concatenate([self.chosen, new])
        self.matrix = np.concatenate([self.matrix, self.frames.columns(new) * self.unit])
        return True

    def feasible(self, wanted: Real) -> tuple[float, Real]:
        """Return min ‖Σ w_k column_k − wanted‖₁ and its dual solution, |y| ≤ 1."""
        rows = len(wanted)
        for _ in range(_ROUNDS):
            matrix = np.concatenate([self.matrix, np.eye(rows), -np.eye(rows)])
            cost = np.concatenate([np.zeros(len(self.matrix)), np.ones(2 * rows)])
            _, value, y = _solve(cost, matrix, wanted)
            if value <= _ZERO * float(np.abs(wanted).max()) or not self.add(y, 0.0):
                return value, y
        raise ArgumentError(f"Argument `target` must be decided in {_ROUNDS} rounds, but is not")

    def shortest(self, wanted: Real) -> tuple[Real, Real]:
        """Return the weights of least sum, and the dual solution; `feasible` comes first."""
        for _ in range(_ROUNDS):
            weights, _, y = _solve(np.ones(len(self.matrix)), self.matrix, wanted)
            if not self.add(y, 1.0):
                return weights, y
        raise ArgumentError(f"Argument `target` must be solved in {_ROUNDS} rounds, but is not")


def _solve(cost: Real, matrix: Real, wanted: Real) -> tuple[Real, float, Real]:
    """Minimise cost·w with wᵀ matrix = wanted, w ≥ 0: weights, value and dual solution."""
    found = linprog(cost, A_eq=matrix.T, b_eq=wanted, method="highs-ds")
    if found.x is None:
        raise ArgumentError(f"Argument `target` must be within reach, but {found.message}")
    return np.asarray(found.x), float(found.fun or 0.0), np.asarray(found.eqlin.marginals)


def _decoupled(columns: _Columns, target: PairTerms) -> FramePlan | Impossible:
    """Return a cycle of unit time whose average is 0: an added row holds Σ w_k = 1."""
    rows = columns.frames.rows
    wanted = np.zeros(rows + 1)
    wanted[-1] = 1.0
    for _ in range(_ROUNDS):
        each = np.concatenate([columns.matrix, np.ones((len(columns.matrix), 1))], axis=1)
        matrix = np.concatenate([each, np.eye(rows + 1), -np.eye(rows + 1)])
        cost = np.concatenate([np.zeros(len(each)), np.ones(2 * (rows + 1))])
        weights, value, y = _solve(cost, matrix, wanted)
        if value <= _ZERO:
            return _plan(columns, weights[: len(each)], np.zeros(rows), target, wanted[:-1], 1.0)
        if not columns.add(y[:-1], -float(y[-1])):
            return impossible(columns.frames, target, y[:-1])
    raise ArgumentError(f"Argument `target` must be decided in {_ROUNDS} rounds, but is not")


def _plan(
    columns: _Columns,
    weights: Real,
    y: Real,
    target: PairTerms,
    wanted: Real,
    bound: float | None = None,
) -> FramePlan:
    used = weights > _ZERO * weights.max()
    chosen, times = columns.chosen[used], weights[used]
    if bound is not None:
        why = "they are not looked for where the target is 0"
        return FramePlan(chosen, times, bound, y, target, columns.frames, why)
    fewer, why = _fewest(columns, y, wanted, len(chosen))
    chosen, times = (chosen, times) if fewer is None else fewer
    return FramePlan(chosen, times, float(y @ wanted), y, target, columns.frames, why)


def _fewest(
    columns: _Columns, y: Real, wanted: Real, enough: int
) -> tuple[tuple[Frames, Real] | None, str]:
    """Return fewer frames of the same total time, by an integer program over the tight ones.

    And why these, or the known ones, may not be the fewest; nothing where they are.
    """
    frames = columns.frames
    tight = np.argwhere(frames.prices(y) >= 1 - _TIGHT)
    if len(tight) > _MAX_TIGHT:
        return None, (
            f"{len(tight)} can take part, and they are not looked for among more than {_MAX_TIGHT}"
        )
    if not enough:
        return None, ""
    matrix, count = frames.columns(tight) * columns.unit, len(tight)
    total = float(y @ wanted)
    equal = np.concatenate([matrix.T, np.zeros((frames.rows, count))], axis=1)
    linked = np.concatenate([np.eye(count), -total * np.eye(count)], axis=1)
    goal = wanted * columns.unit
    found = milp(
        np.concatenate([np.zeros(count), np.ones(count)]),
        constraints=[
            LinearConstraint(equal, goal - 1e-12, goal + 1e-12),
            LinearConstraint(linked, -np.inf, 0),
        ],
        integrality=np.concatenate([np.zeros(count), np.ones(count)]),
        bounds=Bounds(0, np.concatenate([np.full(count, np.inf), np.ones(count)])),
        options={"time_limit": _SECONDS},
    )
    why = "" if found.status == 0 else f"the search was stopped after {_SECONDS:g} s"
    if found.x is None or round(found.fun) >= enough:
        return None, why
    kept = np.flatnonzero(found.x[count:] > 0.5)
    times, *_ = np.linalg.lstsq(matrix[kept].T, goal, rcond=None)
    if np.any(times < -1e-9) or not np.allclose(matrix[kept].T @ times, goal, atol=1e-10):
        return None, "the search found some, but only within its rounding"
    positive = times > _ZERO * times.max()
    return (tight[kept][positive], times[positive]), why
