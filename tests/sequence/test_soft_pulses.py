"""Soft, selective, composite and simultaneous pulses, as a file writes them and spins feel them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.special import sici

from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.errors import InputError
from nmrqb.operators import PAULI, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import Pulse, Rotation, Sequence, Shape, TimedPulse, expand, load_sequence

X, Y, Z = (PAULI[axis] / 2 for axis in "XYZ")
ONE = Sample("one", (Spin("H", "1H", pulse_90_s=10e-6),))
PAIR = Sample(
    "pair",
    (Spin("H", "1H", 300.0, pulse_90_s=10e-6), Spin("C", "13C", -200.0, pulse_90_s=25e-6)),
    (Coupling(("H", "C"), 215.0),),
)
LIKE = Sample(
    "like",
    (Spin("A", "1H", pulse_90_s=10e-6), Spin("C", "13C"), Spin("B", "1H", 3000.0)),
)


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def loaded(pulse, spins="{I: any}", head=""):
        text = f"format: nmrqb-sequence/1\nspins: {spins}\n{head}\nsequence: [{{pulse: {pulse}}}]\n"
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return load_sequence("s.yaml")

    return loaded


def soft(**rotation):
    """One pulse on the role I, its values written as text."""
    return Sequence("soft", {"I": "any"}, (Pulse({"I": Rotation(**rotation)}),))


def played(sequence, sample, **options):
    timeline = expand(sequence, sample, **options)
    return unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))


def turned(angle, phase):
    """exp[−iθ(I_x cos φ + I_y sin φ)]"""
    return expm(-1j * angle * (X * math.cos(phase) + Y * math.sin(phase)))


def about_z(angle):
    return np.diag(np.exp([-0.5j * angle, 0.5j * angle]))


def on(spin, n, U):
    """A one-spin unitary on one of n spins."""
    return np.kron(np.kron(np.eye(2**spin), U), np.eye(2 ** (n - spin - 1)))


# ------------------------------------------------------- two of angle, duration and amplitude
# share of the area of a rectangle as high as the peak, of the continuous shape
GAUSSIAN = math.sqrt(math.pi / math.log(100)) / 2 * math.erf(math.sqrt(math.log(100)))
AREAS = {
    "rectangle": 1.0,
    "gaussian": GAUSSIAN,
    "sinc": float(sici(3 * math.pi)[0]) / (3 * math.pi),
    "sine-squared": 0.5,
    "reburp": 0.49 / 6.14,  # the series at its centre: the sum with alternating signs
    "fourier": 0.6 / 1.0,  # 0.6 − 0.4 cos 2πx, 1 at its centre
}


def shape_of(kind, points):
    cosine = (0.6, -0.4) if kind == "fourier" else ()
    # an odd number of steps has one of them at the peak
    return None if kind == "rectangle" else Shape(kind, points, cosine=cosine)


def of_shape(kind, points=2001, **values):
    return soft(shape=shape_of(kind, points), degrees=False, **values)


@pytest.mark.parametrize("kind", AREAS)
def test_amplitude_is_the_peak_whichever_two_are_given(kind):
    # θ = 2π ν₁ T · area
    duration, amplitude = 2e-3, 700.0
    angle = 2 * math.pi * amplitude * duration * AREAS[kind]
    written = {"angle": f"{angle!r} rad", "duration": "2 ms", "amplitude": "700 Hz"}
    for missing in written:
        two = {"angle": None} | {key: written[key] for key in written if key != missing}
        (rotation,) = expand(of_shape(kind, **two), ONE).events[0].rotations
        assert rotation.angle == pytest.approx(angle, rel=1e-5)
        assert rotation.duration == pytest.approx(duration, rel=1e-5)
        steps = np.array(rotation.steps)
        peak = np.abs(rotation.angle * steps).max() * len(steps) / rotation.duration
        assert peak / (2 * math.pi) == pytest.approx(amplitude, rel=1e-5)


@pytest.mark.parametrize("kind", AREAS)
@given(st.floats(-720, 720), st.floats(-360, 360))
@settings(deadline=None, max_examples=15)
def test_on_resonance_a_shape_turns_by_its_angle_about_its_phase(kind, angle, phase):
    sequence = of_shape(kind, 40, angle=f"{angle} deg", phase=f"{phase} deg", duration="3 ms")
    expected = turned(math.radians(angle), math.radians(phase))
    np.testing.assert_allclose(played(sequence, ONE), expected, atol=1e-10)


def test_a_negative_angle_and_an_amplitude_make_a_positive_length():
    sequence = of_shape("gaussian", angle="-90 deg", amplitude="1 kHz")
    (rotation,) = expand(sequence, ONE).events[0].rotations
    assert rotation.duration == pytest.approx(1 / (4 * 1e3 * GAUSSIAN), rel=1e-5)
    np.testing.assert_allclose(played(sequence, ONE), turned(-math.pi / 2, 0), atol=1e-10)


def jcamp(amplitudes, phases):
    rows = [f"{a:.12E}, {p:.12E}" for a, p in zip(amplitudes, phases, strict=True)]
    return "\n".join(
        [
            "##TITLE= made", "##JCAMP-DX= 5.00", f"##NPOINTS= {len(rows)}",
            "##XYPOINTS= (XY..XY)", *rows, "##END=",
        ]
    )  # fmt: skip


def test_samples_from_a_file_and_from_lists_are_one_pulse(load, tmp_path):
    # a hyperbolic secant with its chirp, the samples taken in the middles of 64 steps
    x = (np.arange(64) + 0.5) / 64 * 2 - 1
    shape = (1 / np.cosh(4 * x)) ** (1 + 2j)
    amplitudes, phases = 100 * np.abs(shape) / np.abs(shape).max(), np.rad2deg(np.angle(shape))
    (tmp_path / "sech.shape").write_text(jcamp(amplitudes, phases % 360), encoding="utf-8")
    lists = f"x: {(3 * shape.real).tolist()}, y: {(3 * shape.imag).tolist()}"
    steps, sample = [], replace(ONE, spins=(replace(ONE.spins[0], offset_hz=800.0),))
    for held in ("file: sech.shape", lists):
        pulse = f"{{I: {{amplitude: 2 kHz, duration: 4 ms, shape: {{kind: samples, {held}}}}}}}"
        steps.append(played(load(pulse), sample))
    U = np.eye(2)
    for share in shape / np.abs(shape).max():
        field = 2e3 * (share.real * X + share.imag * Y)
        U = expm(-2j * math.pi * 4e-3 / 64 * (field + 800 * Z)) @ U
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-9)
    np.testing.assert_allclose(steps[0], U, atol=1e-8)


def test_samples_of_one_phase_turn_by_their_angle(load):
    pulse = (
        "{I: {angle: 70 deg, phase: 20 deg, duration: 1 ms,"
        " shape: {kind: samples, x: [0, 1, 4, 1], y: [0, 1, 4, 1]}}}"
    )
    # the samples stand at 45°, which adds to the phase
    expected = turned(math.radians(70), math.radians(65))
    np.testing.assert_allclose(played(load(pulse), ONE), expected, atol=1e-12)


def test_a_shape_without_area_has_no_angle(load):
    shape = "{kind: fourier, sine: [1]}"
    pulse = f"{{I: {{angle: 90 deg, duration: 1 ms, shape: {shape}}}}}"
    with pytest.raises(InputError, match=r"^s\.yaml:4:32: a shape without area has no flip angle"):
        expand(load(pulse), ONE)
    pulse = f"{{I: {{amplitude: 1 kHz, duration: 1 ms, shape: {shape}}}}}"
    np.testing.assert_allclose(played(load(pulse), ONE), np.eye(2), atol=1e-12)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{angle: 90 deg, duration: 0 s}", "the duration of a pulse must be positive"),
        ("{angle: 90 deg, amplitude: -1 Hz}", "the amplitude of a pulse must be positive"),
        ("{amplitude: 1 kHz}", "must have angle, or duration and amplitude, but has only amp"),
        ("{angle: 9 deg, amplitude: 1 Hz, duration: 1 s}", "must have two of angle, duration and"),
        ("{angle: 9 deg, shape: gaussian}", "must have a duration or an amplitude, .* `shape`"),
        ("{angle: 9 deg, offset: 1 Hz}", "must have a duration or an amplitude, .* `offset`"),
        (
            "{angle: 9 deg, duration: 1 s, offset: 401 Hz}",
            "turns the phase 401 times during the pulse, but at most 400 turns are resolved",
        ),
    ],
)
def test_faults(load, values, message):
    with pytest.raises(InputError, match=message):
        expand(load(f"{{I: {values}}}"), ONE)


# ------------------------------------------------------------------------------ off resonance
def test_gaussian_pulse_approaches_its_continuous_envelope_with_the_square_of_the_points():
    # a 90° pulse of 2 ms on spins up to a few bandwidths away
    T, tau = 2e-3, 0.01
    peak = math.pi / 2 / (T * GAUSSIAN)
    errors = []
    for offset in (150.0, 600.0):
        H = [2 * math.pi * offset * qutip.sigmaz() / 2,
             [qutip.sigmay() / 2, lambda t: peak * tau ** ((2 * t / T - 1) ** 2)]]  # fmt: skip
        options = {"rtol": 1e-11, "atol": 1e-13, "max_step": T / 100}
        state = qutip.sesolve(H, qutip.basis(2, 0), [0, T], options=options).states[-1]
        sample = replace(ONE, spins=(replace(ONE.spins[0], offset_hz=offset),))
        got = []
        for points in (25, 50, 100):
            shape = Shape("gaussian", points)
            sequence = soft(angle="90 deg", phase="y", duration="2 ms", shape=shape, degrees=False)
            got.append(np.linalg.norm(played(sequence, sample)[:, 0] - state.full()[:, 0]))
        errors.append(got)
        assert got[-1] < 1e-3
    ratios = np.divide(np.array(errors)[:, :-1], np.array(errors)[:, 1:])
    np.testing.assert_allclose(ratios, 4, rtol=0.1)


def in_frame_of(carrier, duration, U):
    """A propagator of the frame that turns at the carrier, seen from the channel's frame."""
    half = about_z(math.pi * carrier * duration)
    return half @ U @ half


