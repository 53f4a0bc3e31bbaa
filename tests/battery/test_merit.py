"""Figures of merit, against brute force over unitaries, QuTiP and the laws they must obey."""

import itertools

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import minimize
from scipy.stats import unitary_group

from nmrqb.battery import (
    active_energy,
    anti_ergotropy,
    capacity,
    coherence_l1,
    energy,
    energy_basis,
    ergotropy,
    fidelity,
    is_degenerate,
    passive_energy,
    purity,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli, swap

SEEDS = st.integers(0, 2**32 - 1)
DIMENSIONS = st.integers(2, 6)


def hermitian(rng, d):
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (matrix + matrix.conj().T) / 2


def random_state(rng, d):
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def drawn(seed, d):
    rng = np.random.default_rng(seed)
    return random_state(rng, d), hermitian(rng, d), unitary_group.rvs(d, random_state=rng)


# ----------------------------------------------------------------------- ergotropy by brute force
@pytest.mark.parametrize("d", [2, 3, 4])
def test_no_unitary_extracts_more_than_the_ergotropy(d):
    rho, H, _ = drawn(d, d)
    U = unitary_group.rvs(d, size=20_000, random_state=1)
    extracted = energy(rho, H) - energy(U @ rho @ U.conj().swapaxes(-1, -2), H)
    assert extracted.max() <= ergotropy(rho, H)
    assert extracted.min() >= anti_ergotropy(rho, H)


def best_work(rho, H, sign):
    """Maximise ±tr(ρ − UρU†)H over U = exp(−iA), all real parameters of A free."""
    d = len(H)
    upper = np.triu_indices(d)

    def loss(x):
        half = np.zeros((d, d), dtype=complex)
        half[upper] = x[: len(x) // 2] + 1j * x[len(x) // 2 :]
        U = expm(-1j * (half + half.conj().T))
        return -sign * np.trace((rho - U @ rho @ U.conj().T) @ H).real

    rng = np.random.default_rng(1)
    starts = rng.normal(size=(4, 2 * len(upper[0])))
    return max(-minimize(loss, x0, method="BFGS").fun for x0 in starts)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_optimised_unitary_reaches_the_ergotropy(d):
    rho, H, _ = drawn(10 + d, d)
    assert best_work(rho, H, 1) == pytest.approx(ergotropy(rho, H), rel=1e-6)
    assert best_work(rho, H, -1) == pytest.approx(-anti_ergotropy(rho, H), rel=1e-6)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=30)
def test_passive_energy_is_the_best_permutation_of_populations(seed, d):
    rho, H, _ = drawn(seed, d)
    populations, levels = np.linalg.eigvalsh(rho), np.linalg.eigvalsh(H)
    energies = [np.dot(order, levels) for order in itertools.permutations(populations)]
    assert passive_energy(rho, H) == pytest.approx(min(energies), abs=1e-10)
    assert active_energy(rho, H) == pytest.approx(max(energies), abs=1e-10)


# ------------------------------------------------------------------------------------ laws
@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_signs_and_sum(seed, d):
    rho, H, _ = drawn(seed, d)
    assert ergotropy(rho, H) >= -1e-12
    assert anti_ergotropy(rho, H) <= 1e-12
    assert capacity(rho, H) == pytest.approx(ergotropy(rho, H) - anti_ergotropy(rho, H), abs=1e-10)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_passive_states_hold_no_work(seed, d):
    rho, H, _ = drawn(seed, d)
    _, V = np.linalg.eigh(H)
    populations = np.linalg.eigvalsh(rho)[::-1]
    assert ergotropy((V * populations) @ V.conj().T, H) == pytest.approx(0, abs=1e-10)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_capacity_does_not_change_under_unitaries(seed, d):
    rho, H, U = drawn(seed, d)
    assert capacity(U @ rho @ U.conj().T, H) == pytest.approx(capacity(rho, H), abs=1e-10)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_figures_do_not_depend_on_the_common_basis(seed, d):
    rho, H, U = drawn(seed, d)
    turned = U @ rho @ U.conj().T, U @ H @ U.conj().T
    assert ergotropy(*turned) == pytest.approx(ergotropy(rho, H), abs=1e-10)
    assert anti_ergotropy(*turned) == pytest.approx(anti_ergotropy(rho, H), abs=1e-10)


@given(SEEDS, st.floats(0, 10), st.floats(0, 10), st.floats(-100, 100))
@settings(deadline=None, max_examples=50)
def test_work_is_homogeneous_and_blind_to_the_zero_of_energy(seed, a, b, shift):
    rho, H, _ = drawn(seed, 4)
    scaled = a * rho, b * H + shift * np.eye(4)
    for figure in (ergotropy, anti_ergotropy, capacity):
        assert figure(*scaled) == pytest.approx(a * b * figure(rho, H), abs=1e-8)


@given(SEEDS, st.sampled_from([1.0, 0.1, 1e-5]))
@settings(deadline=None, max_examples=30)
def test_work_of_a_deviation_is_proportional_to_its_size(seed, epsilon):
    # 1/d + ε(ρ − 1/d): ergotropy/ε is the same at ε = 1, 0.1, 1e-5 (tomography.md §3)
    rho, H, _ = drawn(seed, 4)
    diluted = np.eye(4) / 4 + epsilon * (rho - np.eye(4) / 4)
    assert ergotropy(diluted, H) / epsilon == pytest.approx(ergotropy(rho, H), abs=1e-8)
    assert coherence_l1(diluted) / epsilon == pytest.approx(coherence_l1(rho), abs=1e-8)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_inverted_battery_exchanges_the_two_ergotropies(seed, d):
    rho, H, _ = drawn(seed, d)
    assert ergotropy(rho, -H) == pytest.approx(-anti_ergotropy(rho, H), abs=1e-10)


@given(SEEDS, st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_ergotropy_and_coherence_are_convex(seed, weight):
    # physics.md, erratum 12: this is why noise biases them upwards
    rho, H, _ = drawn(seed, 4)
    sigma = random_state(np.random.default_rng(seed + 1), 4)
    mixture = weight * rho + (1 - weight) * sigma
    for figure in (lambda r: ergotropy(r, H), lambda r: capacity(r, H), coherence_l1):
        assert figure(mixture) <= weight * figure(rho) + (1 - weight) * figure(sigma) + 1e-10


@given(SEEDS)
@settings(deadline=None, max_examples=30)
def test_relabelling_the_spins_changes_nothing(seed):
    rho, H, _ = drawn(seed, 4)
    P = swap(0, 1, 2)
    for figure in (energy, ergotropy, anti_ergotropy, capacity):
        assert figure(P @ rho @ P, P @ H @ P) == pytest.approx(figure(rho, H), abs=1e-10)
    before = coherence_l1(rho, energy_basis(H))
    after = coherence_l1(P @ rho @ P, energy_basis(P @ H @ P))
    assert after == pytest.approx(before, abs=1e-9)


def test_pure_state_of_a_two_level_battery_holds_its_inversion():
    # |ψ⟩ = cos θ/2 |0⟩ + sin θ/2 |1⟩, H = σz: ergotropy 1 + cos θ, capacity 2
    theta = 0.7
    psi = np.array([np.cos(theta / 2), np.sin(theta / 2)])
    rho = np.outer(psi, psi)
    assert ergotropy(rho, pauli("Z")) == pytest.approx(1 + np.cos(theta))
    assert anti_ergotropy(rho, pauli("Z")) == pytest.approx(-1 + np.cos(theta))


def test_negative_populations_of_a_linear_inversion_are_counted_as_they_are():
    # clipping them would bias every estimate made from an unprojected reconstruction
    assert ergotropy(np.diag([1.2, -0.2]), pauli("Z")) == pytest.approx(2.8)
    assert capacity(np.diag([1.2, -0.2]), pauli("Z")) == pytest.approx(2.8)


# -------------------------------------------------------------------------------- energy basis
def test_battery_without_degeneracy_has_its_eigenvectors_in_ascending_order():
    H = hermitian(np.random.default_rng(3), 4)
    V = energy_basis(H)
    np.testing.assert_allclose(V.conj().T @ H @ V, np.diag(np.linalg.eigvalsh(H)), atol=1e-12)


DEGENERATE = {
    "DM alone": from_named({"DM_z": 1.0}),
    "Zeeman alone": from_named({"B": 1.0}),
    "isotropic exchange": from_named({"isotropic": 1.0}),
    "rhombic alone": from_named({"epsilon": 1.0}),
    "DM along x": from_named({"DM_x": 1.0}),
    "one product": pauli("XX"),
    "zero": np.zeros((4, 4), dtype=complex),
    "three spins": pauli("XYI") + pauli("IXY"),
}


@pytest.mark.parametrize("H", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_basis_is_an_orthonormal_eigenbasis(H):
    V = energy_basis(H)
    assert is_degenerate(H)
    np.testing.assert_allclose(V.conj().T @ V, np.eye(len(H)), atol=1e-9)
    rotated = V.conj().T @ H @ V
    np.testing.assert_allclose(rotated, np.diag(np.linalg.eigvalsh(H)), atol=1e-9)


@pytest.mark.parametrize("H", DEGENERATE.values(), ids=DEGENERATE)
def test_coherence_does_not_depend_on_the_rounding_of_a_degenerate_battery(H):
    # the diagonaliser is free inside a level and turns with the last digit; the figure must not
    rng = np.random.default_rng(4)
    rho = random_state(rng, len(H))
    size = 1e-14 * np.linalg.norm(H)
    values = [coherence_l1(rho, energy_basis(H + size * hermitian(rng, len(H)))) for _ in range(5)]
    np.testing.assert_allclose(values, coherence_l1(rho, energy_basis(H)), atol=1e-6)


def test_degenerate_levels_are_resolved_by_total_z_and_ties_by_product_order():
    # DM alone: |00⟩ and |11⟩ share the energy 0; the larger Σσz stands first
    middle = energy_basis(DEGENERATE["DM alone"])[:, 1:3]
    np.testing.assert_allclose(np.abs(middle), np.eye(4)[:, [0, 3]], atol=1e-12)
    # Zeeman alone: |01⟩ and |10⟩ share energy and Σσz
    order = np.abs(energy_basis(DEGENERATE["Zeeman alone"]))
    np.testing.assert_allclose(order, np.eye(4)[:, [3, 1, 2, 0]], atol=1e-12)


def test_coherence_of_dm_alone_is_that_in_the_basis_of_total_z():
    # eigenvectors (|01⟩ ± i|10⟩)/√2, |00⟩, |11⟩ written out
    rho = random_state(np.random.default_rng(5), 4)
    s = np.sqrt(0.5)
    V = np.array([[0, 1, 0, 0], [s, 0, 0, s], [1j * s, 0, 0, -1j * s], [0, 0, 1, 0]])
    turned = V.conj().T @ rho @ V
    expected = np.abs(turned).sum() - np.abs(np.diag(turned)).sum()
    assert coherence_l1(rho, energy_basis(DEGENERATE["DM alone"])) == pytest.approx(expected)


def test_small_splitting_lifts_the_degeneracy():
    assert not is_degenerate(np.diag([0.0, 1e-6, 1.0, 2.0]))
    assert is_degenerate(np.diag([0.0, 1e-10, 1.0, 2.0]))


# -------------------------------------------------------------- coherence, fidelity, purity
def test_coherence_of_the_uniform_superposition_is_d_minus_one():
    assert coherence_l1(np.full((4, 4), 0.25)) == pytest.approx(3.0)


def test_coherence_vanishes_in_the_eigenbasis_of_the_state():
    rho = random_state(np.random.default_rng(6), 4)
    assert coherence_l1(rho, np.linalg.eigh(rho)[1]) == pytest.approx(0, abs=1e-12)


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


# ------------------------------------------------------------------------------- shapes, inputs
FIGURES = [energy, ergotropy, anti_ergotropy, capacity, passive_energy, active_energy]


@pytest.mark.parametrize("figure", FIGURES)
def test_stacks_broadcast_and_equal_loops(figure):
    rng = np.random.default_rng(8)
    states = np.array([random_state(rng, 4) for _ in range(3)])
    batteries = np.array([hermitian(rng, 4) for _ in range(2)])
    looped = [[figure(rho, H) for rho in states] for H in batteries]
    np.testing.assert_allclose(figure(states, batteries[:, None]), looped, atol=1e-12)


@pytest.mark.parametrize("figure", [coherence_l1, purity])
def test_stacks_of_states_equal_loops(figure):
    rng = np.random.default_rng(9)
    states = np.array([[random_state(rng, 4) for _ in range(3)] for _ in range(2)])
    np.testing.assert_allclose(figure(states), [[figure(rho) for rho in row] for row in states])


@pytest.mark.parametrize("figure", FIGURES)
def test_qobj_and_array_agree(figure):
    rho, H = qutip.rand_dm([2, 2], seed=1), qutip.rand_herm([2, 2], seed=2)
    assert figure(rho, H) == figure(rho.full(), H.full())


@pytest.mark.parametrize("figure", FIGURES)
def test_states_that_are_not_finite_are_refused(figure):
    with pytest.raises(ArgumentError, match="`rho` must be finite, but holds 1 entries"):
        figure(np.diag([np.nan, 1.0]), np.eye(2))


@pytest.mark.parametrize("figure", FIGURES)
def test_hamiltonians_that_are_not_square_are_refused(figure):
    with pytest.raises(ArgumentError, match="`H` must have shape"):
        figure(np.eye(2), np.ones((2, 3)))
