"""Pauli coefficients as bars with their errors, beside the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real, as_real, pauli_strings
from nmrqb.plotting.style import ESTIMATE, QUIET, TRUE, quiet_axes
from nmrqb.plotting.unknown import hatched

Known: TypeAlias = tuple[float, float] | None
"""A value and its standard deviation, None of what is not determined."""

_SMALL, _TINY = 9.0, 6.5  # pt, letters of few and of many strings
_WORDS = 12  # letters up to which names of combinations stand upright


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


def draw_known_paulis(
    ax: Axes,
    known: Mapping[str, Known],
    combinations: Mapping[str, Known] = MappingProxyType({}),
    *,
    most: int = 63,
    title: str = "",
) -> tuple[BarContainer, list[Rectangle]]:
    """Draw what is known of expectation values as bars, and hatch what is not determined.

    Parameters
    ----------
    ax
        Where to draw.
    known
        Pauli string to value and standard deviation, None where it is not determined.
    combinations
        The same of sums of Paulis that are determined only together; they stand to the right.
    most
        Bars and strips that are drawn at most: where there are more, the largest bars; what is
        left out stands below the axis.
    title
        Title of the picture.

    Returns
    -------
    BarContainer, list of Rectangle
        The bars, and one hatched strip for every run of strings that are not determined.

    Raises
    ------
    ArgumentError
        If there is nothing to draw, a number is not finite or an error is negative.
    """
    entries = [*known.items(), *combinations.items()]
    if not entries:
        raise ArgumentError("Argument `known` must hold at least one Pauli string, but is empty")
    numbers = _checked(np.array([pair or (0, 0) for _, pair in entries]).ravel(), "known",
                       2 * len(entries)).reshape(-1, 2)  # fmt: skip
    if np.any(numbers[:, 1] < 0):
        least = numbers[:, 1].min()
        raise ArgumentError(f"Argument `known` must hold errors ≥ 0, but holds {least:.3g}")
    found = np.array([pair is not None for _, pair in entries])
    order = np.argsort(np.where(found, -np.abs(numbers[:, 0]), 1), kind="stable")
    shown = np.sort(order[:most])
    own = np.flatnonzero(found[shown])
    bars = ax.bar(
        own,
        numbers[shown[own], 0],
        0.8,
        yerr=numbers[shown[own], 1],
        error_kw={"elinewidth": 1.0, "capsize": min(3.0, 60 / len(shown)), "ecolor": "black"},
        color=ESTIMATE,
        label="estimate ± 1 σ",
    )
    strips = [hatched(ax, k - 0.45, m + 0.45) for k, m in _runs(~found[shown])]
    for strip in strips[:1]:
        strip.set_label("not determined")
    _name(ax, [entries[k][0] for k in shown])
    for k in np.flatnonzero(~found[shown]):
        ax.get_xticklabels()[k].set_color(QUIET)
    if np.any(shown >= len(known)) and np.any(shown < len(known)):
        ax.axvline(np.searchsorted(shown, len(known)) - 0.5, color=QUIET, linewidth=0.8)
    ax.set(title=title, ylabel="⟨P⟩", xlabel=_not_drawn(numbers[:, 0], found, shown))
    ax.legend(fontsize=8, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    return bars, strips


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last place of every run of marks."""
    pieces = groupby(range(len(marked)), key=lambda k: bool(marked[k]))
    runs = [list(places) for wanted, places in pieces if wanted]
    return [(run[0], run[-1]) for run in runs]


def _not_drawn(values: Real, found: NDArray[np.bool_], shown: NDArray[np.intp]) -> str:
    """Return what is to be said of expectation values that are not drawn."""
    rest = np.delete(np.arange(len(values)), shown)
    if not rest.size:
        return ""
    known = np.abs(values[rest[found[rest]]])
    texts = [f"none of {len(known)} others is larger than {known.max():.2g}"] * bool(known.size)
    lost = int(np.sum(~found[rest]))
    texts += [f"{lost} more are not determined"] * bool(lost)
    return f"the {len(shown)} largest of {len(values)}; " + "; ".join(texts)


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
    many = len(names) > 16 or max(map(len, names)) > _WORDS
    size = float(np.interp(len(names), [15, 63], [_SMALL, _TINY]))
    ax.set_xticks(range(len(names)), names, rotation=90 if many else 0, fontsize=size)
    ax.set_xlim(-0.7, len(names) - 0.3)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.tick_params(axis="x", length=0)
    quiet_axes(ax)
    ax.grid(visible=False, axis="x")
