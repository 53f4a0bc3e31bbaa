"""The ensemble of an experiment: what is spread, how finely, and how well it converged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

import numpy as np

from nmrqb.dynamics import (
    Distribution,
    Ensemble,
    Gaussian,
    Uniform,
    average,
    drift_of,
    exp_hermitian,
    product,
)
from nmrqb.experiment.charging import charged_states, largest_angle, turned
from nmrqb.experiment.cycle import other_timelines, prepared_states
from nmrqb.experiment.model import Charge, DriveCharge, Experiment, HamiltonianCharge, Noise
from nmrqb.operators import Complex, Real, dagger
from nmrqb.sample import Sample
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio
from nmrqb.sequence import Timeline

TOLERANCE = 5e-3  # of an element of the state
_FINEST = 4  # times the nodes that resolve the experiment
_PROBES = 5  # charging times, and acquisition times, at which convergence is watched
_STATE_VALUES = 40_000_000  # complex numbers of states held at once
_LEAST = 64  # random members


def spreads(noise: Noise) -> Mapping[str, Distribution]:
    """Return what is spread over the sample, by the names of `nmrqb.dynamics.product`."""
    found = {"b1": _b1(noise), "field_hz": noise.b0, "coupling": None}
    if noise.J_spread:
        found["coupling"] = Gaussian(noise.J_spread)
    return {name: spread for name, spread in found.items() if spread is not None}


def _b1(noise: Noise) -> Distribution | None:
    if not isinstance(noise.b1_distribution, str):
        return noise.b1_distribution
    if not noise.b1_inhomogeneity:
        return None
    if noise.b1_distribution == "uniform":
        return Uniform(sqrt(3) * noise.b1_inhomogeneity)
    return Gaussian(noise.b1_inhomogeneity)


def ensemble_of(experiment: Experiment, rho: Complex, acquisition_s: float, seed: int) -> Ensemble:
    """Return the members over which an experiment averages.

    Every spread has a rule that resolves the whole experiment, refined up to four times until
    two rules of twice and four times the nodes change elements of the state by less than 5e-3,
    from charging to the end of the acquisition, the other spreads being nominal; ``error`` sums
    these changes.  Where the product would
    have too many members, random ones are drawn and ``error`` is their standard error.

    Parameters
    ----------
    experiment
        What is run.
    rho
        Initial state, shape (d, d).
    acquisition_s
        Time from the readout pulse to the last point in s.
    seed
        Seed of random members.
    """
    found, angles = spreads(experiment.noise), _angles(experiment, acquisition_s)
    refinement, error = {}, 0.0

    def watched(part: Ensemble) -> Complex:
        return _watched(experiment, rho, acquisition_s, part)

    for name, spread in found.items():
        alone = average(
            watched,
            lambda r, name=name, spread=spread: product(  # type: ignore[misc]
                **{name: spread}, angles=angles, refinement=r
            ),
            TOLERANCE / len(found),
            max_refinement=_FINEST,
        )
        refinement[name] = max(alone.refinement // 4, 1) if alone.met else alone.refinement
        error += alone.error
    whole = product(
        b1=found.get("b1"),
        field_hz=found.get("field_hz"),
        coupling=found.get("coupling"),
        angles=angles,
        refinement=refinement,
        seed=seed,
        largest=_most(experiment, rho),
    )
    if whole.seed is not None:
        error = average(watched, lambda _: whole, np.inf).error
    return replace(whole, error=error)


def _most(experiment: Experiment, rho: Complex) -> int:
    """Return the number of members whose states fit into memory, at most 4096."""
    return int(np.clip(_STATE_VALUES // (experiment.charge.points * rho.size), _LEAST, 4096))


def _angles(experiment: Experiment, acquisition_s: float) -> dict[str, float]:
    """Return the angles by which elements of the state turn per unit of a spread."""
    sample, n = experiment.sample, len(experiment.sample.spins)
    others = list(other_timelines(experiment))
    angle = largest_angle(experiment.charge, n) + n * np.pi / 2  # the readout turns too
    angle += sum(map(turned, others))
    time = acquisition_s + _longest(experiment) + sum(map(_duration, others))
    ratios = (abs(relative_gyromagnetic_ratio(spin.nucleus)) for spin in sample.spins)
    return {
        "b1": angle * (1 + abs(experiment.noise.pulse_errors.amplitude)),
        "field_hz": 2 * np.pi * time * sum(ratios),
        "coupling": 2 * np.pi * time * sum(abs(c.J_hz) for c in sample.couplings),
    }


def _longest(experiment: Experiment) -> float:
    """Return the longest laboratory time of charging in s, without errors of the pulses."""
    charge, sample = experiment.charge, experiment.sample
    if isinstance(charge, DriveCharge):
        calibrated = [spin.pulse_90_s or 0.0 for spin in sample.spins]
        turns = 4 * np.pi * float(np.abs(charge.rate_hz * charge.times_s).max())
        hard = turns / (np.pi / 2) * max(calibrated) * (experiment.noise.pulses == "finite")
        return float(charge.times_s.max()) if charge.soft else hard
    if isinstance(charge, HamiltonianCharge):
        return max(map(_duration, charge.timelines))
    return _duration(charge.timeline) * float(charge.cycles.max())


def _duration(timeline: Timeline) -> float:
    return sum(float(getattr(event, "duration", 0.0)) for event in timeline.events)


def _watched(experiment: Experiment, rho: Complex, acquisition_s: float, part: Ensemble) -> Complex:
    """Return states of the members at some times of charging, and of free precession after it."""
    few = _few(experiment.charge)
    start = prepared_states(experiment, part, rho)
    states, _ = charged_states(few, experiment.sample, experiment.noise, part, start)
    times = np.linspace(0, acquisition_s, _PROBES)[1:]
    seen = _precessed(experiment.sample, states[:, -1], part, times)
    return np.concatenate([states, seen], axis=1)


def _few(charge: Charge) -> Charge:
    picked = np.unique(np.linspace(0, charge.points - 1, _PROBES).round().astype(int))
    if isinstance(charge, DriveCharge):
        return replace(charge, times_s=charge.times_s[picked])
    if isinstance(charge, HamiltonianCharge):
        stages = tuple(charge.stages[k] for k in picked)
        return replace(charge, times_s=charge.times_s[picked], stages=stages)
    return replace(charge, cycles=charge.cycles[picked])


def _precessed(sample: Sample, rho: Complex, part: Ensemble, times: Real) -> Complex:
    """Return e^{−iHt}ρe^{iHt} of members: (M, d, d) → (M, times, d, d)."""
    U = exp_hermitian(drift_of(sample, part)[:, None] * times[:, None, None])
    return np.asarray(U @ rho[:, None] @ dagger(U))
