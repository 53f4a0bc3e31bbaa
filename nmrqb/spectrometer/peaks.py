"""Lines that stand out of a spectrum, whatever they belong to: where they are, how tall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.measured import MeasuredSpectrum, noise_of
from nmrqb.spectrometer.multiplets import SEEN, WINDOW_HZ

_POINTS = 33  # that a median is taken of, at least
_WINDOWS = 3.0  # half windows to each side that it is taken over, at least
_QUIETEST = 1e-3
_APART_HZ = 15.0  # lines nearer than that to a stronger one are not named beside it


@dataclass(frozen=True)
class Peak:
    """A line that stands out.

    Attributes
    ----------
    frequency_hz
        Its highest point on the axis of the spectrum in Hz.
    stands_out
        How far it rises above its surroundings, over the noise.
    """

    frequency_hz: float
    stands_out: float


def strongest_lines(measured: MeasuredSpectrum, *, most: int = 5) -> tuple[Peak, ...]:
    """Return the lines of a spectrum that stand out most, the strongest first.

    Of lines that are nearer than 15 Hz to each other, such as those of a multiplet, the strongest
    is named.

    Parameters
    ----------
    measured
        The spectrum.
    most
        How many.
    """
    found = sorted(_peaks(measured, WINDOW_HZ), key=lambda peak: -peak.stands_out)
    chosen: list[Peak] = []
    for peak in found:
        if len(chosen) == most:
            break
        if all(abs(peak.frequency_hz - other.frequency_hz) > _APART_HZ for other in chosen):
            chosen.append(peak)
    return tuple(chosen)


def line_in(measured: MeasuredSpectrum, near_hz: float, half_hz: float) -> Peak | None:
    """Return the line that stands out most in a window, None where none does.

    The wing of a line outside is no line: what counts is how far a point rises above the ground to
    both of its sides, and that must be six standard deviations of the noise.

    Parameters
    ----------
    measured
        The spectrum.
    near_hz, half_hz
        Middle of the window on the axis of the spectrum and half its width, in Hz.
    """
    sigma = measured.noise_near(near_hz).sigma
    reach = half_hz + measured.step_hz / 2
    inside = [
        peak
        for peak in _peaks(measured, half_hz, sigma)
        if abs(peak.frequency_hz - near_hz) <= reach
    ]
    return max(inside, key=lambda peak: peak.stands_out, default=None)


def _peaks(
    measured: MeasuredSpectrum, half_hz: float, sigma: float | None = None
) -> tuple[Peak, ...]:
    """Return all that rises six standard deviations above its surroundings."""
    noise = _sigma(measured) if sigma is None else sigma
    heights: Real = np.abs(measured.values - _ground(measured, half_hz))
    places, found = find_peaks(heights, prominence=SEEN * noise)
    return tuple(
        Peak(float(measured.frequencies_hz[place]), float(rise) / noise)
        for place, rise in zip(places, found["prominences"], strict=True)
    )


def _sigma(measured: MeasuredSpectrum) -> float:
    """Return the noise of a spectrum; of one without any, a thousandth of its tallest point."""
    try:
        return noise_of(measured.values).sigma
    except ArgumentError:
        return max(_QUIETEST * float(np.abs(measured.values).max()), np.finfo(float).tiny)


def _ground(measured: MeasuredSpectrum, half_hz: float) -> Complex:
    """Return baselines and the wings of strong lines: running medians of both quadratures."""
    half = max(WINDOW_HZ, _WINDOWS * half_hz) / measured.step_hz
    size = min(max(_POINTS, 2 * round(half) + 1), len(measured.values))
    values = measured.values
    return np.asarray(
        median_filter(values.real, size, mode="nearest")
        + 1j * median_filter(values.imag, size, mode="nearest")
    )
