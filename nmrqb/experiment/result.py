"""Labelling what an experiment yields: arrays with units, notes, provenance."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import xarray as xr

import nmrqb
from nmrqb.battery import Battery, fidelity
from nmrqb.dynamics import Ensemble, excited_population
from nmrqb.experiment.charging import Clock
from nmrqb.experiment.cycle import Extracted, initial_state
from nmrqb.experiment.extraction import Extraction, work_between
from nmrqb.experiment.figures import EXTRACTED_WORK, FIGURES, figure_functions
from nmrqb.experiment.inhomogeneity import TOLERANCE
from nmrqb.experiment.model import Experiment, SequenceCharge
from nmrqb.experiment.stages import lasting
from nmrqb.operators import Complex, Real, partial_trace
from nmrqb.tomography import Chain, Interval, StateEstimate
from nmrqb.tomography.estimation.posterior import CONVERGED


@dataclass(frozen=True, eq=False)
class Truth:
    """What the simulator knows and the estimator is never given.

    Attributes
    ----------
    clock
        When the protocol is where.
    ensemble
        Members of the sample that see different fields.
    members
        States of every member, shape (members, T, d, d).
    states
        Ensemble average, shape (T, d, d).
    model
        States under the average Hamiltonian with laboratory-frame relaxation, or None.
    ideal
        States after the ideal preparation and charging, or None where no step is designed.
    prepared
        The effective state before charging, shape (d, d).
    extracted
        What the designed extraction leaves, or None.
    """

    clock: Clock
    ensemble: Ensemble
    members: Complex
    states: Complex
    model: Complex | None
    ideal: Complex | None = None
    prepared: Complex | None = None
    extracted: Extracted | None = None

    @property
    def weights(self) -> Real:
        """Weights of the members, shape (members,)."""
        return self.ensemble.weights


Variable = tuple[tuple[str, ...], Any, dict[str, str]]
_STATE = ("time", "row", "column")
_MISFIT = 3e-5  # probability of so large, or so small, residuals that are told as a misfit
_EXTRACTION = (
    "The extracted work is a difference of two measured energies, which takes twice the scans: the "
    "unitary that makes the estimated state passive acts on the spins, ideally and at once, and "
    "all readouts are measured again. No unitary extracts more than the ergotropy, so that this is "
    "on average a lower bound of it; it is negative where the state has none to give and the "
    "unitary, made for noise, puts work in."
)


_PLAYED_EXTRACTION = (
    "The extracted work is a difference of two measured energies, before and after the sequence "
    "that extracts the ergotropy of the ideal charged state. The ideal work is that ergotropy; "
    "the work under average Hamiltonians is of the same pulses with relaxation in the laboratory "
    "frame. What leaves the battery by relaxation during the extraction counts as work."
)
_NEGATIVE = 1e-3  # of a population: what is told


def variable(dims: tuple[str, ...], values: Any, long_name: str, units: str = "1") -> Variable:  # noqa: ANN401
    """Return an xarray variable with its unit and its name for people."""
    return dims, values, {"long_name": long_name, "units": units}


def label(
    experiment: Experiment,
    truth: Truth,
    chain: Chain,
    estimate: StateEstimate,
    intervals: Mapping[str, Interval],
) -> xr.Dataset:
    """Return all numbers of a run as one labelled data set.

    Figures of merit are ``true_NAME`` (simulated state), ``NAME`` (bias-corrected estimate),
    ``NAME_low``, ``NAME_high`` (interval), ``NAME_lower_bound``, ``NAME_upper_bound`` (one-sided,
    by data thinning), ``NAME_raw`` (plug-in), ``model_NAME`` (average Hamiltonian with
    laboratory-frame relaxation) and, where a step is designed, ``ideal_NAME``.
    """
    variables = {
        "true_state": variable(_STATE, truth.states, "simulated state"),
        "estimated_state": variable(_STATE, estimate.rho, f"estimated state, {estimate.method}"),
        "linear_state": variable(_STATE, estimate.linear, "linear inversion"),
        "fidelity_to_true": variable(
            ("time",), fidelity(estimate.rho, truth.states), "fidelity of estimated to true state"
        ),
        "chi2": variable(("time",), estimate.chi2, "squared residual over noise variance"),
        **_figure_variables(experiment, truth, intervals),
        **_population_variables(experiment, truth),
    }
    return xr.Dataset(
        variables, _coordinates(experiment, truth.clock, chain), _attributes(estimate)
    )


def _attributes(estimate: StateEstimate) -> dict[str, Any]:
    found: dict[str, Any] = {
        "estimator": estimate.method,
        "degrees_of_freedom": estimate.degrees_of_freedom,
    }
    if estimate.posterior is not None:
        found["posterior_r_hat"] = float(estimate.posterior.r_hat.max())
        found["posterior_effective_size"] = float(estimate.posterior.effective_size.min())
        found["posterior_acceptance"] = float(estimate.posterior.acceptance.min())
    return found


def _coordinates(experiment: Experiment, clock: Clock, chain: Chain) -> dict[str, Any]:
    levels = [format(k, f"0{len(experiment.sample.spins)}b") for k in range(chain_dimension(chain))]
    coordinates: dict[str, Any] = {
        "time": variable(("time",), clock.time_s, "protocol time", "s"),
        "laboratory_time": variable(
            ("time",), clock.laboratory_time_s, "time on the spectrometer", "s"
        ),
        "free_evolution": variable(
            ("time",), clock.free_evolution_s, "time under couplings alone", "s"
        ),
        "row": levels,
        "column": levels,
        "spin": list(experiment.sample.labels),
        "readout": list(chain.readouts),
        "channel": list(chain.channels),
        "acquisition_time": variable(
            ("acquisition_time",), chain.receiver.times_s, "time after the readout pulse", "s"
        ),
    }
    if clock.cycles is not None:
        coordinates["cycles"] = variable(("time",), clock.cycles, "passes of the sequence")
    return coordinates


def chain_dimension(chain: Chain) -> int:
    """Return d = 2ⁿ of the states that a measurement chain takes."""
    return int(np.sqrt(chain.maps.shape[-1]))


def _figure_variables(
    experiment: Experiment, truth: Truth, intervals: Mapping[str, Interval]
) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for name, function in figure_functions(experiment.battery).items():
        title, units = FIGURES[name].title, FIGURES[name].units
        found[f"true_{name}"] = variable(
            ("time",), function(truth.states), f"{title} of the simulated state", units
        )
        if truth.model is not None:
            text = f"{title} under the average Hamiltonian"
            found[f"model_{name}"] = variable(("time",), function(truth.model), text, units)
        if truth.ideal is not None:
            text = f"{title} after ideal preparation and charging"
            found[f"ideal_{name}"] = variable(("time",), function(truth.ideal), text, units)
    for name, interval in intervals.items():
        title, units = FIGURES[name].title, FIGURES[name].units
        parts = {
            name: (interval.value, "bias-corrected estimate"),
            f"{name}_low": (interval.low, "lower end of the interval"),
            f"{name}_high": (interval.high, "upper end of the interval"),
            f"{name}_raw": (interval.raw, "plug-in estimate"),
            f"{name}_lower_bound": (interval.lower_bound, "one-sided lower bound"),
            f"{name}_upper_bound": (interval.upper_bound, "one-sided upper bound"),
        }
        for key, (values, text) in parts.items():
            found[key] = variable(("time",), values, f"{title}, {text}", units)
    return found


def extraction_variables(extraction: Extraction | None) -> dict[str, Variable]:
    """Return what a direct measurement of work yields; nothing where there was none."""
    if extraction is None:
        return {}
    title, units, work = EXTRACTED_WORK.title, EXTRACTED_WORK.units, extraction.measured
    parts = {
        "true_extracted_work": (extraction.true, "of the simulated state"),
        "extracted_work": (work.value, "energy measured before less after"),
        "extracted_work_error": (work.error, "standard error"),
        "extracted_work_low": (work.low, "lower end of the interval"),
        "extracted_work_high": (work.high, "upper end of the interval"),
    }
    found = {
        key: variable(("time",), values, f"{title}, {text}", units)
        for key, (values, text) in parts.items()
    }
    if extraction.applied is not None:
        text = "unitary that makes the estimated state passive"
        found = {"extraction_unitary": variable(_STATE, extraction.applied, text)} | found
    return found


def cycle_variables(experiment: Experiment, truth: Truth) -> dict[str, Variable]:
    """Return what the designed preparation and extraction yield; nothing without them."""
    found: dict[str, Variable] = {}
    stage, after = experiment.preparation, truth.extracted
    before_s = 0.0
    if stage is not None and truth.prepared is not None:
        before_s = lasting(stage.timeline, experiment.sample, experiment.noise)
        likeness = fidelity(truth.prepared, initial_state(experiment))
        found |= {
            "prepared_state": variable(
                ("row", "column"), truth.prepared, "effective prepared state"
            ),
            "preparation_scale": variable(
                (), stage.scale, "deviation over 4ρ − 1, in units of Iz of 1H in equilibrium"
            ),
            "preparation_fidelity": variable((), likeness, "fidelity of prepared to wanted state"),
            "preparation_time": variable((), before_s, "duration of the preparation", "s"),
        }
    if after is not None:
        found |= _extraction_comparison(experiment.battery, truth, after)
    if stage is not None or after is not None:
        extraction_s = 0.0 if after is None else after.duration_s
        whole = before_s + truth.clock.laboratory_time_s + extraction_s
        found["cycle_time"] = variable(("time",), whole, "duration of all steps", "s")
    return found


def _extraction_comparison(battery: Battery, truth: Truth, after: Extracted) -> dict[str, Variable]:
    """Return the work of the designed extraction, ideal and under average Hamiltonians."""
    assert truth.ideal is not None  # with an extraction the experiment is designed
    title, units = EXTRACTED_WORK.title, EXTRACTED_WORK.units
    ideal = figure_functions(battery)["ergotropy"](truth.ideal)
    found = {
        "extracted_state": variable(_STATE, after.states, "simulated state after the extraction"),
        "extraction_time": variable(("time",), after.duration_s, "duration of the extraction", "s"),
        "ideal_extracted_work": variable(("time",), ideal, f"{title}, all steps ideal", units),
    }
    if truth.model is not None and after.model is not None:
        work = work_between(battery, truth.model, after.model)
        text = f"{title} under the average Hamiltonians of all steps"
        found["model_extracted_work"] = variable(("time",), work, text, units)
    return found


def _population_variables(experiment: Experiment, truth: Truth) -> dict[str, Variable]:
    spins = range(len(experiment.sample.spins))
    values = np.stack(
        [excited_population(partial_trace(truth.states, (k,))) for k in spins], axis=-1
    )
    return {
        "excited_population": variable(
            ("time", "spin"), values, "population of the upper level |0> of each spin"
        )
    }


def reading_notes(
    experiment: Experiment, truth: Truth, estimate: StateEstimate, wrong: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return what a reader of the numbers must know about them.

    Parameters
    ----------
    experiment, truth, estimate
        What was run, what was true, and what was found.
    wrong
        What seems to be wrong with the measurement itself.
    """
    notes = [*_data_notes(estimate), *_ensemble_notes(truth.ensemble)]
    if wrong:
        notes.insert(0, f"The measurement is not what it is taken for: {'; '.join(wrong)}.")
    notes += [
        "All figures are of the effective state ρ in the deviation matrix; energies of the true "
        "state of the ensemble, 1/d + p(ρ − 1/d), are smaller by the factor p (1e-6 to 1e-5, "
        "growing with the field), and so is their error.",
        "Where an interval begins at 0, quote its upper end: near 0 the bias of a figure that "
        "cannot be negative is only partly corrected.",
    ]
    if experiment.measure.direct_work:
        notes.append(_EXTRACTION)
    notes += _cycle_notes(experiment, truth)
    if np.all(truth.clock.laboratory_time_s == 0) and experiment.noise.relaxation:
        notes.append(
            "Charging takes no laboratory time with ideal hard pulses: relaxation acts during "
            "the acquisition only."
        )
    if experiment.battery.degenerate:
        notes.append(
            "The battery has degenerate levels: coherence_l1 depends on the basis inside them; "
            "here it is that of Σσ_z, ties in product order."
        )
    if truth.model is not None and experiment.noise.relaxation:
        notes.append(
            "The model curve is the average Hamiltonian, of the same pulses, with relaxation in "
            "the laboratory frame. The engineered run differs because its pulses turn the spins "
            "while they dephase: σ_z dephasing acts along the toggled axes, and T1 along them too."
        )
    if isinstance(experiment.charge, SequenceCharge) and truth.model is None:
        notes.append(
            "One pass of the sequence does not close its toggling frame (or has no delay), so no "
            "model curve of a constant average Hamiltonian is drawn."
        )
    return tuple(notes)


