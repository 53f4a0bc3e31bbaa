"""Initial states: Gibbs states at any temperature, and products of them."""

from __future__ import annotations

import math

import numpy as np

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_matrix, dagger


def gibbs(hamiltonian: Complex, temperature: float | Real) -> Complex:
    """Return the Gibbs state exp(−H/T)/tr exp(−H/T).

    Energies are counted from the level that weighs most, so neither T → 0 nor T → −0 overflows;
    T = ±∞ is the maximally mixed state; a negative temperature inverts the populations.

    Parameters
    ----------
    hamiltonian
        Shape (..., d, d), in the unit of the temperature.
    temperature
        k_B T in the unit of H (for H/2π in Hz: k_B T/h in Hz); broadcasts with the batch axes.

    Returns
    -------
    array of shape (..., d, d)

    Raises
    ------
    ArgumentError
        If a temperature is 0 or not a number.
    """
    T = np.asarray(temperature, dtype=float)
    if np.any(T == 0) or np.any(np.isnan(T)):
        raise ArgumentError(
            f"Argument `temperature` must be a number other than 0, but is {temperature}; "
            "positive is thermal, negative is inverted"
        )
    e, V = np.linalg.eigh(as_matrix(hamiltonian, "hamiltonian"))
    heaviest = np.where(T > 0, e[..., 0], e[..., -1])
    with np.errstate(over="ignore"):  # an infinite exponent is an empty level
        weights = np.exp((heaviest[..., None] - e) / T[..., None])
    populations = weights / weights.sum(axis=-1, keepdims=True)
    return np.asarray((V * populations[..., None, :]) @ dagger(V))


def spin_gibbs(splitting: float, temperature: float) -> Complex:
    """Return the Gibbs state of one spin with H = ν I_z, both arguments in one unit: (2, 2).

    The excited state is |0⟩ for ν > 0; its population is 1/(1 + exp(ν/T)), above one half for a
    negative temperature.
    """
    return gibbs(np.diag([splitting / 2, -splitting / 2]), temperature)


def basis_state(bits: str) -> Complex:
    """Return |b₁b₂…⟩⟨b₁b₂…| for a string of 0 (up) and 1 (down): shape (2ⁿ, 2ⁿ)."""
    if not bits or set(bits) - {"0", "1"}:
        raise ArgumentError(f"Argument `bits` must be zeros and ones, but is {bits!r}")
    state = np.zeros((2 ** len(bits),) * 2, dtype=complex)
    state[int(bits, 2), int(bits, 2)] = 1
    return state


def excited_population(rho: Complex) -> Real:
    """Return the population of |0⟩ of one-spin states: (..., 2, 2) → (...)."""
    return np.asarray(rho[..., 0, 0].real)


def is_density_matrix(rho: Complex, tolerance: float = 1e-9) -> bool:
    """Tell whether every matrix of a stack (..., d, d) is Hermitian, positive and of trace 1."""
    hermitian = np.allclose(rho, dagger(rho), atol=tolerance)
    trace = np.allclose(np.trace(rho, axis1=-2, axis2=-1), 1, atol=tolerance)
    lowest = float(np.linalg.eigvalsh((rho + dagger(rho)) / 2).min())
    return hermitian and trace and math.isfinite(lowest) and lowest > -tolerance
