"""What stands between a file of unknown content and a reader: sizes first, one message after."""

from __future__ import annotations

import hashlib
import importlib
import lzma
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError, Fault, InputError, Position

MAX_DATA_BYTES = 512_000_000
MAX_HEADER_BYTES = 2_000_000
MAX_LIST_BYTES = 200_000
_STUMBLES = (
    ArgumentError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # NotImplementedError and RecursionError among them
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
_SWAPPED = 1e3  # how much larger integers look in the wrong byte order
_WILD = 4.0  # over how many times more decades floats spread in it


def refused(path: Path, message: str, line: int = 1, column: int = 1) -> InputError:
    """Return the error of a file that cannot be read."""
    return InputError([Fault(Position(str(path), line, column), message)])


def is_file(path: Path) -> bool:
    """Tell whether a path is an ordinary file; what the system refuses is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def size_of(path: Path, limit: int, what: str) -> int:
    """Return the size of an ordinary file that is neither empty nor too large.

    Raises
    ------
    InputError
        If there is no such file, or it is empty or larger than the limit in bytes.
    """
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refused(path, f"the {what} cannot be read: {reason}") from None
    if not path.is_file():
        raise refused(path, f"the {what} must be a file, but is a folder or a device")
    if not size:
        raise refused(path, f"the {what} is empty")
    if size > limit:
        raise refused(
            path, f"the {what} holds {size / 1e6:.4g} MB, more than the {limit / 1e6:g} MB allowed"
        )
    return size


def bytes_of(path: Path, limit: int, what: str, count: int | None = None) -> bytes:
    """Return all bytes of a file, or the first ones, after a look at its size.

    Raises
    ------
    InputError
        As `size_of`, or if reading fails.
    """
    size = size_of(path, limit, what)
    try:
        with path.open("rb") as stream:
            return stream.read(size if count is None else min(size, count))
    except OSError as error:
        raise refused(path, f"the {what} cannot be read: {error.strerror or error}") from None


def text_of(path: Path, limit: int, what: str) -> str:
    """Return the text of a file in UTF-8, or in Latin-1 as old programs wrote it.

    Raises
    ------
    InputError
        As `bytes_of`, or if it is no text.
    """
    data = bytes_of(path, limit, what)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise refused(path, f"the {what} must be text, but holds a zero byte", line)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def hash_of(*paths: Path) -> str:
    """Return the SHA-256 of the bytes of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


class Reading:
    """Turns whatever a foreign reader raises or warns of into one message.

    Parameters
    ----------
    path
        The file.
    what
        What it is read as.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self.stack = ExitStack()

    def __enter__(self) -> None:
        self.stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        self.stack.enter_context(np.errstate(all="ignore"))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stack.close()
        if isinstance(error, _STUMBLES) and not isinstance(error, InputError):
            kind_said = "" if isinstance(error, ArgumentError) else f"{type(error).__name__}: "
            reason = f"{kind_said}{error}"[:200]
            message = f"this cannot be read as {self.what} ({reason})"
            raise refused(self.path, message) from None


def check_order(path: Path, sample: NDArray[np.generic]) -> None:
    """Refuse numbers that make sense in the other byte order only.

    Parameters
    ----------
    path
        The file.
    sample
        Some of its numbers as the header says they are.

    Raises
    ------
    InputError
        If they are byte-swapped.
    """
    measure, factor = (_magnitude, _SWAPPED) if sample.dtype.kind == "i" else (_decades, _WILD)
    declared, swapped = (measure(x) for x in (sample, sample.byteswap()))
    if declared > factor * swapped:
        raise refused(
            path,
            "the numbers make sense in the other byte order only: the file is byte-swapped, or its "
            "header belongs to another",
        )


def _magnitude(numbers: NDArray[np.generic]) -> float:
    """Return the mean size of integers: in the wrong order they fill their range."""
    return float(np.mean(np.abs(numbers.astype(float)))) or math.ulp(0.0)


def _decades(numbers: NDArray[np.generic]) -> float:
    """Return over how many decades floats spread: in the wrong order, over all there are."""
    with np.errstate(all="ignore"):
        sizes = np.log10(np.abs(numbers.astype(float)))
    known = sizes[np.isfinite(sizes)]
    if 2 * known.size < sizes.size and np.any(numbers):
        return math.inf
    return float(np.std(known)) + 1.0 if known.size else 1.0


def number(path: Path, name: str, value: object, low: float, high: float) -> float:
    """Return a parameter that is a number in a range, both ends allowed.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        found = float(str(value))
    except ValueError:
        found = math.nan
    if not low <= found <= high:
        shown = "missing" if value is None else repr(value)[:60]
        raise refused(path, f"`{name}` must be a number from {low:g} to {high:g}, but is {shown}")
    return found


def whole(path: Path, name: str, value: object, low: int, high: int) -> int:
    """Return a parameter that is a whole number in a range.

    Raises
    ------
    InputError
        If it is none.
    """
    found = number(path, name, value, low, high)
    if found != int(found):
        raise refused(path, f"`{name}` must be a whole number, but is {found}")
    return int(found)


def vendor(name: str) -> Any:  # noqa: ANN401 - a module without types
    """Return a module of nmrglue's readers, which takes a second to load: only where used."""
    return importlib.import_module(f"nmrglue.fileio.{name}")


def data_of(path: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Return a folder and the data file in it, of a folder or of that file.

    Raises
    ------
    InputError
        If the folder holds none of the files.
    """
    if path.is_file():
        return path.parent, path
    data = first_that_is_there(path, names)
    if data is None:
        raise refused(path, f"this folder holds none of {', '.join(names)}")
    return path, data


def first_that_is_there(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of some files that a folder has, or None."""
    return next((folder / name for name in names if is_file(folder / name)), None)
