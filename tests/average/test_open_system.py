"""Average Liouvillians against Hamiltonians, quadrature, logarithms, QuTiP and closed forms."""

import time

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm, logm
from scipy.optimize import curve_fit

from nmrqb.average.effective import branch_safe
from nmrqb.average.lindblad import (
    from_pauli_transfer,
    kossakowski_form,
    on_spins,
    pauli_transfer,
    smallest_rate,
)
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.open_system import (
    average_liouvillian,
    average_open,
    principal_branch,
    toggling_map,
    turning_rate,
)
from nmrqb.dynamics import (
    Segment,
    collapse_operators,
    commutator_superoperator,
    dissipator,
    rotation_generator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    embed,
    from_named,
    from_pauli_coefficients,
    pauli,
    pauli_coefficients,
    pauli_strings,
)
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian

X, Y = 0.0, np.pi / 2
J = 215.13  # chloroform, Hz


# ------------------------------------------------------------------------------------ material
def random_drift(rng, n):
    c = np.r_[0.0, rng.normal(size=4**n - 1)]
    H = from_pauli_coefficients(c)
    return H / np.linalg.norm(H, 2)


def random_loss(rng, n, size=0.7):
    """A dissipator of two random operators, its norm ``size``."""
    d = 2**n
    D = dissipator([rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d)) for _ in range(2)], d)
    return size * D / np.linalg.norm(D, 2)


def wait(n, duration):
    return Segment(np.asarray(float(duration)), np.zeros((2**n, 2**n), dtype=complex))


def pulse(n, turns, duration=0.0):
    """Turns (spin, degrees, phase) at one time."""
    theta = sum(rotation_generator(np.deg2rad(a), phase, k, n) for k, a, phase in turns)
    return Segment(np.asarray(float(duration)), np.asarray(theta))


def random_segments(rng, n, *, finite):
    segments = []
    for _ in range(5):
        turn = int(rng.integers(n)), rng.uniform(20, 170), rng.uniform(0, 6)
        segments.append(pulse(n, [turn], rng.uniform(0.02, 0.1) if finite else 0.0))
        segments.append(wait(n, rng.uniform(0.05, 0.2)))
    return segments


def faster(segments, scale):
    return [Segment(scale * s.duration, s.rotation) for s in segments]


def material(seed, n, *, finite, size=0.7):
    rng = np.random.default_rng(seed)
    return random_segments(rng, n, finite=finite), random_drift(rng, n), random_loss(rng, n, size)


def left_right(A, B):
    """ρ ↦ AρB on row-flattened states, by numpy."""
    return np.kron(A, B.T)


def toggled_map(segments, H, loss):
    """𝓤_rf⁻¹𝓤 by scipy, segment by segment."""
    d = len(H)
    one, U, V = np.eye(d), np.eye(d, dtype=complex), np.eye(d * d, dtype=complex)
    for s in segments:
        G = s.rotation + s.duration * H
        V = expm(-1j * (left_right(G, one) - left_right(one, G)) + s.duration * loss) @ V
        U = expm(-1j * s.rotation) @ U
    return left_right(U.conj().T, U) @ V


def two(T1=(np.inf, np.inf), T2=(np.inf, np.inf), J_hz=J):
    spins = tuple(
        Spin(label, label, T1_s=a, T2_s=b)
        for label, a, b in zip(("1H", "13C"), T1, T2, strict=True)
    )
    return Sample("pair", spins, (Coupling(("1H", "13C"), J_hz=J_hz),))


def loss_of(sample):
    return dissipator(collapse_operators(sample), 2 ** len(sample.spins))


def dm(t, lengths=(0.0, 0.0)):
    """XY block then −YX block, t each (sequences.md, J blocks); 90° times of the two spins."""

    def pulses(first, second):
        # each spin's pulse centred on the other's, as played
        short, long = sorted(lengths)
        turns = [(0, 90, first), (1, 90, second)]
        if long == 0:
            return [pulse(2, turns)]
        slow = int(np.argmax(lengths))
        edge = (long - short) / 2
        alone = [(slow, 90 * edge / long, turns[slow][2])]
        both = [turns[1 - slow], (slow, 90 * short / long, turns[slow][2])]
        parts = [pulse(2, alone, edge), pulse(2, both, short), pulse(2, alone, edge)]
        return [part for part in parts if part.duration > 0]

    block = [*pulses(-Y, X), wait(2, t), *pulses(Y, -np.pi)]
    other = [*pulses(-np.pi, -Y), wait(2, t), *pulses(X, Y)]
    return [*block, *other]


