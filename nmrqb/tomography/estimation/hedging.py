"""Hedged maximum likelihood: no eigenvalue is zero because it has not been seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.tomography.estimation.barrier import centred
from nmrqb.tomography.estimation.model import Fit
from nmrqb.tomography.kinds import Method


@dataclass(frozen=True)
class Hedged:
    """The state of largest likelihood times det(ρ)^β.

    Blume-Kohout, Phys. Rev. Lett. 105, 200504 (2010): the factor is what β d imagined observations
    of the maximally mixed state would add, and keeps the estimate inside the states.  For β → 0 it
    is maximum likelihood.  What the data do not show becomes as mixed as what they show allows.

    Attributes
    ----------
    strength
        β > 0.
    """

    strength: float = 0.5
    name: ClassVar[Method] = "hedged"

    def __post_init__(self) -> None:
        if not 0 < self.strength < np.inf:
            raise ArgumentError(
                f"Argument `strength` must be > 0 and finite, but is {self.strength}"
            )

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return the estimates; the gap is that of log-likelihood plus β ln det ρ."""
        return Fit(*centred(target, precision, self.strength))
