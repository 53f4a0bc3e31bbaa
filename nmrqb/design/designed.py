"""What every designed sequence offers, whichever way it was made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from nmrqb.average import AverageHamiltonian
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence


class Designed(Protocol):
    """A sequence that was made for a sample, with what there is to say about it."""

    @property
    def sequence(self) -> Sequence:
        """The sequence."""

    @property
    def sample(self) -> Sample:
        """The sample that it was made for."""

    @property
    def average(self) -> AverageHamiltonian | None:
        """What compiling the sequence says; None where it cannot be compiled."""

    @property
    def summary(self) -> list[str]:
        """What there is to say about it, line by line."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What there is to say about it beyond what compiling says, for programs."""

    @property
    def text(self) -> str:
        """The sequence as commented YAML."""

    def named(self, name: str) -> Self:
        """Return the design under another name."""

    def save(self, path: str | Path) -> None:
        """Write the commented YAML to a file, whole or not at all."""
