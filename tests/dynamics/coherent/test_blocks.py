"""Blocks of patterns, and the elements of ρ that a row sees, against graph searches by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nmrqb.dynamics.coherent.blocks import blocks, pattern_of
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.relaxing.liouvillians import seen_sectors, sparse_dissipator, sparse_liouvillian
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli

SEEDS = st.integers(0, 2**32 - 1)


def sparse_random(seed, d, density):
    return np.random.default_rng(seed).random((d, d)) < density


@given(SEEDS, st.sampled_from([1, 2, 7, 64, 300]), st.floats(0, 3))
@settings(deadline=None, max_examples=40)
def test_blocks_are_the_connected_components(seed, d, degree):
    pattern = sparse_random(seed, d, degree / d)
    _, labels = connected_components(csr_array(pattern), directed=False)
    expected = {tuple(np.flatnonzero(labels == label)) for label in set(labels)}
    found = blocks(pattern)
    assert {tuple(block) for block in found} == expected
    assert [block[0] for block in found] == sorted(block[0] for block in found)


def test_a_long_chain_in_any_order_is_one_block():
    order = np.random.default_rng(1).permutation(256)
    pattern = np.zeros((256, 256))
    pattern[order[1:], order[:-1]] = 1
    (block,) = blocks(pattern)
    np.testing.assert_array_equal(block, np.arange(256))


def test_blocks_that_are_handed_out_cannot_be_spoilt():
    with pytest.raises(ValueError, match="read-only"):
        blocks(np.eye(2))[0][0] = 1


def test_rounding_noise_does_not_join_blocks():
    matrix = np.array([[1e5, 1e-13, 0], [1e-13, 2.0, 1e-9], [0, 1e-9, 0]])
    np.testing.assert_array_equal(pattern_of(matrix), [[1, 0, 0], [0, 1, 1], [0, 1, 0]])
    assert not pattern_of(np.zeros((2, 3, 3))).any()


@pytest.mark.parametrize("shape", [(2, 3), (4,), (2, 2, 2)])
def test_patterns_that_are_not_square_are_refused(shape):
    with pytest.raises(ArgumentError, match=r"`pattern` must have shape \(d, d\), but has shape"):
        blocks(np.ones(shape))


# ---------------------------------------------------------------------- sectors of a generator
@given(SEEDS, st.floats(0.3, 2.5))
@settings(deadline=None, max_examples=40)
def test_what_a_row_does_not_see_never_matters(seed, degree):
    # row·exp(L) has no weight outside the sectors, and inside they do not mix
    rng = np.random.default_rng(seed)
    L = np.where(sparse_random(seed, 12, degree / 12), rng.uniform(0.5, 1, (12, 12)), 0)
    row = np.where(rng.random(12) < 0.2, 1.0, 0.0)
    found = seen_sectors(L.astype(complex), row)
    weights = np.abs(row @ expm(L)) > 1e-12
    assert sorted(np.concatenate([[], *found])) == np.flatnonzero(weights).tolist()
    for i, first in enumerate(found):
        assert not any(L[np.ix_(first, other)].any() for other in found[:i] + found[i + 1 :])
    sparse = seen_sectors(csr_array(L), row)
    assert {tuple(s) for s in sparse} == {tuple(s) for s in found}


def test_a_stack_shares_the_sectors_of_all_its_members():
    first, second = np.zeros((2, 3, 3), dtype=complex)
    first[0, 1] = second[1, 2] = 1
    assert [s.tolist() for s in seen_sectors(np.array([first, second]), np.eye(3)[0])] == [
        [0, 1, 2]
    ]


@pytest.mark.parametrize("spins", [(0,), (2,), (0, 2), (2, 0), (1, 2, 0)])
@pytest.mark.parametrize("diagonal", [True, False])
def test_sparse_generators_are_the_dense_ones(spins, diagonal):
    rng = np.random.default_rng(3)
    d = 2 ** len(spins)
    operators = rng.normal(size=(2, d, d)) + 1j * rng.normal(size=(2, d, d))
    operators = operators * np.eye(d) if diagonal else operators
    dissipation = Dissipation(3, (Part(spins, operators), Part((1,), pauli("Z")[None])))
    loss = sparse_dissipator(dissipation)
    np.testing.assert_allclose(loss.toarray(), dissipation.generator, atol=1e-12)
    H, one = pauli("XYZ") + 2 * pauli("ZIZ"), np.eye(8)
    coherent = -1j * (np.kron(H, one) - np.kron(one, H.T))
    whole = sparse_liouvillian(H, dissipation).toarray()
    np.testing.assert_allclose(whole, coherent + dissipation.generator, atol=1e-12)


def test_a_hamiltonian_of_other_spins_is_refused():
    with pytest.raises(ArgumentError, match=r"`hamiltonian` must have shape \(8, 8\) like"):
        sparse_liouvillian(np.eye(4), Dissipation(3))
