"""Linear programs over toggling frames: known optima, certificates, and what is played."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from nmrqb.average.magnus import magnus_terms
from nmrqb.average.played import play_pass
from nmrqb.design.toggling import (
    FramePlan,
    Impossible,
    PairTerms,
    channel_groups,
    frame_sequence,
    frame_set,
    ordered,
    pair_terms,
    plan_frames,
    sample_terms,
)
from nmrqb.design.toggling.frames import cube_rotations
from nmrqb.design.toggling.order import pulses_between
from nmrqb.design.toggling.terms import from_matrix, no_terms, pairs_of, pauli_names
from nmrqb.dynamics import exp_hermitian
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand


def dipolar(sizes, n, axis=2):
    """Return Σ d_ij (3 I_a I_a − I·I) in Hz on Paulis."""
    shape = -np.eye(3)
    shape[axis, axis] = 2
    return PairTerms(np.zeros((n, 3)), np.asarray(sizes)[:, None, None] * shape / 4)


def sizes_of(n, seed=0):
    return np.random.default_rng(seed).normal(size=n * (n - 1) // 2) * 1000


def alike(n):
    return (tuple(range(n)),)


def solid(n, seed=1, nuclei=None):
    """Return a sample with random offsets and couplings: dipolar if homonuclear, else J."""
    rng = np.random.default_rng(seed)
    nuclei = nuclei or ["1H"] * n
    spins = tuple(Spin(f"S{k}", nuclei[k], offset_hz=float(rng.normal() * 50)) for k in range(n))
    couplings = []
    for i, j in pairs_of(n):
        same = nuclei[i] == nuclei[j]
        size = {"dipolar_hz": rng.normal() * 1000} if same else {"J_hz": rng.uniform(50, 200)}
        couplings.append(Coupling((spins[i].label, spins[j].label), **size))
    return Sample("solid", spins, tuple(couplings))


# ------------------------------------------------------------------ known optima
@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize(
    ("wanted", "scale"),
    [
        (lambda d, n: dipolar(d, n).couplings, 1),
        (lambda d, n: -dipolar(d, n).couplings, 1 / 2),
        (lambda d, n: dipolar(d, n, 1).couplings - dipolar(d, n, 0).couplings, 1 / 3),
    ],
    ids=["D_z", "-D_z", "D_y - D_x"],
)
def test_the_largest_scales_of_dipolar_couplings_are_those_known(n, wanted, scale):
    d = sizes_of(n)
    plan = plan_frames(
        frame_set(dipolar(d, n), alike(n)), PairTerms(np.zeros((n, 3)), wanted(d, n))
    )
    assert plan.largest_scale == pytest.approx(scale, abs=1e-12)
    assert plan.total == pytest.approx(plan.bound, abs=1e-12)


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize(
    ("direction", "scale"),
    [([1, 1, 1], 1 / np.sqrt(3)), ([1, 0, 1], np.sqrt(2) / 3), ([0, 0, 1], 1 / 3)],
    ids=["WAHUHA", "MREV-8", "z"],
)
def test_the_largest_offset_scale_without_dipolar_couplings_is_that_of_wahuha(n, direction, scale):
    offsets = np.random.default_rng(2).normal(size=n)
    axis = np.array(direction) / np.linalg.norm(direction)
    drift = PairTerms(np.outer(offsets, [0, 0, 1]), dipolar(sizes_of(n), n).couplings)
    target = PairTerms(np.outer(offsets, axis), np.zeros_like(drift.couplings))
    plan = plan_frames(frame_set(drift, alike(n)), target)
    assert plan.largest_scale == pytest.approx(scale, abs=1e-12)


def test_no_direction_of_the_offsets_scales_better_than_wahuha():
    n, rng = 3, np.random.default_rng(3)
    offsets = rng.normal(size=n)
    drift = PairTerms(np.outer(offsets, [0, 0, 1]), dipolar(sizes_of(n), n).couplings)
    frames = frame_set(drift, alike(n))
    for axis in rng.normal(size=(40, 3)):
        target = np.outer(offsets, axis / np.linalg.norm(axis))
        plan = plan_frames(frames, PairTerms(target, np.zeros_like(drift.couplings)))
        assert plan.largest_scale <= 1 / np.sqrt(3) + 1e-12


@pytest.mark.parametrize("target", ["-D_z", "D_y - D_x"])
def test_a_hundredth_more_than_the_largest_scale_takes_longer_than_there_is(target):
    n, d = 3, sizes_of(3)
    best = {
        "-D_z": -1 / 2 * dipolar(d, n).couplings,
        "D_y - D_x": (dipolar(d, n, 1).couplings - dipolar(d, n, 0).couplings) / 3,
    }[target]
    frames = frame_set(dipolar(d, n), alike(n))
    for factor, fits in [(1, True), (1.01, False)]:
        plan = plan_frames(frames, PairTerms(np.zeros((n, 3)), factor * best))
        assert bool(plan.bound <= 1 + 1e-12) is fits
        assert plan.bound == pytest.approx(factor, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_pair_takes_the_time_of_its_nuclear_norm_where_the_axes_are_its_singular_vectors(seed):
    """ZZ frames of a cube make any diagonal or permuted C in ‖C‖_*/|c|: the bound of all pulses."""
    rng = np.random.default_rng(seed)
    C = np.zeros((3, 3))
    C[range(3), rng.permutation(3)] = rng.normal(size=3)
    c = 53.8 * rng.choice([-1, 1])
    drift = PairTerms(np.zeros((2, 3)), np.diag([0, 0, c])[None])
    plan = plan_frames(frame_set(drift, ((0,), (1,))), PairTerms(np.zeros((2, 3)), C[None]))
    assert plan.bound == pytest.approx(np.linalg.norm(C, "nuc") / abs(c), rel=1e-12)


def test_dm_between_two_unlike_spins_takes_two_blocks():
    drift = PairTerms(np.zeros((2, 3)), np.diag([0, 0, 50.0])[None])
    frames = frame_set(drift, ((0,), (1,)))
    plan = plan_frames(frames, pair_terms({"DM_z": 25.0}, 2))
    assert len(plan.weights) == 2
    np.testing.assert_allclose(plan.weights, 0.5)
    assert plan.largest_scale == pytest.approx(1)


# ------------------------------------------------------------------ proofs
def proves(frames, target, found):
    """Check Farkas' y in every frame there is, column by column."""
    every = np.array(list(itertools.product(*map(range, frames.shape))))
    size = len(target.vector)
    prices = frames.columns(every) @ found.prices
    tolerance = 1e-9 * np.abs(frames.drift.vector).max()
    return prices.max() <= tolerance and found.prices[:size] @ target.vector > 100 * tolerance


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        ({"DM_z(1,2)": 30.0}, "exchange", r"spins 1 and 2 are pulsed alike.*30 XYI − 30 YXI"),
        ({"XXI": 100.0, "IYY": -20.0}, "cone", r"in all \d+ toggling frames .* is between"),
    ],
)
def test_what_collective_pulses_cannot_make_is_refused_with_a_proof(wanted, code, words):
    frames = frame_set(dipolar(sizes_of(3), 3), alike(3))
    found = plan_frames(frames, pair_terms(wanted, 3))
    assert isinstance(found, Impossible)
    assert found.code == code
    assert proves(frames, pair_terms(wanted, 3), found)
    assert re.search(words, found.message)


