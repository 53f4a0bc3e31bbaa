"""Lines of a known pattern in a measured spectrum: where it stands, and a fit of its lines.

A multiplet is a pattern of L lines at ν + s p_l with known p_l (for a doublet p = ∓J/2).  Offset ν,
widths w_l and, where asked for, the scale s are non-linear parameters; complex amplitudes and a
baseline of every window are linear and eliminated (variable projection, Golub and Pereyra, SIAM J.
Numer. Anal. 10, 413 (1973)).  The covariance is that of all parameters at once, so that the errors
of amplitudes hold those of positions and widths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.optimize import least_squares

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.measured import MeasuredSpectrum, Noise

WINDOW_HZ = 10.0  # half a window round every line
SEEN = 6.0  # standard deviations of the noise that a line must stand out
_OWN_WIDTH = 10.0  # signal-to-noise ratio from which on a line has a width of its own
_STEPS = 1e-6
_NARROWEST = 0.2  # of a step of the spectrum
_AT_BOUND = 1.05  # times the narrowest width up to which a width is not resolved
_START_HZ = 1.0


@dataclass(frozen=True, eq=False)
class Multiplet:
    """Fitted lines of a pattern.

    Attributes
    ----------
    centre_hz
        ν on the axis of the spectrum in Hz.
    scale
        s, 1 where the pattern was kept.
    positions_hz, widths_hz
        Of every line, widths at half height, shape (lines,).
    amplitudes
        Complex amplitudes at t = 0 (areas), shape (lines,).
    covariance
        Of their real and then their imaginary parts, from the noise alone, (2·lines, 2·lines).
    errors
        Standard deviations from the noise alone of ``centre_hz``, ``scale`` and widths, in this
        order, shape (2 + lines,).
    noise
        Standard deviation of one quadrature of one point of the spectrum.
    misfit
        Squared residual over the noise, per degree of freedom: far above 1 the lines are not
        Lorentzians, and errors should be `true_covariance`.
    degrees_of_freedom
        Real numbers in the windows less parameters.
    signal_to_noise
        Height of every line over the noise, shape (lines,).
    inside
        Points of the spectrum that were fitted, shape (points,).
    baseline
        What was fitted under the lines, shape (points,).
    narrowest_hz
        Lower bound of the widths in the fit.
    together
        Over how many neighbouring points the residual has one sign or phase: 1 of white noise.
    """

    centre_hz: float
    scale: float
    positions_hz: Real
    widths_hz: Real
    amplitudes: Complex
    covariance: Real
    errors: Real
    noise: float
    misfit: float
    degrees_of_freedom: int
    signal_to_noise: Real
    inside: NDArray[np.intp]
    baseline: Complex
    narrowest_hz: float = 0.0
    together: float = 1.0

    @property
    def unresolved(self) -> NDArray[np.bool_]:
        """Whether the width of a line ended at the fit's lower bound, shape (lines,)."""
        return np.asarray(self.widths_hz <= _AT_BOUND * self.narrowest_hz)

    @property
    def inflation(self) -> float:
        """√misfit, but not below 1: what errors of amplitudes are multiplied by."""
        return float(np.sqrt(max(1.0, self.misfit)))

    @property
    def true_covariance(self) -> Real:
        """Covariance of the amplitudes with the misfit in it."""
        return self.covariance * self.inflation**2

    @property
    def true_errors(self) -> Real:
        """``errors`` with the misfit in them: times √(1 + (misfit − 1)·together).

        What a wrong line shape leaves of neighbouring points has one cause: they tell less of a
        place or a width than as many independent ones.  (Of amplitudes too, but there all lines of
        a channel, whose shapes are alike, are wrong by the same factor.)
        """
        excess = max(0.0, self.misfit - 1) * self.together
        return np.asarray(self.errors * np.sqrt(1 + excess))


@dataclass(frozen=True)
class Place:
    """Where a pattern may stand.

    Attributes
    ----------
    centre_hz
        On the axis of the spectrum in Hz.
    stands_out
        Height of its weakest line over the noise.
    """

    centre_hz: float
    stands_out: float


