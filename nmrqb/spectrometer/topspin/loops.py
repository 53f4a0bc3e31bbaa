"""Repetitions within a list of steps, found so that a program can loop."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

MAX_PERIOD = 400  # steps of a loop's body that are looked for


@dataclass(frozen=True)
class Loop:
    """Items that are played ``times`` times; items may be loops themselves."""

    times: int
    items: tuple[Hashable, ...]


def folded(items: Sequence[Hashable]) -> list[Hashable]:
    """Return a list in which repetitions in a row are loops, the longest stretch first.

    Unfolding gives the list back.
    """
    best = _longest(items)
    if best is None:
        return list(items)
    start, period, times = best
    body = Loop(times, tuple(folded(items[start : start + period])))
    return [*folded(items[:start]), body, *folded(items[start + period * times :])]


def _longest(items: Sequence[Hashable]) -> tuple[int, int, int] | None:
    """Return start, period and number of the repetition that covers most; of these the shortest."""
    best: tuple[int, int, int, int] | None = None
    for period in range(1, min(MAX_PERIOD, len(items) // 2) + 1):
        same = [a == b for a, b in zip(items, items[period:], strict=False)]
        for start, length in _runs(same):
            times = length // period + 1
            covered = (times - 1) * period
            if times > 1 and covered > 1 and (best is None or covered > best[0]):
                best = (covered, start, period, times)
    return None if best is None else best[1:]


def _runs(same: Sequence[bool]) -> list[tuple[int, int]]:
    """Return start and length of every run of true values."""
    runs, start = [], None
    for k, value in enumerate([*same, False]):
        if value and start is None:
            start = k
        elif not value and start is not None:
            runs.append((start, k - start))
            start = None
    return runs
