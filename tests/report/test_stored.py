"""Reading result folders again: what was written comes back, and nothing else is taken."""

import gc

import numpy as np
import pytest
import xarray as xr

from nmrqb.errors import ArgumentError, InputError
from nmrqb.experiment import load_experiment, run
from nmrqb.report import folder, read_result, stored_figure, write_result
from nmrqb.report.pictures import new_figure

QUICK = {"measure.replicas": "50", "measure.points": "64", "charge.cycles.stop": "2"}


@pytest.fixture(scope="module")
def result():
    return run(load_experiment("charger_battery_dm", overrides=QUICK))


@pytest.fixture
def written(result, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "result_figures", lambda _: {"state.png": new_figure(1, 1)})
    write_result(result, tmp_path / "out")
    return tmp_path / "out"


def test_what_was_written_comes_back(result, written):
    found = read_result(written)
    assert set(found.data_vars) == set(result.data.data_vars)
    for name, array in result.data.data_vars.items():
        np.testing.assert_array_equal(found[name].values, array.values, err_msg=name)
        assert found[name].dims == array.dims, name
    assert list(found["row"].values) == ["00", "01", "10", "11"]
    assert found.attrs["estimator"] == "maximum-likelihood"


@pytest.mark.parametrize(("picture", "axes"), [("state", 5), ("city", 4), ("residuals", 4)])
def test_pictures_can_be_drawn_later(written, picture, axes):
    assert len(stored_figure(written, picture).axes) == axes


def test_folders_that_are_not_ours_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match=r":1:1: is not a result folder of ours"):
            read_result(path)


def test_spoilt_arrays_are_refused(written):
    (written / "result.nc").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r":1:1: `result\.nc` cannot be read: "):
        read_result(written)
    (written / "result.nc").unlink()
    with pytest.raises(InputError, match=r":1:1: `result\.nc` cannot be read: "):
        stored_figure(written, "city")


@pytest.mark.parametrize(("place", "byte"), [(317, 0xFF), (0, 0)])
def test_one_damaged_byte_is_told_in_one_line(place, byte, written):
    data = bytearray((written / "result.nc").read_bytes())
    data[place] = byte
    (written / "result.nc").write_bytes(data)
    with pytest.raises(InputError, match=r":1:1: `result\.nc` cannot be read: it is dama") as told:
        read_result(written)
    assert "\n" not in str(told.value)
    del told
    gc.collect()  # nothing is left that complains when it goes


@pytest.mark.parametrize("wrong", [RuntimeError, TypeError, IndexError, KeyError])
def test_what_the_depths_raise_is_told(wrong, written, monkeypatch):
    def fails(*_, **__):
        raise wrong("H5DSget_num_scales\ncannot")

    monkeypatch.setattr(xr, "open_dataset", fails)
    with pytest.raises(InputError, match=rf"damaged \({wrong.__name__}: .*H5DS.*; run it again"):
        read_result(written)


def test_a_folder_in_the_place_of_arrays_is_told(written):
    (written / "result.nc").unlink()
    (written / "result.nc").mkdir()
    with pytest.raises(InputError, match=r"`result\.nc` cannot be read: there is no such file$"):
        read_result(written)


def test_results_of_older_versions_are_refused_by_what_they_lack(written):
    with xr.open_dataset(written / "result.nc", engine="h5netcdf") as stored:
        less = stored.load().drop_vars(["residual_chi2", "residual"])
    less.to_netcdf(written / "result.nc", engine="h5netcdf")
    with pytest.raises(InputError, match=r"holds no `residual`; an older version wrote it"):
        stored_figure(written, "residuals")
    assert stored_figure(written, "city").axes


def test_unknown_pictures_are_refused(written):
    with pytest.raises(ArgumentError, match=r"`picture` must be a picture.*did you mean `city`"):
        stored_figure(written, "citi")
