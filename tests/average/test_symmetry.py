"""What symmetries forbid, held against Magnus terms to order 4 and the exact logarithm."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.average import cycles_to_close, effective_hamiltonian, magnus_terms
from nmrqb.average.conserved_axes import conserved_axes
from nmrqb.average.control import control_of
from nmrqb.average.effective import branch_safe
from nmrqb.average.lie_algebra import collective
from nmrqb.average.pauli_maps import PauliMap
from nmrqb.average.selection_rules import operator_on, toggling
from nmrqb.average.symmetry import diagnose_symmetry, exchange_symmetric_pairs
from nmrqb.dynamics import Segment, timeline_segments, total_duration, unitary
from nmrqb.operators import (
    NAMED_TERMS,
    from_named,
    named_operator,
    named_terms,
    pauli,
    pauli_coefficients,
    spin_operator,
    swap,
)
from nmrqb.sample import Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence

DM, KSEA = ("DM_x", "DM_y", "DM_z"), ("KSEA_x", "KSEA_y", "KSEA_z")
ISOTROPIC = pauli("XX") + pauli("YY") + pauli("ZZ")
DIPOLAR = 3 * pauli("ZZ") - ISOTROPIC
BOTH = (0, 1)


def sample(*nuclei):
    return Sample("s", tuple(Spin(f"s{k}", nucleus) for k, nucleus in enumerate(nuclei)))


def pulse(degrees, phase, spins, n=2, duration=0.0):
    phase = np.deg2rad(phase)
    axis = np.cos(phase) * collective("x", spins, n) + np.sin(phase) * collective("y", spins, n)
    return Segment(np.asarray(duration), np.deg2rad(degrees) * axis)


def delay(duration, n=2):
    return Segment(np.asarray(duration), np.zeros((2**n, 2**n), dtype=complex))


def diagnosed(segments, drift, nuclei=("1H", "1H"), target=None):
    return diagnose_symmetry(segments, drift, sample(*nuclei), target)


def reasons(report, code):
    return [found for found in report.symmetries if found.code == code]


# ------------------------------------------------------------------------ what really comes out
def made(segments, drift):
    """Return Magnus terms to order 4 and, where it can be trusted, the exact Hamiltonian."""
    still = np.zeros_like(drift)
    passes = cycles_to_close(unitary(segments, still)) or 1
    period = passes * float(total_duration(segments))
    orders = magnus_terms(segments, drift, order=4, cycles=passes)
    if branch_safe(segments, drift, cycles=passes, period=period):
        U, U_rf = (np.linalg.matrix_power(unitary(segments, H), passes) for H in (drift, still))
        orders.append(effective_hamiltonian(U, U_rf, period))
    return orders


def leaks(report, segments, drift):
    """Return the forbidden terms that appear all the same, relative to the drift."""
    n = len(report.spins)
    size = float(np.linalg.norm(drift, 2))
    found = []
    for k, H in enumerate(made(segments, drift)):
        scale = max(float(np.linalg.norm(H, 2)), 1e-6 * size)
        for pair, names in report.forbidden.items():
            for name in names:
                term = operator_on(name, pair, n)
                value = abs(np.trace(term @ H)) / np.trace(term @ term).real
                if value > 1e-8 * scale:
                    found.append((k, pair, name, value / scale))
    return found


def weak(drift, segments):
    """Scale a drift so that the logarithm is safe."""
    return drift * 0.3 / max(np.linalg.norm(drift, 2), 1e-12) / float(total_duration(segments))


def pair_product(a, b, i, j, n):
    return 4 * spin_operator(a, i, n) @ spin_operator(b, j, n)


@st.composite
def drifts(draw, n):
    """Couplings and offsets, often of high symmetry."""
    kinds = st.sampled_from(["ZZ", "dipolar", "isotropic", "DM", "XX", "XY"])
    equal = draw(st.booleans())
    strength = st.sampled_from([1.0, 1.0, -0.7, 0.4])
    H = np.zeros((2**n, 2**n), dtype=complex)
    for kind in draw(st.lists(kinds, min_size=1, max_size=2)):
        for i in range(n):
            for j in range(i + 1, n):
                x, y, z = (pair_product(a, a, i, j, n) for a in "xyz")
                xy, yx = pair_product("x", "y", i, j, n), pair_product("y", "x", i, j, n)
                operator = {"ZZ": z, "dipolar": 2 * z - x - y, "isotropic": x + y + z,
                            "DM": xy - yx, "XX": x, "XY": xy}[kind]  # fmt: skip
                H += (1.0 if equal else draw(strength)) * operator
    offsets = draw(st.sampled_from([(0, 0, 0), (1, 1, 1), (1, -1, 0), (0.3, 0.5, 0)]))
    return H + sum(2 * nu * spin_operator("z", k, n) for k, nu in enumerate(offsets[:n]))


@st.composite
def sequences(draw, n):
    """Ideal and finite pulses, together or selective, sometimes palindromes."""
    phases = draw(st.sampled_from([(0,), (90,), (0, 90, 180, 270), (45,), (45, 135), (20, 110)]))
    angles = draw(st.sampled_from([(90,), (180,), (90, 180), (54.7,)]))
    duration = draw(st.sampled_from([0.0, 0.0, 0.3]))
    together = draw(st.booleans())
    spins = st.just(range(n)) if together else st.sets(st.integers(0, n - 1), min_size=1)
    segments = []
    for _ in range(draw(st.integers(1, 4))):
        degrees = draw(st.sampled_from(angles)) * draw(st.sampled_from([1, -1]))
        turned = sorted(draw(spins))
        segments.append(pulse(degrees, draw(st.sampled_from(phases)), turned, n, duration))
        segments.append(delay(draw(st.sampled_from([1.0, 1.0, 2.0, 0.63])), n))
    mirrored = segments[::-1]
    return segments + draw(
        st.sampled_from([[], mirrored, [replace(s, rotation=-s.rotation) for s in mirrored]])
    )


@given(data=st.data())
@settings(deadline=None, max_examples=120)
def test_what_is_forbidden_for_two_spins_never_appears(data):
    segments, drift = data.draw(sequences(2)), data.draw(drifts(2))
    drift = weak(drift, segments)
    assert leaks(diagnosed(segments, drift), segments, drift) == []


@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_what_is_forbidden_for_three_spins_never_appears(data):
    segments, drift = data.draw(sequences(3)), data.draw(drifts(3))
    drift = weak(drift, segments)
    report = diagnosed(segments, drift, ("1H", "1H", "13C"))
    assert leaks(report, segments, drift) == []


@given(data=st.data(), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_scopes_mean_what_they_say(data, seed):
    """``controls``: any angles, order and delays; ``pulses``: any delays."""
    rng = np.random.default_rng(seed)
    segments, drift = data.draw(sequences(2)), data.draw(drifts(2))
    report = diagnosed(segments, weak(drift, segments))
    delayed = [s if np.any(s.rotation) else delay(rng.uniform(0.1, 3)) for s in segments]
    turned = [s.scaled(rng.uniform(-2, 2)) for s in delayed]
    changed = {"pulses": delayed, "controls": [turned[k] for k in rng.permutation(len(turned))]}
    for scope, others in changed.items():
        kept = tuple(found for found in report.symmetries if found.scope in (scope, "controls"))
        weaker = weak(drift, others)
        assert leaks(replace(report, symmetries=kept), others, weaker) == []


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_naming_the_spins_the_other_way_round_forbids_the_same(data):
    """DM changes sign only; so does every other term of the pair, or not at all."""
    P = swap(0, 1, 2)
    segments, drift = data.draw(sequences(2)), data.draw(drifts(2))
    moved = [replace(s, rotation=P @ s.rotation @ P) for s in segments]
    assert diagnosed(segments, drift).forbidden == diagnosed(moved, P @ drift @ P).forbidden


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_two_spins_miss_nothing_that_the_algebra_excludes(data):
    from nmrqb.average.lie_algebra import toggling_algebra

    segments, drift = data.draw(sequences(2)), data.draw(drifts(2))
    algebra = toggling_algebra(segments, drift)
    excluded = {name for name in NAMED_TERMS if algebra.excludes(named_operator(name))}
    assert excluded <= set(diagnosed(segments, drift).forbidden.get(BOTH, ()))


# --------------------------------------------------------------------------- rule by rule
COLLECTIVE = [pulse(70, 0, BOTH), delay(1.0), pulse(50, 90, BOTH), delay(0.7)]


@pytest.mark.parametrize("duration", [0.0, 0.4])
def test_spins_pulsed_alike_never_make_dm(duration):
    segments = [replace(s, duration=np.asarray(duration)) if np.any(s.rotation) else s
                for s in COLLECTIVE]  # fmt: skip
    report = diagnosed(segments, DIPOLAR + 0.2 * ISOTROPIC + pauli("ZI") + pauli("IZ"))
    (found,) = report.symmetries
    assert (found.code, found.scope, found.forbids) == ("exchange", "controls", DM)
    assert "s0 and s1 feel the same rotation and the same offset" in found.message
    assert found.lifted_by == ("offsets", "selective")
    assert "by different offsets of s0 and s1, or by a selective pulse on s0 alone" in found.message


@pytest.mark.parametrize("added", ["offsets", "selective"])
def test_what_is_said_to_lift_a_rule_lifts_it(added):
    drift = DIPOLAR + 0.2 * ISOTROPIC
    more = [pulse(60, 0, [0])] if added == "selective" else []
    shift = 0.3 * pauli("ZI") if added == "offsets" else 0
    assert diagnosed(COLLECTIVE, drift).forbidden == {BOTH: DM}
    segments = [*COLLECTIVE, *more, *COLLECTIVE]
    assert diagnosed(segments, drift + shift).forbidden == {}
    values = named_terms(made(segments, weak(drift + shift, segments))[-1])
    assert min(abs(values[name]) for name in DM) > 1e-6


def test_opposite_phases_exchange_up_to_a_rotation():
    """x on one spin and −x on the other: exchanged and turned about z they are the same."""
    turn = pulse(50, 0, [0]).rotation + pulse(50, 180, [1]).rotation
    segments = [Segment(np.asarray(0.3), turn), delay(1.0), pulse(30, 90, BOTH)]
    segments = [*segments[:2], Segment(np.asarray(0.3), turn), delay(0.4)]
    report = diagnosed(segments, pauli("ZZ"))
    assert {"KSEA_z", "DM_y"} <= set(report.forbidden[BOTH])
    assert leaks(report, segments, weak(pauli("ZZ"), segments)) == []


@pytest.mark.parametrize(
    ("phase", "word", "forbids"),
    [
        (0, "turning all spins by 180° about x", ("DM_y", "DM_z", "KSEA_y", "KSEA_z", "B")),
        (90, "turning all spins by 180° about y", ("DM_x", "DM_z", "KSEA_x", "KSEA_z", "B")),
        (45, "turning all spins by 180° about the axis of phase 45°", ("DM_z", "epsilon", "B")),
        (20, "turning all spins by 180° about the axis of phase 20°", ("DM_z", "B")),
    ],
)
def test_pulses_about_one_axis_keep_the_parity_about_it(phase, word, forbids):
    segments = [pulse(37, phase, [0], duration=0.1), delay(1.0), pulse(61, phase, [1]), delay(0.3)]
    (found,) = reasons(diagnosed(segments, pauli("ZZ")), "parity")
    assert (found.scope, found.forbids) == ("controls", forbids)
    assert word[1:] in found.message


def test_a_spin_that_is_not_pulsed_keeps_its_axis():
    segments = [pulse(70, 0, [0]), delay(1.0), pulse(50, 90, [0]), delay(0.7)]
    report = diagnosed(segments, pauli("ZZ") + pauli("ZI"), ("1H", "13C"))
    found = reasons(report, "conserved-axis")[0]
    assert "The spin of s1 about z commutes with controls and drift" in found.message
    assert found.forbids == ("DM_z", "KSEA_z", "epsilon")
    assert found.lifted_by == ("channels",)


def test_without_pulses_the_total_z_is_conserved():
    report = diagnosed([delay(1.0)], DIPOLAR + ISOTROPIC + 0.3 * pauli("ZI"))
    found = reasons(report, "conserved-axis")[0]
    assert "The total spin about z" in found.message
    assert found.forbids == ("DM_x", "DM_y", *KSEA, "epsilon")


def test_rotation_invariant_couplings_stay_so():
    report = diagnosed(COLLECTIVE, ISOTROPIC)
    found = reasons(report, "conserved-axis")[0]
    assert "The total spin commutes with" in found.message
    assert set(report.forbidden[BOTH]) == set(NAMED_TERMS) - {"isotropic"}


def test_a_double_quantum_drift_conserves_a_difference():
    report = diagnosed(
        [delay(1.0)], pauli("XX") - pauli("YY") + 0.2 * pauli("XY") + 0.2 * pauli("YX")
    )
    (found,) = reasons(report, "conserved-axis")
    assert "+1·I_z(s0) -1·I_z(s1)" in found.message.replace("-1·I_z(s0) +1·I_z(s1)", "")
    assert {"DM_z", "isotropic", "Delta", "B"} <= set(report.forbidden[BOTH])


@pytest.mark.parametrize(
    ("operators", "count"),
    [([DIPOLAR], 1), ([ISOTROPIC], 3), ([pauli("ZZ")], 2), ([pauli("XI")], 4),
     ([pauli("ZZ"), pauli("XX")], 0), ([pauli("ZZ"), pauli("XI")], 1)],
)  # fmt: skip
def test_conserved_axes_are_counted(operators, count):
    assert len(conserved_axes(np.array(operators))) == count


def test_what_the_drift_lacks_and_commutes_with_everything_never_comes():
    """Dipolar couplings under collective pulses: no isotropic part, ever."""
    report = diagnosed(COLLECTIVE, DIPOLAR)
    (found,) = reasons(report, "constant-of-motion")
    assert found.forbids == ("isotropic",)
    assert reasons(diagnosed(COLLECTIVE, DIPOLAR + 0.1 * ISOTROPIC), "constant-of-motion") == []


def test_time_reversal_that_inverts_the_drift_forbids_what_it_keeps():
    """Imaginary Hamiltonians under turns about y stay imaginary: so(4), no real term ever."""
    segments = [delay(0.7), pulse(70, 90, [0], duration=0.2), delay(1.0), pulse(40, 90, [1])]
    drift = pauli("XY") + 0.4 * pauli("YI") + 0.3 * pauli("ZY") + 0.2 * pauli("YZ")
    report = diagnosed(segments, drift)
    (found,) = report.symmetries
    assert (found.code, found.scope) == ("time-reversal", "controls")
    assert found.forbids == ("DM_y", "KSEA_y", "isotropic", "Delta", "epsilon", "B")
    assert report.pulse_dimension == 6
    orders = made(segments, weak(drift, segments))
    assert max(np.abs(H.real).max() for H in orders) < 1e-12
    assert min(np.abs(H.imag).max() for H in orders) > 1e-9


def test_time_reversal_that_keeps_the_drift_forbids_nothing_by_itself():
    """All frames of ZZ are even under reversal, but the first order is odd and does appear."""
    segments = [delay(1.0), pulse(90, 0, [0]), delay(0.6), pulse(-90, 0, [0])]
    drift = pauli("ZZ") + 0.4 * pauli("XX")
    first, second = made(segments, weak(drift, segments))[:2]
    reverse = np.array([(-1) ** sum(c != "I" for c in s) for s in
                        [a + b for a in "IXYZ" for b in "IXYZ"]])  # fmt: skip
    np.testing.assert_allclose(pauli_coefficients(first)[reverse < 0], 0, atol=1e-12)
    np.testing.assert_allclose(pauli_coefficients(second)[reverse > 0], 0, atol=1e-12)
    assert np.linalg.norm(second) > 1e-4
    assert reasons(diagnosed(segments, drift), "mirrored-reversal") == []


def test_in_a_palindrome_reversal_forbids_what_it_inverts():
    half = [delay(1.0), pulse(40, 0, [0]), delay(0.6), pulse(70, 90, [1]), delay(0.4)]
    back = [replace(s, rotation=-s.rotation) for s in half[::-1]]
    drift = pauli("ZZ") + 0.3 * pauli("XX") + 0.2 * pauli("XY")
    report = diagnosed([*half, *back], drift)
    (found,) = reasons(report, "mirrored-reversal")
    assert (found.forbids, found.scope) == (("B",), "timing")
    assert "B" not in diagnosed(half, drift).forbidden.get(BOTH, ())
    assert found.lifted_by == ("timing",)


def test_a_drift_undone_in_the_second_half_makes_nothing():
    """H̃(T − t) = −H̃(t) by 180° pulses on one spin: every order vanishes."""
    segments = [delay(1.0), pulse(180, 0, [0]), delay(1.0), pulse(-180, 0, [0])]
    drift = pauli("ZZ") + pauli("ZI")
    report = diagnosed(segments, drift)
    assert set(report.forbidden[BOTH]) == set(NAMED_TERMS)
    assert reasons(report, "mirrored-inversion")
    assert all(np.linalg.norm(H) < 1e-12 for H in made(segments, weak(drift, segments)))


def test_without_couplings_or_offsets_nothing_is_made():
    report = diagnosed(COLLECTIVE, np.zeros((4, 4), dtype=complex), target=pauli("XY"))
    assert set(report.forbidden[BOTH]) == set(NAMED_TERMS)
    assert (report.pulse_dimension, report.dimension) == (0, 3)
    assert report.target.controls == pytest.approx(1)


def test_a_long_cycle_is_not_searched_for_mirrors():
    """More than 500 pieces: less is claimed, nothing false."""
    half = [delay(1.0), pulse(40, 0, [0]), delay(0.6), pulse(70, 90, [1]), delay(0.4)]
    back = [replace(s, rotation=-s.rotation) for s in half[::-1]]
    drift = pauli("ZZ") + 0.3 * pauli("XX") + 0.2 * pauli("XY")
    assert diagnosed([*half, *back], drift).forbidden == {BOTH: ("B",)}
    assert diagnosed([*half, *back] * 51, drift).forbidden == {}


def test_where_a_delay_is_cut_does_not_count():
    half = [delay(1.0), pulse(40, 0, [0]), delay(0.6), pulse(70, 90, [1]), delay(0.4)]
    back = [replace(s, rotation=-s.rotation) for s in half[::-1]]
    cut = [delay(0.3), delay(0.7), *half[1:], *back]
    drift = pauli("ZZ") + 0.3 * pauli("XX") + 0.2 * pauli("XY")
    assert diagnosed(cut, drift).forbidden == diagnosed([*half, *back], drift).forbidden


def test_terms_without_a_named_symmetry_are_found_by_the_algebra():
    """X₁ + Z₁Z₂ + X₂ in one frame commutes with nothing simple, but with itself: one direction."""
    drift = pauli("XI") + pauli("ZZ") + 0.7 * pauli("IX") + 0.4 * pauli("XY") + 0.3 * pauli("YI")
    report = diagnosed([delay(1.0)], drift)
    assert report.pulse_dimension == 1
    left = reasons(report, "lie-algebra")
    assert left
    assert "orthogonal to the drift in every frame of these pulses" in left[0].message


# -------------------------------------------------------------------------- literature_dm
def literature(sample_name, roles=None, **changes):
    found = load_sample(sample_name)
    spins = tuple(replace(spin, **changes) for spin in found.spins)
    found = replace(found, spins=spins)
    timeline = expand(load_sequence("literature_dm"), found, pulses="ideal")
    drift = internal_hamiltonian(found)
    return control_of(timeline_segments(timeline, found), drift).segments, drift, found


@pytest.mark.parametrize(
    ("name", "lifts"),
    [("chloroform", ("offsets", "channels")), ("oriented_pair", ("offsets", "selective"))],
)
def test_literature_dm_cannot_make_dm_on_any_pair(name, lifts):
    segments, drift, found = literature(name, offset_hz=0.0)
    target = from_named({"DM_z": 1.0})
    report = diagnose_symmetry(segments, drift, found, target)
    assert report.dimension == 9  # ZZ, or dipolar with J: collective pulses
    assert report.full_dimension == 15
    (exchange,) = reasons(report, "exchange")
    assert exchange.forbids == DM
    assert exchange.scope == "controls"
    assert exchange.lifted_by == lifts
    assert (report.target.pulses, report.target.controls) == pytest.approx((1, 1))
    assert not report.target.inside
    assert report.target.lifted_by == lifts
    assert "100 % of the target" in report.target.message
    orders = made(segments, drift * 0.1)
    values = [abs(named_terms(H)[name]) for H in orders for name in DM]
    assert max(values) < 1e-9 * np.linalg.norm(drift)


def test_literature_dm_with_pulses_on_one_spin_makes_dm_and_ksea_along_x_and_y():
    """⅓(−XZ + YZ + ZZ) over three passes, and never a DM_z: spin 2 keeps its z."""
    segments, drift, found = literature("chloroform", offset_hz=0.0)
    only = [replace(s, rotation=(s.rotation + _flip(s.rotation)) / 2) for s in segments]
    zeroth = made(only, drift)[0] / drift[0, 0].real
    np.testing.assert_allclose(zeroth, (pauli("ZZ") + pauli("YZ") - pauli("XZ")) / 3, atol=1e-12)
    report = diagnose_symmetry(only, drift, found, from_named({"DM_z": 1.0}))
    assert report.dimension == 6
    assert {"DM_z", "KSEA_z", "epsilon"} <= set(report.forbidden[BOTH])
    assert not {"DM_x", "DM_y", "KSEA_x", "KSEA_y"} & set(report.forbidden[BOTH])
    assert report.target.lifted_by == ("channels",)


def _flip(rotation):
    """Invert the rotation of the second spin."""
    Z = pauli("IZ")
    flipped = Z @ rotation @ Z
    assert np.allclose(rotation[:2, :2], -flipped[:2, :2])
    return flipped


def test_unequal_finite_pulses_break_the_rule():
    found = load_sample("chloroform")
    timeline = expand(load_sequence("literature_dm"), found, pulses="finite")
    report = diagnose_symmetry(
        timeline_segments(timeline, found), internal_hamiltonian(found), found
    )
    assert report.forbidden == {}
    assert report.pulse_dimension == 15


def test_a_target_that_is_made_is_inside():
    found = load_sample("chloroform")
    timeline = expand(load_sequence("dm"), found, pulses="ideal")
    report = diagnose_symmetry(
        timeline_segments(timeline, found), internal_hamiltonian(found), found,
        from_named({"DM_z": 26.9}),
    )  # fmt: skip
    assert report.target.inside
    assert report.target.pulses < 1e-9
    assert report.target.lifted_by == ()
    assert report.pulse_dimension == 2  # XY and −YX commute
    assert "DM_z" not in report.forbidden[BOTH]


def test_a_target_half_inside_is_measured():
    report = diagnosed(
        COLLECTIVE, DIPOLAR + 0.2 * ISOTROPIC, target=from_named({"DM_z": 3, "KSEA_z": 4})
    )
    assert report.target.controls == pytest.approx(0.6)
    assert "60 % of the target" in report.target.message


# ----------------------------------------------------------------------------- more spins
def heisenberg(n):
    """A ring of equal bonds."""
    bonds = ((k, (k + 1) % n) for k in range(n))
    return sum(pair_product(a, a, i, j, n) for i, j in bonds for a in "xyz")


def test_above_four_spins_symmetries_speak_alone():
    n = 5
    segments = [pulse(70, 0, range(n), n), delay(1.0, n), pulse(50, 90, range(n), n), delay(0.3, n)]
    ising = sum(pair_product("z", "z", k, k + 1, n) for k in range(n - 1))
    report = diagnose_symmetry(segments, ising, sample(*["1H"] * n), pauli("ZZIII"))
    assert (report.dimension, report.target, report.full_dimension) == (None, None, 1023)
    # the chain reads the same from both ends
    assert set(report.forbidden) == {(0, 4), (1, 3)}
    assert report.forbidden[0, 4] == DM


def test_each_part_of_a_term_may_have_its_own_parity():
    """XX, YY and ZZ of the ends are odd under different turns of single spins."""
    n = 5
    z = [pauli("ZZIII"), pauli("IIZZI"), pauli("IIIIZ")]
    report = diagnose_symmetry([delay(1.0, n)], sum(z), sample(*["1H"] * n))
    assert "isotropic" in report.forbidden[0, 4]
    assert "isotropic" not in report.forbidden.get((0, 1), ())


def test_six_spins_take_seconds():
    n = 6
    rng = np.random.default_rng(0)
    drift = sum(rng.normal() * pair_product("z", "z", i, j, n) for i in range(n) for j in range(i))
    segments = []
    for phase, sign in [(0, 1), (90, -1), (90, 1), (0, -1)]:
        segments += [delay(1.0, n), pulse(sign * 90, phase, range(n), n)]
    began = time.process_time()
    report = diagnose_symmetry(segments, drift, sample(*["1H"] * n))
    assert time.process_time() - began < 10
    assert set(DM) <= set(report.forbidden[0, 5])


def test_two_spins_take_milliseconds():
    segments, drift, found = literature("chloroform", offset_hz=0.0)
    target = from_named({"DM_z": 1.0})
    diagnose_symmetry(segments, drift, found, target)
    began = time.process_time()
    for _ in range(10):
        diagnose_symmetry(segments, drift, found, target)
    assert (time.process_time() - began) / 10 < 0.05


def test_a_field_that_goes_on_does_not_close_the_cycle():
    """The pulses close in two passes; a turn of 120° a pass in the drift does not make it six."""
    field = Segment(
        np.zeros(()), np.zeros((4, 4), dtype=complex), evolution=np.pi / 3 * pauli("ZI")
    )
    segments = [delay(1.0), pulse(180, 0, BOTH), field]
    assert len(toggling(segments, pauli("ZZ") + pauli("XX")).pieces) == 4


def test_a_field_that_goes_on_is_part_of_what_can_be_made():
    field = Segment(np.zeros(()), np.zeros((4, 4), dtype=complex), evolution=0.1 * pauli("XI"))
    report = diagnosed([delay(1.0), field], pauli("ZZ"), target=pauli("YZ"))
    assert (report.pulse_dimension, report.dimension) == (3, 3)
    assert report.target.inside
    assert not diagnosed([delay(1.0)], pauli("ZZ"), target=pauli("YZ")).target.inside


# ------------------------------------------------------------------------ the maps themselves
def matrix_image(found, A):
    """M A by matrices: permute, turn by Q, and for time reversal σ_y-conjugate."""
    n = len(found.permutation)
    if found.antiunitary:
        Y = pauli("Y" * n)
        A = Y @ A.conj() @ Y
    tensor = A.reshape((2,) * (2 * n))
    order = np.argsort(found.permutation)
    A = tensor.transpose([*order, *(n + order)]).reshape(2**n, 2**n)
    Q = pauli(found.letters)
    return Q @ A @ Q


@given(
    permutation=st.permutations(range(3)),
    string=st.integers(0, 63),
    antiunitary=st.booleans(),
    sign=st.sampled_from([1, -1]),
    seed=st.integers(0, 100),
)
@settings(deadline=None, max_examples=60)
def test_maps_of_pauli_coefficients_are_maps_of_matrices(
    permutation, string, antiunitary, sign, seed
):
    rng = np.random.default_rng(seed)
    found = PauliMap(tuple(permutation), string, antiunitary, sign=sign)
    A = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    A = A + A.conj().T
    before = pauli_coefficients(A).real[None]
    after = pauli_coefficients(sign * matrix_image(found, A)).real[None]
    assert found.holds(before, after)
    assert not found.holds(before, -after)
    assert not replace(found, string=string ^ 3).holds(before, after)


# ------------------------------------------------------------------ exchange_symmetric_pairs
def test_a_field_on_one_spin_breaks_the_exchange():
    field = Segment(np.zeros(()), np.zeros((4, 4), dtype=complex), evolution=0.1 * pauli("ZI"))
    assert exchange_symmetric_pairs([delay(1.0)], pauli("ZZ")) == [BOTH]
    assert exchange_symmetric_pairs([delay(1.0), field], pauli("ZZ")) == []
