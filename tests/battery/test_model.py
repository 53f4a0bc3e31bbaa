"""The battery of the papers, by the numbers of physics.md §6 (independently recomputed there)."""

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from nmrqb.battery import Battery, capacity, coherence_l1, ergotropy
from nmrqb.dynamics import gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli

DRIVE = pauli("XI") + pauli("IX")
TIMES = np.linspace(0, np.pi, 401)
CHARGE = expm(-1j * TIMES[:, None, None] * DRIVE)


def charged(H, temperature):
    """Gibbs start, exp[−it(XI + IX)] at 401 times of [0, π]."""
    return CHARGE @ gibbs(H, temperature) @ CHARGE.conj().swapaxes(-1, -2)


# dipolar-battery-dm-ksea-nmr, table of physics.md §6: constants, T, ξ_max, t/π, Q, max C
TABLE = [
    ({"Delta": 1, "epsilon": 0.1}, 1, 1.271, 0.250, 1.300, 0.578),
    ({"Delta": 4, "epsilon": 0.1}, 1, 8.153, 0.250, 8.164, 0.994),
    ({"Delta": 12, "epsilon": 0.1}, 1, 24.200, 0.250, 24.200, 1.000),
    ({"Delta": 1, "epsilon": 0.1, "B": 2}, 0.5, 7.838, 0.500, 7.880, 1.883),
    ({"Delta": 1, "epsilon": 0.1}, 4, 0.318, 0.250, 0.330, 0.144),
    ({"Delta": 1, "epsilon": 0.5, "G": 2}, 0.5, 7.644, 0.500, 8.139, 1.952),
    ({"Delta": 1, "epsilon": 0.5, "D": 2}, 0.5, 7.890, 0.500, 8.109, 1.819),
]
HALF_DIGIT = 0.00051


@pytest.mark.parametrize(("terms", "T", "work", "at", "Q", "C"), TABLE)
def test_charging_numbers_of_the_ksea_battery(terms, T, work, at, Q, C):
    battery = Battery.from_terms(**terms)
    states = charged(battery.hamiltonian_hz, T)
    found = battery.ergotropy(states)
    assert found.max() == pytest.approx(work, abs=HALF_DIGIT)
    assert TIMES[found.argmax()] / np.pi == pytest.approx(at, abs=HALF_DIGIT)
    np.testing.assert_allclose(battery.capacity(states), Q, atol=HALF_DIGIT)
    assert battery.coherence_l1(states).max() == pytest.approx(C, abs=HALF_DIGIT)


@pytest.mark.parametrize(("terms", "T"), [row[:2] for row in TABLE])
def test_work_charged_into_a_gibbs_state_is_its_ergotropy(terms, T):
    # erratum 3: the passive state of the charged one is the Gibbs state itself
    battery = Battery.from_terms(**terms)
    states = charged(battery.hamiltonian_hz, T)
    stored = battery.energy(states) - battery.energy(states[0])
    np.testing.assert_allclose(battery.ergotropy(states), stored, atol=1e-10)


def dipolar_dm(D, dipolar, B=1.0):
    """The matrix of dipolar-battery-dm, eq. 11, entry by entry: Δ = ε, ±B/2 (erratum 5)."""
    up, down = (dipolar + 3 * B) / 6, (dipolar - 3 * B) / 6
    flip = -dipolar / 6 + 0.5j * D
    return np.array(
        [
            [up, 0, 0, dipolar / 2],
            [0, -dipolar / 6, flip, 0],
            [0, flip.conjugate(), -dipolar / 6, 0],
            [dipolar / 2, 0, 0, down],
        ]
    )


def test_matrix_of_dipolar_battery_dm_is_the_same_model_scaled():
    # two-spin constants / 4, B / 4: the matrix of eq. 11 halves the B of its eq. 10 (erratum 5)
    terms = {"DM_z": 3 / 4, "Delta": 2 / 4, "epsilon": 2 / 4, "B": 1 / 4}
    np.testing.assert_allclose(dipolar_dm(3.0, 2.0), from_named(terms), atol=1e-14)


@pytest.mark.parametrize(
    ("D", "dipolar", "work", "width"),
    [(1, 2, 1.137, 2.386), (3, 2, 2.818, 3.321), (1, 5, 2.665, 5.188)],
)
def test_numbers_of_dipolar_battery_dm(D, dipolar, work, width):
    battery = Battery(dipolar_dm(D, dipolar))
    states = charged(battery.hamiltonian_hz, 0.5)
    assert battery.ergotropy(states).max() == pytest.approx(work, abs=HALF_DIGIT)
    levels = np.linalg.eigvalsh(battery.hamiltonian_hz)
    assert levels[-1] - levels[0] == pytest.approx(width, abs=HALF_DIGIT)


