"""Pulses as segments: rotation sense, centring, lengths."""

from dataclasses import replace

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from nmrqb.dynamics import (
    Segment,
    pulse_segments,
    rotation_steps,
    timeline_segments,
    total_duration,
    unitary,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample, pulse_duration
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline, expand, load_sequence

ONE = Sample("one", (Spin("H", "1H", pulse_90_s=10e-6),))
PAIR = Sample(
    "pair",
    (Spin("H", "1H", 300.0, pulse_90_s=13e-6), Spin("C", "13C", -200.0, pulse_90_s=77e-6)),
    (Coupling(("H", "C"), 215.0),),
)
UNCALIBRATED = Sample("bare", (Spin("H", "1H"), Spin("C", "13C")), (Coupling(("H", "C"), 215.0),))
UP = np.array([1, 0], dtype=complex)
H90 = TimedRotation(0, np.pi / 2, 0.3)
C90 = TimedRotation(1, np.pi / 2, 1.1)


def timeline(*events):
    return Timeline("made", events, roles={"I": (0,), "S": (1,)})


def calibrated(event, sample):
    """Give every rotation without a length the one of the sample's 90° times."""
    if isinstance(event, TimedDelay):
        return event

    def length(r):
        return r.duration or float(pulse_duration(sample, r.spin, r.angle, "finite"))

    return TimedPulse(tuple(replace(r, duration=length(r)) for r in event.rotations))


def played(sample, *events, pulses="finite"):
    if pulses == "finite":
        events = [calibrated(event, sample) for event in events]
    segments = timeline_segments(timeline(*events), sample)
    return unitary(segments, internal_hamiltonian(sample))


def rotation(angle, phase, spin):
    """θ(Ix cos φ + Iy sin φ) of one of two spins, from QuTiP's matrices."""
    axis = np.cos(phase) * qutip.sigmax() / 2 + np.sin(phase) * qutip.sigmay() / 2
    pair = [axis, qutip.qeye(2)] if spin == 0 else [qutip.qeye(2), axis]
    return angle * qutip.tensor(pair).full()


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(0, (0, -1, 0)), (90, (1, 0, 0)), (180, (0, 1, 0)), (270, (-1, 0, 0))],
)
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
def test_ninety_degrees_turn_up_the_right_handed_way(phase, expected, pulses):
    # exp(−iθ Ix) turns z to −y, exp(−iθ Iy) turns z to x
    pulse = TimedPulse((TimedRotation(0, np.pi / 2, np.deg2rad(phase)),))
    played = calibrated(pulse, ONE) if pulses == "finite" else pulse
    segments = timeline_segments(timeline(played), ONE)
    state = unitary(segments, np.zeros((2, 2), dtype=complex)) @ UP
    bloch = [(state.conj() @ pauli(axis) @ state).real for axis in "XYZ"]
    np.testing.assert_allclose(bloch, expected, atol=1e-14)


def test_any_pulse_is_the_exponential_of_the_conventions():
    theta, phi = 1.234, -0.7
    pulse = TimedPulse((TimedRotation(1, theta, phi),))
    expected = expm(-1j * rotation(theta, phi, 1))
    np.testing.assert_allclose(played(PAIR, pulse, pulses="ideal"), expected, atol=1e-14)


def test_length_of_a_pulse_is_proportional_to_the_size_of_its_angle():
    assert pulse_duration(PAIR, 1, -np.pi, "finite") == pytest.approx(2 * 77e-6)


def test_pulses_of_unequal_length_are_centred():
    H = internal_hamiltonian(PAIR)
    outer = 77e-6 - 13e-6
    alone = expm(-1j * (rotation(np.pi / 2, 1.1, 1) * outer / 2 / 77e-6 + H * outer / 2))
    both = rotation(np.pi / 2, 0.3, 0) + rotation(np.pi / 2, 1.1, 1) * 13 / 77
    expected = alone @ expm(-1j * (both + H * 13e-6)) @ alone
    np.testing.assert_allclose(played(PAIR, TimedPulse((H90, C90))), expected, atol=1e-12)


def test_order_of_rotations_in_a_pulse_does_not_matter():
    one_way, other_way = TimedPulse((H90, C90)), TimedPulse((C90, H90))
    np.testing.assert_allclose(played(PAIR, one_way), played(PAIR, other_way), atol=1e-13)


