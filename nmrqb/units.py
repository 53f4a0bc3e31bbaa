"""Text with units to numbers: "5 ms", "90 deg", "1/(4*J)" → floats in SI.

User text is cut into tokens here and reaches only a whitelist of syntax nodes, never `eval` and
never the parser of the unit library; a name comes from the caller's mapping, a unit only from a
number right before it.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Literal, NoReturn

from nmrqb.errors import NmrqbError, nearest

if TYPE_CHECKING:
    import pint

Dimension = Literal["time", "frequency", "angle", "ratio", "field", "count"]
Exponents = tuple[int, int, int]  # of second, radian and tesla

MAX_LENGTH = 200
MAX_PARENTHESES = 20

EXPONENTS: Mapping[Dimension, Exponents] = {
    "ratio": (0, 0, 0),
    "time": (1, 0, 0),
    "frequency": (-1, 0, 0),
    "angle": (0, 1, 0),
    "field": (0, 0, 1),
    "count": (0, 0, 0),
}
EXAMPLES: Mapping[Dimension, str] = {
    "time": "5 ms",
    "frequency": "20 Hz",
    "angle": "90 deg",
    "ratio": "5 %",
    "field": "1.4 T",
    "count": "8",
}
# the units that may be written, and what the unit library calls them
UNITS: Mapping[Dimension, Mapping[str, str]] = {
    "time": {
        "ps": "picosecond", "ns": "nanosecond", "us": "microsecond", "µs": "microsecond",
        "μs": "microsecond", "ms": "millisecond", "s": "second", "min": "minute", "h": "hour",
    },
    "frequency": {
        "mHz": "millihertz", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
        "GHz": "gigahertz",
    },
    "angle": {"deg": "degree", "°": "degree", "rad": "radian", "mrad": "milliradian"},
    "field": {"T": "tesla", "mT": "millitesla", "uT": "microtesla", "G": "gauss_in_tesla"},
    "ratio": {"%": "percent", "ppm": "ppm"},
    "count": {},
}  # fmt: skip
_BASES: Mapping[Dimension, str] = {
    "time": "second",
    "frequency": "hertz",
    "angle": "radian",
    "field": "tesla",
    "ratio": "dimensionless",
}


class UnitError(NmrqbError, ValueError):
    """A text is not a quantity of the wanted dimension; who reads the file adds the place."""


@dataclass(frozen=True)
class Value:
    """A number in SI units with the exponents of its unit in second, radian and tesla."""

    number: float
    exponents: Exponents = (0, 0, 0)

    @classmethod
    def of(cls, number: float, dimension: Dimension) -> Value:
        """Make a value of a named dimension."""
        return cls(number, EXPONENTS[dimension])

    @property
    def kind(self) -> str:
        """What the value is, in words: ``a time``, ``a plain number``, ``s^2``."""
        for dimension, exponents in EXPONENTS.items():
            if exponents == self.exponents:
                return "a plain number" if dimension == "ratio" else _with_article(dimension)
        units = zip(("s", "rad", "T"), self.exponents, strict=True)
        return " ".join(unit if e == 1 else f"{unit}^{e}" for unit, e in units if e)


Names = Mapping[str, Value | Callable[..., Value]]


def quantity(text: str, dimension: Dimension) -> float:
    """Return a quantity such as ``5 ms`` as a finite float in SI units.

    Parameters
    ----------
    text
        A number with its unit, or arithmetic with such numbers.
    dimension
        What it must be; ``ratio`` and ``count`` need no unit, every other dimension does.

    Raises
    ------
    UnitError
        If it is anything else.
    """
    return evaluate(text, dimension, {})


def evaluate(text: str, dimension: Dimension, names: Names) -> float:
    """Return an expression such as ``1/(4*J)`` as a finite float in SI units.

    Parameters
    ----------
    text
        Operators + - * / ( ), numbers with units, ``pi``, and what ``names`` holds.
    dimension
        What the result must be.
    names
        Name to value; or to a function of role names, called without any for a bare name.

    Raises
    ------
    UnitError
        If it cannot be read, is not finite, or is of another dimension.
    """
    text = " ".join(text.split())
    value = calculate(text, names, expected=dimension)
    if value.exponents != EXPONENTS[dimension]:
        raise UnitError(_wrong_dimension(text, value, dimension))
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
    if len(text) > MAX_LENGTH:
        shown = f"{text[:30]}…"
        raise UnitError(f"`{shown}` has {len(text)} characters; at most {MAX_LENGTH} are read")
    return _Calculation(" ".join(text.split()), names, expected).result()


def _wrong_dimension(text: str, value: Value, dimension: Dimension) -> str:
    example = EXAMPLES[dimension]
    if value.exponents == EXPONENTS["ratio"]:
        if re.fullmatch(r"[-+]?[0-9.eE+-]+", text):
            example = f"{text} {example.split()[-1]}"
        return f"`{text}` has no unit; write for example '{example}'"
    wanted = "a plain number" if dimension in {"ratio", "count"} else _with_article(dimension)
    return f"`{text}` is {value.kind}, but must be {wanted}, for example '{example}'"


def _with_article(dimension: Dimension) -> str:
    return f"an {dimension}" if dimension == "angle" else f"a {dimension}"


_TOKEN = re.compile(
    r"""(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
        (?:\s*(?P<unit>[^\W\d]\w*|[%°]))?
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>[-+*/(),])""",
    re.VERBOSE,
)


class _Calculation:
    """One expression; numbers and names become numbered atoms, so its tree holds no user text."""

    def __init__(self, text: str, names: Names, expected: Dimension | None) -> None:
        self.text = text
        self.names: Names = {"pi": Value(math.pi), **names}
        self.expected = expected
        self.atoms: dict[str, Value | str] = {}

    def result(self) -> Value:
        if not self.text:
            example = EXAMPLES[self.expected or "time"]
            raise UnitError(f"`{self.text}` is empty; write for example '{example}'")
        source = " ".join(self._tokens())
        try:
            tree = ast.parse(source, mode="eval")
        except (SyntaxError, RecursionError, MemoryError):
            self._refuse()
        return self._value(tree.body)

    def _tokens(self) -> list[str]:
        tokens, at, depth = [], 0, 0
        while at < len(self.text):
            if self.text[at].isspace():
                at += 1
                continue
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise UnitError(f"`{self.text[at]}` may not stand in `{self.text}`; {_ALLOWED}")
            depth += {"(": 1, ")": -1}.get(found.group(), 0)
            if depth > MAX_PARENTHESES:
                raise UnitError(f"`{self.text}` has more than {MAX_PARENTHESES} nested parentheses")
            tokens.append(found.group("operator") or self._atom(found))
            at = found.end()
        return tokens

    def _atom(self, found: re.Match[str]) -> str:
        atom = f"_{len(self.atoms)}"
        number, unit, name = found.group("number", "unit", "name")
        self.atoms[atom] = name or self._literal(number, unit)
        return atom

    def _literal(self, number: str, unit: str | None) -> Value:
        dimension = next((d for d, units in UNITS.items() if unit in units), None)
        if unit and dimension is None:
            self._refuse_unit(number, unit)
        factor = _factor(dimension, unit) if unit and dimension else Decimal(1)
        exponents = EXPONENTS[dimension or "ratio"]
        try:
            scaled = float(Decimal(number) * factor)
        except ArithmeticError:
            scaled = math.inf
        return self._finite(scaled, exponents)

    def _refuse_unit(self, number: str, unit: str) -> NoReturn:
        if unit in self.names:
            hint = f"for {number} times `{unit}` write {number}*{unit}"
        else:
            own = UNITS[self.expected] if self.expected else {}
            hint = nearest(unit, own or (u for units in UNITS.values() for u in units))
        raise UnitError(f"unknown unit `{unit}` in `{self.text}`; {hint}")

    def _value(self, node: ast.AST) -> Value:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._operate(op, self._value(left), self._value(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self._value(operand)
                return Value(-value.number, value.exponents)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._value(operand)
            case ast.Name(id=atom):
                atomic = self.atoms[atom]
                return self._call(atomic, []) if isinstance(atomic, str) else atomic
            case ast.Call(func=ast.Name(id=atom), args=[_, *_] as args, keywords=[]):
                return self._call(self._word(atom), [self._role(argument) for argument in args])
            case _:
                return self._refuse()

    def _operate(self, op: ast.operator, left: Value, right: Value) -> Value:
        if isinstance(op, ast.Add | ast.Sub):
            if left.exponents != right.exponents:
                message = f"`{self.text}` adds {left.kind} and {right.kind}; both must be the same"
                raise UnitError(message)
            exponents = left.exponents
        else:
            sign = -1 if isinstance(op, ast.Div) else 1
            pairs = zip(left.exponents, right.exponents, strict=True)
            first, second, third = (a + sign * b for a, b in pairs)
            exponents = (first, second, third)
        if isinstance(op, ast.Div) and right.number == 0:
            raise UnitError(f"`{self.text}` divides by zero")
        return self._finite(_OPERATORS[type(op)](left.number, right.number), exponents)

    def _word(self, atom: str) -> str:
        word = self.atoms[atom]
        if not isinstance(word, str):
            self._refuse()
        return word

    def _role(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            self._refuse()
        return self._word(node.id)

    def _call(self, name: str, roles: list[str]) -> Value:
        if name.lower() in {"nan", "inf", "infinity"}:
            raise UnitError(f"`{self.text}` is not finite; only finite numbers are read")
        if name not in self.names:
            hint = nearest(name, self.names)
            raise UnitError(f"unknown name `{name}` in `{self.text}`; {hint}")
        entry = self.names[name]
        if isinstance(entry, Value):
            if roles:
                raise UnitError(f"`{name}` in `{self.text}` is a value and takes no spins")
            return self._finite(entry.number, entry.exponents)
        try:
            inspect.signature(entry).bind(*roles)
        except TypeError:
            given = f"{name}({', '.join(roles)})" if roles else name
            raise UnitError(f"`{given}` in `{self.text}` needs {_needs(name, entry)}") from None
        value = entry(*roles)
        return self._finite(value.number, value.exponents)

    def _finite(self, number: float, exponents: Exponents) -> Value:
        if not math.isfinite(number):
            raise UnitError(
                f"`{self.text}` is not finite or too large; only finite numbers are read"
            )
        return Value(number, exponents)

    def _refuse(self) -> NoReturn:
        raise UnitError(f"`{self.text}` is not an expression; {_ALLOWED}")


_ALLOWED = "numbers with units, names, + - * / and ( ) are read"
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def _needs(name: str, function: Callable[..., Value]) -> str:
    parameters = inspect.signature(function).parameters
    return f"spins: {name}({', '.join(parameters)})" if parameters else "no spins"


@cache
def _factor(dimension: Dimension, unit: str) -> Decimal:
    registry = _registry()
    source = registry.Quantity(Decimal(1), UNITS[dimension][unit])
    return Decimal(source.to(_BASES[dimension]).magnitude)


@cache
def _registry() -> pint.UnitRegistry[Decimal]:
    import pint  # noqa: PLC0415 (half a second, and only files with units need it)

    # decimal arithmetic: 77 us is the float nearest to 77e-6, as if it had been written so
    registry: pint.UnitRegistry[Decimal] = pint.UnitRegistry(non_int_type=Decimal)
    registry.define("gauss_in_tesla = 0.0001 * tesla")  # pint's own gauss is a CGS unit
    return registry
