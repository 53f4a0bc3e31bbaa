"""Optimised pulses: derivatives, limits, goals, and what the played sequence does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import nmrqb as nq
from nmrqb.average.magnus import magnus_terms
from nmrqb.average.played import play_pass
from nmrqb.battery import ergotropy
from nmrqb.design.grape import (
    AverageGoal,
    ErgotropyGoal,
    Members,
    Problem,
    StateGoal,
    StopRules,
    UnitaryGoal,
    final_maps,
    optimise,
    pulse_sequence,
    sample_controls,
    sample_members,
)
from nmrqb.design.toggling import PairTerms, pair_terms
from nmrqb.design.toggling.terms import from_matrix, no_terms
from nmrqb.dynamics import (
    Segment,
    basis_state,
    commutator_superoperator,
    evolve,
    exp_hermitian,
    gibbs,
    relaxation_of,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import dagger, from_named, spin_operator
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence, save_sequence

SAMPLE = nq.load_sample("chloroform")
BATTERY = from_named({"DM_z": 20.0, "KSEA_z": 5.0})
RHO = gibbs(BATTERY, 20)
DM_GATE = exp_hermitian(2 * np.pi * from_named({"DM_z": 20.0}) * 5e-3)
GOALS = {
    "unitary": UnitaryGoal(DM_GATE),
    "state": StateGoal(RHO, from_named({"DM_z": 1.0, "B": 0.3})),
    "ergotropy": ErgotropyGoal(RHO, BATTERY),
    "average": AverageGoal(pair_terms({"DM_z": 20.0}, 2), 5e-3),
}


def controls(steps=24, slew=None, duration=5e-3):
    powers = {"1H": 1000.0, "13C": 800.0}
    return sample_controls(
        SAMPLE, duration_s=duration, steps=steps, amplitudes_hz=powers, slew_hz_per_s=slew
    )


def problem(goal, *, relaxing=False, steps=24, slew=None):
    generator = 20 * relaxation_of(SAMPLE).generator if relaxing else None
    members = sample_members(SAMPLE, b1=0.05, offset_hz=20, points=2)
    return Problem(GOALS[goal], controls(steps, slew), members, generator)


CASES = [(goal, relaxing) for goal in GOALS for relaxing in (False, True)][:-1]


# ------------------------------------------------------------------ derivatives
@pytest.mark.parametrize("slew", [None, 1e6])
@pytest.mark.parametrize(("goal", "relaxing"), CASES)
def test_derivatives_are_those_of_central_differences(goal, relaxing, slew):
    asked = problem(goal, relaxing=relaxing, slew=slew)
    rng = np.random.default_rng(1)
    p = 0.3 * rng.standard_normal(np.prod(asked.controls.free))

    def mean(p):
        return asked.members.weights @ asked.value(asked.controls.amplitudes(p))[0]

    slopes = asked.controls.pulled_back(p, asked.value(asked.controls.amplitudes(p))[1])
    for k in rng.choice(len(p), 6, replace=False):
        step = np.zeros_like(p)
        step[k] = 1e-5
        assert (mean(p + step) - mean(p - step)) / 2e-5 == pytest.approx(slopes[k], abs=1e-8)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_superoperator_without_relaxation_gives_what_the_unitary_does(seed):
    rng = np.random.default_rng(seed)
    members = Members(internal_hamiltonian(SAMPLE)[None], np.ones((1, 2)), np.ones(1))
    u = 2 * np.pi * 500 * rng.standard_normal((10, 2, 2))
    for name in ("unitary", "state", "ergotropy"):
        plain = Problem(GOALS[name], controls(10), members)
        lifted = Problem(GOALS[name], controls(10), members, np.zeros((16, 16), dtype=complex))
        for a, b in zip(plain.value(u), lifted.value(u), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-10 * np.abs(a).max() + 1e-12)


def test_degenerate_steps_have_finite_derivatives():
    members = Members(np.zeros((1, 4, 4), dtype=complex), np.ones((1, 2)), np.ones(1))
    values, slopes = Problem(GOALS["unitary"], controls(5), members).value(np.zeros((5, 2, 2)))
    assert np.all(np.isfinite(values))
    assert np.all(np.isfinite(slopes))


# ------------------------------------------------------------------ limits
@given(st.integers(0, 1000), st.floats(0.1, 100.0), st.sampled_from([None, 5e5, 1e6]))
@settings(max_examples=40, deadline=None)
def test_every_pulse_of_the_search_is_within_the_limits(seed, size, slew):
    chosen = controls(40, slew)
    p = size * np.random.default_rng(seed).standard_normal(np.prod(chosen.free))
    u = chosen.amplitudes(p)
    assert u.shape == (40, 2, 2)
    largest = 2 * np.pi * np.array([1000.0, 800.0])
    assert np.all(np.hypot(u[..., 0], u[..., 1]) <= largest * (1 + 1e-12))
    if slew:
        padded = np.concatenate([np.zeros((1, 2, 2)), u])
        change = np.linalg.norm(np.diff(padded, axis=0), axis=-1) / chosen.step_s
        assert change.max() <= 2 * np.pi * slew * (1 + 1e-9)


def test_free_numbers_give_back_the_amplitudes():
    chosen = controls(12)
    u = chosen.amplitudes(np.random.default_rng(3).standard_normal(np.prod(chosen.free)))
    np.testing.assert_allclose(chosen.amplitudes(chosen.free_numbers(u)), u, rtol=1e-2)


# ------------------------------------------------------------------ what is found
def as_played(pulse, b1=(1.0, 1.0), offset=0.0, relaxing=False):
    """Return the propagator of an optimised pulse, by another road: evolution of segments."""
    asked, steps = pulse.problem.controls, []
    drift = internal_hamiltonian(SAMPLE)
    drift = drift + 2 * np.pi * offset * sum(spin_operator("z", k, 2) for k in (0, 1))
    for u in pulse.amplitudes:
        fields = np.einsum("c,ca,caij->ij", b1, u, asked.operators)
        steps.append(Segment(asked.step_s, fields * asked.step_s))
    return steps, drift


@pytest.fixture(scope="module")
def dm_gate():
    members = sample_members(SAMPLE, b1=0.05, offset_hz=20, apart=False)
    chosen = sample_controls(
        SAMPLE, duration_s=12e-3, steps=120, amplitudes_hz={"1H": 2000.0, "13C": 2000.0}
    )
    rules = StopRules(shortfall=4e-4, iterations=400, seconds=120, starts=1)
    return optimise(Problem(UnitaryGoal(DM_GATE), chosen, members), seed=1, rules=rules)


@pytest.mark.slow
def test_a_dm_gate_bears_five_per_cent_of_rf_and_twenty_hertz(dm_gate):
    assert dm_gate.values.min() > 0.999
    fresh = sample_members(SAMPLE, b1=0.05, offset_hz=20, points=7, apart=False)
    between = Problem(UnitaryGoal(DM_GATE), dm_gate.problem.controls, fresh)
    assert between.value(dm_gate.amplitudes)[0].min() > 0.999


@pytest.mark.slow
def test_its_sequence_plays_the_same_propagator(dm_gate, tmp_path):
    path = tmp_path / "gate.yaml"
    save_sequence(pulse_sequence(dm_gate, SAMPLE), path)
    played = play_pass(expand(load_sequence(str(path)), SAMPLE), SAMPLE)
    U = np.eye(4)
    for segment in played.segments:
        U = exp_hermitian(segment.generator(played.drift)) @ U
    members = Members(internal_hamiltonian(SAMPLE)[None], np.ones((1, 2)), np.ones(1))
    alone = Problem(UnitaryGoal(DM_GATE), dm_gate.problem.controls, members)
    np.testing.assert_allclose(U, final_maps(alone, dm_gate.amplitudes)[0], atol=1e-9)
    assert abs(np.trace(dagger(DM_GATE) @ U)) ** 2 / 16 > 0.999


def test_a_pair_of_90_degree_pulses_bears_five_per_cent_of_rf():
    half = exp_hermitian(np.pi / 2 * spin_operator("x", 0, 1))
    members = sample_members(SAMPLE, b1=0.05)
    chosen = sample_controls(SAMPLE, duration_s=0.6e-3, steps=60)
    pulse = optimise(
        Problem(UnitaryGoal(np.kron(half, half)), chosen, members),
        seed=1,
        rules=StopRules(shortfall=2e-4, iterations=300, seconds=60, starts=2),
    )
    assert pulse.stopped == "reached"
    hard = np.abs(np.cos(np.pi / 4 * 0.05)) ** 4  # both spins by 5 %: the plain pulses
    assert pulse.values.min() > 0.9995 > hard
    again = optimise(pulse.problem, seed=1, rules=StopRules(2e-4, 300, 60, 2))
    np.testing.assert_array_equal(again.amplitudes, pulse.amplitudes)


def test_final_ergotropy_is_what_the_played_state_holds():
    members = Members(internal_hamiltonian(SAMPLE)[None], np.ones((1, 2)), np.ones(1))
    goal = ErgotropyGoal(RHO, BATTERY)
    asked = Problem(goal, controls(30, duration=15e-3), members)
    pulse = optimise(asked, seed=2, rules=StopRules(1e-6, 400, 60, 3))
    steps, drift = as_played(pulse)
    final = evolve(steps, drift, RHO).state
    assert ergotropy(final, BATTERY) / goal.width == pytest.approx(pulse.value, abs=1e-9)
    assert pulse.value == pytest.approx(goal.largest, abs=1e-5)


def test_with_relaxation_the_played_state_is_that_of_the_master_equation():
    asked = problem("ergotropy", relaxing=True)
    pulse = optimise(asked, seed=1, rules=StopRules(1e-9, 15, 60, 1))
    assert pulse.value < asked.goal.largest
    members = asked.members
    first = Members(members.drifts[:1], members.b1[:1], np.ones(1))
    alone = Problem(asked.goal, asked.controls, first, asked.dissipation)
    steps, _ = as_played(pulse, b1=first.b1[0])
    rho = RHO.ravel().astype(complex)
    for step in steps:
        H = first.drifts[0] + step.rotation / step.duration
        rho = expm((commutator_superoperator(H) + asked.dissipation) * step.duration) @ rho
    work = ergotropy(rho.reshape(4, 4), BATTERY) / asked.goal.width
    assert alone.value(pulse.amplitudes)[0][0] == pytest.approx(float(work), abs=1e-10)


def test_a_state_goal_is_one_where_the_state_is_reached():
    start, wanted = basis_state("00"), basis_state("11")
    members = Members(internal_hamiltonian(SAMPLE)[None], np.ones((1, 2)), np.ones(1))
    asked = Problem(StateGoal(start, wanted), controls(30), members)
    pulse = optimise(asked, seed=1, rules=StopRules(1e-7, 300, 60, 3))
    steps, drift = as_played(pulse)
    final = evolve(steps, drift, start).state
    assert final[3, 3].real == pytest.approx(pulse.value, abs=1e-9)
    assert pulse.value > 1 - 1e-6


@pytest.mark.slow
def test_an_average_hamiltonian_is_that_of_the_magnus_expansion():
    """A shaped cycle of 0.2 ms that halves ZZ into a flip-flop coupling, at zeroth order."""
    c = SAMPLE.couplings[0].J_hz / 4
    duration = 0.4e-3
    target = pair_terms({"XX": c / 4, "YY": c / 4}, 2)
    members = Members(internal_hamiltonian(SAMPLE)[None], np.ones((1, 2)), np.ones(1))
    powers = {"1H": 20e3, "13C": 20e3}
    chosen = sample_controls(SAMPLE, duration_s=duration, steps=80, amplitudes_hz=powers)
    asked = Problem(AverageGoal(target, duration), chosen, members)
    pulse = optimise(asked, seed=3, rules=StopRules(1e-8, 600, 60, 4))
    assert pulse.value > 1 - 1e-6
    steps, drift = as_played(pulse)
    zeroth = magnus_terms(steps, drift, order=0)[0]
    made = from_matrix(zeroth / (2 * np.pi))
    np.testing.assert_allclose(made.vector, target.vector, atol=2e-3 * c)


# ------------------------------------------------------------------ running
def test_progress_is_told_and_time_is_kept():
    asked, told = problem("unitary"), []
    rules = StopRules(1e-9, 5, 60, 1)
    found = optimise(asked, seed=1, rules=rules, progress=lambda k, F: told.append((k, F)))
    assert [k for k, _ in told] == [1, 2, 3, 4, 5]
    assert tuple(F for _, F in told) == found.history
    assert found.stopped == "iterations"
    assert optimise(asked, seed=1, rules=StopRules(1e-9, 500, 1e-9, 3)).stopped == "time"


def test_smoothness_makes_smoother_pulses():
    asked = Problem(GOALS["unitary"], controls(40), sample_members(SAMPLE))
    rules = StopRules(1e-9, 60, 60, 1)
    rough, smooth = (optimise(asked, seed=1, rules=rules, smoothness=s) for s in (0.0, 10.0))

    def curvature(pulse):
        return np.square(np.diff(pulse.amplitudes, n=2, axis=0)).sum()

    assert curvature(smooth) < 0.5 * curvature(rough)


def test_a_start_is_where_the_search_begins():
    asked = problem("unitary")
    rules = StopRules(1e-9, 30, 60, 1)
    first = optimise(asked, seed=1, rules=rules)
    second = optimise(asked, seed=5, rules=StopRules(1e-9, 2, 60, 1), start=first.amplitudes)
    assert second.history[0] > first.history[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: UnitaryGoal(np.ones((4, 4))), r"`V` must be one unitary"),
        (lambda: StateGoal(RHO, np.eye(4)), r"`sigma` must overlap .* always does by 1"),
        (lambda: StateGoal(RHO, np.eye(2)), r"`sigma` must have the shape of `rho`"),
        (lambda: ErgotropyGoal(RHO, np.eye(4)), r"`H` must have different levels"),
        (lambda: ErgotropyGoal(RHO, np.eye(2)), r"`H` must have the shape of `rho`"),
        (lambda: AverageGoal(no_terms(2), 1e-3), r"`target` must not be 0"),
        (lambda: controls(0), r"`steps` must be from 1 to \d+, but is 0"),
        (lambda: controls(slew=1.0), r"`window` must be from 1 to 24 steps, but is \d+"),
        (lambda: controls(slew=-1.0), r"`slew_hz_per_s` must be positive, but is -1.0"),
        (lambda: controls(duration=float("nan")), r"`duration_s` must be positive .* but is nan"),
        (
            lambda: sample_controls(SAMPLE, duration_s=1e-3, steps=4, amplitudes_hz={"15N": 1.0}),
            r"must name nuclei of 'chloroform', .* but names \['15N'\]",
        ),
        (
            lambda: sample_controls(SAMPLE, duration_s=1e-3, steps=4, amplitudes_hz={"1H": 0.0}),
            r"`amplitudes_hz` must be positive and finite, but is 0.0",
        ),
        (lambda: sample_members(SAMPLE, b1=-1), r"`b1` must be finite and ≥ 0, but is -1"),
        (lambda: sample_members(SAMPLE, b1=0.1, offset_hz=1, points=9), r"make 6561"),
        (lambda: StopRules(starts=0), r"`starts` must be positive, but is 0"),
        (lambda: optimise(problem("unitary"), seed=1, smoothness=-1), r"`smoothness` must not be"),
        (
            lambda: optimise(problem("unitary"), seed=1, start=np.zeros((2, 2, 2))),
            r"`start` must have shape \(24, 2, 2\), but has shape \(2, 2, 2\)",
        ),
        (lambda: problem("average", relaxing=True), r"`dissipation` must be None"),
        (
            lambda: Problem(UnitaryGoal(np.eye(2)), controls(), sample_members(SAMPLE)).value(
                np.zeros((24, 2, 2))
            ),
            r"`goal` must be of the size of the sample's states",
        ),
        (
            lambda: GOALS["average"].value(np.eye(8)[None], "unitary"),
            r"`space` must be first-order, but is 'unitary'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_terms_without_a_coupling_are_zero():
    assert isinstance(no_terms(3), PairTerms)
    assert not np.any(no_terms(3).vector)
