"""From a sequence as written and a sample to the flat, numeric timeline that is played."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, Fault, refuse
from nmrqb.sample import PulseModel, Sample, check_pulse_model
from nmrqb.sequence.binding import bind, place, single_roles
from nmrqb.sequence.model import (
    Call,
    Repeat,
    Sequence,
    Timeline,
)
from nmrqb.sequence.player import Player
from nmrqb.sequence.scope import Scope, Values
from nmrqb.sequence.timing import (
    carried,
    placed,
)
from nmrqb.units import Number, least


@checked
def expand(
    sequence: Sequence,
    sample: Sample,
    *,
    pulses: PulseModel = "ideal",
    parameters: Mapping[str, Values] | None = None,
    roles: Mapping[str, str] | None = None,
    scan: int = 0,
) -> Timeline:
    """Bind a sequence to a sample and evaluate it to a flat timeline.

    Parameters
    ----------
    sequence, sample
        What is played, and on what.
    pulses
        ``ideal`` makes every pulse without a written length instantaneous; ``finite`` gives it
        the length that the sample's 90° times make.
    parameters
        Parameter to the expression that replaces the one of the file, as by ``--set name=value``,
        or to a number of Python or numpy, which means what it means in the file: one without a
        unit, for counts and factors; a time is ``f"{t} s"`` or ``Value.of(t, "time")`` of
        `nmrqb.units`.  A list of these, or a `nmrqb.units.Value` that holds an array, is a batch:
        times and angles of the timeline are then arrays.
    roles
        Role to label of a spin; the other roles are bound in sample order.
    scan
        Scan of the phase cycle, counted from 0.

    Returns
    -------
    Timeline
        Times in s, angles in rad, targets in Hz.

    Raises
    ------
    InputError
        With every fault of the sequence, of the overrides and of the binding.
    ArgumentError
        If ``pulses`` or ``scan`` has no such value, a parameter is neither text nor a finite
        number, or a finite pulse has no 90° time.
    """
    check_pulse_model(pulses)
    if scan < 0:
        raise ArgumentError(f"Argument `scan` must be ≥ 0, but is {scan}")
    faults: list[Fault] = []
    bound = bind(sequence, sample, roles or {}, faults)
    scope = Scope(sequence, sample, bound, faults, scan)
    scope.set_parameters(parameters or {})
    timeline = _timeline(scope, pulses)
    refuse(faults)
    return timeline


def _timeline(scope: Scope, pulses: PulseModel) -> Timeline:
    sequence, faults = scope.sequence, scope.faults
    scope.evaluate_parameters(sequence.parameters)
    scope.check_constraints()
    drafts = Player(scope, pulses).events(sequence.events)
    _check_unplayed(scope, pulses)
    scope.check_phase_cycle()
    events, frame = carried(placed(drafts, faults))
    target = {term: scope.value(text, "frequency", place(sequence, f"target.{term}"))
              for term, text in sequence.target.items()}  # fmt: skip
    time, tolerance = _target_time(scope), _target_tolerance(scope)
    _check_roles(scope)
    _check_parameters(scope)
    values = {name: value.number for name, value in scope.values.items() if value is not None}
    return Timeline(
        name=sequence.name,
        events=tuple(events),
        pulses=pulses,
        roles=MappingProxyType(dict(scope.bound)),
        parameters=MappingProxyType(values),
        frame=frame,
        target_hz=MappingProxyType(target),
        target_spins=_target_spins(scope),
        target_time_s=time,
        target_tolerance=tolerance,
    )


def _target_spins(scope: Scope) -> tuple[int, int] | None:
    spins = [scope.bound[r][0] for r in single_roles(scope.sequence) if r in scope.bound]
    return (spins[0], spins[1]) if scope.sequence.target and len(spins) == 2 else None


def _target_time(scope: Scope) -> Number | None:
    text, at = scope.sequence.target_time, place(scope.sequence, "target.time")
    if text is None:
        return None
    time = scope.value(text, "time", at)
    if least(time) <= 0:
        scope.fault(at, f"the time of a target must be positive, but `{text}` is {least(time):g} s")
    return time


def _target_tolerance(scope: Scope) -> Number | None:
    text, at = scope.sequence.target_tolerance, place(scope.sequence, "target.tolerance")
    if text is None:
        return None
    share = scope.value(text, "ratio", at)
    if not 0 < least(share) < 1:
        message = f"the tolerance of a target must be between 0 and 1, but `{text}`"
        scope.fault(at, f"{message} is {least(share):g}")
    return share


def _check_unplayed(scope: Scope, pulses: PulseModel) -> None:
    """Play the blocks that no event plays, for their faults."""
    blocks, used = scope.sequence.blocks, set(scope.used)
    waiting, played = [scope.sequence.events], set[str]()
    while waiting:
        for event in waiting.pop():
            if isinstance(event, Repeat):
                waiting.append(event.events)
            elif isinstance(event, Call) and event.sequence is None and event.name not in played:
                played.add(event.name)
                waiting += [blocks[event.name].events] if event.name in blocks else []
    for name in [name for name in blocks if name not in played]:
        call = Call(name, at=place(scope.sequence, f"blocks.{name}", "blocks"))
        Player(scope, pulses).events((call,))
    scope.used = used


def _check_parameters(scope: Scope) -> None:
    """Refuse parameters that nothing uses, in a file that is sound otherwise."""
    for name, at in () if scope.faults else scope.sequence.unused.items():
        scope.fault(at, f"parameter `{name}` is never used; to set it would change nothing")


def _check_roles(scope: Scope) -> None:
    sequence = scope.sequence
    single = single_roles(sequence)
    if sequence.target and len(single) != 2:
        message = f"a target needs exactly two roles, but there are {len(single)}"
        scope.fault(place(sequence, "target"), message)
    for role in sequence.roles:
        if role not in scope.used and not scope.unread:
            hint = "pulse it or leave it out (roles are bound in sample order: S: 13C asks for one)"
            message = f"role `{role}` is never used; {hint}"
            scope.fault(place(sequence, f"spins.{role}"), message)
