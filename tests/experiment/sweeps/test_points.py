"""Every way of computing points against the simulation that `nmrqb run` uses."""

from functools import partial

import numpy as np
import pytest

import nmrqb
from nmrqb.battery.charging_maps import MAP_FIGURES
from nmrqb.errors import ArgumentError
from nmrqb.experiment import load_experiment, run
from nmrqb.experiment.figures import FIGURES
from nmrqb.experiment.sweeps import points
from nmrqb.experiment.sweeps.points import compute
from nmrqb.experiment.sweeps.store import axis_names
from nmrqb.files import find

FEW = {"charge.times.points": "9"}


def test_maps_know_every_figure_of_merit():
    assert set(MAP_FIGURES) == set(FIGURES)


@pytest.fixture
def check(simulated):
    """Return a function that compares some points of a map with simulations one by one."""
    return partial(compare, simulated)


def compare(simulated, found, fixed=None, experiment="charge_dm_ksea", rtol=1e-9):
    data = found.data
    rng = np.random.default_rng(1)
    for _ in range(4):
        at = {dim: int(rng.integers(data.sizes[dim])) for dim in data.dims}
        point = data.isel(at)
        values = {
            axis.path: axis.text(float(point[name]))
            for axis, name in zip(found.plan.axes, axis_names(found.plan), strict=True)
        }
        wanted = simulated(experiment, {**(fixed or {}), **values})
        for name in found.plan.job.figures:
            assert float(point[f"{name}_max"]) == pytest.approx(wanted[name], rel=rtol, abs=1e-9), (
                name
            )


@pytest.mark.parametrize(
    "over",
    [
        {"battery.D": "-20Hz:20Hz:5", "prepare.gibbs.temperature": "1Hz,-3Hz,40Hz"},
        {"charge.rate": "10Hz:70Hz:3", "battery.B": "0Hz:3Hz:3", "charge.times.stop": "5ms,9ms"},
        {"charge.times.start": "0s:1ms:3", "charge.times.stop": "7 ms"},
    ],
)
def test_closed_form(make, over, check):
    found = make(over, figures=MAP_FIGURES, overrides=FEW)
    assert found.plan.job.way == "closed"
    check(found, FEW)


@pytest.mark.parametrize(
    ("fixed", "over"),
    [
        ({"noise.pulses": "finite"}, {"battery.G": "-5Hz:5Hz:4", "battery.epsilon": "0Hz,7Hz"}),
        (
            {"noise.pulses": "finite"},
            {
                "battery.D": "1Hz,9Hz",
                "sample_overrides.1H.T2": "1ms:1s:3:log",
                "charge.rate": "30Hz,50Hz",
            },
        ),
        ({"charge.as": "soft", "noise.relaxation": "none"}, {"charge.times.stop": "4ms,8ms"}),
        ({"noise.pulse_errors.amplitude": "2 %"}, {"noise.pulse_errors.phase": "0 deg:9 deg:3"}),
    ],
)
def test_maps(make, fixed, over, check):
    found = make(over, figures=MAP_FIGURES, overrides={**FEW, **fixed})
    assert found.plan.job.way == "maps"
    check(found, {**FEW, **fixed})


def test_a_spread_over_the_sample(make, check):
    fixed = {**FEW, "noise.b1_inhomogeneity": "4 %"}
    found = make({"battery.D": "18Hz,20Hz,22Hz"}, overrides=fixed)
    check(found, fixed, rtol=5e-3)  # ensembles are found for one start state
    without = make({"battery.D": "18Hz,20Hz,22Hz"}, overrides=FEW).data
    assert np.abs(found.data.ergotropy_max / without.ergotropy_max - 1).min() > 0.005


def test_a_sequence_that_charges_one_spin(make, check):
    fixed = {"charge.cycles.step": "8"}
    over = {
        "charge.parameters.t": "0.2ms,0.3ms",
        "battery.frequency": "50Hz,100Hz",
        "prepare.product.1H.temperature": "-50Hz,-30Hz",
    }
    found = make(over, "charger_battery_dm", figures=MAP_FIGURES, overrides=fixed)
    assert found.plan.job.way == "maps"
    assert list(found.data.sizes) == ["t", "frequency", "temperature"]
    check(found, fixed, "charger_battery_dm")


