"""The frame matrix of a sequence: where the z axis of every spin points, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nmrqb.average.frames import Frames
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.plotting.style import QUIET

_GAP = 0.6  # between the rows of two spins
_NUMBERS = 0.055  # of the pass: a column that is wide enough for a number
_SMALL = 5e-3  # shown as no number
_UNITS = ((1e-3, "µs", 1e6), (1.0, "ms", 1e3), (np.inf, "s", 1.0))


def draw_frames(ax: Axes, frames: Frames, labels: Sequence[str]) -> list[Artist]:
    """Draw the toggled z axis of every spin: rows x, y and z, columns as wide as they last.

    Red is +1, blue −1, white 0 (``RdBu_r`` from −1 to 1).  A delay has the axis itself; a finite
    pulse, hatched, its average over the pulse.  Ideal pulses stand on the borders.  Spins whose
    axes agree share their rows.

    Parameters
    ----------
    ax
        Where to draw.
    frames
        One pass, without batch axes.
    labels
        Names of the spins.

    Returns
    -------
    list of Artist
        The cells, row by row from the top, then their numbers.

    Raises
    ------
    ArgumentError
        If the frames have batch axes or the names do not match the spins.
    """
    if frames.durations.ndim != 1 or len(labels) != frames.spins:
        raise ArgumentError(
            f"Arguments `frames` and `labels` must be of one sequence and its {frames.spins} "
            f"spins, but are of shape {frames.n.shape} and {len(labels)} names"
        )
    T = float(frames.duration)
    unit, factor = next((name, f) for limit, name, f in _UNITS if limit > T)
    edges = factor * np.concatenate([[0.0], np.cumsum(frames.durations)])
    cells: list[Artist] = []
    numbers: list[Artist] = []
    ticks: list[tuple[float, str]] = []
    for group, spins in enumerate(_alike(frames.n)):
        top = -group * (3 + _GAP)
        for row, axis in enumerate("xyz"):
            values = frames.n[:, spins[0], row]
            cells += _draw_row(ax, values, frames.pulses, edges, top - row)
            numbers += _draw_numbers(ax, values, frames.pulses, edges, top - row)
            ticks.append((top - row - 0.5, axis))
        names = ", ".join(labels[k] for k in spins)
        ax.text(
            -0.07, top - 1.5, names, transform=ax.get_yaxis_transform(), ha="right", va="center"
        )
        ax.add_patch(Rectangle((0, top - 3), edges[-1], 3, fill=False, edgecolor="black", zorder=3))
    ax.set_yticks([y for y, _ in ticks], [name for _, name in ticks])
    ax.set_xlim(0, edges[-1])
    ax.set_ylim(min(y for y, _ in ticks) - 0.6, 0.1)
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(f"time ({unit})")
    hatched = ", hatched: average over a pulse" if np.any(frames.pulses) else ""
    ax.set_title(f"red +1, blue −1{hatched}", loc="right", fontsize=8)
    return [*cells, *numbers]


def _alike(n: Real) -> list[list[int]]:
    """Return the spins in groups of the same axes: (I, S, 3) → lists of spins."""
    groups: list[list[int]] = []
    for k in range(n.shape[1]):
        for group in groups:
            if np.allclose(n[:, group[0]], n[:, k], atol=1e-9):
                group.append(k)
                break
        else:
            groups.append([k])
    return groups


def _color(value: float) -> tuple[float, ...]:
    return tuple(mpl.colormaps["RdBu_r"](0.5 + np.clip(value, -1, 1) / 2))


def _draw_row(
    ax: Axes, values: Real, pulses: NDArray[np.bool_], edges: Real, top: float
) -> list[Artist]:
    row: list[Artist] = []
    for k, value in enumerate(values):
        cell = Rectangle((edges[k], top - 1), edges[k + 1] - edges[k], 1, facecolor=_color(value))
        cell.set(edgecolor=QUIET, linewidth=0.4, hatch="////" if pulses[k] else None)
        ax.add_patch(cell)
        row.append(cell)
    return row


def _draw_numbers(
    ax: Axes, values: Real, pulses: NDArray[np.bool_], edges: Real, top: float
) -> list[Artist]:
    """Write the values into columns that are wide enough, and that are not simply 0 or ±1.

    No hatch runs through the numbers.
    """
    wide = np.diff(edges) > _NUMBERS * edges[-1]
    telling = (np.abs(values) > _SMALL) & (np.abs(values) < 1 - _SMALL)
    numbers: list[Artist] = []
    for k in np.flatnonzero(wide & telling):
        x, text = (edges[k] + edges[k + 1]) / 2, f"{values[k]:.2f}".replace("-", "−")
        color = "white" if abs(values[k]) > 0.6 else "black"
        number = ax.text(x, top - 0.5, text, ha="center", va="center", fontsize=8, color=color)
        if pulses[k]:
            number.set_bbox({"facecolor": _color(values[k]), "edgecolor": "none", "pad": 1})
        numbers.append(number)
    return numbers
