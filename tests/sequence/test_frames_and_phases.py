"""Virtual z rotations, receivers, and phase cycles."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import infidelity, play, timeline_segments, unitary
from nmrqb.errors import ArgumentError, InputError
from nmrqb.operators import dagger, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    Acquisition,
    Delay,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedAcquisition,
    TimedPulse,
    VirtualZ,
    expand,
    load_sequence,
)

PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 310.0, T1_s=0.5, T2_s=0.02, pulse_90_s=50e-6),
        Spin("C", "13C", -170.0, T1_s=0.9, T2_s=0.03, pulse_90_s=80e-6),
    ),
    (Coupling(("H", "C"), 215.0),),
)
THREE = Sample("three", (Spin("A", "1H"), Spin("C", "13C"), Spin("B", "1H")))
H = internal_hamiltonian(PAIR)
ROLES = {"I": 0, "S": 1}


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def loaded(events, spins="{I: any}", head="", name="s.yaml"):
        text = f"format: nmrqb-sequence/1\nspins: {spins}\n{head}\nsequence: [{events}]\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_sequence(name)

    return loaded


def made(*events):
    return Sequence("made", {"I": "any", "S": "any"}, tuple(events))


def phases(timeline, spin=0):
    """Phases in degrees of the pulses on a spin."""
    pulses = (event for event in timeline.events if isinstance(event, TimedPulse))
    rotations = (r for pulse in pulses for r in pulse.rotations if r.spin == spin)
    return [round(math.degrees(r.phase), 9) % 360 for r in rotations]


# ------------------------------------------------------------------------- virtual z rotations
angles = st.floats(-400, 400)
spins = st.sampled_from(["I", "S"])
shaped = st.tuples(st.just("soft"), spins, angles, angles)
events = st.lists(
    st.one_of(
        st.tuples(st.just("pulse"), spins, angles, angles),
        shaped,
        st.tuples(st.just("delay"), st.floats(0, 5)),
        st.tuples(st.just("z"), spins, angles),
        st.tuples(st.just("both"), angles, angles),
    ),
    max_size=9,
)


def written(event):
    match event:
        case ("pulse", role, angle, phase):
            values = {"angle": f"{angle!r} deg", "phase": f"{phase!r} deg"}
            return Pulse({role: Rotation(**values, degrees=False)})
        case ("soft", role, angle, phase):
            values = {"angle": f"{angle!r} deg", "phase": f"{phase!r} deg", "duration": "1 ms"}
            return Pulse({role: Rotation(**values, degrees=False)})
        case ("delay", time):
            return Delay(f"{time!r} ms")
        case ("z", role, angle):
            return VirtualZ({role: f"{angle!r} deg"})
        case ("both", first, second):
            return VirtualZ({"I": f"{first!r} deg", "S": f"{second!r} deg"})


def meant(event, pulses):
    """The propagator of an event with rotations about z that are played."""
    match event:
        case ("delay", time):
            return expm(-1j * H * time * 1e-3)
        case ("z", role, angle):
            return expm(-1j * math.radians(angle) * spin_operator("z", ROLES[role], 2))
        case ("both", first, second):
            return meant(("z", "I", first), pulses) @ meant(("z", "S", second), pulses)
        case (kind, role, angle, phase):
            k, length = ROLES[role], 1e-3 if kind == "soft" else 0.0
            if kind == "pulse" and pulses == "finite":
                length = abs(angle) / 90 * PAIR.spins[k].pulse_90_s
            phase = math.radians(phase)
            axis = math.cos(phase) * spin_operator("x", k, 2)
            axis = axis + math.sin(phase) * spin_operator("y", k, 2)
            return expm(-1j * (math.radians(angle) * axis + H * length))


def product(drawn, pulses):
    U = np.eye(4, dtype=complex)
    for event in drawn:
        U = meant(event, pulses) @ U
    return U


USED = VirtualZ({"I": "0 deg", "S": "0 deg"})


@given(events, st.sampled_from(["ideal", "finite"]))
@settings(deadline=None, max_examples=60)
def test_virtual_z_anywhere_is_a_rotation_about_z(drawn, pulses):
    sequence = made(USED, *map(written, drawn))
    U = unitary(timeline_segments(expand(sequence, PAIR, pulses=pulses), PAIR), H)
    assert infidelity(U, product(drawn, pulses)) < 1e-18


@given(events, st.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_frames_are_carried_through_repeats(drawn, times):
    sequence = made(USED, Repeat(str(times), tuple(map(written, drawn))))
    U = unitary(timeline_segments(expand(sequence, PAIR), PAIR), H)
    expected = np.linalg.matrix_power(product(drawn, "ideal"), times)
    assert infidelity(U, expected) < 1e-18


@given(events, events, angles)
@settings(deadline=None, max_examples=30)
def test_receivers_are_shifted(before, after, phase):
    # the signal of the state that is meant, seen by a receiver of the written phase
    receiver = Acquisition({"I": f"{phase!r} deg", "S": "y"})
    sequence = made(*map(written, before), receiver, *map(written, after), receiver)
    rho = spin_operator("z", 0, 2) + 0.3 * spin_operator("x", 1, 2)
    played = play(expand(sequence, PAIR), PAIR, rho)
    U = product(before, "ideal")
    for signal in played.signals:
        state = U @ rho @ dagger(U)
        for k, receives in ((0, math.radians(phase)), (1, math.pi / 2)):
            coil = 2 * (spin_operator("x", k, 2) + 1j * spin_operator("y", k, 2))
            seen = np.trace(state @ coil) * np.exp(-1j * receives)
            assert signal[PAIR.labels[k]] == pytest.approx(seen, abs=1e-9)
        U = product(after, "ideal") @ U
    U = product([*before, *after], "ideal")
    np.testing.assert_allclose(played.state, U @ rho @ dagger(U), atol=1e-9)


@given(events)
@settings(deadline=None, max_examples=8)
def test_frames_go_through_relaxation_and_crushers(drawn):
    # both are the same for spins turned about z: with the rotation played the same state is left
    tail = [("z", "I", 77.0), ("pulse", "I", 60.0, 20.0)]
    crush = Gradient(duration="1 ms")
    turn = 77.0
    virtual = made(
        USED,
        *map(written, drawn),
        VirtualZ({"I": f"{turn} deg"}),
        crush,
        Delay("3 ms"),
        written(tail[1]),
    )
    rho = spin_operator("z", 0, 2) + spin_operator("x", 1, 2)
    got = play(expand(virtual, PAIR), PAIR, rho, relaxation=True).state
    first = play(expand(made(USED, *map(written, drawn)), PAIR), PAIR, rho, relaxation=True).state
    R = meant(tail[0], "ideal")
    second = play(
        expand(made(USED, crush, Delay("3 ms"), written(tail[1])), PAIR),
        PAIR,
        R @ first @ dagger(R),
        relaxation=True,
    ).state
    np.testing.assert_allclose(got, second, atol=1e-9)


def test_the_closing_frame_is_what_is_left(load):
    events = "{virtual_z: {I: 100 deg}}, {pulse: {I: 90 x}}, {virtual_z: {I: 300 deg}}"
    timeline = expand(load(events), PAIR)
    assert timeline.frame == {0: pytest.approx(math.radians(40))}
    assert phases(timeline) == [260]
    events = "{virtual_z: {I: 100 deg}}, {pulse: {I: 90 x}}, {virtual_z: {I: -100 deg}}"
    assert not expand(load(events), PAIR).frame


def test_frames_of_blocks_and_includes_go_on_outside(load):
    load("{virtual_z: {I: 30 deg}}", name="turn.yaml")
    head = "blocks: {turn: {sequence: [{virtual_z: {I: 15 deg}}]}}"
    events = "{block: turn}, {pulse: {I: 90 x}}, {include: turn.yaml}, {pulse: {I: 90 x}}"
    assert phases(expand(load(events, head=head), PAIR)) == [345, 315]


def test_a_nucleus_turns_all_its_frames(load):
    events = "{virtual_z: {1H: 90 deg}}, {pulse: {H: 90 x}}, {acquire: {1H: x}}"
    timeline = expand(load(events, "{H: all}"), THREE)
    assert [phases(timeline, k) for k in range(3)] == [[270], [0], [270]]
    assert timeline.events[-1] == TimedAcquisition({0: -math.pi / 2, 2: -math.pi / 2})
    assert timeline.frame == {0: pytest.approx(math.pi / 2), 2: pytest.approx(math.pi / 2)}


@pytest.mark.parametrize("kind", ["virtual_z: {I: 90 deg, 1H: 90 deg}", "acquire: {I: x, 1H: y}"])
def test_a_spin_stands_once_in_a_frame_or_a_receiver(load, kind):
    with pytest.raises(InputError, match="spin `A` stands here twice; name it once"):
        expand(load(f"{{{kind}}}"), THREE)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{virtual_z: {}}", "must name at least one spin"),
        ("{virtual_z: {I: 90}}", "`90` has no unit; write for example '90 deg'"),
        ("{virtual_z: {Q: 90 deg}}", "there is no role `Q`; Valid: I"),
        ("{acquire: {I: q}}", "phase must be x, y, -x, -y or an angle such as 45 deg, but is `q`"),
        ("{acquire: {31P: x}}", "sample `three` has no 31P; Valid"),
    ],
)
def test_faults(load, event, message):
    with pytest.raises(InputError, match=message):
        expand(load(event), THREE)


# ------------------------------------------------------------------------------- phase cycles
CYCLE = "phase_cycle: {ph1: [x, y, -x, -y], ph2: [0 deg, 120 deg, 240 deg], ph31: [x, -x]}"
CYCLED = "{pulse: {I: 90 ph1}}, {pulse: {I: {angle: 90 deg, phase: ph2}}}, {acquire: {I: ph31}}"


def test_scan_s_plays_entry_s_of_every_list(load):
    sequence = load(CYCLED, head=CYCLE)
    assert sequence.scans == 12
    for scan in [*range(12), 12, 25]:
        timeline = expand(sequence, PAIR, scan=scan)
        assert phases(timeline) == [scan % 4 * 90, scan % 3 * 120]
        received = timeline.events[-1].phases[0]
        assert received == pytest.approx(scan % 2 * math.pi)
    assert expand(sequence, PAIR, scan=13) == expand(sequence, PAIR, scan=1)


@given(st.lists(st.integers(1, 9), max_size=4))
@settings(deadline=None, max_examples=30)
def test_scans_are_the_least_number_after_which_all_lists_come_round(lengths):
    cycle = {f"ph{k}": ("x",) * length for k, length in enumerate(lengths)}
    scans = Sequence("made", {}, (), phase_cycle=cycle).scans
    assert all(scans % length == 0 for length in lengths)
    assert not any(
        all(fewer % length == 0 for length in lengths) for fewer in range(1, min(scans, 3000))
    )


def test_no_phase_cycle_is_one_scan(load):
    assert load("{pulse: {I: 90 x}}").scans == 1


def test_included_sequences_cycle_their_own_phases(load):
    load("{pulse: {I: 90 ph1}}", head="phase_cycle: {ph1: [x, y, -x]}", name="inner.yaml")
    head = "phase_cycle: {ph1: [x, -x]}\nblocks: {b: {sequence: [{include: inner.yaml}]}}"
    nested = "{repeat: {times: 1, sequence: [{include: inner.yaml}]}}"
    for inside in ("{include: inner.yaml}", nested, "{block: b}"):
        sequence = load(f"{{pulse: {{I: 90 ph1}}}}, {inside}", head=head)
        assert sequence.scans == 6
        for scan in range(6):
            assert phases(expand(sequence, PAIR, scan=scan)) == [scan % 2 * 180, scan % 3 * 90]


def test_phases_of_a_cycle_may_be_expressions(load):
    sequence = load(
        "{pulse: {I: 90 ph1}}", head="parameters: {a: 20 deg}\nphase_cycle: {ph1: [a, 2*a + 5 deg]}"
    )
    assert [phases(expand(sequence, PAIR, scan=s)) for s in (0, 1)] == [[20], [45]]
    assert phases(expand(sequence, PAIR, scan=1, parameters={"a": "30 deg"})) == [65]


@pytest.mark.parametrize(
    ("events", "head", "message"),
    [
        ("{pulse: {I: 90 ph2}}", "phase_cycle: {ph1: [x]}", "phase must be .*ph1 or degrees, but"),
        ("{pulse: {I: 90 ph1}}", "phase_cycle: {ph1: []}", r"`ph1` must be a list .* is \[\]"),
        ("{pulse: {I: 90 ph1}}", "phase_cycle: {ph1: [z]}", "but is `z`"),
        ("{pulse: {I: 90 x}}", "phase_cycle: {x: [x]}", "must not be called x"),
        ("{pulse: {I: 90 p}}", "parameters: {p: 1}\nphase_cycle: {p: [x]}", "is a parameter too"),
    ],
)
def test_faults_of_cycles(load, events, head, message):
    with pytest.raises(InputError, match=message):
        expand(load(events, head=head), PAIR)


def test_scans_count_from_zero(load):
    with pytest.raises(ArgumentError, match="`scan` must be ≥ 0, but is -1"):
        expand(load(CYCLED, head=CYCLE), PAIR, scan=-1)


def summed(sequence, sample, rho):
    """The mean of the signals of all scans, by label of the spin."""
    scans = [
        play(expand(sequence, sample, scan=s), sample, rho).signals[-1]
        for s in range(sequence.scans)
    ]
    return {label: np.mean([scan[label] for scan in scans]) for label in scans[0]}


def test_a_double_quantum_filter_keeps_what_passes_through_double_quantum(load):
    # the last pulse takes −2 and 2 to −1, by +1 and −3, which a receiver at −φ follows
    head = "phase_cycle: {ph1: [x, y, -x, -y], ph31: [x, -y, -x, y]}"
    events = "{pulse: {I: 90 ph1, S: 90 ph1}}, {delay: 1/(4*J)}, {acquire: {I: ph31}}"
    sequence = load(events, "{I: any, S: any}", head)
    still = Sample("still", (Spin("A", "1H"), Spin("B", "13C")), (Coupling(("A", "B"), 200.0),))
    Ix, Iy, Iz = (spin_operator(axis, 0, 2) for axis in "xyz")
    Sx, Sy, Sz = (spin_operator(axis, 1, 2) for axis in "xyz")
    for rho in (Iz, Ix, Ix @ Sz + Iy, Ix @ Sx + Iy @ Sy, Ix @ Sy - Iy @ Sx, Iz @ Sz):
        assert abs(summed(sequence, still, rho)["A"]) < 1e-12
    first = play(expand(sequence, still), still, Iz).signals[0]["A"]
    assert first == pytest.approx(-2j * math.sqrt(0.5))  # one scan sees it: −Iy cos 45°
    # IxSy + IySx → IxSz + IzSx by 90° x, of which Iy/2 · sin 45° is seen after 1/(4J)
    assert summed(sequence, still, Ix @ Sy + Iy @ Sx)["A"] == pytest.approx(1j * math.sqrt(0.5))


def test_a_cogwheel_cycle_of_an_echo_keeps_the_echo(load):
    # phases in steps of 360°/N with winding 1 for the 180° pulse and 2 for the receiver pass what
    # changes its order by Δp = −2 only (Levitt, Madhu and Hughes, J. Magn. Reson. 155, 300 (2002))
    N = 6
    pulse = ", ".join(f"{360 * s // N} deg" for s in range(N))
    receiver = ", ".join(f"{720 * s // N} deg" for s in range(N))
    head = f"phase_cycle: {{ph1: [{pulse}], ph31: [{receiver}]}}"
    for flip in (180, 140):
        sequence = load(
            f"{{pulse: {{I: 90 y}}}}, {{delay: 1 ms}}, {{pulse: {{I: {flip} ph1}}}}, "
            "{delay: 1 ms}, {acquire: {I: ph31}}",
            head=head,
        )
        assert sequence.scans == N
        one = Sample("one", (Spin("H", "1H", 437.0),))
        rho = spin_operator("z", 0, 1)
        # of Ix the part sin²(θ/2) is refocused along x; the rest is there without the cycle
        seen = summed(sequence, one, rho)["H"]
        assert seen == pytest.approx(math.sin(math.radians(flip) / 2) ** 2, abs=1e-12)
        first = play(expand(sequence, one), one, rho).signals[0]["H"]
        assert (abs(first - seen) > 0.05) == (flip == 140)


def test_exorcycle_cancels_what_an_imperfect_inversion_makes_of_z(load):
    # magnetisation along z that the 180° pulse tips over is a false signal; x and −x cancel it
    head = "phase_cycle: {ph1: [x, y, -x, -y], ph31: [x, -x]}"
    sequence = load("{pulse: {I: 150 ph1}}, {delay: 1 ms}, {acquire: {I: ph31}}", head=head)
    one = Sample("one", (Spin("H", "1H", 437.0),))
    assert abs(play(expand(sequence, one), one, spin_operator("z", 0, 1)).signals[0]["H"]) > 0.4
    assert abs(summed(sequence, one, spin_operator("z", 0, 1))["H"]) < 1e-12
    # an echo keeps its whole sign under the same cycle: p = +1 → −1
    across = summed(sequence, one, spin_operator("x", 0, 1))["H"]
    expected = math.sin(math.radians(75)) ** 2 * np.exp(2j * math.pi * 0.437)
    assert across == pytest.approx(expected, abs=1e-12)
