"""Spin operators and named terms, against definitions written out anew and against QuTiP."""

import re

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    NAMED_TERMS,
    as_complex,
    as_hermitian,
    as_matrix,
    as_real,
    as_state,
    as_unit_trace,
    embed,
    from_named,
    from_pauli_coefficients,
    named_operator,
    named_terms,
    pair_part,
    partial_trace,
    pauli,
    pauli_basis,
    pauli_coefficients,
    pauli_strings,
    spin_count,
    spin_operator,
    spread,
    swap,
)

SIGMA = [qutip.sigmax().full(), qutip.sigmay().full(), qutip.sigmaz().full()]
COEFFICIENT = st.floats(-1e3, 1e3, allow_nan=False)
ENERGY = st.floats(-50, 50, allow_nan=False)


def two_spin(C, b1=(0, 0, 0), b2=(0, 0, 0)):
    """Σ C_ab σ_a⊗σ_b + Σ b1_a σ_a⊗1 + Σ b2_a 1⊗σ_a, physics.md §2, term by term."""
    pairs = sum(C[a][b] * np.kron(SIGMA[a], SIGMA[b]) for a in range(3) for b in range(3))
    first = sum(b1[a] * np.kron(SIGMA[a], np.eye(2)) for a in range(3))
    return pairs + first + sum(b2[a] * np.kron(np.eye(2), SIGMA[a]) for a in range(3))


def random_matrix(rng, d, batch=()):
    return rng.normal(size=(*batch, d, d)) + 1j * rng.normal(size=(*batch, d, d))


# ------------------------------------------------------------------------------- Pauli basis
@pytest.mark.parametrize("n", [1, 2, 3])
def test_pauli_strings_are_orthogonal_with_norm_d(n):
    basis = pauli_basis(n)
    gram = np.einsum("aij,bij->ab", basis.conj(), basis)
    np.testing.assert_allclose(gram, 2**n * np.eye(4**n), atol=1e-14)


def test_pauli_string_reads_left_to_right_as_tensor_factors():
    expected = qutip.tensor(qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()).full()
    np.testing.assert_array_equal(pauli("XYZ"), expected)


def test_spin_up_is_the_first_basis_state():
    np.testing.assert_array_equal(np.diag(pauli("Z")), [1, -1])


def test_cyclic_commutator_fixes_the_handedness():
    # [σx, σy] = 2iσz: a left-handed set would turn every rotation round
    np.testing.assert_array_equal(
        pauli("X") @ pauli("Y") - pauli("Y") @ pauli("X"), 2j * pauli("Z")
    )


@given(arrays(float, (3, 16), elements=COEFFICIENT))
@settings(deadline=None, max_examples=50)
def test_coefficients_and_back(coefficients):
    again = pauli_coefficients(from_pauli_coefficients(coefficients))
    np.testing.assert_allclose(again, coefficients, atol=1e-10)


def test_coefficients_of_any_matrix_and_back():
    matrix = random_matrix(np.random.default_rng(1), 8, (2, 3))
    np.testing.assert_allclose(from_pauli_coefficients(pauli_coefficients(matrix)), matrix)


def test_coefficients_are_overlaps_named_by_their_strings():
    matrix = random_matrix(np.random.default_rng(2), 4)
    got = dict(zip(pauli_strings(2), pauli_coefficients(matrix), strict=True))
    for string in ("II", "XY", "YX", "ZI", "IZ"):
        assert got[string] == pytest.approx(np.trace(pauli(string) @ matrix) / 4)


def test_shared_basis_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        pauli_basis(1)[0, 0, 0] = 7


# --------------------------------------------------------------------- embedding, swap, trace
def test_embed_puts_the_operator_on_its_spin():
    expected = qutip.tensor(qutip.qeye(2), qutip.sigmay(), qutip.qeye(2)).full()
    np.testing.assert_array_equal(embed(pauli("Y"), 1, 3), expected)


def test_spin_operator_is_half_a_pauli_matrix():
    np.testing.assert_array_equal(spin_operator("x", 1, 2), pauli("IX") / 2)


def test_swap_exchanges_product_states():
    vectors = np.random.default_rng(3).normal(size=(3, 2))
    a, b, c = vectors
    before, after = np.kron(np.kron(a, b), c), np.kron(np.kron(c, b), a)
    np.testing.assert_allclose(swap(0, 2, 3) @ before, after, atol=1e-14)


def test_swap_is_its_own_inverse():
    np.testing.assert_allclose(swap(1, 2, 3) @ swap(1, 2, 3), np.eye(8), atol=1e-14)


