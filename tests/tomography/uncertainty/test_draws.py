"""Replicas, and the two halves of the data."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.operators import partial_trace
from nmrqb.tomography.estimators import StateEstimate, to_coefficients, to_state
from nmrqb.tomography.uncertainty.draws import draw

RNG = np.random.default_rng(7)
A = 0.05 * RNG.normal(size=(15, 15))
COVARIANCE = A @ A.T + 1e-4 * np.eye(15)
STATE = to_state(0.1 * RNG.normal(size=15))


def estimate(states, covariance=COVARIANCE, freedom=np.inf):
    return StateEstimate(
        rho=states,
        linear=states,
        covariance=covariance,
        chi2=np.zeros(len(states)),
        degrees_of_freedom=0,
        gap=np.zeros(len(states)),
        method="linear-inversion",
        noise_degrees_of_freedom=freedom,
    )


def drawn(states, replicas=50, gain_error=0.0, block_values=10**9, **options):
    rng = np.random.default_rng(1)
    return list(
        draw(
            estimate(states, **options),
            rng,
            replicas=replicas,
            gain_error=gain_error,
            block_values=block_values,
        )
    )


def test_replicas_scatter_with_the_covariance():
    (found,) = drawn(STATE[None], replicas=40_000)
    coefficients = to_coefficients(found.replicas[0])
    np.testing.assert_allclose(coefficients.mean(axis=0), to_coefficients(STATE), atol=4e-3)
    np.testing.assert_allclose(np.cov(coefficients.T), COVARIANCE, atol=0.03 * COVARIANCE.max())


def test_gain_error_scales_all_coefficients_alike():
    (found,) = drawn(STATE[None], 2000, 0.1, covariance=1e-20 * np.eye(15))
    scale = to_coefficients(found.replicas[0]) / to_coefficients(STATE)
    assert np.ptp(scale, axis=-1).max() < 1e-6
    assert scale[:, 0].std() == pytest.approx(0.1, rel=0.1)
    assert scale[:, 0].mean() == pytest.approx(1, abs=0.01)


def test_estimated_noise_has_students_tails():
    (found,) = drawn(STATE[None], replicas=20_000, freedom=8.0)
    assert found.errors.var() == pytest.approx(8 / 6, rel=0.05)
    fourth = (found.errors**4).mean() / found.errors.var() ** 2
    assert fourth == pytest.approx(3 + 6 / 4, rel=0.15)


def test_halves_are_independent_and_share_the_information():
    (found,) = drawn(np.broadcast_to(STATE, (20_000, 4, 4)), replicas=1)
    noise = found.errors[:, 0] @ found.root[0].T  # of the data
    noisy = replace(found, coefficients=found.coefficients + noise)
    halves = [half - to_coefficients(STATE) for half in noisy.halves(0.8)]
    joint, size = np.cov(np.concatenate(halves, axis=1).T), COVARIANCE.max()
    np.testing.assert_allclose(joint[:15, :15], COVARIANCE / 0.8, atol=0.05 * size)
    np.testing.assert_allclose(joint[15:, 15:], COVARIANCE / 0.2, atol=0.2 * size)
    np.testing.assert_allclose(joint[:15, 15:], 0, atol=0.1 * size)


@pytest.mark.parametrize("spins", [(0,), (1,), (1, 0)])
def test_states_of_some_spins_are_partial_traces(spins):
    (found,) = drawn(np.stack([STATE, STATE.conj()]), gain_error=0.01)
    part = found.of_spins(spins)
    np.testing.assert_allclose(part.states, partial_trace(found.states, spins), atol=1e-12)
    np.testing.assert_allclose(part.replicas, partial_trace(found.replicas, spins), atol=1e-12)


@pytest.mark.parametrize("freedom", [np.inf, 30.0])
def test_blocks_do_not_change_the_numbers(freedom):
    states = np.stack([STATE] * 5)
    covariances = np.stack([COVARIANCE * k for k in range(1, 6)])
    options = {"covariance": covariances, "freedom": freedom, "gain_error": 0.01}
    (whole,) = drawn(states, **options)
    parts = drawn(states, block_values=50 * 16 * 2, **options)
    assert [len(part.coefficients) for part in parts] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([part.replicas for part in parts]), whole.replicas)
    np.testing.assert_array_equal(np.concatenate([part.split for part in parts]), whole.split)