@pytest.mark.parametrize(
    ("kind", "error"),
    [("rectangle", 3e-4), ("gaussian", 3e-4), ("reburp", 2e-3)],  # its peak is 12 times the mean
)
@pytest.mark.parametrize("carrier", [40.0, -900.0, 5000.0])
@pytest.mark.parametrize("away", [0.0, 130.0])
def test_an_offset_pulse_is_a_resonant_one_in_a_turning_frame(kind, error, carrier, away):
    # t = 0 of the carrier is the middle of the pulse, where its phase is the written one
    values = {"angle": "130 deg", "phase": "25 deg", "duration": "4 ms"}
    shape = None if kind == "rectangle" else Shape(kind)
    still = soft(**values, shape=shape, degrees=False)
    moving = soft(**values, shape=shape, offset=f"{carrier} Hz", degrees=False)

    def at(offset):
        return replace(ONE, spins=(replace(ONE.spins[0], offset_hz=offset),))

    expected = in_frame_of(carrier, 4e-3, played(still, at(away)))
    got = played(moving, at(carrier + away))
    np.testing.assert_allclose(got, expected, atol=error)
    assert infidelity(got, expected) < error**2


@pytest.mark.parametrize("carrier", [250.0, -3000.0])
def test_a_spin_on_the_carrier_is_inverted(carrier):
    sample = replace(ONE, spins=(replace(ONE.spins[0], offset_hz=carrier),))
    sequence = soft(angle="180 deg", duration="2 ms", offset="offset(I)", degrees=False)
    U = played(sequence, sample)
    assert abs(U[0, 0]) < 2e-4


