"""One pass of a bound sequence and its period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.average.control import Control, control_of
from nmrqb.dynamics import Segment, timeline_segments, total_duration, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import Timeline

MAX_SPINS = 6
"""Spins of an average Hamiltonian: each one more takes about ten times the time and the memory."""


@dataclass(frozen=True, eq=False)
class Played:
    """One pass of a bound sequence: its segments, the drift under them, and its period.

    Attributes
    ----------
    control
        What of the pass is control, and how many passes close.
    drift
        The sample's Hamiltonian in rad/s, shape (d, d).
    one_pass
        Propagator of the pass, shape (d, d).
    """

    control: Control
    drift: Complex
    one_pass: Complex

    @property
    def segments(self) -> Sequence[Segment]:
        """The pass, told into control and evolution."""
        return self.control.segments

    @property
    def cycles(self) -> int:
        """Passes of the period: those that close, or one."""
        return self.control.passes or 1

    @property
    def period(self) -> float:
        """Length of the period in s."""
        return self.cycles * float(total_duration(self.segments))

    def over_period(self, U: Complex) -> Complex:
        """Return U^cycles: (d, d) → (d, d)."""
        return np.asarray(np.linalg.matrix_power(U, self.cycles))


def play_pass(timeline: Timeline, sample: Sample) -> Played:
    """Return one pass of a timeline.

    Raises
    ------
    ArgumentError
        If it takes no time, has gradients, or the sample has too many spins.
    """
    check_size(sample)
    segments = timeline_segments(timeline, sample)
    if not float(total_duration(segments)) > 0:
        raise ArgumentError(
            f"Argument `sequence` must take time, but {timeline.name!r} has only ideal pulses"
        )
    drift = internal_hamiltonian(sample)
    control = control_of(segments, drift)
    return Played(control, drift, unitary(control.segments, drift))


def check_size(sample: Sample) -> None:
    """See that a sample is small enough for its average Hamiltonian, before anything is made.

    Raises
    ------
    ArgumentError
        If it has more than `MAX_SPINS` spins.
    """
    if len(sample.spins) > MAX_SPINS:
        raise ArgumentError(
            f"Argument `sample` must have at most {MAX_SPINS} spins for an average Hamiltonian, "
            f"but {sample.name!r} has {len(sample.spins)}"
        )
