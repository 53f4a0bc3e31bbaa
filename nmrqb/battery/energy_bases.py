"""Energy bases of many Hamiltonians at once, fixed inside degenerate levels as in `levels`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.battery.levels import DEGENERATE
from nmrqb.operators import Complex, Real, as_hermitian, dagger, spin_count, spin_projections

_INDEPENDENT = 1e-3  # of 1: a product state adds a direction to a level

Level = NDArray[np.intp]


def energy_bases(H: Any) -> tuple[Real, Complex]:  # noqa: ANN401 - arrays or Qobj
    """Return ascending energies and eigenvectors as columns of a stack of Hamiltonians.

    Each basis is that of `nmrqb.battery.energy_basis`: where levels coincide within 1e-9 of the
    spectral width it diagonalises Σσ_z inside the level, ties in product order.

    Parameters
    ----------
    H
        Shape (..., d, d), any unit; d = 2ⁿ where levels are degenerate.

    Returns
    -------
    energies, vectors
        Shapes (..., d), in the unit of H, and (..., d, d).

    Raises
    ------
    ArgumentError
        If a matrix is not finite, square and Hermitian.
    """
    matrices = as_hermitian(H, "H")
    d = matrices.shape[-1]
    e, V = np.linalg.eigh(matrices.reshape(-1, d, d))
    for members, levels in _alike(e, e[:, -1] - e[:, 0]):
        if len(levels) < d:
            V[members] = np.concatenate(
                [_refined(V[members][:, :, level]) for level in levels], axis=-1
            )
    return e.reshape(matrices.shape[:-1]), V.reshape(matrices.shape)


def _alike(e: Real, width: Real) -> Iterator[tuple[Level, list[Level]]]:
    """Yield members whose levels coincide in the same way, and these levels: (N, d), (N,)."""
    apart = np.diff(e, axis=-1) > DEGENERATE * np.maximum(width, 1e-300)[:, None]
    if apart.all():
        yield np.arange(len(e)), list(np.arange(e.shape[-1])[:, None])
        return
    patterns, which = np.unique(apart, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        levels = np.split(np.arange(e.shape[-1]), np.flatnonzero(pattern) + 1)
        yield np.flatnonzero(which.ravel() == number), levels


def _refined(level: Complex) -> Complex:
    """Diagonalise Σσ_z inside levels, largest first, ties in product order: (N, d, g) → same."""
    if level.shape[-1] == 1:
        return level
    total_z = 2 * spin_projections(spin_count(dagger(level))).sum(axis=0)
    e, W = np.linalg.eigh(-dagger(level) @ (total_z[:, None] * level))
    basis = level @ W
    for members, ties in _alike(e, np.full(len(e), np.ptp(total_z))):
        ordered = [_in_product_order(basis[members][:, :, tie]) for tie in ties]
        basis[members] = np.concatenate(ordered, axis=-1)
    return np.asarray(basis)


def _in_product_order(level: Complex) -> Complex:
    """Orthonormalise the projections of the product states on levels, one after the other."""
    found = np.zeros((len(level), level.shape[-1], level.shape[-1]), dtype=complex)
    count = np.zeros(len(level), dtype=int)
    for projected in level.conj().swapaxes(0, 1):
        shares = np.einsum("nkg,ng->nk", found.conj(), projected)
        rest = projected - np.einsum("nk,nkg->ng", shares, found)
        size = np.linalg.norm(rest, axis=-1)
        new = np.flatnonzero((size > _INDEPENDENT) & (count < level.shape[-1]))
        found[new, count[new]] = rest[new] / size[new, None]
        count[new] += 1
    return np.asarray(level @ found.swapaxes(-1, -2))
