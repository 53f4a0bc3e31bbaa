"""TopSpin programs: played by an independent reader, checked, and equal to the golden files."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from topspin_playing import final_state, offset_sample
from topspin_reader import Reader, console_values, pulse_propagator

import nmrqb as nq
from nmrqb.design.grape import PulseLimits, StopRules, design_pulse
from nmrqb.dynamics import play, thermal_deviation, timeline_segments, unitary
from nmrqb.errors import ArgumentError, NmrqbError
from nmrqb.files import library
from nmrqb.operators import dagger, from_named
from nmrqb.report import export_sequence, write_export
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    Delay,
    Pulse,
    Rotation,
    Sequence,
    Shape,
    TimedGradient,
    expand,
    load_sequence,
)
from nmrqb.sequence.shapes import read_shape, shape_samples
from nmrqb.spectrometer.topspin import (
    Hardware,
    check_program,
    integral_factor,
    make_plan,
    rounded,
)
from nmrqb.spectrometer.topspin.loops import Loop, folded
from nmrqb.spectrometer.topspin.program import plain

SAMPLE = nq.load_sample("chloroform")
GOLDEN = Path(__file__).parent / "golden"


def exportable():
    """Return the shipped sequences that a heteronuclear pair can play, and why not the others."""
    names, refused = [], {}
    for name in library("sequence"):
        try:
            export_sequence(load_sequence(name), offset_sample())
        except NmrqbError as error:
            refused[name] = str(error)
        else:
            names.append(name)
    return names, refused


NAMES, REFUSED = exportable()


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_that_knows_nothing_of_the_writer_plays_the_rounded_sequence(name):
    sample, sequence = offset_sample(), load_sequence(name)
    export = export_sequence(sequence, sample)
    gradients = False
    for scan in range(sequence.scans):
        exact = rounded(expand(sequence, sample, pulses="finite", scan=scan), sample, Hardware())
        gradients = any(
            isinstance(e, TimedGradient) and e.strength_hz is not None for e in exact.events
        )
        if gradients:
            break
        rho, _ = final_state(export, sequence, sample, scan)
        turn = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) / 2
        angles = turn @ [float(np.asarray(exact.frame.get(k, 0.0))) for k in (0, 1)]
        rho = rho * np.exp(-1j * (angles[:, None] - angles[None, :]))
        np.testing.assert_allclose(
            rho, play(exact, sample, thermal_deviation(sample)).state, atol=1e-9
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_export_passes_the_checker_costs_little_and_has_short_numbers(name):
    export = export_sequence(load_sequence(name), SAMPLE)
    assert check_program(export.program.text, console_values(export.program)) == []
    assert export.rounding_loss < 1e-5
    said = re.findall(r'^"(?:PULSE|DEL)\d+=(.*)"$', export.program.text, re.MULTILINE)
    assert not [relation for relation in said if re.search(r"9{6}|0{6}[1-9]", relation)]


def test_most_of_the_library_can_be_exported():
    assert {"dm", "dm_ksea", "cpmg", "spatial_averaging", "xy8", "inept"} <= set(NAMES)
    assert len(NAMES) > 25


def test_what_cannot_be_exported_says_why():
    reasons = r"by zero|centres of its pulses|once, at the end|in phases only|share a channel"
    assert all(re.search(reasons, text) for text in REFUSED.values()), REFUSED


def test_phases_that_are_too_many_for_lists_step_on_at_each_use():
    text = export_sequence(load_sequence("battery_trotter"), SAMPLE).program.text
    assert "ph1^" in text
    assert "lo to" in text


@pytest.mark.parametrize("name", ["dm", "dm_ksea", "cpmg", "spatial_averaging"])
def test_programs_are_the_golden_ones(name):
    export = export_sequence(load_sequence(name), SAMPLE)
    text = re.sub(r"\(nmrqb [^)]*\)", "(nmrqb)", export.program.text)
    golden = GOLDEN / f"{name}.txt"
    assert text == golden.read_text(encoding="utf-8")


def test_delays_are_expressions_of_constants_where_the_file_says_them():
    text = export_sequence(load_sequence("dm"), SAMPLE).program.text
    assert '"DEL1=1s*((1/(4*cnst2)))"' in text
    assert ";cnst2: J(1H,13C) in Hz [215.13]" in text
    longer = Reader(text, {"p1": 13e-6, "p3": 77e-6, "cnst2": 100.0}).events()[0]
    assert longer[1] == ("delay", pytest.approx(2.5e-3))


INNER = """\
format: nmrqb-sequence/1
spins: {A: any, B: any}
parameters: {t: '1/(8*J(A,B))', tau: 1 ms}
sequence: [{pulse: {A: 90 x, B: 90 y}}, {delay: t}, {pulse: {A: 90 y}}, {delay: tau}]
"""
OUTER = """\
format: nmrqb-sequence/1
spins: {I: 1H, S: 13C}
parameters: {share: 3}
blocks:
  wait: {parameters: {d: 1 ms}, sequence: [{delay: d/share}, {pulse: {I: 180 x}}]}
