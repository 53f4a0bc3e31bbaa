"""What `nmrqb sweep` tells of a map: summary, JSON document, picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isnan
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nmrqb.battery.reductions import reduced_name
from nmrqb.experiment.sweeps import Map
from nmrqb.experiment.sweeps.axes import Axis
from nmrqb.experiment.sweeps.plan import Plan
from nmrqb.experiment.sweeps.points import Job
from nmrqb.experiment.sweeps.store import ARRAYS, PICTURE, SUMMARY
from nmrqb.files import write_bytes_atomically, write_text_atomically
from nmrqb.plotting.maps import draw_map
from nmrqb.report.pictures import new_figure, picture_bytes
from nmrqb.report.text import cleared

_PANELS = 8


@dataclass(frozen=True)
class Extremes:
    """The smallest and largest number of an array, and where they are.

    Attributes
    ----------
    name, units, title
        Of the array.
    low, high
        The numbers; None if the array is empty.
    low_at, high_at
        Name of a parameter (and of the time) to its value there, in SI units.
    """

    name: str
    units: str
    title: str
    low: float | None
    high: float | None
    low_at: dict[str, float]
    high_at: dict[str, float]


@lru_cache(maxsize=1)
def map_extremes(found: Map) -> list[Extremes]:
    """Return the extremes of every array of a map, which is read block by block."""
    data = found.data
    best: dict[str, list[tuple[float, tuple[int, ...]]]] = {}
    for number in range(found.store.layout.blocks):
        corner = [part.start for part in found.store.layout.place(number)]
        for name, values in found.store.read(number).items():
            if np.all(np.isnan(values)):
                continue
            for index in (np.nanargmin(values), np.nanargmax(values)):
                inside = np.unravel_index(index, values.shape)
                padded = [*corner, *[0] * (values.ndim - len(corner))]
                where = tuple(int(i) + c for i, c in zip(inside, padded, strict=True))
                best.setdefault(name, []).append((float(values[inside]), where))
    return [_extremes(found, data, name, best.get(name, [])) for name in found.store.names()]


def _extremes(
    found: Map, data: xr.Dataset, name: str, seen: list[tuple[float, tuple[int, ...]]]
) -> Extremes:
    labels = data[name].attrs
    stored = found.store.arrays[name].metadata.dimension_names

    def at(where: tuple[int, ...]) -> dict[str, float]:
        index = dict(zip(stored, where, strict=True))
        inside = {dim: k for dim, k in index.items() if dim in data.dims}
        point = data[name].isel(inside)
        return {str(dim): float(point[dim]) for dim in data[name].dims if dim in point.coords} | {
            str(key): float(value) for key, value in point.coords.items()
        }

    low, high = (min(seen), max(seen)) if seen else (None, None)
    return Extremes(
        name, labels["units"], labels["long_name"],
        low[0] if low else None, high[0] if high else None,
        at(low[1]) if low else {}, at(high[1]) if high else {},
    )  # fmt: skip


def map_document(found: Map, files: list[str]) -> dict[str, Any]:
    """Return the JSON document of `nmrqb sweep`."""
    plan, data = found.plan, found.data
    return {
        "experiment": plan.name,
        "seed": plan.job.seed,
        "kind": plan.kind,
        "points": found.store.layout.points,
        "found_points": found.found,
        "axes": [
            {
                "path": axis.path,
                "units": axis.units,
                "points": int(axis.values.size),
                "first": float(axis.values[0]),
                "last": float(axis.values[-1]),
            }
            for axis in sorted(plan.axes, key=lambda axis: plan.order.index(axis.path))
        ],
        "dimensions": {str(name): size for name, size in data.sizes.items()},
        "arrays": [
            {
                "name": e.name,
                "units": e.units,
                "low": e.low,
                "low_at": e.low_at,
                "high": e.high,
                "high_at": e.high_at,
            }
            for e in map_extremes(found)
        ],
        "files": files,
    }


def map_text(found: Map) -> str:
    """Return the summary of a map for people."""
    plan, points = found.plan, found.store.layout.points
    there = f", {found.found} of them found" if found.found else ""
    lines = [f"map of {plan.name}: {points} points ({plan.kind}){there}, seed {plan.job.seed}", ""]
    lines += [
        f"  {axis.path}: {axis.values.size} values {_range(axis, plan)}" for axis in plan.axes
    ]
    return "\n".join([*lines, "", *_rows(map_extremes(found))])


def _range(axis: Axis, plan: Plan) -> str:
    """Return from where to where the values of a grid go, or between which those of points lie."""
    if not plan.joint:
        first, last = (axis.text(float(v)) for v in axis.values[[0, -1]])
        return f"from {first} to {last}"
    unit = "" if axis.units == "1" else f" {axis.units}"
    return f"between {axis.values.min():.4g}{unit} and {axis.values.max():.4g}{unit}"


def _rows(extremes: list[Extremes]) -> Iterator[str]:
    width = max(len(e.name) for e in extremes)
    for e in extremes:
        unit = "" if e.units == "1" else f" {e.units}"
        if e.low is None or e.high is None:
            yield f"  {e.name.ljust(width)}  nothing"
            continue
        places = (_where(e.low_at), _where(e.high_at))
        low, high = (cleared(v, max(abs(e.low), abs(e.high))) for v in (e.low, e.high))
        yield (
            f"  {e.name.ljust(width)}  from {low:.6g}{unit} ({places[0]}) "
            f"to {high:.6g}{unit} ({places[1]})"
        )


def _where(at: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in at.items() if not isnan(value))


# ---------------------------------------------------------------------------------------- folder
def map_figure(found: Map) -> Figure | None:
    """Return the picture of a map of one or two parameters, None for others."""
    data = found.data
    names = [name for name in _chosen(found.plan.job) if _drawn(data[name])][:_PANELS]
    if not names:
        return None
    columns = min(2, len(names))
    figure = new_figure(5.2 * columns, 3.9 * ceil(len(names) / columns))
    for ax, name in zip(
        figure.subplots(ceil(len(names) / columns), columns, squeeze=False).flat,
        names,
        strict=False,
    ):
        draw_map(ax, data, name)
    for ax in figure.axes[len(names) :]:
        if not ax.has_data():
            ax.set_visible(False)
    return figure


def _chosen(job: Job) -> list[str]:
    """Return one array for every figure: its largest values, of anti-ergotropy the smallest."""
    others = [kept for kept in job.reductions if kept not in {"max", "min"}]
    orders = {"anti_ergotropy": ["min", "max", *others]}
    usual = ["max", "min", *others]
    return [
        reduced_name(figure, next(k for k in orders.get(figure, usual) if k in job.reductions))
        for figure in job.figures
    ]


def _drawn(values: xr.DataArray) -> bool:
    return values.ndim <= 2 and "time" not in values.dims and "step" not in values.dims


def write_map_report(found: Map) -> list[str]:
    """Write summary and picture into the folder of a map, and return all its files.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    folder = found.store.folder
    write_text_atomically(folder / SUMMARY, map_text(found) + "\n")
    files = [str(folder / ARRAYS), str(folder / SUMMARY)]
    figure = map_figure(found)
    if figure is not None:
        write_bytes_atomically(folder / PICTURE, picture_bytes(figure, PICTURE))
        files.append(str(folder / PICTURE))
    return files