def test_a_selective_pulse_turns_one_of_two_like_spins(load):
    # 1H: both spins feel the pulse; A is 3 kHz away from the carrier at B
    pulse = "{1H: {angle: 90 deg, phase: y, shape: gaussian, duration: 5 ms, offset: offset(B)}}"
    sequence = load(pulse, "{B: 1H}")
    timeline = expand(sequence, LIKE, roles={"B": "B"})
    assert [rotation.spin for rotation in timeline.events[0].rotations] == [0, 2]
    U = unitary(timeline_segments(timeline, LIKE), internal_hamiltonian(LIKE))
    up = np.zeros((8, 8))
    up[0, 0] = 1
    rho = U @ up @ U.conj().T
    left = [np.trace(rho @ spin_operator("z", k, 3)).real for k in range(3)]
    np.testing.assert_allclose(left, [0.5, 0.5, 0], atol=2e-3)
    # the precession of B since the middle of the pulse is all that hides its phase: z → x
    across = np.trace(rho @ (spin_operator("x", 2, 3) + 1j * spin_operator("y", 2, 3)))
    assert across == pytest.approx(0.5 * np.exp(2j * math.pi * 3000 * 2.5e-3), abs=2e-3)


# ---------------------------------------------------------------- nuclei and roles in one pulse
def test_a_nucleus_turns_all_its_spins_bound_to_roles_or_not(load):
    sequence = load("{1H: 70 y, S: 90 x}", "{I: 1H, S: 13C}")
    U = played(sequence, replace(LIKE, spins=tuple(replace(s, offset_hz=0) for s in LIKE.spins)))
    proton = turned(math.radians(70), math.pi / 2)
    expected = on(0, 3, proton) @ on(2, 3, proton) @ on(1, 3, turned(math.pi / 2, 0))
    np.testing.assert_allclose(U, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        ("{1H: 90 x, I: 90 y}", "spin `A` is turned twice in one pulse, by `1H` and `I`"),
        ("{I: 90 x, 31P: 90 y}", "sample `like` has no 31P"),
    ],
)
def test_faults_of_nuclei(load, pulse, message):
    with pytest.raises(InputError, match=message):
        expand(load(pulse), LIKE)


