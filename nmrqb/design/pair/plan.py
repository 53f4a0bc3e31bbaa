"""The same unitary in several versions: with the least time, the fewest pulses, the least loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Literal, TypeAlias, get_args

import numpy as np

from nmrqb.design.pair.blocks import Block, Form, block_steps, idle_steps
from nmrqb.design.pair.drift import Pair
from nmrqb.design.pair.steps import (
    Loop,
    Step,
    free_evolution_s,
    local_steps,
    merged,
    propagator,
    pulse_count,
    total_angle,
)
from nmrqb.dynamics import infidelity
from nmrqb.operators import Complex

Optimise: TypeAlias = Literal["time", "pulses", "robustness"]
OPTIMISE: tuple[Optimise, ...] = get_args(Optimise)
FLIP_ERROR = 0.05
_ERRORS = FLIP_ERROR * np.array([[1, 1], [-1, -1], [1, 0], [-1, 0], [0, 1], [0, -1]])
_MERGED = 12  # of the best ways, those whose pulses are merged and tried again
_ROUNDING = 1e-12

Way: TypeAlias = tuple[tuple[int, Form], ...]  # which block is next, and in which form


def _one() -> Complex:
    return np.array([np.eye(2, dtype=complex)] * 2)


@dataclass(frozen=True, eq=False)
class Plan:
    """after · (blocks, in any order) · before, played several times.

    Attributes
    ----------
    pair
        The drift.
    blocks
        Blocks that commute.
    before, after
        Rotations of the two spins, determinant 1, shape (2, 2, 2).
    times
        How often all this is played.
    idle_s
        Refocused delay after each time, in s.
    """

    pair: Pair
    blocks: tuple[Block, ...]
    before: Complex = field(default_factory=_one)
    after: Complex = field(default_factory=_one)
    times: int = 1
    idle_s: float = 0.0

    def steps(self, way: Way) -> list[Step]:
        """Return the steps of one time, the blocks in an order and form."""
        inner = [step for k, form in way for step in block_steps(self.blocks[k], form)]
        idle = idle_steps(self.idle_s, self.pair)
        return [*local_steps(self.before), *inner, *local_steps(self.after), *idle]

    def looped(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        """Return the steps of all times."""
        one = tuple(steps)
        return one if self.times == 1 else (Loop(self.times, one),)

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that a block may take: echoed ones alone where there are offsets."""
        off = self.pair.off_resonance
        kinds = itertools.product((1, 2) if off else (0, 1, 2), (False, True))
        return tuple(Form(echoes, turned, balanced=not off) for echoes, turned in kinds)

    @property
    def first_way(self) -> Way:
        """The blocks in their order, each in its first form."""
        return tuple((k, self.forms[0]) for k in range(len(self.blocks)))

    @property
    def only_frames(self) -> bool:
        """Whether the rotations before and after are about z."""
        around = np.abs(np.array([self.before[:, 0, 1], self.after[:, 0, 1]]))
        return bool(around.max() < _ROUNDING)


@dataclass(frozen=True, eq=False)
class Version:
    """One way to play a plan.

    Attributes
    ----------
    steps
        What is played.
    free_evolution_s
        Sum of its delays in s.
    pulses
        Number of pulses, each spin counting for itself.
    flip_angle_loss
        Mean infidelity with flip angles 5 % too large or small, on both spins or on one; None
        where the plan is no unitary.
    """

    steps: tuple[Step, ...]
    free_evolution_s: float
    pulses: int
    flip_angle_loss: float | None


def version_of(plan: Plan, optimise: Optimise) -> Version:
    """Return the steps of a plan that are best in one respect.

    ``time`` plays block after block; ``pulses`` makes one pulse of all between two delays, moves
    changes of frame to the end and takes the order of blocks with the fewest pulses, then the
    smallest angles; ``robustness`` takes the orders and forms of blocks, echoed or not, merged or
    not, that lose least to wrong flip angles.  The free evolution is the same in all of them.
    """
    if optimise == "time":
        return _version(plan, _plain(plan))
    if optimise == "pulses":
        return _version(plan, min(_fewest(plan), key=_effort))
    candidates = [_plain(plan), min(_fewest(plan), key=_effort), *_steadiest(plan)]
    return min((_version(plan, steps) for steps in candidates), key=_loss)


def versions_of(plan: Plan) -> Callable[[Optimise], Version]:
    """Return `version_of` a plan, made once each."""
    return cache(partial(version_of, plan))


def _loss(version: Version) -> float:
    return version.flip_angle_loss or 0.0


def _version(plan: Plan, steps: tuple[Step, ...]) -> Version:
    loss = infidelity(propagator(steps, plan.pair), propagator(steps, plan.pair, _ERRORS))
    return Version(steps, free_evolution_s(steps), pulse_count(steps), float(np.mean(loss)))


def _effort(steps: tuple[Step, ...]) -> tuple[int, float]:
    return pulse_count(steps), round(total_angle(steps), 9)


def _plain(plan: Plan) -> tuple[Step, ...]:
    steps = plan.steps(plan.first_way)
    return plan.looped(steps if plan.only_frames else merged(steps))


def _fewest(plan: Plan) -> Iterator[tuple[Step, ...]]:
    """Yield all orders with merged pulses; echoes cost pulses and stand only for offsets."""
    forms = plan.forms[:2]
    for order, chosen in _ways(len(plan.blocks), forms):
        yield plan.looped(merged(plan.steps(tuple(zip(order, chosen, strict=True)))))


def _ways(
    count: int, forms: tuple[Form, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[Form, ...]]]:
    orders = itertools.permutations(range(count))
    return itertools.product(orders, itertools.product(forms, repeat=count))


def _steadiest(plan: Plan) -> Iterator[tuple[Step, ...]]:
    """Yield the ways that lose least to wrong flip angles, as they are and merged."""
    table = [[_with_errors(plan.pair, block_steps(block, form)) for form in plan.forms]
             for block in plan.blocks]  # fmt: skip
    ways, losses = [], []
    ideal = propagator(plan.steps(plan.first_way), plan.pair)
    tail = replace(plan, before=_one(), blocks=()).steps(())
    ends = [_with_errors(plan.pair, local_steps(plan.before)), _with_errors(plan.pair, tail)]
    for order, chosen in _ways(len(plan.blocks), plan.forms):
        U = ends[0]
        for k, form in zip(order, chosen, strict=True):
            U = table[k][plan.forms.index(form)] @ U
        ways.append(tuple(zip(order, chosen, strict=True)))
        losses.append(float(np.mean(infidelity(ideal, ends[1] @ U))))
    for best in np.argsort(losses, kind="stable")[:_MERGED]:
        steps = plan.steps(ways[best])
        yield plan.looped(steps)
        yield plan.looped(merged(steps))


def _with_errors(pair: Pair, steps: Iterable[Step]) -> Complex:
    return propagator(steps, pair, _ERRORS) + np.zeros((len(_ERRORS), 1, 1))
