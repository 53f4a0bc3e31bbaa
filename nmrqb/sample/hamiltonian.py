"""The internal Hamiltonian of a sample in the rotating frame."""

from __future__ import annotations

import numpy as np

from nmrqb.operators import Complex, Real, spin_operator
from nmrqb.sample.model import Coupling, Sample

AXES = "xyz"


def coupling_tensor(coupling: Coupling, *, like: bool) -> Real:
    """Return the secular coupling tensor T of H/2π = Σ_ab T_ab I_a S_b.

    Between unlike spins only T_zz survives the rotating frame.  Between like spins the part that
    commutes with I_z + S_z survives: T_zz, (T_xx + T_yy)/2 and the antisymmetric (T_xy − T_yx)/2.

    Parameters
    ----------
    coupling
        The coupling; its constants are in Hz.
    like
        Whether the two spins are of one nucleus.

    Returns
    -------
    array of shape (3, 3), Hz
    """
    tensor = np.diag([coupling.J_hz] * 3) + coupling.dipolar_hz * np.diag([-1.0, -1.0, 2.0])
    if coupling.tensor_hz is not None:
        tensor = tensor + np.array(coupling.tensor_hz)
    if not like:
        return np.diag([0.0, 0.0, tensor[2, 2]])
    transverse = (tensor[0, 0] + tensor[1, 1]) / 2
    antisymmetric = (tensor[0, 1] - tensor[1, 0]) / 2
    secular = np.diag([transverse, transverse, tensor[2, 2]])
    secular[0, 1], secular[1, 0] = antisymmetric, -antisymmetric
    return secular


def offset_hamiltonian(sample: Sample) -> Complex:
    """Return H = 2π Σ ν_k I_z,k in rad/s, shape (2ⁿ, 2ⁿ)."""
    n = len(sample.spins)
    terms = (spin.offset_hz * spin_operator("z", k, n) for k, spin in enumerate(sample.spins))
    return np.asarray(2 * np.pi * sum(terms, start=np.zeros((2**n, 2**n), dtype=complex)))


def coupling_hamiltonian(sample: Sample) -> Complex:
    """Return H = 2π Σ_(pairs) I·T·S (secular, see `coupling_tensor`) in rad/s, shape (2ⁿ, 2ⁿ)."""
    n = len(sample.spins)
    total = np.zeros((2**n, 2**n), dtype=complex)
    for coupling in sample.couplings:
        i, j = (sample.index(label) for label in coupling.between)
        like = sample.spins[i].nucleus == sample.spins[j].nucleus
        tensor = coupling_tensor(coupling, like=like)
        for a, b in zip(*np.nonzero(tensor), strict=True):
            product = spin_operator(AXES[a], i, n) @ spin_operator(AXES[b], j, n)
            total += 2 * np.pi * tensor[a, b] * product
    return total


def internal_hamiltonian(sample: Sample) -> Complex:
    """Return offsets and couplings of the rotating frame in rad/s, shape (2ⁿ, 2ⁿ)."""
    return offset_hamiltonian(sample) + coupling_hamiltonian(sample)
