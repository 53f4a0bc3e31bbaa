"""Blocks: a coupling that acts along any two axes for some time, and pieces made of them.

A block turns both spins so that σ_z is seen along u and v, waits, and turns back: it makes
exp(−i2πc uvᵀτ).  Blocks whose u and v are orthogonal to each other's commute, so the singular
value decomposition of a coupling matrix is made exactly by one block for each singular value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nmrqb.design.pair.drift import Pair
from nmrqb.design.pair.rotations import Turn, tilt
from nmrqb.design.pair.steps import Step, Turns, Wait
from nmrqb.operators import Real

_SAME = 1e-13  # of the largest singular value: values so near are one
_NOTHING = 1e-14  # of the largest: smaller ones make no block
_LEAST_ANGLE = 1e-12  # rad of a Cartan coordinate that makes a block
_LEAST_SHARE = 0.2
_SHARES = ((1.0,), (0.5, 0.5), (0.25, 0.5, 0.25))  # of the time, between the echoes of a block


@dataclass(frozen=True, eq=False)
class Block:
    """The coupling seen along unit vectors u and v of the two spins for a time.

    Attributes
    ----------
    u, v
        Axes of the first and the second spin, shape (3,).
    seconds
        Free evolution τ in s.
    angle
        2π|c|τ in rad, the block being exp(−i·angle·(u·σ)⊗(v·σ)).
    """

    u: Real
    v: Real
    seconds: float
    angle: float


@dataclass(frozen=True)
class Form:
    """How a block is played.

    Attributes
    ----------
    echoes
        How often both spins are turned by 180° on the way, about the axes of the block's own
        pulses: once in the middle, or after the first and before the last quarter.  Offsets go,
        and flip angles that are wrong tilt u and v to both sides.
    turned
        With −u and −v in the place of u and v (first, where it is echoed).
    balanced
        Two echoes at other times, so that nothing of first order is left of wrong flip angles;
        a few per cent of the offsets are.
    """

    echoes: int = 0
    turned: bool = False
    balanced: bool = False


def block_steps(block: Block, form: Form) -> list[Step]:
    """Return the steps of a block."""
    sign = -1 if form.turned else 1
    first, second = tilt(sign * block.u), tilt(sign * block.v)
    shares = _shares(block, form)
    steps = _turns(first, second)
    for share in shares[:-1]:
        steps += [Wait(share * block.seconds), *_turns(_echo(first), _echo(second))]
        first, second = _other(first), _other(second)
    return [*steps, Wait(shares[-1] * block.seconds), *_turns(first.inverse, second.inverse)]


def _shares(block: Block, form: Form) -> tuple[float, ...]:
    """Return the shares of the time between the echoes of a block.

    A tilt of u or v that changes its sign at the echoes makes, to first order, the mean of
    s(t) cos χ(1 − 2t/τ) about the middle, χ the angle of the block.  It is zero where the middle
    share m has sin χm = ½ sin χ.
    """
    if not (form.balanced and form.echoes == 2):
        return _SHARES[form.echoes]
    middle = math.asin(math.sin(block.angle) / 2) / block.angle
    middle = middle if middle > _LEAST_SHARE else 0.5
    return (1 - middle) / 2, middle, (1 - middle) / 2


def _other(turn: Turn) -> Turn:
    """Return the pulse to the opposite axis: P†I_zP = −a·I."""
    return Turn(math.pi - turn.angle, turn.phase + math.pi)


def _echo(turn: Turn) -> Turn:
    """Return the 180° that takes a pulse back, through z, to the opposite axis."""
    return Turn(math.pi, turn.phase + math.pi)


def _turns(first: Turn, second: Turn) -> list[Step]:
    kept = [turn if turn.angle > _SAME else None for turn in (first, second)]
    return [Turns((kept[0], kept[1]))] if any(kept) else []


# ------------------------------------------------------------------------------- what blocks make
def singular_blocks(C: Real, seconds: float, pair: Pair) -> tuple[Block, ...]:
    """Return the blocks that make exp(−i2πT Σ C_ab σ_a⊗σ_b), the longest first.

    With C = Σ s u vᵀ block k lasts s_kT/|c|; for c < 0 u is turned round.

    Parameters
    ----------
    C
        Coupling matrix in Hz, shape (3, 3).
    seconds
        T in s.
    pair
        The coupling c.
    """
    U, s, _ = np.linalg.svd(C)
    U = _plain_axes(U, s)
    sign = math.copysign(1, pair.coupling_hz)
    found = []
    for k in np.flatnonzero(s > _NOTHING * s[0]):
        v = C.T @ U[:, k]
        v = v / np.linalg.norm(v)
        found.append(_block(sign * U[:, k], v, 2 * np.pi * float(s[k]) * seconds, pair))
    return tuple(found)


def _plain_axes(U: Real, s: Real) -> Real:
    """Return left singular vectors, along x, y and z as far as equal singular values leave it."""
    chosen = U.copy()
    for first in range(3):
        group = np.abs(s - s[first]) <= _SAME * s[0]
        if group.sum() > 1 and np.flatnonzero(group)[0] == first:
            chosen[:, group] = _aligned(U[:, group])
    return chosen


def _aligned(basis: Real) -> Real:
    """Return an orthonormal basis of the same space, each vector as near to an axis as can be."""
    P = basis @ basis.T
    found = []
    for _ in range(basis.shape[1]):
        axis = P[:, np.argmax(np.round(np.diag(P), 9))]
        axis = axis / np.linalg.norm(axis)
        found.append(axis)
        P = P - np.outer(axis, axis)
    return np.array(found).T


def cartan_blocks(c: Real, pair: Pair) -> tuple[Block, ...]:
    """Return the blocks that make exp(−iΣ c_a σ_a⊗σ_a), c in rad of shape (3,)."""
    found = []
    for a in np.flatnonzero(np.abs(c) > _LEAST_ANGLE):
        axis = np.eye(3)[a]
        sign = math.copysign(1, c[a] * pair.coupling_hz)
        found.append(_block(sign * axis, axis, abs(float(c[a])), pair))
    return tuple(found)


def _block(u: Real, v: Real, angle: float, pair: Pair) -> Block:
    return Block(u, v, angle / (2 * np.pi * pair.strength_hz), angle)


def idle_steps(seconds: float, pair: Pair) -> list[Step]:
    """Return a delay in which coupling and offsets are refocused: the identity that takes time.

    One 180° in the middle, and one at the end, remove the coupling; where there are offsets the
    two spins are turned in quarters, after the first and third and after the second and fourth.
    """
    if not seconds:
        return []
    there, back = Turn(math.pi, 0.0), Turn(math.pi, math.pi)
    if not pair.off_resonance:
        half = Wait(seconds / 2)
        return [half, Turns((there, None)), half, Turns((back, None))]
    quarter = Wait(seconds / 4)
    marks = [(there, None), (None, there), (back, None), (None, back)]
    return [step for mark in marks for step in (quarter, Turns(mark))]
