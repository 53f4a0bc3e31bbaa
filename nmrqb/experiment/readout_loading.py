"""The ``measure.readouts`` entry of ``nmrqb-experiment/1``: from words to readouts of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nmrqb.errors import ArgumentError, Fault
from nmrqb.experiment.format import ExperimentFormat
from nmrqb.experiment.references import beside, collecting
from nmrqb.files import Document, Keys
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import load_sequence
from nmrqb.tomography import (
    Readout,
    measurement_chain,
    names_sequence,
    read_readout,
    response_matrix,
    sequence_readout,
    undetermined,
)

ENTRY: Keys = ("measure", "readouts")


@dataclass(frozen=True)
class LoadedReadouts:
    """Readouts of an experiment, sequences bound to the sample, and the hashes of their files."""

    readouts: tuple[str | Readout, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)


def load_readouts(
    entry: ExperimentFormat, document: Document, sample: Sample, faults: list[Fault]
) -> LoadedReadouts:
    """Return the readouts that an entry names; what they leave in the dark is a fault as well.

    Parameters
    ----------
    entry, document, sample
        What is written, where, and the spins that it is bound to.
    faults
        What is wrong is added here.
    """
    words, known = entry.measure.readouts, len(faults)
    pulses: PulseModel = "ideal" if missing_lengths(entry, sample) else entry.noise.pulses
    if not words:
        message = "`readouts` must hold at least one readout such as II, but is []"
        faults.append(Fault(document.position(ENTRY), message))
    reader = _Reader(document, sample, pulses, faults)
    found = [reader.bound(word, (*ENTRY, number)) for number, word in enumerate(words)]
    readouts = tuple(readout for readout in found if readout is not None)
    if len(faults) == known:
        faults += _rank_faults(readouts, document, sample)
    return LoadedReadouts(readouts, reader.hashes)


def missing_lengths(entry: ExperimentFormat, sample: Sample) -> list[str]:
    """Return the labels whose 90° time is needed and missing."""
    wanted = sample.spins if entry.noise.pulses == "finite" else ()
    return [spin.label for spin in wanted if spin.pulse_90_s is None]


@dataclass(frozen=True)
class _Reader:
    """Binds words to a sample, and collects faults and hashes of files meanwhile."""

    document: Document
    sample: Sample
    pulses: PulseModel
    faults: list[Fault]
    hashes: dict[str, str] = field(default_factory=dict)

    def bound(self, word: str, path: Keys) -> str | Readout | None:
        """Return a word that makes sense, or the readout that a sequence is; None with a fault."""
        try:
            if names_sequence(word):
                return self._sequence(word, path)
            read_readout(word, self.sample, self.pulses)
        except ArgumentError as error:
            message = str(error).removeprefix("Argument ")
            self.faults.append(Fault(self.document.position(path), message))
            return None
        return word

    def _sequence(self, word: str, path: Keys) -> Readout | None:
        with collecting(self.faults, self.document, path):
            sequence = load_sequence(beside(word, self.document, path))
            self.hashes[f"sequence {sequence.name}"] = sequence.sha256
            return _whole(sequence_readout(sequence, self.sample, self.pulses), word, self.sample)
        return None


def _whole(readout: Readout, word: str, sample: Sample) -> Readout:
    """Return a readout by its word, if it acquires all channels."""
    missing = [n for n in sample.nuclei if readout.channels and n not in readout.channels]
    if missing:
        raise ArgumentError(
            f"Argument `readout` must acquire every channel, but `{word}` does not acquire "
            f"{', '.join(missing)}"
        )
    return Readout(word, readout.scans, readout.channels)


def _rank_faults(
    readouts: Sequence[str | Readout], document: Document, sample: Sample
) -> list[Fault]:
    """Tell which Paulis a set of readouts leaves in the dark, without relaxation."""
    chain = measurement_chain(sample, readouts, relaxation=False)
    response = response_matrix(chain)
    rank, hidden = undetermined(response.matrix, response.paulis)
    if not hidden:
        return []
    message = (
        f"`readouts` {', '.join(chain.readouts)} determine {rank} of {len(response.paulis)} "
        f"Paulis; not seen: {', '.join(hidden)}; add readouts"
    )
    return [Fault(document.position(ENTRY), message)]
