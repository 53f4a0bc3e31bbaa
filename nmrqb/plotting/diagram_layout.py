"""Where everything of a diagram stands, in pt: widths of columns, rows, groups, lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmrqb.errors import ArgumentError
from nmrqb.plotting.lettering import LABEL, LINE, NAME, SMALL, paragraphs, text_height, text_width
from nmrqb.plotting.sequences import GRADIENT, Column, Mark

LINE_WIDTH = 520.0  # longer sequences go on in the next line
LEAST_WIDTH = 370.0  # in which notes and titles of short sequences break
PULSE = 25.0  # height of a pulse
FID = 13.0
AIR = 2.5  # on both sides of a mark, and under a label
ARROW = 4.0  # of a delay above the axis
HOOK = 3.0  # of a bracket
_USUAL = text_width("$-y$")  # so that the usual phases make no difference
_STEP = 5.0  # between groups within each other
_BETWEEN = 6.0  # rows
_APART = 14.0  # lines
_GRADIENT_NAME = "$G_z$"


@dataclass(frozen=True)
class Group:
    """Columns within a bracket or a frame.

    Attributes
    ----------
    first, last
        Columns that open and close it.
    top, bottom
        How far it reaches above the first row's and below the last row's content.
    """

    first: int
    last: int
    top: float
    bottom: float


@dataclass(frozen=True)
class Layout:
    """Positions in pt, x to the right from the names, y upwards from the top of the diagram.

    Attributes
    ----------
    width, height
        Of all.
    margin
        Where the rows begin.
    edges
        Left and right of every column.
    lines
        First column, and the column after the last, of every line.
    names
        Names of the rows, that of the gradients included.
    baselines
        Axis of every row in the first line, by row.
    ascent, descent
        Content above the axis of the first row, below that of the last.
    pitch
        Distance of two lines.
    groups
        Brackets and frames, inner ones first.
    notes
        Lines of text under the diagram.
    """

    width: float
    height: float
    margin: float
    edges: tuple[tuple[float, float], ...]
    lines: tuple[tuple[int, int], ...]
    names: tuple[tuple[int, str], ...]
    baselines: dict[int, float]
    ascent: float
    descent: float
    pitch: float
    groups: tuple[Group, ...]
    notes: tuple[str, ...]


def diagram_layout(
    columns: Sequence[Column], rows: Sequence[str], notes: Sequence[Sequence[str]] = ()
) -> Layout:
    """Return where the parts of a diagram stand.

    Parameters
    ----------
    columns, rows, notes
        As of `nmrqb.plotting.draw_sequence`.

    Raises
    ------
    ArgumentError
        If the columns do not close every group that they open, or open one that they close.
    """
    names = _row_names(columns, rows)
    groups = _groups(columns)
    widths = _widths(columns, groups)
    lines = _lines(columns, widths, groups)
    margin = max((text_width(name, NAME) for _, name in names), default=0.0) + 8
    edges = tuple(edge for first, after in lines for edge in _edges(widths[first:after], margin))
    width = max((right + 4 for _, right in edges), default=margin)
    baselines, ascent, descent = _baselines(columns, [row for row, _ in names])
    top = max((group.top for group in groups), default=0.0)
    bottom = max((group.bottom for group in groups), default=0.0)
    baselines = {row: y - top for row, y in baselines.items()}
    tall = (
        top + ascent - min(baselines.values(), default=0.0) + max(baselines.values(), default=0.0)
    )
    pitch = tall + descent + bottom + _APART
    texts = tuple(paragraphs(notes, max(width, LEAST_WIDTH)))
    width = max([width, *(text_width(line, SMALL) + 4 for line in texts)])
    height = len(lines) * pitch - _APART + 4 + (len(texts) * SMALL * 1.4 + 6 if texts else 0)
    return Layout(
        width, height, margin, edges, tuple(lines), names, baselines, ascent, descent, pitch,
        groups, texts,
    )  # fmt: skip


def _row_names(columns: Sequence[Column], rows: Sequence[str]) -> tuple[tuple[int, str], ...]:
    named = tuple(enumerate(rows))
    graded = any(GRADIENT in column.marks for column in columns)
    return (*named, (GRADIENT, _GRADIENT_NAME)) if graded else named


# ------------------------------------------------------------------------------------ horizontally
def _edges(widths: Sequence[float], left: float) -> Iterator[tuple[float, float]]:
    for width in widths:
        yield left, left + width
        left += width


def _widths(columns: Sequence[Column], groups: Sequence[Group]) -> list[float]:
    """Return the width of every column; a frame is as wide as its text."""
    widths = [_column_width(column) for column in columns]
    for group in groups:
        opening = columns[group.first]
        if opening.group == "frame":
            missing = (
                text_width(opening.text, SMALL) + 9 - sum(widths[group.first : group.last + 1])
            )
            widths[group.last] += max(0.0, missing)
    return widths


def _column_width(column: Column) -> float:
    match column.kind, column.group:
        case "marks", _:
            return max([_USUAL, *map(mark_width, column.marks.values())]) + 2 * AIR
        case "delay", _:
            return max(24.0, text_width(column.text) + 8)
        case "block", _:
            return max(40.0, text_width(column.text) + 18)
        case "close", "repeat":
            return 6.0 + HOOK + text_width(column.text, SMALL)
        case _:
            return 7.0


def mark_width(mark: Mark) -> float:
    """Return the width of a mark with its texts in pt."""
    return max(mark.width, text_width(mark.label), text_width(mark.under, SMALL))


def _lines(
    columns: Sequence[Column], widths: Sequence[float], groups: Sequence[Group]
) -> list[tuple[int, int]]:
    """Return where a sequence is broken: lines of about one width, groups whole if possible."""
    target = sum(widths) / max(1, math.ceil(sum(widths) / LINE_WIDTH))
    lines, first = [], 0
    while sum(widths[first:]) > LINE_WIDTH:
        after = _break(columns, widths, groups, first, target)
        lines.append((first, after))
        first = after
    return [*lines, (first, len(columns))]


def _break(
    columns: Sequence[Column],
    widths: Sequence[float],
    groups: Sequence[Group],
    first: int,
    target: float,
) -> int:
    """Return the best column to begin the next line with."""
    best, found, width = math.inf, first + 1, 0.0
    for after in range(first + 1, len(columns)):
        width += widths[after - 1]
        if width > LINE_WIDTH:
            break
        if columns[after - 1].kind == "open" or columns[after].kind == "close":
            continue
        depth = sum(group.first < after <= group.last for group in groups)
        cost = abs(width - target) + 0.25 * LINE_WIDTH * min(depth, 2)
        cost += 0 if columns[after].kind in {"delay", "open"} else 0.05 * LINE_WIDTH
        if cost <= best:
            best, found = cost, after
    return found


# -------------------------------------------------------------------------------------- vertically
def reach(mark: Mark) -> tuple[float, float]:
    """Return how far a mark without its label and what is under it reaches up and down, in pt."""
    match mark.kind:
        case "box":
            half = (text_height(mark.text) + 5) / 2
            return half, half
        case "fid":
            return FID, FID
        case "point":
            return 7.0, 0.0
        case "pulse":
            return PULSE * max(0.0, *mark.outline), PULSE * max(0.0, *(-h for h in mark.outline))


def block_rows(column: Column, rows: Sequence[int]) -> tuple[int, int]:
    """Return the first and the last row of a block."""
    covered = [row for row in rows if row in column.rows] or list(rows)
    return covered[0], covered[-1]


def block_reach(column: Column) -> tuple[float, float]:
    """Return how far a block reaches above its first and below its last axis, in pt."""
    tall = text_height(column.text) + 8
    return max(PULSE, tall - 10), 10.0


def _extent(mark: Mark) -> tuple[float, float]:
    up, down = reach(mark)
    above = AIR + text_height(mark.label) if mark.label else 0.0
    below = AIR + text_height(mark.under, SMALL) if mark.under else 0.0
    return up + above, down + below


def _baselines(columns: Sequence[Column], rows: list[int]) -> tuple[dict[int, float], float, float]:
    """Return the axes of the rows, and the content above the first and below the last of them."""
    up, down = dict.fromkeys(rows, 12.0), dict.fromkeys(rows, 5.0)
    for column in columns:
        for row, above, below in _extents(column, rows):
            up[row], down[row] = max(up[row], above), max(down[row], below)
    baselines, y = {}, 0.0
    for row in rows:
        baselines[row] = y - up[row]
        y = baselines[row] - down[row] - _BETWEEN
    return baselines, (up[rows[0]] if rows else 0.0), (down[rows[-1]] if rows else 0.0)


def _extents(column: Column, rows: list[int]) -> Iterator[tuple[int, float, float]]:
    """Yield row, and how far the column reaches above and below its axis."""
    for row, mark in column.marks.items():
        if row not in rows:
            known = len(rows) - (GRADIENT in rows)
            raise ArgumentError(f"Argument `rows` must name row {row}, but has {known} rows")
        yield row, *_extent(mark)
    if not rows:
        return
    match column.kind:
        case "delay":
            yield rows[0], ARROW + AIR + LABEL * LINE, 0.0
        case "block":
            first, last = block_rows(column, rows)
            above, below = block_reach(column)
            yield first, above, 0.0
            yield last, 0.0, below
        case "close":
            yield rows[-1], 0.0, text_height(column.text, SMALL) + 1


# ------------------------------------------------------------------------------------------ groups
def _groups(columns: Sequence[Column]) -> tuple[Group, ...]:
    """Return brackets and frames, each reaching beyond those within it."""
    found: list[Group] = []
    pending: list[int] = []
    for k, column in enumerate(columns):
        if column.kind == "open":
            pending.append(k)
        elif column.kind == "close":
            if not pending:
                raise ArgumentError(f"Argument `columns` must open what column {k} closes")
            found.append(_group(columns, pending.pop(), k, found))
    if pending:
        raise ArgumentError(f"Argument `columns` must close what column {pending[-1]} opens")
    return tuple(found)


def _group(columns: Sequence[Column], first: int, last: int, found: list[Group]) -> Group:
    inner = [group for group in found if group.first > first]
    own = text_height(columns[first].text, SMALL) + 1 if columns[first].group == "frame" else 0.0
    top = max((group.top for group in inner), default=0.0) + _STEP + own
    bottom = max((group.bottom for group in inner), default=0.0) + _STEP
    return Group(first, last, top, bottom)
