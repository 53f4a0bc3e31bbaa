"""The battery of rosen-zener-battery: N spins charged by a sine-squared pulse, solved exactly.

H = Δ J_z + f(t) J_x + (2λΔ/N) J_z², f = v0 sin²(πt/T), from the ground state of Δ J_z.  All spins
are addressed alike, so that N + 1 levels of the total spin N/2 are enough.  ħ = 1; energies and
rates in one unit, times in its inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh_tridiagonal

from nmrqb.battery.checks import finite_numbers
from nmrqb.battery.power import average_power
from nmrqb.dynamics.registers import ladder, levels
from nmrqb.dynamics.registers.collective import checked_count
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real

_P = 1 / (4 - 4 ** (1 / 3))  # Suzuki's five second-order steps of p, p, 1 − 4p, p, p
_DRIVEN = (_P, _P, 1 - 4 * _P, _P, _P)
_FREE = (_P / 2, _P, (1 - 3 * _P) / 2, (1 - 3 * _P) / 2, _P, _P / 2)
_STEPS = 32  # over the whole pulse, to begin with
_HALVINGS = 12
_FINEST = 1e-12


@dataclass(frozen=True, eq=False)
class RosenZenerCharging:
    """States of N spins during a sine-squared pulse.

    Attributes
    ----------
    times
        t, shape (..., n).
    states
        Amplitudes of |N/2, m⟩, m = N/2, …, −N/2, shape (..., n, N + 1).
    drive
        f(t), shape (..., n).
    Delta
        Δ, splitting of every spin.
    """

    times: Real
    states: Complex
    drive: Real
    Delta: float

    @property
    def populations(self) -> Real:
        """|⟨m|ψ⟩|², shape (..., n, N + 1)."""
        return np.asarray(np.abs(self.states) ** 2)

    @property
    def _m(self) -> Real:
        return levels((self.states.shape[-1] - 1) / 2)

    def stored_energy(self) -> Real:
        """Return E(t) = Δ(⟨J_z⟩ + N/2), eq. 6: (..., n)."""
        return np.asarray(self.Delta * (self.populations @ self._m + self._m[0]))

    def average_power(self) -> Real:
        """Return E(t)/t, eq. 7, 0 at t = 0: (..., n)."""
        return average_power(self.stored_energy(), self.times)

    def instantaneous_power(self) -> Real:
        """Return dE/dt = Δ f(t) ⟨J_y⟩, eq. 8: (..., n)."""
        raised = ladder(self._m[0])
        flow = (self.states[..., :-1].conj() * self.states[..., 1:] * raised).sum(axis=-1)
        return np.asarray(self.Delta * self.drive * flow.imag)

    def fluctuations(self) -> Real:
        """Return Σ(t) = Δ √(⟨J_z²⟩ − ⟨J_z⟩²), eq. 9: (..., n)."""
        mean = self.populations @ self._m
        deviation = (self._m - mean[..., None]) ** 2
        return np.asarray(abs(self.Delta) * np.sqrt((self.populations * deviation).sum(axis=-1)))

    def diagonal_entropy(self) -> Real:
        """Return S(t) = −Σ_m p_m log₂ p_m in bits, eq. 10: (..., n)."""
        p = self.populations
        return np.asarray(-(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1))


def pulse_angle(fractions: ArrayLike, v0: ArrayLike, period: ArrayLike) -> Real:
    """Return θ(t) = ∫f dt = v0T/2 (s − sin(2πs)/2π) in rad at s = t/T: (..., n).

    Parameters
    ----------
    fractions
        s from 0 to 1, shape (n,).
    v0, period
        v0 and T, shapes (...).
    """
    s = finite_numbers(fractions, "fractions")
    area = np.multiply(v0, period)[..., None]
    return np.asarray(area / 2 * (s - np.sin(2 * np.pi * s) / (2 * np.pi)))


def charge_rosen_zener(
    fractions: ArrayLike,
    *,
    spins: int,
    v0: ArrayLike,
    period: ArrayLike,
    interaction: ArrayLike = 0.0,
    Delta: float = 1.0,
    tolerance: float = 1e-9,
) -> RosenZenerCharging:
    """Charge N spins with a sine-squared pulse, without the approximations of the paper.

    Suzuki's fourth-order splitting into the drive, which turns all spins by the exact angle of the
    step, and the diagonal rest; steps are halved until the states stand still.

    Parameters
    ----------
    fractions
        t/T from 0 to 1, ascending, shape (n,).
    spins
        N.
    v0, period, interaction
        v0, T and λ = η/Δ, of shapes that broadcast to (...).
    Delta
        Δ ≠ 0; the unit of v0 and, inverted, of T.
    tolerance
        Largest change of an amplitude when the steps are halved, from 1e-12.

    Raises
    ------
    ArgumentError
        If a number is not finite, the fractions are not ascending from 0 to 1, or the states do
        not stand still after twelve halvings.

    Notes
    -----
    rosen-zener-battery, eqs. 1 to 5.  Its eq. 4 sums over i ≠ j and makes 2λΔ/N J_z² of it, used
    here.  What it says of its figs. 6a, 7a and 7c holds for a sum over pairs, λΔ/N J_z²: halve λ.
    """
    N, s = checked_count(spins, "spins"), _checked_fractions(fractions)
    constants = [finite_numbers(v, n) for v, n in ((v0, "v0"), (period, "period"))]
    constants.append(finite_numbers(interaction, "interaction"))
    v, T, lam = np.broadcast_arrays(*constants)
    if not (math.isfinite(Delta) and Delta != 0 and np.all(T > 0)):
        raise ArgumentError(
            f"Arguments `Delta` and `period` must be ≠ 0 and > 0, but are {Delta}, {T}"
        )
    if not tolerance >= _FINEST:
        raise ArgumentError(f"Argument `tolerance` must be {_FINEST:g} or more, but is {tolerance}")
    m = levels(N / 2)
    free = Delta * T[..., None] * (m + 2 * lam[..., None] / N * m**2)
    states = _converged(s, v * T, free, tolerance)
    drive = v[..., None] * np.sin(np.pi * s) ** 2
    return RosenZenerCharging(T[..., None] * s, states, drive, float(Delta))


def _checked_fractions(fractions: ArrayLike) -> Real:
    s = np.atleast_1d(finite_numbers(fractions, "fractions"))
    if s.ndim != 1 or np.any(np.diff(s, prepend=0.0, append=1.0) < 0):
        raise ArgumentError(f"Argument `fractions` must ascend from 0 to 1, but is {s}")
    return s


def _converged(s: Real, area: Real, free: Real, tolerance: float) -> Complex:
    """Return the states with so many steps that twice as many change nothing."""
    coarse = _split(s, area, free, 1)
    for halvings in range(1, _HALVINGS + 1):
        fine = _split(s, area, free, 2**halvings)
        if np.abs(fine - coarse).max() <= tolerance:
            return fine
        coarse = fine
    raise ArgumentError(
        f"Argument `tolerance` must be within reach of {_HALVINGS} halvings of the steps, but is "
        f"{tolerance}"
    )


def _split(s: Real, area: Real, free: Real, finer: int) -> Complex:
    """Return ψ at the fractions; ``finer`` multiplies the steps between every two of them."""
    N = free.shape[-1] - 1
    e, V = eigh_tridiagonal(np.zeros(N + 1), ladder(N / 2) / 2)  # J_x
    turn = V.astype(complex)
    psi = np.zeros((*free.shape[:-1], N + 1), dtype=complex)
    psi[..., -1] = 1
    found, starts = [], np.append(0.0, s[:-1])
    for start, gap in zip(starts, s - starts, strict=True):
        count = math.ceil(gap * _STEPS) * finer
        for k in range(count):
            edges = start + gap * (k + np.cumsum([0.0, *_DRIVEN])) / count
            angles = np.diff(pulse_angle(edges, area, 1.0))
            psi = _step(psi, angles, free * (gap / count), e, turn)
        found.append(psi)
    return np.stack(found, axis=-2)


def _step(psi: Complex, angles: Real, free: Real, e: Real, V: Complex) -> Complex:
    """Return one fourth-order step; ``angles`` are those of its five turns, shape (..., 5)."""
    for k, share in enumerate(_FREE):
        psi = np.exp(-1j * share * free) * psi
        if k < len(_DRIVEN):
            psi = (np.exp(-1j * angles[..., k, None] * e) * (psi @ V)) @ V.T
    return psi


def interacting_levels(spins: int, interaction: ArrayLike, Delta: float = 1.0) -> Real:
    """Return the energies Δ m + (2λΔ/N) m² without drive, m = N/2, …, −N/2: (..., N + 1).

    The ground state leaves m = −N/2 at λ = N/(2(N − 1)) and then has m ≈ −N/(4λ); the paper's
    fig. 6 has the transition at λ = 1, where a sum over pairs in its eq. 4 puts it.

    Parameters
    ----------
    spins
        N.
    interaction
        λ, shape (...).
    Delta
        Δ.
    """
    m = levels(checked_count(spins, "spins") / 2)
    lam = finite_numbers(interaction, "interaction")[..., None]
    return np.asarray(Delta * (m + 2 * lam / spins * m**2))
