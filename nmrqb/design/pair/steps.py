"""What is played on two spins, in numbers: pulses, delays, changes of frame, crushers, loops."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from nmrqb.design.pair.drift import Pair
from nmrqb.design.pair.rotations import Turn, as_turn, turn_matrix, z_matrix
from nmrqb.operators import Complex, Real, kron

_WHOLE_TURN = 1e-13  # rad; a frame so near to a whole turn is none


@dataclass(frozen=True)
class Turns:
    """Simultaneous pulses on the first and the second spin, None for no pulse."""

    spins: tuple[Turn | None, Turn | None]


@dataclass(frozen=True)
class Wait:
    """Free evolution for a time in s."""

    seconds: float


@dataclass(frozen=True)
class FrameTurn:
    """Rotations of the two spins about z by a change of frame, in rad."""

    angles: tuple[float, float]


@dataclass(frozen=True)
class Crush:
    """A gradient after which no coherence is left."""


@dataclass(frozen=True)
class Loop:
    """Steps that are played several times."""

    times: int
    steps: tuple[Step, ...]


Step = Turns | Wait | FrameTurn | Crush | Loop


def played(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps one by one, loops played out."""
    for step in steps:
        if isinstance(step, Loop):
            for _ in range(step.times):
                yield from played(step.steps)
        else:
            yield step


def free_evolution_s(steps: Iterable[Step]) -> float:
    """Return the sum of all delays in s."""
    waits = (
        step.times * free_evolution_s(step.steps) if isinstance(step, Loop) else step.seconds
        for step in steps
        if isinstance(step, Loop | Wait)
    )
    return math.fsum(waits)


def pulse_count(steps: Iterable[Step]) -> int:
    """Return how many pulses are played, each spin counting for itself."""
    return sum(turn is not None for step in played(steps) if isinstance(step, Turns)
               for turn in step.spins)  # fmt: skip


def total_angle(steps: Iterable[Step]) -> float:
    """Return the sum of all flip angles in rad."""
    turns = (turn for step in played(steps) if isinstance(step, Turns) for turn in step.spins)
    return math.fsum(turn.angle for turn in turns if turn is not None)


def propagator(steps: Iterable[Step], pair: Pair, flip: Real | None = None) -> Complex:
    """Return U of steps without crushers.

    Parameters
    ----------
    steps
        What is played.
    pair
        The drift.
    flip
        Relative errors of the flip angles of the two spins, shape (..., 2); None for no error.

    Returns
    -------
    array of shape (..., 4, 4)
    """
    errors = np.zeros(2) if flip is None else flip
    return reduce(lambda U, step: _unitary(step, pair, errors) @ U, steps, np.eye(4, dtype=complex))


def _unitary(step: Step, pair: Pair, flip: Real) -> Complex:
    match step:
        case Turns(spins=spins):
            return kron(_turned(turn, flip[..., k]) for k, turn in enumerate(spins))
        case Wait(seconds=seconds):
            return np.diag(np.exp(-2j * np.pi * pair.levels_hz * seconds))
        case FrameTurn(angles=angles):
            return kron([z_matrix(angles[0]), z_matrix(angles[1])])
        case Loop(times=times, steps=inner):
            return np.asarray(np.linalg.matrix_power(propagator(inner, pair, flip), times))
    raise AssertionError(step)  # a crusher is no unitary


def _turned(turn: Turn | None, error: Real) -> Complex:
    turn = turn or Turn(0.0, 0.0)
    return turn_matrix(turn.angle * (1 + error), turn.phase)


# -------------------------------------------------------------------------------------- merging
def local_steps(rotations: Complex) -> list[Step]:
    """Return pulses and the change of frame of rotations of the two spins, (2, 2, 2)."""
    made = [as_turn(R) for R in rotations]
    spins = (made[0][0], made[1][0])
    steps: list[Step] = [Turns(spins)] if any(spins) else []
    return [*steps, *_frame((made[0][1], made[1][1]))]


def _frame(angles: tuple[float, float]) -> list[Step]:
    left = (_principal(angles[0]), _principal(angles[1]))
    return [FrameTurn(left)] if any(left) else []


def _principal(angle: float) -> float:
    left = math.remainder(angle, 2 * math.pi)
    return left if abs(left) > _WHOLE_TURN else 0.0


def merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Make one pulse of all pulses between two delays; changes of frame move to the end.

    Rotations about z commute with the delays, so R_z(ζ) θ_φ is played as θ_φ and ζ is taken off
    the phases of what follows.  A crusher forgets the frame; a loop is merged inside.
    """
    found: list[Step] = []
    waiting = np.array([np.eye(2, dtype=complex)] * 2)
    for step in steps:
        match step:
            case Turns(spins=spins):
                waiting = np.array([_turned(t, np.zeros(())) for t in spins]) @ waiting
            case FrameTurn(angles=angles):
                waiting = np.array([z_matrix(angle) for angle in angles]) @ waiting
            case Wait():
                pulses, waiting = _flushed(waiting)
                found += pulses
                _append_wait(found, step)
            case Crush():
                pulses, _ = _flushed(waiting)
                found += [*pulses, step]
                waiting = np.array([np.eye(2, dtype=complex)] * 2)
            case Loop(times=times, steps=inner):
                found += [*local_steps(waiting), Loop(times, merged(inner))]
                waiting = np.array([np.eye(2, dtype=complex)] * 2)
    return (*found, *local_steps(waiting))


def _flushed(waiting: Complex) -> tuple[list[Step], Complex]:
    """Return the pulses of rotations, and the change of frame that they leave."""
    made = [as_turn(R) for R in waiting]
    spins = (made[0][0], made[1][0])
    left = np.array([z_matrix(angle) for _, angle in made])
    return ([Turns(spins)] if any(spins) else []), left


def _append_wait(found: list[Step], step: Wait) -> None:
    """Append a delay, or lengthen the last step where that is one."""
    last = found[-1] if found else None
    if isinstance(last, Wait):
        found[-1] = Wait(last.seconds + step.seconds)
    else:
        found.append(step)
