"""Pictures of the fits of a tomography: a panel for every file, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmrqb.experiment.recorded import FittedFile, Tomogram
from nmrqb.plotting import draw_fit, fit_height
from nmrqb.plotting.style import QUIET
from nmrqb.report.pictures import new_figure
from nmrqb.report.recorded.pages import MOST_PAGES, heading, joined, pages
from nmrqb.report.text import short, with_error
from nmrqb.spectrometer.fitted import FittedSpectrum
from nmrqb.spectrometer.series import common_phase

ROWS = 6  # on a page
_PANEL, _LEAST_WIDTH = (4.6, 2.15), 6.5  # inches
_WIDEST = 3  # channels that have panels of full width
_LETTERS = 8.0  # pt
_QUARTER = np.pi / 2

Row: TypeAlias = tuple[FittedFile | None, ...]
"""Files of one experiment, one for every channel, None where there is none."""


def fit_figures(tomogram: Tomogram) -> dict[str, Figure]:
    """Return the fits of all files by the names of the pictures, ``fits.png`` and its pages.

    Columns are channels, rows are readouts of the experiments.  All spectra of a channel have one
    phase: that of its gain, and as many quarter turns as bring most of the signal into the real
    part; lines of the reference stand upright.  Of more rows than the pages hold, those that fit
    worst are drawn.  Tables of integrals have no picture.
    """
    files = [f for f in tomogram.files if f.shown is not None]
    if not files:
        return {}
    seen = {f.file.channel for f in files}
    channels = [channel for channel in tomogram.data.channels if channel in seen]
    rows = _rows(files, channels)
    drawn = _worst(rows, ROWS * MOST_PAGES)
    less = f"the {len(drawn)} of {len(rows)} rows that fit worst" if len(drawn) < len(rows) else ""
    phases = {channel: _phase(tomogram, channel) for channel in channels}
    turned = ", ".join(f"{c} {np.degrees(phi):.0f}°".replace("-", "−") for c, phi in phases.items())
    told = f"real parts less baselines, one phase for a channel: {turned}"
    title = tomogram.data.title or tomogram.data.name
    tallest = _heights(files, phases)
    return {
        name: _figure(own, channels, phases, tallest, [title, joined(told, less, page)])
        for name, (own, page) in pages("fits", drawn, ROWS).items()
    }


def _rows(files: Sequence[FittedFile], channels: Sequence[str]) -> list[Row]:
    """Return files in rows: by readout where channels share readouts, else as they come."""
    rows: list[Row] = []
    for experiment in dict.fromkeys(f.file.experiment for f in files):
        own = [f for f in files if f.file.experiment == experiment]
        each = [[f for f in own if f.file.channel == channel] for channel in channels]
        readouts = list(dict.fromkeys(f.file.readout for f in own))
        if len(readouts) == len(own):
            rows += zip_longest(*each)
            continue
        found = [{f.file.readout: f for f in column} for column in each]
        rows += [tuple(column.get(readout) for column in found) for readout in readouts]
    return rows


def _phase(tomogram: Tomogram, channel: str) -> float:
    gain = tomogram.gains.get(channel)
    own = 0.0 if gain is None else float(np.angle(gain.factor))
    files = [f for f in tomogram.files if f.file.channel == channel]
    rest = common_phase(np.concatenate([f.amplitudes for f in files]) * np.exp(-1j * own))
    factor = np.exp(-1j * (own + _QUARTER * round(rest / _QUARTER)))
    reference = tomogram.data.reference
    known = [f for f in files if reference and f.file.experiment == reference.experiment]
    upright = sum(float(np.sum(f.amplitudes * factor).real) for f in known) >= 0
    return float(-np.angle(factor if upright else -factor))


def _heights(files: Sequence[FittedFile], phases: Mapping[str, float]) -> dict[str, float]:
    """Return the height of the tallest picture of every channel."""
    return {
        channel: max(fit_height(_spectrum(f), phase) for f in files if f.file.channel == channel)
        for channel, phase in phases.items()
    }


def _spectrum(f: FittedFile) -> FittedSpectrum:
    assert f.shown is not None  # files without one, tables of integrals, are left out
    return f.shown


def _worst(rows: Sequence[Row], most: int) -> list[Row]:
    """Return the rows with the largest misfits, in their order."""
    misfits = [max(_misfit(f) for f in row if f is not None) for row in rows]
    kept = np.sort(np.argsort(-np.array(misfits), kind="stable")[:most])
    return [rows[k] for k in kept]


def _misfit(f: FittedFile) -> float:
    return _spectrum(f).misfit if f.multiplet is None else f.multiplet.misfit


def _figure(
    rows: Sequence[Row],
    channels: Sequence[str],
    phases: Mapping[str, float],
    tallest: Mapping[str, float],
    title: Sequence[str],
) -> Figure:
    each = _PANEL[0] * min(1.0, _WIDEST / len(channels))
    width = max(each * len(channels), _LEAST_WIDTH)
    figure = new_figure(width, _PANEL[1] * len(rows) + 1.0)
    axes = figure.subplots(len(rows), len(channels), squeeze=False)
    for column, channel in enumerate(channels):
        lowest = None
        for ax, row in zip(axes[:, column], rows, strict=True):
            if (f := row[column]) is None:
                _absent(ax, row, channel)
                continue
            draw_fit(
                ax,
                _spectrum(f),
                phase_rad=phases[channel],
                tallest=tallest[channel],
                title=f.file.name,
                note=_note(f),
            )
            if lowest is not None:
                lowest.set_xlabel("")
            lowest = ax
        if lowest is not None:
            lowest.set_xlabel(f"{channel}, {lowest.get_xlabel()}", fontsize=_LETTERS)
    drawn = next(ax for ax in axes.flat if ax.lines)
    handles, labels = drawn.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(heading(title, width), fontsize=10.5)
    return figure


def _note(f: FittedFile) -> str:
    """Return where a multiplet stands, its J, and how well it fits."""
    parts = ["lines known"]
    if f.multiplet is not None:
        hz = f"{round(f.multiplet.centre_hz, 2) + 0.0:.2f} Hz".replace("-", "−")
        parts = [hz if f.ppm is None else f"{f.ppm:.3f} ppm"]
    if f.coupling_hz is not None:
        parts.append(f"J = {with_error(*f.coupling_hz)} Hz")
    if not f.found:
        parts.append("weak: placed by other files")
    return ",  ".join([*parts, f"misfit {short(_misfit(f))}"])


def _absent(ax: Axes, row: Row, channel: str) -> None:
    experiment = next(f.file.experiment for f in row if f is not None)
    ax.set_title(f"{experiment} on {channel}", fontsize=9, loc="left", color=QUIET)
    ax.set_axis_off()
    text = "no file"
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=QUIET)
