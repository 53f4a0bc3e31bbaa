"""Energies and work, against brute force over unitaries and the laws they must obey."""

import itertools
import tracemalloc

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import unitary_group

from nmrqb.battery import (
    active_energy,
    anti_ergotropy,
    capacity,
    coherence_l1,
    energy,
    energy_basis,
    energy_spread,
    energy_variance,
    ergotropy,
    passive_energy,
    polarized_capacity,
    spectral_width,
    stored_energy,
)
from nmrqb.dynamics import gibbs
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
@pytest.mark.parametrize("d", [2, 3, 4, 6])
def test_no_unitary_extracts_more_than_the_ergotropy(d):
    rho, H, _ = drawn(d, d)
    U = unitary_group.rvs(d, size=20_000, random_state=1)
    extracted = energy(rho, H) - energy(U @ rho @ U.conj().swapaxes(-1, -2), H)
    assert extracted.max() <= ergotropy(rho, H)
    assert extracted.min() >= anti_ergotropy(rho, H)


def best_work(rho, H, sign):
    """Climb ±tr (ρ − UρU†)H over the unitary group from random starts, along its gradient."""
    d = len(H)
    U = unitary_group.rvs(d, size=8, random_state=1)
    start, step = sign * np.trace(rho @ H).real, np.full(8, 0.5 / np.ptp(np.linalg.eigvalsh(H)))

    def turned(U):
        return U @ rho @ U.conj().swapaxes(-1, -2)

    def cost(U):
        return sign * np.einsum("kij,ji->k", turned(U), H).real

    value = cost(U)
    for _ in range(1500):
        sigma = turned(U)
        slope = 1j * sign * (sigma @ H - H @ sigma)  # d/ds tr e^(−isA)σe^(isA)H at A = slope
        tried = expm(-1j * step[:, None, None] * slope) @ U
        lower = cost(tried) < value
        U = np.where(lower[:, None, None], tried, U)
        step *= np.where(lower, 1.5, 0.5)
        value = np.minimum(value, cost(tried))
    return start - value.min()


@pytest.mark.parametrize("d", [2, 3, 4, 6])
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


# ------------------------------------------------------------- capacities, variance, stored energy
def test_three_capacities_of_one_battery():
    # dipolar-battery-dm, eq. 11 (±B/2), Δ = ε = 2, D = B = 1, T = ½; its eq. 8 is −B
    H = from_named({"DM_z": 1 / 4, "Delta": 2 / 4, "epsilon": 2 / 4, "B": 1 / 4})
    assert polarized_capacity(H) == pytest.approx(-1)
    assert spectral_width(H) == pytest.approx(2.386, abs=5.1e-4)
    assert capacity(gibbs(H, 0.5), H) == pytest.approx(1.658, abs=5.1e-4)
    other = from_named({"DM_z": 9.0, "Delta": 7.0, "epsilon": 3.0, "B": 1 / 4})
    assert polarized_capacity(np.stack([H, other])) == pytest.approx([-1, -1])


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=30)
def test_the_spectral_width_is_the_capacity_of_pure_states_and_of_no_state_less(seed, d):
    rho, H, U = drawn(seed, d)
    pure = np.outer(U[0], U[0].conj())
    assert capacity(pure, H) == pytest.approx(spectral_width(H), abs=1e-10)
    assert capacity(rho, H) < spectral_width(H)


@given(SEEDS, DIMENSIONS, st.floats(-1e6, 1e6))
@settings(deadline=None, max_examples=30)
def test_variance_is_that_of_readings_of_the_energy_and_blind_to_its_zero(seed, d, shift):
    rho, H, _ = drawn(seed, d)
    e, V = np.linalg.eigh(H)
    p = np.diag(V.conj().T @ rho @ V).real
    expected = p @ (e - p @ e) ** 2
    assert energy_variance(rho, H) == pytest.approx(expected)
    assert energy_variance(rho, H + shift * np.eye(d)) == pytest.approx(expected, rel=1e-6)
    assert energy_spread(rho, H) == pytest.approx(np.sqrt(expected))


def test_a_level_has_no_spread_and_a_deviation_none_that_could_be_told():
    H = hermitian(np.random.default_rng(1), 4)
    level = np.linalg.eigh(H)[1][:, 2]
    assert energy_spread(np.outer(level, level.conj()), H) == pytest.approx(0, abs=1e-7)
    with pytest.raises(ArgumentError, match="`rho` must have trace 1, but has trace 0"):
        energy_variance(pauli("ZI"), H)


def test_stored_energy_of_a_flip():
    up, down = np.diag([1.0, 0]), np.diag([0.0, 1])
    assert stored_energy(up, down, 3 * pauli("Z")) == pytest.approx(6)
    with pytest.raises(ArgumentError, match="`start` must be of the size of `rho`"):
        stored_energy(up, np.eye(4) / 4, pauli("Z"))


def test_a_hundred_thousand_states_at_once_in_bounded_memory(states):
    n = 100_000
    rho = states(1, n, 4)
    H = np.diag([3.0, 1, -1, -2]).astype(complex)
    tracemalloc.start()
    found = ergotropy(rho, H)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (n,)
    assert peak < 4 * rho.nbytes
    some = np.random.default_rng(2).integers(n, size=20)
    np.testing.assert_allclose(found[some], [ergotropy(rho[k], H) for k in some], atol=1e-13)


# ----------------------------------------------------------------------------- a public package
def test_the_public_package_finds_the_same(states, hermitians):
    core = pytest.importorskip("qthermo.core")
    for d in (2, 3, 4, 6):
        for rho, H in zip(states(d, 10, d), hermitians(d, 10, d), strict=True):
            assert ergotropy(rho, H) == pytest.approx(core.ergotropy(rho, H), abs=1e-10)
            assert energy(rho, H) == pytest.approx(core.internal_energy(rho, H), abs=1e-10)


# ------------------------------------------------------------------------------- shapes, inputs
FIGURES = [
    energy, ergotropy, anti_ergotropy, capacity, passive_energy, active_energy, energy_variance,
]  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES)
def test_stacks_broadcast_and_equal_loops(figure):
    rng = np.random.default_rng(8)
    states = np.array([random_state(rng, 4) for _ in range(3)])
    batteries = np.array([hermitian(rng, 4) for _ in range(2)])
    looped = [[figure(rho, H) for rho in states] for H in batteries]
    np.testing.assert_allclose(figure(states, batteries[:, None]), looped, atol=1e-12)


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
        figure(np.eye(2) / 2, np.ones((2, 3)))
