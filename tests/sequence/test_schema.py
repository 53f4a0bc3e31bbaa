"""The JSON Schemas: shipped files pass, broken ones do not, and editors find help in them."""

import json

import pytest
import yaml

from nmrqb.cli.shipped import MODELS
from nmrqb.errors import InputError
from nmrqb.files import library
from nmrqb.formats import json_schema
from nmrqb.sample.nuclei import SPIN_HALF
from nmrqb.sequence import load_sequence
from nmrqb.sequence.composite import COMPOSITES
from nmrqb.sequence.shapes import SHAPES

jsonschema = pytest.importorskip("jsonschema")
HEAD = "format: nmrqb-sequence/1\nspins: {I: any, S: any}\n"
SHIPPED = [(kind, name) for kind in MODELS for name in library(kind)]


@pytest.fixture(scope="module")
def validators():
    return {kind: jsonschema.Draft202012Validator(json_schema(m)) for kind, m in MODELS.items()}


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_shipped_files_pass(validators, kind, name):
    text = library(kind)[name].read_text(encoding="utf-8")
    validators[kind].validate(yaml.safe_load(text))


# faults that a schema can see: keys, kinds of values, words of a list
BROKEN = [
    "sequence: []\ntitel: x",
    "sequence: {}",
    "sequence: text",
    "sequence: [text]",
    "sequence: [5]",
    "sequence: [{}]",
    "sequence: [{dely: 5 ms}]",
    "sequence: [{delay: 5 ms, pulse: {I: 90 x}}]",
    "sequence: [{delay: [5 ms]}]",
    "sequence: [{delay: true}]",
    "sequence: [{delay: {tim: 5 ms}}]",
    "sequence: [{delay: {angle: 90 deg, refocus: some}}]",
    "sequence: [{delay: {angle: [90 deg]}}]",
    "sequence: [{pulse: 90 x}]",
    "sequence: [{pulse: [90 x]}]",
    "sequence: [{pulse: {I: [90, x]}}]",
    "sequence: [{pulse: {I: true}}]",
    "sequence: [{pulse: {I: {angel: 90 deg}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, composite: BB2}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 ms, shape: gauss}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: gauss}}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {points: 5}}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: sinc, lobes: x}}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: fourier, cosine: 1}}}}]",
    "sequence: [{pulse: {I: {angle: 90 deg, duration: [1 ms]}}}]",
    "sequence: [{gradient: spoil}]",
    "sequence: [{gradient: {kind: y}}]",
    "sequence: [{gradient: {strenght: 5 kHz, duration: 1 ms}}]",
    "sequence: [{virtual_z: 90 deg}]",
    "sequence: [{virtual_z: {I: [90 deg]}}]",
    "sequence: [{acquire: I}]",
    "sequence: [{acquire: {I: {phase: x}}}]",
    "sequence: [{repeat: 4}]",
    "sequence: [{repeat: {times: 4}}]",
    "sequence: [{repeat: {sequence: []}}]",
    "sequence: [{repeat: {times: 4, sequence: [{dely: 5 ms}]}}]",
    "sequence: [{block: {nme: echo}}]",
    "sequence: [{block: [echo]}]",
    "sequence: [{include: {name: dm}}]",
    "sequence: [{include: {sequence: dm, spins: [I]}}]",
    "blocks: {echo: []}\nsequence: []",
    "blocks: {echo: {events: []}}\nsequence: []",
    "phase_cycle: {ph1: x}\nsequence: []",
    "phase_cycle: [x]\nsequence: []",
    "constraints: t > 1 ms\nsequence: []",
    "timing: center-to-center\nsequence: []",
    "timing: {delay: centre-to-centre}\nsequence: []",
    "target: {DMz: 5 Hz}\nsequence: []",
    "target: DM_z\nsequence: []",
    "parameters: [t]\nsequence: []",
    "parameters: {t: [5 ms]}\nsequence: []",
    "sample: 5\nsequence: []",
    "title: [x]\nsequence: []",
]


@pytest.mark.parametrize("body", BROKEN)
def test_schema_and_loader_refuse_the_same(validators, body, tmp_path):
    text = HEAD + body + "\n"
    assert not validators["sequence"].is_valid(yaml.safe_load(text))
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.yaml:\d+:\d+: "):
        load_sequence(file)


@pytest.mark.parametrize("head", ["spins: {I: any}", "format: nmrqb-sequence/1", ""])
def test_what_must_be_there(validators, head, tmp_path):
    text = head + "\nsequence: []\n"
    assert not validators["sequence"].is_valid(yaml.safe_load(text))
    (tmp_path / "broken.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"format|spins"):
        load_sequence(tmp_path / "broken.yaml")


# ------------------------------------------------------------------------------ help for editors
def entries(schema):
    return [schema, *schema.get("$defs", {}).values()]


@pytest.mark.parametrize("kind", MODELS)
def test_every_key_has_a_description(kind):
    schema = json_schema(MODELS[kind])
    definitions = schema.get("$defs", {})
    for entry in entries(schema):
        forms = entry.get("anyOf", [entry])
        for form in forms:
            for name, value in form.get("properties", {}).items():
                inner = value.get("$ref", "").rpartition("/")[2]
                described = value.get("description") or definitions.get(inner, {}).get(
                    "description"
                )
                assert described, (entry.get("title"), name)


def test_the_words_that_can_be_completed():
    text = json.dumps(json_schema(MODELS["sequence"]))
    for words in (
        SHAPES,
        COMPOSITES,
        SPIN_HALF,
        ("centre-to-centre", "couplings", "crush", "round"),
    ):
        for word in words:
            assert json.dumps(word) in text


def test_short_forms_stand_beside_the_long_ones():
    definitions = json_schema(MODELS["sequence"])["$defs"]
    for name in ("RotationFormat", "DelayFormat", "GradientFormat", "ShapeFormat", "TimingFormat"):
        short, long = definitions[name]["anyOf"]
        assert "properties" in long
        assert "properties" not in short
        assert short.get("description")


def test_examples_are_of_the_right_kind():
    definitions = json_schema(MODELS["sequence"])["$defs"]
    rotation = definitions["RotationFormat"]["anyOf"][1]["properties"]
    assert "90 deg" in rotation["angle"]["examples"]
    assert "-y" in rotation["phase"]["examples"]
    targets = json_schema(MODELS["sequence"])["properties"]["target"]["properties"]
    assert all(term["description"] for term in targets.values())
