"""The measurement chain as matrices: state → readout → FIDs → line amplitudes.

The response matrix is found by pushing unit Pauli operators through the very chain that the data
go through, so that finite readout pulses, relaxation, dead time and line fit are all in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.dynamics import Ensemble, Relaxation, apply, uniform_sample
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, pauli_basis, pauli_strings
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import NO_ERRORS, Errors
from nmrqb.spectrometer import (
    Integrals,
    Receiver,
    default_receiver,
    detection,
    line_fit,
    liouvillian,
    transitions,
)
from nmrqb.spectrometer.acquisition import check_points
from nmrqb.tomography.fids import check_states
from nmrqb.tomography.members import (
    Analysis,
    Setup,
    dephased_fit,
    mean_detectors,
    members_fids,
    views,
)
from nmrqb.tomography.readout_words import Readout, check_channels, read_readout
from nmrqb.tomography.readouts import readout_maps

_BLOCK_VALUES = 8_000_000  # complex numbers held at once


@dataclass(frozen=True, eq=False)
class Chain:
    """A measurement: which readouts, on which channels, how FIDs become line amplitudes.

    Attributes
    ----------
    readouts, channels
        Names of the readouts, and nuclei of the channels.
    receiver
        How the FIDs are digitised.
    lines
        Complex line rates λ of every channel, 1/s.
    maps
        Readout pulses, mean over the ensemble, shape (readouts, d², d²).
    detectors
        State → FID, mean over the ensemble, shape (channels, points, d²).
    fits
        FID → line amplitudes or integrals, one array of shape (lines, points) per channel.
    setup
        What the chain was made of; None where it was put together by hand.
    views
        Mean over the ensemble of both at once, shape (readouts, channels, points, d²), where
        members precess differently; else None, for it is their product.
    """

    readouts: tuple[str, ...]
    channels: tuple[str, ...]
    receiver: Receiver
    lines: tuple[Complex, ...]
    maps: Complex
    detectors: Complex
    fits: tuple[Complex, ...]
    setup: Setup | None = None
    views: Complex | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the FIDs of one state: readouts, channels, points."""
        return len(self.readouts), len(self.channels), self.receiver.points


@dataclass(frozen=True, eq=False)
class Response:
    """What unit Paulis would show, and how to get from FIDs to the same numbers.

    Attributes
    ----------
    matrix
        Amplitudes of the Paulis, shape (amplitudes, 4ⁿ − 1), real: first all real parts, then
        all imaginary parts; for ρ = (1 + Σ c_P P)/d the amplitudes are offset + matrix·c.
    offset
        Amplitudes that the identity leads to (polarisation that T1 builds up), (amplitudes,).
    fits
        FID → line amplitudes, one array of shape (lines, points) per channel.
    paulis
        Names of the columns.
    readouts
        Number of readouts.
    kept
        Which FIDs are used, shape (readouts, channels), or None for all; see `leave_out`.
    """

    matrix: Real
    offset: Real
    fits: tuple[Complex, ...]
    paulis: tuple[str, ...]
    readouts: int
    kept: NDArray[np.bool_] | None = None

    @property
    def channel_of(self) -> NDArray[np.intp]:
        """Channel of every complex amplitude that is used, shape (amplitudes/2,)."""
        lines = np.concatenate([np.full(len(fit), c) for c, fit in enumerate(self.fits)])
        each = np.broadcast_to(lines, (self.readouts, len(lines)))
        return np.asarray(each.ravel() if self.kept is None else each[self.kept[:, lines]])