# ------------------------------------------------------------------------------ Magnus series
@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_without_dissipation_the_terms_are_commutators_with_the_magnus_hamiltonians(n, finite):
    segments, H, _ = material(1, n, finite=finite)
    terms = average_liouvillian(segments, H, np.zeros((4**n, 4**n)), order=2, cycles=2)
    expected = commutator_superoperator(np.array(magnus_terms(segments, H, order=2, cycles=2)))
    np.testing.assert_allclose(terms, expected, atol=1e-12)
    assert np.linalg.norm(expected[2]) > 1e-4


@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_zeroth_order_is_the_time_average_in_the_toggling_frame(n, finite):
    segments, H, loss = material(2, n, finite=finite)
    d = 2**n
    nodes, weights = np.polynomial.legendre.leggauss(12)
    one, U = np.eye(d), np.eye(d, dtype=complex)
    total = np.zeros((d * d, d * d), dtype=complex)
    for s in segments:
        for x, w in zip((nodes + 1) / 2, weights / 2, strict=True):
            V = expm(-1j * x * s.rotation) @ U
            bare = -1j * (left_right(H, one) - left_right(one, H)) + loss
            total += w * s.duration * left_right(V.conj().T, V) @ bare @ left_right(V, V.conj().T)
        U = expm(-1j * s.rotation) @ U
    (zeroth,) = average_liouvillian(segments, H, loss, order=0)
    np.testing.assert_allclose(zeroth, total / sum(s.duration for s in segments), atol=1e-12)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_sum_to_order_k_misses_the_exact_logarithm_by_tau_to_the_k_plus_one(n, finite, seed):
    segments, H, loss = material(seed, n, finite=finite)
    scales = np.array([0.08, 0.04, 0.02])
    errors = np.zeros((3, len(scales)))
    for column, scale in enumerate(scales):
        quick = faster(segments, scale)
        exact = logm(toggled_map(quick, H, loss)) / sum(s.duration for s in quick)
        sums = np.cumsum(average_liouvillian(quick, H, loss, order=2), axis=0)
        errors[:, column] = np.linalg.norm(sums - exact, axis=(1, 2))
    exponents = np.polyfit(np.log(scales), np.log(errors.T), 1)[0]
    np.testing.assert_allclose(exponents, [1, 2, 3], atol=0.1)


def test_orders_have_their_degree_in_drift_and_dissipator_together():
    segments, H, loss = material(5, 2, finite=True)
    once, twice = (average_liouvillian(segments, k * H, k * loss, order=3) for k in (1, 2))
    for order in range(4):
        np.testing.assert_allclose(twice[order], 2 ** (order + 1) * once[order], atol=1e-12)


def test_a_generator_of_the_whole_pass_has_no_higher_orders():
    rng = np.random.default_rng(6)
    H, loss = random_drift(rng, 2), random_loss(rng, 2)
    zeroth, *higher = average_liouvillian([wait(2, 0.4), wait(2, 0.3)], H, loss, order=2)
    np.testing.assert_allclose(zeroth, commutator_superoperator(H) + loss, atol=1e-12)
    np.testing.assert_allclose(higher, np.zeros((2, 16, 16)), atol=1e-12)


def test_evolution_besides_the_drift_counts_as_drift():
    segments, H, loss = material(7, 2, finite=True)
    field = random_drift(np.random.default_rng(8), 2)
    given_apart = [Segment(s.duration, s.rotation, evolution=s.duration * field) for s in segments]
    apart = average_liouvillian(given_apart, H, loss, order=2)
    np.testing.assert_allclose(
        apart, average_liouvillian(segments, H + field, loss, order=2), atol=1e-12
    )
    np.testing.assert_allclose(
        toggling_map(given_apart, H, loss), toggled_map(segments, H + field, loss), atol=1e-12
    )


