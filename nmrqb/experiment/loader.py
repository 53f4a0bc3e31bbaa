"""From an experiment file to an `Experiment` that is bound to its sample and sequence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from nmrqb import formats
from nmrqb.arguments import checked
from nmrqb.battery import Battery
from nmrqb.dynamics.coherent.propagators import MAX_OPEN_DIMENSION
from nmrqb.errors import Fault, InputError, Position, nearest, refuse
from nmrqb.experiment.designing import Designed, design_faults, designed
from nmrqb.experiment.format import (
    MAX_REPLICAS,
    BatteryFormat,
    ChargeFormat,
    ExperimentFormat,
    MeasureFormat,
    PrepareFormat,
    TermsFormat,
)
from nmrqb.experiment.model import (
    DriveCharge,
    Experiment,
    GibbsPreparation,
    Measurement,
    ProductPreparation,
    SequenceCharge,
)
from nmrqb.experiment.noise import load_profile, noise_faults, noise_of
from nmrqb.experiment.readout_loading import load_readouts, missing_lengths
from nmrqb.experiment.receiver_format import receiver_faults
from nmrqb.experiment.references import beside, collecting, places_of_settings, told_at
from nmrqb.files import Document, override_texts
from nmrqb.sample import Sample, load_sample
from nmrqb.sequence import (
    Sequence,
    TimedGradient,
    Timeline,
    expand,
    load_sequence,
)
from nmrqb.tomography import Readout
from nmrqb.tomography.uncertainty.error_bars import least_replicas

TWO_SPIN_TERMS = tuple(TermsFormat.model_fields)


@checked
def load_experiment(
    argument: str | Path, *, overrides: Mapping[str, str | float] | None = None
) -> Experiment:
    """Read an experiment from the library or from a file, and bind it to its sample.

    Parameters
    ----------
    argument
        A shipped name such as ``charge_dm_ksea``, or a file.
    overrides
        Changes by path, as of ``--set``: ``{"battery.D": "100 Hz"}``; a number means what it means
        in the file: ``{"measure.scans": 8}``.

    Raises
    ------
    InputError
        With every fault of the file, of the overrides, and of what it refers to.
    ArgumentError
        If an override is neither text nor a finite number.
    """
    changes = override_texts(overrides or {})
    document = formats.read("experiment", argument, ExperimentFormat, overrides=changes)
    entry, faults = formats.check(document, ExperimentFormat)
    sample = _sample(entry, document, faults)
    sequence = _sequence(document, faults)
    if sample is not None:
        faults += _size_faults(document, sample)
    if entry is None or sample is None or 2 ** len(sample.spins) > MAX_OPEN_DIMENSION:
        raise InputError(faults)
    faults += [
        *_override_faults(entry, document, sample),
        *_battery_faults(entry, document, sample),
        *_prepare_faults(entry, document, sample),
        *_charge_faults(entry, document, sample),
        *_measure_faults(entry, document, sample),
        *design_faults(entry, document, sample),
        *noise_faults(entry.noise, document, sample),
        *receiver_faults(entry.noise.receiver, document, sample),
    ]
    readouts = load_readouts(entry, document, sample, faults)
    profile = load_profile(entry.noise, document, faults)
    timeline = _timeline(entry, document, sample, sequence, faults)
    refuse(faults)
    battery = _battery(entry.battery, sample)
    design = designed(entry, document, sample, battery)
    return Experiment(
        name=entry.name or Path(str(argument)).stem,
        title=entry.title,
        notes=entry.notes,
        sample=sample,
        battery=battery,
        prepare=_prepare(entry.prepare, sample, design),
        charge=design.charge or _charge(entry.charge, sample, sequence, timeline),
        noise=noise_of(entry.noise, sample, profile),
        measure=_measure(entry.measure, readouts.readouts),
        report=tuple(dict.fromkeys(entry.report)),
        extract=entry.extract,
        seed=entry.seed,
        inputs_sha256=MappingProxyType(
            _hashes(document, sample, sequence) | readouts.hashes | profile.hashes
        ),
        overrides=MappingProxyType(changes),
        places=places_of_settings(document),
    )


def _hashes(document: Document, sample: Sample, sequence: Sequence | None) -> dict[str, str]:
    hashes = {"experiment": document.sha256, f"sample {sample.name}": sample.sha256}
    return hashes | ({f"sequence {sequence.name}": sequence.sha256} if sequence else {})


# ------------------------------------------------------------------------------- what it refers to
def _sample(
    entry: ExperimentFormat | None, document: Document, faults: list[Fault]
) -> Sample | None:
    argument = document.get(("sample",))
    if not isinstance(argument, str):
        return None  # the format has told it
    overrides = {
        label: spin.model_dump(exclude_unset=True)
        for label, spin in (entry.sample_overrides if entry else {}).items()
    }
    places = {
        f"{label}.{key}": document.position(("sample_overrides", label, key))
        for label, changes in overrides.items()
        for key in changes
    }
    with collecting(faults, document, ("sample",)):
        return load_sample(beside(argument, document, ("sample",)), overrides, places=places)
    return None


def _sequence(document: Document, faults: list[Fault]) -> Sequence | None:
    argument = document.get(("charge", "sequence"))
    if isinstance(argument, str):
        with collecting(faults, document, ("charge", "sequence")):
            return load_sequence(beside(argument, document, ("charge", "sequence")))
    return None


def _timeline(
    entry: ExperimentFormat,
    document: Document,
    sample: Sample,
    sequence: Sequence | None,
    faults: list[Fault],
) -> Timeline | None:
    if sequence is None:
        return None
    charge = entry.charge
    places = {
        Position(f"--set {name}"): document.position(("charge", "parameters", name))
        for name in charge.parameters
    } | {
        Position(f"--spins {role}={label}"): document.position(("charge", "spins", role))
        for role, label in charge.spins.items()
    }
    try:
        timeline = expand(
            sequence,
            sample,
            pulses="ideal" if missing_lengths(entry, sample) else entry.noise.pulses,
            parameters=charge.parameters,
            roles=charge.spins,
        )
    except InputError as error:
        faults += told_at(error.faults, places)
        return None
    if any(isinstance(event, TimedGradient) for event in timeline.events):
        at = document.position(("charge", "sequence"))
        message = f"sequence `{sequence.name}` has gradients and cannot charge; leave them out"
        faults.append(Fault(at, message))
    return timeline


# -------------------------------------------------------------------------------- across entries
def _size_faults(document: Document, sample: Sample) -> Iterator[Fault]:
    """Tell that an experiment reconstructs the whole register, from 4ⁿ − 1 numbers."""
    count, most = len(sample.spins), MAX_OPEN_DIMENSION.bit_length() - 1
    if count > most:
        yield Fault(
            document.position(("sample",)),
            f"an experiment reconstructs the states of at most {most} spins, but sample "
            f"`{sample.name}` has {count}; play_sequence and evolve in Python take more",
        )


def _override_faults(
    entry: ExperimentFormat, document: Document, sample: Sample
) -> Iterator[Fault]:
    """Tell labels that the sample lacks where nothing is changed; `load_sample` tells others."""
    for label in entry.sample_overrides:
        if label not in sample.labels:
            at = document.key_position(("sample_overrides", label))
            hint = nearest(label, sample.labels)
            yield Fault(at, f"sample `{sample.name}` has no spin `{label}`; {hint}")


def _battery_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    battery = entry.battery
    terms = [name for name in TWO_SPIN_TERMS if getattr(battery, name)]
    at = document.position(("battery",))
    if (battery.spin is None) != (battery.frequency is None):
        yield Fault(at, "`battery` needs both `spin` and `frequency` for a one-spin battery")
    if battery.spin is not None and battery.spin not in sample.labels:
        place = document.position(("battery", "spin"))
        hint = nearest(battery.spin, sample.labels)
        yield Fault(place, f"sample `{sample.name}` has no spin `{battery.spin}`; {hint}")
    if battery.spin is not None and terms:
        yield Fault(at, f"`battery` is one spin, but also holds the two-spin {', '.join(terms)}")
    if battery.spin is None and not terms:
        yield Fault(at, f"`battery` must hold a term that is not 0: {', '.join(TWO_SPIN_TERMS)}")
    if battery.spin is None and len(sample.spins) != 2:
        count = len(sample.spins)
        yield Fault(at, f"a two-spin battery needs a sample of two spins; this one has {count}")
    if battery.frequency == 0:
        place = document.position(("battery", "frequency"))
        yield Fault(place, "`frequency` must not be 0 Hz: such a battery holds no energy")


def _prepare_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    if entry.prepare.gibbs and entry.battery.spin is not None and len(sample.spins) > 1:
        at = document.position(("prepare", "gibbs"))
        others = ", ".join(label for label in sample.labels if label != entry.battery.spin)
        yield Fault(at, f"`gibbs` tells nothing of {others}: the battery is one spin; use product")
    for label in entry.prepare.product or {}:
        if label not in sample.labels:
            at = document.key_position(("prepare", "product", label))
            hint = nearest(label, sample.labels)
            yield Fault(at, f"sample `{sample.name}` has no spin `{label}`; {hint}")


def _charge_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    """Tell a soft drive that is stronger than the pulses by which 90° times were measured."""
    charge, known = entry.charge, [s for s in sample.spins if s.pulse_90_s is not None]
    if charge.how != "soft" or charge.rate is None or not known:
        return
    slowest = max(known, key=lambda spin: spin.pulse_90_s or 0.0)
    largest = 1 / (8 * (slowest.pulse_90_s or math.inf))  # 2 rate turns per second are 1/(4 t90)
    if abs(charge.rate) > largest * (1 + 1e-9):
        yield Fault(
            document.position(("charge", "rate")),
            f"`rate` must be at most {largest:.6g} Hz for a soft drive, as {slowest.label} with a "
            f"90° time of {slowest.pulse_90_s:g} s turns no faster, but is {charge.rate:g} Hz; "
            "write `as: hard` or a lower rate",
        )


def _measure_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    if entry.measure.dead_time < 0:
        at = document.position(("measure", "dead_time"))
        yield Fault(at, f"`dead_time` must not be negative, but is {entry.measure.dead_time:g} s")
    yield from _replica_faults(entry.measure, document)
    if missing := missing_lengths(entry, sample):
        at = document.position(("noise", "pulses"))
        yield Fault(
            at, f"finite pulses need `pulse_90` of every spin; {', '.join(missing)} has none"
        )


def _replica_faults(measure: MeasureFormat, document: Document) -> Iterator[Fault]:
    least = least_replicas(measure.confidence)
    if least > MAX_REPLICAS:
        place = ("measure", "confidence")
        yield Fault(
            document.position(place),
            f"`confidence` must be at most {100 * (1 - 2 / MAX_REPLICAS):g} %, as its quantiles "
            f"need 2/(1 − confidence) `replicas`, of which {MAX_REPLICAS} are possible, but is "
            f"`{document.get(place)}`",
        )
    elif measure.replicas < least:
        given = "replicas" if ("measure", "replicas") in document.values else "confidence"
        yield Fault(
            document.position(("measure", given)),
            f"`replicas` must be at least 2/(1 − confidence) = {least}, so that there are such "
            f"quantiles, but is {measure.replicas}",
        )


# ------------------------------------------------------------------------------------- the nouns
def _battery(entry: BatteryFormat, sample: Sample) -> Battery:
    if entry.spin is not None and entry.frequency is not None:
        return Battery.zeeman(entry.frequency, sample.index(entry.spin))
    return Battery.from_terms(**{name: getattr(entry, name) for name in TWO_SPIN_TERMS})


def _prepare(
    entry: PrepareFormat, sample: Sample, design: Designed
) -> GibbsPreparation | ProductPreparation:
    if entry.gibbs is not None:
        return GibbsPreparation(entry.gibbs.temperature, design.preparation)
    spins = {
        sample.index(label): (spin.frequency, spin.temperature)
        for label, spin in (entry.product or {}).items()
    }
    return ProductPreparation(MappingProxyType(spins))


def _charge(
    entry: ChargeFormat, sample: Sample, sequence: Sequence | None, timeline: Timeline | None
) -> DriveCharge | SequenceCharge:
    if sequence is None or timeline is None:
        return _drive(entry)
    assert entry.cycles is not None  # the format asks for it beside a sequence
    cycles, ideal = entry.cycles, None
    if timeline.pulses != "ideal":
        ideal = expand(sequence, sample, parameters=entry.parameters, roles=entry.spins)
    return SequenceCharge(timeline, np.arange(cycles.start, cycles.stop + 1, cycles.step), ideal)


def _drive(entry: ChargeFormat) -> DriveCharge:
    assert entry.times is not None  # the format holds either a drive or a sequence
    assert entry.rate is not None
    times = np.linspace(entry.times.start, entry.times.stop, entry.times.points)
    return DriveCharge(entry.rate, times, soft=entry.how == "soft")


def _measure(entry: MeasureFormat, readouts: tuple[str | Readout, ...]) -> Measurement:
    return Measurement(
        readouts=readouts,
        snr=entry.snr,
        scans=entry.scans,
        estimator=entry.estimator,
        confidence=entry.confidence,
        replicas=entry.replicas,
        gain_error=entry.gain_error,
        points=entry.points,
        spectral_width_hz=entry.spectral_width,
        dead_time_s=entry.dead_time,
        phase_cycle=entry.phase_cycle,
        integration_window_hz=entry.integration_window,
        reference_scans=entry.reference_scans,
        noise_level=entry.noise_level,
        direct_work=entry.direct_work,
    )
