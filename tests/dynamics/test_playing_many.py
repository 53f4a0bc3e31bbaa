"""Timelines of many members and of many spins: ensembles, errors, methods, sparse registers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from nmrqb.dynamics import (
    Ensemble,
    along_z,
    gaussian_ensemble,
    play,
    play_sequence,
    thermal_deviation,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, dagger, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sequence import (
    Pulse,
    PulseErrors,
    Rotation,
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
    with_errors,
)

ONE = Sample("one", (Spin("H", "1H", 35.0, 0.3, 0.1, 10e-6),))
PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 120.0, 30e-3, 9e-3, 10e-6, 0.6),
        Spin("C", "13C", -45.0, 20e-3, 15e-3, 20e-6, -0.2),
    ),
    (Coupling(("H", "C"), 215.0),),
)
GAMMA_C = 6.728284 / 26.7522128  # γ(13C)/γ(1H)


def line(*events, **fields):
    return Timeline("made", tuple(events), **fields)


def turn(spin, angle, phase=0.0, duration=0.0):
    rotation = TimedRotation(spin, math.radians(angle), math.radians(phase), duration)
    return TimedPulse((rotation,))


def gradient(turns, duration=1e-3):
    return TimedGradient(duration, turns / duration)


def state(n, seed=0, batch=()):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(*batch, 2**n, 2**n)) + 1j * rng.normal(size=(*batch, 2**n, 2**n))
    return A + dagger(A)


def field_ensemble(width_hz, order=40):
    """A Gaussian spread of the static field of 1H with a standard deviation in Hz."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    one = np.ones(order)
    return Ensemble(one, width_hz * nodes, one, weights / weights.sum())


# ------------------------------------------------------------------------------------- ensembles
@pytest.mark.parametrize("relaxation", [False, True])
def test_a_gaussian_spread_of_the_field_decays_as_a_gaussian(relaxation):
    # ⟨exp(2πi(ν + f)t)⟩ = exp(2πiνt − (2πσt)²/2)
    width, seen = 20.0, TimedAcquisition({0: 0.0})
    times = 4e-3 * np.arange(6)
    events = [turn(0, 90, 90), *[seen, TimedDelay(4e-3)] * 6]
    signals = play(
        line(*events), ONE, spin_operator("z", 0, 1), relaxation=relaxation,
        ensemble=field_ensemble(width),
    ).signals  # fmt: skip
    expected = np.exp(2j * np.pi * 35 * times - (2 * np.pi * width * times) ** 2 / 2)
    expected = expected * np.exp(-times / 0.1) if relaxation else expected
    np.testing.assert_allclose([s["H"] for s in signals], expected, atol=1e-10)


def test_the_field_shifts_every_nucleus_by_its_gamma():
    width, t = 30.0, 10e-3
    sample = Sample("free", (Spin("H", "1H"), Spin("C", "13C")))
    rho = spin_operator("x", 0, 2) + spin_operator("x", 1, 2)
    end = play(line(TimedDelay(t)), sample, rho, ensemble=field_ensemble(width)).state
    for spin, gamma in ((0, 1.0), (1, GAMMA_C)):
        left = np.trace(end @ spin_operator("x", spin, 2)).real
        assert left == pytest.approx(
            math.exp(-((2 * np.pi * width * gamma * t) ** 2) / 2), abs=1e-6
        )


def test_an_echo_refocuses_members_and_gradients_together():
    rho, members = spin_operator("x", 0, 1), field_ensemble(50.0, 12)
    events = [gradient(2.3), TimedDelay(5e-3), turn(0, 180), TimedDelay(5e-3), gradient(2.3)]
    whole = play(line(*events), ONE, rho, ensemble=members).state
    np.testing.assert_allclose(whole, rho, atol=1e-12)
    # without the pulse both dephase: sinc of the turns and a Gaussian of the spread
    events = [gradient(0.3), TimedDelay(5e-3)]
    still = replace(ONE, spins=(replace(ONE.spins[0], offset_hz=0.0),))
    end = play(line(*events), still, rho, ensemble=members).state
    expected = np.sinc(0.3) * math.exp(-((2 * np.pi * 50 * 6e-3) ** 2) / 2)
    # the slices are as fine as an eighth of a turn
    assert 2 * np.trace(end @ rho).real == pytest.approx(expected, rel=0.01)
    alone = play(line(gradient(0.3)), still, rho).state
    np.testing.assert_allclose(
        end, alone * math.exp(-((2 * np.pi * 50 * 6e-3) ** 2) / 2), atol=1e-6
    )


