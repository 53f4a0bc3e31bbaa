"""FIDs and spectra."""

from __future__ import annotations

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.operators import Complex, Real
from nmrqb.plotting.style import CHANNELS, QUIET, quiet_axes
from nmrqb.spectrometer import spectrum

_LETTER, _LEGEND = 8, 16.0  # pt: letters of the legend, and its height with the air about it


def draw_fid(ax: Axes, times_s: Real, fid: Complex, *, title: str = "") -> list[Artist]:
    """Draw real and imaginary part of an FID against time; returns the two lines."""
    lines = ax.plot(times_s, fid.real, color=CHANNELS[0], linewidth=0.8, label="real")
    lines += ax.plot(times_s, fid.imag, color=QUIET, linewidth=0.6, label="imaginary", zorder=1)
    ax.set(xlabel="time after the readout pulse (s)", ylabel="signal (1: brightest line)")
    _head(ax, title)
    quiet_axes(ax)
    return list(lines)


def draw_spectrum(
    ax: Axes, fid: Complex, spectral_width_hz: float, *, title: str = "", span_hz: float = 0.0
) -> list[Artist]:
    """Draw real and imaginary part of the spectrum of an FID; returns the two lines.

    Parameters
    ----------
    ax
        Where to draw.
    fid
        Signal, shape (points,).
    spectral_width_hz
        Rate of its points in Hz.
    title
        Title of the picture.
    span_hz
        Half of the frequency range shown; 0 shows all.
    """
    frequency, values = spectrum(fid, spectral_width_hz)
    lines = ax.plot(frequency, values.real, color=CHANNELS[1], linewidth=1.0, label="real")
    lines += ax.plot(
        frequency, values.imag, color=QUIET, linewidth=0.7, label="imaginary", zorder=1
    )
    limit = span_hz or spectral_width_hz / 2
    # NMR custom: frequency grows to the left
    ax.set_xlim(limit, -limit)
    ax.set(xlabel="offset from the carrier (Hz)", ylabel="intensity (s)")
    _head(ax, title)
    quiet_axes(ax)
    return list(lines)


def _head(ax: Axes, title: str) -> None:
    """Put the legend above the axes, where it hides no line, and the title over it."""
    ax.legend(
        fontsize=_LETTER, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False,
        borderaxespad=0.1, borderpad=0.2,
    )  # fmt: skip
    ax.set_title(title, pad=_LEGEND)
