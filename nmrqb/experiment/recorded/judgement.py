"""What a fitted law is worth: a value, a bound, or nothing that belongs into a sample."""

from __future__ import annotations

import math

import numpy as np

from nmrqb.experiment.recorded.means import rounded
from nmrqb.spectrometer.laws import SeriesFit, Spread, fit_series

POOR = 10.0  # misfit from which on a law is said not to fit
_OVER_INVERTED = 2.05
_SURE = 2.0  # standard errors
_RANGE = 3.0  # times the longest time, or parts of the shortest, that a series tells of
_MISSES = 0.2  # of the largest amplitude: a law that leaves so much is the wrong one
_VAGUE = 0.5  # of a value: an error that is larger leaves nothing of it
_USUAL_SPREAD = 0.05  # of the rf field, where a series does not tell it


def bound_of(law: SeriesFit) -> tuple[str, float] | None:
    """Return what is told of a time far beyond the longest or below the shortest of a series.

    The rate 1/T is known to ± σ/T²: T is longer than 1/(1/T + 2σ/T²), and nothing is said of more
    than three times the longest time.
    """
    longest, shortest = float(law.times_s.max()), float(law.times_s[law.times_s > 0].min())
    T, error = law.time_s, law.error_s
    if longest * _RANGE < T:
        return ">", min(_RANGE * longest, T / (1 + 2 * error / T))
    if law.law != "nutation" and shortest / _RANGE > T:
        return "<", max(shortest / _RANGE, T + 2 * error)
    return None


def doubts_of(law: SeriesFit, bound: tuple[str, float] | None) -> tuple[str, ...]:
    """Say why a fitted law is not to be trusted."""
    left = float(np.sqrt(np.mean((law.amplitudes - law.at(law.times_s)) ** 2)))
    share = left / float(np.abs(law.amplitudes).max())
    found = []
    if bound is not None:
        end = "longest" if bound[0] == ">" else "shortest"
        time = law.times_s.max() if bound[0] == ">" else law.times_s[law.times_s > 0].min()
        found.append(
            f"not determined, a bound only: the fit gives {law.time_s:.3g} s, far from the {end} "
            f"time of the series, {time:.3g} s"
        )
    elif not _changes(law):
        found.append("not determined: the amplitudes are the same within their errors")
    elif law.error_s > _VAGUE * law.time_s:
        found.append(f"not determined: the fit gives {law.time_s:.3g} ± {law.error_s:.2g} s")
    elif law.rival_s is not None:
        found.append(
            f"not determined: {law.time_s:.3g} s fits these rows, and {law.rival_s:.3g} s as well"
        )
    if law.inversion > max(_OVER_INVERTED, 2 + _SURE * _by_noise(law)):
        found.append(f"an inversion by {law.inversion:.3g} is more than 2: do not trust this fit")
    if share > _MISSES and law.misfit > POOR:
        found.append(
            f"the law leaves {100 * share:.2g} % of the largest amplitude: it is not the law of "
            "this series"
        )
    return tuple(found)


def _changes(law: SeriesFit) -> bool:
    """Whether amplitudes differ from each other by more than their errors: χ² of a constant."""
    weights = law.errors**-2
    mean = np.average(law.amplitudes, weights=weights)
    chi2, freedom = float(np.sum(weights * (law.amplitudes - mean) ** 2)), law.times_s.size - 1
    return chi2 > freedom + _SURE * math.sqrt(2 * freedom)


def _by_noise(law: SeriesFit) -> float:
    """Return the error of an inversion factor by noise alone: a wrong law excuses nothing."""
    return law.inversion_error / math.sqrt(max(1.0, law.misfit))


def notes_of(law: SeriesFit) -> tuple[str, ...]:
    """Say what to know about a fitted law: its misfit, and the rf field of a nutation."""
    found = []
    if law.misfit > POOR:
        found.append(
            f"the law misses the rows by {math.sqrt(law.misfit):.3g} times their noise: "
            "overlapping lines, phases or drift; the error has that factor in it"
        )
    if law.law == "nutation":
        found.append(_rf_field(law))
    return tuple(found)


def spread_text(spread: Spread) -> str:
    """Return a relative spread of the rf field: ``3.84 ± 0.18 %``, or ``at most 1.2 %``."""
    if not spread.resolved:
        return f"at most {100 * spread.at_most:.2g} %"
    value, error = 100 * spread.value, 100 * spread.error
    return f"{rounded(value, error)} ± {error:.2g} %"


def _rf_field(law: SeriesFit) -> str:
    """Say how much the rf field varies over the sample, or why a nutation does not tell."""
    spread = law.b1_inhomogeneity
    if spread is not None:
        seen = "damps the nutation" if spread.resolved else "no damping of the nutation is seen"
        return f"b1_inhomogeneity {spread_text(spread)}: {seen}"
    shown = law.times_s, law.amplitudes, law.errors
    other = fit_series("nutation", *shown, b1_inhomogeneity=_USUAL_SPREAD)
    change = 100 * (other.time_s / law.time_s - 1)
    return (
        "b1_inhomogeneity taken as 0: a series of three pulse lengths, or one that ends before "
        f"half a turn, does not tell it; one of {100 * _USUAL_SPREAD:g} % would change the 90° "
        f"pulse by {change:+.2g} %"
    )
