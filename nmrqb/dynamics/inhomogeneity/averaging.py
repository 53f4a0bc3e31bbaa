"""Means over ensembles in blocks of bounded memory, refined until they have converged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmrqb.dynamics.inhomogeneity.ensembles import Ensemble
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

MAX_REFINEMENT = 16
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Averaged:
    """A mean over an ensemble and how far it can be trusted.

    Attributes
    ----------
    value
        The mean, shape (...).
    error
        Estimate of the largest absolute error of an element: for quadrature the larger one of
        the last two changes, each from a rule of about half the nodes (one change can be small by
        chance); for random members the standard error; and what truncated weight can do.
    met
        Whether the error is within the tolerance.
    refinement
        How many times finer than asked for the rules were.
    ensemble
        The members of the last mean, with the error.
    """

    value: Complex
    error: float
    met: bool
    refinement: int
    ensemble: Ensemble


@dataclass(frozen=True, eq=False)
class _Moments:
    """Mean, mean square and largest size of what the members give."""

    mean: Complex
    squares: Real
    largest: float
    ensemble: Ensemble

    @property
    def truncated(self) -> float:
        """What members beyond a truncation can change, as others have taken their place."""
        return 2 * self.ensemble.missing * self.largest

    @property
    def standard_error(self) -> float:
        """Largest standard error of the mean of random members."""
        variance = (self.squares - np.abs(self.mean) ** 2).clip(min=0)
        members = max(self.ensemble.size - 1, 1)
        return float(np.sqrt(variance.max(initial=0.0) / members))


def average(
    function: Callable[[Ensemble], Complex],
    make_ensemble: Callable[[int], Ensemble],
    tolerance: float,
    *,
    max_refinement: int = MAX_REFINEMENT,
    block: int = BLOCK,
) -> Averaged:
    """Return Σ_m w_m f_m, with rules refined until the tolerance is met or a maximum is reached.

    Parameters
    ----------
    function
        Takes a part of the ensemble, returns f of its members, shape (members, ...).
    make_ensemble
        Takes a refinement 1, 2, 4, … and returns an ensemble of about as many times the members,
        as `nmrqb.dynamics.product` does.
    tolerance
        Largest absolute error of an element, > 0.
    max_refinement
        Refinement beyond which the mean is returned as it is.
    block
        Number of members that ``function`` sees at once.

    Returns
    -------
    Averaged
        Its ``met`` says whether the tolerance was met.

    Raises
    ------
    ArgumentError
        If the tolerance or the block is not positive.
    """
    if not (tolerance > 0 and block >= 1 and max_refinement >= 2):
        raise ArgumentError(
            "Arguments `tolerance`, `block`, `max_refinement` must be > 0, ≥ 1, ≥ 2, but are "
            f"{tolerance}, {block}, {max_refinement}"
        )
    found, refinement = _moments(function, make_ensemble(1), block), 1
    changes: list[float] = []
    while not _done(found, changes, tolerance) and 2 * refinement <= max_refinement:
        refinement *= 2
        finer = _moments(function, make_ensemble(refinement), block)
        changes.append(float(np.abs(finer.mean - found.mean).max(initial=0.0)))
        if finer.ensemble.size == found.ensemble.size:
            changes.append(0.0)  # a table, which nothing can refine
        found = finer
    return _averaged(found, _error(found, changes), tolerance, refinement)


def _error(found: _Moments, changes: Sequence[float]) -> float:
    if found.ensemble.seed is not None:
        return found.truncated + found.standard_error
    return found.truncated + max(changes[-2:], default=np.inf)


def _done(found: _Moments, changes: Sequence[float], tolerance: float) -> bool:
    """Return whether the error is known well enough and within the tolerance, or cannot fall."""
    if found.ensemble.seed is not None:
        return _error(found, changes) <= tolerance
    settled = len(changes) > 1 and changes[-1] == 0.0 == changes[-2]
    return settled or (len(changes) > 1 and _error(found, changes) <= tolerance)


def _averaged(found: _Moments, error: float, tolerance: float, refinement: int) -> Averaged:
    ensemble = replace(found.ensemble, error=error)
    return Averaged(found.mean, error, error <= tolerance, refinement, ensemble)


def _moments(function: Callable[[Ensemble], Complex], ensemble: Ensemble, block: int) -> _Moments:
    parts = [(share, part, np.asarray(function(part))) for share, part in ensemble.blocks(block)]
    squares = (share * part.mean(np.abs(f) ** 2).real for share, part, f in parts)
    return _Moments(
        mean=np.asarray(sum(share * part.mean(f) for share, part, f in parts)),
        squares=np.asarray(sum(squares)),
        largest=max(float(np.abs(f).max(initial=0.0)) for _, _, f in parts),
        ensemble=ensemble,
    )
