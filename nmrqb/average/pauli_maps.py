"""Symmetries that send Pauli strings to Pauli strings: exchanges, 180° rotations, time reversal.

A map M permutes the spins, turns them by the Pauli string Q (180° rotations), and, if antiunitary,
reverses all spins: M P = ± P', P' the string P with its letters moved, with the sign
(−1)^(P' anticommutes with Q), times (−1)^(letters of P) if antiunitary.  Whether two strings
anticommute is a sum over bits modulo 2, so that *all* Q with M A = ±B for given operators follow
from linear equations over GF(2): no search over 4ⁿ strings.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrqb.operators import Real

_EQUAL = 1e-10  # of the largest operator

Permutation = tuple[int, ...]


@dataclass(frozen=True)
class PauliMap:
    """A symmetry that every order of an effective Hamiltonian obeys: M H = sign·H.

    Attributes
    ----------
    permutation
        Spin k goes to place ``permutation[k]``.
    string
        Number of the Pauli string Q in base 4 (I, X, Y, Z = 0 … 3), first spin first.
    antiunitary
        Whether time reversal is part of it.
    reverses
        Whether it holds between each instant t and T − t instead of at each instant.
    sign
        Whether it leaves the Hamiltonian as it is (1) or inverts it (−1).
    """

    permutation: Permutation
    string: int = 0
    antiunitary: bool = False
    reverses: bool = False
    sign: int = 1

    @property
    def letters(self) -> str:
        """Q as letters, first spin first."""
        n = len(self.permutation)
        return "".join("IXYZ"[self.string >> 2 * (n - 1 - k) & 3] for k in range(n))

    def holds(self, before: Real, after: Real) -> bool:
        """Tell whether M A = sign·B for rows of Pauli coefficients A and B."""
        found = equations(self, before, after)
        return found is not None and found.solved_by(self.string)


@dataclass(frozen=True)
class Equations:
    """Linear equations over GF(2) for the bits of Q, in reduced form: leading bit → (row, sum)."""

    rows: dict[int, tuple[int, int]]

    def joined(self, more: Iterable[tuple[int, int]]) -> Equations | None:
        """Return the equations together with more, or None if they contradict each other."""
        rows = dict(self.rows)
        for mask, total in more:
            while mask and mask.bit_length() in rows:
                other, value = rows[mask.bit_length()]
                mask, total = mask ^ other, total ^ value
            if mask:
                rows[mask.bit_length()] = mask, total
            elif total:
                return None
        return Equations(rows)

    def solved_by(self, string: int) -> bool:
        """Tell whether a string solves all equations."""
        return all((string & mask).bit_count() % 2 == total for mask, total in self.rows.values())

    def solution(self) -> int:
        """Return one solution, every bit that may be chosen 0."""
        string = 0
        for lead in sorted(self.rows):
            mask, total = self.rows[lead]
            if (string & mask).bit_count() % 2 != total:
                string |= 1 << (lead - 1)
        return string

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.rows.values())


def equations(kind: PauliMap, before: Real, after: Real) -> Equations | None:
    """Return the equations for Q of M A = sign·B, or None if no Q will do.

    Parameters
    ----------
    kind
        Permutation, antiunitarity and sign; its string is ignored.
    before, after
        Pauli coefficients of the operators A and B, shape (m, 4ⁿ).
    """
    moved, weight, masks = _strings(kind.permutation)
    image = kind.sign * after[:, moved]
    largest = max(float(np.abs(before).max(initial=0)), float(np.abs(image).max(initial=0)))
    small = _EQUAL * largest
    if np.any(np.abs(np.abs(image) - np.abs(before)) > small):
        return None
    counts = (np.abs(before) > small) & (np.abs(before) > 0)
    opposite = counts & (before * image < 0)
    present, minus = np.any(counts, axis=0), np.any(opposite, axis=0)
    if bool(np.any(counts & minus & ~opposite)):
        return None
    sums = (minus ^ weight if kind.antiunitary else minus).astype(int)
    where = np.flatnonzero(present)
    return Equations({}).joined(
        zip(masks[moved[where]].tolist(), sums[where].tolist(), strict=True)
    )


@functools.lru_cache(maxsize=128)
def _strings(
    permutation: Permutation,
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp]]:
    """Return of every string its image's number, whether its weight is odd, and its bit mask.

    The mask exchanges the two bits of each letter: Q and P anticommute where Q AND mask is odd.
    """
    n = len(permutation)
    number = np.arange(4**n)
    letters = [number >> 2 * (n - 1 - k) & 3 for k in range(n)]
    places = [2 * (n - 1 - k) for k in range(n)]
    moved = sum(
        (letter << places[permutation[k]] for k, letter in enumerate(letters)), start=0 * number
    )
    masks = sum(
        (((a & 1) << 1 | a >> 1) << p for a, p in zip(letters, places, strict=True)),
        start=0 * number,
    )
    odd = np.sum([letter > 0 for letter in letters], axis=0) % 2 == 1
    return moved, odd, masks