def find_pattern(
    measured: MeasuredSpectrum,
    pattern_hz: Real,
    *,
    between_hz: tuple[float, float] | None = None,
) -> Place:
    """Return where all lines of a pattern stand together, whatever other lines there are.

    The smallest of the magnitudes at the places of the pattern is largest there: however strong a
    foreign line is, it has no partner at the right distance.

    Parameters
    ----------
    measured
        The spectrum.
    pattern_hz
        Places of the lines from the middle in Hz, shape (lines,).
    between_hz
        Range of the middle in Hz.

    Raises
    ------
    ArgumentError
        If the pattern is wider than the spectrum or the range is empty.
    """
    shifts = np.rint(np.asarray(pattern_hz) / measured.step_hz).astype(int)
    low, high = max(0, -int(shifts.min())), len(measured.values) - max(0, int(shifts.max()))
    middles = np.arange(low, max(high, low))
    if between_hz is not None:
        axis = measured.frequencies_hz[middles]
        middles = middles[(axis >= between_hz[0]) & (axis <= between_hz[1])]
    if not middles.size:
        raise ArgumentError(
            f"Argument `pattern_hz` must fit into the spectrum of {measured.width_hz:.6g} Hz and "
            "the range of its middle, but does not"
        )
    smeared = _smeared(np.abs(_without_wings(measured)))
    weakest = np.min([smeared[middles + shift] for shift in shifts], axis=0)
    best = int(np.argmax(weakest))
    centre = float(measured.frequencies_hz[middles[best]])
    return Place(centre, float(weakest[best]) / measured.noise_near(centre).sigma)


def _without_wings(measured: MeasuredSpectrum) -> Complex:
    """Return a spectrum without what changes slowly: baselines, and the wings of strong lines."""
    size = max(3, 2 * round(WINDOW_HZ / measured.step_hz) + 1)
    values = measured.values
    mean = uniform_filter1d(values.real, size) + 1j * uniform_filter1d(values.imag, size)
    return np.asarray(values - mean)


def _smeared(heights: Real) -> Real:
    """Return the largest of every point and its neighbours: rounding of places costs nothing."""
    padded = np.pad(heights, 1, mode="edge")
    return np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])


def line_shapes(
    measured: MeasuredSpectrum, frequencies_hz: Real, places_hz: Real, widths_hz: Real
) -> Complex:
    """Return lines of unit amplitude as a spectrum shows them, shape (points, lines).

    A line is the transform Δt(Σ_j q^j − ½) of a finite FID, q = e^{(−πw + 2πi(ν_l − ν))Δt}.

    Parameters
    ----------
    measured
        The spectrum, for the length of its FID, carrier and dead time.
    frequencies_hz
        Where on its axis in Hz, shape (points,), its own points or others.
    places_hz, widths_hz
        Of the lines in Hz, shape (lines,).
    """
    dwell, points = 1 / measured.width_hz, len(measured.values)
    rate = -np.pi * widths_hz + 2j * np.pi * (places_hz - frequencies_hz[:, None])
    q = np.exp(rate * dwell)
    lines = dwell * ((1 - np.exp(rate * dwell * points)) / (1 - q) - 0.5)
    start = -np.pi * widths_hz + 2j * np.pi * (places_hz - measured.carrier_hz)
    return np.asarray(lines * np.exp(start * measured.dead_time_s))


@dataclass(frozen=True, eq=False)
class _Model:
    """Basis functions of a multiplet in its windows."""

    measured: MeasuredSpectrum
    frequencies: Real
    pattern: Real
    fixed: Complex  # baselines, (points, k)
    noise: Noise
    shared: bool
    free_scale: bool

    def places(self, theta: Real) -> Real:
        scale = theta[1] if self.free_scale else 1.0
        return np.asarray(theta[0] + scale * self.pattern)

    def widths(self, theta: Real) -> Real:
        own = np.exp(theta[1 + self.free_scale :])
        return np.broadcast_to(own, self.pattern.shape) if self.shared else own

    def basis(self, theta: Real) -> Complex:
        """Return lines of unit amplitude and baselines, shape (points, lines + k)."""
        places, widths = self.places(theta), self.widths(theta)
        lines = line_shapes(self.measured, self.frequencies, places, widths)
        return np.concatenate([lines, self.fixed], axis=-1)

    def slopes(self, theta: Real, amplitudes: Complex) -> Complex:
        """Return what the non-linear parameters do to the model, shape (points, parameters)."""
        columns = []
        for k in range(len(theta)):
            step = np.zeros(len(theta))
            step[k] = _STEPS * max(1.0, abs(theta[k]) if k == 1 and self.free_scale else 1.0)
            ahead, behind = (self.basis(theta + s * step) for s in (1, -1))
            columns.append((ahead - behind) @ amplitudes / (2 * step[k]))
        return np.stack(columns, axis=-1)