def test_passes_of_a_period_equal_the_sequence_written_out():
    segments, H, loss = material(9, 2, finite=True, size=0.1)
    repeated, written = (
        average_open(segments, H, loss, cycles=3),
        average_open(segments * 3, H, loss),
    )
    np.testing.assert_allclose(repeated.orders, written.orders, atol=1e-11)
    np.testing.assert_allclose(repeated.exact, written.exact, atol=1e-11)
    assert repeated.period_s == pytest.approx(written.period_s)


def test_stacks_of_drifts_equal_loops():
    segments, H, loss = material(10, 2, finite=True)
    drifts = np.array([H, 0.3 * H, -H])
    looped = [average_liouvillian(segments, drift, loss, order=2) for drift in drifts]
    batch = np.moveaxis(average_liouvillian(segments, drifts, loss, order=2), 0, 1)
    np.testing.assert_allclose(batch, looped, atol=1e-12)


# ----------------------------------------------------------------------------- exact generator
@pytest.mark.parametrize("finite", [False, True])
def test_exact_generator_makes_the_map_and_its_modes(finite):
    segments, H, loss = material(11, 2, finite=finite, size=0.1)
    average = average_open(segments, H, loss)
    map_ = toggled_map(segments, H, loss)
    assert average.generator_from == "exact"
    np.testing.assert_allclose(expm(average.period_s * average.exact), map_, atol=1e-12)
    modes = np.linalg.eigvals(logm(map_)) / average.period_s
    apart = np.abs(average.eigenvalues[:, None] - modes)
    assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-9
    assert np.all(np.diff(average.eigenvalues.real) <= 1e-12)


def test_coherent_part_without_dissipation_is_the_effective_hamiltonian():
    segments = dm(1 / (4 * J), (13e-6, 77e-6))
    H = internal_hamiltonian(two())
    average = average_open(segments, H, np.zeros((16, 16)))
    U = V = np.eye(4)
    for s in segments:
        U, V = expm(-1j * (s.rotation + s.duration * H)) @ U, expm(-1j * s.rotation) @ V
    expected = 1j * logm(V.conj().T @ U) / average.period_s / (2 * np.pi)
    np.testing.assert_allclose(average.hamiltonian_hz, expected, atol=1e-8)


def test_relaxation_off_costs_nothing():
    average = average_open(
        dm(1 / (4 * J), (13e-6, 77e-6)), internal_hamiltonian(two()), loss_of(two())
    )
    assert set(average.pauli_rates.values()) == set(average.native_pauli_rates.values()) == {0.0}
    assert {c.rate_per_s for c in average.costs} == {c.native_rate_per_s for c in average.costs}
    assert average.cost((0, 1), "DM_z").rate_per_s == 0
    assert average.cost((0, 1), "DM_z").turns == average.cost((0, 1), "all").native_turns == np.inf
    np.testing.assert_allclose(average.eigenvalues.real, 0, atol=1e-9)
    assert average.lindblad


@pytest.mark.parametrize(
    ("fraction", "coherent", "open_"), [(0.9, True, True), (1.1, True, False), (2.1, False, False)]
)
def test_branch_asks_for_differences_of_phases(fraction, coherent, open_):
    # full exchange by DM at t = 1/(2J) turns |±⟩ by ±90°, their coherence by 180°: beyond it the
    # Hamiltonian's own logarithm still holds, the superoperator's has wrapped
    segments, sample = dm(fraction / (2 * J)), two(T2=(2.0, 2.0))
    H, loss = internal_hamiltonian(sample), loss_of(sample)
    period = fraction / J
    assert branch_safe(segments, H, period=period) is coherent
    assert principal_branch(segments, H, loss) is open_
    wrapped = from_pauli_transfer(logm(pauli_transfer(toggling_map(segments, H, loss)))) / period
    D = pauli_coefficients(kossakowski_form(wrapped)[0])[6].real / (2 * np.pi)  # XY
    assert (abs(D - J / 8) < 1e-3) == open_


def test_where_the_logarithm_wraps_the_series_takes_over():
    sample = two(T2=(2.0, 2.0))
    average = average_open(dm(1.1 / (2 * J)), internal_hamiltonian(sample), loss_of(sample))
    assert average.exact is None
    assert average.generator_from == "series"
    np.testing.assert_array_equal(average.generator, np.sum(average.orders, axis=0))
    assert average.cost((0, 1), "DM_z").value_hz == pytest.approx(J / 8, rel=1e-3)


