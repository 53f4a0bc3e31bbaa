"""Extracting work: the unitary that makes a state passive, and what it extracts from another."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmrqb.battery.arguments import pair
from nmrqb.battery.energies import energy
from nmrqb.dynamics import apply
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_matrix, dagger

_UNITARY = 1e-6  # how far U†U may be from 1


def extraction_unitary(rho: Any, H: Any) -> Complex:  # noqa: ANN401
    """Return the unitary that takes states to the passive ones of their spectra: (..., d, d).

    U = Σ_k |e↑_k⟩⟨r↓_k| takes the most populated eigenvector of ρ to the lowest level of H and so
    on, so that tr ρH − tr UρU†H is the ergotropy of ρ.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d), arrays or Qobj; linear inversions need not be positive.
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Raises
    ------
    ArgumentError
        If a matrix is not square, not finite or not Hermitian, or the two differ in size.

    Notes
    -----
    Allahverdyan, Balian & Nieuwenhuizen (2004).  U is fixed up to phases of the levels, and where
    eigenvalues of ρ or of H coincide up to rotations of their eigenvectors: all choices extract
    the same from ρ itself, but not from a state that ρ is an estimate of.
    """
    state, hamiltonian = pair(rho, H)
    _, axes = np.linalg.eigh(state)
    _, levels = np.linalg.eigh(hamiltonian)
    return np.asarray(levels @ dagger(axes[..., ::-1]))


def after_extraction(rho: Any, applied: Any) -> Complex:  # noqa: ANN401
    """Return states after what was applied to them: UρU†, or the image under a map, (..., d, d).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    applied
        Unitaries of shape (..., d, d); or superoperators on row-flattened states of shape
        (..., d², d²), for instance of pulses that last while the spins relax.

    Raises
    ------
    ArgumentError
        If it is neither, is not finite, or a matrix of the size of ρ is not unitary.
    """
    state, given = as_hermitian(rho, "rho"), as_matrix(applied, "applied")
    _check_fit(state, given)
    if given.shape[-1] != state.shape[-1]:
        return apply(given, state)
    _check_unitary(given)
    return np.asarray(given @ state @ dagger(given))


def _check_fit(rho: Complex, applied: Complex) -> None:
    """Refuse what is no map on states, or belongs to another number of them."""
    d = rho.shape[-1]
    try:
        np.broadcast_shapes(rho.shape[:-2], applied.shape[:-2])
        fits = applied.shape[-1] in {d, d * d}
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(
            f"Argument `applied` must be unitaries (..., {d}, {d}) or superoperators "
            f"(..., {d * d}, {d * d}) on states of shape {rho.shape}, but has shape {applied.shape}"
        )


def _check_unitary(U: Complex) -> None:
    worst = float(np.abs(dagger(U) @ U - np.eye(U.shape[-1])).max(initial=0.0))
    if worst > _UNITARY:
        raise ArgumentError(
            f"Argument `applied` must be unitary, but U†U is off 1 by {worst:.3g}; a map that is "
            "not unitary is given as a superoperator"
        )


def extracted_work(rho: Any, H: Any, applied: Any) -> Real:  # noqa: ANN401
    """Return the work tr ρH − tr Λ(ρ)H that a unitary or a map Λ extracts: (..., d, d) → (...).

    No unitary extracts more than the ergotropy; one that was made for another state extracts less,
    and may put work in (< 0).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    H
        Battery Hamiltonian(s), shape (..., d, d).
    applied
        Unitaries or superoperators, see `after_extraction`.

    Returns
    -------
    array of shape (...), in the unit of H
    """
    return np.asarray(energy(rho, H) - energy(after_extraction(rho, applied), H))
