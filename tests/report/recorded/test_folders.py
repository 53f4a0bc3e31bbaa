"""Folders of recorded data: what lies in them, what is replaced, what is refused."""

import json

import numpy as np
import pytest
from matplotlib.image import imread

from nmrqb.errors import OutputError
from nmrqb.report.recorded import (
    check_calibration_folder,
    check_tomography_folder,
    fit_pictures,
    write_calibrations,
    write_tomography,
)

RHO = np.diag([0.55, 0.2, 0.15, 0.1]).astype(complex)


def test_a_tomography(tomogram, tmp_path):
    found, folder = tomogram({"rho": RHO}, ("IX", "XI")), tmp_path / "out"
    files = write_tomography(found, folder)
    assert files == [f"{folder}/{name}" for name in (
        "tomography.json", "tomography.txt", "fits.png", "state.png")]  # fmt: skip
    assert sorted(map(str, folder.iterdir())) == sorted(files)
    assert json.loads((folder / "tomography.json").read_text(encoding="utf-8"))["data"] == "data"
    for name in ("fits.png", "state.png"):
        assert imread(folder / name).std() > 0.05
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match=r"also holds `thesis\.tex`"):
        write_tomography(found, folder)


def test_pages_of_an_earlier_result_do_not_stay(tomogram, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    monkeypatch.setattr(fit_pictures, "ROWS", 1)
    many = tomogram({f"t{k}": RHO for k in range(2)}, ("XX",))
    assert f"{folder}/fits_2.png" in write_tomography(many, folder)
    write_tomography(tomogram({"t0": RHO}, ("XX",)), folder)  # ours: replaced
    assert not (folder / "fits_2.png").exists()


def test_calibrations(calibrations, tmp_path):
    folder = tmp_path / "out"
    files = write_calibrations(calibrations("T1", "J"), folder)
    assert sorted(map(str, folder.iterdir())) == sorted(files)
    document = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    assert document["format"] == "nmrqb-calibration/1"
    assert [one["measures"] for one in document["measured"]] == ["T1", "J"]
    assert imread(folder / "calibration.png").std() > 0.05
    check_calibration_folder(folder)
    with pytest.raises(OutputError, match="is not a result folder of ours"):
        check_tomography_folder(folder)
