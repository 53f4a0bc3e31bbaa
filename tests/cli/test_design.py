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


def test_the_reach_of_cycles_is_not_told_of_the_unitary_for_one_time(cli):
    exact = cli("design", "--sample", "chloroform", "--D", "50Hz", "--time", "2ms", "--exact")
    assert exact.status == 0
    assert ": met," in exact.out
    assert "reach" not in exact.out
    cycles = cli("design", "--sample", "chloroform", "--D", "20Hz", "--time", "2ms")
    assert "reach      the couplings may be 1.34456 times as large" in cycles.out


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
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(cli, options, match):
    outcome = cli("design", "--sample", "chloroform", *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert match in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert list(Path().iterdir()) == []


OLD = "# by hand\nformat: nmrqb-sequence/1\nname: old\nspins: {I: any}\nsequence: []\n"


@pytest.mark.parametrize("name", ["a.txt", "a", "./a.json", "a.yaml.bak"])
def test_another_ending_is_refused_before_the_search(cli, monkeypatch, name):
    monkeypatch.setattr("nmrqb.design.design_sequence", None)
    outcome = cli("design", "--sample", "chloroform", "--D", "3Hz", "--out", name)
    message = f"{name}:1:1: `{name}` must end in .yaml or .yml, for it is a sequence file\n"
    assert (outcome.status, outcome.out, outcome.err) == (2, "", message)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("held", [OLD, "thesis", "", OLD.replace("by hand", "designed by nmrqb?")])
def test_a_file_that_is_no_design_is_kept(cli, held):
    Path("a.yaml").write_text(held, encoding="utf-8")
    outcome = cli("design", "--sample", "chloroform", "--D", "3Hz", "--out", "a.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("a.yaml:1:1: `a.yaml` exists already and is no design; give")
    assert Path("a.yaml").read_text(encoding="utf-8") == held


def test_a_design_is_replaced_and_its_name_is_quoted(cli):
    for value in ("3Hz", "4Hz"):
        options = ("--sample", "chloroform", f"--D={value}", "--out", "deep/my own.yml")
        outcome = cli("design", *options)
        assert (outcome.status, outcome.err) == (0, "")
        assert "wrote deep/my own.yml; nmrqb compile 'deep/my own.yml' confirms" in outcome.out
    assert "target: {time: 0.03125 s, DM_z: 4 Hz}" in Path("deep/my own.yml").read_text("utf-8")


TRIPLE = """\
format: nmrqb-sample/1
name: triple
spins:
  - {label: H, nucleus: 1H, offset: 12 Hz}
  - {label: C1, nucleus: 13C}
  - {label: C2, nucleus: 13C, offset: -30 Hz}
couplings:
  - {between: [H, C1], J: 140 Hz}
  - {between: [H, C2], J: 25 Hz}
  - {between: [C1, C2], J: 35 Hz}
"""


def test_three_spins_go_through_toggling_frames(cli):
    Path("triple.yaml").write_text(TRIPLE, encoding="utf-8")
    options = ("--sample", "./triple.yaml", "--control", "selective", "--cycles", "2")
    made = designed(
        cli, *options, "--term", "DM_z(H,C1)=10Hz", "--term", "ZII=2Hz", "--out", "t.yaml"
    )
    assert made["wanted_pauli_hz"] == {"XYI": 10.0, "YXI": -10.0, "ZII": 2.0}
    assert made["free_evolution_s"] == pytest.approx(made["bound_s"], rel=1e-9)
    assert made["largest_scale"] == pytest.approx(made["time_s"] / made["bound_s"])
    assert made["target"] is None
    compiled = cli("compile", "t.yaml", "--json")
    assert compiled.status == 0
    assert {key: made[key] for key in compiled.document} == compiled.document
    zeroth, first = (order["pauli_hz"] for order in compiled.document["orders"][:2])
    scale = compiled.document["duration_s"] / made["time_s"]
    wanted = made["wanted_pauli_hz"]
    assert {name: zeroth.get(name, 0.0) * scale for name in {*zeroth, *wanted}} == pytest.approx(
        {name: wanted.get(name, 0.0) for name in {*zeroth, *wanted}}, abs=1e-8
    )
    assert all(abs(value) < 1e-8 for value in first.values())
    assert cli("check", "t.yaml").status == 0


def test_a_dipolar_pair_is_designed_selectively_and_impossible_collectively(cli):
    made = designed(cli, "--sample", "oriented_pair", "--D", "20Hz", "--control", "selective")
    assert made["target"]["met"] is True
    refused = cli("design", "--sample", "oriented_pair", "--D", "20Hz", "--out", "a.yaml")
    assert (refused.status, refused.out) == (2, "")
    assert len(refused.err.splitlines()) == 1
    assert "impossible: spins 1 and 2 are pulsed alike" in refused.err
    assert list(Path().iterdir()) == []


def test_unknown_offsets_are_refocused_and_the_result_is_exported(cli):
    made = designed(cli, "--sample", "chloroform", "--D", "20Hz", "--refocus", "--out", "r.yaml")
    assert "offsets of unknown size average to zero as well" in made["remarks"]
    offsets = [row for row in made["robustness"] if row["error"].startswith("offset")]
    assert max(row["infidelity"] for row in offsets) < 1e-3
    assert cli("compile", "r.yaml").status == 0
    found = cli("export", "r.yaml", "--to", "topspin", "--json")
    assert found.status == 0
    assert Path("r-topspin/r").is_file()


SHAPED = (
    "--sample", "chloroform", "--D", "20Hz", "--time", "5ms", "--shaped", "12ms",
    "--steps", "48", "--amplitude", "1H=2kHz,13C=2kHz",
)  # fmt: skip


def test_an_optimised_pulse_is_confirmed_and_exported(cli):
    made = designed(
        cli, *SHAPED, "--seed", "1", "--b1", "2%", "--shortfall", "1e-3", "--out", "g.yaml"
    )
    assert (made["seed"], made["members"], made["goal"]) == (1, 3, "unitary")
    assert made["mean"] > 0.999 - 1e-9
    assert made["target"]["met"] is True
    assert made["target"]["infidelity"] == pytest.approx(1 - made["value"], abs=1e-9)
    assert cli("compile", "g.yaml").status == 0
    assert cli("export", "g.yaml").status == 0
    assert sorted(path.name for path in Path("g-topspin").iterdir()) == [
        "g", "g.1", "g.2", "parameters.txt", "summary.json",
    ]  # fmt: skip


POOR = (
    "design", "--sample", "chloroform", "--D", "20Hz", "--time", "5ms", "--shaped", "12ms",
    "--steps", "48", "--amplitude", "1H=2kHz,13C=2kHz", "--seed", "1", "--iterations", "25",
    "--starts", "1", "--out", "poor.yaml",
)  # fmt: skip


def test_a_pulse_that_is_not_good_enough_is_written_and_told(cli):
    outcome = cli(*POOR)
    assert (outcome.status, outcome.err) == (1, "")
    assert "the search ended before it was good enough: iterations" in outcome.out
    assert "confirms it" not in outcome.out
    assert outcome.out.rstrip().endswith("nmrqb compile poor.yaml shows what is missing")
    compiled = cli("compile", "poor.yaml", "--json")
    assert compiled.status == 1
    target = compiled.document["target"]
    assert target["met"] is False
    assert 1e-4 < target["infidelity"] < 0.1
    # what is left over would have been enough, had it been asked for
    least = str(1.01 * target["infidelity"])
    assert cli(*POOR, "--shortfall", least).status == 0
    assert cli("compile", "poor.yaml").status == 0


def test_a_drawn_seed_is_told_and_gives_the_pulse_again(cli):
    first = designed(cli, *SHAPED, "--shortfall", "1e-2")
    again = designed(cli, *SHAPED, "--shortfall", "1e-2", "--seed", str(first["seed"]))
    assert again == first


def test_a_battery_is_charged_by_a_pulse(cli):
    options = ("--sample", "chloroform", "--D", "20Hz", "--shaped", "12ms", "--steps", "30")
    made = designed(
        cli, *options, "--ergotropy", "30Hz", "--seed", "2", "--amplitude", "1H=1kHz,13C=1kHz"
    )
    assert made["goal"] == "ergotropy"
    assert made["value"] == pytest.approx(made["largest"], abs=1e-3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--D", "3Hz", "--steps", "9"], "--steps:1:1: means nothing without --shaped"),
        (["--D", "3Hz", "--seed", "0"], "--seed:1:1: means nothing without --shaped"),
        (["--D", "3Hz", "--refocus", "--exact"], "--exact:1:1: means nothing with cycles of"),
        (["--D", "3Hz", "--shaped", "9ms", "--fill"], "--fill:1:1: means nothing with --shaped"),
        (["--D", "3Hz", "--shaped", "9ms", "--cycles", "2"], "--cycles:1:1: means nothing with"),
        (["--D", "3Hz", "--shaped", "9"], "--shaped:1:1: `9` has no unit"),
        (["--D", "3Hz", "--shaped", "9ms", "--b1", "3Hz"], "--b1:1:1: "),
        (
            ["--D", "3Hz", "--shaped", "9ms", "--b1", "5"],
            "--b1:1:1: must be between 0 % and 20 %, but is 5",
        ),
        (
            ["--D", "3Hz", "--shaped", "9ms", "--b1", "-1%"],
            "--b1:1:1: must be between 0 % and 20 %, but is -0.01",
        ),
        (["--D", "3Hz", "--shaped", "9ms", "--amplitude", "1H"], "must be NAME=VALUE"),
        (["--D", "3Hz", "--shaped", "9ms", "--limit", "0s"], "`seconds` must be positive"),
        (["--D", "3Hz", "--shaped", "9ms", "--shortfall", "0"], "`shortfall` must be positive"),
        (["--D", "300Hz", "--refocus"], "the largest reachable scale is 0.0896375"),
        (["--term", "XYI=3Hz", "--refocus"], "--term XYI:1:1: Argument `hamiltonian` must hold"),
        (
            ["--D", "3Hz", "--term", "DM_z(2,2)=1Hz", "--refocus"],
            "must name two of the spins 1H, 13C",
        ),
    ],
)
def test_options_of_other_ways_and_wrong_values_are_refused(cli, options, match):
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
