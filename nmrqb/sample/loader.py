"""From a sample file to a `Sample`; all faults of the file are told in one go."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from nmrqb import formats, units
from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, Fault, InputError, Position, nearest, refuse
from nmrqb.files import Document, Keys, override_texts
from nmrqb.sample.format import CouplingFormat, SampleFormat, SpinFormat
from nmrqb.sample.model import Coupling, Sample, Spin, Tensor
from nmrqb.sample.relaxation_fit import misfits, strangers
from nmrqb.sample.relaxation_format import mechanisms_in, misfit_faults

_MECHANISMS: Keys = ("relaxation",)


@checked
def load_sample(
    argument: str | Path,
    overrides: Mapping[str, Mapping[str, str | float]] | None = None,
    *,
    places: Mapping[str, Position] | None = None,
) -> Sample:
    """Read a sample from the library or from a file.

    Parameters
    ----------
    argument
        A shipped name such as ``chloroform``, or a file.
    overrides
        Label of a spin to what changes there: ``{"1H": {"T1": "0.3 s"}}``; a number means what it
        means in the file: ``{"1H": {"polarization": 0.1}}``.
    places
        Place of an override such as ``1H.T1`` in the file that asks for it, for messages.

    Raises
    ------
    InputError
        With every fault of the file and of the overrides; what is sound in the file and fails with
        the overrides is told at an override.
    ArgumentError
        If overrides are not such a mapping.
    """
    written = formats.read("sample", argument, SampleFormat)
    document, changed = _overridden(written, _texts(overrides or {}), places or {})
    entry, faults = formats.check(document, SampleFormat)
    faults += [*_label_faults(document), *_relaxation_faults(document), *_coupling_faults(document)]
    faults += _stranger_faults(document)
    if entry is None or faults:
        raise InputError(faults)
    sample = _sample(entry, document, Path(str(argument)).stem)
    unlisted = len(sample.mechanisms) - len(sample.relaxation)  # T1 and T2, which come first
    numbers = range(-unlisted, len(sample.relaxation))
    found = misfits(sample, sample.mechanisms)
    unfit = [*misfit_faults(document, _MECHANISMS, numbers, found)]
    if unfit and changed:
        load_sample(argument)  # what is wrong without the overrides is told by itself
        unfit = [Fault(changed[0], f"{fault.message} ({fault.at})") for fault in unfit]
    refuse(unfit)
    return sample


def _texts(
    overrides: Mapping[str, Mapping[str, str | float]],
) -> Iterator[tuple[str, str, str | None]]:
    """Yield label, key and text of every override."""
    for label, changes in overrides.items():
        if not isinstance(changes, Mapping):
            raise ArgumentError(
                "Argument `overrides` must be such as {'1H': {'T1': '0.3 s'}}, but gives "
                f"`{label}` {changes!r}"
            )
        given = {key: value for key, value in changes.items() if value is not None}
        texts = override_texts(given)
        yield from ((label, key, texts.get(key)) for key in changes)


def _overridden(
    document: Document,
    overrides: Iterable[tuple[str, str, str | None]],
    places: Mapping[str, Position],
) -> tuple[Document, list[Position]]:
    """Return the document with the overrides, and where they stand."""
    index = {label: number for number, label in _labels(document)}
    faults, changed = [], []
    for label, key, text in overrides:
        at = places.get(f"{label}.{key}", Position(f"overrides.{label}.{key}"))
        changed.append(at)
        if label not in index:
            message = f"`{document.file}` has no spin `{label}`; {nearest(label, index)}"
            faults.append(Fault(at, message))
        elif key == "label":
            faults.append(Fault(at, f"the label `{label}` names the spin and cannot be overridden"))
        else:
            document = document.replaced(("spins", index[label], key), text, at)
    refuse(faults)
    return document, changed


# The checks across entries look at the document, not at its checked form: a file with a wrong key
# still gets them all.
def _entries(document: Document, key: str) -> Iterator[tuple[int, dict[str, object]]]:
    entries = document.get((key,))
    for number, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield number, entry


def _labels(document: Document) -> list[tuple[int, str]]:
    spins = _entries(document, "spins")
    labels = ((number, spin.get("label")) for number, spin in spins)
    return [(number, label) for number, label in labels if isinstance(label, str)]


def _label_faults(document: Document) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, label in _labels(document):
        if label in seen:
            at = document.position(("spins", number, "label"))
            yield Fault(at, f"label `{label}` is already taken; every spin needs its own")
        seen.add(label)


def _relaxation_faults(document: Document) -> Iterator[Fault]:
    for number, spin in _entries(document, "spins"):
        T1, T2 = _time(spin.get("T1")), _time(spin.get("T2"))
        if math.isfinite(T2) and T2 > 2 * T1 * (1 + 1e-12):
            message = f"T2 = {spin['T2']} is longer than 2 T1 = {2 * T1:g} s, which is impossible"
            name = spin.get("label", number)
            places = [document.position(("spins", number, key)) for key in ("T2", "T1")]
            at = next((place for place in places if place.file != document.file), places[0])
            yield Fault(at, f"spin `{name}`: {message}; T2 may be at most 2 T1")


def _stranger_faults(document: Document) -> Iterator[Fault]:
    found = mechanisms_in(document, _MECHANISMS)
    labels = [label for _, label in _labels(document)]
    unknown = strangers(labels, found.values())
    return misfit_faults(document, _MECHANISMS, [*found], unknown)


def _time(value: object) -> float:
    text = formats.scalar_text(value)
    try:
        return math.inf if text is None else units.quantity(text, "time")
    except units.UnitError:
        return math.inf  # the format has told this fault


def _coupling_faults(document: Document) -> Iterator[Fault]:
    labels = [label for _, label in _labels(document)]
    seen: set[frozenset[str]] = set()
    for number, coupling in _entries(document, "couplings"):
        path: Keys = ("couplings", number)
        pair = coupling.get("between", ["", ""])
        yield from (Fault(document.position(path), m) for m in _content_faults(coupling))
        path = (*path, "between")
        if not (isinstance(pair, list) and len(pair) == 2):
            message = f"`between` must hold two labels such as [1H, 13C], but is {pair!r}"
            yield Fault(document.position(path), message)
            continue
        for place, label in enumerate(pair):
            if label and label not in labels:
                message = f"there is no spin `{label}`; {nearest(str(label), labels)}"
                yield Fault(document.position((*path, place)), message)
        if message := _pair_fault(frozenset(map(str, pair)), seen):
            yield Fault(document.position(path), message)


def _pair_fault(pair: frozenset[str], seen: set[frozenset[str]]) -> str:
    if "" in pair:
        return ""
    if len(pair) == 1:
        return f"spin `{min(pair)}` cannot couple with itself; name two spins"
    if pair in seen:
        return (
            f"the pair {', '.join(sorted(pair))} stands twice; give all its couplings in one entry"
        )
    seen.add(pair)
    return ""


def _content_faults(coupling: Mapping[str, object]) -> Iterator[str]:
    if not coupling.keys() & {"J", "dipolar", "tensor"}:
        yield f"this coupling holds only {', '.join(coupling)}; give J, dipolar or tensor"
    tensor = coupling.get("tensor")
    rows = tensor if isinstance(tensor, list) else []
    if tensor is not None and [len(r) if isinstance(r, list) else 0 for r in rows] != [3, 3, 3]:
        yield f"`tensor` must be three rows of three frequencies, but is {formats.shown(tensor)}"


def _sample(entry: SampleFormat, document: Document, stem: str) -> Sample:
    return Sample(
        name=entry.name or stem,
        title=entry.title,
        spins=tuple(map(_spin, entry.spins)),
        couplings=tuple(map(_coupling, entry.couplings)),
        field_tesla=entry.field,
        raster_s=entry.raster,
        relaxation=tuple(mechanism.mechanism() for mechanism in entry.relaxation),
        sources=MappingProxyType(entry.sources),
        notes=entry.notes,
        sha256=document.sha256,
    )


def _spin(entry: SpinFormat) -> Spin:
    T1 = math.inf if entry.T1 is None else entry.T1
    return Spin(
        label=entry.label,
        nucleus=entry.nucleus,
        offset_hz=entry.offset,
        T1_s=T1,
        T2_s=2 * T1 if entry.T2 is None else entry.T2,
        pulse_90_s=entry.pulse_90,
        polarization=entry.polarization,
    )


def _coupling(entry: CouplingFormat) -> Coupling:
    first, second = entry.between
    return Coupling(
        between=(first, second),
        J_hz=entry.J or 0.0,
        dipolar_hz=entry.dipolar or 0.0,
        tensor_hz=None if entry.tensor is None else _tensor(entry.tensor),
        truncation=entry.truncation,
    )


def _tensor(rows: list[list[float]]) -> Tensor:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return (a, b, c), (d, e, f), (g, h, i)
