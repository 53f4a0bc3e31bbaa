"""References in extended precision, by Taylor series of their own."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csr_array

WIDE = np.clongdouble
_LAST = 1e-21  # relative size of the term that ends a series


def exponential(A):
    """Return exp(A) of matrices (..., d, d): scaling, Taylor series, squaring."""
    A = np.asarray(A, dtype=WIDE)
    norm = float(np.abs(A).sum(axis=-1).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(norm)) + 2) if norm else 0
    A = A / WIDE(2) ** squarings
    total = term = np.broadcast_to(np.eye(A.shape[-1], dtype=WIDE), A.shape)
    k = 0
    while np.abs(term).max() > _LAST:
        k += 1
        term = term @ A / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total


def acted(A, x):
    """Return exp(A)x of a sparse matrix (m, m) and columns (m, ...), by steps of norm one."""
    matrix = csr_array(A).astype(WIDE)
    steps = max(1, math.ceil(float(abs(csr_array(A)).sum(axis=1).max())))
    matrix.data /= steps  # a quotient of sparse matrices would be rounded to double precision
    total = np.asarray(x, dtype=WIDE)
    for _ in range(steps):
        term, size, k = total, float(np.abs(total).max()), 0
        while np.abs(term).max() > _LAST * size:
            k += 1
            term = matrix @ term / k
            total = total + term
    return total


def largest(values, reference, axes=-1):
    """Return the largest 2-norm (over axes) of a difference, over the largest of the reference."""

    def norms(array):
        return np.sqrt((np.abs(array) ** 2).sum(axis=axes))

    difference = np.asarray(values, dtype=WIDE) - reference
    return float(norms(difference).max() / norms(reference).max())
