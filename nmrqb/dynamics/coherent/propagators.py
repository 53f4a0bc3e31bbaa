"""Propagators of piecewise-constant segments, closed (unitary) and open (superoperator)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import check_shape, checked
from nmrqb.dynamics.coherent.exponentials import exp_hermitian, exp_matrix
from nmrqb.dynamics.coherent.factors import FactorTable
from nmrqb.dynamics.relaxing.relaxation import commutator_superoperator
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger

MAX_OPEN_DIMENSION = 16  # 256 × 256 superoperators; beyond that a splitting is needed
_STRUCTURED_FROM = 32  # below this dimension looking for structure costs more than it saves
_VECTOR_COST = 8  # of a matrix–vector product, per element, against that in a matrix product
_ROUNDED = 1e-9  # of a state: the most that rounding can take from its trace
_AT_ONCE = 2**20  # matrix elements that are exponentiated in one call


def unitary(segments: Sequence[Segment], drift: Complex) -> Complex:
    """Return U = … exp[−i(Θ₂ + H T₂)] exp[−i(Θ₁ + H T₁)] of segments in the order of time.

    Parameters
    ----------
    segments
        Piecewise-constant controls; a segment that occurs again is exponentiated once, and so are
        pulses that differ by phase where the drift allows it.
    drift
        H in rad/s, shape (..., d, d); batch axes broadcast with those of the segments.

    Returns
    -------
    array of shape (..., d, d)
    """
    if drift.ndim == 2 and len(drift) >= _STRUCTURED_FROM and not any(map(_is_batch, segments)):
        return _structured(segments, drift)
    factors = _exponentials(segments, lambda segment: segment.generator(drift), exp_hermitian)
    return _product(factors, drift.shape[-1])


def _is_batch(segment: Segment) -> bool:
    free = segment.evolution
    return (
        segment.rotation.ndim > 2
        or np.ndim(segment.duration) > 0
        or (free is not None and free.ndim > 2)
    )


def _structured(segments: Sequence[Segment], drift: Complex) -> Complex:
    table = FactorTable(drift)
    if not segments:
        return np.eye(len(drift), dtype=complex)
    total = table.of(segments[0]).matrix()
    for segment in segments[1:]:
        total = table.of(segment).on(total)
    return total


def superoperator(segments: Sequence[Segment], drift: Complex, dissipation: Complex) -> Complex:
    """Return the map of segments under H and relaxation as a matrix on row-flattened states.

    Relaxation acts during finite pulses as during delays.

    Parameters
    ----------
    segments, drift
        As for `unitary`.
    dissipation
        Dissipator in 1/s, shape (d², d²).

    Returns
    -------
    array of shape (..., d², d²)

    Raises
    ------
    ArgumentError
        If d is above 16 (four spins).
    """
    d = drift.shape[-1]
    if d > MAX_OPEN_DIMENSION:
        raise ArgumentError(
            f"Argument `drift` must have dimension ≤ {MAX_OPEN_DIMENSION} (four spins) for a "
            f"superoperator, but has dimension {d}; `evolve` takes larger ones by splitting"
        )

    def liouvillian(segment: Segment) -> Complex:
        loss = np.asarray(segment.duration)[..., None, None] * dissipation
        return commutator_superoperator(segment.generator(drift)) + loss

    return _product(_exponentials(segments, liouvillian, exp_matrix), d * d)


def _product(factors: Sequence[Complex], d: int) -> Complex:
    """Return the product of propagators in the order of time, the first one rightmost."""
    total = np.eye(d, dtype=complex)
    for factor in factors:
        total = factor @ total
    return total


def _exponentials(
    segments: Sequence[Segment],
    exponent: Callable[[Segment], Complex],
    exponential: Callable[[Complex], Complex],
) -> list[Complex]:
    """Return the exponential of every segment; equal segments share one, alike ones one call."""
    keys = [segment.content for segment in segments]
    distinct = dict(zip(keys, segments, strict=True))
    exponents = {key: exponent(segment) for key, segment in distinct.items()}
    by_shape: dict[tuple[int, ...], list[tuple[bytes, ...]]] = {}
    for key, A in exponents.items():
        by_shape.setdefault(A.shape, []).append(key)
    known: dict[tuple[bytes, ...], Complex] = {}
    for shape, alike in by_shape.items():
        count = max(1, _AT_ONCE // int(np.prod(shape)))
        for first in range(0, len(alike), count):
            some = alike[first : first + count]
            stack = exponential(np.stack([exponents[key] for key in some]))
            known.update(zip(some, stack, strict=True))
    return [known[key] for key in keys]


def unitary_superoperator(U: Complex) -> Complex:
    """Return the matrix of ρ ↦ UρU†: (..., d, d) → (..., d², d²)."""
    d = U.shape[-1]
    product = np.einsum("...ij,...kl->...ikjl", U, U.conj())
    return np.asarray(product.reshape(*U.shape[:-2], d * d, d * d))


def powers(matrix: Complex, counts: NDArray[np.int_]) -> Complex:
    """Return M^k for every k of an array by repeated squaring: (m, m), (K,) → (K, m, m).

    Raises
    ------
    ArgumentError
        If a count is negative.
    """
    counts = np.asarray(counts)
    if counts.size and counts.min() < 0:
        raise ArgumentError(f"Argument `counts` must be ≥ 0, but holds {counts.min()}")
    result = np.tile(np.eye(matrix.shape[-1], dtype=complex), (counts.size, 1, 1))
    square, left = matrix, counts.copy()
    while np.any(left):
        odd = (left & 1).astype(bool)
        result[odd] = square @ result[odd]
        square, left = square @ square, left >> 1
    return result


@checked
def stroboscopic(U: Complex, state: Complex, cycles: int) -> Complex:
    """Return a state after 0, 1, … ``cycles`` passes of one propagator.

    Vectors go on by doubling, [ψ, Uψ] → [ψ, Uψ, U²ψ, U³ψ] …, as far as that pays; ρ becomes UρU†.

    Parameters
    ----------
    U
        Propagator of one pass, shape (d, d).
    state
        ψ of shape (d,) or ρ of shape (d, d).
    cycles
        Number of passes.

    Returns
    -------
    array of shape (cycles + 1, d) or (cycles + 1, d, d)

    Raises
    ------
    ArgumentError
        If the number of passes is negative, or U and the state differ in size.
    """
    if cycles < 0:
        raise ArgumentError(f"Argument `cycles` must be ≥ 0, but is {cycles}")
    d = as_matrix(U, "U").shape[-1]
    check_shape("U", U, (d, d))
    check_shape("state", state, (d,) if state.ndim == 1 else (d, d))
    if state.ndim > 1:
        passes = powers(U, np.arange(cycles + 1))
        return np.asarray(passes @ state @ dagger(passes))
    states = np.empty((len(state), cycles + 1), dtype=complex)
    states[:, 0] = state
    done, step, width, widest = 1, U, 1, _columns_at_once(len(state), cycles)
    while done <= cycles:
        if width < widest and done >= 2 * width:
            step, width = step @ step, 2 * width
        more = min(width, cycles + 1 - done)
        states[:, done : done + more] = step @ states[:, done - width : done - width + more]
        done += more
    return states.T


def _columns_at_once(d: int, cycles: int) -> int:
    """Return how far doubling pays: a power of U costs as much as d products with a vector."""
    return 1 << int(math.log2(max(1.0, _VECTOR_COST * cycles / d)))


def apply(superoperators: Complex, rho: Complex) -> Complex:
    """Return the images of states: (..., d², d²), (..., d, d) → (..., d, d)."""
    d = rho.shape[-1]
    flat = rho.reshape(*rho.shape[:-2], d * d, 1)
    image = superoperators @ flat
    return np.asarray(image.reshape(*image.shape[:-2], d, d))


def with_trace(after: Complex, before: Complex) -> Complex:
    """Return states with the trace that they had before: what rounding took is put back as 1.

    Shapes (..., d, d) that broadcast; the number that is added to the diagonal is the same for all
    levels.  More than rounding, 1e-9 of the state, is not put back: it would hide a fault.
    """
    lost = np.trace(before, axis1=-2, axis2=-1) - np.trace(after, axis1=-2, axis2=-1)
    d = after.shape[-1]
    lost = np.where(np.abs(lost) <= _ROUNDED * np.linalg.norm(after, axis=(-2, -1)), lost, 0)
    return np.asarray(after + (lost / d)[..., None, None] * np.eye(d))


@checked
def infidelity(U: Complex, V: Complex) -> Real:
    """Return 1 − |tr U†V|²/d² of unitaries: (..., d, d) → (...), free of global phase.

    It is computed from the distance of the phase-aligned unitaries, so that it does not lose its
    digits near zero: with g = ‖U − e^{iα}V‖²/2d = 1 − |tr U†V|/d it is g(2 − g).
    """
    check_shape("V", as_matrix(V, "V"), as_matrix(U, "U").shape[-2:], stack=True)
    overlap = np.einsum("...ji,...ji->...", U.conj(), V)
    size = np.abs(overlap)
    phase = np.where(size > 0, overlap / np.where(size > 0, size, 1), 1)
    distance = np.abs(phase[..., None, None] * U - V) ** 2
    gap = distance.sum(axis=(-2, -1)) / (2 * U.shape[-1])
    return np.asarray(gap * (2 - gap))
