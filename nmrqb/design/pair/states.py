"""States from thermal equilibrium: pulses, one gradient, and the least loss that is possible."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.design.pair.cartan import canonical_unitary, cartan_coordinates
from nmrqb.design.pair.drift import Pair, unlike_pair_of
from nmrqb.design.pair.model import NOTES, Design, check_optimise, sequence_of
from nmrqb.design.pair.plan import Optimise, Plan, Version, version_of
from nmrqb.design.pair.steps import (
    Crush,
    FrameTurn,
    free_evolution_s,
    pulse_count,
)
from nmrqb.design.pair.unitaries import quickest, two_spins, unitary_plan
from nmrqb.dynamics import thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_state
from nmrqb.sample import Sample

_SAME = 1e-12
_PHASES = 9
_REFERENCE = (
    "Schur and Horn: populations majorised by a spectrum are the diagonal of a unitary's image"
)
_NOTES = """\
Starts from thermal equilibrium, Iz of every spin weighted by its gyromagnetic ratio over that of
1H, and ends in scale (4 rho - 1). What figures of merit see is the effective state; the true one is
1/4 and a deviation of 1e-5.
"""


@checked
def prepare(
    rho: Any,  # noqa: ANN401 - arrays or Qobj
    sample: Sample,
    *,
    scale: float | None = None,
    optimise: Optimise = "time",
    sample_name: str | None = None,
) -> Design:
    """Return the sequence that makes the deviation of a two-spin state out of equilibrium.

    Pulses and J give the equilibrium deviation Δ the populations of k(4ρ − 1), a crusher leaves
    them alone, and a second unitary takes the levels to the eigenvectors of ρ.  Such populations
    exist exactly where those of Δ majorise them (Schur and Horn), and no unitaries and gradients
    get beyond that: the largest k is the smallest ratio of the partial sums of both, in falling
    order.  The crusher is left out where the spectra agree.

    Parameters
    ----------
    rho
        The state, say a Gibbs state, shape (4, 4); its deviation from 1/4 is what is made.
    sample
        Two unlike spins that couple by I_zS_z.
    scale
        k; by default the largest.
    optimise, sample_name
        As for `design_sequence`.

    Returns
    -------
    Design
        ``scale`` is k, ``largest_scale`` the largest.

    Raises
    ------
    ArgumentError
        If ρ is not a state of two spins or is 1/4, the scale is out of reach, or the sample does
        not suit, see `unlike_pair_of`; like spins keep coherences that no gradient removes.
    """
    pair = unlike_pair_of(sample)
    chosen = check_optimise(optimise)
    populations, vectors = _spectrum(rho)
    levels = np.diag(thermal_deviation(sample)).real
    largest = largest_scale(levels, populations)
    k = _scale(scale, largest)
    make = cache(partial(_version, _plans(levels, k * populations, vectors, pair)))
    return Design(
        sequence=sequence_of(
            make(chosen).steps,
            sample,
            title=f"A state by design, from thermal equilibrium of {sample.name}",
            notes=NOTES + _NOTES,
            reference=_REFERENCE,
            sample_name=sample_name,
        ),
        sample=sample,
        bound_s=None,
        largest_scale=largest,
        optimise=chosen,
        make=make,
        scale=k,
    )


def largest_scale(levels: Real, populations: Real) -> float:
    """Return the largest k for which k·populations is majorised by levels: both (d,), sum 0."""
    have, want = (np.cumsum(np.sort(values)[::-1])[:-1] for values in (levels, populations))
    return float(np.min(have / want))


def _spectrum(rho: Any) -> tuple[Real, Complex]:  # noqa: ANN401 - arrays or Qobj
    """Return eigenvalues of 4ρ − 1, falling, and the eigenvectors as columns."""
    state = two_spins(as_state(rho, "rho"), "rho")
    r, V = np.linalg.eigh(state)
    values = 4 * r[::-1] - 1
    if np.abs(values).max() < _SAME:
        raise ArgumentError("Argument `rho` must differ from 1/4, which is no deviation at all")
    return values - values.mean(), V[:, ::-1]


def _scale(scale: float | None, largest: float) -> float:
    if scale is None:
        return largest
    if not 0 < scale <= largest * (1 + _SAME):
        raise ArgumentError(
            f"Argument `scale` must be above 0 and up to {largest:.10g}, the largest that "
            f"unitaries and gradients reach, but is {scale}"
        )
    return float(scale)


# ------------------------------------------------------------------------------------- populations
@dataclass(frozen=True, eq=False)
class Mixing:
    """A rotation that gives a diagonal matrix a wanted diagonal.

    Attributes
    ----------
    R
        Orthogonal, shape (d, d): diag(R diag(levels) Rᵀ) are the wanted values in some order.
    holder
        Level that holds each wanted value, shape (d,).
    rotated
        Whether R is more than 1.
    """

    R: Real
    holder: tuple[int, ...]
    rotated: bool


def mixing(levels: Real, wanted: Real) -> Mixing:
    """Return the rotation to wanted values, falling, that the levels majorise: both (d,).

    One value after the other is made of the two levels next to it by one plane rotation; the other
    of the two keeps the rest (N. N. Chan and K.-H. Li, J. Math. Anal. Appl. 91, 562 (1983)).
    """
    R, rotated = np.eye(len(levels)), False
    left = sorted(((float(value), k) for k, value in enumerate(levels)), reverse=True)
    tolerance = _SAME * float(np.abs(levels).max())
    holder = []
    for value in wanted:
        upper = max(k for k, (level, _) in enumerate(left)
                    if level >= value - tolerance or k == 0)  # fmt: skip
        (high, i) = left.pop(upper)
        holder.append(i)
        if high - value > tolerance and left:
            low, j = left.pop(upper if upper < len(left) else upper - 1)
            R, rotated = _plane(i, j, (value - low) / (high - low), len(levels)) @ R, True
            left = sorted([*left, (high + low - value, j)], reverse=True)
    return Mixing(R, tuple(holder), rotated)


def _plane(i: int, j: int, share: float, d: int) -> Real:
    """Return the rotation that leaves cos² = share of level i where it is."""
    cos = np.sqrt(np.clip(share, 0, 1))
    sin = np.sqrt(1 - cos**2)
    G = np.eye(d)
    G[i, i] = G[j, j] = cos
    G[i, j], G[j, i] = sin, -sin
    return G


# ------------------------------------------------------------------------------------------ plans
def _plans(levels: Real, wanted: Real, V: Complex, pair: Pair) -> tuple[Plan, ...]:
    """Return the plan before the crusher, if one is needed, and the one after it."""
    found = mixing(levels, wanted)
    home = np.zeros((4, 4), dtype=complex)
    home[:, list(found.holder)] = V  # level to eigenvector
    if not found.rotated:
        U = _after(home)
        return (unitary_plan(U(quickest(U, 1)), pair),)
    orders = [np.eye(4)[list(order)] for order in itertools.permutations(range(4))]
    pairs = [(_before(found.R, P), _after(np.asarray(home @ P.T))) for P in orders]
    before, after = min(pairs, key=lambda both: _rough(both[0], 2) + _rough(both[1], 1))
    return tuple(unitary_plan(U(quickest(U, count)), pair)
                 for U, count in ((before, 2), (after, 1)))  # fmt: skip


def _before(R: Real, P: Real) -> Callable[[Real], Complex]:
    """Return the mixing, levels then permuted; ZZ before it and after it changes no population."""
    return lambda phases: P @ _zz(phases[..., 0]) @ R @ _zz(phases[..., 1])


def _after(home: Complex) -> Callable[[Real], Complex]:
    """Return the way from levels to eigenvectors; ZZ before it changes no population."""
    return lambda phases: home @ _zz(phases[..., 0])


def _zz(angle: Real) -> Complex:
    return canonical_unitary(np.stack([0 * angle, 0 * angle, angle / 4], axis=-1))


def _rough(made: Callable[[Real], Complex], count: int) -> float:
    steps = np.arange(_PHASES) * 2 * np.pi / _PHASES
    grid = np.stack(np.meshgrid(*[steps] * count, indexing="ij"), axis=-1).reshape(-1, count)
    return float(np.abs(cartan_coordinates(made(grid))).sum(axis=-1).min())


def _version(plans: tuple[Plan, ...], optimise: Optimise) -> Version:
    parts = [version_of(plan, optimise).steps for plan in plans]
    if len(parts) == 2:
        first = parts[0][:-1] if isinstance(parts[0][-1], FrameTurn) else parts[0]
        parts = [first, (Crush(),), parts[1]]
    steps = tuple(step for part in parts for step in part)
    return Version(steps, free_evolution_s(steps), pulse_count(steps), None)
