"""Propagators of segments under one drift, kept as their structure allows.

A delay is block diagonal in the conserved spin of every channel, and one diagonalisation of the
drift serves all delays.  Pulses that differ by phase are one pulse seen from frames turned about
z, U_φ = e^{−iφF_z} U_x e^{iφF_z}, where the drift commutes with that turn; the generator of U_x is
real.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from nmrqb.dynamics.coherent.blocks import Indices
from nmrqb.dynamics.coherent.exponentials import block_groups, exp_hermitian, from_spectrum
from nmrqb.dynamics.segments import Segment
from nmrqb.operators import Complex, Real, spin_count, spin_operator, spin_projections

_SAME = 1e-14  # relative; what differs by less is rounding
_KEPT = 2**24  # matrix elements of propagators that are kept
_DIGITS = 13  # of an angle in rad: pulses that agree in them are one


@dataclass(frozen=True, eq=False)
class Factor:
    """One propagator exp[−i(Θ + HT)].

    Attributes
    ----------
    groups
        The levels of its blocks, shape (blocks, m), and the blocks, (blocks, m, m), by size m.
    frame
        Phases F of shape (d,), the propagator being F(blocks)F*, or None.
    """

    groups: tuple[tuple[Indices, Complex], ...]
    frame: Complex | None = None

    def on(self, states: Complex) -> Complex:
        """Return the propagator times columns of shape (d, k)."""
        if self.frame is None:
            return self._core_on(states)
        return self.frame[:, None] * self._core_on(self.frame.conj()[:, None] * states)

    def _core_on(self, states: Complex) -> Complex:
        if len(self.groups) == 1 and len(self.groups[0][0]) == 1:
            return np.asarray(self.groups[0][1][0] @ states)
        result = np.empty(states.shape, dtype=complex)
        for levels, blocks in self.groups:
            if levels.shape[-1] == 1:
                result[levels[:, 0]] = blocks[:, 0] * states[levels[:, 0]]
            else:
                result[levels] = blocks @ states[levels]
        return result

    def matrix(self) -> Complex:
        """Return the propagator as a matrix, shape (d, d)."""
        d = sum(levels.size for levels, _ in self.groups)
        U = np.zeros((d, d), dtype=complex)
        for levels, blocks in self.groups:
            U[levels[:, :, None], levels[:, None, :]] = blocks
        return U if self.frame is None else self.frame[:, None] * U * self.frame.conj()


class FactorTable:
    """The propagators of segments under one drift, each distinct one computed once.

    Parameters
    ----------
    drift
        H in rad/s, shape (2ⁿ, 2ⁿ).
    """

    def __init__(self, drift: Complex) -> None:
        self.drift = drift
        self.n = spin_count(drift)
        self.groups = block_groups(drift)
        self.first = np.empty(len(drift), dtype=np.intp)  # level of every level's block
        for levels in self.groups:
            self.first[levels] = levels[:, :1]
        self._known: dict[Hashable, Factor] = {}
        self._spectra: list[tuple[Indices, Real, Complex]] = []

    def of(self, segment: Segment) -> Factor:
        """Return the propagator of a segment; its duration is one number."""
        vectors = None if segment.evolution is not None else segment.vectors
        if vectors is None:
            return self._kept(id(segment), lambda: self._dense(segment))
        T = float(segment.duration)
        if not np.any(vectors):
            return self._kept(T, lambda: self._delay(T))
        return self._kept((T, vectors.tobytes()), lambda: self._pulse(vectors, T))

    def _kept(self, key: Hashable, make: Callable[[], Factor]) -> Factor:
        if key not in self._known:
            if len(self._known) * self.drift.size > _KEPT:
                self._known.clear()
            self._known[key] = make()
        return self._known[key]

    def _dense(self, segment: Segment) -> Factor:
        return _whole(exp_hermitian(segment.generator(self.drift)))

    def _delay(self, T: float) -> Factor:
        """Return exp(−iHT) from the one diagonalisation of H, block by block."""
        if not self._spectra:
            for levels in self.groups:
                part = self.drift[levels[:, :, None], levels[:, None, :]]
                energies, V = np.linalg.eigh(part if np.any(part.imag) else part.real)
                self._spectra.append((levels, energies, V))
        groups = ((levels, from_spectrum(T * energies, V)) for levels, energies, V in self._spectra)
        return Factor(tuple(groups))

    def _pulse(self, vectors: Real, T: float) -> Factor:
        """Return a pulse as one of phase x in a turned frame where the drift allows it."""
        turns = np.arctan2(vectors[:, 1], vectors[:, 0])
        frame = np.exp(-1j * turns @ spin_projections(self.n))
        if np.any(np.abs(frame - frame[self.first]) > _SAME):  # the drift does not allow it
            turns, frame = np.zeros(self.n), np.ones(len(frame), dtype=complex)
        if np.any(turns):
            length = np.hypot(vectors[:, 0], vectors[:, 1])
            vectors = np.stack([length, np.zeros(self.n), vectors[:, 2]], axis=-1)
        key = (T, _DIGITS, (np.round(vectors, _DIGITS) + 0.0).tobytes())
        core = self._kept(key, lambda: self._turned(vectors, T))
        return Factor(core.groups, frame) if np.any(turns) else core

    def _turned(self, vectors: Real, T: float) -> Factor:
        control = sum(
            value * spin_operator(axis, k, self.n)
            for k, vector in enumerate(vectors)
            for axis, value in zip("xyz", vector, strict=True)
            if value
        )
        return _whole(exp_hermitian(control + T * self.drift))


def _whole(U: Complex) -> Factor:
    return Factor(((np.arange(len(U))[None], U[None]),))
