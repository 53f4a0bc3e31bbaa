"""Pulses that no channel plays: on one of several like spins and not on the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nmrqb.experiment.model import Experiment, SequenceCharge
from nmrqb.sample import Sample
from nmrqb.sequence import TimedPulse, TimedRotation, Timeline
from nmrqb.tomography import read_readout

_DIGITS = 9  # of radians


def selective_notes(experiment: Experiment) -> list[str]:
    """Return which pulses of a run turn like spins apart; nothing where none does.

    Parameters
    ----------
    experiment
        What is run.
    """
    apart = list(_turned_apart(experiment))
    if not apart:
        return []
    nuclei = _like(experiment.sample)
    return [
        f"Hard pulses of {', '.join(apart)} turn like spins ({', '.join(nuclei)}) "
        "each by itself, which no channel does: they are played as if selective, without the "
        "time that this takes, and `nmrqb export` refuses them. Shaped pulses are selective by "
        "frequency; readouts may turn all spins of a nucleus, with delays between."
    ]


def _turned_apart(experiment: Experiment) -> Iterator[str]:
    sample, charge = experiment.sample, experiment.charge
    if isinstance(charge, SequenceCharge) and _apart(charge.timeline, sample):
        yield "the charging sequence"
    for word in experiment.measure.readouts:
        readout = read_readout(word, sample, experiment.noise.pulses)
        if any(_apart(scan, sample) for scan in readout.scans):
            yield f"readout {readout.name}"


def _apart(timeline: Timeline, sample: Sample) -> bool:
    """Whether a pulse turns a spin otherwise than all others of its nucleus."""
    pulses = (event for event in timeline.events if isinstance(event, TimedPulse))
    return any(_splits(pulse, sample) for pulse in pulses)


def _splits(pulse: TimedPulse, sample: Sample) -> bool:
    turned = {r.spin: _rotation(r) for r in pulse.rotations if np.any(r.angle)}
    nuclei = [spin.nucleus for spin in sample.spins]
    return any(
        len({turned.get(k) for k, other in enumerate(nuclei) if other == nucleus}) > 1
        for nucleus in {nuclei[k] for k in turned}
    )


def _rotation(rotation: TimedRotation) -> tuple[bytes, ...]:
    """Return angle and phase, which may be of many members, so that they can be compared."""
    return tuple(np.round(x, _DIGITS).tobytes() for x in (rotation.angle, rotation.phase))


def _like(sample: Sample) -> list[str]:
    """Return the labels of spins that are not the only ones of their nucleus."""
    nuclei = [spin.nucleus for spin in sample.spins]
    return [spin.label for spin in sample.spins if nuclei.count(spin.nucleus) > 1]
