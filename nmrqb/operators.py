"""Spin-1/2 operators, the Pauli basis, and the named terms of a two-spin Hamiltonian.

Conventions: |0⟩ = |↑⟩ is the +1 eigenstate of σ_z; the first spin is the leftmost tensor factor;
matrices have shape (..., d, d) with d = 2ⁿ, leading axes are batch axes.  Coefficients of a
Hamiltonian are those of H/2π = Σ c_P P in Hz on Pauli strings P.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, nearest

Complex = NDArray[np.complex128]
Real = NDArray[np.floating[Any]]

_SAME_TURN = 1e-14  # relative to the angle; what differs by less is rounding
HERMITIAN = 1e-10  # of the largest element: what rounding may take from a Hermitian matrix

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

FIELD_TERMS = ("XI", "YI", "ZI", "IX", "IY", "IZ")

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
    **{name: {name: 1} for name in FIELD_TERMS},
}


def as_real(value: ArrayLike, name: str) -> Real:
    """Return an array of finite or infinite real numbers.

    Raises
    ------
    ArgumentError
        If the value holds something else, complex numbers and NaN included.
    """
    try:
        numbers = np.asarray(value)
        real = None if np.iscomplexobj(numbers) else numbers.astype(float)
    except (TypeError, ValueError):
        real = None
    if real is None or np.any(np.isnan(real)):
        raise ArgumentError(f"Argument `{name}` must be real numbers, but is {value!r:.80}")
    return real


def as_complex(value: Any, name: str) -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return an array of complex numbers from an array-like or a ``qutip.Qobj``.

    Raises
    ------
    ArgumentError
        If the value holds something else.
    """
    full = getattr(value, "full", None)
    try:
        return np.asarray(full() if callable(full) else value, dtype=complex)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"Argument `{name}` must be an array of numbers or a Qobj, but is {value!r:.80}"
        ) from error


def as_matrix(value: Any, name: str = "rho") -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return an array of shape (..., d, d) from an array-like or a ``qutip.Qobj``.

    Raises
    ------
    ArgumentError
        If the value holds no numbers, the last two axes are not square or empty, or a number is
        not finite.
    """
    matrix = as_complex(value, name)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or matrix.shape[-1] == 0:
        raise ArgumentError(
            f"Argument `{name}` must have shape (..., d, d), but has shape {matrix.shape}"
            f"{_ket_advice(matrix)}"
        )
    if not np.all(np.isfinite(matrix)):
        raise ArgumentError(
            f"Argument `{name}` must be finite, but holds "
            f"{np.count_nonzero(~np.isfinite(matrix))} entries that are not"
        )
    return matrix


def as_generator(value: object, name: str = "rng") -> np.random.Generator:
    """Return a random generator as it is.

    There is no default: whoever draws numbers chooses their seed, and can record it.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    if isinstance(value, np.random.Generator):
        return value
    raise ArgumentError(
        f"Argument `{name}` must be a random generator such as np.random.default_rng(1), but is "
        f"{value!r:.80}"
    )


def _ket_advice(value: Complex) -> str:
    """Return what makes a density matrix of a state vector, where a value may be one."""
    vector = value.ndim > 0 and value.size == max(value.shape) > 1
    return "; of a vector ψ it is np.outer(ψ, ψ.conj())" if vector else ""


