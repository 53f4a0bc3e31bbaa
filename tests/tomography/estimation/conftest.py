"""Problems of estimation: linear inversions of random states with random covariances."""

from dataclasses import dataclass

import numpy as np
import pytest

from nmrqb.tomography.estimation.states import to_coefficients


@dataclass(frozen=True, eq=False)
class Problem:
    """N linear inversions of n spins with their inverse covariance, and the true states."""

    target: np.ndarray
    precision: np.ndarray
    truth: np.ndarray

    def loss(self, c, k):
        """−log-likelihood of one member, up to a constant."""
        step = c - self.target[k]
        return float(step @ self.precision @ step) / 2


def random_states(rng, d, rank, size):
    root = rng.normal(size=(size, d, rank)) + 1j * rng.normal(size=(size, d, rank))
    rho = root @ root.conj().swapaxes(-1, -2)
    return rho / np.trace(rho, axis1=-2, axis2=-1).real[:, None, None]


@pytest.fixture
def problem():
    """Return a function that makes problems; rank 1 and much noise leave the states."""

    def made(seed, n=2, *, rank=1, sigma=0.1, spread=3.0, size=5):
        rng = np.random.default_rng(seed)
        axes, _ = np.linalg.qr(rng.normal(size=(4**n - 1, 4**n - 1)))
        levels = np.geomspace(1, spread, 4**n - 1)
        truth = to_coefficients(random_states(rng, 2**n, rank, size))
        errors = rng.normal(size=truth.shape) * sigma / np.sqrt(levels)
        return Problem(truth + errors @ axes.T, (axes * levels) @ axes.T / sigma**2, truth)

    return made


@pytest.fixture
def states():
    """Return a function that draws the coefficients of random states of n spins."""

    def drawn(seed, n, size, rank=None):
        rng = np.random.default_rng(seed)
        return to_coefficients(random_states(rng, 2**n, rank or 2**n, size))

    return drawn
