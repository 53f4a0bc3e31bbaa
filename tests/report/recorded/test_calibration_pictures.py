"""Calibrations: series with their laws, lines with their fits, values and errors in titles."""

import numpy as np
import pytest

from nmrqb.report.recorded import calibration_figures
from nmrqb.spectrometer.laws import SeriesFit

ALL = ("T1", "pulse_90", "J", "linewidth")


def test_every_measurement_is_drawn(calibrations):
    found = calibrations(*ALL)
    (figure,) = calibration_figures(found).values()
    titled = [ax for ax in figure.axes if ax.get_title()]
    heads = [ax.get_title().splitlines()[0] for ax in titled]
    assert [head.partition(" = ")[0] for head in heads] == [
        "T1 of A", "90° pulse of A", "J of A, C", "line width of A"
    ]  # fmt: skip
    for head, one in zip(heads, found, strict=True):
        value, error, unit = head.partition(" = ")[2].replace(" ± ", " ").split(" ")
        scale = 1e6 if unit == "µs" else 1.0
        assert float(value) == pytest.approx(scale * one.value, abs=scale * one.error)
        assert float(error) == pytest.approx(scale * one.error, rel=0.06)
    assert len(figure.axes) == 6  # laws have residuals of their own


def test_points_of_a_law_are_those_of_the_data(calibrations):
    (one,) = calibrations("T1")
    assert isinstance(one.fit, SeriesFit)
    (figure,) = calibration_figures([one]).values()
    points = figure.axes[0].containers[0].lines[0]
    size = one.fit.coefficients[-1]
    np.testing.assert_allclose(points.get_ydata() * size, one.fit.amplitudes)
    assert figure.axes[1].get_xlabel() == "delay (s)"


def test_lines_stand_upright_whatever_their_phase(calibrations):
    (one,) = calibrations("J")
    turned = type(one)(**(vars(one) | {"fit": one.fit.turned(2.1)}))
    (figure,) = calibration_figures([turned]).values()
    fit = next(line for line in figure.axes[0].lines if line.get_label() == "fit").get_ydata()
    assert np.nanmax(fit) > 20 * abs(np.nanmin(fit))


def test_many_measurements_make_pages(calibrations):
    (one,) = calibrations("linewidth")
    figures = calibration_figures([one] * 8)
    assert list(figures) == ["calibration.png", "calibration_2.png"]
    assert [len(figure.axes) for figure in figures.values()] == [6, 2]
    assert "page 2 of 2" in figures["calibration_2.png"].get_suptitle()
    (most,) = [f for name, f in calibration_figures([one] * 40).items() if name.endswith("_6.png")]
    assert "the first 36 of 40 measurements" in most.get_suptitle()
