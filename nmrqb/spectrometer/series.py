"""Series of spectra: one line followed through delays or pulse lengths.

Amplitudes of all rows have one phase, that of their principal axis, so that signs mean something.
What their course tells is fitted by `nmrqb.spectrometer.laws`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.measured import Noise, measured_spectrum
from nmrqb.spectrometer.readers.model import Recording

WINDOW_HZ = 3.0  # half a window round the line


@dataclass(frozen=True, eq=False)
class LineSeries:
    """One line in all rows of a series.

    Attributes
    ----------
    position_hz
        Highest point of the common shape, on the axis of the spectrum.
    position_ppm
        The same in ppm, None where 0 ppm is not known.
    amplitudes, errors
        Real amplitudes along the common phase and their standard deviations, shape (rows,).
    across
        Amplitudes in the other quadrature: noise where one phase fits all, shape (rows,).
    share
        Part of the power in the window that the common shape explains.
    """

    position_hz: float
    position_ppm: float | None
    amplitudes: Real
    errors: Real
    across: Real
    share: float


def follow_line(
    recording: Recording,
    near_hz: float,
    *,
    window_hz: float = WINDOW_HZ,
    reference_hz: float | None = None,
    first_point: float = 0.0,
    conjugate: bool = False,
) -> LineSeries:
    """Return the amplitudes of what stands in a window, in all rows of a series.

    All rows have one line shape, whatever it is: the first right singular vector v of the windows
    as rows.  The amplitude of a row is its projection on v, the least-squares estimate under white
    noise; no model of the shape is needed.

    Parameters
    ----------
    recording
        Shape (rows, points).
    near_hz
        Middle of the window on the axis of `measured_spectrum`.
    window_hz
        Half its width; what stands in it should share one law.
    reference_hz
        Frequency of 0 ppm in Hz where the file does not tell.
    first_point, conjugate
        See `measured_spectrum`.

    Raises
    ------
    ArgumentError
        If the window holds fewer than three points, or there are fewer than two rows.
    """
    if recording.rows < 2:
        raise ArgumentError(
            f"Argument `recording` must hold a series of rows, but {recording.source} holds "
            f"{recording.rows}"
        )
    spectra = [
        measured_spectrum(
            recording,
            row=k,
            reference_hz=reference_hz,
            first_point=first_point,
            conjugate=conjugate,
        )
        for k in range(recording.rows)
    ]
    axis = spectra[0].frequencies_hz
    inside = np.flatnonzero(np.abs(axis - near_hz) <= window_hz)
    if len(inside) < 3:
        raise ArgumentError(
            f"Argument `near_hz` must be where the window of ±{window_hz:g} Hz holds three points "
            f"of the spectrum or more, but at {near_hz:g} Hz it holds {len(inside)}"
        )
    rows = np.stack([s.values[inside] for s in spectra])
    _, sizes, shapes = np.linalg.svd(rows, full_matrices=False)
    found = rows @ shapes[0].conj()
    turned = found * np.exp(-1j * common_phase(found))
    sigma = np.array([_error(s.noise_near(near_hz), shapes[0], inside) for s in spectra])
    centre = float(axis[inside[np.argmax(np.abs(shapes[0]))]])
    share = float(sizes[0] ** 2 / np.sum(sizes**2))
    return LineSeries(centre, spectra[0].ppm(centre), turned.real, sigma, turned.imag, share)


def _error(noise: Noise, shape: Complex, inside: NDArray[np.intp]) -> float:
    """Return the standard deviation of one quadrature of a projection on a shape v, √(v†Cv/2)."""
    return float(np.sqrt((shape.conj() @ noise.covariance(inside) @ shape).real / 2))


def common_phase(amplitudes: Complex) -> float:
    """Return the phase of the principal axis in rad; the largest amplitude is positive on it.

    Parameters
    ----------
    amplitudes
        Complex numbers, one or more.
    """
    axis = float(np.angle(np.sum(amplitudes**2)) / 2)
    largest = amplitudes[np.argmax(np.abs(amplitudes))]
    return axis if (largest * np.exp(-1j * axis)).real > 0 else axis + np.pi
