"""Delays as expressions of constants that the user of the spectrometer can change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from nmrqb.sample import Sample
from nmrqb.sequence import Call, Delay, Event, Repeat, Sequence, Timeline
from nmrqb.units import Number, UnitError, calculate

_FIRST_CNST = 2
_DIGITS = 13  # of a time in s
_DEPTH = 8  # of parameters in terms of others
_MOST_DELAYS = 1_000  # that are looked at
_PIECE = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s*(?P<unit>s|ms|us|ns|Hz|kHz|MHz)\b)?"
    r"|abs\(\s*(?P<size>J(?:\(\s*\w+\s*,\s*\w+\s*\))?)\s*\)"
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

    def number(self, name: str, value: float, meaning: str) -> str:
        """Return ``cnst…`` of a value, a new one where it is not known."""
        for number, (known, what) in self.values.items():
            if what == meaning and known == value:
                return f"cnst{number}"
        number = _FIRST_CNST + len(self.values)
        self.values[number] = (value, meaning)
        return f"cnst{number}"


@dataclass(frozen=True, eq=False)
class _Names:
    """What the expressions of a file, or of what it plays in place, may say.

    Attributes
    ----------
    sequence, sample
        The file that they stand in, and the spins.
    texts
        Parameter to its expression in terms of these names.
    roles
        Role to the tensor positions of its spins.
    values
        Parameters whose values in SI units are known.
    given
        Parameters that a call sets: the expression, and the names that it is written in.
    file
        In a block, the names of its file, which other blocks begin from.
    """

    sequence: Sequence
    sample: Sample
    texts: Mapping[str, str]
    roles: Mapping[str, tuple[int, ...]]
    values: Mapping[str, Number] = field(default_factory=dict)
    given: Mapping[str, tuple[str, _Names]] = field(default_factory=dict)
    file: _Names | None = None

    def inside(self, call: Call) -> _Names | None:
        """Return the names inside a block or an included sequence; None where there is none."""
        given = {name: (text, self) for name, text in call.parameters.items()}
        other = call.sequence
        if other is not None:
            return _Names(
                other, self.sample, other.parameters, self._renamed(call, other), {}, given
            )
        block = self.sequence.blocks.get(call.name)
        if block is None:
            return None
        file, own = self.file or self, block.parameters
        return replace(
            file,
            texts={**file.texts, **own},
            roles=self._renamed(call, self.sequence),
            values={name: value for name, value in file.values.items() if name not in own},
            given={**{n: g for n, g in file.given.items() if n not in own}, **given},
            file=file,
        )

    def _renamed(self, call: Call, inner: Sequence) -> dict[str, tuple[int, ...]]:
        outer = {role: call.roles.get(role, role) for role in inner.roles}
        return {role: self.roles[name] for role, name in outer.items() if name in self.roles}


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
    Numbers with units, parameters, ``J``, ``abs(J)``, + − * / and parentheses can be said, in
    blocks and included sequences too; other expressions are left out, and appear as numbers.
    """
    names = _Names(sequence, sample, sequence.parameters, timeline.roles, timeline.parameters)
    said: set[str] = set()
    for text, where in islice(_delays(sequence.events, names), _MOST_DELAYS):
        known = Constants(dict(constants.values))
        translated = _translated(text, where, known)
        if translated is None or translated in said:
            continue
        value = _value(translated, known)
        if value is not None and value > 0:
            said.add(translated)
            constants.values.update(known.values)
            yield value, translated if "cnst" in translated else _plain(round(value, _DIGITS))


def _delays(events: Iterable[Event], names: _Names) -> Iterator[tuple[str, _Names]]:
    """Yield the expressions of all delays, and the names that they are written in."""
    for event in events:
        if isinstance(event, Delay):
            yield event.time, names
        elif isinstance(event, Repeat):
            yield from _delays(event.events, names)
        elif isinstance(event, Call) and (inside := names.inside(event)) is not None:
            block = inside.sequence.blocks.get(event.name)
            played = event.sequence.events if event.sequence else block.events if block else ()
            yield from _delays(played, inside)


def _translated(text: str, names: _Names, constants: Constants, depth: int = 0) -> str | None:
    """Return an expression of a file in those of a program, or None where it has no words."""
    parts, at = [], 0
    while at < len(text.rstrip()):
        piece = _PIECE.match(text, at)
        if piece is None or depth > _DEPTH:
            return None
        at = piece.end()
        part = _part(piece, names, constants, depth)
        if part is None:
            return None
        parts.append(part)
    return "".join(parts) or None


def _part(piece: re.Match[str], names: _Names, constants: Constants, depth: int) -> str | None:
    if piece["number"]:
        return _plain(float(piece["number"])) + _FACTORS[piece["unit"]]
    if piece["sign"]:
        return piece["sign"]
    if piece["size"]:
        return _coupling(piece["size"], names, constants, signed=False)
    if piece["call"] or piece["name"] == "J":
        return _coupling(piece["call"] or "J", names, constants)
    return _parameter(piece["name"], names, constants, depth)


def _parameter(name: str, names: _Names, constants: Constants, depth: int) -> str | None:
    """Return a parameter as what its expression says of couplings, else as a constant."""
    if name in names.given:
        text, where = names.given[name]
    elif name in names.texts:
        text, where = names.texts[name], names
    else:
        return None
    inner = _translated(text, where, constants, depth + 1)
    if inner is not None and "cnst" in inner:
        return inner if re.fullmatch(r"cnst\d+", inner) else f"({inner})"
    known = None if name in names.given else names.values.get(name)
    value = _value(inner, constants) if known is None and inner is not None else known
    if value is None or np.ndim(value):
        return None
    owner = "the sequence" if names.values else names.sequence.name
    return constants.number(name, float(value), f"parameter {name} of {owner}, SI units")


def _coupling(name: str, names: _Names, constants: Constants, *, signed: bool = True) -> str | None:
    roles = re.findall(r"\w+", name)[1:] or [r for r, s in names.roles.items() if len(s) == 1]
    if len(roles) != 2 or any(len(names.roles.get(role, ())) != 1 for role in roles):
        return None
    positions = sorted(names.roles[role][0] for role in roles)
    first, second = (names.sample.labels[k] for k in positions)
    value = names.sample.coupling(first, second).J_hz
    told = f"J({first},{second}) in Hz"
    if signed or value >= 0:
        return constants.number("J", value, told)
    return constants.number("J", -value, f"size of {told}")


def _value(expression: str, constants: Constants) -> float | None:
    return evaluate(expression, {f"cnst{k}": v for k, (v, _) in constants.values.items()})


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
