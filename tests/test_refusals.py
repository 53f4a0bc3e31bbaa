"""What is no state, no Hamiltonian and no number is refused by its name at every public door."""

import numpy as np
import pytest
import qutip

import nmrqb as nq
from nmrqb.battery import (
    active_energy,
    anti_ergotropy,
    capacity,
    coherence_l1,
    energy,
    energy_basis,
    ergotropy,
    fidelity,
    is_degenerate,
    passive_energy,
    purity,
)
from nmrqb.design.grape.controls import sample_controls
from nmrqb.design.grape.ensemble import sample_members
from nmrqb.dynamics import excited_population, play
from nmrqb.errors import ArgumentError
from nmrqb.sample import Coupling, Spin
from nmrqb.sequence import Timeline
from nmrqb.spectrometer import Receiver

PAIR = nq.load_sample("chloroform")
DM = nq.load_sequence("dm")
BATTERY = nq.Battery.from_terms(D=20, G=5)
EMPTY = Timeline("made", ())
STATE, H = np.eye(4) / 4, np.diag([3.0, 1.0, -1.0, -3.0])

SKEW = np.eye(4) / 4 + np.diag([0.1, 0, 0], 1)
NUMBERLESS = STATE.copy()
NUMBERLESS[2, 1] = np.nan
WRONG = {
    "nan": (NUMBERLESS, r"must be finite, but holds 1 entries that are not"),
    "inf": (np.where(STATE == 0, np.inf, 1), r"must be finite, but holds 12 entries"),
    "flat": (np.ones(4), r"must have shape \(..., d, d\), but has shape \(4,\)"),
    "oblong": (np.ones((4, 3)), r"must have shape \(..., d, d\), but has shape \(4, 3\)"),
    "words": ("rho", r"must be an array of numbers or a Qobj, but is 'rho'"),
    "skew": (SKEW, r"must be Hermitian, but differs from its conjugate by 0\.1, .* being 0\.25"),
    "anti": (1j * STATE, r"must be Hermitian, but differs from its conjugate by 0\.5"),
    "trace": (np.eye(4), r"must have trace 1, but has trace 4"),
    "traceless": (np.diag([1.0, 0, 0, -1]), r"must have trace 1, but has trace 0"),
    "negative": (np.diag([0.75, 0.75, -0.25, -0.25]), r"must be positive, but .* is -0\.25"),
}
ARRAY = ("nan", "inf", "flat", "oblong", "words")
HERMITIAN = (*ARRAY, "skew", "anti")
UNIT_TRACE = (*HERMITIAN, "trace", "traceless")
STATES = (*UNIT_TRACE, "negative")

DOORS = [
    ("gibbs", lambda x: nq.gibbs(x, 1.0), "hamiltonian", HERMITIAN),
    ("battery", nq.Battery, "hamiltonian_hz", HERMITIAN),
    ("as_state", nq.as_state, "rho", STATES),
    ("pseudo_pure", lambda x: nq.pseudo_pure(x, 0.1), "state",
     [k for k in STATES if k not in {"flat", "words"}]),
    ("deviation", nq.deviation, "rho", UNIT_TRACE),
    ("from_deviation", nq.from_deviation, "delta", HERMITIAN),
    ("play", lambda x: play(EMPTY, PAIR, x), "rho", ARRAY),
    ("play_sequence", lambda x: nq.play_sequence(DM, PAIR, x), "rho", ARRAY),
    ("excited_population", excited_population, "rho", HERMITIAN),
    ("to_qobj", nq.to_qobj, "matrix", ARRAY),
    ("purity", purity, "rho", HERMITIAN),
    ("coherence_l1", coherence_l1, "rho", HERMITIAN),
    ("coherence_l1 of a basis", lambda x: coherence_l1(STATE, x), "basis", ARRAY),
    ("fidelity", lambda x: fidelity(x, STATE), "rho", UNIT_TRACE),
    ("fidelity to", lambda x: fidelity(STATE, x), "sigma", UNIT_TRACE),
    ("energy_basis", energy_basis, "H", HERMITIAN),
    ("is_degenerate", is_degenerate, "H", HERMITIAN),
]  # fmt: skip
for figure in (ergotropy, anti_ergotropy, capacity, energy, active_energy, passive_energy):
    name = figure.__name__
    DOORS.append((name, lambda x, f=figure: f(x, H), "rho", HERMITIAN))
    DOORS.append((f"{name} of H", lambda x, f=figure: f(STATE, x), "H", HERMITIAN))
