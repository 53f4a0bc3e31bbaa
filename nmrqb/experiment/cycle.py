"""The designed steps of a battery's cycle: preparation from equilibrium, and extraction of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from nmrqb.design import extraction_sequence, synthesise
from nmrqb.dynamics import Ensemble, apply, gibbs, spin_gibbs, thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.experiment.charging import ideal_states, turned
from nmrqb.experiment.extraction import register_unitary
from nmrqb.experiment.model import (
    DriveCharge,
    Experiment,
    HamiltonianCharge,
    Noise,
    PreparationStage,
    ProductPreparation,
    Stage,
)
from nmrqb.experiment.stages import average_map, lasting, pass_maps
from nmrqb.operators import Complex, Real, dagger, kron
from nmrqb.sample import Sample
from nmrqb.sequence import Event, Pulse, Rotation, Sequence, Timeline, expand

_FEW = 8  # experiments whose extractions are kept


@dataclass(frozen=True, eq=False)
class Extracted:
    """The states after the designed extraction.

    Attributes
    ----------
    members
        Of every member, shape (members, T, d, d).
    states
        Their average, shape (T, d, d).
    model
        Under the average Hamiltonians of all steps, shape (T, d, d), or None.
    duration_s
        How long the extraction lasts, shape (T,).
    """

    members: Complex
    states: Complex
    model: Complex | None
    duration_s: Real


# --------------------------------------------------------------------------------- the preparation
def initial_state(experiment: Experiment) -> Complex:
    """Return the state that is to be prepared, of the whole register, shape (d, d)."""
    prepare, n = experiment.prepare, len(experiment.sample.spins)
    if isinstance(prepare, ProductPreparation):
        return kron(
            spin_gibbs(*prepare.spins.get(k, (0.0, np.inf)), inverted=True) for k in range(n)
        )
    return gibbs(experiment.battery.hamiltonian_hz, prepare.temperature_hz, inverted=True)


def acting_noise(experiment: Experiment) -> Noise:
    """Return the noise before the readout.

    Where the state is prepared from thermal equilibrium, T1 leads back there: to the deviation
    Δ/k in the units of the effective state, Δ as of `thermal_deviation`.
    """
    stage = experiment.preparation
    if stage is None:
        return experiment.noise
    return replace(experiment.noise, equilibrium=thermal_deviation(experiment.sample) / stage.scale)


def prepared_states(experiment: Experiment, ensemble: Ensemble, rho: Complex) -> Complex:
    """Return the effective states with which charging begins.

    Parameters
    ----------
    experiment
        What is run.
    ensemble
        Members that see different fields.
    rho
        The state that is to be prepared, shape (d, d).

    Returns
    -------
    array
        ρ itself, shape (d, d), where it is given; what the preparation makes of thermal
        equilibrium, (1 + δ/k)/d of its deviation δ, shape (members, d, d), where it is played.
    """
    stage = experiment.preparation
    if stage is None:
        return rho
    maps = pass_maps(stage.timeline, experiment.sample, acting_noise(experiment), ensemble)
    return apply(maps, _start(experiment.sample, stage))


def average_prepared(experiment: Experiment, rho: Complex) -> Complex:
    """Return what the average Hamiltonians of the preparation make, shape (d, d); ρ if given."""
    stage = experiment.preparation
    if stage is None:
        return rho
    made = average_map(stage.timeline, experiment.sample, acting_noise(experiment))
    return apply(made, _start(experiment.sample, stage))


def _start(sample: Sample, stage: PreparationStage) -> Complex:
    """Return thermal equilibrium in the units of the effective state: (1 + Δ/k)/d."""
    delta = thermal_deviation(sample)
    return (np.eye(len(delta)) + delta / stage.scale) / len(delta)


# ---------------------------------------------------------------------------------- the extraction
@lru_cache(maxsize=_FEW)
def extraction_stages(experiment: Experiment) -> tuple[Stage, ...]:
    """Return the sequences that extract the ergotropy of the ideal charged states, one per time.

    The ideal states are those of the exact Gibbs state and the exact unitaries, which are known
    before anything is measured; so the whole cycle is a list of pulses from the start.
    """
    if not experiment.extract:
        return ()
    rho = initial_state(experiment)
    states = ideal_states(experiment.charge, experiment.sample, rho)
    return tuple(_extraction(experiment, (state + dagger(state)) / 2) for state in states)


def _extraction(experiment: Experiment, rho: Complex) -> Stage:
    battery, sample = experiment.battery, experiment.sample
    if battery.spins is None:
        design = extraction_sequence(rho, battery, sample)
    else:
        design = synthesise(register_unitary(battery, rho), sample)
    sequence = design.named("extraction").sequence
    return Stage(sequence, expand(sequence, sample, pulses=experiment.noise.pulses))


def extracted_states(
    experiment: Experiment, ensemble: Ensemble, members: Complex, model: Complex | None
) -> Extracted | None:
    """Return the states after the extraction is played, or None where there is none.

    Parameters
    ----------
    experiment, ensemble
        What is run, and the fields that the members see.
    members
        Charged states of every member, shape (members, T, d, d).
    model
        Charged states under average Hamiltonians, shape (T, d, d), or None.
    """
    timelines = [stage.timeline for stage in extraction_stages(experiment)]
    if not timelines:
        return None
    sample, noise = experiment.sample, acting_noise(experiment)
    after = [apply(pass_maps(timeline, sample, noise, ensemble), members[:, k])
             for k, timeline in enumerate(timelines)]  # fmt: skip
    found = np.stack(after, axis=1)
    return Extracted(
        members=found,
        states=ensemble.mean(found),
        model=None if model is None else _average_extracted(timelines, sample, noise, model),
        duration_s=np.array([lasting(timeline, sample, noise) for timeline in timelines]),
    )


def _average_extracted(
    timelines: list[Timeline], sample: Sample, noise: Noise, model: Complex
) -> Complex:
    return apply(np.stack([average_map(t, sample, noise) for t in timelines]), model)


def other_timelines(experiment: Experiment) -> Iterator[Timeline]:
    """Yield what is played beside charging: the preparation, the extraction that turns most."""
    if experiment.preparation is not None:
        yield experiment.preparation.timeline
    extractions = [stage.timeline for stage in extraction_stages(experiment)]
    if extractions:
        yield max(extractions, key=turned)


# ------------------------------------------------------------------------------------- as one list
def cycle_sequence(experiment: Experiment, index: int) -> Sequence:
    """Return the whole cycle of one time as one sequence: prepare, charge, extract.

    Played from thermal equilibrium it makes the deviation k(4ρ − 1); where the state is given, it
    begins with charging.

    Parameters
    ----------
    experiment
        What is run, on two spins; charged by a Hamiltonian or by a hard drive.
    index
        Which of the times.

    Raises
    ------
    ArgumentError
        If it is charged otherwise, or there is no such time.
    """
    charge, sample, first = experiment.charge, experiment.sample, experiment.preparation
    if not 0 <= index < charge.points:
        raise ArgumentError(
            f"Argument `index` must be from 0 to {charge.points - 1}, but is {index}"
        )
    charging, time = _charging_events(experiment, index)
    last = extraction_stages(experiment)[index : index + 1]
    return Sequence(
        name="cycle",
        roles=MappingProxyType(
            {role: spin.nucleus for role, spin in zip("IS", sample.spins, strict=True)}
        ),
        events=(
            *(first.sequence.events if first else ()),
            *charging,
            *(event for stage in last for event in stage.sequence.events),
        ),
        title=f"Cycle of {experiment.title or experiment.name}, charged for {1e3 * time:g} ms",
        sample=sample.name,
    )


def _charging_events(experiment: Experiment, index: int) -> tuple[tuple[Event, ...], float]:
    """Return what is played to charge, and the protocol time."""
    charge = experiment.charge
    if isinstance(charge, HamiltonianCharge):
        return charge.stages[index].sequence.events, float(charge.times_s[index])
    if isinstance(charge, DriveCharge) and not charge.soft and len(experiment.sample.spins) == 2:
        time = float(charge.times_s[index])
        turn = Rotation(f"{Decimal(repr(720 * charge.rate_hz * time)):f}", "x")
        return (Pulse({"I": turn, "S": turn}),), time
    raise ArgumentError(
        "Argument `experiment` must charge by a Hamiltonian, or two spins by a hard drive, to be "
        f"one list of pulses, but {experiment.name!r} does not"
    )
