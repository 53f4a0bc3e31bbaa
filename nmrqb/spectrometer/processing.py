"""From FIDs to spectra and integrals: steps that are linear maps, and the matrix of any chain.

Every step (leave out points, apodise, zero-fill, transform, phase, baseline, integrate) is linear
in the FID, so that the response to unit Paulis and the covariance of the noise go through the
same chain without approximation, whatever window or dead time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.polynomial.legendre import legvander

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.acquisition import check_points
from nmrqb.spectrometer.receiver import Receiver

Domain = Literal["time", "frequency", "integrals"]
Window = tuple[float, float]
_AT_ONCE = 4_000_000  # complex numbers


@dataclass(frozen=True, eq=False)
class Trace:
    """FIDs, spectra or integrals on their way through a chain.

    Attributes
    ----------
    values
        Shape (..., points).
    axis
        Times in s, frequencies in Hz, or centres of windows in Hz, shape (points,).
    domain
        Which of them.
    """

    values: Complex
    axis: Real
    domain: Domain = "time"


class Step(Protocol):
    """One linear step of processing."""

    def apply(self, trace: Trace) -> Trace:
        """Return what the step makes of a trace."""
        ...


def _needs(trace: Trace, domain: Domain, step: object) -> None:
    if trace.domain != domain:
        raise ArgumentError(
            f"Argument `steps` must apply {type(step).__name__} in the {domain} domain, but there "
            f"it is {trace.domain}: a `Transform` leads from time to frequency"
        )


@dataclass(frozen=True)
class Skip:
    """Leave out the first points, say those of a ringing coil; time goes on counting."""

    points: int

    def apply(self, trace: Trace) -> Trace:
        """Return the FIDs without their first points."""
        _needs(trace, "time", self)
        if not 0 <= self.points < len(trace.axis):
            raise ArgumentError(
                f"Argument `points` must be ≥ 0 and less than the {len(trace.axis)} of the FID, "
                f"but is {self.points}"
            )
        return replace(
            trace, values=trace.values[..., self.points :], axis=trace.axis[self.points :]
        )


@dataclass(frozen=True)
class Exponential:
    """Apodisation e^{−πλt}: every line gets λ = ``broadening_hz`` wider at half height."""

    broadening_hz: float

    def apply(self, trace: Trace) -> Trace:
        """Return the FIDs with the window on them."""
        _needs(trace, "time", self)
        return replace(
            trace, values=trace.values * np.exp(-np.pi * self.broadening_hz * trace.axis)
        )


@dataclass(frozen=True)
class Gauss:
    """Apodisation e^{πλt − (πgt)²/(4 ln 2)}: Lorentzians narrower by λ, then Gaussians of width g.

    Attributes
    ----------
    broadening_hz
        g in Hz, full width at half height of the Gaussian.
    sharpening_hz
        λ in Hz, the Lorentzian width that is taken away.
    """

    broadening_hz: float
    sharpening_hz: float = 0.0

    def apply(self, trace: Trace) -> Trace:
        """Return the FIDs with the window on them."""
        _needs(trace, "time", self)
        t = np.pi * trace.axis
        window = np.exp(self.sharpening_hz * t - (self.broadening_hz * t) ** 2 / (4 * np.log(2)))
        return replace(trace, values=trace.values * window)


@dataclass(frozen=True)
class SineBell:
    """Apodisation sin(π[o + (e − o)k/(N − 1)])^p of point k of N.

    Attributes
    ----------
    start, stop
        o and e in half turns; 0.5 to 1 is a cosine.
    power
        p; 2 is a squared sine bell.
    """

    start: float = 0.5
    stop: float = 1.0
    power: float = 1.0

    def apply(self, trace: Trace) -> Trace:
        """Return the FIDs with the window on them."""
        _needs(trace, "time", self)
        bell = np.sin(np.pi * np.linspace(self.start, self.stop, len(trace.axis)))
        return replace(trace, values=trace.values * np.clip(bell, 0, None) ** self.power)


@dataclass(frozen=True)
class ZeroFill:
    """Append zeros up to ``factor`` times the number of points."""

    factor: int = 4

    def apply(self, trace: Trace) -> Trace:
        """Return the longer FIDs."""
        _needs(trace, "time", self)
        if self.factor < 1:
            raise ArgumentError(f"Argument `factor` must be ≥ 1, but is {self.factor}")
        points = len(trace.axis)
        size = self.factor * points
        values = np.zeros((*trace.values.shape[:-1], size), dtype=complex)
        values[..., :points] = trace.values
        return replace(trace, values=values, axis=trace.axis[0] + np.arange(size) * _step(trace))


@dataclass(frozen=True)
class Transform:
    """S(ν) = Δt Σ'_j s_j e^{−i2πνjΔt} in s, its first point halved as causality asks.

    A line a e^{i2πν₀t − Rt} becomes a/(R + i2π(ν − ν₀)), whose integral over ν in Hz is a/2.
    """

    halve_first: bool = True

    def apply(self, trace: Trace) -> Trace:
        """Return the spectra, their frequencies ascending."""
        _needs(trace, "time", self)
        step, points = _step(trace), len(trace.axis)
        values = np.array(trace.values, dtype=complex)
        values[..., 0] *= 0.5 if self.halve_first else 1.0
        spectra = np.fft.fftshift(np.fft.fft(values, axis=-1), axes=-1) * step
        return Trace(spectra, np.fft.fftshift(np.fft.fftfreq(points, step)), "frequency")


@dataclass(frozen=True)
class Phase:
    """Multiply spectra by e^{−i[φ + 2π(ν − ν₀)τ]}: takes a phase and a delay away.

    Attributes
    ----------
    zero_rad
        φ in rad, the same for all frequencies.
    delay_s
        τ in s, the time of the first point that is kept: the first-order phase.
    pivot_hz
        ν₀ in Hz, where the first order vanishes.
    """

    zero_rad: float = 0.0
    delay_s: float = 0.0
    pivot_hz: float = 0.0

    def apply(self, trace: Trace) -> Trace:
        """Return the spectra with their new phase."""
        _needs(trace, "frequency", self)
        angle = self.zero_rad + 2 * np.pi * (trace.axis - self.pivot_hz) * self.delay_s
        return replace(trace, values=trace.values * np.exp(-1j * angle))


@dataclass(frozen=True)
class Baseline:
    """Subtract the polynomial that fits regions without signal best, in least squares.

    Attributes
    ----------
    regions_hz
        (low, high) in Hz of every region that holds no line.
    order
        Order of the polynomial; its coefficients are complex.
    """

    regions_hz: tuple[Window, ...]
    order: int = 1

    def apply(self, trace: Trace) -> Trace:
        """Return the spectra on a flat baseline."""
        _needs(trace, "frequency", self)
        inside = np.zeros(len(trace.axis), dtype=bool)
        for low, high in self.regions_hz:
            inside |= (trace.axis >= low) & (trace.axis <= high)
        if not 0 <= self.order < np.count_nonzero(inside):
            raise ArgumentError(
                f"Argument `order` must be ≥ 0 and less than the {np.count_nonzero(inside)} points "
                f"of the regions, but is {self.order}"
            )
        curves = legvander(trace.axis / np.abs(trace.axis).max(), self.order)
        fitted = trace.values[..., inside] @ np.linalg.pinv(curves[inside]).T
        return replace(trace, values=trace.values - fitted @ curves.T)


@dataclass(frozen=True)
class Integrate:
    """Complex integrals over windows: absorption is the real part, dispersion the imaginary one.

    Attributes
    ----------
    windows_hz
        (low, high) in Hz of every window; bins at their edges count by the part that is inside.
    """

    windows_hz: tuple[Window, ...]

    def apply(self, trace: Trace) -> Trace:
        """Return the integrals over frequency in Hz, one per window."""
        _needs(trace, "frequency", self)
        low, high = np.array(self.windows_hz, dtype=float).reshape(-1, 2).T
        step = float(trace.axis[1] - trace.axis[0])
        edges = trace.axis[0] - step / 2, trace.axis[-1] + step / 2
        wrong = (low < edges[0]) | (high > edges[1]) | ~(high - low >= step)
        if np.any(wrong) or not low.size:
            bad = ", ".join(
                f"{a:g} … {b:g} Hz" for a, b in zip(low[wrong], high[wrong], strict=True)
            )
            raise ArgumentError(
                f"Argument `windows_hz` must hold windows within {edges[0]:g} … {edges[1]:g} Hz, "
                f"at least {step:g} Hz wide, but holds {bad or 'none'}"
            )
        start, stop = trace.axis - step / 2, trace.axis + step / 2
        overlap = np.minimum(high[:, None], stop) - np.maximum(low[:, None], start)
        values = trace.values @ np.clip(overlap, 0, None).T
        return Trace(values, (low + high) / 2, "integrals")


def _step(trace: Trace) -> float:
    """Return the time between points in s."""
    return float(trace.axis[1] - trace.axis[0])


@checked
def process(fids: Complex, receiver: Receiver, steps: Sequence[Step]) -> Trace:
    """Return what a chain of steps makes of FIDs.

    Parameters
    ----------
    fids
        Shape (..., points).
    receiver
        How they were digitised.
    steps
        In the order in which they act.

    Returns
    -------
    Trace
        With values of shape (..., points or windows).

    Raises
    ------
    ArgumentError
        If FIDs have another number of points or are not finite, or a step does not fit.
    """
    values = np.asarray(fids, dtype=complex)
    if values.shape[-1:] != (receiver.points,):
        raise ArgumentError(
            f"Argument `fids` must have shape (..., {receiver.points}) like the receiver, but has "
            f"shape {values.shape}"
        )
    check_points("fids", values)
    trace = Trace(values, receiver.times_s)
    for step in steps:
        if not hasattr(step, "apply"):
            raise ArgumentError(
                f"Argument `steps` must hold steps such as Phase(0.1), but holds {step!r:.60}"
            )
        trace = step.apply(trace)
    return trace


@checked
def processing_matrix(receiver: Receiver, steps: Sequence[Step]) -> Complex:
    """Return the matrix F of a chain of steps, so that its result is F s of an FID s.

    White noise of standard deviation σ in each quadrature of a point becomes complex normal noise
    with covariance σ² F F† in each quadrature.

    Returns
    -------
    array of shape (rows, points)

    Raises
    ------
    ArgumentError
        If a step does not fit.
    """
    points = receiver.points
    size = max(1, _AT_ONCE // (8 * points))
    columns = [
        process(
            np.eye(min(size, points - start), points, start, dtype=complex), receiver, steps
        ).values
        for start in range(0, points, size)
    ]
    return np.concatenate(columns).T


@dataclass(frozen=True)
class Integrals:
    """Integrals over one window round every line, in place of a fit in the time domain.

    Attributes
    ----------
    half_width_hz
        Half width of all windows in Hz.
    linewidths
        Or half width of every window in full widths at half height of its line.  With neither,
        windows reach half-way to the next line: ± J/2 of a doublet.
    steps
        What is done with the FIDs before; by default four times zero-filled, transformed, and
        receiver phase and dead time taken away.

    Raises
    ------
    ArgumentError
        If both half widths are given, or one is not positive.
    """

    half_width_hz: float | None = None
    linewidths: float | None = None
    steps: tuple[Step, ...] | None = None

    def __post_init__(self) -> None:
        given = [x for x in (self.half_width_hz, self.linewidths) if x is not None]
        if len(given) > 1 or not all(0 < x < np.inf for x in given):
            raise ArgumentError(
                "One of the arguments `half_width_hz`, `linewidths` must be given at most, and be "
                f"> 0, but they are {self.half_width_hz}, {self.linewidths}"
            )

    def windows(self, lines: Complex, receiver: Receiver) -> tuple[Window, ...]:
        """Return the windows of lines of rates λ in 1/s, those that coincide once."""
        centres = lines.imag / (2 * np.pi)
        if self.linewidths is not None:
            half = -lines.real / np.pi * self.linewidths
        elif self.half_width_hz is not None:
            half = np.full(len(lines), self.half_width_hz)
        else:
            half = np.full(len(lines), _half_way(centres, receiver))
        kept: list[int] = []
        for k in np.argsort(centres):
            if not any(abs(centres[k] - centres[i]) < 1e-3 * half[k] for i in kept):
                kept.append(int(k))
        return tuple((float(centres[k] - half[k]), float(centres[k] + half[k])) for k in kept)

    def fit(self, lines: Complex, receiver: Receiver) -> Complex:
        """Return the map from FIDs to integrals, shape (windows, points).

        Raises
        ------
        ArgumentError
            If a window is narrower than the step of the spectrum, or reaches out of it.
        """
        before = default_steps(receiver) if self.steps is None else self.steps
        return processing_matrix(receiver, (*before, Integrate(self.windows(lines, receiver))))


@checked
def default_steps(receiver: Receiver) -> tuple[Step, ...]:
    """Return the steps to a phased spectrum: zero-fill, transform, phase and dead time off."""
    return ZeroFill(4), Transform(), Phase(receiver.phase_rad, receiver.dead_time_s)


def _half_way(centres: Real, receiver: Receiver) -> float:
    """Return half of the smallest distance of lines; a quarter of the width for a single one."""
    gaps = np.diff(np.sort(centres))
    apart = gaps[gaps > receiver.spectral_width_hz / receiver.points]
    return float(apart.min()) / 2 if apart.size else receiver.spectral_width_hz / 4


@checked
def lorentzian_share(linewidths: float) -> float:
    """Return the part (2/π) arctan 2k of a Lorentzian's area within ± k full widths."""
    return float(2 / np.pi * np.arctan(2 * linewidths))
