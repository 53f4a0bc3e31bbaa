"""Timelines played on states: pulses, delays, relaxation, gradients, the receiver."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import Gaussian, play, product, thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.operators import dagger, pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
)

PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 120.0, T1_s=30e-3, T2_s=9e-3, polarization=0.6),
        Spin("C", "13C", -45.0, T1_s=20e-3, T2_s=15e-3, polarization=-0.2),
    ),
    (Coupling(("H", "C"), 215.0),),
)
STILL = Sample("still", (Spin("H", "1H"), Spin("C", "13C")))
LIKE = Sample("like", (Spin("A", "1H"), Spin("B", "1H")))
ONE = Sample("one", (Spin("H", "1H"),))
CRUSH = TimedGradient(0.0)


def line(*events, **fields):
    return Timeline("made", tuple(events), **fields)


def turn(spin, angle, phase, duration=0.0, steps=(1,)):
    """A pulse by angle and phase in degrees."""
    return TimedPulse(
        (TimedRotation(spin, math.radians(angle), math.radians(phase), duration, steps),)
    )


def both(angle, phase):
    rotations = (TimedRotation(k, math.radians(angle), math.radians(phase)) for k in (0, 1))
    return TimedPulse(tuple(rotations))


def gradient(turns, duration=1e-3):
    """A gradient that turns 1H so often over the sample."""
    return TimedGradient(duration, turns / duration)


def operator(axis, spin, n=2):
    """I_a of one of n spins, from QuTiP's matrices."""
    sigma = {"x": qutip.sigmax(), "y": qutip.sigmay(), "z": qutip.sigmaz()}[axis]
    return qutip.tensor([sigma / 2 if k == spin else qutip.qeye(2) for k in range(n)]).full()


IZ, SZ = (operator("z", spin) for spin in (0, 1))
H = 2 * math.pi * (120 * IZ - 45 * SZ + 215 * IZ @ SZ)  # of PAIR in rad/s


def rotated(rho, generator):
    U = expm(-1j * generator)
    return U @ rho @ dagger(U)


def random_state(d, seed=0, batch=()):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(*batch, d, d)) + 1j * rng.normal(size=(*batch, d, d))
    return A + dagger(A)


# ------------------------------------------------------------------------------ pulses and delays
def test_pulses_and_delays_are_exponentials():
    rho = random_state(4)
    axis = np.cos(0.7) * operator("x", 1) + np.sin(0.7) * operator("y", 1)
    theta, phase = math.degrees(1.1), math.degrees(0.7)
    events = [turn(0, 90, 0), TimedDelay(3e-3), turn(1, theta, phase, 1e-3), TimedDelay(1e-4)]
    expected = rotated(rho, math.pi / 2 * operator("x", 0))
    for generator in (H * 3e-3, 1.1 * axis + H * 1e-3, H * 1e-4):
        expected = rotated(expected, generator)
    played = play(line(*events), PAIR, rho)
    np.testing.assert_allclose(played.state, expected, atol=1e-12)
    assert played.signals == ()


def test_nothing_leaves_the_state_alone():
    rho = random_state(4)
    np.testing.assert_array_equal(play(line(), PAIR, rho).state, rho)


def test_a_frame_turns_the_state_at_the_end():
    rho = random_state(4)
    played = play(line(turn(0, 90, 0), frame={1: 0.4}), PAIR, rho)
    expected = rotated(rotated(rho, math.pi / 2 * operator("x", 0)), 0.4 * operator("z", 1))
    np.testing.assert_allclose(played.state, expected, atol=1e-12)


def test_a_qobj_is_a_state():
    rho = qutip.Qobj(random_state(4))
    np.testing.assert_array_equal(play(line(), PAIR, rho).state, rho.full())


