"""What every mechanism of relaxation does to a state: closed forms, and qutip's master equation."""

import numpy as np
import pytest
import qutip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from nmrqb.battery.published import dephasing_operators
from nmrqb.dynamics import (
    collapse_operators,
    commutator_superoperator,
    dissipation_of,
    dissipator,
    relaxation_of,
)
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, pauli
from nmrqb.sample import (
    T1T2,
    Coupling,
    Dephasing,
    DipolarCSA,
    LindbladOperator,
    PairCoherences,
    PauliNoise,
    Sample,
    ShieldingAnisotropy,
    Spin,
)
from nmrqb.sample.hamiltonian import internal_hamiltonian

A, B, C = "1H", "13C", "15N"
SPINS = (
    Spin(A, "1H", offset_hz=1.5, T1_s=1.0, T2_s=0.8, polarization=0.3),
    Spin(B, "13C", offset_hz=-2.0, T1_s=2.0, T2_s=0.5, polarization=-0.2),
    Spin(C, "15N", offset_hz=0.5, T1_s=3.0, T2_s=1.1),
)
COUPLINGS = (Coupling((A, B), J_hz=4.0), Coupling((B, C), J_hz=-1.5))
PAIR = Sample("pair", SPINS[:2], COUPLINGS[:1], field_tesla=11.7)
TRIO = Sample("trio", SPINS, COUPLINGS, field_tesla=11.7)
MECHANISMS = {
    "T1T2": (T1T2(),),
    "pauli": (PauliNoise({B: (0.2, 0.5, 0.0), A: (0.0, 0.1, 0.3)}),),
    "independent dephasing": (Dephasing((B, A), (0.5, 0.3)),),
    "common dephasing": (Dephasing((B, A), (0.5, 0.3), 1.0),),
    "opposite dephasing": (Dephasing((A, B), (0.5, 0.3), -0.7),),
    "pair coherences": (T1T2(), PairCoherences((B, A), 0.5, 0.4)),
    "dipolar_csa": (
        DipolarCSA(
            (B, A), 5e-9, 1.09e-10, csa=(ShieldingAnisotropy(B, 150e-6, 0.4),)
        ),
    ),
    "lindblad": (
        LindbladOperator({"XX": 1, "YY": 0.5j}, 0.4, (A, B)),
        LindbladOperator({"+-": 1, "ZI": 0.3}, 0.7, (B, A)),
    ),
}  # fmt: skip
EVERYTHING = tuple(dict.fromkeys(m for some in MECHANISMS.values() for m in map(repr, some)))


def all_mechanisms():
    """Return every mechanism of the table once."""
    known = {repr(m): m for some in MECHANISMS.values() for m in some}
    return tuple(known[name] for name in EVERYTHING)


def random_state(seed, d):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((d, d)) + 1j * rng.standard_normal((d, d))
    rho = X @ X.conj().T
    return rho / np.trace(rho)


def relaxed(sample, mechanisms, time, rho):
    """Return a state after free evolution with relaxation."""
    D = relaxation_of(sample, mechanisms).generator
    generator = D + commutator_superoperator(internal_hamiltonian(sample))
    return (expm(generator * time) @ rho.reshape(-1)).reshape(rho.shape)


def decay(dissipation, i, j):
    """Return the rate at which the element ρ_ij of a state decays, 1/s."""
    d = 2**dissipation.n
    return -dissipation.generator[i * d + j, i * d + j].real


# --------------------------------------------------------------------- against another program
X, Y, Z, UP = qutip.sigmax(), qutip.sigmay(), qutip.sigmaz(), qutip.Qobj([[0, 1], [0, 0]])
LETTERS = {"I": qutip.qeye(2), "X": X, "Y": Y, "Z": Z, "+": UP, "-": UP.dag()}


def on(sample, factors):
    """Return a product of one-spin operators given by label."""
    return qutip.tensor([factors.get(label, LETTERS["I"]) for label in sample.labels])


def t1t2_jumps(sample, _):
    for s in sample.spins:
        yield np.sqrt((1 + s.polarization) / 2 / s.T1_s) * on(sample, {s.label: UP})
        yield np.sqrt((1 - s.polarization) / 2 / s.T1_s) * on(sample, {s.label: UP.dag()})
        yield np.sqrt((1 / s.T2_s - 1 / (2 * s.T1_s)) / 2) * on(sample, {s.label: Z})


