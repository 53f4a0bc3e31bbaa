"""The instrument: receiver, FIDs, noise, line amplitudes."""

from nmrqb.spectrometer.acquisition import (
    Receiver,
    add_noise,
    complex_noise,
    default_receiver,
    detection,
    line_fit,
    liouvillian,
    observable,
    spectrum,
    transitions,
)

__all__ = [
    "Receiver",
    "add_noise",
    "complex_noise",
    "default_receiver",
    "detection",
    "line_fit",
    "liouvillian",
    "observable",
    "spectrum",
    "transitions",
]
