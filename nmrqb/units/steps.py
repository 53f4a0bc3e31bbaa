"""What an expression does, step by step on a stack: no step holds text that could run."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from nmrqb.errors import nearest
from nmrqb.units import functions
from nmrqb.units.values import (
    UNITS,
    Dimension,
    Exponents,
    Names,
    Number,
    UnitError,
    Value,
    every,
)

ALLOWED = "numbers with units, names, functions, + - * / and ( ) are read"
CONSTANTS: Names = {"pi": Value(math.pi)}


@dataclass(frozen=True)
class Scope:
    """What an evaluation knows besides the steps: the names, and what messages tell."""

    text: str
    names: Names
    expected: Dimension | None


class Step(Protocol):
    """One step; takes its arguments from the end of the stack and leaves its result there."""

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Change the stack, or raise a `UnitError`."""


@dataclass(frozen=True)
class Literal:
    """A number with its unit."""

    value: Value

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Put the value on the stack."""
        stack.append(self.value)


@dataclass(frozen=True)
class Lookup:
    """A name, or a function of role names."""

    name: str
    roles: tuple[str, ...] = ()

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Put on the stack what the names of the caller, or the constants, say."""
        entry = scope.names.get(self.name, CONSTANTS.get(self.name))
        if entry is None:
            _refuse_name(self.name, scope, called=bool(self.roles))
        if not isinstance(entry, Value):
            entry = self._called(entry, scope)
        elif self.roles:
            message = f"`{self.name}` in `{scope.text}` is a value and takes no spins"
            raise UnitError(message)
        stack.append(finite(entry.number, entry.exponents, scope.text))

    def _called(self, entry: Callable[..., Value], scope: Scope) -> Value:
        try:
            return entry(*self.roles)
        except TypeError:
            if _takes(entry, self.roles):
                raise
            given = f"{self.name}({', '.join(self.roles)})" if self.roles else self.name
            needs = _needs(self.name, entry)
            raise UnitError(f"`{given}` in `{scope.text}` needs {needs}") from None


@dataclass(frozen=True)
class Apply:
    """One of the functions, of the last values."""

    name: str
    count: int

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Replace the arguments by the result."""
        arguments = stack[-self.count :]
        stack[-self.count :] = [functions.apply(self.name, arguments, scope.text)]


@dataclass(frozen=True)
class Negate:
    """The minus before a value."""

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Change the sign of the last value."""
        value = stack[-1]
        stack[-1] = Value(-value.number, value.exponents)


@dataclass(frozen=True)
class Add:
    """Plus, or minus where the sign is -1."""

    sign: int

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Replace two values by their sum."""
        right = stack.pop()
        left = stack[-1]
        if left.exponents != right.exponents:
            message = f"`{scope.text}` adds {left.kind} and {right.kind}; both must be the same"
            raise UnitError(message)
        stack[-1] = finite(left.number + self.sign * right.number, left.exponents, scope.text)


@dataclass(frozen=True)
class Multiply:
    """Times, or divided by where the sign is -1."""

    sign: int

    def run(self, stack: list[Value], scope: Scope) -> None:
        """Replace two values by their product."""
        right = stack.pop()
        left = stack[-1]
        if self.sign > 0:
            number = left.number * right.number
        elif not every(right.number != 0):
            raise UnitError(f"`{scope.text}` divides by zero")
        else:
            number = left.number / right.number
        (a, b, c, d), (e, f, g, h), sign = left.exponents, right.exponents, self.sign
        exponents = (a + sign * e, b + sign * f, c + sign * g, d + sign * h)
        stack[-1] = finite(number, exponents, scope.text)


@dataclass(frozen=True)
class UnknownUnit:
    """A word right after a number that is not a unit; the names decide what may be meant."""

    number: str
    unit: str

    def run(self, stack: list[Value], scope: Scope) -> NoReturn:
        """Refuse the unit."""
        number, unit = self.number, self.unit
        if unit in {*scope.names, *CONSTANTS, *functions.FUNCTIONS}:
            hint = f"for {number} times `{unit}` write {number}*{unit}"
        else:
            own = UNITS[scope.expected] if scope.expected else {}
            hint = nearest(unit, own or (u for units in UNITS.values() for u in units))
        raise UnitError(f"unknown unit `{unit}` in `{scope.text}`; {hint}")


@dataclass(frozen=True)
class UnknownCall:
    """A call of something that is not a function, of something that is not a role."""

    name: str

    def run(self, stack: list[Value], scope: Scope) -> NoReturn:
        """Refuse the name, or the call if the name is known."""
        if self.name in scope.names or self.name in CONSTANTS:
            raise not_an_expression(scope.text)
        _refuse_name(self.name, scope, called=True)


def run(steps: Iterable[Step], scope: Scope) -> Value:
    """Return what the steps of one expression leave.

    Raises
    ------
    UnitError
        If a name is unknown, dimensions do not fit, or a result is not finite.
    """
    stack: list[Value] = []
    for step in steps:
        step.run(stack, scope)
    return stack[-1]


def finite(number: Number, exponents: Exponents, text: str) -> Value:
    """Return a value of the expression ``text``.

    Raises
    ------
    UnitError
        If the number is not finite.
    """
    if not every(abs(number) < math.inf):  # false for nan too
        raise UnitError(f"`{text}` is not finite or too large; only finite numbers are read")
    return Value(number, exponents)


def not_an_expression(text: str) -> UnitError:
    """Return the error of a text that cannot be understood at all."""
    return UnitError(f"`{text}` is not an expression; {ALLOWED}")


def _refuse_name(name: str, scope: Scope, *, called: bool) -> NoReturn:
    valid = {*scope.names, *CONSTANTS, *(functions.FUNCTIONS if called else ())}
    raise UnitError(f"unknown name `{name}` in `{scope.text}`; {nearest(name, valid)}")


def _takes(function: Callable[..., Value], roles: tuple[str, ...]) -> bool:
    try:
        inspect.signature(function).bind(*roles)
    except TypeError:
        return False
    return True


def _needs(name: str, function: Callable[..., Value]) -> str:
    parameters = inspect.signature(function).parameters
    return f"spins: {name}({', '.join(parameters)})" if parameters else "no spins"
