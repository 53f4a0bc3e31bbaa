"""Pictures of the most charged state: Paulis, Hinton diagrams, errors, city, residuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nmrqb.operators import Complex
from nmrqb.plotting import (
    draw_city,
    draw_element_errors,
    draw_hinton,
    draw_pauli_bars,
    draw_phase_key,
    draw_residual_histogram,
    draw_residuals,
)
from nmrqb.report.pictures import Panel, new_figure
from nmrqb.report.text import p_text
from nmrqb.tomography.estimation.states import to_coefficients

_MOST_TRACES = 24


def state_figure(data: xr.Dataset) -> Figure:
    """Return Pauli coefficients, Hinton diagrams and errors of the most charged state.

    Parameters
    ----------
    data
        ``Result.data``.
    """
    figure = new_figure(11, 8.2)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[0.85, 1]).ravel()
    draw_paulis(upper.subplots(), data)
    axes = lower.subplots(1, 4, width_ratios=[1, 1, 0.3, 1])
    draw_states(axes[:3], data)
    draw_errors(axes[3], data)
    fidelity = float(_shown(data)["fidelity_to_true"])
    figure.suptitle(f"{_title(data)}, fidelity {fidelity:.5f}, {data.attrs['estimator']}")
    return figure


def draw_paulis(ax: Axes, data: xr.Dataset) -> None:
    """Draw the Pauli coefficients of the most charged state beside the true ones."""
    at = _shown(data)
    draw_pauli_bars(
        ax,
        at["pauli_mean"].values,
        at["pauli_error"].values,
        truth=to_coefficients(at["true_state"].values),
        label="linear inversion, ± 1 standard deviation",
    )


def draw_states(axes: Sequence[Axes], data: xr.Dataset) -> None:
    """Draw the simulated beside the estimated most charged state, and the key of their phases."""
    at, labels = _shown(data), _labels(data)
    true, estimated = at["true_state"].values, at["estimated_state"].values
    limit = float(max(np.abs(true).max(), np.abs(estimated).max()))
    draw_hinton(axes[0], true, labels, limit=limit, title="simulated ρ")
    draw_hinton(axes[1], estimated, labels, limit=limit, title="estimated ρ")
    draw_phase_key(axes[2])


def draw_errors(ax: Axes, data: xr.Dataset) -> None:
    """Draw the standard deviations of the elements of the most charged state."""
    at = _shown(data)
    errors = (at["state_error_real"].values, at["state_error_imaginary"].values)
    image = draw_element_errors(ax, errors, _labels(data), title="standard deviation of ρ")
    if not ax.texts:  # there is no room for the numbers themselves
        ax.figure.colorbar(image, ax=ax, shrink=0.7, aspect=30, location="right")


def city_figure(data: xr.Dataset) -> Figure:
    """Return the city plots of the most charged state: simulated above, estimated below.

    Parameters
    ----------
    data
        ``Result.data``.
    """
    at, labels = _shown(data), _labels(data)
    states: Mapping[str, Complex] = {
        "simulated": at["true_state"].values,
        "estimated": at["estimated_state"].values,
    }
    parts = [part for rho in states.values() for part in (rho.real, rho.imag)]
    limit = float(max(np.abs(part).max() for part in parts))
    lowest = float(min(part.min() for part in parts))
    figure = new_figure(11, 9.6)
    names = [f"{name} ρ, {part} part" for name in states for part in ("real", "imaginary")]
    for k, (part, name) in enumerate(zip(parts, names, strict=True)):
        ax = figure.add_subplot(2, 2, k + 1, projection="3d")
        draw_city(ax, part, labels, limit=limit, lowest=lowest, title=name)
    figure.suptitle(_title(data))
    return figure


def residual_figure(data: xr.Dataset) -> Figure:
    """Return the residuals of the FIDs of the most charged state, by channel and readout.

    Of many readouts it shows those that fit worst.

    Parameters
    ----------
    data
        ``Result.data``.
    """
    panels, kept = residual_panels(data), _worst_readouts(data)
    figure = new_figure(11, 0.8 + (1.1 + 0.45 * len(kept)) * len(panels))
    axes = figure.subplots(len(panels), 2, squeeze=False, width_ratios=[2.2, 1])
    for row, pair in zip(axes, panels.values(), strict=True):
        for ax, draw in zip(row, pair, strict=True):
            draw(ax)
    handles, texts = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle("\n".join([f"Residuals of the FIDs: {_title(data)}", *fit_text(data)]))
    return figure


def residual_panels(data: xr.Dataset) -> dict[str, tuple[Panel, Panel]]:
    """Return the pictures of spectra and distribution of the residuals of every channel."""
    residual, times = data["residual"], data["acquisition_time"].values
    kept = _worst_readouts(data)
    panels: dict[str, tuple[Panel, Panel]] = {}
    for row, channel in enumerate(map(str, data["channel"].values)):
        values = residual.values[:, row]
        decay = float(data["line_decay"][row])
        lines = data["line_frequency"].values[row]
        traces = partial(
            draw_residuals,
            residual=values[kept],
            spectral_width_hz=1 / float(times[1] - times[0]),
            readouts=[str(data["readout"].values[k]) for k in kept],
            decay_per_s=decay,
            lines_hz=lines[np.isfinite(lines)],
            title=f"{channel}, spectra in σ with ± 3 σ, lb {decay / np.pi:.2g} Hz",
        )
        histogram = partial(
            draw_residual_histogram, residual=values, title=f"{channel}, points of the FIDs"
        )
        panels[channel] = (traces, histogram)
    return panels


def _worst_readouts(data: xr.Dataset) -> NDArray[np.intp]:
    """Return the readouts that fit worst, as many as there is room for, in their order."""
    squares = np.sum(np.abs(data["residual"].values) ** 2, axis=(1, 2))
    worst = np.argsort(-squares, kind="stable")
    return np.sort(worst[: _MOST_TRACES // data.sizes["channel"]])


def fit_text(data: xr.Dataset) -> list[str]:
    """Return how well the lines and all points fit, and which readouts are drawn."""
    kept = _worst_readouts(data)
    at, parts = _shown(data), ("chi2", "degrees_of_freedom", "p_value")
    chi2, freedom, p = (float(data[f"residual_{part}"]) for part in parts)
    lines = [
        f"χ²/dof of the lines = {float(at['chi2']):.1f}/{data.attrs['degrees_of_freedom']}, "
        f"{p_text(float(at['p_value']))}; of all points = {chi2:.0f}/{freedom:.0f} "
        f"= {chi2 / freedom:.3f}, {p_text(p)}"
    ]
    if len(kept) < data.sizes["readout"]:
        lines.append(f"the {len(kept)} of {data.sizes['readout']} readouts that fit worst")
    return lines


def _shown(data: xr.Dataset) -> xr.Dataset:
    return data.isel(time=int(data["shown"]))


def _labels(data: xr.Dataset) -> list[str]:
    return [str(label) for label in data["row"].values]


def _title(data: xr.Dataset) -> str:
    return f"most charged state (protocol time {float(_shown(data)['time']) * 1e3:.4g} ms)"


STATE_PICTURES: Mapping[str, Callable[[xr.Dataset], Figure]] = {
    "state": state_figure,
    "city": city_figure,
    "residuals": residual_figure,
}
"""Pictures that need nothing but the data of a run."""
