"""Open evolution of larger registers: coherent and dissipative steps in turn.

One Strang step is S(h) = D(h/2) U(h) D(h/2), U the coherent evolution and D the dissipation part by
part in mirror order, so that S(h) S(−h) = 1 and the local error is odd in h.  So is that of
S(ah) S(bh) S(ah), 2a + b = 1, which is c = 2a³ + b³ times that of S(h) in the third order, so that

    [S(ah) S(bh) S(ah) − c S(h)]/(1 − c)

is of fourth order.  It never runs the dissipator backwards, as real splittings of that order must
(Suzuki, J. Math. Phys. 32, 400 (1991)); it keeps the trace and Hermiticity exactly and positivity
up to its error.  a is irrational, the golden ratio squared: where a frequency makes whole turns in
S(h), so that S(h) does not see it, S(ah) does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np

from nmrqb.dynamics.coherent.exponentials import exp_hermitian, exp_matrix
from nmrqb.dynamics.coherent.propagators import with_trace
from nmrqb.dynamics.methods import Method
from nmrqb.dynamics.relaxing.dissipation import Dissipation, Part
from nmrqb.dynamics.segments import Segment
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger, spin_count, spread

Action = Callable[[Complex], Complex]

MAX_STEPS = 2**14  # of one segment
LARGEST_PART = 4  # spins; a part that is not diagonal becomes a matrix of 4ᵏ × 4ᵏ
_PAIR = 2  # spins whose one-spin parts are applied as one
_SAFETY = 2.0
_ORDER = 4
_GOLDEN = (3 - math.sqrt(5)) / 2
_CUTS = (_GOLDEN, 1 - 2 * _GOLDEN, _GOLDEN)
_THIRD_ORDER = sum(cut**3 for cut in _CUTS)
_EXTRAPOLATED = _THIRD_ORDER / (1 - _THIRD_ORDER)
_ROUNDING = 1e-13  # of one step, relative to the state
_MOST_AT_FIRST = 64
_GROWN = 2.0  # what is extrapolated may grow by this before the steps are chosen anew


@dataclass(frozen=True, eq=False)
class Channels:
    """The dissipation of n spins as maps that are applied one after the other.

    Attributes
    ----------
    rates
        Elementwise rates of all diagonal parts, shape (2ⁿ, 2ⁿ), 1/s, or None.
    local
        Spins and generators (4ᵏ, 4ᵏ) of the others.
    """

    rates: Complex | None
    local: tuple[tuple[tuple[int, ...], Complex], ...]

    @classmethod
    def of(cls, dissipation: Dissipation) -> Channels:
        """Return the maps of a dissipation, those of single spins two spins at a time.

        Raises
        ------
        ArgumentError
            If a part that is not diagonal acts on more than four spins.
        """
        n, parts = dissipation.n, dissipation.parts
        diagonal = [part for part in parts if part.diagonal]
        others = [part for part in parts if not part.diagonal]
        for part in others:
            if len(part.spins) > LARGEST_PART:
                raise ArgumentError(
                    f"Argument `dissipation` must have operators on at most {LARGEST_PART} spins "
                    f"unless they are diagonal, but has one on {len(part.spins)}"
                )
        rates = [_spread_rates(part, n) for part in diagonal]
        return cls(reduce(np.add, rates) if rates else None, _grouped(others))

    def actions(self, h: float) -> list[Action]:
        """Return exp(Dh) of every map, each a function of (..., 2ⁿ, 2ⁿ)."""
        found: list[Action] = []
        if self.rates is not None:
            decay = np.exp(h * _real_if_real(self.rates))
            found.append(lambda rho: decay * rho)
        for spins, generator in self.local:
            found.append(_local_action(exp_matrix(h * generator), spins))
        return found

    @property
    def norm(self) -> float:
        """A bound on the size of the dissipator, 1/s."""
        rates = 0.0 if self.rates is None else float(np.abs(self.rates).max())
        return rates + sum(float(np.abs(g).sum(axis=-1).max()) for _, g in self.local)


def _real_if_real(rates: Complex) -> Complex | Real:
    return rates if np.any(rates.imag) else rates.real


def _spread_rates(part: Part, n: int) -> Complex:
    levels = np.diagonal(part.operators, axis1=-2, axis2=-1)
    wide = [np.diagonal(spread(np.diag(level), part.spins, n)) for level in levels]
    return Part(tuple(range(n)), np.array([np.diag(w) for w in wide])).rates


def _grouped(parts: Sequence[Part]) -> tuple[tuple[tuple[int, ...], Complex], ...]:
    """Add up the parts of the same spins; take one-spin parts together in pairs."""
    by_spins: dict[tuple[int, ...], Complex] = {}
    for part in parts:
        by_spins[part.spins] = by_spins.get(part.spins, 0) + part.generator
    singles = [spins for spins in by_spins if len(spins) == 1]
    joined = []
    for first in range(0, len(singles), _PAIR):
        spins = sum(singles[first : first + _PAIR], start=())
        generator = sum(
            _beside(by_spins[(spin,)], place, len(spins)) for place, spin in enumerate(spins)
        )
        joined.append((spins, np.asarray(generator)))
    return (*joined, *((s, g) for s, g in by_spins.items() if len(s) > 1))


def _beside(generator: Complex, place: int, k: int) -> Complex:
    """Return a one-spin generator as one on row-flattened states of k spins: (4ᵏ, 4ᵏ)."""
    axes = [place, k + place]  # row and column bit of the spin among the 2k of vec(ρ)
    return spread(generator, axes, 2 * k)


def _local_action(matrix: Complex, spins: tuple[int, ...]) -> Action:
    """Return ρ ↦ a map of a few spins applied to states of all: (..., 2ⁿ, 2ⁿ) → the same."""

    def act(rho: Complex) -> Complex:
        n, batch = spin_count(rho), rho.shape[:-2]
        b = len(batch)
        tensor = rho.reshape(*batch, *(2,) * (2 * n))
        front = [b + s for s in spins] + [b + n + s for s in spins]
        rest = [axis for axis in range(b + 2 * n) if axis not in front]
        order = [*front, *rest]
        moved = tensor.transpose(order)
        mapped = (matrix @ moved.reshape(len(matrix), -1)).reshape(moved.shape)
        return mapped.transpose(np.argsort(order)).reshape(rho.shape)

    return act


@dataclass(frozen=True, eq=False)
class SplitStep:
    """Extrapolated steps over one stretch of time with a constant generator.

    Attributes
    ----------
    pieces
        For every step in turn the actions of S(h) and those of S(ah) S(bh) S(ah).
    """

    pieces: Sequence[tuple[Sequence[Action], Sequence[Action]]]

    def __call__(self, rho: Complex) -> tuple[Complex, float]:
        """Return the state after the stretch, and the size of what was extrapolated."""
        size = 0.0
        for coarse, fine in self.pieces:
            rough, good = _applied(coarse, rho), _applied(fine, rho)
            gap = _EXTRAPOLATED * (good - rough)
            rho = good + gap
            size += _largest(gap)
        return rho, size


def _applied(actions: Sequence[Action], rho: Complex) -> Complex:
    return reduce(lambda state, action: action(state), actions, rho)


def _turn(A: Complex) -> Action:
    U = exp_hermitian(A)
    back = dagger(U)
    return lambda rho: U @ rho @ back


def split_step(A: Complex, channels: Channels, T: float, shares: Sequence[float]) -> SplitStep:
    """Return extrapolated steps over T s under the coherent generator A.

    Parameters
    ----------
    A
        Θ + HT in rad, shape (..., d, d).
    channels
        The dissipation.
    T
        Duration in s.
    shares
        The steps, as shares of T.
    """
    known = {share: _piece(share * A, channels, share * T) for share in dict.fromkeys(shares)}
    return SplitStep([known[share] for share in shares])


def _piece(A: Complex, channels: Channels, h: float) -> tuple[list[Action], list[Action]]:
    """Return the actions of S(h) and of S(ah) S(bh) S(ah), whose meeting half steps are one."""
    outer, turns = channels.actions(h / 2), {cut: _turn(cut * A) for cut in {1.0, *_CUTS}}
    coarse = [*outer, turns[1.0], *reversed(outer)]
    halves = {cut: channels.actions(cut * h / 2) for cut in _CUTS}
    joined = channels.actions((_CUTS[0] + _CUTS[1]) * h / 2)
    # where D meets its mirror image the maps that touch are one
    fine = [*halves[_CUTS[0]]]
    for cut, following in pairwise(_CUTS):
        fine += [turns[cut], *reversed(halves[cut][1:]), joined[0], *halves[following][1:]]
    return coarse, [*fine, turns[_CUTS[-1]], *reversed(halves[_CUTS[-1]])]


def chosen_step(
    A: Complex, channels: Channels, T: float, rho: Complex, tolerance: float
) -> tuple[SplitStep, float, tuple[Complex, float]]:
    """Return steps whose error on a state is below a tolerance, that error, and what they give.

    The error of m equal steps is twice their distance, in the Frobenius norm, from 2m steps that
    cut each of them in the golden ratio: steps of half the length would agree, both wrong, where
    a frequency makes whole turns in either.

    Parameters
    ----------
    A, channels, T
        As for `split_step`.
    rho
        State that is stepped, shape (..., d, d).
    tolerance
        Largest error; where it is below what rounding leaves, that is taken.

    Raises
    ------
    ArgumentError
        If 16 384 steps are not enough.
    """
    m, size = _first_steps(channels, T), _largest(rho)
    while True:
        step = split_step(A, channels, T, [1 / m] * m)
        cut = split_step(A, channels, T, [_GOLDEN / m, (1 - _GOLDEN) / m] * m)
        done = step(rho)
        error = _SAFETY * _largest(done[0] - cut(rho)[0])
        if error <= max(tolerance, _ROUNDING * m * size):
            return step, error, done
        if m > MAX_STEPS:
            raise ArgumentError(
                f"Argument `tolerance` must be within reach of {MAX_STEPS} steps, but is "
                f"{tolerance:g} where they reach {error:.1e}"
            )
        m <<= max(1, math.ceil(math.log2(error / tolerance) / _ORDER))


def _first_steps(channels: Channels, T: float) -> int:
    """Return steps over each of which the dissipator does not change a state by much."""
    return 1 << math.ceil(math.log2(min(max(channels.norm * T, 1.0), _MOST_AT_FIRST)))


def _largest(matrices: Complex) -> float:
    return float(np.linalg.norm(matrices, axis=(-2, -1)).max(initial=0.0))


@dataclass(eq=False)
class SplitEvolver:
    """Extrapolated Strang steps of an open register.

    The substeps of every distinct segment are chosen on the first state that meets it, on the
    second one with a random matrix beside it, which stands for all that may follow, and anew when
    the difference of its two passes has grown; errors of all steps add up.

    Attributes
    ----------
    drift
        H in rad/s, shape (..., d, d).
    dissipation
        Lindblad operators.
    tolerance
        Largest error of one segment, in the Frobenius norm.
    error
        What has come together so far.
    """

    drift: Complex
    dissipation: Dissipation
    tolerance: float
    method: Method = "splitting"
    error: float = 0.0

    def __post_init__(self) -> None:
        self._channels = Channels.of(self.dissipation)
        self._chosen: dict[tuple[bytes, ...], _Chosen] = {}

    def advance(self, state: Complex, segments: Sequence[Segment]) -> Complex:
        """Return ρ after the segments, each of one duration.

        Raises
        ------
        ArgumentError
            If a duration is an array, or as for `chosen_step`.
        """
        for segment in segments:
            state = self._through(state, segment)
        return state

    def _through(self, state: Complex, segment: Segment) -> Complex:
        if np.ndim(segment.duration):
            raise ArgumentError(
                f"Argument `segments` must have one duration each for a splitting, but one has "
                f"durations of shape {np.shape(segment.duration)}"
            )
        after, error = self._stepped(segment, state)
        self.error += error + _ROUNDING * _largest(state)
        return with_trace(after, state)

    def _stepped(self, segment: Segment, state: Complex) -> tuple[Complex, float]:
        """Return the state after a segment and its error, by known steps if they suit it."""
        key = segment.content
        chosen = self._chosen.get(key)
        if chosen is not None and chosen.general:
            after, gap = chosen.step(state)
            if gap <= _GROWN * chosen.gap + _ROUNDING * _largest(state):
                grown = gap / chosen.gap if gap > chosen.gap > 0 else 1.0
                return after, chosen.error * min(grown, _GROWN)
        chosen, after = self._choose(segment, state, general=chosen is not None)
        self._chosen[key] = chosen
        return after, chosen.error

    def _choose(
        self, segment: Segment, state: Complex, *, general: bool
    ) -> tuple[_Chosen, Complex]:
        A = segment.dense().generator(self.drift)
        T = float(segment.duration)
        if T == 0:
            turn = [_turn(A)]
            step = SplitStep([(turn, turn)])
            return _Chosen(step, 0.0, 0.0, general=True), step(state)[0]
        met = np.broadcast_to(state, np.broadcast_shapes(A.shape, state.shape))
        met = _with_any(met) if general else met
        step, error, (after, gap) = chosen_step(A, self._channels, T, met, self.tolerance)
        return _Chosen(step, error, gap, general), after[0] if general else after


def _with_any(states: Complex) -> Complex:
    """Return states (..., d, d) and random Hermitian matrices of their size: (2, ..., d, d)."""
    rng = np.random.default_rng(states.shape[-1])
    A = rng.normal(size=states.shape) + 1j * rng.normal(size=states.shape)
    A = A + dagger(A)
    sizes = np.linalg.norm(states, axis=(-2, -1), keepdims=True)
    return np.stack([states, A * (sizes / np.linalg.norm(A, axis=(-2, -1), keepdims=True))])


@dataclass(frozen=True, eq=False)
class _Chosen:
    """The step of a segment, its error, and the size of the difference it came with.

    ``general`` says whether they were found on more than one state.
    """

    step: SplitStep
    error: float
    gap: float
    general: bool
