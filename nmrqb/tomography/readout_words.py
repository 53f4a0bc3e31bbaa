"""What is played before an FID is taken: local letters, pulses and delays, whole sequences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from nmrqb.arguments import checked, checked_fields
from nmrqb.errors import ArgumentError, did_you_mean, nearest
from nmrqb.files import is_file_argument, library
from nmrqb.sample import PulseModel, Sample, pulse_duration
from nmrqb.sequence import (
    Sequence as PulseSequence,
)
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedEvent,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
)
from nmrqb.sequence.words import PHASES as NAMED_PHASES
from nmrqb.sequence.words import split_rotation
from nmrqb.units import UNITS, UnitError, is_batch, quantity

PHASES = {"X": 0.0, "Y": np.pi / 2}
STEP = " - "  # stands between the steps of a readout
CRUSH = "crush"
_TIME = re.compile(rf".*[0-9.)]\s*({'|'.join(sorted(UNITS['time']))})")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,9}\.?[0-9]*|\.[0-9]+)")
_SAME_PHASE = 1e-12


@checked_fields
@dataclass(frozen=True, eq=False)
class Readout:
    """What is played before an FID is taken, bound to a sample.

    Attributes
    ----------
    name
        What it is called in tables.
    scans
        What is played in every scan; the FIDs of all scans are averaged.  A scan's ``frame`` turns
        the state when the receiver is opened, and so holds minus the receiver's phases.
    channels
        Nuclei whose FIDs it acquires, or None for all.
    """

    name: str
    scans: tuple[Timeline, ...]
    channels: tuple[str, ...] | None = None


@checked
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


def names_sequence(word: str) -> bool:
    """Tell whether a readout is the name of a shipped sequence, or a file."""
    return STEP not in word and (word in library("sequence") or is_file_argument(word))


@checked
def read_readout(word: str | Readout, sample: Sample, pulses: PulseModel = "ideal") -> Readout:
    """Return the readout that a word means.

    Parameters
    ----------
    word
        One letter I, X or Y per spin (``IX``: 90° x on the second); or steps with `` - `` between
        them, each such letters, a pulse on all spins (``45 -y``) or on those of a nucleus or
        label (``1H: 90 x``), a delay (``2 ms``) or ``crush`` (a gradient that leaves only
        coherence order zero); or the name of a shipped sequence, or a file, that is played up to
        its ``acquire``.  A `Readout` is returned as it is.
    sample, pulses
        The spins, and whether hard pulses last as long as the sample's 90° times.

    Raises
    ------
    ArgumentError
        If it means nothing, or the sequence cannot be a readout.
    InputError
        If the sequence has faults on this sample.
    """
    if isinstance(word, Readout):
        return word
    if names_sequence(word):
        return replace(sequence_readout(load_sequence(word), sample, pulses), name=word)
    found = [_step(step, word, sample, pulses) for step in word.split(STEP)]
    events = tuple(event for event in found if event is not None)
    return Readout(word, (Timeline(word, events, pulses),))


def _step(step: str, word: str, sample: Sample, pulses: PulseModel) -> TimedEvent | None:
    """Return the event of one step; None where nothing is played."""
    n, step = len(sample.spins), step.strip()
    if step == CRUSH:
        return TimedGradient(0.0)
    if step == word and not any(character.isdigit() for character in step):
        _check_word(step, n)
    if len(step) == n and not set(step) - {"I", "X", "Y"}:
        turns = {k: (math.pi / 2, PHASES[letter]) for k, letter in enumerate(step) if letter != "I"}
        return _pulse(turns, sample, pulses)
    try:
        return _turn_or_wait(step, sample, pulses)
    except (UnitError, ValueError) as error:
        raise ArgumentError(
            f"Argument `readout` must be steps such as {'X' * n}, '90 -y', "
            f"'{sample.nuclei[0]}: 90 x', '2 ms' or crush, with ' - ' between them, or a sequence, "
            f"but {step!r} of {word!r} is none: {error}"
        ) from error


def _check_word(word: str, n: int) -> None:
    """Refuse a word that is neither letters nor a sequence, and say which sequence comes near."""
    try:
        check_readout(word, n)
    except ArgumentError as error:
        guess = did_you_mean(word, library("sequence"))
        raise ArgumentError(
            f"Argument `readout` must be {n} letters of I, X, Y (no pulse, 90° x, 90° y, one per "
            f"spin), steps with ' - ' between them, or a sequence, but is {word!r}"
            + (f"; {guess}" if guess else "")
        ) from error


def _turn_or_wait(step: str, sample: Sample, pulses: PulseModel) -> TimedEvent | None:
    if _TIME.fullmatch(step):
        time = quantity(step, "time")
        if time < 0:
            raise ValueError(f"a delay must not be negative, but is {step}")
        return TimedDelay(time)
    target, _, rotation = step.rpartition(":")
    angle, phase = split_rotation(rotation)
    turn = _radians(angle), _radians(phase)
    return _pulse(dict.fromkeys(_spins(target.strip(), sample), turn), sample, pulses)


def _radians(text: str) -> float:
    """Return an angle or a phase in rad; a bare number is in degrees."""
    if text in NAMED_PHASES:
        return math.radians(NAMED_PHASES[text])
    if text.strip().endswith(("d", "g", "°")):  # rad, mrad, deg
        return quantity(text, "angle")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is neither an angle nor a phase")
    return math.radians(float(text))


def _spins(target: str, sample: Sample) -> list[int]:
    """Return the spins of a nucleus or a label, all of them where there is no target."""
    named = [spin.nucleus if target in sample.nuclei else spin.label for spin in sample.spins]
    if target and target not in named:
        raise ValueError(f"no spin is {target!r}; {nearest(target, {*named, *sample.nuclei})}")
    return [k for k, name in enumerate(named) if target in ("", name)]


def _pulse(
    turns: Mapping[int, tuple[float, float]], sample: Sample, pulses: PulseModel
) -> TimedPulse | None:
    """Return simultaneous rotations by (angle, phase) in rad, as long as the sample makes them."""
    rotations = tuple(
        TimedRotation(k, angle, phase, float(pulse_duration(sample, k, np.asarray(angle), pulses)))
        for k, (angle, phase) in turns.items()
    )
    return TimedPulse(rotations) if rotations else None


# ------------------------------------------------------------------------------------ sequences
@checked
def sequence_readout(
    sequence: PulseSequence,
    sample: Sample,
    pulses: PulseModel = "ideal",
    *,
    parameters: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Readout:
    """Return a sequence as a readout: it is played up to its ``acquire``, where the FID begins.

    The scans of a phase cycle, receiver phases included, are averaged.

    Parameters
    ----------
    sequence, sample, pulses, parameters, roles
        As for `nmrqb.sequence.expand`.

    Raises
    ------
    ArgumentError
        If it does not end in its only ``acquire`` (or has none: then all channels are acquired),
        or the spins of one channel are to have different receiver phases.
    InputError
        If the sequence has faults on this sample.
    """
    expanded = [
        expand(sequence, sample, pulses=pulses, parameters=parameters, roles=roles, scan=scan)
        for scan in range(sequence.scans)
    ]
    opened = [_receiver_phases(timeline) for timeline in expanded]
    channels = tuple(dict.fromkeys(sample.spins[k].nucleus for k in sorted(opened[0] or {})))
    scans = tuple(
        replace(
            timeline,
            events=tuple(e for e in timeline.events if not isinstance(e, TimedAcquisition)),
            frame=_frame(timeline, phases, sample),
        )
        for timeline, phases in zip(expanded, opened, strict=True)
    )
    return Readout(sequence.name, scans, channels or None)


def _receiver_phases(timeline: Timeline) -> Mapping[int, float] | None:
    """Return the phases of the only, last acquisition; None where there is none."""
    found = [k for k, e in enumerate(timeline.events) if isinstance(e, TimedAcquisition)]
    several = any(is_batch(number) for number in timeline.parameters.values())
    if found not in ([], [len(timeline.events) - 1]) or several:
        raise ArgumentError(
            f"Argument `sequence` must end in its only `acquire` to be a readout, but "
            f"{timeline.name!r} has {len(found)} of them among {len(timeline.events)} events"
        )
    last = timeline.events[-1] if found else None
    return last.phases if isinstance(last, TimedAcquisition) else None


def _frame(
    timeline: Timeline, phases: Mapping[int, float] | None, sample: Sample
) -> Mapping[int, float]:
    """Return rotations about z that do to the signal what the receiver's phases do."""
    own = {k: -float(angle) for k, angle in timeline.frame.items()} if phases is None else phases
    turns: dict[int, float] = {}
    for nucleus in sample.nuclei:
        spins = [k for k, spin in enumerate(sample.spins) if spin.nucleus == nucleus]
        asked = [own.get(k, 0.0) for k in spins if phases is None or k in phases]
        if np.ptp(
            np.exp(1j * np.array(asked or [0.0])).view(float).reshape(-1, 2), axis=0
        ).max() > (_SAME_PHASE):
            raise ArgumentError(
                f"Argument `sequence` must give the receiver of {nucleus} one phase, but that of "
                f"{timeline.name!r} has {', '.join(f'{math.degrees(a):g}°' for a in asked)}"
            )
        turns.update(dict.fromkeys(spins, -asked[0] if asked else 0.0))
    return MappingProxyType({k: angle for k, angle in turns.items() if angle})


def check_channels(readouts: Sequence[Readout], channels: Sequence[str], sample: Sample) -> None:
    """Refuse channels that the sample does not have, or that a readout does not acquire.

    Raises
    ------
    ArgumentError
        If there is such a channel, one twice, or none at all.
    """
    unknown = [nucleus for nucleus in channels if nucleus not in sample.nuclei]
    if unknown or not channels or len(set(channels)) < len(channels):
        raise ArgumentError(
            f"Argument `observed` must hold nuclei of sample {sample.name!r}, each once, but is "
            f"{list(channels)}; {nearest(str(*unknown[:1]), sample.nuclei)}"
        )
    for readout in readouts:
        missing = [c for c in channels if readout.channels and c not in readout.channels]
        if missing:
            raise ArgumentError(
                f"Argument `observed` must hold channels that every readout acquires, but "
                f"{readout.name!r} does not acquire {', '.join(missing)}"
            )
