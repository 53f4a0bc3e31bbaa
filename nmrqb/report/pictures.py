"""The pictures of a run, each a figure of its own, made without pyplot and without a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nmrqb.errors import ArgumentError
from nmrqb.experiment import FIGURES, DriveCharge, Experiment, GibbsPreparation, Result
from nmrqb.plotting import (
    Column,
    draw_fid,
    draw_figure_of_merit,
    draw_matrix,
    draw_sequence,
    draw_spectrum,
    timeline_columns,
)
from nmrqb.sequence import Timeline
from nmrqb.spectrometer import liouvillian, observable, transitions

DPI = 130
FORMATS = ("png", "pdf", "svg")


def picture_bytes(figure: Figure, name: str) -> bytes:
    """Return a figure as the content of a PNG, PDF or SVG file, by the ending of its name.

    Raises
    ------
    ArgumentError
        If the ending is none of these.
    """
    ending = Path(name).suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise ArgumentError(f"Argument `name` must end in {', '.join(FORMATS)}, but is {name!r}")
    buffer = BytesIO()
    figure.savefig(buffer, format=ending, dpi=DPI, bbox_inches="tight")
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, drawn by Agg."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def sequence_figure(timeline: Timeline, labels: tuple[str, ...], title: str = "") -> Figure:
    """Return the diagram of one pass of a sequence."""
    columns = timeline_columns(timeline)
    figure = new_figure(max(6.0, 0.75 * len(columns) + 2), 1.3 * len(labels) + 1.0)
    ax = figure.add_subplot()
    draw_sequence(ax, columns, labels)
    ax.set_title(title or timeline.name, loc="left")
    return figure


def protocol_figure(experiment: Experiment) -> Figure:
    """Return the diagram of a whole experiment: prepare, charge, readout, acquisition."""
    rows = experiment.sample.labels
    prepare = Column("box", {k: _preparation_text(experiment, k) for k in range(len(rows))})
    readouts = experiment.measure.readouts
    readout = Column("box", {k: _readout_text(readouts, k) for k in range(len(rows))})
    if isinstance(experiment.charge, DriveCharge):
        charging, loop = [_drive_column(experiment.charge, len(rows))], None
    else:
        charging = timeline_columns(experiment.charge.timeline)
        cycles = experiment.charge.cycles
        loop = (1, 1 + len(charging), f"× {cycles[0]} … {cycles[-1]}")
    columns = [prepare, *charging, readout, Column("fid")]
    figure = new_figure(max(7.0, 0.8 * len(columns) + 3.5), 1.4 * len(rows) + 0.8)
    ax = figure.add_subplot()
    draw_sequence(ax, columns, rows, loop=loop)
    ax.set_title(experiment.title, loc="left", fontsize=12)
    return figure


def _preparation_text(experiment: Experiment, row: int) -> str:
    prepare = experiment.prepare
    if isinstance(prepare, GibbsPreparation):
        return f"Gibbs state\n{prepare.temperature_hz:g} Hz"
    return f"Gibbs state\n{prepare.spins[row][1]:g} Hz" if row in prepare.spins else "mixed"


def _readout_text(readouts: tuple[str, ...], row: int) -> str:
    names = {"I": "–", "X": "90x", "Y": "90y"}
    return "one readout of\n" + " | ".join(names[readout[row]] for readout in readouts)


def _drive_column(charge: DriveCharge, rows: int) -> Column:
    text = f"4π·{charge.rate_hz:g} Hz·t\nx" if not charge.soft else "drive x\nfor t"
    every = range(rows)
    return Column("pulse", dict.fromkeys(every, text), frozenset(every))


def signal_figure(result: Result) -> Figure:
    """Return FID and spectrum of every channel for the readout with the strongest signal.

    The spectra are those of FIDs under a window that decays as the lines do (matched filter).
    """
    data = result.data
    strength = np.abs(data["fid"].values[..., 0]).sum(axis=-1)
    readout = int(np.argmax(strength))
    times = data["acquisition_time"].values
    width = 1 / float(times[1] - times[0])
    channels = data["channel"].values
    figure = new_figure(10, 2.9 * len(channels) + 0.4)
    axes = figure.subplots(len(channels), 2, squeeze=False)
    first = slice(0, max(16, len(times) // 20))  # the whole of it would be a solid block
    for row, channel in enumerate(channels):
        fid = data["fid"].values[readout, row]
        decay, span = _line_shape(result, str(channel))
        name = f"{channel}, readout {data['readout'].values[readout]}"
        draw_fid(axes[row, 0], times[first], fid[first], title=f"Start of the FID of {name}")
        title = f"Spectrum of {name} (unphased, lb {decay / np.pi:.2g} Hz)"
        windowed = fid * np.exp(-decay * times)
        draw_spectrum(axes[row, 1], windowed, width, title=title, span_hz=min(span, width / 2))
    shown = float(data["time"][int(data["shown"])]) * 1e3
    figure.suptitle(f"Signal of the most charged state (protocol time {shown:.4g} ms)")
    return figure


def _line_shape(result: Result, channel: str) -> tuple[float, float]:
    """Return mean decay rate (1/s) of the lines of a channel, and a range that shows them (Hz)."""
    experiment = result.experiment
    generator = liouvillian(experiment.sample, relaxation=experiment.noise.relaxation)
    lines = transitions(generator, observable(experiment.sample, channel))
    highest = float(np.abs(lines.imag).max()) / (2 * np.pi)
    decay = max(0.0, float(-lines.real.mean()))
    return decay, max(2 * highest, 10 * decay, 50.0)


def state_figure(result: Result) -> Figure:
    """Return the simulated density matrix beside the estimated one, at the most charged state."""
    data, k = result.data, int(result.data["shown"])
    labels = [str(label) for label in data["row"].values]
    states = {
        "simulated": data["true_state"].values[k],
        "estimated": data["estimated_state"].values[k],
    }
    limit = max(float(np.abs(rho).max()) for rho in states.values())
    figure = new_figure(9.5, 8.6)
    axes = figure.subplots(2, 2)
    for row, (name, rho) in enumerate(states.items()):
        draw_matrix(axes[row, 0], rho.real, labels, limit=limit, title=f"{name} ρ, real part")
        image = draw_matrix(
            axes[row, 1], rho.imag, labels, limit=limit, title=f"{name} ρ, imaginary part"
        )
    figure.colorbar(image, ax=axes, shrink=0.6)
    fidelity = float(data["fidelity_to_true"][k])
    time = float(data["time"][k]) * 1e3
    figure.suptitle(f"Most charged state (protocol time {time:.4g} ms), fidelity {fidelity:.5f}")
    return figure


def charging_figure(result: Result) -> Figure:
    """Return the reported figures of merit against time, estimates over the simulated curve."""
    names = [name for name in FIGURES if name in result.experiment.report]
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


PICTURES: Mapping[str, Callable[[Result], Figure]] = {
    "sequence.png": lambda result: protocol_figure(result.experiment),
    "signal.png": signal_figure,
    "state.png": state_figure,
    "charging.png": charging_figure,
}


def result_figures(result: Result) -> dict[str, Figure]:
    """Return all pictures of a run by file name."""
    return {name: draw(result) for name, draw in PICTURES.items()}
