"""Random states and Hamiltonians, one seed per stack."""

import numpy as np
import pytest


def _normal(seed, *shape):
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return real + 1j * imaginary


@pytest.fixture(scope="session")
def states():
    """Return n states of dimension d and a rank, shape (n, d, d)."""

    def drawn(seed, n, d, rank=None):
        root = _normal(seed, n, d, rank or d)
        rho = root @ root.conj().swapaxes(-1, -2)
        return rho / np.trace(rho, axis1=-2, axis2=-1)[:, None, None]

    return drawn


@pytest.fixture(scope="session")
def hermitians():
    """Return n Hermitian matrices of dimension d, shape (n, d, d)."""

    def drawn(seed, n, d):
        matrix = _normal([seed, 1], n, d, d)
        return (matrix + matrix.conj().swapaxes(-1, -2)) / 2

    return drawn


@pytest.fixture(scope="session")
def unitaries():
    """Return n unitaries of dimension d, shape (n, d, d)."""
    return lambda seed, n, d: np.linalg.qr(_normal([seed, 2], n, d, d))[0]
