"""``check``, ``list``, ``show``, ``schema``, ``plot``, ``new``, ``--version``."""

import json
from pathlib import Path

import jsonschema
import pytest

import nmrqb
from nmrqb.files import groups, library, parse_document, read_document
from nmrqb.sample import load_sample
from nmrqb.sequence import load_sequence

KINDS = ("sample", "sequence", "experiment", "data")
SHIPPED = [(kind, name) for kind in KINDS for name in library(kind)]


@pytest.fixture(scope="module")
def schemas():
    from nmrqb.cli.shipped import MODELS
    from nmrqb.formats import json_schema

    return {kind: json_schema(MODELS[kind]) for kind in KINDS}


# ----------------------------------------------------------------------------------------- schema
@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_one(cli, schemas, kind):
    outcome = cli("schema", kind)
    assert outcome.status == 0
    assert outcome.document == json.loads(json.dumps(schemas[kind]))
    jsonschema.Draft202012Validator.check_schema(outcome.document)
    assert outcome.document["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_a_schema_is_described(schemas, kind):
    """So that editors can say what a key means."""
    definitions = schemas[kind].get("$defs", {})
    entries = [schemas[kind], *definitions.values()]
    keys = {key: value for entry in entries for key, value in entry.get("properties", {}).items()}
    assert len(keys) > 10
    for key, value in keys.items():
        named = definitions.get(value.get("$ref", "").removeprefix("#/$defs/"), value)
        assert value.get("description") or named.get("description"), key


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_shipped_files_fit_their_schema(schemas, kind, name):
    tree = read_document(library(kind)[name]).tree
    jsonschema.Draft202012Validator(schemas[kind]).validate(tree)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("sample", "nucleus: 1H", "nucleus: 1Q"),
        ("sample", "T1: 10 s", "T1: 10"),
        ("sequence", "delay: t", "dely: t"),
        ("experiment", "drive: x", "drive: z"),
        ("experiment", "rate: 50 Hz", "rate: 50"),
        ("experiment", "snr: 40", "snr: []"),
        ("experiment", "title:", "titel:"),
    ],
)
def test_schemas_refuse_what_the_reader_refuses(schemas, kind, old, new):
    name = {"sample": "chloroform", "sequence": "dm", "experiment": "charge_dm_ksea"}[kind]
    text = library(kind)[name].read_text(encoding="utf-8")
    assert old in text
    tree = parse_document(text.replace(old, new).encode(), "x.yaml").tree
    validator = jsonschema.Draft202012Validator(schemas[kind])
    with pytest.raises(jsonschema.ValidationError, match=r".+"):
        validator.validate(tree)


