"""What unitaries on each of two spins extract from a battery whose spins interact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.battery.arguments import pair
from nmrqb.battery.energies import ergotropy
from nmrqb.operators import Complex, Real, check_two_spins, pauli_coefficients

_STARTS = 24
_FIRST_ROUNDS, _ROUNDS = 15, 400
_KEPT = 3  # starts that are followed to their end
_CHUNK = 2048  # states that are searched at once
_SETTLED = 1e-13  # of the size of the energies: a round that gains less is the last


@dataclass(frozen=True, eq=False)
class LocalUnitaryErgotropy:
    """Work by local unitaries, each number of shape (...), in the unit of H.

    Attributes
    ----------
    value
        The most that was found; the largest work is not below it.
    bound
        The largest work is not above it.
    rotations
        Rotations of the Bloch vectors of both spins that extract ``value``, shape (..., 2, 3, 3).
    """

    value: Real
    bound: Real
    rotations: Real


def ergotropy_by_local_unitaries(rho: Any, H: Any) -> LocalUnitaryErgotropy:  # noqa: ANN401
    """Return the work max tr (ρ − UρU†)H over U = U_1⊗U_2 on two spins: (..., 4, 4) → (...).

    With H of coefficients a, b, C on σ⊗1, 1⊗σ, σ⊗σ and r, s, T the expectation values of the same
    operators the energy after rotations O_1, O_2 is a·O_1r + b·O_2s + tr CᵀO_1TO_2ᵀ.  For either
    rotation given the best of the other follows from a singular value decomposition; both are
    found in turns, from the identity and 23 random starts (always the same).  The bound takes
    each term at its own least, −|a||r|, −|b||s| and −Σ c_k t_k over singular values (the last with
    the sign of det C det T), and is never above the `ergotropy`.

    Parameters
    ----------
    rho
        State(s) of two spins, shape (..., 4, 4), arrays or Qobj.
    H
        Battery Hamiltonian(s), which may couple the spins, shape (..., 4, 4).

    Returns
    -------
    LocalUnitaryErgotropy
        Of batch shape (...).  For spins that do not interact both numbers are the sum of
        `local_ergotropies`.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, not of two spins, or the two differ in size.
    """
    state, hamiltonian = pair(rho, H)
    check_two_spins(state)
    batch = np.broadcast_shapes(state.shape[:-2], hamiltonian.shape[:-2])
    shape = (int(np.prod(batch)), 4, 4)
    h = np.broadcast_to(_table(hamiltonian), (*batch, 4, 4)).reshape(shape)
    x = np.broadcast_to(4 * _table(state), (*batch, 4, 4)).reshape(shape)
    before = (h * x)[:, 1:, :].sum(axis=(1, 2)) + (h * x)[:, 0, 1:].sum(axis=1)
    pieces = [
        _lowest(h[k : k + _CHUNK], x[k : k + _CHUNK]) for k in range(0, max(1, len(h)), _CHUNK)
    ]
    energy, rotations = (np.concatenate(found) for found in zip(*pieces, strict=True))
    value = np.maximum(before - energy, 0.0).reshape(batch)
    bound = np.minimum((before - _floor(h, x)).reshape(batch), ergotropy(state, hamiltonian))
    return LocalUnitaryErgotropy(
        value, np.maximum(bound, value), rotations.reshape(*batch, 2, 3, 3)
    )


def _table(matrix: Complex) -> Real:
    """Return the Pauli coefficients as (..., 4, 4), rows the letter of the first spin."""
    c = pauli_coefficients(matrix).real
    return c.reshape(*c.shape[:-1], 4, 4)


def _lowest(h: Real, x: Real) -> tuple[Real, Real]:
    """Return the lowest energies (N,) and their rotations (N, 2, 3, 3)."""
    N = len(h)
    owner, second = np.repeat(np.arange(N), _STARTS), np.tile(_starts(), (N, 1, 1))
    energy, rotations = _descend(h[owner], x[owner], second, _FIRST_ROUNDS)
    kept = energy.reshape(N, _STARTS).argsort(axis=1)[:, :_KEPT] + _STARTS * np.arange(N)[:, None]
    owner, second = np.repeat(np.arange(N), _KEPT), rotations[kept.ravel(), 1]
    energy, rotations = _descend(h[owner], x[owner], second, _ROUNDS)
    best = energy.reshape(N, _KEPT).argmin(axis=1) + _KEPT * np.arange(N)
    return energy[best], rotations[best]


def _descend(h: Real, x: Real, second: Real, rounds: int) -> tuple[Real, Real]:
    """Improve both rotations in turns, those that have settled left out."""
    settled = _SETTLED * np.linalg.norm(h, axis=(1, 2)) * np.linalg.norm(x, axis=(1, 2))
    energy, rotations = np.full(len(h), np.inf), np.stack([second, second], axis=1)
    active = np.arange(len(h))
    for _ in range(rounds):
        found, turned = _round(h[active], x[active], rotations[active, 1])
        gain = energy[active] - found
        energy[active], rotations[active] = found, turned
        active = active[gain > settled[active]]
        if not active.size:
            break
    return energy, rotations


def _round(h: Real, x: Real, second: Real) -> tuple[Real, Real]:
    """Return energies and rotations after the best first for the second, then the other way."""
    a, b, C = h[:, 1:, 0], h[:, 0, 1:], h[:, 1:, 1:]
    r, s, T = x[:, 1:, 0], x[:, 0, 1:], x[:, 1:, 1:]
    first = _best(_outer(r, a) + T @ _t(second) @ _t(C))
    of_second = _outer(s, b) + _t(T) @ _t(first) @ C
    second = _best(of_second)
    energy = (first @ _outer(r, a) + second @ of_second).trace(axis1=-2, axis2=-1)
    return energy, np.stack([first, second], axis=1)


def _best(M: Real) -> Real:
    """Return the rotation O that makes tr OM least: (..., 3, 3) → (..., 3, 3)."""
    U, _, Vt = np.linalg.svd(M)
    signs = np.full(M.shape[:-1], -1.0)
    signs[..., 2] = np.sign(np.linalg.det(U @ Vt))
    return np.asarray((_t(Vt) * signs[..., None, :]) @ _t(U))


def _floor(h: Real, x: Real) -> Real:
    """Return what the energy of no pair of rotations is below: (N,)."""
    C, T = h[:, 1:, 1:], x[:, 1:, 1:]
    c, t = (np.linalg.svd(M, compute_uv=False) for M in (C, T))
    pairs = c * t
    pairs[:, 2] *= -np.sign(np.linalg.det(C) * np.linalg.det(T))
    norm = np.linalg.norm
    first = norm(h[:, 1:, 0], axis=1) * norm(x[:, 1:, 0], axis=1)
    second = norm(h[:, 0, 1:], axis=1) * norm(x[:, 0, 1:], axis=1)
    return np.asarray(-first - second - pairs.sum(axis=1))


def _starts() -> Real:
    """Return the identity and random rotations, always the same: (24, 3, 3)."""
    q = np.random.default_rng(0).normal(size=(_STARTS, 3, 3))
    Q, _ = np.linalg.qr(q)
    Q *= np.sign(np.linalg.det(Q))[:, None, None]
    Q[0] = np.eye(3)
    return np.asarray(Q)


def _outer(x: Real, y: Real) -> Real:
    return np.asarray(x[..., :, None] * y[..., None, :])


def _t(M: Real) -> Real:
    return M.swapaxes(-1, -2)
