"""The verbs `tomography` and `calibrate`, and the picture of a recording for `plot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmrqb.cli.console import verb, write
from nmrqb.cli.options import JSON
from nmrqb.errors import Fault, InputError, NmrqbError, Position, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure as MatplotlibFigure

    from nmrqb.experiment.recorded import Calibrated, RecordedData

_DATA = "data.yaml"


def _loaded(argument: str, folder: str | None) -> RecordedData:
    """Load a data file, or that of a folder; say at once where none of its recordings is there."""
    from nmrqb.experiment.recorded import load_data
    from nmrqb.files import library

    if argument not in library("data") and Path(argument).is_dir():
        if not (Path(argument) / _DATA).is_file():
            message = (
                f"this folder holds no {_DATA}; name a data file, or start one: nmrqb new data"
            )
            raise InputError.at(Position(argument), message)
        argument = str(Path(argument) / _DATA)
    loaded = load_data(argument, folder=folder)
    wanted = [f.data.path for f in loaded.files] + [s.data.path for s in loaded.series]
    if folder is None and wanted and not any(path.exists() for path in wanted):
        more = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
        message = (
            f"its recordings are not there: `{wanted[0]}`{more}; give their folder with --folder"
        )
        raise InputError.at(Position(argument), message)
    return loaded


@verb
def tomography(
    data: Annotated[str, typer.Argument(help="Shipped data file, a .yaml file, or its folder.")],
    battery: Annotated[
        str | None,
        typer.Option(help="Whose figures: D=20Hz,G=5Hz; spin=1H,frequency=9Hz; or an experiment."),
    ] = None,
    folder: Annotated[
        str | None, typer.Option(help="Where the recordings are [beside the data file].")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Folder for pictures, text and document.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Estimate states from a spectrometer's data, as far as they determine them."""
    from nmrqb.cli.batteries import battery_of
    from nmrqb.experiment.recorded import analyse_recorded
    from nmrqb.report import dump
    from nmrqb.report.recorded import (
        check_tomography_folder,
        tomography_document,
        tomography_text,
        write_tomography,
    )

    if out is not None:
        check_tomography_folder(out)
    loaded = _loaded(data, folder)
    tomogram = analyse_recorded(loaded, battery=battery_of(battery, loaded.sample))
    files = [] if out is None else write_tomography(tomogram, out)
    write(dump(tomography_document(tomogram)) if as_json else tomography_text(tomogram))
    if not as_json:
        _list_files(files)


def _list_files(files: Sequence[str]) -> None:
    if files:
        write("\nFiles:\n" + "\n".join(f"  {file}" for file in files))


@verb
def calibrate(
    data: Annotated[str, typer.Argument(help="Shipped data file, a .yaml file, or its folder.")],
    folder: Annotated[
        str | None, typer.Option(help="Where the recordings are [beside the data file].")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Sample file to write.")] = None,
    pictures: Annotated[
        str | None, typer.Option(help="Folder for pictures, text and document.")
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Measure T1, T2, 90° pulses, line widths and J; write them as a sample."""
    from nmrqb.experiment.recorded import calibrate_recorded
    from nmrqb.report import dump
    from nmrqb.report.recorded import (
        calibration_document,
        calibration_text,
        check_calibration_folder,
        write_calibrations,
    )

    if pictures is not None:
        check_calibration_folder(pictures)
    loaded = _loaded(data, folder)
    found = calibrate_recorded(loaded)
    drawn, notes = list[str](), tuple[str, ...]()
    problem: NmrqbError | OSError | None = None
    try:  # what was measured is told even where it cannot be written
        drawn = [] if pictures is None else write_calibrations(found, pictures)
        notes = () if out is None else _write_sample(loaded, found, out)
    except (NmrqbError, OSError) as error:
        problem = error
    written = [] if out is None or problem is not None else [out]
    if as_json:
        write(dump(calibration_document(found, [*written, *drawn], notes)))
    else:
        write("\n".join([calibration_text(found), *(f"  Sample: {note}" for note in notes)]))
        _list_files(drawn)
    if problem is not None:
        raise problem
    if written and not as_json:
        write(f"\nwrote {out}; use it as --sample {out}")


def _write_sample(data: RecordedData, found: Sequence[Calibrated], out: str) -> tuple[str, ...]:
    """Write the sample with what was measured; return what to know about it."""
    from nmrqb.experiment.recorded import updated_sample
    from nmrqb.files import write_text_atomically

    sample = updated_sample(data, found)
    write_text_atomically(out, sample.text)
    return sample.notes


# ------------------------------------------------------------------------------------------- plot
def is_recording(argument: str) -> bool:
    """Tell whether an argument of `plot` means a recording: a file or folder that a reader knows.

    YAML files and bare names are sequences; a folder that no reader knows may hold results.
    """
    from nmrqb.spectrometer.readers import reader_of

    path = Path(argument)
    if path.suffix.lower() in {".yaml", ".yml"}:
        return False
    if not path.is_dir():
        return path.is_file() or "/" in argument or bool(path.suffix)
    try:
        reader_of(path)
    except InputError:
        return False
    return True


def recording_picture(
    argument: str, sample: str | None, changes: list[str] | None, picture: str | None
) -> tuple[MatplotlibFigure, str, str]:
    """Return the spectra of a recording, what to call the picture, and where its lines are."""
    from nmrqb.report.recorded import recording_figure, recording_lines
    from nmrqb.spectrometer.readers import read_recording

    given = {"--sample": sample, "--set": changes, "--picture": picture}
    refuse(
        Fault(Position(option), "says nothing of a recording; leave it out")
        for option, value in given.items()
        if value
    )
    recording = read_recording(argument)
    path = Path(argument).resolve()
    called = f"{path.parent.name}-{path.name}" if path.is_dir() else path.stem
    numbers, unit = recording_lines(recording)
    lines = f"strongest lines at {', '.join(numbers)} {unit}" if numbers else "no line stands out"
    return recording_figure(recording), f"{called}-spectrum", lines
