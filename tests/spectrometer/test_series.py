"""Lines followed through series of spectra: amplitudes, and their errors."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.laws import fit_series
from nmrqb.spectrometer.readers import Recording
from nmrqb.spectrometer.series import follow_line

DELAYS = np.array([0.01, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10])


def recovered(t):
    return 1 - 1.9 * np.exp(-t / 0.9)


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
    t, course = DELAYS, recovered
    line = follow_line(recording(course(t)), 60.0)
    assert line.position_hz == pytest.approx(60, abs=1.5)
    assert line.amplitudes / line.amplitudes[-1] == pytest.approx(
        course(t) / course(t)[-1], abs=0.02
    )
    assert np.abs(line.across).max() < 6 * line.errors.max() + 0.02 * line.amplitudes.max()
    assert line.share > 0.99
    fit = fit_series("inversion-recovery", t, line.amplitudes, line.errors)
    assert abs(fit.time_s - 0.9) < 4 * fit.error_s
    assert fit.error_s < 0.02


def test_windows_off_the_spectrum_are_refused():
    rows = recording(np.ones(4))
    with pytest.raises(ArgumentError, match="`near_hz` must be where the window"):
        follow_line(rows, 900.0)
    with pytest.raises(ArgumentError, match=r"must hold a series of rows, but .* holds 1$"):
        follow_line(recording(np.ones(1)), 60.0)


@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_errors_hold_noise_that_neighbours_share(zeros):
    """Zero-filled spectra have correlated points; a projection on the line sees that."""
    points, rng = 1024, np.random.default_rng(8)
    t = np.arange(points) / 500.0
    fids = np.exp(2j * np.pi * 60 * t - 3 * t) + 0.3 * rng.normal(size=(120, points, 2)) @ [1, 1j]
    fids = np.pad(fids, [(0, 0), (0, zeros * points)])
    values = np.fft.fftshift(np.fft.fft(fids, axis=-1), axes=-1) / 500.0
    ppm = (np.arange(values.shape[-1]) - values.shape[-1] // 2) * 500 / values.shape[-1] / 60
    table = Recording(values, "frequency", "x", "x", ppm=ppm)
    line = follow_line(table, 60.0, reference_hz=60e6)
    assert np.std(line.amplitudes, ddof=1) == pytest.approx(line.errors.mean(), rel=0.2)
