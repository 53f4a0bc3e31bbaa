"""From a sequence file to a `Sequence`, everything still as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from nmrqb import formats
from nmrqb.errors import Fault, InputError, Position, refuse
from nmrqb.files import Document, Keys, Tree, is_file_argument
from nmrqb.sample import Sample, load_sample
from nmrqb.sequence.expansion import expand
from nmrqb.sequence.format import SequenceFormat, split_rotation
from nmrqb.sequence.model import Delay, Event, Pulse, Repeat, Rotation, Sequence


def load_sequence(argument: str | Path) -> Sequence:
    """Read a pulse sequence from the library or from a file.

    Parameters
    ----------
    argument
        A shipped name such as ``dm``, or a file.

    Raises
    ------
    InputError
        With every fault that can be told from the file and its default sample.
    """
    document = formats.read("sequence", argument, SequenceFormat)
    _, faults = formats.check(document, SequenceFormat)
    sequence = _sequence(document, Path(str(argument)).stem)
    if faults:
        refuse([*faults, *_further_faults(sequence, faults)])
    return sequence


def default_sample(sequence: Sequence) -> Sample | None:
    """Return the sample that a sequence names, or None if it names none.

    Raises
    ------
    InputError
        With the faults of that sample; a name that does not exist is told where it is written.
    """
    if sequence.sample is None:
        return None
    try:
        return load_sample(sequence.sample)
    except InputError as error:
        written = sequence.positions.get("sample", Position(sequence.name))
        absent = Position(sequence.sample)
        raise InputError(
            Fault(written, fault.message) if fault.at == absent else fault for fault in error.faults
        ) from error


def _further_faults(sequence: Sequence, known: list[Fault]) -> list[Fault]:
    """Return what expanding the sound part of a file finds wrong beside the known faults."""
    if sequence.sample is None or not sequence.roles:
        return []
    # where an entry is refused, a role may only seem to be unused
    told = {fault.at for fault in known}
    told |= {sequence.positions[f"spins.{role}"] for role in sequence.roles}
    try:
        sample = default_sample(sequence)
        expand(sequence, sample) if sample else None
    except InputError as error:
        ours = (fault for fault in error.faults if fault.at.file == known[0].at.file)
        return [fault for fault in ours if fault.at not in told]
    return []


# The builders skip what the format has refused, so that the rest can still be examined.
def _sequence(document: Document, stem: str) -> Sequence:
    texts = {key: document.get((key,)) or "" for key in ("title", "notes", "reference", "sample")}
    target = _expressions(document, "target")
    return Sequence(
        name=document.get(("name",)) or stem,
        roles=MappingProxyType({r: str(n) for r, n in _mapping(document.get(("spins",))).items()}),
        events=_events(document, ("sequence",)),
        title=str(texts["title"]),
        notes=str(texts["notes"]),
        reference=str(texts["reference"]),
        sample=_beside(document, str(texts["sample"])) or None,
        parameters=MappingProxyType(_expressions(document, "parameters")),
        target=MappingProxyType({term: e for term, e in target.items() if term != "time"}),
        target_time=target.get("time"),
        positions=MappingProxyType(_positions(document)),
        sha256=document.sha256,
    )


def _beside(document: Document, sample: str) -> str:
    # a file is named relative to the file that names it, wherever the command is run
    is_file = sample and is_file_argument(sample)
    return str(Path(document.file).parent / sample) if is_file else sample


def _mapping(node: Tree) -> Mapping[str, Tree]:
    return node if isinstance(node, dict) else {}


def _expressions(document: Document, key: str) -> dict[str, str]:
    texts = _mapping(document.get((key,)))
    return {name: formats.scalar_text(text) or "" for name, text in texts.items()}


def _positions(document: Document) -> dict[str, Position]:
    inner = {f"{path[0]}.{path[1]}": at for path, at in document.values.items() if len(path) == 2}
    # a role is best shown by its name, a parameter or a target by its expression
    roles = {r: document.key_position(("spins", r)) for r in _mapping(document.get(("spins",)))}
    top = {str(path[0]): at for path, at in document.keys.items() if len(path) == 1}
    sample = {"sample": document.position(("sample",))} if "sample" in top else {}
    return inner | {f"spins.{role}": at for role, at in roles.items()} | top | sample


def _events(document: Document, path: Keys) -> tuple[Event, ...]:
    items = document.get(path)
    count = len(items) if isinstance(items, list) else 0
    events = (_event(document, (*path, number)) for number in range(count))
    return tuple(event for event in events if event is not None)


def _event(document: Document, path: Keys) -> Event | None:
    item = _mapping(document.get(path))
    if "pulse" in item:
        return _pulse(document, (*path, "pulse"))
    if "repeat" in item:
        return _repeat(document, (*path, "repeat"))
    time = formats.scalar_text(item.get("delay"))
    return None if time is None else Delay(time, document.position((*path, "delay")))


def _pulse(document: Document, path: Keys) -> Pulse:
    roles = _mapping(document.get(path))
    rotations = {role: _rotation(document, (*path, role)) for role in roles}
    sound = {role: rotation for role, rotation in rotations.items() if rotation is not None}
    places = {role: document.key_position((*path, role)) for role in roles}
    return Pulse(MappingProxyType(sound), MappingProxyType(places), document.position(path))


def _rotation(document: Document, path: Keys) -> Rotation | None:
    value, at = document.get(path), document.position(path)
    if (text := formats.scalar_text(value)) is not None:
        try:
            angle, phase = split_rotation(text)
        except ValueError:
            return None
        return Rotation(angle, phase, at=at)
    parts = {key: formats.scalar_text(part) for key, part in _mapping(value).items()}
    angle_text = parts.get("angle")
    if angle_text is None:
        return None
    duration = parts.get("duration")
    return Rotation(angle_text, parts.get("phase") or "x", duration, degrees=False, at=at)


def _repeat(document: Document, path: Keys) -> Repeat | None:
    times = formats.scalar_text(document.get((*path, "times")))
    if times is None:
        return None
    events = _events(document, (*path, "sequence"))
    return Repeat(times, events, document.position((*path, "times")))
