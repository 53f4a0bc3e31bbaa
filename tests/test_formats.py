"""Faults of any format: every key of a model is translated into plain words with a place."""

# ruff: noqa: E501 (one broken input per line)

from typing import ClassVar, Literal

import pytest
from pydantic import Field

from nmrqb import formats
from nmrqb.errors import InputError
from nmrqb.files import parse_document


class Drive(formats.Entry):
    """Part of a format for the tests."""

    planned: ClassVar = frozenset({"ramp"})
    how: Literal["hard", "soft"] = Field("hard", alias="as")
    rate: formats.Frequency
    points: formats.Count = 1


class Protocol(formats.Entry):
    """A format for the tests."""

    format: Literal["nmrqb-test/1"]
    charge: Drive | list[Drive]
    share: formats.Ratio = 0.0
    flag: bool = False
    limits: dict[str, formats.Time] = Field(default_factory=dict)


def checked(body):
    document = parse_document(f"format: nmrqb-test/1\n{body}\n".encode(), "p.yaml")
    return formats.checked(document, Protocol)


def test_values_arrive_in_SI():
    protocol = checked("charge: {as: soft, rate: 2 kHz, points: 41}\nshare: 5 %\nlimits: {a: 1 ms}")
    assert protocol.charge.rate == 2000
    assert protocol.charge.points == 41
    assert isinstance(protocol.charge.points, int)
    assert protocol.share == 0.05
    assert protocol.limits == {"a": 1e-3}


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("charge: {rate: 2}", "2:16", "`rate`: `2` has no unit; write for example '2 Hz'"),
        ("charge: {rte: 2 Hz}", "2:10", "unknown key `rte`; did you mean `rate`\\? Valid: as, points, rate"),
        ("charge: {rate: 2 Hz, how: soft}", "2:22", "unknown key `how`; .*Valid: as, points, rate"),
        ("charge: {rate: 2 Hz, ramp: 1}", "2:22", "key `ramp` does not act in this version yet"),
        ("charge: {rate: 2 Hz, as: sft}", "2:26", "`as` must not be 'sft'; did you mean `soft`\\? Valid: hard, soft"),
        ("charge: {rate: 2 Hz, points: 2.5}", "2:30", "`points`: `2.5` must be a whole number"),
        ("charge: [{rate: 2 Hz}, {rate: 3}]", "2:31", "`rate`: `3` has no unit"),
        ("charge: [{rate: 2 Hz}, {rat: 3 Hz}]", "2:25", "unknown key `rat`; did you mean `rate`"),
        ("charge: {}", "2:9", "missing key `rate`"),
        ("charge: {rate: 2 Hz}\nflag: yes please", "3:7", "`flag` must be true or false, but is 'yes please'"),
        ("charge: {rate: 2 Hz}\nlimits: {a: 5}", "3:13", "`a`: `5` has no unit"),
    ],
)  # fmt: skip
def test_faults(body, place, message):
    with pytest.raises(InputError, match=rf"(?m)^p\.yaml:{place}: {message}"):
        checked(body)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9007199254740993", 2**53 + 1),
        ("9223372036854775807", 2**63 - 1),
        ("'9007199254740993'", 2**53 + 1),
        ("1e3", 1000),
        ("2.5e1", 25),
        ("8.0", 8),
        ("2*4", 8),
        ("0", 0),
    ],
)
def test_whole_numbers_are_exact(text, number):
    found = checked(f"charge: {{rate: 2 Hz, points: {text}}}").charge.points
    assert found == number
    assert isinstance(found, int)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "9223372036854775808",
            r"must be at most 9223372036854775807, but is '?9223372036854775808'?$",
        ),
        ("1e308", r"must be at most 9223372036854775807, but is '?1e\+?308'?$"),
        ("1e999", r"must be at most 9223372036854775807, but is '?(1e999|inf)'?$"),
        ("1" * 150, r"must be at most 9223372036854775807, but is '?1{78,79}…$"),
        ("-2", "must be a whole number, 0 or more"),
        ("'1 000'", "cannot be read|must be|is no"),
        ("true", "must be a count"),
    ],
)
def test_whole_numbers_that_are_none_are_refused_in_short(text, message):
    with pytest.raises(InputError, match=message) as refused:
        checked(f"charge: {{rate: 2 Hz, points: {text}}}")
    assert len(str(refused.value)) < 200


def test_format_name():
    assert formats.format_name(Protocol) == "nmrqb-test/1"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "empty"), (True, "true"), ("a", "'a'"), (5, "5"), ("x" * 99, "'" + "x" * 78 + "…")],
)
def test_shown(value, text):
    assert formats.shown(value) == text
