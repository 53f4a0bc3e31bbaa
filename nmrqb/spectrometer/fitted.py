"""What a fit looks like: a spectrum near its lines, and what was fitted to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.acquisition import spectrum
from nmrqb.spectrometer.measured import MeasuredSpectrum
from nmrqb.spectrometer.multiplets import WINDOW_HZ, Multiplet, line_shapes

_FINER = 8  # points of the curve for every point of the spectrum
_GAP = 1.5  # steps from which on two points belong to different windows
_WIDTHS, _POINTS = 6.0, 8.0  # half a window holds at least so many line widths, and points


@dataclass(frozen=True, eq=False)
class FittedSpectrum:
    """The windows of a spectrum round its lines, and the model in them.

    Attributes
    ----------
    frequencies_hz
        Points of the windows, ascending, in Hz, shape (points,): above 0 ppm, or above the carrier
        where 0 ppm is not known.
    values, model
        Spectrum less the baseline under its lines, and the lines that were fitted, shape (points,).
    curve_hz, curve
        The lines on a finer axis, shape (finer,).
    positions_hz, amplitudes
        Where the lines stand, and their complex amplitudes, shape (lines,).
    step_hz
        Distance of two points of one window in Hz.
    noise
        Standard deviation of one quadrature of one point.
    reference_hz
        Frequency of 0 ppm in Hz, or None.
    """

    frequencies_hz: Real
    values: Complex
    model: Complex
    curve_hz: Real
    curve: Complex
    positions_hz: Real
    amplitudes: Complex
    step_hz: float
    noise: float
    reference_hz: float | None = None

    @property
    def windows_hz(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest frequency of every window, ascending."""
        pieces = np.split(self.frequencies_hz, _breaks(self.frequencies_hz, self.step_hz))
        return tuple((float(piece[0]), float(piece[-1])) for piece in pieces)

    @property
    def misfit(self) -> float:
        """Mean square of the residual over the noise of both quadratures: 1 where the fit holds."""
        rest = np.abs(self.values - self.model) ** 2
        return float(rest.mean() / max(2 * self.noise**2, np.finfo(float).tiny))

    def turned(self, phase_rad: float) -> FittedSpectrum:
        """Return the same with all of it times e^{−iφ}, φ in rad."""
        by = np.exp(-1j * phase_rad)
        return self._mapped(lambda part: part * by)

    def conjugated(self) -> FittedSpectrum:
        """Return the same with the imaginary parts in the other sense."""
        return self._mapped(np.conj)

    def _mapped(self, change: Callable[[Complex], Complex]) -> FittedSpectrum:
        return replace(
            self,
            values=change(self.values),
            model=change(self.model),
            curve=change(self.curve),
            amplitudes=change(self.amplitudes),
        )


def _breaks(frequencies: Real, step: float) -> NDArray[np.intp]:
    return np.flatnonzero(np.diff(frequencies) > _GAP * step) + 1


def fitted_spectrum(measured: MeasuredSpectrum, fit: Multiplet) -> FittedSpectrum:
    """Return the windows of a spectrum with the multiplet that was fitted in them."""
    points = measured.frequencies_hz[fit.inside]
    fine = np.concatenate(
        [
            np.linspace(piece[0], piece[-1], _FINER * (len(piece) - 1) + 1)
            for piece in np.split(points, _breaks(points, measured.step_hz))
        ]
    )

    def lines(axis: Real) -> Complex:
        shapes = line_shapes(measured, axis, fit.positions_hz, fit.widths_hz)
        return np.asarray(shapes @ fit.amplitudes)

    return FittedSpectrum(
        frequencies_hz=points,
        values=measured.values[fit.inside] - fit.baseline,
        model=lines(points),
        curve_hz=fine,
        curve=lines(fine),
        positions_hz=fit.positions_hz,
        amplitudes=fit.amplitudes,
        step_hz=measured.step_hz,
        noise=fit.noise,
        reference_hz=measured.reference_hz,
    )


def projected_spectrum(
    fid: Complex,
    model: Complex,
    lines: tuple[Complex, Complex],
    spectral_width_hz: float,
    sigma: float,
) -> FittedSpectrum:
    """Return the windows of the spectra of an FID and of its model.

    Parameters
    ----------
    fid, model
        Shape (points,).
    lines
        2πiν − R of the lines in 1/s, and their amplitudes, shape (lines,) each.
    spectral_width_hz
        Rate of the points in Hz.
    sigma
        Standard deviation of one quadrature of one point of the FID.
    """
    axis, values = spectrum(fid, spectral_width_hz, zero_fill=1)
    _, shown = spectrum(model, spectral_width_hz, zero_fill=1)
    fine, curve = spectrum(model, spectral_width_hz, zero_fill=_FINER)
    step = spectral_width_hz / len(fid)
    rates, amplitudes = lines
    places, widths = rates.imag / (2 * np.pi), -rates.real / np.pi
    half = max(WINDOW_HZ, _WIDTHS * float(widths.max()), _POINTS * step)
    near, finer = (np.abs(a[:, None] - places).min(axis=-1) <= half for a in (axis, fine))
    return FittedSpectrum(
        frequencies_hz=axis[near],
        values=values[near],
        model=shown[near],
        curve_hz=fine[finer],
        curve=curve[finer],
        positions_hz=places,
        amplitudes=amplitudes,
        step_hz=step,
        noise=sigma / np.sqrt(spectral_width_hz * step),
    )
