"""Which figures of merit a set of readouts determines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery import Battery
from nmrqb.errors import ArgumentError
from nmrqb.operators import NAMED_TERMS, Complex, dagger, named_operator, spread
from nmrqb.tomography.combinations import Combination, names_of, sparse_basis
from nmrqb.tomography.design.analysis import Design, Linear, expectation

_FLAT = 1e-12  # of the largest level: a battery without a width stores nothing


@dataclass(frozen=True)
class Verdict:
    """Whether a set of readouts determines a figure of merit, whatever the state.

    Attributes
    ----------
    figure
        Name of the figure of merit.
    determined
        Whether two states that look alike always have the same value.
    missing
        What would have to be seen besides, as a basis; empty where it is determined.
    """

    figure: str
    determined: bool
    missing: tuple[Combination, ...] = ()

    def __str__(self) -> str:
        what = (
            "determined" if self.determined else f"not determined: misses {names_of(self.missing)}"
        )
        return f"{self.figure}: {what}"


@checked
def determines(design: Design, battery: Battery) -> tuple[Verdict, ...]:
    """Return which figures of merit of a battery a set of readouts determines.

    A figure that is linear in ρ is determined if its operator is seen; one of the spectrum only if
    every operator on the battery's spins is, for there are states whose spectrum changes with any
    operator that is not; an l1 coherence if all elements off the diagonal are.

    Parameters
    ----------
    design
        What the readouts see.
    battery
        The battery; where it is some spins of the register, only operators on them matter.

    Returns
    -------
    tuple of Verdict
        Of energy, populations (of the energy levels), ergotropy, anti_ergotropy, capacity,
        coherence_l1 (energy basis), coherence_l1_computational and purity.

    Raises
    ------
    ArgumentError
        If the battery does not fit the register.
    """
    H, spins = battery.hamiltonian_hz, battery_spins(design, battery)
    levels = np.linalg.eigvalsh(H)
    flat = bool(np.ptp(levels) <= _FLAT * max(np.abs(levels).max(), 1e-300))
    V = battery.energy_basis
    everything = _verdict(design, "", _pauli_operators(spins, design))
    spectral = Verdict("", True) if flat else everything
    return (
        _verdict(design, "energy", [on_register(H, spins, design)]),
        _verdict(design, "populations", (_element(V, k, k, spins, design) for k in range(len(V)))),
        *(
            Verdict(name, spectral.determined, spectral.missing)
            for name in ("ergotropy", "anti_ergotropy", "capacity")
        ),
        _verdict(design, "coherence_l1", _coherence_operators(V, spins, design)),
        _verdict(
            design,
            "coherence_l1_computational",
            _coherence_operators(np.eye(2**design.spins, dtype=complex), None, design),
        ),
        Verdict("purity", everything.determined, everything.missing),
    )


def battery_spins(design: Design, battery: Battery) -> tuple[int, ...]:
    """Return the tensor positions of a battery's spins.

    Raises
    ------
    ArgumentError
        If the battery does not fit the register.
    """
    spins = battery.spins if battery.spins is not None else tuple(range(design.spins))
    fits = len(battery.hamiltonian_hz) == 2 ** len(spins) and max(spins) < design.spins
    if not fits:
        raise ArgumentError(
            f"Argument `battery` must be of spins of the register of {design.spins}, but has "
            f"dimension {len(battery.hamiltonian_hz)} on spins {spins}"
        )
    return spins


def on_register(operator: Complex, spins: tuple[int, ...] | None, design: Design) -> Complex:
    """Return an operator on some spins as one on the register; None means all spins."""
    return operator if spins is None else spread(operator, spins, design.spins)


def _element(V: Complex, i: int, j: int, spins: tuple[int, ...] | None, design: Design) -> Complex:
    """Return O_ij of ⟨O_ij⟩ = ⟨i|ρ|j⟩, shape (d, d)."""
    return on_register(np.outer(V[:, j], V[:, i].conj()), spins, design)


def _coherence_operators(
    V: Complex, spins: tuple[int, ...] | None, design: Design
) -> Iterable[Complex]:
    for i, j in itertools.combinations(range(len(V)), 2):
        element = _element(V, i, j, spins, design)
        yield element + dagger(element)
        yield 1j * (element - dagger(element))


def _pauli_operators(spins: tuple[int, ...], design: Design) -> list[Combination]:
    """Return the Paulis that act on some spins alone."""
    others = [k for k in range(design.spins) if k not in spins]
    one = np.eye(len(design.paulis))
    return [
        Combination(one[k], design.paulis)
        for k, pauli in enumerate(design.paulis)
        if all(pauli[spin] == "I" for spin in others)
    ]


def _verdict(design: Design, figure: str, operators: Iterable[Complex | Combination]) -> Verdict:
    """Return whether all of some expectation values are determined."""
    found = [expectation(design, operator).missing for operator in operators]
    missing = [part.vector for part in found if part is not None]
    if not missing:
        return Verdict(figure, True)
    _, sizes, axes = np.linalg.svd(np.array(missing), full_matrices=False)
    span = axes[sizes > 1e-7 * sizes.max()]
    return Verdict(figure, False, sparse_basis(span.T @ span, design.paulis))


# ----------------------------------------------------------------- element by element, term by term
def elements(design: Design, basis: Complex | None = None) -> dict[tuple[int, int], Linear]:
    """Return whether every element ρ_ij, i ≤ j, of a state in a basis is determined.

    Parameters
    ----------
    design
        What the readouts see.
    basis
        Orthonormal states as columns, shape (d, d); by default the product states.

    Returns
    -------
    dict
        (i, j) to what is known of the element: of its real and imaginary part both, the error
        being that of the worse one.

    Raises
    ------
    ArgumentError
        If the basis is not of the size of the register, or not orthonormal.
    """
    d = 2**design.spins
    V = np.eye(d, dtype=complex) if basis is None else np.asarray(basis, dtype=complex)
    if V.shape != (d, d) or not np.allclose(dagger(V) @ V, np.eye(d), atol=1e-9):
        raise ArgumentError(
            f"Argument `basis` must be {d} orthonormal columns, but has shape {V.shape}"
        )
    return {
        (i, j): _both(design, _element(V, i, j, None, design))
        for i, j in itertools.combinations_with_replacement(range(d), 2)
    }


def _both(design: Design, element: Complex) -> Linear:
    parts = ((element + dagger(element)) / 2, (element - dagger(element)) / 2j)
    found = [expectation(design, part) for part in parts if np.abs(part).max() > 1e-12]
    return next((part for part in found if not part.determined), max(found, key=lambda p: p.error))


def named_expectations(design: Design) -> Mapping[tuple[int, int], Mapping[str, Linear]]:
    """Return what is known of the expectation values of the named terms of every pair of spins.

    Returns
    -------
    mapping
        Pair of spins to name (see `nmrqb.operators.NAMED_TERMS`) to what is known.
    """
    pairs = itertools.combinations(range(design.spins), 2)
    found = {
        pair: MappingProxyType(
            {
                name: expectation(design, spread(named_operator(name), pair, design.spins))
                for name in NAMED_TERMS
            }
        )
        for pair in pairs
    }
    return MappingProxyType(found)
