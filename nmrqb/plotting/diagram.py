"""Pulse-sequence diagrams: one row per spin, not to scale, as they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Patch, Polygon, Rectangle
from matplotlib.text import Text

from nmrqb.plotting.diagram_layout import (
    AIR,
    ARROW,
    FID,
    HOOK,
    PULSE,
    Group,
    Layout,
    block_reach,
    block_rows,
    diagram_layout,
    reach,
)
from nmrqb.plotting.lettering import FAMILY, LABEL, MATH, NAME, SMALL
from nmrqb.plotting.sequences import Column, Look, Mark

_FACES: dict[Look, str] = {
    "filled": "black", "open": "white", "grey": "#bdbdbd", "hatched": "white", "dashed": "white",
}  # fmt: skip
_LARGEST = 1.6  # size of a pt of a diagram
_FRAME, _FRAME_EDGE, _BOX, _THIN = "#f4f4f4", "#9a9a9a", "#f2f2f2", 0.8


def diagram_size(
    columns: Sequence[Column], rows: Sequence[str], notes: Sequence[Sequence[str]] = ()
) -> tuple[float, float]:
    """Return width and height in inches at which a diagram has letters of their full size."""
    layout = diagram_layout(columns, rows, notes)
    return layout.width / 72, layout.height / 72


def draw_sequence(
    ax: Axes,
    columns: Sequence[Column],
    rows: Sequence[str],
    *,
    notes: Sequence[Sequence[str]] = (),
) -> list[Artist]:
    """Draw a pulse sequence.

    A long sequence goes on in further lines.  On Axes that are smaller than `diagram_size` the
    letters shrink with everything else.

    Parameters
    ----------
    ax
        Where to draw; its frame and ticks are taken away.
    columns
        Steps in the order of time.
    rows
        Names of the spins, from top to bottom.
    notes
        Paragraphs under the diagram, each in pieces between which a line may break.

    Returns
    -------
    list of Artist
        Pulses, boxes, FIDs, delays, brackets and frames with their texts, in the order in which
        they were drawn; the names and axes of the rows and the notes are left out.

    Raises
    ------
    ArgumentError
        If the columns do not close every group that they open, or open one that they close.
    """
    layout = diagram_layout(columns, rows, notes)
    fitting = _fitting(ax, layout)
    pen = _Pen(ax, layout, tuple(columns), float(np.clip(fitting, 0.3, _LARGEST)))
    room = max(1.0, fitting / _LARGEST)  # a short sequence does not fill Axes that are large
    ax.set(xlim=(0, room * layout.width), ylim=(-room * layout.height, 0))
    ax.set_aspect("equal", anchor="NW")
    ax.axis("off")
    for line in range(len(layout.lines)):
        pen.axes_of(line)
    for number in range(len(columns)):
        pen.column(number)
    for group in layout.groups:
        pen.group(group)
    pen.notes()
    return pen.artists


def _fitting(ax: Axes, layout: Layout) -> float:
    """Return the size of a pt of a layout that fills the Axes."""
    figure = ax.get_figure(root=True)
    box = ax.get_position()
    width, height = figure.get_size_inches() * 72 if figure is not None else (1e3, 1e3)
    return float(min(box.width * width / layout.width, box.height * height / layout.height))


@dataclass
class _Pen:
    """Draws on one Axes and keeps what it drew."""

    ax: Axes
    layout: Layout
    columns: tuple[Column, ...]
    scale: float
    artists: list[Artist] = field(default_factory=list)

    # -------------------------------------------------------------------------------- helpers
    def _line(self, column: int) -> int:
        return next(k for k, (_, after) in enumerate(self.layout.lines) if column < after)

    def _y(self, row: int, line: int) -> float:
        return self.layout.baselines[row] - line * self.layout.pitch

    def _text(
        self, x: float, y: float, text: str, *, ha: str, va: str, size: float = LABEL
    ) -> Text:
        return self.ax.text(
            x, y, text, ha=ha, va=va, fontsize=size * self.scale, family=FAMILY,
            math_fontfamily=MATH, zorder=4, linespacing=1.1,
        )  # fmt: skip

    def _write(
        self, x: float, y: float, text: str, *, ha: str = "center", va: str, size: float = LABEL
    ) -> None:
        if text:
            self.artists.append(self._text(x, y, text, ha=ha, va=va, size=size))

    def _add(self, patch: Patch, zorder: float) -> None:
        patch.set_zorder(zorder)
        self.ax.add_patch(patch)
        self.artists.append(patch)

    # ----------------------------------------------------------------------------------- rows
    def axes_of(self, line: int) -> None:
        """Draw the axes of the rows of one line, and their names."""
        first, after = self.layout.lines[line]
        right = self.layout.edges[after - 1][1] if after > first else self.layout.margin + 40
        for row, name in self.layout.names:
            y = self._y(row, line)
            self.ax.plot([self.layout.margin - 3, right + 3], [y, y], color="black",
                         linewidth=_THIN, zorder=1)  # fmt: skip
            self._text(self.layout.margin - 7, y, name, ha="right", va="center", size=NAME)

    def notes(self) -> None:
        """Write what stands under the diagram."""
        lines = self.layout.notes
        for k, text in enumerate(reversed(lines)):
            y = -self.layout.height + 2 + k * SMALL * 1.4
            self._text(0, y, text, ha="left", va="bottom", size=SMALL)

    # -------------------------------------------------------------------------------- columns
    def column(self, number: int) -> None:
        """Draw one column; groups are drawn by `group`."""
        column = self.columns[number]
        if column.kind == "delay":
            self._delay(number)
        elif column.kind == "block":
            self._block(number)
        for row in sorted(column.marks, key=lambda row: -self.layout.baselines[row]):
            self._mark(column.marks[row], number, row)

    def _delay(self, number: int) -> None:
        left, right = self._gap(number)
        y = self._y(self.layout.names[0][0], self._line(number)) if self.layout.names else 0.0
        arrow = FancyArrowPatch(
            (left, y + ARROW), (right, y + ARROW), arrowstyle="<->,head_length=2.2,head_width=1.2",
            mutation_scale=self.scale, linewidth=0.5, color="black", shrinkA=0, shrinkB=0,
        )  # fmt: skip
        self._add(arrow, 2)
        text = self.columns[number].text
        self._write((left + right) / 2, y + ARROW + AIR - 1, text, va="bottom")

    def _gap(self, number: int) -> tuple[float, float]:
        """Return where the marks beside a delay end and begin."""
        left, right = self.layout.edges[number]
        first, after = self.layout.lines[self._line(number)]
        if number > first:
            left -= self._free(number - 1)
        if number + 1 < after:
            right += self._free(number + 1)
        return left + 0.8, right - 0.8

    def _free(self, number: int) -> float:
        """Return the empty space at both sides of the marks of a column."""
        column = self.columns[number]
        left, right = self.layout.edges[number]
        widest = max((mark.width for mark in column.marks.values()), default=right - left)
        return (right - left - widest) / 2

    def _block(self, number: int) -> None:
        left, right = self.layout.edges[number]
        line = self._line(number)
        first, last = block_rows(self.columns[number], [row for row, _ in self.layout.names])
        up, down = block_reach(self.columns[number])
        top, bottom = self._y(first, line) + up, self._y(last, line) - down
        box = Rectangle((left + 4, bottom), right - left - 8, top - bottom)
        box.set(facecolor=_BOX, edgecolor="black", linewidth=_THIN)
        self._add(box, 3)
        self._write((left + right) / 2, (top + bottom) / 2, self.columns[number].text, va="center")

    # ---------------------------------------------------------------------------------- marks
    def _mark(self, mark: Mark, number: int, row: int) -> None:
        middle = sum(self.layout.edges[number]) / 2
        y = self._y(row, self._line(number))
        up, down = reach(mark)
        if mark.kind == "fid":
            self._fid(mark, middle, y)
        else:
            self._add(_patch(mark, middle, y), 3)
        if mark.text:
            self._write(middle, y + (up - down) / 2, mark.text, va="center")
        self._write(middle, y + up + AIR - 1, mark.label, va="bottom")
        self._write(middle, y - down - AIR + 1, mark.under, va="top", size=SMALL)

    def _fid(self, mark: Mark, middle: float, y: float) -> None:
        t = np.linspace(0, 1, 400)
        decay = FID * np.exp(-3.2 * t) * np.cos(2 * np.pi * 9 * t)
        x = middle + (mark.width - 8) * (t - 0.5)
        (line,) = self.ax.plot(x, y + decay, color="black", linewidth=_THIN, zorder=3)
        self.artists.append(line)

    # --------------------------------------------------------------------------------- groups
    def group(self, group: Group) -> None:
        """Draw a bracket or a frame, in every line on which it stands."""
        framed = self.columns[group.first].group == "frame"
        for line in range(self._line(group.first), self._line(group.last) + 1):
            first, after = self.layout.lines[line]
            span = max(group.first, first), min(group.last, after - 1)
            (self._frame if framed else self._bracket)(group, line, span)

    def _heights(self, group: Group, line: int) -> tuple[float, float]:
        top = self._y(self.layout.names[0][0], line) + self.layout.ascent + group.top
        low = self._y(self.layout.names[-1][0], line) - self.layout.descent - group.bottom
        return top - 1, low + 1

    def _frame(self, group: Group, line: int, span: tuple[int, int]) -> None:
        top, low = self._heights(group, line)
        left, right = self.layout.edges[span[0]][0] + 2, self.layout.edges[span[1]][1] - 2
        frame = Rectangle((left, low), right - left, top - low)
        frame.set(facecolor=_FRAME, edgecolor=_FRAME_EDGE, linewidth=0.7, linestyle=(0, (4, 2)))
        self._add(frame, 0.5 - 0.001 * group.top)  # outer ones behind
        if span[0] == group.first:
            text = self.columns[group.first].text
            self._write(left + 3, top - 1.5, text, ha="left", va="top", size=SMALL)

    def _bracket(self, group: Group, line: int, span: tuple[int, int]) -> None:
        top, low = self._heights(group, line)
        if span[0] == group.first:
            self._hook(self.layout.edges[span[0]][0] + 2, HOOK, (low, top))
        if span[1] == group.last:
            x = self.layout.edges[span[1]][0] + 5
            self._hook(x, -HOOK, (low, top))
            text = self.columns[group.last].text
            self._write(x + 2, low, text, ha="left", va="bottom", size=SMALL)

    def _hook(self, x: float, inward: float, heights: tuple[float, float]) -> None:
        low, top = heights
        self.artists += self.ax.plot(
            [x + inward, x, x, x + inward], [top, top, low, low], color="black", linewidth=1.0,
            zorder=3, solid_joinstyle="miter",
        )  # fmt: skip


def _patch(mark: Mark, middle: float, y: float) -> Patch:
    """Return what stands on the axis: a bar, an envelope, a box, or the sign of the receiver."""
    up, down = reach(mark)
    left = middle - mark.width / 2
    patch: Patch
    if mark.kind == "point":
        corners = [(left, y + up), (left + mark.width, y + up), (middle, y)]
        patch = Polygon(corners, closed=True)
    elif mark.kind == "box":
        patch = Rectangle((left, y - down), mark.width, up + down)
    elif len(mark.outline) == 1:
        patch = Rectangle((left, y), mark.width, PULSE * mark.outline[0])
    else:
        x = left + mark.width * np.linspace(0, 1, len(mark.outline))
        heights = y + PULSE * np.array(mark.outline)
        around = np.concatenate([[y], heights, [y]])
        patch = Polygon(np.column_stack([[x[0], *x, x[-1]], around]), closed=True)
    return _styled(patch, mark)


def _styled(patch: Patch, mark: Mark) -> Patch:
    light = mark.kind == "box" and mark.look == "open"
    patch.set(facecolor=_BOX if light else _FACES[mark.look], edgecolor="black", linewidth=_THIN)
    if mark.look == "hatched":
        patch.set_hatch("//////")
    if mark.look == "dashed":
        patch.set_linestyle((0, (2.5, 1.5)))
    return patch
