"""Two-channel sequences on a pair with a scalar coupling: engineered couplings, preparations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from nmrqb.average import compile_sequence
from nmrqb.dynamics import infidelity, timeline_segments, unitary
from nmrqb.errors import InputError
from nmrqb.operators import pauli, pauli_coefficients, pauli_strings
from nmrqb.sample import load_sample
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence

CHLOROFORM = load_sample("chloroform")
J = 215.13  # Hz
# H/2π on Pauli strings in units of J
ENGINEERED = {
    "flip_flop": {"XX": 1 / 8, "YY": 1 / 8},
    "double_quantum": {"XX": 1 / 8, "YY": -1 / 8},
    "isotropic": {"XX": 1 / 12, "YY": 1 / 12, "ZZ": 1 / 12},
    "ising_scaled": {"ZZ": 1 / 8},
    "dm_echoed": {"XY": 1 / 8, "YX": -1 / 8},
    "ksea_echoed": {"XY": 1 / 8, "YX": 1 / 8},
}


def with_offsets(first, second):
    spins = tuple(
        replace(s, offset_hz=v) for s, v in zip(CHLOROFORM.spins, (first, second), strict=True)
    )
    return replace(CHLOROFORM, spins=spins)


def propagator(name, sample=CHLOROFORM, flip=1.0, **parameters):
    timeline = expand(load_sequence(name), sample, parameters=parameters)
    segments = [s.scaled(flip) for s in timeline_segments(timeline, sample)]
    return unitary(segments, internal_hamiltonian(sample))


def combined(terms):
    return sum(c * pauli(p) for p, c in terms.items())


# ------------------------------------------------------------------------ engineered couplings
@pytest.mark.parametrize("name", ENGINEERED)
def test_engineered_coupling_is_exact(name):
    average = compile_sequence(load_sequence(name), CHLOROFORM)
    expected = J * combined(ENGINEERED[name])
    assert average.cyclic
    assert average.branch_safe
    np.testing.assert_allclose(average.exact_hz, expected, atol=1e-9)
    np.testing.assert_allclose(average.orders[0].hamiltonian_hz, expected, atol=1e-9)
    for order in average.orders[1:]:
        assert np.linalg.norm(order.hamiltonian_hz) < 1e-9


@pytest.mark.parametrize("name", ENGINEERED)
def test_claim_of_an_engineered_coupling_is_met(name):
    assert compile_sequence(load_sequence(name), CHLOROFORM).target.met


@pytest.mark.parametrize("t", ["0.2 ms", "1/(2*J)", "5 ms"])
@pytest.mark.parametrize("name", ENGINEERED)
def test_engineered_propagator_holds_for_any_delay(name, t):
    U = propagator(name, t=t)
    blocks = {"ising_scaled": 1, "isotropic": 3}.get(name, 2)
    delay = {"0.2 ms": 0.2e-3, "1/(2*J)": 1 / (2 * J), "5 ms": 5e-3}[t]
    V = expm(-2j * np.pi * J * blocks * delay * combined(ENGINEERED[name]))
    assert infidelity(U, V) < 1e-12


def test_flip_flop_exchanges_the_spins_at_half_a_period_per_block():
    start, end = np.eye(4)[1], np.eye(4)[2]  # 01 and 10
    assert abs(end @ propagator("flip_flop", t="1/(2*J)") @ start) == pytest.approx(1)


@pytest.mark.parametrize("scale", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_ising_coupling_is_scaled(scale):
    average = compile_sequence(
        load_sequence("ising_scaled"), CHLOROFORM, parameters={"scale": str(scale)}
    )
    np.testing.assert_allclose(average.exact_hz, scale * J / 4 * pauli("ZZ"), atol=1e-9)
    expected = {"isotropic": scale * J / 12, "Delta": scale * J / 4}
    assert average.named == pytest.approx(dict.fromkeys(average.named, 0) | expected, abs=1e-9)


def test_ising_scale_beyond_one_is_refused():
    with pytest.raises(InputError, match="a delay must not be negative"):
        compile_sequence(load_sequence("ising_scaled"), CHLOROFORM, parameters={"scale": "1.1"})


def test_ising_scaling_scales_the_offset_of_the_pulsed_spin_alone():
    average = compile_sequence(load_sequence("ising_scaled"), with_offsets(30.0, 50.0))
    expected = {"ZZ": J / 8, "ZI": 30 / 2, "IZ": 50 / 4}
    np.testing.assert_allclose(average.exact_hz, combined(expected), atol=1e-9)


# -------------------------------------------------------------------------------------- echoes
OFFSETS = {0.05: 0.976, 0.2: 0.669, 1.0: 0.000}  # offset of both spins / J: fidelity of plain dm


@pytest.mark.parametrize(("offset", "published"), OFFSETS.items())
def test_plain_dm_fails_under_offsets(offset, published):
    sample = with_offsets(offset * J, offset * J)
    loss = infidelity(propagator("dm", t="1/(2*J)"), propagator("dm", sample, t="1/(2*J)"))
    assert 1 - float(loss) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("name", ["dm", "ksea"])
@pytest.mark.parametrize("offsets", [(0.05, 0.05), (0.2, 0.2), (1, 1), (0.3, -0.8), (1, 0)])
def test_echoed_sequence_stands_offsets(name, offsets):
    sample = with_offsets(*(J * offset for offset in offsets))
    U = propagator(f"{name}_echoed", sample, t="1/(2*J)")
    assert infidelity(propagator(name, t="1/(2*J)"), U) < 5e-6  # 1.00000 is published


@pytest.mark.parametrize(("name", "published"), [("dm", 0.988), ("dm_echoed", 0.977)])
def test_echoes_cost_tolerance_of_flip_errors(name, published):
    wrong = propagator(name, flip=1.05, t="1/(2*J)")
    fidelity = 1 - infidelity(propagator(name, t="1/(2*J)"), wrong)
    assert fidelity == pytest.approx(published, abs=6e-4)


def with_echoes_against_the_first_pulse(sequence):
    """Each 180° pair gets the phases of the 90° pulses around it, turned round."""
    events = list(sequence.events)
    for block in (0, 6):  # 90°, delay, 180°, delay, 180°, inverse 90°
        opening, closing = events[block], events[block + 5]
        for place, model in ((block + 2, closing), (block + 4, opening)):
            turns = {r: replace(t, angle="180") for r, t in model.rotations.items()}
            events[place] = replace(events[place], rotations=turns)
    return replace(sequence, events=tuple(events))


@pytest.mark.parametrize("name", ["dm", "ksea"])
def test_echoes_against_the_first_pulse_stand_offsets_and_flip_errors(name):
    # derived here: the echoed sequence with better phases beats the plain one at both
    sequence = with_echoes_against_the_first_pulse(load_sequence(f"{name}_echoed"))
    ideal = propagator(name, t="1/(2*J)")
    for sample, flip, loss in [(with_offsets(J, -J), 1, 1e-9), (CHLOROFORM, 1.05, 0.003)]:
        timeline = expand(sequence, sample, parameters={"t": "1/(2*J)"})
        segments = [s.scaled(flip) for s in timeline_segments(timeline, sample)]
        assert infidelity(ideal, unitary(segments, internal_hamiltonian(sample))) < loss
    plain = infidelity(ideal, propagator(name, flip=1.05, t="1/(2*J)"))
    assert plain > 0.01


# -------------------------------------------------------------------------------- preparations
def prepared(name, start, offsets=(0.0, 0.0)):
    """Coefficients of product operators σ/2, 2IS = σσ/2 after a preparation."""
    U = propagator(name, with_offsets(*offsets))
    end = U @ combined({p: c / 2 for p, c in start.items()}) @ U.conj().T
    values = zip(pauli_strings(2), 2 * pauli_coefficients(end).real, strict=True)
    return {p: c for p, c in values if abs(c) > 1e-9}


OFFSET_PAIRS = pytest.mark.parametrize("offsets", [(0.0, 0.0), (31.0, -57.0)])


@OFFSET_PAIRS
def test_inept_makes_antiphase_magnetisation(offsets):
    # Iz → 2 Iz Sy; the magnetisation of S itself is in phase
    assert prepared("inept", {"ZI": 1}, offsets) == pytest.approx({"ZY": 1})
    assert prepared("inept", {"IZ": 1}, offsets) == pytest.approx({"IY": 1})


def test_inept_turns_its_sign_with_the_last_pulse():
    sequence = load_sequence("inept")
    last = sequence.events[-1]
    turned = replace(
        last, rotations=last.rotations | {"I": replace(last.rotations["I"], phase="-y")}
    )
    sequence = replace(sequence, events=(*sequence.events[:-1], turned))
    segments = timeline_segments(expand(sequence, CHLOROFORM), CHLOROFORM)
    U = unitary(segments, internal_hamiltonian(CHLOROFORM))
    np.testing.assert_allclose(U @ pauli("ZI") @ U.conj().T, -pauli("ZY"), atol=1e-9)


@OFFSET_PAIRS
def test_refocused_inept_makes_in_phase_magnetisation(offsets):
    assert prepared("refocused_inept", {"ZI": 1}, offsets) == pytest.approx({"IY": -1})


@OFFSET_PAIRS
def test_inadequate_makes_pure_double_quantum_coherence(offsets):
    # Iz + Sz → −(2 Ix Sy + 2 Iy Sx)
    found = prepared("inadequate", {"ZI": 1, "IZ": 1}, offsets)
    assert found == pytest.approx({"XY": -1, "YX": -1})
