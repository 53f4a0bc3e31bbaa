"""Ensembles: closed forms of dephasing, echoes, nutation; drifts by hand; what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.dynamics import (
    Ensemble,
    Gaussian,
    Lorentzian,
    Tabulated,
    Uniform,
    along_z,
    amplified,
    amplitudes_of,
    average,
    drift_of,
    exp_hermitian,
    gaussian_ensemble,
    product,
    shared_drift,
    timeline_segments,
    uniform_sample,
    unitary,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import dagger, pauli
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline

H1 = Sample("h", (Spin("H", "1H"),))
NH = Sample("nh", (Spin("H", "1H"), Spin("N", "15N")), (Coupling(("H", "N"), -90.0),))
ETA = -2.71261804 / 26.7522128  # γ(15N)/γ(1H)
X = pauli("X")


def precessed(sample, ensemble, rho, t):
    """Return the states of all members after free precession."""
    U = exp_hermitian(t * drift_of(sample, ensemble))
    return U @ rho @ dagger(U)


def element(rho, sample=H1, at=(0, 1)):
    """Return a function that gives one element of ρ(t) of the members."""
    return lambda t: lambda part: precessed(sample, part, rho, t)[:, at[0], at[1]]


def refined(**spread):
    return lambda r: product(**spread, refinement=r)


# ------------------------------------------------------------------------- gaussian amplitudes
@pytest.mark.parametrize(("power", "moment"), [(1, 0), (2, 1), (3, 0), (4, 3), (5, 0), (6, 15)])
def test_moments_are_those_of_a_normal_distribution(power, moment):
    amplitudes, weights = gaussian_ensemble(0.05)
    found = np.sum(weights * ((amplitudes - 1) / 0.05) ** power)
    assert found == pytest.approx(moment, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("angle", [0.1, 2 * np.pi, 20 * np.pi, 200 * np.pi])
@pytest.mark.parametrize("spread", [0.01, 0.05, 0.2])
def test_dephasing_of_a_spread_rotation_is_gaussian(spread, angle):
    # ⟨e^{iθ(1 + δ)}⟩ = e^{iθ} exp(−θ²σ²/2): no revival, however long it turns
    amplitudes, weights = gaussian_ensemble(spread, largest_angle=angle)
    damped = np.exp(1j * angle - (angle * spread) ** 2 / 2)
    assert abs(np.sum(weights * np.exp(1j * angle * amplitudes)) - damped) < 1e-6


def test_weights_sum_to_one():
    assert gaussian_ensemble(0.1)[1].sum() == pytest.approx(1, abs=1e-14)


def test_no_spread_is_the_calibrated_value_alone():
    amplitudes, weights = gaussian_ensemble(0.0, largest_angle=100.0)
    assert amplitudes.tolist() == weights.tolist() == [1.0]


@pytest.mark.parametrize("spread", [-0.01, 0.6, np.nan, np.inf])
def test_spreads_out_of_range_are_refused(spread):
    with pytest.raises(ArgumentError, match=r"`spread` must be from 0 to 0\.5, but is"):
        gaussian_ensemble(spread)


# --------------------------------------------- closed forms, and errors that bound what is wrong
@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 20.0), st.floats(0.0, 1.0))
def test_gaussian_field_dephases_as_a_gaussian(s, t):
    angles = {"field_hz": 2 * np.pi * t}
    found = average(element(X)(t), refined(field_hz=Gaussian(s), angles=angles), 1e-6)
    wrong = abs(found.value - np.exp(-((2 * np.pi * s * t) ** 2) / 2))
    assert found.met
    assert wrong <= found.error + 1e-8  # weight beyond six standard deviations


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 1.0), st.floats(0.0, 3.0))
def test_lorentzian_field_dephases_exponentially(T2, t):
    w = 1 / (2 * np.pi * T2)
    angles = {"field_hz": 2 * np.pi * t}
    found = average(element(X)(t), refined(field_hz=Lorentzian(w), angles=angles), 5e-3)
    random = 4 if found.ensemble.seed is not None else 1  # the grid can grow too large
    assert abs(found.value - np.exp(-t / T2)) <= random * found.error


def test_lorentzian_converges_and_says_what_it_cuts():
    found = average(element(X)(0.1), refined(field_hz=Lorentzian(1 / (2 * np.pi * 0.1))), 3e-3)
    assert found.met
    assert abs(found.value - np.exp(-1)) <= found.error
    assert found.error >= 2 * found.ensemble.missing == pytest.approx(2e-3)
    assert found.ensemble.error == found.error


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 0.5), st.floats(0.1, 60.0))
def test_uniform_amplitudes_nutate_as_a_sinc(a, angle):
    """⟨sin(θb)⟩ = sin θ · sin(aθ)/(aθ)."""

    def turned(part):
        U = exp_hermitian(part.b1[:, None, None] * angle / 2 * X)
        return (U @ pauli("Z") @ dagger(U) * pauli("Y").T).sum(axis=(-2, -1)) / 2

    found = average(turned, refined(b1=Uniform(a)), 1e-10)
    assert found.met
    assert abs(found.value + np.sin(angle) * np.sinc(a * angle / np.pi)) <= found.error + 1e-12


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 0.1), st.floats(1e-3, 0.2))
def test_a_spread_of_J_dephases_antiphase(s, t):
    """2I_xS_z under πJ·2I_zS_z: the antiphase part goes with ⟨cos πJt⟩."""
    sample = Sample("p", (Spin("H", "1H"), Spin("C", "13C")), (Coupling(("H", "C"), 200.0),))
    rho = pauli("XZ")

    def antiphase(part):
        moved = precessed(sample, part, rho, t)
        return (moved * rho.T).sum(axis=(-2, -1)) / 4

    found = average(antiphase, refined(coupling=Gaussian(s)), 1e-9)
    angle = np.pi * 200 * t
    expected = np.cos(angle) * np.exp(-((s * angle) ** 2) / 2)
    assert abs(found.value - expected) <= found.error + 1e-8


def test_an_echo_refocuses_the_static_field_exactly():
    part = product(field_hz=Lorentzian(5.0), angles={"field_hz": 20.0})
    U = exp_hermitian(0.3 * drift_of(H1, part))
    echo = U @ exp_hermitian(np.pi / 2 * pauli("Y")) @ U
    np.testing.assert_allclose(part.mean(echo @ X @ dagger(echo)), -X, atol=1e-12)
    assert abs(part.mean(precessed(H1, part, X, 0.6))[0, 1]) < 0.05


@pytest.mark.parametrize(("at", "order"), [((0, 3), 1 + ETA), ((1, 2), 1 - ETA)])
def test_a_negative_gamma_dephases_by_its_sign(at, order):
    """Double quantum goes with |γ(1H)| − |γ(15N)|, zero quantum with their sum."""
    s, t = 10.0, 0.015
    rho = np.zeros((4, 4), dtype=complex)
    rho[at] = rho[at[::-1]] = 1
    found = average(element(rho, NH, at)(t), refined(field_hz=Gaussian(s)), 1e-8)
    wanted = np.exp(-((2 * np.pi * s * t * order) ** 2) / 2)
    assert abs(found.value) == pytest.approx(wanted, abs=1e-7)
    assert (abs(order) > 1) == (at == (1, 2))


def test_independent_spreads_multiply():
    spread = {"b1": Gaussian(0.1), "field_hz": Gaussian(2.0), "coupling": Uniform(0.3)}
    found = average(
        lambda part: np.exp(1j * (3 * part.b1 + part.field_hz + 5 * part.coupling)),
        lambda r: product(**spread, refinement=r),
        1e-8,
    )
    expected = np.exp(8j - 0.045 - 2) * np.sinc(1.5 / np.pi)
    assert abs(found.value - expected) <= found.error + 1e-8


# ------------------------------------------------------------------------------ random members
@pytest.mark.parametrize("seed", range(5))
def test_random_members_are_within_four_standard_errors(seed):
    found = average(
        element(X)(0.1),
        lambda r: product(field_hz=Gaussian(2.0), members=400, refinement=r, seed=seed),
        1e-9,
        max_refinement=2,
    )
    expected = np.exp(-((0.4 * np.pi) ** 2) / 2)
    assert not found.met
    assert found.refinement == 2
    assert found.ensemble.size == 800
    assert found.ensemble.seed == seed
    assert 0.01 < found.error < 0.05
    assert abs(found.value - expected) < 4 * found.error


@pytest.mark.parametrize(
    "spread", [Gaussian(2.0), Lorentzian(1.0), Uniform(3.0), Tabulated((0.0, 2.0), (1.0, 3.0))]
)
def test_draws_and_rules_are_of_one_distribution(spread):
    values, weights = spread.rule(spread.intervals(1.0))
    drawn = spread.draw(np.random.default_rng(1), 40_000)
    for theta in (0.3, 1.0):
        wave = np.exp(1j * theta * drawn)
        expected = np.sum(weights * np.exp(1j * theta * values))
        assert abs(wave.mean() - expected) < 4 * wave.std() / 200 + 0.01


def test_random_members_are_reproducible_by_their_seed():
    one, same, other = (
        product(field_hz=Gaussian(1.0), b1=Uniform(0.1), members=50, seed=s) for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.field_hz, same.field_hz)
    np.testing.assert_array_equal(one.b1, same.b1)
    assert np.all(one.field_hz != other.field_hz)
    assert abs(np.corrcoef(one.field_hz, one.b1)[0, 1]) < 0.5


def test_a_grid_that_is_too_large_is_drawn_instead():
    spread = {"b1": Gaussian(0.1), "field_hz": Gaussian(2.0)}
    grid = product(**spread)
    assert grid.seed is None
    drawn = product(**spread, largest=grid.size - 1)
    assert (drawn.seed, drawn.size) == (0, grid.size - 1)
    assert product(**spread, largest=grid.size).seed is None


# --------------------------------------------------------------------------- what converges how
def test_rules_that_share_their_revivals_are_not_compared():
    """Two and four times the intervals would revive where the rule does: all agree on nonsense."""
    found = average(
        lambda part: np.exp(8j * np.pi * part.field_hz), refined(field_hz=Gaussian(1.0)), 1e-6
    )
    assert abs(found.value) < 1e-6


def test_one_change_that_is_small_by_chance_deceives_nobody():
    """From the second to the third rule the mean changes by 9e-5, but is wrong by 0.016."""
    t = 39.596996245306634
    found = average(
        lambda part: np.exp(2j * np.pi * part.field_hz * t),
        refined(field_hz=Lorentzian(1 / (2 * np.pi))),
        5e-3,
        max_refinement=4,
    )
    assert abs(found.value) > 0.01
    assert abs(found.value) <= found.error
    assert not found.met


def test_what_is_not_met_is_said():
    wild = average(
        lambda part: np.sign(part.field_hz - 0.123), refined(field_hz=Gaussian(1.0)), 1e-9
    )
    assert not wild.met
    assert wild.error > 1e-9
    assert wild.refinement == 16


def test_a_table_is_taken_as_it_is():
    table = Tabulated((-0.1, 0.0, 0.2), (1.0, 2.0, 1.0))
    found = average(lambda part: part.b1, refined(b1=table), 1e-9)
    assert found.met
    assert found.value == pytest.approx(1.025)
    assert found.ensemble.size == 3


def test_blocks_do_not_matter():
    make = refined(b1=Gaussian(0.1), field_hz=Gaussian(1.0))
    sizes = []

    def function(part):
        sizes.append(part.size)
        return np.exp(1j * part.field_hz * part.b1)

    small = average(function, make, 1e-8, block=7)
    assert max(sizes) == 7
    assert abs(small.value - average(function, make, 1e-8).value) < 1e-14


# ------------------------------------------------------------------------- what the members see
def test_drifts_of_members_by_hand():
    ensemble = Ensemble(np.ones(2), np.array([0.0, 7.0]), np.array([1.1, 0.9]), np.full(2, 0.5))
    sample = replace(NH, spins=(replace(NH.spins[0], offset_hz=30.0), NH.spins[1]))
    for H, f, scale in zip(drift_of(sample, ensemble), (0.0, 7.0), (1.1, 0.9), strict=True):
        zeeman = (30 + f) * pauli("ZI") / 2 + f * ETA * pauli("IZ") / 2
        expected = 2 * np.pi * (zeeman - 90 * scale / 4 * pauli("ZZ"))
        np.testing.assert_allclose(H, expected, atol=1e-10)


def test_a_spread_of_J_leaves_dipolar_couplings_alone():
    sample = Sample(
        "two", (Spin("A", "1H"), Spin("B", "1H")), (Coupling(("A", "B"), 10.0, dipolar_hz=500.0),)
    )
    ensemble = Ensemble(np.ones(1), np.zeros(1), np.array([1.5]), np.ones(1))
    extra = drift_of(sample, ensemble)[0] - internal_hamiltonian(sample)
    exchange = pauli("XX") + pauli("YY") + pauli("ZZ")
    np.testing.assert_allclose(extra, 2 * np.pi * 5 * exchange / 4, atol=1e-10)


def test_couplings_pair_by_pair_and_amplitudes_channel_by_channel():
    spins = (Spin("A", "1H"), Spin("B", "13C"), Spin("C", "1H"))
    sample = Sample("abc", spins, (Coupling(("A", "B"), 10.0), Coupling(("B", "C"), 20.0)))
    ensemble = Ensemble(np.array([[1.1, 0.8]]), np.zeros(1), np.array([[2.0, 0.5]]), np.ones(1))
    np.testing.assert_array_equal(amplitudes_of(sample, ensemble), [[1.1, 0.8, 1.1]])
    expected = 2 * np.pi * (20 * pauli("ZZI") + 10 * pauli("IZZ")) / 4
    np.testing.assert_allclose(drift_of(sample, ensemble)[0], expected, atol=1e-10)


def test_amplified_timelines_turn_by_what_members_see():
    rotations = (TimedRotation(0, np.pi / 2, 0.0), TimedRotation(1, np.pi / 3, np.pi / 2))
    timeline = Timeline("t", (TimedPulse(rotations), TimedDelay(1e-3)))
    b1 = np.array([[0.9, 1.2], [1.0, 1.0], [1.1, 0.7]])
    ensemble = Ensemble(b1, np.zeros(3), np.ones(3), np.full(3, 1 / 3))
    U = unitary(
        timeline_segments(amplified(timeline, NH, ensemble), NH), shared_drift(NH, ensemble)
    )
    free = expm(-1j * 1e-3 * internal_hamiltonian(NH))
    for found, (h, n) in zip(U, b1, strict=True):
        pulse = expm(-1j * np.pi / 4 * h * pauli("XI") - 1j * np.pi / 6 * n * pauli("IY"))
        np.testing.assert_allclose(found, free @ pulse, atol=1e-12)
    assert amplified(timeline, NH, uniform_sample()) == timeline


def test_positions_in_a_gradient_are_an_ensemble():
    """Equal slices of a gradient G dephase as sinc(Gt)."""
    ensemble = along_z(100.0, 400)
    found = ensemble.mean(precessed(H1, ensemble, X, 0.004))[0, 1]
    assert found == pytest.approx(np.sinc(0.4), abs=1e-5)


# --------------------------------------------------------------------------------- what is refused
def refused(**changes):
    given = {"b1": np.ones(2), "field_hz": np.zeros(2), "coupling": np.ones(2)}
    return Ensemble(**{**given, "weights": np.full(2, 0.5), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.array([0.5, 0.6])}, "`weights` must be shares of the sum 1"),
        ({"weights": np.array([1.5, -0.5])}, "`weights` must be shares"),
        ({"b1": np.ones(3)}, "`b1` must have one row for each of the 2 weights"),
        ({"field_hz": np.zeros((2, 2))}, "`field_hz` must have one row"),
        ({"coupling": np.array([1.0, np.nan])}, "`coupling` must be finite"),
    ],
)
def test_ensembles_that_make_no_sense(changes, message):
    with pytest.raises(ArgumentError, match=message):
        refused(**changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: product(angles={"b0": 1.0}), "must name b1, field_hz, coupling, but name b0"),
        (lambda: product(refinement=0), "`refinement` must be at least 1"),
        (lambda: product(members=0), "`members` and `largest` must be at least 1"),
        (lambda: along_z(1.0, 0), "`slices` must be at least 1"),
        (lambda: average(lambda p: p.b1, refined(), 0.0), "`tolerance`, `block`"),
        (lambda: drift_of(NH, refused(coupling=np.full((2, 3), 2.0))), "each of the 1 pairs"),
        (lambda: amplitudes_of(NH, refused(b1=np.ones((2, 3)))), "each of the 2 channels"),
    ],
)
def test_requests_that_make_no_sense(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
