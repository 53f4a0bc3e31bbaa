"""The JSON Schemas say what the loaders say: what is refused, what is completed, what is sound."""

import pytest

from nmrqb import formats
from nmrqb.errors import InputError
from nmrqb.experiment import ExperimentFormat
from nmrqb.files import library, parse_document
from nmrqb.operators import FIELD_TERMS, NAMED_TERMS
from nmrqb.sample import SampleFormat
from nmrqb.sample.nuclei import SPIN_HALF
from nmrqb.sequence import SequenceFormat
from nmrqb.sequence.composite import COMPOSITES
from nmrqb.sequence.shapes import SHAPES
from nmrqb.tomography import METHODS

jsonschema = pytest.importorskip("jsonschema")

MODELS = {"sample": SampleFormat, "sequence": SequenceFormat, "experiment": ExperimentFormat}
SCHEMAS = {kind: formats.json_schema(model) for kind, model in MODELS.items()}
VALIDATORS = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}
HEADS = {kind: f"format: nmrqb-{kind}/1\n" for kind in MODELS}


def document(kind, body):
    return parse_document(f"{HEADS[kind]}{body}\n".encode(), "a.yaml")


def accepted_by_schema(kind, found):
    return VALIDATORS[kind].is_valid(found.tree)


def accepted_by_loader(kind, found):
    try:
        formats.checked(found, MODELS[kind])
    except InputError as error:
        assert all(fault.at.file == "a.yaml" for fault in error.faults)  # noqa: PT017
        return False
    return True


def nodes(node):
    """Yield every mapping of a schema."""
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(item)


# ---------------------------------------------------------------------------------- the schemas
@pytest.mark.parametrize("kind", MODELS)
def test_the_schemas_are_schemas(kind):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


def meaning(kind, held):
    """Return the description of a property, or of the definition that it refers to."""
    definitions = SCHEMAS[kind]["$defs"]
    referred = definitions[held["$ref"].rsplit("/", 1)[1]] if "$ref" in held else {}
    return held.get("description") or referred.get("description")


@pytest.mark.parametrize("kind", MODELS)
def test_every_property_is_described(kind):
    described = [node["properties"] for node in nodes(SCHEMAS[kind]) if "properties" in node]
    bare = [key for p in described for key, held in p.items() if not meaning(kind, held)]
    assert len(described) >= 3
    assert bare == []


@pytest.mark.parametrize("kind", MODELS)
def test_every_definition_is_used_and_closed(kind):
    used = {node["$ref"] for node in nodes(SCHEMAS[kind]) if "$ref" in node}
    assert {f"#/$defs/{name}" for name in SCHEMAS[kind]["$defs"]} == used
    named = [node for node in nodes(SCHEMAS[kind]) if "properties" in node and "title" in node]
    assert all(node["additionalProperties"] is False for node in named if node["title"] != "Target")


def enumerations(kind):
    return [
        set(node["enum"]) for node in nodes(SCHEMAS[kind]) if isinstance(node.get("enum"), list)
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sequence", set(SHAPES)),
        ("sequence", set(SHAPES) - {"fourier", "samples"}),  # those that a name says completely
        ("sequence", set(COMPOSITES)),
        ("sequence", {"any", "all", *SPIN_HALF, *(f"all {nucleus}" for nucleus in SPIN_HALF)}),
        ("sequence", {"edge-to-edge", "centre-to-centre"}),
        ("sequence", {"refuse", "round"}),
        ("sequence", {"couplings", "all"}),
        ("sequence", {"z", "crush"}),
        ("sample", set(SPIN_HALF)),
        ("experiment", {"ideal", "finite"}),
        ("experiment", {"sample", "T1T2", "none"}),
        ("experiment", set(METHODS)),
    ],
)
def test_what_an_editor_can_complete(kind, words):
    assert words in enumerations(kind)


def test_the_terms_of_a_target_are_completed():
    known = {*NAMED_TERMS, *FIELD_TERMS, "time", "tolerance"}
    assert set(SCHEMAS["sequence"]["properties"]["target"]["properties"]) == known


@pytest.mark.parametrize(
    "name",
    ["BlockCallFormat", "DelayFormat", "GradientFormat", "IncludeFormat", "RotationFormat",
     "ShapeFormat", "TimingFormat"],
)  # fmt: skip
def test_short_and_long_form_stand_side_by_side(name):
    short, long = SCHEMAS["sequence"]["$defs"][name]["anyOf"]
    assert "enum" in short or "string" in short["type"]
    assert short["description"]
    assert long["type"] == "object"


