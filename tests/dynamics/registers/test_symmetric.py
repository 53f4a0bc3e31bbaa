"""Relaxation satellite by satellite in the symmetric space, against explicit spins."""

import math

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import basis_state, collapse_operators, commutator_superoperator
from nmrqb.dynamics.registers import (
    StarDissipation,
    StarSegment,
    SymmetricSpace,
    central_state,
    needed,
    one_spin_dissipator,
    one_spin_map,
    star_hamiltonian,
    star_liouvillian,
    star_product,
    symmetric_dissipator,
    symmetric_expectation,
    symmetric_play,
    total_spins,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, embed, kron
from nmrqb.sample import Sample, Spin

UP, DOWN, MIXED, PLUS = basis_state("0"), basis_state("1"), np.eye(2) / 2, np.full((2, 2), 0.5)
UNITS = np.eye(4, dtype=complex).reshape(4, 2, 2)
TIMES = np.array([0.0, 0.3, 0.05, 0.8])


def relaxing(T1, T2, p=0.0):
    """Return the Lindblad operators of one spin."""
    spin = Spin("I", "1H", T1_s=T1, T2_s=T2, polarization=p)
    return np.array(collapse_operators(Sample("one", (spin,)))).reshape(-1, 2, 2)


def everything():
    """Return all that can relax a star: T1 and T2, Pauli noise, and a common field."""
    own = np.array([[0.1, 0.3j], [0.2 - 0.1j, -0.2]])
    satellite = [*relaxing(0.7, 0.4, 0.3), 0.5 * PAULI["X"], 0.3 * PAULI["Y"], own]
    central = [*relaxing(0.9, 1.1, -0.6), 0.4 * PAULI["X"]]
    common = [[0.6 * PAULI["Z"], 0.3 * PAULI["Z"]], [0.2 * PAULI["X"], 0.1j * PAULI["Y"]]]
    return StarDissipation(np.array(central), np.array(satellite), np.array(common))


def random_state(rng):
    A = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    rho = A @ A.conj().T
    return rho / np.trace(rho)


def explicit_hamiltonian(n, C, central, satellite, J, d):
    s = [[embed(PAULI[a] / 2, k, n + 1) for a in "XYZ"] for k in range(n + 1)]
    H = central * s[0][2] + satellite * sum(one[2] for one in s[1:])
    for k in range(1, n + 1):
        H = H + sum(C[a, b] * s[0][a] @ s[k][b] for a in range(3) for b in range(3))
        for m in range(k + 1, n + 1):
            dot = sum(s[k][a] @ s[m][a] for a in range(3))
            H = H + J * dot + d * (3 * s[k][2] @ s[m][2] - dot)
    return 2 * np.pi * H


def seen(space):
    """Return functionals, and the operators that they stand for as functions of n."""
    n = space.satellites
    axes = [PAULI[a] for a in "XYZ"]
    total = [sum(embed(P, k, n + 1) for k in range(1, n + 1)) for P in axes]
    pairs = [(None, P) for P in axes] + [(unit, None) for unit in UNITS]
    pairs += [(P, Q) for P in axes for Q in axes]
    operators = [*total, *(embed(unit, 0, n + 1) for unit in UNITS)]
    operators += [embed(P, 0, n + 1) @ T for P in axes for T in total]
    return np.array([space.functional(*pair) for pair in pairs]), operators


# ------------------------------------------------------------------------ against explicit spins
@pytest.mark.parametrize("n", [1, 2, 3])
def test_open_stars_equal_the_explicit_spins(n):
    rng = np.random.default_rng(n)
    C, constants = rng.normal(size=(3, 3)), (0.7, -0.4, 0.9, 0.5)
    lost = everything()
    L = star_liouvillian(
        n, C, central_hz=0.7, satellite_hz=-0.4, satellite_dipolar_hz=0.5, dissipation=lost
    )
    full = commutator_superoperator(explicit_hamiltonian(n, C, *constants))
    full = full + lost.dissipation(n).generator
    space = SymmetricSpace(n)
    central, satellite = random_state(rng), random_state(rng)
    start = kron([central, *[satellite] * n])
    functionals, operators = seen(space)
    found = symmetric_expectation(L, space.product(satellite, central), functionals, TIMES)
    for t, values in zip(TIMES, found, strict=True):
        rho = (expm(full * t) @ start.ravel()).reshape(start.shape)
        np.testing.assert_allclose(values, [np.trace(rho @ A) for A in operators], atol=1e-11)


def test_four_satellites_equal_the_solver_of_qutip():
    n, C, times = 4, np.diag([0.9, 0.9, 1.7]), [0, 0.2, 0.4]
    flips = np.array([*relaxing(0.7, 0.4, 0.3), 0.5 * PAULI["X"]])
    field = [[0.6 * PAULI["Z"], 0.3 * PAULI["Z"]]]
    lost = StarDissipation(relaxing(0.9, 1.1, -0.6), flips, field)
    dims = [[2] * (n + 1)] * 2
    sparse = [
        qutip.Qobj(A, dims=dims).to("CSR")
        for A in (
            explicit_hamiltonian(n, C, 0.3, -0.2, 0, 0),
            *lost.dissipation(n).operators(),
            embed(PAULI["Z"], 0, n + 1),
            sum(embed(PAULI["X"], k, n + 1) for k in range(1, n + 1)),
        )
    ]
    start = qutip.Qobj(kron([DOWN, *[PLUS] * n]), dims=dims)
    options = {"rtol": 1e-9, "atol": 1e-11, "nsteps": 100000}
    H, jumps, watched = sparse[0], sparse[1:-2], sparse[-2:]
    solved = qutip.mesolve(H, start, times, jumps, e_ops=watched, options=options)
    space = SymmetricSpace(n)
    L = star_liouvillian(n, C, central_hz=0.3, satellite_hz=-0.2, dissipation=lost)
    w = np.array([space.functional(PAULI["Z"]), space.functional(None, PAULI["X"])])
    found = symmetric_expectation(L, space.product(PLUS, DOWN), w, np.array(times))
    np.testing.assert_allclose(found.real.T, np.array(solved.expect), atol=1e-7)


def test_sequences_equal_the_explicit_spins():
    n, rng, lost = 2, np.random.default_rng(4), everything()
    C = rng.normal(size=(3, 3))
    segments = [
        StarSegment(central=(np.pi / 2, 0, 0)),
        StarSegment(0.2),
        StarSegment(0.05, central=(0, 1.0, 0.2), satellites=(np.pi, 0.3, 0)),
        StarSegment(0.3, satellites=(0, 0, 0.4)),
    ]
    full = commutator_superoperator(explicit_hamiltonian(n, C, 0, 0, 0, 0))
    full = full + lost.dissipation(n).generator
    satellite = random_state(rng)
    space, state = SymmetricSpace(n), kron([DOWN, satellite, satellite])
    x = space.product(satellite, DOWN)
    for s in segments:
        Theta = np.zeros((8, 8), dtype=complex)
        for k, vector in enumerate([s.central, s.satellites, s.satellites]):
            Theta += sum(v * embed(PAULI[a] / 2, k, 3) for v, a in zip(vector, "XYZ", strict=True))
        G = commutator_superoperator(Theta) + full * s.duration_s
        state = (expm(G) @ state.ravel()).reshape(8, 8)
    L = star_liouvillian(n, C, dissipation=lost)
    functionals, operators = seen(space)
    found = functionals @ symmetric_play(space, segments, L, np.stack([x, 2 * x])).T
    expected = [np.trace(state @ A) for A in operators]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], 2 * found[:, 0], atol=1e-12)


