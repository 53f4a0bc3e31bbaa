"""Laws of series: amplitudes with errors, fitted curve, and what it leaves."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.operators import Real
from nmrqb.plotting.style import ESTIMATE, QUIET, TRUE, quiet_axes
from nmrqb.spectrometer.laws import SeriesFit

_CURVE = 600  # points
_BAND = 3.0  # standard deviations
_LEAST = 0.1  # of the largest value of a law: a smaller amplitude makes no scale
_AXES = {
    "inversion-recovery": "delay",
    "saturation-recovery": "delay",
    "decay": "delay",
    "nutation": "pulse length",
}
_UNITS = ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (np.inf, 1.0, "s"))  # below, factor, name


def draw_law(ax: Axes, fit: SeriesFit, *, title: str = "") -> list[Artist]:
    """Draw the amplitudes of a series with their errors and the fitted law.

    Amplitudes are in units of the law's own: of a recovery the equilibrium, of a decay its start,
    of a nutation the signal after an ideal 90° pulse.  A dashed line marks the time that was
    measured, dotted ones the damping of a nutation where that is seen.

    Parameters
    ----------
    ax
        Where to draw.
    fit
        The law with its data.
    title
        Title of the picture.

    Returns
    -------
    list of Artist
        The curve, the points, the error bars, the mark; the damping, above and below zero.
    """
    factor, unit = _unit(fit)
    fine = np.linspace(0, 1.03 * fit.times_s.max(), _CURVE)
    curve = fit.at(fine)
    size = _scale(fit, curve)
    artists: list[Artist] = list(
        ax.plot(factor * fine, curve / size, color=ESTIMATE, linewidth=1.3, label="fit")
    )
    drawn = ax.errorbar(
        factor * fit.times_s,
        fit.amplitudes / size,
        yerr=fit.errors / abs(size),
        fmt="o",
        color=TRUE,
        markersize=4,
        elinewidth=1.0,
        capsize=2,
        label="line amplitude",
    )
    artists += [drawn.lines[0], *drawn.lines[2]]
    artists.append(ax.axvline(factor * fit.time_s, color=QUIET, linewidth=0.9, linestyle="--"))
    ax.axhline(0, color="black", linewidth=0.7)
    if fit.b1_inhomogeneity is not None and fit.b1_inhomogeneity.resolved:
        damping = fit.envelope(fine) / abs(size)
        artists += ax.plot(
            factor * fine, np.transpose([damping, -damping]), ":", color=QUIET, linewidth=0.9
        )
    ax.set(xlim=_limits(fit, factor), title=title, ylabel="amplitude")
    ax.set_xlabel(f"{_AXES[fit.law]} ({unit})")
    quiet_axes(ax)
    return artists


def draw_law_residuals(ax: Axes, fit: SeriesFit) -> list[Artist]:
    """Draw data less law in units of the noise, with its band of ± 3; returns the points."""
    factor, unit = _unit(fit)
    pulls: Real = (fit.amplitudes - fit.at(fit.times_s)) / fit.errors
    ax.axhspan(-_BAND, _BAND, color="#e4e4e4", linewidth=0, zorder=0)
    ax.axhline(0, color="black", linewidth=0.7)
    artists = ax.plot(factor * fit.times_s, pulls, "o", color=TRUE, markersize=3)
    reach = 1.15 * max(float(np.abs(pulls).max()), 1.5 * _BAND)
    ax.set(xlim=_limits(fit, factor), ylim=(-reach, reach))
    ax.set_xlabel(f"{_AXES[fit.law]} ({unit})")
    ax.set_ylabel("residual (σ)", fontsize=8)
    quiet_axes(ax, grid=False)
    return list(artists)


def _scale(fit: SeriesFit, curve: Real) -> float:
    """Return the amplitude of the law; where a fit makes it vanish, the largest of the curve."""
    largest = float(np.abs(curve).max()) or 1.0
    own = float(fit.coefficients[-1])
    return own if abs(own) > _LEAST * largest else largest


def _unit(fit: SeriesFit) -> tuple[float, str]:
    longest = float(fit.times_s.max())
    return next((factor, name) for below, factor, name in _UNITS if longest < below)


def _limits(fit: SeriesFit, factor: float) -> tuple[float, float]:
    longest = factor * float(fit.times_s.max())
    return -0.03 * longest, 1.03 * longest
