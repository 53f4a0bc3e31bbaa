"""Open evolution against ``qutip.mesolve``, with Hamiltonians and losses written out here.

Nothing of the package enters the reference: spins, couplings, pulse shapes in time and collapse
operators are stated again in QuTiP's terms, stretch by stretch.
"""

import numpy as np
import pytest
import qutip

from nmrqb.dynamics import (
    apply,
    collapse_operators,
    dissipator,
    superoperator,
    timeline_segments,
)
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline, expand, load_sequence

TIGHT = {"rtol": 1e-10, "atol": 1e-12, "nsteps": 1_000_000}
DEG = np.pi / 180


def on(spin, n, operator):
    return qutip.tensor([operator if k == spin else qutip.qeye(2) for k in range(n)])


def Ix(k, n):
    return on(k, n, qutip.sigmax() / 2)


def Iy(k, n):
    return on(k, n, qutip.sigmay() / 2)


def Iz(k, n):
    return on(k, n, qutip.sigmaz() / 2)


def losses(k, n, T1, T2, p=0.0):
    """Decay to ⟨σz⟩ = p with T1 and pure dephasing that completes 1/T2."""
    up, down = qutip.basis(2, 0), qutip.basis(2, 1)
    return [
        np.sqrt((1 + p) / (2 * T1)) * on(k, n, up * down.dag()),
        np.sqrt((1 - p) / (2 * T1)) * on(k, n, down * up.dag()),
        np.sqrt((1 / T2 - 1 / (2 * T1)) / 2) * on(k, n, qutip.sigmaz()),
    ]


def solved(rho, stretches, c_ops):
    """Solve the master equation over stretches of (duration, constant Hamiltonian)."""
    for duration, H in stretches:
        rho = qutip.mesolve(H, rho, [0, duration], c_ops=c_ops, options=TIGHT).states[-1]
    return rho.full()


def simulated(sample, timeline, rho):
    segments = timeline_segments(timeline, sample)
    loss = dissipator(collapse_operators(sample), len(rho))
    return apply(superoperator(segments, internal_hamiltonian(sample), loss), rho)


def start(n, seed):
    """Return a random mixed state, so that every coherence is there to be lost."""
    return qutip.rand_dm([2] * n, seed=seed)


def test_dm_sequence_with_finite_pulses_and_fast_relaxation():
    J, p90, T = 215.13, (13e-6, 77e-6), ((0.020, 0.004), (0.015, 0.006))
    sample = Sample(
        "chloroform",
        (
            Spin("1H", "1H", T1_s=T[0][0], T2_s=T[0][1], pulse_90_s=p90[0]),
            Spin("13C", "13C", T1_s=T[1][0], T2_s=T[1][1], pulse_90_s=p90[1]),
        ),
        (Coupling(("1H", "13C"), J_hz=J),),
    )
    drift = 2 * np.pi * J * Iz(0, 2) * Iz(1, 2)
    rf = [np.pi / 2 / t for t in p90]  # nutation in rad/s: 90° in the calibrated time

    def both(phase_h, phase_c):
        """Centred pulses: carbon alone, both, carbon alone."""
        H = [rf[k] * (np.cos(a * DEG) * Ix(k, 2) + np.sin(a * DEG) * Iy(k, 2))
             for k, a in enumerate((phase_h, phase_c))]  # fmt: skip
        edge = (p90[1] - p90[0]) / 2
        return [(edge, drift + H[1]), (p90[0], drift + H[0] + H[1]), (edge, drift + H[1])]

    wait = [(1 / (4 * J), drift)]
    xy = [*both(-90, 0), *wait, *both(90, 180)]
    minus_yx = [*both(180, -90), *wait, *both(0, 90)]
    rho, c_ops = start(2, 1), losses(0, 2, *T[0]) + losses(1, 2, *T[1])
    expected = solved(rho, xy + minus_yx, c_ops)
    timeline = expand(load_sequence("dm"), sample, pulses="finite")
    got = simulated(sample, timeline, rho.full())
    np.testing.assert_allclose(got, expected, atol=1e-7)


