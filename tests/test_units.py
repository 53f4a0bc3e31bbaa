"""Text with units to floats in SI."""

import math
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrqb.units import EXAMPLES, UNITS, UnitError, Value, calculate, evaluate, quantity

NAMES = {
    "J": Value.of(215.13, "frequency"),
    "T": Value.of(2.0, "time"),
    "n": Value(3.0),
    "T1": lambda I: Value.of({"I": 10.0, "S": 4.0}[I], "time"),  # noqa: E741
    "pair": lambda I, S: Value.of(len(I + S), "frequency"),  # noqa: E741
    "late": lambda: Value.of(0.5, "time"),
}


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("5 ms", "time", 5e-3), ("77us", "time", 77e-6), ("13 µs", "time", 13e-6),
        ("2 min", "time", 120.0), ("-3.2e-05Hz", "frequency", -3.2e-5),
        ("62.375 MHz", "frequency", 62.375e6), ("90 deg", "angle", math.pi / 2),
        ("90°", "angle", math.pi / 2), ("1 rad", "angle", 1.0), ("250 mT", "field", 0.25),
        ("10 G", "field", 1e-3), ("5 %", "ratio", 0.05), ("0.05", "ratio", 0.05),
        ("3 ppm", "ratio", 3e-6), ("41", "count", 41.0), ("1/(2 ms)", "frequency", 500.0),
        ("-(5 Hz - 7 Hz)*2", "frequency", 4.0), ("2*pi/pi", "ratio", 2.0),
        ("  +.5   s ", "time", 0.5), ("5\n ms", "time", 5e-3), ("0 Hz", "frequency", 0.0),
    ],
)  # fmt: skip
def test_quantities(text, dimension, value):
    assert quantity(text, dimension) == value


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("1/(4*J)", "time", 1 / (4 * 215.13)),
        ("1/(40*J) + 10 us", "time", 1 / (40 * 215.13) + 10e-6),
        ("J/8", "frequency", 215.13 / 8),
        ("T1(I) - T1(S)", "time", 6.0),
        ("pair(I, S)", "frequency", 2.0),
        ("late*n", "time", 1.5),
        ("T*J*360 deg", "angle", 2 * 215.13 * 2 * math.pi),
        ("2 T", "field", 2.0),
        ("2*T", "time", 2.0 * 2),
        ("n", "count", 3.0),
    ],
)
def test_expressions(text, dimension, value):
    assert evaluate(text, dimension, NAMES) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("5", "time", "`5` has no unit; write for example '5 ms'"),
        ("0", "frequency", "`0` has no unit; write for example '0 Hz'"),
        ("2*pi", "angle", "`2\\*pi` has no unit; write for example '90 deg'"),
        ("5 kg", "time", "unknown unit `kg` in `5 kg`; Valid: h, min, ms"),
        ("5 MS", "time", "unknown unit `MS` in `5 MS`; did you mean `ms`"),
        ("5 Hz", "time", "`5 Hz` is a frequency, but must be a time, for example '5 ms'"),
        ("5 ms", "ratio", "is a time, but must be a plain number"),
        ("5 ms*ms", "time", "unknown name `ms`"),
        ("1 s*1 s", "time", "is s\\^2, but must be a time"),
        ("1 s + 1 Hz", "time", "adds a time and a frequency"),
        ("90 deg + 5", "angle", "adds an angle and a plain number"),
        ("5 J", "frequency", "for 5 times `J` write 5\\*J"),
        ("1_000 s", "time", "unknown unit `_000`"),
        ("K", "frequency", "unknown name `K` in `K`; .*Valid: J, T, T1"),
        ("lte", "time", "unknown name `lte` in `lte`; did you mean `late`"),
        ("D", "frequency", "unknown name `D`"),
        ("S", "frequency", "unknown name `S`"),
        ("second", "time", "unknown name `second`"),
        ("T1", "time", "`T1` in `T1` needs spins: T1\\(I\\)"),
        ("T1(I, S)", "time", "`T1\\(I, S\\)` in .* needs spins: T1\\(I\\)"),
        ("late(I)", "time", "needs no spins"),
        ("late()", "time", "is not an expression"),
        ("J(I)", "frequency", "is a value and takes no spins"),
        ("T1(2*I)", "time", "is not an expression"),
        ("T1(5)", "time", "is not an expression"),
        ("T1(*I)", "time", "is not an expression"),
        ("nan", "time", "`nan` is not finite"),
        ("-inf", "ratio", "`-inf` is not finite"),
        ("1e999 s", "time", "not finite or too large"),
        ("1e99999999999999999999 s", "time", "not finite or too large"),
        ("1e308*1e308", "ratio", "not finite or too large"),
        ("1e308 + 1e308", "ratio", "not finite or too large"),
        ("1/1e-320", "ratio", "not finite or too large"),
        ("1/0", "ratio", "divides by zero"),
        ("1/(5 Hz - 5 Hz)", "time", "divides by zero"),
        ("10**8**8", "ratio", "`10\\*\\*8\\*\\*8` is not an expression"),
        ("7//2", "ratio", "is not an expression"),
        ("5 ms)", "time", "is not an expression"),
        ("5 ms 3", "time", "is not an expression"),
        ("", "time", "is empty; write for example '5 ms'"),
        ("2.5", "count", "`2.5` must be a whole number, 0 or more"),
        ("-2", "count", "must be a whole number"),
        ("__import__('os')", "time", "`'` may not stand in"),
        ("a.b", "time", "`.` may not stand in"),
        ("٣ ms", "time", "`٣` may not stand in"),
        ("lambda", "time", "unknown name `lambda`"),
        ("[1 s]", "time", "may not stand in"),
        ("1 s if 1 else 2 s", "time", "is not an expression|unknown"),
        ("(" * 21 + "1 s" + ")" * 21, "time", "more than 20 nested parentheses"),
        ("1 s + " * 40 + "1 s", "time", "has 243 characters; at most 200 are read"),
    ],
)  # fmt: skip
def test_faults(text, dimension, message):
    with pytest.raises(UnitError, match=message) as caught:
        evaluate(text, dimension, NAMES)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_long_chains_within_the_limit_are_read():
    assert quantity("1+" * 99 + "1", "ratio") == 100
    assert quantity("-" * 199 + "1", "ratio") == -1


