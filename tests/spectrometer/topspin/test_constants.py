"""Delays as expressions of constants, in files, blocks and what is included."""

import pytest
from topspin_playing import SAMPLE
from topspin_reader import Reader, console_values

from nmrqb.report import export_sequence
from nmrqb.sequence import load_sequence


def program_of(tmp_path, text, **more):
    """Return the program of a file, with the roles of a heteronuclear pair."""
    file = tmp_path / "outer.yaml"
    head = "format: nmrqb-sequence/1\nname: outer\nsample: chloroform\nspins: {I: any, S: any}\n"
    file.write_text(head + text, encoding="utf-8")
    return export_sequence(load_sequence(str(file)), SAMPLE, **more).program


def delays(program, **console):
    """Return the delays that the reader plays, with other values at the console."""
    values = {**console_values(program), **console}
    return [value for kind, value in Reader(program.text, values).events()[0] if kind == "delay"]


def test_an_included_sequence_keeps_its_couplings(tmp_path):
    program = program_of(tmp_path, "sequence:\n  - include: dm\n  - delay: 1 ms\n")
    assert '"DEL1=1s*((1/(4*cnst2)))"' in program.text
    assert ";cnst2: J(1H,13C) in Hz [215.13]" in program.text
    assert delays(program, cnst2=100.0) == pytest.approx([2.5e-3, 2.5e-3, 1e-3])


def test_a_parameter_given_to_it_is_that_of_the_file_outside(tmp_path):
    text = "parameters: {T: 4 ms}\nsequence:\n  - include: {sequence: dm, parameters: {t: T/2}}\n"
    program = program_of(tmp_path, text)
    assert '"DEL1=1s*((cnst2/2))"' in program.text
    assert ";cnst2: parameter T of the sequence, SI units [0.004]" in program.text
    assert delays(program, cnst2=6e-3) == pytest.approx([3e-3, 3e-3])


def test_parameters_of_the_included_file_are_constants_by_its_name(tmp_path):
    (tmp_path / "inner.yaml").write_text(
        "format: nmrqb-sequence/1\nname: inner\nspins: {A: any, B: any}\n"
        "parameters: {n: 4, T: 8 ms}\n"
        "sequence:\n  - pulse: {A: 90 x, B: 90 x}\n  - delay: T/n + 1/J(A,B)\n",
        encoding="utf-8",
    )
    text = (
        "sequence:\n  - include: {sequence: inner.yaml, spins: {A: S, B: I}}\n"
        "  - include: {sequence: inner.yaml, spins: {A: S, B: I}, parameters: {T: 2 ms}}\n"
    )
    program = program_of(tmp_path, text)
    assert ";cnst2: parameter T of inner, SI units [0.008]" in program.text
    assert ";cnst3: parameter n of inner, SI units [4.0]" in program.text
    assert ";cnst4: J(1H,13C) in Hz [215.13]" in program.text
    assert delays(program) == pytest.approx([2e-3 + 1 / 215.13, 0.5e-3 + 1 / 215.13], abs=7e-9)
    found = delays(program, cnst4=100.0, cnst3=2.0)
    assert found == pytest.approx([4e-3 + 10e-3, 1e-3 + 10e-3])


def test_blocks_have_their_own_names_and_not_those_of_the_block_outside(tmp_path):
    text = """
parameters: {t: 3 ms, k: 2}
blocks:
  wait:
    parameters: {t: 1/J}
    sequence:
      - delay: t*k
      - block: plain
  plain: {sequence: [{pulse: {I: 90 x}}, {delay: t}]}
sequence:
  - block: wait
  - pulse: {I: 90 x}
  - block: {name: wait, parameters: {t: 2*t}}
"""
    program = program_of(tmp_path, text)
    period = 1 / 215.13
    assert delays(program) == pytest.approx([2 * period, 3e-3, 12e-3, 3e-3], abs=7e-9)
    named = {p.meaning: p.name for p in program.parameters}
    t = named["parameter t of the sequence, SI units"]
    J = named["J(1H,13C) in Hz"]
    assert delays(program, **{t: 5e-3}) == pytest.approx([2 * period, 5e-3, 20e-3, 5e-3], abs=7e-9)
    assert delays(program, **{J: 100.0}) == pytest.approx([20e-3, 3e-3, 12e-3, 3e-3])


def test_a_changed_parameter_is_the_constant(tmp_path):
    text = "parameters: {t: 1/(4*J)}\nsequence:\n  - pulse: {I: 90 x, S: 90 x}\n  - delay: t\n"
    program = program_of(tmp_path, text, parameters={"t": "2 ms"})
    assert '"DEL1=1s*(cnst2)"' in program.text
    assert delays(program, cnst2=3e-3) == pytest.approx([3e-3])


def test_what_has_no_words_is_a_number(tmp_path):
    text = "sequence:\n  - pulse: {I: 90 x, S: 90 x}\n  - delay: 2 ms*sqrt(4)/2\n"
    program = program_of(tmp_path, text)
    assert '"DEL1=0.002s"' in program.text