def as_hermitian(value: Any, name: str) -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return Hermitian matrices, |A − A†| ≤ 1e-10 of the largest |A|, of shape (..., d, d).

    Raises
    ------
    ArgumentError
        As for `as_matrix`, or if a matrix of the stack is not Hermitian.
    """
    matrix = as_matrix(value, name)
    apart = np.ravel(np.abs(matrix - dagger(matrix)).max(axis=(-2, -1)))
    size = np.ravel(np.abs(matrix).max(axis=(-2, -1)))
    wrong = np.flatnonzero(apart > HERMITIAN * size)
    if wrong.size:
        raise ArgumentError(
            f"Argument `{name}` must be Hermitian, but differs from its conjugate by "
            f"{apart[wrong[0]]:.3g}, its largest element being {size[wrong[0]]:.3g}"
        )
    return matrix


@checked
def as_state(value: Any, name: str = "rho", tolerance: float = 1e-9) -> Complex:  # noqa: ANN401
    """Return density matrices, ρ = ρ† ≥ 0 and tr ρ = 1, of shape (..., d, d).

    Parameters
    ----------
    value
        State(s), shape (..., d, d), arrays or Qobj.
    name
        What a refusal calls them.
    tolerance
        How far the trace may be from 1, and an eigenvalue below 0.

    Raises
    ------
    ArgumentError
        As for `as_hermitian`, or if a trace is not 1 or an eigenvalue is negative.
    """
    if not tolerance >= 0:
        raise ArgumentError(f"Argument `tolerance` must be ≥ 0, but is {tolerance}")
    rho = as_unit_trace(value, name, tolerance)
    lowest = np.linalg.eigvalsh(rho).min(initial=0.0)
    if lowest < -tolerance:
        raise ArgumentError(
            f"Argument `{name}` must be positive, but its lowest eigenvalue is {lowest:.3g}"
        )
    return rho


def as_unit_trace(value: Any, name: str, tolerance: float = 1e-9) -> Complex:  # noqa: ANN401
    """Return Hermitian matrices of trace 1, positive or not, of shape (..., d, d).

    Raises
    ------
    ArgumentError
        As for `as_hermitian`, or if a trace differs from 1 by more than the tolerance.
    """
    rho = as_hermitian(value, name)
    trace = np.trace(rho, axis1=-2, axis2=-1).real
    if np.any(np.abs(trace - 1) > tolerance):
        worst = np.ravel(trace)[np.abs(trace - 1).argmax()]
        raise ArgumentError(f"Argument `{name}` must have trace 1, but has trace {worst:.12g}")
    return rho


def spin_count(matrix: Complex) -> int:
    """Return n of a matrix of shape (..., 2ⁿ, 2ⁿ)."""
    n = int(matrix.shape[-1]).bit_length() - 1
    if matrix.shape[-1] != 2**n or n < 1:
        raise ArgumentError(
            f"Argument `matrix` must have a dimension 2ⁿ, but has dimension {matrix.shape[-1]}"
        )
    return n


def check_two_spins(matrix: Complex, name: str = "rho") -> None:
    """Refuse matrices that are not of two spins, (..., 4, 4).

    Raises
    ------
    ArgumentError
        If they are not; the message names the argument.
    """
    if matrix.shape[-2:] != (4, 4):
        raise ArgumentError(
            f"Argument `{name}` must be of two spins, (..., 4, 4), but has shape {matrix.shape}"
        )


def dagger(matrix: Complex) -> Complex:
    """Return the Hermitian conjugate over the last two axes."""
    return matrix.conj().swapaxes(-1, -2)


def kron(factors: Iterable[Complex]) -> Complex:
    """Return the tensor product of stacks of matrices, the first factor leftmost.

    Shapes (..., a, a), (..., b, b), … become (..., ab…, ab…); batch axes broadcast.
    """
    return functools.reduce(_beside, factors, np.eye(1, dtype=complex))


def _beside(first: Complex, second: Complex) -> Complex:
    product = first[..., :, None, :, None] * second[..., None, :, None, :]
    rows, columns = (first.shape[axis] * second.shape[axis] for axis in (-2, -1))
    return np.asarray(product.reshape(*product.shape[:-4], rows, columns))


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


@functools.lru_cache(maxsize=16)
def pauli_strings(n: int) -> tuple[str, ...]:
    """Return all 4ⁿ Pauli strings of n spins, the identity first."""
    return tuple("".join(letters) for letters in itertools.product("IXYZ", repeat=n))


@functools.lru_cache(maxsize=8)
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
    if spin not in range(n):
        raise ArgumentError(f"Argument `spin` must be one of 0 to {n - 1}, but is {spin!r}")
    return kron(operator if k == spin else PAULI["I"] for k in range(n))


def spread(operator: Complex, spins: Sequence[int], n: int) -> Complex:
    """Return operators on some of ``n`` spins, factors in their order, on all: (..., 2ⁿ, 2ⁿ).

    Raises
    ------
    ArgumentError
        If there are no such spins, or the operators are not of their size.
    """
    k, batch = len(spins), operator.shape[:-2]
    if len(set(spins)) < k or not set(spins) <= set(range(n)):
        raise ArgumentError(
            f"Argument `spins` must be different numbers from 0 to {n - 1}, but is {tuple(spins)}"
        )
    if operator.shape[-2:] != (2**k, 2**k):
        raise ArgumentError(
            f"Argument `operator` must have shape {(2**k, 2**k)} for spins {tuple(spins)}, but has "
            f"shape {operator.shape}"
        )
    others = [spin for spin in range(n) if spin not in spins]
    whole = np.einsum("...ij,kl->...ikjl", operator, np.eye(2 ** (n - k)))
    place = len(batch) + np.argsort([*spins, *others])
    split = whole.reshape(*batch, *(2,) * (2 * n))
    return np.asarray(
        split.transpose(*range(len(batch)), *place, *(n + place)).reshape(*batch, 2**n, 2**n)
    )


@functools.lru_cache(maxsize=64)
def spin_operator(axis: str, spin: int, n: int) -> Complex:
    """Return I_a = σ_a/2 (axis x, y or z) of one of ``n`` spins, dimensionless and read-only."""
    operator = embed(PAULI[axis.upper()] / 2, spin, n)
    operator.setflags(write=False)
    return operator


@functools.lru_cache(maxsize=16)
def spin_projections(n: int) -> Real:
    """Return m_k of every level, ½ where the spin is up and −½ where it is down: (n, 2ⁿ)."""
    levels = np.arange(2**n)
    return 0.5 - np.array([(levels >> (n - 1 - k)) & 1 for k in range(n)])


def bloch_vectors(rotation: Complex) -> Real | None:
    """Return the vectors a of Θ = Σ_k a_k·I_k, shape (n, 3) in rad; None if Θ is not such a sum."""
    n = spin_count(rotation)
    vectors = np.zeros((n, 3))
    if not np.any(rotation):
        return vectors
    up, down = _flips(n)
    raised, diagonal = rotation[up, down], np.diagonal(rotation)
    scale = _SAME_TURN * float(np.abs(rotation[0]).max())
    vectors[:, 0], vectors[:, 1] = 2 * raised[:, 0].real, -2 * raised[:, 0].imag
    vectors[:, 2] = (diagonal[0] - diagonal[down[:, 0]]).real
    unlike = np.abs(raised - raised[:, :1]).max() + np.abs(
        diagonal - vectors[:, 2] @ spin_projections(n)
    ).max(initial=0.0)
    known = 2 * np.count_nonzero(raised) + np.count_nonzero(diagonal)
    others = np.count_nonzero(rotation) > known
    return None if unlike > scale or others else vectors


@functools.lru_cache(maxsize=16)
def _flips(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the levels with spin k up and the same with it down, each of shape (n, 2ⁿ⁻¹)."""
    levels = np.arange(2**n)
    bits = [1 << (n - 1 - k) for k in range(n)]
    up = np.array([levels[levels & bit == 0] for bit in bits])
    return up, up | np.array(bits)[:, None]


