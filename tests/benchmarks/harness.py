"""Speed as a ratio against a peer in the same run: CPU time, one thread, medians."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Case:
    """Two ways to the same result.

    Attributes
    ----------
    name, peer_name
        What is measured, and what it is measured against.
    ours, peer
        Both are called without arguments; ``agree`` sees that their results are the same.
    share
        Part of the work that the peer does, if all of it would take too long: its time is divided
        by this.
    """

    name: str
    peer_name: str
    ours: Callable[[], object]
    peer: Callable[[], object]
    agree: Callable[[object, object], bool]
    share: float = 1.0


@dataclass(frozen=True)
class Row:
    """Median CPU seconds of both, how often ours is quicker, and whether the results agree."""

    name: str
    peer: str
    ours_s: float
    peer_s: float
    ratio: float
    agree: bool


def measure(case: Case, repeats: int) -> Row:
    """Time both ways in turn, so that a change of the machine's speed meets both."""
    ours, peer = [], []
    agree = case.agree(case.ours(), case.peer())
    for _ in range(repeats):
        ours.append(_cpu(case.ours))
        peer.append(_cpu(case.peer) / case.share)
    mine, theirs = statistics.median(ours), statistics.median(peer)
    return Row(case.name, case.peer_name, mine, theirs, theirs / mine, agree)


def _cpu(function: Callable[[], object]) -> float:
    gc.collect()
    start, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - start < 0.05:
        function()
        calls += 1
    return (time.process_time() - start) / calls


def report(cases: Iterable[Case], *, repeats: int, as_json: bool) -> list[Row]:
    """Measure the cases and print a line for each, or one JSON document."""
    rows = []
    for case in cases:
        rows.append(measure(case, repeats))
        if not as_json:
            sys.stdout.write(line(rows[-1]) + "\n")
            sys.stdout.flush()
    if as_json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return rows


def line(row: Row) -> str:
    """Return a row as text."""
    verdict = "" if row.agree else "  RESULTS DIFFER"
    return (
        f"{row.name:<44} {row.ours_s * 1e3:10.3f} ms  {row.ratio:10.1f} × quicker than {row.peer}"
        f" ({row.peer_s * 1e3:.1f} ms){verdict}"
    )
