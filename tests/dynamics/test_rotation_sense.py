"""What the sign of γ does: our rotating frame against a simulation in the laboratory.

The laboratory knows H = −γ(B₀ + 2B₁ cos(ωt + φ) x)·I, integrated as it stands at a Larmor
frequency of 500 kHz.  It decides which way spins turn, what an offset is, which phase of the rf
makes which pulse, and how gradients and equilibrium carry the sign on.
"""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from nmrqb.dynamics import gibbs, play, play_sequence, thermal_deviation, thermal_state
from nmrqb.operators import dagger, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.nuclei import GYROMAGNETIC
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    load_sequence,
)

CARRIER = 2 * math.pi * 500e3  # ω of the rf in rad/s, far above all that happens in its frame
NUTATION = 2 * math.pi * 1e3  # |γ|B₁ in rad/s
X, Y, Z = (spin_operator(axis, 0, 1) for axis in "xyz")
NUCLEI = pytest.mark.parametrize("nucleus", ["1H", "15N", "29Si"])
RHO = np.array([[0.7, 0.2 - 0.3j], [0.2 + 0.3j, -0.7]])


def gamma(nucleus):
    return GYROMAGNETIC[nucleus] * 1e7  # rad/(s T)


def field(nucleus, offset_hz):
    """The B₀ at which the signed Larmor frequency −γB₀ is 2πν from the signed carrier."""
    return -(reference(nucleus) + 2 * math.pi * offset_hz) / gamma(nucleus)


def reference(nucleus):
    """The signed frequency of the frame: the sense in which the nucleus turns in its field."""
    return -math.copysign(CARRIER, gamma(nucleus))


def laboratory(nucleus, B0, B1, phase, begin, end):
    """U(end, begin) of −γ[B₀I_z + 2B₁ cos(ωt + φ) I_x], nothing left out."""

    def slope(t, flat):
        B = B0 * Z + 2 * B1 * math.cos(CARRIER * t + phase) * X
        return (1j * gamma(nucleus) * B @ flat.reshape(2, 2)).ravel()

    start = np.eye(2, dtype=complex).ravel()
    done = solve_ivp(slope, (begin, end), start, method="DOP853", rtol=1e-9, atol=1e-10)
    return done.y[:, -1].reshape(2, 2)


def in_the_frame(nucleus, rho, t):
    """ρ as seen from axes that turn about z at the signed carrier."""
    turn = expm(1j * reference(nucleus) * t * Z)
    return turn @ rho @ dagger(turn)


def rf_phase(nucleus, phase):
    """Phase of the rf in the laboratory that makes a pulse of a phase in the rotating frame."""
    return math.pi - phase if gamma(nucleus) > 0 else phase


def line(*events):
    return Timeline("made", tuple(events))


def pulse(angle, phase, duration=0.0, spin=0):
    return TimedPulse((TimedRotation(spin, angle, phase, duration),))


# -------------------------------------------------------------------------------- one spin, no rf
def test_the_laboratory_obeys_the_law_of_torque():
    # dI/dt = γ I × B of a classical moment, rf included
    for nucleus in ("1H", "15N"):
        g, B0, T = gamma(nucleus), field(nucleus, 0.0), 3e-6
        B1 = 200 * NUTATION / abs(g)

        def torque(t, spin, g=g, B0=B0, B1=B1):
            return g * np.cross(spin, [2 * B1 * math.cos(CARRIER * t + 0.4), 0, B0])

        moment = solve_ivp(torque, (0, T), [0.6, 0.0, 0.8], rtol=1e-10, atol=1e-12).y[:, -1]
        U = laboratory(nucleus, B0, B1, 0.4, 0.0, T)
        rho = U @ (0.6 * X + 0.8 * Z) @ dagger(U)
        found = [2 * np.trace(rho @ axis).real for axis in (X, Y, Z)]
        np.testing.assert_allclose(found, moment, atol=1e-6)


@pytest.mark.parametrize(("nucleus", "after"), [("1H", -Y), ("13C", -Y), ("15N", Y), ("29Si", Y)])
def test_a_quarter_turn_of_free_precession(nucleus, after):
    # clockwise about the field where γ > 0, counterclockwise where γ < 0
    U = laboratory(nucleus, field(nucleus, 0.0), 0.0, 0.0, 0.0, math.pi / 2 / CARRIER)
    np.testing.assert_allclose(U @ X @ dagger(U), after, atol=1e-7)


