"""From FIDs to density matrices: linear inversion and Gaussian maximum likelihood, batched.

Coefficients c_P belong to ρ = (1 + Σ c_P P)/d.  Weighted least squares is a sufficient statistic
of Gaussian data, so maximum likelihood is its projection on the states in the metric of its own
inverse covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, from_pauli_coefficients, pauli_coefficients
from nmrqb.tomography.response import Response, amplitude_covariance, line_amplitudes

Method = Literal["maximum-likelihood", "linear-inversion"]
METHODS: tuple[Method, ...] = ("maximum-likelihood", "linear-inversion")

_RANK = 1e-8
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
        Covariance of the linear inversion's Pauli coefficients, shape (4ⁿ − 1, 4ⁿ − 1).
    chi2
        Squared residual of the data over their noise, shape (...); its expectation is
        ``degrees_of_freedom`` where the model is right.
    degrees_of_freedom
        Number of data less number of coefficients.
    gap
        Certified bound of the log-likelihood that is missing to the maximum, shape (...).
    method
        The estimator.
    """

    rho: Complex
    linear: Complex
    covariance: Real
    chi2: Real
    degrees_of_freedom: int
    gap: Real
    method: Method


def to_state(coefficients: Real) -> Complex:
    """Return ρ = (1 + Σ c_P P)/d: (..., 4ⁿ − 1) → (..., d, d)."""
    one = np.ones((*coefficients.shape[:-1], 1))
    d = np.sqrt(coefficients.shape[-1] + 1)
    return np.asarray(from_pauli_coefficients(np.concatenate([one, coefficients], axis=-1)) / d)


def to_coefficients(rho: Complex) -> Real:
    """Return c_P = tr(Pρ) of states without the identity: (..., d, d) → (..., 4ⁿ − 1)."""
    return np.asarray(pauli_coefficients(rho)[..., 1:].real * rho.shape[-1])


def estimate_state(
    fids: Complex, response: Response, noise: Real, *, method: Method = "maximum-likelihood"
) -> StateEstimate:
    """Return the states that FIDs belong to.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    response
        Response of the measurement, see `response_matrix`.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,).
    method
        ``maximum-likelihood`` (positive states) or ``linear-inversion``.

    Raises
    ------
    ArgumentError
        If the readouts do not determine the state, shapes do not fit, or the method is unknown.
    """
    if method not in METHODS:
        raise ArgumentError(f"Argument `method` must be one of {METHODS}, but is {method!r}")
    amplitudes = line_amplitudes(np.asarray(fids), response.fits)
    if amplitudes.shape[-1] != len(response.offset):
        raise ArgumentError(
            f"Argument `fids` must hold {response.readouts} readouts, but holds {fids.shape[-3]}"
        )
    signal = amplitudes - response.offset
    data_covariance = amplitude_covariance(response, noise)
    whiten = np.linalg.inv(np.linalg.cholesky(data_covariance))
    design = whiten @ response.matrix
    _check_rank(design, response.paulis)
    precision = design.T @ design
    covariance = np.linalg.inv(precision)
    coefficients = signal @ whiten.T @ design @ covariance
    residual = signal @ whiten.T - coefficients @ design.T
    fitted, gap = constrain(coefficients, precision, method=method)
    return StateEstimate(
        rho=to_state(fitted),
        linear=to_state(coefficients),
        covariance=covariance,
        chi2=np.asarray((residual**2).sum(axis=-1)),
        degrees_of_freedom=design.shape[0] - design.shape[1],
        gap=gap,
        method=method,
    )


def undetermined(matrix: Real, paulis: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return rank, and the Paulis of the combinations that a response does not see.

    Parameters
    ----------
    matrix
        Response to unit Paulis, shape (amplitudes, 4ⁿ − 1), whitened or not.
    paulis
        Names of the columns.
    """
    _, sizes, axes = np.linalg.svd(matrix, full_matrices=True)
    rank = int(np.sum(sizes > _RANK * sizes.max()))
    hidden = np.linalg.norm(axes[rank:], axis=0)
    return rank, [name for name, weight in zip(paulis, hidden, strict=True) if weight > 1e-6]


def _check_rank(design: Real, paulis: tuple[str, ...]) -> None:
    rank, hidden = undetermined(design, paulis)
    if hidden:
        raise ArgumentError(
            f"Argument `response` must determine all {len(paulis)} Pauli coefficients, but has "
            f"rank {rank}; not seen: combinations of {', '.join(hidden)}"
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
