"""Tables of integrals, one row a spectrum and one column a line, as TopSpin's `intser` writes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from nmrqb.operators import Real
from nmrqb.spectrometer.readers import guards

Cell: TypeAlias = tuple[int, str]  # column of a line, from 1, and the text that begins there

_MAX_VALUES = 1_000_000
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, eq=False)
class IntegralTable:
    """Integrals of lines in a series of spectra.

    Attributes
    ----------
    values
        Integrals in the unit of the table, shape (spectra, lines).
    spectra
        What the first column calls every row; empty where the table has no such column.
    source
        The file as the user wrote it.
    sha256
        Hash of its bytes.
    """

    values: Real
    spectra: tuple[str, ...]
    source: str
    sha256: str


def read_integrals(
    path: str | Path, *, columns: Sequence[int] | None = None, named_rows: bool = False
) -> IntegralTable:
    """Read a table of integrals.

    Tabs or semicolons stand between numbers; where there are none, commas; where there are none
    of these either, blanks.  Lines without numbers where they should be (titles, remarks, names of
    columns) are skipped before the first row, and refused after it; so is one before it that has
    as many columns as the rows and a number in one of them, for it is a row with a slip.

    Parameters
    ----------
    path
        The file.
    columns
        Columns to take, from 0, in this order: the others may hold anything; all by default.
    named_rows
        Whether the first column is a number or name of the spectrum, not an integral.

    Raises
    ------
    InputError
        With line and column of what is wrong.
    """
    where = Path(path)
    text = guards.text_of(where, guards.MAX_HEADER_BYTES, "table of integrals")
    names, rows, width = list[str](), list[list[float]](), None
    skipped: list[tuple[str, int, int, int]] = []  # problem, line, column, width
    for number, line in enumerate(text.splitlines(), start=1):
        cells = _cells(where, line, number)
        own = _chosen(cells, columns, skip=int(named_rows))
        problem, at = _problem(own, cells, columns, width)
        if not cells:
            continue
        if problem and not rows:
            skipped += [(problem, number, at, len(cells))] if _has_number(cells) else []
            continue
        if problem:
            raise guards.refused(where, problem, number, at)
        width = len(cells)
        names.append(cells[0][1])
        rows.append([_value(cell[1]) for cell in own])
        if len(rows) * len(own) > _MAX_VALUES:
            raise guards.refused(where, f"holds more than {_MAX_VALUES} integrals", number)
    slip = next((line for line in skipped if line[-1] == width), None)
    if slip is not None:
        raise guards.refused(where, *slip[:-1])
    if not rows:
        what = "" if columns is None else f" with numbers in columns {_listed(columns)}"
        raise guards.refused(where, f"this holds no row of numbers{what}")
    return IntegralTable(
        np.array(rows), tuple(names) if named_rows else (), str(path), guards.hash_of(where)
    )


def _has_number(cells: Sequence[Cell]) -> bool:
    return any(math.isfinite(_value(text)) for _, text in cells)


def _problem(
    own: Sequence[Cell], cells: Sequence[Cell], columns: Sequence[int] | None, width: int | None
) -> tuple[str, int]:
    """Return what is wrong with a line and at which column; nothing if it is a row."""
    if columns is not None and len(own) < len(columns):
        return f"must hold {max(columns) + 1} columns, but holds {len(cells)}", 1
    if not own:
        return "must hold integrals, but holds none", 1
    for at, text in own:
        if not math.isfinite(_value(text)):
            return f"must be a finite number, but is {text[:30]!r}", at
    if columns is None and width is not None and len(cells) != width:
        skipped = len(cells) - len(own)
        wanted = width - skipped
        return f"must hold {wanted} integrals as the rows above, but holds {len(own)}", 1
    return "", 1


def _listed(columns: Sequence[int]) -> str:
    return ", ".join(str(column + 1) for column in columns)


def _cells(path: Path, line: str, number: int) -> list[Cell]:
    """Return the cells of a line and the columns, from 1, at which their text begins."""
    words = line.split() if not re.search(r"[;\t]", line) else re.split(r"[;\t]", line)
    decimal = [word for word in words if _DECIMAL_COMMA.fullmatch(word.strip())]
    if decimal and len(words) > 1:
        message = f"numbers must have a decimal point, not a comma: {decimal[0].strip()!r}"
        raise guards.refused(path, message, number, line.index(decimal[0].strip()) + 1)
    bare = line.rstrip(" ,;\t\r")
    separators = next((marks for marks in (";\t", ",") if set(marks) & set(line)), None)
    if separators is None:
        return [(m.start() + 1, m[0]) for m in re.finditer(r"\S+", bare)]
    at, found = 0, []
    for cell in re.split(f"[{separators}]", bare) if bare.strip() else []:
        found.append((at + 1 + len(cell) - len(cell.lstrip()), cell.strip()))
        at += len(cell) + 1
    return found


def _chosen(cells: list[Cell], columns: Sequence[int] | None, *, skip: int) -> list[Cell]:
    if columns is None:
        return cells[skip:]
    return [cells[column] for column in columns if column < len(cells)]


def _value(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
