"""What can be swept, and what is said of what cannot."""

import pytest

from nmrqb.errors import InputError
from nmrqb.experiment.sweeps import plan_sweep

NAME = "charge_dm_ksea"
D = {"battery.D": "1Hz,2Hz"}


def faults(match, *arguments, **more):
    with pytest.raises(InputError, match=match) as caught:
        plan_sweep(*arguments, **more)
    return [str(fault.at) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"battery.DD": "1Hz:2Hz:3"}, "unknown key `DD`; did you mean `D`"),
        ({"batery.D": "1Hz:2Hz:3"}, "unknown key `batery`; did you mean `battery`"),
        ({"battery.D": "1s:2s:3"}, "`2.0 s` is a time, but must be a frequency"),
        ({"prepare.gibbs.temperature": "-1Hz:1Hz:3"}, "`temperature` must not be 0"),
        ({"measure.snr": "0:2:3"}, "`snr` must be from 1e-6"),
        ({"sample_overrides.1H.T2": "1ms:30s:3"}, "T2"),
        ({"sample_overrides.2H.T2": "1ms:3ms:3"}, "has no spin `2H`"),
        ({"sample": "1Hz,2Hz"}, "`sample` is no parameter of the state"),
        ({"measure.readouts.0": "1Hz,2Hz"}, "readout"),
    ],
)
def test_faults_stand_where_the_values_were_said(over, message):
    assert {place.rpartition(":")[0][:-2] for place in faults(message, NAME, over)} == {
        f"--over {next(iter(over))}"
    }


def test_a_sweep_entry_of_the_file(tmp_path):
    from nmrqb.files import find

    file = tmp_path / "own.yaml"
    text = find("experiment", NAME).read_text(encoding="utf-8")
    entry = "sweep:\n  over: {battery.D: 0 Hz:20 Hz:3, battery.G: '1 Hz, 2 Hz'}\n  reduce: [last]\n"
    file.write_text(text + entry, encoding="utf-8")
    plan = plan_sweep(file)
    assert plan.shape == (3, 2)
    assert plan.job.reductions == ("last",)
    assert plan_sweep(file, D).shape == (2,)  # options take the place of the entry
    line = text.count("\n") + 2
    file.write_text(text + entry.replace("0 Hz:20 Hz:3", "0 Hz:20:3"), encoding="utf-8")
    assert faults("`0 Hz` is a frequency, `20` is a ratio", file) == [f"{file}:{line}:21"]
    file.write_text(text + entry.replace("battery.G", "battery.H"), encoding="utf-8")
    assert faults("unknown key `H`", file)[0].startswith(f"{file}:{line}:")
    file.write_text(text + "sweep: {over: {}}\n", encoding="utf-8")
    assert faults("over", file)
    file.write_text(text + "sweep: {over: {battery.D: 0 Hz:1 Hz}, lhs: 4}\n", encoding="utf-8")
    assert plan_sweep(file).kind == "latin hypercube"


def test_other_faults():
    assert faults("no parameters to sweep", NAME)[0].endswith("charge_dm_ksea.yaml:1:1")
    assert faults("did you mean `ergotropy`", NAME, D, figures=["ergotropi"])
    assert faults("did you mean `argmax`", NAME, D, reduce=["argmx"])
    assert faults(
        "same number of times .* the 41 of the experiment, but some have 3, 4$",
        NAME,
        {"charge.times.points": "3,4"},
        reduce=["none"],
    )
    assert faults("holds all points", NAME, D, table="points.csv")
    big = {"battery.D": "1Hz:2Hz:100000", "battery.G": "1Hz:2Hz:100000"}
    assert faults("the most are 1e", NAME, big)
    assert faults("has no experiment|no experiment `x`", "x", D)


def test_parameters_that_need_a_simulation_of_their_own_go_slowest():
    over = {"battery.D": "1Hz:9Hz:40", "sample_overrides.1H.T2": "1ms:9ms:30"}
    plan = plan_sweep(NAME, over, overrides={"noise.pulses": "finite"})
    assert [axis.path for axis in plan.axes] == [*over][::-1]
    assert plan.layout().block == (6, 40)
    assert plan.job.way == "maps"
    assert plan_sweep(NAME, {"charge.rate": "1Hz,2Hz", **D}).job.way == "closed"


def test_a_request_holds_what_numbers_depend_on():
    base = plan_sweep(NAME, D, seed=1).request()
    same = plan_sweep(
        NAME, D, seed=1, overrides={"title": "x", "measure.readouts": "[II, IX, IY, XX]"}
    )
    assert same.request() == base
    for changed in (
        {"over": {"battery.D": "1Hz,3Hz"}},
        {"over": {"battery.G": "1Hz,2Hz"}},
        {"overrides": {"battery.G": "6 Hz"}},
        {"seed": 2},
        {"figures": ["ergotropy"]},
        {"reduce": ["max"]},
        {"tomography": True},
    ):
        other = plan_sweep(**({"experiment": NAME, "over": D, "seed": 1} | changed)).request()
        assert other != base


def test_memory_of_a_block_is_bounded():
    long = {"charge.times.points": "100000"}
    plan = plan_sweep(NAME, {"battery.D": "1Hz:2Hz:1000"}, overrides=long, reduce=["none"])
    assert plan.layout().block == (40,)
    assert plan.layout().tile == (2,)
    assert plan_sweep(NAME, D, tomography=True).layout().tile == (1,)
