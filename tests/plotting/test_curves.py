"""Figures of merit against time, FIDs and spectra."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from nmrqb.plotting import draw_fid, draw_figure_of_merit, draw_spectrum
from nmrqb.plotting.style import ESTIMATE, MODEL, TRUE, WORK


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    time = np.linspace(0, 10e-3, 6)
    value = rng.uniform(5, 9, 6)
    numbers = {
        "true_ergotropy": rng.uniform(5, 9, 6),
        "ergotropy": value,
        "ergotropy_low": value - rng.uniform(0, 1, 6),
        "ergotropy_high": value + rng.uniform(1, 2, 6),
        "true_coherence_l1": rng.uniform(0, 1, 6),
    }
    variables = {name: ("time", values) for name, values in numbers.items()}
    return xr.Dataset(variables, {"time": time})


# ------------------------------------------------------------------------------ figure of merit
def test_the_curve_is_the_simulated_state(ax, data):
    line = draw_figure_of_merit(ax, data, "ergotropy")[0]
    np.testing.assert_allclose(line.get_xdata(), [0, 2, 4, 6, 8, 10])  # ms
    np.testing.assert_array_equal(line.get_ydata(), data["true_ergotropy"])
    assert line.get_color() == TRUE
    assert ax.get_xlabel() == "protocol time (ms)"
    assert ax.get_ylabel() == "ergotropy (Hz)"


def test_marks_and_bars_are_estimates_and_intervals(ax, data):
    marks = draw_figure_of_merit(ax, data, "ergotropy")[-1]
    np.testing.assert_array_equal(marks.get_ydata(), data["ergotropy"])
    assert marks.get_color() == ESTIMATE
    (bars,) = ax.collections
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends[:, 0], data["ergotropy_low"])
    np.testing.assert_allclose(ends[:, 1], data["ergotropy_high"])


def test_one_point_of_a_curve_is_seen(ax, data):
    one = data.isel(time=[1]).assign(model_ergotropy=data["true_ergotropy"].isel(time=[1]))
    true, model, _ = draw_figure_of_merit(ax, one, "ergotropy")
    assert (true.get_marker(), model.get_marker()) == ("_", "_")
    assert draw_figure_of_merit(ax, data, "ergotropy")[0].get_marker() in ("", "None")


def test_very_many_bars_do_not_hide_the_curve(ax, data):
    many = data.isel(time=np.zeros(300, dtype=int))
    true, marks = draw_figure_of_merit(ax, many, "ergotropy")
    assert true.get_zorder() > marks.get_zorder()
    assert marks.get_alpha() < 0.5


def test_bars_are_not_symmetric_by_force(ax, data):
    draw_figure_of_merit(ax, data.assign(ergotropy_low=data["ergotropy"]), "ergotropy")
    (bars,) = ax.collections
    low = [segment[0, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(low, data["ergotropy"])


def test_the_model_is_drawn_where_there_is_one(ax, data):
    assert len(draw_figure_of_merit(ax, data, "ergotropy")) == 2
    modelled = data.assign(model_ergotropy=data["true_ergotropy"] / 2)
    _, line, _ = draw_figure_of_merit(ax, modelled, "ergotropy")
    np.testing.assert_array_equal(line.get_ydata(), data["true_ergotropy"] / 2)
    assert (line.get_color(), line.get_linestyle()) == (MODEL, "--")
    labels = ax.get_legend_handles_labels()[1]
    assert "average Hamiltonian + laboratory T1/T2" in labels


def test_work_that_was_measured_stands_beside_the_ergotropy(ax, data):
    measured = data.assign(
        extracted_work=data["ergotropy"] - 1,
        extracted_work_low=data["ergotropy"] - 1.5,
        extracted_work_high=data["ergotropy"] - 0.2,
    )
    *_, estimates, work = draw_figure_of_merit(ax, measured, "ergotropy")
    np.testing.assert_array_equal(estimates.get_ydata(), data["ergotropy"])
    np.testing.assert_array_equal(work.get_ydata(), data["ergotropy"] - 1)
    assert (work.get_color(), work.get_marker(), work.get_markerfacecolor()) == (WORK, "s", "none")
    assert ax.get_legend_handles_labels()[1][-1] == "work measured directly"
    ends = np.array([segment[:, 1] for segment in ax.collections[-1].get_segments()])
    np.testing.assert_allclose(ends[:, 0], measured["extracted_work_low"])
    np.testing.assert_allclose(ends[:, 1], measured["extracted_work_high"])
    assert len(draw_figure_of_merit(ax, measured, "coherence_l1")) == 1


def test_what_is_not_reported_has_no_marks(ax, data):
    (line,) = draw_figure_of_merit(ax, data, "coherence_l1")
    np.testing.assert_array_equal(line.get_ydata(), data["true_coherence_l1"])
    # no unit for a plain number, and a label no longer than the axis
    assert ax.get_ylabel() == "l1 coherence in the\nenergy basis"
    assert not ax.collections


# ------------------------------------------------------------------------------ FIDs and spectra
def decaying(frequency, width=1000.0, points=1024, T2=0.3):
    times = np.arange(points) / width
    return times, np.exp((2j * np.pi * frequency - 1 / T2) * times)


def test_an_fid_is_drawn_in_both_quadratures(ax):
    times, fid = decaying(40.0)
    real, imaginary = draw_fid(ax, times, fid, title="1H")
    np.testing.assert_array_equal(real.get_xdata(), times)
    np.testing.assert_array_equal(real.get_ydata(), fid.real)
    np.testing.assert_array_equal(imaginary.get_ydata(), fid.imag)
    assert ax.get_title() == "1H"
    assert "(s)" in ax.get_xlabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["real", "imaginary"]


@pytest.mark.parametrize("frequency", [40.0, -107.5])
def test_the_peak_stands_at_the_frequency_of_the_line(ax, frequency):
    _, fid = decaying(frequency)
    real, imaginary = draw_spectrum(ax, fid, 1000.0, title="1H")
    shown, heights = real.get_xdata(), real.get_ydata()
    assert shown[np.argmax(heights)] == pytest.approx(frequency, abs=0.5)
    assert heights.max() == pytest.approx(0.3, rel=0.05)  # an area of 1 over its width: T2
    # absorptive: the other quadrature crosses zero there
    assert abs(imaginary.get_ydata()[np.argmax(heights)]) < 0.2 * heights.max()


def test_frequency_grows_to_the_left(ax):
    _, fid = decaying(40.0)
    draw_spectrum(ax, fid, 1000.0)
    assert ax.get_xlim() == (500, -500)
    draw_spectrum(ax, fid, 1000.0, span_hz=120)
    assert ax.get_xlim() == (120, -120)


def box_of(artist):
    """The box of an artist in display coordinates, as it is drawn."""
    artist.get_figure(root=True).canvas.draw()
    return artist.get_window_extent()


@pytest.mark.parametrize("size", [(8, 3), (3.0, 2.3), (6.4, 4.8)])
@pytest.mark.parametrize("kind", ["spectrum", "fid"])
def test_no_legend_lies_over_the_data_or_the_title(size, kind):
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.add_subplot()
    times, right = decaying(-107.5)
    doublet = decaying(107.5)[1] + right
    if kind == "spectrum":
        lines = draw_spectrum(ax, doublet, 1000.0, title="1H, readout II", span_hz=150)
    else:
        lines = draw_fid(ax, times[:60], doublet[:60], title="1H, readout II")
    legend = box_of(ax.get_legend())
    for line in lines:
        shown = ax.transData.transform(line.get_xydata())
        assert not any(legend.contains(x, y) for x, y in shown)
    assert not legend.overlaps(box_of(ax.title))
    assert not legend.overlaps(ax.bbox)
    # and it is on the picture, above the axes
    assert figure.bbox.y1 >= legend.y1 > legend.y0 >= ax.bbox.y1


def test_the_two_lines_of_a_doublet_are_seen_at_one_height(ax):
    doublet = decaying(107.5)[1] + decaying(-107.5)[1]
    real, _ = draw_spectrum(ax, doublet, 1000.0, span_hz=150)
    legend = box_of(ax.get_legend())
    shown, heights = real.get_xdata(), real.get_ydata()
    peaks = [heights[(shown > 0) == left].max() for left in (True, False)]
    assert peaks[0] == pytest.approx(peaks[1], rel=1e-6)
    for k, frequency in enumerate((107.5, -107.5)):
        x, y = ax.transData.transform((frequency, peaks[k]))
        assert not legend.contains(x, y)
