"""What all file formats share: quantities as pydantic fields, and faults told with their place."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic.annotated_handlers import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from nmrqb import units
from nmrqb.errors import Fault, InputError, Position, nearest
from nmrqb.files import Document, Keys, Kind, Tree, check_format, open_document, with_overrides
from nmrqb.files.documents import MAX_FAULTS


class Entry(BaseModel):
    """Base of every mapping of a file format: unknown keys are faults, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    planned: ClassVar[frozenset[str]] = frozenset()
    """Keys that the format reserves but this version does not act on yet."""
    may_be_empty: ClassVar[bool] = True
    """Whether a key without a value means that it is left out; else it is a fault."""


EntryT = TypeVar("EntryT", bound=Entry)


# ----------------------------------------------------------------------------------- field types
@dataclass(frozen=True)
class Quantity:
    """Marks a float field that a file gives as text with a unit, ``Annotated[float, Quantity(…)]``.

    Attributes
    ----------
    dimension
        What it must be; the field then holds SI units.
    positive
        Whether it must be larger than zero.
    """

    dimension: units.Dimension
    positive: bool = False

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        example = units.EXAMPLES[self.dimension]
        described: dict[str, Any] = {"type": "string", "examples": [example]}
        if self.dimension in {"ratio", "count"}:
            return described | {"type": ["string", "number"]}
        named = ", ".join(units.UNITS[self.dimension])
        return described | {"pattern": r"[0-9].*[^0-9.\s]", "description": f"with a unit: {named}"}

    def parse(self, value: object) -> float:
        """Return the value in SI units.

        Raises
        ------
        UnitError
            If it is not such a quantity.
        """
        text = scalar_text(value)
        example = units.EXAMPLES[self.dimension]
        if text is None:
            message = f"must be a {self.dimension} such as '{example}', but is {shown(value)}"
            raise units.UnitError(message)
        number = units.quantity(text, self.dimension)
        if self.positive and number <= 0:
            raise units.UnitError(f"must be positive, for example '{example}', but is `{text}`")
        return number


def _not_negative(rate: float) -> float:
    if rate < 0:
        raise ValueError(f"must be 0 or more, but is {rate:g} /s")
    return rate


_WHOLE = re.compile(r"[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?")
_LARGEST_COUNT = 2**63 - 1


def _whole(value: object) -> int:
    """Return a whole number of a file exactly; only arithmetic goes through floats."""
    text = (scalar_text(value) or "").strip()
    number = Decimal(text) if _WHOLE.fullmatch(text) else None
    if number is None or number != number.to_integral_value():
        number = Decimal(Quantity("count").parse(value))
    if number > _LARGEST_COUNT:
        raise ValueError(f"must be at most {_LARGEST_COUNT}, but is {shown(value)}")
    return int(number)


Time = Annotated[float, Quantity("time")]
PositiveTime = Annotated[float, Quantity("time", positive=True)]
Frequency = Annotated[float, Quantity("frequency")]
Angle = Annotated[float, Quantity("angle")]
Ratio = Annotated[float, Quantity("ratio")]
Field = Annotated[float, Quantity("field", positive=True)]
Length = Annotated[float, Quantity("length", positive=True)]
Rate = Annotated[Annotated[float, Quantity("rate")], AfterValidator(_not_negative)]
Count = Annotated[int, BeforeValidator(_whole)]
_LONGEST_NAME = 100  # letters; files take 255 bytes, and ours have endings


def plain_name(value: str) -> str:
    """Return a name that can be that of a file, as it is.

    Raises
    ------
    ValueError
        If it is empty, hidden, holds a separator or what cannot be printed, or is too long.
    """
    if (
        not value.isprintable()
        or set(value) & set("/\\")
        or value.startswith(".")
        or not 0 < len(value.strip()) <= _LONGEST_NAME
    ):
        raise ValueError(
            f"must be a plain word of up to {_LONGEST_NAME} letters, as results are named after "
            f"it, but is {shown(value)}"
        )
    return value


PlainName = Annotated[str, AfterValidator(plain_name)]


