"""Delays as expressions of constants that the user of the spectrometer can change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from nmrqb.sample import Sample
from nmrqb.sequence import Delay, Event, Repeat, Sequence, Timeline
from nmrqb.units import UnitError, calculate

_FIRST_CNST = 2
_SAME = 1e-12
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
    Numbers with units, parameters, ``J``, ``abs(J)``, + − * / and parentheses can be said; other
    expressions are left out, and appear as numbers in the program.
    """
    for text in dict.fromkeys(_delays(sequence.events)):
        known = Constants(dict(constants.values))
        translated = _translated(text, sequence, timeline, sample, known)
        if translated is None:
            continue
        value = evaluate(translated, {f"cnst{k}": v for k, (v, _) in known.values.items()})
        if value is not None and value > 0:
            constants.values.update(known.values)
            yield value, translated


def _delays(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Delay):
            yield event.time
        elif isinstance(event, Repeat):
            yield from _delays(event.events)


def _translated(
    text: str, sequence: Sequence, timeline: Timeline, sample: Sample, constants: Constants,
    depth: int = 0,
) -> str | None:  # fmt: skip
    """Return an expression of a file in those of a program, or None where it has no words."""
    parts, at = [], 0
    while at < len(text.rstrip()):
        piece = _PIECE.match(text, at)
        if piece is None or depth > 8:
            return None
        at = piece.end()
        part = _part(piece, sequence, timeline, sample, constants, depth)
        if part is None:
            return None
        parts.append(part)
    return "".join(parts) or None


def _part(
    piece: re.Match[str],
    sequence: Sequence,
    timeline: Timeline,
    sample: Sample,
    constants: Constants,
    depth: int,
) -> str | None:
    if piece["number"]:
        return _plain(float(piece["number"])) + _FACTORS[piece["unit"]]
    if piece["sign"]:
        return piece["sign"]
    name = piece["size"] or piece["call"] or piece["name"]
    if name.startswith("J"):
        return _coupling(name, timeline, sample, constants, signed=piece["size"] is None)
    value = timeline.parameters.get(name)
    if name not in sequence.parameters or value is None or np.ndim(value):
        return None
    inner = _translated(sequence.parameters[name], sequence, timeline, sample, constants, depth + 1)
    if inner is not None and "cnst" in inner:
        return f"({inner})"
    return constants.number(name, float(value), f"parameter {name} of the sequence, SI units")


def _coupling(
    name: str,
    timeline: Timeline,
    sample: Sample,
    constants: Constants,
    *,
    signed: bool = True,
) -> str | None:
    roles = re.findall(r"\w+", name)[1:] or [r for r, s in timeline.roles.items() if len(s) == 1]
    if len(roles) != 2 or any(len(timeline.roles.get(role, ())) != 1 for role in roles):
        return None
    first, second = (sample.labels[timeline.roles[role][0]] for role in roles)
    value = sample.coupling(first, second).J_hz
    told = f"J({first},{second}) in Hz"
    if signed or value >= 0:
        return constants.number("J", value, told)
    return constants.number("J", -value, f"size of {told}")


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
