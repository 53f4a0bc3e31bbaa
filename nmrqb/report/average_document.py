"""A compiled sequence as a JSON document: the contract of ``nmrqb compile --json``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nmrqb.average import (
    Analysis,
    AverageHamiltonian,
    OpenAverage,
    Sensitivity,
    SymmetryReport,
    TermCost,
)
from nmrqb.operators import Complex, pauli_coefficients, pauli_strings, spin_count

_NEGLIGIBLE = 1e-12


def pauli_document(hamiltonian_hz: Complex) -> dict[str, float]:
    """Return the Pauli coefficients of H/2π in Hz, all of two spins, otherwise the nonzero ones."""
    n = spin_count(hamiltonian_hz)
    values = pauli_coefficients(hamiltonian_hz).real
    floor = 0.0 if n <= 2 else _NEGLIGIBLE * max(float(np.abs(values).max()), 1.0)
    pairs = list(zip(pauli_strings(n), values, strict=True))[1:]
    return {name: float(value) for name, value in pairs if n <= 2 or abs(value) > floor}


def compile_document(average: AverageHamiltonian) -> dict[str, Any]:
    """Return the JSON document of `nmrqb compile`; coefficients of H/2π in Hz."""
    return {
        "sequence": average.sequence,
        "sample": average.sample,
        "spins": list(average.spins),
        "pulses": average.pulses,
        "duration_s": average.duration_s,
        "free_evolution_s": average.free_evolution_s,
        "cyclic": average.cyclic,
        "cycles_to_close": average.cycles_to_close,
        "orders": [
            {
                "order": term.order,
                "pauli_hz": pauli_document(term.hamiltonian_hz),
                "norm_hz": float(np.linalg.norm(term.hamiltonian_hz, 2)),
            }
            for term in average.orders
        ],
        "exact": {
            "pauli_hz": pauli_document(average.exact_hz),
            "branch_safe": average.branch_safe,
        },
        "named_hz": None if average.named is None else dict(average.named),
        "named_from": average.named_from,
        "pairs": [
            {"spins": list(labels), "named_hz": dict(named)} for labels, named in average.pairs
        ],
        "target": None if average.target is None else vars(average.target).copy(),
        "diagnosis": [vars(item).copy() for item in average.diagnosis],
        "robustness": [_sensitivity(row) for row in average.robustness],
        **({} if average.analysis is None else _analysis(average, average.analysis)),
    }


def _sensitivity(row: Sensitivity) -> dict[str, Any]:
    leakage = [{"spins": list(pair), "named_hz": dict(terms)} for pair, terms in row.leakage]
    return {**vars(row), "leakage": leakage}


def _analysis(average: AverageHamiltonian, analysis: Analysis) -> dict[str, Any]:
    return {
        "fields_hz": {
            label: dict(zip("xyz", map(float, field), strict=True))
            for label, field in zip(average.spins, analysis.parts.fields, strict=True)
        },
        "other_hz": analysis.parts.many_body,
        "second_average": _second_average(average, analysis),
        "convergence": vars(analysis.convergence).copy(),
        "symmetric": analysis.symmetric,
        "frames": {
            "duration_s": analysis.frames.durations.tolist(),
            "pulse": analysis.frames.pulses.tolist(),
            "z_axis": analysis.frames.n.tolist(),
        },
        "decoupling": [vars(condition).copy() for condition in analysis.conditions],
        "symmetry": _symmetry(average, analysis.symmetry),
        "relaxation": None
        if analysis.relaxation is None
        else _relaxation(average, analysis.relaxation),
        "budget": {
            **vars(analysis.budget),
            "rows": [vars(row).copy() for row in analysis.budget.rows],
        },
    }


def _second_average(average: AverageHamiltonian, analysis: Analysis) -> dict[str, Any]:
    second = analysis.second
    return {
        "axes": dict(zip(average.spins, second.axes.tolist(), strict=True)),
        "field_hz": dict(zip(average.spins, second.field.tolist(), strict=True)),
        "pauli_hz": pauli_document(second.secular),
    }


def _symmetry(average: AverageHamiltonian, report: SymmetryReport) -> dict[str, Any]:
    labels = average.spins
    return {
        "dimension": report.dimension,
        "channel_dimension": report.channel_dimension,
        "pulse_dimension": report.pulse_dimension,
        "full_dimension": report.full_dimension,
        "forbidden": [
            {"spins": [labels[i], labels[j]], "terms": list(terms)}
            for (i, j), terms in report.forbidden.items()
        ],
        "symmetries": [{**vars(s), "pair": [labels[k] for k in s.pair]} for s in report.symmetries],
        "target": None
        if report.target is None
        else {"inside": report.target.inside, **vars(report.target)},
    }


def _relaxation(average: AverageHamiltonian, relaxation: OpenAverage) -> dict[str, Any]:
    return {
        "period_s": relaxation.period_s,
        "generator_from": relaxation.generator_from,
        "lindblad": relaxation.lindblad,
        "kossakowski_min_per_s": relaxation.kossakowski_min,
        "kossakowski_min_by_order_per_s": list(relaxation.kossakowski_min_by_order),
        "pauli_rates_per_s": dict(relaxation.pauli_rates),
        "native_pauli_rates_per_s": dict(relaxation.native_pauli_rates),
        "modes": [
            {"rate_per_s": -float(v.real), "frequency_hz": float(v.imag) / (2 * math.pi)}
            for v in relaxation.eigenvalues
        ],
        "terms": [_cost(average, cost) for cost in relaxation.costs],
        "free_terms": [_cost(average, cost) for cost in relaxation.free_costs],
    }


def _cost(average: AverageHamiltonian, cost: TermCost) -> dict[str, Any]:
    spins = [average.spins[k] for k in cost.spins]
    return {**vars(cost), "spins": spins, "turns": cost.turns, "native_turns": cost.native_turns}