def pauli_jumps(sample, noise):
    for label, rates in noise.rates_per_s.items():
        for rate, sigma in zip(rates, (X, Y, Z), strict=True):
            yield np.sqrt(rate) * on(sample, {label: sigma})


def dephasing_jumps(sample, noise):
    """Two noises with the correlation c are a common one and a rest."""
    (a, b), c = np.sqrt(noise.rates_per_s), noise.correlation
    first, second = (on(sample, {label: Z}) for label in noise.spins)
    yield a * first + c * b * second
    yield np.sqrt(1 - c * c) * b * second


def own_jumps(sample, own):
    terms = (
        value * on(sample, {label: LETTERS[x] for label, x in zip(own.spins, word, strict=True)})
        for word, value in own.terms.items()
    )
    yield np.sqrt(own.rate_per_s) * sum(terms)


JUMPS = {
    T1T2: t1t2_jumps,
    PauliNoise: pauli_jumps,
    Dephasing: dephasing_jumps,
    LindbladOperator: own_jumps,
}


@pytest.mark.parametrize("sample", [PAIR, TRIO], ids=["pair", "trio"])
@pytest.mark.parametrize(
    "name", [n for n in MECHANISMS if n not in ("dipolar_csa", "pair coherences")]
)
def test_every_mechanism_solves_the_master_equation_as_in_qutip(name, sample):
    n, time = len(sample.spins), 0.35
    rho = random_state(len(name), 2**n)
    dims = [[2] * n] * 2
    H = qutip.Qobj(internal_hamiltonian(sample), dims=dims)
    jumps = [L for m in MECHANISMS[name] for L in JUMPS[type(m)](sample, m)]
    solved = qutip.mesolve(
        H, qutip.Qobj(rho, dims=dims), [0, time], jumps,
        options={"rtol": 1e-10, "atol": 1e-12, "nsteps": 100_000},
    )  # fmt: skip
    found = relaxed(sample, MECHANISMS[name], time, rho)
    np.testing.assert_allclose(found, solved.states[-1].full(), atol=1e-8)


@pytest.mark.parametrize("name", ["dipolar_csa", "pair coherences"])
def test_the_operators_of_derived_mechanisms_solve_the_master_equation_as_in_qutip(name):
    rho, time, dims = random_state(7, 4), 0.2, [[2, 2]] * 2
    operators = relaxation_of(PAIR, MECHANISMS[name]).operators()
    solved = qutip.mesolve(
        qutip.Qobj(internal_hamiltonian(PAIR), dims=dims), qutip.Qobj(rho, dims=dims), [0, time],
        [qutip.Qobj(L, dims=dims) for L in operators],
        options={"rtol": 1e-10, "atol": 1e-12, "nsteps": 100_000},
    )  # fmt: skip
    found = relaxed(PAIR, MECHANISMS[name], time, rho)
    np.testing.assert_allclose(found, solved.states[-1].full(), atol=1e-8)


# ------------------------------------------------------------------- completely positive, always
def choi(S):
    """Return Σ_ij |i⟩⟨j| ⊗ S(|i⟩⟨j|) of a superoperator on row-flattened states."""
    d = int(np.sqrt(len(S)))
    return S.reshape(d, d, d, d).transpose(2, 0, 3, 1).reshape(d * d, d * d)


def assert_completely_positive(generator, time):
    S = expm(generator * time)
    d = int(np.sqrt(len(S)))
    assert np.linalg.eigvalsh(choi(S)).min() > -1e-10
    np.testing.assert_allclose(np.eye(d).reshape(-1) @ S, np.eye(d).reshape(-1), atol=1e-10)


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("time", [1e-3, 0.3, 20.0])
def test_the_map_of_every_mechanism_is_a_channel(name, time):
    assert_completely_positive(relaxation_of(PAIR, MECHANISMS[name]).generator, time)


RATE = st.floats(0, 5)
POLARIZATION = st.floats(-1, 1)
TIME = st.floats(1e-3, 10)