for figure in (nq.incoherent_ergotropy, nq.coherent_ergotropy, nq.ergotropy_by_local_unitaries):
    name = figure.__name__
    DOORS.append((name, lambda x, f=figure: f(x, H), "rho", HERMITIAN))
    DOORS.append((f"{name} of H", lambda x, f=figure: f(STATE, x), "H", HERMITIAN))
for figure in (
    nq.coherence_relative_entropy, nq.concurrence, nq.diagonal_entropy, nq.discord,
    nq.first_order_coherence, nq.mutual_information, nq.negativity, nq.renyi2_entropy, nq.steering,
    nq.von_neumann_entropy, nq.x_state_discord,
):  # fmt: skip
    DOORS.append((figure.__name__, figure, "rho", UNIT_TRACE))
for method in ("ergotropy", "anti_ergotropy", "capacity", "energy", "coherence_l1"):
    DOORS.append((f"battery.{method}", getattr(BATTERY, method), "rho", HERMITIAN))

CASES = [
    pytest.param(door, argument, fault, id=f"{name}-{fault}")
    for name, door, argument, faults in DOORS
    for fault in faults
]


@pytest.mark.parametrize(("door", "argument", "fault"), CASES)
def test_the_wrong_matrix_is_refused_by_name(door, argument, fault):
    value, message = WRONG[fault]
    with pytest.raises(ArgumentError, match=f"Argument `{argument}` {message}"):
        door(value)


@pytest.mark.parametrize(("name", "door"), [door[:2] for door in DOORS])
def test_one_wrong_matrix_spoils_a_stack(name, door):
    if name not in {"battery", "to_qobj", "coherence_l1 of a basis", "energy_basis", "pseudo_pure"}:
        with pytest.raises(ArgumentError, match=r"must be finite, but holds 1 entries"):
            door(np.array([STATE, NUMBERLESS]))


@pytest.mark.parametrize("figure", [ergotropy, capacity, energy, purity, coherence_l1])
def test_deviations_and_unprojected_estimates_have_figures(figure):
    for rho in (np.diag([1.0, 0, 0, -1]), np.diag([0.75, 0.75, -0.25, -0.25])):
        arguments = (rho,) if figure in {purity, coherence_l1} else (rho, H)
        assert np.isfinite(figure(*arguments))
    assert np.isfinite(fidelity(np.diag([0.75, 0.75, -0.25, -0.25]), STATE))


SIZES = [
    ("H", lambda: ergotropy(STATE, np.eye(2))),
    ("H", lambda: energy(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)))),
    ("H", lambda: BATTERY.capacity(np.eye(2))),
    ("sigma", lambda: fidelity(STATE, np.eye(2) / 2)),
    ("basis", lambda: coherence_l1(STATE, np.eye(8))),
]


@pytest.mark.parametrize(("argument", "call"), SIZES)
def test_matrices_of_different_sizes_are_refused(argument, call):
    with pytest.raises(ArgumentError, match=rf"`{argument}` must be of the size of `rho`, \("):
        call()


def test_a_basis_must_be_orthonormal():
    with pytest.raises(ArgumentError, match=r"`basis` must hold orthonormal col.* by 0\.21"):
        coherence_l1(STATE, 1.1 * np.eye(4))


def test_the_population_of_one_spin_is_that_of_one_spin():
    with pytest.raises(ArgumentError, match=r"`rho` must be of one spin, .* has shape \(4, 4\)"):
        excited_population(STATE)


@pytest.mark.parametrize("d", [2, 8])
def test_states_of_another_size_than_the_sample_are_refused(d):
    for door in (lambda x: play(EMPTY, PAIR, x), lambda x: nq.play_sequence(DM, PAIR, x)):
        with pytest.raises(ArgumentError, match=f"`rho` must be of dimension 4 .* dimension {d}"):
            door(np.eye(d) / d)


# ------------------------------------------------------------------- what newcomers give instead
CHAIN = nq.measurement_chain(PAIR, ("II", "IX", "IY", "XX"), receiver=Receiver(1000.0, 64))
RESPONSE = nq.response_matrix(CHAIN)
FIDS = nq.acquire(CHAIN, STATE)
LIMITS = nq.PulseLimits(0.01, steps=8, amplitudes_hz={"1H": 3000.0})
KET = np.array([1.0, 0, 0, 0])