@pytest.mark.parametrize("keep", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_partial_trace_agrees_with_qutip(keep):
    matrix = random_matrix(np.random.default_rng(4), 8)
    expected = qutip.Qobj(matrix, dims=[[2] * 3] * 2).ptrace(list(keep)).full()
    np.testing.assert_allclose(partial_trace(matrix, keep), expected, atol=1e-13)


def test_partial_trace_keeps_the_wanted_order():
    matrix = random_matrix(np.random.default_rng(5), 8)
    kept, P = partial_trace(matrix, (0, 2)), swap(0, 1, 2)
    np.testing.assert_allclose(partial_trace(matrix, (2, 0)), P @ kept @ P, atol=1e-13)


def test_partial_trace_of_a_stack_is_the_stack_of_traces():
    stack = random_matrix(np.random.default_rng(6), 8, (2, 3))
    looped = [[partial_trace(matrix, (2, 1)) for matrix in row] for row in stack]
    np.testing.assert_allclose(partial_trace(stack, (2, 1)), looped, atol=1e-13)


def test_pair_part_finds_the_terms_of_a_pair_and_nothing_else():
    hamiltonian = 3 * pauli("XIY") + 5 * pauli("ZII") - 2 * pauli("IXY") + 11 * pauli("XYZ")
    np.testing.assert_allclose(
        pair_part(hamiltonian, 0, 2), 3 * pauli("XY") + 5 * pauli("ZI"), atol=1e-13
    )


# -------------------------------------------------------------------------------- named terms
@given(arrays(float, 3, elements=ENERGY))
@settings(deadline=None, max_examples=30)
def test_dm_terms_are_the_vector_product(D):
    cross = [
        np.kron(SIGMA[(k + 1) % 3], SIGMA[(k + 2) % 3])
        - np.kron(SIGMA[(k + 2) % 3], SIGMA[(k + 1) % 3])
        for k in range(3)
    ]
    made = from_named({"DM_x": D[0], "DM_y": D[1], "DM_z": D[2]})
    np.testing.assert_allclose(made, np.tensordot(D, cross, axes=1), atol=1e-12)


@given(arrays(float, 3, elements=ENERGY))
@settings(deadline=None, max_examples=30)
def test_ksea_terms_are_the_symmetric_tensor_of_eq_8(G):
    # dipolar-battery-dm-ksea-nmr, eq. 8: Γ = [[0, Gz, Gy], [Gz, 0, Gx], [Gy, Gx, 0]]
    gamma = [[0, G[2], G[1]], [G[2], 0, G[0]], [G[1], G[0], 0]]
    made = from_named({"KSEA_x": G[0], "KSEA_y": G[1], "KSEA_z": G[2]})
    np.testing.assert_allclose(made, two_spin(gamma), atol=1e-12)


@given(ENERGY, ENERGY)
@settings(deadline=None, max_examples=30)
def test_dipolar_terms_are_the_tensor_of_eq_12(delta, epsilon):
    # dipolar-battery-dm-ksea-nmr, eq. 12: −⅓ σ1·diag(Δ−3ε, Δ+3ε, −2Δ)·σ2
    P = np.diag([delta - 3 * epsilon, delta + 3 * epsilon, -2 * delta])
    made = from_named({"Delta": delta, "epsilon": epsilon})
    np.testing.assert_allclose(made, two_spin(-P / 3), atol=1e-12)


def test_zeeman_and_isotropic_terms():
    made = from_named({"B": 3.0, "isotropic": 2.0})
    np.testing.assert_allclose(made, two_spin(2 * np.eye(3), b1=(0, 0, 3), b2=(0, 0, 3)))


def test_named_operators_are_mutually_orthogonal():
    stack = np.array([named_operator(name) for name in NAMED_TERMS]).reshape(10, 16)
    gram = stack.conj() @ stack.T
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-14)


@given(arrays(float, len(NAMED_TERMS), elements=COEFFICIENT))
@settings(deadline=None, max_examples=50)
def test_named_terms_and_back(values):
    split = named_terms(from_named(dict(zip(NAMED_TERMS, values, strict=True))))
    np.testing.assert_allclose([split[name] for name in NAMED_TERMS], values, atol=1e-9)
    assert split["other"] == pytest.approx(0, abs=1e-9)


