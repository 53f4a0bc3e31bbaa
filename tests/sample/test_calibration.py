"""What the 90° time of a spin makes of any flip angle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.errors import ArgumentError
from nmrqb.sample import Sample, Spin, check_pulse_model, pulse_duration

SAMPLE = Sample("made", (Spin("H", "1H", pulse_90_s=7.7e-6), Spin("C", "13C")))


@given(st.floats(-4 * np.pi, 4 * np.pi), st.floats(1e-7, 1e-2))
@settings(deadline=None)
def test_the_field_of_the_90_degree_pulse_turns_by_the_angle_in_that_time(angle, time):
    # the field that turns z to −y in t₉₀ turns by any other angle in t, backwards if it is negative
    sample = Sample("one", (Spin("H", "1H", pulse_90_s=time),))
    field = np.pi / 2 / time * np.array([[0, 1], [1, 0]]) / 2
    t = float(pulse_duration(sample, 0, angle, "finite"))
    assert t >= 0
    expected = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * np.array([[0, 1], [1, 0]])
    np.testing.assert_allclose(expm(-1j * np.sign(angle) * field * t), expected, atol=1e-12)


def test_a_right_angle_takes_the_90_degree_time():
    assert pulse_duration(SAMPLE, 0, np.pi / 2, "finite") == pytest.approx(7.7e-6, rel=1e-15)
    assert pulse_duration(SAMPLE, 0, 0.0, "finite") == 0


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_shapes(shape):
    angles = np.linspace(-1, 2, int(np.prod(shape))).reshape(shape)
    found = pulse_duration(SAMPLE, 0, angles, "finite")
    assert found.shape == shape
    np.testing.assert_allclose(found, np.abs(angles) / (np.pi / 2) * 7.7e-6)
    ideal = pulse_duration(SAMPLE, 1, angles, "ideal")
    assert ideal.shape == shape
    assert not ideal.any()


def test_ideal_pulses_need_no_calibration_and_finite_ones_do():
    assert pulse_duration(SAMPLE, 1, 1.0, "ideal") == 0
    message = "`pulses` must be 'ideal', but is 'finite': spin 'C' of sample 'made' has no `pulse_9"
    with pytest.raises(ArgumentError, match=message):
        pulse_duration(SAMPLE, 1, 1.0, "finite")


@pytest.mark.parametrize("model", ["Ideal", "", "hard"])
def test_other_models_are_refused(model):
    message = f"`pulses` must be 'ideal' or 'finite', but is '{model}'"
    with pytest.raises(ArgumentError, match=message):
        check_pulse_model(model)
    with pytest.raises(ArgumentError, match=message):
        pulse_duration(SAMPLE, 0, 1.0, model)


@pytest.mark.parametrize("model", ["ideal", "finite"])
def test_the_two_models_pass(model):
    check_pulse_model(model)
