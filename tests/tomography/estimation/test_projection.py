"""Projections in both metrics: optimality, certificates, ill-conditioned and singular metrics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from nmrqb.tomography.estimation import (
    LinearInversion,
    MaximumLikelihood,
    ProjectedLeastSquares,
)
from nmrqb.tomography.estimation.barrier import centred
from nmrqb.tomography.estimation.projection import GAP, duality_gap
from nmrqb.tomography.estimation.states import misfit, to_state

SEEDS = st.integers(0, 2**32 - 1)


def lowest(c):
    return np.linalg.eigvalsh(to_state(c)).min()


def test_linear_inversions_stay_as_they_are(problem):
    given_ = problem(1)
    fit = LinearInversion().fit(given_.target, given_.precision)
    np.testing.assert_array_equal(fit.coefficients, given_.target)
    assert lowest(fit.coefficients) < -0.01
    assert not fit.gap.any()


def test_projected_least_squares_is_blind_to_the_metric(problem):
    given_ = problem(2, spread=100.0)
    weighted, plain = (
        ProjectedLeastSquares().fit(given_.target, F).coefficients
        for F in (given_.precision, np.eye(15))
    )
    np.testing.assert_array_equal(weighted, plain)
    euclidean = MaximumLikelihood().fit(given_.target, 1e8 * np.eye(15)).coefficients
    np.testing.assert_allclose(plain, euclidean, atol=1e-6)
    likely = MaximumLikelihood().fit(given_.target, given_.precision).coefficients
    better = misfit(weighted, given_.target, given_.precision) - misfit(
        likely, given_.target, given_.precision
    )
    assert better.min() > 0.1  # it is not the most likely state


@pytest.mark.parametrize("estimator", [ProjectedLeastSquares(), MaximumLikelihood()])
def test_positive_inversions_are_left_alone(estimator, problem):
    given_ = problem(3, rank=8, sigma=0.01)
    fit = estimator.fit(given_.target, given_.precision)
    np.testing.assert_array_equal(fit.coefficients, given_.target)
    assert not fit.gap.any()


@given(SEEDS, st.sampled_from([1, 2]), st.sampled_from([1.0, 4.0, 50.0]))
@settings(deadline=None, max_examples=25)
def test_the_gap_bounds_what_is_missing(seed, n, spread):
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(4**n - 1, 4**n - 1)))
    F = (axes * np.geomspace(1, spread, 4**n - 1)) @ axes.T * 100
    target = rng.normal(size=(3, 4**n - 1))
    fit = MaximumLikelihood().fit(target, F)
    assert lowest(fit.coefficients) > -1e-12
    assert fit.gap.max() <= GAP
    best, _ = centred(target, F, 1e-9)  # another algorithm, within 1e-9 d of the best
    missing = misfit(fit.coefficients, target, F) / 2 - misfit(best, target, F) / 2
    assert np.all(missing <= fit.gap + 1e-8)
    assert np.all(missing >= -4e-9)
    # both certificates, of which the gap is the smaller, are true
    assert np.all(duality_gap(fit.coefficients, target, F) >= missing - 1e-9)


@pytest.mark.parametrize("axis", range(3))
def test_one_spin_is_projected_on_an_ellipse(axis):
    # with a diagonal metric on one axis pair: |c| = 1 and F (c − ĉ) = −ν c, ν found by a root
    F = np.diag(np.roll([400.0, 90.0, 25.0], axis))
    target = np.array([0.9, -0.8, 0.7])
    weights = np.diag(F)

    def length(nu):
        return float(np.sum((weights * target / (weights + nu)) ** 2)) - 1

    nu = brentq(length, 0, 1e4, xtol=1e-13)
    fit = MaximumLikelihood().fit(target[None], F)
    np.testing.assert_allclose(fit.coefficients[0], weights * target / (weights + nu), atol=1e-4)


def test_a_metric_of_any_condition_is_finished_by_the_barrier(problem):
    given_ = problem(4, spread=1e8, size=3)
    fit = MaximumLikelihood().fit(given_.target, given_.precision)
    assert lowest(fit.coefficients) > -1e-12
    assert fit.gap.max() < 1e-4
    best, _ = centred(given_.target, given_.precision, 1e-9)
    for k in range(3):
        assert given_.loss(fit.coefficients[k], k) <= given_.loss(best[k], k) + fit.gap[k] + 1e-8


def test_what_is_not_seen_is_left_near_zero():
    # only ZI and IZ are seen, with the impossible values 1.2 and 0.3
    F, target = np.zeros((15, 15)), np.zeros((1, 15))
    iz, zi, zz = 2, 11, 14
    F[iz, iz] = F[zi, zi] = 1e4
    target[0, zi], target[0, iz] = 1.2, 0.3
    fit = MaximumLikelihood().fit(target, F)
    assert fit.coefficients[0, zi] == pytest.approx(1, abs=1e-5)
    assert fit.coefficients[0, iz] == pytest.approx(0.3, abs=1e-3)
    assert fit.coefficients[0, zz] == pytest.approx(0.3, abs=1e-2)  # as ⟨ZI⟩ = 1 demands
    assert fit.gap[0] <= GAP


def test_members_of_a_batch_do_not_meet(problem):
    given_ = problem(5, size=6)
    whole = MaximumLikelihood().fit(given_.target, given_.precision)
    for k in range(6):
        single = MaximumLikelihood().fit(given_.target[k : k + 1], given_.precision)
        np.testing.assert_allclose(single.coefficients[0], whole.coefficients[k], atol=1e-12)
