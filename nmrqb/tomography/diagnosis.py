"""Whether a measurement is what its chain says, and if not, what is wrong with it.

The residual of a least-squares fit does not depend on its coefficients, so that the score
z = b⊥·r/|b⊥| of a suspect, with b the derivative of the data by its size at the fitted state and
b⊥ the part that no state explains, is standard normal where nothing is wrong.  Culprits are
found one by one: the one of the largest score is fitted along with the state, and the others are
tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_law
from scipy.stats import norm

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.tomography.fids import as_fids, check_fids
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Chain
from nmrqb.tomography.suspects import Scene, Suspect, World, scene_of, signals_of, world_of

_BLIND = 1e-4  # part of a derivative that must be left once states have explained what they can
_ALIKE = float(chi2_law.isf(0.01, 1))
_REFITS = 6
_HALVINGS = 5
_CLOSE = 0.1  # of an error
_LARGEST = 0.9
_MOST = 4  # findings
_DISTINCT = 1e-6  # part of a suspect's information that known culprits must leave


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a measurement.

    Attributes
    ----------
    name
        What is wrong.
    size, error
        By how much, what is there less what the chain says, and its standard error.
    unit
        Unit of both: 1 for relative errors, rad, or Hz.
    p
        Probability of so large a score of any suspect where nothing (more) is wrong.
    alike
        Other suspects that explain the data as well: their log-likelihood is within that of a
        99 % test of the best.
    """

    name: str
    size: float
    error: float
    unit: str
    p: float
    alike: tuple[str, ...] = ()

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        text = f"{self.name}: {self.size:+.3g} ± {self.error:.1g}{unit} (p = {self.p:.1g})"
        return text + (f"; or {', '.join(self.alike)}" if self.alike else "")


@dataclass(frozen=True)
class Diagnosis:
    """What a set of FIDs says about the measurement itself.

    Attributes
    ----------
    findings
        What is wrong, in the order in which it was found; empty if nothing is.
    blind
        What these readouts cannot tell from another state, whatever the noise.  A factor of the
        gains of all channels is, unless the readouts make signals of the maximally mixed state:
        a state farther from that one by this factor shows the same.  A reference must tell it.
    errors
        Standard error with which each of the other suspects would be seen alone, by name.
    chi2, degrees_of_freedom, p_value
        Squared residual before anything is put right, and the probability of a larger one.
    p_smaller
        The probability of a smaller one: where it is small, the data fit better than their noise
        allows.  The noise is then overstated, or the FIDs were filtered, smoothed or clipped.
    p_left
        The same probability once all findings are fitted: where it is small, something else is
        wrong.
    """

    findings: tuple[Finding, ...]
    blind: tuple[str, ...]
    errors: tuple[tuple[str, float], ...]
    chi2: float
    degrees_of_freedom: int
    p_value: float
    p_smaller: float
    p_left: float


@checked
def diagnose(
    fids: Complex, chain: Chain, noise: Real | NoiseLevel, *, level: float = 0.05
) -> Diagnosis:
    """Return what is wrong with a measurement: pulse angles, gains, phases, offsets, J, T2.

    All FIDs share what is wrong; each may be of a state of its own.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    chain
        From `measurement_chain`: what the measurement is taken for.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), or
        what `noise_level` measured on many of them.
    level
        Probability that anything is found where nothing is wrong, at most; Holm's correction
        (Scand. J. Statist. 6, 65 (1979)) for the number of suspects, known noise.

    Raises
    ------
    ArgumentError
        If FIDs do not have the shape of the chain or are not finite, or a number is out of range.
    """
    fids = as_fids(fids)
    check_fids(fids, chain.shape)
    sigma = NoiseLevel.of(noise).of_channels(len(chain.channels))
    if not 0 < level < 1:
        raise ArgumentError(f"Argument `level` must be between 0 and 1, but is {level}")
    scene = _scene(chain)
    data = _Data.of(fids, scene, sigma)
    fit = data.fit(scene.signals)
    scores = data.scores(fit, scene.slopes)
    culprits = _culprits(data, scene, fit, scores, level)
    named = [
        *zip((suspect.name for suspect in scene.suspects), scores.weights, scores.seen, strict=True)
    ]
    freedom = data.values.shape[0] * (data.values.shape[1] - fit.rank)
    return Diagnosis(
        findings=culprits.findings(scene.suspects),
        blind=tuple(name for name, _, seen in named if not seen),
        errors=tuple((name, float(weight**-0.5)) for name, weight, seen in named if seen),
        chi2=fit.misfit,
        degrees_of_freedom=freedom,
        p_value=_tail(fit.misfit, freedom),
        p_smaller=float(chi2_law.cdf(fit.misfit, freedom)) if freedom > 0 else 1.0,
        p_left=_tail(culprits.misfit, freedom - len(culprits.found)),
    )


