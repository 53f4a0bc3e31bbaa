"""From a wanted Hamiltonian or a battery to an optimised pulse: gradient ascent as a design."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from nmrqb.arguments import checked, checked_fields, refuse_nan
from nmrqb.average import AverageHamiltonian, compile_sequence
from nmrqb.design.designed import SummarisedSequence, claimed_share
from nmrqb.design.grape.controls import sample_controls
from nmrqb.design.grape.ensemble import sample_members
from nmrqb.design.grape.goals import ErgotropyGoal, Goal, UnitaryGoal
from nmrqb.design.grape.optimise import OptimisedPulse, Progress, StopRules, optimise
from nmrqb.design.grape.propagation import Members, Problem
from nmrqb.design.grape.writing import pulse_sequence
from nmrqb.design.pair.commentary import budget_lines, seconds
from nmrqb.design.pair.wanted import terms_of
from nmrqb.design.toggling.design import matrix_of, request_text
from nmrqb.design.toggling.request import wanted_terms
from nmrqb.design.toggling.terms import PairTerms
from nmrqb.dynamics import exp_hermitian, gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence

LEAST_FIDELITY = 0.9  # of a propagator: a pulse that does worse makes something else
_MARGIN = 1e-6  # of a step: a rise time of whole steps takes no step more


@checked_fields
@dataclass(frozen=True)
class PulseLimits:
    """What an optimised pulse may be, and what it is to bear.

    Attributes
    ----------
    duration_s, steps
        Length in s, and number of equal steps.
    amplitudes_hz
        Largest nutation frequency in Hz by nucleus; a nucleus that is not named keeps that of its
        hard pulse, 1/(4·pulse_90).
    rise_s
        Least time in s from zero to full amplitude, which limits the slew rate, or None.
    b1, offset_hz
        Half widths of the relative rf amplitude and of the offsets in Hz, common to all channels.
    points
        Members along each of the two widths.
    smoothness
        Weight of the mean squared second difference of the amplitudes.
    """

    duration_s: float
    steps: int = 100
    amplitudes_hz: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    rise_s: float | None = None
    b1: float = 0.0
    offset_hz: float = 0.0
    points: int = 3
    smoothness: float = 0.0

    def __post_init__(self) -> None:
        refuse_nan(self)


@dataclass(frozen=True, eq=False)
class PulseDesign(SummarisedSequence):
    """An optimised pulse as a designed sequence.

    Attributes
    ----------
    sequence, sample
        The sequence, and the sample that it was made for.
    pulse
        What was found, with the seed.
    terms
        The wanted Hamiltonian, or that of the battery.
    time_s
        T of exp(−i2πHT); None where the goal is ergotropy.
    centre
        F of the member without errors.
    remarks
        What to know about it, one sentence each.
    """

    sample: Sample
    pulse: OptimisedPulse
    terms: PairTerms
    time_s: float | None
    centre: float
    remarks: tuple[str, ...] = ()

    @cached_property
    def average(self) -> AverageHamiltonian:
        """What compiling the sequence says."""
        return compile_sequence(self.sequence, self.sample)

    @property
    def enough(self) -> bool:
        """Whether the search ended because the pulse was good enough."""
        return self.pulse.stopped == "reached"

    @property
    def summary(self) -> list[str]:
        """What there is to say about it, line by line."""
        pulse, controls = self.pulse, self.pulse.problem.controls
        limits = ", ".join(
            f"{name} {value:.6g} Hz"
            for name, value in zip(controls.channels, controls.amplitudes_hz, strict=True)
        )
        return [
            self._goal(),
            f"pulse      {seconds(controls.duration_s)} in {controls.steps} steps, "
            f"at most {limits}",
            f"search     seed {pulse.seed}, {len(pulse.history)} iterations, {pulse.stopped}",
            *(f"note       {remark}" for remark in self.remarks),
            *(budget_lines(self.average) if self.sequence.target else []),
            "",
        ]

    def _goal(self) -> str:
        pulse = self.pulse
        spread = f"{self.centre:.8f} without errors, mean {pulse.value:.8f}, least "
        spread += f"{pulse.values.min():.8f} of {len(pulse.values)} members"
        if self.time_s is not None:
            wanted = f"{request_text(self.terms)} for {seconds(self.time_s)}"
            return f"target     {wanted}: fidelity {spread}"
        goal = pulse.problem.goal
        assert isinstance(goal, ErgotropyGoal)  # the only goal without a time
        return (
            f"target     ergotropy of the battery {request_text(self.terms)}, from its Gibbs "
            f"state: {self.centre * goal.width:.8g} Hz, all that unitaries reach is "
            f"{goal.largest * goal.width:.8g} Hz; as shares of the width: {spread}"
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """What there is to say about it beyond what compiling says, for programs."""
        pulse = self.pulse
        found = zip(self.terms.strings, self.terms.vector.tolist(), strict=True)
        return {
            "bound_s": None,
            "largest_scale": None,
            "wanted_pauli_hz": {name: value for name, value in found if value},
            "time_s": self.time_s,
            "goal": "unitary" if self.time_s is not None else "ergotropy",
            "value": self.centre,
            "mean": pulse.value,
            "least": float(pulse.values.min()),
            "largest": pulse.problem.goal.largest,
            "members": len(pulse.values),
            "iterations": len(pulse.history),
            "stopped": pulse.stopped,
            "seed": pulse.seed,
            "remarks": list(self.remarks),
        }


@checked
def design_pulse(  # noqa: PLR0913 - what is wanted, by what, and how it is looked for
    sample: Sample,
    hamiltonian: Mapping[str, float],
    limits: PulseLimits,
    *,
    seed: int,
    time: float | None = None,
    temperature: float | None = None,
    rules: StopRules | None = None,
    progress: Progress | None = None,
    sample_name: str | None = None,
) -> PulseDesign:
    """Return a shaped pulse on all channels that realises exp(−i2πHT), or charges a battery.

    Parameters
    ----------
    sample
        The spins.
    hamiltonian
        Terms to values in Hz, as for `design_frames`: H, or that of the battery.
    limits
        What the pulse may be and what it is to bear.
    seed
        Seed of the random starts.
    time
        T in s; by default 1/(4‖H‖).
    temperature
        k_B T/h in Hz: then the goal is the largest final ergotropy, from the Gibbs state of the
        battery.
    rules
        When to stop.
    progress
        Called with the number of the iteration and F.
    sample_name
        What the file calls the sample; its name by default.

    Raises
    ------
    ArgumentError
        If an argument has no meaning, or no pulse was found with a fidelity of 0.9.
    """
    terms = wanted_terms(sample, hamiltonian)
    H = matrix_of(terms)
    if not np.any(H):
        raise ArgumentError("Argument `hamiltonian` must have a term, but all are zero")
    goal, T = _goal(H, time, temperature)
    found = optimise(
        _problem(sample, limits, goal),
        seed=seed,
        rules=rules,
        smoothness=limits.smoothness,
        progress=progress,
    )
    if T is not None and found.value < LEAST_FIDELITY:
        raise ArgumentError(
            f"Argument `limits` must leave room for a pulse, but the best that was found has a "
            f"mean fidelity of {found.value:.6f} ({found.stopped}); give a longer pulse, more "
            "amplitude, steps, iterations or starts"
        )
    sequence = replace(
        pulse_sequence(found, sample, name="design"), sample=sample_name or sample.name
    )
    if T is not None and len(sample.spins) == 2:
        sequence = _claimed(sequence, H, T, (rules or StopRules()).shortfall)
    remarks = tuple(_remarks(found, limits))
    return PulseDesign(sequence, sample, found, terms, T, _centre(found, sample), remarks)


def _goal(H: Complex, time: float | None, temperature: float | None) -> tuple[Goal, float | None]:
    """Return what is to be reached, and T of a propagator."""
    if temperature is None:
        T = 1 / (4 * float(np.linalg.norm(H, 2))) if time is None else float(time)
        if not (math.isfinite(T) and T > 0):
            raise ArgumentError(f"Argument `time` must be a positive time in s, but is {time}")
        return UnitaryGoal(exp_hermitian(2 * np.pi * H * T)), T
    if time is not None:
        raise ArgumentError(
            f"Argument `time` must be left out where ergotropy is wanted, but is {time}"
        )
    return ErgotropyGoal(gibbs(H, temperature), H), None


def _problem(sample: Sample, limits: PulseLimits, goal: Goal) -> Problem:
    controls = sample_controls(
        sample,
        duration_s=limits.duration_s,
        steps=limits.steps,
        amplitudes_hz=dict(limits.amplitudes_hz),
    )
    if limits.rise_s is not None:  # of the moving average |Δu| ≤ 2 u_max/window in a step
        window = max(1, math.ceil(2 * limits.rise_s / controls.step_s - _MARGIN))
        controls = replace(controls, window=window)
    members = sample_members(
        sample, b1=limits.b1, offset_hz=limits.offset_hz, points=limits.points, apart=False
    )
    return Problem(goal, controls, members)


def _centre(pulse: OptimisedPulse, sample: Sample) -> float:
    """Return F of the member without errors."""
    one: Members = sample_members(sample)
    return float(replace(pulse.problem, members=one).value(pulse.amplitudes)[0][0])


def _claimed(sequence: Sequence, H: Complex, T: float, shortfall: float) -> Sequence:
    """Return the sequence of two spins with its claim, and the tolerance that was asked for.

    A fidelity F is that of a difference E of Hamiltonians, in Hz as the 2-norm of coefficients,
    with 1 − F ≤ (2π‖E‖T)² ≤ (1 − F)(2 − F) while 1 − F is below 0.2.
    """
    missed = math.sqrt(shortfall * (1 + shortfall)) / (2 * np.pi * T)
    share = missed / float(np.linalg.norm(H) / 2)
    return replace(
        sequence,
        target=MappingProxyType({name: f"{value!r} Hz" for name, value in terms_of(H).items()}),
        target_time=f"{T!r} s",
        target_tolerance=claimed_share(min(max(share, 1e-6), 0.98)),
    )


def _remarks(pulse: OptimisedPulse, limits: PulseLimits) -> Iterator[str]:
    bears = [f"±{100 * limits.b1:g} % of rf amplitude"] if limits.b1 else []
    bears += [f"±{limits.offset_hz:g} Hz of offset"] if limits.offset_hz else []
    if bears:
        yield f"the members spread over {' and '.join(bears)}, on all channels alike"
    if pulse.stopped != "reached":
        yield f"the search ended before it was good enough: {pulse.stopped}"
