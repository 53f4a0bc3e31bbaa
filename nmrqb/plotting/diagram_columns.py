"""From a sequence as its file says it to the columns of its diagram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nmrqb.plotting.diagram_legend import Legend, Note, cycle_note, looks_note
from nmrqb.plotting.diagram_marks import formed, literal_degrees, strength_hz, with_height
from nmrqb.plotting.diagram_rows import diagram_rows, played_on, receiver_phases, taken_names
from nmrqb.plotting.lettering import plain
from nmrqb.plotting.notation import (
    angle,
    expression,
    math,
    names,
    phase,
    substituted,
    symbol,
)
from nmrqb.plotting.sequences import (
    GRADIENT,
    GRADIENT_WIDTH,
    HALF_SINE,
    Column,
    Mark,
    box,
    fid,
    flip_look,
)
from nmrqb.sample import Sample
from nmrqb.sequence import (
    Acquisition,
    Block,
    Call,
    CouplingDelay,
    Delay,
    Event,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    VirtualZ,
)
from nmrqb.sequence.binding import single_roles

INLINE = 12  # columns of a block that is drawn in place
MOST = 1000  # columns of a diagram

_WIDEST = {"delay": 64.0, "angle": 40.0, "phase": 30.0, "power": 44.0}  # pt
_DAGGERS = {"couplings": "†", "all": "‡"}
_REFOCUSED = {
    "couplings": "† 180° pulses on all other spins meanwhile refocus their couplings and offsets.",
    "all": "‡ 180° pulses meanwhile refocus the couplings of and to all other spins and, "
    "on the two together, their offsets.",
}
_TIMING = "Delays count from centre to centre of the pulses."
_ROUNDED = "Times are rounded to the raster of the spectrometer."


@dataclass(frozen=True)
class Diagram:
    """A pulse diagram, ready to be drawn.

    Attributes
    ----------
    title
        One line for people.
    columns, rows
        The steps in the order of time, and the names of the rows from top to bottom.
    notes
        What stands under the diagram.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[str, ...]
    notes: tuple[Note, ...] = ()


