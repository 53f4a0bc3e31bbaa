"""Words such as *rises with D* as numbers."""

import pytest

from nmrqb.errors import ArgumentError
from nmrqb.papers.trends import least_step, spread

FIGURES = {"square": lambda *, x, y: x * x + y}


def test_least_step_and_spread_along_a_constant():
    constants = {"x": 5.0, "y": 1.0}
    assert least_step(FIGURES, "square", "x", [0, 1, 3], constants) == pytest.approx(1)
    assert least_step(FIGURES, "square", "x", [-1, 0, 3], constants) == pytest.approx(-1)
    assert spread(FIGURES, "square", "x", [-1, 0, 3], constants) == pytest.approx(9)


def test_constants_that_go_together():
    constants = {"x": 5.0, "y": 1.0}
    assert least_step(FIGURES, "square", "x+y", [0, 1], constants) == pytest.approx(2)


def test_unknown_figures_and_constants_are_refused():
    with pytest.raises(ArgumentError, match="`name` must be a figure, but is 'cube'"):
        spread(FIGURES, "cube", "x", [0, 1], {"x": 0.0})
    with pytest.raises(ArgumentError, match="`along` must be a constant, but is 'z'"):
        spread(FIGURES, "square", "x+z", [0, 1], {"x": 0.0})
