"""What an experiment file refers to: where files are looked for, and where their faults stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from nmrqb.errors import ArgumentError, Fault, FileArgumentError, InputError, Position
from nmrqb.files import Document, Keys, is_file_argument


def beside(argument: str, document: Document, path: Keys) -> str:
    """Take a file that an experiment names relative to the experiment's own folder.

    One that ``--set`` names is relative to the current folder, as all of the command line is.
    """
    written = document.position(path).file == document.file
    if written and is_file_argument(argument) and not Path(argument).is_absolute():
        return str(Path(document.file).parent / argument)
    return argument


@contextmanager
def collecting(faults: list[Fault], document: Document, path: Keys) -> Iterator[None]:
    """Collect the faults of what a path names; an unknown name is told where it stands."""
    argument = str(document.get(path))
    unknown = {} if is_file_argument(argument) else {Position(argument): document.position(path)}
    try:
        yield
    except InputError as error:
        faults += told_at(error.faults, unknown)


def told_at(faults: Iterable[Fault], places: Mapping[Position, Position]) -> list[Fault]:
    """Return faults with their places exchanged where a mapping says so."""
    return [Fault(places.get(fault.at, fault.at), fault.message) for fault in faults]


_SETTINGS: Mapping[str, Keys] = MappingProxyType(
    {
        "spectral_width": ("measure", "spectral_width"),
        "windows_hz": ("measure", "integration_window"),
        "full_scale": ("noise", "receiver", "full_scale"),
    }
)
"""Argument of what runs an experiment to the key of the file that gives it."""


def places_of_settings(document: Document) -> Mapping[str, Position]:
    """Return where a file gives what may turn out unusable only when it is run, by argument."""
    return MappingProxyType({name: document.position(path) for name, path in _SETTINGS.items()})


@contextmanager
def told_in_file(places: Mapping[str, Position]) -> Iterator[None]:
    """Tell refused arguments where a file gives them; without places, as they are.

    Parameters
    ----------
    places
        As `places_of_settings` returns them.
    """
    try:
        yield
    except ArgumentError as error:
        found = re.match(r"Argument `(\w+)` ", str(error))
        if found is None or found[1] not in places:
            raise
        key = _SETTINGS[found[1]][-1]
        message = f"`{key}` {str(error)[found.end() :]}"
        raise FileArgumentError([Fault(places[found[1]], message)]) from error
