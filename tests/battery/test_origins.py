"""Where ergotropy comes from: populations and coherence, single parts and correlations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrqb.battery import (
    coherent_ergotropy,
    correlation_ergotropy,
    dephased,
    energy,
    ergotropy,
    incoherent_ergotropy,
    local_ergotropies,
)
from nmrqb.battery.origins import uncoupled
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli, swap

SEEDS = st.integers(0, 2**32 - 1)
DIMENSIONS = st.integers(2, 6)
FIELDS = [0.7 * pauli("Z"), 0.4 * pauli("X") + 0.1 * pauli("Z"), pauli("Z")]


# --------------------------------------------------------------------- populations and coherence
@given(SEEDS, st.integers(2, 5))
@settings(deadline=None, max_examples=30)
def test_incoherent_work_is_that_of_the_best_permutation_of_levels(states, hermitians, seed, d):
    (rho,), (H,) = states(seed, 1, d), hermitians(seed, 1, d)
    e, V = np.linalg.eigh(H)
    p = np.diag(V.conj().T @ rho @ V).real
    best = max(p @ e - p[list(order)] @ e for order in itertools.permutations(range(d)))
    assert incoherent_ergotropy(rho, H) == pytest.approx(best, abs=1e-10)


@given(SEEDS, DIMENSIONS)
@settings(deadline=None, max_examples=50)
def test_the_two_add_up_and_neither_is_negative(states, hermitians, seed, d):
    (rho,), (H,) = states(seed, 1, d), hermitians(seed, 1, d)
    whole = incoherent_ergotropy(rho, H) + coherent_ergotropy(rho, H)
    assert whole == pytest.approx(ergotropy(rho, H), abs=1e-12)
    assert incoherent_ergotropy(rho, H) >= 0
    assert coherent_ergotropy(rho, H) >= 0
    diagonal = dephased(rho, H)
    assert coherent_ergotropy(diagonal, H) == pytest.approx(0, abs=1e-12)


def test_the_two_of_a_spin_in_closed_form():
    # H = σz, Bloch vector (x, 0, z): total |r| + z, incoherent z + |z|
    for x, z in ((0.6, 0.3), (0.6, -0.3), (0.0, -0.5)):
        rho = (pauli("I") + x * pauli("X") + z * pauli("Z")) / 2
        assert incoherent_ergotropy(rho, pauli("Z")) == pytest.approx(z + abs(z))
        coherent = coherent_ergotropy(rho, pauli("Z"))
        assert coherent == pytest.approx(np.hypot(x, z) - abs(z), abs=1e-12)


@pytest.mark.parametrize("terms", [{"DM_z": 1.0}, {"B": 1.0}, {"isotropic": 1.0}, {"epsilon": 2.0}])
def test_degenerate_levels_are_dephased_as_blocks(states, terms):
    # the projectors written out from the eigenvectors, level by level
    H = from_named(terms)
    (rho,) = states(3, 1, 4)
    e, V = np.linalg.eigh(H)
    levels = np.unique(e.round(9))
    assert len(levels) < 4
    projectors = [V[:, np.isclose(e, x)] @ V[:, np.isclose(e, x)].conj().T for x in levels]
    blocks = sum(P @ rho @ P for P in projectors)
    assert incoherent_ergotropy(rho, H) == pytest.approx(ergotropy(blocks, H), abs=1e-12)
    bare = V @ np.diag(np.diag(V.conj().T @ rho @ V)) @ V.conj().T
    assert ergotropy(bare, H) <= incoherent_ergotropy(rho, H) + 1e-12


def test_coherence_inside_a_level_counts_as_incoherent():
    # levels 0, 1, 1, 2 and (|01⟩ + |10⟩)/√2: no coherence between levels, all work is incoherent
    psi = np.array([0, 1, 1, 0]) / np.sqrt(2)
    H = np.diag([2.0, 1, 1, 0])
    rho = np.outer(psi, psi)
    assert incoherent_ergotropy(rho, H) == pytest.approx(1)
    assert coherent_ergotropy(rho, H) == pytest.approx(0, abs=1e-12)


def test_the_public_package_splits_alike(states, hermitians):
    batteries = pytest.importorskip("qthermo.batteries")
    cases = [*zip(states(5, 10, 4), hermitians(5, 10, 4), strict=True)]
    cases += [(rho, from_named({"DM_z": 1.0})) for rho in states(6, 5, 4)]
    for rho, H in cases:
        split = batteries.ergotropy_split(rho, H)
        assert incoherent_ergotropy(rho, H) == pytest.approx(split["incoherent"], abs=1e-10)
        assert coherent_ergotropy(rho, H) == pytest.approx(split["coherent"], abs=1e-10)


# ----------------------------------------------------------------------- parts and correlations
@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_local_work_is_that_of_product_unitaries(states, unitaries, seed):
    (rho,) = states(seed, 1, 4)
    a, b = unitaries(seed, 200, 2), unitaries(seed + 1, 200, 2)
    U = np.einsum("kij,klm->kiljm", a, b).reshape(-1, 4, 4)
    H = uncoupled(FIELDS[:2])
    work = energy(rho, H) - energy(U @ rho @ U.conj().swapaxes(-1, -2), H)
    local = local_ergotropies(rho, FIELDS[:2])
    assert work.max() <= local.sum() + 1e-12
    assert local.sum() <= ergotropy(rho, H) + 1e-12


def test_local_work_of_bloch_vectors_in_closed_form(states):
    rho = states(8, 5, 4)
    for k, H in enumerate(FIELDS[:2]):
        axes = ["II", "II", "II"]
        axes = ["IXYZ"[j] + "I" if k == 0 else "I" + "IXYZ"[j] for j in (1, 2, 3)]
        bloch = np.stack([energy(rho, pauli(axis)) for axis in axes], axis=-1)
        field = np.array([np.trace(H @ pauli(s)).real / 2 for s in "XYZ"])
        expected = np.linalg.norm(field) * np.linalg.norm(bloch, axis=-1) + bloch @ field
        np.testing.assert_allclose(local_ergotropies(rho, FIELDS[:2])[:, k], expected, atol=1e-12)


def test_parts_of_any_dimension_and_products_hold_no_locked_work(states, hermitians):
    a, b = states(1, 4, 2), states(2, 4, 3)
    local = [hermitians(3, 1, 2)[0], hermitians(4, 1, 3)[0]]
    product = np.einsum("kij,klm->kiljm", a, b).reshape(-1, 6, 6)
    found = local_ergotropies(product, local)
    np.testing.assert_allclose(found[:, 0], ergotropy(a, local[0]), atol=1e-12)
    np.testing.assert_allclose(found[:, 1], ergotropy(b, local[1]), atol=1e-12)
    pure = np.einsum("kij,klm->kiljm", states(1, 4, 2, 1), states(2, 4, 3, 1)).reshape(-1, 6, 6)
    np.testing.assert_allclose(correlation_ergotropy(pure, local), 0, atol=1e-12)
    assert np.all(correlation_ergotropy(states(5, 20, 6), local) > 0)


def test_a_bell_pair_holds_all_its_work_in_correlations():
    psi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    rho = np.outer(psi, psi)
    fields = [pauli("Z"), pauli("Z")]
    np.testing.assert_allclose(local_ergotropies(rho, fields), 0, atol=1e-12)
    assert correlation_ergotropy(rho, fields) == pytest.approx(2)


def test_exchanging_the_spins_exchanges_their_work(states):
    rho, P = states(9, 5, 4), swap(0, 1, 2)
    before = local_ergotropies(rho, FIELDS[:2])
    after = local_ergotropies(P @ rho @ P, FIELDS[1::-1])
    np.testing.assert_allclose(after[:, ::-1], before, atol=1e-12)
    assert correlation_ergotropy(P @ rho @ P, FIELDS[1::-1]) == pytest.approx(
        correlation_ergotropy(rho, FIELDS[:2])
    )


def test_the_public_package_locks_alike(states):
    batteries = pytest.importorskip("qthermo.batteries")
    for rho in states(10, 10, 8):
        found = batteries.locked_ergotropy(rho, [2, 2, 2], FIELDS)
        np.testing.assert_allclose(local_ergotropies(rho, FIELDS), found["per_cell"], atol=1e-10)
        assert correlation_ergotropy(rho, FIELDS) == pytest.approx(found["locked"], abs=1e-10)


def test_what_is_no_part_is_refused():
    with pytest.raises(ArgumentError, match=r"`dims` must be .* `rho`, 4, but is \(2, 2, 2\)"):
        local_ergotropies(np.eye(4) / 4, FIELDS)
    with pytest.raises(ArgumentError, match=r"`hamiltonians` must be matrices .* shapes \[\]"):
        local_ergotropies(np.eye(4) / 4, [])
    with pytest.raises(ArgumentError, match="`hamiltonians` must be Hermitian"):
        correlation_ergotropy(np.eye(4) / 4, [1j * pauli("Z"), pauli("Z")])
