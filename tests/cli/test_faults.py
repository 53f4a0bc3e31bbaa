"""Bad input: exit status 2, one plain line per fault with its place, nothing left behind."""

import json
import re
from pathlib import Path

import pytest

from nmrqb.files import library

EXPERIMENT = """\
format: nmrqb-experiment/1
sample: chloroform
battery: {D: 20 Hz}
prepare: {gibbs: {temperature: 20 Hz}}
charge: {drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}
measure: {readouts: [II, IX, IY, XX], snr: 100, replicas: 50, points: 64}
"""
SEQUENCE = """\
format: nmrqb-sequence/1
sample: chloroform
spins: {I: any, S: any}
parameters: {t: 1 ms}
sequence:
  - pulse: {I: 90 x, S: 90 y}
  - delay: t
"""
SAMPLE = """\
format: nmrqb-sample/1
spins:
  - {label: A, nucleus: 1H}
  - {label: B, nucleus: 13C}
couplings: [{between: [A, B], J: 100 Hz}]
"""
PREPARED = "product: {1H: {frequency: 1 Hz, temperature: 1 Hz}}"
OF_SPIN = "battery: {spin: 13C, frequency: 1 Hz}\nprepare: {" + PREPARED + "}"

# what is wrong: (text, what stands there, what is written instead, place, what the message names)
EXPERIMENTS = {
    "yaml syntax": ("[II, IX, IY, XX]", "[II, IX", "6:64", "this is not YAML"),
    "tab": ("measure: {", "measure:\n\t{", "7:1", "use spaces"),
    "unknown key": ("snr: 100", "snr: 100, scan: 3", "6:49", "did you mean `scans`?"),
    "missing key": ("battery: {D: 20 Hz}\n", "", "1:1", "missing key `battery`"),
    "newer format": ("experiment/1", "experiment/2", "1:9", "newest understood one is nmrqb-exp"),
    "temperature 0": ("e: 20 Hz", "e: 0 Hz", "4:32", "positive (thermal) or negative (inverted)"),
    "unknown sample": ("chloroform", "cloroform", "2:9", "did you mean `chloroform`?"),
    "unknown sequence": (
        "{drive: x, rate: 50 Hz, times: {stop: 10 ms, points: 3}}",
        "{sequence: dmm, cycles: {stop: 2}}", "5:20", "did you mean `dm`?",
    ),
    "unknown spin prepared": ("{gibbs: {temperature: 20 Hz}}", "{" + PREPARED.replace("1H", "2H")
                              + "}", "4:21", "Valid: 13C, 1H"),
    "unknown battery spin": ("{D: 20 Hz}\nprepare: {gibbs: {temperature: 20 Hz}}",
                             OF_SPIN.removeprefix("battery: ").replace("13C", "13c"), "3:17",
                             "did you mean `13C`?"),
    "readout letter": ("IY", "IZ", "6:30", "letters of I, X, Y"),
    "negative snr": ("snr: 100", "snr: -5", "6:44", "must be from 1e-6"),
    "snr nan": ("snr: 100", "snr: nan", "6:44", "only finite numbers"),
    "drive and sequence": ("drive: x", "drive: x, sequence: dm", "5:9", "either drive, rate"),
    "points 0": ("points: 3", "points: 0", "5:62", "must be from 1 to 100000"),
    "zero battery": ("D: 20 Hz", "D: 0 Hz", "3:10", "D, G, Delta, epsilon, B"),
    "negative time": ("stop: 10 ms", "stop: -10 ms", "5:40", "forward from 0"),
    "too few readouts": ("[II, IX, IY, XX]", "[II, XX]", "6:21", "not seen: XX"),
    "no unit": ("rate: 50 Hz", "rate: 50", "5:26", "has no unit; write for example '50 Hz'"),
}  # fmt: skip
SEQUENCES = {
    "5 kg of delay": ("delay: t", "delay: 5 kg", "7:12", "Valid: h, min, ms"),
    "negative delay": ("delay: t", "delay: -1 ms", "7:12", "must not be negative"),
    "negative parameter": ("t: 1 ms", "t: -1 ms", "7:12", "must not be negative"),
    "phase z": ("90 y", "90 z", "6:25", "phase must be x, y, -x, -y or degrees"),
    "unknown role": ("S: 90 y", "Q: 90 y", "6:22", "Valid: I, S"),
    "unknown name": ("delay: t", "delay: tau", "7:12", "unknown name `tau`"),
    "unknown event": ("delay: t", "dely: t", "7:5", "did you mean `delay`?"),
    "role's nucleus": ("I: any", "I: 1Q", "3:12", "Valid: 103Rh"),
    "name of a path": ("sample: ch", "name: a/x\nsample: ch", "2:7", "must be a plain word"),
    "name of two lines": ("sample: ch", 'name: "a\\nb"\nsample: ch', "2:7", "but is 'a\\nb'"),
    "no name": ("sample: ch", "name: ''\nsample: ch", "2:7", "must be a plain word"),
}
SAMPLES = {
    "unknown nucleus": ("13C", "14C", "4:25", "must be a nucleus of spin 1/2"),
    "label twice": ("label: B", "label: A", "4:13", "already taken"),
    "unknown coupled spin": ("[A, B]", "[A, C]", "5:27", "Valid: A, B"),
}


