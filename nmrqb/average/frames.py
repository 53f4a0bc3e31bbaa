"""The toggling frame of a sequence: where the z axis of every spin points while the pulses act.

A rotation U_rf(t) = ⊗ U_k of single spins makes U_rf† I_a U_rf = Σ_μ R_aμ I_μ, a rotation matrix
R per spin whose row z is the toggled axis n_k(t).  Zeroth-order averages need nothing more:

* an offset 2πν I_z becomes 2πν ⟨n⟩·I;
* a coupling I_z S_z becomes I·Q·S with Q = ⟨n_k n_lᵀ⟩;
* I·S becomes I·E·S with E = ⟨R_kᵀR_l⟩, so that the secular dipolar coupling 2πd(3I_zS_z − I·S)
  becomes 2πd I·(3Q − E)·S.  Spins that are pulsed alike have E = 1: their dipolar coupling
  vanishes exactly where Q = 1/3.

During a constant rotation by ω (rad, a vector) n is A + B cos(sω) + C sin(sω), 0 ≤ s ≤ 1, so that
all averages have closed forms, finite and shaped pulses included.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked
from nmrqb.dynamics import Segment
from nmrqb.dynamics.segments import event_segments
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, dagger, spin_count, spin_operator
from nmrqb.sequence import TimedAcquisition, TimedDelay, TimedPulse, Timeline

_SINGLE = 1e-9  # of a rotation: what may act on several spins at once
_Z = 2
_NODES = 16  # instants at which the two halves of a cycle are compared, per constant stretch
_SYMMETRIC = 1e-7
_EMPTY = 1e-12  # of the cycle: an interval that only rounding makes


@dataclass(frozen=True, eq=False)
class Frames:
    """The toggled axes of one pass: an interval is a delay or a finite pulse.

    Leading axes (...) are those of the segments; I intervals, S spins.

    Attributes
    ----------
    durations
        T_i in s, shape (..., I); ideal pulses stand between intervals and are none.
    pulses
        Whether rf acts in the interval, shape (I,).
    n
        Toggled z axis n_k, shape (..., I, S, 3): the axis itself in a delay, its exact average
        over a pulse.
    nn
        Average of n_k n_lᵀ, shape (..., I, S, S, 3, 3).
    exchange
        Average of R_kᵀR_l, shape (..., I, S, S, 3, 3).
    begin, end
        n_k as the interval begins and ends, shape (..., I, S, 3).
    flip_error
        W_k = Σ θ m in rad, shape (..., S, 3), summed over all pulses with m the toggled axis of
        the rotation: U†dU/dε = −i Σ_k W_k·I_k when all flip angles become θ(1 + ε).
    nutation
        Σ |θ| in rad, shape (..., S): 0 for a spin that is not pulsed.
    """

    durations: Real
    pulses: NDArray[np.bool_]
    n: Real
    nn: Real
    exchange: Real
    begin: Real
    end: Real
    flip_error: Real
    nutation: Real

    @property
    def spins(self) -> int:
        """Number of spins."""
        return int(self.n.shape[-2])

    @property
    def duration(self) -> Real:
        """Length of the pass in s, shape (...)."""
        return np.asarray(self.durations.sum(axis=-1))


# ------------------------------------------------------------------------------- from a sequence
@checked
def toggling_frames(timeline: Timeline, n: int) -> Frames:
    """Return the toggling frame of one pass, every pulse one interval however it is shaped.

    The virtual z rotations that are left at the end come after all intervals and do not matter.

    Parameters
    ----------
    timeline
        The expanded sequence; it need not be cyclic.
    n
        Number of spins of the sample.

    Raises
    ------
    ArgumentError
        If it has a gradient or takes no time.
    """
    events = [event for event in timeline.events if not isinstance(event, TimedAcquisition)]
    groups = []
    for event in events:
        if not isinstance(event, TimedPulse | TimedDelay):
            raise ArgumentError(
                f"Argument `timeline` must be free of gradients to have one toggling frame, but "
                f"{timeline.name!r} has some; every place in the sample has its own"
            )
        groups.append(event_segments(event, n))
    return _frames([group for group in groups if group], f"timeline {timeline.name!r}")


def segment_frames(segments: Sequence[Segment]) -> Frames:
    """Return the toggling frame of segments, every one of finite length an interval.

    For a closing period of m passes give ``segments * m``.  What a segment has of ``evolution``
    counts as drift and is not toggled away.

    Parameters
    ----------
    segments
        Rotations of single spins, in the order of time.

    Raises
    ------
    ArgumentError
        If a control acts on several spins at once, or the segments take no time.
    """
    return _frames([[segment] for segment in segments], "what is given")


def _frames(groups: Sequence[Sequence[Segment]], what: str) -> Frames:
    segments = [segment for group in groups for segment in group]
    if not segments or not np.all(sum(segment.duration for segment in segments) > 0):
        raise ArgumentError(f"Argument `segments` must last longer than 0 s, but {what} does not")
    omega = _stack([_rotation_vectors(s.rotation) for s in segments], 2)  # (..., G, S, 3)
    T = _stack([np.asarray(s.duration, dtype=float) for s in segments], 0)
    rf = np.array([segment.rf for segment in segments])
    first = np.cumsum([0, *(len(group) for group in groups[:-1])])
    theta, waves = _waves(omega)
    R = _accumulated(theta, waves)  # (..., G + 1, S, 3, 3)
    waves = waves @ R[..., :-1, :, None, :, :]
    durations = np.add.reduceat(T, first, axis=-1)
    kept = np.flatnonzero(_somewhere(durations > 0))
    playing = rf & np.any(omega, axis=(*range(omega.ndim - 3), -2, -1)) & _somewhere(T > 0)

    def mean(values: Real, axes: int) -> Real:
        """Average over the segments of every interval, in front of ``axes`` others."""
        spread = (Ellipsis, *(None,) * axes)
        total = np.add.reduceat(T[spread] * values, first, axis=-1 - axes)
        whole = np.where(durations > 0, durations, 1)[spread]
        return np.asarray(np.take(total / whole, kept, axis=-1 - axes))

    nn, exchange = _products(theta, waves)
    ends = np.append(first[1:], len(segments))
    return Frames(
        durations=np.take(durations, kept, axis=-1),
        pulses=np.logical_or.reduceat(playing, first)[kept],
        n=mean(_single(theta, waves), 2),
        nn=mean(nn, 4),
        exchange=mean(exchange, 4),
        begin=np.asarray(R[..., first[kept], :, _Z, :]),
        end=np.asarray(R[..., ends[kept], :, _Z, :]),
        flip_error=np.einsum("g,...gka,...gkab->...kb", rf, omega, R[..., :-1, :, :, :]),
        nutation=np.asarray((theta * rf[:, None]).sum(axis=-2)),
    )  # fmt: skip


def _somewhere(true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell where something holds anywhere in a batch: (..., G) → (G,)."""
    return np.asarray(np.any(true, axis=tuple(range(true.ndim - 1))))


