"""Energy, work and capacity of a battery state, for any dimension and any stack of states.

A battery has a Hamiltonian H with ascending eigenvalues e_k, a state ρ has eigenvalues r_k.
Every function takes ρ of shape (..., d, d) (arrays or ``qutip.Qobj``) and H of shape (..., d, d),
broadcasts their batch axes, and answers in the unit of H.

Three capacities have three names: `capacity` of a state, `spectral_width` of a battery, and
`polarized_capacity`, which dipolar-battery-dm prints.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmrqb.battery.arguments import ESTIMATED, check_size, mean, pair
from nmrqb.operators import Real, as_hermitian, as_unit_trace


def energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the mean energy tr ρH: (..., d, d) → (...)."""
    return mean(*pair(rho, H))


def stored_energy(rho: Any, start: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the energy tr (ρ − ρ0)H that a charge has put in: (..., d, d) → (...).

    Parameters
    ----------
    rho, start
        State(s) after and before, shape (..., d, d).
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Returns
    -------
    array of shape (...), in the unit of H

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or they differ in size.
    """
    state, hamiltonian = pair(rho, H)
    before = as_hermitian(start, "start")
    check_size(state, before, "start")
    return mean(state - before, hamiltonian)


def energy_variance(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the variance tr ρH² − (tr ρH)² of energy readings, in the unit of H squared: (...).

    It is summed as tr ρ(H − tr ρH)².

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, a trace is not 1 within 1e-6 (a deviation has no variance),
        or the two differ in size.
    """
    state, hamiltonian = pair(as_unit_trace(rho, "rho", ESTIMATED), H)
    d = state.shape[-1]
    away = hamiltonian - mean(state, hamiltonian)[..., None, None] * np.eye(d)
    return np.maximum(mean(state, away @ away), 0.0)  # below 0 is rounding


def energy_spread(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the standard deviation √(tr ρH² − (tr ρH)²) of energy readings: (...)."""
    return np.sqrt(energy_variance(rho, H))


def passive_energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the lowest energy Σ r↓_k e↑_k that unitaries reach: (..., d, d) → (...)."""
    r, e = _spectra(rho, H)
    return np.asarray((r[..., ::-1] * e).sum(axis=-1))


def active_energy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the highest energy Σ r↑_k e↑_k that unitaries reach: (..., d, d) → (...)."""
    r, e = _spectra(rho, H)
    return np.asarray((r * e).sum(axis=-1))


def _spectra(rho: Any, H: Any) -> tuple[Real, Real]:  # noqa: ANN401
    state, hamiltonian = pair(rho, H)
    return np.linalg.eigvalsh(state), np.linalg.eigvalsh(hamiltonian)


def ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the largest work that a unitary extracts, tr ρH − Σ r↓_k e↑_k ≥ 0.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d), arrays or Qobj; linear inversions need not be positive.
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Returns
    -------
    array of shape (...), in the unit of H

    Raises
    ------
    ArgumentError
        If a matrix is not square, not finite or not Hermitian, or the two differ in size.

    Notes
    -----
    Allahverdyan, Balian & Nieuwenhuizen (2004); dipolar-battery-dm-ksea-nmr, sec. IV.
    """
    return np.maximum(energy(rho, H) - passive_energy(rho, H), 0.0)  # below 0 is rounding


def anti_ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return tr ρH − Σ r↑_k e↑_k ≤ 0, minus the largest work a unitary can put in: (...)."""
    return np.minimum(energy(rho, H) - active_energy(rho, H), 0.0)  # above 0 is rounding


def capacity(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return ergotropy − anti-ergotropy = Σ (r↑ − r↓)_k e↑_k, constant under unitaries: (...)."""
    return active_energy(rho, H) - passive_energy(rho, H)


def spectral_width(H: Any) -> Real:  # noqa: ANN401
    """Return λ_max − λ_min of a battery, the capacity of its pure states: (..., d, d) → (...)."""
    e = np.linalg.eigvalsh(as_hermitian(H, "H"))
    return np.asarray(e[..., -1] - e[..., 0])


def polarized_capacity(H: Any) -> Real:  # noqa: ANN401
    """Return ⟨1…1|H|1…1⟩ − ⟨0…0|H|0…0⟩ of dipolar-battery-dm, eq. 8: (..., d, d) → (...).

    For the battery of that paper it is −B whatever the couplings are (its eq. 11); its figures
    show the `spectral_width`.
    """
    hamiltonian = as_hermitian(H, "H")
    return np.asarray((hamiltonian[..., -1, -1] - hamiltonian[..., 0, 0]).real)
