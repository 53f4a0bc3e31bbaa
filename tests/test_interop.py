"""To QuTiP and back: dimensions, the order of superoperators, and QuTiP's own solvers."""

import numpy as np
import pytest
import qutip

import nmrqb
from nmrqb.battery import Battery, capacity, coherence_l1, energy, ergotropy, fidelity, purity
from nmrqb.dynamics import (
    apply,
    collapse_operators,
    commutator_superoperator,
    dissipator,
    gibbs,
    play,
    unitary_superoperator,
)
from nmrqb.dynamics.coherent.exponentials import exp_matrix
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.errors import ArgumentError
from nmrqb.interop import from_qobj, to_qobj
from nmrqb.operators import PAULI
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian
from nmrqb.sequence import TimedDelay, TimedPulse, TimedRotation, Timeline

PAIR = Sample(
    "pair",
    (
        Spin("H", "1H", 120.0, T1_s=30e-3, T2_s=9e-3, polarization=0.6),
        Spin("C", "13C", -45.0, T1_s=20e-3, T2_s=15e-3, polarization=-0.2),
    ),
    (Coupling(("H", "C"), 215.0),),
)
TIGHT = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000}


def random_state(n, seed=0):
    return qutip.rand_dm([2] * n, seed=seed)


# ----------------------------------------------------------------------------------- round trips
@pytest.mark.parametrize("n", [1, 2, 3])
def test_operators_keep_their_dimensions(n):
    qobj = qutip.rand_herm([2] * n, seed=n)
    back = to_qobj(from_qobj(qobj))
    assert back.dims == qobj.dims == [[2] * n, [2] * n]
    assert back.type == "oper"
    np.testing.assert_array_equal(back.full(), qobj.full())
    assert to_qobj(qobj) == qobj  # a Qobj is a matrix, too


@pytest.mark.parametrize("n", [1, 2])
def test_superoperators_keep_their_dimensions_and_what_they_do(n):
    rng = np.random.default_rng(n)
    d = 2**n
    ours = rng.normal(size=(d * d, d * d)) + 1j * rng.normal(size=(d * d, d * d))
    theirs = to_qobj(ours, "superoperator")
    assert theirs.dims == [[[2] * n, [2] * n]] * 2
    assert (theirs.type, theirs.superrep) == ("super", "super")
    np.testing.assert_array_equal(from_qobj(theirs), ours)
    rho = random_state(n)
    np.testing.assert_allclose(theirs(rho).full(), apply(ours, rho.full()), atol=1e-13)


def test_superoperators_are_those_of_qutip():
    U, H = qutip.rand_unitary([2, 2], seed=1), qutip.rand_herm([2, 2], seed=2)
    L = qutip.Qobj(np.random.default_rng(3).normal(size=(4, 4)), dims=[[2, 2], [2, 2]])
    pairs = [
        (unitary_superoperator(U.full()), qutip.to_super(U)),
        (commutator_superoperator(H.full()), qutip.liouvillian(H)),
        (dissipator([L.full()], 4), qutip.lindblad_dissipator(L)),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(to_qobj(ours, "superoperator").full(), theirs.full(), atol=1e-13)
        np.testing.assert_allclose(from_qobj(theirs), ours, atol=1e-13)


def test_other_representations_of_a_map_are_the_same_map():
    U = qutip.rand_unitary([2, 2], seed=5)
    expected = unitary_superoperator(U.full())
    for convert in (qutip.to_super, qutip.to_choi, qutip.to_chi):
        np.testing.assert_allclose(from_qobj(convert(U)), expected, atol=1e-12)


def test_kets_become_states():
    ket = qutip.basis([2, 2], [0, 1])
    expected = nmrqb.product_state(["0", "1"])
    for vector in (ket, ket.dag()):
        np.testing.assert_array_equal(from_qobj(vector), expected)


def test_an_undivided_dimension_is_that_of_spins():
    rho = qutip.Qobj(random_state(2).full())
    assert rho.dims == [[4], [4]]
    assert to_qobj(from_qobj(rho)).dims == [[2, 2], [2, 2]]


@pytest.mark.parametrize("dims", [[3], [2, 3], [4, 2], [6], [2, 1]])
def test_other_dimensions_are_refused_by_name(dims):
    qobj = qutip.qeye(dims)
    message = "`qobj` must be on spins 1/2, dims of 2 alone, but has dims"
    with pytest.raises(ArgumentError, match=message):
        from_qobj(qobj)
    with pytest.raises(ArgumentError, match=message):
        from_qobj(qutip.to_super(qobj))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: to_qobj(np.eye(3)), "`matrix` must have a dimension 2ⁿ, but has dimension 3"),
        (lambda: to_qobj(np.eye(1)), "`matrix` must have a dimension 2ⁿ, but has dimension 1"),
        (lambda: to_qobj(np.zeros((2, 4, 4))), r"`matrix` must be one matrix, .* \(2, 4, 4\)"),
        (lambda: to_qobj(np.full((2, 2), np.nan)), "`matrix` must be finite"),
        (lambda: to_qobj(np.eye(4), "map"), "`kind` must be one of operator, super.*'map'"),
        *[
            (
                lambda d=d: to_qobj(np.eye(d), "superoperator"),
                f"`matrix` must have a dimension 4ⁿ, but has dimension {d}",
            )
            for d in (8, 9, 2, 1)
        ],
        (lambda: from_qobj(np.eye(2)), "`qobj` must be a qutip.Qobj, but is ndarray"),
        (
            lambda: from_qobj(qutip.operator_to_vector(qutip.qeye(2))),
            "`qobj` must be an operator, a ket or a superoperator, but is 'operator-ket'",
        ),
        (lambda: from_qobj(np.nan * qutip.qeye(2)), "`qobj` must be finite"),
    ],
)
def test_what_is_no_matrix_of_spins_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


