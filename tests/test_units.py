"""Text with units to floats in SI."""

import ast
import math
import re
import subprocess
import sys
import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from nmrqb.units import (
    EXAMPLES,
    EXPONENTS,
    FUNCTIONS,
    UNITS,
    UnitError,
    Value,
    calculate,
    compare,
    evaluate,
    quantity,
    written,
)

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
        ("0.2 /s", "rate", 0.2), ("3/us", "rate", 3e6), ("1/(2 s)", "rate", 0.5),
        ("2 /s + 1/ms", "rate", 1002.0), ("109 pm", "length", 109e-12),
        ("1.09 Å", "length", 109e-12),
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
        ("4 rad*1 T/(2 T*1 rad)*1 T/(4 Hz)/(1 T)", "time", 0.5),
    ],
)
def test_expressions(text, dimension, value):
    assert evaluate(text, dimension, NAMES) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("5", "time", "`5` has no unit; write for example '5 ms'"),
        ("2 ppm", "frequency", "`2 ppm` is in ppm, which is a plain number, but must be a freq"),
        ("(1 + 5 %)*2", "time", "is in %, which is a plain number, but must be a time, for"),
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
        ("5 pi", "ratio", "for 5 times `pi` write 5\\*pi"),
        ("5 sin(1 rad)", "ratio", "for 5 times `sin` write 5\\*sin"),
        ("K(2*I)", "frequency", "unknown name `K` in `K\\(2\\*I\\)`"),
        ("5(I)", "frequency", "is not an expression"),
        ("pi(I)", "ratio", "`pi` in .* is a value and takes no spins"),
        ("pi(2)", "ratio", "is not an expression"),
        ("1, 2", "ratio", "is not an expression"),
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
        ("J > 5 Hz", "ratio", "`>` may not stand .*; one value is needed here, not a comparison"),
        ("J = 5 Hz", "frequency", "`=` may not stand .*; one value is needed here, not a comp"),
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "`5` has no unit; write for example '5 /s'"),
        ("5 Hz", "`5 Hz` is in cycles, but must be a rate, for example '0.5 /s'"),
        ("2 /s + 3 Hz", "is in cycles, but must be a rate"),
        ("5 s", "`5 s` is a time, but must be a rate, for example '0.5 /s'"),
        ("5 /sec", "unknown name `sec` in `5 /sec`; Valid: ms, pi, s, us$"),
        ("s", "`s` is a time, but must be a rate"),
    ],
)
def test_faults_of_rates(text, message):
    with pytest.raises(UnitError, match=message):
        quantity(text, "rate")


def test_a_rate_is_no_way_to_write_a_frequency():
    with pytest.raises(UnitError, match="unknown name `s`"):
        quantity("5 /s", "frequency")


def test_long_chains_within_the_limit_are_read():
    assert quantity("1+" * 99 + "1", "ratio") == 100
    assert quantity("-" * 199 + "1", "ratio") == -1


def test_calculate_tells_the_dimension():
    assert calculate("1/J", NAMES) == Value(1 / 215.13, (1, 0, 0, 0))
    assert calculate("3 s*2 T", {}).kind == "s T"
    assert Value.of(1, "angle").kind == "an angle"
    with pytest.raises(UnitError, match="`` is empty; write for example '5 ms'"):
        calculate("  ", {})


def test_a_long_chain_of_names_is_read_however_deep_each_expression_is():
    names = {"x0": Value(1.0)}
    for k in range(40):
        names[f"x{k + 1}"] = lambda k=k: calculate("-" * 190 + f"x{k}", names)
    assert calculate("x40", names) == Value(1.0)


def test_a_mistake_inside_a_name_is_not_taken_for_a_wrong_call():
    def broken():
        raise TypeError("a mistake of the program")

    with pytest.raises(TypeError, match="a mistake of the program"):
        calculate("x", {"x": broken})


def test_a_name_without_a_finite_value_is_refused():
    with pytest.raises(UnitError, match="`x` is not finite or too large"):
        calculate("x", {"x": Value.of(math.inf, "time")})


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


words = st.sampled_from(
    [*"0123456789.+-*/(),%<>= ", "e9", "ms", "Hz", "pi", "J", "T1", "I", *FUNCTIONS]
)
any_text = st.text(max_size=30) | st.lists(words, max_size=40).map("".join)


