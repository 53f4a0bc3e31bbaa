"""What the coils see of an ensemble: every member is read out and precesses in its own field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig
from scipy.sparse import csr_array

from nmrqb.dynamics import (
    Ensemble,
    Relaxation,
    apply,
    commutator_superoperator,
    dissipation_of,
    drift_of,
)
from nmrqb.dynamics.relaxing.liouvillians import seen_sectors
from nmrqb.operators import Complex
from nmrqb.sample import PulseModel, Sample
from nmrqb.sequence import NO_ERRORS, Errors
from nmrqb.spectrometer import Integrals, Receiver, observable
from nmrqb.spectrometer.sectors import Sectors, rows_on_grid
from nmrqb.tomography.readout_words import Readout
from nmrqb.tomography.readouts import readout_maps

Analysis: TypeAlias = Literal["time-domain"] | Integrals

_BLOCK_VALUES = 8_000_000  # complex numbers held at once
_SAME_LINE = 1e-6


@dataclass(frozen=True, eq=False)
class Setup:
    """What is set up on the spectrometer to measure a state.

    Attributes
    ----------
    sample, readouts, receiver
        The spins, the readout pulses, and how FIDs are digitised.
    ensemble
        Members of the sample that see different fields.
    pulses, errors
        Ideal or finite readout pulses, and what the transmitter makes of them.
    relaxation
        What relaxes the spins during pulses and acquisition.
    analysis
        How FIDs become numbers: least squares in the ``time-domain``, or `Integrals`.
    flips
        Angles over those meant of every readout's pulses, one per spin, or None for all 1.
    observed
        Nuclei of the channels that are observed; empty for all.
    """

    sample: Sample
    readouts: tuple[Readout, ...]
    receiver: Receiver
    ensemble: Ensemble
    pulses: PulseModel = "ideal"
    errors: Errors = NO_ERRORS
    relaxation: Relaxation = True
    analysis: Analysis = "time-domain"
    flips: tuple[tuple[float, ...], ...] | None = None
    observed: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Nuclei of the channels that are observed."""
        return self.observed or self.sample.nuclei

    @property
    def coils(self) -> list[Complex]:
        """What every channel sees, rows of shape (d²,)."""
        return [observable(self.sample, nucleus) for nucleus in self.channels]

    def maps(self, ensemble: Ensemble) -> Complex:
        """Return the readout pulses of some members, shape (members, readouts, d², d²)."""
        return readout_maps(
            self.readouts,
            self.sample,
            pulses=self.pulses,
            relaxation=self.relaxation,
            ensemble=ensemble,
            errors=self.errors,
            flips=self.flips,
        )

    def detectors(self, ensemble: Ensemble) -> list[Detector]:
        """Return state → FID of some members on every channel."""
        coherent = commutator_superoperator(drift_of(self.sample, ensemble))
        generators = coherent + dissipation_of(self.sample, self.relaxation).generator
        return [detections(generators, coil, self.receiver) for coil in self.coils]


@dataclass(frozen=True, eq=False)
class Detector:
    """State → FID of some members on one channel, in the elements of ρ that its coil sees.

    Attributes
    ----------
    elements
        Which elements of the row-flattened ρ, shape (K,).
    rows
        Shape (members, points, K).
    """

    elements: NDArray[np.intp]
    rows: Complex


def detections(generators: Complex, coil: Complex, receiver: Receiver) -> Detector:
    """Return `nmrqb.spectrometer.detection` of many generators at once.

    Parameters
    ----------
    generators
        Generators of free precession, shape (members, d², d²), 1/s.
    coil
        Row of shape (d²,).
    receiver
        How FIDs are digitised.
    """
    count, phase = len(generators), np.exp(1j * receiver.phase_rad)
    sectors = seen_sectors(csr_array(np.abs(generators).max(axis=0)), coil)
    rows = []
    for elements in sectors:
        own = generators[:, elements[:, None], elements]
        alike = Sectors(np.broadcast_to(elements, (count, len(elements))), own)
        rows.append(phase * rows_on_grid(alike, coil, receiver))
    return Detector(np.concatenate(sectors), np.concatenate(rows, axis=-1))


