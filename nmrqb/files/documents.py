"""YAML with the position of every key and value.

YAML is read as events, never composed: so depth, size and every construct that could surprise
(anchors, merge keys, tags, duplicate keys) are refused where they stand, before anything is built.
"""

from __future__ import annotations

import copy
import hashlib
import math
import numbers
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import yaml

from nmrqb.errors import ArgumentError, Fault, InputError, Position, refuse
from nmrqb.files.texts import decoded, read_bytes

MAX_DEPTH = 50
MAX_VALUES = 100_000  # texts, numbers, lists and mappings of a file
MAX_FAULTS = 100  # a file with more is not the file the user meant

Keys = tuple[str | int, ...]
Tree: TypeAlias = Any  # dict, list, str, int, float, bool or None; the formats check which
Event: TypeAlias = Any  # one of the events of yaml, whose stubs know neither anchors nor tags

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """What a YAML file says, and where it says it.

    Attributes
    ----------
    tree
        Plain dict, list, str, int, float, bool and None.
    file
        Name of the file as the user wrote it.
    sha256
        Hash of the bytes that were read.
    values, keys
        Path of keys and indices to the place of the value, and of its key.
    """

    tree: dict[str, Tree]
    file: str
    sha256: str = ""
    values: Mapping[Keys, Position] = field(default_factory=dict, repr=False)
    keys: Mapping[Keys, Position] = field(default_factory=dict, repr=False)

    def position(self, path: Keys = ()) -> Position:
        """Return the place of the value at ``path``, or of the nearest thing that holds it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Position(self.file))

    def key_position(self, path: Keys) -> Position:
        """Return the place of the key that ends ``path``, or of its value where it has no key."""
        return self.keys.get(path) or self.position(path)

    def get(self, path: Keys, default: Tree = None) -> Tree:
        """Return the value at ``path``, or ``default`` where the file says nothing."""
        node: Tree = self.tree
        for key in path:
            if not _holds(node, key):
                return default
            node = node[key]
        return node

    def replaced(self, path: Keys, value: Tree, at: Position) -> Document:
        """Return the document with ``value`` at ``path``, said to stand at ``at``."""
        tree = copy.deepcopy(self.tree)
        node: Tree = tree
        values, keys = dict(self.values), dict(self.keys)
        for depth, key in enumerate(path[:-1], start=1):
            if isinstance(node, dict) and key not in node:
                node[key] = {}
                values[path[:depth]] = keys[path[:depth]] = at
            node = node[key]
        node[path[-1]] = value
        length = len(path)
        new = dict.fromkeys(_paths(value, path), at)
        values = {p: where for p, where in values.items() if p[:length] != path} | new
        keys = {p: where for p, where in keys.items() if p[:length] != path} | new
        return replace(self, tree=tree, values=values, keys=keys)


def _paths(node: Tree, path: Keys) -> Iterator[Keys]:
    """Yield the path of a node and of everything below it."""
    yield path
    if isinstance(node, dict | list):
        below = node.items() if isinstance(node, dict) else enumerate(node)
        for key, item in below:
            yield from _paths(item, (*path, key))


def _holds(node: Tree, key: str | int) -> bool:
    if isinstance(node, dict):
        return key in node
    return isinstance(node, list) and isinstance(key, int) and 0 <= key < len(node)


def read_document(source: str | Path | Traversable, file: str | None = None) -> Document:
    """Read one YAML file with the position of every key and value.

    Parameters
    ----------
    source
        The file.
    file
        Its name in messages; as given in ``source`` unless said otherwise.

    Raises
    ------
    InputError
        If it cannot be read, is not UTF-8 or YAML, or uses what is refused here.
    """
    name = str(source) if file is None else file
    return parse_document(read_bytes(source, name=name), name)


def parse_document(data: bytes, file: str) -> Document:
    """Read YAML from bytes; ``file`` is the name that messages carry.

    Raises
    ------
    InputError
        If the bytes are not UTF-8 or YAML, or use what is refused here.
    """
    text = decoded(data, file)
    reader = _Reader(text, file)
    try:
        tree = reader.document()
    except yaml.YAMLError as error:
        reader.faults.append(_syntax_fault(error, text, file))
    refuse(reader.faults)
    return Document(tree, file, hashlib.sha256(data).hexdigest(), reader.values, reader.keys)


def _place(text: str, index: int, file: str) -> Position:
    start = text.rfind("\n", 0, index) + 1
    return Position(file, text.count("\n", 0, index) + 1, index - start + 1)


def _syntax_fault(error: yaml.YAMLError, text: str, file: str) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _character_fault(text, file)
    mark = error.problem_mark
    at = Position(file, mark.line + 1, mark.column + 1)
    if text[mark.index : mark.index + 1] == "\t":
        return Fault(at, "a tab cannot indent or separate in YAML; use spaces")
    problem = error.problem or "it cannot be parsed"
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    return Fault(at, f"this is not YAML: {problem}{_context(error)}{hint}")


_HINTS = {  # what is most often meant where the reader stumbles
    "mapping values are not allowed": "; put text that holds `: ` in quotes, or mend the indent",
    "could not find expected ':'": "; a line must be `key: value`",
    "cannot start any token": "; put text that begins with such a sign in quotes",
    "expected '-' indicator": "; the items of a list must begin in one column",
    "expected <block end>": "; what belongs together must begin in one column",
    "unexpected end of stream": "; close the quotes",
    "expected ',' or": "; close the bracket, or put a comma between its items",
}


def _context(error: yaml.MarkedYAMLError) -> str:
    """Say what the reader was in the middle of, and where that begins."""
    if not error.context:
        return ""
    begins = f" that begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    return f" ({error.context}{begins})"


def _character_fault(text: str, file: str) -> Fault:
    # the C reader tells bytes, the Python one characters: look the culprit up ourselves
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if found is None:
        return Fault(Position(file), f"`{file}` is not YAML")
    code = f"U+{ord(found.group()):04X}"
    return Fault(_place(text, found.start(), file), f"character {code} may not stand in YAML")


class _Reader:
    """Builds the tree from events; faults that leave the structure intact are collected."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.events: Iterator[Event] = iter(yaml.parse(text, Loader=_LOADER))
        self.faults: list[Fault] = []
        self.values: dict[Keys, Position] = {}
        self.keys: dict[Keys, Position] = {}

    def document(self) -> dict[str, Tree]:
        tree: dict[str, Tree] = {}
        for number, event in enumerate(self._starts()):
            if number:
                self._stop(event, "a second document starts here, but a file holds only one")
            first = next(self.events)
            if not isinstance(first, yaml.MappingStartEvent):
                self._stop(first, _not_a_mapping(first))
            tree = self._node(first, ())
        if not self.values and not self.faults:
            self.faults.append(Fault(Position(self.file), f"`{self.file}` is empty"))
        return tree

    def _starts(self) -> Iterator[Event]:
        return (event for event in self.events if isinstance(event, yaml.DocumentStartEvent))

    def _node(self, event: Event, path: Keys) -> Tree:
        self.values[path] = self._at(event)
        if len(self.values) > MAX_VALUES:
            message = f"the file holds more than {MAX_VALUES} values by here; say it in fewer"
            self._stop(event, f"{message}, with repeats, blocks or a shape file")
        self._refuse_marks(event)
        if isinstance(event, yaml.ScalarEvent):
            return plain_scalar(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.AliasEvent):
            return None
        if len(path) >= MAX_DEPTH:
            self._stop(event, f"this is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return self._mapping(path)

    def _list(self, path: Keys) -> list[Tree]:
        items: list[Tree] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: Keys) -> dict[str, Tree]:
        entries: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event)
            repeated = key in entries
            if repeated:
                first = self.keys[*path, key].line
                self._fault(event, f"key `{key}` stands twice; the first is in line {first}")
            else:
                self.keys[*path, key] = self._at(event)
            value = self._node(next(self.events), (*path, key))
            if not repeated:
                entries[key] = value
        return entries

    def _key(self, event: Event) -> str:
        if isinstance(event, yaml.AliasEvent):
            self._stop(event, _alias(event))
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a key must be one word or number, but is a list or a mapping")
        self._refuse_marks(event)
        key: str = event.value
        if key == "<<" and event.implicit[0]:
            self._fault(event, "merge key `<<` is not supported; write the entries out")
        if not key:
            self._fault(event, "a key is missing before `:`")
        if event.implicit[0] and key.count(")") > key.count("("):  # {delay: 1/J(I,S)}
            self._fault(event, f"`{key}` was cut off at a comma; put the expression in quotes")
        return key

    def _refuse_marks(self, event: Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, _alias(event))
            return
        if event.anchor:
            self._fault(event, f"anchor `&{event.anchor}` is not supported; write the value out")
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fault(event, f"tag `{tag}` is not supported; write the plain value")

    def _at(self, event: Event) -> Position:
        mark = event.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1)

    def _fault(self, event: Event, message: str) -> None:
        self.faults.append(Fault(self._at(event), message))
        if len(self.faults) >= MAX_FAULTS:
            refuse(self.faults)

    def _stop(self, event: Event, message: str) -> NoReturn:
        self.faults.append(Fault(self._at(event), message))
        raise InputError(self.faults)


