"""What every designed sequence offers, whichever way it was made."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

from nmrqb.average import AverageHamiltonian, compile_timeline
from nmrqb.errors import ArgumentError
from nmrqb.files import write_text_atomically
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence, expand, sequence_text

_ROUNDING = 1e-6  # of a share: what is rounded up again is not taken for less


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
    def enough(self) -> bool:
        """Whether what was looked for was found as good as was asked."""

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


_MARK = "designed by nmrqb"  # ends the head of every file that a design is written to


@dataclass(frozen=True, eq=False)
class SummarisedSequence:
    """A designed sequence whose file begins with its summary.

    Attributes
    ----------
    sequence
        The sequence.
    """

    sequence: Sequence

    @property
    def enough(self) -> bool:
        """Whether what was looked for was found as good as was asked: always, where it is exact."""
        return True

    @property
    @abstractmethod
    def summary(self) -> list[str]:
        """What there is to say about it, line by line."""

    @property
    def text(self) -> str:
        """The sequence as commented YAML."""
        return self.text_in(".")

    def text_in(self, folder: str | Path) -> str:
        """Return the commented YAML as it stands in a folder."""
        head = "".join(f"# {line}".rstrip() + "\n" for line in [*self.summary, _MARK])
        return head + sequence_text(self.sequence, folder=folder)

    def named(self, name: str) -> Self:
        """Return the design under another name."""
        return replace(self, sequence=replace(self.sequence, name=name))

    def save(self, path: str | Path) -> None:
        """Write the commented YAML to a file, whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        write_text_atomically(path, self.text_in(Path(path).parent))


def is_design(path: str | Path) -> bool:
    """Tell whether a file is a design that was written: its commented head says so."""
    head, found, _ = Path(path).read_bytes().partition(b"\nformat: nmrqb-sequence/1\n")
    lines = head.splitlines()
    whole = bool(found) and all(line.startswith(b"#") for line in lines)
    return whole and lines[-1] == f"# {_MARK}".encode()


def missed_hz(sequence: Sequence, sample: Sample) -> float:
    """Return by how much the exact average of a sequence misses its target, in Hz.

    Raises
    ------
    ArgumentError
        If the sequence has no target.
    """
    check = compile_timeline(expand(sequence, sample), sample, analyse=False).target
    if check is None:
        raise ArgumentError(f"Argument `sequence` must have a target, but {sequence.name} has none")
    return check.error_hz


def is_met(design: Designed) -> bool:
    """Return whether a design is as good as was asked, and meets the target that it claims."""
    target = None if design.average is None else design.average.target
    return design.enough and (target is None or target.met)


def claimed_share(share: float) -> str:
    """Return a share > 0 rounded up to two digits: ``0.0013``, the tolerance of a target."""
    digits = 1 - math.floor(math.log10(share))
    return f"{math.ceil(share * 10**digits * (1 + _ROUNDING)) / 10**digits:.{digits}f}"
