"""Every method of evolution by name and by choice, and what none of them takes."""

import math

import numpy as np
import pytest
import qutip
from scipy.linalg import expm
from scipy.sparse import csr_array

from nmrqb.dynamics import METHODS, Segment, evolve, evolver, rotation_generator
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, dagger, spin_operator
from nmrqb.sample import Coupling, Sample, Spin
from nmrqb.sample.hamiltonian import internal_hamiltonian, sparse_hamiltonian


def drift(n, like=True):
    rng = np.random.default_rng(n)
    H = sum(rng.uniform(-2e3, 2e3) * spin_operator("z", k, n) for k in range(n))
    for k in range(n - 1):
        H = H + 300 * sum(
            spin_operator(a, k, n) @ spin_operator(a, k + 1, n) for a in ("xyz" if like else "z")
        )
    return H


def loss(n, rate=20.0):
    raised = np.array([[[0, 1], [0, 0]]], dtype=complex)
    parts = [Part((k,), math.sqrt(rate) * raised) for k in range(n)]
    return Dissipation(n, (*parts, Part((0,), math.sqrt(rate) * PAULI["X"][None])))


def wait(T, n):
    return Segment(np.asarray(T), np.zeros((2**n, 2**n), dtype=complex))


def sequence(n):
    """A hard pulse, a delay, a selective pulse that lasts, the delay again."""
    return [
        Segment(np.asarray(1e-5), sum(rotation_generator(1.2, 0.3, k, n) for k in range(n))),
        wait(1e-3, n),
        Segment(np.asarray(5e-4), rotation_generator(2.0, 1.1, n - 1, n)),
        wait(1e-3, n),
    ]


def vector(n):
    rng = np.random.default_rng(n + 100)
    psi = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    return psi / np.linalg.norm(psi)


def density(n):
    psi = vector(n)
    return 0.7 * np.outer(psi, psi.conj()) + 0.3 * np.eye(2**n) / 2**n


def coherent(segments, H, rho):
    for s in segments:
        U = expm(-1j * (s.rotation + float(s.duration) * H))
        rho = U @ rho if rho.ndim == 1 else U @ rho @ dagger(U)
    return rho


def relaxed(segments, H, rho, D):
    """exp of the generator of every segment, written with Kronecker products."""
    one, d = np.eye(len(H)), len(H)
    damping = sum(
        np.kron(L, L.conj()) - (np.kron(dagger(L) @ L, one) + np.kron(one, (dagger(L) @ L).T)) / 2
        for L in D.operators()
    )
    flat = rho.ravel()
    for s in segments:
        A = s.rotation + float(s.duration) * H
        L = -1j * (np.kron(A, one) - np.kron(one, A.T)) + float(s.duration) * damping
        flat = expm(L) @ flat
    return flat.reshape(d, d)


# --------------------------------------------------------------------------------------- closed
@pytest.mark.parametrize("method", ["auto", "unitary", "chebyshev"])
@pytest.mark.parametrize("n", [1, 3, 5])
@pytest.mark.parametrize("sparse", [False, True])
def test_closed_methods_are_exponentials(method, n, sparse):
    H, segments = drift(n), sequence(n)
    for state in (vector(n), density(n)):
        end = evolve(segments, csr_array(H) if sparse else H, state, method=method)
        expected = coherent(segments, H, state)
        assert end.state.shape == state.shape
        assert np.linalg.norm(end.state - expected) <= end.error + 1e-12
        assert end.error < 1e-9
        assert end.method == ("unitary" if method == "auto" else method)


def test_the_error_of_a_series_is_within_the_tolerance_however_it_is_cut():
    H, segments, rho = drift(4), 5 * sequence(4), density(4)
    for tolerance in (1e-3, 1e-7):
        way = evolver(H, method="chebyshev", tolerance=tolerance, segments=len(segments))
        state = rho
        for segment in segments:
            state = way.advance(state, [segment])
        true = np.linalg.norm(state - coherent(segments, H, rho))
        assert true <= way.error <= tolerance * np.linalg.norm(rho) + 1e-10