@NUCLEI
@pytest.mark.parametrize("offset", [230.0, -410.0])
def test_an_offset_is_the_signed_larmor_frequency_from_the_signed_carrier(nucleus, offset):
    times = (20e-6, 90e-6)
    sample = Sample("one", (Spin("s", nucleus, offset),))
    events = [TimedDelay(times[0]), TimedAcquisition({0: 0.0}),
              TimedDelay(times[1] - times[0]), TimedAcquisition({0: 0.0})]  # fmt: skip
    played = play(line(*events), sample, RHO)
    for t, signal in zip(times, played.signals, strict=True):
        U = laboratory(nucleus, field(nucleus, offset), 0.0, 0.0, 0.0, t)
        seen = in_the_frame(nucleus, U @ RHO @ dagger(U), t)
        assert 2 * np.trace(seen @ (X + 1j * Y)) == pytest.approx(complex(signal["s"]), abs=1e-6)
    np.testing.assert_allclose(played.state, seen, atol=1e-6)


@pytest.mark.parametrize(("nucleus", "sense"), [("1H", -1), ("15N", 1), ("29Si", 1)])
def test_a_positive_offset_is_a_weaker_field_where_gamma_is_positive(nucleus, sense):
    larmor = [abs(gamma(nucleus)) * field(nucleus, offset) for offset in (0.0, 100.0)]
    assert (larmor[1] - larmor[0]) / (2 * math.pi) == pytest.approx(sense * 100, rel=1e-6)


# ------------------------------------------------------------------------------------------ pulses
@NUCLEI
@pytest.mark.parametrize("phase", [0.0, 0.5, math.pi / 2, 4.0])
def test_pulses_turn_by_plus_theta_for_both_signs(nucleus, phase):
    theta, offset = 1.3, 90.0
    T = theta / NUTATION
    sample = Sample("one", (Spin("s", nucleus, offset),))
    played = play(line(pulse(theta, phase, T)), sample, RHO).state
    B = field(nucleus, offset), NUTATION / abs(gamma(nucleus))
    U = laboratory(nucleus, *B, rf_phase(nucleus, phase), 0.0, T)
    seen = in_the_frame(nucleus, U @ RHO @ dagger(U), T)
    np.testing.assert_allclose(played, seen, atol=4e-3)  # of counter-rotation: B₁/B₀ = 1/500


@NUCLEI
def test_the_rule_of_the_other_sign_makes_another_pulse(nucleus):
    theta, phase = math.pi / 2, 0.5
    T = theta / NUTATION
    sample = Sample("one", (Spin("s", nucleus),))
    played = play(line(pulse(theta, phase, T)), sample, Z).state
    wrong = phase if gamma(nucleus) > 0 else math.pi - phase
    B = field(nucleus, 0.0), NUTATION / abs(gamma(nucleus))
    U = laboratory(nucleus, *B, wrong, 0.0, T)
    assert np.abs(in_the_frame(nucleus, U @ Z @ dagger(U), T) - played).max() > 0.5


@pytest.mark.parametrize("nucleus", ["1H", "15N"])
def test_phases_of_later_pulses_follow_the_same_rule(nucleus):
    # rf of one clock: two pulses of different phases, free precession between them
    offset, first, second, T, gap = -600.0, 0.3, 2.1, 0.2e-3, 0.15e-3
    sample = Sample("one", (Spin("s", nucleus, offset),))
    theta = NUTATION * T
    events = pulse(theta, first, T), TimedDelay(gap), pulse(theta, second, T)
    B0, B1 = field(nucleus, offset), NUTATION / abs(gamma(nucleus))
    steps = [
        (B1, rf_phase(nucleus, first), 0.0, T),
        (0.0, 0.0, T, T + gap),
        (B1, rf_phase(nucleus, second), T + gap, 2 * T + gap),
    ]
    rho = RHO
    for step in steps:
        U = laboratory(nucleus, B0, *step)
        rho = U @ rho @ dagger(U)
    seen = in_the_frame(nucleus, rho, 2 * T + gap)
    np.testing.assert_allclose(play(line(*events), sample, RHO).state, seen, atol=8e-3)