@checked
def measurement_chain(  # noqa: PLR0913 - all keywords, and each one stands alone
    sample: Sample,
    readouts: Sequence[str | Readout],
    *,
    pulses: PulseModel = "ideal",
    relaxation: Relaxation = True,
    receiver: Receiver | None = None,
    ensemble: Ensemble | None = None,
    errors: Errors = NO_ERRORS,
    analysis: Analysis = "time-domain",
    observed: Sequence[str] | None = None,
) -> Chain:
    """Return the chain of a set of readouts observed on channels of a sample.

    Parameters
    ----------
    sample
        The spins.
    readouts
        Readouts, or words of `read_readout` such as II, IX, IY, XX.
    pulses, relaxation
        Ideal or finite readout pulses; what relaxes the spins during pulses and acquisition, see
        `nmrqb.dynamics.dissipation_of`.
    receiver
        How FIDs are digitised; by default 2048 points at a width that holds all lines.
    ensemble
        Members of the sample that see different fields and couplings: what is known of them is
        part of the calibration.  By default there is one nominal member.
    errors
        What the transmitter makes of the readout pulses, known as well.
    analysis
        How FIDs become numbers: least squares in the ``time-domain``, or `Integrals` of spectra.
        Both are linear, so that the response matrix holds whatever they do.
    observed
        Nuclei of the channels that are observed, by default all.

    Raises
    ------
    ArgumentError
        If there is no readout, a readout or a channel makes no sense, or a readout does not
        acquire a channel that is to be observed.
    """
    bound = tuple(read_readout(readout, sample, pulses) for readout in readouts)
    channels = sample.nuclei if observed is None else tuple(observed)
    if not bound:
        raise ArgumentError("Argument `readouts` must hold at least one readout, but is empty")
    check_channels(bound, channels, sample)
    setup = Setup(
        sample,
        bound,
        receiver or default_receiver(sample),
        ensemble or uniform_sample(),
        pulses,
        errors,
        relaxation,
        analysis,
        observed=channels,
    )
    return chain_of(setup)


def chain_of(setup: Setup) -> Chain:
    """Return the chain of a set-up.

    Raises
    ------
    ArgumentError
        If the analysis is unknown, or does not fit the receiver.
    """
    generator = liouvillian(setup.sample, relaxation=setup.relaxation)
    lines = tuple(transitions(generator, coil) for coil in setup.coils)
    alike = setup.ensemble.precesses_alike
    if alike:
        detectors = np.stack([detection(generator, c, setup.receiver) for c in setup.coils])
    else:
        detectors = mean_detectors(setup)
    return Chain(
        readouts=tuple(readout.name for readout in setup.readouts),
        channels=setup.channels,
        receiver=setup.receiver,
        lines=lines,
        maps=_mean_maps(setup),
        detectors=detectors,
        fits=_fits(setup, generator, lines, detectors),
        setup=setup,
        views=None if alike else views(setup),
    )


def _fits(
    setup: Setup, generator: Complex, lines: tuple[Complex, ...], detectors: Complex
) -> tuple[Complex, ...]:
    """Return FID → numbers of every channel."""
    if isinstance(setup.analysis, Integrals):
        return tuple(setup.analysis.fit(rates, setup.receiver) for rates in lines)
    if setup.analysis != "time-domain":
        raise ArgumentError(
            f"Argument `analysis` must be 'time-domain' or `Integrals`, but is {setup.analysis!r}"
        )
    if setup.ensemble.precesses_alike:
        return tuple(line_fit(rates, setup.receiver) for rates in lines)
    each = zip(setup.coils, lines, detectors, strict=True)
    return tuple(dephased_fit(generator, coil, rates, seen) for coil, rates, seen in each)


