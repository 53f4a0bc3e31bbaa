"""The picture of a recording, from which a place for a calibration is chosen."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nmrqb.experiment.recorded.places import strongest_numbers
from nmrqb.plotting import draw_recording
from nmrqb.plotting.style import milliseconds
from nmrqb.report.pictures import new_figure
from nmrqb.spectrometer.measured import MeasuredSpectrum, measured_spectrum
from nmrqb.spectrometer.peaks import strongest_lines
from nmrqb.spectrometer.readers import Recording

_MOST_ROWS = 12  # that are drawn one above the other
_NAMED = 8  # lines
_NOMINAL_HZ = 100e6  # for windows only, where a table of ppm does not tell the frequency
_WIDTH, _HEIGHT, _ROW = 9.0, 3.6, 0.28  # inches


def recording_spectra(recording: Recording) -> list[MeasuredSpectrum]:
    """Return the spectra of all rows of a recording.

    Where a table of ppm does not tell the frequency of 0 ppm, that is taken to be 100 MHz: of the
    spectra only ppm mean something then.

    Parameters
    ----------
    recording
        Spectra or FIDs.
    """
    table = recording.domain == "frequency" and recording.reference_hz is None
    reference = _NOMINAL_HZ if table else None
    return [
        measured_spectrum(recording, row=row, reference_hz=reference)
        for row in range(recording.rows)
    ]


def _strongest(spectra: list[MeasuredSpectrum]) -> MeasuredSpectrum:
    return max(spectra, key=lambda s: float(np.abs(s.values).max()))


def recording_lines(recording: Recording) -> tuple[list[str], str]:
    """Return where the strongest lines of a recording stand, and the unit of these numbers.

    Parameters
    ----------
    recording
        Spectra or FIDs.
    """
    spectrum = _strongest(recording_spectra(recording))
    return strongest_numbers(spectrum, most=_NAMED)


def recording_figure(recording: Recording) -> Figure:
    """Return the picture of a recording: of a series up to 12 rows, else its strongest row.

    Parameters
    ----------
    recording
        Spectra or FIDs.

    Raises
    ------
    ArgumentError
        If it does not tell its spectral width.
    """
    spectra = recording_spectra(recording)
    strongest = _strongest(spectra)
    few = len(spectra) <= _MOST_ROWS
    shown = spectra if few else [strongest]
    figure = new_figure(_WIDTH, _HEIGHT + _ROW * (len(shown) - 1))
    draw_recording(
        figure.subplots(),
        shown,
        lines=strongest_lines(strongest, most=_NAMED),
        names=_names(recording) if len(shown) > 1 else (),
    )
    number = spectra.index(strongest) + 1
    rows = f", row {number} of {len(spectra)}, its strongest" if not few else ""
    nucleus = "" if recording.nucleus is None else f", {recording.nucleus}"
    figure.suptitle(f"{recording.source}{nucleus}: magnitude{rows}", fontsize=10)
    return figure


def _names(recording: Recording) -> list[str]:
    if len(recording.delays_s) == recording.rows:
        return [milliseconds(delay) for delay in recording.delays_s]
    return [f"row {row + 1}" for row in range(recording.rows)]
