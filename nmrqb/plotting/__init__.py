"""One function per picture, drawn on given Axes, returning its artists."""

from nmrqb.plotting.curves import draw_figure_of_merit
from nmrqb.plotting.frames import draw_frames
from nmrqb.plotting.orders import draw_orders
from nmrqb.plotting.robustness import draw_robustness
from nmrqb.plotting.sequences import Column, draw_sequence, timeline_columns
from nmrqb.plotting.spectra import draw_fid, draw_spectrum
from nmrqb.plotting.states import draw_matrix

__all__ = [
    "Column",
    "draw_fid",
    "draw_figure_of_merit",
    "draw_frames",
    "draw_matrix",
    "draw_orders",
    "draw_robustness",
    "draw_sequence",
    "draw_spectrum",
    "timeline_columns",
]
