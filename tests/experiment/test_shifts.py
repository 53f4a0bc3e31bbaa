"""What a spread over the sample does to estimates, and intervals that hold it."""

import numpy as np

from nmrqb.experiment import figure_functions, load_experiment, run
from nmrqb.experiment.shifts import widened
from nmrqb.tomography import Interval, ergotropy_figure

SPREAD = {"noise.pulses": "finite", "noise.b1_inhomogeneity": "5 %", "charge.times.points": 3}


def test_shifts_are_what_a_receiver_without_noise_shows():
    clear = run(
        load_experiment("charge_dm_ksea", overrides=SPREAD | {"measure.snr": 1e7}), seed=1
    ).data
    experiment = load_experiment("charge_dm_ksea", overrides=SPREAD)
    found = run(experiment, seed=2)
    for name in experiment.report:
        shift = found.data[f"{name}_shift"].values
        figure = figure_functions(experiment.battery)[name](clear["linear_state"].values)
        np.testing.assert_allclose(shift, figure - clear[f"true_{name}"], atol=1e-3)
    assert np.abs(found.data["capacity_shift"]).max() > 1
    assert "capacity -1.2 Hz" in found.notes[0]


def test_intervals_hold_what_a_spread_does_to_the_estimates():
    """At a high SNR the noise alone covers the capacity of no charged state."""
    experiment = load_experiment("charge_dm_ksea", overrides=SPREAD | {"measure.snr": 150})
    results = [run(experiment, seed=seed).data.isel(time=slice(1, None)) for seed in range(10)]
    low, high, true, shift = (
        np.array([data[name] for data in results])
        for name in ("capacity_low", "capacity_high", "true_capacity", "capacity_shift")
    )
    assert np.mean((low <= true) & (true <= high)) >= 0.9
    assert np.mean((low + np.abs(shift) <= true) & (true <= high - np.abs(shift))) <= 0.1


def test_without_a_spread_there_is_no_shift():
    data = run(load_experiment("charge_dm_ksea", overrides={"charge.times.points": 2}), seed=1).data
    assert not [name for name in data if str(name).endswith("_shift")]


def test_both_ends_and_both_bounds_move_outwards():
    """Neither sign of a shift narrows an interval, and no end leaves what a figure can be."""
    raw, low, high, bound, none = (np.full(3, x) for x in (5.0, 1.0, 7.0, 2.0, np.nan))
    bars = {"W": Interval(raw, raw, low, high, bound, high, none, none)}
    figures = {"W": ergotropy_figure(np.diag([1.0, -1.0]).astype(complex))}
    found = widened(bars, {"W": np.array([0.5, -0.5, 4.0])}, figures)["W"]
    np.testing.assert_allclose(found.low, [0.5, 0.5, 0])
    np.testing.assert_allclose(found.high, [7.5, 7.5, 11])
    np.testing.assert_allclose(found.lower_bound, [1.5, 1.5, -2])
    np.testing.assert_allclose(found.upper_bound, [7.5, 7.5, 11])
    assert widened(bars, {}, figures) == bars