def test_a_coupling_that_is_not_there_cannot_be_turned_into_one():
    drift = dipolar([100.0, 0.0, 50.0], 3)
    frames = frame_set(drift, ((0,), (1,), (2,)))
    target = pair_terms({"XIY": 1.0, "XXI": 1.0}, 3)
    found = plan_frames(frames, target)
    assert (found.code, "XIY of the target has nothing to be made from" in found.message) == (
        "missing",
        True,
    )
    assert proves(frames, target, found)


def test_selective_pulses_make_dm_of_like_spins():
    drift = dipolar(sizes_of(3), 3)
    frames = frame_set(drift, ((0,), (1,), (2,)))
    plan = plan_frames(frames, pair_terms({"DM_z(1,2)": 30.0}, 3))
    assert isinstance(plan, FramePlan)
    made = plan.weights @ frames.columns(plan.frames)
    np.testing.assert_allclose(made, pair_terms({"DM_z(1,2)": 30.0}, 3).vector, atol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_column_generation_finds_the_optimum_of_the_whole_program(seed):
    rng = np.random.default_rng(seed)
    drift = PairTerms(rng.normal(size=(3, 3)), rng.normal(size=(3, 3, 3)))
    frames = frame_set(drift, ((0, 2), (1,)))
    every = np.array(list(itertools.product(*map(range, frames.shape))))
    columns = frames.columns(every)
    target = rng.dirichlet(np.ones(len(columns))) @ columns
    n = drift.spins
    plan = plan_frames(
        frames, PairTerms(target[: 3 * n].reshape(n, 3), target[9:].reshape(3, 3, 3))
    )
    whole = linprog(np.ones(len(columns)), A_eq=columns.T, b_eq=target, method="highs-ipm")
    assert plan.total == pytest.approx(whole.fun, abs=1e-7)
    assert plan.bound == pytest.approx(plan.total, abs=1e-9)
    assert np.max(columns @ plan.prices) <= 1 + 1e-7
    np.testing.assert_allclose(frames.prices(plan.prices).ravel(), columns @ plan.prices, atol=1e-9)


def test_a_hidden_offset_is_refocused_only_if_asked():
    drift = PairTerms(np.zeros((2, 3)), np.diag([0, 0, 50.0])[None])
    target = pair_terms({"ZZ": 25.0}, 2)
    for refocused in (False, True):
        frames = frame_set(drift, ((0,), (1,)), refocused=refocused)
        plan = plan_frames(frames, target)
        R = np.array([frames.rotations(f) for f in plan.frames])
        left = np.abs(np.einsum("k,kia->ia", plan.weights, R[..., 2])).max()
        assert bool(left < 1e-9) is refocused
        assert plan.total == pytest.approx(0.5)


def test_nothing_is_made_by_decoupling_in_unit_time():
    n = 4
    drift = PairTerms(np.outer(np.arange(1, 5), [0, 0, 1.0]), dipolar(sizes_of(n), n).couplings)
    frames = frame_set(drift, alike(n))
    plan = plan_frames(frames, no_terms(n))
    assert plan.total == pytest.approx(1)
    np.testing.assert_allclose(plan.weights @ frames.columns(plan.frames), 0, atol=1e-9)


def test_an_isotropic_coupling_cannot_be_removed_by_collective_pulses():
    drift = PairTerms(np.zeros((2, 3)), 25 * np.eye(3)[None])
    frames = frame_set(drift, alike(2))
    assert frames.shape == (1,)
    found = plan_frames(frames, no_terms(2))
    assert isinstance(found, Impossible)


# ------------------------------------------------------------------ frames and pulses
def test_the_cube_has_24_rotations():
    R = cube_rotations()
    assert R.shape == (24, 3, 3)
    np.testing.assert_allclose(np.linalg.det(R), 1)
    np.testing.assert_allclose(R @ R.swapaxes(1, 2), np.broadcast_to(np.eye(3), R.shape))
    assert len({r.astype(int).tobytes() for r in R}) == 24


def test_pulses_lead_from_frame_to_frame():
    """U†(v·σ)U = (Rv)·σ for the pulses' own propagator."""
    paulis = np.array([pauli(a) for a in "XYZ"])
    for R in cube_rotations():
        U = np.eye(2)
        for word in pulses_between(np.eye(3), R):
            angle, phase = word.split()
            sign = -1 if phase.startswith("-") else 1
            spin = spin_operator(phase[-1], 0, 1)
            U = exp_hermitian(sign * np.deg2rad(float(angle)) * spin) @ U
        turned = np.array([U.conj().T @ p @ U for p in paulis])
        np.testing.assert_allclose(turned, np.einsum("ba,bij->aij", R, paulis), atol=1e-12)


@pytest.mark.parametrize(
    ("nuclei", "control", "target", "refocused"),
    [
        (["1H"] * 3, "collective", "reversal", False),
        (["1H", "13C"], "channels", {"DM_z": 3.0}, True),
        (["1H", "13C", "15N"], "channels", {"DM_z(1,2)": 3.0, "KSEA_x(2,3)": 1.0}, True),
        (["1H"] * 3, "selective", {"DM_z(1,3)": 3.0}, True),
        (["1H", "1H", "13C"], "channels", {"ZIZ": 10.0, "IZZ": 5.0, "ZZI": 0.0}, False),
    ],
)
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_sequence_that_is_played_has_the_average_that_was_planned(
    nuclei, control, target, refocused, symmetric
):
    n = len(nuclei)
    sample = solid(n, nuclei=nuclei)
    drift = sample_terms(sample)
    wanted = (
        PairTerms(np.zeros((n, 3)), -drift.couplings)
        if target == "reversal"
        else pair_terms(target, n)
    )
    frames = frame_set(drift, channel_groups(sample, control), refocused=refocused)
    plan = plan_frames(frames, wanted)
    if control == "channels" and nuclei.count("1H") == 2:
        assert isinstance(plan, Impossible)  # ZIZ and IZZ come as the couplings have them
        return
    time = 1e-6
    sequence = frame_sequence(
        ordered(plan, symmetric=symmetric), frames.groups, sample, time_s=time
    )
    played = play_pass(expand(sequence, sample), sample)
    zeroth, first = magnus_terms(played.segments, played.drift, order=1)
    made = from_matrix(zeroth / (2 * np.pi))
    np.testing.assert_allclose(made.vector * plan.total, wanted.vector, atol=1e-8)
    assert (np.abs(first).max() < 1e-9 * np.abs(zeroth).max()) or not symmetric
    assert sum(segment.duration for segment in played.segments) == pytest.approx(plan.total * time)


def test_fewer_frames_are_taken_where_they_do():
    """DM from ZZ needs two blocks, also where a vertex of the program has more."""
    drift = sample_terms(solid(3, nuclei=["1H", "13C", "15N"]))
    frames = frame_set(PairTerms(0 * drift.fields, drift.couplings), ((0,), (1,), (2,)))
    plan = plan_frames(frames, pair_terms({"DM_z(1,2)": 3.0}, 3))
    assert len(plan.weights) == 4  # two blocks, each with the third spin up and down
    assert plan.unproven == ""


def test_a_plan_says_where_fewer_frames_were_not_looked_for():
    drift = dipolar(sizes_of(3), 3)
    frames = frame_set(drift, ((0,), (1,), (2,)))
    plan = plan_frames(frames, dipolar(-sizes_of(3) / 4, 3))
    every = np.array(list(itertools.product(*map(range, frames.shape))))
    tight = np.sum(frames.columns(every) @ plan.prices >= 1 - 1e-7)
    assert tight > 300
    assert (
        plan.unproven == f"{tight} can take part, and they are not looked for among more than 300"
    )
    assert "the target is 0" in plan_frames(frame_set(drift, alike(3)), no_terms(3)).unproven


# ------------------------------------------------------------------ terms and refusals
def test_terms_of_a_sample_are_those_of_its_hamiltonian():
    sample = solid(4, nuclei=["1H", "1H", "13C", "1H"])
    made = from_matrix(internal_hamiltonian(sample) / (2 * np.pi))
    np.testing.assert_allclose(sample_terms(sample).vector, made.vector, atol=1e-9)


def test_named_terms_of_a_pair_are_those_of_two_spins():
    for name in ("DM_x", "KSEA_y", "isotropic", "Delta", "epsilon", "B"):
        np.testing.assert_allclose(
            pair_terms({name: 2.0}, 2).vector, from_matrix(from_named({name: 2.0})).vector
        )
    turned = pair_terms({"DM_z(3,1)": 1.0}, 3)
    assert turned.vector[pauli_names(3).index("YIX")] == 1
    assert turned.vector[pauli_names(3).index("XIY")] == -1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair_terms({"DM_z": 1.0}, 3), r"two spins from 1 to 3.*'DM_z'"),
        (lambda: pair_terms({"DM_z(1,4)": 1.0}, 3), r"two spins from 1 to 3.*'DM_z\(1,4\)'"),
        (lambda: pair_terms({"XYZ": 1.0}, 3), r"names 'XYZ'"),
        (lambda: pair_terms({"DM(1,2)": 1.0}, 3), r"names 'DM\(1,2\)'"),
        (lambda: pair_terms({"XYI": float("nan")}, 3), r"must be finite, but XYI is nan"),
        (lambda: from_matrix(pauli("XYZ")), r"one and two spins only, but holds 1 XYZ"),
        (lambda: frame_set(no_terms(3), ((0,), (1,))), r"each of 3 spins once"),
        (lambda: frame_set(dipolar(sizes_of(6), 6), tuple((k,) for k in range(6))), r"at most"),
        (lambda: channel_groups(solid(2), "global"), r"`control` must be one of .*'global'"),
        (
            lambda: plan_frames(frame_set(no_terms(2), ((0, 1),)), pair_terms({"XX": 1.0}, 2)),
            r"must toggle a drift",
        ),
        (
            lambda: plan_frames(frame_set(dipolar([1.0], 2), ((0, 1),)), no_terms(3)),
            r"must be of 2 spins, but is of 3",
        ),
        (
            lambda: frame_sequence((), ((0, 1),), solid(2), time_s=0.0),
            r"`time_s` must be positive and finite, but is 0.0",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
