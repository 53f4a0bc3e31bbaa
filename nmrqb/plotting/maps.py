"""Maps of a figure of merit over one or two parameters."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from nmrqb.plotting.style import TRUE, quiet_axes

_MOST = 400  # points along an axis of a picture; of more, every second, third … one is drawn


def draw_map(ax: Axes, data: xr.Dataset, name: str) -> list[Artist]:
    """Draw one array of a map: a density plot of two parameters, a curve of one, or points.

    Parameters
    ----------
    ax
        Where to draw; a density plot has a colour bar beside it.
    data
        As `nmrqb.experiment.sweeps.open_map` opens it; only what is drawn is read.
    name
        Name of the array, of one or two dimensions.

    Returns
    -------
    list of Artist
        The mesh, the line, or the marks.  Points that are not there yet are left blank.

    Raises
    ------
    ValueError
        If the array has more than two dimensions.

    Notes
    -----
    Figs. 10–12 of dipolar-battery-dm-ksea-nmr are such plots.
    """
    values = data[name][tuple(slice(None, None, -(-n // _MOST)) for n in data[name].shape)]
    if values.ndim > 2:
        raise ValueError(f"a picture has one or two dimensions, but `{name}` has {values.ndim}")
    if "point" in values.dims:
        return _points(ax, data, values)
    labels = [axis_label(data[dim]) for dim in values.dims]
    if values.ndim == 1:
        line = ax.plot(data_of(values, 0), values, color=TRUE, linewidth=1.4)
        ax.set(xlabel=labels[0], ylabel=value_label(values))
        quiet_axes(ax)
        return list(line)
    mesh = ax.pcolormesh(
        data_of(values, 0), data_of(values, 1), values.values.T, shading="nearest", rasterized=True
    )
    ax.set(xlabel=labels[0], ylabel=labels[1])
    _colour_bar(ax, mesh, values)
    return [mesh]


def _points(ax: Axes, data: xr.Dataset, values: xr.DataArray) -> list[Artist]:
    """Draw points against the first parameter, coloured if there is a second one."""
    axes = [coordinate for coordinate in data.coords.values() if coordinate.dims == ("point",)]
    step = slice(None, None, -(-data.sizes["point"] // _MOST))
    x = axes[0][step]
    ax.set_xlabel(axis_label(axes[0]))
    if len(axes) == 1:
        marks = ax.scatter(x, values, s=9, color=TRUE)
        ax.set_ylabel(value_label(values))
        quiet_axes(ax)
        return [marks]
    marks = ax.scatter(x, axes[1][step], c=values, s=14)
    ax.set_ylabel(axis_label(axes[1]))
    quiet_axes(ax, grid=False)
    _colour_bar(ax, marks, values)
    return [marks]


def _colour_bar(ax: Axes, drawn: Artist, values: xr.DataArray) -> None:
    figure = ax.get_figure()
    assert figure is not None  # who draws has a figure
    figure.colorbar(drawn, ax=ax, label=value_label(values))  # type: ignore[arg-type]


def data_of(values: xr.DataArray, axis: int) -> np.ndarray:
    """Return the coordinate along an axis."""
    return np.asarray(values[values.dims[axis]])


def axis_label(coordinate: xr.DataArray) -> str:
    """Return name and unit of a parameter: ``battery.D (Hz)``."""
    units = coordinate.attrs.get("units", "1")
    return f"{coordinate.attrs['long_name']}{f' ({units})' if units != '1' else ''}"


def value_label(values: xr.DataArray) -> str:
    """Return what an array holds, with its unit, on two lines."""
    text, units = values.attrs["long_name"], values.attrs["units"]
    first, between, second = text.partition(" of the ")
    broken = f"{first} of the\n{second}" if between else text
    return f"{broken}{f' ({units})' if units != '1' else ''}"
