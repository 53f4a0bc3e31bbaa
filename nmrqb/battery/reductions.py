"""What is kept of a figure of merit against time: its extremes, when they are reached, its mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Real

_SAME = 1e-12  # of the largest modulus: values so close are equal, and the first one counts


def _first_time(curves: Real, times: Real, sign: float) -> Real:
    """Return the first time at which curves (..., T) come to their extreme: (...)."""
    signed = sign * curves
    best = signed.max(axis=-1, keepdims=True)
    near = signed >= best - _SAME * np.abs(best)
    return np.asarray(
        np.take_along_axis(
            np.broadcast_to(times, curves.shape), near.argmax(axis=-1)[..., None], axis=-1
        )[..., 0]
    )


REDUCTIONS: Mapping[str, Callable[[Real, Real], Real]] = MappingProxyType(
    {
        "max": lambda curves, times: curves.max(axis=-1),
        "argmax": lambda curves, times: _first_time(curves, times, 1.0),
        "min": lambda curves, times: curves.min(axis=-1),
        "argmin": lambda curves, times: _first_time(curves, times, -1.0),
        "mean": lambda curves, times: curves.mean(axis=-1),
        "last": lambda curves, times: np.array(curves[..., -1]),
        "none": lambda curves, times: np.array(curves),
    }
)
"""Name of a reduction to the function of curves and times, both (..., T)."""


def reduced_name(figure: str, reduction: str) -> str:
    """Return the name of a reduced figure: ``ergotropy_max``; whole curves keep the figure's."""
    return figure if reduction == "none" else f"{figure}_{reduction}"


def reduced(curves: Mapping[str, Real], times: Real, reductions: Iterable[str]) -> dict[str, Real]:
    """Return every reduction of every curve, named by `reduced_name`.

    Parameters
    ----------
    curves
        Figure to its values, shape (..., T).
    times
        In s, shape (T,) or (..., T); ``argmax`` and ``argmin`` return the first of the times
        at which the extreme is reached within 1e-12 of it.
    reductions
        Names out of `REDUCTIONS`.
    """
    return {
        reduced_name(name, reduction): REDUCTIONS[reduction](values, times)
        for name, values in curves.items()
        for reduction in reductions
    }


def check_names(argument: str, names: Iterable[str], valid: Iterable[str]) -> tuple[str, ...]:
    """Return names without repetitions.

    Raises
    ------
    ArgumentError
        If there is none, or one is not valid.
    """
    valid, found = tuple(valid), tuple(dict.fromkeys(names))
    for name in found:
        if name not in valid:
            raise ArgumentError(
                f"Argument `{argument}` must hold known names, but holds {name!r}; "
                f"{nearest(name, valid)}"
            )
    if not found:
        raise ArgumentError(f"Argument `{argument}` must hold a name; valid: {', '.join(valid)}")
    return found
