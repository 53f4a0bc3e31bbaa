"""Charging protocols against propagators that are built here by hand, and against QuTiP."""

from dataclasses import replace

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from nmrqb.dynamics import Ensemble, apply, gibbs, uniform_sample
from nmrqb.experiment import DriveCharge, Noise, SequenceCharge, load_experiment
from nmrqb.experiment.charging import charge, model_states
from nmrqb.experiment.runner import initial_state, simulate
from nmrqb.sample import T1T2, Dephasing, load_sample
from nmrqb.sequence import expand, load_sequence

J = 215.13
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1.0, -1.0]).astype(complex)
ONE = np.eye(2, dtype=complex)
X1, X2 = np.kron(X, ONE), np.kron(ONE, X)
Y1, Y2 = np.kron(Y, ONE), np.kron(ONE, Y)
Z1, Z2 = np.kron(Z, ONE), np.kron(ONE, Z)
DRIFT = 2 * np.pi * J / 4 * Z1 @ Z2
EXCHANGE = np.kron(X, Y) - np.kron(Y, X)
SWAP = np.eye(4)[[0, 2, 1, 3]]
NO_NOISE = Noise(relaxation=False)


@pytest.fixture(scope="module")
def sample():
    return load_sample("chloroform")


@pytest.fixture(scope="module")
def rho():
    """A state without any symmetry."""
    rng = np.random.default_rng(5)
    A = rng.standard_normal((4, 4)) + 1j * rng.standard_normal((4, 4))
    return A @ A.conj().T / np.trace(A @ A.conj().T)


def rf_ensemble(b1):
    return Ensemble(np.array([b1]), np.zeros(1), np.ones(1), np.ones(1))


def states(protocol, sample, noise, rho, b1=1.0):
    """Return the charged states of one member of the rf ensemble, (T, d, d)."""
    return apply(charge(protocol, sample, noise, rf_ensemble(b1)).maps, rho)[0]


def turned(U, rho):
    return U @ rho @ U.conj().T


# ------------------------------------------------------------------------------------ the drive
TIMES = np.array([0.0, 1e-3, 2.7e-3, 10e-3])


def test_the_hard_drive_turns_both_spins_by_4_pi_r_t(sample, rho):
    charging = charge(DriveCharge(50.0, TIMES), sample, NO_NOISE, uniform_sample())
    expected = [turned(expm(-2j * np.pi * 50 * t * (X1 + X2)), rho) for t in TIMES]
    np.testing.assert_allclose(apply(charging.maps, rho)[0], expected, atol=1e-12)
    np.testing.assert_array_equal(charging.time_s, TIMES)
    np.testing.assert_array_equal(charging.laboratory_time_s, 0.0)
    np.testing.assert_array_equal(charging.free_evolution_s, 0.0)
    assert charging.cycles is None


def test_ideal_pulses_leave_no_time_for_relaxation(sample, rho):
    drive = DriveCharge(50.0, TIMES)
    relaxed = states(drive, sample, Noise(relaxation=True), rho)
    np.testing.assert_allclose(relaxed, states(drive, sample, NO_NOISE, rho), atol=1e-14)


def centred_pulse(angle):
    """Turn both spins about x by an angle: 13 µs (1H) and 77 µs (13C) per 90°, centred, J on."""
    quarter_turns = angle / (np.pi / 2)
    short, long = 13e-6 * quarter_turns, 77e-6 * quarter_turns
    edge = expm(-1j * (DRIFT + angle / long * X2 / 2) * (long - short) / 2)
    middle = expm(-1j * (DRIFT + angle / long * X2 / 2 + angle / short * X1 / 2) * short)
    return edge @ middle @ edge


def test_finite_pulses_last_and_J_acts_meanwhile(sample, rho):
    noise = Noise(relaxation=False, pulses="finite")
    charging = charge(DriveCharge(50.0, TIMES), sample, noise, uniform_sample())
    angles = 4 * np.pi * 50 * TIMES
    np.testing.assert_allclose(charging.laboratory_time_s, 77e-6 * angles / (np.pi / 2))
    np.testing.assert_array_equal(charging.free_evolution_s, 0.0)
    finite = apply(charging.maps, rho)[0]
    expected = [rho] + [turned(centred_pulse(angle), rho) for angle in angles[1:]]
    np.testing.assert_allclose(finite, expected, atol=1e-12)
    ideal = states(DriveCharge(50.0, TIMES), sample, NO_NOISE, rho)
    assert np.abs(finite[-1] - ideal[-1]).max() > 1e-3


