"""A coverage study as text, JSON document and picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nmrqb.experiment import FIGURES, CoverageRow, CoverageStudy
from nmrqb.experiment.coverage import FIGURES_STUDIED, GAIN_ERROR
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.plotting import draw_coverage
from nmrqb.report.pictures import new_figure, picture_bytes
from nmrqb.report.text import table

TEXT, PICTURE = "coverage.txt", "coverage.png"
_OPENING = "Coverage of nominal"
FOLDER = FolderKind(TEXT, opening=_OPENING, names=frozenset({TEXT, PICTURE}))

_HEADER = (
    "battery", "state", "SNR", "kink", "true", "covers", "±", "seeds", "below", "above", "width",
    "bias", "raw bias", "claims", "bounds", "",
)  # fmt: skip


def coverage_text(study: CoverageStudy, *, seconds: float | None = None) -> str:
    """Return the tables of a study, one per figure of merit, and what falls short.

    Parameters
    ----------
    study
        The study.
    seconds
        How long it took on one core, to be told.
    """
    took = "" if seconds is None else f" It took {seconds:.0f} s."
    seeds = ", ".join(map(str, study.seeds))
    head = (
        f"{_OPENING} 95 % intervals: {study.experiment}, seeds {seeds}, "
        f"{study.repetitions} experiments per cell and seed, {study.replicas} replicas.{took}"
    )
    faults = study.faults()
    verdict = (
        [f"Falls short {len(faults)} times:", *(f"  {fault}" for fault in faults)]
        if faults
        else ["All requirements are met."]
    )
    blocks = [_of_figure(study, name) for name in FIGURES_STUDIED]
    return "\n".join([head, "", _legend(), "", *verdict, "", "\n\n".join(blocks)])


def _legend() -> str:
    return f"""\
Energies are in units of ‖H‖. Every experiment has a scale error of its own, {100 * GAIN_ERROR:g} %,
and measures its noise level on its FIDs. Estimates are linear inversions.
  kink    smallest gap of the true spectrum (smallest modulus, for l1) over its standard deviation
  covers  share of intervals that hold the truth, its binomial error, lowest to highest of the seeds
  below, above   shares of intervals that lie wholly below, wholly above the truth
  width   median;  bias of the corrected value, and raw bias, of the plug-in value
  claims  share of intervals that exclude zero
  bounds  shares of one-sided 95 % bounds, lower and upper, on the wrong side of the truth"""


def _of_figure(study: CoverageStudy, name: str) -> str:
    per_seed = zip(*study.rows.values(), strict=True)
    both = [(row, own) for row, own in zip(study.pooled, per_seed, strict=True)]
    rows = [_cells(row, own) for row, own in both if row.figure == name]
    return f"{FIGURES[name].title}\n{table(_HEADER, rows)}"


def _cells(row: CoverageRow, seeds: Sequence[CoverageRow]) -> list[str]:
    n, covers = row.repetitions, [own.coverage for own in seeds]
    faults = sorted({fault for own in seeds for fault in own.faults()})
    return [
        row.battery,
        row.state,
        f"{row.snr:g}",
        f"{row.gap:.1f}",
        f"{row.truth + 0.0:.3f}",
        f"{row.coverage:.3f}",
        f"{row.coverage_error:.3f}",
        f"{min(covers):.3f}-{max(covers):.3f}",
        f"{row.below / n:.3f}",
        f"{row.above / n:.3f}",
        f"{row.width:.4f}",
        f"{row.value_bias:+.4f}",
        f"{row.raw_bias:+.4f}",
        f"{row.claims / n:.3f}",
        "/".join(f"{misses / n:.3f}" for misses in row.bound_misses),
        ", ".join(faults) or ("ok" if row.inside else "ok, at a kink or at zero"),
    ]


def coverage_document(study: CoverageStudy, files: Sequence[str]) -> dict[str, Any]:
    """Return the JSON document of a study."""
    return {
        "experiment": study.experiment,
        "seeds": list(study.seeds),
        "repetitions": study.repetitions,
        "replicas": study.replicas,
        "rows": [
            {"seed": seed, **vars(row), "coverage": row.coverage, "faults": row.faults()}
            for seed, rows in study.rows.items()
            for row in rows
        ],
        "faults": study.faults(),
        "files": list(files),
    }


def coverage_figure(study: CoverageStudy) -> Figure:
    """Return the picture of a study: coverage of every cell, a panel per figure of merit."""
    figure = new_figure(10.0, 7.0)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, name in zip(panels.flat, FIGURES_STUDIED, strict=True):
        draw_coverage(ax, [row for row in study.pooled if row.figure == name])
        ax.set_title(FIGURES[name].title, fontsize=10)
    panels[0, 0].legend(fontsize=8, frameon=False, ncols=3, loc="lower left")
    figure.supylabel("coverage of 95 % intervals", fontsize=10)
    return figure


def check_coverage_folder(path: str | Path) -> None:
    """Refuse a folder that holds anything but a coverage study, before any work is done.

    Raises
    ------
    OutputError
        If it is a file, the current folder, or a folder that holds anything of somebody else.
    """
    check_folder(path, FOLDER)


def write_coverage(study: CoverageStudy, text: str, path: str | Path) -> list[str]:
    """Write the folder of a study, its text and its picture; return its files.

    Raises
    ------
    OutputError
        If the folder is not ours or cannot be written; nothing is left behind then.
    """
    picture = picture_bytes(coverage_figure(study), PICTURE)
    with folder_atomically(path, FOLDER) as folder:
        (folder / TEXT).write_text(text + "\n", encoding="utf-8")
        (folder / PICTURE).write_bytes(picture)
    return [str(Path(path) / name) for name in (TEXT, PICTURE)]
