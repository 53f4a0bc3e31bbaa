"""Pictures of maps: what is drawn where, and what is read for it."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure

from nmrqb.plotting import draw_map

LABELS = {"long_name": "largest value over time of the ergotropy", "units": "Hz"}


@pytest.fixture
def ax():
    return Figure().add_subplot()


def axis(dim, values, path, units="Hz"):
    return (dim, np.asarray(values, dtype=float), {"long_name": path, "units": units})


def grid(D=(0, 1, 2, 4), T=(1, 10, 100)):
    values = np.add.outer(np.asarray(D) * 10.0, np.log10(T))
    coords = {
        "D": axis("D", D, "battery.D"),
        "T": axis("T", T, "prepare.gibbs.temperature"),
    }
    return xr.Dataset({"e": (("D", "T"), values, LABELS)}, coords)


def test_a_density_plot_of_two_parameters(ax):
    (mesh,) = draw_map(ax, grid(), "e")
    assert isinstance(mesh, QuadMesh)
    array = np.asarray(mesh.get_array())
    np.testing.assert_allclose(array, [[0, 10, 20, 40], [1, 11, 21, 41], [2, 12, 22, 42]])
    assert ax.get_xlabel() == "battery.D (Hz)"
    assert ax.get_ylabel() == "prepare.gibbs.temperature (Hz)"
    # centres are where the values are, though they are not equally spaced
    edges = mesh.get_coordinates()[0, :, 0]
    assert np.all((edges[:-1] < [0, 1, 2, 4]) & (edges[1:] > [0, 1, 2, 4]))
    (bar,) = [a for a in ax.figure.axes if a is not ax]
    assert bar.get_ylabel() == "largest value over time of the\nergotropy (Hz)"


def test_a_curve_of_one_parameter(ax):
    (line,) = draw_map(ax, grid().isel(T=1), "e")
    np.testing.assert_allclose(line.get_xdata(), [0, 1, 2, 4])
    np.testing.assert_allclose(line.get_ydata(), [1, 11, 21, 41])
    assert ax.get_xlabel() == "battery.D (Hz)"


def test_points_that_are_missing_stay_blank(ax):
    data = grid()
    data["e"][1, 2] = np.nan
    (mesh,) = draw_map(ax, data, "e")
    assert np.ma.getmaskarray(np.ma.masked_invalid(mesh.get_array())).sum() == 1


def points(*names):
    coords = {n: axis("point", np.arange(5) + k, n, "1") for k, n in enumerate(names)}
    return xr.Dataset({"e": (("point",), np.arange(5.0) ** 2, LABELS)}, coords)


def test_points_of_a_hypercube(ax):
    (marks,) = draw_map(ax, points("a", "b"), "e")
    assert isinstance(marks, PathCollection)
    np.testing.assert_allclose(marks.get_offsets(), [[k, k + 1] for k in range(5)])
    np.testing.assert_allclose(marks.get_array(), np.arange(5.0) ** 2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")


def test_points_of_one_parameter(ax):
    (marks,) = draw_map(ax, points("a"), "e")
    np.testing.assert_allclose(marks.get_offsets(), [[k, k**2] for k in range(5)])
    assert ax.get_ylabel() == "largest value over time of the\nergotropy (Hz)"


def test_of_a_large_map_every_third_point_is_drawn(ax):
    D = np.linspace(0, 1, 1001)
    (mesh,) = draw_map(ax, grid(D, [1, 10]), "e")
    assert mesh.get_array().shape == (2, 334)
    np.testing.assert_allclose(np.asarray(mesh.get_array())[0], 10 * D[::3])


def test_three_parameters_make_no_picture(ax):
    with pytest.raises(ValueError, match="`e` has 3"):
        draw_map(ax, grid().expand_dims(z=2), "e")
