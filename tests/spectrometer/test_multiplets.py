"""Multiplets: found among stronger lines, fitted without bias, with errors that cover."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.measured import measured_spectrum
from nmrqb.spectrometer.multiplets import find_pattern, fit_multiplet
from nmrqb.spectrometer.readers import Recording

SW, N, J = 1000.0, 4096, 215.0
DOUBLET = np.array([-J / 2, J / 2])


def spectrum(lines, sigma, seed=1, dead=0.0, points=N):
    t = np.arange(points) / SW + dead
    fid = sum(a * np.exp((2j * np.pi * nu - np.pi * w) * t) for a, nu, w in lines)
    rng = np.random.default_rng(seed)
    fid = fid + sigma * (rng.normal(size=points) + 1j * rng.normal(size=points))
    return measured_spectrum(
        Recording(fid, "time", "x", "x", spectral_width_hz=SW, dead_time_s=dead)
    )


LINES = [(2 * np.exp(0.3j), 20.3 - J / 2, 1.1), (-1.2, 20.3 + J / 2, 0.9)]
FOREIGN = [(300.0, -250.0, 1.0), (20.0, -281.0, 2.0), (20.0, -219.0, 2.0)]


def test_a_doublet_is_found_beside_a_stronger_line():
    seen = spectrum(LINES + FOREIGN, 0.05)
    place = find_pattern(seen, DOUBLET)
    assert place.centre_hz == pytest.approx(20.3, abs=1)
    assert place.stands_out > 20
    tallest = seen.frequencies_hz[np.argmax(np.abs(seen.values))]
    assert tallest == pytest.approx(-250, abs=1)


def test_where_there_is_none_nothing_stands_out():
    assert find_pattern(spectrum(FOREIGN, 0.05), DOUBLET).stands_out < 6
    near = find_pattern(spectrum(LINES, 0.05), DOUBLET, between_hz=(-60, -40))
    assert near.stands_out < 6
    with pytest.raises(ArgumentError, match="`pattern_hz` must fit into the spectrum"):
        find_pattern(spectrum(LINES, 0.05), 10 * DOUBLET)
    with pytest.raises(ArgumentError, match="range of its middle"):
        find_pattern(spectrum(LINES, 0.05), DOUBLET, between_hz=(900, 950))


@pytest.mark.parametrize("dead", [0.0, 2e-3])
def test_noiseless_lines_come_back(dead):
    seen = spectrum(LINES, 1e-7, dead=dead)
    fit = fit_multiplet(seen, DOUBLET * 214.6 / J, 20.0, free_scale=True)
    assert fit.amplitudes == pytest.approx([2 * np.exp(0.3j), -1.2], abs=1e-4)
    assert fit.widths_hz == pytest.approx([1.1, 0.9], abs=1e-4)
    assert 214.6 * fit.scale == pytest.approx(J, abs=1e-5)
    assert fit.centre_hz == pytest.approx(20.3, abs=1e-5)


def test_a_truncated_fid_is_modelled():
    seen = spectrum(LINES, 1e-7, points=256)  # a quarter of a second: sinc wings
    fit = fit_multiplet(seen, DOUBLET, 20.3, window_hz=40)
    assert fit.amplitudes == pytest.approx([2 * np.exp(0.3j), -1.2], abs=1e-3)


def test_errors_cover_and_hold_those_of_the_widths():
    truth = np.array([2 * np.exp(0.3j), -1.2])
    stacked = np.concatenate([truth.real, truth.imag])
    pulls, centres, couplings, misfits = [], [], [], []
    for seed in range(40):
        fit = fit_multiplet(spectrum(LINES, 0.05, seed), DOUBLET, 20.0, free_scale=True)
        found = np.concatenate([fit.amplitudes.real, fit.amplitudes.imag])
        root = np.linalg.cholesky(fit.covariance)
        pulls.append(np.linalg.solve(root, found - stacked))
        centres.append((fit.centre_hz - 20.3) / fit.errors[0])
        couplings.append((fit.scale - 1) / fit.errors[1])
        misfits.append(fit.misfit)
    assert np.mean(np.square(pulls)) == pytest.approx(1, abs=0.3)
    assert np.mean(np.square(centres)) == pytest.approx(1, abs=0.6)
    assert np.mean(np.square(couplings)) == pytest.approx(1, abs=0.6)
    assert np.mean(misfits) == pytest.approx(1, abs=0.1)
    known = fit_multiplet(spectrum(LINES, 0.05), DOUBLET, 20.3, fixed=(20.3, np.array([1.1, 0.9])))
    assert np.all(np.diag(known.covariance) < 0.8 * np.diag(fit.covariance))


def test_weak_lines_share_a_width():
    lines = [(2.0, 20.3 - J / 2, 1.1), (0.02, 20.3 + J / 2, 1.1)]
    fit = fit_multiplet(spectrum(lines, 0.05), DOUBLET, 20.3)
    assert fit.widths_hz[0] == fit.widths_hz[1] == pytest.approx(1.1, rel=0.1)
    assert abs(fit.amplitudes[1] - 0.02) < 5 * np.sqrt(fit.covariance[1, 1])


def test_what_is_no_lorentzian_shows_as_misfit():
    parts = [(0.5, 20.3 + d - J / 2, 0.8) for d in (-1.5, 1.5)]
    parts += [(0.5, 20.3 + d + J / 2, 0.8) for d in (-1.5, 1.5)]
    fit = fit_multiplet(spectrum(parts, 0.01), DOUBLET, 20.3)
    assert fit.misfit > 10
    assert fit.inflation == pytest.approx(np.sqrt(fit.misfit))
    assert fit.together > 2  # a wrong shape is wrong over a whole line
    inflated = np.sqrt(1 + (fit.misfit - 1) * fit.together)
    assert fit.true_errors == pytest.approx(fit.errors * inflated)


def test_residuals_of_noise_are_not_taken_for_a_shape():
    fits = [
        fit_multiplet(spectrum(LINES, 0.05, seed=k), DOUBLET, 20.3, free_scale=True)
        for k in range(12)
    ]
    assert np.mean([fit.together for fit in fits]) < 1.6
    assert np.mean([np.mean((f.true_errors / f.errors) ** 2) for f in fits]) < 1.3


def test_windows_must_hold_enough():
    with pytest.raises(ArgumentError, match="`window_hz` must hold more points"):
        fit_multiplet(spectrum(LINES, 0.05), DOUBLET, 20.3, window_hz=0.2)
