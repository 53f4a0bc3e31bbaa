"""How an FID is digitised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked_fields, refuse_nan
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real


@checked_fields
@dataclass(frozen=True)
class Receiver:
    """How an FID is digitised.

    Attributes
    ----------
    spectral_width_hz
        Rate of complex points in Hz.
    points
        Number of complex points.
    dead_time_s
        Time between the end of the readout pulse and the first point in s.
    phase_rad
        Receiver phase: the signal is multiplied by e^{iφ}.

    Raises
    ------
    ArgumentError
        If the width, the number of points or the dead time makes no sense.
    """

    spectral_width_hz: float
    points: int = 2048
    dead_time_s: float = 0.0
    phase_rad: float = 0.0

    def __post_init__(self) -> None:
        if not (self.spectral_width_hz > 0 and self.points >= 2 and 0 <= self.dead_time_s < np.inf):
            raise ArgumentError(
                "Arguments `spectral_width_hz`, `points`, `dead_time_s` must be > 0, ≥ 2, ≥ 0, but "
                f"are {self.spectral_width_hz} Hz, {self.points}, {self.dead_time_s} s"
            )
        refuse_nan(self)

    @property
    def times_s(self) -> Real:
        """Times of the points after the readout pulse in s, shape (points,)."""
        return self.dead_time_s + np.arange(self.points) / self.spectral_width_hz
