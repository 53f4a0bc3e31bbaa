"""Isotopes as spectrometers write them."""

from __future__ import annotations

import re

_ISOTOPE = re.compile(r"(\d{1,3})\s*([A-Z][a-z]?)")
_REVERSED = re.compile(r"([A-Za-z]{1,2})\s*(\d{1,3})")
_NAMES = {"proton": "1H", "carbon": "13C", "fluorine": "19F", "phosphorus": "31P",
          "nitrogen15": "15N", "nitrogen": "15N", "silicon": "29Si"}  # fmt: skip


def nucleus_of(text: object) -> str | None:
    """Return ``1H`` for ``1H``, ``<1H>``, ``^1H``, ``H1`` or ``Proton``; None for anything else."""
    word = str(text or "").strip(" <>^'\"")
    if found := _ISOTOPE.fullmatch(word):
        return f"{found[1]}{found[2]}"
    if found := _REVERSED.fullmatch(word):
        return f"{found[2]}{found[1].capitalize()}"
    return _NAMES.get(word.casefold())
