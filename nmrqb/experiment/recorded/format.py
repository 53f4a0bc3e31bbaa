"""The file format ``nmrqb-data/1``: which file of a spectrometer shows what."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from nmrqb.errors import nearest
from nmrqb.formats import (
    Angle,
    Count,
    Entry,
    Frequency,
    PlainName,
    Ratio,
    Time,
    scalar_text,
    shown,
)
from nmrqb.spectrometer.readers import READERS, ReaderName
from nmrqb.units import UnitError, quantity

_SHIFT = re.compile(r"\s*([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)\s*ppm\s*")
_LARGEST_PPM = 100_000.0

MEASURED = ("T1", "T2", "pulse_90", "linewidth", "J")


class Shift(tuple[float, str]):
    """A place in a spectrum: number and unit, ``ppm`` or ``Hz`` above the carrier."""

    __slots__ = ()


def _shift(value: object) -> Shift:
    text = scalar_text(value)
    wanted = "must be a place in the spectrum such as '7.26 ppm' or '-120 Hz'"
    if text is None:
        raise ValueError(f"{wanted}, but is {shown(value)}")
    if found := _SHIFT.fullmatch(text):
        if abs(float(found[1])) > _LARGEST_PPM:
            raise ValueError(f"must lie within ±{_LARGEST_PPM:g} ppm, but is {text}")
        return Shift((float(found[1]), "ppm"))
    try:
        return Shift((quantity(text, "frequency"), "Hz"))
    except UnitError as error:
        raise ValueError(f"{wanted}: {error}") from error


def _reader(value: object) -> object:
    if isinstance(value, str) and value not in READERS:
        raise ValueError(f"must be a reader, but is {value!r}; {nearest(value, READERS)}")
    return value


def _positive(value: float) -> float:
    if not value > 0:
        raise ValueError(f"must be positive, but is {value:g}")
    return value


def _one_or_more(value: int) -> int:
    if value < 1:
        raise ValueError(f"must be 1 or more, but is {value}")
    return value


def _table_error(value: object) -> tuple[float, bool]:
    text = scalar_text(value)
    wanted = "must be a positive number in the unit of the table, or a share such as '2 %'"
    if text is None:
        raise ValueError(f"{wanted}, but is {shown(value)}")
    try:
        size = quantity(text, "ratio")
    except UnitError as error:
        raise ValueError(f"{wanted}: {error}") from error
    if not size > 0:
        raise ValueError(f"{wanted}, but is {text}")
    return size, text.rstrip().endswith("%")


def _table_errors(value: object) -> tuple[tuple[float, bool], ...]:
    return tuple(map(_table_error, value if isinstance(value, list) and value else [value]))


def _word(value: object) -> str:
    text = scalar_text(value)
    if not text:
        raise ValueError(f"must be a name, but is {shown(value)}")
    return text


Word = Annotated[
    str, BeforeValidator(_word), WithJsonSchema({"type": ["string", "number"], "minLength": 1})
]
Place = Annotated[
    Any,
    BeforeValidator(_shift),
    WithJsonSchema({"type": "string", "examples": ["7.26 ppm", "-120 Hz"]}),
]
Reader = Annotated[ReaderName, BeforeValidator(_reader)]
Carrier = Annotated[Frequency, AfterValidator(_positive)]
Window = Annotated[Frequency, AfterValidator(_positive)]
Number = Annotated[Count, AfterValidator(_one_or_more)]
_ERROR = {"type": ["string", "number"], "examples": [0.02, "2 %"]}
TableErrors = Annotated[
    Any,
    BeforeValidator(_table_errors),
    WithJsonSchema({"anyOf": [_ERROR, {"type": "array", "items": _ERROR, "minItems": 1}]}),
]


class IntegralsFormat(Entry):
    """What the columns of a table of integrals are, and how well they are known."""

    columns: Annotated[list[Number], Field(min_length=1)] = Field(
        description="Columns of the lines, from 1, in the order that `order` tells."
    )
    order: Literal["ascending", "descending"] | None = Field(
        None,
        description="Whether the columns are named from the lowest ppm to the highest or the "
        "other way (from left to right in a spectrum).",
    )
    error: TableErrors | None = Field(
        None,
        description="Standard deviation of an integral in the unit of the table, or as a share "
        "(2 %) of the largest integral of these columns in the whole table; one for all columns, "
        "or a list.",
    )
    noise: Annotated[list[Number], Field(min_length=1)] | None = Field(
        None,
        description="Columns of regions without lines, as wide as those of the lines: their root "
        "mean square over all rows is the error, in place of `error`.",
    )
    imaginary: Word | None = Field(
        None,
        description="Second table, with the same rows and columns, of the imaginary parts of the "
        "same phased spectra: where a positive line stands, positive towards lower ppm.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> IntegralsFormat:
        named = [*self.columns, *(self.noise or ())]
        if len(set(named)) < len(named):
            raise ValueError("`columns` and `noise` must name different columns, each once")
        if len(self.columns) > 1 and self.order is None:
            raise ValueError("`order` must say whether the columns ascend or descend in ppm")
        if (self.error is None) == (self.noise is None):
            raise ValueError(
                "`error` or `noise` must tell how well integrals are known, one of the two: a "
                "table does not show it"
            )
        if self.error is not None and len(self.error) not in (1, len(self.columns)):
            raise ValueError(
                f"`error` must hold one number, or one for each of {len(self.columns)} columns"
            )
        return self


class FileFormat(Entry):
    """What all entries say of a file of data."""

    file: Word = Field(description="File or folder, relative to the folder of this data file.")
    reader: Reader | None = Field(
        None, description="Which reader reads it; told from the file by default."
    )
    record: Number | None = Field(
        None,
        description="Row of a file that holds several, from 1: of a table, of its rows of numbers.",
    )
    conjugate: bool = Field(
        False, description="Whether the FID turns as e^{-i2πνt} instead of e^{+i2πνt}."
    )
    first_point: Ratio = Field(
        0.0,
        description="Point of the FID at which t = 0, say the delay of a digital filter still in "
        "it (JEOL: about 19).",
    )
    integrals: IntegralsFormat | None = Field(
        None, description="What its columns are, if the file is a table of integrals."
    )


class ReadoutFormat(FileFormat):
    """One FID or spectrum of the tomography."""

    channel: str = Field(description="Nucleus that was observed, say 1H.")
    readout: str = Field(
        description="What was played before it: one letter I, X or Y per spin (XI: 90° x on the "
        "first), or steps, or a sequence, as `nmrqb readouts --set` reads them."
    )
    experiment: Word = Field(
        "main", description="Which experiment of a temporal average, or which point, it belongs to."
    )
    near: Place | None = Field(
        None, description="Where the middle of the multiplet is, within 0.5 ppm or 30 Hz."
    )
    phase: Angle = Field(
        0.0, description="By how much this file's receiver phase differs from its channel's."
    )


class ChannelFormat(Entry):
    """What is known of a channel."""

    frequency: Carrier | None = Field(
        None,
        description="Frequency of 0 ppm with a unit, say 62.375 MHz; of other nuclei it follows "
        "from their gyromagnetic ratios.",
    )
    axis: Literal["spectrometer", "mirrored", "rotating-frame"] | None = Field(
        None,
        description="Sense of the frequency axis: of the spectrometer (ascending Larmor frequency; "
        "the usual one), mirrored, or that of nmrqb's rotating frame, in which H/2π = ν I_z (the "
        "usual one of files that nmrqb wrote).",
    )
    integrals: IntegralsFormat | None = Field(
        None,
        description="What their columns are, if the files of this channel are tables of integrals.",
    )


class CalibrationFormat(Entry):
    """Which data show a known state, and so gain and phase of every channel."""

    experiment: Word = Field(description="Experiment whose files show the known state.")
    state: Literal["thermal"] | dict[str, Ratio] = Field(
        description="`thermal`: Σ γ_k/γ(1H) Z_k, the unit being the polarisation of 1H at "
        "equilibrium; or expectation values of Paulis, say {ZI: 1, IZ: 0.25}."
    )


class SeriesFormat(FileFormat):
    """One measurement of a calibration."""

    measures: Literal["T1", "T2", "pulse_90", "linewidth", "J"] = Field(
        description="T1 (inversion or saturation recovery), T2 (echo series), pulse_90 (nutation, "
        "in steps of less than half a turn; one beyond half a turn tells the spread of the rf "
        "field too), linewidth (T2* of one line), J (distance of two lines)."
    )
    spin: str | None = Field(None, description="Label of the spin of the sample.")
    between: list[str] | None = Field(None, description="Labels of the two spins of a J.")
    near: Place | None = Field(
        None,
        description="Where the line, or the middle of the doublet, is; a table of integrals needs "
        "none.",
    )
    guess: Frequency | None = Field(
        None, description="About how large J is; by default that of the sample."
    )
    times: list[Time] | None = Field(
        None, description="Delays or pulse lengths of the rows; by default the file's own list."
    )
    window: Window | None = Field(None, description="Half the window round every line.")

    @model_validator(mode="after")
    def _names_its_spins(self) -> SeriesFormat:
        if self.measures == "J" and (self.between is None or len(self.between) != 2):
            raise ValueError(
                f"`between` must hold two labels where J is measured, but is {self.between}"
            )
        if self.measures != "J" and self.spin is None:
            raise ValueError(f"`spin` must name the spin whose {self.measures} is measured")
        if self.near is None and self.integrals is None:
            raise ValueError("`near` must say where the line is")
        return self


class DataFormat(Entry):
    """Files of a spectrometer, what each shows, and how they are calibrated."""

    format: Literal["nmrqb-data/1"] = Field(description="Name and version of this format.")
    name: PlainName | None = Field(None, description="Short name; the name of the file by default.")
    title: str = Field("", description="One line for people.")
    sample: str = Field(description="Sample: a shipped name, or a file.")
    channels: dict[str, ChannelFormat] = Field(
        default_factory=dict, description="What is known of the channels, by nucleus."
    )
    reader: Reader | None = Field(None, description="Reader of all files that name none.")
    files: list[ReadoutFormat] = Field(
        default_factory=list, description="FIDs or spectra of the tomography."
    )
    combine: Literal["sum", "each"] | dict[str, Ratio] = Field(
        "sum",
        description="`sum`: add all experiments but the reference (temporal averaging); `each`: "
        "one state per experiment; or weights of experiments.",
    )
    pulses: Literal["ideal", "finite"] = Field(
        "ideal", description="Whether readout pulses last as long as the sample's 90° times."
    )
    lines: Literal["fitted", "known"] = Field(
        "fitted",
        description="`fitted`: offset, widths and phases of the lines are fitted, J is known; "
        "`known`: lines stand and decay as the sample says, in FIDs only.",
    )
    calibration: CalibrationFormat | None = Field(
        None, description="Reference of gains and phases; none where the scale is known to be 1."
    )
    kind: Literal["full", "deviation", "pseudo"] = Field(
        "deviation",
        description="What the estimated matrix is: a state, a deviation in the unit of the "
        "reference, or a pseudo-state.",
    )
    series: list[SeriesFormat] = Field(
        default_factory=list, description="Calibrations, see `nmrqb calibrate`."
    )
    sources: dict[str, str] = Field(
        default_factory=dict, description="Where data and numbers come from."
    )
    notes: str = Field("", description="What else to know about the data.")

    @model_validator(mode="after")
    def _holds_something(self) -> DataFormat:
        if not self.files and not self.series:
            raise ValueError("must hold `files` for a tomography or `series` for calibrations")
        return self
