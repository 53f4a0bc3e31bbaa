"""Powers as derivatives, against finite differences of exact evolutions."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.battery import (
    Battery,
    average_power,
    charging_time,
    energy,
    energy_power,
    ergotropy,
    ergotropy_power,
    state_derivative,
)
from nmrqb.dynamics import apply, commutator_superoperator, dissipator, gibbs
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli

SEEDS = st.integers(0, 2**32 - 1)


def lindblad(hermitians, seed, d):
    """A random generator: H, two L, and the matrix of both."""
    H, *L = hermitians(seed, 3, d)
    L = [operator @ (np.eye(d) + 0.5j * H) for operator in L]
    return H, L, commutator_superoperator(H) + dissipator(L, d)


def slope(figure, state, generator, step=1e-5):
    """Differences of fourth order of an exact evolution, to both sides."""
    values = [figure(apply(expm(k * step * generator), state)) for k in (-2, -1, 1, 2)]
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)


@given(SEEDS, st.integers(2, 4))
@settings(deadline=None, max_examples=20)
def test_the_derivative_of_a_state_is_that_of_its_generator(states, hermitians, seed, d):
    (rho,) = states(seed, 1, d)
    H, L, generator = lindblad(hermitians, seed, d)
    found = state_derivative(rho, H, L)
    np.testing.assert_allclose(found, apply(generator, rho), atol=1e-12)
    theirs = qutip.liouvillian(qutip.Qobj(H), [qutip.Qobj(x) for x in L])
    expected = qutip.vector_to_operator(theirs * qutip.operator_to_vector(qutip.Qobj(rho)))
    np.testing.assert_allclose(found, expected.full(), atol=1e-12)


@given(SEEDS, st.integers(2, 4))
@settings(deadline=None, max_examples=20)
def test_powers_are_slopes_of_an_open_evolution(states, hermitians, seed, d):
    (rho,), (battery,) = states(seed, 1, d), hermitians(seed + 1, 1, d)
    r = np.linalg.eigvalsh(rho)
    if np.diff(r).min() < 0.02:  # populations that cross within a step have a kink there
        return
    H, L, generator = lindblad(hermitians, seed, d)
    flow = state_derivative(rho, H, L)
    expected = slope(lambda x: energy(x, battery), rho, generator)
    assert energy_power(flow, battery) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    expected = slope(lambda x: ergotropy(x, battery), rho, generator)
    assert ergotropy_power(rho, flow, battery) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("populations", [(0.5, 0.5, 0, 0), (0.25,) * 4, (0.4, 0.2, 0.2, 0.2)])
def test_where_populations_coincide_the_slope_is_that_to_later_times(hermitians, populations):
    H, L, generator = lindblad(hermitians, 7, 4)
    U = np.linalg.qr(H)[0]
    rho = (U * np.array(populations)) @ U.conj().T
    (battery,) = hermitians(8, 1, 4)
    found = ergotropy_power(rho, state_derivative(rho, H, L), battery)
    at = [ergotropy(apply(expm(k * 1e-5 * generator), rho), battery) for k in range(4)]
    forward = (-11 * at[0] + 18 * at[1] - 9 * at[2] + 2 * at[3]) / 6e-5
    assert found == pytest.approx(forward, rel=1e-5)
    before = ergotropy(apply(expm(-1e-5 * generator), rho), battery)
    assert abs((at[0] - before) / 1e-5 - found) > 1e-3  # another slope from the other side


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_a_unitary_charge_changes_ergotropy_as_it_does_energy(states, hermitians, seed):
    (rho,), (H, battery) = states(seed, 1, 4), hermitians(seed, 2, 4)
    flow = state_derivative(rho, H)
    assert ergotropy_power(rho, flow, battery) == pytest.approx(energy_power(flow, battery))


def test_power_of_a_driven_spin_in_closed_form():
    # from |1⟩ under ωX/2 and battery νσz/2 in Hz: E = −½ν cos ωt, so power ½νω sin ωt in Hz/s
    battery, omega, t = Battery.zeeman(100.0, 0), 30.0, np.linspace(0, 0.2, 7)
    U = expm(-0.5j * omega * t[:, None, None] * pauli("X"))
    rho = U @ np.diag([0, 1.0]) @ U.conj().swapaxes(-1, -2)
    flow = state_derivative(rho, omega / 2 * pauli("X"))
    expected = 50 * omega * np.sin(omega * t)
    np.testing.assert_allclose(battery.energy_power(flow), expected, atol=1e-9)
    np.testing.assert_allclose(battery.ergotropy_power(rho, flow), expected, atol=1e-9)


def test_the_largest_power_of_the_dipolar_battery():
    # dipolar-battery-dm: Δ = ε = 2, D = B = Ω = 1, T = ½: max W 1.137, max dW/dt 2.060
    H = from_named({"DM_z": 1 / 4, "Delta": 2 / 4, "epsilon": 2 / 4, "B": 1 / 4})
    drive = pauli("XI") + pauli("IX")
    t = np.linspace(0, np.pi, 401)
    U = expm(-1j * t[:, None, None] * drive)
    rho = U @ gibbs(H, 0.5) @ U.conj().swapaxes(-1, -2)
    assert ergotropy(rho, H).max() == pytest.approx(1.137, abs=5.1e-4)
    power = ergotropy_power(rho, state_derivative(rho, drive), H)
    assert power.max() == pytest.approx(2.060, abs=5.1e-4)


def test_dephasing_of_the_energy_basis_costs_no_energy_but_work(states):
    H = np.diag([1.0, -1.0])
    (rho,) = states(2, 1, 2)
    flow = state_derivative(rho, H, [pauli("Z")])
    assert energy_power(flow, H) == pytest.approx(0, abs=1e-14)
    assert ergotropy_power(rho, flow, H) < -1e-3


def test_stacks_of_states_and_operators(states, hermitians):
    rho, H = states(3, 6, 4).reshape(3, 2, 4, 4), hermitians(3, 2, 4)
    L = hermitians(4, 2, 4)
    flow = state_derivative(rho, H, [L])
    looped = [[state_derivative(r, H[k], [L[k]]) for k, r in enumerate(row)] for row in rho]
    np.testing.assert_allclose(flow, looped, atol=1e-13)
    powers = ergotropy_power(rho, flow, H)
    one = ergotropy_power(rho[2, 1], flow[2, 1], H[1])
    assert powers[2, 1] == pytest.approx(one)


# ------------------------------------------------------------------------- curves over time
def test_average_power_and_its_limit_at_the_start():
    t = np.linspace(0, np.pi, 5)
    work = np.stack([np.sin(t), 3 * t])
    np.testing.assert_allclose(average_power(work, t)[:, 0], 0)
    found = average_power(work, t, at_start=3.0)
    np.testing.assert_allclose(found[1], 3)
    np.testing.assert_allclose(found[0, 1:], np.sin(t[1:]) / t[1:])


def test_the_charging_time_is_the_first_largest_value():
    t = np.linspace(0, 4 * np.pi, 401)
    curves = np.stack([np.sin(t) ** 2, 1 - np.cos(t), np.full_like(t, 2.0), t])
    np.testing.assert_allclose(charging_time(t, curves), [np.pi / 2, np.pi, 0, 4 * np.pi])


def test_part_of_a_charge_is_interpolated():
    t = np.linspace(0, 2, 5)
    assert charging_time(t, 3 * t, fraction=0.4) == pytest.approx(0.8)
    assert charging_time(t, np.full(5, 2.0), fraction=0.5) == 0
    fine = np.linspace(0, np.pi, 4001)
    assert charging_time(fine, np.sin(fine / 2), 0.5) == pytest.approx(np.pi / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average_power([1.0], [-1.0]), "`t` must be ≥ 0, but holds -1"),
        (lambda: average_power([np.inf], [1.0]), "`work` must be finite, but holds 1 entries"),
        (lambda: average_power([np.nan], [1.0]), "`work` must be real numbers"),
        (lambda: average_power(np.ones(3), np.ones(2)), r"`t` must be of the shape of `work`"),
        (lambda: charging_time([0, 2, 1], [0, 1, 2]), "`t` must be ascending times"),
        (lambda: charging_time([0, 1], [0, 1], 0), r"`fraction` must be in \(0, 1\], but is 0"),
        (lambda: state_derivative(np.eye(2), np.eye(4)), "`hamiltonian` must be of the size"),
        (lambda: state_derivative(np.eye(2), np.eye(2), [np.eye(4)]), "`operators` must be of"),
        (lambda: energy_power(1j * np.eye(2), np.eye(2)), "`rho_dot` must be Hermitian"),
        (lambda: ergotropy_power(np.eye(2), np.eye(4), np.eye(2)), "`rho_dot` must be of the"),
    ],
)
def test_what_is_no_curve_or_flow_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
