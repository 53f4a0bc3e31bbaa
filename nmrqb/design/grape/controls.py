"""What an optimised pulse may be: channels, steps, largest amplitude, slew rate.

The unknowns of the optimisation are free numbers p.  They become amplitudes in two steps, so that
every point of the search is a pulse that the spectrometer can play:

    v = v_max p/√(1 + |p|²)          |v| < v_max, per channel and step
    u = moving average of v over L steps, with zeros before and after

The average keeps |u| ≤ v_max and makes |u_(k+1) − u_k| ≤ 2 v_max/L, from the first step, which
rises from zero, to the last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nmrqb.arguments import check_positive, checked
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample import Sample

MAX_STEPS = 20_000


@dataclass(frozen=True, eq=False)
class Controls:
    """The rf fields of a pulse of equal steps.

    Attributes
    ----------
    channels
        Names of the channels, one per nucleus.
    operators
        Σ I_x and Σ I_y of the spins of each channel, shape (channels, 2, d, d).
    steps
        Number of steps.
    duration_s
        Length of the pulse in s.
    amplitudes_hz
        Largest nutation frequency of each channel in Hz.
    window
        Number of steps of the moving average, 1 for none.
    """

    channels: tuple[str, ...]
    operators: Complex
    steps: int
    duration_s: float
    amplitudes_hz: tuple[float, ...]
    window: int = 1

    def __post_init__(self) -> None:
        for name, value in (("duration_s", self.duration_s), *_named(self.amplitudes_hz)):
            check_positive(name, value)
        if not 1 <= self.steps <= MAX_STEPS:
            raise ArgumentError(
                f"Argument `steps` must be from 1 to {MAX_STEPS}, but is {self.steps}"
            )
        if not 1 <= self.window <= self.steps:
            raise ArgumentError(
                f"Argument `window` must be from 1 to {self.steps} steps, but is {self.window}; a "
                "pulse cannot rise and fall in its duration"
            )

    @property
    def step_s(self) -> float:
        """Length of a step in s."""
        return self.duration_s / self.steps

    @property
    def free(self) -> tuple[int, int, int]:
        """Shape of the free numbers p: steps, channels, x and y."""
        return self.steps - self.window + 1, len(self.channels), 2

    @cached_property
    def _largest(self) -> Real:
        return 2 * np.pi * np.array(self.amplitudes_hz)[:, None]

    def amplitudes(self, p: Real) -> Real:
        """Return the nutation frequencies u in rad/s of free numbers: (steps, channels, 2)."""
        free = p.reshape(self.free)
        limited = free / np.sqrt(1 + (free**2).sum(axis=-1, keepdims=True))
        return self._averaged(self._largest * limited)

    def pulled_back(self, p: Real, slope: Real) -> Real:
        """Return the derivative with respect to p from that to u, shape (steps, channels, 2)."""
        free = p.reshape(self.free)
        inner = self._largest * self._summed_back(slope)
        size = 1 + (free**2).sum(axis=-1, keepdims=True)
        along = (inner * free).sum(axis=-1, keepdims=True)
        return np.asarray((inner - free * along / size) / np.sqrt(size)).ravel()

    def free_numbers(self, u: Real) -> Real:
        """Return numbers p near amplitudes in rad/s, exact where there is no moving average."""
        inner = u[(self.window - 1) // 2 :][: self.free[0]] / self._largest
        size = np.sqrt((inner**2).sum(axis=-1, keepdims=True))
        inner = inner * np.minimum(1, 0.999 / np.maximum(size, 1e-12))
        return np.asarray(inner / np.sqrt(1 - (inner**2).sum(axis=-1, keepdims=True))).ravel()

    def _averaged(self, v: Real) -> Real:
        if self.window == 1:
            return v
        before = np.zeros((self.window, *v.shape[1:]))
        sums = np.concatenate([before, np.cumsum(v, axis=0)])
        sums = np.concatenate([sums, np.repeat(sums[-1:], self.window - 1, axis=0)])
        return np.asarray((sums[self.window :] - sums[: -self.window]) / self.window)

    def _summed_back(self, slope: Real) -> Real:
        if self.window == 1:
            return slope
        sums = np.concatenate([np.zeros((1, *slope.shape[1:])), np.cumsum(slope, axis=0)])
        return np.asarray((sums[self.window :] - sums[: -self.window]) / self.window)


def _named(amplitudes: tuple[float, ...]) -> list[tuple[str, float]]:
    return [("amplitudes_hz", value) for value in amplitudes]


@checked
def sample_controls(
    sample: Sample,
    *,
    duration_s: float,
    steps: int,
    amplitudes_hz: Mapping[str, float] | None = None,
    slew_hz_per_s: float | None = None,
) -> Controls:
    """Return the controls of a sample: x and y of every nucleus.

    Parameters
    ----------
    sample
        The spins; those of one nucleus share a channel.
    duration_s, steps
        Length in s and number of equal steps of the pulse.
    amplitudes_hz
        Largest nutation frequency in Hz by nucleus; of nuclei that are not named that of the
        sample's 90° pulse, 1/(4·pulse_90).
    slew_hz_per_s
        Largest change of a nutation frequency per second, or None.

    Raises
    ------
    ArgumentError
        If a nucleus has neither an amplitude nor a 90° pulse, is not in the sample, or the slew
        rate lets no pulse rise and fall within the duration.
    """
    given = dict(amplitudes_hz or {})
    if strange := sorted(set(given) - set(sample.nuclei)):
        raise ArgumentError(
            f"Argument `amplitudes_hz` must name nuclei of {sample.name!r}, {sample.nuclei}, but "
            f"names {strange}; {nearest(strange[0], sample.nuclei)}"
        )
    largest = tuple(
        given[nucleus] if nucleus in given else _hard(sample, nucleus) for nucleus in sample.nuclei
    )
    if slew_hz_per_s is not None and not slew_hz_per_s > 0:
        raise ArgumentError(f"Argument `slew_hz_per_s` must be positive, but is {slew_hz_per_s}")
    n = len(sample.spins)
    operators = np.array(
        [
            [
                sum(spin_operator(a, k, n) for k, s in enumerate(sample.spins) if s.nucleus == x)
                for a in "xy"
            ]
            for x in sample.nuclei
        ]
    )
    unlimited = Controls(sample.nuclei, operators, steps, duration_s, largest)
    if slew_hz_per_s is None:
        return unlimited
    window = math.ceil(2 * max(largest) / (slew_hz_per_s * unlimited.step_s))
    return replace(unlimited, window=max(1, window))


def _hard(sample: Sample, nucleus: str) -> float:
    times = [s.pulse_90_s for s in sample.spins if s.nucleus == nucleus and s.pulse_90_s]
    if not times:
        raise ArgumentError(
            f"Argument `amplitudes_hz` must hold {nucleus}, whose pulse_90 the sample "
            f"{sample.name!r} does not say, but is {None}"
        )
    return 1 / (4 * max(times))
