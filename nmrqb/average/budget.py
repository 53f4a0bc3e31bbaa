"""The ranked error budget of a sequence: what errors cost alone, and what all cost together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from nmrqb.average.control import control_of
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.model import BudgetRow, ErrorBudget
from nmrqb.average.perturbations import (
    ErrorSizes,
    Perturbation,
    control_errors,
)
from nmrqb.average.robustness import (
    Pass,
    free_relaxation_cost,
    kind_of,
    longest_90,
    played,
    relaxation_cost,
    size_text,
    turned_angle,
)
from nmrqb.average.widths import width_errors
from nmrqb.dynamics import (
    Segment,
    exp_hermitian,
    gaussian_ensemble,
    infidelity,
    timeline_segments,
    unitary,
)
from nmrqb.operators import Complex
from nmrqb.sample import Sample
from nmrqb.sequence import Timeline


def error_budget(subject: Pass, sizes: ErrorSizes | None = None) -> ErrorBudget:
    """Return what each error costs alone over a closing period, and what all cost together.

    Every error but one acts alone on the pass with ideal pulses and is held against that pass, so
    that no row holds the loss of another; the one tells what that pass itself lacks: ``claim`` is
    the exact ideal pass against the target or, without a target, ``truncation`` against its zeroth
    order U_rf exp(−iH⁽⁰⁾T).  The total has finite pulses, the spread of B1, the
    offsets of all spins, the couplings, antisymmetric transients of all channels and relaxation
    at once; relaxation is a factor of the fidelity, right to first order in T/T2.
    """
    sizes = sizes or ErrorSizes()
    ideal, finite = subject.models
    U = subject.over_period(played(ideal, subject))
    zeroth = _zeroth_order(subject, ideal)
    claim = subject.claim(ideal)
    rows = [
        BudgetRow("truncation", "beyond H(0)", float(infidelity(zeroth, U)))
        if claim is None
        else BudgetRow("claim", "ideal pass against it", float(infidelity(claim, U)))
    ]
    rows += _single_rows(subject, ideal, finite, sizes)
    return ErrorBudget(
        reference="zeroth order" if claim is None else "target",
        rows=tuple(sorted(rows, key=lambda row: -row.infidelity)),
        sum=sum(row.infidelity for row in rows),
        total=_together(subject, finite or ideal, zeroth if claim is None else claim, sizes),
    )


def _zeroth_order(subject: Pass, ideal: Timeline) -> Complex:
    """Return U_rf exp(−iH⁽⁰⁾T) of the period with ideal pulses."""
    control = control_of(timeline_segments(ideal, subject.sample), subject.drift)
    period, closed = subject.period(ideal), subject.over_period(control.U_rf)
    if not period:  # finite pulses alone
        return closed
    (H,) = magnus_terms(control.segments, subject.drift, order=0, cycles=subject.cycles)
    return closed @ exp_hermitian(H * period)


def _single_rows(
    subject: Pass, ideal: Timeline, finite: Timeline | None, sizes: ErrorSizes
) -> list[BudgetRow]:
    """Return the rows of imperfections: each of them alone on the ideal pass."""
    alone = replace(subject, timeline=ideal, other=finite, claim_hz=None, branch_safe=False)
    period = _period_losses(alone, sizes)
    return [BudgetRow(error, text, loss) for error, text, loss in period]


def _period_losses(subject: Pass, sizes: ErrorSizes) -> list[tuple[str, str, float]]:
    errors = {e.error: e for e in control_errors(subject.timeline, subject.sample, sizes)}
    drift, over = subject.drift, subject.over_period
    flip = errors["flip-angle"]
    U = over(unitary(flip.segments, drift))
    amplitudes, weights = gaussian_ensemble(
        sizes.rf_spread, largest_angle=subject.cycles * turned_angle(flip.direction)
    )
    spread = infidelity(U, over(unitary(flip.played(amplitudes - 1), drift)))
    losses = [("rf-inhomogeneity", size_text(sizes.rf_spread, ""), float(np.sum(weights * spread)))]
    for error in _acting(errors.values()):
        V = over(unitary(error.played(error.size), drift))
        losses.append((error.error, _assumed(error), float(infidelity(U, V))))
    ideal, finite = subject.models
    widths = {} if finite is None else width_errors(ideal, finite, subject.sample, drift)
    for name, (wide, _) in widths.items():
        text = f"{size_text(longest_90(subject.sample, name), 's')} per 90°"
        loss = float(infidelity(U, over(played(wide, subject))))
        losses.append((f"width {name}", text, loss))
    kept = (1 - relaxation_cost(subject.timeline, subject.sample)) ** subject.cycles
    if kept < 1:
        losses.append(("relaxation", _relaxation_text(subject.sample), 1 - kept))
    return losses


def _acting(errors: Iterable[Perturbation]) -> list[Perturbation]:
    """Return the errors of a budget; flip angles are in the spread of B1, offsets by spin."""
    kinds = ("offset", "coupling", "transient-antisymmetric")
    return [e for e in errors if kind_of(e.error) in kinds and e.error != "offset"]


def _together(subject: Pass, timeline: Timeline, reference: Complex, sizes: ErrorSizes) -> float:
    errors = control_errors(timeline, subject.sample, sizes)
    flip, over = errors[0], subject.over_period
    fixed = np.sum([error.size * error.direction for error in _acting(errors)], axis=0)
    amplitudes, weights = gaussian_ensemble(
        sizes.rf_spread, largest_angle=subject.cycles * turned_angle(flip.direction)
    )
    moved = _shifted(flip.played(amplitudes - 1), fixed)
    lost = infidelity(reference, over(unitary(moved, subject.drift)))
    kept = 1 - free_relaxation_cost(subject.period(timeline), subject.sample)
    return float(1 - (1 - np.sum(weights * lost)) * kept)


def _shifted(segments: Sequence[Segment], changes: Complex) -> list[Segment]:
    return [replace(s, rotation=s.rotation + change)
            for s, change in zip(segments, changes, strict=True)]  # fmt: skip


def _relaxation_text(sample: Sample) -> str:
    times = dict.fromkeys(size_text(s.T2_s, "s") for s in sample.spins if math.isfinite(s.T2_s))
    own = f"T2 {', '.join(times)}" if times else "T1"
    declared = "what the sample declares"
    if not any(math.isfinite(s.T1_s) or math.isfinite(s.T2_s) for s in sample.spins):
        return declared
    return f"{own} and {declared}" if sample.relaxation else own


def _assumed(error: Perturbation) -> str:
    return size_text(error.size, error.unit)