def test_the_soft_drive_has_all_couplings_on(sample, rho):
    drive = DriveCharge(50.0, TIMES, soft=True)
    expected = [turned(expm(-1j * t * (2 * np.pi * 50 * (X1 + X2) + DRIFT)), rho) for t in TIMES]
    np.testing.assert_allclose(states(drive, sample, NO_NOISE, rho), expected, atol=1e-12)
    charging = charge(drive, sample, NO_NOISE, uniform_sample())
    np.testing.assert_array_equal(charging.laboratory_time_s, TIMES)
    np.testing.assert_array_equal(charging.free_evolution_s, TIMES)


def test_a_fast_soft_drive_is_the_hard_one(sample, rho):
    """The difference falls as J/rate: tenfold rate, a tenth of it."""
    gaps = []
    for rate in (1e5, 1e6):
        times = np.linspace(0, 0.5, 7) / rate
        soft, hard = (
            states(DriveCharge(rate, times, soft=kind), sample, NO_NOISE, rho)
            for kind in (True, False)
        )
        gaps.append(np.abs(soft - hard).max())
    assert gaps[1] < 1e-3
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.05)


def test_the_soft_drive_relaxes(sample, rho):
    drive = DriveCharge(0.0, np.array([0.0, 0.4]), soft=True)
    relaxed = states(drive, sample, Noise(relaxation=True), rho)
    level = np.einsum("tij,ji->t", relaxed, Z1).real
    # T1 = 10 s leads to equal populations of the effective state
    assert level[1] / level[0] == pytest.approx(np.exp(-0.4 / 10))


def test_rf_amplitude_scales_the_angle(sample, rho):
    drive = DriveCharge(50.0, TIMES)
    stronger = states(drive, sample, NO_NOISE, rho, b1=1.1)
    np.testing.assert_allclose(
        stronger, states(DriveCharge(55.0, TIMES), sample, NO_NOISE, rho), atol=1e-12
    )


# ---------------------------------------------------------------------------------- the sequence
def passes(sample, *cycles, t="1/(4*J)", roles=None, pulses="ideal"):
    timeline = expand(
        load_sequence("dm"), sample, pulses=pulses, parameters={"t": t}, roles=roles or {}
    )
    return SequenceCharge(timeline, np.array(cycles))


def test_passes_of_dm_are_the_exchange(sample, rho):
    """Exactly exp(−i2π (J/8)(XY − YX) T) after T = 2t per pass."""
    charging = charge(passes(sample, 0, 1, 3, t="1 ms"), sample, NO_NOISE, uniform_sample())
    np.testing.assert_allclose(charging.time_s, [0, 2e-3, 6e-3])
    np.testing.assert_allclose(charging.laboratory_time_s, [0, 2e-3, 6e-3])
    np.testing.assert_allclose(charging.free_evolution_s, [0, 2e-3, 6e-3])
    np.testing.assert_array_equal(charging.cycles, [0, 1, 3])
    expected = [
        turned(expm(-2j * np.pi * J / 8 * EXCHANGE * T), rho) for T in charging.free_evolution_s
    ]
    np.testing.assert_allclose(apply(charging.maps, rho)[0], expected, atol=1e-12)


def test_finite_pulses_of_a_sequence_add_to_its_delays(sample):
    noise = Noise(relaxation=False, pulses="finite")
    charging = charge(passes(sample, 2, pulses="finite"), sample, noise, uniform_sample())
    assert charging.free_evolution_s == pytest.approx([1 / J])
    assert charging.time_s == pytest.approx([1 / J + 8 * 77e-6])