def _stack(arrays: Sequence[Real], inner: int) -> Real:
    """Stack arrays of alike inner axes, after broadcasting the others."""
    batch = np.broadcast_shapes(*(a.shape[: a.ndim - inner] for a in arrays))
    alike = [np.broadcast_to(a, (*batch, *a.shape[a.ndim - inner :])) for a in arrays]
    return np.stack(alike, axis=-1 - inner)


def _rotation_vectors(rotation: Complex) -> Real:
    """Return ω of Θ = Σ_k ω_k·I_k in rad: (..., d, d) → (..., S, 3)."""
    I = _spin_operators(spin_count(rotation))  # noqa: E741 - the papers' symbol
    omega = np.einsum("...ij,kaji->...ka", rotation, I).real * 4 / rotation.shape[-1]
    rest = rotation - np.einsum("...ka,kaij->...ij", omega, I)
    if np.linalg.norm(rest) > _SINGLE * np.linalg.norm(rotation):
        raise ArgumentError(
            f"Argument `segments` must rotate single spins, but a control acts on several at once "
            f"by {np.linalg.norm(rest, axis=(-2, -1)).max():.3g} rad"
        )
    return np.asarray(omega)


@functools.lru_cache(maxsize=8)
def _spin_operators(n: int) -> Complex:
    """Return I_a of every spin: (S, 3, d, d)."""
    return np.array([[spin_operator(axis, k, n) for axis in "xyz"] for k in range(n)])


