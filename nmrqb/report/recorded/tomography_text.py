"""What recorded data tell, as an experimenter reads it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmrqb.experiment import FIGURES
from nmrqb.experiment.recorded import FittedFile, RecordedState, Tomogram
from nmrqb.operators import Real
from nmrqb.report.recorded.tomography import coupling_of, line_contrast, populations_entry
from nmrqb.report.text import p_text, table
from nmrqb.tomography.combinations import names_of

_SURE = 3.0  # standard deviations by which the largest population must lead
_POOR = 3.0  # misfit from which on it is told
_NAMED = 6  # files, or contrasts
_NAMES = {"populations": "populations (energy basis)"}
_LEVELS = 8  # energy levels whose populations are written out


def tomography_text(tomogram: Tomogram) -> str:
    """Return what recorded data tell, as an experimenter reads it."""
    data = tomogram.data
    scale = "in the unit of the reference" if data.reference else "on the scale of the data"
    lines = [
        data.title or data.name,
        f"  sample {data.sample.name} ({', '.join(data.sample.labels)}), {data.kind}, {scale}",
        "",
        _files_table(tomogram.files),
        *_legend(tomogram.files),
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
    if any(state.figures for state in tomogram.states):
        how = tomogram.bootstrap
        lines += [
            "",
            f"  [low, high]: {100 * how.confidence:g} %, parametric bootstrap of {how.replicas} "
            f"replicas with seed {how.seed}, bias-corrected",
        ]
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


def _legend(files: Sequence[FittedFile]) -> list[str]:
    """Say what the columns of fits mean, and which fits are poor."""
    fits = [f for f in files if f.multiplet is not None]
    if not fits:
        return []
    lines = [
        "  misfit: χ² per degree of freedom of the fit near the lines; errors of amplitudes and J "
        "are multiplied",
        "  by its root where it is above 1",
    ]
    if any(not f.found for f in fits):
        lines.append("  weak: no line stands out; centre and widths are those of the other files")
    poor = [f.file.name for f in fits if f.multiplet is not None and f.multiplet.misfit > _POOR]
    if poor:
        more = f" and {len(poor) - _NAMED} more" if len(poor) > _NAMED else ""
        lines.append(
            f"  Note: misfit above {_POOR:g}: {', '.join(poor[:_NAMED])}{more}: lines of another "
            "shape (shims), or others beside them"
        )
    return lines


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
        f"{p_text(state.p_value)}",
    ]
    return lines + _figures_text(state)


def _populations_text(state: RecordedState) -> list[str]:
    known = populations_entry(state)
    if known is None:
        return ["  populations: not determined"]
    shares = ", ".join(
        f"{name} {p['value']:+.4f} ± {p['error']:.2g}" for name, p in known["less_mean"].items()
    )
    lead, error = known["lead"]["value"], known["lead"]["error"]
    sure = "" if lead > _SURE * error else ", but not significantly"
    return [
        f"  populations less their mean: {shares}",
        f"  largest: {known['largest']}, by {lead:.3g} ± {error:.2g}{sure}",
        *_contrasts(state),
    ]


def _contrasts(state: RecordedState) -> list[str]:
    """Return the contrasts of doublets by readout and channel, where there is a handful."""
    found = [
        f"{readout} on {channel} {contrast:.2f}"
        for (readout, channel), lines in state.sums.items()
        if (contrast := line_contrast(lines)) is not None
    ]
    return [f"  contrast of the two lines: {', '.join(found)}"] if 0 < len(found) <= _NAMED else []


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
        else:
            text = _value_text(name, unit, state)
        if text:
            lines.append(f"    {_NAMES.get(name, name)}: {text}")
    return lines


def _value_text(name: str, unit: str, state: RecordedState) -> str:
    """Return the value of a figure that is determined, empty where it is not told."""
    if name in state.figures:
        found = state.figures[name]
        return f"{float(found.value):.4g} [{float(found.low):.4g}, {float(found.high):.4g}]{unit}"
    if name == "energy" and state.linear is not None:
        return f"{state.linear[0]:.4g} ± {state.linear[1]:.2g}{unit}"
    if name == "populations" and state.levels is not None:
        return _levels(*state.levels)
    if name == "purity" and state.purity is not None:
        return f"{state.purity:.4g} (of the estimated ρ)"
    return ""


def _levels(values: Real, errors: Real) -> str:
    each = [f"{v:+.4f} ± {e:.2g}" for v, e in zip(values.tolist(), errors.tolist(), strict=True)]
    more = f" and {len(each) - _LEVELS} more" if len(each) > _LEVELS else ""
    return f"{', '.join(each[:_LEVELS])}{more}, from the lowest level, less their mean"
