"""Fields, pairs and the rest of a Hamiltonian, in the frame one wants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.average.decomposition import decompose, local_fields, second_average, tilted
from nmrqb.operators import from_pauli_coefficients, kron, named_terms, pauli, swap

IX, IY, IZ = (sum(pauli("I" * k + a + "I" * (2 - k)) / 2 for k in range(3)) for a in "XYZ")


def random_hamiltonian(n, seed):
    c = np.random.default_rng(seed).normal(size=4**n)
    c[0] = 0
    return c, from_pauli_coefficients(c)


def test_every_part_is_where_it_belongs():
    H = 3 * pauli("XII") - 2 * pauli("IIZ") + 5 * (pauli("XYI") - pauli("YXI"))
    H = H + 4 * (pauli("IXX") - pauli("IYY")) + 6 * pauli("XYZ") + 8 * pauli("ZZZ")
    parts = decompose(H)
    np.testing.assert_allclose(parts.fields, [[3, 0, 0], [0, 0, 0], [0, 0, -2]], atol=1e-13)
    assert parts.pairs[0, 1]["DM_z"] == pytest.approx(5)
    assert parts.pairs[1, 2]["epsilon"] == pytest.approx(4)
    assert parts.pairs[0, 2]["DM_z"] == pytest.approx(0, abs=1e-13)
    assert parts.many_body == pytest.approx(10)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_parts_make_up_the_norm(seed):
    c, H = random_hamiltonian(3, seed)
    parts = decompose(H)
    fields = parts.fields
    total = np.sum(fields**2) + parts.many_body**2
    weights = {"Delta": 2 / 3, "isotropic": 3, "B": 0, "other": 0}
    for named in parts.pairs.values():
        total += sum(weights.get(name, 2) * value**2 for name, value in named.items())
    assert total == pytest.approx(np.sum(c**2), rel=1e-10)


def test_exchanging_the_spins_turns_dm_and_nothing_else():
    _, H = random_hamiltonian(2, 5)
    P = swap(0, 1, 2)
    before, after = named_terms(H), named_terms(P @ H @ P)
    for name, value in before.items():
        sign = -1 if name.startswith("DM") else 1
        assert after[name] == pytest.approx(sign * value)


def test_stacks_are_named_at_once():
    stack = np.array([random_hamiltonian(2, seed)[1] for seed in range(4)])
    named = named_terms(stack)
    for k, H in enumerate(stack):
        assert {n: v[k] for n, v in named.items()} == pytest.approx(named_terms(H))
    np.testing.assert_allclose(local_fields(stack)[2], local_fields(stack[2]), atol=1e-14)


# --------------------------------------------------------------------------------- tilted frames
@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (0, -1, 0), (1, 1, 1), (0, 0, -2)])
def test_the_field_is_along_z_in_its_own_frame(axis):
    n = np.array(axis) / np.linalg.norm(axis)
    H = sum(component * pauli(p) for component, p in zip(n, "XYZ", strict=True))
    np.testing.assert_allclose(tilted(H, [n]), pauli("Z"), atol=1e-14)


def test_a_tilt_is_a_proper_rotation_the_shortest_way():
    turned = tilted(pauli("X"), np.array([[0.0, 1.0, 1.0]]))  # z to y+z: a turn about −x
    np.testing.assert_allclose(turned, pauli("X"), atol=1e-14)


def test_offsets_scaled_by_wahuha_remove_what_is_left_of_a_dipolar_coupling():
    """Along the magic axis (1, 1, 1) the secular part of D_z is P₂(1/√3) = 0 of it."""
    dipolar = 3 * 2 * pauli("ZZI") / 4 - 3 * (pauli("XXI") + pauli("YYI")) / 4
    H = 1e4 * (IX + IY + IZ) / np.sqrt(3) + dipolar
    result = second_average(H)
    np.testing.assert_allclose(result.axes, np.full((3, 3), 1 / np.sqrt(3)), atol=1e-12)
    np.testing.assert_allclose(result.field, np.full(3, 5e3), rtol=1e-12)
    np.testing.assert_allclose(result.secular - 1e4 * IZ, 0, atol=1e-9)


def test_second_average_is_the_time_average_under_the_fields():
    _, H = random_hamiltonian(2, 3)
    F = 2 * pauli("XI") - 3 * pauli("ZI") + 5 * pauli("IY")
    H = H - sum(c * pauli(p) for p, c in one_spin_part(H).items()) + F
    times = np.linspace(0, 400, 20001)
    e, V = np.linalg.eigh(F)
    rotated = V.conj().T @ H @ V
    phases = np.exp(1j * np.subtract.outer(e, e)[None] * times[:, None, None]).mean(axis=0)
    averaged = V @ (rotated * phases) @ V.conj().T
    result = second_average(H)
    back = untilted(result.secular, result.axes)
    assert np.linalg.norm(back - averaged) < 2e-2 * np.linalg.norm(H)


def one_spin_part(H):
    fields = local_fields(H)
    names = (("XI", "YI", "ZI"), ("IX", "IY", "IZ"))
    return {
        p: b
        for row, line in zip(names, fields, strict=True)
        for p, b in zip(row, line, strict=True)
    }


def untilted(H, axes):
    turns = []
    for axis in axes:
        polar, azimuth = np.arccos(axis[2]), np.arctan2(axis[1], axis[0])
        about = -np.sin(azimuth) * pauli("X") + np.cos(azimuth) * pauli("Y")
        turns.append(expm(-1j * polar / 2 * about))
    R = kron(turns)
    return R @ H @ R.conj().T


def test_equal_and_opposite_fields_keep_their_zero_quantum_part():
    H = 100 * (pauli("ZI") - pauli("IZ")) + pauli("XX") + pauli("YY") + pauli("XX") - pauli("YY")
    kept = second_average(H).secular
    result = second_average(H)
    back = untilted(kept, result.axes)
    expected = 100 * (pauli("ZI") - pauli("IZ")) + pauli("XX") - pauli("YY")
    np.testing.assert_allclose(back, expected, atol=1e-9)


def test_without_a_field_everything_is_secular():
    H = pauli("XY") - pauli("YX")
    np.testing.assert_allclose(second_average(H).secular, H, atol=1e-13)