def _mean_maps(setup: Setup) -> Complex:
    size = max(1, _BLOCK_VALUES // (len(setup.readouts) * 16 ** len(setup.sample.spins)))
    parts = setup.ensemble.blocks(size)
    return np.asarray(sum(share * part.mean(setup.maps(part)) for share, part in parts))


@checked
def acquire(chain: Chain, rho: Complex) -> Complex:
    """Return the noiseless FIDs of states: (..., d, d) → (..., readouts, channels, points).

    Raises
    ------
    ArgumentError
        If the states are not of the chain's register, or not finite.
    """
    check_states(rho, int(np.sqrt(chain.maps.shape[-1])))
    if chain.views is None:
        return detect(chain, apply(chain.maps, rho[..., None, :, :]))
    flat = rho.reshape(*rho.shape[:-2], -1)
    return np.asarray(np.einsum("rcpk,...k->...rcp", chain.views, flat, optimize=True))


@checked
def acquire_members(chain: Chain, members: Complex) -> Complex:
    """Return the noiseless FIDs of an ensemble whose members have states of their own.

    Parameters
    ----------
    chain
        From `measurement_chain`, with the ensemble.
    members
        States of its M members, shape (M, T, d, d).

    Returns
    -------
    array of shape (T, readouts, channels, points)

    Raises
    ------
    ArgumentError
        If the chain was put together by hand, or there are not as many states as members.
    """
    size = 0 if chain.setup is None else chain.setup.ensemble.size
    if chain.setup is None or members.ndim != 4 or len(members) != size:
        raise ArgumentError(
            f"Argument `members` must hold the states of the {size} members that the chain knows, "
            f"shape ({size}, T, d, d), but has shape {members.shape}"
        )
    if not chain.setup.ensemble.precesses_alike:
        return members_fids(chain.setup, members)
    maps, weights = chain.setup.maps(chain.setup.ensemble), chain.setup.ensemble.weights
    return detect(chain, np.tensordot(weights, apply(maps[:, None], members[:, :, None]), axes=1))


def detect(chain: Chain, turned: Complex) -> Complex:
    """Return the FIDs of states after their readout pulses.

    Parameters
    ----------
    chain
        The measurement; only its detectors matter.
    turned
        States after each readout, shape (..., readouts, d, d).

    Returns
    -------
    array of shape (..., readouts, channels, points)
    """
    flat = turned.reshape(*turned.shape[:-2], -1)
    return np.asarray(np.einsum("cpk,...rk->...rcp", chain.detectors, flat, optimize=True))


@checked
def line_amplitudes(fids: Complex, fits: Sequence[Complex], name: str = "fids") -> Real:
    """Return the fitted amplitudes of FIDs: (..., readouts, channels, points) → (..., amplitudes).

    All real parts come first, then all imaginary parts; within each the order is readout by
    readout, channel by channel, line by line.  ``name`` is what messages call the FIDs.

    Raises
    ------
    ArgumentError
        If the FIDs do not have the channels and points of the fits, or are not finite.
    """
    expected = (len(fits), fits[0].shape[-1] if len(fits) else 0)
    if fids.ndim < 3 or fids.shape[-2:] != expected:
        raise ArgumentError(
            f"Argument `{name}` must have shape (..., readouts, {expected[0]}, {expected[1]}), but "
            f"has shape {fids.shape}"
        )
    check_points(name, fids)
    per_channel = [fids[..., c, :] @ fit.T for c, fit in enumerate(fits)]
    amplitudes = np.concatenate(per_channel, axis=-1)
    flat = amplitudes.reshape(*amplitudes.shape[:-2], -1)
    return np.concatenate([flat.real, flat.imag], axis=-1)


def seen_amplitudes(chain: Chain) -> Complex:
    """Return the line amplitudes of P/d of every Pauli string, shape (readouts, lines, 4ⁿ).

    The identity comes first; lines go channel by channel.
    """
    size = chain.maps.shape[-1]
    d = int(np.sqrt(size))
    paulis = (pauli_basis(d.bit_length() - 1) / d).reshape(size, size).T
    if chain.views is None:
        pairs = zip(chain.fits, chain.detectors, strict=True)
        rows = np.concatenate([fit @ detector for fit, detector in pairs])
        return np.asarray(rows @ chain.maps @ paulis)
    channels = range(len(chain.fits))
    seen = [chain.fits[c] @ chain.views[:, c] for c in channels]
    return np.asarray(np.concatenate(seen, axis=1) @ paulis)


@checked
def response_matrix(chain: Chain) -> Response:
    """Return the response of a chain, by sending P/d of every Pauli string through it."""
    seen = seen_amplitudes(chain)
    flat = seen.reshape(-1, seen.shape[-1]).T
    columns = np.concatenate([flat.real, flat.imag], axis=-1)
    n = int(np.sqrt(chain.maps.shape[-1])).bit_length() - 1
    return Response(
        matrix=columns[1:].T,
        offset=columns[0],
        fits=chain.fits,
        paulis=pauli_strings(n)[1:],
        readouts=len(chain.readouts),
    )


@checked
def leave_out(response: Response, faulty: NDArray[np.bool_]) -> Response:
    """Return a response that does without some FIDs, say clipped ones.

    Parameters
    ----------
    response
        Of all FIDs.
    faulty
        Which ones not to use, shape (readouts, channels).

    Raises
    ------
    ArgumentError
        If the shape is wrong, no FID is left, or some are left out already.
    """
    bad, shape = np.asarray(faulty), (response.readouts, len(response.fits))
    if bad.dtype != bool or bad.shape != shape or np.all(bad) or response.kept is not None:
        raise ArgumentError(
            f"Argument `faulty` must be booleans of shape {shape}, not all True, for a response "
            f"of all FIDs, but is {bad.tolist()}"
        )
    rows = _rows(response.fits, ~bad)
    return replace(response, matrix=response.matrix[rows], offset=response.offset[rows], kept=~bad)


def _rows(fits: Sequence[Complex], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which amplitudes come from FIDs that are kept, shape (amplitudes,)."""
    lines = np.repeat(np.arange(len(fits)), [len(fit) for fit in fits])
    return np.tile(kept[:, lines].ravel(), 2)


def observed_amplitudes(fids: Complex, response: Response, name: str = "fids") -> Real:
    """Return the amplitudes of those FIDs that a response uses.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points); those left out may hold anything.
    response
        The response.
    name
        What messages call the FIDs.

    Raises
    ------
    ArgumentError
        If readouts, channels or points are not those of the response, or a number is not finite.
    """
    if fids.ndim < 3 or fids.shape[-3] != response.readouts:
        raise ArgumentError(
            f"Argument `{name}` must hold {response.readouts} readouts, but holds "
            f"{fids.shape[-3] if fids.ndim > 2 else 'none'}"
        )
    if response.kept is None:
        return line_amplitudes(fids, response.fits, name)
    kept = np.where(response.kept[..., None], fids, 0)
    used = line_amplitudes(kept, response.fits, name)
    return np.asarray(used[..., _rows(response.fits, response.kept)])


def amplitude_covariance(response: Response, noise: Real) -> Real:
    """Return the covariance of the amplitudes under white receiver noise.

    Parameters
    ----------
    response
        The response; only its fits matter.
    noise
        Standard deviation of one quadrature of one FID point on every channel, shape (channels,).

    Returns
    -------
    array of shape (amplitudes, amplitudes)
    """
    blocks = [
        s**2 * fit @ fit.conj().T for s, fit in zip(noise, response.fits, strict=True)
    ] * response.readouts
    size = sum(len(b) for b in blocks)
    covariance = np.zeros((size, size), dtype=complex)
    start = 0
    for block in blocks:
        stop = start + len(block)
        covariance[start:stop, start:stop] = block
        start = stop
    whole = np.block([[covariance.real, -covariance.imag], [covariance.imag, covariance.real]])
    if response.kept is None:
        return whole
    rows = _rows(response.fits, response.kept)
    return np.asarray(whole[np.ix_(rows, rows)])


@checked
def noise_for_snr(chain: Chain, sample: Sample, snr: float, scans: int = 1) -> Real:
    """Return the noise of an FID point that gives a signal-to-noise ratio.

    The ratio is the largest line amplitude that a pure state can give (|0…0⟩ after an ideal 90°
    pulse on a spin of the channel) over the standard deviation of one quadrature of that fitted
    amplitude in the time domain, per scan; noise falls as 1/√scans.

    Parameters
    ----------
    chain, sample
        The measurement and the spins.
    snr
        The ratio of one scan, > 0.
    scans
        Number of scans that are added up, ≥ 1.

    Returns
    -------
    array of shape (channels,)
        Standard deviation of one quadrature of one point.

    Raises
    ------
    ArgumentError
        If the ratio or the number of scans is out of range.
    """
    if not (snr > 0 and scans >= 1):
        raise ArgumentError(
            f"Arguments `snr` and `scans` must be > 0 and ≥ 1, but are {snr}, {scans}"
        )
    if chain.setup is not None and chain.setup.analysis != "time-domain":
        fitted = chain_of(replace(chain.setup, analysis="time-domain"))
        return noise_for_snr(fitted, sample, snr, scans)
    n = len(sample.spins)
    ground = np.zeros((2**n, 2**n), dtype=complex)
    ground[0, 0] = 1
    noise = []
    for nucleus, detector, fit in zip(chain.channels, chain.detectors, chain.fits, strict=True):
        own = [k for k, spin in enumerate(sample.spins) if spin.nucleus == nucleus]
        pulses = ["I" * k + "Y" + "I" * (n - k - 1) for k in own]
        turned = apply(readout_maps(pulses, sample), ground).reshape(len(own), -1)
        amplitudes = np.abs(turned @ (fit @ detector).T).max(axis=0)
        spread = np.sqrt(np.sum(np.abs(fit) ** 2, axis=-1))
        brightest = int(np.argmax(amplitudes))
        noise.append(amplitudes[brightest] / (snr * np.sqrt(scans)) / spread[brightest])
    return np.array(noise)
