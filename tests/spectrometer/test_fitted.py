"""What a fit looks like: windows, lines without baselines, phases, known lines."""

import numpy as np
import pytest

from nmrqb.spectrometer.fitted import fitted_spectrum, projected_spectrum
from nmrqb.spectrometer.measured import measured_spectrum
from nmrqb.spectrometer.multiplets import fit_multiplet
from nmrqb.spectrometer.readers import Recording

SW, N, J = 1000.0, 4096, 200.0
DOUBLET = np.array([-J / 2, J / 2])
RATES = 2j * np.pi * (DOUBLET + 20.3) - np.pi * np.array([1.1, 0.9])
AMPLITUDES = np.array([2 * np.exp(0.3j), -1.2])
T = np.arange(N) / SW
CLEAN = np.exp(T[:, None] * RATES) @ AMPLITUDES


def noisy(sigma, seed=1):
    rng = np.random.default_rng(seed)
    return CLEAN + sigma * (rng.normal(size=(N, 2)) @ [1, 1j])


def shown(sigma=0.05, baseline=0.0, window=10.0):
    fid = noisy(sigma)
    fid[0] += baseline  # one point makes a flat spectrum
    seen = measured_spectrum(Recording(fid, "time", "x", "x", spectral_width_hz=SW))
    fit = fit_multiplet(seen, DOUBLET, 20.3, window_hz=window)
    return fitted_spectrum(seen, fit)


def test_windows_stand_round_the_lines():
    found = shown()
    assert found.windows_hz == pytest.approx(
        np.array([(-89.7, -69.7), (110.3, 130.3)]), abs=2 * found.step_hz
    )
    assert found.positions_hz == pytest.approx(DOUBLET + 20.3, abs=0.01)
    assert len(shown(window=105.0).windows_hz) == 1


def test_model_and_curve_are_the_transform_of_the_lines():
    found = shown(sigma=1e-7)
    axis = np.concatenate([found.frequencies_hz, found.curve_hz])
    weights = np.where(np.arange(N) == 0, 0.5, 1.0) / SW
    exact = np.exp(-2j * np.pi * axis[:, None] * T) @ (weights * CLEAN)
    scale = np.abs(exact).max()
    drawn = np.concatenate([found.model, found.curve])
    np.testing.assert_allclose(drawn, exact, atol=1e-4 * scale)
    assert len(found.curve) > 7 * len(found.model)


def test_a_baseline_is_taken_off_data_and_fit():
    flat = shown(sigma=0.02, baseline=300.0)
    assert np.abs(flat.values[:5]).max() < 0.1 * np.abs(flat.values).max()
    assert 0.1 * np.abs(flat.values).max() < 300 / 2 / SW  # it would be seen
    assert flat.misfit == pytest.approx(1, abs=0.3)


def test_the_misfit_tells_a_missing_line():
    found = shown()
    assert found.misfit == pytest.approx(1, abs=0.3)
    half = found.turned(np.pi)  # both turn: nothing changes
    assert half.misfit == pytest.approx(found.misfit)
    less = type(found)(**(vars(found) | {"model": 0 * found.model}))
    assert less.misfit > 50


def test_turning_and_conjugating_move_all_parts_alike():
    found = shown()
    turned = found.turned(0.4).conjugated()
    for name in ("values", "model", "curve", "amplitudes"):
        expected = (getattr(found, name) * np.exp(-0.4j)).conj()
        np.testing.assert_allclose(getattr(turned, name), expected)
    np.testing.assert_array_equal(turned.frequencies_hz, found.frequencies_hz)


def test_known_lines_look_like_fitted_ones():
    fid = noisy(0.05)
    known = projected_spectrum(fid, CLEAN, (RATES, AMPLITUDES), SW, 0.05)
    fitted = shown(0.05)
    assert len(known.windows_hz) == 2
    assert known.noise == pytest.approx(fitted.noise, rel=0.1)
    assert known.misfit == pytest.approx(1, abs=0.3)
    np.testing.assert_allclose(known.positions_hz, DOUBLET + 20.3)
    at = np.searchsorted(fitted.frequencies_hz, known.frequencies_hz[20])
    assert known.values[20] == pytest.approx(fitted.values[at], abs=3 * known.noise)


def test_short_fids_get_wide_windows():
    known = projected_spectrum(CLEAN[:64], CLEAN[:64], (RATES, AMPLITUDES), SW, 0.05)
    (low, high) = known.windows_hz[0]
    assert high - low > 12 * SW / 64
