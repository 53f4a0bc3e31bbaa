"""Relaxation as Lindblad operators: what the mechanisms of a sample do to its spins.

The propagators only see the `Dissipation`, or the superoperator that `dissipator` makes of its
operators.  Matrices are flattened row by row, so that vec(AρB) = (A ⊗ Bᵀ) vec(ρ).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part, dissipator
from nmrqb.dynamics.relaxing.redfield import redfield_operators
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, dagger, kron
from nmrqb.sample import (
    T1T2,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    Mechanism,
    PairCoherences,
    PauliNoise,
    Sample,
)
from nmrqb.sample.relaxation_fit import misfits, pair_dephasing

Relaxation: TypeAlias = bool | Sequence[Mechanism] | Dissipation

_RAISE = np.array([[0, 1], [0, 0]], dtype=complex)  # |0⟩⟨1|
_LETTERS = {**PAULI, "+": _RAISE, "-": dagger(_RAISE)}
_NONE = 1e-12  # a rate below this, relative to the largest beside it, is rounding


@checked
def relaxation_of(sample: Sample, mechanisms: Sequence[Mechanism] | None = None) -> Dissipation:
    """Return what relaxes a sample.

    Parameters
    ----------
    sample
        The spins.
    mechanisms
        What acts; by default T1 and T2 of every spin and all that the sample declares.

    Raises
    ------
    ArgumentError
        If a mechanism does not fit the sample, or T2 > 2 T1.
    """
    chosen = sample.mechanisms if mechanisms is None else tuple(mechanisms)
    for misfit in misfits(sample, chosen):
        raise ArgumentError(
            f"Argument `mechanisms` must fit sample {sample.name!r}, but number {misfit.index} "
            f"({type(chosen[misfit.index]).__name__}) does not: {misfit.message}"
        )
    pairs = [mechanism for mechanism in chosen if isinstance(mechanism, PairCoherences)]
    parts = (part for mechanism in chosen for part in _parts(mechanism, sample, pairs))
    return Dissipation(len(sample.spins), tuple(_merged(parts)))


def dissipation_of(sample: Sample, relaxation: Relaxation) -> Dissipation:
    """Return what relaxes a sample, however it is said.

    Parameters
    ----------
    sample
        The spins.
    relaxation
        True for all that the sample declares, False for nothing, mechanisms, or the
        dissipation itself.

    Raises
    ------
    ArgumentError
        As for `relaxation_of`, or if a dissipation is of another number of spins.
    """
    n = len(sample.spins)
    if isinstance(relaxation, Dissipation):
        if relaxation.n != n:
            raise ArgumentError(
                f"Argument `relaxation` must be of {n} spins, but is of {relaxation.n}"
            )
        return relaxation
    if isinstance(relaxation, bool):
        return relaxation_of(sample) if relaxation else Dissipation(n)
    return relaxation_of(sample, relaxation)


def collapse_operators(sample: Sample) -> list[Complex]:
    """Return the Lindblad operators of all that a sample declares, in s^(-1/2), each (2ⁿ, 2ⁿ)."""
    return relaxation_of(sample).operators()


def spin_rates(T1: float, T2: float, polarization: float = 0.0) -> tuple[float, float, float]:
    """Return the rates (|1⟩→|0⟩, |0⟩→|1⟩, pure dephasing) of one spin in 1/s.

    Γ↑ = (1 + p)/(2 T1), Γ↓ = (1 − p)/(2 T1), 1/T_φ = 1/T2 − 1/(2 T1): ⟨σ_z⟩ goes to p with T1,
    coherences decay with T2.

    Raises
    ------
    ArgumentError
        If a time is not positive, T2 > 2 T1, or |p| > 1.
    """
    if not (T1 > 0 and T2 > 0):
        raise ArgumentError(f"Arguments `T1` and `T2` must be positive, but are {T1} s and {T2} s")
    if T2 > 2 * T1 * (1 + 1e-12):
        raise ArgumentError(f"Argument `T2` must be at most 2 T1 = {2 * T1} s, but is {T2} s")
    if abs(polarization) > 1:
        raise ArgumentError(f"Argument `polarization` must be in [-1, 1], but is {polarization}")
    dephasing = max(0.0, 1 / T2 - 1 / (2 * T1))
    return (1 + polarization) / (2 * T1), (1 - polarization) / (2 * T1), dephasing


def commutator_superoperator(hamiltonian: Complex) -> Complex:
    """Return the matrix of ρ ↦ −i[H, ρ]: (..., d, d) rad/s → (..., d², d²)."""
    d = hamiltonian.shape[-1]
    one = np.eye(d)
    left = np.einsum("...ij,kl->...ikjl", hamiltonian, one)
    right = np.einsum("ij,...lk->...ikjl", one, hamiltonian)
    return np.asarray(-1j * (left - right).reshape(*hamiltonian.shape[:-2], d * d, d * d))


# ------------------------------------------------------------------------- one part per mechanism
def _parts(mechanism: Mechanism, sample: Sample, pairs: Sequence[PairCoherences]) -> Iterator[Part]:
    places = tuple(map(sample.index, mechanism.labels))
    match mechanism:
        case T1T2():
            yield from _t1t2(sample, pairs)
        case PairCoherences():
            pass  # made together with T1 and T2, which they complete
        case PauliNoise(rates):
            yield from (_pauli(spin, own) for spin, own in zip(places, rates.values(), strict=True))
        case Dephasing(rates_per_s=rates):
            root = np.sqrt(rates)
            yield from _correlated(places, mechanism.matrix * np.outer(root, root))
        case DipolarCSA():
            yield Part(places, np.array(redfield_operators(mechanism, sample)).reshape(-1, 4, 4))
        case LindbladOperator():
            yield _own_operator(mechanism, places or tuple(range(len(sample.spins))))


def _t1t2(sample: Sample, pairs: Sequence[PairCoherences]) -> Iterator[Part]:
    """Yield T1 and T2 of all spins; dephasing that pairs have in common comes last."""
    joint = {sample.index(label) for pair in pairs for label in pair.between}
    for k, spin in enumerate(sample.spins):
        up, down, dephasing = spin_rates(spin.T1_s, spin.T2_s, spin.polarization)
        own = 0.0 if k in joint else dephasing / 2
        yield Part((k,), _scaled((up, _RAISE), (down, dagger(_RAISE)), (own, PAULI["Z"])))
    if pairs:
        common = pair_dephasing(sample, pairs)
        for spins, rate in common.products.items():
            yield Part(spins, _scaled((rate, np.kron(PAULI["Z"], PAULI["Z"])), d=4))
        places = tuple(sorted(joint))
        yield from _correlated(places, common.matrix[np.ix_(places, places)])


def _pauli(spin: int, rates: tuple[float, float, float]) -> Part:
    return Part((spin,), _scaled(*((r, PAULI[a]) for r, a in zip(rates, "XYZ", strict=True))))


def _correlated(spins: tuple[int, ...], rates: Real) -> Iterator[Part]:
    """Yield the parts of ρ̇ = Σ_kl G_kl (σ_z^k ρ σ_z^l − ½{σ_z^l σ_z^k, ρ}), G of shape (k, k).

    Spins that share nothing with others are on their own.
    """
    for group in _linked(rates):
        own = rates[np.ix_(group, group)]
        values, vectors = np.linalg.eigh(own)
        signs = np.array([_z_levels(k, len(group)) for k in range(len(group))])
        floor = _NONE * max(float(np.abs(own).max()), 0.0)
        levels = np.sqrt(values[values > floor])[:, None] * (vectors.T[values > floor] @ signs)
        diagonal = levels[:, :, None] * np.eye(2 ** len(group))
        yield Part(tuple(spins[k] for k in group), diagonal.astype(complex))


def _linked(matrix: Real) -> list[list[int]]:
    """Return the groups of indices between which a symmetric matrix has no elements."""
    groups: list[list[int]] = []
    for k in range(len(matrix)):
        met = [group for group in groups if np.any(matrix[k, group])]
        groups = [group for group in groups if group not in met]
        groups.append(sorted([k, *(i for group in met for i in group)]))
    return sorted(groups)


def _z_levels(spin: int, n: int) -> Real:
    """Return the diagonal of σ_z of one of n spins, shape (2ⁿ,)."""
    return np.tile(np.repeat([1.0, -1.0], 2 ** (n - 1 - spin)), 2**spin)


def _own_operator(mechanism: LindbladOperator, spins: tuple[int, ...]) -> Part:
    """Return one Lindblad operator on the spins on which it does not act as 1."""
    terms = {word: value for word, value in mechanism.terms.items() if value}
    touched = [k for k in range(len(spins)) if any(word[k] != "I" for word in terms)]
    total = sum(value * kron(_LETTERS[word[k]] for k in touched) for word, value in terms.items())
    return Part(
        tuple(spins[k] for k in touched), np.sqrt(mechanism.rate_per_s) * np.asarray(total)[None]
    )


def _scaled(*terms: tuple[float, NDArray[np.complexfloating]], d: int = 2) -> Complex:
    """Return √rate · operator of all rates that are not 0, shape (m, d, d)."""
    return np.array([np.sqrt(rate) * L for rate, L in terms if rate > 0]).reshape(-1, d, d)


def _merged(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield one part for every spin, and for all spins and kinds that several operators share."""
    found: dict[tuple[tuple[int, ...], bool], list[Complex]] = {}
    for part in parts:
        acting = part.operators[np.any(part.operators, axis=(-2, -1))]
        if len(acting):
            found.setdefault((part.spins, len(part.spins) > 1 and part.diagonal), []).append(acting)
    for (spins, _), operators in found.items():
        yield Part(spins, np.concatenate(operators))


__all__ = [
    "Relaxation",
    "collapse_operators",
    "commutator_superoperator",
    "dissipation_of",
    "dissipator",
    "relaxation_of",
    "spin_rates",
]
