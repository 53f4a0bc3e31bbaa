"""The ``noise`` entry of ``nmrqb-experiment/1``: relaxation, spreads, errors of pulses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from nmrqb.experiment.receiver_format import ReceiverFormat, RelativeError
from nmrqb.formats import Angle, Entry, Quantity, Ratio, Time, scalar_text, shown, within
from nmrqb.sample.relaxation_format import MechanismFormat, as_form
from nmrqb.units import UnitError

_SPREAD_WORDS = "must be between 0 % and 20 %"


def _is_spread(value: float) -> bool:
    return 0 <= value <= 0.2


def checked_spread(value: float) -> float:
    """Return the width of a spread of the rf amplitude, as a share of it.

    Raises
    ------
    ValueError
        If it is negative or above 20 %.
    """
    if not _is_spread(value):
        raise ValueError(f"{_SPREAD_WORDS}, but is {value:g}")
    return value


_SPREAD = within(_SPREAD_WORDS, _is_spread)
_NOT_NEGATIVE = within("must not be negative", lambda value: value >= 0)


def _field_spread(value: object) -> tuple[str, float]:
    """Return ``frequency`` or ``time`` and the number in SI units."""
    text = scalar_text(value)
    for dimension in ("frequency", "time"):
        try:
            number = Quantity(dimension).parse(value)
        except UnitError:
            continue
        if number < 0 or (number == 0 and dimension == "time"):
            raise ValueError(f"must be positive, but is `{text}`")
        return dimension, number
    wanted = "must be a spread in Hz of 1H such as '2 Hz' or a T2* such as '50 ms'"
    raise ValueError(f"{wanted}, but is {shown(value)}")


FieldSpread = Annotated[
    tuple[str, float],
    BeforeValidator(_field_spread),
    WithJsonSchema({"type": "string", "examples": ["2 Hz", "50 ms"]}),
]


class TransientFormat(Entry):
    """Rotations about the axis 90° ahead of a pulse's, at its two ends."""

    leading: Angle = Field(0.0, description="Before every pulse, with a unit: 1 deg.")
    trailing: Angle = Field(
        0.0, description="After every pulse; minus `leading` where transients are antisymmetric."
    )


class QuadratureFormat(Entry):
    """Errors of the quadrature modulator."""

    imbalance: RelativeError = Field(
        0.0, description="Relative difference of the amplitudes along x and y, say 1 %."
    )
    skew: Angle = Field(0.0, description="Error of the 90° between x and y, with a unit: 1 deg.")


class PulseErrorsFormat(Entry):
    """Systematic errors of all pulses, charging and readout alike; the estimator knows them."""

    amplitude: RelativeError = Field(
        0.0, description="Relative error of the rf amplitude, say 1 % or -1 %."
    )
    phase: Angle = Field(0.0, description="Error of the phase against the receiver: 1 deg.")
    quadrature: QuadratureFormat = Field(
        default_factory=QuadratureFormat, description="Errors of the quadrature modulator."
    )
    transient: TransientFormat = Field(
        default_factory=TransientFormat,
        description="Phase transients at the ends of every pulse; need `pulses: finite`.",
    )
    rise_time: Annotated[Time, _NOT_NEGATIVE] = Field(
        0.0, description="Time constant of the probe's resonator, 1 us; needs `pulses: finite`."
    )
    ring_down: Literal["lengthen", "cut"] = Field(
        "lengthen",
        description="lengthen: pulses last until they have rung down; cut: they end on time.",
    )

    @property
    def need_length(self) -> str:
        """Name what needs pulses that last, or say nothing."""
        if self.rise_time:
            return "rise_time"
        return "transient" if self.transient.leading or self.transient.trailing else ""


class NoiseFormat(Entry):
    """What is not ideal; radiation damping is left out."""

    relaxation: Annotated[
        Annotated[Literal["sample", "T1T2", "none"], Tag("word")]
        | Annotated[list[MechanismFormat], Tag("list")],
        Discriminator(as_form),
    ] = Field(
        "sample",
        description="What acts, during pulses too. sample: T1 and T2 of every spin and what the "
        "sample lists; T1T2: T1 and T2 alone; none; or a list of mechanisms, and nothing else.",
        examples=["sample", ["T1T2", {"pauli": {"1H": {"x": "0.2 /s"}}}]],
    )
    pulses: Literal["ideal", "finite"] = Field(
        "ideal", description="ideal: instantaneous; finite: as long as the sample's 90° times."
    )
    b1_inhomogeneity: Annotated[Ratio, _SPREAD] = Field(
        0.0, description="Relative standard deviation of the rf amplitude, say 5 %."
    )
    b1_distribution: str = Field(
        "gaussian",
        description="How the rf amplitude is distributed: gaussian; uniform, of the same standard "
        "deviation; or a file of two columns, relative amplitude and weight, in its place.",
        examples=["gaussian", "uniform", "./b1_profile.csv"],
    )
    b0_inhomogeneity: FieldSpread | None = Field(
        None,
        description="Spread of the static field: in Hz of 1H, the standard deviation (gaussian) "
        "or the half width at half height (lorentzian); or T2* of the first spin as a time.",
    )
    b0_distribution: Literal["gaussian", "lorentzian"] | None = Field(
        None, description="By default gaussian for a spread in Hz, lorentzian for a T2*."
    )
    J_spread: Annotated[Ratio, _SPREAD] = Field(
        0.0, description="Relative standard deviation of all scalar couplings together, say 1 %."
    )
    pulse_errors: PulseErrorsFormat = Field(
        default_factory=PulseErrorsFormat,
        description="Systematic errors of all pulses.",
        examples=[{"amplitude": "1 %", "phase": "1 deg", "transient": {"leading": "2 deg"}}],
    )
    receiver: ReceiverFormat = Field(
        default_factory=ReceiverFormat,
        description="Errors of the receiver, which the estimator does not know.",
        examples=[{"gain": {"13C": "3 %"}, "digitiser_bits": 12}],
    )

    @property
    def b1_profile(self) -> str | None:
        """File of the rf profile, or None."""
        return None if self.b1_distribution in ("gaussian", "uniform") else self.b1_distribution

    @model_validator(mode="after")
    def _b1_together(self) -> NoiseFormat:
        if self.b1_profile is not None and self.b1_inhomogeneity:
            raise ValueError(
                "must not have `b1_inhomogeneity` beside a measured b1_distribution, "
                f"{self.b1_profile}"
            )
        given = "b1_distribution" in self.model_fields_set
        if given and not self.b1_profile and not self.b1_inhomogeneity:
            raise ValueError(
                "must not have `b1_distribution` without b1_inhomogeneity, but has "
                f"{self.b1_distribution}"
            )
        return self

    @model_validator(mode="after")
    def _b0_together(self) -> NoiseFormat:
        if self.b0_distribution is not None and self.b0_inhomogeneity is None:
            raise ValueError(
                "must not have `b0_distribution` without b0_inhomogeneity, but has "
                f"{self.b0_distribution}"
            )
        dimension, spread = self.b0_inhomogeneity or ("frequency", 0.0)
        if dimension == "time" and self.b0_distribution == "gaussian":
            raise ValueError(
                f"must not have `b0_distribution` gaussian beside a T2* of {spread:g} s, whose "
                "decay is that of a lorentzian; give the standard deviation in Hz"
            )
        return self

    @model_validator(mode="after")
    def _pulses_last(self) -> NoiseFormat:
        if self.pulse_errors.need_length and self.pulses == "ideal":
            name = self.pulse_errors.need_length
            raise ValueError(f"must have `pulses` finite for the {name} of pulse_errors to act")
        return self
