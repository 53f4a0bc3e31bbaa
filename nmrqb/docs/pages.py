"""Pages that are not made from docstrings: the start, the conventions, one for every paper."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jinja2

import nmrqb
from nmrqb.papers import Paper, Reproduced, Verdict, document

_ROUNDING = 1e-12
VERDICTS: tuple[Verdict, ...] = ("agree", "differs", "not determined")


def index_page(
    papers: Sequence[Paper], modules: Sequence[str], tutorials: Mapping[str, str] | None = None
) -> str:
    """Return the page to start from.

    Parameters
    ----------
    papers
        Those that have a page.
    modules
        Full names of the documented modules.
    tutorials
        Name to title of the tutorials that have a page.
    """
    values = {"papers": papers, "modules": modules, "tutorials": tutorials}
    return rendered("index.html", root="", title="nmrqb", **values)


def conventions_page(body: str) -> str:
    """Return the page of signs, units and factors of 2.

    Parameters
    ----------
    body
        HTML made from `conventions_text`.
    """
    return rendered("conventions.html", root="", title="Conventions", body=body)


def conventions_text() -> str:
    """Return the conventions as Markdown, as they stand in the package."""
    return (_here() / "conventions.md").read_text(encoding="utf-8")


def paper_page(
    paper: Paper, rows: Sequence[Reproduced], pictures: Mapping[str, str] | None = None
) -> str:
    """Return the page of one paper: what differs, what is not determined, and every row.

    Parameters
    ----------
    paper
        The paper.
    rows
        What was reproduced of it, see `nmrqb.papers.reproduce`.
    pictures
        Figure (``fig 5``) to the name of its picture beside the page.
    """
    told = [_told(found, note["note"]) for found, note in zip(rows, document(rows), strict=True)]
    return rendered(
        "paper.html",
        root="../",
        title=paper.name,
        reference=paper.reference,
        counts={verdict: _count(rows, verdict) for verdict in VERDICTS},
        sections={verdict: _of(told, verdict) for verdict in ("differs", "not determined")},
        items={item: [row for row in told if row["item"] == item] for item in _items(rows)},
        pictures=pictures or {},
    )


def _told(found: Reproduced, note: str) -> dict[str, Any]:
    row = found.row
    printed = row.printed if isinstance(row.printed, str) else _number(row.printed)
    return {
        "item": row.item,
        "of": row.of,
        "printed": printed,
        "recomputed": row.source == "recomputed",
        "ours": _number(found.ours),
        "verdict": found.verdict,
        "expected": found.as_recorded,
        "note": note,
    }


def _number(value: float) -> str:
    """Return a number with six digits and a minus sign, 0 where it is rounding."""
    return "0" if abs(value) < _ROUNDING else f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def _count(rows: Sequence[Reproduced], verdict: Verdict) -> int:
    return sum(found.verdict == verdict for found in rows)


def _of(told: Sequence[dict[str, Any]], verdict: str) -> list[dict[str, Any]]:
    return [row for row in told if row["verdict"] == verdict]


def _items(rows: Sequence[Reproduced]) -> list[str]:
    return list(dict.fromkeys(found.row.item for found in rows))


def rendered(template: str, **values: object) -> str:
    """Return a page made from one of our templates."""
    return _templates().get_template(template).render(version=nmrqb.__version__, **values)


@cache
def _templates() -> jinja2.Environment:
    frame = importlib.resources.files("nmrqb.report") / "frame.html"
    pages = [page for page in (_here() / "templates").iterdir() if page.name.endswith(".html")]
    loader = jinja2.DictLoader({x.name: x.read_text(encoding="utf-8") for x in (frame, *pages)})
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


def _here() -> importlib.resources.abc.Traversable:
    return importlib.resources.files("nmrqb.docs")
