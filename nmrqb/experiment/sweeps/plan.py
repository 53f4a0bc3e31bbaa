"""What a sweep is: its parameters, figures and way of computing, checked before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

import nmrqb
from nmrqb import formats
from nmrqb.battery.reductions import REDUCTIONS
from nmrqb.dynamics import timeline_segments, total_duration
from nmrqb.errors import Fault, InputError, Position, nearest, refuse
from nmrqb.experiment.figures import FIGURES
from nmrqb.experiment.format import ExperimentFormat
from nmrqb.experiment.inhomogeneity import spreads
from nmrqb.experiment.loader import TWO_SPIN_TERMS, load_experiment
from nmrqb.experiment.model import DriveCharge, Experiment, SequenceCharge
from nmrqb.experiment.sweeps.axes import Axis, grid_axes, hypercube_axes
from nmrqb.experiment.sweeps.batteries import Recipe, is_state_path
from nmrqb.experiment.sweeps.layout import Block, Layout, Shape
from nmrqb.experiment.sweeps.points import CLOCK, Job, Way, points_of
from nmrqb.experiment.sweeps.tables import table_axes
from nmrqb.files import Document, override_texts
from nmrqb.operators import Real
from nmrqb.sequence import NO_ERRORS, with_errors

FORMAT = "nmrqb-sweep/1"
USUAL = ("max", "min")
MAX_POINTS = 10**9
_TILE, _TILE_VALUES = 1024, 2**18  # points, and points times times, of one call of the numerics
_BLOCK: Mapping[Way, int] = {"closed": 8192, "maps": 4096, "tomography": 16}
_LOADED = 256  # points of a block of which each may need maps of its own
_BLOCK_VALUES = 4_000_000  # numbers of one array of a block
_NOT_STATE = ("title", "notes", "name", "report", "seed", "sweep")


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that can be made.

    Attributes
    ----------
    name
        Of the experiment.
    job
        What is computed at every point.
    axes
        Parameters with their values; those that need a simulation of their own come first.
    order
        Paths in the order in which they were given.
    kind
        ``grid``, ``latin hypercube`` or ``table``.
    times_s
        Protocol times of all points where they are the same, shape (T,).
    tree
        What the experiment's file says, as far as it changes numbers.
    """

    name: str
    job: Job
    axes: tuple[Axis, ...]
    order: tuple[str, ...]
    kind: str
    times_s: Real
    tree: Mapping[str, Any]

    @property
    def joint(self) -> bool:
        """Whether all parameters share one dimension."""
        return self.kind != "grid"

    @property
    def shape(self) -> Shape:
        """Points along every dimension of the map."""
        return self.axes[0].values.shape if self.joint else tuple(a.values.size for a in self.axes)

    def layout(self, block: int | None = None) -> Layout:
        """Return how the map is cut, by default into blocks that take about a second."""
        count, size = self.times_s.size, _BLOCK[self.job.way]
        tile = 1 if self.job.way == "tomography" else max(1, min(_TILE, _TILE_VALUES // count))
        if self.job.way == "maps" and any(not is_state_path(axis.path) for axis in self.axes):
            tile, size = min(tile, _LOADED), _LOADED
        kept = count if "none" in self.job.reductions else 1
        return Layout.of(self.shape, tile, min(block or size, max(1, _BLOCK_VALUES // kept)))

    def block(self, layout: Layout, number: int) -> Block:
        """Return a block of the map."""
        place = layout.place(number)
        parts = [place[0]] * len(self.axes) if self.joint else place
        return Block(
            number,
            tuple(part.start for part in place),
            tuple(part.stop - part.start for part in place),
            layout.shape,
            layout.tile,
            tuple(axis.values[part] for axis, part in zip(self.axes, parts, strict=True)),
            self.joint,
        )

    def request(self) -> dict[str, Any]:
        """Return all that the numbers of the map depend on, as a JSON document."""
        job = self.job
        return {
            "format": FORMAT,
            "nmrqb": job.version,
            "experiment": self.tree,
            "inputs": {name: value for name, value in job.hashes if name != "experiment"},
            "kind": self.kind,
            "axes": {axis.path: _described(axis) for axis in self.axes},
            "figures": sorted(job.figures),
            "reduce": sorted(job.reductions),
            "tomography": job.way == "tomography",
            "seed": job.seed,
        }


def _described(axis: Axis) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(axis.values, dtype="<f8").tobytes()).hexdigest()
    first, last = (axis.text(float(value)) for value in axis.values[[0, -1]])
    return f"{axis.values.size} values from {first} to {last}, sha256 {digest[:16]}"


def plan_sweep(  # noqa: PLR0913 - all keywords, and each one stands alone
    experiment: str | Path,
    over: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, str | float] | None = None,
    lhs: int | None = None,
    table: str | Path | None = None,
    figures: Iterable[str] | None = None,
    reduce: Iterable[str] | None = None,
    tomography: bool = False,
    seed: int = 0,
) -> Plan:
    """Check a sweep and return it.

    Parameters
    ----------
    experiment
        A shipped name, or a file; not what `load_experiment` made of it, for every point reads the
        file with values of its own.
    over
        Path of a value of the experiment to its values, see `grid_axes`; by default the
        ``sweep`` entry of the file says it.
    overrides
        Changes by path, as for `nmrqb.experiment.load_experiment`.
    lhs
        Points of a Latin hypercube over START:STOP of every path.
    table
        CSV file of points, see `table_axes`.
    figures, reduce
        Figures of merit (by default those that the file reports) and what is kept of them over
        time, names out of `nmrqb.battery.reductions.REDUCTIONS` (by default max and min).
    tomography
        Whether every point is measured and estimated, as by `nmrqb.run`, beside its true state.
    seed
        Of every random number.

    Raises
    ------
    InputError
        With the faults of the experiment, and of the values wherever they are said.
    """
    changes = override_texts(overrides or {})
    document = formats.read("experiment", experiment, ExperimentFormat, overrides=changes)
    loaded = load_experiment(experiment, overrides=changes)
    entry = formats.checked(document, ExperimentFormat)
    axes, kind = _axes(entry, document, over, lhs, table, seed)
    _check_axes(axes, kind)
    probes = list(_probed(experiment, changes, axes))
    kept = reduce or (entry.sweep.reduce if entry.sweep else USUAL)
    reductions = _names("--reduce", kept, REDUCTIONS)
    way = _way(loaded, axes, tomography=tomography)
    if way != "closed":  # what needs a simulation of its own goes slowest
        axes = sorted(axes, key=lambda axis: is_state_path(axis.path))
    moving = any(not np.array_equal(_times(loaded), _times(probe)) for probe in probes)
    _check_lengths(reductions, [loaded, *probes])
    job = Job(
        argument=str(experiment),
        overrides=tuple(changes.items()),
        hashes=tuple(loaded.inputs_sha256.items()),
        recipe=Recipe.of(entry, loaded.sample.labels),
        drive=loaded.charge if isinstance(loaded.charge, DriveCharge) else None,
        axes=tuple(replace(axis, values=np.empty(0)) for axis in axes),
        figures=_names("--figures", figures or loaded.report, FIGURES),
        reductions=reductions,
        way=way,
        moving=moving,
        seed=seed,
        version=nmrqb.__version__,
    )
    order = tuple(over or (entry.sweep.over if entry.sweep else ())) or tuple(a.path for a in axes)
    tree = {key: value for key, value in document.tree.items() if key not in _NOT_STATE}
    return Plan(loaded.name, job, tuple(axes), order, kind, _times(loaded), tree)


def _names(option: str, names: Iterable[str], valid: Iterable[str]) -> tuple[str, ...]:
    found, known = tuple(dict.fromkeys(names)), list(valid)
    refuse(
        Fault(Position(f"{option} {name}"), f"`{name}` is not known; {nearest(name, known)}")
        for name in found
        if name not in known
    )
    return found


# ------------------------------------------------------------------------------------- parameters
def _axes(
    entry: ExperimentFormat,
    document: Document,
    over: Mapping[str, str] | None,
    lhs: int | None,
    table: str | Path | None,
    seed: int,
) -> tuple[list[Axis], str]:
    if table is not None:
        if over or lhs:
            message = "holds all points; leave --over and --lhs out"
            raise InputError.at(Position(f"--list {table}"), message)
        return table_axes(table), "table"
    texts, places = dict(over or {}), {path: Position(f"--over {path}") for path in over or {}}
    if not texts and entry.sweep is not None:
        texts, lhs = dict(entry.sweep.over), lhs or entry.sweep.lhs
        places = {path: document.position(("sweep", "over", path)) for path in texts}
    if not texts:
        message = "no parameters to sweep; give --over PATH=START:STOP:POINTS or a `sweep` entry"
        raise InputError.at(document.position(), message)
    if lhs is not None:
        return hypercube_axes(texts, places, lhs, seed), "latin hypercube"
    return grid_axes(texts, places), "grid"


def _check_axes(axes: list[Axis], kind: str) -> None:
    paths = [axis.path for axis in axes]
    faults = [
        Fault(axis.at, f"`{axis.path}` is no parameter of the state; a sweep cannot change it")
        for axis in axes
        if axis.path.split(".")[0] in {*_NOT_STATE, "format", "sample"}
    ]
    faults += [
        Fault(axis.at, f"`{axis.path}` stands twice") for axis in axes if paths.count(axis.path) > 1
    ]
    points = prod(axis.values.size for axis in axes)
    if kind == "grid" and points > MAX_POINTS:
        message = f"the grid has {points:.3g} points; the most are {MAX_POINTS:.0e}"
        faults.append(Fault(axes[-1].at, message))
    refuse(faults)


def _probed(
    experiment: str | Path, changes: Mapping[str, str], axes: list[Axis]
) -> Iterator[Experiment]:
    """Load the experiment at the ends of every axis; tell what is wrong where values were said."""
    last = {axis.path: axis.text(float(axis.values[-1])) for axis in axes}
    places = {f"--set {axis.path}": axis.at for axis in axes}
    faults: list[Fault] = []
    for axis in axes:
        for value in _probes(axis):
            try:
                overrides = {**changes, **last, axis.path: axis.text(value)}
                yield load_experiment(experiment, overrides=overrides)
            except InputError as error:
                faults += [Fault(places.get(f.at.file, f.at), f.message) for f in error.faults]
    refuse(faults)


def _probes(axis: Axis) -> tuple[float, ...]:
    """Return values that stand for all of an axis; a term of the battery may be 0 on a map."""
    if axis.path in {f"battery.{term}" for term in TWO_SPIN_TERMS}:
        return (float(axis.values[np.abs(axis.values).argmax()]),)
    return axis.extremes()


# --------------------------------------------------------------------------------- way of computing
def _way(experiment: Experiment, axes: list[Axis], *, tomography: bool) -> Way:
    """Return how points are computed: in closed form where nothing disturbs a hard drive."""
    if tomography:
        return "tomography"
    if experiment.extract or experiment.preparation is not None:
        raise InputError.at(
            Position("--tomography"),
            "states that are prepared by a sequence, and extraction, are swept with tomography "
            "only: add --tomography",
        )
    noise, protocol = experiment.noise, experiment.charge
    ideal = noise.pulses == "ideal" and not spreads(noise) and noise.pulse_errors == NO_ERRORS
    hard = isinstance(protocol, DriveCharge) and not protocol.soft
    plain = all(is_state_path(axis.path) or axis.path in CLOCK for axis in axes)
    whole = experiment.battery.spins is None
    return "closed" if ideal and hard and plain and whole else "maps"


def _times(experiment: Experiment) -> Real:
    """Return the protocol times."""
    protocol = experiment.charge
    if not isinstance(protocol, SequenceCharge):
        return protocol.times_s
    played = with_errors(protocol.timeline, experiment.noise.pulse_errors, experiment.sample)
    one_pass = float(total_duration(timeline_segments(played, experiment.sample)))
    return np.asarray(protocol.cycles * one_pass)


def _check_lengths(reductions: tuple[str, ...], experiments: list[Experiment]) -> None:
    own, *lengths = (points_of(e) for e in experiments)
    others = sorted({length for length in lengths if length != own})
    if "none" in reductions and others:
        raise InputError.at(
            Position("--reduce none"),
            f"whole curves need the same number of times at every point, the {own} of the "
            f"experiment, but some have {', '.join(map(str, others))}",
        )
