"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nmrqb.errors import OutputError


def write_text_atomically(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file so that at every instant the old or the new one is there, whole.

    Folders above it that are missing are made.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind then.
    """
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that at every instant the old or the new one is there, whole.

    Folders above it that are missing are made.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind then.
    """
    try:
        target = Path(os.path.realpath(path))  # a link keeps pointing at what it points at
        with _folders_above(target):
            _replace(target, content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"`{path}` cannot be written: {reason}", path) from error


@contextlib.contextmanager
def _folders_above(target: Path) -> Iterator[None]:
    """Make the folders above a target that are missing; they go again where the block fails."""
    missing = [folder for folder in target.parents if not folder.exists()]  # innermost first
    try:
        for folder in reversed(missing):
            folder.mkdir()
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError, ValueError):  # it may hold what others put there
                folder.rmdir()
        raise


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


_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def _entries(folder: Path) -> list[str]:
    """Return what a folder holds, but for what systems leave in folders by themselves."""
    names = sorted(entry.name for entry in folder.iterdir())
    return [name for name in names if name not in _LITTER and not name.startswith("._")]


@dataclass(frozen=True)
class FolderKind:
    """How a folder of ours is known, so that nothing else is ever replaced.

    Attributes
    ----------
    marker
        File that every such folder holds.
    opening
        Text that stands in the first line or two of the marker.
    names
        All files that we write into it.
    """

    marker: str
    opening: str
    names: frozenset[str]

    def owns(self, folder: Path) -> bool:
        """Tell whether a folder holds the marker, written by us."""
        try:
            with (folder / self.marker).open(encoding="utf-8") as stream:
                return self.opening in stream.read(200)
        except (OSError, UnicodeDecodeError):
            return False

    def foreign(self, folder: Path) -> list[str]:
        """Return the entries of a folder that we do not write, nor systems by themselves."""
        return [name for name in _entries(folder) if name not in self.names]


def check_folder(path: str | Path, kind: FolderKind) -> None:
    """Refuse a result folder that cannot be made or would overwrite something else.

    Parameters
    ----------
    path
        The folder; it may be absent, empty, or hold nothing but what we wrote.
    kind
        How a folder of ours is known.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds other things.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise OutputError(f"`{path}` is a file; give the name of a folder", path)
    if target.resolve() in {Path.cwd(), *Path.cwd().parents}:
        raise OutputError(
            f"`{path}` is the current folder or holds it; give the name of another", path
        )
    if not target.is_dir() or not _entries(target):
        return
    if not kind.owns(target):
        raise OutputError(
            f"`{path}` is not empty and holds no `{kind.marker}` of nmrqb, so it is not a result "
            "folder of ours; give another name",
            path,
        )
    if foreign := kind.foreign(target):
        raise OutputError(
            f"`{path}` also holds `{foreign[0]}`, which replacing it would delete; move that or "
            "give another name",
            path,
        )


@contextlib.contextmanager
def folder_atomically(path: str | Path, kind: FolderKind) -> Iterator[Path]:
    """Yield a new folder beside ``path`` that takes its place when the block ends well.

    At every instant ``path`` is absent, the old folder, or the new one, whole.

    Raises
    ------
    OutputError
        As `check_folder`, or if it cannot be written; nothing is left behind then.
    """
    check_folder(path, kind)
    target = Path(os.path.realpath(path))
    try:
        with _folders_above(target), _replacing(target) as aside:
            yield aside
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"`{path}` cannot be written: {reason}", path) from error


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    aside, old = (target.with_name(f".{target.name}.{secrets.token_hex(6)}") for _ in range(2))
    try:
        aside.mkdir()
        yield aside
        if target.exists():
            target.replace(old)
        aside.replace(target)
    finally:
        if old.exists() and not target.exists():
            old.replace(target)
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
