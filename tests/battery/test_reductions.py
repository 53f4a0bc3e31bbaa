"""Extremes over time and when they are reached, on curves that are known."""

import numpy as np

from nmrqb.battery.reductions import REDUCTIONS, reduced, reduced_name

TIMES = np.linspace(0, 1, 101)


def test_extremes_and_times_of_sines():
    curves = np.sin(2 * np.pi * TIMES * np.array([[1.0], [0.25], [0.0]]))
    found = reduced({"a": curves}, TIMES, REDUCTIONS)
    np.testing.assert_allclose(found["a_max"], [1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(found["a_min"], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found["a_argmax"], [0.25, 1, 0])
    np.testing.assert_allclose(found["a_argmin"], [0.75, 0, 0])
    np.testing.assert_allclose(found["a_mean"], curves.mean(axis=-1))
    np.testing.assert_allclose(found["a_last"], curves[:, -1])
    np.testing.assert_array_equal(found["a"], curves)


def test_the_first_of_equal_extremes_counts_whatever_rounding_does():
    curve = np.cos(4 * np.pi * TIMES)  # 1 at 0, ½ and 1
    curve[50] += 1e-15
    assert reduced({"a": curve}, TIMES, ["argmax"])["a_argmax"] == 0
    curve[50] += 1e-9
    assert reduced({"a": curve}, TIMES, ["argmax"])["a_argmax"] == 0.5


def test_times_of_every_curve_count():
    times = TIMES * np.array([[1.0], [3.0]])
    found = reduced({"a": np.sin(2 * np.pi * times / times[:, -1:])}, times, ["argmax"])
    np.testing.assert_allclose(found["a_argmax"], [0.25, 0.75])


def test_names():
    assert reduced_name("ergotropy", "none") == "ergotropy"
    assert reduced_name("ergotropy", "argmax") == "ergotropy_argmax"