NAMES = [
    ("sequence", "dm", lambda x: nq.compile_sequence(x, PAIR)),
    ("sequence", "dm", lambda x: nq.compile_batch(x, PAIR, {"t": ["1 ms"]})),
    ("sequence", "dm", lambda x: nq.expand(x, PAIR)),
    ("sequence", "dm", lambda x: nq.play_sequence(x, PAIR)),
    ("sequence", "dm", lambda x: nq.save_sequence(x, "never-written.yaml")),
    ("sequence", "dm", lambda x: nq.sequence_readout(x, PAIR)),
    ("sample", "chloroform", lambda x: nq.compile_sequence(DM, x)),
    ("sample", "chloroform", lambda x: nq.play_sequence(DM, x)),
    ("sample", "chloroform", lambda x: nq.design_sequence(x, {"DM_z": 15.0})),
    ("sample", "chloroform", lambda x: nq.design_frames(x, {"DM_z": 15.0})),
    ("sample", "chloroform", lambda x: nq.design_pulse(x, {"DM_z": 15.0}, LIMITS, seed=1)),
    ("sample", "chloroform", lambda x: nq.prepare(STATE, x)),
    ("sample", "chloroform", lambda x: nq.synthesise(np.eye(4), x)),
    ("sample", "chloroform", lambda x: nq.extraction_sequence(STATE, BATTERY, x)),
    ("sample", "chloroform", lambda x: nq.measurement_chain(x, ["II"])),
    ("sample", "chloroform", nq.optimal_readouts),
    ("sample", "chloroform", nq.internal_hamiltonian),
    ("sample", "chloroform", nq.relaxation_of),
    ("sample", "chloroform", nq.thermal_deviation),
    ("sample", "chloroform", lambda x: nq.thermal_state(x, 300)),
    ("experiment", "charge_dm_ksea", nq.run),
    ("data", "chloroform_00", nq.analyse_recorded),
    ("data", "chloroform_00", nq.calibrate_recorded),
]


@pytest.mark.parametrize(("argument", "name", "door"), NAMES)
def test_names_of_files_are_to_be_loaded(argument, name, door):
    kind = {"data": "RecordedData"}.get(argument, argument.capitalize())
    message = f"Argument `{argument}` must be an? {kind}, but is '{name}'; load it with "
    with pytest.raises(ArgumentError, match=rf"{message}load_{argument}\('{name}'\)"):
        door(name)
    with pytest.raises(ArgumentError, match=rf"Argument `{argument}` must be an? {kind}, but is a"):
        door(BATTERY)


def test_what_is_loaded_is_no_name():
    for door in (nq.load_sample, nq.load_sequence, nq.load_experiment, nq.load_data):
        with pytest.raises(ArgumentError, match="`argument` must be a text or a path, but is a S"):
            door(PAIR)
    with pytest.raises(ArgumentError, match="`experiment` must be a text or a path, but is a Sam"):
        nq.sweep(PAIR, out="never-written")


ALONE = "; write the number alone, in the unit that the documentation names"
WORDS = [
    ("D", lambda x: nq.Battery.from_terms(D=x)),
    ("frequency", lambda x: nq.Battery.zeeman(x, 0)),
    (r"hamiltonian\['DM_z'\]", lambda x: nq.design_sequence(PAIR, {"DM_z": x})),
    (r"hamiltonian\['DM_z'\]", lambda x: nq.design_frames(PAIR, {"DM_z": x})),
    (r"hamiltonian\['DM_z'\]", lambda x: nq.design_pulse(PAIR, {"DM_z": x}, LIMITS, seed=1)),
    ("time", lambda x: nq.design_sequence(PAIR, {"DM_z": 15.0}, time=x)),
    (r"amplitudes_hz\['1H'\]", lambda x: nq.PulseLimits(0.01, amplitudes_hz={"1H": x})),
    ("duration_s", nq.PulseLimits),
    ("amplitude", lambda x: nq.PulseErrors(amplitude=x)),
    ("J_hz", lambda x: nq.StarRegister(2, J_hz=x)),
    ("offset_hz", lambda x: Spin("A", "1H", x)),
    ("J_hz", lambda x: Coupling(("A", "B"), x)),
    ("spectral_width_hz", Receiver),
    ("snr", lambda x: nq.noise_for_snr(CHAIN, PAIR, x)),
    ("at_start", lambda x: nq.average_power([1.0], [1.0], x)),
    ("tolerance", lambda x: nq.as_state(STATE, tolerance=x)),
]


@pytest.mark.parametrize(("argument", "door"), WORDS)
def test_numbers_are_written_without_their_unit(argument, door):
    with pytest.raises(
        ArgumentError, match=f"`{argument}` must be a number, but is '20 Hz'{ALONE}"
    ):
        door("20 Hz")
    for wrong in (np.ones(3), PAIR, {}):
        with pytest.raises(ArgumentError, match=f"`{argument}` must be a number, but is "):
            door(wrong)


