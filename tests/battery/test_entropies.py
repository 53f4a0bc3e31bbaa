"""Purity, fidelity and entropies, against QuTiP and closed forms."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import unitary_group

from nmrqb.battery import (
    diagonal_entropy,
    fidelity,
    purity,
    renyi2_entropy,
    von_neumann_entropy,
)
from nmrqb.errors import ArgumentError

SEEDS = st.integers(0, 2**32 - 1)
DIMENSIONS = st.integers(2, 6)


def random_state(rng, d):
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=25)
def test_fidelity_is_the_square_of_qutips(seed, d):
    rng = np.random.default_rng(seed)
    rho, sigma = random_state(rng, d), random_state(rng, d)
    expected = qutip.fidelity(qutip.Qobj(rho), qutip.Qobj(sigma)) ** 2
    assert fidelity(rho, sigma) == pytest.approx(expected, abs=1e-7)


def test_fidelity_with_a_pure_state_is_the_overlap():
    rho = random_state(np.random.default_rng(7), 4)
    psi = unitary_group.rvs(4, random_state=1)[:, 0]
    overlap = (psi.conj() @ rho @ psi).real
    assert fidelity(np.outer(psi, psi.conj()), rho) == pytest.approx(overlap, abs=1e-7)
    assert fidelity(rho, rho) == pytest.approx(1.0)


def test_fidelity_of_an_unprojected_estimate_stays_below_one():
    unphysical = np.diag([1.2, 0.1, -0.1, -0.2])
    assert fidelity(unphysical, np.diag([12 / 13, 1 / 13, 0, 0])) == pytest.approx(1.0)
    assert fidelity(np.diag([1.0, 0, 0, 0]), unphysical) == pytest.approx(12 / 13)


def test_purity_of_pure_and_mixed_states():
    assert purity(np.stack([np.diag([1, 0, 0, 0]), np.eye(4) / 4])) == pytest.approx([1, 0.25])


# ---------------------------------------------------------------------------------- entropies
@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=25)
def test_entropies_are_qutips(states, seed, d):
    (rho,) = states(seed, 1, d)
    expected = qutip.entropy_vn(qutip.Qobj(rho), base=2)
    assert von_neumann_entropy(rho) == pytest.approx(expected, abs=1e-10)
    p = np.diag(rho).real
    assert diagonal_entropy(rho) == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-10)
    assert renyi2_entropy(rho) == pytest.approx(-np.log2(np.trace(rho @ rho).real), abs=1e-10)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=25)
def test_entropies_are_in_order_and_blind_to_unitaries(states, unitaries, seed, d):
    (rho,), (U,) = states(seed, 1, d), unitaries(seed, 1, d)
    entropy = von_neumann_entropy(rho)
    assert renyi2_entropy(rho) <= entropy + 1e-12
    assert entropy <= diagonal_entropy(rho) + 1e-12
    assert diagonal_entropy(rho) <= np.log2(d) + 1e-12
    turned = U @ rho @ U.conj().T
    assert von_neumann_entropy(turned) == pytest.approx(entropy, abs=1e-10)
    assert diagonal_entropy(turned, U) == pytest.approx(diagonal_entropy(rho), abs=1e-10)


def test_entropies_of_pure_and_fully_mixed_states_in_bits():
    ends = np.stack([np.diag([1.0, 0, 0, 0]), np.eye(4) / 4, np.diag([0.5, 0.5, 0, 0])])
    for entropy in (von_neumann_entropy, diagonal_entropy, renyi2_entropy):
        np.testing.assert_allclose(entropy(ends), [0, 2, 1], atol=1e-12)


def test_entropy_of_an_unprojected_estimate_is_that_of_what_is_positive():
    assert von_neumann_entropy(np.diag([0.6, 0.6, -0.1, -0.1])) == pytest.approx(1)


@pytest.mark.parametrize("entropy", [von_neumann_entropy, diagonal_entropy, renyi2_entropy])
def test_deviations_have_no_entropy(entropy):
    with pytest.raises(ArgumentError, match="`rho` must have trace 1, but has trace 0"):
        entropy(np.diag([1.0, -1.0]))


def test_a_basis_of_another_size_is_refused():
    with pytest.raises(ArgumentError, match="`basis` must be of the size of `rho`"):
        diagonal_entropy(np.eye(4) / 4, np.eye(2))
