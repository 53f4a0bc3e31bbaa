"""Estimators that project on the states: in the Euclidean metric, and in that of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nmrqb.operators import Real
from nmrqb.tomography.estimation.barrier import centred
from nmrqb.tomography.estimation.model import Fit
from nmrqb.tomography.estimation.states import nearest_state, operator_of, to_state
from nmrqb.tomography.kinds import Method

GAP = 1e-8  # nats: the state is within √(2·gap) = 0.00014 standard deviations of the best
_ROUNDING = 1e-14  # of the largest precision: what double precision leaves of the gap
_MAX_STEPS = 300  # what takes longer is left to the barrier
_CHECK = 10  # steps between two looks at the duality gap, where the likelihood has flat directions


@dataclass(frozen=True)
class LinearInversion:
    """Generalised least squares as it is: unbiased, normal, not always positive.

    What the data do not show is set to zero.
    """

    name: ClassVar[Method] = "linear-inversion"

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return the linear inversions themselves."""
        return Fit(target, np.zeros(len(target)))


@dataclass(frozen=True)
class ProjectedLeastSquares:
    """The state nearest to the linear inversion in the Euclidean metric, in closed form.

    Guţă, Kahn, Kueng & Tropp, J. Phys. A 53, 204001 (2020): clip the spectrum on a simplex.  It
    ignores that some Paulis are known better than others, which maximum likelihood minds.
    """

    name: ClassVar[Method] = "projected-least-squares"

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return linear inversions with their negative ones projected."""
        result, outside = target.copy(), _outside(target)
        if np.any(outside):
            result[outside] = nearest_state(target[outside])
        return Fit(result, np.zeros(len(target)))


@dataclass(frozen=True)
class MaximumLikelihood:
    """The state of maximum likelihood: the projection in the metric of C⁻¹.

    Where the data do not determine the state several may be most likely; one of them is returned.
    `MaximumEntropy` says which one it takes.
    """

    name: ClassVar[Method] = "maximum-likelihood"

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return linear inversions with their negative ones projected."""
        result, gap, outside = target.copy(), np.zeros(len(target)), _outside(target)
        if np.any(outside):
            result[outside], gap[outside] = _most_likely(target[outside], precision)
        return Fit(result, gap)


def _outside(target: Real) -> NDArray[np.bool_]:
    return np.asarray(np.linalg.eigvalsh(to_state(target))[..., 0] < 0)


def _most_likely(target: Real, precision: Real) -> tuple[Real, Real]:
    """Minimise f(c) = ½ (c − ĉ)ᵀ C⁻¹ (c − ĉ) over states by accelerated projected gradient.

    Two certificates of what is missing to the minimum.  With L and μ the largest and smallest
    eigenvalue of C⁻¹ and G = L (a − c) the gradient mapping of a step from a to c, strong convexity
    bounds it by ½ |G|² (1/μ − 1/L); it costs nothing, and falls with the square of the distance.
    Without flat directions (μ > 0) it is what ends the search.  For any convex f it is also no more
    than ∇f·c − min_s ∇f·s over states s, the lowest eigenvalue of Σ ∇f_P P.
    """
    levels = np.linalg.eigvalsh(precision)
    largest, smallest = float(levels[-1]), max(float(levels[0]), 0.0)
    enough = max(GAP, _ROUNDING * largest)
    curved = smallest > _ROUNDING * largest
    flatness = (1 / smallest - 1 / largest) / 2 if curved else 0.0
    limit = (1 - np.sqrt(smallest / largest)) / (1 + np.sqrt(smallest / largest))
    best = nearest_state(target)
    gap = duality_gap(best, target, precision)
    active = np.flatnonzero(gap > enough)
    point, ahead, momentum = best[active], best[active], np.ones(len(active))
    for step in range(1, _MAX_STEPS + 1):
        if not active.size:
            return best, gap
        aim = target[active]
        new = nearest_state(ahead - (ahead - aim) @ (precision / largest))
        moved = ahead - new
        uphill = (moved * (new - point)).sum(axis=-1) > 0
        momentum = np.where(uphill, 1.0, momentum)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + np.minimum((momentum - 1) / faster, limit)[:, None] * (new - point)
        bound = largest**2 * (moved**2).sum(axis=-1) * flatness if curved else gap[active]
        if step % _CHECK == 0:
            exact = duality_gap(new, aim, precision)
            bound = np.minimum(bound, exact) if curved else exact
        best[active], gap[active] = new, bound
        keep = bound > enough
        active, point, ahead, momentum = active[keep], new[keep], ahead[keep], faster[keep]
    return _finished(best, gap, active, target, precision, enough)


def _finished(
    best: Real,
    gap: Real,
    left: NDArray[np.intp],
    target: Real,
    precision: Real,
    enough: float,
) -> tuple[Real, Real]:
    """Let the barrier finish what the gradient has left: on its path the gap is at most β d."""
    if left.size:
        d = np.sqrt(target.shape[-1] + 1)
        inner, _ = centred(target[left], precision, float(enough / d))
        best[left], gap[left] = inner, duality_gap(inner, target[left], precision)
    return best, gap


def duality_gap(c: Real, target: Real, precision: Real) -> Real:
    """Return ∇f·c − λ_min(Σ ∇f_P P), a bound of f(c) − min f over states: (N, P) → (N,)."""
    gradient = (c - target) @ precision
    lowest = np.linalg.eigvalsh(operator_of(gradient))[..., 0]
    return np.asarray((gradient * c).sum(axis=-1) - lowest)
