"""Thermal equilibrium in tesla and kelvin, deviations and pseudo-pure states."""

import math
from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.constants import physical_constants
from scipy.linalg import expm

from nmrqb.dynamics import (
    basis_state,
    deviation,
    from_deviation,
    gibbs,
    polarization_factor,
    pseudo_pure,
    thermal_deviation,
    thermal_state,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import as_state, embed, partial_trace
from nmrqb.sample import Sample, Spin

TRIPLE = Sample(
    "triple", (Spin("H", "1H"), Spin("C", "13C"), Spin("N", "15N")), field_tesla=11.7433
)
K_B_OVER_H = physical_constants["Boltzmann constant in Hz/K"][0]


def z(spin, n):
    return embed(np.diag([0.5, -0.5]), spin, n)


def random_state(seed, d=4):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return root @ root.conj().T / np.trace(root @ root.conj().T)


# ------------------------------------------------------------------------------------ equilibrium
def test_the_polarization_of_protons_at_500_mhz():
    # hν/kT with ν = γB₀/2π = 500 MHz at 298 K
    assert polarization_factor(TRIPLE, 298.0) == pytest.approx(5e8 / (K_B_OVER_H * 298), rel=1e-5)
    assert polarization_factor(TRIPLE, 298.0) == pytest.approx(8.05e-5, rel=1e-3)


@pytest.mark.parametrize("kelvin", [1e-3, 0.02, 4.2, 300.0])
def test_the_thermal_state_is_the_exponential_of_the_zeeman_energies(kelvin):
    larmor = {"1H": 500e6, "13C": 125.75e6, "15N": -50.7e6}  # Hz, signed
    H = -sum(nu * z(k, 3) for k, nu in enumerate(larmor.values()))
    weight = expm(-(H - np.diag(H).min() * np.eye(8)) / (K_B_OVER_H * kelvin))
    found = thermal_state(TRIPLE, kelvin)
    np.testing.assert_allclose(found, weight / np.trace(weight), atol=1e-3)
    for k, nu in enumerate(larmor.values()):
        up = partial_trace(found, (k,))[0, 0].real
        assert 2 * up - 1 == pytest.approx(math.tanh(nu / (2 * K_B_OVER_H * kelvin)), rel=1e-3)


def test_the_thermal_state_is_a_gibbs_state():
    epsilon = float(polarization_factor(TRIPLE, 0.01))
    H = -epsilon * thermal_deviation(TRIPLE)
    np.testing.assert_allclose(thermal_state(TRIPLE, 0.01), gibbs(H, 1.0), atol=1e-14)


def test_the_deviation_of_a_warm_state_is_the_thermal_one():
    errors = []
    for kelvin in (30.0, 300.0):
        epsilon = polarization_factor(TRIPLE, kelvin)
        found = deviation(thermal_state(TRIPLE, kelvin), epsilon)
        errors.append(np.abs(found - thermal_deviation(TRIPLE)).max())
        assert errors[-1] < epsilon
    assert errors[0] / errors[1] == pytest.approx(10, rel=1e-3)  # the next order goes as ε


def test_nuclei_of_negative_gamma_are_mostly_down():
    rho = thermal_state(TRIPLE, 0.01)
    up = [partial_trace(rho, (k,))[0, 0].real for k in range(3)]
    assert up[0] > up[1] > 0.5 > up[2]


def test_temperatures_are_a_batch():
    kelvin = np.array([[0.01, 1.0, 300.0]])
    found = thermal_state(TRIPLE, kelvin)
    assert found.shape == (1, 3, 8, 8)
    for j in range(3):
        np.testing.assert_allclose(found[0, j], thermal_state(TRIPLE, kelvin[0, j]), atol=1e-15)


@pytest.mark.parametrize("function", [thermal_state, polarization_factor])
@pytest.mark.parametrize("kelvin", [0.0, -1.0, np.inf, [1.0, 0.0]])
def test_temperatures_that_no_sample_has_are_refused(function, kelvin):
    with pytest.raises(ArgumentError, match="`kelvin` must be positive and finite, but is"):
        function(TRIPLE, kelvin)


@pytest.mark.parametrize("function", [thermal_state, polarization_factor])
def test_equilibrium_needs_numbers_and_a_field(function):
    with pytest.raises(ArgumentError, match="`kelvin` must be real numbers, but is nan"):
        function(TRIPLE, np.nan)
    with pytest.raises(ArgumentError, match=r"`sample` must have a static field, but 'triple' has"):
        function(replace(TRIPLE, field_tesla=None), 300.0)


# ------------------------------------------------------------------------------------- deviations
@given(
    st.integers(0, 1000),
    st.sampled_from([2, 4, 8]),
    st.floats(1e-9, 1).flatmap(lambda x: st.sampled_from([x, -x])),
)
@settings(deadline=None, max_examples=40)
def test_deviations_are_traceless_and_go_back(seed, d, epsilon):
    rho = random_state(seed, d)
    Delta = deviation(rho, epsilon)
    assert abs(np.trace(Delta)) * abs(epsilon) < 1e-13 * d
    np.testing.assert_allclose((np.eye(d) + epsilon * Delta) / d, rho, atol=1e-13)
    if abs(epsilon) > 1e-3:
        np.testing.assert_allclose(from_deviation(Delta, epsilon), rho, atol=1e-12)


def test_the_scale_of_a_deviation_is_a_batch():
    rho, epsilon = random_state(1), np.array([0.5, -2.0])
    for j, one in enumerate(epsilon):
        np.testing.assert_allclose(deviation(rho, epsilon)[j], deviation(rho, one), atol=1e-15)
    Delta = deviation(rho, 2.0)
    found = from_deviation(Delta, np.array([0.5, 2.0]))
    np.testing.assert_allclose(found[0], from_deviation(Delta, 0.5), atol=1e-15)
    np.testing.assert_allclose(found[1], rho, atol=1e-15)


def test_a_deviation_may_be_as_large_as_populations_stay_positive():
    Delta = np.diag([1.0, 1.0, -0.5, -1.5])
    assert np.diag(from_deviation(Delta, 2 / 3)).real.min() == pytest.approx(0, abs=1e-15)
    assert np.diag(from_deviation(Delta, -1.0)).real.min() == pytest.approx(0, abs=1e-15)
    for epsilon, lowest in ((0.67, "-0.00125"), (-1.1, "-0.025")):
        with pytest.raises(ArgumentError, match=rf"`epsilon` must leave .*, but is .* {lowest}$"):
            from_deviation(Delta, epsilon)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: deviation(np.eye(2) / 2, 0.0), "`epsilon` must be finite and not 0, but is 0.0"),
        (lambda: deviation(np.eye(2) / 2, 5e-324), "`epsilon` must be finite and not 0"),
        (lambda: deviation(np.eye(2) / 2, np.inf), "`epsilon` must be finite and not 0"),
        (lambda: deviation(np.eye(2) / 2, np.nan), "`epsilon` must be real numbers"),
        (lambda: deviation(np.eye(2)), "`rho` must have trace 1, but has trace 2"),
        (lambda: deviation([[0.5, 1], [0, 0.5]]), "`rho` must be Hermitian, but differs .* by 1,"),
        (lambda: from_deviation(np.eye(2)), "`delta` must be traceless, but has trace 2"),
        (lambda: from_deviation([[0, 1], [0, 0]]), "`delta` must be Hermitian"),
        (lambda: from_deviation(np.diag([1, -1]), np.inf), "`epsilon` must be finite, but is inf"),
    ],
)
def test_what_has_no_deviation_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


