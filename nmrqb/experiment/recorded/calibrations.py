"""Calibrations from recorded data, and the sample file that holds them."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml

from nmrqb import formats
from nmrqb.errors import ArgumentError, Fault, InputError, Position, refuse
from nmrqb.experiment.recorded.fits import near_hz, open_data_file
from nmrqb.experiment.recorded.model import Quantity, RecordedData, Series
from nmrqb.experiment.recorded.tables import open_table
from nmrqb.operators import Real
from nmrqb.sample import SampleFormat
from nmrqb.spectrometer.fitted import FittedSpectrum, fitted_spectrum
from nmrqb.spectrometer.measured import MeasuredSpectrum, measured_spectrum
from nmrqb.spectrometer.multiplets import SEEN, find_pattern, fit_multiplet
from nmrqb.spectrometer.multiplets import WINDOW_HZ as MULTIPLET_WINDOW_HZ
from nmrqb.spectrometer.readers import Recording
from nmrqb.spectrometer.series import WINDOW_HZ, Law, SeriesFit, fit_series, follow_line
from nmrqb.units import quantity

_LAWS: Mapping[Quantity, Law] = {
    "T1": "inversion-recovery",
    "T2": "decay",
    "pulse_90": "nutation",
}
_NEAR_PPM, _NEAR_HZ = 0.1, 30.0
_BASELINE = 2
_POOR = 10.0  # misfit from which on a law is said not to fit
_OVER_INVERTED = 2.05


@dataclass(frozen=True)
class Calibrated:
    """One measured quantity.

    Attributes
    ----------
    measures, spins
        What was measured, and the labels of its spins.
    value, error
        In SI units (s or Hz); the error has the misfit in it.
    unit
        ``s`` or ``Hz``.
    ppm
        Where the line is, None where 0 ppm is not known.
    misfit
        χ² per degree of freedom of the fit.
    notes
        What to know about it.
    source
        The file.
    sha256
        Hash of the data.
    fit
        What the value was read from: a line followed through a series, or lines of a spectrum.
    """

    measures: Quantity
    spins: tuple[str, ...]
    value: float
    error: float
    unit: str
    ppm: float | None
    misfit: float
    notes: tuple[str, ...]
    source: str
    sha256: str
    fit: SeriesFit | FittedSpectrum = field(compare=False, repr=False)


def calibrate_recorded(data: RecordedData) -> tuple[Calibrated, ...]:
    """Return everything that the series of a data file measure.

    Raises
    ------
    InputError
        If there is no series, a file has faults, or no line stands where it should.
    """
    if not data.series:
        message = "`series` is missing: there is nothing for a calibration"
        raise InputError([Fault(Position(data.source), message)])
    found, faults = [], list[Fault]()
    for series in data.series:
        try:
            found.append(_measured(series, data))
        except InputError as error:
            faults += error.faults
        except ArgumentError as error:
            faults.append(Fault(series.data.at, f"`{series.data.path}`: {error}"))
    refuse(faults)
    return tuple(found)


def _measured(series: Series, data: RecordedData) -> Calibrated:
    if series.data.integrals is not None:
        return _integrated(series)
    recording = open_data_file(series.data)
    nucleus = data.sample.spins[data.sample.index(series.spins[0])].nucleus
    if recording.nucleus not in (None, nucleus) and series.measures != "J":
        message = f"`{series.data.path}`: its header says {recording.nucleus}, not {nucleus}"
        raise InputError([Fault(series.data.at, message)])
    reference = recording.reference_hz or data.frequency_hz(recording.nucleus or nucleus)
    if series.measures in _LAWS:
        return _followed(series, recording, reference)
    return _resolved(series, recording, reference, data)


def _integrated(series: Series) -> Calibrated:
    """Fit the law of a series to a column of a table of integrals."""
    table = open_table(series.data)
    rows = table.real[:, 0]
    times = _times(series, (), len(rows))
    errors = np.full(len(rows), table.errors[0])
    return _by_law(series, times, (rows, errors), None, table.sha256)


def _followed(series: Series, recording: Recording, reference: float | None) -> Calibrated:
    first = measured_spectrum(recording, reference_hz=reference)
    times = _times(series, recording.delays_s, recording.rows)
    line = follow_line(
        recording,
        near_hz(_near(series), first)[0],
        window_hz=series.window_hz or WINDOW_HZ,
        reference_hz=reference,
    )
    measured = line.amplitudes, line.errors
    return _by_law(series, times, measured, line.position_ppm, recording.sha256)


def _near(series: Series) -> tuple[float, str]:
    assert series.near is not None  # only tables of integrals, which end before, need none
    return series.near


def _times(series: Series, own: tuple[float, ...], rows: int) -> Real:
    times = np.array(series.times_s or own)
    if len(times) != rows:
        message = (
            f"`{series.data.path}` holds {rows} rows, but {len(times)} times are known; "
            "give them as `times`"
        )
        raise InputError([Fault(series.data.at, message)])
    return times


def _by_law(
    series: Series, times: Real, measured: tuple[Real, Real], ppm: float | None, sha256: str
) -> Calibrated:
    """Fit the law of a series to amplitudes and their errors."""
    law = fit_series(_LAWS[series.measures], times, *measured)
    notes = []
    if law.misfit > _POOR:
        notes.append(
            f"the law misses the rows by {math.sqrt(law.misfit):.3g} times their noise: "
            "overlapping lines, phases or drift; the error has that factor in it"
        )
    if law.inversion > _OVER_INVERTED:
        notes.append(f"an inversion by {law.inversion:.3g} is more than 2: do not trust this fit")
    return Calibrated(
        measures=series.measures,
        spins=series.spins,
        value=law.time_s,
        error=law.error_s,
        unit="s",
        ppm=ppm,
        misfit=law.misfit,
        notes=tuple(notes),
        source=str(series.data.path),
        sha256=sha256,
        fit=law,
    )


def _resolved(
    series: Series, recording: Recording, reference: float | None, data: RecordedData
) -> Calibrated:
    """Measure a width, or the distance of two lines."""
    measured = _spectrum(series, recording, reference)
    coupled = series.measures == "J"
    guess = _guess(series, data) if coupled else 0.0
    pattern = np.array([-guess / 2, guess / 2]) if coupled else np.zeros(1)
    fit = fit_multiplet(
        measured,
        pattern,
        _centre(series, measured, pattern),
        free_scale=coupled,
        baseline=_BASELINE,
        window_hz=series.window_hz or MULTIPLET_WINDOW_HZ,
    )
    width, width_error = float(fit.widths_hz[0]), float(fit.true_errors[2])
    distance, distance_error = guess * fit.scale, guess * float(fit.true_errors[1])
    return Calibrated(
        measures=series.measures,
        spins=series.spins,
        value=distance if coupled else width,
        error=distance_error if coupled else width_error,
        unit="Hz",
        ppm=measured.ppm(fit.centre_hz),
        misfit=fit.misfit,
        notes=() if coupled else (f"T2* = {1 / (np.pi * width):.4g} s",),
        source=str(series.data.path),
        sha256=recording.sha256,
        fit=fitted_spectrum(measured, fit),
    )


def _spectrum(series: Series, recording: Recording, reference: float | None) -> MeasuredSpectrum:
    measured = measured_spectrum(
        recording,
        row=series.data.row or 0,
        reference_hz=reference,
        first_point=series.data.first_point,
        conjugate=series.data.conjugate,
    )
    backwards = recording.domain == "frequency" and measured.causality < 0
    return measured.conjugated() if backwards else measured


def _centre(series: Series, measured: MeasuredSpectrum, pattern: Real) -> float:
    """Return where a pattern stands near the place that the data file names."""
    near = near_hz(_near(series), measured)[0]
    in_ppm = _near(series)[1] == "ppm"
    half = _NEAR_PPM * 1e-6 * (measured.reference_hz or 0.0) if in_ppm else _NEAR_HZ
    place = find_pattern(measured, pattern, between_hz=(near - half, near + half))
    if place.stands_out < SEEN:
        what = f"doublet of {np.ptp(pattern):.6g} Hz" if len(pattern) == 2 else "line"
        message = f"`{series.data.path}`: no {what} stands {SEEN:g} times above the noise there"
        raise InputError([Fault(series.data.at, message)])
    return place.centre_hz


def _guess(series: Series, data: RecordedData) -> float:
    first, second = series.spins
    guess = abs(series.guess_hz or data.sample.coupling(first, second).J_hz)
    if not guess > 0:
        message = f"the sample has no J of {first} and {second}; say about how large it is: `guess`"
        raise InputError([Fault(series.data.at, message)])
    return guess


# --------------------------------------------------------------------------------- the sample file
def calibrated_sample(data: RecordedData, found: Sequence[Calibrated]) -> str:
    """Return the sample file of the data with what was measured in place of what it said.

    T1, T2, 90° times and J are replaced, of several measurements of one the last; a J keeps its
    sign.  What was measured, with its error, stands under ``sources``.

    Raises
    ------
    InputError
        If a T2 came out longer than 2 T1.
    """
    document = formats.read("sample", data.sample_argument, SampleFormat)
    tree: dict[str, Any] = copy.deepcopy(document.tree)
    sources = dict(tree.get("sources") or {})
    for one in found:
        if one.measures == "J":
            _set_coupling(tree, one, data)
        elif one.measures != "linewidth":
            _spin(tree, one.spins[0])[one.measures] = f"{one.value:.8g} s"
        name = "_".join([one.measures, *one.spins])
        sources[name] = _words(one)
    tree["sources"] = sources
    _check_times(tree, data)
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
    return str(text)


def _words(one: Calibrated) -> str:
    return f"measured, {one.value:.8g} ± {one.error:.2g} {one.unit}, from {one.source}"


def _spin(tree: Mapping[str, Any], label: str) -> dict[str, Any]:
    found: dict[str, Any] = next(spin for spin in tree["spins"] if spin["label"] == label)
    return found


def _set_coupling(tree: dict[str, Any], one: Calibrated, data: RecordedData) -> None:
    sign = math.copysign(1.0, data.sample.coupling(*one.spins).J_hz)
    value = f"{sign * one.value:.8g} Hz"
    couplings = tree.setdefault("couplings", [])
    for coupling in couplings:
        if set(coupling["between"]) == set(one.spins):
            coupling["J"] = value
            return
    couplings.append({"between": list(one.spins), "J": value})


def _check_times(tree: Mapping[str, Any], data: RecordedData) -> None:
    for spin in tree["spins"]:
        times = [quantity(str(spin[key]), "time") for key in ("T1", "T2") if key in spin]
        if len(times) == 2 and times[1] > 2 * times[0]:
            message = (
                f"spin `{spin['label']}` would have T2 = {times[1]:.4g} s, longer than 2 T1 = "
                f"{2 * times[0]:.4g} s: measure both, or mend the sample"
            )
            raise InputError([Fault(Position(data.source), message)])
