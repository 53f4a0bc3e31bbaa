"""What parts of the ergotropy come from: populations, coherence, single parts, correlations.

The names are those of the literature: incoherent and coherent ergotropy of Francica et al. (2020),
ergotropies of the parts, and what only operations on all parts together extract.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from nmrqb.arguments import checked
from nmrqb.battery.arguments import as_dims, reduced
from nmrqb.battery.energies import ergotropy
from nmrqb.battery.levels import dephased
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real, as_hermitian, kron


def incoherent_ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return the ergotropy of Σ_E Π_E ρ Π_E, what populations alone give: (..., d, d) → (...).

    Without degenerate levels it is the largest work of permutations of the levels.  Coherence
    inside a degenerate level costs no energy and counts as incoherent: any unitary inside a
    level is free to use it.

    Parameters
    ----------
    rho
        State(s), shape (..., d, d).
    H
        Battery Hamiltonian(s), shape (..., d, d).

    Returns
    -------
    array of shape (...), in the unit of H

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian or the two differ in size.

    Notes
    -----
    Francica, Binder, Guarnieri, Mitchison, Goold & Plastina (2020).
    """
    return ergotropy(dephased(rho, H), H)


def coherent_ergotropy(rho: Any, H: Any) -> Real:  # noqa: ANN401
    """Return ergotropy − incoherent ergotropy ≥ 0, what coherence adds: (..., d, d) → (...).

    Dephasing leaves the energy as it is and can only raise the passive energy.  See
    `incoherent_ergotropy`.
    """
    return np.maximum(ergotropy(rho, H) - incoherent_ergotropy(rho, H), 0.0)


@checked
def local_ergotropies(rho: Any, hamiltonians: Sequence[Any]) -> Real:  # noqa: ANN401
    """Return the ergotropy of each part's own state under its own Hamiltonian: (..., n).

    Their sum is what local unitaries extract from parts that do not interact, H = Σ_k H_k; for
    parts that do see `ergotropy_by_local_unitaries`.

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d).
    hamiltonians
        H_k of each part in tensor order, shape (d_k, d_k), Π d_k = d.

    Returns
    -------
    array of shape (..., n), in the unit of the Hamiltonians

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, or d is not Π d_k.
    """
    local = _local(hamiltonians)
    state = as_hermitian(rho, "rho")
    dims = as_dims(state.shape[-1], [H.shape[-1] for H in local])
    works = [ergotropy(reduced(state, (k,), dims), H) for k, H in enumerate(local)]
    return np.stack(works, axis=-1)


@checked
def correlation_ergotropy(rho: Any, hamiltonians: Sequence[Any]) -> Real:  # noqa: ANN401
    """Return the ergotropy under Σ_k H_k less that of the parts, Σ_k `local_ergotropies`: (...).

    It is ≥ 0 and is the work that only operations on all parts together extract: what is locked
    in correlations, and in parts that are passive alone but not together.  Also called the
    ergotropic gap.

    Parameters
    ----------
    rho
        State(s) of the register, shape (..., d, d).
    hamiltonians
        H_k of each part in tensor order, shape (d_k, d_k), Π d_k = d.

    Returns
    -------
    array of shape (...), in the unit of the Hamiltonians

    Raises
    ------
    ArgumentError
        If a matrix is not Hermitian, or d is not Π d_k.

    Notes
    -----
    Alicki & Fannes (2013).
    """
    local = local_ergotropies(rho, hamiltonians).sum(axis=-1)
    return np.asarray(np.maximum(ergotropy(rho, uncoupled(hamiltonians)) - local, 0.0))


def uncoupled(hamiltonians: Sequence[Any]) -> Complex:
    """Return Σ_k 1⊗…⊗H_k⊗…⊗1 of parts that do not interact, shape (Π d_k, Π d_k).

    Raises
    ------
    ArgumentError
        If a Hamiltonian is not one Hermitian matrix.
    """
    local = _local(hamiltonians)
    ones = [np.eye(H.shape[-1], dtype=complex) for H in local]
    terms = [kron([*ones[:k], H, *ones[k + 1 :]]) for k, H in enumerate(local)]
    return np.asarray(reduce(np.add, terms))


def _local(hamiltonians: Sequence[Any]) -> list[Complex]:
    local = [as_hermitian(H, "hamiltonians") for H in hamiltonians]
    if not local or any(H.ndim != 2 for H in local):
        raise ArgumentError(
            "Argument `hamiltonians` must be matrices of shape (d_k, d_k), but has shapes "
            f"{[H.shape for H in local]}"
        )
    return local
