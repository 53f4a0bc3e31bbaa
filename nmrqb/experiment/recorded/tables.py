"""Tables of integrals as data: real parts of lines, or both parts, with the errors that are told.

The integral of a line stands for its amplitude: what share of a line its region holds belongs to
the gain, and is the same in every file where regions and widths are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmrqb.errors import Fault, InputError
from nmrqb.experiment.recorded.amplitudes import (
    FittedFile,
    ascends,
    in_rotating_frame,
    real_parts_in_rotating_frame,
)
from nmrqb.experiment.recorded.model import DataFile, Integrals, ReadoutFile, RecordedData
from nmrqb.operators import Real
from nmrqb.spectrometer.readers import IntegralTable, guards, read_integrals

KIND = "integrals"
FEWEST = 8  # integrals of noise that tell its size to 25 %


@dataclass(frozen=True, eq=False)
class Integrated:
    """Integrals of lines with their errors.

    Attributes
    ----------
    real
        Shape (rows, lines).
    imaginary
        The same, or None.
    errors
        Standard deviation of one integral of every line, shape (lines,).
    sha256
        Hash of the table, or of both.
    """

    real: Real
    imaginary: Real | None
    errors: Real
    sha256: str


def open_table(file: DataFile) -> Integrated:
    """Read a table of integrals and tell its errors.

    Raises
    ------
    InputError
        If it cannot be read, has no such row, or shows no noise where it should.
    """
    integrals = file.integrals
    assert integrals is not None  # asked for only where the data file tells the columns
    columns = (*integrals.columns, *integrals.noise)
    tables = [read_integrals(file.path, columns=columns)]
    if integrals.imaginary is not None:
        tables.append(read_integrals(integrals.imaginary, columns=columns))
    rows = [len(table.values) for table in tables]
    if len(set(rows)) > 1:
        message = f"`{file.path}` holds {rows[0]} rows, but `{integrals.imaginary}` {rows[1]}"
        raise InputError([Fault(file.at, message)])
    if file.row is not None and file.row >= rows[0]:
        message = f"`record` must be from 1 to {rows[0]}, but is {file.row + 1}"
        raise InputError([Fault(file.at, message)])
    lines = len(integrals.columns)
    return Integrated(
        tables[0].values[:, :lines],
        tables[1].values[:, :lines] if len(tables) > 1 else None,
        _errors(file, integrals, tables),
        guards.hash_of(*(Path(table.source) for table in tables)),
    )


def _errors(file: DataFile, integrals: Integrals, tables: list[IntegralTable]) -> Real:
    lines = len(integrals.columns)
    values = np.concatenate([table.values for table in tables])
    if integrals.errors:
        largest = float(np.abs(values[:, :lines]).max())
        sigma = np.array([e * largest if relative else e for e, relative in integrals.errors])
    else:
        noise = values[:, lines:]
        if noise.size < FEWEST:
            message = (
                f"`{file.path}` holds {noise.size} integrals of noise, but at least {FEWEST} tell "
                "how large it is; give `error` instead"
            )
            raise InputError([Fault(file.at, message)])
        sigma = np.full(lines, np.sqrt(np.mean(noise**2)))
    if not np.all(sigma > 0):
        message = f"`{file.path}`: its integrals are all 0, so that they have no error"
        raise InputError([Fault(file.at, message)])
    return np.asarray(sigma)


def from_table(file: ReadoutFile, data: RecordedData) -> FittedFile:
    """Return the amplitudes that one row of a table tells.

    Raises
    ------
    InputError
        As `open_table`, or if it holds several rows and the data file names none.
    """
    table = open_table(file.data)
    if file.data.row is None and len(table.real) > 1:
        message = f"`{file.data.path}`: it holds {len(table.real)} rows; say which with `record`"
        raise InputError([Fault(file.data.at, message)])
    row = file.data.row or 0
    ascending = ascends(KIND, file.channel, data)
    variances = table.errors**2
    if table.imaginary is None:
        known, covariance = real_parts_in_rotating_frame(
            table.real[row], np.diag(variances), file.phase_rad, ascending=ascending
        )
    else:
        sense = -1j if file.data.conjugate else 1j
        known, covariance = in_rotating_frame(
            table.real[row] + sense * table.imaginary[row],
            np.diag(np.tile(variances, 2)),
            file.phase_rad,
            ascending=ascending,
        )
    return FittedFile(file=file, known=known, covariance=covariance, sha256=table.sha256)
