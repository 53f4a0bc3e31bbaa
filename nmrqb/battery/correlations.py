"""Correlations of two parts: concurrence, negativity, mutual information, steering.

All are those of positive states of trace 1: negative eigenvalues of an unprojected estimate are set
to zero and the trace is brought back to 1.  The parts of a register are named by their tensor
positions; spins ½ unless ``dims`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery.arguments import (
    as_dims,
    as_part,
    bipartite,
    populations,
    positive,
)
from nmrqb.battery.entropies import shannon
from nmrqb.operators import Complex, Real, check_two_spins, pauli, pauli_coefficients


def concurrence(rho: Any) -> Real:  # noqa: ANN401
    """Return the concurrence max(0, λ1 − λ2 − λ3 − λ4) of two spins: (..., 4, 4) → (...).

    λ_k are the square roots of the eigenvalues of ρ(σ_y⊗σ_y)ρ*(σ_y⊗σ_y), found as the singular
    values of Aᵀ(σ_y⊗σ_y)A with ρ = AA†, which keeps all digits where ρ is singular.

    Parameters
    ----------
    rho
        State(s) of two spins, shape (..., 4, 4), arrays or Qobj.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6, or it is not of two spins.

    Notes
    -----
    Wootters (1998); dipolar-battery-dm-ksea-nmr, eq. D1.
    """
    r, V = populations(rho)
    check_two_spins(V)
    A = V * np.sqrt(r)[..., None, :]
    singular = np.linalg.svd(A.swapaxes(-1, -2) @ pauli("YY") @ A, compute_uv=False)
    return np.asarray(np.maximum(2 * singular[..., 0] - singular.sum(axis=-1), 0.0))


@checked
def negativity(rho: Any, part: Sequence[int] = (0,), dims: Sequence[int] | None = None) -> Real:  # noqa: ANN401
    """Return the negativity (‖ρ^T_A‖₁ − 1)/2 between a part and the rest: (..., d, d) → (...).

    It is the sum of the moduli of the negative eigenvalues of the partial transpose.

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d).
    part
        Tensor positions of A; all else is B.
    dims
        Dimensions of all parts in tensor order; None is spins ½.

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, its trace is not 1 within 1e-6, or the parts are not those
        of the register.

    Notes
    -----
    Vidal & Werner (2002).
    """
    split = split_state(rho, part, dims)
    a, b = split.shape[-4:-2]
    transposed = split.swapaxes(-4, -2).reshape(*split.shape[:-4], a * b, a * b)
    return np.asarray(np.clip(-np.linalg.eigvalsh(transposed), 0, None).sum(axis=-1))


@checked
def mutual_information(
    rho: Any,  # noqa: ANN401
    part: Sequence[int] = (0,),
    dims: Sequence[int] | None = None,
) -> Real:
    """Return S(ρ_A) + S(ρ_B) − S(ρ) in bits of a part and the rest: (..., d, d) → (...).

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d).
    part
        Tensor positions of A; all else is B.
    dims
        Dimensions of all parts in tensor order; None is spins ½.

    Raises
    ------
    ArgumentError
        As for `negativity`.
    """
    of_a, of_b, of_all = entropies_of(split_state(rho, part, dims))
    return np.maximum(of_a + of_b - of_all, 0.0)


def steering(rho: Any) -> Real:  # noqa: ANN401
    """Return the steering figure S = √(tr TᵀT), T_ab = ⟨σ_a⊗σ_b⟩: (..., 4, 4) → (...).

    It is the largest value of Σ_i ⟨A_i⊗B_i⟩/√3 over three mutually orthogonal settings of one spin
    and any of the other; above 1 each spin can steer the other.

    Parameters
    ----------
    rho
        State(s) of two spins, shape (..., 4, 4).

    Raises
    ------
    ArgumentError
        As for `concurrence`.

    Notes
    -----
    Costa & Angelo (2016); heisenberg-chain-dm-battery, eq. 10.
    """
    state = positive(rho)
    check_two_spins(state)
    expectations = 4 * pauli_coefficients(state).real
    T = expectations.reshape(*expectations.shape[:-1], 4, 4)[..., 1:, 1:]
    return np.asarray(np.sqrt((T**2).sum(axis=(-2, -1))))


def split_state(
    rho: Any,  # noqa: ANN401
    part: Sequence[int],
    dims: Sequence[int] | None,
    name: str = "part",
) -> Complex:
    """Return positive states as (..., a, b, a, b), a of a part and b of the rest."""
    state = positive(rho)
    known = as_dims(state.shape[-1], dims)
    return bipartite(state, as_part(part, len(known), name), known)


def entropies_of(split: Complex) -> tuple[Real, Real, Real]:
    """Return S(ρ_A), S(ρ_B) and S(ρ) in bits of states of shape (..., a, b, a, b)."""
    a, b = split.shape[-4:-2]
    states = (
        np.einsum("...ikjk->...ij", split),
        np.einsum("...kikj->...ij", split),
        split.reshape(*split.shape[:-4], a * b, a * b),
    )
    of_a, of_b, of_all = (shannon(np.linalg.eigvalsh(state)) for state in states)
    return of_a, of_b, of_all
