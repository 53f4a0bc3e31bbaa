"""The search of a maximum, against closed forms."""

import numpy as np
import pytest
from scipy.optimize import brentq

from nmrqb.battery.peaks import largest
from nmrqb.battery.power import average_power
from nmrqb.errors import ArgumentError


def test_the_largest_value_is_found_between_the_points_of_the_grid():
    top = brentq(lambda x: np.tan(x) - 2 * x, 1.0, 1.3)  # d/dx sin²x/x = 0
    peak = largest(lambda t: average_power(np.sin(t) ** 2, t), 3.0, points=31)
    assert peak.time == pytest.approx(top, abs=1e-6)
    assert peak.value == pytest.approx(np.sin(top) ** 2 / top, rel=1e-12)


def test_the_highest_of_several_hills_is_followed():
    peak = largest(lambda t: np.sin(5 * t) * np.exp(0.2 * t), 6.0)
    last = (np.pi / 2 + np.arctan(0.04) + 8 * np.pi) / 5  # the slope is 0: tan 5t = −25
    assert peak.time == pytest.approx(last, abs=1e-6)


def test_a_maximum_at_the_end_is_found():
    assert largest(lambda t: t**2, 2.0).value == pytest.approx(4.0)


@pytest.mark.parametrize("bad", [{"stop": 0.0}, {"stop": np.nan}, {"stop": 1.0, "points": 2}])
def test_an_empty_search_is_refused(bad):
    with pytest.raises(ArgumentError, match=r"must be > 0\.0 and ≥ 3"):
        largest(np.sin, **bad)
