"""From a sequence file to a `Sequence`, everything still as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

from nmrqb import formats
from nmrqb.arguments import checked
from nmrqb.errors import Fault, InputError, Position, refuse
from nmrqb.files import Document, Tree, find
from nmrqb.sample import Sample, load_sample
from nmrqb.sequence.expansion import expand
from nmrqb.sequence.format import SequenceFormat, TimingFormat
from nmrqb.sequence.limits import MAX_NESTING
from nmrqb.sequence.model import Sequence, Timing
from nmrqb.sequence.reading import EventReader, beside, expressions, mapping, moved
from nmrqb.sequence.words import TARGET_SETTINGS, sound_role


@checked
def load_sequence(argument: str | Path) -> Sequence:
    """Read a pulse sequence, and all that it includes, from the library or from a file.

    Parameters
    ----------
    argument
        A shipped name such as ``dm``, or a file.

    Raises
    ------
    InputError
        With every fault that can be told from the files and the default sample.
    """
    return _Loading().load(argument)


@checked
def default_sample(sequence: Sequence) -> Sample | None:
    """Return the sample that a sequence names, or None if it names none.

    Raises
    ------
    InputError
        With the faults of that sample; a name that does not exist is told where it is written.
    """
    if sequence.sample is None:
        return None
    try:
        return load_sample(sequence.sample)
    except InputError as error:
        written = sequence.positions.get("sample", Position(sequence.name))
        raise moved(error, sequence.sample, written) from error


class _Loading:
    """Loads one sequence with all that it includes, each file once."""

    def __init__(self) -> None:
        self._known: dict[str, Sequence] = {}
        self._pending: list[str] = []

    def load(self, argument: str | Path) -> Sequence:
        identity = _identity(argument)
        if identity not in self._known:
            self._pending.append(identity)
            self._known[identity] = self._read(argument)
            self._pending.pop()
        return self._known[identity]

    def _read(self, argument: str | Path) -> Sequence:
        document = formats.read("sequence", argument, SequenceFormat)
        entry, faults = formats.check(document, SequenceFormat)
        reader = EventReader(document, self._include, faults, entry)
        sequence = _sequence(document, reader, Path(str(argument)).stem)
        complete = not faults  # events that could not be read may hide the use of a role
        faults += _name_faults(document)
        if faults:
            known = all(isinstance(document.get((key,), {}), dict) for key in _NAMES)
            further = _further_faults(sequence, faults, complete=complete) if known else []
            refuse([*faults, *further])
        return sequence

    def _include(self, argument: str, at: Position) -> Sequence:
        names = [Path(path).name.removesuffix(".yaml") for path in self._pending]
        identity = _identity(argument)
        if identity in self._pending:
            loop = names[self._pending.index(identity) :]
            raise InputError.at(at, f"`{loop[0]}` includes itself: {' → '.join([*loop, loop[0]])}")
        if len(names) > MAX_NESTING:
            raise InputError.at(at, f"include is nested deeper than {MAX_NESTING} files; use fewer")
        pending = len(self._pending)
        try:
            return self.load(argument)
        except InputError as error:
            del self._pending[pending:]
            raise moved(error, argument, at) from error


def _identity(argument: str | Path) -> str:
    try:
        source = find("sequence", argument)
    except InputError:
        return str(argument)  # reading it tells that there is no such thing
    return str(source.resolve() if isinstance(source, Path) else source)


_NO_EXPRESSIONS = (
    "format", "name", "title", "notes", "reference", "sample", "spins", "parameters",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d]\w*")
_NAMES = ("parameters", "phase_cycle", "blocks")  # what others refer to


def _further_faults(sequence: Sequence, known: list[Fault], *, complete: bool) -> list[Fault]:
    """Return what expanding the sound part of a file finds wrong beside the known faults."""
    if sequence.sample is None or not sequence.roles:
        return []
    # where an entry is refused, a role may only seem to be unused
    told = {fault.at for fault in known} | set(sequence.unused.values())
    told |= set() if complete else {sequence.positions[f"spins.{r}"] for r in sequence.roles}
    try:
        sample = default_sample(sequence)
        expand(sequence, sample) if sample else None
    except InputError as error:
        return [fault for fault in error.faults if fault.at not in told]
    return []


def _name_faults(document: Document) -> list[Fault]:
    """Names of parameters, phases and blocks' parameters share the expressions."""
    cycle = mapping(document.get(("phase_cycle",)))
    both = [name for name in mapping(document.get(("parameters",))) if name in cycle]
    message = "is a parameter too; give the phases another name"
    faults = [Fault(document.key_position(("phase_cycle", n)), f"`{n}` {message}") for n in both]
    for block in mapping(document.get(("blocks",))):
        path = ("blocks", block, "parameters")
        both = [name for name in mapping(document.get(path)) if name in cycle]
        message = "stands in the phase cycle too; give the parameter another name"
        faults += [Fault(document.key_position((*path, n)), f"`{n}` {message}") for n in both]
    return faults


