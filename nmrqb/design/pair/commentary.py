"""The comments at the head of a designed file: what it makes, how fast, what errors cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nmrqb.average import AverageHamiltonian, error_words
from nmrqb.design.pair.drawing import drawing
from nmrqb.units import Value, written

if TYPE_CHECKING:
    from nmrqb.design.pair.model import Design

_ROWS = 6
_LEAST_HZ = 1e-9


def summary_lines(design: Design) -> list[str]:
    """Return what there is to say about a design, line by line."""
    parts = [
        *_made(design.average),
        *_times(design),
        *_versions(design),
        *(f"note       {remark}" for remark in design.remarks),
        *budget_lines(design.average),
        "",
        *drawing(design.steps, design.sample.labels),
    ]
    return [*parts, ""]


def seconds(time: float) -> str:
    """Return a time in six digits, with a fitting unit."""
    return written(Value.of(float(f"{time:.6g}"), "time"))


def terms_text(terms: Mapping[str, float]) -> str:
    """Return named terms as text, ``DM_z 20 Hz, KSEA_z 5 Hz``."""
    shown = [f"{name} {value:.6g} Hz" for name, value in terms.items() if abs(value) > _LEAST_HZ]
    return ", ".join(shown) or "nothing"


def _made(average: AverageHamiltonian | None) -> list[str]:
    if average is None:
        return []
    named = dict(average.named or {})
    target = average.target
    pieces = [f"makes      {terms_text(named)} (average over {seconds(average.duration_s)}, "
              f"{average.named_from})"]  # fmt: skip
    if target is None:
        return pieces
    over = "" if target.time_s is None else f" for {seconds(target.time_s)}"
    verdict = "met" if target.met else "NOT met"
    return [
        f"target     {terms_text(target.named_hz)}{over}: {verdict}, differs by "
        f"{_error(target.error_hz)} Hz, infidelity {_loss(target.infidelity)}",
        *(pieces if average.cycles_to_close == 1 else []),
    ]


def _times(design: Design) -> list[str]:
    spent = f"time       free evolution {seconds(design.free_evolution_s)}"
    lines = [spent if design.bound_s is None else f"{spent}, the least {seconds(design.bound_s)}"]
    if design.scale is not None:
        lines.append(
            f"scale      the deviation is {design.scale:.6g} (4 rho - 1), the largest "
            f"{design.largest_scale:.6g}: efficiency {design.scale / design.largest_scale:.4g}"
        )
    elif design.largest_scale < float("inf") and not design.exact:
        lines.append(f"reach      the couplings may be {design.largest_scale:.6g} times as large")
    return lines


def _versions(design: Design) -> list[str]:
    lines = []
    for name, version in design.versions.items():
        loss = version.flip_angle_loss
        lost = "" if loss is None else f", flip angles 5 % off cost {_loss(loss)}"
        here = " (this one)" if name == design.optimise else ""
        lines.append(f"{name.ljust(10)} {version.pulses} pulses{lost}{here}")
    return lines


def budget_lines(average: AverageHamiltonian | None) -> list[str]:
    """Return what errors of the spectrometer cost, the largest first."""
    if average is None or average.analysis is None:
        return []
    budget = average.analysis.budget
    rows = [
        f"{error_words(row.error)} ({row.assumed_words}) {_loss(row.infidelity)}"
        for row in budget.rows[:_ROWS]
    ]
    return ["errors     " + f"all together {_loss(budget.total)}; alone:",
            *(f"           {row}" for row in rows)]  # fmt: skip


def _error(hz: float) -> str:
    return "0" if hz < _LEAST_HZ else f"{hz:.2g}"


def _loss(infidelity: float) -> str:
    return "below 1e-12" if infidelity < 1e-12 else f"{infidelity:.3g}"
