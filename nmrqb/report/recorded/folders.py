"""The folders of recorded data: documents, text and pictures, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from nmrqb.arguments import checked
from nmrqb.experiment.recorded import Calibrated, Tomogram
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.report.documents import dump
from nmrqb.report.pictures import picture_bytes
from nmrqb.report.recorded.calibration_pictures import calibration_figures
from nmrqb.report.recorded.calibrations import (
    CALIBRATION_FORMAT,
    calibration_document,
    calibration_text,
)
from nmrqb.report.recorded.fit_pictures import fit_figures
from nmrqb.report.recorded.pages import page_names
from nmrqb.report.recorded.state_pictures import state_figures
from nmrqb.report.recorded.tomography import TOMOGRAPHY_FORMAT, tomography_document
from nmrqb.report.recorded.tomography_text import tomography_text


def _kind(stem: str, form: str, *pictures: str) -> FolderKind:
    drawn = (name for picture in pictures for name in page_names(picture))
    names = frozenset({f"{stem}.json", f"{stem}.txt", *drawn})
    return FolderKind(f"{stem}.json", f'"format": "{form}"', names)


TOMOGRAPHY = _kind("tomography", TOMOGRAPHY_FORMAT, "fits", "state")
CALIBRATION = _kind("calibration", CALIBRATION_FORMAT, "calibration")


def check_tomography_folder(path: str | Path) -> None:
    """Refuse a folder that holds anything but an earlier result of ours; see `check_folder`.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, TOMOGRAPHY)


def check_calibration_folder(path: str | Path) -> None:
    """Refuse a folder that holds anything but earlier calibrations of ours; see `check_folder`.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, CALIBRATION)


@checked
def write_tomography(tomogram: Tomogram, path: str | Path) -> list[str]:
    """Write document, text and pictures of a tomography into a folder; return its files.

    ``fits.png`` shows every file with its fit, ``state.png`` what is determined of the states;
    further pages are ``fits_2.png``, …

    Raises
    ------
    OutputError
        As `nmrqb.files.folder_atomically`.
    """
    texts = {
        "tomography.json": dump(tomography_document(tomogram)),
        "tomography.txt": tomography_text(tomogram) + "\n",
    }
    return _written(path, TOMOGRAPHY, texts, fit_figures(tomogram) | state_figures(tomogram))


@checked
def write_calibrations(found: Sequence[Calibrated], path: str | Path) -> list[str]:
    """Write document, text and pictures of calibrations into a folder; return its files.

    ``calibration.png`` shows every series and spectrum with its fit; further pages are
    ``calibration_2.png``, …

    Raises
    ------
    OutputError
        As `nmrqb.files.folder_atomically`.
    """
    texts = {
        "calibration.json": dump(calibration_document(found)),
        "calibration.txt": calibration_text(found) + "\n",
    }
    return _written(path, CALIBRATION, texts, calibration_figures(found))


def _written(
    path: str | Path, kind: FolderKind, texts: Mapping[str, str], figures: Mapping[str, Figure]
) -> list[str]:
    with folder_atomically(path, kind) as folder:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, figure in figures.items():
            (folder / name).write_bytes(picture_bytes(figure, name))
    return [f"{path}/{name}" for name in (*texts, *figures)]
