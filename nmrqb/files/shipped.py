"""The samples, sequences, experiments and data files that are shipped with nmrqb."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from nmrqb.errors import InputError, Position, nearest
from nmrqb.files.documents import Document, read_document

Kind = Literal["sample", "sequence", "experiment", "data"]


def find(kind: Kind, argument: str | Path) -> Path | Traversable:
    """Return the file that an argument means: a path, or a shipped name of that kind.

    Parameters
    ----------
    kind
        ``sample``, ``sequence``, ``experiment`` or ``data``.
    argument
        A file if it ends in .yaml or .yml or holds a path separator, else a shipped name, which
        no local file can shadow.

    Raises
    ------
    InputError
        If no shipped file of that kind has that name.
    """
    if is_file_argument(argument):
        return Path(argument)
    shipped = library(kind)
    name = str(argument)
    if name not in shipped:
        message = f"there is no {kind} `{name}` in the library{_local_hint(name)}"
        raise InputError.at(Position(name), f"{message}; {nearest(name, shipped)}")
    return shipped[name]


def is_file_argument(argument: str | Path) -> bool:
    """Tell whether an argument means a file rather than a shipped name."""
    if isinstance(argument, Path):
        return True
    separators = {"/", os.sep, os.altsep or os.sep}
    return argument.lower().endswith((".yaml", ".yml")) or any(s in argument for s in separators)


def _local_hint(argument: str) -> str:
    with contextlib.suppress(OSError, ValueError):
        if argument and Path(f"{argument}.yaml").is_file():
            return f"; for the file in this folder write {argument}.yaml"
    return ""


def open_document(kind: Kind, argument: str | Path) -> Document:
    """Read the file that ``argument`` means, named in messages as the user wrote it.

    Raises
    ------
    InputError
        If it is neither a shipped name nor a readable YAML file.
    """
    source = find(kind, argument)
    return read_document(source, str(argument if is_file_argument(argument) else source))


def library(kind: Kind) -> dict[str, Path | Traversable]:
    """Return the shipped files of a kind, by name in alphabetical order."""
    named = {name: file for files in groups(kind).values() for name, file in files.items()}
    return dict(sorted(named.items()))


def groups(kind: Kind) -> dict[str, dict[str, Path | Traversable]]:
    """Return the shipped files of a kind by folder and name, both in alphabetical order."""
    found = {folder.name: _yaml_files(folder) for folder in _folders(kind)}
    return dict(sorted(found.items()))


def _yaml_files(folder: Traversable) -> dict[str, Path | Traversable]:
    files = sorted((file.name, file) for file in folder.iterdir())
    return {name.removesuffix(".yaml"): f for name, f in files if name.endswith(".yaml")}


def _folders(kind: Kind) -> list[Traversable]:
    own = {"sample": "samples", "experiment": "experiments", "data": "data"}
    wanted: Callable[[str], bool] = (
        (lambda name: name == own[kind]) if kind in own else (lambda name: name not in own.values())
    )
    root = _library_root()
    folders = [f for f in root.iterdir() if f.is_dir()] if root.is_dir() else []
    return [folder for folder in folders if wanted(folder.name)]


def _library_root() -> Traversable:
    shipped = importlib.resources.files("nmrqb") / "_sequences"
    # a checkout has the library beside the package instead of inside it
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "sequences"
