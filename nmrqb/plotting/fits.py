"""Fitted lines: measured spectrum, fit over it, residual below, in windows round the lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.plotting.style import ESTIMATE, MODEL, QUIET, TRUE, quiet_axes
from nmrqb.spectrometer.fitted import FittedSpectrum

_BAND = 3.0  # standard deviations of the noise
_GAP = 0.05  # of all windows, between two of them
_ROOM, _APART = 0.13, 0.07  # of the height of the data: half the residual's, and what is free
_MOST = 1000.0  # by which a residual is enlarged
_LARGER = 1.1  # enlargement from which on it is told
_EDGE = 0.07  # of a window, where no tick stands
_SMALL = 7.0  # pt
_BREAK = np.array([np.nan])


@dataclass(frozen=True)
class _Windows:
    """Windows side by side, the highest frequency to the left, as is the custom in NMR."""

    bounds: tuple[tuple[float, float], ...]  # descending

    @property
    def gap(self) -> float:
        return _GAP * sum(high - low for low, high in self.bounds)

    def starts(self) -> Iterator[tuple[float, float, float]]:
        """Yield where every window begins on the axis, with its bounds."""
        at = 0.0
        for low, high in self.bounds:
            yield at, low, high
            at += high - low + self.gap

    def along(self, frequencies: Real, values: Real) -> tuple[Real, Real]:
        """Return a curve on the axis, broken by NaN between the windows."""
        x, y = list[Real](), list[Real]()
        for start, low, high in self.starts():
            own = (frequencies >= low) & (frequencies <= high)
            x += [start + high - frequencies[own], _BREAK]
            y += [values[own], _BREAK]
        return np.concatenate(x), np.concatenate(y)

    def ticks(self, unit: float) -> tuple[list[float], list[str]]:
        """Return places and names of round numbers of a unit in Hz."""
        many = {1: 8, 2: 5}.get(len(self.bounds), 3)
        locator = MaxNLocator(nbins=many, steps=[1, 2, 5, 10])
        places, values, steps = [], [], []
        for start, low, high in self.starts():
            margin = _EDGE * (high - low)
            round_numbers = locator.tick_values(low / unit, high / unit)
            steps.append(float(np.diff(round_numbers).min()))
            inside = [v for v in round_numbers if low + margin < v * unit < high - margin]
            values += inside
            places += [start + high - v * unit for v in inside]
        digits = max(0, int(-np.floor(np.log10(min(steps)) + 1e-9)))
        return places, [f"{v:.{digits}f}".replace("-", "−") for v in values]


def draw_fit(
    ax: Axes,
    shown: FittedSpectrum,
    *,
    phase_rad: float = 0.0,
    tallest: float | None = None,
    title: str = "",
    note: str = "",
) -> list[Line2D]:
    """Draw a spectrum less its baseline, the fit over it, and below what the fit leaves.

    The residual is enlarged by a round number where it would be flat; its band is ± 3 standard
    deviations of the noise.  Between the windows of the lines the axis is broken.

    Parameters
    ----------
    ax
        Where to draw.
    shown
        Spectrum and fit.
    phase_rad
        φ of the factor e^{−iφ} before the real part is taken, in rad.
    tallest
        Height that other pictures have: how much larger this one is drawn stands in it.
    title
        Title of the picture.
    note
        What stands in a line below it.

    Returns
    -------
    list of Line2D
        Data, fit, and residual.

    Raises
    ------
    ArgumentError
        If the spectrum is not finite.
    """
    parts = shown.turned(phase_rad)
    data, fit, curve = (_finite(part).real for part in (parts.values, parts.model, parts.curve))
    windows = _Windows(shown.windows_hz[::-1])
    low, high = min(curve.min(), data.min(), 0.0), max(curve.max(), data.max(), 0.0)
    height = high - low
    rest = data - fit
    reach = max(float(np.abs(rest).max()), _BAND * shown.noise)
    times = _round_factor(_ROOM * height / reach)
    room = max(_ROOM * height, times * reach)
    level = low - _APART * height - room
    _frame(ax, windows, shown)
    lines = ax.plot(
        *windows.along(shown.frequencies_hz, data), "o", color=TRUE, markersize=1.7, label="data"
    )
    lines += ax.plot(
        *windows.along(shown.curve_hz, curve), color=ESTIMATE, linewidth=1.0, label="fit"
    )
    band = times * _BAND * shown.noise
    ax.axhspan(level - band, level + band, color="#e4e4e4", linewidth=0, zorder=0, label="± 3 σ")
    x, y = windows.along(shown.frequencies_hz, level + times * rest)
    lines += ax.plot(x, y, color=MODEL, linewidth=0.7, label="residual")
    ax.set_ylim(level - room - 0.13 * height, high + 0.12 * height)
    ax.text(
        0.0, 0.015, f"residual{_enlarged(times)}", transform=ax.transAxes, color=MODEL,
        fontsize=_SMALL,
    )  # fmt: skip
    larger = _enlarged((tallest or height) / height)
    ax.text(0.0, 0.98, larger.strip(), transform=ax.transAxes, va="top", fontsize=_SMALL)
    ax.annotate(note, (0, 1), (0, 2), "axes fraction", "offset points", fontsize=_SMALL + 0.5)
    ax.set_title(title, fontsize=9, loc="left", weight="bold", pad=14 if note else 4)
    return lines


def fit_height(shown: FittedSpectrum, phase_rad: float = 0.0) -> float:
    """Return from where to where the data and the curve of a picture reach, for ``tallest``."""
    parts = shown.turned(phase_rad)
    ends = np.concatenate([parts.values.real, parts.curve.real, [0.0]])
    return float(np.ptp(ends))


def _finite(values: Complex) -> Complex:
    if not np.all(np.isfinite(values)):
        bad = np.count_nonzero(~np.isfinite(values))
        raise ArgumentError(f"Argument `shown` must hold finite numbers, but {bad} are not")
    return values


def _round_factor(largest: float) -> float:
    """Return the largest of 1, 2, 5, 10, … up to a number and a thousand."""
    if largest < 1:
        return 1.0
    power = 10.0 ** np.floor(np.log10(min(largest, _MOST)))
    return float(power * max(step for step in (1, 2, 5) if step * power <= min(largest, _MOST)))


def _enlarged(times: float) -> str:
    if times < _LARGER:
        return ""
    return f" × {times:.2g}" if times < 10 else f" × {times:.0f}"


def _frame(ax: Axes, windows: _Windows, shown: FittedSpectrum) -> None:
    """Draw the axis of frequencies with its breaks, and where the lines stand."""
    reference = shown.reference_hz
    unit = 1.0 if reference is None else reference * 1e-6
    quiet_axes(ax, grid=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    along, last = ax.get_xaxis_transform(), 0.0
    for start, low, high in windows.starts():
        last = start + high - low
        ax.plot([start, last], [0, 0], color="black", lw=0.8, transform=along, clip_on=False)
        for place in shown.positions_hz[(shown.positions_hz > low) & (shown.positions_hz < high)]:
            ax.axvline(start + high - place, color="#cccccc", linewidth=0.6, zorder=0)
    for start, *_ in list(windows.starts())[1:]:
        ax.plot(
            [start - windows.gap, start], [0, 0], marker=[(-0.5, -1), (0.5, 1)], linestyle="none",
            markersize=7, color="black", markeredgewidth=0.8, transform=along, clip_on=False,
        )  # fmt: skip
    ax.axhline(0, color=QUIET, linewidth=0.5, zorder=0)
    places, names = windows.ticks(unit)
    ax.set_xticks(places, names, fontsize=7.5)
    ax.set_yticks([])
    ax.set_xlim(-0.01 * last, 1.01 * last)
    ax.set_xlabel("offset (Hz)" if reference is None else "ppm", fontsize=8)