OTHERS = [
    ("`gain` must be positive", lambda: nq.Calibration([-1.0], [0.0], np.zeros((2, 2)))),
    (r"`covariance` must be finite and have shape \(4, 4\)",
     lambda: nq.Calibration([1.0, 1], [0.0, 0], np.zeros((2, 2)))),
    ("`spins` must be different tensor positions from 0", lambda: nq.Battery.zeeman(1.0, -1)),
    ("`spins` must be different", lambda: nq.Battery(H, spins=(0, 0))),
    (r"`kept` must be booleans of shape \(4, 2\)", lambda: nq.noise_level(FIDS, CHAIN, kept=3)),
    ("`kept` must be booleans", lambda: nq.noise_level(FIDS, CHAIN, kept=np.ones(2, dtype=bool))),
    ("`max_condition` must be ≥ 1", lambda: nq.best_set(CHAIN, max_condition=np.nan)),
    ("`tolerance` must be ≥ 0, but is nan", lambda: nq.as_state(STATE, tolerance=np.nan)),
    ("`seed` must be ≥ 0, but is -1", lambda: nq.best_set(CHAIN, 3, seed=-1)),
    ("`seed` must be ≥ 0",
     lambda: nq.design_pulse(PAIR, {"DM_z": 15.0}, LIMITS, seed=-1)),
    ("`b1` must be a number, but is nan", lambda: nq.PulseLimits(0.01, b1=np.nan)),
    ("`points` must be ≥ 1, but is -1", lambda: sample_members(PAIR, b1=0.05, points=-1)),
    ("`drift` must be an|`drift` must have", lambda: nq.evolve([], "chloroform", STATE)),
    ("`spins` must be a list of states, but is '01'", lambda: nq.product_state("01")),
    ("`basis` must have shape", lambda: nq.coherence_figure(KET)),
    (r"`H` must be one matrix, but has shape \(2, 4, 4\)",
     lambda: nq.ergotropy_figure(np.array([H, H]))),
    ("`T1_s` must be a number, but is nan", lambda: Spin("A", "1H", T1_s=np.nan)),
    ("`phase_rad` must be a number, but is nan", lambda: Receiver(10.0, phase_rad=np.nan)),
    (r"`readouts\[0\]` must be a text or a Readout", lambda: nq.measurement_chain(PAIR, [3])),
]  # fmt: skip


@pytest.mark.parametrize(("message", "call"), OTHERS)
def test_values_out_of_range_are_refused_by_name(message, call):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_channels_of_a_pulse_are_those_of_the_sample():
    limits = {"duration_s": 0.01, "steps": 8}
    hard = sample_controls(PAIR, **limits).amplitudes_hz
    named = sample_controls(PAIR, **limits, amplitudes_hz={"1H": 3000.0}).amplitudes_hz
    assert named == (3000.0, hard[1])
    with pytest.raises(ArgumentError, match=r"names \['1h'\]; did you mean `1H`\?"):
        sample_controls(PAIR, **limits, amplitudes_hz={"1h": 3000.0})
    with pytest.raises(
        ArgumentError, match="`amplitudes_hz` must be positive and finite, but is 0"
    ):
        sample_controls(PAIR, **limits, amplitudes_hz={"1H": 0})


@pytest.mark.parametrize("ket", [KET, KET[:, None], qutip.Qobj(KET)], ids=["(d,)", "(d,1)", "Qobj"])
@pytest.mark.parametrize("door", [purity, BATTERY.ergotropy, nq.as_state, nq.negativity])
def test_state_vectors_are_told_from_density_matrices(door, ket):
    message = r"`rho` must have shape \(..., d, d\), .*; of a vector ψ it is np\.outer\(ψ, ψ\.conj"
    with pytest.raises(ArgumentError, match=message):
        door(ket)


def test_qobj_and_lists_are_taken_where_arrays_are():
    expected = nq.acquire(CHAIN, STATE + 0j)
    for rho in (qutip.Qobj(STATE), STATE.tolist()):
        np.testing.assert_array_equal(nq.acquire(CHAIN, rho), expected)
    level = nq.NoiseLevel([1e-3, 1e-3])
    found = nq.estimate_state(expected, RESPONSE, level, method="linear-inversion").rho
    np.testing.assert_allclose(found, STATE, atol=1e-9)
