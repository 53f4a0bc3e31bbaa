"""Sequence files to sequences, as written."""

# ruff: noqa: E501 (one broken input per line)

import pytest

from nmrqb import formats
from nmrqb.errors import InputError, Position
from nmrqb.files import library
from nmrqb.sample import load_sample
from nmrqb.sequence import Delay, Pulse, Repeat, Rotation, SequenceFormat, expand, load_sequence
from nmrqb.sequence.words import split_rotation


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return "s.yaml"

    return written


HEAD = "format: nmrqb-sequence/1\nspins: {I: any, S: any}\n"
FULL = """\
format: nmrqb-sequence/1
name: full
title: everything
spins: {I: 1H, S: any}
parameters: {t: 1 ms, n: 2}
target: {time: t, DM_z: J/8}
sequence:
  - pulse: {I: 90 -y, S: {angle: 90 deg, phase: x, duration: 10 us}}
  - delay: t
  - repeat:
      times: n
      sequence:
        - delay: 1/J
"""


def test_everything_is_kept_as_written(write):
    sequence = load_sequence(write(FULL))
    assert dict(sequence.roles) == {"I": "1H", "S": "any"}
    assert dict(sequence.parameters) == {"t": "1 ms", "n": "2"}
    assert dict(sequence.target) == {"DM_z": "J/8"}
    assert sequence.target_time == "t"
    assert sequence.events == (
        Pulse({"I": Rotation("90", "-y"), "S": Rotation("90 deg", "x", "10 us", degrees=False)}),
        Delay("t"),
        Repeat("n", (Delay("1/J"),)),
    )
    assert sequence.positions["parameters.t"] == Position("s.yaml", 5, 17)
    assert sequence.positions["target.DM_z"] == Position("s.yaml", 6, 25)
    assert sequence.positions["spins.S"] == Position("s.yaml", 4, 16)
    assert sequence.events[2].events[0].at == Position("s.yaml", 13, 18)


@pytest.mark.parametrize("name", library("sequence"))
def test_every_shipped_sequence_is_complete_and_expands(name):
    sequence = load_sequence(name)
    assert sequence.name == name
    assert sequence.title
    assert sequence.notes
    assert sequence.reference
    assert expand(sequence, load_sample(sequence.sample)).events


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("90 -y", ("90", "-y")), ("180 deg x", ("180 deg", "x")), ("90 45", ("90", "45")),
        ("90 -45", ("90", "-45")), ("90 45 deg", ("90", "45 deg")), ("(90*k) x", ("(90*k)", "x")),
        ("90 (k + 5)", ("90", "(k + 5)")), ("90 z", ("90", "z")), ("  90   y ", ("90", "y")),
    ],
)  # fmt: skip
def test_short_form(text, parts):
    assert split_rotation(text) == parts


@pytest.mark.parametrize("text", ["90", "90y", "180 deg", "x", "", "-90"])
def test_short_form_without_a_phase(text):
    with pytest.raises(ValueError, match="must be an angle and a phase such as '90 -y', but is"):
        split_rotation(text)