# --------------------------------------------------------------------------------- their solvers
def test_mesolve_on_what_is_handed_over_gives_our_map():
    H, operators = internal_hamiltonian(PAIR), collapse_operators(PAIR)
    t, rho = 7e-3, random_state(2, 4)
    ours = exp_matrix(t * (commutator_superoperator(H) + dissipator(operators, 4)))
    solved = qutip.mesolve(
        to_qobj(H), rho, [0, t], c_ops=[to_qobj(L) for L in operators], options=TIGHT
    )
    np.testing.assert_allclose(solved.states[-1].full(), apply(ours, rho.full()), atol=1e-8)
    np.testing.assert_allclose(to_qobj(ours, "superoperator")(rho).full(),
                               solved.states[-1].full(), atol=1e-8)  # fmt: skip
    assert solved.states[-1].dims == [[2, 2], [2, 2]]


def test_mesolve_takes_a_dissipation_whole_or_by_its_operators():
    correlated = np.diag([1.5, -0.3, 0.2, 2.0])[None]
    dissipation = Dissipation(
        3, (Part((2,), np.array([[[0, 3], [0, 0]]])), Part((2, 0), 4 * correlated))
    )
    rho, t = random_state(3, 8), 0.05
    operators = [to_qobj(L) for L in dissipation.operators()]
    nothing = 0 * operators[0]
    by_operators = qutip.mesolve(nothing, rho, [0, t], c_ops=operators, options=TIGHT).states[-1]
    whole = qutip.mesolve(
        to_qobj(dissipation.generator, "superoperator"), rho, [0, t], options=TIGHT
    ).states[-1]
    expected = apply(exp_matrix(t * dissipation.generator), rho.full())
    np.testing.assert_allclose(by_operators.full(), expected, atol=1e-8)
    np.testing.assert_allclose(whole.full(), expected, atol=1e-8)


# ------------------------------------------------------------------------- a Qobj where it is given
def test_public_functions_take_a_qobj():
    H, rho, other = qutip.rand_herm([2, 2], seed=1), random_state(2, 2), random_state(2, 3)
    np.testing.assert_array_equal(gibbs(H, 2.0), gibbs(H.full(), 2.0))
    for figure in (ergotropy, capacity, energy):
        assert figure(rho, H) == figure(rho.full(), H.full())
        assert getattr(Battery(H), figure.__name__)(rho) == figure(rho.full(), H.full())
    for measure in (purity, coherence_l1):
        assert measure(rho) == measure(rho.full())
    assert fidelity(rho, other) == fidelity(rho.full(), other.full())
    np.testing.assert_array_equal(nmrqb.deviation(rho), nmrqb.deviation(rho.full()))
    np.testing.assert_array_equal(nmrqb.as_state(rho), rho.full())
    pulse = TimedPulse((TimedRotation(0, 1.2, 0.3),))
    line = Timeline("made", (pulse, TimedDelay(1e-3)))
    np.testing.assert_array_equal(play(line, PAIR, rho).state, play(line, PAIR, rho.full()).state)


def test_a_qobj_of_other_dimensions_than_the_sample_is_refused():
    with pytest.raises(ArgumentError, match=r"`rho` must be of dimension 4 .* is of dimension 6"):
        play(Timeline("made", ()), PAIR, qutip.rand_dm([2, 3], seed=1))


def test_figures_of_other_levels_than_spins_take_a_qobj():
    # nothing about ergotropy needs spins 1/2
    rho, H = qutip.rand_dm(3, seed=1), qutip.rand_herm(3, seed=2)
    assert ergotropy(rho, H) == ergotropy(rho.full(), H.full())


def test_pauli_matrices_are_theirs():
    for letter, theirs in zip("XYZ", (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()), strict=True):
        assert to_qobj(PAULI[letter]) == theirs
