"""Experiments that measure work directly, and those that measure their noise level."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import t as student

from nmrqb.errors import InputError
from nmrqb.experiment import load_experiment, run
from nmrqb.report import write_result

QUICK = {"charge.times.points": "5", "measure.replicas": "50", "measure.points": "64"}
PASSES = {"charge.cycles.stop": "8", "measure.replicas": "50", "measure.points": "64"}


def driven(seed=1, **changes):
    overrides = {path.replace("__", "."): value for path, value in changes.items()}
    return run(load_experiment("charge_dm_ksea", overrides={**QUICK, **overrides}), seed=seed)


def directly(seed=1, **changes):
    return driven(seed, measure__direct_work="true", **changes)


def scores(data):
    return (
        (data["extracted_work"] - data["true_extracted_work"]) / data["extracted_work_error"]
    ).values


# --------------------------------------------------------------------------------- direct work
def test_by_default_nothing_is_extracted():
    assert "extracted_work" not in driven().data


def test_tomography_is_the_same_with_and_without():
    plain, direct = driven().data, directly().data
    added = {name for name in direct if name not in plain}
    assert added == {
        "extraction_unitary", "true_extracted_work", "extracted_work", "extracted_work_error",
        "extracted_work_low", "extracted_work_high",
    }  # fmt: skip
    assert plain.identical(direct.drop_vars(added))


def test_without_noise_all_the_ergotropy_comes_out():
    data = directly(measure__snr="1e7", noise__relaxation="none").data
    for name in ("true_extracted_work", "extracted_work", "extracted_work_low"):
        np.testing.assert_allclose(data[name], data["true_ergotropy"], atol=1e-4)
    U = data["extraction_unitary"].values
    np.testing.assert_allclose(
        U @ U.conj().swapaxes(-1, -2), np.broadcast_to(np.eye(4), U.shape), atol=1e-12
    )


def test_it_is_measured_without_bias_and_never_exceeds_the_ergotropy():
    """328 points of 8 runs; tolerances of four standard errors."""
    runs = [directly(seed, charge__times__points="41", measure__snr="15").data for seed in range(8)]
    z = np.concatenate([scores(data) for data in runs])
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert z.std() == pytest.approx(1, rel=4 / np.sqrt(2 * z.size))
    for data in runs:
        assert np.all(data["true_extracted_work"] <= data["true_ergotropy"] + 1e-9)
        inside = (data["extracted_work_low"] <= data["true_extracted_work"]) & (
            data["true_extracted_work"] <= data["extracted_work_high"]
        )
        np.testing.assert_array_equal(inside, np.abs(scores(data)) <= 1.959964)


def test_a_battery_of_one_spin_is_turned_alone():
    changes = {**PASSES, "measure.direct_work": "true", "measure.snr": "1e6"}
    data = run(load_experiment("charger_battery_dm", overrides=changes)).data
    np.testing.assert_allclose(data["true_extracted_work"], data["true_ergotropy"], atol=1e-5)
    np.testing.assert_allclose(data["extracted_work"], data["true_ergotropy"], atol=1e-2)
    U = data["extraction_unitary"].values.reshape(-1, 2, 2, 2, 2)
    np.testing.assert_allclose(U[:, 0, :, 1], 0, atol=1e-15)  # nothing happens to the charger
    np.testing.assert_allclose(U[:, 0, :, 0], U[:, 1, :, 1], atol=1e-15)


def test_the_whole_ensemble_is_extracted_from():
    data = directly(noise__b1_inhomogeneity="5 %", measure__snr="1e6").data
    spread = float(np.abs(data["extracted_work"] - data["true_extracted_work"]).max())
    assert spread < 0.05 * float(data["true_ergotropy"].max())
    assert np.all(data["true_extracted_work"] <= data["true_ergotropy"] + 1e-9)


def test_a_gain_error_is_in_the_interval():
    data = directly(measure__snr="1e5", measure__gain_error="5 %").data
    work = data["extracted_work"].values
    np.testing.assert_allclose(data["extracted_work_error"], 0.05 * np.abs(work), atol=2e-3)
    ratio = work[1:-1] / data["true_extracted_work"].values[1:-1]
    assert np.ptp(ratio) < 1e-3  # one gain for both measurements of all times
    assert abs(ratio[0] - 1) > 1e-3


def test_a_reference_serves_both_measurements():
    plain = {"noise__receiver__gain__13C": "20 %", "measure__snr": "1e4"}
    wrong = directly(**plain).data
    mended = directly(measure__reference_scans="16", **plain).data
    assert np.abs(scores(wrong)).max() > 20
    assert np.abs(scores(mended)).max() < 5


def test_blocks_of_times_do_not_matter(monkeypatch):
    whole = directly(measure__noise_level="measured").data
    known = directly().data
    monkeypatch.setattr("nmrqb.experiment.measuring._BLOCK_VALUES", 2 * 4 * 2 * 64)
    pieces = directly().data
    np.testing.assert_allclose(pieces["extracted_work"], known["extracted_work"], atol=1e-9)
    pieces = directly(measure__noise_level="measured").data
    np.testing.assert_allclose(pieces["extracted_work"], whole["extracted_work"], atol=0.1)


def test_the_notes_say_what_it_takes_and_what_it_is():
    (note,) = (note for note in directly().notes if "extracted work" in note)
    assert "twice the scans" in note
    assert "lower bound" in note
    assert not any("extracted work" in note for note in driven().notes)


def test_it_is_labelled_and_written(tmp_path, monkeypatch):
    monkeypatch.setattr("nmrqb.report.folder.result_figures", lambda _: {})
    result = directly()
    write_result(result, tmp_path / "out")
    with xr.open_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf") as data:
        for name in ("extracted_work", "extracted_work_low", "true_extracted_work"):
            assert data[name].attrs["units"] == "Hz"
            assert "extracted work" in data[name].attrs["long_name"]
            np.testing.assert_array_equal(data[name], result.data[name])
        assert data["extraction_unitary"].dims == ("time", "row", "column", "part")


# --------------------------------------------------------------------------------- noise level
def test_the_noise_level_is_found():
    known, found = driven().data, driven(measure__noise_level="measured").data
    np.testing.assert_allclose(found["noise"], known["noise"], rtol=0.1)
    assert np.all(found["noise"] != known["noise"])
    assert "measured" in found["noise"].attrs["long_name"]
    np.testing.assert_array_equal(found["fid"], known["fid"])
    error = known["capacity_high"] - known["capacity_low"]
    assert np.all(np.abs(found["capacity"] - known["capacity"]) < 0.3 * error)


def test_a_level_from_few_points_widens_intervals_by_student():
    """One time and 16 points: 2·4·(16 − 2) numbers behind each channel's level."""
    few = {"charge__times": "{stop: 0 ms, points: 1}", "measure__points": "16"}
    few["measure__replicas"] = "2000"
    known, found = (
        directly(seed, measure__noise_level=level, **few).data
        for level, seed in (("known", 3), ("measured", 3))
    )
    reach = float((found["extracted_work_high"] - found["extracted_work"])[0])
    expected = student.ppf(0.975, 2 * 4 * 14) * float(found["extracted_work_error"][0])
    assert reach == pytest.approx(expected)
    narrow = float((known["extracted_work_high"] - known["extracted_work"])[0])
    assert narrow == pytest.approx(1.959964 * float(known["extracted_work_error"][0]))


