"""What a spectrometer recorded, whatever wrote the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

Domain: TypeAlias = Literal["time", "frequency"]

MIN_POINTS = 16
FREQUENCIES_HZ = (1e3, 1e12)
_WIDTHS_HZ = (1e-3, 1e12)
_LARGEST = 1e150  # its square is a number still
_FARTHEST = 1e6  # widths of the spectrum between the carrier and 0 ppm
_FARTHEST_PPM, _NARROWEST_PPM = 1e6, 1e-6


@dataclass(frozen=True, eq=False)
class Recording:
    """FIDs or spectra as a file holds them.

    FIDs turn as e^{+i2πνt} for a line ν above the carrier.  Spectra lie on an axis that ascends in
    ppm; the sense of their imaginary part is that of the program that wrote them.

    Attributes
    ----------
    values
        Complex points in the unit of the file, shape (..., points); rows are those of a series.
    domain
        ``time`` (FIDs) or ``frequency`` (spectra).
    kind
        Which reader read it.
    source
        The file as the user wrote it.
    spectral_width_hz
        Rate of complex points in Hz, or None where the file does not tell.
    carrier_hz
        Frequency of the middle of the spectrum in Hz, or None.
    reference_hz
        Frequency of 0 ppm in Hz, or None.
    nucleus
        Isotope that was observed, say ``1H``, or None.
    ppm
        Axis of a spectrum in ppm, ascending, shape (points,); None for FIDs.
    dead_time_s
        Time of the first point of an FID in s.
    delays_s
        Delays or pulse lengths of the rows in s; empty where the file has no list.
    sha256
        Hash of the bytes of the data.

    Raises
    ------
    ArgumentError
        If a row has fewer than 16 points, a point is not finite or larger than 1e150, or a
        frequency or the axis lies where no spectrometer measures.
    """

    values: Complex
    domain: Domain
    kind: str
    source: str
    spectral_width_hz: float | None = None
    carrier_hz: float | None = None
    reference_hz: float | None = None
    nucleus: str | None = None
    ppm: Real | None = None
    dead_time_s: float = 0.0
    delays_s: tuple[float, ...] = ()
    sha256: str = ""

    def __post_init__(self) -> None:
        _check_values(np.asarray(self.values))
        _check_frequency("spectral_width_hz", self.spectral_width_hz, _WIDTHS_HZ)
        _check_frequency("carrier_hz", self.carrier_hz, FREQUENCIES_HZ)
        _check_frequency("reference_hz", self.reference_hz, FREQUENCIES_HZ)
        _check_shift(self.carrier_hz, self.reference_hz, self.spectral_width_hz)
        if self.ppm is not None:
            _check_axis(self.ppm)

    @property
    def points(self) -> int:
        """Number of complex points of a row."""
        return int(self.values.shape[-1])

    @property
    def rows(self) -> int:
        """Number of FIDs or spectra."""
        return int(np.prod(self.values.shape[:-1]))


def _check_values(values: Complex) -> None:
    if not values.size or not np.all(np.isfinite(values)):
        bad = np.count_nonzero(~np.isfinite(values))
        raise ArgumentError(
            f"Argument `values` must hold finite points, but holds {values.size} points, {bad} of "
            "them not finite"
        )
    if not values.ndim or values.shape[-1] < MIN_POINTS:
        raise ArgumentError(
            f"Argument `values` must hold rows of at least {MIN_POINTS} points, but has shape "
            f"{values.shape}"
        )
    largest = max(float(np.max(np.abs(part))) for part in (values.real, values.imag))
    if largest > _LARGEST:
        raise ArgumentError(
            f"Argument `values` must hold numbers up to {_LARGEST:g}, but holds {largest:g}"
        )


def _check_frequency(name: str, value: float | None, span: tuple[float, float]) -> None:
    low, high = span
    if value is not None and not low <= value <= high:
        raise ArgumentError(
            f"Argument `{name}` must be from {low:g} to {high:g} Hz, but is {value}"
        )


def _check_shift(carrier: float | None, reference: float | None, width: float | None) -> None:
    """Refuse a carrier so far from 0 ppm that points of the axis would fall on each other."""
    if carrier is None or reference is None or width is None:
        return
    if abs(carrier - reference) > _FARTHEST * width:
        raise ArgumentError(
            f"Argument `carrier_hz` must lie within {_FARTHEST:g} spectral widths ({width:g} Hz) "
            f"of 0 ppm ({reference:g} Hz), but is {carrier:g} Hz"
        )


def _check_axis(ppm: Real) -> None:
    first, last = float(ppm[0]), float(ppm[-1])
    if not max(abs(first), abs(last)) <= _FARTHEST_PPM or not last - first >= _NARROWEST_PPM:
        raise ArgumentError(
            f"Argument `ppm` must ascend within ±{_FARTHEST_PPM:g} ppm by at least "
            f"{_NARROWEST_PPM:g} ppm, but goes from {first:g} to {last:g} ppm"
        )
