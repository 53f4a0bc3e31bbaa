"""Numbers in SI units with their dimension, the units that may be written, and values as text."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nmrqb.errors import NmrqbError

if TYPE_CHECKING:
    import pint

Dimension = Literal["time", "frequency", "angle", "ratio", "field", "count", "rate", "length"]
Exponents = tuple[int, int, int, int]  # of second, radian, tesla and metre
Number: TypeAlias = Any  # a float; or an array of floats, where a parameter has many values at once

EXPONENTS: Mapping[Dimension, Exponents] = {
    "ratio": (0, 0, 0, 0),
    "time": (1, 0, 0, 0),
    "frequency": (-1, 0, 0, 0),
    "angle": (0, 1, 0, 0),
    "field": (0, 0, 1, 0),
    "count": (0, 0, 0, 0),
    "rate": (-1, 0, 0, 0),
    "length": (0, 0, 0, 1),
}
EXAMPLES: Mapping[Dimension, str] = {
    "time": "5 ms",
    "frequency": "20 Hz",
    "angle": "90 deg",
    "ratio": "5 %",
    "field": "1.4 T",
    "count": "8",
    "rate": "0.5 /s",
    "length": "109 pm",
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
    "rate": {"/s": "1/second", "/ms": "1/millisecond", "/us": "1/microsecond"},
    "length": {"pm": "picometre", "nm": "nanometre", "Å": "angstrom", "Å": "angstrom"},
}  # fmt: skip
_BASES: Mapping[Dimension, str] = {
    "time": "second",
    "frequency": "hertz",
    "angle": "radian",
    "field": "tesla",
    "ratio": "dimensionless",
    "rate": "1/second",
    "length": "metre",
}
# the units that messages choose from, the largest first, and the one of 0
_SHOWN: Mapping[Dimension, tuple[str, ...]] = {
    "time": ("s", "ms", "us", "ns", "ps"),
    "frequency": ("GHz", "MHz", "kHz", "Hz"),
    "angle": ("deg",),
    "field": ("T", "mT", "uT"),
    "length": ("nm", "pm"),
}
_ZERO: Mapping[Dimension, str] = {
    "time": "s", "frequency": "Hz", "angle": "deg", "field": "T", "length": "nm",
}  # fmt: skip
_DIGITS = decimal.Context(prec=12)


class UnitError(NmrqbError, ValueError):
    """A text is not a quantity of the wanted dimension; who reads the file adds the place."""


@dataclass(frozen=True)
class Value:
    """A number in SI units with the exponents of its unit in s, rad, T and m.

    The number may be an array of floats: an expression then has as many values.
    """

    number: Number
    exponents: Exponents = (0, 0, 0, 0)

    @classmethod
    def of(cls, number: Number, dimension: Dimension) -> Value:
        """Make a value of a named dimension."""
        return cls(number, EXPONENTS[dimension])

    @property
    def dimension(self) -> Dimension | None:
        """The name of its dimension, ``ratio`` for a plain number, None for ``s^2`` and such."""
        return next((name for name, own in EXPONENTS.items() if own == self.exponents), None)

    @property
    def kind(self) -> str:
        """What the value is, in words: ``a time``, ``a plain number``, ``s^2``."""
        if self.dimension is not None:
            return with_article(self.dimension)
        units = zip(("s", "rad", "T", "m"), self.exponents, strict=True)
        return " ".join(unit if e == 1 else f"{unit}^{e}" for unit, e in units if e)


Names = Mapping[str, Value | Callable[..., Value]]


def with_article(dimension: Dimension) -> str:
    """Return what a value of this dimension is, in words: ``a time``, ``a plain number``."""
    if dimension in {"ratio", "count"}:
        return "a plain number"
    return f"an {dimension}" if dimension == "angle" else f"a {dimension}"


def is_batch(number: Number) -> bool:
    """Tell whether a number is an array of numbers."""
    return getattr(number, "ndim", 0) > 0


def least(number: Number) -> float:
    """Return a number, the smallest of an array."""
    return float(number.min()) if is_batch(number) else number


def at_least(number: Number, floor: Number) -> Number:
    """Return the larger of two numbers, for arrays element by element."""
    if not (is_batch(number) or is_batch(floor)):
        return max(number, floor)
    import numpy as np  # noqa: PLC0415 (arrays come from those who have it loaded)

    return np.maximum(number, floor)


def every(condition: object) -> bool:
    """Tell whether a comparison of numbers holds, for arrays everywhere."""
    return bool(condition.all() if hasattr(condition, "all") else condition)


def written(value: Value) -> str:
    """Return a value as people write it, in 12 significant digits at most.

    `quantity` reads it back, unless it is of a compound unit or not finite.

    Examples
    --------
    >>> written(Value.of(0.0011621, "time"))
    '1.1621 ms'
    >>> written(Value(3.0, (2, 0, 0, 0)))
    '3 s^2'
    """
    dimension, number = value.dimension, Decimal(value.number + 0.0)  # no minus before 0
    if dimension is None:
        return f"{_shown(number)} {value.kind}"
    if dimension == "ratio":
        return _shown(number)
    if not number or number.is_infinite():
        return f"{_shown(number)} {_ZERO[dimension]}"
    for unit in _SHOWN[dimension]:
        scaled = _DIGITS.divide(number, factor(dimension, unit))
        if abs(scaled) >= 1:
            break
    return f"{_shown(scaled)} {unit}"


def _shown(number: Decimal) -> str:
    if not number.is_finite():
        return f"{float(number):g}"
    number = number.normalize(_DIGITS)
    plain = not number or -5 <= number.adjusted() < 12
    return f"{number:f}" if plain else f"{number:e}"


@cache
def factor(dimension: Dimension, unit: str) -> Decimal:
    """Return what a number with this unit is multiplied by to be in SI units."""
    source = _registry().Quantity(Decimal(1), UNITS[dimension][unit])
    return Decimal(source.to(_BASES[dimension]).magnitude)


@cache
def _registry() -> pint.UnitRegistry[Decimal]:
    import pint  # noqa: PLC0415 (half a second, and only files with units need it)

    # decimal arithmetic: 77 us is the float nearest to 77e-6, as if it had been written so
    registry: pint.UnitRegistry[Decimal] = pint.UnitRegistry(non_int_type=Decimal)
    registry.define("gauss_in_tesla = 0.0001 * tesla")  # pint's own gauss is a CGS unit
    return registry
