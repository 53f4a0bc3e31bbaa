"""What a page is made of: sections of facts, numbers, pictures and tables, and how they look."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.report.pictures import DPI, picture_bytes

_PER_POINT, _PER_DOT = 96 / 72, 96 / DPI  # CSS pixels
_NUMBERS, _PATH = re.compile(rb"(\.\d\d)\d+"), re.compile(rb' d="[^"]*"')
_SIZE = re.compile(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"')  # pt
_MOST_PLACES = 9
_SPACE = "\N{NO-BREAK SPACE}"
_QUANTITY = re.compile(r"(?<=\d) (?=(?:Hz|kHz|MHz|s|ms|µs|us|T|%|°|rad)(?!\w))")


@dataclass(frozen=True)
class Tile:
    """One number that is read at a glance."""

    name: str
    value: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A name and what is to be said of it; ``code`` is to be taken letter by letter."""

    name: str
    text: str
    code: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture within the page: what is drawn, what to look for, what it tells who sees none."""

    key: str
    figure: Figure
    title: str
    caption: str
    alt: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """A table that can be folded; ``groups`` are names above the header and their columns."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()
    note: str = ""
    open: bool = True


@dataclass(frozen=True)
class Listing:
    """Text as it stands, folded."""

    title: str
    text: str


@dataclass(frozen=True)
class Section:
    """A part of the page; ``short`` is its name in the contents, ``notes`` are a list."""

    key: str
    short: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    facts: tuple[Fact, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    listings: tuple[Listing, ...] = ()
    notes: tuple[str, ...] = ()


# ----------------------------------------------------------------------------------- pictures
@dataclass(frozen=True)
class Encoded:
    """A picture as a URL that holds its data, and its size in CSS pixels."""

    source: str
    width: int
    height: int


def encoded(figure: Figure, most_bytes: int) -> Encoded:
    """Return a figure as a drawing, or as dots where they are less than a large drawing.

    Parameters
    ----------
    figure
        The picture.
    most_bytes
        Size of the drawing above which dots are tried.

    Raises
    ------
    ArgumentError
        If the figure makes no SVG of a size.
    """
    drawing = _rounded(picture_bytes(figure, "page.svg"))
    size = _SIZE.search(drawing)
    if size is None:
        raise ArgumentError("Argument `figure` must make an SVG of a size in pt, but makes none")
    width, height = (round(float(number) * _PER_POINT) for number in size.groups())
    kind, content = "svg+xml", drawing
    if len(drawing) > most_bytes:
        dots = picture_bytes(figure, "page.png")
        kind, content = ("png", dots) if len(dots) < len(drawing) else (kind, content)
    text = base64.b64encode(content).decode("ascii")
    return Encoded(f"data:image/{kind};base64,{text}", width, height)


def _rounded(drawing: bytes) -> bytes:
    """Return a drawing whose paths have two decimal places of a point, which nobody sees."""
    return _PATH.sub(lambda path: _NUMBERS.sub(rb"\1", path[0]), drawing)


# -------------------------------------------------------------------------------------- words
def pieces(text: str) -> list[tuple[str, bool]]:
    """Return text in pieces, each with whether it is to be taken letter by letter, as `this`.

    An equation of one symbol stays in a line, and so do a number and its unit.
    """
    found = text.split("`")
    if len(found) % 2 == 0:  # one that nothing closes
        found = [text]
    return [(part, True) if k % 2 else (_together(part), False) for k, part in enumerate(found)]


def _together(text: str) -> str:
    equal = re.sub(r"(?<=\S) = (?=\S)", f"{_SPACE}={_SPACE}", text)
    equal = equal.replace("k_B T/h", f"k_B{_SPACE}T/h")
    return _QUANTITY.sub(_SPACE, equal)


# ------------------------------------------------------------------------------------ numbers
def places_of(half_width: float, digits: int = 2) -> int:
    """Return the decimal places that show an error with so many digits."""
    if not np.isfinite(half_width) or half_width <= 0:
        return 3
    return int(np.clip(digits - 1 - np.floor(np.log10(half_width)), 0, _MOST_PLACES))


def common_places(low: Real, high: Real) -> int:
    """Return the places of a column of intervals: three digits of the largest half width."""
    return places_of(float(np.max(np.asarray(high) - np.asarray(low))) / 2, digits=3)


def number(value: float, places: int) -> str:
    """Return a number with so many decimal places, with a minus sign and no negative zero."""
    return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def brief(value: float, places: int) -> str:
    """Return a number as `number` does, and a zero as 0."""
    return "0" if round(value, places) == 0 else number(value, places)
