"""Logarithms, closing periods and the exchange symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.average import cycles_to_close, effective_hamiltonian, exchange_symmetric_pairs
from nmrqb.average.effective import branch_safe, unitary_logarithm
from nmrqb.dynamics import Segment, exp_hermitian, unitary
from nmrqb.operators import pauli, swap


def hermitian(rng, d=4):
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (matrix + matrix.conj().T) / 2


def turn(degrees, letters="X"):
    return expm(-1j * np.deg2rad(degrees) * pauli(letters) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_logarithm_undoes_the_exponential(seed):
    A = hermitian(np.random.default_rng(seed))
    A *= 3 / np.linalg.norm(A, 2)
    np.testing.assert_allclose(unitary_logarithm(exp_hermitian(A)), A, atol=1e-12)


@pytest.mark.parametrize("U", [np.eye(4), pauli("XX"), swap(0, 1, 2), -np.eye(4)])
def test_logarithm_of_degenerate_unitaries_gives_them_back(U):
    A = unitary_logarithm(U.astype(complex))
    np.testing.assert_allclose(exp_hermitian(A), U, atol=1e-12)


def test_effective_hamiltonian_is_what_acted_for_the_time():
    H = hermitian(np.random.default_rng(1))
    H -= np.trace(H) / 4 * np.eye(4)
    U_rf = exp_hermitian(hermitian(np.random.default_rng(2)))
    got = effective_hamiltonian(U_rf @ exp_hermitian(H * 0.3), U_rf, 0.3)
    np.testing.assert_allclose(got, H, atol=1e-12)


@given(st.floats(-1, 1))
@settings(deadline=None, max_examples=30)
def test_effective_hamiltonian_is_traceless_whatever_the_global_phase(phase):
    U = exp_hermitian(hermitian(np.random.default_rng(3)) * 0.2 + phase * np.eye(4))
    got = effective_hamiltonian(U, np.eye(4, dtype=complex), 0.5)
    assert abs(np.trace(got)) < 1e-12


@pytest.mark.parametrize(
    ("degrees", "passes"), [(0, 1), (360, 1), (180, 2), (120, 3), (90, 4), (15, 24), (14.4, None)]
)
def test_passes_until_the_frame_is_back_up_to_a_sign(degrees, passes):
    # −1 counts as closed: a turn of 360° is the identity for every observable
    assert cycles_to_close(turn(degrees)) == passes


def test_incommensurate_rotation_never_closes():
    assert cycles_to_close(turn(np.rad2deg(1.0))) is None


def test_closing_needs_the_same_phase_on_all_levels():
    # 360° on one spin alone is −1, 180° about zz is not a phase
    assert cycles_to_close(expm(-1j * np.pi / 2 * pauli("ZZ"))) == 2


def delay(duration, d=4):
    return Segment(np.asarray(duration), np.zeros((d, d), dtype=complex))


def test_short_periods_are_safe():
    assert branch_safe([delay(1.0)], 0.99 * np.pi * pauli("ZZ"), period=1.0)


def test_free_evolution_beyond_a_half_turn_wraps():
    assert not branch_safe([delay(1.0)], 1.01 * np.pi * pauli("ZZ"), period=1.0)


def test_a_large_drift_that_pulses_refocus_is_safe():
    echo = [delay(0.5), pulse(np.pi * pauli("XI") / 2), delay(0.5), pulse(-np.pi * pauli("XI") / 2)]
    assert branch_safe(echo, 30 * pauli("ZI"), period=1.0)
    assert not branch_safe(echo, 30 * pauli("ZI") + 4 * pauli("IZ"), period=1.0)


def test_passes_count():
    half = 0.6 * np.pi * pauli("ZZ")
    assert branch_safe([delay(1.0)], half, cycles=1, period=1.0)
    assert not branch_safe([delay(1.0)], half, cycles=2, period=2.0)


def test_what_would_take_too_long_to_prove_is_not_called_safe():
    echo = [delay(0.5), pulse(np.pi * pauli("XI") / 2), delay(0.5), pulse(-np.pi * pauli("XI") / 2)]
    assert not branch_safe(echo, 1e4 * pauli("ZI"), period=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_where_it_says_safe_following_the_phases_agrees(seed):
    """The logarithm of a safe cycle is the one that grows continuously from a weak drift."""
    rng = np.random.default_rng(seed)
    turns = [
        rng.uniform(0, np.pi) * pauli("XI") + rng.uniform(0, np.pi) * pauli("IY") for _ in "ab"
    ]
    cycle = [delay(0.5), pulse(turns[0]), delay(1.0), pulse(-turns[0]), delay(0.5)]
    H = hermitian(rng)
    H = (H - np.trace(H) / 4 * np.eye(4)) * 2.2 / np.linalg.norm(H, 2)
    safe = branch_safe(cycle, H, period=2.0)
    smallest = min(_wrap_free(cycle, scale * H) for scale in np.linspace(0.01, 1, 400))
    assert safe == (smallest > 0)


def _wrap_free(segments, H):
    """Return how far the largest eigenphase stays below π."""
    return np.pi - np.abs(np.angle(np.linalg.eigvals(unitary(segments, H)))).max() - 0.006


# ------------------------------------------------------------------------------- symmetry
def pulse(rotation):
    return Segment(np.zeros(()), rotation)


ALIKE = pauli("XI") + pauli("IX") + 0.3 * (pauli("YI") + pauli("IY"))


@pytest.mark.parametrize(
    "drift", [pauli("ZZ"), pauli("ZI") + pauli("IZ"), pauli("XY") + pauli("YX")]
)
def test_spins_treated_alike_are_exchange_symmetric(drift):
    assert exchange_symmetric_pairs([pulse(ALIKE)], drift) == [(0, 1)]


@pytest.mark.parametrize("drift", [pauli("ZI"), pauli("XY") - pauli("YX"), pauli("XZ")])
def test_drifts_that_tell_the_spins_apart_are_not(drift):
    assert exchange_symmetric_pairs([pulse(ALIKE)], drift) == []


def test_one_selective_pulse_breaks_the_symmetry():
    assert exchange_symmetric_pairs([pulse(ALIKE), pulse(1e-6 * pauli("XI"))], pauli("ZZ")) == []


@pytest.mark.parametrize("size", [1e-2, 1e-6, 1e-9])
def test_slightly_unequal_rotations_break_the_symmetry_too(size):
    assert exchange_symmetric_pairs([pulse(ALIKE + size * pauli("XI"))], pauli("ZZ")) == []


def test_pairs_of_three_spins_are_found_one_by_one():
    drift = pauli("ZZI") + pauli("IZZ") + 0.5 * pauli("ZIZ")
    assert exchange_symmetric_pairs([], drift) == [(0, 2)]


def test_simultaneous_pulses_may_be_written_one_after_the_other():
    together = [pulse(ALIKE)]
    apart = [pulse(pauli("XI")), pulse(pauli("IX"))]
    for segments in (together, apart):
        assert exchange_symmetric_pairs(segments, pauli("ZZ")) == [(0, 1)]
    assert exchange_symmetric_pairs([apart[0], delay(1.0), apart[1]], pauli("ZZ")) == []


@pytest.mark.parametrize(("same", "found"), [(True, [(0, 1), (2, 3)]), (False, [])])
def test_pairs_that_only_exchange_together(same, found):
    """AA′XX′: J(AX) = J(A′X′), J(AX′) = J(A′X); A and A′ are equivalent only together with XX′."""
    other = 1.0 if same else 1.1
    drift = pauli("ZIZI") + other * pauli("IZIZ") + 0.3 * (pauli("ZIIZ") + pauli("IZZI"))
    drift = drift + 2 * (pauli("ZIII") + pauli("IZII"))  # A is not X
    assert exchange_symmetric_pairs([], drift) == found
