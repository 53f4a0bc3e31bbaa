"""What the models refuse before they compute."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.arguments import check_finite
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real


def finite_numbers(value: ArrayLike, name: str) -> Real:
    """Return numbers as an array, refusing by name what is not finite.

    Raises
    ------
    ArgumentError
        If a number is not finite, or there are no numbers.
    """
    numbers = as_real(value, name)
    check_finite(name, numbers)
    return numbers


def checked_times(times: ArrayLike, name: str = "times") -> Real:
    """Return times as an array, refusing what is negative or not finite.

    Raises
    ------
    ArgumentError
        If a time is negative or not finite.
    """
    t = as_real(times, name)
    if not np.all(np.isfinite(t) & (t >= 0)):
        raise ArgumentError(f"Argument `{name}` must be finite times ≥ 0, but is {t}")
    return t
