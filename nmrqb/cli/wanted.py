"""What `nmrqb design` makes of its options."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from nmrqb.cli.design_options import PulseOptions, WantedOptions, WayOptions
from nmrqb.cli.values import assignments
from nmrqb.design import TERMS
from nmrqb.errors import ArgumentError, Fault, Position, nearest, refuse
from nmrqb.units import Dimension, UnitError, quantity

if TYPE_CHECKING:
    from nmrqb.design.grape import PulseLimits, StopRules
    from nmrqb.sample import Sample

SHORT = {"D": "DM_z", "G": "KSEA_z", "Delta": "Delta", "epsilon": "epsilon", "B": "B"}

Key = Callable[[str], str]


def pair_key(name: str) -> str:
    """Return a term of two spins as it is called.

    Raises
    ------
    ArgumentError
        If there is none of this name.
    """
    if name not in TERMS:
        raise ArgumentError(f"is not a term; {nearest(name, TERMS)}")
    return name


def many_key(sample: Sample) -> Key:
    """Return what calls terms of the spins of a sample by one name each, see `term_key`."""
    from nmrqb.design.toggling import term_key

    return lambda name: term_key(name, sample.labels)


def wanted_terms(wanted: WantedOptions, key: Key, faults: list[Fault]) -> dict[str, float]:
    """Return terms in Hz of ``--D 20Hz … --term DM_x=5Hz``, adding to the faults.

    A fault is a value that is no frequency, a term that is not known or given twice, or none.
    """
    found: dict[str, float] = {}
    short = [(name, called, getattr(wanted, name)) for name, called in SHORT.items()]
    given = [(f"--{name}", called, value) for name, called, value in short if value]
    single = assignments("--term", wanted.term or [])
    given += [(f"--term {name}", name, value) for name, value in single.items()]
    for option, name, text in given:
        value = number(option, text, "frequency", faults)
        try:
            called = key(name)
        except ArgumentError as error:
            faults.append(Fault(Position(option), str(error)))
            continue
        if called in found:
            faults.append(Fault(Position(option), f"gives {called} a second time; leave one out"))
        found[called] = value
    if not given:
        message = "must be given, or --D, --G, --Delta, --epsilon or --B; for example --D 20Hz"
        faults.append(Fault(Position("--term"), message))
    return found


def number(option: str, text: str, dimension: Dimension, faults: list[Fault]) -> float:
    """Return a value in SI units, 1 where it is faulty."""
    try:
        return float(quantity(text, dimension))
    except UnitError as error:
        faults.append(Fault(Position(option), str(error)))
        return 1.0


def optional(option: str, text: str | None, dimension: Dimension, faults: list[Fault]
             ) -> float | None:  # fmt: skip
    """Return a value in SI units, None where there is none."""
    return None if text is None else number(option, text, dimension, faults)


def _spread(option: str, text: str | None, faults: list[Fault]) -> float:
    """Return a spread of the rf amplitude as a share of it, 0 where there is none."""
    from nmrqb.experiment.noise_format import checked_spread

    told = len(faults)
    value = optional(option, text, "ratio", faults) or 0.0
    try:
        return value if len(faults) > told else checked_spread(value)
    except ValueError as error:
        faults.append(Fault(Position(option), str(error)))
        return 0.0


def by_nucleus(option: str, text: str | None, faults: list[Fault]) -> dict[str, float]:
    """Return frequencies in Hz of ``1H=2kHz,13C=2kHz``."""
    found = assignments(option, text.split(",") if text else [])
    return {name: number(option, value, "frequency", faults) for name, value in found.items()}


@dataclass(frozen=True)
class Wishes:
    """The options of `nmrqb design`.

    Attributes
    ----------
    sample
        The spins: a shipped sample or a file.
    wanted, way, pulse
        What is wanted, how hard pulses make it, and the search for one optimised pulse.
    """

    sample: str
    wanted: WantedOptions
    way: WayOptions
    pulse: PulseOptions

    def request(self, key: Key) -> tuple[dict[str, float], float | None]:
        """Return terms in Hz and T in s.

        Raises
        ------
        InputError
            With every fault.
        """
        faults: list[Fault] = []
        found = wanted_terms(self.wanted, key, faults)
        T = optional("--time", self.wanted.time, "time", faults)
        refuse(faults)
        return found, T

    def refuse_pair(self, where: str) -> None:
        """Refuse what the exact design of two spins alone knows."""
        _refuse_given(self.way, ("exact", "fill", "optimise"), where)

    def refuse_frames(self, where: str) -> None:
        """Refuse what cycles know."""
        _refuse_given(self.way, ("control", "refocus", "cycles"), where)

    def refuse_search(self, where: str) -> None:
        """Refuse what the search for a pulse knows."""
        _refuse_given(self.pulse, [field.name for field in fields(self.pulse)], where)

    def search(self) -> tuple[PulseLimits, StopRules, float | None, int]:
        """Return limits, rules, temperature in Hz or None, and the seed, drawn if not given.

        Raises
        ------
        InputError
            With every fault.
        """
        from nmrqb.design.grape import PulseLimits, StopRules

        faults: list[Fault] = []
        given = self.pulse
        limits = PulseLimits(
            duration_s=number("--shaped", given.shaped or "", "time", faults),
            steps=given.steps or 100,
            amplitudes_hz=by_nucleus("--amplitude", given.amplitude, faults),
            rise_s=optional("--rise", given.rise, "time", faults),
            b1=_spread("--b1", given.b1, faults),
            offset_hz=optional("--offset", given.offset, "frequency", faults) or 0.0,
            smoothness=given.smooth or 0.0,
        )
        rules = StopRules(
            shortfall=1e-4 if given.shortfall is None else given.shortfall,
            iterations=given.iterations or 400,
            seconds=number("--limit", given.limit or "300 s", "time", faults),
            starts=given.starts or 3,
        )
        temperature = optional("--ergotropy", given.ergotropy, "frequency", faults)
        refuse(faults)
        return limits, rules, temperature, drawn(given.seed)


def drawn(seed: int | None) -> int:
    """Return a seed, drawn if none is given."""
    return secrets.randbits(32) if seed is None else seed


def _refuse_given(options: object, names: Iterable[str], where: str) -> None:
    values = {name: getattr(options, name) for name in names}
    refuse(
        Fault(Position(f"--{name}"), f"means nothing {where}; leave it out")
        for name, value in values.items()
        if value is not None and value is not False
    )
