"""FIDs of open systems, in the few elements of ρ that the coil sees.

s(t) = c·exp(Lt)·vec(ρ) needs only the elements from which a chain of entries of L leads to the
coil's row c, and these fall into sectors that L does not mix.  On a grid t = (aB + b)Δt the rows
c·E^b and the states E^(aB)·vec(ρ), E = exp(LΔt), are made by doubling, and one product of
matrices gives all points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse
from scipy.sparse.linalg import expm_multiply

from nmrqb.arguments import checked
from nmrqb.dynamics.coherent.blocks import Indices
from nmrqb.dynamics.coherent.exponentials import exp_matrix
from nmrqb.dynamics.relaxing.dissipation import Dissipation
from nmrqb.dynamics.relaxing.liouvillians import seen_sectors, sparse_liouvillian
from nmrqb.dynamics.relaxing.relaxation import commutator_superoperator
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex
from nmrqb.spectrometer.lines import hermitian, same_size
from nmrqb.spectrometer.receiver import Receiver

MAX_OPEN_SPINS = 8
_FEW_SPINS = 3  # up to this number sparse matrices cost more than they save
_DENSE_TO = 1000  # elements of a sector up to which its step is a dense matrix
_ROUNDING = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Signal:
    """An FID and how well it is known.

    Attributes
    ----------
    points
        Shape (..., points), in the unit of tr(ρC).
    error
        Estimate of the largest rounding error of a point, in the same unit.
    elements
        Number of elements of ρ that were propagated.
    """

    points: Complex
    error: float
    elements: int


@dataclass(frozen=True, eq=False)
class Sectors:
    """Sectors of equal size.

    Attributes
    ----------
    elements
        Which elements of the row-flattened ρ, shape (sectors, size).
    generator
        L inside them, shape (..., sectors, size, size), 1/s.
    """

    elements: Indices
    generator: Complex


@checked
def open_fid(
    hamiltonian: Complex,
    dissipation: Dissipation,
    rho: Complex,
    coil: Complex,
    receiver: Receiver,
) -> Signal:
    """Return s(t_j) = e^{iφ} tr[C exp(Lt_j)ρ] with L ρ = −i[H, ρ] + Σ_m D[L_m]ρ.

    Parameters
    ----------
    hamiltonian
        H in rad/s, Hermitian, shape (d, d) with d = 2ⁿ.
    dissipation
        Lindblad operators of the n spins.
    rho
        States or deviations at t = 0, shape (..., d, d).
    coil
        C, any operator of shape (d, d); see `coil_operator`.
    receiver
        Points, dead time and phase.

    Raises
    ------
    ArgumentError
        If H is not Hermitian, shapes do not fit, a number is not finite, or there are more than
        eight spins.
    """
    if dissipation.n > MAX_OPEN_SPINS:
        raise ArgumentError(
            f"Argument `dissipation` must be of at most {MAX_OPEN_SPINS} spins, but is of "
            f"{dissipation.n}; without relaxation `fid` takes up to ten"
        )
    H = hermitian(hamiltonian)
    states, C = same_size(H, rho, coil)
    row = C.T.reshape(-1)
    flat = states.reshape(-1, row.size)
    generator = _generator(H, dissipation)
    found = _by_size(seen_sectors(generator, row))
    parts = [_part(generator, elements, row, flat, receiver) for elements in found]
    points = np.exp(1j * receiver.phase_rad) * sum(parts, np.zeros((len(flat), receiver.points)))
    return Signal(
        points=np.asarray(points.reshape(*states.shape[:-2], -1)),
        error=_error(generator, row, flat, receiver),
        elements=sum(elements.size for elements in found),
    )


def _generator(H: Complex, dissipation: Dissipation) -> Complex | csr_array:
    """Return L of the system, sparse unless it is small."""
    if dissipation.n <= _FEW_SPINS and len(H) == 2**dissipation.n:
        return commutator_superoperator(H) + dissipation.generator
    return sparse_liouvillian(H, dissipation)


def seen_part(generator: Complex, row: Complex) -> list[Sectors]:
    """Return the sectors of dense generators that a row sees: (..., d², d²), (d²,)."""
    return [_cut(generator, elements) for elements in _by_size(seen_sectors(generator, row))]


def rows_on_grid(sectors: Sectors, row: Complex, receiver: Receiver) -> Complex:
    """Return the rows c·exp(Lt_j) of sectors at all points, shape (..., sectors, points, size)."""
    return _rows(sectors, row, receiver, receiver.points)[0]


def _by_size(sectors: list[Indices]) -> list[Indices]:
    """Return index arrays of shape (sectors, size), one for every size."""
    sizes = sorted({len(sector) for sector in sectors})
    return [np.array([one for one in sectors if len(one) == size]) for size in sizes]


def _part(
    generator: Complex | csr_array,
    elements: Indices,
    row: Complex,
    flat: Complex,
    receiver: Receiver,
) -> Complex:
    """Return the signal of sectors of equal size: states (k, d²) → (k, points)."""
    if elements.shape[1] <= _DENSE_TO:
        return _dense(_cut(generator, elements), row, flat, receiver)
    own = ((generator[one][:, one], row[one], flat[:, one]) for one in elements)
    return np.asarray(np.sum([_sparse(*each, receiver) for each in own], axis=0))


def _cut(generator: Complex | csr_array, elements: Indices) -> Sectors:
    """Cut sectors of equal size out of a generator."""
    if not issparse(generator):
        return Sectors(elements, generator[..., elements[:, :, None], elements[:, None, :]])
    count, size = elements.shape
    entries, place = coo_array(generator), np.full(generator.shape[0], -1)
    place[elements.ravel()] = np.arange(elements.size)
    row, column = place[entries.row], place[entries.col]
    inside = (row >= 0) & (column >= 0) & (row // size == column // size)
    row, column = row[inside], column[inside]
    dense = np.zeros((count, size, size), dtype=complex)
    dense[row // size, row % size, column % size] = entries.data[inside]
    return Sectors(elements, dense)


def _rows(
    sectors: Sectors, row: Complex, receiver: Receiver, count: int
) -> tuple[Complex, Complex]:
    """Return the first rows, and the step over as many of them as the next power of two."""
    first = row[sectors.elements][:, None, :]
    if receiver.dead_time_s:
        first = first @ exp_matrix(sectors.generator * receiver.dead_time_s)
    step = exp_matrix(sectors.generator / receiver.spectral_width_hz)
    return _doubled(np.broadcast_to(first, (*step.shape[:-2], *first.shape[-2:])), step, count)


def _doubled(rows: Complex, step: Complex, count: int) -> tuple[Complex, Complex]:
    """Return v, vE, vE², …: (..., 1, m), (..., m, m) → (..., count, m), and a power of E."""
    while rows.shape[-2] < count:
        rows = np.concatenate([rows, rows @ step], axis=-2)
        step = step @ step
    return rows[..., :count, :], step


def _grid(receiver: Receiver) -> tuple[int, int]:
    """Return points per coarse step (a power of two) and the number of coarse steps."""
    inner = 2 ** (receiver.points.bit_length() // 2)
    return inner, -(-receiver.points // inner)


def _dense(sectors: Sectors, row: Complex, flat: Complex, receiver: Receiver) -> Complex:
    """Return the signal of sectors: states (k, d²) → (k, points)."""
    inner, outer = _grid(receiver)
    rows, step = _rows(sectors, row, receiver, inner)
    first = flat[:, sectors.elements][:, :, None, :]
    states, _ = _doubled(first, step.swapaxes(-1, -2), outer)
    left = np.moveaxis(states, 2, 1).reshape(len(flat), outer, -1)
    right = np.moveaxis(rows, 1, 2).reshape(-1, inner)
    return np.asarray((left @ right).reshape(len(flat), -1)[:, : receiver.points])


def _sparse(generator: csr_array, row: Complex, states: Complex, receiver: Receiver) -> Complex:
    """Return the signal of one large sector from the action of its exponential."""
    inner, outer = _grid(receiver)
    step = 1 / receiver.spectral_width_hz
    rows = expm_multiply(generator.T * step, row, start=0, stop=inner - 1, num=inner)
    start = receiver.dead_time_s
    first = expm_multiply(generator * start, states.T) if start else states.T
    coarse = generator * (inner * step)
    columns = expm_multiply(coarse, first, start=0, stop=max(outer - 1, 1), num=max(outer, 2))
    signal = np.einsum("amk,bm->kab", columns[:outer], rows, optimize=True)
    return np.asarray(signal.reshape(len(states), -1)[:, : receiver.points])


def _error(
    generator: Complex | csr_array, row: Complex, flat: Complex, receiver: Receiver
) -> float:
    """Return what rounding does: every step and every radian of phase loses some 2⁻⁵²."""
    columns = np.asarray(abs(cast(Any, generator)).sum(axis=0))
    radians = float(columns.max()) * float(receiver.times_s[-1])
    size = float(np.linalg.norm(row) * np.linalg.norm(flat, axis=-1).max())
    return _ROUNDING * (receiver.points + radians) * size
