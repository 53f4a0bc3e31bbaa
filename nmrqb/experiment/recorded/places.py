"""Places in a spectrum as a data file names them, and messages that name those of its lines."""

from __future__ import annotations

from nmrqb.spectrometer.measured import MeasuredSpectrum
from nmrqb.spectrometer.peaks import strongest_lines

_OWN_PPM, _OWN_HZ = 0.5, 30.0  # how far the middle may be from where the data file says
Near = tuple[float, str]
"""A number, and ``ppm`` or ``Hz`` (above the carrier)."""


def near_hz(near: Near, spectrum: MeasuredSpectrum) -> tuple[float, float]:
    """Return a place on the axis of a spectrum and how far off it may be, in Hz."""
    value, unit = near
    if unit == "ppm":
        reference = (spectrum.reference_hz or 0.0) * 1e-6
        return value * reference, _OWN_PPM * reference
    return spectrum.carrier_hz + value, _OWN_HZ


def near_text(near: Near) -> str:
    """Return how a data file names a place: ``7.26 ppm``."""
    return _minus(f"{near[0]:g} {near[1]}")


def misplaced(near: Near, spectrum: MeasuredSpectrum) -> str:
    """Return what is wrong with a place, empty where it lies in the spectrum.

    Parameters
    ----------
    near
        Number and unit.
    spectrum
        Where it should lie.
    """
    unit = near[1]
    if unit == "ppm" and spectrum.reference_hz is None:
        return (
            f"`near` = {near_text(near)}, but the file does not tell where 0 ppm is; say in Hz "
            f"from the carrier where the line is{strongest_text(spectrum, 'Hz')}"
        )
    place = near_hz(near, spectrum)[0]
    low, high = (float(edge) for edge in spectrum.frequencies_hz[[0, -1]])
    if low <= place <= high:
        return ""
    ends = " to ".join(_number(edge, spectrum, unit) for edge in (low, high))
    return (
        f"`near` = {near_text(near)} lies outside the spectrum, {ends} {unit}"
        f"{strongest_text(spectrum, unit)}"
    )


def strongest_text(spectrum: MeasuredSpectrum, unit: str | None = None) -> str:
    """Return ``; strongest lines at …`` for the end of a message, or that there is none.

    Parameters
    ----------
    spectrum
        Where to look.
    unit
        ``ppm`` or ``Hz`` from the carrier; by default ppm where 0 ppm is known.
    """
    numbers, named = strongest_numbers(spectrum, unit)
    if not numbers:
        return "; no line at all stands out of its noise"
    word = "its only line stands" if len(numbers) == 1 else "strongest lines"
    return f"; {word} at {', '.join(numbers)} {named}"


def strongest_numbers(
    spectrum: MeasuredSpectrum, unit: str | None = None, *, most: int = 5
) -> tuple[list[str], str]:
    """Return where the strongest lines stand, the strongest first, and the unit.

    Parameters
    ----------
    spectrum
        Where to look.
    unit
        ``ppm`` or ``Hz`` from the carrier; by default ppm where 0 ppm is known.
    most
        How many lines.
    """
    named = unit or ("Hz" if spectrum.reference_hz is None else "ppm")
    lines = strongest_lines(spectrum, most=most)
    return [_number(line.frequency_hz, spectrum, named) for line in lines], named


def _number(place_hz: float, spectrum: MeasuredSpectrum, unit: str) -> str:
    ppm = spectrum.ppm(place_hz) if unit == "ppm" else None
    number = f"{place_hz - spectrum.carrier_hz:.1f}" if ppm is None else f"{ppm:.3f}"
    return _minus("0" if float(number) == 0 else number)


def _minus(text: str) -> str:
    return text.replace("-", "−")
