"""What every evolution keeps: unitarity, composition, trace, positivity, names of spins, errors."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import (
    Segment,
    evolve,
    evolver,
    play,
    relaxation_of,
    rotation_generator,
    superoperator,
    unitary,
)
from nmrqb.dynamics.relaxing import splitting
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.relaxing.splitting import Channels, split_step
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, dagger, spin_operator
from nmrqb.sample import (
    Coupling,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    PauliNoise,
    Sample,
    ShieldingAnisotropy,
    Spin,
)
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def hermitian(rng, d):
    A = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (A + dagger(A)) / 2


def state(rng, d, rank=None):
    A = rng.normal(size=(d, rank or d)) + 1j * rng.normal(size=(d, rank or d))
    rho = A @ dagger(A)
    return rho / np.trace(rho).real


def turned(vectors):
    """Σ v_k·I_k from Pauli matrices: (..., n, 3)."""
    n = vectors.shape[-2]
    return sum(
        vectors[..., k, a, None, None] * spin_operator(axis, k, n)
        for k in range(n)
        for a, axis in enumerate("xyz")
    )


def drift(rng, n, kind):
    """Offsets and couplings: weak ones, strong ones of all spins or of some, or no secular ones."""
    H = sum(rng.uniform(-3e3, 3e3) * spin_operator("z", k, n) for k in range(n))
    for i in range(n):
        for j in range(i):
            J = rng.uniform(-1e3, 1e3)
            H = H + J * spin_operator("z", i, n) @ spin_operator("z", j, n)
            if kind == "strong" or (kind == "mixed" and i % 2 == j % 2):
                H = H + J * sum(spin_operator(a, i, n) @ spin_operator(a, j, n) for a in "xy")
    return H + (500 * hermitian(rng, 2**n) if kind == "any" else 0)


def zero(n, batch=()):
    return np.zeros((*batch, 2**n, 2**n), dtype=complex)


def drawn_segment(rng, n, batch=()):
    """A delay, an ideal or finite pulse, a z rotation, a two-spin drive, or one that evolves."""
    kind = rng.choice(["delay", "pulse", "hard", "selective", "z", "any", "evolving", "nothing"])
    T = np.asarray(rng.choice([0.0, 1e-5, 1e-3]))
    vectors = np.zeros((*batch, n, 3))
    match kind:
        case "delay":
            return Segment(np.asarray(rng.uniform(0, 5e-3, batch)), zero(n))
        case "nothing":
            return Segment(np.zeros(()), zero(n))
        case "pulse":  # of one of four phases on all spins, as cycles have them
            phase = rng.integers(4) * math.pi / 2
            vectors[..., 0], vectors[..., 1] = 1.2 * math.cos(phase), 1.2 * math.sin(phase)
        case "hard" | "selective":
            hit = slice(None) if kind == "hard" else rng.integers(n)
            vectors[..., hit, :2] = rng.normal(size=vectors[..., hit, :2].shape)
        case "z":
            vectors[..., 2] = rng.normal(size=vectors[..., 2].shape)
        case "any":
            return Segment(T, hermitian(rng, 2**n))
        case "evolving":
            return Segment(T, turned(vectors), evolution=hermitian(rng, 2**n))
    return Segment(T, turned(vectors), rf=kind != "z")


def drawn_segments(rng, n, count, batch=()):
    made = [drawn_segment(rng, n, batch) for _ in range(count)]
    return [made[k] for k in rng.integers(count, size=count + 2)]


def off(A, B):
    return float(np.abs(A - B).max())


# ------------------------------------------------------------------------------------- coherent
@pytest.mark.parametrize("kind", ["weak", "strong", "mixed", "any"])
@given(SEEDS, st.integers(1, 6))
@QUICK
def test_unitary_is_unitary_and_the_product_of_exponentials(kind, seed, n):
    rng = np.random.default_rng(seed)
    H, segments = drift(rng, n, kind), drawn_segments(rng, n, 4)
    U = unitary(segments, H)
    assert off(U @ dagger(U), np.eye(2**n)) < 1e-12
    expected = np.eye(2**n)
    for segment in segments:
        A = segment.rotation + float(segment.duration) * H
        A = A if segment.evolution is None else A + segment.evolution
        expected = expm(-1j * A) @ expected
    np.testing.assert_allclose(U, expected, rtol=0, atol=1e-11)


@given(SEEDS, st.integers(1, 6), st.sampled_from(["weak", "strong", "mixed", "any"]))
@QUICK
def test_segments_one_after_the_other_multiply(seed, n, kind):
    rng = np.random.default_rng(seed)
    H, batch = drift(rng, n, kind), (3,) if n < 5 else ()
    first, then = drawn_segments(rng, n, 3, batch), drawn_segments(rng, n, 3, batch)
    both = unitary([*first, *then], H)
    np.testing.assert_allclose(both, unitary(then, H) @ unitary(first, H), rtol=0, atol=1e-12)
    assert off(both @ dagger(both), np.eye(2**n)) < 1e-12


@given(SEEDS, st.integers(1, 5))
@QUICK
def test_batches_of_segments_and_drifts_equal_loops(seed, n):
    rng = np.random.default_rng(seed)
    drifts = np.array([drift(rng, n, "mixed") for _ in range(3)])
    segments = drawn_segments(rng, n, 3, (3,))

    def alone(segment, k):
        duration = np.broadcast_to(segment.duration, 3)[k]
        rotation = np.broadcast_to(segment.rotation, drifts.shape)[k]
        return replace(segment, duration=np.asarray(duration), rotation=rotation)

    looped = [unitary([alone(s, k) for s in segments], drifts[k]) for k in range(3)]
    np.testing.assert_allclose(unitary(segments, drifts), np.array(looped), rtol=0, atol=1e-12)


# ----------------------------------------------------------------------------------- relaxation
def drawn_part(rng, n, kinds="XZrpzzRd"):
    """Lindblad operators on one or two spins, from hardly there to much faster than a delay."""
    kind, g = rng.choice(list(kinds)), math.sqrt(10 ** rng.uniform(-1, 2.5))
    k = int(rng.integers(n))
    raised = np.array([[0, 1], [0, 0]], dtype=complex)
    pair = tuple(int(spin) for spin in rng.permutation(n)[:2])
    match kind:
        case "r":
            return Part((k,), g * raised[None])
        case "p":
            return Part((k,), g * np.array([raised, 0.6 * dagger(raised)]))
        case "z" if n > 1:
            return Part(pair, g * np.kron(PAULI["Z"], PAULI["Z"])[None])
        case "R" if n > 1:
            return Part(
                pair, g / 4 * (rng.normal(size=(2, 4, 4)) + 1j * rng.normal(size=(2, 4, 4)))
            )
        case "d" if n > 1:
            common = np.kron(PAULI["Z"], PAULI["I"]) - 0.5 * np.kron(PAULI["I"], PAULI["Z"])
            return Part(pair, g * common[None])
    return Part((k,), g * PAULI["X" if kind == "X" else "Z"][None])


def drawn_dissipation(rng, n):
    return Dissipation(n, tuple(drawn_part(rng, n) for _ in range(int(rng.integers(1, 4)))))


@given(SEEDS, st.integers(1, 3), st.sampled_from(["superoperator", "splitting"]))
@QUICK
def test_open_evolution_keeps_trace_and_hermiticity(seed, n, method):
    rng = np.random.default_rng(seed)
    H, rho = drift(rng, n, "mixed"), state(rng, 2**n, 1)
    segments = [*drawn_segments(rng, n, 3), Segment(np.asarray(rng.choice([0.1, 1.0])), zero(n))]
    end = evolve(segments, H, rho, drawn_dissipation(rng, n), method=method, tolerance=1e-4)
    assert abs(np.trace(end.state) - 1) < 1e-12
    assert off(end.state, dagger(end.state)) < 1e-12
    assert np.linalg.eigvalsh(end.state).min() > -max(1e-10, end.error)


@pytest.mark.parametrize("method", ["superoperator", "splitting"])
def test_hundreds_of_steps_keep_the_trace(method):
    rng = np.random.default_rng(2)
    D = Dissipation(2, (Part((0,), np.array([[[0, 1.2], [0.4, 0]]], dtype=complex)),))
    segments = [wait(50e-3, 2), quarter(2), wait(20e-3, 2)]
    end = evolve(segments, drift(rng, 2, "strong"), state(rng, 4), D, method=method)
    assert abs(np.trace(end.state) - 1) < 1e-15 * 4


@given(SEEDS)
@QUICK
def test_trajectories_keep_trace_and_hermiticity(seed):
    rng = np.random.default_rng(seed)
    H, rho = drift(rng, 2, "strong"), state(rng, 4)
    D = Dissipation(2, (Part((0,), 5 * PAULI["Z"][None]), Part((1,), 3 * PAULI["X"][None])))
    segments = [Segment(np.asarray(2e-3), zero(2))]
    end = evolve(segments, H, rho, D, method="trajectories", seed=1)
    assert abs(np.trace(end.state) - 1) < 1e-12
    assert off(end.state, dagger(end.state)) < 1e-12


@given(SEEDS, st.integers(1, 3))
@QUICK
def test_superoperators_are_completely_positive(seed, n):
    rng, d = np.random.default_rng(seed), 2**n
    D = drawn_dissipation(rng, n)
    S = superoperator(drawn_segments(rng, n, 3), drift(rng, n, "mixed"), D.generator)
    choi = S.reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
    assert off(choi, dagger(choi)) < 1e-11
    assert np.linalg.eigvalsh(choi).min() > -1e-11
    np.testing.assert_allclose(np.eye(d).ravel() @ S, np.eye(d).ravel(), rtol=0, atol=1e-11)


# ------------------------------------------------------------------------------ names of the spins
def drawn_molecule(rng, n):
    """A sample with every sort of mechanism; spins of one nucleus have one polarization."""
    nuclei, p = [str(rng.choice(["1H", "13C"])) for _ in range(n)], {"1H": 0.4, "13C": -0.2}
    spins = tuple(
        Spin(
            f"s{k}", nucleus, rng.uniform(-300, 300), 0.05, rng.uniform(0.01, 0.1), None, p[nucleus]
        )
        for k, nucleus in enumerate(nuclei)
    )
    couplings = tuple(
        Coupling((f"s{i}", f"s{j}"), rng.uniform(-200, 200), rng.uniform(-50, 50))
        for i in range(n)
        for j in range(i)
    )
    pair = ("s1", "s0")
    mechanisms = (
        PauliNoise({"s1": (30.0, 2.0, 7.0)}),
        Dephasing(("s0", "s1"), (20.0, 30.0), 0.7),
        DipolarCSA(pair, 2e-9, 1.2e-10, csa=(ShieldingAnisotropy("s1", 1e-4, 0.3),)),
        LindbladOperator({"X+": 1.0, "ZY": 0.3j}, 12.0, pair),
    )
    return Sample("drawn", spins, couplings, field_tesla=9.4, relaxation=mechanisms)


@pytest.mark.parametrize("method", ["superoperator", "splitting", "unitary"])
@given(SEEDS, st.integers(2, 3))
@settings(QUICK, max_examples=8)
def test_the_order_of_the_spins_is_a_matter_of_names(method, seed, n):
    rng = np.random.default_rng(seed)
    sample, order = drawn_molecule(rng, n), [int(k) for k in rng.permutation(n)]
    events = [
        TimedPulse(tuple(
            TimedRotation(k, float(rng.uniform(-3, 3)), float(rng.uniform(0, 6)), T)
            for k, T in zip(range(n), (0.0, 1e-4, 3e-4), strict=False)
        )),
        TimedDelay(2e-3),
        TimedPulse((TimedRotation(n - 1, 1.3, 0.2, 1e-3),)),
    ]  # fmt: skip
    rho, to = state(rng, 2**n), {old: new for new, old in enumerate(order)}
    moved = tuple(
        TimedPulse(tuple(replace(r, spin=to[r.spin]) for r in event.rotations))
        if isinstance(event, TimedPulse)
        else event
        for event in events
    )
    other = replace(sample, spins=tuple(sample.spins[k] for k in order))
    axes = [*order, *(n + k for k in order)]

    def renamed(rho):
        return rho.reshape((2,) * (2 * n)).transpose(axes).reshape(rho.shape)

    options = {"relaxation": method != "unitary", "method": method, "tolerance": 1e-5}
    frame = {0: 0.4}
    there = play(Timeline("a", tuple(events), frame=frame), sample, rho, **options)
    here = play(Timeline("a", moved, frame={to[0]: 0.4}), other, renamed(rho), **options)
    bound = 1e-11 + (there.error + here.error) * (method == "splitting")
    np.testing.assert_allclose(here.state, renamed(there.state), rtol=0, atol=bound)


# ------------------------------------------------------------------------------------- splitting
def bounded(segments, H, rho, D, tolerance):
    """Check the reported error of a splitting against maps of the whole register."""
    exact = evolve(segments, H, rho, D, method="superoperator")
    split = evolve(segments, H, rho, D, method="splitting", tolerance=tolerance)
    true = np.linalg.norm(split.state - exact.state)
    assert true <= split.error + exact.error
    assert split.error <= tolerance + 1e-12 * len(segments) * 64
    return split.error


def drawn_case(seed, n):
    """Segments, H, a state and a dissipation, of which most turn whole times in a delay."""
    rng = np.random.default_rng(seed)
    D, waits = drawn_dissipation(rng, n), (10e-3, 2.5e-3, 1.7e-3)
    H = sum(2 * np.pi * 100 * rng.integers(-9, 9) * spin_operator("z", k, n) for k in range(n))
    for i in range(n):
        for j in range(i):
            J = 2 * np.pi * rng.choice([100.0, 200.0, 37.3])
            H = H + J * spin_operator("z", i, n) @ spin_operator("z", j, n)
            if rng.random() < 0.4:
                H = H + J * sum(spin_operator(a, i, n) @ spin_operator(a, j, n) for a in "xy")
    segments = []
    for T in rng.choice(waits, 4):
        vectors = np.zeros((n, 3))
        vectors[rng.integers(n), rng.integers(2)] = rng.choice([np.pi / 2, np.pi, 0.7])
        segments += [
            Segment(np.asarray(T), zero(n)),
            Segment(np.asarray(rng.choice([0.0, 5e-5, 1e-3])), turned(vectors)),
        ]
    rho = state(rng, 2**n, rng.choice([1, 2**n]))
    if seed % 3 == 0:  # what commutes with everything at first
        rho = np.diag(rng.dirichlet(np.ones(2**n))).astype(complex)
    return segments, H, rho, D


@given(SEEDS, st.integers(1, 3), st.integers(4, 9))
@settings(QUICK, max_examples=20)
def test_the_error_of_a_splitting_bounds_the_true_one(seed, n, digits):
    bounded(*drawn_case(seed, n), 10.0**-digits)


def wait(T, n=1):
    return Segment(np.asarray(T), zero(n))


def quarter(n=1, spin=0, axis="x"):
    return Segment(np.zeros(()), np.pi / 2 * spin_operator(axis, spin, n))


@pytest.mark.parametrize("turns", [1, 4, 6, 12])
@pytest.mark.parametrize("axis", ["x", "z"])
def test_whole_turns_within_a_delay_hide_nothing(turns, axis):
    # σ_x noise damps y and z; what precesses meanwhile is damped in between
    H = 2 * np.pi * turns / 10e-3 * spin_operator("z", 0, 1)
    D = Dissipation(1, (Part((0,), math.sqrt(20.0) * PAULI["X"][None]),))
    rho = (PAULI["I"] + PAULI[axis.upper()]) / 2
    bounded([wait(10e-3), quarter(axis="y"), wait(10e-3)], H, rho, D, 1e-8)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_steps_chosen_on_a_state_that_no_step_harms_are_chosen_anew(axis):
    # z decays by σ_x noise however it is cut: the first delay has no error, the second one has
    H = 2 * np.pi * 600 * spin_operator("z", 0, 1)
    D = Dissipation(1, (Part((0,), math.sqrt(20.0) * PAULI["X"][None]),))
    rho = np.diag([1.0, 0.0]).astype(complex)
    segments = [wait(10e-3), quarter(axis=axis), wait(10e-3), quarter(axis="y"), wait(10e-3)]
    bounded(segments, H, rho, D, 1e-8)


@pytest.mark.parametrize("turns", [4, 5])
def test_steps_chosen_on_nothing_are_chosen_anew(turns):
    # whole turns in the delay and, for 4, in its quarters and halves
    H = 2 * np.pi * turns / 10e-3 * spin_operator("z", 0, 1)
    D = Dissipation(1, (Part((0,), math.sqrt(20.0) * PAULI["X"][None]),))
    way = evolver(H, D, method="splitting", tolerance=1e-8)
    for _ in range(3):
        assert not np.any(way.advance(zero(1), [wait(10e-3)]))
    assert way.error == 0
    found = way.advance(PAULI["X"], [wait(10e-3)])
    exact = evolve([wait(10e-3)], H, PAULI["X"], D, method="superoperator").state
    assert np.linalg.norm(found - exact) <= way.error <= 1e-8


def test_steps_chosen_on_one_state_hold_for_others():
    # alike in the third order of the steps, later states suffer six times more in the fifth
    z, w = spin_operator("z", 0, 2), spin_operator("z", 1, 2)
    H = 2 * np.pi * (1100 * z - 300 * w + 200 * z @ w)
    noise = Part((0,), 0.632536 * PAULI["X"][None])
    D = Dissipation(2, (Part((1,), 3.024203 * PAULI["Z"][None]), noise))

    def pulse(spin, angle, phase, T):
        return Segment(np.asarray(T), rotation_generator(angle, phase, spin, 2))

    delay, rho, right = wait(2.5e-3, 2), np.diag([1.0, 0, 0, 0]).astype(complex), math.pi / 2
    segments = [
        delay, pulse(0, 1.1, right, 0.0), delay, pulse(0, right, 0.0, 0.0),
        pulse(1, 1.1, 0.4, 0.0), pulse(0, right, 0.0, 2e-3), pulse(0, math.pi, 0.4, 2e-3), delay,
        pulse(1, right, 0.0, 2e-3), wait(10e-3, 2),
    ]  # fmt: skip
    bounded(segments, H, rho, D, 2.4549596e-6)


def test_more_steps_than_can_be_made_are_refused(monkeypatch):
    monkeypatch.setattr(splitting, "MAX_STEPS", 32)
    H = 2 * np.pi * 5e3 * spin_operator("z", 0, 1)
    D = Dissipation(1, (Part((0,), math.sqrt(20.0) * PAULI["X"][None]),))
    with pytest.raises(ArgumentError, match=r"within reach of 32 steps, but is 1e-08 where they"):
        evolve([wait(10e-3)], H, PAULI["Y"], D, method="splitting", tolerance=1e-8)


@pytest.mark.parametrize("T2", [1e-3, 5e-5])
def test_dissipation_much_faster_than_the_delay_is_followed(T2):
    spins = (Spin("A", "1H", 300.0, 0.1, T2, polarization=0.5), Spin("B", "1H", -200.0, 0.2, 0.1,
             polarization=0.5))  # fmt: skip
    sample = Sample("stiff", spins, (Coupling(("A", "B"), 70.0),))
    rng = np.random.default_rng(3)
    rho, D = state(rng, 4), relaxation_of(sample)
    H = drift(rng, 2, "strong")
    bounded([wait(20e-3, 2), quarter(2), wait(20e-3, 2)], H, rho, D, 1e-6)


@pytest.mark.slow
def test_the_error_of_a_splitting_of_four_spins_bounds_the_true_one():
    rng = np.random.default_rng(4)
    sample = drawn_molecule(rng, 4)
    H, D = drift(rng, 4, "mixed"), relaxation_of(sample)
    segments = [wait(2e-3, 4), quarter(4, 1), wait(2e-3, 4), quarter(4, 3, "y"), wait(2e-3, 4)]
    bounded(segments, H, state(rng, 16, 1), D, 1e-7)


@pytest.mark.parametrize("n", [1, 2])
def test_extrapolated_steps_are_of_fourth_order(n):
    rng = np.random.default_rng(n)
    raised = np.array([[[0, 7], [0, 0]]], dtype=complex)
    D = Dissipation(n, (Part((0,), 8 * PAULI["X"][None]), Part((n - 1,), raised)))
    H, rho, T = drift(rng, n, "strong"), state(rng, 2**n, 1), 3e-3
    exact = evolve([wait(T, n)], H, rho, D, method="superoperator").state
    errors = [
        np.linalg.norm(split_step(H * T, Channels.of(D), T, [1 / m] * m)(rho)[0] - exact)
        for m in (8, 16, 32)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4, atol=0.35)
