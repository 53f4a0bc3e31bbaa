"""From FIDs to density matrices, batched: linear inversion first, then any estimator.

============================  ====================================================================
``maximum-likelihood``        the state of largest likelihood
``linear-inversion``          generalised least squares, unbiased and not always positive
``projected-least-squares``   the state nearest to the linear inversion
``hedged``                    likelihood times det(ρ)^β: no eigenvalue is zero
``maximum-entropy``           the most mixed state in a confidence region
``bayesian``                  the posterior mean under a prior of random states
============================  ====================================================================

Error bars come from the linear inversion whatever the estimator, see `intervals`: the others differ
in their plug-in values alone.  Flat-prior credible intervals and percentiles of a bootstrap are not
offered for figures of merit: both scatter states round an estimate that noise has scattered
already, which doubles the bias of convex figures, and cover their nominal 95 % in 0 to 40 % of
repetitions for the ergotropy of mixed states at a low signal-to-noise ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from scipy.stats import chi2 as chi2_law

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Complex, Real
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.combinations import sparse_basis, split_space
from nmrqb.tomography.estimation import (
    Bayesian,
    Estimator,
    Fit,
    Hedged,
    LinearInversion,
    MaximumEntropy,
    MaximumLikelihood,
    Posterior,
    ProjectedLeastSquares,
)
from nmrqb.tomography.estimation.states import misfit, to_coefficients, to_state
from nmrqb.tomography.kinds import Kind, Method, check_kind
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Response, observed_amplitudes
from nmrqb.tomography.whitening import whitened

__all__ = [
    "ESTIMATORS",
    "METHODS",
    "StateEstimate",
    "estimate_state",
    "estimator_of",
    "fitted",
    "joined_estimates",
    "to_coefficients",
    "to_state",
    "undetermined",
]

ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        estimator.name: estimator
        for estimator in (
            MaximumLikelihood(),
            LinearInversion(),
            ProjectedLeastSquares(),
            Hedged(),
            MaximumEntropy(),
            Bayesian(),
        )
    }
)
_COMPLETE = 1e-10  # ratio of precisions above which nothing hides, and no closer look is needed
METHODS: tuple[Method, ...] = tuple(estimator.name for estimator in ESTIMATORS.values())


@dataclass(frozen=True, eq=False)
class StateEstimate:
    """Reconstructed states with their uncertainty.

    Attributes
    ----------
    rho
        Estimated states, shape (..., d, d).
    linear
        Linear inversions, unbiased and not always positive, shape (..., d, d).
    covariance
        Covariance of the linear inversion's Pauli coefficients, shape (4ⁿ − 1, 4ⁿ − 1); with a
        calibration, (..., 4ⁿ − 1, 4ⁿ − 1), for the errors of gains and phases grow with the signal.
    chi2
        Squared residual of the data over their noise, shape (...); its expectation is
        ``degrees_of_freedom`` where the model is right.
    degrees_of_freedom
        Number of data less number of coefficients.
    gap
        Certified bound of what is missing to the maximum of that which the estimator maximises, in
        nats, shape (...): log-likelihood; with β ln det ρ if hedged; entropy.  Zero where nothing
        is left or maximised.
    method
        Name of the estimator.
    kind
        What the matrices are, see `nmrqb.tomography.Kind`.
    scale_error
        Relative standard deviation of one factor that all Pauli coefficients share, that of the
        reference's polarisation; it is not part of the covariance.
    noise_degrees_of_freedom
        Real numbers behind the estimated noise level; infinite where it was given.
    misfit
        What ``chi2`` grows by if the linear inversions are replaced by the estimated states,
        shape (...), or None where it is not known.
    estimator
        The estimator with its settings, or None where it is not known.
    posterior
        Draws behind a Bayesian estimate, with what they say of their convergence, else None.
    """

    rho: Complex
    linear: Complex
    covariance: Real
    chi2: Real
    degrees_of_freedom: int
    gap: Real
    method: Method
    kind: Kind = "full"
    scale_error: float = 0.0
    noise_degrees_of_freedom: float = np.inf
    misfit: Real | None = None
    estimator: Estimator | None = None
    posterior: Posterior | None = None

    @property
    def p_value(self) -> Real:
        """Probability of so large a residual where the model is right, shape (...)."""
        if not self.degrees_of_freedom:
            return np.ones_like(self.chi2)
        return np.asarray(chi2_law.sf(self.chi2, self.degrees_of_freedom))

    @property
    def joint_p_value(self) -> float:
        """Probability of so large residuals of all states together where the model is right.

        States that were taken with one calibration share its errors: of these it is the least of
        their own p-values times their number (Bonferroni), a bound.
        """
        return self._joint(chi2_law.sf)

    @property
    def joint_p_smaller(self) -> float:
        """Probability of so small residuals of all states together, as for `joint_p_value`.

        Where it is tiny, the data fit better than their noise allows: the noise is overstated, or
        the FIDs were filtered, smoothed or clipped.
        """
        return self._joint(chi2_law.cdf)

    def _joint(self, tail: Callable[[Real, int], Real]) -> float:
        if not self.degrees_of_freedom:
            return 1.0
        if self.covariance.ndim > 2:
            each = np.asarray(tail(self.chi2, self.degrees_of_freedom))
            return min(1.0, float(each.min()) * each.size)
        freedom = self.degrees_of_freedom * self.chi2.size
        return float(tail(np.asarray(self.chi2.sum()), freedom))


def estimator_of(method: str | Estimator) -> Estimator:
    """Return an estimator with its usual settings by its name, and an estimator as it is.

    Raises
    ------
    ArgumentError
        If there is none of that name.
    """
    if not isinstance(method, str) and hasattr(method, "fit"):
        return method
    if str(method) not in ESTIMATORS:
        raise ArgumentError(
            f"Argument `method` must be one of the estimators, but is {method!r}; "
            f"{nearest(str(method), METHODS)}"
        )
    return ESTIMATORS[str(method)]


@checked
def estimate_state(
    fids: Complex,
    response: Response,
    noise: Real | NoiseLevel,
    *,
    method: Method | Estimator = "maximum-likelihood",
    kind: Kind = "full",
    calibration: Calibration | None = None,
    rng: np.random.Generator | None = None,
) -> StateEstimate:
    """Return the states that FIDs belong to.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    response
        Response of the measurement, see `response_matrix`.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), or
        what `noise_level` measured on the FIDs.
    method
        One of `METHODS` with its usual settings, or an estimator with settings of its own:
        `Hedged`, `MaximumEntropy`, `Bayesian`, …
    kind
        What the matrices are to be; positivity says nothing of a ``deviation``, which
        therefore asks for ``linear-inversion``.
    calibration
        Gains and phases of the channels, which are taken off the FIDs; their errors are common to
        all amplitudes of a channel and go into the covariance as such; estimators weight by the
        receiver's noise alone.
    rng
        Random generator of the Bayesian estimate; its state is kept in the posterior.

    Raises
    ------
    ArgumentError
        If the readouts do not determine the state (`estimate_partially` takes those), shapes do
        not fit, or method or kind make no sense.
    """
    estimator = estimator_of(method)
    check_kind(kind, estimator.name)
    known = calibration or Calibration.perfect(len(response.fits))
    level = NoiseLevel.of(noise)
    fids, sigma = known.taken_off(np.asarray(fids), level.sigma)
    signal = observed_amplitudes(fids, response) - response.offset
    design = whitened(response.matrix.T, response, sigma).T
    precision = design.T @ design
    _check_rank(design, precision, response.paulis)
    covariance = np.linalg.inv(precision)
    white = whitened(signal, response, sigma)
    coefficients = white @ design @ covariance
    residual = white - coefficients @ design.T
    fit = fitted(estimator, coefficients, precision, rng)
    chi2 = np.asarray((residual**2).sum(axis=-1))
    if calibration is not None:
        amplitudes = coefficients @ response.matrix.T + response.offset
        white_map = whitened(np.eye(len(design)), response, sigma).T
        shared = calibration.spread(amplitudes, response.channel_of, white_map)
        chi2 = _chi2_with(shared, residual, design)
        inverse = covariance @ design.T @ white_map
        covariance = covariance + calibration.spread(amplitudes, response.channel_of, inverse)
    return StateEstimate(
        rho=to_state(fit.coefficients),
        linear=to_state(coefficients),
        covariance=covariance,
        chi2=chi2,
        degrees_of_freedom=design.shape[0] - design.shape[1],
        gap=fit.gap,
        method=estimator.name,
        kind=kind,
        scale_error=known.scale_error,
        noise_degrees_of_freedom=level.degrees_of_freedom,
        misfit=misfit(fit.coefficients, coefficients, precision),
        estimator=estimator,
        posterior=fit.posterior,
    )


def _chi2_with(shared: Real, residual: Real, design: Real) -> Real:
    """Return χ² of white residuals (..., m) whose data share errors of covariance (..., m, m)."""
    left = np.linalg.qr(design, mode="complete")[0][:, design.shape[1] :]  # what no state makes
    z = residual @ left
    covariance = np.eye(left.shape[1]) + left.T @ shared @ left
    return np.asarray((z * np.linalg.solve(covariance, z[..., None])[..., 0]).sum(axis=-1))


@checked
def joined_estimates(parts: Sequence[StateEstimate]) -> StateEstimate:
    """Return estimates of one measurement, all of shape (T, ...), joined along their first axis.

    Raises
    ------
    ArgumentError
        If there are none, or one is of a single state, without such an axis.
    """
    if not parts or any(part.rho.ndim < 3 for part in parts):
        raise ArgumentError(
            "Argument `parts` must hold estimates of shape (T, d, d), but has shapes "
            f"{[part.rho.shape for part in parts]}"
        )
    first = parts[0]
    posteriors = [part.posterior for part in parts if part.posterior is not None]
    misfits = [part.misfit for part in parts if part.misfit is not None]
    covariances = [part.covariance for part in parts]
    return replace(
        first,
        rho=np.concatenate([part.rho for part in parts]),
        linear=np.concatenate([part.linear for part in parts]),
        covariance=np.concatenate(covariances) if first.covariance.ndim > 2 else first.covariance,
        chi2=np.concatenate([part.chi2 for part in parts]),
        gap=np.concatenate([part.gap for part in parts]),
        misfit=np.concatenate(misfits) if misfits else None,
        posterior=Posterior.joined(posteriors) if posteriors else None,
    )


@checked
def undetermined(matrix: Real, paulis: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return rank, and the names of the combinations of Paulis that a response does not see.

    Parameters
    ----------
    matrix
        Response to unit Paulis, shape (amplitudes, 4ⁿ − 1), whitened or not.
    paulis
        Names of the columns.
    """
    if matrix.ndim != 2 or matrix.shape[-1] != len(paulis) or not np.all(np.isfinite(matrix)):
        raise ArgumentError(
            f"Argument `matrix` must be finite and have shape (amplitudes, {len(paulis)}), but has "
            f"shape {matrix.shape} and {np.count_nonzero(~np.isfinite(matrix))} elements that are "
            "not finite"
        )
    rank, unseen = split_space(matrix)
    return rank, [combination.name for combination in sparse_basis(unseen, paulis)]


