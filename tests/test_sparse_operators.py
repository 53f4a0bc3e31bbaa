"""Sums of spin products from bit patterns, against tensor products."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.errors import ArgumentError
from nmrqb.operators import spin_operator
from nmrqb.sparse_operators import (
    dense_matrix,
    pattern_sum,
    product_pattern,
    sparse_matrix,
    sparse_spin_operator,
    vector_terms,
)

FACTORS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=4)


def product(factors, n):
    total = np.eye(2**n, dtype=complex)
    for axis, spin in factors:
        total = total @ spin_operator(axis, spin, n)
    return total


@given(st.lists(st.tuples(st.floats(-9, 9), FACTORS), max_size=5))
@settings(deadline=None, max_examples=40)
def test_sums_of_products_are_those_of_matrices(terms):
    # products of one spin included: Ix Iy = i Iz/2
    expected = sum((c * product(f, 4) for c, f in terms), start=np.zeros((16, 16)))
    pattern = pattern_sum(terms, 4)
    np.testing.assert_allclose(dense_matrix(pattern, 4), expected, atol=1e-15)
    sparse = sparse_matrix(pattern, 4)
    np.testing.assert_allclose(sparse.toarray(), expected, atol=1e-15)
    assert sparse.nnz == np.count_nonzero(dense_matrix(pattern, 4))


@pytest.mark.parametrize("axis", "xyz")
def test_a_spin_operator_is_the_dense_one(axis):
    for spin in range(3):
        got = sparse_spin_operator(axis, spin, 3)
        np.testing.assert_array_equal(got.toarray(), spin_operator(axis, spin, 3))


def test_fourteen_spins_are_no_trouble():
    n = 14
    pairs = [(1.0, [(a, i), (a, j)]) for i in range(n) for j in range(i) for a in "xy"]
    flips = sparse_matrix(pattern_sum(pairs, n), n)
    up = np.zeros(2**n)
    up[1] = 1.0  # one spin down: it may go to any of the 13 others
    np.testing.assert_allclose(np.sort(flips @ up)[-13:], 0.5)
    assert np.linalg.norm(flips @ up) == pytest.approx(np.sqrt(13) / 2)


def test_batches_of_vectors_are_dense_stacks():
    vectors = np.random.default_rng(0).normal(size=(5, 2, 3))
    stack = dense_matrix(pattern_sum(vector_terms(vectors), 2), 2)
    for v, matrix in zip(vectors, stack, strict=True):
        expected = sum(v[k, a] * spin_operator("xyz"[a], k, 2) for k in range(2) for a in range(3))
        np.testing.assert_allclose(matrix, expected, atol=1e-15)


def test_what_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="`axis` must be x, y or z, but is 'w'"):
        product_pattern([("w", 0)], 2)
    with pytest.raises(ArgumentError, match="`spin` must be from 0 to 1, but is 2"):
        product_pattern([("x", 2)], 2)
    with pytest.raises(ArgumentError, match="no batch axes to be sparse, but has axes \\(2,\\)"):
        sparse_matrix(pattern_sum([(np.ones(2), [("x", 0)])], 2), 2)
