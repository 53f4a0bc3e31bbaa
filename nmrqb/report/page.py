"""One self-contained HTML page of a run: no script, no network, fit for a phone and a printer."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

import numpy as np
import xarray as xr
from jinja2 import DictLoader, Environment, StrictUndefined

import nmrqb
from nmrqb.errors import ArgumentError
from nmrqb.experiment import EXTRACTED_WORK, FIGURES, Result
from nmrqb.files import library
from nmrqb.operators import pauli_strings
from nmrqb.report.page_average import average_section
from nmrqb.report.page_parts import (
    Fact,
    Section,
    Table,
    Tile,
    brief,
    common_places,
    encoded,
    number,
    pieces,
    places_of,
)
from nmrqb.report.page_pictures import (
    confidence_text,
    holding,
    merit_pictures,
    residual_pictures,
    sequence_picture,
    signal_pictures,
    state_pictures,
)
from nmrqb.report.state_pictures import fit_text
from nmrqb.report.text import asked, fidelity_text, p_text, quality
from nmrqb.tomography.estimation.states import to_coefficients

MAX_BYTES = 5_000_000
MOST_ROWS = 200
"""Points of time that the table of the page has at most."""

_VECTOR_BYTES = (400_000, 60_000, 0)  # above, dots are tried; the next where the page is large
_OUTSIDE = "†"
_IDEAL_WORK = (
    "Ideal: the ergotropy of the ideal charged state, which the sequence of the extraction is made "
    "for. Average H: the same pulses as average Hamiltonians, with relaxation. "
)
_ENSEMBLE = {
    "members": "members of the ensemble",
    "error": "error of its means",
    "missing_weight": "weight left out of it",
}


def result_page(result: Result) -> str:
    """Return the report of a run as one HTML page that needs nothing else.

    The numbers of the most charged state, what was asked, the sequence, its toggling frames,
    average Hamiltonian and error budget where a sequence charges the battery, signals, estimated
    beside true state, figures of merit against time with their intervals, and where all this comes
    from.  Pictures are drawings, or dots where a drawing would be large; of very many points of
    time the table shows some, evenly spaced, and says so.

    Parameters
    ----------
    result
        What the run yielded.

    Raises
    ------
    ArgumentError
        If the page would be larger than 5 MB with all pictures as dots.
    """
    sources = {
        name: files("nmrqb.report").joinpath(name).read_text(encoding="utf-8")
        for name in ("frame.html", "page.html")
    }
    environment = Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    template = environment.get_template("page.html")
    sections = list(_sections(result))
    page = ""
    for most_bytes in _VECTOR_BYTES:
        page = template.render(
            title=result.experiment.title or result.experiment.name,
            lead=_lead(result),
            version=nmrqb.__version__,
            sections=sections,
            encoded=lambda figure, most=most_bytes: encoded(figure, most),
            pieces=pieces,
        )
        if len(page.encode("utf-8")) <= MAX_BYTES:
            return page
    raise ArgumentError(
        f"Argument `result` must make a page of at most {MAX_BYTES / 1e6:g} MB, but makes "
        f"{len(page.encode('utf-8')) / 1e6:.3g} MB"
    )


def _lead(result: Result) -> str:
    experiment = result.experiment
    return f"{experiment.name} on {experiment.sample.title or experiment.sample.name}"


def _sections(result: Result) -> Iterator[Section]:
    data, experiment = result.data, result.experiment
    yield Section(
        "brief",
        "In brief",
        "In brief: the most charged state",
        paragraphs=(_shown_text(result),),
        tiles=tuple(_tiles(result)),
        notes=tuple(result.notes),
    )
    yield Section(
        "asked",
        "Asked",
        "What was asked",
        paragraphs=_paragraphs(experiment.notes),
        facts=tuple(Fact(*fact) for fact in asked(result)),
    )
    yield Section("sequence", "Sequence", "The sequence", pictures=(sequence_picture(result),))
    yield average_section(result)
    yield Section(
        "signal",
        "Spectra",
        "What the spectrometer saw",
        paragraphs=(
            "FIDs and spectra are of the most charged state, after the readout with the strongest "
            "signal; residuals are of the same state.",
        ),
        facts=tuple(map(Fact, ("fit", "residuals shown"), fit_text(data))),
        pictures=(*signal_pictures(result), *residual_pictures(data)),
    )
    yield Section(
        "state",
        "State",
        "The state, true beside estimated",
        facts=tuple(Fact(*fact) for fact in quality(result)),
        pictures=tuple(state_pictures(data)),
        tables=(_paulis(data),),
    )
    yield Section(
        "figures",
        "Figures of merit",
        "Figures of merit against time",
        pictures=tuple(merit_pictures(result)),
        tables=tuple(_figures_tables(result)),
    )
    yield Section(
        "provenance", "Provenance", "Where this comes from", facts=tuple(_provenance(result))
    )


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


# --------------------------------------------------------------------------------------- brief
def _shown_text(result: Result) -> str:
    data = result.data
    at = data.isel(time=int(data["shown"]))
    passes = f", after {int(at['cycles'])} passes" if "cycles" in data.coords else ""
    where = f"{1e3 * float(at['time']):.4g} ms of protocol time"
    laboratory = 1e3 * float(at["laboratory_time"])
    points = data.sizes["time"]
    most = f"holds the largest ergotropy of {points} points" if points > 1 else "is the only one"
    return (
        f"At {where} ({laboratory:.4g} ms on the spectrometer{passes}) the simulated state {most}. "
        f"Large numbers are estimated from noisy FIDs, with their {confidence_text(result)} "
        "intervals."
    )


def _tiles(result: Result) -> Iterator[Tile]:
    """Yield the figures of merit of the most charged state, and how well it is known."""
    at = result.data.isel(time=int(result.data["shown"]))
    for name in [*result.experiment.report, *_work(result.data)]:
        yield _tile(at, name, confidence_text(result))
    freedom = result.data.attrs["degrees_of_freedom"]
    fidelity, chi2, p = (float(at[key]) for key in ("fidelity_to_true", "chi2", "p_value"))
    yield Tile("fidelity", fidelity_text(fidelity), ("of the estimated to the simulated state",))
    yield Tile("misfit", f"χ² = {chi2:.1f}", (f"for {freedom} degrees of freedom", p_text(p)))


def _tile(at: xr.Dataset, name: str, confidence: str) -> Tile:
    figure = FIGURES.get(name, EXTRACTED_WORK)
    unit = "" if figure.units == "1" else f" {figure.units}"
    keys = (f"{name}_low", name, f"{name}_high", f"true_{name}")
    values = [float(at[key]) for key in keys]
    places = places_of((values[2] - values[0]) / 2)
    low, value, high, true = (brief(number_, places) for number_ in values)
    missed = "" if bool(holding(at, name)) else ", outside of it"
    return Tile(
        figure.title,
        f"{value}{unit}",
        (f"{confidence} interval {low} to {high}{unit}", f"simulated {true}{unit}{missed}"),
    )


# -------------------------------------------------------------------------------------- tables
def _paulis(data: xr.Dataset) -> Table:
    """Return the Pauli coefficients of the most charged state."""
    at = data.isel(time=int(data["shown"]))
    true = to_coefficients(at["true_state"].values)
    numbers = np.stack([true, at["pauli_mean"].values, at["pauli_error"].values], axis=-1)
    names = pauli_strings(len(data["spin"]))[1:]
    rows = tuple(
        (name, *(number(float(value), 4) for value in row))
        for name, row in zip(names, numbers, strict=True)
    )
    return Table(
        "Pauli coefficients in numbers",
        ("string", "true", "estimate", "± 1 σ"),
        rows,
        note="Coefficients ⟨P⟩ of linear inversion, dimensionless.",
        open=False,
    )


def _work(data: xr.Dataset) -> list[str]:
    return ["extracted_work"] if "extracted_work" in data else []


def _figures_tables(result: Result) -> Iterator[Table]:
    """Yield the figures of merit, and the work that was extracted, which has more columns."""
    data = result.data
    some = "" if data.sizes["time"] <= MOST_ROWS else ", some points of time"
    yield _figures(result, list(result.experiment.report), f"Figures of merit in numbers{some}")
    for name in _work(data):
        note = _IDEAL_WORK if f"ideal_{name}" in data else ""
        yield _figures(result, [name], f"Extracted work in numbers{some}", note)


def _figures(result: Result, names: list[str], title: str, note: str = "") -> Table:
    data = result.data
    kept = _kept(data.sizes["time"], int(data["shown"]))
    header, groups = ["time (ms)"], [("", 1)]
    columns = [[f"{value:.4g}" for value in 1e3 * data["time"].values[kept]]]
    for name in names:
        figure = FIGURES.get(name, EXTRACTED_WORK)
        unit = "" if figure.units == "1" else f" ({figure.units})"
        part = _columns(data, name)
        groups.append((f"{figure.title}{unit}", len(part)))
        header += part
        columns += [[column[k] for k in kept] for column in part.values()]
    return Table(
        title,
        tuple(header),
        tuple(zip(*columns, strict=True)),
        groups=tuple(groups),
        note=note + _table_note(result, names, len(kept)),
    )


def _columns(data: xr.Dataset, name: str) -> dict[str, list[str]]:
    """Return header and cells of a figure of merit: ideal, average, true, estimate, interval."""
    low, high = data[f"{name}_low"].values, data[f"{name}_high"].values
    places = common_places(low, high)

    def cells(values: Iterable[float]) -> list[str]:
        return [number(float(value), places) for value in values]

    heads = {"ideal_": "ideal", "model_": "average H", "true_": "true"}
    wanted = heads if name == "extracted_work" else {"true_": "true"}
    found = {
        head: cells(data[key + name].values) for key, head in wanted.items() if key + name in data
    }
    marks = np.where(holding(data, name), "", f"\N{NO-BREAK SPACE}{_OUTSIDE}")
    found["estimate"] = [
        text + str(mark) for text, mark in zip(cells(data[name].values), marks, strict=True)
    ]
    ends = zip(cells(low), cells(high), strict=True)
    found["interval"] = [f"[{least}, {most}]" for least, most in ends]
    return found


def _kept(points: int, shown: int) -> list[int]:
    """Return the times that the table has: all, or evenly spaced ones and the one shown."""
    spread = np.linspace(0, points - 1, min(points, MOST_ROWS)).round().astype(int)
    return sorted({*map(int, spread), shown})


def _table_note(result: Result, names: list[str], rows: int) -> str:
    inside = [bool(held) for name in names for held in holding(result.data, name)]
    points = result.data.sizes["time"]
    told = (
        f"True: the simulated state. {sum(inside)} of {len(inside)} intervals of "
        f"{confidence_text(result)} hold its value; {_OUTSIDE} marks the others."
    )
    if rows < points:
        told += f" {rows} of {points} points, evenly spaced; all are in result.nc."
    return told


# ---------------------------------------------------------------------------------- provenance
def _provenance(result: Result) -> Iterator[Fact]:
    """Yield what is needed to get the same numbers again."""
    kept = dict(result.provenance)
    overrides = kept.pop("overrides", {})
    name = result.experiment.name
    file = name if name in library("experiment") else f"{name}.yaml"
    words = ["nmrqb", "run", file, "--seed", str(result.seed)]
    words += [word for key, value in overrides.items() for word in ("--set", f"{key}={value}")]
    yield Fact("to run it again", shlex.join(words), code=True)
    if kept.get("ensemble", {}).get("members") == 1:
        del kept["ensemble"]  # no field is spread over the sample
    kept.pop("seed", None)  # it stands in the line above
    for key, value in kept.items():
        if not isinstance(value, Mapping):
            yield Fact(key, str(value))
            continue
        for part, text in value.items():
            if text is not None:
                yield Fact(_spaced(key, part), _plain(text), code=key == "inputs_sha256")


def _spaced(key: str, part: str) -> str:
    if key == "ensemble" and part in _ENSEMBLE:
        return _ENSEMBLE[part]
    return f"{key}: {part}".replace("inputs_sha256", "SHA-256 of").replace(":", "", 1)


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