@given(any_text)
def test_any_text_gives_a_finite_number_or_a_fault(text):
    try:
        value = evaluate(text, "time", NAMES)
    except UnitError as error:
        assert str(error)  # noqa: PT017
    else:
        assert math.isfinite(value)


@given(any_text)
def test_any_text_gives_a_comparison_or_a_fault(text):
    try:
        assert compare(text, NAMES).holds in {True, False}
    except UnitError as error:
        assert str(error)  # noqa: PT017


def test_pint_is_loaded_only_when_a_unit_is_met():
    code = (
        "import sys, nmrqb.units as u\n"
        "u.quantity('2*3', 'ratio')\n"
        "assert 'pint' not in sys.modules\n"
        "u.quantity('5 ms', 'time')\n"
        "assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------------ functions
@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("sin(30 deg)", "ratio", 0.5), ("cos(60 deg)", "ratio", 0.5), ("tan(45 deg)", "ratio", 1),
        ("tan(89.9 deg)", "ratio", 1 / math.tan(math.radians(0.1))),
        ("asin(1)", "angle", math.pi / 2), ("acos(-1)", "angle", math.pi),
        ("acos(0.1*3/0.3)", "angle", 0.0),  # 1 but for rounding
        ("asin(-0.1*3/0.3)", "angle", -math.pi / 2),
        ("atan(1)", "angle", math.pi / 4), ("acos(1/3)/2", "angle", math.acos(1 / 3) / 2),
        ("sqrt(16)", "count", 4.0), ("sqrt(9 s*1 s)", "time", 3.0), ("sqrt(0)", "ratio", 0.0),
        ("sqrt(J*J)", "frequency", 215.13), ("sqrt(1 s/(4 Hz))", "time", 0.5),
        ("sqrt(1 rad*4 rad/(1 s*1 s))*1 s", "angle", 2.0), ("sqrt(4 T*1 T)", "field", 2.0),
        ("exp(1)", "ratio", math.e), ("exp(-1e9)", "ratio", 0.0), ("log(exp(2))", "ratio", 2.0),
        ("abs(-5 ms)", "time", 5e-3), ("abs(5 ms - 7 ms)", "time", 2e-3), ("abs(2)", "ratio", 2),
        ("min(3 ms, 2 s, 5 us)", "time", 5e-6), ("max(3 ms, 2 s, 5 us)", "time", 2.0),
        ("min(1, n)", "count", 1.0), ("max(T1(I), T1(S))", "time", 10.0),
        ("-2*sin(30 deg)*J + max(late, 1/J)/1 s*1 Hz", "frequency", 0.5 - 215.13),
        ("2 min", "time", 120.0),  # the unit
    ],
)  # fmt: skip
def test_functions(text, dimension, value):
    assert evaluate(text, dimension, NAMES) == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sin(1)", "`sin` in `sin\\(1\\)` needs an angle, but .* number; write 90 deg or 1.57 rad"),
        ("cos(pi/2)", "`cos` in .* needs an angle, but is given a plain number; write 90 deg"),
        ("tan(5 ms)", "`tan` in .* needs an angle, but is given a time"),
        ("tan(90 deg)", "`tan` in .* has no value for 90 deg; it is infinite there"),
        ("tan(-1.5*pi*1 rad)", "`tan` in .* has no value for -270 deg"),
        ("asin(2)", "`asin` in .* has no value for 2; its argument must be from -1 to 1"),
        ("acos(-1.00001)", "`acos` in .* has no value for -1.00001; its argument must be from"),
        ("asin(30 deg)", "`asin` in .* needs a plain number, but is given an angle"),
        ("atan(1 s)", "`atan` in .* needs a plain number, but is given a time"),
        ("sqrt(-1)", "`sqrt` in .* has no value for -1; its argument must be 0 or more"),
        ("sqrt(-4 s*1 s)", "`sqrt` in .* has no value for -4 s\\^2; its argument must be 0"),
        ("sqrt(4 s)", "`sqrt` in .* needs a plain number or a square such as s\\^2, but .* a time"),
        ("sqrt(1 s*1 s*1 T)", "needs a plain number or a square .*, but is given s\\^2 T"),
        ("exp(1 Hz)", "`exp` in .* needs a plain number, but is given a frequency"),
        ("exp(1000)", "`exp` in .* is too large for 1000; only finite numbers are read"),
        ("log(0)", "`log` in .* has no value for 0; its argument must be positive"),
        ("log(-2)", "`log` in .* has no value for -2; its argument must be positive"),
        ("log(1 s)", "`log` in .* needs a plain number, but is given a time"),
        ("min(1 s, 2)", "`min` in .* is given a time and a plain number; all must be the same"),
        ("max(1 s, 2 s, 3 Hz)", "`max` in .* is given a time and a frequency; all must"),
        ("sin()", "`sin` in .* needs one argument: sin\\(…\\), but is given 0"),
        ("sqrt(1, 2)", "`sqrt` in .* needs one argument: sqrt\\(…\\), but is given 2"),
        ("min(1)", "`min` in .* needs two or more arguments: min\\(…, …\\), but is given 1"),
        ("max()", "`max` in .* needs two or more arguments: max\\(…, …\\), but is given 0"),
        ("sin", "`sin` in `sin` needs an argument: sin\\(…\\)"),
        ("2*min", "`min` in `2\\*min` needs arguments: min\\(…, …\\)"),
        ("sin(sin)", "`sin` in .* needs an argument"),
        ("min(*n, 1)", "is not an expression"),
        ("sin(1 rad)(2)", "is not an expression"),
        ("sn(90 deg)", "unknown name `sn` in .*; did you mean `sin`\\?"),
        ("sqr(4)", "unknown name `sqr` in .*; did you mean `sqrt`\\?"),
        ("arccos(n)", "unknown name `arccos` in .*; did you mean `acos`\\? Valid: J, .*tan"),
        ("si", "unknown name `si` in `si`; Valid: J, T, T1, late, n, pair, pi$"),
        ("SIN(90 deg)", "unknown name `SIN` in .*; did you mean `sin`\\?"),
    ],
)  # fmt: skip
def test_faults_of_functions(text, message):
    with pytest.raises(UnitError, match=message):
        calculate(text, NAMES)


