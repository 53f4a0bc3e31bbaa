"""From a wanted Hamiltonian of n spins to a sequence: the linear program as a design."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.average import AverageHamiltonian, compile_sequence, compile_timeline
from nmrqb.design.designed import SummarisedSequence, claimed_share
from nmrqb.design.pair.hamiltonians import UnreachableError
from nmrqb.design.pair.wanted import terms_of
from nmrqb.design.toggling.certificates import Impossible
from nmrqb.design.toggling.commentary import summary_lines
from nmrqb.design.toggling.frames import FrameSet, channel_groups, frame_set
from nmrqb.design.toggling.order import Visit, ordered
from nmrqb.design.toggling.program import FramePlan, plan_frames
from nmrqb.design.toggling.request import wanted_terms
from nmrqb.design.toggling.terms import PairTerms, sample_terms
from nmrqb.design.toggling.writing import frame_sequence
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, pauli, pauli_coefficients
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence, expand

MAX_SPINS = 6
MAX_CYCLES = 1000
_TOLERANCE = 1e-9  # of the bound: rounding of a target on the edge of the reach
_WISHED = 0.01  # of the target: what cycles are made short for where nobody says how many
_MOST_CHOSEN = 64
_COARSEST = 0.25  # of the target: cycles that miss more make something else
_CLAIMED = 1e-7  # of the target: cycles that miss less need no tolerance of their own

REFERENCE = "Linear program over toggling frames of 90° and 180° pulses, shortest cycle"
NOTES = """\
Made for this sample: times are numbers, and hold for its couplings and offsets alone. A cycle is
right at zeroth order; shorter cycles are better. Pulses are counted as instantaneous.
"""


class ImpossibleError(ArgumentError):
    """No cycle of toggling frames has the wanted average, with a proof.

    Attributes
    ----------
    certificate
        The proof, see `Impossible`.
    """

    def __init__(self, certificate: Impossible) -> None:
        super().__init__(
            "Argument `hamiltonian` must be an average of toggling frames, but that is "
            f"impossible: {certificate.message}"
        )
        self.certificate = certificate


@dataclass(frozen=True, eq=False)
class FrameDesign(SummarisedSequence):
    """A cycle of toggling frames as a designed sequence.

    Attributes
    ----------
    sequence, sample
        The sequence, and the sample that it was made for.
    plan
        Frames and times, with the proof that no cycle of frames is shorter.
    visits
        One cycle, in the order of time.
    time_s
        T of exp(−i2πHT).
    cycles
        How often the cycle is played.
    error_hz
        2-norm of what the exact average differs from the target, on Pauli strings in Hz.
    remarks
        What to know about it, one sentence each.
    """

    sample: Sample
    plan: FramePlan
    visits: tuple[Visit, ...]
    time_s: float
    cycles: int
    error_hz: float
    remarks: tuple[str, ...] = ()

    @property
    def bound_s(self) -> float:
        """Least free evolution in s of any cycle of frames of these controls."""
        return self.time_s * self.plan.bound

    @property
    def free_evolution_s(self) -> float:
        """Sum of the delays in s."""
        return self.time_s * self.plan.total

    @property
    def largest_scale(self) -> float:
        """What the target may be multiplied by until the cycle lasts as long as T."""
        return self.plan.largest_scale

    @property
    def pulses(self) -> int:
        """Number of rotations of all cycles, each group of spins counting for itself."""
        return self.cycles * sum(len(word) for visit in self.visits for word in visit.pulses)

    @cached_property
    def average(self) -> AverageHamiltonian:
        """What compiling the sequence says."""
        return compile_sequence(self.sequence, self.sample)

    @property
    def summary(self) -> list[str]:
        """What there is to say about it, line by line."""
        return summary_lines(self)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What there is to say about it beyond what compiling says, for programs."""
        target = self.plan.target
        found = zip(target.strings, target.vector.tolist(), strict=True)
        return {
            "bound_s": self.bound_s,
            "largest_scale": self.largest_scale,
            "wanted_pauli_hz": {name: value for name, value in found if value},
            "time_s": self.time_s,
            "cycles": self.cycles,
            "frames_visited": len(self.plan.weights),
            "fewest_frames": not self.plan.unproven,
            "pulses_played": self.pulses,
            "error_hz": self.error_hz,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True)
