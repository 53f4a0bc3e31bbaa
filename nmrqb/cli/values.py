"""Values of command-line options."""

from __future__ import annotations

from collections.abc import Iterable

from nmrqb.errors import Fault, Position, refuse


def assignments(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return ``{"t": "2 ms"}`` of options such as ``--set t=2ms``.

    Raises
    ------
    InputError
        If a text is not NAME=VALUE, or a name stands twice.
    """
    found: dict[str, str] = {}
    faults = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            message = f"must be NAME=VALUE, but is {text!r}"
            faults.append(Fault(Position(f"{option} {text}"), message))
        elif name in found:
            message = f"gives {name} twice; leave one out"
            faults.append(Fault(Position(f"{option} {name}"), message))
        found[name] = value
    refuse(faults)
    return found
