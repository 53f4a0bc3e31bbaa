"""Rosen–Zener charging, against QuTiP's solver, spin by spin, and published numbers."""

import time

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nmrqb.battery.rosen_zener import charge_rosen_zener, interacting_levels, pulse_angle
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed

T = 0.1 * np.pi
FRACTIONS = np.linspace(0, 1, 41)


def spin_by_spin(N, v0, period, interaction, Delta, fractions=FRACTIONS):
    """States of eqs. 1 to 5 in the space of all spins: pairs i ≠ j are counted twice."""
    J_z = sum(embed(PAULI["Z"], k, N) for k in range(N)) / 2
    J_x = sum(embed(PAULI["X"], k, N) for k in range(N)) / 2
    eta, free = interaction * Delta, Delta * J_z
    for i in range(N):
        for j in range(N):
            if i != j:
                free = free + eta / (2 * N) * embed(PAULI["Z"], i, N) @ embed(PAULI["Z"], j, N)

    def slope(t, psi):
        return -1j * (free @ psi + v0 * np.sin(np.pi * t / period) ** 2 * (J_x @ psi))

    psi = np.zeros(2**N, dtype=complex)
    psi[-1] = 1
    found = solve_ivp(slope, (0, period), psi, "DOP853", fractions * period, rtol=1e-11, atol=1e-13)
    return found.y.T, np.diag(J_z).real


@pytest.mark.parametrize(
    ("N", "v0", "period", "interaction", "Delta"),
    [(1, 10, T, 2, 1), (3, 20, T, 2, 1), (4, 7, 1.3, -3, 0.5), (5, 30, 0.4, 8, -1.2)],
)
def test_the_total_spin_is_that_of_all_spins(N, v0, period, interaction, Delta):
    psi, m = spin_by_spin(N, v0, period, interaction, Delta)
    charging = charge_rosen_zener(
        FRACTIONS, spins=N, v0=v0, period=period, interaction=interaction, Delta=Delta
    )
    p = np.abs(psi) ** 2
    E, square = Delta * (p @ m + N / 2), p @ m**2 - (p @ m) ** 2
    np.testing.assert_allclose(charging.stored_energy(), E, rtol=0, atol=1e-7)
    np.testing.assert_allclose(charging.fluctuations() ** 2, Delta**2 * square, rtol=0, atol=1e-7)
    levels = [p[:, m == value].sum(axis=1) for value in charging._m]
    np.testing.assert_allclose(charging.populations, np.transpose(levels), rtol=0, atol=1e-8)


def test_a_hundred_spins_are_those_of_qutip():
    N, v0, lam = 100, 20.0, 1.0
    J_z, J_x = qutip.jmat(N / 2, "z"), qutip.jmat(N / 2, "x")
    drive = qutip.coefficient(lambda t: v0 * np.sin(np.pi * t / T) ** 2)
    H = qutip.QobjEvo([J_z + 2 * lam / N * J_z**2, [J_x, drive]])
    options = {"method": "vern9", "rtol": 1e-10, "atol": 1e-12, "nsteps": 100_000}
    psi = qutip.spin_state(N / 2, -N / 2)
    mean = qutip.sesolve(H, psi, FRACTIONS * T, e_ops=[J_z], options=options).expect[0]
    charging = charge_rosen_zener(FRACTIONS, spins=N, v0=v0, period=T, interaction=lam)
    np.testing.assert_allclose(charging.stored_energy(), mean + N / 2, rtol=0, atol=1e-5)


def test_the_steps_are_halved_until_the_states_stand_still():
    fine, coarse = (
        charge_rosen_zener(
            FRACTIONS, spins=40, v0=20, period=T, interaction=12, tolerance=tolerance
        ).states
        for tolerance in (1e-11, 1e-5)
    )
    assert 1e-11 < np.abs(fine - coarse).max() < 1e-5


def test_a_fine_grid_of_times_does_not_pass_for_convergence():
    many = np.linspace(0, 1, 401)
    fine, few = (
        charge_rosen_zener(s, spins=100, v0=20, period=T, interaction=-30).states[-1]
        for s in (many, np.array([1.0]))
    )
    assert np.abs(fine - few).max() < 1e-8


def test_without_interaction_every_spin_goes_by_itself():
    single = charge_rosen_zener(FRACTIONS, spins=1, v0=13, period=T)
    many = charge_rosen_zener(FRACTIONS, spins=30, v0=13, period=T)
    np.testing.assert_allclose(many.stored_energy(), 30 * single.stored_energy(), atol=1e-7)
    variance = 30 * single.fluctuations() ** 2
    np.testing.assert_allclose(many.fluctuations() ** 2, variance, atol=1e-7)


def test_without_splitting_the_pulse_is_a_rotation():
    charging = charge_rosen_zener(FRACTIONS, spins=6, v0=1e7, period=1.3e-6)
    angle = pulse_angle(FRACTIONS, 1e7, 1.3e-6)
    assert angle[-1] == pytest.approx(13 / 2)
    expected = 6 * np.sin(angle / 2) ** 2
    np.testing.assert_allclose(charging.stored_energy(), expected, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    N=st.integers(1, 12),
    v0=st.floats(0, 60),
    lam=st.floats(-10, 10),
    period=st.floats(0.01, 1),
)
def test_probability_and_bounds(N, v0, lam, period):
    charging = charge_rosen_zener(FRACTIONS, spins=N, v0=v0, period=period, interaction=lam)
    np.testing.assert_allclose(charging.populations.sum(axis=-1), 1, atol=1e-9)
    E = charging.stored_energy()
    assert E.min() >= -1e-9
    assert E.max() <= N + 1e-9
    assert np.all(charging.fluctuations() <= N / 2 + 1e-9)
    entropy = charging.diagonal_entropy()
    assert entropy.min() >= -1e-9
    assert entropy.max() <= np.log2(N + 1) + 1e-9


