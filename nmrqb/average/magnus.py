"""Magnus terms of piecewise-constant sequences, exact to any order, ideal and finite pulses alike.

With the drift multiplied by λ, every segment is a power series in λ whose coefficients stand in
the first block row of one block-bidiagonal exponential; the sequence is the product of the
series, and the Magnus terms are the series logarithm of U_rf†U.  No quadrature, no commutator
formulas: one code path gives all orders.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import expm

from nmrqb.dynamics import Segment, total_duration
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, dagger

Series = list[Complex]  # coefficients of λ⁰, λ¹, …, each of shape (..., d, d)


def _segment_series(segment: Segment, drift: Complex, size: int) -> Series:
    """Expand exp[−i(Θ + λHT)] in λ: the first block row of exp of a block-bidiagonal matrix."""
    d = drift.shape[-1]
    interaction = segment.drifted(drift)
    batch = np.broadcast_shapes(interaction.shape[:-2], segment.rotation.shape[:-2])
    block = np.zeros((*batch, size * d, size * d), dtype=complex)
    for k in range(size):
        row = slice(k * d, (k + 1) * d)
        block[..., row, row] = -1j * segment.rotation
        if k + 1 < size:
            block[..., row, (k + 1) * d : (k + 2) * d] = -1j * interaction
    first_row: Complex = np.asarray(expm(block), dtype=complex)[..., :d, :]
    return [first_row[..., k * d : (k + 1) * d] for k in range(size)]


def _multiply(later: Series, earlier: Series) -> Series:
    """Multiply two series, the later factor on the left."""
    return [
        np.asarray(sum(later[j] @ earlier[k - j] for j in range(k + 1))) for k in range(len(later))
    ]


def _one(like: Complex, size: int) -> Series:
    one = np.broadcast_to(np.eye(like.shape[-1], dtype=complex), like.shape).copy()
    return [one, *(np.zeros_like(one) for _ in range(size - 1))]


def _logarithm(series: Series) -> Series:
    """Return log of a series that starts with 1: Σ_n (−1)^(n+1) Xⁿ/n, X = series − 1."""
    size = len(series)
    X = [np.zeros_like(series[0]), *series[1:]]
    power, total = X, [np.zeros_like(series[0]) for _ in range(size)]
    for n in range(1, size):
        total = [t + (-1) ** (n + 1) / n * p for t, p in zip(total, power, strict=True)]
        power = _multiply(power, X)
    return total


def magnus_terms(
    segments: Sequence[Segment], drift: Complex, *, order: int, cycles: int = 1
) -> list[Complex]:
    """Return the Magnus terms H⁽⁰⁾ … H⁽ⁿ⁾ of ``cycles`` passes in the toggling frame.

    U_rf†(T) U(T) = exp[−i(H⁽⁰⁾ + H⁽¹⁾ + …)T], H⁽ᵏ⁾ of degree k + 1 in the drift; H⁽⁰⁾ is
    (1/T)∫U_rf† H U_rf dt.

    Parameters
    ----------
    segments
        One pass of the sequence, in the order of time.
    drift
        H in rad/s, shape (..., d, d).
    order
        Highest order n, ≥ 0.
    cycles
        Number of passes that make the period T.

    Returns
    -------
    list of arrays of shape (..., d, d), rad/s

    Raises
    ------
    ArgumentError
        If the order is negative or the sequence takes no time.
    """
    if order < 0:
        raise ArgumentError(f"Argument `order` must be ≥ 0, but is {order}")
    period = cycles * total_duration(segments)
    if not np.all(period > 0):
        raise ArgumentError(
            f"Argument `segments` must last longer than 0 s, but last {np.min(period)} s"
        )
    size = order + 2
    one_pass = _one(drift, size)
    for segment in segments:
        one_pass = _multiply(_segment_series(segment, drift, size), one_pass)
    whole = _one(drift, size)
    for _ in range(cycles):
        whole = _multiply(one_pass, whole)
    undo = dagger(whole[0])
    exponent = _logarithm([undo @ coefficient for coefficient in whole])
    return [_hermitian(1j * term / period[..., None, None]) for term in exponent[1:]]


def _hermitian(matrix: Complex) -> Complex:
    """Drop the antihermitian rounding residue."""
    return np.asarray((matrix + dagger(matrix)) / 2)
