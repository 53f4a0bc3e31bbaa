"""What a set of readouts sees, as text and as a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.battery import Battery
from nmrqb.report.text import table
from nmrqb.sample import PulseModel, Sample
from nmrqb.tomography.combinations import Combination, names_of
from nmrqb.tomography.design import Choice, Design, Verdict, determines, named_expectations

_COLUMNS = 6
_NAMED = 12  # invisible operators that are named in text; the document has them all
_UNIT = "the noise of one quadrature of a line being 1"


@dataclass(frozen=True, eq=False)
class ReadoutReport:
    """A set of readouts on a sample.

    Attributes
    ----------
    sample, readouts, observed, pulses
        What is measured, how, and on which channels.
    design
        What it sees.
    choice
        How the set was found; None where it was given.
    battery
        The battery whose figures of merit are asked for, or None.
    """

    sample: Sample
    readouts: tuple[str, ...]
    observed: tuple[str, ...]
    pulses: PulseModel
    design: Design
    choice: Choice | None = None
    battery: Battery | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Which figures of merit are determined."""
        if self.battery is not None:
            return determines(self.design, self.battery)
        levels = np.arange(2.0**self.design.spins)  # of any battery that is diagonal: no energy
        found = determines(self.design, Battery(np.diag(levels).astype(complex)))
        return tuple(v for v in found if v.figure not in ("energy", "coherence_l1"))


# ----------------------------------------------------------------------------------------- JSON
def readouts_document(report: ReadoutReport) -> dict[str, Any]:
    """Return the JSON document of `nmrqb readouts`."""
    design, choice = report.design, report.choice
    return {
        "format": "nmrqb-readouts/1",
        "sample": report.sample.name,
        "spins": list(report.sample.labels),
        "readouts": list(report.readouts),
        "observed": list(report.observed),
        "pulses": report.pulses,
        "rank": design.rank,
        "full_rank": len(design.paulis),
        "complete": design.complete,
        "condition": design.condition,
        "sum_of_variances": design.a_figure,
        "largest_variance": design.e_figure,
        "invisible": [_combination(c) for c in design.invisible],
        "errors": dict(zip(design.paulis, design.errors.tolist(), strict=True)),
        "named": [
            {
                "spins": [report.sample.labels[k] for k in pair],
                "terms": {
                    name: {
                        "determined": linear.determined,
                        "error": linear.error,
                        "missing": None if linear.missing is None else linear.missing.name,
                    }
                    for name, linear in terms.items()
                },
            }
            for pair, terms in named_expectations(design).items()
        ],
        "figures": {
            v.figure: {"determined": v.determined, "missing": [c.name for c in v.missing]}
            for v in report.verdicts
        },
        "search": None
        if choice is None
        else {
            "criterion": choice.criterion,
            "figure": choice.figure,
            "proven": choice.proven,
            "certificate": choice.certificate,
        },
    }


def _combination(combination: Combination) -> dict[str, Any]:
    return {"name": combination.name, "pauli": dict(combination.coefficients)}


# ----------------------------------------------------------------------------------------- text
def readouts_text(report: ReadoutReport) -> str:
    """Return what a set of readouts sees, as an experimenter reads it."""
    design = report.design
    sample = f"{report.sample.name} ({', '.join(report.sample.labels)})"
    lines = [
        f"{len(report.readouts)} readouts on {sample}, {report.pulses} pulses, "
        f"observed: {', '.join(report.observed)}",
        f"  {', '.join(report.readouts)}",
        *_search_text(report.choice),
        "",
        f"  {_rank_text(design)}",
    ]
    if design.complete:
        lines.append(
            f"  condition number {design.condition:.4g}; sum of variances {design.a_figure:.4g}, "
            f"largest of a combination {design.e_figure:.4g}"
        )
    lines += ["", f"  standard error of every Pauli, {_UNIT} (- is not determined)"]
    lines += [*_errors_text(design), ""]
    lines += _named_text(report)
    lines += ["  figures of merit", *(f"    {_verdict_text(v)}" for v in report.verdicts)]
    return "\n".join(lines)


def _search_text(choice: Choice | None) -> list[str]:
    if choice is None:
        return []
    return [f"  {part}" for part in choice.certificate.split("; ")]


def _rank_text(design: Design) -> str:
    if design.complete:
        return f"{design.verdict}"
    hidden = f"rank {design.rank} of {len(design.paulis)}; not seen: {_named(design.invisible)}"
    return f"{hidden}\n  too few readouts for a whole state; what is seen can still be estimated"


def _named(combinations: tuple[Combination, ...]) -> str:
    more = len(combinations) - _NAMED
    shown = names_of(combinations[:_NAMED])
    return f"{shown} and {more} more (--json)" if more > 0 else shown


def _errors_text(design: Design) -> Iterable[str]:
    cells = [
        f"{pauli} {'-' if np.isinf(error) else format(error, '.3g')}"
        for pauli, error in zip(design.paulis, design.errors, strict=True)
    ]
    width = max(map(len, cells)) + 2
    for start in range(0, len(cells), _COLUMNS):
        row = cells[start : start + _COLUMNS]
        yield ("    " + "".join(cell.ljust(width) for cell in row)).rstrip()


def _named_text(report: ReadoutReport) -> list[str]:
    found = named_expectations(report.design)
    if not found:
        return []
    labels = ["–".join(report.sample.labels[k] for k in pair) for pair in found]
    names = next(iter(found.values()))
    rows = [
        [name, *("-" if np.isinf(e := t[name].error) else f"{e:.3g}" for t in found.values())]
        for name in names
    ]
    header = ["expectation value of", *labels]
    return [table(header, rows), ""]


def _verdict_text(verdict: Verdict) -> str:
    if verdict.determined:
        return f"{verdict.figure}: determined"
    return f"{verdict.figure}: not determined, misses {_named(verdict.missing)}"
