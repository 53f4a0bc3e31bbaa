"""FIDs of closed systems, exact and fast: lines first, then their sum on the uniform grid.

H falls into blocks that its non-zero entries connect (for a secular Hamiltonian, the levels of
one magnetic quantum number of every nucleus).  With H|a⟩ = E_a|a⟩ block by block,
tr[ρ(t)C] = Σ_ab ρ_ab C_ba e^{i(E_b − E_a)t}, and only pairs of blocks that C connects have lines.
On a grid t = (aB + b)Δt the sum over lines is one product of two matrices, because
e^{λ(aB + b)Δt} = e^{λaBΔt} e^{λbΔt}.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from nmrqb.arguments import checked
from nmrqb.dynamics.coherent.blocks import Indices, blocks, pattern_of
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger
from nmrqb.spectrometer.receiver import Receiver

MAX_CLOSED_DIMENSION = 1024
_HERMITIAN = 1e-12
_DARK = 5e-14  # amplitudes that together are below this share of the root of the sum of squares
_ONE_BLOCK = 16  # up to this dimension smaller blocks save no time
_AT_ONCE = 4096  # lines
_WIDE = {"f": np.longdouble, "c": np.clongdouble}
_TURN = 8 * np.arctan(np.longdouble(1))  # 2π
_DIRECT = 512  # exponentials that cost no more than one doubling


_Levels: TypeAlias = tuple[Real, Real, Complex]


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines s(t) = Σ_l a_l e^{λ_l t} that a coil sees.

    Attributes
    ----------
    rates
        λ = i2πν − R in 1/s, shape (lines,).
    amplitudes
        a, shape (..., lines), in the unit of tr(ρC).
    remainder
        What double precision leaves out of 2πν, shape (lines,), 1/s.
    """

    rates: Complex
    amplitudes: Complex
    remainder: Real | float = 0.0

    @property
    def frequencies_hz(self) -> Real:
        """Frequencies ν in Hz, shape (lines,)."""
        return np.asarray(self.rates.imag / (2 * np.pi))

    @property
    def widths_hz(self) -> Real:
        """Full widths at half height R/π in Hz, shape (lines,)."""
        return np.asarray(-self.rates.real / np.pi)


@checked
def fid(
    hamiltonian: Complex, rho: Complex, coil: Complex, receiver: Receiver, *, decay: float = 0.0
) -> Complex:
    """Return s(t_j) = e^{iφ − Rt_j} tr[e^{−iHt_j} ρ e^{iHt_j} C] at the points of a receiver.

    The error is that of H itself in double precision, about 1e-16 ‖H‖ t.

    Parameters
    ----------
    hamiltonian
        H in rad/s, Hermitian, shape (d, d).
    rho
        States or deviations at t = 0, shape (..., d, d).
    coil
        C, any operator of shape (d, d); see `coil_operator`.
    receiver
        Points, dead time and phase.
    decay
        R in 1/s, ≥ 0, the same for all lines.

    Returns
    -------
    array of shape (..., points)

    Raises
    ------
    ArgumentError
        If H is not Hermitian, shapes do not fit, a number is not finite, or H has more than
        1024 levels.
    """
    return sum_of_lines(_lines(hamiltonian, rho, coil, decay), receiver)


@checked
def line_list(hamiltonian: Complex, rho: Complex, coil: Complex, *, decay: float = 0.0) -> Lines:
    """Return the lines of tr[ρ(t)C] in the order of their frequencies.

    Their amplitudes add up to tr(ρC).  Lines are left out that together stay below 5e-14 of the
    root-mean-square signal; lines that coincide are not joined.

    Parameters
    ----------
    hamiltonian, rho, coil, decay
        As for `fid`.

    Raises
    ------
    ArgumentError
        As for `fid`.
    """
    lines = _lines(hamiltonian, rho, coil, decay)
    order = np.argsort(lines.rates.imag, kind="stable")
    return Lines(
        lines.rates[order], lines.amplitudes[..., order], np.asarray(lines.remainder)[order]
    )


