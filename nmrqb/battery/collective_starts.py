"""Initial states of many alike spins as shares of their total spins.

What acts on all spins alike keeps the total spin J and does not tell its copies apart.  A state
that is diagonal in the product basis is then known by its weights on the levels |J, m⟩, summed over
the copies, as long as only quantities are asked for that are sums over all spins.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from nmrqb.dynamics.registers import levels, multiplicity, total_spins
from nmrqb.errors import ArgumentError


class Share(NamedTuple):
    """A weight on the levels |J, m⟩ of all copies of total spin J."""

    weight: float
    J: float
    m: float


Shares = tuple[Share, ...]


def dicke(n: int, up: int) -> Shares:
    """Return the symmetric state of n spins of which ``up`` are up.

    Raises
    ------
    ArgumentError
        If there are fewer spins than are up.

    Examples
    --------
    >>> dicke(4, 1)
    (Share(weight=1.0, J=2.0, m=-1.0),)
    """
    if not 0 <= up <= n:
        raise ArgumentError(f"Argument `up` must be from 0 to {n}, but is {up}")
    return (Share(1.0, n / 2, up - n / 2),)


def one_turned(n: int, *, up: bool) -> Shares:
    """Return the product state in which one spin of n is up and all others down, or the reverse.

    The symmetric state holds 1/n of it, total spin n/2 − 1 the rest, whichever spin it is.

    Parameters
    ----------
    n
        Number of spins.
    up
        Whether the one that differs is up.

    Examples
    --------
    >>> one_turned(2, up=True)
    (Share(weight=0.5, J=1.0, m=0.0), Share(weight=0.5, J=0.0, m=0.0))
    """
    m = (1 - n / 2) if up else (n / 2 - 1)
    shares = (Share(1 / n, n / 2, m), Share(1 - 1 / n, n / 2 - 1, m))
    return shares if n > 1 else shares[:1]


def polarised(n: int, up: float) -> Shares:
    """Return n independent spins, each up with one probability: a Gibbs state, say.

    Parameters
    ----------
    n
        Number of spins.
    up
        Probability from 0 to 1.

    Raises
    ------
    ArgumentError
        If it is no probability.

    Examples
    --------
    >>> [round(share.weight, 6) for share in polarised(2, 0.5)]
    [0.25, 0.25, 0.25, 0.25]
    """
    if not 0 <= up <= 1:
        raise ArgumentError(f"Argument `up` must be a probability, but is {up}")
    found = (
        Share(_probability(n, J, m, up), J, m)
        for J in map(float, total_spins(n))
        for m in map(float, levels(J))
    )
    return tuple(share for share in found if share.weight > 0)


def _probability(n: int, J: float, m: float, up: float) -> float:
    """Return d_J p^(n/2+m) (1−p)^(n/2−m), from logarithms where d_J is no float."""
    ups, downs = n / 2 + m, n / 2 - m
    if (up == 0 and ups > 0) or (up == 1 and downs > 0):
        return 0.0
    logarithm = math.log(multiplicity(n, J))
    logarithm += ups * math.log(up) if ups else 0.0
    return math.exp(logarithm + (downs * math.log1p(-up) if downs else 0.0))


def mixture(parts: Iterable[tuple[float, Shares]]) -> Shares:
    """Return Σ p_k ρ_k of states with probabilities p_k that add up to 1.

    Raises
    ------
    ArgumentError
        If a probability is negative or their sum is not 1.

    Examples
    --------
    >>> mixture([(0.5, dicke(1, 0)), (0.5, dicke(1, 1))])
    (Share(weight=0.5, J=0.5, m=-0.5), Share(weight=0.5, J=0.5, m=0.5))
    """
    given = list(parts)
    total = math.fsum(p for p, _ in given)
    if not (all(p >= 0 for p, _ in given) and abs(total - 1) < 1e-9):
        raise ArgumentError(
            f"Argument `parts` must hold probabilities that add up to 1, but they are "
            f"{[p for p, _ in given]}"
        )
    return tuple(Share(p * w, J, m) for p, shares in given for w, J, m in shares if p > 0)
