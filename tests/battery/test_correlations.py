"""Correlations of two parts, against QuTiP, closed forms and direct maximisation."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nmrqb.battery import (
    concurrence,
    energy,
    first_order_coherence,
    mutual_information,
    negativity,
    steering,
    von_neumann_entropy,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import partial_trace, pauli, swap

SEEDS = st.integers(0, 2**32 - 1)
X = np.eye(4) + np.eye(4)[::-1]
SINGLET = np.array([0, 1, -1, 0]) / np.sqrt(2)
P = np.linspace(0, 1, 41)
WERNER = P[:, None, None] * np.outer(SINGLET, SINGLET) + (1 - P)[:, None, None] * np.eye(4) / 4


def cases(states):
    """A thousand states: X and not, of ranks 1 to 4."""
    mixed = np.concatenate([states(rank, 125, 4, rank) for rank in (1, 2, 3, 4)])
    return np.concatenate(
        [mixed, X * np.concatenate([states(4 + r, 125, 4, r) for r in (1, 2, 3, 4)])]
    )


def qobj(rho):
    return qutip.Qobj(rho, dims=[[2, 2], [2, 2]])


def test_concurrence_is_qutips_for_a_thousand_states(states):
    rho = cases(states)
    expected = [qutip.concurrence(qobj(r)) for r in rho]
    # of singular states theirs is a root of rounding
    np.testing.assert_allclose(concurrence(rho), expected, atol=1e-7)


def test_concurrence_of_x_states_in_closed_form(states):
    rho = cases(states)[500:]
    a = np.abs(rho[:, 0, 3]) - np.sqrt((rho[:, 1, 1] * rho[:, 2, 2]).real)
    b = np.abs(rho[:, 1, 2]) - np.sqrt((rho[:, 0, 0] * rho[:, 3, 3]).real)
    np.testing.assert_allclose(concurrence(rho), 2 * np.max([a, b, 0 * a], axis=0), atol=1e-9)


def test_concurrence_of_pure_states_keeps_all_digits(states):
    # 2|ad − bc|, and 0 of products
    vectors = np.linalg.eigh(states(1, 50, 4, 1))[1][:, :, -1]
    a, b, c, d = vectors.T
    np.testing.assert_allclose(
        concurrence(vectors[:, :, None] * vectors[:, None].conj()),
        2 * np.abs(a * d - b * c),
        atol=1e-13,
    )
    assert concurrence(np.diag([0, 0, 1.0, 0])) == 0


def test_entanglement_of_werner_states_sets_in_at_one_third():
    expected = np.maximum(0, (3 * P - 1) / 2)
    np.testing.assert_allclose(concurrence(WERNER), expected, atol=1e-12)
    np.testing.assert_allclose(negativity(WERNER), expected / 2, atol=1e-12)


def test_negativity_is_qutips_for_a_thousand_states(states):
    rho = cases(states)
    expected = [qutip.negativity(qobj(r), 0) for r in rho]
    np.testing.assert_allclose(negativity(rho), expected, atol=1e-10)
    np.testing.assert_allclose(negativity(rho, (1,)), expected, atol=1e-10)
    entangled = concurrence(rho) > 1e-6
    np.testing.assert_array_equal(negativity(rho) > 1e-13, entangled)  # both are necessary


@given(SEEDS, st.sampled_from([(0,), (1,), (2,), (0, 2), (1, 2)]))
@settings(deadline=None, max_examples=20)
def test_parts_of_three_spins(states, seed, part):
    (rho,) = states(seed, 1, 8, 2)
    rest = [k for k in range(3) if k not in part]
    mask = [k in part for k in range(3)]
    transposed = qutip.partial_transpose(qutip.Qobj(rho, dims=[[2] * 3] * 2), mask).full()
    expected = (np.abs(np.linalg.eigvalsh(transposed)).sum() - 1) / 2
    assert negativity(rho, part) == pytest.approx(expected, abs=1e-10)
    one, other = (von_neumann_entropy(partial_trace(rho, k)) for k in (part, rest))
    information = one + other - von_neumann_entropy(rho)
    assert mutual_information(rho, part) == pytest.approx(information, abs=1e-10)


def test_parts_of_other_dimensions(states):
    psi = np.zeros((2, 3))
    psi[0, 0], psi[1, 2] = np.sqrt(0.5), np.sqrt(0.5)
    rho = np.outer(psi, psi)
    assert negativity(rho, (0,), (2, 3)) == pytest.approx(0.5)
    assert mutual_information(rho, (1,), (2, 3)) == pytest.approx(2)
    product = np.kron(states(1, 1, 2)[0], states(2, 1, 3)[0])
    assert mutual_information(product, (0,), (2, 3)) == pytest.approx(0, abs=1e-10)


def best_steering(rho):
    """Maximise Σ |tr A_i⊗B_i ρ|/√3 over frames of one spin, B_i being the best for each A_i."""
    T = np.array([[energy(rho, pauli(a + b)) for b in "XYZ"] for a in "XYZ"])
    frames = Rotation.random(20_000, rng=np.random.default_rng(1)).as_matrix()
    return (np.linalg.norm(frames @ T, axis=-1).sum(axis=-1) / np.sqrt(3)).max()


def test_steering_is_the_best_of_orthogonal_settings(states):
    for rho in states(11, 5, 4, 2):
        found = best_steering(rho)
        assert found <= steering(rho) + 1e-12
        assert found == pytest.approx(steering(rho), rel=2e-3)


def test_steering_of_werner_and_product_states():
    np.testing.assert_allclose(steering(WERNER), np.sqrt(3) * P, atol=1e-12)
    assert steering(np.diag([0, 1.0, 0, 0])) == pytest.approx(1)


def test_steering_and_first_order_coherence_of_pure_states_are_bound_together(states):
    # tr ρ² = (1 + |r|² + |s|² + tr TᵀT)/4 = 1
    rho = states(12, 20, 4, 1)
    np.testing.assert_allclose(steering(rho) ** 2 + 2 * first_order_coherence(rho) ** 2, 3)


@pytest.mark.parametrize("figure", [concurrence, negativity, mutual_information, steering])
def test_nothing_changes_with_labels_or_local_unitaries(states, unitaries, figure):
    rho, swapped = states(13, 10, 4, 2), swap(0, 1, 2)
    U = np.kron(*unitaries(13, 2, 2))
    for turned in (swapped @ rho @ swapped, U @ rho @ U.conj().T):
        np.testing.assert_allclose(figure(turned), figure(rho), atol=1e-7)
    stack = figure(rho.reshape(2, 5, 4, 4))
    np.testing.assert_array_equal(stack.ravel(), figure(rho))
    assert figure(qobj(rho[0])) == figure(rho[0])


def test_what_is_no_part_is_refused():
    rho = np.eye(4) / 4
    for part in ((), (0, 1), (2,), (0, 0), (-1,)):
        with pytest.raises(ArgumentError, match="`part` must be different tensor positions of 0"):
            negativity(rho, part)
    with pytest.raises(ArgumentError, match=r"`dims` must be .* is \(3, 2\)"):
        mutual_information(rho, (0,), (3, 2))
    for figure in (concurrence, steering):
        with pytest.raises(ArgumentError, match=r"`rho` must be of two spins, .* \(2, 2\)"):
            figure(np.eye(2) / 2)