def test_relaxation_within_a_period_spoils_the_certificate():
    segments, H = [wait(1, 1.0)], np.zeros((2, 2), dtype=complex)
    dephasing = dissipator([pauli("Z")], 2)  # ‖𝓓‖ = 2 in 1/s
    assert principal_branch(segments, H, 0.3 * dephasing)
    assert not principal_branch(segments, H, 0.4 * dephasing)  # e^0.8 − 1 > 1


# ---------------------------------------------------------------------------- Lindblad or not
@given(st.integers(0, 10**6), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=30)
def test_hamiltonian_and_kossakowski_matrix_give_the_generator_back(seed, n):
    rng = np.random.default_rng(seed)
    d = 2**n
    H = random_drift(rng, n)
    c = rng.normal(size=(2, 4**n)) + 1j * rng.normal(size=(2, 4**n))
    c[:, 0] = 0
    generator = commutator_superoperator(H) + dissipator(from_pauli_coefficients(c), d)
    found_H, a = kossakowski_form(generator)
    np.testing.assert_allclose(found_H, H, atol=1e-12)
    # L = Σ c_P P = Σ √d c_P F_P
    np.testing.assert_allclose(a, d * np.einsum("kp,kq->pq", c, c.conj())[1:, 1:], atol=1e-11)


@given(st.integers(0, 10**6), st.booleans())
@settings(deadline=None, max_examples=20)
def test_zeroth_order_is_lindblad(seed, finite):
    segments, H, loss = material(seed, 2, finite=finite)
    (zeroth,) = average_liouvillian(segments, H, loss, order=0)
    assert smallest_rate(kossakowski_form(zeroth)[1]) >= -1e-12


def choi_min(superoperator):
    d = round(len(superoperator) ** 0.5)
    choi = superoperator.reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
    return float(np.linalg.eigvalsh((choi + choi.conj().T) / 2)[0])


def test_the_exact_logarithm_of_dm_with_relaxation_is_not_lindblad():
    sample = two(T1=(10.0, 10.0), T2=(2.0, 2.0))
    average = average_open(dm(1 / (4 * J)), internal_hamiltonian(sample), loss_of(sample))
    zeroth, first, second = average.kossakowski_min_by_order
    assert zeroth >= -1e-11
    assert second == pytest.approx(average.kossakowski_min, abs=abs(first) / 10)
    assert not average.lindblad
    assert -0.1 < average.kossakowski_min < -0.01
    # the map of a period is a channel, that of a hundredth of a period is not
    T = average.period_s
    assert choi_min(expm(T * average.exact)) > -1e-14
    assert choi_min(expm(T / 100 * average.exact)) < -1e-7
    assert choi_min(expm(T / 100 * average.orders[0])) > -1e-14


# --------------------------------------------------------------------------------- known rates
def test_t2_seen_along_z_and_x_in_turns():
    # pure dephasing along z for one half and, between 90y and 90−y, along x for the other
    T2 = 0.8
    sample = Sample("one", (Spin("H", "1H", T2_s=T2),))
    segments = [wait(1, 0.1), pulse(1, [(0, 90, Y)]), wait(1, 0.1), pulse(1, [(0, -90, Y)])]
    average = average_open(segments, np.zeros((2, 2), dtype=complex), loss_of(sample))
    expected = {"X": 1 / (2 * T2), "Y": 1 / T2, "Z": 1 / (2 * T2)}
    assert average.pauli_rates == pytest.approx(expected)
    assert average.native_pauli_rates == pytest.approx({"X": 1 / T2, "Y": 1 / T2, "Z": 0})
    np.testing.assert_allclose(average.orders[0], average.exact, atol=1e-11)
    np.testing.assert_allclose(-average.eigenvalues.real, [0, 0.625, 0.625, 1.25], atol=1e-11)
    assert average.costs == ()


R1, R2 = (1 / 7.0, 1 / 4.0), (1 / 0.9, 1 / 2.5)


