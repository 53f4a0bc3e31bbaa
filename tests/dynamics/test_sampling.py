"""States at equally spaced times against exponentials of the generator."""

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.dynamics import sampled
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.relaxing.relaxation import commutator_superoperator
from nmrqb.errors import ArgumentError
from nmrqb.operators import spin_operator


def register(n, seed):
    rng = np.random.default_rng(seed)
    H = sum(rng.normal(0, 300) * spin_operator("z", k, n) for k in range(n))
    for k in range(n - 1):
        H = H + rng.normal(0, 60) * sum(
            spin_operator(a, k, n) @ spin_operator(a, k + 1, n) for a in "xyz"
        )
    lower = np.sqrt(3.0) * np.array([[0, 1], [0, 0]], dtype=complex)
    loss = Dissipation(n, tuple(Part((k,), np.array([lower])) for k in range(n)))
    psi = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    psi /= np.linalg.norm(psi)
    return H, np.outer(psi, psi.conj()), loss


@pytest.mark.parametrize("n", [1, 2, 4])
def test_one_map_serves_all_times_whatever_the_tolerance(n):
    H, rho, loss = register(n, n)
    states, error = sampled(H, rho, 2e-3, 9, loss, tolerance=0.1)
    step = expm(2e-3 * (commutator_superoperator(H) + loss.generator))
    flat = rho.reshape(-1)
    for state in states:
        assert np.abs(state.reshape(-1) - flat).max() < 1e-13
        flat = step @ flat
    assert error < 1e-11


def test_many_hamiltonians_of_four_spins_do_not_become_maps():
    H, rho, loss = register(4, 7)
    stack = np.broadcast_to(H, (200, 16, 16))  # their maps would take 210 MB
    states, error = sampled(stack, rho, 5e-3, 1, loss, tolerance=1e-4)
    single, _ = sampled(H, rho, 5e-3, 1, loss)
    assert error > 1e-9  # steps were split
    assert np.abs(states - single).max() < 1e-4


def test_splitting_by_name_keeps_to_its_tolerance():
    H, rho, loss = register(3, 3)
    exact, _ = sampled(H, rho, 1e-3, 5, loss)
    states, error = sampled(H, rho, 1e-3, 5, loss, method="splitting", tolerance=1e-6)
    gap = np.linalg.norm(states - exact, axis=(-2, -1)).max()
    assert gap <= error <= 1e-6


def test_a_negative_interval_is_refused():
    H, rho, loss = register(1, 1)
    with pytest.raises(ArgumentError, match="`interval` and `count` must be ≥ 0"):
        sampled(H, rho, -1.0, 3, loss)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_closed_registers_turn_with_their_levels(count):
    H, rho, _ = register(3, 5)
    states, error = sampled(H, 30 * rho, 2e-4, count)
    expected = [expm(-2e-4j * k * H) for k in range(count + 1)]
    expected = np.array([30 * U @ rho @ U.conj().T for U in expected])
    assert states.shape == (count + 1, 8, 8)
    assert np.linalg.norm(states - expected, axis=(-2, -1)).max() < 30 * 1e-13
    assert 30 * 1e-16 < error < 30 * 1e-13
    assert error == pytest.approx(30 * sampled(H, rho, 2e-4, count)[1], rel=1e-9, abs=0)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_open_registers_go_on_by_doubling(count):
    H, rho, loss = register(2, 6)
    states, error = sampled(H, 30 * rho, 2e-3, count, loss)
    L = commutator_superoperator(H) + loss.generator
    expected = np.array([30 * (expm(2e-3 * k * L) @ rho.ravel()) for k in range(count + 1)])
    gaps = np.linalg.norm(states.reshape(count + 1, 16) - expected, axis=-1)
    assert gaps.max() <= error < 1e-10
    assert error == pytest.approx(30 * sampled(H, rho, 2e-3, count, loss)[1], rel=1e-9, abs=0)


@pytest.mark.parametrize("opened", [False, True])
def test_stacks_of_drifts_and_states_equal_loops(opened):
    made = [register(2, seed) for seed in (1, 2, 3)]
    drifts, states = np.array([m[0] for m in made]), np.array([m[1] for m in made])
    loss = made[0][2] if opened else None
    grid, _ = sampled(drifts[:, None], states, 1e-3, 5, loss)
    assert grid.shape == (3, 3, 6, 4, 4)
    for i in range(3):
        for j in range(3):
            alone, _ = sampled(drifts[i], states[j], 1e-3, 5, loss)
            np.testing.assert_allclose(grid[i, j], alone, atol=1e-13)
    some, _ = sampled(drifts, states[0], 1e-3, 5, loss)
    np.testing.assert_allclose(some, grid[:, 0], atol=1e-13)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": -1}, "`interval` and `count` must be ≥ 0"),
        ({"interval": np.nan}, "`interval` and `count` must be ≥ 0"),
        ({"drift": np.diag([1.0, 0], 0) + np.diag([1.0], 1)}, "`drift` must be Hermitian"),
        ({"rho": np.full((2, 2), np.nan)}, "`rho` must be finite"),
        ({"rho": np.eye(4)}, "`rho` must be of dimension 2 like the drift, but is of dimension 4"),
        ({"method": "splitting"}, "one of unitary, chebyshev for a register without dissipation"),
        ({"tolerance": 0.0}, "`tolerance` must be positive, but is 0.0"),
    ],
)
def test_what_is_refused(changes, message):
    given = {"drift": np.eye(2), "rho": np.eye(2), "interval": 1.0, "count": 3}
    with pytest.raises(ArgumentError, match=message):
        sampled(**(given | changes))
