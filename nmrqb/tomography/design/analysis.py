"""What a set of readouts sees: rank, condition, invisible operators, errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag

from nmrqb.arguments import checked
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.tomography.combinations import (
    RANK,
    Combination,
    as_combination,
    names_of,
    sparse_basis,
    split_space,
)
from nmrqb.tomography.noise_level import NoiseLevel
from nmrqb.tomography.response import Response, amplitude_covariance

_MISSING = 1e-7  # of an operator: what is less of it unseen is rounding


@dataclass(frozen=True, eq=False)
class Design:
    """What a set of readouts sees.

    A is the response matrix whitened by the noise, so that its rows have unit variance; without a
    noise level every quadrature of every line has unit variance, and A is the bare matrix.

    Attributes
    ----------
    paulis
        Names of the 4ⁿ − 1 coordinates c_P = ⟨P⟩.
    rank
        Number of independent combinations of them that are seen.
    condition
        Largest over smallest singular value of A, infinite where the rank is not full.
    bare_condition
        The same of the response matrix before whitening.
    invisible
        Basis of what no readout sees, in as few Paulis as can be found.
    covariance
        (AᵀA)⁺, shape (4ⁿ − 1, 4ⁿ − 1): the covariance of what is seen.
    errors
        Standard deviation of every c_P, infinite where it is not determined, (4ⁿ − 1,).
    unseen
        Orthogonal projector on what no readout sees, shape (4ⁿ − 1, 4ⁿ − 1).
    """

    paulis: tuple[str, ...]
    rank: int
    condition: float
    bare_condition: float
    invisible: tuple[Combination, ...]
    covariance: Real
    errors: Real
    unseen: Real

    @property
    def complete(self) -> bool:
        """Whether every state is determined."""
        return self.rank == len(self.paulis)

    @property
    def spins(self) -> int:
        """Number of spins."""
        return len(self.paulis[0])

    @property
    def a_figure(self) -> float:
        """tr[(AᵀA)⁻¹], the sum of the variances of all c_P; infinite where the rank is not full."""
        return float(np.trace(self.covariance)) if self.complete else np.inf

    @property
    def e_figure(self) -> float:
        """Largest variance of any normalised Σ a_P c_P; infinite where the rank is not full."""
        return float(np.linalg.eigvalsh(self.covariance)[-1]) if self.complete else np.inf

    @property
    def verdict(self) -> str:
        """One sentence: what is seen and what is not."""
        size = len(self.paulis)
        if self.complete:
            return f"rank {self.rank} of {size}: every state is determined"
        return f"rank {self.rank} of {size}; not seen: {names_of(self.invisible)}"


@dataclass(frozen=True, eq=False)
class Linear:
    """What a set of readouts tells of an expectation value ⟨O⟩.

    Attributes
    ----------
    determined
        Whether all of O is seen.
    error
        Standard deviation of ⟨O⟩, infinite where it is not determined.
    missing
        The part of O that is not seen; None where there is none.
    """

    determined: bool
    error: float
    missing: Combination | None


@checked
def analyse(
    response: Response, noise: Real | NoiseLevel | None = None, *, tolerance: float = RANK
) -> Design:
    """Return what a set of readouts sees, and how well.

    Parameters
    ----------
    response
        Response of the measurement, see `nmrqb.tomography.response_matrix`.
    noise
        Standard deviation of one quadrature of one FID point per channel, shape (channels,), or
        what `noise_level` measured; by default every quadrature of every line has unit variance.
    tolerance
        Singular values below this share of the largest count as zero.

    Raises
    ------
    ArgumentError
        If the noise is not one positive number per channel, or the tolerance not in (0, 1).
    """
    bare = response.matrix
    A = bare if noise is None else whitener(response, noise) @ bare
    return design_of(A, bare, response.paulis, tolerance)


def design_of(A: Real, bare: Real, paulis: tuple[str, ...], tolerance: float = RANK) -> Design:
    """Return what rows see, whitened (A) and not, both of shape (rows, 4ⁿ − 1); see `analyse`.

    Raises
    ------
    ArgumentError
        If a number is not finite, or the tolerance not in (0, 1).
    """
    if not 0 < tolerance < 1:
        raise ArgumentError(f"Argument `tolerance` must be in (0, 1), but is {tolerance}")
    if not np.all(np.isfinite(A)):
        raise ArgumentError(
            f"Argument `response` must have a finite matrix, but {np.sum(~np.isfinite(A))} of its "
            f"{A.size} numbers are not"
        )
    rank, unseen = split_space(A, tolerance)
    inverse = np.linalg.pinv(A, rcond=tolerance)
    covariance = inverse @ inverse.T
    hidden = np.diagonal(unseen) > _MISSING**2
    return Design(
        paulis=paulis,
        rank=rank,
        condition=_condition(A, rank),
        bare_condition=_condition(bare, rank),
        invisible=sparse_basis(unseen, paulis),
        covariance=covariance,
        errors=np.where(hidden, np.inf, np.sqrt(np.diagonal(covariance).clip(min=0))),
        unseen=unseen,
    )


def _condition(matrix: Real, rank: int) -> float:
    if rank < matrix.shape[1]:
        return np.inf
    sizes = np.linalg.svd(matrix, compute_uv=False)
    return float(sizes[0] / sizes[-1])


def whitener(response: Response, noise: Real | NoiseLevel) -> Real:
    """Return W of shape (amplitudes, amplitudes) that gives the amplitudes unit covariance.

    Raises
    ------
    ArgumentError
        If the noise is not one positive number per channel, or the amplitudes are not independent.
    """
    level = NoiseLevel.of(noise).of_channels(len(response.fits))
    if response.kept is not None:
        return _inverse_root(amplitude_covariance(response, level))
    own = _inverse_root(amplitude_covariance(replace(response, readouts=1), level))
    lines = len(own) // 2
    parts = [own[:lines, :lines], own[:lines, lines:], own[lines:, :lines], own[lines:, lines:]]
    whole = [block_diag(*[part] * response.readouts) for part in parts]
    return np.block([[whole[0], whole[1]], [whole[2], whole[3]]])


def _inverse_root(covariance: Real) -> Real:
    try:
        return np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError as error:
        raise ArgumentError(
            "Argument `response` must have independent amplitudes, but the covariance of their "
            f"noise has eigenvalues down to {np.linalg.eigvalsh(covariance).min():.3g}"
        ) from error


# -------------------------------------------------------------------------- expectation values
def expectation(design: Design, operator: Complex | Combination) -> Linear:
    """Return whether ⟨O⟩ is determined, its error, and which part of O is not seen.

    Parameters
    ----------
    design
        What the readouts see.
    operator
        O, Hermitian, shape (d, d); its trace does not matter.

    Raises
    ------
    ArgumentError
        If O is not a Hermitian matrix of the size of the register.
    """
    wanted = (
        operator if isinstance(operator, Combination) else as_combination(operator, design.paulis)
    )
    missing = design.unseen @ wanted.vector
    size = float(np.linalg.norm(wanted.vector))
    if np.linalg.norm(missing) > _MISSING * size:
        missing[np.abs(missing) < _MISSING * size] = 0.0
        return Linear(False, np.inf, Combination(missing, design.paulis))
    variance = float(wanted.vector @ design.covariance @ wanted.vector)
    return Linear(True, float(np.sqrt(max(variance, 0.0))), None)