def fit_multiplet(
    measured: MeasuredSpectrum,
    pattern_hz: Real,
    centre_hz: float,
    *,
    free_scale: bool = False,
    window_hz: float = WINDOW_HZ,
    baseline: int = 1,
    fixed: tuple[float, Real] | None = None,
) -> Multiplet:
    """Fit the lines of a pattern near a place.

    Parameters
    ----------
    measured
        The spectrum.
    pattern_hz
        Places of the lines from the middle in Hz, ascending, shape (lines,).
    centre_hz
        Where the middle is about, within a line width or two.
    free_scale
        Whether the pattern may be stretched, so that the coupling is measured.
    window_hz
        Half the width of the window round every line.
    baseline
        Number of terms of the polynomial under the lines of a window: 0 for none.
    fixed
        Centre in Hz and widths of the lines, shape (lines,), known from elsewhere: then only
        amplitudes are fitted.

    Raises
    ------
    ArgumentError
        If the windows hold too few points.
    """
    pattern = np.asarray(pattern_hz, dtype=float)
    inside, window_of = _windows(measured, centre_hz + pattern, window_hz)
    model = _Model(
        measured=measured,
        frequencies=measured.frequencies_hz[inside],
        pattern=pattern,
        fixed=_baselines(window_of, baseline),
        noise=measured.noise_near(centre_hz),
        shared=False,
        free_scale=free_scale and fixed is None,
    )
    data = measured.values[inside]
    if 2 * len(data) <= 2 * len(pattern) + 2 * model.fixed.shape[1] + 2 + len(pattern):
        raise ArgumentError(
            f"Argument `window_hz` must hold more points than there are parameters, but "
            f"{window_hz} Hz hold {len(data)}"
        )
    if fixed is not None:
        theta = np.array([fixed[0], *np.log(fixed[1])])
        return _result(model, theta, data, inside, free=0)
    start = np.array([_peak(measured, centre_hz, pattern), *[1.0] * model.free_scale])
    common = _solve(_shared(model), np.append(start, np.log(_START_HZ)), data)
    first = _result(_shared(model), common, data, inside, free=len(common))
    if len(pattern) == 1 or first.signal_to_noise.min() < _OWN_WIDTH:
        return first
    each = np.concatenate([common[:-1], np.full(len(pattern), common[-1])])
    theta = _solve(model, each, data)
    return _result(model, theta, data, inside, free=len(theta))


