"""The four conditions of decoupling: table I of Choi et al., and what the literature says."""

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.average import compile_sequence
from nmrqb.average.decoupling import decoupling_conditions
from nmrqb.average.frames import (
    dipolar_averages,
    offset_averages,
    second_moments,
    segment_frames,
    toggling_frames,
)
from nmrqb.dynamics import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import spin_operator
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline, expand, load_sequence

NAMES = ("disorder", "interaction", "cross terms", "rotation errors")
MET, NOT = True, False
ONE = Sample("one", (Spin("A", "1H", pulse_90_s=10e-6),))
STEPS = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}

# Frames in the order of time, 90° apart; capitals last, small letters have no duration.
# The six-interval sequence of PRX 10, 031002, and the two halves of DROID-R2D2 (PRL 130, 210403),
# typed from the frame matrices of a public code.
OPT_6TAU = "Z Y x -z -Y -x -Z y -X z -y X"
R2D2_FIRST = (
    "Z -y -Z y -X z X -z -Y x Y -x -Z y Z -y -X -z X z Y -x -Y x "
    "-Z -y Z y X z -X -z Y x -Y -x Z y -Z -y X -z -X z -Y -x Y x"
)
R2D2_SECOND = (
    "-Y x Y -z X z -X y Z -y -Z x Y -x -Y z X -z -X -y -Z y Z -x "
    "Y x -Y -z -X z X y -Z -y Z x -Y -x Y z -X -z X -y Z y -Z -x"
)


# ----------------------------------------------------------------------------- frame matrices
def frame_matrix(text):
    """Frames (N, 3) and which of them last."""
    words = text.split()
    frames = [np.array(STEPS[w[-1].lower()]) * (-1 if w[0] == "-" else 1) for w in words]
    return np.array(frames), np.array([w[-1].isupper() for w in words])


def pulses_between(frames):
    """Phases of the 90° pulses that lead through a cycle of frames, the last one back to the first.

    The toggled axis of the pulse from F to F′ is F′×F; in the laboratory it is R(F′×F), R the
    rotation made so far, integers throughout.
    """
    R, phases = np.eye(3, dtype=int), []
    for now, after in zip(frames, np.roll(frames, -1, axis=0), strict=True):
        axis = R @ np.cross(after, now)
        assert axis[2] == 0, "a pulse about z"
        phases.append(np.arctan2(axis[1], axis[0]))
        cross = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
        R = (np.outer(axis, axis) + cross) @ R
    np.testing.assert_array_equal(R[2], frames[0])
    return phases


def cycle(frames, lengths, width):
    """The frames of one spin under these pulses, delays edge to edge."""
    events = []
    for phase, length in zip(pulses_between(frames), lengths, strict=True):
        pulse = TimedPulse((TimedRotation(0, np.pi / 2, phase, width),))
        events += [TimedDelay(length), pulse]
    return toggling_frames(Timeline("cycle", tuple(events)), 1)


def random_cycle(rng):
    """Frames that start along z, each 90° from the one before, and close."""
    while True:
        frames = [np.array([0, 0, 1])]
        for _ in range(11):
            across = [v * s for v in np.eye(3, dtype=int) for s in (1, -1) if v @ frames[-1] == 0]
            frames.append(across[rng.integers(4)])
        if frames[-1] @ frames[0] == 0:
            return np.array(frames)


def table(F, lengths, width):
    """The four sums of table I: (3,), (3,), (xy, yz, zx), (3,)."""
    after = np.roll(F, -1, axis=0)
    disorder = (F * (lengths + 4 * width / np.pi)[:, None]).sum(axis=0)
    interaction = (np.abs(F) * (lengths + width)[:, None]).sum(axis=0)
    parity = F.T @ after + after.T @ F
    chirality = np.cross(after, F).sum(axis=0)
    return disorder, interaction, parity[[0, 1, 2], [1, 2, 0]], chirality


def verdicts(conditions):
    assert tuple(c.name for c in conditions) == NAMES
    return tuple(c.met for c in conditions)


