"""Thermal equilibrium of a sample in its field, and the deviations that NMR sees of a state.

A state of d levels is ρ = (1 + εΔ)/d, with a deviation Δ that is Hermitian and traceless.  At
equilibrium ε = ħγ(1H)B₀/k_BT and, where ε is small, Δ = Σ_k (γ_k/γ(1H)) I_zk, which is
`nmrqb.dynamics.thermal_deviation`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import hbar, k

from nmrqb.arguments import check_finite, check_positive, checked
from nmrqb.dynamics.states import basis_state, product_thermal
from nmrqb.errors import ArgumentError
from nmrqb.operators import (
    Complex,
    Real,
    as_complex,
    as_hermitian,
    as_real,
    as_state,
    as_unit_trace,
)
from nmrqb.sample import Sample
from nmrqb.sample.nuclei import GYROMAGNETIC

_ROUNDING = 1e-9
_NOTHING = 1e-300


@checked
def polarization_factor(sample: Sample, kelvin: ArrayLike) -> Real:
    """Return ε = ħγ(1H)B₀/k_BT, dimensionless: kelvin of shape (...) → (...).

    Raises
    ------
    ArgumentError
        If the sample has no field, or a temperature is not positive and finite.
    """
    T = as_real(kelvin, "kelvin")
    check_positive("kelvin", T)
    if sample.field_tesla is None:
        raise ArgumentError(
            f"Argument `sample` must have a static field, but {sample.name!r} has none; "
            "give its `field_tesla`"
        )
    return np.asarray(hbar * GYROMAGNETIC["1H"] * 1e7 * sample.field_tesla / (k * T))


@checked
def thermal_state(sample: Sample, kelvin: ArrayLike) -> Complex:
    """Return exp(−ħH₀/k_BT)/Z with the Zeeman energies H₀ = −Σ_k γ_k B₀ I_zk.

    Offsets and couplings, parts in 10⁵ of that, are left out.  Nothing is expanded in 1/T: the
    state holds at millikelvins too.  Spins of negative γ are mostly down.

    Parameters
    ----------
    sample
        The spins, and their ``field_tesla``.
    kelvin
        Temperature of the sample in K, shape (...), > 0.

    Returns
    -------
    array of shape (..., 2ⁿ, 2ⁿ)

    Raises
    ------
    ArgumentError
        As for `polarization_factor`.
    """
    epsilon = polarization_factor(sample, kelvin)
    ratios = np.array([GYROMAGNETIC[spin.nucleus] / GYROMAGNETIC["1H"] for spin in sample.spins])
    return product_thermal(-epsilon[..., None] * ratios, 1.0)


def deviation(rho: Any, epsilon: ArrayLike = 1.0) -> Complex:  # noqa: ANN401 - arrays or Qobj
    """Return Δ = (dρ − 1)/ε, the traceless part of ρ = (1 + εΔ)/d.

    Parameters
    ----------
    rho
        State(s) of trace 1, shape (..., d, d), positive or not (an estimate); array or Qobj.
    epsilon
        Scale, say `polarization_factor`, shape (...), finite and not 0.

    Returns
    -------
    array of shape (..., d, d)

    Raises
    ------
    ArgumentError
        If ρ is not Hermitian or of trace 1, or ε is 0 or not finite.

    Notes
    -----
    Rounding of ρ is divided by ε: at ε = 1e-5 Δ has eleven digits.
    """
    state = as_unit_trace(rho, "rho")
    scale = as_real(epsilon, "epsilon")
    if not np.all(np.isfinite(scale) & (np.abs(scale) > _NOTHING)):
        raise ArgumentError(f"Argument `epsilon` must be finite and not 0, but is {scale}")
    d = state.shape[-1]
    return np.asarray((d * state - np.eye(d)) / scale[..., None, None])


def from_deviation(delta: Any, epsilon: ArrayLike = 1.0) -> Complex:  # noqa: ANN401
    """Return ρ = (1 + εΔ)/d, the inverse of `deviation`.

    Parameters
    ----------
    delta
        Δ, Hermitian and traceless, shape (..., d, d); array or Qobj.
    epsilon
        Scale ε, shape (...), finite; so small that no population is negative.

    Returns
    -------
    array of shape (..., d, d)

    Raises
    ------
    ArgumentError
        If Δ is not Hermitian or not traceless, ε is not finite, or the state is not positive.
    """
    Delta = as_hermitian(delta, "delta")
    trace = np.abs(np.trace(Delta, axis1=-2, axis2=-1))
    if np.any(trace > _ROUNDING * np.abs(Delta).max(axis=(-2, -1))):
        raise ArgumentError(f"Argument `delta` must be traceless, but has trace {trace.max():.3g}")
    scale = as_real(epsilon, "epsilon")
    check_finite("epsilon", scale)
    d = Delta.shape[-1]
    rho = np.asarray((np.eye(d) + scale[..., None, None] * Delta) / d)
    lowest = np.linalg.eigvalsh(rho).min(initial=0.0)
    if lowest < -_ROUNDING:
        raise ArgumentError(
            f"Argument `epsilon` must leave every population positive, but is {scale}: the "
            f"lowest is {lowest:.3g}"
        )
    return rho


def pseudo_pure(state: Any, epsilon: ArrayLike) -> Complex:  # noqa: ANN401 - bits, arrays or Qobj
    """Return (1 − ε) 1/d + ε ψ, a state whose deviation is that of ψ.

    Parameters
    ----------
    state
        ψ as bits (``"01"``), a normalised vector of shape (d,) or (..., d, 1), or density
        matrices of shape (..., d, d); array or Qobj.
    epsilon
        Share of ψ, from −1/(d − 1) to 1, where a pure ψ leaves no population negative; shape
        (...).

    Returns
    -------
    array of shape (..., d, d)

    Raises
    ------
    ArgumentError
        If ψ is no state, or ε is outside its range.
    """
    psi = _density(state)
    d, share = psi.shape[-1], as_real(epsilon, "epsilon")
    least = -1 / max(d - 1, 1)
    if not np.all((share >= least) & (share <= 1)):
        raise ArgumentError(
            f"Argument `epsilon` must be from {least:.6g} to 1 for {d} levels, but is {share}"
        )
    share = share[..., None, None]
    return np.asarray((1 - share) * np.eye(d) / d + share * psi)


def _density(state: Any) -> Complex:  # noqa: ANN401 - bits, arrays or Qobj
    """Return density matrices (..., d, d) of bits, vectors or density matrices."""
    if isinstance(state, str):
        return basis_state(state)
    vector = as_complex(state, "state")
    if vector.ndim == 1:
        vector = vector[:, None]
    if vector.ndim < 2 or vector.shape[-1] != 1:
        return as_state(vector, "state")
    norm = np.sqrt((np.abs(vector) ** 2).sum(axis=(-2, -1)))
    if not np.all(np.abs(norm - 1) <= _ROUNDING):
        raise ArgumentError(f"Argument `state` must be a vector of norm 1, but has norm {norm}")
    return np.asarray(vector @ vector.conj().swapaxes(-1, -2))
