"""The evolution of a star by the blocks of its total satellite spin, closed and exact."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.dynamics.coherent.exponentials import exp_hermitian
from nmrqb.dynamics.registers.collective import total_spins
from nmrqb.dynamics.registers.star import (
    Blocks,
    collective_matrix,
    satellite_count,
    star_operator,
)
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, dagger
from nmrqb.sparse_operators import AXES

Vector = tuple[float, float, float]

_STILL = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class StarSegment:
    """A stretch of constant control of a star.

    Attributes
    ----------
    duration_s
        T in s; 0 is an ideal pulse.
    central, satellites
        Rotation vectors θ in rad of the centre and of every satellite during T:
        U = exp[−i(θ_S·S + θ_I·J + H T)]; (π/2, 0, 0) is 90° about x.

    Raises
    ------
    ArgumentError
        If the duration is negative or a number is not finite.
    """

    duration_s: float = 0.0
    central: Vector = _STILL
    satellites: Vector = _STILL

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration_s) and self.duration_s >= 0):
            raise ArgumentError(f"Argument `duration_s` must be ≥ 0, but is {self.duration_s}")
        for name in ("central", "satellites"):
            vector = np.asarray(getattr(self, name), dtype=float)
            if vector.shape != (3,) or not np.all(np.isfinite(vector)):
                raise ArgumentError(
                    f"Argument `{name}` must be three finite angles, but is {getattr(self, name)}"
                )
            object.__setattr__(self, name, tuple(map(float, vector)))


def star_unitary(segments: Sequence[StarSegment], H: Blocks) -> Blocks:
    """Return the propagator of segments in the order of time on every block.

    Parameters
    ----------
    segments
        Delays, pulses on the centre, on the satellites, on both.
    H
        Drift in rad/s, blocks of shape (..., d, d).

    Returns
    -------
    tuple of arrays of shape (..., d, d)

    Examples
    --------
    >>> import numpy as np
    >>> from nmrqb.dynamics.registers import star_hamiltonian
    >>> flip = StarSegment(satellites=(np.pi, 0, 0))
    >>> U = star_unitary([flip, flip], star_hamiltonian(2, np.zeros((3, 3))))
    >>> np.allclose(U[0], np.eye(6))
    True
    """
    spins = total_spins(satellite_count(H))
    return tuple(_unitary(segments, J, h) for J, h in zip(spins, H, strict=True))


def _unitary(segments: Sequence[StarSegment], J: float, H: Complex) -> Complex:
    known = {s: exp_hermitian(s.duration_s * H + _rotation(s, J)) for s in set(segments)}
    total = np.eye(H.shape[-1], dtype=complex)
    for segment in segments:
        total = known[segment] @ total
    return total


def _rotation(segment: StarSegment, J: float) -> Complex:
    one = np.eye(round(2 * J + 1))
    total = np.zeros((2 * len(one),) * 2, dtype=complex)
    for angle, turned, a in zip(segment.central, segment.satellites, AXES, strict=True):
        total += np.kron(angle * PAULI[a.upper()] / 2, one)
        total += np.kron(PAULI["I"], turned * collective_matrix(a, J))
    return total


def star_apply(U: Blocks, rho: Blocks) -> Blocks:
    """Return U ρ U† on every block: shapes (..., d, d)."""
    return tuple(u @ r @ dagger(u) for u, r in zip(U, rho, strict=True))


def star_expectation(H: Blocks, rho: Blocks, operator: Blocks, times: Real) -> Complex:
    """Return tr[ρ(t) A] under a constant Hamiltonian at all times together.

    Parameters
    ----------
    H, rho, operator
        Hamiltonian in rad/s, state or deviation, and A: blocks of shape (..., d, d).
    times
        t in s, shape (T,).

    Returns
    -------
    array of shape (..., T)

    Raises
    ------
    ArgumentError
        If the blocks are not of one number of satellites or the times are not a finite vector.

    Examples
    --------
    >>> import numpy as np
    >>> from nmrqb.dynamics.states import basis_state
    >>> from nmrqb.dynamics.registers import star_hamiltonian, star_product
    >>> H = star_hamiltonian(4, np.diag([2.0, 2.0, 0.0]))  # S_+J_- + S_-J_+, in Hz
    >>> rho = star_product(4, basis_state("1"), basis_state("0"))
    >>> charged = star_operator(4, np.diag([1.0, 0.0]))
    >>> np.round(star_expectation(H, rho, charged, np.array([0, 1 / 8, 1 / 4])).real, 9)
    array([0., 1., 0.])
    """
    return _traces(H, rho, [operator], times)[..., 0]


def central_state(H: Blocks, rho: Blocks, times: Real) -> Complex:
    """Return the state of the centre, the satellites traced out: (..., T, 2, 2).

    Parameters are those of `star_expectation`.

    Examples
    --------
    >>> import numpy as np
    >>> from nmrqb.dynamics.states import basis_state
    >>> from nmrqb.dynamics.registers import star_hamiltonian, star_product
    >>> rho = star_product(9, basis_state("0"), np.eye(2) / 2)
    >>> seen = central_state(star_hamiltonian(9, np.eye(3)), rho, np.zeros(1))
    >>> np.allclose(seen, [[1, 0], [0, 0]])
    True
    """
    n = satellite_count(rho)
    units = np.eye(4, dtype=complex).reshape(4, 2, 2)
    seen = _traces(H, rho, [star_operator(n, unit.T) for unit in units], times)
    return np.asarray(seen.reshape(*seen.shape[:-1], 2, 2))


def central_signal(H: Blocks, rho: Blocks, times: Real) -> Complex:
    """Return the FID tr[ρ(t)(σ_x + iσ_y)_S] of the centre, shape (..., T).

    Ising coupling to satellites of polarisation p gives n + 1 lines,
    [cos πJt + ip sin πJt]ⁿ.  Parameters are those of `star_expectation`.

    Examples
    --------
    >>> import numpy as np
    >>> from nmrqb.dynamics.registers import star_hamiltonian, star_product
    >>> plus, mixed = np.full((2, 2), 0.5), np.eye(2) / 2
    >>> H = star_hamiltonian(36, np.diag([0.0, 0.0, 10.0]))
    >>> signal = central_signal(H, star_product(36, plus, mixed), np.array([0, 0.01]))
    >>> bool(np.allclose(signal, [1, np.cos(0.1 * np.pi) ** 36]))
    True
    """
    raised = 2 * np.array([[0, 1], [0, 0]], dtype=complex)
    return star_expectation(H, rho, star_operator(satellite_count(rho), raised), times)


def satellite_signal(H: Blocks, rho: Blocks, times: Real) -> Complex:
    """Return the FID tr[ρ(t) Σ_k (σ_x + iσ_y)_k] of all satellites together, shape (..., T).

    Parameters are those of `star_expectation`.
    """
    operator = star_operator(satellite_count(rho), satellites="+")
    return 2 * star_expectation(H, rho, operator, times)


def _traces(H: Blocks, rho: Blocks, operators: Sequence[Blocks], times: Real) -> Complex:
    """Return tr[ρ(t) A_k] of several operators: (..., T, K)."""
    times = np.asarray(times, dtype=float)
    if times.ndim != 1 or not np.all(np.isfinite(times)):
        raise ArgumentError(f"Argument `times` must be a finite vector, but is {times}")
    counts = {satellite_count(blocks) for blocks in (H, rho, *operators)}
    if len(counts) > 1:
        raise ArgumentError(
            f"Argument `rho` must be of as many satellites as `H`, but there are {sorted(counts)}"
        )
    batch = np.broadcast_shapes(H[0].shape[:-2], rho[0].shape[:-2])
    total = np.zeros((*batch, times.size, len(operators)), dtype=complex)
    for part in zip(H, rho, *operators, strict=True):
        if np.any(part[1]):  # a total spin that the state does not hold
            total += np.stack(list(_block_traces(part[0], part[1], part[2:], times)), axis=-1)
    return total


def _block_traces(
    H: Complex, rho: Complex, operators: Sequence[Complex], times: Real
) -> Iterator[Complex]:
    """Yield Σ_ij e^{−i(e_i − e_j)t} ρ_ij A_ji in the eigenbasis of H, for every operator."""
    e, V = np.linalg.eigh(H)
    phases = np.exp(-1j * times[:, None] * e[..., None, :])
    start = dagger(V) @ rho @ V
    for operator in operators:
        weights = start * (dagger(V) @ operator @ V).swapaxes(-1, -2)
        yield np.asarray(((phases @ weights) * phases.conj()).sum(axis=-1))
