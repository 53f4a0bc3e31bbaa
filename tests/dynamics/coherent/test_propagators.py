"""Propagators: powers, infidelity, echoes, complete positivity, batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import (
    Segment,
    apply,
    collapse_operators,
    dissipator,
    exp_hermitian,
    infidelity,
    powers,
    rotation_generator,
    stroboscopic,
    superoperator,
    timeline_segments,
    unitary,
    unitary_superoperator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence


def pair(offsets=(0.0, 0.0), J=200.0, **relaxation):
    spins = (Spin("H", "1H", offsets[0], **relaxation), Spin("C", "13C", offsets[1], **relaxation))
    return Sample("pair", spins, (Coupling(("H", "C"), J),))


def hermitian(rng, d=4):
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (matrix + matrix.conj().T) / 2


def random_state(rng, d=4):
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def nutation(angle, time):
    return Segment(np.asarray(time), rotation_generator(angle, 0.4, 0, 2))


# ------------------------------------------------------------------------------------ unitary
def test_exponential_of_a_stack_is_that_of_scipy():
    A = np.array([hermitian(np.random.default_rng(k)) for k in range(3)])
    np.testing.assert_allclose(exp_hermitian(A), [expm(-1j * a) for a in A], atol=1e-12)


def test_segments_multiply_from_right_to_left():
    rng = np.random.default_rng(1)
    H, A, B = (hermitian(rng) for _ in range(3))
    segments = [Segment(np.asarray(0.3), A), Segment(np.asarray(0.7), B)]
    expected = expm(-1j * (B + 0.7 * H)) @ expm(-1j * (A + 0.3 * H))
    np.testing.assert_allclose(unitary(segments, H), expected, atol=1e-12)


def test_equal_segments_that_are_shared_change_nothing():
    H = hermitian(np.random.default_rng(2))
    a, b = nutation(0.5, 0.2), nutation(0.7, 0.2)
    again = nutation(0.5, 0.2)
    expected = unitary([a], H) @ unitary([b], H) @ unitary([a], H)
    np.testing.assert_allclose(unitary([a, b, again], H), expected, atol=1e-13)


def test_batches_of_drifts_and_b1_equal_loops():
    rng = np.random.default_rng(3)
    drifts, scales = np.array([hermitian(rng) for _ in range(2)]), np.array([0.9, 1.2])
    segments = [nutation(0.5, 0.2), nutation(1.5, 0.1)]
    batch = unitary([s.scaled(scales) for s in segments], drifts)
    looped = [
        unitary([s.scaled(b) for s in segments], H) for b, H in zip(scales, drifts, strict=True)
    ]
    np.testing.assert_allclose(batch, looped, atol=1e-13)


def test_batches_of_open_evolution_equal_loops():
    sample = pair(T1_s=0.5, T2_s=0.1)
    H, loss = internal_hamiltonian(sample), dissipator(collapse_operators(sample), 4)
    scales = np.array([0.9, 1.0, 1.2])
    segments = [nutation(0.5, 0.02), nutation(0.0, 0.01)]
    batch = superoperator([s.scaled(scales) for s in segments], H, loss)
    looped = [superoperator([s.scaled(b) for s in segments], H, loss) for b in scales]
    np.testing.assert_allclose(batch, looped, atol=1e-12)


def test_open_evolution_without_loss_is_the_unitary_one():
    H = internal_hamiltonian(pair((30.0, -70.0)))
    segments = [nutation(2.0, 1e-3), nutation(0.0, 3e-3)]
    closed = unitary_superoperator(unitary(segments, H))
    opened = superoperator(segments, H, np.zeros((16, 16)))
    np.testing.assert_allclose(opened, closed, atol=1e-11)


def test_map_of_a_unitary_conjugates_states():
    rng = np.random.default_rng(4)
    U, rho = exp_hermitian(hermitian(rng)), random_state(rng)
    np.testing.assert_allclose(
        apply(unitary_superoperator(U), rho), U @ rho @ U.conj().T, atol=1e-14
    )


@pytest.mark.parametrize("offsets", [(0.0, 0.0), (13.0, -41.0), (500.0, 77.0)])
def test_hahn_echo_keeps_j_and_forgets_the_offsets(offsets):
    # τ – 180x(both) – τ is 180x after exp(−i 2πJ IzSz 2τ), for any offsets
    sample = pair(offsets)
    timeline = expand(load_sequence("spin_echo"), sample, parameters={"t": "1.7 ms"})
    U = unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))
    flip = expm(-1j * np.pi * (pauli("XI") + pauli("IX")) / 2)
    expected = flip @ expm(-1j * 2 * np.pi * 200.0 * pauli("ZZ") / 4 * 2 * 1.7e-3)
    assert infidelity(U, expected) < 1e-24


# ------------------------------------------------------------------------- complete positivity
@given(
    st.floats(-300, 300),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.floats(-1, 1),
    st.floats(-6, 6),
)
@settings(deadline=None, max_examples=25)
def test_relaxing_evolution_is_completely_positive_and_keeps_the_trace(J, T1, ratio, p, angle):
    sample = pair((20.0, -50.0), J, T1_s=T1, T2_s=2 * T1 * ratio, polarization=p)
    loss = dissipator(collapse_operators(sample), 4)
    S = superoperator(
        [nutation(angle, 2e-3), nutation(0.0, 0.1)], internal_hamiltonian(sample), loss
    )
    choi = S.reshape(4, 4, 4, 4).transpose(0, 2, 1, 3).reshape(16, 16)
    assert np.linalg.eigvalsh((choi + choi.conj().T) / 2).min() > -1e-10
    traced = np.eye(4).reshape(-1) @ S
    np.testing.assert_allclose(traced, np.eye(4).reshape(-1), atol=1e-10)


def test_relaxation_ends_at_the_product_of_the_polarisations():
    sample = pair(T1_s=0.5, T2_s=0.1, polarization=0.6)
    loss = dissipator(collapse_operators(sample), 4)
    S = superoperator([nutation(0.0, 50.0)], internal_hamiltonian(sample), loss)
    end = np.kron(np.diag([0.8, 0.2]), np.diag([0.8, 0.2]))
    np.testing.assert_allclose(apply(S, random_state(np.random.default_rng(5))), end, atol=1e-10)


def test_relaxation_of_five_spins_is_refused_before_it_fills_the_memory():
    with pytest.raises(ArgumentError, match=r"four spins.*dimension 32; `evolve` takes larger"):
        superoperator([], np.eye(32, dtype=complex), np.zeros(0))


# ------------------------------------------------------------------------------------- powers
def test_powers_are_matrix_powers_for_all_counts():
    rng = np.random.default_rng(6)
    M = rng.normal(size=(3, 3)) / 3 + 1j * rng.normal(size=(3, 3)) / 3
    counts = np.array([0, 7, 1, 2, 31, 64, 7])
    expected = [np.linalg.matrix_power(M, k) for k in counts]
    np.testing.assert_allclose(powers(M, counts), expected, rtol=1e-10, atol=1e-12)


def test_powers_of_an_empty_list_are_an_empty_stack():
    assert powers(np.eye(2, dtype=complex), np.array([], dtype=int)).shape == (0, 2, 2)


def test_powers_leave_the_counts_alone():
    counts = np.array([3, 5])
    powers(np.eye(2, dtype=complex), counts)
    assert counts.tolist() == [3, 5]


def test_negative_powers_are_refused():
    with pytest.raises(ArgumentError, match="`counts` must be ≥ 0, but holds -1"):
        powers(np.eye(2, dtype=complex), np.array([2, -1]))


# --------------------------------------------------------------------------------- infidelity
def test_infidelity_is_one_minus_the_squared_overlap():
    rng = np.random.default_rng(7)
    U, V = (exp_hermitian(hermitian(rng)) for _ in range(2))
    overlap = np.trace(U.conj().T @ V)
    assert infidelity(U, V) == pytest.approx(1 - abs(overlap) ** 2 / 16, rel=1e-12)


def test_infidelity_keeps_its_digits_near_zero():
    # 1 − |tr exp(iεA)|²/d² → ε² (tr A²/d − (tr A/d)²)
    A = hermitian(np.random.default_rng(8))
    variance = np.trace(A @ A).real / 4 - (np.trace(A).real / 4) ** 2
    for size in (1e-4, 1e-6, 1e-8):
        got = infidelity(np.eye(4, dtype=complex), exp_hermitian(size * A))
        assert got == pytest.approx(size**2 * variance, rel=1e-5)


def test_infidelity_ignores_the_global_phase():
    U = exp_hermitian(hermitian(np.random.default_rng(9)))
    assert infidelity(U, np.exp(2.1j) * U) < 1e-28


def test_orthogonal_unitaries_are_fully_infidel():
    assert infidelity(pauli("XI"), pauli("ZY")) == pytest.approx(1.0)


def test_infidelity_of_stacks_broadcasts():
    rng = np.random.default_rng(10)
    stack = exp_hermitian(np.array([hermitian(rng) for _ in range(3)]))
    one = stack[0]
    np.testing.assert_allclose(infidelity(one, stack), [infidelity(one, U) for U in stack])


# ------------------------------------------------------------------------------- stroboscopic
@pytest.mark.parametrize("d", [2, 8, 32])
@pytest.mark.parametrize("cycles", [0, 1, 2, 3, 37, 200])
def test_stroboscopic_states_are_those_of_the_powers(d, cycles):
    rng = np.random.default_rng(d)
    A = hermitian(rng, d)
    psi, rho = rng.normal(size=d) + 1j * rng.normal(size=d), random_state(rng, d)
    phases, V = np.linalg.eigh(A)
    U = [(V * np.exp(-1j * k * phases)) @ V.conj().T for k in range(cycles + 1)]
    step = exp_hermitian(A)
    vectors = stroboscopic(step, psi, cycles)
    assert vectors.shape == (cycles + 1, d)
    np.testing.assert_allclose(vectors, [power @ psi for power in U], atol=1e-11)
    matrices = stroboscopic(step, rho, cycles)
    assert matrices.shape == (cycles + 1, d, d)
    expected = [power @ rho @ power.conj().T for power in U]
    np.testing.assert_allclose(matrices, expected, atol=1e-12)


@pytest.mark.parametrize("state", [np.array([1, 0], dtype=complex), np.eye(2) / 2])
def test_a_negative_number_of_passes_is_refused(state):
    with pytest.raises(ArgumentError, match="`cycles` must be ≥ 0, but is -1"):
        stroboscopic(np.eye(2, dtype=complex), state, -1)
