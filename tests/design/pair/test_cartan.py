"""Cartan decompositions of any unitary, degenerate ones above all, and known least times."""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm, sqrtm
from scipy.stats import unitary_group

from nmrqb.design.pair import (
    canonical_unitary,
    cartan_coordinates,
    cartan_decomposition,
    least_time,
    local_factors,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli

QUARTER = np.pi / 4
CNOT = np.eye(4)[[0, 1, 3, 2]].astype(complex)
SWAP = np.eye(4)[[0, 2, 1, 3]].astype(complex)
H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
S, T = np.diag([1, 1j]), np.diag([1, np.exp(1j * np.pi / 4)])
GATES = [np.kron(a, np.eye(2)) for a in (H, S, T)] + [np.kron(np.eye(2), a) for a in (H, S)]
GATES += [CNOT, SWAP @ CNOT @ SWAP, np.diag([1, 1, 1, 1j])]


def random_circuits(count=1500):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(count):
        U = np.eye(4, dtype=complex)
        for k in rng.integers(0, len(GATES), rng.integers(0, 20)):
            U = GATES[k] @ U
        found.append(U)
    return np.array(found)


def signed_permutations():
    orders, phases = itertools.permutations(range(4)), itertools.product(range(4), repeat=4)
    return np.array([np.eye(4)[list(order)] @ np.diag(1j ** np.array(n))
                     for order, n in itertools.product(orders, phases)])  # fmt: skip


def near_degenerate():
    rng = np.random.default_rng(5)
    found = []
    for base, size in itertools.product((np.eye(4), CNOT, SWAP), 10.0 ** np.arange(-16, -2)):
        A = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
        found.append(expm(-1j * size * (A + A.conj().T)) @ base)
    return np.array(found)


FAMILIES = {
    "random": lambda: unitary_group.rvs(4, size=400, random_state=1),
    "circuits": random_circuits,
    "permutations": signed_permutations,
    "near degenerate": near_degenerate,
}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_factors_make_the_unitary_and_are_local(family):
    U = FAMILIES[family]()
    k1, c, k2 = cartan_decomposition(U)
    np.testing.assert_allclose(k1 @ canonical_unitary(c) @ k2, U, rtol=0, atol=1e-13)
    for k in (k1, k2):
        a, b = np.moveaxis(local_factors(k), -3, 0)
        np.testing.assert_allclose(np.linalg.det(a), 1, atol=1e-13)
        product = np.einsum("nij,nkl->nikjl", a, b).reshape(-1, 4, 4)
        overlap = np.abs(np.einsum("nij,nij->n", product.conj(), k)) / 4
        np.testing.assert_allclose(overlap, 1, atol=1e-13)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_coordinates_are_in_the_chamber(family):
    c = cartan_coordinates(FAMILIES[family]())
    assert np.all(c[:, 0] <= QUARTER + 1e-12)
    assert np.all(c[:, 0] >= c[:, 1])
    assert np.all(c[:, 1] >= np.abs(c[:, 2]) - 1e-15)
    assert np.all(c[c[:, 0] > QUARTER - 1e-13, 2] >= 0)


def test_coordinates_do_not_see_local_gates():
    rng = np.random.default_rng(0)
    c = np.sort(rng.uniform(0.01, QUARTER - 0.01, (50, 3)))[:, ::-1] * [1, 1, -1]
    locals_ = unitary_group.rvs(2, size=200, random_state=2).reshape(4, 50, 2, 2)
    k1, k2 = (np.einsum("nij,nkl->nikjl", a, b).reshape(50, 4, 4)
              for a, b in (locals_[:2], locals_[2:]))  # fmt: skip
    np.testing.assert_allclose(
        cartan_coordinates(k1 @ canonical_unitary(c) @ k2), c, rtol=0, atol=1e-12
    )


def test_the_canonical_unitary_is_the_exponential():
    c = np.array([0.3, -0.2, 0.7])
    A = sum(x * pauli(p) for x, p in zip(c, ("XX", "YY", "ZZ"), strict=True))
    np.testing.assert_allclose(canonical_unitary(c), expm(-1j * A), atol=1e-14)


@pytest.mark.parametrize("J", [215.13, -92.5])
@pytest.mark.parametrize(
    ("gate", "turns"),
    [(CNOT, 1 / 2), (SWAP, 3 / 2), (sqrtm(SWAP), 3 / 4), (np.eye(4), 0), (SWAP @ CNOT, 1)],
)
def test_known_least_times(gate, turns, J):
    assert float(least_time(gate, J / 4)) == pytest.approx(turns / abs(J), rel=1e-12, abs=1e-15)


def test_no_unitary_needs_longer_than_swap():
    times = least_time(unitary_group.rvs(4, size=300, random_state=4), 1 / 4)
    assert times.max() <= 3 / 2
    assert times.min() > 0


def random_locals(rng, count):
    a, b = unitary_group.rvs(2, size=2 * count, random_state=rng).reshape(2, count, 2, 2)
    return np.einsum("nij,nkl->nikjl", a, b).reshape(count, 4, 4)


def test_the_time_of_any_sequence_is_no_shorter():
    rng = np.random.default_rng(7)
    times = rng.dirichlet(np.ones(5), 400) * rng.uniform(0, 2, (400, 1))
    U = random_locals(rng, 400)
    for time in times.T:
        free = canonical_unitary(np.stack([0 * time, 0 * time, 2 * np.pi * time], axis=-1))
        U = random_locals(rng, 400) @ free @ U
    assert np.all(least_time(U, 1.0) <= times.sum(axis=-1) + 1e-12)


def test_no_step_of_free_evolution_gains_more_than_itself():
    """So that no sequence at all is faster: the least time is Lipschitz along any way to U."""
    rng = np.random.default_rng(9)
    base = np.concatenate(
        [unitary_group.rvs(4, size=400, random_state=rng), FAMILIES["circuits"]()]
    )
    for step in (1e-3, 1e-2, 0.1):
        free = canonical_unitary(np.array([0, 0, 2 * np.pi * step]))
        further = free @ random_locals(rng, len(base)) @ base
        gain = least_time(further, 1.0) - least_time(base, 1.0)
        assert np.abs(gain).max() <= step * (1 + 1e-9)
        assert gain.max() > 0.9 * step


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (np.eye(2), r"`U` must be of two spins, \(\.\.\., 4, 4\), but has shape \(2, 2\)"),
        (2 * np.eye(4), r"`U` must be unitary, but U†U differs from 1 by 3"),
        (np.full((4, 4), np.nan), r"`U` must be finite"),
    ],
)
def test_what_is_no_unitary_is_refused(value, match):
    with pytest.raises(ArgumentError, match=match):
        cartan_decomposition(value)


def test_what_is_not_local_is_refused():
    with pytest.raises(ArgumentError, match=r"`k` must be local, but .* is not a product"):
        local_factors(CNOT)


def test_without_a_coupling_there_is_no_time():
    with pytest.raises(ArgumentError, match=r"`coupling_hz` must be finite and not 0, but is 0"):
        least_time(CNOT, 0.0)
