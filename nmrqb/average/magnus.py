"""Magnus terms of piecewise-constant sequences, exact to any order, ideal and finite pulses alike.

With everything but the control multiplied by λ, every segment is a power series in λ whose
coefficients stand in the first block row of one block-bidiagonal exponential; the sequence is the
product of the series, and the Magnus terms are the series logarithm of U_rf†U.  No quadrature, no
commutator formulas: one code path gives all orders, of Hamiltonians and (in `open_system`) of
Liouvillians.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.linalg import expm

from nmrqb.arguments import checked
from nmrqb.dynamics import Segment, total_duration
from nmrqb.dynamics.segments import check_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger

Matrix = Complex | Real
Series = list[Complex]  # coefficients of λ⁰, λ¹, …, each of shape (..., d, d)


def exponential_series(control: Matrix, interaction: Matrix, size: int) -> Series:
    """Expand exp(A + λB) to λ^(size − 1): the first block row of exp of a block-bidiagonal matrix.

    Without interaction this is exp(A) alone, without control Bᵏ/k!.

    Parameters
    ----------
    control, interaction
        A and B, generators with their factor −i and their time, each of shape (..., m, m).
    size
        Number of coefficients.
    """
    if not np.any(interaction):
        return _constant(np.asarray(expm(control)), size)
    if not np.any(control):
        return _powers_over_factorials(interaction, size)
    m = interaction.shape[-1]
    batch = np.broadcast_shapes(interaction.shape[:-2], control.shape[:-2])
    block: Complex = np.zeros(
        (*batch, size * m, size * m), dtype=np.result_type(control, interaction)
    )
    for k in range(size):
        row = slice(k * m, (k + 1) * m)
        block[..., row, row] = control
        if k + 1 < size:
            block[..., row, (k + 1) * m : (k + 2) * m] = interaction
    first_row = np.asarray(expm(block))[..., :m, :]
    return [first_row[..., k * m : (k + 1) * m] for k in range(size)]


def _powers_over_factorials(B: Matrix, size: int) -> Series:
    series = _one(B, size)
    for k in range(1, size):
        series[k] = np.asarray(series[k - 1] @ B / k)
    return series


def product_series(
    steps: Iterable[tuple[Matrix, Matrix]], size: int, *, like: Matrix, cycles: int = 1
) -> Series:
    """Expand … exp(A₂ + λB₂) exp(A₁ + λB₁), passed through ``cycles`` times, in λ.

    Parameters
    ----------
    steps
        (A, B) of every segment, in the order of time; see `exponential_series`.  Equal ones are
        expanded once.
    size
        Number of coefficients.
    like
        An array of the shape and type of the matrices.
    cycles
        Number of passes.
    """
    known: dict[tuple[object, ...], Series] = {}
    one_pass = _one(like, size)
    for control, interaction in steps:
        content = (control.shape, control.tobytes(), interaction.shape, interaction.tobytes())
        if content not in known:
            known[content] = exponential_series(control, interaction, size)
        one_pass = _multiply(known[content], one_pass)
    whole = _one(like, size)
    for _ in range(cycles):
        whole = _multiply(one_pass, whole)
    return whole


def _multiply(later: Series, earlier: Series) -> Series:
    """Multiply two series, the later factor on the left."""
    return [
        np.asarray(sum(later[j] @ earlier[k - j] for j in range(k + 1))) for k in range(len(later))
    ]


def _one(like: Matrix, size: int) -> Series:
    one = np.broadcast_to(np.eye(like.shape[-1], dtype=like.dtype), like.shape).copy()
    return _constant(one, size)


def _constant(matrix: Complex, size: int) -> Series:
    return [matrix, *(np.zeros_like(matrix) for _ in range(size - 1))]


def logarithm_series(series: Series) -> Series:
    """Return log of a series that starts with 1: Σ_n (−1)^(n+1) Xⁿ/n, X = series − 1."""
    size = len(series)
    X = [np.zeros_like(series[0]), *series[1:]]
    power, total = X, [np.zeros_like(series[0]) for _ in range(size)]
    for n in range(1, size):
        total = [t + (-1) ** (n + 1) / n * p for t, p in zip(total, power, strict=True)]
        power = _multiply(power, X)
    return total


@checked
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
        If the order is negative, the sequence takes no time, or does not fit the drift.
    """
    drift = as_matrix(drift, "drift")
    check_segments(segments, drift.shape[-1])
    period = checked_period(segments, order=order, cycles=cycles)
    steps = ((-1j * s.rotation, -1j * s.drifted(drift)) for s in segments)
    whole = product_series(steps, order + 2, like=drift, cycles=cycles)
    undo = dagger(whole[0])
    exponent = logarithm_series([undo @ coefficient for coefficient in whole])
    return [_hermitian(1j * term / period[..., None, None]) for term in exponent[1:]]


def checked_period(segments: Sequence[Segment], *, order: int, cycles: int) -> Real:
    """Return the length of ``cycles`` passes in s, shape (...), for terms up to ``order``.

    Raises
    ------
    ArgumentError
        If the order is negative or the sequence takes no time.
    """
    if order < 0:
        raise ArgumentError(f"Argument `order` must be ≥ 0, but is {order}")
    period = np.asarray(cycles * total_duration(segments))
    if not np.all(period > 0):
        raise ArgumentError(
            f"Argument `segments` must last longer than 0 s, but last {np.min(period)} s"
        )
    return period


def _hermitian(matrix: Complex) -> Complex:
    """Drop the antihermitian rounding residue."""
    return np.asarray((matrix + dagger(matrix)) / 2)
