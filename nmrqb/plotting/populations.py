"""Populations as bars with their errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real
from nmrqb.plotting.matrices import label_size
from nmrqb.plotting.style import ESTIMATE, quiet_axes
from nmrqb.plotting.unknown import hatched


def draw_populations(
    ax: Axes,
    labels: Sequence[str],
    values: Real | None,
    errors: Real | None = None,
    *,
    ylabel: str = "population",
    title: str = "",
) -> BarContainer | None:
    """Draw populations of basis states as bars; where they are not determined, say so.

    Parameters
    ----------
    ax
        Where to draw.
    labels
        Names of the basis states, say 00, 01, 10, 11.
    values, errors
        Populations and their standard deviations, shape (d,); None where they are not determined.
    ylabel
        What is drawn, say less the mean.
    title
        Title of the picture.

    Returns
    -------
    BarContainer or None
        The bars, None where there are none.

    Raises
    ------
    ArgumentError
        If there is not one finite number for every state, or an error is negative.
    """
    ax.set(title=title, ylabel=ylabel)
    size, turned = label_size(len(labels)), 90 if len(labels) > 8 else 0
    names = [f"|{label}⟩" for label in labels]
    ax.set_xticks(range(len(labels)), names, rotation=turned, fontsize=size)
    ax.set_xlim(-0.7, len(labels) - 0.3)
    ax.tick_params(axis="x", length=0)
    quiet_axes(ax)
    ax.grid(visible=False, axis="x")
    if values is None:
        hatched(ax, -0.7, len(labels) - 0.3, "not determined")
        ax.set_yticks([])
        return None
    heights = _checked(values, "values", len(labels))
    spread = None if errors is None else _checked(errors, "errors", len(labels))
    if spread is not None and np.any(spread < 0):
        raise ArgumentError(f"Argument `errors` must be ≥ 0, but holds {spread.min():.3g}")
    ax.axhline(0, color="black", linewidth=0.8)
    return ax.bar(
        range(len(labels)),
        heights,
        0.7,
        yerr=spread,
        error_kw={"elinewidth": 1.0, "capsize": min(3.0, 60 / len(labels)), "ecolor": "black"},
        color=ESTIMATE,
    )


def _checked(values: Real, name: str, size: int) -> Real:
    numbers = as_real(values, name)
    if numbers.shape != (size,) or not np.all(np.isfinite(numbers)):
        raise ArgumentError(
            f"Argument `{name}` must be {size} finite numbers, one for every label, but has shape "
            f"{numbers.shape}"
        )
    return numbers