# ------------------------------------------------------------------------------ simultaneous
def stepped(sample, pulses, steps):
    """U of continuous-time rectangles and Gaussians centred at t = 0, by fine steps.

    ``pulses``: spin → (angle, phase, duration, envelope of t/T from −1/2 to 1/2 with mean 1).
    """
    n, H = len(sample.spins), internal_hamiltonian(sample)
    length = max(duration for _, _, duration, _ in pulses.values())
    dt, U = length / steps, np.eye(2**n, dtype=complex)
    for t in (np.arange(steps) + 0.5) * dt - length / 2:
        G = H.copy()
        for spin, (angle, phase, duration, envelope) in pulses.items():
            if abs(t) < duration / 2:
                axis = math.cos(phase) * spin_operator("x", spin, n)
                axis = axis + math.sin(phase) * spin_operator("y", spin, n)
                G = G + angle / duration * envelope(t / duration) * axis
        U = expm(-1j * G * dt) @ U
    return U


def test_pulses_of_different_shapes_and_lengths_are_centred(load):
    pulse = """{
      I: {angle: 90 deg, phase: y, duration: 3 ms, shape: {kind: gaussian, points: 400}},
      S: {angle: 180 deg, phase: 30 deg, duration: 1.2 ms,
          shape: {kind: sine-squared, points: 300}}}"""
    U = played(load(pulse, "{I: any, S: any}"), PAIR)
    pulses = {
        0: (math.pi / 2, math.pi / 2, 3e-3, lambda u: 0.01 ** (4 * u * u) / GAUSSIAN),
        1: (math.pi, math.pi / 6, 1.2e-3, lambda u: 2 * math.cos(math.pi * u) ** 2),
    }
    # steps that fit the edges of both: the rule of the midpoints is of second order
    coarse, fine = (stepped(PAIR, pulses, steps) for steps in (750, 1500))
    np.testing.assert_allclose(U, fine + (fine - coarse) / 3, atol=2e-5)


def test_a_hard_pulse_beside_a_soft_one_comes_in_its_middle(load):
    pulse = "{I: {angle: 90 deg, duration: 3 ms, shape: gaussian}, S: 180 x}"
    U = played(load(pulse, "{I: any, S: any}"), PAIR)
    half = {0: (math.pi / 4, 0.0, 1.5e-3, lambda u: 0.01 ** ((u - 0.5) ** 2) / GAUSSIAN)}
    first = stepped(PAIR, half, 600)
    half = {0: (math.pi / 4, 0.0, 1.5e-3, lambda u: 0.01 ** ((u + 0.5) ** 2) / GAUSSIAN)}
    second = stepped(PAIR, half, 600)
    np.testing.assert_allclose(U, second @ on(1, 2, turned(math.pi, 0)) @ first, atol=1e-4)


# --------------------------------------------------------------------------------- composite
COMPOSITE = {  # elements of 180° about x as published, phases in degrees
    "CORPSE": [(420, 0), (300, 180), (60, 0)],
    "short-CORPSE": [(60, 0), (300, 180), (60, 0)],
    "SCROFULOUS": [(180, 60), (180, 300), (180, 60)],
    "Knill": [(180, 30), (180, 0), (180, 90), (180, 0), (180, 30)],
}


def product(name, phase):
    U = np.eye(2)
    for angle, shift in COMPOSITE[name]:
        U = turned(math.radians(angle), math.radians(shift + phase)) @ U
    return about_z(math.radians(60)) @ U if name == "Knill" else U


@pytest.mark.parametrize("name", COMPOSITE)
def test_a_composite_pulse_on_two_spins_beside_a_plain_one(load, name):
    pulse = f"{{1H: {{angle: 180 deg, phase: 40 deg, composite: {name}}}, S: 90 y}}"
    sequence = load(pulse, "{I: 1H, S: 13C}")
    sample = replace(LIKE, spins=tuple(replace(s, offset_hz=0) for s in LIKE.spins))
    expected = on(0, 3, product(name, 40)) @ on(2, 3, product(name, 40))
    expected = expected @ on(1, 3, turned(math.pi / 2, math.pi / 2))
    assert infidelity(played(sequence, sample), expected) < 1e-24
    # without errors it is the plain rotation, Knill's frame included
    plain = turned(math.pi, math.radians(40))
    assert infidelity(product(name, 40), plain) < 1e-24


