"""Distributions of an imperfection over the sample, by quadrature rules or by random draws.

A value is how far a member of the ensemble is from nominal: Hz for a field, a share for an
amplitude or a coupling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.polynomial.legendre import leggauss

from nmrqb.arguments import check_positive, checked
from nmrqb.errors import ArgumentError, Fault, InputError, Position, refuse
from nmrqb.files import read_text
from nmrqb.operators import Real
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio

MAX_ROWS = 10_000
_MAX_FAULTS = 20
_REACH = 6.0  # standard deviations on either side
_LORENTZIAN_MISSING = 1e-3  # weight beyond the truncation of a Lorentzian
_KNEE = 3.0  # half widths up to which the nodes of a Lorentzian are nearly equally spaced
_SETTLED = 14.0  # half widths: e^{-14} is below 1e-6


class Distribution(Protocol):
    """What spreads a value over the sample."""

    @property
    def missing(self) -> float:
        """Weight of the distribution that its rule and its draws leave out."""

    def intervals(self, angle: float) -> int:
        """Return the size of the rule that resolves phases of up to ``angle`` rad per unit."""

    def rule(self, intervals: int) -> tuple[Real, Real]:
        """Return the values and the weights of a rule, each of shape (nodes,)."""

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return independent values, shape (count,)."""


@dataclass(frozen=True)
class Gaussian:
    """Normal distribution round 0 of standard deviation ``spread``.

    The rule is the trapezoidal one over ±6 standard deviations, spectrally accurate: what turns
    by θ rad per unit averages to exp(−θ²s²/2), which h ≤ 2π/(θs + 6) standard deviations between
    neighbours resolve to about 1e-7.

    Raises
    ------
    ArgumentError
        If the spread is not positive and finite.
    """

    spread: float
    missing: float = 0.0

    def __post_init__(self) -> None:
        check_positive("spread", self.spread)

    def intervals(self, angle: float) -> int:
        """Return the size of the rule that resolves phases of up to ``angle`` rad per unit."""
        return int(np.ceil(2 * _REACH * (abs(angle) * self.spread + _REACH) / (2 * np.pi)))

    def rule(self, intervals: int) -> tuple[Real, Real]:
        """Return equally spaced values and Gaussian weights, each of shape (intervals + 1,)."""
        x = np.linspace(-_REACH, _REACH, intervals + 1)
        weights = np.exp(-(x**2) / 2)
        return self.spread * x, weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return independent normal values, shape (count,)."""
        return np.asarray(self.spread * rng.standard_normal(count))


@dataclass(frozen=True)
class Lorentzian:
    """Cauchy distribution round 0 of half width w at half height: ⟨e^{iθx}⟩ = e^{−|θ|w}.

    It is cut where 0.1 % of its weight, ``missing``, lies beyond.  The rule is trapezoidal in v of
    x = 3w sinh v: equally spaced in the middle, geometric in the wings, weights by the density.
    Its error falls with the nodes N about as N^(−3/2), that of nodes of equal probability (the
    tangents of equally spaced angles) as N^(−3/4) only.

    Raises
    ------
    ArgumentError
        If the half width is not positive and finite.
    """

    half_width: float
    missing: float = _LORENTZIAN_MISSING

    def __post_init__(self) -> None:
        check_positive("half_width", self.half_width)
        if not 0 < self.missing < 0.5:
            raise ArgumentError(
                f"Argument `missing` must be above 0 and below 0.5, but is {self.missing}"
            )

    @property
    def reach(self) -> float:
        """Where the distribution is cut, in half widths."""
        return float(np.tan(np.pi / 2 * (1 - self.missing)))

    def intervals(self, angle: float) -> int:
        """Return the size of the rule that resolves phases of up to ``angle`` rad per unit."""
        step = 2 * np.pi / (_KNEE * (abs(angle) * self.half_width + _SETTLED))
        return int(np.ceil(2 * np.arcsinh(self.reach / _KNEE) / step))

    def rule(self, intervals: int) -> tuple[Real, Real]:
        """Return graded values and their weights, each of shape (intervals + 1,)."""
        end = np.arcsinh(self.reach / _KNEE)
        v = np.linspace(-end, end, intervals + 1)
        x = _KNEE * np.sinh(v)
        weights = np.cosh(v) / (1 + x**2)
        return self.half_width * x, weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return independent values within the cut, shape (count,)."""
        angle = (1 - self.missing) * np.pi * (rng.random(count) - 0.5)
        return np.asarray(self.half_width * np.tan(angle))