def test_without_loss_the_symmetric_space_agrees_with_the_total_spins():
    n, t = 7, np.linspace(0, 0.2, 9)
    C = np.random.default_rng(6).normal(size=(3, 3)) * 4
    r = np.array([[0.6, 0.2 - 0.1j], [0.2 + 0.1j, 0.4]])
    blocks = central_state(star_hamiltonian(n, C), star_product(n, PLUS, r), t)
    space = SymmetricSpace(n)
    w = np.array([space.functional(unit.T) for unit in UNITS])
    L = star_liouvillian(n, C)
    found = symmetric_expectation(L, space.product(r, PLUS), w, t).reshape(-1, 2, 2)
    np.testing.assert_allclose(found, blocks, atol=1e-11)


# ----------------------------------------------------------------------------------- closed forms
def test_the_size_of_the_space():
    assert SymmetricSpace(36, centre=False).dimension == 9139
    assert len(SymmetricSpace(36).counts) == math.comb(39, 3)
    assert SymmetricSpace(100, centre=False).dimension == 176851


def damped_line(t, J, satellite, lost, n):
    """Return the centre's FID as the nth power of what one satellite makes of it."""
    Z = PAULI["Z"] / 2
    left, right = np.kron(Z, np.eye(2)), np.kron(np.eye(2), Z)
    D = sum(
        np.kron(L, L.conj())
        - (np.kron(L.conj().T @ L, np.eye(2)) + np.kron(np.eye(2), (L.conj().T @ L).T)) / 2
        for L in lost
    )
    G = 1j * np.pi * J * (left + right) + D  # ρ_10 of the centre
    return np.array([(np.eye(2).ravel() @ expm(G * s) @ satellite.ravel()) ** n for s in t])


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_the_fid_of_36_relaxing_satellites_is_a_product(p):
    n, J, t = 36, 2.0, np.linspace(0, 1.5, 61)
    satellite = (PAULI["I"] + p * PAULI["Z"]) / 2
    flips = np.array([*relaxing(2.0, 1.0, 0.2), 0.3 * PAULI["X"]])
    lost = StarDissipation(central=relaxing(5.0, 0.8), satellite=flips)
    space = SymmetricSpace(n)
    L = star_liouvillian(n, np.diag([0, 0, J]), dissipation=lost)
    w = space.functional(PAULI["X"] + 1j * PAULI["Y"])[None]
    fid = symmetric_expectation(L, space.product(satellite, PLUS), w, t)[:, 0]
    closed = damped_line(t, J, satellite, flips, n) * np.exp(-t / 0.8)
    np.testing.assert_allclose(fid, closed, atol=1e-12)


