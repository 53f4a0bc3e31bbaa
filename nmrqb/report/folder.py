"""The result folder: data, summary and pictures, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nmrqb.arguments import checked
from nmrqb.experiment import Result
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.report.documents import RESULT_FORMAT, dump, result_document
from nmrqb.report.page import result_page
from nmrqb.report.pictures import (
    charging_figure,
    picture_bytes,
    protocol_figure,
    signal_figure,
)
from nmrqb.report.raw import RAW_NAMES, write_raw
from nmrqb.report.state_pictures import residual_figure, state_figure
from nmrqb.report.text import result_text

PICTURES: Mapping[str, Callable[[Result], Figure]] = {
    "sequence.png": lambda result: protocol_figure(result.experiment, at=int(result.data["shown"])),
    "signal.png": signal_figure,
    "residuals.png": lambda result: residual_figure(result.data),
    "state.png": lambda result: state_figure(result.data),
    "charging.png": charging_figure,
}
SUMMARY, TEXT, DATA, PAGE = "summary.json", "summary.txt", "result.nc", "report.html"
FOLDER = FolderKind(
    SUMMARY,
    opening=RESULT_FORMAT.partition("/")[0],
    names=frozenset({SUMMARY, TEXT, DATA, PAGE, *PICTURES, *RAW_NAMES}),
)


def check_result_folder(path: str | Path) -> None:
    """Refuse a result folder that holds anything but a result, before any work is done.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, FOLDER)


@checked
def write_result(
    result: Result, path: str | Path, *, page: bool = False, raw: bool = False
) -> list[str]:
    """Write the result folder of a run and return its files.

    ``result.nc`` holds all arrays (netCDF4; complex ones have a last axis ``part``: real,
    imaginary; attribute ``provenance``: seed, versions and hashes as JSON), ``summary.json`` the
    document of ``nmrqb run --json``, ``summary.txt`` the printed summary, and the PNG files
    sequence, signal, residuals, state and charging.  ``page`` asks for ``report.html`` too, see
    `nmrqb.report.result_page`; ``raw`` for the FIDs of the most charged state with
    the ``data.yaml`` that `nmrqb tomography` takes, see `nmrqb.report.write_raw`.

    Raises
    ------
    OutputError
        If the folder is not ours or cannot be written; nothing is left behind then.
    """
    figures = result_figures(result)
    names = [DATA, SUMMARY, TEXT, *figures, *([PAGE] if page else [])]
    with folder_atomically(path, FOLDER) as folder:
        names += write_raw(result, folder) if raw else []
        files = [str(Path(path) / name) for name in names]
        data = to_real(result.data).assign_attrs(provenance=dump(result.provenance))
        data.to_netcdf(folder / DATA, engine="h5netcdf")
        for name, figure in figures.items():
            (folder / name).write_bytes(picture_bytes(figure, name))
        if page:
            (folder / PAGE).write_text(result_page(result), encoding="utf-8")
        (folder / TEXT).write_text(result_text(result) + "\n", encoding="utf-8")
        document = dump(result_document(result, files))
        (folder / SUMMARY).write_text(document + "\n", encoding="utf-8")
    return files


def result_figures(result: Result) -> dict[str, Figure]:
    """Return all pictures of a run by file name."""
    return {name: draw(result) for name, draw in PICTURES.items()}


def to_real(data: xr.Dataset) -> xr.Dataset:
    """Return a data set whose complex variables have a last axis ``part`` (real, imaginary)."""
    complex_names = [name for name in data.data_vars if np.iscomplexobj(data[name])]
    split = {
        name: xr.concat([data[name].real, data[name].imag], dim="part")
        .transpose(..., "part")
        .assign_attrs(data[name].attrs)
        for name in complex_names
    }
    return data.assign(split).assign_coords(part=["real", "imaginary"])