def test_power_capacity_and_coherence_of_dipolar_battery_dm():
    # Δ = ε = 2, D = B = Ω = 1, T = 0.5: max dW/dt 2.060, capacity 1.658, l1/3 in [.284, .498]
    H = dipolar_dm(1, 2)
    states = charged(H, 0.5)
    power = np.gradient(ergotropy(states, H), TIMES)
    assert power.max() == pytest.approx(2.060, abs=HALF_DIGIT)
    np.testing.assert_allclose(capacity(states, H), 1.658, atol=HALF_DIGIT)
    coherence = coherence_l1(states) / 3
    assert coherence.min() == pytest.approx(0.284, abs=HALF_DIGIT)
    assert coherence.max() == pytest.approx(0.498, abs=HALF_DIGIT)


def test_width_of_the_battery_is_the_capacity_of_a_pure_state():
    battery = Battery.from_terms(D=20, G=5, Delta=3)
    levels = np.linalg.eigvalsh(battery.hamiltonian_hz)
    ground = np.diag([1.0, 0, 0, 0])
    assert battery.capacity(ground) == pytest.approx(levels[-1] - levels[0])


def test_terms_are_those_of_eq_12():
    battery = Battery.from_terms(D=2, G=3, Delta=5, epsilon=7, B=11)
    XX, YY, ZZ, XY, YX = map(pauli, ("XX", "YY", "ZZ", "XY", "YX"))
    P = (5 - 21) * XX + (5 + 21) * YY - 10 * ZZ
    zeeman = 11 * (pauli("ZI") + pauli("IZ"))
    expected = 2 * (XY - YX) + 3 * (XY + YX) - P / 3 + zeeman
    np.testing.assert_allclose(battery.hamiltonian_hz, expected, atol=1e-12)


def test_one_spin_battery_in_a_register():
    battery = Battery.zeeman(10.0, spin=1)
    assert battery.spins == (1,)
    np.testing.assert_array_equal(battery.hamiltonian_hz, np.diag([5.0, -5.0]))
    assert battery.ergotropy(np.diag([0.9, 0.1])) == pytest.approx(0.8 * 10)


def test_battery_knows_whether_its_levels_coincide():
    assert Battery.from_terms(D=20).degenerate
    assert not Battery.from_terms(D=20, G=5).degenerate


def test_battery_takes_qobj_states_and_hamiltonians():
    battery = Battery(qutip.rand_herm([2, 2], seed=3))
    rho = qutip.rand_dm([2, 2], seed=4)
    assert battery.ergotropy(rho) == battery.ergotropy(rho.full())


def test_hamiltonian_must_be_hermitian():
    with pytest.raises(
        ArgumentError, match=r"`hamiltonian_hz` must be Hermitian, but differs .* by 2"
    ):
        Battery(np.array([[0, 1], [-1, 0]]))


def test_a_stack_is_not_one_battery():
    with pytest.raises(
        ArgumentError, match=r"`hamiltonian_hz` must be one matrix, but has shape \(3, 2, 2\)"
    ):
        Battery(np.zeros((3, 2, 2)))


def test_hamiltonian_must_be_finite():
    with pytest.raises(ArgumentError, match="`hamiltonian_hz` must be finite"):
        Battery(np.diag([np.inf, 0.0]))


# --------------------------------------------------------------------- figures of one battery
def test_a_batterys_figures_are_those_of_its_hamiltonian(states):
    from nmrqb import battery as figures

    battery, rho = Battery.from_terms(D=20, G=5, B=3), states(1, 4, 4)
    H = battery.hamiltonian_hz
    for name in (
        "energy", "ergotropy", "anti_ergotropy", "capacity", "incoherent_ergotropy",
        "coherent_ergotropy", "energy_spread", "energy_coherence",
    ):  # fmt: skip
        expected = getattr(figures, name)(rho, H)
        np.testing.assert_array_equal(getattr(battery, name)(rho), expected)
    assert battery.spectral_width() == pytest.approx(80)  # ±2D, ±2√(B² + G²)
    flow = figures.state_derivative(rho, 2 * np.pi * pauli("XI"))
    np.testing.assert_allclose(battery.energy_power(flow), battery.ergotropy_power(rho, flow))