def test_members_in_a_field_that_grows_along_z_are_a_gradient():
    rho, turns = spin_operator("x", 0, 1), 1.7
    still = replace(ONE, spins=(replace(ONE.spins[0], offset_hz=0.0),))
    count = math.ceil(8 * turns) + 8
    members = play(line(TimedDelay(1e-3)), still, rho, ensemble=along_z(turns / 1e-3, count))
    np.testing.assert_allclose(
        members.state, play(line(gradient(turns)), still, rho).state, atol=1e-12
    )


def test_a_spread_of_the_rf_nutates_as_its_mean_cosine():
    # ⟨cos(1 + ε)θ⟩ = cos θ e^{−(σθ)²/2}
    b1, weights = gaussian_ensemble(0.05, largest_angle=15.0)
    ensemble = Ensemble(b1, np.zeros(b1.size), np.ones(b1.size), weights)
    rho = spin_operator("z", 0, 1)
    for theta in (90.0, 720.0):
        end = play(line(turn(0, theta)), ONE, rho, ensemble=ensemble).state
        size = math.radians(theta)
        expected = math.cos(size) * math.exp(-((0.05 * size) ** 2) / 2)
        assert 2 * np.trace(end @ rho).real == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("relaxation", [False, True])
def test_members_equal_loops_over_them(relaxation):
    rng, M = np.random.default_rng(1), 5
    weights = rng.dirichlet(np.ones(M))
    ensemble = Ensemble(rng.uniform(0.8, 1.2, (M, 2)), rng.normal(0, 60, M),
                        rng.uniform(0.9, 1.1, M), weights)  # fmt: skip
    events = [turn(0, 70, 10, 1e-4), TimedDelay(2e-3), turn(1, 100, 50), gradient(0.7),
              TimedAcquisition({0: 0.3, 1: 0.0}), turn(0, 40, 0, 2e-4),
              TimedDelay(1e-3)]  # fmt: skip
    rho = state(2, 4, (3,))
    played = play(line(*events), PAIR, rho, ensemble=ensemble, relaxation=relaxation)
    total, seen = 0, 0
    for m, weight in enumerate(weights):
        b1 = dict(enumerate(ensemble.b1[m]))
        own = [
            TimedPulse(tuple(replace(r, angle=r.angle * b1[r.spin]) for r in e.rotations))
            if isinstance(e, TimedPulse)
            else e
            for e in events
        ]
        spins = tuple(
            replace(s, offset_hz=s.offset_hz + gamma * ensemble.field_hz[m])
            for s, gamma in zip(PAIR.spins, (1.0, GAMMA_C), strict=True)
        )
        coupling = (Coupling(("H", "C"), 215.0 * ensemble.coupling[m]),)
        alone = play(
            line(*own), replace(PAIR, spins=spins, couplings=coupling), rho, relaxation=relaxation
        )
        total, seen = total + weight * alone.state, seen + weight * alone.signals[0]["H"]
    np.testing.assert_allclose(played.state, total, atol=1e-6)
    np.testing.assert_allclose(played.signals[0]["H"], seen, atol=1e-6)


def test_split_members_equal_mapped_ones():
    ensemble = field_ensemble(40.0, 4)
    events = [turn(0, 70, 10, 1e-4), TimedDelay(2e-3), gradient(0.4), turn(1, 100, 50)]
    options = {"relaxation": True, "ensemble": ensemble}
    split = play(line(*events), PAIR, state(2), method="splitting", **options)
    mapped = play(line(*events), PAIR, state(2), **options)
    assert (split.method, mapped.method) == ("splitting", "superoperator")
    assert np.linalg.norm(split.state - mapped.state) <= split.error + mapped.error


# ------------------------------------------------------------------------- methods and tolerances
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_tolerance_is_of_the_whole_timeline(tolerance):
    shape = tuple(np.full(40, 1 / 40))
    long = TimedPulse((TimedRotation(0, 2.0, 0.3, 8e-3, shape),))
    noisy = replace(PAIR, couplings=(Coupling(("H", "C"), 215.0, tensor_hz=None),))
    events = [turn(0, 90), *[TimedDelay(3e-3), turn(1, 80, 30, 1e-3), long] * 4]
    rho = state(2)
    options = {"relaxation": True, "tolerance": tolerance}
    split = play(line(*events), noisy, rho, method="splitting", **options)
    exact = play(line(*events), noisy, rho, relaxation=True)
    true = np.linalg.norm(split.state - exact.state)
    assert true <= split.error <= tolerance
    assert split.error > exact.error


