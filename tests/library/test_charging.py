"""Charging drives: the collective x field, hard and soft, and the Rosen–Zener pulse."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from nmrqb.battery import Battery
from nmrqb.dynamics import basis_state, gibbs, play, thermal_deviation
from nmrqb.operators import pauli, pauli_coefficients, pauli_strings
from nmrqb.sample import Coupling, Sample, Spin, load_sample
from nmrqb.sequence import expand, load_sequence

CHLOROFORM = load_sample("chloroform")
ORIENTED = load_sample("oriented_pair")
J = 215.13  # Hz, of chloroform
X = pauli("XI") + pauli("IX")
Z = pauli("ZI") + pauli("IZ")
DM, KSEA = pauli("XY") - pauli("YX"), pauli("XY") + pauli("YX")
AXIAL = (2 * pauli("ZZ") - pauli("XX") - pauli("YY")) / 3
RHOMBIC = pauli("XX") - pauli("YY")


def charged(name, sample, rho, **parameters):
    texts = {key: str(value) for key, value in parameters.items()}
    return play(expand(load_sequence(name), sample, parameters=texts), sample, rho).state


def energy(rho, H):
    return float(np.trace(rho @ H).real)


def random_state(seed):
    draw = np.random.default_rng(seed).normal(size=(2, 4, 4))
    A = draw[0] + 1j * draw[1]
    rho = A @ A.conj().T
    return rho / np.trace(rho)


# ------------------------------------------------------------------------------------ hard pulse
@pytest.mark.parametrize("sample", [CHLOROFORM, ORIENTED], ids=lambda sample: sample.name)
@pytest.mark.parametrize(("rate", "t"), [(50, 2.3e-3), (50, 5e-3), (1000, 0.4e-3)])
def test_collective_drive_is_the_field_of_the_publication(sample, rate, t):
    # H = ω(XI + IX) with ω = 2π·rate
    rho = random_state(1)
    U = expm(-2j * np.pi * rate * t * X)
    found = charged("collective_x", sample, rho, rate=f"{rate} Hz", t=f"{t} s")
    np.testing.assert_allclose(found, U @ rho @ U.conj().T, atol=1e-12)


def test_angle_of_the_collective_drive_may_be_given():
    found = charged("collective_x", CHLOROFORM, pauli("ZI"), theta="30 deg")
    expected = np.cos(np.pi / 6) * pauli("ZI") - np.sin(np.pi / 6) * pauli("YI")
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("theta", [0, 30, 90, 130, 180])
@pytest.mark.parametrize("T", [0.4, 3.0])
def test_energy_of_field_dm_and_ksea_goes_as_the_cosine(theta, T):
    H = 0.6 * Z + 1.0 * DM + 0.3 * KSEA
    start = gibbs(H, T)
    found = energy(charged("collective_x", CHLOROFORM, start, theta=f"{theta} deg"), H)
    assert found == pytest.approx(np.cos(np.radians(theta)) * energy(start, H), abs=1e-12)


def test_half_a_turn_inverts_the_gibbs_state():
    H = 0.6 * Z + 1.0 * DM + 0.3 * KSEA
    found = charged("collective_x", CHLOROFORM, gibbs(H, 0.8), theta="180 deg")
    np.testing.assert_allclose(found, gibbs(H, -0.8, inverted=True), atol=1e-12)


@pytest.mark.parametrize(
    ("terms", "T", "time", "published"),  # time in units of π/ω
    [
        ({"Delta": 1, "epsilon": 0.1}, 1, 0.25, 1.271),
        ({"Delta": 1, "epsilon": 0.1, "B": 2}, 0.5, 0.5, 7.838),
        ({"Delta": 1, "epsilon": 0.1}, 4, 0.25, 0.318),
        ({"Delta": 1, "epsilon": 0.5, "G": 2}, 0.5, 0.5, 7.644),
        ({"Delta": 1, "epsilon": 0.5, "D": 2}, 0.5, 0.5, 7.890),
    ],
)
def test_largest_ergotropies_of_the_publication_are_reached(terms, T, time, published):
    battery = Battery.from_terms(**terms)
    start = gibbs(battery.hamiltonian_hz, T)
    # ω = 2π·rate, and the battery's own H is off
    found = charged("collective_x", CHLOROFORM, start, rate="50 Hz", t=f"{time / 100} s")
    assert battery.ergotropy(found) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("theta", [0, 30, 60, 90, 180])
@pytest.mark.parametrize("sign", [1, -1])
def test_energy_of_the_axial_term_is_highest_at_a_quarter_turn(theta, sign):
    start = gibbs(sign * AXIAL, 0.7)
    found = energy(charged("collective_x", CHLOROFORM, start, theta=f"{theta} deg"), sign * AXIAL)
    factor = (1 + 3 * np.cos(2 * np.radians(theta))) / 4
    assert found == pytest.approx(factor * energy(start, sign * AXIAL), abs=1e-12)


@pytest.mark.parametrize("T", [0.3, 1.0, 30.0])
def test_energy_of_the_rhombic_term_stays_below_zero(T):
    start = gibbs(RHOMBIC, T)
    angles = np.arange(0, 181, 15)
    found = [energy(charged("collective_x", CHLOROFORM, start, theta=f"{a} deg"), RHOMBIC)
             for a in angles]  # fmt: skip
    assert max(found) < 0


def test_prepared_gibbs_state_is_charged_to_the_inverted_one():
    start = charged("gibbs_two_spin", CHLOROFORM, thermal_deviation(CHLOROFORM))
    end = charged("collective_x", CHLOROFORM, start, rate="50 Hz", t="5 ms")
    expected = gibbs(20 * DM + 5 * KSEA, -20, inverted=True) - np.eye(4) / 4
    np.testing.assert_allclose(end, 2 * 0.2515 * expected, atol=1e-5)


# ------------------------------------------------------------------------------------ soft pulse
def kept(r, t, coupling=J):
    """Share of the polarisations of two unlike spins that a soft drive leaves."""
    Omega = np.hypot(coupling / 4, 2 * r)
    turn, phase = 2 * np.pi * Omega * t, np.pi * coupling * t / 2
    return np.cos(turn) * np.cos(phase) + coupling / 4 / Omega * np.sin(turn) * np.sin(phase)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 0.2515), (1, -1)])
@pytest.mark.parametrize(("r", "t"), [(500, 0.5e-3), (50, 5e-3), (20, 7e-3), (110, 1.2e-3)])
def test_soft_drive_follows_its_closed_form(a, b, r, t):
    start = a * pauli("ZI") + b * pauli("IZ")
    end = charged("collective_x_soft", CHLOROFORM, start, rate=f"{r} Hz", t=f"{t} s")
    found = dict(zip(pauli_strings(2), pauli_coefficients(end).real, strict=True))
    assert found["ZI"] == pytest.approx(a * kept(r, t))
    assert found["IZ"] == pytest.approx(b * kept(r, t))


@pytest.mark.parametrize(
    ("r", "printed"), [(2000, -0.999), (500, -0.986), (100, -0.68), (20, 0.36)]
)
def test_soft_drive_inverts_only_where_it_is_strong(r, printed):
    end = charged("collective_x_soft", CHLOROFORM, Z, rate=f"{r} Hz")
    assert energy(end, Z) / energy(Z, Z) == pytest.approx(printed, abs=5e-3)


def test_soft_drive_without_couplings_is_the_hard_one():
    free = replace(CHLOROFORM, couplings=())
    rho = random_state(2)
    settings = {"rate": "50 Hz", "t": "2 ms"}
    hard = charged("collective_x", free, rho, **settings)
    np.testing.assert_allclose(
        charged("collective_x_soft", free, rho, **settings), hard, atol=1e-12
    )
    coupled = charged("collective_x_soft", CHLOROFORM, rho, **settings)
    assert np.linalg.norm(coupled - hard) > 0.05


# ------------------------------------------------------------------------------------ Rosen–Zener
def stored(rho):
    """E/(NΔ) of a state that began with all spins down."""
    n = int(rho.shape[-1]).bit_length() - 1
    ups = [n - k.bit_count() for k in range(2**n)]
    return float(np.diag(rho).real @ ups) / n


def rosen_zener(sample=CHLOROFORM, **parameters):
    n = len(sample.spins)
    return stored(charged("rosen_zener", sample, basis_state("1" * n), **parameters))


def published(n, Delta, v0, T, eta):
    """E/(NΔ) of eqs. 1 to 5 in the symmetric states of n spins, angular frequencies."""
    s = n / 2
    m = np.arange(s, -s - 1, -1)
    raising = np.diag(np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1)), 1)
    Jz, Jx = np.diag(m), (raising + raising.T) / 2

    def slope(t, psi):
        return (
            -1j * (Delta * Jz + v0 * np.sin(np.pi * t / T) ** 2 * Jx + 2 * eta / n * Jz @ Jz) @ psi
        )

    start = np.zeros(n + 1, dtype=complex)
    start[-1] = 1
    end = solve_ivp(slope, (0, T), start, rtol=1e-9, atol=1e-11).y[:, -1]
    return float(np.abs(end) ** 2 @ (m + s)) / n


def in_units_of_paper(Delta, ratio, product):
    """v0/Δ and ω0·T as parameters of the sequence, Δ/2π in Hz."""
    T = product / (2 * np.pi * Delta)
    return {"Delta": f"{Delta} Hz", "v0": f"{ratio * Delta} Hz", "T": f"{T} s"}


UNCOUPLED = replace(CHLOROFORM, couplings=())


@pytest.mark.parametrize("area", [0.3, 0.5, 1.0, 2.0, 3.0, 5.0])
def test_rosen_zener_charge_follows_the_area(area):
    found = rosen_zener(UNCOUPLED, T="1 ms", v0=f"{area} kHz")
    assert found == pytest.approx((1 - np.cos(np.pi * area)) / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("ratio", "product"), [(10, 0.1), (20, 0.1), (40, 0.1), (60, 0.1), (4, 0.5), (2, 1.0)]
)
@pytest.mark.parametrize("lam", [0, 2, -2, 8])
def test_rosen_zener_is_the_published_model(ratio, product, lam):
    Delta, T = 50.0, product * np.pi  # T in units of 1/Δ
    coupling = Coupling(("1H", "13C"), 2 * Delta * lam)  # η = πJ
    sample = replace(CHLOROFORM, couplings=(coupling,))
    found = rosen_zener(sample, **in_units_of_paper(Delta, ratio, T))
    assert found == pytest.approx(published(2, 1.0, ratio, T, lam), abs=5e-5)


def test_the_side_of_the_carrier_matters():
    settings = in_units_of_paper(50.0, 2, np.pi)
    sample = replace(CHLOROFORM, couplings=(Coupling(("1H", "13C"), 200.0),))
    right = rosen_zener(sample, **settings)
    wrong = rosen_zener(sample, **settings | {"Delta": "-50 Hz"})
    assert abs(right - wrong) > 1e-3


def test_splitting_may_be_the_offset_of_the_spins_instead():
    spins = tuple(replace(s, offset_hz=50.0) for s in CHLOROFORM.spins)
    settings = in_units_of_paper(50.0, 2, np.pi)
    found = rosen_zener(replace(CHLOROFORM, spins=spins), **settings | {"Delta": "0 Hz"})
    assert found == pytest.approx(rosen_zener(**settings), abs=2e-4)


@pytest.mark.parametrize(("sample", "charge"), [(CHLOROFORM, 0.9886), (UNCOUPLED, 0.9963)])
def test_published_parameters_do_not_quite_charge_two_spins(sample, charge):
    settings = in_units_of_paper(J / 4, 20, 0.1 * np.pi)
    assert rosen_zener(sample, **settings) == pytest.approx(charge, abs=6e-5)


@pytest.mark.parametrize(("share", "charge"), [(10, 0.998), (5, 0.992), (2, 0.953), (1, 0.834)])
def test_coupling_spoils_the_charge_of_a_long_pulse(share, charge):
    assert rosen_zener(T=f"{1 / (share * J)} s") == pytest.approx(charge, abs=6e-4)


def test_further_turns_charge_less():
    T = 1 / (5 * J)
    charges = [rosen_zener(T=f"{T} s", v0=f"{turns / T} Hz") for turns in (1, 3, 5)]
    assert charges == sorted(charges, reverse=True)
    assert charges[0] - charges[2] > 0.005


@pytest.mark.parametrize("scalar", [0.0, 30.0])
def test_dipolar_coupling_of_like_spins_counts_threefold(scalar):
    Delta, d = 50.0, 40.0
    spins = (Spin("A", "1H"), Spin("B", "1H"))
    sample = Sample("pair", spins, (Coupling(("A", "B"), scalar, d),))
    found = rosen_zener(sample, **in_units_of_paper(Delta, 4, 0.5 * np.pi))
    # η/Δ = 3πd/(2πΔ)
    assert found == pytest.approx(published(2, 1.0, 4, 0.5 * np.pi, 1.5 * d / Delta), abs=5e-5)


def test_three_spins_with_one_coupling_are_the_model_too():
    Delta, coupling = 50.0, 60.0
    labels = ("1H", "13C", "19F")
    pairs = [("1H", "13C"), ("1H", "19F"), ("13C", "19F")]
    spins = tuple(Spin(label, label) for label in labels)
    sample = Sample("three", spins, tuple(Coupling(pair, coupling) for pair in pairs))
    found = rosen_zener(sample, **in_units_of_paper(Delta, 4, 0.5 * np.pi))
    # η = πJN/2, in units of 2πΔ
    eta = coupling * 3 / (4 * Delta)
    assert found == pytest.approx(published(3, 1.0, 4, 0.5 * np.pi, eta), abs=5e-5)


@pytest.mark.parametrize("error", [-0.05, 0.05])
def test_flip_error_costs_its_square(error):
    found = rosen_zener(UNCOUPLED, T="1 ms", v0=f"{1 + error} kHz")
    assert 1 - found == pytest.approx((np.pi * error / 2) ** 2, rel=5e-3)


# ------------------------------------------------------------------------------------ spin charger
def star(n, J_hz):
    """One 13C and n equivalent protons as an explicit sample, the carbon first."""
    spins = (Spin("C", "13C"), *(Spin(f"H{k}", "1H") for k in range(1, n + 1)))
    bonds = tuple(Coupling(("C", f"H{k}"), J_hz) for k in range(1, n + 1))
    return Sample("star", spins, bonds)


def cell_up(n, J_hz, t, cycles):
    """Population of |0⟩ of the cell after cycles, from the cell down and all chargers up."""
    sample = star(n, J_hz)
    rho = basis_state("1" + "0" * n)
    timeline = expand(load_sequence("spin_charger"), sample, parameters={"t": f"{float(t)!r} s"})
    for _ in range(cycles):
        rho = play(timeline, sample, rho).state
    return float(np.trace(rho.reshape(2, 2**n, 2, 2**n)[0, :, 0, :]).real)


@pytest.mark.parametrize("t", [0.3e-3, 1.1e-3])
def test_one_charger_fills_its_cell_exactly(t):
    """E = sin²(2πgt) with g = J/4, whatever the cycle lasts."""
    for cycles in (1, 3):
        expected = np.sin(np.pi * J / 2 * t * cycles) ** 2
        assert cell_up(1, J, t, cycles) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "cycles"), [(2, 1), (3, 2), (4, 4)])
def test_several_chargers_are_the_star_battery(n, cycles):
    from nmrqb.battery.star import pulsed_charge
    from nmrqb.dynamics.registers import StarRegister

    duration = 1 / (J * np.sqrt(n))
    found = cell_up(n, J, duration / cycles, cycles)
    register = StarRegister(n, J_hz=J)
    expected = pulsed_charge(register, duration, cycles)[0, 0].real
    assert found == pytest.approx(expected, abs=1e-11)
    assert found > 0.99


def test_full_charges_of_nine_chargers_are_those_of_the_notes():
    from nmrqb.battery.star import pulsed_charge
    from nmrqb.dynamics.registers import StarRegister

    register, duration = StarRegister(9, J_hz=J), 1 / (J * np.sqrt(9))
    found = [pulsed_charge(register, duration, cycles)[0, 0].real for cycles in (1, 2, 4)]
    assert np.all(np.abs(np.subtract(found, [0.954, 0.9985, 0.99993])) < [5e-4, 5e-5, 5e-6])