def test_examples_are_of_the_right_kind():
    rotation = SCHEMAS["sequence"]["$defs"]["RotationFormat"]["anyOf"][1]["properties"]
    assert "90 deg" in rotation["angle"]["examples"]
    assert "-y" in rotation["phase"]["examples"]


def test_no_key_of_a_sequence_may_be_empty():
    assert "'null'" not in str(SCHEMAS["sequence"])
    assert "'null'" in str(SCHEMAS["experiment"])  # a sample override may be


# ------------------------------------------------------------------------------------ the library
@pytest.mark.parametrize(("kind", "name"), [(k, n) for k in MODELS for n in library(k)])
def test_what_is_shipped_fits_its_schema(kind, name):
    found = formats.read(kind, name, MODELS[kind])
    assert [error.message for error in VALIDATORS[kind].iter_errors(found.tree)] == []


# ------------------------------------------------------------------------------------- agreement
SPINS = "spins: {I: any, S: any}\n"
EVENT = SPINS + "sequence: [{%s}]"
FINE_SEQUENCES = [
    SPINS + "sequence: []",
    EVENT % "pulse: {I: 90 x, S: 90 -y}",
    EVENT % "pulse: {1H: 180 y}",
    EVENT % "pulse: {I: {angle: 90 deg, phase: x, duration: 5 ms, shape: gaussian, offset: 20 Hz}}",
    EVENT % "pulse: {I: {amplitude: 5 kHz, duration: t}}",
    EVENT
    % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: sinc, lobes: 4, points: 100}}}",
    EVENT % "pulse: {I: {angle: 9 deg, duration: 1 ms, shape: {kind: fourier, cosine: [0.5, -1]}}}",
    EVENT % "pulse: {I: {angle: 9 deg, duration: 1 ms, shape: {kind: gaussian, truncation: 1 %}}}",
    EVENT % "pulse: {I: {angle: 180 deg, composite: BB1}}",
    EVENT % "delay: 5 ms",
    EVENT % "delay: 0",
    EVENT % "delay: 90 deg of J",
    EVENT % "delay: {angle: 90 deg, coupling: J, refocus: couplings}",
    EVENT % "gradient: crush",
    EVENT % "gradient: {strength: 40 kHz, duration: 1 ms}",
    EVENT % "virtual_z: {I: 90 deg}",
    EVENT % "acquire: {I: x}",
    EVENT % "repeat: {times: 3, index: k, sequence: [{delay: k*t}]}",
    EVENT % "block: echo",
    EVENT % "include: {sequence: spin_echo, spins: {I: S}, parameters: {t: 1 ms}}",
    SPINS + "timing: centre-to-centre\nsequence: []",
    SPINS + "timing: {delays: centre-to-centre, off_raster: round}\nsequence: []",
    SPINS + "phase_cycle: {ph1: [x, -x], step: [0, 1]}\nconstraints: [t > 1 us]\nsequence: []",
    SPINS + "blocks: {echo: {parameters: {t: 1 ms}, sequence: []}}\nsequence: []",
    "spins: {H: all 1H, C: 13C, R: all}\ntarget: {DM_z: J/8, time: t}\nsequence: []",
]
BROKEN_SEQUENCES = [
    "",
    SPINS,
    "sequence: []",
    SPINS + "sequence:",
    SPINS + "sequence: {pulse: {I: 90 x}}",
    SPINS + "sequence: [3]",
    SPINS + "sequence: [{}]",
    SPINS + "sequence: []\ntitel: echo",
    SPINS + "sequence: []\ntitle: 5",
    SPINS + "sequence: []\nname:",
    SPINS + "sequence: []\nsample: [chloroform]",
    "spins: [I, S]\nsequence: []",
    "spins: {I: 1h}\nsequence: []",
    "spins: {I: 2H}\nsequence: []",
    "spins: {I: }\nsequence: []",
    "spins: {I: all 2H}\nsequence: []",
    SPINS + "sequence: []\nparameters: [t]",
    SPINS + "sequence: []\nparameters: {t: true}",
    SPINS + "sequence: []\nparameters: {t: [1 ms]}",
    SPINS + "sequence: []\nconstraints: t > 1 us",
    SPINS + "sequence: []\nconstraints: [true]",
    SPINS + "sequence: []\nconstraints: [5]",
    SPINS + "sequence: []\nphase_cycle: {ph1: []}",
    SPINS + "sequence: []\nphase_cycle: {ph1: x}",
    SPINS + "sequence: []\nphase_cycle: [x]",
    SPINS + "sequence: []\nphase_cycle: {ph1: [[x]]}",
    SPINS + "sequence: []\ntiming: center-to-center",
    SPINS + "sequence: []\ntiming: {delay: centre-to-centre}",
    SPINS + "sequence: []\ntiming: {off_raster: rounded}",
    SPINS + "sequence: []\ntarget: {}",
    SPINS + "sequence: []\ntarget: {time: t, tolerance: 1 %}",
    SPINS + "sequence: []\ntarget: {DMz: J/8}",
    SPINS + "sequence: []\ntarget: {DM_z: [J]}",
    SPINS + "sequence: []\nblocks: [echo]",
    SPINS + "sequence: []\nblocks: {echo: []}",
    SPINS + "sequence: []\nblocks: {echo: {events: []}}",
    EVENT % "dely: 5 ms",
    EVENT % "delay: 5 ms, pulse: {I: 90 x}",
    EVENT % "delay: true",
    EVENT % "delay: [5 ms]",
    EVENT % "delay: {tim: 5 ms}",
    EVENT % "delay: {angle: 9 deg, refocus: coupling}",
    EVENT % "pulse: 90 x",
    EVENT % "pulse: {}",
    EVENT % "pulse: {I: [90, x]}",
    EVENT % "pulse: {I: {angle: 90 deg, phse: x}}",
    EVENT % "pulse: {I: {angle: 90 deg, composite: BB2}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: }}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: gauss}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: fourier}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {points: 5}}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: sinc, lobes: 2.5}}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: sinc, lobes: true}}}",
    EVENT % "pulse: {I: {angle: 9 deg, duration: 1 ms, shape: {kind: fourier, cosine: 0.5}}}",
    EVENT % "pulse: {I: {angle: 9 deg, duration: 1 ms, shape: {kind: fourier, cosine: [true]}}}",
    EVENT % "gradient: spoil",
    EVENT % "gradient: {strenght: 40 kHz, duration: 1 ms}",
    EVENT % "gradient: {kind: x, strength: 40 kHz, duration: 1 ms}",
    EVENT % "virtual_z: 90 deg",
    EVENT % "virtual_z: {}",
    EVENT % "acquire: I",
    EVENT % "acquire: {}",
    EVENT % "acquire: {I: [x]}",
    EVENT % "repeat: 3",
    EVENT % "repeat: {times: 3}",
    EVENT % "repeat: {sequence: []}",
    EVENT % "repeat: {times: 3, sequence: [{dely: 5 ms}]}",
    EVENT % "repeat: {times: 3, index: 4, sequence: []}",
    EVENT % "block: [echo]",
    EVENT % "block: {nme: echo}",
    EVENT % "block: {parameters: {t: 1 ms}}",
    SPINS + "sequence: text",
    SPINS + "sequence: [text]",
    SPINS + "sequence: []\ntitle: [x]",
    SPINS + "sequence: []\nsample: 5",
    SPINS + "sequence: []\ntarget: DM_z",
    EVENT % "delay: {angle: [90 deg]}",
    EVENT % "pulse: {I: true}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: [1 ms]}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: gauss}}}",
    EVENT % "pulse: {I: {angle: 90 deg, duration: 1 ms, shape: {kind: sinc, lobes: x}}}",
    EVENT % "gradient: {kind: y}",
    EVENT % "virtual_z: {I: [90 deg]}",
    EVENT % "acquire: {I: {phase: x}}",
    EVENT % "include: {name: dm}",
    EVENT % "include: {file: a.yaml}",
    EVENT % "include: {sequence: dm, spins: [I]}",
    EVENT % "include: {sequence: dm, parameters: {t: true}}",
]
ONE_SPIN = "spins: [{label: H, nucleus: 1H}]\n"
FINE_SAMPLES = [ONE_SPIN, ONE_SPIN + "raster: 12.5 ns\nfield: 1.4 T\ncouplings: []"]
BROKEN_SAMPLES = [
    "",
    "spins: []",
    "spins: {H: 1H}",
    "spins: [{label: H}]",
    "spins: [{label: H, nucleus: 1h}]",
    "spins: [{label: H, nucleus: 2H}]",
    "spins: [{label: a b, nucleus: 1H}]",
    "spins: [{label: H, nucleus: 1H, T3: 1 s}]",
    "spins: [{label: H, nucleus: 1H, T1: [1 s]}]",
    ONE_SPIN + "feild: 1 T",
    ONE_SPIN + "field: true",
    ONE_SPIN + "couplings: [{J: 5 Hz}]",
    ONE_SPIN + "couplings: {H: 5 Hz}",
    ONE_SPIN + "sources: [J]",
]
EXPERIMENT = {
    "sample": "chloroform",
    "battery": "{D: 20 Hz}",
    "prepare": "{gibbs: {temperature: 20 Hz}}",
    "charge": "{drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}",
    "measure": "{readouts: [II, IX, IY, XX], snr: 40}",
}