def test_instantaneous_pulse_sits_in_the_middle_of_a_written_one():
    soft = TimedRotation(1, 1.0, 0.2, duration=2e-3)
    H = internal_hamiltonian(UNCALIBRATED)
    half = expm(-1j * (rotation(1.0, 0.2, 1) / 2 + H * 1e-3))
    expected = half @ expm(-1j * rotation(np.pi / 2, 0.3, 0)) @ half
    got = played(UNCALIBRATED, TimedPulse((H90, soft)), pulses="ideal")
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_finite_pulses_add_to_the_delays():
    sample = load_sample("chloroform")
    delays = expand(load_sequence("dm"), sample, pulses="finite")
    segments = timeline_segments(delays, sample)
    # four pairs of simultaneous 90° pulses, each as long as its 77 µs carbon pulse
    expected = delays.free_evolution_s + 4 * 77e-6
    assert total_duration(segments) == pytest.approx(expected, rel=1e-12)


def test_events_act_in_the_order_of_time():
    pulse, delay = TimedPulse((H90,)), TimedDelay(1e-3)
    first = expm(-1j * rotation(np.pi / 2, 0.3, 0))
    then = expm(-1j * internal_hamiltonian(PAIR) * 1e-3)
    got = played(PAIR, pulse, delay, pulses="ideal")
    np.testing.assert_allclose(got, then @ first, atol=1e-12)


def test_finite_pulse_approaches_the_ideal_one_linearly():
    ideal = played(PAIR, TimedPulse((H90, C90)), pulses="ideal")
    errors = []
    for shrink in (1e-3, 1e-4):
        spins = tuple(
            Spin(s.label, s.nucleus, s.offset_hz, pulse_90_s=s.pulse_90_s * shrink)
            for s in PAIR.spins
        )
        fast = Sample("fast", spins, PAIR.couplings)
        errors.append(np.linalg.norm(played(fast, TimedPulse((H90, C90))) - ideal))
    assert errors[0] / errors[1] == pytest.approx(10, rel=1e-2)


def test_batches_of_angles_equal_loops():
    angles = np.array([0.0, 0.4, 3.0])
    generators = [rotation_steps(angles, 0.2, k, 2) for k in range(2)]
    durations = [pulse_duration(PAIR, k, angles, "finite") for k in range(2)]
    H = internal_hamiltonian(PAIR)
    looped = [
        unitary(pulse_segments([g[k] for g in generators], [d[k] for d in durations]), H)
        for k in range(3)
    ]
    batch = unitary(pulse_segments(generators, durations), H)
    np.testing.assert_allclose(batch, looped, atol=1e-13)


def test_steps_of_unequal_lengths_are_cut_where_any_of_them_ends():
    """Rates read off the segments are those of the step that plays at their middle."""
    durations = np.array([0.0, 2.0, 5.0]), np.array([3.0, 3.0, 0.0])
    shares = np.array([0.0, 0.1, 0.7, 1.0]), None
    weights = np.array([0.2, -0.5, 0.9]), np.array([1.0, -2.0])
    generators = [w[:, None, None] * pauli("XZ"[k]) for k, w in enumerate(weights)]
    segments = pulse_segments(generators, durations, shares)
    lengths = np.array([s.duration for s in segments])
    np.testing.assert_allclose(lengths.sum(axis=0), np.maximum(*durations))
    middles = np.cumsum(lengths, axis=0) - lengths / 2 - np.maximum(*durations) / 2
    for k, (w, edges) in enumerate(zip(weights, shares, strict=True)):
        along = [np.trace(s.rotation @ pauli("XZ"[k]), axis1=-2, axis2=-1) for s in segments]
        places = np.linspace(0, 1, 3) if edges is None else edges
        for length, theta, middle, width in zip(
            durations[k], np.real(along).T / 2, middles.T, lengths.T, strict=True
        ):
            ends = length * (places - 0.5)
            rate = np.zeros(len(middle))
            for first, last, angle in zip(ends[:-1], ends[1:], w, strict=True):
                inside = (first < middle) & (middle < last)
                rate[inside] = angle / (last - first) if last > first else 0.0
            np.testing.assert_allclose(theta, rate * width, atol=1e-14)


def test_b1_scales_rotations_and_leaves_times():
    segment = Segment(np.asarray(2.0), pauli("X"))
    scaled = segment.scaled(np.array([0.9, 1.1]))
    np.testing.assert_allclose(scaled.rotation, [0.9 * pauli("X"), 1.1 * pauli("X")])
    assert scaled.duration == 2.0


def test_finite_pulses_need_a_calibration():
    with pytest.raises(ArgumentError, match="spin 'H' of sample 'bare' has no `pulse_90`"):
        pulse_duration(UNCALIBRATED, 0, np.pi / 2, "finite")


def test_pulse_models_other_than_two_are_refused():
    with pytest.raises(ArgumentError, match="`pulses` must be 'ideal' or 'finite', but is 'soft'"):
        pulse_duration(PAIR, 0, np.pi / 2, "soft")