def _alias(event: Event) -> str:
    return f"alias `*{event.anchor}` is not supported; write the value out"


def _not_a_mapping(event: Event) -> str:
    if isinstance(event, yaml.AliasEvent):
        return _alias(event)
    if isinstance(event, yaml.ScalarEvent) and not event.value:
        return "this document is empty; it must hold `key: value` lines"
    what = "a list" if isinstance(event, yaml.SequenceStartEvent) else f"the text `{event.value}`"
    return f"the file must hold `key: value` lines, but holds {what}"


_CONSTANTS = {
    word: value
    for words, value in [
        (("", "~", "null", "Null", "NULL"), None),
        (("true", "True", "TRUE"), True),
        (("false", "False", "FALSE"), False),
    ]
    for word in words
}
# leading zeros stay text: 010 is eight to one reader and ten to another
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return what an unquoted scalar means in YAML 1.2 (core schema; nan and inf stay text)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > 300:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def with_overrides(document: Document, overrides: Mapping[str, str]) -> Document:
    """Return the document with values changed as by ``--set path=value``.

    Parameters
    ----------
    document
        What the file says.
    overrides
        Path of keys and list indices, joined by dots, to the text of a YAML scalar, or of a list
        ``[II, IX]`` or mapping ``{D: 20 Hz}``.

    Raises
    ------
    InputError
        If a path leads through something that is neither a mapping nor a list.
    """
    for path, text in overrides.items():
        at = Position(f"--set {path}")
        keys = _checked_path(document, path, at)
        document = document.replaced(keys, _override(text, at), at)
    return document


