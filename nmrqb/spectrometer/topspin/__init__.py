"""TopSpin: pulse programs, shape files, and a checker of what is emitted."""

from nmrqb.spectrometer.topspin.acquired import visible_share
from nmrqb.spectrometer.topspin.checker import check_program
from nmrqb.spectrometer.topspin.constants import Constants, delay_expressions
from nmrqb.spectrometer.topspin.plan import Plan, make_plan
from nmrqb.spectrometer.topspin.program import (
    Parameter,
    Program,
    parameter_text,
    shape_name,
    topspin_program,
)
from nmrqb.spectrometer.topspin.recovery import missing_recovery
from nmrqb.spectrometer.topspin.relaxation import RelaxationDelay, relaxation_delay
from nmrqb.spectrometer.topspin.rounding import Hardware, rounded
from nmrqb.spectrometer.topspin.shapes import integral_factor, shape_text

__all__ = [
    "Constants",
    "Hardware",
    "Parameter",
    "Plan",
    "Program",
    "RelaxationDelay",
    "check_program",
    "delay_expressions",
    "integral_factor",
    "make_plan",
    "missing_recovery",
    "parameter_text",
    "relaxation_delay",
    "rounded",
    "shape_name",
    "shape_text",
    "topspin_program",
    "visible_share",
]
