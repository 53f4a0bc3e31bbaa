"""What a data file may say of tables of integrals, and what it must."""

from __future__ import annotations

from collections.abc import Iterator

from nmrqb.errors import Fault
from nmrqb.experiment.recorded.amplitudes import pattern_hz
from nmrqb.experiment.recorded.format import (
    DataFormat,
    FileFormat,
    IntegralsFormat,
    ReadoutFormat,
    SeriesFormat,
)
from nmrqb.files import Document, Keys
from nmrqb.sample import Sample

_FOLLOWED = ("T1", "T2", "pulse_90")
_OF_SPECTRA = (
    "reader",
    "first_point",
    "near",
    "guess",
    "window",
)  # keys that a table has no use of


def table_of(file: ReadoutFormat, entry: DataFormat) -> IntegralsFormat | None:
    """Return what a file or its channel says of its columns; None if it is no table."""
    channel = entry.channels.get(file.channel)
    return file.integrals or (channel.integrals if channel is not None else None)


def table_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    """Yield the faults of all that is said of tables of integrals.

    Parameters
    ----------
    entry, document
        The data file.
    sample
        Its spins.
    """
    for number, file in enumerate(entry.files):
        table = table_of(file, entry)
        if table is None or file.channel not in sample.nuclei:
            continue
        path: Keys = ("files", number)
        yield from _key_faults(file, document, path, table)
        yield from _column_faults(table, document, _told_at(file, path), file.channel, sample)
    yield from _mixture_faults(entry, document)
    for number, series in enumerate(entry.series):
        if series.integrals is not None:
            yield from _series_faults(series, document, ("series", number))


def _told_at(file: ReadoutFormat, path: Keys) -> Keys:
    own = file.integrals is not None
    return (*path, "integrals") if own else ("channels", file.channel, "integrals")


def _key_faults(
    file: FileFormat, document: Document, path: Keys, table: IntegralsFormat
) -> Iterator[Fault]:
    useless = [key for key in _OF_SPECTRA if key in file.model_fields_set]
    if "conjugate" in file.model_fields_set and table.imaginary is None:
        useless.append("conjugate")
    for key in useless:
        message = f"`{key}` says nothing of a table of integrals; leave it out"
        yield Fault(document.key_position((*path, key)), message)


def _column_faults(
    table: IntegralsFormat, document: Document, path: Keys, nucleus: str, sample: Sample
) -> Iterator[Fault]:
    lines = len(pattern_hz(sample, nucleus))
    if len(table.columns) != lines:
        message = (
            f"must name a column for each of the {lines} lines of {nucleus}, but names "
            f"{len(table.columns)}"
        )
        yield Fault(document.position((*path, "columns")), message)


def _mixture_faults(entry: DataFormat, document: Document) -> Iterator[Fault]:
    """Yield faults of channels with tables beside FIDs or spectra: they have no common gain."""
    for channel in dict.fromkeys(file.channel for file in entry.files):
        own = [(k, file) for k, file in enumerate(entry.files) if file.channel == channel]
        tables = [table_of(file, entry) is not None for _, file in own]
        if any(tables) and not all(tables):
            number = own[tables.index(False)][0]
            message = (
                f"other files of {channel} are tables of integrals: a channel has one gain, so "
                "that all its files must be tables, or all FIDs and spectra"
            )
            yield Fault(document.position(("files", number, "file")), message)
    if entry.lines == "known" and any(table_of(file, entry) for file in entry.files):
        message = "`lines: known` needs FIDs, but there are tables of integrals"
        yield Fault(document.position(("lines",)), message)


def _series_faults(series: SeriesFormat, document: Document, path: Keys) -> Iterator[Fault]:
    assert series.integrals is not None  # asked for only where it is a table
    yield from _key_faults(series, document, path, series.integrals)
    if series.measures not in _FOLLOWED:
        message = f"integrals do not tell {series.measures}; they tell {', '.join(_FOLLOWED)}"
        yield Fault(document.position((*path, "measures")), message)
    if "record" in series.model_fields_set:
        message = "`record` says nothing of a series of integrals; leave it out"
        yield Fault(document.key_position((*path, "record")), message)
    inner: Keys = (*path, "integrals")
    if len(series.integrals.columns) != 1:
        message = "must name the one column of the line that is followed"
        yield Fault(document.position((*inner, "columns")), message)
    if series.integrals.imaginary is not None:
        message = "`imaginary` says nothing of a series of integrals; leave it out"
        yield Fault(document.key_position((*inner, "imaginary")), message)
    if series.times is None:
        message = "missing key `times`: a table of integrals does not tell the times of its rows"
        yield Fault(document.position(path), message)
