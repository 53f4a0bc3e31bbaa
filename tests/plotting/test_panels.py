"""Curves over one axis, and values over a plane."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from nmrqb.plotting import draw_curves, draw_density
from nmrqb.plotting.panels import COLOURS

X = np.linspace(0, 1, 30)


@pytest.fixture
def ax():
    return Figure().add_subplot()


def test_curves_are_drawn_in_their_order(ax):
    lines = draw_curves(ax, X, {"a": X, "b": X**2})
    assert [line.get_label() for line in lines] == ["a", "b"]
    np.testing.assert_array_equal(lines[1].get_ydata(), X**2)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert lines[0].get_color() != lines[1].get_color()


def test_companions_have_the_colour_of_their_curve(ax):
    _, b, c = draw_curves(ax, X, {"a": X, "b": X**2, "_b": X**3})
    assert c.get_color() == b.get_color() == COLOURS[1]
    assert c.get_linestyle() == ":"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_one_curve_needs_no_legend_and_few_points_are_marked(ax):
    (line,) = draw_curves(ax, X[:5], {"a": X[:5]})
    assert ax.get_legend() is None
    assert line.get_marker() == "o"


def test_density_has_a_labelled_bar(ax):
    values = np.arange(12.0).reshape(3, 4)
    (mesh,) = draw_density(ax, np.arange(4.0), np.arange(3.0), values, label="ξ (ω)")
    assert isinstance(mesh, QuadMesh)
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(3, 4), values)
    assert [other.get_ylabel() for other in ax.figure.axes if other is not ax] == ["ξ (ω)"]
