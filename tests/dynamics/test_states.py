"""Gibbs states at every temperature, against expm and thermodynamic limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm
from scipy.stats import unitary_group

from nmrqb.dynamics import (
    basis_state,
    excited_population,
    gibbs,
    is_density_matrix,
    product_state,
    product_thermal,
    spin_gibbs,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, kron, partial_trace, pauli

LEVELS = np.array([-3.0, -1.0, 2.0, 5.0])


def hermitian(seed, d=4):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return matrix + matrix.conj().T


@pytest.mark.parametrize("temperature", [0.3, 2.0, 50.0, -0.7, -20.0])
def test_gibbs_is_the_normalised_exponential(temperature):
    H = hermitian(1)
    weight = expm(-H / temperature)
    found = gibbs(H, temperature, inverted=temperature < 0)
    np.testing.assert_allclose(found, weight / np.trace(weight), atol=1e-12)


@pytest.mark.parametrize(("temperature", "level"), [(1e-6, 0), (-1e-6, 3)])
def test_cold_states_are_the_lowest_or_highest_level(temperature, level):
    # energies a million times the temperature: a naive exponential overflows
    projector = np.zeros((4, 4))
    projector[level, level] = 1
    found = gibbs(np.diag(LEVELS), temperature, inverted=True)
    np.testing.assert_array_equal(found, projector)


@pytest.mark.parametrize("temperature", [5e-324, -5e-324, 1e-300, 1e300])
def test_no_temperature_overflows(temperature):
    assert is_density_matrix(gibbs(np.diag(LEVELS), temperature, inverted=True))


@pytest.mark.parametrize("temperature", [np.inf, -np.inf])
def test_infinite_temperature_is_maximally_mixed(temperature):
    found = gibbs(hermitian(2), temperature, inverted=True)
    np.testing.assert_allclose(found, np.eye(4) / 4, atol=1e-15)


def test_a_common_offset_of_all_levels_does_not_matter():
    moved = gibbs(np.diag(LEVELS + 1e6), 0.5)
    np.testing.assert_allclose(moved, gibbs(np.diag(LEVELS), 0.5), atol=1e-9)


@given(st.floats(0.05, 1e3), arrays(float, 4, elements=st.floats(-20, 20)))
@settings(deadline=None, max_examples=40)
def test_negative_temperature_is_the_inverted_battery(temperature, levels):
    H = np.diag(levels) + pauli("XY")
    found = gibbs(H, -temperature, inverted=True)
    np.testing.assert_allclose(found, gibbs(-H, temperature), atol=1e-12)


@given(st.floats(0.3, 50), st.booleans())
@settings(deadline=None, max_examples=40)
def test_population_ratios_obey_boltzmann(temperature, inverted):
    T = -temperature if inverted else temperature
    populations = np.diag(gibbs(np.diag(LEVELS), T, inverted=inverted)).real
    np.testing.assert_allclose(
        np.log(populations[1:] / populations[:-1]), -np.diff(LEVELS) / T, rtol=1e-9
    )


def test_thermal_state_of_dipolar_battery_dm_is_eq_14():
    # dipolar-battery-dm, eq. 14; its matrix, eq. 11, has ±B/2 on |00⟩ and |11⟩ (erratum 5)
    delta, epsilon, D, B, beta = 2.0, 1.5, 0.7, 1.1, 2.0
    eta, chi = np.hypot(B, epsilon), np.hypot(delta, 3 * D)
    low, high = np.exp(-beta * delta / 6), np.exp(beta * delta / 6)
    rho = np.zeros((4, 4), dtype=complex)
    rho[0, 0] = low * (np.cosh(eta * beta / 2) - B / eta * np.sinh(eta * beta / 2))
    rho[3, 3] = low * (np.cosh(eta * beta / 2) + B / eta * np.sinh(eta * beta / 2))
    rho[0, 3] = rho[3, 0] = -epsilon / eta * low * np.sinh(eta * beta / 2)
    rho[1, 1] = rho[2, 2] = high * np.cosh(chi * beta / 6)
    rho[1, 2] = (delta - 3j * D) / chi * high * np.sinh(chi * beta / 6)
    rho[2, 1] = rho[1, 2].conj()
    H = from_named({"DM_z": D / 4, "Delta": delta / 4, "epsilon": epsilon / 4, "B": B / 4})
    np.testing.assert_allclose(gibbs(H, 1 / beta), rho / np.trace(rho), atol=1e-12)


def test_stacks_of_hamiltonians_and_temperatures_broadcast():
    H, T = np.array([hermitian(3), hermitian(4)]), np.array([0.5, -2.0])
    looped = [gibbs(h, t, inverted=True) for h, t in zip(H, T, strict=True)]
    np.testing.assert_allclose(gibbs(H, T, inverted=True), looped, atol=1e-13)
    looped = [gibbs(H[0], t, inverted=True) for t in T]
    np.testing.assert_allclose(gibbs(H[0], T, inverted=True), looped, atol=1e-13)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("temperature", [0.0, -0.0, np.array([1.0, 0.0])])
def test_temperature_zero_is_refused(temperature, inverted):
    with pytest.raises(ArgumentError, match="`temperature` must be a number other than 0, but is"):
        gibbs(np.diag(LEVELS), temperature, inverted=inverted)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("temperature", [np.nan, 1j, "cold", np.array([1.0, np.nan]), None])
def test_temperatures_that_are_no_numbers_are_refused(temperature, inverted):
    with pytest.raises(ArgumentError, match="`temperature` must be real numbers, but is"):
        gibbs(np.diag(LEVELS), temperature, inverted=inverted)


@pytest.mark.parametrize("temperature", [-1.0, -np.inf, -1e-300, np.array([1.0, -2.0])])
def test_negative_temperatures_are_asked_for_by_name(temperature):
    with pytest.raises(ArgumentError, match=r"`temperature` must be positive, but is .*-.*verted="):
        gibbs(np.diag(LEVELS), temperature)
    with pytest.raises(ArgumentError, match="`temperature` must be positive"):
        spin_gibbs(2.0, temperature)
    assert is_density_matrix(gibbs(np.diag(LEVELS), temperature, inverted=True))


def test_batches_that_do_not_broadcast_are_refused():
    message = r"`temperature` must broadcast with the batch axes \(2,\) .*, but has shape \(3,\)"
    with pytest.raises(ArgumentError, match=message):
        gibbs(np.array([hermitian(3), hermitian(4)]), [1.0, 2.0, 3.0])


def test_hamiltonian_that_is_not_finite_is_refused():
    with pytest.raises(ArgumentError, match="`hamiltonian` must be finite"):
        gibbs(np.diag([np.nan, 1.0]), 1.0)


@pytest.mark.parametrize("temperature", [3.0, -3.0, np.inf])
def test_one_spin_gibbs_follows_the_fermi_function(temperature):
    # H = ν Iz: |0⟩ is the excited state, above one half only when inverted
    expected = 1 / (1 + np.exp(2.0 / temperature))
    assert excited_population(spin_gibbs(2.0, temperature, inverted=True)) == pytest.approx(
        expected
    )


def test_basis_state_counts_up_as_zero_from_the_left():
    expected = np.diag([0, 0, 0, 0, 0, 0, 1.0, 0])
    np.testing.assert_array_equal(basis_state("110"), expected)


@pytest.mark.parametrize("bits", ["", "02", "up"])
def test_basis_states_are_zeros_and_ones(bits):
    with pytest.raises(ArgumentError, match="must be zeros and ones"):
        basis_state(bits)


@pytest.mark.parametrize(
    "matrix", [np.diag([1.2, -0.2]), np.diag([0.5, 0.4]), np.array([[0.5, 0.3], [0, 0.5]])]
)
def test_matrices_that_are_no_states_are_told_apart(matrix):
    assert not is_density_matrix(matrix.astype(complex))


# -------------------------------------------------------------------------- limits and degeneracy
def turned(levels, seed):
    """A Hamiltonian with these levels, in no special basis, and its eigenvectors."""
    d = len(levels)
    V = unitary_group.rvs(d, random_state=seed)
    H = (V * np.asarray(levels)) @ V.conj().T
    return (H + H.conj().T) / 2, V


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e9, 1e200])
@pytest.mark.parametrize("d", [2, 4, 16])
def test_limits_of_any_hamiltonian_come_without_a_warning(d, scale):
    H, V = turned(scale * np.linspace(-1, 1, d), d)
    ground = np.outer(V[:, 0], V[:, 0].conj())
    norm = np.linalg.norm(H, 2)
    with np.errstate(all="raise"):
        np.testing.assert_allclose(gibbs(H, 1e-12 * norm), ground, atol=1e-13)
        np.testing.assert_allclose(gibbs(H, 1e12 * norm), np.eye(d) / d, atol=1e-12)


@pytest.mark.parametrize("ratio", [1e-6, 1e-12, 1e-15, 1e-250])
@pytest.mark.parametrize(("d", "ground"), [(4, 2), (8, 3), (16, 9), (4, 4)])
def test_degenerate_ground_levels_are_filled_equally(d, ground, ratio):
    # what eigh tells apart by rounding is far above kT here
    H, V = turned([-1.0] * ground + [0.5 + k for k in range(d - ground)], 7 * d)
    projector = V[:, :ground] @ V[:, :ground].conj().T
    np.testing.assert_allclose(gibbs(H, ratio), projector / ground, atol=1e-12)


def test_a_split_that_rounding_does_not_make_is_kept():
    H = np.diag([0.0, 1e-9, 1.0, 1.0])
    expected = 1 / (1 + np.exp(-1.0))
    assert gibbs(H, 1e-9)[0, 0].real == pytest.approx(expected, rel=1e-6)


def test_a_hamiltonian_of_nothing_is_maximally_mixed():
    np.testing.assert_array_equal(gibbs(np.zeros((4, 4)), 1e-300), np.eye(4) / 4)


HAMILTONIANS = st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 4, 8])).map(
    lambda drawn: hermitian(*drawn)
)


def entropy(rho):
    populations = np.linalg.eigvalsh(rho)
    populations = populations[populations > 1e-300]
    return -(populations * np.log(populations)).sum()


@given(HAMILTONIANS, st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=40)
def test_gibbs_states_are_states_and_commute_with_the_hamiltonian(H, T):
    rho = gibbs(H, T)
    assert is_density_matrix(rho, 1e-13)
    np.testing.assert_allclose(rho @ H, H @ rho, atol=1e-11)


@given(HAMILTONIANS, st.floats(1e-2, 1e2), st.floats(1.01, 10))
@settings(deadline=None, max_examples=40)
def test_entropy_and_energy_grow_with_temperature(H, T, factor):
    cold, hot = gibbs(H, T), gibbs(H, T * factor)
    assert entropy(hot) >= entropy(cold) - 1e-12
    assert np.trace(hot @ H).real >= np.trace(cold @ H).real - 1e-11


@given(HAMILTONIANS, st.floats(0.1, 10), st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_gibbs_states_have_the_least_free_energy(H, T, seed):
    rng = np.random.default_rng(seed)
    A = hermitian(seed, len(H)) + 1j * rng.normal(size=H.shape)
    other = A @ A.conj().T / np.trace(A @ A.conj().T)
    free = [np.trace(rho @ H).real - T * entropy(rho) for rho in (gibbs(H, T), other)]
    assert free[0] <= free[1] + 1e-10
    Z = np.exp(-np.linalg.eigvalsh(H) / T).sum()
    assert free[0] == pytest.approx(-T * np.log(Z), abs=1e-9)


# -------------------------------------------------------------------------------------- products
def test_every_spin_has_its_own_temperature():
    nu, T = [2.0, -1.0, 0.5], [0.4, 3.0, np.inf]
    rho = product_thermal(nu, T)
    for k in range(3):
        np.testing.assert_allclose(partial_trace(rho, (k,)), spin_gibbs(nu[k], T[k]), atol=1e-14)
    np.testing.assert_allclose(rho, kron(spin_gibbs(*pair) for pair in zip(nu, T, strict=True)))
    assert np.diag(rho).real[0] == pytest.approx(0.5 / (1 + np.exp(2 / 0.4)) / (1 + np.exp(-1 / 3)))


def test_equal_temperatures_are_the_gibbs_state_of_the_sum():
    H = (3 * pauli("ZI") - 1.4 * pauli("IZ")) / 2
    np.testing.assert_allclose(product_thermal([3, -1.4], 0.9), gibbs(H, 0.9), atol=1e-14)


def test_batches_of_products_equal_loops():
    rng = np.random.default_rng(3)
    nu, T = rng.normal(size=(5, 1, 3)), rng.uniform(0.2, 3, size=(4, 3))
    found = product_thermal(nu, T)
    assert found.shape == (5, 4, 8, 8)
    for i, j in np.ndindex(5, 4):
        np.testing.assert_allclose(found[i, j], product_thermal(nu[i, 0], T[j]), atol=1e-14)


def test_products_may_be_inverted_if_asked():
    found = product_thermal([2.0, 2.0], [-1.0, 1.0], inverted=True)
    np.testing.assert_allclose(partial_trace(found, (0,)), spin_gibbs(-2.0, 1.0), atol=1e-14)
    with pytest.raises(
        ArgumentError, match=r"`temperature` must be positive, but is \[-1\.  1\.\]"
    ):
        product_thermal([2.0, 2.0], [-1.0, 1.0])


@pytest.mark.parametrize(
    ("splittings", "temperatures", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], r"shape \(..., n\) .* shapes \(3,\) and \(2,\)"),
        (1.0, 1.0, r"have shapes \(\) and \(\)"),
        ([], [], r"have shapes \(0,\) and \(0,\)"),
        ([1.0, np.inf], [1.0, 1.0], r"`splitting` must be finite"),
        ([1.0, np.nan], [1.0, 1.0], r"`splittings` must be real numbers"),
        ([1.0, 1.0], [1.0, np.nan], r"`temperatures` must be real numbers"),
        ([1.0, 1.0], [1.0, 0.0], r"`temperature` must be a number other than 0"),
    ],
)
def test_products_of_what_is_no_temperature_are_refused(splittings, temperatures, message):
    with pytest.raises(ArgumentError, match=message):
        product_thermal(splittings, temperatures)


KETS = {
    "0": [1, 0], "1": [0, 1], "+": [1, 1], "-": [1, -1], "+i": [1, 1j], "-i": [1, -1j]
}  # fmt: skip


@pytest.mark.parametrize("names", [["0"], ["1", "+"], ["+i", "-", "-i"], ["-i", "0", "1"]])
def test_named_states_are_projectors(names):
    ket = np.ones(1)
    for name in names:
        ket = np.kron(ket, np.array(KETS[name]) / np.linalg.norm(KETS[name]))
    np.testing.assert_allclose(product_state(names), np.outer(ket, ket.conj()), atol=1e-15)


@given(st.floats(-7, 7), st.floats(-7, 7))
@settings(deadline=None, max_examples=40)
def test_bloch_angles_are_those_of_the_ket(theta, phi):
    ket = np.array([np.cos(theta / 2), np.exp(1j * phi) * np.sin(theta / 2)])
    np.testing.assert_allclose(product_state([(theta, phi)]), np.outer(ket, ket.conj()), atol=1e-14)


def test_batches_of_angles_equal_loops():
    theta, phi = np.linspace(0, 3, 4), np.linspace(-1, 1, 3)[:, None]
    found = product_state(["+", (theta, phi)])
    assert found.shape == (3, 4, 4, 4)
    for i, j in np.ndindex(3, 4):
        one = product_state(["+", (theta[j], phi[i, 0])])
        np.testing.assert_allclose(found[i, j], one, atol=1e-15)


@pytest.mark.parametrize(
    ("spins", "message"),
    [
        ([], "`spins` must name at least one state"),
        (["0", "up"], r"named states or angles, but holds 'up'; .*Valid: \+, \+i, -, -i, 0, 1"),
        ([(np.nan, 0.0)], "`spins` must be real numbers"),
        ([(0.0, np.inf)], "`spins` must hold finite angles"),
        ([(1.0,)], r"`spins` must hold pairs of angles .* but holds \(1\.0,\)"),
        ([3.0], r"`spins` must hold pairs of angles .* but holds 3\.0"),
    ],
)
def test_products_of_unknown_states_are_refused(spins, message):
    with pytest.raises(ArgumentError, match=message):
        product_state(spins)
