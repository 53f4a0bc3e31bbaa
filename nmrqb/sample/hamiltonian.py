"""The internal Hamiltonian of a sample in the rotating frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nmrqb.arguments import checked
from nmrqb.operators import Complex, Real
from nmrqb.sample.model import Coupling, Sample
from nmrqb.sparse_operators import (
    AXES,
    Pattern,
    Sparse,
    Term,
    dense_matrix,
    pattern_sum,
    sparse_matrix,
)


def coupling_tensor(coupling: Coupling, *, like: bool) -> Real:
    """Return the tensor T of H/2π = Σ_ab T_ab I_a S_b that acts.

    Between unlike spins only T_zz survives the rotating frame.  Between like spins the part that
    commutes with I_z + S_z survives: T_zz, (T_xx + T_yy)/2 and the antisymmetric (T_xy − T_yx)/2;
    only T_zz where the coupling says that it is weak.  A coupling without truncation is left whole.

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
    if coupling.truncation == "none":
        return tensor
    if not like or coupling.truncation == "weak":
        return np.diag([0.0, 0.0, tensor[2, 2]])
    transverse = (tensor[0, 0] + tensor[1, 1]) / 2
    antisymmetric = (tensor[0, 1] - tensor[1, 0]) / 2
    secular = np.diag([transverse, transverse, tensor[2, 2]])
    secular[0, 1], secular[1, 0] = antisymmetric, -antisymmetric
    return secular


def offset_terms(sample: Sample) -> Iterator[Term]:
    """Yield ν and I_z of every spin: the terms of H/2π in Hz."""
    for k, spin in enumerate(sample.spins):
        yield spin.offset_hz, [("z", k)]


def coupling_terms(sample: Sample) -> Iterator[Term]:
    """Yield T_ab and I_a S_b of every pair (secular, see `coupling_tensor`): H/2π in Hz."""
    for coupling in sample.couplings:
        i, j = (sample.index(label) for label in coupling.between)
        like = sample.spins[i].nucleus == sample.spins[j].nucleus
        tensor = coupling_tensor(coupling, like=like)
        for a, b in zip(*np.nonzero(tensor), strict=True):
            yield float(tensor[a, b]), [(AXES[a], i), (AXES[b], j)]


def _offsets(sample: Sample) -> Pattern:
    pattern = pattern_sum(offset_terms(sample), len(sample.spins))
    return {flip: 2 * np.pi * values for flip, values in pattern.items()}


def _couplings(sample: Sample) -> Pattern:
    terms = ((2 * np.pi * value, factors) for value, factors in coupling_terms(sample))
    return pattern_sum(terms, len(sample.spins))


def offset_hamiltonian(sample: Sample) -> Complex:
    """Return H = 2π Σ ν_k I_z,k in rad/s, shape (2ⁿ, 2ⁿ)."""
    return dense_matrix(_offsets(sample), len(sample.spins))


def coupling_hamiltonian(sample: Sample) -> Complex:
    """Return H = 2π Σ_(pairs) I·T·S (secular, see `coupling_tensor`) in rad/s, shape (2ⁿ, 2ⁿ)."""
    return dense_matrix(_couplings(sample), len(sample.spins))


@checked
def internal_hamiltonian(sample: Sample) -> Complex:
    """Return offsets and couplings of the rotating frame in rad/s, shape (2ⁿ, 2ⁿ)."""
    return offset_hamiltonian(sample) + coupling_hamiltonian(sample)


def sparse_hamiltonian(sample: Sample) -> Sparse:
    """Return offsets and couplings as a ``csr_array`` in rad/s, shape (2ⁿ, 2ⁿ).

    The numbers are those of `internal_hamiltonian`; the matrix holds at most 1 + n(n − 1)/2 of
    them in a row.
    """
    n = len(sample.spins)
    return sparse_matrix(_offsets(sample), n) + sparse_matrix(_couplings(sample), n)
