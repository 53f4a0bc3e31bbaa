"""The pictures of the page of a run: one panel each, so that a phone can set them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nmrqb.experiment import FIGURES, Result
from nmrqb.operators import Real
from nmrqb.plotting import draw_figure_of_merit
from nmrqb.report.page_parts import Picture, common_places, number
from nmrqb.report.pictures import (
    legend_below,
    new_figure,
    panel_figure,
    protocol_figure,
    signal_panels,
    strongest_readout,
)
from nmrqb.report.state_pictures import (
    draw_errors,
    draw_paulis,
    draw_states,
    fit_text,
    residual_panels,
)
from nmrqb.report.text import fidelity_text
from nmrqb.tomography.estimation.states import to_coefficients

_WIDTH, _HEIGHT = 5.2, 3.1  # inches
_FEW_STRINGS, _FEW_STATES, _FEW_LINES, _FEW_TIMES = 15, 4, 8, 20
_SLACK = 1e-9  # of the largest value: rounding does not put a value out of its interval


def sequence_picture(result: Result) -> Picture:
    """Return the protocol, drawn."""
    experiment = result.experiment
    measure = experiment.measure
    return Picture(
        "protocol",
        protocol_figure(experiment, at=int(result.data["shown"]), titled=False),
        "The protocol, left to right",
        "One line for each spin. Bars are pulses, black of 90°, white of 180°, grey of the angle "
        "that stands above the phase; arrows are delays; brackets hold what is repeated or belongs "
        "together. The box before the acquisition lists what each readout plays on that spin, – "
        "for nothing.",
        f"Pulse diagram of {', '.join(experiment.sample.labels)}: prepare, charge, one of the "
        f"readouts {', '.join(measure.readout_names)}, acquisition.",
        wide=True,
    )


def signal_pictures(result: Result) -> Iterator[Picture]:
    """Yield FID and spectrum of every channel for the readout with the strongest signal."""
    data = result.data
    readout = data["readout"].values[strongest_readout(data)]
    for row, (channel, (start, spectrum)) in enumerate(signal_panels(result).items()):
        lines = data["line_frequency"].values[row]
        places = _places_text(lines[np.isfinite(lines)])
        yield Picture(
            f"fid-{row}",
            panel_figure(start, _WIDTH, _HEIGHT),
            f"Start of the FID, {channel}",
            f"Real and imaginary part as they are recorded after readout {readout}, in units of "
            "the brightest line that a pure state can give. It should oscillate and stand out "
            "from the noise of its end.",
            f"Line plot of the first points of the FID of {channel} after readout {readout}.",
        )
        yield Picture(
            f"spectrum-{row}",
            panel_figure(spectrum, _WIDTH, _HEIGHT),
            f"Spectrum, {channel}",
            f"After readout {readout}, not phased. This channel has {places}; their amplitudes "
            "and phases are what the state is estimated from.",
            f"Line plot of the spectrum of {channel} after readout {readout}, {places} from the "
            "carrier.",
        )


def _places_text(lines: Real) -> str:
    """Tell where lines are, of very many how many and between which; shape (lines,), Hz."""
    if lines.size <= _FEW_LINES:
        return f"lines at {', '.join(number(line, 1) for line in lines)} Hz"
    ends = (number(float(end), 1) for end in (lines.min(), lines.max()))
    return f"{lines.size} lines between {' and '.join(ends)} Hz"


def residual_pictures(data: xr.Dataset) -> Iterator[Picture]:
    """Yield the residuals of every channel: their spectra, and how they are distributed."""
    for row, (channel, (traces, histogram)) in enumerate(residual_panels(data).items()):
        told = " ".join(fit_text(data))
        height = _HEIGHT + 0.22 * max(0, data.sizes["readout"] - 6)
        yield Picture(
            f"residuals-{row}",
            panel_figure(traces, _WIDTH, min(height, 7.0), legend=2),
            f"Residuals, {channel}",
            "What the fit leaves, in standard deviations of the noise. The curves should stay in "
            "the grey bands of ± 3 σ, above all at the dots, which stand where the lines are.",
            f"Spectra of the residuals of {channel}, one trace for each readout; {told}.",
        )
        yield Picture(
            f"distribution-{row}",
            panel_figure(histogram, _WIDTH, min(height, 4.0)),
            f"Distribution of the residuals, {channel}",
            "All points of the FIDs on a logarithmic axis. They should follow the curve of the "
            "normal law; shoulders or far points mean a signal that the model does not have.",
            f"Histogram of the residuals of {channel} beside the normal law; {told}.",
        )


def state_pictures(data: xr.Dataset) -> Iterator[Picture]:
    """Yield the simulated beside the estimated state, its Pauli coefficients, its errors."""
    at = data.isel(time=int(data["shown"]))
    dimension = data.sizes["row"]
    large = dimension > _FEW_STATES
    fidelity = fidelity_text(float(at["fidelity_to_true"]))
    yield Picture(
        "states",
        _states_figure(data),
        "ρ true beside estimated",
        "Areas are moduli, colours are phases, of one scale: the two patterns should be alike. "
        f"Their fidelity is {fidelity}.",
        f"Two Hinton diagrams of {dimension} by {dimension} elements, simulated and estimated; "
        f"fidelity {fidelity}. {_largest_elements(at)}",
        wide=large,
    )
    yield Picture(
        "errors",
        _errors_figure(data),
        "Errors of ρ",
        "Standard deviations of the elements of the estimate: real parts on and below the white "
        "line, imaginary parts above it. Dark elements are the least certain.",
        f"Map of the standard deviations of the elements of ρ, the largest "
        f"{_largest_error(at):.2g}.",
        wide=large,
    )
    inside = _within_sigma(at)
    yield Picture(
        "paulis",
        _paulis_figure(data),
        "Pauli coefficients",
        "Filled bars are estimates by linear inversion with one standard deviation, open bars the "
        f"simulated state. About two of three should be within one standard deviation: {inside}.",
        f"Bars of Pauli coefficients, estimated and true: {inside} within one standard deviation.",
        wide=True,
    )


def merit_pictures(result: Result) -> Iterator[Picture]:
    """Yield every reported figure of merit against time, with intervals."""
    data = result.data
    model = (
        " The dashed line is the average Hamiltonian: where it leaves the black one, the pulses "
        "do more than the average."
    )
    few = 1 < data.sizes["time"] < _FEW_TIMES
    joined = f", known at {data.sizes['time']} times that straight lines join" if few else ""
    for name in shown_figures(result):
        title = FIGURES[name].title
        caption = f"The black line is the simulated state{joined}."
        if name in data:
            caption = (
                f"Points with their {confidence_text(result)} intervals should be on the black "
                f"line, which is the simulated state{joined}. {holding_text(data, name)}."
            )
        yield Picture(
            f"merit-{name.replace('_', '-')}",
            panel_figure(
                partial(draw_figure_of_merit, data=data, name=name), _WIDTH, _HEIGHT, legend=2
            ),
            title[0].upper() + title[1:] if title[1].isalpha() else title,
            caption + (model if f"model_{name}" in data else ""),
            _merit_alt(result, name),
        )


def shown_figures(result: Result) -> list[str]:
    """Return the figures of merit that are drawn, in the order of `FIGURES`."""
    drawn = {*result.experiment.report, *(["ergotropy"] if "extracted_work" in result.data else [])}
    return [name for name in FIGURES if name in drawn]


def confidence_text(result: Result) -> str:
    """Return the confidence of the intervals, say ``95 %``."""
    return f"{100 * result.experiment.measure.confidence:g}\N{NO-BREAK SPACE}%"


def holding(data: xr.Dataset, name: str) -> np.ndarray:
    """Return at which times the interval of a figure holds the simulated value."""
    low, true, high = (data[key].values for key in (f"{name}_low", f"true_{name}", f"{name}_high"))
    slack = _SLACK * max(float(np.abs([low, true, high]).max()), 1.0)
    return np.asarray((low - slack <= true) & (true <= high + slack))


def holding_text(data: xr.Dataset, name: str) -> str:
    """Tell how many intervals hold the simulated value."""
    inside = holding(data, name)
    if inside.size == 1:
        return f"The interval {'holds' if inside[0] else 'does not hold'} the simulated value"
    return f"{int(inside.sum())} of {inside.size} intervals hold the simulated value"


# ------------------------------------------------------------------------------------ figures
def _errors_figure(data: xr.Dataset) -> Figure:
    side = max(_HEIGHT, 0.3 * data.sizes["row"])
    figure = new_figure(1.3 * side, side)
    ax = figure.add_subplot()
    draw_errors(ax, data)
    ax.set_title("")  # it stands in the caption
    return figure


def _paulis_figure(data: xr.Dataset) -> Figure:
    if data.sizes["pauli"] <= _FEW_STRINGS:
        return panel_figure(lambda ax: draw_paulis(ax, data), _WIDTH, _HEIGHT, legend=2)
    figure = new_figure(11, _HEIGHT)  # names of the strings are upright and long
    draw_paulis(figure.add_subplot(), data)
    legend_below(figure, ncols=2)
    return figure


def _states_figure(data: xr.Dataset) -> Figure:
    side = max(2.3, 0.45 * min(data.sizes["row"], 8))
    figure = new_figure(2.25 * side + 1.1, side + 0.5)
    draw_states(figure.subplots(1, 3, width_ratios=[1, 1, 0.4]), data)
    return figure


# ------------------------------------------------------------------------- what pictures say
def _largest_elements(at: xr.Dataset) -> str:
    true, estimated = at["true_state"].values, at["estimated_state"].values
    i, j = np.unravel_index(np.argmax(np.abs(true)), true.shape)
    labels = at["row"].values
    return (
        f"The largest element is that of |{labels[i]}⟩⟨{labels[j]}|: {np.abs(true[i, j]):.3f} "
        f"simulated, {np.abs(estimated[i, j]):.3f} estimated."
    )


def _within_sigma(at: xr.Dataset) -> str:
    off = np.abs(at["pauli_mean"].values - to_coefficients(at["true_state"].values))
    inside = int(np.sum(off <= at["pauli_error"].values))
    return f"{inside} of {off.size} are"


def _largest_error(at: xr.Dataset) -> float:
    return float(max(at[f"state_error_{part}"].values.max() for part in ("real", "imaginary")))


def _merit_alt(result: Result, name: str) -> str:
    data, figure = result.data, FIGURES[name]
    unit = "" if figure.units == "1" else f" {figure.units}"
    key = name if name in data else f"true_{name}"
    values = data[key].values
    low, high = (data.get(f"{key}_{end}", data[key]).values for end in ("low", "high"))
    places, time = common_places(low, high), data["time"].values * 1e3
    lowest, highest = int(np.argmin(values)), int(np.argmax(values))
    told = (
        f"Plot of {figure.title} against protocol time: from {number(values[lowest], places)}"
        f"{unit} at {time[lowest]:.4g} ms to {number(values[highest], places)}{unit} at "
        f"{time[highest]:.4g} ms"
    )
    return f"{told}; {holding_text(data, name)}." if name in data else f"{told}."
