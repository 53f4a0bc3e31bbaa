"""Spin-1/2 operators, the Pauli basis, and the named terms of a two-spin Hamiltonian.

Conventions: |0⟩ = |↑⟩ is the +1 eigenstate of σ_z; the first spin is the leftmost tensor factor;
matrices have shape (..., d, d) with d = 2ⁿ, leading axes are batch axes.  Coefficients of a
Hamiltonian are those of H/2π = Σ c_P P in Hz on Pauli strings P.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError, nearest

Complex = NDArray[np.complex128]
Real = NDArray[np.floating[Any]]

PAULI: Mapping[str, Complex] = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=complex),
    "Z": np.array([[1, 0], [0, -1]], dtype=complex),
}

NAMED_TERMS = (
    "DM_x", "DM_y", "DM_z",
    "KSEA_x", "KSEA_y", "KSEA_z",
    "isotropic", "Delta", "epsilon", "B",
)  # fmt: skip

_NAMED_PAULI: Mapping[str, Mapping[str, float]] = {
    "DM_x": {"YZ": 1, "ZY": -1},
    "DM_y": {"ZX": 1, "XZ": -1},
    "DM_z": {"XY": 1, "YX": -1},
    "KSEA_x": {"YZ": 1, "ZY": 1},
    "KSEA_y": {"ZX": 1, "XZ": 1},
    "KSEA_z": {"XY": 1, "YX": 1},
    "isotropic": {"XX": 1, "YY": 1, "ZZ": 1},
    "Delta": {"XX": -1 / 3, "YY": -1 / 3, "ZZ": 2 / 3},
    "epsilon": {"XX": 1, "YY": -1},
    "B": {"ZI": 1, "IZ": 1},
}


def as_matrix(value: Any, name: str = "rho") -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return an array of shape (..., d, d) from an array-like or a ``qutip.Qobj``.

    Raises
    ------
    ArgumentError
        If the last two axes are not square or a number is not finite.
    """
    full = getattr(value, "full", None)
    matrix = np.asarray(full() if callable(full) else value, dtype=complex)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ArgumentError(
            f"Argument `{name}` must have shape (..., d, d), but has shape {matrix.shape}"
        )
    if not np.all(np.isfinite(matrix)):
        raise ArgumentError(
            f"Argument `{name}` must be finite, but holds "
            f"{np.count_nonzero(~np.isfinite(matrix))} entries that are not"
        )
    return matrix


def spin_count(matrix: Complex) -> int:
    """Return n of a matrix of shape (..., 2ⁿ, 2ⁿ)."""
    n = int(matrix.shape[-1]).bit_length() - 1
    if matrix.shape[-1] != 2**n or n < 1:
        raise ArgumentError(
            f"Argument `matrix` must have a dimension 2ⁿ, but has dimension {matrix.shape[-1]}"
        )
    return n


def dagger(matrix: Complex) -> Complex:
    """Return the Hermitian conjugate over the last two axes."""
    return matrix.conj().swapaxes(-1, -2)


def kron(factors: Iterable[Complex]) -> Complex:
    """Return the tensor product of matrices, the first factor leftmost."""
    product = np.eye(1, dtype=complex)
    for factor in factors:
        product = np.kron(product, factor)
    return product


def pauli(string: str) -> Complex:
    """Return the Pauli string, say ``"XY"`` = σ_x ⊗ σ_y, as a matrix of shape (2ⁿ, 2ⁿ).

    Raises
    ------
    ArgumentError
        If a letter is not one of I, X, Y, Z.
    """
    if not string or set(string) - set(PAULI):
        raise ArgumentError(f"Argument `string` must be letters of IXYZ, but is {string!r}")
    return kron(PAULI[letter] for letter in string)


@lru_cache(maxsize=16)
def pauli_strings(n: int) -> tuple[str, ...]:
    """Return all 4ⁿ Pauli strings of n spins, the identity first."""
    return tuple("".join(letters) for letters in itertools.product("IXYZ", repeat=n))


@lru_cache(maxsize=8)
def pauli_basis(n: int) -> Complex:
    """Return all Pauli strings of n spins as an array of shape (4ⁿ, 2ⁿ, 2ⁿ)."""
    basis = np.array([pauli(string) for string in pauli_strings(n)])
    basis.setflags(write=False)
    return basis


def pauli_coefficients(matrix: Complex) -> Complex:
    """Return c_P = tr(P A)/d of A = Σ c_P P: shape (..., d, d) → (..., 4ⁿ)."""
    n = spin_count(matrix)
    d = 2**n
    flat = pauli_basis(n).transpose(0, 2, 1).reshape(d * d, d * d)
    return np.asarray(matrix.reshape(*matrix.shape[:-2], d * d) @ flat.T / d)


def from_pauli_coefficients(coefficients: Real | Complex) -> Complex:
    """Return A = Σ c_P P: shape (..., 4ⁿ) → (..., 2ⁿ, 2ⁿ), the inverse of `pauli_coefficients`."""
    n = (int(coefficients.shape[-1]).bit_length() - 1) // 2
    return np.asarray(np.tensordot(coefficients, pauli_basis(n), axes=1))


