"""From an experiment file to an `Experiment` that is bound to its sample and sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from nmrqb import formats
from nmrqb.battery import Battery
from nmrqb.errors import ArgumentError, Fault, InputError, Position, nearest, refuse
from nmrqb.experiment.format import (
    BatteryFormat,
    ChargeFormat,
    ExperimentFormat,
    MeasureFormat,
    NoiseFormat,
    PrepareFormat,
)
from nmrqb.experiment.model import (
    DriveCharge,
    Experiment,
    GibbsPreparation,
    Measurement,
    Noise,
    ProductPreparation,
    SequenceCharge,
)
from nmrqb.files import Document, is_file_argument
from nmrqb.sample import Sample, load_sample
from nmrqb.sequence import Sequence, expand, load_sequence
from nmrqb.tomography import check_readout

TWO_SPIN_TERMS = ("D", "G", "Delta", "epsilon", "B")


def load_experiment(
    argument: str | Path, *, overrides: Mapping[str, str] | None = None
) -> Experiment:
    """Read an experiment from the library or from a file, and bind it to its sample.

    Parameters
    ----------
    argument
        A shipped name such as ``charge_dm_ksea``, or a file.
    overrides
        Changes by path, as of ``--set``: ``{"battery.D": "100 Hz"}``.

    Raises
    ------
    InputError
        With every fault of the file, of the overrides, and of what it refers to.
    """
    changes = dict(overrides or {})
    document = formats.read("experiment", argument, ExperimentFormat, overrides=changes)
    entry = formats.checked(document, ExperimentFormat)
    sample = _sample(entry, document)
    faults = [
        *_battery_faults(entry, document, sample),
        *_prepare_faults(entry.prepare, document, sample),
        *_measure_faults(entry, document, sample),
    ]
    sequence = _sequence(entry.charge, document)
    refuse(faults)
    return Experiment(
        name=entry.name or Path(str(argument)).stem,
        title=entry.title,
        notes=entry.notes,
        sample=sample,
        battery=_battery(entry.battery, sample),
        prepare=_prepare(entry.prepare, sample),
        charge=_charge(entry.charge, sample, sequence),
        noise=_noise(entry.noise),
        measure=_measure(entry.measure),
        report=tuple(dict.fromkeys(entry.report)),
        seed=entry.seed,
        inputs_sha256=MappingProxyType(_hashes(document, sample, sequence)),
        overrides=MappingProxyType(changes),
    )


def _hashes(document: Document, sample: Sample, sequence: Sequence | None) -> dict[str, str]:
    hashes = {"experiment": document.sha256, f"sample {sample.name}": sample.sha256}
    return hashes | ({f"sequence {sequence.name}": sequence.sha256} if sequence else {})


def _beside(argument: str, document: Document, *path: str) -> str:
    """Take a file that an experiment names relative to the experiment's own folder.

    One that ``--set`` names is relative to the current folder, as all of the command line is.
    """
    written = document.position(path).file == document.file
    if written and is_file_argument(argument) and not Path(argument).is_absolute():
        return str(Path(document.file).parent / argument)
    return argument


# ------------------------------------------------------------------------------- what it refers to
def _sample(entry: ExperimentFormat, document: Document) -> Sample:
    overrides = {
        label: spin.model_dump(exclude_unset=True, exclude_none=True)
        for label, spin in entry.sample_overrides.items()
    }
    places = {
        f"{label}.{key}": document.position(("sample_overrides", label, key))
        for label, changes in overrides.items()
        for key in changes
    }
    with _pointing(document, "sample", entry.sample):
        return load_sample(_beside(entry.sample, document, "sample"), overrides, places=places)


def _sequence(entry: ChargeFormat, document: Document) -> Sequence | None:
    if entry.sequence is None:
        return None
    with _pointing(document, "charge.sequence", entry.sequence):
        return load_sequence(_beside(entry.sequence, document, "charge", "sequence"))


class _pointing:  # noqa: N801 - reads as a statement
    """Tell at the key of this file that the library has no such name."""

    def __init__(self, document: Document, path: str, argument: str) -> None:
        self.at = document.position(tuple(path.split(".")))
        self.argument = argument

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError) and not is_file_argument(self.argument):
            unknown = Position(self.argument)
            faults = [Fault(self.at, f.message) if f.at == unknown else f for f in error.faults]
            raise InputError(faults) from error


# -------------------------------------------------------------------------------- across entries
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


def _prepare_faults(entry: PrepareFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    for label in entry.product or {}:
        if label not in sample.labels:
            at = document.key_position(("prepare", "product", label))
            hint = nearest(label, sample.labels)
            yield Fault(at, f"sample `{sample.name}` has no spin `{label}`; {hint}")


def _measure_faults(entry: ExperimentFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    for number, readout in enumerate(entry.measure.readouts):
        try:
            check_readout(readout, len(sample.spins))
        except ArgumentError as error:
            yield Fault(document.position(("measure", "readouts", number)), str(error))
    if entry.measure.dead_time < 0:
        at = document.position(("measure", "dead_time"))
        yield Fault(at, f"`dead_time` must not be negative, but is {entry.measure.dead_time:g} s")
    missing = [spin.label for spin in sample.spins if spin.pulse_90_s is None]
    if entry.noise.pulses == "finite" and missing:
        at = document.position(("noise", "pulses"))
        yield Fault(
            at, f"finite pulses need `pulse_90` of every spin; {', '.join(missing)} has none"
        )


# ------------------------------------------------------------------------------------- the nouns
def _battery(entry: BatteryFormat, sample: Sample) -> Battery:
    if entry.spin is not None and entry.frequency is not None:
        return Battery.zeeman(entry.frequency, sample.index(entry.spin))
    return Battery.from_terms(**{name: getattr(entry, name) for name in TWO_SPIN_TERMS})


def _prepare(entry: PrepareFormat, sample: Sample) -> GibbsPreparation | ProductPreparation:
    if entry.gibbs is not None:
        return GibbsPreparation(entry.gibbs.temperature)
    spins = {
        sample.index(label): (spin.frequency, spin.temperature)
        for label, spin in (entry.product or {}).items()
    }
    return ProductPreparation(MappingProxyType(spins))


def _charge(
    entry: ChargeFormat, sample: Sample, sequence: Sequence | None
) -> DriveCharge | SequenceCharge:
    if sequence is not None and entry.cycles is not None:
        cycles = entry.cycles
        return SequenceCharge(
            expand(sequence, sample, parameters=entry.parameters, roles=entry.spins),
            np.arange(cycles.start, cycles.stop + 1, cycles.step),
        )
    return _drive(entry)


def _drive(entry: ChargeFormat) -> DriveCharge:
    assert entry.times is not None  # the format holds either a drive or a sequence
    assert entry.rate is not None
    times = np.linspace(entry.times.start, entry.times.stop, entry.times.points)
    return DriveCharge(entry.rate, times, soft=entry.how == "soft")


def _noise(entry: NoiseFormat) -> Noise:
    return Noise(entry.relaxation == "T1T2", entry.pulses, entry.b1_inhomogeneity)


def _measure(entry: MeasureFormat) -> Measurement:
    return Measurement(
        readouts=tuple(entry.readouts),
        snr=entry.snr,
        scans=entry.scans,
        estimator=entry.estimator,
        confidence=entry.confidence,
        replicas=entry.replicas,
        points=entry.points,
        spectral_width_hz=entry.spectral_width,
        dead_time_s=entry.dead_time,
    )
