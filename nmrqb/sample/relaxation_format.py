"""The mechanisms of relaxation as files give them: in ``nmrqb-sample/1`` and in experiments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from nmrqb.errors import ArgumentError, Fault, Position
from nmrqb.files import Document, Keys
from nmrqb.formats import (
    Angle,
    Entry,
    Frequency,
    Length,
    PositiveTime,
    Rate,
    Ratio,
    ShortForm,
    shown,
)
from nmrqb.sample.relaxation import (
    LETTERS,
    T1T2,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    Mechanism,
    Pair,
    PairCoherences,
    PauliNoise,
    ShieldingAnisotropy,
)
from nmrqb.sample.relaxation_fit import Misfit

_IN_SI = re.compile(r"`(\w+?)_(?:per_s|s|m|hz|rad)`")


def as_form(value: object) -> str:
    """Return whether a value is a ``list`` or a ``word``; the two are told apart by this alone."""
    return "list" if isinstance(value, list | tuple) else "word"


def _coefficient(value: object) -> complex:
    parts = value if isinstance(value, list) else [value]
    plain = all(isinstance(x, int | float) and not isinstance(x, bool) for x in parts)
    if not plain or len(parts) not in (1, 2) or not all(map(math.isfinite, parts)):
        raise ValueError(
            f"must be a number, or [real, imaginary] such as [0, 1], but is {shown(value)}"
        )
    return complex(*parts)


Coefficient = Annotated[
    complex,
    PlainValidator(_coefficient),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2},
            ],
            "examples": [1, [0, 1]],
        }
    ),
]


class MechanismPart(Entry):
    """What one mechanism needs; it must make sense whatever the sample is."""

    def mechanism(self) -> Mechanism:
        """Return the mechanism; ArgumentError tells what is wrong with it."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _sound(self) -> Self:
        try:
            self.mechanism()
        except ArgumentError as error:
            message = _IN_SI.sub(r"`\1`", str(error).removeprefix("Argument "))
            raise ValueError(message) from None
        return self


class T1T2Format(MechanismPart):
    """T1 and T2 of every spin; nothing to say."""

    def mechanism(self) -> Mechanism:
        """Return T1 and T2."""
        return T1T2()


class PauliRatesFormat(Entry):
    """Rates of random Pauli operators on one spin."""

    x: Rate = Field(0.0, description="γ_x of γ_x(σ_x ρ σ_x − ρ) with a unit, say 0.2 /s.")
    y: Rate = Field(0.0, description="γ_y of γ_y(σ_y ρ σ_y − ρ) with a unit, say 0.2 /s.")
    z: Rate = Field(0.0, description="γ_z of γ_z(σ_z ρ σ_z − ρ) with a unit, say 0.2 /s.")


class DephasingFormat(MechanismPart):
    """Correlated σ_z dephasing of several spins."""

    spins: list[str] = Field(description="Labels of the spins.", examples=[["1H", "13C"]])
    rates: list[Rate] = Field(
        description="γ of each in γ(σ_z ρ σ_z − ρ) with a unit: its coherence decays with 2γ.",
        examples=[["0.5 /s", "0.3 /s"]],
    )
    correlation: Annotated[
        Annotated[Ratio, Tag("word")] | Annotated[list[list[Ratio]], Tag("list")],
        Discriminator(as_form),
    ] = Field(
        0.0,
        description="Correlation of the noise of every two spins: 100 % common, -100 % opposite, "
        "0 (default) independent; or the whole matrix.",
        examples=["80 %"],
    )

    def mechanism(self) -> Mechanism:
        """Return the dephasing."""
        given = self.correlation
        correlation = tuple(map(tuple, given)) if isinstance(given, list) else given
        return Dephasing(tuple(self.spins), tuple(self.rates), correlation)


class PairCoherencesFormat(MechanismPart):
    """Decay times of the two-spin coherences of a pair; T1 and T2 of the spins stay."""

    between: list[str] = Field(description="Labels of the two spins.", examples=[["1H", "13C"]])
    T_ZQ: PositiveTime = Field(
        description="Total decay time of the zero-quantum coherence |01⟩⟨10| with a unit."
    )
    T_DQ: PositiveTime = Field(
        description="Total decay time of the double-quantum coherence |00⟩⟨11| with a unit."
    )

    def mechanism(self) -> Mechanism:
        """Return the coherences."""
        return PairCoherences(_pair(self.between), self.T_ZQ, self.T_DQ)


class ShieldingFormat(MechanismPart):
    """Axially symmetric shielding anisotropy of one spin."""

    anisotropy: Ratio = Field(
        description="Δσ = σ∥ − σ⊥ of the shielding (minus that of the shift), say 50 ppm.",
        examples=["50 ppm"],
    )
    angle: Angle = Field(
        0.0, description="Angle of its axis to the vector that joins the pair, from 0 to 180 deg."
    )

    def mechanism(self) -> Any:  # noqa: ANN401 - a part of a mechanism, checked like one
        """Return the shielding of some spin."""
        return self.of("")

    def of(self, spin: str) -> ShieldingAnisotropy:
        """Return the shielding of a spin."""
        return ShieldingAnisotropy(spin, self.anisotropy, self.angle)


