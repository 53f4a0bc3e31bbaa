"""Maximum entropy: stationarity, closed forms, limits, an independent optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from nmrqb.errors import ArgumentError
from nmrqb.tomography.estimation import MaximumEntropy, MaximumLikelihood
from nmrqb.tomography.estimation.states import misfit, operator_of, to_coefficients, to_state


def entropy(c):
    p = np.clip(np.linalg.eigvalsh(to_state(c)), 1e-300, None)
    return -(p * np.log(p)).sum(axis=-1)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("confidence", [0.0, 0.5, 0.95])
def test_the_state_is_stationary_on_the_edge_of_the_region(problem, n, confidence):
    # ln ρ + μ Σ (C⁻¹(c − ĉ))_P P ∝ 1 with μ > 0, and the misfit is that of the region
    # at confidence 0 and the edge of the states ln ρ would be beyond double precision
    given_ = problem(n, n, rank=1 if confidence else 40, size=4, sigma=0.05 if confidence else 0.01)
    estimator = MaximumEntropy(confidence)
    fit = estimator.fit(given_.target, given_.precision)
    likely = MaximumLikelihood().fit(given_.target, given_.precision).coefficients
    quantile = max(float(chi2.ppf(confidence, 4**n - 1)), 1e-4)
    least = misfit(likely, given_.target, given_.precision)
    found = misfit(fit.coefficients, given_.target, given_.precision)
    np.testing.assert_allclose(found, least + quantile, rtol=1e-6)
    assert fit.gap.max() < 1e-8
    pull = operator_of((fit.coefficients - given_.target) @ given_.precision)
    for rho, force in zip(to_state(fit.coefficients), pull, strict=True):
        p, V = np.linalg.eigh(rho)
        logarithm = (V * np.log(p)) @ V.conj().T
        logarithm -= np.trace(logarithm) / len(p) * np.eye(len(p))
        mu = -np.vdot(force, logarithm).real / np.vdot(force, force).real
        assert mu > 0
        np.testing.assert_allclose(logarithm, -mu * force, atol=1e-4 * np.abs(logarithm).max())


@pytest.mark.parametrize("r", [0.6, 0.99, 1.3])
def test_one_spin_moves_towards_the_middle_by_the_radius(r):
    f, q = 100.0, chi2.ppf(0.9, 3)
    direction = np.array([1.0, 2.0, -2.0]) / 3
    outside = max(r - 1, 0) ** 2 * f
    expected = r - np.sqrt((outside + q) / f)
    fit = MaximumEntropy(0.9).fit(r * direction[None], f * np.eye(3))
    np.testing.assert_allclose(fit.coefficients[0], expected * direction, atol=1e-6)


def test_complete_data_are_reproduced_at_confidence_0(problem):
    given_ = problem(11, rank=8, sigma=0.01)
    found = MaximumEntropy(0.0).fit(given_.target, given_.precision).coefficients
    distance = misfit(found, given_.target, given_.precision)
    np.testing.assert_allclose(distance, 1e-4, rtol=1e-5)  # a hundredth of a standard deviation
    far = MaximumEntropy().fit(given_.target, given_.precision).coefficients
    assert np.all(entropy(far) > entropy(found))


def test_the_most_mixed_state_wins_where_it_is_not_excluded():
    target = np.full((2, 3), [[0.1], [0.5]])
    fit = MaximumEntropy().fit(target, 30 * np.eye(3))
    np.testing.assert_array_equal(fit.coefficients[0], 0)
    assert np.abs(fit.coefficients[1]).min() > 0.1
    assert fit.gap[0] == 0


@pytest.mark.parametrize(("zi", "iz"), [(0.7, -0.4), (0.95, 0.9), (0.0, 0.5)])
def test_incomplete_data_give_what_they_do_not_see_no_correlation(zi, iz):
    # of all states with ⟨ZI⟩ and ⟨IZ⟩ the product state has the largest entropy
    F, target = np.zeros((15, 15)), np.zeros((1, 15))
    F[2, 2] = F[11, 11] = 1e8
    target[0, 2], target[0, 11] = iz, zi
    fit = MaximumEntropy(0.0).fit(target, F)
    expected = np.zeros(15)
    expected[[2, 11, 14]] = iz, zi, iz * zi
    np.testing.assert_allclose(fit.coefficients[0], expected, atol=1e-5)
    likely = MaximumLikelihood().fit(target, F).coefficients[0]
    assert likely[14] == 0 or zi * iz == 0 or abs(likely[14]) > 1e-3
    assert entropy(fit.coefficients[0]) >= entropy(likely) - 1e-6


@pytest.mark.parametrize("seed", range(2))
def test_an_independent_optimiser_finds_no_more(problem, seed):
    given_ = problem(seed, size=1, sigma=0.1)
    fit = MaximumEntropy(0.5).fit(given_.target, given_.precision)
    allowed = misfit(fit.coefficients, given_.target, given_.precision)[0]

    def coefficients(x):
        T = (x[:16] + 1j * x[16:]).reshape(4, 4)
        rho = T @ T.conj().T
        return to_coefficients(rho / np.trace(rho).real)

    best = minimize(
        lambda x: -entropy(coefficients(x)),
        np.concatenate([np.eye(4).ravel(), np.zeros(16)])
        + 0.1 * np.random.default_rng(seed).normal(size=32),
        method="SLSQP",
        constraints={
            "type": "ineq",
            "fun": lambda x: 1 - 2 * given_.loss(coefficients(x), 0) / allowed,
        },
        options={"maxiter": 2000, "ftol": 1e-12},
    )
    assert best.success
    assert entropy(fit.coefficients[0]) >= -best.fun - 1e-6
    np.testing.assert_allclose(fit.coefficients[0], coefficients(best.x), atol=2e-3)


@pytest.mark.parametrize("confidence", [-0.1, 1.0, np.nan])
def test_a_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(ArgumentError, match=r"`confidence` must be in \[0, 1\), but is"):
        MaximumEntropy(confidence)