@given(arrays(float, (3, 3), elements=ENERGY), arrays(float, (2, 3), elements=ENERGY))
@settings(deadline=None, max_examples=50)
def test_split_follows_the_table_and_loses_nothing(C, b):
    split = named_terms(two_spin(C, *b))
    isotropic = np.trace(C) / 3
    expected = {
        "isotropic": isotropic,
        "Delta": 3 * (C[2, 2] - isotropic) / 2,
        "epsilon": (C[0, 0] - C[1, 1]) / 2,
        "DM_x": (C[1, 2] - C[2, 1]) / 2,
        "DM_y": (C[2, 0] - C[0, 2]) / 2,
        "DM_z": (C[0, 1] - C[1, 0]) / 2,
        "KSEA_x": (C[1, 2] + C[2, 1]) / 2,
        "KSEA_y": (C[2, 0] + C[0, 2]) / 2,
        "KSEA_z": (C[0, 1] + C[1, 0]) / 2,
        "B": (b[0, 2] + b[1, 2]) / 2,
        # transverse fields, and the differential Zeeman term on both spins
        "other": np.sqrt((b[:, :2] ** 2).sum() + (b[0, 2] - b[1, 2]) ** 2 / 2),
    }
    assert split == pytest.approx(expected, abs=1e-9)


def test_split_and_its_remainder_make_up_the_whole_norm():
    matrix = random_matrix(np.random.default_rng(7), 4)
    matrix = matrix + matrix.conj().T
    matrix -= np.trace(matrix) / 4 * np.eye(4)
    split = named_terms(matrix)
    named = pauli_coefficients(from_named({name: split[name] for name in NAMED_TERMS}))
    total = np.linalg.norm(pauli_coefficients(matrix))
    assert np.hypot(np.linalg.norm(named), split["other"]) == pytest.approx(total)


@pytest.mark.parametrize("name", NAMED_TERMS)
def test_exchanging_the_spins_turns_the_sign_of_dm_only(name):
    P = swap(0, 1, 2)
    split = named_terms(P @ from_named({name: 7.0}) @ P)
    assert split[name] == pytest.approx(-7.0 if name.startswith("DM") else 7.0)


@given(ENERGY, ENERGY, ENERGY, ENERGY, ENERGY)
@settings(deadline=None, max_examples=50)
def test_levels_of_the_battery_of_eq_12(D, G, delta, epsilon, B):
    # physics.md §2: eigenvalues of dipolar-battery-dm-ksea-nmr, eq. 12
    H = from_named({"DM_z": D, "KSEA_z": G, "Delta": delta, "epsilon": epsilon, "B": B})
    inner, outer = 2 / 3 * np.hypot(3 * D, delta), 2 * np.sqrt(B**2 + G**2 + epsilon**2)
    middle = np.linalg.eigvalsh(H[1:3, 1:3])
    edge = np.linalg.eigvalsh(H[np.ix_([0, 3], [0, 3])])
    np.testing.assert_allclose(middle, -2 / 3 * delta + np.array([-inner, inner]), atol=1e-9)
    np.testing.assert_allclose(edge, 2 / 3 * delta + np.array([-outer, outer]), atol=1e-9)


# ------------------------------------------------------------------------------------- inputs
def test_qobj_is_accepted():
    qobj = qutip.rand_dm([2, 2], seed=1)
    np.testing.assert_array_equal(as_matrix(qobj), qobj.full())


def test_nested_lists_become_complex_matrices():
    assert as_matrix([[1, 0], [0, 0]]).dtype == complex


@pytest.mark.parametrize("shape", [(4,), (2, 3), (5, 4, 2)])
def test_matrices_that_are_not_square_are_refused(shape):
    with pytest.raises(ArgumentError, match=r"`rho` must have shape \(\.\.\., d, d\)"):
        as_matrix(np.zeros(shape))


def test_a_ket_is_refused_rather_than_guessed_at():
    with pytest.raises(ArgumentError, match=r"has shape \(4, 1\)"):
        as_matrix(qutip.ket("00"))


def test_entries_that_are_not_finite_are_counted():
    with pytest.raises(ArgumentError, match="`H` must be finite, but holds 2 entries"):
        as_matrix([[np.nan, np.inf], [0, 0]], "H")


@pytest.mark.parametrize("d", [1, 3, 6])
def test_dimensions_that_are_no_power_of_two_are_refused(d):
    with pytest.raises(ArgumentError, match=f"must have a dimension 2ⁿ, but has dimension {d}"):
        spin_count(np.eye(d))


@pytest.mark.parametrize("string", ["", "XQ", "xy"])
def test_letters_that_are_no_pauli_matrix_are_refused(string):
    with pytest.raises(ArgumentError, match="must be letters of IXYZ"):
        pauli(string)


def test_unknown_term_is_told_the_nearest_name():
    with pytest.raises(ArgumentError, match="did you mean `DM_z`"):
        named_operator("DMz")


