"""Posterior means: quadrature for one spin, moments of the prior, what the draws say."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.tomography.estimation import Bayesian, MaximumLikelihood
from nmrqb.tomography.estimation.states import to_state

GRID = np.linspace(-1, 1, 81)
BALL = np.stack(np.meshgrid(GRID, GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 3)
BALL = BALL[(BALL**2).sum(axis=-1) < 1]


def by_quadrature(target, precision, power):
    """Return mean and spread of the Bloch vector under flat prior times det(ρ)^power."""
    step = BALL - target
    weight = np.exp(-np.einsum("ki,ij,kj->k", step, precision, step) / 2)
    weight *= (1 - (BALL**2).sum(axis=-1)) ** power
    weight /= weight.sum()
    mean = weight @ BALL
    return mean, np.sqrt(weight @ (BALL - mean) ** 2)


@pytest.mark.parametrize("columns", [2, 5])
@pytest.mark.parametrize(
    "target", [[0.1, 0.2, 0.0], [0.7, -0.5, 0.4], [1.2, 0.6, -0.3]], ids=["in", "edge", "out"]
)
def test_one_spin_agrees_with_quadrature(target, columns):
    F = np.array([[60.0, 10.0, 0.0], [10.0, 40.0, 5.0], [0.0, 5.0, 25.0]])
    estimator = Bayesian(columns=columns, draws=1000, thinning=5)
    fit = estimator.fit(np.array([target]), F, np.random.default_rng(3))
    mean, spread = by_quadrature(np.array(target), F, columns - 2)
    assert fit.posterior.r_hat[0] < 1.05
    standard_error = spread / np.sqrt(fit.posterior.effective_size[0])
    assert np.all(np.abs(fit.coefficients[0] - mean) < 4 * standard_error + 1e-3)
    drawn = fit.posterior.coefficients[0].reshape(-1, 3)
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.15)


def test_what_is_not_seen_keeps_its_prior():
    # z is not seen: proposed with unit variance, it must still fill what the ball leaves it
    F, target = np.diag([200.0, 200.0, 0.0]), np.array([[0.6, 0.0, 0.0]])
    fit = Bayesian(draws=2000, thinning=3).fit(target, F, np.random.default_rng(4))
    mean, spread = by_quadrature(target[0], F, 0)
    error = spread / np.sqrt(fit.posterior.effective_size[0])
    assert np.all(np.abs(fit.coefficients[0] - mean) < 4 * error + 1e-3)
    np.testing.assert_allclose(fit.posterior.coefficients.std(axis=(1, 2))[0], spread, rtol=0.1)


@pytest.mark.parametrize(
    ("n", "columns", "tolerance"), [(1, 2, 0.01), (1, 4, 0.01), (2, 4, 0.02), (2, 7, 0.02)]
)
def test_without_data_the_prior_is_that_of_ginibre_matrices(n, columns, tolerance):
    # mean purity of GG†/tr GG†: (d + k)/(dk + 1)
    d = 2**n
    estimator = Bayesian(columns=columns, chains=16, draws=1000, thinning=4)
    blind = np.zeros((d * d - 1, d * d - 1))
    fit = estimator.fit(np.zeros((1, d * d - 1)), blind, np.random.default_rng(5))
    purity = (1 + (fit.posterior.coefficients**2).sum(axis=-1)) / d
    assert purity.mean() == pytest.approx((d + columns) / (d * columns + 1), rel=tolerance)


def test_far_inside_the_states_draws_are_independent_and_normal(problem):
    given_ = problem(6, rank=16, sigma=0.003)
    fit = Bayesian().fit(given_.target, given_.precision, np.random.default_rng(6))
    assert np.all(fit.posterior.acceptance == 1)
    assert fit.posterior.effective_size.min() > 1000
    spread = np.sqrt(np.diag(np.linalg.inv(given_.precision)))
    np.testing.assert_allclose(
        fit.posterior.coefficients.std(axis=(1, 2)), np.tile(spread, (5, 1)), rtol=0.1
    )
    assert np.abs((fit.coefficients - given_.target) / spread).max() < 4.5 / np.sqrt(2000)


def test_the_mean_is_inside_where_likelihood_is_at_the_edge(problem):
    given_ = problem(8, size=3)
    fit = Bayesian(draws=200, thinning=5).fit(
        given_.target, given_.precision, np.random.default_rng(8)
    )
    likely = MaximumLikelihood().fit(given_.target, given_.precision).coefficients
    assert np.linalg.eigvalsh(to_state(fit.coefficients)).min() > 1e-3
    assert np.linalg.eigvalsh(to_state(likely)).min() < 1e-6
    assert np.linalg.eigvalsh(fit.posterior.states).min() > 0
    assert np.all((fit.posterior.acceptance > 0.1) & (fit.posterior.acceptance < 0.5))


def test_chains_start_where_they_ought_to_forget(problem):
    # overdispersed starts: chains of no length disagree, and say so
    given_ = problem(9, size=2)
    hasty = Bayesian(burn_in=1, draws=10, thinning=1)
    fit = hasty.fit(given_.target, given_.precision, np.random.default_rng(9))
    assert fit.posterior.r_hat.min() > 1.5


def test_the_state_of_the_generator_repeats_the_draws(problem):
    given_ = problem(10, size=2)
    estimator = Bayesian(burn_in=20, draws=10, thinning=2)
    rng = np.random.default_rng(10)
    rng.standard_normal(7)
    first = estimator.fit(given_.target, given_.precision, rng)
    again = np.random.default_rng()
    again.bit_generator.state = first.posterior.rng_state
    second = estimator.fit(given_.target, given_.precision, again)
    np.testing.assert_array_equal(first.posterior.coefficients, second.posterior.coefficients)
    third = estimator.fit(given_.target, given_.precision, rng)
    assert np.abs(third.coefficients - first.coefficients).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": 0}, "`columns` must be ≥ 1, but is 0"),
        ({"chains": 1}, "`chains` must be ≥ 2, but is 1"),
        ({"burn_in": 0}, "`burn_in` must be ≥ 1, but is 0"),
        ({"draws": 7}, "`draws` must be ≥ 8, but is 7"),
        ({"thinning": 0}, "`thinning` must be ≥ 1, but is 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        Bayesian(**settings)


def test_a_prior_without_full_rank_and_no_generator_are_refused(problem):
    given_ = problem(12, size=1)
    with pytest.raises(ArgumentError, match=r"`columns` must be ≥ 4, .* but is 3"):
        Bayesian(columns=3).fit(given_.target, given_.precision, np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"`rng` must be a random generator such as np\.random"):
        Bayesian().fit(given_.target, given_.precision)
