"""What `nmrqb design` makes of its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nmrqb.cli.values import assignments
from nmrqb.design import TERMS
from nmrqb.errors import Fault, Position, nearest, refuse
from nmrqb.units import Dimension, UnitError, quantity

SHORT = {"D": "DM_z", "G": "KSEA_z", "Delta": "Delta", "epsilon": "epsilon", "B": "B"}


def design_request(
    short: Mapping[str, str | None], terms: Iterable[str], time: str | None
) -> tuple[dict[str, float], float | None]:
    """Return named terms in Hz and T in s of ``--D 20Hz … --term DM_x=5Hz --time 5ms``.

    Raises
    ------
    InputError
        With every fault: a value is not of its dimension, a term is not known or given twice, or
        none is given.
    """
    faults: list[Fault] = []
    found = _terms(short, terms, faults)
    T = None if time is None else _number("--time", time, "time", faults)
    refuse(faults)
    return found, T


def _terms(
    short: Mapping[str, str | None], terms: Iterable[str], faults: list[Fault]
) -> dict[str, float]:
    found: dict[str, float] = {}
    given = [(f"--{name}", SHORT[name], value) for name, value in short.items() if value]
    given += [(f"--term {name}", name, value) for name, value in _single(terms, faults)]
    for option, name, text in given:
        if name not in TERMS:
            faults.append(Fault(Position(option), f"is not a term; {nearest(name, TERMS)}"))
        elif name in found:
            faults.append(Fault(Position(option), f"gives {name} a second time; leave one out"))
        else:
            found[name] = _number(option, text, "frequency", faults)
    if not given:
        message = "must be given, or --D, --G, --Delta, --epsilon or --B; for example --D 20Hz"
        faults.append(Fault(Position("--term"), message))
    return found


def _single(terms: Iterable[str], faults: list[Fault]) -> list[tuple[str, str]]:
    """Return names and values; a name that stands twice is a fault."""
    names = [text.partition("=")[0].strip() for text in terms]
    faults += [Fault(Position(f"--term {name}"), f"gives {name} twice; leave one out")
               for name in dict.fromkeys(names) if names.count(name) > 1]  # fmt: skip
    return list(assignments("--term", terms).items())


def _number(option: str, text: str, dimension: Dimension, faults: list[Fault]) -> float:
    try:
        return float(quantity(text, dimension))
    except UnitError as error:
        faults.append(Fault(Position(option), str(error)))
        return 1.0
