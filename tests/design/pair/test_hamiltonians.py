"""Designed Hamiltonians: what is played against exp(−i2πHT), time against the bound."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

import nmrqb as nq
from nmrqb.average import compile_sequence, compile_timeline
from nmrqb.design import UnreachableError
from nmrqb.design.pair import OPTIMISE, least_time, pair_of
from nmrqb.design.pair.steps import propagator
from nmrqb.dynamics import infidelity
from nmrqb.errors import ArgumentError
from nmrqb.operators import NAMED_TERMS, from_named, from_pauli_coefficients, pauli
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import expand, load_sequence

COUPLINGS = NAMED_TERMS[:-1]  # without B
FAMILIES = [
    ("DM_z",), ("KSEA_x",), ("DM_x", "DM_y", "DM_z"), ("KSEA_x", "KSEA_y", "KSEA_z"),
    ("Delta", "epsilon"), ("DM_z", "KSEA_z", "Delta", "epsilon"), ("isotropic",), COUPLINGS,
    COUPLINGS, COUPLINGS,
]  # fmt: skip


def coupling_matrix(terms):
    H = from_named(terms)
    return np.array([[np.trace(pauli(a + b) @ H).real / 4 for b in "XYZ"] for a in "XYZ"])


def nuclear(terms):
    return float(np.linalg.svd(coupling_matrix(terms), compute_uv=False).sum())


def random_targets(sample, count):
    """Yield terms of every family, their nuclear norm up to that of the sample, and T."""
    rng = np.random.default_rng(11)
    reach = abs(sample.couplings[0].J_hz) / 4
    for k in range(count):
        names = FAMILIES[k % len(FAMILIES)]
        values = rng.normal(size=len(names))
        size = nuclear(dict(zip(names, values, strict=True)))
        values *= reach * (1 if k % 7 == 0 else rng.uniform(0.05, 1)) / size
        terms = {name: float(value) for name, value in zip(names, values, strict=True)}
        norm = np.linalg.norm(from_named(terms), 2)
        yield terms, (None if k % 3 == 0 else rng.uniform(0.01, 0.49) / norm)


def wanted_unitary(terms, T):
    return expm(-2j * np.pi * T * from_named(terms))


def claim(made, sample):
    return compile_timeline(expand(made.sequence, sample), sample, analyse=False).target


def test_two_hundred_targets_are_made_exactly_and_in_the_least_time(sample, play, distance):
    reach = abs(sample.couplings[0].J_hz) / 4
    for terms, time in random_targets(
        sample, 30 if any(s.offset_hz for s in sample.spins) else 200
    ):
        made = nq.design_sequence(sample, terms, time=time)
        T = 1 / (4 * np.linalg.norm(from_named(terms), 2)) if time is None else time
        phase = 2 * np.pi * T * np.linalg.norm(from_named(terms), 2)
        assert distance(play(made.sequence, sample), wanted_unitary(terms, T)) < 1e-9 * phase
        bound = T * nuclear(terms) / reach
        assert made.free_evolution_s == pytest.approx(bound, rel=1e-12)
        assert made.bound_s == pytest.approx(bound, rel=1e-12)
        assert made.largest_scale == pytest.approx(reach / nuclear(terms), rel=1e-12)


def test_compile_finds_the_terms(sample):
    for terms, time in random_targets(sample, 30):
        made = nq.design_sequence(sample, terms, time=time)
        found = compile_timeline(expand(made.sequence, sample), sample, analyse=False)
        size = np.linalg.norm(coupling_matrix(terms))
        assert found.target.met
        assert found.target.error_hz < 1e-9 * size
        assert found.branch_safe
        scale = found.duration_s / found.target.time_s
        for name in (*NAMED_TERMS, "other"):
            assert abs(found.named[name] * scale - terms.get(name, 0.0)) < 1e-9 * size


def test_one_per_cent_outside_is_refused_with_the_largest_scale(sample):
    reach = abs(sample.couplings[0].J_hz) / 4
    for terms, _ in random_targets(sample, 20):
        scale = 1.01 * reach / nuclear(terms)
        outside = {name: scale * value for name, value in terms.items()}
        with pytest.raises(
            UnreachableError, match=r"the largest reachable scale is 0\.990099"
        ) as e:
            nq.design_sequence(sample, outside)
        assert e.value.largest_scale == pytest.approx(1 / 1.01, rel=1e-12)
        inside = {name: value * e.value.largest_scale for name, value in outside.items()}
        assert nq.design_sequence(sample, inside).largest_scale == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    ("terms", "eighths", "blocks"),
    [
        ({"DM_z": 1.0}, 1, 2),
        ({"KSEA_z": -1.0}, 1, 2),
        ({"DM_z": 1.0, "KSEA_z": 1.0}, 1, 1),  # XY alone
        ({"isotropic": 1.0}, 2 / 3, 3),
    ],
)
def test_known_reaches(terms, eighths, blocks):
    """DM alone and KSEA alone: J/8; D = G: J/8 in one block; isotropic exchange: J/12."""
    sample = load_sample("chloroform")
    largest = nq.design_sequence(sample, {k: v * 0.1 for k, v in terms.items()}).largest_scale * 0.1
    assert largest == pytest.approx(eighths * 215.13 / 8)
    made = nq.design_sequence(sample, {name: value * largest for name, value in terms.items()})
    delays = [event for event in made.sequence.events if hasattr(event, "time")]
    assert len(delays) == blocks


@pytest.mark.parametrize("optimise", OPTIMISE)
@pytest.mark.parametrize("fill", [False, True])
def test_every_version_makes_the_same(sample, optimise, fill, play, distance):
    for terms, time in random_targets(sample, 4):
        made = nq.design_sequence(sample, terms, time=time, optimise=optimise, fill=fill)
        T = 1 / (4 * np.linalg.norm(from_named(terms), 2)) if time is None else time
        assert distance(play(made.sequence, sample), wanted_unitary(terms, T)) < 1e-11
        if fill:
            assert made.free_evolution_s == pytest.approx(T, rel=1e-12)


def test_versions_are_best_in_what_they_are_named_after(sample):
    for terms, time in random_targets(sample, 4):
        versions = nq.design_sequence(sample, terms, time=time).versions
        assert versions["pulses"].pulses == min(v.pulses for v in versions.values())
        losses = {name: v.flip_angle_loss for name, v in versions.items()}
        assert losses["robustness"] == min(losses.values())
        times = [v.free_evolution_s for v in versions.values()]
        assert np.ptp(times) < 1e-12 * max(times)


def test_the_order_of_blocks_saves_pulses():
    """Delta is ZZ, XX and YY: with ZZ first or last one change of both frames is saved."""
    versions = nq.design_sequence(load_sample("chloroform"), {"Delta": 9.0}).versions
    assert versions["time"].pulses == 8
    assert versions["pulses"].pulses == 6


def test_balanced_echoes_leave_nothing_of_first_order():
    """One block along x and y: plain it loses ∝ ε², robust ∝ ε⁴."""
    made = nq.design_sequence(load_sample("chloroform"), {"DM_z": 20.0, "KSEA_z": 20.0})
    loss = {}
    for name in ("time", "robustness"):
        steps, pair = made.versions[name].steps, pair_of(made.sample)
        U = [propagator(steps, pair, np.array([e, 0.5 * e])) for e in (0, 0.02, 0.01)]
        loss[name] = [float(infidelity(U[0], V)) for V in U[1:]]
    assert loss["time"][0] / loss["time"][1] == pytest.approx(4, rel=0.02)
    assert loss["robustness"][0] / loss["robustness"][1] == pytest.approx(16, rel=0.1)
    assert loss["robustness"][0] < 0.01 * loss["time"][0]


def test_the_loss_is_that_of_the_flip_angles(play):
    """The reported loss against one that the compiler finds for the same errors."""
    made = nq.design_sequence(load_sample("chloroform"), {"DM_z": 12.0, "DM_x": 3.0})
    rows = {row.error: row.infidelity for row in made.average.robustness}
    assert made.versions["time"].flip_angle_loss == pytest.approx(
        np.mean([rows[f"flip-angle{which}"] for which in ("", " 1H", " 13C")]), rel=0.05
    )


# ----------------------------------------------------------------------------------------- fields
FIELDS = [
    {"DM_z": 9.0, "B": 3.0},
    {"Delta": 9.0, "DM_z": 5.0, "B": -4.0},
    {"DM_z": 8.0, "KSEA_z": 4.0, "Delta": 3.0, "epsilon": 2.0, "B": 2.0},
    {"KSEA_x": 7.0, "XI": 2.0, "IY": -3.0, "ZI": 1.0},
    {"isotropic": 3.0, "XI": 2.0, "IX": 2.0},
]


@pytest.mark.parametrize("terms", FIELDS)
@pytest.mark.parametrize("exact", [False, True])
def test_fields_are_made_exactly(sample, terms, exact, play, distance):
    made = nq.design_sequence(sample, terms, exact=exact)
    check = claim(made, sample)
    T = check.time_s
    assert 4 * T * np.linalg.norm(from_named(terms), 2) == pytest.approx(1)
    assert distance(play(made.sequence, sample), wanted_unitary(terms, T)) < 1e-11
    assert check.met
    assert made.free_evolution_s == pytest.approx(made.bound_s, rel=1e-12)
    bound = T * nuclear(terms) / (abs(sample.couplings[0].J_hz) / 4)
    assert made.free_evolution_s <= bound * (1 + 1e-12)


def test_fields_that_commute_act_at_all_times(sample):
    """B commutes with DM and Delta: the named terms are right, not only the unitary."""
    made = nq.design_sequence(sample, FIELDS[0])
    scale = made.average.duration_s / made.average.target.time_s
    assert made.average.named["B"] * scale == pytest.approx(3.0)
    assert made.average.named["DM_z"] * scale == pytest.approx(9.0)


@pytest.mark.parametrize("terms", FIELDS[2:4])
def test_splitting_errs_as_it_says_and_falls_with_the_square(sample, terms, play, distance):
    T = 1 / (4 * np.linalg.norm(from_named(terms), 2))
    missed = []
    for cycles in (2, 4, 8):
        made = nq.design_sequence(sample, terms, cycles=cycles)
        check = claim(made, sample)
        assert check.met
        missed.append(distance(play(made.sequence, sample), wanted_unitary(terms, T)))
        assert check.error_hz <= (
            float(made.sequence.target_tolerance) * np.linalg.norm(_vector(terms))
        )
    ratios = np.array(missed[:-1]) / missed[1:]
    np.testing.assert_allclose(ratios, 4, rtol=0.15)


def _vector(terms):
    H = from_named(terms)
    strings = ["".join(s) for s in itertools.product("IXYZ", repeat=2)]
    return [np.trace(pauli(s) @ H).real / 4 for s in strings]


def test_the_tolerance_is_no_wider_than_the_error():
    made = nq.design_sequence(load_sample("chloroform"), FIELDS[2], cycles=3)
    share = made.average.target.error_hz / np.linalg.norm(_vector(FIELDS[2]))
    assert share < float(made.sequence.target_tolerance) < 1.1 * share


def test_cycles_of_couplings_alone_are_exact(sample, play, distance):
    terms = {"DM_z": 10.0, "Delta": 4.0}
    made = nq.design_sequence(sample, terms, cycles=5, fill=True)
    T = claim(made, sample).time_s
    assert distance(play(made.sequence, sample), wanted_unitary(terms, T)) < 1e-11
    assert made.free_evolution_s == pytest.approx(T, rel=1e-12)
    assert made.sequence.target_tolerance is None


def test_a_field_alone_takes_no_time_unless_filled():
    sample = load_sample("chloroform")
    bare = nq.design_sequence(sample, {"B": 5.0})
    assert bare.free_evolution_s == 0
    assert bare.average is None
    filled = nq.design_sequence(sample, {"B": 5.0}, fill=True)
    assert filled.average.named["B"] == pytest.approx(5.0)
    assert filled.average.target.met


# ------------------------------------------------------------------------------------ one unitary
def test_exact_is_never_slower_and_always_possible(sample, play, distance):
    J = abs(sample.couplings[0].J_hz)
    rng = np.random.default_rng(8)
    for _ in range(20):
        H = from_pauli_coefficients(np.r_[0, rng.normal(size=15) * 3 * J])
        T = float(rng.uniform(0.1, 3) / J)
        made = nq.design_sequence(sample, H, time=T, exact=True)
        U = expm(-2j * np.pi * T * H)
        assert distance(play(made.sequence, sample), U) < 1e-11
        assert made.free_evolution_s <= 3 / (2 * J) * (1 + 1e-12)
        assert made.free_evolution_s == pytest.approx(float(least_time(U, J / 4)), rel=1e-12)
        assert claim(made, sample).met


def test_a_long_time_is_claimed_as_a_unitary(play, distance):
    """Beyond 1/(2‖C‖_*) the logarithm wraps; the unitary is still the claim, and is made."""
    sample = load_sample("chloroform")
    made = nq.design_sequence(sample, {"DM_z": 25.0}, time=0.05)
    assert distance(play(made.sequence, sample), wanted_unitary({"DM_z": 25.0}, 0.05)) < 1e-11
    assert made.average.target.met
    assert "the claim is about the unitary" in made.remarks[0]
    assert not nq.design_sequence(sample, {"DM_z": 25.0}, time=0.0099).remarks


# ------------------------------------------------------------------------------------- the file
def test_the_file_is_read_back_and_confirmed(sample, tmp_path, play, distance):
    for k, (terms, time) in enumerate(random_targets(sample, 2)):
        made = nq.design_sequence(sample, terms, time=time, optimise=OPTIMISE[k + 1])
        made.save(tmp_path / "made.yaml")
        text = (tmp_path / "made.yaml").read_text(encoding="utf-8")
        assert text.startswith("# target ")
        loaded = load_sequence(tmp_path / "made.yaml")
        np.testing.assert_array_equal(play(loaded, sample), play(made.sequence, sample))
        assert compile_sequence(loaded, sample).target.met


def test_the_head_of_the_file_says_what_matters():
    text = nq.design_sequence(load_sample("chloroform"), {"DM_z": 20.0, "KSEA_z": 5.0}).text
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert "# target     DM_z 20 Hz, KSEA_z 5 Hz for 6.25 ms: met, differs by 0 Hz," in text
    assert "free evolution 4.64835 ms, the least 4.64835 ms" in text
    assert "1.34456 times as large" in text
    assert sum("pulses" in line for line in head) == 3
    assert any("flip-angle (5 % spread)" in line for line in head)
    assert "# 1H   |90 -y|--2.905 ms--" in text
    assert "\nsample: chloroform\n" in text


# ---------------------------------------------------------------------------------------- refused
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"hamiltonian": {"DMz": 1.0}}, r"must hold terms, but holds 'DMz'; did you mean `DM_z`"),
        ({"hamiltonian": {"DM_z": math.nan}}, r"must hold finite values in Hz, but DM_z is nan"),
        ({"hamiltonian": {"DM_z": 0.0}}, r"must have a term, but all are zero"),
        ({"hamiltonian": np.eye(4)}, r"must be traceless, but its mean is 1"),
        ({"hamiltonian": np.eye(2)}, r"must be of two spins, \(4, 4\), but has shape \(2, 2\)"),
        ({"time": -1.0}, r"`time` must be a positive time in s, but is -1"),
        ({"time": math.nan}, r"`time` must be a positive time in s, but is nan"),
        ({"cycles": 0}, r"`cycles` must be from 1 to 1000, but is 0"),
        ({"cycles": 2, "exact": True}, r"`cycles` must be left out with `exact`"),
        ({"optimise": "tim"}, r"`optimise` must be one of .* did you mean `time`"),
        ({"hamiltonian": {"DM_z": 900.0}, "time": 2.5e-4, "exact": True, "fill": True},
         r"`fill` must leave room, but the sequence needs"),
        ({"hamiltonian": {"KSEA_z": 26.0, "XI": 20.0, "IY": 10.0}, "cycles": 1, "time": 0.01},
         r"`cycles` must be larger than 1, with which the Hamiltonian is off by"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        nq.design_sequence(load_sample("chloroform"), **{"hamiltonian": {"DM_z": 9.0}, **arguments})


def three_spins():
    spins = tuple(Spin(name, name) for name in ("1H", "13C", "15N"))
    return Sample("three", spins, (Coupling(("1H", "13C"), 100.0),))


@pytest.mark.parametrize(
    ("sample", "match"),
    [
        (three_spins(), r"must have two spins, but 'three' has 3"),
        (replace(three_spins(), spins=three_spins().spins[1:], couplings=()),
         r"must have a coupling of its two spins, but 'three' has none"),
        (load_sample("oriented_pair"), r"must couple its spins by IzSz alone .* 214\.871 Hz of"),
        (replace(load_sample("chloroform"), raster_s=1e-7), r"has a raster of 1e-07 s"),
    ],
)  # fmt: skip
def test_samples_that_do_not_suit_are_refused_by_name(sample, match):
    with pytest.raises(ArgumentError, match=match):
        nq.design_sequence(sample, {"DM_z": 1.0})


def test_dipolar_couplings_and_weak_like_spins_count():
    """What couples is T_zz/4: J + 2d of unlike spins; of like spins where the coupling is weak."""
    spins = (Spin("a", "1H"), Spin("b", "13C"))
    both = Sample("both", spins, (Coupling(("a", "b"), 100.0, 30.0),))
    made = nq.design_sequence(both, {"DM_z": 10.0})
    assert made.largest_scale == pytest.approx(160 / 8 / 10)
    assert made.average.target.met
    like = (Spin("a", "1H", 200.0), Spin("b", "1H", -150.0))
    weak = Sample("weak", like, (Coupling(("a", "b"), 100.0, truncation="weak"),))
    assert nq.design_sequence(weak, {"DM_z": 10.0}).average.target.met
