"""Values of command-line options."""

from __future__ import annotations

from collections.abc import Iterable

from nmrqb.errors import Fault, Position, refuse


def assignments(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return ``{"t": "2 ms"}`` of options such as ``--set t=2ms``; the last of a name counts.

    Raises
    ------
    InputError
        If a text is not NAME=VALUE.
    """
    found, faults = {}, []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name and equals and value:
            found[name] = value
        else:
            message = f"must be NAME=VALUE, but is {text!r}"
            faults.append(Fault(Position(f"{option} {text}"), message))
    refuse(faults)
    return found
