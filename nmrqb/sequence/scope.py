"""The names that the expressions of a sequence may use, and their values on a sample."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field, replace

import numpy as np

from nmrqb import units
from nmrqb.errors import ArgumentError, Fault, InputError, Position, nearest
from nmrqb.sample import Sample
from nmrqb.sample.nuclei import SPIN_HALF, checked_nucleus, relative_gyromagnetic_ratio
from nmrqb.sequence.binding import place, single_roles
from nmrqb.sequence.limits import MAX_NESTING
from nmrqb.sequence.model import Sequence
from nmrqb.sequence.words import PHASES
from nmrqb.units import Number, UnitError, Value, least

Values = str | float | Sequence_[str | float] | Value
"""An expression or plain number, many of them, or a value that may hold an array of numbers."""

_QUARTERS = ("0", "1", "2", "3")
_COUPLING = re.compile(r"(?<!abs\()\bJ\b(?:\([^()]*\))?")
_NAME = re.compile(r"[^\W\d]\w*")


_MAX_FAULTS = 1_000  # a file with more is not the file the user meant


class _AlreadyToldError(UnitError):
    """Something needs a value whose own fault is on the list already."""


@dataclass
class Scope:
    """One sequence bound to a sample: evaluates expressions and collects what is wrong.

    Attributes
    ----------
    sequence, sample
        What is evaluated, and on what.
    bound
        Role to the tensor positions of its spins; roles that could not be bound are missing.
    faults
        The list to which faults are added.
    scan
        Scan whose phases of the phase cycle are used, counted from 0.
    names
        Name to value, or to a function of role names.
    values
        Parameters that have been evaluated; None for a faulty one.
    used
        Roles that something uses.
    phased
        Names of the phase cycle that something uses as a phase.
    unread
        Whether an expression failed, so that the roles it uses are not known.
    """

    sequence: Sequence
    sample: Sample
    bound: Mapping[str, tuple[int, ...]]
    faults: list[Fault]
    scan: int = 0
    names: dict[str, Value | Callable[..., Value]] = field(default_factory=dict)
    values: dict[str, Value | None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    phased: set[str] = field(default_factory=set)
    unread: bool = False
    _pending: list[str] = field(default_factory=list)
    _places: dict[str, Position] = field(default_factory=dict)  # where parameters are set
    _texts: dict[str, str] = field(default_factory=dict)  # what parameters are set to
    _file: Scope | None = None  # the scope of the whole file; None if this is it

    def __post_init__(self) -> None:
        """Add what the sample knows to the names."""
        self.names |= {
            "J": self._J,
            "dipolar": self._dipolar,
            "T1": self._T1,
            "T2": self._T2,
            "gamma": self._gamma,
            "offset": self._offset,
            "pulse_90": self._pulse_90,
        }
        self.names |= {name: self._cycled(name) for name in self.sequence.phase_cycle}

    # ---------------------------------------------------------------------------- parameters
    def set_parameters(self, overrides: Mapping[str, Values]) -> None:
        """Define the parameters of the file, with the expressions of ``--set`` in their place."""
        known = self.sequence.parameters
        texts: dict[str, tuple[Values, Position]]
        texts = {name: (text, place(self.sequence, f"parameters.{name}", "parameters"))
                 for name, text in known.items()}  # fmt: skip
        for name, text in overrides.items():
            at = Position(f"--set {name}")
            if name in known:
                texts[name] = (_checked(name, text), at)
            else:
                what = f"`{self.sequence.name}` has no parameter `{name}`"
                self.fault(at, f"{what}; {nearest(name, known)}")
        for name, (text, at) in texts.items():
            self.define(name, text, at)

    def define(self, name: str, text: Values, at: Position) -> None:
        """Add a parameter that is evaluated where it is first used."""
        self.names[name] = self._parameter(name, text, at)
        self._places[name] = at
        if isinstance(text, str):
            self._texts[name] = text

    def evaluate_parameters(self, names: Iterable[str]) -> None:
        """Evaluate parameters, used or not, so that all faults are told."""
        for name in names:
            self._quietly(self.names[name])

    def given(self, values: Mapping[str, Value], at: Position) -> None:
        """Set parameters to the values of a call that stands at a place."""
        self.names |= values
        self._places |= dict.fromkeys(values, at)
        self._texts = {name: text for name, text in self._texts.items() if name not in values}

    def check_phase_cycle(self) -> None:
        """Evaluate the phase cycle for every scan, so that all faults are told."""
        for name, entries in self.sequence.phase_cycle.items():
            for number, text in enumerate(entries):
                at = place(self.sequence, f"phase_cycle.{name}.{number}", "phase_cycle")
                if name in self.phased:
                    self.phase(text, at)
                elif text.strip() not in PHASES:
                    self.calculated(text, at)

    def check_constraints(self) -> None:
        """Add a fault for every comparison of the file that does not hold."""
        for number, text in enumerate(self.sequence.constraints):
            at = place(self.sequence, f"constraints.{number}", "constraints")
            try:
                found = units.compare(text, self.names)
            except UnitError as error:
                self.refused(at, error)
                continue
            if found.counterexample is not None:
                left, right = map(units.written, found.counterexample)
                self.fault(at, f"must be {text}, but {left} is not {found.operator} {right}")

    def inside(
        self, names: Mapping[str, Value], bound: Mapping[str, tuple[int, ...]] | None = None
    ) -> Scope:
        """Return the scope of one turn of a loop or, with its roles, of a block.

        A loop knows the names round it; a block those of its file, wherever it is played.
        """
        file = self._file or self
        known = self.names if bound is None else file.names
        return replace(
            self,
            bound=self.bound if bound is None else bound,
            names={**known, **names},
            values={},
            used=set(),
            _pending=[],
            _places={},
            _texts={name: text for name, text in self._texts.items() if name not in names},
            _file=file,
        )

    def merge(self, inner: Scope, roles: Mapping[str, str] | None = None) -> None:
        """Take over which roles an inner scope has used, by their names out here."""
        self.used |= {(roles or {}).get(role, role) for role in inner.used}
        self.unread = self.unread or inner.unread

    # -------------------------------------------------------------------------------- values
    def value(self, text: str, dimension: units.Dimension, at: Position) -> Number:
        """Return an expression in SI, or a harmless value after its fault is on the list."""
        try:
            return units.evaluate(text, dimension, self.names)
        except UnitError as error:
            self.refused(self._places.get(text.strip(), at), error)
            return 1.0

    def calculated(
        self, text: str, at: Position, expected: units.Dimension | None = None
    ) -> Value | None:
        """Return an expression of any dimension, or None after its fault is on the list."""
        try:
            return units.calculate(text, self.names, expected=expected)
        except UnitError as error:
            self.refused(at, error)
            return None

    def angle(self, text: str, at: Position, *, degrees: bool = False) -> Number:
        """Return an angle in rad; ``degrees`` reads a number without a unit as degrees."""
        if not degrees:
            return self.value(text, "angle", at)
        value = self.calculated(text, at, "angle")
        if value is None:
            return 0.0
        if value.exponents == units.EXPONENTS["ratio"]:
            if re.search(r"\bpi\b", text):
                self.fault(at, f"`{text}` would be read as degrees; write 180 deg for pi")
            return value.number * (math.pi / 180)
        return self.value(text, "angle", at)

    def phase(self, text: str, at: Position, *, degrees: bool = False) -> Number:
        """Return a phase in rad: x, y, -x, -y, the current one of a phase cycle, or an angle."""
        text = text.translate(units.MINUS).strip()
        if text in PHASES:
            return math.radians(PHASES[text])
        if text in _QUARTERS and not degrees:
            meant = "the phases 0 1 2 3 of spectrometers are x, y, -x, -y here"
            self.fault(at, f"`{text}` has no unit; {meant}, other angles need one: 45 deg")
            return 0.0
        cycle = self.sequence.phase_cycle
        if text in cycle:
            self.phased.add(text)
            return self._cycled_phase(text, at)
        if text.lstrip("+-").isidentifier() and text.lstrip("+-") not in self.names:
            names = ", ".join([*PHASES, *cycle])
            valid = f"{names} or {'degrees' if degrees else 'an angle such as 45 deg'}"
            self.fault(at, f"phase must be {valid}, but is `{text}`")
            return 0.0
        return self.angle(text, at, degrees=degrees)

    def _cycled_phase(self, name: str, at: Position) -> Number:
        if name in self._pending:
            self.fault(at, self._loop(name))
            return 0.0
        self._pending.append(name)
        try:
            return self.phase(*self._current(name))
        finally:
            self._pending.pop()

    def _loop(self, name: str) -> str:
        loop = " → ".join([*self._pending[self._pending.index(name) :], name])
        return f"`{name}` of the phase cycle depends on itself: {loop}"

    def _current(self, name: str) -> tuple[str, Position]:
        """Return what a name of the phase cycle means in this scan, and where that stands."""
        entries = self.sequence.phase_cycle[name]
        number = self.scan % len(entries)
        return entries[number], place(self.sequence, f"phase_cycle.{name}.{number}", "phase_cycle")

    def _cycled(self, name: str) -> Callable[[], Value]:
        def value() -> Value:
            text, at = self._current(name)
            if text in PHASES:
                raise UnitError(f"`{name}` is the phase {text} here; write an angle in its list")
            if name in self._pending:
                raise UnitError(self._loop(name))
            self._pending.append(name)
            found = self.calculated(text, at)
            self._pending.pop()
            if found is None:
                raise _AlreadyToldError(f"`{name}` is faulty")
            return found

        return value

    def negative_coupling(self, text: str) -> str | None:
        """Return a coupling that an expression holds with its sign and that is negative, or None.

        The expressions of the parameters in it count too; ``abs(J)`` has no sign.
        """
        pending, told = [text], set[str]()
        while pending:
            written = pending.pop()
            for coupling in _COUPLING.findall(written):
                if least(units.calculate(coupling, self.names).number) < 0:
                    return str(coupling)
            new = (set(_NAME.findall(written)) & set(self._texts)) - told
            told |= new
            pending += (self._texts[name] for name in sorted(new))
        return None

    # --------------------------------------------------------------------------------- spins
    def spins(self, target: str, at: Position) -> tuple[int, ...]:
        """Return the spins of a role or of a nucleus; none after the fault is on the list."""
        if target in self.sequence.roles:
            self.used.add(target)
            return self.bound.get(target, ())
        if target in SPIN_HALF:
            return self._spins_of(target, at)
        self.unread = True
        if target[:1].isdigit():  # no role is called so
            try:
                checked_nucleus(target)
            except ValueError as error:
                self.fault(at, f"`{target}` {error}")
            return ()
        if target in self.sample.labels:
            bind = f"give it a role, `spins: {{I: any}}`, and bind it by --spins I={target}"
            self.fault(
                at, f"`{target}` is a spin of sample `{self.sample.name}`, not a role; {bind}"
            )
            return ()
        self.fault(at, f"there is no role `{target}`; {nearest(target, self.sequence.roles)}")
        return ()

    def _spins_of(self, nucleus: str, at: Position) -> tuple[int, ...]:
        found = tuple(k for k, spin in enumerate(self.sample.spins) if spin.nucleus == nucleus)
        self.used |= {role for role, spins in self.bound.items() if set(spins) & set(found)}
        if not found:
            hint = nearest(nucleus, self.sample.nuclei)
            self.fault(at, f"sample `{self.sample.name}` has no {nucleus}; {hint}")
        return found

    def pair(self, roles: tuple[str, ...], name: str = "J") -> tuple[int, int]:
        """Return the two spins of ``J(I,S)``, or of ``J`` where there are two roles of one spin.

        Raises
        ------
        UnitError
            If these are not two spins.
        """
        roles = roles or tuple(single_roles(self.sequence))
        if len(roles) != 2:
            raise UnitError(self._no_pair(roles, name))
        first, second = (self._spin(role) for role in roles)
        if first == second:
            called = f"{name}({','.join(roles)})"
            raise UnitError(f"`{called}` names one spin twice; a coupling needs two")
        return first, second

    def _no_pair(self, single: tuple[str, ...], name: str) -> str:
        """Say why a bare ``J`` means no pair, and what would be right."""
        groups = [role for role in self.sequence.roles if role not in single]
        if not groups:
            return (
                f"`{name}` needs exactly two roles, but there are {len(single)}; write {name}(I,S)"
            )
        there = f"only {', '.join(single)}" if single else "none"
        several = ", ".join(f"`{role}` ({self.sequence.roles[role]})" for role in groups)
        return (
            f"`{name}` is the coupling of two roles of one spin, but there is {there} here, as "
            f"{several} may be many spins; declare two, `spins: {{I: any, S: any}}`, and write "
            f"{name}(I,S)"
        )

    def _spin(self, role: str) -> int:
        if role not in self.sequence.roles:
            raise UnitError(f"there is no role `{role}`; {nearest(role, self.sequence.roles)}")
        self.used.add(role)
        if role not in self.bound:
            raise _AlreadyToldError(f"role `{role}` is not bound")
        if len(self.bound[role]) != 1:
            labels = ", ".join(self.sample.labels[spin] for spin in self.bound[role])
            raise UnitError(
                f"role `{role}` is {len(self.bound[role])} spins ({labels}), but one is needed "
                f"here; give that one a role of its own, `spins: {{I: any}}`"
            )
        return self.bound[role][0]

    # -------------------------------------------------------------------------------- faults
    def fault(self, at: Position, message: str) -> None:
        """Add one fault; where there are too many, the rest is not looked for."""
        self.faults.append(Fault(at, message))
        if len(self.faults) >= _MAX_FAULTS:
            raise InputError(self.faults)

    def refused(self, at: Position, error: UnitError) -> None:
        """Add the fault of an expression, unless it has been told already."""
        self.unread = True
        if not isinstance(error, _AlreadyToldError):
            self.fault(at, str(error))

    def _parameter(self, name: str, text: Values, at: Position) -> Callable[[], Value]:
        def value() -> Value:
            if name in self._pending:
                loop = " → ".join([*self._pending[self._pending.index(name) :], name])
                raise UnitError(f"parameter `{name}` depends on itself: {loop}")
            if name not in self.values:
                self.values[name] = self._fresh(name, text, at)
            known = self.values[name]
            if known is None:
                raise _AlreadyToldError(f"parameter `{name}` is faulty")
            return known

        return value

    def _fresh(self, name: str, text: Values, at: Position) -> Value | None:
        if len(self._pending) >= MAX_NESTING:
            self.fault(at, f"parameter `{name}` is the last of more than {MAX_NESTING} in a chain")
            return None
        self._pending.append(name)
        try:
            return self._evaluated(text, at)
        finally:
            self._pending.pop()

    def _evaluated(self, text: Values, at: Position) -> Value | None:
        if isinstance(text, Value):
            return text
        if isinstance(text, str | float):
            return self._single(text, at)
        values = [self._single(one, at) for one in text]
        kinds = {value.exponents for value in values if value is not None}
        if len(kinds) > 1:
            self.fault(at, f"all values must be of one dimension, but are {len(kinds)} different")
        if len(kinds) != 1 or None in values:
            return None
        numbers = np.array([value.number for value in values if value is not None])
        return Value(numbers, kinds.pop())

    def _single(self, text: str | float, at: Position) -> Value | None:
        """Evaluate an expression; a number means what it means in a file: one without a unit."""
        return self.calculated(text, at) if isinstance(text, str) else Value(text)

    def _quietly(self, entry: Value | Callable[..., Value]) -> None:
        try:
            if callable(entry):
                entry()
        except UnitError:
            pass  # its own fault is on the list

    # ------------------------------------------------------------------- values of the sample
    def _J(self, I: str = "", S: str = "") -> Value:  # noqa: E741 - J(I,S) in files
        if I and not S:
            raise UnitError(f"`J({I})` needs two roles: J(I,S)")
        first, second = (self.sample.labels[spin] for spin in self.pair((I, S) if S else ()))
        return Value.of(self.sample.coupling(first, second).J_hz, "frequency")

    def _dipolar(self, I: str = "", S: str = "") -> Value:  # noqa: E741
        if I and not S:
            raise UnitError(f"`dipolar({I})` needs two roles: dipolar(I,S)")
        first, second = (self.sample.labels[k] for k in self.pair((I, S) if S else (), "dipolar"))
        return Value.of(self.sample.coupling(first, second).dipolar_hz, "frequency")

    def _T1(self, I: str) -> Value:  # noqa: E741
        return self._time("T1", I, self.sample.spins[self._spin(I)].T1_s)

    def _T2(self, I: str) -> Value:  # noqa: E741
        return self._time("T2", I, self.sample.spins[self._spin(I)].T2_s)

    def _pulse_90(self, I: str) -> Value:  # noqa: E741
        calibrated = self.sample.spins[self._spin(I)].pulse_90_s
        return self._time("pulse_90", I, math.inf if calibrated is None else calibrated)

    def _time(self, name: str, role: str, time: float) -> Value:
        if math.isinf(time):
            raise UnitError(
                f"`{name}({role})` has no value: sample `{self.sample.name}` gives none"
            )
        return Value.of(time, "time")

    def _gamma(self, I: str) -> Value:  # noqa: E741
        return Value(relative_gyromagnetic_ratio(self.sample.spins[self._spin(I)].nucleus))

    def _offset(self, I: str) -> Value:  # noqa: E741
        return Value.of(self.sample.spins[self._spin(I)].offset_hz, "frequency")


def _checked(name: str, given: object) -> Values:
    """Return the value or values that a Python caller gives a parameter.

    Raises
    ------
    ArgumentError
        If they are neither texts, finite numbers nor a `Value`.
    """
    if isinstance(given, Value):
        return given
    if not isinstance(given, list | tuple | np.ndarray):
        return _checked_item(name, given)
    items = [given] if np.ndim(given) == 0 or not len(given) else given
    return [_checked_item(name, item) for item in items]


def _checked_item(name: str, item: object) -> str | float:
    if isinstance(item, str):
        return str(item)
    if isinstance(item, numbers.Real) and not isinstance(item, bool) and math.isfinite(item):
        return float(item)
    raise ArgumentError(
        f"Argument `parameters` must give `{name}` an expression such as '5 ms', a finite number "
        f"where no unit is needed, or a list of these, but gives {item!r}"
    )
