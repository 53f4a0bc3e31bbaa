"""From FIDs to density matrices: linear inversion and Gaussian maximum likelihood, batched.

Coefficients c_P belong to ρ = (1 + Σ c_P P)/d.  Weighted least squares is a sufficient statistic
of Gaussian data, so maximum likelihood is its projection on the states in the metric of its own
inverse covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2 as chi2_law

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, from_pauli_coefficients, pauli_coefficients
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.combinations import sparse_basis, split_space
from nmrqb.tomography.kinds import Kind, Method, check_kind
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Response, amplitude_covariance, observed_amplitudes

METHODS: tuple[Method, ...] = ("maximum-likelihood", "linear-inversion")

_GAP = 1e-5  # nats: far below the statistical spread of the log-likelihood, which is 1
_ROUNDING = 1e-14  # of the largest precision: what double precision leaves of the gap
_MAX_STEPS = 2000


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
        Certified bound of the log-likelihood that is missing to the maximum, shape (...).
    method
        The estimator.
    kind
        What the matrices are, see `nmrqb.tomography.Kind`.
    scale_error
        Relative standard deviation of one factor that all Pauli coefficients share, that of the
        reference's polarisation; it is not part of the covariance.
    noise_degrees_of_freedom
        Real numbers behind the estimated noise level; infinite where it was given.
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

    @property
    def p_value(self) -> Real:
        """Probability of so large a residual where the model is right, shape (...)."""
        if not self.degrees_of_freedom:
            return np.ones_like(self.chi2)
        return np.asarray(chi2_law.sf(self.chi2, self.degrees_of_freedom))


def to_state(coefficients: Real) -> Complex:
    """Return ρ = (1 + Σ c_P P)/d: (..., 4ⁿ − 1) → (..., d, d)."""
    one = np.ones((*coefficients.shape[:-1], 1))
    d = np.sqrt(coefficients.shape[-1] + 1)
    return np.asarray(from_pauli_coefficients(np.concatenate([one, coefficients], axis=-1)) / d)


def to_coefficients(rho: Complex) -> Real:
    """Return c_P = tr(Pρ) of states without the identity: (..., d, d) → (..., 4ⁿ − 1)."""
    return np.asarray(pauli_coefficients(rho)[..., 1:].real * rho.shape[-1])


def estimate_state(
    fids: Complex,
    response: Response,
    noise: Real | NoiseLevel,
    *,
    method: Method = "maximum-likelihood",
    kind: Kind = "full",
    calibration: Calibration | None = None,
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
        ``maximum-likelihood`` (positive states) or ``linear-inversion``.
    kind
        What the matrices are to be; positivity says nothing of a ``deviation``, which
        therefore asks for ``linear-inversion``.
    calibration
        Gains and phases of the channels, which are taken off the FIDs; their errors are common to
        all amplitudes of a channel and go into the covariance as such.

    Raises
    ------
    ArgumentError
        If the readouts do not determine the state, shapes do not fit, or method or kind make no
        sense.
    """
    if method not in METHODS:
        raise ArgumentError(f"Argument `method` must be one of {METHODS}, but is {method!r}")
    check_kind(kind, method)
    known = calibration or Calibration.perfect(len(response.fits))
    level = NoiseLevel.of(noise)
    fids, sigma = known.taken_off(np.asarray(fids), level.sigma)
    signal = observed_amplitudes(fids, response) - response.offset
    whiten = np.linalg.inv(np.linalg.cholesky(amplitude_covariance(response, sigma)))
    design = whiten @ response.matrix
    _check_rank(design, response.paulis)
    precision = design.T @ design
    covariance = np.linalg.inv(precision)
    coefficients = signal @ whiten.T @ design @ covariance
    residual = signal @ whiten.T - coefficients @ design.T
    fitted, gap = constrain(coefficients, precision, method=method)
    if calibration is not None:
        amplitudes = coefficients @ response.matrix.T + response.offset
        inverse = covariance @ design.T @ whiten
        covariance = covariance + calibration.spread(amplitudes, response.channel_of, inverse)
    return StateEstimate(
        rho=to_state(fitted),
        linear=to_state(coefficients),
        covariance=covariance,
        chi2=np.asarray((residual**2).sum(axis=-1)),
        degrees_of_freedom=design.shape[0] - design.shape[1],
        gap=gap,
        method=method,
        kind=kind,
        scale_error=known.scale_error,
        noise_degrees_of_freedom=level.degrees_of_freedom,
    )