def test_powers_are_slope_and_mean_of_the_energy():
    s = np.linspace(0, 1, 2001)
    charging = charge_rosen_zener(s, spins=7, v0=20, period=T, interaction=2)
    slope = np.gradient(charging.stored_energy(), charging.times, edge_order=2)
    np.testing.assert_allclose(charging.instantaneous_power(), slope, atol=3e-3)
    np.testing.assert_allclose(
        charging.average_power()[1:], charging.stored_energy()[1:] / charging.times[1:]
    )
    assert charging.average_power()[0] == 0


def test_stacks_are_their_members():
    v0, period = np.array([10.0, 20.0, 40.0]), np.array([[0.2], [0.5]])
    lam = np.array([0.0, 2.0, -4.0])
    stack = charge_rosen_zener(FRACTIONS, spins=5, v0=v0, period=period, interaction=lam)
    assert stack.states.shape == (2, 3, 41, 6)
    assert stack.stored_energy().shape == stack.times.shape == stack.drive.shape == (2, 3, 41)
    for i in range(2):
        for j in range(3):
            one = charge_rosen_zener(
                FRACTIONS, spins=5, v0=v0[j], period=period[i, 0], interaction=lam[j]
            )
            np.testing.assert_allclose(stack.states[i, j], one.states, atol=1e-8)
            np.testing.assert_allclose(
                stack.instantaneous_power()[i, j], one.instantaneous_power(), atol=1e-6
            )


# -------------------------------------------------------------------------------- published numbers
def test_published_energies_of_ten_spins():
    charging = charge_rosen_zener(
        np.linspace(0, 1, 401), spins=10, v0=[10, 20, 40, 60], period=T, interaction=2
    )
    E = charging.stored_energy()
    np.testing.assert_allclose(E.max(axis=-1), [4.954, 9.939, 9.989, 9.993], atol=5e-4)
    np.testing.assert_allclose(E[:, -1], [4.954, 9.936, 0.037, 9.943], atol=5e-4)


@pytest.mark.slow
def test_a_hundred_spins_take_seconds():
    started = time.process_time()
    charging = charge_rosen_zener(
        np.linspace(0, 1, 401), spins=100, v0=20, period=T, interaction=[0, 1, -30], tolerance=1e-8
    )
    assert time.process_time() - started < 15
    found = charging.stored_energy().max(axis=-1) / 100
    np.testing.assert_allclose(found[:2], [0.9963, 0.9964], rtol=0, atol=5e-5)
    assert found[2] == pytest.approx(0.029, abs=5e-4)


def test_the_ground_state_turns_over_at_half_the_printed_interaction():
    N = 100
    m = N / 2 - interacting_levels(N, [0.50, 0.51, 1.0, 2.0]).argmin(axis=-1)
    np.testing.assert_array_equal(m, [-50, -49, -25, -12])
    turn = N / (2 * (N - 1))
    below, above = interacting_levels(N, [turn - 1e-6, turn + 1e-6]).argmin(axis=-1)
    assert (below, above) == (N, N - 1)
    np.testing.assert_allclose(m[2:], -N / (4 * np.array([1.0, 2.0])), atol=0.51)


def test_levels_without_drive_are_those_of_the_operators():
    J_z = qutip.jmat(3.5, "z").full().real
    H = 0.7 * (J_z + 2 * 1.3 / 7 * J_z @ J_z)
    np.testing.assert_allclose(interacting_levels(7, 1.3, 0.7), np.diag(H))


# ----------------------------------------------------------------------------------------- refusals
def test_a_pulse_beyond_reach_is_refused(monkeypatch):
    monkeypatch.setattr("nmrqb.battery.rosen_zener._HALVINGS", 2)
    with pytest.raises(ArgumentError, match="`tolerance` must be within reach of 2 halvings"):
        charge_rosen_zener([1.0], spins=20, v0=20, period=T, interaction=500)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"spins": 0}, "`spins` must be a whole number"),
        ({"v0": np.inf}, "`v0` must be"),
        ({"period": 0.0}, "`period` must be ≠ 0 and > 0"),
        ({"Delta": 0.0}, "`Delta` and `period` must be"),
        ({"interaction": np.nan}, "`interaction` must be"),
        ({"fractions": [0.5, 0.2]}, "`fractions` must ascend from 0 to 1"),
        ({"fractions": [0.5, 1.2]}, "`fractions` must ascend from 0 to 1"),
        ({"fractions": [-0.1, 1.0]}, "`fractions` must ascend from 0 to 1"),
        ({"tolerance": 0.0}, "`tolerance` must be 1e-12 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(changed, message):
    given = {"fractions": [0.0, 1.0], "spins": 2, "v0": 10.0, "period": T} | changed
    with pytest.raises(ArgumentError, match=message):
        charge_rosen_zener(given.pop("fractions"), **given)
