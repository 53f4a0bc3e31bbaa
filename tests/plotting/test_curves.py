"""Figures of merit against time, density matrices, FIDs and spectra."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from nmrqb.plotting import draw_fid, draw_figure_of_merit, draw_matrix, draw_spectrum
from nmrqb.plotting.style import ESTIMATE, MODEL, TRUE


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


def test_what_is_not_reported_has_no_marks(ax, data):
    (line,) = draw_figure_of_merit(ax, data, "coherence_l1")
    np.testing.assert_array_equal(line.get_ydata(), data["true_coherence_l1"])
    assert ax.get_ylabel() == "l1 coherence in the energy basis"  # no unit for a plain number
    assert not ax.collections


# -------------------------------------------------------------------------------------- matrices
def test_a_matrix_shows_its_numbers(ax):
    values = np.array([[0.5, -0.25], [-1e-5, 0.12349]])
    image = draw_matrix(ax, values, ["0", "1"], limit=0.5, title="ρ")
    np.testing.assert_array_equal(image.get_array(), values)
    assert image.get_clim() == (-0.5, 0.5)
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "0.500", (1, 0): "-0.250", (0, 1): "0.000", (1, 1): "0.123"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["|0⟩", "|1⟩"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["|0⟩", "|1⟩"]
    assert ax.get_title() == "ρ"


def test_zero_is_white_and_signs_have_colours(ax):
    image = draw_matrix(ax, np.array([[1.0, 0.0], [-1.0, 0.5]]), ["0", "1"], limit=1.0)
    plus, zero, minus = (image.cmap(image.norm(value)) for value in (1.0, 0.0, -1.0))
    assert plus[0] > plus[2]  # red
    assert minus[2] > minus[0]  # blue
    assert min(zero[:3]) > 0.95
    # numbers stay legible on full colour
    colours = {text.get_position(): to_hex(text.get_color()) for text in ax.texts}
    assert colours[0, 0] == colours[0, 1] == "#ffffff"
    assert colours[1, 0] == colours[1, 1] == "#000000"


def test_large_matrices_have_no_room_for_numbers(ax):
    labels = [f"{k:03b}" for k in range(8)]
    image = draw_matrix(ax, np.eye(8), labels, limit=1.0)
    assert image.get_array().shape == (8, 8)
    assert not ax.texts


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
