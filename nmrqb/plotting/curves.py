"""Figures of merit against time: simulated curve, estimates with error bars, model."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.experiment import FIGURES
from nmrqb.plotting.style import ESTIMATE, MODEL, TRUE, WORK, quiet_axes


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
    artists: list[Artist] = list(
        ax.plot(time, data[f"true_{name}"], color=TRUE, linewidth=1.4, label="simulated state")
    )
    if f"model_{name}" in data:
        artists += ax.plot(
            time,
            data[f"model_{name}"],
            color=MODEL,
            linewidth=1.2,
            linestyle="--",
            label="average Hamiltonian + laboratory T1/T2",
        )
    if name in data:
        artists.append(_marks(ax, data, name, "o", ESTIMATE, "estimated from FIDs"))
    if name == "ergotropy" and "extracted_work" in data:
        artists.append(_marks(ax, data, "extracted_work", "s", WORK, "work measured directly"))
    unit = f" ({figure.units})" if figure.units != "1" else ""
    ax.set(xlabel="protocol time (ms)", ylabel=f"{figure.title}{unit}")
    quiet_axes(ax)
    return artists


def _marks(ax: Axes, data: xr.Dataset, name: str, mark: str, color: str, label: str) -> Artist:
    """Draw values with their intervals; squares are open, for what lies under them to be seen."""
    value = data[name].values
    bars = np.abs([value - data[f"{name}_low"].values, data[f"{name}_high"].values - value])
    drawn = ax.errorbar(
        data["time"].values * 1e3,
        value,
        yerr=bars,
        fmt=mark,
        markersize=3.2,
        linewidth=0.9,
        capsize=1.5,
        color=color,
        markerfacecolor=color if mark == "o" else "none",
        label=label,
    )
    return drawn.lines[0]
