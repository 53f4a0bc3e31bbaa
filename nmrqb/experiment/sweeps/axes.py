"""The values that a sweep gives to parameters: grids, lists, Latin hypercubes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np

from nmrqb.errors import Fault, InputError, Position, refuse
from nmrqb.operators import Real
from nmrqb.units import Dimension, UnitError, quantity

MAX_VALUES = 10_000_000  # of one axis, or points of a table or hypercube
UNITS: Mapping[Dimension, str] = {
    "frequency": "Hz", "time": "s", "angle": "rad", "rate": "/s", "field": "T", "ratio": "",
}  # fmt: skip
"""Dimension to the unit that values are held and written in."""

_WANTED = "START:STOP:POINTS, such as 0Hz:20Hz:101 (with :log for even ratios), or 1Hz,2Hz,5Hz"
_WANTED_RANGE = "START:STOP, such as 0Hz:20Hz (with :log for even ratios)"


@dataclass(frozen=True, eq=False)
class Axis:
    """The values of one parameter.

    Attributes
    ----------
    path
        Where the parameter stands in the experiment: ``battery.D``.
    dimension
        What the values are.
    values
        In SI units, shape (n,).
    at
        Where faults of it are told.
    """

    path: str
    dimension: Dimension
    values: Real
    at: Position

    @property
    def units(self) -> str:
        """Unit of the values, ``1`` for plain numbers."""
        return UNITS[self.dimension] or "1"

    def text(self, value: float) -> str:
        """Return a value as a file would say it, in full precision."""
        number = repr(int(value)) if self.dimension == "ratio" and value == int(value) else None
        return f"{number or repr(float(value))} {UNITS[self.dimension]}".strip()

    def extremes(self) -> tuple[float, ...]:
        """Return the least and largest value, and the one that is nearest to 0."""
        v = self.values
        return tuple(dict.fromkeys((float(v.min()), float(v.max()), float(v[np.abs(v).argmin()]))))


def grid_axes(over: Mapping[str, str], places: Mapping[str, Position]) -> list[Axis]:
    """Return the axes of a grid.

    Parameters
    ----------
    over
        Path to ``START:STOP:POINTS``, ``START:STOP:POINTS:log`` or values with commas.
    places
        Path to where it was said.

    Raises
    ------
    InputError
        With the faults of all axes.
    """
    return _each(over, places, _grid_axis)


def hypercube_axes(
    over: Mapping[str, str], places: Mapping[str, Position], points: int, seed: int
) -> list[Axis]:
    """Return axes whose values side by side are a Latin hypercube.

    Every one of ``points`` equal parts of an axis (of its logarithm with ``:log``) holds one value.

    Parameters
    ----------
    over, places
        As for `grid_axes`, of ``START:STOP`` or ``START:STOP:log``.
    points, seed
        Number of points; seed of every random number.
    """
    seeds = iter(np.random.SeedSequence(seed, spawn_key=(2**31,)).spawn(len(over)))

    def axis(path: str, text: str, at: Position) -> Axis:
        words, log = _words(text, at, 2, _WANTED_RANGE)
        dimension, (start, stop) = quantities(words, at)
        rng = np.random.default_rng(next(seeds))
        share = (rng.permutation(points) + rng.random(points)) / points
        return Axis(path, dimension, _between(start, stop, share, at, log=log), at)

    _check_count(points, Position("--lhs"))
    return _each(over, places, axis)


def _each(
    over: Mapping[str, str],
    places: Mapping[str, Position],
    make: Callable[[str, str, Position], Axis],
) -> list[Axis]:
    axes, faults = [], list[Fault]()
    for path, text in over.items():
        try:
            axes.append(make(path, text, places[path]))
        except InputError as error:
            faults += error.faults
    refuse(faults)
    return axes


def _grid_axis(path: str, text: str, at: Position) -> Axis:
    if ":" not in text:
        dimension, numbers = quantities([word.strip() for word in text.split(",")], at)
        return Axis(path, dimension, np.array(numbers), at)
    words, log = _words(text, at, 3, _WANTED)
    count = _count(words[2], at)
    dimension, (start, stop) = quantities(words[:2], at)
    if not log:
        return Axis(path, dimension, even(start, stop, count), at)
    values = _between(start, stop, np.linspace(0, 1, count), at, log=True)
    values[0], values[-1] = start, (stop if count > 1 else start)
    return Axis(path, dimension, values, at)


def even(start: float, stop: float, count: int) -> Real:
    """Return evenly spaced numbers, each the float nearest to its value in decimals: (count,).

    So the fourth of 0:20:201 is 0.3, as it is typed, and can be selected by that.

    Parameters
    ----------
    start, stop
        First and last, taken for the shortest decimals that they are the nearest floats of.
    count
        How many; one is ``start`` alone.
    """
    first, last = (Fraction(repr(float(end))) for end in (start, stop))
    below = max(count - 1, 1) * math.lcm(first.denominator, last.denominator)
    above, step = first * below, (last - first) * below / max(count - 1, 1)
    if (
        max(abs(above), abs(last * below), Fraction(below)) < 2**53
    ):  # then the quotients are rounded once
        return np.asarray((int(above) + int(step) * np.arange(count)) / below)
    values = np.linspace(start, stop, count)
    values[0] = start
    return values


def _words(text: str, at: Position, length: int, wanted: str) -> tuple[list[str], bool]:
    words = [word.strip() for word in text.split(":")]
    log = words[-1] == "log"
    kept = words[:-1] if log else words
    if len(kept) != length or not all(kept):
        _stop(at, f"must be {wanted}, but is {text!r}")
    return kept, log


def _count(text: str, at: Position) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 9 and int(text)):
        _stop(at, f"the number of points must be 1 or more, but is {text!r}")
    return _check_count(int(text), at)


def _check_count(count: int, at: Position) -> int:
    if not 1 <= count <= MAX_VALUES:
        _stop(at, f"the number of points must be from 1 to {MAX_VALUES}, but is {count}")
    return count


def _between(start: float, stop: float, share: Real, at: Position, *, log: bool) -> Real:
    if not log:
        return start + (stop - start) * share
    if not start * stop > 0:
        _stop(at, "even ratios (:log) need two limits of one sign that are not 0")
    return np.asarray(start * np.exp(np.log(stop / start) * share))


def quantities(texts: Sequence[str], at: Position) -> tuple[Dimension, list[float]]:
    """Return the common dimension of some texts, and their numbers in SI units.

    Raises
    ------
    InputError
        If a text is no quantity, or they are of several dimensions.
    """
    common = _common_dimension(texts)
    if common is not None:
        return common, [quantity(text, common) for text in texts]
    kinds = {text: _common_dimension([text]) for text in texts}
    for text, kind in kinds.items():
        if kind is None:
            _stop(at, f"`{text}` is no number with a unit, such as 20 Hz, 5 ms or 90 deg")
    named = ", ".join(f"`{text}` is a {kind}" for text, kind in kinds.items())
    raise InputError.at(at, f"values must all be of one kind, but {named}")


def _common_dimension(texts: Sequence[str]) -> Dimension | None:
    for dimension in UNITS:
        with suppress(UnitError):
            for text in texts:
                quantity(text, dimension)
            return dimension
    return None


def _stop(at: Position, message: str) -> NoReturn:
    raise InputError.at(at, message)
