"""Points of a sweep that stand in a CSV file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nmrqb.errors import Fault, InputError, Position, refuse
from nmrqb.experiment.sweeps.axes import MAX_VALUES, Axis, quantities
from nmrqb.files import read_text

_MAX_BYTES = 1_000_000_000
_HEAD = re.compile(r"(?P<path>[^()]*[^()\s])\s*(?:\((?P<unit>[^()]*)\))?")


def table_axes(file: str | Path) -> list[Axis]:
    """Return axes whose values side by side are the rows of a CSV file.

    The first line names the paths, each with a unit in brackets where the numbers have none:
    ``battery.D (Hz), prepare.gibbs.temperature``.  Empty lines do not count.

    Raises
    ------
    InputError
        With every fault of the file, at line and column.
    """
    lines = _cells(str(file))
    if len(lines) < 2:
        message = f"needs a line of paths and a line for each point, but holds {len(lines)} in all"
        raise InputError.at(Position(str(file)), message)
    faults: list[Fault] = []
    heads = [_head(text, at, faults) for text, at in lines[0]]
    for row in lines[1:]:
        if len(row) != len(heads):
            message = f"{len(heads)} values must stand here as in the first line, but {len(row)} do"
            faults.append(Fault(row[-1][1], message))
    refuse(faults)
    columns = zip(*lines[1:], strict=True)
    axes = [
        _axis(path, unit, at, column, faults)
        for (path, unit), (_, at), column in zip(heads, lines[0], columns, strict=True)
    ]
    refuse(faults)
    return axes


Cell = tuple[str, Position]


def _head(text: str, at: Position, faults: list[Fault]) -> tuple[str, str]:
    found = _HEAD.fullmatch(text)
    if found is None:
        faults.append(Fault(at, f"must be a path, with its unit: battery.D (Hz), but is {text!r}"))
        return "", ""
    return found["path"], (found["unit"] or "").strip()


def _axis(
    path: str, unit: str, at: Position, column: tuple[Cell, ...], faults: list[Fault]
) -> Axis:
    """Read a column; a value of another kind than the first one is a fault."""
    first, values = None, np.zeros(len(column))
    for number, (text, place) in enumerate(column):
        given = f"{text} {unit}".strip()
        try:
            dimension, both = quantities([first or given, given], place)
        except InputError as error:
            faults += error.faults
            continue
        first, values[number] = first or given, both[1]
    dimension = quantities([first], at)[0] if first else "ratio"
    return Axis(path, dimension, values, at)


def _cells(file: str) -> list[list[Cell]]:
    """Return the cells of lines that are not empty, and where each begins."""
    lines = read_text(file, "a table of points", limit=_MAX_BYTES).splitlines()
    if len(lines) > MAX_VALUES:
        raise InputError.at(Position(file), f"`{file}` holds more than {MAX_VALUES} lines")
    return [list(_split(line, file, k)) for k, line in enumerate(lines, start=1) if line.strip()]


def _split(line: str, file: str, number: int) -> Iterator[Cell]:
    column = 1
    for cell in line.split(","):
        inner = len(cell) - len(cell.lstrip())
        yield cell.strip(), Position(file, number, column + inner)
        column += len(cell) + 1