# ------------------------------------------------------------------------------------ list, show
def test_list_names_everything(cli):
    rows = cli("list", "--json").document
    assert {(row["kind"], row["name"]) for row in rows} == set(SHIPPED)
    assert all(row["title"] for row in rows)
    text = cli("list").out
    for row in rows:
        assert any(row["name"] in line and row["title"] in line for line in text.splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_one_kind(cli, kind):
    rows = cli("list", kind, "--json").document
    by_folder = [(group, name) for group, files in groups(kind).items() for name in files]
    assert [(row["group"], row["name"]) for row in rows] == by_folder
    assert cli("list", kind).out.startswith("data\n" if kind == "data" else f"{kind}s\n")


def test_list_tells_the_folders_of_the_sequences(cli):
    lines = cli("list", "sequence").out.splitlines()
    assert "  decoupling" in lines
    assert lines.index("  decoupling") < next(k for k, x in enumerate(lines) if "wahuha" in x)


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_show_prints_the_file(cli, kind, name):
    text = library(kind)[name].read_text(encoding="utf-8")
    assert cli("show", name).out == text.rstrip() + "\n"
    assert cli("show", name, "--json").document == {"kind": kind, "name": name, "text": text}


def test_show_a_file_of_ones_own(cli):
    text = library("sequence")["dm"].read_text(encoding="utf-8") + "# mine\n"
    Path("own.yaml").write_text(text, encoding="utf-8")
    assert cli("show", "own.yaml").out == text
    assert cli("show", "own.yaml", "--json").document["kind"] == "sequence"


# -------------------------------------------------------------------------------------------- new
@pytest.mark.parametrize("kind", KINDS)
def test_new_writes_a_sound_template(cli, schemas, kind):
    outcome = cli("new", kind)
    assert outcome.status == 0
    file = f"my_{kind}.yaml"
    assert f"nmrqb check {file}" in outcome.out
    assert cli("check", file).out == f"{file}: ok\n"
    jsonschema.Draft202012Validator(schemas[kind]).validate(read_document(file).tree)
    assert Path(file).read_text(encoding="utf-8").count("#") > 3  # it explains itself


@pytest.mark.parametrize("kind", KINDS)
def test_new_does_not_overwrite(cli, kind):
    Path("mine.yaml").write_text("years of work")
    outcome = cli("new", kind, "mine.yaml")
    assert outcome.status == 2
    assert "`mine.yaml` exists already" in outcome.err
    assert Path("mine.yaml").read_text() == "years of work"


def test_the_templates_work_together(cli, no_pictures):
    for kind in KINDS:
        assert cli("new", kind, f"{kind}.yaml").status == 0
    compiled = cli("compile", "sequence.yaml", "--sample", "sample.yaml", "--json").document
    assert compiled["target"]["met"] is True
    assert compiled["named_hz"]["KSEA_z"] == pytest.approx(140 / 8)
    options = ("--set", "sample=sample.yaml", "--set", "measure.replicas=50", "--json")
    assert cli("run", "experiment.yaml", *options).status == 0
    assert Path("my_experiment-results", "summary.json").is_file()


def test_new_in_a_folder_that_is_not_there(cli):
    assert cli("new", "sample", "deep/er/my sample.yaml").out == (
        "wrote deep/er/my sample.yaml; check it with: nmrqb check 'deep/er/my sample.yaml'\n"
    )
    assert cli("check", "deep/er/my sample.yaml").status == 0


@pytest.mark.parametrize(
    "arguments",
    [("new", "sample"), ("plot", "dm", "--out"), ("compile", "dm", "--out"),
     ("design", "--sample", "chloroform", "--D", "20Hz", "--out")],
)  # fmt: skip
def test_the_path_that_cannot_be_written_stands_in_front(cli, arguments):
    Path("file").write_text("mine", encoding="utf-8")
    name = "file/a.png" if arguments[0] == "plot" else "file/a.yaml"
    outcome = cli(*arguments, name)
    assert outcome.status == 2
    message = f"{name}:1:1: `{name}` cannot be written: Not a directory\n"
    assert outcome.err == message
    assert [path.name for path in Path().iterdir()] == ["file"]


# ------------------------------------------------------------------------------------------- plot
@pytest.mark.parametrize(
    ("out", "start"), [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_plot_writes_a_picture(cli, out, start):
    outcome = cli("plot", "dm", "--out", out)
    assert (outcome.status, outcome.out) == (0, f"wrote {out}\n")
    assert Path(out).read_bytes().startswith(start)
    assert [path.name for path in Path().iterdir()] == [out]


@pytest.mark.parametrize("picture", ["state", "city", "residuals"])
def test_plot_draws_a_result_folder(cli, shipped_run, picture):
    _, results = shipped_run
    outcome = cli("plot", results, "--picture", picture)
    file = f"charge_dm_ksea-results-{picture}.png"
    assert (outcome.status, outcome.out) == (0, f"wrote {file}\n")
    assert Path(file).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [path.name for path in Path().iterdir()] == [file]


def test_plot_of_a_result_folder_is_its_city(cli, shipped_run):
    _, results = shipped_run
    outcome = cli("plot", f"{results}/", "--out", "a.svg", "--json")
    assert outcome.document == {"file": "a.svg"}
    assert "simulated ρ, imaginary part" in Path("a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--picture", "city"), "dm:1:1: is not a result folder of ours"),
        (("--picture", "cities"), "'city'"),
        (("--picture", "city", "--sample", "chloroform"), "--sample:1:1: belongs to the diagram"),
        (("--picture", "city", "--set", "t=2 ms"), "--set:1:1: belongs to the diagram"),
    ],
)
def test_plot_takes_pictures_from_result_folders_only(cli, arguments, fault):
    outcome = cli("plot", "dm", *arguments)
    assert outcome.status == 2
    assert fault in outcome.err
    assert not any(Path().iterdir())