def assert_refused(outcome, start, message):
    assert outcome.status == 2, outcome
    lines = outcome.err.splitlines()
    assert any(line.startswith(f"{start}: ") and message in line for line in lines), outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    for line in lines:
        assert re.match(r"[^\n]+:\d+:\d+: \S", line), line


def written(name, text, old, new):
    assert text.count(old) == 1, (old, text)
    Path(name).write_text(text.replace(old, new), encoding="utf-8")
    return name


def folder():
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.parametrize("case", EXPERIMENTS)
def test_bad_experiments(cli, case):
    old, new, place, message = EXPERIMENTS[case]
    file = written("e.yaml", EXPERIMENT, old, new)
    assert_refused(cli("run", file, "--json"), f"{file}:{place}", message)
    assert folder() == ["e.yaml"]


@pytest.mark.parametrize("case", SEQUENCES)
def test_bad_sequences(cli, case):
    old, new, place, message = SEQUENCES[case]
    file = written("s.yaml", SEQUENCE, old, new)
    assert_refused(cli("compile", file, "--json"), f"{file}:{place}", message)
    assert_refused(cli("check", file), f"{file}:{place}", message)


@pytest.mark.parametrize(("text", "verb"), [("1e308 s", "export"), ("1e300 s", "compile")])
def test_numbers_beyond_computing_are_one_message(cli, text, verb):
    file = written("s.yaml", SEQUENCE, "t: 1 ms", f"t: {text}")
    assert_refused(cli(verb, file), f"{file}:1:1", "too large or too small to compute with")
    assert folder() == ["s.yaml"]


def test_too_little_memory_is_one_message(cli, monkeypatch):
    def hungry(*_, **__):
        raise MemoryError

    monkeypatch.setattr("nmrqb.cli.export.load_sequence", hungry)
    assert_refused(cli("export", "dm"), "dm:1:1", "more memory than there is")


@pytest.mark.parametrize("case", SAMPLES)
def test_bad_samples(cli, case):
    old, new, place, message = SAMPLES[case]
    file = written("m.yaml", SAMPLE, old, new)
    assert_refused(cli("compile", "dm", "--sample", file, "--json"), f"{file}:{place}", message)
    assert_refused(cli("check", file), f"{file}:{place}", message)


def test_the_texts_are_sound_without_the_faults(cli, no_pictures):
    for name, text in (("e.yaml", EXPERIMENT), ("s.yaml", SEQUENCE), ("m.yaml", SAMPLE)):
        Path(name).write_text(text, encoding="utf-8")
    assert cli("check", "e.yaml", "s.yaml", "m.yaml").status == 0
    assert cli("run", "e.yaml", "--json").status == 0


