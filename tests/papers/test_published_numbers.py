"""The two dipolar papers: numbers of an independent recomputation, and curves by QuTiP."""

import numpy as np
import pytest
import qutip

from nmrqb.battery import ergotropy
from nmrqb.battery.published import (
    dephased_exchange_ergotropy,
    exchange_coupling,
)
from nmrqb.papers import dipolar_battery_dm as dm
from nmrqb.papers import ksea_charging as ksea
from nmrqb.papers import load_paper
from nmrqb.papers.ksea_resources import thermal

KSEA_TABLE = [  # constants, largest ξ, at t/π, Q, largest C; three decimals
    ({"Delta": 1}, 1.271, 0.250, 1.300, 0.578),
    ({"Delta": 4}, 8.153, 0.250, 8.164, 0.994),
    ({"Delta": 12}, 24.200, 0.250, 24.200, 1.000),
    ({"Delta": 1, "T": 0.5, "B": 2}, 7.838, 0.500, 7.880, 1.883),
    ({"Delta": 1, "T": 4}, 0.318, 0.250, 0.330, 0.144),
    ({"Delta": 1, "epsilon": 0.5, "T": 0.5, "G": 2}, 7.644, 0.500, 8.139, 1.952),
    ({"Delta": 1, "epsilon": 0.5, "T": 0.5, "D": 2}, 7.890, 0.500, 8.109, 1.819),
]


@pytest.mark.parametrize(("constants", "xi", "time", "Q", "C"), KSEA_TABLE)
def test_charging_table(constants, xi, time, Q, C):
    figures = ("ergotropy", "best time", "capacity", "coherence")
    got = [round(ksea.charged(figure=figure, **constants), 3) for figure in figures]
    assert got == [xi, time, Q, C]


@pytest.mark.parametrize(
    ("figure", "constants", "value"),
    [
        ("ergotropy", {}, 1.137),
        ("power", {}, 2.060),
        ("lowest coherence", {}, 0.284),
        ("coherence", {}, 0.498),
        ("spectral width", {}, 2.386),
        ("state capacity", {}, 1.658),
        ("ergotropy", {"D": 3}, 2.818),
        ("spectral width", {"D": 3}, 3.321),
        ("ergotropy", {"Delta": 5, "epsilon": 5}, 2.665),
        ("spectral width", {"Delta": 5, "epsilon": 5}, 5.188),
        ("eq 8", {}, -1.0),
        ("eq 8", {"Delta": 5, "epsilon": 5}, -1.0),
    ],
)
def test_numbers_of_the_dm_paper(figure, constants, value):
    assert round(dm.charged(figure=figure, **constants), 3) == value


def recomputed(name):
    """Return printed → ours of the numbers that the paper shows as curves alone."""
    paper = load_paper(name)
    rows = [row for row in paper.rows if row.source == "recomputed"]
    return [(row.printed, round(paper.compute(row), row.digits)) for row in rows]


def test_every_recomputed_number_is_in_the_rows_and_agrees():
    expected = {1.137, 2.060, 0.284, 0.498, 2.386, 1.658, 2.818, 3.321, 2.665, 5.188}
    found = recomputed("dipolar-battery-dm")
    assert all(printed == ours for printed, ours in found)
    assert {printed for printed, _ in found} == expected
    found = recomputed("dipolar-battery-dm-ksea-nmr")
    assert all(printed == ours for printed, ours in found)
    assert {v for row in KSEA_TABLE for v in (row[1], row[3], row[4])} <= {p for p, _ in found}


# ----------------------------------------------------------------------- the master equation, fig 6
def pauli(axis, spin):
    factors = [qutip.qeye(2), qutip.qeye(2)]
    factors[spin] = {"x": qutip.sigmax(), "y": qutip.sigmay(), "z": qutip.sigmaz()}[axis]
    return qutip.tensor(*factors)


