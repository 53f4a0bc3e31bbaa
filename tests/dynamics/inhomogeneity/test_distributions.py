"""Distributions: their moments, T2*, measured profiles in files, what is refused."""

import numpy as np
import pytest

from nmrqb.dynamics import Gaussian, Lorentzian, Tabulated, Uniform, read_profile, static_field
from nmrqb.errors import ArgumentError, InputError


@pytest.mark.parametrize("intervals", [11, 24, 80])
def test_gauss_legendre_integrates_polynomials_exactly(intervals):
    values, weights = Uniform(0.3).rule(intervals)
    for power in range(0, 20, 2):
        assert np.sum(weights * values**power) == pytest.approx(0.3**power / (power + 1))
    assert np.sum(weights * values**3) == pytest.approx(0, abs=1e-16)


def test_the_wings_of_a_lorentzian_have_their_weight():
    spread = Lorentzian(2.0)
    values, weights = spread.rule(4000)
    for x in (1.0, 5.0, 40.0):
        beyond = 1 - 2 / np.pi * np.arctan(x)
        assert weights[np.abs(values) > 2 * x].sum() == pytest.approx(beyond, abs=2e-3)
    assert np.abs(values).max() == pytest.approx(2 * spread.reach)
    assert 1 - 2 / np.pi * np.arctan(spread.reach) == pytest.approx(spread.missing)


def test_T2_star_is_a_lorentzian_line():
    """The full width at half height is 1/(πT2*) with T2 in it."""
    width = 1 / (np.pi * 0.05)
    found = static_field(0.05, 0.5)
    assert 2 * found.half_width + 1 / (np.pi * 0.5) == pytest.approx(width)
    assert static_field(0.05).half_width == pytest.approx(width / 2)
    carbon = static_field(0.05, nucleus="13C")
    assert carbon.half_width * 6.728284 / 26.7522128 == pytest.approx(width / 2)
    assert static_field(0.05, 0.05) is None


@pytest.mark.parametrize(
    ("text", "values", "weights"),
    [
        ("# profile\n0.9, 1\n1.0, 2 # best\n\n1.1, 1\n", [-0.1, 0, 0.1], [0.25, 0.5, 0.25]),
        ("1 4\n1.5\t12\n", [0, 0.5], [0.25, 0.75]),
        ("0.5;1e-3", [-0.5], [1]),
    ],
)
def test_profiles_in_files(tmp_path, text, values, weights):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    found = read_profile(tmp_path / "p.csv").rule(0)
    np.testing.assert_allclose(found[0], values, atol=1e-15)
    np.testing.assert_allclose(found[1], weights)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n1\n", r"p\.csv:2:1: this line must hold two numbers, .* but is `1`"),
        ("1 2 3\n", r"p\.csv:1:1: this line must hold two numbers"),
        ("nan 2\n", r"p\.csv:1:1: this line must hold two numbers"),
        ("1e999 2\n", r"p\.csv:1:1: the numbers must be finite"),
        ("1 2\n1 -1\n", r"p\.csv:2:1: a weight must not be negative, but is -1"),
        ("1 0\n", "all weights are 0"),
        ("# nothing\n", "from 1 to 10000 rows, but has 0"),
        ("1 2\n\xff\n", r"p\.csv:2:1: byte 0xff is not UTF-8"),
    ],
)
def test_faults_of_profiles_have_their_place(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        read_profile("p.csv")


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_profile(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder, but a profile is needed"):
        read_profile(tmp_path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Gaussian(-1.0), "`spread` must be positive and finite, but is -1"),
        (lambda: Gaussian(np.nan), "`spread` must be positive"),
        (lambda: Lorentzian(np.inf), "`half_width` must be positive"),
        (lambda: Lorentzian(1.0, missing=0.6), "`missing` must be above 0 and below"),
        (lambda: Uniform(0.0), "`half_width` must be positive"),
        (lambda: Tabulated((), ()), "must be as many and at least one, but are 0 and 0"),
        (lambda: Tabulated((1.0,), (1.0, 2.0)), "must be as many"),
        (lambda: Tabulated((np.nan,), (1.0,)), "must be finite, but hold nan"),
        (lambda: Tabulated((1.0,), (-1.0,)), "`weights` must be 0 or more"),
        (lambda: Tabulated((1.0,), (0.0,)), "not all 0"),
        (lambda: static_field(2.0, 1.0), "`T2_star` must be at most T2 = 1.0 s, but is 2.0 s"),
        (lambda: static_field(-1.0), "must be positive, but are -1"),
    ],
)
def test_distributions_that_make_no_sense(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
