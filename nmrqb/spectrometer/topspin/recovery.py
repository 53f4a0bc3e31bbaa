"""The time that the field needs after a gradient before anything else is played or seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nmrqb.sequence import TimedDelay, TimedEvent, TimedGradient

_SAME = 1e-9


def missing_recovery(events: Sequence[TimedEvent], recovery_s: float) -> tuple[float, ...]:
    """Return, gradient after gradient, what the delays that follow it lack of the recovery in s.

    Parameters
    ----------
    events
        What is played, in the order of time.
    recovery_s
        Time that the field needs in s.
    """
    waits = (_length(run) for after, run in _runs(events) if after)
    return tuple(0.0 if _enough(wait, recovery_s) else recovery_s - wait for wait in waits)


def recovered(events: Sequence[TimedEvent], recovery_s: float) -> tuple[TimedEvent, ...]:
    """Return the events with at least ``recovery_s`` of free evolution after every gradient.

    Delays that follow a gradient are that time where they are long enough, so that nothing
    changes; shorter ones become one of ``recovery_s``, and where there is none it is put in.
    """
    result: list[TimedEvent] = []
    for after_gradient, run in _runs(events):
        short = after_gradient and not _enough(_length(run), recovery_s)
        result += [TimedDelay(recovery_s)] if short else run
    return tuple(result)


def _runs(events: Sequence[TimedEvent]) -> Iterator[tuple[bool, list[TimedEvent]]]:
    """Yield what is played in pieces: the delays after every gradient, True, and all else."""
    piece: list[TimedEvent] = []
    after_gradient = False
    for event in events:
        if after_gradient and not isinstance(event, TimedDelay):
            yield True, piece
            piece, after_gradient = [], False
        piece.append(event)
        if isinstance(event, TimedGradient):
            yield False, piece
            piece, after_gradient = [], True
    yield after_gradient, piece


def _length(run: Sequence[TimedEvent]) -> float:
    return sum(float(np.asarray(e.duration)) for e in run if isinstance(e, TimedDelay))


def _enough(wait: float, recovery_s: float) -> bool:
    return wait >= recovery_s * (1 - _SAME)