def _cycle_notes(experiment: Experiment, truth: Truth) -> list[str]:
    """Return what the designed steps make of the figures."""
    notes, stage = [], experiment.preparation
    if stage is not None:
        notes.append(
            f"The preparation makes the deviation k(4ρ − 1) of thermal equilibrium, k = "
            f"{stage.scale:.4g} in units of Iz of 1H, the largest that unitaries and a gradient "
            "reach. States and figures are of the effective state (1 + δ/k)/4 of the deviation δ "
            "that it makes: what pulses and relaxation lose is in it, and it can have eigenvalues "
            "below 0. T1 leads back to thermal equilibrium, Δ/k in these units. SNR is of an "
            "effective pure state at this scale."
        )
    lowest = float(np.linalg.eigvalsh(truth.states).min())
    if stage is not None and lowest < -_NEGATIVE:
        notes.append(
            f"Effective states have eigenvalues down to {lowest:.2g}: the deviation is no state "
            "at this scale there, and estimators that keep to states are biased by as much."
        )
    if truth.extracted is not None:
        notes.append(_PLAYED_EXTRACTION)
    return notes


def _data_notes(estimate: StateEstimate) -> list[str]:
    """Return warnings that the data themselves give: a misfit, or a state at the boundary."""
    notes = []
    if estimate.joint_p_value < _MISFIT:
        notes.append(
            "The data do not fit the calibrated model: mean χ² is "
            f"{float(estimate.chi2.mean()):.1f} for {estimate.degrees_of_freedom} degrees of "
            "freedom. The intervals hold the errors of noise and calibration only and are too "
            "narrow."
        )
    if estimate.joint_p_smaller < _MISFIT:
        notes.append(
            "The data fit the calibrated model better than their noise allows: mean χ² is "
            f"{float(estimate.chi2.mean()):.1f} for {estimate.degrees_of_freedom} degrees of "
            "freedom. The noise level is overstated, or the FIDs were clipped or filtered; the "
            "intervals are not those of the noise."
        )
    outside = int(np.sum(np.linalg.eigvalsh(estimate.linear)[..., 0] < 0))
    if outside:
        notes.append(
            f"{outside} of {estimate.chi2.size} linear inversions are not positive: the state is "
            "within the noise of the boundary. Intervals do not rely on positivity; they cover "
            "what they claim there too, but are wider than they would have to be. More scans help."
        )
    posterior = estimate.posterior
    if posterior is not None and posterior.r_hat.max() > CONVERGED:
        notes.append(
            f"The chains behind {int(np.sum(posterior.r_hat > CONVERGED))} posterior means have "
            f"not converged (R̂ up to {posterior.r_hat.max():.3f}, {CONVERGED:g} wanted): the "
            "plug-in values are uncertain by it. Intervals do not rely on them."
        )
    return notes


