"""Figures of merit of the points of a sweep: what a worker does."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import nmrqb
from nmrqb.battery import charging_map, open_charging_map
from nmrqb.battery.reductions import REDUCTIONS, reduced, reduced_name
from nmrqb.errors import ArgumentError
from nmrqb.experiment.charging import charge
from nmrqb.experiment.cycle import initial_state
from nmrqb.experiment.inhomogeneity import ensemble_of
from nmrqb.experiment.loader import load_experiment
from nmrqb.experiment.measuring import receiver_of
from nmrqb.experiment.model import DriveCharge, Experiment
from nmrqb.experiment.runner import run
from nmrqb.experiment.sweeps.axes import Axis
from nmrqb.experiment.sweeps.batteries import Recipe, is_state_path
from nmrqb.experiment.sweeps.layout import Block
from nmrqb.operators import Complex, Real, partial_trace, pauli

Way = Literal["closed", "maps", "tomography"]
CLOCK = ("charge.rate", "charge.times.start", "charge.times.stop")
"""Paths that set when a drive is where."""

_INTERVAL = {"": "estimate", "_low": "lower end", "_high": "upper end"}
_MAP_VALUES = 8_000_000  # complex numbers of maps of members held at once

Items = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Job:
    """What is computed at every point; it can be sent to another process.

    Attributes
    ----------
    argument, overrides
        The experiment, and ``--set`` values.
    hashes
        Of the files that the sweep was planned with, by name.
    recipe
        Batteries and start states.
    drive
        The drive that is charged with, or None for a sequence.
    paths
        Parameters, in the order of the columns of points.
    dimensions
        What their values are.
    figures, reductions
        What is wanted.
    way
        ``closed``: ideal hard pulses of a drive, in closed form; ``maps``: maps of states by the
        general simulation, one for all batteries and start states; ``tomography``: run the
        experiment.
    moving
        Whether times differ from point to point.
    seed
        Of every random number.
    version
        Of nmrqb.
    """

    argument: str
    overrides: Items
    hashes: Items
    recipe: Recipe
    drive: DriveCharge | None
    axes: tuple[Axis, ...]
    figures: tuple[str, ...]
    reductions: tuple[str, ...]
    way: Way
    moving: bool
    seed: int
    version: str = nmrqb.__version__


def compute(job: Job, block: Block) -> dict[str, Real]:
    """Return all figures of merit of a block: name to array of the block's shape.

    Raises
    ------
    NmrqbError
        If a point cannot be computed, or this process runs another version of nmrqb.
    """
    if job.version != nmrqb.__version__:
        raise ArgumentError(
            f"Argument `scheduler` must lead to workers with nmrqb {job.version}, but the one on "
            f"{platform.node()} has {nmrqb.__version__}"
        )
    found: dict[str, Real] = {}
    for place, rows, numbers in block.tiles():
        shape = tuple(part.stop - part.start for part in place)
        for name, values in _WAYS[job.way](job, rows, numbers).items():
            whole = found.setdefault(name, np.empty((*block.shape, *values.shape[1:])))
            whole[place] = values.reshape(*shape, *values.shape[1:])
    return found


def _columns(job: Job, rows: Real) -> dict[str, Real]:
    return {axis.path: rows[:, k] for k, axis in enumerate(job.axes)}


def _kept(job: Job, curves: Mapping[str, Real], times: Real) -> dict[str, Real]:
    """Reduce curves (n, T); whole ones have their times beside them where these differ."""
    found = reduced(curves, times, job.reductions)
    if job.moving and "none" in job.reductions:
        found["time"] = np.broadcast_to(times, next(iter(curves.values())).shape)
    return found


# ------------------------------------------------------------------------------------- closed form
def _closed(job: Job, rows: Real, _: NDArray[np.intp]) -> dict[str, Real]:
    """Evaluate a collective drive by hard pulses: every spin turns by 4πrt."""
    columns, count, n = _columns(job, rows), len(rows), len(job.recipe.labels)
    flips = [pauli("I" * k + "X" + "I" * (n - k - 1)) for k in range(n)]
    times, turns = _clock(job, columns, count)
    H = job.recipe.hamiltonians(columns, count)
    curves = charging_map(
        H,
        job.recipe.states(columns, H),
        np.sum(flips, axis=0),
        turns,
        figures=job.figures,
        reduce=("none",),
    )
    return _kept(job, curves, times)


def _clock(job: Job, columns: Mapping[str, Real], count: int) -> tuple[Real, Real]:
    """Return times and rate·times, of shape (T,) where all points have the same, else (n, T)."""
    drive = job.drive
    assert drive is not None  # closed form is for drives
    times = drive.times_s
    if job.moving:
        start = columns.get(CLOCK[1], np.full(count, times[0]))
        stop = columns.get(CLOCK[2], np.full(count, times[-1]))
        times = np.linspace(start, stop, times.size, axis=-1)
    rates = columns.get(CLOCK[0])
    return times, times * (drive.rate_hz if rates is None else rates[:, None])


# -------------------------------------------------------------------------------------------- maps
def _mapped(job: Job, rows: Real, _: NDArray[np.intp]) -> dict[str, Real]:
    """Evaluate by maps of states, one for all points whose charging is the same."""
    charging = [k for k, axis in enumerate(job.axes) if not is_state_path(axis.path)]
    kinds, which = np.unique(rows[:, charging], axis=0, return_inverse=True)
    found: dict[str, Real] = {}
    for number, kind in enumerate(kinds):
        members = np.flatnonzero(which.ravel() == number)
        changes = tuple(
            (job.axes[k].path, job.axes[k].text(value))
            for k, value in zip(charging, kind, strict=True)
        )
        maps, times = _mean_maps(job.argument, job.overrides + changes, job.hashes, job.seed)
        columns = _columns(job, rows[members])
        H = job.recipe.hamiltonians(columns, len(members))
        curves = open_charging_map(
            H,
            job.recipe.states(columns, H),
            maps,
            times,
            figures=job.figures,
            reduce=("none",),
        )
        for name, values in _kept(job, curves, times).items():
            whole = found.setdefault(name, np.empty((len(rows), *values.shape[1:])))
            whole[members] = values
    return found


@lru_cache(maxsize=2)
def _mean_maps(argument: str, overrides: Items, hashes: Items, seed: int) -> tuple[Complex, Real]:
    """Return charging maps averaged over the sample, to the battery alone, and their times."""
    experiment = _experiment(argument, overrides, hashes)
    acquisition = float(receiver_of(experiment).times_s[-1])
    drawn = int(np.random.SeedSequence(seed).generate_state(1)[0])
    ensemble = ensemble_of(experiment, initial_state(experiment), acquisition, drawn)
    d = 2 ** len(experiment.sample.spins)
    total: Complex = np.zeros(1, dtype=complex)
    times: Real = np.zeros(0)
    for share, part in ensemble.blocks(max(1, _MAP_VALUES // (points_of(experiment) * d**4))):
        found = charge(experiment.charge, experiment.sample, experiment.noise, part)
        total, times = total + share * part.mean(found.maps), found.time_s
    spins = experiment.battery.spins
    if spins is None:
        return total, times
    columns = np.moveaxis(total.reshape(len(times), d, d, d * d), -1, 1)
    reduced_maps = partial_trace(columns, spins).reshape(len(times), d * d, -1)
    return np.ascontiguousarray(reduced_maps.swapaxes(1, 2)), times


def points_of(experiment: Experiment) -> int:
    """Return the number of times of an experiment."""
    return experiment.charge.points


def _experiment(argument: str, overrides: Items, hashes: Items) -> Experiment:
    """Load the experiment of a point from the files that the sweep was planned with."""
    found = load_experiment(argument, overrides=dict(overrides))
    for name, value in hashes:
        if found.inputs_sha256.get(name) != value:
            raise ArgumentError(
                f"Argument `experiment` must stay as it is while it is swept, but {name} has "
                "changed"
            )
    return found


# -------------------------------------------------------------------------------------- tomography
def _tomography(job: Job, rows: Real, numbers: NDArray[np.intp]) -> dict[str, Real]:
    """Run the experiment at every point, with a seed of its own."""
    parts = [_run(job, row, int(number)) for row, number in zip(rows, numbers, strict=True)]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _run(job: Job, row: Real, number: int) -> dict[str, Real]:
    changes = tuple((axis.path, axis.text(v)) for axis, v in zip(job.axes, row, strict=True))
    report = ("report", f"[{', '.join(job.figures)}]")
    experiment = _experiment(job.argument, (*job.overrides, *changes, report), job.hashes)
    seed = np.random.SeedSequence(job.seed, spawn_key=(number,)).generate_state(1)[0]
    data = run(experiment, seed=int(seed)).data
    times = data["time"].values
    true = {name: data[f"true_{name}"].values for name in job.figures}
    found = _kept(job, true, times)
    for name in job.figures:
        for end in _INTERVAL:
            curve = data[name + end].values
            for reduction in set(job.reductions) & {*PICKED}:
                kept = PICKED[reduction](true[name], curve)
                found[f"{reduced_name(name, reduction)}_estimate{end}"] = kept
    return found


PICKED: Mapping[str, Callable[[Real, Real], Real]] = MappingProxyType(
    {
        "max": lambda true, curve: curve[true.argmax()],
        "min": lambda true, curve: curve[true.argmin()],
        "last": lambda true, curve: curve[-1],
        "none": lambda true, curve: curve,
    }
)
"""Reductions of estimates: taken where the true figure has its extreme, so that noise is not
picked out."""

_WAYS: Mapping[Way, Callable[[Job, Real, NDArray[np.intp]], dict[str, Real]]] = {
    "closed": _closed,
    "maps": _mapped,
    "tomography": _tomography,
}


def variables(job: Job) -> dict[str, tuple[str, str]]:
    """Return the name of every array of the map, and the figure and reduction that it holds."""
    wanted = [(figure, kept) for figure in job.figures for kept in job.reductions]
    found = {reduced_name(figure, kept): (figure, kept) for figure, kept in wanted}
    if job.way == "tomography":
        found |= {
            f"{reduced_name(figure, kept)}_estimate{end}": (figure, kept)
            for figure, kept in wanted
            if kept in PICKED
            for end in _INTERVAL
        }
    if job.moving and "none" in job.reductions:
        found["time"] = ("time", "none")
    return found


__all__ = ["CLOCK", "PICKED", "REDUCTIONS", "Job", "Way", "compute", "points_of", "variables"]
