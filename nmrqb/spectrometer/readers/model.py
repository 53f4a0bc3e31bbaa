"""What a spectrometer recorded, whatever wrote the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from nmrqb.arguments import check_positive
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

Domain: TypeAlias = Literal["time", "frequency"]


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
        If there are no points, or one is not finite.
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
        if not np.size(self.values) or not np.all(np.isfinite(self.values)):
            bad = np.count_nonzero(~np.isfinite(self.values))
            raise ArgumentError(
                f"Argument `values` must hold finite points, but holds {np.size(self.values)} "
                f"points, {bad} of them not finite"
            )
        for name in ("spectral_width_hz", "carrier_hz", "reference_hz"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))

    @property
    def points(self) -> int:
        """Number of complex points of a row."""
        return int(self.values.shape[-1])

    @property
    def rows(self) -> int:
        """Number of FIDs or spectra."""
        return int(np.prod(self.values.shape[:-1]))