@given(RATE, RATE, st.floats(-1, 1), POLARIZATION, POLARIZATION, st.floats(-9, -6), TIME)
@settings(deadline=None, max_examples=40)
def test_mechanisms_together_are_a_channel(first, second, c, p, q, exponent, time):
    spins = (Spin(A, "1H", T1_s=1, T2_s=1.5, polarization=p),
             Spin(B, "13C", T1_s=2, T2_s=0.3, polarization=q))  # fmt: skip
    mechanisms = (
        Dephasing((A, B), (first, second), c),
        PauliNoise({A: (first, 0, second)}),
        DipolarCSA((A, B), 10.0**exponent, 2e-10, csa=(ShieldingAnisotropy(B, 1e-4, first),))
        if first <= 3
        else LindbladOperator({"X+": c, "ZI": 1j}, second),
    )
    sample = Sample("any", spins, field_tesla=10.0, relaxation=mechanisms)
    assert_completely_positive(relaxation_of(sample).generator, time)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.1, 1.9), st.floats(0.1, 1.9), TIME)
@settings(deadline=None, max_examples=40)
def test_possible_pair_coherences_are_a_channel_and_have_their_times(u, v, first, second, time):
    """Any point of the allowed range, by the fractions u and v of it."""
    spins = (Spin(A, "1H", T1_s=1, T2_s=first), Spin(B, "13C", T1_s=1, T2_s=second))
    sample = Sample("any", spins)
    a, b = (1 / s.T2_s - 1 / (2 * s.T1_s) for s in spins)
    low, high = (np.sqrt(a) - np.sqrt(b)) ** 2, (np.sqrt(a) + np.sqrt(b)) ** 2
    zero = low + u * (high - low)
    double = (1 - v) * (a - b) ** 2 / zero + v * (2 * (a + b) - zero)
    pair = PairCoherences((A, B), 1 / (1 + zero), 1 / (1 + double))
    found = relaxation_of(sample, (T1T2(), pair))
    assert decay(found, 1, 2) == pytest.approx(1 + zero, rel=1e-9)
    assert decay(found, 0, 3) == pytest.approx(1 + double, rel=1e-9)
    assert_completely_positive(found.generator, time)


# ------------------------------------------------------------------------------------ T1 and T2
def test_plain_t1_and_t2_have_one_part_per_spin_in_the_order_of_the_spins():
    found = relaxation_of(TRIO)
    assert [part.spins for part in found.parts] == [(0,), (1,), (2,)]
    assert [len(part.operators) for part in found.parts] == [3, 3, 3]
    up = np.sqrt((1 - 0.2) / (2 * 2.0)) * np.array([[0, 1], [0, 0]])
    np.testing.assert_array_equal(found.parts[1].operators[0], up)
    for L, again in zip(found.operators(), collapse_operators(TRIO), strict=True):
        np.testing.assert_array_equal(L, again)


def test_one_spin_mechanisms_of_a_spin_are_one_part():
    noise = (T1T2(), PauliNoise({A: (1, 0, 0)}), Dephasing((A,), (1.0,)))
    found = relaxation_of(TRIO, (*noise, LindbladOperator({"+": 1}, 1.0, (A,))))
    assert [part.spins for part in found.parts] == [(0,), (1,), (2,)]
    assert [len(part.operators) for part in found.parts] == [6, 3, 3]


def test_what_is_diagonal_stays_apart_from_what_is_not():
    both = (
        Dephasing((A, B), (1.0, 1.0), 0.5),
        LindbladOperator({"XX": 1}, 1.0, (A, B)),
        LindbladOperator({"ZZ": 1}, 1.0, (A, B)),
    )
    found = relaxation_of(TRIO, both)
    assert [(part.spins, part.diagonal) for part in found.parts] == [
        ((0, 1), True),
        ((0, 1), False),
    ]
    assert [len(part.operators) for part in found.parts] == [3, 1]


def test_rates_of_zero_leave_no_part():
    nothing = (PauliNoise({A: (0, 0, 0)}), Dephasing((A, B), (0.0, 0.0), 1.0),
               LindbladOperator({"XX": 1}, 0.0, (A, B)))  # fmt: skip
    assert relaxation_of(TRIO, nothing).parts == ()


