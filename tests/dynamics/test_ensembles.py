"""Gauss–Hermite ensembles, by the moments of the normal distribution."""

import numpy as np
import pytest

from nmrqb.dynamics import gaussian_ensemble
from nmrqb.errors import ArgumentError


@pytest.mark.parametrize("power", range(1, 18))
def test_moments_are_those_of_a_normal_distribution(power):
    # nine nodes are exact up to degree 17: 0 for odd powers, σᵏ (k − 1)!! for even ones
    values, weights = gaussian_ensemble(0.05)
    double_factorial = np.prod(np.arange(power - 1, 0, -2)) if power % 2 == 0 else 0
    moment = np.sum(weights * ((values - 1) / 0.05) ** power)
    assert moment == pytest.approx(double_factorial, rel=1e-9, abs=1e-6)


def test_weights_sum_to_one():
    assert gaussian_ensemble(0.1)[1].sum() == pytest.approx(1, abs=1e-14)


def test_dephasing_of_a_spread_rotation_is_gaussian():
    # ⟨cos θ(1 + δ)⟩ = cos θ exp(−θ²σ²/2)
    values, weights = gaussian_ensemble(0.05)
    angle = 2 * np.pi
    damped = np.cos(angle) * np.exp(-((angle * 0.05) ** 2) / 2)
    assert np.sum(weights * np.cos(angle * values)) == pytest.approx(damped, abs=1e-10)


def test_no_spread_is_the_calibrated_value_alone():
    values, weights = gaussian_ensemble(0.0)
    assert values.tolist() == weights.tolist() == [1.0]


@pytest.mark.parametrize("spread", [-0.01, 0.3, np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_spreads_out_of_range_are_refused(spread):
    with pytest.raises(ArgumentError, match=r"`spread` must be in \[0, 0\.222\)"):
        gaussian_ensemble(spread)
