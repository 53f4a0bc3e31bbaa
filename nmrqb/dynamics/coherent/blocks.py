"""Blocks of a matrix: the sets of levels that its non-zero entries connect."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex

Indices = NDArray[np.intp]
Pattern = NDArray[np.bool_]

NOISE = 2.0**-56
_REMEMBERED = 256  # largest pattern whose blocks are kept for the next call


def pattern_of(matrix: Complex) -> Pattern:
    """Return where a matrix is not zero: (..., d, d) → bool (..., d, d).

    Entries below 2⁻⁵⁶ of the largest one are rounding noise and count as zero; an
    eigendecomposition in double precision moves the matrix by more than that.
    """
    size = np.abs(matrix)
    return np.asarray(size > NOISE * size.max(axis=(-2, -1), keepdims=True, initial=0.0))


def blocks(pattern: ArrayLike) -> list[Indices]:
    """Return the connected components of the graph whose edges are the entries of a pattern.

    A matrix with this pattern is block diagonal on them, whichever triangle the entries stand in.

    Parameters
    ----------
    pattern
        Shape (d, d), true or non-zero where levels are connected.

    Returns
    -------
    list of index arrays
        Each ascending and read-only; the blocks in the order of their first index.

    Raises
    ------
    ArgumentError
        If the pattern is not square.

    Examples
    --------
    >>> [block.tolist() for block in blocks([[1, 0, 1], [0, 1, 0], [0, 0, 1]])]
    [[0, 2], [1]]
    """
    edges = np.ascontiguousarray(pattern, dtype=bool)
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1]:
        raise ArgumentError(
            f"Argument `pattern` must have shape (d, d), but has shape {edges.shape}"
        )
    if len(edges) > _REMEMBERED:
        return list(_components(edges))
    return list(_remembered(edges.tobytes(), len(edges)))


@lru_cache(maxsize=64)
def _remembered(edges: bytes, d: int) -> tuple[Indices, ...]:
    return _components(np.frombuffer(edges, dtype=bool).reshape(d, d))


def _components(pattern: Pattern) -> tuple[Indices, ...]:
    """Spread the smallest index over every block; following it twice halves long chains."""
    d = len(pattern)
    joined = pattern | pattern.T | np.eye(d, dtype=bool)
    labels, previous = np.arange(d), np.zeros(0, dtype=int)
    while not np.array_equal(labels, previous):
        previous = labels
        labels = np.where(joined, labels, d).min(axis=1, initial=d)
        labels = labels[labels]
    found = tuple(np.flatnonzero(labels == first) for first in np.unique(labels))
    for block in found:
        block.setflags(write=False)
    return found
