"""Standard errors of Pauli coefficients and of the elements of an estimated matrix."""

from __future__ import annotations

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, pauli_basis, spin_count
from nmrqb.tomography.estimation.states import to_coefficients
from nmrqb.tomography.estimators import StateEstimate


@checked
def coefficient_errors(estimate: StateEstimate) -> Real:
    """Return the standard deviations of c_P = tr(Pρ), a common error of scale included.

    σ²_P = C_PP + s² c_P², with the covariance C and the relative error s of the scale.

    Returns
    -------
    array of shape (..., 4ⁿ − 1)
        Of the linear inversion, in the order of `nmrqb.operators.pauli_strings`; dimensionless.

    Raises
    ------
    ArgumentError
        If the covariance is not finite or has negative variances.
    """
    covariance = _covariance(estimate)
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    common = estimate.scale_error * to_coefficients(estimate.linear)
    return np.asarray(np.sqrt(own + common**2))


@checked
def element_errors(estimate: StateEstimate) -> tuple[Real, Real]:
    """Return the standard deviations of real and imaginary part of every element of ρ.

    The elements are linear in the coefficients, ρ_ij = (δ_ij + Σ c_P P_ij)/d, so that
    σ²(Re ρ_ij) = Σ_PQ Re P_ij C_PQ Re Q_ij/d² + s² (Re ρ_ij − δ_ij/d)² holds without
    approximation, and likewise for Im: covariance C, relative error s of the scale.

    The errors are those of the linear inversion.  Positivity, where it acts, makes those of the
    maximum-likelihood state smaller, and biases it.

    Returns
    -------
    real, imaginary
        Shape (..., d, d) each, dimensionless.

    Raises
    ------
    ArgumentError
        If the covariance is not finite or has negative variances.
    """
    covariance, rho = _covariance(estimate), estimate.linear
    d = rho.shape[-1]
    paulis = pauli_basis(spin_count(rho))[1:].reshape(d * d - 1, d * d) / d
    moved = rho - np.eye(d) / d
    each = ((paulis.real, moved.real), (paulis.imag, moved.imag))
    real, imaginary = (
        np.sqrt(_variances(covariance, part).reshape(*covariance.shape[:-2], d, d) + common**2)
        for part, common in ((part, estimate.scale_error * by) for part, by in each)
    )
    return np.asarray(real), np.asarray(imaginary)


def _variances(covariance: Real, slopes: Real) -> Real:
    """Return the variances of sums of coefficients: (..., k, k) and (k, m) → (..., m)."""
    found = np.einsum("km,...km->...m", slopes, covariance @ slopes)
    return np.asarray(np.clip(found, 0, None))  # rounding may leave −1e-20


def _covariance(estimate: StateEstimate) -> Real:
    """Return the covariance of an estimate, which must be one."""
    covariance = estimate.covariance
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    if not np.all(np.isfinite(covariance)) or np.any(own < 0):
        bad = np.count_nonzero(~np.isfinite(covariance)) + np.count_nonzero(own < 0)
        raise ArgumentError(
            "Argument `estimate` must have a finite covariance without negative variances, but "
            f"{bad} of its numbers are not"
        )
    return covariance
