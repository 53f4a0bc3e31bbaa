"""Trains of 180° pulses on one spin: decoupling, flip-angle errors, filter orders."""

import numpy as np
import pytest

from nmrqb.average import magnus_terms
from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.operators import spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, Timeline, expand, load_sequence

ONE = Sample("one", (Spin("A", "1H"),))
PAIR = Sample(
    "pair", (Spin("A", "1H", offset_hz=40.0), Spin("B", "13C")), (Coupling(("A", "B"), J_hz=90.0),)
)
TRAINS = [("cpmg", 8), ("xy4", 4), ("xy8", 8), ("xy16", 16), ("kdd", 20),
          ("udd", 3), ("udd", 4), ("udd", 6)]  # fmt: skip
NOTHING = np.zeros((2, 2))
# typed from the literature: the times of the pulses in units of the whole
UHRIG = {
    3: [0.146447, 0.5, 0.853553],
    4: [0.095492, 0.345492, 0.654508, 0.904508],
    6: [np.sin(k * np.pi / 14) ** 2 for k in range(1, 7)],
}


def counted(name, count):
    """The parameters that ask a sequence for so many pulses; most have a number of their own."""
    return {"n": str(count)} if name in ("cpmg", "udd") else {}


def rotation(name, flip=1.0, **parameters):
    """Rotation of a spin on resonance by the pulses alone, all angles times ``flip``."""
    timeline = expand(load_sequence(name), ONE, parameters=parameters)
    return unitary([s.scaled(flip) for s in timeline_segments(timeline, ONE)], NOTHING)


def loss(name, error, **parameters):
    return float(infidelity(rotation(name, **parameters), rotation(name, 1 + error, **parameters)))


def pulse_times(timeline: Timeline):
    """Times of the pulses in units of the whole."""
    delays = [e.duration for e in timeline.events if isinstance(e, TimedDelay)]
    assert len(delays) == len(timeline.events) // 2 + 1
    return np.cumsum(delays)[:-1] / sum(delays)


# ---------------------------------------------------------------------------------- decoupling
@pytest.mark.parametrize(("name", "count"), TRAINS)
def test_train_removes_offset_and_heteronuclear_coupling(name, count):
    # two passes: an odd number of pulses leaves the frame turned
    timeline = expand(load_sequence(name), PAIR, parameters=counted(name, count))
    segments = timeline_segments(timeline, PAIR)
    drift = internal_hamiltonian(PAIR) / (2 * np.pi)
    for H in magnus_terms(segments, drift, order=2, cycles=2):
        assert np.linalg.norm(H) < 1e-10


@pytest.mark.parametrize(("name", "count"), TRAINS)
def test_train_is_180_degree_pulses_on_one_spin(name, count):
    timeline = expand(load_sequence(name), PAIR, parameters=counted(name, count))
    pulses = [e for e in timeline.events if isinstance(e, TimedPulse)]
    assert len(pulses) == count
    for (only,) in (pulse.rotations for pulse in pulses):
        assert (only.spin, only.angle) == (0, pytest.approx(np.pi))


@pytest.mark.parametrize("name", ["xy4", "xy8", "xy16", "kdd"])
def test_pulses_are_equally_spaced_with_half_a_delay_at_the_ends(name):
    n = dict(TRAINS)[name]
    times = pulse_times(expand(load_sequence(name), PAIR))
    np.testing.assert_allclose(times, (np.arange(n) + 0.5) / n, atol=1e-12)


@pytest.mark.parametrize(("name", "count"), [(n, c) for n, c in TRAINS if c % 2 == 0])
def test_train_of_an_even_number_leaves_the_frame(name, count):
    assert infidelity(rotation(name, **counted(name, count)), np.eye(2)) < 1e-12


# -------------------------------------------------------------------------- flip-angle errors
@pytest.mark.parametrize(("name", "published"), [("xy4", 1.5e-4), ("xy8", 7e-6), ("kdd", 4e-10)])
def test_infidelity_at_five_percent_flip_error(name, published):
    assert loss(name, 0.05) == pytest.approx(published, rel=0.1)


def test_two_pulses_of_one_phase_lose_far_more():
    assert loss("cpmg", 0.05, n="2") == pytest.approx(2.5e-2, rel=0.05)


