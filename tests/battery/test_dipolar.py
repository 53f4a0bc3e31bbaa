"""Dipolar batteries with DM and KSEA: against spin operators and solvers of QuTiP."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.battery import Battery, anti_ergotropy, capacity, energy_basis, ergotropy
from nmrqb.battery.dipolar import (
    block_energy_basis,
    charge_from_gibbs,
    collective_drive,
    collective_rotation,
    dephase,
    dipolar_hamiltonian,
    magnetic_dipolar_hamiltonian,
    pauli_x_dephasing,
    x_state_concurrence,
)
from nmrqb.dynamics import basis_state, gibbs
from nmrqb.errors import ArgumentError

ANGLES = np.linspace(0, np.pi, 41)
S = [qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()]
ONE = qutip.qeye(2)
constants = st.floats(-3, 3).map(lambda x: round(x, 3))


def two(a, b):
    return qutip.tensor(a, b)


def eq_12(D, G, Delta, epsilon, B):
    """dipolar-battery-dm-ksea-nmr, eq. 12, in QuTiP's operators."""
    x, y, z = S
    P = (Delta - 3 * epsilon, Delta + 3 * epsilon, -2 * Delta)
    dipolar = sum(p * two(s, s) for p, s in zip(P, S, strict=True)) / -3
    exchange = D * (two(x, y) - two(y, x)) + G * (two(x, y) + two(y, x))
    return exchange + dipolar + B * (two(z, ONE) + two(ONE, z))


@given(constants, constants, constants, constants, constants)
@settings(max_examples=50, deadline=None)
def test_hamiltonian_is_eq_12(D, G, Delta, epsilon, B):
    got = magnetic_dipolar_hamiltonian(D=D, G=G, Delta=Delta, epsilon=epsilon, B=B)
    np.testing.assert_allclose(got, eq_12(D, G, Delta, epsilon, B).full(), atol=1e-13)
    terms = {"D": D, "G": G, "Delta": Delta, "epsilon": epsilon, "B": B}
    np.testing.assert_allclose(Battery.from_terms(**terms).hamiltonian_hz, got, atol=1e-13)


@given(constants, constants, constants, constants, constants)
@settings(max_examples=50, deadline=None)
def test_levels_are_those_of_eq_13(D, G, Delta, epsilon, B):
    kappa_1, kappa_2 = np.hypot(3 * D, Delta), np.sqrt(B**2 + G**2 + epsilon**2)
    printed = [-2 * (Delta + kappa_1) / 3, 2 * (kappa_1 - Delta) / 3,
               2 * (Delta - 3 * kappa_2) / 3, 2 * (Delta + 3 * kappa_2) / 3]  # fmt: skip
    H = magnetic_dipolar_hamiltonian(D=D, G=G, Delta=Delta, epsilon=epsilon, B=B)
    np.testing.assert_allclose(np.linalg.eigvalsh(H), np.sort(printed), atol=1e-12)


def test_matrix_convention_is_eq_11_of_the_dm_paper():
    Delta, epsilon, D, B = 1.3, 0.7, 0.4, 0.9
    inner = -Delta / 6 + 0.5j * D
    printed = np.array([
        [(Delta + 3 * B) / 6, 0, 0, epsilon / 2],
        [0, -Delta / 6, inner, 0],
        [0, np.conj(inner), -Delta / 6, 0],
        [epsilon / 2, 0, 0, (Delta - 3 * B) / 6],
    ])  # fmt: skip
    got = dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, B=B)
    np.testing.assert_allclose(got, printed, atol=1e-14)


def test_operator_convention_is_eq_10_of_the_dm_paper():
    Delta, epsilon, D, B = 1.3, 0.7, 0.4, 0.9
    x, y, z = (s / 2 for s in S)
    P = (Delta - 3 * epsilon, Delta + 3 * epsilon, -2 * Delta)
    spins = sum(p * two(s, s) for p, s in zip(P, (x, y, z), strict=True)) / -3
    spins += D * (two(x, y) - two(y, x)) + B * (two(z, ONE) + two(ONE, z))
    got = dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, B=B, field="operators")
    np.testing.assert_allclose(got, spins.full(), atol=1e-14)


