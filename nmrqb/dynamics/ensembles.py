"""Ensembles over imperfections of the spectrometer, by deterministic quadrature."""

from __future__ import annotations

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

NODES = 9


def gaussian_ensemble(spread: float, *, nodes: int = NODES) -> tuple[Real, Real]:
    """Return values round 1 and weights that average over a normal distribution.

    Gauss–Hermite quadrature: exact for polynomials of degree 2·nodes − 1 in the deviation.

    Parameters
    ----------
    spread
        Relative standard deviation, ≥ 0; zero gives the single value 1.
    nodes
        Number of values.

    Returns
    -------
    values, weights
        Arrays of shape (nodes,); the weights sum to 1.

    Raises
    ------
    ArgumentError
        If the spread is negative or so large that the quadrature needs negative amplitudes.
    """
    if spread == 0:
        return np.ones(1), np.ones(1)
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    values = 1 + spread * x
    if not (spread >= 0 and values.min() > 0):
        raise ArgumentError(f"Argument `spread` must be in [0, {1 / x.max():.3f}), but is {spread}")
    return values, w / w.sum()