def _unused(document: Document) -> dict[str, Position]:
    """Parameters that no expression of the file names, and the places of their keys."""
    known = mapping(document.get(("parameters",)))
    rest = {key: node for key, node in document.tree.items() if key not in _NO_EXPRESSIONS}
    used = _words(rest) if known else set()
    for name, text in known.items():
        used |= _words(text) - {name}
    unused = [name for name in known if name not in used]
    return {name: document.key_position(("parameters", name)) for name in unused}


def _words(node: Tree) -> set[str]:
    """Return all words of the texts in a node of a document; keys are none."""
    if isinstance(node, str):
        return set(_WORD.findall(node))
    nodes = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {word for inner in nodes for word in _words(inner)}


# The builders skip what the format has refused, so that the rest can still be examined.
def _sequence(document: Document, reader: EventReader, stem: str) -> Sequence:
    texts = {key: document.get((key,)) or "" for key in ("title", "notes", "reference", "sample")}
    target = expressions(document, ("target",))
    return Sequence(
        name=document.get(("name",)) or stem,
        roles=MappingProxyType(
            {role: sound_role(who) for role, who in mapping(document.get(("spins",))).items()}
        ),
        events=reader.events(("sequence",)),
        title=str(texts["title"]),
        notes=str(texts["notes"]),
        reference=str(texts["reference"]),
        sample=beside(document, str(texts["sample"])) or None,
        parameters=MappingProxyType(expressions(document, ("parameters",))),
        constraints=tuple(_texts(document, "constraints")),
        phase_cycle=MappingProxyType(_phase_cycle(document)),
        timing=_timing(document),
        blocks=MappingProxyType(reader.blocks(("blocks",))),
        target=MappingProxyType(
            {term: e for term, e in target.items() if term not in TARGET_SETTINGS}
        ),
        target_time=target.get("time"),
        target_tolerance=target.get("tolerance"),
        positions=MappingProxyType(_positions(document)),
        unused=MappingProxyType(_unused(document)),
        sha256=document.sha256,
    )


def _texts(document: Document, *path: str) -> list[str]:
    items = document.get(path)
    texts = (formats.scalar_text(item) for item in (items if isinstance(items, list) else []))
    return [text for text in texts if text is not None]


def _phase_cycle(document: Document) -> dict[str, tuple[str, ...]]:
    names = mapping(document.get(("phase_cycle",)))
    # a name whose phases are refused is still known
    return {name: tuple(_texts(document, "phase_cycle", name)) or ("x",) for name in names}


def _timing(document: Document) -> Timing:
    written = document.get(("timing",))
    try:
        entry = TimingFormat() if written is None else TimingFormat.model_validate(written)
    except ValueError:
        entry = TimingFormat()
    return Timing(entry.delays == "centre-to-centre", entry.off_raster == "round")


def _positions(document: Document) -> dict[str, Position]:
    inner = {".".join(map(str, path)): at for path, at in document.values.items()
             if 2 <= len(path) <= 4 and path[0] != "sequence"}  # fmt: skip
    # a role is best shown by its name, a parameter or a target by its expression
    roles = {r: document.key_position(("spins", r)) for r in mapping(document.get(("spins",)))}
    top = {str(path[0]): at for path, at in document.keys.items() if len(path) == 1}
    sample = {"sample": document.position(("sample",))} if "sample" in top else {}
    return inner | {f"spins.{role}": at for role, at in roles.items()} | top | sample
