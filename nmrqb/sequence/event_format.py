"""The events of the file format ``nmrqb-sequence/1``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from nmrqb.errors import ArgumentError, nearest
from nmrqb.formats import Entry, Expression, Ratio, ShortForm, shown
from nmrqb.sequence.composite import COMPOSITES
from nmrqb.sequence.shapes import SHAPES, Shape
from nmrqb.sequence.words import Coupling, Name, Parameter, split_delay, split_rotation


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"must be a number, but is {shown(value)}")  # noqa: TRY004 (pydantic)
    return value


_Whole = Annotated[int, BeforeValidator(_no_boolean)]
_Number = Annotated[float, BeforeValidator(_no_boolean), Field(allow_inf_nan=False)]
_SHAPE_KEYS = {
    "gaussian": {"truncation"},
    "sinc": {"lobes"},
    "fourier": {"cosine", "sine"},
    "samples": {"file", "x", "y"},
}


_HARD = {"angle", "phase"}


class ShapeFormat(ShortForm):
    """The envelope of a pulse: a name, or a name with what it needs."""

    short_form: ClassVar[dict[str, Any]] = {
        "enum": [kind for kind in SHAPES if kind not in {"fourier", "samples"}],
        "description": "Name of an envelope.",
    }

    wanted: ClassVar[str] = "a shape such as gaussian, or a mapping with its kind"

    kind: Literal[*SHAPES] = Field(description="Name of the envelope.")  # type: ignore[valid-type]
    points: _Whole = Field(200, description="Number of equal steps.")
    truncation: Ratio = Field(0.01, description="gaussian: height at the edges, say 1 %.")
    lobes: _Whole = Field(3, description="sinc: zero crossings on each side.")
    cosine: list[_Number] = Field(
        default_factory=list, description="fourier: coefficients of cos(2πnt/T), n = 0, 1, …"
    )
    sine: list[_Number] = Field(
        default_factory=list, description="fourier: coefficients of sin(2πnt/T), n = 1, 2, …"
    )
    file: str | None = Field(
        None,
        description="samples: a JCAMP-DX shape file, or text columns of amplitude and phase/deg.",
    )
    x: list[_Number] = Field(default_factory=list, description="samples: x components.")
    y: list[_Number] = Field(default_factory=list, description="samples: y components.")

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the shape of this name."""
        return {"kind": text}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = self.model_fields_set - {"kind", "points"}
        foreign = given - _SHAPE_KEYS.get(self.kind, set())
        if foreign:
            known = ", ".join(sorted(_SHAPE_KEYS.get(self.kind, set()))) or "none"
            raise ValueError(
                f"must not have `{min(foreign)}` with kind {self.kind}; its own keys: {known}"
            )
        needed = {"fourier": (self.cosine, self.sine), "samples": (self.file, self.x)}
        if self.kind in needed and not any(needed[self.kind]):
            keys = " or ".join(("cosine", "sine") if self.kind == "fourier" else ("file", "x"))
            raise ValueError(f"must have {keys} with kind {self.kind}, but has neither")
        if self.file and (self.x or self.y):
            raise ValueError(f"must have either `file` or `x` and `y`, but {self.file!r} has both")
        if self.y and len(self.y) != len(self.x):
            count = f"{len(self.y)} y and {len(self.x)} x"
            raise ValueError(f"must have as many y as x, but has {count}")
        if self.file is None:
            self.shape()
        return self

    def shape(self) -> Shape:
        """Return the envelope; one that is held in a file is read elsewhere.

        Raises
        ------
        ValueError
            If a number is out of its range.
        """
        y = self.y or [0.0] * len(self.x)
        try:
            return Shape(
                kind=self.kind,
                points=len(self.x) or self.points,
                truncation=self.truncation,
                lobes=self.lobes,
                cosine=tuple(self.cosine),
                sine=tuple(self.sine),
                samples=tuple(complex(a, b) for a, b in zip(self.x, y, strict=True)),
            )
        except ArgumentError as error:
            raise ValueError(str(error).removeprefix("Argument ")) from None


