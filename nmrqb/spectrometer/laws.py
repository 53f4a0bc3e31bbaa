"""Laws of series: recoveries, decays and nutations fitted to amplitudes.

The non-linear parameters, a time and the spread of the rf field of a nutation, are fitted with the
linear ones eliminated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import least_squares

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

Law: TypeAlias = Literal["inversion-recovery", "saturation-recovery", "decay", "nutation"]
_GRID, _MOST = 200, 8000  # points
_APART = 0.15  # quarter turns at the end of a series, between points of the grid
_STEPS_TO_A_TURN = 2.04  # at least: up to 98 % of the Nyquist limit
_SPREADS = (0.0, 0.05, 0.1, 0.2)  # of the rf field, to begin with
_STARTS = 4  # local optima of the grid from which fits begin
_HOPEFUL = 0.8  # of the sum of squares that the highest optimum explains
_REACH = 2.0  # of the logarithm of a time, from where a fit begins
_LARGEST = 50.0  # exponent, on the way to a variance that is not negative
_HALF_TURN = 2.0  # 90° pulses
_RIVAL = 9.0  # of χ², within which another optimum fits as well
_SAME = 4.0  # standard errors within which two optima are one
_STEP = 1e-6


@dataclass(frozen=True)
class Spread:
    """Relative spread of the rf field over the sample, ``b1_inhomogeneity`` of an experiment.

    The variance is what is fitted: a nutation depends on it linearly where it is small, so that its
    error is that of a normal distribution down to 0, which that of its root is not.

    Attributes
    ----------
    variance, variance_error
        σ² ≥ 0 and its standard deviation, the misfit in it.
    """

    variance: float
    variance_error: float

    @property
    def value(self) -> float:
        """σ, the relative standard deviation of the rf amplitude."""
        return float(np.sqrt(self.variance))

    @property
    def error(self) -> float:
        """Standard deviation of σ, ``inf`` where σ is 0."""
        return self.variance_error / (2 * self.value) if self.value else float("inf")

    @property
    def at_most(self) -> float:
        """What σ is at most, by two standard deviations of its square."""
        return float(np.sqrt(self.variance + 2 * self.variance_error))

    @property
    def resolved(self) -> bool:
        """Whether σ² is more than two standard deviations above 0; else only `at_most` is told."""
        return self.variance > 2 * self.variance_error


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
    covariance
        Theirs with the misfit in it, shape (coefficients, coefficients).
    misfit
        χ² per degree of freedom; errors are multiplied by its root where it is above 1.
    degrees_of_freedom
        Number of rows less parameters.
    times_s, amplitudes, errors
        What it was fitted to, shape (rows,).
    b1_inhomogeneity
        Spread of the rf field that damps a nutation; None where the series does not tell it and a
        field without spread was fitted.
    rival_s
        Another time that fits as well, None where there is none.
    """

    law: Law
    time_s: float
    error_s: float
    coefficients: Real
    covariance: Real
    misfit: float
    degrees_of_freedom: int
    times_s: Real
    amplitudes: Real
    errors: Real
    b1_inhomogeneity: Spread | None = None
    rival_s: float | None = None

    def at(self, times_s: Real) -> Real:
        """Return the law at times in s: (...) → (...)."""
        times = np.asarray(times_s, dtype=float)
        spread = self.b1_inhomogeneity
        theta = np.array([np.log(self.time_s), 0.0 if spread is None else spread.variance])
        basis = _LAWS[self.law](times.ravel(), theta)
        return np.asarray(basis @ self.coefficients).reshape(times.shape)

    def envelope(self, times_s: Real) -> Real:
        """Return the amplitude of a nutation at pulse lengths in s, |a| e^{−(σθ)²/2}."""
        angles = np.pi / 2 * np.asarray(times_s, dtype=float) / self.time_s
        spread = 0.0 if self.b1_inhomogeneity is None else self.b1_inhomogeneity.value
        return np.asarray(np.abs(self.coefficients[0]) * np.exp(-((spread * angles) ** 2) / 2))

    @property
    def inversion(self) -> float:
        """Factor f of M(1 − f e^{−τ/T1}): 2 after a perfect inversion; NaN of other laws."""
        if self.law != "inversion-recovery":
            return float("nan")
        return float(-self.coefficients[0] / self.coefficients[1])

    @property
    def inversion_error(self) -> float:
        """Standard deviation of `inversion`, the misfit in it."""
        if self.law != "inversion-recovery":
            return float("nan")
        slope = np.array([-1.0, -self.inversion]) / self.coefficients[1]
        return float(np.sqrt(slope @ self.covariance @ slope))


