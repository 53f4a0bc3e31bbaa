"""What a receiver makes of its signal: gain, phase, offset, images, digitiser, phase cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.acquisition import check_noise, complex_noise

CYCLOPS = (0.0, np.pi / 2, np.pi, 3 * np.pi / 2)


@dataclass(frozen=True)
class Digitiser:
    """An analogue-to-digital converter, one for each quadrature.

    Attributes
    ----------
    bits
        Number of bits, 2 to 32: values are whole multiples of full_scale/2^(bits − 1).
    full_scale
        Values beyond ± ``full_scale`` are clipped, in the unit of the signal.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """

    bits: int
    full_scale: float

    def __post_init__(self) -> None:
        if not (2 <= self.bits <= 32 and 0 < self.full_scale < np.inf):
            raise ArgumentError(
                "Arguments `bits` and `full_scale` must be 2 to 32 and > 0, but are "
                f"{self.bits}, {self.full_scale}"
            )

    @property
    def step(self) -> float:
        """Distance of two values; rounding adds noise of step/√12 to a busy signal."""
        return float(self.full_scale / 2 ** (self.bits - 1))


@dataclass(frozen=True)
class FrontEnd:
    """What the receiver of one channel makes of its signal.

    The signal s becomes G e^{iφ}s = x + iy, then (1 + g/2)x along the real axis and
    (1 − g/2)(y cos ε + x sin ε) along the imaginary one, plus an offset; g and ε make images at
    minus the frequency.

    Attributes
    ----------
    gain, phase_rad
        G and φ in rad.
    offset
        Constant, in the unit of the signal: a spike at frequency 0.
    imbalance, skew
        g, and ε in rad.
    digitiser
        None for one without limits.

    Raises
    ------
    ArgumentError
        If a number is not finite or the gain is not positive.
    """

    gain: float = 1.0
    phase_rad: float = 0.0
    offset: complex = 0.0
    imbalance: float = 0.0
    skew: float = 0.0
    digitiser: Digitiser | None = None

    def __post_init__(self) -> None:
        numbers = (self.gain, self.phase_rad, self.offset, self.imbalance, self.skew)
        if not (np.all(np.isfinite(numbers)) and self.gain > 0):
            raise ArgumentError(
                "Arguments `gain`, `phase_rad`, `offset`, `imbalance`, `skew` must be finite, the "
                f"first > 0, but are {numbers}"
            )

    def analogue(self, signal: Complex) -> Complex:
        """Return the signal before the digitiser, of the same shape."""
        turned = self.gain * np.exp(1j * self.phase_rad) * signal
        real = (1 + self.imbalance / 2) * turned.real
        y = turned.imag * np.cos(self.skew) + turned.real * np.sin(self.skew)
        return np.asarray(real + 1j * (1 - self.imbalance / 2) * y + self.offset)


@dataclass(frozen=True, eq=False)
class Record:
    """FIDs as they were recorded.

    Attributes
    ----------
    fids
        Mean of the scans, shape (..., channels, points).
    clipped
        Number of points that were clipped in any scan, shape (..., channels).
    """

    fids: Complex
    clipped: NDArray[np.int_]


@checked
def digitise(signal: Complex, digitiser: Digitiser) -> tuple[Complex, NDArray[np.bool_]]:
    """Return a signal in the digitiser's values, and where it was clipped: two arrays (...)."""
    top = 2 ** (digitiser.bits - 1) - 1
    codes = np.rint(np.stack([signal.real, signal.imag]) / digitiser.step)
    held = np.clip(codes, -top - 1, top)
    real, imag = held * digitiser.step
    return real + 1j * imag, np.asarray((held != codes).any(axis=0))