def test_functions_win_over_names():
    names = dict.fromkeys(FUNCTIONS, Value(7.0)) | {"T1": lambda I: Value(float(len(I)))}  # noqa: E741
    assert calculate("exp(0)", names) == Value(1.0)
    assert calculate("T1(exp)", names) == Value(3.0)  # a role may be called so
    with pytest.raises(UnitError, match="`log` in `log` needs an argument"):
        calculate("log", names)


def test_which_functions_there_are():
    trigonometric = {"sin", "cos", "tan", "asin", "acos", "atan"}
    others = {"atan2", "sqrt", "exp", "log", "tanh", "sign", "abs", "min", "max"}
    assert trigonometric | others == FUNCTIONS
    for name in FUNCTIONS:
        with pytest.raises(UnitError, match=f"`{name}` in .* needs"):
            calculate(name, {})


@pytest.mark.parametrize("name", ["sin", "cos", "atan", "exp", "asin", "acos"])
@given(x=st.floats(-1, 1))
def test_functions_are_those_of_python(name, x):
    unit = " rad" if name in {"sin", "cos"} else ""
    assert calculate(f"{name}({x!r}{unit})", {}).number == getattr(math, name)(x)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_identities(x, y):
    names = {"x": Value.of(x, "angle"), "y": Value.of(y, "time")}
    one = calculate("sin(x)*sin(x) + cos(x)*cos(x)", names)
    assert one.exponents == (0, 0, 0, 0)
    assert one.number == pytest.approx(1, rel=1e-12)
    assert evaluate("sqrt(y*y)", "time", names) == pytest.approx(y, rel=1e-12)
    assert evaluate("exp(log(y/1 s))*1 s", "time", names) == pytest.approx(y, rel=1e-12)
    assert evaluate("max(x, -x)", "angle", names) == evaluate("abs(x)", "angle", names) == abs(x)


