"""Hedged likelihood: stationarity, closed forms, limits, an independent optimiser."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli, pauli_strings
from nmrqb.tomography.estimation import Hedged, MaximumLikelihood
from nmrqb.tomography.estimation.states import misfit, to_coefficients, to_state


def slope_of_log_det(c):
    """tr(ρ⁻¹ P)/d of all Paulis."""
    inverse = np.linalg.inv(to_state(c))
    n = len(inverse).bit_length() - 1
    return np.array([np.trace(inverse @ pauli(p)).real for p in pauli_strings(n)[1:]]) / 2**n


@pytest.mark.parametrize("strength", [1e-3, 0.5, 20.0])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_data_and_determinant_balance(problem, n, strength):
    given_ = problem(n, n, size=3)
    fit = Hedged(strength).fit(given_.target, given_.precision)
    assert fit.gap.max() < 1e-8 * strength
    for c, target in zip(fit.coefficients, given_.target, strict=True):
        assert np.linalg.eigvalsh(to_state(c))[0] > 0
        pull = given_.precision @ (c - target)
        push = strength * slope_of_log_det(c)
        np.testing.assert_allclose(pull, push, atol=1e-4 * np.abs(push).max())


@pytest.mark.parametrize("r", [0.3, 1.0, 1.4])
def test_one_spin_by_its_radius(r):
    # isotropic: f (x − r) + 2βx/(1 − x²) = 0
    f, beta, direction = 50.0, 0.5, np.array([2.0, -1.0, 2.0]) / 3
    expected = brentq(lambda x: f * (x - r) + 2 * beta * x / (1 - x**2), 0, 1 - 1e-12)
    fit = Hedged(beta).fit(r * direction[None], f * np.eye(3))
    np.testing.assert_allclose(fit.coefficients[0], expected * direction, atol=1e-9)


def test_weak_hedging_is_maximum_likelihood(problem):
    given_ = problem(7, size=6)
    likely = MaximumLikelihood().fit(given_.target, given_.precision).coefficients
    away = [
        misfit(Hedged(beta).fit(given_.target, given_.precision).coefficients - likely, 0.0,
               given_.precision).max()
        for beta in (1.0, 1e-2, 1e-4, 1e-6)
    ]  # fmt: skip
    assert away[0] > 0.3
    assert np.all(np.diff(away) < 0)
    assert away[-1] < 1e-5


def test_strong_hedging_mixes_to_first_order(problem):
    # −ln det ρ is d |c|²/2 near the maximally mixed state, so that c → C⁻¹ĉ/(β d)
    given_ = problem(8)
    beta = 1e9
    found = Hedged(beta).fit(given_.target, given_.precision).coefficients
    first = given_.target @ given_.precision / (4 * beta)
    np.testing.assert_allclose(found, first, atol=1e-4 * np.abs(first).max())


def test_an_independent_optimiser_finds_the_same(problem):
    given_ = problem(9, size=1)

    def state(x):
        T = (x[:16] + 1j * x[16:]).reshape(4, 4)
        rho = T @ T.conj().T
        return rho / np.trace(rho).real

    def objective(x):
        rho = state(x)
        return given_.loss(to_coefficients(rho), 0) - 0.5 * np.linalg.slogdet(rho)[1]

    start = np.random.default_rng(0).normal(size=32)
    best = minimize(objective, start, method="BFGS", options={"maxiter": 3000, "gtol": 1e-7})
    found = Hedged().fit(given_.target, given_.precision).coefficients[0]
    ours = given_.loss(found, 0) - 0.5 * np.linalg.slogdet(to_state(found))[1]
    assert ours <= best.fun + 1e-9
    np.testing.assert_allclose(found, to_coefficients(state(best.x)), atol=1e-3)


def test_what_is_not_seen_becomes_as_mixed_as_it_can():
    # ZI alone is seen: all else stays zero, for ρ is then the product of a spin and 1/2
    F, target = np.zeros((15, 15)), np.zeros((1, 15))
    F[11, 11], target[0, 11] = 400.0, 0.6
    c = Hedged().fit(target, F).coefficients[0]
    assert np.abs(np.delete(c, 11)).max() < 1e-8
    assert 0.5 < c[11] < 0.6


@pytest.mark.parametrize("strength", [0.0, -1.0, np.inf, np.nan])
def test_a_strength_that_is_none_is_refused(strength):
    with pytest.raises(ArgumentError, match=r"`strength` must be > 0 and finite, but is"):
        Hedged(strength)
