"""The JSON document of a tomography of recorded data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmrqb.experiment import FIGURES
from nmrqb.experiment.recorded import FittedFile, RecordedState, Tomogram
from nmrqb.experiment.recorded.means import weighted_mean
from nmrqb.operators import Complex
from nmrqb.tomography.from_lines import coefficient

TOMOGRAPHY_FORMAT = "nmrqb-tomography/1"


def coupling_of(files: Sequence[FittedFile], channel: str) -> tuple[float, float] | None:
    """Return the weighted mean of the couplings of a channel's files and its error in Hz.

    The error is multiplied by √(χ²/(n − 1)) where the files scatter by more than their errors.
    """
    known = [f.coupling_hz for f in files if f.file.channel == channel and f.coupling_hz]
    if not known:
        return None
    mean = weighted_mean(*zip(*known, strict=True))
    return mean.value, mean.error


def line_contrast(amplitudes: Complex) -> float | None:
    """Return (strong − weak)/(strong + weak) of the populations' part of two lines.

    After a 90° x pulse populations show in the imaginary part; None where that is not known.
    """
    if len(amplitudes) != 2 or not np.all(np.isfinite(amplitudes.imag)):
        return None
    weak, strong = np.sort(np.abs(amplitudes.imag))
    return float((strong - weak) / (strong + weak))


def tomography_document(tomogram: Tomogram) -> dict[str, Any]:
    """Return the JSON document of `nmrqb tomography`."""
    data = tomogram.data
    return {
        "format": TOMOGRAPHY_FORMAT,
        "data": data.name,
        "title": data.title,
        "sample": data.sample.name,
        "spins": list(data.sample.labels),
        "kind": data.kind,
        "files": [_file(f) for f in tomogram.files],
        "J_hz": {
            channel: None if found is None else {"value": found[0], "error": found[1]}
            for channel in data.channels
            for found in [coupling_of(tomogram.files, channel)]
        },
        "gains": {
            channel: {
                "modulus": abs(gain.factor),
                "phase_deg": float(np.degrees(np.angle(gain.factor))),
                "relative_error": gain.error,
            }
            for channel, gain in tomogram.gains.items()
        },
        "states": [_state(state, tomogram) for state in tomogram.states],
        "intervals": None
        if tomogram.battery is None
        else {
            "method": "parametric bootstrap, bias-corrected",
            "confidence": tomogram.bootstrap.confidence,
            "replicas": tomogram.bootstrap.replicas,
            "seed": tomogram.bootstrap.seed,
        },
        "findings": list(tomogram.findings),
        "provenance": {
            "inputs_sha256": dict(data.inputs_sha256)
            | {str(f.file.data.path): f.sha256 for f in tomogram.files}
        },
    }


def _file(f: FittedFile) -> dict[str, Any]:
    document: dict[str, Any] = {
        "file": str(f.file.data.path),
        "channel": f.file.channel,
        "readout": f.file.readout,
        "experiment": f.file.experiment,
        "amplitudes": [
            {"real": _number(a.real), "imaginary": _number(a.imag)} for a in f.amplitudes.tolist()
        ],
        "found_by_itself": f.found,
    }
    if f.multiplet is None:
        return document
    m = f.multiplet
    return document | {
        "centre_ppm": f.ppm,
        "centre_hz": m.centre_hz,
        "positions_hz": m.positions_hz.tolist(),
        "widths_hz": m.widths_hz.tolist(),
        "width_errors_hz": m.true_errors[2:].tolist(),
        "phases_deg": np.degrees(np.angle(m.amplitudes)).tolist(),
        "signal_to_noise": m.signal_to_noise.tolist(),
        "noise": m.noise,
        "edge_noise": f.edge_noise,
        "misfit": m.misfit,
        "J_hz": None if f.coupling_hz is None else dict(zip(("value", "error"), f.coupling_hz)),  # noqa: B905
    }


def _number(value: float) -> float | None:
    """Return None of a part that a table of integrals does not show."""
    return value if np.isfinite(value) else None


def _state(state: RecordedState, tomogram: Tomogram) -> dict[str, Any]:
    estimate = state.estimate
    paulis = {}
    for pauli in estimate.design.paulis:
        known = coefficient(estimate, pauli)
        paulis[pauli] = {
            "determined": known is not None,
            "value": None if known is None else known[0],
            "error": None if known is None else known[1],
        }
    return {
        "name": state.name,
        "weights": dict(state.weights),
        "paulis": paulis,
        "not_determined": [c.name for c in estimate.invisible],
        "determined_combinations": [
            {"name": c.name, "value": value, "error": error}
            for c, value, error in zip(
                estimate.seen, estimate.values.tolist(), estimate.errors.tolist(), strict=True
            )
        ],
        "populations": populations_entry(state),
        "line_contrast": {
            f"{readout} on {channel}": line_contrast(lines)
            for (readout, channel), lines in state.sums.items()
        },
        "rho": _matrix(estimate.rho) if estimate.design.complete else None,
        "chi2": float(estimate.chi2),
        "degrees_of_freedom": estimate.degrees_of_freedom,
        "p_value": state.p_value,
        "not_used": list(state.missing),
        "figures": _figures(state, tomogram),
    }


def _matrix(rho: Complex) -> dict[str, Any]:
    return {"real": rho.real.tolist(), "imaginary": rho.imag.tolist()}


def populations_entry(state: RecordedState) -> dict[str, Any] | None:
    """Return the populations less their mean as an entry of the document, None if unknown."""
    known = state.populations
    if known is None:
        return None
    values, covariance = known
    n = state.estimate.design.spins
    names = [format(k, f"0{n}b") for k in range(len(values))]
    errors = np.sqrt(np.diagonal(covariance))
    return {
        "less_mean": {
            name: {"value": value, "error": error}
            for name, value, error in zip(names, values.tolist(), errors.tolist(), strict=True)
        },
        "largest": names[int(np.argmax(values))],
        "lead": {"value": (lead := _lead(state))[0], "error": lead[1]},
    }


def _lead(state: RecordedState) -> tuple[float, float]:
    """Return by how much the largest population leads the second, and the error of that."""
    known = state.populations
    assert known is not None  # asked for only where populations are determined
    values, covariance = known
    second, first = np.argsort(values)[-2:]
    difference = np.zeros(len(values))
    difference[[first, second]] = 1.0, -1.0
    error = float(np.sqrt(difference @ covariance @ difference))
    return float(difference @ values), error


def _figures(state: RecordedState, tomogram: Tomogram) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for verdict in state.verdicts:
        entry: dict[str, Any] = {
            "determined": verdict.determined,
            "missing": [c.name for c in verdict.missing],
        }
        if verdict.figure == "energy" and state.linear is not None:
            entry |= {"value": state.linear[0], "error": state.linear[1]}
        if verdict.figure == "populations" and state.levels is not None:
            values, errors = state.levels
            entry |= {"value": values.tolist(), "error": errors.tolist()}
        if verdict.figure == "purity" and state.purity is not None:
            entry |= {"value": state.purity}
        if verdict.figure in state.figures:
            interval = state.figures[verdict.figure]
            names = ("value", "low", "high", "raw", "lower_bound", "upper_bound")
            entry |= {name: float(getattr(interval, name)) for name in names}
        if verdict.figure in state.ranges and not verdict.determined:
            reach = state.ranges[verdict.figure]
            entry |= {"least": reach.low, "most": reach.high}
        key = FIGURES[verdict.figure].key if verdict.figure in FIGURES else verdict.figure
        found[key] = entry
    return found