def embed(operator: Complex, spin: int, n: int) -> Complex:
    """Return a one-spin operator acting on ``spin`` of ``n`` spins."""
    return kron(operator if k == spin else PAULI["I"] for k in range(n))


@lru_cache(maxsize=64)
def spin_operator(axis: str, spin: int, n: int) -> Complex:
    """Return I_a = σ_a/2 (axis x, y or z) of one of ``n`` spins, dimensionless and read-only."""
    operator = embed(PAULI[axis.upper()] / 2, spin, n)
    operator.setflags(write=False)
    return operator


def swap(first: int, second: int, n: int) -> Complex:
    """Return the unitary that exchanges two of ``n`` spins, ½ Σ_a σ_a⊗σ_a with a = I, X, Y, Z."""
    products = [embed(s, first, n) @ embed(s, second, n) for s in PAULI.values()]
    return np.asarray(np.sum(products, axis=0) / 2)


def partial_trace(rho: Complex, keep: Sequence[int]) -> Complex:
    """Return the state of the spins in ``keep``: (..., 2ⁿ, 2ⁿ) → (..., 2ᵏ, 2ᵏ), in their order."""
    n, batch = spin_count(rho), rho.shape[:-2]
    drop = [k for k in range(n) if k not in keep]
    order = [*keep, *drop]
    offset = len(batch)
    axes = [*range(offset), *(offset + k for k in order), *(offset + n + k for k in order)]
    d, e = 2 ** len(keep), 2 ** len(drop)
    split = rho.reshape(*batch, *(2,) * (2 * n)).transpose(axes).reshape(*batch, d, e, d, e)
    return np.asarray(np.einsum("...iaja->...ij", split))


# --------------------------------------------------------------------------- named two-spin terms
def named_operator(name: str) -> Complex:
    """Return the 4×4 operator of a named term, so that H/2π = Σ value·operator.

    The names are those of `NAMED_TERMS`: DM = D·(σ1×σ2); KSEA = σ1·Γ·σ2 with Γ symmetric and
    off-diagonal; isotropic = σ1·σ2; Delta and epsilon = −⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2;
    B = σ_z⊗1 + 1⊗σ_z (dipolar-battery-dm-ksea-nmr, eq. 12).
    """
    if name not in _NAMED_PAULI:
        raise ArgumentError(
            f"Argument `name` must be a named term, but is {name!r}; {nearest(name, NAMED_TERMS)}"
        )
    terms = _NAMED_PAULI[name].items()
    return sum((c * pauli(p) for p, c in terms), start=np.zeros((4, 4), dtype=complex))


def from_named(terms: Mapping[str, float]) -> Complex:
    """Return the 4×4 matrix Σ value·operator of named terms, in the unit of the values."""
    zero = np.zeros((4, 4), dtype=complex)
    return sum((value * named_operator(name) for name, value in terms.items()), start=zero)


def named_terms(matrix: Complex) -> dict[str, Any]:
    """Split traceless 4×4 Hermitian matrices into the named terms, and what is left.

    With C_ab the coefficient of σ_a⊗σ_b: DM_z = (C_xy − C_yx)/2, KSEA_z = (C_xy + C_yx)/2 and
    cyclic, isotropic = tr C/3, Delta = 3(C_zz − tr C/3)/2, epsilon = (C_xx − C_yy)/2,
    B = (b¹_z + b²_z)/2; ``other`` is the 2-norm of all remaining Pauli coefficients.

    Parameters
    ----------
    matrix
        Shape (..., 4, 4), H/2π in Hz.

    Returns
    -------
    dict
        Name to value in Hz, ``other`` last: floats, or arrays of shape (...) for a stack.
    """
    c = dict(
        zip(pauli_strings(2), np.moveaxis(pauli_coefficients(matrix).real, -1, 0), strict=True)
    )
    isotropic = (c["XX"] + c["YY"] + c["ZZ"]) / 3
    named = {
        "DM_x": (c["YZ"] - c["ZY"]) / 2,
        "DM_y": (c["ZX"] - c["XZ"]) / 2,
        "DM_z": (c["XY"] - c["YX"]) / 2,
        "KSEA_x": (c["YZ"] + c["ZY"]) / 2,
        "KSEA_y": (c["ZX"] + c["XZ"]) / 2,
        "KSEA_z": (c["XY"] + c["YX"]) / 2,
        "isotropic": isotropic,
        "Delta": 1.5 * (c["ZZ"] - isotropic),
        "epsilon": (c["XX"] - c["YY"]) / 2,
        "B": (c["ZI"] + c["IZ"]) / 2,
    }
    rest = [c[p] for p in ("XI", "YI", "IX", "IY")]
    rest += [c["ZI"] - named["B"], c["IZ"] - named["B"]]
    named["other"] = np.linalg.norm(rest, axis=0)
    return {name: _plain(value) for name, value in named.items()}


def _plain(value: Real) -> float | Real:
    return value if np.ndim(value) else float(value)


def pair_part(matrix: Complex, first: int, second: int) -> Complex:
    """Return the part of an n-spin Hamiltonian that acts on two of the spins alone, as 4×4."""
    return np.asarray(partial_trace(matrix, (first, second)) / 2 ** (spin_count(matrix) - 2))
