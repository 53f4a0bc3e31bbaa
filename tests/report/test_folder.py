"""The result folder: what is in it, and that it is there whole or not at all."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nmrqb.errors import OutputError
from nmrqb.experiment import load_experiment, run
from nmrqb.files import library
from nmrqb.report import check_result_folder, dump, folder, result_document, write_result
from nmrqb.report.folder import to_real
from nmrqb.report.pictures import new_figure

OURS = '{"format": "nmrqb-result/1"}'
QUICK = {"measure.replicas": "50", "measure.points": "64", "charge.cycles.stop": "2"}


@pytest.fixture(scope="module")
def result():
    return run(load_experiment("charger_battery_dm", overrides=QUICK))


@pytest.fixture
def target(tmp_path, monkeypatch):
    """Return a folder to write to; pictures are tiny, as drawing them is slow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(folder, "result_figures", lambda _: {"state.png": new_figure(1, 1)})
    return tmp_path / "out"


def content(path):
    """Return everything under a path, hidden things included."""
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_the_files_of_a_result(result, target):
    files = write_result(result, "out")
    assert [Path(file) for file in files] == [
        Path("out") / name for name in ("result.nc", "summary.json", "summary.txt", "state.png")
    ]
    assert {str(Path(file).name) for file in files} == {str(p) for p in content(target)}
    document = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    assert document == json.loads(dump(result_document(result, files)))
    assert (target / "summary.txt").read_text(encoding="utf-8").startswith("A 1H charger fills")
    assert (target / "state.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_all_pictures_are_there_and_not_empty(result, tmp_path, monkeypatch):
    monkeypatch.setattr("nmrqb.report.pictures.DPI", 50)  # quicker
    write_result(result, tmp_path / "out")
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    names = ("sequence", "signal", "residuals", "state", "charging")
    assert set(pictures) == {f"{name}.png" for name in names}
    for name, data in pictures.items():
        assert data.startswith(b"\x89PNG\r\n\x1a\n"), name
        assert len(data) > 2_000, name


def test_the_picture_of_the_protocol_is_of_the_state_that_the_others_show(result, monkeypatch):
    found = []
    monkeypatch.setattr(folder, "protocol_figure", lambda *_, at: found.append(at))
    folder.PICTURES["sequence.png"](result)
    assert found == [int(result.data["shown"])]


def test_arrays_survive_the_round_trip(result, target):
    write_result(result, target)
    with xr.open_dataset(target / "result.nc", engine="h5netcdf") as stored:
        assert set(stored.data_vars) == set(result.data.data_vars)
        for name, array in result.data.data_vars.items():
            values = stored[name].values
            if np.iscomplexobj(array):
                assert stored[name].dims == (*array.dims, "part")
                values = values[..., 0] + 1j * values[..., 1]
            np.testing.assert_array_equal(values, array.values, err_msg=name)
            assert stored[name].attrs["units"] == array.attrs["units"], name
            assert stored[name].attrs["long_name"] == array.attrs["long_name"], name
        assert list(stored["part"].values) == ["real", "imaginary"]
        assert stored["time"].attrs == {"long_name": "protocol time", "units": "s"}
        assert stored["time"].dtype == float  # not taken for a date
        assert list(stored["spin"].values) == ["1H", "13C"]
        assert stored.attrs["estimator"] == "maximum-likelihood"


def test_real_arrays_are_left_alone(result):
    real = to_real(result.data)
    assert not any(np.iscomplexobj(real[name]) for name in real)
    np.testing.assert_array_equal(real["ergotropy"], result.data["ergotropy"])


def test_seed_and_hashes_are_in_the_summary(result, target):
    write_result(result, target)
    document = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    assert document["seed"] == document["provenance"]["seed"] == 2
    shipped = {
        "experiment": library("experiment")["charger_battery_dm"],
        "sample chloroform": library("sample")["chloroform"],
        "sequence dm": library("sequence")["dm"],
    }
    for name, file in shipped.items():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert document["provenance"]["inputs_sha256"][name] == digest
    assert document["provenance"]["overrides"] == QUICK


def test_a_result_of_ours_is_replaced_whole(result, target):
    target.mkdir()
    (target / "summary.json").write_text(OURS)
    (target / "charging.png").write_text("old")
    check_result_folder(target)
    write_result(result, target)
    assert not (target / "charging.png").exists()
    assert json.loads((target / "summary.json").read_text())["seed"] == 2
    assert [path.name for path in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"thesis.tex": "years of work"}, r"holds no `summary\.json`"),
        ({"summary.json": "{}"}, r"is not a result folder of ours"),
        ({"summary.json": OURS, "thesis.tex": "years of work"}, r"also holds `thesis\.tex`"),
    ],
    ids=["not ours", "a summary of others", "ours with a guest"],
)
@pytest.mark.parametrize("writing", [True, False], ids=["write", "check"])
def test_other_folders_are_refused(result, target, writing, files, message):
    target.mkdir()
    for name, text in files.items():
        (target / name).write_text(text)
    before = content(target.parent)
    with pytest.raises(OutputError, match=message):
        write_result(result, target) if writing else check_result_folder(target)
    assert content(target.parent) == before


def test_a_file_is_refused(result, target):
    target.write_text("a file")
    with pytest.raises(OutputError, match=r"is a file; give the name of a folder"):
        write_result(result, target)
    with pytest.raises(OutputError, match=r"is a file"):
        check_result_folder(target)
    assert target.read_text() == "a file"


@pytest.mark.parametrize("step", ["to_real", "picture_bytes", "result_text", "result_document"])
@pytest.mark.parametrize("old", [False, True], ids=["new", "over an old one"])
def test_a_crash_leaves_nothing_or_the_old_one(result, target, monkeypatch, old, step):
    if old:
        target.mkdir()
        for name in ("summary.json", "result.nc"):
            (target / name).write_text(OURS)

    def halt(*_):
        raise KeyboardInterrupt

    before = content(target.parent)
    monkeypatch.setattr(folder, step, halt)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        write_result(result, target)
    assert content(target.parent) == before
    assert [path.name for path in target.parent.iterdir()] == (["out"] if old else [])


def test_a_full_disk_is_told(result, target, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "picture_bytes", full)
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device"):
        write_result(result, target)
    assert not any(target.parent.iterdir())
