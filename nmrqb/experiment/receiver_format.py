"""The ``noise.receiver`` entry of ``nmrqb-experiment/1``: what the receiver makes of its signal."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from nmrqb.errors import Fault, nearest
from nmrqb.experiment.model import ReceiverErrors
from nmrqb.files import Document
from nmrqb.formats import Angle, Count, Entry, Ratio, within
from nmrqb.sample import Sample

RelativeError = Annotated[
    Ratio, within("must be between -50 % and 50 %", lambda value: -0.5 <= value <= 0.5)
]
_SCALE = within("must be between 1 % and 1000", lambda value: 0.01 <= value <= 1000)


def _bits(value: int) -> int:
    if not 2 <= value <= 32:
        raise ValueError(f"must be from 2 to 32, but is {value}")
    return value


class ReceiverFormat(Entry):
    """Errors of the receiver, which the estimator does not know."""

    gain: dict[str, RelativeError] = Field(
        default_factory=dict, description="By nucleus: relative error of the gain, say 3 %."
    )
    phase: dict[str, Angle] = Field(
        default_factory=dict, description="By nucleus: error of the phase, with a unit: 5 deg."
    )
    offset: RelativeError = Field(
        0.0, description="Constant in all FIDs over the largest signal of one spin, say 1 %."
    )
    imbalance: RelativeError = Field(
        0.0, description="Relative difference of the gains of the two quadratures: makes images."
    )
    skew: Angle = Field(0.0, description="Error of the 90° between them, with a unit: 1 deg.")
    digitiser_bits: Annotated[Count, AfterValidator(_bits)] | None = Field(
        None, description="Bits of the digitiser; by default it rounds nothing."
    )
    full_scale: Annotated[Ratio, _SCALE] = Field(
        1.0,
        description="What the digitiser can hold, over the largest signal of a pure state and five "
        "standard deviations of its noise; less clips.",
    )

    @model_validator(mode="after")
    def _together(self) -> ReceiverFormat:
        if "full_scale" in self.model_fields_set and self.digitiser_bits is None:
            raise ValueError(
                f"must have `digitiser_bits` for a full_scale of {self.full_scale:g} to act"
            )
        return self

    def errors(self) -> ReceiverErrors:
        """Return what is written as a noun."""
        return ReceiverErrors(
            gain=MappingProxyType(dict(self.gain)),
            phase_rad=MappingProxyType(dict(self.phase)),
            offset=self.offset,
            imbalance=self.imbalance,
            skew=self.skew,
            digitiser_bits=self.digitiser_bits,
            full_scale=self.full_scale,
        )


def receiver_faults(entry: ReceiverFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    """Yield nuclei that the sample does not have."""
    for key, named in (("gain", entry.gain), ("phase", entry.phase)):
        for nucleus in named:
            if nucleus not in sample.nuclei:
                at = document.key_position(("noise", "receiver", key, nucleus))
                hint = nearest(nucleus, sample.nuclei)
                yield Fault(at, f"sample `{sample.name}` has no nucleus `{nucleus}`; {hint}")