def _waves(omega: Real) -> tuple[Real, Real]:
    """Return θ = |ω| and A, B, C of the rows of R(s) = A + B cos sθ + C sin sθ, from R(0) = 1.

    Row a is the toggled e_a, R(ω)^(−s) e_a: A = u(u·e_a), B = e_a − A, C = −u × e_a, u = ω/θ.

    Returns
    -------
    θ of shape (...) and array of shape (..., 3 waves, 3 rows, 3)
    """
    theta = np.linalg.norm(omega, axis=-1)
    u = omega / np.where(theta > 0, theta, 1)[..., None]
    along = u[..., :, None] * u[..., None, :]
    across = np.cross(np.eye(3), u[..., None, :])
    return theta, np.stack([along, np.eye(3) - along, across], axis=-3)


def _accumulated(theta: Real, waves: Real) -> Real:
    """Return R at the begin of every segment and at the end: (..., G + 1, S, 3, 3)."""
    weights = np.stack([np.ones_like(theta), np.cos(theta), np.sin(theta)], axis=-1)
    turns = np.einsum("...w,...wab->...ab", weights, waves)  # (..., G, S, 3, 3)
    R = [np.broadcast_to(np.eye(3), (*turns.shape[:-4], *turns.shape[-3:]))]
    for g in range(turns.shape[-4]):
        R.append(turns[..., g, :, :, :] @ R[-1])
    return np.stack(R, axis=-4)


def _sin(x: Real) -> Real:
    """Return ∫₀¹ cos(sx) ds = sin x/x."""
    return np.asarray(np.sinc(x / np.pi))


def _cos(x: Real) -> Real:
    """Return ∫₀¹ sin(sx) ds = (1 − cos x)/x."""
    return np.asarray(np.sin(x / 2) * np.sinc(x / (2 * np.pi)))


def _single(theta: Real, waves: Real) -> Real:
    """Return the mean of row z over every segment: (..., G, S, 3)."""
    weights = np.stack([np.ones_like(theta), _sin(theta), _cos(theta)], axis=-1)
    return np.asarray(np.einsum("...w,...wb->...b", weights, waves[..., _Z, :]))


def _products(theta: Real, waves: Real) -> tuple[Real, Real]:
    """Return the means of n_k n_lᵀ and of R_kᵀR_l over every segment: (..., G, S, S, 3, 3)."""
    k, m = np.broadcast_arrays(theta[..., :, None], theta[..., None, :])
    plus, minus, one = k + m, k - m, np.ones_like(k)
    weights = np.array([
        [one, _sin(m), _cos(m)],
        [_sin(k), (_sin(minus) + _sin(plus)) / 2, (_cos(plus) - _cos(minus)) / 2],
        [_cos(k), (_cos(plus) + _cos(minus)) / 2, (_sin(minus) - _sin(plus)) / 2],
    ])  # fmt: skip
    sums = [
        np.einsum("vw...kl,...kvai,...lwaj->...klij", weights, rows, rows, optimize=True)
        for rows in (waves[..., _Z : _Z + 1, :], waves)
    ]
    return np.asarray(sums[0]), np.asarray(sums[1])


# ------------------------------------------------------------------------------------- averages
def offset_averages(frames: Frames) -> Real:
    """Return ⟨n_k⟩, what an offset becomes: its size is the scale factor; shape (..., S, 3)."""
    return _weighted(frames, frames.n, 2)


def second_moments(frames: Frames) -> Real:
    """Return Q_kl = ⟨n_k n_lᵀ⟩, what σ_z⊗σ_z becomes on σ_a⊗σ_b; shape (..., S, S, 3, 3).

    The coefficients of 2πJ I_zS_z are C = (J/4) Q_kl in Hz on Pauli strings.
    """
    return _weighted(frames, frames.nn, 4)


def dipolar_averages(frames: Frames) -> Real:
    """Return D_kl = 3Q_kl − ⟨R_kᵀR_l⟩, what diag(−1, −1, 2) of a secular dipolar coupling becomes.

    The coefficients of 2πd(2I_zS_z − I_xS_x − I_yS_y) are C = (d/4) D_kl in Hz on Pauli strings.
    For like spins; shape (..., S, S, 3, 3).
    """
    return np.asarray(3 * second_moments(frames) - exchange_averages(frames))


