"""What coherent evolution costs, dense or sparse, before it is done.

The unit is one complex multiplication within a product of large dense matrices; the constants
were measured in it, so that they depend little on the machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy.sparse import csr_array

from nmrqb.dynamics.coherent.chebyshev import series_length, spectral_bounds
from nmrqb.dynamics.segments import Segment
from nmrqb.operators import Complex
from nmrqb.sparse_operators import Sparse

_EXPONENTIAL = 2.0  # products of d × d matrices in the exponential of one (6 without blocks)
_MULTIPLIED = 0.5  # products that one more factor takes (1 without blocks)
_PREPARED = 400.0  # multiplications for every element of a sparse generator made a series
_FETCHED = 4.0  # for every element met in a sparse product,
_APPLIED = 5.0  # and for every column it acts on
_COMBINED = 30.0  # for every element of the states in one term of the series
_CALLED = 8e4  # for the calls of one term


def dense_cost(segments: Sequence[Segment], d: int, *, passes: int = 1) -> float:
    """Return the multiplications of the propagator of segments, and of its power.

    (2 distinct + ½ segments + 2 log₂ passes) d³: multiple-pulse cycles on a drift that conserves
    the spin of every channel, as `nmrqb.dynamics.unitary` does them.  States cost next to nothing.

    Parameters
    ----------
    segments
        One pass, its equal segments exponentiated once.
    d
        Dimension.
    passes
        How often the segments are played.
    """
    products = _EXPONENTIAL * len(_distinct(segments)) + _MULTIPLIED * len(segments)
    return (products + 2 * math.log2(max(passes, 1))) * float(d) ** 3


def sparse_cost(
    segments: Sequence[Segment],
    drift: Complex | Sparse,
    *,
    tolerance: float = 1e-9,
    passes: int = 1,
    columns: int = 1,
) -> float:
    """Return the multiplications of Chebyshev series applied to states.

    Every term of a series costs (4 + 5k) for each element of the generator, 30k for each of the d
    levels, and the call; every distinct segment 400 for each element once.  Segments that need no
    series are counted as if they did.

    Parameters
    ----------
    segments, drift, tolerance
        As for `nmrqb.dynamics.coherent.sparse_evolution.evolve_sparse`, of one pass.
    passes
        How often the segments are played.
    columns
        Number k of state vectors; a density operator has 2d, as it is acted on from both sides.
    """
    matrix = csr_array(drift)
    low, high = spectral_bounds(cast("Sparse", matrix))
    share = tolerance / max(len(segments) * passes, 1)
    known, once, repeated = _distinct(segments), 0.0, 0.0
    for key, number in Counter(segment.content for segment in segments).items():
        segment = known[key]
        control = csr_array(segment.rotation)
        turn = float(np.max(abs(control).sum(axis=1), initial=0.0))
        order, _ = series_length((high - low) / 2 * float(segment.duration) + turn, share)
        entries = control.nnz + matrix.nnz * bool(segment.duration)
        term = (_FETCHED + _APPLIED * columns) * entries
        term += _COMBINED * matrix.shape[0] * columns + _CALLED
        once += _PREPARED * entries
        repeated += number * order * term
    return once + passes * repeated


def _distinct(segments: Sequence[Segment]) -> dict[tuple[bytes, ...], Segment]:
    return {segment.content: segment for segment in segments}
