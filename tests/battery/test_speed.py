"""Quantum speed limits: never beaten, and reached where the theory says so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.battery import speed_limit
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(2, 5), st.floats(0.05, 4), st.integers(1, 3))
@settings(deadline=None, max_examples=50)
def test_no_evolution_beats_a_limit(states, hermitians, seed, d, t, rank):
    rho, H = states(seed, 20, d, rank), hermitians(seed, 20, d)
    U = np.array([expm(-1j * t * h) for h in H])
    limit = speed_limit(rho, U @ rho @ U.conj().swapaxes(-1, -2), H)
    for time in (limit.mandelstam_tamm, limit.margolus_levitin, limit.dual):
        assert np.all(time <= t * (1 + 1e-6))
    assert np.all(limit.ratio(t) >= 1 - 1e-6)


def two_level(p, t):
    """√(1 − p)|0⟩ + √p|1⟩ under the energies 0 and 1, after times."""
    psi = np.array([np.sqrt(1 - p), np.sqrt(p)])
    later = psi * np.exp(-1j * np.outer(t, [0, 1]))
    return np.outer(psi, psi), later[:, :, None] * later[:, None].conj(), np.diag([0, 1.0])


def test_an_even_superposition_is_as_fast_as_mandelstam_and_tamm_allow():
    t = np.linspace(0.1, np.pi, 9)
    limit = speed_limit(*two_level(0.5, t))
    np.testing.assert_allclose(limit.mandelstam_tamm, t, rtol=1e-7)
    np.testing.assert_allclose(limit.ratio(t), 1, rtol=1e-7)
    assert limit.margolus_levitin[-1] == pytest.approx(np.pi)  # π/2E at orthogonality


@pytest.mark.parametrize("F", [0.05, 0.3, 0.6, 0.9])
def test_the_limit_of_margolus_and_levitin_is_reached_by_a_two_level_state(F):
    # among two-level states that come to fidelity F: the least t·E, over a dense net
    p = np.linspace((1 - np.sqrt(F)) / 2, 0.5, 200_001)[1:]
    times = 2 * np.arcsin(np.sqrt((1 - F) / (4 * p * (1 - p))).clip(0, 1))
    k = np.argmin(times * p)
    start, later, H = two_level(p[k], times[k : k + 1])
    limit = speed_limit(start, later, H)
    assert limit.margolus_levitin[0] == pytest.approx(times[k], rel=1e-6)


def test_the_dual_limit_is_that_of_the_inverted_battery(states, hermitians):
    rho, later, H = states(1, 5, 3), states(2, 5, 3), hermitians(3, 5, 3)
    limit, inverted = speed_limit(rho, later, H), speed_limit(rho, later, -H)
    np.testing.assert_allclose(limit.dual, inverted.margolus_levitin)
    np.testing.assert_allclose(limit.mandelstam_tamm, inverted.mandelstam_tamm)


def test_limits_scale_as_time_and_are_blind_to_the_zero_of_energy(states, hermitians):
    rho, later, H = states(1, 5, 3), states(2, 5, 3), hermitians(3, 5, 3)
    limit = speed_limit(rho, later, H)
    np.testing.assert_allclose(speed_limit(rho, later, 4 * H + 9 * np.eye(3)).time, limit.time / 4)


def test_what_stays_needs_no_time_and_what_cannot_move_never_gets_there():
    up, down = np.diag([1.0, 0]), np.diag([0.0, 1])
    still = speed_limit(up, up, pauli("X"))
    assert still.time == 0
    assert still.ratio(1.0) == np.inf
    assert speed_limit(up, down, pauli("Z")).time == np.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: speed_limit(np.eye(2), np.eye(2) / 2, np.eye(2)), "`start` must have trace 1"),
        (lambda: speed_limit(np.eye(2) / 2, np.eye(2), np.eye(2)), "`rho` must have trace 1"),
        (lambda: speed_limit(np.eye(2) / 2, np.eye(2) / 2, np.eye(4)), "`H` must be of the size"),
        (lambda: speed_limit(np.eye(4) / 4, np.eye(2) / 2, np.eye(2)), "`start` must be of the"),
        (
            lambda: speed_limit(np.eye(2) / 2, np.eye(2) / 2, np.eye(2)).ratio(-1.0),
            "`t` must be ≥ 0, but holds -1",
        ),
    ],
)
def test_what_has_no_limit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
