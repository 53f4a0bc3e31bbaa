"""Optimised pulses as designs: the claim of the file, the ergotropy that is played, refusals."""

import numpy as np
import pytest

import nmrqb as nq
from nmrqb.average import compile_timeline
from nmrqb.design.grape import PulseLimits, StopRules, design_pulse
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import dagger, from_named, pauli
from nmrqb.sample import Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import expand, load_sequence, save_sequence

SAMPLE = nq.load_sample("chloroform")
POWERS = {"1H": 2000.0, "13C": 2000.0}
LIMITS = PulseLimits(duration_s=12e-3, steps=48, amplitudes_hz=POWERS)
RULES = StopRules(shortfall=1e-4, iterations=200, seconds=60, starts=2)


def propagator(sequence, sample):
    """Return the propagator of the samples within the file, by plain matrix exponentials."""
    from scipy.linalg import expm

    timeline = expand(sequence, sample)
    n = len(sample.spins)
    U = np.eye(2**n)
    (pulse,) = timeline.events
    drift = internal_hamiltonian(sample)
    count = len(np.ravel(pulse.rotations[0].steps))
    for k in range(count):
        H = drift * (pulse.duration / count)
        for r in pulse.rotations:
            share = complex(np.ravel(r.steps)[k]) * np.exp(1j * r.phase) * r.angle
            for axis, part in (("X", share.real), ("Y", share.imag)):
                letters = ["I"] * n
                letters[r.spin] = axis
                H = H + part * pauli("".join(letters)) / 2
        U = expm(-1j * H) @ U
    return U


def test_the_file_makes_the_gate_that_it_claims(tmp_path):
    design = design_pulse(SAMPLE, {"DM_z": 20.0}, LIMITS, seed=1, time=5e-3, rules=RULES)
    save_sequence(design.sequence, tmp_path / "gate.yaml")
    read = load_sequence(str(tmp_path / "gate.yaml"))
    U = propagator(read, SAMPLE)
    values, vectors = np.linalg.eigh(from_named({"DM_z": 20.0}))
    V = (vectors * np.exp(-2j * np.pi * 5e-3 * values)) @ dagger(vectors)
    assert abs(np.trace(dagger(V) @ U)) ** 2 / 16 == pytest.approx(design.centre, abs=1e-9)
    assert design.centre > 0.9999 - 1e-9
    check = compile_timeline(expand(read, SAMPLE), SAMPLE, analyse=False).target
    assert check.met
    assert check.infidelity == pytest.approx(1 - design.centre, abs=1e-9)
    again = design_pulse(SAMPLE, {"DM_z": 20.0}, LIMITS, seed=1, time=5e-3, rules=RULES)
    assert again.sequence == design.sequence
    assert "seed 1," in read.notes


@pytest.mark.parametrize("shortfall", [1e-2, 1e-3])
def test_the_file_asks_for_the_fidelity_that_was_asked_for(shortfall):
    rules = StopRules(shortfall=shortfall, iterations=200, seconds=60, starts=2)
    design = design_pulse(SAMPLE, {"DM_z": 20.0}, LIMITS, seed=1, time=5e-3, rules=rules)
    H, T, tolerance = from_named({"DM_z": 20.0}), 5e-3, float(design.sequence.target_tolerance)
    E = from_named({"KSEA_x": 1.0})  # any other Hamiltonian of the size of the tolerance
    E *= tolerance * np.linalg.norm(H) / np.linalg.norm(E)
    angles = 2 * np.pi * T * np.linalg.eigvalsh(E)
    loss = 1 - abs(np.exp(-1j * angles).mean()) ** 2
    assert 1 < loss / shortfall < 1.25  # two digits, rounded up
    assert design.average.target.met


