"""Readout pulse sets: what is turned into view before an FID is taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from nmrqb.dynamics import (
    Ensemble,
    Relaxation,
    Segment,
    across_fields,
    amplified_pulse,
    dissipation_of,
    event_segments,
    shared_drift,
    superoperator,
    total_duration,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.sample import PulseModel, Sample, pulse_duration
from nmrqb.sequence import (
    NO_ERRORS,
    PulseErrors,
    TimedPulse,
    TimedRotation,
    channel_errors,
    pulse_with_errors,
)

PHASES = {"X": 0.0, "Y": np.pi / 2}


def check_readout(readout: str, n: int) -> None:
    """Refuse a readout that is not one letter of I, X, Y per spin.

    Raises
    ------
    ArgumentError
        If the length or a letter is wrong.
    """
    if len(readout) != n or set(readout) - {"I", "X", "Y"}:
        raise ArgumentError(
            f"Argument `readout` must be {n} letters of I, X, Y (no pulse, 90° x, 90° y, one per "
            f"spin), but is {readout!r}"
        )


def readout_segments(
    readout: str,
    sample: Sample,
    pulses: PulseModel,
    *,
    ensemble: Ensemble | None = None,
    errors: PulseErrors = NO_ERRORS,
) -> list[Segment]:
    """Return the segments of one readout pulse, say ``"IX"``: 90° x on the second spin.

    Parameters
    ----------
    readout
        One letter per spin in sample order: I (no pulse), X or Y (90° about x or y).
    sample, pulses
        The spins, and whether pulses last as long as the sample's 90° times.
    ensemble
        Members that see different amplitudes: the segments then have a leading axis of them.
    errors
        What the transmitter makes of the pulses.
    """
    check_readout(readout, len(sample.spins))
    rotations = tuple(
        TimedRotation(
            k, np.pi / 2, PHASES[letter], float(pulse_duration(sample, k, np.pi / 2, pulses))
        )
        for k, letter in enumerate(readout)
        if letter != "I"
    )
    if not rotations:
        return []
    played = pulse_with_errors(TimedPulse(rotations), channel_errors(errors, sample, pulses))
    if ensemble is not None:
        played = [amplified_pulse(pulse, sample, ensemble) for pulse in played]
    return [s for pulse in played for s in event_segments(pulse, len(sample.spins))]


def readout_maps(
    readouts: Sequence[str],
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    relaxation: Relaxation = False,
    ensemble: Ensemble | None = None,
    errors: PulseErrors = NO_ERRORS,
) -> Complex:
    """Return the maps of readout pulses on row-flattened states.

    Parameters
    ----------
    readouts
        Readouts, see `readout_segments`.
    sample
        The spins.
    pulses, relaxation
        Ideal or finite pulses; what relaxes the spins during them, see
        `nmrqb.dynamics.dissipation_of`.
    ensemble
        M members that see different fields, or None.
    errors
        What the transmitter makes of the pulses.

    Returns
    -------
    array of shape (readouts, d², d²), or (M, readouts, d², d²) with an ensemble
    """
    loss = dissipation_of(sample, relaxation).generator

    def turned(readout: str, part: Ensemble | None) -> Complex:
        segments = readout_segments(readout, sample, pulses, ensemble=part, errors=errors)
        found = superoperator(segments, shared_drift(sample, part, segments), loss)
        return np.broadcast_to(found, (*(() if part is None else (part.size,)), *loss.shape))

    if ensemble is None:
        return np.stack([turned(name, None) for name in readouts], axis=-3)
    plain = (readout_segments(name, sample, pulses, errors=errors) for name in readouts)
    lengths = [float(total_duration(segments)) for segments in plain]
    maps = [
        across_fields(partial(turned, name), sample, ensemble, length)
        for name, length in zip(readouts, lengths, strict=True)
    ]
    return np.stack(maps, axis=-3)
