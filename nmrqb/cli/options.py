"""Options that several verbs of the command line share, and options that come in groups."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import StrEnum
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperOption

JSON = typer.Option("--json", help="Print one JSON document instead of text.")


class OnceCommand(TyperCommand):
    """A verb whose options of one value may stand once: of two values neither is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Refuse an option of one value that is given again, then parse as ever."""
        given = self.make_parser(ctx).parse_args(args=list(args))[2]
        for option in dict.fromkeys(given):
            one = isinstance(option, TyperOption) and not (option.is_flag or option.multiple)
            if one and given.count(option) > 1:
                ctx.fail(f"Option '{option.opts[0]}' is given twice; leave one out")
        return super().parse_args(ctx, args)


class Pulses(StrEnum):
    """Pulse models of the command line."""

    ideal = "ideal"
    finite = "finite"


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """Let a verb take groups of options: dataclasses, every field of which is an option.

    On the command line the fields stand in the place of the group; the verb gets the dataclass
    that is made of them.
    """
    hints = get_type_hints(function, include_extras=True)
    groups = {
        name: inspect.signature(kind, eval_str=True).parameters
        for name, kind in hints.items()
        if isinstance(kind, type) and is_dataclass(kind)
    }
    own = inspect.signature(function, eval_str=True).parameters
    options = [
        option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in own.items()
        for option in groups.get(name, {name: parameter}).values()
    ]

    @functools.wraps(function)
    def called(**given: Any) -> None:  # noqa: ANN401 - whatever the options hold
        made = {
            name: hints[name](**{field: given.pop(field) for field in fields})
            for name, fields in groups.items()
        }
        function(**given, **made)

    called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return called
