"""Initial states: Gibbs states at any temperature, basis states, products of one-spin states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nmrqb.arguments import check_finite, checked
from nmrqb.errors import ArgumentError, nearest
from nmrqb.operators import PAULI, Complex, Real, as_hermitian, as_real, as_state, dagger, kron

_LEVEL = 8  # of d times the rounding of the largest energy: levels so close are one

NAMED_STATES = ("0", "1", "+", "-", "+i", "-i")
_BLOCH = dict(zip(NAMED_STATES, ("Z", "-Z", "X", "-X", "Y", "-Y"), strict=True))


@checked
def gibbs(
    hamiltonian: Any,  # noqa: ANN401 - arrays or Qobj
    temperature: ArrayLike,
    *,
    inverted: bool = False,
) -> Complex:
    """Return the Gibbs state exp(−H/T)/tr exp(−H/T).

    Energies are counted from the level that weighs most, so neither T → 0 nor T → ∞ overflows.
    Levels that rounding alone keeps apart (8d·2⁻⁵² of the largest energy) are one level: as T → 0
    the lowest ones are equally filled.  T = ∞ is the maximally mixed state.

    Parameters
    ----------
    hamiltonian
        H, Hermitian, shape (..., d, d), in the unit of the temperature; array or Qobj.
    temperature
        k_B T in the unit of H (for H/2π in Hz: k_B T/h in Hz), > 0; broadcasts with the batch
        axes.
    inverted
        Whether T may be negative as well, which inverts the populations.

    Returns
    -------
    array of shape (..., d, d)

    Raises
    ------
    ArgumentError
        If H is not finite, square and Hermitian, or a temperature is 0, not a number, or negative
        without ``inverted``.

    Examples
    --------
    >>> gibbs([[1, 0], [0, -1]], 1e-12).real.diagonal().tolist()
    [0.0, 1.0]
    """
    H = as_hermitian(hamiltonian, "hamiltonian")
    T = _temperature(temperature, inverted=inverted)
    _same_batch(H.shape[:-2], T.shape)
    e, V = np.linalg.eigh(H)
    e = _levels(e)
    heaviest = np.where(T > 0, e[..., 0], e[..., -1])
    with np.errstate(over="ignore", under="ignore"):  # an infinite exponent is an empty level
        weights = np.exp((heaviest[..., None] - e) / T[..., None])
    populations = weights / weights.sum(axis=-1, keepdims=True)
    return np.asarray((V * populations[..., None, :]) @ dagger(V))


def _temperature(value: ArrayLike, *, inverted: bool) -> Real:
    """Return temperatures that a Gibbs state can have, shape (...)."""
    T = as_real(value, "temperature")
    if np.any(T == 0):
        raise ArgumentError(
            f"Argument `temperature` must be a number other than 0, but is {T}; "
            "positive is thermal, negative is inverted"
        )
    if np.any(T < 0) and not inverted:
        raise ArgumentError(
            f"Argument `temperature` must be positive, but is {T}; a negative one inverts the "
            "populations, which `inverted=True` allows"
        )
    return T


def _same_batch(matrices: tuple[int, ...], numbers: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(matrices, numbers)
    except ValueError:
        raise ArgumentError(
            f"Argument `temperature` must broadcast with the batch axes {matrices} of "
            f"`hamiltonian`, but has shape {numbers}"
        ) from None


def _levels(e: Real) -> Real:
    """Return ascending energies with those that only rounding keeps apart made equal: (..., d)."""
    d = e.shape[-1]
    close = _LEVEL * d * np.finfo(float).eps * np.abs(e).max(axis=-1, keepdims=True)
    begins = np.ones(e.shape, dtype=bool)
    begins[..., 1:] = np.diff(e, axis=-1) > close
    return np.asarray(np.maximum.accumulate(np.where(begins, e, -np.inf), axis=-1))


def spin_gibbs(splitting: ArrayLike, temperature: ArrayLike, *, inverted: bool = False) -> Complex:
    """Return the Gibbs state of one spin with H = ν I_z, both arguments in one unit: (..., 2, 2).

    The excited state is |0⟩ for ν > 0; its population is 1/(1 + exp(ν/T)), above one half for a
    negative temperature (which ``inverted`` allows, see `gibbs`).

    Raises
    ------
    ArgumentError
        As for `gibbs`, of ``splitting`` where that is not finite.
    """
    nu = as_real(splitting, "splitting")
    check_finite("splitting", nu)
    return gibbs(nu[..., None, None] / 2 * PAULI["Z"], temperature, inverted=inverted)


@checked
def product_thermal(
    splittings: ArrayLike, temperatures: ArrayLike, *, inverted: bool = False
) -> Complex:
    """Return ⊗_k exp(−ν_k I_z/T_k)/Z_k, every spin at a temperature of its own.

    Parameters
    ----------
    splittings
        ν_k, shape (..., n), finite, in the unit of the temperatures.
    temperatures
        k_B T_k, shape (..., n); the two broadcast.
    inverted
        Whether temperatures may be negative, see `gibbs`.

    Returns
    -------
    array of shape (..., 2ⁿ, 2ⁿ)

    Raises
    ------
    ArgumentError
        As for `spin_gibbs`, or if the shapes do not fit or hold no spin.
    """
    nu, T = as_real(splittings, "splittings"), as_real(temperatures, "temperatures")
    try:
        shape = np.broadcast_shapes(nu.shape, T.shape)
    except ValueError:
        shape = ()
    if not shape or shape[-1] == 0:
        raise ArgumentError(
            f"Argument `temperatures` must have shape (..., n) like `splittings`, but the two have "
            f"shapes {T.shape} and {nu.shape}"
        )
    spins = spin_gibbs(np.broadcast_to(nu, shape), np.broadcast_to(T, shape), inverted=inverted)
    return kron(np.moveaxis(spins, -3, 0))


def product_state(spins: Sequence[str | tuple[ArrayLike, ArrayLike]]) -> Complex:
    """Return the product of pure one-spin states, the first spin leftmost.

    Parameters
    ----------
    spins
        For every spin one of ``0 1 + - +i -i``, the eigenstates of σ_z, σ_x and σ_y to +1 and −1,
        or Bloch angles (θ, φ) in rad, each of shape (...): cos(θ/2)|0⟩ + e^{iφ} sin(θ/2)|1⟩.

    Returns
    -------
    array of shape (..., 2ⁿ, 2ⁿ)

    Raises
    ------
    ArgumentError
        If there is no spin, a name is unknown, or an angle is not finite.
    """
    if isinstance(spins, str) or not isinstance(spins, Sequence):
        raise ArgumentError(f"Argument `spins` must be a list of states, but is {spins!r:.60}")
    if not spins:
        raise ArgumentError("Argument `spins` must name at least one state, but is empty")
    return kron(_pure_spin(spin) for spin in spins)


def _pure_spin(spin: str | tuple[ArrayLike, ArrayLike]) -> Complex:
    if isinstance(spin, str):
        if spin not in _BLOCH:
            raise ArgumentError(
                f"Argument `spins` must hold named states or angles, but holds {spin!r}; "
                f"{nearest(spin, NAMED_STATES)}"
            )
        sign = -1 if _BLOCH[spin].startswith("-") else 1
        return (PAULI["I"] + sign * PAULI[_BLOCH[spin][-1]]) / 2
    if not isinstance(spin, tuple) or len(spin) != 2:
        raise ArgumentError(
            f"Argument `spins` must hold pairs of angles or named states, but holds {spin!r:.60}"
        )
    theta, phi = (as_real(angle, "spins")[..., None, None] for angle in spin)
    if np.any(np.isinf(theta)) or np.any(np.isinf(phi)):
        raise ArgumentError(f"Argument `spins` must hold finite angles, but holds {spin}")
    across = np.cos(phi) * PAULI["X"] + np.sin(phi) * PAULI["Y"]
    return np.asarray((PAULI["I"] + np.cos(theta) * PAULI["Z"] + np.sin(theta) * across) / 2)


@checked
def basis_state(bits: str) -> Complex:
    """Return |b₁b₂…⟩⟨b₁b₂…| for a string of 0 (up) and 1 (down): shape (2ⁿ, 2ⁿ)."""
    if not bits or set(bits) - {"0", "1"}:
        raise ArgumentError(f"Argument `bits` must be zeros and ones, but is {bits!r}")
    state = np.zeros((2 ** len(bits),) * 2, dtype=complex)
    state[int(bits, 2), int(bits, 2)] = 1
    return state


def excited_population(rho: Any) -> Real:  # noqa: ANN401 - arrays or Qobj
    """Return the population of |0⟩ of one-spin states: (..., 2, 2) → (...).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or not of one spin.
    """
    state = as_hermitian(rho, "rho")
    if state.shape[-1] != 2:
        raise ArgumentError(
            f"Argument `rho` must be of one spin, (..., 2, 2), but has shape {state.shape}"
        )
    return np.asarray(state[..., 0, 0].real)


@checked
def is_density_matrix(rho: Any, tolerance: float = 1e-9) -> bool:  # noqa: ANN401 - arrays or Qobj
    """Tell whether every matrix of a stack (..., d, d) is a state, see `as_state`."""
    try:
        as_state(rho, "rho", tolerance)
    except ArgumentError:
        return False
    return True
