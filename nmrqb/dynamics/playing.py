"""What a timeline makes of a state: pulses, delays, gradients over the sample, and the receiver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Literal

import numpy as np

from nmrqb.arguments import checked
from nmrqb.dynamics.evolution import Evolver, evolver
from nmrqb.dynamics.inhomogeneity.ensembles import Ensemble, amplified, shared_drift, uniform_sample
from nmrqb.dynamics.methods import Method
from nmrqb.dynamics.relaxing.relaxation import Relaxation, dissipation_of
from nmrqb.dynamics.segments import Segment, event_segments, frame_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, embed, spin_operator, spin_projections
from nmrqb.sample import PulseModel, Sample
from nmrqb.sample.hamiltonian import sparse_hamiltonian
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio
from nmrqb.sequence import (
    Errors,
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    Timeline,
    Values,
    expand,
    with_errors,
)
from nmrqb.sparse_operators import DENSE_SPINS, Sparse

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
        tr[ρ(σ_x + iσ_y)_k]e^{−iφ_k} = 2 tr[ρ(I_x + iI_y)_k]e^{−iφ_k}, φ_k the receiver's phase:
        its FID at that instant, shape (...).  It has no unit (or that of a deviation) and holds
        Paulis, σ = 2I, as every signal here: twice what tr(ρI₊) gives.  It is 1 for a spin in the
        state (1 + σ_x)/2, and d/2 for the deviation I_x of one spin.
    error
        Estimate of the Frobenius norm of the error of the final state, see
        `nmrqb.dynamics.evolution.Evolution`; that of an ensemble's quadrature is not in it.
    method
        How it was computed, one of `nmrqb.dynamics.methods.METHODS`.
    """

    state: Complex
    signals: tuple[Mapping[str, Complex], ...]
    error: float
    method: Method


@checked
def thermal_deviation(sample: Sample) -> Complex:
    """Return the deviation Σ_k (γ_k/γ(1H)) I_zk of thermal equilibrium at high temperature: (d, d).

    The full state is 1/d + (ħγ(1H)B₀/k_BT)/d times it.
    """
    n = len(sample.spins)
    weights = (relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins)
    return np.asarray(sum(w * spin_operator("z", k, n) for k, w in enumerate(weights)))


