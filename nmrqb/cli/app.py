"""The verbs of the command line.  Heavy libraries are loaded by the verb that needs them."""

from __future__ import annotations

import functools
import shlex
import sys
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import nmrqb
from nmrqb.cli.console import (
    BAD_INPUT,
    DONE,
    TARGET_NOT_MET,
    leave,
    progress_bar,
    verb,
    write,
)
from nmrqb.cli.design import design
from nmrqb.cli.options import JSON, OnceCommand, Pulses
from nmrqb.cli.recordings import calibrate, is_recording, recording_picture, tomography
from nmrqb.cli.studies import readouts, reproduce, study
from nmrqb.cli.sweeps import sweep
from nmrqb.cli.values import assignments
from nmrqb.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.figure import Figure as MatplotlibFigure

    from nmrqb.cli.shipped import Shipped
    from nmrqb.experiment import Experiment, Result
    from nmrqb.sample import Sample
    from nmrqb.sequence import Sequence as PulseSequence

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Design, simulate and measure quantum batteries made of nuclear spins.",
)

_command = functools.partial(app.command, cls=OnceCommand)

_SET = typer.Option(
    "--set",
    metavar="PATH=VALUE",
    help="Change a value of the file, say noise.pulses=finite; repeatable.",
)
_PARAMETER = typer.Option(
    "--set", metavar="NAME=VALUE", help="Change a parameter of the sequence, say t=2ms; repeatable."
)


class Picture(StrEnum):
    """Pictures of a result folder."""

    state = "state"
    city = "city"
    residuals = "residuals"


class FileKind(StrEnum):
    """Kinds of files that nmrqb reads."""

    sample = "sample"
    sequence = "sequence"
    experiment = "experiment"
    data = "data"


def _version(wanted: bool) -> None:
    if wanted:
        write(f"nmrqb {nmrqb.__version__}")
        leave(DONE)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Design, simulate and measure quantum batteries made of nuclear spins."""


@_command()
@verb
def run(
    experiment: Annotated[str, typer.Argument(help="Shipped experiment or a .yaml file.")],
    out: Annotated[str | None, typer.Option(help="Result folder [NAME-results].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random numbers.")] = None,
    changes: Annotated[list[str] | None, _SET] = None,
    save_raw: Annotated[
        bool, typer.Option("--save-raw", help="Write the FIDs and a data.yaml for `tomography`.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Write report.html as well.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Run an experiment: compile, charge, acquire, reconstruct, estimate."""
    from nmrqb.experiment import load_experiment
    from nmrqb.report import (
        check_raw,
        check_result_folder,
        dump,
        result_document,
        result_text,
        write_result,
    )

    overrides = assignments("--set", changes or [])
    loaded = load_experiment(experiment, overrides=overrides)
    folder = out or f"{loaded.name}-results"
    check_result_folder(folder)
    if save_raw:
        check_raw(loaded)
    result = _run(loaded, seed)
    files = write_result(result, folder, page=report, raw=save_raw)
    if as_json:
        write(dump(result_document(result, files)))
    else:
        write(result_text(result))
        write("\nFiles:\n" + "\n".join(f"  {file}" for file in files))


def _run(experiment: Experiment, seed: int | None) -> Result:
    from nmrqb.experiment import run as run_experiment

    with progress_bar(f"running {experiment.name}") as progress:
        return run_experiment(experiment, seed=seed, progress=progress)


_command()(sweep)


