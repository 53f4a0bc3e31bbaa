"""Calibrations: from simulated series, from real ones, and into a sample that commands take."""

import zipfile

import numpy as np
import pytest
import yaml

from nmrqb.errors import InputError
from nmrqb.experiment.recorded import calibrate_recorded, calibrated_sample, load_data
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.readers import write_fids

SAMPLE = """
format: nmrqb-sample/1
spins:
  - {label: A, nucleus: 1H, T1: 5 s}
  - {label: C, nucleus: 13C}
couplings: [{between: [A, C], J: -120 Hz}]
sources: {T1: a guess}
"""
RECEIVER = Receiver(1000.0, 2048)
T = np.arange(RECEIVER.points) / RECEIVER.spectral_width_hz


def record(path, course, times, lines=((1.0, 60.0),), sigma=0.01):
    rng = np.random.default_rng(len(times))
    fid = sum(a * np.exp((2j * np.pi * nu - np.pi * 1.5) * T) for a, nu in lines)
    rows = np.exp(0.7j) * np.asarray(course)[:, None] * fid
    rows = rows + sigma * (rng.normal(size=(*rows.shape, 2)) @ [1, 1j])
    write_fids(path, rows, RECEIVER, nucleus="1H", delays_s=times)


def written(folder, series):
    (folder / "sample.yaml").write_text(SAMPLE)
    document = {"format": "nmrqb-data/1", "sample": "./sample.yaml", "series": series}
    (folder / "data.yaml").write_text(yaml.safe_dump(document))
    return load_data(folder / "data.yaml")


@pytest.fixture
def simulated(tmp_path):
    delays = np.array([0.01, 0.1, 0.3, 0.7, 1.5, 3, 6, 12])
    pulses = np.arange(2, 60, 3) * 1e-6
    record(tmp_path / "t1.npz", 1 - 1.95 * np.exp(-delays / 1.3), delays)
    record(tmp_path / "t2.npz", np.exp(-delays / 0.6), delays)
    record(tmp_path / "nut.npz", np.sin(np.pi / 2 * pulses / 11.5e-6), pulses)
    record(tmp_path / "j.npz", [1.0], [0.0], lines=((1.0, -0.4), (1.0, 120.9)))
    return written(
        tmp_path,
        [
            {"file": "t1.npz", "measures": "T1", "spin": "A", "near": "60 Hz"},
            {"file": "t2.npz", "measures": "T2", "spin": "A", "near": "60 Hz"},
            {"file": "nut.npz", "measures": "pulse_90", "spin": "A", "near": "60 Hz"},
            {"file": "j.npz", "measures": "J", "between": ["A", "C"], "near": "60 Hz"},
            {"file": "j.npz", "measures": "linewidth", "spin": "A", "near": "0 Hz"},
        ],
    )


def test_simulated_series_come_back(simulated):
    found = {one.measures: one for one in calibrate_recorded(simulated)}
    truth = {"T1": 1.3, "T2": 0.6, "pulse_90": 11.5e-6, "J": 121.3, "linewidth": 1.5}
    assert found.keys() == truth.keys()
    for name, value in truth.items():
        assert abs(found[name].value - value) < 4 * found[name].error, name
        assert found[name].error < 0.02 * value
        assert found[name].misfit < 3
    assert "T2* = 0.21" in found["linewidth"].notes[0]


def test_the_sample_holds_what_was_measured(simulated, tmp_path):
    found = calibrate_recorded(simulated)
    path = tmp_path / "calibrated.yaml"
    path.write_text(calibrated_sample(simulated, found), encoding="utf-8")
    sample = load_sample(path)
    spin = sample.spins[0]
    by_name = {one.measures: one.value for one in found}
    assert spin.T1_s == pytest.approx(by_name["T1"], rel=1e-7)
    assert spin.T2_s == pytest.approx(by_name["T2"], rel=1e-7)
    assert spin.pulse_90_s == pytest.approx(by_name["pulse_90"], rel=1e-7)
    assert sample.coupling("A", "C").J_hz == pytest.approx(-by_name["J"], rel=1e-7)
    assert sample.sources["T1"] == "a guess"
    assert "±" in sample.sources["T1_A"]


def test_a_t2_longer_than_possible_is_not_written(simulated):
    found = [one for one in calibrate_recorded(simulated) if one.measures != "T1"]
    short = [type(one)(**(vars(one) | {"value": 11.0})) if one.measures == "T2" else one
             for one in found]  # fmt: skip
    with pytest.raises(InputError, match="would have T2 = 11 s, longer than 2 T1 = 10 s"):
        calibrated_sample(simulated, short)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": ["1 s", "2 s"]}, "holds 8 rows, but 2 times are known"),
        ({"near": "480 Hz", "window": "0.1 Hz"}, "`near_hz` must be where the window"),
        ({"spin": "C"}, "its header says 1H, not 13C"),
        ({"measures": "J", "between": ["A", "C"], "near": "-300 Hz"}, "no doublet of 120 Hz"),
        ({"measures": "linewidth", "near": "-300 Hz"}, "no line stands 6 times above"),
    ],
)
def test_faults_of_a_series(change, message, simulated, tmp_path):
    one = {"file": "t1.npz", "measures": "T1", "spin": "A", "near": "60 Hz"} | change
    with pytest.raises(InputError, match=message):
        calibrate_recorded(written(tmp_path, [one]))


# ------------------------------------------------------------------------------------- real data
def unpacked(archive, folder):
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)


def test_inversion_recovery_of_cyclosporin(recorded_folder, tmp_path):
    unpacked(recorded_folder / "bruker" / "cyclosporin-inversion-recovery.zip", tmp_path)
    series = {"file": "inversionRecovery2D/1", "measures": "T1", "spin": "A"}
    places = ("0.856 ppm", "0.729 ppm")
    found = calibrate_recorded(written(tmp_path, [series | {"near": near} for near in places]))
    assert found[0].value == pytest.approx(0.880, rel=0.02)
    assert found[1].value == pytest.approx(0.924, rel=0.02)
    assert all(one.error < 0.01 for one in found)
    assert found[0].ppm == pytest.approx(0.857, abs=0.003)
    assert all("misses the rows" in one.notes[0] for one in found)


def test_satellites_of_aspirin(recorded_folder, tmp_path):
    unpacked(recorded_folder / "bruker" / "aspirin-1h.zip", tmp_path)
    one = {"file": "1", "measures": "J", "between": ["A", "C"], "near": "2.295 ppm"}
    (found,) = calibrate_recorded(written(tmp_path, [one | {"guess": "130 Hz"}]))
    assert found.value == pytest.approx(130.1, abs=0.7)
    assert found.error < 0.1
