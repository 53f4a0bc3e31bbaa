"""Sample files to samples."""

# ruff: noqa: E501 (one broken input per line)

import math
import re

import numpy as np
import pytest

from nmrqb import formats
from nmrqb.errors import ArgumentError, InputError, Position
from nmrqb.files import library
from nmrqb.sample import Sample, SampleFormat, load_sample

HEAD = "format: nmrqb-sample/1\nspins:\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
        return "./a.yaml"

    return written


def test_chloroform_is_the_sample_of_the_readme():
    sample = load_sample("chloroform")
    assert sample.labels == ("1H", "13C")
    assert sample.nuclei == ("1H", "13C")
    assert sample.coupling("13C", "1H").J_hz == 215.13
    assert [spin.T1_s for spin in sample.spins] == [10, 10]
    assert [spin.T2_s for spin in sample.spins] == [2, 2]
    assert [spin.pulse_90_s for spin in sample.spins] == [13e-6, 77e-6]
    assert [spin.offset_hz for spin in sample.spins] == [0, 0]
    assert sample.field_tesla == 1.465
    assert "nominal" in sample.sources["T1"]
    assert re.fullmatch("[0-9a-f]{64}", sample.sha256)


def test_oriented_pair_has_the_published_dipolar_coupling():
    sample = load_sample("oriented_pair")
    assert 2 * sample.coupling("H1", "H2").dipolar_hz == pytest.approx(434.261)
    first, second = (spin.offset_hz for spin in sample.spins)
    assert first - second == pytest.approx(2597.845 - 2508.494)
    assert first + second == 0


@pytest.mark.parametrize("name", library("sample"))
def test_every_shipped_sample_tells_its_sources(name):
    sample = load_sample(name)
    assert sample.name == name
    assert sample.title
    assert {"J", "T1", "T2", "pulse_90"} <= sample.sources.keys()


def test_what_a_file_leaves_out(write):
    sample = load_sample(
        write(HEAD + "  - {label: A, nucleus: 19F}\n  - {label: B, nucleus: 1H, T1: 3 s}\n")
    )
    first, second = sample.spins
    assert sample.name == "a"
    assert (first.T1_s, first.T2_s, first.pulse_90_s) == (math.inf, math.inf, None)
    assert (second.T1_s, second.T2_s) == (3, 6)
    assert sample.couplings == ()
    assert sample.field_tesla is None


def test_tensor(write):
    text = HEAD + (
        "  - {label: A, nucleus: 1H}\n  - {label: B, nucleus: 1H}\n"
        "couplings:\n  - {between: [A, B], tensor: [[1 Hz, 0 Hz, 0 Hz], [0 Hz, 2 Hz, 0 Hz], "
        "[0 Hz, 0 Hz, -3 kHz]]}\n"
    )
    coupling = load_sample(write(text)).coupling("A", "B")
    assert coupling.tensor_hz == ((1, 0, 0), (0, 2, 0), (0, 0, -3000))


