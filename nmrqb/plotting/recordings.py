"""Spectra of a recording as they are: magnitudes on a descending axis, strong lines named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.plotting.style import ESTIMATE, QUIET, TRUE, quiet_axes
from nmrqb.spectrometer.measured import MeasuredSpectrum
from nmrqb.spectrometer.peaks import Peak

_STEP = 0.45  # of the tallest line, between two rows
_ROOM = 0.06  # of the whole, above the uppermost row
_NEAREST = 0.019  # of the width, between two names


def draw_recording(
    ax: Axes,
    spectra: Sequence[MeasuredSpectrum],
    *,
    lines: Sequence[Peak] = (),
    names: Sequence[str] = (),
    title: str = "",
) -> list[Artist]:
    """Draw the magnitudes of spectra one above the other, the first at the bottom.

    The axis runs from right to left, in ppm where 0 ppm is known, else in Hz from the carrier;
    a file of data names places in the same numbers.

    Parameters
    ----------
    ax
        Where to draw.
    spectra
        Rows of a recording, on one axis.
    lines
        Lines that are named by their places.
    names
        What stands at the right end of every row.
    title
        Title of the picture.

    Returns
    -------
    list of Artist
        The curves, then the names of the lines.

    Raises
    ------
    ArgumentError
        If there is no spectrum.
    """
    if not spectra:
        raise ArgumentError("Argument `spectra` must hold a spectrum, but holds none")
    heights = [np.abs(s.values) for s in spectra]
    tallest = max(float(h.max()) for h in heights) or 1.0
    axis = _axis(spectra[0], spectra[0].frequencies_hz)
    artists: list[Artist] = []
    for k, height in enumerate(heights):
        artists += ax.plot(axis, height / tallest + _STEP * k, color=TRUE, linewidth=0.7)
    for k, name in enumerate(names):
        at = (1.005, _STEP * k)
        ax.annotate(name, at, xycoords=("axes fraction", "data"), fontsize=7.5, color=QUIET)
    top = max(float(h.max()) / tallest + _STEP * k for k, h in enumerate(heights)) or 1.0
    width = float(np.ptp(axis)) or 1.0
    ax.set(xlim=(axis.max(), axis.min()), ylim=(-0.02 * top, (1 + _ROOM) * top), title=title)
    ax.set_xlabel("ppm" if _in_ppm(spectra[0]) else "offset from the carrier (Hz)")
    ax.set_yticks([])
    quiet_axes(ax, grid=False)
    ax.spines["left"].set_visible(False)
    return artists + _named(ax, spectra[0], lines, width)


def _in_ppm(spectrum: MeasuredSpectrum) -> bool:
    return spectrum.reference_hz is not None


def _axis(spectrum: MeasuredSpectrum, frequencies: Real) -> Real:
    """Return frequencies as a data file names them: ppm, or Hz from the carrier."""
    if spectrum.reference_hz is not None:
        return np.asarray(frequencies / spectrum.reference_hz * 1e6)
    return np.asarray(frequencies - spectrum.carrier_hz)


def _named(
    ax: Axes, spectrum: MeasuredSpectrum, lines: Sequence[Peak], width: float
) -> list[Artist]:
    """Mark lines and write where they stand above the picture, names beside each other."""
    places = sorted(
        (float(_axis(spectrum, np.array(line.frequency_hz))) for line in lines), reverse=True
    )
    artists: list[Artist] = []
    at = np.inf
    for place in places:
        at = min(place, at - _NEAREST * width)
        ax.axvline(place, color=ESTIMATE, linewidth=0.5, linestyle=":", zorder=0)
        name = f"{place:.3f}" if _in_ppm(spectrum) else f"{place:.1f}"
        artists.append(
            ax.annotate(
                name.replace("-", "−"), (place, 1.0), (at, 1.05),
                xycoords=ax.get_xaxis_transform(), textcoords=ax.get_xaxis_transform(),
                rotation=90, ha="center", va="bottom", fontsize=7.5, color=ESTIMATE,
                arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": ESTIMATE,
                            "relpos": (0.5, 0.0), "shrinkA": 0, "shrinkB": 0},
            )
        )  # fmt: skip
    return artists
