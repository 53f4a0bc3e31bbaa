"""The largest value of a curve without a fine grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real


class Peak(NamedTuple):
    """Where a curve is largest, and how large."""

    time: float
    value: float


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
