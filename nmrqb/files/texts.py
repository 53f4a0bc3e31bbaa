"""Text files of bounded size: what cannot be read is told in one line, with its place."""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable
from pathlib import Path

from nmrqb.errors import InputError, Position

MAX_BYTES = 5_000_000

_LINE_END = re.compile(r"\r\n|\r|\n")


def read_bytes(
    source: str | Path | Traversable,
    what: str = "a YAML file",
    *,
    name: str | None = None,
    limit: int = MAX_BYTES,
) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    source
        The file.
    what
        What it should be, for messages.
    name
        Its name in messages; as given in ``source`` unless said otherwise.
    limit
        How many bytes it may hold.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or is too large.
    """
    name = str(source) if name is None else name
    opened = Path(source) if isinstance(source, str) else source
    try:
        with opened.open("rb") as stream:
            data = stream.read(limit + 1)  # a device or a pipe has no size to ask for
    except FileNotFoundError:
        message = f"there is no file `{name}`"
    except IsADirectoryError:
        message = f"`{name}` is a folder, but {what} is needed"
    except (OSError, ValueError) as error:
        message = f"`{name}` cannot be read: {getattr(error, 'strerror', None) or error}"
    else:
        if len(data) <= limit:
            return data
        message = f"`{name}` is larger than {limit / 1e6:g} MB, too large for {what}"
    raise InputError.at(Position(name), message)


def decoded(data: bytes, name: str) -> str:
    """Return the text that bytes are in UTF-8, with or without a mark of the byte order.

    Raises
    ------
    InputError
        If they are not UTF-8, at line and column of the first byte that is not.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sound = error.object[: error.start]  # without the mark, which is no column
        before = _LINE_END.split(sound.decode("utf-8"))
        at = Position(name, len(before), len(before[-1]) + 1)
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise InputError.at(at, message) from None


def read_text(path: str | Path, what: str, *, limit: int = MAX_BYTES) -> str:
    """Return the text of a file, see `read_bytes` and `decoded`.

    Raises
    ------
    InputError
        If it cannot be read, is too large, or is not UTF-8.
    """
    return decoded(read_bytes(path, what, limit=limit), str(path))
