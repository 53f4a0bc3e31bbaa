"""``nmrqb run``: result folder, summary, JSON, reproducibility, refusals before the run."""

import hashlib
import json

import numpy as np
import pytest
import xarray as xr

from nmrqb.files import library

SMALL = ("--set", "charge.times.points=3", "--set", "measure.replicas=50",
         "--set", "measure.points=64")  # fmt: skip


def finite(value):
    """Tell whether a JSON document holds numbers, texts and null only."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or np.isfinite(value)


# ------------------------------------------------------------------------------ a shipped run
def test_json_is_the_only_thing_on_standard_output(shipped_run):
    outcome, _ = shipped_run
    assert outcome.status == 0
    assert outcome.err == ""
    assert finite(outcome.document)
    assert len(outcome.document["points"]) == 41


def test_the_summary_holds_the_same_numbers(shipped_run):
    outcome, folder = shipped_run
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8")) == outcome.document


def test_the_folder_holds_data_and_pictures(shipped_run):
    outcome, folder = shipped_run
    told = {file.removeprefix("charge_dm_ksea-results/") for file in outcome.document["files"]}
    assert told == {path.name for path in folder.iterdir()}
    pictures = list(folder.glob("*.png"))
    assert len(pictures) >= 3
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) > 10_000
    assert list(folder.parent.iterdir()) == [folder]


def test_the_arrays_are_labelled_and_the_same(shipped_run):
    outcome, folder = shipped_run
    points = outcome.document["points"]
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as data:
        assert data["time"].values.tolist() == [point["time_s"] for point in points]
        values = [point["estimate"]["ergotropy_hz"]["value"] for point in points]
        assert data["ergotropy"].values.tolist() == values
        for name, array in data.data_vars.items():
            assert {"units", "long_name"} <= set(array.attrs), name


def test_seed_and_hashes_are_recorded(shipped_run):
    outcome, _ = shipped_run
    assert outcome.document["seed"] == 1
    shipped = {
        "experiment": library("experiment")["charge_dm_ksea"],
        "sample chloroform": library("sample")["chloroform"],
    }
    hashes = {name: hashlib.sha256(f.read_bytes()).hexdigest() for name, f in shipped.items()}
    assert outcome.document["provenance"]["inputs_sha256"] == hashes


def test_most_intervals_hold_the_truth(shipped_run):
    """Four figures at 41 times with 95 % intervals; bounds of four standard deviations."""
    outcome, _ = shipped_run
    inside = [
        bar["low"] <= point["true"][name] + 1e-9 and point["true"][name] - 1e-9 <= bar["high"]
        for point in outcome.document["points"]
        for name, bar in point["estimate"].items()
        if name != "fidelity_to_true"
    ]
    assert len(inside) == 164
    assert np.mean(inside) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 164)
    wide = [p["estimate"]["capacity_hz"] for p in outcome.document["points"]]
    assert np.mean([bar["high"] - bar["low"] for bar in wide]) < 5  # and they say something


# ------------------------------------------------------------------ the numbers of physics.md §6
def test_experiment_a_reproduces_the_published_maxima(cli, no_pictures):
    changes = {
        "battery.D": "100 Hz", "battery.G": "0 Hz", "battery.Delta": "50 Hz",
        "battery.epsilon": "25 Hz", "battery.B": "0 Hz", "charge.rate": "50 Hz",
        "charge.times.points": "401", "prepare.gibbs.temperature": "25 Hz", "measure.snr": "1e6",
        "noise.relaxation": "none", "measure.replicas": "50", "measure.points": "64",
    }  # fmt: skip
    options = [part for path, value in changes.items() for part in ("--set", f"{path}={value}")]
    outcome = cli("run", "charge_dm_ksea", *options, "--json")
    assert outcome.status == 0
    points = outcome.document["points"]
    assert (len(points), points[0]["time_s"], points[-1]["time_s"]) == (401, 0.0, 0.01)
    true = {key: np.array([point["true"][key] for point in points]) for key in points[0]["true"]}
    assert f"{true['ergotropy_hz'].max() / 50:.3f}" == "7.890"
    assert f"{true['capacity_hz'][0] / 50:.3f}" == "8.109"
    assert f"{true['coherence_l1'].max():.3f}" == "1.819"
    assert np.ptp(true["capacity_hz"]) < 1e-10 * true["capacity_hz"].mean()
    for key in ("ergotropy_hz", "anti_ergotropy_hz", "capacity_hz", "coherence_l1"):
        estimates = [point["estimate"][key]["value"] for point in points]
        np.testing.assert_allclose(estimates, true[key], atol=1e-3)
    assert outcome.document["provenance"]["overrides"] == changes


def test_experiment_b_exchanges_the_populations(cli, no_pictures):
    settings = ("charge.parameters.t=1/(4*J)", "charge.cycles.stop=2", "noise.relaxation=none",
                "measure.points=64", "measure.replicas=50")  # fmt: skip
    options = [part for setting in settings for part in ("--set", setting)]
    first, _, last = cli("run", "charger_battery_dm", *options, "--json").document["points"]
    assert last["free_evolution_s"] == pytest.approx(1 / 215.13)
    assert first["excited_population"]["1H"] == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-12)
    assert first["excited_population"]["1H"] > 0.5
    for one, other in (("1H", "13C"), ("13C", "1H")):
        assert last["excited_population"][one] == pytest.approx(
            first["excited_population"][other], rel=1e-12
        )
    assert first["true"]["ergotropy_hz"] == 0
    assert last["true"]["ergotropy_hz"] == pytest.approx(100 * np.tanh(1))
    assert last["model"]["ergotropy_hz"] == pytest.approx(last["true"]["ergotropy_hz"])


def test_experiment_b_says_why_run_and_model_differ(cli, no_pictures, tmp_path):
    options = ("--set", "charge.cycles.stop=8", "--set", "measure.replicas=50")
    outcome = cli("run", "charger_battery_dm", *options)
    assert "engineered run differs because its pulses turn the spins" in outcome.out
    document = json.loads((tmp_path / "charger_battery_dm-results" / "summary.json").read_text())
    gaps = [p["model"]["ergotropy_hz"] - p["true"]["ergotropy_hz"] for p in document["points"]]
    assert max(map(abs, gaps)) > 1


# ---------------------------------------------------------------------------- reproducibility
def test_the_same_seed_gives_the_same_bits(cli, no_pictures):
    one, again, other = (
        cli("run", "charge_dm_ksea", *SMALL, "--seed", seed, "--json").document
        for seed in (11, 11, 12)
    )
    assert one["seed"] == again["seed"] == 11
    assert one["points"] == again["points"]
    for here, there in zip(one["points"], other["points"], strict=True):
        assert here["true"] == there["true"]
        assert here["estimate"]["capacity_hz"] != there["estimate"]["capacity_hz"]


def test_a_drawn_seed_is_printed_and_recorded(cli, no_pictures, tmp_path):
    text = library("experiment")["charge_dm_ksea"].read_text(encoding="utf-8")
    (tmp_path / "e.yaml").write_text(text.replace("seed: 1\n", ""), "utf-8")
    outcome = cli("run", "e.yaml", *SMALL)
    drawn = json.loads((tmp_path / "e-results" / "summary.json").read_text())
    assert f"seed       {drawn['seed']}\n" in outcome.out
    second = cli("run", "e.yaml", *SMALL, "--json").document
    assert second["seed"] != drawn["seed"]
    repeated = cli("run", "e.yaml", *SMALL, "--json", "--seed", drawn["seed"]).document
    assert repeated["points"] == drawn["points"]


# ------------------------------------------------------------------------------ the out folder
def test_a_result_folder_of_ours_is_replaced_whole(cli, no_pictures, tmp_path):
    assert cli("run", "charge_dm_ksea", *SMALL, "--out", "deep/here").status == 0
    here = tmp_path / "deep" / "here"
    (here / "charging.png").write_bytes(b"old")  # one of ours, but not of this run
    assert cli("run", "charge_dm_ksea", *SMALL, "--out", "deep/here", "--seed", 4).status == 0
    assert not (here / "charging.png").exists()
    assert json.loads((here / "summary.json").read_text())["seed"] == 4
    assert [path.name for path in here.parent.iterdir()] == ["here"]


def test_an_empty_folder_is_taken(cli, no_pictures, tmp_path):
    (tmp_path / "out").mkdir()
    assert cli("run", "charge_dm_ksea", *SMALL, "--out", "out").status == 0
    assert (tmp_path / "out" / "result.nc").is_file()


def test_the_summary_is_for_people(cli, no_pictures, tmp_path):
    outcome = cli("run", "charge_dm_ksea", *SMALL)
    assert outcome.status == 0
    assert outcome.err == ""
    assert "ergotropy (Hz)" in outcome.out
    assert "charge_dm_ksea-results/result.nc" in outcome.out.replace("\\", "/")
    text = (tmp_path / "charge_dm_ksea-results" / "summary.txt").read_text(encoding="utf-8")
    assert text.strip() in outcome.out


def refuse_to_run(*_, **__):
    raise AssertionError("the run has started")


@pytest.mark.parametrize(
    ("there", "out", "message"),
    [
        ("out/thesis.tex", "out", "holds no `summary.json`"),
        ("out/summary.json", "out", "is not a result folder of ours"),
        ("out", "out", "is a file; give the name of a folder"),
        ("out", ".", "is the current folder"),
    ],
    ids=["other folder", "summary of others", "file", "here"],
)
def test_what_is_not_ours_is_refused_before_the_run(
    cli, tmp_path, monkeypatch, there, out, message
):
    monkeypatch.setattr("nmrqb.experiment.run", refuse_to_run)
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")
    outcome = cli("run", "charge_dm_ksea", "--out", out, "--json")
    assert outcome.status == 2
    assert outcome.err.startswith(f"{out}:1:1: ")
    assert message in outcome.err
    assert outcome.out == ""
    assert (tmp_path / there).read_text() == "mine"


def test_an_impossible_name_is_told(cli, no_pictures, tmp_path):
    outcome = cli("run", "charge_dm_ksea", *SMALL, "--out", "n" * 300)
    assert outcome.status == 2
    assert outcome.err.startswith(f"{'n' * 300}:1:1: ")
    assert "Traceback" not in outcome.err
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(cli, no_pictures, tmp_path):
    (tmp_path / "file").write_text("mine")
    outcome = cli("run", "charge_dm_ksea", *SMALL, "--out", "file/out")
    assert outcome.status == 2
    assert "`file/out` cannot be written" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_unwritable_place_is_told(cli, no_pictures, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    try:
        (locked / "probe").mkdir()
    except PermissionError:
        outcome = cli("run", "charge_dm_ksea", *SMALL, "--out", "locked/out")
        assert outcome.status == 2
        assert "`locked/out` cannot be written" in outcome.err
    else:
        pytest.skip("this user may write everywhere")


# ------------------------------------------------------------------------ work measured directly
def test_direct_work_and_words_on_the_command_line(cli, no_pictures):
    words = "measure.readouts=[II, IX, IY, '1H: 90 x', readout_XX]"
    options = ("--set", "measure.direct_work=true", "--set", "measure.noise_level=measured")
    outcome = cli("run", "charge_dm_ksea", *SMALL, *options, "--set", words, "--json")
    assert outcome.status == 0
    middle = outcome.document["points"][1]
    work = middle["estimate"]["extracted_work_hz"]
    assert work["low"] < work["value"] < work["high"]
    assert middle["true"]["extracted_work_hz"] <= middle["true"]["ergotropy_hz"] + 1e-9
    assert abs(work["value"] - middle["true"]["extracted_work_hz"]) < 5 * work["error"]
    assert "sequence readout_XX" in outcome.document["provenance"]["inputs_sha256"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("measure.readouts=II,IX", "must be a list, say [II, IX]"),
        ("measure.readouts=[XX, YY]", "not seen: XX, YY, ZZ; add readouts"),
        ("measure.readouts=[II, XX - 2 q]", "'2 q' of 'XX - 2 q' is none"),
        ("measure.direct_work=maybe", "must be true or false, but is 'maybe'"),
    ],
)
def test_measurements_that_make_no_sense_leave_nothing_behind(cli, tmp_path, change, fault):
    outcome = cli("run", "charge_dm_ksea", "--set", change)
    assert (outcome.status, outcome.out) == (2, "")
    assert fault in outcome.err
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (("measure.snr=0.01", "measure.reference_scans=1"), "`reference` must show the signal of"),
        (
            ("noise.receiver.digitiser_bits=8", "noise.receiver.full_scale=0.1"),
            "`full_scale` must hold all FIDs",
        ),
    ],
)
def test_data_that_tell_nothing_are_refused_by_name(cli, tmp_path, changes, fault):
    options = [part for change in changes for part in ("--set", change)]
    outcome = cli("run", "charge_dm_ksea", *SMALL, *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert fault in outcome.err
    assert list(tmp_path.iterdir()) == []
