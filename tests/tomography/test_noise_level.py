"""The noise level from what no spin can make of an FID."""

import numpy as np
import pytest

from nmrqb.dynamics import Gaussian, product
from nmrqb.errors import ArgumentError
from nmrqb.sample import load_sample
from nmrqb.spectrometer import Integrals, Receiver, add_noise
from nmrqb.tomography import (
    NoiseLevel,
    acquire,
    estimate_state,
    measurement_chain,
    noise_level,
    response_matrix,
)

SAMPLE = load_sample("chloroform")
READOUTS = ("II", "IX", "IY", "XX")
SIGMA = np.array([0.3, 1.7])
RNG = np.random.default_rng(11)
A = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))
STATE = A @ A.conj().T / np.trace(A @ A.conj().T)


def chain_of(points=128, **options):
    receiver = Receiver(1000.0, points)
    return measurement_chain(SAMPLE, READOUTS, receiver=receiver, **options)


CHAIN = chain_of()


def test_level_is_found_whatever_state_gain_and_phase():
    fids = 1.3j * acquire(CHAIN, np.stack([STATE] * 3))
    found = noise_level(add_noise(fids, SIGMA, np.random.default_rng(1)), CHAIN)
    # 3 states of 4 FIDs, of which two lines take away two complex points each
    assert found.degrees_of_freedom == 2 * 3 * 4 * (128 - 2)
    relative = 4 / np.sqrt(2 * found.degrees_of_freedom)
    np.testing.assert_allclose(found.sigma, SIGMA, rtol=relative)
    assert noise_level(fids, CHAIN).sigma.max() < 1e-7


def test_levels_are_those_of_chi_squared():
    many = add_noise(acquire(CHAIN, np.stack([STATE] * 300)), SIGMA, np.random.default_rng(2))
    found = np.array([noise_level(fids, CHAIN).sigma for fids in many]) / SIGMA
    freedom = noise_level(many[0], CHAIN).degrees_of_freedom
    np.testing.assert_allclose((found**2).mean(axis=0), 1, atol=4 * np.sqrt(2 / freedom / 300))
    np.testing.assert_allclose((found**2).std(axis=0), np.sqrt(2 / freedom), rtol=0.15)


@pytest.mark.parametrize(
    "chain",
    [
        chain_of(analysis=Integrals(20.0)),
        chain_of(ensemble=product(field_hz=Gaussian(3.0))),
        chain_of(points=256),
    ],
    ids=["integrals", "inhomogeneous field", "longer"],
)
def test_neither_analysis_nor_field_matter(chain):
    fids = add_noise(acquire(chain, STATE), SIGMA, np.random.default_rng(3))
    np.testing.assert_allclose(noise_level(fids, chain).sigma, SIGMA, rtol=0.12)


def test_estimate_knows_how_well_its_noise_is_known():
    fids = add_noise(acquire(CHAIN, STATE), SIGMA, np.random.default_rng(4))
    level, response = noise_level(fids, CHAIN), response_matrix(CHAIN)
    measured, given = (estimate_state(fids, response, n) for n in (level, level.sigma))
    assert measured.noise_degrees_of_freedom == level.degrees_of_freedom
    assert given.noise_degrees_of_freedom == np.inf
    np.testing.assert_array_equal(measured.linear, given.linear)
    assert NoiseLevel.of(level) is level


def test_fids_that_are_left_out_do_not_count():
    fids = add_noise(acquire(CHAIN, STATE), SIGMA, np.random.default_rng(5))
    kept = np.ones((4, 2), dtype=bool)
    kept[1, 0] = False
    broken = fids.copy()
    broken[1, 0] = np.nan
    found = noise_level(broken, CHAIN, kept=kept)
    assert found.degrees_of_freedom == 2 * 3 * (128 - 2)
    whole = noise_level(fids, CHAIN)
    assert found.sigma[1] == whole.sigma[1]
    assert found.sigma[0] == pytest.approx(noise_level(fids, CHAIN, kept=kept).sigma[0])
    with pytest.raises(ArgumentError, match="must be finite"):
        noise_level(broken, CHAIN)
    with pytest.raises(ArgumentError, match="must hold an FID of 1H"):
        noise_level(fids, CHAIN, kept=np.array([[False, True]] * 4))


def test_wrong_shapes_and_short_fids_are_refused():
    with pytest.raises(ArgumentError, match=r"have shape \(..., 4, 2, 128\)"):
        noise_level(np.zeros((4, 2, 64), dtype=complex), CHAIN)
    short = chain_of(points=2)
    with pytest.raises(ArgumentError, match="must have more than 2 points"):
        noise_level(acquire(short, STATE), short)
