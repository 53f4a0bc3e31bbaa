"""Figures of merit of a battery state, for any dimension and any stack of states.

A battery has a Hamiltonian H with ascending eigenvalues e_k, a state ρ has eigenvalues r_k.
Every function takes ρ of shape (..., d, d) (arrays or ``qutip.Qobj``) and H of shape (..., d, d),
broadcasts their batch axes, and answers in the unit of H.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_hermitian,
    as_matrix,
    as_unit_trace,
    dagger,
    pauli,
    spin_count,
)

DEGENERATE = 1e-9
_INDEPENDENT = 1e-3  # of 1: a product state adds a direction to a level
_ORTHONORMAL = 1e-9
_ESTIMATED = 1e-6  # how far the trace of a state may be from 1


def matched(rho: Any, hamiltonian: Any) -> tuple[Complex, Complex]:  # noqa: ANN401
    """Return a state and a Hamiltonian, both Hermitian and of one size.

    Raises
    ------
    ArgumentError
        If they are not.
    """
    state, H = as_hermitian(rho, "rho"), as_hermitian(hamiltonian, "H")
    _check_size(state, H, "H")
    return state, H


def _check_size(rho: Complex, other: Complex, name: str) -> None:
    """Refuse stacks that are of different dimensions, or whose batch axes do not broadcast."""
    try:
        np.broadcast_shapes(rho.shape[:-2], other.shape[:-2])
        fits = rho.shape[-1] == other.shape[-1]
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(
            f"Argument `{name}` must be of the size of `rho`, {rho.shape}, but has shape "
            f"{other.shape}"
        )


def energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the mean energy tr ρH: (..., d, d) → (...)."""
    state, hamiltonian = matched(rho, H)
    return np.asarray(np.einsum("...ij,...ji->...", state, hamiltonian).real)


def passive_energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the lowest energy Σ r↓_k e↑_k that unitaries reach: (..., d, d) → (...)."""
    r, e = _spectra(rho, H)
    return np.asarray((r[..., ::-1] * e).sum(axis=-1))


def active_energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the highest energy Σ r↑_k e↑_k that unitaries reach: (..., d, d) → (...)."""
    r, e = _spectra(rho, H)
    return np.asarray((r * e).sum(axis=-1))


def _spectra(rho: Any, H: Any) -> tuple[Real, Real]:  # noqa: ANN401
    state, hamiltonian = matched(rho, H)
    return np.linalg.eigvalsh(state), np.linalg.eigvalsh(hamiltonian)


def ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the largest work that a unitary extracts, tr ρH − Σ r↓_k e↑_k ≥ 0.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d), arrays or Qobj; linear inversions need not be positive.
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Returns
    -------
    array of shape (...), in the unit of H

    Raises
    ------
    ArgumentError
        If a matrix is not square, not finite or not Hermitian, or the two differ in size.

    Notes
    -----
    Allahverdyan, Balian & Nieuwenhuizen (2004); dipolar-battery-dm-ksea-nmr, sec. IV.
    """
    return np.maximum(energy(rho, H) - passive_energy(rho, H), 0.0)  # below 0 is rounding


def anti_ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return tr ρH − Σ r↑_k e↑_k ≤ 0, minus the largest work a unitary can put in: (...)."""
    return np.minimum(energy(rho, H) - active_energy(rho, H), 0.0)  # above 0 is rounding


def capacity(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return ergotropy − anti-ergotropy = Σ (r↑ − r↓)_k e↑_k, constant under unitaries: (...)."""
    return active_energy(rho, H) - passive_energy(rho, H)


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


def coherence_l1(rho: Any, basis: Any = None) -> Real:  # noqa: ANN401
    """Return the l1 coherence Σ_{i≠j} |ρ_ij| in a basis: (..., d, d) → (...), dimensionless.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    basis
        Basis vectors as columns, shape (d, d), say `energy_basis`; None is the computational one.

    Notes
    -----
    dipolar-battery-dm divides by 3 in the computational basis; dipolar-battery-dm-ksea-nmr uses
    the energy eigenbasis.  Neither factor nor basis is implied here.
    """
    state = as_hermitian(rho, "rho")
    if basis is not None:
        V = as_matrix(basis, "basis")
        _check_size(state, V, "basis")
        worst = float(np.abs(dagger(V) @ V - np.eye(V.shape[-1])).max())
        if worst > _ORTHONORMAL:
            raise ArgumentError(
                "Argument `basis` must hold orthonormal columns, but their overlaps are off by "
                f"{worst:.3g}"
            )
        state = dagger(V) @ state @ V
    diagonal = np.abs(np.einsum("...ii->...i", state)).sum(axis=-1)
    return np.asarray(np.abs(state).sum(axis=(-2, -1)) - diagonal)


def fidelity(rho: Any, sigma: Any) -> Real:  # noqa: ANN401
    """Return the fidelity (tr √(√ρ σ √ρ))² of positive states: (..., d, d) → (...).

    Negative eigenvalues (of rounding, or of an unprojected estimate) are set to zero and the
    trace is brought back to 1, so that it stays at most 1.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6 (a deviation has no
        fidelity), or the two differ in size.
    """
    state = as_unit_trace(rho, "rho", _ESTIMATED)
    target = as_unit_trace(sigma, "sigma", _ESTIMATED)
    _check_size(state, target, "sigma")
    root, other = _root(state), _root(target)
    inner = np.linalg.eigvalsh(root @ other @ other @ root)
    return np.asarray(np.sqrt(np.clip(inner, 0, None)).sum(axis=-1) ** 2)


def _root(rho: Complex) -> Complex:
    """Return the square root of the state that is left when negative eigenvalues are dropped."""
    r, V = np.linalg.eigh(rho)
    r = np.clip(r, 0, None)
    r = r / r.sum(axis=-1, keepdims=True)
    return np.asarray((V * np.sqrt(r)[..., None, :]) @ dagger(V))


def purity(rho: Any) -> Real:  # noqa: ANN401
    """Return tr ρ²: (..., d, d) → (...)."""
    state = as_hermitian(rho, "rho")
    return np.asarray(np.einsum("...ij,...ji->...", state, state).real)