class RotationFormat(ShortForm):
    """One spin's share of a pulse: ``90 -y``, or the long form with units."""

    short_form: ClassVar[dict[str, Any]] = {
        "type": "string",
        "description": "Angle and phase; a bare number is degrees, the phase x, y, -x or -y.",
        "examples": ["90 -y", "180 x", "45 30", "90 ph1"],
    }

    wanted: ClassVar[str] = "an angle and a phase such as '90 -y', or a mapping"

    angle: Expression | None = Field(
        None, description="Flip angle with a unit, say 90 deg.", examples=["90 deg", "theta"]
    )
    phase: Expression = Field(
        "x",
        description="x, y, -x, -y, a name of the phase cycle, or an angle with a unit.",
        examples=["x", "-y", "ph1", "45 deg"],
    )
    duration: Expression | None = Field(
        None,
        description="Length with a unit; by default what the sample's pulse_90 makes of it.",
        examples=["20 us"],
    )
    amplitude: Expression | None = Field(
        None, description="Peak nutation frequency with a unit, say 25 kHz.", examples=["25 kHz"]
    )
    shape: ShapeFormat | None = Field(None, description="Envelope; a rectangle by default.")
    offset: Expression | None = Field(
        None,
        description="Carrier frequency relative to the channel with a unit, say 300 Hz.",
        examples=["300 Hz", "offset(I)"],
    )
    composite: str | None = Field(
        None,
        description="Composite pulse that is played instead.",
        json_schema_extra={"enum": list(COMPOSITES)},
    )

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return angle and phase of the short form."""
        angle, phase = split_rotation(text)
        return {"angle": angle, "phase": phase}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.model_fields_set == _HARD:
            return self
        given = [k for k in ("angle", "duration", "amplitude") if getattr(self, k) is not None]
        soft = [key for key in ("shape", "offset") if getattr(self, key) is not None]
        if self.composite is not None:
            self._check_composite([key for key in given if key != "angle"] + soft)
        elif len(given) == 3:
            all_three = ", ".join(f"{key} {getattr(self, key)}" for key in given)
            raise ValueError(f"must have two of angle, duration and amplitude, but has {all_three}")
        elif self.angle is None and len(given) < 2:
            has = f"only {given[0]}" if given else "neither"
            raise ValueError(f"must have angle, or duration and amplitude, but has {has}")
        elif soft and len(given) < 2:
            raise ValueError(f"must have a duration or an amplitude, since it has `{soft[0]}`")
        return self

    def _check_composite(self, others: list[str]) -> None:
        if self.composite not in COMPOSITES:
            raise ValueError(
                f"must not have the composite {shown(self.composite)}; "
                f"{nearest(str(self.composite), COMPOSITES)}"
            )
        if others:
            raise ValueError(f"must not have `{others[0]}` beside `composite`; leave one out")
        if self.angle is None:
            raise ValueError(f"must have an angle, since it has `composite` {self.composite}")


class DelayFormat(ShortForm):
    """Free evolution: a time, or the angle by which a scalar coupling turns."""

    short_form: ClassVar[dict[str, Any]] = {
        "type": ["string", "number"],
        "description": "A time, or an angle of a coupling: exp(−iθ 2IzSz), θ = πJt.",
        "examples": ["5 ms", "1/(4*J)", "90 deg of J(I,S)"],
    }

    wanted: ClassVar[str] = "a time such as '5 ms' or '1/(4*J)', or an angle of a coupling"

    time: Expression | None = Field(None, description="A time, say t or 5 ms.")
    angle: Expression | None = Field(
        None,
        description="Angle θ = πJt of the coupling with a unit, say 90 deg.",
        examples=["90 deg"],
    )
    coupling: Coupling | None = Field(None, description="J, or J(I,S) where there are more roles.")
    refocus: Literal["couplings", "all"] | None = Field(
        None,
        description="couplings: 180° pulses on all other spins remove their couplings and offsets; "
        "all: the two are pulsed as well, so that their own offsets go.",
    )

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the time, or the angle and its coupling."""
        parts = split_delay(text)
        return {"time": text} if parts is None else {"angle": parts[0], "coupling": parts[1]}

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.time is None) == (self.angle is None):
            has = "neither" if self.time is None else "both"
            raise ValueError(f"must have either `time` or `angle`, but has {has}")
        other = next((k for k in ("coupling", "refocus") if getattr(self, k) is not None), None)
        if self.time is not None and other:
            raise ValueError(f"must not have `{other}` beside `time`; give `angle` instead")
        return self