@pytest.mark.parametrize(
    ("term", "turns_per_hz", "rate"),
    [
        # exchange of z magnetisation (R1 of each, halved) against zero-quantum XX+YY (both R2)
        ("DM_z", 4, (sum(R1) / 2 + sum(R2)) / 2),
        ("KSEA_z", 4, (sum(R1) / 2 + sum(R2)) / 2),
        ("epsilon", 4, (sum(R1) / 2 + sum(R2)) / 2),
        # double quantum |↑↑⟩⟨↓↓| under a field on both: both R2
        ("B", 4, sum(R2)),
    ],
)
def test_native_rate_of_a_term_is_its_closed_form(term, turns_per_hz, rate):
    sample = two(T1=(7.0, 4.0), T2=(0.9, 2.5), J_hz=0)
    H = 2 * np.pi * from_named({term: 30.0})
    average = average_open([wait(2, 1e-3)], H, loss_of(sample))
    cost = average.cost((0, 1), term)
    assert (cost.value_hz, cost.frequency_hz) == pytest.approx((30, 30 * turns_per_hz))
    assert (cost.rate_per_s, cost.native_rate_per_s) == pytest.approx((rate, rate))
    assert cost.turns == pytest.approx(cost.frequency_hz / rate) == cost.native_turns
    assert average.cost((0, 1), "all").turns == pytest.approx(cost.turns)
    assert {c.term for c in average.costs} == {term, "all"}


def test_rate_of_a_term_is_the_mean_over_modes_weighted_by_their_share():
    segments, H, loss = material(12, 2, finite=True, size=0.1)
    generator = average_open(segments, H, loss).exact
    A = from_named({"DM_z": 3.0, "Delta": 1.0})
    v, right = np.linalg.eig(generator)
    levels, V = np.linalg.eigh(A)
    fast = [(0, 3), (3, 0)]
    turning = np.array([np.outer(V[:, a], V[:, b].conj()).ravel() for a, b in fast]).T
    share = np.einsum("ja,aj->j", np.linalg.inv(right) @ turning, turning.conj().T @ right) / 2
    frequency, rate = turning_rate(generator, A)
    assert share.sum() == pytest.approx(1)
    assert frequency == pytest.approx(levels[3] - levels[0])
    assert rate == pytest.approx(-(share @ v).real)


def test_a_third_spin_that_only_looks_on_does_not_count():
    sample = two(T1=(7.0, 4.0), T2=(0.9, 2.5))
    H, loss, segments = internal_hamiltonian(sample), loss_of(sample), dm(1 / (4 * J))
    alone = average_open(segments, H, loss)
    one = np.eye(2)
    more = [Segment(s.duration, np.kron(one, s.rotation)) for s in segments]
    losses = [np.kron(one, L) for L in collapse_operators(sample)]
    third = [3.0 * embed(pauli("Z"), 0, 3)]
    crowd = average_open(more, np.kron(one, H), dissipator([*losses, *third], 8))
    assert {c.spins for c in crowd.costs} == {(1, 2)}
    for cost in alone.costs:
        other = crowd.cost((1, 2), cost.term)
        assert other.value_hz == pytest.approx(cost.value_hz)
        assert other.rate_per_s == pytest.approx(cost.rate_per_s)
        assert other.native_rate_per_s == pytest.approx(cost.native_rate_per_s)
    assert crowd.pauli_rates["XII"] == pytest.approx(18)


def test_what_a_generator_does_to_some_spins_keeps_their_order():
    rng = np.random.default_rng(13)
    H = from_pauli_coefficients(np.r_[0, rng.normal(size=3)])
    for spins, place in [((0, 2), 1), ((2, 0), 0)]:
        found = on_spins(commutator_superoperator(embed(H, 2, 3)), spins)
        np.testing.assert_allclose(found, commutator_superoperator(embed(H, place, 2)), atol=1e-12)


