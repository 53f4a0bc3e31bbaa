"""Robustness curves: what is drawn is what was computed, in units of the assumed sizes."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.average.robustness import RobustnessCurve
from nmrqb.plotting.robustness import draw_robustness


@pytest.fixture
def ax():
    return Figure().add_subplot()


def curve(error="flip-angle", size=0.05, unit="", factors=(-1.0, 0.0, 1.0, 2.0), coefficient=3.0):
    sizes = size * np.array(factors)
    return RobustnessCurve(error, size, unit, sizes, coefficient * sizes**2, coefficient)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_logarithmic_picture_shows_what_has_a_logarithm(ax):
    line, mark = draw_robustness(ax, [curve()], title="dm")
    np.testing.assert_allclose(line.get_xdata(), [1, 2])
    np.testing.assert_allclose(line.get_ydata(), [3 * 0.05**2, 3 * 0.1**2])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert set(mark.get_xdata()) == {1}
    assert ax.get_title() == "dm"
    assert ax.get_ylabel() == "infidelity of one pass"
    assert ax.get_xlabel() == "error / assumed size (in brackets)"


def test_a_linear_picture_goes_through_zero(ax):
    line, _ = draw_robustness(ax, [curve()], scale="linear")
    np.testing.assert_allclose(line.get_xdata(), [-1, 0, 1, 2])
    np.testing.assert_allclose(line.get_ydata(), 3 * 0.05**2 * np.array([1, 0, 1, 4]))
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")


def test_the_legend_names_errors_with_their_sizes(ax):
    hertz = curve("offset 1H", 20.0, "Hz", coefficient=1e-5)
    draw_robustness(ax, [curve(), hertz, curve("width 13C", 77e-6, "s", coefficient=1e5)])
    assert labels(ax) == ["flip-angle (5 %)", "offset 1H (20 Hz)", "width 13C (77 µs)"]


def test_an_error_that_costs_nothing_says_so(ax):
    cured = curve("offset", 20.0, "Hz", coefficient=1e-40)
    line, _ = draw_robustness(ax, [cured])
    assert line.get_xdata().size == 0
    assert labels(ax) == ["offset of all spins (20 Hz): below 1e-12"]
    shown, _ = draw_robustness(Figure().add_subplot(), [cured], floor=1e-38)
    np.testing.assert_allclose(shown.get_ydata(), [4e-38, 1.6e-37])


def test_many_errors_are_told_apart(ax):
    lines = draw_robustness(ax, [curve(f"offset {k}", 20.0, "Hz") for k in range(14)])[:-1]
    looks = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(lines) == len(looks) == 14