def test_gibbs_state_is_eq_14_of_the_dm_paper():
    Delta, epsilon, D, B, beta = 1.3, 0.7, 0.4, 0.9, 1.6
    eta, chi = np.hypot(B, epsilon), np.hypot(Delta, 3 * D)
    low, high = np.exp(-beta * Delta / 6), np.exp(beta * Delta / 6)
    c, s = np.cosh(eta * beta / 2), np.sinh(eta * beta / 2)
    Z = 2 * low * c + 2 * high * np.cosh(chi * beta / 6)
    expected = np.zeros((4, 4), complex)
    expected[0, 0], expected[3, 3] = low * (c - B / eta * s), low * (c + B / eta * s)
    expected[1, 1] = expected[2, 2] = high * np.cosh(chi * beta / 6)
    expected[0, 3] = expected[3, 0] = -epsilon / eta * low * s
    expected[1, 2] = (Delta - 3j * D) / chi * high * np.sinh(chi * beta / 6)
    expected[2, 1] = np.conj(expected[1, 2])
    got = gibbs(dipolar_hamiltonian(Delta=Delta, epsilon=epsilon, D=D, B=B), 1 / beta)
    np.testing.assert_allclose(got, expected / Z, atol=1e-14)


# --------------------------------------------------------------------------------------- charging
def test_rotation_is_the_exponential_of_the_drive():
    for angle in (0.0, 0.4, 2.1, -7.0):
        expected = expm(-1j * angle * collective_drive().real)
        np.testing.assert_allclose(collective_rotation(angle), expected, atol=1e-13)


@pytest.fixture
def run():
    H = magnetic_dipolar_hamiltonian(D=[[0.3], [1.1]], G=[0.2, 0.0, -2.0], epsilon=0.1, B=0.4)
    return charge_from_gibbs(H, 0.6, ANGLES)


def test_states_are_those_of_mesolve():
    H = magnetic_dipolar_hamiltonian(D=0.3, G=0.2, Delta=1.0, epsilon=0.1, B=0.4)
    omega = 1.7
    start = (-qutip.Qobj(H, dims=[[2, 2]] * 2) / 0.6).expm().unit()
    drive = omega * (two(S[0], ONE) + two(ONE, S[0]))
    solved = qutip.mesolve(drive, start, ANGLES / omega, options={"atol": 1e-11, "rtol": 1e-10})
    rho = np.array([state.full() for state in solved.states])
    got = charge_from_gibbs(H, 0.6, ANGLES)
    np.testing.assert_allclose(got.states, rho, atol=1e-8)
    np.testing.assert_allclose(got.ergotropy(), ergotropy(rho, H), atol=1e-7)


def test_figures_are_those_of_every_state_alone(run):
    assert run.states.shape == (2, 3, 41, 4, 4)
    H = run.hamiltonian[..., None, :, :]
    np.testing.assert_allclose(run.ergotropy(), ergotropy(run.states, H), atol=1e-12)
    np.testing.assert_allclose(run.anti_ergotropy(), anti_ergotropy(run.states, H), atol=1e-12)
    everywhere = np.broadcast_to(run.capacity()[..., None], (2, 3, 41))
    np.testing.assert_allclose(everywhere, capacity(run.states, H), atol=1e-12)


def test_after_charging_from_gibbs_stored_energy_is_ergotropy(run):
    np.testing.assert_allclose(run.stored_energy(), run.ergotropy(), atol=1e-12)


def test_power_is_the_slope_of_the_energy():
    H, omega, h = dipolar_hamiltonian(Delta=2, epsilon=2, D=1, B=1), 1.3, 1e-4
    angles = np.linspace(0.1, 3, 7)
    before, after = (charge_from_gibbs(H, 0.5, angles + s * h * omega).energy() for s in (-1, 1))
    slope = (after - before) / (2 * h)
    np.testing.assert_allclose(charge_from_gibbs(H, 0.5, angles).power(omega), slope, atol=1e-6)


def test_coherence_is_that_of_the_battery():
    run = charge_from_gibbs(magnetic_dipolar_hamiltonian(D=0.3, G=0.2, epsilon=0.1), 0.6, ANGLES)
    battery = Battery(run.hamiltonian)
    np.testing.assert_allclose(run.coherence(), battery.coherence_l1(run.states), atol=1e-12)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"D": 1.0},
        {"G": 1.0},
        {"Delta": 1.0},
        {"epsilon": 1.0},
        {"B": 1.0},
        {"Delta": 3.0, "epsilon": 1.0},
        {"Delta": 1.0, "epsilon": 1e-12, "G": 1e-12},  # levels that rounding keeps apart
        {"Delta": 1.0, "epsilon": 1.0},
        {"Delta": -3.0, "epsilon": 1.0},
        {"D": 0.3, "G": 0.2, "Delta": 1.0, "epsilon": 0.1, "B": 0.4},
    ],
    ids=str,
)
def test_block_basis_gives_the_coherence_of_the_fixed_basis(terms):
    # also where levels coincide, within a block or across
    H = magnetic_dipolar_hamiltonian(**terms)
    rng = np.random.default_rng(1)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    found = [np.abs(V.conj().T @ (A @ A.conj().T) @ V).sum()
             for V in (block_energy_basis(H), energy_basis(H))]  # fmt: skip
    assert found[0] == pytest.approx(found[1], abs=1e-10)
    V = block_energy_basis(H)
    diagonal = V.conj().T @ H @ V
    np.testing.assert_allclose(diagonal, np.diag(np.diag(diagonal)), atol=1e-11)


