"""Evolution of permutation-symmetric states: only the elements that the signal needs.

Conserved quantities (coherence orders, exchange symmetries) show as zeros of the generator.  The
elements that the start reaches, and from which an observable is reached, are found by walking
along the non-zero entries; the rest is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.sparse import csr_array
from scipy.sparse.linalg import expm_multiply

from nmrqb.dynamics.registers.star_dynamics import StarSegment
from nmrqb.dynamics.registers.symmetric import SymmetricSpace
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real
from nmrqb.sparse_operators import AXES, Sparse

_DENSE = 192  # up to this dimension one dense exponential is quicker than many sparse products
_CHUNK = 2**21  # complex numbers of states held at once
_SAME_STEP = 1e-13


def needed(
    generator: Sparse, start: Complex, functionals: Complex | None = None
) -> NDArray[np.int_]:
    """Return the elements that the evolution of a state, or of its signals, goes through.

    Parameters
    ----------
    generator
        Shape (D, D).
    start, functionals
        States and functionals, shapes (..., D); without functionals all that is reached counts.

    Returns
    -------
    ascending indices, shape (d,)

    Examples
    --------
    >>> from nmrqb.dynamics.registers import SymmetricSpace, star_liouvillian
    >>> space = SymmetricSpace(36)
    >>> ising = star_liouvillian(36, np.diag([0.0, 0.0, 9.0]))
    >>> start = space.product(np.diag([0.7, 0.3]), np.full((2, 2), 0.5))
    >>> needed(ising, start, space.functional(PAULI["X"])).size  # S_± and powers of I_z
    74
    """
    edges = csr_array(
        (np.ones(generator.nnz), generator.indices, generator.indptr), generator.shape
    )
    reached = _walk(edges, start)
    if functionals is not None:
        reached = reached & _walk(csr_array(edges.T), functionals)
    return np.flatnonzero(reached)


def _walk(edges: csr_array, start: Complex) -> NDArray[np.bool_]:
    reached: NDArray[np.bool_] = np.any(start.reshape(-1, start.shape[-1]) != 0, axis=0)
    while True:
        wider: NDArray[np.bool_] = reached | (edges @ reached.astype(float) > 0)
        if np.array_equal(wider, reached):
            return wider
        reached = wider


def symmetric_expectation(
    generator: Sparse, start: Complex, functionals: Complex, times: Real
) -> Complex:
    """Return w_k·exp(Gt)x at all times together.

    Parameters
    ----------
    generator
        G in 1/s, of `star_liouvillian` or `symmetric_dissipator`, shape (D, D).
    start
        Vectors x, shape (..., D).
    functionals
        w_k of `SymmetricSpace.functional`, shape (K, D).
    times
        t ≥ 0 in s, shape (T,), in any order; quickest where equally spaced.

    Returns
    -------
    array of shape (..., T, K)

    Raises
    ------
    ArgumentError
        If a time is negative or not finite, or the vectors are not of the generator's size.

    Examples
    --------
    >>> from nmrqb.dynamics.registers import StarDissipation, SymmetricSpace, symmetric_dissipator
    >>> space = SymmetricSpace(36, centre=False)
    >>> noise = symmetric_dissipator(space, StarDissipation(satellite=[PAULI["Z"] / 2]))
    >>> w = space.functional(satellite=PAULI["X"])[None]
    >>> start = space.product(np.full((2, 2), 0.5))
    >>> np.round(symmetric_expectation(noise, start, w, np.array([0.0, 2.0])).real.T / 36, 6)
    array([[1.      , 0.367879]])
    """
    start, functionals = np.asarray(start, complex), np.asarray(functionals, complex)
    times = np.asarray(times, dtype=float)
    _check(generator, start, functionals, times)
    kept = needed(generator, start, functionals)
    kept = kept if kept.size else np.zeros(1, dtype=int)  # nothing is seen: one zero will do
    part = generator[kept][:, kept]
    x = start[..., kept].reshape(-1, kept.size).T
    order = np.argsort(times, kind="stable")
    seen = np.zeros((times.size, len(functionals), x.shape[1]), dtype=complex)
    done = 0
    for states in _marched(part, x, times[order]):
        seen[order[done : done + len(states)]] = functionals[:, kept] @ states
        done += len(states)
    return np.asarray(np.moveaxis(seen, -1, 0).reshape(*start.shape[:-1], times.size, -1))


def _check(generator: Sparse, start: Complex, functionals: Complex, times: Real) -> None:
    D = generator.shape[0]
    if start.shape[-1] != D:
        raise ArgumentError(f"Argument `start` must have shape (..., {D}), but has {start.shape}")
    if functionals.ndim != 2 or functionals.shape[1] != D:
        raise ArgumentError(
            f"Argument `functionals` must have shape (K, {D}), but has shape {functionals.shape}"
        )
    if times.ndim != 1 or not np.all(np.isfinite(times) & (times >= 0)):
        raise ArgumentError(f"Argument `times` must be a vector of times ≥ 0, but is {times}")


def _marched(generator: Sparse, x: Complex, times: Real) -> Iterator[Complex]:
    """Yield the states at ascending times in chunks of shape (chunk, d, B)."""
    gaps = np.diff(times, prepend=0.0)
    step = gaps[1:].mean() if times.size > 1 else 0.0
    even = times.size > 2 and bool(np.all(np.abs(gaps[1:] - step) <= _SAME_STEP * times[-1]))
    size = max(2, _CHUNK // max(x.size, 1)) if even else 1
    for first in range(0, times.size, size):
        x = _applied(generator, x, float(gaps[first]))
        states = _stepped(generator, x, step, min(size, times.size - first))
        x = states[-1]
        yield states


def _applied(generator: Sparse, x: Complex, time: float) -> Complex:
    if time == 0 or not generator.nnz:
        return x
    if len(x) <= _DENSE:
        return np.asarray(expm(generator.toarray() * time) @ x)
    return np.asarray(expm_multiply(generator * time, x))


def _stepped(generator: Sparse, x: Complex, step: float, count: int) -> Complex:
    """Return exp(Gk·step)x for k = 0, …, count − 1: (count, d, B)."""
    if count == 1 or step == 0 or not generator.nnz:
        return np.broadcast_to(x, (count, *x.shape))
    if len(x) > _DENSE:
        span = step * (count - 1)
        return np.asarray(expm_multiply(generator, x, start=0, stop=span, num=count))
    jump, states = expm(generator.toarray() * step), x[None]
    while len(states) < count:
        states = np.concatenate([states, jump @ states])
        jump = jump @ jump
    return np.asarray(states[:count])


# --------------------------------------------------------------------------------------- segments
def symmetric_play(
    space: SymmetricSpace, segments: Sequence[StarSegment], liouvillian: Sparse, start: Complex
) -> Complex:
    """Return the state after segments in the order of time, relaxation acting during pulses too.

    Parameters
    ----------
    space
        Space with a centre.
    segments
        Delays and pulses as for `star_unitary`.
    liouvillian
        Generator of the drift and of relaxation in 1/s, shape (D, D).
    start
        Vectors of shape (..., D).

    Returns
    -------
    array of shape (..., D)

    Examples
    --------
    >>> from nmrqb.dynamics.registers import SymmetricSpace, star_liouvillian
    >>> space, down = SymmetricSpace(3), np.diag([0.0, 1.0])
    >>> free = star_liouvillian(3, np.zeros((3, 3)))
    >>> flip = StarSegment(satellites=(np.pi, 0.0, 0.0))
    >>> flipped = symmetric_play(space, [flip], free, space.product(down, down))
    >>> np.allclose(flipped, space.product(np.diag([1.0, 0.0]), down))
    True
    """
    start = np.asarray(start, dtype=complex)
    _check(liouvillian, start, start[:0].reshape(0, start.shape[-1]), np.zeros(0))
    x = start.reshape(-1, start.shape[-1])
    for segment in segments:
        generator = segment.duration_s * liouvillian + _rotation(space, segment)
        kept = needed(generator, x)
        x = x.copy()
        x[:, kept] = _applied(generator[kept][:, kept], x[:, kept].T, 1.0).T
    return np.asarray(x.reshape(start.shape))


def _rotation(space: SymmetricSpace, segment: StarSegment) -> Sparse:
    total = 0 * space.left()
    for axis, central, satellites in zip(AXES, segment.central, segment.satellites, strict=True):
        spin = PAULI[axis.upper()] / 2
        if central:
            total = total + central * space.commutator(spin)
        if satellites:
            total = total + satellites * space.commutator(None, spin)
    return total
