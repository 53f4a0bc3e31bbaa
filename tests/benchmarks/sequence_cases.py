"""Reading and expanding a long sequence file against reading its YAML alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from harness import Case

from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence
from nmrqb.units import reading

HEAD = "format: nmrqb-sequence/1\nspins: {I: any, S: any}\nparameters: {t: 1 ms}\nsequence:\n"


def cases(*, quick: bool) -> Iterator[Case]:
    """Yield the case; the quick one has fewer events."""
    pairs = 100 if quick else 5000
    lines = [HEAD]
    for k in range(pairs):
        lines.append(f"  - pulse: {{I: {k % 180 + 1} {k % 360}}}\n  - delay: t/{k + 1} + {k} us\n")
    text, sample = "".join(lines), load_sample("chloroform")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def ours() -> int:
        reading.read.cache_clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "long.yaml"
            file.write_text(text + "  - pulse: {S: 90 x}\n", encoding="utf-8")
            return len(expand(load_sequence(file), sample).events)

    yield Case(
        f"{2 * pairs} different events read and expanded",
        "their YAML alone",
        ours,
        lambda: len(yaml.load(text, Loader=loader)["sequence"]) + 1,
        lambda mine, theirs: (abs(mine - 2 * pairs - 1), abs(theirs - 2 * pairs - 1)),
        bound=0,
    )
