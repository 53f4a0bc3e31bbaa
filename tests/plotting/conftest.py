"""Sequences that are written in a test."""

import pytest

from nmrqb.sequence import load_sequence

_HEAD = "format: nmrqb-sequence/1\nname: {name}\nspins: {spins}\n"


@pytest.fixture
def written(tmp_path):
    """Return a function that reads a sequence: spins, further keys, and its events as text."""

    def read(events, top="", spins="{I: any, S: any}", name="example"):
        head = _HEAD.format(name=name, spins=spins)
        lines = "".join(f"  - {event}\n" for event in events)
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"{head}{top}\nsequence:\n{lines}", encoding="utf-8")
        return load_sequence(file)

    return read
