"""Letters of diagrams: the font, how wide a text is, and where lines of text break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

FAMILY = ("STIXGeneral", "DejaVu Sans")  # what the first lacks comes from the second
MATH = "stix"
LABEL, SMALL, NAME = 9.5, 8.5, 11.0  # sizes in pt
LINE = 1.22  # distance of lines, per size

_HINTED = 1.04  # by how much letters on a raster may be wider than their outlines
_DOLLAR = re.compile(r"(?<!\\)\$")


def plain(text: str) -> str:
    """Return a text of the user such that a dollar does not begin mathematics."""
    return text.replace("$", r"\$")


def text_width(text: str, size: float = LABEL) -> float:
    """Return the width in pt of the widest line of a text, which may hold mathematics."""
    return max(_line_width(line, size) for line in text.split("\n"))


def text_height(text: str, size: float = LABEL) -> float:
    """Return the height in pt of the lines of a text, 0 if it is empty."""
    return (text.count("\n") + 1) * LINE * size if text else 0.0


@lru_cache(maxsize=4096)
def _line_width(line: str, size: float) -> float:
    font = FontProperties(family=FAMILY, size=size, math_fontfamily=MATH)
    is_math = bool(_DOLLAR.search(line))
    shown = line if is_math else line.replace(r"\$", "$")
    width, _, _ = text_to_path.get_text_width_height_descent(shown, font, is_math)
    return _HINTED * float(width)


def filled(pieces: Iterable[str], width: float, size: float = SMALL) -> list[str]:
    """Return lines of pieces, with blanks between them, that are not wider than ``width`` pt.

    A piece that is wider has a line of its own.
    """
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]} {piece}" if lines else ""
        if longer and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def paragraphs(notes: Iterable[Sequence[str]], width: float, size: float = SMALL) -> list[str]:
    """Return the lines of several notes, each beginning a line of its own."""
    return [line for note in notes for line in filled(note, width, size)]
