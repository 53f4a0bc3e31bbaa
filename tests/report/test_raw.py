"""FIDs of a run, saved as a data set and read back as a spectrometer's."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.experiment import load_experiment, run
from nmrqb.experiment.recorded import analyse_recorded, load_data
from nmrqb.report import check_raw, write_raw
from nmrqb.sample import Coupling, Sample, Spin, load_sample, sample_text

FEW = {"charge.times.points": "3", "measure.points": "1024"}


@pytest.mark.parametrize(
    "changes",
    [
        {"measure.noise_level": "measured"},
        {"measure.noise_level": "measured", "noise.pulses": "finite", "noise.relaxation": "none"},
    ],
)
def test_the_tomography_of_saved_fids_is_that_of_the_run(tmp_path, changes):
    result = run(load_experiment("charge_dm_ksea", overrides={**FEW, **changes}), seed=3)
    write_raw(result, tmp_path)
    tomogram = analyse_recorded(
        load_data(str(tmp_path / "data.yaml")), battery=result.experiment.battery
    )
    (state,) = tomogram.states
    at = result.data.isel(time=int(result.data["shown"]))
    np.testing.assert_allclose(state.estimate.rho, at["estimated_state"].values, atol=5e-4)
    assert float(state.estimate.chi2) == pytest.approx(float(at["chi2"]), rel=0.1)
    found = state.figures["ergotropy"]
    assert found.low <= float(at["true_ergotropy"]) <= found.high


def test_a_sample_is_read_back_as_it_was_written(tmp_path):
    sample = Sample(
        "odd",
        (
            Spin("A", "1H", 1 / 3, 2.5, 0.1, 1.1e-5, 0.25),
            Spin("B", "13C", -7e-5),
            Spin("C", "1H", pulse_90_s=2e-5),
        ),
        (
            Coupling(("A", "B"), 215.13),
            Coupling(("A", "C"), 0.0, -1e3, truncation="weak"),
            Coupling(("B", "C"), tensor_hz=((1.0, 0.5, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 3.0))),
        ),
        title="odd – one",
        field_tesla=1.5,
        raster_s=5e-8,
    )
    file = tmp_path / "odd.yaml"
    file.write_text(sample_text(sample), encoding="utf-8")
    read = load_sample(str(file))
    assert (read.spins, read.couplings) == (sample.spins, sample.couplings)
    told = (read.name, read.title, read.field_tesla, read.raster_s)
    assert told == ("odd", "odd – one", 1.5, 5e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"measure.reference_scans": "8"}, r"`save_raw` needs .*but there are 8"),
        (
            {"noise.relaxation": "[T1T2, {pauli: {13C: {x: 5 /s}}}]"},
            r"relaxes by T1 and T2, but has",
        ),
    ],
)
def test_what_no_data_file_could_describe_is_refused(changes, message):
    experiment = load_experiment("charge_dm_ksea", overrides={**FEW, **changes})
    with pytest.raises(ArgumentError, match=message):
        check_raw(experiment)
