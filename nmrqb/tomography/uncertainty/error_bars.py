"""Error bars of figures of merit that hold at kinks too: a bootstrap round three centres.

Ergotropy, capacity and l1 coherence are convex in ρ, so that noise biases their plug-in values
upwards (Jensen), most where they have a kink: at degenerate spectra, and where elements of ρ
vanish.  A bootstrap round the linear inversion sees too little of it, because the spectrum of the
inversion has been driven apart by the noise already; percentile intervals and flat priors even
double the bias, and maximum likelihood adds one of its own, towards mixed states (Schwemmer et al.,
arXiv:1310.8465).

**Interval.**  The linear inversion is unbiased and normal, but the error θ̂ − θ of a figure of it
depends on the true state.  For a state ρ_c the basic interval [θ̂ − q_high, θ̂ − q_low], with q the
quantiles of θ* − θ_c over replicas θ* of experiments on ρ_c, has its nominal coverage if ρ_c is the
true state; so an interval is valid if it holds those of all states that the data do not exclude.
What matters of ρ_c are the gaps of its spectrum.  The wider they are, the less noise drives the
eigenvalues apart, and the error is extreme at the two ends: gaps as wide as observed, and gaps
closed, the least favourable state that is not excluded.  Hence the hull over three centres that
share the eigenvectors of the linear inversion:

1. the linear inversion itself,
2. its spectrum freed of repulsion: the fixed point t, kept ascending by isotonic regression, whose
   replicas have on average the observed spectrum,
3. its spectrum with all gaps below κ = 4 standard deviations closed.  Two levels that coincide are
   seen further apart than that in one of twenty experiments: κ is a test of coincidence at 5 %.

Where all gaps exceed κ, (1) and (3) coincide, (2) differs by a term of second order, and the
interval is the usual one.  For l1 coherence, moduli of elements take the place of gaps.  Replicas
carry a common relative error of the scale, and Student's factor where the noise level is estimated.
The argument is one of monotony and not a proof: `nmrqb study coverage` measures the coverage.

**Value.**  θ̂ − mean(θ* − θ_c) of centre (2), kept within the interval.

**Bounds.**  A convex figure lies above its tangents.  Gaussian thinning splits the data in two
independent parts (Leiner et al., data fission, arXiv:2112.11079): the tangent (for ergotropy: the
unitary that extracts work) is chosen on one and evaluated on the other, where it estimates without
bias something no larger than θ, with a known standard deviation.  From above, θ̂ is no less than the
tangent at the true state, which is unbiased and normal.  So each bound holds at the confidence by
itself, whatever the spectrum; concave figures exchange the two.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from nmrqb.arguments import check_shape, checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_generator,
    as_matrix,
    partial_trace,
    pauli_basis,
    pauli_coefficients,
)
from nmrqb.tomography.estimation.states import to_state
from nmrqb.tomography.estimators import StateEstimate
from nmrqb.tomography.uncertainty.draws import Draws, draw
from nmrqb.tomography.uncertainty.figures import Figure, KinkedFigure, SmoothFigure
from nmrqb.tomography.uncertainty.kinks import Kinks

CLOSE = 4.0  # κ: gaps below so many standard deviations may be zero
KEPT = 0.8  # share of the information that chooses the tangent; the rest evaluates it
_PAIRS, _STEPS = 32, 6  # of the fixed point; pairs of opposite noise cancel its first order
_BLOCK_VALUES = 4_000_000  # complex matrix elements held at once


@dataclass(frozen=True, eq=False)
class Interval:
    """A figure of merit of every state, with its uncertainty; all of shape (...).

    Attributes
    ----------
    raw
        Plug-in value of the estimated state.
    value
        Bias-corrected value.
    low, high
        Two-sided interval at the confidence.
    lower_bound, upper_bound
        One-sided bounds by data thinning, each at the confidence by itself; NaN for smooth figures.
    thinned
        Tangent chosen on one half of the data, evaluated on the other: an unbiased estimate of
        something below a convex (above a concave) figure; NaN for smooth figures.
    nearest_kink
        Smallest gap between eigenvalues of the linear inversion (for l1 coherence: smallest
        modulus of an element) over its standard deviation; infinite without kinks.  Below 4 the
        interval is a hull over different centres, wider than elsewhere.
    """

    raw: Real
    value: Real
    low: Real
    high: Real
    lower_bound: Real
    upper_bound: Real
    thinned: Real
    nearest_kink: Real

    @property
    def significant(self) -> NDArray[np.bool_]:
        """Whether the interval excludes zero."""
        return np.asarray((self.low > 0) | (self.high < 0))


@dataclass(frozen=True)
class _Claim:
    """What the error bars promise, and what they know of noise and scale."""

    confidence: float
    freedom: float
    gain_error: float

    @property
    def tails(self) -> tuple[float, float]:
        """Probabilities below the lower and the upper end of a two-sided interval."""
        return (1 - self.confidence) / 2, (1 + self.confidence) / 2

    @cached_property
    def one_sided(self) -> float:
        """Standard deviations to a one-sided bound."""
        return float(student.ppf(self.confidence, self.freedom))


def least_replicas(confidence: float) -> int:
    """Return 2/(1 − confidence): how many replicas have both quantiles of an interval."""
    return round(2 / (1 - confidence))


@checked
def intervals(
    estimate: StateEstimate,
    figures: Mapping[str, Figure],
    *,
    rng: np.random.Generator,
    replicas: int = 400,
    confidence: float = 0.95,
    gain_error: float = 0.01,
) -> dict[str, Interval]:
    """Return figures of merit with error bars that hold at kinks too (see the module).

    Parameters
    ----------
    estimate
        Estimated states, batch shape (...).  Values, intervals and bounds come from its linear
        inversions alone and mean the same for every method.  ``raw`` is the figure of its states:
        of the posterior mean for a Bayesian estimate (not the mean of the figure), of the most
        mixed state in the region for maximum entropy.  It need not lie in the interval, least of
        all where a method pulls towards mixed states.
    figures
        Name to figure, which knows its kinks: `ergotropy_figure`, `coherence_figure`, …
    rng
        Random generator, ``np.random.default_rng(seed)``; the same seed gives the same intervals.
    replicas
        Number of replicas, ≥ 50 and ≥ 2/(1 − confidence): fewer have no such quantiles.
    confidence
        Nominal coverage, between 0 and 1.
    gain_error
        Relative standard deviation of the scale that all deviations from the maximally mixed
        state share, beyond the estimate's own ``scale_error``; in [0, 1).

    Raises
    ------
    ArgumentError
        If a setting is out of range, a figure is of another register, or ``rng`` is no generator.
    """
    rng = as_generator(rng)
    if not (replicas >= 50 and 0 < confidence < 1 and 0 <= gain_error < 1):
        raise ArgumentError(
            f"Arguments `replicas`, `confidence`, `gain_error` must be ≥ 50, in (0, 1), in [0, 1), "
            f"but are {replicas}, {confidence}, {gain_error}"
        )
    least = least_replicas(confidence)
    if replicas < least:
        raise ArgumentError(
            f"Argument `replicas` must be at least 2/(1 − confidence) = {least}, so that there are "
            f"such quantiles, but is {replicas}"
        )
    _check_figures(figures, estimate.linear.shape[-1])
    scale = float(np.hypot(gain_error, estimate.scale_error))
    claim = _Claim(confidence, estimate.noise_degrees_of_freedom, scale)
    drawn = draw(estimate, rng, replicas=replicas, gain_error=scale, block_values=_BLOCK_VALUES)
    blocks = [_of_block(figures, draws, claim) for draws in drawn]
    return {
        name: _finished([block[name] for block in blocks], figure, estimate.rho)
        for name, figure in figures.items()
    }


def _check_figures(figures: Mapping[str, Figure], d: int) -> None:
    """Refuse figures of spins that are not there, or of another number of them."""
    n = d.bit_length() - 1
    for name, figure in figures.items():
        spins = tuple(range(n)) if figure.spins is None else figure.spins
        size = len(figure.operator) if isinstance(figure, KinkedFigure) else 2 ** len(spins)
        if not set(spins) <= set(range(n)) or size != 2 ** len(spins):
            raise ArgumentError(
                f"Argument `figures` must be figures of spins out of 0 to {n - 1}, but {name!r} is "
                f"of {size} levels of spins {spins}"
            )


def _finished(blocks: Sequence[Interval], figure: Figure, rho: Complex) -> Interval:
    """Join blocks, bring them to the shape of the states, and add the plug-in value."""
    batch = rho.shape[:-2]
    joined = Interval(
        *(
            np.concatenate([getattr(block, field.name) for block in blocks]).reshape(batch)
            for field in fields(Interval)
        )
    )
    return replace(joined, raw=figure(_reduced(rho, figure.spins)))


def _reduced(rho: Complex, spins: tuple[int, ...] | None) -> Complex:
    return rho if spins is None else partial_trace(rho, spins)


def _of_block(figures: Mapping[str, Figure], draws: Draws, claim: _Claim) -> dict[str, Interval]:
    """Return the figures of a block; those that share features share their replicas."""
    groups: dict[Hashable, dict[str, KinkedFigure]] = {}
    found: dict[str, Interval] = {}
    for name, figure in figures.items():
        if isinstance(figure, KinkedFigure):
            groups.setdefault((figure.spins, figure.kinks.key), {})[name] = figure
        else:
            found[name] = _smooth(figure, draws.of_spins(figure.spins), claim)
    for group in groups.values():
        members = list(group.values())
        shared = _kinked(members, draws.of_spins(members[0].spins), claim)
        found |= dict(zip(group, shared, strict=True))
    return found


def _smooth(figure: SmoothFigure, draws: Draws, claim: _Claim) -> Interval:
    centre = figure(draws.states)
    errors = figure(draws.replicas) - centre[:, None]
    ends = _ends(centre, [errors], claim)
    nothing = np.full_like(centre, np.nan)
    far = np.full_like(centre, np.inf)
    return _interval(figure, centre, errors, ends, (nothing, nothing, nothing), far)


def _kinked(figures: Sequence[KinkedFigure], draws: Draws, claim: _Claim) -> Iterable[Interval]:
    """Return the intervals of figures that share their features and their spins."""
    kinks, weights = figures[0].kinks, np.stack([f.weights for f in figures], axis=-1)
    observed, frame = kinks.observe(draws.states)
    turned = kinks.turned(_unit_errors(draws.root), frame)
    noise, spread = draws.errors @ turned, kinks.spread(turned)
    offsets, slopes = _functionals(np.stack([f.operator for f in figures]))
    linear = draws.errors @ (draws.root.swapaxes(-1, -2) @ slopes.T)
    theta = draws.coefficients @ slopes.T + offsets + observed @ weights
    resting = np.array([f(np.eye(f.operator.shape[-1]) / f.operator.shape[-1]) for f in figures])
    scale = draws.gains[..., None]
    errors = [
        (linear + (kinks.features(t, noise) - t[:, None]) @ weights) * (1 + scale)
        + scale * (theta - resting)[:, None]
        for t in _centres(kinks, observed, noise, spread)
    ]
    kink = (kinks.gaps(observed) / spread).min(axis=-1)
    for k, figure in enumerate(figures):
        bounds, own = _bounds(figure, draws, claim), [e[..., k] for e in errors]
        away = kink if figure.curvature else np.full_like(kink, np.inf)
        yield _interval(figure, theta[:, k], own[1], _ends(theta[:, k], own, claim), bounds, away)


def _unit_errors(root: Real) -> Complex:
    """Return what unit errors do to ρ, Σ_P R_Pq P/d: (…, P, Q) → (…, Q, d, d)."""
    d = int(np.sqrt(root.shape[-2] + 1))
    paulis = pauli_basis(d.bit_length() - 1)[1:] / d
    return np.asarray(np.tensordot(root.swapaxes(-1, -2), paulis, axes=1))


def _functionals(operators: Complex) -> tuple[Real, Real]:
    """Return tr ρA = offset + slope·c of Hermitian A: (..., d, d) → (...), (..., 4ⁿ − 1)."""
    coefficients = pauli_coefficients(operators).real
    return coefficients[..., 0], coefficients[..., 1:]


def _centres(kinks: Kinks, observed: Real, noise: Complex, spread: Real) -> tuple[Real, Real, Real]:
    """Return the features of the three centres: observed, freed of repulsion, gaps closed."""
    half = noise[:, :_PAIRS]
    opposite = np.concatenate([half, -half], axis=1)
    freed = observed
    for _ in range(_STEPS):
        freed = kinks.ordered(freed + observed - kinks.features(freed, opposite).mean(axis=1))
    return observed, freed, kinks.closed(observed, CLOSE * spread)


def _bounds(figure: KinkedFigure, draws: Draws, claim: _Claim) -> tuple[Real, Real, Real]:
    """Return lower bound, upper bound and thinned value."""
    whole = _tangent(figure, draws, draws.coefficients, draws.coefficients, 1.0, claim)
    if figure.curvature == 0:
        return whole[0] - whole[1], whole[0] + whole[1], whole[0]
    split = _tangent(figure, draws, *draws.halves(KEPT), 1 - KEPT, claim)
    under, over = (split, whole) if figure.curvature == 1 else (whole, split)
    return under[0] - under[1], over[0] + over[1], split[0]


def _tangent(
    figure: KinkedFigure,
    draws: Draws,
    chosen: Real,
    evaluated: Real,
    share: float,
    claim: _Claim,
) -> tuple[Real, Real]:
    """Return the tangents at some states, evaluated on others, and their one-sided errors."""
    _, frame = figure.kinks.observe(to_state(chosen))
    offset, slope = _functionals(figure.operator + figure.kinks.operator(frame, figure.weights))
    deviation = (slope * evaluated).sum(axis=-1)
    unit = (slope[:, None] @ draws.root)[:, 0]
    noise = np.linalg.norm(unit, axis=-1) / np.sqrt(share)
    return offset + deviation, claim.one_sided * np.hypot(noise, claim.gain_error * deviation)


@checked
def nearest_kink(figure: KinkedFigure, rho: Complex, covariance: Real) -> Real:
    """Return how many standard deviations states are from the nearest kink of a figure.

    Parameters
    ----------
    figure
        The figure; ``spins`` is not looked at.
    rho
        States of its spins, shape (..., d, d).
    covariance
        Covariance of their Pauli coefficients, shape (d² − 1, d² − 1).

    Returns
    -------
    array of shape (...)
    """
    check_shape("covariance", covariance, (as_matrix(rho).shape[-1] ** 2 - 1,) * 2)
    observed, frame = figure.kinks.observe(rho.reshape(-1, *rho.shape[-2:]))
    turned = figure.kinks.turned(_unit_errors(np.linalg.cholesky(covariance))[None], frame)
    gaps = (figure.kinks.gaps(observed) / figure.kinks.spread(turned)).min(axis=-1)
    return np.asarray(gaps.reshape(rho.shape[:-2]))


def _ends(theta: Real, errors: Sequence[Real], claim: _Claim) -> tuple[Real, Real]:
    """Return the hull of basic intervals; ``errors`` are θ* − θ_c of the centres, (N, B) each."""
    # the (n + 1)p-th of n replicas keeps the mean coverage at its nominal value
    q = [np.quantile(e, claim.tails, axis=-1, method="weibull") for e in errors]
    low, high = np.min([k[0] for k in q], axis=0), np.max([k[1] for k in q], axis=0)
    return theta - high, theta - low


def _interval(
    figure: Figure,
    theta: Real,
    errors: Real,
    ends: tuple[Real, Real],
    bounds: tuple[Real, Real, Real],
    nearest_kink: Real,
) -> Interval:
    """Return what is known of a figure; ``errors`` are those that correct its value, (N, B)."""
    low, high, lower, upper = (figure.permitted(end) for end in (*ends, *bounds[:2]))
    value = np.clip(theta - errors.mean(axis=-1), low, high)
    return Interval(theta, value, low, high, lower, upper, bounds[2], nearest_kink)
