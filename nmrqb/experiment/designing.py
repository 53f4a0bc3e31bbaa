"""The designed steps that an experiment file asks for: preparation and charging as sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from nmrqb.battery import Battery
from nmrqb.design import design_sequence
from nmrqb.design.pair import pair_of, prepare, unlike_pair_of
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError, Fault, InputError
from nmrqb.experiment.format import ChargeFormat, ExperimentFormat, HamiltonianFormat
from nmrqb.experiment.model import HamiltonianCharge, PreparationStage, Stage
from nmrqb.experiment.readout_loading import missing_lengths
from nmrqb.files import Document, Keys
from nmrqb.operators import Complex, from_named
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import Sequence, Timeline, expand

_TERMS = MappingProxyType(
    {"D": "DM_z", "G": "KSEA_z", "Delta": "Delta", "epsilon": "epsilon", "B": "B"}
)
_MOST_TIMES = 1001
_HAMILTONIAN: Keys = ("charge", "hamiltonian")


@dataclass(frozen=True)
class Designed:
    """The designed steps of an experiment, each None where it is not asked for."""

    preparation: PreparationStage | None = None
    charge: HamiltonianCharge | None = None


def design_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    """Yield why a sample does not suit the designed steps, one message for each of them."""
    for path in _wanted(entry):
        try:
            unlike_pair_of(sample) if path[0] == "prepare" else pair_of(sample)
        except ArgumentError as error:
            message = f"`{path[-1]}` cannot be designed: {str(error).removeprefix('Argument ')}"
            yield Fault(document.position(path), message)
    yield from _preparation_faults(entry, document, sample)
    yield from _charge_faults(entry, document)
    if entry.extract and entry.measure.direct_work:
        yield Fault(
            document.position(("extract",)),
            "`extract` and `measure.direct_work` both apply an extraction before the second "
            "measurement; leave one of them out",
        )


def _wanted(entry: ExperimentFormat) -> Iterator[Keys]:
    """Yield the places of what is to be designed."""
    if entry.prepare.gibbs is not None and entry.prepare.gibbs.by == "sequence":
        yield ("prepare", "gibbs", "by")
    if entry.charge.hamiltonian is not None:
        yield _HAMILTONIAN
    if entry.extract:
        yield ("extract",)


def _preparation_faults(
    entry: ExperimentFormat, document: Document, sample: Sample
) -> Iterator[Fault]:
    if entry.prepare.gibbs is None or entry.prepare.gibbs.by != "sequence":
        return
    at = document.position(("prepare", "gibbs", "by"))
    if entry.battery.spin is not None:
        yield Fault(at, "`by: sequence` makes Gibbs states of two spins; the battery is one spin")
    polarized = [spin.label for spin in sample.spins if spin.polarization]
    if polarized:
        yield Fault(
            at,
            "`by: sequence` starts from thermal equilibrium, to which T1 leads back; leave the "
            f"polarization of {', '.join(polarized)} out",
        )


def _charge_faults(entry: ExperimentFormat, document: Document) -> Iterator[Fault]:
    hamiltonian, times = entry.charge.hamiltonian, entry.charge.times
    if hamiltonian is None:
        return
    if not any(hamiltonian.model_dump().values()):
        terms = ", ".join(HamiltonianFormat.model_fields)
        message = f"`hamiltonian` must hold a term that is not 0: {terms}"
        yield Fault(document.position(_HAMILTONIAN), message)
    if times is not None and times.points > _MOST_TIMES:
        message = f"`points` must be at most {_MOST_TIMES}, as a sequence is designed for each time"
        at = document.position(("charge", "times", "points"))
        yield Fault(at, f"{message}, but is {times.points}")


# -------------------------------------------------------------------------------------- the designs
def designed(
    entry: ExperimentFormat, document: Document, sample: Sample, battery: Battery
) -> Designed:
    """Return the designed steps of an entry without faults.

    Raises
    ------
    InputError
        If a design finds that it is impossible, at what asked for it.
    """
    pulses: PulseModel = "ideal" if missing_lengths(entry, sample) else entry.noise.pulses
    return Designed(
        _preparation(entry, document, sample, battery, pulses),
        _charge(entry.charge, sample, pulses),
    )


def _preparation(
    entry: ExperimentFormat,
    document: Document,
    sample: Sample,
    battery: Battery,
    pulses: PulseModel,
) -> PreparationStage | None:
    wanted = entry.prepare.gibbs
    if wanted is None or wanted.by != "sequence":
        return None
    rho = gibbs(battery.hamiltonian_hz, wanted.temperature, inverted=True)
    try:
        design = prepare(rho, sample)
    except ArgumentError as error:
        at = document.position(("prepare", "gibbs"))
        raise InputError.at(at, str(error).removeprefix("Argument ")) from None
    assert design.scale is not None  # a preparation has one
    sequence = design.named("preparation").sequence
    timeline = expand(sequence, sample, pulses=pulses)
    return PreparationStage(sequence, timeline, design.scale, design.largest_scale)


def _charge(entry: ChargeFormat, sample: Sample, pulses: PulseModel) -> HamiltonianCharge | None:
    if entry.hamiltonian is None or entry.times is None:
        return None
    times = np.linspace(entry.times.start, entry.times.stop, entry.times.points)
    H = _hamiltonian(entry.hamiltonian)
    return HamiltonianCharge(H, times, tuple(_stage(H, float(t), sample, pulses) for t in times))


def _hamiltonian(entry: HamiltonianFormat) -> Complex:
    """Return H/2π in Hz, shape (4, 4)."""
    terms = {name: getattr(entry, key) for key, name in _TERMS.items()}
    return from_named(terms | {"XI": entry.drive_x, "IX": entry.drive_x})


def _stage(H: Complex, time: float, sample: Sample, pulses: PulseModel) -> Stage:
    if time == 0:
        nothing = Sequence("charging", MappingProxyType({"I": "any", "S": "any"}), ())
        return Stage(nothing, Timeline(nothing.name, (), pulses))
    sequence = design_sequence(sample, H, time=time, exact=True).named("charging").sequence
    return Stage(sequence, expand(sequence, sample, pulses=pulses))
