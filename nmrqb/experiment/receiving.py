"""How an experiment's FIDs are recorded: errors of the receiver, phase cycle, reference."""

from __future__ import annotations

import numpy as np

from nmrqb.dynamics import thermal_deviation
from nmrqb.errors import ArgumentError
from nmrqb.experiment.model import Experiment
from nmrqb.operators import Complex, Real
from nmrqb.sample import Sample
from nmrqb.spectrometer import CYCLOPS, Digitiser, FrontEnd, record
from nmrqb.tomography import (
    Calibration,
    Chain,
    StateEstimate,
    acquire,
    calibrate,
    diagnose,
    noise_level,
    reference_chain,
)

_HEADROOM = 5.0  # standard deviations of the noise that a digitiser holds beside the signal
_MISFIT = 1e-4  # probability of the residual below which culprits are looked for


def front_ends(experiment: Experiment, chain: Chain, noise: Real) -> tuple[FrontEnd, ...]:
    """Return the receiver of every channel.

    Parameters
    ----------
    experiment, chain
        What is run, and its measurement.
    noise
        Standard deviation of one quadrature of one FID point in one scan, shape (channels,).
    """
    errors, ends = experiment.noise.receiver, []
    for nucleus, sigma in zip(chain.channels, noise, strict=True):
        gain = 1 + errors.gain.get(nucleus, 0.0)
        spins = sum(spin.nucleus == nucleus for spin in experiment.sample.spins)
        held = errors.full_scale * (gain * spins + _HEADROOM * float(sigma))
        bits = errors.digitiser_bits
        ends.append(
            FrontEnd(
                gain=gain,
                phase_rad=errors.phase_rad.get(nucleus, 0.0),
                offset=errors.offset,
                imbalance=errors.imbalance,
                skew=errors.skew,
                digitiser=None if bits is None else Digitiser(bits, held),
            )
        )
    return tuple(ends)


def recorded(
    experiment: Experiment,
    chain: Chain,
    fids: Complex,
    noise: Real,
    rng: np.random.Generator,
    *,
    scans: int | None = None,
) -> Complex:
    """Return FIDs as the receiver of an experiment records them.

    Parameters
    ----------
    experiment, chain
        What is run, and the measurement whose FIDs these are.
    fids
        Without noise, shape (..., readouts, channels, points).
    noise
        Standard deviation of one quadrature of one FID point in one scan, shape (channels,).
    rng
        Random generator.
    scans
        Number of scans; by default the experiment's.

    Raises
    ------
    ArgumentError
        If the digitiser clips.
    """
    measure = experiment.measure
    kept = record(
        fids,
        noise,
        rng,
        front_ends=front_ends(experiment, chain, noise),
        scans=measure.scans if scans is None else scans,
        cycle=CYCLOPS if measure.phase_cycle == "cyclops" else (0.0,),
    )
    if np.any(kept.clipped):
        worst = np.unravel_index(int(np.argmax(kept.clipped)), kept.clipped.shape)
        readout, channel = chain.readouts[worst[-2]], chain.channels[worst[-1]]
        raise ArgumentError(
            f"Argument `full_scale` must hold all FIDs, but {np.count_nonzero(kept.clipped)} of "
            f"{kept.clipped.size} are clipped, worst of all readout {readout} on {channel} in "
            f"{kept.clipped[worst]} of {fids.shape[-1]} points; raise it"
        )
    return kept.fids


def reference_state(sample: Sample) -> Complex:
    """Return thermal equilibrium in the unit in which its largest ⟨σ_z⟩ is 1, shape (d, d).

    It is a deviation beside the identity, not a positive matrix.
    """
    deviation = thermal_deviation(sample)
    d = len(deviation)
    signs = 1 - 2 * ((np.arange(d)[:, None] >> np.arange(len(sample.spins))) & 1)
    sigma_z = 2 * np.max(np.abs(np.diag(deviation).real @ signs)) / d
    return np.asarray((np.eye(d) + 2 * deviation / sigma_z) / d)


def calibration_of(
    experiment: Experiment, chain: Chain, noise: Real, rng: np.random.Generator
) -> Calibration | None:
    """Return gains and phases from a reference that is measured too; None without one.

    Parameters
    ----------
    experiment, chain
        What is run, and its measurement.
    noise
        Standard deviation of one quadrature of one FID point in one scan, shape (channels,).
    rng
        Random generator.
    """
    scans = experiment.measure.reference_scans
    if not scans:
        return None
    reference, state = reference_chain(chain), reference_state(experiment.sample)
    fids = recorded(experiment, reference, acquire(reference, state), noise, rng, scans=scans)
    if experiment.measure.noise_level == "measured":
        return calibrate(fids, reference, state, noise_level(fids, reference))
    return calibrate(fids, reference, state, noise / np.sqrt(scans))


def culprits(
    chain: Chain,
    fids: Complex,
    estimate: StateEstimate,
    noise: Real,
    calibration: Calibration | None,
) -> tuple[str, ...]:
    """Return what is wrong with a measurement whose data do not fit; nothing where they do.

    Parameters
    ----------
    chain, fids, estimate
        The measurement, its FIDs of shape (times, readouts, channels, points), and their states.
    noise
        Standard deviation of one quadrature of one FID point, shape (channels,).
    calibration
        Gains and phases that are known, or None.
    """
    if estimate.joint_p_value > _MISFIT:
        return ()
    seen, sigma = fids, noise
    if calibration is not None:
        seen, sigma = calibration.taken_off(fids, noise)
    return tuple(str(finding) for finding in diagnose(seen, chain, sigma).findings)