# ------------------------------------------------------------------------------------ pseudo-pure
@given(st.integers(0, 1000), st.sampled_from([2, 4, 8]), st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_pseudo_pure_states_are_states_over_the_whole_range(seed, d, place):
    epsilon = -1 / (d - 1) + place * d / (d - 1)
    rng = np.random.default_rng(seed)
    ket = rng.normal(size=d) + 1j * rng.normal(size=d)
    ket /= np.linalg.norm(ket)
    rho = as_state(pseudo_pure(ket, min(epsilon, 1.0)))
    levels = np.linalg.eigvalsh(rho)
    expected = np.sort([epsilon + (1 - epsilon) / d] + [(1 - epsilon) / d] * (d - 1))
    np.testing.assert_allclose(levels, expected, atol=1e-12)
    assert (ket.conj() @ rho @ ket).real == pytest.approx(epsilon + (1 - epsilon) / d, abs=1e-12)
    as_state(pseudo_pure(random_state(seed, d), min(epsilon, 1.0)))


def test_pseudo_pure_states_come_of_bits_vectors_and_matrices():
    expected = 0.7 * np.eye(4) / 4 + 0.3 * basis_state("01")
    ket = np.array([0, 1, 0, 0])
    for given_as in ("01", ket, ket[:, None], np.outer(ket, ket), list(ket),
                     qutip.basis([2, 2], [0, 1]), qutip.basis([2, 2], [0, 1]).proj()):  # fmt: skip
        np.testing.assert_allclose(pseudo_pure(given_as, 0.3), expected, atol=1e-15)


def test_the_deviation_of_a_pseudo_pure_state_is_that_of_the_pure_one():
    pure = deviation(basis_state("110"))
    np.testing.assert_allclose(deviation(pseudo_pure("110", 1e-5), 1e-5), pure, atol=1e-9)


def test_batches_of_pseudo_pure_states_equal_loops():
    states, epsilon = np.array([random_state(1), random_state(2)]), np.array([0.1, 0.9])
    for j in range(2):
        one = pseudo_pure(states[j], epsilon[j])
        np.testing.assert_allclose(pseudo_pure(states, epsilon)[j], one, atol=1e-15)


@pytest.mark.parametrize("epsilon", [1.001, -0.3334, np.inf, [0.5, -1.0]])
def test_shares_outside_the_range_are_refused(epsilon):
    message = r"`epsilon` must be from -0\.333333 to 1 for 4 levels, but is"
    with pytest.raises(ArgumentError, match=message):
        pseudo_pure("00", epsilon)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("0x", "`bits` must be zeros and ones"),
        ([1, 1], r"`state` must be a vector of norm 1, but has norm 1\.414"),
        ([np.nan, 1], "`state` must be a vector of norm 1, but has norm nan"),
        ([], "`state` must be a vector of norm 1, but has norm 0"),
        (np.diag([1.5, -0.5]), "`state` must be positive, but its lowest eigenvalue is -0.5"),
        (np.diag([0.5, 0.4]), "`state` must have trace 1, but has trace 0.9"),
        (np.zeros((2, 3)), r"`state` must have shape \(..., d, d\), but has shape \(2, 3\)"),
        (None, "`state` must be an array of numbers|`state` must have shape"),
    ],
)
def test_what_is_no_pure_state_is_refused(state, message):
    with pytest.raises(ArgumentError, match=message):
        pseudo_pure(state, 0.1)