def test_nine_spins_by_dense_propagators_and_by_series():
    spins = tuple(Spin(f"s{k}", "1H" if k < 5 else "13C", 100.0 * k - 400) for k in range(9))
    couplings = tuple(Coupling((f"s{k}", f"s{k + 1}"), 40.0 + k) for k in range(8))
    sample = Sample("nine", spins, couplings)
    everyone = sum(rotation_generator(1.2, 0.3, k, 9) for k in range(9))
    segments = [Segment(np.asarray(1e-5), everyone), wait(3e-3, 9)]
    psi = vector(9)
    ends = [
        evolve(segments, sparse_hamiltonian(sample), psi),
        evolve(segments, sparse_hamiltonian(sample), psi, method="unitary"),
        evolve(segments, internal_hamiltonian(sample), psi, method="unitary"),
    ]
    assert [end.method for end in ends] == ["chebyshev", "unitary", "unitary"]
    for end in ends[1:]:
        assert np.linalg.norm(end.state - ends[0].state) <= ends[0].error + end.error
        assert abs(np.linalg.norm(end.state) - 1) < 1e-12


def test_rounding_that_long_delays_make_is_in_the_error():
    # 1 Hz for a million seconds: the phase is known to 2π·1e6·2⁻⁵³, and 1e6 turns are none
    H = 2 * np.pi * spin_operator("x", 0, 1)
    end = evolve([wait(1e6, 1)], H, np.array([1, 0], dtype=complex))
    assert 1e-10 < end.error < 1e-8
    assert np.linalg.norm(np.abs(end.state) - [1, 0]) <= end.error


