"""Quantum trajectories, against Liouvillians of few spins and closed forms of many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.sparse import csr_array, diags_array

from nmrqb.dynamics import Segment, apply, evolve, superoperator
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.relaxing.trajectories import trajectories
from nmrqb.dynamics.relaxing.unravelling import Channel, Kraus, Phases, kraus_operators, unravelled
from nmrqb.dynamics.segments import event_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, dagger, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian, sparse_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation
from nmrqb.sparse_operators import sparse_spin_operator

UP = np.array([[0, 1], [0, 0]], dtype=complex)


def relaxing(spin, up, down, dephasing):
    operators = (np.sqrt(up) * UP, np.sqrt(down) * UP.T, np.sqrt(dephasing / 2) * PAULI["Z"])
    return Part((spin,), np.array(operators))


def random_part(spins, rng, size=5.0):
    d = 2 ** len(spins)
    return Part(spins, size * (rng.normal(size=(2, d, d)) + 1j * rng.normal(size=(2, d, d))))


def random_state(d, seed=0):
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=d) + 1j * rng.normal(size=d)
    return psi / np.linalg.norm(psi)


def triple():
    """Three coupled protons, a pulsed delay, and dissipation of every kind."""
    spins = tuple(Spin(f"S{k}", "1H", 200.0 * k - 100) for k in range(3))
    pairs = ((0, 1), (1, 2), (0, 2))
    couplings = tuple(Coupling((f"S{i}", f"S{j}"), 10.0, 300.0 * (i - j)) for i, j in pairs)
    turns = tuple(TimedRotation(k, np.pi / 2, 0.3 * k, 1e-4) for k in range(3))
    ideal = TimedPulse((TimedRotation(1, 1.0, 0.4),))
    events = (TimedDelay(2e-4), TimedPulse(turns), ideal, TimedDelay(3e-4), TimedPulse(turns))
    segments = [segment for event in events for segment in event_segments(event, 3)]
    rng = np.random.default_rng(7)
    levels = np.array([np.diag(rng.normal(size=8) * 15)])
    parts = (
        relaxing(0, 300, 100, 500),
        relaxing(1, 500, 50, 0),
        Part((0, 1, 2), levels),
        random_part((2, 0), rng),
    )
    return segments, internal_hamiltonian(Sample("triple", spins, couplings)), parts


SEGMENTS, DRIFT, PARTS = triple()
NOISE = Dissipation(3, PARTS)
MAP = superoperator(SEGMENTS, DRIFT, NOISE.generator)
AXES = [spin_operator(a, k, 3) for a in "xyz" for k in range(3)]


# ------------------------------------------------------------------------------ one channel
@given(st.integers(0, 10**6), st.floats(-6, 1), st.integers(1, 2))
@settings(deadline=None, max_examples=25)
def test_kraus_operators_are_those_of_the_exponential(seed, exponent, k):
    part = random_part(tuple(range(k)), np.random.default_rng(seed), 1.0)
    t = 10.0**exponent
    K = kraus_operators(part.generator, t)
    whole = sum(np.kron(a, a.conj()) for a in K)
    np.testing.assert_allclose(whole, expm(part.generator * t), atol=1e-12)
    np.testing.assert_allclose(np.einsum("mji,mjk->ik", K.conj(), K), np.eye(2**k), atol=1e-12)
    sizes = np.linalg.norm(K, axis=(1, 2))
    assert np.all(np.diff(sizes) >= -1e-12)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (relaxing(2, 3.0, 1.0, 2.0), Kraus),
        (random_part((2, 0), np.random.default_rng(1), 1.0), Kraus),
        (Part((1,), np.array([PAULI["Z"]])), Phases),
        (Part((2, 0), np.array([np.diag([1.0, 2, -1, 0.5]), np.diag([0, 1.0, 1, 3])])), Phases),
        (Part((0,), np.array([np.diag([1.0, 1j])])), Kraus),
    ],
)
def test_the_mean_of_the_images_is_the_channel(part, kind):
    time, count = 0.2, 40_000
    psi = random_state(8, 3)
    noise = Dissipation(3, (part,))
    expected = (expm(noise.generator * time) @ np.outer(psi, psi.conj()).reshape(-1)).reshape(8, 8)
    operation = unravelled(part, time)
    assert isinstance(operation, kind)
    draws = operation.draw(np.random.default_rng(5), count)
    images = operation.act(np.tile(psi[:, None], (1, count)), draws)
    np.testing.assert_allclose(np.linalg.norm(images, axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(images @ dagger(images) / count, expected, atol=4 / count**0.5)
    assert np.abs(expected - np.outer(psi, psi.conj())).max() > 10 / count**0.5


@pytest.mark.parametrize("part", [relaxing(0, 3.0, 1.0, 2.0), Part((0,), np.array([PAULI["Z"]]))])
def test_combined_draws_are_drawn_like_single_ones_and_do_much_the_same(part):
    short, long = unravelled(part, 1e-3), unravelled(part, 2e-3)
    rng = np.random.default_rng(0)
    count = 40_000
    first, second = short.draw(rng, count), short.draw(rng, count)
    both, alone = np.ravel(short.combined(first, second)), np.ravel(long.draw(rng, count))
    quantiles = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(
        np.quantile(both, quantiles), np.quantile(alone, quantiles), atol=0.05
    )
    psi = np.tile(random_state(2)[:, None], (1, count))
    twice, once = short.act(short.act(psi, first), second), long.act(psi, both.reshape(first.shape))
    gap = np.linalg.norm(twice @ dagger(twice) - once @ dagger(once)) / count
    assert gap < 2e-4  # independent draws differ by 1e-3


def test_parts_that_do_not_commute_go_there_and_back():
    apart = Channel(Dissipation(3, (relaxing(0, 1, 1, 0), relaxing(1, 1, 1, 0))), 1.0)
    assert [op.spins for op in apart.operations] == [(0,), (1,)]
    crossed = Channel(Dissipation(3, PARTS), 1.0)
    spins = [op.spins for op in crossed.operations]
    assert len(spins) == 8
    assert spins == spins[::-1]
    twice = Channel(Dissipation(2, (relaxing(0, 1, 0, 0), relaxing(0, 0, 2, 0))), 1.0)
    assert len(twice.operations) == 1
    expected = Dissipation(1, (relaxing(0, 1, 2, 0),)).generator
    K = twice.operations[0].operators
    np.testing.assert_allclose(sum(np.kron(a, a.conj()) for a in K), expm(expected), atol=1e-12)


# ------------------------------------------------------------------------------- against Liouville
@pytest.mark.parametrize("steps", [1, 3])
def test_expectations_are_within_their_errors(steps):
    psi = random_state(8, 1)
    rho = apply(MAP, np.outer(psi, psi.conj()))
    exact = [np.trace(axis @ rho) for axis in AXES]
    run = trajectories(
        SEGMENTS, DRIFT, psi, NOISE, observables=AXES, count=1500, steps=steps, seed=11
    )
    assert np.all(np.abs(run.mean - exact) < 4 * run.standard_error + run.step_error)
    assert run.standard_error.max() < 0.01
    assert run.step_error.max() < 0.004
    closed = trajectories(
        SEGMENTS, DRIFT, psi, Dissipation(3), observables=AXES, count=2, steps=1, seed=0
    )
    assert np.abs(closed.mean - exact).max() > 0.05


def test_a_sparse_drift_gives_the_same_trajectories():
    psi = random_state(8, 1)
    spins = tuple(Spin(f"S{k}", "1H", 200.0 * k) for k in range(3))
    sample = Sample("three", spins, (Coupling(("S0", "S2"), 10.0, 300.0),))
    runs = [
        trajectories(SEGMENTS, H(sample), psi, NOISE, observables=AXES, count=20, seed=1)
        for H in (internal_hamiltonian, sparse_hamiltonian)
    ]
    np.testing.assert_allclose(runs[0].mean, runs[1].mean, atol=1e-9)


@pytest.mark.parametrize("kind", ["pure", "mixed", "deviation"])
def test_density_operators_are_within_their_errors(kind):
    rng = np.random.default_rng(4)
    A = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    A = A @ dagger(A)
    start = {
        "pure": np.outer(random_state(8), random_state(8).conj()),
        "mixed": A / np.trace(A),
        "deviation": (A / np.trace(A) - np.eye(8) / 8) * 3,
    }[kind]
    exact = apply(MAP, start)
    run = trajectories(SEGMENTS, DRIFT, start, NOISE, count=1500, steps=2, seed=3)
    off = np.abs(run.mean - exact)
    assert np.all(off < 4.5 * run.standard_error + run.step_error)
    assert 0.4 < np.sqrt(np.mean((off / run.standard_error) ** 2)) < 1.6
    assert np.trace(run.mean) == pytest.approx(np.trace(start), abs=0.05 * np.abs(start).max())


def test_errors_fall_as_the_root_of_the_number():
    psi = random_state(8, 2)
    rho = apply(MAP, np.outer(psi, psi.conj()))
    exact = np.array([np.trace(axis @ rho) for axis in AXES])

    def runs(count):
        return [
            trajectories(
                SEGMENTS, DRIFT, psi, NOISE, observables=AXES, count=count, steps=1, seed=seed
            )
            for seed in range(8)
        ]

    few, many = runs(40), runs(640)
    reported = [np.mean([run.standard_error for run in group]) for group in (few, many)]
    met = [np.sqrt(np.mean([abs(run.mean - exact) ** 2 for run in group])) for group in (few, many)]
    assert reported[0] / reported[1] == pytest.approx(4, rel=0.15)
    assert met[0] / met[1] == pytest.approx(4, rel=0.35)
    assert met[0] == pytest.approx(reported[0], rel=0.35)


def test_the_error_of_long_steps_is_reported():
    # precession about z and dephasing of x do not commute: a step of 2 rad is far too long
    segments = [Segment(np.asarray(1.0), np.zeros((2, 2), dtype=complex))]
    drift = 4.0 * spin_operator("z", 0, 1)
    noise = Dissipation(1, (Part((0,), np.array([PAULI["X"]])),))
    psi = np.array([1, 1j]) / np.sqrt(2)
    exact = apply(superoperator(segments, drift, noise.generator), np.outer(psi, psi.conj()))
    axes = [spin_operator(a, 0, 1) for a in "xy"]
    expected = [np.trace(axis @ exact) for axis in axes]

    def run(steps):
        return trajectories(
            segments, drift, psi, noise, observables=axes, count=20_000, steps=steps, seed=1
        )

    long, short = run(1), run(4)
    off = np.abs(long.mean - expected)
    assert off.max() > 5 * long.standard_error.max()  # it is the step, not the draws
    assert off.max() < 2 * long.step_error.max()
    assert short.step_error.max() < long.step_error.max() / 3
    assert np.all(np.abs(short.mean - expected) < 4 * short.standard_error + short.step_error)


def test_seeds_repeat_and_differ():
    psi = random_state(8)
    one, again, other, free = (
        trajectories(SEGMENTS, DRIFT, psi, NOISE, count=5, steps=1, seed=seed)
        for seed in (1, 1, 2, None)
    )
    assert np.array_equal(one.mean, again.mean)
    assert not np.allclose(one.mean, other.mean)
    repeated = trajectories(SEGMENTS, DRIFT, psi, NOISE, count=5, steps=1, seed=free.seed)
    assert np.array_equal(free.mean, repeated.mean)
    assert (one.count, one.steps) == (5, 2)


# -------------------------------------------------------------------------------- many spins
def chain(n):
    spins = tuple(Spin(f"S{k}", "1H", 50.0 * k) for k in range(n))
    pairs = tuple(Coupling((f"S{k}", f"S{k + 1}"), 8.0, 100.0) for k in range(n - 1))
    return Sample("chain", spins, pairs)


def test_ten_spins_relax_along_z_as_one():
    # Σ Iz commutes with the Hamiltonian: d⟨Σ Iz⟩/dt = (n p/2 − ⟨Σ Iz⟩)/T1 whatever the couplings
    n, T1, p, t = 10, 0.05, 0.4, 0.02
    up, down = (1 + p) / (2 * T1), (1 - p) / (2 * T1)
    noise = Dissipation(n, tuple(relaxing(k, up, down, 5.0) for k in range(n)))
    psi = np.zeros(2**n)
    psi[0b1111000000] = 1.0
    Fz = sum(sparse_spin_operator("z", k, n) for k in range(n))
    run = trajectories(
        event_segments(TimedDelay(t), n), sparse_hamiltonian(chain(n)), psi, noise,
        observables=[Fz, Fz @ Fz], count=150, steps=2, seed=8,
    )  # fmt: skip
    expected = n * p / 2 + (1.0 - n * p / 2) * np.exp(-t / T1)
    assert abs(run.mean[0] - expected) < 4 * run.standard_error[0] + run.step_error[0]
    assert abs(expected - 1.0) > 2 * run.standard_error[0] > 0.02


def test_a_diagonal_bath_of_ten_spins_dephases_and_leaves_populations():
    # a field common to spins: coherences of their order m decay with m² times the rate
    n, rate, t = 10, 30.0, 0.02
    levels = sum(sparse_spin_operator("z", k, n) for k in range(n)).diagonal().real
    psi = np.zeros(2**n)
    psi[[0, 1, -1]] = np.sqrt([0.5, 0.25, 0.25])
    # the three spins that feel the field: order 3 between all up and all down
    some = np.diag(np.sqrt(rate) * levels.reshape((2,) * n)[:, :, :, *(0,) * (n - 3)].reshape(-1))
    noise = Dissipation(n, (Part((0, 1, 2), some[None]),))
    last = 2**n - 1
    flip = csr_array(([1.0, 1.0], ([0, last], [last, 0])), shape=(2**n, 2**n))
    run = trajectories(
        event_segments(TimedDelay(t), n), 0 * sparse_hamiltonian(chain(n)), psi, noise,
        observables=[flip, diags_array(levels)], count=2000, steps=1, seed=2,
    )  # fmt: skip
    expected = 2 * np.sqrt(0.125) * np.exp(-9 * rate * t / 2)
    assert abs(run.mean[0] - expected) < 4 * run.standard_error[0]
    assert run.mean[1] == pytest.approx(0.5 * 5 + 0.25 * 4 - 0.25 * 5, abs=1e-12)
    assert run.step_error.max() < 1e-10


def test_jumps_that_are_too_rare_to_be_seen_are_not_forgotten():
    noise = Dissipation(1, (relaxing(0, 0.0, 1e-4, 0.0),))
    still = [Segment(np.asarray(1.0), np.zeros((2, 2), dtype=complex))]
    run = trajectories(
        still, np.zeros((2, 2)), np.array([1, 0]), noise,
        observables=[spin_operator("z", 0, 1)], count=50, seed=0,
    )  # fmt: skip
    assert run.mean[0] == 0.5  # nothing was seen, yet
    assert abs(run.mean[0] - (np.exp(-1e-4) - 0.5)) < run.standard_error[0] < 0.01


# ---------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"state": np.ones(4)}, "`state` must have shape \\(8,\\) or \\(8, 8\\)"),
        ({"state": np.triu(np.ones((8, 8)))}, "`state` must be Hermitian, but differs .* by 1"),
        ({"dissipation": Dissipation(2)}, "`dissipation` must be of the spins .* is of 2 spins"),
        ({"count": 1}, "`count` must be a number ≥ 2, but is 1"),
        ({"count": 2.5}, "`count` must be a number ≥ 2, but is 2.5"),
        ({"steps": 0}, "`steps` must be a number ≥ 1, but is 0"),
        ({"observables": [np.eye(4)]}, "`observables` must have shape \\(8, 8\\) each"),
        (
            {"segments": [Segment(np.ones(2), SEGMENTS[0].rotation)]},
            "`segments` must have no batch",
        ),
    ],
)
def test_wrong_arguments_are_refused(changed, message):
    arguments = {"segments": SEGMENTS, "drift": DRIFT, "state": np.eye(8)[0], "dissipation": NOISE}
    with pytest.raises(ArgumentError, match=message):
        trajectories(**{**arguments, **changed}, seed=0)


def test_what_cannot_be_drawn_or_held_is_refused():
    four = random_part((0, 1, 2, 3), np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"at most 3 spins at a time .* spins \(0, 1, 2, 3\)"):
        unravelled(four, 1.0)
    large = sparse_spin_operator("z", 0, 11)
    with pytest.raises(ArgumentError, match="`observables` must be given above dimension 1024"):
        trajectories([], large, np.eye(2**11)[0], Dissipation(11), seed=0)
    lost = Dissipation(11, (Part((0,), UP[None]),))
    with pytest.raises(ArgumentError, match="at most 10 spins for a density operator"):
        evolve([], large, np.eye(2**11)[0], lost)