BROKEN = [
    ("sequence: []\nnam: x", "4:1", "unknown key `nam`; did you mean `name`"),
    ("sequence: x", "3:11", "`sequence` must be a list, but is 'x'"),
    ("sequence:", "3:10", "`sequence` must be a list, but is empty"),
    ("sequence: [3]", "3:12", "`sequence\\[0\\]` must be a mapping .*, but is 3"),
    ("sequence: [{}]", "3:12", "must be exactly one of pulse, delay, gradient, virtual_z, acquire, repeat, block, include, but has 0"),
    ("sequence: [{delay: 1 s, pulse: {I: 90 x}}]", "3:12", "exactly one of .*, but has 2"),
    ("sequence: [{dely: 1 s}]", "3:13", "unknown key `dely`; did you mean `delay`"),
    ("sequence: [{gradient: 1}]", "3:23", "`gradient` must be crush, or a mapping with strength and duration, but is '1'"),
    ("sequence: [{delay: [1 s]}]", "3:20", "`delay` must be a time .*, but is \\['1 s'\\]"),
    ("sequence: [{delay: true}]", "3:20", "`delay` must be a time .*, but is true"),
    ("sequence: [{pulse: 90 x}]", "3:20", "`pulse` must be a mapping .*, but is '90 x'"),
    ("sequence: [{pulse: {}}]", "3:20", "`pulse` must name at least one spin, but is \\{\\}"),
    ("sequence: [{pulse: {I: 90}}]", "3:24", "`I` must be an angle and a phase .*, but is '90'"),
    ("sequence: [{pulse: {I: [90, x]}}]", "3:24", "`I` must be an angle and a phase .*, but is \\[90, 'x'\\]"),
    ("sequence: [{pulse: {I: {phase: x}}}]", "3:24", "`I` must have angle, or duration and amplitude, but has neither"),
    ("sequence: [{pulse: {I: {angle: 90 deg, shape: g}}}]", "3:47", "`shape` must not be 'g'; Valid: fourier, gaussian"),
    ("sequence: [{pulse: {I: {angle: 90 deg, phse: x}}}]", "3:40", "unknown key `phse`; did you mean `phase`"),
    ("sequence: [{repeat: {times: 3}}]", "3:21", "missing key `sequence`"),
    ("sequence: [{repeat: {times: 3, sequence: [{dely: 1 s}]}}]", "3:44", "unknown key `dely`"),
    ("parameters: {J: 1 Hz}\nsequence: []", "3:14", "`J` must not be called J, which has a meaning"),
    ("parameters: {a b: 1 Hz}\nsequence: []", "3:14", "`a b` must be one word"),
    ("target: {DM: 1 Hz}\nsequence: []", "3:10", "`DM` is not a named term; did you mean `DM_"),
    ("target: {}\nsequence: []", "3:9", "`target` must name a term .*, but is empty; valid: DM_x"),
    ("target: {time: 1 ms}\nsequence: []", "3:9", "`target` must name a term .*, but has only time;"),
    ("target: {tolerance: 1 %, time: 1 ms}\nsequence: []", "3:9", ".* only tolerance and time; valid"),
    ("sample: 3\nsequence: []", "3:9", "`sample` must be text, but is 3"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place", "message"), BROKEN)
def test_broken_sequences_tell_where_and_what(write, body, place, message):
    with pytest.raises(InputError, match=rf"^s\.yaml:{place}: .*{message}"):
        load_sequence(write(HEAD + body + "\n"))


def test_broken_roles(write):
    text = "format: nmrqb-sequence/1\nspins: {I: 1h, 2S: any, K: 2H, L: Any}\nsequence: []\n"
    with pytest.raises(InputError, match="did you mean `1H`") as caught:
        load_sequence(write(text))
    expected = [
        (12, "but is '1h'"), (16, "`2S` must be one word"), (28, "2H has spin 1"), (35, "nucleus, any or all"),
    ]  # fmt: skip
    for fault, (column, message) in zip(caught.value.faults, expected, strict=True):
        assert (fault.at.line, fault.at.column) == (2, column)
        assert message in fault.message


def test_a_faulty_file_is_examined_to_its_end(write):
    text = HEAD + (
        "sample: chloroform\nnme: x\nparameters: {t: 5 kg, u: [1], v: u}\nsequence:\n"
        "  - pulse: {I: 90 z, S: [90], Q: 90 x}\n  - delay: t\n  - delay: -1 ms\n  - delay: u\n"
    )
    with pytest.raises(InputError, match="unknown key `nme`") as caught:
        load_sequence(write(text))
    places = [(fault.at.line, fault.at.column) for fault in caught.value.faults]
    assert places == [(4, 1), (5, 17), (5, 26), (7, 16), (7, 25), (7, 31), (9, 12)]


def test_sample_file_stands_beside_the_sequence(write, tmp_path):
    (tmp_path / "sub").mkdir()
    text = HEAD + "sample: ./mine.yaml\nsequence: []\n"
    (tmp_path / "sub" / "s.yaml").write_text(text, encoding="utf-8")
    assert load_sequence("sub/s.yaml").sample in {"sub/mine.yaml", "sub\\mine.yaml"}


def test_json_schema_describes_every_key_and_accepts_the_library(write):
    jsonschema = pytest.importorskip("jsonschema")
    schema = formats.json_schema(SequenceFormat)
    described = [d for d in [schema, *schema["$defs"].values()] if "properties" in d]
    assert all(v["description"] for d in described for v in d["properties"].values())
    for argument in [*library("sequence"), write(FULL)]:
        jsonschema.validate(formats.read("sequence", argument, SequenceFormat).tree, schema)
    with pytest.raises(jsonschema.ValidationError, match="dely"):
        jsonschema.validate(
            {"format": "nmrqb-sequence/1", "spins": {}, "sequence": [{"dely": "t"}]}, schema
        )
