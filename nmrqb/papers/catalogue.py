"""Finding the papers: a data file of printed values beside a module that computes."""

from __future__ import annotations

import importlib
import importlib.resources
from functools import cache

from nmrqb import formats
from nmrqb.errors import Fault, InputError, Position, nearest, refuse
from nmrqb.files import Document, read_document
from nmrqb.papers.format import PaperFormat, RowFormat
from nmrqb.papers.rows import Paper, Row

PAPERS = (
    "dipolar-battery-dm",
    "dipolar-battery-dm-ksea-nmr",
    "heisenberg-chain-dm-battery",
    "rosen-zener-battery",
    "spin-charger-battery",
)


@cache
def load_paper(name: str) -> Paper:
    """Return one of the papers, its rows checked.

    Raises
    ------
    InputError
        If there is no such paper, or its data file has faults.
    """
    if name not in PAPERS:
        message = f"there is no paper `{name}`; {nearest(name, PAPERS)}"
        raise InputError.at(Position(name), message)
    module = importlib.import_module(f"nmrqb.papers.{name.replace('-', '_')}")
    source = importlib.resources.files("nmrqb.papers") / "data" / f"{name}.yaml"
    document = read_document(source, f"{name}.yaml")
    entry = formats.checked(document, PaperFormat)
    rows = tuple(_row(name, row) for row in entry.rows)
    paper = Paper(name, entry.reference, rows, module.QUANTITIES, module.DRAWINGS)
    refuse(_faults(paper, document))
    return paper


def _row(paper: str, entry: RowFormat) -> Row:
    return Row(paper=paper, **entry.model_dump())


def _faults(paper: Paper, document: Document) -> list[Fault]:
    """Return what is wrong across rows: a name twice, a function that is not there."""
    faults, seen = [], set[str]()
    for number, row in enumerate(paper.rows):
        at = document.position(("rows", number))
        if row.name in seen:
            faults.append(Fault(at, f"the row `{row.name}` stands there twice"))
        seen.add(row.name)
        if row.compute not in paper.quantities:
            near = nearest(row.compute, paper.quantities)
            faults.append(Fault(at, f"there is no function `{row.compute}`; {near}"))
    return faults
