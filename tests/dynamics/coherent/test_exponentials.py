"""Exponentials of stacks of matrices against SciPy's, matrix by matrix."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import exp_hermitian, exp_matrix
from nmrqb.operators import dagger

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(deadline=None, max_examples=30)


def general(rng, shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def hermitian(rng, shape):
    A = general(rng, shape)
    return (A + dagger(A)) / 2


def each(A, factor=1):
    flat = (factor * A).reshape(-1, *A.shape[-2:])
    return np.array([expm(a) for a in flat]).reshape(A.shape)


def in_blocks(rng, d, make):
    """A matrix of the blocks of a random partition of its levels, which are not in order."""
    cuts, order = np.sort(rng.integers(0, d, 3)), rng.permutation(d)
    A = np.zeros((d, d), dtype=complex)
    for levels in np.split(order, cuts):
        A[np.ix_(levels, levels)] = make(rng, (len(levels), len(levels)))
    return A


# -------------------------------------------------------------------------------------- general
@given(SEEDS, st.integers(1, 20), st.floats(-8, 1.5))
@QUICK
def test_general_matrices(seed, d, size):
    A = 10.0**size * general(np.random.default_rng(seed), (3, d, d)) / math.sqrt(d)
    expected = each(A)
    # in the norm, which grows as e^‖A‖
    scale = np.abs(expected).max(axis=(-2, -1), keepdims=True)
    np.testing.assert_allclose(exp_matrix(A) / scale, expected / scale, rtol=0, atol=2e-12)


@given(SEEDS, st.integers(3, 24))
@QUICK
def test_blocks_whose_levels_are_apart(seed, d):
    rng = np.random.default_rng(seed)
    A = in_blocks(rng, d, general)
    np.testing.assert_allclose(
        exp_matrix(A), expm(A), rtol=1e-11, atol=1e-12 * np.abs(expm(A)).max()
    )
    assert not np.any(exp_matrix(A)[expm(A) == 0])


@pytest.mark.parametrize("d", [2, 3, 7, 12])
def test_nilpotent_matrices_have_polynomials(d):
    # exp of the shift is 1/(j − i)!
    shift = np.diag(np.ones(d - 1), 1)
    i, j = np.indices((d, d))
    expected = [[1 / math.factorial(b - a) if b >= a else 0 for b in range(d)] for a in range(d)]
    np.testing.assert_allclose(exp_matrix(shift), expected, atol=1e-15)
    scaled = exp_matrix(1e3 * shift)
    np.testing.assert_allclose(scaled, np.where(j >= i, 1e3 ** np.maximum(j - i, 0) *
        np.array(expected), 0), rtol=1e-9)  # fmt: skip


def test_of_zero_is_one():
    for d in (1, 2, 5, 20):
        np.testing.assert_array_equal(exp_matrix(np.zeros((2, d, d))), [np.eye(d)] * 2)
        np.testing.assert_array_equal(exp_hermitian(np.zeros((2, d, d))), [np.eye(d)] * 2)


@pytest.mark.parametrize("d", [1, 2, 4, 9])
@pytest.mark.parametrize("rate", [1e2, 1e5, 1e8])
def test_stiff_decay_ends_where_it_must(d, rate):
    # columns sum to zero, off-diagonal rates ≥ 0: probability is kept, and all decays to one state
    rng = np.random.default_rng(d)
    K = rng.uniform(0.5, 1, (d, d))
    K -= np.diag(np.diag(K))
    K -= np.diag(K.sum(axis=0))
    end = exp_matrix(rate * K).real
    steady = np.linalg.svd(K)[2][-1]
    expected = np.outer(steady / steady.sum(), np.ones(d))
    np.testing.assert_allclose(end, expected, atol=1e-15 * d * max(rate, 100))


def test_slow_decay_beside_fast_decay():
    A = np.array([[-1e6, 3.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, -1e6]])
    np.testing.assert_allclose(
        exp_matrix(A), [[0, 3 / (1e6 - 2) * math.exp(-2), 0], [0, math.exp(-2), 0], [0, 0, 0]],
        rtol=1e-8, atol=1e-16,
    )  # fmt: skip


@pytest.mark.parametrize("turns", [1e3, 1e6, 1e9])
def test_huge_rotations_lose_no_more_than_their_size(turns):
    A = turns * np.array([[0, -1, 0], [1, 0, 0], [0, 0, 0]])
    expected = [[math.cos(turns), -math.sin(turns), 0], [math.sin(turns), math.cos(turns), 0],
                [0, 0, 1]]  # fmt: skip
    np.testing.assert_allclose(exp_matrix(A), expected, rtol=0, atol=4e-16 * turns)


@pytest.mark.parametrize("d", [2, 3, 6])
def test_small_matrices_lose_nothing_beside_large_ones(d):
    # squared as often as the large one, the small ones would lose as many digits
    rng = np.random.default_rng(d)
    A = 1j * hermitian(rng, (6, d, d)) * np.array([1e-9, 1e7, 1.0, 0.0, 1e-3, 30.0])[:, None, None]
    found = exp_matrix(A)
    for k in (0, 2, 3, 4, 5):
        np.testing.assert_allclose(found[k], expm(A[k]), rtol=0, atol=1e-13)
    np.testing.assert_allclose(found[1] @ dagger(found[1]), np.eye(d), atol=1e-7)


@pytest.mark.parametrize("shape", [(0, 1, 1), (0, 2, 2), (0, 5, 5), (3, 0, 20, 20)])
def test_empty_stacks_stay_empty(shape):
    assert exp_matrix(np.zeros(shape)).shape == shape
    assert exp_hermitian(np.zeros(shape)).shape == shape


@pytest.mark.parametrize("d", [1, 2, 4, 17])
def test_one_matrix_and_stacks_of_two_axes(d):
    rng = np.random.default_rng(d)
    A = general(rng, (2, 3, d, d))
    np.testing.assert_allclose(exp_matrix(A)[1, 2], exp_matrix(A[1, 2]), rtol=1e-12, atol=1e-12)
    A = hermitian(rng, (2, 3, d, d))
    np.testing.assert_allclose(exp_hermitian(A)[1, 2], exp_hermitian(A[1, 2]), atol=1e-12)


def test_more_matrices_than_are_worked_on_at_once():
    A = general(np.random.default_rng(1), (3000, 2, 2))
    np.testing.assert_allclose(exp_matrix(A), each(A), rtol=1e-11, atol=1e-11)


# ------------------------------------------------------------------------------------ Hermitian
@given(SEEDS, st.integers(1, 20), st.sampled_from([1, 3, 100]), st.floats(-6, 2), st.booleans())
@QUICK
def test_hermitian_matrices(seed, d, count, size, real):
    # a hundred of small ones are done by their series, the others by diagonalisation
    A = 10.0**size * hermitian(np.random.default_rng(seed), (count, d, d))
    A = A.real if real else A
    found = exp_hermitian(A)
    np.testing.assert_allclose(found, each(A, -1j), rtol=0, atol=1e-12 * max(1, 10**size))
    unity = np.broadcast_to(np.eye(d), A.shape)
    np.testing.assert_allclose(found @ dagger(found), unity, atol=1e-12 * max(1, 10**size))


@given(SEEDS, st.integers(16, 30), st.booleans())
@QUICK
def test_hermitian_blocks_whose_levels_are_apart(seed, d, real):
    rng = np.random.default_rng(seed)
    A = np.array([in_blocks(rng, d, hermitian) for _ in range(2)])
    A = A.real if real else A
    np.testing.assert_allclose(exp_hermitian(A), each(A, -1j), rtol=0, atol=1e-12)


def test_a_stack_of_whole_numbers():
    A = np.array([[0, 1], [1, 0]])
    expected = [[math.cos(1), -1j * math.sin(1)], [-1j * math.sin(1), math.cos(1)]]
    np.testing.assert_allclose(exp_hermitian(A), expected, atol=1e-15)
    np.testing.assert_allclose(exp_matrix(A), np.cosh(1) * np.eye(2) + np.sinh(1) * A, atol=1e-15)