def scalar_text(value: object) -> str | None:
    """Return the text of a text or number of a file, None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def within(wanted: str, fits: Callable[[float], bool]) -> WrapValidator:
    """Return a check of a number whose message shows what is written, not what that comes to.

    Parameters
    ----------
    wanted
        What it must be, for the message: ``must be from 0 % to 50 %``.
    fits
        Whether a number, in SI units, is that.
    """

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> float:
        number: float = handler(value)
        if not fits(number):
            raise ValueError(f"{wanted}, but is `{scalar_text(value)}`")
        return number

    return WrapValidator(check)


def _expression(value: object) -> str:
    text = scalar_text(value)
    if text is None:
        wanted = "must be one expression such as '5 ms', '90 deg' or '1/(4*J)'"
        raise ValueError(f"{wanted}, but is {shown(value)}")
    return text


Expression = Annotated[
    str,
    BeforeValidator(_expression),
    WithJsonSchema({"type": ["string", "number"], "examples": ["5 ms", "1/(4*J)"]}),
]


def shown(value: object) -> str:
    """Return a value as a message shows it: quoted, on one line, not too long."""
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


class ShortForm(Entry):
    """A mapping that may also be written as one text."""

    short_form: ClassVar[dict[str, Any]] = {"type": "string"}
    """JSON Schema of the text."""
    wanted: ClassVar[str]
    """What may be written, for messages."""

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the mapping that a text means; ValueError says what would be right."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        text = scalar_text(value)
        if text is None and not isinstance(value, dict | cls):
            raise ValueError(f"must be {cls.wanted}, but is {shown(value)}")
        return value if text is None else cls.from_text(text)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [cls.short_form, handler(schema)]}


# ---------------------------------------------------------------------------- reading and checking
def read(
    kind: Kind,
    argument: str | Path,
    model: type[Entry],
    *,
    overrides: Mapping[str, str] | None = None,
) -> Document:
    """Read the file that ``argument`` means and see that it claims to be of a format.

    Parameters
    ----------
    kind, argument
        See `nmrqb.files.find`.
    model
        The format; its field ``format`` is a ``Literal`` of the name and version.
    overrides
        Changes by ``--set path=value``, see `nmrqb.files.with_overrides`.

    Raises
    ------
    InputError
        If there is nothing to check: no such file, no YAML, or another format.
    """
    document = with_overrides(open_document(kind, argument), overrides or {})
    check_format(document, format_name(model))
    return document


def format_name(model: type[Entry]) -> str:
    """Return the name and version that a format writes into its ``format`` key."""
    name: str = typing.get_args(model.model_fields["format"].annotation)[0]
    return name


def check(document: Document, model: type[EntryT]) -> tuple[EntryT | None, list[Fault]]:
    """Check a document against a format; return the entry, or None and all the faults."""
    entry, faults = None, list[Fault]()
    try:
        entry = model.model_validate(document.tree)
    except ValidationError as error:
        details = error.errors(include_url=False)[:MAX_FAULTS]
        faults = [_fault(detail, document, model) for detail in _relevant(details, document)]
    if not model.may_be_empty:
        told = {fault.at for fault in faults}
        empty = (path for path in _empty(document.tree, ()) if document.position(path) not in told)
        message = "is empty; give it a value or leave it out"
        some = islice(empty, MAX_FAULTS)
        faults += [Fault(document.position(path), f"{_named(path)} {message}") for path in some]
    return (None, faults) if faults else (entry, [])


def _empty(node: Tree, path: Keys) -> Iterator[Keys]:
    """Yield the paths at which a document says nothing."""
    if node is None:
        yield path
    elif isinstance(node, dict | list):
        for key, item in node.items() if isinstance(node, dict) else enumerate(node):
            if item is None or isinstance(item, dict | list):
                yield from _empty(item, (*path, key))


def _relevant(details: list[ErrorDetails], document: Document) -> list[ErrorDetails]:
    """Leave out that a value is not of a type when it was meant as another of the union."""

    def other_member_fits(detail: ErrorDetails) -> bool:
        place = detail["loc"][:-1]
        inside = (d for d in details if d["loc"][: len(place)] == place)
        return any(d["type"] not in _WANTED or len(d["loc"]) > len(place) + 1 for d in inside)

    def is_union_member(detail: ErrorDetails) -> bool:
        return detail["type"] in _WANTED and len(_path(detail["loc"], document)) < len(
            detail["loc"]
        )

    return [d for d in details if not (is_union_member(d) and other_member_fits(d))]


def checked(document: Document, model: type[EntryT]) -> EntryT:
    """Return the checked entry of a document.

    Raises
    ------
    InputError
        With all the faults of the document.
    """
    entry, faults = check(document, model)
    if entry is None:
        raise InputError(faults)
    return entry


def json_schema(model: type[Entry]) -> dict[str, Any]:
    """Return the JSON Schema of a format, for editors that complete and check."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema = model.model_json_schema()
    return head | (schema if model.may_be_empty else _without_null(schema))


