"""Pictures of calibrations: every measured series or spectrum with the law fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure, SubFigure

from nmrqb.experiment.recorded import Calibrated
from nmrqb.experiment.recorded.judgement import spread_text
from nmrqb.plotting import draw_fit, draw_law, draw_law_residuals
from nmrqb.report.pictures import new_figure
from nmrqb.report.recorded.calibrations import bound_text, in_units
from nmrqb.report.recorded.pages import MOST_PAGES, heading, pages
from nmrqb.report.text import short, with_error
from nmrqb.spectrometer.laws import SeriesFit
from nmrqb.spectrometer.series import common_phase

_COLUMNS, _PANELS = 2, 6  # of a page
_WIDTH, _HEIGHT = 5.2, 3.7  # inches of a panel
_SYMBOLS = {"pulse_90": "90° pulse", "linewidth": "line width"}
_POOR = 10.0  # misfit from which on it stands in the title


def calibration_figures(found: Sequence[Calibrated]) -> dict[str, Figure]:
    """Return the fits of all calibrations by file name, ``calibration.png`` and its pages."""
    told = f"the first {_PANELS * MOST_PAGES} of {len(found)} measurements"
    less = told if len(found) > _PANELS * MOST_PAGES else ""
    return {
        name: _figure(own, [less, page])
        for name, (own, page) in pages("calibration", list(found), _PANELS).items()
    }


def _figure(found: Sequence[Calibrated], notes: Sequence[str]) -> Figure:
    columns = min(_COLUMNS, len(found))
    rows = -(-len(found) // columns)
    figure = new_figure(_WIDTH * columns, _HEIGHT * rows + 0.3 * any(notes))
    panels = figure.subfigures(rows, columns, squeeze=False, hspace=0.03, wspace=0.03)
    for panel, one in zip(panels.flat, found, strict=False):
        _draw(panel, one)
    if any(notes):
        figure.suptitle(heading(notes, _WIDTH * columns), fontsize=10)
    return figure


def _draw(panel: SubFigure, one: Calibrated) -> None:
    if isinstance(one.fit, SeriesFit):
        upper, lower = panel.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        draw_law(upper, one.fit)
        draw_law_residuals(lower, one.fit)
        upper.set_xlabel("")
    else:
        upper = panel.subplots()
        draw_fit(upper, one.fit, phase_rad=common_phase(one.fit.amplitudes))
    upper.set_title(_title(one), fontsize=9.5)


def _title(one: Calibrated) -> str:
    """Return value and error, and where the line is."""
    value, error, unit = in_units(one)
    name = _SYMBOLS.get(one.measures, one.measures)
    place = [] if one.ppm is None else [f"{one.ppm:.3f} ppm"]
    poor = [f"misfit {short(one.misfit)}"] if one.misfit > _POOR else []
    spread = one.b1_inhomogeneity
    field = [] if spread is None else [f"B1 spread {spread_text(spread)}"]
    told = bound_text(one) or f"= {with_error(value, error)}"
    head = f"{name} of {', '.join(one.spins)} {told} {unit}"
    return "\n".join([head, ", ".join([*place, *field, *poor])]).strip()