# ------------------------------------------------------------------------------------ relaxation
def jumps(sample):
    """Collapse operators of T1, T2 and polarisation, from QuTiP's matrices."""
    n, found = len(sample.spins), []
    for k, spin in enumerate(sample.spins):
        up = operator("x", k, n) + 1j * operator("y", k, n)
        p = spin.polarization
        dephasing = 1 / spin.T2_s - 1 / (2 * spin.T1_s)
        found += [
            math.sqrt((1 + p) / (2 * spin.T1_s)) * up,
            math.sqrt((1 - p) / (2 * spin.T1_s)) * dagger(up),
            math.sqrt(2 * dephasing) * operator("z", k, n),
        ]
    return [qutip.Qobj(L) for L in found]


OPTIONS = {"rtol": 1e-10, "atol": 1e-12, "nsteps": 100_000}


def relaxed(rho, generator, time):
    solved = qutip.mesolve(
        generator, qutip.Qobj(rho), [0, time], c_ops=jumps(PAIR), options=OPTIONS
    )
    return solved.states[-1].full()


def test_relaxation_acts_in_delays_pulses_and_gradients():
    rho = random_state(4, seed=1)
    strong = TimedGradient(2e-3, 3e3)  # six turns of 1H
    events = [turn(0, 90, 30), TimedDelay(4e-3), turn(1, 200, 90, 3e-3), strong, TimedDelay(1e-3)]
    axis = np.cos(np.pi / 6) * operator("x", 0) + np.sin(np.pi / 6) * operator("y", 0)
    state = rotated(rho, math.pi / 2 * axis)
    state = relaxed(state, qutip.Qobj(H), 4e-3)
    field = math.radians(200) / 3e-3 * operator("y", 1)
    state = relaxed(state, qutip.Qobj(H + field), 3e-3)
    # the slices: an independent average over the same places
    weights = operator("z", 0) + 6.728284 / 26.7522128 * operator("z", 1)
    count = math.ceil(8 * 6 * (1 + 6.728284 / 26.7522128)) + 8
    slices = []
    for z in (np.arange(count) + 0.5) / count - 0.5:
        # everything in the rotating frame commutes with the gradient, relaxation included
        turned = rotated(state, 2 * math.pi * 6 * z * weights)
        slices.append(turned)
    state = relaxed(np.mean(slices, axis=0), qutip.Qobj(H), 3e-3)
    played = play(line(*events), PAIR, rho, relaxation=True)
    np.testing.assert_allclose(played.state, state, atol=1e-7)


def test_a_shaped_pulse_under_relaxation_is_that_of_its_continuous_envelope():
    T, points = 4e-3, 200
    x = (np.arange(points) + 0.5) / points
    shape = np.sin(np.pi * x) ** 2
    pulse = turn(0, 90, 90, T, tuple(shape / shape.sum()))
    rho = operator("z", 0)
    field = [qutip.Qobj(operator("y", 0)), lambda t: math.pi / T * math.sin(math.pi * t / T) ** 2]
    expected = relaxed(rho, [qutip.Qobj(H), field], T)
    played = play(line(pulse), PAIR, rho, relaxation=True)
    np.testing.assert_allclose(played.state, expected, atol=2e-5)


def test_long_delays_end_in_the_polarisation():
    state = play(line(TimedDelay(5.0)), PAIR, np.eye(4) / 4, relaxation=True).state
    np.testing.assert_allclose(state, np.kron(np.diag([0.8, 0.2]), np.diag([0.4, 0.6])), atol=1e-12)
    # deviations have no trace: nothing to polarise
    state = play(line(TimedDelay(5.0)), PAIR, operator("z", 0), relaxation=True).state
    np.testing.assert_allclose(state, 0, atol=1e-12)


# -------------------------------------------------------------------------------------- crusher
def is_kept(nuclei, row, column):
    """Whether every nucleus by itself has order 0 in an element of ρ."""
    order = dict.fromkeys(nuclei, 0)
    for k, nucleus in enumerate(nuclei):
        order[nucleus] += ((row >> k) & 1) - ((column >> k) & 1)
    return not any(order.values())


