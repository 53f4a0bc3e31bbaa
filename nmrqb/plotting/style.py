"""Colours and small helpers that all pictures share."""

from __future__ import annotations

from matplotlib.axes import Axes

TRUE = "#222222"
ESTIMATE = "#c1272d"
MODEL = "#0071bc"
WORK = "#2b8a3e"
QUIET = "#888888"
POSITIVE, NEGATIVE = "#b2182b", "#2166ac"
CHANNELS = ("#0071bc", "#c1272d", "#2b8a3e", "#b35900")


def quiet_axes(ax: Axes, *, grid: bool = True) -> None:
    """Take away what distracts: the upper and right spine, a loud grid."""
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(visible=True, color="#dddddd", linewidth=0.6)
        ax.set_axisbelow(True)


def milliseconds(seconds: float) -> str:
    """Return a time as text with a fitting unit, say ``1.162 ms``."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.4g} µs"
    return f"{seconds * 1e3:.4g} ms" if seconds < 1 else f"{seconds:.4g} s"