def residues(conditions):
    return dict(zip(NAMES, (c.residue for c in conditions), strict=True))


# ------------------------------------------------------------------------- reduction to table I
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("width", [0.0, 0.3])
def test_general_averages_reduce_to_the_sums_of_the_table(seed, width):
    rng = np.random.default_rng(seed)
    F = random_cycle(rng)
    # frames of no duration are the middles of 180° pulses
    lengths = rng.uniform(0.5, 2, len(F)) * (rng.random(len(F)) < 0.7)
    frames = cycle(F, lengths, width)
    whole = float(frames.duration)
    disorder, interaction, parity, chirality = table(F, lengths, width)
    Q = second_moments(frames)[0, 0] * whole
    np.testing.assert_allclose(offset_averages(frames)[0] * whole, disorder, atol=1e-12)
    np.testing.assert_allclose(np.diag(Q), interaction, atol=1e-12)
    np.testing.assert_allclose(Q[[0, 1, 2], [1, 2, 0]], width / np.pi * parity, atol=1e-12)
    np.testing.assert_allclose(frames.flip_error[0], np.pi / 2 * chirality, atol=1e-12)


def expected_verdicts(F, lengths, width):
    disorder, interaction, parity, chirality = table(F, lengths, width)
    return (
        bool(np.allclose(disorder, 0)),
        bool(np.ptp(interaction) < 1e-9),
        bool(width == 0 or not np.any(parity)),
        not np.any(chirality),
    )


@pytest.mark.parametrize("width", [0.0, 0.25])
def test_verdicts_are_those_of_the_table(width):
    seen = set()
    rng = np.random.default_rng(3)
    for _ in range(150):
        F = random_cycle(rng)
        lengths = np.ones(len(F))
        expected = expected_verdicts(F, lengths, width)
        assert verdicts(decoupling_conditions(cycle(F, lengths, width))) == expected
        seen |= set(enumerate(expected))
    # every condition was met by some and broken by others; ideal pulses have no cross terms
    assert seen >= {(k, met) for k in (0, 1, 3) for met in (MET, NOT)} | {(2, MET)}
    assert ((2, NOT) in seen) is (width > 0)


@pytest.mark.parametrize("width", [0.0, 0.4])
@pytest.mark.parametrize(("text", "count"), [(OPT_6TAU, 6), (R2D2_FIRST, 24)])
def test_sequences_made_for_the_table_meet_it(text, count, width):
    frames, lasting = frame_matrix(text)
    assert lasting.sum() == count
    lengths = 1.7 * lasting
    assert expected_verdicts(frames, lengths, width) == (MET,) * 4
    assert verdicts(decoupling_conditions(cycle(frames, lengths, width))) == (MET,) * 4
    # and no longer with one of the delays a little longer
    lengths[0] += 1e-3
    longer = verdicts(decoupling_conditions(cycle(frames, lengths, width)))
    assert longer == (NOT, NOT, MET, MET)


def test_droid_r2d2_as_its_public_matrix_has_it_misses_at_the_seams():
    """Each half meets the table as a cycle, but where they join the parities do not cancel."""
    for half in (R2D2_FIRST, R2D2_SECOND):
        frames, lasting = frame_matrix(half)
        assert expected_verdicts(frames, lasting, 0.4) == (MET,) * 4
    frames, lasting = frame_matrix(f"{R2D2_FIRST} {R2D2_SECOND}")
    assert lasting.sum() == 48
    expected = expected_verdicts(frames, lasting, 0.4)
    assert expected == (MET, MET, NOT, NOT)
    conditions = decoupling_conditions(cycle(frames, 1.0 * lasting, 0.4))
    assert verdicts(conditions) == expected
    chirality = table(frames, lasting, 0.4)[3]
    assert conditions[3].residue == pytest.approx(np.pi / 2 * np.linalg.norm(chirality))


