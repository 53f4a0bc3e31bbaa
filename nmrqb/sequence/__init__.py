"""Pulse sequences: what a file says, and the flat timeline that a sample makes of it."""

from nmrqb.sequence.expansion import expand
from nmrqb.sequence.format import SequenceFormat
from nmrqb.sequence.loader import default_sample, load_sequence
from nmrqb.sequence.model import (
    Delay,
    Event,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    Timeline,
)

__all__ = [
    "Delay",
    "Event",
    "Pulse",
    "Repeat",
    "Rotation",
    "Sequence",
    "SequenceFormat",
    "TimedDelay",
    "TimedPulse",
    "TimedRotation",
    "Timeline",
    "default_sample",
    "expand",
    "load_sequence",
]
