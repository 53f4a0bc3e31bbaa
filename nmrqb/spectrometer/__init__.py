"""The instrument: receiver, FIDs, noise, line amplitudes."""

from nmrqb.spectrometer.acquisition import (
    add_noise,
    coil_operator,
    complex_noise,
    default_receiver,
    detection,
    line_fit,
    liouvillian,
    observable,
    spectrum,
    transitions,
)
from nmrqb.spectrometer.lines import Lines, fid, line_list, sum_of_lines
from nmrqb.spectrometer.receiver import Receiver
from nmrqb.spectrometer.sectors import Signal, open_fid

__all__ = [
    "Lines",
    "Receiver",
    "Signal",
    "add_noise",
    "coil_operator",
    "complex_noise",
    "default_receiver",
    "detection",
    "fid",
    "line_fit",
    "line_list",
    "liouvillian",
    "observable",
    "open_fid",
    "spectrum",
    "sum_of_lines",
    "transitions",
]