# ------------------------------------------------------------------------- states and Hamiltonians
def test_real_numbers_are_told_from_others():
    assert as_real([1, np.inf], "x").dtype == float
    assert as_real(3, "x").shape == ()
    for value in (1j, np.array([1 + 0j]), "a", None, [1, np.nan], [[1], [1, 2]], object()):
        with pytest.raises(ArgumentError, match="`x` must be real numbers, but is"):
            as_real(value, "x")


@pytest.mark.parametrize("value", ["rho", [[1], [1, 2]], object(), {"a": 1}])
def test_what_holds_no_numbers_is_refused(value):
    for door in (as_complex, as_matrix, as_hermitian, as_state):
        with pytest.raises(ArgumentError, match="`x` must be an array of numbers or a Qobj, but"):
            door(value, "x")


def test_an_empty_matrix_is_refused():
    with pytest.raises(
        ArgumentError, match=r"must have shape \(..., d, d\), but has shape \(0, 0\)"
    ):
        as_matrix(np.zeros((0, 0)))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_hermitian_is_meant_relative_to_the_largest_element(scale):
    H = scale * qutip.rand_herm(4, seed=1).full()
    size = np.abs(H).max()
    for share, refused in ((0.5e-10, False), (2e-10, True)):
        skew = H.copy()
        skew[0, 1] += share * size
        if refused:
            message = (
                f"`H` must be Hermitian, but differs from its conjugate by {2e-10 * size:.3g},"
            )
            with pytest.raises(ArgumentError, match=re.escape(message)):
                as_hermitian(skew, "H")
        else:
            np.testing.assert_array_equal(as_hermitian(skew, "H"), skew)


def test_one_matrix_of_a_stack_is_enough_to_refuse_it():
    stack = np.array([np.eye(2), 1e12 * np.eye(2), [[1, 0.5], [0, 1]]])
    with pytest.raises(ArgumentError, match=r"`H` must be Hermitian, but .* by 0\.5, .* being 1$"):
        as_hermitian(stack, "H")
    with pytest.raises(ArgumentError, match="`rho` must have trace 1, but has trace 2"):
        as_state(np.array([np.eye(2) / 2, np.eye(2)]))
    with pytest.raises(ArgumentError, match=r"`rho` must be positive, but .* eigenvalue is -0\.25"):
        as_state(np.array([np.eye(2) / 2, np.diag([1.25, -0.25])]))


def test_states_of_a_stack_come_back_unchanged():
    stack = np.array([qutip.rand_dm(4, seed=seed).full() for seed in range(3)])
    np.testing.assert_array_equal(as_state(stack), stack)
    np.testing.assert_array_equal(as_state(stack[None]), stack[None])
    assert as_state(stack[:0]).shape == (0, 4, 4)  # nothing is wrong with no states


def test_what_rounding_leaves_of_a_state_is_a_state():
    rho = np.diag([1 + 1e-10, -1e-10])
    np.testing.assert_array_equal(as_state(rho), rho)
    with pytest.raises(ArgumentError, match="`rho` must be positive"):
        as_state(rho, tolerance=1e-11)
    with pytest.raises(ArgumentError, match=r"`rho` must have trace 1, but has trace 0\.99999"):
        as_state(np.diag([1 - 1e-8, 0.0]))


def test_an_estimate_of_trace_1_need_not_be_positive():
    rho = np.diag([1.25, -0.25])
    np.testing.assert_array_equal(as_unit_trace(rho, "rho"), rho)
    with pytest.raises(ArgumentError, match=r"`rho` must have trace 1, but has trace 1\.5"):
        as_unit_trace(np.diag([1.0, 0.5]), "rho")


@pytest.mark.parametrize("spins", [(0,), (2,), (1, 2), (2, 0), (0, 1, 2)])
def test_operators_of_some_spins_act_on_them_alone(spins):
    rng, d = np.random.default_rng(8), 2 ** len(spins)
    stack = rng.normal(size=(2, 3, d, d)) + 1j * rng.normal(size=(2, 3, d, d))
    whole = spread(stack, spins, 3)
    assert whole.shape == (2, 3, 8, 8)
    np.testing.assert_array_equal(whole[1, 2], spread(stack[1, 2], spins, 3))
    # tr (A⊗1)ρ = tr A ρ_spins
    rho = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    expected = np.einsum("...ij,ji->...", stack, partial_trace(rho, spins))
    np.testing.assert_allclose(np.einsum("...ij,ji->...", whole, rho), expected, atol=1e-12)


@pytest.mark.parametrize("spins", [(3,), (-1,), (0, 0)])
def test_spins_that_are_not_there_are_refused(spins):
    with pytest.raises(ArgumentError, match="`spins` must be different numbers from 0 to 2"):
        spread(np.eye(2 ** len(spins)), spins, 3)
