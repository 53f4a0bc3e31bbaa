"""From a `Sequence` back to its file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.files import is_file_argument, plain_scalar, write_text_atomically
from nmrqb.formats import format_name, scalar_text
from nmrqb.sequence.format import SequenceFormat
from nmrqb.sequence.model import (
    Acquisition,
    Call,
    CouplingDelay,
    Delay,
    Event,
    Gradient,
    Pulse,
    Repeat,
    Rotation,
    Sequence,
    Timing,
    VirtualZ,
)
from nmrqb.sequence.shapes import Shape
from nmrqb.sequence.words import split_delay, split_rotation

Node = Any  # what YAML writes: dict, list, str or number

_NO_LIMIT = 100_000  # columns: an event stays on its line


@checked
def save_sequence(sequence: Sequence, path: str | Path) -> None:
    """Write a sequence to a file that `load_sequence` reads back as the same sequence.

    Files that it names are named relative to the folder of the new file.

    Parameters
    ----------
    sequence
        What is written; places in a former file are forgotten, as are its comments.
    path
        The new file; it appears whole or not at all.

    Raises
    ------
    ArgumentError
        If the sequence holds what no file can say.
    OutputError
        If the file cannot be written.
    """
    write_text_atomically(path, sequence_text(sequence, folder=Path(path).parent))


@checked
def sequence_text(sequence: Sequence, *, folder: str | Path = ".") -> str:
    """Return the YAML text of a sequence, in the form of the shipped ones.

    Parameters
    ----------
    sequence
        What is written.
    folder
        Where the text will stand: files that it names are named relative to it.

    Raises
    ------
    ArgumentError
        If the sequence holds what no file can say, say a pulse whose bare angle means degrees and
        which has a duration.
    """
    document = _Writer(Path(folder)).document(sequence)
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_NO_LIMIT,
        default_flow_style=False,
    )
    return text


class _Inline(dict[str, Node]):
    """A mapping on one line."""


class _InlineList(list[Node]):
    """A list on one line."""


class _Prose(str):
    """A text that must not be read back as a number."""


class _Dumper(yaml.SafeDumper):
    """Writes texts so that they are read back as the same texts."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out; the format has no aliases."""
        return True


_SIGNS = frozenset("!&*")  # alone they would be written with a tag


def _write_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    meant = plain_scalar(text)
    other = scalar_text(meant) != text or text in _SIGNS
    if other or (isinstance(text, _Prose) and meant != text):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'")
    resolve: Callable[..., str] = dumper.resolve
    tag = resolve(yaml.ScalarNode, text, (True, False))  # so that none is written
    return dumper.represent_scalar(tag, text)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(_Prose, _write_text)
_Dumper.add_representer(
    _Inline,
    lambda dumper, data: dumper.represent_mapping(
        "tag:yaml.org,2002:map", data.items(), flow_style=True
    ),
)
_Dumper.add_representer(
    _InlineList,
    lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True),
)


