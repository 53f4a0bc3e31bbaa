"""Energy bases of stacks against the one of a single Hamiltonian, level by level."""

import numpy as np
import pytest

from nmrqb.battery import Battery, energy_basis
from nmrqb.battery.energy_bases import energy_bases
from nmrqb.errors import ArgumentError
from nmrqb.operators import from_named, pauli

RNG = np.random.default_rng(4)
DEGENERATE = [
    from_named({"DM_z": 20.0}),  # |00⟩ and |11⟩ coincide
    from_named({"KSEA_z": 5.0}),
    from_named({"B": 2.0}),
    from_named({"isotropic": 1.0}),  # three levels coincide
    pauli("ZI") * 3.0,
    pauli("XX") * 1.0,
    np.zeros((4, 4), dtype=complex),
    from_named({"DM_z": 1.0, "Delta": -3.0}),
]


def random_hermitian(*shape, d=4):
    A = RNG.normal(size=(*shape, d, d)) + 1j * RNG.normal(size=(*shape, d, d))
    return A + A.conj().swapaxes(-1, -2)


def projectors(V):
    return np.einsum("...ik,...jk->...kij", V, V.conj())


def test_a_mixed_stack_has_the_bases_of_its_members():
    H = np.array([*DEGENERATE, *random_hermitian(5)]).reshape(13, 1, 4, 4)
    e, V = energy_bases(H)
    assert e.shape == (13, 1, 4)
    for k, one in enumerate(H[:, 0]):
        # the vectors are the same but for phases, which no figure of merit sees
        np.testing.assert_allclose(projectors(V[k, 0]), projectors(energy_basis(one)), atol=1e-9)
    np.testing.assert_allclose(V @ (e[..., None] * V.conj().swapaxes(-1, -2)), H, atol=1e-9)


@pytest.mark.parametrize("n", [1, 3])
def test_other_numbers_of_spins(n):
    d = 2**n
    H = np.array([pauli("Z" + "I" * (n - 1)), *random_hermitian(2, d=d)])
    e, V = energy_bases(H)
    for k in range(3):
        np.testing.assert_allclose(projectors(V[k]), projectors(energy_basis(H[k])), atol=1e-9)
    assert e.shape == (3, d)


def test_coherence_of_a_battery_with_degenerate_levels_is_the_one_on_record():
    H = np.array([from_named({"DM_z": D}) for D in (1.0, 7.0, 20.0)])
    rho = random_hermitian()
    rho = rho @ rho / np.trace(rho @ rho)
    _, V = energy_bases(H)
    seen = np.abs(V.conj().swapaxes(-1, -2) @ rho @ V).sum(axis=(1, 2)) - 1
    populations = np.einsum("kii->k", np.abs(V.conj().swapaxes(-1, -2) @ rho @ V))
    wanted = [Battery.from_terms(D=D).coherence_l1(rho) for D in (1.0, 7.0, 20.0)]
    np.testing.assert_allclose(seen + 1 - populations, wanted, atol=1e-9)


def test_what_is_not_hermitian_is_refused():
    with pytest.raises(ArgumentError, match="`H` must be Hermitian"):
        energy_bases(np.triu(np.ones((2, 4, 4))))
