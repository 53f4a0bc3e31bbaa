"""Lines that stand out: found where they are, not where wings and baselines are."""

import numpy as np
import pytest

from nmrqb.spectrometer.measured import measured_spectrum
from nmrqb.spectrometer.peaks import line_in, strongest_lines
from nmrqb.spectrometer.readers import Recording

SW, N = 1000.0, 4096
T = np.arange(N) / SW


def spectrum(lines, sigma=0.05, seed=1, offset=0.0):
    fid = sum((a * np.exp((2j * np.pi * nu - np.pi * w) * T) for a, nu, w in lines), 0j * T)
    fid[0] += offset
    rng = np.random.default_rng(seed)
    fid = fid + sigma * (rng.normal(size=(N, 2)) @ [1, 1j])
    return measured_spectrum(Recording(fid, "time", "x", "x", spectral_width_hz=SW))


def test_strongest_lines_in_the_order_of_their_heights():
    seen = spectrum([(1, 60, 1), (5, -200.2, 1), (2, 310, 1), (2, 317, 1)])
    found = [round(peak.frequency_hz) for peak in strongest_lines(seen)]
    assert found == [-200, found[1], 60]
    assert found[1] in {310, 317}  # of a multiplet the strongest
    assert [round(p.frequency_hz) for p in strongest_lines(seen, most=1)] == [-200]


def test_heights_are_those_over_the_noise():
    (peak,) = strongest_lines(spectrum([(1, 60, 1.0)]))
    sigma = 0.05 * np.sqrt(N) / SW
    assert peak.stands_out == pytest.approx(1 / np.pi / sigma, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_lines(seed):
    assert strongest_lines(spectrum([], seed=seed)) == ()


def test_without_noise_the_tall_ones_are_found():
    found = strongest_lines(spectrum([(1, 60.06, 1), (0.5, -100.1, 1)], sigma=0.0))
    assert [round(p.frequency_hz) for p in found[:2]] == [60, -100]


def test_wings_and_baselines_are_no_lines():
    """The first point of an FID makes a baseline; both are far above the noise."""
    seen = spectrum([(30, 60, 1.0)], offset=150.0)
    sigma = seen.noise_near(0).sigma
    for place in (0.0, 75.0, -300.0):
        inside = np.abs(seen.frequencies_hz - place) <= 3
        assert np.abs(seen.values[inside]).max() > 15 * sigma
        assert line_in(seen, place, 3.0) is None
    assert line_in(seen, 61.0, 3.0).frequency_hz == pytest.approx(60, abs=0.25)


@pytest.mark.parametrize("phase", [0.0, 1.5, 3.1, -1.5])
def test_a_small_line_on_a_baseline_is_one_whatever_its_phase(phase):
    small = 0.2 * np.exp(1j * phase)
    seen = spectrum([(30, 60, 1.0), (small, -300, 1.0)], offset=60.0)
    assert line_in(seen, -299.0, 3.0).frequency_hz == pytest.approx(-300, abs=0.5)


def test_a_broad_line_in_a_broad_window():
    assert line_in(spectrum([(20, 60, 30.0)]), 60.0, 40.0) is not None
