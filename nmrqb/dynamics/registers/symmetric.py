"""Permutation-symmetric Liouville space: equivalent spins that relax one by one.

Relaxation of each spin by itself mixes the total spins, but keeps the state symmetric under
exchange of the satellites.  Such states are expanded in symmetrised products of the orthonormal
one-spin operators B = (1/√2, σ_+, σ_-, σ_z/√2); how often each occurs, n = (n₀, n₊, n₋, n_z), names
an element: C(N+3, 3) of them, 9139 for 36 satellites.  The elements are normalised, so they
are the number states of N bosons in four modes, and a one-spin map Λ that acts on every satellite
is Σ Λ_μν a_μ†a_ν.

**Conditioning.**  The basis is orthonormal in tr A†B, so the matrices of this module act in the
geometry of the whole Liouville space: unitary evolution is unitary, and no binomial factors enter
the dynamics.  States are scaled by √d (d = 2ᴺ, or 2ᴺ⁺¹ with a centre): the first component is the
trace, the maximally mixed state is the first unit vector, ‖x‖² = d tr ρ².  Errors are relative to
‖x‖: near the mixed state they are 1e-16, for a pure state of 36 satellites √d of that, 4e-11, and
a pure state of 100 spins has no digits left in correlations that go through all orders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, kron

from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, as_matrix, dagger
from nmrqb.sparse_operators import Sparse

MAX_SATELLITES = 200

_RAISE = np.array([[0, 1], [0, 0]], dtype=complex)
_ELEMENTS = np.array([PAULI["I"], _RAISE, dagger(_RAISE), PAULI["Z"]])  # √2 B₀, B₊, B₋, √2 B_z
_SQUARES = np.array([2.0, 1.0, 1.0, 2.0])
_RATIOS = np.sqrt(_SQUARES[:, None] / _SQUARES)
_NOISE = 1e-12  # entries of sums of √(whole numbers) are never as small
_ROUNDING = 2.0**-50


def one_spin_map(left: Complex | None = None, right: Complex | None = None) -> Complex:
    """Return the matrix of ρ ↦ AρB of one spin in the basis (1/√2, σ_+, σ_-, σ_z/√2): (4, 4).

    Parameters
    ----------
    left, right
        A and B, shape (2, 2); None is the identity.

    Examples
    --------
    >>> one_spin_map(PAULI["Z"]).real
    array([[ 0.,  0.,  0.,  1.],
           [ 0.,  1.,  0.,  0.],
           [ 0.,  0., -1.,  0.],
           [ 1.,  0.,  0.,  0.]])
    """
    A, B = (PAULI["I"] if X is None else as_matrix(X, "operator") for X in (left, right))
    traces = np.einsum("mji,jk,nkl,li->mn", _ELEMENTS.conj(), A, _ELEMENTS, B)
    return np.asarray(traces / _SQUARES[:, None] * _RATIOS + 0.0)


def one_spin_dissipator(operators: Complex) -> Complex:
    """Return the matrix of ρ ↦ Σ LρL† − ½{L†L, ρ} in the same basis: (m, 2, 2) → (4, 4), 1/s."""
    total = np.zeros((4, 4), dtype=complex)
    for L in operators:
        rate = dagger(L) @ L
        term = one_spin_map(L, dagger(L)) - (one_spin_map(rate) + one_spin_map(right=rate)) / 2
        term[np.abs(term) <= _ROUNDING * np.abs(term).max()] = 0  # else it couples what is apart
        total += term
    return total


def one_spin_coefficients(rho: Complex) -> Complex:
    """Return (tr ρ, √2 ρ₀₁, √2 ρ₁₀, ⟨σ_z⟩), √2 times the components on the basis: (4,).

    Examples
    --------
    >>> one_spin_coefficients(np.diag([0.75, 0.25])).real
    array([1. , 0. , 0. , 0.5])
    """
    return np.asarray(np.einsum("mji,ji->m", _ELEMENTS.conj(), rho) * np.sqrt(2 / _SQUARES))


@dataclass(frozen=True)
class SymmetricSpace:
    """States of N exchangeable satellites, with or without a centre, as vectors.

    Attributes
    ----------
    satellites
        N, at most 200.
    centre
        Whether there is a central spin; its four components are the left factor.

    Raises
    ------
    ArgumentError
        If the number of satellites is no whole number from 1 to 200.

    Examples
    --------
    >>> SymmetricSpace(36, centre=False).dimension, SymmetricSpace(36).dimension
    (9139, 36556)
    """

    satellites: int
    centre: bool = True

    def __post_init__(self) -> None:
        if checked_count(self.satellites) > MAX_SATELLITES:
            raise ArgumentError(
                f"Argument `satellites` must be at most {MAX_SATELLITES}, but is {self.satellites}"
            )

    @property
    def dimension(self) -> int:
        """Number of elements, C(N+3, 3), four times that with a centre."""
        return math.comb(self.satellites + 3, 3) * (4 if self.centre else 1)

    @cached_property
    def counts(self) -> NDArray[np.int_]:
        """(n₀, n₊, n₋, n_z) of the satellites' elements, shape (C(N+3, 3), 4), the mixed first."""
        N = self.satellites
        rest = np.indices((N + 1,) * 3).reshape(3, -1).T
        rest = rest[rest.sum(axis=1) <= N]
        return np.column_stack([N - rest.sum(axis=1), rest])

    @cached_property
    def _index(self) -> NDArray[np.int_]:
        index = np.zeros((self.satellites + 1,) * 3, dtype=int)
        index[tuple(self.counts[:, 1:].T)] = np.arange(len(self.counts))
        return index

    def _one_body(self, matrix: Complex) -> Sparse:
        """Return Σ Λ_μν a_μ†a_ν of the satellites alone."""
        rows, columns, values = [], [], []
        for to, origin in zip(*np.nonzero(matrix), strict=True):
            held = np.flatnonzero(self.counts[:, origin])
            after = self.counts[held].copy()
            after[:, origin] -= 1
            after[:, to] += 1
            factor = np.sqrt(self.counts[held, origin] * after[:, to])
            rows.append(self._index[tuple(after[:, 1:].T)])
            columns.append(held)
            values.append(matrix[to, origin] * factor)
        return _assembled(rows, columns, values, len(self.counts))

    def embed(self, central: Complex | None = None, satellites: Complex | None = None) -> Sparse:
        """Return the superoperator of a map of the centre times one summed over the satellites.

        Parameters
        ----------
        central
            Matrix of a map of the centre, shape (4, 4); None is the identity.
        satellites
            Λ of Σ_k Λ_k, shape (4, 4), in the basis of `one_spin_map`; None is the identity.

        Raises
        ------
        ArgumentError
            If a map of the centre is given where there is none.
        """
        if central is not None and not self.centre:
            raise ArgumentError(
                f"Argument `central` must be None in a space without a centre, but has shape "
                f"{np.shape(central)}"
            )
        size = len(self.counts)
        summed = eye_array(size, format="csr", dtype=complex)
        if satellites is not None:
            summed = self._one_body(satellites)
        first = np.eye(4 if self.centre else 1) if central is None else central
        return csr_array(kron(csr_array(first.astype(complex)), summed, format="csr"))

    def left(self, central: Complex | None = None, satellite: Complex | None = None) -> Sparse:
        """Return ρ ↦ (A ⊗ Σ_k b_k)ρ; A, b of shape (2, 2), None the identity."""
        return self.embed(*(X if X is None else one_spin_map(X) for X in (central, satellite)))

    def right(self, central: Complex | None = None, satellite: Complex | None = None) -> Sparse:
        """Return ρ ↦ ρ(A ⊗ Σ_k b_k); A, b of shape (2, 2), None the identity."""
        maps = (X if X is None else one_spin_map(right=X) for X in (central, satellite))
        return self.embed(*maps)

    def commutator(
        self, central: Complex | None = None, satellite: Complex | None = None
    ) -> Sparse:
        """Return ρ ↦ −i[A ⊗ Σ_k b_k, ρ]; A, b of shape (2, 2), None the identity.

        Examples
        --------
        >>> space = SymmetricSpace(2, centre=False)
        >>> turned = space.commutator(satellite=PAULI["Z"] / 2)
        >>> np.allclose(turned.diagonal(), -1j * (space.counts[:, 1] - space.counts[:, 2]))
        True
        """
        return -1j * cleaned(self.left(central, satellite) - self.right(central, satellite))

    def mixed(self) -> Complex:
        """Return the maximally mixed state; as a functional it is the trace: (dimension,)."""
        state = np.zeros(self.dimension, dtype=complex)
        state[0] = 1
        return state

    def product(self, satellite: Complex, central: Complex | None = None) -> Complex:
        """Return ρ_S ⊗ r ⊗ … ⊗ r as a vector, √(N!/Πn!) Πr_μ^{n_μ}: (dimension,).

        Parameters
        ----------
        satellite, central
            r and ρ_S, shape (2, 2), of any trace: the map is a polynomial.  ρ_S is given if
            there is a centre.

        Raises
        ------
        ArgumentError
            If a matrix is not (2, 2) or the centre is missing or has no place.
        """
        if (central is None) == self.centre:
            raise ArgumentError(
                f"Argument `central` must be {'a state' if self.centre else 'None'} in a space "
                f"with{'' if self.centre else 'out'} a centre"
            )
        given = [as_matrix(X, "satellite") for X in (satellite, central) if X is not None]
        if any(X.shape != (2, 2) for X in given):
            raise ArgumentError(
                f"Argument `satellite` must have shape (2, 2), but the shapes are "
                f"{[X.shape for X in given]}"
            )
        parts = [one_spin_coefficients(X) for X in given]
        together = self._roots() * np.prod(parts[0] ** self.counts, axis=1)
        return np.asarray(np.kron(parts[1], together) if self.centre else together)

    def _roots(self) -> Real:
        """Return √(N!/Πn!) of every element from whole numbers, √C(N,k) at a time."""
        N = self.satellites
        table = np.array([[math.sqrt(math.comb(n, k)) for k in range(N + 1)] for n in range(N + 1)])
        left, roots = N - self.counts[:, 0], table[N, self.counts[:, 0]]
        for mode in (1, 2):
            roots = roots * table[left, self.counts[:, mode]]
            left = left - self.counts[:, mode]
        return np.asarray(roots)

    def functional(
        self, central: Complex | None = None, satellite: Complex | None = None
    ) -> Complex:
        """Return w with tr[ρ(A ⊗ Σ_k b_k)] = w·x: (dimension,); None is the identity.

        Examples
        --------
        >>> space = SymmetricSpace(36, centre=False)
        >>> state = space.product(np.diag([0.75, 0.25]))
        >>> round(float((space.functional(satellite=PAULI["Z"]) @ state).real), 9)  # 36 · 0.5
        18.0
        """
        return np.asarray(self.mixed() @ self.left(central, satellite))


def _assembled(
    rows: Sequence[NDArray[np.int_]],
    columns: Sequence[NDArray[np.int_]],
    values: Sequence[Complex],
    size: int,
) -> Sparse:
    if not rows:
        return csr_array((size, size), dtype=complex)
    places = np.concatenate(rows), np.concatenate(columns)
    matrix = csr_array((np.concatenate(values), places), shape=(size, size))
    matrix.sum_duplicates()
    return matrix


def cleaned(matrix: Sparse) -> Sparse:
    """Return a sparse matrix without the entries that only rounding leaves (1e-12 of the most)."""
    size = np.abs(matrix.data)
    matrix.data[size <= _NOISE * size.max(initial=0.0)] = 0
    matrix.eliminate_zeros()
    return matrix
