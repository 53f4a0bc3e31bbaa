"""Dynamical Lie algebras: published dimensions, closure, and what the sequences make of them."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.average import effective_hamiltonian, magnus_terms
from nmrqb.average.lie_algebra import (
    channel_controls,
    collective,
    controls_used,
    ideal,
    lie_algebra,
    pauli_vectors,
    toggling_algebra,
    toggling_span,
)
from nmrqb.dynamics import Segment, exp_hermitian, total_duration, unitary
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    from_pauli_coefficients,
    named_operator,
    pauli,
    pauli_coefficients,
    spin_operator,
)
from nmrqb.sample import Sample, Spin

ISOTROPIC = pauli("XX") + pauli("YY") + pauli("ZZ")
DIPOLAR = 3 * pauli("ZZ") - ISOTROPIC
TOGETHER = [pauli("XI") + pauli("IX"), pauli("YI") + pauli("IY")]
FIRST = [pauli("XI"), pauli("YI")]
BOTH = [*FIRST, pauli("IX"), pauli("IY")]
DM = [named_operator(f"DM_{a}") for a in "xyz"]
KSEA = [named_operator(f"KSEA_{a}") for a in "xyz"]


def chain(couplings):
    n = len(couplings) + 1
    bonds = enumerate(couplings)
    ising = sum(c * spin_operator("z", k, n) @ spin_operator("z", k + 1, n) for k, c in bonds)
    return [collective("x", range(n), n), collective("y", range(n), n), ising]


def commutator(A, B):
    return 1j * (A @ B - B @ A)


def hermitian(rng, d):
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return A + A.conj().T


def brute_force(operators):
    """Close under all commutators of all pairs with matrices, rank by NumPy: slow and plain."""
    found = np.array([pauli_coefficients(A).real[1:] for A in operators])
    while True:
        matrices = from_pauli_coefficients(np.pad(found, ((0, 0), (1, 0))))
        pairs = itertools.combinations(matrices, 2)
        more = [pauli_coefficients(commutator(A, B)).real[1:] for A, B in pairs]
        _, sizes, rows = np.linalg.svd(np.array([*found, *more]), full_matrices=False)
        rank = np.linalg.matrix_rank(np.array([*found, *more]), tol=1e-9)
        if rank == np.linalg.matrix_rank(found, tol=1e-9):
            return rank
        found = rows[: np.count_nonzero(sizes > 1e-9)]


# ------------------------------------------------------------------ the numbers of the issue
@pytest.mark.parametrize(
    ("operators", "dimension"),
    [
        ([*TOGETHER, DIPOLAR], 8),
        ([*TOGETHER, DIPOLAR + 0.1 * ISOTROPIC], 9),
        ([*TOGETHER, DIPOLAR + 0.3 * pauli("ZI")], 15),
        ([*BOTH, pauli("ZZ")], 15),
        ([*FIRST, pauli("ZZ")], 6),
        ([*TOGETHER, pauli("ZZ")], 9),
        (chain([1, 1]), 38),
        (chain([1, 1, 1]), 135),
        (chain([1, 1.3]), 63),
        (chain([1, 1.3, 0.7]), 255),
    ],
    ids=["dipolar", "dipolar-J", "offsets", "two-channels", "one-channel", "collective-zz",
         "ising-3", "ising-4", "unequal-3", "unequal-4"],
)  # fmt: skip
def test_dimensions(operators, dimension):
    assert lie_algebra(operators).dimension == dimension


def test_a_chain_that_reads_the_same_from_both_ends_is_not_unequal_enough():
    """Couplings 1, 1.3, 1 keep the reflection of the chain: not 255."""
    assert lie_algebra(chain([1, 1.3, 1])).dimension == 135


def test_collective_pulses_on_a_dipolar_pair_make_ksea_and_not_dm():
    made = lie_algebra([*TOGETHER, DIPOLAR])
    assert all(made.contains(H) for H in KSEA)
    assert all(made.excludes(H) and made.distance(H) == pytest.approx(1) for H in DM)
    flip_flop = pauli("XX") + pauli("YY")
    assert not made.contains(flip_flop)
    # XX + YY = ⅔ (XX + YY + ZZ) − ⅓ (2ZZ − XX − YY): only the first part, of norm² 4/3 of 2, is out
    assert made.distance(flip_flop) == pytest.approx(np.sqrt(2 / 3))
    np.testing.assert_allclose(made.outside(flip_flop), 2 / 3 * ISOTROPIC, atol=1e-9)


def test_different_offsets_bring_dm_inside():
    made = lie_algebra([*TOGETHER, DIPOLAR + 0.3 * pauli("ZI")])
    assert all(made.contains(H) for H in DM)
    assert made.dimension == made.full_dimension == 15


# ------------------------------------------------------------------------------ what it is
@pytest.mark.parametrize("offset", [1e-1, 1e-4, 1e-7])
def test_a_small_difference_counts_as_one(offset):
    assert lie_algebra([*TOGETHER, DIPOLAR + offset * pauli("ZI")]).dimension == 15


def test_a_difference_of_rounding_does_not():
    assert lie_algebra([*TOGETHER, DIPOLAR + 1e-15 * pauli("ZI")]).dimension == 8


@pytest.mark.parametrize("small", [1e-2, 1e-4, 1e-6])
def test_couplings_almost_equal_are_unequal(small):
    made = lie_algebra(chain([1, 1 + small, 1 + 3 * small]))
    assert made.dimension == 255


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_units_do_not_count(factor):
    operators = [factor * TOGETHER[0], TOGETHER[1], DIPOLAR / factor]
    assert lie_algebra(operators).dimension == 8


@given(seed=st.integers(0, 10_000), count=st.integers(1, 3))
@settings(deadline=None, max_examples=25)
def test_it_agrees_with_closing_all_commutators_by_brute_force(seed, count):
    rng = np.random.default_rng(seed)
    strings = rng.integers(1, 16, size=(count, 2))
    vectors = np.zeros((count, 16))
    for row, chosen in zip(vectors, strings, strict=True):
        row[chosen] = rng.normal(size=2)
    operators = from_pauli_coefficients(vectors)
    assert lie_algebra(operators).dimension == brute_force(operators)


@pytest.mark.parametrize("operators", [[*TOGETHER, DIPOLAR], [*FIRST, pauli("ZZ")], chain([1, 1])])
def test_it_is_closed_and_its_basis_orthonormal(operators):
    made = lie_algebra(operators)
    np.testing.assert_allclose(made.basis @ made.basis.T, np.eye(made.dimension), atol=1e-10)
    rng = np.random.default_rng(1)
    for _ in range(10):
        A, B = from_pauli_coefficients(rng.normal(size=(2, made.dimension)) @ made.basis)
        assert made.contains(commutator(A, B), tolerance=1e-9)
    assert all(made.contains(A, tolerance=1e-9) for A in operators)


@given(seed=st.integers(0, 10_000), order=st.permutations(range(3)))
@settings(deadline=None, max_examples=15)
def test_the_order_of_the_spins_does_not_count(seed, order):
    rng = np.random.default_rng(seed)
    J = rng.choice([0.0, 1.0, rng.normal()], size=(3, 3))
    controlled = rng.integers(0, 2, size=3).astype(bool)

    def dimension(places):
        z = [spin_operator("z", k, 3) for k in places]
        bonds = itertools.combinations(range(3), 2)
        drift = sum((J[i, j] * z[i] @ z[j] for i, j in bonds), start=z[0] / 3)
        groups = [np.flatnonzero(controlled), np.flatnonzero(~controlled)]
        pulses = [collective("x", [places[k] for k in g], 3) for g in groups if len(g)]
        return lie_algebra([*pulses, drift]).dimension

    assert dimension(range(3)) == dimension(order)


def test_traces_are_left_out():
    made = lie_algebra([pauli("ZZ") + 5 * np.eye(4)])
    assert made.dimension == 1
    assert made.contains(pauli("ZZ") - 2 * np.eye(4))
    assert made.distance(np.eye(4, dtype=complex)) == 0


def test_no_drift_makes_nothing():
    assert lie_algebra([np.zeros((4, 4), dtype=complex)]).dimension == 0


def test_four_spins_take_well_under_a_second_of_cpu():
    lie_algebra(chain([1, 1]))
    began = time.process_time()
    assert lie_algebra(chain([1, 1.1, 1.3])).dimension == 255
    assert time.process_time() - began < 2


def test_pauli_vectors_are_the_coefficients():
    H = np.array([hermitian(np.random.default_rng(k), 8) for k in range(3)])
    np.testing.assert_allclose(pauli_vectors(H), pauli_coefficients(H).real, atol=1e-13)


def test_no_operators_are_refused():
    with pytest.raises(ArgumentError, match="`operators` must hold at least one operator"):
        lie_algebra([])


def test_five_spins_are_refused():
    with pytest.raises(ArgumentError, match="must act on at most 4 spins, but acts on 5"):
        lie_algebra([pauli("ZZIII")])


# ------------------------------------------------------------------- what the drift becomes
def test_rotations_are_not_made_of_the_drift():
    """F_x, F_y and isotropic J generate rotations and J; the drift stays J in every frame."""
    assert lie_algebra([*TOGETHER, ISOTROPIC]).dimension == 4
    made = ideal(TOGETHER, ISOTROPIC)
    assert made.dimension == 1
    assert made.contains(ISOTROPIC)
    assert made.excludes(named_operator("B"))


def test_the_ideal_takes_in_commutators_with_controls_and_drift():
    made = ideal(FIRST, pauli("ZZ"))
    assert made.dimension == 6
    assert made.contains(pauli("XI"))
    assert ideal([pauli("XI")], pauli("IZ")).dimension == 1


def pulse(degrees, axis, spins, n, duration=0.0):
    return Segment(np.asarray(duration), np.deg2rad(degrees) * collective(axis, spins, n))


def delay(duration, n):
    return Segment(np.asarray(duration), np.zeros((2**n, 2**n), dtype=complex))


def random_sequence(rng, n, finite):
    segments = []
    for _ in range(4):
        spins = np.flatnonzero(rng.integers(0, 2, size=n)) if rng.integers(2) else range(n)
        degrees = float(rng.choice([90, -90, 180, 54.7]))
        axis = str(rng.choice(["x", "y"]))
        segments.append(pulse(degrees, axis, spins, n, 0.2 if finite else 0.0)
                        if len(spins) else delay(0.1, n))  # fmt: skip
        segments.append(delay(rng.uniform(0.2, 1), n))
    return segments


@pytest.mark.parametrize("finite", [False, True])
@pytest.mark.parametrize(("seed", "n"), [*((k, 2) for k in range(6)), (7, 3), (8, 3), (9, 3)])
def test_every_magnus_term_and_the_exact_hamiltonian_lie_inside(seed, n, finite):
    rng = np.random.default_rng(seed)
    segments = random_sequence(rng, n, finite)
    z = [pauli("I" * k + "Z" + "I" * (n - 1 - k)) for k in range(n)]
    drift = sum(A @ B for A, B in itertools.combinations(z, 2)) + (seed % 2) * z[0]
    drift = drift * 0.3 / np.linalg.norm(drift, 2) / float(total_duration(segments))
    made = toggling_algebra(segments, drift)
    U, U_rf = unitary(segments, drift), unitary(segments, np.zeros_like(drift))
    exact = effective_hamiltonian(U, U_rf, float(total_duration(segments)))
    for H in [*magnus_terms(segments, drift, order=4), exact]:
        if np.linalg.norm(H) > 1e-9 * np.linalg.norm(drift):
            assert made.contains(H, tolerance=1e-8)


def test_the_span_of_a_finite_pulse_is_that_of_many_instants():
    """Two spins turned at rates 1 and 2 by one pulse, a drift of three parts."""
    turn = 0.7 * spin_operator("x", 0, 2) + 1.4 * spin_operator("x", 1, 2)
    drift = pauli("ZZ") + 0.4 * pauli("ZI") + 0.2 * pauli("XY")
    got = pauli_vectors(toggling_span([Segment(np.asarray(1.0), turn)], drift))
    angles = np.linspace(0, 40, 400)
    frames = exp_hermitian(angles[:, None, None] * turn)
    instants = pauli_vectors(frames.conj().swapaxes(-1, -2) @ drift @ frames)
    assert len(got) == np.linalg.matrix_rank(instants, tol=1e-9)
    np.testing.assert_allclose(instants @ got.T @ got, instants, atol=1e-10)


def test_further_passes_add_their_frames():
    # one pass ends 90° about x: the drift Z is Z, Y, −Z, −Y in the passes
    segments = [delay(1.0, 1), pulse(90, "x", [0], 1)]
    assert toggling_algebra(segments, pauli("Z")).dimension == 3
    assert toggling_algebra([*segments, pulse(-90, "x", [0], 1)], pauli("Z")).dimension == 1


def test_a_field_that_goes_on_counts_as_drift():
    field = Segment(np.zeros(()), np.zeros((4, 4), dtype=complex), evolution=0.1 * pauli("XI"))
    made = toggling_algebra([delay(1.0, 2), field], pauli("ZZ"))
    assert made.contains(pauli("XI"))
    assert made.dimension == 3


# ---------------------------------------------------------------------------- the controls
def test_pulses_written_one_after_the_other_are_one_control():
    apart = [pulse(90, "x", [0], 2), pulse(90, "x", [1], 2)]
    (used,) = controls_used(apart)
    np.testing.assert_allclose(used, TOGETHER[0] / np.sqrt(2))
    assert len(controls_used([apart[0], delay(1.0, 2), apart[1]])) == 2


def test_a_control_occurs_once_whatever_its_angle_and_sign():
    pulses = [pulse(a, "x", [0, 1], 2, 0.1) for a in (90, -90, 17)]
    assert len(controls_used(pulses)) == 1
    assert len(controls_used([*pulses, pulse(90, "y", [0, 1], 2, 0.1)])) == 2


def sample(*nuclei):
    return Sample("s", tuple(Spin(f"s{k}", nucleus) for k, nucleus in enumerate(nuclei)))


def test_channels_are_nuclei_or_spins_where_pulses_are_selective():
    hard = pulse(90, "x", [0, 1], 3)
    soft = pulse(90, "x", [0], 3)
    mixed = sample("1H", "1H", "13C")
    channels = channel_controls(mixed, [hard])
    np.testing.assert_allclose(channels[0], collective("x", [0, 1], 3))
    assert len(channels) == 4
    assert len(channel_controls(mixed, [hard, delay(1.0, 3), soft])) == 6


@pytest.mark.parametrize(("nuclei", "dimension"), [(("1H", "13C"), 15), (("1H", "1H"), 9)])
def test_what_channels_can_do(nuclei, dimension):
    assert lie_algebra([*channel_controls(sample(*nuclei)), pauli("ZZ")]).dimension == dimension