# ----------------------------------------------------------------------------------- literature
LITERATURE = [
    # offsets are scaled by WAHUHA, MREV-8, BR-24 and BLEW-12, suspended by Cory-48 and YXX; only
    # WAHUHA leaves a dipolar coupling with pulses of finite length (sequences.md §3)
    ("wahuha", "ideal", (NOT, MET, MET, MET)),
    ("wahuha", "finite", (NOT, MET, NOT, MET)),
    ("mrev8", "ideal", (NOT, MET, MET, MET)),
    ("mrev8", "finite", (NOT, MET, MET, MET)),
    ("br24", "finite", (NOT, MET, MET, MET)),
    ("blew12", "finite", (NOT, MET, MET, MET)),
    ("cory48", "ideal", (MET, MET, MET, MET)),
    ("cory48", "finite", (MET, MET, MET, MET)),
    ("yxx24", "finite", (MET, MET, MET, MET)),
    ("yxx48", "finite", (MET, MET, MET, MET)),
    # 180° pulses remove offsets, never the dipolar coupling of spins that all feel them; pulses
    # of one phase add up their errors
    ("xy4", "finite", (MET, NOT, MET, MET)),
    ("xy8", "ideal", (MET, NOT, MET, MET)),
    ("xy8", "finite", (MET, NOT, MET, MET)),
    ("xy16", "finite", (MET, NOT, MET, MET)),
    ("kdd", "ideal", (MET, NOT, MET, MET)),
    ("kdd", "finite", (MET, NOT, MET, MET)),
    ("cpmg", "finite", (MET, NOT, MET, NOT)),
]


@pytest.mark.parametrize(("name", "pulses", "met"), LITERATURE)
def test_sequences_meet_what_the_literature_says(name, pulses, met):
    frames = toggling_frames(expand(load_sequence(name), ONE, pulses=pulses), 1)
    assert verdicts(decoupling_conditions(frames)) == met


@pytest.mark.parametrize(
    ("name", "scale", "axis"),
    [
        ("wahuha", 1 / np.sqrt(3), (1, 1, 1)),
        ("mrev8", np.sqrt(2) / 3, (1, 0, 1)),
        ("br24", 2 / (3 * np.sqrt(3)), (1, 1, 1)),
        ("blew12", 2 / np.pi * np.sqrt(5) / 3, (-2, 0, 1)),
    ],
)
def test_disorder_is_left_with_the_published_scale_factor(name, scale, axis):
    frames = toggling_frames(expand(load_sequence(name), ONE), 1)
    disorder = decoupling_conditions(frames, labels=["A"])[0]
    assert disorder.residue == pytest.approx(scale)
    unit = ", ".join(f"{a:.3f}" for a in np.array(axis) / np.linalg.norm(axis))
    expected = f"the offset of A is left with {scale:.3g} of its size, along ({unit})"
    assert disorder.text == expected


def test_wahuha_leaves_the_cross_terms_of_its_pulses():
    # parity sums: zy twice and yx twice; Q_zy = Q_yx = 2 t_p/(πT), here t_p = 10 µs, T = 180 µs
    frames = toggling_frames(expand(load_sequence("wahuha"), ONE, pulses="finite"), 1)
    conditions = decoupling_conditions(frames, labels=["A"])
    expected = 3 * 2 / np.sqrt(6) * 2 * 10 / (180 * np.pi)
    assert conditions[2].residue == pytest.approx(expected)
    text = f"the length of the pulses leaves {expected:.3g} of the dipolar coupling of spins like A"
    assert conditions[2].text == text
    assert conditions[1].text == "couplings vanish but for cross terms"


def test_cpmg_turns_by_two_pi_per_pair_and_unit_of_error():
    timeline = expand(load_sequence("cpmg"), ONE, parameters={"n": "2"})
    errors = decoupling_conditions(toggling_frames(timeline, 1), labels=["A"])[3]
    assert errors.residue == pytest.approx(2 * np.pi)
    assert errors.text == (
        "flip angles 1 % too large turn A by 3.6° about (0.000, 1.000, 0.000) per period"
    )


