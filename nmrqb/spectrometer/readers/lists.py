"""Lists of delays and pulse lengths as spectrometers write them."""

from __future__ import annotations

import math
import re
from pathlib import Path

from nmrqb.spectrometer.readers import guards

_ENTRY = re.compile(r"([0-9.]+(?:[eE][-+]?[0-9]{1,3})?)\s*([smun]?)s?")
_FACTORS = {"s": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_MAX_ENTRIES = 65_536


def read_times(path: Path, *, microseconds: bool = False) -> tuple[float, ...]:
    """Return the times of a list in s: one a line, ``10``, ``0.5s``, ``25m``, ``4u``.

    Parameters
    ----------
    path
        The list.
    microseconds
        Whether a bare number is in µs, as in a list of pulse lengths, not in s.

    Raises
    ------
    InputError
        If a line is no time.
    """
    text = guards.text_of(path, guards.MAX_LIST_BYTES, "list of times")
    times = []
    for line, entry in enumerate(text.splitlines(), start=1):
        stripped = entry.partition("#")[0].strip()
        if not stripped:
            continue
        times.append(_time(path, stripped, line, "u" if microseconds else "s"))
    if not 0 < len(times) <= _MAX_ENTRIES:
        raise guards.refused(path, f"the list must hold 1 to {_MAX_ENTRIES} times")
    return tuple(times)


def _time(path: Path, text: str, line: int, unit: str) -> float:
    found = _ENTRY.fullmatch(text)
    try:
        value = float(found[1]) * _FACTORS[found[2] or unit] if found else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise guards.refused(
            path, f"must be a time such as 0.5s or 25m, but is {text[:40]!r}", line
        )
    return value
