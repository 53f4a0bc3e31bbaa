"""Running an experiment: prepare, charge, acquire, reconstruct, estimate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nmrqb.dynamics import gibbs, spin_gibbs
from nmrqb.errors import ArgumentError
from nmrqb.experiment.charging import charged_states, model_states
from nmrqb.experiment.figures import estimated_figures, figure_functions
from nmrqb.experiment.inhomogeneity import ensemble_of
from nmrqb.experiment.model import (
    Experiment,
    ProductPreparation,
    Result,
    SequenceCharge,
)
from nmrqb.experiment.receiving import calibration_of, culprits, recorded
from nmrqb.experiment.result import (
    Truth,
    Variable,
    label,
    provenance,
    reading_notes,
    variable,
)
from nmrqb.operators import Complex, Real, kron
from nmrqb.spectrometer import Integrals, Receiver, default_receiver
from nmrqb.tomography import (
    Analysis,
    Chain,
    StateEstimate,
    acquire_members,
    estimate_state,
    intervals,
    measurement_chain,
    noise_for_snr,
    response_matrix,
)

Progress = Callable[[int, int], None]
_BLOCK_VALUES = 8_000_000  # complex numbers of FIDs held at once


def initial_state(experiment: Experiment) -> Complex:
    """Return the prepared state of the register, shape (d, d)."""
    prepare, n = experiment.prepare, len(experiment.sample.spins)
    if isinstance(prepare, ProductPreparation):
        return kron(
            spin_gibbs(*prepare.spins.get(k, (0.0, np.inf)), inverted=True) for k in range(n)
        )
    return gibbs(experiment.battery.hamiltonian_hz, prepare.temperature_hz, inverted=True)


def run(
    experiment: Experiment, *, seed: int | None = None, progress: Progress | None = None
) -> Result:
    """Run an experiment through the simulated spectrometer.

    The estimator sees only noisy FIDs, the response matrix and the noise level.

    Parameters
    ----------
    experiment
        What to run.
    seed
        Seed of every random number; by default the experiment's own, otherwise drawn.  The same
        seed gives the same numbers.
    progress
        Called with (steps done, steps in all).

    Returns
    -------
    Result

    Raises
    ------
    ArgumentError
        If the readouts do not determine the state or a number is out of range.
    """
    used = _seed(experiment, seed)
    noise_seed, bootstrap_seed, ensemble_seed = np.random.SeedSequence(used).spawn(3)
    report = progress or (lambda done, total: None)
    truth = simulate(experiment, seed=int(ensemble_seed.generate_state(1)[0]))
    report(1, 4)
    chain, noise = _instrument(experiment, truth)
    drawn = np.random.default_rng(noise_seed)
    estimate, shown, wrong = _measure(experiment, truth, chain, noise, drawn)
    report(2, 4)
    figures = estimated_figures(experiment.battery)
    found = intervals(
        estimate,
        {name: figures[name] for name in experiment.report},
        rng=np.random.default_rng(bootstrap_seed),
        replicas=experiment.measure.replicas,
        confidence=experiment.measure.confidence,
        gain_error=experiment.measure.gain_error,
    )
    report(3, 4)
    data = label(experiment, truth, chain, estimate, found)
    data = data.assign(fid=_shown_fid(shown), shown=_shown_at(experiment, truth))
    report(4, 4)
    return Result(
        experiment,
        used,
        data,
        reading_notes(experiment, truth, estimate, wrong),
        provenance(experiment, used, truth.ensemble),
    )


def _seed(experiment: Experiment, seed: int | None) -> int:
    chosen = experiment.seed if seed is None else seed
    if chosen is None:
        return secrets.randbits(32)
    if chosen < 0:
        raise ArgumentError(f"Argument `seed` must be ≥ 0, but is {chosen}")
    return chosen


def simulate(experiment: Experiment, *, seed: int = 0) -> Truth:
    """Return the true states of an experiment at all its times.

    Parameters
    ----------
    experiment
        What is run.
    seed
        Seed of random members, which are drawn only where a grid of the spreads is too large.
    """
    sample, noise = experiment.sample, experiment.noise
    rho = initial_state(experiment)
    acquisition = float(receiver_of(experiment).times_s[-1])
    ensemble = ensemble_of(experiment, rho, acquisition, seed)
    members, clock = charged_states(experiment.charge, sample, noise, ensemble, rho)
    model = (
        model_states(experiment.charge, sample, noise, rho)
        if isinstance(experiment.charge, SequenceCharge)
        else None
    )
    return Truth(clock, ensemble, members, ensemble.mean(members), model)


def receiver_of(experiment: Experiment) -> Receiver:
    """Return how the FIDs of an experiment are digitised."""
    measure = experiment.measure
    receiver = default_receiver(
        experiment.sample, points=measure.points, dead_time_s=measure.dead_time_s
    )
    if measure.spectral_width_hz is None:
        return receiver
    return replace(receiver, spectral_width_hz=measure.spectral_width_hz)


def _instrument(experiment: Experiment, truth: Truth) -> tuple[Chain, Real]:
    """Return the calibrated measurement chain and its noise level."""
    measure, noise = experiment.measure, experiment.noise
    chain = measurement_chain(
        experiment.sample,
        measure.readouts,
        pulses=noise.pulses,
        relaxation=noise.relaxation,
        receiver=receiver_of(experiment),
        ensemble=truth.ensemble,
        errors=noise.pulse_errors,
        analysis=_analysis(experiment),
    )
    _check_width(chain)
    return chain, noise_for_snr(chain, experiment.sample, measure.snr, measure.scans)


def _analysis(experiment: Experiment) -> Analysis:
    half_width = experiment.measure.integration_window_hz
    return "time-domain" if half_width is None else Integrals(half_width)


def _check_width(chain: Chain) -> None:
    """Refuse a spectral width that folds lines, as they could fall on each other."""
    highest = float(np.abs(np.concatenate(chain.lines).imag).max()) / (2 * np.pi)
    width = chain.receiver.spectral_width_hz
    if width <= 2 * highest:
        raise ArgumentError(
            f"Argument `spectral_width` must be more than {2 * highest:g} Hz to hold all lines, "
            f"but is {width:g} Hz"
        )


def _measure(
    experiment: Experiment, truth: Truth, chain: Chain, noise: Real, rng: np.random.Generator
) -> tuple[StateEstimate, Complex, tuple[str, ...]]:
    """Acquire and estimate in blocks of times; keep FIDs of the most charged state, and culprits.

    What is wrong with the measurement is looked for in the first block that does not fit.
    """
    measure, response = experiment.measure, response_matrix(chain)
    points = len(truth.states)
    shown_at = shown_index(experiment, truth.states)
    per_time = len(chain.readouts) * len(chain.channels) * chain.receiver.points
    size = max(1, _BLOCK_VALUES // per_time)
    gain = 1 + measure.gain_error * rng.standard_normal() if measure.gain_error else 1.0
    one_scan = noise * np.sqrt(measure.scans)
    calibration = calibration_of(experiment, chain, one_scan, rng)
    estimates, shown = [], np.empty(0, dtype=complex)
    wrong: tuple[str, ...] = ()
    for start in range(0, points, size):
        block = truth.members[:, start : start + size]
        clean = gain * acquire_members(chain, block)
        fids = recorded(experiment, chain, clean, one_scan, rng)
        if start <= shown_at < start + size:
            shown = fids[shown_at - start]
        estimates.append(
            estimate_state(fids, response, noise, method=measure.estimator, calibration=calibration)
        )
        if truth.ensemble.size == 1:  # others misfit anyway: the chain knows their mean only
            wrong = wrong or culprits(chain, fids, estimates[-1], noise, calibration)
    return _joined(estimates), shown, wrong


def shown_index(experiment: Experiment, states: Complex) -> int:
    """Return the index of the state with the largest ergotropy, the one that pictures show."""
    return int(np.argmax(figure_functions(experiment.battery)["ergotropy"](states)))


def _shown_at(experiment: Experiment, truth: Truth) -> Variable:
    index = shown_index(experiment, truth.states)
    return variable((), index, "index of the time with the largest ergotropy")


def _joined(parts: list[StateEstimate]) -> StateEstimate:
    first = parts[0]
    each = first.covariance.ndim > 2
    return replace(
        first,
        covariance=np.concatenate([p.covariance for p in parts]) if each else first.covariance,
        rho=np.concatenate([p.rho for p in parts]),
        linear=np.concatenate([p.linear for p in parts]),
        chi2=np.concatenate([p.chi2 for p in parts]),
        gap=np.concatenate([p.gap for p in parts]),
    )


def _shown_fid(fids: Complex) -> Variable:
    dims = ("readout", "channel", "acquisition_time")
    return variable(dims, fids, "FIDs of the state with the largest ergotropy", "1")
