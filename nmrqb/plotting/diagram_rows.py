"""What a file plays and receives, and on which spins: the rows of its diagram, and its names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nmrqb.plotting.lettering import plain
from nmrqb.plotting.notation import math, symbol
from nmrqb.sample import Sample
from nmrqb.sequence import Acquisition, Call, Event, Pulse, Repeat, Sequence, VirtualZ
from nmrqb.sequence.binding import bind

_ISOTOPE = re.compile(r"([0-9]+)([A-Z][a-z]?)")
_NAMED = 3  # spins of one role whose names are told


def written_events(sequence: Sequence) -> Iterator[Event]:
    """Yield every event of a file, those of repeats and of blocks too."""
    pending = [*sequence.events, *(e for block in sequence.blocks.values() for e in block.events)]
    while pending:
        event = pending.pop(0)
        yield event
        if isinstance(event, Repeat):
            pending = [*event.events, *pending]


def diagram_rows(sequence: Sequence, sample: Sample | None = None) -> dict[str, str]:
    """Return role or nucleus of every row, in the order of the roles, to the name of the row.

    A nucleus has a row where something is played on all its spins; a role that is only played
    together with its nucleus has none.

    Parameters
    ----------
    sequence
        The sequence as written.
    sample
        Sample whose spins are named beside the roles, or None.
    """
    spins = bind(sequence, sample, {}, []) if sample is not None else {}
    nuclei = {role: _nuclei(sequence, role, sample, spins) for role in sequence.roles}
    keys = _keys(sequence, {})
    others = sorted(keys - set(sequence.roles))
    rows: dict[str, str] = {}
    for role in sequence.roles:
        for key in others:
            if key in nuclei[role]:
                rows.setdefault(key, _isotope(key))
        if role in keys or not nuclei[role] or not set(nuclei[role]) <= set(others):
            rows[role] = _role_name(role, _spin_names(sequence, role, sample, spins))
    return rows | {key: _isotope(key) for key in others if key not in rows}


def played_on(call: Call, sequence: Sequence) -> set[str]:
    """Return the roles and nuclei, by their names in ``sequence``, on which a call plays."""
    if call.sequence is not None:
        return _used(call, {})
    block = sequence.blocks.get(call.name)
    inner = Sequence("", sequence.roles, block.events if block else ())
    return {call.roles.get(key, key) for key in _keys(inner, {})}


def _keys(sequence: Sequence, known: dict[int, set[str]]) -> set[str]:
    """Return the roles and nuclei on which something is played, by their names in this file."""
    if id(sequence) not in known:
        known[id(sequence)] = set()
        known[id(sequence)] = {key for e in written_events(sequence) for key in _used(e, known)}
    return known[id(sequence)]


def _used(event: Event, known: dict[int, set[str]]) -> set[str]:
    match event:
        case Pulse(rotations):
            return set(rotations)
        case VirtualZ(angles):
            return set(angles)
        case Acquisition(phases):
            return set(phases)
        case Call(sequence=None, roles=roles):
            return set(roles.values())
        case Call(sequence=Sequence() as inner, roles=roles):
            return {roles.get(key, key) for key in _keys(inner, known)}
    return set()


def _nuclei(
    sequence: Sequence, role: str, sample: Sample | None, spins: Mapping[str, tuple[int, ...]]
) -> list[str]:
    """Return the nuclei that play a role, none where that is not known."""
    if sample is not None and role in spins:
        return list(dict.fromkeys(sample.spins[spin].nucleus for spin in spins[role]))
    wanted = sequence.roles[role].removeprefix("all").strip()
    return [wanted] if wanted not in {"", "any"} else []


def _spin_names(
    sequence: Sequence, role: str, sample: Sample | None, spins: Mapping[str, tuple[int, ...]]
) -> list[str]:
    """Return labels of the spins that play a role, or their nuclei where there are many."""
    bound = spins.get(role, ())
    if sample is None or not 0 < len(bound) <= _NAMED:
        return _nuclei(sequence, role, sample, spins)
    return [sample.labels[spin] for spin in bound]


def _role_name(role: str, spins: list[str]) -> str:
    name = math(symbol(role))
    return f"{name} ({', '.join(map(_isotope, spins))})" if spins else name


def _isotope(label: str) -> str:
    """Return ``13C`` with its mass raised; other labels as they are."""
    found = _ISOTOPE.fullmatch(label)
    return f"$^{{{found[1]}}}${found[2]}" if found else plain(label)


# ----------------------------------------------------------------------------------------- names
def taken_names(sequence: Sequence) -> set[str]:
    """Return the names that a letter of the legend must not look like."""
    return {name for file in _files(sequence).values() for name in _own_names(file)}


def _own_names(sequence: Sequence) -> set[str]:
    events = written_events(sequence)
    indices = {event.index for event in events if isinstance(event, Repeat) and event.index}
    blocks = {name for block in sequence.blocks.values() for name in block.parameters}
    return {*sequence.parameters, *sequence.phase_cycle, *sequence.roles, *blocks, *indices}


def _files(sequence: Sequence) -> dict[int, Sequence]:
    """Return a sequence and all that it includes, each once."""
    found: dict[int, Sequence] = {}
    pending = [sequence]
    while pending:
        file = pending.pop()
        if id(file) not in found:
            found[id(file)] = file
            calls = (event for event in written_events(file) if isinstance(event, Call))
            pending += [call.sequence for call in calls if call.sequence is not None]
    return found


def receiver_phases(sequence: Sequence) -> set[str]:
    """Return the names of the phase cycle that only the receiver uses."""
    received: set[str] = set()
    played: set[str] = set()
    for event in written_events(sequence):
        if isinstance(event, Acquisition):
            received |= {text.strip() for text in event.phases.values()}
        elif isinstance(event, Pulse):
            played |= {rotation.phase.strip() for rotation in event.rotations.values()}
    return (received - played) & set(sequence.phase_cycle)