@pytest.mark.parametrize("n", [36, 100])
def test_common_dephasing_damps_by_the_square_of_the_order(n):
    """⟨J_+²⟩ of spins along x decays four times as fast as ⟨J_+⟩."""
    space = SymmetricSpace(n, centre=False)
    gamma = 0.4
    lost = StarDissipation(common=[[np.zeros((2, 2)), np.sqrt(gamma) * PAULI["Z"]]])
    raised = np.array([[0, 1], [0, 0]], dtype=complex)
    single, t = space.functional(None, raised), np.array([0.0, 0.25, 1.0])
    double = single @ space.left(None, raised)
    w = np.array([single, double])
    found = symmetric_expectation(symmetric_dissipator(space, lost), space.product(PLUS), w, t)
    start = np.array([n / 2, n * (n - 1) / 4])
    expected = start * np.exp(-2 * gamma * np.outer(t, [1, 4]))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_independent_dephasing_damps_two_spin_orders_twice():
    space, t = SymmetricSpace(100, centre=False), np.array([0.0, 0.3])
    raised = np.array([[0, 1], [0, 0]], dtype=complex)
    single = space.functional(None, raised)
    w = np.array([single, single @ space.left(None, raised)])
    L = symmetric_dissipator(space, StarDissipation(satellite=[PAULI["Z"]]))
    found = symmetric_expectation(L, space.product(PLUS), w, t)
    np.testing.assert_allclose(found[1] / found[0], np.exp([-0.6, -1.2]), rtol=1e-12)


def test_satellites_relax_to_their_polarisation():
    space = SymmetricSpace(100, centre=False)
    L = symmetric_dissipator(space, StarDissipation(satellite=relaxing(2.0, 1.0, 0.25)))
    w = space.functional(None, PAULI["Z"])[None]
    found = symmetric_expectation(L, space.product(DOWN), w, np.linspace(0, 4, 9))[:, 0]
    closed = 100 * (0.25 - 1.25 * np.exp(-np.linspace(0, 4, 9) / 2))
    np.testing.assert_allclose(found, closed, atol=1e-10)


def test_superradiance_of_two_spins():
    """Collective decay from all up: ⟨J_z⟩ = 1 down to −1 through |1, 0⟩ at twice the rate."""
    space, t = SymmetricSpace(2, centre=False), np.linspace(0, 2, 7)
    lost = StarDissipation(common=[[np.zeros((2, 2)), np.array([[0, 0], [1, 0]])]])
    w = space.functional(None, PAULI["Z"] / 2)[None]
    found = symmetric_expectation(symmetric_dissipator(space, lost), space.product(UP), w, t)
    up, middle = np.exp(-2 * t), 2 * t * np.exp(-2 * t)
    np.testing.assert_allclose(found[:, 0], up - (1 - up - middle), atol=1e-13)


# -------------------------------------------------------------------------- the space itself
@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=20)
def test_maps_of_one_spin_compose(seed):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(2, 2, 2)) + 1j * rng.normal(size=(2, 2, 2))
    np.testing.assert_allclose(
        one_spin_map(A) @ one_spin_map(right=B), one_spin_map(A, B), atol=1e-12
    )
    rho = random_state(rng)
    space = SymmetricSpace(1, centre=False)
    x = space.left(None, A) @ space.product(rho)
    np.testing.assert_allclose(x, space.product(A @ rho), atol=1e-12)


