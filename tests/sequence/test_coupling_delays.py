"""Delays by the angle of a coupling, and the 180° pulses that leave only that coupling."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.errors import InputError
from nmrqb.operators import spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    CouplingDelay,
    Sequence,
    TimedDelay,
    TimedPulse,
    Timing,
    expand,
    load_sequence,
)
from nmrqb.sequence.refocusing import refocused, walsh_rows

NUCLEI = ("1H", "13C", "19F", "31P", "29Si")
LABELS = "ABCDE"


def molecule(n, offsets=True, coupling=215.0):
    """n unlike spins that all couple, with offsets; J of A and B is ``coupling``."""
    spins = tuple(
        Spin(LABELS[k], NUCLEI[k], 60.0 * (k + 1) * (-1) ** k * offsets, pulse_90_s=(8 + k) * 1e-6)
        for k in range(n)
    )
    pairs = itertools.combinations(range(n), 2)
    couplings = [Coupling((LABELS[i], LABELS[j]), 17.0 * (i + 1) - 29.0 * j) for i, j in pairs]
    return Sample("made", spins, (Coupling(("A", "B"), coupling), *couplings[1:]))


def wait(angle, refocus=None, roles=("I", "S"), **fields):
    names = dict.fromkeys(roles, "any")
    return Sequence("made", names, (CouplingDelay(angle, roles, refocus),), **fields)


def played(timeline, sample):
    return unitary(timeline_segments(timeline, sample), internal_hamiltonian(sample))


def zz(angle, n, pair=(0, 1)):
    """exp(−iθ 2I_zS_z)"""
    first, second = (spin_operator("z", k, n) for k in pair)
    return expm(-2j * angle * first @ second)


# --------------------------------------------------------------------------------- the angle
@given(st.floats(-800, 800), st.sampled_from([215.0, -215.0, 1.5, -1e4]))
@settings(deadline=None, max_examples=60)
def test_an_angle_of_a_coupling_is_exp_of_2IzSz(degrees, coupling):
    sample = molecule(2, offsets=False, coupling=coupling)
    timeline = expand(wait(f"{degrees!r} deg"), sample)
    U = played(timeline, sample)
    assert infidelity(U, zz(math.radians(degrees), 2)) < 1e-18
    assert timeline.free_evolution_s >= 0


@pytest.mark.parametrize(
    ("degrees", "coupling", "periods"),
    [
        (90, 200.0, 1 / 2), (45, 200.0, 1 / 4), (360, 200.0, 2), (540, 200.0, 3),
        (90, -200.0, 3 / 2),  # −270° is the same angle
        (-90, -200.0, 1 / 2), (-90, 200.0, 3 / 2), (0, -200.0, 0),
    ],
)  # fmt: skip
def test_it_is_the_shortest_time(degrees, coupling, periods):
    timeline = expand(wait(f"{degrees} deg"), molecule(2, coupling=coupling))
    assert timeline.free_evolution_s == pytest.approx(periods / 200)


@pytest.mark.parametrize(
    ("delay", "spins"),
    [
        ("t of J", "{I: any, S: any}"),
        ("'t of J(I,S)'", "{I: any, S: any, K: any}"),
        ("{angle: 2*t/2, coupling: 'J(S, I)'}", "{I: any, S: any, K: any}"),
    ],
)
def test_as_a_file_writes_it(tmp_path, monkeypatch, delay, spins):
    monkeypatch.chdir(tmp_path)
    text = f"""format: nmrqb-sequence/1