@checked
def clipped_points(fids: Complex, full_scale: float) -> NDArray[np.int_]:
    """Return how many points of single scans have a quadrature at the end of the digitiser's range.

    FIDs with any of them are to be left out, see `nmrqb.tomography.leave_out`.  The mean of many
    scans does not show that some of them were clipped.

    Parameters
    ----------
    fids
        Shape (..., points).
    full_scale
        Largest value that the digitiser holds, in the unit of the signal, > 0.

    Returns
    -------
    array of shape (...)

    Raises
    ------
    ArgumentError
        If the full scale is not a positive number.
    """
    if not 0 < full_scale < np.inf:
        raise ArgumentError(f"Argument `full_scale` must be > 0 and finite, but is {full_scale}")
    held = np.asarray(fids)
    at_end = (np.abs(held.real) >= full_scale) | (np.abs(held.imag) >= full_scale)
    return np.asarray(at_end.sum(axis=-1))


@checked
def record(
    fids: Complex,
    noise: Real,
    rng: np.random.Generator,
    *,
    front_ends: Sequence[FrontEnd] | None = None,
    scans: int = 1,
    cycle: Sequence[float] = (0.0,),
) -> Record:
    """Return the mean of several scans of FIDs with noise, as the front ends record them.

    In scan k all pulses of the experiment (of preparation, charging and readout) are φ_k further
    in phase, which turns a signal by e^{iφ_k}, and the receiver follows with e^{−iφ_k}.  Over
    four scans at 0°, 90°, 180°, 270° offsets and images cancel (CYCLOPS, Hoult and Richards,
    Proc. R. Soc. A 344, 311 (1975)).  Every scan is digitised by itself.

    Parameters
    ----------
    fids
        Without noise, shape (..., channels, points).
    noise
        Standard deviation of one quadrature of one recorded point in one scan, shape (channels,).
    rng
        Random generator.
    front_ends
        One for every channel; by default without errors.
    scans
        Number of scans, ≥ 1.
    cycle
        Phases φ in rad, taken in turn.

    Raises
    ------
    ArgumentError
        If the noise is not one number ≥ 0 per channel, or the number of scans or front ends is
        wrong.
    """
    check_noise(noise, fids)
    channels = fids.shape[-2]
    ends = tuple(front_ends) if front_ends is not None else (FrontEnd(),) * channels
    if scans < 1 or len(ends) != channels or not len(cycle):
        raise ArgumentError(
            f"Arguments `scans`, `front_ends`, `cycle` must be ≥ 1, {channels} and not empty, but "
            f"are {scans}, {len(ends)}, {tuple(cycle)}"
        )
    sigma = noise[:, None]
    if all(end.digitiser is None for end in ends):
        spread = sigma / np.sqrt(scans) * complex_noise(rng, fids.shape)
        mean = np.asarray(_mean(fids, ends, scans, cycle) + spread)
        return Record(mean, np.zeros(fids.shape[:-1], dtype=int))
    total: Complex = np.zeros(fids.shape, dtype=complex)
    clipped: NDArray[np.bool_] = np.zeros(fids.shape, dtype=bool)
    for k in range(scans):
        follow = np.exp(1j * cycle[k % len(cycle)])
        scan = _analogue(fids * follow, ends) + sigma * complex_noise(rng, fids.shape)
        for c, end in enumerate(ends):
            if end.digitiser is not None:
                scan[..., c, :], over = digitise(scan[..., c, :], end.digitiser)
                clipped[..., c, :] |= over
        total += scan / follow
    return Record(total / scans, clipped.sum(axis=-1))


def _analogue(fids: Complex, ends: Sequence[FrontEnd]) -> Complex:
    return np.stack([end.analogue(fids[..., c, :]) for c, end in enumerate(ends)], axis=-2)


def _mean(fids: Complex, ends: Sequence[FrontEnd], scans: int, cycle: Sequence[float]) -> Complex:
    """Return the mean of the scans without noise, also where they cut a cycle short."""
    counts = np.bincount(np.arange(scans) % len(cycle), minlength=len(cycle))
    turned = (np.exp(1j * phase) for phase in cycle)
    parts = (
        n * _analogue(fids * follow, ends) / follow
        for n, follow in zip(counts, turned, strict=True)
        if n
    )
    return np.asarray(sum(parts) / scans)
