"""Maximum entropy: the most mixed state that the data do not exclude."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from scipy.stats import chi2 as chi2_law

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger, pauli_basis
from nmrqb.tomography.estimation.barrier import BLOCK_VALUES
from nmrqb.tomography.estimation.model import Fit
from nmrqb.tomography.estimation.projection import MaximumLikelihood
from nmrqb.tomography.estimation.states import misfit, operator_of, to_coefficients, to_state
from nmrqb.tomography.kinds import Method

_SEEN = 1e-12  # of the largest precision: combinations below it are not seen
_LEAST = 1e-4  # squared radius at confidence 0: a hundredth of a standard deviation
_DONE = 1e-10  # nats: half the squared decrement that is left
_MAX_STEPS = 200
_BACKTRACKS = 40
_MIXED = 0.05  # share of 1/d in the state that the search starts from


@dataclass(frozen=True)
class MaximumEntropy:
    """The state of largest entropy −tr ρ ln ρ in a confidence region of the data.

    The region holds all states ρ with (c − ĉ)ᵀ C⁻¹ (c − ĉ) ≤ m + q, where m is the misfit of the
    state of maximum likelihood (zero where the linear inversion is positive) and q the quantile of
    χ² with as many degrees of freedom as the data determine coefficients.  At confidence 0, q is
    1e-4: the state then reproduces what the most likely ones say of all determined expectation
    values to a hundredth of a standard deviation (Jaynes, Phys. Rev. 106, 620 (1957)), so that only
    what the data leave open is decided by entropy.  A region of more confidence also takes off what
    noise may have put there.

    Attributes
    ----------
    confidence
        Of the region, in [0, 1).
    """

    confidence: float = 0.95
    name: ClassVar[Method] = "maximum-entropy"

    def __post_init__(self) -> None:
        if not 0 <= self.confidence < 1:
            raise ArgumentError(
                f"Argument `confidence` must be in [0, 1), but is {self.confidence}"
            )

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return the estimates; the gap is that of the entropy."""
        likely = MaximumLikelihood().fit(target, precision).coefficients
        levels, axes = np.linalg.eigh(precision)
        seen = levels > _SEEN * levels[-1]
        root = axes[:, seen] * np.sqrt(levels[seen])
        quantile = float(chi2_law.ppf(self.confidence, int(seen.sum())))
        radius = np.sqrt(misfit(likely, target, precision) + max(quantile, _LEAST))
        result, gap = np.zeros_like(target), np.zeros(len(target))
        size = max(1, BLOCK_VALUES // target.shape[-1] ** 2)
        excluded = np.flatnonzero(np.linalg.norm(target @ root, axis=-1) > radius)  # 1/d is
        for k in range(0, len(excluded), size):
            part = excluded[k : k + size]
            result[part], gap[part] = _largest(
                target[part] @ root, root, radius[part], likely[part]
            )
        return Fit(result, gap)


def _largest(aim: Real, root: Real, radius: Real, start: Real) -> tuple[Real, Real]:
    """Return the states of largest entropy with |Rᵀc − x| ≤ r, by Newton's method on the dual.

    The state is exp(Σ λ_P P)/Z with λ = R y.  For any y, ln Z − y·x + r |y| bounds the entropy of
    all states in the region from above; its minimum over y is the largest entropy.

    Parameters
    ----------
    aim, root, radius, start
        x of shape (N, k), R of shape (P, k), r of shape (N,), and states to start near, (N, P).

    Returns
    -------
    coefficients, gap
        Shapes (N, P) and (N,).
    """
    inside = (1 - _MIXED) * to_state(start) + _MIXED * to_state(np.zeros_like(start))
    y = to_coefficients(_logarithm(inside)) / inside.shape[-1] @ np.linalg.pinv(root).T
    active, best = np.arange(len(y)), y
    for _ in range(_MAX_STEPS):
        if not active.size:
            break
        x, r = aim[active], radius[active]
        slope, curvature = _derivatives(y, x, root, r)
        step = -np.linalg.solve(curvature, slope[..., None])[..., 0]
        fall = -(slope * step).sum(axis=-1)
        y = _descended(y, step, fall, partial(_dual, x=x, root=root, r=r))
        best[active] = y
        keep = fall > 2 * _DONE
        active, y = active[keep], y[keep]
    return _answer(best, aim, root, radius)


def _dual(y: Real, x: Real, root: Real, r: Real) -> Real:
    """Return ln Z − y·x + r |y|, which is no less than the largest entropy."""
    h = np.linalg.eigvalsh(operator_of(y @ root.T))
    top = h[:, -1]
    partition = top + np.log(np.exp(h - top[:, None]).sum(axis=-1))
    return np.asarray(partition - (y * x).sum(axis=-1) + r * np.linalg.norm(y, axis=-1))


def _derivatives(y: Real, x: Real, root: Real, r: Real) -> tuple[Real, Real]:
    """Return slope (N, k) and curvature (N, k, k) of the dual.

    The curvature of ln Z is the Kubo–Mori covariance: with ρ = Σ p_i |i⟩⟨i| and p_i ∝ exp h_i it is
    Σ_ij A_ij B_ji (p_i − p_j)/(h_i − h_j) − tr ρA tr ρB.
    """
    h, V = np.linalg.eigh(operator_of(y @ root.T))
    p = _populations(h)
    operators = np.tensordot(root.T, pauli_basis(h.shape[-1].bit_length() - 1)[1:], axes=1)
    seen = dagger(V)[:, None] @ operators @ V[:, None]
    mean = np.einsum("nkii,ni->nk", seen, p).real
    apart = np.abs(h[:, :, None] - h[:, None, :])
    share = np.where(apart > 0, -np.expm1(-apart) / np.where(apart > 0, apart, 1.0), 1.0)
    weight = np.sqrt(share * np.maximum(p[:, :, None], p[:, None, :]))
    flat = (seen * weight[:, None]).reshape(*seen.shape[:2], -1).view(float)
    size = np.linalg.norm(y, axis=-1)
    along = y / size[:, None]
    sphere = np.eye(y.shape[-1]) - along[:, :, None] * along[:, None, :]
    curvature = flat @ flat.swapaxes(-1, -2) - mean[:, :, None] * mean[:, None, :]
    return mean - x + r[:, None] * along, curvature + (r / size)[:, None, None] * sphere


def _descended(y: Real, step: Real, fall: Real, value: Callable[[Real], Real]) -> Real:
    """Return y + t·step with t = 1, ½, ¼, … that lowers a convex function as its slope promises."""
    base, t = value(y), np.ones(len(y))
    for _ in range(_BACKTRACKS):
        enough = base - 1e-4 * t * fall + 1e-13 * np.abs(base)
        good = value(y + t[:, None] * step) <= enough
        if np.all(good):
            break
        t = np.where(good, t, t / 2)
    return np.asarray(y + t[:, None] * step)


def _answer(y: Real, x: Real, root: Real, r: Real) -> tuple[Real, Real]:
    h, V = np.linalg.eigh(operator_of(y @ root.T))
    p = _populations(h)
    entropy = -(p * np.log(np.maximum(p, np.finfo(float).tiny))).sum(axis=-1)
    rho = (V * p[:, None, :]) @ dagger(V)
    return to_coefficients(rho), np.maximum(_dual(y, x, root, r) - entropy, 0.0)


def _populations(h: Real) -> Real:
    weights = np.exp(h - h[:, -1:])
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _logarithm(rho: Complex) -> Complex:
    p, V = np.linalg.eigh(rho)
    return np.asarray((V * np.log(np.maximum(p, np.finfo(float).tiny))[:, None, :]) @ dagger(V))
