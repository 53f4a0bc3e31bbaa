"""Axes of spins that a sequence conserves, and the named terms that do not conserve them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from nmrqb.average.lie_algebra import adjoint, collective, pauli_vectors
from nmrqb.average.rule_words import axis_name, combination
from nmrqb.dynamics import exp_hermitian
from nmrqb.operators import (
    NAMED_TERMS,
    Complex,
    Real,
    dagger,
    named_operator,
    spin_count,
    spin_operator,
)

_ZERO = 1e-7  # share of a commutator that counts as rounding


def conserved_axes(operators: Complex) -> Real:
    """Return the one-spin operators Σ_k n_k·σ_k that commute with all operators.

    Parameters
    ----------
    operators
        Shape (m, 2ⁿ, 2ⁿ), of unit norm.

    Returns
    -------
    array of shape (k, n, 3)
        Orthonormal sets of n_k.
    """
    n = spin_count(operators)
    sigma = np.array([2 * spin_operator(a, k, n) for k in range(n) for a in "xyz"])
    gram = np.zeros((3 * n, 3 * n))
    for X in operators:
        commutators = (sigma @ X - X @ sigma).reshape(3 * n, -1)
        gram += (commutators @ commutators.conj().T).real / 2**n
    sizes, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors.T[sizes < _ZERO**2].reshape(-1, n, 3))


def axis_groups(span: Complex, labels: Sequence[str]) -> Iterator[tuple[Real, str]]:
    """Yield total-spin axes, axes of single spins, then whatever combination is left."""
    n, all_rows = len(labels), conserved_axes(span)
    rest = all_rows.reshape(-1, 3 * n)
    blocks = [(np.ones(n), "the total spin")]
    blocks += [(np.eye(n)[k], f"the spin of {labels[k]}") for k in range(n)]
    for weights, name in blocks:
        axes = _within(np.kron(weights / np.linalg.norm(weights), np.eye(3)), rest)
        if len(axes):
            rows = np.einsum("k,ma->mka", weights, axes)
            yield rows, name if len(axes) == 3 else f"{name} about {axis_name(axes[0])}"
    if len(all_rows):
        yield all_rows, "a sum " + combination(all_rows[0], labels)


def _within(block: Real, rows: Real) -> Real:
    """Return the axes n, shape (k, 3), whose vectors n·block lie in the span of rows."""
    block = block.reshape(3, -1) if len(block) == 3 else np.reshape(block, (-1, 3)).T
    outside = block - (block @ rows.T) @ rows
    sizes, axes = np.linalg.eigh(outside @ outside.T)
    return np.asarray(axes.T[sizes < _ZERO])


def not_conserving(rows: Real, pair: tuple[int, int]) -> tuple[str, ...]:
    """Return the terms with no part that commutes with the axes, as the pair feels them."""
    generators = np.zeros((len(rows), 16))
    generators[:, 4:13:4], generators[:, 1:4] = rows[:, pair[0]], rows[:, pair[1]]
    moved = np.concatenate([adjoint(g, 2) for g in generators], axis=1)
    sizes, vectors = np.linalg.eigh(moved @ moved.T)
    kept = vectors.T[sizes < _ZERO]
    return tuple(name for name, term in pair_terms().items() if np.linalg.norm(kept @ term) < _ZERO)


@functools.lru_cache(maxsize=64)
def pair_terms(angle: float = 0.0) -> dict[str, Real]:
    """Return the 16 Pauli coefficients of the named operators in axes turned about z (rad)."""
    R = exp_hermitian(angle * collective("z", range(2), 2))
    operators = np.array([named_operator(name) for name in NAMED_TERMS])
    return dict(zip(NAMED_TERMS, pauli_vectors(dagger(R) @ operators @ R), strict=True))


def conserved(rows: Real, operators: Complex) -> bool:
    """Tell whether axes, rows of shape (k, n, 3), commute with operators of unit norm."""
    n = rows.shape[1]
    sigma = np.array([2 * spin_operator(a, k, n) for k in range(n) for a in "xyz"])
    kept = np.tensordot(rows.reshape(len(rows), -1), sigma, axes=1)
    return all(
        float(np.linalg.norm(K @ X - X @ K)) < _ZERO * np.sqrt(len(X))
        for K in kept
        for X in operators
    )
