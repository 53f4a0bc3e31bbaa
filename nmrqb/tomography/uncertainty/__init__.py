"""Error bars of figures of merit: figures that know their kinks, intervals that hold there."""

from nmrqb.tomography.uncertainty.error_bars import Interval, intervals, nearest_kink
from nmrqb.tomography.uncertainty.figures import (
    Figure,
    KinkedFigure,
    SmoothFigure,
    anti_ergotropy_figure,
    capacity_figure,
    coherence_figure,
    energy_figure,
    ergotropy_figure,
)
from nmrqb.tomography.uncertainty.kinks import Kinks, Moduli, Spectrum

__all__ = [
    "Figure",
    "Interval",
    "KinkedFigure",
    "Kinks",
    "Moduli",
    "SmoothFigure",
    "Spectrum",
    "anti_ergotropy_figure",
    "capacity_figure",
    "coherence_figure",
    "energy_figure",
    "ergotropy_figure",
    "intervals",
    "nearest_kink",
]
