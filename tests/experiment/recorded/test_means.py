"""Weighted means: the closed forms, and what scatter does to errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrqb.experiment.recorded.means import weighted_mean


def test_one_value_is_its_own_mean():
    mean = weighted_mean([3.0], [0.2])
    assert (mean.value, mean.error, mean.scatter) == (3.0, pytest.approx(0.2), 0.0)


def test_two_equal_errors_give_half_the_difference():
    """Values a, a + d far apart: χ²/(n−1) = d²/2σ², so the error is d/2."""
    mean = weighted_mean([1.0, 2.0], [0.001, 0.001])
    assert mean.value == pytest.approx(1.5)
    assert mean.error == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 2)), min_size=2, max_size=6))
def test_the_error_is_never_below_that_of_the_weights(pairs):
    values, errors = zip(*pairs, strict=True)
    mean = weighted_mean(values, errors)
    least = 1 / np.sqrt(np.sum(np.array(errors) ** -2.0))
    assert mean.error >= least * (1 - 1e-12)
    assert min(values) - 1e-12 <= mean.value <= max(values) + 1e-12
