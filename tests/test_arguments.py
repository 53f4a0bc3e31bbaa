"""Annotations as rules: what is of the annotation passes unchanged, all else is named."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pytest
import qutip
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from nmrqb.arguments import as_seed, checked, checked_fields, refuse_nan, taken
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

Method = Literal["fast", "exact"]


class Noun:
    """Something that is made elsewhere."""


class Sample:
    """Something that is loaded."""


class Fits(Protocol):
    """What is known by its methods alone."""


PASSES = [
    (1, float), (1.5, float), (np.float32(2), float), (np.array(3.0), float),
    (Fraction(1, 3), float),
    (np.inf, float), (np.nan, float), (2, int), (np.int64(2), int), (np.array(2), int),
    (True, bool), (np.bool_(False), bool), ("x", str), (None, float | None),
    (Path("x"), str | Path),
    ("fast", Method), ("unheard of", Method), (len, Callable[..., Any]),
    ({"a": 1}, Mapping[str, float]),
    ([1, 2], Sequence[int]), (np.array([1, 2]), Sequence[int]), (range(3), Iterable[int]),
    ({"t": None}, Mapping[str, str | float]),
    (3, Any), ("x", Fits | str), (object(), Fits), (Noun(), Noun | Complex),
    ((1.0,), tuple[float, float]), (csr_array(np.eye(2)), Complex),
]  # fmt: skip
REFUSED = [
    ("5 ms", float, "must be a number, but is '5 ms'; write the number alone, in the unit"),
    ("abc", float, r"must be a number, but is 'abc'$"),
    (None, float, "must be a number, but is None"),
    (1j, float, "must be a number, but is 1j"),
    (np.ones(3), float, r"must be a number, but is an array of float64 of shape \(3,\)"),
    (2.0, int, r"must be a whole number, but is 2\.0"),
    (1, bool, "must be True or False, but is 1"),
    (3, str, "must be a text, but is 3"),
    ("x", float | None, "must be a number, but is 'x'"),
    (3, Method, "must be one of fast, exact, but is 3"),
    (3, Callable[..., Any], "must be a function, but is 3"),
    ("x", Noun, r"must be a Noun, but is 'x'$"),
    ("chloroform", Sample, r"a Sample, but is .*; load it with load_sample\('chloroform'\)"),
    (Path("a.yaml"), Sample, r"a Sample, but is a PosixPath; load it with load_sample\('a.yaml'\)"),
    (Noun(), Sample, "must be a Sample, but is a Noun"),
    (Sample, Sample, "must be a Sample, but is a type"),
    ("x", str.__class__ | Noun, "must be a type or a Noun, but is 'x'"),
    ({"1H": "3 kHz"}, Mapping[str, float], r"x\['1H'\]` must be a number, but is '3 kHz'; write"),
    ([("1H", 3.0)], Mapping[str, float], "must be a mapping, but is"),
    ("II", Sequence[str], r"must be a list, but is 'II'; of one it is \['II'\]"),
    ([1, "b"], Sequence[int], r"`x\[1\]` must be a whole number, but is 'b'"),
    (3, Sequence[int], "must be a list, but is 3"),
    (np.array(3), Sequence[int], "must be a list, but is array"),
    ((1.0, "b"), tuple[float, float], r"`x\[1\]` must be a number, but is 'b'"),
    (3, tuple[float, float], "must be a list of 2, but is 3"),
    ([[1, 2], [3]], Complex, "must be an array of numbers or a Qobj, but is"),
    (["1"], Real, "must be real numbers, but is"),
    ([1j], Real, "must be real numbers, but is"),
    (None, Real, "must be real numbers, but is None"),
    ({1.0}, Complex, "must be an array of numbers or a Qobj, but is a set"),
    (3, np.random.Generator, r"a random generator such as np.random.default_rng\(1\), but is 3"),
    ("x", Noun | Complex, "must be a Noun or an array of numbers or a Qobj, but is 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "hint"), PASSES)
def test_what_is_of_the_annotation_passes_as_it_is(value, hint):
    assert taken(value, "x", hint) is value


@pytest.mark.parametrize(("value", "hint", "message"), REFUSED)
def test_what_is_not_is_named(value, hint, message):
    with pytest.raises(ArgumentError, match=message):
        taken(value, "x", hint)


def test_arrays_come_from_lists_and_from_qutip():
    assert taken([[1, 2], [3, 4]], "x", Complex).dtype == float
    np.testing.assert_array_equal(taken(qutip.basis(2, 1), "x", Complex), [[0], [1]])
    real = np.ones(3)
    assert taken(real, "x", Complex) is real  # real FIDs are for the function to refuse
    assert taken([1.0, 2.0], "x", tuple[float, ...]) == (1.0, 2.0)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_numbers_are_not_changed(numbers):
    np.testing.assert_array_equal(taken(numbers, "x", Real), numbers)
    assert taken(tuple(numbers), "x", tuple[float, ...]) == tuple(numbers)


def test_generators_are_left_to_the_function():
    assert list(taken((k for k in "ab"), "x", Iterable[int])) == ["a", "b"]


@checked
def scaled(a: float, *, by: "float" = 2.0, seen: "Elsewhere | None" = None) -> float:  # noqa: F821
    """Return a times a factor."""
    return a * by


def test_a_checked_function_is_itself():
    assert scaled(3, by=0.5, seen=object()) == 1.5
    assert scaled.__doc__ == "Return a times a factor."
    with pytest.raises(ArgumentError, match=r"`by` must be a number, but is 'x'"):
        scaled(3, by="x")
    with pytest.raises(TypeError, match=r"scaled\(\) missing 1 required positional argument: 'a'"):
        scaled()


@checked_fields
@dataclass(frozen=True)
class Pulse:
    """A noun."""

    times: tuple[float, ...]
    name: str = "p"
    width: float = 0.0

    def __post_init__(self):
        refuse_nan(self)


def test_checked_fields():
    assert Pulse([1.0, 2.0]).times == (1.0, 2.0)
    with pytest.raises(ArgumentError, match=r"`times\[0\]` must be a number, but is 'a'"):
        Pulse(("a",))
    with pytest.raises(ArgumentError, match="`width` must be a number, but is nan"):
        Pulse((), width=np.nan)


def test_seeds():
    assert as_seed(np.int64(3)) == 3
    for seed, message in ((-1, "≥ 0, but is -1"), (1.5, "a whole number, but is 1.5")):
        with pytest.raises(ArgumentError, match=f"`seed` must be {message}"):
            as_seed(seed)
