"""Synthesised unitaries, and the extraction of ergotropy."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import unitary_group

import nmrqb as nq
from nmrqb.average import compile_timeline
from nmrqb.design.pair import OPTIMISE, least_time
from nmrqb.design.pair.unitaries import quickest
from nmrqb.dynamics import infidelity, play_sequence
from nmrqb.errors import ArgumentError
from nmrqb.operators import dagger
from nmrqb.sample import load_sample
from nmrqb.sequence import expand, load_sequence, save_sequence, sequence_text

CNOT = np.eye(4)[[0, 1, 3, 2]].astype(complex)
SWAP = np.eye(4)[[0, 2, 1, 3]].astype(complex)
BATTERY = nq.Battery.from_terms(D=20, G=5, Delta=7, epsilon=2, B=3)


def test_two_hundred_unitaries_are_made(sample, play):
    J = abs(sample.couplings[0].J_hz)
    off = any(spin.offset_hz for spin in sample.spins)
    for U in unitary_group.rvs(4, size=20 if off else 200, random_state=20):
        made = nq.synthesise(U, sample)
        assert float(infidelity(U, play(made.sequence, sample))) < 1e-12
        assert made.free_evolution_s == pytest.approx(float(least_time(U, J / 4)), rel=1e-12)
        assert made.free_evolution_s == pytest.approx(made.bound_s, rel=1e-12)
        assert made.free_evolution_s <= 3 / (2 * J)


@pytest.mark.parametrize(
    ("gate", "turns"), [(CNOT, 1 / 2), (SWAP, 3 / 2), (sqrtm(SWAP), 3 / 4), (CNOT @ SWAP, 1)]
)
@pytest.mark.parametrize("optimise", OPTIMISE)
def test_known_gates_take_their_least_times(sample, gate, turns, optimise, play):
    made = nq.synthesise(gate, sample, optimise=optimise)
    J = abs(sample.couplings[0].J_hz)
    assert made.free_evolution_s == pytest.approx(turns / J, rel=1e-12)
    assert float(infidelity(gate, play(made.sequence, sample))) < 1e-20


def test_compile_confirms_a_unitary(sample, tmp_path):
    """Its target is the logarithm; where pulses leave a rotation they do not close, and still."""
    for U in [*unitary_group.rvs(4, size=4, random_state=3), CNOT, SWAP]:
        made = nq.synthesise(U, sample)
        save_sequence(made.sequence, tmp_path / "gate.yaml")
        loaded = load_sequence(tmp_path / "gate.yaml")
        found = compile_timeline(expand(loaded, sample), sample, analyse=False)
        assert found.target.met
        assert found.target.error_hz < 1e-9 / found.target.time_s


def test_a_wrong_pulse_is_not_confirmed(tmp_path):
    made = nq.synthesise(unitary_group.rvs(4, random_state=3), load_sample("chloroform"))
    text = sequence_text(made.sequence).replace("- delay: 0.00", "- delay: 0.0001")
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    assert not nq.compile_sequence(load_sequence(tmp_path / "gate.yaml"), made.sample).target.met


def test_a_local_unitary_takes_no_time(play):
    sample = load_sample("chloroform")
    a, b = unitary_group.rvs(2, size=2, random_state=6)
    for U in (np.kron(a, b), np.eye(4)):
        made = nq.synthesise(U, sample)
        assert made.free_evolution_s == 0
        assert made.bound_s == pytest.approx(0, abs=1e-16)
        assert made.average is None
        assert float(infidelity(U, play(made.sequence, sample))) < 1e-20
        assert "time       free evolution 0 s" in made.text


def test_a_stack_is_refused():
    with pytest.raises(ArgumentError, match=r"`U` must be one matrix of two spins.*\(2, 4, 4\)"):
        nq.synthesise(np.array([np.eye(4)] * 2), load_sample("chloroform"))


# ------------------------------------------------------------------------------------- extraction
def random_states(count):
    rng = np.random.default_rng(4)
    A = rng.normal(size=(count, 4, 4)) + 1j * rng.normal(size=(count, 4, 4))
    rho = A @ dagger(A)
    return rho / np.trace(rho, axis1=-2, axis2=-1)[:, None, None]


def test_what_is_played_extracts_the_ergotropy(sample):
    for rho in random_states(2):
        made = nq.extraction_sequence(rho, BATTERY, sample)
        after = play_sequence(made.sequence, sample, rho).state
        work = float(BATTERY.energy(rho) - BATTERY.energy(after))
        assert work == pytest.approx(float(BATTERY.ergotropy(rho)), rel=1e-9)
        assert float(BATTERY.ergotropy(after)) == pytest.approx(0, abs=1e-9)
        assert made.free_evolution_s <= 3 / (2 * abs(sample.couplings[0].J_hz))


def test_free_phases_save_time():
    """With its phases as they come the same work needs longer, and never less time."""
    sample = load_sample("chloroform")
    low = np.linalg.eigh(BATTERY.hamiltonian_hz)[1]
    for rho in random_states(2):
        full = np.linalg.eigh(rho)[1][:, ::-1]
        found = nq.extraction_sequence(rho, BATTERY, sample).free_evolution_s
        rng = np.random.default_rng(1)
        others = (nq.synthesise((low * np.exp(2j * np.pi * rng.random(4))) @ dagger(full), sample)
                  for _ in range(10))  # fmt: skip
        assert found <= min(other.bound_s for other in others)


def test_the_search_finds_the_least_of_a_known_case():
    """diag(1, e^{ia}, e^{ib}, e^{ic}) is local for a + b = c: no time at all is needed."""

    def made(phases):
        shown = np.concatenate([0 * phases[..., :1] + [0.3], phases], axis=-1)
        return np.exp(1j * shown)[..., None] * np.eye(4)

    assert nq.design.pair.least_time(made(quickest(made, 3)), 1.0) < 1e-6


def test_the_charged_battery_of_the_papers_is_emptied():
    """A Gibbs state turned by a hard pulse: what was put in comes out again."""
    sample = load_sample("chloroform")
    rho = nq.gibbs(BATTERY.hamiltonian_hz, 20.0)
    X = np.array([[0, 1], [1, 0]])
    turn = np.kron(*[np.cos(0.7) * np.eye(2) - 1j * np.sin(0.7) * X] * 2)
    charged = turn @ rho @ dagger(turn)
    made = nq.extraction_sequence(charged, BATTERY.hamiltonian_hz, sample)
    np.testing.assert_allclose(play_sequence(made.sequence, sample, charged).state, rho, atol=1e-12)


@pytest.mark.parametrize(
    ("rho", "battery", "match"),
    [
        (np.eye(4), BATTERY, r"`rho` must have trace 1, but has trace 4"),
        (np.eye(2) / 2, BATTERY, r"`rho` must be one matrix of two spins, .* shape \(2, 2\)"),
        (np.eye(4) / 4, np.eye(2), r"`battery` must be one matrix of two spins, .* \(2, 2\)"),
    ],
)
def test_what_is_no_battery_state_is_refused(rho, battery, match):
    with pytest.raises(ArgumentError, match=match):
        nq.extraction_sequence(rho, battery, load_sample("chloroform"))