# -------------------------------------------------------------------------------------- dephasing
def test_pauli_x_noise_is_that_of_mesolve():
    H = eq_12(0.4, 0.3, 1.0, 0.5, 0.2)
    c_ops = [np.sqrt(0.2) * two(S[0], ONE), np.sqrt(0.2) * two(ONE, S[0])]
    times = np.linspace(0, 6, 25)
    start = qutip.ket2dm(qutip.ket("01"))
    solved = qutip.mesolve(H, start, times, c_ops, options={"atol": 1e-11, "rtol": 1e-10})
    got = dephase(H.full(), basis_state("01"), times, pauli_x_dephasing(0.2))
    np.testing.assert_allclose(got, [state.full() for state in solved.states], atol=1e-8)
    expected = [qutip.concurrence(state) for state in solved.states]
    np.testing.assert_allclose(x_state_concurrence(got), expected, atol=1e-6)


def test_stacks_of_hamiltonians_and_states_are_dephased_at_once():
    H = magnetic_dipolar_hamiltonian(D=[0.0, 1.0], epsilon=0.5)
    times = [0.0, 1.0, 2.0]
    both = dephase(H, basis_state("00"), times, pauli_x_dephasing(0.3))
    assert both.shape == (2, 3, 4, 4)
    alone = dephase(H[1], basis_state("00"), times, pauli_x_dephasing(0.3))
    np.testing.assert_allclose(both[1], alone, atol=1e-13)


def effect(start, along, **others):
    terms = {"Delta": 1.0, "epsilon": 0.5, **others}
    H = magnetic_dipolar_hamiltonian(**{**terms, along: np.array([0.1, 1.0, 10.0])})
    rho = dephase(H, basis_state(start), np.linspace(0, 10, 101), pauli_x_dephasing(0.2))
    off = np.abs(rho).sum(axis=(-2, -1)) - 1
    return np.ptp([off, x_state_concurrence(rho)], axis=1).max()


@pytest.mark.parametrize("along", ["D", "Delta"])
def test_from_00_without_fields_D_and_Delta_do_nothing(along):
    assert effect("00", along) < 1e-10
    assert effect("11", along) < 1e-10
    assert effect("01", along) > 0.1


@pytest.mark.parametrize("along", ["epsilon", "G", "B"])
def test_from_01_it_is_the_other_way_round(along):
    assert effect("01", along) < 1e-10
    assert effect("00", along) > 0.1


def test_with_G_or_B_present_D_matters_from_00_too():
    assert effect("00", "D", G=1.0) > 0.1
    assert effect("00", "D", B=1.0) > 0.1


# --------------------------------------------------------------------------------------- refusals
def test_wrong_arguments_are_refused():
    with pytest.raises(ArgumentError, match="`D` must be finite"):
        magnetic_dipolar_hamiltonian(D=np.inf)
    with pytest.raises(ArgumentError, match="`G` must be real numbers"):
        magnetic_dipolar_hamiltonian(G=np.nan)
    with pytest.raises(ArgumentError, match="`field` must be matrix or operators"):
        dipolar_hamiltonian(B=1.0, field="eq 10")
    with pytest.raises(ArgumentError, match="`hamiltonian` must be of two spins"):
        charge_from_gibbs(np.eye(2), 1.0, ANGLES)
    with pytest.raises(ArgumentError, match="`angles` must be finite"):
        charge_from_gibbs(np.eye(4), 1.0, [np.inf])
    with pytest.raises(ArgumentError, match=r"without elements between .* but has one of size 1$"):
        block_energy_basis(collective_drive())
    with pytest.raises(ArgumentError, match="`gamma` must be ≥ 0"):
        pauli_x_dephasing(-0.1)
    with pytest.raises(ArgumentError, match=r"without elements between .* of size 0\.25$"):
        x_state_concurrence(np.full((4, 4), 0.25))
