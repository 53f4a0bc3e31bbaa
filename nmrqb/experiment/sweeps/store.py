"""The folder of a map: arrays by blocks in zarr, and a list of the blocks that are finished.

A block is finished when its line stands in ``finished.txt``, written after its arrays with a hash
of them; whatever a process leaves behind that is killed has no line, or its hash tells.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from nmrqb.arguments import checked
from nmrqb.errors import InputError, NmrqbError, OutputError, Position
from nmrqb.experiment.figures import FIGURES
from nmrqb.experiment.sweeps.layout import Layout
from nmrqb.experiment.sweeps.plan import FORMAT, Plan
from nmrqb.experiment.sweeps.points import variables
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.operators import Real

REQUEST, FINISHED, ARRAYS = "sweep.json", "finished.txt", "map.zarr"
SUMMARY, PICTURE = "summary.txt", "map.png"
FOLDER = FolderKind(
    REQUEST,
    opening=FORMAT.partition("/")[0],
    names=frozenset({REQUEST, FINISHED, ARRAYS, SUMMARY, PICTURE}),
)

_KEPT = {
    "max": "largest value over time of the {}",
    "argmax": "first time of the largest {}",
    "min": "smallest value over time of the {}",
    "argmin": "first time of the smallest {}",
    "mean": "mean over time of the {}",
    "last": "{} at the last time",
    "none": "{}",
}


@dataclass(frozen=True, eq=False)
class Store:
    """The folder of one map.

    Attributes
    ----------
    folder
        Where it is.
    layout
        How it is cut.
    arrays
        The zarr group.
    """

    folder: Path
    layout: Layout
    arrays: Any

    def finished(self) -> set[int]:
        """Return the blocks whose line stands there and whose arrays have its hash."""
        with _undamaged(self.folder, OutputError):
            lines = _finished(self.folder)
            return {number for number, digest in lines.items() if self._holds(number, digest)}

    def _holds(self, number: int, digest: str) -> bool:
        if number >= self.layout.blocks:
            return False
        try:
            return _digest(self.read(number)) == digest
        except (OSError, ValueError, RuntimeError):  # what is left of a file that was torn
            return False

    def read(self, number: int) -> dict[str, Real]:
        """Return the arrays of a block."""
        place = self.layout.place(number)
        return {name: np.asarray(self.arrays[name][place]) for name in self.names()}

    def names(self) -> list[str]:
        """Return the names of all arrays that blocks hold."""
        shown = json.loads((self.folder / REQUEST).read_text(encoding="utf-8"))
        return sorted(shown["variables"])

    def write(self, number: int, found: Mapping[str, Real]) -> None:
        """Write the arrays of a block, and then that it is finished.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        place = self.layout.place(number)
        try:
            for name, values in found.items():
                self.arrays[name][place] = values
            _append(self.folder / FINISHED, f"{number} {_digest(found)}\n")
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"`{self.folder}` cannot be written: {reason}") from error
        except _SPOILT as error:
            raise OutputError(_damaged(self.folder, error)) from error


