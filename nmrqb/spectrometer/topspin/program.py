"""The text of a TopSpin pulse program, and the list of the parameters that it needs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.topspin.constants import Constants
from nmrqb.spectrometer.topspin.loops import Loop, folded
from nmrqb.spectrometer.topspin.plan import (
    ChannelPulse,
    DelayStep,
    GradientStep,
    Plan,
    PulseStep,
    Step,
)
from nmrqb.spectrometer.topspin.relaxation import RelaxationDelay
from nmrqb.spectrometer.topspin.shapes import decibels

MAX_CHANNELS = 8
_MAX_PHASES, _MAX_SHAPES, _MAX_GRADIENTS, _MAX_LOOPS = 31, 63, 31, 31
_FIRST_SHAPE_PULSE, _FIRST_GRADIENT_PULSE = 11, 40
_FIRST_LABEL = 3
_RECOVERY = "d16"
_EXACT, _ALL_DIGITS = 1e-13, 17  # s, far below a step; of a double
_PLAIN = str.maketrans({
    "–": "-", "—": "-", "−": "-", "°": " deg", "⟩": ">", "⟨": "<", "×": "x", "·": "*", "±": "+-",
    "≤": "<=", "≥": ">=", "’": "'", "“": '"', "”": '"', "…": "...", "µ": "u", "μ": "u", "π": "pi",
})  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A parameter that is set at the console: its name, its value as typed there, and why."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Program:
    """A pulse program and what it needs.

    Attributes
    ----------
    text
        The program.
    parameters
        What is set at the console before it runs.
    """

    text: str
    parameters: tuple[Parameter, ...]


@dataclass
class _Names:
    """Names given out while the body is written."""

    phases: dict[tuple[int, ...], int] = field(default_factory=dict)
    pulses: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)
    delays: dict[tuple[float, float], tuple[str, str]] = field(default_factory=dict)
    recovery_s: float = 0.0
    gradients: dict[tuple[float, float | None], int] = field(default_factory=dict)
    loops: dict[int, int] = field(default_factory=dict)
    labels: int = _FIRST_LABEL


def topspin_program(
    plan: Plan,
    *,
    header: Iterable[str] = (),
    expressions: Iterable[tuple[float, str]] = (),
    constants: Constants | None = None,
    relaxation: RelaxationDelay,
    nmrqb_version: str = "",
) -> Program:
    """Return the pulse program of a plan.

    Parameters
    ----------
    plan
        What is played.
    header
        Lines of the comment at the top: what the sequence is predicted to do.
    expressions
        Delays as expressions of constants: value in s, and the expression.
    constants
        The constants in these.
    relaxation
        d1, the time between scans, and why.
    nmrqb_version
        Stands in the first line.

    Raises
    ------
    ArgumentError
        If the program needs more channels, phases, shapes, gradients or loops than there are.
    """
    writer = _Writer(plan, list(expressions), constants or Constants())
    body = writer.body()
    head = [f";{plan.name} (nmrqb {nmrqb_version})".rstrip(), *(f";{line}" for line in header)]
    text = "\n".join([*head, "", *writer.declarations(), "", *body, "", *writer.phase_lines(), ""])
    parameters = (Parameter("d1", f"{relaxation.delay_s:.10g} s", relaxation.meaning),)
    listed = (*parameters, *writer.parameters())
    notes = [f";{p.name}: {p.meaning} [{p.value}]" for p in listed]
    return Program(plain(text + "\n" + "\n".join(notes) + "\n"), listed)


class _Writer:
    """Writes the body of a plan and remembers what it needs."""

    def __init__(
        self, plan: Plan, expressions: list[tuple[float, str]], constants: Constants
    ) -> None:
        self.plan, self.expressions, self.constants = plan, expressions, constants
        self.names = _Names()
        self.advancing = _count_lists(plan.steps) > _MAX_PHASES - 1
        self.hard_power = dict.fromkeys(range(1, len(plan.nuclei) + 1), True)
        if self.advancing and len(plan.receiver) > 1:
            raise ArgumentError(
                f"Argument `plan` must use at most {_MAX_PHASES - 1} phase lists in a cycle of "
                f"{len(plan.receiver)} scans, but uses {_count_lists(plan.steps)}; export the "
                "scans as sequences of their own, which may use any number"
            )
        if len(plan.nuclei) > MAX_CHANNELS:
            raise ArgumentError(
                f"Argument `plan` must use at most {MAX_CHANNELS} channels, but uses "
                f"{len(plan.nuclei)}"
            )

    # ---------------------------------------------------------------------------------- body
    def body(self) -> list[str]:
        """Return the lines from ``ze`` to ``exit``."""
        channels = range(1, len(self.plan.nuclei) + 1)
        off = " ".join(f"do:f{c}" for c in channels[1:])
        powers = " ".join(f"pl{c}:f{c}" for c in channels)
        lines = ["1 ze", f"2 30m {off}".rstrip(), "  d1", f"  4u {powers}"]
        if self.advancing:  # whatever `go` does to the pointers, a scan begins at the first phase
            reset = " ".join(f"rpp{channel}" for channel in _phases_in_turn(self.plan))
            lines += [f"  4u {reset}"]
        gradients = any(isinstance(step, GradientStep) for step in self.plan.steps)
        lines += ["  50u UNBLKGRAD"] if gradients else []
        steps = [_without_phases(s) for s in self.plan.steps] if self.advancing else self.plan.steps
        for item in folded(steps):
            lines += self._item(item)
        lines += ["  4u BLKGRAD"] if gradients else []
        return [*lines, "  go=2 ph31", "  30m mc #0 to 2 F0(zd)", "exit"]

    def _item(self, item: object) -> list[str]:
        if isinstance(item, Loop):
            return self._loop(item)
        if isinstance(item, PulseStep):
            return [f"  {self._pulse(item)}"]
        if isinstance(item, DelayStep):
            return self._delays(item)
        if isinstance(item, GradientStep):
            return [f"  {self._gradient(item)}{self._restored()}"]
        raise ArgumentError(f"Argument `plan` must hold steps, but holds {item!r:.60}")

    def _loop(self, loop: Loop) -> list[str]:
        label, self.names.labels = self.names.labels, self.names.labels + 1
        number = self.names.loops.setdefault(loop.times, len(self.names.loops) + 1)
        _check_count("loops", number, _MAX_LOOPS)
        before = dict(self.hard_power)
        inner = [line for item in loop.items for line in self._item(item)]
        if self.hard_power != before:  # what holds at the start of the first pass and of the others
            self.hard_power = {c: hard and before[c] for c, hard in self.hard_power.items()}
            inner = [line for item in loop.items for line in self._item(item)]
        inner[0] = f"{label} {inner[0].lstrip()}"
        return [*inner, f"  lo to {label} times l{number}"]

    def _restored(self) -> str:
        """Return what sets the power of hard pulses again after shaped ones, within a delay."""
        lost = [c for c, hard in self.hard_power.items() if not hard]
        self.hard_power = dict.fromkeys(self.hard_power, True)
        return "".join(f" pl{c}:f{c}" for c in lost)

    def _pulse(self, step: PulseStep) -> str:
        parts = [self._on_channel(pulse) for pulse in step.pulses]
        return parts[0] if len(parts) == 1 else f"(center {' '.join(parts)} )"

    def _on_channel(self, pulse: ChannelPulse) -> str:
        phase = self._phase(pulse)
        if pulse.shape is None:
            if not self.hard_power[pulse.channel]:
                raise ArgumentError(
                    f"Argument `plan` must have a delay between a shaped and a hard pulse of one "
                    f"channel, to set the power in, but on f{pulse.channel} has none"
                )
            return f"({self._hard(pulse)} {phase}):f{pulse.channel}"
        _check_count("shapes", pulse.shape, _MAX_SHAPES)
        self.hard_power[pulse.channel] = False
        name = f"p{_FIRST_SHAPE_PULSE + pulse.shape - 1}"
        return f"({name}:sp{pulse.shape} {phase}):f{pulse.channel}"

    def _phase(self, pulse: ChannelPulse) -> str:
        """Return a phase list by name; one per channel, that steps on at each use, if too many."""
        if self.advancing:
            return f"ph{pulse.channel}^"
        return f"ph{self.names.phases.setdefault(pulse.phases, len(self.names.phases) + 1)}"

    def _delays(self, step: DelayStep) -> list[str]:
        """Return the lines of a delay: the recovery of a gradient, and what is left of it."""
        lines = []
        if step.recovery_s:
            self.names.recovery_s = step.recovery_s
            lines = [f"  {_RECOVERY}{self._restored()}"]
        if step.length_s - step.recovery_s > self.plan.raster_s / 2:
            lines += [f"  {self._delay(step)}{self._restored()}"]
        return lines

    def _hard(self, pulse: ChannelPulse) -> str:
        """Return the name of a pulse length: 90° and 180° by number, others as a share of 90°."""
        quarter = f"p{2 * pulse.channel - 1}"
        hard = self.plan.hard_90_s[pulse.channel - 1]
        share = _decimal(pulse.length_s / hard, self.plan.raster_s / 4 / hard)
        if share == "1":
            return quarter
        if share == "2":
            name, relation = f"p{2 * pulse.channel}", f"{quarter}*2"
        else:
            name, relation = f"PULSE{len(self.names.pulses) + 1}", f"{quarter}*{share}"
        return self.names.pulses.setdefault((pulse.channel, share), (name, relation))[0]

    def _delay(self, step: DelayStep) -> str:
        """Return the name of a delay, less the recovery of the gradient before it."""
        length, key = step.length_s, (step.length_s, step.recovery_s)
        known = self.names.delays.get(key)
        if known is None:
            near = self.plan.raster_s / 2  # the hardware rounds what the expression says
            found = (text for value, text in self._candidates() if abs(value - length) < near)
            relation = next(found, f"{_decimal(length, _EXACT)}s")
            relation += f"-{_RECOVERY}" if step.recovery_s else ""
            known = self.names.delays[key] = (f"DEL{len(self.names.delays) + 1}", relation)
        return known[0]

    def _candidates(self) -> Iterator[tuple[float, str]]:
        """Yield what expressions make, whole and less half of the hard pulses on both sides."""
        quarters = enumerate(self.plan.hard_90_s, 1)
        pulses = [(k * t, f"p{2 * c + k - 2}") for c, t in quarters for k in (1, 2)]
        for value, text in self.expressions:
            time = f"1s*({text})" if "cnst" in text else f"{text}s"
            yield value, time
            for length, pulse in pulses:
                yield value - length / 2, f"{time}-{pulse}*0.5"
                for other, second in pulses:
                    less = f"-{pulse}*0.5-{second}*0.5"
                    yield value - (length + other) / 2, f"{time}{less}"

    def _gradient(self, step: GradientStep) -> str:
        key = (step.length_s, step.strength_hz)
        number = self.names.gradients.setdefault(key, len(self.names.gradients) + 1)
        _check_count("gradients", number, _MAX_GRADIENTS)
        return f"p{_FIRST_GRADIENT_PULSE + number - 1}:gp{number}"

    # --------------------------------------------------------------------------- round the body
    def declarations(self) -> list[str]:
        """Return includes, definitions and relations; the body is written before."""
        lines = ["#include <Avance.incl>"]
        lines += ["#include <Grad.incl>"] if self.names.gradients else []
        pulses, delays = self.names.pulses.values(), self.names.delays.values()
        lines += [f"define pulse {name}" for name, _ in pulses if name.startswith("PULSE")]
        lines += [f"define delay {name}" for name, _ in delays]
        said = " ".join(relation for _, relation in delays)
        doubled = [
            (f"p{2 * c}", f"p{2 * c - 1}*2")
            for c in range(1, len(self.plan.nuclei) + 1)
            if re.search(rf"\bp{2 * c}\b", said)
        ]
        relations = dict.fromkeys([*pulses, *doubled, *delays])
        lines += [f'"{name}={relation}"' for name, relation in relations]
        lines += [f'"l{number}={times}"' for times, number in self.names.loops.items()]
        return lines

    def phase_lines(self) -> list[str]:
        """Return the phase programs."""
        every = [(number, phases) for phases, number in self.names.phases.items()]
        if self.advancing:
            every = list(_phases_in_turn(self.plan).items())
        return [
            f"ph{number}={_phase_list(phases, self.plan.turn)}"
            for number, phases in [*every, (31, self.plan.receiver)]
        ]

    def parameters(self) -> Iterator[Parameter]:
        """Yield what is set at the console."""
        for channel, nucleus in enumerate(self.plan.nuclei, 1):
            length = self.plan.hard_90_s[channel - 1]
            yield Parameter(
                f"p{2 * channel - 1}", f"{length * 1e6:.10g} us",
                f"f{channel} channel ({nucleus}), hard 90 degree pulse",
            )  # fmt: skip
            yield Parameter(
                f"pldb{channel}",
                "calibrated",
                f"f{channel} channel ({nucleus}), power pl{channel} of hard pulses",
            )
        yield from self._shape_parameters()
        for (length, strength), number in self.names.gradients.items():
            yield Parameter(
                f"p{_FIRST_GRADIENT_PULSE + number - 1}", f"{length * 1e6:.10g} us", "gradient"
            )
            size = (
                "as strong as dephases everything" if strength is None
                else f"1H frequencies differ by {strength:.10g} Hz over the sample"
            )  # fmt: skip
            yield Parameter(
                f"gpnam{number}", "RECT.1", "shape of the gradient; weaker ends need a larger gpz"
            )
            yield Parameter(f"gpz{number}", "calibrated", f"strength of gradient {number}: {size}")
        if self.names.recovery_s:
            yield Parameter(
                _RECOVERY, f"{self.names.recovery_s * 1e6:.10g} us",
                "recovery of the field after a gradient",
            )  # fmt: skip
        said = " ".join(relation for _, relation in self.names.delays.values())
        for number, (value, meaning) in self.constants.values.items():
            if not re.search(rf"\bcnst{number}\b", said):
                continue
            yield Parameter(f"cnst{number}", f"{value!r}", meaning)
        yield Parameter("ds", "0", "dummy scans; otherwise a whole number of phase cycles")
        yield Parameter("ns", f"{len(self.plan.receiver)} * n", "number of scans")

    def _shape_parameters(self) -> Iterator[Parameter]:
        for number, use in enumerate(self.plan.shapes, 1):
            hard = 1 / (4 * self.plan.hard_90_s[use.channel - 1])
            yield Parameter(
                f"p{_FIRST_SHAPE_PULSE + number - 1}", f"{use.length_s * 1e6:.10g} us",
                f"f{use.channel} channel, length of shape {number}",
            )  # fmt: skip
            yield Parameter(
                f"spnam{number}", f"{shape_name(self.plan.name, number)}",
                f"f{use.channel} channel, shape {number}, {use.rotation_deg:.6g} degrees",
            )  # fmt: skip
            yield Parameter(
                f"spdb{number}", f"pldb{use.channel} + {decibels(use.peak_hz, hard):.12g} dB",
                f"f{use.channel} channel, power of shape {number} (more dB, less power): peak "
                f"nutation frequency {use.peak_hz:.10g} Hz",
            )  # fmt: skip


def _count_lists(steps: Iterable[Step]) -> int:
    """Return how many different phase lists pulses have."""
    pulses = (pulse for step in steps if isinstance(step, PulseStep) for pulse in step.pulses)
    return len({pulse.phases for pulse in pulses})


def _without_phases(step: Step) -> Step:
    if not isinstance(step, PulseStep):
        return step
    return PulseStep(tuple(replace(pulse, phases=()) for pulse in step.pulses))


def _phases_in_turn(plan: Plan) -> dict[int, tuple[int, ...]]:
    """Return by channel the phases of its pulses one after the other, scan after scan."""
    pulses = [pulse for step in plan.steps if isinstance(step, PulseStep) for pulse in step.pulses]
    return {
        channel: tuple(
            pulse.phases[scan]
            for scan in range(len(plan.receiver))
            for pulse in pulses
            if pulse.channel == channel
        )
        for channel in sorted({pulse.channel for pulse in pulses})
    }


def shape_name(program: str, number: int) -> str:
    """Return the name of a shape file."""
    return f"{program}.{number}"


def _check_count(what: str, number: int, most: int) -> None:
    if number > most:
        raise ArgumentError(f"Argument `plan` must use at most {most} {what}, but uses {number}")


def plain(text: str) -> str:
    """Return a text in ASCII, which every version of TopSpin reads: accents off, – as -."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    kept = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return kept.encode("ascii", "replace").decode("ascii")


def _decimal(value: float, within: float) -> str:
    """Return the number of the fewest decimals that is near enough, without exponent."""
    texts = (f"{value:.{decimals}f}" for decimals in range(_ALL_DIGITS))
    near = next((text for text in texts if abs(float(text) - value) <= within), repr(value))
    return np.format_float_positional(float(near), trim="-")


def _phase_list(phases: Sequence[int], turn: int) -> str:
    """Return a phase program in the coarsest unit that says it: quarter turns, degrees, steps."""
    for unit, head in ((turn // 4, ""), (turn // 360, "(360) "), (1, f"({turn}) ")):
        if all(phase % unit == 0 for phase in phases):
            return head + " ".join(str(phase // unit) for phase in phases)
    raise ArgumentError(f"Argument `phases` must be whole steps, but are {phases}")


def parameter_text(program: Program) -> str:
    """Return the list of parameters: one ``NAME = VALUE  ; meaning`` per line."""
    width = max(len(p.name) for p in program.parameters)
    values = max(len(p.value) for p in program.parameters)
    return "".join(
        f"{p.name:<{width}} = {p.value:<{values}}  ; {p.meaning}\n" for p in program.parameters
    )
