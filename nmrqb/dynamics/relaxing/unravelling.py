"""Channels of a few spins as random operators on state vectors.

exp(D t) of a `Part` is an average over operators that act on ψ: a Kraus operator K_m drawn with
its probability ‖K_mψ‖², or, for Hermitian diagonal operators L_m, the random phases
exp(−iξ_m L_m) with ξ_m normal of variance t, whose average damps ρ_ij by
exp[−Σ_m (l_mi − l_mj)² t/2], exactly as the channel does.  Both are exact for any t.

Every application takes one draw.  Two draws of a time t combine into the one of 2t that differs
least from them, so that runs of unequal steps share their noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np

from nmrqb.dynamics.coherent.exponentials import exp_matrix
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger

MAX_KRAUS_SPINS = 3  # Choi matrices of 64 × 64
_NEGLIGIBLE = 1e-15  # weight of a Kraus operator
_SAME = 1e-12


@dataclass(frozen=True, eq=False)
class Kraus:
    """Kraus operators of a time t on some of the spins, the least likely first.

    Attributes
    ----------
    spins
        Tensor positions of the k spins.
    operators
        K_m with Σ K_m†K_m = 1, shape (m, 2ᵏ, 2ᵏ).
    """

    spins: tuple[int, ...]
    operators: Complex

    @property
    def jumps(self) -> float:
        """Largest probability, over all states, of any operator but the last."""
        rare = self.operators[:-1]
        rates = np.einsum("mji,mjk->ik", rare.conj(), rare)
        return float(np.linalg.eigvalsh(rates)[-1])

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return numbers that choose an operator, uniform in [0, 1), shape (count,)."""
        return rng.random(count)

    def combined(self, first: Real, second: Real) -> Real:
        """Return the uniform numbers of twice the time, small where either one is small."""
        return np.asarray(1 - (1 - np.minimum(first, second)) ** 2)

    def act(self, states: Complex, draws: Real) -> Complex:
        """Return the normalised images of states of shape (2ⁿ, K), one operator drawn for each."""
        x = _in_front(states, self.spins)
        reduced = np.einsum("irt,jrt->ijt", x, x.conj(), optimize=True)
        rates = dagger(self.operators) @ self.operators
        p = np.einsum("mji,ijt->mt", rates, reduced, optimize=True).real.clip(min=0)
        reach = np.cumsum(p, axis=0)
        chosen = (draws * reach[-1] >= reach).sum(axis=0).clip(max=len(p) - 1)
        taken = np.sqrt(np.take_along_axis(p, chosen[None], axis=0))
        K = self.operators[chosen].transpose(1, 2, 0) / taken
        images = np.stack([sum(a * b for a, b in zip(row[:, None], x, strict=True)) for row in K])
        return _put_back(images, self.spins)


@dataclass(frozen=True, eq=False)
class Phases:
    """Random phases of a time t on some of the spins.

    Attributes
    ----------
    spins
        Tensor positions of the k spins.
    levels
        √t l_mi of the diagonal operators, shape (m, 2ᵏ).
    """

    spins: tuple[int, ...]
    levels: Real

    @property
    def jumps(self) -> float:
        """Zero: every draw does the little that it does."""
        return 0.0

    def draw(self, rng: np.random.Generator, count: int) -> Real:
        """Return normal numbers of variance 1, shape (m, count)."""
        return rng.standard_normal((len(self.levels), count))

    def combined(self, first: Real, second: Real) -> Real:
        """Return the numbers of twice the time: the phases add up."""
        return np.asarray((first + second) / np.sqrt(2))

    def act(self, states: Complex, draws: Real) -> Complex:
        """Return states of shape (2ⁿ, K), each with its own phases."""
        factors = np.exp(-1j * (self.levels.T @ draws))
        return _put_back(factors[:, None] * _in_front(states, self.spins), self.spins)


Random: TypeAlias = Kraus | Phases


def _in_front(states: Complex, spins: Sequence[int]) -> Complex:
    """Return (2ⁿ, K) as (2ᵏ, 2ⁿ⁻ᵏ, K), some spins in front, in their order."""
    d, count = states.shape
    split = states.reshape((2,) * (d.bit_length() - 1) + (count,))
    moved = np.moveaxis(split, spins, range(len(spins)))
    return np.ascontiguousarray(moved).reshape(2 ** len(spins), -1, count)