_SPOILT = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What zarr, xarray and our own documents raise when a file of a map is damaged."""


def _damaged(folder: str | Path, error: Exception) -> str:
    reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:120]
    said = f"{type(error).__name__}: {reason}"
    return f"`{folder}` is damaged ({said}); sweep again into another folder"


@contextmanager
def _undamaged(folder: str | Path, wrong: Callable[[str], NmrqbError]) -> Iterator[None]:
    """Turn whatever reading a damaged map raises into one message."""
    try:
        yield
    except NmrqbError:
        raise
    except _SPOILT as error:
        raise wrong(_damaged(folder, error)) from error


def _finished(folder: Path) -> dict[int, str]:
    path = folder / FINISHED
    return _lines(path.read_text(encoding="ascii", errors="replace")) if path.exists() else {}


def _lines(text: str) -> dict[int, str]:
    """Return number → hash of whole lines; the last one may have been torn off."""
    found = {}
    for line in text.split("\n")[:-1]:
        number, _, digest = line.partition(" ")
        if number.isdigit() and len(digest) == 64:
            found[int(number)] = digest
    return found


def _digest(found: Mapping[str, Real]) -> str:
    whole = hashlib.sha256()
    for name in sorted(found):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(found[name], dtype="<f8").tobytes())
    return whole.hexdigest()


def _append(path: Path, line: str) -> None:
    with path.open("ab+") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":  # a line that was torn off stays a line of its own
                line = "\n" + line
        stream.write(line.encode())
        stream.flush()
        os.fsync(stream.fileno())


# ------------------------------------------------------------------------------- opening and making
def open_store(path: str | Path, plan: Plan, block: int | None = None) -> Store:
    """Return the folder of a map: the one that is there if it is of the same sweep, or a new one.

    Raises
    ------
    OutputError
        If the folder holds something else, or a different sweep, is damaged, or cannot be written.
    """
    check_folder(path, FOLDER)
    folder = Path(os.path.realpath(path))
    if not (folder / REQUEST).exists():
        layout = plan.layout(block)
        with folder_atomically(path, FOLDER) as new:
            _make(new, plan, layout)
    there = _request(folder)
    with _undamaged(path, OutputError):
        if difference := _difference(there["request"], json.loads(json.dumps(plan.request()))):
            message = f"`{path}` holds a different sweep: {difference}; give another folder"
            raise OutputError(message)
        layout = Layout(*(tuple(there[key]) for key in ("shape", "tile", "block")))
        store = Store(folder, layout, _group(folder, "r+"))
        for name in [*store.names(), *there["axes"].values()]:
            np.asarray(store.arrays[name][:0])  # its metadata are read before anything is computed
    return store


def recorded_seed(path: str | Path) -> int | None:
    """Return the seed of a map that is there, or None."""
    folder = Path(path)
    if not FOLDER.owns(folder):
        return None
    there = _request(folder)
    with _undamaged(path, OutputError):
        return int(there["request"]["seed"])


def _request(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"`{folder / REQUEST}` cannot be read: {error}") from error
    return found


def _group(folder: Path, mode: Literal["r+", "w"]) -> Any:  # noqa: ANN401 - a zarr group
    import zarr  # noqa: PLC0415 - half a second, and only maps need it

    return zarr.open_group(folder / ARRAYS, mode=mode)


def _difference(there: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> str:
    """Return in words the first difference of two requests, nothing if there is none."""
    for key in [*there, *(key for key in wanted if key not in there)]:
        name = f"{path}.{key}" if path else key
        old, new = there.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            if found := _difference(old, new, name):
                return found
        elif old != new:
            return f"`{name}` is {_said(old)} there, but {_said(new)} here"
    return ""


def _said(value: object) -> str:
    return "absent" if value is None else str(value)


def _make(folder: Path, plan: Plan, layout: Layout) -> None:
    """Write an empty map: metadata, coordinates, and arrays without values."""
    group = _group(folder, "w")
    dims = dimensions(plan)
    for axis, name in zip(plan.axes, axis_names(plan), strict=True):
        dim = "point" if plan.joint else name
        _coordinate(group, name, dim, axis.values, axis.units, axis.path)
    named = variables(plan.job)
    inner = "step" if plan.job.moving else "time"
    if "none" in plan.job.reductions and not plan.job.moving:
        _coordinate(group, "time", "time", plan.times_s, "s", "protocol time")
    for name, (figure, kept) in named.items():
        curve = kept == "none"
        count = (plan.times_s.size,) if curve else ()
        group.create_array(
            name,
            shape=(*layout.shape, *count),
            chunks=(*layout.block, *count),
            dtype="float64",
            fill_value=float("nan"),
            dimension_names=(*dims, inner) if curve else dims,
            attributes=_labels(name, figure, kept),
        )
    group.attrs.update({"title": f"map of {plan.name}", "nmrqb": plan.job.version})
    document = {
        "format": FORMAT,
        "shape": layout.shape,
        "tile": layout.tile,
        "block": layout.block,
        "axes": dict(zip((a.path for a in plan.axes), axis_names(plan), strict=True)),
        "order": plan.order,
        "variables": list(named),
        "request": plan.request(),
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    (folder / REQUEST).write_text(text + "\n", encoding="utf-8")


def _labels(name: str, figure: str, kept: str) -> dict[str, str]:
    if figure == "time":
        return {"units": "s", "long_name": "protocol time"}
    shown, whole = FIGURES[figure], _KEPT[kept].format(FIGURES[figure].title)
    for end, said in (("_low", "lower end of"), ("_high", "upper end of"), ("_estimate", "")):
        if name.endswith(end) and "_estimate" in name:
            whole = f"estimate, {said + ' the interval of ' if said else ''}{whole}"
            break
    return {
        "units": "s" if kept.startswith("arg") else shown.units,
        "long_name": whole,
    }


def _coordinate(
    group: Any,  # noqa: ANN401 - a zarr group
    name: str,
    dim: str,
    values: Real,
    units: str,
    long_name: str,
) -> None:
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype="float64",
        dimension_names=(dim,),
        attributes={"units": units, "long_name": long_name},
    )
    array[:] = values


def dimensions(plan: Plan) -> tuple[str, ...]:
    """Return the names of the dimensions of a map."""
    return ("point",) if plan.joint else tuple(axis_names(plan))


def axis_names(plan: Plan) -> list[str]:
    """Return a name for every parameter: the last word of its path where that is enough."""
    paths = [axis.path for axis in plan.axes]
    last = [path.rpartition(".")[2] for path in paths]
    taken = {*variables(plan.job), "time", "step", "point"}
    return [
        path if last.count(word) > 1 or word in taken else word
        for path, word in zip(paths, last, strict=True)
    ]


@checked
def open_map(folder: str | Path) -> xr.Dataset:
    """Open a map that is finished or not; arrays are read where they are used.

    A dimension is called by the last word of its path, ``D`` for ``battery.D``, or by the whole
    path where that word is another's too; coordinates are in SI units, in evenly spaced ranges the
    floats of the decimals, so that ``.sel(D=0.3)`` finds 0.3 Hz.
    Dimensions stand as they are stored: parameters that need a simulation of their own come first.
    Points that are not there yet are NaN; the attributes ``points`` and ``finished_points`` count
    them.

    Raises
    ------
    InputError
        If there is no map, or it is damaged.
    """
    path = Path(folder)
    if not FOLDER.owns(path):
        raise InputError.at(Position(str(folder)), f"`{folder}` is no folder of `nmrqb sweep`")
    there = _request(path)
    with _undamaged(folder, lambda message: InputError.at(Position(str(folder)), message)):
        data: xr.Dataset = xr.open_zarr(
            path / ARRAYS, chunks=None, consolidated=False, decode_times=False
        )
        layout = Layout(*(tuple(there[key]) for key in ("shape", "tile", "block")))
        done = sum(
            int(np.prod([part.stop - part.start for part in layout.place(number)]))
            for number in _finished(path)
            if number < layout.blocks
        )
        data = data.set_coords([*there["axes"].values()])[there["variables"]]
        return data.assign_attrs(points=layout.points, finished_points=done)
