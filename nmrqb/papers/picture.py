"""Figures of the papers: panels of curves and density plots, laid out as in print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmrqb.operators import Real
from nmrqb.plotting import draw_curves, draw_density


@dataclass(frozen=True, eq=False)
class Curves:
    """A panel of curves over one axis.

    Attributes
    ----------
    title, xlabel, ylabel
        Words on the panel, units included.
    x
        Shape (n,).
    curves
        Label in the legend to values, each of shape (n,).
    """

    title: str
    xlabel: str
    ylabel: str
    x: Real
    curves: Mapping[str, Real]


@dataclass(frozen=True, eq=False)
class Density:
    """A panel that shows values over a plane by colour.

    Attributes
    ----------
    title, xlabel, ylabel, zlabel
        Words on the panel, units included.
    x, y
        Shapes (n,) and (m,).
    values
        Shape (m, n): the row is y.
    """

    title: str
    xlabel: str
    ylabel: str
    zlabel: str
    x: Real
    y: Real
    values: Real


Panel: TypeAlias = Curves | Density
Run = TypeVar("Run")


def panels_of(
    runs: Mapping[str, Run],
    x: Real,
    xlabel: str,
    shown: Mapping[str, tuple[str, Callable[[Run], Real]]],
) -> list[Curves]:
    """Return panels with one curve of every run.

    Parameters
    ----------
    runs
        Label in the legend to what was computed.
    x, xlabel
        The axis that all panels share, shape (n,).
    shown
        Title of a panel to the words on its axis and the curve of a run, of shape (n,).
    """
    return [
        Curves(title, xlabel, ylabel, x, {label: curve(run) for label, run in runs.items()})
        for title, (ylabel, curve) in shown.items()
    ]


def draw(panels: Sequence[Panel], title: str = "") -> Figure:
    """Return a figure of panels, two in a row (one if there is one, three from nine on)."""
    columns = 1 if len(panels) == 1 else 2 if len(panels) < 9 else 3
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.8 * columns, 3.2 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, panel in zip(axes, panels, strict=False):
        if isinstance(panel, Curves):
            draw_curves(ax, panel.x, panel.curves)
        else:
            draw_density(ax, panel.x, panel.y, panel.values, label=panel.zlabel)
        ax.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
        ax.set_title(panel.title, fontsize=9)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    figure.suptitle(title, fontsize=10)
    return figure
