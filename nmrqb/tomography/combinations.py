"""Subspaces of operators named in Paulis: sparse bases that people can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_hermitian,
    from_pauli_coefficients,
    pauli_coefficients,
)

RANK = 1e-8  # of the largest singular value: what is less is not seen
_ZERO = 1e-7  # of the largest coefficient: what is less is not in a combination
_WHOLE = 1e-7  # how near to a whole number a coefficient is written as one
_DENOMINATORS = range(1, 13)
_LARGEST_PROGRAM = 160  # Paulis in one piece up to which the sparsest combinations are looked for


@dataclass(frozen=True, eq=False)
class Combination:
    """A sum of Paulis Σ a_P P without the identity.

    Attributes
    ----------
    vector
        a_P in the order of `nmrqb.operators.pauli_strings`, the identity left out, (4ⁿ − 1,).
    paulis
        Names of its entries.
    """

    vector: Real
    paulis: tuple[str, ...]

    @cached_property
    def coefficients(self) -> Mapping[str, float]:
        """The Paulis that are in it, with their coefficients."""
        size = float(np.abs(self.vector).max(initial=0.0))
        pairs = zip(self.paulis, self.vector.tolist(), strict=True)
        return MappingProxyType({p: a for p, a in pairs if abs(a) > _ZERO * size})

    @property
    def operator(self) -> Complex:
        """The matrix Σ a_P P, shape (d, d)."""
        return np.asarray(from_pauli_coefficients(np.concatenate([[0.0], self.vector])))

    @property
    def name(self) -> str:
        """``XX + YY + ZZ``, ``2 ZZ − XY``, ``0.7071 XI − YZ``."""
        text = ""
        for pauli, a in self.coefficients.items():
            sign = " − " if a < 0 else " + "
            text += (sign if text else sign.replace(" ", "").strip("+")) + _factor(abs(a)) + pauli
        return text or "0"

    def __str__(self) -> str:
        return self.name


def _factor(size: float) -> str:
    return "" if abs(size - 1) < _WHOLE else f"{size:.4g} "


def names_of(combinations: Sequence[Combination]) -> str:
    """Return the names of combinations with commas between them."""
    return ", ".join(combination.name for combination in combinations)


def split_space(matrix: Real, tolerance: float = RANK) -> tuple[int, Real]:
    """Return the rank of a response and a projector on what it does not see.

    Parameters
    ----------
    matrix
        Response to unit Paulis, shape (rows, P), whitened or not.
    tolerance
        Singular values below this share of the largest count as zero.

    Returns
    -------
    rank, projector
        An integer, and shape (P, P).
    """
    _, sizes, axes = np.linalg.svd(matrix, full_matrices=matrix.shape[0] < matrix.shape[1])
    rank = int(np.sum(sizes > tolerance * sizes.max(initial=0.0)))
    return rank, axes[rank:].T @ axes[rank:]


def sparse_basis(projector: Real, paulis: tuple[str, ...]) -> tuple[Combination, ...]:
    """Return a basis of a subspace whose members hold as few Paulis as can be found.

    Single Paulis come first.  Where Paulis only occur together, the members are supports that
    cannot be made smaller, found by linear programs (least Σ|a_P| with one coefficient 1); their
    coefficients are scaled to whole numbers where such exist.

    Parameters
    ----------
    projector
        Orthogonal projector on the subspace, shape (P, P).
    paulis
        Names of the coordinates.

    Returns
    -------
    tuple of Combination
        As many as the subspace has dimensions, linearly independent, not orthogonal in general.
    """
    touched = np.abs(projector) > _ZERO
    count, label = connected_components(csr_matrix(touched.astype(np.int8)), directed=False)
    pieces = (np.flatnonzero(label == k) for k in range(count))
    found = [vector for piece in pieces for vector in _piece(projector, piece)]
    found.sort(key=lambda v: (np.count_nonzero(v), np.flatnonzero(v).tolist()))
    return tuple(Combination(vector, paulis) for vector in found)


def _piece(projector: Real, piece: NDArray[np.intp]) -> list[Real]:
    """Return sparse vectors that span the part of a subspace on Paulis that hang together."""
    own = projector[np.ix_(piece, piece)]
    sizes, axes = np.linalg.eigh(own)
    basis = axes[:, sizes > 0.5]
    if not basis.size:
        return []
    sparse = [_refined(basis, support) for support in _supports(basis)]
    whole = np.zeros((len(sparse), len(projector)))
    whole[:, piece] = sparse
    return list(whole)


def _supports(basis: Real) -> list[NDArray[np.intp]]:
    """Return the supports of independent sparse vectors of a subspace: (P, k) → k of them."""
    size, k = basis.shape
    if k == size:
        return [np.array([place]) for place in range(size)]
    candidates = [_nonzero(vector) for vector in _reduced(basis)]
    if k > 1 and size <= _LARGEST_PROGRAM:
        candidates += [_nonzero(_lightest(basis, place)) for place in range(size)]
    candidates.sort(key=lambda support: (len(support), support.tolist()))
    chosen: list[NDArray[np.intp]] = []
    taken = np.zeros((0, k))
    for support in candidates:
        more = np.vstack([taken, basis.T @ _refined(basis, support)])
        if np.linalg.matrix_rank(more, tol=1e-6) > len(taken):
            chosen, taken = [*chosen, support], more
        if len(chosen) == k:
            break
    return chosen


def _nonzero(vector: Real) -> NDArray[np.intp]:
    return np.flatnonzero(np.abs(vector) > _ZERO * np.abs(vector).max())


def _reduced(basis: Real) -> Real:
    """Return the reduced row echelon form of a subspace, pivots on its largest entries: (k, P)."""
    rows, free = basis.T.copy(), np.ones(basis.shape[1], dtype=bool)
    for _ in range(len(rows)):
        row, place = np.unravel_index(np.argmax(np.abs(rows) * free[:, None]), rows.shape)
        rows[row] /= rows[row, place]
        others = np.arange(len(rows)) != row
        rows[others] -= rows[others, place][:, None] * rows[row]
        free[row] = False
    return rows


def _lightest(basis: Real, place: int) -> Real:
    """Return the vector of a subspace with coefficient 1 at a place and the least Σ|a|."""
    size, k = basis.shape
    cost = np.concatenate([np.zeros(k), np.ones(size)])
    one = np.eye(size)
    bound = np.block([[basis, -one], [-basis, -one]])
    fixed = np.concatenate([basis[place], np.zeros(size)])[None, :]
    free = [(None, None)] * k + [(0, None)] * size
    solved = linprog(cost, A_ub=bound, b_ub=np.zeros(2 * size), A_eq=fixed, b_eq=[1], bounds=free)
    return basis @ (basis[place] if solved.x is None else np.asarray(solved.x)[:k])


def _refined(basis: Real, support: NDArray[np.intp]) -> Real:
    """Return the vector of a subspace on a support, in whole numbers where there are such."""
    outside = np.delete(basis, support, axis=0)
    _, _, axes = np.linalg.svd(outside, full_matrices=True)
    vector = basis @ axes[-1]
    vector[np.abs(vector) < _ZERO * np.abs(vector).max()] = 0.0
    return _scaled(vector)


def _scaled(vector: Real) -> Real:
    places = np.flatnonzero(vector)
    sizes = np.abs(vector[places])
    vector = vector / (sizes.min() * np.sign(vector[places[0]]))
    for factor in _DENOMINATORS:
        whole = np.rint(factor * vector)
        if np.abs(factor * vector - whole).max() < factor * _WHOLE:
            return whole
    return np.asarray(vector * sizes.min() / sizes.max())


def as_combination(operator: Complex, paulis: tuple[str, ...]) -> Combination:
    """Return the traceless part of a Hermitian operator of shape (d, d) as a combination.

    Raises
    ------
    ArgumentError
        If it is not of the size that the Paulis have.
    """
    matrix = as_hermitian(operator, "operator")
    if matrix.shape != (2 ** len(paulis[0]),) * 2:
        raise ArgumentError(
            f"Argument `operator` must have shape {(2 ** len(paulis[0]),) * 2} for "
            f"{len(paulis[0])} spins, but has shape {matrix.shape}"
        )
    return Combination(pauli_coefficients(matrix)[1:].real, paulis)
