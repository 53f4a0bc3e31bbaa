"""Spectra of recordings: descending axes, magnitudes, names at the lines."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import draw_recording
from nmrqb.spectrometer.measured import MeasuredSpectrum
from nmrqb.spectrometer.peaks import Peak

AXIS = np.linspace(-500.0, 500.0, 1001)


def spectrum(reference=None, size=1.0, carrier=0.0):
    values = size / (np.pi + 2j * np.pi * (AXIS - 100.0))
    return MeasuredSpectrum(AXIS, values, reference, carrier)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_magnitudes_in_ppm_from_right_to_left(ax):
    (line,) = draw_recording(ax, [spectrum(reference=100e6)])
    assert ax.get_xlim() == pytest.approx((5.0, -5.0))
    assert ax.get_xlabel() == "ppm"
    np.testing.assert_allclose(line.get_xdata(), AXIS / 100)
    values = np.abs(spectrum().values)
    np.testing.assert_allclose(line.get_ydata(), values / values.max())


def test_without_0_ppm_the_axis_is_the_offset_from_the_carrier(ax):
    _, name = draw_recording(ax, [spectrum(carrier=50.0)], lines=[Peak(100.0, 9.0)])
    assert ax.get_xlim() == pytest.approx((450.0, -550.0))
    assert "offset from the carrier" in ax.get_xlabel()
    assert name.get_text() == "50.0"
    assert name.xy[0] == pytest.approx(50.0)


def test_rows_have_one_scale_and_names(ax):
    first, second = draw_recording(ax, [spectrum(), spectrum(size=0.5)], names=["1 s", "2 s"])
    rise = [np.ptp(line.get_ydata()) for line in (first, second)]
    assert rise[1] == pytest.approx(rise[0] / 2)
    assert second.get_ydata().min() > first.get_ydata().min() + 0.3
    assert [text.get_text() for text in ax.texts] == ["1 s", "2 s"]


def test_names_of_near_lines_stand_beside_each_other(ax):
    lines = [Peak(100.0, 9.0), Peak(101.0, 8.0), Peak(-100.0, 7.0)]
    _, *names = draw_recording(ax, [spectrum()], lines=lines)
    assert [name.get_text() for name in names] == ["101.0", "100.0", "−100.0"]
    at = [name.xyann[0] for name in names]
    assert at[0] - at[1] > 15
    assert at[2] == -100.0


def test_no_spectrum_is_refused(ax):
    with pytest.raises(ArgumentError, match="`spectra` must hold a spectrum"):
        draw_recording(ax, [])


def test_a_spectrum_of_zeros_is_a_flat_line(ax):
    (line,) = draw_recording(ax, [spectrum(size=0.0)])
    assert not line.get_ydata().any()
    low, high = ax.get_ylim()
    assert low < 0 < high