def test_the_basis_is_orthonormal():
    """Unitary evolution keeps the norm, and ‖x‖² is d times the purity."""
    space, n = SymmetricSpace(5), 5
    G = star_liouvillian(n, np.random.default_rng(0).normal(size=(3, 3)), satellite_dipolar_hz=2.0)
    assert abs(G + G.conj().T).max() < 1e-12
    r = np.array([[0.7, 0.1j], [-0.1j, 0.3]])
    purity = np.trace(r @ r).real ** n
    x = space.product(r, UP)
    assert np.vdot(x, x).real == pytest.approx(2 ** (n + 1) * purity)


def test_commuting_products_of_collective_operators():
    space = SymmetricSpace(6, centre=False)
    x, y, z = (space.left(None, PAULI[a] / 2) for a in "XYZ")
    assert abs(x @ y - y @ x - 1j * z).max() < 1e-13
    state = space.product(UP)
    square = space.mixed() @ (x @ x + y @ y + z @ z) @ state
    assert square == pytest.approx(3 * 4)


def test_only_what_the_signal_needs_is_kept():
    n, space = 36, SymmetricSpace(36)
    ising = star_liouvillian(n, np.diag([0, 0, 9.0]), satellite_hz=40.0)
    w = space.functional(PAULI["X"] + 1j * PAULI["Y"])
    kept = needed(ising, space.product(PLUS, PLUS), w)
    assert kept.size == n + 1  # one coherence of the centre, powers of I_z
    exchange = star_liouvillian(n, np.diag([9.0, 9.0, 0]))
    kept = needed(exchange, space.product(UP, DOWN), space.functional(PAULI["Z"]))
    assert kept.size < 1500


def test_a_signal_that_nothing_reaches_is_zero():
    space = SymmetricSpace(3)
    L = star_liouvillian(3, np.diag([0, 0, 9.0]))
    w = np.array([space.functional(PAULI["X"])])
    found = symmetric_expectation(L, space.product(UP, DOWN), w, TIMES)
    np.testing.assert_array_equal(found, np.zeros((4, 1)))


def test_times_may_stand_in_any_order_and_be_uneven():
    """Even steps, uneven ones, repeated ones, in a space above and below the dense limit."""
    lost = everything()
    for n in (2, 8):
        space = SymmetricSpace(n)
        L = star_liouvillian(n, np.diag([0.3, 0.5, 0.9]), dissipation=lost)
        w = np.array([space.functional(PAULI["Z"]), space.functional(None, PAULI["Y"])])
        start = space.product(np.array([[0.6, 0.2], [0.2, 0.4]]), DOWN)
        even = np.linspace(0.1, 0.5, 5)
        found = symmetric_expectation(L, start, w, even)
        shuffled = np.array([0.5, 0.1, 0.1, 0.4])
        again = symmetric_expectation(L, np.stack([start, 3 * start]), w, shuffled)
        np.testing.assert_allclose(again[0], found[[4, 0, 0, 3]], atol=1e-11)
        np.testing.assert_allclose(again[1], 3 * again[0], atol=1e-11)
        assert symmetric_expectation(L, start, w, np.full(3, 0.1)).shape == (3, 2)


@given(st.integers(0, 2**31), st.floats(0, 5))
@settings(deadline=None, max_examples=20)
def test_the_centre_stays_a_state(seed, t):
    rng = np.random.default_rng(seed)
    space, lost = SymmetricSpace(3), everything()
    L = star_liouvillian(3, rng.normal(size=(3, 3)), dissipation=lost)
    w = np.array([space.functional(unit.T) for unit in UNITS])
    start = space.product(random_state(rng), random_state(rng))
    state = symmetric_expectation(L, start, w, np.array([t]))[0].reshape(2, 2)
    assert np.trace(state) == pytest.approx(1, abs=1e-10)
    assert np.linalg.eigvalsh((state + state.conj().T) / 2).min() > -1e-10


def test_the_invariants_of_total_spin_are_kept_by_collective_evolution():
    """⟨J²⟩ of the satellites does not change under a field that all feel."""
    n, space = 6, SymmetricSpace(6)
    lost = StarDissipation(common=[[PAULI["Z"], PAULI["X"] + PAULI["Z"]]])
    L = star_liouvillian(n, np.diag([1.0, 2.0, 0.5]), satellite_hz=0.3, dissipation=lost)
    squares = [space.left(None, PAULI[a] / 2) for a in "XYZ"]
    w = np.array([space.mixed() @ sum(A @ A for A in squares)])
    found = symmetric_expectation(L, space.product(PLUS, UP), w, TIMES)
    J = total_spins(n)[0]
    np.testing.assert_allclose(found[:, 0], J * (J + 1), atol=1e-9)


