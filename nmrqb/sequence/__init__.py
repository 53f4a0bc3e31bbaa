"""Pulse sequences: what a file says, and the flat timeline that a sample makes of it."""

from nmrqb.sequence.expansion import expand
from nmrqb.sequence.format import SequenceFormat
from nmrqb.sequence.imperfections import (
    NO_ERRORS,
    Errors,
    PulseErrors,
    channel_errors,
    pulse_with_errors,
    with_errors,
)
from nmrqb.sequence.loader import default_sample, load_sequence
from nmrqb.sequence.model import (
    Acquisition,
    Block,
    Call,
    CouplingDelay,
    Delay,
    Event,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    Timing,
    VirtualZ,
)
from nmrqb.sequence.scope import Values
from nmrqb.sequence.shapes import Shape
from nmrqb.sequence.writing import save_sequence, sequence_text

__all__ = [
    "NO_ERRORS",
    "Acquisition",
    "Block",
    "Call",
    "CouplingDelay",
    "Delay",
    "Errors",
    "Event",
    "Gradient",
    "Pulse",
    "PulseErrors",
    "Repeat",
    "Rotation",
    "Sequence",
    "SequenceFormat",
    "Shape",
    "TimedAcquisition",
    "TimedDelay",
    "TimedEvent",
    "TimedGradient",
    "TimedPulse",
    "TimedRotation",
    "Timeline",
    "Timing",
    "Values",
    "VirtualZ",
    "channel_errors",
    "default_sample",
    "expand",
    "load_sequence",
    "pulse_with_errors",
    "save_sequence",
    "sequence_text",
    "with_errors",
]
