"""What all estimators have in common: linear inversions in, coefficients of states out.

Weighted least squares is a sufficient statistic of Gaussian data: all that a data set tells of a
state is its linear inversion ĉ and the inverse covariance C⁻¹ of that, and the log-likelihood of a
state c is −½ (c − ĉ)ᵀ C⁻¹ (c − ĉ) up to a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nmrqb.operators import Real
from nmrqb.tomography.estimation.posterior import Posterior
from nmrqb.tomography.kinds import Method


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates of N states with P Pauli coefficients.

    Attributes
    ----------
    coefficients
        Shape (N, P).
    gap
        Certified bound, in nats, of what is missing to the maximum of that which the estimator
        maximises, shape (N,); zero where a closed form leaves nothing, or nothing is maximised.
    posterior
        The draws of a Bayesian estimate, else None.
    """

    coefficients: Real
    gap: Real
    posterior: Posterior | None = None


class Estimator(Protocol):
    """A way from linear inversions to estimates, with its settings."""

    @property
    def name(self) -> Method:
        """What it is called."""
        ...

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None) -> Fit:
        """Return the estimates of linear inversions ĉ, (N, P), of inverse covariance C⁻¹, (P, P).

        C⁻¹ may be singular; the estimator then also says what it makes of what is not seen.
        """
        ...
