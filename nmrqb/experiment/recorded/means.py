"""Means of several measurements of one quantity with their scatter, and digits of a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_MOST_DIGITS = 12
_LEAST = 1e-12  # of a value: an error that is smaller was not estimated


@dataclass(frozen=True)
class Mean:
    """A weighted mean.

    Attributes
    ----------
    value
        Σ w x / Σ w with w = 1/σ².
    error
        1/√(Σ w), times √scatter where that is above 1.
    scatter
        χ²/(n − 1) of the values about their mean; 0 of a single one.
    """

    value: float
    error: float
    scatter: float


def weighted_mean(values: Sequence[float], errors: Sequence[float]) -> Mean:
    """Return the weighted mean of measurements, its error inflated by their scatter.

    Parameters
    ----------
    values, errors
        One or more numbers and their standard deviations.
    """
    x = np.asarray(values, dtype=float)
    sigma = np.maximum(np.asarray(errors, dtype=float), _LEAST * np.abs(x).max())
    weights = 1 / sigma**2
    mean = float(weights @ x / weights.sum())
    scatter = float(weights @ (x - mean) ** 2) / max(len(x) - 1, 1)
    return Mean(mean, float(np.sqrt(max(scatter, 1.0) / weights.sum())), scatter)


def rounded(value: float, error: float) -> str:
    """Return a value to two digits of its error: ``0.878`` of 0.87823 ± 0.086."""
    digits = _MOST_DIGITS
    if error > 0 and value:
        digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2
    return f"{value:.{min(max(digits, 2), _MOST_DIGITS)}g}"
