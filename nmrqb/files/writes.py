"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from nmrqb.errors import OutputError


def write_text_atomically(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file so that at every instant the old or the new one is there, whole.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind then.
    """
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that at every instant the old or the new one is there, whole.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind then.
    """
    try:
        _replace(
            Path(os.path.realpath(path)), content
        )  # a link keeps pointing at what it points at
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"`{path}` cannot be written: {reason}") from error


def _replace(target: Path, content: bytes) -> None:
    _refuse_target(target)
    aside = target.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with aside.open("xb") as stream:
            stream.write(content)
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


def check_folder(path: str | Path, marker: str) -> None:
    """Refuse a result folder that cannot be made or would overwrite something else.

    Parameters
    ----------
    path
        The folder; it may be absent, empty, or hold a file called ``marker``.
    marker
        Name of the file by which a folder of ours is known.

    Raises
    ------
    OutputError
        If it is a file, or a folder that holds other things.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise OutputError(f"`{path}` is a file; give the name of a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / marker).is_file():
        raise OutputError(
            f"`{path}` is not empty and holds no `{marker}`, so it is not a result folder of ours; "
            "give another name"
        )


@contextlib.contextmanager
def folder_atomically(path: str | Path, marker: str) -> Iterator[Path]:
    """Yield a new folder beside ``path`` that takes its place when the block ends well.

    At every instant ``path`` is absent, the old folder, or the new one, whole.

    Raises
    ------
    OutputError
        As `check_folder`, or if it cannot be written; nothing is left behind then.
    """
    check_folder(path, marker)
    target = Path(os.path.realpath(path))
    aside, old = (target.with_name(f".{target.name}.{secrets.token_hex(6)}") for _ in range(2))
    try:
        aside.mkdir(parents=True)
        yield aside
        if target.exists():
            target.replace(old)
        aside.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"`{path}` cannot be written: {reason}") from error
    finally:
        if old.exists() and not target.exists():
            old.replace(target)
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
