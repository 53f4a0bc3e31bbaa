"""What data tell of a state that they do not determine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.combinations import Combination, as_combination, sparse_basis
from nmrqb.tomography.design.analysis import Design, analyse, expectation, whitener
from nmrqb.tomography.estimation import Estimator, Posterior
from nmrqb.tomography.estimation.states import to_state
from nmrqb.tomography.estimators import estimator_of, fitted
from nmrqb.tomography.kinds import Method
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Response, observed_amplitudes


@dataclass(frozen=True, eq=False)
class PartialEstimate:
    """What is known of states that the readouts do not determine, or do.

    Attributes
    ----------
    design
        What the readouts see.
    seen
        Basis of the determined combinations of Paulis, single Paulis first.
    values
        Their estimated expectation values, unbiased, shape (..., rank).
    covariance
        Their covariance, shape (rank, rank), or (..., rank, rank) with a calibration.
    rho
        Estimated states, shape (..., d, d).  Where the data allow several most likely ones,
        ``maximum-likelihood`` gives one of them, ``maximum-entropy`` the most mixed in the region
        of the data: use `bounds` to see how far others differ.
    chi2
        Squared residual of the data over their noise, shape (...).
    degrees_of_freedom
        Number of data less rank.
    gap
        Certified bound of what is missing to the maximum of that which the estimator maximises, in
        nats, shape (...).
    posterior
        Draws behind a Bayesian estimate, else None.
    """

    design: Design
    seen: tuple[Combination, ...]
    values: Real
    covariance: Real
    rho: Complex
    chi2: Real
    degrees_of_freedom: int
    gap: Real
    posterior: Posterior | None = None

    @property
    def invisible(self) -> tuple[Combination, ...]:
        """Basis of what the data do not tell."""
        return self.design.invisible

    @property
    def errors(self) -> Real:
        """Standard deviations of ``values``, shape (rank,) or (..., rank)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))

    def expectation(self, operator: Complex) -> tuple[Real, Real]:
        """Return ⟨O⟩ of a determined operator and its standard deviation: (d, d) → (...), (...).

        Raises
        ------
        ArgumentError
            If the data do not determine it.
        """
        wanted = as_combination(operator, self.design.paulis)
        known = expectation(self.design, wanted)
        if known.missing is not None:
            raise ArgumentError(
                f"Argument `operator` must be determined by the data, but they do not show its "
                f"part {known.missing.name}"
            )
        axes = np.array([combination.vector for combination in self.seen])
        weights, *_ = np.linalg.lstsq(axes.T, wanted.vector, rcond=None)
        constant = float(np.trace(operator).real) / len(operator)
        variance = np.einsum("i,...ij,j->...", weights, self.covariance, weights)
        return constant + self.values @ weights, np.sqrt(variance)


@checked
def estimate_partially(
    fids: Complex,
    response: Response,
    noise: Real | NoiseLevel,
    *,
    method: Method | Estimator = "maximum-likelihood",
    calibration: Calibration | None = None,
    rng: np.random.Generator | None = None,
) -> PartialEstimate:
    """Return what FIDs determine of the states they belong to, and the names of the rest.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    response
        Response of the measurement, see `nmrqb.tomography.response_matrix`.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), or
        what `noise_level` measured on the FIDs.
    method, calibration, rng
        Estimator of the states; gains and phases of the channels; random generator of a Bayesian
        estimate, see `estimate_state`.

    Raises
    ------
    ArgumentError
        If shapes do not fit, an FID is not finite, the noise is not positive, or the method makes
        no sense.
    """
    estimator = estimator_of(method)
    known = calibration or Calibration.perfect(len(response.fits))
    fids, sigma = known.taken_off(np.asarray(fids), NoiseLevel.of(noise).sigma)
    design, W = analyse(response, sigma), whitener(response, sigma)
    A = W @ response.matrix
    signal = (observed_amplitudes(fids, response) - response.offset) @ W.T
    coefficients = signal @ A @ design.covariance
    residual = signal - coefficients @ A.T
    covariance = design.covariance
    if calibration is not None:
        amplitudes = coefficients @ response.matrix.T + response.offset
        inverse = covariance @ A.T @ W
        covariance = covariance + calibration.spread(amplitudes, response.channel_of, inverse)
    seen = sparse_basis(np.eye(len(A.T)) - design.unseen, design.paulis)
    axes = np.array([combination.vector for combination in seen]).reshape(-1, len(A.T))
    fit = fitted(estimator, coefficients, A.T @ A, rng)
    return PartialEstimate(
        design=design,
        seen=seen,
        values=coefficients @ axes.T,
        covariance=axes @ covariance @ axes.T,
        rho=to_state(fit.coefficients),
        chi2=np.asarray((residual**2).sum(axis=-1)),
        degrees_of_freedom=len(A) - design.rank,
        gap=fit.gap,
        posterior=fit.posterior,
    )
