"""Propagators of piecewise-constant segments, closed (unitary) and open (superoperator)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from nmrqb.dynamics.relaxation import commutator_superoperator
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger

MAX_OPEN_DIMENSION = 16  # 256 × 256 superoperators; beyond that a splitting is needed


def exp_hermitian(generator: Complex) -> Complex:
    """Return exp(−iA) of Hermitian A: (..., d, d) → (..., d, d)."""
    phases, V = np.linalg.eigh(generator)
    return (V * np.exp(-1j * phases)[..., None, :]) @ dagger(V)


def _generator(segment: Segment, drift: Complex) -> Complex:
    return np.asarray(segment.rotation + segment.drifted(drift))


def unitary(segments: Sequence[Segment], drift: Complex) -> Complex:
    """Return U = … exp[−i(Θ₂ + H T₂)] exp[−i(Θ₁ + H T₁)] of segments in the order of time.

    Parameters
    ----------
    segments
        Piecewise-constant controls; a segment object that occurs again is exponentiated once.
    drift
        H in rad/s, shape (..., d, d); batch axes broadcast with those of the segments.

    Returns
    -------
    array of shape (..., d, d)
    """
    known: dict[int, Complex] = {}
    total = np.eye(drift.shape[-1], dtype=complex)
    for segment in _shared(segments):
        if id(segment) not in known:
            known[id(segment)] = exp_hermitian(_generator(segment, drift))
        total = known[id(segment)] @ total
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
            f"Argument `drift` must have dimension ≤ {MAX_OPEN_DIMENSION} (four spins) when "
            f"relaxation acts, but has dimension {d}; switch relaxation off for larger samples"
        )
    known: dict[int, Complex] = {}
    total = np.eye(d * d, dtype=complex)
    for segment in _shared(segments):
        if id(segment) not in known:
            coherent = commutator_superoperator(_generator(segment, drift))
            loss = np.asarray(segment.duration)[..., None, None] * dissipation
            known[id(segment)] = np.asarray(expm(coherent + loss))
        total = known[id(segment)] @ total
    return total


def _shared(segments: Sequence[Segment]) -> list[Segment]:
    """Replace equal segments by one object, so that each distinct one is exponentiated once."""
    first: dict[tuple[bytes, ...], Segment] = {}
    return [first.setdefault(_content(segment), segment) for segment in segments]


def _content(segment: Segment) -> tuple[bytes, ...]:
    free = b"" if segment.evolution is None else segment.evolution.tobytes()
    return np.asarray(segment.duration).tobytes(), segment.rotation.tobytes(), free


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


def apply(superoperators: Complex, rho: Complex) -> Complex:
    """Return the images of states: (..., d², d²), (..., d, d) → (..., d, d)."""
    d = rho.shape[-1]
    flat = rho.reshape(*rho.shape[:-2], d * d, 1)
    image = superoperators @ flat
    return np.asarray(image.reshape(*image.shape[:-2], d, d))


def infidelity(U: Complex, V: Complex) -> Real:
    """Return 1 − |tr U†V|²/d² of unitaries: (..., d, d) → (...), free of global phase.

    It is computed from the distance of the phase-aligned unitaries, so that it does not lose its
    digits near zero: with g = ‖U − e^{iα}V‖²/2d = 1 − |tr U†V|/d it is g(2 − g).
    """
    overlap = np.einsum("...ji,...ji->...", U.conj(), V)
    size = np.abs(overlap)
    phase = np.where(size > 0, overlap / np.where(size > 0, size, 1), 1)
    distance = np.abs(phase[..., None, None] * U - V) ** 2
    gap = distance.sum(axis=(-2, -1)) / (2 * U.shape[-1])
    return np.asarray(gap * (2 - gap))