# ------------------------------------------------------------------------------------- equilibrium
@pytest.mark.parametrize(("nucleus", "sign"), [("1H", 1), ("13C", 1), ("15N", -1), ("29Si", -1)])
def test_spins_of_negative_gamma_point_against_the_field(nucleus, sign):
    sample = Sample("one", (Spin("s", nucleus),), field_tesla=9.4)
    h, k_B = 6.62607015e-34, 1.380649e-23
    H0 = -gamma(nucleus) * 9.4 / (2 * math.pi) * Z  # Hz, as in the laboratory
    full = thermal_state(sample, 5e-3)
    np.testing.assert_allclose(full, gibbs(H0, k_B * 5e-3 / h), atol=1e-9)
    for state in (full, thermal_deviation(sample)):
        polarization = np.trace(state @ Z).real
        assert np.sign(polarization) == sign
        assert gamma(nucleus) * polarization > 0  # the moment is along the field


# --------------------------------------------------------------------------------------- gradients
def pair(nucleus, J=0.0):
    return Sample("pair", (Spin("I", "1H"), Spin("S", nucleus)), (Coupling(("I", "S"), J),))


def gradient(turns):
    """A gradient that turns 1H so often over the sample, H = 2π ν z I_z with ν > 0."""
    return TimedGradient(1e-3, turns / 1e-3)


def in_a_graded_field(nucleus, steps, rho, slices=4000):
    """Average over the sample of exp(iγGzT I_z) of both spins and of rotations in between."""
    z = (np.arange(slices) + 0.5) / slices - 0.5
    Iz, Sz = (np.diag(spin_operator("z", k, 2)).real for k in (0, 1))
    state = np.broadcast_to(rho, (slices, 4, 4))
    for step in steps:
        if isinstance(step, float):  # turns of 1H: γ(1H)GzT = −2π turns z
            phases = gamma("1H") * Iz + gamma(nucleus) * Sz
            phases = phases * (-2 * math.pi * step / gamma("1H")) * z[:, None]
            state = np.exp(1j * (phases[:, :, None] - phases[:, None, :])) * state
        else:
            state = step @ state @ dagger(step)
    return state.mean(axis=0)


@pytest.mark.parametrize("nucleus", ["13C", "15N", "29Si"])
def test_gradients_turn_spins_by_their_signed_ratios(nucleus):
    rng = np.random.default_rng(5)
    A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    rho = A + dagger(A)
    turns = (1.3, 0.7, -0.9)
    angles = [(1.1, 0.3, 0), (2.0, 1.2, 1), (math.pi, 0.4, 1), (0.8, -1.0, 0)]
    U = [
        expm(-1j * a * sum(f(p) * spin_operator(q, k, 2) for f, q in zip((math.cos, math.sin),
             "xy", strict=True)))
        for a, p, k in angles
    ]  # fmt: skip
    turned = [pulse(a, p, spin=k) for a, p, k in angles]
    events = [gradient(turns[0]), *turned[:2], gradient(turns[1]), *turned[2:], gradient(turns[2])]
    steps = [turns[0], *U[:2], turns[1], *U[2:], turns[2]]
    # the slices of play are as fine as one eighth of a turn
    found = play(line(*events), pair(nucleus), rho).state
    np.testing.assert_allclose(found, in_a_graded_field(nucleus, steps, rho), atol=0.05)
    mirrored = {"13C": "15N", "15N": "13C", "29Si": "13C"}[nucleus]
    assert np.abs(found - in_a_graded_field(mirrored, steps, rho)).max() > 0.3


@pytest.mark.parametrize("nucleus", ["13C", "15N", "29Si"])
def test_double_quantum_coherence_dephases_with_the_sum_of_signed_ratios(nucleus):
    # I⁺S⁺ → I⁺S⁻ by 180° on S: γI + γS before, γI − γS after
    Ix, Iy = spin_operator("x", 0, 2), spin_operator("y", 0, 2)
    Sx, Sy = spin_operator("x", 1, 2), spin_operator("y", 1, 2)
    double, zero = Ix @ Sx - Iy @ Sy, Ix @ Sx + Iy @ Sy
    ratio = gamma(nucleus) / gamma("1H")
    last = -30 * (1 + ratio) / (1 - ratio)
    for sign, expected in ((1, 1.0), (-1, 0.0)):
        events = [gradient(30.0), pulse(math.pi, 0.0, spin=1), gradient(sign * last)]
        state = play(line(*events), pair(nucleus), double).state
        assert np.trace(state @ zero).real / 0.5 == pytest.approx(expected, abs=0.03)
    # less is needed where γ < 0: double quanta of unlike signs dephase slowly
    assert (abs(last) < 30) == (ratio < 0)


