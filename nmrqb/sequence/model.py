"""The nouns of a sequence: what a file says (`Sequence`) and what is played (`Timeline`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType

from nmrqb.errors import Position
from nmrqb.operators import Complex, Real
from nmrqb.sample import PulseModel
from nmrqb.sequence.shapes import Shape
from nmrqb.units import Number, at_least, is_batch

NOWHERE = Position("<python>")


def _empty() -> Mapping[str, str]:
    return MappingProxyType({})


def _nowhere() -> Mapping[str, Position]:
    return MappingProxyType({})


# ---------------------------------------------------------------- as written, expressions as text
class _Placed:
    """Something that knows where it stands in the file, and where its values do."""

    at: Position
    values: Mapping[str, Position]

    def place(self, key: str) -> Position:
        """Return where the value of a key stands in the file, or where the whole does."""
        return self.values.get(key, self.at)


@dataclass(frozen=True)
class Rotation:
    """One spin's share of a pulse, as written.

    Attributes
    ----------
    angle, duration, amplitude
        Expressions of the flip angle, the length (time) and the peak nutation frequency, or None.
        Two of them fix the third; the angle alone is a hard pulse at the sample's power.
    phase
        x, y, -x, -y, a name of the phase cycle, or an expression of an angle.
    shape
        Envelope, or None for a rectangle.
    offset
        Expression of the carrier's frequency relative to its channel, or None.
    composite
        Name of a composite pulse that is played instead, or None.
    degrees
        Whether a number without a unit means degrees, as in the short form ``90 -y``.
    at, places
        Where it stands in the file, and where its values do.
    """

    angle: str | None
    phase: str = "x"
    duration: str | None = None
    amplitude: str | None = None
    shape: Shape | None = None
    offset: str | None = None
    composite: str | None = None
    degrees: bool = True
    at: Position = field(default=NOWHERE, compare=False)
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)

    def place(self, key: str) -> Position:
        """Return where a value stands in the file, or where the rotation does."""
        return self.places.get(key, self.at)


@dataclass(frozen=True)
class Pulse:
    """Rotations played at the same time, by role or nucleus; ``places`` of these in the file."""

    rotations: Mapping[str, Rotation]
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Delay:
    """A stretch of free evolution; ``time`` is an expression."""

    time: str
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class CouplingDelay(_Placed):
    """Free evolution until a scalar coupling has turned by an angle: exp(−iθ 2I_zS_z), θ = πJt.

    Attributes
    ----------
    angle
        Expression of θ.
    roles
        The two roles that couple; none where the sequence has just two.
    refocus
        What 180° pulses remove meanwhile: ``couplings`` of and to all other spins, ``all`` (the
        offsets of the two as well), or None.
    at, values
        Where it stands in the file, and where the values of its keys do.
    """

    angle: str
    roles: tuple[str, ...] = ()
    refocus: str | None = None
    at: Position = field(default=NOWHERE, compare=False)
    values: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)


@dataclass(frozen=True)
class Gradient(_Placed):
    """A field gradient along z.

    Attributes
    ----------
    strength
        Expression of the 1H frequency difference between the ends of the sample; None is a
        crusher, after which nothing that was dephased comes back.
    duration
        Expression of its length, or None for no time at all (crusher only).
    at, values
        Where it stands in the file, and where the values of its keys do.
    """

    strength: str | None = None
    duration: str | None = None
    at: Position = field(default=NOWHERE, compare=False)
    values: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)


@dataclass(frozen=True)
class VirtualZ(_Placed):
    """Rotations about z by a change of frame: role or nucleus to the expression of an angle.

    ``places`` are those of the keys in the file, ``values`` of their angles.
    """

    angles: Mapping[str, str]
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)
    at: Position = field(default=NOWHERE, compare=False)
    values: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)


@dataclass(frozen=True)
class Acquisition(_Placed):
    """The receiver is opened: role or nucleus to the phase of its receiver.

    ``places`` are those of the keys in the file, ``values`` of their phases.
    """

    phases: Mapping[str, str]
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)
    at: Position = field(default=NOWHERE, compare=False)
    values: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)


@dataclass(frozen=True)
class Repeat:
    """Events that are played ``times`` times, ``index`` (if named) counting 1, 2, …, times."""

    times: str
    events: tuple[Event, ...]
    index: str | None = None
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Call(_Placed):
    """A block of the same file, or another sequence, played in place.

    Attributes
    ----------
    name
        Name of the block, or the sequence as it is written: a shipped name or a file.
    sequence
        The other sequence; None for a block.
    roles
        Role inside to role outside; roles that are not named keep their names.
    parameters
        Parameter inside to expression over the names outside.
    at, places, values
        Where it stands in the file, and where the keys and values of ``parameters.NAME`` and
        ``spins.ROLE`` do.
    """

    name: str
    sequence: Sequence | None = None
    roles: Mapping[str, str] = field(default_factory=_empty)
    parameters: Mapping[str, str] = field(default_factory=_empty)
    at: Position = field(default=NOWHERE, compare=False)
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)
    values: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)


Event = Pulse | Delay | CouplingDelay | Gradient | VirtualZ | Acquisition | Repeat | Call


@dataclass(frozen=True)
class Block:
    """Events with a name, and the parameters that each use of them may set."""

    events: tuple[Event, ...]
    parameters: Mapping[str, str] = field(default_factory=_empty)


@dataclass(frozen=True)
class Timing:
    """How the times of a file count.

    Attributes
    ----------
    centred
        Whether delays count from centre to centre of the pulses beside them; else edge to edge.
    rounded
        Whether times off the spectrometer's raster are rounded to it; else they are refused.
    """

    centred: bool = False
    rounded: bool = False


@dataclass(frozen=True)
class Sequence:
    """A pulse sequence as its file says it.

    Attributes
    ----------
    name, title, notes, reference
        Name in the library, one line for people, what to know about it, where it comes from.
    roles
        Role to required nucleus, or to ``any``, in the order in which they are bound; ``all`` and
        ``all 1H`` are every spin (of a nucleus) that no other role takes.
    events
        The timeline.
    parameters
        Parameter to expression over earlier or later parameters and sample values.
    constraints
        Comparisons that must hold, say ``t > 10 us``.
    phase_cycle
        Name to the phases of successive scans.
    timing
        How the times count.
    blocks
        Events that are played by name.
    target, target_time, target_tolerance
        Named term to expression (Hz) that the sequence claims to make; the time for which it
        claims exp(−i2πHt) whatever its own duration, or None; how much of the target may be
        missed, or None for the default.
    sample
        Name of the default sample, or None.
    positions
        Places of ``parameters.t``, ``target.DM_z``, … in the file.
    unused
        Parameters that no expression of the file names, and the places of their keys.
    sha256
        Hash of the file that was read, empty for a sequence made in Python.
    """

    name: str
    roles: Mapping[str, str]
    events: tuple[Event, ...]
    title: str = ""
    notes: str = ""
    reference: str = ""
    sample: str | None = None
    parameters: Mapping[str, str] = field(default_factory=_empty)
    constraints: tuple[str, ...] = ()
    phase_cycle: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    timing: Timing = Timing()
    blocks: Mapping[str, Block] = field(default_factory=lambda: MappingProxyType({}))
    target: Mapping[str, str] = field(default_factory=_empty)
    target_time: str | None = None
    target_tolerance: str | None = None
    positions: Mapping[str, Position] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    unused: Mapping[str, Position] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    sha256: str = field(default="", compare=False)

    @property
    def scans(self) -> int:
        """Number of scans after which all lists of phases, included ones too, have come round."""
        waiting, seen = [self], dict[int, Sequence]()  # a file that is included twice counts once
        while waiting:
            sequence = waiting.pop()
            if id(sequence) not in seen:
                seen[id(sequence)] = sequence
                blocks = (block.events for block in sequence.blocks.values())
                waiting += [s for e in (sequence.events, *blocks) for s in _included(e)]
        cycles = (sequence.phase_cycle.values() for sequence in seen.values())
        return math.lcm(*(len(phases) for lists in cycles for phases in lists))


def _included(events: tuple[Event, ...]) -> Iterator[Sequence]:
    for event in events:
        if isinstance(event, Repeat):
            yield from _included(event.events)
        elif isinstance(event, Call) and event.sequence is not None:
            yield event.sequence


# ------------------------------------------------------- as played, numbers in SI and radians
@dataclass(frozen=True)
class TimedRotation:
    """One spin's share of a pulse, as played.

    Angle, phase and duration are arrays where a parameter of the sequence has many values at once.

    Attributes
    ----------
    spin
        Tensor position of the spin.
    angle, phase
        In rad: exp[−i·angle·(I_x cos(phase) + I_y sin(phase))].
    duration
        Length in s; 0 is an ideal pulse.
    steps
        Share of the angle in each of N steps, its argument adding to the phase; a rectangle
        has the one share 1.  An array of shape (..., N) where many lengths have different shares.
    edges
        Where the steps begin and end, from 0 to 1 of the duration, shape (..., N + 1); None for
        equal steps.
    """

    spin: int
    angle: Number
    phase: Number
    duration: Number = 0.0
    steps: tuple[complex, ...] | Complex = (1,)
    edges: Real | None = None


@dataclass(frozen=True)
class TimedPulse:
    """Simultaneous rotations, centred on each other."""

    rotations: tuple[TimedRotation, ...]

    @property
    def duration(self) -> Number:
        """Length of the longest rotation in s."""
        return reduce(at_least, (rotation.duration for rotation in self.rotations), 0.0)

    @property
    def is_batch(self) -> bool:
        """Whether a rotation has many angles, phases or lengths at once."""
        numbers = ((r.angle, r.phase, r.duration) for r in self.rotations)
        return any(is_batch(number) for triple in numbers for number in triple)


@dataclass(frozen=True)
class TimedDelay:
    """Free evolution for ``duration`` seconds, edge to edge."""

    duration: Number


@dataclass(frozen=True)
class TimedGradient:
    """A gradient along z: 1H frequency difference over the sample in Hz, or None for a crusher."""

    duration: Number
    strength_hz: Number | None = None


@dataclass(frozen=True)
class TimedAcquisition:
    """The receiver is opened: tensor position of a spin to the phase of its receiver in rad."""

    phases: Mapping[int, float]


TimedEvent = TimedPulse | TimedDelay | TimedGradient | TimedAcquisition


@dataclass(frozen=True)
class Timeline:
    """A sequence bound to a sample and expanded: flat, numeric, ready to be played.

    Attributes
    ----------
    name
        Name of the sequence.
    events
        What is played, in the order of time.
    pulses
        Whether hard pulses are ideal or as long as the sample's 90° times make them.
    roles
        Role to the tensor positions of its spins: one, or several where the role is ``all``.
    parameters
        Parameter to value in SI units.
    frame
        Tensor position to the angle in rad by which virtual z rotations have turned a spin at the
        end: what is meant is exp(−iθI_z) after what is played.
    target_hz
        Named term to claimed value in Hz, in role order; empty where nothing is claimed.
    target_spins
        Tensor positions of the two spins that the target is about, in role order, or None.
    target_time_s
        Time for which the target claims exp(−i2πHt), or None for the sequence's own duration.
    target_tolerance
        Share of the target's 2-norm that may be missed, or None for the default.
    """

    name: str
    events: tuple[TimedEvent, ...]
    pulses: PulseModel = "ideal"
    roles: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, Number] = field(default_factory=lambda: MappingProxyType({}))
    frame: Mapping[int, Number] = field(default_factory=lambda: MappingProxyType({}))
    target_hz: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    target_spins: tuple[int, int] | None = None
    target_time_s: float | None = None
    target_tolerance: float | None = None

    @property
    def free_evolution_s(self) -> Number:
        """Sum of the delays of one pass in s."""
        return sum(e.duration for e in self.events if isinstance(e, TimedDelay))
