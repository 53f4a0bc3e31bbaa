"""The random numbers behind error bars, and the coefficients that they scatter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmrqb.operators import Complex, Real, pauli_strings
from nmrqb.tomography.estimation.states import to_coefficients, to_state
from nmrqb.tomography.estimators import StateEstimate


@dataclass(frozen=True, eq=False)
class Draws:
    """N linear inversions with B replicas of their errors; P coefficients, Q errors.

    Attributes
    ----------
    coefficients
        Pauli coefficients c of the linear inversions, shape (N, P).
    root
        R with R Rᵀ their covariance, shape (N or 1, P, Q).
    errors
        Replicas of the errors as z, for R z, shape (N, B, Q).  Where the noise level is
        estimated they follow Student's distribution.
    gains
        Replicas of the common gain error, shape (N, B).
    split
        Normal numbers that split the data in two, shape (N, Q).
    """

    coefficients: Real
    root: Real
    errors: Real
    gains: Real
    split: Real

    @property
    def states(self) -> Complex:
        """Linear inversions, shape (N, d, d)."""
        return to_state(self.coefficients)

    @property
    def replicas(self) -> Complex:
        """Replicas of the linear inversions with their gain errors, shape (N, B, d, d)."""
        scattered = self.errors @ self.root.swapaxes(-1, -2) + self.coefficients[:, None]
        return to_state(scattered * (1 + self.gains[..., None]))

    def halves(self, kept: float) -> tuple[Real, Real]:
        """Return two independent data sets with covariances C/f and C/(1 − f), both (N, P).

        c + √((1 − f)/f) ζ and c − √(f/(1 − f)) ζ, with ζ of the covariance C of c, are
        uncorrelated, and so independent: Gaussian thinning.
        """
        noise = (self.root @ self.split[..., None])[..., 0]
        odds = np.sqrt((1 - kept) / kept)
        return self.coefficients + odds * noise, self.coefficients - noise / odds

    def of_spins(self, spins: tuple[int, ...] | None) -> Draws:
        """Return the same for the state of some spins, whose coefficients are among these."""
        if spins is None:
            return self
        n = (self.coefficients.shape[-1] + 1).bit_length() // 2
        rows = _supported(n, spins)
        return replace(self, coefficients=self.coefficients[:, rows], root=self.root[:, rows])


@lru_cache(maxsize=64)
def _supported(n: int, spins: tuple[int, ...]) -> NDArray[np.intp]:
    """Return where the Pauli strings of some spins stand among those of all, without 1."""
    place = {string: k for k, string in enumerate(pauli_strings(n)[1:])}
    letters = (dict(zip(spins, string, strict=True)) for string in pauli_strings(len(spins))[1:])
    return np.array([place["".join(own.get(k, "I") for k in range(n))] for own in letters])


def draw(
    estimate: StateEstimate,
    rng: np.random.Generator,
    *,
    replicas: int,
    gain_error: float,
    block_values: int,
) -> Iterator[Draws]:
    """Yield the states of an estimate in blocks of bounded memory, with their replicas.

    Numbers are drawn state by state, so that they do not depend on the size of the blocks.

    Parameters
    ----------
    estimate
        The states; only their linear inversions and covariance matter.
    rng
        Random generator; others are derived from it.
    replicas, gain_error
        Number of replicas, and standard deviation of the common relative error of the scale.
    block_values
        Number of complex matrix elements held at once.
    """
    d = estimate.linear.shape[-1]
    coefficients = to_coefficients(estimate.linear.reshape(-1, d, d))
    roots = np.linalg.cholesky(estimate.covariance).reshape(-1, d * d - 1, d * d - 1)
    size = max(1, block_values // (replicas * d * d))
    noise, level, gain, split = rng.spawn(4)
    freedom = estimate.noise_degrees_of_freedom
    for start in range(0, len(coefficients), size):
        part = coefficients[start : start + size]
        root = roots if len(roots) == 1 else roots[start : start + size]
        shape = (len(part), replicas)
        errors = noise.standard_normal((*shape, d * d - 1))
        if np.isfinite(freedom):
            errors /= np.sqrt(level.chisquare(freedom, shape) / freedom)[..., None]
        gains = gain_error * gain.standard_normal(shape)
        yield Draws(part, root, errors, gains, split.standard_normal(part.shape))
