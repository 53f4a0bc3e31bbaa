"""Pauli coefficients as bars with their errors, beside the true ones."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real, pauli_strings
from nmrqb.plotting.style import ESTIMATE, TRUE, quiet_axes

_SMALL, _TINY = 9.0, 6.5  # pt, letters of few and of many strings


def draw_pauli_bars(
    ax: Axes,
    values: Real,
    errors: Real | None = None,
    *,
    truth: Real | None = None,
    most: int = 63,
    label: str = "estimate ± 1 σ",
    title: str = "",
) -> list[BarContainer]:
    """Draw the coefficients c_P = ⟨P⟩ of a register as bars, estimates beside the truth.

    Parameters
    ----------
    ax
        Where to draw.
    values
        Shape (4ⁿ − 1,), in the order of `nmrqb.operators.pauli_strings`, dimensionless.
    errors
        Their standard deviations, half the lengths of the error bars.
    truth
        True coefficients, or None where nobody knows them.
    most
        Strings that are drawn at most: where there are more, those with the largest bars; how
        large the others are stands below the axis.
    label
        What the legend calls the estimates.
    title
        Title of the picture.

    Returns
    -------
    list of BarContainer
        The estimates, then the truth if it is known.

    Raises
    ------
    ArgumentError
        If numbers are not finite, are not 4ⁿ − 1, or an error is negative.
    """
    names = _strings(np.size(values))
    estimates = _checked(values, "values", len(names))
    known = None if truth is None else _checked(truth, "truth", len(names))
    spread = None if errors is None else _checked(errors, "errors", len(names))
    if spread is not None and np.any(spread < 0):
        raise ArgumentError(f"Argument `errors` must be ≥ 0, but holds {spread.min():.3g}")
    sizes = np.abs(estimates) if known is None else np.maximum(np.abs(estimates), np.abs(known))
    shown = np.sort(np.argsort(-sizes, kind="stable")[:most])
    width = 0.8 if known is None else 0.4
    places = np.arange(len(shown))
    bars = [
        ax.bar(
            places if known is None else places - width / 2,
            estimates[shown],
            width,
            yerr=None if spread is None else spread[shown],
            error_kw={"elinewidth": 1.0, "capsize": min(3.0, 60 / len(shown)), "ecolor": "black"},
            color=ESTIMATE,
            label=label,
        )
    ]
    if known is not None:
        right = ax.bar(places + width / 2, known[shown], width, color="white", label="true")
        for bar in right:
            bar.set(edgecolor=TRUE, linewidth=0.9)
        bars.append(right)
    _name(ax, [names[k] for k in shown])
    ax.set(title=title, ylabel="⟨P⟩", xlabel=_left_out(sizes, shown))
    ax.legend(fontsize=8, ncols=2, frameon=False)
    return bars


def _strings(size: int) -> tuple[str, ...]:
    n = size.bit_length() // 2
    strings = pauli_strings(n)[1:] if 0 < size < 4**7 else ()
    if not strings or len(strings) != size:
        raise ArgumentError(f"Argument `values` must hold 4ⁿ − 1 numbers, but holds {size}")
    return strings


def _checked(values: Real, name: str, size: int) -> Real:
    numbers = as_real(values, name)
    if numbers.shape != (size,) or not np.all(np.isfinite(numbers)):
        raise ArgumentError(
            f"Argument `{name}` must be {size} finite numbers, but has shape {numbers.shape} and "
            f"{np.count_nonzero(~np.isfinite(numbers))} that are not finite"
        )
    return numbers


def _left_out(sizes: Real, shown: NDArray[np.intp]) -> str:
    """Return what is to be said of strings that are not drawn."""
    rest = np.delete(sizes, shown)
    if not rest.size:
        return ""
    return (
        f"the {len(shown)} largest of {len(sizes)} Pauli strings; "
        f"of the others none is larger than {rest.max():.2g}"
    )


def _name(ax: Axes, names: list[str]) -> None:
    many = len(names) > 16
    size = float(np.interp(len(names), [15, 63], [_SMALL, _TINY]))
    ax.set_xticks(range(len(names)), names, rotation=90 if many else 0, fontsize=size)
    ax.set_xlim(-0.7, len(names) - 0.3)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.tick_params(axis="x", length=0)
    quiet_axes(ax)
    ax.grid(visible=False, axis="x")
