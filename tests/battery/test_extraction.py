"""The unitary that extracts work, and what it extracts from this state and from others."""

from itertools import permutations

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.battery import (
    Battery,
    after_extraction,
    energy,
    ergotropy,
    extracted_work,
    extraction_unitary,
)
from nmrqb.errors import ArgumentError

SEEDS = st.integers(0, 2**32 - 1)


def hermitian(rng, d, batch=()):
    A = rng.normal(size=(*batch, d, d)) + 1j * rng.normal(size=(*batch, d, d))
    return A + A.conj().swapaxes(-1, -2)


def state(rng, d, batch=()):
    A = hermitian(rng, d, batch)
    rho = A @ A
    return rho / np.trace(rho, axis1=-2, axis2=-1)[..., None, None]


def random_unitary(rng, d):
    return np.linalg.qr(rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d)))[0]


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, d=st.integers(2, 6))
def test_it_extracts_the_ergotropy_and_nothing_extracts_more(seed, d):
    rng = np.random.default_rng(seed)
    rho, H = state(rng, d), hermitian(rng, d)
    U = extraction_unitary(rho, H)
    np.testing.assert_allclose(U @ U.conj().T, np.eye(d), atol=1e-12)
    best = float(ergotropy(rho, H))
    assert float(extracted_work(rho, H, U)) == pytest.approx(best, abs=1e-10)
    for _ in range(5):
        assert float(extracted_work(rho, H, random_unitary(rng, d))) <= best + 1e-10
    # what is left is passive: diagonal in the energies, the more populated the lower
    levels = np.linalg.eigh(H)[1]
    left = levels.conj().T @ after_extraction(rho, U) @ levels
    np.testing.assert_allclose(left, np.diag(np.diag(left)), atol=1e-10)
    assert np.all(np.diff(np.diag(left).real) <= 1e-10)


def test_populations_are_permuted_as_brute_force_finds():
    energies, populations = np.array([3.0, -1.0, 0.5]), np.array([0.6, 0.3, 0.1])
    U = extraction_unitary(np.diag(populations), np.diag(energies))
    best = max(
        energies @ populations - energies @ np.array(order) for order in permutations(populations)
    )
    work = extracted_work(np.diag(populations), np.diag(energies), U)
    assert float(work) == pytest.approx(best)
    np.testing.assert_allclose(np.abs(U) ** 2 @ populations, [0.1, 0.6, 0.3], atol=1e-12)


@pytest.mark.parametrize("H", [np.diag([1.0, 1, 2, 2]), np.eye(4), np.zeros((4, 4))])
@pytest.mark.parametrize("populations", [[0.25] * 4, [0.4, 0.4, 0.1, 0.1], [0.0, 0.0, 0.0, 1.0]])
def test_degenerate_levels_and_spectra_are_no_trouble(H, populations):
    V = random_unitary(np.random.default_rng(3), 4)
    rho = V @ np.diag(populations) @ V.conj().T
    rho = (rho + rho.conj().T) / 2
    work = extracted_work(rho, H, extraction_unitary(rho, H))
    assert float(work) == pytest.approx(float(ergotropy(rho, H)), abs=1e-12)


def test_that_of_another_state_may_put_work_in():
    passive, H = np.diag([0.1, 0.2, 0.3, 0.4]), np.diag([4.0, 3, 2, 1])
    U = extraction_unitary(np.diag([0.4, 0.3, 0.2, 0.1]), H)
    assert float(extracted_work(passive, H, U)) < -0.9
    assert float(extracted_work(passive, H, extraction_unitary(passive, H))) == pytest.approx(0)


def test_stacks_and_qobj():
    rng = np.random.default_rng(5)
    rho, H = state(rng, 4, (3, 1)), hermitian(rng, 4, (2,))
    U = extraction_unitary(rho, H)
    assert U.shape == (3, 2, 4, 4)
    work = extracted_work(rho, H, U)
    np.testing.assert_allclose(work, ergotropy(rho, H), atol=1e-12)
    one = extraction_unitary(qutip.Qobj(rho[1, 0]), qutip.Qobj(H[1]))
    assert float(extracted_work(rho[1, 0], H[1], one)) == pytest.approx(work[1, 1])


def test_a_superoperator_is_what_was_applied():
    rng = np.random.default_rng(6)
    rho, H, U = state(rng, 4), hermitian(rng, 4), random_unitary(rng, 4)
    by_map = extracted_work(rho, H, np.kron(U, U.conj()))
    assert float(by_map) == pytest.approx(float(extracted_work(rho, H, U)))
    # half of the time nothing is applied: half of the work
    half = (np.kron(U, U.conj()) + np.eye(16)) / 2
    assert float(extracted_work(rho, H, half)) == pytest.approx(float(by_map) / 2)


def test_a_battery_knows_its_own():
    battery, rng = Battery.from_terms(D=20, G=5, B=2), np.random.default_rng(7)
    rho = state(rng, 4, (5,))
    U = battery.extraction_unitary(rho)
    np.testing.assert_allclose(battery.extracted_work(rho, U), battery.ergotropy(rho), atol=1e-10)
    after = energy(after_extraction(rho, U), battery.hamiltonian_hz)
    np.testing.assert_allclose(battery.energy(rho) - after, battery.ergotropy(rho), atol=1e-10)


ONE = np.eye(4) / 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: extraction_unitary(ONE, np.eye(2)), "`H` must be of the size of `rho`"),
        (lambda: extraction_unitary(ONE * np.nan, np.eye(4)), "`rho` must be finite"),
        (lambda: extraction_unitary(ONE, np.triu(np.ones((4, 4)))), "`H` must be Hermitian"),
        (lambda: after_extraction(ONE, np.eye(3)), r"unitaries \(..., 4, 4\) or superoperators"),
        (lambda: after_extraction(np.stack([ONE] * 3), np.stack([np.eye(4)] * 2)), "or superop"),
        (lambda: after_extraction(ONE, 2 * np.eye(4)), "must be unitary, but U†U is off 1 by 3"),
        (lambda: after_extraction(ONE, np.full((4, 4), np.inf)), "`applied` must be finite"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
