"""`nmrqb plot` of recordings: spectra from which the place of a line is chosen."""

from pathlib import Path

import numpy as np
import pytest

from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.readers import write_fids


@pytest.fixture
def recording(tmp_path):
    t = np.arange(1024) / 500.0
    rng = np.random.default_rng(2)
    rows = np.array([1.0, 0.5])[:, None] * np.exp((2j * np.pi * 40.0 - 3) * t)
    rows = rows + 0.01 * (rng.normal(size=(*rows.shape, 2)) @ [1, 1j])
    write_fids(tmp_path / "t1.npz", rows, Receiver(500.0, 1024), nucleus="1H", delays_s=[0.1, 1])
    return "t1.npz"


@pytest.mark.parametrize("path", ["t1.npz", "./t1.npz"])
def test_a_recording_is_drawn_and_its_lines_are_told(path, cli, recording):
    outcome = cli("plot", path)
    assert (outcome.status, outcome.err) == (0, "")
    lines, wrote = outcome.out.splitlines()
    assert lines.startswith("strongest lines at 40.")
    assert wrote == "wrote t1-spectrum.png"
    assert Path("t1-spectrum.png").read_bytes().startswith(b"\x89PNG")
    document = cli("plot", path, "--out", "a.svg", "--json").document
    assert document == {"file": "a.svg", "lines": lines}


def test_a_place_that_was_read_from_it_is_taken(cli, recording, tmp_path):
    place = cli("plot", recording).out.split(" at ")[1].split(",")[0].split()[0]
    delays = "[0.1 s, 0.2 s, 0.5 s, 1 s]"
    t = np.arange(1024) / 500.0
    rows = np.exp(-np.array([0.1, 0.2, 0.5, 1.0]))[:, None] * np.exp((2j * np.pi * 40.0 - 3) * t)
    rows = rows + 0.001 * (np.random.default_rng(1).normal(size=(*rows.shape, 2)) @ [1, 1j])
    write_fids(tmp_path / "t2.npz", rows, Receiver(500.0, 1024), nucleus="1H")
    (tmp_path / "data.yaml").write_text(
        "format: nmrqb-data/1\nsample: chloroform\nseries:\n"
        f"  - {{file: t2.npz, measures: T2, spin: 1H, near: {place} Hz, times: {delays}}}\n"
    )
    assert cli("calibrate", "data.yaml").status == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--sample", "chloroform"), ("--set", "t=2ms"), ("--picture", "city")]
)
def test_options_of_other_pictures_are_refused(option, value, cli, recording):
    outcome = cli("plot", recording, option, value)
    assert outcome.status == 2
    assert f"{option}:1:1: says nothing of a recording; leave it out" in outcome.err


@pytest.mark.parametrize("name", ["missing.npz", "folder/missing"])
def test_a_recording_that_is_not_there(name, cli):
    outcome = cli("plot", name)
    assert outcome.status == 2
    assert outcome.err.splitlines() == [f"{name}:1:1: there is no such file or folder"]


def test_names_mean_shipped_sequences(cli, recording, tmp_path):
    (tmp_path / "dm").mkdir()
    (tmp_path / "dm" / "acqus").write_text("##TITLE=x\n")
    assert "wrote dm.png" in cli("plot", "dm").out
    assert "dm" in cli("plot", "dm/").err  # the folder: a Bruker one without data


def test_folders_of_a_spectrometer(cli, recorded_folder, tmp_path):
    import zipfile

    with zipfile.ZipFile(recorded_folder / "bruker" / "aspirin-1h.zip") as packed:
        packed.extractall(tmp_path)
    outcome = cli("plot", "1", "--out", "seen.png")
    assert outcome.status == 0
    assert outcome.out.startswith("strongest lines at 2.294, ")
