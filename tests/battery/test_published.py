"""Closed forms of dipolar-battery-dm, against the master equation solved by QuTiP's Liouvillian."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.battery import ergotropy
from nmrqb.battery.published import (
    charger_battery_hamiltonian,
    dephased_exchange,
    dephased_exchange_ergotropy,
    exchange_coupling,
)
from nmrqb.errors import ArgumentError

TIMES = np.linspace(0, 12, 121)
DELTA, D = 2.0, 1.0
KAPPA = np.sqrt(DELTA**2 + 9 * D**2) / 6  # dipolar-battery-dm, eq. 21


def hamiltonian(Delta, D, omega0):
    """−⅓ S1·diag(Δ, Δ, −2Δ)·S2 + D(S1×S2)_z + ω0(S1z + S2z), eq. 16, in spin operators."""
    S = [[qutip.tensor(s / 2, qutip.qeye(2)), qutip.tensor(qutip.qeye(2), s / 2)]
         for s in (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz())]  # fmt: skip
    dipolar = -(
        Delta * S[0][0] * S[0][1] + Delta * S[1][0] * S[1][1] - 2 * Delta * S[2][0] * S[2][1]
    )
    return dipolar / 3 + D * (S[0][0] * S[1][1] - S[1][0] * S[0][1]) + omega0 * (S[2][0] + S[2][1])


def solved(gamma_B, gamma_C, omega0=0.7):
    """ρ(t) of eq. 18 from |10⟩ by the exponential of QuTiP's Liouvillian."""
    z = qutip.sigmaz()
    c_ops = [np.sqrt(gamma_B) * qutip.tensor(z, qutip.qeye(2)),
             np.sqrt(gamma_C) * qutip.tensor(qutip.qeye(2), z)]  # fmt: skip
    L = qutip.liouvillian(hamiltonian(DELTA, D, omega0), c_ops).full()
    start = qutip.ket2dm(qutip.ket("10")).full().ravel(order="F")
    flat = expm(L * TIMES[:, None, None]) @ start
    return flat.reshape(-1, 4, 4).swapaxes(-1, -2)


def within_subspace(rho):
    H = hamiltonian(DELTA, D, 0.7).full()[1:3, 1:3]
    return ergotropy(rho[:, 1:3, 1:3], H)


RATES = {
    "closed": (0.0, 0.0),
    "weak": (0.05, 0.02),
    "near critical": (KAPPA * 0.9, KAPPA * 1.0),
    "critical": (KAPPA, KAPPA),  # Γ = 2(γ_B + γ_C) = 4κ, ω = 0
    "overdamped": (3 * KAPPA, 2 * KAPPA),
    "charger alone": (0.0, 0.3),
}


@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
def test_eq_23_is_exact_with_twice_the_sum_of_the_rates(rates):
    closed = dephased_exchange_ergotropy(TIMES, KAPPA, 2 * sum(rates))
    np.testing.assert_allclose(closed, within_subspace(solved(*rates)), atol=1e-9)


def test_eq_23_with_the_printed_rate_is_visibly_wrong():
    # erratum 8: with Γ = γ_B + γ_C the paper's own rate is off by up to 0.15
    rates = 0.15, 0.1
    printed = dephased_exchange_ergotropy(TIMES, KAPPA, sum(rates))
    difference = np.abs(printed - within_subspace(solved(*rates))).max()
    assert 0.05 < difference < 0.2


def test_hamiltonian_is_eq_16_in_spin_operators():
    got = charger_battery_hamiltonian(DELTA, D, 0.7)
    np.testing.assert_allclose(got, hamiltonian(DELTA, D, 0.7).full(), atol=1e-14)


def test_coupling_is_half_the_splitting_of_the_exchange_pair():
    levels = np.linalg.eigvalsh(charger_battery_hamiltonian(DELTA, D)[1:3, 1:3])
    assert exchange_coupling(DELTA, D) == pytest.approx((levels[1] - levels[0]) / 2)