def test_plot_of_a_folder_of_others(cli):
    Path("other").mkdir()
    outcome = cli("plot", "other")
    assert (outcome.status, outcome.err) == (2, "other:1:1: is not a result folder of ours\n")


def test_a_folder_does_not_hide_a_shipped_sequence(cli, drawn):
    Path("dm").mkdir()
    assert cli("plot", "dm").status == 0
    assert len(drawn) == 1


@pytest.fixture
def drawn(monkeypatch):
    """Return the list of what is to be drawn: sequence, sample and set parameters."""
    asked = []

    def figure(sequence, sample, *, parameters):
        asked.append((sequence, sample, parameters))

    monkeypatch.setattr("nmrqb.report.sequence_figure", figure)
    monkeypatch.setattr("nmrqb.report.picture_bytes", lambda *_: b"picture")
    return asked


def test_plot_draws_the_sequence_as_it_is_written(cli, drawn):
    outcome = cli("plot", "dm", "--set", "t=2 ms")
    assert (outcome.status, outcome.err) == (0, "")
    assert drawn == [(load_sequence("dm"), load_sample("chloroform"), {"t": "2 ms"})]
    assert Path("dm.png").read_bytes() == b"picture"


def test_plot_names_the_spins_of_a_given_sample(cli, drawn):
    cli("plot", "dm", "--sample", "oriented_pair")
    assert drawn == [(load_sequence("dm"), load_sample("oriented_pair"), {})]


def without_sample(text):
    """Write dm without its sample, and with another text for its last event."""
    lines = library("sequence")["dm"].read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("sample:")]
    Path("mine.yaml").write_text("\n".join([*kept[:-1], text]), encoding="utf-8")


def test_plot_needs_no_sample(cli, drawn):
    without_sample("  - pulse: {I: 90 x, S: 90 y}")
    outcome = cli("plot", "mine.yaml", "--set", "t=2 ms")
    assert (outcome.status, outcome.err) == (0, "")
    assert drawn == [(load_sequence("mine.yaml"), None, {"t": "2 ms"})]
    assert Path("dm.png").exists()


@pytest.mark.parametrize(
    ("last", "arguments", "fault"),
    [
        (
            "  - pulse: {I: 90 x, S: 90 y}",
            ("--set", "u=2 ms"),
            "--set u:1:1: `dm` has no parameter",
        ),
        ("  - puls: {I: 90 x}", (), "did you mean `pulse`?"),
        ("  - pulse: {Q: 90 x}", ("--sample", "chloroform"), "there is no role `Q`"),
        ("  - delay: 1/(4*L)", ("--sample", "chloroform"), "unknown name `L`"),
    ],
)
def test_plot_tells_the_faults_of_a_file(cli, drawn, last, arguments, fault):
    without_sample(last)
    outcome = cli("plot", "mine.yaml", *arguments)
    assert outcome.status == 2
    assert fault in outcome.err
    assert drawn == []
    assert not Path("dm.png").exists()


# --------------------------------------------------------------------------------------- the rest
def test_the_version(cli):
    outcome = cli("--version")
    assert (outcome.status, outcome.out) == (0, f"nmrqb {nmrqb.__version__}\n")


def test_without_a_verb_there_is_help(cli):
    outcome = cli()
    assert outcome.status == 2
    text = outcome.out + outcome.err
    for name in ("run", "compile", "check", "list", "show", "schema", "plot", "readouts", "new"):
        assert f"\n  {name} " in text
