"""Diagnostics of chains against processes whose correlations are known."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.tomography.estimation import Posterior
from nmrqb.tomography.estimation.posterior import agreement


def autoregressive(rng, correlation, shape):
    """Return chains (..., draws, P) with x_t = ρ x_{t−1} + √(1 − ρ²) ξ."""
    noise = rng.standard_normal(shape)
    x = noise.copy()
    for t in range(1, shape[-2]):
        x[..., t, :] = correlation * x[..., t - 1, :] + (
            np.sqrt(1 - correlation**2) * noise[..., t, :]
        )
    return x


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, -0.4])
def test_effective_size_of_autoregressive_chains(correlation):
    # n (1 − ρ)/(1 + ρ)
    chains = autoregressive(np.random.default_rng(1), correlation, (30, 4, 2000, 1))
    size, r_hat = agreement(chains)
    expected = 8000 * (1 - correlation) / (1 + correlation)
    assert np.median(size) == pytest.approx(expected, rel=0.12)
    assert r_hat.max() < 1.05


def test_the_worst_coefficient_counts():
    rng = np.random.default_rng(2)
    chains = autoregressive(rng, 0.0, (4, 500, 3))
    slow = chains.copy()
    slow[..., 1] = autoregressive(rng, 0.95, (4, 500, 1))[..., 0]
    assert agreement(slow)[0] < 0.15 * agreement(chains)[0]


def test_chains_that_do_not_meet_and_chains_that_drift_are_seen():
    rng = np.random.default_rng(3)
    chains = autoregressive(rng, 0.0, (4, 500, 1))
    apart = chains + np.array([0, 0, 0, 2.0])[:, None, None]
    drift = chains + np.linspace(-2, 2, 500)[None, :, None]
    assert agreement(chains)[1] < 1.01
    # variance between means is 1 (of 0, 0, 0, 2), within 1: R̂ = √2
    assert agreement(apart)[1] == pytest.approx(np.sqrt(2 - 1 / 7), rel=0.05)
    assert agreement(drift)[1] > 1.3
    assert agreement(apart)[0] < 30


def posterior(shape=(3,)):
    rng = np.random.default_rng(4)
    drawn = 0.2 * rng.uniform(-1, 1, size=(*shape, 2, 50, 3))
    nothing = np.ones(shape)
    return Posterior(drawn, nothing, nothing, nothing, 2, {})


def test_quantiles_are_those_of_the_figure_of_all_draws():
    found = posterior()
    z = found.quantiles(lambda rho: (rho[..., 0, 0] - rho[..., 1, 1]).real, [0.1, 0.5, 1.0])
    expected = np.quantile(found.coefficients[..., 2].reshape(3, -1), [0.1, 0.5, 1.0], axis=-1)
    assert z.shape == (3, 3)
    np.testing.assert_allclose(z, expected, atol=1e-14)
    with pytest.raises(ArgumentError, match=r"`probabilities` must be in \[0, 1\], but is"):
        found.quantiles(lambda rho: rho[..., 0, 0].real, [1.1])


def test_batches_change_shape_and_join():
    found = posterior((6,))
    assert found.reshaped((2, 3)).states.shape == (2, 3, 100, 2, 2)
    joined = Posterior.joined([found, posterior((2,))])
    assert joined.coefficients.shape == (8, 2, 50, 3)
    assert joined.r_hat.shape == (8,)
    np.testing.assert_array_equal(joined.coefficients[:6], found.coefficients)
