"""What public functions take: the annotation is the rule, and what breaks it is refused by name.

====================  ==============================================================================
``float``, ``int``    a number, a whole number; of Python or numpy, 0-d arrays too
arrays                numbers, nested lists of them, or a ``qutip.Qobj``: functions get an array
``tuple``             a tuple or a list, of numbers an array too: functions get a tuple
``Mapping``, lists    their members are held to the rule as well, ``amplitudes_hz['1H']``, but
                      not expressions, which may be text or numbers
classes               objects of them: names of files are loaded by ``load_sample`` and its like
``Literal``           a text; which ones there are, the function says
``Any``, protocols    no rule, the function looks itself
====================  ==============================================================================

Ranges, NaN and the shapes of arrays are for the functions: they know what would be right.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from nmrqb.errors import ArgumentError

P = ParamSpec("P")
T = TypeVar("T")
Hint = Any  # what an annotation stands for: a class, a union, an alias

_LOADERS = {
    "Experiment": "load_experiment",
    "RecordedData": "load_data",
    "Sample": "load_sample",
    "Sequence": "load_sequence",
}
_WORDS: Mapping[Hint, str] = {
    float: "a number",
    int: "a whole number",
    bool: "True or False",
    str: "a text",
    types.NoneType: "None",
    Path: "a path",
    np.random.Generator: "a random generator such as np.random.default_rng(1)",
    Mapping: "a mapping",
    Callable: "a function",
}
_LISTS = (Sequence, Iterable, tuple, list)
_ALONE = "; write the number alone, in the unit that the documentation names"


class _UnfitError(Exception):
    """A value breaks the rule; the path says which one, ``['1H']`` of a mapping."""

    def __init__(self, value: object, hint: Hint, path: str = "") -> None:
        super().__init__(path)
        self.value, self.hint, self.path = value, hint, path


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function with a check of all arguments against their annotations.

    Raises
    ------
    ArgumentError
        By the function that is returned, before anything is computed: names the argument, what it
        must be and what it is.
    """
    signature = inspect.signature(function)
    hints = functools.cache(lambda: dict(_hints(function)))

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Python says what is missing, and of which function
        for name, value in bound.arguments.items():
            if name in hints():
                bound.arguments[name] = taken(value, name, hints()[name])
        return function(*bound.args, **bound.kwargs)

    return call


def checked_fields(noun: type[T]) -> type[T]:
    """Return a dataclass whose fields are held to their annotations, see `checked`."""
    setattr(noun, "__init__", checked(noun.__init__))  # noqa: B010 - which mypy refuses
    return noun


def refuse_nan(noun: object) -> None:
    """Refuse a dataclass of which a number is NaN.

    Raises
    ------
    ArgumentError
        If one is.
    """
    for name, value in vars(noun).items():
        if isinstance(value, float) and math.isnan(value):
            raise ArgumentError(f"Argument `{name}` must be a number, but is nan")


def as_seed(seed: int) -> int:
    """Return the seed of random numbers, a whole number ≥ 0.

    Raises
    ------
    ArgumentError
        If it is anything else.
    """
    if taken(seed, "seed", int) < 0:
        raise ArgumentError(f"Argument `seed` must be ≥ 0, but is {seed}")
    return seed


