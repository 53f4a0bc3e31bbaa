"""How far figures of merit can differ among the states that look alike.

The states that show the same data as ρ are ρ + Σ t_i N_i ≥ 0, N_i a basis of what is not seen.
Energies are linear in them; ergotropy, −anti-ergotropy, capacity and l1 coherence are convex,
f(ρ) = max_G tr ρG over a family of operators G, so that they lie above every one of these.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery import Battery, active_energy, coherence_l1, passive_energy
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_state,
    dagger,
    from_pauli_coefficients,
    partial_trace,
)
from nmrqb.tomography.design.analysis import Design
from nmrqb.tomography.design.verdicts import battery_spins, on_register

_INSIDE = 1e-7  # how much of the maximally mixed state is added, to have room to move
_TOLERANCE = 1e-6  # of the norm of an operator: the gap of a bound
_CUTS = 40
_CORNERS = 10  # unseen dimensions up to which all corners of their box are visited
_NEWTON = 60
_STEEPER = 30.0
_CENTRED = 0.1  # Newton decrement; the bounds hold whatever it is

Support = Callable[[Complex], Complex]


@dataclass(frozen=True)
class Range:
    """Values that a figure of merit has among the states that look alike.

    Attributes
    ----------
    low, high
        No such state has less or more.  Both ends are reached, within rounding, by the energy,
        and by all where one dimension is not seen.  Else the upper ends (of the anti-ergotropy the
        lower one) may lie beyond what is reached, and with more than ten unseen dimensions they
        are those of any state.
    """

    low: float
    high: float


@checked
def bounds(rho: Complex, design: Design, battery: Battery) -> Mapping[str, Range]:
    """Return what figures of merit can be in any positive state that looks like ρ.

    Noise is not in it: the state stands for its data.  ρ is mixed with 1e-7 of the maximally mixed
    state, so that the bounds of a state of less than full rank are near, not exact.

    Parameters
    ----------
    rho
        A state, shape (d, d), say that of a `PartialEstimate`.
    design
        What the readouts see.
    battery
        The battery.

    Returns
    -------
    mapping
        Of energy, ergotropy, anti_ergotropy, capacity (Hz), coherence_l1 (energy basis) to a range.

    Raises
    ------
    ArgumentError
        If ρ is not one state of the register, or the battery does not fit it.
    """
    state = as_state(rho, "rho", tolerance=1e-6)
    d = 2**design.spins
    if state.shape != (d, d):
        raise ArgumentError(
            f"Argument `rho` must have shape {(d, d)} for {design.spins} spins, but has shape "
            f"{state.shape}"
        )
    spins = battery_spins(design, battery)
    space = _Space.of(state, design)
    figures = _supports(
        battery, lambda G: on_register(G, spins, design), lambda sigma: partial_trace(sigma, spins)
    )
    H = on_register(battery.hamiltonian_hz, spins, design)
    size = float(np.ptp(np.linalg.eigvalsh(H))) or 1.0
    found = {"energy": Range(space.least(lambda _: H, size), -space.least(lambda _: -H, size))}
    for name, (support, value, largest) in figures.items():
        scale = 1.0 if name == "coherence_l1" else size
        low, high = max(0.0, space.least(support, scale)), min(largest, space.most(value))
        found[name] = Range(-high, -low) if name == "anti_ergotropy" else Range(low, high)
    return MappingProxyType(found)


def _supports(
    battery: Battery, lift: Callable[[Complex], Complex], reduce: Callable[[Complex], Complex]
) -> dict[str, tuple[Support, Callable[[Complex], Real], float]]:
    """Return convex figures: ρ → the G of f = max tr ρG, ρ → f, and the largest value of all."""
    H, V = battery.hamiltonian_hz, battery.energy_basis
    e = np.linalg.eigvalsh(H)
    width = float(e[-1] - e[0])

    def turned(rho: Complex, *, passive: bool) -> Complex:
        _, R = np.linalg.eigh(reduce(rho))
        order = R[:, ::-1] if passive else R
        return np.asarray((order * e) @ dagger(order))

    def phases(rho: Complex) -> Complex:
        inside = dagger(V) @ reduce(rho) @ V
        signs = np.exp(1j * np.angle(inside))
        np.fill_diagonal(signs, 0.0)
        return lift(V @ signs @ dagger(V))

    def energy(rho: Complex) -> Real:
        return np.asarray(np.einsum("...ij,ji->...", reduce(rho), H).real)

    return {
        "ergotropy": (
            lambda rho: lift(H - turned(rho, passive=True)),
            lambda rho: energy(rho) - passive_energy(reduce(rho), H),
            width,
        ),
        "anti_ergotropy": (
            lambda rho: lift(turned(rho, passive=False) - H),
            lambda rho: active_energy(reduce(rho), H) - energy(rho),
            width,
        ),
        "capacity": (
            lambda rho: lift(turned(rho, passive=False) - turned(rho, passive=True)),
            lambda rho: active_energy(reduce(rho), H) - passive_energy(reduce(rho), H),
            width,
        ),
        "coherence_l1": (phases, lambda rho: coherence_l1(reduce(rho), V), len(e) - 1.0),
    }


# ---------------------------------------------------------------------- the states that look alike
@dataclass(frozen=True, eq=False)
class _Space:
    """ρ + Σ t_i N_i ≥ 0, the N_i orthonormal: tr N_i N_j = δ_ij."""

    centre: Complex
    axes: Complex  # shape (k, d, d)

    @classmethod
    def of(cls, rho: Complex, design: Design) -> _Space:
        sizes, vectors = np.linalg.eigh(design.unseen)
        free = vectors[:, sizes > 0.5].T
        d = len(rho)
        if not len(free):
            return cls(rho, np.zeros((0, d, d), dtype=complex))
        whole = np.concatenate([np.zeros((len(free), 1)), free], axis=1)
        axes = from_pauli_coefficients(whole) / np.sqrt(d)
        return cls((1 - _INSIDE) * rho + _INSIDE * np.eye(d) / d, axes)

    def at(self, t: Real) -> Complex:
        """Return ρ + Σ t_i N_i: (..., k) → (..., d, d)."""
        return np.asarray(self.centre + np.tensordot(t, self.axes, axes=1))

    def cut(self, G: Complex) -> Real:
        """Return tr ρG, and tr N_i G: (..., d, d) → (..., 1 + k)."""
        stack = np.concatenate([self.centre[None], self.axes])
        return np.asarray(np.einsum("kij,...ji->...k", stack, G).real)

    def least(self, support: Support, scale: float = 1.0) -> float:
        """Return a lower bound of max_G tr ρG, by cuts at the least state of those so far.

        The scale is the size of the operators G.
        """
        t: Real = np.zeros(len(self.axes))
        family = support(self.at(t))[None]
        if not t.size:
            return float(self.cut(family)[0, 0])
        bound = -np.inf
        for _ in range(_CUTS):
            t, low = self._model(family / scale)
            bound = max(bound, low * scale)
            G = support(self.at(t))
            if self.cut(G) @ np.append(1.0, t) - bound <= 4 * _TOLERANCE * scale:
                break
            family = np.concatenate([family, G[None]])
        return bound

    def most(self, value: Callable[[Complex], Real]) -> float:
        """Return an upper bound of a convex figure: its largest value on the corners of a box."""
        k = len(self.axes)
        if k > _CORNERS:
            return np.inf
        corners = np.array(list(itertools.product(*self.sides))).reshape(2**k, k)
        return float(np.max(value(self.at(corners))))

    @cached_property
    def sides(self) -> list[tuple[float, float]]:
        """The least and the largest of every t_i."""
        own = [self.cut(N)[0] for N in self.axes]  # t_i = tr ρ'N_i − tr ρN_i
        low = [self.least(lambda _, N=N: N) for N in self.axes]  # type: ignore[misc]
        high = [-self.least(lambda _, N=N: -N) for N in self.axes]  # type: ignore[misc]
        return [(a - c, b - c) for a, b, c in zip(low, high, own, strict=True)]

    def _model(self, family: Complex) -> tuple[Real, float]:
        """Minimise max_j tr ρG_j over the states: t of the least one, and a lower bound of it.

        τs − log det ρ(t) − Σ_j log(s − tr ρG_j) is minimised for growing τ.
        """
        cuts = self.cut(family)
        x = np.append(np.zeros(cuts.shape[1] - 1), cuts[:, 0].max() + 1.0)
        weight = len(self.centre) + len(cuts)
        tau, bound = float(weight), -np.inf
        while tau * _TOLERANCE <= weight:
            tau *= _STEEPER
            x = self._centred(x, cuts, tau)
            bound = max(bound, self._certified(x, cuts, family, tau))
        return x[:-1], bound

    def _certified(self, x: Real, cuts: Real, family: Complex, tau: float) -> float:
        """Return a lower bound of max_j tr ρG_j from the duals of any inner point.

        With weights w_j, G = Σ w_j G_j and any Z with tr N_i Z = tr N_i G, no state that looks
        alike has less than tr ρ(G − Z) plus the lowest eigenvalue of Z.
        """
        shares = 1 / (x[-1] - cuts @ np.append(1.0, x[:-1]))
        G = np.tensordot(shares / shares.sum(), family, axes=1)
        Z = np.asarray(np.linalg.inv(self.at(x[:-1])) / tau, dtype=complex)
        Z = np.asarray(Z + np.tensordot(self.cut(G - Z)[1:], self.axes, axes=1))
        lowest = float(np.linalg.eigvalsh((Z + dagger(Z)) / 2)[0])
        return float(self.cut(G - Z)[0]) + lowest

    def _centred(self, x: Real, cuts: Real, tau: float) -> Real:
        """Minimise the barrier by damped Newton steps."""
        for _ in range(_NEWTON):
            gradient, hessian = self._derivatives(x, cuts, tau)
            size = np.sqrt(np.diagonal(hessian))
            step = np.linalg.lstsq(hessian / np.outer(size, size), gradient / size)[0] / size
            decrement = float(np.sqrt(max(gradient @ step, 0.0)))
            length = 1.0 if decrement < 0.25 else 1 / (1 + decrement)
            while length > 1e-6 and not self._inside(x - length * step, cuts):
                length /= 2
            if length <= 1e-6:
                break
            x = x - length * step
            if decrement < _CENTRED:
                break
        return x

    def _inside(self, x: Real, cuts: Real) -> bool:
        lowest = np.linalg.eigvalsh(self.at(x[:-1]))[0]
        return bool(lowest > 0 and np.all(x[-1] - cuts @ np.append(1.0, x[:-1]) > 0))

    def _derivatives(self, x: Real, cuts: Real, tau: float) -> tuple[Real, Real]:
        moved = np.linalg.inv(self.at(x[:-1])) @ self.axes
        slack = x[-1] - cuts @ np.append(1.0, x[:-1])
        rows = np.column_stack([cuts[:, 1:], -np.ones(len(cuts))]) / slack[:, None]
        gradient = rows.sum(axis=0)
        gradient[:-1] -= np.trace(moved, axis1=1, axis2=2).real
        gradient[-1] += tau
        flat, turned = (a.reshape(len(moved), -1) for a in (moved, moved.swapaxes(1, 2)))
        hessian = rows.T @ rows
        hessian[:-1, :-1] += (flat @ turned.T).real
        return gradient, hessian
