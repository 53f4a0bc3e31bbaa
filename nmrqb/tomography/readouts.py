"""Readout pulse sets: what is turned into view before an FID is taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmrqb.dynamics import (
    Segment,
    collapse_operators,
    dissipator,
    pulse_segments,
    rotation_steps,
    superoperator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sample import PulseModel, Sample, pulse_duration
from nmrqb.sample.hamiltonian import internal_hamiltonian

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


def readout_segments(readout: str, sample: Sample, pulses: PulseModel) -> list[Segment]:
    """Return the segments of one readout pulse, say ``"IX"``: 90° x on the second spin.

    Parameters
    ----------
    readout
        One letter per spin in sample order: I (no pulse), X or Y (90° about x or y).
    sample, pulses
        The spins, and whether pulses last as long as the sample's 90° times.
    """
    n = len(sample.spins)
    check_readout(readout, n)
    played = [(k, PHASES[letter]) for k, letter in enumerate(readout) if letter != "I"]
    if not played:
        return []
    generators = [rotation_steps(np.pi / 2, phase, k, n) for k, phase in played]
    durations = [pulse_duration(sample, k, np.pi / 2, pulses) for k, _ in played]
    return pulse_segments(generators, durations)


def readout_maps(
    readouts: Sequence[str],
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    relaxation: bool = False,
    b1: Real | float = 1.0,
) -> Complex:
    """Return the maps of readout pulses on row-flattened states.

    Parameters
    ----------
    readouts
        Readouts, see `readout_segments`.
    sample
        The spins.
    pulses, relaxation
        Ideal or finite pulses; whether T1 and T2 act during them.
    b1
        Relative rf amplitude(s), shape (...).

    Returns
    -------
    array of shape (..., readouts, d², d²)
    """
    drift = internal_hamiltonian(sample)
    d = drift.shape[-1]
    loss = dissipator(collapse_operators(sample) if relaxation else [], d)
    batch = np.shape(b1)
    maps = [
        superoperator([s.scaled(b1) for s in segments], drift, loss)
        for segments in (readout_segments(name, sample, pulses) for name in readouts)
    ]
    return np.stack([np.broadcast_to(m, (*batch, d * d, d * d)) for m in maps], axis=-3)
