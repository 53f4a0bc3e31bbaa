"""Error bars of figures of merit: a parametric bootstrap, batched over states and replicas.

Ergotropy, capacity and coherence are convex in ρ, so that noise biases their plug-in values; the
bootstrap measures this bias and turns the interval round the estimate (basic interval), because
percentile intervals would double it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.tomography.estimators import StateEstimate, constrain, to_coefficients, to_state

Figure = Callable[[Complex], Real]
_BLOCK = 20_000  # states held at once


@dataclass(frozen=True, eq=False)
class Interval:
    """A figure of merit of every state, with its interval.

    Attributes
    ----------
    raw
        Plug-in value of the estimated state, shape (...).
    value
        Bias-corrected value, shape (...).
    low, high
        Ends of the interval, shape (...).
    """

    raw: Real
    value: Real
    low: Real
    high: Real


def bootstrap(
    estimate: StateEstimate,
    figures: Mapping[str, tuple[Figure, tuple[float, float]]],
    *,
    rng: np.random.Generator,
    replicas: int = 400,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Return intervals of figures of merit from a parametric bootstrap.

    Data are drawn anew around the estimated state with the covariance of the experiment and
    estimated in the same way; with θ* the replicas' figures, the corrected value is
    2θ̂ − mean θ*, the interval [2θ̂ − q_high, 2θ̂ − q_low], both clipped to the allowed range.

    Parameters
    ----------
    estimate
        Estimated states, batch shape (...).
    figures
        Name to (function of stacks of states, allowed range).
    rng
        Random generator.
    replicas
        Number of replicas, ≥ 50.
    confidence
        Nominal coverage, between 0 and 1.

    Raises
    ------
    ArgumentError
        If ``replicas`` or ``confidence`` is out of range.
    """
    if replicas < 50 or not 0 < confidence < 1:
        raise ArgumentError(
            f"Arguments `replicas` and `confidence` must be ≥ 50 and in (0, 1), but are "
            f"{replicas}, {confidence}"
        )
    centre = to_coefficients(estimate.rho)
    flat = centre.reshape(-1, centre.shape[-1])
    size = max(1, _BLOCK // replicas)
    parts = [
        _replicate(flat[k : k + size], estimate, figures, rng, replicas)
        for k in range(0, len(flat), size)
    ]
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    batch = centre.shape[:-1]
    return {
        name: _interval(
            np.asarray(figure(estimate.rho)),
            np.concatenate([part[name] for part in parts]).reshape(*batch, replicas),
            tails,
            allowed,
        )
        for name, (figure, allowed) in figures.items()
    }


def _replicate(
    centre: Real,
    estimate: StateEstimate,
    figures: Mapping[str, tuple[Figure, tuple[float, float]]],
    rng: np.random.Generator,
    replicas: int,
) -> dict[str, Real]:
    """Draw replicas of a block of states, estimate them, and evaluate the figures."""
    root = np.linalg.cholesky(estimate.covariance)
    noise = rng.standard_normal((len(centre), replicas, centre.shape[-1])) @ root.T
    precision = np.linalg.inv(estimate.covariance)
    drawn, _ = constrain(centre[:, None, :] + noise, precision, method=estimate.method)
    states = to_state(drawn)
    return {name: np.asarray(figure(states)) for name, (figure, _) in figures.items()}


def _interval(
    raw: Real, replicas: Real, tails: tuple[float, float], allowed: tuple[float, float]
) -> Interval:
    low, high = np.quantile(replicas, tails, axis=-1)
    value = 2 * raw - replicas.mean(axis=-1)
    ends = value, 2 * raw - high, 2 * raw - low
    return Interval(raw, *(np.clip(x, *allowed) for x in ends))
