"""Pictures of recorded states: what is determined with its errors, what is not marked as such."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from nmrqb.experiment.recorded import RecordedState, Tomogram
from nmrqb.plotting import (
    basis_labels,
    draw_element_errors,
    draw_hinton,
    draw_known_paulis,
    draw_phase_key,
    draw_populations,
)
from nmrqb.plotting.paulis import Known
from nmrqb.plotting.style import ESTIMATE
from nmrqb.report.pictures import new_figure
from nmrqb.report.recorded.pages import MOST_PAGES, heading, joined, pages
from nmrqb.report.text import p_text
from nmrqb.tomography import Kind, element_errors
from nmrqb.tomography.from_lines import coefficient, whole_state

_PARTIAL, _WHOLE = 3, 1  # states on a page
_WIDTH, _BARS, _MATRICES, _TITLE = 11.0, 3.4, 3.9, 8.0  # inches
_NOTES = 1.35  # times as many letters to an inch as titles have
_TERMS, _FINDINGS = 6, 5  # experiments of a sum that are named, notes below a picture


def state_figures(tomogram: Tomogram) -> dict[str, Figure]:
    """Return what is known of the states by the names of the pictures, ``state.png`` and its pages.

    Expectation values and populations with their errors; where the whole state is determined, ρ
    as a Hinton diagram and the errors of its elements too.  Of a deviation, ρ less 1/d is drawn.
    """
    states = tomogram.states
    size = _WHOLE if any(s.estimate.design.complete for s in states) else _PARTIAL
    less = f"the first {size * MOST_PAGES} of {len(states)} states"
    told = less if len(states) > size * MOST_PAGES else ""
    return {
        name: _figure(tomogram, own, [page, told])
        for name, (own, page) in pages("state", states, size).items()
    }


def _figure(tomogram: Tomogram, states: Sequence[RecordedState], notes: Sequence[str]) -> Figure:
    heights = [_BARS + _MATRICES * s.estimate.design.complete for s in states]
    figure = new_figure(_WIDTH, 0.7 + sum(heights) + 0.2 * min(len(tomogram.findings), _FINDINGS))
    rows = figure.subfigures(len(states), 1, squeeze=False, height_ratios=heights)[:, 0]
    for row, state in zip(rows, states, strict=True):
        _draw_state(row, state, tomogram.data.kind)
    data = tomogram.data
    scale = "in the unit of the reference" if data.reference else "on the scale of the data"
    what = "state" if data.kind == "full" else f"{data.kind} matrix, {scale}"
    told = f"what the files determine of the {what}"
    figure.suptitle(heading([data.title or data.name, joined(told, *notes)], _WIDTH))
    if tomogram.findings:
        text = heading(_findings(tomogram.findings), _NOTES * _WIDTH)
        figure.supxlabel(text, x=0.01, ha="left", fontsize=8.5, color=ESTIMATE)
    return figure


def _findings(findings: Sequence[str]) -> list[str]:
    """Return what there is to know about the data, not too much of it."""
    more = len(findings) - _FINDINGS
    rest = ["further notes stand in tomography.txt"] if more > 0 else []
    return [*(f"Note: {finding}" for finding in findings[:_FINDINGS]), *rest]


def _draw_state(figure: SubFigure, state: RecordedState, kind: Kind) -> None:
    whole = state.estimate.design.complete
    upper, lower = figure, None
    if whole:
        ratios = [_BARS, _MATRICES]
        upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=ratios)[:, 0]
    wide, narrow = upper.subplots(1, 2, width_ratios=[2.6, 1])
    draw_known_paulis(wide, *_expectations(state))
    title = heading([_title(state)], _TITLE)
    wide.set_title(title, loc="left", fontsize=10, pad=18)  # the legend stands below it
    labels = basis_labels(2**state.estimate.design.spins)
    values, errors = _populations(state, kind)
    less = "population" if kind == "full" else "population less mean"
    draw_populations(narrow, labels, values, errors, ylabel=less)
    narrow.set_title("populations", loc="left", fontsize=10, pad=18)
    if lower is not None:
        _draw_matrices(lower, state, kind)


def _expectations(state: RecordedState) -> tuple[dict[str, Known], dict[str, Known]]:
    """Return single Paulis, None where not determined, and the combinations of several."""
    estimate = state.estimate
    pairs = zip(estimate.seen, estimate.values.tolist(), estimate.errors.tolist(), strict=True)
    together: dict[str, Known] = {
        c.name: (value, error) for c, value, error in pairs if len(c.coefficients) > 1
    }
    return {pauli: coefficient(estimate, pauli) for pauli in estimate.design.paulis}, together


def _populations(state: RecordedState, kind: Kind) -> tuple[np.ndarray | None, np.ndarray | None]:
    if state.populations is None:
        return None, None
    values, covariance = state.populations
    mean = 1 / len(values) if kind == "full" else 0.0
    return mean + values, np.sqrt(np.diagonal(covariance))


def _title(state: RecordedState) -> str:
    terms = " + ".join(
        name if weight == 1 else f"{weight:g} {name}" for name, weight in state.weights.items()
    )
    terms = terms if len(state.weights) <= _TERMS else f"of {len(state.weights)} experiments"
    name = state.name if terms == state.name else f"{state.name}: {terms}"
    freedom = state.estimate.degrees_of_freedom
    if not freedom:
        return f"{name}   (no datum is left to test the fit)"
    chi2 = float(state.estimate.chi2)
    return f"{name}   χ² {chi2:.3g} on {freedom}, {p_text(state.p_value)}"


def _draw_matrices(figure: SubFigure, state: RecordedState, kind: Kind) -> None:
    """Draw ρ and the errors of its elements."""
    rho = np.asarray(state.estimate.rho)
    d = len(rho)
    labels = basis_labels(d)
    axes = figure.subplots(1, 3, width_ratios=[1, 0.3, 1])
    shown = rho if kind == "full" else rho - np.eye(d) / d
    name = "estimated ρ" if kind == "full" else "estimated ρ − 1/d"
    draw_hinton(axes[0], shown, labels, title=name)
    draw_phase_key(axes[1])
    errors = element_errors(whole_state(state.estimate, kind))
    image = draw_element_errors(axes[2], errors, labels, title="standard deviation of ρ")
    if not axes[2].texts:  # there is no room for the numbers themselves
        figure.colorbar(image, ax=axes[2], shrink=0.7, aspect=30, location="right")
