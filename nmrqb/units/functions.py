"""The functions of expressions: each checks the dimension and the domain of its arguments."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nmrqb.units.values import (
    EXPONENTS,
    Dimension,
    Number,
    UnitError,
    Value,
    is_batch,
    with_article,
    written,
)

_MANY = 1_000
_ROUNDING = 1e-12  # by how much an argument of asin may exceed 1 and still be read as 1


@dataclass(frozen=True)
class _Function:
    """What a function makes of its arguments, and how it is written."""

    apply: Callable[..., Value]
    usage: str
    least: int = 1
    most: int = 1

    @property
    def needs(self) -> str:
        """How many arguments it takes, in words."""
        if self.most == 1:
            return "one argument"
        return "two arguments" if self.most == 2 else "two or more arguments"


class _RefusalError(Exception):
    """The end of a message that begins with the function and the expression."""


def apply(name: str, arguments: Sequence[Value], text: str) -> Value:
    """Return a function of values; ``text``, the whole expression, only serves messages.

    Raises
    ------
    UnitError
        If an argument is of another dimension or outside the domain, or the result is too large.
    """
    try:
        if any(is_batch(argument.number) for argument in arguments):
            return _elementwise(_TABLE[name].apply, arguments)
        return _TABLE[name].apply(*arguments)
    except _RefusalError as refusal:
        raise UnitError(f"`{name}` in `{text}` {refusal}") from None


def _elementwise(function: Callable[..., Value], arguments: Sequence[Value]) -> Value:
    """Apply a function to every element of arrays."""
    import numpy as np  # noqa: PLC0415 (arrays come from those who have it loaded)

    numbers = np.broadcast_arrays(*(argument.number for argument in arguments))
    rows = zip(*(array.ravel().tolist() for array in numbers), strict=True)
    kinds = [argument.exponents for argument in arguments]
    values = [function(*map(Value, row, kinds)) for row in rows]
    return Value(
        np.array([value.number for value in values]).reshape(numbers[0].shape), values[0].exponents
    )


def check_count(name: str, count: int, text: str) -> None:
    """Refuse a call with too few or too many arguments.

    Raises
    ------
    UnitError
        If the function is not called so.
    """
    function = _TABLE[name]
    if not function.least <= count <= function.most:
        needs = f"needs {function.needs}: {function.usage}"
        message = f"`{name}` in `{text}` {needs}, but is given {count}"
        raise UnitError(message)


def bare(name: str, text: str) -> UnitError:
    """Return the error of a function that stands without its parentheses."""
    needs = "an argument" if _TABLE[name].most == 1 else "arguments"
    return UnitError(f"`{name}` in `{text}` needs {needs}: {_TABLE[name].usage}")


def _need(value: Value, dimension: Dimension) -> Number:
    if value.exponents != EXPONENTS[dimension]:
        hint = "; write 90 deg or 1.57 rad" if dimension == "angle" else ""
        wanted = with_article(dimension)
        raise _RefusalError(f"needs {wanted}, but is given {value.kind}{hint}")
    return value.number


def _outside(value: Value, domain: str) -> _RefusalError:
    return _RefusalError(f"has no value for {written(value)}; {domain}")


def _sin(angle: Value) -> Value:
    return Value(math.sin(_need(angle, "angle")))


def _cos(angle: Value) -> Value:
    return Value(math.cos(_need(angle, "angle")))


def _tan(angle: Value) -> Value:
    number = _need(angle, "angle")
    if abs(math.cos(number)) <= sys.float_info.epsilon * abs(number):
        raise _outside(angle, "it is infinite there")  # as far as a float can tell the angle
    return Value(math.tan(number))


def _arc(function: Callable[[float], float]) -> Callable[[Value], Value]:
    def of(sine: Value) -> Value:
        number = _need(sine, "ratio")
        if abs(number) > 1 + _ROUNDING:
            raise _outside(sine, "its argument must be from -1 to 1")
        return Value.of(function(max(-1.0, min(1.0, number))), "angle")

    return of


def _atan(tangent: Value) -> Value:
    return Value.of(math.atan(_need(tangent, "ratio")), "angle")


def _atan2(y: Value, x: Value) -> Value:
    _same_kind(y, x)
    return Value.of(math.atan2(y.number, x.number), "angle")


def _sqrt(square: Value) -> Value:
    if any(exponent % 2 for exponent in square.exponents):
        needs = "needs a plain number or a square such as s^2"
        raise _RefusalError(f"{needs}, but is given {square.kind}")
    if square.number < 0:
        raise _outside(square, "its argument must be 0 or more")
    second, radian, tesla, metre = square.exponents
    halved = second // 2, radian // 2, tesla // 2, metre // 2
    return Value(math.sqrt(square.number), halved)


def _exp(exponent: Value) -> Value:
    try:
        return Value(math.exp(_need(exponent, "ratio")))
    except OverflowError:
        message = f"is too large for {written(exponent)}; only finite numbers are read"
        raise _RefusalError(message) from None


def _log(power: Value) -> Value:
    if _need(power, "ratio") <= 0:
        raise _outside(power, "its argument must be positive")
    return Value(math.log(power.number))


def _tanh(value: Value) -> Value:
    return Value(math.tanh(_need(value, "ratio")))


def _sign(value: Value) -> Value:
    return Value(float((value.number > 0) - (value.number < 0)))


def _abs(value: Value) -> Value:
    return Value(abs(value.number), value.exponents)


def _same_kind(first: Value, other: Value) -> None:
    if other.exponents != first.exponents:
        kinds = f"{first.kind} and {other.kind}"
        raise _RefusalError(f"is given {kinds}; all must be the same")


def _one_of(choose: Callable[..., Value]) -> Callable[..., Value]:
    def of(first: Value, *others: Value) -> Value:
        for other in others:
            _same_kind(first, other)
        return choose((first, *others), key=lambda value: value.number)

    return of


_TABLE: Mapping[str, _Function] = {
    "sin": _Function(_sin, "sin(…)"),
    "cos": _Function(_cos, "cos(…)"),
    "tan": _Function(_tan, "tan(…)"),
    "asin": _Function(_arc(math.asin), "asin(…)"),
    "acos": _Function(_arc(math.acos), "acos(…)"),
    "atan": _Function(_atan, "atan(…)"),
    "atan2": _Function(_atan2, "atan2(y, x)", 2, 2),
    "sqrt": _Function(_sqrt, "sqrt(…)"),
    "exp": _Function(_exp, "exp(…)"),
    "log": _Function(_log, "log(…)"),
    "tanh": _Function(_tanh, "tanh(…)"),
    "sign": _Function(_sign, "sign(…)"),
    "abs": _Function(_abs, "abs(…)"),
    "min": _Function(_one_of(min), "min(…, …)", 2, _MANY),
    "max": _Function(_one_of(max), "max(…, …)", 2, _MANY),
}

FUNCTIONS: frozenset[str] = frozenset(_TABLE)
