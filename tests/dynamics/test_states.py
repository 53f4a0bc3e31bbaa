"""Gibbs states at every temperature, against expm and thermodynamic limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

from nmrqb.dynamics import basis_state, excited_population, gibbs, spin_gibbs
from nmrqb.dynamics.states import is_density_matrix
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli

LEVELS = np.array([-3.0, -1.0, 2.0, 5.0])


def hermitian(seed, d=4):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return matrix + matrix.conj().T


@pytest.mark.parametrize("temperature", [0.3, 2.0, 50.0, -0.7, -20.0])
def test_gibbs_is_the_normalised_exponential(temperature):
    H = hermitian(1)
    weight = expm(-H / temperature)
    np.testing.assert_allclose(gibbs(H, temperature), weight / np.trace(weight), atol=1e-12)


@pytest.mark.parametrize(("temperature", "level"), [(1e-6, 0), (-1e-6, 3)])
def test_cold_states_are_the_lowest_or_highest_level(temperature, level):
    # energies a million times the temperature: a naive exponential overflows
    projector = np.zeros((4, 4))
    projector[level, level] = 1
    np.testing.assert_array_equal(gibbs(np.diag(LEVELS), temperature), projector)


@pytest.mark.parametrize("temperature", [5e-324, -5e-324, 1e-300, 1e300])
def test_no_temperature_overflows(temperature):
    assert is_density_matrix(gibbs(np.diag(LEVELS), temperature))


@pytest.mark.parametrize("temperature", [np.inf, -np.inf])
def test_infinite_temperature_is_maximally_mixed(temperature):
    np.testing.assert_allclose(gibbs(hermitian(2), temperature), np.eye(4) / 4, atol=1e-15)


def test_a_common_offset_of_all_levels_does_not_matter():
    moved = gibbs(np.diag(LEVELS + 1e6), 0.5)
    np.testing.assert_allclose(moved, gibbs(np.diag(LEVELS), 0.5), atol=1e-9)


@given(st.floats(0.05, 1e3), arrays(float, 4, elements=st.floats(-20, 20)))
@settings(deadline=None, max_examples=40)
def test_negative_temperature_is_the_inverted_battery(temperature, levels):
    H = np.diag(levels) + pauli("XY")
    np.testing.assert_allclose(gibbs(H, -temperature), gibbs(-H, temperature), atol=1e-12)


@given(st.floats(0.3, 50), st.booleans())
@settings(deadline=None, max_examples=40)
def test_population_ratios_obey_boltzmann(temperature, inverted):
    T = -temperature if inverted else temperature
    populations = np.diag(gibbs(np.diag(LEVELS), T)).real
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
    looped = [gibbs(h, t) for h, t in zip(H, T, strict=True)]
    np.testing.assert_allclose(gibbs(H, T), looped, atol=1e-13)
    np.testing.assert_allclose(gibbs(H[0], T), [gibbs(H[0], t) for t in T], atol=1e-13)


@pytest.mark.parametrize("temperature", [0.0, -0.0, np.nan, np.array([1.0, 0.0])])
def test_zero_and_undefined_temperatures_are_refused(temperature):
    with pytest.raises(ArgumentError, match="`temperature` must be a number other than 0"):
        gibbs(np.diag(LEVELS), temperature)


def test_hamiltonian_that_is_not_finite_is_refused():
    with pytest.raises(ArgumentError, match="`hamiltonian` must be finite"):
        gibbs(np.diag([np.nan, 1.0]), 1.0)


@pytest.mark.parametrize("temperature", [3.0, -3.0, np.inf])
def test_one_spin_gibbs_follows_the_fermi_function(temperature):
    # H = ν Iz: |0⟩ is the excited state, above one half only when inverted
    expected = 1 / (1 + np.exp(2.0 / temperature))
    assert excited_population(spin_gibbs(2.0, temperature)) == pytest.approx(expected)


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