spins: {spins}
parameters: {{t: 90 deg}}
sequence: [{{delay: {delay}}}, {{pulse: {{1H: 0 x, 13C: 0 x, 19F: 0 x}}}}]
"""
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    timeline = expand(load_sequence("s.yaml"), molecule(3))
    assert timeline.free_evolution_s == pytest.approx(1 / (2 * 215))


@pytest.mark.parametrize(
    ("angle", "roles", "spins", "couplings", "message"),
    [
        ("5 ms", ("I", "S"), 2, None, "`5 ms` is a time, but must be an angle"),
        ("90 deg", ("I", "I"), 2, None, r"`J\(I,I\)` names one spin twice"),
        ("90 deg", ("I", "Q"), 2, None, "there is no role `Q`"),
        ("90 deg", (), 3, None, "`J` needs exactly two roles, but there are 3"),
        (
            "90 deg",
            ("I", "S"),
            2,
            (),
            "`A` and `B` have no scalar coupling, so that it never turns",
        ),
        (
            "90 deg",
            ("I", "S"),
            2,
            (Coupling(("A", "B"), 215.0, dipolar_hz=1.0),),
            "`A` and `B` have more than a scalar coupling; give a time instead",
        ),
    ],
)
def test_faults(angle, roles, spins, couplings, message):
    sample = molecule(spins)
    sample = sample if couplings is None else replace(sample, couplings=couplings)
    names = dict.fromkeys("ISK"[:spins], "any")
    with pytest.raises(InputError, match=message):
        expand(Sequence("made", names, (CouplingDelay(angle, roles),)), sample)


# ----------------------------------------------------------------------------------- patterns
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 13, 16])
def test_walsh_rows(count):
    rows = walsh_rows(count)
    length = rows.shape[1]
    assert length == 2 ** math.ceil(math.log2(count))
    np.testing.assert_array_equal(rows @ rows.T, length * np.eye(count))
    np.testing.assert_array_equal(np.abs(rows), 1)
    changes = [sum(a != b for a, b in itertools.pairwise(row)) for row in rows.tolist()]
    assert changes == list(range(count))


@pytest.mark.parametrize("include_pair", [False, True])
@pytest.mark.parametrize(("n", "pair"), [(2, (0, 1)), (3, (0, 2)), (4, (2, 1)), (5, (1, 4))])
def test_a_pattern_averages_all_but_the_coupling_of_the_pair(n, pair, include_pair):
    pattern = refocused(n, pair, include_pair=include_pair)
    signs, course = np.ones(n), []
    for flipped in pattern:
        course.append(signs.copy())
        signs[list(flipped)] *= -1
    np.testing.assert_array_equal(signs, 1)  # every spin is turned an even number of times
    mean = np.mean(course, axis=0)
    kept = np.zeros(n)
    kept[list(pair)] = not include_pair
    np.testing.assert_array_equal(mean, kept)
    products = np.mean([np.outer(s, s) for s in course], axis=0)
    wanted = np.eye(n)
    wanted[pair[0], pair[1]] = wanted[pair[1], pair[0]] = 1
    np.testing.assert_array_equal(products, wanted)


# -------------------------------------------------------------------------------- propagators
@pytest.mark.parametrize("refocus", ["couplings", "all"])
@pytest.mark.parametrize(("n", "pair"), [(2, "AB"), (3, "AB"), (3, "CA"), (4, "AB"), (4, "BD")])
@pytest.mark.parametrize("degrees", [90, -45])
def test_only_the_coupling_is_left(n, pair, refocus, degrees):
    sample = molecule(n)
    roles = dict(zip("IS", pair, strict=True))
    timeline = expand(wait(f"{degrees} deg", refocus), sample, roles=roles)
    spins = tuple(LABELS.index(label) for label in pair)
    expected = zz(math.radians(degrees), n, spins)
    T = timeline.free_evolution_s
    coupling = sample.coupling(*pair).J_hz
    assert pytest.approx((degrees / 180 / coupling) % (2 / abs(coupling))) == T
    if refocus == "couplings":  # the offsets of the two go on
        for k in spins:
            turned = 2 * math.pi * sample.spins[k].offset_hz * T
            expected = expm(-1j * turned * spin_operator("z", k, n)) @ expected
    assert infidelity(played(timeline, sample), expected) < 1e-20


@pytest.mark.parametrize("refocus", ["couplings", "all"])
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_spin_is_inverted_an_even_number_of_times_about_x_and_minus_x(n, refocus):
    events = expand(wait("90 deg", refocus), molecule(n)).events
    rotations = [r for e in events if isinstance(e, TimedPulse) for r in e.rotations]
    assert all(r.angle == pytest.approx(math.pi) for r in rotations)
    for k in range(n):
        phases = [r.phase for r in rotations if r.spin == k]
        assert phases == [0, math.pi] * (len(phases) // 2)
        assert bool(phases) == (refocus == "all" or k > 1)


@pytest.mark.parametrize("refocus", ["couplings", "all"])
def test_finite_pulses_approach_the_ideal_ones_linearly(refocus):
    sample = molecule(4)
    ideal = played(expand(wait("90 deg", refocus), sample), sample)
    errors = []
    for shrink in (1e-2, 1e-3):
        spins = tuple(replace(s, pulse_90_s=s.pulse_90_s * shrink) for s in sample.spins)
        fast = replace(sample, spins=spins)
        U = played(expand(wait("90 deg", refocus), fast, pulses="finite"), fast)
        errors.append(math.sqrt(infidelity(U, ideal)))
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.05)
    assert errors[0] > 1e-6


def test_centred_delays_keep_the_whole_time_with_finite_pulses():
    sample = molecule(4)
    for centred, pulses in [(True, "ideal"), (True, "finite"), (False, "finite")]:
        timing = Timing(centred=centred)
        timeline = expand(wait("90 deg", "all", timing=timing), sample, pulses=pulses)
        whole = sum(event.duration for event in timeline.events)
        added = sum(e.duration for e in timeline.events if isinstance(e, TimedPulse))
        # the pattern ends with pulses, of which half stands beyond the last delay
        last = timeline.events[-1].duration if isinstance(timeline.events[-1], TimedPulse) else 0
        assert whole == pytest.approx(1 / (2 * 215) + (last / 2 if centred else added))
        assert (added > 0) == (pulses == "finite")


def test_a_delay_without_pulses_is_one_delay():
    assert expand(wait("90 deg", "couplings"), molecule(2)).events == (TimedDelay(1 / 430),)