def test_exchanged_roles_exchange_the_spins(sample, rho):
    usual = states(passes(sample, 1), sample, NO_NOISE, rho)
    roles = {"I": "13C", "S": "1H"}
    exchanged = states(passes(sample, 1, roles=roles), sample, NO_NOISE, SWAP @ rho @ SWAP)
    np.testing.assert_allclose(exchanged, SWAP @ usual @ SWAP, atol=1e-12)
    same = states(passes(sample, 1, roles=roles), sample, NO_NOISE, rho)
    assert np.abs(same - usual).max() > 0.01


def liouvillian(H, sample):
    """Return QuTiP's generator with T1 and T2 of both spins, effective polarisation 0."""
    collapse = []
    for spin, place in zip(sample.spins, (0, 1), strict=True):
        dephasing = 1 / spin.T2_s - 1 / (2 * spin.T1_s)
        rates = [
            (qutip.sigmap(), 1 / (2 * spin.T1_s)),
            (qutip.sigmam(), 1 / (2 * spin.T1_s)),
            (qutip.sigmaz(), dephasing / 2),
        ]
        one = [qutip.qeye(2), qutip.qeye(2)]
        for operator, rate in rates:
            factors = [*one[:place], operator, *one[place + 1 :]]
            collapse.append(np.sqrt(rate) * qutip.tensor(*factors))
    return qutip.liouvillian(qutip.Qobj(H, dims=[[2, 2], [2, 2]]), collapse)


def evolved(generator, time, rho):
    state = qutip.operator_to_vector(qutip.Qobj(rho, dims=[[2, 2], [2, 2]]))
    return qutip.vector_to_operator((generator * time).expm() * state).full()


@pytest.fixture(scope="module")
def leaky():
    """Return chloroform with a T2 that is seen within milliseconds, and unequal T1."""
    overrides = {"1H": {"T1": "60 ms", "T2": "20 ms"}, "13C": {"T2": "10 ms"}}
    return load_sample("chloroform", overrides)


def test_relaxation_acts_between_the_pulses_as_in_qutip(leaky, rho):
    free = liouvillian(DRIFT, leaky)
    played = states(passes(leaky, 1, t="3 ms"), leaky, Noise(relaxation=True), rho)[0]
    turn = [expm(-1j * np.pi / 4 * (s1 * Y1 + s2 * X2)) for s1, s2 in ((-1, 1), (1, -1))]
    turn += [expm(-1j * np.pi / 4 * (s1 * X1 + s2 * Y2)) for s1, s2 in ((-1, -1), (1, 1))]
    state = turned(turn[0], rho)
    state = turned(turn[2] @ turn[1], evolved(free, 3e-3, state))
    state = turned(turn[3], evolved(free, 3e-3, state))
    np.testing.assert_allclose(played, state, atol=1e-9)


def test_the_mechanisms_of_an_experiment_act_in_the_place_of_t1_and_t2(leaky, rho):
    """A gentle soft drive of zero rate is free evolution."""
    drive = DriveCharge(0.0, np.array([5e-3]), soft=True)
    correlated = Dephasing(("1H", "13C"), (30.0, 50.0), 0.5)
    found = states(drive, leaky, Noise(relaxation=(correlated,)), rho)[0]
    common = np.sqrt(30.0) * Z1 + 0.5 * np.sqrt(50.0) * Z2
    rest = np.sqrt(0.75 * 50.0) * Z2
    jumps = [qutip.Qobj(L, dims=[[2, 2], [2, 2]]) for L in (common, rest)]
    H = qutip.Qobj(DRIFT, dims=[[2, 2], [2, 2]])
    expected = evolved(qutip.liouvillian(H, jumps), 5e-3, rho)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    declared = replace(leaky, relaxation=(correlated,))
    both = states(drive, declared, Noise(relaxation=True), rho)[0]
    listed = states(drive, leaky, Noise(relaxation=(T1T2(), correlated)), rho)[0]
    np.testing.assert_allclose(both, listed, atol=1e-14)
    alone = states(drive, declared, Noise(relaxation=(T1T2(),)), rho)[0]
    np.testing.assert_allclose(alone, states(drive, leaky, Noise(relaxation=True), rho)[0])
    assert np.abs(both - alone).max() > 1e-3


