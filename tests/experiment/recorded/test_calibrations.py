"""Calibrations: from simulated series, from real ones, and into a sample that commands take."""

import re
import zipfile

import numpy as np
import pytest
import yaml

from nmrqb.errors import InputError
from nmrqb.experiment.recorded import (
    calibrate_recorded,
    calibrated_sample,
    load_data,
    updated_sample,
)
from nmrqb.experiment.recorded.judgement import bound_of
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Receiver
from nmrqb.spectrometer.laws import fit_series
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
    assert found["pulse_90"].notes[0].startswith("b1_inhomogeneity at most 0.")
    assert found["T1"].b1_inhomogeneity is found["J"].b1_inhomogeneity is None


def test_the_sample_holds_what_was_measured(simulated, tmp_path):
    found = calibrate_recorded(simulated)
    path = tmp_path / "calibrated.yaml"
    path.write_text(calibrated_sample(simulated, found), encoding="utf-8")
    sample = load_sample(path)
    spin = sample.spins[0]
    by_name = {one.measures: one for one in found}
    written_values = {
        "T1": spin.T1_s,
        "T2": spin.T2_s,
        "pulse_90": spin.pulse_90_s,
        "J": -sample.coupling("A", "C").J_hz,
    }
    for name, value in written_values.items():
        assert value == pytest.approx(by_name[name].value, abs=0.06 * by_name[name].error), name
    assert sample.sources["T1"] == "a guess"
    assert f"{by_name['T1'].value:.8g} ±" in sample.sources["T1_A"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": ["1 s", "2 s"]}, "holds 8 rows, but 2 times are known"),
        ({"near": "480 Hz", "window": "0.1 Hz"}, "`window` = ±0.1 Hz holds 1 points"),
        ({"near": "501 Hz"}, "`near` = 501 Hz lies outside the spectrum, −500.0 to 499.5 Hz; "
                             "its only line stands at 60.1 Hz"),
        ({"near": "7 ppm"}, "the file does not tell where 0 ppm is; say in Hz"),
        ({"near": "200 Hz"}, "no line stands 6 times above the noise within ±3 Hz of 200 Hz"),
        ({"measures": "T2"}, "amplitudes change sign: row 1 is −0.93 of the largest"),
        ({"spin": "C"}, "its header says 1H, not 13C"),
        ({"measures": "J", "between": ["A", "C"], "near": "-300 Hz"}, "no doublet of 120 Hz"),
        ({"measures": "linewidth", "near": "-300 Hz"}, "no line stands 6 times .* at 60.1 Hz"),
        ({"measures": "linewidth", "near": "600 Hz"}, "`near` = 600 Hz lies outside"),
    ],
)  # fmt: skip
def test_faults_of_a_series(change, message, simulated, tmp_path):
    one = {"file": "t1.npz", "measures": "T1", "spin": "A", "near": "60 Hz"} | change
    with pytest.raises(InputError, match=message):
        calibrate_recorded(written(tmp_path, [one]))


# ---------------------------------------------------------------------- what is not to be trusted
def recovered(folder, delays, time, factor=1.95, **keywords):
    """Measure T1 of a recovery with a time."""
    delays = np.asarray(delays, dtype=float)
    record(folder / "r.npz", 1 - factor * np.exp(-delays / time), delays, **keywords)
    one = {"file": "r.npz", "measures": "T1", "spin": "A", "near": "60 Hz"}
    data = written(folder, [one])
    (found,) = calibrate_recorded(data)
    return data, found


def test_the_wing_of_a_line_and_a_baseline_are_no_line(tmp_path):
    """The wing obeys the law of its line: it would give a T1 with a small error."""
    delays = np.array([0.01, 0.1, 0.3, 0.7, 1.5, 3, 6, 12])
    tall = ((300.0, 60.0),)
    record(tmp_path / "r.npz", 1 - 1.95 * np.exp(-delays / 1.3), delays, lines=tall)
    one = {"file": "r.npz", "measures": "T1", "spin": "A", "near": "75 Hz"}
    with pytest.raises(InputError, match=r"no line .* of 75 Hz.*its only line stands at 60\.1 Hz"):
        calibrate_recorded(written(tmp_path, [one]))


@pytest.mark.parametrize(
    ("time", "bound"), [(300.0, (">", 30.0)), (40.0, (">", 30.0)), (0.02, ("<", 0.1))]
)
def test_times_far_from_the_delays_are_bounds(time, bound, tmp_path):
    data, found = recovered(tmp_path, [0.3, 0.6, 1, 2, 3, 5, 7, 10], time, sigma=1e-5)
    assert found.bound[0] == bound[0]
    assert found.bound[1] == pytest.approx(bound[1], rel=0.35)
    above = found.bound[0] == ">"
    assert (time > found.bound[1]) if above else (time < found.bound[1])
    assert "a bound only" in found.doubts[0]
    with pytest.raises(InputError, match="nothing that was measured can be written: T1 of A"):
        calibrated_sample(data, [found])


def test_bounds_of_vague_fits_are_true(tmp_path):
    """Under much noise the fitted time runs away; its bound must not."""
    wrong = 0
    delays = np.linspace(0.5, 10, 12)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        y = 1 - 1.9 * np.exp(-delays / 25) + 0.02 * rng.normal(size=12)
        bound = bound_of(fit_series("inversion-recovery", delays, y, np.full(12, 0.02)))
        wrong += bound is not None and bound[0] == ">" and bound[1] > 25
    assert wrong <= 5


def test_a_vague_time_is_not_written(tmp_path):
    delays = [0.05, 0.3, 1, 2, 3, 5, 7, 10]
    _, found = recovered(tmp_path, delays, 1.0, factor=0.03, sigma=0.6)
    assert found.bound is not None or found.error > found.value / 2
    assert found.doubts[0].startswith("not determined")


