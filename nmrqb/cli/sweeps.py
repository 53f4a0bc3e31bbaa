"""The verb `nmrqb sweep`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nmrqb.cli.console import INTERRUPTED, leave, progress_bar, verb, write
from nmrqb.cli.options import JSON, grouped
from nmrqb.cli.values import assignments


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True)
class MapOptions:
    """What is mapped: the points, and what is kept of every one."""

    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=START:STOP:POINTS",
            help="Values of a parameter: battery.D=0Hz:20Hz:101, with :log at the end for even "
            "ratios, or with commas 1Hz,2Hz,5Hz; repeatable [the file's `sweep` entry].",
        ),
    ] = None
    lhs: Annotated[
        int | None,
        typer.Option(min=1, help="Points of a Latin hypercube over PATH=START:STOP instead."),
    ] = None
    table: Annotated[
        str | None,
        typer.Option("--list", metavar="FILE.csv", help="Points: a line of paths, then values."),
    ] = None
    figures: Annotated[
        str | None, typer.Option(help="Figures of merit, with commas [those that are reported].")
    ] = None
    reduce: Annotated[
        str | None,
        typer.Option(
            help="What is kept over time: max, argmax, min, argmin, mean, last, none (whole "
            "curves), with commas [max,min]."
        ),
    ] = None
    tomography: Annotated[
        bool, typer.Option("--tomography", help="Measure and estimate every point as well.")
    ] = False


@dataclass(frozen=True)
class WorkOptions:
    """Where the map is written and what computes it."""

    out: Annotated[
        str | None, typer.Option(help="Folder, gone on with if it is there [NAME-map].")
    ] = None
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers compute.")
    ] = None
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine [one for every core].")
    ] = None
    block: Annotated[
        int | None, typer.Option(min=1, help="Points of a block of a new map [a second of work].")
    ] = None


def _kept(folder: str) -> str:
    from nmrqb.experiment.sweeps.store import FINISHED

    finished = Path(folder, FINISHED)
    if finished.is_file() and finished.stat().st_size:
        return f"finished blocks are in {folder}, and the same command goes on from them"
    return "no block was finished"


@verb
@grouped
def sweep(
    experiment: Annotated[str, typer.Argument(help="Shipped experiment or a .yaml file.")],
    wanted: MapOptions,
    work: WorkOptions,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random numbers.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file; repeatable."),
    ] = None,
    *,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Map figures of merit over parameters of an experiment; go on where it was left."""
    from nmrqb.experiment import load_experiment
    from nmrqb.experiment.sweeps import sweep as make
    from nmrqb.report import dump, map_document, map_text, write_map_report

    overrides = assignments("--set", changes or [])
    folder = work.out or f"{load_experiment(experiment, overrides=overrides).name}-map"
    try:
        with progress_bar(f"sweeping {experiment}") as progress:
            found = make(
                experiment,
                assignments("--over", wanted.over or []),
                out=folder,
                overrides=overrides,
                lhs=wanted.lhs,
                table=wanted.table,
                figures=_words(wanted.figures),
                reduce=_words(wanted.reduce),
                tomography=wanted.tomography,
                seed=seed,
                workers=work.workers,
                scheduler=work.scheduler,
                block=work.block,
                progress=progress,
            )
        files = write_map_report(found)
    except KeyboardInterrupt:
        leave(INTERRUPTED, f"interrupted; {_kept(folder)}")
    write(dump(map_document(found, files)) if as_json else map_text(found))
    if not as_json:
        write("\nFiles:\n" + "\n".join(f"  {file}" for file in files))
