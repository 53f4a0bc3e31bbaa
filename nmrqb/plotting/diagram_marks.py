"""How the marks of a diagram look: bars, envelopes, gradients as high as they are strong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nmrqb import units
from nmrqb.plotting.lettering import text_width
from nmrqb.plotting.sequences import GRADIENT, SHAPED, SOFT, Column, Look, Mark, envelope
from nmrqb.sequence import Rotation
from nmrqb.sequence.shapes import shape_samples
from nmrqb.units import UnitError, Value


def literal_degrees(rotation: Rotation) -> float | None:
    """Return a flip angle in degrees, or None where it is not one number."""
    if rotation.angle is None:
        return None
    value = _value(rotation.angle, {})
    if value is None:
        return None
    bare = rotation.degrees and value.exponents == units.EXPONENTS["ratio"]
    return round(value.number if bare else math.degrees(value.number), 9)


def formed(mark: Mark, rotation: Rotation) -> Mark:
    """Return the mark of a pulse with the form that shape, composite and length give it."""
    if rotation.composite is not None:
        width = text_width(rotation.composite) + 6
        return replace(mark, text=rotation.composite, look="open", width=width)
    if rotation.shape is not None and rotation.shape.kind != "rectangle":
        return replace(mark, width=SHAPED, outline=envelope(shape_samples(rotation.shape)))
    soft = rotation.duration is not None or rotation.amplitude is not None
    return replace(mark, width=SOFT) if soft else mark


def strength_hz(text: str, parameters: Mapping[str, str]) -> float | None:
    """Return the strength of a gradient in Hz if it is known without a sample, else None."""
    known: dict[str, Value] = {}
    for _ in range(len(parameters) + 1):
        found = {n: v for n, e in parameters.items() if n not in known and (v := _value(e, known))}
        if not found:
            break
        known |= found
    value = _value(text, known)
    return value.number if value else None


def _value(text: str, known: Mapping[str, Value]) -> Value | None:
    try:
        return units.calculate(text, known)
    except UnitError:
        return None


def with_height(column: Column, strengths: Iterator[float | None], largest: float) -> Column:
    """Return a column whose gradient, if it has one, is as high as the next strength asks for.

    Parameters
    ----------
    column
        Any column; crushers stay as they are.
    strengths
        Those of the gradients in the order of time, None where one is not known.
    largest
        The strength of full height.
    """
    graded: Look = "grey"
    mark = column.marks.get(GRADIENT)
    if mark is None or mark.look != graded:
        return column
    strength = next(strengths)
    share = 0.75 if strength is None else max(0.25, abs(strength) / largest)
    share *= -1 if strength is not None and strength < 0 else 1
    scaled = replace(mark, outline=tuple(share * height for height in mark.outline))
    return replace(column, marks={GRADIENT: scaled})
