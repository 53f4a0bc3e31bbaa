"""Error bars cover what they claim: three cells of the study, and what the study asks."""

from dataclasses import replace

import numpy as np
import pytest

from nmrqb.battery import ergotropy
from nmrqb.errors import ArgumentError
from nmrqb.experiment import CoverageRow, coverage_study, load_experiment
from nmrqb.experiment.coverage import FIGURES_STUDIED, cells
from nmrqb.experiment.coverage_rows import count, pooled, thinned_faults
from nmrqb.tomography import Interval
from nmrqb.tomography.uncertainty import error_bars

EXPERIMENT = load_experiment("charge_dm_ksea", overrides={"measure.points": "128"})


def study(battery, state, snr, repetitions=400, **options):
    def chosen(cell):
        return (cell.battery, cell.state, cell.snr) == (battery, state, snr)

    options = {"seeds": [7]} | options
    return coverage_study(EXPERIMENT, repetitions=repetitions, chosen=chosen, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("battery", "state", "snr"),
    [("charge_dm_ksea", "charged", 30.0), ("random 1", "passive", 30.0), ("random 2", "mixed", 10)],
)
def test_error_bars_cover_what_they_claim(battery, state, snr):
    found = study(battery, state, snr)
    assert [row.figure for row in found.pooled] == list(FIGURES_STUDIED)
    assert found.faults() == []


def test_the_study_finds_error_bars_that_do_not(monkeypatch):
    monkeypatch.setattr(error_bars, "CLOSE", 0.0)
    monkeypatch.setattr(error_bars, "_STEPS", 0)
    faults = " ".join(study("random 1", "mixed", 30.0, repetitions=60).faults())
    for fault in ("covers less", "claims too much", "keeps the bias"):
        assert fault in faults


def test_gain_errors_are_in_the_data_and_in_the_intervals(monkeypatch):
    """Without them in the intervals, those of an SNR of 100 are too narrow by a factor."""
    whole = study("random 1", "near pure", 100.0, repetitions=150, replicas=100).pooled
    monkeypatch.setattr(error_bars.np, "hypot", lambda x, y: 0.0 * x)
    monkeypatch.setattr("nmrqb.experiment.coverage.GAIN_ERROR", 0.05)
    with_error = study("random 1", "near pure", 100.0, repetitions=150, replicas=100).pooled
    assert min(row.coverage for row in whole) > 0.9
    assert max(row.coverage for row in with_error if row.figure != "coherence_l1") < 0.8


# -------------------------------------------------------------------------------------- cells
def test_cells_are_states_of_three_batteries():
    found = cells(EXPERIMENT)
    assert len(found) == 3 * 4 * 3
    for cell in found:
        assert np.linalg.norm(cell.hamiltonian, 2) == pytest.approx(1)
        assert np.trace(cell.rho).real == pytest.approx(1)
        assert np.linalg.eigvalsh(cell.rho).min() > -1e-12
        work = ergotropy(cell.rho, cell.hamiltonian)
        assert (work < 1e-12) == (cell.state in {"passive", "mixed"})
    pure = next(cell for cell in found if cell.state == "near pure")
    assert 0.9 < np.trace(pure.rho @ pure.rho).real < 1
    assert {cell.battery for cell in found} == {"charge_dm_ksea", "random 1", "random 2"}


def test_numbers_depend_on_seed_and_cell_alone():
    def two(cell):
        return cell.battery == "random 2" and cell.state in {"passive", "charged"}

    options = {"repetitions": 5, "replicas": 50}
    both = coverage_study(EXPERIMENT, seeds=[1, 2], chosen=two, **options)
    alone = study("random 2", "charged", 30.0, seeds=[2], **options)
    assert set(alone.rows[2]) < set(both.rows[2])
    assert set(both.rows[1]).isdisjoint(both.rows[2])


def test_progress_is_told():
    told = []
    study(
        "random 2", "mixed", 30.0, 2, replicas=50, seeds=[1, 2], progress=lambda *k: told.append(k)
    )
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "options", [{"seeds": []}, {"repetitions": 1}, {"chosen": lambda cell: False}]
)
def test_empty_studies_are_refused(options):
    with pytest.raises(ArgumentError, match="must leave a cell, hold a seed, be ≥ 2"):
        coverage_study(EXPERIMENT, **options)


