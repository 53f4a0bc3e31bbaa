"""One function per picture, drawn on given Axes, returning its artists."""

from nmrqb.plotting.coverage import draw_coverage
from nmrqb.plotting.curves import draw_figure_of_merit
from nmrqb.plotting.diagram import diagram_size, draw_sequence
from nmrqb.plotting.diagram_columns import Diagram, sequence_columns, sequence_diagram
from nmrqb.plotting.frames import draw_frames
from nmrqb.plotting.orders import draw_orders
from nmrqb.plotting.panels import draw_curves, draw_density
from nmrqb.plotting.robustness import draw_robustness
from nmrqb.plotting.sequences import Column, Mark, box, fid, timeline_columns
from nmrqb.plotting.spectra import draw_fid, draw_spectrum
from nmrqb.plotting.states import draw_matrix

__all__ = [
    "Column",
    "Diagram",
    "Mark",
    "box",
    "diagram_size",
    "draw_coverage",
    "draw_curves",
    "draw_density",
    "draw_fid",
    "draw_figure_of_merit",
    "draw_frames",
    "draw_matrix",
    "draw_orders",
    "draw_robustness",
    "draw_sequence",
    "draw_spectrum",
    "fid",
    "sequence_columns",
    "sequence_diagram",
    "timeline_columns",
]
