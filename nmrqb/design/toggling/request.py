"""Names of what is wanted of n spins: Pauli strings, or terms of two spins by number or label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nmrqb.design.toggling.terms import PairTerms, pair_terms, pauli_names
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import NAMED_TERMS
from nmrqb.sample import Sample


def term_key(name: str, labels: tuple[str, ...]) -> str:
    """Return a term as `pair_terms` knows it: ``DM_z(C1,C2)`` becomes ``DM_z(1,2)``.

    Parameters
    ----------
    name
        A Pauli string of one or two spins, ``XYI``; or a named term of two spins, given by label
        or counted from 1.  Of a sample of two spins the two need not be given.
    labels
        Labels of the spins.

    Raises
    ------
    ArgumentError
        If there is no such term, or no such spins.
    """
    n = len(labels)
    if name in pauli_names(n):
        return name
    term, bracket, rest = name.removesuffix(")").partition("(")
    if term.strip() not in NAMED_TERMS:
        raise ArgumentError(
            f"Argument `hamiltonian` must hold Pauli strings of one or two of {n} spins, or terms "
            f"of two spins like DM_z(1,2) or DM_z({labels[0]},{labels[-1]}), but holds {name!r}; "
            f"{nearest(term, NAMED_TERMS)}"
        )
    if not bracket and n == 2:
        return term
    numbers = _numbers(name, rest.split(","), labels)
    return f"{term.strip()}({','.join(map(str, numbers))})"


def _numbers(name: str, words: Iterable[str], labels: tuple[str, ...]) -> list[int]:
    """Return the numbers from 1 of two different spins."""
    known = {str(k): k for k in range(1, len(labels) + 1)}
    known |= {label: k for k, label in enumerate(labels, 1)}
    found = [known.get(word.strip(), 0) for word in words]
    if len(found) != 2 or 0 in found or found[0] == found[1]:
        raise ArgumentError(
            f"Argument `hamiltonian` must name two of the spins {', '.join(labels)} (or 1 to "
            f"{len(labels)}) in a term, but holds {name!r}"
        )
    return found


def wanted_terms(sample: Sample, terms: Mapping[str, float]) -> PairTerms:
    """Return the Hamiltonian of terms, H/2π in Hz; see `term_key` for their names.

    Raises
    ------
    ArgumentError
        If a term is not known, given twice, or not finite.
    """
    found: dict[str, float] = {}
    for name, value in terms.items():
        key = term_key(name, sample.labels)
        if key in found:
            raise ArgumentError(f"Argument `hamiltonian` must hold {key} once, but holds it twice")
        found[key] = float(value)
    if not found:
        raise ArgumentError("Argument `hamiltonian` must hold a term, but holds none")
    return pair_terms(found, len(sample.spins))
