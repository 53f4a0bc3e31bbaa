"""Matrices of a register as coloured cells: values, and standard deviations of their elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, as_real

_NUMBERED = 4  # rows of a matrix that has room for numbers
_SMALL, _TINY = 9.0, 6.0  # pt, letters of few and of many basis states


def basis_labels(d: int) -> tuple[str, ...]:
    """Return the names of the 2ⁿ product states, say 00, 01, 10, 11, the first spin leftmost."""
    digits = max(1, (d - 1).bit_length())
    return tuple(format(k, f"0{digits}b") for k in range(d))


def checked_matrix(
    values: Any,  # noqa: ANN401 - arrays or Qobj
    labels: Sequence[str],
    name: str = "values",
) -> Complex:
    """Return one finite matrix that has a row and a column for every label.

    Raises
    ------
    ArgumentError
        If it is no matrix, has another size, or holds numbers that are not finite.
    """
    matrix = as_matrix(values, name)
    if matrix.shape != (len(labels), len(labels)):
        raise ArgumentError(
            f"Argument `{name}` must have shape ({len(labels)}, {len(labels)}), one row for every "
            f"label, but has shape {matrix.shape}"
        )
    return matrix


def checked_real(values: Any, labels: Sequence[str], name: str = "values") -> Real:  # noqa: ANN401
    """Return one finite real matrix that has a row and a column for every label.

    Raises
    ------
    ArgumentError
        As for `checked_matrix`, or if the matrix is complex.
    """
    return checked_matrix(as_real(values, name), labels, name).real


def checked_limit(limit: float, largest: float) -> float:
    """Return the value of the full scale, which must not be less than what is drawn.

    Raises
    ------
    ArgumentError
        If it is, or is not a number > 0.
    """
    if not (np.isfinite(limit) and limit > 0 and limit >= largest * (1 - 1e-12)):
        raise ArgumentError(
            f"Argument `limit` must be > 0 and at least the largest modulus {largest:.4g}, but is "
            f"{limit}"
        )
    return limit


def name_states(ax: Axes, labels: Sequence[str]) -> None:
    """Name rows |r⟩ and columns ⟨c| of a square picture of ⟨r|ρ|c⟩, the first row on top."""
    places, size = range(len(labels)), label_size(len(labels))
    turned = 90 if len(labels) > 8 else 0
    ax.set_xticks(places, [f"⟨{label}|" for label in labels], rotation=turned, fontsize=size)
    ax.set_yticks(places, [f"|{label}⟩" for label in labels], fontsize=size)
    ax.tick_params(length=0)


def label_size(states: int) -> float:
    """Return the size in pt of the letters of so many basis states."""
    return float(np.interp(states, [4, 16], [_SMALL, _TINY]))


def draw_matrix(
    ax: Axes, values: Real, labels: Sequence[str], *, limit: float, title: str = ""
) -> AxesImage:
    """Draw one real matrix as coloured cells with their numbers, zero white.

    Parameters
    ----------
    ax
        Where to draw.
    values
        Shape (d, d).
    labels
        Names of the basis states, say 00, 01, 10, 11.
    limit
        Value of the full colour, either sign.
    title
        Title of the picture.

    Returns
    -------
    AxesImage

    Raises
    ------
    ArgumentError
        If the matrix is not real, finite and of the size of the labels.
    """
    matrix = checked_real(values, labels)
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit)
    name_states(ax, labels)
    ax.set_title(title)
    if len(labels) <= _NUMBERED:
        for (i, j), value in np.ndenumerate(matrix):
            color = "white" if abs(value) > 0.6 * limit else "black"
            text = f"{value + 0.0:.3f}".replace("-0.000", "0.000")
            ax.text(j, i, text, ha="center", va="center", fontsize=8, color=color)
    return image


def draw_element_errors(
    ax: Axes, errors: tuple[Real, Real], labels: Sequence[str], *, title: str = ""
) -> AxesImage:
    """Draw the standard deviations of a Hermitian matrix as one map, dark where they are large.

    Those of the real parts stand on and below the diagonal, those of the imaginary parts above
    it: nothing is lost, for ρ_ij = ρ*_ji.

    Parameters
    ----------
    ax
        Where to draw.
    errors
        Of the real and of the imaginary parts, shape (d, d) each, dimensionless; from
        `nmrqb.tomography.element_errors`.
    labels
        Names of the basis states.
    title
        Title of the picture.

    Returns
    -------
    AxesImage
        Its values are in the unit that stands below the map, a power of ten.

    Raises
    ------
    ArgumentError
        If a matrix is not real, finite, ≥ 0, and of the size of the labels.
    """
    real, imaginary = (checked_real(part, labels, "errors") for part in errors)
    shown = np.tril(real) + np.triu(imaginary, 1)
    if np.any(shown < 0):
        raise ArgumentError(f"Argument `errors` must be ≥ 0, but holds {shown.min():.3g}")
    largest = float(shown.max())
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    scaled = shown / 10.0**power
    image = ax.imshow(scaled, cmap="cividis_r", vmin=0)
    name_states(ax, labels)
    ax.set_title(title)
    ax.set_xlabel(f"unit {_unit(power)}; Re on and below the line, Im above", fontsize=_SMALL)
    _stairs(ax, len(labels))
    if len(labels) <= _NUMBERED:
        for (i, j), value in np.ndenumerate(scaled):
            color = "white" if value > 0.6 * scaled.max() else "black"
            ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    return image


def _unit(power: int) -> str:
    return "1" if power == 0 else f"$10^{{{power}}}$"


def _stairs(ax: Axes, d: int) -> None:
    """Draw the line, white with black edges, between the diagonal and what is above it."""
    steps = np.repeat(np.arange(d + 1), 2) - 0.5
    for color, width in (("black", 2.8), ("white", 1.6)):  # seen on light and on dark cells
        ax.plot(steps[1:], steps[:-1], color=color, linewidth=width)
    ax.set(xlim=(-0.5, d - 0.5), ylim=(d - 0.5, -0.5))
