"""Errors of pulses, against closed forms and an integration of the field's envelope."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from nmrqb.average import compile_timeline
from nmrqb.dynamics import infidelity, timeline_segments, total_duration, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    PulseErrors,
    TimedAcquisition,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
    with_errors,
)

X, Y, Z = (pauli(p) / 2 for p in "XYZ")
H1 = Sample("h", (Spin("H", "1H", offset_hz=3000.0, pulse_90_s=10e-6),))
ON = Sample("h", (Spin("H", "1H", pulse_90_s=10e-6),))
PAIR = load_sample("chloroform")
T = 10e-6


def pulse(angle=np.pi / 2, phase=0.0, duration=T, spin=0, steps=(1,)):
    return TimedPulse((TimedRotation(spin, angle, phase, duration, steps),))


def played(errors, *events, sample=ON, pulses="finite"):
    """Return the propagator of events with errors."""
    timeline = with_errors(Timeline("t", events, pulses), errors, sample)
    return unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))


def turn(angle, axis):
    return expm(-1j * angle * axis)


# ------------------------------------------------------------------------------- the transmitter
@pytest.mark.parametrize("phase", [0.0, np.pi / 2, 0.7, -np.pi])
def test_amplitude_and_phase_errors(phase):
    errors = PulseErrors(amplitude=0.03, phase=0.02)
    for pulses, duration in (("ideal", 0.0), ("finite", T)):
        U = played(errors, pulse(1.2, phase, duration), pulses=pulses)
        axis = X * np.cos(phase + 0.02) + Y * np.sin(phase + 0.02)
        np.testing.assert_allclose(U, turn(1.2 * 1.03, axis), atol=1e-13)


def test_the_quadrature_modulator():
    """x stays along x with 1 + g/2, y is turned by the skew with 1 − g/2."""
    errors = PulseErrors(imbalance=0.1, skew=0.05)
    skewed = Y * np.cos(0.05) - X * np.sin(0.05)
    expected = {0.0: 1.05 * X, np.pi: -1.05 * X, np.pi / 2: 0.95 * skewed,
                np.pi / 4: (1.05 * X + 0.95 * skewed) / np.sqrt(2)}  # fmt: skip
    for phase, axis in expected.items():
        U = played(errors, pulse(0.8, phase))
        np.testing.assert_allclose(U, turn(0.8, axis), atol=1e-13)


def test_a_shaped_pulse_goes_through_the_modulator_step_by_step():
    errors = PulseErrors(imbalance=0.1, skew=0.05, phase=0.2, amplitude=-0.02)
    steps = (0.3, 0.5j, -0.2 + 0.1j)
    whole = played(errors, pulse(1.0, 0.4, steps=steps))
    pieces = [pulse(np.abs(w), 0.4 + np.angle(w), T / 3) for w in steps]
    np.testing.assert_allclose(whole, played(errors, *pieces), atol=1e-13)


def test_errors_by_nucleus_and_events_that_have_none():
    errors = {"13C": PulseErrors(amplitude=0.1)}
    both = TimedPulse((TimedRotation(0, 1.0, 0.0), TimedRotation(1, 1.0, 0.5)))
    events = (both, TimedDelay(1e-3), TimedAcquisition({0: 0.0}))
    changed = with_errors(Timeline("t", events), errors, PAIR)
    assert [r.angle for r in changed.events[0].rotations] == [1.0, 1.1]
    assert changed.events[1:] == events[1:]
    assert with_errors(Timeline("t", events), PulseErrors(), PAIR).events == events


# -------------------------------------------------------------------------------- the transients
@pytest.mark.parametrize("phase", [0.0, 1.1])
def test_symmetric_transients_add_a_turn_about_the_quadrature_axis(phase):
    a = 0.03
    U = played(PulseErrors(leading=a, trailing=a), pulse(np.pi / 2, phase))
    along, ahead = (X * np.cos(p) + Y * np.sin(p) for p in (phase, phase + np.pi / 2))
    expected = turn(a, ahead) @ turn(np.pi / 2, along) @ turn(a, ahead)
    np.testing.assert_allclose(U, expected, atol=1e-13)
    # nothing between them: one turn of twice the angle about the quadrature axis
    np.testing.assert_allclose(
        played(PulseErrors(leading=a, trailing=a), pulse(1e-9, phase)),
        turn(2 * a, ahead),
        atol=1e-8,
    )


def test_antisymmetric_transients_tilt_the_axis_and_keep_the_angle():
    a = 0.03
    U = played(PulseErrors(leading=-a, trailing=a), pulse(np.pi / 2))
    tilted = X * np.cos(a) - Z * np.sin(a)
    np.testing.assert_allclose(U, turn(np.pi / 2, tilted), atol=1e-13)


def test_antisymmetric_transients_cancel_in_a_full_turn():
    errors = PulseErrors(leading=-0.03, trailing=0.03)
    np.testing.assert_allclose(played(errors, pulse(2 * np.pi)), -np.eye(2), atol=1e-13)
    four = [pulse(np.pi / 2)] * 4
    np.testing.assert_allclose(played(errors, *four), -np.eye(2), atol=1e-13)
    both = PulseErrors(leading=0.03, trailing=0.03)
    assert infidelity(played(both, pulse(2 * np.pi)), np.eye(2)) == pytest.approx(9e-4, rel=1e-3)


def test_a_negative_angle_is_the_opposite_phase():
    errors = PulseErrors(leading=0.02, trailing=-0.01, imbalance=0.04)
    opposite = played(errors, pulse(-1.0, 0.3))
    np.testing.assert_allclose(opposite, played(errors, pulse(1.0, 0.3 + np.pi)), atol=1e-13)


def test_transients_follow_the_first_and_the_last_step():
    errors = PulseErrors(leading=0.02, trailing=0.05)
    U = played(errors, pulse(1.0, 0.0, steps=(0.5, 0.5j)))
    expected = turn(0.05, -X) @ turn(0.5, Y) @ turn(0.5, X) @ turn(0.02, Y)
    np.testing.assert_allclose(U, expected, atol=1e-13)


# ------------------------------------------------------------------- first order in a WAHUHA cycle
DIPOLAR = Sample(
    "dipolar",
    (Spin("A", "1H", pulse_90_s=1e-7), Spin("B", "1H", pulse_90_s=1e-7)),
    (Coupling(("A", "B"), dipolar_hz=1000.0),),
)


def wahuha(errors, size):
    timeline = expand(load_sequence("wahuha"), DIPOLAR, pulses="finite")
    scaled = {key: size * value for key, value in errors.items()}
    return with_errors(timeline, PulseErrors(**scaled), DIPOLAR)


def toggled_sum(errors):
    """Return the first-order turn Σ_k ε_k Ũ†(axis)Ũ of one spin, from the pulses one by one."""
    timeline = expand(load_sequence("wahuha"), DIPOLAR, pulses="finite")
    U, total = np.eye(2, dtype=complex), np.zeros((2, 2), dtype=complex)
    for event in timeline.events:
        if not isinstance(event, TimedPulse):
            continue
        r = event.rotations[0]
        along, ahead = (X * np.cos(p) + Y * np.sin(p) for p in (r.phase, r.phase + np.pi / 2))
        total += errors.get("leading", 0) * U.conj().T @ ahead @ U
        total += errors.get("amplitude", 0) * r.angle * U.conj().T @ along @ U
        U = turn(r.angle, along) @ U
        total += errors.get("trailing", 0) * U.conj().T @ ahead @ U
    return total, U


@pytest.mark.parametrize(
    "errors",
    [{"amplitude": 1.0}, {"leading": 1.0, "trailing": 1.0}, {"leading": -1.0, "trailing": 1.0}],
    ids=["amplitude", "symmetric", "antisymmetric"],
)
def test_first_order_errors_of_wahuha(errors):
    size = 1e-4
    expected, closed = toggled_sum(errors)
    assert infidelity(closed, np.eye(2)) < 1e-20  # the cycle closes without errors
    timeline = wahuha(errors, size)
    free = replace(DIPOLAR, couplings=())
    U = unitary(timeline_segments(timeline, free), np.zeros((4, 4), dtype=complex))
    one = np.kron(closed, closed)
    turned = 1j * (one.conj().T @ U - np.eye(4)) / size
    np.testing.assert_allclose(
        turned, np.kron(expected, np.eye(2)) + np.kron(np.eye(2), expected), atol=2e-3
    )


def test_symmetric_transients_cancel_in_wahuha_and_antisymmetric_ones_add_up():
    symmetric, _ = toggled_sum({"leading": 1.0, "trailing": 1.0})
    antisymmetric, _ = toggled_sum({"leading": -1.0, "trailing": 1.0})
    assert np.linalg.norm(symmetric) < 1e-12
    assert np.linalg.norm(antisymmetric) > 1


def test_compiling_sees_the_errors():
    """A phase error of one channel turns the average Hamiltonian about z of its spin."""
    timeline = expand(load_sequence("dm"), PAIR)
    found = compile_timeline(with_errors(timeline, {"1H": PulseErrors(phase=0.3)}, PAIR), PAIR)
    R = expm(-0.15j * pauli("ZI"))
    expected = R @ compile_timeline(timeline, PAIR).exact_hz @ R.conj().T
    np.testing.assert_allclose(found.exact_hz, expected, atol=1e-9)
    assert found.named["DM_z"] == pytest.approx(215.13 / 8 * np.cos(0.3))
    one_channel = {"13C": PulseErrors(amplitude=0.05)}
    weaker = compile_timeline(with_errors(timeline, one_channel, PAIR), PAIR, analyse=False)
    assert abs(weaker.named["DM_z"] - 215.13 / 8) > 0.01


# ---------------------------------------------------------------------------------- the resonator
def integrated(envelope, offset_hz, total):
    """Integrate U̇ = −i[2πνI_z + ω(t)·I]U of an envelope (ω_x + iω_y)(t)."""

    def slope(t, u):
        w = envelope(t)
        H = 2 * np.pi * offset_hz * Z + w.real * X + w.imag * Y
        return (-1j * H @ u.reshape(2, 2)).ravel()

    start = np.eye(2, dtype=complex).ravel()
    found = solve_ivp(slope, (0, total), start, rtol=1e-10, atol=1e-12, max_step=total / 400)
    return found.y[:, -1].reshape(2, 2)


@pytest.mark.parametrize("ring_down", [True, False])
@pytest.mark.parametrize("tau", [0.5e-6, 3e-6])
def test_exponential_rise_and_ring_down(tau, ring_down):
    angle = 2.0
    total = T + 8 * tau if ring_down else T

    def envelope(t):
        rise = 1 - np.exp(-min(t, T) / tau)
        return angle / T * rise * np.exp(-max(t - T, 0) / tau) + 0j

    errors = PulseErrors(rise_time_s=tau, ring_down=ring_down)
    U = played(errors, pulse(angle), sample=H1)
    expected = integrated(envelope, 3000.0, total)
    assert infidelity(U, expected) < 1e-7
    segments = timeline_segments(
        with_errors(Timeline("t", (pulse(angle),), "finite"), errors, H1), H1
    )
    assert total_duration(segments) == pytest.approx(total)


def test_a_long_pulse_is_cut_finely_where_its_envelope_changes_only():
    """A lock of a thousand rise times; two channels of different lengths are cut side by side."""
    tau, length, angle = 1e-6, 1e-3, 30.0

    def envelope(t):
        on = angle / length * (1 - np.exp(-min(t, length) / tau))
        return on * np.exp(-max(t - length, 0) / tau) + 0j

    errors = PulseErrors(rise_time_s=tau)
    lock = pulse(angle, 0.0, length)
    U = played(errors, lock, sample=H1)
    assert infidelity(U, integrated(envelope, 3000.0, length + 8 * tau)) < 1e-6
    both = TimedPulse((*lock.rotations, TimedRotation(1, 1.0, 0.0, 3e-6)))
    segments = timeline_segments(with_errors(Timeline("t", (both,), "finite"), errors, PAIR), PAIR)
    assert len(segments) < 60
    theta = sum(segment.rotation for segment in segments)
    x = [np.kron(X, np.eye(2)), np.kron(np.eye(2), X)]
    np.testing.assert_allclose(theta, angle * x[0] + x[1], rtol=2e-4)


def test_two_resonators_in_series_are_one_of_second_order():
    """The second one acts on the unequal steps that the first one leaves."""
    tau, angle = 1e-6, 2.0

    def envelope(t):
        def filtered(s):
            return 1 - (1 + s / tau) * np.exp(-s / tau) if s > 0 else 0.0

        return angle / T * (filtered(t) - filtered(t - T)) + 0j

    errors = PulseErrors(rise_time_s=tau)
    once = with_errors(Timeline("t", (pulse(angle),), "finite"), errors, H1)
    twice = with_errors(once, errors, H1)
    U = unitary(timeline_segments(twice, H1), internal_hamiltonian(H1))
    assert infidelity(U, integrated(envelope, 3000.0, T + 16 * tau)) < 1e-6


def test_the_resonator_on_a_shaped_pulse_with_jumps_of_phase():
    tau, steps = 1e-6, (0.4, 0.4j, -0.3)

    def envelope(t):
        starts, w, b = [0, T / 3, 2 * T / 3, T], [*steps, 0], 0j
        for k, value in enumerate(w):
            end = starts[k + 1] if k < 3 else np.inf
            if t > starts[k]:
                target = value * 3 / T
                b = target + (b - target) * np.exp(-(min(t, end) - starts[k]) / tau)
        return b

    U = played(PulseErrors(rise_time_s=tau), pulse(1.0, steps=steps), sample=H1)
    assert infidelity(U, integrated(envelope, 3000.0, T + 8 * tau)) < 1e-7


def test_the_angle_of_a_resonator_that_rings_down_is_whole():
    """The area τe^{−8} that is cut is all that is missing; cut at the end, about τ/T is."""
    U = played(PulseErrors(rise_time_s=1e-6), pulse(np.pi))
    missing = 0.1 * np.exp(-8) * (1 - np.exp(-10))
    np.testing.assert_allclose(U, turn(np.pi * (1 - missing), X), atol=1e-10)
    cut = played(PulseErrors(rise_time_s=1e-6, ring_down=False), pulse(np.pi))
    np.testing.assert_allclose(cut, turn(np.pi * (1 - 0.1 * (1 - np.exp(-10))), X), atol=1e-10)


def test_many_lengths_at_once_equal_the_loop():
    angles = np.array([0.0, 0.5, 2.0])
    errors = PulseErrors(
        rise_time_s=1e-6, leading=0.02, trailing=0.01, imbalance=0.05, phase=0.1, amplitude=0.02
    )
    batch = played(errors, pulse(angles, 0.3, angles / (np.pi / 2) * T), sample=H1)
    for U, angle in zip(batch, angles, strict=True):
        if angle == 0:
            np.testing.assert_allclose(U, np.eye(2), atol=1e-14)
            continue
        one = played(errors, pulse(angle, 0.3, angle / (np.pi / 2) * T), sample=H1)
        assert infidelity(U, one) < 1e-8  # the shorter ones have finer steps in the batch


# --------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("errors", "pulses", "message"),
    [
        (PulseErrors(leading=0.1), "ideal", "must have no transients and no rise time with ideal"),
        ({"1H": PulseErrors(rise_time_s=1e-6)}, "ideal", "must have no transients and no rise"),
        ({"19F": PulseErrors()}, "finite", "must name nuclei of sample 'h', but names '19F'"),
    ],
)
def test_errors_that_pulses_cannot_have(errors, pulses, message):
    with pytest.raises(ArgumentError, match=message):
        played(errors, pulse(), pulses=pulses)


def test_a_shaped_pulse_has_no_more_steps_than_can_be_played():
    with pytest.raises(ArgumentError, match="`rise_time_s` must be at least 2e-09 s for a shaped"):
        played(PulseErrors(rise_time_s=1e-12), pulse(steps=(0.4, 0.6)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amplitude": -1.5}, r"`amplitude` must be -1 \(no rf\) or more, but is -1.5"),
        ({"phase": np.nan}, "`phase` must be finite, but is nan"),
        ({"rise_time_s": -1.0}, "`rise_time_s` must be ≥ 0, but is -1.0 s"),
    ],
)
def test_errors_that_make_no_sense(changes, message):
    with pytest.raises(ArgumentError, match=message):
        PulseErrors(**changes)