@pytest.mark.parametrize("method", ["unitary", "chebyshev"])
def test_closed_methods_by_name(method):
    rho = state(2)
    events = [turn(0, 70, 10, 1e-4), TimedDelay(2e-3), TimedGradient(0.0), turn(1, 100, 50)]
    played = play(line(*events, frame={1: 0.3}), PAIR, rho, method=method)
    auto = play(line(*events, frame={1: 0.3}), PAIR, rho)
    assert played.method == method
    assert np.linalg.norm(played.state - auto.state) <= played.error + auto.error
    assert played.error < 2e-9 * np.linalg.norm(rho)


def test_what_does_not_suit_the_register_is_refused():
    rho, events = state(2), [turn(0, 20), TimedDelay(1e-3)]
    one = np.ones(2)
    rf = Ensemble(np.array([0.9, 1.1]), 0 * one, one, one / 2)
    for options, message in (
        ({"method": "splittings"}, "`method` must be auto or one of .*but is 'splittings'"),
        ({"method": "unitary", "relaxation": True}, "for a register with dissipation"),
        ({"method": "superoperator"}, "for a register without dissipation"),
        ({"tolerance": 0.0}, "`tolerance` must be positive, but is 0.0"),
        (
            {"method": "chebyshev", "ensemble": field_ensemble(9.0, 3)},
            r"`drift` must have shape \(d, d\) for chebyshev",
        ),
        ({"method": "chebyshev", "ensemble": rf}, "`state` must have shape"),
    ):
        with pytest.raises(ArgumentError, match=message):
            play(line(*events), PAIR, rho, **options)


# --------------------------------------------------------------------------- errors and sequences
def test_errors_of_pulses_are_played_scan_by_scan():
    errors = {"1H": PulseErrors(amplitude=0.1, phase=0.05)}
    sequence = load_sequence("spin_echo")
    options = {"parameters": {"t": "1.7 ms"}, "pulses": "finite"}
    for relaxation in (False, True):
        played = play_sequence(sequence, PAIR, errors=errors, relaxation=relaxation, **options)
        timeline = with_errors(expand(sequence, PAIR, **options), errors, PAIR)
        alone = play(timeline, PAIR, thermal_deviation(PAIR), relaxation=relaxation)
        np.testing.assert_array_equal(played.state, alone.state)
        assert played.error == alone.error
        perfect = play_sequence(sequence, PAIR, relaxation=relaxation, **options)
        assert np.abs(played.state - perfect.state).max() > 1e-3


def test_wrong_amplitudes_turn_by_another_angle():
    flip, z = Sequence("flip", {"I": "any"}, (Pulse({"I": Rotation("180")}),)), PAULI["Z"] / 2
    for wrong in (0.0, 0.2, -1.0):
        played = play_sequence(flip, ONE, errors=PulseErrors(amplitude=wrong))
        assert 2 * np.trace(played.state @ z).real == pytest.approx(math.cos(math.pi * (1 + wrong)))


@pytest.mark.parametrize("options", [
    {}, {"errors": PulseErrors(amplitude=0.05)}, {"ensemble": field_ensemble(15.0, 5)},
    {"relaxation": True}, {"relaxation": True, "method": "splitting", "tolerance": 1e-6},
])  # fmt: skip
def test_the_mean_of_a_phase_cycle_is_that_of_its_scans(options):
    sequence = load_sequence("inversion_recovery")
    spins = (Spin("A", "13C", 80.0, 0.3, 0.2), Spin("B", "13C", -60.0, 0.4, 0.3))
    sample = Sample("two", spins, (Coupling(("A", "B"), 50.0),))
    assert sequence.scans == 8
    tau = {"tau": "5 ms", "inversion": "150 deg"}
    played = play_sequence(sequence, sample, parameters=tau, **options)
    own = {key: value for key, value in options.items() if key != "errors"}
    scans = []
    for scan in range(sequence.scans):
        timeline = expand(sequence, sample, parameters=tau, scan=scan)
        if "errors" in options:
            timeline = with_errors(timeline, options["errors"], sample)
        scans.append(play(timeline, sample, thermal_deviation(sample), **own))
    np.testing.assert_allclose(played.state, np.mean([s.state for s in scans], axis=0), atol=1e-14)
    assert played.error == max(s.error for s in scans)
    assert played.method == scans[0].method
    for number, signal in enumerate(played.signals):
        for label, value in signal.items():
            mean = np.mean([s.signals[number][label] for s in scans])
            assert complex(value) == pytest.approx(complex(mean), abs=1e-13)