# ---------------------------------------------------------------------------------------- the laws
def _recovery(times: Real, theta: Real) -> Real:
    decayed = np.exp(-times / np.exp(theta[..., :1]))
    return np.stack([decayed, np.ones_like(decayed)], axis=-1)


def _decay(times: Real, theta: Real) -> Real:
    return np.asarray(np.exp(-times / np.exp(theta[..., :1])))[..., None]


def _nutation(times: Real, theta: Real) -> Real:
    """Return the mean of sin((1 + σx)θ) over normal x, θ = (π/2)t/T: e^{−(σθ)²/2} sin θ."""
    angles = np.pi / 2 * times / np.exp(theta[..., :1])
    exponent = np.minimum(-theta[..., 1:] * angles**2 / 2, _LARGEST)
    return np.asarray(np.sin(angles) * np.exp(exponent))[..., None]


_LAWS: Mapping[Law, Callable[[Real, Real], Real]] = {
    "inversion-recovery": _recovery,
    "saturation-recovery": _recovery,
    "decay": _decay,
    "nutation": _nutation,
}
"""Times (rows,) and parameters (..., 2), ln T and σ², → (..., rows, coefficients)."""


# ----------------------------------------------------------------------------------------- the fit
def fit_series(
    law: Law,
    times_s: Real,
    amplitudes: Real,
    errors: Real,
    *,
    b1_inhomogeneity: float | None = None,
) -> SeriesFit:
    """Fit a law to amplitudes.

    M(1 − f e^{−τ/T1}) with free f of recoveries, a e^{−τ/T2} of a decay, a e^{−(σθ)²/2} sin θ with
    θ = (π/2)t/t₉₀ of a nutation in an rf field that varies over the sample by σ (relative standard
    deviation of a normal distribution).  A spread of less than 0 is none.  A series of three rows,
    or one that ends before half a turn, does not tell the spread: the fit takes it as none there.

    Parameters
    ----------
    law
        Which one.
    times_s, amplitudes, errors
        Delays or pulse lengths in s, amplitudes, and their standard deviations, shape (rows,).
    b1_inhomogeneity
        σ of a nutation where it is known; it is fitted by default.

    Raises
    ------
    ArgumentError
        If the law is unknown, shapes differ, there are too few rows, or a number makes no sense.
    """
    t, y, sigma = (np.asarray(x, dtype=float) for x in (times_s, amplitudes, errors))
    _check_series(law, t, y, sigma)
    if b1_inhomogeneity is not None:
        _check_spread(law, b1_inhomogeneity)
        return _fitted(_Problem(law, t, y, sigma, b1_inhomogeneity**2))
    rigid = _Problem(law, t, y, sigma, 0.0)
    if law != "nutation" or len(np.unique(t)) <= 3:
        return _without_spread(rigid)
    found = _fitted(replace(rigid, variance=None))
    whole = found.time_s * _HALF_TURN <= t.max()
    return found if whole else _without_spread(rigid)


def _without_spread(problem: _Problem) -> SeriesFit:
    return replace(_fitted(problem), b1_inhomogeneity=None)


@dataclass(frozen=True, eq=False)
class _Problem:
    """A law and what it is fitted to; the variance of the rf field is fitted where it is None."""

    law: Law
    times: Real
    amplitudes: Real
    errors: Real
    variance: float | None

    def whole(self, theta: Real) -> Real:
        """Return ln T and the variance, shape (..., 2), of the parameters that are fitted."""
        if self.variance is None:
            return theta
        held = np.full((*theta.shape[:-1], 1), self.variance)
        return np.concatenate([theta, held], axis=-1)

    def basis(self, theta: Real) -> Real:
        """Return the law over the errors, shape (..., rows, coefficients)."""
        return _LAWS[self.law](self.times, self.whole(theta)) / self.errors[:, None]

    def coefficients(self, theta: Real) -> Real:
        return np.asarray(np.linalg.lstsq(self.basis(theta), self.amplitudes / self.errors)[0])

    def residual(self, theta: Real) -> Real:
        left = self.amplitudes / self.errors - self.basis(theta) @ self.coefficients(theta)
        return np.asarray(left)

    def jacobian(self, theta: Real) -> Real:
        """Return slopes along all parameters, the linear ones last, (rows, parameters)."""
        found = self.coefficients(theta)
        steps = _STEP * np.eye(len(theta))
        slopes = [(self.basis(theta + s) - self.basis(theta - s)) @ found for s in steps]
        return np.column_stack([np.transpose(slopes) / (2 * _STEP), self.basis(theta)])