@checked
def sum_of_lines(lines: Lines, receiver: Receiver) -> Complex:
    """Return s(t_j) = e^{iφ} Σ_l a_l e^{λ_l t_j}, shape (..., points), t in s.

    Every line may have its own rate.
    """
    inner = 2 ** (receiver.points.bit_length() // 2)
    outer = -(-receiver.points // inner)
    step = 1 / _WIDE["f"](receiver.spectral_width_hz)
    amplitudes = lines.amplitudes[..., None, :]
    if receiver.dead_time_s or receiver.phase_rad:
        start = _exponents(lines, receiver.dead_time_s) + 1j * receiver.phase_rad
        amplitudes = amplitudes * np.exp(start)
    slow, quick = _exponents(lines, inner * step), _exponents(lines, step)
    chunks = [slice(k, k + _AT_ONCE) for k in range(0, max(quick.size, 1), _AT_ONCE)]
    sums = (_part(amplitudes[..., c], slow[c], quick[c], (outer, inner)) for c in chunks)
    total = functools.reduce(operator.iadd, sums)
    return np.asarray(total.reshape(*total.shape[:-2], -1)[..., : receiver.points])


def _part(amplitudes: Complex, slow: Complex, quick: Complex, shape: tuple[int, int]) -> Complex:
    """Return Σ_l a_l e^{js_l + kq_l} for all j, k below a shape: (..., outer, inner)."""
    table = _powers(np.concatenate([slow, quick]), max(shape))
    first, second = table[: shape[0], : slow.size], table[: shape[1], slow.size :]
    return np.asarray((amplitudes * first) @ second.T)


def transition_frequencies(hamiltonian: Complex, coil: Complex, *, visible: float) -> Real:
    """Return the angular frequencies E_b − E_a with |⟨b|C|a⟩| above a share of the largest.

    Parameters
    ----------
    hamiltonian, coil
        As for `fid`.
    visible
        Smallest matrix element over the largest one.

    Returns
    -------
    array of shape (lines,), rad/s, in no particular order
    """
    found = _joined(hermitian(hamiltonian), as_matrix(coil, "coil"))
    size = _flat([np.abs(pair.elements) for pair in found])
    frequencies = _flat([pair.frequencies for pair in found])
    return np.asarray(frequencies[size > visible * size.max(initial=0.0)])


# --------------------------------------------------------------------------------- arguments
def hermitian(hamiltonian: Complex) -> Complex:
    """Return a Hamiltonian that is known to be one matrix, finite, Hermitian and not too large."""
    if issparse(hamiltonian) or np.shape(hamiltonian)[-1:] > (MAX_CLOSED_DIMENSION,):
        raise ArgumentError(
            "Argument `hamiltonian` must be a dense matrix of at most "
            f"{MAX_CLOSED_DIMENSION} levels (ten spins), but has shape {np.shape(hamiltonian)}"
        )
    H = as_matrix(hamiltonian, "hamiltonian")
    if H.ndim != 2:
        raise ArgumentError(
            f"Argument `hamiltonian` must have shape (d, d), but has shape {H.shape}"
        )
    mirror = dagger(H)
    off = 0.0 if (mirror == H).all() else np.abs(H - mirror).max()
    if off and off > _HERMITIAN * np.abs(H).max():
        raise ArgumentError(
            f"Argument `hamiltonian` must be Hermitian, but H − H† has an entry of {off} rad/s"
        )
    return H


def same_size(hamiltonian: Complex, rho: Complex, coil: Complex) -> tuple[Complex, Complex]:
    """Return states and coil that are known to be finite and of the size of a Hamiltonian."""
    states, C = as_matrix(rho, "rho"), as_matrix(coil, "coil")
    d = len(hamiltonian)
    if states.shape[-1] != d or C.shape != (d, d):
        raise ArgumentError(
            f"Arguments `rho` and `coil` must have shapes (..., {d}, {d}) and ({d}, {d}) like "
            f"`hamiltonian`, but have shapes {states.shape} and {C.shape}"
        )
    return states, C


# --------------------------------------------------------------------------------- the lines
def _lines(hamiltonian: Complex, rho: Complex, coil: Complex, decay: float) -> Lines:
    H = hermitian(hamiltonian)
    states, C = same_size(H, rho, coil)
    if not 0 <= decay < np.inf:
        raise ArgumentError(f"Argument `decay` must be ≥ 0 and finite, but is {decay} 1/s")
    batch = states.shape[:-2]
    flat = states.reshape(*batch, -1)
    found, amplitudes = _joined(H, C), []
    for pair in found:
        coherences = pair.first.conj().swapaxes(-1, -2) @ flat[..., pair.at] @ pair.second
        amplitudes.append((coherences * pair.elements).reshape(*batch, -1))
    every = np.concatenate([np.zeros((*batch, 0), dtype=complex), *amplitudes], axis=-1)
    bright = _bright(every)
    frequencies = _flat([pair.frequencies for pair in found])[bright]
    remainder = _flat([pair.remainder for pair in found])[bright]
    rates = np.asarray(1j * frequencies - decay, dtype=complex)
    return Lines(rates, every[..., bright], remainder)


def _flat(arrays: Sequence[Real]) -> Real:
    return np.concatenate([np.zeros(0), *(array.ravel() for array in arrays)])


@dataclass(frozen=True, eq=False)
class _Joined:
    """Pairs of blocks (a, b) of sizes A and B that the coil joins, stacked."""

    frequencies: Real  # E_b − E_a, shape (pairs, A, B)
    remainder: Real  # what double precision leaves out of them
    elements: Complex  # ⟨b|C|a⟩
    at: Indices  # flat indices of ρ_ab
    first: Complex  # |a⟩, columns
    second: Complex  # |b⟩


def _joined(H: Complex, C: Complex) -> list[_Joined]:
    plan = _plan(pattern_of(H).tobytes(), (C != 0).tobytes(), len(H))
    levels = {size: _levels(H.reshape(-1)[at]) for size, at in plan.blocks.items()}
    turned, found = C.T.reshape(-1), []
    for pair in plan.pairs:
        E_a, e_a, V_a = _pick(levels[pair.sizes[0]], pair.first)
        E_b, e_b, V_b = _pick(levels[pair.sizes[1]], pair.second)
        plus, minus = E_b[:, None, :], E_a[:, :, None]
        difference = plus - minus
        shift = difference + minus  # Knuth's two-sum: the rounding error of the difference
        lost = (plus - shift) - (minus - (shift - difference))
        remainder = lost + (e_b[:, None, :] - e_a[:, :, None])
        elements = V_a.swapaxes(-1, -2) @ turned[pair.at] @ V_b.conj()
        found.append(_Joined(difference, remainder, elements, pair.at, V_a, V_b))
    return found


def _pick(levels: _Levels, which: Indices | slice) -> _Levels:
    energies, remainder, states = levels
    return energies[which], remainder[which], states[which]


def _levels(stack: Complex) -> _Levels:
    """Return energies, what double precision leaves out of them, and states of stacked blocks.

    ⟨a|H − E_a|a⟩ in extended precision is exact to second order in the errors of |a⟩.
    """
    block = np.asarray(stack if np.any(stack.imag) else np.ascontiguousarray(stack.real))
    energies, V = np.linalg.eigh(block)
    extended = _WIDE[block.dtype.kind]
    wide: NDArray[Any] = V.astype(extended)
    residue = block.astype(extended) @ wide - wide * energies[:, None, :]
    return energies, (V.conj() * residue.astype(V.dtype)).real.sum(axis=-2), V


def _bright(amplitudes: Complex) -> Indices:
    """Return the lines to keep: those left out add up to less than a share of every signal."""
    size = np.abs(amplitudes)
    signal = np.sqrt((size * size).sum(axis=-1, keepdims=True))
    bright = size > _DARK / max(size.shape[-1], 1) * signal
    return np.flatnonzero(bright.any(axis=tuple(range(size.ndim - 1))))


# -------------------------------------------------------------------- which blocks are joined
@dataclass(frozen=True, eq=False)
class _Pair:
    sizes: tuple[int, int]
    first: Indices | slice  # which of the blocks of this size
    second: Indices | slice
    at: Indices  # flat indices of (a, b), shape (pairs, A, B)


@dataclass(frozen=True, eq=False)
class _Plan:
    blocks: dict[int, Indices]  # by their size: flat indices, shape (blocks, size, size)
    pairs: tuple[_Pair, ...]


@lru_cache(maxsize=32)
def _plan(hamiltonian: bytes, coil: bytes, d: int) -> _Plan:
    """Return which blocks there are and which pairs a coil connects; only the zeros matter."""
    H, C = (np.frombuffer(b, dtype=bool).reshape(d, d) for b in (hamiltonian, coil))
    found = blocks(H) if d > _ONE_BLOCK else [np.arange(d)]
    sizes = np.array([len(block) for block in found])
    groups = {int(k): np.stack([b for b in found if len(b) == k]) for k in np.unique(sizes)}
    rank = np.array([np.count_nonzero(sizes[:i] == size) for i, size in enumerate(sizes)])
    label = np.empty(d, dtype=np.intp)
    for i, block in enumerate(found):
        label[block] = i
    b, a = (label[side] for side in np.nonzero(C))
    a, b = np.divmod(np.unique(a * len(found) + b), len(found))
    pairs = []
    for A, B in sorted(set(zip(sizes[a].tolist(), sizes[b].tolist(), strict=True))):
        these = (sizes[a] == A) & (sizes[b] == B)
        first, second = rank[a[these]], rank[b[these]]
        at = groups[A][first][:, :, None] * d + groups[B][second][:, None, :]
        picked = _index(first, len(groups[A])), _index(second, len(groups[B]))
        pairs.append(_Pair((A, B), *picked, at))
    flat = {k: group[:, :, None] * d + group[:, None, :] for k, group in groups.items()}
    return _Plan(flat, tuple(pairs))


def _index(places: Indices, count: int) -> Indices | slice:
    """Return a slice instead of an index array where it takes everything in order."""
    return slice(None) if np.array_equal(places, np.arange(count)) else places


# --------------------------------------------------------------------------- sums on the grid
def _exponents(lines: Lines, time: float | np.longdouble) -> Complex:
    """Return λt with its phase reduced to half a turn: many turns lose no digits."""
    turns = (lines.rates.imag.astype(_WIDE["f"]) + lines.remainder) * (time / _TURN)
    exponents = (lines.rates.real * float(time)).astype(complex)
    exponents.imag = _TURN * (turns - np.rint(turns))
    return exponents


def _powers(exponents: Complex, count: int) -> Complex:
    """Return e^{kx} for k < count: (lines,) → (count, lines), by doubling.

    Every factor is an exponential of its own, so that errors do not grow with k.
    """
    lines = max(len(exponents), 1)
    known = min(count, max(1, _DIRECT // lines))
    table = np.empty((count, len(exponents)), dtype=complex)
    table[:known] = np.exp(np.arange(known)[:, None] * exponents)
    while known < count:
        new = min(known, count - known)
        table[known : known + new] = table[:new] * np.exp(known * exponents)
        known += new
    return table
