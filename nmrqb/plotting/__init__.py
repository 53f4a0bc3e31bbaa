"""One function per picture, drawn on given Axes, returning its artists."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Column": "sequences",
    "Diagram": "diagram_columns",
    "Mark": "sequences",
    "Tower": "city",
    "basis_labels": "matrices",
    "box": "sequences",
    "diagram_size": "diagram",
    "draw_city": "city",
    "draw_coverage": "coverage",
    "draw_curves": "panels",
    "draw_density": "panels",
    "draw_element_errors": "matrices",
    "draw_fid": "spectra",
    "draw_figure_of_merit": "curves",
    "draw_fit": "fits",
    "draw_frames": "frames",
    "draw_hinton": "hinton",
    "draw_known_paulis": "paulis",
    "draw_law": "laws",
    "draw_law_residuals": "laws",
    "draw_map": "maps",
    "draw_matrix": "matrices",
    "draw_orders": "orders",
    "draw_pauli_bars": "paulis",
    "draw_phase_key": "hinton",
    "draw_populations": "populations",
    "draw_recording": "recordings",
    "draw_residual_histogram": "residuals",
    "draw_residuals": "residuals",
    "draw_robustness": "robustness",
    "draw_sequence": "diagram",
    "draw_spectrum": "spectra",
    "fid": "sequences",
    "fit_height": "fits",
    "hatched": "unknown",
    "phase_colors": "hinton",
    "residual_spectrum": "residuals",
    "sequence_columns": "diagram_columns",
    "sequence_diagram": "diagram_columns",
    "timeline_columns": "sequences",
}

__all__ = [
    "Column",
    "Diagram",
    "Mark",
    "Tower",
    "basis_labels",
    "box",
    "diagram_size",
    "draw_city",
    "draw_coverage",
    "draw_curves",
    "draw_density",
    "draw_element_errors",
    "draw_fid",
    "draw_figure_of_merit",
    "draw_fit",
    "draw_frames",
    "draw_hinton",
    "draw_known_paulis",
    "draw_law",
    "draw_law_residuals",
    "draw_map",
    "draw_matrix",
    "draw_orders",
    "draw_pauli_bars",
    "draw_phase_key",
    "draw_populations",
    "draw_recording",
    "draw_residual_histogram",
    "draw_residuals",
    "draw_robustness",
    "draw_sequence",
    "draw_spectrum",
    "fid",
    "fit_height",
    "hatched",
    "phase_colors",
    "residual_spectrum",
    "sequence_columns",
    "sequence_diagram",
    "timeline_columns",
]

if TYPE_CHECKING:
    from nmrqb.plotting.city import Tower, draw_city
    from nmrqb.plotting.coverage import draw_coverage
    from nmrqb.plotting.curves import draw_figure_of_merit
    from nmrqb.plotting.diagram import diagram_size, draw_sequence
    from nmrqb.plotting.diagram_columns import Diagram, sequence_columns, sequence_diagram
    from nmrqb.plotting.fits import draw_fit, fit_height
    from nmrqb.plotting.frames import draw_frames
    from nmrqb.plotting.hinton import draw_hinton, draw_phase_key, phase_colors
    from nmrqb.plotting.laws import draw_law, draw_law_residuals
    from nmrqb.plotting.maps import draw_map
    from nmrqb.plotting.matrices import basis_labels, draw_element_errors, draw_matrix
    from nmrqb.plotting.orders import draw_orders
    from nmrqb.plotting.panels import draw_curves, draw_density
    from nmrqb.plotting.paulis import draw_known_paulis, draw_pauli_bars
    from nmrqb.plotting.populations import draw_populations
    from nmrqb.plotting.recordings import draw_recording
    from nmrqb.plotting.residuals import draw_residual_histogram, draw_residuals, residual_spectrum
    from nmrqb.plotting.robustness import draw_robustness
    from nmrqb.plotting.sequences import Column, Mark, box, fid, timeline_columns
    from nmrqb.plotting.spectra import draw_fid, draw_spectrum
    from nmrqb.plotting.unknown import hatched


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names above
    """Import a picture when it is first used, with what it needs of Matplotlib."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nmrqb.plotting' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"nmrqb.plotting.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
