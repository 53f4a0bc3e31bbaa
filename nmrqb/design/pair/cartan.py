"""Cartan (KAK) decomposition of two-spin unitaries, and the least time that a coupling needs.

U = k₁ exp(−iΣ c_a σ_a⊗σ_a) k₂ with local k₁, k₂.  In the magic basis local unitaries of
determinant 1 are real and the middle factor is diagonal (Kraus and Cirac, Phys. Rev. A 63, 062309
(2001)), so that mᵀm of U in that basis has the diagonal as its eigenvalues and real eigenvectors.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, as_matrix, check_two_spins, dagger, kron

_UNITARY = 1e-9
_EDGE = 1e-12  # rad; so near to π/4 a coordinate is at the edge of the chamber
_DIAGONAL, _SWEEPS = 1e-15, 30
_MAGIC = np.array([[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]]) / np.sqrt(2)
_SIGMA = np.array([PAULI[a] for a in "XYZ"])
_SQUARES = np.array([np.kron(s, s) for s in _SIGMA])  # σ_a⊗σ_a
_LEVELS = np.einsum("ji,ajk,ki->ia", _MAGIC.conj(), _SQUARES, _MAGIC).real  # (magic state, a)


class Cartan(NamedTuple):
    """U = k1 exp(−iΣ c_a σ_a⊗σ_a) k2.

    Attributes
    ----------
    k1, k2
        Local unitaries, shape (..., 4, 4); the phase of U is in k1.
    c
        Coordinates in rad in the Weyl chamber π/4 ≥ c₁ ≥ c₂ ≥ |c₃|, with c₃ ≥ 0 where
        c₁ = π/4, shape (..., 3).
    """

    k1: Complex
    c: Real
    k2: Complex


def cartan_decomposition(U: Any) -> Cartan:  # noqa: ANN401 - arrays or Qobj
    """Return the Cartan decomposition U = k₁ exp(−iΣ c_a σ_a⊗σ_a) k₂.

    Parameters
    ----------
    U
        Unitaries, shape (..., 4, 4); array or Qobj.  Degenerate ones (local gates, CNOT, SWAP)
        are decomposed as well as any.

    Raises
    ------
    ArgumentError
        If a matrix is not of two spins, or not unitary within 1e-9.
    """
    unitary = as_unitary(U)
    phase = np.exp(1j * np.angle(np.linalg.det(unitary)) / 4)[..., None, None]
    M = _MAGIC.conj().T @ (unitary / phase) @ _MAGIC
    O = _eigenvectors(M.swapaxes(-1, -2) @ M)  # noqa: E741 - orthogonal
    half = np.angle(np.einsum("...ji,...ji->...i", M @ O, M @ O)) / 2
    half[..., 0] += np.where(np.cos(half.sum(axis=-1)) < 0, np.pi, 0)  # det of the middle is 1
    half[..., 0] -= 2 * np.pi * np.round(half.sum(axis=-1) / (2 * np.pi))
    outer = ((M @ O) * np.exp(-1j * half)[..., None, :]).real
    k1 = phase * (_MAGIC @ outer @ _MAGIC.conj().T)
    k2 = _MAGIC @ O.swapaxes(-1, -2) @ _MAGIC.conj().T
    return _in_chamber(k1, -half @ _LEVELS / 4, k2)


def cartan_coordinates(U: Any) -> Real:  # noqa: ANN401 - arrays or Qobj
    """Return c of `cartan_decomposition` in rad: (..., 4, 4) → (..., 3).

    Raises
    ------
    ArgumentError
        As for `cartan_decomposition`.
    """
    return cartan_decomposition(U).c


def least_time(U: Any, coupling_hz: float) -> Real:  # noqa: ANN401 - arrays or Qobj
    """Return the least time in s in which a coupling and fast local pulses make U.

    With H/2π = c σ_z⊗σ_z, c = J/4, for a time t and pulses between, the coordinates that can be
    reached are those with Σ|c_a + n_a π/2| ≤ 2π|c|t for some integers n_a (Khaneja, Brockett and
    Glaser, Phys. Rev. A 63, 032308 (2001); for any coupling Vidal, Hammerer and Cirac, Phys. Rev.
    Lett. 88, 237902 (2002), by majorisation).  Shifts of π/2 are local one by one, so the smallest
    sum has every |c_a| ≤ π/4.  The other representative of their theorem,
    (π/2 − c₁, c₂, −c₃), has a larger first entry in the chamber and never wins for this coupling.
    So t = (c₁ + c₂ + |c₃|)/(2π|c|), at most 3/(2|J|), the time of SWAP.

    Parameters
    ----------
    U
        Unitaries, shape (..., 4, 4).
    coupling_hz
        c of c σ_z⊗σ_z in Hz, J/4 for a scalar coupling; not 0.

    Raises
    ------
    ArgumentError
        As for `cartan_decomposition`, or if the coupling is zero or not finite.
    """
    if not (np.isfinite(coupling_hz) and coupling_hz):
        raise ArgumentError(
            f"Argument `coupling_hz` must be finite and not 0, but is {coupling_hz}"
        )
    return np.asarray(np.abs(cartan_coordinates(U)).sum(axis=-1) / (2 * np.pi * abs(coupling_hz)))


def canonical_unitary(c: Real) -> Complex:
    """Return exp(−iΣ c_a σ_a⊗σ_a): (..., 3) rad → (..., 4, 4)."""
    phases = np.exp(-1j * np.asarray(c) @ _LEVELS.T)
    return np.asarray((_MAGIC * phases[..., None, :]) @ _MAGIC.conj().T)


def local_factors(k: Complex) -> Complex:
    """Return a, b of determinant 1 with k = a⊗b up to a phase: (..., 4, 4) → (..., 2, 2, 2).

    Raises
    ------
    ArgumentError
        If a matrix is no product of one-spin unitaries within 1e-9.
    """
    split = k.reshape(*k.shape[:-2], 2, 2, 2, 2).swapaxes(-3, -2)
    table = split.reshape(*k.shape[:-2], 4, 4)  # rank one: (a)(b)ᵀ
    u, s, vh = np.linalg.svd(table)
    if np.any(s[..., 1] > _UNITARY * s[..., 0]):
        raise ArgumentError(
            f"Argument `k` must be local, but {s[..., 1].max():.3g} of it is not a product"
        )
    factors = np.stack([u[..., :, 0], vh[..., 0, :]], axis=-2).reshape(*k.shape[:-2], 2, 2, 2)
    return np.asarray(factors / np.sqrt(np.linalg.det(factors))[..., None, None])


# ------------------------------------------------------------------------------ the eigenvectors
def as_unitary(U: Any) -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return two-spin unitaries, (..., 4, 4), freed of what rounding has added to them."""
    matrix = as_matrix(U, "U")
    check_two_spins(matrix, "U")
    apart = np.abs(dagger(matrix) @ matrix - np.eye(4)).max(initial=0.0)
    if apart > _UNITARY:
        raise ArgumentError(f"Argument `U` must be unitary, but U†U differs from 1 by {apart:.3g}")
    u, _, vh = np.linalg.svd(matrix)
    return np.asarray(u @ vh)


