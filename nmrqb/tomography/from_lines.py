"""States from line amplitudes that were fitted elsewhere, with their own covariance.

Real data do not come as FIDs on one grid: every file has its own offset, widths and phase.  What is
left of each are the amplitudes of its lines; these rows of the response matrix are all that is
needed.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2 as chi2_law

from nmrqb.errors import ArgumentError
from nmrqb.operators import Real
from nmrqb.tomography.combinations import sparse_basis
from nmrqb.tomography.design.analysis import Design, design_of
from nmrqb.tomography.design.partial import PartialEstimate
from nmrqb.tomography.estimation.states import to_state
from nmrqb.tomography.estimators import StateEstimate, estimator_of, fitted
from nmrqb.tomography.kinds import Kind, Method

_SINGULAR = 1e-9  # of the largest eigenvalue of a correlation matrix


def estimate_from_lines(
    amplitudes: Real,
    covariance: Real,
    matrix: Real,
    paulis: tuple[str, ...],
    *,
    kind: Kind = "full",
) -> PartialEstimate:
    """Return what line amplitudes determine of a state, by weighted least squares.

    Parameters
    ----------
    amplitudes
        Real numbers, calibrated, shape (rows,).
    covariance
        Theirs, shape (rows, rows).
    matrix
        What unit Paulis show in them, shape (rows, 4ⁿ − 1).
    paulis
        Names of the columns.
    kind
        A ``deviation`` is not made positive; a state is.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or the covariance is not positive.
    """
    y, C, M = (np.asarray(x, dtype=float) for x in (amplitudes, covariance, matrix))
    if M.shape != (len(y), len(paulis)) or C.shape != (len(y), len(y)):
        raise ArgumentError(
            f"Arguments `amplitudes`, `covariance`, `matrix` must have shapes (rows,), "
            f"(rows, rows), (rows, {len(paulis)}), but have shapes {y.shape}, {C.shape}, {M.shape}"
        )
    W = _whitener(C)
    design = design_of(W @ M, M, paulis)
    coefficients = design.covariance @ M.T @ W.T @ W @ y
    residual = W @ (y - M @ coefficients)
    seen = sparse_basis(np.eye(len(paulis)) - design.unseen, paulis)
    axes = np.array([combination.vector for combination in seen]).reshape(-1, len(paulis))
    method: Method = "linear-inversion" if kind == "deviation" else "maximum-likelihood"
    fit = fitted(estimator_of(method), coefficients, M.T @ W.T @ W @ M, None)
    return PartialEstimate(
        design=design,
        seen=seen,
        values=axes @ coefficients,
        covariance=axes @ design.covariance @ axes.T,
        rho=to_state(fit.coefficients),
        chi2=np.asarray(float(residual @ residual)),
        degrees_of_freedom=len(W) - design.rank,
        gap=fit.gap,
    )


def _whitener(covariance: Real) -> Real:
    """Return W with W C Wᵀ = 1, shape (rank, rows).

    Combinations without variance are left out: data that were divided by a gain of their own have
    some, and they tell nothing.
    """
    scale = np.sqrt(np.abs(np.diagonal(covariance)))
    wild, zero = np.sum(~np.isfinite(covariance)), np.sum(scale == 0)
    if wild or zero:
        raise ArgumentError(
            f"Argument `covariance` must be positive, but {wild} of its numbers are not finite and "
            f"{zero} of its variances are 0"
        )
    sizes, axes = np.linalg.eigh(covariance / np.outer(scale, scale))
    if sizes[0] < -_SINGULAR * sizes[-1] or sizes[-1] <= 0:
        raise ArgumentError(
            "Argument `covariance` must be positive, but scaled to its variances it has the "
            f"eigenvalue {sizes[0]:.3g}"
        )
    kept = sizes > _SINGULAR * sizes[-1]
    return np.asarray(axes[:, kept].T / np.sqrt(sizes[kept])[:, None] / scale)


def whole_state(partial: PartialEstimate, kind: Kind) -> StateEstimate:
    """Return a partial estimate that determines everything as an estimate of the state.

    Raises
    ------
    ArgumentError
        If it does not determine everything.
    """
    if not partial.design.complete:
        raise ArgumentError(
            "Argument `partial` must determine the whole state, but does not: "
            f"{partial.design.verdict}"
        )
    order = np.array([combination.vector for combination in partial.seen])
    coefficients = np.linalg.solve(order, partial.values)
    return StateEstimate(
        rho=partial.rho,
        linear=to_state(coefficients),
        covariance=partial.design.covariance,
        chi2=partial.chi2,
        degrees_of_freedom=partial.degrees_of_freedom,
        gap=partial.gap,
        method="linear-inversion" if kind == "deviation" else "maximum-likelihood",
        kind=kind,
    )


def chi2_probability(estimate: PartialEstimate) -> float:
    """Return the probability of so large a residual where the model is right; 1 without any."""
    if not estimate.degrees_of_freedom:
        return 1.0
    return float(chi2_law.sf(float(estimate.chi2), estimate.degrees_of_freedom))


def coefficient(estimate: PartialEstimate, pauli: str) -> tuple[float, float] | None:
    """Return ⟨P⟩ of a Pauli string and its standard deviation; None where it is not determined."""
    place = estimate.design.paulis.index(pauli)
    if not np.isfinite(estimate.design.errors[place]):
        return None
    axes = np.array([combination.vector for combination in estimate.seen])
    wanted = np.eye(len(estimate.design.paulis))[place]
    weights = np.linalg.lstsq(axes.T, wanted)[0]
    return float(weights @ estimate.values), float(estimate.design.errors[place])


def populations(estimate: PartialEstimate) -> tuple[Real, Real] | None:
    """Return the 2ⁿ populations less their mean, and their covariance; None if not determined.

    p_i − 1/d = Σ_P s_P(i) ⟨P⟩/d over the strings P of I and Z, s_P(i) the sign of P in state i.

    Parameters
    ----------
    estimate
        What the data determine.

    Returns
    -------
    populations, covariance
        Shapes (d,) and (d, d), or None.
    """
    design = estimate.design
    n, d = design.spins, 2**design.spins
    diagonal = [k for k, pauli in enumerate(design.paulis) if set(pauli) <= {"I", "Z"}]
    if not np.all(np.isfinite(design.errors[diagonal])):
        return None
    known = [coefficient(estimate, design.paulis[k]) for k in diagonal]
    values = np.array([value for value, _ in filter(None, known)])
    signs = np.array(
        [
            [_sign(design.paulis[k], format(state, f"0{n}b")) / d for k in diagonal]
            for state in range(d)
        ]
    )
    own = design.covariance[np.ix_(diagonal, diagonal)]
    return signs @ values, signs @ own @ signs.T


def _sign(pauli: str, bits: str) -> float:
    pairs = zip(pauli, bits, strict=True)
    return float(np.prod([-1.0 if (p, b) == ("Z", "1") else 1.0 for p, b in pairs]))


def determined(design: Design) -> tuple[str, ...]:
    """Return the Pauli strings that are determined, each by itself."""
    pairs = zip(design.paulis, design.errors, strict=True)
    return tuple(pauli for pauli, error in pairs if np.isfinite(error))