@dataclass(frozen=True)
class Uniform:
    """Equal density from −``half_width`` to ``half_width``: ⟨e^{iθx}⟩ = sin(θa)/(θa).

    The rule is that of Gauss and Legendre.

    Raises
    ------
    ArgumentError
        If the half width is not positive and finite.
    """

    half_width: float
    missing: float = 0.0

    def __post_init__(self) -> None:
        check_positive("half_width", self.half_width)

    def intervals(self, angle: float) -> int:
        """Return the size of the rule that resolves phases of up to ``angle`` rad per unit."""
        return int(np.ceil(abs(angle) * self.half_width / 2)) + 10

    def rule(self, intervals: int) -> tuple[Real, Real]:
        """Return Gauss-Legendre nodes and weights, each of shape (intervals + 1,)."""
        x, weights = leggauss(intervals + 1)
        return self.half_width * x, weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return independent values, shape (count,)."""
        return np.asarray(self.half_width * (2 * rng.random(count) - 1))


@dataclass(frozen=True)
class Tabulated:
    """A measured profile: values and how much of the sample has each of them.

    The table is taken as it is: nothing lies between its values, so that a coarse one revives
    where the true profile would not.

    Attributes
    ----------
    values
        Deviations from nominal.
    weights
        Shares of the sample, ≥ 0, scaled to the sum 1.

    Raises
    ------
    ArgumentError
        If the two do not go together, or are not finite, or the weights are negative or all 0.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]
    missing: float = 0.0

    def __post_init__(self) -> None:
        if not self.values or len(self.values) != len(self.weights):
            raise ArgumentError(
                "Arguments `values` and `weights` must be as many and at least one, but are "
                f"{len(self.values)} and {len(self.weights)}"
            )
        if not np.all(np.isfinite([self.values, self.weights])):
            wild = [x for x in (*self.values, *self.weights) if not np.isfinite(x)]
            raise ArgumentError(
                f"Arguments `values` and `weights` must be finite, but hold {wild[0]}"
            )
        if min(self.weights) < 0 or max(self.weights) == 0:
            raise ArgumentError(
                "Argument `weights` must be 0 or more and not all 0, but goes from "
                f"{min(self.weights)} to {max(self.weights)}"
            )

    def intervals(self, angle: float) -> int:
        """Return the size of the rule, that of the table whatever the angle."""
        return len(self.values) - 1

    def rule(self, intervals: int) -> tuple[Real, Real]:
        """Return the table, its weights scaled to the sum 1, each of shape (rows,)."""
        weights = np.array(self.weights) / max(self.weights)  # their sum cannot overflow
        return np.array(self.values), weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return rows drawn with their weights, shape (count,)."""
        values, weights = self.rule(0)
        return np.asarray(rng.choice(values, size=count, p=weights))


@checked
def static_field(T2_star: float, T2: float = np.inf, nucleus: str = "1H") -> Lorentzian | None:
    """Return the spread of the static field, in Hz of 1H, behind a T2* of a nucleus.

    1/T2* = 1/T2 + 1/T2′; the field then has the half width 1/(2πT2′)·γ(1H)/|γ| and the line the
    full width 1/(πT2*).

    Parameters
    ----------
    T2_star, T2
        Decay times in s of the free signal, and of what an echo cannot bring back.
    nucleus
        Whose line it is.

    Returns
    -------
    Lorentzian, or None where T2* = T2 and the field is uniform

    Raises
    ------
    ArgumentError
        If a time is not positive or T2* is longer than T2.
    """
    if not (T2_star > 0 and T2 > 0):
        raise ArgumentError(
            f"Arguments `T2_star` and `T2` must be positive, but are {T2_star} s and {T2} s"
        )
    if T2_star > T2:
        raise ArgumentError(f"Argument `T2_star` must be at most T2 = {T2} s, but is {T2_star} s")
    rate = 1 / T2_star - 1 / T2
    if rate == 0:
        return None
    return Lorentzian(rate / (2 * np.pi) / abs(relative_gyromagnetic_ratio(nucleus)))


# --------------------------------------------------------------------------- profiles in files
_ROW = re.compile(r"\s*([^\s,;]+)\s*[\s,;]\s*([^\s,;]+)\s*")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")


def read_profile(path: str | Path, nominal: float = 1.0) -> Tabulated:
    """Read a measured profile from two columns of text: value and weight.

    Columns are parted by blanks, a comma or a semicolon; ``#`` starts a comment.

    Parameters
    ----------
    path
        The file, named in messages as given.
    nominal
        What a value without imperfection would be; it is taken off.

    Raises
    ------
    InputError
        If the file cannot be read or is no such table, with the place of every fault.
    """
    name = str(path)
    lines = read_text(path, "a profile").splitlines()
    rows = [(k, text.split("#")[0]) for k, text in enumerate(lines, 1)]
    rows = [row for row in rows if row[1].strip()]
    if not 0 < len(rows) <= MAX_ROWS:
        message = f"a profile must have from 1 to {MAX_ROWS} rows, but has {len(rows)}"
        raise InputError.at(Position(name), message)
    refuse(islice((fault for row in rows for fault in _row_faults(name, *row)), _MAX_FAULTS))
    pairs = [found.groups() for _, text in rows if (found := _ROW.fullmatch(text))]
    table = np.array(pairs, dtype=float)
    if not table[:, 1].any():
        raise InputError.at(Position(name), "all weights are 0; a profile needs one that is not")
    return Tabulated(tuple((table[:, 0] - nominal).tolist()), tuple(table[:, 1].tolist()))


def _row_faults(name: str, line: int, text: str) -> Iterator[Fault]:
    found = _ROW.fullmatch(text)
    shown = text.strip()[:40]
    if found is None or not all(_NUMBER.fullmatch(part) for part in found.groups()):
        message = f"this line must hold two numbers, a value and its weight, but is `{shown}`"
        yield Fault(Position(name, line, 1), message)
    elif not np.all(np.isfinite(pair := [float(part) for part in found.groups()])):
        yield Fault(Position(name, line, 1), f"the numbers must be finite, but are `{shown}`")
    elif pair[1] < 0:
        yield Fault(Position(name, line, 1), f"a weight must not be negative, but is {pair[1]:g}")
