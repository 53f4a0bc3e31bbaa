"""How pictures show what is not determined: hatched from top to bottom, never as a zero."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nmrqb.plotting.style import QUIET

_FACE, _LINES = "#efefef", "#c4c4c4"


def hatched(ax: Axes, left: float, right: float, text: str = "") -> Rectangle:
    """Hatch a strip of an axis from top to bottom, in data units, with a text in its middle."""
    strip = ax.axvspan(
        left, right, facecolor=_FACE, edgecolor=_LINES, hatch="///", linewidth=0, zorder=0.5
    )
    if text:
        ax.text(
            (left + right) / 2,
            0.5,
            text,
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="center",
            fontsize=9,
            color=QUIET,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2},
        )
    return strip
