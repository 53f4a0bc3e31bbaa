"""Ensembles over imperfections of the spectrometer, by deterministic quadrature."""

from __future__ import annotations

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

_REACH = 6.0  # standard deviations on either side


def gaussian_ensemble(spread: float, *, largest_angle: float = 0.0) -> tuple[Real, Real]:
    """Return relative amplitudes and weights that average over a normal distribution round 1.

    Equally spaced amplitudes over ±6 standard deviations with Gaussian weights (trapezoidal rule,
    spectrally accurate here): what turns by an angle θ in all averages as cos(θ s x), which
    h ≤ 2π/(θs + 6) standard deviations between neighbours resolve to about 1e-7.

    Parameters
    ----------
    spread
        Relative standard deviation s, ≥ 0; zero gives the single amplitude 1.
    largest_angle
        Largest angle θ in rad by which a matrix element turns over the whole experiment.

    Returns
    -------
    amplitudes, weights
        Arrays of shape (nodes,); the weights sum to 1.

    Raises
    ------
    ArgumentError
        If the spread is not a number from 0 to 0.5.
    """
    if not 0 <= spread <= 0.5:
        raise ArgumentError(f"Argument `spread` must be from 0 to 0.5, but is {spread}")
    if spread == 0:
        return np.ones(1), np.ones(1)
    intervals = int(np.ceil(2 * _REACH * (abs(largest_angle) * spread + _REACH) / (2 * np.pi)))
    x = np.linspace(-_REACH, _REACH, intervals + 1)
    weights = np.exp(-(x**2) / 2)
    return 1 + spread * x, weights / weights.sum()
