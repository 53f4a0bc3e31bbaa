"""Robustness: derivatives against differences, losses against closed forms, budgets that add up."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet

from nmrqb.average import compile_sequence, target_hamiltonian
from nmrqb.average.budget import error_budget
from nmrqb.average.control import control_of
from nmrqb.average.perturbations import (
    ErrorSizes,
    channels,
    control_errors,
    edged_segments,
    error_generators,
    quadratic_coefficient,
)
from nmrqb.average.robustness import (
    Pass,
    free_relaxation_cost,
    relaxation_cost,
    relaxation_rate,
    robustness_curves,
    robustness_table,
    size_text,
)
from nmrqb.average.widths import both_models, widened, width_errors
from nmrqb.dynamics import (
    Segment,
    collapse_operators,
    dissipator,
    exp_hermitian,
    gaussian_ensemble,
    infidelity,
    superoperator,
    timeline_segments,
    unitary,
    unitary_superoperator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import spin_operator
from nmrqb.sample import (
    Coupling,
    Dephasing,
    LindbladOperator,
    PauliNoise,
    Sample,
    Spin,
    load_sample,
)
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import (
    TimedAcquisition,
    TimedDelay,
    TimedPulse,
    TimedRotation,
    Timeline,
    Timing,
    expand,
    load_sequence,
)

CHLOROFORM = load_sample("chloroform")
J = 215.13
NO_ERRORS = ErrorSizes(0, 0, 0, 0, 0, 0)
HALF, QUARTER = np.pi, np.pi / 2


def subject_of(timeline, sample, **options):
    segments = timeline_segments(timeline, sample)
    claim = target_hamiltonian(timeline, len(sample.spins)) if timeline.target_hz else None
    control = control_of(segments, internal_hamiltonian(sample))
    return Pass(timeline, sample, control, **{"claim_hz": claim} | options)


def shipped(name, pulses="ideal", sample=None, timing=None, **options):
    sequence = load_sequence(name)
    sample = sample or load_sample(sequence.sample or "chloroform")
    sequence = sequence if timing is None else replace(sequence, timing=timing)
    other = "ideal" if pulses == "finite" else "finite"
    both = [expand(sequence, sample, pulses=p, **options) for p in (pulses, other)]
    return subject_of(both[0], sample, other=both[1])


def idle(*spins, J_hz=0.0):
    couplings = (Coupling((spins[0].label, spins[1].label), J_hz),) if J_hz else ()
    return Sample("made", spins, couplings)


def one_pulse(angle=QUARTER, phase=0.0, delay=1e-3):
    """One ideal pulse on a spin that nothing else turns."""
    pulse = TimedPulse((TimedRotation(0, angle, phase),))
    return subject_of(Timeline("pulse", (pulse, TimedDelay(delay))), idle(Spin("H", "1H")))


def rows_of(subject, sizes=None):
    return {row.error: row for row in robustness_table(subject, sizes)}


def shaped():
    """Hard, soft and shaped pulses on two coupled spins, some with offsets."""
    spins = Spin("H", "1H", 17.0, pulse_90_s=10e-6), Spin("C", "13C", -31.0, pulse_90_s=30e-6)
    steps = tuple(np.array([0.2, 0.3 + 0.1j, 0.4, 0.1 - 0.05j]))
    events = (
        TimedPulse((TimedRotation(0, QUARTER, 0.3), TimedRotation(1, HALF, 1.2))),
        TimedDelay(0.9e-3),
        TimedPulse((TimedRotation(0, 1.1, 0.5, 4e-4, steps), TimedRotation(1, 2.0, 0.1, 2e-4))),
        TimedDelay(0.4e-3),
        TimedPulse((TimedRotation(1, -0.7, -2.0, 1e-4),)),
    )
    timeline = Timeline("shaped", events, frame={0: 0.3})
    return subject_of(timeline, idle(*spins, J_hz=80.0))


def three_spins():
    """A long pulse around a short one and an ideal one, on three spins, two of one channel."""
    spins = (
        Spin("A", "1H", 30.0, pulse_90_s=10e-6),
        Spin("B", "1H", -55.0, pulse_90_s=10e-6),
        Spin("C", "13C", 12.0, pulse_90_s=25e-6),
    )
    couplings = Coupling(("A", "B"), 12.0), Coupling(("A", "C"), 140.0), Coupling(("B", "C"), -7.0)
    pulse = TimedPulse(
        (
            TimedRotation(0, 1.0, 0.2, 5e-5),
            TimedRotation(1, 2.2, -0.4, 0.0),
            TimedRotation(2, 1.6, 1.0, 9e-5),
        )
    )
    back = TimedPulse((TimedRotation(0, 0.4, 2.0, 2e-5), TimedRotation(1, 0.9, 0.0, 2e-5)))
    events = pulse, TimedDelay(1.3e-3), back, TimedAcquisition({0: 0.0}), TimedDelay(0.6e-3)
    timeline = Timeline("three", events, pulses="finite", frame={1: 0.4})
    return subject_of(timeline, Sample("three", spins, couplings))


PASSES = {
    "ideal": lambda: shipped("dm"),
    "finite": lambda: shipped("dm_echoed", "finite"),
    "shaped": shaped,
    "three spins": three_spins,
}


# ------------------------------------------------------------------------------- derivatives
@pytest.mark.parametrize("name", PASSES)
def test_error_generators_are_the_derivatives_of_the_propagator(name):
    subject = PASSES[name]()
    errors = control_errors(subject.timeline, subject.sample)
    drift, segments = subject.drift, errors[0].segments
    K = error_generators(segments, drift, np.array([error.direction for error in errors]))
    U = unitary(segments, drift)
    for error, exact in zip(errors, K, strict=True):
        h = 1e-3 / np.abs(error.direction).max()
        # the error of a five-point difference is of order h⁴: 1e-12
        V = unitary(error.played(h * np.array([-2, -1, 1, 2])), drift)
        slope = np.tensordot([1, -8, 8, -1], V, axes=1) / (12 * h)
        difference = 1j * U.conj().T @ slope
        assert np.abs(exact - difference).max() < 1e-8 * np.abs(exact).max(), error.error
        np.testing.assert_allclose(exact, exact.conj().T, atol=1e-12)


def test_one_segment_is_the_frechet_derivative_of_its_exponential():
    rng = np.random.default_rng(4)
    A, B = (m + m.conj().T for m in rng.normal(size=(2, 4, 4)) + 1j * rng.normal(size=(2, 4, 4)))
    still = np.zeros((4, 4), dtype=complex)
    segment = Segment(np.zeros(()), A)
    (K,) = error_generators([segment], still, B[None, None])
    U, slope = expm_frechet(-1j * A, -1j * B)
    np.testing.assert_allclose(K, 1j * U.conj().T @ slope, atol=1e-12)


def test_degenerate_generators_have_derivatives_too():
    still, B = np.zeros((4, 4), dtype=complex), spin_operator("x", 0, 2)
    (K,) = error_generators([Segment(np.ones(()), still)], still, np.array([[B]]))
    np.testing.assert_allclose(K, B, atol=1e-15)


@pytest.mark.parametrize("name", PASSES)
def test_coefficients_are_the_small_error_limit_of_the_loss(name):
    subject = PASSES[name]()
    small = ErrorSizes(1e-4, 1e-4, 1e-2, 1e-5, 1e-5, 1e-4)
    rows = [row for row in robustness_table(subject, small) if row.coefficient is not None]
    checked = [row for row in rows if not row.error.startswith("width")]
    assert len(checked) > 8
    for row in checked:
        expected = row.coefficient * row.size**2
        assert row.infidelity == pytest.approx(expected, rel=2e-3, abs=1e-18), row.error


@pytest.mark.parametrize("name", ["dm", "dm_echoed"])
def test_coefficients_of_widths_are_the_limit_of_short_pulses(name):
    subject = shipped(name)
    for curve in robustness_curves(subject, factors=[1e-3, 1.0], errors=["width"]):
        short = curve.coefficient * curve.sizes[0] ** 2
        assert curve.infidelity[0] == pytest.approx(short, rel=1e-3)
        assert curve.infidelity[1] == pytest.approx(rows_of(subject)[curve.error].infidelity)


def test_the_error_of_the_quadratic_law_falls_with_the_size():
    subject = shipped("dm_echoed", "finite")
    (curve,) = robustness_curves(subject, factors=[0.01, 0.1], errors=["flip-angle"])
    relative = np.abs(curve.infidelity / (curve.coefficient * curve.sizes**2) - 1)
    assert relative[0] < 0.3 * relative[1]


def test_a_global_phase_costs_nothing():
    K = np.diag([2.0, 0, 0, -2.0]).astype(complex)
    assert quadratic_coefficient(K) == pytest.approx(2.0)
    assert quadratic_coefficient(K + 7 * np.eye(4)) == pytest.approx(2.0)


# ------------------------------------------------------------------------------ closed forms
@pytest.mark.parametrize("angle", [QUARTER, HALF, 1.1])
def test_flip_angle_error_of_one_pulse(angle):
    row = rows_of(one_pulse(angle), ErrorSizes(flip_angle=0.05))["flip-angle"]
    assert row.infidelity == pytest.approx(np.sin(angle * 0.05 / 2) ** 2, rel=1e-12)
    assert row.coefficient == pytest.approx(angle**2 / 4, rel=1e-12)


def test_rf_inhomogeneity_is_the_gaussian_mean_of_the_flip_angle_errors():
    row = rows_of(one_pulse(HALF), ErrorSizes(rf_spread=0.1))["rf-inhomogeneity"]
    # mean of sin²(θsx/2) over a normal x
    assert row.infidelity == pytest.approx((1 - np.exp(-((0.1 * HALF) ** 2) / 2)) / 2, rel=1e-6)
    assert row.coefficient == pytest.approx(HALF**2 / 4)


def test_offset_during_free_evolution():
    subject = subject_of(Timeline("idle", (TimedDelay(2e-3),)), idle(Spin("H", "1H")))
    rows = rows_of(subject, ErrorSizes(offset_hz=30.0))
    assert rows["offset H"].infidelity == pytest.approx(np.sin(np.pi * 30 * 2e-3) ** 2)
    assert "offset" not in rows  # with one spin, all are that one
    assert rows["offset H"].unit == "Hz"


def test_all_offsets_together():
    timeline = Timeline("idle", (TimedDelay(2e-3),))
    rows = rows_of(subject_of(timeline, idle(Spin("H", "1H"), Spin("C", "13C"))))
    kept = np.cos(np.pi * 20 * 2e-3) ** 2
    assert rows["offset C"].infidelity == pytest.approx(1 - kept)
    assert rows["offset"].infidelity == pytest.approx(1 - kept**2)


def test_coupling_during_free_evolution():
    pair = idle(Spin("H", "1H"), Spin("C", "13C"), J_hz=J)
    row = rows_of(subject_of(Timeline("idle", (TimedDelay(3e-3),)), pair))["coupling"]
    assert row.size == 0.01
    assert row.infidelity == pytest.approx(np.sin(np.pi * J * 3e-3 * 0.01 / 2) ** 2, rel=1e-9)


def between_axes(angle, apart):
    """Infidelity of two rotations by one angle about axes that enclose another."""
    return 1 - (np.cos(angle / 2) ** 2 + np.sin(angle / 2) ** 2 * np.cos(apart)) ** 2


@pytest.mark.parametrize(("angle", "phase"), [(QUARTER, 0.0), (2.5, 1.3)])
def test_phase_error_turns_the_axis_of_a_pulse(angle, phase):
    row = rows_of(one_pulse(angle, phase), ErrorSizes(phase_rad=0.1))["phase 1H"]
    assert row.infidelity == pytest.approx(between_axes(angle, 0.1), rel=1e-9)


def test_quadrature_error_turns_y_alone():
    sizes = ErrorSizes(phase_rad=0.1)
    assert "quadrature 1H" not in rows_of(one_pulse(phase=0.0), sizes)
    row = rows_of(one_pulse(phase=QUARTER), sizes)["quadrature 1H"]
    assert row.infidelity == pytest.approx(between_axes(QUARTER, 0.1), rel=1e-9)


def test_a_phase_of_the_whole_channel_is_a_turned_frame():
    sizes = ErrorSizes(phase_rad=0.1)
    subject = shipped("dm", "finite")
    (error,) = (e for e in control_errors(subject.timeline, subject.sample, sizes)
                if e.error == "phase 13C")  # fmt: skip
    turn = exp_hermitian(0.1 * spin_operator("z", 1, 2))
    U, V = (unitary(error.played(size), subject.drift) for size in (0.0, 0.1))
    np.testing.assert_allclose(V, turn @ U @ turn.conj().T, atol=1e-12)


def transients(subject, size=0.03):
    rows = rows_of(subject, ErrorSizes(transient_rad=size))
    return [rows.get(f"transient-{kind} 1H") for kind in ("symmetric", "antisymmetric")]


@pytest.mark.parametrize("angle", [QUARTER, 1.0, -2.0])
def test_transients_of_one_pulse(angle):
    symmetric, antisymmetric = transients(one_pulse(angle, 0.7))
    phase = rows_of(one_pulse(angle, 0.7))["phase 1H"]
    # R(−ε) P R(ε) is P about an axis tilted by ε
    assert antisymmetric.infidelity == pytest.approx(between_axes(angle, 0.03), rel=1e-9)
    # R(ε) P R(ε) is a phase error ε cot(θ/2) to first order
    cotangent = 1 / np.tan(angle / 2)
    assert symmetric.coefficient == pytest.approx(phase.coefficient * cotangent**2, rel=1e-9)


def test_symmetric_transients_of_an_inversion_cancel():
    symmetric, antisymmetric = transients(one_pulse(HALF, 0.7))
    assert symmetric.infidelity < 1e-28
    assert antisymmetric.infidelity == pytest.approx(np.sin(0.03) ** 2, rel=1e-9)


def test_antisymmetric_transients_tilt_the_axis_out_of_the_plane():
    subject = one_pulse(1.0)
    (error,) = (e for e in control_errors(subject.timeline, subject.sample)
                if e.error == "transient-antisymmetric 1H")  # fmt: skip
    x, z = (spin_operator(axis, 0, 1) for axis in "xz")
    V = unitary(error.played(0.2), subject.drift)
    # about −90° + φ before it is undone: from x towards +z
    tilted = np.cos(0.2) * x + np.sin(0.2) * z
    np.testing.assert_allclose(V, expm(-1j * tilted), atol=1e-12)


def test_transients_stand_at_the_edges_of_each_pulse():
    """A short pulse within a long one of the other spin: its own edges, its own phase."""
    spins = idle(Spin("H", "1H", 200.0), Spin("C", "13C", -90.0), J_hz=J)
    long, short = TimedRotation(0, QUARTER, 0.0, 4e-4), TimedRotation(1, 2.0, 0.4, 1e-4)
    subject = subject_of(Timeline("two", (TimedPulse((long, short)), TimedDelay(1e-3))), spins)
    H = subject.drift
    operators = {(a, k): spin_operator(a, k, 2) for a in "xy" for k in (0, 1)}

    def axis(k, phase):
        return np.cos(phase) * operators["x", k] + np.sin(phase) * operators["y", k]

    rates = QUARTER / 4e-4 * axis(0, 0.0), 2.0 / 1e-4 * axis(1, 0.4)
    outer, inner = expm(-1j * (H + rates[0]) * 1.5e-4), expm(-1j * (H + sum(rates)) * 1e-4)
    kick = expm(-1j * 0.03 * axis(1, 0.4 + QUARTER))
    free = expm(-1j * H * 1e-3)
    plain = free @ outer @ inner @ outer
    kicked = free @ outer @ kick @ inner @ kick @ outer
    row = rows_of(subject, ErrorSizes(transient_rad=0.03))["transient-symmetric 13C"]
    assert row.infidelity == pytest.approx(float(infidelity(plain, kicked)), rel=1e-9)


def test_edges_follow_the_phase_of_a_shape_and_the_sense_of_a_turn():
    steps = (0.5 * np.exp(0.3j), 0.2, 0.3 * np.exp(-0.8j))
    pulse = TimedPulse((TimedRotation(0, 1.0, 0.1, 1e-4, steps), TimedRotation(1, -1.0, 0.2)))
    _, edges = edged_segments(Timeline("shape", (pulse,)), 2)
    found = {(edge.spin, edge.trailing): edge.phase for edge in edges}
    assert found == {
        (0, False): pytest.approx(0.1 + 0.3 + QUARTER),
        (0, True): pytest.approx(0.1 - 0.8 + QUARTER),
        (1, False): pytest.approx(0.2 - QUARTER),  # a turn by −θ is one about the opposite axis
        (1, True): pytest.approx(0.2 - QUARTER),
    }


# ------------------------------------------------------------------------------- relaxation
def test_relaxation_of_one_free_spin():
    spin = Spin("H", "1H", 55.0, T1_s=0.4, T2_s=0.1)
    subject = subject_of(Timeline("idle", (TimedDelay(0.05),)), idle(spin))
    row = rows_of(subject)["relaxation"]
    kept = (1 + 2 * np.exp(-0.05 / 0.1) + np.exp(-0.05 / 0.4)) / 4
    assert row.infidelity == pytest.approx(1 - kept, rel=1e-12)
    assert (row.size, row.unit, row.coefficient) == (0.1, "s", None)


@pytest.mark.parametrize("name", ["dm", "dm_echoed"])
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
def test_relaxation_costs_the_same_to_first_order_whatever_the_pulses_do(name, pulses):
    subject = shipped(name, pulses)
    T = subject.period(subject.timeline)
    first_order = T / 4 * sum(2 / s.T2_s + 1 / s.T1_s for s in CHLOROFORM.spins)
    assert rows_of(subject)["relaxation"].infidelity == pytest.approx(first_order, rel=2e-3)
    assert free_relaxation_cost(T, CHLOROFORM) == pytest.approx(first_order, rel=2e-3)


def test_spins_that_do_not_relax_have_no_row():
    assert "relaxation" not in rows_of(shaped())


def test_relaxation_of_many_spins_is_that_of_free_ones():
    spins = tuple(Spin(f"H{k}", "1H", 10.0 * k, T1_s=3.0, T2_s=0.5 + k) for k in range(5))
    timeline = Timeline("idle", (TimedDelay(0.02),))
    kept = 1.0
    for spin in spins:
        S = relaxation_cost(timeline, Sample("one", (spin,)))
        kept *= 1 - S
    assert relaxation_cost(timeline, Sample("five", spins)) == pytest.approx(1 - kept, rel=1e-9)


DECLARED = (
    PauliNoise({"1H": (3.0, 0.0, 1.0)}),
    Dephasing(("1H", "13C"), (2.0, 5.0), 0.6),
    LindbladOperator({"XX": 1, "IZ": 2j, "II": 3}, 4.0),
)


def test_the_rate_of_relaxation_is_the_trace_of_its_generator():
    sample = replace(CHLOROFORM, relaxation=DECLARED)
    D = dissipator(collapse_operators(sample), 4)
    assert relaxation_rate(sample) == pytest.approx(-np.trace(D).real / 16, rel=1e-12)
    assert relaxation_rate(CHLOROFORM) == pytest.approx(
        sum(2 / s.T2_s + 1 / s.T1_s for s in CHLOROFORM.spins) / 4
    )


def test_what_a_sample_declares_costs_too():
    sample = replace(CHLOROFORM, relaxation=DECLARED)
    subject = replace(shipped("dm", "finite"), sample=sample)
    T = subject.period(subject.timeline)
    row = rows_of(subject)["relaxation"]
    assert row.infidelity == pytest.approx(T * relaxation_rate(sample), rel=0.05)
    assert free_relaxation_cost(T, sample) == pytest.approx(T * relaxation_rate(sample), rel=0.05)
    assert row.size == 2.0  # the shortest T2
    (told,) = (r for r in error_budget(subject).rows if r.error == "relaxation")
    assert told.assumed == "T2 2 s and what the sample declares"
    still = tuple(replace(s, T1_s=np.inf, T2_s=np.inf) for s in sample.spins)
    subject = replace(subject, sample=replace(sample, spins=still))
    rate = relaxation_rate(subject.sample)
    assert rows_of(subject)["relaxation"].size == pytest.approx(1 / rate)
    (told,) = (r for r in error_budget(subject).rows if r.error == "relaxation")
    assert told.assumed == "what the sample declares"


def test_a_claim_loses_by_relaxation_too():
    rows = rows_of(shipped("dm"))
    assert rows["relaxation"].claim_infidelity == pytest.approx(rows["relaxation"].infidelity)


# ----------------------------------------------------------------------- DM on chloroform
def test_of_the_two_pulse_widths_of_dm_the_one_of_carbon_dominates():
    rows = rows_of(shipped("dm"))
    assert rows["width 13C"].infidelity == pytest.approx(0.0036, abs=5e-5)
    assert rows["width 1H"].infidelity == pytest.approx(0.0001, abs=5e-6)
    assert (rows["width 13C"].size, rows["width 1H"].size) == (77e-6, 13e-6)
    # widths are against the ideal pass, however the sequence was compiled
    finite = rows_of(shipped("dm", "finite"))
    assert finite["width 13C"].infidelity == pytest.approx(rows["width 13C"].infidelity)


def test_shortening_the_window_of_carbon_reduces_the_loss():
    names = ["width 13C"]
    (curve,) = robustness_curves(shipped("dm"), factors=np.linspace(0, 1, 9), errors=names)
    assert curve.infidelity[0] < 1e-25
    assert np.all(np.diff(curve.infidelity) > 0)
    assert curve.infidelity[4] < 0.3 * curve.infidelity[8]  # half the length, a quarter of the loss


def test_the_echo_cures_offsets_but_not_widths():
    """The offset of both spins by 20 Hz costs .021; the echo leaves .0005 of it, the width more.

    The issue's .004 is no number of the shipped ``dm_echoed``: with ideal pulses the echo leaves
    nothing, with finite ones .0005; the loss against the ideal pass is then .0199, most of it the
    width of the added 180° pulses.  Where these are ideal, the whole loss is .0044, and .0041 is
    what it is with finite pulses whose delays count from centre to centre.
    """
    plain, echoed = rows_of(shipped("dm")), rows_of(shipped("dm_echoed"))
    assert plain["offset"].infidelity == pytest.approx(0.021, abs=2e-4)
    assert echoed["offset"].infidelity < 1e-25
    finite = rows_of(shipped("dm_echoed", "finite"))
    assert finite["offset"].infidelity == pytest.approx(0.0005, abs=5e-5)
    for spin in ("1H", "13C"):
        assert plain[f"offset {spin}"].infidelity == pytest.approx(0.0106, abs=5e-5)
        assert echoed[f"width {spin}"].infidelity > 4 * plain[f"width {spin}"].infidelity
    centred = shipped("dm_echoed", "finite", timing=Timing(centred=True))
    ideal, _ = centred.models
    U = unitary(timeline_segments(ideal, CHLOROFORM), centred.drift)
    both = centred.drift + 2 * np.pi * 20 * sum(spin_operator("z", k, 2) for k in (0, 1))
    V = unitary(timeline_segments(centred.timeline, CHLOROFORM), both)
    assert float(infidelity(U, V)) == pytest.approx(0.0041, abs=5e-5)


def test_the_budget_of_finite_pulse_dm_names_every_error_with_its_size():
    budget = error_budget(shipped("dm", "finite"))
    assert {row.error: row.assumed for row in budget.rows} == {
        "claim": "ideal pass against it",
        "rf-inhomogeneity": "5 %",
        "offset 1H": "20 Hz",
        "offset 13C": "20 Hz",
        "width 1H": "13 µs per 90°",
        "width 13C": "77 µs per 90°",
        "transient-antisymmetric 1H": "1.15°",
        "transient-antisymmetric 13C": "1.15°",
        "coupling": "1 %",
        "relaxation": "T2 2 s",
    }
    losses = [row.infidelity for row in budget.rows]
    assert losses == sorted(losses, reverse=True)
    assert budget.sum == pytest.approx(sum(losses))
    assert budget.reference == "target"
    named = {row.error: row.infidelity for row in budget.rows}
    table = rows_of(shipped("dm"))  # one pass closes: the period is the pass
    for error in set(named) - {"claim"}:
        assert named[error] == pytest.approx(table[error].infidelity, rel=1e-9), error
    assert named["claim"] < 1e-25  # dm is exact


# ------------------------------------------------------------------------------------ leakage
def leaks(subject, error, sizes=None):
    return dict(rows_of(subject, sizes)[error].leakage)


def test_a_coupling_off_its_value_changes_the_engineered_term_alone():
    leakage = leaks(shipped("dm"), "coupling")
    assert leakage == {("1H", "13C"): {"DM_z": pytest.approx(0.01 * J / 8, rel=1e-9)}}


def test_a_phase_turns_dm_into_flip_flop():
    leakage = leaks(shipped("dm"), "phase 13C", ErrorSizes(phase_rad=0.2))[("1H", "13C")]
    # D(XY − YX) becomes D cos ε (XY − YX) − D sin ε (XX + YY)
    flip_flop = -J / 8 * np.sin(0.2)
    assert leakage == {
        "DM_z": pytest.approx(J / 8 * (np.cos(0.2) - 1)),
        "isotropic": pytest.approx(2 * flip_flop / 3),
        "Delta": pytest.approx(-flip_flop),
    }


def test_leakage_belongs_to_its_pair():
    spins = Spin("A", "1H"), Spin("B", "13C"), Spin("C", "19F")
    sample = Sample("three", spins, (Coupling(("A", "C"), 100.0),))
    leakage = leaks(subject_of(Timeline("idle", (TimedDelay(1e-3),)), sample), "coupling")
    # H/2π = J/4 ZZ: isotropic J/12, Delta J/4
    assert leakage == {
        ("A", "C"): {"isotropic": pytest.approx(1 / 12), "Delta": pytest.approx(1 / 4)}
    }


def test_leakage_counts_over_the_closing_period():
    subject = shipped("spin_echo", sample=CHLOROFORM)
    assert subject.cycles == 2
    leakage = leaks(subject, "coupling")[("1H", "13C")]
    assert leakage["Delta"] == pytest.approx(0.01 * J / 4)  # kept J, over two passes as over one


def test_there_is_no_leakage_without_a_logarithm():
    assert all(
        not row.leakage for row in robustness_table(replace(shipped("dm"), branch_safe=False))
    )


# ------------------------------------------------------------------------------------- claims
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize("name", ["dm", "ksea_echoed", "dm_ksea", "double_quantum"])
def test_without_error_the_claim_is_as_far_as_compiling_tells(name, pulses):
    subject = shipped(name, pulses)
    check = compile_sequence(load_sequence(name), subject.sample, pulses=pulses).target
    for row in robustness_table(subject, NO_ERRORS):
        if row.error not in ("relaxation", "width 1H", "width 13C"):
            assert row.infidelity < 1e-25, row.error
            assert row.claim_infidelity == pytest.approx(check.infidelity, abs=1e-14), row.error


def test_claims_are_held_against_the_closing_period():
    delay, pulse = TimedDelay(1e-3), TimedPulse((TimedRotation(0, HALF, 0.0),))
    pair = idle(Spin("H", "1H"), Spin("C", "13C"), J_hz=50.0)
    timeline = Timeline("echo", (delay, pulse), target_hz={"B": 10.0}, target_spins=(0, 1))
    subject = subject_of(timeline, pair)
    assert subject.cycles == 2
    row = rows_of(subject, NO_ERRORS)["coupling"]
    # nothing is made in 2 ms, B = 10 Hz on either spin is claimed
    assert row.claim_infidelity == pytest.approx(1 - np.cos(2 * np.pi * 10 * 2e-3) ** 4, rel=1e-9)


def test_without_a_claim_there_is_no_claim_infidelity():
    assert {row.claim_infidelity for row in robustness_table(one_pulse())} == {None}


# ------------------------------------------------------------------------------------- widths
def played_on(sample, sequence, pulses):
    segments = timeline_segments(expand(sequence, sample, pulses=pulses), sample)
    return unitary(segments, internal_hamiltonian(sample))


@pytest.mark.parametrize("timing", [Timing(), Timing(centred=True)])
@pytest.mark.parametrize("name", ["dm", "dm_echoed"])
def test_a_width_is_that_of_one_channel_with_the_other_ideal(name, timing):
    rows = rows_of(shipped(name, timing=timing))
    for k, label in enumerate(CHLOROFORM.labels):
        spins = tuple(
            spin if i == k else replace(spin, pulse_90_s=0.0)
            for i, spin in enumerate(CHLOROFORM.spins)
        )
        hard = replace(CHLOROFORM, spins=spins)
        sequence = replace(load_sequence(name), timing=timing)
        U, V = (played_on(hard, sequence, pulses) for pulses in ("ideal", "finite"))
        expected = float(infidelity(U, V))
        assert rows[f"width {label}"].infidelity == pytest.approx(expected, rel=1e-9)


def test_all_channels_widened_are_the_finite_timeline():
    for timing in (Timing(), Timing(centred=True)):
        ideal, finite = shipped("dm_echoed", timing=timing).models
        wide = widened(ideal, finite, [0, 1])
        for a, b in zip(wide.events, finite.events, strict=True):
            assert a.duration == pytest.approx(b.duration, rel=1e-12)


@pytest.mark.parametrize("name", ["dm", "dm_echoed", "flip_flop"])
def test_one_timeline_tells_both_models(name):
    sequence = load_sequence(name)
    ideal, finite = (expand(sequence, CHLOROFORM, pulses=p) for p in ("ideal", "finite"))
    assert both_models(ideal, CHLOROFORM)[1].events == finite.events
    assert both_models(finite, CHLOROFORM)[0].events == ideal.events
    assert both_models(finite, CHLOROFORM)[0].pulses == "ideal"


def test_soft_pulses_keep_their_length():
    subject = shaped()
    ideal, finite = subject.models
    assert ideal is subject.timeline
    lengths = [
        [r.duration for r in e.rotations] for e in finite.events if isinstance(e, TimedPulse)
    ]
    assert lengths == [[pytest.approx(10e-6), pytest.approx(60e-6)], [4e-4, 2e-4], [1e-4]]
    wide = width_errors(ideal, finite, subject.sample, subject.drift)
    for name, (timeline, error) in wide.items():
        V = unitary(timeline_segments(timeline, subject.sample), subject.drift)
        np.testing.assert_allclose(unitary(error.played(error.size), subject.drift), V, atol=1e-12)
        assert rows_of(subject)[f"width {name}"].coefficient is not None


def test_a_shape_as_long_as_a_hard_pulse_is_no_hard_pulse():
    hard, shape = (
        TimedRotation(0, QUARTER, 0.0, 10e-6),
        TimedRotation(0, QUARTER, 0.0, 10e-6, (0.4, 0.6)),
    )
    events = TimedPulse((hard,)), TimedPulse((shape,)), TimedDelay(1e-3)
    sample = idle(Spin("H", "1H", pulse_90_s=10e-6))
    ideal, _ = both_models(Timeline("two", events, pulses="finite"), sample)
    assert [event.duration for event in ideal.events] == [0.0, 10e-6, 1e-3]


def test_a_hard_pulse_within_a_soft_one_has_a_loss_but_no_curve():
    spins = idle(Spin("H", "1H", pulse_90_s=20e-6), Spin("C", "13C"), J_hz=J)
    pulse = TimedPulse((TimedRotation(0, QUARTER, 0.0), TimedRotation(1, HALF, 0.0, 1e-3)))
    subject = subject_of(Timeline("mixed", (pulse, TimedDelay(1e-3))), spins)
    row = rows_of(subject)["width 1H"]
    assert row.coefficient is None
    assert 0 < row.infidelity < 1e-2
    assert row.size == 20e-6
    drawn = {curve.error for curve in robustness_curves(subject)}
    assert "flip-angle" in drawn
    assert "width 1H" not in drawn


def test_spins_without_a_90_time_have_no_widths():
    rows = rows_of(one_pulse())
    assert not [error for error in rows if error.startswith("width")]


def test_another_timeline_must_play_the_same_events():
    subject = shipped("dm")
    with pytest.raises(ArgumentError, match="must play the events of 'dm', but 'dm_echoed' plays"):
        both_models(subject.timeline, CHLOROFORM, shipped("dm_echoed", "finite").timeline)


# ---------------------------------------------------------------------------- what is listed
def test_rows_of_a_pair():
    assert list(rows_of(shipped("dm"))) == [
        "flip-angle", "flip-angle 1H", "flip-angle 13C", "rf-inhomogeneity",
        "offset", "offset 1H", "offset 13C", "width 1H", "width 13C",
        "phase 1H", "phase 13C", "quadrature 1H", "quadrature 13C",
        "transient-antisymmetric 1H", "transient-antisymmetric 13C",
        "transient-symmetric 1H", "transient-symmetric 13C", "coupling", "relaxation",
    ]  # fmt: skip


def test_spins_of_one_nucleus_share_a_channel():
    subject = three_spins()
    assert channels(subject.sample) == {"1H": [0, 1], "13C": [2]}
    rows = rows_of(subject)
    both = control_errors(subject.timeline, subject.sample, ErrorSizes())
    named = {error.error: error.direction for error in both}
    np.testing.assert_allclose(
        named["flip-angle"], named["flip-angle 1H"] + named["flip-angle 13C"], atol=1e-12
    )
    assert {"offset A", "offset B", "offset C"} < set(rows)
    assert "flip-angle A" not in rows


def test_one_channel_has_no_flip_angle_of_its_own():
    assert [e for e in rows_of(one_pulse()) if e.startswith("flip-angle")] == ["flip-angle"]


def test_frames_are_no_pulses():
    """A virtual z rotation is exact: neither its angle nor its phase is off."""
    sample = idle(Spin("H", "1H"))
    timeline = Timeline("frame", (TimedDelay(1e-3),), frame={0: 1.0})
    rows = rows_of(subject_of(timeline, sample))
    assert rows["flip-angle"].infidelity == 0
    assert "phase 1H" not in rows


# ------------------------------------------------------------------------------------- curves
@pytest.mark.parametrize("name", PASSES)
def test_curves_are_the_table_for_many_sizes(name):
    subject = PASSES[name]()
    errors = ["flip-angle", "offset", "coupling", "phase", "quadrature", "transient-symmetric"]
    curves = robustness_curves(subject, factors=[-1.5, 0.0, 2.0], errors=errors)
    assert len(curves) >= 8
    for curve in curves:
        np.testing.assert_allclose(curve.sizes, curve.size * np.array([-1.5, 0, 2]))
        assert curve.infidelity[1] < 1e-24
    sizes = ErrorSizes()
    doubled = ErrorSizes(*(2 * value for value in vars(sizes).values()))
    rows = rows_of(subject, doubled)
    for curve in curves:
        assert curve.infidelity[2] == pytest.approx(rows[curve.error].infidelity, rel=1e-9)


def test_names_of_curves_are_errors_or_kinds():
    subject = shipped("dm")

    def named(*errors, **options):
        return [curve.error for curve in robustness_curves(subject, errors=errors, **options)]

    assert named("offset") == ["offset"]
    assert named("offset 13C", "flip-angle 1H") == ["flip-angle 1H", "offset 13C"]
    assert named("width") == ["width 1H", "width 13C"]
    assert named("width", factors=[-1.0, 1.0]) == []
    with pytest.raises(ArgumentError, match=r"`errors` must be of flip-angle, .*holds 'flip'"):
        named("flip")
    with pytest.raises(ArgumentError, match="holds 'relaxation'"):
        named("relaxation")


# ------------------------------------------------------------------------------------- budget
@pytest.mark.parametrize("pulses", ["ideal", "finite"])
@pytest.mark.parametrize("name", ["battery_trotter", "double_quantum", "wahuha", "spin_echo"])
def test_truncation_is_the_zeroth_order_against_the_exact_hamiltonian(name, pulses):
    subject = replace(shipped(name, pulses), claim_hz=None)
    ideal = compile_sequence(load_sequence(name), subject.sample)
    H, exact = ideal.orders[0].hamiltonian_hz, ideal.exact_hz
    phase = 2 * np.pi * ideal.duration_s * (ideal.cycles_to_close or 1)
    expected = float(infidelity(expm(-1j * phase * H), expm(-1j * phase * exact)))
    (row,) = (row for row in error_budget(subject).rows if row.error == "truncation")
    assert row.infidelity == pytest.approx(expected, rel=1e-6, abs=1e-20)


def test_a_frame_that_goes_on_is_evolution():
    timeline = Timeline("frame", (TimedDelay(1e-3),), frame={0: 0.3})
    sample = idle(Spin("H", "1H", 20.0))
    subject = subject_of(timeline, sample)
    assert subject.cycles == 1
    (row,) = (row for row in error_budget(subject).rows if row.error == "truncation")
    assert row.infidelity < 1e-25


def test_pulses_alone_take_no_time_where_they_are_ideal():
    sample = idle(Spin("H", "1H", 500.0, pulse_90_s=1e-5))
    pulse = TimedPulse((TimedRotation(0, QUARTER, 0.0, 1e-5),))
    subject = subject_of(Timeline("pulse", (pulse,), pulses="finite"), sample)
    row = rows_of(subject)["width 1H"]
    turned = expm(-1j * (QUARTER * spin_operator("x", 0, 1) + subject.drift * 1e-5))
    ideal = expm(-1j * QUARTER * spin_operator("x", 0, 1))
    assert row.infidelity == pytest.approx(float(infidelity(ideal, turned)), rel=1e-9)
    assert row.leakage == ()
    losses = {row.error: row.infidelity for row in error_budget(subject).rows}
    assert losses["truncation"] < 1e-25


def test_with_a_claim_the_ideal_pass_is_held_against_it_and_nothing_twice():
    budget = error_budget(shipped("battery_exact"))
    named = {row.error: row.infidelity for row in budget.rows}
    assert named["claim"] < 1e-20  # exact, though its zeroth order is not
    assert "truncation" not in named


def test_a_claim_that_the_pass_does_not_keep_has_a_row():
    subject = shipped("dm")
    timeline = replace(subject.timeline, target_hz={"DM_z": J / 8 + 10})
    wrong = replace(subject, timeline=timeline, claim_hz=target_hamiltonian(timeline, 2))
    (row,) = (row for row in error_budget(wrong).rows if row.error == "claim")
    # DM_z has eigenvalues ±2 and twice 0
    T = subject.period(timeline)
    expected = 1 - ((1 + np.cos(2 * np.pi * 20 * T)) / 2) ** 2
    assert row.infidelity == pytest.approx(expected, rel=1e-9)
    alone = error_budget(replace(wrong, sample=quiet(), other=None), NO_ERRORS)
    assert alone.total == pytest.approx(expected, rel=1e-9)


def quiet(sample=CHLOROFORM):
    """The sample without relaxation and without 90° times."""
    spins = (replace(s, T1_s=np.inf, T2_s=np.inf, pulse_90_s=None) for s in sample.spins)
    return replace(sample, spins=tuple(spins))


@pytest.mark.parametrize(
    ("field", "error"),
    [("coupling", "coupling"), ("rf_spread", "rf-inhomogeneity")],
)
def test_the_total_of_one_error_is_that_error(field, error):
    sample = quiet()
    subject = subject_of(expand(load_sequence("dm"), sample), sample)
    budget = error_budget(subject, replace(NO_ERRORS, **{field: 0.04}))
    assert budget.rows[0].error == error
    assert budget.total == pytest.approx(budget.rows[0].infidelity, rel=1e-9)
    assert budget.sum == pytest.approx(budget.total, rel=1e-9)


def test_without_a_claim_the_total_is_against_the_zeroth_order():
    sample = quiet(load_sample("oriented_pair"))
    subject = subject_of(expand(load_sequence("wahuha"), sample), sample)
    budget = error_budget(subject, NO_ERRORS)
    assert budget.reference == "zeroth order"
    assert budget.rows[0].error == "truncation"
    assert budget.total == pytest.approx(budget.rows[0].infidelity, rel=1e-9)


def test_the_total_is_the_process_infidelity_of_all_errors_at_once():
    """Against superoperators of the finite timeline, one per amplitude of B1."""
    subject, sizes = shipped("dm", "finite"), ErrorSizes(transient_rad=0.0)
    shift = 2 * np.pi * 20 * sum(spin_operator("z", k, 2) for k in (0, 1))
    J_part = 2 * np.pi * J * spin_operator("z", 0, 2) @ spin_operator("z", 1, 2)
    H = subject.drift + shift + 0.01 * J_part
    loss = dissipator(collapse_operators(CHLOROFORM), 4)
    segments = timeline_segments(subject.timeline, CHLOROFORM)
    amplitudes, weights = gaussian_ensemble(0.05, largest_angle=16)
    S = superoperator([s.scaled(amplitudes) for s in segments], H, loss)
    ideal = unitary(timeline_segments(subject.models[0], CHLOROFORM), subject.drift)
    S0 = unitary_superoperator(ideal)
    kept = np.einsum("ij,nij->n", S0.conj(), S).real / 16
    assert error_budget(subject, sizes).total == pytest.approx(1 - weights @ kept, rel=5e-3)


def test_errors_act_over_the_closing_period():
    delay, pulse = TimedDelay(1e-3), TimedPulse((TimedRotation(0, HALF, 0.0),))
    subject = subject_of(Timeline("echo", (delay, pulse)), idle(Spin("H", "1H", T2_s=0.1)))
    assert subject.cycles == 2
    rows = {row.error: row.infidelity for row in error_budget(subject).rows}
    # two passes refocus an offset, and turn by twice the error of a flip angle
    assert rows["offset H"] < 1e-25
    mean = (1 - np.exp(-((0.05 * 2 * HALF) ** 2) / 2)) / 2
    assert rows["rf-inhomogeneity"] == pytest.approx(mean, rel=1e-6)
    assert rows["relaxation"] == pytest.approx(
        2 * relaxation_cost(subject.timeline, subject.sample), rel=0.02
    )


# -------------------------------------------------------------------------------- the rest
@pytest.mark.parametrize(
    ("size", "unit", "text"),
    [
        (0.05, "", "5 %"),
        (20.0, "Hz", "20 Hz"),
        (77e-6, "s", "77 µs"),
        (np.pi / 180, "rad", "1°"),
    ],
)
def test_sizes_as_text(size, unit, text):
    assert size_text(size, unit) == text


def test_a_table_and_a_budget_of_two_spins_take_less_than_a_second():
    subject = shipped("dm_echoed", "finite")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        robustness_table(replace(subject))
        error_budget(replace(subject))
        times.append(time.perf_counter() - start)
    assert min(times) < 1
