"""Plain text: one line of ppm, real, imaginary for every point of a spectrum."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nmrqb.operators import Real
from nmrqb.spectrometer.readers import guards
from nmrqb.spectrometer.readers.model import MIN_POINTS, Recording

MAX_BYTES = 200_000_000
_HEAD_LINES = 50  # of names and remarks before the numbers
_UNEVEN = 0.6  # of a step: how far a point may lie off a uniform axis
_SEPARATOR = re.compile(r" *[,;\t] *| +")


def read(path: Path) -> Recording:
    """Return the spectrum of a text file, its axis ascending and exactly uniform.

    Columns are separated by commas, semicolons, tabs or blanks.  Lines before the first three
    numbers are a header.

    Raises
    ------
    InputError
        With line and column of what is no number, or if the axis is not uniform.
    """
    text = guards.text_of(path, MAX_BYTES, "table of ppm, real, imaginary")
    lines = text.splitlines()
    begin = next((k for k, line in enumerate(lines[:_HEAD_LINES]) if _is_row(line)), None)
    if begin is None:
        raise guards.refused(
            path,
            "this holds no line of three numbers: ppm, real, imaginary (what a table of integrals "
            "holds is told with `integrals`)",
        )
    table = _table(path, lines, begin)
    if table[0, 0] > table[-1, 0]:
        table = table[::-1]
    return Recording(
        values=table[:, 1] + 1j * table[:, 2],
        domain="frequency",
        kind="csv",
        source=str(path),
        ppm=_uniform(path, table[:, 0]),
        sha256=guards.hash_of(path),
    )


def _is_row(line: str) -> bool:
    try:
        return len(_numbers(line)) == 3
    except ValueError:
        return False


def _numbers(line: str) -> list[float]:
    return [float(part) for part in _SEPARATOR.split(line.strip())]


def _table(path: Path, lines: list[str], begin: int) -> Real:
    end = len(lines)
    while end > begin and not lines[end - 1].strip():
        end -= 1
    rows = []
    for number, line in enumerate(lines[begin:end], start=begin + 1):
        try:
            row = _numbers(line)
        except ValueError:
            raise guards.refused(path, *_culprit(line, number)) from None
        if len(row) != 3:
            message = f"must be three numbers (ppm, real, imaginary), but there are {len(row)}"
            raise guards.refused(path, message, number)
        rows.append(row)
    if len(rows) < MIN_POINTS:
        raise guards.refused(
            path,
            f"must hold at least {MIN_POINTS} points, but holds {len(rows)}: is it truncated?",
        )
    table = np.array(rows)
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = bad[0]
        message = f"must be a finite number, but is {table[row, column]}"
        raise guards.refused(path, message, begin + 1 + int(row))
    return table


def _culprit(line: str, number: int) -> tuple[str, int, int]:
    """Return message, line and column of the first thing that is no number."""
    for found in re.finditer(r"[^,;\t ]+", line):
        try:
            float(found.group())
        except ValueError:
            shown = found.group()[:30]
            return f"must be a number, but is {shown!r}", number, found.start() + 1
    return "must be three numbers (ppm, real, imaginary), but a column is empty", number, 1


def _uniform(path: Path, ppm: Real) -> Real:
    """Return the axis by its least-squares line: files round it to few digits."""
    places = np.arange(len(ppm)) - (len(ppm) - 1) / 2
    step = float(places @ ppm / (places @ places))
    line = ppm.mean() + step * places
    off = np.abs(ppm - line)
    if not step > 0 or off.max() > _UNEVEN * step:
        worst = int(np.argmax(off))
        raise guards.refused(
            path,
            "the ppm axis must be uniform, but point "
            f"{worst + 1} lies at {ppm[worst]:g} ppm instead of {line[worst]:g} ppm",
        )
    return np.asarray(line)
