"""What is wanted: a two-spin Hamiltonian by terms or as a matrix, its fields and couplings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.arguments import taken
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import (
    FIELD_TERMS,
    NAMED_TERMS,
    PAULI,
    Complex,
    Real,
    as_hermitian,
    from_named,
    from_pauli_coefficients,
    named_terms,
    pauli_coefficients,
)

TERMS = (*NAMED_TERMS, *FIELD_TERMS)
_NOTHING = 1e-14  # of the largest coefficient: what rounding leaves


@dataclass(frozen=True, eq=False)
class Wanted:
    """A Hamiltonian H/2π = Σ_a (b¹_a σ_a⊗1 + b²_a 1⊗σ_a) + Σ_ab C_ab σ_a⊗σ_b.

    Attributes
    ----------
    terms
        Named terms and fields (see `TERMS`) to values in Hz, zeros left out.
    fields
        b¹ and b² in Hz, shape (2, 3).
    couplings
        C in Hz, shape (3, 3).
    """

    terms: Mapping[str, float]
    fields: Real
    couplings: Real

    @property
    def hamiltonian_hz(self) -> Complex:
        """H/2π in Hz, shape (4, 4)."""
        return self.field_hamiltonian_hz + self.coupling_hamiltonian_hz

    @property
    def field_hamiltonian_hz(self) -> Complex:
        """The fields alone, H/2π in Hz, shape (4, 4)."""
        coefficients = np.zeros((4, 4))
        coefficients[1:, 0], coefficients[0, 1:] = self.fields
        return from_pauli_coefficients(coefficients.ravel())

    @property
    def coupling_hamiltonian_hz(self) -> Complex:
        """The couplings alone, H/2π in Hz, shape (4, 4)."""
        coefficients = np.zeros((4, 4))
        coefficients[1:, 1:] = self.couplings
        return from_pauli_coefficients(coefficients.ravel())

    @property
    def nuclear_norm_hz(self) -> float:
        """‖C‖_* in Hz, the sum of the singular values."""
        return float(np.linalg.svd(self.couplings, compute_uv=False).sum())

    @property
    def norm_hz(self) -> float:
        """Largest |eigenvalue| of H/2π in Hz."""
        return float(np.linalg.norm(self.hamiltonian_hz, 2))

    @property
    def has_fields(self) -> bool:
        """Whether there are fields."""
        return bool(np.any(self.fields))

    @property
    def commutes(self) -> bool:
        """Whether fields and couplings commute, so that one is made after the other."""
        F, C = self.field_hamiltonian_hz, self.coupling_hamiltonian_hz
        size = float(np.linalg.norm(F) * np.linalg.norm(C))
        return bool(np.linalg.norm(F @ C - C @ F) <= 1e-12 * size)


def wanted_hamiltonian(hamiltonian: Any) -> Wanted:  # noqa: ANN401 - terms, arrays or Qobj
    """Return what is wanted, from a mapping of terms (Hz) or a matrix H/2π in Hz, (4, 4).

    Raises
    ------
    ArgumentError
        If a term is not known or not finite, the matrix is not a traceless Hermitian (4, 4), or
        nothing is left of it.
    """
    if isinstance(hamiltonian, Mapping):
        terms = _checked(taken(hamiltonian, "hamiltonian", Mapping[str, float]))
        matrix = from_named(terms)
    else:
        matrix = _traceless(as_hermitian(hamiltonian, "hamiltonian"))
        terms = terms_of(matrix)
    coefficients = pauli_coefficients(matrix).real.reshape(4, 4)
    if not np.any(coefficients):
        raise ArgumentError("Argument `hamiltonian` must have a term, but all are zero")
    fields = np.array([coefficients[1:, 0], coefficients[0, 1:]])
    return Wanted(terms, fields, coefficients[1:, 1:])


def _checked(terms: Mapping[str, float]) -> dict[str, float]:
    for name, value in terms.items():
        if name not in TERMS:
            raise ArgumentError(
                f"Argument `hamiltonian` must hold terms, but holds {name!r}; "
                f"{nearest(name, TERMS)}"
            )
        if not np.isfinite(value):
            raise ArgumentError(
                f"Argument `hamiltonian` must hold finite values in Hz, but {name} is {value}"
            )
    return {name: float(value) for name, value in terms.items() if value}


def _traceless(matrix: Complex) -> Complex:
    if matrix.shape != (4, 4):
        raise ArgumentError(
            f"Argument `hamiltonian` must be of two spins, (4, 4), but has shape {matrix.shape}"
        )
    trace = complex(np.trace(matrix)).real / 4
    if abs(trace) > 1e-9 * np.abs(matrix).max():
        raise ArgumentError(f"Argument `hamiltonian` must be traceless, but its mean is {trace:g}")
    return matrix - trace * np.eye(4)


def terms_of(matrix: Complex) -> dict[str, float]:
    """Return terms, see `TERMS`, whose sum is a traceless Hermitian matrix (4, 4)."""
    terms = {name: float(value) for name, value in named_terms(matrix).items() if name != "other"}
    for name in FIELD_TERMS:
        operator = np.kron(PAULI[name[0]], PAULI[name[1]])
        left = np.trace(operator @ matrix).real / 4
        terms[name] = float(left - (terms["B"] if "Z" in name else 0.0))
    if abs(terms["ZI"]) > _NOTHING * abs(terms["B"]):  # unlike fields: each under its own name
        terms |= {"ZI": terms["B"] + terms["ZI"], "IZ": terms["B"] + terms["IZ"], "B": 0.0}
    floor = _NOTHING * max(map(abs, terms.values()))
    return {name: value for name, value in terms.items() if abs(value) > floor}
