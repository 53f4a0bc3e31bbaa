"""Daemonic ergotropy: work from one part of a register after the rest has been measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery.arguments import as_dims, as_part, bipartite, check_size, mean, positive
from nmrqb.battery.energies import ergotropy, passive_energy, spectral_width
from nmrqb.battery.measurements import Index, Problem, distance, minimise, spectra
from nmrqb.battery.quantum_discord import check_tolerance
from nmrqb.operators import Complex, Real, as_hermitian


@dataclass(frozen=True, eq=False)
class DaemonicErgotropy:
    """Daemonic ergotropy of states, each number of shape (...), in the unit of H.

    Attributes
    ----------
    value
        The most that was found, Σ_k p_k W(ρ_S|k) of the measurement `basis`; the daemonic
        ergotropy is not below it.
    bound
        It is not above this: proven where the measured part has two levels, else the lesser of
        the energy above the ground state and the ergotropy of the whole register under 1⊗H.
    ergotropy
        Of the battery without the measurement.
    gain
        value − ergotropy ≥ 0.
    basis
        The measurement on the rest of the register, in tensor order, vectors as columns, shape
        (..., a, a).
    """

    value: Real
    bound: Real
    ergotropy: Real
    gain: Real
    basis: Complex


@checked
def daemonic_ergotropy(
    rho: Any,  # noqa: ANN401
    H: Any,  # noqa: ANN401
    battery: Sequence[int],
    dims: Sequence[int] | None = None,
    *,
    tolerance: float = 1e-4,
) -> DaemonicErgotropy:
    """Return the work max Σ_k p_k W(ρ_S|k) from a battery S after the rest has been measured.

    The battery is some parts of the register under its own H.  The maximum is over all projective
    measurements of the rest A, all its parts together; for each outcome k the best unitary acts on
    S.  It is searched for and, where A has two levels, enclosed: see
    `nmrqb.battery.measurements`, with φ the passive energy and slack(q) = q(e_max − e_min)
    min(1, 2T): a flip makes the unitary for one outcome act on the state of the other.

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d), arrays or Qobj.
    H
        Hamiltonian(s) of the battery alone, shape (..., b, b), in the order of ``battery``.
    battery
        Tensor positions of S in the register.
    dims
        Dimensions of all parts in tensor order; None is spins ½.
    tolerance
        Distance of value and bound that is aimed at, in units of the largest e_max − e_min.

    Returns
    -------
    DaemonicErgotropy
        Of batch shape (...).

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, the trace of ρ is not 1 within 1e-6, the parts are not those
        of the register, H is not of the size of the battery, or the tolerance is not positive.

    Notes
    -----
    Francica, Goold, Plastina & Paternostro (2017).

    Examples
    --------
    >>> from nmrqb.operators import pauli
    >>> bell = (pauli("II") + pauli("XX") - pauli("YY") + pauli("ZZ")) / 4
    >>> work = daemonic_ergotropy(bell, pauli("Z"), battery=(0,))
    >>> round(float(work.ergotropy), 9), round(float(work.gain), 9)
    (0.0, 1.0)
    """
    check_tolerance(tolerance)
    split = _rest_first(rho, battery, dims)
    batch, (a, b) = split.shape[:-4], split.shape[-4:-2]
    hamiltonian = as_hermitian(H, "H")
    own = np.einsum("...kikj->...ij", split)
    check_size(own, hamiltonian, "H")
    whole = np.broadcast_shapes(batch, hamiltonian.shape[:-2])
    hamiltonian = np.broadcast_to(hamiltonian, (*whole, b, b))
    split = np.broadcast_to(split, (*whole, a, b, a, b))
    stored, width = mean(own, hamiltonian), spectral_width(hamiltonian)
    problem = _problem(split, hamiltonian, width)
    unit = float(width.max(initial=0.0)) or 1.0
    least = minimise(problem, tolerance * unit)
    value, bound = (stored - x.reshape(whole) for x in (least.value, least.bound))
    plain = ergotropy(own, hamiltonian)
    value = np.maximum(value, plain)  # below it is rounding
    return DaemonicErgotropy(
        value, np.maximum(bound, value), plain, value - plain, least.basis.reshape(*whole, a, a)
    )


def _rest_first(rho: Any, battery: Sequence[int], dims: Sequence[int] | None) -> Complex:  # noqa: ANN401
    """Return positive states as (..., a, b, a, b), a of all that is not the battery."""
    state = positive(rho)
    known = as_dims(state.shape[-1], dims)
    split = bipartite(state, as_part(battery, len(known), "battery"), known)
    return np.asarray(np.moveaxis(split, (-3, -1), (-4, -2)))


def _problem(split: Complex, H: Complex, width: Real) -> Problem:
    """Minimise the passive energies after the outcomes."""
    a, b = split.shape[-4:-2]
    levels = np.linalg.eigvalsh(H).reshape(-1, b)
    states = split.reshape(-1, a, b, a, b)
    apart = distance(states) if a == 2 else np.ones(len(states))
    spread = width.reshape(-1) * np.minimum(1, 2 * apart)

    def phi(which: Index, sigma: Complex) -> Real:
        r = spectra(sigma)[:, ::-1]
        return np.asarray((r * levels[which]).sum(axis=-1))

    joint = split.reshape(*split.shape[:-4], a * b, a * b)
    on_all = passive_energy(joint, np.kron(np.eye(a), H))
    floor = np.maximum(levels[:, 0], on_all.reshape(-1))
    return Problem(states, phi, lambda which, q: q * spread[which], floor)
