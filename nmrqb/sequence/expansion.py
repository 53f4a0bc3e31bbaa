"""From a sequence as written and a sample to the flat, numeric timeline that is played."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nmrqb import units
from nmrqb.errors import Fault, InputError, Position, nearest, refuse
from nmrqb.sample import Sample
from nmrqb.sequence.binding import bind, place, single_roles
from nmrqb.sequence.format import PHASES
from nmrqb.sequence.model import (
    Delay,
    Event,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    Timeline,
)
from nmrqb.units import UnitError, Value

MAX_EVENTS = 1_000_000
MAX_NESTING = 40

Timed = TimedPulse | TimedDelay


class _AlreadyToldError(UnitError):
    """Something needs a value whose own fault is on the list already."""


def expand(
    sequence: Sequence,
    sample: Sample,
    *,
    parameters: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> Timeline:
    """Bind a sequence to a sample and evaluate it to a flat timeline.

    Parameters
    ----------
    sequence, sample
        What is played, and on what.
    parameters
        Parameter to the expression that replaces the one of the file, as by ``--set name=value``.
    roles
        Role to label of a spin; the other roles are bound in sample order.

    Returns
    -------
    Timeline
        Times in s, angles in rad, targets in Hz.

    Raises
    ------
    InputError
        With every fault of the sequence, of the overrides and of the binding.
    """
    faults: list[Fault] = []
    bound = bind(sequence, sample, roles or {}, faults)
    expansion = _Expansion(sequence, sample, bound, faults)
    expansion.set_parameters(parameters or {})
    timeline = expansion.timeline()
    refuse(faults)
    return timeline


@dataclass
class _Expansion:
    """Evaluates a sequence once, front to back, and collects what is wrong."""

    sequence: Sequence
    sample: Sample
    bound: Mapping[str, tuple[int, ...]]
    faults: list[Fault]
    names: dict[str, Value | Callable[..., Value]] = field(default_factory=dict)
    values: dict[str, Value | None] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    places: dict[str, Position] = field(default_factory=dict)  # where parameters are set
    used: set[str] = field(default_factory=set)
    unread: bool = False  # an expression failed: which roles it uses is not known

    def set_parameters(self, overrides: Mapping[str, str]) -> None:
        known = self.sequence.parameters
        texts = {name: (text, place(self.sequence, f"parameters.{name}", "parameters"))
                 for name, text in known.items()}  # fmt: skip
        for name, text in overrides.items():
            at = Position(f"--set {name}")
            if name in known:
                texts[name] = (text, at)
            else:
                message = (
                    f"`{self.sequence.name}` has no parameter `{name}`; {nearest(name, known)}"
                )
                self.faults.append(Fault(at, message))
        for name, (text, at) in texts.items():
            self.names[name] = self._parameter(name, text, at)
            self.places[name] = at
        self.names |= {"J": self._J, "T1": self._T1, "T2": self._T2, "offset": self._offset}

    def timeline(self) -> Timeline:
        for name in self.sequence.parameters:
            self._quietly(self.names[name])
        events = self._events(self.sequence.events, 0)
        target = {term: self._value(text, "frequency", place(self.sequence, f"target.{term}"))
                  for term, text in self.sequence.target.items()}  # fmt: skip
        time = self._target_time()
        self._check_roles()
        values = {name: value.number for name, value in self.values.items() if value is not None}
        return Timeline(
            name=self.sequence.name,
            events=tuple(events),
            roles=MappingProxyType(dict(self.bound)),
            parameters=MappingProxyType(values),
            target_hz=MappingProxyType(target),
            target_spins=self._target_spins(),
            target_time_s=time,
        )

    def _target_spins(self) -> tuple[int, int] | None:
        spins = [self.bound[role][0] for role in single_roles(self.sequence) if role in self.bound]
        return (spins[0], spins[1]) if self.sequence.target and len(spins) == 2 else None

    def _target_time(self) -> float | None:
        text, at = self.sequence.target_time, place(self.sequence, "target.time")
        if text is None:
            return None
        time = self._value(text, "time", at)
        if time <= 0:
            self._fault(at, f"the time of a target must be positive, but `{text}` is {time:g} s")
        return time

    def _check_roles(self) -> None:
        single = single_roles(self.sequence)
        if self.sequence.target and len(single) != 2:
            message = f"a target needs exactly two roles, but there are {len(single)}"
            self._fault(place(self.sequence, "target"), message)
        for role in self.sequence.roles:
            if role not in self.used and not self.unread:
                message = f"role `{role}` is never used; pulse it or leave it out"
                self._fault(place(self.sequence, f"spins.{role}"), message)

    # ------------------------------------------------------------------------------- events
    def _events(self, events: tuple[Event, ...], depth: int) -> list[Timed]:
        played: list[Timed] = []
        for event in events:
            played += self._event(event, depth)
            if len(played) > MAX_EVENTS:
                message = f"the sequence has more than {MAX_EVENTS} events by here; play fewer"
                self._fault(event.at, message)
                return []
        return played

    def _event(self, event: Event, depth: int) -> list[Timed]:
        match event:
            case Pulse():
                return [self._pulse(event)]
            case Delay():
                return [self._delay(event)]
            case Repeat():
                return self._repeat(event, depth + 1)

    def _delay(self, delay: Delay) -> TimedDelay:
        time = self._value(delay.time, "time", delay.at)
        if time < 0:
            message = f"a delay must not be negative, but `{delay.time}` is {time:g} s"
            self._fault(delay.at, message)
        return TimedDelay(time)

    def _repeat(self, repeat: Repeat, depth: int) -> list[Timed]:
        if depth > MAX_NESTING:
            message = f"repeat is nested deeper than {MAX_NESTING} levels; write fewer"
            raise InputError([*self.faults, Fault(repeat.at, message)])
        times = int(self._value(repeat.times, "count", repeat.at))
        inner = self._events(repeat.events, depth)
        if times * len(inner) > MAX_EVENTS:
            count = f"{times} × {len(inner)}"
            message = f"repeat makes {count} events, but at most {MAX_EVENTS} are played"
            self._fault(repeat.at, message)
            return inner
        return inner * times

    def _pulse(self, pulse: Pulse) -> TimedPulse:
        rotations = []
        for role, rotation in pulse.rotations.items():
            self.used.add(role)
            timed = self._rotations(role, rotation)
            if role not in self.sequence.roles:
                hint = nearest(role, self.sequence.roles)
                self._fault(pulse.places.get(role, pulse.at), f"there is no role `{role}`; {hint}")
            elif role in self.bound:
                rotations += timed
        return TimedPulse(tuple(sorted(rotations, key=lambda rotation: rotation.spin)))

    def _rotations(self, role: str, rotation: Rotation) -> list[TimedRotation]:
        angle = self._angle(rotation.angle, rotation)
        phase = self._phase(rotation)
        duration = None
        if rotation.duration is not None:
            duration = self._value(rotation.duration, "time", rotation.at)
            if duration <= 0:
                message = f"a pulse must last longer than 0 s, but `{rotation.duration}`"
                self._fault(rotation.at, f"{message} is {duration:g} s; leave `duration` out")
        return [TimedRotation(k, angle, phase, duration) for k in self.bound.get(role, ())]

    def _phase(self, rotation: Rotation) -> float:
        text = rotation.phase.strip()
        if text in PHASES:
            return math.radians(PHASES[text])
        if text.lstrip("+-").isalpha() and text.lstrip("+-") not in self.names:
            valid = (
                f"x, y, -x, -y or {'degrees' if rotation.degrees else 'an angle such as 45 deg'}"
            )
            self._fault(rotation.at, f"phase must be {valid}, but is `{text}`")
            return 0.0
        return self._angle(text, rotation)

    def _angle(self, text: str, rotation: Rotation) -> float:
        if not rotation.degrees:
            return self._value(text, "angle", rotation.at)
        value = self._calculated(text, rotation.at, "angle")
        if value is None:
            return 0.0
        if value.exponents == units.EXPONENTS["ratio"]:
            if re.search(r"\bpi\b", text):
                message = f"`{text}` would be read as degrees; write 180 deg for pi"
                self._fault(rotation.at, message)
            return math.radians(value.number)
        return self._value(text, "angle", rotation.at)

    # -------------------------------------------------------------------------------- values
    def _value(self, text: str, dimension: units.Dimension, at: Position) -> float:
        """Return an expression in SI, or a harmless value after its fault is on the list."""
        try:
            return units.evaluate(text, dimension, self.names)
        except UnitError as error:
            self._unreadable(self.places.get(text.strip(), at), error)
            return 1.0

    def _calculated(
        self, text: str, at: Position, expected: units.Dimension | None = None
    ) -> Value | None:
        try:
            return units.calculate(text, self.names, expected=expected)
        except UnitError as error:
            self._unreadable(at, error)
            return None

    def _unreadable(self, at: Position, error: UnitError) -> None:
        self.unread = True
        if not isinstance(error, _AlreadyToldError):
            self._fault(at, str(error))

    def _fault(self, at: Position, message: str) -> None:
        self.faults.append(Fault(at, message))

    def _parameter(self, name: str, text: str, at: Position) -> Callable[[], Value]:
        def value() -> Value:
            if name in self.pending:
                loop = " → ".join([*self.pending[self.pending.index(name) :], name])
                raise UnitError(f"parameter `{name}` depends on itself: {loop}")
            if name not in self.values:
                self.values[name] = self._fresh(name, text, at)
            known = self.values[name]
            if known is None:
                raise _AlreadyToldError(f"parameter `{name}` is faulty")
            return known

        return value

    def _fresh(self, name: str, text: str, at: Position) -> Value | None:
        if len(self.pending) >= MAX_NESTING:
            self._fault(at, f"parameter `{name}` is the last of more than {MAX_NESTING} in a chain")
            return None
        self.pending.append(name)
        try:
            return self._calculated(text, at)
        finally:
            self.pending.pop()

    def _quietly(self, entry: Value | Callable[..., Value]) -> None:
        try:
            if callable(entry):
                entry()
        except UnitError:
            pass  # its own fault is on the list

    def _spin(self, role: str) -> int:
        if role not in self.sequence.roles:
            raise UnitError(f"there is no role `{role}`; {nearest(role, self.sequence.roles)}")
        self.used.add(role)
        if role not in self.bound:
            raise _AlreadyToldError(f"role `{role}` is not bound")
        if len(self.bound[role]) != 1:
            count = len(self.bound[role])
            raise UnitError(f"role `{role}` is {count} spins, but one is needed here")
        return self.bound[role][0]

    def _J(self, I: str = "", S: str = "") -> Value:  # noqa: E741 - J(I,S) in files
        roles = [I, S] if S else single_roles(self.sequence)
        if I and not S:
            raise UnitError(f"`J({I})` needs two roles: J(I,S)")
        if len(roles) != 2:
            message = f"`J` needs exactly two roles, but there are {len(roles)}; write J(I,S)"
            raise UnitError(message)
        first, second = (self.sample.labels[self._spin(role)] for role in roles)
        if first == second:
            raise UnitError(f"`J({I},{S})` names one spin twice; a coupling needs two")
        return Value.of(self.sample.coupling(first, second).J_hz, "frequency")

    def _T1(self, I: str) -> Value:  # noqa: E741
        return self._relaxation("T1", I, self.sample.spins[self._spin(I)].T1_s)

    def _T2(self, I: str) -> Value:  # noqa: E741
        return self._relaxation("T2", I, self.sample.spins[self._spin(I)].T2_s)

    def _relaxation(self, name: str, role: str, time: float) -> Value:
        if math.isinf(time):
            raise UnitError(
                f"`{name}({role})` has no value: sample `{self.sample.name}` gives none"
            )
        return Value.of(time, "time")

    def _offset(self, I: str) -> Value:  # noqa: E741
        return Value.of(self.sample.spins[self._spin(I)].offset_hz, "frequency")