def _check_rank(design: Real, precision: Real, paulis: tuple[str, ...]) -> None:
    levels = np.linalg.eigvalsh(precision)
    if levels[0] > _COMPLETE * levels[-1]:
        return
    rank, hidden = undetermined(design, paulis)
    if hidden:
        raise ArgumentError(
            f"Argument `response` must determine all {len(paulis)} Pauli coefficients, but has "
            f"rank {rank}; not seen: {', '.join(hidden)}"
        )


def fitted(
    estimator: Estimator, coefficients: Real, precision: Real, rng: np.random.Generator | None
) -> Fit:
    """Return the estimates of linear inversions of any batch shape.

    Parameters
    ----------
    estimator
        The estimator.
    coefficients
        Linear inversions, shape (..., 4ⁿ − 1).
    precision
        Their inverse covariance, shape (4ⁿ − 1, 4ⁿ − 1), singular where they do not determine
        the state.
    rng
        Random generator, for estimators that need one.
    """
    batch = coefficients.shape[:-1]
    fit = estimator.fit(coefficients.reshape(-1, coefficients.shape[-1]), precision, rng)
    posterior = fit.posterior and fit.posterior.reshaped(batch)
    return Fit(fit.coefficients.reshape(coefficients.shape), fit.gap.reshape(batch), posterior)