def check_finite(name: str, value: float | np.ndarray) -> None:
    """Refuse a number, or an array, that is not finite.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if not np.all(np.isfinite(value)):
        raise ArgumentError(f"Argument `{name}` must be finite, but is {value}")


def check_positive(name: str, value: float | np.ndarray) -> None:
    """Refuse a number, or an array, that is not positive and finite.

    Raises
    ------
    ArgumentError
        If it is so; the message names the argument.
    """
    if not np.all((np.asarray(value) > 0) & np.isfinite(value)):
        raise ArgumentError(f"Argument `{name}` must be positive and finite, but is {value}")


def check_shape(
    name: str, array: np.ndarray, shape: tuple[int, ...], *, stack: bool = False
) -> None:
    """Refuse an array that is not of a shape.

    Parameters
    ----------
    name
        What a refusal calls it.
    array
        The array.
    shape
        What its shape must be.
    stack
        Whether there may be batch axes before.

    Raises
    ------
    ArgumentError
        If it is of another shape.
    """
    found = array.shape[-len(shape) :] if stack else array.shape
    if found != shape:
        wanted = ", ".join([*["..."] * stack, *map(str, shape)])
        comma = "," if len(shape) + stack == 1 else ""
        raise ArgumentError(
            f"Argument `{name}` must have shape ({wanted}{comma}), but has shape {array.shape}"
        )


def taken(value: object, name: str, hint: Hint) -> Any:  # noqa: ANN401 - of the annotation
    """Return a value as its annotation wants it.

    Parameters
    ----------
    value
        The value.
    name
        What a refusal calls it.
    hint
        The annotation.

    Raises
    ------
    ArgumentError
        If the value is not of the annotation.
    """
    try:
        return _fitted(value, hint)
    except _UnfitError as unfit:
        message = (
            f"Argument `{name}{unfit.path}` must be {_words(unfit.hint)}, but is "
            f"{_shown(unfit.value)}{_advice(unfit.value, unfit.hint)}"
        )
    raise ArgumentError(message)


def _hints(function: Callable[..., Any]) -> Iterator[tuple[str, Hint]]:
    """Yield the arguments that have a rule; names that type checkers alone see have none."""
    scope = getattr(function, "__globals__", {})
    for name, text in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: text})
        try:
            hint = get_type_hints(one, globalns=scope)[name]
        except (NameError, TypeError):
            continue
        if name != "return" and _is_rule(hint):
            yield name, hint


@functools.cache
def _origin(hint: Hint) -> Any:  # noqa: ANN401
    """Return what an annotation is of, one word for both ways to write a union."""
    origin: Any = get_origin(hint)
    return Union if origin is types.UnionType else origin


@functools.cache
def _is_rule(hint: Hint) -> bool:
    origin = _origin(hint)
    if origin is Union:
        return all(map(_is_rule, get_args(hint)))
    if origin is np.ndarray:
        return _kinds(hint) != ""
    if origin is not None:
        return origin in (Literal, Mapping, Callable, *_LISTS)
    plain = isinstance(hint, type) and hint not in (Any, object)
    return plain and not getattr(hint, "_is_protocol", False)


# ------------------------------------------------------------------------------------- the rules
def _fitted(value: Any, hint: Hint) -> Any:  # noqa: ANN401
    origin = _origin(hint)
    if not _is_rule(hint) or (origin is np.ndarray and hasattr(value, "toarray")):
        return value  # of a sparse matrix the function says what it makes
    if origin is np.ndarray:
        return _array(value, hint)
    if origin is Union:
        return _one_of(value, hint)
    if origin is Mapping:
        return _mapping(value, hint)
    if origin in _LISTS:
        return _list(value, hint)
    if not _is_one(value, hint, origin):
        raise _UnfitError(value, hint)
    return value


def _is_one(value: Any, hint: Hint, origin: Hint) -> bool:  # noqa: ANN401
    if origin is Literal:
        return any(isinstance(value, type(one)) for one in get_args(hint))
    if origin is Callable:
        return callable(value)
    if hint is bool:
        return isinstance(value, bool | np.bool_)
    if hint in (float, int):
        return _is_number(value, whole=hint is int)
    return isinstance(value, hint)


def _is_number(value: Any, *, whole: bool) -> bool:  # noqa: ANN401
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    kind = numbers.Integral if whole else numbers.Real
    return isinstance(value, kind)


def _one_of(value: Any, hint: Hint) -> Any:  # noqa: ANN401
    """Return what the first of several annotations makes of a value, arrays last."""
    deeper = None
    for one in sorted(get_args(hint), key=lambda x: _origin(x) is np.ndarray):
        try:
            return _fitted(value, one)
        except _UnfitError as unfit:
            deeper = unfit if unfit.path else deeper
    raise deeper or _UnfitError(value, hint)


def _mapping(value: Any, hint: Hint) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise _UnfitError(value, hint)
    _, kind = get_args(hint)
    if {str, float} <= set(get_args(kind)):
        return value  # expressions: whoever reads them says what is wrong
    members = {key: _member(one, kind, f"[{key!r}]") for key, one in value.items()}
    return value if all(members[key] is value[key] for key in members) else members


def _list(value: Any, hint: Hint) -> Any:  # noqa: ANN401
    origin, kinds = _origin(hint), get_args(hint)
    alone = not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    if alone or isinstance(value, str | bytes | Mapping):
        raise _UnfitError(value, hint)
    if not hasattr(value, "__len__"):
        return value  # what is gone through once is not gone through here
    each = kinds if origin is tuple and kinds[-1] is not Ellipsis else (kinds[0],) * len(value)
    if len(each) != len(value):
        return value  # the function says how many
    pairs = enumerate(zip(value, each, strict=True))
    members = [_member(one, kind, f"[{k}]") for k, (one, kind) in pairs]
    return tuple(members) if origin is tuple else value


def _member(value: Any, hint: Hint, place: str) -> Any:  # noqa: ANN401
    try:
        return _fitted(value, hint)
    except _UnfitError as unfit:
        raise _UnfitError(unfit.value, unfit.hint, place + unfit.path) from None


def _array(value: Any, hint: Hint) -> Any:  # noqa: ANN401
    full = getattr(value, "full", None)
    try:
        found = np.asarray(full() if callable(full) else value)
    except (TypeError, ValueError):
        raise _UnfitError(value, hint) from None
    if found.dtype.kind not in _kinds(hint):
        raise _UnfitError(value, hint)
    return found.astype(float) if found.dtype.kind in "iu" else found


@functools.cache
def _kinds(hint: Hint) -> str:
    """Return the kinds of numpy numbers that an array may hold; none without a rule."""
    number = get_args(get_args(hint)[1])[0]
    if not isinstance(number, type):  # floating[Any]
        number = _origin(number)
    if issubclass(number, np.complexfloating):
        return "iufc"
    return "iuf" if issubclass(number, np.floating) else ""


# -------------------------------------------------------------------------------------- the words
def _words(hint: Hint) -> str:
    origin = _origin(hint)
    if origin is Union:
        given = [one for one in get_args(hint) if one is not types.NoneType]
        return " or ".join(dict.fromkeys(map(_words, given)))
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if origin is np.ndarray:
        return "an array of numbers or a Qobj" if "c" in _kinds(hint) else "real numbers"
    if origin is tuple and get_args(hint)[-1] is not Ellipsis:
        return f"a list of {len(get_args(hint))}"
    return _WORDS.get(origin or hint) or ("a list" if origin in _LISTS else _kind(hint))


def _kind(noun: type) -> str:
    article = "an" if noun.__name__[0] in "AEIOU" else "a"
    return f"{article} {noun.__name__}"


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of {value.dtype.name} of shape {value.shape}"
    plain = value is None or isinstance(
        value, numbers.Number | str | list | tuple | dict | np.ndarray
    )
    return f"{value!r:.80}" if plain else _kind(type(value))


def _advice(value: object, hint: Hint) -> str:
    """Return what would be right, where that can be guessed."""
    kinds = get_args(hint) if _origin(hint) is Union else (hint,)
    if not isinstance(value, str | Path):
        return ""
    for kind in kinds:
        if getattr(kind, "__name__", "") in _LOADERS and isinstance(kind, type):
            return f"; load it with {_LOADERS[kind.__name__]}({str(value)!r})"
    if any(_origin(kind) in _LISTS for kind in kinds):
        return f"; of one it is [{str(value)!r}]"
    wants_numbers = any(k in (float, int) or _origin(k) is np.ndarray for k in kinds)
    return _ALONE if wants_numbers and any(map(str.isdigit, str(value))) else ""
