"""City plots: a real matrix as towers on the plane of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from mpl_toolkits.mplot3d import proj3d
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from nmrqb.operators import Real
from nmrqb.plotting.matrices import checked_limit, checked_real, label_size
from nmrqb.plotting.style import NEGATIVE, POSITIVE, QUIET

_WIDTH = 0.72  # of a tower, of its cell
_FLAT = 1e-3  # of the limit: what is lower has no walls
_EDGE = "#333333"
_FACES = np.array(
    [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 5, 4], [3, 2, 6, 7], [0, 3, 7, 4], [1, 2, 6, 5]]
)
"""Corners of bottom, top, and the walls to front, back, left and right."""

_SHADES = np.array([0.6, 1.0, 0.78, 0.78, 0.6, 0.6])  # of the faces, as light falls from above


class Tower(Poly3DCollection):  # type: ignore[misc]
    """One box on the plane; boxes are drawn from the farthest foot to the nearest.

    For upright boxes in the cells of a grid, seen in parallel projection, that order is exact
    from every side: a box hides only boxes whose feet are farther.

    Attributes
    ----------
    row, column, height
        Its element of the matrix.
    faces
        Corners of bottom, top and four walls, shape (6, 4, 3).
    colors
        Of the same, shape (6, 3).
    """

    def __init__(self, row: int, column: int, height: float, color: str) -> None:
        self.row, self.column, self.height = row, column, height
        self.faces = _corners(column, row, height)[_FACES]
        self.colors = _SHADES[:, None] * np.array(to_rgb(color))
        super().__init__(
            self.faces,
            facecolors=self.colors,
            edgecolors=_EDGE,
            linewidths=0.5,
            clip_on=False,
        )

    def do_3d_projection(self) -> float:
        """Project the faces; return how far the foot is."""
        super().do_3d_projection()
        _, _, depth = proj3d.proj_transform(self.column, self.row, 0.0, self.axes.M)
        return float(depth)


def _corners(x: float, y: float, height: float) -> Real:
    """Return the corners of a box, four below and four above, shape (8, 3)."""
    half = _WIDTH / 2
    square = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    square = square + np.array([x, y])
    low, high = min(height, 0.0), max(height, 0.0)
    return np.concatenate([np.insert(square, 2, level, axis=1) for level in (low, high)])


def draw_city(
    ax: Axes3D,
    values: Real,
    labels: Sequence[str],
    *,
    limit: float | None = None,
    lowest: float = 0.0,
    title: str = "",
) -> list[Tower]:
    """Draw a real matrix as towers on a 3-D Axes: up and red positive, down and blue negative.

    Parameters
    ----------
    ax
        Where to draw, made with ``projection="3d"``.
    values
        Shape (d, d), dimensionless: real or imaginary part of a matrix.
    labels
        Names of the basis states, say 00, 01, 10, 11.
    limit
        Upper end of the vertical axis; by default the largest modulus.
    lowest
        Lower end; the axis reaches farther down where the matrix does.
    title
        Title of the picture.

    Returns
    -------
    list of Tower
        Row by row, those too without height.

    Raises
    ------
    ArgumentError
        If the matrix is not real and finite or does not fit the labels, or the limit is too small.
    """
    matrix = checked_real(values, labels)
    largest = float(np.abs(matrix).max())
    full = checked_limit(largest or 1.0 if limit is None else limit, largest)
    towers = [
        Tower(i, j, float(height), POSITIVE if height >= 0 else NEGATIVE)
        for (i, j), height in np.ndenumerate(matrix)
    ]
    for tower in towers:
        tower.set_visible(bool(abs(tower.height) > _FLAT * full))
        ax.add_collection3d(tower)
    _ground(ax, len(labels))
    _frame(ax, labels, min(0.0, lowest, float(matrix.min())), full)
    ax.set_title(title)
    return towers


def _ground(ax: Axes3D, d: int) -> None:
    """Draw the streets of level zero."""
    for edge in np.arange(d + 1) - 0.5:
        for x, y in (([edge, edge], [-0.5, d - 0.5]), ([-0.5, d - 0.5], [edge, edge])):
            ax.plot(x, y, [0, 0], color=QUIET, linewidth=0.5, zorder=0)


def _frame(ax: Axes3D, labels: Sequence[str], low: float, full: float) -> None:
    d, size = len(labels), label_size(len(labels))
    ax.set_proj_type("ortho")
    ax.view_init(elev=32, azim=-55)
    ax.set(xlim=(-0.5, d - 0.5), ylim=(d - 0.5, -0.5), zlim=(low, full))
    turned = 50 if d > 8 else 0
    look = {"fontsize": size, "rotation_mode": "anchor"}
    rows, columns = [f"|{label}⟩" for label in labels], [f"⟨{label}|" for label in labels]
    ax.set_xticks(range(d), columns, ha="right", rotation=turned, **look)
    ax.set_yticks(range(d), rows, ha="left", rotation=-turned, **look)
    for axis in ("x", "y"):
        ax.tick_params(axis=axis, pad=-2)
    ax.set_box_aspect((1, 1, 0.62))
