"""Measured spectra: one axis for FIDs and tables, and the noise of their empty parts."""

import numpy as np
import pytest

from nmrqb.errors import ArgumentError
from nmrqb.spectrometer.measured import measured_spectrum, noise_of
from nmrqb.spectrometer.readers import Recording

SW, N = 1000.0, 4096


def fid(*lines, points=N):
    t = np.arange(points) / SW
    return sum(a * np.exp((2j * np.pi * nu - np.pi * w) * t) for a, nu, w in lines)


def recording(values, **changes):
    known = {"spectral_width_hz": SW, "carrier_hz": 100.0005e6, "reference_hz": 100e6}
    return Recording(np.asarray(values), "time", "x", "x", **(known | changes))


def white(shape, sigma, seed=1):
    rng = np.random.default_rng(seed)
    return sigma * (rng.normal(size=shape) + 1j * rng.normal(size=shape))


def test_axis_of_an_fid_is_above_zero_ppm():
    spectrum = measured_spectrum(recording(fid((1.0, 120.0, 2.0))))
    top = spectrum.frequencies_hz[np.argmax(np.abs(spectrum.values))]
    assert top == pytest.approx(500 + 120, abs=SW / N)
    assert spectrum.ppm(top) == pytest.approx(6.2, abs=0.01)
    assert spectrum.width_hz == pytest.approx(SW)
    bare = measured_spectrum(recording(fid((1.0, 120.0, 2.0)), carrier_hz=None, reference_hz=None))
    assert bare.ppm(0.0) is None
    assert bare.frequencies_hz[np.argmax(np.abs(bare.values))] == pytest.approx(120, abs=SW / N)


def test_the_line_is_a_lorentzian_of_its_area():
    spectrum = measured_spectrum(recording(fid((3j, 120.0, 2.0))))
    near = np.abs(spectrum.frequencies_hz - 620) < 5
    offset = spectrum.frequencies_hz[near] - 620
    assert spectrum.values[near] == pytest.approx(3j / (2 * np.pi + 2j * np.pi * offset), abs=2e-3)


def test_a_table_needs_the_frequency_of_zero_ppm():
    ppm = np.linspace(0, 10, 400)
    table = Recording(np.ones(400, dtype=complex), "frequency", "csv", "x", ppm=ppm)
    assert measured_spectrum(table, reference_hz=50e6).width_hz == pytest.approx(500 * 400 / 399)
    with pytest.raises(ArgumentError, match="`reference_hz` must be given"):
        measured_spectrum(table)
    with pytest.raises(ArgumentError, match="`row` must be from 0 to 0, but is 2"):
        measured_spectrum(table, row=2, reference_hz=50e6)


def test_causality_tells_the_sense_of_the_imaginary_part():
    spectrum = measured_spectrum(recording(fid((1.0, 120.0, 2.0))))
    assert spectrum.causality > 0.9
    assert spectrum.conjugated().causality < -0.9


@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_noise_is_that_of_the_empty_part(sigma):
    lines = np.zeros(N, dtype=complex)
    lines[1000:1040] = 500
    lines[3000:3003] = 1e4
    noise = noise_of(lines + 5 + white(N, sigma))
    assert noise.sigma == pytest.approx(sigma, rel=0.03)
    assert len(noise.correlation) == 1


def test_noise_depends_on_the_place():
    loud = np.where(np.abs(np.arange(4 * N) - 2 * N) < N, 1.0, 0.4)
    values = loud * white(4 * N, 1.0)
    assert noise_of(values, 2 * N).sigma == pytest.approx(1.0, rel=0.05)
    assert noise_of(values, 100).sigma == pytest.approx(0.4, rel=0.05)


def test_zero_filled_noise_is_correlated():
    values = np.fft.fft(white(N, 1.0), n=2 * N)
    noise = noise_of(values)
    assert len(noise.correlation) > 1
    exact = np.exp(-0.5j * np.pi) * 2 / np.pi  # ⟨n_i n*_{i+1}⟩ of half-filled noise
    assert abs(noise.correlation[1]) == pytest.approx(abs(exact), rel=0.1)
    C = noise.covariance(np.arange(64))
    assert pytest.approx(C.conj().T) == C
    sums = values[: 2 * N // 64 * 64].reshape(-1, 64).sum(axis=-1)
    expected = float(np.sum(C).real)
    assert np.mean(np.abs(sums) ** 2) == pytest.approx(expected, rel=0.35)


def test_what_shows_no_noise_is_refused():
    with pytest.raises(ArgumentError, match="at least 32 points"):
        noise_of(np.ones(20, dtype=complex))
    with pytest.raises(ArgumentError, match="must hold noise"):
        noise_of(np.zeros(400, dtype=complex))


@pytest.mark.parametrize("bad", [np.zeros((0,)), np.array([1.0, np.nan])])
def test_recordings_are_finite(bad):
    with pytest.raises(ArgumentError, match="`values` must hold finite points"):
        recording(bad.astype(complex))


@pytest.mark.parametrize(
    ("values", "changes", "message"),
    [
        (np.array(1.0), {}, r"`values` must hold rows of at least 16 points, .* shape \(\)"),
        (np.ones((20, 15)), {}, r"`values` must hold rows of at least 16 points, .* \(20, 15\)"),
        (np.full(64, 1e151j), {}, r"`values` must hold numbers up to 1e\+150, but holds 1e\+151"),
        (np.ones(64), {"carrier_hz": -1.0}, "`carrier_hz` must be from 1000 to .* but is -1"),
        (np.ones(64), {"carrier_hz": 1e308}, "`carrier_hz` must be from 1000 to .* Hz"),
        (np.ones(64), {"carrier_hz": 1e12}, "`carrier_hz` must lie within 1e.06 spectral widths"),
        (np.ones(64), {"reference_hz": 1e-300}, "`reference_hz` must be from 1000 to .* Hz"),
        (np.ones(64), {"spectral_width_hz": 1e-9}, "`spectral_width_hz` must be from 0.001 to"),
        (np.ones(64), {"ppm": np.linspace(-1e300, 1e300, 64)}, "`ppm` must ascend within"),
        (np.ones(64), {"ppm": np.linspace(-1e-310, 1e-310, 64)}, "by at least 1e-06 ppm"),
    ],
)
def test_recordings_lie_where_spectrometers_measure(values, changes, message):
    with pytest.raises(ArgumentError, match=message):
        recording(values.astype(complex), **changes)
