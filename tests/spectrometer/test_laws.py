"""Laws of series: T1, T2, 90° pulses and rf fields come back, with errors that cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.laws import Spread, fit_series

DELAYS = np.array([0.01, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10])
COURSES = {
    "inversion-recovery": (DELAYS, 0.9, lambda t: 1 - 1.9 * np.exp(-t / 0.9)),
    "saturation-recovery": (DELAYS, 0.9, lambda t: 1 - np.exp(-t / 0.9)),
    "decay": (DELAYS, 0.4, lambda t: np.exp(-t / 0.4)),
    "nutation": (
        np.arange(2, 80, 3) * 1e-6,
        13e-6,
        lambda t: np.sin(np.pi / 2 * t / 13e-6),
    ),
}
T90 = 13e-6


@pytest.mark.parametrize("law", COURSES)
def test_times_come_back_with_their_errors(law):
    t, truth, course = COURSES[law]
    exact = fit_series(law, t, 7 * course(t), np.full(len(t), 0.1))
    assert exact.time_s == pytest.approx(truth, rel=1e-6)
    assert exact.misfit < 1e-9
    assert exact.rival_s is None
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(60):
        noisy = 7 * course(t) + 0.1 * rng.normal(size=len(t))
        fit = fit_series(law, t, noisy, np.full(len(t), 0.1))
        pulls.append((fit.time_s - truth) / fit.error_s * np.sqrt(max(1, fit.misfit)))
    assert np.mean(np.square(pulls)) == pytest.approx(1, abs=0.5)


def test_inversion_factor_and_misfit():
    t, _, course = COURSES["inversion-recovery"]
    fit = fit_series("inversion-recovery", t, course(t), np.full(len(t), 1e-3))
    assert fit.inversion == pytest.approx(1.9)
    bent = fit_series("inversion-recovery", t, course(t) ** 3, np.full(len(t), 1e-3))
    assert bent.misfit > 100
    decay = fit_series("decay", t, np.exp(-t), np.full(len(t), 0.1))
    assert np.isnan([decay.inversion, decay.inversion_error]).all()


def test_the_error_of_an_inversion_factor_covers():
    t, _, course = COURSES["inversion-recovery"]
    rng, sigma = np.random.default_rng(6), np.full(len(t), 0.05)
    fits = [
        fit_series("inversion-recovery", t, course(t) + 0.05 * rng.normal(size=len(t)), sigma)
        for _ in range(120)
    ]
    pulls = [(f.inversion - 1.9) / f.inversion_error * max(1, f.misfit) ** 0.5 for f in fits]
    assert np.mean(np.square(pulls)) == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize(
    ("law", "times", "message"),
    [
        ("T1", DELAYS, "`law` must be one of"),
        ("decay", DELAYS[:2], "must hold more than 2 different times"),
        ("nutation", DELAYS[:2], "must hold more than 2 different times"),
        ("inversion-recovery", [1, 1, 1, 2, 2], "must hold more than 3 different times"),
        ("decay", -DELAYS, "times ≥ 0"),
    ],
)
def test_what_makes_no_series_is_refused(law, times, message):
    y = np.ones(len(times))
    with pytest.raises(ArgumentError, match=message):
        fit_series(law, times, y, y)
    with pytest.raises(ArgumentError, match="must have one shape"):
        fit_series("decay", DELAYS, y[:1], y)


# ----------------------------------------------------------------------------- nutations that decay
def nutation(t, spread, time=T90):
    """Return the signal averaged over 4001 members of an rf field, weighed normally."""
    x = np.linspace(-6, 6, 4001)
    weights = np.exp(-(x**2) / 2)
    angles = np.pi / 2 * np.asarray(t)[:, None] / time * (1 + spread * x)
    return np.sin(angles) @ weights / weights.sum()


@pytest.mark.parametrize("spread", [0.01, 0.05, 0.2])
def test_the_spread_of_the_rf_field_comes_back(spread):
    t = np.arange(2, 80, 3) * 1e-6
    fit = fit_series("nutation", t, -5 * nutation(t, spread), np.full(len(t), 0.05))
    assert fit.time_s == pytest.approx(T90, rel=1e-6)
    assert fit.b1_inhomogeneity.value == pytest.approx(spread, rel=1e-3)
    assert fit.coefficients == pytest.approx([-5], rel=1e-5)
    assert fit.misfit < 1e-6
    fine = np.linspace(0, 1e-4, 50)
    np.testing.assert_allclose(fit.at(fine), -5 * nutation(fine, spread), atol=1e-4)
    ends = fit.at(T90 * np.array([1, 5, 9]))
    np.testing.assert_allclose(np.abs(ends), fit.envelope(T90 * np.array([1, 5, 9])))


def covered(spread, turns, rows, sigma, series=60):
    """Return shares of series whose 95 % intervals hold the 90° time and the spread."""
    t = 4 * T90 * turns * np.arange(1, rows + 1) / rows
    course, rng = nutation(t, spread), np.random.default_rng(round(1e3 * (spread + turns)))
    time, field = [], []
    for _ in range(series):
        y = course + sigma * rng.normal(size=rows)
        fit = fit_series("nutation", t, y, np.full(rows, sigma))
        time.append(abs(fit.time_s - T90) < 1.96 * fit.error_s)
        found = fit.b1_inhomogeneity
        near = abs(found.value - spread) < 1.96 * found.error
        field.append(near if found.resolved else spread <= found.at_most)
    return time, field


@pytest.mark.slow
def test_intervals_cover():
    """300 series: with no, little and much spread, few and many rows, half a turn and more."""
    cases = [(0, 1, 12, 0.03), (0.04, 3, 40, 0.03), (0.04, 2, 12, 0.03), (0.12, 1, 6, 0.03),
             (0.12, 0.6, 8, 0.03)]  # fmt: skip
    found = np.array([covered(*case) for case in cases])
    assert found[:, 0].mean() == pytest.approx(0.95, abs=0.035)
    assert 0.92 < found[:, 1].mean() <= 1
    assert found.mean(axis=-1).min() > 0.85


def test_a_field_without_spread_costs_nothing():
    """Where a whole turn is seen; the spread is told as a bound then."""
    t = np.arange(2, 54, 4) * 1e-6
    rng, sigma = np.random.default_rng(2), np.full(len(t), 0.02)
    seen = []
    for _ in range(40):
        y = nutation(t, 0) + 0.02 * rng.normal(size=len(t))
        fit = fit_series("nutation", t, y, sigma)
        held = fit_series("nutation", t, y, sigma, b1_inhomogeneity=0.0)
        assert held.b1_inhomogeneity == Spread(0.0, 0.0)
        assert abs(fit.time_s - held.time_s) < held.error_s
        assert fit.error_s < 1.15 * held.error_s * max(1, fit.misfit) ** 0.5
        seen.append(fit.b1_inhomogeneity)
    assert sum(spread.resolved for spread in seen) <= 4
    assert all(0.01 < spread.at_most < 0.1 for spread in seen)
    assert any(spread.value == 0 and spread.error == np.inf for spread in seen)


@pytest.mark.parametrize(("turns", "rows", "told"), [(0.4, 20, 0), (0.7, 3, 0), (0.55, 20, 1)])
def test_short_series_tell_no_spread(turns, rows, told):
    """The fit is that of an even field then, as if it had been given."""
    t = 4 * T90 * turns * np.arange(1, rows + 1) / rows
    y = nutation(t, 0.03) + 0.01 * np.random.default_rng(1).normal(size=rows)
    fit = fit_series("nutation", t, y, np.full(rows, 0.01))
    assert (fit.b1_inhomogeneity is not None) == told
    even = fit_series("nutation", t, y, np.full(rows, 0.01), b1_inhomogeneity=0.0)
    assert (fit.time_s == even.time_s) != told
    assert abs(fit.time_s - T90) < 4 * fit.error_s
    held = fit_series("nutation", t, y, np.full(rows, 0.01), b1_inhomogeneity=0.03)
    assert held.b1_inhomogeneity.value == pytest.approx(0.03)
    assert held.degrees_of_freedom == rows - 2


@settings(max_examples=40, deadline=None)
@given(
    time=st.floats(5, 100),
    spread=st.floats(0, 0.2),
    size=st.floats(0.1, 1e6),
    sign=st.sampled_from([-1, 1]),
    turns=st.floats(0.8, 4),
    rows=st.integers(12, 40),
)
def test_any_nutation_comes_back(time, spread, size, sign, turns, rows):
    t = 1e-6 * time * 4 * turns * np.arange(1, rows + 1) / rows
    y = sign * size * nutation(t, spread, 1e-6 * time)
    fit = fit_series("nutation", t, y, np.full(rows, 1e-3 * size))
    assert fit.time_s == pytest.approx(1e-6 * time, rel=1e-4)
    assert fit.b1_inhomogeneity.variance == pytest.approx(spread**2, abs=1e-5)
    assert fit.b1_inhomogeneity.at_most >= spread - 1e-4


def test_steps_up_to_half_a_turn():
    """Rows that are 140° apart: a turn takes 2.6 of them."""
    t = np.arange(1, 12) * (140 / 90) * T90
    fit = fit_series("nutation", t, nutation(t, 0.01), np.full(len(t), 0.01))
    assert fit.time_s == pytest.approx(T90, rel=1e-5)


def test_two_times_that_fit_as_well_are_told():
    """Rows 10 µs apart but for one: turns of 80 µs or of 80/73 µs, which that one tells apart."""
    t = np.array([10, 20, 30, 40, 40.5, 50]) * 1e-6
    y = nutation(t, 0, 20e-6)
    fit = fit_series("nutation", t, y, np.full(6, 0.1))
    assert fit.time_s == pytest.approx(20e-6)
    assert fit.rival_s == pytest.approx(20e-6 / 73, rel=0.01)
    other = np.sin(np.pi / 2 * t / fit.rival_s)
    left = y - other * (other @ y) / (other @ other)
    assert np.sum(left**2) / 0.1**2 < 9
    assert fit_series("nutation", t, y, np.full(6, 0.01)).rival_s is None


@pytest.mark.parametrize(("law", "spread"), [("decay", 0.1), ("nutation", -0.1), ("nutation", 1)])
def test_spreads_out_of_range_are_refused(law, spread):
    with pytest.raises(ArgumentError, match="`b1_inhomogeneity` must be from 0 to 1, of a nutat"):
        fit_series(law, DELAYS, DELAYS, DELAYS, b1_inhomogeneity=spread)