# --------------------------------------------------------------------------------- closed forms
def test_pauli_x_noise_has_the_rate_of_the_paper():
    """dipolar-battery-dm-ksea-nmr, eq. 16 and 17: L = √γ σ_x on each spin."""
    gamma = 0.2
    found = relaxation_of(PAIR, [PauliNoise({A: (gamma, 0, 0), B: (gamma, 0, 0)})])
    paper = [np.sqrt(gamma) * pauli(p) for p in ("XI", "IX")]
    np.testing.assert_allclose(found.generator, dissipator(paper, 4), atol=1e-15)
    D = found.generator
    for string, rate in {"ZI": 2, "IY": 2, "XX": 0, "ZY": 4, "XZ": 2}.items():
        P = pauli(string).reshape(-1)
        np.testing.assert_allclose(D @ P, -rate * gamma * P, atol=1e-14)


def test_independent_dephasing_is_that_of_the_dipolar_battery():
    found = relaxation_of(PAIR, [Dephasing((A, B), (0.5, 0.3))])
    assert [part.spins for part in found.parts] == [(0,), (1,)]
    np.testing.assert_allclose(found.generator, dissipator(dephasing_operators(0.5, 0.3), 4))
    assert decay(found, 1, 2) == pytest.approx(2 * (0.5 + 0.3))


