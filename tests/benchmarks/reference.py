"""References in extended precision, by Taylor series of their own."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csr_array

from nmrqb.operators import pauli_basis

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


def most_likely(rows, values):
    """Return the coefficients of the state with the least |A c − y|², by plain projected gradient.

    Parameters
    ----------
    rows, values
        A of shape (data, 4ⁿ − 1) and y of shape (data,); ρ = (1 + Σ c_P P)/d.
    """
    d = round(np.sqrt(rows.shape[-1] + 1))
    paulis = pauli_basis(d.bit_length() - 1)[1:].reshape(d * d - 1, d * d)
    G, g = rows.T @ rows, rows.T @ values
    step, c = 1 / np.linalg.norm(G, 2), np.zeros(len(g))
    for _ in range(100_000):
        free = c - step * (G @ c - g)
        r, V = np.linalg.eigh((np.eye(d) + (free @ paulis).reshape(d, d)) / d)
        low, high = r.min() - 1, r.max()  # of the shift that makes max(r − shift, 0) sum to one
        for _ in range(80):
            shift = (low + high) / 2
            low, high = (shift, high) if np.maximum(r - shift, 0).sum() > 1 else (low, shift)
        rho = (V * np.maximum(r - high, 0)) @ V.conj().T
        new = (paulis.conj() @ rho.ravel()).real
        if np.linalg.norm(new - c) < 1e-13 * np.sqrt(d):
            return new
        c = new
    raise ArithmeticError("no convergence")
