"""The Heisenberg chain, against QuTiP, definitions of the figures, and published numbers."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.battery import ergotropy
from nmrqb.battery.heisenberg import charge_chain, heisenberg_hamiltonian
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, partial_trace, swap

TIMES = np.linspace(0, np.pi / 2, 401)
constants = st.fixed_dictionaries(
    {name: st.floats(-3, 3) for name in ("J", "gamma", "Delta", "D", "Omega")}
)


def qutip_hamiltonian(N, J, gamma, Delta, D, Omega):
    """Eqs. 1 to 3 along an open chain."""
    sigma = {"x": qutip.sigmax(), "y": qutip.sigmay(), "z": qutip.sigmaz()}

    def on(**axes):
        factors = [qutip.qeye(2)] * N
        for name, site in axes.items():
            factors[site] = sigma[name]
        return qutip.tensor(factors)

    def pair(a, b, k):
        factors = [qutip.qeye(2)] * N
        factors[k], factors[k + 1] = sigma[a], sigma[b]
        return qutip.tensor(factors)

    H = Omega * sum(on(x=k) for k in range(N))
    for k in range(N - 1):
        H += J * (1 + gamma) * pair("x", "x", k) + J * (1 - gamma) * pair("y", "y", k)
        H += J * Delta * pair("z", "z", k) + D * (pair("x", "y", k) - pair("y", "x", k))
    return H


@pytest.mark.parametrize("N", [2, 3, 4])
@pytest.mark.parametrize("given", [(1, 1, 0, 0, 1), (1, 0, 2, 1.7, 1), (0.7, -0.4, 2.5, 0.5, 1.3)])
def test_states_are_those_of_qutip(N, given):
    H = qutip_hamiltonian(N, *given)
    names = dict(zip(("J", "gamma", "Delta", "D", "Omega"), given, strict=True))
    np.testing.assert_allclose(heisenberg_hamiltonian(**names, spins=N), H.full(), atol=1e-14)
    times = np.array([0.0, 0.4, 1.5])
    charging = charge_chain(times, **names, spins=N)
    psi = qutip.basis([2] * N, [1] * N)
    expected = np.array([((-1j * H * t).expm() * psi).full().ravel() for t in times])
    np.testing.assert_allclose(charging.states, expected, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(given=constants)
def test_figures_are_those_of_their_definitions(given):
    t = np.linspace(0, 2, 21)
    charging = charge_chain(t, **given, omega0=1.3)
    rho = np.einsum("ti,tj->tij", charging.states, charging.states.conj())
    H = 1.3 * (np.kron(PAULI["Z"], np.eye(2)) + np.kron(np.eye(2), PAULI["Z"]))
    np.testing.assert_allclose(charging.ergotropy(), ergotropy(rho, H), atol=1e-9)
    purities = [
        np.einsum("tij,tji->t", part, part).real
        for part in (partial_trace(rho, (0,)), partial_trace(rho, (1,)))
    ]
    Q = np.sqrt(np.clip(sum(2 * purity - 1 for purity in purities) / 2, 0, None))
    np.testing.assert_allclose(charging.first_order_coherence(), Q, atol=1e-7)
    products = np.array([[np.kron(PAULI[a], PAULI[b]) for b in "XYZ"] for a in "XYZ"])
    tensor = np.einsum("tij,abji->tab", rho, products).real
    S = np.sqrt((tensor**2).sum(axis=(-2, -1)))
    np.testing.assert_allclose(charging.steering(), S, atol=1e-9)
    concurrence = [qutip.concurrence(qutip.Qobj(r, dims=[[2, 2], [2, 2]])) for r in rho[::5]]
    np.testing.assert_allclose(charging.concurrence()[::5], concurrence, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(given=constants)
def test_power_is_the_slope_of_the_ergotropy(given):
    t = np.linspace(0, 1, 8001)
    charging = charge_chain(t, **given)
    slope = np.gradient(charging.ergotropy(), t, edge_order=2)
    np.testing.assert_allclose(charging.instantaneous_power(), slope, atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(given=constants)
def test_the_sign_of_the_dm_coupling_is_that_of_the_order_of_the_spins(given):
    charging = charge_chain(TIMES, **given)
    mirrored = charge_chain(TIMES, **(given | {"D": -given["D"]}))
    np.testing.assert_allclose(mirrored.ergotropy(), charging.ergotropy(), atol=1e-9)
    np.testing.assert_allclose(mirrored.states @ swap(0, 1, 2), charging.states, atol=1e-9)


@pytest.mark.parametrize("N", [1, 2, 5])
def test_parallel_charging(N):
    charging = charge_chain(TIMES, Omega=1.4, omega0=0.5, spins=N)
    np.testing.assert_allclose(charging.ergotropy(), N * np.sin(1.4 * TIMES) ** 2, atol=1e-12)


def test_stacks_are_their_members():
    D, Delta = np.array([0.0, 0.8, 1.7]), np.array([[1.0], [2.0]])
    stack = charge_chain(TIMES, J=1.0, Delta=Delta, D=D)
    assert stack.ergotropy().shape == (2, 3, 401)
    for i in range(2):
        for j in range(3):
            one = charge_chain(TIMES, J=1.0, Delta=Delta[i, 0], D=D[j])
            np.testing.assert_allclose(stack.ergotropy()[i, j], one.ergotropy(), atol=1e-12)


# -------------------------------------------------------------------------------- published numbers
@pytest.mark.parametrize(
    ("given", "energy", "power"),
    [
        ({}, 4.000, 2.898),
        ({"J": 1, "gamma": 1}, 4.000, 5.109),
        ({"J": 1, "gamma": 1, "D": 9}, 3.982, 5.691),
        ({"J": 1, "Delta": 2}, 2.330, 2.110),
        ({"J": 1, "Delta": 2, "D": 0.8}, 2.979, 2.235),
        ({"J": 1, "Delta": 2, "D": 1.2}, 3.507, 2.440),
        ({"J": 1, "Delta": 2, "D": 1.7}, 3.753, 2.494),
    ],
)
def test_published_maxima(given, energy, power):
    charging = charge_chain(TIMES, **given)
    assert charging.ergotropy().max() == pytest.approx(energy, abs=5e-4)
    assert charging.average_power().max() == pytest.approx(power, abs=5e-4)


def test_a_strong_dm_coupling_stops_the_xxz_battery():
    maxima = charge_chain(TIMES, J=1.0, Delta=2.0, D=[0.0, 1.7, 3.0, 9.0]).ergotropy().max(axis=-1)
    assert maxima[1] > maxima[0] > maxima[2] > maxima[3]
    assert maxima[3] < 0.1


# ----------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: charge_chain([0.0], J=np.nan), "`J` must be"),
        (lambda: charge_chain([0.0], D=[0.0, np.inf]), "`D` must be"),
        (lambda: charge_chain([-1.0]), "`times` must be finite times"),
        (lambda: charge_chain([0.0], spins=9), "`spins` must be at most 8, but is 9"),
        (lambda: charge_chain([0.0], spins=0), "`spins` must be a whole number"),
        (lambda: charge_chain([0.0], spins=3).concurrence(), "must be of two spins"),
        (lambda: charge_chain([0.0], spins=1).steering(), "must be of two spins"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