class _Request:
    """What is asked for, in numbers."""

    sample: Sample
    target: PairTerms
    frames: FrameSet
    time: float
    refocus: bool
    sample_name: str | None

    @property
    def size(self) -> float:
        """2-norm in Hz of the target, or of the drift where all of it is to go."""
        return float(np.linalg.norm(self.target.vector) or np.linalg.norm(self.frames.drift.vector))


@checked
def design_frames(
    sample: Sample,
    hamiltonian: Mapping[str, float],
    *,
    control: str = "channels",
    refocus: bool = False,
    time: float | None = None,
    cycles: int | None = None,
    sample_name: str | None = None,
) -> FrameDesign:
    """Return the shortest cycle of 90° and 180° pulses whose average is a Hamiltonian of n spins.

    All couplings and offsets that are not wanted average to zero.  The free evolution is least
    among all cycles of toggling frames of these pulses, the pulses then as few as were found; the
    cycle is its own mirror image, so that odd orders vanish.

    Parameters
    ----------
    sample
        Two to six spins, with any secular couplings.
    hamiltonian
        Terms to values in Hz: Pauli strings, ``XYI``, or terms of two spins, ``DM_z(1,2)`` or by
        label; zeros ask for nothing but the average 0.
    control
        ``channels``, spins of a nucleus are pulsed alike; ``collective``, all are; ``selective``,
        each by itself.
    refocus
        Whether offsets of unknown size are to average to zero as well.
    time
        T of exp(−i2πHT) in s; by default 1/(4‖H‖), ‖H‖ the largest frequency of the target.
    cycles
        In how many equal cycles; by default as many (1, 2, 4, … 64) as bring the exact average to
        1 % of the target.
    sample_name
        What the file calls the sample; its name by default.

    Raises
    ------
    ImpossibleError
        If no cycle of frames has this average, at any scale; with the proof.
    UnreachableError
        If it takes more free evolution than T.
    ArgumentError
        If an argument has no meaning, or the cycles are too long to make the target at all.
    """
    request = _request(sample, hamiltonian, control, time, sample_name, refocus=refocus)
    if cycles is not None and not 1 <= cycles <= MAX_CYCLES:
        raise ArgumentError(f"Argument `cycles` must be from 1 to {MAX_CYCLES}, but is {cycles}")
    plan = _plan(request)
    visits = ordered(plan)
    chosen, error = _chosen(request, visits, cycles)
    sequence = _sequence(request, visits, chosen, error)
    remarks = tuple(_remarks(request, chosen, error, given=cycles is not None))
    return FrameDesign(sequence, sample, plan, visits, request.time, chosen, error, remarks)


def _request(
    sample: Sample,
    hamiltonian: Mapping[str, float],
    control: str,
    time: float | None,
    sample_name: str | None,
    *,
    refocus: bool,
) -> _Request:
    if not 2 <= len(sample.spins) <= MAX_SPINS:
        raise ArgumentError(
            f"Argument `sample` must have 2 to {MAX_SPINS} spins, but {sample.name!r} has "
            f"{len(sample.spins)}"
        )
    if sample.raster_s is not None:
        raise ArgumentError(
            f"Argument `sample` must leave times free, but {sample.name!r} has a raster of "
            f"{sample.raster_s:g} s; design without it and round what was designed"
        )
    target = wanted_terms(sample, hamiltonian)
    drift = sample_terms(sample)
    frames = frame_set(drift, channel_groups(sample, control), refocused=refocus)
    T = _default_time(sample, target, drift) if time is None else float(time)
    if not (math.isfinite(T) and T > 0):
        raise ArgumentError(f"Argument `time` must be a positive time in s, but is {time}")
    return _Request(sample, target, frames, T, refocus, sample_name)


def _default_time(sample: Sample, target: PairTerms, drift: PairTerms) -> float:
    """Return 1/(4‖H‖) of the target, or of the drift where nothing is wanted of it."""
    wanted = target if np.any(target.vector) else drift
    size = float(np.linalg.norm(matrix_of(wanted), 2))
    if not size:
        raise ArgumentError(
            f"Argument `sample` must have couplings or offsets, but {sample.name!r} has none"
        )
    return 1 / (4 * size)