def _eigenvectors(m: Complex) -> Real:
    """Return the real orthogonal O, det 1, with Oᵀ m O diagonal of symmetric unitary matrices.

    The real and the imaginary part commute.  They are turned together by Jacobi rotations
    (Cardoso and Souloumiac, SIAM J. Matrix Anal. Appl. 17, 161 (1996)), which degenerate
    eigenvalues do not disturb.
    """
    A = np.stack([m.real, m.imag])
    O = np.zeros(m.shape) + np.eye(4)  # noqa: E741
    off = ~np.eye(4, dtype=bool)
    for _ in range(_SWEEPS):
        if np.abs(A[..., off]).max(initial=0.0) < _DIAGONAL:
            break
        for p, q in itertools.combinations(range(4), 2):
            R = _rotation(A, p, q)
            A = R.swapaxes(-1, -2) @ A @ R
            O = O @ R  # noqa: E741
    O[..., 0] *= np.sign(np.linalg.det(O))[..., None]
    return O


def _rotation(A: Real, p: int, q: int) -> Real:
    """Return the rotation in the plane p, q that makes both matrices of a pair most diagonal."""
    half, cross = A[..., p, p] - A[..., q, q], 2 * A[..., p, q]
    on = (half**2 - cross**2).sum(axis=0)
    off = 2 * (half * cross).sum(axis=0)
    angle = np.arctan2(off, on) / 4
    R = np.zeros(A.shape[1:]) + np.eye(4)
    R[..., p, p] = R[..., q, q] = np.cos(angle)
    R[..., q, p] = np.sin(angle)
    R[..., p, q] = -R[..., q, p]
    return R


