"""What readouts see: the measured ranks and condition numbers, and invisible operators by name."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.errors import ArgumentError
from nmrqb.operators import from_pauli_coefficients, pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.spectrometer import Receiver, complex_noise
from nmrqb.tomography import (
    acquire,
    estimate_state,
    line_amplitudes,
    measurement_chain,
    response_matrix,
)
from nmrqb.tomography.combinations import Combination, names_of, sparse_basis, split_space
from nmrqb.tomography.design import analyse, expectation, global_candidates
from nmrqb.tomography.response import leave_out

CHLOROFORM = load_sample("chloroform")
SET = ("II", "IX", "IY", "XX")
LOCAL = tuple(a + b for a in "IXY" for b in "IXY")
RECEIVER = Receiver(2000.0, 256)
HOMONUCLEAR = Sample(
    "ab", (Spin("A", "1H", 60.0), Spin("B", "1H", -45.0)), (Coupling(("A", "B"), 10.0),)
)
THREE = Sample(
    "abc",
    tuple(Spin(s, n) for s, n in zip("ABC", ("1H", "13C", "15N"), strict=True)),
    (Coupling(("A", "B"), 140.0), Coupling(("A", "C"), -90.0), Coupling(("B", "C"), 15.0)),
)
THREE_ALIKE = Sample(
    "aaa",
    tuple(Spin(s, "1H", f) for s, f in zip("ABC", (-230.0, 50.0, 300.0), strict=True)),
    (Coupling(("A", "B"), 7.0), Coupling(("A", "C"), -3.0), Coupling(("B", "C"), 15.0)),
)
TURNS = tuple(f"{a} {p}" for a in (30, 54, 75, 90) for p in (0, 35, 70, 90, 130))


def response_of(readouts, sample=CHLOROFORM, **options):
    chain = measurement_chain(sample, readouts, relaxation=False, receiver=RECEIVER, **options)
    return response_matrix(chain)


def design_of(readouts, sample=CHLOROFORM, **options):
    return analyse(response_of(readouts, sample, **options))


def hidden(design):
    return {combination.name for combination in design.invisible}


# ------------------------------------------------------------------------ tomography.md, section 3
@pytest.mark.parametrize(
    ("readouts", "condition", "total"),
    [
        (SET, 2.0, 68.7),
        (("II", "IX", "IY", "XI", "YI"), np.sqrt(2), 62.5),
        (LOCAL, np.sqrt(1.5), 58.5),
    ],
)
def test_complete_sets_have_the_published_numbers(readouts, condition, total):
    design = design_of(readouts)
    assert (design.rank, design.complete, design.invisible) == (15, True, ())
    assert design.condition == pytest.approx(condition, abs=1e-6)
    assert design.bare_condition == design.condition
    # the table has equal total scans for all sets
    assert design.a_figure * len(readouts) == pytest.approx(total, abs=0.05)
    assert "every state is determined" in design.verdict


def test_three_spin_set_of_the_literature():
    design = design_of(("III", "IIY", "IYY", "YII", "XYX", "XXY", "XXX"), THREE)
    assert design.rank == 63
    assert design.condition == pytest.approx(2.45, abs=0.005)


@pytest.mark.parametrize("sample", [CHLOROFORM, HOMONUCLEAR], ids=["unlike", "alike"])
@pytest.mark.parametrize("readouts", [("II", *TURNS), global_candidates(2), ("II", "45 x", "45 y")])
def test_global_pulses_without_delays_miss_the_exchange(sample, readouts):
    design = design_of(readouts, sample)
    assert design.rank == 14
    assert hidden(design) == {"XX + YY + ZZ"}
    assert design.condition == design.a_figure == design.e_figure == np.inf
    assert design.verdict == "rank 14 of 15; not seen: XX + YY + ZZ"


def test_a_delay_between_global_pulses_shows_the_exchange():
    assert design_of(("II", *TURNS, "XX - 2 ms - XX", "XX - 2 ms - YY"), HOMONUCLEAR).complete


def test_non_selective_right_angles():
    assert hidden(design_of(("II", "XX", "YY"))) == {"XX", "YY", "ZZ"}


@pytest.mark.parametrize(
    ("channel", "missing"), [("1H", {"IX", "IY", "IZ"}), ("13C", {"XI", "YI", "ZI"})]
)
def test_one_channel_never_sees_the_other_spin_alone(channel, missing):
    design = design_of(LOCAL, observed=[channel])
    assert design.rank == 12
    assert hidden(design) == missing


@pytest.mark.parametrize("sample", [THREE, THREE_ALIKE], ids=["unlike", "alike"])
def test_global_pulses_on_three_spins_miss_all_rotational_invariants(sample):
    # products of σ that no common rotation changes: three dot products and the triple product
    design = design_of(("III", *TURNS), sample)
    assert design.rank == 59
    assert hidden(design) == {
        "XXI + YYI + ZZI",
        "XIX + YIY + ZIZ",
        "IXX + IYY + IZZ",
        "XYZ − XZY − YXZ + YZX + ZXY − ZYX",
    }


def test_combinations_hold_as_few_paulis_as_can_be():
    # rotational invariants, and third-rank tensors of which too few rotations were tried
    design = design_of(("III", "45 x", "45 y"), THREE)
    assert design.rank == 51
    sizes = sorted(len(c.coefficients) for c in design.invisible)
    assert sizes == [3] * 10 + [4] * 2
    assert all(set(np.abs(c.vector)) == {0.0, 1.0} for c in design.invisible)


def test_equivalent_spins_show_their_sum_only():
    sample = Sample("a2", (Spin("A", "1H"), Spin("B", "1H")), (Coupling(("A", "B"), 40.0),))
    found = design_of(("II", "90 x", "90 y", "45 x"), sample).invisible
    seen = Combination(
        np.array([p in ("XI", "IX") for p in found[0].paulis], float), found[0].paulis
    )
    assert all(abs(c.vector @ seen.vector) < 1e-12 for c in found)
    assert any(set(c.coefficients) == {"XI", "IX"} for c in found)


# --------------------------------------------------------------------- against plain linear algebra
@given(st.lists(st.sampled_from(LOCAL), min_size=1, max_size=9, unique=True), st.booleans())
@settings(deadline=None, max_examples=40)
def test_ranks_of_random_sets(readouts, finite):
    options = {"pulses": "finite" if finite else "ideal"}
    response = response_of(readouts, **options)
    design = analyse(response)
    assert design.rank == np.linalg.matrix_rank(response.matrix, tol=1e-8)
    assert len(design.invisible) == 15 - design.rank
    vectors = np.array([c.vector for c in design.invisible]).reshape(-1, 15)
    assert np.linalg.matrix_rank(vectors) == len(vectors)
    np.testing.assert_allclose(response.matrix @ vectors.T, 0, atol=1e-12)
    assert np.all(np.isfinite(design.errors) == (np.abs(vectors).sum(axis=0) == 0))


@pytest.mark.parametrize(
    ("sample", "readouts", "observed"),
    [
        (HOMONUCLEAR, ("II", "45 x", "45 y"), None),
        (CHLOROFORM, ("II", "IX"), None),
        (CHLOROFORM, SET, ["1H"]),
        (THREE_ALIKE, ("III", "45 x", "45 y"), None),
    ],
)
def test_invisible_operators_change_no_fid(sample, readouts, observed):
    chain = measurement_chain(
        sample, readouts, receiver=RECEIVER, relaxation=False, observed=observed
    )
    design = analyse(response_matrix(chain))
    assert design.invisible
    d = 2 ** len(sample.spins)
    for combination in design.invisible:
        fids = acquire(chain, np.eye(d) / d + combination.operator / d)
        assert np.abs(fids).max() < 1e-12
        assert np.abs(line_amplitudes(fids, chain.fits)).max() < 1e-12


def test_covariance_and_errors_are_those_of_the_estimator():
    noise = np.array([0.05, 0.12])
    response = response_of(SET, pulses="finite")
    design = analyse(response, noise)
    fids = np.zeros((4, 2, 256), dtype=complex)
    estimate = estimate_state(fids, response, noise, method="linear-inversion")
    np.testing.assert_allclose(design.covariance, estimate.covariance, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(design.errors**2, np.diag(estimate.covariance), rtol=1e-9)
    assert design.a_figure == pytest.approx(np.trace(estimate.covariance))
    assert design.e_figure == pytest.approx(np.linalg.eigvalsh(estimate.covariance)[-1])
    whitened = np.linalg.eigvalsh(estimate.covariance)
    assert design.condition == pytest.approx(np.sqrt(whitened[-1] / whitened[0]), rel=1e-6)
    assert design.bare_condition == pytest.approx(np.linalg.cond(response.matrix))


def test_fids_that_are_left_out_are_seen_by_the_design():
    response, noise = response_of(SET), np.array([0.1, 0.2])
    without = leave_out(response, np.array([[False, True]] * 4))
    one = analyse(response_of(SET, observed=["1H"]), noise[:1])
    left = analyse(without, noise)
    assert left.rank == one.rank == 10
    np.testing.assert_allclose(left.covariance, one.covariance, atol=1e-12)


def test_gram_matrices_add():
    # (AᵀA) of two sets together is the sum of both, whatever the order
    noise = np.array([0.1, 0.3])
    parts = [SET, LOCAL[1:]]
    precisions = [np.linalg.inv(analyse(response_of(p), noise).covariance) for p in parts]
    for order in itertools.permutations(parts):
        both = analyse(response_of(sum(order, ())), noise)
        np.testing.assert_allclose(
            np.linalg.inv(both.covariance), sum(precisions), rtol=1e-8, atol=1e-8
        )


def test_repeating_a_set_halves_the_variances_and_nothing_else():
    once, twice = design_of(SET), design_of(SET * 2)
    np.testing.assert_allclose(twice.errors, once.errors / np.sqrt(2), rtol=1e-9)
    assert twice.condition == pytest.approx(once.condition)


def test_a_receiver_phase_changes_nothing():
    phased = measurement_chain(
        CHLOROFORM, SET, relaxation=False, receiver=Receiver(2000.0, 256, phase_rad=0.7)
    )
    np.testing.assert_allclose(
        analyse(response_matrix(phased)).covariance, design_of(SET).covariance, atol=1e-10
    )


def test_what_is_hardly_seen_is_seen_or_not_by_the_tolerance():
    # 5 μs pulses apart by their offsets: the exchange shows, barely
    sample = Sample(
        "ab",
        (Spin("A", "1H", 60.0, pulse_90_s=5e-6), Spin("B", "1H", -45.0, pulse_90_s=5e-6)),
        (Coupling(("A", "B"), 10.0),),
    )
    response = response_of(("II", "45 x", "45 y", "90 x"), sample, pulses="finite")
    strict = analyse(response)
    assert strict.rank == 15
    assert 1e2 < strict.condition < 1e6
    lenient = analyse(response, tolerance=5 / strict.condition)
    assert lenient.rank == 14
    weights = lenient.invisible[0].coefficients
    assert {"XX", "YY", "ZZ"} <= set(weights)


# ------------------------------------------------------------------------------ expectation values
def test_an_expectation_is_determined_or_the_missing_part_is_named():
    design = design_of(("II", "45 x", "45 y"))
    exchange = pauli("XX") + pauli("YY") + pauli("ZZ")
    whole = expectation(design, exchange)
    assert (whole.determined, whole.error) == (False, np.inf)
    assert whole.missing.name == "XX + YY + ZZ"
    part = expectation(design, 3 * pauli("ZZ") + pauli("XI"))
    assert part.missing.name == "XX + YY + ZZ"
    seen = expectation(design, 2 * pauli("ZZ") - pauli("XX") - pauli("YY") + 7 * np.eye(4))
    assert seen.determined
    assert seen.missing is None
    assert 0 < seen.error < 10


def test_the_error_of_an_expectation_agrees_with_monte_carlo():
    noise, H = np.array([0.1, 0.2]), pauli("ZI") + 0.5 * pauli("XX") - 2 * pauli("YZ")
    chain = measurement_chain(CHLOROFORM, SET, receiver=RECEIVER)
    response = response_matrix(chain)
    draws = noise[:, None] * complex_noise(np.random.default_rng(0), (1500, 4, 2, 256))
    clean = acquire(chain, np.eye(4) / 4)
    found = estimate_state(clean + draws, response, noise, method="linear-inversion").linear
    values = np.einsum("...ij,ji->...", found, H).real
    error = expectation(analyse(response, noise), H).error
    assert values.std() == pytest.approx(error, rel=0.07)


# --------------------------------------------------------------------------- readable combinations
PAULIS = tuple(map("".join, itertools.product("IXYZ", repeat=2)))[1:]


def space_of(*rows):
    """Return the projector on the span of dicts of Pauli coefficients."""
    vectors = np.array([[row.get(p, 0.0) for p in PAULIS] for row in rows])
    q, _ = np.linalg.qr(vectors.T)
    return q @ q.T


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([{"XX": 1}], "XX"),
        ([{"XX": -3, "YY": 6}], "XX − 2 YY"),
        ([{"XX": 0.5, "YY": 1 / 3}], "3 XX + 2 YY"),
        ([{"XX": 1, "YY": np.pi}], "0.3183 XX + YY"),
        ([{"XX": 1, "YY": 1}, {"XX": 1, "YY": -1}], "XX, YY"),
        ([{"XX": 1, "YY": 1, "ZZ": 1}, {"XI": 2}], "XI, XX + YY + ZZ"),
        ([{"XX": 1, "YY": 1, "ZZ": 1}, {"XX": 1, "YY": -1}], "2 XX + ZZ, 2 YY + ZZ"),
        ([{"XX": 1, "YY": 1, "ZZ": 1}, {"XX": 1, "YY": -1}, {"ZZ": 1, "XY": 1}], None),
    ],
)  # fmt: skip
def test_names_of_subspaces(rows, names):
    projector = space_of(*rows)
    found = sparse_basis(projector, PAULIS)
    assert (
        names is None
        or set(names_of(found).split(", ")) == set(names.split(", "))
        or (names == "2 XX + ZZ, 2 YY + ZZ" and all(len(c.coefficients) == 2 for c in found))
    )
    vectors = np.array([c.vector for c in found])
    assert np.linalg.matrix_rank(vectors) == len(rows)
    np.testing.assert_allclose(vectors @ projector, vectors, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(0, 14))
@settings(deadline=None, max_examples=30)
def test_any_subspace_is_spanned_within_rounding(seed, dimension):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(15, dimension)) * (rng.random((15, 1)) < 0.7) + 1e-300)
    rank, unseen = split_space(np.eye(15) - q @ q.T)
    found = sparse_basis(unseen, PAULIS)
    assert len(found) == 15 - rank
    vectors = np.array([c.vector for c in found]).reshape(-1, 15)
    assert np.linalg.matrix_rank(vectors) == len(found)
    scale = np.abs(vectors).max(axis=1, initial=1.0, keepdims=True)
    np.testing.assert_allclose(vectors @ unseen / scale, vectors / scale, atol=1e-6)


def test_a_combination_is_its_operator():
    combination = Combination(np.array([1.0 if p in ("XX", "ZI") else 0 for p in PAULIS]), PAULIS)
    np.testing.assert_array_equal(combination.operator, pauli("XX") + pauli("ZI"))
    assert str(combination) == "XX + ZI"
    assert dict(combination.coefficients) == {"XX": 1.0, "ZI": 1.0}
    assert Combination(np.zeros(15), PAULIS).name == "0"
    full = from_pauli_coefficients(np.concatenate([[0], -combination.vector]))
    np.testing.assert_array_equal(full, -combination.operator)


# ---------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "noise", [[0.1], [0.1, 0.0], [0.1, -1.0], [np.nan, 0.1], [0.1, np.inf], [[0.1, 0.1]], 0.1]
)
def test_a_noise_that_makes_no_sense_is_refused(noise):
    with pytest.raises(ArgumentError, match="`noise` must be 2 positive numbers, one per channel"):
        analyse(response_of(SET), noise)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1e-8, np.nan])
def test_a_tolerance_out_of_range_is_refused(tolerance):
    with pytest.raises(ArgumentError, match=r"`tolerance` must be in \(0, 1\)"):
        analyse(response_of(SET), tolerance=tolerance)


@pytest.mark.parametrize("operator", [np.eye(8), np.zeros((2, 4, 4)), pauli("X")])
def test_operators_of_another_size_are_refused(operator):
    with pytest.raises(ArgumentError, match=r"`operator` must have shape \(4, 4\) for 2 spins"):
        expectation(design_of(SET), operator)


def test_operators_that_are_not_hermitian_are_refused():
    with pytest.raises(ArgumentError, match="`operator` must be Hermitian"):
        expectation(design_of(SET), 1j * pauli("XX"))
