"""Coefficients and matrices, and the Euclidean projection on the states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.operators import from_pauli_coefficients, pauli, pauli_coefficients, pauli_strings
from nmrqb.tomography.estimation.states import (
    misfit,
    nearest_state,
    operator_of,
    to_coefficients,
    to_state,
)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_coefficients_are_expectation_values(n, states):
    c = states(n, n, 6).reshape(2, 3, -1)
    rho = to_state(c)
    assert rho.shape == (2, 3, 2**n, 2**n)
    np.testing.assert_allclose(np.trace(rho, axis1=-2, axis2=-1), 1)
    for k, string in enumerate(pauli_strings(n)[1:]):
        np.testing.assert_allclose(np.trace(rho @ pauli(string), axis1=-2, axis2=-1), c[..., k])
    np.testing.assert_allclose(to_coefficients(rho), c, atol=1e-14)
    np.testing.assert_allclose(to_coefficients(rho), pauli_coefficients(rho)[..., 1:].real * 2**n)
    whole = np.concatenate([np.zeros((2, 3, 1)), c], axis=-1)
    np.testing.assert_allclose(operator_of(c), from_pauli_coefficients(whole), atol=1e-14)


def test_a_transposed_matrix_is_read_as_it_stands(states):
    rho = to_state(states(0, 2, 3))
    np.testing.assert_allclose(to_coefficients(rho.swapaxes(-1, -2).conj()), to_coefficients(rho))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=30)
def test_projections_obey_their_variational_inequality(seed, n):
    # p is the projection of x on a convex set if and only if (x − p)·(s − p) ≤ 0 for all s in it
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(4, 4**n - 1))
    p = nearest_state(x)
    assert np.linalg.eigvalsh(to_state(p)).min() > -1e-12
    gradient = operator_of(x - p)  # s → (x − p)·s is largest for an eigenvector
    best = np.linalg.eigvalsh(gradient)[:, -1]
    assert np.all(best - ((x - p) * p).sum(axis=-1) <= 1e-9)


def test_states_are_their_own_projections(states):
    c = states(1, 2, 8)
    np.testing.assert_allclose(nearest_state(c), c, atol=1e-14)


def test_the_projection_of_a_diagonal_matrix_by_hand():
    # (0.9, 0.4, −0.1, −0.2): 0.15 off the two largest, and the two others to zero
    def coefficients(diagonal):
        return to_coefficients(np.diag(diagonal).astype(complex))

    found = nearest_state(coefficients([0.9, 0.4, -0.1, -0.2]))
    np.testing.assert_allclose(found, coefficients([0.75, 0.25, 0.0, 0.0]), atol=1e-14)


def test_misfit_is_a_squared_distance():
    F = np.array([[2.0, 1.0], [1.0, 3.0]])
    found = misfit(np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([0.0, 1.0]), F)
    np.testing.assert_allclose(found, [2 + 2 + 3, 3])
