"""Stars by total spins, against the explicit spins and closed forms."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import basis_state, spin_gibbs
from nmrqb.dynamics.registers import (
    StarSegment,
    bloch_vector,
    central_signal,
    central_state,
    levels,
    multiplicity,
    satellite_count,
    satellite_signal,
    star_apply,
    star_deviation,
    star_expectation,
    star_hamiltonian,
    star_operator,
    star_product,
    star_unitary,
    total_spins,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, kron

UP, DOWN, MIXED, PLUS = basis_state("0"), basis_state("1"), np.eye(2) / 2, np.full((2, 2), 0.5)
SIZES = [1, 2, 3, 4]
TIMES = np.array([0.0, 0.004, 0.03, 0.11])
COUPLINGS = {
    "Ising": np.diag([0, 0, 9.0]),
    "exchange": np.diag([7.0, 7.0, 7.0]),
    "flip-flop": np.diag([6.0, 6.0, 0]),
    "DM": np.array([[0, 5.0, -2.0], [-5.0, 0, 3.0], [2.0, -3.0, 0]]),
    "any": np.random.default_rng(5).normal(size=(3, 3)) * 8,
}


def total(operator, n):
    """Return Σ_k of a one-spin operator over the satellites of 1 + n spins."""
    return sum(embed(operator, k, n + 1) for k in range(1, n + 1))


def explicit_hamiltonian(n, C, *, central_hz=0, satellite_hz=0, J_hz=0, d_hz=0):
    spin = [[embed(PAULI[a] / 2, k, n + 1) for a in "XYZ"] for k in range(n + 1)]
    H = central_hz * spin[0][2] + satellite_hz * sum(s[2] for s in spin[1:])
    for k in range(1, n + 1):
        H = H + sum(C[a, b] * spin[0][a] @ spin[k][b] for a in range(3) for b in range(3))
        for other in range(k + 1, n + 1):
            xx, yy, zz = (spin[k][a] @ spin[other][a] for a in range(3))
            H = H + J_hz * (xx + yy + zz) + d_hz * (2 * zz - xx - yy)
    return 2 * np.pi * H


def evolved(H, rho, t):
    U = expm(-1j * H * t)
    return U @ rho @ U.conj().T


def random_state(rng):
    A = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    rho = A @ A.conj().T
    return rho / np.trace(rho)


def explicit_product(central, satellite, n):
    return kron([central, *[satellite] * n])


# ------------------------------------------------------------------------ against explicit spins
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", COUPLINGS)
def test_everything_of_a_coherent_star_equals_the_explicit_spins(n, kind):
    rng = np.random.default_rng(n)
    C, own = COUPLINGS[kind], {"central_hz": 3.0, "satellite_hz": -2.0}
    H = star_hamiltonian(n, C, **own, satellite_J_hz=4.0, satellite_dipolar_hz=2.5)
    explicit = explicit_hamiltonian(n, C, **own, J_hz=4.0, d_hz=2.5)
    central, satellite = random_state(rng), random_state(rng)
    rho, start = star_product(n, central, satellite), explicit_product(central, satellite, n)
    states = [evolved(explicit, start, t) for t in TIMES]
    reduced = [np.einsum("iaja->ij", s.reshape(2, 2**n, 2, 2**n)) for s in states]
    np.testing.assert_allclose(central_state(H, rho, TIMES), reduced, atol=1e-12)
    for axis in "xyz":
        J = total(PAULI[axis.upper()] / 2, n)
        expected = [np.trace(s @ J) for s in states]
        found = star_expectation(H, rho, star_operator(n, satellites=axis), TIMES)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        pair = [np.trace(s @ J @ embed(PAULI["Y"], 0, n + 1)) for s in states]
        found = star_expectation(H, rho, star_operator(n, PAULI["Y"], axis), TIMES)
        np.testing.assert_allclose(found, pair, atol=1e-12)
    raised = PAULI["X"] + 1j * PAULI["Y"]
    fid = [np.trace(s @ total(raised, n)) for s in states]
    np.testing.assert_allclose(satellite_signal(H, rho, TIMES), fid, atol=1e-12)
    fid = [np.trace(s @ embed(raised, 0, n + 1)) for s in states]
    np.testing.assert_allclose(central_signal(H, rho, TIMES), fid, atol=1e-12)


@pytest.mark.parametrize("n", SIZES)
def test_sequences_equal_the_explicit_spins(n):
    C = COUPLINGS["any"]
    segments = [
        StarSegment(central=(np.pi / 2, 0, 0)),
        StarSegment(0.02),
        StarSegment(0.001, central=(0, 1.0, 0.2), satellites=(np.pi, 0.3, 0)),
        StarSegment(0.02),
        StarSegment(satellites=(0, 0, 0.4)),
    ]
    H, explicit = star_hamiltonian(n, C), explicit_hamiltonian(n, C)
    deviation = star_deviation(n, 0.25, 1.0)
    state = (0.25 * embed(PAULI["Z"] / 2, 0, n + 1) + total(PAULI["Z"] / 2, n)) / 2 ** (n + 1)
    for s in segments:
        Theta = explicit * s.duration_s
        for a, S, turned in zip("XYZ", s.central, s.satellites, strict=True):
            Theta = Theta + S * embed(PAULI[a] / 2, 0, n + 1) + turned * total(PAULI[a] / 2, n)
        state = evolved(Theta, state, 1)
    rho = star_apply(star_unitary(segments, H), deviation)
    for axis in "xyz":
        found = sum(
            np.trace(a @ b) for a, b in zip(rho, star_operator(n, satellites=axis), strict=True)
        )
        assert found == pytest.approx(
            np.trace(state @ total(PAULI[axis.upper()] / 2, n)), abs=1e-13
        )


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_energies_are_those_of_the_explicit_spins(n):
    C, J_hz, d_hz = COUPLINGS["any"], 4.0, 2.5
    H = star_hamiltonian(n, C, satellite_J_hz=J_hz, satellite_dipolar_hz=d_hz)
    copies = [multiplicity(n, J) for J in total_spins(n)]
    found = [np.tile(np.linalg.eigvalsh(h), d) for h, d in zip(H, copies, strict=True)]
    expected = np.linalg.eigvalsh(explicit_hamiltonian(n, C, J_hz=J_hz, d_hz=d_hz))
    np.testing.assert_allclose(np.sort(np.concatenate(found)), expected, atol=1e-11)


def test_batches_of_parameters_states_and_times():
    rng = np.random.default_rng(8)
    C, nu = rng.normal(size=(3, 1, 3, 3)), rng.normal(size=2) * 5
    H = star_hamiltonian(3, C, satellite_hz=nu, satellite_dipolar_hz=1.0)
    satellite = np.array([random_state(rng) for _ in nu])
    rho = star_product(3, PLUS, satellite)
    found = central_state(H, rho, TIMES)
    assert found.shape == (3, 2, TIMES.size, 2, 2)
    single = star_hamiltonian(3, C[2, 0], satellite_hz=nu[1], satellite_dipolar_hz=1.0)
    alone = central_state(single, star_product(3, PLUS, satellite[1]), TIMES)
    np.testing.assert_allclose(found[2, 1], alone, atol=1e-13)


def test_batches_of_couplings_that_are_zero_keep_their_shape():
    H = star_hamiltonian(2, np.zeros((5, 3, 3)))
    assert H[0].shape == (5, 6, 6)


# ----------------------------------------------------------------------------------- closed forms
@given(st.floats(-1, 1), st.floats(-20, 20))
@settings(deadline=None, max_examples=30)
def test_the_fid_of_the_centre_of_36_satellites(p, J):
    t = np.linspace(0, 0.4, 57)
    satellite = (PAULI["I"] + p * PAULI["Z"]) / 2
    H = star_hamiltonian(36, np.diag([0, 0, J]))
    fid = central_signal(H, star_product(36, PLUS, satellite), t)
    closed = (np.cos(np.pi * J * t) + 1j * p * np.sin(np.pi * J * t)) ** 36
    np.testing.assert_allclose(fid, closed, atol=1e-12)


def test_the_multiplet_has_binomial_intensities():
    n, J = 36, 8.0
    points = 64  # one turn of the innermost spacing: every line falls on one point
    t = np.arange(points) / (points * J)
    H = star_hamiltonian(n, np.diag([0, 0, J]))
    lines = np.fft.fft(central_signal(H, star_product(n, PLUS, MIXED), t)) / points
    expected = np.zeros(points)
    for k in range(n + 1):
        expected[(n // 2 - k) % points] = math.comb(n, k) / 2**n
    np.testing.assert_allclose(lines, expected, atol=1e-14)


@pytest.mark.parametrize("n", [1, 4, 9, 36])
def test_satellites_all_up_charge_the_centre_with_the_root_of_their_number(n):
    g = 5.0
    t = np.linspace(0, 0.3, 41)
    H = star_hamiltonian(n, np.diag([2 * g, 2 * g, 0]))
    state = central_state(H, star_product(n, DOWN, UP), t)
    expected = np.sin(2 * np.pi * g * np.sqrt(n) * t) ** 2
    np.testing.assert_allclose(state[:, 0, 0].real, expected, atol=1e-12)
    assert np.abs(state[:, 0, 1]).max() < 1e-13


@pytest.mark.parametrize("temperature", [0.3, 2.0, -1.0, np.inf])
def test_thermal_satellites_charge_the_centre_level_by_level(temperature):
    n, g, t = 36, 5.0, np.linspace(0, 0.3, 41)
    satellite = spin_gibbs(1.0, temperature, inverted=True)
    a, b = satellite[0, 0].real, satellite[1, 1].real
    expected = np.zeros(t.size)
    for J in total_spins(n):
        for m in levels(J):
            weight = multiplicity(n, J) * a ** (n / 2 + m) * b ** (n / 2 - m)
            rate = g * np.sqrt(J * (J + 1) - m * (m - 1))
            expected += weight * np.sin(2 * np.pi * rate * t) ** 2
    H = star_hamiltonian(n, np.diag([2 * g, 2 * g, 0]))
    found = central_state(H, star_product(n, DOWN, satellite), t)[:, 0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_deviations_of_large_registers():
    n = 36
    H = star_hamiltonian(n, np.diag([0, 0, 9.0]), satellite_J_hz=12.0)
    seen = [star_operator(n, PAULI["Z"] / 2), star_operator(n, satellites="z")]
    start = star_deviation(n, 0.5, 2.0)
    values = [star_expectation(H, start, A, TIMES) for A in seen]
    np.testing.assert_allclose(values[0], 0.5 / 4, rtol=1e-12)
    np.testing.assert_allclose(values[1], 2.0 * n / 4, rtol=1e-12)
    turned = star_unitary([StarSegment(satellites=(0, np.pi / 2, 0))], H)
    fid = satellite_signal(H, star_apply(turned, start), np.linspace(0, 0.2, 33))
    closed = 2.0 * n / 2 * np.cos(np.pi * 9.0 * np.linspace(0, 0.2, 33))  # a doublet, J_II unseen
    np.testing.assert_allclose(fid, closed, atol=1e-11)


# ------------------------------------------------------------------------------------- properties
ANGLES = st.tuples(*[st.floats(-4, 4)] * 3)


@functools.lru_cache(maxsize=1)
def exchange_of_nine():
    return star_hamiltonian(9, np.diag([6.0, 6.0, 2.0]), central_hz=4.0, satellite_hz=-7.0)


@given(st.integers(0, 2**31), st.floats(0, 3))
@settings(deadline=None, max_examples=30)
def test_the_centre_stays_a_state_and_the_total_z_is_kept(seed, t):
    rng = np.random.default_rng(seed)
    H = exchange_of_nine()
    rho = star_product(9, random_state(rng), random_state(rng))
    times = np.array([0.0, t])
    state = central_state(H, rho, times)
    np.testing.assert_allclose(np.trace(state, axis1=1, axis2=2), 1, atol=1e-12)
    assert np.linalg.eigvalsh(state).min() > -1e-12
    parts = [star_operator(9, PAULI["Z"] / 2), star_operator(9, satellites="z")]
    M = sum(star_expectation(H, rho, part, times) for part in parts)
    assert M[1] == pytest.approx(M[0], abs=1e-11)


@given(st.floats(0, 1), ANGLES)
@settings(deadline=None, max_examples=30)
def test_rotating_the_satellites_rotates_their_product(p, vector):
    rotation = StarSegment(satellites=vector)
    still = star_hamiltonian(5, np.zeros((3, 3)))
    U = expm(-0.5j * sum(v * PAULI[a] for v, a in zip(vector, "XYZ", strict=True)))
    r = (PAULI["I"] + p * PAULI["Z"]) / 2
    turned = star_apply(star_unitary([rotation], still), star_product(5, UP, r))
    for found, expected in zip(turned, star_product(5, UP, U @ r @ U.conj().T), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-13)


def test_products_are_states_of_any_purity():
    for p in (0.0, 1e-9, 0.5, 1 - 1e-12, 1.0):
        blocks = star_product(36, UP, (PAULI["I"] + p * PAULI["X"]) / 2)
        assert sum(np.trace(b) for b in blocks) == pytest.approx(1, abs=1e-12)
        assert min(np.linalg.eigvalsh(b).min() for b in blocks) > -1e-14
    np.testing.assert_allclose(bloch_vector(PLUS), [1, 0, 0])


@pytest.mark.slow
def test_a_register_of_36_satellites_charges_and_is_seen():
    """Coherent exchange, and the FID at thousands of times."""
    n, J, p = 36, 9.3, 0.4
    t = np.arange(4096) / 2000
    H = star_hamiltonian(n, np.diag([0, 0, J]), satellite_dipolar_hz=3.0)
    satellite = (PAULI["I"] + p * PAULI["Z"]) / 2
    fid = central_signal(H, star_product(n, PLUS, satellite), t)
    closed = (np.cos(np.pi * J * t) + 1j * p * np.sin(np.pi * J * t)) ** n
    np.testing.assert_allclose(fid, closed, atol=1e-11)
    exchange = star_hamiltonian(n, np.diag([J, J, 0]))
    charged = central_state(exchange, star_product(n, DOWN, UP), t)[:, 0, 0].real
    np.testing.assert_allclose(charged, np.sin(np.pi * J * 6 * t) ** 2, atol=1e-11)


# --------------------------------------------------------------------------------------- refusals
TWO = star_hamiltonian(2, np.eye(3))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: star_hamiltonian(2, np.eye(2)), r"`coupling_hz` must have shape \(\.\.\., 3, 3\)"),
        (lambda: star_hamiltonian(2, np.nan * np.eye(3)), "`coupling_hz` must be finite"),
        (lambda: star_hamiltonian(2, np.eye(3), central_hz=np.inf), "`central_hz` must be finite"),
        (lambda: star_hamiltonian(2, np.eye(3), satellite_hz=np.nan), "`satellite_hz` must be fin"),
        (lambda: star_hamiltonian(2, np.eye(3), satellite_J_hz=np.nan), "`satellite_J_hz` must be"),
        (
            lambda: star_hamiltonian(2, np.eye(3), satellite_dipolar_hz=np.nan),
            "`satellite_dipolar_hz` must be finite",
        ),
        (lambda: star_hamiltonian(0, np.eye(3)), "must be a whole number ≥ 1"),
        (lambda: star_product(2, np.eye(2), UP), "`central` must be a state of one spin"),
        (lambda: star_product(2, UP, np.eye(4) / 4), "`satellite` must be a state of one spin"),
        (lambda: star_product(2, UP, np.diag([1.5, -0.5])), "`satellite` must be a state"),
        (lambda: StarSegment(-1.0), "`duration_s` must be ≥ 0"),
        (lambda: StarSegment(np.nan), "`duration_s` must be ≥ 0"),
        (lambda: StarSegment(central=(0, 0)), "`central` must be three finite angles"),
        (lambda: StarSegment(satellites=(0, np.nan, 0)), "`satellites` must be three finite"),
        (lambda: satellite_count(TWO[:1]), "`blocks` must hold one block"),
        (lambda: satellite_count(()), "`blocks` must hold one block"),
        (lambda: central_signal(TWO, star_deviation(3), TIMES), "`rho` must be of as many"),
        (lambda: central_signal(TWO, star_deviation(2), np.array([np.nan])), "`times` must be a"),
        (lambda: central_signal(TWO, star_deviation(2), 1.0), "`times` must be a finite vector"),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ArgumentError, match=match):
        call()
