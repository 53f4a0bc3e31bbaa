"""The levels of a battery: degeneracy, a basis that the levels fix, and dephasing between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.battery.arguments import pair
from nmrqb.operators import Complex, Real, as_hermitian, dagger, pauli, spin_count

DEGENERATE = 1e-9
_INDEPENDENT = 1e-3  # of 1: a product state adds a direction to a level


def is_degenerate(H: Any) -> bool:  # noqa: ANN401
    """Tell whether any two levels coincide within 1e-9 of the spectral width."""
    e = np.linalg.eigvalsh(as_hermitian(H, "H"))
    width = float(e[..., -1].max() - e[..., 0].min())
    return bool(np.any(np.diff(e, axis=-1) <= DEGENERATE * max(width, 1e-300)))


def energy_basis(H: Any) -> Complex:  # noqa: ANN401
    """Return the eigenvectors of one Hamiltonian as columns, fixed inside degenerate levels.

    Where levels coincide the basis is that of Σσ_z inside the level, ties in product order.
    Without this the l1 coherence of a state would depend on the diagonaliser.

    Parameters
    ----------
    H
        Shape (d, d); d = 2ⁿ where levels are degenerate.

    Returns
    -------
    array of shape (d, d)
    """
    e, V = np.linalg.eigh(as_hermitian(H, "H"))
    if not is_degenerate(H):
        return V
    n = spin_count(V)
    total_z = sum(np.diag(pauli("I" * k + "Z" + "I" * (n - k - 1))).real for k in range(n))
    levels = _levels(e, float(e[-1] - e[0]))
    return np.concatenate([_refined(V[:, level], np.asarray(total_z)) for level in levels], axis=1)


def _levels(e: Real, width: float) -> list[NDArray[np.int_]]:
    """Split ascending eigenvalues into groups that coincide within 1e-9 of a spectral width."""
    gaps = np.diff(e) > DEGENERATE * max(width, 1e-300)
    return np.split(np.arange(len(e)), np.flatnonzero(gaps) + 1)


def _refined(level: Complex, total_z: Real) -> Complex:
    """Diagonalise Σσ_z inside a level, largest first, and put ties into product order."""
    if level.shape[1] == 1:
        return level
    e, W = np.linalg.eigh(-dagger(level) @ (total_z[:, None] * level))
    basis = level @ W
    ties = _levels(e, float(np.ptp(total_z)))
    return np.concatenate([_in_product_order(basis[:, k]) for k in ties], axis=1)


def _in_product_order(level: Complex) -> Complex:
    """Orthonormalise the projections of the product states on a level, one after the other.

    Where product states lie in the level they come out in their order; elsewhere the basis still
    belongs to the level alone, not to the diagonaliser.
    """
    found: list[Complex] = []
    for projected in level.conj():
        rest = projected - sum(axis * (axis.conj() @ projected) for axis in found)
        size = float(np.linalg.norm(rest))
        if size > _INDEPENDENT:
            found.append(rest / size)
    return np.asarray(level @ np.array(found).T)


def dephased(rho: Any, H: Any) -> Complex:  # noqa: ANN401
    """Return Σ_E Π_E ρ Π_E, without coherence between levels of different energy: (..., d, d).

    Coherence inside a degenerate level stays.  Levels within 1e-9 of the spectral width, and what
    such steps connect, are one level.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or the two differ in size.
    """
    state, hamiltonian = pair(rho, H)
    e, V = np.linalg.eigh(hamiltonian)
    width = e[..., -1:] - e[..., :1]
    steps = np.diff(e, axis=-1, prepend=e[..., :1]) > DEGENERATE * np.maximum(width, 1e-300)
    level = np.cumsum(steps, axis=-1)
    same = level[..., :, None] == level[..., None, :]
    return np.asarray(V @ np.where(same, dagger(V) @ state @ V, 0) @ dagger(V))