def exchange_signal(segments, sample, passes):
    """⟨ZI − IZ⟩ after every pass by qutip.mesolve, from the state that has it."""
    dims = [[2, 2], [2, 2]]
    probe = qutip.Qobj(pauli("ZI") - pauli("IZ"), dims)
    losses = [qutip.Qobj(L, dims) for L in collapse_operators(sample)]
    drift = internal_hamiltonian(sample)
    options = {"atol": 1e-11, "rtol": 1e-9, "nsteps": 10**5}
    rho, signal = (1 + probe / 2) / 4, []
    for _ in range(passes):
        for s in segments:
            if s.duration == 0:
                U = qutip.Qobj(expm(-1j * s.rotation), dims)
                rho = U * rho * U.dag()
                continue
            H = qutip.Qobj(drift + s.rotation / s.duration, dims)
            rho = qutip.mesolve(H, rho, [0, float(s.duration)], losses, options=options).final_state
        signal.append((probe * rho).tr().real)
    return np.array(signal)


@pytest.mark.parametrize("lengths", [(0.0, 0.0), (13e-6, 77e-6)])
def test_dm_turns_and_decays_as_qutip_says(lengths):
    sample = two(T1=(0.9, 0.3), T2=(0.04, 0.11))
    segments = dm(1 / (4 * J), lengths)
    average = average_open(segments, internal_hamiltonian(sample), loss_of(sample))
    times = average.period_s * np.arange(1, 31)
    signal = exchange_signal(segments, sample, len(times))

    def decay(t, size, rate, frequency, phase):
        return size * np.exp(-rate * t) * np.cos(2 * np.pi * frequency * t + phase)

    cost = average.cost((0, 1), "DM_z")
    (_, rate, frequency, _), _ = curve_fit(decay, times, signal, (signal[0], 10, 104, 0.0))
    assert frequency == pytest.approx(cost.frequency_hz, rel=1e-2 if any(lengths) else 1e-3)
    assert rate == pytest.approx(cost.rate_per_s, rel=1e-2)
    assert rate == pytest.approx(average.cost((0, 1), "all").rate_per_s, rel=1e-2)
    nearest = np.argmin(np.abs(average.eigenvalues.imag - 2 * np.pi * frequency))
    assert rate == pytest.approx(-average.eigenvalues[nearest].real, rel=1e-2)
    assert cost.turns == pytest.approx(frequency / rate, rel=2e-2)


@pytest.mark.parametrize("term", ["DM_x", "DM_y", "KSEA_y", "KSEA_z", "epsilon"])
def test_exchange_decays_alike_along_any_axis_and_under_any_pulses(term):
    # it passes through all three directions of both spins: ¼Σ(R1 + 2 R2)
    sample = two(T1=(7.0, 4.0), T2=(0.9, 2.5))
    expected = (sum(R1) + 2 * sum(R2)) / 4
    assert turning_rate(loss_of(sample), from_named({term: 1.0}))[1] == pytest.approx(expected)
    rng = np.random.default_rng(15)
    zeroth, *_ = average_liouvillian(
        random_segments(rng, 2, finite=True), internal_hamiltonian(sample), loss_of(sample)
    )
    assert turning_rate(zeroth, from_named({term: 1.0}))[1] == pytest.approx(expected)


def test_pulses_change_what_a_field_costs():
    # along z the fastest operator of a field on both is double-quantum, at both R2; turned from x
    # its operators are YY − ZZ and YZ + ZY, at half of that without T1
    sample = two(T2=(0.9, 2.5), J_hz=0)
    there, back = ([(0, sign * 90, Y), (1, sign * 90, Y)] for sign in (1, -1))
    segments = [pulse(2, there), wait(2, 1e-3), pulse(2, back)]
    H = 2 * np.pi * 30 * (pauli("XI") + pauli("IX"))
    average = average_open(segments, H, loss_of(sample))
    made = average.cost((0, 1), "B")
    assert (abs(made.value_hz), made.frequency_hz) == pytest.approx((30, 120))
    assert (made.rate_per_s, made.native_rate_per_s) == pytest.approx((sum(R2) / 2, sum(R2)))
    (free,) = average.free_costs
    assert (free.term, free.frequency_hz, free.rate_per_s) == (
        "all",
        pytest.approx(120),
        pytest.approx(sum(R2) / 2),
    )


