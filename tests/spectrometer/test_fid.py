"""Exact FIDs: closed forms, exponentials of the whole system, QuTiP, and properties."""

import numpy as np
import pytest
import qutip
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import csr_array

from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.relaxing.relaxation import relaxation_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import pauli, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.spectrometer import (
    Lines,
    Receiver,
    coil_operator,
    default_receiver,
    detection,
    fid,
    line_list,
    liouvillian,
    observable,
    open_fid,
    sectors,
    sum_of_lines,
    transitions,
)

SEEDS = st.integers(0, 2**32 - 1)
WIDE = np.finfo(np.longdouble).eps < 1e-18
LONG = Receiver(1024.0, 16384)  # 16 s in steps of 2^-10 s
SOME = np.array([0, 1, 127, 128, 777, 9999, 16383])
RAISE = np.array([[0, 1], [0, 0]], dtype=complex)


def total(axis, n):
    return sum(spin_operator(axis, k, n) for k in range(n))


def coil(n):
    return 2 * total("x", n) + 2j * total("y", n)


def coupled(n, seed=0):
    """Offsets and strong isotropic couplings of n like spins in rad/s."""
    rng = np.random.default_rng(seed)
    H = sum(rng.uniform(-900, 900) * spin_operator("z", k, n) for k in range(n))
    for i in range(n):
        for j in range(i):
            scalar = sum(spin_operator(a, i, n) @ spin_operator(a, j, n) for a in "xyz")
            H = H + rng.uniform(-600, 600) * scalar
    return H


def tilted(n, seed):
    """Any Hermitian matrix: complex, and a single block."""
    root = random_matrix(n, seed)
    return 50 * (root + root.conj().T)


def random_matrix(n, seed, batch=()):
    rng = np.random.default_rng(seed)
    shape = (*batch, 2**n, 2**n)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def direct(H, rho, C, times):
    """tr(ρ(t)C) from the exponential of the whole Hamiltonian at every time."""
    U = expm(-1j * H * np.asarray(times)[:, None, None])
    return np.einsum("tij,...jk,tlk,li->...t", U, rho, U.conj(), C, optimize=True)


