"""What stands under a diagram: letters for long expressions, parameters, the phase cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from nmrqb.plotting.lettering import text_width
from nmrqb.plotting.notation import expression, math, names, phase, symbol
from nmrqb.plotting.sequences import GRADIENT, Column, Look

Note = tuple[str, ...]
"""Pieces of one paragraph; a line may break between two of them."""

_LETTERS = "abcdefghmpquvw"
_LOOKS: dict[Look, str] = {
    "filled": "black 90°", "open": "white 180°", "grey": "grey any other angle",
}  # fmt: skip
_SCANS = 64  # of a phase cycle that are told


@dataclass
class Legend:
    """Letters that stand for long expressions, and the names that a diagram uses.

    Attributes
    ----------
    taken
        Symbols that mean something else.
    letters
        Long expression, as mathematics, to its letter.
    used
        Names in the expressions that are shown.
    """

    taken: set[str]
    letters: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def short(self, markup: str, text: str, limit: float) -> str:
        """Return mathematics with dollars: the expression, or its letter if it is too wide.

        Parameters
        ----------
        markup, text
            The expression as mathematics, and as written.
        limit
            Largest width in pt.
        """
        self.used |= names(text)
        if markup not in self.letters and text_width(math(markup)) <= limit:
            return math(markup)
        if markup not in self.letters:
            self.letters[markup] = self._fresh()
        return math(self.letters[markup])

    def _fresh(self) -> str:
        candidates = (letter + mark for mark in _marks() for letter in _LETTERS)
        letter = next(letter for letter in candidates if letter not in self.taken)
        self.taken.add(letter)
        return letter

    def notes(self, parameters: Mapping[str, str], changed: Iterable[str]) -> list[Note]:
        """Return what the letters mean, and the parameters of which the diagram is made.

        Parameters
        ----------
        parameters
            Name to expression.
        changed
            Names that are told in any case.
        """
        shown = _needed({*self.used, *changed}, parameters)
        given = [(symbol(n), expression(parameters[n])) for n in parameters if n in shown]
        letters = [(letter, markup) for markup, letter in self.letters.items()]
        return [note for pairs in (letters, given) if (note := _equations(pairs))]


def _marks() -> Iterator[str]:
    yield ""
    yield from (f"_{{{number}}}" for number in count(1))


def _needed(used: set[str], parameters: Mapping[str, str]) -> set[str]:
    """Return the parameters that are used, and those of which they are made."""
    found: set[str] = set()
    pending = sorted(used & set(parameters))
    while pending:
        name = pending.pop()
        found.add(name)
        pending += sorted((names(parameters[name]) & set(parameters)) - found - set(pending))
    return found


def _equations(pairs: list[tuple[str, str]]) -> Note:
    texts = [math(f"{left} = {right}") for left, right in pairs]
    return tuple(f"{text}{',' if k < len(texts) else ''}" for k, text in enumerate(texts, 1))


def looks_note(columns: Iterable[Column]) -> Note:
    """Return what the colours of pulses mean, nothing where none is black or white."""
    pulses = {
        mark.look for column in columns for row, mark in column.marks.items()
        if row != GRADIENT and mark.kind == "pulse" and not mark.text
    }  # fmt: skip
    if not pulses & {"filled", "open"}:
        return ()
    told = [text for look, text in _LOOKS.items() if look in pulses]
    return ("Pulses:", *(f"{text}," for text in told[:-1]), f"{told[-1]}.")


def cycle_note(cycles: Mapping[str, tuple[str, ...]]) -> Note:
    """Return the table of a phase cycle.

    Parameters
    ----------
    cycles
        Symbol to the phases of successive scans, as written.
    """
    pieces: list[str] = []
    for markup, listed in cycles.items():
        first, *rest = [phase(text, {}, degrees=False) for text in listed[:_SCANS]]
        texts = [math(text) for text in (f"{markup} = {first}", *rest)]
        texts += [f"… ({len(listed)} in all)"] if len(listed) > _SCANS else []
        pieces += [*(f"{text}," for text in texts[:-1]), f"{texts[-1]};"]
    return (*pieces[:-1], pieces[-1][:-1]) if pieces else ()
