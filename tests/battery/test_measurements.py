"""The proof behind the bounds over measurements, step by step."""

import numpy as np
import pytest

from nmrqb.battery import measurements, von_neumann_entropy
from nmrqb.battery.daemonic import _problem as of_work
from nmrqb.battery.measurements import Problem, distance, minimise
from nmrqb.battery.quantum_discord import _problem as of_discord
from nmrqb.operators import pauli


def unit_vectors(seed, n):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def outcomes(states, n):
    """The states ½(τ_0 ± n·τ) that outcomes leave, for vectors n of any length: (2, m, b, b)."""
    both = []
    for sign in (1, -1):
        half = (np.eye(2) + sign * sum(n[:, k, None, None] * pauli("XYZ"[k]) for k in range(3))) / 2
        both.append(np.einsum("mibjc,mji->mbc", states, half))
    return np.array(both)


def problems(states, b):
    rho = np.concatenate([states([b, rank], 100, 2 * b, rank) for rank in (2, 3, 2 * b)])
    product = np.einsum("kij,klm->kiljm", states(1, 20, 2), states(2, 20, b))
    stack = np.concatenate([rho, product.reshape(-1, 2 * b, 2 * b)]).reshape(-1, 2, b, 2, b)
    H = np.tile(np.diag(np.arange(b) ** 1.5), (len(stack), 1, 1))
    width = np.full(len(stack), (b - 1) ** 1.5)
    return [of_discord(stack, np.zeros(len(stack))), of_work(stack, H, width)]


@pytest.mark.parametrize("b", [2, 3])
@pytest.mark.parametrize("flip", [0.3, 1e-2, 1e-4])
def test_flipped_outcomes_raise_the_sum_by_no_more_than_the_slack(states, b, flip):
    for problem in problems(states, b):
        N = len(problem.states)
        n, which = unit_vectors(b, N), np.arange(N)

        def at(vectors, problem=problem, which=which):
            return sum(problem.phi(which, sigma) for sigma in outcomes(problem.states, vectors))

        rise = at((1 - 2 * flip) * n) - at(n)
        slack = problem.slack(which, np.full(N, flip))
        assert np.all(rise >= -1e-12)
        assert np.all(rise <= slack + 1e-12)
        assert np.median(rise / slack) > 0.01  # not a bound of something else


@pytest.mark.parametrize("b", [2, 3])
def test_the_distance_is_above_that_of_any_two_outcomes(states, b):
    for k, problem in enumerate(problems(states, b)[:1]):
        apart = distance(problem.states)
        seen = np.zeros(len(apart))
        for trial in range(50):
            plus, minus = outcomes(problem.states, unit_vectors(100 * k + trial, len(apart)))
            p, q = (np.trace(x, axis1=1, axis2=2).real[:, None, None] for x in (plus, minus))
            gap = np.abs(np.linalg.eigvalsh(plus / p - minus / q)).sum(axis=-1) / 2
            seen = np.maximum(seen, gap)
        assert np.all(apart >= seen - 1e-12)
        assert np.all(apart <= 1)
        np.testing.assert_allclose(apart[-20:], 0, atol=1e-12)  # products
        assert np.median(apart[:-20] / seen[:-20]) < 2


@pytest.mark.parametrize("splits", [0, 1, 3])
def test_the_net_covers_half_a_sphere(splits):
    vertices, triangles = measurements._net(splits)
    assert len(triangles) == 4 * 4**splits
    corners = vertices[triangles]
    n = unit_vectors(splits, 500)
    n *= np.where(n[:, 2:] < 0, -1, 1)
    inside = np.einsum("tij,nj->nti", np.linalg.inv(corners.swapaxes(-1, -2)), n)
    assert np.all((inside >= -1e-12).all(axis=-1).any(axis=-1))
    # q is that of the point of the flat triangle which is nearest to the centre
    weights = np.random.default_rng(1).dirichlet(np.ones(3), size=2000)
    nearest = np.linalg.norm(weights @ corners, axis=-1).min(axis=-1)
    least = 1 - 2 * measurements._flips(corners)
    assert np.all(nearest >= least - 1e-12)
    np.testing.assert_allclose(nearest, least, atol=2e-2)


def test_bases_are_eigenvectors_of_the_vectors_and_reach_the_outcomes(states):
    n, rho = unit_vectors(3, 50), states(3, 50, 6).reshape(-1, 2, 3, 2, 3)
    U = measurements._bases(n)
    np.testing.assert_allclose(
        U.conj().swapaxes(1, 2) @ U, np.tile(np.eye(2), (50, 1, 1)), atol=1e-14
    )
    left = measurements._conditional(rho, U)
    np.testing.assert_allclose(left.swapaxes(0, 1), outcomes(rho, n), atol=1e-14)


def test_narrow_flat_valleys_are_followed_to_their_floor():
    # near the minimum θ⁴ + 1e3 α², θ the angle to the equator and α that round it
    target = np.array([np.cos(0.4), np.sin(0.4), 0])

    def phi(_, sigma):
        n = np.einsum("mij,kji->mk", sigma, [pauli(a) for a in "XYZ"]).real
        n /= np.linalg.norm(n, axis=1, keepdims=True)
        across = n[:, 0] * target[1] - n[:, 1] * target[0]
        return n[:, 2] ** 4 + 1e3 * across**2

    singlet = np.array([0, 1, -1, 0]) / np.sqrt(2)
    state = np.outer(singlet, singlet).astype(complex).reshape(1, 2, 2, 2, 2)
    problem = Problem(state, phi, lambda _, q: 1e3 * q, np.zeros(1))
    found = minimise(problem, 1e3)
    assert found.value[0] < 1e-9


def test_many_levels_are_searched_from_everywhere(states):
    # a measured pair of spins whose best basis is known: that of a pure state's Schmidt vectors
    rho = states(5, 3, 8, 1).reshape(-1, 4, 2, 4, 2)
    found = minimise(of_discord(rho, np.zeros(3)), 1e-3)
    np.testing.assert_allclose(found.value, 0, atol=1e-10)
    np.testing.assert_array_equal(found.bound, np.zeros(3))
    own = np.einsum("nibic->nbc", rho)
    assert np.all(von_neumann_entropy(own) > 0.1)


def test_the_bound_does_not_trust_the_search_and_corrects_it(states, monkeypatch):
    rho = states(6, 40, 4, 3).reshape(-1, 2, 2, 2, 2)
    problem = of_discord(rho, np.zeros(40))
    least = minimise(problem, 1e-3)

    def worst(problem, which, bases, values):
        chosen = bases[np.arange(len(which)), values.argmax(axis=1)]
        return values.max(axis=1), chosen.copy()

    monkeypatch.setattr(measurements, "_from_valleys", worst)
    blind = minimise(problem, 1e-3)
    np.testing.assert_allclose(blind.value, least.value, atol=1e-3)
    assert np.all(blind.bound <= least.value + 1e-12)
    assert np.all(blind.bound > least.value - 0.05)
    coarse = minimise(problem, 10.0)  # nothing is split: the bound is that of the first net
    assert np.all(coarse.bound < least.value)
