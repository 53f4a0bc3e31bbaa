"""Calibrations: nutation, T1, T2, and what the signs of DM and KSEA look like."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from nmrqb.dynamics import play, thermal_deviation
from nmrqb.errors import InputError
from nmrqb.operators import pauli, spin_operator
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline, expand, load_sequence

CHLOROFORM = load_sample("chloroform")
J = 215.13  # Hz
UP, DOWN, COIL = np.diag([1, 0]), np.diag([0, 1]), np.array([[0, 2], [0, 0]])


def one(offset=0.0, **spin):
    return Sample("one", (Spin("A", "1H", offset, **spin),))


def signals(name, sample, rho, *, relaxation=False, scan=0, label="A", **parameters):
    """The signal of a spin at every point of a scan."""
    timeline = expand(load_sequence(name), sample, parameters=parameters, scan=scan)
    played = play(timeline, sample, rho, relaxation=relaxation)
    return np.array([signal[label] for signal in played.signals])


def polarised(p):
    return (np.eye(2) + p * pauli("Z")) / 2


# ------------------------------------------------------------------------------------ nutation
Z = spin_operator("z", 0, 1)  # its signal after 90° is 1


@pytest.mark.parametrize("t", [3, 10, 20, 35.5, 80])
def test_nutation_is_a_sine_of_the_length_of_the_pulse(t):
    sample = one(pulse_90_s=10e-6)
    (found,) = signals("nutation", sample, Z, t=f"{t} us")
    assert found == pytest.approx(np.sin(np.pi / 2 * t / 10))


def test_a_quarter_of_the_second_zero_is_the_90_degree_time():
    # the sample says 10 us, the amplifier gives 10 % less than that
    sample, rate = one(pulse_90_s=10e-6), 0.9 * 25e3
    times = np.linspace(30, 60, 301)
    found = [signals("nutation", sample, Z, t=f"{t} us", rate=f"{rate} Hz")[0].real for t in times]
    (rising,) = np.flatnonzero((np.array(found)[:-1] < 0) & (np.array(found)[1:] >= 0))
    assert times[rising] / 4 == pytest.approx(10 / 0.9, abs=0.05)


def test_the_whole_turn_comes_early_off_resonance():
    # at 1/√(r² + ν²) everything is back
    rate, offset = 25e3, 10e3
    sample = one(offset, pulse_90_s=10e-6)
    turn = 1e6 / np.hypot(rate, offset)
    assert abs(signals("nutation", sample, Z, t=f"{turn} us")[0]) < 1e-9
    assert abs(signals("nutation", sample, Z, t="40 us")[0]) > 0.1


# ------------------------------------------------------------------------- inversion recovery
SLOW = one(polarization=0.2, T1_s=3.0, T2_s=0.5)


@pytest.mark.parametrize("tau", [0.0, 0.4, 3 * np.log(2), 5.0, 20.0])
def test_inversion_recovers_with_T1(tau):
    (found,) = signals("inversion_recovery", SLOW, polarised(0.2), relaxation=True, tau=f"{tau} s")
    assert found == pytest.approx(0.2 * (1 - 2 * np.exp(-tau / 3.0)), abs=1e-12)


def test_sum_of_scans_is_free_of_what_a_wrong_inversion_leaves_across():
    # 1 − (1 − cos θ) exp(−tau/T1)
    sample = replace(SLOW, spins=(replace(SLOW.spins[0], offset_hz=7.0),))
    given = {"relaxation": True, "tau": "0.1 s", "inversion": "150 deg"}
    scans = [
        signals("inversion_recovery", sample, polarised(0.2), scan=s, **given)[0] for s in range(8)
    ]
    expected = 0.2 * (1 - (1 - np.cos(np.radians(150))) * np.exp(-0.1 / 3.0))
    assert np.mean(scans) == pytest.approx(expected)
    assert np.mean(scans[:2]) == pytest.approx(expected)
    assert abs(scans[0] - expected) > 0.01


def test_the_receiver_goes_round_with_the_last_pulse():
    sequence = load_sequence("inversion_recovery")
    assert sequence.scans == 8
    receivers = [expand(sequence, SLOW, scan=s).events[-1].phases[0] for s in range(8)]
    assert abs(np.sum(np.exp(-1j * np.array(receivers)))) < 1e-12  # a constant fault cancels
    scans = [signals("inversion_recovery", SLOW, polarised(0.2), scan=s)[0] for s in range(8)]
    np.testing.assert_allclose(scans, scans[0], atol=1e-12)


# ----------------------------------------------------------------------------------- CPMG decay
COUPLED = Sample(
    "coupled",
    (Spin("A", "1H", 37.0, T1_s=5.0, T2_s=0.4), Spin("B", "13C", 11.0)),
    (Coupling(("A", "B"), J_hz=90.0),),
)


def test_echoes_decay_with_T2_whatever_offset_and_coupling():
    k = np.arange(1, 31)
    found = signals(
        "cpmg_decay", COUPLED, spin_operator("z", 0, 2), relaxation=True, n="30", spacing="8 ms"
    )
    np.testing.assert_allclose(found, 2 * np.exp(-k * 8e-3 / 0.4), atol=1e-9)


@pytest.mark.parametrize("scan", [0, 1])
def test_both_scans_add_up_and_a_constant_fault_cancels(scan):
    start = spin_operator("z", 0, 2)
    found = signals("cpmg_decay", COUPLED, start, scan=scan, n="4")
    np.testing.assert_allclose(found, 2, atol=1e-12)
    sequence = load_sequence("cpmg_decay")
    receivers = [expand(sequence, COUPLED, scan=s).events[-1].phases[0] for s in (0, 1)]
    assert abs(np.sum(np.exp(-1j * np.array(receivers)))) < 1e-12


def test_echo_train_forgives_its_180_degree_pulses():
    sample = one()
    timeline = expand(load_sequence("cpmg_decay"), sample, parameters={"n": "20"})
    wrong = tuple(
        TimedPulse(tuple(replace(r, angle=1.05 * r.angle) for r in e.rotations))
        if isinstance(e, TimedPulse) and e.rotations[0].angle > 2
        else e
        for e in timeline.events
    )
    played = play(replace(timeline, events=wrong), sample, Z)
    np.testing.assert_allclose([s["A"] for s in played.signals], 1, atol=1e-12)


def test_centres_of_finite_echo_pulses_are_a_spacing_apart():
    sample = one(pulse_90_s=20e-6)
    given = {"n": "3", "spacing": "1 ms"}
    timeline = expand(load_sequence("cpmg_decay"), sample, parameters=given, pulses="finite")
    lengths = [getattr(event, "duration", 0.0) for event in timeline.events]
    starts = np.cumsum(lengths) - lengths
    centres = [
        start + event.duration / 2
        for start, event in zip(starts, timeline.events, strict=True)
        if isinstance(event, TimedPulse)
    ]
    np.testing.assert_allclose(np.diff(centres), [0.5e-3, 1e-3, 1e-3], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("cpmg_decay", {"n": "0"}, "must be n >= 1"),
        ("cpmg_decay", {"spacing": "0 s"}, "must be spacing > 0 s"),
        ("inversion_recovery", {"tau": "-1 s"}, "must be tau >= 0 s"),
    ],
)
def test_senseless_calibration_is_refused(name, given, says):
    with pytest.raises(InputError, match=says):
        expand(load_sequence(name), one(T1_s=1.0), parameters=given)


# -------------------------------------------------------------------------- signs of D and G
READ = {"dm_sign": "y", "ksea_sign": "-y"}  # 90° pulse that turns S into view
EQUILIBRIUM = thermal_deviation(CHLOROFORM)  # Iz + 0.25 Sz
MADE = {  # (I, S) pulsed with phases that turn the wrong way: the coupling that is made
    "dm_sign": {(0, 0): "+D", (0, 1): "+G", (1, 0): "-G", (1, 1): "-D"},
    "ksea_sign": {(0, 0): "+G", (0, 1): "+D", (1, 0): "-D", (1, 1): "-G"},
}
COUPLINGS = {"D": {"XY": 1, "YX": -1}, "G": {"XY": 1, "YX": 1}}


def with_coupling(value):
    return replace(CHLOROFORM, couplings=(Coupling(("1H", "13C"), J_hz=value),))


def mirrored(timeline, spins):
    """The pulses on some spins with phases that turn the wrong way, φ → −φ."""

    def turned(event):
        if not isinstance(event, TimedPulse):
            return event
        changed = (replace(r, phase=-r.phase) if r.spin in spins else r for r in event.rotations)
        return TimedPulse(tuple(changed))

    return replace(timeline, events=tuple(map(turned, timeline.events)))


def doublet(state, coupling, spin, *, backwards=False):
    """Amplitudes of the lines at −|J|/2 and |J|/2, from an FID of four periods of J.

    ``backwards`` is a receiver that runs the wrong way round, which takes the conjugate.
    """
    times = np.arange(512) / 512 * 4 / abs(coupling)
    other = (UP, DOWN)
    coil = [np.kron(COIL, m) if spin == 0 else np.kron(m, COIL) for m in other]
    up, down = (np.trace(state @ operator) for operator in coil)
    # under 2πJ IzSz the line of the other spin up is at +J/2
    fid = up * np.exp(1j * np.pi * coupling * times) + down * np.exp(-1j * np.pi * coupling * times)
    fid = fid.conj() if backwards else fid
    return tuple(np.mean(fid * np.exp(-1j * np.pi * s * abs(coupling) * times)) for s in (-1, 1))


def seen(name, *, coupling=J, wrong=(0, 0), start=EQUILIBRIUM):
    """The doublets (low, high) of 1H and 13C."""
    sample = with_coupling(coupling)
    timeline = expand(load_sequence(name), sample)
    timeline = mirrored(timeline, [k for k in range(2) if wrong[k]])
    state = play(timeline, sample, start).state
    return doublet(state, coupling, 0), doublet(state, coupling, 1)


def reference(name, wrong):
    """Sign of the 13C signal after the same plain 90° pulse of equilibrium."""
    phase = {"y": np.pi / 2, "-y": -np.pi / 2}[READ[name]] * (-1 if wrong[1] else 1)
    pulse = TimedPulse((TimedRotation(1, np.pi / 2, phase),))
    state = play(Timeline("plain", (pulse,)), CHLOROFORM, EQUILIBRIUM).state
    return np.sign(sum(doublet(state, J, 1)).real)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("coupling", [J, -J, 90.0, -90.0])
def test_one_line_is_left_and_it_is_the_high_one(name, coupling):
    # Iz → (1/√8) Ix (1 + 2s Sz), s the sign of J; tr(2 Ix (σx + iσy)) = 4 over two lines
    (low, high), other = seen(name, coupling=coupling)
    assert abs(low) < 1e-9
    assert high == pytest.approx(2 / np.sqrt(8))
    np.testing.assert_allclose(other, [0.5, 0.5], atol=1e-9)


@pytest.mark.parametrize("name", MADE)
def test_a_receiver_that_runs_the_wrong_way_shows_the_low_line(name):
    state = play(expand(load_sequence(name), CHLOROFORM), CHLOROFORM, EQUILIBRIUM).state
    low, high = doublet(state, J, 0, backwards=True)
    assert low == pytest.approx(2 / np.sqrt(8))
    assert abs(high) < 1e-9


@pytest.mark.parametrize("name", MADE)
def test_imperfect_pulses_leave_little_of_the_other_line(name):
    # two to four per cent, as the notes say
    timeline = expand(load_sequence(name), CHLOROFORM)
    wrong = tuple(
        TimedPulse(tuple(replace(r, angle=1.04 * r.angle) for r in e.rotations))
        if isinstance(e, TimedPulse)
        else e
        for e in timeline.events
    )
    finite = expand(load_sequence(name), CHLOROFORM, pulses="finite")
    for played in (replace(timeline, events=wrong), finite):
        low, high = doublet(play(played, CHLOROFORM, EQUILIBRIUM).state, J, 0)
        assert 0.015 < abs(low / high) < 0.045


@pytest.mark.parametrize("wrong", list(itertools.product((0, 1), repeat=2)))
@pytest.mark.parametrize("name", MADE)
def test_the_coupling_that_is_made_can_be_read_off(name, wrong):
    (low, high), other = seen(name, wrong=wrong)
    sign = "+" if abs(high) > abs(low) else "-"
    assert min(abs(low), abs(high)) < 1e-9
    same = np.sign(sum(other).real) == reference(name, wrong)
    assert sign + ("D" if same else "G") == MADE[name][wrong]


@pytest.mark.parametrize("wrong", list(itertools.product((0, 1), repeat=2)))
@pytest.mark.parametrize("name", MADE)
def test_phases_that_turn_the_wrong_way_make_another_coupling(name, wrong):
    # U = exp(−i2πH·2t) with H = ±J/8 (XY ∓ YX)
    timeline = expand(load_sequence(name.removesuffix("_sign")), CHLOROFORM)
    timeline = mirrored(timeline, [k for k in range(2) if wrong[k]])
    sign, letter = MADE[name][wrong]
    H = float(f"{sign}1") * J / 8 * sum(c * pauli(p) for p, c in COUPLINGS[letter].items())
    values, vectors = np.linalg.eigh(H)
    U = (vectors * np.exp(-2j * np.pi * values * 2 / (4 * J))) @ vectors.conj().T
    for start in ("ZI", "IZ", "XI", "YZ"):
        played = play(timeline, CHLOROFORM, pauli(start)).state
        np.testing.assert_allclose(played, U @ pauli(start) @ U.conj().T, atol=1e-9)


@pytest.mark.parametrize("name", MADE)
def test_polarisation_of_S_does_not_count(name):
    Iz = spin_operator("z", 0, 2)
    np.testing.assert_allclose(seen(name), seen(name, start=Iz), atol=1e-12)
    other = Iz - 0.8 * spin_operator("z", 1, 2)
    np.testing.assert_allclose(seen(name), seen(name, start=other), atol=1e-12)


@pytest.mark.parametrize("name", MADE)
def test_both_receivers_are_opened_along_x(name):
    timeline = expand(load_sequence(name), CHLOROFORM)
    (signal,) = play(timeline, CHLOROFORM, EQUILIBRIUM).signals
    assert signal["1H"] == pytest.approx(2 / np.sqrt(8))
    assert signal["13C"] == pytest.approx(1)


def random_timeline(rng):
    """Pulses on both spins and delays, drawn at random."""
    events = []
    for _ in range(6):
        turns = rng.normal(size=(2, 2)) * 3
        events.append(TimedPulse(tuple(TimedRotation(k, *turns[k]) for k in range(2))))
        events.append(TimedDelay(rng.uniform(0, 10e-3)))
    return Timeline("random", tuple(events))


@pytest.mark.parametrize("seed", range(5))
def test_no_experiment_from_equilibrium_sees_the_sign_of_J(seed):
    rng = np.random.default_rng(seed)
    timeline, ends = random_timeline(rng), []
    offsets = rng.normal(size=2) * 100
    for sign in (1, -1):
        sample = with_coupling(sign * J)
        spins = [replace(s, offset_hz=v) for s, v in zip(sample.spins, offsets, strict=True)]
        sample = replace(sample, spins=tuple(spins))
        ends.append([play(timeline, sample, rho).state for rho in (EQUILIBRIUM, pauli("ZZ"))])
    coils = [np.kron(COIL, np.eye(2)), np.kron(np.eye(2), COIL)]
    plus, minus = ([[np.trace(rho @ c) for c in coils] for rho in end] for end in ends)
    np.testing.assert_allclose(plus[0], minus[0], atol=1e-9)
    # a state that holds a product of both spins shows it
    np.testing.assert_allclose(plus[1], -np.array(minus[1]), atol=1e-9)
    assert np.abs(plus[1]).max() > 1e-3