# ------------------------------------------------------------------------------- the Weyl chamber
def _in_chamber(k1: Complex, c: Real, k2: Complex) -> Cartan:
    """Move c into the chamber; what that needs of local unitaries goes into k1 and k2."""
    k1, c = _shifted(k1, c)
    order = np.argsort(-np.abs(c), axis=-1, kind="stable")
    W = _permutations()[order @ np.array([9, 3, 1])]
    k1, c, k2 = k1 @ dagger(W), np.take_along_axis(c, order, axis=-1), W @ k2
    k1, c, k2 = _signed(k1, c, k2)
    edge = (c[..., 0] > np.pi / 4 - _EDGE) & (c[..., 2] < 0)
    shift = np.where(edge, np.pi / 2, 0)
    k1 = np.where(edge[..., None, None], k1 @ (-1j * _SQUARES[0]), k1)
    c = c - shift[..., None] * np.array([1, 0, 0])
    return Cartan(*_signed(k1, c, k2))


def _shifted(k1: Complex, c: Real) -> tuple[Complex, Real]:
    """Bring every coordinate between −π/4 and π/4 by factors (−iσ_a⊗σ_a)ⁿ."""
    n = np.round(c / (np.pi / 2))
    for a in range(3):
        powers = np.array([np.linalg.matrix_power(-1j * _SQUARES[a], k) for k in range(4)])
        k1 = k1 @ powers[n[..., a].astype(int) % 4]
    return k1, c - n * np.pi / 2


def _signed(k1: Complex, c: Real, k2: Complex) -> tuple[Complex, Real, Complex]:
    """Make c₁ and c₂ positive: σ_a⊗1 turns the signs of the two other coordinates."""
    negative = (c[..., :2] < 0).astype(int)
    choice = negative[..., 0] + 2 * negative[..., 1]
    W = np.array([kron([PAULI[a], PAULI["I"]]) for a in "IYXZ"])[choice]
    signs = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])[choice]
    return k1 @ dagger(W), c * signs, W @ k2


@lru_cache(maxsize=1)
def _permutations() -> Complex:
    """Return V⊗V at 9i + 3j + k, where V turns σ_i, σ_j, σ_k into ±σ_x, ±σ_y, ±σ_z: (27, 4, 4)."""
    turns = [np.eye(2), *((_SIGMA[a] + _SIGMA[b]) / np.sqrt(2)
                          for a, b in itertools.combinations(range(3), 2))]  # fmt: skip
    found = np.zeros((27, 4, 4), dtype=complex)
    for first, second in itertools.product(turns, repeat=2):
        V = first @ second
        images = np.abs(np.einsum("aij,bji->ab", _SIGMA, V @ _SIGMA @ V.conj().T)) / 2
        order = np.argmax(images, axis=1)  # σ_order[a] becomes ±σ_a
        found[int(order @ np.array([9, 3, 1]))] = np.kron(V, V)
    return found
