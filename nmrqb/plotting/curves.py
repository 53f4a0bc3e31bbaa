"""Figures of merit against time: simulated curve, estimates with error bars, model."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.experiment import FIGURES
from nmrqb.plotting.style import ESTIMATE, MODEL, TRUE, WORK, quiet_axes

_MANY = 200  # points, whose bars make a band
_LONG = 24  # letters of the label of an axis


def draw_figure_of_merit(ax: Axes, data: xr.Dataset, name: str) -> list[Artist]:
    """Draw one figure of merit of a result against protocol time.

    Parameters
    ----------
    ax
        Where to draw.
    data
        ``Result.data``.
    name
        Name of the figure, a key of `FIGURES` that the result reports.

    Returns
    -------
    list of Artist
        True curve, the model curve where there is one, estimates with error bars, and for the
        ergotropy the work that was measured directly where it was.
    """
    figure = FIGURES[name]
    time = data["time"].values * 1e3
    mark = "_" if time.size == 1 else ""  # one point makes no line
    artists: list[Artist] = list(
        ax.plot(
            time,
            data[f"true_{name}"],
            color=TRUE,
            linewidth=1.4,
            marker=mark,
            markersize=18,
            zorder=3 if time.size > _MANY else 2,
            label="simulated state",
        )
    )
    if f"model_{name}" in data:
        artists += ax.plot(
            time,
            data[f"model_{name}"],
            color=MODEL,
            linewidth=1.2,
            linestyle="--",
            marker=mark,
            markersize=12,
            label="average Hamiltonian + laboratory T1/T2",
        )
    if name in data:
        artists.append(_marks(ax, data, name, "o", ESTIMATE, "estimated from FIDs"))
    if name == "ergotropy" and "extracted_work" in data:
        artists.append(_marks(ax, data, "extracted_work", "s", WORK, "work measured directly"))
    unit = f" ({figure.units})" if figure.units != "1" else ""
    ax.set(xlabel="protocol time (ms)", ylabel=_in_lines(f"{figure.title}{unit}"))
    quiet_axes(ax)
    return artists


def _in_lines(label: str) -> str:
    """Return a label in lines that are no longer than an axis."""
    return fill(label, _LONG)


def _marks(ax: Axes, data: xr.Dataset, name: str, mark: str, color: str, label: str) -> Artist:
    """Draw values with their intervals; squares are open, for what lies under them to be seen.

    Very many are drawn lightly, below the curve that they would hide.
    """
    value = data[name].values
    many = value.size > _MANY
    bars = np.abs([value - data[f"{name}_low"].values, data[f"{name}_high"].values - value])
    drawn = ax.errorbar(
        data["time"].values * 1e3,
        value,
        yerr=bars,
        fmt=mark,
        markersize=1.5 if many else 3.2,
        linewidth=0.9,
        capsize=0 if many else 1.5,
        alpha=0.3 if many else 1.0,
        color=color,
        markerfacecolor=color if mark == "o" else "none",
        label=label,
    )
    return drawn.lines[0]
