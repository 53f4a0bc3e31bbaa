"""Expressions and comparisons evaluated: "5 ms", "90 deg", "1/(4*J)" → floats in SI."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from nmrqb.units.reading import COMPARING, read
from nmrqb.units.steps import Literal, Scope, run
from nmrqb.units.values import (
    EXAMPLES,
    EXPONENTS,
    UNITS,
    Dimension,
    Names,
    Number,
    UnitError,
    Value,
    factor,
    is_batch,
    with_article,
)

MAX_LENGTH = 200
MINUS = str.maketrans({"−": "-", "–": "-"})  # as people and word processors write it
EQUAL = 1e-9  # relative difference below which two sides of a comparison are equal


def quantity(text: str, dimension: Dimension) -> float:
    """Return a quantity such as ``5 ms`` as a finite float in SI units.

    Parameters
    ----------
    text
        A number with its unit, or arithmetic with such numbers.
    dimension
        What it must be; ``ratio`` and ``count`` need no unit, every other dimension does.  A
        ``rate`` is written ``0.5 /s`` or ``1/(2 s)``: in Hz it could be cycles, so it is refused.

    Raises
    ------
    UnitError
        If it is anything else.
    """
    if dimension != "rate":
        return float(evaluate(text, dimension, {}))
    number = float(evaluate(text, "rate", _per_unit()))
    literals = (step for step in read(_on_one_line(text)) if isinstance(step, Literal))
    if any(step.value.dimension == "frequency" for step in literals):
        raise UnitError(
            f"`{text}` is in cycles, but must be a rate, for example '{EXAMPLES[dimension]}'"
        )
    return number


@cache
def _per_unit() -> Names:
    """Return the units of time by name, so that ``0.5 /s`` is a number over a time."""
    units = (unit.removeprefix("/") for unit in UNITS["rate"])
    return {unit: Value.of(float(factor("time", unit)), "time") for unit in units}


def evaluate(text: str, dimension: Dimension, names: Names) -> Number:
    """Return an expression such as ``1/(4*J)`` as a finite float in SI units; or an array of them.

    Parameters
    ----------
    text
        Operators + - * / ( ), numbers with units, ``pi``, the `FUNCTIONS`, and what ``names``
        holds.  ``sin cos tan`` take an angle, ``asin acos atan`` return one; ``log`` is natural.
    dimension
        What the result must be.
    names
        Name to value; or to a function of role names, called without any for a bare name.

    Raises
    ------
    UnitError
        If it cannot be read, is not finite, or is of another dimension.
    """
    text = _on_one_line(text)
    value = calculate(text, names, expected=dimension)
    if value.exponents != EXPONENTS[dimension]:
        raise UnitError(_wrong_dimension(text, value, dimension))
    if dimension == "count" and is_batch(value.number):
        raise UnitError(f"`{text}` must be one whole number, not one for each of many values")
    if dimension == "count" and not (value.number >= 0 and value.number.is_integer()):
        raise UnitError(f"`{text}` must be a whole number, 0 or more")
    return value.number


def calculate(text: str, names: Names, *, expected: Dimension | None = None) -> Value:
    """Return an expression with whatever dimension it has; ``expected`` only serves messages.

    Raises
    ------
    UnitError
        If it cannot be read or is not finite.
    """
    text = _on_one_line(text)
    if not text:
        raise UnitError(f"`` is empty; write for example '{EXAMPLES[expected or 'time']}'")
    return run(read(text), Scope(text, names, expected))


def _on_one_line(text: str) -> str:
    text = " ".join(text.translate(MINUS).split())
    if len(text) > MAX_LENGTH:
        shown = f"{text[:30]}…"
        raise UnitError(f"`{shown}` has {len(text)} characters; at most {MAX_LENGTH} are read")
    return text


def _wrong_dimension(text: str, value: Value, dimension: Dimension) -> str:
    if value.exponents == EXPONENTS["ratio"]:
        if named := [unit for unit in UNITS["ratio"] if re.search(f"[0-9. ]{unit}(?!\\w)", text)]:
            wanted = with_article(dimension)
            message = f"`{text}` is in {named[0]}, which is a plain number, but must be {wanted}"
            return f"{message}, for example '{EXAMPLES[dimension]}'"
        return f"`{text}` has no unit; write for example '{_with_unit(text, dimension)}'"
    wanted = with_article(dimension)
    return f"`{text}` is {value.kind}, but must be {wanted}, for example '{EXAMPLES[dimension]}'"


def _with_unit(text: str, dimension: Dimension) -> str:
    """Return a plain number with a unit, or an example if it is more than a number."""
    example = EXAMPLES[dimension]
    return f"{text} {example.split()[-1]}" if re.fullmatch(r"[-+]?[0-9.eE+-]+", text) else example


@dataclass(frozen=True)
class Comparison:
    """Two values of one dimension and what is claimed of them.

    Attributes
    ----------
    text
        The comparison as written.
    left, right
        The values of its sides.
    operator
        One of < <= > >= ==.
    """

    text: str
    left: Value
    operator: str
    right: Value

    @property
    def holds(self) -> bool:
        """Whether it is true; sides that differ by less than 1e-9 of the larger are equal.

        So exactly one of ``<``, ``==`` and ``>`` holds, and ``<=`` means ``<`` or ``==``.
        """
        return self.counterexample is None

    @property
    def counterexample(self) -> tuple[Value, Value] | None:
        """The first two values for which it is false, None where it holds."""
        for left, right in _pairs(self.left.number, self.right.number):
            if not self._true(left, right):
                return Value(left, self.left.exponents), Value(right, self.right.exponents)
        return None

    def _true(self, left: float, right: float) -> bool:
        if math.isclose(left, right, rel_tol=EQUAL):
            return "=" in self.operator
        return self.operator in ({"<", "<="} if left < right else {">", ">="})


def _pairs(left: Number, right: Number) -> list[tuple[float, float]]:
    if not (is_batch(left) or is_batch(right)):
        return [(left, right)]
    import numpy as np  # noqa: PLC0415 (arrays come from those who have it loaded)

    first, second = np.broadcast_arrays(left, right)
    return list(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))


_COMPARED = re.compile(f"[{COMPARING}]+(?: +[{COMPARING}]+)*")
_OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "==", "≤": "<=", "≥": ">="}
_MEANT = {"=": "==", "=>": ">=", "=<": "<=", "===": "=="}


def compare(text: str, names: Names) -> Comparison:
    """Return a comparison such as ``t > 10 us`` with the values of its two sides.

    Parameters
    ----------
    text
        Two expressions of one dimension with one of < <= > >= == between them.
    names
        As for `evaluate`.

    Raises
    ------
    UnitError
        If it is not one comparison, if a side cannot be read, or if the dimensions differ.
    """
    text = _on_one_line(text)
    found = list(_COMPARED.finditer(text))
    if len(found) != 1:
        raise UnitError(_not_one(text, len(found)))
    operator = _operator(found[0].group(), text)
    sides = text[: found[0].start()].strip(), text[found[0].end() :].strip()
    _check_sides(sides, operator, text)
    left, right = (calculate(side, names) for side in sides)
    if left.exponents != right.exponents:
        raise UnitError(_different(text, sides, (left, right)))
    return Comparison(text, left, operator, right)


def _not_one(text: str, count: int) -> str:
    if count:
        return f"`{text}` has {count} comparisons; write each of them on its own"
    return f"`{text}` compares nothing; write for example 't > 10 us', with < <= > >= or =="


def _operator(signs: str, text: str) -> str:
    if signs in _OPERATORS:
        return _OPERATORS[signs]
    closed = signs.replace(" ", "")
    meant = closed if closed in _OPERATORS else _MEANT.get(closed, "< <= > >= or ==")
    raise UnitError(f"`{signs}` in `{text}` is not a comparison; write {meant}")


def _check_sides(sides: tuple[str, str], operator: str, text: str) -> None:
    for side, where in zip(sides, ("left", "right"), strict=True):
        if not side:
            message = f"`{text}` has nothing on the {where} of `{operator}`"
            raise UnitError(f"{message}; write for example 't > 10 us'")
    if sides[0].count("(") > sides[0].count(")"):
        message = f"`{operator}` stands inside parentheses in `{text}`"
        raise UnitError(f"{message}; compare two whole expressions")


def _different(text: str, sides: tuple[str, str], values: tuple[Value, Value]) -> str:
    kinds = " and ".join(value.kind for value in values)
    message = f"`{text}` compares {kinds}; both must be the same"
    for side, value, other in zip(sides, values, reversed(values), strict=True):
        if value.dimension == "ratio" and other.dimension is not None:
            example = _with_unit(side, other.dimension)
            return f"{message}: give `{side}` a unit, for example '{example}'"
    return message
