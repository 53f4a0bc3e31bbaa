"""Work by local unitaries on spins that interact, against brute force and closed forms."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

from nmrqb.battery import energy, ergotropy, ergotropy_by_local_unitaries, local_ergotropies
from nmrqb.battery.local_unitaries import _floor
from nmrqb.battery.origins import uncoupled
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, from_named, pauli, swap

SPIN = np.array([PAULI[a] for a in "XYZ"])


def brute_force(rho, H):
    """The most that the six angles of two rotations extract, from random starts."""

    def left(x):
        U = np.kron(*(expm(-0.5j * np.tensordot(angles, SPIN, 1)) for angles in (x[:3], x[3:])))
        return np.trace(U @ rho @ U.conj().T @ H).real

    starts = np.random.default_rng(1).normal(scale=2, size=(4, 6))
    return energy(rho, H) - min(minimize(left, x, method="BFGS").fun for x in starts)


@pytest.mark.slow
def test_no_local_unitary_extracts_more(states, hermitians):
    rho, H = states(1, 5, 4, 2), hermitians(1, 5, 4)
    found = ergotropy_by_local_unitaries(rho, H)
    expected = [brute_force(r, h) for r, h in zip(rho, H, strict=True)]
    np.testing.assert_allclose(found.value, expected, atol=1e-6)
    assert np.all(found.bound >= found.value)
    assert np.all(found.bound <= ergotropy(rho, H) + 1e-12)


def test_the_rotations_extract_the_value(states, hermitians):
    rho, H = states(2, 20, 4), hermitians(2, 20, 4)
    found = ergotropy_by_local_unitaries(rho, H)
    np.testing.assert_allclose(np.linalg.det(found.rotations), 1)
    first, second = (np.pad(found.rotations[:, k], ((0, 0), (1, 0), (1, 0))) for k in (0, 1))
    first[:, 0, 0] = second[:, 0, 0] = 1
    strings = [[a + b for b in "IXYZ"] for a in "IXYZ"]
    table = np.moveaxis([[energy(rho, pauli(p)) for p in row] for row in strings], -1, 0)
    turned = first @ table @ second.swapaxes(-1, -2)
    weights = np.moveaxis([[energy(H, pauli(p)) / 4 for p in row] for row in strings], -1, 0)
    left = (weights * turned).sum(axis=(1, 2))
    np.testing.assert_allclose(energy(rho, H) - left, found.value, atol=1e-10)


def test_spins_that_do_not_interact_give_their_own_work_and_no_more(states):
    fields = [0.7 * PAULI["Z"], 0.4 * PAULI["X"] + 0.1 * PAULI["Z"]]
    rho = states(3, 10, 4)
    found = ergotropy_by_local_unitaries(rho, uncoupled(fields) + 3 * np.eye(4))
    expected = local_ergotropies(rho, fields).sum(axis=-1)
    np.testing.assert_allclose(found.value, expected, atol=1e-10)
    np.testing.assert_allclose(found.bound, expected, atol=1e-10)


def test_a_bell_pair_under_exchange_in_closed_form():
    # T = diag(1, −1, 1), C = 1: local rotations bring tr to −3 (det −) or, from the singlet, −1…+3
    triplet = (pauli("II") + pauli("XX") - pauli("YY") + pauli("ZZ")) / 4
    exchange = from_named({"isotropic": 1.0})
    found = ergotropy_by_local_unitaries(triplet, exchange)
    assert found.value == pytest.approx(4)
    assert found.bound == pytest.approx(4)
    assert ergotropy(triplet, exchange) == pytest.approx(4)
    # the inverted battery: every Bell state has det T = −1, so 3 → −1 at the least of H = −σ·σ
    assert ergotropy_by_local_unitaries(triplet, -exchange).value == pytest.approx(0, abs=1e-12)
    singlet = (pauli("II") - pauli("XX") - pauli("YY") - pauli("ZZ")) / 4
    assert ergotropy_by_local_unitaries(singlet, -exchange).value == pytest.approx(4)


def test_exchanging_the_spins_changes_nothing(states, hermitians):
    rho, H, P = states(4, 10, 4, 2), hermitians(4, 10, 4), swap(0, 1, 2)
    before = ergotropy_by_local_unitaries(rho, H)
    after = ergotropy_by_local_unitaries(P @ rho @ P, P @ H @ P)
    np.testing.assert_allclose(after.value, before.value, atol=1e-9)
    np.testing.assert_allclose(after.bound, before.bound, atol=1e-9)


def test_stacks_of_states_and_batteries(states, hermitians):
    rho, H = states(5, 4, 4), hermitians(5, 3, 4)[:, None]
    found = ergotropy_by_local_unitaries(rho, H)
    assert found.rotations.shape == (3, 4, 2, 3, 3)
    one = ergotropy_by_local_unitaries(rho[2], H[1, 0])
    assert one.value == pytest.approx(found.value[1, 2], abs=1e-10)
    with pytest.raises(ArgumentError, match=r"`rho` must be of two spins, .* \(2, 2\)"):
        ergotropy_by_local_unitaries(np.eye(2), np.eye(2))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_bound_is_reached_where_single_spins_have_neither_field_nor_polarisation(sign):
    # energy tr CᵀO_1TO_2ᵀ: its least is −(c_1t_1 + c_2t_2 ∓ c_3t_3), by the sign of det C det T
    T = np.array([[0.3, -0.2, 0.25], [0.2, 0.3, 0.1], [-0.3, 0.1, 0.2]])
    C = np.array([1.0, 0.7, sign * 0.5])
    products = [pauli(2 * a) for a in "XYZ"]
    rho = (pauli("II") + np.tensordot(T, products, 1)) / 4
    H = np.tensordot(C, products, 1)
    found = ergotropy_by_local_unitaries(rho, H)
    for k, row in enumerate(T):
        t, c = np.sort(np.abs(row))[::-1], np.sort(np.abs(C))[::-1]
        least = -(t[0] * c[0] + t[1] * c[1] - np.sign(np.prod(row) * sign) * t[2] * c[2])
        work = row @ C - least
        assert found.value[k] == pytest.approx(work, abs=1e-10)
        assert found.bound[k] == pytest.approx(work, abs=1e-10)
        tables = np.diag([0, *C])[None], np.diag([1, *row])[None]
        assert _floor(*tables)[0] == pytest.approx(least)