def relaxing(n, seed=0, *, jumps=True):
    """T1 and T2, Pauli noise, correlated dephasing, and an operator of a pair."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(n):
        up, down, dephasing = np.sqrt(rng.uniform(0.5, 5, 3))
        own = [up * RAISE, down * RAISE.T] if jumps else []
        parts.append(Part((k,), np.array([*own, dephasing * pauli("Z")])))
    if n > 1:
        mixed = pauli("ZI") * rng.uniform(0.5, 1) + pauli("IZ") * rng.uniform(-1, 1)
        parts.append(Part((n - 1, 0), mixed[None]))
    if n > 1 and jumps:
        parts.append(Part((0, 1), rng.uniform(0.2, 0.6) * (pauli("XY") + 1j * pauli("ZI"))[None]))
    return Dissipation(n, tuple(parts))


def whole(H, dissipation):
    """The generator of all elements, from Kronecker products."""
    one = np.eye(len(H))
    return -1j * (np.kron(H, one) - np.kron(one, H.T)) + dissipation.generator


# ------------------------------------------------------------------------------- closed forms
def test_one_spin_turns_counterclockwise_at_its_offset():
    signal = fid(320.0 * spin_operator("z", 0, 1), pauli("X") / 2, coil(1), LONG)
    np.testing.assert_allclose(signal, np.exp(320j * np.arange(16384) / 1024), atol=2e-13)


def test_doublet_has_two_lines_of_equal_height():
    H = 2 * np.pi * 140.0 * spin_operator("z", 0, 2) @ spin_operator("z", 1, 2)
    C = 2 * spin_operator("x", 0, 2) + 2j * spin_operator("y", 0, 2)
    lines = line_list(H, pauli("XI") / 4, C)
    np.testing.assert_allclose(lines.frequencies_hz, [-70, 70], rtol=1e-12)
    np.testing.assert_allclose(lines.amplitudes, [0.5, 0.5], rtol=1e-12)


def test_a_of_ax2_is_a_triplet_of_one_two_one():
    H = sum(2 * np.pi * 8.0 * spin_operator("z", 0, 3) @ spin_operator("z", k, 3) for k in (1, 2))
    C = 2 * spin_operator("x", 0, 3) + 2j * spin_operator("y", 0, 3)
    lines = line_list(H, pauli("XII") / 8, C)
    np.testing.assert_allclose(lines.frequencies_hz, [-8, 0, 0, 8], atol=1e-12)
    np.testing.assert_allclose(lines.amplitudes, np.full(4, 0.25), rtol=1e-12)


@pytest.mark.parametrize(("delta", "J"), [(30.0, 40.0), (5.0, 12.0), (80.0, 0.6), (2.0, 300.0)])
def test_ab_quartet_has_the_textbook_lines_and_heights(delta, J):
    # frequencies ±J/2 ± ½√(δ² + J²), heights 1 ∓ sin 2θ with tan 2θ = J/δ, outer lines weak
    scalar = sum(spin_operator(a, 0, 2) @ spin_operator(a, 1, 2) for a in "xyz")
    zeeman = delta / 2 * (spin_operator("z", 0, 2) - spin_operator("z", 1, 2))
    lines = line_list(2 * np.pi * (zeeman + J * scalar), total("x", 2) / 2, coil(2))
    D, sine = np.hypot(delta, J) / 2, J / np.hypot(delta, J)
    frequencies = [-D - J / 2, -abs(D - J / 2), abs(D - J / 2), D + J / 2]
    np.testing.assert_allclose(lines.frequencies_hz, frequencies, rtol=1e-9, atol=1e-9)
    heights = np.array([1 - sine, 1 + sine, 1 + sine, 1 - sine]) / 2
    np.testing.assert_allclose(lines.amplitudes, heights, atol=1e-12)


@pytest.mark.skipif(not WIDE, reason="long double is no wider than double here")
@given(st.floats(1.0, 1e5), st.floats(-1e4, 1e4))
@settings(deadline=None, max_examples=30)
@example(2718.3, -5414.2)
def test_sixteen_seconds_lose_no_digits(delta, J):
    # the quartet of this very H, its square root and its phases in extended precision
    scalar = sum(spin_operator(a, 0, 2) @ spin_operator(a, 1, 2) for a in "xyz")
    H = delta / 2 * (spin_operator("z", 0, 2) - spin_operator("z", 1, 2)) + J * scalar
    outer, a, b, c = (np.longdouble(x.real) for x in (H[0, 0], H[1, 1], H[2, 2], H[1, 2]))
    assert H[3, 3] == H[0, 0]
    D, sine = np.hypot((a - b) / 2, c), float(c / np.hypot((a - b) / 2, c))
    inner = (a + b) / 2 + np.array([D, -D])
    frequencies = np.concatenate([outer - inner, inner - outer])
    phases = np.multiply.outer(np.arange(16384) / np.longdouble(1000), frequencies)
    heights = np.array([1 + sine, 1 - sine] * 2) / 2
    expected = np.exp(1j * phases).astype(complex) @ heights
    got = fid(H, total("x", 2) / 2, coil(2), Receiver(1000.0, 16384))
    np.testing.assert_allclose(got, expected, atol=2e-13)


# ------------------------------------------------------------------------------ closed systems
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_fid_of_strongly_coupled_spins_is_that_of_the_exponential(n):
    H, rho = coupled(n, n) / 50, random_matrix(n, n) / 4**n
    times = SOME / 1024
    np.testing.assert_allclose(
        fid(H, rho, coil(n), LONG)[SOME], direct(H, rho, coil(n), times), atol=1e-12
    )


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_neither_secular_nor_real_hamiltonians_are_special(n):
    H, rho, C = tilted(n, 3) / 50, random_matrix(n, 4, (2, 3)), random_matrix(n, 5) / 4**n
    got = fid(H, rho, C, LONG)
    assert got.shape == (2, 3, 16384)
    np.testing.assert_allclose(got[..., SOME], direct(H, rho, C, SOME / 1024), atol=1e-12)


def test_unlike_spins_have_blocks_of_many_sizes():
    # three like, two like, one alone: levels of equal magnetisation of every species
    n, kinds = 6, (0, 0, 0, 1, 1, 2)
    rng = np.random.default_rng(8)
    H = sum(rng.uniform(-20, 20) * spin_operator("z", k, n) for k in range(n))
    for i in range(n):
        for j in range(i):
            axes = "xyz" if kinds[i] == kinds[j] else "z"
            terms = (spin_operator(a, i, n) @ spin_operator(a, j, n) for a in axes)
            H = H + rng.uniform(-9, 9) * sum(terms)
    own = [2 * spin_operator("x", k, n) + 2j * spin_operator("y", k, n) for k in (3, 4)]
    rho = random_matrix(n, 1) / 64**2
    got = fid(H, rho, sum(own), LONG)[SOME]
    np.testing.assert_allclose(got, direct(H, rho, sum(own), SOME / 1024), atol=1e-12)


@pytest.mark.parametrize("points", [2, 3, 4, 5, 100, 1000, 4097])
def test_any_number_of_points_dead_time_phase_and_decay(points):
    H, rho = coupled(3), random_matrix(3, 1)
    receiver = Receiver(2000.0, points, dead_time_s=37e-6, phase_rad=0.7)
    t = receiver.times_s
    expected = np.exp(0.7j - 3.0 * t) * direct(H, rho, coil(3), t)
    np.testing.assert_allclose(fid(H, rho, coil(3), receiver, decay=3.0), expected, atol=1e-10)


def test_more_lines_than_are_summed_at_once(monkeypatch):
    H, rho = coupled(4), random_matrix(4, 1)
    at_once = fid(H, rho, coil(4), LONG)
    monkeypatch.setattr("nmrqb.spectrometer.lines._AT_ONCE", 7)
    np.testing.assert_allclose(fid(H, rho, coil(4), LONG), at_once, atol=1e-11)


def test_every_line_may_have_its_own_rate():
    lines = Lines(np.array([-1 + 20j, -300 - 7j]), np.array([[2.0, 1j], [0.0, 1.0]]))
    t = LONG.times_s
    first, second = np.exp((-1 + 20j) * t), np.exp((-300 - 7j) * t)
    np.testing.assert_allclose(
        sum_of_lines(lines, LONG), [2 * first + 1j * second, second], atol=1e-12
    )
    np.testing.assert_allclose(lines.widths_hz, np.array([1, 300]) / np.pi)


def test_states_without_coherence_give_no_line_and_no_signal():
    lines = line_list(coupled(3), np.diag(np.arange(8.0)), coil(3))
    assert lines.rates.size == 0
    np.testing.assert_array_equal(fid(coupled(3), np.zeros((8, 8)), coil(3), LONG), 0)


def test_a_coil_of_nothing_sees_nothing(monkeypatch):
    H, rho, nothing = coupled(2), random_matrix(2, 1, (3,)), np.zeros((4, 4))
    np.testing.assert_array_equal(fid(H, rho, nothing, LONG), np.zeros((3, 16384)))
    assert transitions(whole(H, relaxing(2)), nothing.reshape(-1)).size == 0
    for few in (3, 0):
        monkeypatch.setattr(sectors, "_FEW_SPINS", few)
        signal = open_fid(H, relaxing(2), rho, nothing, LONG)
        np.testing.assert_array_equal(signal.points, np.zeros((3, 16384)))


def test_dark_lines_are_dropped():
    # I_x of equivalent spins shows one frequency, whatever the coupling: 16 of 56 lines carry it
    scalar = sum(
        spin_operator(a, i, 4) @ spin_operator(a, j, 4) for a in "xyz" for i in range(4)
        for j in range(i)
    )  # fmt: skip
    lines = line_list(70.0 * scalar + 9.0 * total("z", 4), total("x", 4), coil(4))
    np.testing.assert_allclose(lines.rates, 9j, atol=1e-10)
    assert len(lines.rates) < 56


@given(SEEDS, st.sampled_from([2, 3, 5]))
@settings(deadline=None, max_examples=20)
def test_amplitudes_add_up_to_the_first_point(seed, n):
    rho = random_matrix(n, seed, (2,))
    lines = line_list(coupled(n, seed), rho, coil(n))
    assert np.all(np.diff(lines.frequencies_hz) >= 0)
    expected = np.einsum("...ij,ji->...", rho, coil(n))
    np.testing.assert_allclose(lines.amplitudes.sum(axis=-1), expected, atol=1e-11)


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_signal_is_linear_and_bounded(seed):
    # |tr(ρC)| ≤ ‖C‖ for a state, and the norm of n coils Σ(σx + iσy) is found by eigenvalues
    H, receiver = coupled(3, seed), Receiver(700.0, 300)
    A, B = random_matrix(3, seed, (2,))
    signals = fid(H, np.array([A, B, 2 * A - 3j * B]), coil(3), receiver)
    np.testing.assert_allclose(signals[2], 2 * signals[0] - 3j * signals[1], atol=1e-10)
    np.testing.assert_allclose(signals[:, 0], np.einsum("kij,ji->k", [A, B, 2 * A - 3j * B],
                                                        coil(3)), atol=1e-11)  # fmt: skip
    state = A @ A.conj().T / np.trace(A @ A.conj().T)
    assert np.abs(fid(H, state, coil(3), receiver)).max() <= np.linalg.norm(coil(3), 2) + 1e-12


# -------------------------------------------------------------------------------- open systems
@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("jumps", [True, False])
def test_seen_elements_give_the_signal_of_the_whole_liouvillian(n, jumps):
    H, rho, dissipation = coupled(n, 2), random_matrix(n, 3), relaxing(n, jumps=jumps)
    receiver = Receiver(1000.0, 300, dead_time_s=1e-3, phase_rad=0.3)
    got = open_fid(H, dissipation, rho, coil(n), receiver)
    step, L = 50, whole(H, dissipation)
    state, E = expm(L * 1e-3) @ rho.reshape(-1), expm(L * step / 1000.0)
    expected = []
    for _ in range(0, 300, step):
        expected.append(np.exp(0.3j) * coil(n).T.reshape(-1) @ state)
        state = E @ state
    np.testing.assert_allclose(got.points[::step], expected, atol=1e-10)
    assert np.abs(got.points[::step] - expected).max() <= got.error < 1e-8


@pytest.mark.parametrize(("n", "elements"), [(2, 4), (3, 15), (4, 56)])
def test_secular_spins_need_only_the_coherences_of_one_order(n, elements):
    # C(2n, n − 1) elements have the order −1
    plain = Dissipation(n, relaxing(n).parts[:n])
    signal = open_fid(coupled(n), plain, np.eye(2**n), coil(n), Receiver(100.0, 2))
    assert signal.elements == elements
    mixing = open_fid(tilted(n, 1), plain, np.eye(2**n), coil(n), Receiver(100.0, 2))
    assert mixing.elements == 4**n


def test_diagonal_dissipation_of_unlike_spins_leaves_every_coherence_alone():
    H = sum(90.0 * k * spin_operator("z", k, 4) for k in range(4))
    dissipation = relaxing(4, jumps=False)
    signal = open_fid(H, dissipation, random_matrix(4, 1), coil(4), Receiver(100.0, 64))
    # 4 spins, 8 states of the others
    assert signal.elements == 32
    expected = coil(4).T.reshape(-1) @ expm(0.63 * whole(H, dissipation))
    at_end = expected @ random_matrix(4, 1).reshape(-1)
    np.testing.assert_allclose(signal.points[-1], at_end, atol=1e-10)


def test_sparse_and_dense_sectors_agree(monkeypatch):
    H, rho, dissipation = coupled(3, 1), random_matrix(3, 1, (2,)), relaxing(3)
    receiver = Receiver(3000.0, 200, dead_time_s=2e-4)
    expected = open_fid(H, dissipation, rho, coil(3), receiver)
    monkeypatch.setattr(sectors, "_FEW_SPINS", 0)
    sparse = open_fid(H, dissipation, rho, coil(3), receiver)
    np.testing.assert_allclose(sparse.points, expected.points, atol=1e-11)
    monkeypatch.setattr(sectors, "_DENSE_TO", 2)
    large = open_fid(H, dissipation, rho, coil(3), receiver)
    np.testing.assert_allclose(large.points, expected.points, atol=1e-10)
    assert large.elements == sparse.elements == expected.elements


def test_two_points_of_a_large_sector(monkeypatch):
    monkeypatch.setattr(sectors, "_FEW_SPINS", 0)
    monkeypatch.setattr(sectors, "_DENSE_TO", 0)
    H, dissipation = coupled(2), relaxing(2)
    signal = open_fid(H, dissipation, total("x", 2), coil(2), Receiver(1000.0, 2))
    rows = coil(2).T.reshape(-1) @ np.array([np.eye(16), expm(whole(H, dissipation) / 1000.0)])
    np.testing.assert_allclose(signal.points, rows @ total("x", 2).reshape(-1), atol=1e-12)


def test_without_loss_open_and_closed_systems_agree():
    H, rho = coupled(4), random_matrix(4, 2, (3,))
    receiver = Receiver(2000.0, 1000)
    signal = open_fid(H, Dissipation(4), rho, coil(4), receiver)
    np.testing.assert_allclose(signal.points, fid(H, rho, coil(4), receiver), atol=1e-10)


@pytest.mark.parametrize("n", [2, 3])
def test_open_fid_is_that_of_qutip(n):
    H, dissipation = coupled(n, 7), relaxing(n, 1)
    root = random_matrix(n, 5)
    rho = root @ root.conj().T / np.trace(root @ root.conj().T)
    receiver = Receiver(2000.0, 64)
    solved = qutip.mesolve(
        qutip.Qobj(H), qutip.Qobj(rho), receiver.times_s,
        [qutip.Qobj(L) for L in dissipation.operators()], e_ops=[qutip.Qobj(coil(n))],
        options={"atol": 1e-13, "rtol": 1e-11, "nsteps": 100_000},
    )  # fmt: skip
    got = open_fid(H, dissipation, rho, coil(n), receiver).points
    np.testing.assert_allclose(got, solved.expect[0], atol=1e-8)


# ---------------------------------------------------------------- maps and lines of more spins
def like_and_unlike(n, **times):
    """The first spins of A, B (1H) and D, E (13C) and C (1H), some coupled."""
    offsets = {"A": 90.0, "D": 30.0, "B": -40.0, "E": -60.0, "C": 10.0}
    labels = "ADBEC"[:n]
    spins = tuple(Spin(k, "1H" if k in "ABC" else "13C", offsets[k], **times) for k in labels)
    pairs = (("A", "B", 12.0), ("A", "D", 140.0), ("D", "E", 35.0), ("B", "C", -7.0))
    couplings = tuple(Coupling((a, b), J) for a, b, J in pairs if {a, b} <= set(labels))
    return Sample("many", spins, couplings)


def test_detection_of_four_relaxing_spins_is_the_exponential_of_the_whole_generator():
    sample = like_and_unlike(4, T1_s=3.0, T2_s=0.8)
    generator, row = liouvillian(sample, relaxation=True), observable(sample, "13C")
    rows = detection(generator, row, Receiver(1000.0, 17, 1e-4, 0.2))
    for j in (0, 1, 16):
        expected = np.exp(0.2j) * row @ expm(generator * (1e-4 + j / 1000.0))
        np.testing.assert_allclose(rows[j], expected, atol=1e-11)


def test_detection_of_five_spins_is_their_open_fid():
    sample = like_and_unlike(5, T1_s=3.0, T2_s=0.8)
    receiver, rho = Receiver(1000.0, 200, 1e-4, 0.2), random_matrix(5, 3)
    rows = detection(liouvillian(sample, relaxation=True), observable(sample, "1H"), receiver)
    C, dissipation = coil_operator(sample, "1H"), relaxation_of(sample)
    signal = open_fid(internal_hamiltonian(sample), dissipation, rho, C, receiver)
    np.testing.assert_allclose(rows @ rho.reshape(-1), signal.points, atol=1e-9)


def test_a_stack_of_generators_is_detected_member_by_member():
    sample = like_and_unlike(3, T1_s=2.0, T2_s=0.5)
    drift = internal_hamiltonian(sample) * np.array([0.0, 1.0, 1.3])[:, None, None]
    generators = liouvillian(sample, relaxation=True, drift=drift)
    row, receiver = observable(sample, "1H"), Receiver(900.0, 20, 1e-3)
    rows = detection(generators, row, receiver)
    assert rows.shape == (3, 20, 64)
    for member, generator in zip(rows, generators, strict=True):
        np.testing.assert_allclose(member, detection(generator, row, receiver), atol=1e-12)
    still = detection(liouvillian(sample, relaxation=True), row, receiver)
    np.testing.assert_allclose(rows[1], still, atol=1e-12)


@pytest.mark.parametrize("nucleus", ["1H", "13C"])
def test_lossless_transitions_of_five_spins_stand_between_their_levels(nucleus):
    sample = like_and_unlike(5)
    rates = transitions(liouvillian(sample, relaxation=False), observable(sample, nucleus))
    np.testing.assert_allclose(rates.real, 0, atol=1e-9)
    rho = random_matrix(5, 1)
    lines = line_list(internal_hamiltonian(sample), rho, coil_operator(sample, nucleus))
    bright = lines.rates.imag[np.abs(lines.amplitudes) > 1e-6]
    gaps = np.abs(rates.imag[:, None] - bright)
    assert gaps.min(axis=0).max() < 1e-3  # coincident lines are one to a millionth
    assert gaps.min(axis=1).max() < 1e-3


def test_relaxing_transitions_of_four_spins_are_eigenvalues_of_the_whole_generator():
    sample = like_and_unlike(4, T1_s=3.0, T2_s=0.8)
    generator = liouvillian(sample, relaxation=True)
    rates = transitions(generator, observable(sample, "1H"))
    assert rates.real.max() < 0
    assert np.all(np.diff(rates.imag) >= 0)
    for rate in rates:
        smallest = np.linalg.svd(generator - rate * np.eye(256), compute_uv=False)[-1]
        assert smallest < 1e-6


def test_default_receiver_of_six_spins_holds_all_lines():
    spins = tuple(Spin(k, "1H", 100.0 * i) for i, k in enumerate("ABCDEF"))
    couplings = (Coupling(("A", "F"), 150.0), Coupling(("B", "C"), 90.0))
    receiver = default_receiver(Sample("six", spins, couplings))
    assert receiver.spectral_width_hz == 5000.0


# ------------------------------------------------------------------------------------- refusals
SPIN, NOT_A_NUMBER = pauli("X"), np.full((2, 2), np.nan)


@pytest.mark.parametrize(
    ("H", "rho", "C", "message"),
    [
        (RAISE, SPIN, SPIN, "`hamiltonian` must be Hermitian, but H − H† has an entry of 1"),
        (NOT_A_NUMBER, SPIN, SPIN, "`hamiltonian` must be finite, but holds 4 entries"),
        (SPIN, NOT_A_NUMBER, SPIN, "`rho` must be finite"),
        (SPIN, SPIN, NOT_A_NUMBER, "`coil` must be finite"),
        (np.zeros((3, 2, 2)), SPIN, SPIN, r"`hamiltonian` must have shape \(d, d\)"),
        (np.zeros((2, 3)), SPIN, SPIN, r"`hamiltonian` must have shape \(..., d, d\)"),
        (SPIN, np.eye(4), SPIN, "`rho` and `coil` must have shapes"),
        (SPIN, SPIN, np.zeros((2, 2, 2)), "`rho` and `coil` must have shapes"),
        (csr_array(SPIN), SPIN, SPIN, "`hamiltonian` must be a dense matrix of at most 1024"),
        (np.zeros((2048, 2048)), SPIN, SPIN, r"\(ten spins\), but has shape \(2048, 2048\)"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(H, rho, C, message):
    with pytest.raises(ArgumentError, match=message):
        fid(H, rho, C, LONG)
    with pytest.raises(ArgumentError, match=message):
        open_fid(H, Dissipation(1), rho, C, LONG)


@pytest.mark.parametrize("decay", [-1.0, np.nan, np.inf])
def test_impossible_decay_is_refused(decay):
    with pytest.raises(ArgumentError, match="`decay` must be ≥ 0 and finite, but is"):
        fid(SPIN, SPIN, SPIN, LONG, decay=decay)


def test_dissipation_of_other_spins_is_refused():
    with pytest.raises(ArgumentError, match=r"`hamiltonian` must have shape \(4, 4\) like"):
        open_fid(SPIN, Dissipation(2), SPIN, SPIN, LONG)


def test_more_than_eight_relaxing_spins_are_refused():
    with pytest.raises(ArgumentError, match="`dissipation` must be of at most 8 spins, but is of"):
        open_fid(SPIN, Dissipation(9), SPIN, SPIN, LONG)