@checked
def play(
    timeline: Timeline,
    sample: Sample,
    rho: Complex,
    *,
    relaxation: Relaxation = False,
    ensemble: Ensemble | None = None,
    method: Method | Literal["auto"] = "auto",
    tolerance: float = 1e-9,
) -> Played:
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
        State or deviation, shape (..., d, d), as an array or ``qutip.Qobj``.
    relaxation
        True for all that the sample declares, False for none, or mechanisms or a
        `nmrqb.dynamics.relaxing.dissipation.Dissipation`; it acts all the time, during pulses too.
    ensemble
        Members that see different fields; every slice of a gradient has them all.
    method
        ``auto`` or one of `nmrqb.dynamics.methods.METHODS`.
    tolerance
        Largest error of the final state in the Frobenius norm, where the method can choose it.

    Raises
    ------
    ArgumentError
        If ``rho`` is not Hermitian or not of the size of the sample, the method does not suit it,
        or the gradients turn the phase more often over the sample than 20 000 slices and members
        can resolve.
    """
    d = 2 ** len(sample.spins)
    rho = as_hermitian(rho, "rho")
    if rho.shape[-1] != d:
        raise ArgumentError(
            f"Argument `rho` must be of dimension {d} for sample {sample.name!r}, but is of "
            f"dimension {rho.shape[-1]}"
        )
    places = _places(timeline, sample, ensemble or uniform_sample())
    way = evolver(
        _drift(sample, places.members),
        dissipation_of(sample, relaxation),
        method=method,
        tolerance=tolerance,
        segments=_stretches(timeline),
    )
    stage = _Stage(places, sample, way)
    if np.any(places.members.b1 != 1):
        timeline = amplified(timeline, sample, places.members)
    start = np.broadcast_to(rho, (places.members.size, *rho.shape))
    states = reduce(stage.step, timeline.events, start if places.many else rho)
    final = stage.mean(way.advance(states, frame_segments(timeline, stage.n)))
    return Played(final, tuple(stage.signals), way.error, way.method)


@checked
def play_sequence(  # noqa: PLR0913 - all keywords, and each one stands alone
    sequence: Sequence,
    sample: Sample,
    rho: Complex | None = None,
    *,
    pulses: PulseModel = "ideal",
    parameters: Mapping[str, Values] | None = None,
    roles: Mapping[str, str] | None = None,
    relaxation: Relaxation = False,
    ensemble: Ensemble | None = None,
    errors: Errors | None = None,
    method: Method | Literal["auto"] = "auto",
    tolerance: float = 1e-9,
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
    errors
        What is wrong with the pulses of all channels, or by nucleus; None is nothing.
    relaxation, ensemble, method, tolerance
        As for `play`.

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

    def played(scan: int) -> Played:
        timeline = expand(
            sequence, sample, pulses=pulses, parameters=parameters, roles=roles, scan=scan
        )
        return play(
            timeline if errors is None else with_errors(timeline, errors, sample),
            sample,
            start,
            relaxation=relaxation,
            ensemble=ensemble,
            method=method,
            tolerance=tolerance,
        )

    scans = [played(scan) for scan in range(sequence.scans)]
    observed = zip(*(scan.signals for scan in scans), strict=True)
    return Played(
        np.mean([scan.state for scan in scans], axis=0),
        tuple(_mean(signals) for signals in observed),
        max(scan.error for scan in scans),
        scans[0].method,
    )


def _mean(signals: tuple[Mapping[str, Complex], ...]) -> Mapping[str, Complex]:
    return MappingProxyType(
        {label: np.mean([signal[label] for signal in signals], axis=0) for label in signals[0]}
    )


@dataclass(frozen=True, eq=False)
class _Places:
    """Every slice with every member, as one ensemble, and where the slices are along z."""

    members: Ensemble
    positions: Real

    @property
    def many(self) -> bool:
        return self.members.size > 1


def _places(timeline: Timeline, sample: Sample, ensemble: Ensemble) -> _Places:
    ratios = (relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins)
    z = _slices(timeline, sum(map(abs, ratios)), ensemble.size)
    member = np.repeat(np.arange(ensemble.size), z.size)
    members = replace(
        ensemble,
        b1=ensemble.b1[member],
        field_hz=ensemble.field_hz[member],
        coupling=ensemble.coupling[member],
        weights=ensemble.weights[member] / z.size,
    )
    return _Places(members, np.tile(z, ensemble.size))


def _stretches(timeline: Timeline) -> int:
    """Return how many stretches of constant fields a timeline has at most."""
    pulses = (event for event in timeline.events if isinstance(event, TimedPulse))
    steps = sum(np.shape(r.steps)[-1] + 2 for pulse in pulses for r in pulse.rotations)
    return int(steps) + len(timeline.events) + 1


def _drift(sample: Sample, members: Ensemble) -> Complex | Sparse:
    if len(sample.spins) <= DENSE_SPINS:
        return shared_drift(sample, members)
    if members.size > 1:
        raise ArgumentError(
            f"Argument `sample` must have at most {DENSE_SPINS} spins for gradients and ensembles, "
            f"but {sample.name!r} has {len(sample.spins)}"
        )
    return sparse_hamiltonian(sample)


def gradient_levels(sample: Sample) -> Real:
    """Return Σ_k (γ_k/γ(1H)) m_k of every level, by which a gradient turns it: (d,)."""
    ratios = [relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins]
    return np.asarray(np.array(ratios) @ spin_projections(len(sample.spins)))


def crushed(levels: Real) -> Real:
    """Return 1 where a crusher leaves an element of ρ, 0 elsewhere: (d,) → (d, d).

    Parameters
    ----------
    levels
        What a gradient turns levels by, see `gradient_levels`.
    """
    apart = np.abs(levels[:, None] - levels)
    return np.asarray(apart < _SAME_ORDER, dtype=float)


class _Stage:
    """The sample while a timeline is played: its places, and what the receiver has seen."""

    def __init__(self, places: _Places, sample: Sample, way: Evolver) -> None:
        self.places, self.sample, self.way, self.n = places, sample, way, len(sample.spins)
        self.levels = gradient_levels(sample)
        self.signals: list[Mapping[str, Complex]] = []

    def step(self, states: Complex, event: TimedEvent) -> Complex:
        """Return the states of all places after an event."""
        match event:
            case TimedAcquisition(phases=phases):
                self.signals.append(self._signal(self.mean(states), phases))
                return states
            case TimedGradient():
                return self._gradient(states, event)
            case TimedPulse() | TimedDelay():
                return self.way.advance(states, event_segments(event, self.n))

    def mean(self, states: Complex) -> Complex:
        """Return the average over all places."""
        if not self.places.many:
            return states
        return np.asarray(np.tensordot(self.places.members.weights, states, axes=1))

    def _gradient(self, states: Complex, gradient: TimedGradient) -> Complex:
        T = TimedDelay(gradient.duration)
        strength = gradient.strength_hz
        (wait,) = event_segments(T, self.n)
        if strength is None:
            return self.way.advance(states, [replace(wait, rf=False)]) * crushed(self.levels)
        z = self.places.positions if self.places.many else self.places.positions[0]
        turns = np.asarray(2 * np.pi * strength * gradient.duration * z)
        phases = turns[..., None, None] * np.diag(self.levels).astype(complex)
        return self.way.advance(states, [Segment(wait.duration, phases, rf=False)])

    def _signal(self, rho: Complex, phases: Mapping[int, float]) -> Mapping[str, Complex]:
        lowered = 2 * (spin_operator("x", 0, 1) + 1j * spin_operator("y", 0, 1))
        seen = {
            self.sample.labels[k]: np.einsum("...ij,ji->...", rho, embed(lowered, k, self.n))
            * np.exp(-1j * phase)
            for k, phase in phases.items()
        }
        return MappingProxyType({label: np.asarray(value) for label, value in seen.items()})


def _slices(timeline: Timeline, largest_order: float, members: int) -> Real:
    """Return the places of the slices along z, in units of the sample's length: (slices,)."""
    strengths = (
        abs(event.strength_hz) * event.duration
        for event in timeline.events
        if isinstance(event, TimedGradient) and event.strength_hz is not None
    )
    turns = largest_order * sum(strengths)
    count = 1 if turns == 0 else math.ceil(_PER_TURN * turns) + _PER_TURN
    if count * members > MAX_POSITIONS:
        raise ArgumentError(
            f"Argument `timeline` must have weaker gradients, but those of {timeline.name!r} turn "
            f"the phase {turns:.0f} times over the sample of {members} "
            f"member{'s' if members > 1 else ''}; write `crush` for one that is for good"
        )
    return np.asarray((np.arange(count) + 0.5) / count - 0.5)
