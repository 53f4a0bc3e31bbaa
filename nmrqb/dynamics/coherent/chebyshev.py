"""exp(−iA) on state vectors, without the matrix exponential: Chebyshev series.

With the spectrum of A inside c ± R,

    exp(−iA) = e^{−ic} Σ_k (2 − δ_k0) (−i)^k J_k(R) T_k((A − c)/R),

one product with A for every term.  The coefficients fall faster than any power once k > R, so
that the truncation is bounded in closed form (`series_length`).  The spectral interval comes from
Gershgorin's discs, which cannot be too small (`spectral_bounds`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array, eye_array, issparse
from scipy.special import jv

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sparse_operators import Sparse

Product: TypeAlias = Callable[[Complex], Complex]
Operator: TypeAlias = "Complex | Sparse | Product"

MAX_TERMS = 1_000_000
_UNIT = float(np.finfo(float).eps)  # twice the unit roundoff: complex products take more steps
_HERMITIAN = 1e-12  # of the largest element
_REFINE_EVERY = 8.0  # rad of the spectral radius that make one refinement of the bounds worth it
_REFINEMENTS = 20
_FULL = 0.5  # share of elements from which a dense product is quicker
_UNKNOWN = 16.0  # units of rounding of one product that only a function makes
_SHIFT = 0.02  # of the spectral width: keeps the weights of the discs positive


# -------------------------------------------------------------------------------- the spectrum
def spectral_bounds(A: Complex | Sparse) -> tuple[float, float]:
    """Return an interval that holds all eigenvalues of a Hermitian matrix.

    Every eigenvalue is at most max_i [a_ii + Σ_(j≠i) |a_ij| x_j/x_i] for any x > 0, and at least
    the minimum with −Σ: Gershgorin's discs of D⁻¹AD with D = diag(x) (Horn and Johnson, *Matrix
    Analysis*, cor. 6.1.6).  x = 1 is what the series starts from; where the interval is so wide
    that it costs, x is improved by power iterations, and the best interval met is returned.  It
    is never too small, whatever x is.

    Parameters
    ----------
    A
        Hermitian, dense or sparse, shape (d, d).
    """
    matrix = csr_array(A)
    diagonal, sizes = matrix.diagonal().real, abs(matrix)
    upper, lower = _disc_edge(diagonal, sizes), -_disc_edge(-diagonal, sizes)
    largest = max(abs(upper), abs(lower)) + 2 * float(np.abs(diagonal).max())
    rounding = _UNIT * (4 + _widest_row(matrix)) * largest
    return lower - rounding, upper + rounding


def _disc_edge(diagonal: Real, sizes: csr_array) -> float:
    """Return the right end of the discs round ``diagonal``, refined as far as it pays.

    ``sizes`` holds |a_ij|, the diagonal included.
    """
    x, own = np.ones_like(diagonal), np.abs(diagonal)
    reach = sizes @ x - own
    best = float((diagonal + reach).max())
    width = best - float((diagonal - reach).min())
    for _ in range(min(_REFINEMENTS, int(width / 2 / _REFINE_EVERY))):
        x = (diagonal - diagonal.min() + _SHIFT * width) * x + reach
        x /= x.max()
        reach = sizes @ x - own * x
        best = min(best, float((diagonal + reach / x).max()))
    return best


def _widest_row(matrix: csr_array) -> int:
    return int(np.diff(matrix.indptr).max(initial=0))


# --------------------------------------------------------------------------------- the series
def series_length(radius: float, tolerance: float) -> tuple[int, float]:
    """Return the last order K of exp(−iRx) on |x| ≤ 1 and a bound on all that follow.

    Kapteyn's inequality |J_k(R)| ≤ e^{f(k)}, f(k) = √(k² − R²) − k arcosh(k/R), holds for k ≥ R
    (DLMF 10.14.8), and f(k + 1) − f(k) ≤ −arcosh(k/R) makes the tail geometric:

        Σ_(k > K) 2|J_k(R)| ≤ 2 e^{f(K + 1)}/(1 − R'),    R' = e^{−arcosh((K + 1)/R)}.

    Parameters
    ----------
    radius
        R ≥ 0 in rad.
    tolerance
        What the bound must not exceed.

    Raises
    ------
    ArgumentError
        If the tolerance is not positive, or the series is longer than a million terms.
    """
    if not tolerance > 0:
        raise ArgumentError(f"Argument `tolerance` must be positive, but is {tolerance}")
    if not radius < MAX_TERMS:  # not a number, or too large
        raise ArgumentError(
            f"Argument `A` must have a spectral radius below {MAX_TERMS} rad, but reaches "
            f"{radius:.3g} rad; give shorter segments"
        )
    if radius == 0:
        return 0, 0.0
    room = 16
    while True:
        k = np.arange(math.floor(radius) + 1, math.floor(radius) + 1 + room, dtype=float)
        step = np.arccosh(k / radius)
        with np.errstate(divide="ignore"):
            tails = 2 * np.exp(np.sqrt(k**2 - radius**2) - k * step) / -np.expm1(-step)
        enough = np.flatnonzero(tails <= tolerance)
        if enough.size:
            return int(k[enough[0]]) - 1, float(tails[enough[0]])
        room *= 2


@dataclass(frozen=True, eq=False)
class Series:
    """exp(−iA) ready to be applied to states.

    Attributes
    ----------
    product
        φ ↦ −2i(A − c)φ/R of vectors of shape (d, k).
    coefficients
        (2 − δ_k0) J_k(R), shape (K + 1,).
    phase
        e^{−ic}.
    error
        Bound on the 2-norm of the difference from exp(−iA): the truncated tail, which is
        rigorous, and the rounding, √m + 4 units for every of K terms with m elements in a row,
        times ‖|A − c|‖/R, which takes the errors of single operations as independent.
    """

    product: Product
    coefficients: Real
    phase: complex
    error: float

    def __call__(self, states: Complex) -> Complex:
        """Return exp(−iA) times states of shape (d, k)."""
        before, now = states, self.product(states) / 2
        total = self.coefficients[0] * before
        for c in self.coefficients[1:]:
            total += c * now
            following = self.product(now)
            following += before
            before, now = now, following
        return np.asarray(total * self.phase)


def series(
    A: Operator, tolerance: float = 1e-12, bounds: tuple[float, float] | None = None
) -> Series:
    """Return exp(−iA) as a Chebyshev series.

    Parameters
    ----------
    A
        Hermitian, dense or sparse, shape (d, d), rad; or a function that returns its product
        with an array of shape (d, k).
    tolerance
        Bound on the 2-norm of the truncation.
    bounds
        Interval that holds all eigenvalues; by default `spectral_bounds`.  A function needs it.

    Raises
    ------
    ArgumentError
        If A is not Hermitian, the bounds are missing or not two ascending numbers, or as for
        `series_length`.
    """
    if callable(A):
        return _series(tolerance, _interval(bounds), partial(_scaled_product, A))
    return matrix_series(hermitian(A), tolerance, bounds)


def matrix_series(A: Sparse, tolerance: float, bounds: tuple[float, float] | None = None) -> Series:
    """Return exp(−iA) as a Chebyshev series of what `hermitian` has returned."""
    interval = spectral_bounds(A) if bounds is None else _interval(bounds)
    return _series(tolerance, interval, partial(_scaled_matrix, A))


def _series(
    tolerance: float,
    interval: tuple[float, float],
    scaled: Callable[[float, complex], tuple[Product, float]],
) -> Series:
    centre, radius = (interval[0] + interval[1]) / 2, (interval[1] - interval[0]) / 2
    order, tail = series_length(radius, tolerance)
    k = np.arange(order + 1)
    coefficients = np.where(k > 0, 2.0, 1.0) * jv(k, radius)
    product, growth = scaled(centre, -2j / radius if radius else 0j)
    rounding = _UNIT * (growth * max(order, 1) + abs(centre))
    return Series(product, coefficients, complex(np.exp(-1j * centre)), tail + rounding)


def _interval(bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is None:
        raise ArgumentError("Argument `bounds` must be given where `A` is a function, but is None")
    low, high = bounds
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ArgumentError(
            f"Argument `bounds` must be two finite numbers that ascend, but is ({low}, {high})"
        )
    return low, high


def hermitian(A: Complex | Sparse) -> Sparse:
    """Return a finite Hermitian matrix as a ``csr_array``, refusing all others."""
    matrix = csr_array(A) if issparse(A) else csr_array(np.asarray(A, dtype=complex))
    if matrix.shape[0] != matrix.shape[1] or not np.all(np.isfinite(matrix.data)):
        raise ArgumentError(
            f"Argument `A` must be a finite matrix of shape (d, d), but has shape {matrix.shape} "
            f"and {np.count_nonzero(~np.isfinite(matrix.data))} elements that are not finite"
        )
    other = csr_array(matrix.conj().T)
    same = np.array_equal(matrix.indices, other.indices)
    gaps = np.abs(matrix.data - other.data) if same else abs(matrix - other).data
    skew = float(gaps.max(initial=0.0))
    if skew > _HERMITIAN * float(np.abs(matrix.data).max(initial=0.0)):
        raise ArgumentError(
            f"Argument `A` must be Hermitian, but differs from its conjugate transpose by "
            f"{skew:.3g}"
        )
    return cast("Sparse", matrix.astype(complex, copy=False))


def _scaled_product(product: Product, centre: float, scale: complex) -> tuple[Product, float]:
    return lambda states: scale * (product(states) - centre * states), _UNKNOWN


def _scaled_matrix(A: Sparse, centre: float, scale: complex) -> tuple[Product, float]:
    """Return φ ↦ s(A − c)φ, and how many units of rounding one product makes."""
    diagonal = A.diagonal().real
    discs: Real = abs(A).sum(axis=1) - np.abs(diagonal) + np.abs(diagonal - centre)
    growth = max(float(discs.max()) * abs(scale) / 2, 1.0)
    matrix = csr_array(A - centre * eye_array(len(diagonal), format="csr"))
    matrix.data *= scale
    full = matrix.nnz > _FULL * len(diagonal) ** 2
    operand = matrix.toarray() if full else matrix
    return lambda states: operand @ states, (4 + math.sqrt(_widest_row(matrix))) * growth


def chebyshev(
    A: Operator,
    states: Complex,
    tolerance: float = 1e-12,
    *,
    bounds: tuple[float, float] | None = None,
) -> tuple[Complex, float]:
    """Return exp(−iA)ψ and a bound on its error.

    Parameters
    ----------
    A, tolerance, bounds
        As for `series`.
    states
        ψ, shape (d,), or k of them as columns, shape (d, k).

    Returns
    -------
    array of the shape of ``states``, and the bound on the 2-norm of the error of every column

    Raises
    ------
    ArgumentError
        If the states do not fit A or are not finite, or as for `series`.
    """
    psi = np.asarray(states, dtype=complex)
    if psi.ndim not in {1, 2} or not (callable(A) or psi.shape[:1] == A.shape[:1]):
        raise ArgumentError(
            f"Argument `states` must have shape (d,) or (d, k) with the d of `A`, but has shape "
            f"{psi.shape}"
        )
    if not np.all(np.isfinite(psi)):
        raise ArgumentError(
            f"Argument `states` must be finite, but holds "
            f"{np.count_nonzero(~np.isfinite(psi))} entries that are not"
        )
    columns = psi.reshape(len(psi), -1)
    exponential = series(A, tolerance, bounds)
    largest = float(np.linalg.norm(columns, axis=0).max(initial=0.0))
    return exponential(columns).reshape(psi.shape), exponential.error * largest