@pytest.mark.parametrize(("nucleus", "ratio"), [("13C", 3.976), ("15N", -9.862), ("29Si", -5.030)])
def test_gradients_select_the_coherence_transfer_in_the_signed_ratio(nucleus, ratio):
    # two scans pass on both components, 2IzSx by 90 −y and 2IzSy by 90 x on S, to 2IxSz each
    before = 2 * spin_operator("z", 0, 2) @ spin_operator("x", 1, 2)
    seen = 2 * (spin_operator("x", 0, 2) + 1j * spin_operator("y", 0, 2)) @ spin_operator("z", 1, 2)
    first = 60.0

    def observed(second, phase):
        turned = pulse(math.pi / 2, phase, spin=1), pulse(math.pi / 2, math.pi / 2)
        events = [gradient(first), *turned, gradient(second)]
        return np.trace(play(line(*events), pair(nucleus), before).state @ seen)

    for sign in (1, -1):  # g1 : g2 = ±γI : γS select S⁺ → I⁻ and S⁻ → I⁻
        scans = [observed(sign * first / ratio, phase) for phase in (-math.pi / 2, 0.0)]
        kept, lost = scans[0] - sign * 1j * scans[1], scans[0] + sign * 1j * scans[1]
        assert kept == pytest.approx(1, abs=0.03)
        assert lost == pytest.approx(0, abs=0.03)


# ------------------------------------------------------------------------------------------- INEPT
def hard(nucleus, spin, angle, phase, t):
    """A hard pulse at time t in the laboratory: the axis of the frame has turned with it."""
    axis = phase + reference(nucleus) * t
    x, y = spin_operator("x", spin, 2), spin_operator("y", spin, 2)
    return expm(-1j * angle * (math.cos(axis) * x + math.sin(axis) * y))


def inept_in_the_laboratory(nucleus, J, tau, offsets, rho):
    """90x(I) – τ – 180y(I,S) – τ – 90y(I) 90x(S) with −γB₀ of both spins, seen in both frames."""
    Iz, Sz = spin_operator("z", 0, 2), spin_operator("z", 1, 2)
    frames = reference("1H") * Iz + reference(nucleus) * Sz
    H = frames + 2 * math.pi * (offsets[0] * Iz + offsets[1] * Sz + J * Iz @ Sz)
    free = expm(-1j * H * tau)
    U = hard("1H", 0, math.pi / 2, 0.0, 0.0)
    both = [(n, k, math.pi, math.pi / 2, tau) for k, n in enumerate(("1H", nucleus))]
    last = [("1H", 0, math.pi / 2, math.pi / 2, 2 * tau), (nucleus, 1, math.pi / 2, 0.0, 2 * tau)]
    for pulses in (both, last):
        U = free @ U
        for one in pulses:
            U = hard(*one) @ U
    U = expm(2j * frames * tau) @ U
    return U @ rho @ dagger(U)


@pytest.mark.parametrize(
    ("nucleus", "J", "gain"), [("13C", 145.0, 3.976), ("15N", -92.0, -9.862), ("29Si", 7.0, -5.030)]
)
def test_inept_carries_the_signs_of_gamma_and_of_j(nucleus, J, gain):
    offsets = (40.0, -25.0)
    spins = Spin("I", "1H", offsets[0]), Spin("S", nucleus, offsets[1])
    sample = Sample("pair", spins, (Coupling(("I", "S"), J),))
    tau = 1 / (4 * abs(J))
    found = play_sequence(
        load_sequence("inept"), sample, roles={"I": "I", "S": "S"}, parameters={"t": f"{tau!r} s"}
    ).state
    start = thermal_deviation(sample)
    np.testing.assert_allclose(
        found, inept_in_the_laboratory(nucleus, J, tau, offsets, start), atol=1e-7
    )
    Sy = spin_operator("y", 1, 2)
    antiphase = 2 * spin_operator("z", 0, 2) @ Sy
    transferred = np.trace(found @ antiphase).real
    in_phase = np.trace(found @ Sy).real
    # 1H gives +2IzSy for J > 0 and −2IzSy for J < 0; S itself, turned by 180° y and 90° x, γS Sy
    assert transferred == pytest.approx(math.copysign(1, J), abs=1e-9)
    assert in_phase == pytest.approx(1 / gain, rel=1e-3)
    assert transferred / in_phase == pytest.approx(math.copysign(1, J) * gain, rel=1e-3)
