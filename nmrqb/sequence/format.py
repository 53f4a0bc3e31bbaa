"""The file format ``nmrqb-sequence/1``."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from nmrqb.errors import nearest
from nmrqb.formats import Entry, Expression, scalar_text, shown
from nmrqb.operators import NAMED_TERMS
from nmrqb.sample.nuclei import SPIN_HALF, checked_nucleus

TARGET_KEYS = (*NAMED_TERMS, "time")
RESERVED = frozenset({"J", "T1", "T2", "offset", "pi", "nan", "inf", "infinity"})
PHASES = {"x": 0.0, "y": 90.0, "-x": 180.0, "-y": 270.0}  # degrees

_NAME = r"^[^\W\d]\w*$"
_NAMED_PHASE = re.compile(r"(.*\S)\s+([-+]?[^\W\d_])", re.DOTALL)
_NUMBER_PHASE = re.compile(
    r"(.*\S)\s+([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:\s*(?:deg|°|rad|mrad))?|\(.*\))", re.DOTALL
)


def split_rotation(text: str) -> tuple[str, str]:
    """Return angle and phase of the short form of a pulse, ``90 -y`` or ``(90*k) 45``.

    Raises
    ------
    ValueError
        If it does not end in a phase.
    """
    found = _NAMED_PHASE.fullmatch(text.strip()) or _NUMBER_PHASE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must be an angle and a phase such as '90 -y', but is {shown(text)}")
    return found.group(1), found.group(2)


def _name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise ValueError(f"must be one word of letters and digits, but is {shown(value)}")
    return value


def _parameter(value: str) -> str:
    if _name(value) in RESERVED:
        raise ValueError(f"must not be called {value}, which has a meaning of its own; rename it")
    return value


def _role(value: str) -> str:
    if value in ("any", "all") or value in SPIN_HALF:
        return value
    if value.lower() in ("any", "all"):
        raise ValueError(
            f"must be a nucleus, any or all, but is {value!r}; {nearest(value, ['any', 'all'])}"
        )
    several, _, nucleus = value.partition(" ")
    return f"all {checked_nucleus(nucleus)}" if several == "all" else checked_nucleus(value)


def _target_key(value: str) -> str:
    if value not in TARGET_KEYS:
        raise ValueError(f"is not a named term; {nearest(value, TARGET_KEYS)}")
    return value


TargetKey = Annotated[str, AfterValidator(_target_key)]
Name = Annotated[str, AfterValidator(_name)]
Parameter = Annotated[str, AfterValidator(_parameter)]
Role = Annotated[
    str,
    AfterValidator(_role),
    WithJsonSchema(
        {"type": "string", "enum": ["any", "all", *SPIN_HALF, *(f"all {n}" for n in SPIN_HALF)]}
    ),
]


class RotationFormat(Entry):
    """One spin's share of a pulse: ``90 -y``, or the long form with units."""

    planned: ClassVar[frozenset[str]] = frozenset({"amplitude", "shape", "offset"})

    angle: Expression = Field(description="Flip angle with a unit, say 90 deg.")
    phase: Expression = Field("x", description="x, y, -x, -y, or an angle with a unit.")
    duration: Expression | None = Field(
        None, description="Length with a unit; by default what the sample's pulse_90 makes of it."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        text = scalar_text(value)
        if text is None:
            return value
        angle, phase = split_rotation(text)
        return {"angle": angle, "phase": phase}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        short = {
            "type": "string",
            "description": "Angle and phase; a bare number is degrees, the phase x, y, -x or -y.",
            "examples": ["90 -y", "180 x", "45 30"],
        }
        return {"anyOf": [short, handler(schema)]}


class RepeatFormat(Entry):
    """A block of events that is played several times."""

    times: Expression = Field(description="How often: a whole number or an expression of one.")
    sequence: list[EventFormat] = Field(description="The events of the block.")


class EventFormat(Entry):
    """One event: exactly one of pulse, delay and repeat."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})
    planned: ClassVar[frozenset[str]] = frozenset(
        {"block", "include", "gradient", "virtual_z", "acquire", "phase_cycle"}
    )

    pulse: dict[str, RotationFormat] | None = Field(
        None, description="Simultaneous rotations by role: {I: 90 -y, S: 90 x}."
    )
    delay: Expression | None = Field(None, description="Free evolution: a time, say t or 5 ms.")
    repeat: RepeatFormat | None = Field(None, description="A block that is played several times.")

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        events = [e for e in (self.pulse, self.delay, self.repeat) if e is not None]
        if len(events) != 1:
            raise ValueError(
                f"must be exactly one of pulse, delay and repeat, but has {len(events)}"
            )
        if self.pulse == {}:
            raise ValueError("must turn at least one spin, but `pulse` is {}; write {I: 90 x}")
        return self


class SequenceFormat(Entry):
    """A pulse sequence for any sample that has the spins it asks for."""

    format: Literal["nmrqb-sequence/1"] = Field(description="Name and version of this format.")
    name: str | None = Field(None, description="Short name; the name of the file by default.")
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
        description="Expressions over other parameters and over J, J(I,S), T1(I), T2(I), "
        "offset(I) and pi; `--set` changes them.",
    )
    target: Annotated[
        dict[TargetKey, Expression],
        WithJsonSchema(
            {
                "type": "object",
                "properties": {t: {"type": ["string", "number"]} for t in TARGET_KEYS},
                "additionalProperties": False,
            }
        ),
    ] = Field(
        default_factory=dict,
        description="What the sequence claims to make: named terms of H/2π in frequency units, in "
        "role order; with `time: T` it claims exp(−i2πHT) whatever its own duration.",
    )
    sequence: list[EventFormat] = Field(description="The events in the order of time.")
