"""A designed sequence as text and as a JSON document: the contract of ``nmrqb design --json``."""

from __future__ import annotations

from typing import Any

from nmrqb.design import Design
from nmrqb.design.pair.commentary import summary_lines
from nmrqb.report.average_document import compile_document


def design_text(design: Design, file: str) -> str:
    """Return what there is to say about a design that was written to a file."""
    return "\n".join([*summary_lines(design), f"wrote {file}; nmrqb compile {file} confirms it"])


def design_document(design: Design, file: str | None) -> dict[str, Any]:
    """Return the JSON document of `nmrqb design`: that of `nmrqb compile`, and what design adds.

    ``text`` is the file itself where none was written.
    """
    average = design.average
    plain = {"sequence": design.sequence.name, "sample": design.sample.name}
    return {
        **(plain if average is None else compile_document(average)),
        "file": file,
        "text": design.text if file is None else None,
        "bound_s": design.bound_s,
        "free_evolution_s": design.free_evolution_s,
        "largest_scale": design.largest_scale,
        "optimise": design.optimise,
        "versions": [
            {
                "optimise": name,
                "free_evolution_s": version.free_evolution_s,
                "pulses": version.pulses,
                "flip_angle_loss": version.flip_angle_loss,
            }
            for name, version in design.versions.items()
        ],
        "remarks": list(design.remarks),
    }
