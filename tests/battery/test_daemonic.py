"""Daemonic ergotropy, against brute force over measurements and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from nmrqb.battery import Battery, daemonic_ergotropy, energy, ergotropy
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli, swap

SEEDS = st.integers(0, 2**32 - 1)
Z = pauli("Z")


def measured_work(rho, H, basis):
    """Σ p_k W(ρ_S|k) of states on A⊗S, one outcome after the other."""
    b, total = len(H), 0.0
    for u in basis.T:
        sigma = np.kron(u.conj(), np.eye(b)) @ rho @ np.kron(u[:, None], np.eye(b))
        total += ergotropy(sigma, H)
    return total


def spin_basis(angles):
    theta, phi = angles
    c, s = np.cos(theta / 2), np.sin(theta / 2) * np.exp(1j * phi)
    return np.array([[c, -s.conjugate()], [s, c]])


def brute_force(rho, H):
    """Nelder and Mead from the best of a net of angles."""
    net = [(x, y) for x in np.linspace(0, np.pi / 2, 8) for y in np.linspace(-np.pi, np.pi, 16)]
    start = max(net, key=lambda x: measured_work(rho, H, spin_basis(x)))
    options = {"xatol": 1e-8, "fatol": 1e-14}
    found = minimize(
        lambda x: -measured_work(rho, H, spin_basis(x)), start, method="Nelder-Mead",
        options=options,
    )  # fmt: skip
    return -found.fun


@pytest.mark.parametrize("b", [2, 3])
def test_daemonic_work_is_that_of_brute_force_and_enclosed(states, hermitians, b):
    rho, H = states(b, 6, 2 * b, 3), hermitians(b, 6, b)
    found = daemonic_ergotropy(rho, H, (1,), (2, b))
    expected = [brute_force(r, h) for r, h in zip(rho, H, strict=True)]
    np.testing.assert_allclose(found.value, expected, atol=1e-9)
    assert np.all(found.bound >= np.array(expected) - 1e-12)
    width = np.ptp(np.linalg.eigvalsh(H), axis=-1).max()
    assert np.all(found.bound - found.value <= 1.001e-4 * width)
    reached = [measured_work(r, h, u) for r, h, u in zip(rho, H, found.basis, strict=True)]
    np.testing.assert_allclose(reached, found.value, atol=1e-10)


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_a_measurement_never_costs_work(states, hermitians, unitaries, seed):
    (rho,), (H,) = states(seed, 1, 8, 3), hermitians(seed, 1, 4)
    found = daemonic_ergotropy(rho, H, (0, 1))
    own = np.einsum("ikjk->ij", rho.reshape(4, 2, 4, 2))
    assert found.ergotropy == pytest.approx(ergotropy(own, H), abs=1e-12)
    assert found.gain >= 0
    assert found.gain == pytest.approx(found.value - found.ergotropy, abs=1e-12)
    assert found.value <= ergotropy(rho, np.kron(H, np.eye(2))) + 1e-10
    (U,) = unitaries(seed, 1, 2)
    turned = np.kron(np.eye(4), U)
    again = daemonic_ergotropy(turned @ rho @ turned.conj().T, H, (0, 1))
    assert again.value == pytest.approx(found.value, abs=1e-8)


def test_product_states_gain_nothing(states):
    a, b = states(1, 5, 2), states(2, 5, 2)
    rho = np.einsum("kij,klm->kiljm", a, b).reshape(-1, 4, 4)
    found = daemonic_ergotropy(rho, Z, (0,))
    np.testing.assert_allclose(found.gain, 0, atol=1e-10)
    assert np.all(found.bound - found.value < 2.1e-4)


def test_pure_states_give_all_their_energy(states):
    # every outcome leaves a pure state, which goes to the ground state
    H = np.diag([0.3, 1.0, 2.0])
    rho = states(3, 10, 6, 1)
    found = daemonic_ergotropy(rho, H, (1,), (2, 3))
    above = energy(np.einsum("nikil->nkl", rho.reshape(-1, 2, 3, 2, 3)), H) - 0.3
    np.testing.assert_allclose(found.value, above, atol=1e-10)
    np.testing.assert_allclose(found.bound, above, atol=1e-10)


def test_bell_diagonal_states_in_closed_form():
    # both outcomes leave Bloch vectors ±Tᵀn: |Tᵀn| of H = σz, largest at the largest |c|
    c = np.array([[0.5, -0.3, 0.2], [0.1, 0.1, -0.7], [0.2, 0.6, 0.1]])
    rho = pauli("II") + sum(c[:, k, None, None] * pauli(2 * a) for k, a in enumerate("XYZ"))
    found = daemonic_ergotropy(rho / 4, Z, (1,))
    np.testing.assert_allclose(found.ergotropy, 0, atol=1e-12)
    np.testing.assert_allclose(found.gain, np.abs(c).max(axis=1), atol=1e-10)
    for k, axis in enumerate((0, 2, 1)):
        u = found.basis[k][:, 0]
        assert abs(u.conj() @ pauli("XYZ"[axis]) @ u) == pytest.approx(1, abs=1e-6)


def test_several_measured_spins_are_measured_together():
    # GHZ: the battery is mixed; one X and one X outcome, or their product, leave it pure
    psi = np.zeros(8)
    psi[[0, 7]] = np.sqrt(0.5)
    found = daemonic_ergotropy(np.outer(psi, psi), Z, (1,))
    assert found.basis.shape == (4, 4)
    assert found.gain == pytest.approx(1, abs=1e-8)
    # two classical bits, in a basis of four that is not a product, tell which of four states it is
    rng = np.random.default_rng(2)
    U = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
    spins = np.array([1, 1j, 0.5, -0.2])
    of_s = [np.outer(x, x.conj()) for x in np.stack([np.ones(4), spins], axis=1)]
    of_s = [x / np.trace(x) for x in of_s]
    rho = sum(np.kron(np.outer(u, u.conj()), x) for u, x in zip(U.T, of_s, strict=True)) / 4
    found = daemonic_ergotropy(rho, Z, (2,))
    expected = np.mean([energy(x, Z) + 1 for x in of_s])
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert found.bound == pytest.approx(expected, abs=1e-9)


def test_the_order_of_the_battery_and_labels(states, hermitians):
    (rho,), (H,) = states(4, 1, 8), hermitians(4, 1, 4)
    S = swap(0, 1, 2)
    turned = daemonic_ergotropy(rho, S @ H @ S, (2, 0)).value
    assert turned == pytest.approx(daemonic_ergotropy(rho, H, (0, 2)).value, abs=1e-9)
    P = swap(0, 1, 3)
    relabelled = daemonic_ergotropy(P @ rho @ P, H, (1, 2)).value
    assert relabelled == pytest.approx(daemonic_ergotropy(rho, H, (0, 2)).value, abs=1e-9)


def test_stacks_of_states_and_batteries_and_units(states, hermitians):
    rho, H = states(5, 4, 4), hermitians(5, 3, 2)[:, None]
    found = daemonic_ergotropy(rho, H, (0,))
    assert found.value.shape == (3, 4)
    one = daemonic_ergotropy(rho[2], H[1, 0], (0,))
    assert one.value == pytest.approx(found.value[1, 2], abs=1e-10)
    scaled = daemonic_ergotropy(rho, 1e6 * H + 5 * np.eye(2), (0,))
    np.testing.assert_allclose(scaled.value, 1e6 * found.value, rtol=1e-9)
    np.testing.assert_allclose(scaled.gain, 1e6 * found.gain, rtol=1e-6, atol=1e-2)


def test_a_battery_that_knows_its_spins(states):
    battery, (rho,) = Battery.zeeman(100.0, 1), states(6, 1, 4)
    expected = daemonic_ergotropy(rho, 50 * Z, (1,))
    assert battery.daemonic_ergotropy(rho).value == pytest.approx(expected.value)
    with pytest.raises(ArgumentError, match="`spins` of the battery must name its spins"):
        Battery.from_terms(D=1.0).daemonic_ergotropy(rho)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rho: daemonic_ergotropy(rho, np.eye(4), (0,)), "`H` must be of the size of"),
        (lambda rho: daemonic_ergotropy(rho, Z, (0, 1)), "`battery` must be different tensor"),
        (lambda rho: daemonic_ergotropy(4 * rho, Z, (0,)), "`rho` must have trace 1"),
        (lambda rho: daemonic_ergotropy(rho, Z, (0,), tolerance=-1), "`tolerance` must be pos"),
        (lambda rho: daemonic_ergotropy(rho, 1j * Z, (0,)), "`H` must be Hermitian"),
    ],
)
def test_what_is_no_battery_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call(np.eye(4) / 4)