class _Writer:
    """Turns the nouns of the model into what YAML writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: Mapping[type[Event], Callable[[Any], dict[str, Node]]] = {
            Pulse: self._pulse,
            Delay: _delay,
            CouplingDelay: _coupling_delay,
            Gradient: _gradient,
            VirtualZ: lambda event: {"virtual_z": _Inline(event.angles)},
            Acquisition: lambda event: {"acquire": _Inline(event.phases)},
            Repeat: self._repeat,
            Call: self._call,
        }

    def document(self, sequence: Sequence) -> dict[str, Node]:
        """Return the whole file, absent things left out."""
        target = _target(sequence)
        blocks = {
            name: _present(parameters=_Inline(block.parameters), sequence=self.events(block.events))
            for name, block in sequence.blocks.items()
        }
        return {
            "format": format_name(SequenceFormat),
            **_present(
                name=_Prose(sequence.name),
                title=_Prose(sequence.title),
                reference=_Prose(sequence.reference),
                notes=_Prose(sequence.notes),
                sample=_Prose(self._file(sequence.sample or "")),
            ),
            "spins": _Inline(sequence.roles),
            **_present(
                parameters=dict(sequence.parameters),
                constraints=list(sequence.constraints),
                phase_cycle={
                    name: _InlineList(phases) for name, phases in sequence.phase_cycle.items()
                },
                timing=_timing(sequence.timing),
                target=_Inline(target),
                blocks=blocks,
            ),
            "sequence": self.events(sequence.events),
        }

    def events(self, events: tuple[Event, ...]) -> list[Node]:
        """Return a list of events."""
        return [self._writers[type(event)](event) for event in events]

    def _file(self, argument: str) -> str:
        if not argument or not is_file_argument(argument) or Path(argument).is_absolute():
            return argument
        relative = Path(os.path.relpath(argument, self._folder)).as_posix()
        return relative if is_file_argument(relative) else f"./{relative}"

    def _pulse(self, pulse: Pulse) -> dict[str, Node]:
        return {"pulse": _Inline({k: self._rotation(r) for k, r in pulse.rotations.items()})}

    def _rotation(self, rotation: Rotation) -> Node:
        if rotation.degrees:
            return _short_rotation(rotation)
        shape = None if rotation.shape is None else self._shape(rotation.shape)
        return _Inline(
            _present(
                angle=rotation.angle,
                phase=rotation.phase,
                duration=rotation.duration,
                amplitude=rotation.amplitude,
                shape=shape,
                offset=rotation.offset,
                composite=rotation.composite,
            )
        )

    def _shape(self, shape: Shape) -> Node:
        plain = Shape(shape.kind) if shape.kind not in {"fourier", "samples"} else None
        if shape == plain:
            return shape.kind
        if shape.file:
            relative = os.path.relpath(shape.file, self._folder)
            return _Inline(kind="samples", file=Path(relative).as_posix())
        return _Inline({"kind": shape.kind, **_shape_values(shape)})

    def _repeat(self, repeat: Repeat) -> dict[str, Node]:
        entry = _present(times=repeat.times, index=repeat.index)
        return {"repeat": {**entry, "sequence": self.events(repeat.events)}}

    def _call(self, call: Call) -> dict[str, Node]:
        verb, key = ("block", "name") if call.sequence is None else ("include", "sequence")
        name = call.name if call.sequence is None else self._file(call.name)
        more = _present(spins=_Inline(call.roles), parameters=_Inline(call.parameters))
        return {verb: _Inline({key: name, **more}) if more else name}


def _present(**entries: Node) -> dict[str, Node]:
    """Leave out what is None or empty."""
    return {key: value for key, value in entries.items() if value is not None and value != ""
            and not (isinstance(value, dict | list) and not value)}  # fmt: skip


def _target(sequence: Sequence) -> dict[str, str]:
    settings = _present(time=sequence.target_time, tolerance=sequence.target_tolerance)
    if settings and not sequence.target:
        raise ArgumentError(
            f"Argument `sequence` must name a term of its target, but its target has only "
            f"{' and '.join(settings)}"
        )
    return {**settings, **sequence.target}


def _timing(timing: Timing) -> Node:
    delays = "centre-to-centre" if timing.centred else "edge-to-edge"
    if timing.rounded:
        return _Inline(delays=delays, off_raster="round")
    return delays if timing.centred else None


def _short_rotation(rotation: Rotation) -> str:
    """Return ``90 -y`` for a rotation that such a text means."""
    text = f"{rotation.angle} {rotation.phase}"
    extra = (rotation.duration, rotation.amplitude, rotation.shape, rotation.offset)
    soft = any(value is not None for value in (*extra, rotation.composite))
    if rotation.angle is None or soft or split_rotation(text) != (rotation.angle, rotation.phase):
        raise ArgumentError(
            f"Argument `sequence` must say its angles with units where a pulse is more than angle "
            f"and phase, but has {rotation}; set degrees=False"
        )
    return text


def _shape_values(shape: Shape) -> dict[str, Node]:
    default = Shape("gaussian")
    numbers = {
        name: getattr(shape, name)
        for name in ("points", "truncation", "lobes")
        if getattr(shape, name) != getattr(default, name) and shape.kind != "samples"
    }
    x, y = [s.real for s in shape.samples], [s.imag for s in shape.samples]
    lists = _present(
        cosine=_InlineList(shape.cosine),
        sine=_InlineList(shape.sine),
        x=_InlineList(x),
        y=_InlineList(y if any(y) else []),
    )
    return numbers | lists


def _delay(delay: Delay) -> dict[str, Node]:
    return {"delay": _Inline(time=delay.time) if split_delay(delay.time) else delay.time}


def _coupling_delay(delay: CouplingDelay) -> dict[str, Node]:
    coupling = f"J({','.join(delay.roles)})" if delay.roles else "J"
    short = f"{delay.angle} of {coupling}"
    if delay.refocus is None and split_delay(short) == (delay.angle, coupling):
        return {"delay": short}
    return {"delay": _Inline(_present(angle=delay.angle, coupling=coupling, refocus=delay.refocus))}


def _gradient(gradient: Gradient) -> dict[str, Node]:
    if gradient.strength is not None:
        entry = _Inline(strength=gradient.strength, duration=gradient.duration)
        return {"gradient": entry}
    if gradient.duration is None:
        return {"gradient": "crush"}
    return {"gradient": _Inline(kind="crush", duration=gradient.duration)}