sequence:
  - include: {sequence: ./inner.yaml, spins: {A: S, B: I}}
  - include: {sequence: ./inner.yaml, spins: {A: S, B: I}, parameters: {t: share/(7*J), tau: 2 ms}}
  - block: {name: wait, parameters: {d: 1/J}}
"""


def test_delays_of_includes_and_blocks_are_expressions_of_constants_too(tmp_path):
    (tmp_path / "inner.yaml").write_text(INNER, encoding="utf-8")
    (tmp_path / "outer.yaml").write_text(OUTER, encoding="utf-8")
    program = export_sequence(load_sequence(tmp_path / "outer.yaml"), SAMPLE).program
    constants = {
        p.name: (float(p.value), p.meaning) for p in program.parameters if "cnst" in p.name
    }
    assert sorted(constants.values()) == [
        (1e-3, "parameter tau of inner, SI units"),
        (2e-3, "parameter tau of inner, SI units"),
        (3, "parameter share of the sequence, SI units"),
        (215.13, "J(1H,13C) in Hz"),
    ]

    def delays(**changed):
        own = {name: value for name, (value, _) in constants.items()}
        values = {"p1": 13e-6, "p3": 77e-6} | own | changed
        return [
            event[1] for event in Reader(program.text, values).events()[0] if event[0] == "delay"
        ]

    def wanted(J, share):
        return [1 / (8 * J), 1e-3, share / (7 * J), 2e-3, 1 / J / share]

    assert delays() == pytest.approx(wanted(215.13, 3), abs=26e-9)  # steps of 50 ns
    own = {name: 100.0 for name, (_, what) in constants.items() if what.startswith("J(")}
    own |= {name: 2.0 for name, (_, what) in constants.items() if "share" in what}
    assert delays(**own) == pytest.approx(wanted(100, 2), abs=26e-9)


def test_the_size_of_a_negative_coupling_is_a_constant():
    couplings = tuple(replace(c, J_hz=-145.0) for c in SAMPLE.couplings)
    text = export_sequence(load_sequence("dm"), replace(SAMPLE, couplings=couplings)).program.text
    assert '"DEL1=1s*((1/(4*cnst2)))"' in text
    assert ";cnst2: size of J(1H,13C) in Hz [145.0]" in text
    longer = Reader(text, {"p1": 13e-6, "p3": 77e-6, "cnst2": 100.0}).events()[0]
    assert longer[1] == ("delay", pytest.approx(2.5e-3))


# ------------------------------------------------------------------ shapes
def shaped(samples, amplitude=400.0, duration="2 ms"):
    shape = Shape("samples", len(samples), samples=tuple(samples))
    rotation = Rotation(None, "30 deg", duration, f"{amplitude} Hz", shape=shape, degrees=False)
    events = (
        Pulse({"I": Rotation("90", "x")}),
        Delay("1 ms"),
        Pulse({"I": rotation}),
        Delay("0.5 ms"),
        Pulse({"I": Rotation("90", "y"), "S": Rotation("45", "-x")}),
    )
    return Sequence("shaped", {"I": "1H", "S": "13C"}, events, sample="chloroform")


def random_samples(count=37, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.05, 1, count) * np.exp(2j * np.pi * rng.random(count))


def test_a_shape_is_played_as_it_was_meant():
    sample, sequence = offset_sample(), shaped(random_samples())
    export = export_sequence(sequence, sample)
    rho, _ = final_state(export, sequence, sample, 0)
    exact = rounded(expand(sequence, sample, pulses="finite"), sample, Hardware())
    np.testing.assert_allclose(rho, play(exact, sample, thermal_deviation(sample)).state, atol=1e-9)
    assert "pl1:f1" in export.program.text.split("(p11:sp1")[1]  # the power is set again


def test_a_shape_file_read_back_is_what_was_written(tmp_path):
    export = export_sequence(shaped(random_samples()), SAMPLE)
    write_export(export, tmp_path / "out")
    (name,) = export.shapes
    read = shape_samples(read_shape(tmp_path / "out" / name))
    wanted = random_samples()
    np.testing.assert_allclose(read, wanted / np.abs(wanted).max(), rtol=0, atol=1e-10)
    text = export.shapes[name]
    rows = text.split("(XY..XY)\n")[1].split("\n##END")[0].split("\n")
    digits = [re.sub(r"E.*", "", row.split(",")[0]).replace(".", "") for row in rows]
    assert min(map(len, digits)) >= 9
    mean = abs(np.mean(wanted)) / np.abs(wanted).max()
    factor = float(re.search(r"SHAPE_INTEGFAC= (\S+)", text)[1])
    assert factor == pytest.approx(mean, rel=1e-11) == integral_factor(read)


def test_a_hard_pulse_right_after_a_soft_one_is_a_shape_of_full_power():
    soft = Rotation(None, "x", "1 ms", "250 Hz", degrees=False)
    events = (Pulse({"I": soft}), Pulse({"I": Rotation("90", "y")}), Delay("1 ms"))
    sample, sequence = offset_sample(), Sequence("soft", {"I": "1H"}, events)
    export = export_sequence(sequence, sample)
    assert len(export.shapes) == 2
    rho, _ = final_state(export, sequence, sample, 0)
    exact = rounded(expand(sequence, sample, pulses="finite"), sample, Hardware())
    np.testing.assert_allclose(rho, play(exact, sample, thermal_deviation(sample)).state, atol=1e-9)


def test_equal_shapes_are_one_file():
    sequence = shaped([1 + 0j, 0.5j])
    twice = Sequence("twice", sequence.roles, (*sequence.events, Delay("1 ms"), *sequence.events))
    assert len(export_sequence(twice, SAMPLE).shapes) == 1


@pytest.fixture(scope="module")
def optimised():
    """Return an optimised DM gate on chloroform, as `nmrqb design --shaped` makes it."""
    powers = {"1H": 2000.0, "13C": 2000.0}
    limits = PulseLimits(duration_s=12e-3, steps=60, amplitudes_hz=powers)
    rules = StopRules(shortfall=1e-4, iterations=200, seconds=60, starts=2)
    return design_pulse(SAMPLE, {"DM_z": 20.0}, limits, seed=1, time=5e-3, rules=rules)


def test_an_optimised_pulse_is_played_from_its_files(optimised):
    export = export_sequence(optimised.sequence, SAMPLE)
    assert len(export.shapes) == 2
    assert check_program(export.program.text, console_values(export.program)) == []
    reader = Reader(export.program.text, console_values(export.program), export.shapes)
    ((kind, pulses),) = reader.events()[0]
    assert kind == "pulse"
    U = pulse_propagator(pulses, ["1H", "13C"], ["1H", "13C"], internal_hamiltonian(SAMPLE))
    exact = rounded(expand(optimised.sequence, SAMPLE, pulses="finite"), SAMPLE, Hardware())
    V = unitary(timeline_segments(exact, SAMPLE), internal_hamiltonian(SAMPLE))
    np.testing.assert_allclose(U, V, atol=1e-9)
    wanted = expm(-2j * np.pi * 5e-3 * from_named({"DM_z": 20.0}))
    fidelity = abs(np.trace(dagger(wanted) @ U)) ** 2 / 16
    assert fidelity == pytest.approx(optimised.centre, abs=1e-9)
    assert fidelity > 0.999


# ------------------------------------------------------------------ what TopSpin asks for
@pytest.mark.parametrize("name", ["dm", "spatial_averaging"])
def test_programs_are_ascii(name):
    assert export_sequence(load_sequence(name), SAMPLE).program.text.isascii()


def test_accents_and_signs_are_spelt_out():
    assert plain("Dzyaloshinskii–Moriya, 90° ±5 µs: é, 猫") == (
        "Dzyaloshinskii-Moriya, 90 deg +-5 us: e, ?"
    )


def test_powers_and_gradients_are_named_as_at_the_console():
    shapes = export_sequence(shaped([1 + 0j, 0.5j]), SAMPLE).program.parameters
    named = {p.name: p.value for p in shapes}
    assert named["pldb1"] == "calibrated"
    below = float(re.fullmatch(r"pldb1 \+ (\S+) dB", named["spdb1"])[1])
    assert 10 ** (-below / 20) == pytest.approx(400.0 * 4 * 13e-6, rel=1e-9)  # 90° in 13 us
    crushed = export_sequence(load_sequence("spatial_averaging"), SAMPLE).program.parameters
    assert {"p40", "gpnam1", "gpz1"} <= {p.name for p in crushed}


def test_lists_that_step_on_are_reset_in_every_scan():
    program = export_sequence(load_sequence("battery_trotter"), SAMPLE).program
    assert "rpp1 rpp2" in program.text
    reader = Reader(program.text, console_values(program))
    first, again = (repr(reader.events(scan)[0]) for scan in (0, 1))
    assert first == again
    faults = check_program(program.text.replace("rpp1 ", "rpp7 "))
    assert any("ph7 is used" in fault.message for fault in faults)


def many_phases(scans):
    angles = [str(7 * k) for k in range(1, 36)]
    pulses = [e for a in angles for e in (Pulse({"I": Rotation("90", a)}), Delay("1 ms"))]
    cycle = {"turn": ("x", "-x")[:scans]}
    last = Pulse({"I": Rotation("90", "turn")})
    return Sequence("many", {"I": "1H"}, (*pulses, last), phase_cycle=cycle)


def test_too_many_phases_of_one_scan_step_on_and_of_several_are_refused():
    assert "ph1^" in export_sequence(many_phases(1), SAMPLE).program.text
    with pytest.raises(
        ArgumentError, match=r"at most 30 phase lists in a cycle of 2 scans, .* 36; .* any"
    ):
        export_sequence(many_phases(2), SAMPLE)


# ------------------------------------------------------------------ loops
@given(st.lists(st.integers(0, 2), max_size=30))
def test_folding_can_be_undone(items):
    def unfolded(found):
        for item in found:
            if isinstance(item, Loop):
                for _ in range(item.times):
                    yield from unfolded(item.items)
            else:
                yield item

    assert list(unfolded(folded(items))) == items


def test_a_train_of_echoes_is_a_loop():
    text = export_sequence(load_sequence("cpmg"), SAMPLE).program.text
    assert "lo to 3 times l1" in text
    assert '"l1=8"' in text
    assert text.count("(p2 ph1):f1") == 1


SHAPE_AND_LOOP = """\
format: nmrqb-sequence/1
sample: chloroform
spins: {I: any, S: any}
sequence:
- pulse: {S: {angle: 90 deg, phase: y, duration: 100 us, shape: gaussian}}
- repeat:
    times: 4
    sequence: [{pulse: {I: 90 x}}, {delay: 1 ms}, {pulse: {I: 90 -x, S: 180 y}}]