def test_the_largest_ergotropy_is_what_the_played_battery_holds():
    terms = {"DM_z": 20.0, "KSEA_z": 5.0}
    design = design_pulse(SAMPLE, terms, LIMITS, seed=2, temperature=30.0, rules=RULES)
    H = from_named(terms)
    rho = gibbs(H, 30.0)
    U = propagator(design.sequence, SAMPLE)
    width = design.pulse.problem.goal.width
    assert nq.ergotropy(U @ rho @ dagger(U), H) == pytest.approx(design.centre * width, abs=1e-6)
    assert nq.ergotropy(rho, H) == pytest.approx(0, abs=1e-9)
    capacity = design.pulse.problem.goal.largest * width
    assert capacity == pytest.approx(nq.capacity(rho, H), rel=1e-9)
    assert design.centre * width == pytest.approx(capacity, rel=1e-3)
    assert not design.sequence.target
    assert "from its Gibbs state" in design.summary[0]


def test_a_rise_time_limits_every_step():
    limits = PulseLimits(duration_s=12e-3, steps=48, amplitudes_hz=POWERS, rise_s=1e-3)
    rules = StopRules(shortfall=1e-3, iterations=150, seconds=60, starts=2)
    design = design_pulse(SAMPLE, {"DM_z": 20.0}, limits, seed=1, time=5e-3, rules=rules)
    u = np.concatenate([np.zeros((1, 2, 2)), design.pulse.amplitudes])
    steepest = np.linalg.norm(np.diff(u, axis=0), axis=-1).max() / (12e-3 / 48)
    assert steepest <= 2 * np.pi * 2000.0 / 1e-3 * (1 + 1e-9)


def test_three_spins_share_channels_and_claim_nothing():
    spins = (Spin("a", "1H", pulse_90_s=1e-5), Spin("b", "1H", 40.0, pulse_90_s=1e-5),
             Spin("c", "13C", pulse_90_s=1e-5))  # fmt: skip
    sample = Sample("three", spins)
    limits = PulseLimits(duration_s=0.2e-3, steps=8)
    turn = {"XII": 1000.0, "IXI": 1000.0}
    design = design_pulse(sample, turn, limits, seed=1, time=1.25e-4, rules=RULES)
    assert dict(design.sequence.roles) == {"all_1H": "all 1H", "all_13C": "all 13C"}
    U = propagator(design.sequence, sample)
    phases = np.pi / 4 * (pauli("XII") + pauli("IXI"))  # 2π·1 kHz·125 us
    values, vectors = np.linalg.eigh(phases)
    V = (vectors * np.exp(-1j * values)) @ dagger(vectors)
    assert abs(np.trace(dagger(V) @ U)) ** 2 / 64 == pytest.approx(design.centre, abs=1e-9)
    assert not design.sequence.target


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hamiltonian": {"DM_z": 0.0}}, r"`hamiltonian` must have a term, but all are zero"),
        ({"time": -1.0}, r"`time` must be a positive time in s, but is -1.0"),
        ({"time": 1e-3, "temperature": 20.0}, r"`time` must be left out where ergotropy is wanted"),
        (
            {"limits": PulseLimits(duration_s=1e-4, steps=4, amplitudes_hz=POWERS)},
            r"`limits` must leave room .* mean fidelity of 0\.\d+ \(\w+\)",
        ),
        ({"limits": PulseLimits(duration_s=-1.0)}, r"`duration_s` must be positive"),
        ({"limits": PulseLimits(1e-3, amplitudes_hz={"15N": 1e3})}, r"must name nuclei of 'chlor"),
        ({"limits": PulseLimits(1e-3, b1=-0.1)}, r"`b1` must be finite and ≥ 0"),
        ({"limits": PulseLimits(1e-3, steps=10, rise_s=1.0)}, r"`window` must be from 1 to 10"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(options, message):
    chosen = {"hamiltonian": {"DM_z": 20.0}, "limits": LIMITS, "seed": 1, "rules": RULES} | options
    with pytest.raises(ArgumentError, match=message):
        design_pulse(SAMPLE, **chosen)
