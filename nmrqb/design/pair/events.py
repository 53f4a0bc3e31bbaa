"""Steps as the events of a sequence, every number in full double precision."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from nmrqb.design.pair.rotations import Turn
from nmrqb.design.pair.steps import Crush, FrameTurn, Loop, Step, Turns, Wait, played
from nmrqb.sequence import Delay, Event, Gradient, Pulse, Repeat, Rotation, VirtualZ

ROLES = ("I", "S")
_ROUNDED, _ROUNDING = 9, 1e-11  # digits and degrees: nearer to a round number is that number
_AXES = {0.0: "x", 90.0: "y", 180.0: "-x", 270.0: "-y"}


def number(value: float) -> str:
    """Return the shortest decimal that is read back as the same double, without an exponent."""
    return f"{Decimal(repr(float(value))):f}".removesuffix(".0")


def degrees(angle: float) -> str:
    """Return an angle in rad as a number of degrees, a round one where it is round."""
    value = math.degrees(angle)
    near = round(value, _ROUNDED)
    return number(near if abs(value - near) < _ROUNDING else value)


def phase_word(phase: float) -> str:
    """Return a phase in rad as x, y, -x, -y or degrees from 0 to 360."""
    text = degrees(phase % (2 * math.pi))
    return _AXES.get(float(text) % 360, text)


def events_of(steps: Iterable[Step]) -> tuple[Event, ...]:
    """Return the events that play steps; both roles stand in them, pulsed or not."""
    steps = tuple(steps)
    events = [_event(step) for step in steps]
    idle = [role for role in ROLES if role not in _used(steps)]
    return (*events, VirtualZ(dict.fromkeys(idle, "0 deg"))) if idle else tuple(events)


def _event(step: Step) -> Event:
    match step:
        case Turns(spins=spins):
            turns = zip(ROLES, spins, strict=True)
            return Pulse({role: _rotation(turn) for role, turn in turns if turn is not None})
        case Wait(seconds=seconds):
            return Delay(f"{number(seconds)} s")
        case FrameTurn(angles=angles):
            turned = zip(ROLES, angles, strict=True)
            return VirtualZ({role: f"{degrees(angle)} deg" for role, angle in turned if angle})
        case Crush():
            return Gradient()
        case Loop(times=times, steps=inner):
            return Repeat(str(times), tuple(map(_event, inner)))


def _rotation(turn: Turn) -> Rotation:
    return Rotation(degrees(turn.angle), phase_word(turn.phase))


def _used(steps: Iterable[Step]) -> set[str]:
    found: set[str] = set()
    for step in played(steps):
        match step:
            case Turns(spins=spins):
                found |= {role for role, turn in zip(ROLES, spins, strict=True) if turn}
            case FrameTurn(angles=angles):
                found |= {role for role, angle in zip(ROLES, angles, strict=True) if angle}
    return found
