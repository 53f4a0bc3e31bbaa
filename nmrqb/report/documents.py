"""Results as JSON documents: the contracts that programs rely on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nmrqb.errors import Fault
from nmrqb.experiment import EXTRACTED_WORK, FIGURES, Result

RESULT_FORMAT = "nmrqb-result/1"
_ESTIMATED = ("low", "high", "raw", "lower_bound", "upper_bound", "shift")
_MEASURED = ("low", "high", "error")


def dump(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return a document as JSON text; what is not a finite number becomes null."""
    return json.dumps(_finite(document), ensure_ascii=True, indent=1, allow_nan=False)


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    return value


# ----------------------------------------------------------------------------------------- check
def check_document(found: Mapping[str, Sequence[Fault]]) -> dict[str, Any]:
    """Return the JSON document of `nmrqb check`; a fault may stand in a file that ours names."""
    return {
        "files": [
            {"file": file, "ok": not faults, "faults": [_fault(fault) for fault in faults]}
            for file, faults in found.items()
        ]
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {**vars(fault.at), "message": fault.message}


# ------------------------------------------------------------------------------------------- run
def result_document(result: Result, files: Sequence[str]) -> dict[str, Any]:
    """Return the JSON document of `nmrqb run`."""
    data = result.data
    return {
        "format": RESULT_FORMAT,
        "experiment": result.experiment.name,
        "title": result.experiment.title,
        "sample": result.experiment.sample.name,
        "seed": result.seed,
        **_preparation(data),
        "points": [_point(result, data.isel(time=k)) for k in range(data.sizes["time"])],
        "chi2": {
            "mean": float(data["chi2"].mean()),
            "degrees_of_freedom": int(data.attrs["degrees_of_freedom"]),
        },
        "files": list(files),
        "notes": list(result.notes),
        "provenance": dict(result.provenance),
    }


def _preparation(data: xr.Dataset) -> dict[str, Any]:
    """Return what a designed preparation makes; nothing where the state is given."""
    if "preparation_scale" not in data:
        return {}
    keys = {"scale": "scale", "fidelity": "fidelity", "time_s": "time"}
    return {"preparation": {key: float(data[f"preparation_{name}"]) for key, name in keys.items()}}


def _point(result: Result, at: xr.Dataset) -> dict[str, Any]:
    point: dict[str, Any] = {
        "time_s": float(at["time"]),
        "laboratory_time_s": float(at["laboratory_time"]),
        "free_evolution_s": float(at["free_evolution"]),
    }
    if "cycles" in at.coords:
        point["cycles"] = int(at["cycles"])
    point["true"] = {FIGURES[name].key: float(at[f"true_{name}"]) for name in FIGURES}
    point["excited_population"] = {
        str(label): float(value)
        for label, value in zip(at["spin"].values, at["excited_population"].values, strict=True)
    }
    for kind in ("ideal", "model"):
        if f"{kind}_ergotropy" in at:
            point[kind] = {FIGURES[name].key: float(at[f"{kind}_{name}"]) for name in FIGURES}
        if f"{kind}_extracted_work" in at:
            point[kind][EXTRACTED_WORK.key] = float(at[f"{kind}_extracted_work"])
    for name in ("extraction_time", "cycle_time"):
        if name in at:
            point[f"{name}_s"] = float(at[name])
    point["estimate"] = {
        FIGURES[name].key: _numbers(at, name, _ESTIMATED) for name in result.experiment.report
    } | {"fidelity_to_true": float(at["fidelity_to_true"])}
    if "extracted_work" in at:
        point["true"][EXTRACTED_WORK.key] = float(at["true_extracted_work"])
        point["estimate"][EXTRACTED_WORK.key] = _numbers(at, "extracted_work", _MEASURED)
    return point


def _numbers(at: xr.Dataset, name: str, parts: Sequence[str]) -> dict[str, float | bool]:
    present = [part for part in parts if f"{name}_{part}" in at]
    numbers = {"value": float(at[name])} | {part: float(at[f"{name}_{part}"]) for part in present}
    return numbers | {"significant": numbers["low"] > 0 or numbers["high"] < 0}