@given(st.floats(0.05, 5), st.floats(0, 30), st.floats(0, 20))
@settings(deadline=None, max_examples=100)
def test_eq_23_is_the_length_of_a_damped_bloch_vector(kappa, damping, t):
    # ż = 2κy, ẏ = −2κz − Γy from z = 1: W = κ √(z² + y²)
    bloch = expm(np.array([[0, 2 * kappa], [-2 * kappa, -damping]]) * t) @ [1, 0]
    closed = dephased_exchange_ergotropy(t, kappa, damping)
    assert closed == pytest.approx(kappa * np.linalg.norm(bloch), abs=1e-8 * kappa)


@pytest.mark.parametrize("detune", [0.0, 1e-15, 1e-12, -1e-9, 1e-6])
def test_eq_23_is_smooth_through_critical_damping(detune):
    # at Γ = 4κ, W = κ e^(−2κt) √[(1 + 2κt)² + (2κt)²]
    x = 2 * 0.37 * TIMES
    critical = 0.37 * np.exp(-x) * np.hypot(1 + x, x)
    got = dephased_exchange_ergotropy(TIMES, 0.37, 4 * 0.37 * (1 + detune))
    np.testing.assert_allclose(got, critical, atol=1e-9 + abs(detune))


def test_strong_damping_for_a_long_time_does_not_overflow():
    # slow mode of the overdamped pair: W → κ exp(−4κ²t/Γ)
    got = dephased_exchange_ergotropy(1e3, 1.0, 1e3)
    assert got == pytest.approx(np.exp(-4.0), rel=1e-4)


def test_undamped_exchange_keeps_its_ergotropy():
    np.testing.assert_allclose(dephased_exchange_ergotropy(TIMES, 0.6, 0.0), 0.6, atol=1e-14)


@pytest.mark.parametrize(
    ("kappa", "damping"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -0.1), (np.nan, 1.0)]
)
def test_rates_out_of_range_are_refused(kappa, damping):
    with pytest.raises(ArgumentError, match="`kappa` and `dephasing` must be > 0 and ≥ 0"):
        dephased_exchange_ergotropy(1.0, kappa, damping)


# ------------------------------------------------------------------- three ergotropies beside it
@pytest.mark.parametrize("rates", RATES.values(), ids=RATES)
def test_three_ergotropies_are_those_of_the_solved_master_equation(rates):
    omega0, rho = 0.7, solved(*rates)
    got = dephased_exchange(
        TIMES, Delta=DELTA, D=D, gamma_B=rates[0], gamma_C=rates[1], omega0=omega0
    )
    H = hamiltonian(DELTA, D, omega0).full()
    battery = np.einsum("tijkj->tik", rho.reshape(-1, 2, 2, 2, 2))
    np.testing.assert_allclose(got.subspace, within_subspace(rho), atol=1e-9)
    np.testing.assert_allclose(got.closed_form, got.subspace, atol=1e-9)
    np.testing.assert_allclose(got.four_level, ergotropy(rho, H), atol=1e-9)
    spin = omega0 / 2 * np.diag([1.0, -1.0])
    np.testing.assert_allclose(got.local, ergotropy(battery, spin), atol=1e-9)


def test_pair_never_holds_less_than_its_subspace():
    got = dephased_exchange(TIMES, Delta=DELTA, D=D, gamma_B=0.1, gamma_C=0.05, omega0=0.7)
    assert (got.four_level - got.subspace).min() > -1e-12
    assert (got.four_level - got.subspace).max() > 0.1


def test_battery_spin_fills_when_the_exchange_has_crossed_over():
    # no damping: the population of the battery is sin² κt, its ergotropy ω0 max(0, −cos 2κt)
    got = dephased_exchange(TIMES, Delta=DELTA, D=D, gamma_B=0.0, gamma_C=0.0, omega0=0.7)
    expected = 0.7 * np.clip(-np.cos(2 * KAPPA * TIMES), 0, None)
    np.testing.assert_allclose(got.local, expected, atol=1e-9)


def test_overdamped_battery_spin_never_holds_work():
    # eq. 23 reports work all along, but populations only creep to one half
    got = dephased_exchange(TIMES, Delta=DELTA, D=D, gamma_B=3 * KAPPA, gamma_C=KAPPA, omega0=0.7)
    assert got.local.max() < 1e-12
    assert got.closed_form.max() > 0.1