@checked
def swap(first: int, second: int, n: int) -> Complex:
    """Return the unitary that exchanges two of ``n`` spins, ½ Σ_a σ_a⊗σ_a with a = I, X, Y, Z."""
    if first == second:
        raise ArgumentError(f"Arguments `first` and `second` must differ, but both are {first}")
    products = [embed(s, first, n) @ embed(s, second, n) for s in PAULI.values()]
    return np.asarray(np.sum(products, axis=0) / 2)


@checked
def partial_trace(rho: Complex, keep: Sequence[int]) -> Complex:
    """Return the state of the spins in ``keep``: (..., 2ⁿ, 2ⁿ) → (..., 2ᵏ, 2ᵏ), in their order."""
    rho = as_matrix(rho)
    n, batch = spin_count(rho), rho.shape[:-2]
    if len(set(keep)) < len(keep) or not set(keep) <= set(range(n)):
        raise ArgumentError(
            f"Argument `keep` must be different spins of 0 to {n - 1}, but is {tuple(keep)}"
        )
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
    B = σ_z⊗1 + 1⊗σ_z (dipolar-battery-dm-ksea-nmr, eq. 12).  Those of `FIELD_TERMS` are the Pauli
    strings of one spin.
    """
    if name not in _NAMED_PAULI:
        raise ArgumentError(
            f"Argument `name` must be a named term, but is {name!r}; {nearest(name, NAMED_TERMS)}"
        )
    terms = _NAMED_PAULI[name].items()
    return sum((c * pauli(p) for p, c in terms), start=np.zeros((4, 4), dtype=complex))


@checked
def from_named(terms: Mapping[str, float]) -> Complex:
    """Return the 4×4 matrix Σ value·operator of named terms, in the unit of the values."""
    zero = np.zeros((4, 4), dtype=complex)
    return sum((value * named_operator(name) for name, value in terms.items()), start=zero)


@checked
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
    check_two_spins(matrix, "matrix")
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


@checked
def pair_part(matrix: Complex, first: int, second: int) -> Complex:
    """Return the part of an n-spin Hamiltonian that acts on two of the spins alone, as 4×4."""
    return np.asarray(partial_trace(matrix, (first, second)) / 2 ** (spin_count(matrix) - 2))