# ----------------------------------------------------------------------------------------- open
@pytest.mark.parametrize("method", ["auto", "superoperator", "splitting"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_open_methods_are_exponentials_of_the_generator(method, n):
    H, D, segments, rho = drift(n), loss(n), sequence(n), density(n)
    end = evolve(segments, H, rho, D, method=method)
    expected = relaxed(segments, H, rho, D)
    assert np.linalg.norm(end.state - expected) <= end.error + 1e-12
    assert end.error < 2e-9
    assert end.method == ("superoperator" if method == "auto" else method)


def test_four_spins_are_split_and_five_are_by_choice_alone():
    H, D, segments, rho = drift(4), loss(4), sequence(4), density(4)
    split = evolve(segments, H, rho, D, tolerance=1e-6)
    mapped = evolve(segments, H, rho, D, method="superoperator")
    assert (split.method, mapped.method) == ("splitting", "superoperator")
    assert np.linalg.norm(split.state - mapped.state) <= split.error + mapped.error
    with pytest.raises(ArgumentError, match=r"dimension ≤ 16 \(four spins\) for a superoperator"):
        evolve(sequence(5), drift(5), density(5), loss(5), method="superoperator")


def test_trajectories_are_within_their_error():
    H, D, rho = drift(1), loss(1, 200.0), density(1)
    segments = [wait(2e-3, 1)]
    end = evolve(segments, H, rho, D, method="trajectories", seed=3)
    assert end.method == "trajectories"
    assert np.abs(end.state - relaxed(segments, H, rho, D)).max() < 5 * end.error
    again = evolve(segments, H, rho, D, method="trajectories", seed=3)
    np.testing.assert_array_equal(end.state, again.state)


@pytest.mark.parametrize("method", ["superoperator", "splitting"])
def test_a_vector_in_an_open_register_becomes_a_density_operator(method):
    psi = vector(2)
    end = evolve(sequence(2), drift(2), psi, loss(2), method=method)
    rho = np.outer(psi, psi.conj())
    np.testing.assert_allclose(end.state, relaxed(sequence(2), drift(2), rho, loss(2)), atol=1e-8)


def test_a_dissipation_without_parts_is_none():
    end = evolve(sequence(2), drift(2), density(2), Dissipation(2))
    assert end.method == "unitary"


@pytest.mark.parametrize("method", ["unitary", "superoperator", "splitting"])
def test_stacks_of_drifts_and_states_equal_loops(method):
    n, rng = 2, np.random.default_rng(5)
    shifts = rng.uniform(-500, 500, 3)[:, None, None] * spin_operator("z", 0, n)
    drifts, D = drift(n) + shifts, None if method == "unitary" else loss(n)
    rho = np.stack([density(n), np.eye(4) / 4])
    options = {"dissipation": D, "method": method}
    one = evolve(sequence(n), drifts, rho[0], **options).state
    many = evolve(sequence(n), drifts[:, None] if method == "splitting" else drifts,
                  np.broadcast_to(rho, (3, 2, 4, 4)), **options).state  # fmt: skip
    for k in range(3):
        for j in range(2):
            alone = evolve(sequence(n), drifts[k], rho[j], **options).state
            np.testing.assert_allclose(many[k, j], alone, atol=2e-9)
        np.testing.assert_allclose(one[k], evolve(sequence(n), drifts[k], rho[0], **options).state,
                                   atol=2e-9)  # fmt: skip


# ---------------------------------------------------------------------------------------- Qobj
def test_states_of_qutip():
    rho, psi = density(2), vector(2)
    dims = [[2, 2], [2, 2]]
    for state, same in ((qutip.Qobj(rho, dims=dims), rho), (qutip.Qobj(psi), psi)):
        found = evolve(sequence(2), drift(2), state)
        np.testing.assert_array_equal(found.state, evolve(sequence(2), drift(2), same).state)
    with pytest.raises(ArgumentError, match=r"`state` must have shape \(..., d, d\)"):
        evolve([], drift(2), qutip.Qobj(psi).dag())


# ------------------------------------------------------------------------------------- refusals
H2, RHO2 = drift(2), density(2)
NAN = np.full((4, 4), np.nan)
NOT_ALL = np.where(np.eye(4) == 1, np.nan, RHO2)
REFUSED = {
    "method": (
        {"method": "chebychev"},
        f"must be auto or one of {', '.join(METHODS)}, but is 'chebychev'; .*`chebyshev`",
    ),
    "no method": ({"method": ""}, "`method` must be auto or one of"),
    "closed with loss": (
        {"method": "unitary", "dissipation": loss(2)},
        "one of superoperator, splitting, trajectories for a register with dissipation, but is 'un",
    ),
    "series with loss": (
        {"method": "chebyshev", "dissipation": loss(2)}, "register with dissipation, but is 'cheb",
    ),
    "open without loss": (
        {"method": "splitting"}, "one of unitary, chebyshev for a register without dissipation",
    ),
    "size of the loss": (
        {"dissipation": loss(3)}, "must be of as many spins as the drift.*dimension 4, but is of 3",
    ),
    "size of the state": (
        {"state": np.eye(8)}, "`state` must be of dimension 4 like the drift, but is of dimen.* 8",
    ),
    "size of the vector": ({"state": np.ones(8)}, r"`state` must be 4 finite numbers.*\(8,\)"),
    "vector": ({"state": np.array([1, 0, np.nan, 0])}, "`state` must be 4 finite numbers"),
    "state": ({"state": NOT_ALL}, "`state` must be finite, but holds 4 entries"),
    "drift": ({"drift": NAN}, "`drift` must be finite, but holds 16 entries"),
    "sparse drift": (
        {"drift": csr_array(NAN), "method": "chebyshev"}, "must be a finite matrix of shape",
    ),
    "drift that is not Hermitian": (
        {"drift": H2 + np.diag([1, 2, 3], 1)}, "`drift` must be Hermitian, but differs",
    ),
    "drift that is not square": (
        {"drift": H2[:3]}, r"`drift` must have shape \(..., d, d\), but has shape \(3, 4\)",
    ),
    "tolerance 0": ({"tolerance": 0.0}, "`tolerance` must be positive, but is 0.0"),
    "negative tolerance": ({"tolerance": -1e-3}, "`tolerance` must be positive, but is -0.001"),
    "no tolerance": ({"tolerance": math.nan}, "`tolerance` must be positive, but is nan"),
    "size of a segment": (
        {"segments": [wait(1e-3, 3)]},
        r"`segments` must have rotations of dimension 4 like the drift, but one has shape \(8, 8\)",
    ),
    "duration": ({"segments": [wait(math.nan, 2)]}, "finite durations ≥ 0, but one has nan s"),
    "negative duration": ({"segments": [wait(-1e-3, 2)]}, "durations ≥ 0, but one has -0.001 s"),
    "rotation": ({"segments": [Segment(np.zeros(()), NAN)]}, "must have finite rotations"),
    "durations in a splitting": (
        {"segments": [wait([1e-3, 2e-3], 2)], "method": "splitting", "dissipation": loss(2)},
        r"one duration each for a splitting, but one has durations of shape \(2,\)",
    ),
    "widths": (
        {"dissipation": Dissipation(5, (Part(tuple(range(5)), np.ones((1, 32, 32))),)),
         "drift": drift(5), "state": density(5), "segments": [wait(1e-3, 5)]},
        "operators on at most 4 spins unless they are diagonal, but has one on 5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    changes, message = REFUSED[what]
    given = {"segments": sequence(2), "drift": H2, "state": RHO2} | changes
    with pytest.raises(ArgumentError, match=message):
        evolve(**given)
