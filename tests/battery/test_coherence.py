"""Coherence in a basis, between levels, and of each spin alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import logm

from nmrqb.battery import (
    coherence_l1,
    coherence_relative_entropy,
    energy_basis,
    energy_coherence,
    first_order_coherence,
    purity,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, partial_trace, pauli, swap

SEEDS = st.integers(0, 2**32 - 1)
DIMENSIONS = st.integers(2, 6)


def test_coherence_of_the_uniform_superposition_is_d_minus_one():
    assert coherence_l1(np.full((4, 4), 0.25)) == pytest.approx(3.0)


def test_coherence_vanishes_in_the_eigenbasis_of_the_state(states):
    (rho,) = states(6, 1, 4)
    assert coherence_l1(rho, np.linalg.eigh(rho)[1]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "figure", [coherence_l1, purity, coherence_relative_entropy, first_order_coherence]
)
def test_stacks_of_states_equal_loops(states, figure):
    rho = states(9, 6, 4).reshape(2, 3, 4, 4)
    np.testing.assert_allclose(figure(rho), [[figure(r) for r in row] for row in rho], atol=1e-13)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=25)
def test_relative_entropy_of_coherence_is_the_distance_to_the_diagonal_state(
    states, unitaries, seed, d
):
    # S(ρ‖diag ρ) = tr ρ(log ρ − log diag ρ), by matrix logarithms
    (rho,), (V,) = states(seed, 1, d), unitaries(seed, 1, d)
    seen = V.conj().T @ rho @ V
    apart = logm(seen) - np.diag(np.log(np.diag(seen).real))
    expected = np.trace(seen @ apart).real / np.log(2)
    assert coherence_relative_entropy(rho, V) == pytest.approx(expected, abs=1e-8)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=25)
def test_coherence_between_levels_without_degeneracy_is_that_of_the_energy_basis(
    states, hermitians, seed, d
):
    (rho,), (H,) = states(seed, 1, d), hermitians(seed, 1, d)
    expected = coherence_relative_entropy(rho, energy_basis(H))
    assert energy_coherence(rho, H) == pytest.approx(expected, abs=1e-10)


def test_coherence_between_levels_does_not_ask_for_a_basis_inside_them(states):
    # the rest of what a bare energy basis counts lies inside degenerate levels
    H = from_named({"B": 1.0})
    psi = np.array([0, 1, 1, 0]) / np.sqrt(2)
    assert energy_coherence(np.outer(psi, psi), H) == pytest.approx(0, abs=1e-12)
    assert coherence_relative_entropy(np.outer(psi, psi), energy_basis(H)) == pytest.approx(1)
    (rho,) = states(3, 1, 4)
    assert energy_coherence(rho, H) < coherence_relative_entropy(rho, energy_basis(H)) - 1e-3


def test_first_order_coherence_is_the_mean_square_bloch_vector(states):
    rho = states(4, 5, 4)
    squares = []
    for k in range(2):
        one = partial_trace(rho, (k,))
        bloch = [np.einsum("...ij,ji->...", one, pauli(a)).real for a in "XYZ"]
        squares.append(np.sum(np.square(bloch), axis=0))
    np.testing.assert_allclose(first_order_coherence(rho), np.sqrt(np.mean(squares, axis=0)))
    P = swap(0, 1, 2)
    np.testing.assert_allclose(first_order_coherence(P @ rho @ P), first_order_coherence(rho))


def test_first_order_coherence_of_product_and_bell_states():
    bell = np.array([1, 0, 0, 1]) / np.sqrt(2)
    assert first_order_coherence(np.diag([1.0, 0, 0, 0])) == pytest.approx(1)
    assert first_order_coherence(np.outer(bell, bell)) == pytest.approx(0, abs=1e-7)
    assert first_order_coherence(np.diag([0.5, 0.5, 0, 0])) == pytest.approx(np.sqrt(0.5))
    with pytest.raises(ArgumentError, match=r"`dims` must be dimensions whose product .* spins ½"):
        first_order_coherence(np.eye(3) / 3)
