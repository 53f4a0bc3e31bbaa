"""What the spectrometer's calibration makes of a flip angle."""

from __future__ import annotations

from typing import Literal

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.sample.model import Sample

PulseModel = Literal["ideal", "finite"]


def check_pulse_model(pulses: str) -> None:
    """Refuse a pulse model that is neither ``ideal`` nor ``finite``.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    if pulses not in ("ideal", "finite"):
        raise ArgumentError(f"Argument `pulses` must be 'ideal' or 'finite', but is {pulses!r}")


def pulse_duration(sample: Sample, spin: int, angle: float | Real, pulses: PulseModel) -> Real:
    """Return the length t = |θ|·t₉₀/(π/2) in s of a rotation by θ rad at the calibrated power.

    Parameters
    ----------
    sample, spin
        The spin and its 90° time.
    angle
        θ in rad, shape (...).
    pulses
        ``ideal`` pulses last 0 s.

    Returns
    -------
    array of shape (...)

    Raises
    ------
    ArgumentError
        If finite pulses are asked for and the spin has no 90° time.
    """
    check_pulse_model(pulses)
    if pulses == "ideal":
        return np.zeros(np.shape(angle))
    calibrated = sample.spins[spin].pulse_90_s
    if calibrated is None:
        raise ArgumentError(
            f"Argument `pulses` must be 'ideal', but is {pulses!r}: spin "
            f"{sample.labels[spin]!r} of sample {sample.name!r} has no `pulse_90`"
        )
    return np.asarray(np.abs(angle) * (calibrated / (np.pi / 2)))