# ---------------------------------------------------------------------------------- comparisons
@pytest.mark.parametrize(
    ("text", "operator", "holds"),
    [
        ("T > 10 us", ">", True), ("n <= 100", "<=", True), ("late<200 ms", "<", False),
        ("n ≤ 3", "<=", True), ("n ≥ 4", ">=", False), ("n >= 3", ">=", True),
        ("1/(4*J) == 1.1620880 ms", "==", False), ("5 ms == 0.005 s", "==", True),
        ("0.1 + 0.2 == 0.3", "==", True), ("0.1 + 0.2 > 0.3", ">", False),
        ("0.3 >= 0.1 + 0.2", ">=", True), ("0.3 < 0.1 + 0.2", "<", False),
        ("1 == 1.0000000009", "==", True), ("1 == 1.0000000011", "==", False),
        ("0 == 1e-30", "==", False), ("0 s == 0 ms", "==", True), ("-1 < 1", "<", True),
        ("max(T1(I), T1(S)) > 9 s", ">", True), ("1 s*1 s < 2 s*2 s", "<", True),
        ("(T)*(1+1) >= (4 s)", ">=", True),
    ],
)  # fmt: skip
def test_comparisons(text, operator, holds):
    comparison = compare(f"  {text}\n", NAMES)
    assert (comparison.text, comparison.operator, comparison.holds) == (text, operator, holds)


def test_a_comparison_holds_its_sides():
    comparison = compare("T > 10 us", NAMES)
    assert comparison.left == Value(2.0, (1, 0, 0, 0))
    assert comparison.right == Value(1e-5, (1, 0, 0, 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("T", "`T` compares nothing; write for example 't > 10 us', with < <= > >= or =="),
        ("", "`` compares nothing"),
        ("1 s < T < 2 s", "`1 s < T < 2 s` has 2 comparisons; write each of them on its own"),
        ("T = 2 s", "`=` in `T = 2 s` is not a comparison; write =="),
        ("T => 2 s", "`=>` in .* is not a comparison; write >="),
        ("T =< 2 s", "`=<` in .* is not a comparison; write <="),
        ("T > = 2 s", "`> =` in .* is not a comparison; write >="),
        ("T === 2 s", "`===` in .* is not a comparison; write =="),
        ("T != 2 s", "`!=` in .* is not a comparison; write < <= > >= or =="),
        ("T <> 2 s", "`<>` in .* is not a comparison; write < <= > >= or =="),
        ("T ≠ 2 s", "`≠` in .* is not a comparison; write < <= > >= or =="),
        ("< 2 s", "`< 2 s` has nothing on the left of `<`; write for example 't > 10 us'"),
        ("T >=", "`T >=` has nothing on the right of `>=`"),
        ("(T < 2 s)", "`<` stands inside parentheses in .*; compare two whole expressions"),
        ("min(T > 2 s, 1)", "`>` stands inside parentheses"),
        ("T > 5 Hz", "`T > 5 Hz` compares a time and a frequency; both must be the same$"),
        ("T > 0", "compares a time and a plain .*: give `0` a unit, for example '0 ms'"),
        ("n*2 < J", "compares a plain .*: give `n\\*2` a unit, for example '20 Hz'"),
        ("T*T > 1", "compares s\\^2 and a plain number; both must be the same$"),
        ("t > 1 s", "unknown name `t` in `t`; did you mean `T`"),
        ("T > 1 kg", "unknown unit `kg` in `1 kg`"),
        ("T) > 1 s", "`T\\)` is not an expression"),
        ("1 s > " + "1 s + " * 40 + "1 s", "has 249 characters; at most 200 are read"),
    ],
)  # fmt: skip
def test_faults_of_comparisons(text, message):
    with pytest.raises(UnitError, match=message):
        compare(text, NAMES)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9) | st.floats(-1e-8, 1e-8))
def test_exactly_one_of_less_equal_greater_holds(a, b):
    names = {"a": Value(a), "b": Value(b), "near": Value(a * (1 + b / 1e9))}
    for other in ("b", "near"):
        less, equal, greater = (compare(f"a {op} {other}", names).holds for op in ("<", "==", ">"))
        assert [less, equal, greater].count(True) == 1
        assert compare(f"a <= {other}", names).holds == (less or equal)
        assert compare(f"a >= {other}", names).holds == (greater or equal)
        assert not (less and a > names[other].number)
        assert not (greater and a < names[other].number)
        assert compare(f"{other} > a", names).holds == less


