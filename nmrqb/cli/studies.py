"""The verbs that study a method rather than a sample: readouts, study, reproduce."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nmrqb.cli.console import NOT_AS_RECORDED, leave, progress_bar, verb, write
from nmrqb.cli.options import JSON, Pulses


class Figure(StrEnum):
    """What optimal readouts make small."""

    A = "A"
    E = "E"
    condition = "condition"


class StudyKind(StrEnum):
    """Studies of nmrqb by itself."""

    coverage = "coverage"


@verb
def study(
    kind: Annotated[StudyKind, typer.Argument(help="What to study.")],
    experiment: Annotated[
        str, typer.Argument(help="Shipped experiment or file: sample, readouts, battery.")
    ] = "charge_dm_ksea",
    seeds: Annotated[int, typer.Option(min=1, help="Studies, with seeds 1, 2, …")] = 3,
    repetitions: Annotated[int, typer.Option(min=2, help="Experiments per cell.")] = 1600,
    quick: Annotated[bool, typer.Option(help="One seed of 200 experiments per cell.")] = False,
    out: Annotated[str | None, typer.Option(help="Folder for coverage.txt, coverage.png.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Check by simulated experiments that error bars cover what they claim (minutes)."""
    import time

    from nmrqb.experiment import coverage_study, load_experiment
    from nmrqb.report import (
        check_coverage_folder,
        coverage_document,
        coverage_text,
        dump,
        write_coverage,
    )

    if out is not None:
        check_coverage_folder(out)
    loaded, start = load_experiment(experiment), time.process_time()
    with progress_bar(f"studying {kind.value} of {loaded.name}") as progress:
        found = coverage_study(
            loaded,
            seeds=range(1, 2 if quick else seeds + 1),
            repetitions=200 if quick else repetitions,
            progress=progress,
        )
    text = coverage_text(found, seconds=time.process_time() - start)
    files = [] if out is None else write_coverage(found, text, out)
    write(dump(coverage_document(found, files)) if as_json else text)


@verb
def reproduce(
    selection: Annotated[
        str | None,
        typer.Argument(metavar="[PAPER[/ITEM]]", help="A paper, and a figure or item of it [all]."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="Folder for the table and the drawn figures.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Compute what the papers print, tell whether it agrees, draw their figures."""
    from nmrqb.papers import (
        as_expected,
        check_reproduction_folder,
        document,
        figures,
        text,
        write_reproduction,
    )
    from nmrqb.papers import reproduce as reproduced
    from nmrqb.report import dump, picture_bytes

    if out is not None:
        check_reproduction_folder(out)
    with progress_bar("reproducing") as progress:
        rows = reproduced(selection, progress=progress)
    files = []
    if out is not None:
        pictures = {name: picture_bytes(figure, name) for name, figure in figures(selection)}
        files = write_reproduction(rows, pictures, out)
    write(dump(document(rows)) if as_json else text(rows))
    if files and not as_json:
        write("\nFiles:\n" + "\n".join(f"  {file}" for file in files))
    if not as_expected(rows):
        leave(NOT_AS_RECORDED)


@verb
def readouts(  # noqa: PLR0913 - one for every option
    sample: Annotated[str, typer.Argument(help="Shipped sample or a .yaml file.")],
    words: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="READOUTS",
            help="Readouts with commas between them: II,IX or 'XX, 90 x - 2 ms - 45 y, readout_XX' "
            "(letters per spin; steps of pulses, delays, crush; sequences).",
        ),
    ] = None,
    best: Annotated[
        int | None,
        typer.Option(min=1, help="Choose so many out of the candidates [the fewest that do]."),
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Observe this nucleus; repeatable [all].")
    ] = None,
    criterion: Annotated[
        Figure, typer.Option(help="Least sum of variances, largest variance, or condition.")
    ] = Figure.A,
    non_selective: Annotated[
        bool, typer.Option("--non-selective", help="Candidates turn all spins alike.")
    ] = False,
    pulses: Annotated[Pulses, typer.Option(help="Instantaneous or finite pulses.")] = Pulses.ideal,
    battery: Annotated[
        str | None, typer.Option(help="Whose figures of merit: D=20Hz,G=5Hz.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Tell what a set of readouts sees of a state and what not, or find the best set."""
    from nmrqb.cli.readouts import readout_report
    from nmrqb.report import dump, readouts_document, readouts_text
    from nmrqb.sample import load_sample

    report = readout_report(
        load_sample(sample),
        words=words,
        best=best,
        channels=channel or (),
        criterion=criterion.value,
        non_selective=non_selective,
        pulses=pulses.value,
        battery=battery,
    )
    write(dump(readouts_document(report)) if as_json else readouts_text(report))
