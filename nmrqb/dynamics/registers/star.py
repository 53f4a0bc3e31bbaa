"""One central spin and n equivalent satellites, exactly, by the total spin of the satellites.

Satellites that are coupled, driven and prepared alike act through their total spin J only.  The
2ⁿ⁺¹ levels fall into blocks S ⊗ J of 2(2J + 1) levels, each met `multiplicity(n, J)` times, so
that 36 satellites need 19 blocks of at most 74 levels.  `Blocks` hold one matrix per total spin in
the order of `total_spins` (largest first); the centre is the left factor.  A state's block is
the *sum* over the copies of its total spin, so that ⟨A⟩ = Σ_J tr(ρ_J A_J) and Σ_J tr ρ_J = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmrqb.arguments import check_finite
from nmrqb.dynamics.registers.collective import (
    collective_operator,
    levels,
    multiplicity,
    total_spins,
)
from nmrqb.dynamics.states import is_density_matrix
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, as_matrix, dagger, kron
from nmrqb.sparse_operators import AXES

Blocks = tuple[Complex, ...]

Term = tuple[Real, str | None, str | None]  # in Hz, axis of the centre, of the satellites


# ------------------------------------------------------------------------------------- operators
def star_operator(n: int, centre: Complex | None = None, satellites: str | None = None) -> Blocks:
    """Return A ⊗ J_a on every block.

    Parameters
    ----------
    n
        Number of satellites.
    centre
        A, shape (2, 2); None is the identity.
    satellites
        Axis of the total satellite spin: x, y, z, + or -; None is the identity.

    Returns
    -------
    tuple of arrays of shape (2(2J+1), 2(2J+1))

    Examples
    --------
    >>> [block.shape for block in star_operator(3, satellites="z")]
    [(8, 8), (4, 4)]
    """
    A = PAULI["I"] if centre is None else as_matrix(centre, "centre")
    parts = (np.kron(A, collective_matrix(satellites, J)) for J in total_spins(n))
    return tuple(np.asarray(part, dtype=complex) for part in parts)


def collective_matrix(axis: str | None, J: float) -> Complex:
    """Return J_a of total spin J as a dense matrix, the identity for None: (2J+1, 2J+1)."""
    if axis is None:
        return np.eye(round(2 * J + 1), dtype=complex)
    return collective_operator(axis, J).toarray()


def star_hamiltonian(
    n: int,
    coupling_hz: Real,
    *,
    central_hz: float | Real = 0.0,
    satellite_hz: float | Real = 0.0,
    satellite_J_hz: float = 0.0,
    satellite_dipolar_hz: float = 0.0,
) -> Blocks:
    """Return the Hamiltonian of a star in rad/s.

    H/2π = ν_S S_z + ν_I J_z + Σ_ab C_ab S_a J_b + J_II (J² − 3n/4)/2 + d_II (3 J_z² − J²)/2; the
    last two are Σ_(k < l) J_II I_k·I_l and Σ_(k < l) d_II (2 I_kz I_lz − I_kx I_lx − I_ky I_ly).

    Parameters
    ----------
    n
        Number of satellites.
    coupling_hz
        C between the centre and every satellite in Hz, shape (..., 3, 3): diag(0, 0, J) is a
        scalar coupling of unlike spins, diag(J, J, J) isotropic exchange, diag(2g, 2g, 0)
        the flip-flop g(S_+J_- + S_-J_+), C_xy = −C_yx the DM coupling.
    central_hz, satellite_hz
        Offsets ν_S and ν_I in Hz, shape (...).
    satellite_J_hz, satellite_dipolar_hz
        J_II and d_II of every two satellites in Hz.

    Returns
    -------
    tuple of arrays of shape (..., 2(2J+1), 2(2J+1)), rad/s

    Raises
    ------
    ArgumentError
        If a coupling or offset is not finite or not of this shape.

    Examples
    --------
    >>> import numpy as np
    >>> H = star_hamiltonian(36, np.diag([0.0, 0.0, 9.0]))
    >>> len(H), H[0].shape
    (19, (74, 74))
    """
    terms = star_terms(coupling_hz, central_hz, satellite_hz)
    inner = (
        finite(satellite_J_hz, "satellite_J_hz"),
        finite(satellite_dipolar_hz, "satellite_dipolar_hz"),
    )
    return tuple(_outer(J, terms) + _inner(n, J, *inner) for J in total_spins(n))


def star_terms(
    coupling_hz: Real, central_hz: float | Real, satellite_hz: float | Real
) -> list[Term]:
    """Return the terms value·S_a J_b of a star in Hz with their axes a and b; None is no axis.

    Raises
    ------
    ArgumentError
        If the coupling is not of shape (..., 3, 3) or a value is not finite.
    """
    C = np.asarray(coupling_hz, dtype=float)
    if C.shape[-2:] != (3, 3):
        raise ArgumentError(
            f"Argument `coupling_hz` must have shape (..., 3, 3), but has shape {C.shape}"
        )
    offsets = finite(central_hz, "central_hz"), finite(satellite_hz, "satellite_hz")
    finite(C, "coupling_hz")
    terms: list[Term] = [(C[..., a, b], AXES[a], AXES[b]) for a in range(3) for b in range(3)]
    return [*terms, (offsets[0], "z", None), (offsets[1], None, "z")]


def finite(value: float | Real, name: str) -> Real:
    """Return numbers as an array, refusing by name what is not finite."""
    check_finite(name, value)
    return np.asarray(value, dtype=float)


def _outer(J: float, terms: Sequence[Term]) -> Complex:
    d = 2 * round(2 * J + 1)
    batch = np.broadcast_shapes(*(value.shape for value, _, _ in terms))
    total = np.zeros((*batch, d, d), dtype=complex)
    for value, centre, satellites in terms:
        if np.any(value):
            S = PAULI["I"] if centre is None else PAULI[centre.upper()] / 2
            product = np.kron(S, collective_matrix(satellites, J))
            total += 2 * np.pi * value[..., None, None] * product
    return total


def _inner(n: int, J: float, scalar: Real, dipolar: Real) -> Complex:
    m, square = np.tile(levels(J), 2), J * (J + 1)
    energy = scalar[..., None] * (square - 0.75 * n) + dipolar[..., None] * (3 * m**2 - square)
    return np.asarray(np.pi * energy[..., None] * np.eye(m.size), dtype=complex)


def satellite_count(blocks: Blocks) -> int:
    """Return n of blocks of an operator or a state.

    Raises
    ------
    ArgumentError
        If there is not one block of 2(2J + 1) levels for every total spin.
    """
    n = blocks[0].shape[-1] // 2 - 1 if blocks else 0
    expected = [(2 * round(2 * J + 1),) * 2 for J in total_spins(n)] if n > 0 else []
    shapes = [block.shape[-2:] for block in blocks]
    if not shapes or shapes != expected:
        raise ArgumentError(
            "Argument `blocks` must hold one block of 2(2J + 1) levels for every total spin J, the "
            f"largest first, but holds shapes {shapes}"
        )
    return n


# ---------------------------------------------------------------------------------------- states
def star_product(n: int, central: Complex, satellite: Complex) -> Blocks:
    """Return the blocks of ρ_S ⊗ r ⊗ … ⊗ r.

    With r = (1 + p n̂·σ)/2 the satellites' block is d_J (ab)^(n/2−J) a^(J+n̂·J) b^(J−n̂·J),
    a, b = (1 ± p)/2: `gibbs` states of any temperature, pure and polarised ones, all up.

    Parameters
    ----------
    n
        Number of satellites.
    central, satellite
        States of the centre and of each satellite, shape (..., 2, 2).

    Returns
    -------
    tuple of arrays of shape (..., 2(2J+1), 2(2J+1))

    Raises
    ------
    ArgumentError
        If one of them is not a state of one spin.

    Examples
    --------
    >>> import numpy as np
    >>> from nmrqb.dynamics.states import basis_state
    >>> blocks = star_product(4, basis_state("1"), basis_state("0"))
    >>> [round(float(np.trace(block).real), 12) for block in blocks]
    [1.0, 0.0, 0.0]
    """
    rho_S, r = _one_spin(central, "central"), _one_spin(satellite, "satellite")
    return tuple(kron([rho_S, _satellites(n, J, r)]) for J in total_spins(n))


def _one_spin(rho: Complex, name: str) -> Complex:
    rho = as_matrix(rho, name)
    if rho.shape[-1] != 2 or not is_density_matrix(rho):
        raise ArgumentError(f"Argument `{name}` must be a state of one spin, but is {rho.tolist()}")
    return rho


def bloch_vector(rho: Complex) -> Real:
    """Return ⟨(σ_x, σ_y, σ_z)⟩ of one-spin states: (..., 2, 2) → (..., 3)."""
    means = [np.trace(rho @ PAULI[a], axis1=-2, axis2=-1).real for a in "XYZ"]
    return np.asarray(np.stack(means, axis=-1))


def _satellites(n: int, J: float, r: Complex) -> Complex:
    """Return what r ⊗ … ⊗ r is in all copies of total spin J together: (..., 2J+1, 2J+1)."""
    bloch = bloch_vector(r)
    p = np.linalg.norm(bloch, axis=-1, keepdims=True)
    axis = np.where(p > 0, bloch / np.where(p > 0, p, 1), [0.0, 0.0, 1.0])
    collective = np.array([collective_matrix(a, J) for a in AXES])
    _, V = np.linalg.eigh(np.tensordot(axis, collective, axes=1))  # levels −J, …, J
    up = n / 2 + levels(J)[::-1]
    with np.errstate(divide="ignore"):
        logs = np.log((1 + p.clip(max=1)) / 2), np.log((1 - p.clip(max=1)) / 2)
    with np.errstate(invalid="ignore"):  # 0·log 0 is 0: a level that asks for no spin down
        exponents = up * logs[0] + np.where(up < n, (n - up) * logs[1], 0)
    weights = np.exp(exponents + math.log(multiplicity(n, J)))
    return np.asarray((V * weights[..., None, :]) @ dagger(V))


def star_deviation(n: int, central: float = 0.0, satellites: float = 1.0) -> Blocks:
    """Return the deviation (c S_z + s J_z)/2ⁿ⁺¹ from the maximally mixed state.

    A thermal register at high temperature is 1/2ⁿ⁺¹ + (ħγ(1H)B₀/k_BT) times it, with c and s the
    gyromagnetic ratios relative to that of 1H.

    Parameters
    ----------
    n
        Number of satellites.
    central, satellites
        c and s.

    Examples
    --------
    >>> import numpy as np
    >>> deviation, J_z = star_deviation(36), star_operator(36, satellites="z")
    >>> round(float(sum(np.trace(a @ b).real for a, b in zip(deviation, J_z))), 9)  # n/4
    9.0
    """
    S_z, J_z = star_operator(n, PAULI["Z"] / 2), star_operator(n, satellites="z")
    weights = [multiplicity(n, J) / 2 ** (n + 1) for J in total_spins(n)]
    parts = zip(weights, S_z, J_z, strict=True)
    return tuple(w * (central * S + satellites * total) for w, S, total in parts)
