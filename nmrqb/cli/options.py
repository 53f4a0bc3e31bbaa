"""Options that several verbs of the command line share."""

from __future__ import annotations

from enum import StrEnum

import typer

JSON = typer.Option("--json", help="Print one JSON document instead of text.")


class Pulses(StrEnum):
    """Pulse models of the command line."""

    ideal = "ideal"
    finite = "finite"
