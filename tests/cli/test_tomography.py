"""`nmrqb tomography` and `nmrqb calibrate`: text, documents, folders, and bad data."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from nmrqb.battery import Battery
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.readers import write_fids
from nmrqb.tomography import acquire, measurement_chain

READOUTS = ("II", "IX", "IY", "XX")
RHO = np.diag([0.55, 0.2, 0.15, 0.1]).astype(complex)


@pytest.fixture
def data(tmp_path):
    """Return a data file beside simulated FIDs of one state."""
    sample, receiver = load_sample("chloroform"), Receiver(2000.0, 2048)
    chain = measurement_chain(sample, READOUTS, receiver=receiver)
    rng = np.random.default_rng(1)
    fids = acquire(chain, RHO)
    fids = fids + 0.005 * (rng.normal(size=(*fids.shape, 2)) @ [1, 1j])
    files = []
    for r, readout in enumerate(READOUTS):
        for c, channel in enumerate(chain.channels):
            name = f"{readout}_{channel}.npz"
            write_fids(tmp_path / name, fids[r, c], receiver, nucleus=channel)
            files.append({"file": name, "channel": channel, "readout": readout})
    document = {
        "format": "nmrqb-data/1", "sample": "chloroform", "kind": "full", "lines": "known",
        "files": files,
    }  # fmt: skip
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(document))
    return "data.yaml"


def test_document_and_figures(cli, data):
    outcome = cli("tomography", data, "--battery", "B=5Hz,Delta=2Hz", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    (state,) = outcome.document["states"]
    assert outcome.document["format"] == "nmrqb-tomography/1"
    assert state["not_determined"] == []
    assert np.diag(state["rho"]["real"]) == pytest.approx(np.diag(RHO).real, abs=0.02)
    assert state["populations"]["largest"] == "00"
    ergotropy = state["figures"]["ergotropy_hz"]
    assert ergotropy["low"] <= ergotropy["value"] <= ergotropy["high"]
    assert ergotropy["determined"]
    assert all(len(h) == 64 for h in outcome.document["provenance"]["inputs_sha256"].values())


def test_text_and_folder(cli, data):
    outcome = cli("tomography", data, "--out", "found")
    assert outcome.status == 0
    assert "not determined: nothing" in outcome.out
    for name in ("tomography.json", "fits.png", "state.png"):
        assert f"found/{name}" in outcome.out
        assert Path("found", name).stat().st_size > 1000
    written = Path("found/tomography.json").read_text(encoding="utf-8")
    assert json.loads(written)["states"][0]["name"] == "sum"
    assert cli("tomography", data, "--out", "found").status == 0  # ours: replaced
    assert cli("tomography", data, "--out", ".").status == 2


def test_a_battery_of_an_experiment(cli, data):
    from nmrqb.files import library

    text = library("experiment")["charge_dm_ksea"].read_text(encoding="utf-8")
    Path("e.yaml").write_text(text, encoding="utf-8")
    assert "ergotropy" in cli("tomography", data, "--battery", "e.yaml").out
    outcome = cli("tomography", data, "--battery", "spin=13C,frequency=-100Hz")
    assert "ergotropy" in outcome.out, outcome.err
    outcome = cli("tomography", data, "--battery", "Q=5Hz")
    assert (outcome.status, outcome.out) == (2, "")
    assert "is not a term of a battery" in outcome.err


@pytest.mark.parametrize("content", [b"", b"\x00" * 300, b"PK\x03\x04 not really", b"1,2,3\n"])
def test_broken_recordings_are_one_line_each(content, cli, data, tmp_path):
    (tmp_path / "II_1H.npz").write_bytes(content)
    outcome = cli("tomography", data)
    assert (outcome.status, outcome.out) == (2, "")
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("II_1H.npz:1:1: ")


def test_missing_files_are_told_all_at_once(cli, data):
    outcome = cli("tomography", data, "--folder", "elsewhere")
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 8


def test_where_nothing_is_there_the_option_is_named(cli, data, tmp_path):
    outcome = cli("tomography", "chloroform_00")
    assert outcome.status == 2
    told = "its recordings are not there: `00/00_H_P0.csv` and 5 more; give their folder"
    assert outcome.err.splitlines() == [f"chloroform_00:1:1: {told} with --folder"]
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "data.yaml").write_text((tmp_path / data).read_text())
    assert "and 7 more; give their folder" in cli("tomography", "alone/data.yaml").err
    (tmp_path / "II_1H.npz").unlink()  # some are there: that one is missing
    outcome = cli("tomography", data)
    assert "II_1H.npz:1:1: there is no such file" in outcome.err
    assert "--folder" not in outcome.err


def test_a_folder_means_its_data_file(cli, data, tmp_path):
    assert cli("tomography", str(tmp_path)).out == cli("tomography", str(tmp_path / data)).out != ""
    (tmp_path / "empty").mkdir()
    outcome = cli("calibrate", "empty")
    assert outcome.status == 2
    assert "empty:1:1: this folder holds no data.yaml; name a data file" in outcome.err


def test_figures_have_values_and_say_how_they_were_made(cli, data):
    battery = ("--battery", "B=5Hz,Delta=2Hz")
    text = cli("tomography", data, *battery).out
    assert ": determined\n" not in text + "\n"
    shares = text.split("populations (energy basis): ")[1].splitlines()[0].split(",")[:4]
    found = [float(share.split("±")[0]) for share in shares]
    _, V = np.linalg.eigh(Battery.from_terms(B=5, Delta=2).hamiltonian_hz)
    levels = np.diag(V.conj().T @ RHO @ V).real - 0.25
    assert found == pytest.approx(levels, abs=0.02)
    purity = float(text.split("purity: ")[1].split()[0])
    assert purity == pytest.approx(np.trace(RHO @ RHO).real, abs=0.02)
    assert "95 %, parametric bootstrap of 400 replicas with seed 1" in text
    document = cli("tomography", data, *battery, "--json").document
    assert document["intervals"]["seed"] == 1
    figures = document["states"][0]["figures"]
    assert figures["populations"]["value"] == pytest.approx(levels, abs=0.02)
    assert figures["purity"]["value"] == pytest.approx(purity, abs=1e-4)
    assert cli("tomography", data, "--json").document["intervals"] is None


def test_columns_and_contrasts_are_explained(cli, data, tmp_path):
    fitted = (tmp_path / data).read_text().replace("lines: known", "lines: fitted")
    (tmp_path / "fitted.yaml").write_text(fitted)
    text = cli("tomography", "fitted.yaml").out
    assert text.count("misfit: χ² per degree of freedom") == 1
    assert "contrast of the two lines" not in text  # of eight: too many to read
    assert "misfit: χ²" not in cli("tomography", data).out  # lines are known: nothing is fitted
    document = yaml.safe_load(fitted)
    few = [f for f in document["files"] if f["readout"] in {"IX", "XX"}]
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(document | {"files": few}))
    text = cli("tomography", "few.yaml").out
    contrasts = text.split("contrast of the two lines: ")[1].splitlines()[0]
    assert {part.rsplit(" ", 1)[0] for part in contrasts.split(", ")} == {
        f"{f['readout']} on {f['channel']}" for f in few
    }


def test_nothing_to_do_is_told(cli, data):
    outcome = cli("calibrate", data)
    assert outcome.status == 2
    assert "`series` is missing" in outcome.err


def test_calibrate_writes_a_sample(cli, tmp_path):
    t = np.arange(1024) / 500.0
    delays = np.array([0.02, 0.2, 0.5, 1, 2, 4, 8.0])
    rows = (1 - 2 * np.exp(-delays / 1.1))[:, None] * np.exp((2j * np.pi * 40 - 5) * t)
    rng = np.random.default_rng(2)
    rows = rows + 0.002 * (rng.normal(size=(*rows.shape, 2)) @ [1, 1j])
    write_fids(tmp_path / "t1.npz", rows, Receiver(500.0, 1024), nucleus="1H", delays_s=delays)
    (tmp_path / "data.yaml").write_text(
        "format: nmrqb-data/1\nsample: chloroform\n"
        "series: [{file: t1.npz, measures: T1, spin: 1H, near: 40 Hz}]\n"
    )
    outcome = cli("calibrate", "data.yaml", "--out", "mine.yaml", "--json")
    assert outcome.status == 0
    assert outcome.document["measured"][0]["value"] == pytest.approx(1.1, rel=0.01)
    assert cli("check", "mine.yaml").status == 0
    assert cli("compile", "dm", "--sample", "./mine.yaml").status == 0
    assert cli("calibrate", "data.yaml").out.count("T1 1H") == 1
    drawn = cli("calibrate", "data.yaml", "--pictures", "seen")
    assert drawn.status == 0
    assert "seen/calibration.png" in drawn.out
    assert Path("seen/calibration.png").read_bytes().startswith(b"\x89PNG")
    both = cli("calibrate", "data.yaml", "--pictures", "seen", "--out", "mine.yaml", "--json")
    assert {"mine.yaml", "seen/calibration.png"} <= set(both.document["files"])
    assert cli("calibrate", "data.yaml", "--pictures", ".").status == 2


def recovery(folder, time, factor=2.0, name="t1.npz"):
    t = np.arange(1024) / 500.0
    delays = np.array([0.02, 0.2, 0.5, 1, 2, 4, 8.0])
    rows = (1 - factor * np.exp(-delays / time))[:, None] * np.exp((2j * np.pi * 40 - 5) * t)
    rng = np.random.default_rng(2)
    rows = rows + 0.002 * (rng.normal(size=(*rows.shape, 2)) @ [1, 1j])
    write_fids(folder / name, rows, Receiver(500.0, 1024), nucleus="1H", delays_s=delays)


def test_a_short_t1_does_not_lose_the_measurement(cli, tmp_path):
    """The T2 of the shipped sample is nominal: it must not keep a measured T1 out."""
    recovery(tmp_path, 0.4)
    series = {"file": "t1.npz", "measures": "T1", "spin": "1H", "near": "40 Hz"}
    head = {"format": "nmrqb-data/1", "sample": "chloroform", "series": [series]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(head))
    outcome = cli("calibrate", "data.yaml", "--out", "mine.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    assert "T1 1H" in outcome.out
    assert "Sample: T2 of 1H: left out: 2 s in sample chloroform was not measured" in outcome.out
    assert load_sample(tmp_path / "mine.yaml").spins[0].T1_s == pytest.approx(0.4, rel=0.01)
    document = cli("calibrate", "data.yaml", "--out", "mine.yaml", "--json").document
    assert document["sample_notes"][0].startswith("T2 of 1H: left out")
    assert document["measured"][0]["trusted"]


@pytest.mark.parametrize("as_json", [False, True])
def test_what_cannot_be_written_is_still_told(as_json, cli, tmp_path):
    recovery(tmp_path, 200.0)
    series = {"file": "t1.npz", "measures": "T1", "spin": "1H", "near": "40 Hz"}
    head = {"format": "nmrqb-data/1", "sample": "chloroform", "series": [series]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(head))
    outcome = cli("calibrate", "data.yaml", "--out", "mine.yaml", *["--json"] * as_json)
    assert outcome.status == 2
    (line,) = outcome.err.splitlines()
    assert line.startswith("data.yaml:1:1: nothing that was measured can be written: T1 of 1H")
    assert not (tmp_path / "mine.yaml").exists()
    if as_json:
        (one,) = outcome.document["measured"]
        assert (one["value"], one["error"], one["bound"]) == (None, None, "> 24")
        assert not one["trusted"]
        assert outcome.document["files"] == []
    else:
        row = outcome.out.splitlines()[1].split()
        assert row[:5] == ["T1", "1H", ">", "24", "-"]
        assert "a bound only" in outcome.out
    unwritable = cli("calibrate", "data.yaml", "--out", "data.yaml/mine.yaml")
    assert unwritable.status == 2
    assert "T1 1H" in unwritable.out


def test_tables_of_integrals(cli, tmp_path):
    """Real parts only: their text and document say so, with null for the other part."""
    (tmp_path / "i.txt").write_text("eq 1.0 1.0\nP0 0.9 0.4\n")
    document = {
        "format": "nmrqb-data/1", "sample": "chloroform",
        "channels": {
            "1H": {"integrals": {"columns": [3, 2], "order": "descending", "error": "1 %"}},
        },
        "files": [
            {"file": "i.txt", "record": k, "channel": "1H", "readout": "XI", "experiment": e}
            for k, e in ((1, "eq"), (2, "P0"))
        ],
        "calibration": {"experiment": "eq", "state": "thermal"},
    }  # fmt: skip
    (tmp_path / "tables.yaml").write_text(yaml.safe_dump(document))
    outcome = cli("tomography", "tables.yaml", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    (state,) = outcome.document["states"]
    paulis = state["paulis"]
    assert {name for name, p in paulis.items() if p["determined"]} == {"ZI", "ZZ"}
    assert paulis["ZI"]["value"] == pytest.approx(0.65, abs=1e-6)
    assert abs(paulis["ZZ"]["value"]) == pytest.approx(0.25, abs=1e-6)
    assert state["line_contrast"]["XI on 1H"] == pytest.approx(0.5 / 1.3, abs=1e-6)
    assert outcome.document["files"][0]["amplitudes"][0]["imaginary"] is None
    assert outcome.document["gains"]["1H"]["phase_deg"] == pytest.approx(90, abs=0.1)
    text = cli("tomography", "tables.yaml").out
    assert "integrated" in text
    assert "nan" not in text
    (tmp_path / "i.txt").write_text("eq 1.0 1.0\nP0 0.9 zero\n")
    outcome = cli("tomography", "tables.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.splitlines() == [outcome.err.strip()]
    assert "i.txt:2:8: must be a finite number" in outcome.err
