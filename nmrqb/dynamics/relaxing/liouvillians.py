"""Sparse generators of open systems, and the few elements of ρ that an observable sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, eye_array, issparse, kron
from scipy.sparse.csgraph import connected_components

from nmrqb.dynamics.coherent.blocks import NOISE, Indices, Pattern, blocks, pattern_of
from nmrqb.dynamics.relaxing.dissipation import Dissipation
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex


def sparse_liouvillian(hamiltonian: Complex, dissipation: Dissipation) -> csr_array:
    """Return the generator ρ ↦ −i[H, ρ] + Σ_m D[L_m]ρ on row-flattened ρ, sparse.

    Parameters
    ----------
    hamiltonian
        H in rad/s, shape (d, d) with d = 2ⁿ.
    dissipation
        Lindblad operators of the same n spins.

    Returns
    -------
    sparse array of shape (d², d²), 1/s

    Raises
    ------
    ArgumentError
        If the Hamiltonian and the dissipation are of different numbers of spins.
    """
    d, n = hamiltonian.shape[-1], dissipation.n
    if hamiltonian.shape != (2**n, 2**n):
        raise ArgumentError(
            f"Argument `hamiltonian` must have shape {(2**n, 2**n)} like `dissipation`, but has "
            f"shape {hamiltonian.shape}"
        )
    H, one = csr_array(np.where(pattern_of(hamiltonian), hamiltonian, 0)), eye_array(d)
    return csr_array(-1j * (kron(H, one) - kron(one, H.T)) + sparse_dissipator(dissipation))


def sparse_dissipator(dissipation: Dissipation) -> csr_array:
    """Return the matrix of ρ ↦ Σ_m D[L_m]ρ on row-flattened ρ of n spins, (4ⁿ, 4ⁿ), 1/s."""
    n = dissipation.n
    total = csr_array((4**n, 4**n), dtype=complex)
    for part in dissipation.parts:
        places = [*part.spins, *(n + spin for spin in part.spins)]
        own = diags_array(part.rates.ravel()) if part.diagonal else coo_array(part.generator)
        total = total + spread_sparse(coo_array(own), places, 2 * n)
    return total


def spread_sparse(matrix: coo_array, places: Sequence[int], n: int) -> csr_array:
    """Return a matrix on some of n two-level factors, the first leftmost, on all: (2ⁿ, 2ⁿ)."""
    inner = _numbers(places, n)
    outer = _numbers([place for place in range(n) if place not in places], n)
    at = [(inner[index][:, None] + outer).ravel() for index in (matrix.row, matrix.col)]
    values = np.repeat(matrix.data, len(outer))
    return csr_array(coo_array((values, (at[0], at[1])), shape=(2**n, 2**n)))


def _numbers(places: Sequence[int], n: int) -> Indices:
    """Return the basis states of n factors in which only the factors at some places are not 0."""
    numbers = np.zeros(1, dtype=np.intp)
    for place in places:
        numbers = (numbers[:, None] + np.array([0, 2 ** (n - 1 - place)])).ravel()
    return numbers


def seen_sectors(generator: Complex | csr_array, row: Complex) -> list[Indices]:
    """Return the elements of ρ that row·exp(Lt) sees at any time, in sets that do not mix.

    An element is seen if a chain of non-zero entries of L leads from it to an element that the
    row weighs.  For a secular H and the coil of a receiver these are the coherences of order −1.

    Parameters
    ----------
    generator
        L, sparse of shape (m, m), or dense of shape (..., m, m); a stack shares its sectors.
    row
        Shape (m,).

    Returns
    -------
    list of index arrays, each ascending
    """
    seen = np.asarray(row) != 0
    if issparse(generator):
        return _sparse_sectors(generator, seen)
    size = generator.shape[-1]
    pattern = np.asarray(pattern_of(generator).reshape(-1, size, size).any(axis=0))
    inside = np.flatnonzero(_spread(seen, lambda reached: np.any(pattern[reached], axis=0)))
    return [inside[block] for block in blocks(pattern[np.ix_(inside, inside)])]


def _sparse_sectors(generator: csr_array, seen: Pattern) -> list[Indices]:
    size = coo_array(abs(generator))
    strong = size.data > NOISE * size.data.max(initial=0.0)
    ones = np.ones(np.count_nonzero(strong))
    joined = coo_array((ones, (size.row[strong], size.col[strong])), shape=generator.shape)
    pattern = csr_array(joined)
    backwards = csr_array(joined.T)
    inside = np.flatnonzero(_spread(seen, lambda reached: backwards @ reached.astype(float) > 0))
    _, labels = connected_components(pattern[inside][:, inside], directed=False)
    order = inside[np.argsort(labels, kind="stable")]
    ends = np.cumsum(np.bincount(labels))
    return [order[end - size : end] for end, size in zip(ends, np.bincount(labels), strict=True)]


def _spread(seen: Pattern, step: Callable[[Pattern], Pattern]) -> Pattern:
    """Return all that is reached from a set by any number of steps."""
    reached = seen | step(seen)
    while not np.array_equal(reached, seen):
        seen, reached = reached, reached | step(reached)
    return reached