"""


def test_a_loop_sets_the_power_that_only_its_first_pass_lacks(tmp_path):
    path = tmp_path / "looped.yaml"
    path.write_text(SHAPE_AND_LOOP, encoding="utf-8")
    sequence, sample = load_sequence(path), offset_sample()
    export = export_sequence(sequence, sample)
    assert "times l1" in export.program.text
    assert check_program(export.program.text, console_values(export.program)) == []
    exact = rounded(expand(sequence, sample, pulses="finite"), sample, Hardware())
    np.testing.assert_allclose(
        final_state(export, sequence, sample, 0)[0],
        play(exact, sample, thermal_deviation(sample)).state,
        atol=1e-9,
    )


# ------------------------------------------------------------------ the checker
SOUND = export_sequence(load_sequence("spatial_averaging"), SAMPLE).program.text
CPMG = export_sequence(load_sequence("cpmg"), SAMPLE).program.text


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (SOUND, "\nph3=1\n", "\n", r"ph3 is used, but there is no line ph3="),
        (SOUND, "go=2 ph31", "go=7 ph31", r"there is no label 7"),
        (SOUND, "30m mc", "30 m mc", r"`m` is not known"),
        (CPMG, "lo to 3 times l1", "loop to 3 times l1", r"must be lo to LABEL times COUNT"),
        (CPMG, "lo to 3 times l1", "lo to 3 x l1", r"must be lo to LABEL times COUNT"),
        (CPMG, "lo to 3 times l1", "lo to 4 times l1", r"no label 4 before"),
        (SOUND, "  DEL1\n", "  DELL1\n", r"`DELL1` is not known"),
        (SOUND, "  4u pl1:f1 pl2:f2", "  4u pl1:f1", r"the power of f2 must be set"),
        (SOUND, "  d1\n", "  d1 cpd2:f2\n", r"the decoupler of f2 is (left on|on during a pulse)"),
        (SOUND, "(PULSE2 ph1):f1", "(PULSE2 ph1:f1", r"parentheses .* do not match"),
        (SOUND, "\nexit\n", "\n", r"there is no `exit`"),
        (SOUND, '"DEL1=0.', '"DEL1=-0.', r"`DEL1` must not be negative, but is -0"),
        (SOUND, "1 ze\n", "1 30m\n", r"cleared by `ze`"),
        (SOUND, "#include <Grad.incl>\n", "", r"`UNBLKGRAD` needs #include <Grad.incl>"),
        (SOUND, "ph2=3", "ph2=5", r"phases of ph2 must be below a turn, 4"),
        (SOUND, "ph2=3", "ph1=3", r"ph1 is defined already"),
        (SOUND, '"p2=p1*2"', '"p2=p1*two"', r"`two` is not defined"),
        (SOUND, "define delay DEL2\n", "", r"`DEL2` is not (defined|known)"),
        (SOUND, "  DEL1\n", "  2.5 u\n", r"`2.5` needs its unit right after it"),
        (SOUND, "(p2 ph2):f1", "(p2 ph2):f9", r"there is no channel f9"),
        (SOUND, "p40:gp1", "p40:gp99", r"`p40:gp99` is no gradient"),
    ],
)  # fmt: skip
def test_seeded_faults_are_caught(text, old, new, message):
    assert old in text
    faults = check_program(text.replace(old, new, 1))
    assert any(re.search(message, fault.message) for fault in faults), faults


def test_faults_have_their_place():
    (fault,) = check_program(SOUND.replace("  DEL1\n", "  DELL1\n"))
    line = SOUND.split("\n").index("  DEL1") + 1
    assert (fault.at.line, fault.at.column) == (line, 3)


def test_console_values_that_make_a_delay_negative_are_told():
    found = check_program(CPMG, {"cnst2": 1e-6, "cnst3": 8.0, "p1": 13e-6})
    assert any("`DEL1` must not be negative" in fault.message for fault in found)


# ------------------------------------------------------------------ refusals
def like_pair():
    spins = tuple(Spin(f"H{k}", "1H", pulse_90_s=10e-6) for k in (1, 2))
    return Sample("pair", spins, (Coupling(("H1", "H2"), J_hz=10.0),))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: export_sequence(load_sequence("dm"), like_pair()),
            r"must pulse all 1H alike, .* turns H1, H2 of H1, H2",
        ),
        (
            lambda: export_sequence(load_sequence("dm"), SAMPLE, observe="15N"),
            r"`observe` must be one of \('1H', '13C'\), but is '15N'",
        ),
        (
            lambda: export_sequence(load_sequence("dm"), SAMPLE, parameters={"t": "10 ns"}),
            r"delays of 0 or at least 50 ns, but has one of 10 ns",
        ),
        (lambda: Hardware(phases=100), r"`phases` must be a multiple of 360, but is 100"),
        (lambda: Hardware(raster_s=0), r"`raster_s` must be positive, but is 0"),
        (
            lambda: make_plan([expand(load_sequence("cpmg_decay"), SAMPLE)], SAMPLE, Hardware()),
            r"must open the receiver once",
        ),
    ],
)  # fmt: skip
def test_what_the_hardware_cannot_play_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


# ------------------------------------------------------------------ numbers as a person writes them
@given(
    st.floats(2, 358, exclude_min=True),
    st.integers(40, 8000),
    st.sampled_from([12.5e-9, 25e-9, 0.1e-6]),
)
@example(3.0, 85, 0.1e-6)  # 0.1, not the 0.09 that lies nearer
@settings(max_examples=40, deadline=None)
def test_shares_of_a_pulse_are_short_and_round_to_its_length(angle, steps, raster):
    quarter = steps * 12.5e-9
    sample = Sample("one", (Spin("H", "1H", T1_s=1.0, T2_s=1.0, pulse_90_s=quarter),))
    sequence = Sequence("one", {"I": "1H"}, (Pulse({"I": Rotation(f"{angle:.17g}", "x")}),))
    text = export_sequence(sequence, sample, hardware=Hardware(raster_s=raster)).program.text
    name = re.search(r"^  \((\w+) ph1\):f1$", text, re.MULTILINE)[1]
    relation = re.search(rf'"{name}=p1\*([0-9.]+)"', text)
    share = relation[1] if relation else "1"
    wanted = max(round(quarter * angle / 90 / raster), 1)
    assert quarter * float(share) / raster == pytest.approx(wanted, abs=0.25 + 1e-6)
    rougher = share[:-1].rstrip(".") or "0"
    up = f"{float(rougher) + 10.0 ** -len(rougher.partition('.')[2]):.15g}"
    if "." in share:  # one digit less does not do
        misses = [abs(quarter * float(x) / raster - wanted) for x in (rougher, up)]
        assert min(misses) > 0.25 - 1e-6