def _fitted(problem: _Problem) -> SeriesFit:
    """Return the best of the fits that begin at the optima of a grid."""
    solved = [_solved(problem, start) for start in _starts(problem)]
    sums = [float(np.sum(problem.residual(theta) ** 2)) for theta in solved]
    best = int(np.argmin(sums))
    theta = solved[best]
    J = problem.jacobian(theta)
    freedom = len(problem.times) - J.shape[1]
    misfit = sums[best] / freedom
    covariance = np.linalg.pinv(J.T @ J, hermitian=True) * max(1.0, misfit)
    deviations = np.sqrt(np.diagonal(covariance))
    variance = problem.whole(theta)[1]
    rivals = [
        (left, other[0])
        for left, other in zip(sums, solved, strict=True)
        if left - sums[best] < _RIVAL * max(1.0, misfit)
        and abs(other[0] - theta[0]) > _SAME * deviations[0]
    ]
    time, linear = float(np.exp(theta[0])), slice(len(theta), None)
    return SeriesFit(
        law=problem.law,
        time_s=time,
        error_s=time * float(deviations[0]),
        coefficients=problem.coefficients(theta),
        covariance=covariance[linear, linear],
        misfit=misfit,
        degrees_of_freedom=freedom,
        times_s=problem.times,
        amplitudes=problem.amplitudes,
        errors=problem.errors,
        b1_inhomogeneity=Spread(float(variance), float(deviations[1]) if len(theta) > 1 else 0.0),
        rival_s=float(np.exp(min(rivals)[1])) if rivals else None,
    )


def _solved(problem: _Problem, start: Real) -> Real:
    """Return the parameters of the optimum near a start; a variance is not negative there."""
    low, high = start - _REACH, start + _REACH
    solved = least_squares(
        problem.residual, start, bounds=(low, high), x_scale="jac", xtol=1e-14, ftol=1e-14
    )
    theta = np.asarray(solved.x)
    if problem.variance is None and theta[1] < 0:
        return np.append(_solved(replace(problem, variance=0.0), start[:1]), 0.0)
    return theta


def _starts(problem: _Problem) -> Sequence[Real]:
    """Return the highest optima of a grid, by normal equations for all of it at once."""
    spreads = _SPREADS if problem.variance is None else (0.0,)
    times = _grid(problem.law, problem.times)
    grid = np.stack(np.meshgrid(np.square(spreads), times, indexing="ij")[::-1], axis=-1)
    grid = grid if problem.variance is None else grid[..., :1]
    A = problem.basis(grid)
    y = problem.amplitudes / problem.errors
    gram, right = A.swapaxes(-1, -2) @ A, A.swapaxes(-1, -2) @ y
    size = A.shape[-1]
    small = 1e-9 * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] * np.eye(size)
    explained = np.sum(right * np.linalg.solve(gram + small, right[..., None])[..., 0], axis=-1)
    best = explained.max(axis=0)
    walled = np.concatenate([[-np.inf], best, [-np.inf]])
    tops = np.flatnonzero((best >= walled[:-2]) & (best > walled[2:]))
    tops = tops[best[tops] > _HOPEFUL * best.max()]
    chosen = tops[np.argsort(-best[tops], kind="stable")[:_STARTS]]
    return [grid[explained[:, k].argmax(), k] for k in chosen]


def _grid(law: Law, times: Real) -> Real:
    """Return logarithms of times to begin with: of nutations, up to the Nyquist limit."""
    ordered = np.unique(times)
    step = float(np.diff(ordered).min()) if len(ordered) > 1 else float(ordered[-1])
    longest = float(ordered[-1])
    if law == "nutation":
        fastest = 4 / (_STEPS_TO_A_TURN * step)  # quarter turns per s
        points = min(max(_GRID, round(longest * fastest / _APART)), _MOST)
        rates = np.linspace(1 / (4 * longest), fastest, points)
        return np.asarray(np.log(1 / rates))
    return np.linspace(np.log(max(step, longest * 1e-4) / 5), np.log(longest * 20), _GRID)


def _check_spread(law: str, spread: float) -> None:
    if law != "nutation" or not 0 <= spread < 1:
        raise ArgumentError(
            "Argument `b1_inhomogeneity` must be from 0 to 1, of a nutation, but is "
            f"{spread} of the law {law!r}"
        )


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
