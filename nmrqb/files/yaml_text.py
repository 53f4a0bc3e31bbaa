"""Trees as YAML that people read: keys in their order, texts of several lines as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 100  # columns


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a literal block, ``|``."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out; the formats have no aliases."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


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
