"""What a timeline does to the members of an ensemble, and what its average Hamiltonian would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from nmrqb.average.effective import unitary_logarithm
from nmrqb.dynamics import (
    Ensemble,
    Segment,
    across_fields,
    amplified,
    dissipation_of,
    shared_drift,
    superoperator,
    timeline_segments,
    total_duration,
    unitary,
    unitary_superoperator,
)
from nmrqb.dynamics.playing import crushed, gradient_levels
from nmrqb.experiment.model import Noise
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedEvent, TimedGradient, Timeline, with_errors


def loss(sample: Sample, noise: Noise) -> Complex:
    """Return the generator of relaxation that acts in an experiment, shape (d², d²), 1/s.

    ρ̇ = D ρ − D X tr ρ/d, D the dissipator of the mechanisms and X ``noise.equilibrium``: what D
    leaves of X does not relax.  That is the relaxation of a deviation to first order in it, and
    holds where 1 + X is not positive, as in an effective state.
    """
    D = dissipation_of(sample, noise.relaxation).generator
    if noise.equilibrium is None:
        return D
    d = len(noise.equilibrium)
    return D - np.outer(D @ noise.equilibrium.ravel(), np.eye(d).ravel()) / d


def played(timeline: Timeline, sample: Sample, noise: Noise) -> Timeline:
    """Return a timeline with the errors of the pulses."""
    return with_errors(timeline, noise.pulse_errors, sample)


def lasting(timeline: Timeline, sample: Sample, noise: Noise) -> float:
    """Return how long a timeline lasts in s, gradients left out."""
    parts = pieces(played(timeline, sample, noise))
    return sum(float(total_duration(timeline_segments(part, sample))) for part in parts)


def pass_maps(timeline: Timeline, sample: Sample, noise: Noise, ensemble: Ensemble) -> Complex:
    """Return what one pass of a timeline does to every member: (members, d², d²).

    Parameters
    ----------
    timeline
        Pulses and delays, and gradients that are crushers.
    sample, noise, ensemble
        The spins, what is not ideal, and the fields that the members see.
    """
    parts = pieces(played(timeline, sample, noise))
    return _joined((_piece_maps(part, sample, noise, ensemble) for part in parts), sample)


def _piece_maps(timeline: Timeline, sample: Sample, noise: Noise, ensemble: Ensemble) -> Complex:
    lost = loss(sample, noise)

    def one_pass(part: Ensemble) -> Complex:
        segments = timeline_segments(amplified(timeline, sample, part), sample)
        found = superoperator(segments, shared_drift(sample, part, segments), lost)
        return np.broadcast_to(found, (part.size, *found.shape[-2:]))

    duration = float(total_duration(timeline_segments(timeline, sample)))
    return across_fields(one_pass, sample, ensemble, duration)


def average_map(timeline: Timeline, sample: Sample, noise: Noise) -> Complex:
    """Return what the average Hamiltonian of a timeline does with relaxation: (d², d²).

    Between crushers, see `relaxed_average`.
    """
    return _joined(
        (relaxed_average(timeline_segments(part, sample), sample, noise)
         for part in pieces(timeline)), sample
    )  # fmt: skip


def relaxed_average(segments: Sequence[Segment], sample: Sample, noise: Noise) -> Complex:
    """Return the map of ρ̇ = −i[H̄, ρ] + relaxation in the laboratory frame: (..., d², d²).

    H̄ = (i/T) log U is the exact effective Hamiltonian of the segments without errors, in the
    branch next to zero; relaxation acts for the same T.

    Parameters
    ----------
    segments
        Pulses and delays, batches of them too.
    sample, noise
        The spins and their relaxation.
    """
    U = unitary(segments, internal_hamiltonian(sample))
    duration = total_duration(segments)
    if not np.any(duration):
        return unitary_superoperator(U)
    generator = Segment(duration, unitary_logarithm(U))
    return superoperator([generator], np.zeros(U.shape[-2:], dtype=complex), loss(sample, noise))


def pieces(timeline: Timeline) -> list[Timeline]:
    """Return a timeline cut at its gradients; virtual z rotations are with the last piece."""
    found: list[Timeline] = []
    events: list[TimedEvent] = []
    for event in timeline.events:
        if isinstance(event, TimedGradient):
            found.append(replace(timeline, events=tuple(events), frame={}))
            events = []
        else:
            events.append(event)
    return [*found, replace(timeline, events=tuple(events))]


def _joined(maps: Iterable[Complex], sample: Sample) -> Complex:
    """Return the product of maps in the order of time, with a crusher between any two."""
    kept: Real = crushed(gradient_levels(sample)).ravel()
    each: Iterator[Complex] = iter(maps)
    total = next(each)
    for further in each:
        total = further @ (kept[:, None] * total)
    return total