@pytest.mark.parametrize("c", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_correlated_dephasing_of_a_pair(c):
    found = relaxation_of(PAIR, [Dephasing((A, B), (0.5, 0.3), c)])
    cross = 4 * c * np.sqrt(0.5 * 0.3)
    assert decay(found, 0, 2) == pytest.approx(2 * 0.5)
    assert decay(found, 0, 1) == pytest.approx(2 * 0.3)
    assert decay(found, 0, 3) == pytest.approx(2 * (0.5 + 0.3) + cross)
    assert decay(found, 1, 2) == pytest.approx(2 * (0.5 + 0.3) - cross)
    assert all(part.diagonal for part in found.parts)


def test_common_noise_of_equal_rates_spares_the_zero_quantum_coherence():
    found = relaxation_of(PAIR, [Dephasing((A, B), (0.5, 0.5), 1.0)])
    assert decay(found, 1, 2) == pytest.approx(0, abs=1e-14)
    assert sum(len(part.operators) for part in found.parts) == 1


def test_a_correlation_matrix_parts_spins_that_share_nothing():
    matrix = ((1.0, 0.0, 0.6), (0.0, 1.0, 0.0), (0.6, 0.0, 1.0))
    found = relaxation_of(TRIO, [Dephasing((A, B, C), (0.5, 0.3, 0.2), matrix)])
    assert sorted(part.spins for part in found.parts) == [(0, 2), (1,)]
    G = np.array(matrix) * np.sqrt(np.outer((0.5, 0.3, 0.2), (0.5, 0.3, 0.2)))
    signs = np.array([[1 - 2 * (k >> (2 - s) & 1) for k in range(8)] for s in range(3)])
    for i in range(8):
        for j in range(8):
            difference = signs[:, i] - signs[:, j]
            assert decay(found, i, j) == pytest.approx(difference @ G @ difference / 2)


def test_pair_coherences_leave_single_spins_alone():
    plain, found = (relaxation_of(PAIR, MECHANISMS[name]) for name in ("T1T2", "pair coherences"))
    for string in ("XI", "YI", "IX", "IY", "ZI", "IZ", "ZZ", "XZ", "ZY"):
        P = pauli(string).reshape(-1)
        np.testing.assert_allclose(found.generator @ P, plain.generator @ P, atol=1e-12)
    assert 1 / decay(found, 1, 2) == pytest.approx(0.5)
    assert 1 / decay(found, 0, 3) == pytest.approx(0.4)
    assert 1 / decay(plain, 1, 2) == pytest.approx(1 / (1 / 0.8 + 1 / 0.5))


def test_pair_coherences_of_a_larger_sample():
    pairs = (PairCoherences((A, B), 0.5, 0.4), PairCoherences((C, B), 0.41, 0.38))
    found, plain = relaxation_of(TRIO, (T1T2(), *pairs)), relaxation_of(TRIO)
    up, one = np.array([[0, 1], [0, 0]]), np.eye(2)
    coherences = {  # zero and double quantum of A and B, of B and C, and double quantum of A and C
        0.5: (up, up.T, one), 0.4: (up, up, one), 0.41: (one, up, up.T), 0.38: (one, up, up),
        1 / (1 / 0.8 + 1 / 1.1): (up, one, up),
    }  # fmt: skip
    for time, factors in coherences.items():
        seen = np.kron(np.kron(*factors[:2]), factors[2]).reshape(-1)
        np.testing.assert_allclose(found.generator.conj().T @ seen, -seen / time, atol=1e-12)
    for string in ("XII", "IYI", "IIX", "ZII", "IZI"):
        P = pauli(string).reshape(-1)
        np.testing.assert_allclose(found.generator @ P, plain.generator @ P, atol=1e-12)
    assert_completely_positive(found.generator, 0.3)


def test_the_order_of_spins_in_an_operator_is_the_one_named():
    found = relaxation_of(TRIO, [LindbladOperator({"+Z": 2}, 0.25, (C, A))])
    (part,) = found.parts
    assert part.spins == (2, 0)
    expected = np.kron(PAULI["Z"], np.kron(np.eye(2), [[0, 1], [0, 0]]))
    np.testing.assert_allclose(found.operators(), [expected])


def test_an_operator_is_held_on_the_spins_it_acts_on():
    found = relaxation_of(TRIO, [LindbladOperator({"IXI": 1, "IZI": 1j, "XII": 0}, 4.0)])
    (part,) = found.parts
    assert part.spins == (1,)
    np.testing.assert_allclose(part.operators, [2 * (PAULI["X"] + 1j * PAULI["Z"])])


# ------------------------------------------------------------------------------- what is declared
def test_what_a_sample_declares_acts_besides_t1_and_t2():
    noise = PauliNoise({A: (0.2, 0, 0)})
    declared = Sample("pair", SPINS[:2], relaxation=(noise,))
    found = relaxation_of(declared).generator
    expected = relaxation_of(PAIR).generator + relaxation_of(PAIR, [noise]).generator
    np.testing.assert_allclose(found, expected, atol=1e-14)
    np.testing.assert_allclose(dissipator(collapse_operators(declared), 4), expected, atol=1e-14)
    listed = Sample("pair", SPINS[:2], relaxation=(noise, T1T2()))
    np.testing.assert_allclose(relaxation_of(listed).generator, expected, atol=1e-14)
    alone = relaxation_of(declared, [T1T2()]).generator
    np.testing.assert_allclose(alone, relaxation_of(PAIR).generator)


def test_relaxation_may_be_said_in_four_ways():
    own = Dissipation(2, (Part((1,), PAULI["X"][None]),))
    assert dissipation_of(PAIR, own) is own
    assert dissipation_of(PAIR, False).parts == ()
    assert dissipation_of(PAIR, ()).parts == ()
    expected = relaxation_of(PAIR).generator
    np.testing.assert_array_equal(dissipation_of(PAIR, True).generator, expected)
    np.testing.assert_array_equal(dissipation_of(PAIR, [T1T2()]).generator, expected)


def test_what_does_not_fit_is_refused_by_name():
    with pytest.raises(ArgumentError, match="`relaxation` must be of 3 spins, but is of 2"):
        dissipation_of(TRIO, Dissipation(2))
    with pytest.raises(
        ArgumentError, match=r"fit sample 'pair', but number 1 \(PauliNoise\) does not: .*`X`"
    ):
        relaxation_of(PAIR, [T1T2(), PauliNoise({"X": (1, 0, 0)})])
    with pytest.raises(ArgumentError, match=r"number 0 \(PairCoherences\) .* list `T1T2` too"):
        relaxation_of(PAIR, [PairCoherences((A, B), 0.5, 0.4)])
    with pytest.raises(ArgumentError, match=r"`T2` must be at most 2 T1"):
        relaxation_of(Sample("one", (Spin("H", "1H", T1_s=1.0, T2_s=3.0),)))