def sequence_diagram(
    sequence: Sequence,
    sample: Sample | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> Diagram:
    """Return the diagram of a sequence as it is written: symbols, brackets, frames.

    Parameters
    ----------
    sequence
        The sequence.
    sample
        Sample whose spins are named beside the roles, or None.
    parameters
        Parameter to the expression that replaces the one of the file; told under the diagram.
    """
    changed = dict(parameters or {})
    writer = _Writer(sequence, diagram_rows(sequence, sample), changed)
    columns = writer.relative(writer.columns(sequence.events, writer.top, last=True))
    return Diagram(
        title=sequence.title or sequence.name,
        columns=tuple(columns),
        rows=tuple(writer.rows.values()),
        notes=tuple(filter(None, (*writer.notes(changed), looks_note(columns)))),
    )


def sequence_columns(sequence: Sequence, sample: Sample | None = None) -> list[Column]:
    """Return the columns of a sequence as it is written; see `sequence_diagram`."""
    return list(sequence_diagram(sequence, sample).columns)


@dataclass(frozen=True)
class _Scope:
    """Where events stand, and what their names are called in the outermost file.

    Attributes
    ----------
    sequence
        The file of the events.
    values
        Parameter or role to the expression that stands for it.
    roles
        Role to its name in the outermost file.
    phases
        Name of the phase cycle to its symbol.
    pending
        Blocks within which the events stand.
    """

    sequence: Sequence
    values: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[str, ...] = ()

    def resolved(self, text: str) -> str:
        """Return an expression in the names of the outermost file."""
        return substituted(text, self.values)


class _Writer:
    """Turns events into columns and collects what has to be explained under them."""

    def __init__(
        self, sequence: Sequence, rows: Mapping[str, str], changed: Mapping[str, str]
    ) -> None:
        self.sequence = sequence
        self.rows = rows
        self.parameters = {**sequence.parameters, **changed}
        self.cycles: dict[str, tuple[str, ...]] = {}
        self.legend = Legend(taken_names(sequence))
        self.top = _Scope(sequence, phases=self._phases(sequence))
        self._refocused: dict[str, str] = {}
        self._strengths: list[float | None] = []
        self._counts: dict[tuple[int, str], int] = {}
        self._drawn = 0

    # ---------------------------------------------------------------------------- the events
    def columns(self, events: Iterable[Event], scope: _Scope, *, last: bool) -> list[Column]:
        """Return the columns of events; ``last`` where nothing is played after them."""
        listed = tuple(events)
        found: list[Column] = []
        for k, event in enumerate(listed):
            self._drawn += 1
            if self._drawn > MOST:
                return [*found, Column("delay", text="…")] if self._drawn == MOST + 1 else found
            found += self._event(event, scope, last=last and k == len(listed) - 1)
        return found

    def _event(self, event: Event, scope: _Scope, *, last: bool) -> list[Column]:
        match event:
            case Repeat():
                return self._repeat(event, scope)
            case Call():
                return self._call(event, scope, last=last)
            case Delay(time):
                text = scope.resolved(time)
                shown = self.legend.short(expression(text), text, _WIDEST["delay"])
                return [Column("delay", text=shown)]
            case CouplingDelay():
                return [self._coupling_delay(event, scope)]
            case _:
                marks = self._marks(event, scope, last=last)
                return [Column(marks=marks)] if marks else []

    def _marks(
        self, event: Pulse | VirtualZ | Acquisition | Gradient, scope: _Scope, *, last: bool
    ) -> dict[int, Mark]:
        """Return what one event shows, by row."""
        match event:
            case Gradient():
                return {GRADIENT: self._gradient(event, scope)}
            case Pulse(rotations):
                turning = {k: r for k, r in rotations.items() if literal_degrees(r) != 0}
                drawn = {key: self._pulse(r, scope) for key, r in turning.items()}
            case VirtualZ(angles):
                drawn = {key: self._turn(text, scope) for key, text in angles.items()}
            case Acquisition(phases):
                drawn = {key: self._receiver(p, scope, last=last) for key, p in phases.items()}
        return self._by_row(drawn, scope)

    def _by_row(self, marks: Mapping[str, Mark], scope: _Scope) -> dict[int, Mark]:
        order = list(self.rows)
        outer = {scope.roles.get(key, key): mark for key, mark in marks.items()}
        return {order.index(key): outer[key] for key in order if key in outer}

    def _repeat(self, event: Repeat, scope: _Scope) -> list[Column]:
        values = {name: text for name, text in scope.values.items() if name != event.index}
        inner = self.columns(event.events, replace(scope, values=values), last=False)
        times = scope.resolved(event.times)
        shown = self.legend.short(expression(times), times, _WIDEST["angle"])
        text = f"× {shown}"
        if event.index:
            text += f"\n{math(symbol(event.index))} = 1 … {shown}"
        return [Column("open"), *inner, Column("close", text=text)]

    def _coupling_delay(self, event: CouplingDelay, scope: _Scope) -> Column:
        written = scope.resolved(event.angle)
        shown = self.legend.short(angle(written, degrees=False), written, _WIDEST["angle"])
        coupling = scope.resolved(f"J({','.join(event.roles)})" if event.roles else "J")
        text = f"{shown} of {math(expression(coupling))}"
        if event.refocus:
            self._refocused[event.refocus] = _REFOCUSED[event.refocus]
            text += _DAGGERS[event.refocus]
        return Column("delay", text=text)

    # ----------------------------------------------------------------------------- the marks
    def _pulse(self, rotation: Rotation, scope: _Scope) -> Mark:
        degrees = literal_degrees(rotation)
        look, width = flip_look(degrees)
        lines = []
        usual = degrees in {90.0, 180.0} and rotation.composite is None
        if rotation.angle is not None and not usual:
            lines.append(self._angle(rotation.angle, scope, degrees=rotation.degrees))
        if rotation.amplitude is not None:
            lines.append(self._expression(rotation.amplitude, scope))
        lines.append(self._phase(rotation.phase, scope, degrees=rotation.degrees))
        if rotation.offset is not None:
            lines.append(f"at {self._expression(rotation.offset, scope)}")
        duration = rotation.duration
        under = self._expression(duration, scope) if duration is not None else ""
        mark = Mark(label="\n".join(lines), under=under, look=look, width=width)
        return formed(mark, rotation)

    def _turn(self, text: str, scope: _Scope) -> Mark:
        return box(f"$z$ {self._angle(text, scope, degrees=False)}", look="dashed")

    def _receiver(self, text: str, scope: _Scope, *, last: bool) -> Mark:
        shown = self._phase(text, scope, degrees=False)
        if not last:
            return Mark("point", label=shown, width=7.0, look="open")
        return fid(shown if text.strip() in scope.phases else f"rec. {shown}")

    def _gradient(self, event: Gradient, scope: _Scope) -> Mark:
        under = self._expression(event.duration, scope) if event.duration is not None else ""
        mark = Mark(under=under, width=GRADIENT_WIDTH, outline=HALF_SINE)
        if event.strength is None:
            return replace(mark, label="crush", look="hatched")
        self._strengths.append(strength_hz(scope.resolved(event.strength), self.parameters))
        return replace(mark, label=self._expression(event.strength, scope), look="grey")

    def relative(self, columns: list[Column]) -> list[Column]:
        """Return the columns with gradients as high as they are strong."""
        known = [abs(strength) for strength in self._strengths if strength]
        strengths = iter(self._strengths)
        return [with_height(column, strengths, max(known, default=1.0)) for column in columns]

    # ----------------------------------------------------------------------------- the texts
    def _expression(self, text: str, scope: _Scope) -> str:
        written = scope.resolved(text)
        return self.legend.short(expression(written), written, _WIDEST["power"])

    def _angle(self, text: str, scope: _Scope, *, degrees: bool) -> str:
        written = scope.resolved(text)
        return self.legend.short(angle(written, degrees=degrees), written, _WIDEST["angle"])

    def _phase(self, text: str, scope: _Scope, *, degrees: bool) -> str:
        if text.strip() in scope.phases:
            return math(scope.phases[text.strip()])
        written = scope.resolved(text)
        return self.legend.short(phase(written, {}, degrees=degrees), written, _WIDEST["phase"])

    # ------------------------------------------------------------------- blocks and includes
    def _call(self, call: Call, scope: _Scope, *, last: bool) -> list[Column]:
        name = call.name if call.sequence is None else Path(call.name).stem
        block = scope.sequence.blocks.get(call.name) if call.sequence is None else None
        events = call.sequence.events if call.sequence else block.events if block else ()
        known = events and call.name not in scope.pending
        if not known or self._count(events, call.sequence or scope.sequence) > INLINE:
            return [self._box(call, name, scope)]
        inner = self._inside(call, block, scope)
        columns = self.columns(events, inner, last=last)
        return [
            Column("open", text=plain(name), group="frame"),
            *columns,
            Column("close", group="frame"),
        ]

    def _box(self, call: Call, name: str, scope: _Scope) -> Column:
        given = [f"{math(symbol(n))} = {self._expression(e, scope)}"
                 for n, e in call.parameters.items()]  # fmt: skip
        keys = played_on(call, scope.sequence)
        drawn = self._by_row(dict.fromkeys(keys, Mark()), scope)
        return Column("block", text="\n".join([plain(name), *given]), rows=tuple(drawn))

    def _inside(self, call: Call, block: Block | None, scope: _Scope) -> _Scope:
        """Return the scope of what a call plays; its names are told by those outside."""
        given = {name: scope.resolved(text) for name, text in call.parameters.items()}
        roles = {role: scope.roles.get(outer, outer) for role, outer in call.roles.items()}
        if call.sequence is None:
            values = self._values(block.parameters if block else {}, given, scope.values)
            roles = {**scope.roles, **roles}
            renamed = {role: outer for role, outer in roles.items() if role != outer}
            pending = (*scope.pending, call.name)
            return replace(scope, values={**values, **renamed}, roles=roles, pending=pending)
        inner = call.sequence
        roles = {r: scope.roles.get(r, r) for r in inner.roles} | roles
        renamed = {role: outer for role, outer in roles.items() if role != outer}
        single = [roles[role] for role in single_roles(inner)]
        if len(single) == 2 and len(single_roles(self.sequence)) != 2:
            renamed["J"] = f"J({','.join(single)})"
        values = self._values(inner.parameters, given, renamed)
        return _Scope(inner, {**values, **renamed}, roles, self._phases(inner))

    def _values(
        self, own: Mapping[str, str], given: Mapping[str, str], outside: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what stands for the parameters of a call; others keep their names."""
        values = {**outside, **given}
        for name, text in own.items():
            if name in given:
                continue
            resolved = substituted(text, values)
            if self.parameters.setdefault(name, resolved) == resolved:
                values.pop(name, None)
            else:
                values[name] = resolved
        return values

    def _count(self, events: Iterable[Event], sequence: Sequence) -> int:
        """Return the number of columns of events, as far as `INLINE` is concerned."""
        return sum(self._size(event, sequence) for event in events)

    def _size(self, event: Event, sequence: Sequence) -> int:
        if isinstance(event, Repeat):
            return self._count(event.events, sequence)
        if not isinstance(event, Call):
            return 1
        key = (id(event.sequence or sequence), "" if event.sequence else event.name)
        if key not in self._counts:
            self._counts[key] = 1  # while it is counted: a block within itself is one box
            block = sequence.blocks.get(event.name)
            events = event.sequence.events if event.sequence else block.events if block else ()
            size = self._count(events, event.sequence or sequence)
            self._counts[key] = size if size <= INLINE else 1
        return self._counts[key]

    # ----------------------------------------------------------------------------- the notes
    def _phases(self, sequence: Sequence) -> dict[str, str]:
        """Return the symbols of a phase cycle, and keep its lists for the table."""
        symbols = {}
        receiver = receiver_phases(sequence)
        for name, listed in sequence.phase_cycle.items():
            alone = len(receiver) == 1 and name in receiver
            markup = r"\varphi_{\mathrm{rec}}" if alone else symbol(name)
            while self.cycles.setdefault(markup, listed) != listed:
                markup += "'"
            symbols[name] = markup
        return symbols

    def notes(self, changed: Mapping[str, str]) -> Iterator[Note]:
        """Yield what stands under the diagram."""
        listed = [text for phases in self.cycles.values() for text in phases]
        self.legend.used.update(*map(names, listed))
        if self.cycles:
            yield cycle_note(self.cycles)
        yield from self.legend.notes(self.parameters, changed)
        yield from ((text,) for text in self._refocused.values())
        timing = self.sequence.timing
        if timing.centred or timing.rounded:
            yield tuple(filter(None, (timing.centred * _TIMING, timing.rounded * _ROUNDED)))
