"""Lindblad operators by the spins they act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nmrqb.arguments import check_shape, checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, as_matrix, dagger, spread


@dataclass(frozen=True, eq=False)
class Part:
    """Lindblad operators that act on a few of the spins.

    Attributes
    ----------
    spins
        Tensor positions of the k spins, in the order of the operators' factors.
    operators
        L_m in s^(-1/2), shape (m, 2ᵏ, 2ᵏ): ρ̇ = Σ_m L_m ρ L_m† − ½{L_m†L_m, ρ}.

    Raises
    ------
    ArgumentError
        If the operators are not finite, not of the size of the spins, or a spin stands twice.
    """

    spins: tuple[int, ...]
    operators: Complex

    def __post_init__(self) -> None:
        operators = as_matrix(self.operators, "operators")
        d = 2 ** len(self.spins)
        if operators.ndim != 3 or operators.shape[-1] != d:
            raise ArgumentError(
                f"Argument `operators` must have shape (m, {d}, {d}) for spins {self.spins}, but "
                f"has shape {operators.shape}"
            )
        if len(set(self.spins)) < len(self.spins):
            raise ArgumentError(f"Argument `spins` must be different, but are {self.spins}")
        object.__setattr__(self, "operators", operators)

    @cached_property
    def diagonal(self) -> bool:
        """Whether all operators are diagonal: ρ is then damped element by element."""
        d = self.operators.shape[-1]
        return not np.any(self.operators[:, ~np.eye(d, dtype=bool)])

    @cached_property
    def rates(self) -> Complex:
        """Rates r_ij of ρ̇_ij = r_ij ρ_ij of diagonal operators, shape (2ᵏ, 2ᵏ), 1/s."""
        levels = np.diagonal(self.operators, axis1=-2, axis2=-1)
        gain = np.einsum("mi,mj->ij", levels, levels.conj())
        lost = np.diag(gain).real
        return np.asarray(gain - (lost[:, None] + lost) / 2)

    @cached_property
    def generator(self) -> Complex:
        """Matrix of ρ ↦ Σ LρL† − ½{L†L, ρ} on row-flattened ρ of the k spins, (4ᵏ, 4ᵏ), 1/s."""
        return dissipator(self.operators, self.operators.shape[-1])


@dataclass(frozen=True, eq=False)
class Dissipation:
    """All Lindblad operators of n spins.

    Attributes
    ----------
    n
        Number of spins.
    parts
        Operators by the spins they act on; what they do adds up.

    Raises
    ------
    ArgumentError
        If a part names a spin that is not there.
    """

    n: int
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        for part in self.parts:
            if not all(0 <= spin < self.n for spin in part.spins):
                raise ArgumentError(
                    f"Argument `parts` must name spins 0 to {self.n - 1}, but names {part.spins}"
                )

    def operators(self) -> list[Complex]:
        """Return the Lindblad operators on all spins, each (2ⁿ, 2ⁿ), s^(-1/2)."""
        return [spread(L, part.spins, self.n) for part in self.parts for L in part.operators]

    @cached_property
    def generator(self) -> Complex:
        """Matrix of ρ ↦ Σ LρL† − ½{L†L, ρ} on row-flattened states, shape (4ⁿ, 4ⁿ), 1/s."""
        return dissipator(self.operators(), 2**self.n)


@checked
def dissipator(operators: Iterable[Complex], d: int) -> Complex:
    """Return the matrix of ρ ↦ Σ LρL† − ½{L†L, ρ}, shape (d², d²), 1/s."""
    one = np.eye(d)
    total = np.zeros((d * d, d * d), dtype=complex)
    for L in operators:
        check_shape("operators", np.asarray(L), (d, d))
        rate = dagger(L) @ L
        total += np.kron(L, L.conj()) - (np.kron(rate, one) + np.kron(one, rate.T)) / 2
    return total
