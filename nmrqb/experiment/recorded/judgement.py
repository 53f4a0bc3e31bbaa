"""What a fitted law is worth: a value, a bound, or nothing that belongs into a sample."""

from __future__ import annotations

import numpy as np

from nmrqb.spectrometer.series import SeriesFit

POOR = 10.0  # misfit from which on a law is said not to fit
_OVER_INVERTED = 2.05
_RANGE = 3.0  # times the longest time, or parts of the shortest, that a series tells of
_MISSES = 0.2  # of the largest amplitude: a law that leaves so much is the wrong one
_VAGUE = 0.5  # of a value: an error that is larger leaves nothing of it


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
    elif law.error_s > _VAGUE * law.time_s:
        found.append(f"not determined: the fit gives {law.time_s:.3g} ± {law.error_s:.2g} s")
    if law.inversion > _OVER_INVERTED:
        found.append(f"an inversion by {law.inversion:.3g} is more than 2: do not trust this fit")
    if share > _MISSES and law.misfit > POOR:
        found.append(
            f"the law leaves {100 * share:.2g} % of the largest amplitude: it is not the law of "
            "this series"
        )
    return tuple(found)
