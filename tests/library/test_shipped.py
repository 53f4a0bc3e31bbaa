"""Every sequence of the shipped library can be read, played and understood."""

import pytest

from nmrqb.average import compile_timeline
from nmrqb.files.shipped import library
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence

NAMES = tuple(library("sequence"))
CLAIM_NOT_MET = {"literature_dm"}  # shipped as published; the DM coupling it claims is not there


def test_the_library_holds_the_classics():
    assert {"dm", "wahuha", "mrev8", "cory48", "cpmg", "xy8", "udd", "inept", "dq8"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_sequence_says_what_it_is(name):
    sequence = load_sequence(name)
    assert sequence.name == name
    assert sequence.title
    assert sequence.reference
    assert len(sequence.notes) > 100
    assert max(map(len, sequence.notes.splitlines())) <= 105


@pytest.mark.parametrize("name", NAMES)
def test_shipped_sequence_plays_on_its_default_sample(name):
    sequence = load_sequence(name)
    assert sequence.sample
    timeline = expand(sequence, load_sample(sequence.sample))
    assert timeline.events


@pytest.mark.parametrize("name", [n for n in NAMES if load_sequence(n).target])
def test_shipped_target_is_met(name):
    sequence = load_sequence(name)
    sample = load_sample(sequence.sample)
    target = compile_timeline(expand(sequence, sample), sample).target
    assert target.met is (name not in CLAIM_NOT_MET)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_text_holds_no_path_of_a_machine(name):
    sequence = load_sequence(name)
    text = f"{sequence.title} {sequence.reference} {sequence.notes}"
    assert not any(path in text for path in ("/work", "/home", "/tmp", "C:\\"))
