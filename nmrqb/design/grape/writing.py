"""An optimised pulse as a sequence: one simultaneous shaped pulse on all channels."""

from __future__ import annotations

import numpy as np

from nmrqb.design.grape.optimise import OptimisedPulse
from nmrqb.operators import Real
from nmrqb.sample import Sample
from nmrqb.sequence import Event, Pulse, Rotation, Sequence, Shape


def pulse_sequence(pulse: OptimisedPulse, sample: Sample, *, name: str = "grape") -> Sequence:
    """Return a sequence that plays an optimised pulse, its samples within the file.

    Parameters
    ----------
    pulse
        What was found.
    sample
        The spins it was found for; each nucleus becomes a role that takes all its spins, but of
        two spins each has its own, so that a target can be claimed.
    name
        Name of the sequence.
    """
    controls = pulse.problem.controls
    if len(sample.spins) == 2:
        bound = {role: spin.nucleus for role, spin in zip("IS", sample.spins, strict=True)}
    else:
        bound = {f"all_{channel}": f"all {channel}" for channel in controls.channels}
    rotations = {}
    for role, nucleus in bound.items():
        amplitudes = pulse.amplitudes[:, controls.channels.index(nucleus.removeprefix("all "))]
        if np.any(amplitudes):
            rotations[role] = _rotation(amplitudes, controls.duration_s)
    events: tuple[Event, ...] = (Pulse(rotations),)
    words = (
        f"Found by gradient ascent (seed {pulse.seed}, {len(pulse.history)} iterations, "
        f"{pulse.stopped}): mean F {pulse.value:.9f}, least F {pulse.values.min():.9f} of "
        f"{len(pulse.values)} members."
    )
    return Sequence(name=name, roles=bound, events=events, sample=sample.name, notes=words)


def _rotation(amplitudes: Real, duration_s: float) -> Rotation:
    samples = amplitudes[:, 0] + 1j * amplitudes[:, 1]
    peak = float(np.abs(samples).max())
    shape = Shape("samples", len(samples), samples=tuple((samples / peak).tolist()))
    return Rotation(
        angle=None,
        phase="x",
        duration=f"{duration_s!r} s",
        amplitude=f"{peak / (2 * np.pi)!r} Hz",
        shape=shape,
        degrees=False,
    )
