"""Amplitudes of unit noise, channel by channel: readouts and channels do not share their noise."""

from __future__ import annotations

import numpy as np

from nmrqb.operators import Complex, Real
from nmrqb.tomography.response import Response


def whitened(values: Real, response: Response, noise: Real) -> Real:
    """Return amplitudes as combinations of independent noise of unit variance.

    Parameters
    ----------
    values
        Amplitudes in the order of `Response`, or anything that goes with them, say the columns of
        its matrix: shape (..., amplitudes).
    response
        The response; only its fits, and which FIDs it uses, matter.
    noise
        Standard deviation of one quadrature of one FID point on every channel, shape (channels,).

    Returns
    -------
    array of shape (..., amplitudes)
        Channel by channel, readout by readout, real before imaginary parts.
    """
    channel_of, half = response.channel_of, values.shape[-1] // 2
    parts = []
    for channel, (fit, sigma) in enumerate(zip(response.fits, noise, strict=True)):
        lines = np.flatnonzero(channel_of == channel).reshape(-1, len(fit))
        own = values[..., np.concatenate([lines, half + lines], axis=-1)]
        parts.append((own @ _inverse_root(fit, sigma).T).reshape(*values.shape[:-1], -1))
    return np.concatenate(parts, axis=-1)


def _inverse_root(fit: Complex, sigma: float) -> Real:
    """Return W with W C Wᵀ = 1 for the covariance C of the lines of one FID, (2m, 2m)."""
    C = sigma**2 * fit @ fit.conj().T
    return np.linalg.inv(np.linalg.cholesky(np.block([[C.real, -C.imag], [C.imag, C.real]])))
