"""A Hamiltonian of n spins in parts: fields of the spins, named terms of the pairs, the rest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.operators import (
    Complex,
    Real,
    dagger,
    embed,
    kron,
    named_terms,
    pair_part,
    pauli_basis,
    pauli_coefficients,
    pauli_strings,
    spin_count,
)

_NO_FIELD = 1e-12  # of the norm: a field below this has no direction
_SAME_LEVEL = 1e-9


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The parts of H/2π in Hz.

    Attributes
    ----------
    fields
        Coefficients b of b·σ for every spin, shape (n, 3).
    pairs
        Tensor positions of two spins to their named terms; the entry ``other`` of a pair holds
        what of the two fields is not B.
    many_body
        2-norm of the coefficients of all Pauli strings on three or more spins.
    """

    fields: Real
    pairs: Mapping[tuple[int, int], Mapping[str, float]]
    many_body: float


def decompose(hamiltonian: Complex) -> Decomposition:
    """Return the parts of a Hamiltonian of n spins, shape (2ⁿ, 2ⁿ), in its own unit."""
    n = spin_count(hamiltonian)
    coefficients = pauli_coefficients(hamiltonian).real
    weights = np.array([len(p) - p.count("I") for p in pauli_strings(n)])
    pairs = itertools.combinations(range(n), 2)
    return Decomposition(
        fields=local_fields(hamiltonian),
        pairs={pair: named_terms(pair_part(hamiltonian, *pair)) for pair in pairs},
        many_body=float(np.linalg.norm(coefficients[weights > 2])),
    )


def local_fields(hamiltonian: Complex) -> Real:
    """Return b_k of Σ_k b_k·σ_k: shape (..., 2ⁿ, 2ⁿ) → (..., n, 3)."""
    n = spin_count(hamiltonian)
    operators = np.array([[embed(sigma, k, n) for sigma in pauli_basis(1)[1:]] for k in range(n)])
    return np.asarray(np.einsum("...ij,kaji->...ka", hamiltonian, operators).real / 2**n)


def tilted(hamiltonian: Complex, axes: Real) -> Complex:
    """Return R†HR, the Hamiltonian in a frame whose z axes point along given directions.

    Parameters
    ----------
    hamiltonian
        Shape (..., 2ⁿ, 2ⁿ).
    axes
        Direction of the new z axis of every spin, of any length but 0, shape (n, 3).  R turns z to
        it by the shortest way.
    """
    R = kron(_turn(axis) for axis in np.asarray(axes, dtype=float))
    return np.asarray(dagger(R) @ hamiltonian @ R)


def _turn(axis: Real) -> Complex:
    """Return the rotation of one spin that turns z to an axis by the shortest way: (2, 2)."""
    x, y, z = axis / np.linalg.norm(axis)
    polar, azimuth = np.arctan2(np.hypot(x, y), z) / 2, np.arctan2(y, x)
    half = np.array(
        [
            [np.cos(polar), -np.exp(-1j * azimuth) * np.sin(polar)],
            [np.exp(1j * azimuth) * np.sin(polar), np.cos(polar)],
        ]
    )
    return np.asarray(half, dtype=complex)


@dataclass(frozen=True, eq=False)
class SecondAverage:
    """What is left of a Hamiltonian under its own field: second averaging.

    Attributes
    ----------
    axes
        Direction of the field on every spin, z where there is none, shape (n, 3).
    field
        Size of the field on every spin, b of b·σ, in the unit of H, shape (n,).
    secular
        In the tilted frame, z along the field, the part of H that commutes with the fields:
        shape (2ⁿ, 2ⁿ).
    """

    axes: Real
    field: Real
    secular: Complex


def second_average(hamiltonian: Complex) -> SecondAverage:
    """Return the part of H that survives the fields in it, lim (1/T)∫ e^{iFt} H e^{−iFt} dt.

    F = Σ_k b_k·σ_k is the one-spin part of H.  It holds where F is large against the couplings:
    what does not commute with F is averaged away (Haeberlen and Waugh, Phys. Rev. 175, 453 (1968)).

    Parameters
    ----------
    hamiltonian
        Shape (2ⁿ, 2ⁿ).
    """
    fields = local_fields(hamiltonian)
    size = np.linalg.norm(fields, axis=-1)
    absent = size <= _NO_FIELD * np.linalg.norm(hamiltonian, 2)
    axes = np.where(absent[:, None], [0.0, 0.0, 1.0], fields / np.where(absent, 1, size)[:, None])
    turned = tilted(hamiltonian, axes)
    levels = _levels(np.where(absent, 0.0, size))
    same = np.abs(levels[:, None] - levels) <= _SAME_LEVEL * max(
        float(np.abs(levels).max()), 1e-300
    )
    return SecondAverage(axes, size, np.asarray(turned * same))


def _levels(sizes: Real) -> Real:
    """Return the eigenvalues of Σ_k b_k σ_zk in product order, shape (2ⁿ,)."""
    signs: Sequence[tuple[int, ...]] = list(itertools.product((1, -1), repeat=len(sizes)))
    return np.asarray(np.array(signs) @ sizes)
