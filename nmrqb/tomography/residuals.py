"""Residuals: what a fitted state leaves of the FIDs, in units of the noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2 as chi2_law

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.estimators import estimate_state
from nmrqb.tomography.fids import as_fids, check_fids
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Chain, acquire, chain_of, response_matrix


@dataclass(frozen=True, eq=False)
class Residuals:
    """Data less fit over noise: white, each quadrature of variance 1, where the model is right.

    Attributes
    ----------
    values
        Shape (..., readouts, channels, points), dimensionless.
    degrees_of_freedom
        Number of real data less number of fitted coefficients.
    """

    values: Complex
    degrees_of_freedom: int

    @property
    def chi2(self) -> Real:
        """Sum of squares, shape (...); its expectation is ``degrees_of_freedom``."""
        return np.asarray(np.sum(np.abs(self.values) ** 2, axis=(-3, -2, -1)))

    @property
    def p_value(self) -> Real:
        """Probability of so large a sum where the model is right, shape (...)."""
        return np.asarray(chi2_law.sf(self.chi2, self.degrees_of_freedom))

    @property
    def p_smaller(self) -> Real:
        """Probability of so small a sum where the model and its noise are right, shape (...)."""
        return np.asarray(chi2_law.cdf(self.chi2, self.degrees_of_freedom))


@checked
def residuals(
    fids: Complex,
    chain: Chain,
    noise: Real | NoiseLevel,
    *,
    rho: Complex | None = None,
    calibration: Calibration | None = None,
) -> Residuals:
    """Return what a state leaves of FIDs, point by point, in units of the noise.

    The state is the one that fits all points best, positive or not, whatever the analysis of the
    chain; only then is the sum of squares χ² distributed.  A noise level that was measured on
    the same FIDs makes χ² fit by itself; the shape of the residuals tells then.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    chain
        The measurement.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), or
        what `noise_level` measured.
    rho
        Known states (..., d, d) to compare with instead; nothing is fitted then.
    calibration
        Gains and phases of the channels, which are taken off the FIDs.

    Raises
    ------
    ArgumentError
        If FIDs, noise or states do not have the shape of the chain or are not finite, or the
        readouts do not determine the state.
    """
    recorded = as_fids(fids)
    check_fids(recorded, chain.shape)
    level = NoiseLevel.of(noise).of_channels(len(chain.channels))
    known = calibration or Calibration.perfect(len(chain.channels))
    seen, sigma = known.taken_off(recorded, level)
    state = _best(seen, chain, sigma) if rho is None else _given(rho, chain)
    fitted = 0 if rho is not None else state.shape[-1] ** 2 - 1
    left: Complex = seen - acquire(chain, state)
    values = left / sigma[:, None]
    return Residuals(values, 2 * int(np.prod(values.shape[-3:])) - fitted)


def _best(fids: Complex, chain: Chain, sigma: Real) -> Complex:
    """Return the states of least squares over all points, shape (..., d, d)."""
    setup = chain.setup
    if setup is not None and setup.analysis != "time-domain":
        chain = chain_of(replace(setup, analysis="time-domain"))
    response = response_matrix(chain)
    return estimate_state(fids, response, sigma, method="linear-inversion").linear


def _given(rho: Complex, chain: Chain) -> Complex:
    state = as_matrix(rho, "rho")
    if state.shape[-1] ** 2 != chain.maps.shape[-1]:
        d = int(np.sqrt(chain.maps.shape[-1]))
        raise ArgumentError(
            f"Argument `rho` must have shape (..., {d}, {d}), but has shape {state.shape}"
        )
    return state
