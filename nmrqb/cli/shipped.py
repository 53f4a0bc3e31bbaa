"""What the verbs check, list, show and new need of the library and the formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from nmrqb.errors import Fault, InputError, NmrqbError, Position, nearest
from nmrqb.experiment import ExperimentFormat, load_experiment
from nmrqb.experiment.recorded import DataFormat, load_data
from nmrqb.files import Kind, groups, is_file_argument, library, open_document, read_document
from nmrqb.formats import Entry, format_name
from nmrqb.sample import Sample, SampleFormat, load_sample
from nmrqb.sequence import Sequence, SequenceFormat, default_sample, expand, load_sequence
from nmrqb.sequence.binding import place
from nmrqb.sequence.words import PHASES

MODELS: Mapping[str, type[Entry]] = {
    "sample": SampleFormat,
    "sequence": SequenceFormat,
    "experiment": ExperimentFormat,
    "data": DataFormat,
}
KINDS: tuple[Kind, ...] = ("sample", "sequence", "experiment", "data")


def sample_for(sequence: Sequence, argument: str | None) -> Sample:
    """Return the sample that the command line names, else the sequence's own.

    Raises
    ------
    InputError
        If there is none, or it is faulty.
    """
    sample = load_sample(argument) if argument is not None else default_sample(sequence)
    if sample is None:
        message = f"sequence `{sequence.name}` names no sample; give one with --sample"
        raise InputError.at(place(sequence), message)
    return sample


def _load_sequence(argument: str) -> None:
    """Play every scan whose numbers differ, and finite pulses too where all are calibrated."""
    sequence = load_sequence(argument)
    sample = default_sample(sequence)
    if sample is None:
        return
    # phases are checked by every expansion; other values of a cycle may change times and counts
    numbers = (entries for entries in sequence.phase_cycle.values() if set(entries) - set(PHASES))
    scans = max(map(len, numbers), default=1)
    for scan in range(scans):
        expand(sequence, sample, scan=scan)
    if all(spin.pulse_90_s is not None for spin in sample.spins):
        expand(sequence, sample, pulses="finite")


_LOADERS: Mapping[Kind, Callable[[str], object]] = {
    "sample": load_sample,
    "sequence": _load_sequence,
    "experiment": load_experiment,
    "data": load_data,
}


def kind_of(argument: str) -> Kind:
    """Return the kind of a file by its ``format`` key, or of a name by where the library has it.

    Raises
    ------
    InputError
        If the file has no known format, or no shipped thing has this name.
    """
    if not is_file_argument(argument):
        return _kind_of_name(argument)
    document = read_document(argument)
    written = str(document.get(("format",), ""))
    for kind in KINDS:
        if written.split("/", maxsplit=1)[0] == format_name(MODELS[kind]).split("/")[0]:
            return kind
    known = [format_name(model) for model in MODELS.values()]
    raise InputError.at(
        document.position(("format",)),
        f"`format` must be a format of nmrqb, but is {written!r}; {nearest(written, known)}",
    )


def _kind_of_name(name: str) -> Kind:
    for kind in KINDS:
        if name in library(kind):
            return kind
    names = [name for kind in KINDS for name in library(kind)]
    raise InputError.at(
        Position(name), f"the library has no `{name}`; {nearest(name, names)} (a file needs .yaml)"
    )


def faults_of(argument: str) -> tuple[Fault, ...]:
    """Return every fault of a file, an empty tuple if it is sound."""
    try:
        _LOADERS[kind_of(argument)](argument)
    except InputError as error:
        return error.faults
    except NmrqbError as error:
        return (Fault(Position(argument), str(error)),)
    return ()


@dataclass(frozen=True)
class Shipped:
    """One thing of the library.

    Attributes
    ----------
    kind, group, name, title
        What it is, its folder, its name and its line for people.
    """

    kind: str
    group: str
    name: str
    title: str


def shipped(kind: str) -> list[Shipped]:
    """Return everything shipped of a kind, by folder and name."""
    chosen = next(k for k in KINDS if k == kind)
    return [
        Shipped(kind, group, name, str(open_document(chosen, name).get(("title",), "")))
        for group, files in groups(chosen).items()
        for name in files
    ]


def text_of(argument: str) -> tuple[Kind, str]:
    """Return kind and text of a shipped or given file."""
    kind = kind_of(argument)
    path = library(kind)[argument] if not is_file_argument(argument) else None
    if path is not None:
        return kind, path.read_text(encoding="utf-8")
    from pathlib import Path

    return kind, Path(argument).read_text(encoding="utf-8")


def template(kind: str) -> str:
    """Return the commented template of a format."""
    return files("nmrqb.cli").joinpath("templates", f"{kind}.yaml").read_text(encoding="utf-8")