def override_texts(overrides: Mapping[str, str | float]) -> dict[str, str]:
    """Return overrides of a Python caller as texts; a number means what it means in a file.

    Parameters
    ----------
    overrides
        Name to text, to a finite number of Python or numpy, or to true or false.

    Raises
    ------
    ArgumentError
        If a value is anything else.
    """
    return {name: _override_text(name, value) for name, value in overrides.items()}


def _override_text(name: str, value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return repr(float(value))
    raise ArgumentError(
        f"Argument `overrides` must give `{name}` a text such as '20 Hz' or a finite number, "
        f"but gives {value!r}"
    )


def _override(text: str, at: Position) -> Tree:
    if not text.lstrip().startswith(("[", "{")):
        return plain_scalar(text)
    return parse_document(f"value: {text}".encode(), at.file).tree["value"]


def _checked_path(document: Document, path: str, at: Position) -> Keys:
    keys: list[str | int] = []
    for part in path.split("."):
        node = document.get(tuple(keys), {})
        where = ".".join(map(str, keys)) or "the file"
        if not part or not isinstance(node, dict | list):
            problem = f"`{where}` is {node!r} and holds no keys" if part else "a key is missing"
            raise InputError.at(at, f"`{path}` is not a path into `{document.file}`: {problem}")
        keys.append(_index(part, len(node), at) if isinstance(node, list) else part)
    return tuple(keys)


def _index(part: str, length: int, at: Position) -> int:
    if not re.fullmatch("[0-9]{1,9}", part) or int(part) >= length:
        raise InputError.at(at, f"`{part}` must be the number of a list item, 0 to {length - 1}")
    return int(part)


def check_format(document: Document, wanted: str) -> None:
    """Refuse a file whose ``format`` key is not ``wanted``, say ``nmrqb-sample/1``.

    Raises
    ------
    InputError
        If the key is missing, of another kind, or of a version that is not understood.
    """
    if "format" not in document.tree:
        message = f"missing key `format`; write `format: {wanted}`"
        raise InputError.at(document.position(), message)
    found = document.tree["format"]
    if found == wanted:
        return
    family = wanted.partition("/")[0]
    kind = str(found).partition("/")[0]
    if kind == family:
        message = f"format `{found}` is not understood; the newest understood one is {wanted}"
    elif kind in {f"nmrqb-{name}" for name in ("sample", "sequence", "experiment", "data")}:
        message = f"this is a `{found}` file, but a `{wanted}` file is needed here"
    else:
        message = f"format `{found}` is not known; write `format: {wanted}`"
    raise InputError.at(document.position(("format",)), message)