class GradientFormat(ShortForm):
    """A field gradient along z: ``crush``, or strength and duration."""

    short_form: ClassVar[dict[str, Any]] = {
        "enum": ["crush"],
        "description": "Removes every coherence that a gradient dephases, for good, in no time.",
    }

    wanted: ClassVar[str] = "crush, or a mapping with strength and duration"

    kind: Literal["z", "crush"] = Field(
        "z", description="z can be refocused by another gradient; crush is for good."
    )
    strength: Expression | None = Field(
        None,
        description="z: 1H frequency difference between the ends of the sample, say 40 kHz.",
        examples=["40 kHz"],
    )
    duration: Expression | None = Field(None, description="Length with a unit, say 1 ms.")

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the crusher."""
        if text != "crush":
            raise ValueError(f"must be {cls.wanted}, but is {shown(text)}")
        return {"kind": text}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "crush" and self.strength is not None:
            raise ValueError(
                f"must not have `strength` {self.strength} with kind crush; leave it out"
            )
        if self.kind == "z" and (self.strength is None or self.duration is None):
            given = [k for k in ("strength", "duration") if getattr(self, k) is not None]
            has = f"only {given[0]}" if given else "neither"
            raise ValueError(f"must have strength and duration, or be crush, but has {has}")
        return self


class RepeatFormat(Entry):
    """A block of events that is played several times."""

    times: Expression = Field(
        description="How often: a whole number or an expression of one.", examples=["4", "n"]
    )
    index: Parameter | None = Field(
        None, description="Name that counts 1, 2, …, times in the expressions of the block."
    )
    sequence: list[EventFormat] = Field(description="The events of the block.")


class CallFormat(ShortForm):
    """What a block and another sequence have in common when they are played in place."""

    spins: dict[Name, Name] = Field(
        default_factory=dict, description="Role inside: role outside; the same name by default."
    )
    parameters: dict[Name, Expression] = Field(
        default_factory=dict, description="Parameter inside: expression over the names outside."
    )


class BlockCallFormat(CallFormat):
    """A block of this file, played in place."""

    short_form: ClassVar[dict[str, Any]] = {"type": "string", "description": "Name of a block."}

    wanted: ClassVar[str] = "the name of a block, or a mapping with its name"

    name: str = Field(description="Name of a block of this file.")

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the block of this name."""
        return {"name": text}


class IncludeFormat(CallFormat):
    """Another sequence, played in place."""

    short_form: ClassVar[dict[str, Any]] = {
        "type": "string",
        "description": "A shipped sequence, or a file (.yaml).",
    }

    wanted: ClassVar[str] = "a shipped sequence or a file, or a mapping with it"

    sequence: str = Field(description="A shipped sequence, or a file (.yaml).")

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the sequence of this name."""
        return {"sequence": text}


_SOME = Field(min_length=1)


def _by_spin(example: str) -> BeforeValidator:
    def check(value: object) -> object:
        if value == {}:
            raise ValueError(
                f"must name at least one spin, but is {{}}; write for example {example}"
            )
        if not isinstance(value, dict):
            raise ValueError(f"must be a mapping such as {example}, but is {shown(value)}")  # noqa: TRY004
        return value

    return BeforeValidator(check)


EVENTS = (
    "pulse", "delay", "gradient", "virtual_z", "acquire", "repeat", "block", "include",
)  # fmt: skip


class EventFormat(Entry):
    """One event: exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    pulse: Annotated[dict[str, RotationFormat], _SOME, _by_spin("{I: 90 x}")] | None = Field(
        None,
        description="Simultaneous rotations by role or nucleus: {I: 90 -y, S: 90 x}, {1H: 180 y}.",
    )
    delay: DelayFormat | None = Field(
        None, description="Free evolution: a time, say t or 5 ms, or 90 deg of J(I,S)."
    )
    gradient: GradientFormat | None = Field(
        None, description="A field gradient: crush, or {strength: 40 kHz, duration: 1 ms}."
    )
    virtual_z: Annotated[dict[str, Expression], _SOME, _by_spin("{I: 90 deg}")] | None = Field(
        None,
        description="Rotations about z by a change of frame: {I: 90 deg}; later phases and the "
        "receiver shift, nothing is played.",
    )
    acquire: Annotated[dict[str, Expression], _SOME, _by_spin("{I: x}")] | None = Field(
        None,
        description="Open the receiver: role or nucleus to receiver phase, {I: x}.  At the end it "
        "starts the FID, elsewhere it takes one point of the signal.",
    )
    repeat: RepeatFormat | None = Field(None, description="Events that are played several times.")
    block: BlockCallFormat | None = Field(
        None, description="Plays a block of this file by its name."
    )
    include: IncludeFormat | None = Field(
        None, description="Plays another sequence: a shipped name, or a file (.yaml)."
    )

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        given = self.model_fields_set
        if len(given) != 1:
            events = [key for key in EVENTS if key in given]
            which = f": {', '.join(events)}" if events else ""
            raise ValueError(
                f"must be exactly one of {', '.join(EVENTS)}, but has {len(events)}{which}"
            )
        return self
