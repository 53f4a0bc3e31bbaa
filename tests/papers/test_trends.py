"""Quantities made of others: figures of a run, and words such as *rises with D* as numbers."""

import inspect

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.papers.trends import figure_of, least_fall, least_step, spread


def square(*, x=5.0, y=1.0):
    return x * x + y


def test_least_step_fall_and_spread_along_a_constant():
    rise, fall, ptp = (
        f(square, along="x", values=(0, 1, 3)) for f in (least_step, least_fall, spread)
    )
    assert rise() == 1
    assert rise(values=[-1, 0, 3]) == -1
    assert fall() == -8
    assert fall(values=[3, 1, 0]) == 1
    assert ptp(values=[-1, 0, 3]) == 9
    assert ptp(along="y", values=[2, 4]) == 2


def test_constants_that_go_together():
    assert least_step(square, along="x+y", values=(0, 1))() == 2


def test_of_arrays_the_element_that_changes_most_counts():
    pair = spread(lambda *, x=1.0: np.array([x, -3 * x]), along="x", values=(0, 2))
    assert pair() == 6


def test_inputs_are_those_of_the_quantity_with_values_of_its_own():
    rise = least_step(square, along="y", values=(0, 1), x=2.0)
    found = {p.name: p.default for p in inspect.signature(rise).parameters.values()}
    assert found == {"along": "y", "values": (0, 1), "x": 2.0, "y": 1.0}
    assert least_step(rise, along="x", values=(0, 1))() == 0  # a trend can be followed in its turn


def test_figures_of_a_run():
    figure = figure_of(
        lambda *, x=2.0: [x, -x], {"first": lambda r: r[0], "last": lambda r: r[1]}, "last"
    )
    assert figure() == -2
    assert figure(figure="first", x=3.0) == 3
    assert spread(figure, along="x", values=(0, 4), figure="first")() == 4


@pytest.mark.parametrize(
    ("quantity", "given", "message"),
    [
        (figure_of(square, {"top": float}, "top"), {"figure": "tip"}, "`figure` .* 'tip'; did you"),
        (spread(square, along="x+z", values=(0, 1)), {}, "`along` .* 'z'; Valid: x, y"),
        (least_step(square, along="x", values=(0, 1)), {"w": 1.0}, "`inputs` .* names 'w'"),
    ],
)
def test_what_is_not_there_is_refused(quantity, given, message):
    with pytest.raises(ArgumentError, match=message):
        quantity(**given)


def test_values_of_its_own_are_of_inputs():
    with pytest.raises(ArgumentError, match=r"`own` .* names 'z'"):
        spread(square, along="x", values=(0, 1), z=1.0)
