"""What design yields: a sequence with the proof of what it makes and how fast that could be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from nmrqb.average import AverageHamiltonian, compile_sequence
from nmrqb.design.designed import SummarisedSequence
from nmrqb.design.pair.commentary import summary_lines
from nmrqb.design.pair.events import ROLES, events_of
from nmrqb.design.pair.plan import OPTIMISE, Optimise, Version
from nmrqb.design.pair.steps import Crush, Step
from nmrqb.errors import ArgumentError, nearest
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence

NOTES = """\
Made for this sample: times and angles are numbers, and hold for its coupling alone. Pulses are
counted as instantaneous; finite ones cost what the head of the file and `nmrqb compile` say.
"""


@dataclass(frozen=True, eq=False)
class Design(SummarisedSequence):
    """A designed sequence.

    Attributes
    ----------
    sequence
        The sequence; with a target, `nmrqb compile` confirms it.
    sample
        The sample that it was made for.
    bound_s
        Least free evolution in s that any sequence of local pulses needs, or None where none is
        known: T‖C‖_*/(|J|/4) of a generator, (c₁ + c₂ + |c₃|)/(2π|J|/4) of a unitary.
    largest_scale
        What the wanted couplings may be multiplied by until ‖C‖_* = |J|/4; for a state the
        largest deviation, in units of 4ρ − 1, that unitaries and gradients reach; infinite
        without couplings.
    optimise
        Which of the versions this is.
    remarks
        What to know about it, one sentence each.
    make
        Returns the version that is best in one respect.
    scale
        For a state: the deviation that is made, in units of 4ρ − 1.
    exact
        Whether the unitary for one time was asked for, which ``largest_scale`` does not limit.
    """

    sample: Sample
    bound_s: float | None
    largest_scale: float
    optimise: Optimise
    make: Callable[[Optimise], Version] = field(repr=False)
    remarks: tuple[str, ...] = ()
    scale: float | None = None
    exact: bool = False

    @cached_property
    def versions(self) -> Mapping[str, Version]:
        """All versions of the sequence by what is best in them."""
        return MappingProxyType({name: self.make(name) for name in OPTIMISE})

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is played."""
        return self.make(self.optimise).steps

    @cached_property
    def free_evolution_s(self) -> float:
        """Sum of the delays in s."""
        return self.make(self.optimise).free_evolution_s

    @cached_property
    def average(self) -> AverageHamiltonian | None:
        """What compiling the sequence says; None where it takes no time or has gradients."""
        if not self.free_evolution_s or any(isinstance(step, Crush) for step in self.steps):
            return None
        return compile_sequence(self.sequence, self.sample)

    @property
    def summary(self) -> list[str]:
        """What there is to say about it, line by line."""
        return summary_lines(self)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What there is to say about it beyond what compiling says, for programs."""
        return {
            "bound_s": self.bound_s,
            "free_evolution_s": self.free_evolution_s,
            "largest_scale": self.largest_scale,
            "optimise": self.optimise,
            "versions": [
                {
                    "optimise": name,
                    "free_evolution_s": version.free_evolution_s,
                    "pulses": version.pulses,
                    "flip_angle_loss": version.flip_angle_loss,
                }
                for name, version in self.versions.items()
            ],
            "remarks": list(self.remarks),
        }


def check_optimise(optimise: str) -> Optimise:
    """Return what is to be optimised.

    Raises
    ------
    ArgumentError
        If there is no such version.
    """
    for name in OPTIMISE:
        if name == optimise:
            return name
    raise ArgumentError(
        f"Argument `optimise` must be one of {', '.join(OPTIMISE)}, but is {optimise!r}; "
        f"{nearest(str(optimise), OPTIMISE)}"
    )


def sequence_of(
    steps: tuple[Step, ...],
    sample: Sample,
    *,
    title: str,
    notes: str,
    reference: str,
    target: Mapping[str, str] | None = None,
    target_time: str | None = None,
    sample_name: str | None = None,
) -> Sequence:
    """Return the sequence that plays steps on the two spins of a sample, in sample order."""
    return Sequence(
        name="design",
        roles=MappingProxyType(
            {role: spin.nucleus for role, spin in zip(ROLES, sample.spins, strict=True)}
        ),
        events=events_of(steps),
        title=title,
        notes=notes,
        reference=reference,
        sample=sample_name or sample.name,
        target=MappingProxyType(dict(target or {})),
        target_time=target_time,
    )