SPIN = "  - {label: 1H, nucleus: 1H}\n  - {label: C, nucleus: 13C}\n"
BROKEN = [
    ("  - {label: A, nucleus: 1h}", "3:25", "`nucleus` must be .*spin 1/2, but is '1h'; did you mean `1H`"),
    ("  - {label: A, nucleus: 2H}", "3:25", "`nucleus` must be .*, but 2H has spin 1$"),
    ("  - {label: A, nucleus: 14N}", "3:25", "but 14N has spin 1$"),
    ("  - {label: A, nucleus: 12C}", "3:25", "but 12C has no spin"),
    ("  - {label: A}", "3:5", "missing key `nucleus`"),
    ("  - {label: A, nucleus: 1H, T3: 1 s}", "3:29", "unknown key `T3`; Valid: T1, T2, label"),
    ("  - {label: A, nucleus: 1H, T1: 5}", "3:33", "`T1`: `5` has no unit; write for example '5 ms'"),
    ("  - {label: A, nucleus: 1H, T1: 5 kg}", "3:33", "`T1`: unknown unit `kg`"),
    ("  - {label: A, nucleus: 1H, T1: 5 Hz}", "3:33", "`T1`: `5 Hz` is a frequency, but must be a time"),
    ("  - {label: A, nucleus: 1H, T1: -5 s}", "3:33", "`T1` must be positive.* but is `-5 s`"),
    ("  - {label: A, nucleus: 1H, T1: nan}", "3:33", "`T1`: `nan` is not finite"),
    ("  - {label: A, nucleus: 1H, T1: [1 s]}", "3:33", "`T1` must be a time such as '5 ms', but is \\['1 s'\\]"),
    ("  - {label: A, nucleus: 1H, T1: true}", "3:33", "`T1` must be a time such as '5 ms', but is true"),
    ("  - {label: A, nucleus: 1H, offset: D}", "3:37", "`offset`: unknown name `D`"),
    ("  - {label: A, nucleus: 1H, T1: 1 s, T2: 2.1 s}", "3:42", "spin `A`: T2 = 2.1 s is longer than 2 T1 = 2 s"),
    ("  - {label: A, nucleus: 1H, polarization: 1.5}", "3:43", "must be between -1 and 1, but is 1.5"),
    ("  - {label: A B, nucleus: 1H}", "3:13", "`label` must be one word such as '1H' or 'C2', but is 'A B'"),
    ("  - {label: 5, nucleus: 1H}", "3:13", "`label` must be text, but is 5"),
    ("  - {label: A, nucleus: 1H}\n  - {label: A, nucleus: 13C}", "4:13", "label `A` is already taken"),
    ("  - 5", "3:5", "`spins\\[0\\]` must be a mapping .*, but is 5"),
    ("  none", "3:3", "`spins` must be a list, but is 'none'"),
    ("  []", "3:3", "`spins` must have at least 1 entry, but is \\[\\]"),
    (SPIN + "couplings: 3", "5:12", "`couplings` must be a list, but is 3"),
    (SPIN + "couplings: [{between: [1H, X], J: 1 Hz}]", "5:28", "there is no spin `X`; Valid: 1H, C"),
    (SPIN + "couplings: [{between: [1H, c], J: 1 Hz}]", "5:28", "there is no spin `c`; did you mean `C`"),
    (SPIN + "couplings: [{between: [C, C], J: 1 Hz}]", "5:23", "spin `C` cannot couple with itself"),
    (SPIN + "couplings: [{between: [C], J: 1 Hz}]", "5:23", "`between` must hold two labels .*but is \\['C'\\]"),
    (SPIN + "couplings: [{between: [C, 1H]}]", "5:13", "this coupling holds only between; give J"),
    (SPIN + "couplings: [{between: [C, 1H], J: 5}]", "5:35", "`J`: `5` has no unit; write for example '5 Hz'"),
    (SPIN + "couplings: [{between: [C, 1H], tensor: [[1 Hz]]}]", "5:13", "`tensor` must be three rows"),
    (
        SPIN + "couplings:\n  - {between: [C, 1H], J: 5 Hz}\n  - {between: [1H, C], J: 6 Hz}",
        "7:15",
        "the pair 1H, C stands twice",
    ),
    (SPIN + "field: 5", "5:8", "`field`: `5` has no unit; write for example '5 T'"),
    (SPIN + "title: [x]", "5:8", "`title` must be text, but is \\['x'\\]"),
    (SPIN + "coupling: []", "5:1", "unknown key `coupling`; did you mean `couplings`"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place", "message"), BROKEN)
def test_broken_samples_tell_where_and_what(write, body, place, message):
    with pytest.raises(InputError, match=rf"^\./a\.yaml:{place}: .*{message}") as caught:
        load_sample(write(HEAD + body + "\n"))
    assert len(caught.value.faults) == 1


def test_all_faults_of_a_file_in_one_go(write):
    text = HEAD + (
        "  - {label: 1H, nucleus: 1h, T1: 1 s, T2: 3 s}\n"
        "  - {label: 1H, nucleus: 13C, T4: 1 s}\n"
        "couplings:\n  - {between: [1H, X], J: 5}\n"
    )
    with pytest.raises(InputError, match="did you mean") as caught:
        load_sample(write(text))
    assert [fault.at.line for fault in caught.value.faults] == [3, 3, 4, 4, 6, 6]


def test_missing_spins(write):
    with pytest.raises(InputError, match=r"^\./a\.yaml:1:1: missing key `spins`$"):
        load_sample(write("format: nmrqb-sample/1\n"))


# ------------------------------------------------------------------------------------ overrides
def test_overrides():
    sample = load_sample(
        "chloroform", {"1H": {"T1": "0.3 s", "T2": "0.2 s"}, "13C": {"offset": "5 Hz"}}
    )
    assert sample.spins[0].T1_s == 0.3
    assert sample.spins[0].T2_s == 0.2
    assert sample.spins[1].offset_hz == 5
    assert sample.spins[1].T1_s == 10


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"H": {"T1": "1 s"}}, "^overrides.H.T1:1:1: .* has no spin `H`; .*Valid: 13C, 1H"),
        ({"1H": {"T5": "1 s"}}, "^overrides.1H.T5:1:1: unknown key `T5`"),
        ({"1H": {"T1": "1"}}, "^overrides.1H.T1:1:1: `T1`: `1` has no unit"),
        ({"1H": {"T1": "0.3 s"}}, "^overrides.1H.T1:1:1: spin `1H`: T2 = 2 s is longer"),
        ({"1H": {"T1": 1.0}}, "^overrides.1H.T1:1:1: `T1`: `1.0` has no unit"),
        ({"1H": {"label": "X"}}, "^overrides.1H.label:1:1: the label `1H` names the spin"),
    ],
)
def test_broken_overrides(overrides, message):
    with pytest.raises(InputError, match=message):
        load_sample("chloroform", overrides)