# ------------------------------------------------------------------------- more than eight spins
def chain(n):
    """Spins of two nuclei in turn: neighbours are unlike, so that couplings are I_zS_z."""
    spins = tuple(
        Spin(f"s{k}", "13C" if k % 2 else "1H", 130.0 * k - 500, pulse_90_s=10e-6) for k in range(n)
    )
    return Sample(
        "chain", spins, tuple(Coupling((f"s{k}", f"s{k + 1}"), 60.0 + 7 * k) for k in range(n - 1))
    )


@pytest.mark.parametrize("n", [9, 10])
def test_a_spin_echo_of_many_spins_keeps_what_the_couplings_make(n):
    # 180° on the 1H spins: their offsets and couplings refocus; 13C offsets go on
    sample, t = chain(n), 3e-3
    protons = [k for k in range(n) if k % 2 == 0]
    flip = TimedPulse(tuple(TimedRotation(k, math.pi, 0.0) for k in protons))
    seen = TimedAcquisition(dict.fromkeys(range(n), 0.0))
    events = [turn(1, 90, 90), TimedDelay(t), flip, TimedDelay(t), seen]
    rho = spin_operator("z", 1, n)
    played = play(line(*events), sample, rho)
    assert played.method == "chebyshev"
    assert isinstance(played.state, np.ndarray)
    # what is seen of spin 1 is 2ⁿ⁻¹ of a proton-free carbon's FID
    expected = 2 ** (n - 1) * np.exp(2j * np.pi * sample.spins[1].offset_hz * 2 * t)
    assert complex(played.signals[0]["s1"]) == pytest.approx(expected, abs=1e-7 * 2**n)
    assert abs(complex(played.signals[0]["s0"])) < 1e-7 * 2**n
    assert abs(np.linalg.norm(played.state) / np.linalg.norm(rho) - 1) < 1e-9


def test_without_the_echo_the_neighbours_split_the_line():
    n, t = 9, 3e-3
    sample = chain(n)
    events = [turn(2, 90, 90, 1e-9), TimedDelay(t), TimedAcquisition({2: 0.0})]
    signal = play(line(*events), sample, spin_operator("z", 2, n)).signals[0]["s2"]
    split = math.cos(np.pi * 67 * t) * math.cos(np.pi * 74 * t)
    expected = 2 ** (n - 1) * split * np.exp(2j * np.pi * sample.spins[2].offset_hz * t)
    assert complex(signal) == pytest.approx(expected, abs=1e-4 * 2**n)


@pytest.mark.parametrize("method", ["auto", "unitary"])
def test_crushers_and_frames_act_on_many_spins(method):
    n, sample = 9, chain(9)
    rho = spin_operator("x", 0, n) + spin_operator("z", 0, n)
    played = play(line(TimedGradient(0.0)), sample, rho, method=method)
    np.testing.assert_allclose(played.state, spin_operator("z", 0, n), atol=1e-9)
    turned = play(line(frame={0: 0.4}), sample, rho, method=method).state
    expected = math.cos(0.4) * spin_operator("x", 0, n) + math.sin(0.4) * spin_operator("y", 0, n)
    np.testing.assert_allclose(turned, expected + spin_operator("z", 0, n), atol=1e-9)


@pytest.mark.parametrize("options", [{"ensemble": field_ensemble(10.0, 3)}, {}])
def test_gradients_and_ensembles_of_many_spins_are_refused(options):
    events = [TimedDelay(1e-3)] if options else [gradient(1.0)]
    message = "at most 8 spins for gradients and ensembles, but 'chain' has 9"
    with pytest.raises(ArgumentError, match=message):
        play(line(*events), chain(9), spin_operator("z", 0, 9), **options)
