"""What the shipped sequences make of a sample, and what no collective sequence can make."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.average import (
    compile_batch,
    compile_sequence,
    compile_timeline,
    magnus_terms,
    target_hamiltonian,
)
from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.errors import ArgumentError
from nmrqb.files import library
from nmrqb.operators import NAMED_TERMS, named_terms, pauli, pauli_coefficients, pauli_strings
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    Delay,
    Pulse,
    Rotation,
    Sequence,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    Timeline,
    expand,
    load_sequence,
)

J = 215.13  # chloroform, Hz
DM = ("DM_x", "DM_y", "DM_z")
NOT_CYCLIC, FORBIDDEN = "not-cyclic", "dm-forbidden-by-exchange-symmetry"
CHLOROFORM = load_sample("chloroform")


def compiled(name, sample=CHLOROFORM, **options):
    return compile_sequence(load_sequence(name), sample, **options)


def codes(average):
    return {found.code for found in average.diagnosis}


def with_offsets(*offsets):
    spins = tuple(
        replace(spin, offset_hz=nu) for spin, nu in zip(CHLOROFORM.spins, offsets, strict=True)
    )
    return replace(CHLOROFORM, spins=spins)


def with_pulses(*lengths):
    spins = tuple(
        replace(spin, pulse_90_s=t) for spin, t in zip(CHLOROFORM.spins, lengths, strict=True)
    )
    return replace(CHLOROFORM, spins=spins)


def all_hamiltonians(average):
    return [order.hamiltonian_hz for order in average.orders] + [average.exact_hz]


def close(named, expected, tolerance=1e-9):
    """Each named term as expected (others 0), all within ``tolerance`` Hz."""
    return all(abs(named[k] - expected.get(k, 0.0)) < tolerance for k in (*NAMED_TERMS, "other"))


# ---------------------------------------------------------------------------- DM and KSEA
@pytest.mark.parametrize(("name", "term"), [("dm", "DM_z"), ("ksea", "KSEA_z")])
def test_engineered_coupling_is_j_over_eight_and_alone(name, term):
    average = compiled(name)
    assert average.named[term] == pytest.approx(J / 8, rel=1e-9)
    assert close(average.named, {term: J / 8})
    assert average.target.met


@pytest.mark.parametrize(("name", "term"), [("dm", "DM_z"), ("ksea", "KSEA_z")])
def test_engineered_coupling_stands_in_zeroth_order_already(name, term):
    # XY and YX commute: the average is exact and every correction vanishes
    average = compiled(name)
    assert close(named_terms(average.orders[0].hamiltonian_hz), {term: J / 8})
    for order in average.orders[1:]:
        assert np.linalg.norm(order.hamiltonian_hz) < 1e-9


@pytest.mark.parametrize("name", ["dm", "ksea"])
def test_engineered_sequences_are_cyclic_and_clean(name):
    average = compiled(name)
    assert (average.cyclic, average.cycles_to_close, codes(average)) == (True, 1, set())


@pytest.mark.parametrize("t", ["0.1 ms", "1 ms", "3 ms"])
def test_engineered_coupling_does_not_depend_on_the_delay(t):
    assert close(compiled("dm", parameters={"t": t}).named, {"DM_z": J / 8})


def test_durations_count_pulses_in_one_and_leave_them_out_of_the_other():
    average = compiled("dm", pulses="finite")
    assert average.free_evolution_s == pytest.approx(2 / (4 * J))
    assert average.duration_s == pytest.approx(2 / (4 * J) + 4 * 77e-6)


@pytest.mark.parametrize(
    ("D", "G"), [(20.0, 5.0), (13.4, 0.0), (7.0, 7.0), (10.0, -4.0), (40.0, 9.0)]
)
def test_weighted_dm_and_ksea_realise_their_propagator(D, G):
    # the target says time: T, whatever the pass lasts (here 8DT/J)
    T = 1.5e-3
    sequence, settings = load_sequence("dm_ksea"), {"D": f"{D} Hz", "G": f"{G} Hz", "T": f"{T} s"}
    average = compile_sequence(sequence, CHLOROFORM, parameters=settings)
    timeline = expand(sequence, CHLOROFORM, parameters=settings)
    U = unitary(timeline_segments(timeline, CHLOROFORM), internal_hamiltonian(CHLOROFORM))
    H = D * (pauli("XY") - pauli("YX")) + G * (pauli("XY") + pauli("YX"))
    assert infidelity(U, expm(-2j * np.pi * H * T)) < 1e-24
    assert average.duration_s == pytest.approx(8 * D * T / J)
    assert average.target.met
    assert average.target.infidelity < 1e-24


def test_weighted_dm_and_ksea_name_the_average_of_their_own_duration():
    D, G, T = 20.0, 5.0, 1.5e-3
    average = compiled("dm_ksea", parameters={"D": "20 Hz", "G": "5 Hz", "T": "1.5 ms"})
    weaker = T / (8 * D * T / J)
    assert close(average.named, {"DM_z": D * weaker, "KSEA_z": G * weaker})


def test_target_with_a_time_that_is_missed_is_not_met():
    sequence = replace(load_sequence("dm_ksea"), target={"DM_z": "D", "KSEA_z": "1.001*G"})
    target = compile_sequence(sequence, CHLOROFORM).target
    assert not target.met
    # XY and YX both carry G: the 2-norm of the difference is √2 · 0.001 G, with G = J/32
    assert target.error_hz == pytest.approx(np.sqrt(2) * 0.001 * J / 32)


def test_wrong_claim_is_measured_in_hz():
    sequence = replace(load_sequence("dm"), target={"DM_z": "J/9"})
    target = compile_sequence(sequence, CHLOROFORM).target
    assert not target.met
    assert target.error_hz == pytest.approx(np.sqrt(2) * (J / 8 - J / 9))


def test_tolerance_of_a_claim_is_a_millionth_of_its_norm():
    claims = {f"J/8*(1 + {error})": error < 1e-6 for error in (0.9e-6, 1.1e-6)}
    for claim, met in claims.items():
        sequence = replace(load_sequence("dm"), target={"DM_z": claim})
        assert compile_sequence(sequence, CHLOROFORM).target.met is met


# -------------------------------------------------------------------------- literature_dm
def test_literature_sequence_makes_no_dm_at_any_order():
    for hamiltonian in all_hamiltonians(compiled("literature_dm", order=4)):
        named = named_terms(hamiltonian)
        assert max(abs(named[k]) for k in DM) < 1e-9


def test_literature_sequence_makes_isotropic_exchange_over_three_passes():
    # physics.md, erratum 1: ⅓(XX + YY + ZZ) of J/4
    average = compiled("literature_dm")
    assert close(named_terms(average.orders[0].hamiltonian_hz), {"isotropic": J / 12})
    assert close(named_terms(average.exact_hz), {"isotropic": J / 12})
    assert close(average.named, {"isotropic": J / 12})


def test_literature_sequence_closes_after_three_passes_and_is_diagnosed():
    average = compiled("literature_dm")
    assert (average.cyclic, average.cycles_to_close) == (False, 3)
    assert codes(average) == {NOT_CYCLIC, FORBIDDEN}
    assert not average.target.met


def test_one_pass_of_the_literature_sequence_averages_zz_to_quarters():
    # erratum 1: ¼XX + ½YY + ¼ZZ in the frame of one pass
    segments = timeline_segments(expand(load_sequence("literature_dm"), CHLOROFORM), CHLOROFORM)
    (zeroth,) = magnus_terms(segments, internal_hamiltonian(CHLOROFORM) / (2 * np.pi), order=0)
    values = pauli_coefficients(zeroth).real.round(9)
    nonzero = {p: c for p, c in zip(pauli_strings(2), values, strict=True) if c}
    assert nonzero == pytest.approx({"XX": J / 16, "YY": J / 8, "ZZ": J / 16})


@pytest.mark.parametrize("role", ["I", "S"])
def test_literature_pulses_on_one_spin_alone_average_to_three_thirds(role):
    # erratum 1: with pulses on spin 1 only, ⅓(−XZ + YZ + ZZ) at zeroth order
    sequence = load_sequence("literature_dm")
    events = tuple(
        replace(e, rotations={role: e.rotations[role]}) if isinstance(e, Pulse) else e
        for e in sequence.events
    )
    roles = {role: "any"}
    sequence = replace(
        sequence, events=events, target={}, roles=roles, parameters={"t": f"{1 / (40 * J)!r} s"}
    )
    average = compile_sequence(sequence, CHLOROFORM, roles={role: "1H" if role == "I" else "13C"})
    values = pauli_coefficients(average.orders[0].hamiltonian_hz).real.round(9)
    names = (p if role == "I" else p[::-1] for p in pauli_strings(2))
    nonzero = {p: c for p, c in zip(names, values, strict=True) if c}
    assert nonzero == pytest.approx({"XZ": -J / 12, "YZ": J / 12, "ZZ": J / 12})


@pytest.mark.parametrize(("fraction", "safe"), [("1/(7*J)", True), ("1/(5*J)", False)])
def test_logarithm_of_the_literature_sequence_holds_up_to_a_sixth_of_the_period(fraction, safe):
    # erratum 1: exact equals zeroth order while τ < 1/(6J)
    average = compiled("literature_dm", parameters={"t": fraction})
    assert average.branch_safe is safe
    assert close(named_terms(average.exact_hz), {"isotropic": J / 12}) is safe


def test_wrapped_logarithm_gives_way_to_the_series():
    # erratum 1: at τ = 1/(4J) three passes are the identity and the logarithm wraps to 0
    average = compiled("literature_dm", parameters={"t": "1/(4*J)"})
    assert np.linalg.norm(average.exact_hz) < 1e-9
    assert not average.branch_safe
    assert "branch-unsafe" in codes(average)
    assert close(average.named, {"isotropic": J / 12})


def test_unequal_finite_pulses_make_spurious_dm():
    # centred pulses cancel it at zeroth and first order: what is left is of second order, in mHz
    average = compiled("literature_dm", pulses="finite")
    assert FORBIDDEN not in codes(average)
    assert 1e-4 < max(abs(average.named[k]) for k in DM) < 0.01
    early = [named_terms(order.hamiltonian_hz) for order in average.orders[:2]]
    assert max(abs(named[k]) for named in early for k in DM) < 1e-9


def test_unequal_pulses_that_start_together_make_a_few_hertz_of_dm():
    # erratum 1: a few Hz of spurious DM; 13 µs on both channels, then 64 µs on carbon alone
    turn, events = np.pi / 2, []
    for phase in (0, turn, 2 * turn, 3 * turn):
        shared = (
            TimedRotation(0, turn, phase, duration=13e-6),
            TimedRotation(1, turn * 13 / 77, phase, duration=13e-6),
        )
        rest = TimedRotation(1, turn * 64 / 77, phase, duration=64e-6)
        events += [TimedPulse(shared), TimedPulse((rest,)), TimedDelay(1 / (40 * J))]
    timeline = Timeline("edges", tuple(events), roles={"I": (0,), "S": (1,)})
    named = compile_timeline(timeline, CHLOROFORM).named
    assert all(1.0 < abs(named[k]) < 5.0 for k in DM)


def test_unequal_offsets_make_spurious_dm():
    average = compiled("literature_dm", with_offsets(100.0, 0.0))
    assert FORBIDDEN not in codes(average)
    assert max(abs(average.named[k]) for k in DM) > 0.1


def test_equal_pulse_lengths_and_offsets_restore_the_rule():
    spins = tuple(replace(s, pulse_90_s=20e-6, offset_hz=50.0) for s in CHLOROFORM.spins)
    average = compiled("literature_dm", replace(CHLOROFORM, spins=spins), pulses="finite")
    assert FORBIDDEN in codes(average)
    assert max(abs(average.named[k]) for k in DM) < 1e-9


# ----------------------------------------------------------------------------- selection rule
def collective(rng, name):
    """Four to eight pulses on both spins alike, with random angles, phases and delays."""
    events = []
    for _ in range(rng.integers(4, 9)):
        turn = Rotation(repr(float(rng.uniform(-200, 200))), repr(float(rng.uniform(0, 360))))
        events += [Pulse({"I": turn, "S": turn}), Delay(f"{float(rng.uniform(10, 400))!r} us")]
    return Sequence(name, {"I": "any", "S": "any"}, tuple(events))


def selective(sequence):
    """The same sequence with the second spin left out of its first pulse."""
    first, *rest = sequence.events
    alone = Pulse({"I": first.rotations["I"]})
    return replace(sequence, events=(alone, *rest))


HOMONUCLEAR = Sample(
    "protons",
    (Spin("A", "1H", 40.0, pulse_90_s=9e-6), Spin("B", "1H", 40.0, pulse_90_s=9e-6)),
    (Coupling(("A", "B"), J_hz=7.0, dipolar_hz=150.0),),
)


@pytest.mark.parametrize("seed", range(20))
def test_collective_sequences_are_forbidden_dm_until_one_pulse_is_selective(seed):
    rng = np.random.default_rng(seed)
    sequence = collective(rng, ["dm", "dm_ksea", "literature_dm", "zufall"][seed % 4])
    sample, pulses = [(CHLOROFORM, "ideal"), (HOMONUCLEAR, "finite")][seed % 2]
    average = compile_sequence(sequence, sample, pulses=pulses)
    assert FORBIDDEN in codes(average)
    for hamiltonian in all_hamiltonians(average):
        assert max(abs(named_terms(hamiltonian)[k]) for k in DM) < 1e-8
    lifted = compile_sequence(selective(sequence), sample, pulses=pulses)
    assert FORBIDDEN not in codes(lifted)
    assert max(abs(lifted.named[k]) for k in DM) > 1e-6


def test_collective_pulses_can_make_ksea_from_dipolar_coupling():
    # physics.md §3: the eight-pulse double-quantum sequence with its phases shifted by 45° gives
    # −D(IxIy + IyIx) for any pulse width: KSEA_z = −d/4 on Pauli strings
    d, width = 100.0, 5e-6
    sample = Sample(
        "pair",
        tuple(Spin(label, "1H", pulse_90_s=width) for label in "AB"),
        (Coupling(("A", "B"), dipolar_hz=d),),
    )
    short, long = 20e-6, 2 * 20e-6 + width
    gaps = [short / 2, long, short, long, short, long, short, long, short / 2]
    turns = [0, 0, 180, 180, 180, 180, 0, 0]
    pulses = [Pulse({r: Rotation("90", str(phase + 45)) for r in "IS"}) for phase in turns]
    delays = [Delay(f"{gap!r} s") for gap in gaps]
    events = [delays[0], *(e for pair in zip(pulses, delays[1:], strict=True) for e in pair)]
    sequence = Sequence("dq8", {"I": "any", "S": "any"}, tuple(events))
    average = compile_sequence(sequence, sample, pulses="finite", order=0)
    assert FORBIDDEN in codes(average)
    assert close(average.named, {"KSEA_z": -d / 4}, 1e-6)


# ------------------------------------------------------------------------- finite pulses
def test_finite_pulse_error_falls_linearly_and_infidelity_quadratically():
    shrink = np.array([1 / 8, 1 / 16, 1 / 32, 1 / 64])
    targets = [
        compiled("dm", with_pulses(13e-6 * s, 77e-6 * s), pulses="finite").target for s in shrink
    ]
    error = np.polyfit(np.log(shrink), np.log([t.error_hz for t in targets]), 1)[0]
    loss = np.polyfit(np.log(shrink), np.log([t.infidelity for t in targets]), 1)[0]
    assert error == pytest.approx(1, abs=0.05)
    assert loss == pytest.approx(2, abs=0.1)


def test_infidelity_of_a_target_is_that_of_the_two_propagators():
    sequence = load_sequence("dm")
    average = compile_sequence(sequence, CHLOROFORM, pulses="finite")
    segments = timeline_segments(expand(sequence, CHLOROFORM, pulses="finite"), CHLOROFORM)
    U = unitary(segments, internal_hamiltonian(CHLOROFORM))
    V = expm(-2j * np.pi * J / 8 * (pauli("XY") - pauli("YX")) * average.duration_s)
    overlap = abs(np.trace(U.conj().T @ V)) / 4
    assert average.target.infidelity == pytest.approx(1 - overlap**2, rel=1e-9)
    assert average.target.infidelity > 1e-3


# --------------------------------------------------------------------------- order of spins
def test_reversed_roles_turn_the_sign_of_dm_and_meet_the_claim():
    average = compiled("dm", roles={"I": "13C", "S": "1H"})
    assert close(average.named, {"DM_z": -J / 8})
    assert average.target.named_hz == pytest.approx({"DM_z": -J / 8})
    assert average.target.met


def test_reversed_roles_leave_ksea_alone():
    average = compiled("ksea", roles={"I": "13C", "S": "1H"})
    assert close(average.named, {"KSEA_z": J / 8})
    assert average.target.met


def test_reversed_sample_with_the_same_nuclei_in_the_roles_turns_the_sign():
    backwards = replace(CHLOROFORM, spins=CHLOROFORM.spins[::-1])
    average = compiled("dm", backwards, roles={"I": "1H", "S": "13C"})
    assert close(average.named, {"DM_z": -J / 8})
    assert close(compiled("dm", backwards).named, {"DM_z": J / 8})


def test_target_is_placed_on_the_spins_of_the_roles():
    timeline = Timeline("made", (), target_hz={"DM_z": 3.0, "B": 2.0}, target_spins=(2, 0))
    expected = 3 * (pauli("YIX") - pauli("XIY")) + 2 * (pauli("ZII") + pauli("IIZ"))
    np.testing.assert_allclose(target_hamiltonian(timeline, 3), expected, atol=1e-13)


def test_pairs_of_three_spins_are_named_in_sample_order():
    spins = (*CHLOROFORM.spins, Spin("19F", "19F"))
    sample = Sample("three", spins, CHLOROFORM.couplings)
    average = compiled("dm", sample, roles={"I": "13C", "S": "1H"})
    named = dict(average.pairs)
    assert average.named is None
    assert list(named) == [("1H", "13C"), ("1H", "19F"), ("13C", "19F")]
    assert close(named["1H", "13C"], {"DM_z": -J / 8})
    assert close(named["1H", "19F"], {})
    assert average.target.met


# ----------------------------------------------------------------------- order and robustness
@pytest.mark.parametrize("order", [0, 1, 3])
def test_order_makes_the_named_terms_a_truncation(order):
    average = compiled("dm", pulses="finite", order=order)
    assert [term.order for term in average.orders] == list(range(order + 1))
    total = sum(term.hamiltonian_hz for term in average.orders)
    assert average.named == pytest.approx(named_terms(total), abs=1e-12)
    assert not np.allclose(total, average.exact_hz, atol=1e-4)


def test_without_an_order_the_named_terms_are_exact():
    average = compiled("dm", pulses="finite")
    assert len(average.orders) == 3
    assert average.named == pytest.approx(named_terms(average.exact_hz), abs=1e-12)


def test_sequence_that_never_closes_is_described_for_one_pass():
    pulse = Pulse({r: Rotation("57.29577951308232", "x") for r in "IS"})
    sequence = Sequence("radian", {"I": "any", "S": "any"}, (pulse, Delay("1 ms")))
    average = compile_sequence(sequence, CHLOROFORM)
    assert (average.cyclic, average.cycles_to_close) == (False, None)
    messages = {found.code: found.message for found in average.diagnosis}
    assert "nor do those of up to 24 passes" in messages[NOT_CYCLIC]


def test_spin_echo_keeps_j_and_removes_offsets_over_two_passes():
    average = compiled("spin_echo", with_offsets(33.0, -71.0))
    assert average.cycles_to_close == 2
    coefficients = dict(zip(pauli_strings(2), pauli_coefficients(average.exact_hz), strict=True))
    assert coefficients.pop("ZZ").real == pytest.approx(J / 4)
    assert max(abs(c) for c in coefficients.values()) < 1e-9


def test_robustness_is_the_loss_under_one_error_at_a_time():
    average = compiled("dm", with_offsets(3.0, 0.0))
    rows = {(row.error, row.size): row.infidelity for row in average.robustness}
    assert {
        ("flip-angle", 0.05), ("offset 1H", 20.0), ("offset 13C", 20.0), ("coupling", 0.01)
    } <= set(rows)  # fmt: skip
    sequence = load_sequence("dm")
    good = with_offsets(3.0, 0.0)
    stronger = replace(good, couplings=(Coupling(("1H", "13C"), 1.01 * J),))
    played = {"t": f"{1 / (4 * J)!r} s"}
    U, detuned, coupled = (
        unitary(
            timeline_segments(expand(sequence, s, parameters=played), s), internal_hamiltonian(s)
        )
        for s in (good, with_offsets(3.0, 20.0), stronger)
    )
    assert rows["offset 13C", 20.0] == pytest.approx(float(infidelity(U, detuned)), rel=1e-6)
    assert rows["coupling", 0.01] == pytest.approx(float(infidelity(U, coupled)), rel=1e-6)


# --------------------------------------------------------------------------------- refusals
def test_ideal_pulses_alone_take_no_time():
    timeline = Timeline("flip", (TimedPulse((TimedRotation(0, np.pi, 0.0),)),))
    with pytest.raises(ArgumentError, match="must take time, but 'flip' has only ideal pulses"):
        compile_timeline(timeline, CHLOROFORM)


def test_finite_pulses_without_calibration_are_refused():
    with pytest.raises(ArgumentError, match="spin '1H' of sample 'chloroform' has no `pulse_90`"):
        compiled("dm", with_pulses(None, None), pulses="finite")


def test_negative_order_is_refused():
    with pytest.raises(ArgumentError, match="`order` must be ≥ 0"):
        compiled("dm", order=-1)


@pytest.mark.parametrize(("angle", "met"), [(180, True), (90, False)])
def test_a_target_of_zero_is_held_against_the_coupling(tmp_path, angle, met):
    """Two 180° pulses on one spin average J away, two 90° pulses do not."""
    (tmp_path / "decoupled.yaml").write_text(
        "format: nmrqb-sequence/1\nspins: {I: any, S: any}\ntarget: {isotropic: 0 Hz}\n"
        f"sequence: [{{delay: 1 ms}}, {{pulse: {{I: {angle} x}}}}, {{delay: 1 ms}},"
        f" {{pulse: {{I: -{angle} x, S: 360 x}}}}]\n",
        encoding="utf-8",
    )
    sequence = load_sequence(str(tmp_path / "decoupled.yaml"))
    assert compile_sequence(sequence, CHLOROFORM).target.met is met


def test_a_target_is_not_met_by_pulses_that_never_close(tmp_path):
    """The toggling frame alone would call it met, but the pass does not do what is claimed."""
    text = library("sequence")["dm"].read_text(encoding="utf-8")
    open_ended = text.rstrip() + "\n  - pulse: {I: 57.29 x}\n"
    (tmp_path / "open.yaml").write_text(open_ended, encoding="utf-8")
    average = compile_sequence(load_sequence(str(tmp_path / "open.yaml")), CHLOROFORM)
    assert average.cycles_to_close is None
    assert average.target.error_hz < 1e-9
    assert average.target.infidelity > 0.1
    assert not average.target.met


@pytest.mark.parametrize("offset", [400.0, 3000.0])
def test_far_off_resonance_the_exact_terms_are_named(offset):
    """T‖H‖ is far above π and the series diverges, yet no phase wraps: the logarithm is right."""
    spins = (replace(CHLOROFORM.spins[0], offset_hz=offset), CHLOROFORM.spins[1])
    average = compiled("dm", replace(CHLOROFORM, spins=spins))
    assert average.branch_safe
    assert average.named_from == "exact"
    assert not average.target.met
    assert average.target.error_hz < offset


def test_the_analysis_can_be_left_out():
    sequence = load_sequence("dm")
    bare = compile_sequence(sequence, CHLOROFORM, analyse=False)
    assert (bare.analysis, bare.robustness) == (None, ())
    assert bare.named == compile_sequence(sequence, CHLOROFORM).named


@pytest.mark.parametrize("count", [7, 10, 200])
def test_samples_of_too_many_spins_are_refused_at_once(count):
    labels = ["1H", "13C", *(f"H{k}" for k in range(2, count))]
    spins = tuple(Spin(label, "13C" if label == "13C" else "1H") for label in labels)
    sample = Sample("large", spins, CHLOROFORM.couplings)
    sequence, timeline = load_sequence("dm"), expand(load_sequence("dm"), CHLOROFORM)
    calls = (
        lambda: compile_sequence(sequence, sample),
        lambda: compile_timeline(timeline, sample),
        lambda: compile_batch(sequence, sample, {"t": ["1 ms", "2 ms"]}),
    )
    for call in calls:
        with pytest.raises(ArgumentError, match=f"at most 6 spins .* but 'large' has {count}$"):
            call()