@pytest.mark.parametrize(
    "nuclei",
    [("1H",), ("1H", "1H"), ("1H", "13C"), ("1H", "19F"), ("1H", "3H"), ("15N", "13C"),
     ("1H", "1H", "13C"), ("13C", "1H", "1H", "1H"), ("1H", "13C", "15N", "31P")],
)  # fmt: skip
@pytest.mark.parametrize("duration", [0.0, 1e-3])
def test_a_crusher_keeps_what_no_gradient_dephases(nuclei, duration):
    sample = Sample("made", tuple(Spin(f"s{k}", n) for k, n in enumerate(nuclei)))
    rho = random_state(2 ** len(nuclei))
    backwards = nuclei[::-1]  # bit 0 of an index is the last spin
    mask = [
        [is_kept(backwards, i, j) for j in range(2 ** len(nuclei))] for i in range(2 ** len(nuclei))
    ]
    played = play(line(TimedGradient(duration)), sample, rho)
    np.testing.assert_allclose(played.state, rho * np.array(mask), atol=1e-12)


def test_zero_quantum_coherence_survives_between_like_spins_only():
    flip_flop = operator("x", 0) @ operator("x", 1) + operator("y", 0) @ operator("y", 1)
    double = operator("x", 0) @ operator("x", 1) - operator("y", 0) @ operator("y", 1)
    for sample, kept in ((LIKE, 1), (STILL, 0)):
        left = play(line(CRUSH), sample, flip_flop).state
        np.testing.assert_allclose(left, kept * flip_flop, atol=1e-14)
        np.testing.assert_allclose(play(line(CRUSH), sample, double).state, 0, atol=1e-14)


def test_spins_evolve_while_a_crusher_lasts():
    coupled = replace(LIKE, couplings=(Coupling(("A", "B"), 30.0),))
    rho = operator("z", 0)
    exchange = 2 * math.pi * 30 * sum(operator(a, 0) @ operator(a, 1) for a in "xyz")
    played = play(line(TimedGradient(4e-3)), coupled, rho).state
    # of order 0 all the time
    np.testing.assert_allclose(played, rotated(rho, exchange * 4e-3), atol=1e-12)


# ------------------------------------------------------------------------------------- gradients
@pytest.mark.parametrize("turns", [0.1, 0.5, 0.9, 1.5, 2.5, 7.3, 40.2])
def test_a_gradient_dephases_by_the_sinc_of_its_turns(turns):
    # the mean of cos(2πnz) over −1/2 < z < 1/2; slices resolve it to a few 1e-3
    for sample, spin, ratio in ((ONE, 0, 1), (STILL, 1, 6.728284 / 26.7522128)):
        n = len(sample.spins)
        state = play(line(gradient(turns)), sample, operator("x", spin, n)).state
        left = np.trace(state @ operator("x", spin, n)).real / 2 ** (n - 2)
        assert left == pytest.approx(np.sinc(turns * ratio), abs=2.5e-3)
        across = np.trace(state @ operator("y", spin, n))
        assert abs(across) < 1e-12


def test_the_slices_converge_to_the_sinc():
    # gradients that cancel ask for more slices: the error of n of them falls with 1/n²
    errors = []
    for extra in (2, 5, 11):
        events = (gradient(0.5), gradient(extra), gradient(-extra))
        state = play(line(*events), ONE, operator("x", 0, 1)).state
        errors.append(2 * np.trace(state @ operator("x", 0, 1)).real - np.sinc(0.5))
    counts = [math.ceil(8 * (0.5 + 2 * extra)) + 8 for extra in (2, 5, 11)]
    np.testing.assert_allclose(
        np.divide(errors[:-1], errors[1:]), np.square(np.divide(counts[1:], counts[:-1])), rtol=0.02
    )


@pytest.mark.parametrize("turns", [3.0, 17.3])
def test_opposite_gradients_cancel(turns):
    rho = random_state(4)
    for events in (
        [gradient(turns), gradient(-turns)],
        [gradient(turns), gradient(turns, 2e-3), gradient(-2 * turns, 5e-4)],
    ):
        np.testing.assert_allclose(play(line(*events), STILL, rho).state, rho, atol=1e-12)