def _without_null(node: Tree) -> Tree:
    """Return a JSON Schema in which no key may be empty: who has nothing to say leaves it out."""
    if isinstance(node, list):
        return [_without_null(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {k: _without_null(item) for k, item in node.items() if (k, item) != ("default", None)}
    members = kept.get("anyOf", [])
    if len(members) == 1:
        kept = members[0] | {key: item for key, item in kept.items() if key != "anyOf"}
    return kept


def _fault(detail: ErrorDetails, document: Document, model: type[Entry]) -> Fault:
    location = detail["loc"]
    path = _path(location, document)
    kind, key = detail["type"], str(location[-1]) if location else "the file"
    if kind == "missing":
        return Fault(document.position(path), f"missing key `{key}`")
    if kind == "extra_forbidden":
        return Fault(document.key_position(path), _unknown_key(key, path, model))
    complaint = _complaint(detail)
    separator = " " if complaint.startswith(("must", "is not")) else ": "
    is_key = location[-1:] == ("[key]",)
    at = document.key_position(path) if is_key else _place(complaint, path, document)
    return Fault(at, f"{_named(path)}{separator}{complaint}")


def _place(complaint: str, path: Keys, document: Document) -> Position:
    """Return the place of what a complaint about a mapping names first, else of the mapping."""
    found = re.search(r"`(\w+)`", complaint)
    if found is None or (*path, found[1]) not in document.keys:
        return document.position(path)
    foreign = complaint.startswith("must not have")
    inner = (*path, found[1])
    return document.key_position(inner) if foreign else document.position(inner)


def _path(location: Keys, document: Document) -> Keys:
    # pydantic puts names of union members between the keys; the tree tells them apart
    path: Keys = ()
    for part in location:
        if (*path, part) in document.values:
            path = (*path, part)
    return path


def _named(path: Keys) -> str:
    if not path:
        return "the file"
    last = next((i for i, part in reversed(list(enumerate(path))) if isinstance(part, str)), 0)
    return f"`{path[last]}{''.join(f'[{index}]' for index in path[last + 1 :])}`"


def _unknown_key(key: str, path: Keys, model: type[Entry]) -> str:
    entries = list(_entries_at(model, path[:-1]))
    valid = [name for entry in entries for name in _fields(entry)]
    if any(key in entry.planned for entry in entries):
        return f"key `{key}` does not act in this version yet; Valid: {', '.join(sorted(valid))}"
    return f"unknown key `{key}`; {nearest(key, valid)}"


def _fields(entry: type[Entry]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in entry.model_fields.items()}


Annotation: TypeAlias = Any  # a type as written: class, union, list[…], dict[…], Annotated[…]


def _entries_at(annotation: Annotation, location: Keys) -> Iterator[type[Entry]]:
    """Yield the formats of mappings that may stand at a location below an annotation."""
    for member in _members(annotation):
        if not location:
            if isinstance(member, type) and issubclass(member, Entry):
                yield member
        elif (inner := _inner(member, location[0])) is not None:
            yield from _entries_at(inner, location[1:])


def _members(annotation: Annotation) -> Iterator[Annotation]:
    origin: Annotation = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _members(typing.get_args(annotation)[0])
    elif origin in {typing.Union, types.UnionType}:
        for member in typing.get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _inner(member: Annotation, part: str | int) -> Annotation | None:
    arguments = typing.get_args(member)
    if isinstance(part, int):
        return arguments[0] if arguments else None
    if isinstance(member, type) and issubclass(member, BaseModel):
        found = _fields(member).get(part) if issubclass(member, Entry) else None
        return found.annotation if found else None
    return arguments[1] if len(arguments) == 2 else None


_WANTED = {
    "string_type": "text",
    "dict_type": "a mapping of `key: value` lines",
    "model_type": "a mapping of `key: value` lines",
    "list_type": "a list",
    "tuple_type": "a list",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def _complaint(detail: ErrorDetails) -> str:
    value, context = detail["input"], detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    if detail["type"] == "literal_error":
        valid = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return f"must not be {shown(value)}; {nearest(str(value), valid)}"
    if detail["type"] == "too_short":
        least = context["min_length"]
        entries = "entry" if least == 1 else "entries"
        return f"must have at least {least} {entries}, but is {shown(value)}"
    wanted = _WANTED.get(detail["type"])
    if wanted:
        return f"must be {wanted}, but is {shown(value)}"
    return f"must not be {shown(value)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