def test_more_than_an_inversion_is_not_written(simulated, tmp_path):
    _, found = recovered(tmp_path, [0.01, 0.1, 0.3, 0.7, 1.5, 3, 6, 12], 1.3, factor=2.2)
    assert "an inversion by 2.2 is more than 2: do not trust this fit" in found.doubts
    others = calibrate_recorded(simulated)[1:]
    new = updated_sample(simulated, [found, *others])
    assert yaml.safe_load(new.text)["spins"][0]["T1"] == "5 s"
    assert any(note.startswith("T1 of A") and "is not written" in note for note in new.notes)


def nutated(folder, pulses, spread, sigma=0.01):
    """Measure a 90° pulse of 11.5 µs in an rf field of 2001 members."""
    x = np.linspace(-5, 5, 2001)
    angles = np.pi / 2 * np.asarray(pulses)[:, None] / 11.5e-6 * (1 + spread * x)
    weights = np.exp(-(x**2) / 2)
    course = np.sin(angles) @ weights / weights.sum()
    record(folder / "n.npz", course, pulses, sigma=sigma)
    one = {"file": "n.npz", "measures": "pulse_90", "spin": "A", "near": "60 Hz"}
    data = written(folder, [one])
    (found,) = calibrate_recorded(data)
    return data, found


def test_an_uneven_rf_field_is_told(tmp_path):
    data, found = nutated(tmp_path, np.arange(2, 90, 3) * 1e-6, 0.06)
    assert abs(found.value - 11.5e-6) < 3 * found.error
    assert found.misfit < 2
    spread = found.b1_inhomogeneity
    assert abs(spread.value - 0.06) < 3 * spread.error
    assert found.notes[0].startswith(f"b1_inhomogeneity {100 * spread.value:.2g}")
    assert f" ± {100 * spread.error:.2g} %: damps the nutation" in found.notes[0]
    sources = yaml.safe_load(calibrated_sample(data, [found]))["sources"]
    assert f"({found.notes[0].partition(':')[0]}), from" in sources["pulse_90_A"]


def test_short_nutations_say_what_they_do_not_tell(tmp_path):
    """A spread of 5 % would be hidden in them: they say by how much it would shift the result."""
    data, found = nutated(tmp_path, np.arange(1, 19, 2) * 1e-6, 0.05, sigma=1e-4)
    assert found.b1_inhomogeneity is None
    assert found.doubts == ()
    told = r"one of 5 % would change the 90° pulse by \+(\S+) %"
    share = float(re.search(told, found.notes[-1])[1])
    shifted = found.value * (1 + share / 100)
    assert shifted == pytest.approx(11.5e-6, rel=5e-4)
    assert abs(shifted - 11.5e-6) < 0.3 * abs(found.value - 11.5e-6)
    assert "(b1_inhomogeneity taken as 0), from" in calibrated_sample(data, [found])


def test_the_wrong_law_is_not_written(tmp_path):
    times = np.linspace(0.1, 10, 25)
    record(tmp_path / "n.npz", np.sin(times), times)
    one = {"file": "n.npz", "measures": "T1", "spin": "A", "near": "60 Hz"}
    (found,) = calibrate_recorded(written(tmp_path, [one]))
    assert any("it is not the law of this series" in doubt for doubt in found.doubts)


def test_a_line_narrower_than_the_resolution_is_a_bound(tmp_path):
    fid = np.exp(2j * np.pi * 60.1 * T)[None, :]
    rng = np.random.default_rng(4)
    fid = fid + 1e-3 * (rng.normal(size=(*fid.shape, 2)) @ [1, 1j])
    write_fids(tmp_path / "w.npz", fid, RECEIVER, nucleus="1H", delays_s=[0.0])
    one = {"file": "w.npz", "measures": "linewidth", "spin": "A", "near": "60 Hz"}
    (found,) = calibrate_recorded(written(tmp_path, [one]))
    step = RECEIVER.spectral_width_hz / RECEIVER.points
    assert found.bound == ("<", pytest.approx(step))
    assert "narrower than the 0.488 Hz" in found.doubts[0]
    assert found.notes == ()


def test_series_may_be_conjugated(tmp_path):
    delays = np.array([0.01, 0.1, 0.3, 0.7, 1.5, 3, 6, 12])
    record(tmp_path / "r.npz", 1 - 1.95 * np.exp(-delays / 1.3), delays)
    one = {"file": "r.npz", "measures": "T1", "spin": "A", "near": "-60 Hz", "conjugate": True}
    (found,) = calibrate_recorded(written(tmp_path, [one]))
    assert found.value == pytest.approx(1.3, abs=4 * found.error)
    assert found.error < 0.02


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
    assert "they are no Lorentzians" in found.notes[0]


@pytest.mark.parametrize("near", ["0 ppm", "1 Hz", "3.3 ppm"])
def test_places_of_cyclosporin_without_a_line(near, recorded_folder, tmp_path):
    """At 0 ppm the wings of all lines alone give T1 = 0.954(8) s with a misfit of 1.5."""
    unpacked(recorded_folder / "bruker" / "cyclosporin-inversion-recovery.zip", tmp_path)
    one = {"file": "inversionRecovery2D/1", "measures": "T1", "spin": "A", "near": near}
    with pytest.raises(InputError, match="no line stands 6 times above the noise"):
        calibrate_recorded(written(tmp_path, [one]))
    lines = {"near": "7.26 ppm"}
    told = r"lies outside the spectrum, −0\.472 to 5\.537 ppm; strongest lines at 3\.463, 0\.858"
    with pytest.raises(InputError, match=told):
        calibrate_recorded(written(tmp_path, [one | lines]))