def test_batteries_of_a_part_of_the_register_are_refused():
    with pytest.raises(ArgumentError, match="must have a battery of all spins"):
        coverage_study(load_experiment("charger_battery_dm"))


# --------------------------------------------------------------------------------------- rows
ROW = CoverageRow(
    battery="b",
    state="charged",
    snr=30.0,
    figure="ergotropy",
    repetitions=1600,
    truth=1.0,
    gap=5.0,
    error=0.1,
    below=40,
    above=40,
    claims=1600,
    width=0.4,
    raw_bias=0.1,
    value_bias=0.01,
    bound_misses=(80, 80),
    thinned_bias=0.0,
    thinned_error=0.01,
)
ZERO = {"truth": 0.0, "claims": 80}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"below": 89}, "covers less than 0.92"),
        ({"below": 88}, None),
        ({"below": 0, "above": 31}, "covers more than 0.98"),
        ({"below": 0, "above": 32}, None),
        ({"below": 0, "above": 31, "gap": 2.9}, None),
        ({"below": 0, "above": 31, "error": 0.34}, None),
        ({"repetitions": 400, "below": 20, "above": 20, "claims": 400}, None),
        ({"repetitions": 400, "below": 30, "above": 30, "claims": 400}, "covers less than 0.92"),
        (ZERO, None),
        (ZERO | {"claims": 101}, None),
        (ZERO | {"claims": 103}, "claims too much"),
        ({"raw_bias": 0.2, "value_bias": -0.049}, None),
        ({"raw_bias": 0.2, "value_bias": -0.051}, "value is biased"),
        ({"raw_bias": 0.01, "value_bias": 0.039}, None),
        ({"raw_bias": 0.2, "value_bias": -0.051, "gap": 2.0}, None),
        (ZERO | {"state": "mixed", "gap": 0, "raw_bias": 0.1, "value_bias": 0.059}, None),
        (
            ZERO | {"state": "mixed", "gap": 0, "raw_bias": 0.1, "value_bias": 0.061},
            "value keeps the bias",
        ),
    ],
)
def test_rows_tell_what_they_fall_short_of(changes, fault):
    assert replace(ROW, **changes).faults() == ([] if fault is None else [fault])


def test_rows_are_counted():
    values = {
        "raw": [0.5, 1.5, 1.5, 1.5],
        "value": [0.5, 1.0, 1.0, 1.0],
        "low": [0.0, 0.9, 1.1, 0.2],
        "high": [0.9, 1.1, 1.6, 1.2],
        "lower_bound": [0.0, 1.2, 1.2, 0.0],
        "upper_bound": [0.5, 2.0, 2.0, 2.0],
        "thinned": [0.8, 0.8, 1.0, 1.0],
        "nearest_kink": [1.0, 1.0, 1.0, 1.0],
    }
    found = Interval(**{name: np.array(numbers) for name, numbers in values.items()})
    row = count(found, truth=1.0, gap=2.0, cell=("b", "charged", 30.0), figure="ergotropy")
    assert (row.below, row.above, row.claims, row.coverage) == (1, 1, 3, 0.5)
    assert (row.raw_bias, row.value_bias) == (0.25, -0.125)
    assert row.bound_misses == (2, 1)
    assert row.width == pytest.approx(0.7)
    assert row.thinned_bias == pytest.approx(-0.1)
    assert row.thinned_error == pytest.approx(0.05)


def test_pooled_rows_hold_all_repetitions():
    found = pooled([ROW, replace(ROW, below=60, raw_bias=0.2, bound_misses=(70, 90))])
    assert (found.repetitions, found.below, found.bound_misses) == (3200, 100, (150, 170))
    assert found.raw_bias == pytest.approx(0.15)
    assert found.thinned_error == pytest.approx(0.01 / np.sqrt(2))
    assert found.coverage_error == pytest.approx(np.sqrt(0.94375 * 0.05625 / 3200))


def test_thinned_values_are_judged_over_all_cells_of_the_mixed_state():
    mixed = replace(ROW, state="mixed", thinned_bias=0.015)
    assert thinned_faults([mixed]) == []
    assert "thinned ergotropy is +2.1" in thinned_faults([mixed, mixed])[0]
    assert thinned_faults([replace(ROW, thinned_bias=1.0)] * 2) == []
