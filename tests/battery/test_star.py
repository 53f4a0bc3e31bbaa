"""The star as a battery, against the spin charger and against pulses on explicit spins."""

import numpy as np
import pytest

from nmrqb.battery.collective_starts import polarised
from nmrqb.battery.peaks import largest
from nmrqb.battery.power import average_power
from nmrqb.battery.spin_charger import SpinCharger, stored_energy
from nmrqb.battery.star import StarBattery, exchange_segments, pulsed_charge
from nmrqb.dynamics import exp_hermitian
from nmrqb.dynamics.registers import StarRegister
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, kron, partial_trace
from nmrqb.sample import Spin

TIMES = np.linspace(0, 0.6, 41)


@pytest.mark.parametrize(("n", "centre", "satellite"), [(1, 0, 1), (5, 0.2, 0.7), (12, 0.4, 0.9)])
def test_the_star_is_the_spin_charger_of_one_cell(n, centre, satellite):
    star = StarBattery(n, exchange_hz=1.3, frequency_hz=2.0)
    up = star.charge(TIMES, centre_up=centre, satellites_up=satellite)[:, 0, 0].real
    model = SpinCharger(1, n, g=2 * np.pi * 1.3)
    gained = stored_energy(
        model, TIMES, cells=polarised(1, centre), chargers=polarised(n, satellite)
    )
    np.testing.assert_allclose(up - centre, gained, atol=1e-12)
    energy = star.battery.energy(star.charge(TIMES, centre_up=centre, satellites_up=satellite))
    np.testing.assert_allclose(energy - energy[0], 2.0 * gained, atol=1e-12)


def test_the_battery_is_charged_where_the_centre_is_inverted():
    star = StarBattery(4, frequency_hz=3.0)
    up = star.charge(TIMES)[:, 0, 0].real
    expected = 3.0 * np.clip(2 * up - 1, 0, None)
    np.testing.assert_allclose(star.battery.ergotropy(star.charge(TIMES)), expected, atol=1e-12)


@pytest.mark.parametrize("n", [4, 9, 36])
def test_power_grows_with_the_root_of_the_satellites(n):
    def power(count):
        star = StarBattery(count)

        def curve(t):
            return average_power(star.charge(t)[:, 0, 0].real, t)

        return largest(curve, 0.5, points=201).value

    assert power(n) / power(1) == pytest.approx(np.sqrt(n), rel=1e-8)


def explicit_pulses(register, duration, cycles, ups):
    """The same pulses and delays on all spins one by one."""
    n = register.satellites + 1

    def turned(axis, angle):
        return kron([exp_hermitian(angle * PAULI[axis] / 2)] * n)

    H = sum(
        2 * np.pi * register.J_hz / 4 * embed(PAULI["Z"], 0, n) @ embed(PAULI["Z"], k, n)
        for k in range(1, n)
    )
    free = {share: exp_hermitian(H * duration / cycles / share) for share in (2, 4)}
    as_xx = turned("Y", np.pi / 2) @ free[4] @ turned("Y", -np.pi / 2)
    as_yy = turned("X", -np.pi / 2) @ free[2] @ turned("X", np.pi / 2)
    U = np.linalg.matrix_power(as_xx @ as_yy @ as_xx, cycles)
    rho = kron([np.diag([p, 1 - p]).astype(complex) for p in ups])
    return partial_trace(U @ rho @ U.conj().T, (0,))


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("cycles", [1, 3])
def test_pulses_do_what_they_do_to_explicit_spins(n, cycles):
    register = StarRegister(n, J_hz=7.0)
    found = pulsed_charge(register, 0.05, cycles, centre_up=0.2, satellites_up=0.7)
    expected = explicit_pulses(register, 0.05, cycles, [0.2] + [0.7] * n)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_one_satellite_needs_one_cycle():
    register = StarRegister(1, J_hz=4.0)
    full = pulsed_charge(register, 0.25)  # g = 1 Hz
    np.testing.assert_allclose(full, np.diag([1, 0]), atol=1e-12)


def test_the_error_of_cycles_falls_with_their_square():
    register, star = StarRegister(6, J_hz=4.0), StarBattery(6)
    duration = 0.06
    exact = star.charge([duration])[0]
    errors = [
        np.abs(pulsed_charge(register, duration, cycles) - exact).max() for cycles in (4, 8, 16)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=0.05)
    assert errors[-1] < 1e-3


def test_finite_pulses_last():
    register = StarRegister(
        3,
        J_hz=10.0,
        central=Spin("S", "29Si", pulse_90_s=20e-6),
        satellite=Spin("I", "1H", pulse_90_s=10e-6),
    )
    ideal, finite = (exchange_segments(register, 0.1, 2, pulses) for pulses in ("ideal", "finite"))
    assert len(ideal) == len(finite) == 2 * 15
    assert sum(segment.duration_s for segment in ideal) == pytest.approx(0.1)
    assert sum(segment.duration_s for segment in finite) == pytest.approx(0.1 + 12 * 30e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StarBattery(0), "`satellites` must be a whole number"),
        (lambda: StarBattery(2, exchange_hz=np.inf), "`exchange_hz` must be finite"),
        (lambda: StarBattery(2).charge([-1.0]), "`times` must be finite times"),
        (lambda: StarBattery(2).charge([1.0], satellites_up=1.5), "must be a state of one spin"),
        (lambda: exchange_segments(StarRegister(2, J_hz=1.0), 1.0, 0), "`cycles` must be a whole"),
        (lambda: exchange_segments(StarRegister(2, J_hz=1.0), -1.0), "`duration_s` must be ≥ 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
