"""The file format of printed values, ``nmrqb-paper/1``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nmrqb.formats import Entry
from nmrqb.papers.rows import Relation, Source, Verdict

_Decimals = Annotated[int, Field(ge=-3, le=12)]
_CRITERIA = ("digits", "within", "relation", "missing")


class RowFormat(Entry):
    """One printed number or stated property; see `nmrqb.papers.rows.Row`."""

    item: str = Field(description="Place in the paper: fig 5a, eq 23, sec IV.")
    of: str = Field(description="What is printed there, with its parameters.")
    printed: float | str = Field(description="The number, or the statement.")
    source: Source = Field(description="text, curve, equation, or recomputed.")
    digits: _Decimals | None = Field(None, description="Decimals to which ours must round.")
    within: float | None = Field(None, gt=0, description="Largest difference that agrees.")
    relation: Relation | None = Field(None, description="How ours must stand to `bound`.")
    bound: float = Field(0.0, description="What `relation` compares with.")
    missing: str = Field("", description="What the paper does not say: not determined.")
    compute: str = Field(description="Name of the computing function of the paper's module.")
    inputs: dict[str, float | str | list[float]] = Field(
        default_factory=dict, description="Parameters that differ from the function's own."
    )
    verdict: Verdict = Field(description="The verdict on record.")
    note: str = Field("", description="Unit, assumptions, erratum.")

    @model_validator(mode="after")
    def _one_criterion(self) -> RowFormat:
        held = [name for name in _CRITERIA if getattr(self, name) not in (None, "")]
        if len(held) != 1:
            raise ValueError(
                "must hold exactly one of digits, within, relation and missing, but holds "
                f"{', '.join(held) or 'none'}"
            )
        if isinstance(self.printed, str) and held[0] in ("digits", "within"):
            raise ValueError(
                f"must print a number for {held[0]} to compare with, but prints {self.printed!r}"
            )
        return self


class PaperFormat(Entry):
    """What one paper prints."""

    format: Literal["nmrqb-paper/1"]
    reference: str = Field(description="Authors, title, year.")
    rows: list[RowFormat] = Field(min_length=1)
