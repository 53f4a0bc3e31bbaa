"""Collective spins, against sums of one-spin operators and the published spin charger."""

import math

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics.registers import (
    coherent_state,
    collective_operator,
    dicke_state,
    exchange_chain,
    ladder,
    levels,
    multiplicity,
    total_spins,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed

SPINS = [0.0, 0.5, 1.0, 1.5, 4.0]


@pytest.mark.parametrize("n", [1, 2, 3, 10, 36, 37, 1000])
def test_the_sectors_hold_all_states(n):
    dims = [(multiplicity(n, J), int(2 * J + 1)) for J in total_spins(n)]
    assert sum(d * size for d, size in dims) == 2**n
    assert all(isinstance(d, int) for d, _ in dims)


def test_multiplicities_are_those_of_the_factorial_formula():
    n = 36
    for J in total_spins(n):
        up, down = n // 2 + int(J) + 1, n // 2 - int(J)
        exact = math.factorial(n) * int(2 * J + 1) // (math.factorial(up) * math.factorial(down))
        assert multiplicity(n, J) == exact


def test_multiplicities_are_the_degeneracies_of_the_total_spin():
    n = 5
    J = [sum(embed(PAULI[a] / 2, k, n) for k in range(n)) for a in "XYZ"]
    squares = np.linalg.eigvalsh(sum(A @ A for A in J))
    for spin in total_spins(n):
        found = np.count_nonzero(np.abs(squares - spin * (spin + 1)) < 1e-9)
        assert found == multiplicity(n, spin) * (2 * spin + 1)


@pytest.mark.parametrize("J", SPINS)
@pytest.mark.parametrize("axis", ["x", "y", "z", "+", "-"])
def test_operators_are_those_of_qutip(J, axis):
    expected = qutip.jmat(J, axis).full() if J else np.zeros((1, 1))
    np.testing.assert_allclose(collective_operator(axis, J).toarray(), expected, atol=1e-14)


def test_large_spins_stay_sparse():
    J = 5000.0
    x, y, z = (collective_operator(axis, J) for axis in "xyz")
    assert (x @ y - y @ x - 1j * z).nnz == 0 or abs(x @ y - y @ x - 1j * z).max() < 1e-8
    assert x.nnz == 2 * 10000
    square = x @ x + y @ y + z @ z
    np.testing.assert_allclose(square.diagonal(), J * (J + 1), rtol=1e-13)


def symmetric_isometry(n):
    """Return the columns |J = n/2, m⟩ of n spins, by lowering all up, shape (2ⁿ, n + 1)."""
    lower = sum(embed(np.array([[0, 0], [1, 0]]), k, n) for k in range(n))
    columns = [np.eye(2**n)[0].astype(complex)]
    for _ in range(n):
        state = lower @ columns[-1]
        columns.append(state / np.linalg.norm(state))
    return np.array(columns).T


@pytest.mark.parametrize("axis", "xyz")
def test_the_symmetric_sector_of_four_spins(axis):
    V = symmetric_isometry(4)
    total = sum(embed(PAULI[axis.upper()] / 2, k, 4) for k in range(4))
    np.testing.assert_allclose(
        V.conj().T @ total @ V, collective_operator(axis, 2).toarray(), atol=1e-14
    )


@given(st.floats(0, np.pi), st.floats(-4, 4))
@settings(deadline=None, max_examples=40)
def test_coherent_states_are_products(polar, azimuth):
    one = np.array([np.cos(polar / 2), np.exp(1j * azimuth) * np.sin(polar / 2)])
    product = one
    for _ in range(4):
        product = np.kron(product, one)
    found = coherent_state(2.5, polar, azimuth)
    np.testing.assert_allclose(found, symmetric_isometry(5).conj().T @ product, atol=1e-13)


@pytest.mark.parametrize("polar", [0.0, 1e-3, 0.7, np.pi / 2, 3.1, np.pi])
def test_coherent_states_of_ten_thousand_spins(polar):
    J = 5000.0
    psi = coherent_state(J, polar)
    m = levels(J)
    assert np.linalg.norm(psi) == pytest.approx(1, abs=1e-12)
    assert np.abs(psi) ** 2 @ m == pytest.approx(J * np.cos(polar), abs=1e-8)
    variance = np.abs(psi) ** 2 @ m**2 - (np.abs(psi) ** 2 @ m) ** 2
    assert variance == pytest.approx(J / 2 * np.sin(polar) ** 2, abs=1e-6)


def test_dicke_states_are_levels():
    psi = dicke_state(1.5, -0.5)
    np.testing.assert_allclose(collective_operator("z", 1.5) @ psi, -0.5 * psi)
    assert np.linalg.norm(psi) == 1


# -------------------------------------------------------------------------- two collective spins
@pytest.mark.parametrize(("J1", "J2"), [(0.5, 0.5), (1.0, 2.0), (2.0, 1.5), (0.0, 1.0)])
def test_chains_are_the_blocks_of_the_exchange(J1, J2):
    plus1, minus1 = (collective_operator(a, J1).toarray() for a in "+-")
    plus2, minus2 = (collective_operator(a, J2).toarray() for a in "+-")
    whole = np.kron(plus1, minus2) + np.kron(minus1, plus2)
    m1 = np.repeat(levels(J1), int(2 * J2 + 1))
    m2 = np.tile(levels(J2), int(2 * J1 + 1))
    size = 0
    for excitations in range(int(2 * J1 + 2 * J2) + 1):
        held = np.flatnonzero(np.abs(m1 + m2 - (excitations - J1 - J2)) < 1e-9)
        chain = exchange_chain(J1, J2, excitations)
        np.testing.assert_array_equal(chain.first, m1[held])
        np.testing.assert_array_equal(chain.second, m2[held])
        expected = whole[np.ix_(held, held)]
        np.testing.assert_allclose(chain.matrix.toarray(), expected, atol=1e-13)
        size += held.size
    assert size == (2 * J1 + 1) * (2 * J2 + 1)


def test_chains_evolve_as_dense_matrices():
    chain = exchange_chain(2, 3, 5)
    rng = np.random.default_rng(3)
    psi = rng.normal(size=chain.first.size) + 1j * rng.normal(size=chain.first.size)
    energy = rng.normal(size=chain.first.size)
    H = 0.7 * chain.matrix.toarray() + np.diag(energy)
    times = np.array([0.0, 0.3, 2.0])
    expected = [expm(-1j * H * t) @ psi for t in times]
    np.testing.assert_allclose(chain.evolve(psi, times, 0.7, energy), expected, atol=1e-12)


def stored(M, N, times, crosstalk=0.0):
    """Return E(t)/ω₀ of M empty cells that N full chargers charge with g = 1."""
    chain = exchange_chain(M / 2, N / 2, N)
    psi = (chain.first == -M / 2).astype(complex)
    J = N / 2
    inner = crosstalk * (2 * (J * (J + 1) - chain.second**2) - N)  # spin-charger-battery, eq. 15
    populations = np.abs(chain.evolve(psi, times, energy=inner)) ** 2
    return populations @ (chain.first + M / 2)


@pytest.mark.parametrize(
    ("M", "N", "energy", "power"),
    [(1, 1, 1.0, 0.7246), (2, 4, 1.920, 3.043), (10, 10, 9.758, 9.246 * np.sqrt(10))],
)
def test_the_published_spin_charger(M, N, energy, power):
    times = np.linspace(0, 10, 10001)[1:]
    E = stored(M, N, times)
    assert E.max() == pytest.approx(energy, abs=1e-3)
    assert (E / times).max() == pytest.approx(power, rel=1e-3)


@pytest.mark.parametrize(("crosstalk", "energy"), [(0.1, 1.906), (1, 0.849), (10, 0.009)])
def test_crosstalk_of_the_published_chargers(crosstalk, energy):
    E = stored(2, 4, np.linspace(0, 10, 10001), crosstalk)
    assert E.max() == pytest.approx(energy, abs=1e-3)


# --------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize("J", [-0.5, 0.3, np.nan, np.inf])
def test_no_total_spin(J):
    with pytest.raises(ArgumentError, match="`J` must be a total spin"):
        ladder(J)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: multiplicity(3, 1), "`J` must be a total spin of 3 spins, but is 1"),
        (lambda: multiplicity(3, 2.5), "`J` must be a total spin of 3 spins"),
        (lambda: total_spins(0), "`n` must be a whole number ≥ 1, but is 0"),
        (lambda: total_spins(2.0), "`n` must be a whole number"),
        (lambda: collective_operator("w", 1), "`axis` must be x, y, z"),
        (lambda: dicke_state(1, 0.5), "`m` must be a level of J = 1"),
        (lambda: coherent_state(1, np.nan), "`polar` must be finite"),
        (lambda: coherent_state(1, 0, np.inf), "`azimuth` must be finite"),
        (lambda: exchange_chain(1, 1, 5), "`excitations` must be at most 4"),
        (lambda: exchange_chain(1, 1, -1), "`excitations` must be a whole number ≥ 0"),
        (lambda: exchange_chain(0.2, 1, 1), "`J1` must be a total spin"),
        (lambda: exchange_chain(1, 1, 1).evolve(np.ones(5), np.zeros(1)), "`psi` must have shape"),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ArgumentError, match=match):
        call()
