"""What figures of merit are given: a state beside a matrix of its size, and parts of a register."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_unit_trace, dagger

ESTIMATED = 1e-6  # how far the trace of a state may be from 1


def pair(rho: Any, hamiltonian: Any, name: str = "H") -> tuple[Complex, Complex]:  # noqa: ANN401
    """Return a state and a Hamiltonian, both Hermitian and of one size."""
    state, H = as_hermitian(rho, "rho"), as_hermitian(hamiltonian, name)
    check_size(state, H, name)
    return state, H


def check_size(rho: Complex, other: Complex, name: str) -> None:
    """Refuse stacks that are of different dimensions, or whose batch axes do not broadcast."""
    try:
        np.broadcast_shapes(rho.shape[:-2], other.shape[:-2])
        fits = rho.shape[-1] == other.shape[-1]
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(
            f"Argument `{name}` must be of the size of `rho`, {rho.shape}, but has shape "
            f"{other.shape}"
        )


def mean(rho: Complex, operator: Complex) -> Real:
    """Return tr ρA of Hermitian matrices: (..., d, d) → (...)."""
    return np.asarray(np.einsum("...ij,...ji->...", rho, operator).real)


def populations(rho: Any, name: str = "rho") -> tuple[Real, Complex]:  # noqa: ANN401
    """Return eigenvalues (..., d) ≥ 0 of sum 1 and eigenvectors (..., d, d) of states.

    Negative eigenvalues (of rounding, or of an unprojected estimate) are set to zero and the
    trace is brought back to 1.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or its trace is not 1 within 1e-6.
    """
    r, V = np.linalg.eigh(as_unit_trace(rho, name, ESTIMATED))
    r = np.clip(r, 0, None)
    return r / r.sum(axis=-1, keepdims=True), V


def positive(rho: Any, name: str = "rho") -> Complex:  # noqa: ANN401
    """Return the states that are left when negative eigenvalues are dropped: (..., d, d)."""
    r, V = populations(rho, name)
    return np.asarray((V * r[..., None, :]) @ dagger(V))


# ------------------------------------------------------------------------- parts of a register
def as_dims(d: int, dims: Sequence[int] | None) -> tuple[int, ...]:
    """Return the dimensions of the parts of a d-dimensional register; None is spins ½.

    Raises
    ------
    ArgumentError
        If d is not their product.
    """
    found = tuple(dims) if dims is not None else (2,) * max(1, d.bit_length() - 1)
    if min(found, default=0) < 1 or math.prod(found) != d:
        raise ArgumentError(
            f"Argument `dims` must be dimensions whose product is that of `rho`, {d}, but is "
            f"{'spins ½' if dims is None else found}"
        )
    return found


def as_part(part: Sequence[int], parts: int, name: str) -> tuple[int, ...]:
    """Return tensor positions that are some, but not all, of a register's parts.

    Raises
    ------
    ArgumentError
        If they are none, all, twice there, or not there.
    """
    found = tuple(part)
    known = set(found) <= set(range(parts))
    if not known or len(set(found)) != len(found) or not 0 < len(found) < parts:
        raise ArgumentError(
            f"Argument `{name}` must be different tensor positions of 0 to {parts - 1}, and not "
            f"all of them, but is {found}"
        )
    return found


def bipartite(rho: Complex, part: Sequence[int], dims: Sequence[int]) -> Complex:
    """Return ρ as (..., a, b, a, b): a of the part in its order, b of all else."""
    n, batch = len(dims), rho.shape[:-2]
    order = [*part, *(k for k in range(n) if k not in part)]
    offset = len(batch)
    axes = [*range(offset), *(offset + k for k in order), *(offset + n + k for k in order)]
    a = math.prod(dims[k] for k in part)
    b = math.prod(dims) // a
    split = rho.reshape(*batch, *dims, *dims).transpose(axes)
    return np.asarray(split.reshape(*batch, a, b, a, b))


def reduced(rho: Complex, part: Sequence[int], dims: Sequence[int]) -> Complex:
    """Return the state of some parts of a register, in their order: (..., d, d) → (..., a, a)."""
    return np.asarray(np.einsum("...ikjk->...ij", bipartite(rho, part, dims)))