def undetermined(matrix: Real, paulis: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return rank, and the names of the combinations of Paulis that a response does not see.

    Parameters
    ----------
    matrix
        Response to unit Paulis, shape (amplitudes, 4ⁿ − 1), whitened or not.
    paulis
        Names of the columns.
    """
    rank, unseen = split_space(matrix)
    return rank, [combination.name for combination in sparse_basis(unseen, paulis)]


def _check_rank(design: Real, paulis: tuple[str, ...]) -> None:
    rank, hidden = undetermined(design, paulis)
    if hidden:
        raise ArgumentError(
            f"Argument `response` must determine all {len(paulis)} Pauli coefficients, but has "
            f"rank {rank}; not seen: {', '.join(hidden)}"
        )


def constrain(coefficients: Real, precision: Real, *, method: Method) -> tuple[Real, Real]:
    """Return the estimator's coefficients from those of linear inversion, and the gap.

    Parameters
    ----------
    coefficients
        Linear inversions, shape (..., 4ⁿ − 1).
    precision
        Their inverse covariance, shape (4ⁿ − 1, 4ⁿ − 1).
    method
        ``linear-inversion`` returns them as they are; ``maximum-likelihood`` minimises
        ½(c − ĉ)ᵀ C⁻¹ (c − ĉ) over the density matrices.

    Returns
    -------
    coefficients, gap
        Shapes (..., 4ⁿ − 1) and (...).
    """
    flat = coefficients.reshape(-1, coefficients.shape[-1])
    result, gap = flat.copy(), np.zeros(len(flat))
    if method == "maximum-likelihood":
        negative = np.linalg.eigvalsh(to_state(flat))[:, 0] < 0
        if np.any(negative):
            result[negative], gap[negative] = _project(flat[negative], precision)
    return result.reshape(coefficients.shape), gap.reshape(coefficients.shape[:-1])


def _project(target: Real, precision: Real) -> tuple[Real, Real]:
    """Accelerated projected gradient with restart; the duality gap certifies convergence.

    For a convex f over the states, f(c) − f* ≤ ∇f·c − min_s ∇f·s, and the minimum over states s
    is the lowest eigenvalue of Σ ∇f_P P.
    """
    largest = float(np.linalg.eigvalsh(precision)[-1])
    step, enough = 1 / largest, max(_GAP, _ROUNDING * largest)
    best = _nearest_state(target)
    gap = _duality_gap(best, target, precision)
    active = np.flatnonzero(gap > enough)
    point, ahead = best[active], best[active]
    momentum = np.ones(len(active))
    for _ in range(_MAX_STEPS):
        if not active.size:
            break
        gradient = (ahead - target[active]) @ precision
        new = _nearest_state(ahead - step * gradient)
        uphill = np.einsum("ij,ij->i", ahead - new, new - point) > 0
        momentum = np.where(uphill, 1.0, momentum)
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + ((momentum - 1) / faster)[:, None] * (new - point)
        point, momentum = new, faster
        best[active] = point
        gap[active] = _duality_gap(point, target[active], precision)
        keep = gap[active] > enough
        active, point, ahead, momentum = active[keep], point[keep], ahead[keep], momentum[keep]
    return best, gap


def _duality_gap(c: Real, target: Real, precision: Real) -> Real:
    gradient = (c - target) @ precision
    d = np.sqrt(c.shape[-1] + 1)
    operator = to_state(gradient) * d - np.eye(int(d))  # Σ ∇f_P P
    lowest = np.linalg.eigvalsh(operator)[..., 0]
    return np.asarray(np.einsum("...i,...i->...", gradient, c) - lowest)


def _nearest_state(coefficients: Real) -> Real:
    """Project on the density matrices in the Euclidean metric: clip the spectrum on a simplex."""
    r, V = np.linalg.eigh(to_state(coefficients))
    descending = r[..., ::-1]
    k = np.arange(1, r.shape[-1] + 1)
    excess = (np.cumsum(descending, axis=-1) - 1) / k
    support = np.sum(descending > excess, axis=-1, keepdims=True)
    shift = np.take_along_axis(excess, support - 1, axis=-1)
    clipped = np.clip(r - shift, 0, None)
    return to_coefficients((V * clipped[..., None, :]) @ V.conj().swapaxes(-1, -2))
