"""What a pulse is to do: a number F to be made large, and its derivative.

Every goal is a function of the final map X of the pulse, in the space in which `propagation` builds
it, and returns F with a matrix G such that dF = Re tr(G dX), for stacks (..., D, D).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from nmrqb.design.toggling.terms import PairTerms, pauli_names
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_matrix, as_state, dagger, pauli

Space = Literal["unitary", "superoperator", "first-order"]


class Goal(Protocol):
    """A function of the final map."""

    @property
    def largest(self) -> float:
        """The largest F there can be: 1 but for goals that say otherwise."""

    def spaces(self) -> tuple[Space, ...]:
        """Return the spaces in which it can be computed."""

    def value(self, X: Complex, space: Space) -> tuple[Real, Complex]:
        """Return F and G: (..., D, D) → (...), (..., D, D)."""


def _same(wanted: Complex, X: Complex, power: int) -> None:
    if wanted.shape[-1] ** power != X.shape[-1]:
        raise ArgumentError(
            f"Argument `goal` must be of the size of the sample's states, but is of shape "
            f"{wanted.shape} with maps of shape {X.shape[-2:]}"
        )


@dataclass(frozen=True, eq=False)
class UnitaryGoal:
    """A wanted propagator V up to its phase: F = |tr(V†U)|²/d².

    With relaxation it is the process fidelity, F = Re tr(S_V† S)/d² of the superoperators.
    """

    V: Complex
    largest: float = 1.0

    def __post_init__(self) -> None:
        V = as_matrix(self.V, "V")
        if V.ndim != 2 or not np.allclose(V @ dagger(V), np.eye(len(V)), atol=1e-9):
            raise ArgumentError(f"Argument `V` must be one unitary, but is {V!r:.80}")
        object.__setattr__(self, "V", V)

    def spaces(self) -> tuple[Space, ...]:
        """Return ``unitary`` and ``superoperator``."""
        return "unitary", "superoperator"

    def value(self, X: Complex, space: Space) -> tuple[Real, Complex]:
        """Return F and G, see `Goal`."""
        d = len(self.V)
        if space == "superoperator":
            _same(self.V, X, 2)
            lifted = np.asarray(np.kron(self.V, self.V.conj()), dtype=complex)
            G = np.broadcast_to(dagger(lifted) / d**2, X.shape)
            return np.asarray(np.einsum("ij,...ji->...", G[(0,) * (X.ndim - 2)], X).real), G
        _same(self.V, X, 1)
        z = np.einsum("ij,...ij->...", self.V.conj(), X)
        return np.abs(z) ** 2 / d**2, 2 * z.conj()[..., None, None] * dagger(self.V) / d**2


@dataclass(frozen=True, eq=False)
class _Functional:
    """An expectation value of the final state: start ρ, operator and scale may depend on it."""

    rho: Complex

    def spaces(self) -> tuple[Space, ...]:
        """Return ``unitary`` and ``superoperator``."""
        return "unitary", "superoperator"

    def _final(self, X: Complex, space: Space) -> Complex:
        d = len(self.rho)
        if space == "superoperator":
            _same(self.rho, X, 2)
            return np.asarray((X @ self.rho.ravel()).reshape(*X.shape[:-2], d, d))
        _same(self.rho, X, 1)
        return np.asarray(X @ self.rho @ dagger(X))

    def _slope(self, X: Complex, operator: Complex, space: Space) -> Complex:
        """Return G of F with dF = tr(operator dρ)."""
        if space == "superoperator":
            row = operator.conj().reshape(*operator.shape[:-2], 1, -1)  # tr(O ρ) = ⟨vec O, vec ρ⟩
            return np.asarray(self.rho.ravel()[:, None] * row)
        return np.asarray(2 * self.rho @ dagger(X) @ operator)


@dataclass(frozen=True, eq=False)
class StateGoal(_Functional):
    """A wanted final state: F = (tr σρ(T) − lowest)/(highest − lowest) over all unitaries.

    From states of one spectrum it is 1 when ρ(T) is as much like σ as a unitary makes it; for
    deviation matrices too, for a common multiple of 1 does not matter.

    Attributes
    ----------
    rho
        ρ before the pulse, Hermitian, (d, d).
    sigma
        σ, Hermitian, (d, d).
    """

    sigma: Complex
    largest: float = 1.0

    def __post_init__(self) -> None:
        rho, sigma = as_hermitian(self.rho, "rho"), as_hermitian(self.sigma, "sigma")
        if rho.shape != sigma.shape or rho.ndim != 2:
            raise ArgumentError(
                f"Argument `sigma` must have the shape of `rho`, {rho.shape}, but has {sigma.shape}"
            )
        object.__setattr__(self, "rho", rho)
        object.__setattr__(self, "sigma", sigma)
        low, high = self.range
        if high - low < 1e-12 * max(1.0, abs(high)):
            raise ArgumentError(
                f"Argument `sigma` must overlap with `rho` turned by some unitary more than by "
                f"others, but always does by {high:.6g}"
            )

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest tr σρ over all unitaries."""
        r, s = np.linalg.eigvalsh(self.rho), np.linalg.eigvalsh(self.sigma)
        return float(r[::-1] @ s), float(r @ s)

    def value(self, X: Complex, space: Space) -> tuple[Real, Complex]:
        """Return F and G, see `Goal`."""
        low, high = self.range
        overlap = np.einsum("ij,...ji->...", self.sigma, self._final(X, space)).real
        operator = np.broadcast_to(self.sigma, (*X.shape[:-2], *self.sigma.shape))
        G = self._slope(X, operator, space) / (high - low)
        return (overlap - low) / (high - low), G