@pytest.mark.parametrize("turns", [3.0, 17.3])
def test_equal_gradients_refocus_round_an_inversion(turns):
    # a spin echo, offset and all; without the inversion next to nothing is left
    sample = Sample("one", (Spin("H", "1H", 250.0),))
    rho = operator("x", 0, 1)
    echo = [gradient(turns), turn(0, 180, 90), gradient(turns)]
    np.testing.assert_allclose(play(line(*echo), sample, rho).state, -rho, atol=1e-12)
    two = play(line(gradient(turns), gradient(turns)), sample, rho).state
    assert np.abs(two).max() < 0.02


def test_an_inversion_of_the_other_nucleus_refocuses_nothing():
    rho = operator("x", 0)
    events = [gradient(4), turn(1, 180, 0), gradient(4)]
    np.testing.assert_allclose(play(line(*events), STILL, rho).state, 0, atol=1e-12)


def test_gradients_of_unlike_spins_refocus_in_the_ratio_of_their_constants():
    # antiphase coherence of 13C, dephased, is passed on to 1H: 2IzSx → −2IxSz, an echo of one half
    before = 2 * operator("z", 0) @ operator("x", 1)
    after = 2 * operator("x", 0) @ operator("z", 1)
    passed = [gradient(40), turn(1, 90, 90), turn(0, 90, 90)]
    for last, expected in ((40 * 6.728284 / 26.7522128, -0.5), (40, 0), (20, 0)):
        state = play(line(*passed, gradient(last)), STILL, before).state
        assert np.trace(state @ after).real == pytest.approx(expected, abs=0.01)


def order_of(rho, order, n=2):
    """The part of ρ with a coherence order, for like spins."""
    m = np.diag(sum(operator("z", k, n) for k in range(n))).real
    return rho * np.isclose(m[:, None] - m, order)


ORDERS = range(-2, 3)


@given(
    st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9),
    st.floats(0, 360), st.floats(0, 360), st.floats(0, 360),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_gradients_select_coherence_pathways(first, second, third, angle, phase, other):
    # whole turns select exactly: p₁g₁ + p₂g₂ + p₃g₃ = 0
    rho = random_state(4, seed=2)
    pulses = [(angle, phase), (70.0, other)]
    events = [
        gradient(first),
        both(*pulses[0]),
        gradient(second),
        both(*pulses[1]),
        gradient(third),
    ]
    U = [
        expm(-1j * math.radians(a) * sum(
            math.cos(math.radians(p)) * operator("x", k) + math.sin(math.radians(p)) *
            operator("y", k) for k in (0, 1)))
        for a, p in pulses
    ]  # fmt: skip
    expected = np.zeros((4, 4), dtype=complex)
    for p in itertools.product(ORDERS, repeat=3):
        if p[0] * first + p[1] * second + p[2] * third == 0:
            state = U[0] @ order_of(rho, p[0]) @ dagger(U[0])
            state = U[1] @ order_of(state, p[1]) @ dagger(U[1])
            expected += order_of(state, p[2])
    np.testing.assert_allclose(play(line(*events), LIKE, rho).state, expected, atol=1e-9)


def test_a_double_quantum_filter_by_gradients_one_to_two():
    # 2 → −1 and −2 → 1 pass: IxSy + IySx by 90° x is IxSz + IzSx, of which a filter keeps half
    Ix, Iy, Iz = (operator(a, 0) for a in "xyz")
    Sx, Sy, Sz = (operator(a, 1) for a in "xyz")
    events = [gradient(7), both(90, 0), gradient(14)]
    wanted, rest = Ix @ Sy + Iy @ Sx, 3 * Ix + 2 * Iy @ Sz + Iz + Sz
    state = play(line(*events), LIKE, wanted + rest).state
    np.testing.assert_allclose(state, (Ix @ Sz + Iz @ Sx) / 2, atol=1e-12)
    # the mirror image is selected by the opposite sign
    backwards = play(line(events[0], events[1], gradient(-14)), LIKE, wanted + rest).state
    np.testing.assert_allclose(backwards, (Ix @ Sz + Iz @ Sx) / 2, atol=1e-12)


