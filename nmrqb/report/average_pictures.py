"""The pictures of a compiled sequence: coefficients by order, toggling frames, robustness."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from nmrqb.average import AverageHamiltonian, robustness_curves
from nmrqb.errors import ArgumentError
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.plotting import draw_frames, draw_orders, draw_robustness
from nmrqb.report.average_document import compile_document
from nmrqb.report.average_text import compile_text
from nmrqb.report.documents import dump
from nmrqb.report.pictures import legend_below, new_figure, picture_bytes

PICTURES = ("orders.png", "frames.png", "robustness.png")
DOCUMENT, TEXT = "average.json", "average.txt"
FOLDER = FolderKind(DOCUMENT, opening='"sequence"', names=frozenset({DOCUMENT, TEXT, *PICTURES}))


def check_average_folder(path: str | Path) -> None:
    """Refuse a folder that holds anything but a compiled sequence, before any work is done.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, FOLDER)


def average_figures(average: AverageHamiltonian) -> dict[str, Figure]:
    """Return the pictures of a compiled sequence by the names of their files.

    Raises
    ------
    ArgumentError
        If it was compiled without its analysis.
    """
    if average.analysis is None:
        raise ArgumentError(
            f"Argument `average` must hold its analysis, but that of {average.sequence!r} was not "
            "asked for"
        )
    title = f"{average.sequence} on {average.sample}"
    orders = new_figure(5.6, 1.0 + 2.6 * len(average.pairs))
    for ax, (labels, _) in zip(
        orders.subplots(len(average.pairs), squeeze=False)[:, 0], average.pairs, strict=True
    ):
        draw_orders(ax, average, labels)
    frames = new_figure(8.0, 1.2 + 0.9 * len(average.spins))
    draw_frames(frames.add_subplot(), average.analysis.frames, average.spins)
    curves = robustness_curves(average.analysis.subject)
    robustness = new_figure(5.6, 3.6 + 0.1 * len(curves))
    draw_robustness(robustness.add_subplot(), curves)
    legend_below(robustness, ncols=2)
    for figure in (orders, frames, robustness):
        figure.suptitle(title)
    return dict(zip(PICTURES, (orders, frames, robustness), strict=True))


def write_average(average: AverageHamiltonian, path: str | Path) -> list[str]:
    """Write the folder of a compiled sequence, pictures, text and document; return its files.

    Raises
    ------
    OutputError
        If the folder is not ours or cannot be written; nothing is left behind then.
    """
    figures = average_figures(average)
    with folder_atomically(path, FOLDER) as folder:
        for name, figure in figures.items():
            (folder / name).write_bytes(picture_bytes(figure, name))
        (folder / TEXT).write_text(compile_text(average) + "\n", encoding="utf-8")
        (folder / DOCUMENT).write_text(dump(compile_document(average)) + "\n", encoding="utf-8")
    return [str(Path(path) / name) for name in (DOCUMENT, TEXT, *figures)]
