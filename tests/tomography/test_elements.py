"""Errors of Pauli coefficients and matrix elements, against draws and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.operators import from_pauli_coefficients, pauli_strings
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver, add_noise
from nmrqb.tomography import (
    StateEstimate,
    acquire,
    coefficient_errors,
    element_errors,
    estimate_state,
    measurement_chain,
    response_matrix,
)

SPINS = (1, 2, 3, 4)


def states(coefficients):
    """Return ρ = (1 + Σ c_P P)/d of coefficients without the identity."""
    d = int(np.sqrt(coefficients.shape[-1] + 1))
    one = np.ones((*coefficients.shape[:-1], 1))
    return from_pauli_coefficients(np.concatenate([one, coefficients], axis=-1)) / d


def estimate_of(coefficients, covariance, **options):
    rho = states(coefficients)
    zero = np.zeros(rho.shape[:-2])
    return StateEstimate(rho, rho, covariance, zero, 0, zero, "linear-inversion", **options)


def random_estimate(n, seed, **options):
    rng = np.random.default_rng(seed)
    size = 4**n - 1
    A = rng.normal(size=(size, 3))  # strongly correlated
    covariance = 1e-4 * (A @ A.T + np.diag(rng.uniform(0.1, 1, size)))
    return estimate_of(rng.uniform(-0.3, 0.3, size), covariance, **options)


def drawn(estimate, size, seed=0):
    """Return matrices as often repeated experiments would find them."""
    rng = np.random.default_rng(seed)
    k = len(estimate.covariance)
    d = estimate.linear.shape[-1]
    noise = rng.standard_normal((size, k)) @ np.linalg.cholesky(estimate.covariance).T
    scale = estimate.scale_error * rng.standard_normal((size, 1, 1))
    centre = estimate.linear - np.eye(d) / d
    return states(noise) + centre * (1 + scale)


@pytest.mark.parametrize("n", SPINS)
@pytest.mark.parametrize("scale_error", [0.0, 0.05])
def test_errors_are_the_spread_of_repeated_experiments(n, scale_error):
    estimate = random_estimate(n, n, scale_error=scale_error)
    found, size = drawn(estimate, 3000), 3000
    real, imaginary = element_errors(estimate)
    assert real.shape == imaginary.shape == (2**n, 2**n)
    # relative error of a standard deviation 1/√(2N); five of them for a few hundred elements
    tolerance = 5 / np.sqrt(2 * size)
    np.testing.assert_allclose(found.real.std(axis=0), real, rtol=tolerance, atol=1e-15)
    np.testing.assert_allclose(found.imag.std(axis=0), imaginary, rtol=tolerance, atol=1e-15)


@pytest.mark.parametrize("n", SPINS)
def test_equal_independent_errors_have_a_closed_form(n):
    """Re ρ_ij is a mean of 2ⁿ strings off the diagonal, of which half have an imaginary element."""
    s, d = 0.02, 2**n
    estimate = estimate_of(np.zeros(4**n - 1), s**2 * np.eye(4**n - 1))
    real, imaginary = element_errors(estimate)
    diagonal = np.eye(d, dtype=bool)
    np.testing.assert_allclose(real[diagonal], s * np.sqrt(d - 1) / d)
    np.testing.assert_array_equal(imaginary[diagonal], 0)
    np.testing.assert_allclose(real[~diagonal], s * np.sqrt(d / 2) / d)
    np.testing.assert_allclose(imaginary[~diagonal], s * np.sqrt(d / 2) / d)
    np.testing.assert_allclose(coefficient_errors(estimate), s)


def test_correlations_count():
    """ZI and IZ that err together leave |01⟩⟨01| sure, and err doubly on |00⟩⟨00|."""
    strings = pauli_strings(2)[1:]
    covariance = np.zeros((15, 15))
    own = [strings.index("ZI"), strings.index("IZ")]
    covariance[np.ix_(own, own)] = 0.04**2
    real, imaginary = element_errors(estimate_of(np.zeros(15), covariance))
    np.testing.assert_allclose(np.diag(real), [0.02, 0, 0, 0.02], atol=1e-9)
    assert np.abs(real - np.diag(np.diag(real))).max() == imaginary.max() == 0


def test_a_common_scale_errs_with_the_signal_and_not_with_the_identity():
    estimate = estimate_of(np.array([0.0, 0.0, 0.8]), np.zeros((3, 3)), scale_error=0.1)
    np.testing.assert_allclose(coefficient_errors(estimate), [0, 0, 0.08])
    real, imaginary = element_errors(estimate)
    np.testing.assert_allclose(real, [[0.04, 0], [0, 0.04]])
    np.testing.assert_array_equal(imaginary, 0)


def test_batches():
    """Covariances of every state, and one that all share."""
    rng = np.random.default_rng(1)
    coefficients = rng.uniform(-0.3, 0.3, (5, 15))
    A = rng.normal(size=(5, 15, 15))
    covariances = A @ A.swapaxes(-1, -2)
    each = element_errors(estimate_of(coefficients, covariances, scale_error=0.1))
    shared = element_errors(estimate_of(coefficients, covariances[3], scale_error=0.1))
    alone = element_errors(estimate_of(coefficients[3], covariances[3], scale_error=0.1))
    for part, common, one in zip(each, shared, alone, strict=True):
        assert part.shape == common.shape == (5, 4, 4)
        np.testing.assert_allclose(part[3], one)
        np.testing.assert_allclose(common[3], one)
        assert not np.allclose(common[2], one)
    errors = coefficient_errors(estimate_of(coefficients, covariances, scale_error=0.1))
    expected = np.sqrt(np.diag(covariances[2]) + (0.1 * coefficients[2]) ** 2)
    np.testing.assert_allclose(errors[2], expected)


def test_errors_of_a_whole_measurement():
    """From noisy FIDs to matrix elements: what a thousand repetitions scatter."""
    chain = measurement_chain(
        load_sample("chloroform"), ("II", "IX", "IY", "XX"), receiver=Receiver(1000.0, 64)
    )
    rho = states(np.random.default_rng(5).uniform(-0.1, 0.1, 15))
    sigma, response = np.array([0.2, 0.4]), response_matrix(chain)
    many = np.broadcast_to(acquire(chain, rho), (2000, 4, 2, 64))
    fids = add_noise(many, sigma, np.random.default_rng(6))
    estimate = estimate_state(fids, response, sigma, method="linear-inversion")
    real, imaginary = (np.broadcast_to(part, (2000, 4, 4))[0] for part in element_errors(estimate))
    np.testing.assert_allclose(estimate.linear.real.std(axis=0), real, rtol=0.08)
    np.testing.assert_allclose(estimate.linear.imag.std(axis=0), imaginary, rtol=0.08, atol=1e-15)


@pytest.mark.parametrize("function", [element_errors, coefficient_errors])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_covariances_that_are_none_are_refused(function, bad):
    good = random_estimate(2, 3)
    covariance = good.covariance.copy()
    covariance[4, 4] = bad
    with pytest.raises(ArgumentError, match=r"`estimate` must have a finite covariance.* but 1 of"):
        function(replace(good, covariance=covariance))
