"""Trees as YAML that people read: keys in their order, texts of several lines as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from nmrqb.files.documents import plain_scalar

_WIDTH = 100  # columns
_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")  # of lines, or marks, but not ours


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a literal block, ``|``."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out; the formats have no aliases."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    """Return how a text is quoted; None where YAML itself knows whether it must be."""
    if _BREAKS & set(value):
        return '"'
    if "\n" in value:
        return "|"
    open_ended = value.count("(") != value.count(")")  # our reader takes it for a cut expression
    return "'" if open_ended or plain_scalar(value) != value else None


_Dumper.add_representer(str, _text)


def yaml_text(tree: Mapping[str, Any]) -> str:
    """Return the YAML of a tree of mappings, lists, texts and numbers.

    A text of several lines is a literal block, where YAML can write it as one: not with blanks
    at the ends of lines, say.  It is read back unchanged in any case.

    Parameters
    ----------
    tree
        Its keys are written in their order.
    """
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text
