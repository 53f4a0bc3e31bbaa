"""Residuals over noise: white and χ² where the model is right, large where it is not."""

import numpy as np
import pytest
from scipy.stats import kstest

from nmrqb.errors import ArgumentError
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Integrals, Receiver, add_noise
from nmrqb.tomography import (
    Calibration,
    NoiseLevel,
    acquire,
    estimate_state,
    measurement_chain,
    residuals,
    response_matrix,
)

SAMPLE = load_sample("chloroform")
READOUTS = ("II", "IX", "IY", "XX")
SIGMA = np.array([0.3, 1.7])
RNG = np.random.default_rng(7)
A = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))
STATE = A @ A.conj().T / np.trace(A @ A.conj().T)


def chain_of(points=128, **options):
    return measurement_chain(SAMPLE, READOUTS, receiver=Receiver(1000.0, points), **options)


CHAIN = chain_of()


def noisy(chain, size, seed, sigma=SIGMA):
    fids = np.broadcast_to(acquire(chain, STATE), (size, 4, 2, chain.receiver.points))
    return add_noise(fids, sigma, np.random.default_rng(seed))


def test_residuals_are_white_over_the_noise_of_their_channel():
    left = residuals(noisy(CHAIN, 60, 1), CHAIN, SIGMA)
    assert left.values.shape == (60, 4, 2, 128)
    numbers = np.stack([left.values.real, left.values.imag])
    size = numbers[:, :, :, 0].size
    # 15 coefficients take 15 of 2048 numbers' variances away
    for channel in (0, 1):
        variance = np.var(numbers[:, :, :, channel])
        assert variance == pytest.approx(left.degrees_of_freedom / 2048, abs=5 * (2 / size) ** 0.5)
    assert kstest(numbers.ravel()[::7], "norm").pvalue > 1e-3
    flat = left.values.reshape(60, -1)
    neighbours = np.mean(flat[:, 1:] * flat[:, :-1].conj())
    assert abs(neighbours) < 5 * 2 / np.sqrt(flat.size)
    assert abs(np.mean(flat**2)) < 5 * 2 * np.sqrt(2) / np.sqrt(flat.size)  # quadratures alike


@pytest.mark.parametrize(
    "chain", [CHAIN, chain_of(analysis=Integrals(25.0))], ids=["fit", "integrals"]
)
def test_chi_squared_has_its_distribution_whatever_the_analysis(chain):
    left = residuals(noisy(chain, 400, 2), chain, SIGMA)
    assert left.degrees_of_freedom == 2 * 4 * 2 * 128 - 15
    assert kstest(left.p_value, "uniform").pvalue > 1e-3
    spread = np.sqrt(2 * left.degrees_of_freedom / 400)
    assert left.chi2.mean() == pytest.approx(left.degrees_of_freedom, abs=4 * spread)


def test_the_fit_is_the_best_of_all_states():
    fids = noisy(CHAIN, 3, 3)
    left = residuals(fids, CHAIN, SIGMA)
    response = response_matrix(CHAIN)
    best = estimate_state(fids, response, SIGMA, method="linear-inversion").linear
    np.testing.assert_allclose(left.values, residuals(fids, CHAIN, SIGMA, rho=best).values)
    for other in (STATE, best + 1e-3 * (STATE - np.eye(4) / 4), np.eye(4) / 4):
        assert np.all(left.chi2 < residuals(fids, CHAIN, SIGMA, rho=other).chi2)


def test_the_true_state_leaves_the_noise_itself():
    fids = noisy(CHAIN, 2, 4)
    left = residuals(fids, CHAIN, SIGMA, rho=STATE)
    assert left.degrees_of_freedom == 2 * 4 * 2 * 128  # nothing is fitted
    np.testing.assert_allclose(left.values * SIGMA[:, None], fids - acquire(CHAIN, STATE))


def test_gains_and_phases_of_a_calibration_are_taken_off():
    gain, phase = np.array([1.3, 0.6]), np.array([0.4, -1.1])
    factors = (gain * np.exp(1j * phase))[:, None]
    low = SIGMA / 20
    fids = add_noise(factors * acquire(CHAIN, STATE), low, np.random.default_rng(5))
    known = Calibration(gain, phase, np.zeros((4, 4)))
    left = residuals(fids, CHAIN, NoiseLevel(low), calibration=known)
    assert left.p_value > 1e-3
    assert left.chi2 / left.degrees_of_freedom == pytest.approx(1, abs=0.15)
    assert residuals(fids, CHAIN, low).p_value < 1e-6  # nobody told of them


def test_a_foreign_line_stands_out_where_it_is():
    fids = noisy(CHAIN, 1, 6)[0]
    fids[2, 1] += 3 * np.exp(2j * np.pi * 0.25 * np.arange(128))
    left = residuals(fids, CHAIN, SIGMA)
    assert left.p_value < 1e-3
    spectra = np.abs(np.fft.fft(left.values, norm="ortho"))
    assert np.unravel_index(spectra.argmax(), spectra.shape) == (2, 1, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fids": np.full((4, 2, 128), np.nan + 0j)}, r"`fids` must be finite .* 1024 points"),
        (
            {"fids": np.zeros((3, 2, 128), dtype=complex)},
            r"`fids` must be finite and have shape \(..., 4, 2, 128",
        ),
        (
            {"noise": np.array([1.0, np.nan])},
            r"`noise` must be 2 positive numbers.*nan",
        ),
        ({"noise": np.array([1.0, 0.0])}, r"`noise` must be 2 positive numbers"),
        ({"fids": np.zeros((4, 2, 128))}, r"`fids` must be complex"),
        ({"noise": np.array([1.0])}, r"`noise` must be 2 positive numbers"),
        ({"rho": np.full((4, 4), np.nan)}, r"`rho` must be finite"),
        ({"rho": np.eye(8) / 8}, r"`rho` must have shape \(..., 4, 4\), but has shape \(8, 8\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    given = {"fids": np.zeros((4, 2, 128), dtype=complex), "noise": SIGMA} | change
    with pytest.raises(ArgumentError, match=message):
        residuals(given.pop("fids"), CHAIN, given.pop("noise"), **given)
