"""Series: T1, T2 and 90° pulses come back from simulated rows, with errors that cover."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.laws import fit_series
from nmrqb.spectrometer.readers import Recording
from nmrqb.spectrometer.series import follow_line

DELAYS = np.array([0.01, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10])
COURSES = {
    "inversion-recovery": (DELAYS, 0.9, lambda t: 1 - 1.9 * np.exp(-t / 0.9)),
    "saturation-recovery": (DELAYS, 0.9, lambda t: 1 - np.exp(-t / 0.9)),
    "decay": (DELAYS, 0.4, lambda t: np.exp(-t / 0.4)),
    "nutation": (
        np.arange(2, 80, 3) * 1e-6,
        13e-6,
        lambda t: np.sin(np.pi / 2 * t / 13e-6),
    ),
}


@pytest.mark.parametrize("law", COURSES)
def test_times_come_back_with_their_errors(law):
    t, truth, course = COURSES[law]
    exact = fit_series(law, t, 7 * course(t), np.full(len(t), 0.1))
    assert exact.time_s == pytest.approx(truth, rel=1e-6)
    assert exact.misfit < 1e-9
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(60):
        noisy = 7 * course(t) + 0.1 * rng.normal(size=len(t))
        fit = fit_series(law, t, noisy, np.full(len(t), 0.1))
        pulls.append((fit.time_s - truth) / fit.error_s * np.sqrt(max(1, fit.misfit)))
    assert np.mean(np.square(pulls)) == pytest.approx(1, abs=0.5)


def test_inversion_factor_and_misfit():
    t, _, course = COURSES["inversion-recovery"]
    fit = fit_series("inversion-recovery", t, course(t), np.full(len(t), 1e-3))
    assert fit.inversion == pytest.approx(1.9)
    bent = fit_series("inversion-recovery", t, course(t) ** 3, np.full(len(t), 1e-3))
    assert bent.misfit > 100
    assert np.isnan(fit_series("decay", t, np.exp(-t), np.full(len(t), 0.1)).inversion)


@pytest.mark.parametrize(
    ("law", "times", "message"),
    [
        ("T1", DELAYS, "`law` must be one of"),
        ("decay", DELAYS[:2], "must hold more than 2 different times"),
        ("inversion-recovery", [1, 1, 1, 2, 2], "must hold more than 3 different times"),
        ("decay", -DELAYS, "times ≥ 0"),
    ],
)
def test_what_makes_no_series_is_refused(law, times, message):
    y = np.ones(len(times))
    with pytest.raises(ArgumentError, match=message):
        fit_series(law, times, y, y)
    with pytest.raises(ArgumentError, match="must have one shape"):
        fit_series("decay", DELAYS, y[:1], y)


def recording(course, width=2.0, phase=0.8, sigma=0.01):
    """Return rows of an odd line shape under a course, with a foreign line that has another."""
    t = np.arange(2048) / 500.0
    shape = np.exp(2j * np.pi * 60 * t - np.pi * width * t) * (1 + 0.5 * np.cos(8 * t))
    foreign = np.exp(-2j * np.pi * 90 * t - 5 * t)
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(len(course), 2048, 2)) @ [1, 1j] * sigma
    rows = np.exp(1j * phase) * course[:, None] * shape + foreign + noise
    return Recording(rows, "time", "x", "x", spectral_width_hz=500.0)


def test_a_line_is_followed_whatever_its_shape_and_phase():
    t, truth, course = COURSES["inversion-recovery"]
    line = follow_line(recording(course(t)), 60.0)
    assert line.position_hz == pytest.approx(60, abs=1.5)
    assert line.amplitudes / line.amplitudes[-1] == pytest.approx(
        course(t) / course(t)[-1], abs=0.02
    )
    assert np.abs(line.across).max() < 6 * line.errors.max() + 0.02 * line.amplitudes.max()
    assert line.share > 0.99
    fit = fit_series("inversion-recovery", t, line.amplitudes, line.errors)
    assert abs(fit.time_s - truth) < 4 * fit.error_s
    assert fit.error_s < 0.02


def test_windows_off_the_spectrum_are_refused():
    rows = recording(np.ones(4))
    with pytest.raises(ArgumentError, match="`near_hz` must be where the window"):
        follow_line(rows, 900.0)
    with pytest.raises(ArgumentError, match=r"must hold a series of rows, but .* holds 1$"):
        follow_line(recording(np.ones(1)), 60.0)
