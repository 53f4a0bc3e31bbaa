"""Error bars of figures of merit: a parametric bootstrap, batched over states and replicas.

Ergotropy, capacity and coherence are convex in ρ, so that noise biases their plug-in values; the
bootstrap measures this bias and turns the interval round the estimate (basic interval), because
percentile intervals would double it.  It runs round the linear inversion, which is unbiased and
normal whatever the state; round a maximum-likelihood estimate at the boundary of the states the
same intervals would cover far less than they claim.
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

    Linear inversions are drawn anew around that of the data with their covariance; with θ̂ the
    figure of the linear inversion and θ* those of its replicas, the interval is
    [2θ̂ − q_high, 2θ̂ − q_low].  The corrected value is 2θ̂ − mean θ* of the estimator itself, its
    replicas drawn round its own state and estimated in the same way, kept within the interval.
    All are clipped to the allowed range; ``raw`` is the plug-in value of the estimator's state.

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
    batch, d = estimate.rho.shape[:-2], estimate.rho.shape[-1]
    own, linear = (rho.reshape(-1, d, d) for rho in (estimate.rho, estimate.linear))
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    size = max(1, _BLOCK // replicas)
    blocks: list[dict[str, Interval]] = []
    for k in range(0, len(own), size):
        part = slice(k, k + size)
        drawn = _Replicas.draw(own[part], linear[part], estimate, rng, replicas)
        blocks.append({name: drawn.interval(f, tails, span) for name, (f, span) in figures.items()})
    return {name: _joined([block[name] for block in blocks], batch) for name in figures}


@dataclass(frozen=True, eq=False)
class _Replicas:
    """A block of states with replicas of the estimator's own and of the linear inversion."""

    own: Complex
    linear: Complex
    own_replicas: Complex
    linear_replicas: Complex

    @classmethod
    def draw(
        cls,
        own: Complex,
        linear: Complex,
        estimate: StateEstimate,
        rng: np.random.Generator,
        replicas: int,
    ) -> _Replicas:
        root = np.linalg.cholesky(estimate.covariance)
        noise = rng.standard_normal((len(own), replicas, len(root))) @ root.T
        precision = np.linalg.inv(estimate.covariance)
        around = to_coefficients(own)[:, None, :] + noise
        estimated, _ = constrain(around, precision, method=estimate.method)
        return cls(
            own, linear, to_state(estimated), to_state(to_coefficients(linear)[:, None, :] + noise)
        )

    def interval(
        self, figure: Figure, tails: tuple[float, float], allowed: tuple[float, float]
    ) -> Interval:
        raw, centre = np.asarray(figure(self.own)), np.asarray(figure(self.linear))
        q_low, q_high = np.quantile(figure(self.linear_replicas), tails, axis=-1)
        low, high = (np.clip(2 * centre - q, *allowed) for q in (q_high, q_low))
        value = 2 * raw - np.asarray(figure(self.own_replicas)).mean(axis=-1)
        return Interval(raw, np.clip(value, low, high), low, high)


def _joined(blocks: list[Interval], batch: tuple[int, ...]) -> Interval:
    fields = ("raw", "value", "low", "high")
    columns = (np.concatenate([getattr(block, field) for block in blocks]) for field in fields)
    return Interval(*(column.reshape(batch) for column in columns))
