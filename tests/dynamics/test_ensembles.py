"""Ensembles of rf amplitudes, by the moments and the dephasing of a normal distribution."""

import numpy as np
import pytest

from nmrqb.dynamics import gaussian_ensemble
from nmrqb.errors import ArgumentError


@pytest.mark.parametrize(("power", "moment"), [(1, 0), (2, 1), (3, 0), (4, 3), (5, 0), (6, 15)])
def test_moments_are_those_of_a_normal_distribution(power, moment):
    amplitudes, weights = gaussian_ensemble(0.05)
    found = np.sum(weights * ((amplitudes - 1) / 0.05) ** power)
    assert found == pytest.approx(moment, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("angle", [0.1, 2 * np.pi, 20 * np.pi, 200 * np.pi])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.2])
def test_dephasing_of_a_spread_rotation_is_gaussian(spread, angle):
    # ⟨e^{iθ(1 + δ)}⟩ = e^{iθ} exp(−θ²σ²/2): no revival, however long it turns
    amplitudes, weights = gaussian_ensemble(spread, largest_angle=angle)
    damped = np.exp(1j * angle - (angle * spread) ** 2 / 2)
    assert abs(np.sum(weights * np.exp(1j * angle * amplitudes)) - damped) < 1e-6


def test_weights_sum_to_one():
    assert gaussian_ensemble(0.1)[1].sum() == pytest.approx(1, abs=1e-14)


def test_no_spread_is_the_calibrated_value_alone():
    amplitudes, weights = gaussian_ensemble(0.0, largest_angle=100.0)
    assert amplitudes.tolist() == weights.tolist() == [1.0]


@pytest.mark.parametrize("spread", [-0.01, 0.6, np.nan, np.inf])
def test_spreads_out_of_range_are_refused(spread):
    with pytest.raises(ArgumentError, match=r"`spread` must be from 0 to 0\.5, but is"):
        gaussian_ensemble(spread)
