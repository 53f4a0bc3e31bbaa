"""The sample file that holds what was measured in place of what it said."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmrqb import formats
from nmrqb.errors import Fault, Position, refuse
from nmrqb.experiment.recorded.calibrations import Calibrated
from nmrqb.experiment.recorded.judgement import spread_text
from nmrqb.experiment.recorded.means import Mean, rounded, weighted_mean
from nmrqb.experiment.recorded.model import RecordedData
from nmrqb.files import yaml_text
from nmrqb.sample import SampleFormat
from nmrqb.units import quantity

_FAR, _APART = 25.0, 0.1  # scatter, and spread over the mean, from which on values contradict
_MEASURED = "measured, "  # how sources of measured values begin
_WITHOUT = {
    "T1": "without it the spin has no longitudinal relaxation",
    "T2": "without it T2 is 2 T1",
}


@dataclass(frozen=True)
class UpdatedSample:
    """A sample file after a calibration.

    Attributes
    ----------
    text
        YAML.
    notes
        What was averaged, not written or left out, in words.
    """

    text: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Averaged:
    """All measurements of one quantity."""

    members: tuple[Calibrated, ...]
    mean: Mean

    @property
    def first(self) -> Calibrated:
        return self.members[0]

    @property
    def words(self) -> str:
        each = [
            f"{one.value:.8g} ± {one.error:.2g} {one.unit}{_spread(one)}, from {one.source}"
            for one in self.members
        ]
        if len(each) == 1:
            return f"{_MEASURED}{each[0]}"
        return f"{_MEASURED}{self.short}: {'; '.join(each)}"

    @property
    def short(self) -> str:
        inflation = math.sqrt(max(self.mean.scatter, 1.0))
        scattered = f", error times {inflation:.2g} for their scatter" if inflation > 1 else ""
        value = f"{rounded(self.mean.value, self.mean.error)} ± {self.mean.error:.2g}"
        return f"{value} {self.first.unit}, weighted mean of {len(self.members)}{scattered}"

    @property
    def contradicts(self) -> bool:
        values = [one.value for one in self.members]
        spread = max(values) - min(values)
        return self.mean.scatter > _FAR and spread > _APART * abs(self.mean.value)


def calibrated_sample(data: RecordedData, found: Sequence[Calibrated]) -> str:
    """Return the sample file of `updated_sample`, without its notes.

    Raises
    ------
    InputError
        As `updated_sample`.
    """
    return updated_sample(data, found).text


def updated_sample(data: RecordedData, found: Sequence[Calibrated]) -> UpdatedSample:
    """Return the sample file of the data with what was measured in place of what it said.

    T1, T2, 90° times and J are replaced, to two digits of their errors; a J keeps its sign.  Of
    several measurements of one quantity the weighted mean is taken, its error inflated by their
    scatter.  What was measured, with its error, stands under ``sources``.  Of a T2 longer than
    2 T1, the one that was not measured is left out.  What is in doubt is not written.

    Parameters
    ----------
    data
        Whose sample it is.
    found
        From `calibrate_recorded`.

    Raises
    ------
    InputError
        If nothing can be written, measurements of one quantity scatter by over 5 of their errors
        and 10 % of their mean, or a measured T2 is longer than twice a measured T1.
    """
    sure = [one for one in found if not one.doubts]
    if not sure:
        refuse(
            [
                Fault(
                    Position(data.source),
                    "nothing that was measured can be written: " + "; ".join(_unwritten(found)),
                )
            ]
        )
    averages = _averaged(sure)
    refuse(_contradictions(averages, data))
    document = formats.read("sample", data.sample_argument, SampleFormat)
    tree: dict[str, Any] = copy.deepcopy(document.tree)
    sources = dict(tree.get("sources") or {})
    for one in averages:
        _set(tree, one, data)
        sources["_".join([one.first.measures, *one.first.spins])] = one.words
    left_out = _settle(tree, sources, data)
    tree["sources"] = sources | left_out
    several = (f"{a.first.name}: {a.short}" for a in averages if len(a.members) > 1)
    gone = (f"{key.replace('_', ' of ', 1)}: {why}" for key, why in left_out.items())
    return UpdatedSample(yaml_text(tree), (*several, *_unwritten(found), *gone))


def _unwritten(found: Iterable[Calibrated]) -> list[str]:
    return [
        f"{one.name} from {one.source} is not written into the sample: {one.doubts[0]}"
        for one in found
        if one.doubts
    ]


def _averaged(found: Sequence[Calibrated]) -> list[_Averaged]:
    """Return measurements of the same quantity together; of the same data only the first."""
    groups: dict[tuple[str, frozenset[str]], dict[object, Calibrated]] = {}
    for one in found:
        own = groups.setdefault((one.measures, frozenset(one.spins)), {})
        own.setdefault((one.sha256, one.value, one.error), one)
    members = [tuple(own.values()) for own in groups.values()]
    return [
        _Averaged(own, weighted_mean([one.value for one in own], [one.error for one in own]))
        for own in members
    ]


def _contradictions(averages: Sequence[_Averaged], data: RecordedData) -> list[Fault]:
    return [
        Fault(
            Position(data.source),
            f"{one.first.name} was measured {len(one.members)} times, but the values contradict "
            f"each other: {', '.join(_value(m) for m in one.members)}; are all of them of this "
            "spin?",
        )
        for one in averages
        if one.contradicts
    ]


def _value(one: Calibrated) -> str:
    return f"{one.value:.4g} ± {one.error:.2g} {one.unit}"


def _spread(one: Calibrated) -> str:
    """Return what the nutation behind a 90° time tells of the rf field, empty of other things."""
    if one.measures != "pulse_90":
        return ""
    spread = one.b1_inhomogeneity
    told = "taken as 0" if spread is None else spread_text(spread)
    return f" (b1_inhomogeneity {told})"


# ------------------------------------------------------------------------------------- the entries
def _set(tree: dict[str, Any], one: _Averaged, data: RecordedData) -> None:
    measures, spins = one.first.measures, one.first.spins
    if measures == "J":
        sign = math.copysign(1.0, data.sample.coupling(*spins).J_hz)
        _set_coupling(tree, spins, f"{rounded(sign * one.mean.value, one.mean.error)} Hz")
    elif measures != "linewidth":
        factor, unit = (1e6, "us") if measures == "pulse_90" else (1.0, "s")
        value = rounded(factor * one.mean.value, factor * one.mean.error)
        _spin(tree, spins[0])[measures] = f"{value} {unit}"


def _spin(tree: Mapping[str, Any], label: str) -> dict[str, Any]:
    found: dict[str, Any] = next(spin for spin in tree["spins"] if spin["label"] == label)
    return found


def _set_coupling(tree: dict[str, Any], spins: Sequence[str], value: str) -> None:
    couplings = tree.setdefault("couplings", [])
    for coupling in couplings:
        if set(coupling["between"]) == set(spins):
            coupling["J"] = value
            return
    couplings.append({"between": list(spins), "J": value})


def _settle(
    tree: Mapping[str, Any], sources: Mapping[str, str], data: RecordedData
) -> dict[str, str]:
    """Leave out what was not measured of a T2 longer than 2 T1, and say why, by source."""
    left_out, faults = dict[str, str](), list[Fault]()
    for spin in tree["spins"]:
        if "T1" not in spin or "T2" not in spin:
            continue
        T1, T2 = (quantity(str(spin[key]), "time") for key in ("T1", "T2"))
        if T2 <= 2 * T1:
            continue
        label = spin["label"]
        guessed = [k for k in ("T1", "T2") if not _is_measured(sources, f"{k}_{label}")]
        told = f"T2 = {T2:.4g} s is longer than 2 T1 = {2 * T1:.4g} s"
        if not guessed:
            message = f"spin `{label}`: {told}, which is impossible, and both were measured"
            faults.append(Fault(Position(data.source), f"{message}; mend the series"))
            continue
        said = spin.pop(guessed[0])
        left_out[f"{guessed[0]}_{label}"] = (
            f"left out: {said} in sample {data.sample.name} was not measured, and {told}; "
            f"{_WITHOUT[guessed[0]]}"
        )
    refuse(faults)
    return left_out


def _is_measured(sources: Mapping[str, str], name: str) -> bool:
    return sources.get(name, "").startswith(_MEASURED)
