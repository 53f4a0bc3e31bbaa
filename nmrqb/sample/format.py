"""The file format ``nmrqb-sample/1``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from nmrqb import formats
from nmrqb.formats import Entry, Frequency, PlainName, PositiveTime, Ratio, shown
from nmrqb.sample.nuclei import SPIN_HALF, checked_nucleus
from nmrqb.sample.relaxation_format import MechanismFormat

_LABEL = r"^\w[\w'+-]*$"


def _label(value: str) -> str:
    if not re.fullmatch(_LABEL, value):
        raise ValueError(f"must be one word such as '1H' or 'C2', but is {shown(value)}")
    return value


def _polarization(value: float) -> float:
    if abs(value) > 1:
        raise ValueError(f"must be between -1 and 1, but is {value:g}")
    return value


Label = Annotated[
    str,
    AfterValidator(_label),
    WithJsonSchema({"type": "string", "pattern": _LABEL, "examples": ["1H", "C2"]}),
]
Nucleus = Annotated[
    str,
    AfterValidator(checked_nucleus),
    WithJsonSchema({"type": "string", "enum": list(SPIN_HALF)}),
]


class SpinFormat(Entry):
    """One spin-1/2 nucleus and what the spectrometer knows of it."""

    label: Label = Field(description="Name of the spin in this sample: one word, say 1H or C2.")
    nucleus: Nucleus = Field(description="Isotope of spin 1/2, say 1H or 13C.")
    offset: Frequency = Field(
        0.0,
        description="Resonance offset from the carrier of its channel with a unit, say 120 Hz.",
    )
    T1: PositiveTime | None = Field(
        None, description="Longitudinal relaxation time with a unit; none means no relaxation."
    )
    T2: PositiveTime | None = Field(
        None,
        description="Transverse relaxation time with a unit, at most 2 T1; where only T1 is given "
        "it is 2 T1, the dephasing that T1 itself brings.",
    )
    pulse_90: PositiveTime | None = Field(
        None, description="Length of a 90° hard pulse with a unit; needed for finite pulses."
    )
    polarization: Annotated[Ratio, AfterValidator(_polarization)] = Field(
        0.0,
        description="⟨σ_z⟩ to which T1 leads the effective state, between -1 and 1 (default 0).",
    )


class CouplingFormat(Entry):
    """What couples two spins; at least one of J, dipolar and tensor."""

    between: list[str] = Field(description="Labels of the two spins.")
    J: Frequency | None = Field(None, description="Scalar coupling with a unit, say 215.1 Hz.")
    dipolar: Frequency | None = Field(
        None,
        description="Secular dipolar coupling d with a unit: H/2π = d(2 IzSz − IxSx − IySy) "
        "between like spins, 2 d IzSz between unlike ones.",
    )
    tensor: list[list[Frequency]] | None = Field(
        None,
        description="Full coupling tensor T, three rows of three frequencies: H/2π = I·T·S before "
        "the secular approximation.",
    )
    truncation: Literal["secular", "weak", "none"] = Field(
        "secular",
        description="What of the coupling acts: secular: what commutes with the spin of every "
        "channel; weak: IzSz alone, as between like spins of very different offsets; none: all of "
        "it, as in a low field.",
    )


class SampleFormat(Entry):
    """The spins of one molecule, their couplings, and the calibration of the spectrometer."""

    format: Literal["nmrqb-sample/1"] = Field(description="Name and version of this format.")
    name: PlainName | None = Field(None, description="Short name; the name of the file by default.")
    title: str = Field("", description="One line for people.")
    field: formats.Field | None = Field(None, description="Static field with a unit: 1.465 T.")
    raster: PositiveTime | None = Field(
        None,
        description="Step with a unit of which the spectrometer plays whole multiples, say "
        "12.5 ns; sequences are then held to it.",
    )
    spins: list[SpinFormat] = Field(
        min_length=1, description="The spins; their order is the tensor order."
    )
    couplings: list[CouplingFormat] = Field(
        default_factory=list, description="Couplings; pairs that are not named do not couple."
    )
    relaxation: list[MechanismFormat] = Field(
        default_factory=list,
        description="Mechanisms that act besides T1 and T2 of the spins; their rates add up.",
        examples=[[{"pauli": {"1H": {"x": "0.2 /s"}}}]],
    )
    sources: dict[str, str] = Field(
        default_factory=dict, description="Where each number comes from, by its name."
    )
    notes: str = Field("", description="What else to know about the sample.")
