"""Shapes of selective pulses: how the amplitude goes with time, from formulas and from files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError, Fault, InputError, Position, nearest, refuse
from nmrqb.files import read_text
from nmrqb.operators import Complex

MAX_POINTS = 100_000
MAX_ORDER = 1_000
LARGEST = 1e300  # coefficient or sample; sums of larger ones overflow
MAX_FAULTS = 20  # a file with more is no shape file

# a_0 … a_15 of RE-BURP: Geen and Freeman, J. Magn. Reson. 93, 93 (1991)
REBURP = (
    0.49, -1.02, 1.11, -1.57, 0.83, -0.42, 0.26, -0.16,
    0.10, -0.07, 0.04, -0.03, 0.01, -0.02, 0.00, -0.01,
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How the amplitude of a pulse goes with time, at any duration and power.

    Attributes
    ----------
    kind
        One of `SHAPES`.
    points
        Number N of equal steps; a shape of kind samples has as many as samples.
    truncation
        Gaussian: value at both edges, as a share of the peak.
    lobes
        Sinc: zeros on each side of the centre, the last one at the edge.
    cosine, sine
        Fourier: a_0, a_1, … and b_1, b_2, … of `shape_samples`.
    samples
        Samples: the values, one per step.
    file
        Where the samples were read, as the user wrote it.

    Raises
    ------
    ArgumentError
        If a value cannot be used, see `shape_complaint`, or does not go with the kind.
    """

    kind: str
    points: int = 200
    truncation: float = 0.01
    lobes: int = 3
    cosine: tuple[float, ...] = ()
    sine: tuple[float, ...] = ()
    samples: tuple[complex, ...] = ()
    file: str = ""

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self)]
        for find in (self._unfit, self._misfit):  # what does not go together is asked second
            for name in names:
                if complaint := find(name):
                    raise ArgumentError(f"Argument `{name}` {complaint}")

    def _unfit(self, name: str) -> str:
        return shape_complaint(name, getattr(self, name))

    def _misfit(self, name: str) -> str:
        """Return what is wrong with a value that is fine by itself, the empty text if nothing."""
        if name in _OWNERS and self.kind not in _OWNERS[name] and getattr(self, name):
            return f"must be left out, for the shape is of kind {self.kind}"
        if name == "cosine" and self.kind == "fourier" and not any(self.cosine + self.sine):
            return "must hold a coefficient other than 0, or `sine` must, but there is none"
        if name == "samples" and self.kind == "samples" and not any(self.samples):
            return "must hold a sample other than 0, but there is none"
        if name == "points" and self.kind != "samples" and self.points <= 2 * self._order():
            return (
                f"must be above {2 * self._order()}, for fewer steps cannot follow "
                f"{self._ripples()}, but is {self.points}"
            )
        return ""

    def _order(self) -> int:
        """Return the highest order of a Fourier series on the duration that the shape needs."""
        if self.kind == "sinc":
            return self.lobes
        cosine, sine = _series(self)
        return max((n for n, c in [*enumerate(cosine), *enumerate(sine, 1)] if c), default=0)

    def _ripples(self) -> str:
        lobes = "1 lobe" if self.lobes == 1 else f"{self.lobes} lobes"
        return lobes if self.kind == "sinc" else f"a Fourier series of order {self._order()}"


# --------------------------------------------------------------------------------- what is allowed
def shape_complaint(name: str, value: object) -> str:
    """Return ``must be …, but is …`` if a field of `Shape` cannot have a value, else ``""``.

    Parameters
    ----------
    name
        A field of `Shape`.
    value
        What it is meant to hold.
    """
    if name == "kind" and value not in SHAPES:
        return f"must be a shape, but is {value!r}; {nearest(str(value), SHAPES)}"
    allowed, wanted = _RULES.get(name, (_anything, ""))
    return "" if allowed(value) else f"must be {wanted}, but is {_shown(value)}"


def _anything(_value: object) -> bool:
    return True


