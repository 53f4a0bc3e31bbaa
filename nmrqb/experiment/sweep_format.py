"""The ``sweep`` entry of ``nmrqb-experiment/1``: which values ``nmrqb sweep`` gives parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nmrqb.formats import Count, Entry

ReductionName = Literal["max", "argmax", "min", "argmin", "mean", "last", "none"]


def _positive(value: int) -> int:
    if value < 1:
        raise ValueError(f"must be 1 or more, but is {value}")
    return value


class SweepFormat(Entry):
    """A map of parameters; `nmrqb run` leaves it alone."""

    over: dict[str, str] = Field(
        min_length=1,
        description="Path of a value of this file to START:STOP:POINTS, START:STOP:POINTS:log or a "
        "list of values with commas, each with its unit.",
        examples=[{"battery.D": "0 Hz:20 Hz:101", "battery.G": "1 Hz, 2 Hz, 5 Hz"}],
    )
    lhs: Annotated[Count, AfterValidator(_positive)] | None = Field(
        None, description="Points of a Latin hypercube over START:STOP of every path."
    )
    reduce: list[ReductionName] = Field(
        default_factory=lambda: list[ReductionName](["max", "min"]),
        min_length=1,
        description="What is kept of each figure against time; none keeps the curves.",
    )