def test_three_spins_of_two_nuclei_under_selective_and_finite_pulses():
    sample = Sample(
        "three",
        (
            Spin("A", "1H", 120.0, T1_s=0.05, T2_s=0.02, pulse_90_s=20e-6, polarization=0.3),
            Spin("B", "1H", -75.0, T1_s=0.04, T2_s=0.03, pulse_90_s=20e-6, polarization=0.3),
            Spin("C", "13C", 40.0, T1_s=0.09, T2_s=0.01, pulse_90_s=50e-6, polarization=-0.1),
        ),
        (
            Coupling(("A", "B"), J_hz=11.0, dipolar_hz=300.0),
            Coupling(("B", "C"), J_hz=145.0),
            Coupling(("A", "C"), J_hz=-6.0, dipolar_hz=20.0),
        ),
    )
    n = 3
    drift = 120 * Iz(0, n) - 75 * Iz(1, n) + 40 * Iz(2, n)
    parallel = Iz(0, n) * Iz(1, n)
    exchange = Ix(0, n) * Ix(1, n) + Iy(0, n) * Iy(1, n)
    drift += 11 * (parallel + exchange) + 300 * (2 * parallel - exchange)
    drift += 145 * Iz(1, n) * Iz(2, n) + (-6 + 2 * 20) * Iz(0, n) * Iz(2, n)
    drift *= 2 * np.pi
    timeline = Timeline(
        "made",
        (
            TimedPulse(
                (TimedRotation(0, np.pi / 2, 0.4, 20e-6), TimedRotation(2, -np.pi, 1.0, 100e-6))
            ),
            TimedDelay(2.1e-3),
            TimedPulse(
                (
                    TimedRotation(1, 2.0, 2.2, 2.0 / (np.pi / 2) * 20e-6),
                    TimedRotation(0, 0.7, -1.0, 0.7 / (np.pi / 2) * 20e-6),
                )
            ),
            TimedDelay(1.3e-3),
        ),
    )
    rf_a = np.pi / 2 / 20e-6 * (np.cos(0.4) * Ix(0, n) + np.sin(0.4) * Iy(0, n))
    rf_c = -np.pi / 2 / 50e-6 * (np.cos(1.0) * Ix(2, n) + np.sin(1.0) * Iy(2, n))
    rf_b = np.pi / 2 / 20e-6 * (np.cos(2.2) * Ix(1, n) + np.sin(2.2) * Iy(1, n))
    rf_a2 = np.pi / 2 / 20e-6 * (np.cos(-1.0) * Ix(0, n) + np.sin(-1.0) * Iy(0, n))
    long_b, short_a = (angle / (np.pi / 2) * 20e-6 for angle in (2.0, 0.7))
    stretches = [
        (40e-6, drift + rf_c), (20e-6, drift + rf_c + rf_a), (40e-6, drift + rf_c),
        (2.1e-3, drift),
        ((long_b - short_a) / 2, drift + rf_b), (short_a, drift + rf_b + rf_a2),
        ((long_b - short_a) / 2, drift + rf_b),
        (1.3e-3, drift),
    ]  # fmt: skip
    c_ops = losses(0, n, 0.05, 0.02, 0.3) + losses(1, n, 0.04, 0.03, 0.3)
    c_ops += losses(2, n, 0.09, 0.01, -0.1)
    rho = start(n, 2)
    got = simulated(sample, timeline, rho.full())
    np.testing.assert_allclose(got, solved(rho, stretches, c_ops), atol=1e-7)


@pytest.mark.parametrize("p", [0.8, -1.0])
def test_soft_drive_towards_a_polarised_bath(p):
    # drive x of 50 Hz on both spins, H/2π = r(XI + IX), for 10 ms with all couplings on
    rate, time, J, T1, T2 = 50.0, 10e-3, 215.13, 0.012, 0.009
    spins = tuple(
        Spin(label, nucleus, nu, T1_s=T1, T2_s=T2, polarization=p)
        for label, nucleus, nu in (("1H", "1H", 15.0), ("13C", "13C", -4.0))
    )
    sample = Sample("pair", spins, (Coupling(("1H", "13C"), J),))
    angle = 4 * np.pi * rate * time
    soft = TimedPulse(tuple(TimedRotation(k, angle, 0.0, duration=time) for k in (0, 1)))
    H = 2 * np.pi * (15 * Iz(0, 2) - 4 * Iz(1, 2) + J * Iz(0, 2) * Iz(1, 2))
    H += 2 * np.pi * rate * 2 * (Ix(0, 2) + Ix(1, 2))
    rho, c_ops = start(2, 3), losses(0, 2, T1, T2, p) + losses(1, 2, T1, T2, p)
    got = simulated(sample, Timeline("soft", (soft,)), rho.full())
    np.testing.assert_allclose(got, solved(rho, [(time, H)], c_ops), atol=1e-7)
