"""Calibrations from recorded data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError, Fault, InputError, Position, refuse
from nmrqb.experiment.recorded.fits import open_data_file
from nmrqb.experiment.recorded.judgement import POOR, bound_of, doubts_of, notes_of
from nmrqb.experiment.recorded.model import Quantity, RecordedData, Series
from nmrqb.experiment.recorded.places import misplaced, near_hz, near_text, strongest_text
from nmrqb.experiment.recorded.tables import open_table
from nmrqb.operators import Real
from nmrqb.spectrometer.fitted import FittedSpectrum, fitted_spectrum
from nmrqb.spectrometer.laws import Law, SeriesFit, Spread, fit_series
from nmrqb.spectrometer.measured import MeasuredSpectrum, measured_spectrum
from nmrqb.spectrometer.multiplets import SEEN, Multiplet, find_pattern, fit_multiplet
from nmrqb.spectrometer.multiplets import WINDOW_HZ as MULTIPLET_WINDOW_HZ
from nmrqb.spectrometer.peaks import line_in
from nmrqb.spectrometer.readers import Recording
from nmrqb.spectrometer.series import WINDOW_HZ, follow_line

_LAWS: Mapping[Quantity, Law] = {
    "T1": "inversion-recovery",
    "T2": "decay",
    "pulse_90": "nutation",
}
_NEAR_PPM, _NEAR_HZ = 0.1, 30.0
_BASELINE = 2
_CHANGES_SIGN = 0.1  # of the largest amplitude
_FEWEST = 3  # points in a window


@dataclass(frozen=True)
class Calibrated:
    """One measured quantity.

    Attributes
    ----------
    measures, spins
        What was measured, and the labels of its spins.
    value, error
        In SI units (s or Hz); the error has the misfit in it.  Of a bound, that of the fit, which
        lies beyond what the data tell of.
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
    doubts
        Why it is not to be trusted, so that it is not written into a sample; empty where it is.
    bound
        ``>`` or ``<`` and a number in SI units where the data tell a bound only, else None.
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
    doubts: tuple[str, ...] = ()
    bound: tuple[str, float] | None = None

    @property
    def name(self) -> str:
        """What it is of which spins: ``T1 of 1H``."""
        return f"{self.measures} of {' and '.join(self.spins)}"

    @property
    def b1_inhomogeneity(self) -> Spread | None:
        """Relative spread of the rf field of a nutation; None where nothing is told of it."""
        return self.fit.b1_inhomogeneity if isinstance(self.fit, SeriesFit) else None


