"""What papers say of curves in words: one rises with a constant, one does not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nmrqb.errors import ArgumentError, nearest

Figure = Callable[..., float]


def least_step(
    figures: Mapping[str, Figure],
    name: str,
    along: str,
    values: Sequence[float],
    constants: Mapping[str, float],
) -> float:
    """Return the smallest step of a figure from one value of a constant to the next.

    It is positive where the figure rises all along.

    Parameters
    ----------
    figures
        Name to a function of the constants.
    name
        Which of them.
    along
        Name of the constant, or several with + between them that are moved alike.
    values
        Its values in their order.
    constants
        The others.

    Raises
    ------
    ArgumentError
        If there is no such figure or constant.
    """
    return float(np.diff(_followed(figures, name, along, values, constants)).min())


def spread(
    figures: Mapping[str, Figure],
    name: str,
    along: str,
    values: Sequence[float],
    constants: Mapping[str, float],
) -> float:
    """Return largest minus smallest value of a figure along a constant, as `least_step`."""
    return float(np.ptp(_followed(figures, name, along, values, constants)))


def _followed(
    figures: Mapping[str, Figure],
    name: str,
    along: str,
    values: Sequence[float],
    constants: Mapping[str, float],
) -> list[float]:
    if name not in figures:
        raise ArgumentError(
            f"Argument `name` must be a figure, but is {name!r}; {_near(name, figures)}"
        )
    moved = along.split("+")
    for constant in moved:
        if constant not in constants:
            raise ArgumentError(
                f"Argument `along` must be a constant, but is {constant!r}; "
                f"{_near(constant, constants)}"
            )
    return [figures[name](**{**constants, **dict.fromkeys(moved, value)}) for value in values]


def _near(name: str, known: Mapping[str, object]) -> str:
    return nearest(name, sorted(known))
