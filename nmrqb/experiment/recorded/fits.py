"""Every file of a tomography fitted: which lines stand where, and what they weigh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from nmrqb.errors import ArgumentError, Fault, InputError, refuse
from nmrqb.experiment.recorded.amplitudes import (
    FittedFile,
    Quadratures,
    ascends,
    in_rotating_frame,
    pattern_hz,
)
from nmrqb.experiment.recorded.model import DataFile, ReadoutFile, RecordedData
from nmrqb.experiment.recorded.places import misplaced, near_hz, near_text, strongest_text
from nmrqb.experiment.recorded.tables import from_table
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.spectrometer import Receiver, line_fit, liouvillian, observable, transitions
from nmrqb.spectrometer.fitted import FittedSpectrum, fitted_spectrum, projected_spectrum
from nmrqb.spectrometer.measured import MeasuredSpectrum, measured_spectrum
from nmrqb.spectrometer.multiplets import SEEN, Multiplet, find_pattern, fit_multiplet
from nmrqb.spectrometer.readers import Recording, read_recording

_SAME_WIDTH = 0.01
_COUPLING_SNR = 10.0  # weakest line that tells a coupling

Read = TypeVar("Read")


def fit_files(data: RecordedData) -> tuple[FittedFile, ...]:
    """Read and fit all files of a tomography.

    Raises
    ------
    InputError
        With every fault: files that cannot be read, that show another nucleus than their channel,
        or in which no multiplet stands out.
    """
    spectra = replace(data, files=tuple(f for f in data.files if f.data.integrals is None))
    tables = [f for f in data.files if f.data.integrals is not None]
    integrated, table_faults = _each(from_table, tables, data)
    recordings, faults = _each(_recording, spectra.files, data)
    refuse([*table_faults, *faults])
    hashes = [*(recording.sha256 for recording in recordings), *(f.sha256 for f in integrated)]
    _check_twins([*spectra.files, *tables], hashes)
    fit = _known if data.lines == "known" else _fitted
    fitted = [*integrated, *(fit(spectra, recordings) if recordings else ())]
    order = {id(file): number for number, file in enumerate(data.files)}
    return tuple(sorted(fitted, key=lambda f: order[id(f.file)]))


def _each(
    function: Callable[[ReadoutFile, RecordedData], Read],
    files: Sequence[ReadoutFile],
    data: RecordedData,
) -> tuple[list[Read], list[Fault]]:
    """Return what a function makes of all files, or the faults of all that it refuses."""
    found, faults = list[Read](), list[Fault]()
    for file in files:
        try:
            found.append(function(file, data))
        except InputError as error:
            faults += error.faults
    return found, faults


def open_data_file(file: DataFile) -> Recording:
    """Read a file of data, one row of it where the data file says which.

    Raises
    ------
    InputError
        If it cannot be read, or has no such row.
    """
    recording = read_recording(file.path, file.reader)
    if file.row is not None and file.row >= recording.rows:
        message = f"`record` must be from 1 to {recording.rows}, but is {file.row + 1}"
        raise InputError([Fault(file.at, message)])
    return recording


def _recording(file: ReadoutFile, data: RecordedData) -> Recording:
    recording = open_data_file(file.data)
    problem = ""
    if recording.nucleus not in (None, file.channel):
        problem = (
            f"its header says {recording.nucleus}, but it is given as {file.channel}: are the "
            "files of the channels exchanged?"
        )
    elif file.data.row is None and recording.rows > 1:
        problem = f"it holds {recording.rows} rows; say which with `record`"
    elif recording.domain == "frequency" and not _reference_hz(recording, file.channel, data):
        problem = (
            f"it is a table of ppm; say the frequency of 0 ppm in `channels: {{{file.channel}: "
            "{frequency: …}}`"
        )
    elif recording.domain == "frequency" and data.lines == "known":
        problem = "it is a spectrum, but `lines: known` needs FIDs"
    if problem:
        raise InputError([Fault(file.data.at, f"`{file.data.path}`: {problem}")])
    return recording


def _reference_hz(recording: Recording, nucleus: str, data: RecordedData) -> float | None:
    return recording.reference_hz or data.frequency_hz(nucleus)


def _check_twins(files: Sequence[ReadoutFile], hashes: Sequence[str]) -> None:
    """Refuse two files of the same content: one of them was meant to be another."""
    seen: dict[tuple[object, ...], ReadoutFile] = {}
    faults = []
    for file, sha256 in zip(files, hashes, strict=True):
        columns = file.data.integrals and file.data.integrals.columns
        first = seen.setdefault((sha256, file.data.row, columns), file)
        if first is not file:
            message = f"`{file.data.path}` has the same content as `{first.data.path}`"
            faults.append(Fault(file.data.at, message))
    refuse(faults)


# --------------------------------------------------------------------------------- fitted lines
def _fitted(data: RecordedData, recordings: Sequence[Recording]) -> tuple[FittedFile, ...]:
    spectra = [
        _spectrum(recording, file, data, file.channel)
        for file, recording in zip(data.files, recordings, strict=True)
    ]
    spectra = _causal(data, recordings, spectra)
    places = [_place(file, s, data) for file, s in zip(data.files, spectra, strict=True)]
    refuse(_strangers(data, recordings, spectra, places))
    each = list(zip(data.files, recordings, spectra, places, strict=True))
    strong = [_fit(f, r, s, data, place) if place is not None else None for f, r, s, place in each]
    return tuple(
        fit if fit is not None else _fit(f, r, s, data, *_held(f, data, recordings, strong))
        for fit, (f, r, s, _) in zip(strong, each, strict=True)
    )


def _spectrum(
    recording: Recording, file: ReadoutFile, data: RecordedData, nucleus: str
) -> MeasuredSpectrum:
    try:
        return measured_spectrum(
            recording,
            row=file.data.row or 0,
            reference_hz=_reference_hz(recording, nucleus, data),
            first_point=file.data.first_point,
            conjugate=file.data.conjugate,
        )
    except ArgumentError as error:
        raise InputError([Fault(file.data.at, f"`{file.data.path}`: {error}")]) from error


def _causal(
    data: RecordedData, recordings: Sequence[Recording], spectra: Sequence[MeasuredSpectrum]
) -> list[MeasuredSpectrum]:
    """Return spectra whose imaginary part belongs to an FID that begins at t = 0.

    Programs differ in its sense; all tables of a channel come from one.
    """
    turned = []
    for file, recording, spectrum in zip(data.files, recordings, spectra, strict=True):
        others = [
            s.causality
            for f, r, s in zip(data.files, recordings, spectra, strict=True)
            if f.channel == file.channel and r.domain == "frequency"
        ]
        backwards = recording.domain == "frequency" and sum(others) < 0
        turned.append(spectrum.conjugated() if backwards else spectrum)
    return turned


def _on_axis(sample: Sample, nucleus: str, *, ascending: bool) -> Real:
    """Return the pattern on the axis of a file, ascending."""
    lines = np.array(pattern_hz(sample, nucleus))
    return lines if ascending else -lines[::-1]


def _place(file: ReadoutFile, spectrum: MeasuredSpectrum, data: RecordedData) -> float | None:
    """Return where the multiplet of a file stands, None where it does not stand out."""
    return _place_as(file.channel, file, spectrum, data)


def _place_as(
    nucleus: str, file: ReadoutFile, spectrum: MeasuredSpectrum, data: RecordedData
) -> float | None:
    pattern = np.array(pattern_hz(data.sample, nucleus))
    try:
        place = find_pattern(spectrum, pattern, between_hz=_range(file, spectrum))
    except ArgumentError:
        return None
    return place.centre_hz if place.stands_out >= SEEN else None


def _range(file: ReadoutFile, spectrum: MeasuredSpectrum) -> tuple[float, float] | None:
    if file.near is None:
        return None
    centre, half = near_hz(file.near, spectrum)
    return centre - half, centre + half


def _strangers(
    data: RecordedData,
    recordings: Sequence[Recording],
    spectra: Sequence[MeasuredSpectrum],
    places: Sequence[float | None],
) -> list[Fault]:
    """Return faults of files that do not show the multiplet of their channel."""
    faults = []
    for file, recording, spectrum, place in zip(
        data.files, recordings, spectra, places, strict=True
    ):
        widths = [
            s.width_hz
            for f, s, p in zip(data.files, spectra, places, strict=True)
            if f.channel == file.channel and p is not None
        ]
        if place is not None:
            continue
        other = _better_nucleus(file, recording, data)
        alike = [abs(width / spectrum.width_hz - 1) < _SAME_WIDTH for width in widths]
        if other is None and any(alike):
            continue  # a weak file of a channel whose place others tell
        faults.append(Fault(file.data.at, _stranger_message(file, spectrum, data, other)))
    return faults


def _better_nucleus(file: ReadoutFile, recording: Recording, data: RecordedData) -> str | None:
    for nucleus in data.sample.nuclei:
        if nucleus == file.channel:
            continue
        seen = _spectrum(recording, replace(file, near=None), data, nucleus)
        if recording.domain == "frequency" and _place_as(
            nucleus, replace(file, near=None), seen, data
        ):
            return nucleus
    return None


def _stranger_message(
    file: ReadoutFile, spectrum: MeasuredSpectrum, data: RecordedData, other: str | None
) -> str:
    if other is None and file.near is not None and (wrong := misplaced(file.near, spectrum)):
        return f"`{file.data.path}`: {wrong}"
    lines = np.array(pattern_hz(data.sample, file.channel))
    what = f"doublet of {np.ptp(lines):.6g} Hz" if len(lines) == 2 else f"{len(lines)} lines"
    message = (
        f"`{file.data.path}` is given as {file.channel}, but no {what} stands {SEEN:g} times above "
        f"the noise {_searched(file, spectrum)}"
    )
    if other is None:
        return f"{message}{strongest_text(spectrum)}"
    return f"{message}; there is one at the frequency of {other}: are the files exchanged?"


def _searched(file: ReadoutFile, spectrum: MeasuredSpectrum) -> str:
    """Return where a multiplet was looked for: the whole width, or what the data file names."""
    if file.near is None:
        return f"in its {spectrum.width_hz:.6g} Hz"
    return f"near {near_text(file.near)}"


def _held(
    weak: ReadoutFile,
    data: RecordedData,
    recordings: Sequence[Recording],
    fits: Sequence[FittedFile | None],
) -> tuple[float, Real]:
    """Return centre in Hz and widths of a weak file: medians of the others of its channel.

    Free ones would settle on whatever noise is tallest there, which biases amplitudes upwards.
    """
    kinds = {id(f): r.kind for f, r in zip(data.files, recordings, strict=True)}
    own = ascends(kinds[id(weak)], weak.channel, data)
    centres, widths = list[float](), list[Real]()
    for f in fits:
        if f is not None and f.multiplet is not None and f.file.channel == weak.channel:
            alike = ascends(kinds[id(f.file)], weak.channel, data) == own
            centres.append(f.multiplet.centre_hz)
            widths.append(f.multiplet.widths_hz[:: 1 if alike else -1])
    return float(np.median(centres)), np.median(widths, axis=0)


def _fit(
    file: ReadoutFile,
    recording: Recording,
    spectrum: MeasuredSpectrum,
    data: RecordedData,
    centre: float,
    widths: Real | None = None,
) -> FittedFile:
    """Fit the multiplet of a file near a place; there, with widths, where these are known."""
    ascending = ascends(recording.kind, file.channel, data)
    pattern = _on_axis(data.sample, file.channel, ascending=ascending)
    try:
        held = None if widths is None else (centre, widths)
        multiplet = fit_multiplet(spectrum, pattern, centre, fixed=held)
        coupling = _coupling(spectrum, pattern, multiplet) if held is None else None
    except ArgumentError as error:
        raise InputError([Fault(file.data.at, f"`{file.data.path}`: {error}")]) from error
    known, covariance = in_rotating_frame(
        multiplet.amplitudes, multiplet.true_covariance, file.phase_rad, ascending=ascending
    )
    shown = fitted_spectrum(spectrum, multiplet).turned(file.phase_rad)
    return FittedFile(
        file=file,
        known=known,
        covariance=covariance,
        multiplet=multiplet,
        coupling_hz=coupling,
        ppm=spectrum.ppm(multiplet.centre_hz),
        edge_noise=spectrum.edge_noise.sigma,
        found=widths is None,
        sha256=recording.sha256,
        shown=shown if ascending else shown.conjugated(),
    )


def _coupling(
    spectrum: MeasuredSpectrum, pattern: Real, multiplet: Multiplet
) -> tuple[float, float] | None:
    if len(pattern) != 2 or multiplet.signal_to_noise.min() < _COUPLING_SNR:
        return None
    free = fit_multiplet(spectrum, pattern, multiplet.centre_hz, free_scale=True)
    distance = float(np.ptp(pattern))
    return distance * free.scale, distance * float(free.true_errors[1])


# ---------------------------------------------------------------------------------- known lines
@dataclass(frozen=True, eq=False)
class _Projected:
    """An FID projected on lines that stand and decay as the sample says."""

    file: ReadoutFile
    sha256: str
    known: Quadratures
    unit_covariance: Real  # under noise of unit variance
    values: Complex
    model: Complex
    rates: Complex  # of the lines
    width_hz: float

    @property
    def residual(self) -> float:
        """Sum of squares that is left."""
        return float(np.sum(np.abs(self.values - self.model) ** 2))

    @property
    def freedom(self) -> int:
        """Real numbers in it."""
        return max(2 * (len(self.values) - len(self.rates)), 1)

    def shown(self, variance: float) -> FittedSpectrum:
        """Return data and fit with the phases of the amplitudes, under noise of a variance."""
        phase = self.file.phase_rad
        lines = self.rates, self.known.amplitudes * np.exp(1j * phase)
        sigma = float(np.sqrt(variance))
        whole = projected_spectrum(self.values, self.model, lines, self.width_hz, sigma)
        return whole.turned(phase)


def _known(data: RecordedData, recordings: Sequence[Recording]) -> tuple[FittedFile, ...]:
    """Return amplitudes by projection; the noise of a channel is pooled over its files."""
    each = zip(data.files, recordings, strict=True)
    projected = [_projected(file, recording, data) for file, recording in each]
    fitted = []
    for one in projected:
        alike = [p for p in projected if p.file.channel == one.file.channel]
        variance = sum(p.residual for p in alike) / sum(p.freedom for p in alike)
        fitted.append(
            FittedFile(
                file=one.file,
                known=one.known,
                covariance=variance * one.unit_covariance,
                sha256=one.sha256,
                shown=one.shown(variance),
            )
        )
    return tuple(fitted)


def _projected(file: ReadoutFile, recording: Recording, data: RecordedData) -> _Projected:
    width = recording.spectral_width_hz
    assert width is not None  # every reader of FIDs tells it
    ascending = ascends(recording.kind, file.channel, data)
    values = recording.values.reshape(-1, recording.points)[file.data.row or 0]
    values = values if ascending != file.data.conjugate else values.conj()
    generator = liouvillian(data.sample, relaxation=True)
    rates = transitions(generator, observable(data.sample, file.channel))
    try:
        dead = recording.dead_time_s - file.data.first_point / width
        receiver = Receiver(width, recording.points, dead)
        fit = line_fit(rates, receiver)
    except ArgumentError as error:
        raise InputError([Fault(file.data.at, f"`{file.data.path}`: {error}")]) from error
    found = fit @ values
    C = fit @ fit.conj().T
    known, covariance = in_rotating_frame(
        found, np.block([[C.real, -C.imag], [C.imag, C.real]]), file.phase_rad, ascending=True
    )
    return _Projected(
        file,
        recording.sha256,
        known,
        covariance,
        values,
        np.asarray(np.exp(receiver.times_s[:, None] * rates) @ found),
        rates,
        width,
    )
