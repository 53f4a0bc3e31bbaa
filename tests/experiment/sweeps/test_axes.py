"""Values of parameters: what may be written, and what Latin hypercubes are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrqb.errors import InputError, Position
from nmrqb.experiment.sweeps.axes import even, grid_axes, hypercube_axes


def places(over):
    return {path: Position(f"--over {path}") for path in over}


def axis(text):
    return grid_axes({"p": text}, {"p": Position("--over p")})[0]


@pytest.mark.parametrize(
    ("text", "units", "values"),
    [
        ("0Hz:20 Hz:5", "Hz", [0, 5, 10, 15, 20]),
        ("-5Hz:5Hz:3", "Hz", [-5, 0, 5]),
        ("20 ms:10 ms:2", "s", [0.02, 0.01]),
        ("1Hz:10kHz:5:log", "Hz", [1, 10, 100, 1000, 10_000]),
        ("-1 Hz:-4 Hz:3:log", "Hz", [-1, -2, -4]),
        ("1Hz,2.5 kHz , 5Hz", "Hz", [1, 2500, 5]),
        ("5 %", "1", [0.05]),
        ("1:4:4", "1", [1, 2, 3, 4]),
        ("3 ms:8 ms:1", "s", [0.003]),
        ("0.5 /s:1/(1 s):2", "/s", [0.5, 1]),
    ],
)
def test_grids(text, units, values):
    found = axis(text)
    np.testing.assert_allclose(found.values, values, rtol=1e-14, atol=1e-14)
    assert found.units == units
    assert found.values[0] == pytest.approx(values[0], abs=0)


def test_values_are_written_as_a_file_reads_them():
    found = axis("1 ms:8 ms:8")
    for value in found.values:
        assert axis(found.text(value)).values[0] == value
    assert axis("1:4:4").text(3.0) == "3"
    assert axis("1 %").text(0.01) == "0.01"


def test_extremes_hold_what_is_nearest_to_zero():
    assert axis("-5Hz:4Hz:4").extremes() == (-5, 4, 1)
    assert axis("1Hz,2Hz").extremes() == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0Hz:20Hz", "must be START:STOP:POINTS"),
        ("0Hz:20Hz:3:lg", "must be START:STOP:POINTS"),
        ("0Hz::3", "must be START:STOP:POINTS"),
        ("0Hz:20Hz:0", "the number of points must be 1 or more, but is '0'"),
        ("0Hz:20Hz:-3", "the number of points must be 1 or more"),
        ("0Hz:20Hz:1e3", "the number of points must be 1 or more"),
        ("0Hz:20Hz:99999999", "must be from 1 to 10000000"),
        ("0Hz:20s:3", "`0Hz` is a frequency, `20s` is a time"),
        ("0Hz:20Hzz:3", "`20Hzz` is no number with a unit"),
        ("nan Hz:20Hz:3", "`nan Hz` is no number with a unit"),
        ("1Hz,,2Hz", "`` is no number with a unit"),
        ("0Hz:20Hz:3:log", "even ratios"),
        ("-1Hz:20Hz:3:log", "even ratios"),
    ],
)
def test_faults(text, message):
    with pytest.raises(InputError, match=message) as caught:
        axis(text)
    assert caught.value.faults[0].at == Position("--over p")


def test_all_faults_are_told_at_once():
    over = {"a": "0Hz:1Hz", "b": "1Hz:2Hz:3", "c": "x"}
    with pytest.raises(InputError, match="START") as caught:
        grid_axes(over, places(over))
    assert [fault.at.file for fault in caught.value.faults] == ["--over a", "--over c"]


def test_every_part_of_a_hypercube_holds_one_point():
    over = {"a": "2Hz:4Hz", "b": "1s:100s:log"}
    a, b = hypercube_axes(over, places(over), 50, seed=3)
    parts = np.floor((a.values - 2) / 2 * 50), np.floor(np.log(b.values) / np.log(100) * 50)
    for part in parts:
        assert sorted(part) == list(range(50))
    again = hypercube_axes(over, places(over), 50, seed=3)
    other = hypercube_axes(over, places(over), 50, seed=4)
    assert np.array_equal(again[0].values, a.values)
    assert not np.array_equal(other[0].values, a.values)
    assert abs(np.corrcoef(*parts)[0, 1]) < 0.5


def test_a_hypercube_has_ranges_without_points():
    with pytest.raises(InputError, match="must be START:STOP, such as"):
        hypercube_axes({"a": "0Hz:1Hz:5"}, places("a"), 5, seed=1)
    with pytest.raises(InputError, match="from 1 to"):
        hypercube_axes({"a": "0Hz:1Hz"}, places("a"), 0, seed=1)


# --------------------------------------------------------------------------- as they are typed
@given(
    start=st.integers(-(10**6), 10**6),
    step=st.integers(1, 10**4),
    count=st.integers(2, 300),
    exponent=st.integers(-9, 3),
)
def test_an_even_range_holds_the_floats_of_its_decimals(start, step, count, exponent):
    def typed(number):
        return float(f"{number}e{exponent}")

    values = even(typed(start), typed(start + step * (count - 1)), count)
    assert [*values] == [typed(start + step * k) for k in range(count)]


@given(start=st.floats(-1e12, 1e12), stop=st.floats(-1e12, 1e12), count=st.integers(1, 50))
def test_any_even_range_is_even_and_keeps_its_ends(start, stop, count):
    values = even(start, stop, count)
    np.testing.assert_allclose(values, np.linspace(start, stop, count), rtol=1e-12, atol=1e-3)
    assert values[0] == start
    assert count == 1 or values[-1] == stop


def test_values_can_be_selected_as_they_are_typed():
    (axis,) = grid_axes({"a": "0 ms:3 ms:31"}, {"a": Position("--over a")})
    assert 0.0003 in axis.values
    assert 0.0003 not in np.linspace(0, 1, 31) * 0.003  # but its neighbour