def spread_names(ensemble: Ensemble) -> str:
    """Return what is spread over a sample, in words."""
    named = {
        "B1": np.ptp(ensemble.b1),
        "B0": np.ptp(ensemble.field_hz),
        "J": np.ptp(ensemble.coupling),
    }
    spread = [name for name, width in named.items() if width > 0]
    return f"spread of {' and '.join(spread)}"


def _ensemble_notes(ensemble: Ensemble) -> list[str]:
    """Return how large the ensemble is and how well its averages have converged."""
    if ensemble.size == 1:
        return []
    kind = "of quadrature" if ensemble.seed is None else f"drawn with the seed {ensemble.seed}"
    note = (
        f"Averages go over {ensemble.size} members {kind} for the {spread_names(ensemble)}; "
        f"estimated error {ensemble.error:.1g} of an element of the state"
    )
    unmet = f", more than the {TOLERANCE:g} aimed at" if ensemble.error > TOLERANCE else ""
    return [f"{note}{unmet}. Radiation damping is left out."]


def provenance(experiment: Experiment, seed: int, ensemble: Ensemble) -> dict[str, Any]:
    """Return what is needed to get the same numbers again."""
    return {
        "nmrqb": nmrqb.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "seed": seed,
        "ensemble": {
            "members": ensemble.size,
            "error": ensemble.error,
            "missing_weight": ensemble.missing,
            "seed": ensemble.seed,
        },
        "inputs_sha256": dict(experiment.inputs_sha256),
        "overrides": dict(experiment.overrides),
    }
