"""The final map of a pulse and the derivative of a goal, exact, for all members of an ensemble.

With X_k = exp(A_k), A_k linear in the amplitudes, F_k = X_(k−1) … X_1 and B_k = X_N … X_(k+1),

    dF = Re tr(G B_k dX_k F_k) = Re tr(M_k dX_k),     M_k = F_k G B_k,
    tr(M L(A, E)) = tr(L(A, M) E),

L the Fréchet derivative of the exponential, so that one derivative per step, in the direction M_k,
serves all controls.  For unitary steps it is a divided difference in the eigenbasis (Daleckii and
Krein); otherwise it is a block of exp[[A, M], [0, A]] (Van Loan).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.design.grape.controls import Controls
from nmrqb.design.grape.goals import Goal, Space
from nmrqb.dynamics import commutator_superoperator
from nmrqb.dynamics.coherent.exponentials import exp_matrix
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger


@dataclass(frozen=True, eq=False)
class Members:
    """The ensemble over which a goal is averaged.

    Attributes
    ----------
    drifts
        Hamiltonian of each member in rad/s, shape (M, d, d).
    b1
        Factor of each member's amplitudes by channel, shape (M, channels).
    weights
        Weight of each member, shape (M,), their sum 1.
    """

    drifts: Complex
    b1: Real
    weights: Real


@dataclass(frozen=True, eq=False)
class Problem:
    """A goal, the controls that are to reach it, and the ensemble.

    Attributes
    ----------
    goal, controls, members
        See there.
    dissipation
        Superoperator of relaxation in 1/s, (d², d²), or None.
    """

    goal: Goal
    controls: Controls
    members: Members
    dissipation: Complex | None = None

    def __post_init__(self) -> None:
        if self.space not in self.goal.spaces():
            raise ArgumentError(
                "Argument `dissipation` must be None for an average Hamiltonian, but is "
                f"{self.dissipation!r:.80}"
            )

    @property
    def space(self) -> Space:
        """The space of the maps: the smallest in which the goal can be computed."""
        if self.dissipation is not None:
            return "superoperator"
        return self.goal.spaces()[0]

    def value(self, u: Real) -> tuple[Real, Real]:
        """Return F of every member (M,), and the derivative of its mean with respect to u.

        Parameters
        ----------
        u
            Amplitudes in rad/s, shape (steps, channels, 2).
        """
        return _unitary(self, u) if self.space == "unitary" else _general(self, u)


def final_maps(problem: Problem, u: Real) -> Complex:
    """Return the final map X of every member, shape (M, D, D)."""
    if problem.space == "unitary":
        phases, V = np.linalg.eigh(_hamiltonians(problem, u))
        steps = (V * np.exp(-1j * phases)[..., None, :]) @ dagger(V)
    else:
        steps = exp_matrix(_generators(problem, u))
    return _products_before(steps)[1]


def _hamiltonians(problem: Problem, u: Real) -> Complex:
    """Return H_k dt of all members and steps: (M, N, d, d)."""
    controls, members = problem.controls, problem.members
    fields = np.einsum("mc,kca,caij->mkij", members.b1, u, controls.operators, optimize=True)
    return np.asarray((members.drifts[:, None] + fields) * controls.step_s)


def _unitary(problem: Problem, u: Real) -> tuple[Real, Real]:
    """Value and derivative with unitary steps."""
    phases, V = np.linalg.eigh(_hamiltonians(problem, u))
    waves = np.exp(-1j * phases)
    steps = (V * waves[..., None, :]) @ dagger(V)
    values, M = _inner(problem, steps)
    apart = phases[..., :, None] - phases[..., None, :]
    mean = np.exp(-0.5j * (phases[..., :, None] + phases[..., None, :]))
    divided = -1j * mean * np.sinc(apart / (2 * np.pi))  # of e^(−iφ) between two eigenvalues
    K = V @ ((dagger(V) @ M @ V) * divided) @ dagger(V)
    return values, _slopes(problem, K, problem.controls.operators)


def _general(problem: Problem, u: Real) -> tuple[Real, Real]:
    """Value and derivative with any steps."""
    generators = _generators(problem, u)
    D = generators.shape[-1]
    steps = exp_matrix(generators)
    values, M = _inner(problem, steps)
    size = max(float(np.abs(M).max()), 1e-300)
    double = np.zeros((*generators.shape[:-2], 2 * D, 2 * D), dtype=complex)
    double[..., :D, :D] = double[..., D:, D:] = generators
    double[..., :D, D:] = M / size
    K = size * exp_matrix(double)[..., :D, D:]
    operators = problem.controls.operators
    return values, _slopes(problem, K, -1j * _lifted(problem, operators))


def _inner(problem: Problem, steps: Complex) -> tuple[Real, Complex]:
    """Return F of every member, and M_k of every member and step."""
    before, X = _products_before(steps)
    values, G = problem.goal.value(X, problem.space)
    backward, _ = _products_before(steps[:, ::-1].swapaxes(-1, -2))
    after = backward[:, ::-1].swapaxes(-1, -2)  # X_N … X_(k+1)
    return values, before @ (np.asarray(G)[:, None] @ after)


def _products_before(steps: Complex) -> tuple[Complex, Complex]:
    """Return X_(k−1) … X_1 for every k, and the product of all: (M, N, D, D), (M, D, D).

    By stretches of √N steps, all of which are multiplied up at the same time.
    """
    members, count, D, _ = steps.shape
    length = max(1, round(np.sqrt(count)))
    stretches = -(-count // length)
    one = np.eye(D, dtype=complex)
    padded = np.empty((members, stretches * length, D, D), dtype=complex)
    padded[:, :count], padded[:, count:] = steps, one
    grid = np.moveaxis(padded.reshape(members, stretches, length, D, D), 2, 0)
    within = np.empty((length + 1, members, stretches, D, D), dtype=complex)
    within[0] = one
    for k in range(length):
        np.matmul(grid[k], within[k], out=within[k + 1])
    whole = within[length]
    start = np.empty((stretches + 1, members, D, D), dtype=complex)
    start[0] = one
    for k in range(stretches):
        np.matmul(whole[:, k], start[k], out=start[k + 1])
    before = within[:length] @ np.moveaxis(start[:-1], 0, 1)
    return np.moveaxis(before, 0, 2).reshape(members, -1, D, D)[:, :count], start[-1]


def _slopes(problem: Problem, K: Complex, operators: Complex) -> Real:
    """Return Σ_m w_m b_mc Re tr(K_mk O_ca) dt, shape (N, channels, 2)."""
    members = problem.members
    weighted = members.weights[:, None] * members.b1
    summed = np.tensordot(weighted, K, axes=(0, 0))  # (channels, N, D, D)
    slopes = np.einsum("ckij,caji->kca", summed, operators, optimize=True).real
    return np.asarray(slopes * problem.controls.step_s)


def _generators(problem: Problem, u: Real) -> Complex:
    """Return the generators A_k of the steps in the space of the goal: (M, N, D, D)."""
    controls, members = problem.controls, problem.members
    lifted = _lifted(problem, controls.operators)
    fields = np.einsum("mc,kca,caij->mkij", members.b1, u, lifted, optimize=True)
    if problem.dissipation is not None:
        drifts = commutator_superoperator(members.drifts) + problem.dissipation
        return np.asarray((drifts[:, None] - 1j * fields) * controls.step_s)
    d = members.drifts.shape[-1]
    drifts = np.zeros((len(members.drifts), 2 * d, 2 * d), dtype=complex)
    drifts[:, :d, d:] = members.drifts
    return np.asarray(-1j * (drifts[:, None] + fields) * controls.step_s)


def _lifted(problem: Problem, operators: Complex) -> Complex:
    """Return control operators in the space of the goal, such that −i times them generates."""
    if problem.space == "superoperator":
        return np.asarray(1j * commutator_superoperator(operators))
    return np.asarray(np.kron(np.eye(2), operators))