def test_free_evolution_under_the_coupling_is_told_for_comparison():
    # J turns XI into YZ at J/2: R2 of one, and with R1 of the other
    sample = two(T1=(7.0, 4.0), T2=(0.9, 2.5))
    average = average_open(dm(1e-4), internal_hamiltonian(sample), loss_of(sample))
    free = {cost.term: cost for cost in average.free_costs}["all"]
    assert free.frequency_hz == pytest.approx(J / 2)
    assert free.rate_per_s == pytest.approx((sum(R2) + sum(R1) / 2) / 2)


# ------------------------------------------------------------------------------ four spins, time
def test_four_spins_go_up_to_the_second_order():
    n, d = 4, 16
    rng = np.random.default_rng(14)
    H = random_drift(rng, n)
    loss = dissipator([0.2 * embed(pauli("Z"), k, n) for k in range(n)], d)
    segments = [wait(n, 0.1), pulse(n, [(0, 90, X), (2, 90, Y)]), wait(n, 0.2)]
    average = average_open(segments, H, loss, order=2)
    np.testing.assert_allclose(
        expm(average.period_s * average.exact), toggled_map(segments, H, loss), atol=1e-11
    )
    errors = np.linalg.norm(np.cumsum(average.orders, axis=0) - average.exact, axis=(1, 2))
    assert np.all(errors[1:] < errors[:-1] / 5)


def test_two_spins_take_less_than_fifty_milliseconds():
    sample = two(T1=(10.0, 10.0), T2=(2.0, 2.0))
    segments = dm(1 / (4 * J), (13e-6, 77e-6))
    H, loss = internal_hamiltonian(sample), loss_of(sample)
    taken = []
    for _ in range(5):
        start = time.process_time()
        average_open(segments, H, loss)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.05


# ------------------------------------------------------------------------------------ refusals
def nothing(n):
    return np.zeros((2**n, 2**n), dtype=complex), np.zeros((4**n, 4**n))


def test_sequence_that_takes_no_time_is_refused():
    with pytest.raises(ArgumentError, match="`segments` must last longer than 0 s"):
        average_open([pulse(1, [(0, 90, X)])], *nothing(1))


def test_negative_order_is_refused():
    with pytest.raises(ArgumentError, match="`order` must be ≥ 0, but is -1"):
        average_liouvillian([wait(1, 1.0)], *nothing(1), order=-1)


def test_order_beyond_what_four_spins_can_pay_is_refused():
    with pytest.raises(ArgumentError, match=r"`order` must be ≤ 2 for 4 spins .* but is 3"):
        average_liouvillian([wait(4, 1.0)], *nothing(4), order=3)


def test_five_spins_are_refused():
    with pytest.raises(ArgumentError, match=r"dimension ≤ 16 \(four spins\).* has dimension 32"):
        average_open([wait(5, 1.0)], *nothing(5))


def test_dissipator_of_another_size_is_refused():
    with pytest.raises(
        ArgumentError, match=r"`dissipation` must have shape \(16, 16\), .*\(4, 4\)"
    ):
        average_open([wait(2, 1.0)], nothing(2)[0], nothing(1)[1])


@pytest.mark.parametrize(
    "map_", [1j * np.diag([0, 1, 1, 0]), np.diag([-1.0, 0, 0, 0]), np.full((4, 4), np.nan)]
)
def test_what_is_no_dissipator_is_refused(map_):
    with pytest.raises(ArgumentError, match="must keep Hermitian matrices Hermitian and their tr"):
        average_open([wait(1, 1.0)], nothing(1)[0], map_)


def test_cost_of_what_is_not_made_is_refused():
    sample = two(T2=(2.0, 2.0))
    average = average_open(dm(1e-3), internal_hamiltonian(sample), loss_of(sample))
    with pytest.raises(ArgumentError, match=r"must be made .* 'KSEA_z'; spins \(0, 1\) have DM_z"):
        average.cost((0, 1), "KSEA_z")
    with pytest.raises(ArgumentError, match=r"spins \(1, 2\) have nothing"):
        average.cost((1, 2), "DM_z")


def test_pauli_transfer_names_rows_by_strings():
    rates = dict(
        zip(pauli_strings(1), np.diag(pauli_transfer(dissipator([pauli("Z")], 2))), strict=True)
    )
    assert {p: r.real for p, r in rates.items()} == pytest.approx(
        {"I": 0, "X": -2, "Y": -2, "Z": 0}
    )
