"""The file format ``nmrqb-sequence/1``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from nmrqb.formats import Entry, Expression, PlainName, ShortForm
from nmrqb.sequence.event_format import EventFormat
from nmrqb.sequence.words import (
    TARGET_MEANINGS,
    TARGET_TERMS,
    Comparison,
    Name,
    Parameter,
    PhaseName,
    Phases,
    Role,
    TargetKey,
    claiming,
)


class TimingFormat(ShortForm):
    """How the times of a file count."""

    short_form: ClassVar[dict[str, Any]] = {
        "enum": ["edge-to-edge", "centre-to-centre"],
        "description": "Between what the delays count.",
    }

    wanted: ClassVar[str] = "edge-to-edge or centre-to-centre, or a mapping"

    delays: Literal["edge-to-edge", "centre-to-centre"] = Field(
        "edge-to-edge",
        description="Whether delays count between the edges or the centres of the pulses beside "
        "them; a delay too short for finite pulses is refused.",
    )
    off_raster: Literal["refuse", "round"] = Field(
        "refuse", description="What to do with times off the raster of the sample's spectrometer."
    )

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the timing whose delays count so."""
        return {"delays": text}


class BlockFormat(Entry):
    """Events with a name."""

    parameters: dict[Parameter, Expression] = Field(
        default_factory=dict,
        description="Parameters that a use of the block may set, and their expressions if not.",
    )
    sequence: list[EventFormat] = Field(description="The events of the block.")


class SequenceFormat(Entry):
    """A pulse sequence for any sample that has the spins it asks for."""

    may_be_empty: ClassVar[bool] = False

    format: Literal["nmrqb-sequence/1"] = Field(description="Name and version of this format.")
    name: PlainName | None = Field(None, description="Short name; the name of the file by default.")
    title: str = Field("", description="One line for people.")
    notes: str = Field("", description="What to know before using it.")
    reference: str = Field("", description="Where it comes from.")
    sample: str | None = Field(
        None, description="Default sample: a shipped name or a file (.yaml)."
    )
    spins: dict[Name, Role] = Field(
        description="Roles in the order in which they are bound to the spins of a sample; the "
        "value is the nucleus that is needed, or any; all (or all 1H) is every spin (of a nucleus) "
        "that no other role takes."
    )
    parameters: dict[Parameter, Expression] = Field(
        default_factory=dict,
        description="Expressions over other parameters and over J, J(I,S), dipolar(I,S), T1(I), "
        "T2(I), gamma(I) (relative to 1H), offset(I), pulse_90(I) and pi; `--set` changes them.",
    )
    constraints: list[Comparison] = Field(
        default_factory=list,
        description="Comparisons that must hold, say t > 10 us; the sequence is refused otherwise.",
    )
    phase_cycle: dict[PhaseName, Phases] = Field(
        default_factory=dict,
        description="Name to the phases of successive scans: {ph1: [x, -x], ph31: [x, -x]}; also "
        "numbers and other values that expressions use by this name: {step: [0, 1, 2]}.",
    )
    timing: TimingFormat = Field(
        default_factory=TimingFormat,
        description="How delays count: edge-to-edge (the default) or centre-to-centre.",
    )
    target: Annotated[
        dict[TargetKey, Expression],
        WithJsonSchema(
            {
                "type": "object",
                "properties": {
                    term: {"type": ["string", "number"], "description": meaning}
                    for term, meaning in TARGET_MEANINGS.items()
                },
                "additionalProperties": False,
                "anyOf": [{"required": [term]} for term in TARGET_TERMS],
            }
        ),
        AfterValidator(claiming),
    ] = Field(
        default_factory=dict,
        description="What the sequence claims to make: named terms of H/2π in frequency units, in "
        "role order; with `time: T` it claims exp(−i2πHT) whatever its own duration.",
    )
    blocks: dict[Name, BlockFormat] = Field(
        default_factory=dict, description="Events to be played by name, with their parameters."
    )
    sequence: list[EventFormat] = Field(description="The events in the order of time.")
