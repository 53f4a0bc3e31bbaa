"""Making a map: block after block, from where it was left."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import xarray as xr

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.experiment.loader import load_experiment
from nmrqb.experiment.sweeps.plan import Plan, plan_sweep
from nmrqb.experiment.sweeps.store import Store, open_map, open_store, recorded_seed
from nmrqb.experiment.sweeps.workers import Compute, chosen_workers

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Map:
    """A map on disk.

    Attributes
    ----------
    plan
        What it is of.
    store
        Where it is.
    found
        Points that were there already.
    """

    plan: Plan
    store: Store
    found: int

    @property
    def data(self) -> xr.Dataset:
        """Labelled arrays, read where they are used."""
        return open_map(self.store.folder)

    def __repr__(self) -> str:
        return f"<Map of {self.plan.name}: {self.store.layout.points} points>"


@checked
def sweep(  # noqa: PLR0913 - all keywords, and each one stands alone
    experiment: str | Path,
    over: Mapping[str, str] | None = None,
    *,
    out: str | Path,
    overrides: Mapping[str, str | float] | None = None,
    lhs: int | None = None,
    table: str | Path | None = None,
    figures: Iterable[str] | None = None,
    reduce: Iterable[str] | None = None,
    tomography: bool = False,
    seed: int | None = None,
    workers: int | None = 0,
    scheduler: str | None = None,
    block: int | None = None,
    progress: Progress | None = None,
) -> Map:
    """Map figures of merit over parameters of an experiment, into a folder.

    A folder that holds a part of the same map is gone on with.  Blocks are written whole; numbers
    depend neither on their size nor on who computes them.

    Parameters
    ----------
    experiment, over, overrides, lhs, table, figures, reduce, tomography
        As for `plan_sweep`.
    out
        Folder of the map.
    seed
        Of every random number; by default that of the map that is there, the experiment's own, or
        a drawn one.
    workers
        Processes on this machine: 0 is this process itself, None one for every core.
    scheduler
        Address of a Dask scheduler, whose workers compute instead; unless every parameter is of
        the battery, the start state or the drive, they must see the files of the experiment.
    block
        Points of a block of a new map, by default about a second of work.
    progress
        Called with (points done, points to do) of this call.

    Returns
    -------
    Map

    Raises
    ------
    InputError
        With the faults of the experiment and of the values.
    OutputError
        If the folder holds something else or a different map, or cannot be written.
    """
    for name, value, least in (("workers", workers, 0), ("block", block, 1)):
        if value is not None and value < least:
            raise ArgumentError(f"Argument `{name}` must be {least} or more, but is {value}")
    plan = plan_sweep(
        experiment,
        over,
        overrides=overrides,
        lhs=lhs,
        table=table,
        figures=figures,
        reduce=reduce,
        tomography=tomography,
        seed=_seed(experiment, overrides, seed, out),
    )
    store = open_store(out, plan, block)
    return _made(plan, store, partial(chosen_workers, workers, scheduler), progress)


def _seed(
    experiment: str | Path,
    overrides: Mapping[str, str | float] | None,
    seed: int | None,
    out: str | Path,
) -> int:
    if seed is not None:
        return seed
    there = recorded_seed(out)
    if there is not None:
        return there
    own = load_experiment(experiment, overrides=overrides).seed
    return secrets.randbits(32) if own is None else own


def _made(
    plan: Plan, store: Store, choose: Callable[[int], Compute], progress: Progress | None
) -> Map:
    layout, done = store.layout, store.finished()
    missing = [number for number in range(layout.blocks) if number not in done]
    found = sum(plan.block(layout, number).points for number in done)
    report, finished = progress or (lambda done, total: None), 0
    for number, arrays in choose(len(missing))(plan.job, (plan.block(layout, n) for n in missing)):
        store.write(number, arrays)
        finished += plan.block(layout, number).points
        report(finished, layout.points - found)
    return Map(plan, store, found)
