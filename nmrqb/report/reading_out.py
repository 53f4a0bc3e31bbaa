"""A sequence with a readout after it, as one list of scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nmrqb.errors import ArgumentError
from nmrqb.sample import Sample
from nmrqb.sequence import TimedAcquisition, TimedEvent, TimedPulse, Timeline
from nmrqb.tomography import read_readout
from nmrqb.tomography.readout_words import check_channels
from nmrqb.units import Number


def read_out(
    scans: list[Timeline], word: str | None, sample: Sample, observe: str | None
) -> tuple[list[Timeline], str | None]:
    """Return the scans with a readout after each, and the nucleus that it asks to observe.

    Parameters
    ----------
    scans
        Scans of a sequence that does not open the receiver, expanded with finite pulses.
    word
        A word of `nmrqb.tomography.read_readout`, or None: then nothing changes.  Every scan is
        followed by every scan of the readout.
    sample
        The spins.
    observe
        Nucleus that the user asks for, or None.

    Raises
    ------
    ArgumentError
        If the sequence opens the receiver itself, the word means nothing, or the readout does not
        acquire ``observe``.
    """
    if word is None:
        return scans, observe
    if any(isinstance(event, TimedAcquisition) for event in scans[0].events):
        raise ArgumentError(
            f"Argument `readout` must go with a sequence that has no `acquire`, but "
            f"`{scans[0].name}` has one; leave one of the two out of {word!r}"
        )
    readout = read_readout(word, sample, "finite")
    if observe is not None and observe in sample.nuclei:
        check_channels([readout], [observe], sample)
    every = [_joined(scan, last) for scan in scans for last in readout.scans]
    return every, observe or (readout.channels[0] if readout.channels else None)


def _joined(scan: Timeline, readout: Timeline) -> Timeline:
    """Return a scan with a readout after it, both in the frame of the scan's virtual z."""
    events = (*scan.events, *(_turned(event, scan.frame) for event in readout.events))
    spins = {*scan.frame, *readout.frame}
    frame = {k: scan.frame.get(k, 0.0) + readout.frame.get(k, 0.0) for k in spins}
    return replace(scan, events=events, frame=frame)


def _turned(event: TimedEvent, frame: Mapping[int, Number]) -> TimedEvent:
    if not isinstance(event, TimedPulse):
        return event
    turned = (replace(r, phase=r.phase - frame.get(r.spin, 0.0)) for r in event.rotations)
    return TimedPulse(tuple(turned))