def test_what_a_crusher_leaves_along_z_still_knows_its_place():
    # stimulated echo: half of the magnetisation comes back
    rho, halves = operator("x", 0, 1), []
    for last in (6, 3):
        events = [gradient(6), turn(0, 90, 0), CRUSH, turn(0, 90, 0), gradient(last)]
        halves.append(play(line(*events), ONE, rho).state)
    np.testing.assert_allclose(halves, [rho / 2, 0 * rho], atol=1e-12)


def test_what_a_crusher_takes_does_not_come_back():
    rho = operator("x", 0, 1)
    state = play(line(gradient(6), CRUSH, gradient(-6)), ONE, rho).state
    np.testing.assert_allclose(state, 0, atol=1e-14)


def test_offsets_and_couplings_act_while_a_gradient_lasts():
    rho = random_state(4)
    still = replace(PAIR, spins=tuple(replace(s, T1_s=math.inf) for s in PAIR.spins))
    events = [gradient(5, 2e-3), TimedDelay(1e-3), gradient(-5, 3e-3)]
    state = play(line(*events), still, rho).state
    np.testing.assert_allclose(state, rotated(rho, H * 6e-3), atol=1e-12)


# --------------------------------------------------------------------------------------- batches
@pytest.mark.parametrize("relaxation", [False, True])
def test_batches_of_states_equal_loops(relaxation):
    rho = random_state(4, batch=(2, 3))
    events = [turn(0, 60, 20), gradient(1.3), turn(1, 90, 90, 1e-3), CRUSH, turn(0, 50, 0),
              TimedAcquisition({0: 0.2, 1: 0.0}), gradient(0.4), TimedDelay(1e-3)]  # fmt: skip
    played = play(line(*events), PAIR, rho, relaxation=relaxation)
    assert played.state.shape == (2, 3, 4, 4)
    for index in np.ndindex(2, 3):
        alone = play(line(*events), PAIR, rho[index], relaxation=relaxation)
        np.testing.assert_allclose(played.state[index], alone.state, atol=1e-12)
        for label in "HC":
            assert alone.signals[0][label].shape == ()
            assert played.signals[0][label][index] == pytest.approx(alone.signals[0][label])


# -------------------------------------------------------------------------------------- receiver
def test_points_of_the_signal_are_the_fid():
    # Ix → tr[ρ(σx + iσy)] = 2 cos(πJt) e^{2πiνt} e^{−t/T2} on two spins, the partner not relaxing
    quiet = replace(PAIR, spins=(PAIR.spins[0], Spin("C", "13C", -45.0)))
    step, events = 0.4e-3, [turn(0, 90, 90)]
    for _ in range(20):
        events += [TimedAcquisition({0: 0.0}), TimedDelay(step)]
    signals = play(line(*events), quiet, operator("z", 0), relaxation=True).signals
    t = np.arange(20) * step
    fid = 2 * np.cos(np.pi * 215 * t) * np.exp(2j * np.pi * 120 * t - t / 9e-3)
    np.testing.assert_allclose([signal["H"] for signal in signals], fid, atol=1e-12)


@pytest.mark.parametrize("phase", [0.0, 0.3, math.pi / 2, math.pi])
def test_the_phase_of_a_receiver_is_subtracted(phase):
    # magnetisation at the receiver's phase is real and positive
    events = [turn(0, 90, math.degrees(phase) + 90), TimedAcquisition({0: phase})]
    (signal,) = play(line(*events), ONE, operator("z", 0, 1)).signals
    assert signal["H"] == pytest.approx(1)


def test_signals_hold_paulis():
    """A spin along x shows 1, twice tr(ρI₊); the deviation I_x of one of n spins 2ⁿ⁻¹."""
    x = np.array([[0, 1], [1, 0]])
    rho = np.kron(np.eye(2) + x, np.eye(2)) / 4
    receiver = line(TimedAcquisition({0: 0.0, 1: 0.0}))
    (seen,) = play(receiver, PAIR, rho).signals
    I_plus = np.kron(np.array([[0, 1], [0, 0]]), np.eye(2))
    assert seen[PAIR.labels[0]] == pytest.approx(2 * np.trace(rho @ I_plus)) == pytest.approx(1)
    assert seen[PAIR.labels[1]] == pytest.approx(0)
    (seen,) = play(receiver, PAIR, np.kron(x / 2, np.eye(2))).signals
    assert seen[PAIR.labels[0]] == pytest.approx(2)


