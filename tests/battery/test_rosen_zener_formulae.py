"""The printed formulae, against integrals, their own derivatives and the exact solution."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import j0, j1

from nmrqb.battery.rosen_zener import charge_rosen_zener
from nmrqb.battery.rosen_zener_formulae import (
    RosenZenerFormulae,
    coefficients,
    final_energy,
    largest_energy,
)
from nmrqb.errors import ArgumentError

T = 0.1 * np.pi


def printed(N, v0, T, lam):
    """Eq. B2 letter by letter."""
    x = v0 * T
    a, b = -x / (4 * np.pi), -x / (2 * np.pi)
    one = j0(a) / v0 + 8 * np.pi * T * j1(a) / (16 * np.pi**2 - x**2)
    two = j0(b) / v0 + 4 * np.pi * T * j1(b) / (4 * np.pi**2 - x**2)
    swing = (j0(b) / v0 - 4 * np.pi * T * j1(b) / (x**2 - 4 * np.pi**2)) * np.sin(x)
    return {
        "B2": 4 * one * np.sin(x / 4) ** 2,
        "B3": -2 * one * np.sin(x / 2),
        "B8": lam / N * two * (1 - np.cos(x)),
        "B11": lam / N * (T - swing),
        "B12": lam / N * (T + swing),
    }


@pytest.mark.parametrize("v0", [3.0, 10.0, 19.0, 33.3, 60.0])
def test_coefficients_are_those_printed(v0):
    found = vars(coefficients(spins=7, v0=v0, period=T, interaction=2.0))
    assert found == pytest.approx(printed(7, v0, T, 2.0), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("area", [2 * np.pi, 4 * np.pi])
def test_coefficients_go_through_their_removable_poles(area):
    at, near = (
        vars(coefficients(spins=7, v0=x / T, period=T, interaction=2.0))
        for x in (area, area + 1e-6)
    )
    assert at == pytest.approx(near, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("v0", [4.0, 10.0, 25.0])
def test_the_first_coefficients_are_the_integrals_they_stand_for(v0):
    """B_2 = ∫sin μ dt and B_3 = ∫cos μ dt with two terms of the Bessel series."""
    formulae = RosenZenerFormulae(5, v0, T, np.array([0.0]))

    def mu(t):
        return np.pi - v0 * t / 2 + v0 * T / (4 * np.pi) * np.sin(2 * np.pi * t / T)

    B = formulae.B
    left_out = T * (v0 * T / (4 * np.pi)) ** 2 / 4  # about 2 J_2
    assert pytest.approx(quad(lambda t: np.sin(mu(t)), 0, T)[0], abs=left_out) == B.B2
    assert pytest.approx(quad(lambda t: np.cos(mu(t)), 0, T)[0], abs=left_out) == B.B3


@pytest.mark.parametrize("correction", [False, True])
def test_power_is_the_slope_of_the_energy(correction):
    t = np.linspace(0, T, 4001)
    formulae = RosenZenerFormulae(10, 13.0, T, t, 2.0)
    E = formulae.stored_energy(correction=correction)
    slope = np.gradient(E, t, edge_order=2)
    found = formulae.instantaneous_power(correction=correction)
    np.testing.assert_allclose(found, slope, atol=2e-3)
    mean = formulae.average_power(correction=correction)
    np.testing.assert_allclose(mean[1:], E[1:] / t[1:])


def test_the_formulae_are_near_the_exact_curves_of_the_paper():
    s = np.linspace(0, 1, 201)
    for v0 in (10, 20, 40, 60):
        exact = charge_rosen_zener(s, spins=10, v0=v0, period=T, interaction=2, tolerance=1e-7)
        formulae = RosenZenerFormulae(10, v0, T, exact.times, 2.0)
        np.testing.assert_allclose(formulae.stored_energy(), exact.stored_energy(), atol=0.065)
        np.testing.assert_allclose(formulae.fluctuations(), exact.fluctuations(), atol=0.34)


def test_the_second_term_does_not_start_from_nothing_and_does_not_help():
    exact = charge_rosen_zener(
        np.linspace(0, 1, 201), spins=10, v0=10, period=T, interaction=2, tolerance=1e-7
    )
    formulae = RosenZenerFormulae(10, 10, T, exact.times, 2.0)
    corrected = formulae.stored_energy(correction=True)
    assert corrected[0] == pytest.approx(0.1124, abs=1e-4)
    assert formulae.stored_energy()[0] == pytest.approx(0, abs=1e-15)
    errors = [
        np.abs(E - exact.stored_energy()).max() for E in (formulae.stored_energy(), corrected)
    ]
    assert errors[1] > 3 * errors[0]


def test_without_splitting_and_interaction_the_leading_term_is_exact():
    fractions = np.linspace(0, 1, 51)
    exact = charge_rosen_zener(fractions, spins=4, v0=2e6, period=1e-5)
    formulae = RosenZenerFormulae(4, 2e6, 1e-5, exact.times)
    np.testing.assert_allclose(formulae.stored_energy(), exact.stored_energy(), atol=1e-3)
    np.testing.assert_allclose(formulae.fluctuations(), exact.fluctuations(), atol=1e-2)


def test_fluctuations_are_those_of_a_coherent_state():
    formulae = RosenZenerFormulae(9, 15.0, T, np.linspace(0, T, 50), Delta=2.0)
    expected = 2.0 * np.sqrt(9) / 2 * np.abs(np.sin(formulae.mu))
    np.testing.assert_allclose(formulae.fluctuations(), expected, atol=1e-7)


@pytest.mark.parametrize("N", [20, 100])
def test_the_entropy_on_the_equator_is_nearly_that_of_a_binomial(N):
    from scipy.stats import binom

    exact = binom(N, 0.5).entropy() / np.log(2)
    formulae = RosenZenerFormulae(N, 1.0, np.pi, np.array([np.pi]))  # μ(T) = π/2
    assert formulae.diagonal_entropy()[0] == pytest.approx(exact, abs=0.1)
    assert formulae.diagonal_entropy()[0] == pytest.approx(np.log2((N - 1) * np.exp(np.pi / 2)) / 2)


def test_the_entropy_of_one_spin_has_no_formula():
    with pytest.raises(ArgumentError, match="`spins` must be 2 or more, but is 1"):
        RosenZenerFormulae(1, 10.0, T, np.array([0.0])).diagonal_entropy()


def test_final_and_largest_energy():
    v0 = np.array([10.0, 20.0, 40.0, 60.0])
    np.testing.assert_allclose(final_energy(10, v0, T), [5, 10, 0, 10], atol=1e-9)
    np.testing.assert_allclose(largest_energy(10, v0, T), [5, 10, 10, 10])
    assert final_energy(3, np.ones((2, 1)), np.ones(5), 2.0).shape == (2, 5)


@pytest.mark.parametrize("bad", [{"v0": 0.0}, {"period": -1.0}, {"v0": float("nan")}])
def test_coefficients_need_a_pulse(bad):
    with pytest.raises(ArgumentError, match="`v0` and `period` must be positive"):
        coefficients(**{"spins": 2, "v0": 1.0, "period": 1.0} | bad)
