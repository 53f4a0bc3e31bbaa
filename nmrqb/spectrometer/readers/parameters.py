"""Parameter files: JCAMP-DX of Bruker, and ``name = value`` lines.

The parser of nmrglue waits for ever for the end of a list or text that a truncated file lacks, so
we read these ourselves.  Lists are skipped: no reader needs one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from nmrqb.spectrometer.readers import guards

Parameters: TypeAlias = Mapping[str, float | str]

_LINE = re.compile(r"^##\$(\w+)=[ \t]*([^\r\n]*)", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE)


def read_jcamp(path: Path) -> Parameters:
    """Return the numbers and texts of a parameter file of Bruker, without its lists.

    Raises
    ------
    InputError
        If it is no such file, or ends before its ``##END=``.
    """
    text = guards.text_of(path, guards.MAX_HEADER_BYTES, "parameter file")
    found = {name: _value(value) for name, value in _LINE.findall(text)}
    if not found:
        raise guards.refused(path, "this is no parameter file of Bruker: it holds no line `##$…`")
    if "##END" not in text:
        raise guards.refused(path, "the parameter file is truncated: its last line `##END=` fails")
    return found


def read_assignments(path: Path) -> Parameters:
    """Return the ``name = value`` lines of a file.

    Raises
    ------
    InputError
        If it has none.
    """
    text = guards.text_of(path, guards.MAX_HEADER_BYTES, "parameter file")
    found = {name: _value(value) for name, value in _ASSIGNMENT.findall(text)}
    if not found:
        raise guards.refused(path, "this is no parameter file: it holds no line `name = value`")
    return found


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip(" <>\"'")
