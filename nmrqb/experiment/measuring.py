"""The spectrometer of an experiment, and what it makes of states: FIDs, estimates, work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nmrqb.battery import after_extraction
from nmrqb.errors import ArgumentError
from nmrqb.experiment.extraction import (
    Extraction,
    energy_released,
    joined,
    register_unitary,
    work_between,
)
from nmrqb.experiment.figures import figure_functions
from nmrqb.experiment.model import Experiment
from nmrqb.experiment.receiving import calibration_of, culprits, recorded
from nmrqb.experiment.result import Truth
from nmrqb.operators import Complex, Real
from nmrqb.spectrometer import Integrals, Receiver, default_receiver
from nmrqb.tomography import (
    Analysis,
    Calibration,
    Chain,
    NoiseLevel,
    Residuals,
    Response,
    StateEstimate,
    acquire_members,
    estimate_state,
    joined_estimates,
    measured_work,
    measurement_chain,
    noise_for_snr,
    noise_level,
    residuals,
    response_matrix,
)

_BLOCK_VALUES = 8_000_000  # complex numbers of FIDs held at once


@dataclass(frozen=True, eq=False)
class Instrument:
    """A spectrometer that is set up for an experiment, with what is drawn once for a run.

    Attributes
    ----------
    experiment
        What is run.
    chain, response
        The measurement, and what unit Paulis would show.
    noise
        Standard deviation of one quadrature of one FID point after all scans, shape (channels,).
    gain
        Scale of all FIDs, which nobody knows.
    calibration
        Gains and phases from a reference, or None.
    """

    experiment: Experiment
    chain: Chain
    response: Response
    noise: Real
    gain: float
    calibration: Calibration | None

    def clean(self, members: Complex) -> Complex:
        """Return the FIDs of states of all members, (M, T, d, d), before the receiver."""
        return acquire_members(self.chain, members)

    def fids(self, clean: Complex, rng: np.random.Generator) -> Complex:
        """Return clean FIDs as they are recorded."""
        one_scan = self.noise * np.sqrt(self.experiment.measure.scans)
        return recorded(self.experiment, self.chain, self.gain * clean, one_scan, rng)

    def noiseless(self, clean: Complex) -> Complex:
        """Return the linear inversions of clean FIDs."""
        return estimate_state(clean, self.response, self.noise, method="linear-inversion").linear

    def level(self, fids: Complex) -> NoiseLevel:
        """Return the noise of FIDs after all scans: known, or measured on them."""
        if self.experiment.measure.noise_level == "measured":
            return noise_level(fids, self.chain)
        return NoiseLevel(self.noise)

    def estimate(self, fids: Complex, level: NoiseLevel, rng: np.random.Generator) -> StateEstimate:
        """Return the states that FIDs belong to; the generator is for Bayesian estimates."""
        return estimate_state(
            fids,
            self.response,
            level,
            method=self.experiment.measure.estimator,
            calibration=self.calibration,
            rng=rng,
        )

    def left(self, fids: Complex, level: NoiseLevel) -> Residuals:
        """Return what the best states leave of FIDs."""
        return residuals(fids, self.chain, level, calibration=self.calibration)

    def culprits(
        self, fids: Complex, estimate: StateEstimate, level: NoiseLevel
    ) -> tuple[str, ...]:
        """Return what is wrong with the measurement; nothing where members differ.

        They misfit anyway, for the chain knows their mean only.
        """
        if self.chain.setup is not None and self.chain.setup.ensemble.size > 1:
            return ()
        return culprits(self.chain, fids, estimate, level.sigma, self.calibration)


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of all states of a run.

    Attributes
    ----------
    chain
        The measurement.
    level
        What the estimator took for the noise.
    estimate
        The estimated states, batch shape (T,).
    shown_fid
        FIDs of the most charged state, shape (readouts, channels, points).
    residuals
        What the best state leaves of them.
    wrong
        What seems to be wrong with the measurement itself.
    extraction
        Work measured directly, or None.
    noiseless
        Linear inversions of the FIDs without noise, shape (T, d, d), where members differ.
    """

    chain: Chain
    level: NoiseLevel
    estimate: StateEstimate
    shown_fid: Complex
    residuals: Residuals
    wrong: tuple[str, ...]
    extraction: Extraction | None
    noiseless: Complex | None


def receiver_of(experiment: Experiment) -> Receiver:
    """Return how the FIDs of an experiment are digitised."""
    measure = experiment.measure
    receiver = default_receiver(
        experiment.sample, points=measure.points, dead_time_s=measure.dead_time_s
    )
    if measure.spectral_width_hz is None:
        return receiver
    return replace(receiver, spectral_width_hz=measure.spectral_width_hz)


