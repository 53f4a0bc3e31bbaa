"""Gain and phase of every channel, from reference FIDs of a known state.

The reference goes through the same chain as the data.  Its noise leaves one error of the gain and
one of the phase per channel, which all Pauli coefficients that come from the channel share.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_law

from nmrqb.arguments import checked, checked_fields, refuse_nan
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.tomography.fids import as_fids, check_states
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.readout_words import read_readout
from nmrqb.tomography.response import Chain, acquire, chain_of
from nmrqb.tomography.suspects import setup_of

_VISIBLE = 5.0  # standard errors that the gain of a channel must be above zero
_CONTRADICTS = 1e-6


@checked_fields
@dataclass(frozen=True, eq=False)
class Calibration:
    """Gains and phases of the channels, relative to what a chain expects.

    Attributes
    ----------
    gain, phase_rad
        |G| and arg G of every channel, shape (channels,): FIDs are G times the chain's.
    covariance
        Of (ln |G|, arg G), channels of the first before those of the second,
        shape (2·channels, 2·channels).
    scale_error
        Relative standard deviation of the polarisation of the reference, common to all channels.
    chi2, degrees_of_freedom
        Squared residual of the reference over its noise, and the number of its data less that of
        gains and phases.
    """

    gain: Real
    phase_rad: Real
    covariance: Real
    scale_error: float = 0.0
    chi2: float = 0.0
    degrees_of_freedom: int = 0

    def __post_init__(self) -> None:
        refuse_nan(self)
        size = self.gain.size
        shapes = {"gain": (size,), "phase_rad": (size,), "covariance": (2 * size, 2 * size)}
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value.shape != shape or not np.all(np.isfinite(value)):
                raise ArgumentError(
                    f"Argument `{name}` must be finite and have shape {shape}, but is {value}"
                )
        if not np.all(self.gain > 0):
            raise ArgumentError(f"Argument `gain` must be positive, but is {self.gain}")

    @classmethod
    def perfect(cls, channels: int) -> Calibration:
        """Return the calibration of channels that are what the chain expects."""
        return cls(np.ones(channels), np.zeros(channels), np.zeros((2 * channels, 2 * channels)))

    @property
    def factors(self) -> Complex:
        """G of every channel, shape (channels,)."""
        return np.asarray(self.gain * np.exp(1j * self.phase_rad))

    def taken_off(self, fids: Complex, noise: Real, name: str = "fids") -> tuple[Complex, Real]:
        """Return FIDs of shape (..., channels, points) and their noise, over the gains.

        ``name`` is what messages call the FIDs.

        Raises
        ------
        ArgumentError
            If FIDs or noise have other channels.
        """
        level, size = np.asarray(noise, dtype=float), len(self.gain)
        fids = as_fids(fids, name)
        if fids.ndim < 3 or fids.shape[-2] != size or level.shape != (size,):
            raise ArgumentError(
                f"Arguments `{name}` and `noise` must have {size} channels, shapes (..., {size}, "
                f"points) and ({size},), but have shapes {fids.shape} and {level.shape}"
            )
        if not np.all((level > 0) & np.isfinite(level)):
            raise ArgumentError(f"Argument `noise` must be > 0 and finite, but is {level}")
        with np.errstate(invalid="ignore"):  # what is not finite is refused, or left out, later
            return fids / self.factors[:, None], level / self.gain

    def spread(self, amplitudes: Real, channel_of: NDArray[np.intp], inverse: Real) -> Real:
        """Return what the errors of the gains add to a covariance.

        Parameters
        ----------
        amplitudes
            Calibrated amplitudes, real parts before imaginary parts, shape (..., 2m).
        channel_of
            Channel of every complex amplitude, shape (m,).
        inverse
            Linear map from amplitudes to coefficients, shape (coefficients, 2m).

        Returns
        -------
        array of shape (..., coefficients, coefficients)
        """
        own = (channel_of == np.arange(len(self.gain))[:, None]).astype(float)
        own = np.concatenate([own, own], axis=-1)  # of real and imaginary parts
        real, imag = np.split(amplitudes, 2, axis=-1)
        turned = np.concatenate([imag, -real], axis=-1)
        slopes = np.concatenate(
            [-amplitudes[..., None, :] * own, turned[..., None, :] * own], axis=-2
        )
        per_error = slopes @ inverse.T
        return np.asarray(per_error.swapaxes(-1, -2) @ self.covariance @ per_error)


@checked
def reference_readouts(sample: Sample) -> tuple[str, ...]:
    """Return 90° y pulses on all spins of one channel after the other, say YI and IY."""
    return tuple(
        "".join("Y" if spin.nucleus == nucleus else "I" for spin in sample.spins)
        for nucleus in sample.nuclei
    )


@checked
def reference_chain(chain: Chain) -> Chain:
    """Return the chain of the reference: 90° pulses on one channel after the other.

    Raises
    ------
    ArgumentError
        If the chain was put together by hand.
    """
    setup = setup_of(chain)
    sample, pulses = setup.sample, setup.pulses
    words = [
        word
        for word, nucleus in zip(reference_readouts(sample), sample.nuclei, strict=True)
        if nucleus in chain.channels
    ]
    bound = tuple(read_readout(word, sample, pulses) for word in words)
    return chain_of(replace(setup, readouts=bound, flips=None))


@checked
def calibrate(
    reference: Complex,
    chain: Chain,
    state: Complex,
    noise: Real | NoiseLevel,
    *,
    scale_error: float = 0.0,
) -> Calibration:
    """Return gains and phases by least squares over all reference FIDs at once.

    Of every channel with data y, expectation m and covariance C of the noise of its lines,
    G = m†C⁻¹y / m†C⁻¹m; the variances of ln |G| and arg G are 1/(|G|² m†C⁻¹m).

    Parameters
    ----------
    reference
        FIDs of the reference, shape (readouts, channels, points).
    chain
        Its chain, see `reference_chain`.
    state
        The known state, say thermal equilibrium, shape (d, d).
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,).
    scale_error
        Relative standard deviation of the state's polarisation.

    Raises
    ------
    ArgumentError
        If shapes do not fit, a number is not finite, a channel shows no signal, or the reference
        contradicts its state.
    """
    fids = as_fids(reference, "reference")
    sigma = NoiseLevel.of(noise).of_channels(len(chain.channels))
    _check_reference(fids, chain, scale_error)
    check_states(np.asarray(state), int(np.sqrt(chain.maps.shape[-1])), "state")
    expected = acquire(chain, np.asarray(state))
    factors, errors, residual, size = [], [], np.zeros(fids.shape[:2]), 0
    for c, fit in enumerate(chain.fits):
        whiten = np.linalg.inv(np.linalg.cholesky(sigma[c] ** 2 * fit @ fit.conj().T)) @ fit
        m, y = (x[:, c] @ whiten.T for x in (expected, fids))
        weight = float(np.sum(np.abs(m) ** 2))
        G = np.vdot(m, y) / max(weight, np.finfo(float).tiny)
        _check_signal(chain.channels[c], abs(G) * np.sqrt(weight))
        factors.append(G)
        errors.append(1 / (abs(G) ** 2 * weight))
        residual[:, c] = (np.abs(y - G * m) ** 2).sum(axis=-1)
        size += 2 * y.size
    freedom = size - 2 * len(factors)
    _check_agreement(residual, freedom, chain)
    gains = np.array(factors)
    return Calibration(
        gain=np.abs(gains),
        phase_rad=np.angle(gains),
        covariance=np.diag(np.tile(errors, 2)),
        scale_error=scale_error,
        chi2=float(residual.sum()),
        degrees_of_freedom=freedom,
    )


def _check_reference(fids: Complex, chain: Chain, scale_error: float) -> None:
    if fids.shape != chain.shape or not np.all(np.isfinite(fids)):
        raise ArgumentError(
            f"Argument `reference` must be finite and have shape {chain.shape}, but has shape "
            f"{fids.shape} and {np.count_nonzero(~np.isfinite(fids))} points that are not finite"
        )
    if not 0 <= scale_error < 1:
        raise ArgumentError(f"Argument `scale_error` must be in [0, 1), but is {scale_error}")


def _check_signal(channel: str, ratio: float) -> None:
    if not ratio > _VISIBLE:
        raise ArgumentError(
            f"Argument `reference` must show the signal of {channel} at least {_VISIBLE:g} "
            f"standard errors above its noise, but does so by {ratio:.2g}"
        )


def _check_agreement(residual: Real, freedom: int, chain: Chain) -> None:
    """Refuse a reference that its own state does not explain, and say where it fails worst."""
    p = float(chi2_law.sf(residual.sum(), freedom)) if freedom else 1.0
    if p < _CONTRADICTS:
        r, c = np.unravel_index(int(np.argmax(residual)), residual.shape)
        raise ArgumentError(
            f"Argument `reference` must agree with its state, but misses it by χ² = "
            f"{residual.sum():.4g} on {freedom} degrees of freedom (p = {p:.1g}), most of all in "
            f"readout {chain.readouts[r]} on {chain.channels[c]}"
        )
