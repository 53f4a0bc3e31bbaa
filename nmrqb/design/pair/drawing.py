"""Steps drawn with letters: one line for each spin, time running to the right."""

from __future__ import annotations

from collections.abc import Iterable

from nmrqb.design.pair.events import degrees, phase_word
from nmrqb.design.pair.rotations import Turn
from nmrqb.design.pair.steps import Crush, FrameTurn, Loop, Step, Turns, Wait
from nmrqb.units import Value, written

_WIDTH = 92


def drawing(steps: Iterable[Step], labels: tuple[str, ...]) -> list[str]:
    """Return the lines of a drawing, one for each spin and again where the first is full."""
    rows = [("", ""), *_columns(steps)]
    names = max(map(len, labels))
    lines: list[str] = []
    pieces = ["", ""]
    for column in rows:
        width = max(map(len, column))
        if len(pieces[0]) + width > _WIDTH - names:
            lines += [*_pair(labels, pieces, names), ""]
            pieces = ["", ""]
        pieces = [p + c.center(width, c[-1:] if c[-1:] == "-" else " ")
                  for p, c in zip(pieces, column, strict=True)]  # fmt: skip
    return [*lines, *_pair(labels, pieces, names)]


def _pair(labels: tuple[str, ...], pieces: list[str], width: int) -> list[str]:
    return [f"{label.ljust(width)}  {piece}".rstrip()
            for label, piece in zip(labels, pieces, strict=True)]  # fmt: skip


def _columns(steps: Iterable[Step]) -> Iterable[tuple[str, str]]:
    for step in steps:
        match step:
            case Turns(spins=spins):
                yield _pulse(spins[0]), _pulse(spins[1])
            case Wait(seconds=seconds):
                shown = f"--{_shortened(seconds)}--"
                yield shown, "-" * len(shown)
            case FrameTurn(angles=angles):
                yield _frame(angles[0]), _frame(angles[1])
            case Crush():
                yield " crush ", " crush "
            case Loop(times=times, steps=inner):
                yield "[ ", "[ "
                yield from _columns(inner)
                yield f" ]x{times}", f" ]x{times}"


def _pulse(turn: Turn | None) -> str:
    if turn is None:
        return "--"
    phase = phase_word(turn.phase)
    shown = phase if phase.isascii() and phase[-1] in "xy" else f"{float(phase):.4g}"
    return f"|{float(degrees(turn.angle)):.4g} {shown}|"


def _frame(angle: float) -> str:
    return f" z{float(degrees(angle)):.4g} " if angle else "--"


def _shortened(seconds: float) -> str:
    return written(Value.of(float(f"{seconds:.4g}"), "time"))
