"""Toggling frames against the zeroth Magnus term, quadrature and derivatives of propagators."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad_vec
from scipy.linalg import expm

from nmrqb.average import magnus_terms
from nmrqb.average.frames import (
    dipolar_averages,
    exchange_averages,
    is_symmetric,
    offset_averages,
    second_moments,
    segment_frames,
    toggling_frames,
)
from nmrqb.dynamics import Segment, timeline_segments, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import named_operator, pauli, pauli_coefficients, pauli_strings, spin_operator
from nmrqb.sample import Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import (
    coupling_hamiltonian,
    internal_hamiltonian,
    offset_hamiltonian,
)
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
)

X, Y = 0.0, np.pi / 2
AXES = "XYZ"
# a shape without symmetry: shares of the angle with phases of their own
SHAPE = tuple(np.array([0.1, 0.4, 0.3, 0.2]) * np.exp(1j * np.array([0.3, -0.8, 1.9, 0.5])))


def rotation(n, angles):
    """Θ of one rotation vector per spin, (n, 3)."""
    return sum(
        angles[k, a] * spin_operator(axis, k, n) for k in range(n) for a, axis in enumerate("xyz")
    )


def wait(n, time):
    return Segment(np.asarray(float(time)), np.zeros((2**n, 2**n), dtype=complex))


def random_segments(rng, n, *, finite, collective=False):
    """Four rotations about axes of any direction, of every spin its own, between delays."""
    segments = []
    for _ in range(4):
        angles = rng.normal(scale=2, size=(n, 3))
        angles = np.broadcast_to(angles[0], (n, 3)) if collective else angles
        length = rng.uniform(0.1, 0.4) if finite else 0.0
        segments += [wait(n, rng.uniform(0.1, 0.5))]
        segments += [Segment(np.asarray(length), rotation(n, angles))]
    return [*segments, wait(n, 0.2)]


def placed(letters, n):
    """The string of n letters with the given ones at their spins."""
    return pauli("".join(letters.get(k, "I") for k in range(n)))


def zeroth(segments, drift):
    (H,) = magnus_terms(segments, drift, order=0)
    n = int(np.log2(len(drift)))
    return dict(zip(pauli_strings(n), pauli_coefficients(H).real, strict=True))


def vector_of(coefficients, k, n):
    return [coefficients["".join(a if j == k else "I" for j in range(n))] for a in AXES]


def tensor_of(coefficients, k, m, n):
    def string(a, b):
        return "".join({k: a, m: b}.get(j, "I") for j in range(n))

    return [[coefficients[string(a, b)] for b in AXES] for a in AXES]


def oriented(name, *, pulses="ideal", **parameters):
    sample = load_sample("oriented_pair")
    timeline = expand(load_sequence(name), sample, pulses=pulses, parameters=parameters)
    return timeline_segments(timeline, sample), sample


# --------------------------------------------------------------------------------- conventions
@pytest.mark.parametrize(
    ("phase", "axis"), [(X, (0, 1, 0)), (np.pi, (0, -1, 0)), (Y, (-1, 0, 0)), (-Y, (1, 0, 0))]
)
def test_ninety_degree_pulses_bring_z_to_their_textbook_axes(phase, axis):
    pulse = TimedPulse((TimedRotation(0, np.pi / 2, phase),))
    frames = toggling_frames(Timeline("x", (TimedDelay(1.0), pulse, TimedDelay(2.0))), 1)
    np.testing.assert_allclose(frames.n, [[(0, 0, 1)], [axis]], atol=1e-15)
    np.testing.assert_allclose(frames.durations, [1, 2])
    assert list(frames.pulses) == [False, False]


def test_axes_of_wahuha_are_z_y_x_y_z():
    segments, _ = oriented("wahuha")
    frames = segment_frames(segments)
    assert frames.n.shape == (5, 2, 3)
    expected = np.eye(3)[[2, 1, 0, 1, 2]]
    np.testing.assert_allclose(frames.n, np.stack([expected, expected], axis=1), atol=1e-14)
    np.testing.assert_allclose(frames.durations / 30e-6, [1, 1, 2, 1, 1])


def test_a_quarter_turn_has_two_over_pi_of_both_axes_and_one_over_pi_between():
    quarter = Segment(np.asarray(2.0), np.pi / 2 * spin_operator("x", 0, 1))
    frames = segment_frames([quarter])
    np.testing.assert_allclose(frames.n[0, 0], [0, 2 / np.pi, 2 / np.pi], atol=1e-15)
    between = [[0, 0, 0], [0, 1 / 2, 1 / np.pi], [0, 1 / np.pi, 1 / 2]]
    np.testing.assert_allclose(frames.nn[0, 0, 0], between, atol=1e-15)
    np.testing.assert_allclose(
        [frames.begin, frames.end], [[[[0, 0, 1]]], [[[0, 1, 0]]]], atol=1e-15
    )
    assert list(frames.pulses) == [True]


def test_intervals_join_and_hold_the_axis_in_delays():
    frames = segment_frames(random_segments(np.random.default_rng(0), 2, finite=True))
    np.testing.assert_allclose(frames.begin[1:], frames.end[:-1], atol=1e-13)
    still = ~frames.pulses
    np.testing.assert_allclose(frames.n[still], frames.begin[still], atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(frames.begin, axis=-1), 1, atol=1e-13)
    assert np.all(np.linalg.norm(frames.n[~still], axis=-1) < 1)


# ------------------------------------------------------------------- against the Magnus series
CASES = list(itertools.product([2, 3], [False, True], range(3)))


@pytest.mark.parametrize(("n", "finite", "seed"), CASES)
def test_offset_average_is_the_zeroth_order_of_offsets(n, finite, seed):
    segments = random_segments(np.random.default_rng(seed), n, finite=finite)
    mean = offset_averages(segment_frames(segments))
    for k in range(n):
        found = zeroth(segments, placed({k: "Z"}, n))
        np.testing.assert_allclose(vector_of(found, k, n), mean[k], atol=1e-12)


@pytest.mark.parametrize(("n", "finite", "seed"), CASES)
def test_second_moments_are_the_zeroth_order_of_zz_couplings(n, finite, seed):
    segments = random_segments(np.random.default_rng(seed), n, finite=finite)
    Q = second_moments(segment_frames(segments))
    for k, m in itertools.combinations(range(n), 2):
        found = zeroth(segments, placed({k: "Z", m: "Z"}, n))
        np.testing.assert_allclose(tensor_of(found, k, m, n), Q[k, m], atol=1e-12)
        np.testing.assert_allclose(Q[m, k], Q[k, m].T, atol=1e-13)


@pytest.mark.parametrize(("n", "finite", "seed"), CASES)
def test_dipolar_and_exchange_averages_are_the_zeroth_order_of_like_spins(n, finite, seed):
    """Also where like spins are pulsed differently."""
    segments = random_segments(np.random.default_rng(seed), n, finite=finite)
    frames = segment_frames(segments)
    for k, m in itertools.combinations(range(n), 2):
        xx, yy, zz = (placed({k: a, m: a}, n) for a in AXES)
        dipolar = tensor_of(zeroth(segments, 2 * zz - xx - yy), k, m, n)
        np.testing.assert_allclose(dipolar, dipolar_averages(frames)[k, m], atol=1e-12)
        isotropic = tensor_of(zeroth(segments, xx + yy + zz), k, m, n)
        np.testing.assert_allclose(isotropic, exchange_averages(frames)[k, m], atol=1e-12)


@pytest.mark.parametrize("finite", [False, True])
def test_collective_pulses_leave_isotropic_couplings_and_average_dipolar_ones_by_q(finite):
    segments = random_segments(np.random.default_rng(5), 2, finite=finite, collective=True)
    frames = segment_frames(segments)
    np.testing.assert_allclose(exchange_averages(frames)[0, 1], np.eye(3), atol=1e-13)
    expected = 3 * second_moments(frames)[0, 0] - np.eye(3)
    np.testing.assert_allclose(dipolar_averages(frames)[0, 1], expected, atol=1e-13)
    assert np.abs(expected).max() > 0.05


def test_dipolar_coupling_of_the_sample_vanishes_where_q_is_a_third():
    segments, sample = oriented("mrev8", pulses="finite")
    no_j = tuple(replace(c, J_hz=0.0) for c in sample.couplings)
    drift = coupling_hamiltonian(replace(sample, couplings=no_j))
    Q = second_moments(segment_frames(segments))
    np.testing.assert_allclose(Q[0, 1], np.eye(3) / 3, atol=1e-12)
    assert np.linalg.norm(magnus_terms(segments, drift, order=0)[0]) < 1e-9
    assert np.linalg.norm(drift) > 100


def test_dm_makes_half_of_the_coupling_antisymmetric():
    # physics.md §3: ZZ as XY, then as −YX: J/4 (XY − YX)/2, DM_z = J/8
    sample = load_sample("chloroform")
    frames = toggling_frames(expand(load_sequence("dm"), sample), 2)
    Q = second_moments(frames)[0, 1]
    dm = pauli_coefficients(named_operator("DM_z")).real.reshape(4, 4)[1:, 1:]
    np.testing.assert_allclose(Q, dm / 2, atol=1e-12)


# ---------------------------------------------------------------------------------- from events
def shaped_and_simultaneous():
    """A shaped pulse beside a shorter and an ideal one, then a rectangle on one of three spins."""
    first = TimedPulse(
        (
            TimedRotation(0, 2.1, 0.4, 3e-3, SHAPE),
            TimedRotation(1, -1.3, 1.1, 1e-3),
            TimedRotation(2, 0.7, 0.2),
        )
    )
    second = TimedPulse((TimedRotation(1, 1.9, -0.6, 2e-3),))
    ideal = TimedPulse((TimedRotation(0, 0.8, 2.0),))
    events = (TimedDelay(2e-3), first, TimedDelay(0.0), TimedDelay(1e-3), ideal, second)
    return Timeline("made", (*events, TimedAcquisition({0: 0.0}), TimedDelay(4e-3)))


THREE = Sample("three", tuple(Spin(label, "1H") for label in "ABC"))


def test_every_pulse_is_one_interval_whatever_its_shape():
    frames = toggling_frames(shaped_and_simultaneous(), 3)
    np.testing.assert_allclose(frames.durations, [2e-3, 3e-3, 1e-3, 2e-3, 4e-3])
    assert list(frames.pulses) == [False, True, False, True, False]
    # the ideal part stands in the middle of the shaped pulse, and that spin rests around it
    expected = np.array([0, 0, 1]) + np.array([0, 0, np.cos(0.7)])
    assert frames.n[1, 2, 2] == pytest.approx(expected[2] / 2)


def test_pulses_average_as_quadrature_says():
    timeline = shaped_and_simultaneous()
    frames = toggling_frames(timeline, 3)
    segments = timeline_segments(replace(timeline, events=timeline.events[1:2]), THREE)
    U0, total = np.eye(8, dtype=complex), 0

    def axes(s, U0, control):
        U = expm(-1j * s * control) @ U0
        toggled = [U.conj().T @ placed({k: "Z"}, 3) @ U for k in range(3)]
        rows = [[np.trace(T @ placed({k: a}, 3)).real / 8 for a in AXES]
                for k, T in enumerate(toggled)]  # fmt: skip
        n = np.array(rows)
        return np.concatenate([n.ravel(), np.einsum("ka,mb->kmab", n, n).ravel()])

    for segment in segments:
        if segment.duration > 0:
            mean, _ = quad_vec(axes, 0, 1, args=(U0, segment.rotation), epsabs=1e-11)
            total = total + float(segment.duration) * mean
        U0 = expm(-1j * segment.rotation) @ U0
    found = np.concatenate([frames.n[1].ravel(), frames.nn[1].ravel()])
    np.testing.assert_allclose(found, total / 3e-3, atol=1e-9)


def test_averages_from_events_are_those_of_the_segments():
    timeline = shaped_and_simultaneous()
    from_events = toggling_frames(timeline, 3)
    from_segments = segment_frames(timeline_segments(timeline, THREE))
    assert from_segments.durations.size > from_events.durations.size
    for average in (offset_averages, second_moments, exchange_averages):
        np.testing.assert_allclose(average(from_events), average(from_segments), atol=1e-12)
    np.testing.assert_allclose(from_events.flip_error, from_segments.flip_error, atol=1e-12)


def test_virtual_rotations_at_the_end_do_not_matter():
    timeline = shaped_and_simultaneous()
    turned = toggling_frames(replace(timeline, frame={0: 1.0, 2: -0.3}), 3)
    plain = toggling_frames(timeline, 3)
    np.testing.assert_array_equal(turned.n, plain.n)
    np.testing.assert_array_equal(turned.flip_error, plain.flip_error)


# ------------------------------------------------------------------------------ flip-angle errors
@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [1, 3])
def test_flip_error_is_the_derivative_of_the_pulses(n, finite):
    segments = random_segments(np.random.default_rng(n), n, finite=finite)
    still = np.zeros((2**n, 2**n))
    step = 1e-5

    def U(scale):
        return unitary([s.scaled(scale) for s in segments], still)

    slope = U(1).conj().T @ (U(1 + step) - U(1 - step)) / (2 * step)
    expected = -1j * rotation(n, segment_frames(segments).flip_error)
    np.testing.assert_allclose(slope, expected, atol=1e-7)
    assert np.linalg.norm(expected) > 0.1


def test_changes_of_frame_turn_the_axes_but_are_no_pulses():
    turn = Segment(np.zeros(()), np.pi / 2 * spin_operator("x", 0, 1), rf=False)
    frames = segment_frames([turn, wait(1, 1.0)])
    np.testing.assert_allclose(frames.n[0, 0], [0, 1, 0], atol=1e-15)
    np.testing.assert_array_equal(frames.flip_error, [[0, 0, 0]])
    np.testing.assert_array_equal(frames.nutation, [0])


def test_nutation_adds_the_angles_of_a_spin():
    frames = toggling_frames(shaped_and_simultaneous(), 3)
    np.testing.assert_allclose(frames.nutation, [2.1 + 0.8, 1.3 + 1.9, 0.7], atol=1e-12)


# -------------------------------------------------------------------------------------- batches
def test_stacks_of_segments_equal_loops():
    rng = np.random.default_rng(8)
    angles, times = rng.normal(size=(2, 3, 2, 3)), rng.uniform(0.1, 1, (2, 3))

    def sequence(which):
        pulses = [np.array([rotation(2, a) for a in row[which]]) for row in angles]
        return [
            Segment(times[0, which], pulses[0]),
            wait(2, 0.5),
            Segment(np.zeros(()), pulses[1]),
            Segment(times[1, which], np.zeros((4, 4), dtype=complex)),
        ]

    stacked = segment_frames(sequence(slice(None)))
    assert stacked.n.shape == (3, 3, 2, 3)
    assert stacked.duration.shape == (3,)
    for k in range(3):
        one = segment_frames(sequence([k]))
        np.testing.assert_allclose(stacked.n[k], one.n[0], atol=1e-14)
        np.testing.assert_allclose(stacked.flip_error[k], one.flip_error[0], atol=1e-14)
        for average in (offset_averages, second_moments, dipolar_averages):
            np.testing.assert_allclose(average(stacked)[k], average(one)[0], atol=1e-14)


# ------------------------------------------------------------------------------------- symmetry
def random_drift(rng, n):
    H = rng.normal(size=(2, 2**n, 2**n))
    H = H[0] + 1j * H[1]
    H = H + H.conj().T
    return H / np.linalg.norm(H, 2)


def odd_orders(segments, drift):
    T = sum(float(s.duration) for s in segments)
    terms = magnus_terms(segments, 0.3 / T / np.linalg.norm(drift, 2) * drift, order=3)
    return max(np.linalg.norm(terms[1]), np.linalg.norm(terms[3])) * T


@pytest.mark.parametrize("finite", [False, True])
def test_a_cycle_and_its_mirror_image_are_symmetric(finite):
    rng = np.random.default_rng(9)
    half, drift = random_segments(rng, 2, finite=finite), random_drift(rng, 2)
    cycle = half + [Segment(s.duration, -s.rotation) for s in reversed(half)]
    assert is_symmetric(cycle, drift)
    assert odd_orders(cycle, drift) < 1e-12
    assert not is_symmetric(half, drift)
    assert odd_orders(half, drift) > 1e-5
    # one delay a little longer in one half
    assert not is_symmetric([*cycle, wait(2, 1e-4)], drift)


@pytest.mark.parametrize("name", ["wahuha", "blew12"])
def test_wahuha_and_blew12_are_symmetric_for_all_that_the_sample_has(name):
    segments, sample = oriented(name, pulses="finite")
    assert is_symmetric(segments, internal_hamiltonian(sample))
    assert odd_orders(segments, internal_hamiltonian(sample)) < 1e-12


@pytest.mark.parametrize("name", ["mrev8", "br24"])
def test_mrev8_and_br24_are_not_symmetric(name):
    segments, sample = oriented(name)
    assert not is_symmetric(segments, internal_hamiltonian(sample))
    assert not is_symmetric(segments, offset_hamiltonian(sample))
    assert odd_orders(segments, offset_hamiltonian(sample)) > 1e-4


def test_symmetry_depends_on_the_drift_and_on_the_pulses():
    # n changes sign between the halves of MREV-8, which n nᵀ does not see
    segments, sample = oriented("mrev8")
    assert is_symmetric(segments, coupling_hamiltonian(sample))
    finite, _ = oriented("mrev8", pulses="finite")
    assert not is_symmetric(finite, coupling_hamiltonian(sample))


def test_xy8_is_symmetric_with_ideal_pulses_only():
    sample = load_sample("chloroform")
    drift = spin_operator("z", 0, 2)
    sequence = load_sequence("xy8")
    ideal, finite = (
        timeline_segments(
            expand(sequence, sample, pulses=pulses, parameters={"tau": "0.1 ms"}), sample
        )
        for pulses in ("ideal", "finite")
    )
    assert is_symmetric(ideal, drift)
    assert not is_symmetric(finite, drift)
    assert odd_orders(finite, drift) > 1e-9 > odd_orders(ideal, drift)


@pytest.mark.parametrize(("sign", "symmetric"), [(-1, True), (1, False)])
def test_many_turns_are_resolved(sign, symmetric):
    # 50 turns about x and 50 back, or on: n_y is even or odd under t → T − t
    turns = 100 * np.pi * spin_operator("x", 0, 1)
    halves = [Segment(np.asarray(1.0), turns), Segment(np.asarray(1.0), sign * turns)]
    assert is_symmetric(halves, spin_operator("z", 0, 1)) is symmetric


def test_what_goes_on_from_pass_to_pass_has_no_mirror_image():
    z = spin_operator("z", 0, 1)
    goes_on = Segment(np.zeros(()), 0 * z, rf=False, evolution=0.3 * z)
    assert not is_symmetric([wait(1, 1.0), goes_on], z)
    assert is_symmetric([wait(1, 1.0)], z)


# ------------------------------------------------------------------------------------- refusals
def test_gradients_have_no_one_frame():
    timeline = Timeline("dephased", (TimedDelay(1.0), TimedGradient(1e-3, 100.0)))
    with pytest.raises(ArgumentError, match=r"must be free of gradients .* 'dephased' has some"):
        toggling_frames(timeline, 1)


def test_a_pass_must_take_time():
    pulse = TimedPulse((TimedRotation(0, np.pi, X),))
    with pytest.raises(ArgumentError, match="longer than 0 s, but timeline 'flip' does not"):
        toggling_frames(Timeline("flip", (pulse,)), 1)
    with pytest.raises(ArgumentError, match="longer than 0 s, but what is given does not"):
        segment_frames([])
    with pytest.raises(ArgumentError, match="longer than 0 s, but lasts 0"):
        is_symmetric([wait(1, 0.0)], pauli("Z"))


def test_controls_of_several_spins_have_no_toggled_axes():
    both = Segment(np.asarray(1.0), 0.3 * pauli("XX") + pauli("XI"))
    with pytest.raises(ArgumentError, match=r"rotate single spins, .* several at once by 0.6 rad"):
        segment_frames([wait(2, 1.0), both])
