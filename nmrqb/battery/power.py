"""Average power, and the largest value of a curve without a fine grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.battery.checks import checked_times
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real


class Peak(NamedTuple):
    """Where a curve is largest, and how large."""

    time: float
    value: float


def average_power(stored: ArrayLike, times: ArrayLike) -> Real:
    """Return P(t) = E(t)/t, and 0 at t = 0, in the unit of E over that of t: (..., T).

    A battery that starts in an energy eigenstate gains with t² at first, hence the 0.

    Parameters
    ----------
    stored
        Stored energy E(t) − E(0), shape (..., T).
    times
        t ≥ 0, shape (T,) or (..., T).

    Raises
    ------
    ArgumentError
        If the two do not broadcast, or a time is negative or not finite.

    Examples
    --------
    >>> average_power([0.0, 1.0, 3.0], [0.0, 2.0, 3.0])
    array([0. , 0.5, 1. ])
    """
    E, t = as_real(stored, "stored"), checked_times(times)
    try:
        np.broadcast_shapes(E.shape, t.shape)
    except ValueError:
        raise ArgumentError(
            f"Argument `times` must broadcast with `stored`, {E.shape}, but has shape {t.shape}"
        ) from None
    return np.where(t > 0, E / np.where(t > 0, t, 1.0), 0.0)


def largest(
    curve: Callable[[Real], Real],
    stop: float,
    *,
    start: float = 0.0,
    points: int = 401,
    zooms: int = 5,
) -> Peak:
    """Return the largest value of a smooth curve on [start, stop].

    A grid finds the highest hill; finer grids between its neighbours follow the top.

    Parameters
    ----------
    curve
        Takes times of shape (n,) and returns values of the same shape.
    stop, start
        End and beginning of the interval.
    points
        Points of the first grid: the hills must be wider than its step.
    zooms
        How often the grid is refined, each time by a factor of 10.

    Raises
    ------
    ArgumentError
        If the interval is empty or there are fewer than three points.

    Examples
    --------
    >>> import numpy as np
    >>> peak = largest(lambda t: np.sin(t) ** 2 / np.maximum(t, 1e-300), 3.0)
    >>> round(peak.time, 6), round(peak.value, 6)
    (1.165561, 0.724611)
    """
    if not (np.isfinite(stop) and stop > start and points >= 3):
        raise ArgumentError(
            f"Arguments `stop` and `points` must be > {start} and ≥ 3, but are {stop}, {points}"
        )
    times = np.linspace(start, stop, points)
    for refined in range(zooms + 1):
        values = curve(times)
        k = int(np.argmax(values))
        if refined < zooms:
            times = np.linspace(times[max(k - 1, 0)], times[min(k + 1, len(times) - 1)], 21)
    return Peak(float(times[k]), float(values[k]))
