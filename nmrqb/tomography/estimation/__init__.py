"""Estimators of states, one per file: linear inversions in, coefficients of states out."""

from nmrqb.tomography.estimation.bayes import Bayesian
from nmrqb.tomography.estimation.entropy import MaximumEntropy
from nmrqb.tomography.estimation.hedging import Hedged
from nmrqb.tomography.estimation.model import Estimator, Fit
from nmrqb.tomography.estimation.posterior import Posterior
from nmrqb.tomography.estimation.projection import (
    LinearInversion,
    MaximumLikelihood,
    ProjectedLeastSquares,
)

__all__ = [
    "Bayesian",
    "Estimator",
    "Fit",
    "Hedged",
    "LinearInversion",
    "MaximumEntropy",
    "MaximumLikelihood",
    "Posterior",
    "ProjectedLeastSquares",
]
