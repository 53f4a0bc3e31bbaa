"""A compiled sequence as text that a physicist reads at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nmrqb.average import (
    Analysis,
    AverageHamiltonian,
    ErrorBudget,
    Symmetry,
    error_words,
)
from nmrqb.operators import NAMED_TERMS, named_terms, pair_part
from nmrqb.report.text import hz, table

_BUDGET = 10  # rows that are printed; the document has them all
_OF_THE_IDEAL_PASS = frozenset({"claim", "truncation"})
_REASONS = 2
_SCOPES = {
    "controls": "with these controls",
    "pulses": "with these pulses, whatever the delays",
    "timing": "with these pulses and delays",
}
_ROWS = 6
Rows = tuple[list[str], list[list[str]]]
_NO_RATE = 1e-9  # 1/s
_NO_COUPLING = 1e-9  # Hz
_NO_TERM = 1e-6  # of the drift: a term below is rounding, or soon gone


def compile_text(average: AverageHamiltonian) -> str:
    """Return what a sequence makes, as a table of named terms by order."""
    closing = {1: "cyclic", None: "not cyclic (no closing within 24 passes)"}
    cycles = average.cycles_to_close
    parts = [
        f"{average.sequence} on {average.sample} ({', '.join(average.spins)}), "
        f"{average.pulses} pulses",
        f"  one pass lasts {average.duration_s * 1e3:.6g} ms, free evolution "
        f"{average.free_evolution_s * 1e3:.6g} ms; "
        + closing.get(cycles, f"not cyclic, closes after {cycles} passes"),
        "",
        *_pair_tables(average),
    ]
    if average.target is not None:
        verdict = "met" if average.target.met else "NOT met"
        parts += [
            f"  target {verdict}: {_difference(average)}infidelity of one period "
            f"{loss(average.target.infidelity)}",
            *target_time(average),
            "",
        ]
    if average.analysis is not None:
        parts += _analysis_text(average, average.analysis)
    parts += [f"\n  {item.code}: {item.message}" for item in average.diagnosis]
    return "\n".join(parts)


def _difference(average: AverageHamiltonian) -> str:
    """Tell the difference from the target, unless it rests on a series that does not converge."""
    analysis, target = average.analysis, average.target
    if target is None:
        return ""
    if analysis and not average.branch_safe and not analysis.convergence.trusted:
        return "no Hamiltonian can be trusted over so long a period; "
    return f"differs by {hz(target.error_hz)} Hz, "


def loss(infidelity: float) -> str:
    """Return an infidelity as text, one of rounding as a bound."""
    return "below 1e-12" if infidelity < 1e-12 else f"{infidelity:.3g}"


def target_time(average: AverageHamiltonian) -> list[str]:
    """Tell how the target for a time of its own becomes the column of the table."""
    target = average.target
    if target is None or target.time_s is None:
        return []
    claimed = {name: value for name, value in target.named_hz.items() if hz(value) != "0"}
    name, shown = next(((f"{n} ", v) for n, v in claimed.items()), ("", 0.0))
    rest = ", the others alike" if len(claimed) > 1 else ""
    return [
        f"  target: {name}{hz(shown)} Hz for {target.time_s * 1e3:.6g} ms = "
        f"{hz(shown * _pass_scale(average))} Hz over this pass of {average.duration_s * 1e3:.6g} ms"
        f"{rest}; the unitaries are compared"
    ]


def _pass_scale(average: AverageHamiltonian) -> float:
    """Return what a target for a time of its own is multiplied by to act in one pass."""
    claimed = None if average.target is None else average.target.time_s
    return 1.0 if claimed is None else claimed / average.duration_s


def _pair_tables(average: AverageHamiltonian) -> list[str]:
    lines: list[str] = []
    for (header, rows), (_, named) in zip(pair_rows(average), average.pairs, strict=True):
        lines += [table(header, rows), *_bare_coupling(named), ""]
    return lines


def pair_rows(average: AverageHamiltonian) -> list[Rows]:
    """Return header and rows of the named terms of every pair in Hz, order by order.

    A target for a time of its own is scaled to the pass.
    """
    tables: list[Rows] = []
    for labels, _ in average.pairs:
        claimed = average.target is not None and average.target.spins == labels
        target = average.target.named_hz if average.target is not None and claimed else {}
        target = {name: value * _pass_scale(average) for name, value in target.items()}
        i, j = (average.spins.index(label) for label in labels)
        columns = [named_terms(pair_part(term.hamiltonian_hz, i, j)) for term in average.orders]
        columns.append(named_terms(pair_part(average.exact_hz, i, j)))
        header = [f"{labels[0]}–{labels[1]} (Hz)", *(f"H({t.order})" for t in average.orders)]
        header += ["exact" if average.branch_safe else "exact (wraps)"]
        header += ["target"] if claimed else []
        rows = [
            [name, *(hz(column[name]) for column in columns)]
            + ([hz(target.get(name, 0.0))] if claimed else [])
            for name in (*NAMED_TERMS, "other")
            if hz(target.get(name, 0.0)) != "0"
            or any(abs(column[name]) > 1e-9 for column in columns)
        ]
        tables.append((header, rows))
    return tables


def _bare_coupling(named: Mapping[str, float]) -> list[str]:
    """Tell J of an average Hamiltonian that is (J/4) ZZ alone: isotropic = J/12, Delta = J/4."""
    size = named["Delta"]
    rest = {name: value for name, value in named.items() if name not in {"isotropic", "Delta"}}
    off = [3 * named["isotropic"] - size, *rest.values()]
    if abs(size) < _NO_COUPLING or max(map(abs, off)) > _NO_TERM * abs(size):
        return []
    return [f"  isotropic and Delta are a bare ZZ {hz(size)} Hz (J = {hz(4 * size)} Hz)"]


# -------------------------------------------------------------------------------------- analysis
def _analysis_text(average: AverageHamiltonian, analysis: Analysis) -> list[str]:
    return [
        *_many_spins(average, analysis),
        *_series_text(analysis),
        "",
        *_conditions_text(analysis, engineered=average.target is not None),
        "",
        *_symmetry_text(average, analysis),
        *_relaxation_text(average, analysis),
        "",
        *_budget_text(average, analysis.budget),
    ]


def _many_spins(average: AverageHamiltonian, analysis: Analysis) -> list[str]:
    """Tell the fields of more than two spins, and what no table of pairs shows."""
    if len(average.spins) < 3:
        return []
    rows = [
        [label, *(hz(float(b)) for b in field)]
        for label, field in zip(average.spins, analysis.parts.fields, strict=True)
    ]
    return [
        table(["field b·σ (Hz)", "x", "y", "z"], rows),
        "",
        f"  three-body and higher terms: {hz(analysis.parts.many_body)} Hz",
        "",
    ]


def _series_text(analysis: Analysis) -> list[str]:
    series = analysis.convergence
    size = f"‖H‖T = {series.reach:.3g} rad over the period"
    certain = "below π: the series converges" if series.guaranteed else "above π: no guarantee"
    last = len(series.remainder_hz) - 1
    odd = "; odd orders vanish, the cycle is its own mirror image" if analysis.symmetric else ""
    lines = [
        f"  series: {size}, {certain}{odd}",
        f"          an order is {series.ratio:.2g} of the one before; all up to H({last}) miss the "
        f"exact by {hz(series.remainder_hz[-1])} Hz",
    ]
    if not series.trusted:
        lines.append("          do not trust the series: shorten the period")
    return lines


def _conditions_text(analysis: Analysis, *, engineered: bool) -> list[str]:
    rows = [[c.name, "met" if c.met else "NOT met", c.text] for c in analysis.conditions]
    names, verdicts = (max(len(row[k]) for row in rows) for k in (0, 1))
    lines = [f"  {name.ljust(names)}  {met.ljust(verdicts)}  {text}" for name, met, text in rows]
    wanted = " (a sequence that makes a coupling misses it on purpose)" if engineered else ""
    return [f"  decoupling at zeroth order{wanted}", *lines]


def _symmetry_text(average: AverageHamiltonian, analysis: Analysis) -> list[str]:
    report = analysis.symmetry
    lines = []
    if report.dimension is not None:
        lines.append(
            f"  reach: these controls and the drift span {report.dimension} of "
            f"{report.full_dimension} dimensions, all channels {report.channel_dimension}"
        )
    if report.target is not None:
        lines.append(f"         {report.target.message}")
    lines += [f"         {line}" for line in _never(average, report.symmetries)]
    shown = {s.message: None for s in report.symmetries if {"DM_z", "KSEA_z"} & set(s.forbids)}
    return [*lines, *(f"         {message}" for message in list(shown)[:_REASONS])]


def _never(average: AverageHamiltonian, symmetries: Iterable[Symmetry]) -> list[str]:
    """Name the terms that never appear, with the kind of reason and what it holds for."""
    lines, told = [], set[tuple[tuple[int, int], str]]()
    for symmetry in sorted(symmetries, key=lambda s: (s.pair, list(_SCOPES).index(s.scope))):
        names = [name for name in symmetry.forbids if (symmetry.pair, name) not in told]
        told |= {(symmetry.pair, name) for name in names}
        labels = "–".join(average.spins[k] for k in symmetry.pair)
        reason = f"{symmetry.code}, {_SCOPES[symmetry.scope]}"
        if names:
            lines.append(f"never at any order, {labels}: {', '.join(names)} ({reason})")
    return lines


def _relaxation_text(average: AverageHamiltonian, analysis: Analysis) -> list[str]:
    relaxation = analysis.relaxation
    if relaxation is None:
        return []
    lines: list[str] = []
    floor = _NO_TERM * analysis.convergence.reach / (2 * np.pi * relaxation.period_s)
    for cost in relaxation.costs:
        if abs(cost.value_hz) < floor:
            continue
        labels = f"{average.spins[cost.spins[0]]}–{average.spins[cost.spins[1]]}"
        if cost.term != "all" and cost.turns < np.inf and len(lines) < _ROWS:
            lines.append(
                f"  relaxation: {cost.term} {hz(cost.value_hz)} Hz of {labels} turns at "
                f"{cost.frequency_hz:.4g} Hz and decays at {cost.rate_per_s:.3g} /s: "
                f"{cost.turns:.3g} turns per decay time"
            )
    if not relaxation.lindblad:
        lines.append(
            f"              not a Lindblad equation: smallest Kossakowski eigenvalue "
            f"{relaxation.kossakowski_min:.2g} /s (of the zeroth order "
            f"{_no_rounding(relaxation.kossakowski_min_by_order[0]):.2g})"
        )
    if relaxation.generator_from == "series":
        lines.append("              the period is too long for its logarithm: rates of the series")
    return ["", *lines] if lines else []


def _no_rounding(rate: float) -> float:
    return 0.0 if abs(rate) < _NO_RATE else rate


def budget_table(average: AverageHamiltonian, budget: ErrorBudget) -> tuple[Rows, str]:
    """Return the errors of a budget, what is assumed of them and what they cost, and the sum.

    Each error acts on the ideal pass, which finite pulses do not play: rows that would say how
    well that pass meets the target are left out then.
    """
    finite = average.pulses == "finite"
    kept = [row for row in budget.rows if not (finite and row.error in _OF_THE_IDEAL_PASS)]
    on = "on the ideal pass, " if finite else ""
    header = [f"error, alone, {on}over one period", "assumed", "infidelity"]
    rows = [[error_words(r.error), r.assumed_words, loss(r.infidelity)] for r in kept]
    total = f"sum {loss(sum(row.infidelity for row in kept))}, all together {loss(budget.total)}"
    return (header, rows), total


def _budget_text(average: AverageHamiltonian, budget: ErrorBudget) -> list[str]:
    (header, rows), total = budget_table(average, budget)
    left = len(rows) - _BUDGET
    more = f"; {left} smaller rows with --json" if left > 0 else ""
    return [
        table(header, rows[:_BUDGET]),
        f"  {total} (against the {budget.reference}{more})",
    ]