def test_calculate_tells_the_dimension():
    assert calculate("1/J", NAMES) == Value(1 / 215.13, (1, 0, 0))
    assert calculate("3 s*2 T", {}).kind == "s T"
    assert Value.of(1, "angle").kind == "an angle"


def test_a_hostile_power_is_refused_at_once():
    start = time.perf_counter()
    with pytest.raises(UnitError, match="not an expression"):
        quantity("9**9**9**9 s", "time")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("dimension", EXAMPLES)
def test_examples_are_valid(dimension):
    assert math.isfinite(quantity(EXAMPLES[dimension], dimension))


units = st.sampled_from([(d, u) for d, us in UNITS.items() for u in us])


@given(st.floats(-1e9, 1e9), units)
def test_numbers_round_trip(number, unit):
    dimension, name = unit
    one = quantity(f"1 {name}", dimension)
    assert quantity(f"{number!r} {name}", dimension) == pytest.approx(number * one, rel=1e-14)
    assert quantity(f"{number!r}{name}", dimension) == quantity(f"{number!r} {name}", dimension)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 50), st.sampled_from("+-*"))
def test_arithmetic_is_that_of_python(a, b, c, op):
    text = f"({a} {op} {b})/{c} - {a}*{b}"
    assert quantity(text, "ratio") == eval(text)  # the oracle


@given(st.text(max_size=30) | st.text("0123456789.eE+-*/() msHzpiJ,%", max_size=40))
def test_any_text_gives_a_finite_number_or_a_fault(text):
    try:
        value = evaluate(text, "time", NAMES)
    except UnitError as error:
        assert str(error)  # noqa: PT017
    else:
        assert math.isfinite(value)


def test_pint_is_loaded_only_when_a_unit_is_met():
    code = (
        "import sys, nmrqb.units as u\n"
        "u.quantity('2*3', 'ratio')\n"
        "assert 'pint' not in sys.modules\n"
        "u.quantity('5 ms', 'time')\n"
        "assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