def test_an_ordinary_pulse_stands_beside_the_middle_element(load):
    pulse = "{I: {angle: 180 deg, composite: Knill}, S: 90 y}"
    events = expand(load(pulse, "{I: any, S: any}"), PAIR, pulses="finite").events
    assert [len(event.rotations) for event in events] == [1, 1, 2, 1, 1]


def test_finite_composite_pulse_evolves_during_its_elements(load):
    sequence = load("{I: {angle: 180 deg, composite: short-CORPSE}, S: 180 x}", "{I: any, S: any}")
    U, H = np.eye(4, dtype=complex), internal_hamiltonian(PAIR)
    for k, (angle, phase) in enumerate(COMPOSITE["short-CORPSE"]):
        sign, length = (-1 if phase else 1), angle / 90 * 10e-6
        field = sign * math.radians(angle) / length * spin_operator("x", 0, 2)
        if k == 1:  # 180° on 13C takes 50 us, the element on 1H 33.3 us
            alone = math.pi / 50e-6 * spin_operator("x", 1, 2)
            edge = expm(-1j * (H + alone) * (50e-6 - length) / 2)
            U = edge @ expm(-1j * (H + alone + field) * length) @ edge @ U
        else:
            U = expm(-1j * (H + field) * length) @ U
    np.testing.assert_allclose(played(sequence, PAIR, pulses="finite"), U, atol=1e-10)


def test_a_frame_of_Knill_turns_what_follows(load):
    sequence = load("{I: {angle: 180 deg, composite: Knill}}")
    twice = replace(sequence, events=sequence.events * 2 + (Pulse({"I": Rotation("90", "x")}),))
    timeline = expand(twice, ONE)
    assert timeline.frame[0] == pytest.approx(math.radians(120))
    U = unitary(timeline_segments(timeline, ONE), np.zeros((2, 2), dtype=complex))
    assert infidelity(U, turned(math.pi / 2, 0)) < 1e-24  # two inversions are the identity


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("{angle: 90 deg, composite: Knill}", "must be 180 deg or −180 deg for Knill, but is 90"),
        ("{angle: 90 deg, composite: BB2}", "composite.*'BB2'; did you mean `BB1`"),
        (
            "{angle: 90 deg, duration: 1 ms, composite: BB1}",
            "must not have `duration` beside `composite`",
        ),
    ],
)
def test_faults_of_composites(load, values, message):
    with pytest.raises(InputError, match=message):
        expand(load(f"{{I: {values}}}"), ONE)


# --------------------------------------------------------------------------------- amplitudes
def test_a_wrong_amplitude_scales_pulses_but_not_frames(load):
    head = "blocks: {turn: {sequence: [{virtual_z: {I: 50 deg}}]}}"
    pulse = "{I: {angle: 90 deg, duration: 1 ms, shape: gaussian}}"
    sequence = load(f"{pulse}}}, {{block: turn}}, {{pulse: {{I: 60 y}}", head=head)
    timeline = expand(sequence, ONE)
    assert sum(isinstance(event, TimedPulse) for event in timeline.events) == 2
    strong = [segment.scaled(1.1) for segment in timeline_segments(timeline, ONE)]
    U = unitary(strong, np.zeros((2, 2), dtype=complex))
    expected = (
        turned(math.radians(66), math.pi / 2)
        @ about_z(math.radians(50))
        @ turned(math.radians(99), 0)
    )
    assert infidelity(U, expected) < 1e-20


def test_a_wrong_amplitude_scales_the_angle_of_a_composite_to_high_order(load):
    # the error of BB1 falls with the third power: infidelity ∝ ε⁶, a plain pulse ∝ ε²
    def lost(text, error):
        timeline = expand(load(text), ONE)
        segments = [s.scaled(1 + error) for s in timeline_segments(timeline, ONE)]
        U = unitary(segments, np.zeros((2, 2), dtype=complex))
        return float(infidelity(U, turned(math.pi / 2, 0)))

    for text, order in [("{I: {angle: 90 deg, composite: BB1}}", 6), ("{I: 90 x}", 2)]:
        assert math.log2(lost(text, 0.04) / lost(text, 0.02)) == pytest.approx(order, abs=0.1)
