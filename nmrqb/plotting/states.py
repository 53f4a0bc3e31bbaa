"""Density matrices."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from nmrqb.operators import Real


def draw_matrix(
    ax: Axes, values: Real, labels: Sequence[str], *, limit: float, title: str = ""
) -> AxesImage:
    """Draw one real matrix as coloured cells with their numbers, zero white.

    Parameters
    ----------
    ax
        Where to draw.
    values
        Shape (d, d).
    labels
        Names of the basis states, say 00, 01, 10, 11.
    limit
        Value of the full colour, either sign.
    title
        Title of the picture.

    Returns
    -------
    AxesImage
    """
    image = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    names = [f"|{label}⟩" for label in labels]
    ax.set_xticks(range(len(labels)), names)
    ax.set_yticks(range(len(labels)), names)
    ax.tick_params(length=0)
    ax.set_title(title)
    if len(labels) <= 4:
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                color = "white" if abs(value) > 0.6 * limit else "black"
                text = f"{value + 0.0:.3f}".replace("-0.000", "0.000")
                ax.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
    return image