@pytest.mark.parametrize("overrides", [{"1H": "T1"}, {"1H": {"T1": math.nan}}, {"1H": {"T1": []}}])
def test_overrides_of_another_kind(overrides):
    with pytest.raises(ArgumentError, match=r"^Argument `overrides(\['1H'\])?` must"):
        load_sample("chloroform", overrides)


def test_a_plain_number_overrides_a_share():
    sample = load_sample("chloroform", {"1H": {"polarization": np.float64(0.25), "T2": None}})
    assert sample.spins[0].polarization == 0.25
    assert sample.spins[0].T2_s == 2 * sample.spins[0].T1_s  # nothing given, as in the file


def test_an_override_is_told_where_it_stands():
    places = {"1H.T1": Position("exp.yaml", 7, 12)}
    with pytest.raises(InputError, match=r"^exp\.yaml:7:12: `T1`: `1` has no unit"):
        load_sample("chloroform", {"1H": {"T1": "1"}}, places=places)


# --------------------------------------------------------------------------------------- schema
def test_json_schema_describes_every_key():
    schema = formats.json_schema(SampleFormat)
    for definition in [schema, *schema["$defs"].values()]:
        definition = definition.get("anyOf", [definition])[-1]  # the long form
        assert definition["additionalProperties"] is False
        for key, value in definition["properties"].items():
            assert value["description"], key


@pytest.mark.parametrize("name", library("sample"))
def test_json_schema_accepts_the_library(name):
    jsonschema = pytest.importorskip("jsonschema")
    document = formats.read("sample", name, SampleFormat)
    jsonschema.validate(document.tree, formats.json_schema(SampleFormat))
    wrong = document.replaced(("spins", 0, "T1"), 5, Position("x"))
    with pytest.raises(jsonschema.ValidationError, match="5"):
        jsonschema.validate(wrong.tree, formats.json_schema(SampleFormat))


def test_a_sample_needs_no_file():
    assert Sample("empty", ()).labels == ()


def test_the_truncation_of_a_coupling_is_read_and_its_words_are_checked(write):
    spins = "  - {label: A, nucleus: 1H}\n  - {label: B, nucleus: 1H}\n"
    text = HEAD + spins + "couplings:\n  - {between: [A, B], J: 7 Hz, truncation: weak}\n"
    assert load_sample(write(text)).coupling("A", "B").truncation == "weak"
    with pytest.raises(
        InputError,
        match=r"a\.yaml:6:44: .truncation. must not be 'strong'; Valid: none, secular, weak",
    ):
        load_sample(write(text.replace("weak", "strong")))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("H", "13C"), r"must name a spin of sample 'chloroform', but is 'H'; .*1H"),
        (("1H", "13c"), "but is '13c'; did you mean `13C`"),
        (("1H", "1H"), "`second` must be another spin than '1H'"),
    ],
)
def test_a_coupling_of_spins_that_are_not_there(labels, message):
    with pytest.raises(ArgumentError, match=message):
        load_sample("chloroform").coupling(*labels)
