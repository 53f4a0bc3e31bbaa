"""The nouns: what a paper prints, how ours is computed, when the two agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from nmrqb.papers.picture import Panel

Verdict = Literal["agree", "differs", "not determined"]
Source = Literal["text", "curve", "recomputed", "equation"]
Relation = Literal[">", ">=", "<", "<="]

Quantity: TypeAlias = Callable[..., float]
"""Computes one number through the public API; all its parameters are keywords with defaults."""
Drawing: TypeAlias = Callable[[], "Sequence[Panel]"]
"""Computes the panels of one figure."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Row:
    """One printed number, or one stated property of a plotted curve.

    Attributes
    ----------
    paper, item, of
        Name of the paper, the place in it (``fig 5a``, ``eq 23``, ``sec IV``) and what is meant.
    printed
        The number, or the statement where it is none.
    source
        ``text`` (printed in words or a caption), ``curve`` (stated of a plotted curve),
        ``equation``, or ``recomputed``: the paper shows the curve alone and the number is that of
        an independent recomputation.
    digits
        Ours agrees if it rounds to the printed number with so many decimals.
    within
        Ours agrees if it is no farther off than this, say the reading error of a curve.
    relation, bound
        A statement holds if ours stands in this relation to the bound.
    missing
        What the paper does not say and the number depends on; the verdict is ``not determined``.
    compute, inputs
        Name of the computing function and the values of its parameters that differ from its own.
    verdict
        The verdict on record.
    note
        Unit, assumptions, erratum.
    """

    paper: str
    item: str
    of: str
    printed: float | str
    source: Source
    compute: str
    verdict: Verdict
    inputs: Mapping[str, Any]
    digits: int | None = None
    within: float | None = None
    relation: Relation | None = None
    bound: float = 0.0
    missing: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """Return the name of the row within its paper: ``fig 5a: largest ergotropy, Δ = 1``."""
        return f"{self.item}: {self.of}"

    def judge(self, ours: float) -> Verdict:
        """Return the verdict on a number of ours."""
        if self.missing:
            return "not determined"
        return "agree" if self._holds(ours) else "differs"

    def _holds(self, ours: float) -> bool:
        if self.relation is not None:
            return _RELATIONS[self.relation](ours, self.bound)
        assert not isinstance(self.printed, str)  # the format sees to it
        allowed = self.within if self.digits is None else 0.5 * 10.0**-self.digits
        assert allowed is not None
        return abs(ours - self.printed) <= allowed * (1 + _ROUNDING)


_RELATIONS: Mapping[Relation, Callable[[float, float], bool]] = {
    ">": lambda ours, bound: ours > bound,
    ">=": lambda ours, bound: ours >= bound,
    "<": lambda ours, bound: ours < bound,
    "<=": lambda ours, bound: ours <= bound,
}


@dataclass(frozen=True)
class Paper:
    """One paper: its rows, and the functions that compute and draw.

    Attributes
    ----------
    name
        File name of the paper without its ending.
    reference
        Authors, title, year.
    rows
        In the order of the paper.
    quantities
        Name in ``compute`` to function.
    drawings
        Figure (``fig 5``) to the function that computes its panels.
    """

    name: str
    reference: str
    rows: Sequence[Row]
    quantities: Mapping[str, Quantity]
    drawings: Mapping[str, Drawing]

    def compute(self, row: Row) -> float:
        """Return our number for a row."""
        return float(self.quantities[row.compute](**row.inputs))


def named(*functions: Quantity, **derived: Quantity) -> dict[str, Quantity]:
    """Return functions by their names, as the data files call them, and quantities made of them."""
    return {function.__name__: function for function in functions} | derived