def test_every_spin_has_its_signal():
    rho = operator("x", 0) + 3 * operator("y", 1)
    events = [TimedAcquisition({0: 0.0, 1: 0.0}), turn(0, 90, 90), TimedAcquisition({1: 0.0})]
    first, second = play(line(*events), STILL, rho).signals
    assert first == {"H": pytest.approx(2), "C": pytest.approx(6j)}
    assert second == {"C": pytest.approx(6j)}


def test_a_receiver_sees_the_mean_of_the_sample_and_changes_nothing():
    seen = TimedAcquisition({0: 0.0})
    events = [seen, gradient(0.5), seen, gradient(2.5), seen, gradient(-3), seen]
    played = play(line(*events), ONE, operator("x", 0, 1))
    signals = [complex(signal["H"]) for signal in played.signals]
    np.testing.assert_allclose(signals, [1, np.sinc(0.5), 0, 1], atol=2e-3)
    np.testing.assert_allclose(played.state, operator("x", 0, 1), atol=1e-12)


# ------------------------------------------------------------------------------- equilibrium
def test_equilibrium_is_in_the_ratio_of_the_gyromagnetic_constants():
    # Larmor frequencies relative to 1H of TMS in %, which shielding moves by less than 1e-3
    sample = Sample("made", tuple(Spin(n, n) for n in ("1H", "13C", "15N", "31P")))
    state = thermal_deviation(sample)
    shares = [np.trace(state @ operator("z", k, 4)).real / 4 for k in range(4)]
    np.testing.assert_allclose(shares, [1, 0.251450, -0.101368, 0.404808], rtol=1e-3)
    weighted = sum(c * operator("z", k, 4) for k, c in enumerate(shares))
    np.testing.assert_allclose(state, weighted, atol=1e-14)


# --------------------------------------------------------------------------------------- faults
@pytest.mark.parametrize("d", [2, 8])
def test_states_of_another_size_are_refused(d):
    message = f"`rho` must be of dimension 4 for sample 'pair', but is of dimension {d}"
    with pytest.raises(ArgumentError, match=message):
        play(line(), PAIR, np.eye(d))


def test_states_that_are_no_matrices_are_refused():
    with pytest.raises(ArgumentError, match=r"`rho` must have shape \(..., d, d\)"):
        play(line(), PAIR, np.zeros((4, 3)))


def test_gradients_that_cannot_be_resolved_are_refused():
    play(line(gradient(2000)), ONE, np.eye(2))
    message = "gradients, but those of 'made' turn the phase 3000 times over the sample of 1 member"
    with pytest.raises(ArgumentError, match=message):
        play(line(gradient(1500), gradient(-1500)), ONE, np.eye(2))


def test_five_spins_relax_by_splitting():
    # free spins: every one decays with its own T2, transverse products with the sum of the rates
    times = 0.3 + 0.1 * np.arange(5)
    sample = Sample("big", tuple(Spin(f"s{k}", "1H", T2_s=T) for k, T in enumerate(times)))
    rho = pauli("XXXXX")
    played = play(line(TimedDelay(0.2)), sample, rho, relaxation=True)
    assert played.method == "splitting"
    np.testing.assert_allclose(played.state, np.exp(-0.2 / times).prod() * rho, atol=1e-11)
    assert played.error < 1e-9


def test_a_frame_turns_the_average_over_a_spread_field():
    ensemble = product(field_hz=Gaussian(20.0), angles={"field_hz": 1.0})
    events = (turn(0, 90, 0), TimedDelay(3e-3))
    turned = play(line(*events, frame={0: 0.7}), PAIR, thermal_deviation(PAIR), ensemble=ensemble)
    plain = play(line(*events), PAIR, thermal_deviation(PAIR), ensemble=ensemble)
    U = np.kron(expm(-0.35j * pauli("Z")), np.eye(2))
    assert ensemble.size > 1
    np.testing.assert_allclose(turned.state, U @ plain.state @ dagger(U), atol=1e-12)
