"""Bayesian mean estimation by preconditioned Crank–Nicolson chains, all states and chains at once.

A flat prior does not make a fair interval.  Noise has scattered the data round the state, and the
posterior scatters states round the data, so that a convex figure of merit (ergotropy, capacity,
l1 coherence) is biased twice, by Jensen's inequality both times; percentile bootstrap does the
same.  That is why `nmrqb.tomography.intervals` starts from the linear inversion and not from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_generator
from nmrqb.tomography.estimation.model import Fit
from nmrqb.tomography.estimation.posterior import Posterior, agreement
from nmrqb.tomography.estimation.states import nearest_state, to_state
from nmrqb.tomography.kinds import Method

_ACCEPTED = 0.25  # share of accepted proposals that the burn-in aims at
_FADING = 0.6  # exponent with which the steps of the aim fall
_FIRST_STEP = 0.5
_OVERDISPERSED = 2.0  # standard deviations that the chains start apart
_MIXED = 0.05  # share of 1/d in the states that the chains start from
_SEEN = 1e-12  # of the largest precision: combinations below it are not seen


@dataclass(frozen=True)
class Bayesian:
    """The mean of the posterior under a prior of random states.

    **Prior.** ρ = GG†/tr GG† with G of d × k independent complex normal numbers (Ginibre), k ≥ d:
    its density is proportional to det(ρ)^(k − d) (Życzkowski & Sommers, J. Phys. A 34, 7111
    (2001)).  k = d is the Hilbert–Schmidt measure, flat in the elements of ρ; a larger k favours
    mixed states.

    **Chains.** The likelihood is normal in the coefficients c, so that the proposal
    c → ĉ + √(1 − s²) (c − ĉ) + s ζ, with ζ of the covariance C of ĉ, leaves it as it is, and the
    prior alone decides on acceptance (Cotter, Roberts, Stuart & White, Statist. Sci. 28, 424
    (2013), with likelihood and prior in exchanged parts).  Inside the states s = 1 gives
    independent draws; at their edge s is fitted to every state during the burn-in, and then kept.
    Combinations that the data do not show are proposed with unit variance, which acceptance makes
    up for.

    **Estimate.** The mean of the draws; it is inside the states, and biased towards those that the
    prior favours.

    Attributes
    ----------
    columns
        k ≥ d; None for d.
    chains, burn_in, draws, thinning
        Chains per state, ≥ 2; steps that are thrown away, ≥ 1; draws per chain that are kept, ≥ 8;
        steps from one of them to the next, ≥ 1, without effect where s = 1 for all states.
    """

    columns: int | None = None
    chains: int = 4
    burn_in: int = 1000
    draws: int = 500
    thinning: int = 20
    name: ClassVar[Method] = "bayesian"

    def __post_init__(self) -> None:
        least = {"columns": 1, "chains": 2, "burn_in": 1, "draws": 8, "thinning": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and not value >= bound:
                raise ArgumentError(f"Argument `{name}` must be ≥ {bound}, but is {value}")

    def fit(self, target: Real, precision: Real, rng: np.random.Generator | None = None) -> Fit:
        """Return posterior means with the draws behind them.

        Raises
        ------
        ArgumentError
            Without a random generator, or if the prior has too few columns.
        """
        rng = as_generator(rng)
        d = round(float(np.sqrt(target.shape[-1] + 1)))
        columns = d if self.columns is None else self.columns
        if columns < d:
            raise ArgumentError(
                f"Argument `columns` must be ≥ {d}, or the prior has no states of full rank, but "
                f"is {columns}"
            )
        before = rng.bit_generator.state
        walk = _Walk(target, precision, self.chains, columns - d, rng)
        for k in range(self.burn_in):
            walk.advance()
            walk.adapt((k + 1) ** -_FADING)
        walk.accepted = np.zeros(len(target))
        thinning = 1 if np.all(walk.step == 1) else self.thinning
        drawn = np.stack(list(walk.draws(self.draws, thinning)), axis=-2)
        acceptance = walk.accepted / (self.draws * thinning)
        posterior = Posterior(drawn, acceptance, *agreement(drawn), columns, before)
        return Fit(drawn.mean(axis=(-3, -2)), np.zeros(len(target)), posterior)


class _Walk:
    """The chains of N states on their way, M for each, of P coefficients: (N, M, P)."""

    def __init__(
        self, target: Real, precision: Real, chains: int, power: int, rng: np.random.Generator
    ) -> None:
        levels, axes = np.linalg.eigh(precision)
        unseen = levels <= _SEEN * levels[-1]
        self.target, self.power, self.rng = target[:, None], power, rng
        self.root = (axes / np.sqrt(np.where(unseen, 1.0, levels))).T
        self.unseen = axes[:, unseen]
        scatter = self.noise((len(target), chains, len(levels)))
        start = nearest_state(self.target + _OVERDISPERSED * scatter)
        self.coefficients = (1 - _MIXED) * start
        self.belief = self.prior(self.coefficients)
        self.step = np.full((len(target), 1), _FIRST_STEP)
        self.accepted = np.zeros(len(target))
        self.chance = np.zeros(len(target))

    def noise(self, shape: tuple[int, ...]) -> Real:
        """Return errors of the linear inversion; of unit variance where it is not seen."""
        return np.asarray(self.rng.standard_normal(shape) @ self.root)

    def prior(self, coefficients: Real) -> Real:
        """Return ln det(ρ)^(k − d), −∞ outside the states, and what undoes unit variances."""
        r = np.linalg.eigvalsh(to_state(coefficients))
        inside = r[..., 0] > 0
        logarithms = np.log(np.where(inside[..., None], r, 1.0)).sum(axis=-1)
        open_to = (coefficients - self.target) @ self.unseen
        flat = (open_to**2).sum(axis=-1) / 2
        return np.where(inside, self.power * logarithms + flat, -np.inf)

    def advance(self) -> None:
        """Make one step of all chains."""
        s = self.step[..., None]
        away = self.coefficients - self.target
        proposed = self.target + np.sqrt(1 - s**2) * away + s * self.noise(away.shape)
        belief = self.prior(proposed)
        chance = np.exp(np.minimum(belief - self.belief, 0.0))
        taken = self.rng.random(chance.shape) < chance
        self.coefficients = np.where(taken[..., None], proposed, self.coefficients)
        self.belief = np.where(taken, belief, self.belief)
        self.accepted += taken.mean(axis=-1)
        self.chance = chance.mean(axis=-1)

    def adapt(self, rate: float) -> None:
        """Make steps longer where too many are accepted, and shorter where too few."""
        change = np.exp(rate * (self.chance - _ACCEPTED))[:, None]
        self.step = np.clip(self.step * change, 1e-12, 1.0)

    def draws(self, number: int, thinning: int) -> Iterator[Real]:
        """Yield coefficients (N, M, P) after every so many steps."""
        for _ in range(number):
            for _ in range(thinning):
                self.advance()
            yield self.coefficients