def _windows(
    measured: MeasuredSpectrum, places: Real, half: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the points of all windows, and to which line's window each belongs."""
    distance = np.abs(measured.frequencies_hz[:, None] - places)
    inside = np.flatnonzero(distance.min(axis=-1) <= half)
    gaps = np.cumsum(np.diff(inside, prepend=inside[:1]) > 1)
    return inside, np.asarray(gaps)


def _baselines(window_of: NDArray[np.intp], terms: int) -> Complex:
    """Return polynomials of every window, zero in the others, shape (points, windows·terms)."""
    columns = []
    for window in np.unique(window_of):
        own = window_of == window
        span = np.linspace(-1, 1, int(own.sum()))
        for power in range(terms):
            column = np.zeros(len(own), dtype=complex)
            column[own] = span**power
            columns.append(column)
    return np.stack(columns, axis=-1) if columns else np.zeros((len(window_of), 0), dtype=complex)


def _shared(model: _Model) -> _Model:
    return replace(model, shared=True)


def _peak(measured: MeasuredSpectrum, centre: float, pattern: Real) -> float:
    """Return the centre that the largest points near the places of the lines suggest."""
    found = []
    for place in centre + pattern:
        near = np.flatnonzero(np.abs(measured.frequencies_hz - place) <= 3 * measured.step_hz + 1)
        best = near[np.argmax(np.abs(measured.values[near]))]
        found.append((np.abs(measured.values[best]), measured.frequencies_hz[best] - place))
    heaviest = max(found)
    return centre + float(heaviest[1])


def _solve(model: _Model, theta: Real, data: Complex) -> Real:
    lower = np.full(len(theta), -np.inf)
    lower[1 + model.free_scale :] = np.log(_NARROWEST * model.measured.step_hz)

    def residual(parameters: Real) -> Real:
        basis = model.basis(parameters)
        rest = data - basis @ np.linalg.lstsq(basis, data)[0]
        return np.concatenate([rest.real, rest.imag]) / model.noise.sigma

    scale = np.ones(len(theta))
    if model.free_scale:
        scale[1] = 1e-2 / max(1.0, float(np.ptp(model.pattern)))
    start = np.maximum(theta, np.where(np.isfinite(lower), lower + 1e-3, theta))
    solved = least_squares(
        residual, start, bounds=(lower, np.inf), x_scale=scale, xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    return np.asarray(solved.x)


def _result(
    model: _Model,
    theta: Real,
    data: Complex,
    inside: NDArray[np.intp],
    free: int,
) -> Multiplet:
    """Return parameters and their covariance (JᵀJ)⁻¹ Jᵀ C J (JᵀJ)⁻¹ with measured noise C."""
    basis = model.basis(theta)
    found = np.asarray(np.linalg.lstsq(basis, data)[0], dtype=complex)
    slopes = model.slopes(theta, found)[:, :free]
    J = np.concatenate([slopes, basis, 1j * basis], axis=-1)
    inverse = np.linalg.pinv((J.conj().T @ J).real, hermitian=True)
    noise = model.noise
    C = noise.covariance(inside) / 2
    covariance = inverse @ (J.conj().T @ C @ J).real @ inverse
    lines, size = len(model.pattern), basis.shape[1]
    picked = np.concatenate([free + np.arange(lines), free + size + np.arange(lines)])
    freedom = 2 * len(data) - J.shape[1]
    widths = np.array(model.widths(theta))
    amplitudes = found[:lines]
    rest = data - basis @ found
    return Multiplet(
        centre_hz=float(theta[0]),
        scale=float(theta[1]) if model.free_scale else 1.0,
        positions_hz=model.places(theta),
        widths_hz=widths,
        amplitudes=amplitudes,
        covariance=covariance[np.ix_(picked, picked)],
        errors=_errors(np.sqrt(np.diagonal(covariance)[:free].clip(min=0)), model, widths),
        noise=noise.sigma,
        misfit=float(np.sum(np.abs(rest) ** 2) / noise.sigma**2 / freedom),
        degrees_of_freedom=freedom,
        signal_to_noise=np.abs(amplitudes) / (np.pi * widths) / noise.sigma,
        inside=inside,
        baseline=basis[:, lines:] @ found[lines:],
        narrowest_hz=_NARROWEST * model.measured.step_hz,
        together=_together(rest, inside),
    )


def _together(rest: Complex, inside: NDArray[np.intp]) -> float:
    """Return 1 + 2 Σ ρ_l over the lags before the correlation of a residual first vanishes."""
    windows = np.split(rest, np.flatnonzero(np.diff(inside) > 1) + 1)
    power = float(np.sum(np.abs(rest) ** 2))
    total = 1.0
    for lag in range(1, max(map(len, windows))):
        shared = sum(np.sum(w[:-lag] * w[lag:].conj()).real for w in windows)
        if shared <= 0:
            break
        total += 2 * float(shared) / power
    return total


def _errors(errors: Real, model: _Model, widths: Real) -> Real:
    """Return errors of centre, scale and widths; zero of what was not fitted."""
    if not errors.size:
        return np.zeros(2 + len(widths))
    scale = errors[1] if model.free_scale else 0.0
    own = np.broadcast_to(errors[1 + model.free_scale :], widths.shape) * widths
    return np.concatenate([[errors[0], scale], own])
