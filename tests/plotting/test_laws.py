"""Laws of series: points on the curve, errors, units, residuals in their noise."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.plotting import draw_law, draw_law_residuals
from nmrqb.spectrometer.laws import fit_series

DELAYS = np.array([0.01, 0.1, 0.3, 0.7, 1.5, 3, 6, 12])
PULSES = np.arange(2, 60, 3) * 1e-6
COURSES = {
    "inversion-recovery": (DELAYS, 7 * (1 - 1.9 * np.exp(-DELAYS / 1.3)), 1.3, "delay (s)", 1),
    "decay": (DELAYS, -3 * np.exp(-DELAYS / 0.6), 0.6, "delay (s)", 1),
    "nutation": (PULSES, -2 * np.sin(np.pi / 2 * PULSES / 11e-6), 11e-6, "pulse length (µs)", 1e6),
}


def fitted(law, sigma=0.02, seed=1):
    times, course, *_ = COURSES[law]
    noise = sigma * np.random.default_rng(seed).normal(size=len(times))
    return fit_series(law, times, course + noise, np.full(len(times), sigma))


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.mark.parametrize("law", COURSES)
def test_curve_and_points(ax, law):
    times, course, truth, label, factor = COURSES[law]
    fit = fitted(law)
    curve, points, bars, mark = draw_law(ax, fit, title="T")
    x, y = curve.get_data()
    np.testing.assert_allclose(np.interp(points.get_xdata(), x, y), points.get_ydata(), atol=0.04)
    np.testing.assert_allclose(points.get_xdata(), factor * times)
    assert ax.get_xlabel() == label
    assert mark.get_xdata()[0] == pytest.approx(factor * truth, rel=0.02)
    unit = {"inversion-recovery": 7, "decay": -3, "nutation": -2}[law]
    np.testing.assert_allclose(points.get_ydata(), course / unit, atol=0.05)
    heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    np.testing.assert_allclose(heights, 2 * 0.02 / abs(unit), rtol=0.02)


def test_the_damping_of_a_nutation_is_drawn_where_it_is_seen(ax):
    assert len(draw_law(ax, fitted("nutation"))) == 4
    spread = np.exp(-((0.08 * np.pi / 2 * PULSES / 11e-6) ** 2) / 2)
    course = COURSES["nutation"][1] * spread
    fit = fit_series("nutation", PULSES, course, np.full(len(PULSES), 0.01))
    curve, *_, above, below = draw_law(ax, fit)
    at_turns = np.interp([11, 33, 55], *above.get_data())
    angles = np.pi / 2 * np.array([1, 3, 5])
    np.testing.assert_allclose(at_turns, np.exp(-((0.08 * angles) ** 2) / 2), atol=2e-3)
    np.testing.assert_allclose(below.get_ydata(), -above.get_ydata())
    assert np.all(np.abs(curve.get_ydata()) <= above.get_ydata() + 1e-9)


def test_the_law_itself():
    fit = fitted("inversion-recovery", sigma=1e-6)
    t = np.array([[0.0, 1.3], [2.6, 1e9]])
    expected = 7 * (1 - 1.9 * np.exp(-t / 1.3))
    np.testing.assert_allclose(fit.at(t), expected, atol=1e-4)


def test_residuals_are_in_units_of_their_noise(ax):
    fit = fitted("decay")
    (points,) = draw_law_residuals(ax, fit)
    pulls = points.get_ydata()
    np.testing.assert_allclose(pulls * fit.errors, fit.amplitudes - fit.at(fit.times_s))
    assert np.sum(pulls**2) == pytest.approx(fit.misfit * fit.degrees_of_freedom)
    low, high = ax.get_ylim()
    assert low < -3
    assert high > 3


def test_a_law_that_vanishes_still_has_a_scale(ax):
    fit = fitted("inversion-recovery")
    flat = type(fit)(**(vars(fit) | {"coefficients": np.array([-5.0, 1e-9])}))
    curve, *_ = draw_law(ax, flat)
    assert np.abs(curve.get_ydata()).max() == pytest.approx(1)
