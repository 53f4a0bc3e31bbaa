"""TopSpin programs: played by an independent reader, checked, and equal to the golden files."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
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


def offset_sample():
    """Return chloroform off resonance, so that every phase and time matters."""
    first, second = SAMPLE.spins
    spins = (
        Spin("1H", "1H", 37.0, 3.0, 1.0, pulse_90_s=first.pulse_90_s),
        Spin("13C", "13C", -21.0, 5.0, 0.5, pulse_90_s=second.pulse_90_s),
    )
    return Sample("chloroform", spins, SAMPLE.couplings)


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


def final_state(export, sequence, sample, scan):
    """Return the state that the independent reader makes of the sample's equilibrium."""
    reader = Reader(export.program.text, console_values(export.program), export.shapes)
    events, receiver = reader.events(scan)
    drift = internal_hamiltonian(sample)
    spins = [spin.nucleus for spin in sample.spins]
    nuclei = re.findall(r"f\d channel \((\w+)\), hard", export.program.text)
    gammas = np.array([1.0, 0.2515])
    rho = thermal_deviation(sample)
    for kind, value in events:
        if kind == "pulse":
            U = pulse_propagator(value, nuclei, spins, drift)
        else:
            U = np.diag(np.exp(-1j * np.diag(drift).real * value))
        rho = U @ rho @ dagger(U)
        if kind == "gradient":  # all of the orders that a crusher leaves are in the shipped files
            m = np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]]) @ gammas
            rho = np.where(np.abs(m[:, None] - m[None, :]) < 1e-6, rho, 0)
    return rho, receiver


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
def test_every_export_passes_the_checker_and_costs_little(name):
    export = export_sequence(load_sequence(name), SAMPLE)
    assert check_program(export.program.text, console_values(export.program)) == []
    assert export.rounding_loss < 1e-5


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
    with pytest.raises(ArgumentError, match=r"at most 30 phase lists in a cycle of 2 scans, .* 36"):
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
