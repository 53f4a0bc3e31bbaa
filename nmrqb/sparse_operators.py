"""Sums of spin products from bit patterns, dense for few spins and sparse for many.

In the basis of all spins up or down a product of I_x, I_y and I_z has one element in every row:
⟨r|P|r ⊕ f⟩ = v_r.  The bits of f are the spins that P flips, and the values v are products of
±½ and ∓i/2.  Sums are collected by f, so that nothing of the size of a full matrix is made before
the last step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

DENSE_SPINS = 8  # above it matrices of the coherent dynamics are sparse
AXES = ("x", "y", "z")

Factor: TypeAlias = tuple[str, int]
Term: TypeAlias = tuple[float | Real, Sequence[Factor]]
Pattern: TypeAlias = dict[int, Complex]
Sparse: TypeAlias = "csr_array[np.complex128]"


def _rows(n: int) -> NDArray[np.int64]:
    return np.arange(2**n)


def _factor(axis: str, spin: int, n: int) -> tuple[int, Complex]:
    """Return what I_a of one spin flips, and ⟨r|I_a|r ⊕ f⟩ for all rows r."""
    bit = 1 << (n - 1 - spin)
    half = np.where(_rows(n) & bit, -0.5, 0.5)
    if axis == "z":
        return 0, half.astype(complex)
    return bit, np.full(2**n, 0.5 + 0j) if axis == "x" else -1j * half


def product_pattern(factors: Sequence[Factor], n: int) -> tuple[int, Complex]:
    """Return the flipped bits f and the values ⟨r|P|r ⊕ f⟩ of P = Π I_a of some of n spins.

    Parameters
    ----------
    factors
        Axis (x, y or z) and spin of every factor, the leftmost first; none is the identity.
    n
        Number of spins.

    Returns
    -------
    int and array of shape (2ⁿ,)

    Raises
    ------
    ArgumentError
        If an axis or a spin does not exist.
    """
    flip, values = 0, np.ones(2**n, dtype=complex)
    for axis, spin in factors:
        if axis not in AXES:
            raise ArgumentError(f"Argument `axis` must be x, y or z, but is {axis!r}")
        if not 0 <= spin < n:
            raise ArgumentError(f"Argument `spin` must be from 0 to {n - 1}, but is {spin}")
        more, right = _factor(axis, spin, n)
        values = values * right[_rows(n) ^ flip]
        flip ^= more
    return flip, values


def pattern_sum(terms: Iterable[Term], n: int) -> Pattern:
    """Return Σ c Π I_a by the bits that its terms flip: f to ⟨r|A|r ⊕ f⟩ of shape (..., 2ⁿ).

    Parameters
    ----------
    terms
        Coefficients of shape (...), each with the factors of its product; see `product_pattern`.
    n
        Number of spins.
    """
    total: Pattern = {}
    for coefficient, factors in terms:
        flip, values = product_pattern(factors, n)
        total[flip] = total.get(flip, 0) + np.asarray(coefficient)[..., None] * values
    return total


def dense_matrix(pattern: Pattern, n: int) -> Complex:
    """Return the matrix of a sum, shape (..., 2ⁿ, 2ⁿ)."""
    batch = np.broadcast_shapes(*(values.shape[:-1] for values in pattern.values()))
    matrix = np.zeros((*batch, 2**n, 2**n), dtype=complex)
    for flip, values in pattern.items():
        matrix[..., _rows(n), _rows(n) ^ flip] += values
    return matrix


def sparse_matrix(pattern: Pattern, n: int) -> Sparse:
    """Return the matrix of a sum without batch axes as a ``csr_array``, (2ⁿ, 2ⁿ), zeros left out.

    Raises
    ------
    ArgumentError
        If coefficients have batch axes.
    """
    batch = np.broadcast_shapes(*(values.shape[:-1] for values in pattern.values()))
    if batch:
        raise ArgumentError(
            f"Argument `pattern` must have no batch axes to be sparse, but has axes {batch}; above "
            f"{DENSE_SPINS} spins give one value of every parameter at a time"
        )
    d = 2**n
    flips = np.array(list(pattern), dtype=np.int64)
    values = np.array(list(pattern.values()), dtype=complex).reshape(len(flips), d).T
    columns = _rows(n)[:, None] ^ flips
    order = np.argsort(columns, axis=1)
    columns = np.take_along_axis(columns, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    kept = values != 0
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    index = np.int32 if starts[-1] < 2**31 else np.int64
    parts = (values[kept], columns[kept].astype(index), starts.astype(index))
    return csr_array(parts, shape=(d, d))


def sparse_spin_operator(axis: str, spin: int, n: int) -> Sparse:
    """Return I_a (axis x, y or z) of one of n spins as a ``csr_array``, shape (2ⁿ, 2ⁿ).

    Raises
    ------
    ArgumentError
        If the axis or the spin does not exist.
    """
    return sparse_matrix(pattern_sum([(1.0, [(axis, spin)])], n), n)


def vector_terms(vectors: Real) -> Iterable[Term]:
    """Yield the terms of Σ_k v_k·I_k that are not zero throughout: shape (..., n, 3)."""
    for spin in range(vectors.shape[-2]):
        for a, axis in enumerate(AXES):
            if np.any(vectors[..., spin, a]):
                yield vectors[..., spin, a], [(axis, spin)]