def shown_index(experiment: Experiment, states: Complex) -> int:
    """Return the index of the state with the largest ergotropy, the one that pictures show."""
    return int(np.argmax(figure_functions(experiment.battery)["ergotropy"](states)))


def instrument_of(experiment: Experiment, truth: Truth, rng: np.random.Generator) -> Instrument:
    """Return the calibrated spectrometer of an experiment.

    Raises
    ------
    ArgumentError
        If lines are folded, or the reference cannot calibrate.
    """
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
    level = noise_for_snr(chain, experiment.sample, measure.snr, measure.scans)
    gain = 1 + measure.gain_error * rng.standard_normal() if measure.gain_error else 1.0
    calibration = calibration_of(experiment, chain, level * np.sqrt(measure.scans), rng)
    return Instrument(experiment, chain, response_matrix(chain), level, gain, calibration)


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


def measured(
    experiment: Experiment,
    truth: Truth,
    rng: np.random.Generator,
    extraction_rng: np.random.Generator,
) -> Measured:
    """Acquire and estimate in blocks of times.

    What is wrong with the measurement is looked for in the first block that does not fit.  Where
    the noise level is measured, it is measured on the FIDs of the first block.

    Parameters
    ----------
    experiment, truth
        What is run, and its true states.
    rng, extraction_rng
        Random generators of the tomography, and of the measurement after the extraction of work.
    """
    instrument = instrument_of(experiment, truth, rng)
    shown_at = shown_index(experiment, truth.states)
    estimates: list[StateEstimate] = []
    extractions: list[Extraction] = []
    shown: list[tuple[Complex, Residuals]] = []
    noiseless: list[Complex] = []
    level = NoiseLevel(instrument.noise)
    wrong: tuple[str, ...] = ()
    for times in _blocks(instrument, len(truth.states)):
        clean = instrument.clean(truth.members[:, times])
        if truth.ensemble.size > 1:
            noiseless.append(instrument.noiseless(clean))
        fids = instrument.fids(clean, rng)
        level = level if estimates else instrument.level(fids)
        if times.start <= shown_at < times.stop:
            fid = fids[shown_at - times.start]
            shown.append((fid, instrument.left(fid, level)))
        estimate = instrument.estimate(fids, level, rng.spawn(1)[0])
        estimates.append(estimate)
        wrong = wrong or instrument.culprits(fids, estimate, level)
        if experiment.measure.direct_work or truth.extracted is not None:
            seen = _Seen(fids, level, estimate)
            extractions.append(_extracted(instrument, truth, times, seen, extraction_rng))
    estimate = joined_estimates(estimates)
    linear = np.concatenate(noiseless) if noiseless else None
    return Measured(
        instrument.chain, level, estimate, *shown[0], wrong, joined(extractions), linear
    )


def _blocks(instrument: Instrument, points: int) -> Iterator[slice]:
    """Yield blocks of times whose FIDs fit into memory."""
    chain = instrument.chain
    per_time = len(chain.readouts) * len(chain.channels) * chain.receiver.points
    size = max(1, _BLOCK_VALUES // per_time)
    yield from (slice(start, start + size) for start in range(0, points, size))


@dataclass(frozen=True, eq=False)
class _Seen:
    """FIDs of some times, their noise, and the states that they belong to."""

    fids: Complex
    level: NoiseLevel
    estimate: StateEstimate


def _extracted(
    instrument: Instrument, truth: Truth, times: slice, seen: _Seen, rng: np.random.Generator
) -> Extraction:
    """Extract from all members, and measure once more.

    The designed sequence is played, or the unitaries that estimates suggest act at once.
    """
    battery, measure = instrument.experiment.battery, instrument.experiment.measure
    before = truth.states[times]
    if truth.extracted is None:
        applied = register_unitary(battery, seen.estimate.rho)
        after = after_extraction(truth.members[:, times], applied)
        released = energy_released(battery, before, applied)
    else:
        applied, after = None, truth.extracted.members[:, times]
        released = work_between(battery, before, truth.extracted.states[times])
    later = instrument.fids(instrument.clean(after), rng)
    work = measured_work(
        seen.fids,
        later,
        instrument.response,
        seen.level,
        battery.hamiltonian_hz,
        spins=battery.spins,
        calibration=instrument.calibration,
        gain_error=measure.gain_error,
        confidence=measure.confidence,
    )
    return Extraction(applied, released, work)
