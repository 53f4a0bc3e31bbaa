"""What fitted laws are worth: doubts that noise alone does not raise, notes on the rf field."""

import numpy as np
import pytest

from nmrqb.experiment.recorded.judgement import doubts_of, notes_of, spread_text
from nmrqb.spectrometer.laws import Spread, fit_series

DELAYS = np.array([0.05, 0.2, 0.5, 1, 1.6, 2.5, 4, 7])
PULSES = np.array([10, 20, 30, 40, 40.5, 50]) * 1e-6


def doubted(factor, sigma, seeds, bent=0.0):
    """Return how many recoveries with an inversion factor raise the doubt about it."""
    found = 0
    for seed in range(seeds):
        noise = sigma * np.random.default_rng(seed).normal(size=len(DELAYS))
        y = 1 - factor * np.exp(-DELAYS / 1.2) + bent * np.sin(4 * DELAYS) + noise
        fit = fit_series("inversion-recovery", DELAYS, y, np.full(len(DELAYS), sigma))
        found += any("more than 2" in doubt for doubt in doubts_of(fit, None))
    return found


def test_a_perfect_inversion_is_not_doubted_because_of_noise():
    """Of factors of 2.0 ± 0.1, a third lies above 2.05."""
    assert doubted(2.0, 0.08, 50) <= 4
    assert doubted(2.3, 0.01, 3) == 3


def test_a_law_that_misses_excuses_no_inversion():
    assert doubted(2.2, 0.001, 2, bent=0.05) == 2


def test_another_time_that_fits_as_well_is_a_doubt():
    y = np.sin(np.pi / 2 * PULSES / 20e-6)
    fit = fit_series("nutation", PULSES, y, np.full(6, 0.1))
    assert doubts_of(fit, None) == (
        f"not determined: 2e-05 s fits these rows, and {fit.rival_s:.3g} s as well",
    )
    assert doubts_of(fit_series("nutation", PULSES, y, np.full(6, 0.01)), None) == ()


@pytest.mark.parametrize(
    ("spread", "text"),
    [
        (Spread(0.0423**2, 2 * 0.0423 * 0.0018), "4.23 ± 0.18 %"),
        (Spread(0.1**2, 2 * 0.1 * 0.012), "10 ± 1.2 %"),
        (Spread(0.0, 0.01**2 / 2), "at most 1 %"),
        (Spread(0.03**2, 0.08**2), "at most 12 %"),
    ],
)
def test_spreads_are_values_or_bounds(spread, text):
    assert spread_text(spread) == text


def test_the_rf_field_is_told_of_nutations_alone():
    y = np.sin(np.pi / 2 * PULSES / 20e-6)
    (note,) = notes_of(fit_series("nutation", PULSES, y, np.full(6, 0.01)))
    assert note.startswith("b1_inhomogeneity at most ")
    assert notes_of(fit_series("decay", DELAYS, np.exp(-DELAYS), np.full(8, 0.01))) == ()


def test_amplitudes_that_do_not_change_tell_no_time():
    """All equal, the fit is exact and its time is as good as any other."""
    for y in (np.ones(8), 1 + 0.004 * np.cos(np.arange(8))):
        fit = fit_series("inversion-recovery", DELAYS, y, np.full(8, 0.01))
        assert doubts_of(fit, None)[0].startswith("not determined: the amplitudes are the same")
    fit = fit_series("inversion-recovery", DELAYS, 1 - 0.1 * np.exp(-DELAYS), np.full(8, 0.01))
    assert not any("are the same" in doubt for doubt in doubts_of(fit, None))
