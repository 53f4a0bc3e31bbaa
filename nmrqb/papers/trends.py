"""Quantities made of others: a figure of a run, and what papers say of curves in words.

*One rises with a constant*, *one does not depend on it*: each is a number, of which the inputs are
those of the quantity that is followed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from nmrqb.errors import ArgumentError, nearest
from nmrqb.papers.rows import Quantity

Run = TypeVar("Run")


def figure_of(
    run: Callable[..., Run],
    figures: Mapping[str, Callable[[Run], float]],
    figure: str,
) -> Quantity:
    """Return the quantity *one of several figures of a run*.

    Its inputs are ``figure`` and those of the run.

    Parameters
    ----------
    run
        From constants, all keywords with defaults, to what is computed of them.
    figures
        Name to what is read off a run.
    figure
        Which of them unless a row says otherwise.
    """

    def read_off(figure: str, **constants: Any) -> float:  # noqa: ANN401 - numbers and names
        return figures[_known("figure", figure, figures)](run(**constants))

    return _quantity(read_off, {"figure": figure, **inputs_of(run)})


def least_step(
    quantity: Callable[..., float], *, along: str, values: Sequence[float], **own: float | str
) -> Quantity:
    """Return the quantity *smallest step of another from one value of a constant to the next*.

    It is positive where the other rises all along.

    Parameters
    ----------
    quantity
        What is followed.
    along
        Name of the constant unless a row says otherwise, or several with + between them that are
        moved alike.
    values
        Its values in their order, likewise.
    own
        Inputs whose usual values are not those of the quantity.
    """
    return _trend(quantity, lambda found: np.diff(found).min(), along, values, own)


def least_fall(
    quantity: Callable[..., float], *, along: str, values: Sequence[float], **own: float | str
) -> Quantity:
    """Return the quantity *smallest step downwards*, as `least_step`."""
    return _trend(quantity, lambda found: -np.diff(found).max(), along, values, own)


def spread(
    quantity: Callable[..., Any], *, along: str, values: Sequence[float], **own: float | str
) -> Quantity:
    """Return the quantity *largest minus smallest value of another along a constant*.

    As `least_step`; of arrays the element that changes most counts.
    """
    return _trend(quantity, lambda found: np.ptp(found, axis=0).max(), along, values, own)


def inputs_of(quantity: Callable[..., Any]) -> dict[str, Any]:
    """Return the inputs of a quantity and their usual values."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(quantity).parameters.items()
    }


def _trend(
    quantity: Callable[..., Any],
    tell: Callable[[list[Any]], float],
    along: str,
    values: Sequence[float],
    own: Mapping[str, Any],
) -> Quantity:
    def follow(along: str, values: Sequence[float], **constants: Any) -> float:  # noqa: ANN401
        moved = [_known("along", name, constants) for name in along.split("+")]
        return float(tell([quantity(**{**constants, **dict.fromkeys(moved, x)}) for x in values]))

    usual = inputs_of(quantity)
    changes = {_known("own", name, usual): value for name, value in own.items()}
    return _quantity(follow, {"along": along, "values": values, **usual, **changes})


def _quantity(compute: Callable[..., float], usual: Mapping[str, Any]) -> Quantity:
    """Return a function with the inputs ``usual``, as if it had been written with them."""

    def quantity(**given: Any) -> float:  # noqa: ANN401 - numbers, names and values to follow
        changes = {_known("inputs", name, usual): value for name, value in given.items()}
        return compute(**{**usual, **changes})

    quantity.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
            for name, value in usual.items()
        ]
    )
    return quantity


def _known(argument: str, name: str, known: Mapping[str, Any]) -> str:
    if name not in known:
        raise ArgumentError(
            f"Argument `{argument}` must name one that is there, but names {name!r}; "
            f"{nearest(name, known)}"
        )
    return name
