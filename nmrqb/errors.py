"""Everything that can go wrong with what a user gives, in one small hierarchy.

Every message says where, what is wrong and what would be right.  A fault in a file prints as
``file:line:column: message``; a fault in a Python argument as ``Argument `x` must …, but …``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class NmrqbError(Exception):
    """Base of every error that nmrqb raises on purpose."""


class ArgumentError(NmrqbError, ValueError):
    """A Python argument has a value that cannot be used."""


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file: its name as the user wrote it, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with an input, and where it stands."""

    at: Position
    message: str

    def __str__(self) -> str:
        return " ".join(f"{self.at}: {self.message}".splitlines())  # one line, whatever it quotes


class InputError(NmrqbError):
    """A file (or a command-line value) holds one or more faults, all told at once.

    Attributes
    ----------
    faults
        The faults in the order of their positions.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))

    @classmethod
    def at(cls, position: Position, message: str) -> InputError:
        """Make an error of a single fault."""
        return cls([Fault(position, message)])


class FileArgumentError(InputError, ArgumentError):
    """A value of a file that turns out unusable when it is used: told where the file says it."""


def refuse(faults: Iterable[Fault]) -> None:
    """Raise an `InputError` that tells all faults, if there are any."""
    error = InputError(faults)
    if error.faults:
        raise error


class OutputError(NmrqbError):
    """A result cannot be written where the user wants it.

    Attributes
    ----------
    path
        Where it was to be written, as the user wrote it; None if that is no place.
    """

    def __init__(self, message: str, path: object = None) -> None:
        self.path = None if path is None else str(path)
        super().__init__(message)


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the sentence that lists the valid names, led by the one nearest to ``name``.

    Examples
    --------
    >>> nearest("dely", ["pulse", "delay"])
    'did you mean `delay`? Valid: delay, pulse'
    """
    names = sorted(set(map(str, valid)))
    guess = did_you_mean(name, names)
    return f"{guess} Valid: {', '.join(names)}".lstrip()


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return the question whether the nearest valid name is meant; nothing where none is near.

    Examples
    --------
    >>> did_you_mean("dely", ["pulse", "delay"])
    'did you mean `delay`?'
    """
    folded = {valid_name.casefold(): valid_name for valid_name in valid}
    close = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    return f"did you mean `{folded[close[0]]}`?" if close else ""
