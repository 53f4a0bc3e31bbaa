"""Delays as expressions of constants that the user of the spectrometer can change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from nmrqb.sample import Sample
from nmrqb.sequence import Call, Delay, Event, Repeat, Sequence, Timeline
from nmrqb.units import UnitError, calculate

_FIRST_CNST = 2
_DEEPEST = 8  # parameters of parameters
_SAME = 1e-12
_PIECE = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s*(?P<unit>s|ms|us|ns|Hz|kHz|MHz)\b)?"
    r"|(?P<call>J\(\s*\w+\s*,\s*\w+\s*\))|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/()]))"
)
_FACTORS = {
    None: "", "s": "", "ms": "*0.001", "us": "*0.000001", "ns": "*0.000000001",
    "Hz": "", "kHz": "*1000", "MHz": "*1000000",
}  # fmt: skip


@dataclass
class Constants:
    """The constants of a program and the delays that they make.

    Attributes
    ----------
    values
        Number of ``cnst`` to its value and what it is.
    """

    values: dict[int, tuple[float, str]] = field(default_factory=dict)

    @property
    def by_name(self) -> dict[str, float]:
        """Name of every constant, ``cnst2``, to its value."""
        return {f"cnst{number}": value for number, (value, _) in self.values.items()}

    def number(self, name: str, value: float, meaning: str) -> str:
        """Return ``cnst…`` of a value, a new one where it is not known."""
        for number, (known, what) in self.values.items():
            if what == meaning and known == value:
                return f"cnst{number}"
        number = _FIRST_CNST + len(self.values)
        self.values[number] = (value, meaning)
        return f"cnst{number}"


def delay_expressions(
    sequence: Sequence, timeline: Timeline, sample: Sample, constants: Constants
) -> Iterator[tuple[float, str]]:
    """Yield the delays of a file that constants can express: their value in s, and the expression.

    Parameters
    ----------
    sequence, timeline, sample
        The file; the timeline with the values of its parameters; the sample.
    constants
        Gets a constant for every coupling and every parameter that is used.

    Notes
    -----
    Numbers with units, parameters, ``J``, + − * / and parentheses can be said; other expressions
    are left out, and appear as numbers in the program.
    """
    file = _Names(
        sequence,
        dict(sequence.parameters),
        {name: value for name, value in timeline.parameters.items() if not np.ndim(value)},
        timeline.roles,
    )
    said = set[str]()
    for text, names in _delays(sequence.events, file):
        known = Constants(dict(constants.values))
        translated = _translated(text, names, sample, known)
        if translated is None or translated in said:
            continue
        value = evaluate(translated, known.by_name)
        if value is not None and value > 0:
            said.add(translated)
            constants.values.update(known.values)
            yield value, translated


@dataclass(frozen=True)
class _Names:
    """What the names of a sequence, or of a block in it, mean where it is played.

    Attributes
    ----------
    sequence
        The file.
    texts, values
        Parameter to its expression, and to its value where that is known.
    roles
        Role to the tensor positions of its spins.
    given, outer
        Parameter to the expression of the caller, and the names out there.
    owner
        Whose parameters these are, for the list of constants.
    """

    sequence: Sequence
    texts: Mapping[str, str]
    values: Mapping[str, float]
    roles: Mapping[str, tuple[int, ...]]
    given: Mapping[str, str] = field(default_factory=dict)
    outer: _Names | None = None
    owner: str = "the sequence"

    def inside(self, call: Call) -> _Names:
        """Return the names of what a call plays."""
        within = call.sequence or self.sequence
        roles = {role: self.roles.get(call.roles.get(role, role), ()) for role in within.roles}
        given = call.parameters
        if call.sequence is not None:
            return _Names(within, dict(within.parameters), {}, roles, given, self, within.name)
        own = within.blocks[call.name].parameters
        texts = {**within.parameters, **own}
        values = {name: value for name, value in self.values.items() if name not in own}
        return _Names(within, texts, values, roles, given, self, self.owner)

    def meaning(self, name: str) -> tuple[str, _Names] | None:
        """Return the expression of a parameter and the names in it, or None."""
        if name in self.given and self.outer is not None:
            return self.given[name], self.outer
        return (self.texts[name], self) if name in self.texts else None


def _delays(events: Iterable[Event], names: _Names) -> Iterator[tuple[str, _Names]]:
    """Yield the expressions of all delays, those of includes and blocks too, with their names."""
    for event in events:
        if isinstance(event, Delay):
            yield event.time, names
        elif isinstance(event, Repeat):
            yield from _delays(event.events, names)
        elif isinstance(event, Call):
            inside = names.inside(event)
            block = names.sequence.blocks.get(event.name)
            played = event.sequence if event.sequence is not None else block
            yield from _delays(played.events if played else (), inside)


def _translated(
    text: str, names: _Names, sample: Sample, constants: Constants, depth: int = 0
) -> str | None:
    """Return an expression of a file in those of a program, or None where it has no words."""
    parts, at = [], 0
    while at < len(text.rstrip()):
        piece = _PIECE.match(text, at)
        if piece is None or depth > _DEEPEST:
            return None
        at = piece.end()
        part = _part(piece, names, sample, constants, depth)
        if part is None:
            return None
        parts.append(part)
    return "".join(parts) or None


def _part(
    piece: re.Match[str], names: _Names, sample: Sample, constants: Constants, depth: int
) -> str | None:
    if piece["number"]:
        return _plain(float(piece["number"])) + _FACTORS[piece["unit"]]
    if piece["sign"]:
        return piece["sign"]
    name = piece["call"] or piece["name"]
    if name == "J" or piece["call"]:
        return _coupling(name, names.roles, sample, constants)
    meaning = names.meaning(name)
    if meaning is None:
        return None
    inner = _translated(*meaning, sample, constants, depth + 1)
    if inner is not None and "cnst" in inner:
        return f"({inner})"
    value = names.values.get(name) if name not in names.given else None
    if value is None and inner is not None:
        value = evaluate(inner, constants.by_name)
    what = f"parameter {name} of {names.owner}, SI units"
    return None if value is None else constants.number(name, float(value), what)


def _coupling(
    name: str, bound: Mapping[str, tuple[int, ...]], sample: Sample, constants: Constants
) -> str | None:
    roles = re.findall(r"\w+", name)[1:] or [r for r, s in bound.items() if len(s) == 1]
    if len(roles) != 2 or any(len(bound.get(role, ())) != 1 for role in roles):
        return None
    first, second = (sample.labels[k] for k in sorted(bound[role][0] for role in roles))
    value = sample.coupling(first, second).J_hz
    return constants.number("J", value, f"J({first},{second}) in Hz")


def _plain(value: float) -> str:
    """Return a number without exponent, in full precision."""
    return np.format_float_positional(value, trim="-")


def evaluate(expression: str, names: Mapping[str, float]) -> float | None:
    """Return the value of a translated expression; None where it divides by zero or is broken."""
    text = re.sub(r"cnst\d+", lambda m: repr(names[m[0]]), expression)
    try:
        value = calculate(text, {})
    except UnitError:
        return None
    return float(value.number)


def same(first: float, second: float) -> bool:
    """Return whether two times are one but for rounding."""
    return abs(first - second) <= _SAME * max(abs(first), abs(second))