# --------------------------------------------------------------------------------- as people write
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value.of(0.0011621, "time"), "1.1621 ms"), (Value.of(20, "frequency"), "20 Hz"),
        (Value.of(math.pi / 2, "angle"), "90 deg"), (Value.of(-math.pi / 3, "angle"), "-60 deg"),
        (Value.of(62.375e6, "frequency"), "62.375 MHz"), (Value.of(5e-6, "time"), "5 us"),
        (Value.of(0.5, "frequency"), "0.5 Hz"), (Value.of(120, "time"), "120 s"),
        (Value.of(1.4, "field"), "1.4 T"), (Value.of(0.25, "field"), "250 mT"),
        (Value.of(0.0, "time"), "0 s"), (Value.of(-0.0, "frequency"), "0 Hz"),
        (Value(8.0), "8"), (Value(1 / 3), "0.333333333333"), (Value(1e300), "1e+300"),
        (Value(123456789012.0), "123456789012"), (Value(1e12), "1e+12"),
        (Value(100_000.0), "100000"), (Value(-2.5e-7), "-2.5e-7"), (Value(0.0001), "0.0001"),
        (Value(3.0, (2, 0, 0, 0)), "3 s^2"), (Value(0.5, (-1, 1, 0, 0)), "0.5 s^-1 rad"),
        (Value.of(0.99999999999999e-3, "time"), "1 ms"), (Value.of(1e-15, "time"), "0.001 ps"),
        (Value.of(math.inf, "time"), "inf s"),
    ],
)  # fmt: skip
def test_written(value, text):
    assert written(value) == text


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, st.sampled_from([d for d in EXPONENTS if d not in {"count", "rate"}]))
@example(1.7976931348623157e308, "angle")
@example(5e-324, "time")
def test_what_is_written_can_be_read(number, dimension):
    text = written(Value.of(number, dimension))
    assert quantity(text, dimension) == pytest.approx(number, rel=1e-11, abs=0)
    digits = re.match(r"-?([0-9.]+)", text).group(1)
    assert len(digits.replace(".", "").strip("0")) <= 12
    assert "." not in digits or digits[-1] not in "0."


@given(st.integers(0, 10**11))
def test_counts_are_written_exactly(number):
    assert quantity(written(Value.of(number, "count")), "count") == number


@given(st.floats(1e-12, 1e3), st.sampled_from(["time", "frequency", "field"]))
def test_the_unit_leaves_one_to_three_digits_before_the_point(number, dimension):
    assume(number >= {"time": 1e-12, "frequency": 1, "field": 1e-6}[dimension])
    assert 1 <= float(written(Value.of(number, dimension)).split()[0]) <= 1000


# ------------------------------------------------------------------------------------------ speed
def test_a_text_is_parsed_once_whatever_its_names_are(monkeypatch):
    parsed = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda *a, **k: parsed.append(a) or parse(*a, **k))
    values = [calculate("7*once", {"once": Value(float(k))}).number for k in range(5)]
    assert values == [0, 7, 14, 21, 28]
    assert len(parsed) == 1


def test_the_same_text_with_other_names_gives_other_faults():
    for names, message in [({}, "unknown unit `tau`"), ({"tau": Value(1.0)}, "write 3\\*tau")]:
        with pytest.raises(UnitError, match=message):
            calculate("3 tau", names)


def test_ten_thousand_delays_are_read_in_half_a_second():
    quantity("1 us", "time")
    start = time.process_time()
    total = sum(quantity(f"{k}.25 us", "time") for k in range(10_000))
    assert time.process_time() - start < 0.5
    assert total == pytest.approx((9_999 * 5_000 + 2_500) * 1e-6, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tanh(0.5)", math.tanh(0.5)),
        ("tanh(-40)", -1.0),
        ("sign(-3 Hz)", -1.0),
        ("sign(2 ms)", 1.0),
        ("sign(0)", 0.0),
        ("atan2(-1 Hz, -1 Hz)/1 rad", -0.75 * math.pi),
        ("atan2(0 s, 1 s)/1 rad", 0.0),
    ],
)
def test_hyperbolic_sign_and_two_argument_functions(text, expected):
    value = calculate(text, {})
    assert value.exponents == (0, 0, 0, 0)
    assert value.number == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("atan2(1 Hz, 1 s)", "is given a frequency and a time; all must be the same"),
        ("atan2(1)", "needs two arguments: atan2.y, x., but is given 1"),
        ("atan2(1, 2, 3)", "needs two arguments: atan2.y, x., but is given 3"),
        ("tanh(5 ms)", "needs a plain number, but is given a time"),
        ("sign(1, 2)", "needs one argument: sign.*, but is given 2"),
    ],
)
def test_what_they_refuse(text, message):
    with pytest.raises(UnitError, match=message):
        calculate(text, {})
