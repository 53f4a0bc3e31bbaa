"""What a pulse diagram shows, column by column, and the columns of a sequence as it is played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np

from nmrqb.operators import Complex
from nmrqb.plotting.lettering import text_width
from nmrqb.plotting.style import milliseconds
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
)

GRADIENT = -1
"""Row of the gradients, below those of the spins."""

MarkKind = Literal["pulse", "box", "fid", "point"]
Look = Literal["filled", "open", "grey", "hatched", "dashed"]
ColumnKind = Literal["marks", "delay", "block", "open", "close"]

NARROW, WIDE, SOFT, SHAPED, GRADIENT_WIDTH = 5.5, 11.0, 20.0, 34.0, 20.0  # pt
HALF_SINE = tuple(np.sin(np.pi * np.linspace(0, 1, 41)).tolist())

_PHASES = {0: "x", 90: "y", 180: "−x", 270: "−y"}
_LONG = 0.2e-3  # s; a rectangular pulse of this length is drawn as a soft one
_NO_ANGLE = 1e-6  # rad
_DRAWN = 120  # points of an envelope


@dataclass(frozen=True)
class Mark:
    """What one row shows in one column.

    Attributes
    ----------
    kind
        ``pulse`` (anything that stands on the axis, gradients too), ``box`` (a step with a name,
        on the axis), ``fid``, or ``point`` (the receiver is opened for one point).
    label, text, under
        Texts above it, inside it, and below the axis.
    look
        How it is filled.
    width
        Width in pt of what is drawn, without its label.
    outline
        Heights over its width, 1 the full height of a pulse; one height is a rectangle.
    """

    kind: MarkKind = "pulse"
    label: str = ""
    text: str = ""
    under: str = ""
    look: Look = "filled"
    width: float = NARROW
    outline: tuple[float, ...] = (1.0,)


def _no_marks() -> Mapping[int, Mark]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Column:
    """One step of a diagram.

    Attributes
    ----------
    kind
        ``marks``, ``delay``, ``block`` (one box over several rows), or the beginning and the end
        of a group of columns: ``open`` and ``close``.
    marks
        Row to what it shows; `GRADIENT` is the row of the gradients.
    text
        Text of a delay, of a block, or of a group: in its frame, or behind its bracket.
    group
        Whether the group that is opened or closed has brackets (``repeat``) or a frame.
    rows
        Rows from the first to the last of which a block reaches; none are all.
    """

    kind: ColumnKind = "marks"
    marks: Mapping[int, Mark] = field(default_factory=_no_marks)
    text: str = ""
    group: Literal["repeat", "frame"] = "repeat"
    rows: tuple[int, ...] = ()


def box(text: str, *, look: Look = "open") -> Mark:
    """Return a box with a text."""
    return Mark("box", text=text, look=look, width=text_width(text) + 8)


def fid(label: str = "") -> Mark:
    """Return the free induction decay of one row."""
    return Mark("fid", label=label, width=72.0)


def envelope(samples: Complex) -> tuple[float, ...]:
    """Return the heights of a shaped pulse, negative where it has the opposite phase.

    Parameters
    ----------
    samples
        Values of the shape in equal steps, shape (N,); where they are not real, their amount is
        shown.
    """
    values = np.asarray(samples, dtype=complex)
    real = bool(np.all(np.abs(values.imag) < 1e-9 * np.abs(values).max()))
    heights = values.real if real else np.abs(values)
    heights = heights / np.abs(heights).max()
    if len(heights) > _DRAWN:
        steps = np.arange(len(heights))
        heights = np.interp(np.linspace(0, len(heights) - 1, _DRAWN), steps, heights)
    return tuple(float(height) for height in heights)


def flip_look(degrees: float | None) -> tuple[Look, float]:
    """Return how a pulse of a flip angle is filled, and its width in pt; None is any angle."""
    if degrees is not None and abs(abs(degrees) - 90) < 1e-6:
        return "filled", NARROW
    if degrees is not None and abs(abs(degrees) - 180) < 1e-6:
        return "open", WIDE
    return "grey", (NARROW + WIDE) / 2


# ---------------------------------------------------------------------------------- as it is played
def timeline_columns(timeline: Timeline) -> list[Column]:
    """Return the columns of an expanded sequence: angles in degrees and delays with units.

    Pulses of no angle, which a formula may make for one sample, are left out.
    """
    last = len(timeline.events) - 1
    columns = (_played(event, last=k == last) for k, event in enumerate(timeline.events))
    return [column for column in columns if column.marks or column.kind != "marks"]


def _played(event: TimedEvent, *, last: bool) -> Column:
    match event:
        case TimedDelay(duration):
            return Column("delay", text=milliseconds(duration))
        case TimedPulse(rotations):
            return Column(marks={r.spin: _played_pulse(r) for r in rotations if _turns(r)})
        case TimedGradient(duration, strength):
            return Column(marks={GRADIENT: _played_gradient(duration, strength)})
        case TimedAcquisition(phases):
            return Column(marks={spin: _received(phase, last) for spin, phase in phases.items()})


def _turns(rotation: TimedRotation) -> bool:
    """Tell whether a pulse does anything: an angle of 0 may be off by the rounding of an acos."""
    return len(rotation.steps) > 1 or abs(float(rotation.angle)) > _NO_ANGLE


def _played_pulse(rotation: TimedRotation) -> Mark:
    degrees = float(np.degrees(rotation.angle))
    look, width = flip_look(degrees)
    usual = abs(degrees - 90) < 1e-6 or abs(degrees - 180) < 1e-6
    label = _phase(rotation.phase) if usual else f"{degrees:.4g}°\n{_phase(rotation.phase)}"
    label = label.replace("-", "−")
    if len(rotation.steps) > 1:
        return Mark(label=label, look=look, width=SHAPED, outline=envelope(_amplitudes(rotation)))
    return Mark(label=label, look=look, width=SOFT if rotation.duration >= _LONG else width)


def _amplitudes(rotation: TimedRotation) -> Complex:
    """Return the rf amplitude in equal steps of time, shape (N,)."""
    steps = np.asarray(rotation.steps)
    if rotation.edges is None:
        return steps
    middles = (np.arange(_DRAWN) + 0.5) / _DRAWN
    rates = steps / np.diff(rotation.edges).clip(min=np.finfo(float).tiny)
    return np.asarray(rates[np.searchsorted(rotation.edges, middles) - 1])


def _played_gradient(duration: float, strength_hz: float | None) -> Mark:
    under = milliseconds(duration) if duration else ""
    look: Look = "hatched" if strength_hz is None else "grey"
    label = "crush" if strength_hz is None else f"{strength_hz / 1e3:.4g} kHz".replace("-", "−")
    sign = 1.0 if strength_hz is None or strength_hz >= 0 else -1.0
    outline = tuple(sign * height for height in HALF_SINE)
    return Mark(label=label, under=under, look=look, width=GRADIENT_WIDTH, outline=outline)


def _received(phase: float, last: bool) -> Mark:
    return fid(f"rec. {_phase(phase)}") if last else Mark("point", label=_phase(phase), width=7.0)


def _phase(radians: float) -> str:
    degrees = float(np.degrees(radians) % 360)
    quarter = 90 * round(degrees / 90)
    known = abs(degrees - quarter) < 1e-6
    return _PHASES[quarter % 360] if known else f"{degrees:.4g}°"
