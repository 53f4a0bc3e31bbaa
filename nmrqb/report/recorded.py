"""What recorded data tell, as text and as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nmrqb.experiment import FIGURES
from nmrqb.experiment.recorded import Calibrated, FittedFile, RecordedState, Tomogram
from nmrqb.files import FolderKind, check_folder, folder_atomically
from nmrqb.operators import Complex
from nmrqb.report.documents import dump
from nmrqb.report.text import table
from nmrqb.tomography.combinations import names_of
from nmrqb.tomography.from_lines import coefficient

TOMOGRAPHY_FORMAT = "nmrqb-tomography/1"
CALIBRATION_FORMAT = "nmrqb-calibration/1"
_KIND = FolderKind(
    "tomography.json",
    f'"format": "{TOMOGRAPHY_FORMAT}"',
    frozenset({"tomography.json", "tomography.txt"}),
)
_SURE = 3.0  # standard deviations by which the largest population must lead


def coupling_of(files: Sequence[FittedFile], channel: str) -> tuple[float, float] | None:
    """Return the weighted mean of the couplings of a channel's files and its error in Hz.

    The error is multiplied by √(χ²/(n − 1)) where the files scatter by more than their errors.
    """
    known = [f.coupling_hz for f in files if f.file.channel == channel and f.coupling_hz]
    if not known:
        return None
    values, errors = np.array(known).T
    weights = 1 / errors**2
    mean = float(weights @ values / weights.sum())
    scatter = float(weights @ (values - mean) ** 2) / max(len(values) - 1, 1)
    return mean, float(np.sqrt(max(scatter, 1.0) / weights.sum()))


def line_contrast(amplitudes: Complex) -> float | None:
    """Return (strong − weak)/(strong + weak) of the populations' part of two lines.

    After a 90° x pulse populations show in the imaginary part; None where that is not known.
    """
    if len(amplitudes) != 2 or not np.all(np.isfinite(amplitudes.imag)):
        return None
    weak, strong = np.sort(np.abs(amplitudes.imag))
    return float((strong - weak) / (strong + weak))


# ------------------------------------------------------------------------------------------- JSON
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
        "populations": _populations(state),
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


def _populations(state: RecordedState) -> dict[str, Any] | None:
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


# ------------------------------------------------------------------------------------------- text
def tomography_text(tomogram: Tomogram) -> str:
    """Return what recorded data tell, as an experimenter reads it."""
    data = tomogram.data
    scale = "in the unit of the reference" if data.reference else "on the scale of the data"
    lines = [
        data.title or data.name,
        f"  sample {data.sample.name} ({', '.join(data.sample.labels)}), {data.kind}, {scale}",
        "",
        _files_table(tomogram.files),
        "",
    ]
    for channel in data.channels:
        if (found := coupling_of(tomogram.files, channel)) is not None:
            lines.append(f"  J from {channel}: {found[0]:.3f} ± {found[1]:.3f} Hz")
    for channel, gain in tomogram.gains.items():
        phase = np.degrees(np.angle(gain.factor))
        lines.append(
            f"  gain of {channel}: {abs(gain.factor):.5g} ± {100 * gain.error:.2g} %, "
            f"phase {phase:.1f}°"
        )
    for state in tomogram.states:
        lines += ["", *_state_text(state)]
    lines += [""] if tomogram.findings else []
    lines += [f"  Note: {finding}" for finding in tomogram.findings]
    return "\n".join(lines)


def _files_table(files: Sequence[FittedFile]) -> str:
    header = ["file", "ppm", "widths Hz", "phases °", "amplitudes", "noise", "misfit", "J Hz"]
    return table(header, [_file_row(f) for f in files])


def _file_row(f: FittedFile) -> list[str]:
    if f.multiplet is None:
        size = " ".join(f"{a:.4g}" for a in f.known.moduli)
        how = "known" if f.file.data.integrals is None else "integrated"
        return [f.file.name, "-", how, "-", size, "-", "-", "-"]
    m = f.multiplet
    coupling = "-" if f.coupling_hz is None else f"{f.coupling_hz[0]:.2f} ± {f.coupling_hz[1]:.2g}"
    return [
        f.file.name + ("" if f.found else " (weak)"),
        "-" if f.ppm is None else f"{f.ppm:.3f}",
        " ".join(f"{w:.2f}" for w in m.widths_hz),
        " ".join(f"{p:.0f}" for p in np.degrees(np.angle(m.amplitudes))),
        " ".join(f"{abs(a):.4g}" for a in m.amplitudes),
        f"{m.noise:.3g}",
        f"{m.misfit:.3g}",
        coupling,
    ]


def _state_text(state: RecordedState) -> list[str]:
    estimate = state.estimate
    terms = " + ".join(
        name if weight == 1 else f"{weight:g} {name}" for name, weight in state.weights.items()
    )
    rows = [
        [c.name, f"{value:.4f}", f"{error:.4f}"]
        for c, value, error in zip(
            estimate.seen, estimate.values.tolist(), estimate.errors.tolist(), strict=True
        )
    ]
    lines = [
        f"State {state.name}: {terms}",
        table(["expectation value", "value", "error"], rows),
        f"  not determined: {names_of(estimate.invisible) or 'nothing'}",
        *_populations_text(state),
        f"  χ² {float(estimate.chi2):.4g} on {estimate.degrees_of_freedom} degrees of freedom, "
        f"p = {state.p_value:.2g}",
    ]
    return lines + _figures_text(state)


def _populations_text(state: RecordedState) -> list[str]:
    known = _populations(state)
    if known is None:
        return ["  populations: not determined"]
    shares = ", ".join(
        f"{name} {p['value']:+.4f} ± {p['error']:.2g}" for name, p in known["less_mean"].items()
    )
    lead, error = known["lead"]["value"], known["lead"]["error"]
    sure = "" if lead > _SURE * error else ", but not significantly"
    contrasts = ", ".join(
        f"{channel} {contrast:.2f}"
        for (_, channel), lines in state.sums.items()
        if (contrast := line_contrast(lines)) is not None
    )
    return [
        f"  populations less their mean: {shares}",
        f"  largest: {known['largest']}, by {lead:.3g} ± {error:.2g}{sure}",
        *([f"  contrast of the two lines: {contrasts}"] if contrasts else []),
    ]


def _figures_text(state: RecordedState) -> list[str]:
    lines = ["  figures of merit"] if state.verdicts else []
    for verdict in state.verdicts:
        name, unit = verdict.figure, ""
        if name in FIGURES and FIGURES[name].units != "1":
            unit = f" {FIGURES[name].units}"
        if not verdict.determined:
            text = f"not determined, misses {names_of(verdict.missing)}"
            if name in state.ranges:
                reach = state.ranges[name]
                text += f"; from {reach.low:.4g} to {reach.high:.4g}{unit} in any such state"
        elif name in state.figures:
            found = state.figures[name]
            text = (
                f"{float(found.value):.4g} [{float(found.low):.4g}, {float(found.high):.4g}]{unit}"
            )
        elif name == "energy" and state.linear is not None:
            text = f"{state.linear[0]:.4g} ± {state.linear[1]:.2g}{unit}"
        else:
            text = "determined"
        lines.append(f"    {name}: {text}")
    return lines


# ------------------------------------------------------------------------------------ the folder
def check_tomography_folder(path: str) -> None:
    """Refuse a folder that holds anything but an earlier result of ours; see `check_folder`."""
    check_folder(path, _KIND)


def write_tomography(tomogram: Tomogram, path: str) -> list[str]:
    """Write text and document into a folder; return the names of the files.

    Raises
    ------
    OutputError
        As `nmrqb.files.folder_atomically`.
    """
    parts = {
        "tomography.json": dump(tomography_document(tomogram)),
        "tomography.txt": tomography_text(tomogram) + "\n",
    }
    with folder_atomically(path, _KIND) as folder:
        for name, text in parts.items():
            (folder / name).write_text(text, encoding="utf-8")
    return [f"{path}/{name}" for name in parts]


# ----------------------------------------------------------------------------------- calibrations
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


_SCALES: Mapping[str, tuple[float, str]] = {"pulse_90": (1e6, "µs")}


def calibration_text(found: Sequence[Calibrated]) -> str:
    """Return what was measured, as an experimenter reads it."""
    rows = []
    for one in found:
        factor, unit = _SCALES.get(one.measures, (1.0, one.unit))
        rows.append(
            [
                f"{one.measures} {', '.join(one.spins)}",
                f"{factor * one.value:.6g}",
                f"{factor * one.error:.2g}",
                unit,
                "-" if one.ppm is None else f"{one.ppm:.4f}",
                f"{one.misfit:.3g}",
            ]
        )
    notes = [
        f"  Note: {one.measures} {', '.join(one.spins)}: {n}" for one in found for n in one.notes
    ]
    return "\n".join([table(["measured", "value", "error", "unit", "ppm", "misfit"], rows), *notes])