def _put_back(states: Complex, spins: Sequence[int]) -> Complex:
    """Return (2ᵏ, 2ⁿ⁻ᵏ, K) as (2ⁿ, K): the inverse of `_in_front`."""
    rows, rest, count = states.shape
    n = (rows * rest).bit_length() - 1
    split = states.reshape((2,) * n + (count,))
    moved = np.moveaxis(split, range(len(spins)), spins)
    return np.ascontiguousarray(moved).reshape(2**n, count)


def kraus_operators(generator: Complex, time: float) -> Complex:
    """Return the Kraus operators of exp(G t), the eigenvectors of its Choi matrix.

    Parameters
    ----------
    generator
        G on row-flattened states, shape (D², D²), 1/s.
    time
        t in s.

    Returns
    -------
    array of shape (m, D, D), ascending in weight
    """
    D = round(np.sqrt(generator.shape[-1]))
    channel = exp_matrix(generator * time).reshape(D, D, D, D)
    choi = channel.transpose(0, 2, 1, 3).reshape(D * D, D * D)
    weights, vectors = np.linalg.eigh((choi + dagger(choi)) / 2)
    kept = weights > _NEGLIGIBLE * D
    return np.asarray((np.sqrt(weights[kept]) * vectors[:, kept]).T.reshape(-1, D, D))


def unravelled(part: Part, time: float) -> Random:
    """Return exp(D t) of a part as random operators.

    Raises
    ------
    ArgumentError
        If the part is of more than three spins and its operators are not Hermitian and diagonal.
    """
    levels = np.diagonal(part.operators, axis1=-2, axis2=-1)
    if part.diagonal and np.abs(levels.imag).max(initial=0) <= _SAME * np.abs(levels).max(
        initial=0
    ):
        return Phases(part.spins, np.sqrt(time) * levels.real)
    if len(part.spins) > MAX_KRAUS_SPINS:
        raise ArgumentError(
            f"Argument `dissipation` must act on at most {MAX_KRAUS_SPINS} spins at a time where "
            f"its operators are not diagonal and real, but a part acts on spins {part.spins}"
        )
    return Kraus(part.spins, kraus_operators(part.generator, time))


class Channel:
    """exp(D t) of all parts: one after another where they commute, else there and back again.

    Parts on different spins commute, and so do diagonal ones; all others follow each other in a
    palindrome of halves, which is right to second order in t.
    """

    def __init__(self, dissipation: Dissipation, time: float) -> None:
        parts = _merged(dissipation.parts)
        if _commute(parts):
            self.operations = [unravelled(part, time) for part in parts]
        else:
            halves = [unravelled(part, time / 2) for part in parts]
            self.operations = [*halves, *halves[::-1]]

    @property
    def jumps(self) -> float:
        """Bound on the mean number of jumps of one trajectory."""
        return sum(operation.jumps for operation in self.operations)

    def draw(self, rng: np.random.Generator, count: int) -> list[Real]:
        """Return one draw for every operation."""
        return [operation.draw(rng, count) for operation in self.operations]

    def combined(self, first: Sequence[Real], second: Sequence[Real]) -> list[Real]:
        """Return the draws of twice the time."""
        triples = zip(self.operations, first, second, strict=True)
        return [operation.combined(a, b) for operation, a, b in triples]

    def act(self, states: Complex, draws: Sequence[Real]) -> Complex:
        """Return the images of states of shape (2ⁿ, K)."""
        pairs = zip(self.operations, draws, strict=True)
        return reduce(lambda psi, pair: pair[0].act(psi, pair[1]), pairs, states)


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Join the parts that act on the same spins in the same order, diagonal ones by themselves."""
    groups: dict[tuple[tuple[int, ...], bool], list[Complex]] = {}
    for part in parts:
        groups.setdefault((part.spins, part.diagonal), []).append(part.operators)
    return [Part(spins, np.concatenate(found)) for (spins, _), found in groups.items()]


def _commute(parts: Sequence[Part]) -> bool:
    spins = [spin for part in parts for spin in part.spins]
    return len(set(spins)) == len(spins) or all(part.diagonal for part in parts)
