"""Results as text that a person reads at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nmrqb.dynamics import Gaussian, Lorentzian
from nmrqb.experiment import (
    EXTRACTED_WORK,
    FIGURES,
    DriveCharge,
    Experiment,
    GibbsPreparation,
    HamiltonianCharge,
    Measurement,
    Noise,
    ReceiverErrors,
    Result,
)
from nmrqb.operators import Complex, Real, named_terms, pauli_coefficients, pauli_strings
from nmrqb.sample import T1T2
from nmrqb.sequence import NO_ERRORS

_ALL = 20  # points of which every one is told
_ROWS = 9  # of more points
_ROUNDING = 1e-9  # of the largest number beside it
_NOTHING = 1e-12  # of any unit that a table has
_X_DRIVE = pauli_strings(2).index("XI")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "  ") -> str:
    """Return an aligned table: the first column to the left, all others to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        first, *others = zip(row, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        lines.append(indent + "  ".join(padded).rstrip())
    return "\n".join(lines)


def hz(value: float) -> str:
    """Return a frequency in Hz for a table, zero where it is below a nanohertz."""
    return "0" if abs(value) < 1e-9 else f"{value:.7g}"


def cleared(value: float, scale: float) -> float:
    """Return a number for people: 0 where it is rounding beside others of a size, ``scale``."""
    return 0.0 if abs(value) < max(_ROUNDING * abs(scale), _NOTHING) else value


def with_error(value: float, error: float) -> str:
    """Return a value with its error, both to two digits of the error: ``215.132 ± 0.016``."""
    if not (np.isfinite(error) and error > 0):
        return f"{value:.6g} ± {error:.2g}"
    digits = 1 - int(np.floor(np.log10(error)))
    if digits < 0:
        return f"{round(value, digits):.0f} ± {round(error, digits):.0f}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def short(number: float) -> str:
    """Return a number of two or three digits without an exponent: ``0.92``, ``24.4``, ``1100``."""
    return f"{number:.3g}" if abs(number) < 100 else f"{float(f'{number:.2g}'):.0f}"


# ------------------------------------------------------------------------------------------- run
def result_text(result: Result) -> str:
    """Return the summary of a run: what was asked, what came out, what to know about it."""
    return "\n".join(
        [
            result.experiment.title or result.experiment.name,
            *(f"  {key:<10} {text}" for key, text in asked(result)),
            "",
            _shown_note(result),
            _figures_tables(result),
            "",
            *(f"  {name}: {text}" for name, text in quality(result)),
            *(f"  Note: {note}" for note in result.notes),
        ]
    )


def asked(result: Result) -> list[tuple[str, str]]:
    """Return what a run was asked for, as names and texts."""
    experiment, data = result.experiment, result.data
    measure, noise = experiment.measure, experiment.noise
    time = data["time"].values * 1e3
    relaxation = _relaxation_text(experiment)
    return [
        ("sample", f"{experiment.sample.name} ({', '.join(experiment.sample.labels)})"),
        ("battery", _battery_text(result)),
        ("prepare", _preparation_text(result)),
        ("charge", f"{_charge_text(result)}, {_times_text(time)}"),
        *([("extract", _extraction_text(data))] if "extraction_time" in data else []),
        ("noise", ", ".join([relaxation, f"{noise.pulses} pulses", *_imperfections(noise)])),
        (
            "measure",
            f"{', '.join(measure.readout_names)} on {', '.join(experiment.sample.nuclei)}; SNR "
            f"{measure.snr:g} per scan, {counted(measure.scans, 'scan')}{_again(measure)}; "
            f"{measure.estimator}{_level(measure)}",
        ),
        ("acquire", _acquisition_text(data)),
        ("seed", str(result.seed)),
    ]


def p_text(p: float) -> str:
    """Return a p-value with two digits, one that nobody can tell from 0 as a bound."""
    return "p below 1e-12" if p < _NOTHING else f"p = {p:.2g}"


def fidelity_text(fidelity: float) -> str:
    """Return a fidelity with two digits of what it lacks, four places at least: ``0.99941``."""
    lack = max(1 - float(fidelity), 1e-5)
    return f"{fidelity:.{max(4, 1 - int(np.floor(np.log10(lack))))}f}"


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing: ``1 scan``, ``4 scans``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _acquisition_text(data: xr.Dataset) -> str:
    """Tell how many points an FID has, and how long and how wide it is."""
    times = data["acquisition_time"].values
    dwell = float(times[1] - times[0])
    return f"{len(times)} complex points in {len(times) * dwell:.4g} s, {1 / dwell:.6g} Hz wide"


def _times_text(time_ms: Real) -> str:
    if len(time_ms) == 1:
        return f"1 point, {time_ms[0]:.4g} ms"
    return f"{len(time_ms)} points, {time_ms[0]:g} to {time_ms[-1]:.4g} ms"


def _again(measure: Measurement) -> str:
    return " and as many after extraction" if measure.direct_work else ""


def _extraction_text(data: xr.Dataset) -> str:
    lasts = 1e3 * data["extraction_time"].values
    return (
        "the sequence that extracts the ergotropy of the ideal charged state, "
        f"{lasts.min():.3g} to {lasts.max():.3g} ms, and all scans again"
    )


def _level(measure: Measurement) -> str:
    return ", noise level measured" if measure.noise_level == "measured" else ""


def _imperfections(noise: Noise) -> list[str]:
    """Return the spreads over the sample, and whether pulses have errors."""
    profile = not isinstance(noise.b1_distribution, str)
    found = {
        "B1 profile": profile,
        f"B1 spread {100 * noise.b1_inhomogeneity:.3g} %": noise.b1_inhomogeneity,
        f"B0 {_field_text(noise)}": noise.b0 is not None,
        f"J spread {100 * noise.J_spread:.3g} %": noise.J_spread,
        "errors of the pulses": noise.pulse_errors != NO_ERRORS,
        "errors of the receiver": noise.receiver != ReceiverErrors(),
    }
    return [text for text, acts in found.items() if acts]


def _field_text(noise: Noise) -> str:
    if isinstance(noise.b0, Lorentzian):
        return f"lorentzian, half width {noise.b0.half_width:.3g} Hz of 1H"
    return f"spread {noise.b0.spread:.3g} Hz of 1H" if isinstance(noise.b0, Gaussian) else "spread"


def _relaxation_text(experiment: Experiment) -> str:
    """Return T1/T2 of the spins and what relaxes them besides."""
    times = ", ".join(f"{s.label} {s.T1_s:g}/{s.T2_s:g} s" for s in experiment.sample.spins)
    words = (
        f"T1/T2 {times}" if mechanism == T1T2() else
        f"{mechanism.word} of {', '.join(mechanism.labels) or 'all spins'}"
        for mechanism in experiment.noise.mechanisms(experiment.sample)
    )  # fmt: skip
    return ", ".join(words) or "no relaxation"


def _battery_text(result: Result) -> str:
    battery, sample = result.experiment.battery, result.experiment.sample
    if battery.spins is not None:
        splitting = 2 * float(battery.hamiltonian_hz[0, 0].real)
        return f"{sample.labels[battery.spins[0]]} alone, H/2π = {splitting:g} Hz · I_z"
    return f"{_terms_text(battery.hamiltonian_hz)} (H/2π on Pauli strings)"


def _terms_text(H: Complex) -> str:
    """Return the terms of a two-spin Hamiltonian H/2π in Hz, shape (4, 4), that are not 0."""
    symbols = {"DM_z": "D", "KSEA_z": "G", "Delta": "Δ", "epsilon": "ε", "B": "B"}
    named = named_terms(H)
    values = {symbol: named[name] for name, symbol in symbols.items()}
    values["x drive"] = float(pauli_coefficients(H).real[_X_DRIVE])
    return ", ".join(f"{symbol} = {value:.6g} Hz" for symbol, value in values.items() if value)


def _preparation_text(result: Result) -> str:
    prepare, labels = result.experiment.prepare, result.experiment.sample.labels
    if isinstance(prepare, GibbsPreparation):
        stage = prepare.stage
        how = (
            f", by a sequence of {_duration(result.data)}, scale {stage.scale:.4g}" if stage else ""
        )
        return f"Gibbs state of the battery at k_B T/h = {prepare.temperature_hz:g} Hz{how}"
    given = "; ".join(
        f"{labels[k]} at {_minus(temperature)} Hz (splitting {_minus(frequency)} Hz)"
        for k, (frequency, temperature) in prepare.spins.items()
    )
    mixed = ", ".join(label for k, label in enumerate(labels) if k not in prepare.spins)
    return f"Gibbs states, k_B T/h: {given}" + (f"; {mixed} maximally mixed" if mixed else "")


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _duration(data: xr.Dataset) -> str:
    return f"{1e3 * float(data['preparation_time']):.4g} ms"


def _charge_text(result: Result) -> str:
    charge = result.experiment.charge
    if isinstance(charge, DriveCharge):
        kind = "soft" if charge.soft else "hard"
        return f"{kind} x drive, rate {charge.rate_hz:g} Hz"
    if isinstance(charge, HamiltonianCharge):
        return f"by a sequence for each time: {_terms_text(charge.hamiltonian_hz)}"
    return f"{charge.cycles[0]} to {charge.cycles[-1]} passes of {charge.timeline.name}"


def _figures_tables(result: Result) -> str:
    """Return tables of two figures each, so that they fit a terminal."""
    data = result.data
    compared = "ideal_extracted_work" in data
    measured = ("extracted_work",) if "extracted_work" in data and not compared else ()
    names = (*result.experiment.report, *measured)
    tables = [_figures_table(result, names[k : k + 2]) for k in range(0, len(names), 2)]
    return "\n\n".join([*tables, _work_table(data)] if compared else tables)


def _work_table(data: xr.Dataset) -> str:
    """Return the extracted work beside the ergotropy: as it should be, as it is, as measured."""
    average = "model_extracted_work" in data
    header = ["time (ms)", "ergotropy (Hz)", "work: ideal", *(["average H"] if average else [])]
    header += ["true", "measured", "interval"]
    names = ["true_ergotropy", "ideal_extracted_work", *(["model_extracted_work"] * average)]
    names += ["true_extracted_work", "extracted_work"]
    rows = []
    for k in _shown_times(data.sizes["time"], int(data["shown"])):
        at = data.isel(time=k)
        low, high = (_three_digits(float(at[f"extracted_work_{end}"])) for end in ("low", "high"))
        numbers = [_three_digits(float(at[name])) for name in names]
        rows.append([f"{float(at['time']) * 1e3:.4g}", *numbers, f"[{low}, {high}]"])
    lines = (
        "  extracted work: all steps ideal; under the average Hamiltonians of what is played, with "
        "relaxation;",
        "  of the simulated states; and as measured, energy before less after",
    )
    return "\n".join([*lines, table(header, rows)])


def _shown_note(result: Result) -> str:
    points = result.data.sizes["time"]
    shown = len(_shown_times(points, int(result.data["shown"])))
    rest = f"; {shown} of {points} points, all are in result.nc" if shown < points else ""
    return f"  true: the simulated state; estimate and interval: from its noisy FIDs{rest}"


def _figures_table(result: Result, names: Sequence[str]) -> str:
    data = result.data
    header = ["time (ms)"]
    for name in names:
        figure = FIGURES.get(name, EXTRACTED_WORK)
        unit = f" ({figure.units})" if figure.units != "1" else ""
        header += [f"{name}{unit}: true", "estimate", "interval"]
    rows = []
    for k in _shown_times(data.sizes["time"], int(data["shown"])):
        at = data.isel(time=k)
        row = [f"{float(at['time']) * 1e3:.4g}"]
        for name in names:
            keys = (f"true_{name}", name, f"{name}_low", f"{name}_high")
            true, value, low, high = (_three_digits(float(at[key])) for key in keys)
            row += [true, value, f"[{low}, {high}]"]
        rows.append(row)
    return table(header, rows)


def _three_digits(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # adding 0 turns -0 into 0


def _shown_times(points: int, brightest: int) -> list[int]:
    rows = points if points <= _ALL else _ROWS
    spread = np.linspace(0, points - 1, rows).round().astype(int)
    return sorted({*map(int, spread), brightest})


def quality(result: Result) -> list[tuple[str, str]]:
    """Return how well the data and the estimates fit, as names and texts."""
    data = result.data
    fidelity = data["fidelity_to_true"].values
    confidence = result.experiment.measure.confidence
    return [
        (
            "largest ergotropy of the simulated state",
            f"{float(data['true_ergotropy'].max()):.4g} Hz at "
            f"{float(data['time'][int(data['shown'])]) * 1e3:.4g} ms",
        ),
        (
            "fidelity of estimated to simulated state",
            f"lowest {fidelity_text(fidelity.min())}, median {fidelity_text(np.median(fidelity))}"
            if fidelity.size > 1
            else fidelity_text(fidelity[0]),
        ),
        (
            "χ² of the data",
            f"{'mean ' if fidelity.size > 1 else ''}{float(data['chi2'].mean()):.1f} for "
            f"{data.attrs['degrees_of_freedom']} degrees of freedom",
        ),
        (
            "intervals",
            f"{100 * confidence:g} %, parametric bootstrap of "
            f"{result.experiment.measure.replicas} replicas, bias-corrected",
        ),
    ]
