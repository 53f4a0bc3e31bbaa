"""Quantum discord: the least over projective measurements, with a proven bound, and of X states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery.arguments import bipartite, positive
from nmrqb.battery.correlations import entropies_of, split_state
from nmrqb.battery.entropies import shannon
from nmrqb.battery.measurements import Problem, distance, minimise, spectra
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, check_two_spins

_X = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]], dtype=bool)
_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class Discord:
    """Discord of states, each number of shape (...), in bits.

    Attributes
    ----------
    value
        The least that was found; the discord is not above it.
    bound
        The discord is not below it: proven where the measured part has two levels, else the
        larger of 0 and S(ρ_A) − S(ρ).
    classical
        I(ρ) − value, the classical correlation of the measurement found.
    basis
        That measurement on A, vectors as columns, shape (..., a, a).
    """

    value: Real
    bound: Real
    classical: Real
    basis: Complex


@checked
def discord(
    rho: Any,  # noqa: ANN401
    measured: Sequence[int] = (0,),
    dims: Sequence[int] | None = None,
    *,
    tolerance: float = 1e-3,
) -> Discord:
    """Return the quantum discord D_A = S(ρ_A) − S(ρ) + min Σ_k p_k S(ρ_B|k), in bits.

    The minimum is over all projective measurements on A.  It is searched for and, where A has two
    levels, enclosed: see `nmrqb.battery.measurements`, with slack(q) = T h(q), h the entropy of a
    bit: what B tells of the flip is less than h(q), and less by the distance T of the states that
    the outcomes leave (Audenaert 2014).

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d), arrays or Qobj.
    measured
        Tensor positions of A, measured together; all else is B.
    dims
        Dimensions of all parts in tensor order; None is spins ½.
    tolerance
        Bits between value and bound that are aimed at.  Where the minimum is flat, as for
        Werner states, the bound stays up to 0.02 below.

    Returns
    -------
    Discord
        Of batch shape (...).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6, the parts are not those of
        the register, or the tolerance is not positive.

    Notes
    -----
    Ollivier & Zurek (2001); dipolar-battery-dm-ksea-nmr, eqs. C1 to C5, which measures the first
    spin.  With generalised measurements the discord can be lower.

    Examples
    --------
    >>> from nmrqb.operators import pauli
    >>> bell = (pauli("II") + pauli("XX") - pauli("YY") + pauli("ZZ")) / 4
    >>> round(float(discord(bell).value), 9)
    1.0
    """
    check_tolerance(tolerance)
    split = split_state(rho, measured, dims, "measured")
    batch, (a, b) = split.shape[:-4], split.shape[-4:-2]
    of_a, of_b, of_all = entropies_of(split)
    floor = np.maximum(of_all - of_a, 0.0)
    least = minimise(_problem(split.reshape(-1, a, b, a, b), floor.reshape(-1)), tolerance)
    value, bound = (x.reshape(batch) + of_a - of_all for x in (least.value, least.bound))
    return Discord(
        np.maximum(value, 0.0),
        np.maximum(bound, 0.0),
        of_b - least.value.reshape(batch),
        least.basis.reshape(*batch, a, a),
    )


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance that is not positive."""
    if not tolerance > 0:
        raise ArgumentError(f"Argument `tolerance` must be positive, but is {tolerance}")


def _problem(states: Complex, floor: Real) -> Problem:
    apart = distance(states) if states.shape[1] == 2 else np.ones(len(states))
    return Problem(
        states,
        lambda _, sigma: _entropy(sigma),
        lambda which, q: apart[which] * shannon(np.stack([q, 1 - q], axis=-1)),
        floor,
    )


def _entropy(sigma: Complex) -> Real:
    """Return p S(σ/p) in bits of σ with trace p: (m, b, b) → (m,)."""
    r = spectra(sigma)
    return shannon(r) - shannon(r.clip(0, None).sum(axis=-1, keepdims=True))


@checked
def x_state_discord(rho: Any, measured: int = 0) -> Real:  # noqa: ANN401
    """Return the formula for the discord of X states of two spins, in bits: (..., 4, 4) → (...).

    It is the lesser of what measuring σ_z and measuring the best equatorial direction give.  So it
    is never below the discord over projective measurements, equal for most X states, and a little
    above where the best direction is in between.

    Parameters
    ----------
    rho
        State(s) whose only elements are on the two diagonals, shape (..., 4, 4).
    measured
        Which spin is measured, 0 or 1.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, not of trace 1 or not an X state, or the spin is not there.

    Notes
    -----
    Ali, Rau & Alber (2010), whose claim that these two directions always suffice does not hold.
    """
    if measured not in (0, 1):
        raise ArgumentError(f"Argument `measured` must be 0 or 1, but is {measured}")
    given = positive(rho)
    _check_x(given)
    split = bipartite(given, (measured,), (2, 2))
    state = split.reshape(given.shape)
    of_a, _, of_all = entropies_of(split)
    p = np.einsum("...kk->...k", state).real
    along = shannon(p) - of_a
    tilt = p[..., 0] + p[..., 2] - p[..., 1] - p[..., 3]  # ⟨σ_z⟩ of the spin that is not measured
    turned = 2 * (np.abs(state[..., 0, 3]) + np.abs(state[..., 1, 2]))
    length = np.minimum(np.hypot(tilt, turned), 1.0)
    across = shannon(np.stack([1 + length, 1 - length], axis=-1) / 2)
    return np.maximum(of_a - of_all + np.minimum(along, across), 0.0)


def _check_x(state: Complex) -> None:
    check_two_spins(state)
    worst = float(np.abs(np.where(_X, 0, state)).max(initial=0.0))
    if worst > _ZERO:
        raise ArgumentError(
            f"Argument `rho` must be X states, but elements off the diagonals reach {worst:.3g}"
        )
