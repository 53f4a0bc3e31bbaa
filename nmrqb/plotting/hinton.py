"""Hinton diagrams: area for the modulus, colour for the phase or the sign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle, Wedge

from nmrqb.operators import Complex, Real
from nmrqb.plotting.matrices import checked_limit, checked_matrix, name_states
from nmrqb.plotting.style import NEGATIVE, POSITIVE, QUIET

_WIDEST = 0.94  # side of the largest square, of a cell
_BACKGROUND, _EDGE = "#f2f2f2", "#444444"
_SECTORS = 72


def phase_colors(phases: Real) -> Real:
    """Return colours of phases in rad: red 0, light π/2, blue π, dark −π/2; (...) → (..., 4).

    The circle runs through lightness as well as between red and blue, so that phases are told
    apart by those who see no red or no green too.
    """
    turns = np.asarray(phases) / (2 * np.pi)
    return np.asarray(colormaps["twilight"](np.mod(0.75 + turns, 1.0)))


def draw_hinton(
    ax: Axes,
    values: Complex | Real,
    labels: Sequence[str],
    *,
    limit: float | None = None,
    title: str = "",
) -> list[Rectangle]:
    """Draw a matrix as squares whose areas are the moduli of its elements.

    The colour of a complex matrix is the phase (see `draw_phase_key`), that of a real one the
    sign: red positive, blue negative.

    Parameters
    ----------
    ax
        Where to draw.
    values
        Shape (d, d), dimensionless.
    labels
        Names of the basis states, say 00, 01, 10, 11.
    limit
        Modulus of the square that fills its cell; by default the largest.
    title
        Title of the picture.

    Returns
    -------
    list of Rectangle
        Row by row; elements that are zero have squares without area.

    Raises
    ------
    ArgumentError
        If the matrix is not finite or does not fit the labels, or the limit is too small.
    """
    matrix = checked_matrix(values, labels)
    moduli = np.abs(matrix)
    full = checked_limit(float(moduli.max()) or 1.0 if limit is None else limit, moduli.max())
    sides = _WIDEST * np.sqrt(moduli / full)
    if np.iscomplexobj(np.asarray(values)):
        colors: list[Any] = list(phase_colors(np.angle(matrix)).reshape(-1, 4))
    else:
        colors = [POSITIVE if value >= 0 else NEGATIVE for value in matrix.real.ravel()]
    squares = [
        Rectangle((j - s / 2, i - s / 2), s, s, facecolor=color, edgecolor=_EDGE, linewidth=0.5)
        for ((i, j), s), color in zip(np.ndenumerate(sides), colors, strict=True)
    ]
    for square in squares:
        ax.add_patch(square)
    _cells(ax, len(labels))
    name_states(ax, labels)
    ax.set(title=title, xlabel=f"a full cell: {full:.3g}")
    return squares


def _cells(ax: Axes, d: int) -> None:
    """Draw the cells of a matrix, the first row on top."""
    ax.set(xlim=(-0.5, d - 0.5), ylim=(d - 0.5, -0.5), aspect="equal", facecolor=_BACKGROUND)
    for edge in np.arange(d - 1) + 0.5:
        ax.axhline(edge, color="white", linewidth=1, zorder=0)
        ax.axvline(edge, color="white", linewidth=1, zorder=0)
    ax.spines[:].set_color(QUIET)


def draw_phase_key(ax: Axes) -> list[Wedge]:
    """Draw the colours of phases as a ring, 1 to the right and i on top; returns its sectors."""
    edges = np.linspace(-180, 180, _SECTORS + 1)
    colors = phase_colors(np.deg2rad((edges[1:] + edges[:-1]) / 2))
    sectors = [
        Wedge((0, 0), 1, start, stop + 0.3, width=0.45, facecolor=color, edgecolor="none")
        for start, stop, color in zip(edges[:-1], edges[1:], colors, strict=True)
    ]
    for sector in sectors:
        ax.add_patch(sector)
    for text, x, y in (("1", 1.4, 0), ("i", 0, 1.45), ("−1", -1.5, 0), ("−i", 0, -1.45)):
        ax.text(x, y, text, ha="center", va="center", fontsize=9)
    ax.text(0, 0, "phase", ha="center", va="center", fontsize=6)
    ax.set(xlim=(-1.9, 1.9), ylim=(-1.8, 1.8), aspect="equal")
    ax.set_axis_off()
    return sectors
