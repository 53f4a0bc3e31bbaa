"""What people hand over: FIDs with both quadratures, states of the right size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, as_complex


def as_fids(value: Any, name: str = "fids") -> Complex:  # noqa: ANN401 - any array-like
    """Return FIDs as an array.

    Raises
    ------
    ArgumentError
        If they are no numbers, or real: one quadrature alone tells no sign of a frequency, and
        would be taken for a pair whose other half is zero.
    """
    fids = as_complex(value, name)
    if not np.iscomplexobj(np.asarray(value)):
        raise ArgumentError(
            f"Argument `{name}` must be complex, real part from one quadrature and imaginary part "
            f"from the other, but is real, of shape {fids.shape}"
        )
    return fids


def check_fids(
    fids: Complex, shape: tuple[int, int, int], kept: NDArray[np.bool_] | None = None
) -> None:
    """Refuse FIDs that are not those of a measurement, none at all, or not finite.

    Parameters
    ----------
    fids
        What was recorded.
    shape
        Readouts, channels, points of the measurement.
    kept
        Which FIDs have to be finite, shape (readouts, channels); by default all.

    Raises
    ------
    ArgumentError
        If they do not have shape (..., readouts, channels, points), or a number is not finite.
    """
    used = np.ones(shape[:2], dtype=bool) if kept is None else kept
    fits = fids.shape[-3:] == shape and fids.size > 0
    if not fits or not np.all(np.isfinite(fids[..., used, :])):
        raise ArgumentError(
            f"Argument `fids` must be finite and have shape (..., {', '.join(map(str, shape))}), "
            f"but has shape {fids.shape} and {np.count_nonzero(~np.isfinite(fids))} points that "
            "are not finite"
        )


def check_states(rho: Complex, d: int, name: str = "rho") -> None:
    """Refuse states that are not of d levels, or not finite.

    Raises
    ------
    ArgumentError
        If they do not have shape (..., d, d), or a number is not finite.
    """
    if rho.shape[-2:] != (d, d) or not np.all(np.isfinite(rho)):
        raise ArgumentError(
            f"Argument `{name}` must be finite and have shape (..., {d}, {d}), but has shape "
            f"{rho.shape} and {np.count_nonzero(~np.isfinite(rho))} elements that are not finite"
        )
