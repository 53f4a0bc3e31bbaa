"""The events of a sequence, evaluated one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from nmrqb.errors import Fault, InputError, Position, nearest
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence.binding import place
from nmrqb.sequence.limits import MAX_EVENTS, MAX_NESTING, MAX_STEPS
from nmrqb.sequence.model import (
    Acquisition,
    Block,
    Call,
    CouplingDelay,
    Delay,
    Event,
    Gradient,
    Pulse,
    Repeat,
    Sequence,
    TimedAcquisition,
    TimedDelay,
    TimedGradient,
    TimedPulse,
    TimedRotation,
    VirtualZ,
)
from nmrqb.sequence.pulses import MAX_ALL_STEPS, hard_rotation, timed_pulses
from nmrqb.sequence.refocusing import refocused
from nmrqb.sequence.scope import Scope
from nmrqb.sequence.timing import (
    CentredDelay,
    Draft,
    Frame,
    PulseTrain,
    Raster,
    seconds,
)
from nmrqb.units import Number, UnitError, Value, every, is_batch, least

Bound = Mapping[str, tuple[int, ...]]  # role to the tensor positions of its spins

_Played = tuple[list["Draft"], set[str]]  # what a call plays, and the roles inside that it uses


@dataclass
class Shared:
    """What all expansions of one sequence share.

    ``steps`` counts the events that were evaluated one by one, ``shaped`` the steps of their
    pulses; ``known`` holds what sound calls played, so that the same call plays it again without
    being evaluated again.
    """

    steps: int = 0
    shaped: int = 0
    known: dict[Hashable, _Played] = field(default_factory=dict)


class Player:
    """Evaluates the events of one scope, front to back.

    ``turns`` is how often the counted loops round it play it.
    """

    def __init__(
        self,
        scope: Scope,
        pulses: PulseModel,
        depth: int = 0,
        calls: tuple[str, ...] = (),
        shared: Shared | None = None,
    ) -> None:
        self.scope, self.pulses = scope, pulses
        self.depth, self.calls = depth, calls
        self.shared = shared or Shared()
        self.turns = 1
        timing = scope.sequence.timing
        self.centred = timing.centred
        self.raster = Raster(scope.sample.raster_s, timing, scope.faults)
        self._players: Mapping[type[Event], Callable[[Any], Several[Draft]]] = {
            Pulse: self._pulse,
            Delay: self._delay,
            CouplingDelay: self._coupling_delay,
            Gradient: self._gradient,
            VirtualZ: self._virtual_z,
            Acquisition: self._acquisition,
            Repeat: self._repeat,
            Call: self._call,
        }

    def events(self, events: tuple[Event, ...]) -> list[Draft]:
        """Return what is played for a list of events."""
        played: list[Draft] = []
        for event in events:
            played += self._players[type(event)](event)
            if len(played) > MAX_EVENTS:
                message = f"the sequence has more than {MAX_EVENTS} events by here; play fewer"
                raise InputError([*self.scope.faults, Fault(event.at, message)])
        return played

    # ------------------------------------------------------------------------- single events
    def _pulse(self, pulse: Pulse) -> list[Draft]:
        played, frame = timed_pulses(pulse, self.scope, self.pulses)
        self.shared.shaped += sum(len(r.steps) for element in played for r in element.rotations)
        if self.shared.shaped > MAX_ALL_STEPS:
            message = f"the pulses have more than {MAX_ALL_STEPS} steps by here; give shapes fewer"
            raise InputError([*self.scope.faults, Fault(pulse.at, f"{message} points")])
        played = [self._on_raster(element, pulse.at) for element in played]
        train = played[0] if len(played) == 1 else PulseTrain(tuple(played))
        return [train, Frame(frame)] if frame else [train]

    def _on_raster(self, pulse: TimedPulse, at: Position) -> TimedPulse:
        """Hold the lengths of a pulse; where they are rounded, its angles stay."""
        if not self.raster.holds:
            return pulse
        labels = self.scope.sample.labels

        def held(rotation: TimedRotation) -> TimedRotation:
            what = f"the pulse on `{labels[rotation.spin]}`"
            return replace(rotation, duration=self.raster.held(rotation.duration, what, at))

        return TimedPulse(tuple(map(held, pulse.rotations)))

    def _delay(self, delay: Delay) -> list[Draft]:
        time = self.scope.value(delay.time, "time", delay.at)
        if least(time) < 0:
            shown = seconds(least(time))
            message = f"a delay must not be negative, but `{delay.time}` is {shown}"
            self.scope.fault(delay.at, message + self._why_negative(delay.time))
        return [self._stretch(time, delay.time, delay.at)]

    def _why_negative(self, text: str) -> str:
        """Return what to do about a delay that a negative coupling makes negative."""
        coupling = self.scope.negative_coupling(text)
        if coupling is None:
            return ""
        return (
            f": {coupling} is negative; write abs({coupling}) where only its size matters, or let "
            "`nmrqb design` make the sequence"
        )

    def _stretch(self, time: Number, text: str, at: Position) -> Draft:
        if self.centred:
            return CentredDelay(time, text, self.raster, at)
        return TimedDelay(self.raster.held(time, f"the delay `{text}`", at))

    def _coupling_delay(self, delay: CouplingDelay) -> list[Draft]:
        angle = self.scope.angle(delay.angle, delay.place("angle"))
        try:
            pair = self.scope.pair(delay.roles)
            time = _coupling_time(self.scope.sample, pair, angle)
        except UnitError as error:
            self.scope.refused(delay.place("coupling"), error)
            return []
        text = f"{delay.angle} of J"
        if delay.refocus is None:
            return [self._stretch(time, text, delay.at)]
        both = delay.refocus == "all"
        pattern = refocused(len(self.scope.sample.spins), pair, include_pair=both)
        drafts: list[Draft] = []
        for flipped in pattern:
            drafts.append(self._stretch(time / len(pattern), text, delay.at))
            if flipped:
                drafts.append(self._on_raster(self._inversion(flipped), delay.at))
        return drafts

    def _inversion(self, flipped: Mapping[int, float]) -> TimedPulse:
        turns = ((spin, (math.pi, phase)) for spin, phase in flipped.items())
        return TimedPulse(tuple(hard_rotation(self.scope, self.pulses, *turn) for turn in turns))

    def _gradient(self, gradient: Gradient) -> list[Draft]:
        duration = self._length(gradient)
        if gradient.strength is None:
            return [TimedGradient(duration)]
        strength = self.scope.value(gradient.strength, "frequency", gradient.place("strength"))
        return [TimedGradient(duration, strength)]

    def _length(self, gradient: Gradient) -> Number:
        if gradient.duration is None:
            return 0.0
        at = gradient.place("duration")
        duration = self.scope.value(gradient.duration, "time", at)
        if least(duration) <= 0:
            shown = f"`{gradient.duration}` is {seconds(least(duration))}"
            self.scope.fault(at, f"a gradient must last longer than 0 s, but {shown}")
        return self.raster.held(duration, "the gradient", at)

    def _virtual_z(self, rotation: VirtualZ) -> list[Draft]:
        angles: dict[int, Number] = {}
        for target, text in rotation.angles.items():
            at = rotation.places.get(target, rotation.at)
            self._give(angles, target, self.scope.angle(text, rotation.place(target)), at)
        return [Frame(MappingProxyType(angles))]

    def _acquisition(self, acquisition: Acquisition) -> list[Draft]:
        phases: dict[int, Number] = {}
        for target, text in acquisition.phases.items():
            at = acquisition.places.get(target, acquisition.at)
            self._give(phases, target, self.scope.phase(text, acquisition.place(target)), at)
        return [TimedAcquisition(MappingProxyType(dict(sorted(phases.items()))))]

    def _give(self, values: dict[int, float], target: str, value: float, at: Position) -> None:
        """Give a value to the spins of a role or nucleus; a spin that has one is a fault."""
        for spin in self.scope.spins(target, at):
            if spin in values:
                label = self.scope.sample.labels[spin]
                self.scope.fault(at, f"spin `{label}` stands here twice; name it once")
            values[spin] = value

    # -------------------------------------------------------------------- events in place of one
    def _repeat(self, repeat: Repeat) -> list[Draft]:
        times = int(self.scope.value(repeat.times, "count", repeat.at))
        if repeat.index is not None:
            return self._counted(repeat, repeat.index, times)
        inner = self._inside(repeat.at, "repeat").events(repeat.events)
        if times * len(inner) > MAX_EVENTS:
            count = f"{times} × {len(inner)}"
            message = f"repeat makes {count} events, but at most {MAX_EVENTS} are played"
            self.scope.fault(repeat.at, message)
            return inner
        return inner * times

    def _counted(self, repeat: Repeat, index: str, times: int) -> list[Draft]:
        """Evaluate the events anew for every value of the index, up to the first fault."""
        if index in self.scope.names or index in self.scope.sequence.phase_cycle:
            self.scope.fault(repeat.at, f"index `{index}` has a meaning already; rename it")
            return []
        inside = self._inside(repeat.at, "repeat")
        inside.turns = self.turns * max(times, 1)
        faults, played = len(self.scope.faults), list[Draft]()
        steps = max(len(repeat.events), 1)
        if max(inside.turns * steps, self.shared.steps + times * steps) > MAX_STEPS:
            limit = f"at most {MAX_STEPS} events with an index are played"
            self.scope.fault(repeat.at, f"repeat counts to {times}, but {limit}")
        for count in range(1, times + 1):
            if len(self.scope.faults) > faults:
                break
            self.shared.steps += steps
            inside.scope = self.scope.inside({index: Value(float(count))})
            played += inside.events(repeat.events)
            self.scope.merge(inside.scope)
        return played

    def _inside(self, at: Position, what: str) -> Player:
        if self.depth >= MAX_NESTING:
            message = f"{what} is nested deeper than {MAX_NESTING} levels; write fewer"
            raise InputError([*self.scope.faults, Fault(at, message)])
        inner = Player(self.scope, self.pulses, self.depth + 1, self.calls, self.shared)
        inner.turns = self.turns
        return inner

    def _call(self, call: Call) -> list[Draft]:
        self.shared.steps += 1
        if self.shared.steps > MAX_STEPS:
            message = f"more than {MAX_STEPS} blocks and events with an index are played by here"
            raise InputError([*self.scope.faults, Fault(call.at, f"{message}; play fewer")])
        return self._block(call) if call.sequence is None else self._include(call, call.sequence)

    def _block(self, call: Call) -> list[Draft]:
        blocks = self.scope.sequence.blocks
        if call.name not in blocks:
            known = nearest(call.name, blocks) if blocks else "the file has no `blocks`"
            self.scope.fault(call.at, f"there is no block `{call.name}`; {known}")
            self.scope.unread = True
            return []
        if call.name in self.calls:
            loop = " → ".join([*self.calls[self.calls.index(call.name) :], call.name])
            self.scope.fault(call.at, f"block `{call.name}` plays itself: {loop}")
            return []
        block = blocks[call.name]
        given = self._given(call, block.parameters)
        bound = self._renamed(call, self.scope.sequence.roles)
        return self._once(
            call,
            (id(self.scope.sequence), call.name, *given.items(), *bound.items()),
            given.values(),
            lambda: self._fresh_block(call, block, given, bound),
        )

    def _once(
        self,
        call: Call,
        key: tuple[object, ...],
        given: Iterable[Value],
        play: Callable[[], _Played],
    ) -> list[Draft]:
        """Play a call, or what the same call has played before if nothing was wrong with it."""
        known, faults = self.shared.known, len(self.scope.faults)
        hashable = not any(is_batch(value.number) for value in given)
        if hashable and key in known:
            played, used = known[key]
        else:
            played, used = play()
            if hashable and len(self.scope.faults) == faults:
                known[key] = (played, used)
        self.scope.used |= {call.roles.get(role, role) for role in used}
        return played

    def _fresh_block(
        self, call: Call, block: Block, given: Mapping[str, Value], bound: Bound
    ) -> _Played:
        inside = self._inside(call.at, "block")
        inside.scope = self.scope.inside({}, bound)
        inside.scope.given(given, call.at)
        for name, text in block.parameters.items():
            if name not in given:
                at = place(self.scope.sequence, f"blocks.{call.name}.parameters.{name}", "blocks")
                inside.scope.define(name, text, at)
        inside.scope.evaluate_parameters(block.parameters)
        inside.calls = (*self.calls, call.name)
        played = inside.events(block.events)
        self.scope.unread = self.scope.unread or inside.scope.unread
        return played, inside.scope.used

    def _include(self, call: Call, sequence: Sequence) -> list[Draft]:
        given = self._given(call, sequence.parameters)
        bound = self._renamed(call, sequence.roles)
        return self._once(
            call,
            (id(sequence), "", *given.items(), *bound.items()),
            given.values(),
            lambda: self._fresh_include(call, sequence, given, bound),
        )

    def _fresh_include(
        self, call: Call, sequence: Sequence, given: Mapping[str, Value], bound: Bound
    ) -> _Played:
        inner = Scope(sequence, self.scope.sample, bound, self.scope.faults, self.scope.scan)
        inner.set_parameters({})
        inner.given(given, call.at)
        self._check_nuclei(call, inner)
        if self._shared(call, bound) or len(bound) < len(sequence.roles):
            self.scope.unread = True
            return [], set()
        inner.evaluate_parameters(sequence.parameters)
        inner.check_constraints()
        inside = self._inside(call.at, "include")
        other = Player(inner, self.pulses, inside.depth, (), self.shared)
        other.turns = self.turns
        played = other.events(sequence.events)
        inner.check_phase_cycle()
        self.scope.unread = self.scope.unread or inner.unread
        return played, inner.used

    def _given(self, call: Call, known: Mapping[str, str]) -> dict[str, Value]:
        """Evaluate the parameters of a call over the names outside."""
        values = {}
        for name, text in call.parameters.items():
            at = call.place(f"parameters.{name}")
            if name not in known:
                hint = nearest(name, known) if known else "it has none"
                there = call.places.get(f"parameters.{name}", call.at)
                self.scope.fault(there, f"`{call.name}` has no parameter `{name}`; {hint}")
            value = self.scope.calculated(text, at)
            if value is not None:
                values[name] = value
        return values

    def _renamed(self, call: Call, roles: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
        """Return the spins of the roles inside."""
        outside = self.scope.sequence.roles
        for inner, outer in call.roles.items():
            if inner not in roles:
                hint, there = nearest(inner, roles), call.places.get(f"spins.{inner}", call.at)
                self.scope.fault(there, f"`{call.name}` has no role `{inner}`; {hint}")
            if outer not in outside:
                at = call.place(f"spins.{inner}")
                self.scope.fault(at, f"there is no role `{outer}`; {nearest(outer, outside)}")
        for role in [role for role in roles if role not in call.roles and role not in outside]:
            message = f"`{call.name}` needs a role `{role}`; give it as spins: {{{role}: …}}"
            self.scope.fault(call.at, f"{message}; {nearest(role, outside)}")
        named = {role: call.roles.get(role, role) for role in roles}
        bound = self.scope.bound
        return {role: bound[outer] for role, outer in named.items() if outer in bound}

    def _shared(self, call: Call, bound: Mapping[str, tuple[int, ...]]) -> bool:
        """Tell whether two roles inside get one spin, which is a fault."""
        owners: dict[int, str] = {}
        for role, spins in bound.items():
            for spin in spins:
                if spin in owners:
                    label, both = self.scope.sample.labels[spin], f"`{owners[spin]}` and `{role}`"
                    message = f"roles {both} of `{call.name}` both get spin `{label}`; each needs"
                    self.scope.fault(call.at, f"{message} its own")
                    return True
                owners[spin] = role
        return False

    def _check_nuclei(self, call: Call, inner: Scope) -> None:
        """See that every role inside gets as many spins as it is, of the nucleus it needs."""
        for role, spins in inner.bound.items():
            several, _, nucleus = inner.sequence.roles[role].partition(" ")
            wanted = (nucleus or "any") if several == "all" else several
            owned = [self.scope.sample.spins[spin] for spin in spins]
            if several != "all" and len(spins) != 1:
                message = f"role `{role}` of `{call.name}` is one spin, but {len(spins)} are given"
                self.scope.fault(call.at, message)
            wrong = [spin for spin in owned if wanted not in {"any", spin.nucleus}]
            if wrong:
                message = f"role `{role}` of `{call.name}` needs a {wanted} nucleus, but spin"
                self.scope.fault(call.at, f"{message} `{wrong[0].label}` is {wrong[0].nucleus}")


def _coupling_time(sample: Sample, pair: tuple[int, int], angle: Number) -> Number:
    """Return the shortest t ≥ 0 with πJt = θ up to whole turns, in s."""
    first, second = (sample.labels[spin] for spin in pair)
    coupling = sample.coupling(first, second)
    if coupling.dipolar_hz or coupling.tensor_hz is not None:
        message = f"`{first}` and `{second}` have more than a scalar coupling; give a time instead"
        raise UnitError(message)
    if coupling.J_hz == 0:
        raise UnitError(f"`{first}` and `{second}` have no scalar coupling, so that it never turns")
    turn = angle if coupling.J_hz > 0 else -angle
    if not every(turn >= 0):
        turn = turn - 2 * math.pi * (turn // (2 * math.pi)) * (turn < 0)
    return turn / (math.pi * abs(coupling.J_hz))