@checked
def calibrate_recorded(data: RecordedData) -> tuple[Calibrated, ...]:
    """Return everything that the series of a data file measure.

    Raises
    ------
    InputError
        If there is no series, a file has faults, no line stands where it should, or amplitudes
        change sign that should decay.
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
    if np.abs(rows).max() < SEEN * table.errors[0]:
        raise _refused(series, f"no integral of this column is {SEEN:g} times its error")
    return _by_law(series, times, (rows, errors), None, table.sha256)


def _followed(series: Series, recording: Recording, reference: float | None) -> Calibrated:
    times = _times(series, recording.delays_s, recording.rows)
    first = _row(series, recording, reference, 0)
    place = _checked_place(series, first)
    half = WINDOW_HZ if series.window_hz is None else series.window_hz
    held = np.count_nonzero(np.abs(first.frequencies_hz - place) <= half)
    if held < _FEWEST:
        raise _refused(
            series,
            f"`window` = ±{half:g} Hz holds {held} points of the spectrum, which stand "
            f"{first.step_hz:.3g} Hz apart; {_FEWEST} are needed",
        )
    line = follow_line(
        recording,
        place,
        window_hz=half,
        reference_hz=reference,
        first_point=series.data.first_point,
        conjugate=series.data.conjugate,
    )
    strongest = int(np.argmax(np.abs(line.amplitudes)))
    _check_line(series, _row(series, recording, reference, strongest), place, half)
    measured = line.amplitudes, line.errors
    return _by_law(series, times, measured, line.position_ppm, recording.sha256)


def _refused(series: Series, message: str) -> InputError:
    return InputError.at(series.data.at, f"`{series.data.path}`: {message}")


def _row(
    series: Series, recording: Recording, reference: float | None, row: int
) -> MeasuredSpectrum:
    return measured_spectrum(
        recording,
        row=row,
        reference_hz=reference,
        first_point=series.data.first_point,
        conjugate=series.data.conjugate,
    )


def _checked_place(series: Series, measured: MeasuredSpectrum) -> float:
    """Return where the data file says the line is, in Hz; it must lie in the spectrum."""
    near = _near(series)
    if wrong := misplaced(near, measured):
        raise _refused(series, wrong)
    return near_hz(near, measured)[0]


def _check_line(series: Series, strongest: MeasuredSpectrum, place: float, half: float) -> None:
    """Refuse a window without a line: baselines and wings obey laws as well."""
    if line_in(strongest, place, half) is None:
        near = _near(series)
        raise _refused(
            series,
            f"no line stands {SEEN:g} times above the noise within ±{half:g} Hz of "
            f"{near_text(near)}, not even in the strongest row"
            f"{strongest_text(strongest, near[1])}",
        )


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
    if series.measures == "T2":
        _check_sign(series, *measured)
    law = fit_series(_LAWS[series.measures], times, *measured)
    bound = bound_of(law)
    return Calibrated(
        measures=series.measures,
        spins=series.spins,
        value=law.time_s,
        error=law.error_s,
        unit="s",
        ppm=ppm,
        misfit=law.misfit,
        notes=notes_of(law),
        source=str(series.data.path),
        sha256=sha256,
        fit=law,
        doubts=doubts_of(law, bound),
        bound=bound,
    )


def _check_sign(series: Series, amplitudes: Real, errors: Real) -> None:
    """Refuse amplitudes that change sign where a decay is measured."""
    largest = float(amplitudes[np.argmax(np.abs(amplitudes))])
    least = float(np.min(amplitudes * np.sign(largest)))
    row = int(np.argmin(amplitudes * np.sign(largest)))
    if least < -max(SEEN * float(errors[row]), _CHANGES_SIGN * abs(largest)):
        raise _refused(
            series,
            f"`measures: T2` follows a decay, but amplitudes change sign: row {row + 1} is "
            f"−{-least / abs(largest):.2g} of the largest; is it an inversion recovery "
            "(`measures: T1`), a nutation (`measures: pulse_90`) or an echo that J modulates?",
        )


def _resolved(
    series: Series, recording: Recording, reference: float | None, data: RecordedData
) -> Calibrated:
    """Measure a width, or the distance of two lines."""
    measured = _spectrum(series, recording, reference)
    _checked_place(series, measured)
    coupled = series.measures == "J"
    guess = _guess(series, data) if coupled else 0.0
    pattern = np.array([-guess / 2, guess / 2]) if coupled else np.zeros(1)
    fit = fit_multiplet(
        measured,
        pattern,
        _centre(series, measured, pattern),
        free_scale=coupled,
        baseline=_BASELINE,
        window_hz=MULTIPLET_WINDOW_HZ if series.window_hz is None else series.window_hz,
    )
    width, width_error = float(fit.widths_hz[0]), float(fit.true_errors[2])
    bound = None if coupled else _resolution(fit, measured)
    distance, distance_error = guess * fit.scale, guess * float(fit.true_errors[1])
    return Calibrated(
        measures=series.measures,
        spins=series.spins,
        value=distance if coupled else width,
        error=distance_error if coupled else width_error,
        unit="Hz",
        ppm=measured.ppm(fit.centre_hz),
        misfit=fit.misfit,
        notes=() if bound else (*_shape(fit), *(() if coupled else (_decay(width),))),
        source=str(series.data.path),
        sha256=recording.sha256,
        fit=fitted_spectrum(measured, fit),
        doubts=_narrow(bound),
        bound=bound,
    )


def _decay(width_hz: float) -> str:
    return f"T2* = {1 / (np.pi * width_hz):.4g} s"


def _shape(fit: Multiplet) -> tuple[str, ...]:
    """Say that lines are no Lorentzians."""
    if not fit.misfit > POOR:
        return ()
    return (
        f"the lines miss the spectrum by {fit.misfit**0.5:.3g} times its noise: they are no "
        "Lorentzians, or something else stands there; the error has that in it",
    )


def _resolution(fit: Multiplet, measured: MeasuredSpectrum) -> tuple[str, float] | None:
    """Return the bound of a width that the fit could not resolve: a step of the spectrum."""
    return ("<", measured.step_hz) if fit.unresolved[0] else None


def _narrow(bound: tuple[str, float] | None) -> tuple[str, ...]:
    if bound is None:
        return ()
    return (
        f"not determined: narrower than the {bound[1]:.3g} Hz that an FID of this length resolves",
    )


def _spectrum(series: Series, recording: Recording, reference: float | None) -> MeasuredSpectrum:
    measured = _row(series, recording, reference, series.data.row or 0)
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
        raise _refused(
            series,
            f"no {what} stands {SEEN:g} times above the noise within ±{half:.3g} Hz of "
            f"{near_text(_near(series))}{strongest_text(measured, _near(series)[1])}",
        )
    return place.centre_hz


def _guess(series: Series, data: RecordedData) -> float:
    first, second = series.spins
    guess = abs(series.guess_hz or data.sample.coupling(first, second).J_hz)
    if not guess > 0:
        message = f"the sample has no J of {first} and {second}; say about how large it is: `guess`"
        raise InputError([Fault(series.data.at, message)])
    return guess