@dataclass(frozen=True, eq=False)
class ErgotropyGoal(_Functional):
    """As much ergotropy as can be: F = W(ρ(T))/(e_max − e_min), at most the given ``largest``.

    dW = tr[(H − Σ_k e↑_k |r↓_k⟩⟨r↓_k|) dρ], with the eigenvectors of ρ in descending order of the
    eigenvalues; where they are degenerate the derivative is one of the subgradients.

    Attributes
    ----------
    rho
        ρ before the pulse, a density matrix (d, d).
    H
        Battery Hamiltonian, (d, d), in any unit.
    """

    H: Complex

    def __post_init__(self) -> None:
        rho, H = as_state(self.rho), as_hermitian(self.H, "H")
        if rho.shape != H.shape or rho.ndim != 2:
            raise ArgumentError(
                f"Argument `H` must have the shape of `rho`, {rho.shape}, but has {H.shape}"
            )
        e = np.linalg.eigvalsh(H)
        if e[-1] - e[0] < 1e-12 * max(1.0, abs(e[-1])):
            raise ArgumentError(f"Argument `H` must have different levels, but all are {e[0]:.6g}")
        object.__setattr__(self, "rho", rho)
        object.__setattr__(self, "H", H)

    @property
    def width(self) -> float:
        """e_max − e_min, in the unit of H."""
        e = np.linalg.eigvalsh(self.H)
        return float(e[-1] - e[0])

    @property
    def largest(self) -> float:
        """The capacity of the start over the width: what a unitary makes of it."""
        r, e = np.linalg.eigvalsh(self.rho), np.linalg.eigvalsh(self.H)
        return float((r - r[::-1]) @ e) / self.width

    def value(self, X: Complex, space: Space) -> tuple[Real, Complex]:
        """Return F and G, see `Goal`."""
        final = self._final(X, space)
        final = (final + dagger(final)) / 2
        r, vectors = np.linalg.eigh(final)
        e = np.linalg.eigvalsh(self.H)[::-1]
        passive = (vectors * e) @ dagger(vectors)
        work = np.einsum("ij,...ji->...", self.H, final).real - r @ e
        return work / self.width, self._slope(X, self.H - passive, space) / self.width


@dataclass(frozen=True, eq=False)
class AverageGoal:
    """A cycle with a wanted average Hamiltonian at first order in the drift (zeroth of Magnus).

    With the control's propagator U and H̄ = (1/T)∫U_rf†H₀U_rf dt,

        F = |tr U|²/d² − Σ_P (c_P − t_P)²/Σ_P t_P²,

    c_P the coefficients of H̄/2π on Pauli strings of one and two spins, t_P the wanted ones.

    Attributes
    ----------
    target
        t_P in Hz, not 0.
    duration_s
        T.
    ignored
        Pauli strings whose coefficients do not matter.
    """

    target: PairTerms
    duration_s: float
    ignored: tuple[str, ...] = ()
    largest: float = 1.0

    def __post_init__(self) -> None:
        if not np.any(self.target.vector):
            raise ArgumentError(
                f"Argument `target` must not be 0, but its {len(self.target.vector)} coefficients "
                "are"
            )

    def spaces(self) -> tuple[Space, ...]:
        """Return ``first-order``."""
        return ("first-order",)

    def value(self, X: Complex, space: Space) -> tuple[Real, Complex]:
        """Return F and G, see `Goal`: X is [[U, Y], [0, U]] with Y = −iU∫Ũ†H₀Ũ dt."""
        if space != "first-order":
            raise ArgumentError(f"Argument `space` must be first-order, but is {space!r}")
        d = X.shape[-1] // 2
        U, Y = X[..., :d, :d], X[..., :d, d:]
        strings = [s for s in pauli_names(self.target.spins) if s not in self.ignored]
        names = self.target.strings
        wanted = np.array([self.target.vector[names.index(s)] for s in strings])
        P = np.array([pauli(s) for s in strings])
        T, norm = self.duration_s, float((self.target.vector**2).sum())
        average = 1j * dagger(U) @ Y / T
        c = np.einsum("pij,...ji->...p", P, average).real / (2 * np.pi * d)
        z = np.trace(U, axis1=-2, axis2=-1)
        Q = np.einsum("...p,pij->...ij", 2 * (wanted - c) / (norm * 2 * np.pi * d), P)
        G = np.zeros_like(X)
        closing = 2 * z.conj()[..., None, None] * np.eye(d) / d**2
        G[..., :d, :d] = closing - 1j / T * Q @ dagger(Y)
        G[..., d:, :d] = 1j / T * Q @ dagger(U)
        return np.abs(z) ** 2 / d**2 - ((c - wanted) ** 2).sum(axis=-1) / norm, G