@pytest.mark.slow
def test_36_relaxing_satellites_exchange_and_are_seen():
    """The whole register: the relaxing FID, and exchange that all dephase together."""
    n, t = 36, np.linspace(0, 0.2, 201)
    space = SymmetricSpace(n)
    lost = StarDissipation(central=relaxing(9.0, 0.3), satellite=relaxing(7.0, 2.0))
    ising = star_liouvillian(n, np.diag([0, 0, 9.3]), dissipation=lost)
    w = space.functional(PAULI["X"] + 1j * PAULI["Y"])[None]
    fid = symmetric_expectation(ising, space.product(MIXED, PLUS), w, t)[:, 0]
    closed = damped_line(t, 9.3, MIXED, lost.satellite, n) * np.exp(-t / 0.3)
    np.testing.assert_allclose(fid, closed, atol=1e-12)
    # a common field keeps the chain |↓, N/2⟩, |↑, N/2 − 1⟩: a damped two-level system
    g, gamma = 9.3, 3.0
    field = StarDissipation(common=[[np.zeros((2, 2)), np.sqrt(gamma) * PAULI["Z"]]])
    exchange = star_liouvillian(n, np.diag([g, g, 0]), dissipation=field)
    charged = space.functional(np.diag([1.0, 0.0]))[None]
    found = symmetric_expectation(exchange, space.product(UP, DOWN), charged, t)[:, 0].real
    H = np.pi * g * np.sqrt(n) * PAULI["X"]
    step = np.sqrt(gamma) * np.diag([0, -2.0]).astype(complex)  # Σσ_z differs by 2
    G = commutator_superoperator(H) + np.diag(
        [0, -0.5 * abs(step[1, 1]) ** 2, -0.5 * abs(step[1, 1]) ** 2, 0]
    )
    expected = [(expm(G * s) @ np.array([1, 0, 0, 0]))[3].real for s in t]
    np.testing.assert_allclose(found, expected, atol=1e-9)  # pure start: see the module


# --------------------------------------------------------------------------------------- refusals
SPACE = SymmetricSpace(2)
STILL = star_liouvillian(2, np.zeros((3, 3)))
START = SPACE.mixed()
BARE = SymmetricSpace(2, centre=False)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SymmetricSpace(0), "`satellites` must be a whole number ≥ 1"),
        (lambda: SymmetricSpace(201), "`satellites` must be at most 200"),
        (lambda: SymmetricSpace(True), "`satellites` must be a whole number"),
        (lambda: BARE.left(PAULI["X"]), "`central` must be None"),
        (lambda: BARE.product(UP, UP), "`central` must be None in a space without a centre"),
        (lambda: SPACE.product(UP), "`central` must be a state in a space with a centre"),
        (lambda: SPACE.product(np.eye(4), UP), r"`satellite` must have shape \(2, 2\)"),
        (lambda: StarDissipation(central=np.eye(2)), "`central` must have shape"),
        (lambda: StarDissipation(satellite=np.eye(4)[None]), "`satellite` must have shape"),
        (lambda: StarDissipation(common=np.eye(2)[None]), "`common` must have shape"),
        (lambda: StarDissipation(satellite=[np.nan * UP]), "`satellite` must be finite"),
        (
            lambda: symmetric_dissipator(BARE, StarDissipation(common=[[UP, UP]])),
            "`common` must act on no centre",
        ),
        (
            lambda: symmetric_dissipator(BARE, StarDissipation(central=[UP])),
            "`central` must be None",
        ),
        (
            lambda: star_liouvillian(2, np.zeros((4, 3, 3))),
            r"must have shape \(3, 3\).*shape \(4,\)",
        ),
        (lambda: star_liouvillian(2, np.eye(3), central_hz=np.nan), "`central_hz` must be finite"),
        (lambda: symmetric_expectation(STILL, START[:-1], START[None], TIMES), "`start` must have"),
        (lambda: symmetric_expectation(STILL, START, START, TIMES), "`functionals` must have"),
        (lambda: symmetric_expectation(STILL, START, START[None], -TIMES), "`times` must be a vec"),
        (
            lambda: symmetric_expectation(STILL, START, START[None], np.array([np.nan])),
            "`times` must be a vector of times ≥ 0",
        ),
        (lambda: symmetric_play(SPACE, [], STILL, START[:3]), "`start` must have shape"),
    ],
)
def test_refusals(call, match):
    with pytest.raises(ArgumentError, match=match):
        call()


def test_a_dissipator_of_no_operators_is_zero():
    np.testing.assert_array_equal(one_spin_dissipator(np.zeros((0, 2, 2))), np.zeros((4, 4)))
