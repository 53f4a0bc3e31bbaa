"""Figures of merit that say where their kinks are, as error bars need to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_matrix
from nmrqb.tomography.uncertainty.kinks import Kinks, Moduli, Spectrum

_ANY = (-np.inf, np.inf)
_SAME = 1e-12  # of the largest weight
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class KinkedFigure:
    """f(ρ) = tr ρA + Σ_k w_k x_k(ρ), with features x that have kinks.

    It is linear along rays from the maximally mixed state: f of a deviation that is scaled by g is
    scaled by g as well.

    Attributes
    ----------
    operator
        A, Hermitian, shape (d, d).
    weights
        w, one per feature.  Ascending weights of eigenvalues, and weights ≥ 0 of moduli, make f
        convex; the opposite makes it concave; zeros make it linear.
    kinks
        The features: `Spectrum` or `Moduli`.
    allowed
        Range of its values.
    spins
        Spins whose state it is a figure of, or None for all.
    """

    operator: Complex
    weights: Real
    kinks: Kinks
    allowed: tuple[float, float] = _ANY
    spins: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.curvature is None:
            raise ArgumentError(
                "Argument `weights` must make the figure convex or concave (eigenvalues: monotonic;"
                f" moduli: one sign), but is {self.weights}"
            )

    def __call__(self, rho: Complex) -> Real:
        """Return the figure of states of `spins`, (..., d, d) → (...), positive or not."""
        flat = rho.reshape(-1, *rho.shape[-2:])
        features, _ = self.kinks.observe(flat)
        linear = np.einsum("nij,ji->n", flat, self.operator).real
        return np.asarray((linear + features @ self.weights).reshape(rho.shape[:-2]))

    def permitted(self, values: Real) -> Real:
        """Return values clipped to the allowed range; what is rounding of zero becomes zero."""
        size = np.abs(self.weights).max(initial=0.0) + np.abs(self.operator).max(initial=0.0)
        return np.clip(np.where(np.abs(values) <= _ROUNDING * size, 0.0, values), *self.allowed)

    @property
    def curvature(self) -> int | None:
        """1 where the figure is convex, −1 concave, 0 linear, None neither."""
        steps = np.diff(self.weights) if isinstance(self.kinks, Spectrum) else self.weights
        size = _SAME * np.abs(self.weights).max(initial=0.0)
        up, down = bool(np.all(steps >= -size)), bool(np.all(steps <= size))
        return None if not (up or down) else int(up) - int(down)


@dataclass(frozen=True, eq=False)
class SmoothFigure:
    """Any figure without kinks near the states of interest: ρ (..., d, d) → (...).

    Attributes
    ----------
    function
        The figure; it must take linear inversions, which need not be positive.
    allowed
        Range of its values.
    spins
        Spins whose state it is a figure of, or None for all.
    """

    function: Callable[[Complex], Real]
    allowed: tuple[float, float] = _ANY
    spins: tuple[int, ...] | None = None

    def __call__(self, rho: Complex) -> Real:
        """Return the figure of states of `spins`: (..., d, d) → (...)."""
        return np.asarray(self.function(rho))

    def permitted(self, values: Real) -> Real:
        """Return values clipped to the allowed range."""
        return np.clip(values, *self.allowed)


Figure = KinkedFigure | SmoothFigure


def _spectral(
    operator: Complex,
    weights: Real,
    allowed: tuple[float, float],
    spins: tuple[int, ...] | None,
) -> KinkedFigure:
    return KinkedFigure(operator, weights, Spectrum(), allowed, spins)


def _one(matrix: Complex, name: str) -> Complex:
    """Return a matrix, but no stack."""
    if matrix.ndim != 2:
        raise ArgumentError(f"Argument `{name}` must be one matrix, but has shape {matrix.shape}")
    return matrix


@checked
def ergotropy_figure(H: Complex, *, spins: tuple[int, ...] | None = None) -> KinkedFigure:
    """Return the ergotropy tr ρH − Σ r↓_k e↑_k ≥ 0 of a Hamiltonian (d, d), in its unit."""
    e = np.linalg.eigvalsh(_one(as_hermitian(H, "H"), "H"))
    return _spectral(H, -e[::-1], (0.0, np.inf), spins)


@checked
def anti_ergotropy_figure(H: Complex, *, spins: tuple[int, ...] | None = None) -> KinkedFigure:
    """Return the anti-ergotropy tr ρH − Σ r↑_k e↑_k ≤ 0 of a Hamiltonian (d, d), in its unit."""
    e = np.linalg.eigvalsh(_one(as_hermitian(H, "H"), "H"))
    return _spectral(H, -e, (-np.inf, 0.0), spins)


@checked
def capacity_figure(H: Complex, *, spins: tuple[int, ...] | None = None) -> KinkedFigure:
    """Return the capacity Σ (r↑ − r↓)_k e↑_k ≥ 0 of a Hamiltonian (d, d), in its unit."""
    e = np.linalg.eigvalsh(_one(as_hermitian(H, "H"), "H"))
    return _spectral(np.zeros_like(H), e - e[::-1], (0.0, np.inf), spins)


@checked
def energy_figure(H: Complex, *, spins: tuple[int, ...] | None = None) -> KinkedFigure:
    """Return the mean energy tr ρH of a Hamiltonian (d, d), in its unit; it has no kink."""
    return _spectral(_one(as_hermitian(H, "H"), "H"), np.zeros(len(H)), _ANY, spins)


@checked
def coherence_figure(basis: Complex, *, spins: tuple[int, ...] | None = None) -> KinkedFigure:
    """Return the l1 coherence Σ_{i≠j} |ρ_ij| ≥ 0 in a basis, its vectors as columns (d, d)."""
    d = len(_one(as_matrix(basis, "basis"), "basis"))
    weights = np.full(d * (d - 1) // 2, 2.0)
    return KinkedFigure(
        np.zeros((d, d), dtype=complex), weights, Moduli(basis), (0.0, np.inf), spins
    )
