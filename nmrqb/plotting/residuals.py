"""Residuals of FIDs: their spectra in units of the noise, and their distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_complex, as_real
from nmrqb.plotting.style import CHANNELS, QUIET, TRUE, quiet_axes

_BAND = 3.0  # standard deviations
_APART = 10.0  # least distance of two traces, in standard deviations
_BIN = 0.25
_FEW = 8  # lines whose dots have room beside each other


def residual_spectrum(
    residual: Complex, spectral_width_hz: float, decay_per_s: float = 0.0
) -> tuple[Real, Complex]:
    """Return frequencies in Hz and spectra of residuals in units of their noise: (..., points).

    S(ν) = Σ_k r_k w_k exp(−2πiνt_k)/√(Σ_k w_k²) with w_k = exp(−R t_k): white noise of variance 1
    has variance 1 at every frequency, and a line of decay rate R that misfits stands as high as
    its amplitude misfits in standard errors (matched filter).

    Parameters
    ----------
    residual
        Data less fit over noise, shape (..., points), dimensionless.
    spectral_width_hz
        Rate of its points in Hz.
    decay_per_s
        R in 1/s; 0 weights all points alike, and leaves the noise of frequencies independent.
    """
    points = residual.shape[-1]
    weighted = residual * _window(points, decay_per_s / spectral_width_hz)
    transform = np.fft.fftshift(np.fft.fft(weighted, axis=-1), axes=-1)
    return np.fft.fftshift(np.fft.fftfreq(points, 1 / spectral_width_hz)), transform


def _window(points: int, decay: float) -> Real:
    """Return exp(−decay·k) of unit norm."""
    window = np.exp(-decay * np.arange(points))
    return np.asarray(window / np.linalg.norm(window))


def _at(residual: Complex, turns: Real, decay: float) -> Complex:
    """Return the same spectrum at frequencies of any ν over spectral width: (..., lines)."""
    points = residual.shape[-1]
    waves = np.exp(-2j * np.pi * np.outer(np.arange(points), turns))
    return np.asarray(residual * _window(points, decay) @ waves)


def draw_residuals(
    ax: Axes,
    residual: Complex,
    spectral_width_hz: float,
    readouts: Sequence[str],
    *,
    decay_per_s: float = 0.0,
    lines_hz: Sequence[float] = (),
    title: str = "",
) -> list[Line2D]:
    """Draw the spectra of residuals one above the other, each with its band of ± 3 σ.

    Parameters
    ----------
    ax
        Where to draw.
    residual
        Data less fit over noise of one channel, shape (readouts, points), dimensionless; see
        `nmrqb.tomography.residuals`.
    spectral_width_hz
        Rate of its points in Hz.
    readouts
        Names of the readouts, the first on top.
    decay_per_s
        Decay rate of the lines in 1/s, to make their misfits stand out; see `residual_spectrum`.
    lines_hz
        Frequencies of the lines in Hz, where dots stand on the spectra: what is wrong with a
        measurement shows there first, and is lost among thousands of other points.
    title
        Title of the picture.

    Returns
    -------
    list of Line2D
        Real and imaginary part of every readout in turn, shifted by the tick that names it; then
        the dots of both, where there are lines.

    Raises
    ------
    ArgumentError
        If the residuals are not finite or do not have a row for every readout, or a frequency is
        not finite.
    """
    values = _checked(residual, len(readouts))
    frequency, spectra = residual_spectrum(values, spectral_width_hz, decay_per_s)
    places = as_real(lines_hz, "lines_hz")
    marked = _at(values, places / spectral_width_hz, decay_per_s / spectral_width_hz)
    shown = np.concatenate([spectra, marked], axis=-1)
    highest = max(np.abs(shown.real).max(), np.abs(shown.imag).max(), 0.5 * _APART)
    step = float(np.ceil(2 * highest))
    levels = step * np.arange(len(readouts))[::-1]
    lines: list[Line2D] = []
    for level, spectrum in zip(levels, spectra, strict=True):
        ax.axhspan(level - _BAND, level + _BAND, color="#e4e4e4", linewidth=0, zorder=0)
        lines += ax.plot(frequency, level + spectrum.real, color=CHANNELS[0], linewidth=0.6)
        lines += ax.plot(frequency, level + spectrum.imag, color=CHANNELS[3], linewidth=0.6)
    lines[0].set_label("real")
    lines[1].set_label("imaginary")
    if places.size:
        lines += _dots(ax, places, levels, marked)
    ax.set_yticks(levels, readouts)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(frequency[-1], frequency[0])  # NMR custom: frequency grows to the left
    ax.set_ylim(-0.6 * step, levels[0] + 0.6 * step)
    ax.set(xlabel="offset from the carrier (Hz)", title=title)
    quiet_axes(ax, grid=False)
    return lines


def _dots(ax: Axes, places: Real, levels: Real, marked: Complex) -> list[Line2D]:
    """Mark the values at the lines, real parts round and imaginary parts square."""
    where = np.tile(places, len(levels))
    looks = ((marked.real, "o", CHANNELS[0]), (marked.imag, "s", CHANNELS[3]))
    return [
        ax.plot(
            where,
            (levels[:, None] + part).ravel(),
            shape,
            color=color,
            markersize=4.5 if places.size <= _FEW else 2.5,
            markeredgecolor="black",
            markeredgewidth=0.7,
            label=f"at the lines, {name}",
        )[0]
        for (part, shape, color), name in zip(looks, ("real", "imaginary"), strict=True)
    ]


def draw_residual_histogram(
    ax: Axes, residual: Complex, *, title: str = ""
) -> tuple[StepPatch, Line2D]:
    """Draw how residuals of both quadratures are distributed, beside the normal law.

    Parameters
    ----------
    ax
        Where to draw.
    residual
        Data less fit over noise, any shape, dimensionless.
    title
        Title of the picture.

    Returns
    -------
    StepPatch, Line2D
        Numbers of residuals in bins of a quarter of σ on a logarithmic axis, and the numbers
        that the normal law of variance 1 expects there.

    Raises
    ------
    ArgumentError
        If the residuals are not finite, or there is none.
    """
    flat = _checked(residual).ravel()
    values = np.concatenate([flat.real, flat.imag])
    reach = _BIN * np.ceil(max(5.0, np.abs(values).max()) / _BIN + 0.5)
    edges = np.linspace(-reach, reach, 2 * round(reach / _BIN) + 1)
    counts, _ = np.histogram(values, edges)
    steps = ax.stairs(counts, edges, fill=True, color=CHANNELS[0], alpha=0.6, label="residuals")
    fine = np.linspace(-reach, reach, 400)
    expected = values.size * _BIN * np.exp(-(fine**2) / 2) / np.sqrt(2 * np.pi)
    (law,) = ax.plot(fine, expected, color=TRUE, linewidth=1.3, label="normal law")
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set(xlim=(-reach, reach), ylim=(0.5, 2 * max(counts.max(), expected.max())))
    ax.set(xlabel="residual (σ of the noise)", ylabel="number per bin", title=title)
    for edge in (-_BAND, _BAND):
        ax.axvline(edge, color=QUIET, linewidth=0.6, linestyle=":")
    ax.legend(fontsize=8, frameon=False, loc="upper right", borderaxespad=0.2)  # no bar is there
    quiet_axes(ax, grid=False)
    return steps, law


def _checked(residual: Complex, rows: int | None = None) -> Complex:
    values = as_complex(residual, "residual")
    if not np.all(np.isfinite(values)) or not values.size:
        raise ArgumentError(
            "Argument `residual` must hold finite numbers, but "
            f"{np.count_nonzero(~np.isfinite(values))} of {values.size} are not"
        )
    if rows is not None and (values.ndim != 2 or len(values) != rows):
        raise ArgumentError(
            f"Argument `residual` must have shape ({rows}, points), one row for every readout, "
            f"but has shape {values.shape}"
        )
    return values
