"""Running an experiment: prepare, charge, acquire, reconstruct, estimate."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.experiment.charging import average_states, charged_states, ideal_states
from nmrqb.experiment.cycle import (
    acting_noise,
    average_prepared,
    extracted_states,
    initial_state,
    prepared_states,
)
from nmrqb.experiment.figures import estimated_figures
from nmrqb.experiment.inhomogeneity import ensemble_of
from nmrqb.experiment.measuring import measured, receiver_of, shown_index
from nmrqb.experiment.model import Experiment, Result, SequenceCharge
from nmrqb.experiment.references import told_in_file
from nmrqb.experiment.result import (
    Truth,
    Variable,
    cycle_variables,
    extraction_variables,
    label,
    provenance,
    reading_notes,
    spread_names,
    variable,
)
from nmrqb.experiment.selective import selective_notes
from nmrqb.experiment.shifts import figure_shifts, shift_notes, shift_variables, widened
from nmrqb.experiment.state_errors import error_variables, residual_variables
from nmrqb.operators import Complex
from nmrqb.tomography import Figure, intervals

Progress = Callable[[int, int], None]


@checked
def run(
    experiment: Experiment, *, seed: int | None = None, progress: Progress | None = None
) -> Result:
    """Run an experiment through the simulated spectrometer.

    The estimator sees only noisy FIDs, the response matrix and the noise level, or no noise level
    where it is to be measured.  With ``direct_work`` the unitary that each estimate suggests acts
    on the true state, and the energy is measured once more with as many scans; with ``extract``
    the designed sequence does, see `nmrqb.experiment.cycle.extraction_stages`.

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
        If the readouts do not determine the state or a number is out of range; told where the file
        gives it, and an `InputError` as well, where that is known.
    """
    used = _seed(experiment, seed)
    seeds = np.random.SeedSequence(used).spawn(4)
    noise_seed, bootstrap_seed, ensemble_seed, extraction_seed = seeds
    report = progress or (lambda done, total: None)
    truth = simulate(experiment, seed=int(ensemble_seed.generate_state(1)[0]))
    report(1, 4)
    with told_in_file(experiment.places):
        found = measured(
            experiment,
            truth,
            np.random.default_rng(noise_seed),
            np.random.default_rng(extraction_seed),
        )
    report(2, 4)
    figures = _reported(experiment)
    bars = intervals(
        found.estimate,
        figures,
        rng=np.random.default_rng(bootstrap_seed),
        replicas=experiment.measure.replicas,
        confidence=experiment.measure.confidence,
        gain_error=experiment.measure.gain_error,
    )
    report(3, 4)
    shifts = figure_shifts(experiment, truth, found.noiseless, figures)
    bars = widened(bars, shifts, figures)
    data = label(experiment, truth, found.chain, found.estimate, bars)
    shown = {
        "fid": _shown_fid(found.shown_fid),
        "shown": _shown_at(experiment, truth),
        "noise": variable(("channel",), found.level.sigma, _noise_name(experiment)),
    }
    errors = error_variables(found.estimate) | residual_variables(found.residuals, found.chain)
    work = extraction_variables(found.extraction) | cycle_variables(experiment, truth)
    data = data.assign(shown | errors | work | shift_variables(shifts))
    report(4, 4)
    return Result(
        experiment,
        used,
        data,
        (
            *shift_notes(shifts, spread_names(truth.ensemble)),
            *reading_notes(experiment, truth, found.estimate, found.wrong),
            *selective_notes(experiment),
        ),
        provenance(experiment, used, truth.ensemble),
    )


def _reported(experiment: Experiment) -> dict[str, Figure]:
    known = estimated_figures(experiment.battery)
    return {name: known[name] for name in experiment.report}


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
    sample, noise, protocol = experiment.sample, acting_noise(experiment), experiment.charge
    rho = initial_state(experiment)
    acquisition = float(receiver_of(experiment).times_s[-1])
    ensemble = ensemble_of(experiment, rho, acquisition, seed)
    start = prepared_states(experiment, ensemble, rho)
    members, clock = charged_states(protocol, sample, noise, ensemble, start)
    model = None
    if experiment.designed or isinstance(protocol, SequenceCharge):
        model = average_states(protocol, sample, noise, average_prepared(experiment, rho))
    return Truth(
        clock,
        ensemble,
        members,
        ensemble.mean(members),
        model,
        ideal_states(protocol, sample, rho) if experiment.designed else None,
        start if start.ndim == 2 else ensemble.mean(start),
        extracted_states(experiment, ensemble, members, model),
    )


def _shown_at(experiment: Experiment, truth: Truth) -> Variable:
    index = shown_index(experiment, truth.states)
    return variable((), index, "index of the time with the largest ergotropy")


def _noise_name(experiment: Experiment) -> str:
    known = experiment.measure.noise_level
    return f"standard deviation of one quadrature of an FID point, all scans, {known}"


def _shown_fid(fids: Complex) -> Variable:
    dims = ("readout", "channel", "acquisition_time")
    return variable(dims, fids, "FIDs of the state with the largest ergotropy", "1")


__all__ = ["Progress", "initial_state", "run", "simulate"]