def test_what_is_met_is_said_in_words():
    frames = toggling_frames(expand(load_sequence("cory48"), ONE, pulses="finite"), 1)
    assert [c.text for c in decoupling_conditions(frames)] == [
        "offsets vanish",
        "couplings vanish",
        "the length of the pulses adds none",
        "wrong flip angles cancel to first order",
    ]


def test_without_pulses_everything_is_left():
    frames = toggling_frames(Timeline("wait", (TimedDelay(1.0),)), 2)
    conditions = decoupling_conditions(frames, labels=["A", "B"])
    assert verdicts(conditions) == (NOT, NOT, MET, MET)
    assert residues(conditions) == pytest.approx(dict(zip(NAMES, (1, 1, 0, 0), strict=True)))
    assert conditions[1].text == "1 of the dipolar coupling A–B is left"


# ------------------------------------------------------------------------------- several spins
def chloroform_conditions(name, pulses="ideal", **roles):
    sample = load_sample("chloroform")
    timeline = expand(load_sequence(name), sample, pulses=pulses, roles=roles or None)
    nuclei = [spin.nucleus for spin in sample.spins]
    return decoupling_conditions(toggling_frames(timeline, 2), nuclei, sample.labels)


def test_pulses_on_one_nucleus_remove_its_offset_and_its_coupling():
    conditions = chloroform_conditions("xy8", "finite", I="13C")
    assert verdicts(conditions) == (MET, MET, MET, MET)
    assert conditions[0].text == "offsets of 13C vanish"
    assert conditions[3].text == "wrong flip angles of 13C cancel to first order"


def test_engineered_couplings_of_unlike_spins_are_left():
    # (XY − YX)/2: 1/√2 of ZZ, made in the delays, so that it is no cross term
    conditions = chloroform_conditions("dm")
    assert verdicts(conditions) == (NOT, NOT, MET, MET)
    assert residues(conditions)["interaction"] == pytest.approx(1 / np.sqrt(2))
    assert conditions[1].text == "0.707 of the coupling 1H–13C is left"
    finite = residues(chloroform_conditions("dm", "finite"))
    assert 1e-3 < finite["cross terms"] < 0.1


def test_like_and_unlike_pairs_have_conditions_of_their_own():
    # WAHUHA on both: the dipolar coupling of like spins vanishes, ZZ of unlike ones is σ·σ/3
    sample = load_sample("oriented_pair")
    frames = toggling_frames(expand(load_sequence("wahuha"), sample), 2)
    assert residues(decoupling_conditions(frames, ["1H", "1H"]))["interaction"] < 1e-12
    unlike = residues(decoupling_conditions(frames, ["1H", "13C"]))["interaction"]
    assert unlike == pytest.approx(1 / np.sqrt(3))


def scalar_pair(J_hz=7.0, **coupling):
    spins = tuple(Spin(label, "1H", pulse_90_s=10e-6) for label in "AB")
    return Sample("scalar", spins, (Coupling(("A", "B"), J_hz=J_hz, **coupling),))


def test_a_scalar_coupling_of_like_spins_is_called_so_and_stays_under_wahuha():
    # the average of J I·S over rotations of both spins alike is J I·S
    compiled = compile_sequence(load_sequence("wahuha"), scalar_pair())
    assert compiled.analysis.conditions[1].text == "1 of the scalar coupling A–B is left"
    dipolar = compile_sequence(load_sequence("wahuha"), scalar_pair(dipolar_hz=100.0))
    assert dipolar.analysis.conditions[1].met


def test_the_share_of_a_scalar_coupling_is_that_of_the_average():
    # spin A alone is turned by 90° halfway: the mean of I·S and of I·RS, R = a quarter turn
    events = (TimedDelay(1e-3), TimedPulse((TimedRotation(0, np.pi / 2, 0.0),)), TimedDelay(1e-3))
    conditions = decoupling_conditions(
        toggling_frames(Timeline("quarter", events), 2), labels=["A", "B"], scalar=[(0, 1)]
    )
    U = expm(-1j * np.pi / 2 * spin_operator("x", 0, 2))
    coupling = sum(spin_operator(a, 0, 2) @ spin_operator(a, 1, 2) for a in "xyz")
    mean = (coupling + U.conj().T @ coupling @ U) / 2
    found = np.hypot(*(residues(conditions)[name] for name in ("interaction", "cross terms")))
    assert found == pytest.approx(np.linalg.norm(mean) / np.linalg.norm(coupling), abs=1e-12)


