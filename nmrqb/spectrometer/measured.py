"""Measured spectra: one noun for FIDs and for spectra of any program, and the noise in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.acquisition import spectrum
from nmrqb.spectrometer.readers.model import Recording

_BLOCK = 128  # points of a piece in which noise is measured
_QUIET = 1.3  # pieces whose deviation is below so many medians are empty
_LAGS = 8
_NEAREST = 32  # empty pieces that tell the noise of a place
_SIGNIFICANT = 4.0  # standard errors from which on a correlation counts


@dataclass(frozen=True, eq=False)
class Noise:
    """What the empty part of a spectrum shows.

    Attributes
    ----------
    sigma
        Standard deviation of one quadrature of one point.
    correlation
        ⟨n_i n*_{i+l}⟩/⟨|n|²⟩ of lags l = 0, 1, …, complex; just 1 where the noise is white.
    points
        Number of complex points behind it.
    """

    sigma: float
    correlation: Complex
    points: int

    def covariance(self, places: NDArray[np.intp]) -> Complex:
        """Return ⟨n n†⟩ at points with integer places, shape (points, points)."""
        lags = places[:, None] - places[None, :]
        size = len(self.correlation)
        inside = np.abs(lags) < size
        known = self.correlation[np.where(inside, np.abs(lags), 0)]
        turned = np.where(lags > 0, known.conj(), known)
        return np.asarray(2 * self.sigma**2 * np.where(inside, turned, 0))


@dataclass(frozen=True, eq=False)
class MeasuredSpectrum:
    """A complex spectrum whose line a at ν0 is a/(πw + 2πi(ν − ν0)).

    Attributes
    ----------
    frequencies_hz
        Uniform ascending axis in Hz, shape (points,): above 0 ppm, or above the carrier where
        0 ppm is not known.
    values
        Shape (points,).
    reference_hz
        Frequency of 0 ppm in Hz, or None.
    carrier_hz
        Where the carrier stands on the axis, in Hz.
    dead_time_s
        Time of the first point of the FID in s.
    source
        The file.
    """

    frequencies_hz: Real
    values: Complex
    reference_hz: float | None
    carrier_hz: float
    dead_time_s: float = 0.0
    source: str = ""

    @property
    def step_hz(self) -> float:
        """Distance of two points in Hz."""
        first, last = self.frequencies_hz[[0, -1]]
        return float((last - first) / (len(self.frequencies_hz) - 1))

    @property
    def width_hz(self) -> float:
        """Spectral width in Hz."""
        return self.step_hz * len(self.frequencies_hz)

    def ppm(self, frequency_hz: float) -> float | None:
        """Return a frequency of the axis in ppm, None where 0 ppm is not known."""
        return None if self.reference_hz is None else frequency_hz / self.reference_hz * 1e6

    def noise_near(self, frequency_hz: float) -> Noise:
        """Return the noise of the empty parts nearest to a frequency of the axis.

        Receivers filter: at the edges of a spectrum the noise may be half of that in its middle.
        """
        place = int(np.argmin(np.abs(self.frequencies_hz - frequency_hz)))
        return noise_of(self.values, place)

    @cached_property
    def edge_noise(self) -> Noise:
        """The noise of the first or last tenth, whichever has less."""
        size = max(len(self.values) // 10, 32)
        parts = (noise_of(part) for part in (self.values[:size], self.values[-size:]))
        return min(parts, key=lambda noise: noise.sigma)

    @cached_property
    def causality(self) -> float:
        """How much more signal the first half of the FID holds than the second, −1 to 1."""
        power = np.abs(np.fft.ifft(np.fft.ifftshift(self.values))) ** 2
        half = len(power) // 2
        return float((power[:half].sum() - power[-half:].sum()) / max(power.sum(), 1e-300))

    def conjugated(self) -> MeasuredSpectrum:
        """Return the spectrum with its imaginary part in the other sense."""
        return replace(self, values=self.values.conj())


def measured_spectrum(
    recording: Recording,
    *,
    row: int = 0,
    reference_hz: float | None = None,
    first_point: float = 0.0,
    conjugate: bool = False,
) -> MeasuredSpectrum:
    """Return the spectrum of one row of a recording.

    Parameters
    ----------
    recording
        FIDs or spectra.
    row
        Which one, from 0.
    reference_hz
        Frequency of 0 ppm in Hz where the file does not tell, as a table of ppm does not.
    first_point
        Point of the FID at which t = 0, say the delay of a digital filter that is still in it.
    conjugate
        Whether the FID turns as e^{−i2πνt}.

    Raises
    ------
    ArgumentError
        If there is no such row, or a table of ppm comes without a frequency of 0 ppm.
    """
    if not 0 <= row < recording.rows:
        raise ArgumentError(f"Argument `row` must be from 0 to {recording.rows - 1}, but is {row}")
    values = recording.values.reshape(-1, recording.points)[row]
    values = values.conj() if conjugate else values
    reference = recording.reference_hz or reference_hz
    if recording.domain == "frequency":
        return _of_table(recording, values, reference)
    width = recording.spectral_width_hz
    if width is None:
        raise ArgumentError(
            f"Argument `recording` must tell its spectral width, but {recording.source} does not"
        )
    frequencies, transform = spectrum(values, width, zero_fill=1)
    carrier = recording.carrier_hz
    shift = 0.0 if carrier is None or reference is None else carrier - reference
    return MeasuredSpectrum(
        frequencies + shift,
        transform,
        None if carrier is None else reference,
        shift,
        recording.dead_time_s - first_point / width,
        recording.source,
    )


def _of_table(recording: Recording, values: Complex, reference: float | None) -> MeasuredSpectrum:
    if recording.ppm is None or reference is None:
        raise ArgumentError(
            f"Argument `reference_hz` must be given for {recording.source}, a spectrum on an axis "
            "of ppm, but is not"
        )
    axis = recording.ppm * reference * 1e-6
    middle = float(axis[0] + (axis[-1] - axis[0]) * (len(axis) // 2) / (len(axis) - 1))
    return MeasuredSpectrum(axis, values, reference, middle, 0.0, recording.source)


def noise_of(values: Complex, place: int | None = None) -> Noise:
    """Return the noise of a spectrum from its pieces without lines.

    The spectrum is cut in pieces of 128 points (fewer where it is short); a straight line is taken
    off each; those whose deviation is below 1.3 medians are empty.

    Parameters
    ----------
    values
        Shape (points,).
    place
        Point near which the noise is wanted: only the nearest 32 pieces count then.

    Raises
    ------
    ArgumentError
        If there are fewer than 32 points, or the noise is zero.
    """
    if len(values) < 32:
        raise ArgumentError(
            f"Argument `values` must hold at least 32 points to show their noise, but holds "
            f"{len(values)}"
        )
    size = max(16, min(_BLOCK, len(values) // 16))
    count = len(values) // size
    pieces = values[: count * size].reshape(count, size)
    if place is not None:
        nearest = np.argsort(np.abs(np.arange(count) - place / size), kind="stable")
        pieces = pieces[np.sort(nearest[:_NEAREST])]
    places = np.linspace(-1, 1, size)
    line = np.stack([np.ones(size) / np.sqrt(size), places / np.sqrt(places @ places)])
    rest = pieces - (pieces @ line.T) @ line
    power = np.sum(np.abs(rest) ** 2, axis=-1) / (2 * (size - 2))
    empty = rest[power <= _QUIET**2 * np.median(power)]
    sigma = float(np.sqrt(np.sum(np.abs(empty) ** 2) / (2 * len(empty) * (size - 2))))
    if not sigma > 0:
        raise ArgumentError(
            f"Argument `values` must hold noise in its empty part, but all {empty.size} points of "
            "it lie on straight lines"
        )
    return Noise(sigma, _correlation(empty), empty.size)


def _correlation(pieces: Complex) -> Complex:
    """Return the correlation up to the last lag that differs from zero; exactly 1 if none does."""
    whole = float(np.sum(np.abs(pieces) ** 2))
    size = pieces.shape[-1]
    lags = [
        np.sum(pieces[:, : size - lag] * pieces[:, lag:].conj()) / whole * size / (size - lag)
        for lag in range(min(_LAGS, size // 4) + 1)
    ]
    seen = np.abs(lags) > _SIGNIFICANT / np.sqrt(pieces.size)
    last = int(np.max(np.flatnonzero(seen), initial=0))
    return np.asarray([1.0, *lags[1 : last + 1]], dtype=complex)
