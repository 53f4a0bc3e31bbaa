"""What every mechanism of relaxation asks of its numbers and labels."""

from __future__ import annotations

import math

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

ROUNDING = 1e-9


def check_angle(name: str, value: float) -> None:
    """Refuse an angle that is not from 0 to π rad.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if not 0 <= value <= math.pi + ROUNDING:
        raise ArgumentError(
            f"Argument `{name}` must be from 0° to 180°, but is {math.degrees(value):.4g}°"
        )


def check_rates(name: str, rates: tuple[float, ...], count: int) -> None:
    """Refuse anything but ``count`` finite rates of 0 or more.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if len(rates) != count:
        raise ArgumentError(f"Argument `{name}` must hold {count} rates, but holds {len(rates)}")
    for rate in rates:
        if not 0 <= rate < math.inf:
            raise ArgumentError(f"Argument `{name}` must be 0 or more and finite, but is {rate}")


def check_labels(name: str, labels: tuple[str, ...]) -> None:
    """Refuse no labels at all, or one that stands twice.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if not labels or len(set(labels)) < len(labels):
        raise ArgumentError(
            f"Argument `{name}` must name each spin once, but is [{', '.join(labels)}]"
        )


def check_pair(labels: tuple[str, ...]) -> None:
    """Refuse anything but two different labels.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if len(labels) != 2 or labels[0] == labels[1]:
        raise ArgumentError(f"Argument `between` must name two spins, but is [{', '.join(labels)}]")


def check_correlation(correlation: float, n: int) -> None:
    """Refuse a correlation that n spins cannot have, each with every other.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    lowest = -1 / (n - 1) if n > 2 else -1.0
    if not lowest - ROUNDING <= correlation <= 1:
        raise ArgumentError(
            f"Argument `correlation` must be from {lowest:.4g} to 1 for {n} spins, but is "
            f"{correlation}"
        )


def check_correlations(matrix: Real, n: int) -> None:
    """Refuse what is no correlation matrix of n spins.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if not np.all(np.isfinite(matrix)):
        raise no_correlations("is not finite", n)
    apart = max(np.abs(matrix - matrix.T).max(), np.abs(np.diag(matrix) - 1).max())
    if apart > ROUNDING:
        raise no_correlations("is not symmetric with 1 on its diagonal", n)
    lowest = float(np.linalg.eigvalsh(matrix).min())
    if lowest < -ROUNDING:
        raise no_correlations(f"has the negative eigenvalue {lowest:.4g}", n)


def no_correlations(has: str, n: int) -> ArgumentError:
    """Return the error of what is no correlation matrix of n spins."""
    return ArgumentError(
        f"Argument `correlation` must be one number or a correlation matrix of {n} spins "
        f"(symmetric, 1 on its diagonal, no negative eigenvalue), but {has}"
    )
