"""A cycle of toggling frames as a sequence that can be saved, compiled and played."""

from __future__ import annotations

import itertools

from nmrqb.arguments import check_positive
from nmrqb.design.toggling.frames import Group
from nmrqb.design.toggling.order import Visit
from nmrqb.sample import Sample
from nmrqb.sequence import Delay, Event, Pulse, Repeat, Rotation, Sequence


def frame_sequence(
    visits: tuple[Visit, ...],
    groups: tuple[Group, ...],
    sample: Sample,
    *,
    time_s: float,
    cycles: int = 1,
    name: str = "designed",
) -> Sequence:
    """Return the sequence of a cycle.

    Parameters
    ----------
    visits
        The cycle, see `ordered`.
    groups
        Spins that are pulsed alike.
    sample
        The spins.
    time_s
        Time of the target in s: the free evolution is this times the sum of the weights, and the
        parameter ``T``.
    cycles
        In how many equal cycles.
    name
        Name of the sequence.

    Raises
    ------
    ArgumentError
        If the time is not positive and finite.
    """
    check_positive("time_s", time_s)
    roles = [f"S{k + 1}" for k in range(len(sample.spins))]
    together = len(groups) == 1 and len(roles) > 2  # a target is claimed of two roles
    of_group = [["S"]] if together else [[roles[k] for k in group] for group in groups]
    bound = {"S": "all"} if together else dict.fromkeys(roles, "any")
    events: list[Event] = []
    for visit in visits:
        for turns in itertools.zip_longest(*visit.pulses):
            events.append(_pulse(turns, of_group))
        if visit.weight:
            events.append(Delay(f"{visit.weight!r}*T" + (f"/{cycles}" if cycles > 1 else "")))
    return Sequence(
        name=name,
        roles=bound,
        events=tuple(events) if cycles == 1 else (Repeat(str(cycles), tuple(events)),),
        sample=sample.name,
        parameters={"T": f"{time_s!r} s"},
    )


def _pulse(turns: tuple[str | None, ...], roles: list[list[str]]) -> Pulse:
    rotations = {}
    for turn, names in zip(turns, roles, strict=True):
        if turn is not None:
            angle, phase = turn.split()
            rotations.update({name: Rotation(angle, phase) for name in names})
    return Pulse(rotations)
