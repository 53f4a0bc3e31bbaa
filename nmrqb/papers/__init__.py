"""The five papers: what they print, what nmrqb computes for it, and whether the two agree."""

from nmrqb.papers.catalogue import PAPERS, load_paper
from nmrqb.papers.picture import Curves, Density, draw
from nmrqb.papers.reproduction import (
    Reproduced,
    as_expected,
    check_reproduction_folder,
    document,
    figures,
    reproduce,
    text,
    write_reproduction,
)
from nmrqb.papers.rows import Paper, Row, Verdict

__all__ = [
    "PAPERS",
    "Curves",
    "Density",
    "Paper",
    "Reproduced",
    "Row",
    "Verdict",
    "as_expected",
    "check_reproduction_folder",
    "document",
    "draw",
    "figures",
    "load_paper",
    "reproduce",
    "text",
    "write_reproduction",
]
