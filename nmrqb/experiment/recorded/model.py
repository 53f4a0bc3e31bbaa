"""The nouns of recorded data: files, what each shows, and what is known of the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from nmrqb.errors import Position
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.nuclei import GYROMAGNETIC
from nmrqb.tomography import Kind

Axis = Literal["spectrometer", "mirrored", "rotating-frame"]
Quantity = Literal["T1", "T2", "pulse_90", "linewidth", "J"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Integrals:
    """What the columns of a table of integrals are.

    Attributes
    ----------
    columns
        Columns of the lines from 0, in ascending order of the spectrum's axis.
    errors
        Standard deviation of every column, and whether it is a share of the largest integral of
        these columns instead of a number in the unit of the table; empty where `noise` tells it.
    noise
        Columns of regions without lines, from 0.
    imaginary
        Table of the imaginary parts, or None.
    """

    columns: tuple[int, ...]
    errors: tuple[tuple[float, bool], ...] = ()
    noise: tuple[int, ...] = ()
    imaginary: Path | None = None


@dataclass(frozen=True)
class DataFile:
    """Where a recording is, and how to read it.

    Attributes
    ----------
    path
        File or folder.
    at
        Where the data file names it, for messages.
    reader
        Its reader, or None to tell it from the file.
    row
        Row of a series from 0, or None.
    conjugate, first_point
        See `nmrqb.spectrometer.measured_spectrum`.
    integrals
        What its columns are if it is a table of integrals, else None.
    """

    path: Path
    at: Position
    reader: str | None = None
    row: int | None = None
    conjugate: bool = False
    first_point: float = 0.0
    integrals: Integrals | None = None


@dataclass(frozen=True)
class ReadoutFile:
    """One FID or spectrum of a tomography.

    Attributes
    ----------
    data
        The file.
    channel, readout, experiment
        Nucleus that was observed, what was played before it, to which experiment it belongs.
    near
        Where the multiplet is: number and ``ppm`` or ``Hz``; None to look everywhere.
    phase_rad
        Receiver phase beyond that of the channel.
    """

    data: DataFile
    channel: str
    readout: str
    experiment: str
    near: tuple[float, str] | None = None
    phase_rad: float = 0.0

    @property
    def name(self) -> str:
        """What to call it in tables: experiment, readout and channel."""
        return f"{self.experiment} {self.readout} on {self.channel}"


@dataclass(frozen=True)
class Series:
    """One measurement of a calibration.

    Attributes
    ----------
    data
        The file.
    measures
        What is measured.
    spins
        Label of the spin, or labels of the two of a J.
    near
        Where the line is: number and ``ppm`` or ``Hz``; None in a table of integrals.
    guess_hz
        About how large J is, or None.
    times_s
        Delays or pulse lengths, or None for those of the file.
    window_hz
        Half the window, or None for the usual one.
    """

    data: DataFile
    measures: Quantity
    spins: tuple[str, ...]
    near: tuple[float, str] | None
    guess_hz: float | None = None
    times_s: tuple[float, ...] | None = None
    window_hz: float | None = None


@dataclass(frozen=True)
class Reference:
    """Which experiment shows a known state.

    Attributes
    ----------
    experiment
        Its name.
    paulis
        Expectation values of that state.
    """

    experiment: str
    paulis: Mapping[str, float]


@dataclass(frozen=True)
class RecordedData:
    """Data of a spectrometer and all that is known of them.

    Attributes
    ----------
    name, title, notes
        Name, and text for people.
    sample
        The spins.
    files
        FIDs or spectra of a tomography.
    weights
        Weight of every experiment in each state that is estimated: name of the state to weights.
    frequencies_hz
        Frequencies of 0 ppm by nucleus, where known.
    axes
        Sense of the frequency axis by nucleus, where told.
    reference
        Known state, or None.
    lines
        Whether lines are ``fitted`` or ``known``.
    pulses
        Whether readout pulses last.
    kind
        What is estimated.
    series
        Measurements for calibrations.
    inputs_sha256
        Hashes of the data file and the sample.
    source
        The data file.
    sample_argument
        Name or file of the sample, for `load_sample`.
    """

    name: str
    title: str
    sample: Sample
    files: tuple[ReadoutFile, ...] = ()
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=_nothing)
    frequencies_hz: Mapping[str, float] = field(default_factory=_nothing)
    axes: Mapping[str, Axis] = field(default_factory=_nothing)
    reference: Reference | None = None
    lines: Literal["fitted", "known"] = "fitted"
    pulses: PulseModel = "ideal"
    kind: Kind = "deviation"
    series: tuple[Series, ...] = ()
    inputs_sha256: Mapping[str, str] = field(default_factory=_nothing)
    source: str = ""
    notes: str = ""
    sample_argument: str = ""

    def frequency_hz(self, nucleus: str) -> float | None:
        """Return the frequency of 0 ppm of a nucleus, if need be from that of another."""
        if nucleus in self.frequencies_hz:
            return self.frequencies_hz[nucleus]
        for other, frequency in self.frequencies_hz.items():
            return frequency * abs(GYROMAGNETIC[nucleus] / GYROMAGNETIC[other])
        return None

    @property
    def readouts(self) -> tuple[str, ...]:
        """Distinct readouts in the order of the files."""
        return tuple(dict.fromkeys(file.readout for file in self.files))

    @property
    def channels(self) -> tuple[str, ...]:
        """Distinct channels in the order of the sample."""
        seen = {file.channel for file in self.files}
        return tuple(nucleus for nucleus in self.sample.nuclei if nucleus in seen)
