"""From a data file to `RecordedData`; all faults of the file are told in one go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from nmrqb import formats
from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, Fault, InputError, nearest, refuse
from nmrqb.experiment.recorded.format import (
    DataFormat,
    FileFormat,
    IntegralsFormat,
    ReadoutFormat,
    SeriesFormat,
)
from nmrqb.experiment.recorded.model import (
    DataFile,
    Integrals,
    ReadoutFile,
    RecordedData,
    Reference,
    Series,
)
from nmrqb.experiment.recorded.table_checks import table_faults, table_of
from nmrqb.files import Document, Keys, is_file_argument
from nmrqb.sample import Sample, load_sample
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio
from nmrqb.tomography import read_readout

WHOLE = "sum"  # name of the state that all experiments together give


@checked
def load_data(argument: str | Path, *, folder: str | Path | None = None) -> RecordedData:
    """Read a data file from the library or from a file.

    Parameters
    ----------
    argument
        A shipped name such as ``chloroform_00``, or a file.
    folder
        Where the recordings are; by default beside the data file.

    Raises
    ------
    InputError
        With every fault of the file.  Recordings are not opened.
    """
    document = formats.read("data", argument, DataFormat)
    entry, faults = formats.check(document, DataFormat)
    sample = _sample(document, faults)
    if entry is not None and sample is not None:
        faults += [
            *_channel_faults(entry, document, sample),
            *_pulse_faults(entry, document, sample),
            *_file_faults(entry, document, sample),
            *table_faults(entry, document, sample),
            *_experiment_faults(entry, document),
            *_reference_faults(entry, document, sample),
            *_series_faults(entry, document, sample),
        ]
    refuse(faults)
    assert entry is not None
    assert sample is not None  # both are missing only where there are faults
    root = Path(folder) if folder is not None else _beside(argument)
    return _data(entry, document, sample, root, Path(str(argument)).stem)


def _beside(argument: str | Path) -> Path:
    return Path(argument).parent if is_file_argument(argument) else Path()


def _sample(document: Document, faults: list[Fault]) -> Sample | None:
    name = document.get(("sample",))
    if not isinstance(name, str):
        return None
    try:
        return load_sample(_sample_argument(name, document))
    except InputError as error:
        at = document.position(("sample",))
        own = is_file_argument(name)
        faults += [f if own else Fault(at, f.message) for f in error.faults]
        return None


def _sample_argument(name: str, document: Document) -> str:
    local = is_file_argument(name) and not Path(name).is_absolute()
    return str(Path(document.file).parent / name) if local else name


# ------------------------------------------------------------------------------------- the checks
def _channel_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    for nucleus in entry.channels:
        if nucleus not in sample.nuclei:
            message = f"sample `{sample.name}` has no channel `{nucleus}`"
            at = document.key_position(("channels", nucleus))
            yield Fault(at, f"{message}; {nearest(nucleus, sample.nuclei)}")


def _pulse_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    bare = [spin.label for spin in sample.spins if spin.pulse_90_s is None]
    if entry.pulses == "finite" and bare:
        message = f"finite pulses need `pulse_90` of every spin, but {', '.join(bare)} has none"
        yield Fault(document.position(("pulses",)), message)


def _file_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    taken: dict[tuple[object, ...], int] = {}
    for number, file in enumerate(entry.files):
        path: Keys = ("files", number)
        if file.channel not in sample.nuclei:
            message = f"sample `{sample.name}` has no channel `{file.channel}`"
            at = document.position((*path, "channel"))
            yield Fault(at, f"{message}; {nearest(file.channel, sample.nuclei)}")
            continue
        yield from _readout_faults(file, document, sample, (*path, "readout"))
        for what, key, inner in (
            ("experiment, readout and channel", _role(file), "readout"),
            ("file", (file.file, file.record, *_columns(file, entry)), "file"),
        ):
            first = taken.setdefault((what, *key), number)
            if first != number:
                line = document.position(("files", first)).line
                message = f"this {what} stands in line {line} already"
                yield Fault(document.position((*path, inner)), message)


def _columns(file: ReadoutFormat, entry: DataFormat) -> tuple[int, ...]:
    table = table_of(file, entry)
    return () if table is None else tuple(table.columns)


def _role(file: ReadoutFormat) -> tuple[str, str, str]:
    return file.experiment, file.readout, file.channel


def _readout_faults(
    file: ReadoutFormat, document: Document, sample: Sample, path: Keys
) -> Iterator[Fault]:
    try:
        readout = read_readout(file.readout, sample)
    except ArgumentError as error:
        yield Fault(document.position(path), str(error).removeprefix("Argument "))
    except InputError as error:
        yield from error.faults
    else:
        if readout.channels and file.channel not in readout.channels:
            message = f"readout `{file.readout}` does not acquire {file.channel}"
            yield Fault(document.position(path), message)


def _experiment_faults(entry: DataFormat, document: Document) -> Iterator[Fault]:
    known = Counter(file.experiment for file in entry.files)
    if isinstance(entry.combine, dict):
        for name in entry.combine:
            if name not in known:
                at = document.key_position(("combine", name))
                yield Fault(at, f"no file belongs to experiment `{name}`; {nearest(name, known)}")
        if not any(entry.combine.values()):
            yield Fault(document.position(("combine",)), "all weights are 0")
    if entry.calibration is not None and entry.calibration.experiment not in known:
        name = entry.calibration.experiment
        at = document.position(("calibration", "experiment"))
        yield Fault(at, f"no file belongs to experiment `{name}`; {nearest(name, known)}")


def _reference_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    if entry.calibration is None or isinstance(entry.calibration.state, str):
        return
    n = len(sample.spins)
    for name in entry.calibration.state:
        if not re.fullmatch(f"[IXYZ]{{{n}}}", name) or set(name) == {"I"}:
            at = document.key_position(("calibration", "state", name))
            yield Fault(at, f"must be a Pauli string of {n} letters such as {'Z' * n}: {name!r}")
    if not any(entry.calibration.state.values()):
        at = document.position(("calibration", "state"))
        yield Fault(at, "must be a state that shows a signal, but all its numbers are 0")


def _series_faults(entry: DataFormat, document: Document, sample: Sample) -> Iterator[Fault]:
    for number, series in enumerate(entry.series):
        path: Keys = ("series", number)
        for label in _spins(series):
            if label not in sample.labels:
                inner = "between" if series.measures == "J" else "spin"
                message = f"sample `{sample.name}` has no spin `{label}`"
                at = document.position((*path, inner))
                yield Fault(at, f"{message}; {nearest(label, sample.labels)}")
        if series.measures == "J" and len(set(_spins(series))) == 1:
            yield Fault(document.position((*path, "between")), "must name two different spins")


def _spins(series: SeriesFormat) -> tuple[str, ...]:
    return tuple(series.between or ()) if series.measures == "J" else (series.spin or "",)


# -------------------------------------------------------------------------------------- the nouns
def _data(
    entry: DataFormat, document: Document, sample: Sample, root: Path, stem: str
) -> RecordedData:
    channels = entry.channels.items()
    return RecordedData(
        name=entry.name or stem,
        title=entry.title,
        sample=sample,
        files=tuple(
            ReadoutFile(
                _file(file, entry, document, root, ("files", number), table_of(file, entry)),
                file.channel,
                file.readout,
                file.experiment,
                file.near,
                file.phase,
            )
            for number, file in enumerate(entry.files)
        ),
        weights=_weights(entry),
        frequencies_hz=MappingProxyType({n: c.frequency for n, c in channels if c.frequency}),
        axes=MappingProxyType({n: c.axis for n, c in channels if c.axis}),
        reference=_reference(entry, sample),
        lines=entry.lines,
        pulses=entry.pulses,
        kind=entry.kind,
        series=tuple(
            _series(
                series,
                _file(series, entry, document, root, ("series", number), series.integrals),
            )
            for number, series in enumerate(entry.series)
        ),
        inputs_sha256=MappingProxyType(
            {"data": document.sha256, f"sample {sample.name}": sample.sha256}
        ),
        source=document.file,
        notes=entry.notes,
        sample_argument=_sample_argument(entry.sample, document),
    )


def _file(
    file: FileFormat,
    entry: DataFormat,
    document: Document,
    root: Path,
    path: Keys,
    table: IntegralsFormat | None,
) -> DataFile:
    return DataFile(
        path=root / file.file,
        at=document.position((*path, "file")),
        reader=file.reader or entry.reader,
        row=None if file.record is None else file.record - 1,
        conjugate=file.conjugate,
        first_point=file.first_point,
        integrals=None if table is None else _integrals(table, root),
    )


def _integrals(table: IntegralsFormat, root: Path) -> Integrals:
    step = -1 if table.order == "descending" else 1
    errors = table.error or ()
    return Integrals(
        columns=tuple(column - 1 for column in table.columns[::step]),
        errors=tuple(errors * len(table.columns) if len(errors) == 1 else errors[::step]),
        noise=tuple(column - 1 for column in table.noise or ()),
        imaginary=None if table.imaginary is None else root / table.imaginary,
    )


def _series(series: SeriesFormat, file: DataFile) -> Series:
    return Series(
        data=file,
        measures=series.measures,
        spins=_spins(series),
        near=series.near,
        guess_hz=series.guess,
        times_s=None if series.times is None else tuple(series.times),
        window_hz=series.window,
    )


def _weights(entry: DataFormat) -> Mapping[str, Mapping[str, float]]:
    if isinstance(entry.combine, dict):
        return MappingProxyType({WHOLE: MappingProxyType(dict(entry.combine))})
    names = list(dict.fromkeys(file.experiment for file in entry.files))
    if entry.calibration is not None and len(names) > 1:
        names.remove(entry.calibration.experiment)
    if entry.combine == "each":
        return MappingProxyType({name: MappingProxyType({name: 1.0}) for name in names})
    return MappingProxyType({WHOLE: MappingProxyType(dict.fromkeys(names, 1.0))})


def _reference(entry: DataFormat, sample: Sample) -> Reference | None:
    if entry.calibration is None:
        return None
    state = entry.calibration.state
    if not isinstance(state, str):
        return Reference(entry.calibration.experiment, MappingProxyType(dict(state)))
    n = len(sample.spins)
    thermal = {
        "I" * k + "Z" + "I" * (n - k - 1): relative_gyromagnetic_ratio(spin.nucleus)
        for k, spin in enumerate(sample.spins)
    }
    return Reference(entry.calibration.experiment, MappingProxyType(thermal))
