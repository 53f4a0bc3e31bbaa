"""Why no cycle of toggling frames makes a target, in words that can be checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmrqb.design.toggling.frames import FrameSet
from nmrqb.design.toggling.terms import PairTerms, pairs_of, pauli_names
from nmrqb.operators import Real

_ZERO = 1e-9
_SHOWN = 6  # terms of a certificate that are printed


@dataclass(frozen=True, eq=False)
class Impossible:
    """A proof that a target is no multiple of an average Hamiltonian (Farkas' lemma).

    Attributes
    ----------
    prices
        y over the rows of the frames: y·H̃_k ≤ 0 in every frame, so in every average of them.
    excess
        y·H_t > 0, with the largest |y| 1.
    code
        ``exchange`` (the target is odd under an exchange of spins that all frames respect),
        ``missing`` (no frame has any of it) or ``cone`` (only the other sign, or only with more).
    message
        The reason in words.
    """

    prices: Real
    excess: float
    code: str
    message: str


def impossible(frames: FrameSet, target: PairTerms, y: Real) -> Impossible:
    """Return the proof that a dual solution is.

    Parameters
    ----------
    frames
        All frames.
    target
        What was asked for.
    y
        A dual solution of the phase that looks for feasible times; over the rows of ``frames``.
    """
    simple = _exchange(frames, target) or _missing(frames, target)
    size = len(target.vector)
    if simple is not None:
        code, normal, words = simple
        prices: Real = np.zeros(frames.rows)
        prices[:size] = normal / np.abs(normal).max()
    else:
        code, prices = "cone", _relevant(frames, y)
        words = _cone_words(frames, target, prices)
    excess = float(prices[:size] @ target.vector)
    return Impossible(prices, excess, code, words)


def _relevant(frames: FrameSet, y: Real) -> Real:
    """Return y without coefficients that are 0 in every frame, its largest being 1."""
    drift = frames.drift
    fields = np.repeat(np.any(drift.fields, axis=1), 3)
    couplings = np.repeat(np.any(drift.couplings, axis=(1, 2)), 9)
    unknown = np.ones(frames.rows - len(drift.vector), dtype=bool)
    kept = np.where(np.concatenate([fields, couplings, unknown]), y, 0.0)
    kept[np.abs(kept) < _ZERO * np.abs(kept).max()] = 0.0
    return np.asarray(kept / np.abs(kept).max())


def _exchange(frames: FrameSet, target: PairTerms) -> tuple[str, Real, str] | None:
    """Find two spins that are pulsed alike, with a drift that is even and a target that is odd.

    C_ij of spins of one group becomes R C Rᵀ, whose antisymmetric part is that of C turned: without
    one in the drift there is none in any average.
    """
    for p, (i, j) in enumerate(pairs_of(target.spins)):
        alike = any(i in group and j in group for group in frames.groups)
        C, wanted = frames.drift.couplings[p], target.couplings[p]
        odd = (wanted - wanted.T) / 2
        if alike and np.allclose(C, C.T) and np.abs(odd).max() > _ZERO * np.abs(wanted).max():
            normal = np.zeros_like(target.couplings)
            normal[p] = odd
            n = target.spins
            text = combination(np.concatenate([np.zeros(3 * n), normal.ravel()]), n)
            words = (
                f"spins {i + 1} and {j + 1} are pulsed alike and their coupling is symmetric under "
                "their exchange, so that every average of toggling frames is (at higher orders "
                f"too, where their offsets are equal); {text} of the target is antisymmetric "
                "(Dzyaloshinskii–Moriya); pulse the two spins apart, by channel or selectively"
            )
            return "exchange", np.concatenate([np.zeros(3 * n), normal.ravel()]), words
    return None


def _missing(frames: FrameSet, target: PairTerms) -> tuple[str, Real, str] | None:
    """Find what of the target couples spins, or turns a spin, that nothing in the drift does."""
    couplings = np.array([np.any(C) for C in frames.drift.couplings], dtype=bool)
    fields = np.any(frames.drift.fields, axis=1)
    normal = np.concatenate(
        [
            (target.fields * ~fields[:, None]).ravel(),
            (target.couplings * ~couplings[:, None, None]).ravel(),
        ]
    )
    if not np.any(normal):
        return None
    words = (
        f"{combination(normal, target.spins)} of the target has nothing to be made from: the drift "
        "has no coupling of these spins, or no offset of this spin, and pulses of 90° and 180° "
        "only turn what is there"
    )
    return "missing", normal, words


def _cone_words(frames: FrameSet, target: PairTerms, prices: Real) -> str:
    n, size = target.spins, len(target.vector)
    value = float(prices[:size] @ target.vector)
    seen = frames.prices(prices)
    known = combination(prices[:size], n)
    unknown = " plus the unknown offsets" if np.any(prices[size:]) else ""
    if not np.any(target.vector):
        return (
            f"in all {seen.size} toggling frames of these controls the sum {known}{unknown} of the "
            f"coefficients is between {seen.min():.6g} and {seen.max():.6g} Hz, so it is not 0 in "
            "any average of them"
        )
    return (
        f"in all {seen.size} toggling frames of these controls the sum {known}{unknown} of the "
        f"coefficients is between {seen.min():.6g} and {max(seen.max(), 0):.3g} Hz, so it is not "
        f"positive in any average of them, but it is {value:.6g} Hz in the target"
    )


def combination(vector: Real, n: int) -> str:
    """Return a vector of coefficients as text: ``0.5 XYI − YXI``, the largest terms first."""
    names = pauli_names(n)
    order = np.argsort(-np.abs(vector), kind="stable")
    kept = [k for k in order if abs(vector[k]) > _ZERO * np.abs(vector).max()]
    parts = [_term(float(vector[k]), names[k]) for k in kept[:_SHOWN]]
    text = " ".join(parts).removeprefix("+ ").replace("− ", "−", 1) if parts else "0"
    if parts and vector[kept[0]] > 0:
        text = " ".join(parts).removeprefix("+ ")
    return text + (" …" if len(kept) > _SHOWN else "")


def _term(value: float, name: str) -> str:
    sign = "+" if value > 0 else "−"
    size = abs(value)
    return f"{sign} {name}" if abs(size - 1) < _ZERO else f"{sign} {size:.6g} {name}"
