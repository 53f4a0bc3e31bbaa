"""Pulse-sequence diagrams: one row per spin, not to scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nmrqb.plotting.style import CHANNELS, milliseconds
from nmrqb.sequence import TimedPulse, Timeline

Kind = Literal["pulse", "delay", "fid", "box"]
_WIDTH: Mapping[Kind, float] = {"pulse": 1.2, "delay": 1.6, "fid": 2.6, "box": 2.7}
_PHASES = {0: "x", 90: "y", 180: "−x", 270: "−y"}
_HEIGHT = 0.55


@dataclass(frozen=True)
class Column:
    """One step of a diagram.

    Attributes
    ----------
    kind
        ``pulse``, ``delay``, ``fid`` (acquisition) or ``box`` (a step with a name).
    labels
        Row to the text over a pulse or in a box; rows without a pulse stay empty.
    open
        Rows whose pulse is drawn open, as is the custom for flip angles other than 90°.
    text
        Text of a delay.
    """

    kind: Kind
    labels: Mapping[int, str] = field(default_factory=dict)
    open: frozenset[int] = frozenset()
    text: str = ""


def timeline_columns(timeline: Timeline) -> list[Column]:
    """Return the columns of an expanded sequence, angles in degrees and delays with units."""
    return [
        _pulse_column(event)
        if isinstance(event, TimedPulse)
        else Column("delay", text=milliseconds(event.duration))
        for event in timeline.events
    ]


def _pulse_column(pulse: TimedPulse) -> Column:
    labels = {r.spin: f"{np.degrees(r.angle):.4g}\n{_phase(r.phase)}" for r in pulse.rotations}
    unusual = {r.spin for r in pulse.rotations if abs(abs(r.angle) - np.pi / 2) > 1e-9}
    return Column("pulse", labels, frozenset(unusual))


def _phase(radians: float) -> str:
    degrees = float(np.degrees(radians) % 360)
    return _PHASES.get(round(degrees), f"{degrees:.4g}°")


def draw_sequence(
    ax: Axes,
    columns: Sequence[Column],
    rows: Sequence[str],
    *,
    loop: tuple[int, int, str] | None = None,
) -> list[Artist]:
    """Draw a pulse sequence.

    Parameters
    ----------
    ax
        Where to draw; its frame and ticks are taken away.
    columns
        Steps in the order of time.
    rows
        Names of the spins, from top to bottom.
    loop
        First column, column after the last, and text of a bracket of repetition.

    Returns
    -------
    list of Artist
        The pulses, boxes, FIDs and brackets, in the order in which they were drawn.
    """
    edges = np.concatenate([[0.0], np.cumsum([_WIDTH[column.kind] for column in columns])])
    artists: list[Artist] = []
    for row, name in enumerate(rows):
        y = -1.6 * row
        ax.plot([-0.3, edges[-1] + 0.3], [y, y], color="black", linewidth=0.9, zorder=1)
        ax.text(-0.5, y, name, ha="right", va="center", fontsize=12)
    for column, left, right in zip(columns, edges[:-1], edges[1:], strict=True):
        artists += _draw_column(ax, column, (left, right), rows)
    if loop is not None:
        artists += _draw_loop(ax, (edges[loop[0]], edges[loop[1]]), loop[2], len(rows))
    ax.set_xlim(-1.8, edges[-1] + 0.8)
    ax.set_ylim(-1.6 * (len(rows) - 1) - 0.6, 1.5)
    ax.axis("off")
    return artists


def _draw_column(
    ax: Axes, column: Column, span: tuple[float, float], rows: Sequence[str]
) -> list[Artist]:
    middle = (span[0] + span[1]) / 2
    if column.kind == "delay":
        return [ax.text(middle, 0.12, column.text, ha="center", va="bottom", fontsize=9)]
    if column.kind == "box":
        return [_draw_box(ax, column.labels[k], span, -1.6 * k) for k in sorted(column.labels)]
    if column.kind == "fid":
        return [_draw_fid(ax, span, -1.6 * row, row) for row in range(len(rows))]
    return [
        _draw_pulse(ax, column, middle, row) for row in range(len(rows)) if row in column.labels
    ]


def _draw_pulse(ax: Axes, column: Column, middle: float, row: int) -> Rectangle:
    y, width = -1.6 * row, 0.42 if row in column.open else 0.26
    face = "white" if row in column.open else "black"
    bar = Rectangle((middle - width / 2, y), width, _HEIGHT, facecolor=face, edgecolor="black")
    bar.set_zorder(2)
    ax.add_patch(bar)
    ax.text(middle, y + _HEIGHT + 0.06, column.labels[row], ha="center", va="bottom", fontsize=8.5)
    return bar


def _draw_box(ax: Axes, text: str, span: tuple[float, float], y: float) -> Rectangle:
    box = Rectangle((span[0] + 0.15, y - 0.3), span[1] - span[0] - 0.3, 0.6)
    box.set(facecolor="#f2f2f2", edgecolor="black", zorder=2)
    ax.add_patch(box)
    ax.text((span[0] + span[1]) / 2, y, text, ha="center", va="center", fontsize=9)
    return box


def _draw_fid(ax: Axes, span: tuple[float, float], y: float, row: int) -> Artist:
    t = np.linspace(0, 1, 300)
    decay = np.exp(-3 * t) * np.cos(50 * t)
    x = span[0] + 0.1 + (span[1] - span[0] - 0.2) * t
    (line,) = ax.plot(x, y + 0.45 * decay, color=CHANNELS[row % len(CHANNELS)], linewidth=1.1)
    return line


def _draw_loop(ax: Axes, span: tuple[float, float], text: str, rows: int) -> list[Artist]:
    low, high = -1.6 * (rows - 1) - 0.35, 1.15
    artists: list[Artist] = []
    for x, inward in ((span[0], 0.15), (span[1], -0.15)):
        bracket = [x + inward, x, x, x + inward], [high, high, low, low]
        artists += ax.plot(*bracket, color="black", linewidth=1.4)
    artists.append(ax.text(span[1] + 0.08, high, text, ha="left", va="top", fontsize=11))
    return artists
