"""The Liouvillian of a star: its Hamiltonian, and relaxation of every spin by itself or of all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from nmrqb.dynamics.registers.star import finite, star_terms
from nmrqb.dynamics.registers.symmetric import SymmetricSpace, cleaned, one_spin_dissipator
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, as_matrix, dagger, embed
from nmrqb.sparse_operators import AXES, Sparse

_SPIN = {axis: PAULI[axis.upper()] / 2 for axis in AXES}


@dataclass(frozen=True, eq=False)
class StarDissipation:
    """Lindblad operators of a star that do not tell its satellites apart.

    Attributes
    ----------
    central
        Operators of the centre in s^(-1/2), shape (m, 2, 2).
    satellite
        Operators of one satellite in s^(-1/2), shape (k, 2, 2); they act on every satellite
        independently.
    common
        Pairs (A, b) in s^(-1/2), shape (l, 2, 2, 2), of L = A_S + Σ_k b_k: noise that all spins
        feel together, say a common field.

    Raises
    ------
    ArgumentError
        If an array is not finite or not of this shape.

    Examples
    --------
    >>> flips = StarDissipation(satellite=[0.3 * PAULI["X"]])
    >>> len(flips.dissipation(4).operators())
    4
    """

    central: Complex = field(default_factory=lambda: np.zeros((0, 2, 2), dtype=complex))
    satellite: Complex = field(default_factory=lambda: np.zeros((0, 2, 2), dtype=complex))
    common: Complex = field(default_factory=lambda: np.zeros((0, 2, 2, 2), dtype=complex))

    def __post_init__(self) -> None:
        for name, shape in (("central", (2, 2)), ("satellite", (2, 2)), ("common", (2, 2, 2))):
            operators = as_matrix(getattr(self, name), name)
            if operators.shape[1:] != shape:
                raise ArgumentError(
                    f"Argument `{name}` must have shape {('m', *shape)}, but has shape "
                    f"{operators.shape}"
                )
            object.__setattr__(self, name, operators)

    def dissipation(self, satellites: int) -> Dissipation:
        """Return the same operators on the explicit spins, the centre first."""
        n = satellites + 1
        single = [((0,), self.central), *(((k,), self.satellite) for k in range(1, n))]
        parts = [Part(spins, operators) for spins, operators in single if len(operators)]
        if len(self.common):
            together = [
                embed(A, 0, n) + sum(embed(b, k, n) for k in range(1, n)) for A, b in self.common
            ]
            parts.append(Part(tuple(range(n)), np.array(together)))
        return Dissipation(n, tuple(parts))


def star_liouvillian(
    n: int,
    coupling_hz: Real,
    *,
    central_hz: float = 0.0,
    satellite_hz: float = 0.0,
    satellite_dipolar_hz: float = 0.0,
    dissipation: StarDissipation | None = None,
) -> Sparse:
    """Return the generator of ρ̇ = −i[H, ρ] + Σ LρL† − ½{L†L, ρ} of a star in 1/s.

    The scalar coupling of the satellites has no place in it: it is a function of J², which
    commutes with every state that does not tell them apart, relaxing or not.

    Parameters
    ----------
    n, coupling_hz, central_hz, satellite_hz, satellite_dipolar_hz
        As for `star_hamiltonian`, without batch axes.
    dissipation
        Lindblad operators; None is none.

    Returns
    -------
    sparse array of shape (dimension, dimension) of `SymmetricSpace(n)`

    Examples
    --------
    >>> star_liouvillian(4, np.diag([0.0, 0.0, 9.0])).shape
    (140, 140)
    """
    space = SymmetricSpace(n)
    terms = star_terms(coupling_hz, central_hz, satellite_hz)
    dipolar = finite(satellite_dipolar_hz, "satellite_dipolar_hz")
    batches = {value.shape for value in (*(term[0] for term in terms), dipolar)} - {()}
    if batches:
        raise ArgumentError(
            "Argument `coupling_hz` must have shape (3, 3), and offsets be numbers, but there are "
            f"batches of shape {', '.join(map(str, sorted(batches)))}"
        )
    total = 0 * space.left()
    for value, *axes in terms:
        if value:
            pair = (None if axis is None else _SPIN[axis] for axis in axes)
            total = total + 2 * np.pi * float(value) * space.commutator(*pair)
    if dipolar:
        L, R = (side(None, _SPIN["z"]) for side in (space.left, space.right))
        total = total - 3j * np.pi * float(dipolar) * (L @ L - R @ R)
    lost = StarDissipation() if dissipation is None else dissipation
    return total + symmetric_dissipator(space, lost)


def symmetric_dissipator(space: SymmetricSpace, dissipation: StarDissipation) -> Sparse:
    """Return the superoperator of relaxation of satellites and centre, 1/s.

    Raises
    ------
    ArgumentError
        If operators of a centre are given where there is none.
    """
    total = 0 * space.left()
    if len(dissipation.satellite):
        total = total + space.embed(None, one_spin_dissipator(dissipation.satellite))
    if len(dissipation.central):
        total = total + space.embed(one_spin_dissipator(dissipation.central))
    for A, b in dissipation.common:
        if np.any(A) and not space.centre:
            raise ArgumentError(
                f"Argument `common` must act on no centre in a space without one, but has an A of "
                f"norm {np.linalg.norm(A):.3g} in √(1/s)"
            )
        total = total + _common(space, A, b)
    return total


def _common(space: SymmetricSpace, A: Complex, b: Complex) -> Sparse:
    """Return LρL† − ½{L†L, ρ} of L = A_S + Σ_k b_k; without a centre A has no place."""
    L, R = _both(space, "left", A, b), _both(space, "right", A, b)
    L_dagger = _both(space, "left", dagger(A), dagger(b))
    R_dagger = _both(space, "right", dagger(A), dagger(b))
    return cleaned(csr_array(L @ R_dagger - (L_dagger @ L + R @ R_dagger) / 2))


def _both(space: SymmetricSpace, side: str, A: Complex, b: Complex) -> Sparse:
    act = space.left if side == "left" else space.right
    return act(None, b) + act(A) if space.centre else act(None, b)
