"""Gradient ascent pulse engineering: L-BFGS-B on exact derivatives, with starts drawn at random."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from nmrqb.arguments import as_seed, checked_fields
from nmrqb.design.grape.controls import Controls
from nmrqb.design.grape.propagation import Problem
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

Progress = Callable[[int, float], None]

_ROUGH = 8  # points of which a random start is interpolated


@checked_fields
@dataclass(frozen=True)
class StopRules:
    """When an optimisation ends.

    Attributes
    ----------
    shortfall
        Enough: the largest F there can be less the mean over the members.
    iterations
        Most iterations of one start.
    seconds
        Most wall-clock time of all starts together.
    starts
        Random starts; the first that is good enough ends the search.
    """

    shortfall: float = 1e-5
    iterations: int = 500
    seconds: float = 300.0
    starts: int = 3

    def __post_init__(self) -> None:
        for name in ("shortfall", "iterations", "seconds", "starts"):
            if not getattr(self, name) > 0:
                raise ArgumentError(
                    f"Argument `{name}` must be positive, but is {getattr(self, name)}"
                )


@dataclass(frozen=True, eq=False)
class OptimisedPulse:
    """The best pulse of an optimisation.

    Attributes
    ----------
    problem
        What was asked for.
    amplitudes
        Nutation frequencies in rad/s of x and y of every channel, shape (steps, channels, 2).
    values
        F of every member, shape (M,).
    history
        Mean F after every iteration of the best start.
    stopped
        Why it ended: ``reached``, ``converged``, ``iterations`` or ``time``.
    seed
        Seed of the starts.
    """

    problem: Problem
    amplitudes: Real
    values: Real
    history: tuple[float, ...]
    stopped: str
    seed: int

    @property
    def value(self) -> float:
        """Mean of F over the members."""
        return float(self.problem.members.weights @ self.values)


class _StopError(Exception):
    """An optimisation is to end; the reason is its text."""


class _Run:
    """One start: counts iterations, keeps the best, and knows when to stop."""

    def __init__(self, problem: Problem, rules: StopRules, smoothness: float, until: float) -> None:
        self.problem, self.rules, self.until = problem, rules, until
        self.smoothness = smoothness
        self.history: list[float] = []
        self.best: tuple[float, Real] = (-np.inf, np.empty(0))
        self.last = -np.inf

    def __call__(self, p: Real) -> tuple[float, Real]:
        controls = self.problem.controls
        u = controls.amplitudes(p)
        values, slope = self.problem.value(u)
        mean = float(self.problem.members.weights @ values)
        rough, steep = _roughness(controls, u)
        if mean > self.best[0]:
            self.best = (mean, p.copy())
        self.last = mean
        total = self.smoothness * rough - mean
        return total, controls.pulled_back(p, self.smoothness * steep - slope)

    def step(self, progress: Progress | None) -> None:
        """Note that an iteration has ended."""
        self.history.append(self.last)
        if progress:
            progress(len(self.history), self.last)
        if self.problem.goal.largest - self.last <= self.rules.shortfall:
            raise _StopError("reached")
        if time.monotonic() > self.until:
            raise _StopError("time")


def _roughness(controls: Controls, u: Real) -> tuple[float, Real]:
    """Return the mean squared second difference of u over the largest amplitude, and its slope."""
    size = 2 * np.pi * np.array(controls.amplitudes_hz)[:, None]
    padded = np.concatenate([np.zeros((1, *u.shape[1:])), u / size, np.zeros((1, *u.shape[1:]))])
    second = padded[2:] - 2 * padded[1:-1] + padded[:-2]
    outside = np.concatenate([np.zeros_like(second[:1]), second, np.zeros_like(second[:1])])
    slope = 2 * (outside[2:] - 2 * outside[1:-1] + outside[:-2]) / size
    return float((second**2).sum() / len(u)), slope / len(u)


def optimise(
    problem: Problem,
    *,
    seed: int,
    rules: StopRules | None = None,
    start: Real | None = None,
    smoothness: float = 0.0,
    progress: Progress | None = None,
) -> OptimisedPulse:
    """Return the pulse with the largest mean F that is found (GRAPE).

    The amplitudes cannot leave what `Controls` allows, at any stage; derivatives are exact.
    Khaneja et al., J. Magn. Reson. 172, 296 (2005); de Fouquieres et al., J. Magn. Reson. 212, 412
    (2011).

    Parameters
    ----------
    problem
        Goal, controls and ensemble.
    seed
        Seed of the random starts.
    rules
        When to stop.
    start
        Amplitudes in rad/s of a first start, shape (steps, channels, 2).
    smoothness
        Weight of the mean squared second difference of the amplitudes over their largest, which is
        taken off F.
    progress
        Called with the number of the iteration and F.

    Raises
    ------
    ArgumentError
        If the start is of another shape, or a number is out of range.
    """
    chosen = rules or StopRules()
    if not smoothness >= 0:
        raise ArgumentError(f"Argument `smoothness` must not be negative, but is {smoothness}")
    until = time.monotonic() + chosen.seconds
    best: OptimisedPulse | None = None
    for p in _starts(problem.controls, seed, chosen.starts, start):
        found = _one(problem, _Run(problem, chosen, smoothness, until), p, seed, progress)
        if best is None or found.value > best.value:
            best = found
        if best.stopped == "reached" or time.monotonic() > until:
            break
    if best is None:
        raise ArgumentError(f"Argument `rules` must allow a start, but allows {chosen.starts}")
    return best


def _starts(controls: Controls, seed: int, count: int, start: Real | None) -> list[Real]:
    """Return free numbers of the given start, and of smooth random ones."""
    rng = np.random.default_rng(as_seed(seed))
    steps, channels, _ = controls.free
    points = np.linspace(0, 1, min(_ROUGH, steps))
    drawn = []
    for _ in range(count):
        knots = 0.5 * rng.standard_normal((len(points), channels * 2))
        x = np.linspace(0, 1, steps)
        drawn.append(np.array([np.interp(x, points, column) for column in knots.T]).T.ravel())
    if start is None:
        return drawn
    wanted = (controls.steps, channels, 2)
    if np.shape(start) != wanted:
        raise ArgumentError(
            f"Argument `start` must have shape {wanted}, but has shape {np.shape(start)}"
        )
    return [controls.free_numbers(np.asarray(start)), *drawn][:count]


def _one(
    problem: Problem, run: _Run, p: Real, seed: int, progress: Progress | None
) -> OptimisedPulse:
    try:
        found = minimize(
            run,
            p,
            jac=True,
            method="L-BFGS-B",
            callback=lambda _: run.step(progress),
            options={"maxiter": run.rules.iterations, "maxfun": 10**9, "ftol": 1e-15, "gtol": 1e-9},
        )
        stopped = "iterations" if found.nit >= run.rules.iterations else "converged"
    except _StopError as reason:
        stopped = str(reason)
    u = problem.controls.amplitudes(run.best[1])
    values, _ = problem.value(u)
    return OptimisedPulse(problem, u, values, tuple(run.history), stopped, seed)
