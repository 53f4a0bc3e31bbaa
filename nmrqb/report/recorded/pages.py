"""Pictures of many panels: page by page, and no more pages than a person looks at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TypeVar

MOST_PAGES = 6
_LETTERS = 11  # of a title to an inch

T = TypeVar("T")


def page_names(stem: str) -> tuple[str, ...]:
    """Return the names of all files that the pages of a picture may have."""
    return tuple(f"{stem}{'' if k == 1 else f'_{k}'}.png" for k in range(1, MOST_PAGES + 1))


def pages(stem: str, items: Sequence[T], size: int) -> dict[str, tuple[Sequence[T], str]]:
    """Return what stands on every page by the name of its file, with the number of the page.

    Parameters
    ----------
    stem
        Name of the picture: ``fits`` makes ``fits.png``, ``fits_2.png``, …
    items
        What is drawn; of more than `MOST_PAGES` pages, the first.
    size
        Items on a page.
    """
    chunks = [items[k : k + size] for k in range(0, len(items), size)][:MOST_PAGES]
    words = [f"page {k} of {len(chunks)}" if len(chunks) > 1 else "" for k in range(1, 99)]
    return {
        name: (chunk, word)
        for name, chunk, word in zip(page_names(stem), chunks, words, strict=False)
    }


def joined(*parts: str) -> str:
    """Return what there is of some texts with commas between them."""
    return ", ".join(part for part in parts if part)


def heading(parts: Sequence[str], width: float) -> str:
    """Return lines of a title, long ones broken to fit a width in inches; empty ones left out."""
    return "\n".join(textwrap.fill(part, int(_LETTERS * width)) for part in parts if part)
