"""Robustness: what a sequence loses as its errors grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.average.robustness import RobustnessCurve, error_words, size_text
from nmrqb.plotting.style import QUIET, quiet_axes

_DASHES: tuple[Literal["-", "--"], ...] = ("-", "--")


def draw_robustness(
    ax: Axes,
    curves: Sequence[RobustnessCurve],
    *,
    scale: Literal["log", "linear"] = "log",
    floor: float = 1e-12,
    title: str = "",
) -> list[Artist]:
    """Draw infidelity against the size of errors, each in units of its assumed size.

    Parameters
    ----------
    ax
        Where to draw.
    curves
        The errors; `nmrqb.average.robustness_curves`.
    scale
        ``log``: both axes logarithmic, negative sizes and losses below ``floor`` left out;
        ``linear``: a sweep through zero.
    floor
        Smallest infidelity drawn on a logarithmic axis; a curve that never reaches it has no
        points, which the legend says.
    title
        Title of the picture.

    Returns
    -------
    list of Artist
        One line per curve, then the vertical line at the assumed sizes.
    """
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    artists: list[Artist] = []
    for k, curve in enumerate(curves):
        x, y = np.asarray(curve.sizes) / curve.size, np.asarray(curve.infidelity)
        text = f"{error_words(curve.error)} ({size_text(curve.size, curve.unit)})"
        if scale == "log":
            shown = (x > 0) & (y >= floor)
            x, y = x[shown], y[shown]
            text += "" if x.size else f": below {floor:g}"
        artists += ax.plot(
            x,
            y,
            color=colours[k % len(colours)],
            linestyle=_DASHES[k // len(colours) % 2],
            linewidth=1.4,
            label=text,
        )
    if scale == "log":
        ax.set(xscale="log", yscale="log")
    artists.append(ax.axvline(1, color=QUIET, linewidth=0.8, linestyle=":"))
    ax.set(
        xlabel="error / assumed size (in brackets)", ylabel="infidelity of one pass", title=title
    )
    ax.legend(fontsize=8, framealpha=0.85, edgecolor="none")
    quiet_axes(ax)
    return artists
