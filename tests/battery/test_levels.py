"""The levels of a battery, and the basis inside degenerate ones."""

import numpy as np
import pytest

from nmrqb.battery import coherence_l1, dephased, energy_basis, is_degenerate
from nmrqb.operators import from_named, pauli


def hermitian(rng, d):
    matrix = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    return (matrix + matrix.conj().T) / 2


def random_state(rng, d):
    root = rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


# -------------------------------------------------------------------------------- energy basis
def test_battery_without_degeneracy_has_its_eigenvectors_in_ascending_order():
    H = hermitian(np.random.default_rng(3), 4)
    V = energy_basis(H)
    np.testing.assert_allclose(V.conj().T @ H @ V, np.diag(np.linalg.eigvalsh(H)), atol=1e-12)


DEGENERATE = {
    "DM alone": from_named({"DM_z": 1.0}),
    "Zeeman alone": from_named({"B": 1.0}),
    "isotropic exchange": from_named({"isotropic": 1.0}),
    "rhombic alone": from_named({"epsilon": 1.0}),
    "DM along x": from_named({"DM_x": 1.0}),
    "one product": pauli("XX"),
    "zero": np.zeros((4, 4), dtype=complex),
    "three spins": pauli("XYI") + pauli("IXY"),
}


@pytest.mark.parametrize("H", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_basis_is_an_orthonormal_eigenbasis(H):
    V = energy_basis(H)
    assert is_degenerate(H)
    np.testing.assert_allclose(V.conj().T @ V, np.eye(len(H)), atol=1e-9)
    rotated = V.conj().T @ H @ V
    np.testing.assert_allclose(rotated, np.diag(np.linalg.eigvalsh(H)), atol=1e-9)


@pytest.mark.parametrize("H", DEGENERATE.values(), ids=DEGENERATE)
def test_coherence_does_not_depend_on_the_rounding_of_a_degenerate_battery(H):
    # the diagonaliser is free inside a level and turns with the last digit; the figure must not
    rng = np.random.default_rng(4)
    rho = random_state(rng, len(H))
    size = 1e-14 * np.linalg.norm(H)
    values = [coherence_l1(rho, energy_basis(H + size * hermitian(rng, len(H)))) for _ in range(5)]
    np.testing.assert_allclose(values, coherence_l1(rho, energy_basis(H)), atol=1e-6)


def test_degenerate_levels_are_resolved_by_total_z_and_ties_by_product_order():
    # DM alone: |00⟩ and |11⟩ share the energy 0; the larger Σσz stands first
    middle = energy_basis(DEGENERATE["DM alone"])[:, 1:3]
    np.testing.assert_allclose(np.abs(middle), np.eye(4)[:, [0, 3]], atol=1e-12)
    # Zeeman alone: |01⟩ and |10⟩ share energy and Σσz
    order = np.abs(energy_basis(DEGENERATE["Zeeman alone"]))
    np.testing.assert_allclose(order, np.eye(4)[:, [3, 1, 2, 0]], atol=1e-12)


def test_coherence_of_dm_alone_is_that_in_the_basis_of_total_z():
    # eigenvectors (|01⟩ ± i|10⟩)/√2, |00⟩, |11⟩ written out
    rho = random_state(np.random.default_rng(5), 4)
    s = np.sqrt(0.5)
    V = np.array([[0, 1, 0, 0], [s, 0, 0, s], [1j * s, 0, 0, -1j * s], [0, 0, 1, 0]])
    turned = V.conj().T @ rho @ V
    expected = np.abs(turned).sum() - np.abs(np.diag(turned)).sum()
    assert coherence_l1(rho, energy_basis(DEGENERATE["DM alone"])) == pytest.approx(expected)


def test_small_splitting_lifts_the_degeneracy():
    assert not is_degenerate(np.diag([0.0, 1e-6, 1.0, 2.0]))
    assert is_degenerate(np.diag([0.0, 1e-10, 1.0, 2.0]))


# --------------------------------------------------------------------------------- dephasing
def test_dephasing_keeps_the_blocks_of_degenerate_levels():
    rho = random_state(np.random.default_rng(6), 4)
    kept = dephased(rho, np.diag([1.0, 1.0, 2.0, 3.0]))
    same = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(kept, rho * same, atol=1e-14)
    np.testing.assert_allclose(dephased(rho, 2 * np.eye(4)), rho, atol=1e-14)


@pytest.mark.parametrize("H", DEGENERATE.values(), ids=DEGENERATE)
def test_dephasing_is_the_average_over_all_times(H):
    # lim 1/T ∫ e^(−iHt) ρ e^(iHt) dt, by quadrature over a period: these spectra are commensurate
    rho = random_state(np.random.default_rng(7), len(H))
    e, V = np.linalg.eigh(H)
    gaps = np.round(np.diff(e), 9)
    unit = gaps[gaps > 0].min(initial=np.inf)
    times = np.arange(64) / 64 * 2 * np.pi / (unit if np.isfinite(unit) else 1.0)
    U = (V * np.exp(-1j * np.outer(times, e))[:, None, :]) @ V.conj().T
    average = (U @ rho @ U.conj().swapaxes(-1, -2)).mean(axis=0)
    np.testing.assert_allclose(dephased(rho, H), average, atol=1e-10)


def test_dephasing_of_stacks_of_states_and_batteries():
    rng = np.random.default_rng(8)
    rho = np.array([random_state(rng, 4) for _ in range(3)])
    H = np.array([hermitian(rng, 4), DEGENERATE["DM alone"]])[:, None]
    looped = [[dephased(r, h) for r in rho] for h in H[:, 0]]
    np.testing.assert_allclose(dephased(rho, H), looped, atol=1e-13)