ARGUMENTS = {
    "no such file": (["run", "nowhere.yaml"], "nowhere.yaml:1:1", "there is no file"),
    "a folder": (["run", "./"], "./:1:1", "is a folder"),
    "unknown experiment": (["run", "charge_dm"], "charge_dm:1:1", "did you mean `charge_dm_ksea`?"),
    "unknown compiled": (["compile", "dmm"], "dmm:1:1", "did you mean `dm`?"),
    "unknown sample": (["compile", "dm", "--sample", "water"], "water:1:1", "Valid: chloroform"),
    "set without =": (
        ["run", "charge_dm_ksea", "--set", "seed"], "--set seed:1:1", "must be NAME=VALUE"
    ),
    "set of nothing": (["run", "charge_dm_ksea", "--set", "=1"], "--set =1:1:1", "NAME=VALUE"),
    "set a bad path": (
        ["run", "charge_dm_ksea", "--set", "battery.DD=1 Hz"], "--set battery.DD:1:1",
        "did you mean `D`?",
    ),
    "set through a value": (
        ["run", "charge_dm_ksea", "--set", "battery.D.x=1 Hz"], "--set battery.D.x:1:1",
        "is not a path into",
    ),
    "set a bad value": (
        ["run", "charge_dm_ksea", "--set", "battery.D=1 kg"], "--set battery.D:1:1",
        "unknown unit `kg`",
    ),
    "set snr nan": (
        ["run", "charge_dm_ksea", "--set", "measure.snr=nan"], "--set measure.snr:1:1",
        "only finite numbers",
    ),
    "set a parameter": (["compile", "dm", "--set", "u=1 ms"], "--set u:1:1", "Valid: t"),
    "set a parameter to kg": (["compile", "dm", "--set", "t=5 kg"], "--set t:1:1", "unit `kg`"),
    "bind a role": (["compile", "dm", "--spins", "Q=1H"], "--spins Q=1H:1:1", "Valid: I, S"),
    "bind a spin": (["compile", "dm", "--spins", "I=2H"], "--spins I=2H:1:1", "Valid: 13C, 1H"),
    "bind twice": (
        ["compile", "dm", "--spins", "I=1H,S=1H"], "--spins S=1H:1:1", "every role needs its own"
    ),
    "set twice": (
        ["compile", "dm", "--set", "t=1ms", "--set", "t=2ms"], "--set t:1:1", "gives t twice"
    ),
    "set a path twice": (
        ["run", "charge_dm_ksea", "--set", "seed=1", "--set", "seed = 1"], "--set seed:1:1",
        "gives seed twice; leave one out",
    ),
    "a role twice": (["compile", "dm", "--spins", "I=1H,I=13C"], "--spins I:1:1", "I twice"),
    "a term of a battery twice": (
        ["readouts", "chloroform", "--battery", "D=20Hz,D=3Hz"], "--battery D:1:1", "D twice"
    ),
    "bind without =": (["compile", "dm", "--spins", "I"], "--spins I:1:1", "NAME=VALUE"),
    "plot a gif": (["plot", "dm", "--out", "a.gif"], "dm:1:1", "must end in png, pdf, svg"),
    "plot nowhere": (
        ["plot", "dm", "--out", f"no/{'a' * 300}.png"], f"no/{'a' * 300}.png:1:1",
        "cannot be written",
    ),
    "reproduce nothing": (["reproduce", "/"], "/:1:1", "there is no paper ``; Valid: dipolar"),
    "show": (["show", "dmm"], "dmm:1:1", "did you mean `dm`?"),
    "show a file": (["show", "nowhere.yaml"], "nowhere.yaml:1:1", "there is no file"),
    "check": (["check", "nowhere"], "nowhere:1:1", "a file needs .yaml"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARGUMENTS)
def test_bad_arguments(cli, case):
    arguments, start, message = ARGUMENTS[case]
    outcome = cli(*arguments)
    assert_refused(outcome, start, message)
    assert folder() == []


USAGE = {
    "pulses": (["compile", "dm", "--pulses", "soft"], "'finite'"),
    "order": (["compile", "dm", "--order", "9"], "--order"),
    "seed": (["run", "charge_dm_ksea", "--seed", "-1"], "--seed"),
    "seed text": (["run", "charge_dm_ksea", "--seed", "one"], "--seed"),
    "kind": (["schema", "samples"], "'sample'"),
    "verb": (["comple"], "no such verb: comple; did you mean `compile`?"),
    "choices": (["study"], "choose from: coverage"),
    "too many": (["show", "dm", "dm"], "unexpected extra argument"),
    "option": (["run", "charge_dm_ksea", "--sead", "1"], "--sead"),
    "no argument": (["run"], "experiment"),
    "value twice": (
        ["design", "--sample", "chloroform", "--D", "10Hz", "--D", "12Hz"],
        "option '--D' is given twice; leave one out",
    ),
    "same value twice": (["run", "dm", "--out", "a", "--out=a"], "option '--out' is given twice"),
    "choice twice": (["compile", "dm", "--pulses", "ideal", "--pulses", "ideal"], "'--pulses' is"),
}


@pytest.mark.parametrize("case", USAGE)
def test_bad_usage(cli, case):
    arguments, named = USAGE[case]
    outcome = cli(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    line = re.fullmatch(
        r"nmrqb( [a-z]+)?:1:1: [a-z].*; usage: nmrqb.*, more by `nmrqb.* --help`\n", outcome.err
    )
    assert line, outcome.err  # one line
    assert line[1] == (None if case == "verb" else f" {arguments[0]}")
    assert named.lower() in outcome.err.lower()
    assert "Traceback" not in outcome.err
    assert folder() == []


def test_an_option_without_its_value(cli):
    outcome = cli("design", "--sample", "chloroform", "--D")
    assert (outcome.status, outcome.err) == (2, "nmrqb:1:1: option '--D' requires an argument\n")


def test_nothing_asked_for_is_helped(cli):
    outcome = cli()
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: nmrqb")
    assert "tomography" in outcome.err


def test_all_faults_of_a_file_are_told_in_their_order(cli):
    text = EXPERIMENT.replace("chloroform", "water").replace("rate: 50 Hz", "rate: 5 kg")
    Path("e.yaml").write_text(text.replace("snr: 100", "snr: 0, scan: 1"), encoding="utf-8")
    outcome = cli("check", "e.yaml")
    places = [line.split(": ")[0] for line in outcome.err.splitlines()]
    assert places == ["e.yaml:2:9", "e.yaml:5:26", "e.yaml:6:44", "e.yaml:6:47"]


def test_check_goes_on_after_a_bad_file(cli):
    Path("m.yaml").write_text(SAMPLE, encoding="utf-8")
    Path("bad.yaml").write_text(SAMPLE.replace("1H", "1Q"), encoding="utf-8")
    outcome = cli("check", "bad.yaml", "m.yaml", "dm")
    assert outcome.status == 2
    assert outcome.out == "m.yaml: ok\ndm: ok\n"
    assert outcome.err.startswith("bad.yaml:3:25: ")


def test_check_for_machines(cli):
    Path("m.yaml").write_text(SAMPLE, encoding="utf-8")
    Path("bad.yaml").write_text(SAMPLE.replace("1H", "1Q"), encoding="utf-8")
    Path("e.yaml").write_text(EXPERIMENT.replace("chloroform", "bad.yaml"), encoding="utf-8")
    outcome = cli("check", "e.yaml", "m.yaml", "--json")
    assert outcome.status == 2
    first, second = outcome.document["files"]
    assert (first["file"], first["ok"]) == ("e.yaml", False)
    (fault,) = first["faults"]
    assert (fault["file"], fault["line"], fault["column"]) == ("bad.yaml", 3, 25)
    assert second == {"file": "m.yaml", "ok": True, "faults": []}


def test_faults_are_one_line_even_if_the_file_is_not(cli):
    Path("e.yaml").write_text(EXPERIMENT.replace("chloroform", '"a\\nb"'), encoding="utf-8")
    outcome = cli("run", "e.yaml", "--json")
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 1


def test_everything_shipped_is_sound(cli):
    names = [name for kind in ("sample", "sequence", "experiment") for name in library(kind)]
    outcome = cli("check", *names, "--json")
    assert outcome.status == 0
    assert [row["ok"] for row in outcome.document["files"]] == [True] * len(names)
    assert json.loads(outcome.out)["files"][0]["file"] == names[0]