@_command("compile")
@verb
def compile_(
    sequence: Annotated[str, typer.Argument(help="Shipped sequence or a .yaml file.")],
    sample: Annotated[str | None, typer.Option(help="Sample [the sequence's own].")] = None,
    pulses: Annotated[Pulses, typer.Option(help="Instantaneous or finite pulses.")] = Pulses.ideal,
    order: Annotated[
        int | None, typer.Option(min=0, max=8, help="Truncate the Magnus series at this order.")
    ] = None,
    spins: Annotated[str | None, typer.Option(help="Roles to labels: I=1H,S=13C.")] = None,
    changes: Annotated[list[str] | None, _PARAMETER] = None,
    out: Annotated[str | None, typer.Option(help="Folder for pictures, text and document.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Print the average Hamiltonian of a sequence, check its target, say what errors cost."""
    from nmrqb.average import compile_sequence
    from nmrqb.cli.shipped import sample_for
    from nmrqb.report import (
        check_average_folder,
        compile_document,
        compile_text,
        dump,
        write_average,
    )
    from nmrqb.sequence import load_sequence

    if out is not None:
        check_average_folder(out)
    loaded = load_sequence(sequence)
    average = compile_sequence(
        loaded,
        sample_for(loaded, sample),
        pulses=pulses.value,
        order=order,
        parameters=assignments("--set", changes or []),
        roles=assignments("--spins", spins.split(",") if spins else []),
    )
    files = [] if out is None else write_average(average, out)
    write(dump(compile_document(average)) if as_json else compile_text(average))
    if files and not as_json:
        write("\nFiles:\n" + "\n".join(f"  {file}" for file in files))
    if average.target is not None and not average.target.met:
        leave(TARGET_NOT_MET)


_command()(design)


@_command()
@verb
def check(
    files: Annotated[list[str], typer.Argument(help="Files, or names of the library.")],
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Check files of any format; print every fault with its line and column."""
    from nmrqb.cli.shipped import faults_of
    from nmrqb.report import check_document, dump

    found = {file: faults_of(file) for file in files}
    if as_json:
        write(dump(check_document(found)))
    for file, faults in found.items():
        for fault in faults:
            write(str(fault), sys.stderr)
        if not faults and not as_json:
            write(f"{file}: ok")
    if any(found.values()):
        leave(BAD_INPUT)


@_command("list")
@verb
def list_(
    kind: Annotated[FileKind | None, typer.Argument(help="One kind only.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """List the shipped samples, sequences, experiments and data files."""
    from nmrqb.cli.shipped import shipped
    from nmrqb.report import dump

    found = {k.value: shipped(k.value) for k in ([kind] if kind else list(FileKind))}
    if as_json:
        write(dump([asdict(entry) for entries in found.values() for entry in entries]))
        return
    write("\n\n".join(_listing(name, entries) for name, entries in found.items()))


def _listing(kind: str, entries: Iterable[Shipped]) -> str:
    """Name a kind and what there is of it, folder by folder where there are several."""
    entries = list(entries)
    width = max((len(entry.name) for entry in entries), default=0)
    several = len({entry.group for entry in entries}) > 1
    lines = [kind if kind == "data" else f"{kind}s"]
    for group, members in groupby(entries, key=lambda entry: entry.group):
        lines += [f"  {group}"] if several else []
        indent = "    " if several else "  "
        lines += [f"{indent}{entry.name.ljust(width)}  {entry.title}" for entry in members]
    return "\n".join(lines)


@_command()
@verb
def show(
    name: Annotated[str, typer.Argument(help="Name in the library, or a file.")],
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Print a sample, sequence or experiment as its file says it."""
    from nmrqb.cli.shipped import text_of
    from nmrqb.report import dump

    kind, text = text_of(name)
    write(dump({"kind": kind, "name": name, "text": text}) if as_json else text.rstrip())


@_command()
@verb
def schema(
    kind: Annotated[FileKind, typer.Argument(help="Format.")],
    as_json: Annotated[bool, JSON] = True,
) -> None:
    """Print the JSON Schema of a file format, for editors that complete and check."""
    from nmrqb.cli.shipped import MODELS
    from nmrqb.formats import json_schema
    from nmrqb.report import dump

    write(dump(json_schema(MODELS[kind.value])))


@_command()
@verb
def plot(
    name: Annotated[
        str,
        typer.Argument(help="Shipped sequence, a .yaml file, a result folder, or a recording."),
    ],
    out: Annotated[str | None, typer.Option(help="PNG, PDF or SVG file [NAME.png].")] = None,
    sample: Annotated[str | None, typer.Option(help="Sample [the sequence's own].")] = None,
    changes: Annotated[list[str] | None, _PARAMETER] = None,
    picture: Annotated[
        Picture | None,
        typer.Option(help="Of a result folder, its most charged state [city]: what to draw."),
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Draw a sequence's pulse diagram, a picture of a result folder, or a recording's spectrum."""
    from nmrqb.files import library, write_bytes_atomically
    from nmrqb.report import dump, picture_bytes

    lines, own = "", name not in library("sequence")  # names mean shipped files
    if own and is_recording(name):
        figure, called, lines = recording_picture(name, sample, changes, picture)
    elif picture is not None or (own and Path(name).is_dir()):
        figure, called = _result_picture(name, picture or Picture.city, sample, changes)
    else:
        figure, called = _diagram(name, sample, changes)
    target = out or f"{called}.png"
    write_bytes_atomically(target, picture_bytes(figure, target))
    told = {"file": target} | ({"lines": lines} if lines else {})
    write(dump(told) if as_json else "\n".join(part for part in (lines, f"wrote {target}") if part))


def _result_picture(
    folder: str, picture: Picture, sample: str | None, changes: list[str] | None
) -> tuple[MatplotlibFigure, str]:
    """Return a picture of a result folder, and what to call it."""
    from nmrqb.errors import Fault, Position, refuse
    from nmrqb.report import stored_figure

    given = {"--sample": sample is not None, "--set": bool(changes)}
    refuse(
        Fault(Position(option), "belongs to the diagram of a sequence, not to a result folder")
        for option, used in given.items()
        if used
    )
    return stored_figure(folder, picture.value), f"{Path(folder).resolve().name}-{picture.value}"


def _diagram(
    name: str, sample: str | None, changes: list[str] | None
) -> tuple[MatplotlibFigure, str]:
    """Return the diagram of a sequence, and what to call it."""
    from nmrqb.report import sequence_figure
    from nmrqb.sequence import load_sequence

    loaded = load_sequence(name)
    parameters = assignments("--set", changes or [])
    chosen = _sample_to_name(loaded, sample, parameters)
    return sequence_figure(loaded, chosen, parameters=parameters), Path(loaded.name).name


def _sample_to_name(
    sequence: PulseSequence, argument: str | None, parameters: Mapping[str, str]
) -> Sample | None:
    """Return the sample of a diagram, if there is one; the sequence must be sound on it."""
    from nmrqb.cli.shipped import sample_for
    from nmrqb.errors import Fault, Position, nearest, refuse
    from nmrqb.sequence import expand

    if argument is None and sequence.sample is None:
        known = sequence.parameters
        what = f"`{sequence.name}` has no parameter"
        refuse(
            Fault(Position(f"--set {name}"), f"{what} `{name}`; {nearest(name, known)}")
            for name in parameters
            if name not in known
        )
        return None
    sample = sample_for(sequence, argument)
    expand(sequence, sample, parameters=parameters)
    return sample


@_command()
@verb
def export(  # noqa: PLR0913 - one for every option
    sequence: Annotated[str, typer.Argument(help="Shipped sequence or a .yaml file.")],
    to: Annotated[str, typer.Option(help="Kind of spectrometer: topspin.")] = "topspin",
    sample: Annotated[str | None, typer.Option(help="Sample [the sequence's own].")] = None,
    spins: Annotated[str | None, typer.Option(help="Roles to labels: I=1H,S=13C.")] = None,
    changes: Annotated[list[str] | None, _PARAMETER] = None,
    raster: Annotated[str | None, typer.Option(help="Step of all times [12.5 ns].")] = None,
    observe: Annotated[str | None, typer.Option(help="Nucleus of the receiver.")] = None,
    readout: Annotated[
        str | None,
        typer.Option(help="Pulses after the sequence, as for `readouts --set`: XI or '90 y'."),
    ] = None,
    relaxation_delay: Annotated[
        str | None, typer.Option(help="d1 between scans [5 times the sample's longest T1].")
    ] = None,
    gradient_recovery: Annotated[
        str | None, typer.Option(help="d16 after every gradient [200 us].")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder [NAME-topspin].")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Write a sequence as a spectrometer program, with shapes, parameters and a prediction."""
    from nmrqb.cli.export import export as exported

    exported(
        sequence,
        to=to,
        sample=sample,
        spins=spins,
        changes=changes or [],
        raster=raster,
        observe=observe,
        readout=readout,
        relaxation_delay=relaxation_delay,
        gradient_recovery=gradient_recovery,
        out=out,
        as_json=as_json,
    )


_command()(study)
_command()(reproduce)
_command()(readouts)
_command()(tomography)
_command()(calibrate)


@_command()
@verb
def new(
    kind: Annotated[FileKind, typer.Argument(help="What to start.")],
    file: Annotated[str | None, typer.Argument(help="File to write [my_KIND.yaml].")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Write a commented template to start from."""
    from nmrqb.cli.shipped import template
    from nmrqb.files import write_text_atomically
    from nmrqb.report import dump

    target = file or f"my_{kind.value}.yaml"
    if Path(target).exists():
        message = f"`{target}` exists already; give another name or remove it first"
        raise OutputError(message, target)
    write_text_atomically(target, template(kind.value))
    done = f"wrote {target}; check it with: nmrqb check {shlex.quote(target)}"
    write(dump({"file": target}) if as_json else done)
