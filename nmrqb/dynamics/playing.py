"""What a timeline makes of a state: pulses, delays, gradients over the sample, and the receiver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType

import numpy as np

from nmrqb.dynamics.propagators import apply, superoperator, unitary
from nmrqb.dynamics.relaxation import collapse_operators, dissipator
from nmrqb.dynamics.segments import Segment, event_segments, frame_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger, embed, spin_operator
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio
from nmrqb.sequence import (
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    Timeline,
    expand,
)

MAX_POSITIONS = 20_000
MAX_SCANS = 10_000
_PER_TURN = 8  # positions for every turn of the phase over the sample
_SAME_ORDER = 1e-9


@dataclass(frozen=True, eq=False)
class Played:
    """What is left after a timeline, and what was seen on the way.

    Attributes
    ----------
    state
        Average over the sample at the end, shape (..., d, d), virtual z rotations included.
    signals
        For every ``acquire`` in the order of time the label of a spin to
        tr[ρ(σ_x + iσ_y)_k]e^{−iφ_k}, φ_k the receiver's phase: its FID at that instant,
        shape (...).
    """

    state: Complex
    signals: tuple[Mapping[str, Complex], ...]


def thermal_deviation(sample: Sample) -> Complex:
    """Return the deviation Σ_k (γ_k/γ(1H)) I_zk of thermal equilibrium at high temperature: (d, d).

    The full state is 1/d + (ħγ(1H)B₀/k_BT)/d times it.
    """
    n = len(sample.spins)
    weights = (relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins)
    return np.asarray(sum(w * spin_operator("z", k, n) for k, w in enumerate(weights)))


def play(timeline: Timeline, sample: Sample, rho: Complex, *, relaxation: bool = False) -> Played:
    """Play a timeline on a state.

    Pulses and delays act as exp[−i(Θ + HT)] or, with relaxation, as the exponential of the
    Liouvillian.  Gradients make the phase depend on the place in the sample, which is resolved
    in equal slices along z and averaged at every ``acquire`` and at the end; a crusher
    removes, slice by slice, every element of ρ whose gyromagnetic-weighted order
    Σ_k γ_k(m_k − m′_k) is not zero.

    Parameters
    ----------
    timeline
        The expanded sequence.
    sample
        The spins.
    rho
        State or deviation, shape (..., d, d).
    relaxation
        Whether T1 and T2 of the sample act all the time.

    Raises
    ------
    ArgumentError
        If ``rho`` is not of the size of the sample, or the gradients turn the phase more often
        over the sample than 20 000 slices can resolve.
    """
    d = 2 ** len(sample.spins)
    rho = as_matrix(rho, "rho")
    if rho.shape[-1] != d:
        raise ArgumentError(
            f"Argument `rho` must be of dimension {d} for sample {sample.name!r}, but is of "
            f"dimension {rho.shape[-1]}"
        )
    stage = _Stage(timeline, sample, relaxation=relaxation)
    slices = np.broadcast_to(rho, (stage.positions.size, *rho.shape))
    slices = reduce(stage.step, timeline.events, slices)
    frame = unitary(frame_segments(timeline, stage.n), np.zeros((d, d), dtype=complex))
    return Played(frame @ slices.mean(axis=0) @ dagger(frame), tuple(stage.signals))


def play_sequence(
    sequence: Sequence,
    sample: Sample,
    rho: Complex | None = None,
    *,
    pulses: PulseModel = "ideal",
    parameters: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
    relaxation: bool = False,
) -> Played:
    """Play all scans of a sequence, each from the same start, and return their mean.

    Parameters
    ----------
    sequence, sample
        What is played, and on what.
    rho
        State or deviation, shape (..., d, d); by default thermal equilibrium,
        `thermal_deviation`.
    pulses, parameters, roles
        As for `nmrqb.sequence.expand`.
    relaxation
        Whether T1 and T2 of the sample act all the time.

    Raises
    ------
    InputError
        If the sequence does not fit the sample.
    ArgumentError
        As for `play`, or if the phase cycle comes round only after more than 10 000 scans.
    """
    if sequence.scans > MAX_SCANS:
        raise ArgumentError(
            f"Argument `sequence` must come round within {MAX_SCANS} scans, but the lists of "
            f"{sequence.name!r} need {sequence.scans}; give them lengths that divide each other"
        )
    start = thermal_deviation(sample) if rho is None else rho
    scans = [
        play(
            expand(sequence, sample, pulses=pulses, parameters=parameters, roles=roles, scan=scan),
            sample,
            start,
            relaxation=relaxation,
        )
        for scan in range(sequence.scans)
    ]
    observed = zip(*(scan.signals for scan in scans), strict=True)
    return Played(
        np.mean([scan.state for scan in scans], axis=0),
        tuple(_mean(signals) for signals in observed),
    )


def _mean(signals: tuple[Mapping[str, Complex], ...]) -> Mapping[str, Complex]:
    return MappingProxyType(
        {label: np.mean([signal[label] for signal in signals], axis=0) for label in signals[0]}
    )


class _Stage:
    """The sample while a timeline is played: its slices, and what the receiver has seen."""

    def __init__(self, timeline: Timeline, sample: Sample, *, relaxation: bool) -> None:
        self.sample, self.n = sample, len(sample.spins)
        self.drift = internal_hamiltonian(sample)
        operators = collapse_operators(sample) if relaxation else []
        self.loss = dissipator(operators, 2**self.n) if relaxation else None
        ratios = [relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins]
        weighted = sum(g * spin_operator("z", k, self.n) for k, g in enumerate(ratios))
        self.weighted = np.asarray(weighted, dtype=complex)
        self.positions = _slices(timeline, sum(map(abs, ratios)))
        self.signals: list[Mapping[str, Complex]] = []

    def step(self, slices: Complex, event: TimedEvent) -> Complex:
        match event:
            case TimedAcquisition(phases=phases):
                self.signals.append(self._signal(slices.mean(axis=0), phases))
                return slices
            case TimedGradient():
                return self._gradient(slices, event)
            case TimedPulse() | TimedDelay():
                return self._evolved(slices, event_segments(event, self.n))

    def _evolved(self, slices: Complex, segments: list[Segment]) -> Complex:
        """Apply segments whose first batch axis, if any, is the slice."""
        batch = (1,) * (slices.ndim - 3)
        if self.loss is None:
            U = unitary(segments, self.drift)
            U = U.reshape(-1, *batch, *U.shape[-2:])
            return U @ slices @ dagger(U)
        maps = superoperator(segments, self.drift, self.loss)
        return apply(maps.reshape(-1, *batch, *maps.shape[-2:]), slices)

    def _gradient(self, slices: Complex, gradient: TimedGradient) -> Complex:
        T = np.asarray(gradient.duration)
        if gradient.strength_hz is None:
            still = [Segment(T, np.zeros_like(self.weighted), rf=False)]
            return self._evolved(slices, still) * self._kept()
        turns = gradient.strength_hz * gradient.duration * self.positions
        phases = 2 * np.pi * turns[:, None, None] * self.weighted
        return self._evolved(slices, [Segment(T, phases, rf=False)])

    def _kept(self) -> Real:
        """Return 1 where a crusher leaves an element of ρ, 0 elsewhere: (d, d)."""
        levels = np.diag(self.weighted).real
        return np.asarray(np.abs(levels[:, None] - levels) < _SAME_ORDER, dtype=float)

    def _signal(self, rho: Complex, phases: Mapping[int, float]) -> Mapping[str, Complex]:
        lowered = 2 * (spin_operator("x", 0, 1) + 1j * spin_operator("y", 0, 1))
        seen = {
            self.sample.labels[k]: np.einsum("...ij,ji->...", rho, embed(lowered, k, self.n))
            * np.exp(-1j * phase)
            for k, phase in phases.items()
        }
        return MappingProxyType({label: np.asarray(value) for label, value in seen.items()})


def _slices(timeline: Timeline, largest_order: float) -> Real:
    """Return the places of the slices along z, in units of the sample's length: (slices,)."""
    strengths = (
        abs(event.strength_hz) * event.duration
        for event in timeline.events
        if isinstance(event, TimedGradient) and event.strength_hz is not None
    )
    turns = largest_order * sum(strengths)
    count = 1 if turns == 0 else math.ceil(_PER_TURN * turns) + _PER_TURN
    if count > MAX_POSITIONS:
        raise ArgumentError(
            f"Argument `timeline` must have weaker gradients, but those of {timeline.name!r} turn "
            f"the phase {turns:.0f} times over the sample; write `crush` for one that is for good"
        )
    return np.asarray((np.arange(count) + 0.5) / count - 0.5)