def test_a_measured_level_serves_the_reference_too():
    changes = {"measure__reference_scans": "16", "measure__noise_level": "measured"}
    data = driven(measure__snr="1e4", noise__receiver__gain__13C="20 %", **changes).data
    np.testing.assert_allclose(data["estimated_state"], data["true_state"], atol=2e-3)


def test_the_noise_of_a_coarse_digitiser_is_in_the_measured_level():
    coarse = {"measure__snr": "1e5", "noise__receiver__digitiser_bits": "6"}
    known, found = driven(**coarse).data, driven(measure__noise_level="measured", **coarse).data
    assert np.all(found["noise"] > 10 * known["noise"])
    wide, narrow = (float((d["energy_high"] - d["energy_low"]).mean()) for d in (
        driven(measure__noise_level="measured", report="[energy]", **coarse).data,
        driven(report="[energy]", **coarse).data,
    ))  # fmt: skip
    assert wide > 10 * narrow


# -------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("measure.direct_work", "yes", "`direct_work` must be true or false, but is 'yes'"),
        ("measure.direct_work", "1", "`direct_work` must be true or false, but is 1"),
        ("measure.noise_level", "guessed", "must not be 'guessed'; Valid: known, measured"),
    ],
)
def test_other_words_are_refused(path, value, message):
    with pytest.raises(InputError, match=message):
        load_experiment("charge_dm_ksea", overrides={path: value})
