"""Tables of integrals, one row a spectrum and one column a line, as TopSpin's `intser` writes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmrqb.operators import Real
from nmrqb.spectrometer.readers import guards

_MAX_VALUES = 1_000_000


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


def read_integrals(path: str | Path, *, named_rows: bool = False) -> IntegralTable:
    """Read a table of integrals: numbers with blanks, tabs, commas or semicolons between them.

    Lines that begin with anything but a number (titles, remarks, names of columns) are skipped
    before the first row, and refused after it.

    Parameters
    ----------
    path
        The file.
    named_rows
        Whether the first column is a number or name of the spectrum, not an integral.

    Raises
    ------
    InputError
        With line and column of what is wrong.
    """
    where = Path(path)
    text = guards.text_of(where, guards.MAX_HEADER_BYTES, "table of integrals")
    names, rows = list[str](), list[list[float]]()
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.replace(",", " ").replace(";", " ").split()
        own = cells[1:] if named_rows else cells
        found = [_value(cell) for cell in own]
        bad = next((k for k, value in enumerate(found) if not math.isfinite(value)), None)
        if not own or (bad is not None and not rows):
            continue
        if bad is not None:
            column = line.index(own[bad]) + 1
            message = f"must be a finite number, but is {own[bad][:30]!r}"
            raise guards.refused(where, message, number, column)
        if rows and len(found) != len(rows[0]):
            message = (
                f"must hold {len(rows[0])} integrals as the rows above, but holds {len(found)}"
            )
            raise guards.refused(where, message, number)
        names.append(cells[0])
        rows.append(found)
        if len(rows) * len(rows[0]) > _MAX_VALUES:
            raise guards.refused(where, f"holds more than {_MAX_VALUES} integrals", number)
    if not rows:
        raise guards.refused(where, "this holds no row of numbers")
    return IntegralTable(
        np.array(rows), tuple(names) if named_rows else (), str(path), guards.hash_of(where)
    )


def _value(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
