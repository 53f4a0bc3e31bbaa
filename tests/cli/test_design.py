"""``nmrqb design``: what it writes, what it prints, and what it refuses."""

from pathlib import Path

import pytest

SAMPLE = """\
format: nmrqb-sample/1
name: amide
spins:
  - {label: H, nucleus: 1H, offset: 12 Hz}
  - {label: N, nucleus: 15N}
couplings: [{between: [H, N], J: -92.5 Hz}]
"""


def designed(cli, *arguments):
    outcome = cli("design", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    return outcome.document


def test_what_is_written_is_confirmed_by_compile(cli):
    made = designed(cli, "--sample", "chloroform", "--D", "20Hz", "--G", "-5 Hz", "--out", "a.yaml")
    assert made["file"] == "a.yaml"
    assert made["text"] is None
    assert made["sequence"] == "a"
    assert made["target"]["met"] is True
    T = 1 / (4 * 2 * 20)
    assert made["bound_s"] == pytest.approx(T * 2 * 20 / (215.13 / 4), rel=1e-12)
    assert made["free_evolution_s"] == pytest.approx(made["bound_s"], rel=1e-12)
    assert made["largest_scale"] == pytest.approx(215.13 / 4 / 40, rel=1e-12)
    assert [version["optimise"] for version in made["versions"]] == ["time", "pulses", "robustness"]
    compiled = cli("compile", "a.yaml", "--json")
    assert compiled.status == 0
    assert {key: made[key] for key in compiled.document} == compiled.document
    assert cli("check", "a.yaml").status == 0


def test_a_sample_file_is_named_from_the_folder_of_the_sequence(cli):
    Path("amide.yaml").write_text(SAMPLE, encoding="utf-8")
    Path("made").mkdir()
    options = ("--D", "4Hz", "--term", "KSEA_x=2Hz", "--term=B=1Hz", "--optimise", "robustness")
    outcome = cli("design", "--sample", "./amide.yaml", *options, "--out", "made/b.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    assert "wrote made/b.yaml; nmrqb compile made/b.yaml confirms it" in outcome.out
    assert "the offsets of the sample (12 Hz, 0 Hz) are refocused" in outcome.out
    assert "sample: ../amide.yaml\n" in Path("made/b.yaml").read_text(encoding="utf-8")
    assert cli("compile", "made/b.yaml").status == 0


def test_without_a_file_the_sequence_is_printed(cli):
    outcome = cli("design", "--sample", "chloroform", "--Delta", "9Hz", "--fill", "--time", "20 ms")
    Path("c.yaml").write_text(outcome.out, encoding="utf-8")
    compiled = cli("compile", "c.yaml", "--json").document
    assert compiled["target"]["met"] is True
    assert compiled["duration_s"] == pytest.approx(0.02, rel=1e-12)
    assert compiled["named_hz"]["Delta"] == pytest.approx(9.0)
    assert cli("design", "--sample", "chloroform", "--Delta", "9Hz", encoding="ascii").status == 0


def test_cycles_and_exact(cli):
    base = ("--sample", "chloroform", "--G", "20Hz", "--B", "2Hz", "--epsilon=3Hz")
    split = designed(cli, *base, "--cycles", "3")
    assert split["target"]["met"] is True
    assert 0.5 > split["target"]["error_hz"] > 1e-3
    whole = designed(cli, *base, "--exact", "--time", "1e-1 s")
    assert whole["target"]["error_hz"] < 1e-9
    assert whole["free_evolution_s"] <= 3 / (2 * 215.13)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--D", "30Hz"], "the largest reachable scale is 0.896375 "),
        (["--D", "30"], "--D:1:1: `30` has no unit; write for example '30 Hz'"),
        (["--D", "nan Hz"], "--D:1:1: "),
        (["--D", "3Hz", "--time", "3 Hz"], "--time:1:1: "),
        (["--D", "3Hz", "--term", "DM_z=2Hz"], "--term DM_z:1:1: gives DM_z a second time"),
        (["--term", "DM_x=3Hz", "--term", "DM_x=2Hz"], "--term DM_x:1:1: gives DM_x twice"),
        (["--term", "DMx=3Hz"], "--term DMx:1:1: is not a term; did you mean `DM_x`?"),
        (["--term", "other=3Hz"], "--term other:1:1: is not a term; Valid: B, DM_x"),
        ([], "--term:1:1: must be given, or --D, --G, --Delta, --epsilon or --B"),
        (["--D", "0Hz"], "must have a term, but all are zero"),
        (["--D", "3Hz", "--out", "missing/a.yaml"], "`missing/a.yaml` cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(cli, options, match):
    outcome = cli("design", "--sample", "chloroform", *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert match in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert list(Path().iterdir()) == []


def test_all_faults_are_told_at_once(cli):
    outcome = cli(
        "design", "--sample", "chloroform", "--D", "3", "--term", "foo=1Hz", "--time", "x"
    )
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 3