def test_couplings_among_spins_without_pulses_are_left_out():
    turns = [TimedPulse((TimedRotation(0, np.pi, phase),)) for phase in (0, np.pi / 2) * 2]
    events = [event for turn in turns for event in (TimedDelay(1.0), turn)]
    frames = toggling_frames(Timeline("xy4", tuple(events)), 3)
    conditions = decoupling_conditions(frames, ["1H", "13C", "13C"])
    assert verdicts(conditions) == (MET,) * 4
    dipolar = dipolar_averages(frames)[1, 2]
    np.testing.assert_allclose(dipolar, np.diag([-1, -1, 2]), atol=1e-14)


# --------------------------------------------------------------------------- the general version
def shifted_wahuha(shift, width):
    phases = np.array([0, -90, 90, 180]) + shift
    gaps = 30e-6 * np.array([1, 1, 2, 1, 1]) - width * np.array([0.5, 1, 1, 1, 0.5])
    events = [TimedDelay(gaps[0])]
    for phase, gap in zip(np.radians(phases), gaps[1:], strict=True):
        events += [TimedPulse((TimedRotation(0, np.pi / 2, phase, width),)), TimedDelay(gap)]
    return toggling_frames(Timeline("shifted", tuple(events)), 1)


@pytest.mark.parametrize("shift", [20.0, 45.0])
def test_a_shift_of_all_phases_changes_nothing(shift):
    plain, turned = (decoupling_conditions(shifted_wahuha(s, 10e-6)) for s in (0.0, shift))
    assert residues(turned) == pytest.approx(residues(plain), abs=1e-12)
    assert verdicts(turned) == (NOT, MET, NOT, MET)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("finite", [False, True])
def test_interaction_and_cross_terms_are_the_whole_coupling(seed, finite):
    """Rotations about any axes by any angles, of two spins differently."""
    rng = np.random.default_rng(seed)
    segments = []
    for _ in range(4):
        theta = sum(
            a * spin_operator(axis, k, 2)
            for k in range(2)
            for axis, a in zip("xyz", rng.normal(scale=2, size=3), strict=True)
        )
        segments += [Segment(np.asarray(rng.uniform(0.5, 1)), np.zeros((4, 4)))]
        segments += [Segment(np.asarray(rng.uniform(0.1, 0.5) * finite), theta)]
    frames = segment_frames(segments)
    left = {
        ("1H", "1H"): np.linalg.norm(dipolar_averages(frames)[0, 1]) / np.sqrt(6),
        ("1H", "13C"): np.linalg.norm(second_moments(frames)[0, 1]),
    }
    for nuclei, size in left.items():
        found = residues(decoupling_conditions(frames, nuclei))
        assert np.hypot(found["interaction"], found["cross terms"]) == pytest.approx(size)
        assert found["cross terms"] < 1e-12  # delays contribute to every element here


# ------------------------------------------------------------------------------------ refusals
def test_names_must_be_as_many_as_spins():
    frames = toggling_frames(expand(load_sequence("wahuha"), ONE), 1)
    with pytest.raises(ArgumentError, match="must be 1, as the spins, but are 2 and 1"):
        decoupling_conditions(frames, ["1H", "1H"])
    with pytest.raises(ArgumentError, match="must be 1, as the spins, but are 1 and 3"):
        decoupling_conditions(frames, labels=["A", "B", "C"])


def test_a_batch_has_no_one_verdict():
    batch = segment_frames([Segment(np.array([1.0, 2.0]), np.zeros((2, 2)))])
    with pytest.raises(ArgumentError, match=r"must be of one sequence, but is of \(2,\)"):
        decoupling_conditions(batch)
