"""Pictures of recordings: all rows of short series, the strongest of long ones, tables of ppm."""

import numpy as np
import pytest

from nmrqb.report.recorded import recording_figure, recording_lines
from nmrqb.spectrometer.readers import Recording

SW, N = 1000.0, 1024
T = np.arange(N) / SW


def series(course, **keywords):
    rng = np.random.default_rng(1)
    rows = np.asarray(course)[:, None] * np.exp((2j * np.pi * 60 - 4) * T)
    rows = rows + 0.01 * (rng.normal(size=(*rows.shape, 2)) @ [1, 1j])
    return Recording(rows, "time", "nmrqb", "x.npz", spectral_width_hz=SW, **keywords)


def curves(figure):
    (ax,) = figure.axes
    return [line for line in ax.lines if len(line.get_xdata()) == N], ax


def test_all_rows_of_a_short_series():
    drawn, ax = curves(recording_figure(series([1, -0.5, 0.2], delays_s=(1.0, 0.002, 3e-6))))
    assert len(drawn) == 3
    names = [text.get_text() for text in ax.texts]
    assert names[:3] == ["1 s", "2 ms", "3 µs"]
    assert float(names[3]) == pytest.approx(60, abs=1)


def test_the_strongest_row_of_a_long_series():
    figure = recording_figure(series([*np.linspace(0.1, 0.5, 19), -2.0, 0.3], nucleus="13C"))
    drawn, _ = curves(figure)
    assert len(drawn) == 1
    assert figure.get_suptitle() == "x.npz, 13C: magnitude, row 20 of 21, its strongest"


def test_lines_of_a_table_of_ppm_without_a_frequency():
    ppm = np.linspace(-2, 12, 4001)
    rng = np.random.default_rng(2)
    noise = 0.001 * (rng.normal(size=(4001, 2)) @ [1, 1j])
    values = 0.01 / (0.01 + 1j * (ppm - 7.26)) + noise
    recording = Recording(values, "frequency", "csv", "x.csv", ppm=ppm)
    numbers, unit = recording_lines(recording)
    assert unit == "ppm"
    assert float(numbers[0]) == pytest.approx(7.26, abs=0.004)
    (ax,) = recording_figure(recording).axes
    assert ax.get_xlim() == pytest.approx((12, -2))


def test_places_are_told_as_a_data_file_names_them():
    """Hz are from the carrier where 0 ppm is known as well, or not."""
    numbers, unit = recording_lines(series([1.0]))
    assert (unit, float(numbers[0])) == ("Hz", pytest.approx(60, abs=1))
    known = series([1.0], carrier_hz=100e6 + 500, reference_hz=100e6)
    numbers, unit = recording_lines(known)
    assert (unit, float(numbers[0])) == ("ppm", pytest.approx(5.6, abs=0.01))
