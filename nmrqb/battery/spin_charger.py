"""The battery of spin-charger-battery: M cells charged by N spins through a common XY coupling.

Cells and chargers are each addressed alike, so that only their total spins S and J matter.  Without
anisotropy the number of spins up is conserved and what is left is a tridiagonal matrix of at most
min(M, N) + 1 levels: a thousand cells and a thousand chargers take a fraction of a second.
Energies are in units of ω0, times in the inverse of the unit of g (ħ = 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, diags_array, kron

from nmrqb.arguments import check_finite
from nmrqb.battery.checks import checked_times
from nmrqb.battery.collective_starts import Share, Shares, dicke
from nmrqb.battery.peaks import Peak, largest
from nmrqb.battery.power import average_power
from nmrqb.dynamics.coherent.chebyshev import series
from nmrqb.dynamics.registers import collective_operator, exchange_chain, levels
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.sparse_operators import Sparse

_DENSE = 256  # up to this dimension one diagonalisation is quicker than a series
_SAME_STEP = 1e-12
_TOLERANCE = 1e-11  # of the series, for every step
_POINTS = 6  # of the search in the time in which the fastest phase turns by about 1 rad


@dataclass(frozen=True)
class SpinCharger:
    """M battery cells and N charger spins, all of splitting ω0.

    H = (ω0/2)(Σσ^z + Στ^z) + g[J_−(γ S_− + S_+) + h.c.]
        + g1(J_+J_− + J_−J_+ − N) + g2(S_+S_− + S_−S_+ − M)
    (spin-charger-battery, eqs. 1, 3, 14 and 15; eq. 15 prints the identity in place of N).

    Attributes
    ----------
    cells, chargers
        M and N.
    g
        Coupling of every cell with every charger, > 0.
    gamma
        Anisotropy γ: 0 is the isotropic XY coupling, 1 the XX coupling.
    omega0
        ω0 in the unit of g; without anisotropy it has no effect on the numbers of spins up.
    charger_crosstalk, cell_crosstalk
        g1 and g2, couplings among the chargers and among the cells.

    Raises
    ------
    ArgumentError
        If there is no cell or no charger, g is not positive, or a constant is not finite.
    """

    cells: int
    chargers: int
    g: float = 1.0
    gamma: float = 0.0
    omega0: float = 10.0
    charger_crosstalk: float = 0.0
    cell_crosstalk: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cells", "chargers"):
            checked_count(getattr(self, name), name)
        for name in ("g", "gamma", "omega0", "charger_crosstalk", "cell_crosstalk"):
            check_finite(name, getattr(self, name))
        if not self.g > 0:
            raise ArgumentError(f"Argument `g` must be positive, but is {self.g}")

    @property
    def alone(self) -> SpinCharger:
        """One cell with its share N/M of the chargers, for parallel charging."""
        if self.chargers % self.cells:
            raise ArgumentError(
                f"Argument `chargers` must be a multiple of the {self.cells} cells for parallel "
                f"charging, but is {self.chargers}"
            )
        return replace(self, cells=1, chargers=self.chargers // self.cells)


def stored_energy(
    model: SpinCharger,
    times: ArrayLike,
    *,
    cells: Shares | None = None,
    chargers: Shares | None = None,
) -> Real:
    """Return (⟨H_B⟩(t) − ⟨H_B⟩(0))/ω0, the spins up that the cells have gained: (T,).

    Parameters
    ----------
    model
        Numbers of spins and couplings.
    times
        t ≥ 0 in the inverse unit of g, shape (T,).
    cells, chargers
        Initial states; by default all cells are down and all chargers up.

    Raises
    ------
    ArgumentError
        If a time is negative or not finite, or the shares are not those of so many spins.

    Notes
    -----
    spin-charger-battery, eq. 7.

    Examples
    --------
    >>> import numpy as np
    >>> one = SpinCharger(1, 1)  # e(t) = sin² gt
    >>> bool(np.allclose(stored_energy(one, [0.0, 0.5]), [0.0, np.sin(0.5) ** 2]))
    True
    """
    t = np.atleast_1d(checked_times(times))
    cells = dicke(model.cells, 0) if cells is None else cells
    chargers = dicke(model.chargers, model.chargers) if chargers is None else chargers
    _check_shares(cells, model.cells, "cells")
    _check_shares(chargers, model.chargers, "chargers")
    total = np.zeros(t.shape)
    for first in cells:
        for second in chargers:
            total += first.weight * second.weight * _gained(model, t, first, second)
    return total


def _check_shares(shares: Shares, n: int, name: str) -> None:
    fits = all(abs(s.m) <= s.J <= n / 2 and (n / 2 - s.J) % 1 == 0 for s in shares)
    if not (shares and fits):
        raise ArgumentError(f"Argument `{name}` must be shares of {n} spins, but is {shares}")


def _gained(model: SpinCharger, t: Real, first: Share, second: Share) -> Real:
    """Return ⟨S_z⟩(t) − ⟨S_z⟩(0) from |S, m_S⟩|J, m_J⟩."""
    if model.gamma == 0:
        return _gained_in_chain(model, t, first, second)
    return _gained_in_parity(model, t, first, second)


def _crosstalk(g: float, J: float, m: Real, n: int) -> Real:
    return np.asarray(g * (2 * (J * (J + 1) - m**2) - n))


def _gained_in_chain(model: SpinCharger, t: Real, first: Share, second: Share) -> Real:
    up = round(first.J + first.m + second.J + second.m)
    chain = exchange_chain(first.J, second.J, up)
    inner = _crosstalk(model.cell_crosstalk, first.J, chain.first, model.cells)
    inner += _crosstalk(model.charger_crosstalk, second.J, chain.second, model.chargers)
    start = (chain.first == first.m).astype(complex)
    psi = chain.evolve(start, t, model.g, inner - inner[start.argmax()])
    return np.asarray(np.abs(psi) ** 2 @ chain.first - first.m)


def _gained_in_parity(model: SpinCharger, t: Real, first: Share, second: Share) -> Real:
    """Return the gain where γ mixes numbers of spins up: their parity stays."""
    S, J = first.J, second.J
    m_S, m_J = (a.ravel() for a in np.meshgrid(levels(S), levels(J), indexing="ij"))
    kept = np.flatnonzero((m_S + m_J - first.m - second.m) % 2 == 0)
    H = csr_array(_anisotropic(model, S, J))[kept][:, kept]
    m_S, m_J = m_S[kept], m_J[kept]
    start = ((m_S == first.m) & (m_J == second.m)).astype(complex)
    return _means(H, start, m_S, t) - first.m


def _anisotropic(model: SpinCharger, S: float, J: float) -> Sparse:
    """Return H of one pair of total spins on all its levels."""
    raise_S, raise_J = collective_operator("+", S), collective_operator("+", J)
    moved = kron(model.gamma * raise_S.T + raise_S, raise_J.T)
    m_S, m_J = np.meshgrid(levels(S), levels(J), indexing="ij")
    inner = model.omega0 * (m_S + m_J)
    inner = inner + _crosstalk(model.cell_crosstalk, S, m_S, model.cells)
    inner = inner + _crosstalk(model.charger_crosstalk, J, m_J, model.chargers)
    return csr_array(model.g * (moved + moved.T) + diags_array(inner.ravel().astype(complex)))


def _means(H: Sparse, psi: Complex, values: Real, t: Real) -> Real:
    """Return Σ_k values_k |ψ_k(t)|²."""
    if H.shape[0] <= _DENSE:
        e, V = np.linalg.eigh(H.toarray())
        found = (np.exp(-1j * np.multiply.outer(t, e)) * (V.conj().T @ psi)) @ V.T
        return np.asarray(np.abs(found) ** 2 @ values)
    means, order = np.zeros(t.shape), np.argsort(t, kind="stable")
    now, known, exponential = psi[:, None], 0.0, None
    for k, gap in zip(order, np.diff(t[order], prepend=0.0), strict=True):
        if gap > 0 and (exponential is None or abs(gap - known) > _SAME_STEP * t.max()):
            known, exponential = gap, series(H * gap, _TOLERANCE)
        now = exponential(now) if gap > 0 and exponential is not None else now
        means[k] = np.abs(now[:, 0]) ** 2 @ values
    return means


# ------------------------------------------------------------------------- power and its scaling
def peak_power(model: SpinCharger) -> Peak:
    """Return when the average power is largest, and P_max/ω0, in the unit of g.

    E/ω0 never exceeds M, so that no time after M/P can give more than a power P already found: the
    search ends there, and what it returns is the largest of all times.

    Examples
    --------
    >>> round(peak_power(SpinCharger(10, 10)).value / 10**0.5, 3)  # of √N g ω0
    9.246
    """

    def power(t: Real) -> Real:
        return average_power(stored_energy(model, t), t)

    step = 1 / (_POINTS * _fastest(model))
    reach = 1 / (model.g * math.sqrt(max(model.cells, model.chargers)))
    while True:
        found = largest(power, reach, points=math.ceil(reach / step) + 3, zooms=0)
        end = model.cells / found.value
        if end <= reach:
            around = max(found.time - step, 0.0), found.time + step
            return largest(power, around[1], start=around[0], points=21, zooms=3)
        reach = min(2 * reach, end)


def _fastest(model: SpinCharger) -> float:
    """Return a rate that no oscillation of weight exceeds by much."""
    inner = model.chargers * abs(model.charger_crosstalk) + model.cells * abs(model.cell_crosstalk)
    split = abs(model.omega0) if model.gamma else 0.0
    return model.g * max(model.cells, model.chargers) + 2 * (inner + split)


def parallel_energy(model: SpinCharger, times: ArrayLike) -> Real:
    """Return E/ω0 where each cell has its own N/M chargers, M times that of one: (T,).

    Raises
    ------
    ArgumentError
        If N is no multiple of M.

    Notes
    -----
    spin-charger-battery, eq. 9.
    """
    return model.cells * stored_energy(model.alone, times)


def collective_advantage(model: SpinCharger) -> float:
    """Return η = P_max/P∥_max, collective over parallel charging (spin-charger-battery, eq. 10)."""
    return peak_power(model).value / (model.cells * peak_power(model.alone).value)


def scaling_exponent(model: SpinCharger, *, width: float = 0.1) -> float:
    """Return β = d ln η/d ln M at fixed N/M, a difference between M(1 − w) and M(1 + w).

    Parameters
    ----------
    model
        M and N, N a multiple of M.
    width
        w; the two numbers of cells are rounded, and at least 1 from M.

    Notes
    -----
    spin-charger-battery, eq. 11.  With N = M and γ = 0 the peak comes at gt ≈ 0.59 ln(M)/M, so that
    β approaches 1 with the logarithm of M only: 0.81, 0.87, 0.91 at M = 20, 100, 1000.

    Examples
    --------
    >>> round(scaling_exponent(SpinCharger(20, 20)), 2)
    0.81
    """
    ratio = model.alone.chargers
    step = max(round(width * model.cells), 1)
    if step >= model.cells:
        raise ArgumentError(f"Argument `model` must have two cells or more, but has {model.cells}")
    sizes = (model.cells - step, model.cells + step)
    few, many = (collective_advantage(replace(model, cells=M, chargers=ratio * M)) for M in sizes)
    return math.log(many / few) / math.log(sizes[1] / sizes[0])
