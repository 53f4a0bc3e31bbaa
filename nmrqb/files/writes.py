"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from nmrqb.errors import OutputError


def write_text_atomically(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file so that at every instant the old or the new one is there, whole.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind then.
    """
    try:
        _replace(Path(os.path.realpath(path)), text)  # a link keeps pointing at what it points at
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"`{path}` cannot be written: {reason}") from error


def _replace(target: Path, text: str) -> None:
    _refuse_target(target)
    aside = target.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with aside.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(target)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _refuse_target(target: Path) -> None:
    # replacing would quietly turn a device or a write-protected file into an ordinary one
    if target.is_dir():
        raise IsADirectoryError(f"`{target.name}` is a folder")
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        raise PermissionError(f"`{target.name}` is write-protected or not an ordinary file")
