"""From fitted lines to states: what they determine, and what contradicts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery import Battery
from nmrqb.errors import ArgumentError, Fault, InputError, Position
from nmrqb.experiment.figures import battery_state, estimated_figures
from nmrqb.experiment.recorded.amplitudes import FittedFile, Quadratures
from nmrqb.experiment.recorded.fits import fit_files
from nmrqb.experiment.recorded.model import RecordedData
from nmrqb.experiment.recorded.sums import (
    Gain,
    Key,
    ResponseModel,
    all_parts,
    complete_keys,
    propagated,
)
from nmrqb.operators import Complex, Real
from nmrqb.tomography import (
    Interval,
    PartialEstimate,
    determines,
    intervals,
)
from nmrqb.tomography.design import Verdict, bounds
from nmrqb.tomography.design.bounds import Range
from nmrqb.tomography.design.verdicts import on_register
from nmrqb.tomography.from_lines import (
    chi2_probability,
    estimate_from_lines,
    populations,
    whole_state,
)

_CONTRADICTS = 1e-6
_BETTER = 4.0  # by how much χ² must fall for a remedy to be named
_REPLICAS = 400
_SEED = 1


@dataclass(frozen=True, eq=False)
class RecordedState:
    """One state that the data tell of.

    Attributes
    ----------
    name
        ``sum``, or the name of the experiment.
    weights
        Weights of the experiments in it.
    estimate
        What is determined of it.
    sums
        Calibrated amplitudes of every readout and channel, complex, lines ascending in the
        rotating frame; NaN in place of a part that tables of integrals do not show.
    missing
        Readouts and channels that some experiment of the sum lacks, and which were not used.
    figures
        Figures of merit that are determined, with intervals.
    linear
        The energy, value and standard deviation, where it is determined.
    levels
        Populations of the battery's energy levels less their mean, from the lowest level, and their
        standard deviations, shape (levels,) each, where they are determined.
    purity
        Tr ρ² of a full state that is determined.
    verdicts
        Which figures of merit are determined; empty without a battery.
    ranges
        What figures of merit of a full state can be, whatever is not seen.
    """

    name: str
    weights: Mapping[str, float]
    estimate: PartialEstimate
    sums: Mapping[Key, Complex]
    missing: tuple[str, ...]
    figures: Mapping[str, Interval]
    linear: tuple[float, float] | None
    levels: tuple[Real, Real] | None
    purity: float | None
    verdicts: tuple[Verdict, ...]
    ranges: Mapping[str, Range]

    @property
    def p_value(self) -> float:
        """Probability of so large a χ² where the model is right."""
        return chi2_probability(self.estimate)

    @property
    def populations(self) -> tuple[Real, Real] | None:
        """Populations less their mean, and their covariance; None where not determined."""
        return populations(self.estimate)


@dataclass(frozen=True)
class Bootstrap:
    """How intervals were made.

    Attributes
    ----------
    confidence
        Their coverage.
    replicas, seed
        Number of replicas, and the seed of their noise: the same data give the same intervals.
    """

    confidence: float
    replicas: int = _REPLICAS
    seed: int = _SEED


@dataclass(frozen=True, eq=False)
class Tomogram:
    """What recorded data tell.

    Attributes
    ----------
    data
        The data file.
    files
        Its files, fitted.
    gains
        Gains of the channels; empty where there is no reference.
    states
        The states.
    findings
        What contradicts the model, and what would explain it, in words.
    battery
        The battery whose figures are asked for, or None.
    bootstrap
        How intervals of figures of merit were made.
    """

    data: RecordedData
    files: tuple[FittedFile, ...]
    gains: Mapping[str, Gain]
    states: tuple[RecordedState, ...]
    findings: tuple[str, ...]
    battery: Battery | None
    bootstrap: Bootstrap


@checked
def analyse_recorded(
    data: RecordedData,
    *,
    battery: Battery | None = None,
    confidence: float = 0.95,
) -> Tomogram:
    """Fit all files of a data set and estimate its states as far as they are determined.

    Parameters
    ----------
    data
        From `load_data`.
    battery
        Whose figures of merit are wanted.
    confidence
        Coverage of their intervals, between 0 and 1.

    Raises
    ------
    InputError
        If the data name no file for a tomography, or files have faults.
    ArgumentError
        If the confidence is out of range.
    """
    if not data.files:
        message = "`files` is missing: there is nothing for a tomography"
        raise InputError([Fault(Position(data.source), message)])
    if not 0 < confidence < 1:
        raise ArgumentError(f"Argument `confidence` must be in (0, 1), but is {confidence}")
    fitted = fit_files(data)
    model = ResponseModel.of(data)
    gains = model.gains(fitted)
    states = tuple(
        _state(name, weights, data, fitted, model, battery=battery, confidence=confidence)
        for name, weights in data.weights.items()
    )
    findings = [
        text
        for state in states
        for text in (*_missing(state), *_contradictions(state, data, fitted, model))
    ]
    findings += _weak(fitted)
    return Tomogram(data, fitted, gains, states, tuple(findings), battery, Bootstrap(confidence))


# ------------------------------------------------------------------------------------- the states
def _estimated(
    fitted: Sequence[FittedFile],
    weights: Mapping[str, float],
    data: RecordedData,
    model: ResponseModel,
) -> tuple[PartialEstimate, dict[Key, Quadratures]]:
    """Return the estimate of one state, with all errors of amplitudes and gains in it."""
    sums = model.calibrated(fitted, weights)
    if not sums:
        message = "no readout has a file in every experiment of the sum"
        raise InputError([Fault(fitted[0].file.data.at, message)])
    values = all_parts(sums)
    covariance = propagated(lambda files: all_parts(model.calibrated(files, weights)), fitted)
    estimate = estimate_from_lines(
        values, covariance, model.matrix(sums), model.paulis, kind=data.kind
    )
    return estimate, sums


def _state(
    name: str,
    weights: Mapping[str, float],
    data: RecordedData,
    fitted: Sequence[FittedFile],
    model: ResponseModel,
    *,
    battery: Battery | None,
    confidence: float,
) -> RecordedState:
    estimate, sums = _estimated(fitted, weights, data, model)
    verdicts = () if battery is None else determines(estimate.design, battery)
    known = {verdict.figure for verdict in verdicts if verdict.determined}
    figures: Mapping[str, Interval] = {}
    linear, ranges = None, dict[str, Range]()
    levels, purity = None, None
    if battery is not None and "energy" in known:
        linear = _energy(estimate, battery)
    if battery is not None and "populations" in known:
        levels = _levels(estimate, battery)
    if battery is not None and "purity" in known and data.kind == "full":
        purity = _purity(estimate, battery)
    if battery is not None and estimate.design.complete:
        figures = intervals(
            whole_state(estimate, data.kind),
            estimated_figures(battery),
            rng=np.random.default_rng(_SEED),
            replicas=_REPLICAS,
            confidence=confidence,
            gain_error=0.0,
        )
    elif battery is not None and data.kind == "full":
        ranges = dict(bounds(estimate.rho, estimate.design, battery))
    return RecordedState(
        name=name,
        weights=weights,
        estimate=estimate,
        sums={key: known.amplitudes for key, known in sums.items()},
        missing=tuple(complete_keys(fitted, weights)[1]),
        figures=figures,
        linear=linear,
        levels=levels,
        purity=purity,
        verdicts=verdicts,
        ranges=ranges,
    )


def _energy(estimate: PartialEstimate, battery: Battery) -> tuple[float, float]:
    H = battery.hamiltonian_hz
    if battery.spins is not None:
        H = on_register(H, battery.spins, estimate.design)
    value, error = estimate.expectation(H)
    return float(value), float(error)


def _levels(estimate: PartialEstimate, battery: Battery) -> tuple[Real, Real]:
    """Return the populations of the energy levels less their mean, and their errors."""
    found = []
    for state in battery.energy_basis.T:
        level = np.outer(state, state.conj())
        if battery.spins is not None:
            level = on_register(level, battery.spins, estimate.design)
        found.append([float(part) for part in estimate.expectation(level)])
    values, errors = np.array(found).T
    return values - 1 / len(values), errors


def _purity(estimate: PartialEstimate, battery: Battery) -> float:
    rho = battery_state(battery, estimate.rho)
    return float(np.sum(np.abs(rho) ** 2))


# ------------------------------------------------------------------------------------- the doubts
def _missing(state: RecordedState) -> list[str]:
    return [f"{state.name}: {text}: not used" for text in state.missing]


def _weak(fitted: Sequence[FittedFile]) -> list[str]:
    """Say where a weak file was held at a place that moves from file to file."""
    texts = []
    for f in fitted:
        if f.found:
            continue
        own = [g.multiplet for g in fitted if g.found and g.file.channel == f.file.channel]
        centres = [m.centre_hz for m in own if m is not None]
        widest = max((float(m.widths_hz.max()) for m in own if m is not None), default=0.0)
        if centres and np.ptp(centres) > widest:
            texts.append(
                f"{f.file.name}: no line stands out, and it was fitted at {np.median(centres):.2f} "
                f"Hz as the other files of {f.file.channel}, which lie {np.ptp(centres):.2g} Hz "
                "apart: weak lines elsewhere were not seen"
            )
    return texts


def _contradictions(
    state: RecordedState, data: RecordedData, fitted: Sequence[FittedFile], model: ResponseModel
) -> list[str]:
    """Say that readouts contradict each other, and which single mistake would explain it."""
    freedom = state.estimate.degrees_of_freedom
    if not freedom or state.p_value > _CONTRADICTS:
        return []
    chi2 = float(state.estimate.chi2)
    texts = [
        f"{state.name}: the readouts contradict each other: χ² = {chi2:.4g} on {freedom} degrees "
        "of freedom; errors do not cover that"
    ]
    best = chi2 / _BETTER
    for remedy, files in _remedies(state, fitted, model):
        if remedy and (other := _chi2(files, state.weights, data, model)) < best:
            texts.append(f"{state.name}: {remedy}, χ² would be {other:.4g}")
    return texts


def _chi2(
    files: Sequence[FittedFile],
    weights: Mapping[str, float],
    data: RecordedData,
    model: ResponseModel,
) -> float:
    return float(_estimated(files, weights, data, model)[0].chi2)


def _remedies(
    state: RecordedState, fitted: Sequence[FittedFile], model: ResponseModel
) -> list[tuple[str, list[FittedFile]]]:
    """Return single mistakes that are common: a mirrored axis, a phase of 180° in one file."""
    found = []
    for channel in dict.fromkeys(f.file.channel for f in fitted):
        files = [f.mirrored() if f.file.channel == channel else f for f in fitted]
        found.append((f"with the frequency axis of {channel} mirrored", files))
    for f in fitted:
        if state.weights.get(f.file.experiment) and f.file.experiment != model.experiment:
            files = [g.moved(-2 * g.known.parts) if g is f else g for g in fitted]
            found.append((f"with {f.file.name} turned by 180°", files))
    return found
