"""What an experiment file refers to: where files are looked for, and where their faults stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nmrqb.errors import Fault, InputError, Position
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
