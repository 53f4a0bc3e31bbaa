"""A designed sequence as text and as a JSON document: the contract of ``nmrqb design --json``."""

from __future__ import annotations

import shlex
from typing import Any

from nmrqb.design.designed import Designed, is_met
from nmrqb.report.average_document import compile_document


def design_text(design: Designed, file: str) -> str:
    """Return what there is to say about a design that was written to a file."""
    said = "confirms it" if design.sequence.target else "shows what it makes"
    if not is_met(design):
        said = "shows what is missing" if design.sequence.target else said
    return "\n".join([*design.summary, f"wrote {file}; nmrqb compile {shlex.quote(file)} {said}"])


def design_document(design: Designed, file: str | None) -> dict[str, Any]:
    """Return the JSON document of `nmrqb design`: that of `nmrqb compile`, and what design adds.

    ``text`` is the file itself where none was written.
    """
    average = design.average
    plain = {"sequence": design.sequence.name, "sample": design.sample.name}
    return {
        **(plain if average is None else compile_document(average)),
        "file": file,
        "text": design.text if file is None else None,
        **design.facts,
    }
