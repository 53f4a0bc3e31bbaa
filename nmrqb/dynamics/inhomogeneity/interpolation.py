"""Maps of many members from those of a few: what depends on the static field is interpolated.

A propagator over T is an entire function of a field shift f, of the exponential type
β = 2πT Σ_k |γ_k/γ(1H)| per Hz, dissipation included: its Chebyshev series over fields within ±F of
their middle falls faster than any power beyond the order βF.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nmrqb.dynamics.inhomogeneity.ensembles import Ensemble
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.sample.nuclei import relative_gyromagnetic_ratio

_LEAST = 7  # nodes where the field turns nothing by much
_WORTH = 2  # times more members than nodes


def across_fields(
    function: Callable[[Ensemble], Complex], sample: Sample, ensemble: Ensemble, duration: float
) -> Complex:
    """Return a propagator or superoperator of every member, shape (M, ...).

    Members of equal rf amplitudes and couplings are interpolated from some of other fields, to
    1e-10 or better, where that saves half of the work or more; otherwise all are computed.

    Parameters
    ----------
    function
        Takes an ensemble, returns what its members see over the duration, shape (members, ...).
    sample, ensemble
        The spins, and the M members.
    duration
        How long the field acts in all in s.
    """
    rows = np.column_stack([ensemble.b1, ensemble.coupling])
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    low, high = float(ensemble.field_hz.min()), float(ensemble.field_hz.max())
    middle, reach = (low + high) / 2, (high - low) / 2
    count = _nodes(reach * _turning(sample) * duration)
    if reach == 0 or _WORTH * count * len(first) > ensemble.size:
        return function(ensemble)
    angles = np.pi * (np.arange(count) + 0.5) / count
    alike = ensemble.chosen(np.repeat(first, count))
    nodes = Ensemble(
        alike.b1,
        np.tile(middle + reach * np.cos(angles), len(first)),
        alike.coupling,
        np.full(alike.size, 1 / alike.size),
    )
    known = np.asarray(function(nodes))
    known = known.reshape(len(first), count, *known.shape[1:])
    series = _series(angles, ((ensemble.field_hz - middle) / reach).clip(-1, 1))
    found = np.empty((ensemble.size, *known.shape[2:]), dtype=complex)
    for k, values in enumerate(known):
        of = group.ravel() == k
        found[of] = np.tensordot(series[of], values, axes=1)
    return found


def _turning(sample: Sample) -> float:
    """Return the rate in rad/s at which the fastest element of ρ turns per Hz of 1H."""
    ratios = (relative_gyromagnetic_ratio(spin.nucleus) for spin in sample.spins)
    return 2 * np.pi * sum(map(abs, ratios))


def _nodes(angle: float) -> int:
    """Return the number of nodes that give e^{iθx}, |x| ≤ 1 and θ the angle, to 1e-12."""
    return int(np.ceil(angle + 8.5 * np.cbrt(angle) + _LEAST))


def _series(angles: Real, x: Real) -> Real:
    """Return the weights of Chebyshev's nodes cos(angles) at places x: (places, nodes)."""
    orders = np.arange(len(angles))
    basis = np.cos(orders * np.arccos(x)[:, None])
    basis[:, 1:] *= 2
    return np.asarray(basis @ np.cos(orders[:, None] * angles) / len(angles))
