"""States under one constant generator at equally spaced times."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nmrqb.arguments import checked
from nmrqb.dynamics.coherent.exponentials import block_groups, exp_matrix
from nmrqb.dynamics.evolution import evolver
from nmrqb.dynamics.methods import Method
from nmrqb.dynamics.relaxing.dissipation import Dissipation
from nmrqb.dynamics.relaxing.relaxation import commutator_superoperator
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, as_hermitian, as_matrix

_MAPS = 2**23  # elements of maps that are held; up to there they cost less than a splitting


@checked
def sampled(
    drift: Complex,
    rho: Complex,
    interval: float,
    count: int,
    dissipation: Dissipation | None = None,
    *,
    method: Method | Literal["auto"] = "auto",
    tolerance: float = 1e-9,
) -> tuple[Complex, float]:
    """Return ρ(kτ) for k = 0 … count, ρ̇ = −i[H, ρ] + Σ D[L_m]ρ, and an estimate of its error.

    To five spins the generator falls into blocks, each of which goes on by doubling,
    [ρ₀, ρ₁] → [ρ₀, ρ₁, ρ₂, ρ₃] …, for all Hamiltonians of a stack at once.

    Parameters
    ----------
    drift
        H in rad/s, shape (..., d, d).
    rho
        ρ or a deviation, shape (..., d, d); batch axes broadcast with those of H.
    interval
        τ in s.
    count
        Number of intervals.
    dissipation
        Lindblad operators; None is a closed register.
    method, tolerance
        As for `nmrqb.dynamics.evolution.evolve`, but that ``auto`` takes maps to five spins, if
        there are few Hamiltonians: one map serves all times.

    Returns
    -------
    states, error
        Shape (..., count + 1, d, d); the Frobenius norm of the error of the worst state.

    Raises
    ------
    ArgumentError
        If the interval or the count is negative, H is not Hermitian, or as for
        `nmrqb.dynamics.evolution.evolver`.
    """
    if not (np.isfinite(interval) and interval >= 0 and count >= 0):
        raise ArgumentError(
            f"Arguments `interval` and `count` must be ≥ 0, but are {interval} s and {count}"
        )
    H, start = as_hermitian(drift, "drift"), as_matrix(rho, "rho")
    if start.shape[-1] != H.shape[-1]:
        raise ArgumentError(
            f"Argument `rho` must be of dimension {H.shape[-1]} like the drift, but is of "
            f"dimension {start.shape[-1]}"
        )
    if method == "auto" and dissipation is not None and dissipation.parts:
        method = "superoperator" if H.size * H.shape[-1] ** 2 <= _MAPS else method
    way = evolver(H, dissipation, method=method, tolerance=tolerance, segments=count)
    if dissipation is not None and way.method == "superoperator":
        return _by_blocks(H, dissipation.generator, start, interval, count)
    if way.method == "unitary":
        return _by_levels(H, start, interval, count)
    d = H.shape[-1]
    wait = [Segment(np.asarray(float(interval)), np.zeros((d, d), dtype=complex))]
    batch = np.broadcast_shapes(H.shape, start.shape)
    states = [np.broadcast_to(start, batch)]
    for _ in range(count):
        states.append(way.advance(states[-1], wait))
    return np.stack(states, axis=-3), way.error


def _by_levels(H: Complex, rho: Complex, interval: float, count: int) -> tuple[Complex, float]:
    """Return V[ρ' ∘ e^{−i(e_i − e_j)t}]V†, ρ' = V†ρV."""
    levels, V = np.linalg.eigh(H)
    phases = np.exp(-1j * interval * np.arange(count + 1)[:, None] * levels[..., None, :])
    back = V.conj().swapaxes(-1, -2)
    seen = (back @ rho @ V)[..., None, :, :]
    turned = phases[..., :, None] * seen * phases.conj()[..., None, :]
    states = V[..., None, :, :] @ turned @ back[..., None, :, :]
    turns = float(np.abs(levels).max(initial=0.0)) * interval * count
    return states, 2.0**-52 * (turns + 4 * H.shape[-1]) * _size(rho)


def _by_blocks(
    H: Complex, dissipation: Complex, rho: Complex, interval: float, count: int
) -> tuple[Complex, float]:
    d = H.shape[-1]
    L = commutator_superoperator(H) + dissipation
    batch = np.broadcast_shapes(L.shape[:-2], rho.shape[:-2])
    start = np.broadcast_to(rho.reshape(*rho.shape[:-2], d * d), (*batch, d * d))
    states = np.zeros((*batch, d * d, count + 1), dtype=complex)
    for levels in block_groups(L):
        part = L[..., levels[:, :, None], levels[:, None, :]]
        states[..., levels, :] = _doubled(exp_matrix(interval * part), start[..., levels], count)
    grid = states.swapaxes(-1, -2).reshape(*batch, count + 1, d, d)
    turns = interval * float(np.abs(L).sum(axis=-2).max(initial=0.0))
    return grid, 2.0**-52 * (d * d + turns) * max(count, 1) * _size(rho)


def _size(rho: Complex) -> float:
    return float(np.linalg.norm(rho, axis=(-2, -1)).max(initial=0.0))


def _doubled(step: Complex, start: Complex, count: int) -> Complex:
    """Return x, Mx, M²x …: (..., m, m), (..., m) → (..., m, count + 1)."""
    batch = np.broadcast_shapes(step.shape[:-1], start.shape)
    states = np.empty((*batch, count + 1), dtype=complex)
    states[..., 0] = start
    done = 1
    while done <= count:
        more = min(done, count + 1 - done)
        np.matmul(step, states[..., :more], out=states[..., done : done + more])
        done += more
        step = step @ step if done <= count else step
    return states
