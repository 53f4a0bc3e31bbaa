"""The verb: compute every number beside the printed one, draw every figure, tell the verdicts."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nmrqb.errors import InputError, Position, nearest
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.papers.catalogue import PAPERS, load_paper
from nmrqb.papers.picture import draw
from nmrqb.papers.rows import Paper, Row, Verdict

TEXT = "reproduction.txt"
_OPENING = "Printed and recomputed:"


@dataclass(frozen=True)
class Reproduced:
    """One row with our number and the verdict on it."""

    row: Row
    ours: float
    verdict: Verdict

    @property
    def as_recorded(self) -> bool:
        """Tell whether the verdict is the one on record."""
        return self.verdict == self.row.verdict


def reproduce(
    selection: str | None = None, *, progress: Callable[[int, int], None] | None = None
) -> list[Reproduced]:
    """Compute what the papers print and judge it.

    Parameters
    ----------
    selection
        Nothing for all papers, ``PAPER`` for one, ``PAPER/ITEM`` for a figure (``fig 5``), a panel
        (``fig 5a``), an equation, or one row by its whole name.  Case, blanks and - do not matter.
    progress
        Called with (done, total) after every row.

    Raises
    ------
    InputError
        If there is no such paper or item.
    """
    chosen = [(paper, row) for paper, rows in _selected(selection) for row in rows]
    found = []
    for done, (paper, row) in enumerate(chosen, start=1):
        ours = paper.compute(row)
        found.append(Reproduced(row, ours, row.judge(ours)))
        if progress is not None:
            progress(done, len(chosen))
    return found


def as_expected(rows: Sequence[Reproduced]) -> bool:
    """Tell whether every verdict is the one on record."""
    return all(row.as_recorded for row in rows)


def figures(selection: str | None = None) -> Iterator[tuple[str, Figure]]:
    """Yield the figures that a selection names, with their file names: ``PAPER-fig-5.png``.

    Raises
    ------
    InputError
        As `reproduce`.
    """
    for paper, rows in _selected(selection):
        wanted = {_figure_of(row.item) for row in rows}
        for item in (item for item in paper.drawings if item in wanted):
            yield _file_name(paper, item), draw(paper.drawings[item](), f"{paper.name}, {item}")


def _file_name(paper: Paper, item: str) -> str:
    return f"{paper.name}-{item.replace(' ', '-')}.png"


# ------------------------------------------------------------------------------------- selection
def _selected(selection: str | None) -> Iterator[tuple[Paper, Sequence[Row]]]:
    if selection is None:
        yield from ((paper, paper.rows) for paper in map(load_paper, PAPERS))
        return
    name, _, item = selection.partition("/")
    if name not in PAPERS:
        message = f"there is no paper `{name}`; {nearest(name, PAPERS)}"
        raise InputError.at(Position(selection or "PAPER"), message)
    paper = load_paper(name)
    rows = [row for row in paper.rows if not item or _plain(item) in _names(row)]
    if not rows:
        known = {row.item for row in paper.rows} | set(paper.drawings)
        message = f"`{name}` has no item `{item}`; {nearest(item, sorted(known))}"
        raise InputError.at(Position(selection), message)
    yield paper, rows


def _names(row: Row) -> set[str]:
    """Return how a row may be called: by figure, by panel, by its whole name."""
    return {_plain(name) for name in (row.item, _figure_of(row.item), row.name)}


def _figure_of(item: str) -> str:
    """Return ``fig 5`` of ``fig 5a``; other items stay as they are."""
    found = re.match(r"fig \d+", item)
    return found[0] if found else item


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


# ---------------------------------------------------------------------------------------- telling
def document(rows: Sequence[Reproduced]) -> list[dict[str, Any]]:
    """Return rows as the JSON document of ``nmrqb reproduce``."""
    return [
        {
            "paper": found.row.paper,
            "item": found.row.name,
            "printed": found.row.printed,
            "ours": found.ours,
            "verdict": found.verdict,
            "note": _note(found.row),
            "recorded": found.row.verdict,
            "source": found.row.source,
        }
        for found in rows
    ]


def _note(row: Row) -> str:
    parts = [f"not printed: {row.missing}" if row.missing else "", row.note]
    return "; ".join(part for part in parts if part)


def text(rows: Sequence[Reproduced]) -> str:
    """Return rows as a table for people, paper by paper, and a summary."""
    blocks = [
        "\n".join([load_paper(name).reference, "", *_table(list(members))])
        for name, members in groupby(rows, key=lambda found: found.row.paper)
    ]
    return "\n\n".join([f"{_OPENING} {_summary(rows)}", *blocks])


def _summary(rows: Sequence[Reproduced]) -> str:
    counts = dict.fromkeys(("agree", "differs", "not determined"), 0)
    for found in rows:
        counts[found.verdict] += 1
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    unexpected = [f"{f.row.paper}/{f.row.name}" for f in rows if not f.as_recorded]
    if not unexpected:
        return f"{len(rows)} rows, {told}; every verdict is the one on record."
    return "\n  ".join([f"{len(rows)} rows, {told}; not as on record:", *unexpected])


def _table(rows: Sequence[Reproduced]) -> list[str]:
    lines = []
    for item in dict.fromkeys(found.row.item for found in rows):
        lines.append(item)
        for found in (found for found in rows if found.row.item == item):
            lines += _lines(found)
    return lines


def _lines(found: Reproduced) -> list[str]:
    row, flag = found.row, "" if found.as_recorded else "  <- NOT AS ON RECORD"
    printed = row.printed if isinstance(row.printed, str) else f"{row.printed:g}"
    source = " (recomputed)" if row.source == "recomputed" else ""
    head = f"  {found.verdict:<14}  ours {found.ours:<12.6g} printed {printed}{source}{flag}"
    about = textwrap.wrap(row.of, 92, initial_indent=" " * 6, subsequent_indent=" " * 6)
    note = textwrap.wrap(_note(row), 90, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return [head, *about, *note]


# ----------------------------------------------------------------------------------------- folder
def _folder_kind() -> FolderKind:
    papers = [load_paper(name) for name in PAPERS]
    pictures = {_file_name(paper, item) for paper in papers for item in paper.drawings}
    return FolderKind(TEXT, opening=_OPENING, names=frozenset({TEXT, *pictures}))


def check_reproduction_folder(path: str | Path) -> None:
    """Refuse a folder that holds anything but an earlier reproduction, before any work is done.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, _folder_kind())


def write_reproduction(
    rows: Sequence[Reproduced], pictures: Mapping[str, bytes], path: str | Path
) -> list[str]:
    """Write the table and the pictures into a folder; return its files.

    Parameters
    ----------
    rows
        What was reproduced.
    pictures
        Content of PNG files by name, see `figures`.
    path
        The folder; an earlier one of this kind is replaced whole.

    Raises
    ------
    OutputError
        If the folder is not ours or cannot be written; nothing is left behind then.
    """
    with folder_atomically(path, _folder_kind()) as folder:
        (folder / TEXT).write_text(text(rows) + "\n", encoding="utf-8")
        for name, content in pictures.items():
            (folder / name).write_bytes(content)
    return [str(Path(path) / name) for name in (TEXT, *pictures)]
