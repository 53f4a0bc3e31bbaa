"""Panels of theory figures: several curves over one axis, values over a plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.operators import Real
from nmrqb.plotting.style import CHANNELS, TRUE, quiet_axes

COLOURS = (TRUE, *CHANNELS, "#7b3294", "#888888")
_DASHES = ("-", "--", "-.")
_LEAST_MARKED = 15  # points; fewer are marked, for they are no curve


def draw_curves(ax: Axes, x: Real, curves: Mapping[str, Real]) -> list[Artist]:
    """Draw curves over one axis, told apart by colour and dashes.

    Parameters
    ----------
    ax
        Where to draw; the caller labels its axes.
    x
        Shape (n,).
    curves
        Label to values of shape (n,).  ``_label`` goes with ``label``: of its colour, dotted, and
        not in the legend.

    Returns
    -------
    list of Artist
        One line per curve.
    """
    marker = "o" if np.size(x) < _LEAST_MARKED else ""
    artists: list[Artist] = []
    names = list(dict.fromkeys(label.removeprefix("_") for label in curves))
    for label, values in curves.items():
        k = names.index(label.removeprefix("_"))
        artists += ax.plot(
            x,
            values,
            color=COLOURS[k % len(COLOURS)],
            linestyle=":" if label.startswith("_") else _DASHES[k % len(_DASHES)],
            marker=marker,
            markersize=3,
            linewidth=1.3,
            label=label,
        )
    if len(names) > 1:
        ax.legend(fontsize=7, frameon=False)
    quiet_axes(ax)
    return artists


def draw_density(ax: Axes, x: Real, y: Real, values: Real, *, label: str) -> list[Artist]:
    """Draw values over a plane by colour, with a labelled colour bar.

    Parameters
    ----------
    ax
        Where to draw; the caller labels its axes.
    x, y
        Shapes (n,) and (m,).
    values
        Shape (m, n).
    label
        Of the colour bar, unit included.

    Returns
    -------
    list of Artist
        The coloured mesh.
    """
    mesh = ax.pcolormesh(x, y, values, shading="nearest", cmap="viridis", rasterized=True)
    bar = ax.get_figure(root=True).colorbar(mesh, ax=ax)  # type: ignore[union-attr]
    bar.set_label(label, fontsize=8)
    return [mesh]