def exchange_averages(frames: Frames) -> Real:
    """Return E_kl = ⟨R_kᵀR_l⟩, what the 1 of I·S becomes; shape (..., S, S, 3, 3)."""
    return _weighted(frames, frames.exchange, 4)


def _weighted(frames: Frames, values: Real, axes: int) -> Real:
    weights = frames.durations / frames.duration[..., None]
    return np.asarray((weights[(Ellipsis, *(None,) * axes)] * values).sum(axis=-1 - axes))


# ------------------------------------------------------------------------------------- symmetry
def is_symmetric(segments: Sequence[Segment], drift: Complex) -> bool:
    """Tell whether the cycle is symmetric, H̃(T − t) = H̃(t): then all odd Magnus orders vanish.

    That depends on the drift and on the pulses: MREV-8 of ideal pulses is symmetric for dipolar
    couplings, but not for offsets.  Odd orders may vanish without it, by other symmetries.

    Parameters
    ----------
    segments
        The closing period, in the order of time.
    drift
        The sample's Hamiltonian in rad/s, shape (d, d).

    Returns
    -------
    bool
        False also where evolution besides the drift (a change of frame that goes on) stands at
        the end of the period, which has no mirror image.

    Raises
    ------
    ArgumentError
        If the segments take no time.
    """
    if any(s.evolution is not None and np.any(s.evolution) for s in segments):
        return False
    edges = np.cumsum([0.0, *(float(s.duration) for s in segments)])
    if not edges[-1] > 0:
        raise ArgumentError(
            f"Argument `segments` must last longer than 0 s, but lasts {edges[-1]} s"
        )
    stretches = _stretches(segments, drift, edges)
    cuts = np.sort(np.concatenate([edges, edges[-1] - edges, [edges[-1] / 2]]))
    allowed = _SYMMETRIC**2 * float(np.linalg.norm(drift)) ** 2 * edges[-1] / 2
    for low, high in itertools.pairwise(cuts[cuts <= edges[-1] / 2]):
        if high - low > _EMPTY * edges[-1]:
            middle = np.array([low + high, 2 * edges[-1] - low - high]) / 2
            here, there = (stretches[j] for j in np.searchsorted(edges[1:-1], middle, "right"))
            allowed -= (high - low) * _mean_difference(here, there, (low, high), edges[-1])
        if allowed < 0:
            return False
    return True


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A segment in the eigenbasis of its rotation: H̃(s) = W†(e^(isΔ)∘H)W, Δ_ij = φ_i − φ_j."""

    begin: float
    duration: float
    W: Complex
    H: Complex
    phases: Real

    def toggled(self, times: Real) -> Complex:
        """Return H̃ at times inside: (N,) → (N, d, d)."""
        waves = np.exp(1j * ((times - self.begin) / self.duration)[:, None] * self.phases)
        turned = waves[:, :, None] * self.H * waves[:, None, :].conj()
        return np.asarray(dagger(self.W) @ turned @ self.W)


def _stretches(segments: Sequence[Segment], drift: Complex, edges: Real) -> list[_Stretch]:
    U = np.eye(drift.shape[-1], dtype=complex)
    stretches = []
    for segment, begin in zip(segments, edges, strict=False):
        phases, V = np.linalg.eigh(segment.rotation)
        W, H = dagger(V) @ U, dagger(V) @ drift @ V
        stretches.append(_Stretch(float(begin), float(segment.duration), W, H, phases))
        U = (V * np.exp(-1j * phases)) @ W
    return stretches


def _mean_difference(
    here: _Stretch, there: _Stretch, cell: tuple[float, float], period: float
) -> float:
    """Return the mean of ‖H̃(t) − H̃(T − t)‖² over a cell, by Gauss–Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    t = (cell[0] + cell[1] + (cell[1] - cell[0]) * nodes) / 2
    squares = np.abs(here.toggled(t) - there.toggled(period - t)) ** 2
    return float(weights @ squares.sum(axis=(-2, -1)) / 2)
