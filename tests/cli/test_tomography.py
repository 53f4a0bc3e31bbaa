"""`nmrqb tomography` and `nmrqb calibrate`: text, documents, folders, and bad data."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

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
