"""Redfield theory of a tumbling pair: dipole–dipole coupling, shielding anisotropy, and both.

Each interaction is H^μ(t) = c_μ u·(n nᵀ − ⅓)·v with an axis n that tumbles isotropically with
the molecule:

- dipolar coupling: c = 3b, b = −μ₀γ_Iγ_Sħ/(4πr³), u = I, v = S, n along the pair;
- shielding: c = γB₀Δσ, u = I, v = ẑ (along the field), n its own axis.

In an orthonormal spherical basis E_q of traceless symmetric tensors,
⟨f_q(n_μ) f_q'(n_ν)*⟩ = δ_qq' (2/15) P₂(cos θ_μν) e^(−t/τ_c), so that every operator that turns with
a frequency ω of the Zeeman Hamiltonian acts with the positive matrix of rates

    K_μν(ω) = c_μ c_ν P₂(cos θ_μν) (4/15) τ_c/(1 + ω²τ_c²).

Off its diagonal stand the cross-correlations.  Terms of different frequencies are separated
(secular approximation); between spins of one nucleus only the total order tells frequencies apart.
K is classical (infinite temperature); detailed balance multiplies the rates of operators that turn
the spins against and along the field by 1 ± tanh x, x their share of ln ρ_eq, as T1 has 1 ± p.

Sources: A. Abragam, The Principles of Nuclear Magnetism, ch. VIII; J. Kowalewski and L. Mäler,
Nuclear Spin Relaxation in Liquids; M. Goldman, J. Magn. Reson. 60 (1984), on the interference of
dipolar coupling and shielding anisotropy; C. Bengs and M. H. Levitt, J. Magn. Reson. 310 (2020), on
Lindblad operators with detailed balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.constants import hbar, mu_0

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample import DipolarCSA, Sample, Spin
from nmrqb.sample.nuclei import GYROMAGNETIC

_NONE = 1e-14  # eigenvalues of K below this, relative to its largest, are rounding
Order = tuple[int, int]  # by how much an operator raises I_z and S_z


def gyromagnetic_ratio(spin: Spin) -> float:
    """Return γ of a spin in rad/(s T), signed."""
    return GYROMAGNETIC[spin.nucleus] * 1e7


def dipolar_constant(first: Spin, second: Spin, distance: float) -> float:
    """Return b = −μ₀γ_Iγ_Sħ/(4πr³) in rad/s of two spins at a distance r in m."""
    product = gyromagnetic_ratio(first) * gyromagnetic_ratio(second)
    return float(-mu_0 * product * hbar / (4 * np.pi * distance**3))


def spectral_density(frequency: float | Real, correlation_time: float) -> Real:
    """Return J(ω) = τ_c/(1 + ω²τ_c²) in s for ω in rad/s, shape (...)."""
    return np.asarray(correlation_time / (1 + (np.asarray(frequency) * correlation_time) ** 2))


@dataclass(frozen=True, eq=False)
class Interaction:
    """One tumbling interaction of a pair.

    Attributes
    ----------
    constant
        c in rad/s of H = c u·(n nᵀ − ⅓)·v.
    terms
        What it adds to E_q, by how much each raises I_z and S_z; each of shape (4, 4).
    """

    constant: float
    terms: dict[Order, Complex]


def dipolar_terms() -> dict[Order, Complex]:
    """Return the spherical components of I_iS_j by the orders (p_I, p_S), q = p_I + p_S."""
    (Iz, Ip, Im), (Sz, Sp, Sm) = (_components(spin) for spin in (0, 1))
    return {
        (0, 0): 2 / np.sqrt(6) * Iz @ Sz,
        (1, -1): -Ip @ Sm / (2 * np.sqrt(6)), (-1, 1): -Im @ Sp / (2 * np.sqrt(6)),
        (1, 0): Ip @ Sz / 2, (-1, 0): Im @ Sz / 2, (0, 1): Iz @ Sp / 2, (0, -1): Iz @ Sm / 2,
        (1, 1): Ip @ Sp / 2, (-1, -1): Im @ Sm / 2,
    }  # fmt: skip


def shielding_terms(spin: int) -> dict[Order, Complex]:
    """Return the spherical components of I_iẑ_j of the first (0) or second (1) spin."""
    z, plus, minus = _components(spin)
    up, down = ((1, 0), (-1, 0)) if spin == 0 else ((0, 1), (0, -1))
    return {(0, 0): 2 / np.sqrt(6) * z, up: plus / 2, down: minus / 2}


def _components(spin: int) -> tuple[Complex, Complex, Complex]:
    x, y, z = (spin_operator(axis, spin, 2) for axis in "xyz")
    return z, x + 1j * y, x - 1j * y


def redfield_operators(mechanism: DipolarCSA, sample: Sample) -> list[Complex]:
    """Return the Lindblad operators of a tumbling pair in s^(-1/2), each of shape (4, 4).

    The first spin of the pair is the first factor; |0⟩ is along the field.

    Parameters
    ----------
    mechanism
        The pair, its geometry and its correlation time.
    sample
        The spins, with their field and polarizations.

    Raises
    ------
    ArgumentError
        If the sample has no field.
    """
    if sample.field_tesla is None:
        raise ArgumentError(
            f"Argument `sample` must have a field for DipolarCSA, but {sample.name!r} has none"
        )
    first, second = (sample.spins[sample.index(label)] for label in mechanism.between)
    like = first.nucleus == second.nucleus
    omega = tuple(-gyromagnetic_ratio(spin) * sample.field_tesla for spin in (first, second))
    interactions = _interactions(mechanism, (first, second), sample.field_tesla)
    rates = _strengths(mechanism, interactions)
    operators = []
    for order, terms in _groups(interactions, like=like):
        frequency = order[0] * omega[0] + order[1] * omega[1]
        K = rates[np.ix_([*terms], [*terms])]
        K = K * spectral_density(frequency, mechanism.correlation_time_s)
        up = _balance(order, (first.polarization, second.polarization))
        operators += [np.sqrt(up) * L for L in _diagonalised(K, [*terms.values()])]
    return [L for L in operators if np.any(L)]


def _interactions(
    mechanism: DipolarCSA, pair: tuple[Spin, Spin], field: float
) -> list[Interaction]:
    """Return the dipolar interaction, of constant 0 where there is none, then the shieldings."""
    if mechanism.distance_m is not None:
        b = dipolar_constant(*pair, mechanism.distance_m)
    else:
        b = 2 * np.pi * (mechanism.dipolar_hz or 0.0)
    labels = [spin.label for spin in pair]
    found = [Interaction(3 * b, dipolar_terms())]
    for shielding in mechanism.csa:
        spin = labels.index(shielding.spin)
        constant = gyromagnetic_ratio(pair[spin]) * field * shielding.anisotropy
        found.append(Interaction(constant, shielding_terms(spin)))
    return found


def _strengths(mechanism: DipolarCSA, interactions: list[Interaction]) -> Real:
    """Return c_μ c_ν P₂(cos θ_μν) 4/15 in rad²/s², one row and column per interaction."""
    c = np.array([interaction.constant for interaction in interactions])
    angles = np.zeros((len(c), len(c)))
    angles[0, 1:] = angles[1:, 0] = [shielding.angle_rad for shielding in mechanism.csa]
    if len(mechanism.csa) == 2:
        coplanar = abs(angles[0, 1] - angles[0, 2])
        between = coplanar if mechanism.csa_angle_rad is None else mechanism.csa_angle_rad
        angles[1, 2] = angles[2, 1] = between
    legendre = (3 * np.cos(angles) ** 2 - 1) / 2
    return np.asarray(np.outer(c, c) * legendre * 4 / 15)


def _groups(
    interactions: list[Interaction], *, like: bool
) -> Iterator[tuple[Order, dict[int, Complex]]]:
    """Yield the operators of one frequency by the number of their interaction.

    Between unlike spins every order has its own frequency; between like ones all of one total
    order q turn together, with q times the common frequency, and are written as order (q, 0).
    """
    found: dict[Order, dict[int, Complex]] = {}
    for number, interaction in enumerate(interactions):
        for order, term in interaction.terms.items():
            same = found.setdefault((sum(order), 0) if like else order, {})
            same[number] = same[number] + term if number in same else term
    yield from found.items()


def _diagonalised(K: Real, terms: list[Complex]) -> list[Complex]:
    """Return √λ_k Σ_μ v_kμ A_μ of the eigenvalues λ_k and eigenvectors of K."""
    values, vectors = np.linalg.eigh(K)
    kept = values > _NONE * max(float(values.max()), 0.0)
    stack = np.array(terms)
    return [
        np.asarray(np.sqrt(value) * np.tensordot(vector, stack, axes=1))
        for value, vector in zip(values[kept], vectors.T[kept], strict=True)
    ]


def _balance(order: Order, polarizations: tuple[float, float]) -> float:
    """Return 1 + tanh(p_I artanh P_I + p_S artanh P_S), the share of a rate that raises so much."""
    total = 0.0  # tanh of a sum, which polarizations of ±1 leave finite
    for step, polarization in zip(order, polarizations, strict=True):
        for _ in range(abs(step)):
            added = np.copysign(1.0, step) * polarization
            opposed = 1 + total * added
            total = (total + added) / opposed if opposed else 0.0
    return 1 + total
