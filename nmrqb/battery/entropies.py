"""Purity, fidelity and entropies of states, in bits (times ln 2: in nats).

Entropies and fidelity are those of positive states of trace 1: negative eigenvalues of an
unprojected estimate are set to zero and the trace is brought back to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmrqb.battery.arguments import check_size, populations
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_matrix, dagger

_ORTHONORMAL = 1e-9


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
    root, other = _root(rho, "rho"), _root(sigma, "sigma")
    check_size(root, other, "sigma")
    inner = np.linalg.eigvalsh(root @ other @ other @ root)
    return np.asarray(np.sqrt(np.clip(inner, 0, None)).sum(axis=-1) ** 2)


def _root(rho: Any, name: str) -> Complex:  # noqa: ANN401
    """Return the square root of the state that is left when negative eigenvalues are dropped."""
    r, V = populations(rho, name)
    return np.asarray((V * np.sqrt(r)[..., None, :]) @ dagger(V))


def purity(rho: Any) -> Real:  # noqa: ANN401
    """Return tr ρ²: (..., d, d) → (...)."""
    state = as_hermitian(rho, "rho")
    return np.asarray(np.einsum("...ij,...ji->...", state, state).real)


def shannon(probabilities: Real) -> Real:
    """Return −Σ p_k log₂ p_k in bits, 0 log 0 = 0: (..., d) → (...)."""
    p = np.clip(probabilities, 0, None)
    logs = np.log2(p, where=p > 0, out=np.zeros_like(p))
    return np.asarray(-(p * logs).sum(axis=-1))


def von_neumann_entropy(rho: Any) -> Real:  # noqa: ANN401
    """Return S = −tr ρ log₂ ρ in bits: (..., d, d) → (...).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d), arrays or Qobj.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or its trace is not 1 within 1e-6.
    """
    return shannon(populations(rho)[0])


def diagonal_entropy(rho: Any, basis: Any = None) -> Real:  # noqa: ANN401
    """Return the entropy −Σ ρ_kk log₂ ρ_kk in bits of the populations in a basis: (...).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    basis
        Basis vectors as columns, shape (d, d), say `energy_basis`; None is the computational one.

    Raises
    ------
    ArgumentError
        As for `von_neumann_entropy`, or if the basis is not orthonormal or of another size.
    """
    r, V = populations(rho)
    vectors = V if basis is None else dagger(as_basis(basis, V)) @ V
    return shannon((np.abs(vectors) ** 2 @ r[..., None])[..., 0])


def renyi2_entropy(rho: Any) -> Real:  # noqa: ANN401
    """Return the Rényi-2 entropy −log₂ tr ρ² in bits: (..., d, d) → (...).

    Raises
    ------
    ArgumentError
        As for `von_neumann_entropy`.
    """
    r, _ = populations(rho)
    return np.asarray(-np.log2((r**2).sum(axis=-1)))


def as_basis(basis: Any, like: Complex) -> Complex:  # noqa: ANN401
    """Return a basis as columns, of the size of a state: (..., d, d).

    Raises
    ------
    ArgumentError
        If it is of another size or not orthonormal.
    """
    V = as_matrix(basis, "basis")
    check_size(like, V, "basis")
    worst = float(np.abs(dagger(V) @ V - np.eye(V.shape[-1])).max())
    if worst > _ORTHONORMAL:
        raise ArgumentError(
            "Argument `basis` must hold orthonormal columns, but their overlaps are off by "
            f"{worst:.3g}"
        )
    return V
