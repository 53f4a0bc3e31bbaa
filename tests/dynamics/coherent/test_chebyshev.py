"""Chebyshev series: always nearer than the bound, on spectra that are never underestimated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import csr_array
from scipy.special import jv

from nmrqb.dynamics.coherent.chebyshev import chebyshev, series, series_length, spectral_bounds
from nmrqb.errors import ArgumentError


def hermitian(d, seed, density=1.0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    A = np.where(rng.random((d, d)) < density, A, 0)
    return (A + A.conj().T) / 2


def states(d, k=2, seed=0):
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=(d, k)) + 1j * rng.normal(size=(d, k))
    return psi / np.linalg.norm(psi, axis=0)


@given(
    st.sampled_from([1, 2, 4, 16, 64]),
    st.integers(0, 10**6),
    st.floats(-8, 2),
    st.floats(-100, 100),
    st.sampled_from([1e-14, 1e-9, 1e-4, 0.3]),
)
@settings(deadline=None, max_examples=60)
def test_the_error_is_below_its_bound(d, seed, exponent, shift, tolerance):
    A = 10.0**exponent * hermitian(d, seed) + shift * np.eye(d)
    psi = states(d)
    exact = expm(-1j * A) @ psi
    got, error = chebyshev(A, psi, tolerance)
    oracle = 1e-15 * (d + np.linalg.norm(A))  # what scipy's own rounding may be
    assert np.linalg.norm(got - exact, axis=0).max() <= error + oracle
    assert error <= tolerance + 1e-10
    sparse, same = chebyshev(csr_array(A), psi, tolerance)
    np.testing.assert_allclose(sparse, got, atol=2 * same)


@given(st.floats(1e-6, 500), st.floats(1e-14, 0.5))
@settings(deadline=None, max_examples=60)
def test_the_tail_is_bounded_and_not_by_much(radius, tolerance):
    order, bound = series_length(radius, tolerance)
    k = np.arange(order + 1, order + 200)
    tail = 2 * np.abs(jv(k, radius)).sum()
    assert tail * (1 - 1e-9) <= bound <= tolerance
    # one radius and a few dozen terms
    assert order <= radius + 8 * (1 + radius ** (1 / 3)) * (1 + np.log10(1 / tolerance) / 3)


@given(st.sampled_from([1, 2, 5, 20, 60]), st.integers(0, 10**6), st.floats(-3, 4))
@settings(deadline=None, max_examples=60)
def test_no_eigenvalue_is_outside_of_the_bounds(d, seed, exponent):
    A = 10.0**exponent * hermitian(d, seed, density=0.3)
    A[0, 0] -= 10.0**exponent * 50  # one disc far from the others
    levels = np.linalg.eigvalsh(A)
    low, high = spectral_bounds(A)
    slack = 1e-13 * np.abs(levels).max()
    assert low <= levels[0] + slack
    assert high >= levels[-1] - slack


def test_wide_bounds_are_refined():
    A = 1e3 * np.abs(hermitian(40, 1, density=0.2).real)
    A = (A + A.T) / 2
    discs = np.abs(A).sum(axis=1).max()  # diagonal included
    low, high = spectral_bounds(A)
    assert np.linalg.eigvalsh(A)[-1] <= high < 0.95 * discs
    assert low < 0


def test_a_product_needs_no_matrix():
    A = hermitian(16, 3)
    psi = states(16)
    expected, _ = chebyshev(A, psi)
    got, error = chebyshev(lambda x: A @ x, psi, bounds=spectral_bounds(A))
    np.testing.assert_allclose(got, expected, atol=2 * error)


def test_vectors_and_blocks_have_their_own_shapes():
    A = hermitian(8, 4)
    psi = states(8, 3)
    block, _ = chebyshev(A, psi)
    for column, image in zip(psi.T, block.T, strict=True):
        alone, error = chebyshev(A, column)
        assert alone.shape == (8,)
        np.testing.assert_allclose(alone, image, atol=2 * error)


def test_the_bound_grows_with_the_states_and_the_norm_is_kept():
    A = 30 * hermitian(32, 5)
    psi = states(32)
    image, error = chebyshev(A, psi)
    _, larger = chebyshev(A, 1e3 * psi)
    assert larger == pytest.approx(1e3 * error)
    np.testing.assert_allclose(np.linalg.norm(image, axis=0), 1, atol=error)
    back, other = chebyshev(-A, image)
    np.testing.assert_allclose(back, psi, atol=error + other)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 30.0])
def test_rounding_counts_where_nothing_is_cut_off(scale):
    A, psi = scale * hermitian(8, 6), states(8)
    exact = psi.astype(np.clongdouble)
    for _ in range(40):  # a Taylor series for every fortieth of A, in extended precision
        term = exact
        for k in range(1, 30):
            term = -1j * (A @ term) / (40 * k)
            exact = exact + term
    image, error = chebyshev(A, psi, 1e-40)
    off = np.linalg.norm((image - exact).astype(complex), axis=0).max()
    assert 0 < off <= error < 1e-11


def test_a_number_is_a_phase():
    one = series(2.5 * np.eye(4))
    assert len(one.coefficients) == 1
    np.testing.assert_allclose(one(states(4)), np.exp(-2.5j) * states(4), atol=1e-14)


def test_too_narrow_bounds_would_be_seen():
    A = np.diag([-20.0, 20.0])
    wrong, error = chebyshev(A, states(2), bounds=(-15.0, 15.0))
    assert np.linalg.norm(wrong - expm(-1j * A) @ states(2)) > 100 * error


@pytest.mark.parametrize(
    ("A", "message"),
    [
        (np.array([[0, 1], [0, 0]]), "`A` must be Hermitian, but differs .* by 1"),
        (np.diag([1.0, np.inf]), "`A` must be a finite matrix .* 1 elements that are not finite"),
        (np.ones((2, 3)), "`A` must be a finite matrix of shape \\(d, d\\), but has .*\\(2, 3\\)"),
        (np.diag([1e7, -1e7]), "`A` must have a spectral radius below 1000000 rad, but .*1e\\+07"),
    ],
)
def test_wrong_operators_are_refused(A, message):
    with pytest.raises(ArgumentError, match=message):
        chebyshev(A, np.ones(2))


def test_wrong_arguments_are_refused():
    A = hermitian(4, 0)
    with pytest.raises(ArgumentError, match=r"`states` must have shape .* has shape \(3,\)"):
        chebyshev(A, np.ones(3))
    with pytest.raises(ArgumentError, match="`states` must be finite, but holds 1 entries"):
        chebyshev(A, np.array([1, 2, np.nan, 0]))
    for tolerance in (0.0, -1.0, np.nan):
        with pytest.raises(ArgumentError, match="`tolerance` must be positive, but is"):
            chebyshev(A, np.ones(4), tolerance)
    with pytest.raises(ArgumentError, match="`bounds` must be given where `A` is a function"):
        chebyshev(lambda x: x, np.ones(4))
    for bounds in ((1.0, -1.0), (0.0, np.nan)):
        with pytest.raises(ArgumentError, match="`bounds` must be two finite numbers that ascend"):
            chebyshev(A, np.ones(4), bounds=bounds)