def members_fids(setup: Setup, members: Complex) -> Complex:
    """Return the FIDs of the whole ensemble, Σ_m w_m D_m M_m ρ_m, without noise.

    D_m is the detection of member m and M_m its readout; members of equal field and couplings
    share their detection.

    Parameters
    ----------
    setup
        The measurement.
    members
        States of the M members, shape (M, T, d, d).

    Returns
    -------
    array of shape (T, readouts, channels, points)
    """
    values = len(setup.readouts) * members.shape[-1] ** 4
    size = max(1, _BLOCK_VALUES // values)
    order, parts = _order(setup.ensemble), []
    for start in range(0, setup.ensemble.size, size):
        many = order[start : start + size]
        maps = setup.maps(setup.ensemble.chosen(many))  # the more at once, the more are alike
        for few in _blocks(setup, len(many)):
            parts.append(_block_fids(setup, members, many[few], maps[few]))
    return np.asarray(sum(parts))


def _order(ensemble: Ensemble) -> NDArray[np.intp]:
    """Return the members in an order that puts those of equal precession side by side."""
    keys = np.column_stack([ensemble.field_hz, ensemble.coupling])
    return np.lexsort(keys.T[::-1])


def _blocks(setup: Setup, count: int) -> Iterator[slice]:
    """Yield blocks of ``count`` members whose detectors fit into memory."""
    fid = len(setup.channels) * setup.receiver.points * 4 ** len(setup.sample.spins)
    size = max(1, _BLOCK_VALUES // fid)
    yield from (slice(start, start + size) for start in range(0, count, size))


def _block_fids(setup: Setup, members: Complex, block: NDArray[np.intp], maps: Complex) -> Complex:
    part = setup.ensemble.chosen(block)
    keys = np.column_stack([part.field_hz, part.coupling])
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    turned = apply(maps[:, None], members[block][:, :, None])
    flat = turned.reshape(*turned.shape[:-2], -1)
    shares = (np.arange(len(first))[:, None] == group.ravel()) * setup.ensemble.weights[block]
    grouped = np.tensordot(shares, flat, axes=1)
    fids = [
        np.einsum("gpk,gtrk->trp", seen.rows, grouped[..., seen.elements], optimize=True)
        for seen in setup.detectors(part.chosen(first))
    ]
    return np.stack(fids, axis=2)


def mean_detectors(setup: Setup) -> Complex:
    """Return the mean of state → FID over the ensemble, shape (channels, points, d²)."""
    shape = (len(setup.channels), setup.receiver.points, 4 ** len(setup.sample.spins))
    total = np.zeros(shape, dtype=complex)
    order = _order(setup.ensemble)
    for block in (order[few] for few in _blocks(setup, order.size)):
        weights = setup.ensemble.weights[block]
        for channel, seen in enumerate(setup.detectors(setup.ensemble.chosen(block))):
            total[channel][:, seen.elements] += np.tensordot(weights, seen.rows, axes=1)
    return total


def views(setup: Setup) -> Complex:
    """Return state → FID with the readout in it, shape (readouts, channels, points, d²)."""
    d = 2 ** len(setup.sample.spins)
    units = np.eye(d * d, dtype=complex).reshape(d * d, d, d)
    fids = members_fids(setup, np.broadcast_to(units, (setup.ensemble.size, *units.shape)))
    return np.moveaxis(fids, 0, -1)


def dephased_fit(generator: Complex, coil: Complex, lines: Complex, detector: Complex) -> Complex:
    """Return the least-squares map from FIDs to line amplitudes where members dephase.

    The model of a line is what the mean detector makes of its mode, e^{λt} times the dephasing.

    Parameters
    ----------
    generator, coil
        Nominal generator, shape (d², d²), and coil, shape (d²,).
    lines
        Rates of the lines, shape (lines,).
    detector
        State → FID, mean over the ensemble, shape (points, d²).

    Returns
    -------
    array of shape (lines, points)
    """
    rates, modes = eig(generator)
    seen = np.abs(coil @ modes)
    near = np.abs(rates - lines[:, None]) <= 2 * _SAME_LINE * np.maximum(1.0, np.abs(rates))
    brightest = modes[:, np.argmax(np.where(near, seen, -1.0), axis=-1)]
    return np.asarray(np.linalg.pinv(detector @ (brightest / (coil @ brightest))))