def experiment(**changes):
    merged = EXPERIMENT | changes
    return "\n".join(f"{key}: {text}" for key, text in merged.items() if text is not None)


FINE_EXPERIMENTS = [
    experiment(),
    experiment(sample_overrides="{1H: {T1: }}", seed="3"),
    experiment(noise="{b0_inhomogeneity: 50 ms, J_spread: 1 %, b1_inhomogeneity: 2 %}"),
    experiment(noise="{receiver: {gain: {13C: 3 %}, offset: 1 %, digitiser_bits: 12}}"),
    experiment(measure="{readouts: [II], snr: 40, phase_cycle: cyclops, reference_scans: 4}"),
    experiment(noise="{pulses: finite, pulse_errors: {phase: 1 deg, transient: {leading: 2 deg}}}"),
    *(
        experiment(noise=f"{{relaxation: {text}}}")
        for text in (
            "sample",
            "T1T2",
            "none",
            "[]",
            "[T1T2]",
            "[{T1T2: {}}, {pauli: {1H: {y: 1 /s}}}]",
        )
    ),
]
BROKEN_EXPERIMENTS = [
    experiment(noise="{b0_inhomogeneity: [1 Hz]}"),
    experiment(noise="{b0_inhomogeneity: 1 Hz, b0_distribution: uniform}"),
    experiment(noise="{pulse_errors: {gain: 1 %}}"),
    experiment(noise="{receiver: {gain: 3 %}}"),
    experiment(noise="{receiver: {bits: 12}}"),
    experiment(measure="{readouts: [II], snr: 40, phase_cycle: 4}"),
    experiment(noise="{pulse_errors: {phase: 1}}"),
    experiment(sample=None),
    experiment(battery=None),
    experiment(sample="[chloroform]"),
    experiment(battery="{DD: 20 Hz}"),
    experiment(battery="20 Hz"),
    experiment(prepare="{gibbs: {}}"),
    experiment(charge="{drive: y, rate: 50 Hz, times: {stop: 1 ms, points: 3}}"),
    experiment(charge="{drive: x, rate: 50 Hz, times: {points: 3}}"),
    experiment(measure="{readouts: II, snr: 40}"),
    experiment(measure="{readouts: [II], snr: 40, estimator: least-squares}"),
    experiment(noise="{pulses: soft}"),
    experiment(noise="{relaxation: T2}"),
    experiment(noise="{relaxation: [T2]}"),
    experiment(noise="{relaxation: [{pauli: {}}]}"),
    experiment(noise="{relaxation: {pauli: {1H: {y: 1 /s}}}}"),
    experiment(report="[]"),
    experiment(report="[ergotropy, power]"),
    experiment(seed="[1]"),
]
FINE = [
    *(("sequence", body) for body in FINE_SEQUENCES),
    *(("sample", body) for body in FINE_SAMPLES),
    *(("experiment", body) for body in FINE_EXPERIMENTS),
]
BROKEN = [
    *(("sequence", body) for body in BROKEN_SEQUENCES),
    *(("sample", body) for body in BROKEN_SAMPLES),
    *(("experiment", body) for body in BROKEN_EXPERIMENTS),
]


@pytest.mark.parametrize(("kind", "body"), FINE)
def test_both_take_what_is_sound(kind, body):
    found = document(kind, body)
    assert accepted_by_schema(kind, found)
    assert accepted_by_loader(kind, found)


@pytest.mark.parametrize(("kind", "body"), BROKEN)
def test_both_refuse_what_is_broken(kind, body):
    found = document(kind, body)
    assert not accepted_by_schema(kind, found)
    assert not accepted_by_loader(kind, found)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("version", ["nmrqb-{}/2", "nmrqb-{}", "bruker"])
def test_both_refuse_another_format(kind, version):
    found = document(kind, dict(FINE)[kind])
    found.tree["format"] = version.format(kind)
    assert not accepted_by_schema(kind, found)
    assert not accepted_by_loader(kind, found)
