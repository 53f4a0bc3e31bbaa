"""What is no state and no Hamiltonian is refused by its name at every public door."""

import numpy as np
import pytest

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
from nmrqb.dynamics import excited_population, play
from nmrqb.errors import ArgumentError
from nmrqb.sequence import Timeline

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