def test_the_model_is_the_average_hamiltonian_with_laboratory_relaxation(leaky, rho):
    protocol = passes(leaky, 0, 1, 2, t="3 ms")
    model = model_states(protocol, leaky, Noise(relaxation=True), rho)
    generator = liouvillian(2 * np.pi * J / 8 * EXCHANGE, leaky)
    expected = [evolved(generator, T, rho) for T in (0, 6e-3, 12e-3)]
    np.testing.assert_allclose(model, expected, atol=1e-9)
    run = states(protocol, leaky, Noise(relaxation=True), rho)
    assert np.abs(run - model).max() > 0.01  # pulses make z-dephasing act along other axes


@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize("t", ["1 ms", "1/J"])  # the second wraps the logarithm
def test_without_relaxation_the_run_is_its_model(sample, rho, pulses, t):
    protocol = passes(sample, 0, 1, 5, t=t, pulses=pulses)
    noise = Noise(relaxation=False, pulses=pulses)
    model = model_states(protocol, sample, noise, rho)
    np.testing.assert_allclose(states(protocol, sample, noise, rho), model, atol=1e-11)


def test_a_sequence_that_does_not_close_has_no_model(sample, rho):
    timeline = expand(load_sequence("literature_dm"), sample)
    protocol = SequenceCharge(timeline, np.arange(3))
    assert model_states(protocol, sample, NO_NOISE, rho) is None


# ------------------------------------------------------------------------------- the rf ensemble
def averaged_over_b1(angle, spread, rho):
    """Average U(angle·b)ρU†(angle·b) over a normal b by a fine trapezoid."""
    deviation = np.linspace(-8, 8, 2001)
    weights = np.exp(-(deviation**2) / 2)
    members = [turned(expm(-0.5j * angle * (1 + spread * x) * (X1 + X2)), rho) for x in deviation]
    return np.tensordot(weights / weights.sum(), members, axes=1)


def inhomogeneous(spread, *, times=(0.0, 2.5e-3, 5e-3)):
    experiment = load_experiment("charge_dm_ksea")
    drive = DriveCharge(50.0, np.array(times))
    noise = Noise(relaxation=False, b1_inhomogeneity=spread)
    return replace(experiment, charge=drive, noise=noise)


def test_b1_inhomogeneity_averages_the_states():
    experiment = inhomogeneous(0.05)
    truth = simulate(experiment)
    np.testing.assert_allclose(
        truth.states, np.tensordot(truth.weights, truth.members, axes=1), atol=1e-15
    )
    rho = initial_state(experiment)
    expected = [averaged_over_b1(4 * np.pi * 50 * t, 0.05, rho) for t in (0, 2.5e-3, 5e-3)]
    np.testing.assert_allclose(truth.states, expected, atol=1e-9)


def test_b1_inhomogeneity_of_zero_is_none():
    truth = simulate(inhomogeneous(0.0))
    absent = simulate(replace(inhomogeneous(0.0), noise=NO_NOISE))
    np.testing.assert_array_equal(truth.states, absent.states)
    assert len(truth.weights) == 1


def test_the_gibbs_state_is_that_of_the_battery():
    experiment = load_experiment("charge_dm_ksea")
    H = experiment.battery.hamiltonian_hz
    expected = expm(-H / 20) / np.trace(expm(-H / 20))
    np.testing.assert_allclose(initial_state(experiment), expected, atol=1e-14)
    np.testing.assert_allclose(initial_state(experiment), gibbs(H, 20.0), atol=1e-14)


def test_product_preparation_and_unnamed_spins():
    experiment = load_experiment("charger_battery_dm")
    p = 1 / (1 + np.exp(100 / -50))
    expected = np.kron(np.diag([p, 1 - p]), np.diag([1 - p, p]))  # 13C: the opposite temperature
    np.testing.assert_allclose(initial_state(experiment), expected, atol=1e-14)
    only_1h = replace(experiment.prepare, spins={0: experiment.prepare.spins[0]})
    mixed = initial_state(replace(experiment, prepare=only_1h))
    np.testing.assert_allclose(mixed, np.kron(np.diag([p, 1 - p]), ONE / 2), atol=1e-14)
