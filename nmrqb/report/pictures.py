"""The pictures of a run, each a figure of its own, made without pyplot and without a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nmrqb.errors import ArgumentError
from nmrqb.experiment import FIGURES, DriveCharge, Experiment, GibbsPreparation, Result
from nmrqb.experiment.cycle import extraction_stages
from nmrqb.experiment.model import Charge, HamiltonianCharge
from nmrqb.plotting import (
    Column,
    Mark,
    box,
    diagram_size,
    draw_fid,
    draw_figure_of_merit,
    draw_sequence,
    draw_spectrum,
    fid,
    sequence_diagram,
    timeline_columns,
)
from nmrqb.plotting.diagram_layout import LEAST_WIDTH
from nmrqb.plotting.diagram_legend import looks_note
from nmrqb.plotting.lettering import FAMILY, filled, plain, text_height, text_width
from nmrqb.plotting.notation import math
from nmrqb.sample import Sample
from nmrqb.sequence import Sequence
from nmrqb.spectrometer import liouvillian, observable, transitions

Panel = Callable[[Axes], object]
"""One picture, ready to be drawn on Axes."""

DPI = 130
FORMATS = ("png", "pdf", "svg")
MOST_COLUMNS = 150
"""Events of a charging sequence that are drawn one by one."""

_IN_LINE = 4  # readouts in one line of a box
_TITLE, _DRIVE = 12.0, 40.0  # pt
_PNG_DOTS = 2**16
_MARGINS = (0.75, 0.1, 0.5, 0.1)  # inches left, right, below and above the axes of a panel
_PANEL = "panel"  # what is kept of a figure that `panel_figure` made
_DATES = {"svg": "Date", "pdf": "CreationDate"}


def picture_bytes(figure: Figure, name: str) -> bytes:
    """Return a figure as the content of a PNG, PDF or SVG file, by the ending of its name.

    The same figure makes the same bytes: there is no date in it, and no random name.

    Raises
    ------
    ArgumentError
        If the ending is none of these, or the picture has too many dots for a PNG.
    """
    ending = Path(name).suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise ArgumentError(f"Argument `name` must end in {', '.join(FORMATS)}, but is {name!r}")
    dots = round(max(figure.get_size_inches()) * DPI)
    if ending == "png" and dots >= _PNG_DOTS:
        wanted = "must end in pdf or svg, for the picture is too large for a PNG"
        raise ArgumentError(f"Argument `name` {wanted} ({dots} dots), but is {name!r}")
    buffer = BytesIO()
    metadata = {_DATES[ending]: None} if ending in _DATES else None
    with mpl.rc_context({"svg.hashsalt": "nmrqb"}):
        figure.savefig(buffer, format=ending, dpi=DPI, bbox_inches=_cut(figure), metadata=metadata)
    return buffer.getvalue()


def _cut(figure: Figure) -> Bbox | Literal["tight"]:
    """Return what of a figure is not its white edge, in inches; lays it out if nobody has.

    This is what ``"tight"`` does, with one pass over all letters less.  Of a panel the whole
    width is kept, for panels beside each other to be alike.
    """
    canvas = figure.canvas
    if not isinstance(canvas, FigureCanvasAgg) or any(ax.name == "3d" for ax in figure.axes):
        return "tight"  # the axes of space know their places only when they are drawn
    engine = figure.get_layout_engine()
    if engine is not None and figure.axes:
        engine.execute(figure)
        figure.set_layout_engine(None)
    box = figure.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
    edge = float(mpl.rcParams["savefig.pad_inches"])
    if figure.get_gid() != _PANEL:
        return box.padded(edge)
    width, _ = figure.get_size_inches()
    return Bbox.from_extents(min(box.x0, 0), box.y0 - edge, max(box.x1, width), box.y1 + edge)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, drawn by Agg."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panel_figure(draw: Panel, width: float, height: float, *, legend: int = 0) -> Figure:
    """Return a figure of one panel whose axes stand where those of all others of its size stand.

    Nobody needs to measure its letters first, which takes as long as to draw it.

    Parameters
    ----------
    draw
        What is drawn on the Axes; its title is left out.
    width, height
        Size in inches, without the legend.
    legend
        Columns of the legend below the axes; 0 leaves it where the drawing puts it.
    """
    left, right, bottom, top = _MARGINS
    size = (width - left - right) / width, (height - bottom - top) / height
    figure = new_figure(width, height)
    figure.set_layout_engine(None)
    figure.set_gid(_PANEL)
    ax = figure.add_axes((left / width, bottom / height, *size))
    draw(ax)
    ax.set_title("")
    if legend:
        inside, below = ax.get_legend(), (0.5, 0.0)
        if inside is not None:
            inside.remove()
        figure.legend(
            loc="upper center", bbox_to_anchor=below, ncols=legend, frameon=False, fontsize=8.5
        )
    return figure


def legend_below(figure: Figure, *, ncols: int) -> None:
    """Put the legend of the first Axes below the figure, where no curve is."""
    ax = figure.axes[0]
    handles, texts = ax.get_legend_handles_labels()
    inside = ax.get_legend()
    if inside is not None:
        inside.remove()
    figure.legend(
        handles, texts, loc="outside lower center", ncols=ncols, frameon=False, fontsize=8.5
    )


def sequence_figure(
    sequence: Sequence,
    sample: Sample | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> Figure:
    """Return the diagram of a sequence as it is written.

    Parameters
    ----------
    sequence
        The sequence.
    sample
        Sample whose spins are named beside the roles, or None.
    parameters
        Parameter to the expression that replaces the one of the file.
    """
    diagram = sequence_diagram(sequence, sample, parameters=parameters)
    return _diagram_figure(diagram.columns, diagram.rows, diagram.title, diagram.notes)


def _diagram_figure(
    columns: Iterable[Column],
    rows: Iterable[str],
    title: str,
    notes: Iterable[tuple[str, ...]] = (),
) -> Figure:
    """Return a figure that is as large as its diagram."""
    drawn, named, told = tuple(columns), tuple(rows), tuple(notes)
    width, height = diagram_size(drawn, named, told)
    lines = filled(plain(title).split(), max(72 * width, LEAST_WIDTH), _TITLE)
    width = max([width, *(text_width(line, _TITLE) / 72 + 0.1 for line in lines)])
    head = text_height("\n".join(lines), _TITLE) / 72 + 0.1
    figure = Figure(figsize=(width, height + head))
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, height / (height + head)))
    draw_sequence(ax, drawn, named, notes=told)
    text = ax.set_title("\n".join(lines), loc="left", fontsize=_TITLE, family=FAMILY, pad=4)
    text.set(va="bottom", linespacing=1.1)
    return figure


def protocol_figure(experiment: Experiment, *, at: int = -1, titled: bool = True) -> Figure:
    """Return the diagram of a whole experiment: prepare, charge, readout, acquisition.

    Parameters
    ----------
    experiment
        What is drawn.
    at
        Index of the time that is drawn, where each has a sequence of its own.
    titled
        Whether the title of the experiment stands above it.
    """
    rows = range(len(experiment.sample.labels))
    readouts = experiment.measure.readout_names
    columns = [
        *_preparation_columns(experiment, rows),
        *_charging_columns(experiment.charge, len(rows), at),
        *_extraction_columns(experiment, rows, at),
        Column(marks={k: box(_readout_text(readouts, k, len(rows))) for k in rows}),
        Column(marks={k: fid() for k in rows}),
    ]
    title = experiment.title if titled else ""
    notes = tuple(filter(None, (looks_note(columns),)))
    return _diagram_figure(columns, map(plain, experiment.sample.labels), title, notes)


def _preparation_columns(experiment: Experiment, rows: Iterable[int]) -> list[Column]:
    """Return what is played to prepare, or boxes of the states that are given."""
    stage = experiment.preparation
    if stage is None:
        return [Column(marks={k: box(_preparation_text(experiment, k)) for k in rows})]
    text = "prepare the Gibbs state"
    return [Column("open"), *timeline_columns(stage.timeline), Column("close", text=text)]


def _preparation_text(experiment: Experiment, row: int) -> str:
    prepare = experiment.prepare
    if isinstance(prepare, GibbsPreparation):
        return f"Gibbs state\n{prepare.temperature_hz:g} Hz".replace("-", "\N{MINUS SIGN}")
    if row not in prepare.spins:
        return "mixed"
    return f"Gibbs state\n{prepare.spins[row][1]:g} Hz".replace("-", "\N{MINUS SIGN}")


def _readout_text(readouts: tuple[str, ...], row: int, rows: int) -> str:
    """Return what the readouts do to one spin; those that are more than letters go by name."""
    names = {"I": "–", "X": "90x", "Y": "90y"}
    letters = [word for word in readouts if len(word) == rows and not set(word) - set(names)]
    named = [word for word in readouts if word not in letters]
    told = [f"{word}: {names[word[row]]}" for word in letters]
    lines = ["   ".join(told[k : k + _IN_LINE]) for k in range(0, len(told), _IN_LINE)]
    return "\n".join(["one readout of", *lines, *map(plain, named)])


def _extraction_columns(experiment: Experiment, rows: Iterable[int], at: int) -> list[Column]:
    """Return the unitary that is applied before the second of two measurements, if there is one."""
    stages = extraction_stages(experiment)
    if stages:
        drawn_events = timeline_columns(stages[at].timeline)
        return [Column("open"), *drawn_events, Column("close", text="extract, the second time")]
    if not experiment.measure.direct_work:
        return []
    spins = experiment.battery.spins
    drawn = rows if spins is None else spins
    return [Column(marks={k: box("first without, then\nwith extraction") for k in drawn})]


def _charging_columns(charge: Charge, rows: int, at: int) -> list[Column]:
    if isinstance(charge, DriveCharge):
        turned = math(rf"4\pi \cdot {charge.rate_hz:g}\,\mathrm{{Hz}} \cdot t")
        text = f"{turned}\n{math('x')}" if not charge.soft else "drive x\nfor t"
        return [Column(marks={k: Mark(label=text, look="grey", width=_DRIVE) for k in range(rows)})]
    if isinstance(charge, HamiltonianCharge):
        text = f"charge, here for {1e3 * float(charge.times_s[at]):.4g} ms"
        return [Column("open"), *timeline_columns(charge.timelines[at]), Column("close", text=text)]
    played = timeline_columns(charge.timeline)
    if len(played) > MOST_COLUMNS:
        played = [Column("block", text=f"{plain(charge.timeline.name)}\n{len(played)} events")]
    passes = f"× {charge.cycles[0]} … {charge.cycles[-1]}"
    return [Column("open"), *played, Column("close", text=passes)]


def signal_figure(result: Result) -> Figure:
    """Return FID and spectrum of every channel for the readout with the strongest signal.

    The spectra are those of FIDs under a window that decays as the lines do (matched filter).
    """
    data, panels = result.data, signal_panels(result)
    figure = new_figure(10, 2.9 * len(panels) + 0.4)
    axes = figure.subplots(len(panels), 2, squeeze=False)
    for row, pair in zip(axes, panels.values(), strict=True):
        for ax, draw in zip(row, pair, strict=True):
            draw(ax)
    shown = float(data["time"][int(data["shown"])]) * 1e3
    figure.suptitle(f"Signal of the most charged state (protocol time {shown:.4g} ms)")
    return figure


def strongest_readout(data: xr.Dataset) -> int:
    """Return the readout whose FIDs of the most charged state begin with the strongest signal."""
    return int(np.argmax(np.abs(data["fid"].values[..., 0]).sum(axis=-1)))


def signal_panels(result: Result) -> dict[str, tuple[Panel, Panel]]:
    """Return the pictures of FID and spectrum of every channel, see `signal_figure`."""
    data = result.data
    readout = strongest_readout(data)
    times = data["acquisition_time"].values
    width = 1 / float(times[1] - times[0])
    first = slice(0, max(16, len(times) // 20))  # the whole of it would be a solid block
    panels: dict[str, tuple[Panel, Panel]] = {}
    for row, channel in enumerate(map(str, data["channel"].values)):
        fid = data["fid"].values[readout, row]
        decay, span = _line_shape(result, channel)
        name = f"{channel}, readout {data['readout'].values[readout]}"
        start = partial(
            draw_fid,
            times_s=times[first],
            fid=fid[first],
            title=f"Start of the FID of {name}",
        )
        spectrum = partial(
            draw_spectrum,
            fid=fid * np.exp(-decay * times),
            spectral_width_hz=width,
            title=f"Spectrum of {name} (unphased, lb {decay / np.pi:.2g} Hz)",
            span_hz=min(span, width / 2),
        )
        panels[channel] = (start, spectrum)
    return panels


def _line_shape(result: Result, channel: str) -> tuple[float, float]:
    """Return mean decay rate (1/s) of the lines of a channel, and a range that shows them (Hz)."""
    experiment = result.experiment
    generator = liouvillian(experiment.sample, relaxation=experiment.noise.relaxation)
    lines = transitions(generator, observable(experiment.sample, channel))
    highest = float(np.abs(lines.imag).max()) / (2 * np.pi)
    decay = max(0.0, float(-lines.real.mean()))
    return decay, max(1.5 * highest, 10 * decay, 25.0)


def charging_figure(result: Result) -> Figure:
    """Return the reported figures of merit against time, estimates over the simulated curve."""
    drawn = {*result.experiment.report, *(["ergotropy"] if "extracted_work" in result.data else [])}
    names = [name for name in FIGURES if name in drawn]
    rows = (len(names) + 1) // 2
    figure = new_figure(11, 3.1 * rows + 0.6)
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        draw_figure_of_merit(ax, result.data, name)
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(result.experiment.title or result.experiment.name)
    return figure
