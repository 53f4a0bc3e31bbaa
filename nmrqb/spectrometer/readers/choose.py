"""Which reader reads what: by name, or by what a file or folder looks like."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, nearest
from nmrqb.spectrometer.readers import (
    bruker,
    guards,
    jeol,
    native,
    nmrpipe,
    plain,
    spinsolve,
    varian,
)
from nmrqb.spectrometer.readers.model import Recording

ReaderName: TypeAlias = Literal["nmrqb", "bruker", "varian", "jeol", "nmrpipe", "spinsolve", "csv"]

READERS: Mapping[ReaderName, Callable[[Path], Recording]] = {
    "nmrqb": native.read,
    "bruker": bruker.read,
    "varian": varian.read,
    "jeol": jeol.read,
    "nmrpipe": nmrpipe.read,
    "spinsolve": spinsolve.read,
    "csv": plain.read,
}
_TEXT = frozenset({".csv", ".txt", ".dat", ".tsv", ".asc"})


@checked
def read_recording(path: str | Path, reader: str | None = None) -> Recording:
    """Read FIDs or spectra from a file or folder of a spectrometer.

    Parameters
    ----------
    path
        A folder (Bruker, Varian, Spinsolve) or a file.
    reader
        One of `READERS`; by default it is told by the files in a folder, and by the first bytes
        or the ending of a file.

    Raises
    ------
    ArgumentError
        If there is no such reader.
    InputError
        If the file is missing, empty, truncated, too large, byte-swapped, or of no known kind.
    """
    where = Path(path)
    if reader is not None and reader not in READERS:
        raise ArgumentError(
            f"Argument `reader` must be a reader, but is {reader!r}; {nearest(reader, READERS)}"
        )
    try:
        there = where.exists()
    except (OSError, ValueError):
        there = False
    if not there:
        raise guards.refused(where, "there is no such file or folder")
    name = reader if reader is not None else reader_of(where)
    found = next(read for key, read in READERS.items() if key == name)
    with guards.Reading(where, f"data of the reader {name}"):
        return found(where)


def reader_of(path: Path) -> ReaderName:
    """Return the reader of a file or folder.

    Raises
    ------
    InputError
        If none fits.
    """
    with guards.Reading(path, "data of any reader"):
        name = _of_folder(path) if path.is_dir() else _of_file(path)
    if name is None:
        what = "folder" if path.is_dir() else "file"
        raise guards.refused(
            path, f"this {what} looks like nothing that nmrqb reads; Valid: {', '.join(READERS)}"
        )
    return name


def _of_folder(folder: Path) -> ReaderName | None:
    marks: Mapping[ReaderName, tuple[str, ...]] = {
        "bruker": ("acqus",),
        "varian": ("procpar",),
        "spinsolve": (spinsolve.PARAMETERS,),
    }
    found = (n for n, files in marks.items() if guards.first_that_is_there(folder, files))
    return next(found, None)


def _of_file(path: Path) -> ReaderName | None:
    guards.size_of(path, guards.MAX_DATA_BYTES, "file")
    head = guards.bytes_of(path, guards.MAX_DATA_BYTES, "file", 8)
    if head in jeol.MAGIC:
        return "jeol"
    if path.suffix == ".1d":
        return "spinsolve"
    if zipfile.is_zipfile(path) or path.suffix == ".npz":
        return "nmrqb"
    if nmrpipe.is_nmrpipe(path):
        return "nmrpipe"
    if path.name in {*bruker.FILES, "fid"}:
        return _of_folder(path.parent)
    return "csv" if path.suffix.casefold() in _TEXT else None
