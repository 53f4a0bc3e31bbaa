"""Hamiltonians of one- and two-spin terms as vectors and 3 × 3 matrices, in Hz on Paulis."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import NAMED_TERMS, Complex, Real, named_operator, pauli, pauli_coefficients
from nmrqb.sample import Sample
from nmrqb.sample.hamiltonian import coupling_terms, offset_terms

AXES = "XYZ"


@dataclass(frozen=True, eq=False)
class PairTerms:
    """H/2π = Σ_i b_i·σ_i + Σ_(i < j) σ_i·C_ij·σ_j of n spins, in Hz on Pauli strings.

    Attributes
    ----------
    fields
        b, shape (n, 3).
    couplings
        C_ij of the pairs (0, 1), (0, 2), …, (1, 2), …, shape (n(n − 1)/2, 3, 3).
    """

    fields: Real
    couplings: Real

    @property
    def spins(self) -> int:
        """Number of spins."""
        return len(self.fields)

    @property
    def vector(self) -> Real:
        """All coefficients in a row: fields, then couplings."""
        return np.concatenate([self.fields.ravel(), self.couplings.ravel()])

    @property
    def strings(self) -> list[str]:
        """Pauli strings of `vector`."""
        return pauli_names(self.spins)


def pairs_of(n: int) -> list[tuple[int, int]]:
    """Return the pairs i < j of n spins."""
    return list(itertools.combinations(range(n), 2))


def pauli_names(n: int) -> list[str]:
    """Return the Pauli strings of one and two of n spins, in the order of `PairTerms.vector`."""
    ones = [{i: a} for i in range(n) for a in AXES]
    twos = [{i: a, j: b} for i, j in pairs_of(n) for a in AXES for b in AXES]
    return ["".join(letters.get(i, "I") for i in range(n)) for letters in (*ones, *twos)]


def no_terms(n: int) -> PairTerms:
    """Return the Hamiltonian 0 of n spins."""
    return PairTerms(np.zeros((n, 3)), np.zeros((n * (n - 1) // 2, 3, 3)))


def sample_terms(sample: Sample) -> PairTerms:
    """Return offsets and couplings of a sample (secular, see `coupling_tensor`), H/2π in Hz."""
    n = len(sample.spins)
    terms, index = no_terms(n), {pair: k for k, pair in enumerate(pairs_of(n))}
    for value, [(axis, spin)] in offset_terms(sample):
        terms.fields[spin, "xyz".index(axis)] += value / 2
    for value, factors in coupling_terms(sample):
        (i, a), (j, b) = sorted((spin, "xyz".index(axis)) for axis, spin in factors)
        terms.couplings[index[i, j], a, b] += value / 4
    return terms


def pair_terms(coefficients: Mapping[str, float], n: int) -> PairTerms:
    """Return a Hamiltonian from its coefficients.

    Parameters
    ----------
    coefficients
        Pauli strings of n letters, ``XYI``, or named terms of a pair of spins that count from 1,
        ``DM_z(1,2)``, to numbers in Hz; for two spins the pair need not be named.
    n
        Number of spins.

    Raises
    ------
    ArgumentError
        If a name is not understood, or a number is not finite.
    """
    terms = no_terms(n)
    names = {name: k for k, name in enumerate(pauli_names(n))}
    vector = terms.vector
    for name, value in coefficients.items():
        if not np.isfinite(value):
            raise ArgumentError(f"Argument `coefficients` must be finite, but {name} is {value}")
        for string, factor in _strings(name, n).items():
            vector[names[string]] += factor * value
    return from_vector(vector, n)


def from_vector(vector: Real, n: int) -> PairTerms:
    """Return a Hamiltonian from `PairTerms.vector`."""
    return PairTerms(vector[: 3 * n].reshape(n, 3), vector[3 * n :].reshape(-1, 3, 3))


def from_matrix(matrix: Complex) -> PairTerms:
    """Return the terms of H/2π in Hz, shape (2ⁿ, 2ⁿ), which holds no products of three spins.

    Raises
    ------
    ArgumentError
        If it does.
    """
    coefficients = pauli_coefficients(matrix).real
    n = int(np.log2(len(matrix)))
    strings = ["".join(s) for s in itertools.product("IXYZ", repeat=n)]
    found = {s: float(c) for s, c in zip(strings, coefficients, strict=True) if s.strip("I")}
    size = max(map(abs, found.values()), default=0.0)
    high = {s: c for s, c in found.items() if n - s.count("I") > 2 and abs(c) > 1e-12 * size}
    if high:
        raise ArgumentError(
            "Argument `matrix` must hold terms of one and two spins only, but holds "
            + ", ".join(f"{c:.6g} {s}" for s, c in list(high.items())[:4])
        )
    return pair_terms({s: c for s, c in found.items() if n - s.count("I") <= 2}, n)


def _strings(name: str, n: int) -> dict[str, float]:
    """Return the Pauli strings of a name, with their factors."""
    if len(name) == n and set(name) <= set("IXYZ") and 0 < n - name.count("I") <= 2:
        return {name: 1.0}
    term, _, spins = name.rstrip(")").partition("(")
    pair = _pair(name, spins, n)
    if term not in NAMED_TERMS:
        raise ArgumentError(
            f"Argument `coefficients` must name Pauli strings of one or two of {n} spins or terms "
            f"like DM_z(1,2), but names {name!r}"
        )
    matrix = named_operator(term)
    found = {}
    for letters in itertools.product("IXYZ", repeat=2):
        factor = float(np.trace(pauli("".join(letters)) @ matrix).real) / 4
        if abs(factor) > 1e-12:
            at = dict(zip(pair, letters, strict=True))
            found["".join(at.get(k, "I") for k in range(n))] = factor
    return found


def _pair(name: str, spins: str, n: int) -> tuple[int, int]:
    if not spins and n == 2:
        return 0, 1
    numbers = [int(part) - 1 for part in spins.split(",") if part.strip().isdigit()]
    if len(numbers) != 2 or len(set(numbers)) != 2 or not all(0 <= k < n for k in numbers):
        raise ArgumentError(
            f"Argument `coefficients` must name two spins from 1 to {n}, as in DM_z(1,2), but "
            f"names {name!r}"
        )
    return numbers[0], numbers[1]
