"""What people read."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.average import compile_sequence
from nmrqb.experiment import ProductPreparation, load_experiment, run
from nmrqb.report import compile_text, result_text, table
from nmrqb.report.text import cleared, fidelity_text, hz, p_text, short, with_error
from nmrqb.sample import T1T2, LindbladOperator, PauliNoise, load_sample
from nmrqb.sequence import load_sequence

QUICK = {"measure.replicas": "50", "measure.points": "64"}


def compiled(name, **options):
    average = compile_sequence(load_sequence(name), load_sample("chloroform"), **options)
    return compile_text(average)


def row(text, name):
    """Return the cells of the row of a table that begins with a name."""
    (found,) = (line.split() for line in text.splitlines() if line.split()[:1] == [name])
    return found


@pytest.fixture(scope="module")
def driven():
    overrides = {**QUICK, "charge.times.points": "15"}
    return run(load_experiment("charge_dm_ksea", overrides=overrides))


def test_tables_are_aligned():
    text = table(["a", "bb"], [["long name", "1"], ["b", "-10"]])
    assert text.splitlines() == [
        "  a           bb",
        "  long name    1",
        "  b          -10",
    ]


def test_frequencies_below_a_nanohertz_are_zero():
    assert hz(-9e-10) == "0"
    assert hz(1.1e-9) != "0"
    assert float(hz(26.89125)) == pytest.approx(26.89125, rel=1e-5)


def test_compile_says_what_dm_makes():
    text = compiled("dm")
    assert "dm on chloroform (1H, 13C), ideal pulses" in text
    assert "cyclic" in text
    assert "not cyclic" not in text
    # orders 0, 1, 2, the exact one, and the target
    assert [float(cell) for cell in row(text, "DM_z")[1:]] == pytest.approx(
        [215.13 / 8, 0, 0, 215.13 / 8, 215.13 / 8], rel=1e-5
    )
    # rows without a number are left out
    assert not any(line.split()[:1] == ["KSEA_z"] for line in text.splitlines())
    assert "target met" in text


def test_compile_says_what_the_literature_sequence_does_not_make():
    text = compiled("literature_dm")
    assert "not cyclic, closes after 3 passes" in text
    assert float(row(text, "isotropic")[1]) == pytest.approx(215.13 / 12, rel=1e-5)
    assert row(text, "DM_z")[1:4] == ["0", "0", "0"]
    assert "target NOT met" in text
    assert "not-cyclic: " in text
    assert "dm-forbidden-by-exchange-symmetry: " in text


def test_compile_says_when_the_logarithm_wraps():
    assert "exact (wraps)" in compiled("literature_dm", parameters={"t": "1/J"})
    assert "branch-unsafe: " in compiled("literature_dm", parameters={"t": "1/J"})


def test_a_sequence_without_a_target_has_no_such_column():
    text = compiled("spin_echo")
    assert "target" not in text


def test_the_summary_says_what_was_asked(driven):
    text = result_text(driven)
    lines = {line.split()[0]: line for line in text.splitlines()[1:9]}
    assert text.startswith("Charging a DM + KSEA battery in 13C-chloroform\n")
    assert "chloroform (1H, 13C)" in lines["sample"]
    assert "D = 20 Hz, G = 5 Hz, Δ = 10 Hz, ε = 5 Hz, B = 2 Hz" in lines["battery"]
    assert "k_B T/h = 20 Hz" in lines["prepare"]
    assert "hard x drive, rate 50 Hz, 15 points, 0 to 10 ms" in lines["charge"]
    assert "T1/T2" in lines["noise"]
    assert "ideal pulses" in lines["noise"]
    assert "II, IX, IY, XX on 1H, 13C; SNR 40 per scan, 4 scans" in lines["measure"]
    assert lines["seed"].split() == ["seed", "1"]
    one = result_text(replace(driven, data=driven.data.isel(time=[7]).assign(shown=0)))
    assert "rate 50 Hz, 1 point, 5 ms" in one
    assert "intervals: 95 %, parametric bootstrap of 50 replicas" in one
    fidelity = fidelity_text(driven.data["fidelity_to_true"].values[7])
    assert f"simulated state: {fidelity}\n" in one  # of one time no lowest, no median, no mean
    assert "mean" not in one[one.index("χ² of the data") :].splitlines()[0]


def test_one_scan_is_no_scans_and_an_fid_has_its_size(driven):
    measure = replace(driven.experiment.measure, scans=1)
    lines = result_text(replace(driven, experiment=replace(driven.experiment, measure=measure)))
    assert "SNR 40 per scan, 1 scan; maximum-likelihood" in lines
    points = driven.data.sizes["acquisition_time"]
    dwell = float(driven.data["acquisition_time"][1])
    told = row(lines, "acquire")[1:]
    assert told[:3] == [str(points), "complex", "points"]
    assert float(told[4]) == pytest.approx(points * dwell, rel=1e-3)
    assert float(told[6]) == pytest.approx(1 / dwell, rel=1e-3)
    fast = driven.data.assign_coords(acquisition_time=np.arange(points) / 10_000)
    assert "s, 10000 Hz wide" in result_text(replace(driven, data=fast))


def test_spins_that_no_one_prepares_are_said_to_be_mixed(driven):
    alone = replace(driven.experiment, prepare=ProductPreparation({1: (100.0, -25.0)}))
    text = result_text(replace(driven, experiment=alone))
    assert "13C at −25 Hz (splitting 100 Hz); 1H maximally mixed" in text


def test_a_p_value_of_nothing_is_a_bound():
    assert p_text(0.0432) == "p = 0.043"
    assert p_text(3.3e-166) == p_text(0.0) == "p below 1e-12"


@pytest.mark.parametrize(
    ("fidelity", "text"),
    [(0.36941, "0.3694"), (0.98258, "0.9826"), (0.999412, "0.99941"), (1.0, "1.000000"),
     (0.9999958, "0.999996"), (1 + 1e-12, "1.000000")],
)  # fmt: skip
def test_a_fidelity_has_two_digits_of_what_it_lacks(fidelity, text):
    assert fidelity_text(fidelity) == text


@pytest.mark.parametrize(
    ("relaxation", "words"),
    [
        (True, "T1/T2 1H 10/2 s, 13C 10/2 s, ideal pulses"),
        (False, "no relaxation, ideal pulses"),
        ((), "no relaxation, ideal pulses"),
        ((PauliNoise({"13C": (1, 0, 0)}),), "pauli of 13C, ideal pulses"),
        ((T1T2(), LindbladOperator({"XX": 1}, 1.0)), "10/2 s, lindblad of all spins, ideal pulses"),
    ],
)
def test_the_summary_says_what_relaxes(driven, relaxation, words):
    noise = replace(driven.experiment.noise, relaxation=relaxation)
    result = replace(driven, experiment=replace(driven.experiment, noise=noise))
    assert " ".join(row(result_text(result), "noise")[1:]).endswith(words)


def test_the_summary_holds_the_numbers(driven):
    text = result_text(driven)
    data = driven.data.isel(time=0)
    first = next(line.split() for line in text.splitlines() if line.startswith("  0 "))
    expected = [0.0, float(data["true_ergotropy"]), float(data["ergotropy"])]
    assert [float(cell) for cell in first[:3]] == pytest.approx(expected, abs=6e-4)
    peak = driven.data["true_ergotropy"].values.max()
    assert f"largest ergotropy of the simulated state: {peak:.4g} Hz at 5 ms" in text
    lowest = driven.data["fidelity_to_true"].values.min()
    assert f"lowest {fidelity_text(lowest)}, median" in text
    for note in driven.notes:
        assert f"Note: {note}" in text


def test_the_best_time_is_always_shown():
    overrides = {**QUICK, "charge.cycles.stop": "24"}
    result = run(load_experiment("charger_battery_dm", overrides=overrides))
    shown = [line.split()[0] for line in result_text(result).splitlines() if "[" in line]
    assert shown.count("4.648") == 2  # after 1/J, between the rows of every table
    assert len(shown) == 2 * (9 + 1)


@pytest.mark.parametrize(("points", "rows"), [(11, 11), (20, 20), (21, 9)])
def test_every_point_of_a_short_run_is_told(points, rows):
    overrides = {**QUICK, "charge.cycles.stop": str(points - 1)}
    result = run(load_experiment("charger_battery_dm", overrides=overrides))
    result = replace(result, data=result.data.assign(shown=0))
    text = result_text(result)
    told = sum("[" in line for line in text.splitlines()) / 2  # two tables
    assert told == rows
    assert (f"{rows} of {points} points" in text) == (rows < points)


def test_minus_zero_is_zero(driven):
    data = driven.data.assign(true_ergotropy=-0.0 * driven.data["true_ergotropy"])
    assert "-0.000" not in result_text(replace(driven, data=data))


def test_the_summary_of_passes_and_a_single_spin():
    overrides = {**QUICK, "charge.cycles.stop": "2", "noise.b1_inhomogeneity": "5 %"}
    result = run(load_experiment("charger_battery_dm", overrides=overrides))
    text = result_text(result)
    assert "13C alone, H/2π = 100 Hz · I_z" in text
    assert "k_B T/h: 1H at −50 Hz (splitting 100 Hz); 13C at 50 Hz (splitting 100 Hz)\n" in text
    assert "0 to 2 passes of dm, 3 points" in text
    assert "B1 spread 5 %" in text
    assert "σ_z dephasing acts along the toggled axes" in text


def test_without_a_title_the_name_stands_for_it(driven):
    untitled = replace(driven, experiment=replace(driven.experiment, title=""))
    assert result_text(untitled).startswith("charge_dm_ksea\n")


def test_the_summary_of_work_measured_directly_and_a_measured_noise_level():
    changes = {"measure.direct_work": "true", "measure.noise_level": "measured"}
    overrides = {**QUICK, **changes, "charge.times.points": "3"}
    overrides["measure.readouts"] = "[II, IX, IY, '1H: 90 x', readout_XX]"
    result = run(load_experiment("charge_dm_ksea", overrides=overrides))
    text = result_text(result)
    assert "II, IX, IY, 1H: 90 x, readout_XX on 1H, 13C" in text
    assert "4 scans and as many after extraction; maximum-likelihood, noise level measured" in text
    assert "extracted_work (Hz): true" in text
    at = result.data.isel(time=1)
    table_of_work = text[text.index("extracted_work (Hz)") :].splitlines()
    middle = next(line.split() for line in table_of_work if line.startswith("  5 "))
    expected = [5, float(at["true_extracted_work"]), float(at["extracted_work"])]
    assert [float(cell) for cell in middle[:3]] == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (215.12915, 0.0163, "215.129 ± 0.016"),
        (0.88012, 0.0021, "0.8801 ± 0.0021"),
        (12.3, 1.24, "12.3 ± 1.2"),
        (1234.5, 160.0, "1230 ± 160"),
        (2.0, 0.0, "2 ± 0"),
        (2.0, float("inf"), "2 ± inf"),
    ],
)
def test_values_have_the_digits_that_their_errors_allow(value, error, text):
    assert with_error(value, error) == text


@pytest.mark.parametrize(("value", "scale", "shown"), [
    (5.551e-16, 1.0, 0.0),
    (-7.1e-15, 66.0, 0.0),
    (5.551e-16, 7e-16, 0.0),  # nothing but rounding
    (2e-9, 1.0, 2e-9),
    (0.9e-9, 1.0, 0.0),
    (3e-10, 0.0, 3e-10),
    (66.0, 66.0, 66.0),
])  # fmt: skip
def test_rounding_is_zero_for_people(value, scale, shown):
    assert cleared(value, scale) == shown
    assert np.isnan(cleared(np.nan, np.nan))


@pytest.mark.parametrize(
    ("number", "text"), [(0.9213, "0.921"), (24.43, "24.4"), (1096.0, "1100"), (6.24e5, "620000")]
)
def test_short_numbers_have_no_exponent(number, text):
    assert short(number) == text
