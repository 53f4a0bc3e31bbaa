"""Residuals: white spectra stay white, misfits stand where they are, histograms count."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.plotting import draw_residual_histogram, draw_residuals, residual_spectrum

WIDTH, POINTS, DECAY = 800.0, 256, 12.0
TIMES = np.arange(POINTS) / WIDTH
READOUTS = ["II", "IX", "IY"]


@pytest.fixture
def ax():
    return Figure().add_subplot()


def noise(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


# --------------------------------------------------------------------------------------- spectra
@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_known_noise_keeps_its_unit(decay):
    size = 400
    frequency, spectra = residual_spectrum(noise((size, POINTS)), WIDTH, decay)
    np.testing.assert_allclose(frequency, np.arange(-128, 128) * WIDTH / POINTS)
    for part in (spectra.real, spectra.imag):
        assert np.var(part, axis=0).max() < 1 + 6 * np.sqrt(2 / size)
        assert np.var(part, axis=0).min() > 1 - 6 * np.sqrt(2 / size)


def test_without_a_window_nothing_is_lost():
    values = noise((3, POINTS))
    _, spectra = residual_spectrum(values, WIDTH)
    np.testing.assert_allclose(
        np.sum(np.abs(spectra) ** 2, axis=-1), np.sum(np.abs(values) ** 2, axis=-1)
    )


def test_a_line_stands_as_high_as_it_misfits_in_standard_errors():
    """The error of the amplitude a of a·exp((2πiν − R)t) by least squares is 1/‖exp(−Rt)‖."""
    shape = np.exp(-DECAY * TIMES)
    error = 1 / np.linalg.norm(shape)
    misfit = 7 * error * shape * np.exp(2j * np.pi * 100 * TIMES)  # 100 Hz is on the grid
    frequency, spectrum = residual_spectrum(misfit, WIDTH, DECAY)
    assert frequency[np.abs(spectrum).argmax()] == 100
    assert spectrum.real.max() == pytest.approx(7)
    assert np.abs(residual_spectrum(misfit, WIDTH)[1]).max() < 7  # other windows show less
    assert np.abs(residual_spectrum(misfit, WIDTH, 3 * DECAY)[1]).max() < 7


def test_spectra_stand_one_above_the_other(ax):
    values = noise((3, POINTS))
    lines = draw_residuals(ax, values, WIDTH, READOUTS, decay_per_s=DECAY, title="1H")
    frequency, spectra = residual_spectrum(values, WIDTH, DECAY)
    levels = ax.get_yticks()
    assert [text.get_text() for text in ax.get_yticklabels()] == READOUTS
    assert levels[0] > levels[1] > levels[2] == 0  # the first on top
    for k in range(3):
        for line, part in zip(lines[2 * k : 2 * k + 2], (spectra.real, spectra.imag), strict=True):
            np.testing.assert_allclose(line.get_xdata(), frequency)
            np.testing.assert_allclose(line.get_ydata(), levels[k] + part[k])
    assert lines[0].get_color() != lines[1].get_color()
    left, right = ax.get_xlim()
    assert (left, right) == (frequency[-1], frequency[0])  # to the left
    assert len(lines) == 6
    assert ax.get_title() == "1H"


def test_bands_are_three_standard_deviations(ax):
    draw_residuals(ax, noise((3, POINTS)), WIDTH, READOUTS)
    bands = sorted((patch.get_y(), patch.get_height()) for patch in ax.patches)
    np.testing.assert_allclose([low for low, _ in bands], np.sort(ax.get_yticks()) - 3)
    np.testing.assert_allclose([height for _, height in bands], 6)


def test_a_large_misfit_does_not_run_into_its_neighbours(ax):
    values = noise((3, POINTS))
    values[1] += 5 * np.exp(2j * np.pi * 100 * TIMES)
    lines = draw_residuals(ax, values, WIDTH, READOUTS)
    levels = ax.get_yticks()
    for k, line in enumerate(lines):
        away = np.abs(line.get_ydata() - levels[k // 2])
        assert away.max() <= (levels[0] - levels[1]) / 2
    low, high = ax.get_ylim()
    drawn = np.concatenate([line.get_ydata() for line in lines])
    assert low < drawn.min()
    assert drawn.max() < high


def test_dots_stand_at_the_lines(ax):
    """Between two points of the grid, where the spectrum itself shows less."""
    misfit = np.zeros((3, POINTS), dtype=complex)
    shape = np.exp(-DECAY * TIMES)
    misfit[1] = 7 * shape * np.exp(2j * np.pi * 101.3 * TIMES) / np.linalg.norm(shape)
    lines = draw_residuals(ax, misfit, WIDTH, READOUTS, decay_per_s=DECAY, lines_hz=[101.3, -250.0])
    real, imaginary = lines[6:]
    np.testing.assert_allclose(real.get_xdata(), [101.3, -250.0] * 3)
    heights = real.get_ydata().reshape(3, 2) - ax.get_yticks()[:, None]
    np.testing.assert_allclose(heights[:, 0], [0, 7, 0], atol=1e-12)
    assert abs(heights[1, 1]) < 0.5
    np.testing.assert_allclose(
        imaginary.get_ydata().reshape(3, 2)[:, 0], ax.get_yticks(), atol=1e-9
    )
    assert real.get_marker() != imaginary.get_marker()
    many = draw_residuals(ax, misfit, WIDTH, READOUTS, lines_hz=np.linspace(-300, 300, 25))[6]
    assert many.get_markersize() < 0.6 * real.get_markersize()


# ------------------------------------------------------------------------------------- histogram
def test_the_histogram_counts_both_quadratures(ax):
    values = noise((4, 500), 3)
    steps, law = draw_residual_histogram(ax, values, title="1H")
    counts, edges, _ = steps.get_data()
    numbers = np.concatenate([values.real.ravel(), values.imag.ravel()])
    assert counts.sum() == numbers.size == 4000
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        assert count == np.sum((numbers >= low) & (numbers < high))
    np.testing.assert_allclose(np.diff(edges), 0.25)
    x, y = law.get_data()
    assert np.trapezoid(y, x) / 0.25 == pytest.approx(4000, rel=1e-3)
    assert y.max() == pytest.approx(4000 * 0.25 / np.sqrt(2 * np.pi), rel=1e-3)
    assert ax.get_yscale() == "log"


def test_outliers_are_within_the_picture(ax):
    values = noise((500,), 4)
    values[7] = 31 - 44j
    steps, _ = draw_residual_histogram(ax, values)
    counts, edges, _ = steps.get_data()
    assert counts.sum() == 1000
    assert edges[0] < -44 < 44 < edges[-1]
    assert ax.get_xlim() == (edges[0], edges[-1])


# -------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((3, 8), np.nan), r"`residual` must hold finite numbers, but 24 of 24 are not"),
        (np.zeros((3, 0)), r"`residual` must hold finite numbers, but 0 of 0"),
        (np.zeros((2, 8)), r"`residual` must have shape \(3, points\).* \(2, 8\)"),
    ],
)
def test_what_is_no_residual_is_refused(ax, values, message):
    with pytest.raises(ArgumentError, match=message):
        draw_residuals(ax, values, WIDTH, READOUTS)
    assert not ax.lines


def test_empty_histograms_and_lines_at_nan_are_refused(ax):
    with pytest.raises(ArgumentError, match=r"`residual` must hold finite numbers, but 1 of 2"):
        draw_residual_histogram(ax, np.array([1, np.nan]))
    with pytest.raises(ArgumentError, match=r"`lines_hz` must be real numbers"):
        draw_residuals(ax, noise((3, 8)), WIDTH, READOUTS, lines_hz=[np.nan])