def matrix_of(terms: PairTerms) -> Complex:
    """Return H/2π in Hz, shape (2ⁿ, 2ⁿ)."""
    total = np.zeros((2**terms.spins, 2**terms.spins), dtype=complex)
    for name, value in zip(terms.strings, terms.vector.tolist(), strict=True):
        if value:
            total += value * pauli(name)
    return total


def _plan(request: _Request) -> FramePlan:
    plan = plan_frames(request.frames, request.target)
    if isinstance(plan, Impossible):
        raise ImpossibleError(plan)
    if plan.bound > 1 + _TOLERANCE:
        raise UnreachableError(
            f"Argument `hamiltonian` must be an average of toggling frames in real time, but takes "
            f"{plan.bound:.10g} times T of free evolution; the largest reachable scale is "
            f"{plan.largest_scale:.10g}",
            plan.largest_scale,
        )
    return plan


# ------------------------------------------------------------------------------------------ cycles
def _chosen(request: _Request, visits: tuple[Visit, ...], wished: int | None) -> tuple[int, float]:
    """Return the number of cycles, and the error that they leave in Hz."""
    count = wished or 1
    error = _error(request, visits, count)
    while wished is None and error > _WISHED * request.size and count < _MOST_CHOSEN:
        count *= 2
        error = _error(request, visits, count)
    if error > _COARSEST * request.size:
        hint = "take more cycles" if wished else "give a larger number of cycles, or a shorter time"
        raise ArgumentError(
            f"Argument `cycles` must make the cycles short enough for an average, but with {count} "
            f"the exact Hamiltonian is off by {100 * error / request.size:.3g} %; {hint}"
        )
    return count, error


def _error(request: _Request, visits: tuple[Visit, ...], count: int) -> float:
    """Return the 2-norm of the difference of one cycle's exact average from the target, in Hz."""
    share, sample = request.time / count, request.sample
    one = frame_sequence(visits, request.frames.groups, sample, time_s=share)
    average = compile_timeline(expand(one, sample), sample, analyse=False)
    made = average.effective_hz * (average.duration_s / share)
    return float(np.linalg.norm(pauli_coefficients(made - matrix_of(request.target))))


# ------------------------------------------------------------------------------------ the sequence
def _sequence(request: _Request, visits: tuple[Visit, ...], cycles: int, error: float) -> Sequence:
    sample = request.sample
    plain = frame_sequence(
        visits, request.frames.groups, sample, time_s=request.time, cycles=cycles, name="design"
    )
    claimed = replace(
        plain,
        title=f"{request_text(request.target)} by design, on {sample.name}",
        notes=NOTES,
        reference=REFERENCE,
        sample=request.sample_name or sample.name,
    )
    return _with_target(request, claimed, error) if len(sample.spins) == 2 else claimed


def _with_target(request: _Request, sequence: Sequence, error: float) -> Sequence:
    """Return the sequence of two spins with its claim, and what the cycles miss as tolerance."""
    matrix = matrix_of(request.target)
    terms = terms_of(matrix) if np.any(matrix) else {"isotropic": 0.0}
    share = error / request.size
    return replace(
        sequence,
        target=MappingProxyType({name: f"{value!r} Hz" for name, value in terms.items()}),
        target_time=f"{request.time!r} s",
        target_tolerance=None if share < _CLAIMED else claimed_share(share),
    )


def request_text(target: PairTerms) -> str:
    """Return what is wanted as text, ``20 XYI, -20 YXI Hz``."""
    found = zip(target.strings, target.vector.tolist(), strict=True)
    shown = [f"{value:.6g} {name}" for name, value in found if value]
    return f"{', '.join(shown[:6])}{', …' if len(shown) > 6 else ''} Hz" if shown else "nothing"


def _remarks(request: _Request, cycles: int, error: float, *, given: bool) -> Iterator[str]:
    share = error / request.size
    yield (
        f"{cycles} symmetric cycle{'s' if cycles > 1 else ''}: odd orders vanish, and the error "
        f"of the even ones, {100 * share:.2g} % of the target, falls with 1/cycles²"
    )
    if share > _WISHED and not given:
        yield "more cycles than these are asked for with --cycles"
    if request.refocus:
        yield "offsets of unknown size average to zero as well"
    if len(request.sample.spins) > 2:
        yield (
            "a file claims targets of two spins only: this one claims none, and compiling it shows "
            "what it makes"
        )
