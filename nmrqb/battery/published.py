"""Closed forms of the papers.  Constants here are in the papers' own units (ħ = 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from nmrqb.battery.energies import ergotropy
from nmrqb.dynamics import apply, basis_state, commutator_superoperator, dissipator
from nmrqb.errors import ArgumentError
from nmrqb.operators import PAULI, Complex, Real, embed, from_named, partial_trace


def charger_battery_hamiltonian(Delta: float, D: float, omega0: float = 0.0) -> Complex:
    """Return H_BC of dipolar-battery-dm, eq. 16 with ε = 0, in rad per unit time: (4, 4).

    −⅓ S1·P·S2 + D·(S1×S2) + ω0(S1z + S2z) with S = σ/2: eq. 12 of dipolar-battery-dm-ksea-nmr
    with every two-spin constant divided by 4 and B = ω0/2.
    """
    return from_named({"DM_z": D / 4, "Delta": Delta / 4, "B": omega0 / 2})


def dephasing_operators(gamma_B: float, gamma_C: float) -> list[Complex]:
    """Return √γ_B σ_z⊗1 and √γ_C 1⊗σ_z of dipolar-battery-dm, eq. 18."""
    return [
        np.sqrt(gamma) * embed(PAULI["Z"], spin, 2) for spin, gamma in enumerate((gamma_B, gamma_C))
    ]


def exchange_coupling(Delta: float, D: float) -> float:
    """Return κ = √(Δ² + 9D²)/6, half the splitting of span{01, 10} (dipolar-battery-dm, eq. 21)."""
    return float(np.hypot(Delta, 3 * D) / 6)


def dephased_exchange_ergotropy(t: float | Real, kappa: float, dephasing: float) -> Real:
    """Return the ergotropy within span{01, 10} that starts in |10⟩ (dipolar-battery-dm, eq. 23).

    W(t) = κ e^(−Γt/2) √[(cos ωt + Γ/2ω sin ωt)² + (2κ/ω)² sin² ωt], ω = √(4κ² − Γ²/4); for
    Γ > 4κ the circular functions become hyperbolic.  For the master equation of eq. 18 it is
    exact with Γ = 2(γ_B + γ_C): eq. 18 damps the 01–10 coherence at that rate, not at
    γ_B + γ_C as the paper prints.

    Parameters
    ----------
    t
        Time(s), shape (...).
    kappa
        κ of `exchange_coupling`, rad per unit time, > 0.
    dephasing
        Γ, decay rate of the 01–10 coherence, ≥ 0.

    Returns
    -------
    array of shape (...), in the unit of κ

    Raises
    ------
    ArgumentError
        If κ is not positive or Γ is negative.
    """
    if not (kappa > 0 and dephasing >= 0):
        raise ArgumentError(
            f"Arguments `kappa` and `dephasing` must be > 0 and ≥ 0, but are {kappa}, {dephasing}"
        )
    t = np.asarray(t, dtype=float)
    omega = np.sqrt(complex(4 * kappa**2 - dephasing**2 / 4))
    # e^(−Γt/2) is taken into the exponentials, so that the overdamped case does not overflow
    forward, backward = (np.exp((s * 1j * omega - dephasing / 2) * t) for s in (1, -1))
    cosine = (forward + backward) / 2
    sine_over = (forward - backward) / (2j * omega) if omega else t * forward
    z = cosine + dephasing / 2 * sine_over
    return np.asarray(kappa * np.sqrt(np.abs(z) ** 2 + np.abs(2 * kappa * sine_over) ** 2))


@dataclass(frozen=True, eq=False)
class DephasedExchange:
    """Ergotropies of a charger–battery pair that starts in |10⟩, each of shape (T,).

    Attributes
    ----------
    subspace
        Within span{01, 10} with respect to H_BC, the one that eq. 23 gives.
    four_level
        Of the whole pair with respect to H_BC.
    local
        Of the battery spin alone (the first one) with respect to ω0 S_z.
    closed_form
        Eq. 23 with Γ = 2(γ_B + γ_C).
    """

    subspace: Real
    four_level: Real
    local: Real
    closed_form: Real


def dephased_exchange(
    t: Real, *, Delta: float, D: float, gamma_B: float, gamma_C: float, omega0: float = 0.0
) -> DephasedExchange:
    """Solve the master equation of dipolar-battery-dm, eq. 18, from |10⟩, beside its eq. 23.

    ρ̇ = −i[H_BC, ρ] + Σ_q γ_q(σ_z^q ρ σ_z^q − ρ): the charger (second spin) is excited at t = 0,
    the battery (first spin) is not.

    Parameters
    ----------
    t
        Times, shape (T,).
    Delta, D, omega0
        Constants of `charger_battery_hamiltonian`, rad per unit time.
    gamma_B, gamma_C
        Dephasing rates of battery and charger, ≥ 0.
    """
    H = charger_battery_hamiltonian(Delta, D, omega0)
    generator = commutator_superoperator(H) + dissipator(dephasing_operators(gamma_B, gamma_C), 4)
    t = np.asarray(t, dtype=float)
    rho = apply(np.asarray(expm(generator * t[:, None, None])), basis_state("10"))
    single = slice(1, 3)  # |01⟩ and |10⟩
    return DephasedExchange(
        subspace=ergotropy(rho[:, single, single], H[single, single]),
        four_level=ergotropy(rho, H),
        local=ergotropy(partial_trace(rho, (0,)), omega0 / 2 * PAULI["Z"]),
        closed_form=dephased_exchange_ergotropy(
            t, exchange_coupling(Delta, D), 2 * (gamma_B + gamma_C)
        ),
    )
