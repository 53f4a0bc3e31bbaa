"""The four conditions under which a sequence decouples at zeroth order.

They are those of J. Choi et al., Phys. Rev. X 10, 031002 (2020), table I, without its assumption
that the toggled z axis lies along x, y or z and that all pulses are of 90°.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nmrqb.average.frames import Frames, offset_averages
from nmrqb.errors import ArgumentError
from nmrqb.operators import Real

MET = 1e-9  # residues up to here count as zero
_ALONG = 1e-6  # rad, of frames that lie along an axis


@dataclass(frozen=True)
class Condition:
    """One of the four conditions of decoupling at zeroth order.

    Attributes
    ----------
    name
        ``disorder`` (offsets, and D·(I×S) between spins that are pulsed alike), ``interaction``,
        ``cross terms`` or ``rotation errors``.
    met
        Whether the residue is zero up to rounding.
    residue
        What is left.  Disorder, interaction and cross terms: the share of the worst offset or
        coupling, 1 without pulses.  Rotation errors: the angle in rad by which one pass turns the
        worst spin, per relative error of all flip angles.
    text
        The same for people.
    """

    name: Literal["disorder", "interaction", "cross terms", "rotation errors"]
    met: bool
    residue: float
    text: str


def decoupling_conditions(
    frames: Frames,
    nuclei: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    *,
    scalar: Collection[tuple[int, int]] = (),
) -> tuple[Condition, Condition, Condition, Condition]:
    """Return whether a sequence removes offsets and couplings, and forgives wrong flip angles.

    The definitions are exact for any rotations of single spins:

    * disorder: ⟨n_k⟩ = 0;
    * interaction and cross terms: the average coupling tensor M vanishes, 3⟨n_k n_lᵀ⟩ − ⟨R_kᵀR_l⟩
      of the secular dipolar coupling of like spins (Q = 1/3 if they are pulsed alike),
      ⟨R_kᵀR_l⟩ of their scalar coupling alone, and ⟨n_k n_lᵀ⟩ of unlike ones.  Cross terms are
      the off-diagonal elements of M that delays do not contribute to,
      along the axes on which n rests in the delays (x, y, z if there are no
      such three); interaction is the rest;
    * rotation errors: the derivative of U_rf by all flip angles, Σ θ m_k = 0, m_k the toggled
      axes of the rotations.

    For a cycle of 90° pulses of length t_p about ±x and ±y on all spins (a 180° pulse being two,
    with a frame of no duration between) with frames F_k of lengths τ_k they are those of table I
    of Choi et al.: Σ F_μ(τ + 4t_p/π) = 0; Σ |F_μ|(τ + t_p) equal; Σ (F_μ,k F_ν,k+1 + F_ν,k F_μ,k+1)
    = 0; Σ F_k+1 × F_k = 0, which is 2/π times Σ θ m.

    Parameters
    ----------
    frames
        One closing period, without batch axes.  Spins that are not pulsed while others are, and
        couplings among them, are left out.
    nuclei
        Nucleus of every spin, which tells like from unlike pairs; by default all are like.  A
        single spin stands for an ensemble of its kind.
    labels
        Names of the spins in the texts.
    scalar
        Pairs of like spins, the first position first, that I·S couples and no dipolar coupling.

    Raises
    ------
    ArgumentError
        If the frames have batch axes, or names do not match the spins.
    """
    S = frames.spins
    nuclei = ("",) * S if nuclei is None else nuclei
    labels = [str(k + 1) for k in range(S)] if labels is None else labels
    if frames.durations.ndim != 1:
        raise ArgumentError(
            f"Argument `frames` must be of one sequence, but is of {frames.durations.shape[:-1]}"
        )
    if not len(nuclei) == len(labels) == S:
        raise ArgumentError(
            f"Arguments `nuclei` and `labels` must be {S}, as the spins, but are {len(nuclei)} and "
            f"{len(labels)}"
        )
    turned = [k for k in range(S) if frames.nutation[k] > 0] or list(range(S))
    leftovers = [
        _leftover(frames, pair, _kind(pair, nuclei, scalar), labels) for pair in _pairs(turned, S)
    ]
    return (
        _disorder(frames, turned, labels),
        _interaction(leftovers),
        _cross_terms(leftovers),
        _rotation_errors(frames, turned, labels),
    )


def _pairs(turned: Sequence[int], S: int) -> list[tuple[int, int]]:
    pairs = itertools.combinations(range(S), 2)
    return [pair for pair in pairs if set(pair) & set(turned)] or [(0, 0)]


def _disorder(frames: Frames, spins: Sequence[int], labels: Sequence[str]) -> Condition:
    mean = offset_averages(frames)
    worst = max(spins, key=lambda k: float(np.linalg.norm(mean[k])))
    size = float(np.linalg.norm(mean[worst]))
    if size <= MET:
        return Condition("disorder", True, size, f"offsets{_of(frames, spins, labels)} vanish")
    axis = _vector(mean[worst] / size)
    text = f"the offset of {labels[worst]} is left with {size:.3g} of its size, along {axis}"
    return Condition("disorder", False, size, text)


def _rotation_errors(frames: Frames, spins: Sequence[int], labels: Sequence[str]) -> Condition:
    sizes = np.linalg.norm(frames.flip_error, axis=-1)
    worst = max(spins, key=lambda k: float(sizes[k]))
    size = float(sizes[worst])
    if size <= MET * max(1.0, float(frames.nutation[worst])):
        text = f"wrong flip angles{_of(frames, spins, labels)} cancel to first order"
        return Condition("rotation errors", True, size, text)
    axis = _vector(frames.flip_error[worst] / size)
    text = (f"flip angles 1 % too large turn {labels[worst]} by {np.degrees(size) / 100:.3g}° "
            f"about {axis} per period")  # fmt: skip
    return Condition("rotation errors", False, size, text)


def _interaction(leftovers: Sequence[tuple[float, float, str]]) -> Condition:
    size, _, coupling = max(leftovers)
    if size <= MET:
        but = "" if max(cross for _, cross, _ in leftovers) <= MET else " but for cross terms"
        return Condition("interaction", True, size, f"couplings vanish{but}")
    return Condition("interaction", False, size, f"{size:.3g} of the {coupling} is left")


def _cross_terms(leftovers: Sequence[tuple[float, float, str]]) -> Condition:
    _, size, coupling = max(leftovers, key=lambda leftover: leftover[1])
    if size <= MET:
        return Condition("cross terms", True, size, "the length of the pulses adds none")
    text = f"the length of the pulses leaves {size:.3g} of the {coupling}"
    return Condition("cross terms", False, size, text)


def _kind(pair: tuple[int, int], nuclei: Sequence[str], scalar: Collection[tuple[int, int]]) -> str:
    if nuclei[pair[0]] != nuclei[pair[1]]:
        return "coupling"
    return "scalar coupling" if pair in scalar else "dipolar coupling"


def _tensors(frames: Frames, pair: tuple[int, int], kind: str) -> Real:
    """Return what a coupling of norm 1 becomes in every stretch of time: shape (N, 3, 3)."""
    k, m = pair
    nn, exchange = frames.nn[:, k, m], frames.exchange[:, k, m]
    if kind == "dipolar coupling":
        return np.asarray((3 * nn - exchange) / np.sqrt(6))
    return np.asarray(exchange / np.sqrt(3)) if kind == "scalar coupling" else nn


def _leftover(
    frames: Frames, pair: tuple[int, int], kind: str, labels: Sequence[str]
) -> tuple[float, float, str]:
    """Return interaction and cross terms of a pair of spins as shares, and what couples them."""
    k, m = pair
    tensors = _tensors(frames, pair, kind)
    axes = _resting_axes(frames, pair)
    weights = frames.durations / frames.duration
    shares = weights[:, None, None] * (axes @ tensors @ axes.T)
    still = np.abs(shares[~frames.pulses].sum(axis=0)) <= MET
    cross = still & ~np.eye(3, dtype=bool)
    whole = shares.sum(axis=0)
    between = f"{labels[k]}–{labels[m]}" if k != m else f"of spins like {labels[k]}"
    interaction, cross_terms = (float(np.linalg.norm(whole[part])) for part in (~cross, cross))
    return interaction, cross_terms, f"{kind} {between}"


def _resting_axes(frames: Frames, pair: tuple[int, int]) -> Real:
    """Return three orthogonal axes on which n of both spins rests, as rows; x, y, z by default."""
    delays = frames.n[~frames.pulses]
    resting = (delays if len(delays) else frames.begin)[:, pair, :].reshape(-1, 3)
    for axes in _candidates(resting):
        if np.all(np.abs(resting @ axes.T).max(axis=-1) > 1 - _ALONG**2):
            return axes
    return np.eye(3)


def _candidates(directions: Real) -> Iterator[Real]:
    """Yield x, y, z, and what a first direction and one across it span."""
    yield np.eye(3)
    across = directions[np.abs(directions @ directions[0]) < _ALONG]
    if len(across):
        yield np.array([across[0], np.cross(directions[0], across[0]), directions[0]])


def _of(frames: Frames, spins: Sequence[int], labels: Sequence[str]) -> str:
    return "" if len(spins) == frames.spins else f" of {', '.join(labels[k] for k in spins)}"


def _vector(v: Real) -> str:
    return "(" + ", ".join(f"{x:.3f}".replace("-0.000", "0.000") for x in v) + ")"