class DipolarCSAFormat(MechanismPart):
    """Redfield theory of a pair that tumbles isotropically; needs the field of the sample."""

    between: list[str] = Field(description="Labels of the two spins.", examples=[["1H", "13C"]])
    correlation_time: PositiveTime = Field(
        description="τ_c of rank-2 functions with a unit, say 10 ps: C(t) = e^(−t/τ_c)."
    )
    distance: Length | None = Field(
        None, description="Distance of the two spins with a unit, say 109 pm."
    )
    dipolar: Frequency | None = Field(
        None,
        description="Dipolar constant −μ₀γγ′ħ/(8π²r³) with a unit, instead of a distance.",
        examples=["-23 kHz"],
    )
    csa: dict[str, ShieldingFormat] = Field(
        default_factory=dict,
        description="By label of a spin of the pair: its shielding anisotropy.",
        examples=[{"13C": {"anisotropy": "50 ppm", "angle": "0 deg"}}],
    )
    csa_angle: Angle | None = Field(
        None,
        description="Angle between the axes of both shieldings; by default the difference of "
        "their angles, all in one plane.",
    )

    def mechanism(self) -> Mechanism:
        """Return the mechanism."""
        return DipolarCSA(
            between=_pair(self.between),
            correlation_time_s=self.correlation_time,
            distance_m=self.distance,
            dipolar_hz=self.dipolar,
            csa=tuple(shielding.of(label) for label, shielding in self.csa.items()),
            csa_angle_rad=self.csa_angle,
        )


class LindbladFormat(MechanismPart):
    """One Lindblad operator √rate · Σ coefficient · word."""

    operator: dict[str, Coefficient] = Field(
        min_length=1,
        description=f"Words of one letter per spin ({' '.join(LETTERS)}; + is |0⟩⟨1|) to their "
        "coefficients, numbers or [real, imaginary].",
        examples=[{"XX": 1, "YY": 1}, {"+-": [0, 1]}],
    )
    rate: Rate = Field(description="γ with a unit, say 0.1 /s.")
    spins: list[str] | None = Field(
        None,
        description="Labels of the spins of the letters; by default all, in sample order.",
        examples=[["1H", "13C"]],
    )

    def mechanism(self) -> Mechanism:
        """Return the operator."""
        spins = None if self.spins is None else tuple(self.spins)
        return LindbladOperator(dict(self.operator), self.rate, spins)


MECHANISMS = ("T1T2", "pauli", "dephasing", "pair_coherences", "dipolar_csa", "lindblad")


class MechanismFormat(ShortForm):
    """One mechanism of relaxation: the word T1T2, or exactly one key with what it needs."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})
    short_form: ClassVar[dict[str, Any]] = {
        "enum": ["T1T2"],
        "description": "T1 and T2 of every spin, as the sample gives them.",
    }
    wanted: ClassVar[str] = "T1T2, or a mapping such as {pauli: {1H: {x: 0.2 /s}}}"

    T1T2: T1T2Format | None = Field(None, description="T1 and T2 of every spin: {}.")
    pauli: dict[str, PauliRatesFormat] | None = Field(
        None,
        min_length=1,
        description="By label of a spin: rates of random Pauli operators, {1H: {x: 0.2 /s}}.",
    )
    dephasing: DephasingFormat | None = Field(
        None, description="σ_z dephasing of several spins, correlated or not."
    )
    pair_coherences: PairCoherencesFormat | None = Field(
        None, description="Decay times of zero- and double-quantum coherences of two spins."
    )
    dipolar_csa: DipolarCSAFormat | None = Field(
        None, description="Dipolar and shielding relaxation of a tumbling pair, cross-correlated."
    )
    lindblad: LindbladFormat | None = Field(None, description="A Lindblad operator of one's own.")

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return T1 and T2."""
        if text != "T1T2":
            raise ValueError(f"must be {cls.wanted}, but is {shown(text)}")
        return {"T1T2": {}}

    @model_validator(mode="after")
    def _one_mechanism(self) -> Self:
        given = [key for key in MECHANISMS if getattr(self, key) is not None]
        if len(given) != 1:
            has = f"{len(given)}: {', '.join(given)}" if given else "none"
            raise ValueError(f"must be exactly one of {', '.join(MECHANISMS)}, but has {has}")
        return self

    def mechanism(self) -> Mechanism:
        """Return the mechanism."""
        if self.pauli is not None:
            return PauliNoise({label: (r.x, r.y, r.z) for label, r in self.pauli.items()})
        parts = (getattr(self, key) for key in MECHANISMS)
        part: MechanismPart = next(part for part in parts if part is not None)
        return part.mechanism()


def _pair(labels: Sequence[str]) -> Pair:
    if len(labels) != 2:
        raise ArgumentError(f"Argument `between` must name two spins, but is [{', '.join(labels)}]")
    first, second = labels
    return first, second


# --------------------------------------------------------------------------- told where it stands
def mechanisms_in(document: Document, path: Keys) -> dict[int, Mechanism]:
    """Return the sound mechanisms of a list of a document by their number; others are told."""
    entries = document.get(path)
    found = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        try:
            found[number] = MechanismFormat.model_validate(entry).mechanism()
        except ValidationError:
            continue
    return found


def misfit_faults(
    document: Document, path: Keys, numbers: Sequence[int], found: Iterable[Misfit]
) -> Iterator[Fault]:
    """Yield misfits as faults where the label or key that they are about stands.

    Parameters
    ----------
    document, path
        Where the list of mechanisms is.
    numbers
        Number in the list of each mechanism.
    found
        What does not fit, counted as in ``numbers``.
    """
    for misfit in found:
        inside = (*path, numbers[misfit.index])
        yield Fault(_place(document, inside, misfit.word), misfit.message)


def _place(document: Document, inside: Keys, word: str) -> Position:
    """Return where a label or key stands in a mechanism, or the mechanism itself."""
    below = [place for place in document.values if place[: len(inside)] == inside]
    for place in below:
        if word and document.get(place) == word:
            return document.position(place)
    for place in below:
        if word and place[-1] == word:
            is_key = word in PairCoherencesFormat.model_fields
            return document.position(place) if is_key else document.key_position(place)
    return document.position(inside)
