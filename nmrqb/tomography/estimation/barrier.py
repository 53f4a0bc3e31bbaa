"""Newton's method for −log-likelihood − β ln det ρ, whose minimum lies inside the states.

Divided by β it is a self-concordant function (Nesterov & Nemirovskii): with the Newton decrement
λ < 1, what is missing to the minimum is certified to be at most β (−λ − ln(1 − λ)).
"""

from __future__ import annotations

import numpy as np

from nmrqb.operators import Complex, Real, dagger, pauli_basis
from nmrqb.tomography.estimation.states import to_state

_NEAR = 0.25  # decrement below which full steps converge quadratically
_SHRINK = 0.1  # of the strength, once near the path
_DONE = 1e-5  # decrement that is left; the last step squares it
_MAX_STEPS = 200
_HALVINGS = 40
BLOCK_VALUES = 8_000_000  # complex numbers held at once


def centred(target: Real, precision: Real, strength: float) -> tuple[Real, Real]:
    """Return the minimum of ½ (c − ĉ)ᵀ C⁻¹ (c − ĉ) − β ln det ρ(c) over states.

    Parameters
    ----------
    target
        ĉ, shape (N, P).
    precision
        C⁻¹, shape (P, P), which may be singular.
    strength
        β > 0.  It is approached from above, along the path of minima.

    Returns
    -------
    coefficients, gap
        Shapes (N, P) and (N,); the gap bounds what is missing to the minimum.
    """
    size = max(1, BLOCK_VALUES // target.shape[-1] ** 2)
    parts = range(0, len(target), size)
    found = [_of_block(target[k : k + size], precision, strength) for k in parts]
    return np.concatenate([c for c, _ in found]), np.concatenate([gap for _, gap in found])


def _of_block(target: Real, precision: Real, strength: float) -> tuple[Real, Real]:
    best, gap = np.zeros_like(target), np.full(len(target), np.inf)
    pull = np.linalg.norm(target @ precision, axis=-1)  # of the data on the maximally mixed state
    active, point, beta = np.arange(len(target)), best.copy(), np.maximum(strength, pull)
    for _ in range(_MAX_STEPS):
        if not active.size:
            break
        step, decrement, stretch = _newton(point, target[active], precision, beta)
        length = _length(point, step, target[active], precision, beta, stretch)
        point = point + np.where(decrement < _NEAR, 1.0, length)[:, None] * step
        best[active] = point
        missing = beta * (-decrement - np.log1p(-np.minimum(decrement, 1 - 1e-12)))
        gap[active] = np.where((beta == strength) & (decrement < 1), missing, np.inf)
        keep = (beta > strength) | (decrement > _DONE)
        beta = np.where(decrement < _NEAR, np.maximum(_SHRINK * beta, strength), beta)
        active, point, beta = active[keep], point[keep], beta[keep]
    return best, gap


def whitened(point: Real) -> Complex:
    """Return ρ^{−½} P ρ^{−½}/d of all Paulis, up to a unitary: (N, P) → (N, P, d, d)."""
    r, V = np.linalg.eigh(to_state(point))
    half = V / np.sqrt(np.maximum(r, np.finfo(float).tiny))[:, None, :]
    d = r.shape[-1]
    paulis = pauli_basis(d.bit_length() - 1)[1:] / d
    return np.asarray(dagger(half)[:, None] @ paulis @ half[:, None])


def _newton(point: Real, target: Real, precision: Real, beta: Real) -> tuple[Real, Real, Real]:
    """Return Newton step (N, P), decrement (N,) and how the step stretches ρ, (N, d)."""
    seen = whitened(point)
    traces = np.trace(seen, axis1=-2, axis2=-1).real
    flat = seen.reshape(*seen.shape[:2], -1).view(float)
    slope = (point - target) @ precision - beta[:, None] * traces
    curvature = precision + beta[:, None, None] * (flat @ flat.swapaxes(-1, -2))
    step = -np.linalg.solve(curvature, slope[..., None])[..., 0]
    squared = -(slope * step).sum(axis=-1) / beta
    along = np.einsum("np,npij->nij", step, seen)
    return step, np.sqrt(np.maximum(squared, 0.0)), np.linalg.eigvalsh(along)


def _length(
    point: Real, step: Real, target: Real, precision: Real, beta: Real, stretch: Real
) -> Real:
    """Return the best length of a step: along it, −ln det ρ is −Σ ln(1 + t s) of its stretches s.

    The slope along the step rises from below zero to infinity at the edge of the states, so that
    it is halved on, from the edge.
    """
    pulled = step @ precision
    rise, bend = ((point - target) * pulled).sum(axis=-1), (step * pulled).sum(axis=-1)
    low = np.zeros(len(step))
    high = 1 / np.maximum(-stretch[:, 0], np.finfo(float).tiny)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        stretched = (stretch / (1 + middle[:, None] * stretch)).sum(axis=-1)
        beyond = rise + bend * middle - beta * stretched > 0
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return low