def _tail(misfit: float, freedom: int) -> float:
    return float(chi2_law.sf(misfit, freedom)) if freedom > 0 else 1.0


@lru_cache(maxsize=4)
def _scene(chain: Chain) -> Scene:
    return scene_of(chain)


# ---------------------------------------------------------------------------------- the algebra
@dataclass(frozen=True, eq=False)
class _Fit:
    """States by least squares: coefficients (T, 4ⁿ) with 1 first, residual (T, m), span (m, k)."""

    coefficients: Real
    residual: Real
    span: Real

    @property
    def rank(self) -> int:
        return int(self.span.shape[1])

    @property
    def misfit(self) -> float:
        return float(np.sum(self.residual**2))


@dataclass(frozen=True, eq=False)
class _Scores:
    """Sums over all states, of derivatives that no state explains.

    ``products`` (S,) with the residual, ``gram`` (S, S) among each other, ``sizes`` (S,) squared
    norms before states had explained what they can.
    """

    products: Real
    gram: Real
    sizes: Real

    @property
    def weights(self) -> Real:
        return np.asarray(np.diag(self.gram))

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which suspects states do not explain away."""
        return np.asarray(self.weights > _BLIND**2 * np.maximum(self.sizes, 1e-300))

    def tested(self, known: tuple[int, ...]) -> Real:
        """Return z² of all suspects beside those that are known; −1 where there is no test."""
        products, weights, own = self.products, self.weights, list(known)
        if known:
            across = np.linalg.solve(self.gram[np.ix_(own, own)], self.gram[own])
            products = products - across.T @ products[own]
            weights = weights - np.einsum("ks,ks->s", self.gram[own], across)
        tested = self.seen & (weights > _DISTINCT * self.weights)
        tested[own] = False
        return np.where(tested, products**2 / np.where(tested, weights, 1.0), -1.0)


@dataclass(frozen=True, eq=False)
class _Data:
    """FIDs in the bases of a scene, over their noise: values (T, m), real parts first."""

    values: Real
    over: Real  # 1/noise of every number of one readout, shape (ranks,)

    @classmethod
    def of(cls, fids: Complex, scene: Scene, noise: Real) -> _Data:
        parts = [fids[..., c, :] @ basis.conj() for c, basis in enumerate(scene.bases)]
        over = 1 / noise[scene.channel_of]
        flat = np.concatenate(parts, axis=-1) * over
        flat = flat.reshape(-1, flat.shape[-2] * flat.shape[-1])
        return cls(np.concatenate([flat.real, flat.imag], axis=-1), over)

    def rows(self, signals: Complex) -> Real:
        """Return signals (..., readouts, ranks, 4ⁿ) as real rows over noise, (..., m, 4ⁿ)."""
        scaled = signals * self.over[:, None]
        flat = scaled.reshape(*scaled.shape[:-3], -1, scaled.shape[-1])
        return np.concatenate([flat.real, flat.imag], axis=-2)

    def fit(self, signals: Complex) -> _Fit:
        model = self.rows(signals)
        U, sizes, V = np.linalg.svd(model[:, 1:], full_matrices=False)
        seen = sizes > 1e-8 * sizes[0]
        span, rest = U[:, seen], self.values - model[:, 0]
        inside = rest @ span
        own = inside / sizes[seen] @ V[seen]
        one = np.ones((len(own), 1))
        return _Fit(np.concatenate([one, own], axis=-1), rest - inside @ span.T, span)

    def scores(self, fit: _Fit, slopes: Complex) -> _Scores:
        b = np.einsum("smp,tp->stm", self.rows(slopes), fit.coefficients)
        sizes = np.einsum("stm,stm->s", b, b)
        b = b - (b @ fit.span) @ fit.span.T
        flat = b.reshape(len(b), -1)
        return _Scores(flat @ fit.residual.ravel(), flat @ flat.T, sizes)


# --------------------------------------------------------------------------------- the culprits
@dataclass(frozen=True, eq=False)
class _Culprits:
    """What is wrong, by number of the suspect, in the order in which it was found."""

    found: tuple[int, ...] = ()
    alike: tuple[tuple[int, ...], ...] = ()
    chances: tuple[float, ...] = ()
    sizes: Real = field(default_factory=lambda: np.zeros(0))
    errors: Real = field(default_factory=lambda: np.zeros(0))
    misfit: float = 0.0

    def findings(self, suspects: tuple[Suspect, ...]) -> tuple[Finding, ...]:
        each = zip(self.found, self.sizes, self.errors, self.chances, self.alike, strict=True)
        return tuple(
            Finding(
                suspects[k].name,
                float(size),
                float(error),
                suspects[k].unit,
                p,
                tuple(suspects[other].name for other in alike),
            )
            for k, size, error, p, alike in each
        )


def _culprits(data: _Data, scene: Scene, fit: _Fit, scores: _Scores, level: float) -> _Culprits:
    """Find what is wrong one by one; each is fitted before the next is looked for."""
    sure = _Culprits(misfit=fit.misfit)
    while len(sure.found) < _MOST:
        z2 = scores.tested(sure.found)
        best, tried = int(np.argmax(z2)), np.count_nonzero(z2 >= 0)
        p = min(1.0, float(2 * norm.sf(np.sqrt(max(z2[best], 0.0))) * tried))
        if not tried or p >= level:
            break
        close = tuple(int(k) for k in np.flatnonzero(z2 > z2[best] - _ALIKE) if k != best)
        found = (*sure.found, best)
        sizes, errors, misfit, scores = _refitted(data, scene, found, sure.sizes, scores)
        sure = _Culprits(found, (*sure.alike, close), (*sure.chances, p), sizes, errors, misfit)
    return sure


def _refitted(
    data: _Data, scene: Scene, found: tuple[int, ...], start: Real, scores: _Scores
) -> tuple[Real, Real, float, _Scores]:
    """Return best sizes of the culprits, their errors, the misfit, and new scores.

    The method is that of Gauss and Newton with the derivatives where nothing is wrong.
    """
    sizes: Real = np.append(start, 0.0)
    misfit = np.inf
    step, errors = _newton(scores, found)
    for _ in range(_REFITS):
        enough = np.inf if np.all(np.abs(step) < errors) else misfit
        sizes, fit = _downhill(data, scene, found, sizes, step, enough)
        misfit = fit.misfit
        scores = data.scores(fit, scene.slopes)
        step, errors = _newton(scores, found)
        if np.all(np.abs(step) < _CLOSE * errors):
            break
    return sizes, errors, misfit, scores


def _newton(scores: _Scores, found: tuple[int, ...]) -> tuple[Real, Real]:
    """Return the step to the best sizes to first order, and their standard errors."""
    own = list(found)
    covariance = np.linalg.inv(scores.gram[np.ix_(own, own)])
    return covariance @ scores.products[own], np.sqrt(np.diag(covariance))


def _downhill(
    data: _Data, scene: Scene, found: tuple[int, ...], sizes: Real, step: Real, misfit: float
) -> tuple[Real, _Fit]:
    """Return new sizes and their fit; a step is halved until its misfit is less than a given one.

    Relative errors stay above −90 %.
    """
    relative = np.array([scene.suspects[k].unit == "1" for k in found])
    for halvings in range(_HALVINGS):
        new = sizes + step / 2**halvings
        new = np.where(relative, np.maximum(new, -_LARGEST), new)
        fit = data.fit(signals_of(_world(scene, found, new), scene.bases))
        if fit.misfit < misfit:
            break
    return new, fit


def _world(scene: Scene, found: tuple[int, ...], sizes: Real) -> World:
    world = world_of(scene.chain)
    for k, size in zip(found, sizes, strict=True):
        world = scene.suspects[k].change(world, float(size))
    return world
