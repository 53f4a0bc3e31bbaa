"""Running an experiment: prepare, charge, acquire, reconstruct, estimate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nmrqb.dynamics import gibbs, spin_gibbs
from nmrqb.errors import ArgumentError
from nmrqb.experiment.charging import charged_states, model_states
from nmrqb.experiment.figures import FIGURES, figure_functions
from nmrqb.experiment.inhomogeneity import ensemble_of
from nmrqb.experiment.model import (
    Experiment,
    ProductPreparation,
    Result,
    SequenceCharge,
)
from nmrqb.experiment.result import (
    Truth,
    Variable,
    label,
    provenance,
    reading_notes,
    variable,
)
from nmrqb.operators import Complex, Real, kron
from nmrqb.spectrometer import Receiver, add_noise, default_receiver
from nmrqb.tomography import (
    Chain,
    StateEstimate,
    acquire_members,
    bootstrap,
    estimate_state,
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
    estimate, shown = _measure(experiment, truth, chain, noise, np.random.default_rng(noise_seed))
    report(2, 4)
    functions = figure_functions(experiment.battery)
    intervals = bootstrap(
        estimate,
        {name: (functions[name], FIGURES[name].allowed) for name in experiment.report},
        rng=np.random.default_rng(bootstrap_seed),
        replicas=experiment.measure.replicas,
        confidence=experiment.measure.confidence,
    )
    report(3, 4)
    data = label(experiment, truth, chain, estimate, intervals)
    data = data.assign(fid=_shown_fid(shown), shown=_shown_at(experiment, truth))
    report(4, 4)
    return Result(
        experiment,
        used,
        data,
        reading_notes(experiment, truth, estimate),
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
    acquisition = float(_receiver(experiment).times_s[-1])
    ensemble = ensemble_of(experiment, rho, acquisition, seed)
    members, clock = charged_states(experiment.charge, sample, noise, ensemble, rho)
    model = (
        model_states(experiment.charge, sample, noise, rho)
        if isinstance(experiment.charge, SequenceCharge)
        else None
    )
    return Truth(clock, ensemble, members, ensemble.mean(members), model)


def _receiver(experiment: Experiment) -> Receiver:
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
        receiver=_receiver(experiment),
        ensemble=truth.ensemble,
        errors=noise.pulse_errors,
    )
    _check_width(chain)
    return chain, noise_for_snr(chain, experiment.sample, measure.snr, measure.scans)


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
) -> tuple[StateEstimate, Complex]:
    """Acquire and estimate in blocks of times; keep the FIDs of the most charged state."""
    response = response_matrix(chain)
    points = len(truth.states)
    shown_at = shown_index(experiment, truth.states)
    per_time = len(chain.readouts) * len(chain.channels) * chain.receiver.points
    size = max(1, _BLOCK_VALUES // per_time)
    estimates, shown = [], np.empty(0, dtype=complex)
    for start in range(0, points, size):
        block = truth.members[:, start : start + size]
        fids = add_noise(acquire_members(chain, block), noise, rng)
        if start <= shown_at < start + size:
            shown = fids[shown_at - start]
        estimates.append(estimate_state(fids, response, noise, method=experiment.measure.estimator))
    return _joined(estimates), shown


def shown_index(experiment: Experiment, states: Complex) -> int:
    """Return the index of the state with the largest ergotropy, the one that pictures show."""
    return int(np.argmax(figure_functions(experiment.battery)["ergotropy"](states)))


def _shown_at(experiment: Experiment, truth: Truth) -> Variable:
    index = shown_index(experiment, truth.states)
    return variable((), index, "index of the time with the largest ergotropy")


def _joined(parts: list[StateEstimate]) -> StateEstimate:
    first = parts[0]
    return StateEstimate(
        rho=np.concatenate([p.rho for p in parts]),
        linear=np.concatenate([p.linear for p in parts]),
        covariance=first.covariance,
        chi2=np.concatenate([p.chi2 for p in parts]),
        degrees_of_freedom=first.degrees_of_freedom,
        gap=np.concatenate([p.gap for p in parts]),
        method=first.method,
    )


def _shown_fid(fids: Complex) -> Variable:
    dims = ("readout", "channel", "acquisition_time")
    return variable(dims, fids, "FIDs of the state with the largest ergotropy", "1")
