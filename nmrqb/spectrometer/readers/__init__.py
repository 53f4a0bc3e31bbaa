"""Readers of real data: what spectrometers and their programs write.

Sizes and headers are looked at before anything is handed to a reader, so that truncated,
byte-swapped, empty, oversized and foreign files end in one message, in bounded memory and time.
"""

from nmrqb.spectrometer.readers.choose import READERS, ReaderName, read_recording, reader_of
from nmrqb.spectrometer.readers.integrals import IntegralTable, read_integrals
from nmrqb.spectrometer.readers.lists import read_times
from nmrqb.spectrometer.readers.model import Domain, Recording
from nmrqb.spectrometer.readers.native import write_fids
from nmrqb.spectrometer.readers.nuclei import nucleus_of

__all__ = [
    "READERS",
    "Domain",
    "IntegralTable",
    "ReaderName",
    "Recording",
    "nucleus_of",
    "read_integrals",
    "read_recording",
    "read_times",
    "reader_of",
    "write_fids",
]
