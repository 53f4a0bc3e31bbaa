"""Printing that survives any terminal, and errors that become one line and an exit status."""

from __future__ import annotations

import functools
import os
import re
import signal
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any, NoReturn, ParamSpec, TextIO

import typer

from nmrqb.errors import Fault, InputError, NmrqbError, OutputError, Position, nearest

P = ParamSpec("P")

DONE, TARGET_NOT_MET, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
NOT_AS_RECORDED = 1  # a verdict of `reproduce`
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ο": "omicron", "π": "pi", "ρ": "rho", "ς": "sigma", "σ": "sigma", "τ": "tau", "υ": "upsilon",
    "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_PLAIN = {
    **_GREEK,
    **{letter.upper(): name.title() for letter, name in _GREEK.items()},
    "Σ": "sum ", "µ": "u", "ħ": "hbar", "°": " deg", "½": "1/2", "¼": "1/4", "¾": "3/4",
    "⅓": "1/3", "†": "^+", "‡": "++", "′": "'", "‖": "|", "∥": "||", "⊥": "perp", "±": "+-",
    "∓": "-+", "·": "*", "•": "*", "×": "x", "⊗": "(x)", "⊕": "(+)", "÷": "/", "⁄": "/", "∘": "o",
    "–": "-", "−": "-", "—": "-", "‐": "-", "…": "...", "→": "->", "←": "<-", "↦": "->",
    "↑": "up", "↓": "down", "≥": ">=", "≤": "<=", "≠": "!=", "≈": "~", "∝": "~", "√": "sqrt",
    "∞": "inf", "∫": "int ", "∇": "grad ", "∂": "d", "∈": " in ", "⟨": "<", "⟩": ">",
    "“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "«": '"', "»": '"',
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ı": "i",
}  # fmt: skip


def degrade(text: str, encoding: str | None) -> str:
    """Return text that an encoding can hold: Δ becomes Delta, what has no name becomes '?'.

    Letters lose their accents; 10⁻³ becomes 10^-3, and T₂ becomes T2.
    """
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join(
            f"^{''.join(map(_plain, run))}" if raised else "".join(map(_plain, run))
            for raised, run in groupby(text, _is_raised)
        )
    return text


def _is_raised(character: str) -> bool:
    return unicodedata.decomposition(character).startswith("<super>")


def _plain(character: str) -> str:
    """Return ASCII for a character: its name, else its base letters, else '?'."""
    if character.isascii() or character in _PLAIN:
        return _PLAIN.get(character, character)
    parts = unicodedata.normalize("NFKD", character)
    if parts == character:
        return "" if unicodedata.combining(character) else "?"
    return "".join(map(_plain, parts))


def write(text: str, stream: TextIO | None = None) -> None:
    """Print a line or several to standard output, or to another stream."""
    target = stream or sys.stdout
    print(degrade(text, target.encoding), file=target)


def leave(status: int, message: str = "") -> NoReturn:
    """Leave the program with an exit status, after a message on standard error."""
    if message:
        write(message, sys.stderr)
    raise typer.Exit(status)


def verb(function: Callable[P, None]) -> Callable[P, None]:
    """Turn what a verb raises into one message and an exit status.

    Errors without a position are told at 1:1 of the path that fails, else of the verb's first
    argument.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            with _strict_arithmetic():
                function(*args, **kwargs)
            sys.stdout.flush()
        except InputError as error:
            leave(BAD_INPUT, str(error))
        except KeyboardInterrupt:
            leave(INTERRUPTED, "interrupted; nothing was written")
        except BrokenPipeError:
            _silence()  # the reader has gone
            leave(DONE)
        except Exception as error:
            if (message := _told(error)) is None:
                raise
            leave(BAD_INPUT, str(Fault(_place(error, *args, *kwargs.values()), message)))

    return guarded


@contextmanager
def _strict_arithmetic() -> Iterator[None]:
    """Take numpy's warnings of numbers that have left the range of doubles as errors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", r"(overflow|invalid value|divide by zero) encountered")
        yield


def _place(error: Exception, *given: object) -> Position:
    """Return the path that failed, otherwise what a verb was given first."""
    path = error.path if isinstance(error, OutputError) else getattr(error, "filename", None)
    return Position(str(path or next((value for value in given if value), "nmrqb")))


def _told(error: Exception) -> str | None:
    """Return what to say of bad input and of what cannot be computed, None of other errors."""
    if isinstance(error, OSError):
        _silence()  # it may be standard output itself that takes no more
    if isinstance(error, NmrqbError | OSError):
        return str(error)
    if isinstance(error, MemoryError):
        return "this needs more memory than there is; take fewer spins, points or members"
    beyond = ArithmeticError | RecursionError | RuntimeWarning
    if isinstance(error, beyond) or _is_linear_algebra(error):
        return (
            f"a number of the input is too large or too small to compute with ({error}); look for "
            "one that is far from those of a spectrometer"
        )
    return None


def _is_linear_algebra(error: Exception) -> bool:
    """Whether an error is numpy's, which is not loaded for this."""
    return type(error).__name__ == "LinAlgError"


# the base of what the parser of the command line raises, which it does not export by itself
_UsageError: Any = typer.BadParameter.__mro__[1]


@contextmanager
def misused() -> Iterator[None]:
    """Turn what the parser of the command line refuses into one line and the exit status 2."""
    try:
        yield
    except _UsageError as error:
        if error.format_message().startswith("Usage:"):  # nothing was asked for: this is the help
            write(error.format_message(), sys.stderr)
        else:
            at = Position(error.ctx.command_path if error.ctx else "nmrqb")
            write(str(Fault(at, _usage_message(error))), sys.stderr)
        raise SystemExit(BAD_INPUT) from None


def _usage_message(error: Any) -> str:  # noqa: ANN401 - see _UsageError
    message, context = " ".join(error.format_message().split()).rstrip("."), error.ctx
    message = f"{message[:1].lower()}{message[1:]}".replace("Value error, ", "")
    if context is None:
        return message
    unknown = re.match("no such command '(.*?)'", message)
    if unknown is not None:
        message = f"no such verb: {unknown[1]}; {nearest(unknown[1], context.command.commands)}"
    usage = " ".join(context.get_usage().split()).replace("Usage:", "usage:")
    return f"{message}; {usage}, more by `{context.command_path} --help`"


def _silence() -> None:
    """Keep the interpreter from complaining when it flushes standard output at its end."""
    with suppress(OSError):  # a stream of a test has no descriptor
        stdout = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback (done, total) that moves a bar on a terminal and does nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task: Any = bar.add_task(degrade(title, sys.stderr.encoding), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
