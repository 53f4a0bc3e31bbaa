"""Sets of readouts as sums of Gram matrices: A-, E- and condition figures of many sets at once.

A set sees M = Σ_r B_rᵀB_r, B_r the whitened response of readout r.  Where all B_rᵀB_r are diagonal
in Paulis, as those of ideal local 90° pulses on weakly coupled spins, a set is a cover: M counts
how often each Pauli is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

Criterion = Literal["A", "E", "condition"]
Indices = NDArray[np.intp]

_DIAGONAL = 1e-9
_DARK = 1e-9  # of the largest entry: what is not seen
_FLOOR = 1e-6  # of the largest entry: what an unseen direction counts as in a search
_SAME = 1 + 1e-6
_SCREENED = 8  # sets whose spectrum is looked at, the best ones by A
MAX_CONDITION = 30.0
TIES = 1e-6  # A decides where E or the condition number does not
_BLOCK_VALUES = 4_000_000


def check_criterion(criterion: str) -> None:
    """Refuse a criterion that is not A, E or condition.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    if criterion not in get_args(Criterion):
        raise ArgumentError(
            f"Argument `criterion` must be one of {get_args(Criterion)}, but is {criterion!r}"
        )


def spectral_figure(spectrum: Real, criterion: Criterion, ties: float = 0.0) -> Real:
    """Return a figure of M from its eigenvalues, smaller is better: (..., P) → (...).

    A is tr M⁻¹, E the largest eigenvalue of M⁻¹, condition √(λ_max/λ_min).

    Parameters
    ----------
    spectrum
        Eigenvalues of M, positive.
    criterion
        Which figure.
    ties
        How much of A is added to the others, in a unit that suits them.
    """
    total = (1 / spectrum).sum(axis=-1)
    match criterion:
        case "A":
            return np.asarray(total)
        case "E":
            return np.asarray(1 / spectrum.min(axis=-1) + ties * total)
        case "condition":
            most = spectrum.max(axis=-1)
            return np.asarray(np.sqrt(most / spectrum.min(axis=-1)) + ties * total * most)


@dataclass(frozen=True, eq=False)
class Pool:
    """The responses of R candidates, in coordinates that some candidate sees.

    Attributes
    ----------
    rows
        B_r, shape (R, rows, P).
    criterion
        What is to be small.
    max_condition
        Sets of a larger condition number do not see everything, in practice.
    """

    rows: Real
    criterion: Criterion
    max_condition: float = MAX_CONDITION

    @property
    def size(self) -> int:
        """Number of candidates."""
        return len(self.rows)

    @property
    def dimension(self) -> int:
        """Number of coordinates P."""
        return int(self.rows.shape[-1])

    @cached_property
    def grams(self) -> Real:
        """B_rᵀB_r, shape (R, P, P)."""
        return np.asarray(self.rows.swapaxes(1, 2) @ self.rows)

    @cached_property
    def cover(self) -> Real | None:
        """Diagonals of all B_rᵀB_r where they are diagonal, shape (R, P), else None."""
        diagonals = np.square(self.rows).sum(axis=1)
        for gram, diagonal in zip(self.grams, diagonals, strict=True):
            if np.abs(gram - np.diag(diagonal)).max() > _DIAGONAL * diagonals.max():
                return None
        return np.asarray(diagonals)

    @cached_property
    def ranks(self) -> Indices:
        """Number of coordinates that each candidate sees, shape (R,)."""
        sizes = np.linalg.svd(self.rows, compute_uv=False)
        return np.asarray((sizes > _DARK**0.5 * sizes.max()).sum(axis=-1))

    @cached_property
    def largest(self) -> float:
        """Largest diagonal entry of any B_rᵀB_r."""
        return float(np.square(self.rows).sum(axis=1).max())

    # -------------------------------------------------------------------------------- whole sets
    def figures(self, sets: Indices, ties: float = 0.0) -> Real:
        """Return the figures of sets, infinite where not all is seen: (K, size) → (K,)."""
        parts = np.array_split(sets, max(1, sets.size * self._values // _BLOCK_VALUES))
        return np.concatenate([self._figures(part, ties) for part in parts])

    def sees_all(self, members: Indices) -> bool:
        """Tell whether a set sees every coordinate, and none of them too badly."""
        condition = self._spread(members)
        return condition <= max(self.max_condition, self._spread(np.arange(self.size)) * _SAME)

    def _spread(self, members: Indices) -> float:
        spectrum = self.spectra(members[None])[0]
        if spectrum.min() <= _DARK * self.largest:
            return np.inf
        return float(np.sqrt(spectrum.max() / spectrum.min()))

    def spectra(self, sets: Indices) -> Real:
        """Return the eigenvalues of M of sets, in any order: (K, size) → (K, P)."""
        if self.cover is not None:
            return np.asarray(self.cover[sets].sum(axis=1))
        return np.linalg.eigvalsh(self.grams[sets].sum(axis=1))

    @property
    def _values(self) -> int:
        return self.dimension if self.cover is not None else self.dimension**2

    def _figures(self, sets: Indices, ties: float) -> Real:
        spectrum = self.spectra(sets)
        seen = spectrum.min(axis=-1) > _DARK * self.largest
        values = np.full(len(sets), np.inf)
        values[seen] = spectral_figure(spectrum[seen], self.criterion, ties)
        return values

    # ------------------------------------------------------------------------- one readout more
    def with_each(self, members: Iterable[int]) -> Real:
        """Return the figures of a set with every candidate added, (R,).

        What is not seen counts as seen a little, so that sets of higher rank come first.
        """
        chosen = list(members)
        floor = _FLOOR * self.largest
        if self.cover is not None:
            counts = self.cover[chosen].sum(axis=0) + self.cover + floor
            return spectral_figure(counts, self.criterion, TIES)
        M = self.grams[chosen].sum(axis=0) + floor * np.eye(self.dimension)
        traces = self._updated_traces(M)
        if self.criterion == "A":
            return traces
        best = np.argsort(traces)[:_SCREENED]
        values = np.full(self.size, np.inf)
        spectrum = np.linalg.eigvalsh(M + self.grams[best]).clip(min=floor)
        values[best] = spectral_figure(spectrum, self.criterion, TIES)
        return values

    def _updated_traces(self, M: Real) -> Real:
        """Return tr(M + BᵀB)⁻¹ = tr M⁻¹ − tr[(1 + BM⁻¹Bᵀ)⁻¹ BM⁻²Bᵀ] of all candidates."""
        K = np.linalg.inv(M)
        BK = self.rows @ K
        S = np.eye(BK.shape[1]) + BK @ self.rows.swapaxes(1, 2)
        less = np.linalg.solve(S, BK @ BK.swapaxes(1, 2))
        return np.asarray(np.trace(K) - np.trace(less, axis1=1, axis2=2))
