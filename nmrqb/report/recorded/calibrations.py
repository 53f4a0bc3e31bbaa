"""Calibrations from recorded data as a JSON document and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nmrqb.experiment.recorded import Calibrated
from nmrqb.report.text import table

CALIBRATION_FORMAT = "nmrqb-calibration/1"
_SCALES: Mapping[str, tuple[float, str]] = {"pulse_90": (1e6, "µs")}


def calibration_document(found: Sequence[Calibrated], files: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON document of `nmrqb calibrate`."""
    return {
        "format": CALIBRATION_FORMAT,
        "measured": [
            {
                "measures": one.measures,
                "spins": list(one.spins),
                "value": one.value,
                "error": one.error,
                "unit": one.unit,
                "ppm": one.ppm,
                "misfit": one.misfit,
                "notes": list(one.notes),
                "file": one.source,
                "sha256": one.sha256,
            }
            for one in found
        ],
        "files": list(files),
    }


def in_units(one: Calibrated) -> tuple[float, float, str]:
    """Return value and error in the unit that people use, and its name."""
    factor, unit = _SCALES.get(one.measures, (1.0, one.unit))
    return factor * one.value, factor * one.error, unit


def calibration_text(found: Sequence[Calibrated]) -> str:
    """Return what was measured, as an experimenter reads it."""
    rows = []
    for one in found:
        value, error, unit = in_units(one)
        rows.append(
            [
                f"{one.measures} {', '.join(one.spins)}",
                f"{value:.6g}",
                f"{error:.2g}",
                unit,
                "-" if one.ppm is None else f"{one.ppm:.4f}",
                f"{one.misfit:.3g}",
            ]
        )
    notes = [
        f"  Note: {one.measures} {', '.join(one.spins)}: {n}" for one in found for n in one.notes
    ]
    return "\n".join([table(["measured", "value", "error", "unit", "ppm", "misfit"], rows), *notes])