def solved(Delta, D, gamma_B, gamma_C, times):
    """States of eq. 18 from |10⟩ by QuTiP, restricted to span{01, 10}, and H there."""
    x, y, z = ([pauli(axis, spin) / 2 for spin in (0, 1)] for axis in "xyz")
    H = -Delta / 3 * (x[0] * x[1] + y[0] * y[1] - 2 * z[0] * z[1])
    H += D * (x[0] * y[1] - y[0] * x[1])
    c_ops = [np.sqrt(gamma_B) * pauli("z", 0), np.sqrt(gamma_C) * pauli("z", 1)]
    start = qutip.ket2dm(qutip.ket("10"))
    run = qutip.mesolve(H, start, times, c_ops, options={"atol": 1e-12, "rtol": 1e-10})
    return np.array([rho.full()[1:3, 1:3] for rho in run.states]), H.full()[1:3, 1:3]


TIMES = np.linspace(0, 20, 81)


@pytest.mark.parametrize(
    ("Delta", "D", "Gamma"), [(2, 0, 0.25), (2, 0, 1), (2, 3, 0.5), (5, 1, 0.5)]
)
def test_curves_under_dephasing(Delta, D, Gamma):
    rho, H = solved(Delta, D, Gamma / 4, Gamma / 4, TIMES)
    closed = dephased_exchange_ergotropy(TIMES, exchange_coupling(Delta, D), Gamma)
    np.testing.assert_allclose(closed, ergotropy(rho, H), atol=1e-7)
    assert np.diff(closed).max() < 0  # nothing oscillates


def test_printed_rate_is_off_where_the_row_says():
    rho, H = solved(2, 1, 0.25, 0.25, np.linspace(0, 20, 401))
    printed = dephased_exchange_ergotropy(np.linspace(0, 20, 401), exchange_coupling(2, 1), 0.5)
    expected = np.abs(printed - ergotropy(rho, H)).max()
    assert dm.closed_form_error(factor=1.0) == pytest.approx(expected, abs=1e-6)


def test_equations_20_and_21_as_printed_grow():
    # u̇ = 2κ Im v, v̇ = −iκ(1 − 2u): with u = 1 at the start z = 2u − 1 leaves [−1, 1]
    kappa, u, v = exchange_coupling(2, 1), 1.0, 0j
    for _ in range(1000):
        u, v = u + 0.002 * 2 * kappa * v.imag, v - 0.002j * kappa * (1 - 2 * u)
    assert 2 * u - 1 > 3
    assert dm.imbalance_curvature() == pytest.approx(-4 * kappa**2)


def test_printed_eigenvectors_are_none():
    H = dm.dipolar_hamiltonian(Delta=2, D=1)[1:3, 1:3]
    chi = np.hypot(2, 3)
    for c, misses in ((6, True), (-3, False)):
        vector = np.array([chi / (c * 1j - 2), 1])
        residual = np.abs(H @ vector - (chi - 2) / 6 * vector).max()
        assert bool(residual > 0.1) is misses


def test_normalisations_of_eq_13_are_exchanged():
    epsilon, G, B = 0.5, 0.5, 1.0
    kappa_2 = np.sqrt(B**2 + G**2 + epsilon**2)
    deltas = [abs(B - s * kappa_2) / np.hypot(G, epsilon) for s in (1, -1)]  # |δ1|, |δ2|
    chi_1, chi_2 = (1 / np.sqrt(1 + delta**2) for delta in deltas)
    row = next(r for r in load_paper("dipolar-battery-dm-ksea-nmr").rows if "|ψ3⟩" in r.of)
    assert row.printed == pytest.approx(chi_2, abs=5e-5)
    assert ksea.eigenvector_weight() == pytest.approx(chi_1)


# ------------------------------------------------------------------------------ Gibbs states, fig 4
@pytest.mark.parametrize("terms", [{"epsilon": 1.0}, {"B": 10.0}, {"D": 1.0}, {"G": 10.0}], ids=str)
def test_entanglement_ends_where_qutip_says(terms):
    constants = {"Delta": 1.0, "epsilon": 0.5, "D": 0.0, "G": 0.0, "B": 0.0, **terms}
    T = thermal(figure="cutoff", **constants)
    H = qutip.Qobj(ksea.magnetic_dipolar_hamiltonian(**constants), dims=[[2, 2]] * 2)
    below, above = ((-H / (T + shift)).expm().unit() for shift in (-0.02, 0.02))
    assert qutip.concurrence(below) > 0
    assert qutip.concurrence(above) == pytest.approx(0, abs=1e-9)
