"""Power: how fast energy and ergotropy change, on average and at an instant, and charging times.

Powers are in the unit of H per unit time.  At an instant they are exact derivatives, given ρ̇ of
the generator (`state_derivative`); nothing is differenced.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.arguments import checked
from nmrqb.battery.arguments import check_size, mean, pair
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, as_matrix, as_real, dagger

_EQUAL = 1e-10  # of the largest eigenvalue of a state: populations that may be one


@checked
def state_derivative(
    rho: Any,  # noqa: ANN401
    hamiltonian: Any,  # noqa: ANN401
    operators: Iterable[Any] = (),
) -> Complex:
    """Return ρ̇ = −i[H, ρ] + Σ_m L_m ρ L_m† − ½{L_m†L_m, ρ}: (..., d, d) → (..., d, d).

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    hamiltonian
        What drives the state, in rad/s (not the battery's H/2π in Hz), shape (..., d, d).
    operators
        Lindblad operators L_m in s^(-1/2), each of shape (..., d, d); none is a closed battery.

    Returns
    -------
    array of shape (..., d, d), in 1/s

    Raises
    ------
    ArgumentError
        If ρ or H is not Hermitian, or matrices differ in size.
    """
    state, H = pair(rho, hamiltonian, "hamiltonian")
    derivative = -1j * (H @ state - state @ H)
    for operator in operators:
        L = as_matrix(operator, "operators")
        check_size(state, L, "operators")
        rate = dagger(L) @ L
        derivative = derivative + L @ state @ dagger(L) - (rate @ state + state @ rate) / 2
    return np.asarray((derivative + dagger(derivative)) / 2)  # rounding leaves a skew part


def energy_power(rho_dot: Any, H: Any) -> Real:  # noqa: ANN401
    """Return dE/dt = tr ρ̇H: (..., d, d) → (...), in the unit of H per unit time.

    Parameters
    ----------
    rho_dot
        ρ̇ of `state_derivative`, shape (..., d, d).
    H
        Battery Hamiltonian(s), constant in time, shape (..., d, d).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or the two differ in size.
    """
    derivative, hamiltonian = as_hermitian(rho_dot, "rho_dot"), as_hermitian(H, "H")
    check_size(derivative, hamiltonian, "H")
    return mean(derivative, hamiltonian)


def ergotropy_power(rho: Any, rho_dot: Any, H: Any) -> Real:  # noqa: ANN401
    """Return dW/dt = tr ρ̇H − Σ_k ṙ_k e_k of the ergotropy W: (..., d, d) → (...).

    The populations r_k, in falling order, change at ṙ_k = ⟨k|ρ̇|k⟩.  Where some coincide |k⟩ are
    the eigenvectors of ρ̇ among them, its larger eigenvalues first; the answer is then the
    derivative towards later times.  Under a unitary charge ṙ = 0 and it is `energy_power`.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    rho_dot
        ρ̇ of `state_derivative`, shape (..., d, d).
    H
        Battery Hamiltonian(s), constant in time, shape (..., d, d).

    Returns
    -------
    array of shape (...), in the unit of H per unit time

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or they differ in size.

    Notes
    -----
    dipolar-battery-dm, eq. 7.
    """
    state, hamiltonian = pair(rho, H)
    derivative = as_hermitian(rho_dot, "rho_dot")
    check_size(state, derivative, "rho_dot")
    flow = _population_flow(state, derivative)
    lost = (flow * np.linalg.eigvalsh(hamiltonian)).sum(axis=-1)
    return np.asarray(mean(derivative, hamiltonian) - lost)


def _population_flow(rho: Complex, rho_dot: Complex) -> Real:
    """Return ṙ_k of the populations in falling order: (..., d, d) → (..., d).

    Elements of ρ̇ between different populations are left out, and blocks of equal ones are set so
    far apart that one diagonalisation keeps them in order.
    """
    r, V = np.linalg.eigh(-rho)
    size = np.abs(r).max(axis=-1, keepdims=True)
    group = np.cumsum(np.diff(r, axis=-1, prepend=r[..., :1]) > _EQUAL * size, axis=-1)
    equal = group[..., :, None] == group[..., None, :]
    blocks = np.where(equal, dagger(V) @ rho_dot @ V, 0)
    apart = 4 * np.linalg.norm(blocks, axis=(-2, -1))[..., None]
    offsets = apart * group
    diagonal = np.eye(rho.shape[-1]) * offsets[..., None, :]
    # ascending eigenvalues of −ρ̇ + offsets: group after group, within each the largest ṙ first
    return np.asarray(offsets - np.linalg.eigvalsh(diagonal - blocks))


@checked
def average_power(work: ArrayLike, t: ArrayLike, at_start: float = 0.0) -> Real:
    """Return W/t, the average power of a charge that began at t = 0: (...) → (...).

    Parameters
    ----------
    work
        Energy or ergotropy put in, in any unit, shape (...).
    t
        Times ≥ 0, shape (...).
    at_start
        The value at t = 0, the limit of W/t; 0 as for a state that commutes with H and is charged
        by a unitary.

    Returns
    -------
    array of shape (...), in the unit of the work per unit of time

    Raises
    ------
    ArgumentError
        If a number is not finite, a time is negative, or shapes do not broadcast.
    """
    put_in, times = _curves(work, t)
    if np.any(times < 0):
        raise ArgumentError(f"Argument `t` must be ≥ 0, but holds {times.min():.6g}")
    ended = times > 0
    return np.asarray(np.where(ended, put_in / np.where(ended, times, 1), at_start))


@checked
def charging_time(t: ArrayLike, work: ArrayLike, fraction: float = 1.0) -> Real:
    """Return when a curve first reaches a fraction of its largest value: (T,), (..., T) → (...).

    Parameters
    ----------
    t
        Ascending times, shape (T,).
    work
        Energy or ergotropy at these times, shape (..., T).
    fraction
        Of the largest value, in (0, 1].  At 1 it is the earliest of the times at which the curve
        is largest (within 1e-9 of its range); below, the crossing is interpolated linearly.

    Returns
    -------
    array of shape (...), in the unit of t

    Raises
    ------
    ArgumentError
        If a number is not finite, times do not ascend, shapes differ, or the fraction is not in
        (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ArgumentError(f"Argument `fraction` must be in (0, 1], but is {fraction}")
    curve, grid = _curves(work, t)
    times = as_real(t, "t")
    if times.ndim != 1 or grid.shape != curve.shape or np.any(np.diff(times) <= 0):
        raise ArgumentError(
            f"Argument `t` must be ascending times, (T,), for curves (..., T), but has shape "
            f"{times.shape} for {curve.shape}"
        )
    top = curve.max(axis=-1, keepdims=True)
    wanted = fraction * top - 1e-9 * (top - curve.min(axis=-1, keepdims=True))
    first = (curve >= wanted).argmax(axis=-1)
    return times[first] if fraction == 1 else _crossing(times, curve, fraction * top, first)


def _crossing(times: Real, curve: Real, level: Real, first: Any) -> Real:  # noqa: ANN401
    """Interpolate where curves reach a level on the way to their point ``first``."""
    before = np.maximum(first - 1, 0)
    low = np.take_along_axis(curve, before[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(curve, np.asarray(first)[..., None], axis=-1)[..., 0]
    rise = np.where(high > low, high - low, 1)
    part = np.where(high > low, np.clip((level[..., 0] - low) / rise, 0, 1), 1)
    return np.asarray(times[before] + part * (times[first] - times[before]))


def _curves(work: ArrayLike, t: ArrayLike) -> tuple[Real, Real]:
    """Return work and times, finite and broadcast to one shape."""
    values = []
    for given, name in ((work, "work"), (t, "t")):
        numbers = as_real(given, name)
        if not np.all(np.isfinite(numbers)):
            raise ArgumentError(
                f"Argument `{name}` must be finite, but holds "
                f"{np.count_nonzero(~np.isfinite(numbers))} entries that are not"
            )
        values.append(numbers)
    try:
        put_in, times = np.broadcast_arrays(*values)
    except ValueError as error:
        raise ArgumentError(
            f"Argument `t` must be of the shape of `work`, {values[0].shape}, but has shape "
            f"{values[1].shape}"
        ) from error
    return put_in, times
