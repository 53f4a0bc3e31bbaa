"""Many spins: sparse Hamiltonians and segments, and evolution without propagators."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import csr_array, issparse
from scipy.sparse.linalg import expm_multiply

from nmrqb.dynamics import Segment, evolve, timeline_segments
from nmrqb.dynamics.coherent.costs import dense_cost, sparse_cost
from nmrqb.dynamics.coherent.sparse_evolution import (
    evolve_sparse,
    single_spin_vectors,
    step,
    turn,
)
from nmrqb.dynamics.segments import (
    event_segments,
    pulse_segments,
    rotation_matrix,
    rotation_steps,
    rotation_vectors,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import kron, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian, sparse_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline


def molecule(n, seed=0, *, nuclei=("1H", "13C"), strength=500.0):
    """All spins coupled to all, by J, dipolar couplings and tensors of either sign."""
    rng = np.random.default_rng(seed)
    spins = tuple(
        Spin(f"S{k}", str(rng.choice(nuclei)), rng.normal() * 300, pulse_90_s=5e-6)
        for k in range(n)
    )
    couplings = tuple(
        Coupling(
            (f"S{i}", f"S{j}"),
            rng.normal() * 50,
            rng.normal() * strength,
            tuple(map(tuple, rng.normal(size=(3, 3)) * 20)),
        )
        for i in range(n)
        for j in range(i)
    )
    return Sample("molecule", spins, couplings)


def cycle(n, finite=4e-6):
    """Delays and pulses of all spins, ideal ones among them."""
    pulses = [(phase, length) for phase in (0.0, 0.7, np.pi) for length in (finite, 0.0)]
    events = []
    for phase, length in pulses:
        turns = tuple(TimedRotation(k, np.pi / 2, phase + k, length) for k in range(n))
        events += [TimedDelay(2e-5), TimedPulse(turns)]
    return events


def segments_of(events, n):
    return [segment for event in events for segment in event_segments(event, n)]


def random_state(d, seed=0):
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=d) + 1j * rng.normal(size=d)
    return psi / np.linalg.norm(psi)


# ------------------------------------------------------------------------------- Hamiltonian
@given(st.integers(1, 5), st.integers(0, 10**6))
@settings(deadline=None, max_examples=25)
def test_sparse_hamiltonian_has_the_numbers_of_the_dense_one(n, seed):
    sample = molecule(n, seed)
    dense = internal_hamiltonian(sample)
    assert np.array_equal(sparse_hamiltonian(sample).toarray(), dense)


def test_nine_spins_have_the_hamiltonian_of_tensor_products():
    sample = molecule(9, 3)
    H = sparse_hamiltonian(sample)
    psi = random_state(2**9)
    pair = Sample("pair", (sample.spins[2], sample.spins[7]), ())
    # the part of spins 2 and 7, by their couplings alone
    between = [c for c in sample.couplings if set(c.between) == {"S2", "S7"}]
    alone = internal_hamiltonian(Sample("pair", pair.spins, tuple(between)))
    without = Sample(
        "rest",
        tuple(s if s.label not in {"S2", "S7"} else Spin(s.label, s.nucleus) for s in sample.spins),
        tuple(c for c in sample.couplings if c not in between),
    )
    moved = np.moveaxis(psi.reshape((2,) * 9), (2, 7), (0, 1)).reshape(4, -1)
    image = np.moveaxis((alone @ moved).reshape((2,) * 9), (0, 1), (2, 7)).reshape(-1)
    np.testing.assert_allclose(H @ psi - sparse_hamiltonian(without) @ psi, image, atol=1e-9)


# ----------------------------------------------------------------------------------- segments
def test_up_to_eight_spins_are_dense_and_above_sparse():
    for n, sparse in ((8, False), (9, True)):
        for event in (TimedDelay(1e-3), TimedPulse((TimedRotation(n - 1, 1.0, 0.3, 1e-6),))):
            (segment,) = event_segments(event, n)
            assert issparse(segment.rotation) == sparse
            assert segment.rotation.shape == (2**n, 2**n)


def test_vectors_become_the_matrices_of_the_steps():
    shares = (0.3, 0.2j, 0.5)
    angle, phase = np.array([0.4, 1.1]), np.array([[0.2], [2.0], [3.0]])
    vectors = rotation_vectors(angle, phase, 1, 3, shares)
    expected = rotation_steps(angle, phase, 1, 3, shares)
    assert np.array_equal(rotation_matrix(vectors), expected)
    assert rotation_matrix(np.zeros((7, 2, 3))).shape == (7, 4, 4)


def test_a_pulse_cut_as_vectors_is_the_pulse_cut_as_matrices():
    lengths = [np.asarray(T) for T in (3e-6, 7e-6, 0.0)]
    arguments = [(1.0, 0.2, 0, 3, (0.5, 0.5j)), (2.0, 0.1, 1, 3, (0.2, 0.3, 0.5)), (0.7, 0, 2, 3)]
    matrices = pulse_segments([rotation_steps(*a) for a in arguments], lengths)
    vectors = pulse_segments([rotation_vectors(*a) for a in arguments], lengths)
    assert len(matrices) == len(vectors) > 3
    for m, v in zip(matrices, vectors, strict=True):
        assert m.duration == v.duration
        np.testing.assert_allclose(rotation_matrix(v.rotation), m.rotation, atol=1e-15)


def test_virtual_rotations_of_nine_spins_are_sparse():
    line = Timeline("t", (TimedDelay(1e-3),), "1", frame={8: 0.5, 0: -0.2})
    (_, frame) = timeline_segments(line, molecule(9))
    expected = -0.2 * spin_operator("z", 0, 9) + 0.5 * spin_operator("z", 8, 9)
    np.testing.assert_allclose(frame.rotation.toarray(), expected, atol=1e-15)
    assert not frame.rf


def test_equal_segments_have_equal_contents():
    for n in (3, 9):
        first, again = (event_segments(TimedPulse((TimedRotation(1, 1.0, 0.3),)), n) for _ in "ab")
        (other,) = event_segments(TimedPulse((TimedRotation(1, 1.0, 0.31),)), n)
        assert first[0].content == again[0].content != other.content
        assert first[0].scaled(1.1).content != first[0].content


def test_many_values_at_once_are_refused_above_eight_spins():
    batch = TimedPulse((TimedRotation(0, np.array([1.0, 2.0]), 0.0),))
    with pytest.raises(ArgumentError, match="above 8 spins, but has values of shape \\(2,\\) on 9"):
        event_segments(batch, 9)
    with pytest.raises(ArgumentError, match="above 8 spins, but has values of shape \\(3,\\) on 9"):
        event_segments(TimedDelay(np.ones(3)), 9)
    (segment,) = event_segments(TimedPulse((TimedRotation(0, 1.0, 0.0),)), 9)
    with pytest.raises(ArgumentError, match="`b1` must be one number where matrices are sparse"):
        segment.scaled(np.array([0.9, 1.1]))
    many = Segment(np.ones(2), segment.rotation)
    with pytest.raises(ArgumentError, match=r"`duration` must be one number .* shape \(2,\)"):
        many.drifted(sparse_hamiltonian(molecule(9)))
    np.testing.assert_allclose(segment.scaled(2.0).rotation.data, 2 * segment.rotation.data)


def test_evolution_counts_as_drift_for_sparse_segments_too():
    H = sparse_hamiltonian(molecule(9))
    segment = Segment(np.asarray(0.5), csr_array(H.shape, dtype=complex), evolution=3 * H)
    np.testing.assert_allclose((segment.drifted(H) - 3.5 * H).data, 0, atol=1e-9)


# ----------------------------------------------------------------------------------- evolution
@given(st.integers(2, 5), st.integers(0, 10**6), st.floats(1e-13, 1e-5))
@settings(deadline=None, max_examples=25)
def test_states_are_nearer_to_the_exact_ones_than_the_bound(n, seed, tolerance):
    H = sparse_hamiltonian(molecule(n, seed, strength=5e3))
    segments = segments_of(cycle(n), n)
    psi = random_state(2**n, seed)
    exact = psi
    for segment in segments:
        exact = expm(-1j * (segment.rotation + float(segment.duration) * H.toarray())) @ exact
    state, error = evolve_sparse(segments, H, psi, tolerance=tolerance)
    assert np.linalg.norm(state - exact) <= error + 1e-13 <= tolerance + 1e-10
    rho, rho_error = evolve_sparse(segments, H, np.outer(psi, psi.conj()), tolerance=tolerance)
    off = np.linalg.norm(rho - np.outer(exact, exact.conj()))
    assert off <= rho_error + 1e-13 <= tolerance + 1e-10


def test_ten_spins_go_where_the_krylov_solver_takes_them():
    n = 10
    H = sparse_hamiltonian(molecule(n, nuclei=("1H",), strength=2e3))
    segments = segments_of(cycle(n), n)
    psi = random_state(2**n)
    exact = psi
    for segment in segments:
        exact = expm_multiply(-1j * segment.generator(H), exact)
    state, error = evolve_sparse(segments, H, psi, tolerance=1e-11)
    assert error < 1e-10
    assert np.linalg.norm(state - exact) <= error
    assert np.linalg.norm(state) == pytest.approx(1, abs=error)


def test_time_runs_back():
    n = 9
    H = sparse_hamiltonian(molecule(n))
    forth = segments_of(cycle(n), n)
    back = [Segment(s.duration, -1 * s.rotation) for s in reversed(forth)]
    psi = random_state(2**n)
    there, first = evolve_sparse(forth, H, psi)
    here, second = evolve_sparse(back, -1 * H, there)
    assert np.linalg.norm(there - psi) > 0.1
    assert np.linalg.norm(here - psi) <= first + second


def test_heteronuclear_delays_and_ideal_pulses_are_exact():
    # an echo: π pulses of every other spin undo all offsets and couplings of unlike spins
    n = 9
    spins = tuple(Spin(f"S{k}", ("1H", "13C")[k % 2], 1e4 * k) for k in range(n))
    couplings = tuple(Coupling((f"S{k}", f"S{k + 1}"), 1e3) for k in range(n - 1))
    H = sparse_hamiltonian(Sample("chain", spins, couplings))
    delay = TimedDelay(1.0)

    def pi(which):
        return TimedPulse(tuple(TimedRotation(k, np.pi, 0.4) for k in which))

    even, odd = pi(range(0, n, 2)), pi(range(1, n, 2))
    segments = segments_of([delay, even, delay, odd, delay, even, delay, odd], n)
    psi = random_state(2**n)
    state, error = evolve_sparse(segments, H, psi, tolerance=1e-300)
    assert error < 1e-8  # 1e6 rad of phase, not one term of a series
    assert abs(abs(np.vdot(psi, state)) - 1) < error


def test_rotations_of_single_spins_are_recognised():
    n = 4
    vectors = np.random.default_rng(0).normal(size=(n, 3))
    sparse = csr_array(rotation_matrix(vectors))
    np.testing.assert_allclose(single_spin_vectors(sparse), vectors, atol=1e-14)
    assert single_spin_vectors(sparse + csr_array(spin_operator("z", 0, n)) * 1e-9) is not None
    pair = csr_array(spin_operator("z", 0, n) @ spin_operator("z", 1, n))
    assert single_spin_vectors(sparse + 1e-9 * pair) is None


def test_turning_spins_is_their_tensor_product():
    rng = np.random.default_rng(2)
    for n in (1, 3, 4, 6):
        turns = rng.normal(size=(n, 2, 2)) + 1j * rng.normal(size=(n, 2, 2))
        states = rng.normal(size=(2**n, 3)) + 0j
        np.testing.assert_allclose(turn(turns, states), kron(turns) @ states, atol=1e-12)


def test_a_dense_generator_is_diagonalised():
    A = molecule(3, 1)
    H = internal_hamiltonian(A) * 1e-3
    got = step(H)
    psi = random_state(8)[:, None]
    assert np.linalg.norm(got.act(psi) - expm(-1j * H) @ psi) <= got.error


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.ones(7), "`state` must have shape \\(8,\\) or \\(8, 8\\), but has shape \\(7,\\)"),
        (np.ones((8, 2)), "but has shape \\(8, 2\\)"),
        (np.full(8, np.nan), "`state` must be finite, but holds 8 entries that are not"),
    ],
)
def test_wrong_states_are_refused(state, message):
    with pytest.raises(ArgumentError, match=message):
        evolve_sparse([], sparse_hamiltonian(molecule(3)), state)


# ---------------------------------------------------------------------------------------- costs
def test_the_sparse_way_pays_for_many_spins_and_few_passes():
    def gain(n, passes, columns=1):
        segments = segments_of(cycle(n), n)
        H = sparse_hamiltonian(molecule(n, nuclei=("1H",)))
        sparse = sparse_cost(segments, H, passes=passes, columns=columns)
        return dense_cost(segments, 2**n, passes=passes) / sparse

    assert gain(4, 1) < 1 < gain(10, 1)
    assert gain(10, 10**5) < 1
    assert gain(9, 1) < gain(10, 1)
    assert gain(9, 1, columns=2**10) < 1  # a density operator, from both sides


def test_costs_count_passes_and_columns():
    segments, H = segments_of(cycle(9), 9), sparse_hamiltonian(molecule(9))
    once, thrice = (sparse_cost(segments, H, passes=p) for p in (1, 3))
    assert once < thrice < 3.1 * once
    assert 20 < sparse_cost(segments, H, columns=100) / once < 100
    assert dense_cost(segments, 512, passes=4) - dense_cost(segments, 512) == 4 * 512**3
    assert sparse_cost([], H) == dense_cost([], 512) == 0


def test_a_vector_under_a_sparse_drift_goes_the_cheaper_way():
    segments, H = segments_of(cycle(7), 7), sparse_hamiltonian(molecule(7, nuclei=("1H",)))
    psi = np.full(2**7, 2**-3.5, dtype=complex)
    once, often = (evolve(segments * m, H, psi) for m in (1, 40))
    assert (once.method, often.method) == ("chebyshev", "unitary")
    assert np.abs(evolve(segments, H.toarray(), psi).state - once.state).max() < 1e-9
    assert evolve(segments, H, np.outer(psi, psi)).method == "unitary"
    small = evolve(segments_of(cycle(3), 3), sparse_hamiltonian(molecule(3)), np.eye(8)[0])
    assert small.method == "unitary"
