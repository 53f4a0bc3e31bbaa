"""The noise of the receiver: given, or measured on what no spin can make of an FID."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nmrqb.arguments import checked, checked_fields
from nmrqb.errors import ArgumentError
from nmrqb.operators import Complex, Real
from nmrqb.tomography.fids import as_fids, check_fids
from nmrqb.tomography.response import Chain

_VISIBLE = 1e-9  # of the strongest signal


@checked_fields
@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """White noise of every channel.

    Attributes
    ----------
    sigma
        Standard deviation of one quadrature of one FID point, shape (channels,).
    degrees_of_freedom
        Real numbers behind each estimate, of the channel with the fewest; infinite if given.
    """

    sigma: Real
    degrees_of_freedom: float = np.inf

    @classmethod
    def of(cls, noise: Real | NoiseLevel) -> NoiseLevel:
        """Return a level as it is, and plain numbers as a known level.

        Raises
        ------
        ArgumentError
            If it holds anything but numbers; their size is checked where they are used.
        """
        if isinstance(noise, NoiseLevel):
            return noise
        try:
            return cls(np.asarray(noise, dtype=float))
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"Argument `noise` must be positive numbers, one per channel, but is {noise!r:.80}"
            ) from error

    def of_channels(self, count: int) -> Real:
        """Return σ of that many channels, shape (channels,).

        Raises
        ------
        ArgumentError
            If it is not one positive finite number per channel.
        """
        if self.sigma.shape != (count,) or not np.all((self.sigma > 0) & np.isfinite(self.sigma)):
            raise ArgumentError(
                f"Argument `noise` must be {count} positive numbers, one per channel, but is "
                f"{self.sigma}"
            )
        return self.sigma


@checked
def noise_level(
    fids: Complex, chain: Chain, *, kept: NDArray[np.bool_] | None = None
) -> NoiseLevel:
    """Return the noise level of FIDs from their residuals, pooled over states and readouts.

    The FIDs of all states of the spins span few dimensions; what is left of the data outside is
    noise, whatever the state, the gain and the phase.  An artefact (a baseline, a foreign line)
    counts as noise.

    Parameters
    ----------
    fids
        Shape (..., readouts, channels, points).
    chain
        The measurement.
    kept
        Which FIDs are used, shape (readouts, channels); by default all.

    Raises
    ------
    ArgumentError
        If FIDs do not have the readouts, channels and points of the chain, are not finite, or are
        too short to show their noise.
    """
    fids = as_fids(fids)
    shape = chain.shape
    used = np.ones(shape[:2], dtype=bool) if kept is None else kept
    if not isinstance(used, np.ndarray) or used.dtype != bool or used.shape != shape[:2]:
        raise ArgumentError(
            f"Argument `kept` must be booleans of shape {shape[:2]}, but is {used!r:.80}"
        )
    check_fids(fids, shape, used)
    found = [_of_channel(fids[..., used[:, c], c, :], chain, c) for c in range(shape[1])]
    return NoiseLevel(np.array([sigma for sigma, _ in found]), min(size for _, size in found))


def _of_channel(fids: Complex, chain: Chain, channel: int) -> tuple[float, float]:
    """Return the noise of one channel and its degrees of freedom."""
    signals = _signals(chain, channel)
    points, rank = signals.shape
    if points <= rank:
        raise ArgumentError(
            f"Argument `fids` must have more than {rank} points to show the noise of "
            f"{chain.channels[channel]}, but has {points}"
        )
    if not fids.size:
        raise ArgumentError(
            f"Argument `kept` must hold an FID of {chain.channels[channel]}, but holds none"
        )
    flat = fids.reshape(-1, points)
    size = 2 * len(flat) * (points - rank)
    total = np.sum(np.abs(flat) ** 2) - np.sum(np.abs(flat @ signals.conj()) ** 2)
    return float(np.sqrt(max(total, 0.0) / size)), float(size)


@lru_cache(maxsize=16)
def _signals(chain: Chain, channel: int) -> Complex:
    """Return orthonormal FIDs that span all that the spins can give, shape (points, rank)."""
    seen = chain.detectors[channel]
    if chain.views is not None:
        seen = np.concatenate([*chain.views[:, channel]], axis=-1)
    axes, sizes, _ = np.linalg.svd(seen, full_matrices=False)
    return np.asarray(axes[:, sizes > _VISIBLE * sizes[0]])
