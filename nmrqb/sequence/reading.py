"""From the events of a document to the nouns of the model.

What the format has refused is skipped, so that the rest of a faulty file can still be examined.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nmrqb import formats
from nmrqb.errors import Fault, InputError, Position
from nmrqb.files import Document, Keys, Tree, is_file_argument
from nmrqb.sequence.event_format import (
    BlockCallFormat,
    CallFormat,
    DelayFormat,
    GradientFormat,
    IncludeFormat,
    RotationFormat,
    ShapeFormat,
)
from nmrqb.sequence.model import (
    Acquisition,
    Block,
    Call,
    CouplingDelay,
    Delay,
    Event,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    VirtualZ,
)
from nmrqb.sequence.shapes import Shape, read_shape
from nmrqb.sequence.words import RESERVED, coupling_roles

Include = Callable[[str, Position], Sequence]
"""Loads the sequence that is written at a place of a file."""

ShortFormT = TypeVar("ShortFormT", bound=formats.ShortForm)


def mapping(node: Tree) -> Mapping[str, Tree]:
    """Return a node of a document if it is a mapping, else an empty one."""
    return node if isinstance(node, dict) else {}


def expressions(document: Document, path: Keys) -> dict[str, str]:
    """Return the texts of a mapping of expressions."""
    texts = mapping(document.get(path))
    # a name whose value is refused is still known
    return {name: formats.scalar_text(text) or "" for name, text in texts.items()}


def beside(document: Document, argument: str) -> str:
    """Return a file named relative to the document, wherever the command is run."""
    if not is_file_argument(argument):
        return argument
    return os.path.normpath(Path(document.file).parent / argument)


def moved(error: InputError, argument: str, at: Position) -> InputError:
    """Tell that there is no such file, or nothing to read in it, where its name is written."""
    absent = Position(argument)
    return InputError(
        Fault(at, f.message) if f.at == absent and f"`{argument}`" in f.message else f
        for f in error.faults
    )


def _inside(entry: BaseModel, path: Keys) -> Any:  # noqa: ANN401 - any entry of the format
    """Return what stands at a path of a checked file."""
    node: Any = entry
    for part in path:
        node = getattr(node, str(part)) if isinstance(node, BaseModel) else node[part]
    return node


class EventReader:
    """Reads the events of one document; what it finds wrong is added to ``faults``."""

    def __init__(
        self,
        document: Document,
        include: Include,
        faults: list[Fault],
        entry: BaseModel | None = None,
    ) -> None:
        self.document, self.entry = document, entry
        self.include = include
        self.faults = faults
        self._readers: Mapping[str, Callable[[Keys], Event | None]] = {
            "pulse": self._pulse,
            "delay": self._delay,
            "gradient": self._gradient,
            "virtual_z": self._virtual_z,
            "acquire": self._acquisition,
            "repeat": self._repeat,
            "block": self._block,
            "include": self._include,
        }

    def events(self, path: Keys) -> tuple[Event, ...]:
        """Return the sound events of a list."""
        items = self.document.get(path)
        read = [
            self._event((*path, k)) for k in range(len(items) if isinstance(items, list) else 0)
        ]
        return tuple(event for event in read if event is not None)

    def blocks(self, path: Keys) -> dict[str, Block]:
        """Return the blocks of a document by name."""
        return {
            name: Block(
                self.events((*path, name, "sequence")),
                MappingProxyType(expressions(self.document, (*path, name, "parameters"))),
            )
            for name in mapping(self.document.get(path))
        }

    def _event(self, path: Keys) -> Event | None:
        item = mapping(self.document.get(path))
        key = next(iter(item), "")
        known = len(item) == 1 and key in self._readers
        return self._readers[key]((*path, key)) if known else None

    def _checked(self, model: type[ShortFormT], path: Keys) -> ShortFormT | None:
        """Return the checked form of an entry, of the sound file or, in a faulty one, by itself."""
        if self.entry is not None:
            found: ShortFormT = _inside(self.entry, path)
            return found
        try:
            return model.model_validate(self.document.get(path))
        except ValidationError:
            return None  # the check of the whole file tells why

    def _places(self, path: Keys) -> Mapping[str, Position]:
        keys = mapping(self.document.get(path))
        return MappingProxyType({key: self.document.key_position((*path, key)) for key in keys})

    # -------------------------------------------------------------------------------- pulses
    def _pulse(self, path: Keys) -> Pulse:
        keys = mapping(self.document.get(path))
        read = {key: self._rotation((*path, key)) for key in keys}
        sound = {key: rotation for key, rotation in read.items() if rotation is not None}
        return Pulse(MappingProxyType(sound), self._places(path), self.document.position(path))

    def _rotation(self, path: Keys) -> Rotation | None:
        entry = self._checked(RotationFormat, path)
        if entry is None:
            return None
        written = self.document.get(path)
        long = isinstance(written, dict)
        return Rotation(
            angle=entry.angle,
            phase=entry.phase,
            duration=entry.duration,
            amplitude=entry.amplitude,
            shape=None if entry.shape is None else self._shape(entry.shape, (*path, "shape")),
            offset=entry.offset,
            composite=entry.composite,
            degrees=not long,
            at=self.document.position(path),
            places=self._value_places(path) if long else MappingProxyType({}),
        )

    def _value_places(self, path: Keys) -> Mapping[str, Position]:
        keys = mapping(self.document.get(path))
        return MappingProxyType({key: self.document.position((*path, key)) for key in keys})

    def _shape(self, entry: ShapeFormat, path: Keys) -> Shape:
        if entry.file is not None:
            return self._shape_file(entry.file, (*path, "file"))
        return entry.shape()

    def _shape_file(self, file: str, path: Keys) -> Shape:
        source = os.path.normpath(Path(self.document.file).parent / file)
        try:
            return read_shape(source)
        except InputError as error:
            self.faults += moved(error, source, self.document.position(path)).faults
            return Shape("rectangle")

    # --------------------------------------------------------------------- delays and the rest
    def _delay(self, path: Keys) -> Delay | CouplingDelay | None:
        entry, at = self._checked(DelayFormat, path), self.document.position(path)
        if entry is None:
            return None
        if entry.time is not None:
            return Delay(entry.time, self.document.position((*path, "time")))
        assert entry.angle is not None  # the format asks for one of the two
        roles = coupling_roles(entry.coupling or "J")
        return CouplingDelay(entry.angle, roles, entry.refocus, at, self._value_places(path))

    def _gradient(self, path: Keys) -> Gradient | None:
        entry = self._checked(GradientFormat, path)
        at = self.document.position(path)
        if entry is None:
            return None
        return Gradient(entry.strength, entry.duration, at, self._value_places(path))

    def _virtual_z(self, path: Keys) -> VirtualZ:
        at, values = self.document.position(path), self._value_places(path)
        return VirtualZ(self._texts(path), self._places(path), at, values)

    def _acquisition(self, path: Keys) -> Acquisition:
        at, values = self.document.position(path), self._value_places(path)
        return Acquisition(self._texts(path), self._places(path), at, values)

    def _texts(self, path: Keys) -> Mapping[str, str]:
        read = {k: formats.scalar_text(v) for k, v in mapping(self.document.get(path)).items()}
        return MappingProxyType({key: text for key, text in read.items() if text is not None})

    def _repeat(self, path: Keys) -> Repeat | None:
        times = formats.scalar_text(self.document.get((*path, "times")))
        index = formats.scalar_text(self.document.get((*path, "index")))
        if times is None or index in RESERVED:
            return None
        at = self.document.position((*path, "times"))
        return Repeat(times, self.events((*path, "sequence")), index, at)

    def _block(self, path: Keys) -> Call | None:
        entry = self._checked(BlockCallFormat, path)
        return None if entry is None else self._call(entry, entry.name, None, path)

    def _include(self, path: Keys) -> Call | None:
        entry = self._checked(IncludeFormat, path)
        if entry is None:
            return None
        long = isinstance(self.document.get(path), dict)
        at = self.document.position((*path, "sequence") if long else path)
        try:
            name = beside(self.document, entry.sequence)
            sequence = self.include(name, at)
        except InputError as error:
            self.faults += error.faults
            return None
        return self._call(entry, name, sequence, path)

    def _call(self, entry: CallFormat, name: str, sequence: Sequence | None, path: Keys) -> Call:
        return Call(
            name,
            sequence,
            MappingProxyType(dict(entry.spins)),
            MappingProxyType(dict(entry.parameters)),
            self.document.position(path),
            self._of_inner(path, self._places),
            self._of_inner(path, self._value_places),
        )

    def _of_inner(
        self, path: Keys, places: Callable[[Keys], Mapping[str, Position]]
    ) -> Mapping[str, Position]:
        """Return places in what a call gives, by ``parameters.NAME`` and ``spins.ROLE``."""
        inner = {key: places((*path, key)) for key in ("parameters", "spins")}
        return MappingProxyType({f"{k}.{n}": at for k, of in inner.items() for n, at in of.items()})
