"""The nouns of a sequence: what a file says (`Sequence`) and what is played (`Timeline`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nmrqb.errors import Position

NOWHERE = Position("<python>")


def _empty() -> Mapping[str, str]:
    return MappingProxyType({})


# ---------------------------------------------------------------- as written, expressions as text
@dataclass(frozen=True)
class Rotation:
    """One spin's share of a pulse, as written.

    Attributes
    ----------
    angle, phase
        Expressions; the phase may also be x, y, -x or -y.
    duration
        Expression of the pulse length (time), or None for the sample's calibrated power.
    degrees
        Whether a number without a unit means degrees, as in the short form ``90 -y``.
    at
        Where it stands in the file.
    """

    angle: str
    phase: str = "x"
    duration: str | None = None
    degrees: bool = True
    at: Position = field(default=NOWHERE, compare=False)


def _nowhere() -> Mapping[str, Position]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Pulse:
    """Rotations that are played at the same time, by role; ``places`` of the roles in the file."""

    rotations: Mapping[str, Rotation]
    places: Mapping[str, Position] = field(default_factory=_nowhere, compare=False, repr=False)
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Delay:
    """A stretch of free evolution; ``time`` is an expression."""

    time: str
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Repeat:
    """A block of events that is played ``times`` times (an expression of a whole number)."""

    times: str
    events: tuple[Pulse | Delay | Repeat, ...]
    at: Position = field(default=NOWHERE, compare=False)


Event = Pulse | Delay | Repeat


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
    parameters
        Parameter to expression over earlier or later parameters and sample values.
    target, target_time
        Named term to expression (Hz) that the sequence claims to make; the time for which it
        claims exp(−i2πHt) whatever its own duration, or None.
    events
        The timeline.
    sample
        Name of the default sample, or None.
    positions
        Places of ``parameters.t``, ``target.DM_z``, … in the file.
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
    target: Mapping[str, str] = field(default_factory=_empty)
    target_time: str | None = None
    positions: Mapping[str, Position] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )
    sha256: str = field(default="", compare=False)


# ------------------------------------------------------- as played, numbers in SI and radians
@dataclass(frozen=True)
class TimedRotation:
    """One spin's share of a pulse, as played.

    Attributes
    ----------
    spin
        Tensor position of the spin.
    angle, phase
        In rad: exp[−i·angle·(I_x cos(phase) + I_y sin(phase))].
    duration
        Length in s if the file gives one, or None: ideal, or at the sample's calibrated power.
    """

    spin: int
    angle: float
    phase: float
    duration: float | None = None


@dataclass(frozen=True)
class TimedPulse:
    """Simultaneous rotations, centred on each other."""

    rotations: tuple[TimedRotation, ...]


@dataclass(frozen=True)
class TimedDelay:
    """Free evolution for ``duration`` seconds, edge to edge."""

    duration: float


@dataclass(frozen=True)
class Timeline:
    """A sequence bound to a sample and expanded: flat, numeric, ready to be played.

    Attributes
    ----------
    name
        Name of the sequence.
    events
        Pulses and delays in the order of time.
    roles
        Role to the tensor positions of its spins: one, or several where the role is ``all``.
    parameters
        Parameter to value in SI units.
    target_hz
        Named term to claimed value in Hz, in role order; empty where nothing is claimed.
    target_spins
        Tensor positions of the two spins that the target is about, in role order, or None.
    target_time_s
        Time for which the target claims exp(−i2πHt), or None for the sequence's own duration.
    """

    name: str
    events: tuple[TimedPulse | TimedDelay, ...]
    roles: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    target_hz: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    target_spins: tuple[int, int] | None = None
    target_time_s: float | None = None

    @property
    def free_evolution_s(self) -> float:
        """Sum of the delays of one pass in s."""
        return sum(e.duration for e in self.events if isinstance(e, TimedDelay))
