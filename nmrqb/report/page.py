"""One self-contained HTML page of a run: no script, no network, fit for a phone and a printer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from jinja2 import DictLoader, Environment, StrictUndefined
from matplotlib.figure import Figure

import nmrqb
from nmrqb.average import AverageHamiltonian, compile_timeline
from nmrqb.errors import ArgumentError
from nmrqb.experiment import EXTRACTED_WORK, FIGURES, Result, SequenceCharge
from nmrqb.report.average_pictures import average_figures
from nmrqb.report.average_text import compile_text
from nmrqb.report.pictures import picture_bytes
from nmrqb.report.text import asked, cleared, quality

MAX_BYTES = 5_000_000
_VECTOR_BYTES = 250_000  # a drawing above is kept as a picture of dots


@dataclass(frozen=True)
class Tile:
    """One number that is read at a glance."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Picture:
    """A picture within the page: its data as a URL, and its caption."""

    key: str
    source: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table that can be folded."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    open: bool = False


@dataclass(frozen=True)
class Listing:
    """Text as it stands, that can be folded."""

    title: str
    text: str
    open: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    listings: tuple[Listing, ...] = ()


def result_page(result: Result, figures: Mapping[str, Figure]) -> str:
    """Return the report of a run as one HTML page that needs nothing else.

    What was asked, the sequence, its average Hamiltonian and error budget where a sequence charges
    the battery, signals, estimated beside true state, figures of merit against time with their
    intervals, and where all this comes from.

    Parameters
    ----------
    result
        What the run yielded.
    figures
        Its pictures by the names of their files, see `nmrqb.report.result_figures`.

    Raises
    ------
    ArgumentError
        If the page would be larger than 5 MB.
    """
    experiment = result.experiment
    sources = {
        name: files("nmrqb.report").joinpath(name).read_text(encoding="utf-8")
        for name in ("frame.html", "page.html")
    }
    environment = Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    page = environment.get_template("page.html").render(
        title=experiment.title or experiment.name,
        lead=f"{experiment.name} on {experiment.sample.title or experiment.sample.name}",
        version=nmrqb.__version__,
        sections=list(_sections(result, figures)),
    )
    if len(page.encode("utf-8")) > MAX_BYTES:
        raise ArgumentError(
            f"Argument `result` must make a page of at most {MAX_BYTES / 1e6:g} MB, but makes "
            f"{len(page) / 1e6:.3g} MB; run fewer points of time"
        )
    return page


def _sections(result: Result, figures: Mapping[str, Figure]) -> Iterator[Section]:
    experiment = result.experiment
    yield Section(
        "asked",
        "What was asked",
        paragraphs=(experiment.notes,) if experiment.notes else (),
        tiles=tuple(_tiles(result)),
        facts=tuple(asked(result)),
        pictures=(_picture("sequence", figures["sequence.png"], "The protocol, left to right"),),
    )
    if isinstance(experiment.charge, SequenceCharge):
        yield from _average(compile_timeline(experiment.charge.timeline, experiment.sample))
    yield Section(
        "signal",
        "What the spectrometer saw",
        pictures=(
            _picture("fids", figures["signal.png"], "Signals of the most charged state"),
            _picture("residuals", figures["residuals.png"], "What the fit leaves of the FIDs"),
        ),
    )
    yield Section(
        "state",
        "The state, estimated and true",
        facts=(("quality", " ".join(line.strip() for line in quality(result))),),
        pictures=(_picture("state-picture", figures["state.png"], "The most charged state"),),
    )
    yield Section(
        "figures",
        "Figures of merit",
        paragraphs=tuple(result.notes),
        pictures=(_picture("charging", figures["charging.png"], "Estimates over the true curves"),),
        tables=(_figures(result),),
    )
    yield Section(
        "provenance",
        "Where this comes from",
        facts=tuple((key, _plain(value)) for key, value in result.provenance.items()),
    )


def _tiles(result: Result) -> Iterator[Tile]:
    """Yield the figures of merit of the most charged state."""
    at = result.data.isel(time=int(result.data["shown"]))
    for name in result.experiment.report:
        figure = FIGURES[name]
        unit = "" if figure.units == "1" else f" {figure.units}"
        low, value, high, true = (
            float(at[key]) for key in (f"{name}_low", name, f"{name}_high", f"true_{name}")
        )
        scale = max(abs(x) for x in (low, value, high, true))
        low, value, high, true = (cleared(x, scale) for x in (low, value, high, true))
        yield Tile(
            figure.title,
            f"{value:.4g}{unit}",
            f"interval {low:.4g} to {high:.4g}; true {true:.4g}",
        )


def _average(average: AverageHamiltonian) -> Iterator[Section]:
    figures = average_figures(average)
    captions = {
        "orders.png": "Average Hamiltonian, order by order",
        "frames.png": "Toggling frames: where z of every spin points",
        "robustness.png": "Loss against the size of errors",
    }
    yield Section(
        "average",
        "What the charging sequence makes",
        pictures=tuple(
            _picture(name.removesuffix(".png"), figure, captions[name])
            for name, figure in figures.items()
        ),
        listings=(Listing("Average Hamiltonian and error budget", compile_text(average)),),
    )


def _figures(result: Result) -> Table:
    data = result.data
    names = list(result.experiment.report)
    names += ["extracted_work"] if "extracted_work" in data else []
    header, columns = ["time (ms)"], [data["time"].values * 1e3]
    for name in names:
        figure = FIGURES.get(name, EXTRACTED_WORK)
        unit = "" if figure.units == "1" else f" ({figure.units})"
        header += [f"{name}{unit} true", "estimate", "low", "high"]
        keys = (f"true_{name}", name, f"{name}_low", f"{name}_high")
        columns += [data[key].values for key in keys]
    texts = [[f"{cleared(x, np.abs(column).max()):.4g}" for x in column] for column in columns]
    rows = tuple(zip(*texts, strict=True))
    return Table("All points of time", tuple(header), rows, open=len(rows) <= 12)


def _picture(key: str, figure: Figure, caption: str) -> Picture:
    """Return a figure as a drawing, or as dots where the drawing would be large."""
    drawing = picture_bytes(figure, f"{key}.svg")
    kind, content = "svg+xml", drawing
    if len(drawing) > _VECTOR_BYTES:
        kind, content = "png", picture_bytes(figure, f"{key}.png")
    encoded = base64.b64encode(content).decode("ascii")
    return Picture(key, f"data:image/{kind};base64,{encoded}", caption)


def _plain(value: object) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=_listed)


def _listed(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return np.asarray(value).tolist() if isinstance(value, np.ndarray | Sequence) else str(value)
