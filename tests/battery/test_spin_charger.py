"""The spin charger, against the full space of all spins, closed forms and published numbers."""

import time
from dataclasses import replace

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.battery.cavity_charger import (
    infinite_charger_energy,
    one_thermal_charger_energy,
    two_cell_energy,
)
from nmrqb.battery.collective_starts import dicke, mixture, one_turned, polarised
from nmrqb.battery.power import average_power
from nmrqb.battery.spin_charger import (
    SpinCharger,
    collective_advantage,
    parallel_energy,
    peak_power,
    scaling_exponent,
    stored_energy,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, kron

TIMES = np.linspace(0, 3, 61)


def on(axis, spins, n):
    return sum(embed(PAULI[axis], k, n) for k in spins)


def full_hamiltonian(model):
    """Eqs. 1, 13 and 14 spin by spin: pairs l ≠ j of one kind are counted twice."""
    M, n = model.cells, model.cells + model.chargers
    cells, chargers = range(M), range(M, n)
    H = model.omega0 / 2 * on("Z", range(n), n)
    for axis, share in (("X", 1 + model.gamma), ("Y", 1 - model.gamma)):
        H = H + model.g / 2 * share * on(axis, cells, n) @ on(axis, chargers, n)
    for kind, g in ((chargers, model.charger_crosstalk), (cells, model.cell_crosstalk)):
        for first in kind:
            for second in kind:
                if first != second:
                    for axis in "XY":
                        H = H + g / 2 * embed(PAULI[axis], first, n) @ embed(PAULI[axis], second, n)
    return H


def full_energy(model, ups, times=TIMES):
    """⟨H_B⟩(t) − ⟨H_B⟩(0) over ω0 of a diagonal product state, by diagonalising 2ᴹ⁺ᴺ levels."""
    n = model.cells + model.chargers
    rho = kron([np.diag([p, 1 - p]).astype(complex) for p in ups])
    up = np.diag(on("Z", range(model.cells), n)).real / 2
    e, V = np.linalg.eigh(full_hamiltonian(model))
    U = (V * np.exp(-1j * np.multiply.outer(times, e))[:, None, :]) @ V.conj().T
    energy = np.einsum("tij,jk,tik,i->t", U, rho, U.conj(), up, optimize=True).real
    return energy - energy[0]


MODELS = {
    "isotropic": SpinCharger(2, 3),
    "more cells": SpinCharger(3, 2, g=0.7),
    "anisotropic": SpinCharger(2, 3, gamma=0.6, omega0=3.0),
    "XX": SpinCharger(3, 3, gamma=1.0),
    "crosstalk": SpinCharger(2, 4, charger_crosstalk=0.4, cell_crosstalk=-0.3),
    "all": SpinCharger(2, 3, 1.1, 0.3, 2.0, 0.2, 0.5),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_collective_model_is_that_of_all_spins(model):
    ups = [0.0] * model.cells + [1.0] * model.chargers
    np.testing.assert_allclose(
        stored_energy(model, TIMES), full_energy(model, ups), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("model", [MODELS["isotropic"], MODELS["all"]], ids=["isotropic", "all"])
def test_mixed_starts_are_those_of_all_spins(model):
    M, N = model.cells, model.chargers
    found = stored_energy(model, TIMES, cells=polarised(M, 0.2), chargers=polarised(N, 0.7))
    expected = full_energy(model, [0.2] * M + [0.7] * N)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", [MODELS["isotropic"], MODELS["all"]], ids=["isotropic", "all"])
@pytest.mark.parametrize("which", [0, 1])
def test_one_spin_the_other_way_is_that_of_all_spins(model, which):
    M, N = model.cells, model.chargers
    turned_cell = stored_energy(model, TIMES, cells=one_turned(M, up=True))
    ups = [1.0 if k == which else 0.0 for k in range(M)] + [1.0] * N
    np.testing.assert_allclose(turned_cell, full_energy(model, ups), rtol=0, atol=1e-12)
    turned_charger = stored_energy(model, TIMES, chargers=one_turned(N, up=False))
    ups = [0.0] * M + [0.0 if k == which else 1.0 for k in range(N)]
    np.testing.assert_allclose(turned_charger, full_energy(model, ups), rtol=0, atol=1e-12)


def test_the_anisotropic_series_is_that_of_qutip():
    model = SpinCharger(19, 27, gamma=0.4)  # 280 levels of one parity: the series, not eigh
    S, J = 9.5, 13.5
    one, two = qutip.qeye(20), qutip.qeye(28)
    raise_S = qutip.tensor(qutip.jmat(S, "+"), two)
    raise_J = qutip.tensor(one, qutip.jmat(J, "+"))
    S_z, J_z = qutip.tensor(qutip.jmat(S, "z"), two), qutip.tensor(one, qutip.jmat(J, "z"))
    moved = raise_J.dag() * (model.gamma * raise_S.dag() + raise_S)
    H = model.omega0 * (S_z + J_z) + moved + moved.dag()
    psi = qutip.tensor(qutip.spin_state(S, -S), qutip.spin_state(J, J))
    times = np.array([0.0, 0.05, 0.02, 0.3])  # in any order
    options = {"method": "vern9", "rtol": 1e-11, "atol": 1e-13, "nsteps": 100_000}
    order = np.argsort(times)
    means = qutip.sesolve(H, psi, times[order], e_ops=[S_z], options=options).expect[0]
    found = stored_energy(model, times)
    np.testing.assert_allclose(found[order], means + S, rtol=0, atol=1e-8)


def test_one_cell_and_one_charger():
    for gamma in (0.0, 0.5, 1.0):  # the anisotropy has no hold on them
        model = SpinCharger(1, 1, gamma=gamma)
        np.testing.assert_allclose(stored_energy(model, TIMES), np.sin(TIMES) ** 2, atol=1e-13)


@pytest.mark.parametrize("N", [1, 4, 100, 900])
def test_one_cell_charges_with_the_root_of_its_chargers(N):
    E = stored_energy(SpinCharger(1, N), TIMES)
    np.testing.assert_allclose(E, np.sin(np.sqrt(N) * TIMES) ** 2, atol=1e-9)
    single = peak_power(SpinCharger(1, 1)).value
    assert peak_power(SpinCharger(1, N)).value == pytest.approx(np.sqrt(N) * single, rel=1e-9)


@pytest.mark.parametrize("N", [2, 3, 4, 20, 200])
def test_two_cells_have_the_closed_form(N):
    found = stored_energy(SpinCharger(2, N), TIMES)
    np.testing.assert_allclose(found, two_cell_energy(N, TIMES), atol=1e-10)
    top = two_cell_energy(N, [np.pi / np.sqrt(2 * (3 * N - 2))])[0]
    assert top == pytest.approx(16 * N * (N - 1) / (3 * N - 2) ** 2)


@pytest.mark.parametrize("up", [0.0, 0.3, 1.0])
def test_a_thermal_charger_is_half_a_singlet_where_it_is_down(up):
    chargers = mixture([(up, dicke(2, 2)), (1 - up, one_turned(2, up=False))])
    found = stored_energy(SpinCharger(2, 2), TIMES, chargers=chargers)
    np.testing.assert_allclose(found, one_thermal_charger_energy(up, TIMES), atol=1e-12)
    full = full_energy(SpinCharger(2, 2), [0.0, 0.0, 1.0, up])
    np.testing.assert_allclose(found, full, atol=1e-12)


def test_many_chargers_are_a_mode_that_starts_empty():
    tau = np.linspace(0, 2, 101)
    limit = infinite_charger_energy(6, tau)
    errors = [
        np.abs(stored_energy(SpinCharger(6, N), tau / np.sqrt(N)) - limit).max()
        for N in (10**3, 10**4, 10**5)
    ]
    assert errors[2] < 5e-4
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)  # falls as 1/N


# ----------------------------------------------------------------------------- what must not change
couplings = st.floats(-2, 2, allow_subnormal=False)


@settings(max_examples=30, deadline=None)
@given(
    M=st.integers(1, 5),
    N=st.integers(1, 5),
    gamma=st.floats(0, 1),
    crosstalk=st.tuples(couplings, couplings),
    up=st.floats(0, 1),
)
def test_energy_stays_between_empty_and_full(M, N, gamma, crosstalk, up):
    model = SpinCharger(M, N, 1.0, gamma, 3.0, *crosstalk)
    E = stored_energy(model, TIMES, cells=polarised(M, up))
    assert E[0] == pytest.approx(0, abs=1e-12)
    assert E.min() >= -M * up - 1e-9
    assert E.max() <= M * (1 - up) + 1e-9


@settings(max_examples=20, deadline=None)
@given(M=st.integers(1, 6), N=st.integers(1, 6), g=st.floats(0.1, 5), omega0=couplings)
def test_time_is_measured_in_the_coupling_alone(M, N, g, omega0):
    scaled = stored_energy(SpinCharger(M, N, g=g, omega0=omega0), TIMES / g)
    np.testing.assert_allclose(scaled, stored_energy(SpinCharger(M, N), TIMES), atol=1e-9)


@pytest.mark.parametrize(("M", "N"), [(2, 5), (5, 2), (7, 7)])
def test_what_cells_gain_chargers_lose(M, N):
    """Exchanging the two sides and turning all spins over gives the same exchange."""
    gained = stored_energy(SpinCharger(M, N), TIMES)
    lost = stored_energy(SpinCharger(N, M), TIMES, cells=dicke(N, N), chargers=dicke(M, 0))
    np.testing.assert_allclose(gained, -lost, atol=1e-11)


def test_at_first_the_energy_grows_with_the_square_of_time():
    t = 1e-4
    for M, N in ((1, 1), (3, 5), (30, 40)):
        assert stored_energy(SpinCharger(M, N), [t])[0] == pytest.approx(M * N * t**2, rel=1e-4)


# -------------------------------------------------------------------------------- published numbers
@pytest.mark.parametrize(
    ("M", "N", "gamma", "power"),
    [(1, 1, 0, 0.7246), (2, 4, 0, 3.043), (10, 10, 0, 29.238), (10, 10, 1, 21.092)],
)
def test_peak_powers(M, N, gamma, power):
    assert peak_power(SpinCharger(M, N, gamma=gamma)).value == pytest.approx(power, abs=2e-3)


def test_strong_crosstalk_of_the_chargers_stops_the_exchange():
    t = np.linspace(0, 10, 10001)
    largest = [
        stored_energy(SpinCharger(2, 4, charger_crosstalk=g1), t).max() for g1 in (0, 0.1, 1, 10)
    ]
    np.testing.assert_allclose(largest, [1.920, 1.906, 0.849, 0.009], atol=5e-4)


def test_strong_crosstalk_of_two_cells_only_delays_it():
    """|00⟩ and |11⟩ of the cells keep one energy: they exchange through the level between."""
    model = SpinCharger(2, 4, cell_crosstalk=10.0)
    assert peak_power(model).value < 0.25 * peak_power(SpinCharger(2, 4)).value
    assert stored_energy(model, np.linspace(0, 50, 20001)).max() > 1.91


def test_imperfect_starts_cost_charge():
    t, model = np.linspace(0, 2, 4001), SpinCharger(2, 4)
    chargers = mixture([(0.6, dicke(4, 4)), *((0.1, dicke(4, k)) for k in range(4))])
    cells = mixture([(0.6, dicke(2, 0)), (0.4, one_turned(2, up=True))])
    for changed, expected in (
        ({"chargers": chargers}, (0.847, 0.882)),
        ({"cells": cells}, (0.690, 0.723)),
    ):
        E = stored_energy(model, t, **changed)
        powers = average_power(E, t).max() / peak_power(model).value
        np.testing.assert_allclose([E.max() / 1.92, powers], expected, atol=1e-3)


# ------------------------------------------------------------------------------------------ scaling
def test_parallel_charging_is_that_of_one_cell():
    each = 7 * np.sin(TIMES) ** 2
    np.testing.assert_allclose(parallel_energy(SpinCharger(7, 7), TIMES), each, atol=1e-12)
    each = 3 * np.sin(np.sqrt(2) * TIMES) ** 2
    np.testing.assert_allclose(parallel_energy(SpinCharger(3, 6), TIMES), each, atol=1e-12)
    with pytest.raises(ArgumentError, match="must be a multiple of the 3 cells"):
        parallel_energy(SpinCharger(3, 7), TIMES)


def test_advantage_is_one_for_one_cell():
    assert collective_advantage(SpinCharger(1, 5)) == pytest.approx(1)


def test_the_exponent_is_that_of_a_power_law():
    """η(M(1+w))/η(M(1−w)) = ((1+w)/(1−w))^β."""
    model = SpinCharger(10, 10)
    few, many = (collective_advantage(replace(model, cells=M, chargers=M)) for M in (9, 11))
    assert (11 / 9) ** scaling_exponent(model) == pytest.approx(many / few)


@pytest.mark.parametrize(("M", "beta"), [(20, 0.81), (100, 0.87)])
def test_published_exponents(M, beta):
    assert scaling_exponent(SpinCharger(M, M)) == pytest.approx(beta, abs=0.005)


@pytest.mark.slow
def test_a_thousand_cells_take_seconds():
    started = time.process_time()
    model = SpinCharger(1000, 1000)
    beta = scaling_exponent(model)
    E = stored_energy(model, np.linspace(0, 0.05, 501))
    assert time.process_time() - started < 15
    assert beta == pytest.approx(0.91, abs=0.005)  # not 0.99
    assert 0.85 < E.max() / 1000 < 1


# ----------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SpinCharger(0, 1), "`cells` must be a whole number ≥ 1"),
        (lambda: SpinCharger(1, 2.5), "`chargers` must be a whole number ≥ 1"),
        (lambda: SpinCharger(1, 1, g=0.0), "`g` must be positive, but is 0"),
        (lambda: SpinCharger(1, 1, gamma=np.nan), "`gamma` must be finite"),
        (lambda: stored_energy(SpinCharger(1, 1), [-1.0]), "`times` must be finite times ≥ 0"),
        (lambda: stored_energy(SpinCharger(2, 2), [1.0], cells=dicke(3, 0)), "`cells` must be"),
        (lambda: stored_energy(SpinCharger(2, 2), [1.0], chargers=()), "`chargers` must be shares"),
        (lambda: scaling_exponent(SpinCharger(1, 1)), "two cells or more, but has 1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
