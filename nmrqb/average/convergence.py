"""Whether a Magnus series can be trusted: what is guaranteed, and what its terms do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmrqb.dynamics import Segment
from nmrqb.operators import Complex

_GROWING = 0.5  # a ratio of successive orders above this is no convergence to be relied on
_ROUNDING = 1e-9  # share of the drift by which rounding may part the series from the exact
_NOTHING = 1e-12  # share of the drift below which an order is zero but for rounding


@dataclass(frozen=True)
class Convergence:
    """How the Magnus series of a sequence converges.

    Attributes
    ----------
    reach
        ∫‖H‖₂dt over the period in rad, the drift's operator norm without its trace.
    guaranteed
        Whether the reach is below π: then the series converges (Moan and Niesen, Found. Comput.
        Math. 8, 291 (2008)).
    norms_hz
        ‖H⁽ᵏ⁾‖₂/2π of every order in Hz.
    ratio
        Largest measured fall √(‖H⁽ᵏ⁺²⁾‖/‖H⁽ᵏ⁾‖) per order, over two of them since every other one
        may vanish by symmetry (over one where there are but two); 0 where nothing follows.
    remainder_hz
        ‖H_exact − Σ_{j≤k} H⁽ʲ⁾‖₂/2π for every order k in Hz.
    trusted
        Whether the series of these orders describes the exact Hamiltonian: it is guaranteed or its
        terms fall by a half per order, and the last remainder is smaller than the first.
    """

    reach: float
    guaranteed: bool
    norms_hz: tuple[float, ...]
    ratio: float
    remainder_hz: tuple[float, ...]
    trusted: bool


def convergence(
    terms: Sequence[Complex],
    exact: Complex,
    segments: Sequence[Segment],
    drift: Complex,
    cycles: int,
) -> Convergence:
    """Return how a Magnus series converges.

    Parameters
    ----------
    terms
        H⁽⁰⁾, H⁽¹⁾, … in rad/s, each of shape (d, d).
    exact
        The exact effective Hamiltonian in rad/s, shape (d, d); meaningful where its branch is.
    segments, drift, cycles
        What was played: one pass, the drift in rad/s, and the number of passes of the period.
    """
    hz = 2 * np.pi
    norms = [_norm(term) / hz for term in terms]
    rest, remainder = exact, []
    for term in terms:
        rest = rest - term
        remainder.append(_norm(rest) / hz)
    reach = cycles * sum(_norm(_traceless(s.drifted(drift))) for s in segments)
    ratio = _ratio(norms, _norm(_traceless(drift)) / hz)
    rounding = _ROUNDING * _norm(_traceless(drift)) / hz
    falls = remainder[-1] <= max(remainder[0], rounding)
    guaranteed = reach < np.pi
    return Convergence(
        reach=reach,
        guaranteed=guaranteed,
        norms_hz=tuple(norms),
        ratio=ratio,
        remainder_hz=tuple(remainder),
        trusted=(guaranteed or ratio < _GROWING) and falls,
    )


def _norm(matrix: Complex) -> float:
    return float(np.linalg.norm(matrix, 2))


def _traceless(matrix: Complex) -> Complex:
    d = matrix.shape[-1]
    return np.asarray(matrix - np.trace(matrix) / d * np.eye(d))


def _ratio(norms: Sequence[float], scale: float) -> float:
    """Return the largest fall per order, of orders that are not zero."""
    apart = 2 if len(norms) > 2 else 1
    pairs = zip(norms, norms[apart:], strict=False)
    least = _NOTHING * scale
    falls = (later / norm for norm, later in pairs if min(norm, later) > least)
    return max((fall ** (1 / apart) for fall in falls), default=0.0)
