"""Readout pulse sets: what is turned into view before an FID is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nmrqb.arguments import checked
from nmrqb.dynamics import (
    Ensemble,
    Relaxation,
    Segment,
    across_fields,
    amplified,
    dissipation_of,
    play,
    shared_drift,
    superoperator,
    timeline_segments,
    total_duration,
    uniform_sample,
    unitary,
    unitary_superoperator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, pauli_basis
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import (
    NO_ERRORS,
    Errors,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    Timeline,
    with_errors,
)
from nmrqb.tomography.readout_words import Readout, read_readout


@checked
def readout_segments(
    readout: str,
    sample: Sample,
    pulses: PulseModel,
    *,
    ensemble: Ensemble | None = None,
    errors: Errors = NO_ERRORS,
) -> list[Segment]:
    """Return the segments of one readout of one scan, say ``"IX"``: 90° x on the second spin.

    Parameters
    ----------
    readout
        A word of `read_readout`.
    sample, pulses
        The spins, and whether pulses last as long as the sample's 90° times.
    ensemble
        Members that see different amplitudes: the segments then have a leading axis of them.
    errors
        What the transmitter makes of the pulses.

    Raises
    ------
    ArgumentError
        If the readout has a gradient.
    """
    scan, *_ = read_readout(readout, sample, pulses).scans
    return _segments(with_errors(scan, errors, sample), sample, ensemble)


def _segments(scan: Timeline, sample: Sample, ensemble: Ensemble | None) -> list[Segment]:
    seen = scan if ensemble is None else amplified(scan, sample, ensemble)
    return timeline_segments(seen, sample)


@checked
def readout_maps(
    readouts: Sequence[str | Readout],
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    relaxation: Relaxation = False,
    ensemble: Ensemble | None = None,
    errors: Errors = NO_ERRORS,
    flips: Sequence[Sequence[float]] | None = None,
) -> Complex:
    """Return the maps of readouts on row-flattened states, each the mean over its scans.

    Parameters
    ----------
    readouts
        Readouts, or words of `read_readout`.
    sample
        The spins.
    pulses, relaxation
        Ideal or finite pulses of words; what relaxes the spins during readouts, see
        `nmrqb.dynamics.dissipation_of`.
    ensemble
        M members that see different fields, or None.
    errors
        What the transmitter makes of the pulses.
    flips
        Angles over those meant of every readout's pulses, one per spin; by default all 1.

    Returns
    -------
    array of shape (readouts, d², d²), or (M, readouts, d², d²) with an ensemble
    """
    loss = dissipation_of(sample, relaxation).generator
    batch = () if ensemble is None else (ensemble.size,)

    def mean_map(readout: Readout, factors: Sequence[float] | None) -> Complex:
        meant = [with_errors(scan, errors, sample) for scan in readout.scans]
        scans = meant if factors is None else [_flipped(scan, factors) for scan in meant]
        maps = [_map(scan, sample, relaxation, loss, ensemble) for scan in scans]
        return np.asarray(np.broadcast_to(sum(maps) / len(maps), (*batch, *loss.shape)))

    if not readouts:
        raise ArgumentError(f"Argument `readouts` must hold a readout, but is {readouts!r}")
    bound = [read_readout(readout, sample, pulses) for readout in readouts]
    each = [None] * len(bound) if flips is None else flips
    return np.stack([mean_map(*pair) for pair in zip(bound, each, strict=True)], axis=-3)


def _flipped(scan: Timeline, factors: Sequence[float]) -> Timeline:
    """Return a scan with the angles of all pulses times a factor for every spin."""

    def turned(event: TimedEvent) -> TimedEvent:
        if not isinstance(event, TimedPulse):
            return event
        rotations = (replace(r, angle=r.angle * factors[r.spin]) for r in event.rotations)
        return TimedPulse(tuple(rotations))

    return replace(scan, events=tuple(map(turned, scan.events)))


def _map(
    scan: Timeline,
    sample: Sample,
    relaxation: Relaxation,
    loss: Complex,
    ensemble: Ensemble | None,
) -> Complex:
    """Return the map of a scan, shape (d², d²) or (M, d², d²)."""
    if any(isinstance(event, TimedGradient) for event in scan.events):
        members = ensemble or uniform_sample()
        each = (members.chosen(np.array([m])) for m in range(members.size))
        played = [_played_map(scan, sample, relaxation, member) for member in each]
        return np.stack(played) if ensemble is not None else played[0]
    if ensemble is None:
        return _even_map(scan, sample, loss, None)
    length = float(total_duration(_segments(scan, sample, None)))

    def seen(part: Ensemble) -> Complex:
        return np.broadcast_to(_even_map(scan, sample, loss, part), (part.size, *loss.shape))

    return across_fields(seen, sample, ensemble, length)


def _even_map(scan: Timeline, sample: Sample, loss: Complex, part: Ensemble | None) -> Complex:
    """Return the map of a scan without gradients, with the members of an ensemble first if any."""
    segments = _segments(scan, sample, part)
    drift = shared_drift(sample, part, segments)
    if not np.any(total_duration(segments)) or not np.any(loss):
        return unitary_superoperator(unitary(segments, drift))
    return superoperator(segments, drift, loss)


def _played_map(
    scan: Timeline, sample: Sample, relaxation: Relaxation, member: Ensemble
) -> Complex:
    """Return the map of a scan with gradients, from what becomes of the Paulis: (d², d²)."""
    paulis = pauli_basis(len(sample.spins))
    size = len(paulis)
    played = play(scan, sample, paulis, relaxation=relaxation, ensemble=member).state
    flat = paulis.reshape(size, size)
    return np.asarray(played.reshape(size, size).T @ flat.conj() / paulis.shape[-1])
