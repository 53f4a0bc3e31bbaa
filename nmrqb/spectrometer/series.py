"""Series of spectra: one line followed through delays or pulse lengths, and what its course tells.

Amplitudes of all rows have one phase, that of their principal axis, so that signs mean something.
The non-linear parameter (a time) is fitted with the linear ones eliminated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import least_squares

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer.measured import measured_spectrum
from nmrqb.spectrometer.readers.model import Recording

Law: TypeAlias = Literal["inversion-recovery", "saturation-recovery", "decay", "nutation"]
_GRID = 200
WINDOW_HZ = 3.0  # half a window round the line


@dataclass(frozen=True, eq=False)
class LineSeries:
    """One line in all rows of a series.

    Attributes
    ----------
    position_hz
        Highest point of the common shape, on the axis of the spectrum.
    position_ppm
        The same in ppm, None where 0 ppm is not known.
    amplitudes, errors
        Real amplitudes along the common phase and their standard deviations, shape (rows,).
    across
        Amplitudes in the other quadrature: noise where one phase fits all, shape (rows,).
    share
        Part of the power in the window that the common shape explains.
    """

    position_hz: float
    position_ppm: float | None
    amplitudes: Real
    errors: Real
    across: Real
    share: float


@dataclass(frozen=True, eq=False)
class SeriesFit:
    """The law of a series.

    Attributes
    ----------
    law
        Which law was fitted.
    time_s, error_s
        T1, T2, or the 90° pulse length in s, and its standard deviation with the misfit in it.
    coefficients
        The linear parameters: amplitude, and offset of a recovery.
    misfit
        χ² per degree of freedom; errors are multiplied by its root where it is above 1.
    degrees_of_freedom
        Number of rows less parameters.
    times_s, amplitudes, errors
        What it was fitted to, shape (rows,).
    """

    law: Law
    time_s: float
    error_s: float
    coefficients: Real
    misfit: float
    degrees_of_freedom: int
    times_s: Real
    amplitudes: Real
    errors: Real

    def at(self, times_s: Real) -> Real:
        """Return the law at times in s: (...) → (...)."""
        times = np.asarray(times_s, dtype=float)
        basis = _LAWS[self.law](times.ravel(), self.time_s)
        return np.asarray(basis @ self.coefficients).reshape(times.shape)

    @property
    def inversion(self) -> float:
        """Factor f of M(1 − f e^{−τ/T1}): 2 after a perfect inversion; NaN of other laws."""
        if self.law != "inversion-recovery":
            return float("nan")
        return float(-self.coefficients[0] / self.coefficients[1])


def follow_line(
    recording: Recording,
    near_hz: float,
    *,
    window_hz: float = WINDOW_HZ,
    reference_hz: float | None = None,
    first_point: float = 0.0,
    conjugate: bool = False,
) -> LineSeries:
    """Return the amplitudes of what stands in a window, in all rows of a series.

    All rows have one line shape, whatever it is: the first right singular vector v of the windows
    as rows.  The amplitude of a row is its projection on v, the least-squares estimate under white
    noise; no model of the shape is needed.

    Parameters
    ----------
    recording
        Shape (rows, points).
    near_hz
        Middle of the window on the axis of `measured_spectrum`.
    window_hz
        Half its width; what stands in it should share one law.
    reference_hz
        Frequency of 0 ppm in Hz where the file does not tell.
    first_point, conjugate
        See `measured_spectrum`.

    Raises
    ------
    ArgumentError
        If the window holds fewer than three points, or there are fewer than two rows.
    """
    if recording.rows < 2:
        raise ArgumentError(
            f"Argument `recording` must hold a series of rows, but {recording.source} holds "
            f"{recording.rows}"
        )
    spectra = [
        measured_spectrum(
            recording,
            row=k,
            reference_hz=reference_hz,
            first_point=first_point,
            conjugate=conjugate,
        )
        for k in range(recording.rows)
    ]
    axis = spectra[0].frequencies_hz
    inside = np.flatnonzero(np.abs(axis - near_hz) <= window_hz)
    if len(inside) < 3:
        raise ArgumentError(
            f"Argument `near_hz` must be where the window of ±{window_hz:g} Hz holds three points "
            f"of the spectrum or more, but at {near_hz:g} Hz it holds {len(inside)}"
        )
    rows = np.stack([s.values[inside] for s in spectra])
    _, sizes, shapes = np.linalg.svd(rows, full_matrices=False)
    found = rows @ shapes[0].conj()
    turned = found * np.exp(-1j * common_phase(found))
    sigma = np.array([s.noise_near(near_hz).sigma for s in spectra])
    centre = float(axis[inside[np.argmax(np.abs(shapes[0]))]])
    share = float(sizes[0] ** 2 / np.sum(sizes**2))
    return LineSeries(centre, spectra[0].ppm(centre), turned.real, sigma, turned.imag, share)


def common_phase(amplitudes: Complex) -> float:
    """Return the phase of the principal axis in rad; the largest amplitude is positive on it.

    Parameters
    ----------
    amplitudes
        Complex numbers, one or more.
    """
    axis = float(np.angle(np.sum(amplitudes**2)) / 2)
    largest = amplitudes[np.argmax(np.abs(amplitudes))]
    return axis if (largest * np.exp(-1j * axis)).real > 0 else axis + np.pi


def _recovery(times: Real, T: float) -> Real:
    return np.stack([np.exp(-times / T), np.ones_like(times)], axis=-1)


def _decay(times: Real, T: float) -> Real:
    return np.asarray(np.exp(-times / T))[:, None]


def _nutation(times: Real, T: float) -> Real:
    """Return what pulses of a length do: sin θ, θ = (π/2)t/T, for the 90° length T."""
    return np.asarray(np.sin(np.pi / 2 * times / T))[:, None]


_LAWS: Mapping[Law, Callable[[Real, float], Real]] = {
    "inversion-recovery": _recovery,
    "saturation-recovery": _recovery,
    "decay": _decay,
    "nutation": _nutation,
}


def fit_series(law: Law, times_s: Real, amplitudes: Real, errors: Real) -> SeriesFit:
    """Fit a law to amplitudes.

    M(1 − f e^{−τ/T1}) with free f of recoveries, a e^{−τ/T2} of a decay, a sin(πt/2t₉₀) of a
    nutation.

    Parameters
    ----------
    law
        Which one.
    times_s, amplitudes, errors
        Delays or pulse lengths in s, amplitudes, and their standard deviations, shape (rows,).

    Raises
    ------
    ArgumentError
        If the law is unknown, shapes differ, there are too few rows, or a number makes no sense.
    """
    t, y, sigma = (np.asarray(x, dtype=float) for x in (times_s, amplitudes, errors))
    _check_series(law, t, y, sigma)
    basis = _LAWS[law]

    def whitened(log_time: float) -> tuple[Real, Real]:
        A = basis(t, float(np.exp(log_time))) / sigma[:, None]
        return A, np.linalg.lstsq(A, y / sigma)[0]

    def residual(theta: Real) -> Real:
        A, found = whitened(float(theta[0]))
        return np.asarray(y / sigma - A @ found)

    start = _best_of_grid(basis, _grid(law, t), t, y, sigma)
    low, high = start - 2.0, start + 2.0
    solved = least_squares(residual, [start], bounds=([low], [high]), xtol=1e-14, ftol=1e-14)
    A, found = whitened(float(solved.x[0]))
    step = 1e-6
    ahead, behind = (whitened(float(solved.x[0]) + s * step)[0] for s in (1, -1))
    slope = (ahead - behind) @ found / (2 * step)
    J = np.concatenate([slope[:, None], A], axis=-1)
    freedom = len(t) - J.shape[1]
    misfit = float(np.sum(solved.fun**2) / freedom)
    time = float(np.exp(solved.x[0]))
    own = float(np.sqrt(np.linalg.pinv(J.T @ J, hermitian=True)[0, 0]))
    error = time * own * max(1.0, misfit) ** 0.5
    return SeriesFit(law, time, error, found, misfit, freedom, t, y, sigma)


def _best_of_grid(
    basis: Callable[[Real, float], Real], grid: Real, times: Real, y: Real, sigma: Real
) -> float:
    """Return the logarithm of the time that leaves least, by normal equations for all at once."""
    A = np.stack([basis(times, float(T)) for T in np.exp(grid)]) / sigma[:, None]
    gram, right = A.swapaxes(-1, -2) @ A, A.swapaxes(-1, -2) @ (y / sigma)
    small = 1e-9 * np.trace(gram, axis1=-2, axis2=-1)[:, None, None] * np.eye(A.shape[-1])
    explained = np.sum(right * np.linalg.solve(gram + small, right[..., None])[..., 0], axis=-1)
    return float(grid[np.argmax(explained)])


def _grid(law: Law, times: Real) -> Real:
    """Return logarithms of times to begin with: of nutations, up to the Nyquist limit."""
    ordered = np.unique(times)
    step = float(np.diff(ordered).min()) if len(ordered) > 1 else float(ordered[-1])
    longest = float(ordered[-1])
    if law == "nutation":
        rates = np.linspace(1 / (4 * longest), 0.98 / step, 4 * _GRID)  # quarter turns per s
        return np.asarray(np.log(1 / rates))
    return np.linspace(np.log(max(step, longest * 1e-4) / 5), np.log(longest * 20), _GRID)


def _check_series(law: str, times: Real, amplitudes: Real, errors: Real) -> None:
    if law not in _LAWS:
        raise ArgumentError(f"Argument `law` must be one of {tuple(_LAWS)}, but is {law!r}")
    if not times.shape == amplitudes.shape == errors.shape or times.ndim != 1:
        raise ArgumentError(
            f"Arguments `times_s`, `amplitudes`, `errors` must have one shape (rows,), but have "
            f"shapes {times.shape}, {amplitudes.shape}, {errors.shape}"
        )
    parameters = 3 if law.endswith("recovery") else 2
    if len(np.unique(times)) <= parameters:
        raise ArgumentError(
            f"Argument `times_s` must hold more than {parameters} different times for a law of "
            f"{parameters} parameters, but holds {len(np.unique(times))}"
        )
    sound = np.isfinite(times) & np.isfinite(amplitudes) & (errors > 0) & np.isfinite(errors)
    if not np.all(sound) or np.any(times < 0) or not np.any(times):
        raise ArgumentError(
            "Arguments `times_s`, `amplitudes`, `errors` must be finite, times ≥ 0 and errors > 0, "
            f"but are not at row {int(np.argmin(sound & (times >= 0)))}"
        )
