"""What of a sequence is control, and after how many passes it closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.average.effective import cycles_to_close
from nmrqb.dynamics import Segment, unitary
from nmrqb.operators import Complex


@dataclass(frozen=True, eq=False)
class Control:
    """One pass of a sequence, told into control and evolution.

    Attributes
    ----------
    segments
        The pass, in the order of time.
    U_rf
        What the control makes of one pass without any drift, shape (..., d, d).
    passes
        Smallest number of passes after which the control is 1 up to a phase; None above 24.
    """

    segments: Sequence[Segment]
    U_rf: Complex
    passes: int | None


def control_of(segments: Sequence[Segment], drift: Complex) -> Control:
    """Return what of a pass is control.

    A change of frame that the pulses undo, as after a composite pulse, is control.  Where the
    pulses close sooner without it, it goes on from pass to pass and is evolution, as in a field.

    Parameters
    ----------
    segments
        One pass of a sequence.
    drift
        The sample's Hamiltonian, shape (d, d); only its shape matters.
    """
    still = np.zeros_like(drift)
    pulses = [segment for segment in segments if segment.rf]
    whole = _closing(segments, still)
    if len(pulses) == len(segments):
        return whole
    alone = _closing(pulses, still)
    if alone.passes is None or (whole.passes is not None and whole.passes <= alone.passes):
        return whole
    frames = [Segment(s.duration, still, rf=False, evolution=s.rotation)
              for s in segments if not s.rf]  # fmt: skip
    return Control([*pulses, *frames], alone.U_rf, alone.passes)


def _closing(segments: Sequence[Segment], still: Complex) -> Control:
    U_rf = unitary(segments, still)
    return Control(segments, U_rf, cycles_to_close(U_rf))