def test_whole_curves_and_their_times(make, simulated):
    fixed = {"charge.times.points": "5"}
    still = make({"battery.D": "1Hz,2Hz,3Hz"}, reduce=["none"], overrides=fixed).data
    assert still.ergotropy.dims == ("D", "time")
    assert still.time.values.tolist() == pytest.approx([0, 2.5e-3, 5e-3, 7.5e-3, 10e-3])
    wanted = simulated("charge_dm_ksea", {**fixed, "battery.D": "2 Hz"}, np.asarray)
    np.testing.assert_allclose(still.ergotropy[1], wanted["ergotropy"], atol=1e-9)
    moving = make({"charge.times.stop": "4ms,8ms"}, reduce=["none", "argmax"], overrides=fixed).data
    assert moving.ergotropy.dims == ("stop", "step")
    np.testing.assert_allclose(moving.time, np.outer([4e-3, 8e-3], np.linspace(0, 1, 5)))
    assert float(moving.ergotropy_argmax[0]) in moving.time[0]


def test_times_of_a_sequence(make):
    fixed = {"charge.cycles.stop": "4"}
    over = {"battery.frequency": "90Hz,100Hz"}
    found = make(over, "charger_battery_dm", reduce=["none"], overrides=fixed).data
    loaded = load_experiment("charger_battery_dm", overrides=fixed)
    np.testing.assert_allclose(found.time, run(loaded, seed=1).data.time, rtol=1e-12)


def test_tomography_has_a_seed_for_every_point(make, check):
    fixed = {"charge.times.points": "3", "measure.replicas": "50", "measure.points": "256"}
    over = {"battery.D": "5Hz,20Hz", "battery.G": "1Hz,5Hz"}
    more = {"figures": ["ergotropy"], "tomography": True, "seed": 7, "overrides": fixed}
    found = make(over, reduce=["max", "none"], **more)
    data = found.data
    assert found.plan.job.way == "tomography"
    check(found, fixed)
    seed = int(np.random.SeedSequence(7, spawn_key=(3,)).generate_state(1)[0])
    last = load_experiment(
        "charge_dm_ksea",
        overrides={**fixed, "battery.D": "20 Hz", "battery.G": "5 Hz", "report": "[ergotropy]"},
    )
    wanted = run(last, seed=seed).data
    best = int(wanted.true_ergotropy.values.argmax())
    for end in ("", "_low", "_high"):
        curve = data[f"ergotropy_estimate{end}"][1, 1]
        np.testing.assert_array_equal(curve, wanted[f"ergotropy{end}"])
        assert float(data[f"ergotropy_max_estimate{end}"][1, 1]) == float(curve[best])
    noise = (data.ergotropy_estimate - data.ergotropy)[..., 1]  # elsewhere estimates end at 0
    assert len(np.unique(noise.values.round(12))) == 4  # no two points are alike


def test_a_hypercube_and_a_table(make, tmp_path, check):
    cube = make({"battery.D": "0Hz:20Hz", "battery.G": "1Hz:9Hz:log"}, lhs=30, overrides=FEW)
    assert cube.data.ergotropy_max.dims == ("point",)
    check(cube, FEW)
    (tmp_path / "p.csv").write_text("battery.D (Hz),battery.G\n1,2 Hz\n4,-3 Hz\n")
    found = make(table=tmp_path / "p.csv", overrides=FEW)
    assert found.data.D.values.tolist() == [1, 4]
    check(found, FEW)


def test_other_versions_and_changed_files_are_refused(make, tmp_path, monkeypatch):
    file = tmp_path / "own.yaml"
    file.write_bytes(find("experiment", "charge_dm_ksea").read_bytes())
    plan = make({"battery.D": "1Hz,2Hz"}, str(file), overrides={"noise.pulses": "finite"}).plan
    block = plan.block(plan.layout(), 0)
    file.write_text(file.read_text().replace("snr: 40", "snr: 41"))
    points._mean_maps.cache_clear()
    with pytest.raises(ArgumentError, match="experiment has changed"):
        compute(plan.job, block)
    monkeypatch.setattr(nmrqb, "__version__", "9.9")
    with pytest.raises(ArgumentError, match=r"workers with nmrqb 0\.1\.0, but the one on .* 9\.9"):
        compute(plan.job, block)
