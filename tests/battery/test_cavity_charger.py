"""The cavity benchmarks, against QuTiP's oscillator and the published matrices."""

import numpy as np
import pytest
import qutip
from scipy.linalg import expm

from nmrqb.battery.cavity_charger import (
    infinite_charger_energy,
    one_thermal_charger_energy,
    tavis_cummings_energy,
    two_cell_energy,
)
from nmrqb.battery.power import average_power
from nmrqb.errors import ArgumentError

TIMES = np.linspace(0, 3, 301)


def oscillator_energy(M, start, levels, creates):
    """E/ω0 of M cells and a mode, with b S_+ or b†S_+, in a space that holds all steps."""
    S_plus, b = qutip.jmat(M / 2, "+"), qutip.destroy(levels)
    half = qutip.tensor(S_plus, b.dag() if creates else b)
    H = (half + half.dag()).full()
    psi = qutip.tensor(qutip.spin_state(M / 2, -M / 2), qutip.basis(levels, start)).full().ravel()
    up = np.repeat(M - np.arange(M + 1.0), levels)
    e, V = np.linalg.eigh(H)
    found = (np.exp(-1j * np.multiply.outer(TIMES, e)) * (V.conj().T @ psi)) @ V.T
    return np.abs(found) ** 2 @ up


@pytest.mark.parametrize(("M", "n"), [(1, 1), (2, 2), (5, 5), (4, 9), (6, 3)])
def test_a_cavity_charges_as_the_oscillator_of_qutip(M, n):
    expected = oscillator_energy(M, n, n + 1, creates=False)
    np.testing.assert_allclose(tavis_cummings_energy(M, n, TIMES), expected, atol=1e-11)


@pytest.mark.parametrize("M", [1, 2, 5])
def test_infinitely_many_chargers_are_an_empty_oscillator(M):
    expected = oscillator_energy(M, 0, M + 1, creates=True)
    np.testing.assert_allclose(infinite_charger_energy(M, TIMES), expected, atol=1e-11)


def test_two_cells_and_two_photons_have_the_published_matrix():
    root = np.sqrt(2)  # spin-charger-battery, eq. A4
    H = np.array([[0, root, root, 0], [root, 0, 0, 1], [root, 0, 0, 1], [0, 1, 1, 0]])
    psi = expm(-1j * H * TIMES[:, None, None])[:, :, 0]
    expected = np.abs(psi) ** 2 @ [0, 1, 1, 2]
    np.testing.assert_allclose(tavis_cummings_energy(2, 2, TIMES), expected, atol=1e-12)


@pytest.mark.parametrize("M", [2, 5, 10])
def test_the_limit_of_many_chargers_is_not_the_cavity_of_as_many_photons(M):
    cavity, limit = tavis_cummings_energy(M, M, TIMES), infinite_charger_energy(M, TIMES)
    ratio = average_power(cavity, TIMES).max() / average_power(limit, TIMES).max()
    assert ratio > 1.15
    assert np.abs(cavity - limit).max() > 0.2
    same = abs(cavity.max() - limit.max()) < 1e-3
    assert same == (M == 2)


def test_the_cavity_has_a_root_advantage():
    """η ∝ √M: P_max/M^(3/2) settles."""
    found = []
    for M in (100, 400):
        t = np.linspace(0, 3 / np.sqrt(M), 2001)
        found.append(average_power(tavis_cummings_energy(M, M, t), t).max() / M**1.5)
    assert found[1] == pytest.approx(found[0], rel=2e-3)


def test_the_printed_two_cell_coefficients_give_the_energy():
    """|c_1|² − |c_4|² + 1 of spin-charger-battery, eq. A5."""
    N = 7
    square = 2 * (3 * N - 2)
    xi = np.sqrt(square)
    c1 = -2 * np.sqrt(2 * (square + 4) * (square - 2)) / (3 * square) * np.sin(xi * TIMES / 2) ** 2
    c4 = ((square + 4) * np.cos(xi * TIMES) + 2 * (square - 2)) / (3 * square)
    np.testing.assert_allclose(two_cell_energy(N, TIMES), c1**2 - c4**2 + 1, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tavis_cummings_energy(0, 1, TIMES), "`cells` must be a whole number"),
        (lambda: tavis_cummings_energy(1, 0, TIMES), "`photons` must be a whole number"),
        (lambda: infinite_charger_energy(2, [-1.0]), "`times` must be finite times"),
        (lambda: two_cell_energy(1, TIMES), "`chargers` must be a whole number ≥ 2"),
        (lambda: one_thermal_charger_energy(0.5, [np.nan]), "`times` must be real numbers"),
        (lambda: one_thermal_charger_energy(1.5, TIMES), "`up` must be a probability"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