def _whole(least: int, most: int) -> Callable[[object], bool]:
    def allowed(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return allowed


def _share(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < 1


def _numbers(most: int, kind: type[float | complex]) -> Callable[[object], bool]:
    def number(value: object) -> bool:
        return isinstance(value, int | kind) and max(abs(value.real), abs(value.imag)) <= LARGEST

    def allowed(values: object) -> bool:
        return isinstance(values, tuple) and len(values) <= most and all(map(number, values))

    return allowed


def _shown(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 8:
        return f"of {len(value)} numbers"
    return repr(value)


_FINITE = f"numbers up to {LARGEST:g}"
_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "points": (_whole(1, MAX_POINTS), f"a whole number from 1 to {MAX_POINTS}"),
    "truncation": (_share, "above 0 and below 1"),
    "lobes": (_whole(1, MAX_ORDER), f"a whole number from 1 to {MAX_ORDER}"),
    "cosine": (_numbers(MAX_ORDER + 1, float), f"a tuple of at most {MAX_ORDER + 1} {_FINITE}"),
    "sine": (_numbers(MAX_ORDER, float), f"a tuple of at most {MAX_ORDER} {_FINITE}"),
    "samples": (_numbers(MAX_POINTS, complex), f"a tuple of at most {MAX_POINTS} {_FINITE}"),
}
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "cosine": ("fourier",),
    "sine": ("fourier",),
    "samples": ("samples",),
    "file": ("samples",),
}


# ------------------------------------------------------------------------------------- the samples
@lru_cache(maxsize=64)
def shape_samples(shape: Shape) -> Complex:
    """Return the values of a shape in the middles of N equal steps, relative to its peak.

    With x = t/T from 0 to 1: rectangle 1; gaussian τ^((2x−1)²), τ the truncation; sinc
    sin(πu)/(πu), u = (2x−1)·lobes; sine-squared sin²(πx); fourier
    ±[Σ_n a_n cos(2πnx) + Σ_n b_n sin(2πnx)], the sign of a_0 so that the mean is not negative, or
    as written if a_0 = 0; reburp the series of Geen and Freeman, J. Magn. Reson. 93, 93 (1991);
    samples as they are.  The mean of a fourier shape is |a_0| over its peak exactly.

    Parameters
    ----------
    shape
        The shape.

    Returns
    -------
    array of shape (N,)
        Dimensionless and complex, read-only; the argument is the phase relative to that of the
        pulse, π where a formula is negative.
    """
    x = (np.arange(shape.points) + 0.5) / shape.points
    values = np.asarray(_FORMULAS[shape.kind](shape, x), dtype=complex)
    values = np.asarray((values.view(float) / _peak(shape, values)).view(complex))
    values.setflags(write=False)
    return values


def _peak(shape: Shape, values: Complex) -> float:
    """Return the largest |value| of a series or of samples; the other formulas peak at 1."""
    return float(np.abs(values).max()) if shape.kind in _SCALED else 1.0


def _gaussian(shape: Shape, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(shape.truncation ** ((2 * x - 1) ** 2))


def _sinc(shape: Shape, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sinc((2 * x - 1) * shape.lobes)


def _fourier(shape: Shape, x: NDArray[np.float64]) -> NDArray[np.float64]:
    cosine, sine = (np.array(c, dtype=float) for c in _series(shape))
    largest = np.abs(np.concatenate([cosine, sine])).max() * (-1 if cosine[0] < 0 else 1)
    z = np.exp(2j * np.pi * x)
    waves = polyval(z, cosine / largest).real
    return np.asarray(waves + polyval(z, np.array([0, *sine / largest])).imag)


def _series(shape: Shape) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return a_0, a_1, … and b_1, b_2, … of a shape; a_0 is always there."""
    return (REBURP if shape.kind == "reburp" else shape.cosine or (0.0,)), shape.sine


_FORMULAS: Mapping[str, Callable[[Shape, NDArray[np.float64]], Any]] = {
    "rectangle": lambda _, x: np.ones_like(x),
    "gaussian": _gaussian,
    "sinc": _sinc,
    "sine-squared": lambda _, x: np.sin(np.pi * x) ** 2,
    "fourier": _fourier,
    "reburp": _fourier,
    "samples": lambda shape, _: shape.samples,
}

SHAPES = tuple(_FORMULAS)
_SCALED = ("fourier", "reburp", "samples")  # their largest value is 1 by definition


# --------------------------------------------------------------------------------- reading of files
def read_shape(path: str | Path) -> Shape:
    """Read a shape from a Bruker JCAMP-DX file or from columns of text.

    JCAMP-DX: one pair ``amplitude, phase`` per line between ``##XYPOINTS= (XY..XY)`` and ``##END``,
    ``$$`` starts a comment.  Text: one or two columns, amplitude and phase, parted by blanks or a
    comma, ``#`` starts a comment.  Phases are in degrees, the unit of the amplitudes does not
    matter: they are divided by the largest.

    Parameters
    ----------
    path
        The file, named in messages as given.

    Returns
    -------
    Shape
        Of kind samples.

    Raises
    ------
    InputError
        If the file cannot be read or is no such file, with the place of every fault.
    """
    name = str(path)
    lines = _LINE_END.split(read_text(path, "a shape file"))
    is_jcamp = any(
        re.match(r"\s*##\s*(TITLE|JCAMP-?DX|XYPOINTS)\s*=", text, re.I) for text in lines
    )
    rows = _jcamp_rows(lines, name) if is_jcamp else _text_rows(lines)
    amplitudes, phases = _columns(rows, name)
    largest = np.abs(amplitudes).max()
    values = amplitudes / largest * np.exp(1j * np.deg2rad(phases))
    return Shape("samples", len(values), samples=tuple(values.tolist()), file=name)


_LINE_END = re.compile(r"\r\n|\r|\n")

Row = tuple[int, str]  # number of the line, and its text without comment


def _text_rows(lines: list[str]) -> list[Row]:
    rows = ((number, text.split("#")[0]) for number, text in enumerate(lines, 1))
    return [row for row in rows if row[1].strip()]


def _jcamp_rows(lines: list[str], name: str) -> list[Row]:
    """Return what stands between ##XYPOINTS and ##END; there must be nothing after it."""
    rows = [(number, text.split("$$")[0]) for number, text in enumerate(lines, 1)]
    rows = [row for row in rows if row[1].strip()]
    labels = [(i, *_label(text)) for i, (_, text) in enumerate(rows) if text.lstrip()[:2] == "##"]
    start = next((k for k, (_, label, _) in enumerate(labels) if label == "XYPOINTS"), None)
    if start is None:
        message = "there is no `##XYPOINTS= (XY..XY)`, after which the points of a shape stand"
        raise InputError.at(Position(name), message)
    first, end = labels[start][0], next((i for i, *_ in labels[start + 1 :]), len(rows))
    refuse(_label_faults(rows, labels[: start + 1], end, name))
    points = rows[first + 1 : end]
    refuse(_count_faults(rows, labels[:start], len(points), name))
    return points


Label = tuple[int, str, str]  # index of its row, name, value


def _label(text: str) -> tuple[str, str]:
    name, _, value = text.strip()[2:].partition("=")
    return re.sub(r"[\s/_-]", "", name).upper(), value.strip()


def _label_faults(rows: list[Row], labels: list[Label], end: int, name: str) -> Iterator[Fault]:
    """Yield what is wrong with the form of the points, and with what follows them."""
    index, _, form = labels[-1]
    if re.sub(r"\s", "", form).upper() != "(XY..XY)":
        message = f"the points must be in the form (XY..XY), but are in {form!r}"
        yield Fault(_place(name, rows[index]), message)
    if end == len(rows):
        message = "there is no `##END=` after the points: the file is not complete"
        yield Fault(_place(name, rows[-1]), message)
    elif _label(rows[end][1])[0] != "END":
        message = "after the points there must be `##END=` and no other label"
        yield Fault(_place(name, rows[end]), message)
    elif end + 1 < len(rows):
        yield Fault(_place(name, rows[end + 1]), "after `##END=` there must be nothing more")


def _count_faults(rows: list[Row], labels: list[Label], found: int, name: str) -> Iterator[Fault]:
    for index, label, value in labels:
        if label == "NPOINTS" and value != str(found):
            message = f"`##NPOINTS= {value}` must be the number of points, but there are {found}"
            yield Fault(_place(name, rows[index]), message)


def _place(name: str, row: Row, column: int | None = None) -> Position:
    number, text = row
    return Position(
        name, number, 1 + (len(text) - len(text.lstrip()) if column is None else column)
    )


# ------------------------------------------------------------------------------- rows to numbers
_ROW = re.compile(r"\s*([^\s,]+)(?:(?:\s*,\s*|\s+)([^\s,]+))?\s*")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def _columns(rows: list[Row], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the amplitudes and the phases (degrees, 0 where there is no second column)."""
    if len(rows) > MAX_POINTS:
        message = f"there are more than {MAX_POINTS} points, too many for a shape"
        raise InputError.at(_place(name, rows[MAX_POINTS]), message)
    found = [_ROW.fullmatch(text) for _, text in rows]
    width = next((2 if row[2] else 1 for row in found if row), 1)
    faults = (
        f for row, cut in zip(rows, found, strict=True) for f in _faults(row, cut, width, name)
    )
    refuse(islice(faults, MAX_FAULTS))
    table = np.array([(float(row[1]), float(row[2] or 0)) for row in found if row]).reshape(-1, 2)
    if not table[:, 0].any():
        message = "all amplitudes are 0" if rows else "there are no points"
        at = _place(name, rows[0]) if rows else Position(name)
        raise InputError.at(at, f"{message}; a shape needs one other than 0")
    return table[:, 0], table[:, 1]


def _faults(row: Row, found: re.Match[str] | None, width: int, name: str) -> Iterator[Fault]:
    if found is None or (found[2] is not None) != (width == 2):
        wanted = (
            "an amplitude and a phase" if width == 2 else "one amplitude as in the lines before"
        )
        message = f"this line must hold {wanted}, but is `{_cut(row[1].strip())}`"
        yield Fault(_place(name, row), message)
        return
    for column, what in enumerate(("amplitude", "phase")[:width], 1):
        complaint = _complaint(found[column])
        if complaint:
            yield Fault(_place(name, row, found.start(column)), f"the {what} {complaint}")


def _complaint(text: str) -> str:
    """Return what is wrong with the text of a number, the empty text if nothing."""
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        return f"must be finite, but is `{text}`"
    if not _NUMBER.fullmatch(text):
        return f"must be a number, but is `{_cut(text)}`"
    return "" if math.isfinite(float(text)) else f"must be finite, but `{_cut(text)}` is too large"


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