@pytest.mark.parametrize("error", [0.01, 0.05, 0.2])
def test_xy16_cancels_flip_errors_to_rounding(error):
    # 5e-15 at 5 % is printed, which is rounding: XY-8 is a palindrome of pulses about x and y, so
    # its error is a rotation about an axis in the plane, which the negative phases undo exactly
    assert loss("xy16", error) <= 5e-15
    z = np.trace(spin_operator("z", 0, 1) @ rotation("xy8", 1 + error))
    assert abs(z) < 1e-12


@pytest.mark.parametrize(("name", "power"), [("cpmg", 2), ("xy4", 4), ("xy8", 6)])
def test_flip_error_is_cancelled_order_by_order(name, power):
    # infidelity ~ angle²: cpmg leaves ε, xy4 cancels it, the palindrome xy8 the ε² about z as well
    assert loss(name, 0.01) / loss(name, 0.005) == pytest.approx(2**power, rel=0.05)


def test_cpmg_turns_by_two_pi_epsilon_about_y_per_pair():
    error, pairs = 1e-3, 4
    angle = 2 * np.pi * error * pairs
    half = np.cos(angle / 2) * np.eye(2) - 2j * np.sin(angle / 2) * spin_operator("y", 0, 1)
    U = rotation("cpmg", 1 + error, n=str(2 * pairs))
    assert infidelity(half, U) < 1e-12


def test_cpmg_harms_only_magnetisation_across_its_pulses():
    U = rotation("cpmg", 1.05)
    kept = {a: np.trace(s @ U @ s @ U.conj().T).real * 2
            for a, s in ((a, spin_operator(a, 0, 1)) for a in "xyz")}  # fmt: skip
    assert kept["y"] == pytest.approx(1)
    assert max(kept["x"], kept["z"]) < 0.4


@pytest.mark.parametrize(("n", "length"), [(2, 4e-3), (5, 10e-3)])
def test_cpmg_echoes_are_two_delays_apart(n, length):
    timeline = expand(load_sequence("cpmg"), ONE, parameters={"n": str(n), "tau": "1 ms"})
    assert timeline.free_evolution_s == pytest.approx(length)
    delays = [e.duration for e in timeline.events if isinstance(e, TimedDelay)]
    times = np.cumsum(delays)[::2]  # of the pulses, each with a delay on both sides
    np.testing.assert_allclose(times / length, (np.arange(n) + 0.5) / n, atol=1e-12)


def test_knill_group_is_a_half_turn_and_sixty_degrees_about_z():
    # five pulses = 180° about x, then −60° about z
    segments = timeline_segments(expand(load_sequence("kdd"), ONE), ONE)
    U = unitary(segments[:10], NOTHING)  # half a delay, then five pulses and their delays
    x, z = spin_operator("x", 0, 1), spin_operator("z", 0, 1)
    turned = np.diag(np.exp(1j * np.pi / 3 * np.diag(z))) @ (-2j * x)
    assert infidelity(turned, U) < 1e-12


# ------------------------------------------------------------------------------------- Uhrig
@pytest.mark.parametrize("n", UHRIG)
def test_uhrig_pulses_stand_at_their_published_times(n):
    timeline = expand(load_sequence("udd"), PAIR, parameters={"n": str(n)})
    np.testing.assert_allclose(pulse_times(timeline), UHRIG[n], atol=1e-6)


@pytest.mark.parametrize("n", UHRIG)
def test_uhrig_pulses_make_the_first_derivatives_of_the_filter_vanish(n):
    # y(ωT) = 1 + (−1)ⁿ⁺¹ exp(iωT) + 2 Σ (−1)ᵏ exp(iωt_k): derivatives 0 … n are 0 at ω = 0
    t = pulse_times(expand(load_sequence("udd"), PAIR, parameters={"n": str(n)}))
    assert len(t) == n
    signs = (-1.0) ** np.arange(1, n + 1)
    derivatives = [(m == 0) + (-1) ** (n + 1) + 2 * np.sum(signs * t**m) for m in range(n + 2)]
    assert np.max(np.abs(derivatives[:-1])) < 1e-14
    assert abs(derivatives[-1]) > 1e-5


def test_equal_spacing_has_a_filter_of_lower_order():
    t = (np.arange(4) + 0.5) / 4
    third = -1 + 2 * np.sum((-1.0) ** np.arange(1, 5) * t**3)
    assert abs(third) > 1e-2
