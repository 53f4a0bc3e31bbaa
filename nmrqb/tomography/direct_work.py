"""Work measured directly: the energy before and after an extraction, without any state between.

Tomography says which unitary U extracts work from a state; the U of an estimated state is applied
to the spins, and the readouts are measured again.  Of both measurements only the combination of
amplitudes counts that the energy is made of (the Paulis of the battery Hamiltonian), so that

W = ⟨H⟩ − ⟨H⟩ after,  var W = 2 hᵀCh,

with h the Pauli coefficients of H and C the covariance of what the readouts see: an unbiased
estimate with a standard error, free of kinks.  The FIDs that U was found from may be those before,
for their energy is unbiased whatever U is, and the noise after does not know of U.  So the scans of
tomography and as many again suffice, and W ± error covers tr ρH − tr UρU†H as it claims.

No unitary extracts more than the ergotropy: W is on average a lower bound of it, close where U is
close to the best unitary.  A state that is passive or maximally mixed has none to give; the U of
its estimate, made for noise, puts work in, and W is on average negative or zero.  Where eigenvalues
of the true state or of H coincide, U is not unique, and all its choices extract the same.  Pulses
that last while the spins relax do not apply a unitary: W is the energy that left the battery
whatever took it, and a bound of the ergotropy only as far as the map is a mixture of unitaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, spread
from nmrqb.tomography.calibration import Calibration
from nmrqb.tomography.combinations import Combination, as_combination
from nmrqb.tomography.design.analysis import analyse, expectation, whitener
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Response, observed_amplitudes


@dataclass(frozen=True, eq=False)
class DirectWork:
    """Work that was measured as a difference of energies, in the unit of H; all of shape (...).

    Attributes
    ----------
    value
        W, unbiased: positive where work was extracted, negative where it was put in.
    error
        Its standard error.
    low, high
        Two-sided interval of the work that was extracted.  ``low`` is a bound of the ergotropy
        from below as well, at (1 + confidence)/2; ``high`` is none from above.
    """

    value: Real
    error: Real
    low: Real
    high: Real

    @property
    def significant(self) -> NDArray[np.bool_]:
        """Whether the interval excludes zero."""
        return np.asarray((self.low > 0) | (self.high < 0))


@checked
def measured_work(  # noqa: PLR0913 - four keywords, and each one stands alone
    before: Complex,
    after: Complex,
    response: Response,
    noise: Real | NoiseLevel,
    H: Complex,
    *,
    spins: tuple[int, ...] | None = None,
    calibration: Calibration | None = None,
    gain_error: float = 0.0,
    confidence: float = 0.95,
) -> DirectWork:
    """Return the energy that FIDs before and after an extraction differ by (see the module).

    Parameters
    ----------
    before, after
        FIDs of the same readouts before and after, shape (..., readouts, channels, points).
    response
        Response of the readouts, see `response_matrix`.  It need not determine the state: only
        the energy.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), of
        both measurements alike, or what `noise_level` measured.
    H
        Battery Hamiltonian, shape (d, d); its unit is that of the work.
    spins
        Spins that it is a Hamiltonian of, or None for all.
    calibration
        Gains and phases of the channels, whose errors both measurements share.
    gain_error
        Relative standard deviation of the scale that both share, beyond the calibration's own; in
        [0, 1).
    confidence
        Nominal coverage of the interval, in (0, 1).

    Raises
    ------
    ArgumentError
        If shapes do not fit, an FID is not finite, a number is out of range, or the readouts do
        not determine the energy.
    """
    if not (0 <= gain_error < 1 and 0 < confidence < 1):
        raise ArgumentError(
            "Arguments `gain_error` and `confidence` must be in [0, 1) and (0, 1), but are "
            f"{gain_error}, {confidence}"
        )
    level, known = NoiseLevel.of(noise), calibration or Calibration.perfect(len(response.fits))
    first, sigma = known.taken_off(before, level.sigma, "before")
    second, _ = known.taken_off(after, level.sigma, "after")
    weights, variance = _energy(response, sigma, H, spins)
    change = observed_amplitudes(first, response, "before")
    change = change - observed_amplitudes(_alike(second, first), response, "after")
    value = change @ weights
    common = known.spread(change, response.channel_of, weights[None])[..., 0, 0]
    scale = np.hypot(gain_error, known.scale_error) * value
    error = np.sqrt(2 * variance + common + scale**2)
    reach = float(student.ppf((1 + confidence) / 2, level.degrees_of_freedom)) * error
    return DirectWork(value, error, value - reach, value + reach)


def _alike(after: Complex, before: Complex) -> Complex:
    """Return FIDs if they are of as many states as others."""
    if after.shape != before.shape:
        raise ArgumentError(
            f"Argument `after` must have the shape of `before`, {before.shape}, but has shape "
            f"{after.shape}"
        )
    return after


def _energy(
    response: Response, noise: Real, H: Complex, spins: tuple[int, ...] | None
) -> tuple[Real, float]:
    """Return the weights of the amplitudes in the energy, shape (amplitudes,), and its variance."""
    energy = _of_register(H, spins, response.paulis)
    design = analyse(response, noise)
    seen = expectation(design, energy)
    if seen.missing is not None:
        raise ArgumentError(
            f"Argument `response` must determine the energy, but its readouts do not show the part "
            f"{seen.missing.name} of H"
        )
    whiten = whitener(response, noise)
    weights = energy.vector @ design.covariance @ (whiten @ response.matrix).T @ whiten
    return np.asarray(weights), seen.error**2


def _of_register(H: Complex, spins: tuple[int, ...] | None, paulis: tuple[str, ...]) -> Combination:
    own, size = as_hermitian(H, "H"), 2 ** len(paulis[0] if spins is None else spins)
    if own.shape != (size, size):
        raise ArgumentError(
            f"Argument `H` must have shape {(size, size)}, but has shape {own.shape}"
        )
    return as_combination(own if spins is None else spread(own, spins, len(paulis[0])), paulis)
