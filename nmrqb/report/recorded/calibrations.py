"""Calibrations from recorded data as a JSON document and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nmrqb.experiment.recorded import Calibrated
from nmrqb.report.text import table
from nmrqb.spectrometer.laws import Spread

CALIBRATION_FORMAT = "nmrqb-calibration/1"
_SCALES: Mapping[str, tuple[float, str]] = {"pulse_90": (1e6, "µs")}


def calibration_document(
    found: Sequence[Calibrated], files: Sequence[str] = (), notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the JSON document of `nmrqb calibrate`.

    Value and error of what the data tell a bound of only are null.  ``b1_inhomogeneity`` is the
    relative spread of the rf field that damps a nutation, null where nothing is told of it; its
    value and error are null where it is not two errors above zero.

    Parameters
    ----------
    found
        What was measured.
    files
        What was written.
    notes
        What to know about the sample that was written.
    """
    return {
        "format": CALIBRATION_FORMAT,
        "measured": [
            {
                "measures": one.measures,
                "spins": list(one.spins),
                "value": None if one.bound else one.value,
                "error": None if one.bound else one.error,
                "bound": None if one.bound is None else f"{one.bound[0]} {one.bound[1]:.6g}",
                "trusted": not one.doubts,
                "unit": one.unit,
                "ppm": one.ppm,
                "b1_inhomogeneity": _spread(one.b1_inhomogeneity),
                "misfit": one.misfit,
                "notes": [*one.notes, *one.doubts],
                "file": one.source,
                "sha256": one.sha256,
            }
            for one in found
        ],
        "files": list(files),
        "sample_notes": list(notes),
    }


def _spread(spread: Spread | None) -> dict[str, float | None] | None:
    if spread is None:
        return None
    value, error = (spread.value, spread.error) if spread.resolved else (None, None)
    return {"value": value, "error": error, "at_most": spread.at_most}


def in_units(one: Calibrated) -> tuple[float, float, str]:
    """Return value and error in the unit that people use, and its name."""
    factor, unit = _SCALES.get(one.measures, (1.0, one.unit))
    return factor * one.value, factor * one.error, unit


def bound_text(one: Calibrated) -> str:
    """Return a bound in the unit that people use, ``> 30``, empty where there is none."""
    if one.bound is None:
        return ""
    factor, _ = _SCALES.get(one.measures, (1.0, one.unit))
    return f"{one.bound[0]} {factor * one.bound[1]:.3g}"


def calibration_text(found: Sequence[Calibrated]) -> str:
    """Return what was measured, as an experimenter reads it."""
    rows = []
    for one in found:
        value, error, unit = in_units(one)
        rows.append(
            [
                f"{one.measures} {', '.join(one.spins)}",
                bound_text(one) or f"{value:.6g}",
                "-" if one.bound else f"{error:.2g}",
                unit,
                "-" if one.ppm is None else f"{one.ppm:.4f}",
                f"{one.misfit:.3g}",
            ]
        )
    notes = [
        f"  Note: {one.measures} {', '.join(one.spins)}: {n}"
        for one in found
        for n in (*one.notes, *one.doubts)
    ]
    return "\n".join([table(["measured", "value", "error", "unit", "ppm", "misfit"], rows), *notes])
